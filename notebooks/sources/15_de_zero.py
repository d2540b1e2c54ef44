# %% [markdown]
# # 15 · De zéro : la page blanche
#
# **La question.** Vous avez lu des cibles, des pertes, des mémoires, des boucles, et récrit chacune. Sauriez-vous
# écrire le tout, de mémoire, sur une page blanche ? Et si votre programme n'apprend pas, comment savoir
# laquelle de ses quarante lignes est fausse ?
#
# Ce carnet vous donne la page et un jury. Le jury ne lit pas votre code : il le fait jouer, dans six mondes
# minuscules dont il connaît les valeurs exactes, puis à CartPole. Il ne vous dira donc pas si votre programme
# ressemble au nôtre, mais s'il apprend ce qui est vrai. Puis votre programme sort de CartPole : le même, sur un jeu
# pour lequel personne ne l'a réglé.
#
# *Lecture : 25 minutes ; exercices : 90 minutes ; exécution : quelques secondes, la page restée blanche.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from math import comb

import gymnasium
import numpy as np
import torch
from torch import nn

from cartpole_helpers import evaluate, exact_interval, load_study
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import Screen
from cartpole_helpers.display.numbers import number, percent
from cartpole_helpers.dqn import td_loss, td_target
from cartpole_helpers.teaching.capstone import ACROBOT, WORLD_GAMMA, attempt, elsewhere, jury
from cartpole_helpers.teaching.exercises import show
from cartpole_helpers.teaching.worlds import FAULTS, drawn_worlds

# %% [markdown]
# ## 1. Le contrat
#
# Votre fonction s'appelle `dqn` et reçoit quatre arguments : un environnement, γ, un nombre de pas, une graine.
# Elle joue ce nombre de pas, apprend, et rend ses **valeurs** : une fonction `q` qui, à des observations (N, D),
# répond par un tableau (N, A).
#
# L'environnement se joue comme CartPole : `reset(seed=...)` rend une observation et un dictionnaire, `step(action)`
# rend cinq valeurs. Une observation est un vecteur de D nombres en `float32`, une action un entier de 0 à A − 1.
# Tous les mondes n'ont pas quatre composantes ni deux actions : lisez D dans `env.observation_space.shape[0]`, et A
# dans `env.action_space.n`. Rien d'autre n'est promis : ni que les récompenses vaillent 1, ni que tomber soit un mal.
# La graine va au premier `reset` ; les suivants s'en passent. Un entier de NumPy est une action comme une autre.
#
# Voici tout ce que le jury exige, dans l'ordre. Une épreuve ne commence que si les précédentes sont réussies ; la
# dernière est à part, et s'essaie quand on veut.
#
# | épreuve | ce que reçoit `dqn` | ce qu'il faut |
# |:---|:---|:---|
# | six mondes | γ = 0,6, 4 000 pas, une graine tirée au hasard | toutes les valeurs de `q` justes, à un dixième de la plus grande valeur de ce monde près |
# | la graine | deux fois le premier monde, même graine | deux fois les mêmes valeurs |
# | CartPole | γ = 0,98, 25 000 pas, cinq graines | 475 pas en moyenne sur 100 départs neufs, avec trois graines au moins |
# | Acrobot, la sortie | γ = 0,98, 15 000 pas, trois graines | −100 en moyenne sur 100 départs neufs, avec deux graines au moins |
#
# À CartPole et à Acrobot, on joue sans hasard l'action de plus grande valeur, selon le `q` que vous rendez à la
# **fin** : personne n'arrête votre apprentissage au bon moment.
#
# > **À vous.** Avant d'écrire du Python, posez la boucle sur le papier, en dix lignes de français. Quelles sont les
# > trois choses que l'on retient d'un pas, en plus de l'état et de l'action ? Où `truncated` sert-il, et où ne
# > sert-il pas ?

# %% [markdown]
# C'est cette fin imposée qui rend CartPole plus dur que les mondes. À ceux-ci, les dix lignes de la boucle suffisent ; pour
# CartPole, le carnet 08 a mesuré ce qui manque, et il n'est pas question de vous le faire deviner :
#
# - **Des entrées de tailles voisines.** Vous avez le droit de connaître celles de CartPole : avec quatre composantes,
#   multipliez-les par 2, 1, 10 et 1 ; les mondes s'en accommodent.
# - **Un taux d'apprentissage qui décroît**, d'une grande valeur jusqu'à zéro au dernier des pas reçus.
# - **Une exploration qui dure** : comptez-la en part des pas reçus, et gardez-en un peu jusqu'au bout.
# - **Un troisième réseau.** Ni celui qui apprend, ni la cible : une moyenne des poids du premier, que l'on ne consulte
#   qu'à la fin. Le dernier réseau est un tirage ; la moyenne des derniers oublie moins.
#
# Même ainsi, un programme juste n'atteint pas toujours 475. Le nôtre, écrit comme le vôtre, un chariot à la fois, a été jugé
# sur vingt graines (`etudes/page_blanche.csv`) : voici sa part de réussite, et ce qu'elle fait risquer devant le jury.

# %%
retours = load_study("../etudes/page_blanche.csv")["retour"]
reussis = int((retours >= SOLVED_RETURN).sum())
bornes = exact_interval(reussis, len(retours))
print(f"475 avec {reussis} graines sur {len(retours)}")
print(f"intervalle à 95 % : de {percent(bornes[0])} à {percent(bornes[1])}")


# %%
def chance_de_refus(part, graines):
    """La probabilité que la moitié au moins des graines échouent ; `part` est celle de réussir."""
    peu = range(graines // 2 + 1)
    return sum(comb(graines, k) * part**k * (1 - part) ** (graines - k) for k in peu)


for part in (reussis / len(retours), bornes[0]):
    refus = percent(chance_de_refus(part, graines=5))
    print(f"s'il réussit avec {percent(part)} des graines, il est refusé dans {refus} des cas")

# %% [markdown]
# La première ligne est le risque d'un programme aussi bon que le nôtre ; la seconde, celui d'un programme qui serait
# au bas de l'intervalle. Si les mondes vous donnent raison et que CartPole vous refuse, recommencez **une** fois, avec cinq
# autres graines, et comptez les dix, avant de chercher une faute.

# %% [markdown]
# Voici la forme que prend la fonction, avec un élève qui n'apprend rien : il rend les valeurs d'un réseau tout neuf.


# %%
def paresseux(env, gamma, pas, graine):
    torch.manual_seed(graine)
    reseau = nn.Linear(env.observation_space.shape[0], env.action_space.n)
    return lambda observations: reseau(torch.as_tensor(observations)).detach().numpy()


# %%
q_paresseux = paresseux(gymnasium.make("CartPole-v1"), gamma=0.9, pas=0, graine=1)
q_paresseux(np.zeros((3, 4), np.float32)).round(2)

# %% [markdown]
# <details><summary>La boucle, en dix lignes</summary>
#
# 1. fixer tous les hasards par la graine ; faire deux réseaux pareils, un optimiseur, une mémoire vide ;
# 2. observer le départ ;
# 3. répéter, un pas après l'autre, les lignes 4 à 10 :
# 4. avec la probabilité ε, agir au hasard ; sinon, prendre l'action de plus grande valeur ;
# 5. faire le pas ; retenir l'état, l'action, la récompense, `terminated` et l'état suivant ;
# 6. repartir si l'épisode est terminé **ou** tronqué, sinon passer à l'état suivant ;
# 7. si la mémoire contient de quoi faire un lot, en tirer un au hasard ;
# 8. calculer la cible avec le réseau cible, sans gradient, masquée par `terminated` seul ;
# 9. corriger le réseau principal, pour la seule action prise ;
# 10. rapprocher le réseau cible du réseau principal.
#
# </details>

# %% [markdown]
# ## 2. Six mondes
#
# Voici les mondes du jury. Le carnet 05 en montrait de semblables sous forme de lots tout faits ; ceux-ci se
# **jouent**, si bien qu'ils éprouvent aussi la mémoire, l'exploration et la boucle. Leurs récompenses sont tirées
# au hasard à chaque passage : on ne peut les connaître d'avance.

# %%
mondes = list(drawn_worlds(np.random.default_rng(0)))
for monde in mondes:
    print(f"{monde.name:9} {monde.text}")

# %% [markdown]
# Un monde n'a que quelques lieux. Chaque coup dit la récompense, le lieu suivant, et si l'épisode se termine ;
# l'observation n'a que des zéros, sauf un 1 au rang du lieu. Regardons le troisième, qui n'a qu'une action, et le
# dernier, où l'action ne change rien.

# %%
for monde in (mondes[2], mondes[5]):
    for lieu, (coup, *_) in enumerate(monde.moves):
        print(monde.name, lieu, coup)

# %% [markdown]
# > **À vous.** Avec γ = 0,6, que valent les trois lieux d'« attendre » ? Et les deux lieux de « repartir », où
# > l'épisode ne se termine jamais, mais est coupé au deuxième pas, ce qui ramène au départ ?

# %%
for monde in (mondes[2], mondes[5]):
    print(monde.name, monde.values(WORLD_GAMMA).round(3).tolist())

# %% [markdown]
# Dans « attendre », chaque pas de recul multiplie la valeur par γ. Dans « repartir », le lieu 1 rapporte à chaque pas
# et aucune action n'en fait sortir : il vaut $r/(1 - \gamma)$, la troncature n'y change rien, et le lieu 0 vaut γ
# fois cela. Un programme qui prend la troncature pour une fin trouvera moins, et **on sait de combien**.
#
# Les vraies valeurs se reconnaissent à ceci : la cible du carnet 04 les laisse où elles sont, et la perte y est nulle.
# Voyez le lieu 1 de « repartir ».

# %%
coup, _ = mondes[5].moves[1]
q = torch.tensor(mondes[5].values(WORLD_GAMMA))[1:]  # (1, 2) : un lot d'un seul coup
cible = td_target(torch.tensor([coup.reward]), torch.tensor([coup.terminated]), q, WORLD_GAMMA)
perte = td_loss(q, torch.tensor([0]), cible)
print(f"cible {number(cible.item(), 3)}, perte {number(perte.item(), 3)}")

# %% [markdown]
# ## 3. Chaque faute a son nombre
#
# Voici le secret du jury. Une faute de programmation ne donne pas n'importe quoi : elle résout, fidèlement, une *autre*
# équation. Oublier le masque, c'est croire qu'une suite existe après la fin ; ses valeurs se calculent aussi bien que
# les vraies. Le jury compare donc ce que vous trouvez à la vérité, puis à ce que trouverait chaque faute.

# %%
masque, coupure = FAULTS[0], FAULTS[3]
for faute in (masque, coupure):
    print(faute.name, "→", faute.values(mondes[5], WORLD_GAMMA).round(3).tolist())

# %% [markdown]
# « Repartir » ne voit pas l'absence de masque : rien ne s'y termine. Il voit en revanche la troncature prise pour une
# chute. Aucun monde ne voit tout ; c'est pourquoi il en faut plusieurs.
#
# Voici les fautes que le jury connaît, et ce qu'il en dit.

# %%
for faute in FAULTS:
    print(f"{faute.name} · {faute.hint}")

# %% [markdown]
# > **À vous.** Lesquelles de ces fautes ne sont vues que par un seul monde ? Cherchez avant de regarder.

# %%
vues = np.array(
    [
        [np.allclose(faute.values(m, WORLD_GAMMA), m.values(WORLD_GAMMA)) for m in mondes]
        for faute in FAULTS
    ]
)
seules = int(((~vues).sum(axis=1) == 1).sum())
titre = f"{seules} fautes sur {len(FAULTS)} ne sont vues que par un seul monde"
figures.verdicts(vues, [f.name for f in FAULTS], [m.name for m in mondes], titre)

# %% [markdown]
# Un ✔ veut dire que la faute passe inaperçue dans ce monde. Lisez une colonne : ce qu'un monde laisse passer. Lisez
# une ligne : la signature d'une faute, et c'est elle que le jury reconnaît.

# %% [markdown]
# ## 4. La page blanche
#
# À vous (90 minutes). La première cellule a importé `torch`, `nn`, `np`, et les deux règles `td_target` et `td_loss`, que
# vous avez déjà récrites : servez-vous-en, ou récrivez-les encore. Tout le reste est à faire : réseaux, mémoire, exploration,
# boucle. Définissez des fonctions à côté si vous le voulez.


# %%
def dqn(env, gamma, pas, graine):
    """Joue `pas` pas dans `env`, et rend q : observations (N, D) → valeurs (N, A)."""
    ...


# %% [markdown]
# Le jury affiche son compte rendu au fur et à mesure. Comptez une demi-minute pour les mondes, puis plusieurs minutes pour
# CartPole ; le bouton d'arrêt fonctionne.

# %%
ecran = Screen()
for compte_rendu in jury(dqn, seeds=range(5)):
    ecran.show(compte_rendu)

# %% [markdown]
# <details><summary>Indice 1 : par où commencer</summary>
#
# Partez de `paresseux`, et jouez `pas` pas au hasard avant de rendre le réseau. Le compte rendu doit alors dire que
# tout est faux, mais que rien n'a levé d'erreur. Ajoutez ensuite la mémoire, puis une mise à jour avec γ = 0, et
# voyez « lire » et « choisir » passer de ✘ à ✔. Le reste vient avec la cible.
#
# </details>
#
# <details><summary>Indice 2 : mes valeurs sont presque justes</summary>
#
# Si vous en êtes à deux dixièmes de la plus grande valeur, au lieu d'un, ce n'est sans doute pas une faute, mais de la
# lenteur. Essayez un taux d'apprentissage plus grand, un réseau cible rapproché plus souvent, ou un apprentissage à
# chaque pas.
#
# </details>
#
# <details><summary>Indice 3 : les mondes sont justes, CartPole non</summary>
#
# Relisez, en section 1, les quatre points en gras : en manque-t-il un ? Puis faites comme pour un malade : `Logbook`,
# du carnet 11, section 8, se branche sur votre boucle, et la clinique cherche ce qui ne va pas, de la cible à l'allure
# des poids.
#
# </details>
#
# <details><summary>Indice 4 : des ordres de grandeur</summary>
#
# Ce sont ceux du cours. Des entrées inchangées si D n'est pas 4 ; deux couches de 64 ; un lot de 64 à chaque pas ;
# Adam, au taux d'apprentissage de 0,004, qui descend en ligne droite jusqu'à zéro ; ε de 1 à 0,1 sur le premier quart
# des pas ; une cible qui prend 4 % du réseau principal à chaque mise à jour ; une moyenne des poids sur les 250
# dernières mises à jour environ.
#
# </details>

# %% [markdown]
# Pour chercher une faute, un seul monde suffit. `attempt` y entraîne une fonction, et rend les valeurs trouvées et les
# vraies, ou l'erreur qui l'a arrêtée. Remplacez `paresseux` par votre `dqn`. L'épreuve fait taire vos `print` :
# pour voir ce que fait votre fonction, appelez-la vous-même, avec `mondes[0].env()`.

# %%
essai = attempt(paresseux, mondes[0], seed=1)
print("trouvé :", essai.told or essai.values.round(2).tolist())
print("vrai   :", essai.expected.tolist())

# %% [markdown]
# ## 5. Ce que l'on peut attendre de CartPole
#
# Voici, graine par graine, ce que fait le programme du cours, jugé chaque fois depuis mille départs neufs.

# %%
titre = (
    f"Écrit de mémoire, le DQN du cours atteint 475 avec {reussis} graines "
    f"sur {len(retours)} (intervalle à 95 % : {100 * bornes[0]:.0f} à {100 * bornes[1]:.0f} %)"
)
figures.strips({"DQN du cours": retours}, titre, "retour moyen sur 1 000 départs (pas)")

# %% [markdown]
# Les graines qui n'atteignent pas 475 ne cachent pas une faute : le programme est le même, et il passe les six mondes. Un
# DQN juste peut échouer, faute de chance ou de réglage ; un DQN faux peut réussir : gardez les récompenses en
# entiers, et CartPole n'y verra rien, puisqu'elles y valent toutes 1. Voilà pourquoi le jury commence par les mondes,
# et pourquoi il veut plusieurs graines.
#
# Pourquoi moins bien que la page du carnet 06, ou que la Version 2 ? Parce que nous avons renoncé à deux choses. La
# page s'évalue en chemin et s'arrête quand elle est bonne ; ici, le nombre de pas est imposé. La Version 2 a une cible
# à plusieurs pas, qui mêle aux valeurs ce que l'exploration a joué ; « prévoir », qui veut les vraies, la refuserait.

# %% [markdown]
# ## 6. La sortie : Acrobot
#
# Votre programme ne sait rien de CartPole, ou presque. Alors, qu'il sorte. À Acrobot, deux tiges pendent l'une au
# bout de l'autre, et un moteur tord leur articulation ; il faut les balancer jusqu'à ce que le bout passe au-dessus
# d'une ligne. Chaque pas coûte 1, la fin est une **réussite**, et le chronomètre coupe à 500 pas.

# %%
acrobot = gymnasium.make(ACROBOT.env)
print("D :", acrobot.observation_space.shape[0], "  A :", acrobot.action_space.n)
print("seuil du jeu :", number(acrobot.spec.reward_threshold))

# %% [markdown]
# > **À vous.** Qu'est-ce qui change, pour votre programme ? Reprenez ses lignes une à une, et notez celles qui supposent
# > quatre composantes, deux actions, des récompenses positives ou une fin qui soit un malheur. Le compte devrait
# > être de zéro. Et si un pas coûte toujours 1, vers quoi tend la valeur du premier état, à γ = 0,98, tant que l'on
# > ne trouve pas la fin ?
#
# <details><summary>Réponse</summary>
#
# Vers la borne −1/(1 − 0,98) = −50 : chaque état vaut −50, et tous se valent. Il faut tomber une première fois sur la fin
# pour qu'une différence apparaisse, puis remonte de proche en proche. Le masque importe d'autant plus : sans lui, la
# réussite vaudrait à peu près −50, elle aussi.
#
# </details>
#
# Deux repères d'abord, comme au carnet 01 : le hasard, et une règle d'une ligne, qui tord toujours l'articulation à
# l'inverse du sens où tourne la première tige.

# %% tags=["nbval-ignore-output"]
hasard = np.random.default_rng(0)
regles = {
    "au hasard": lambda vues: hasard.integers(3, size=len(vues)),
    "à l'inverse de la première tige": lambda vues: np.where(vues[:, 4] < 0, 2, 0),
}
for nom, regle in regles.items():
    print(f"{nom} : {number(evaluate(regle, episodes=20, env=ACROBOT.env).mean())}")

# %% [markdown]
# Le seuil, −100, est donc à la portée d'une règle, et loin du hasard. À votre programme, maintenant : le jury est le
# même, γ aussi, et il vous donne 15 000 pas. Comptez une minute environ.

# %%
for compte_rendu in elsewhere(dqn, seeds=range(3)):
    ecran.show(compte_rendu)

# %% [markdown]
# Et le nôtre ? Il n'a pas changé d'une ligne : hors de CartPole, ses entrées sont telles que le jeu les donne. L'étude
# archivée l'entraîne sur vingt graines, qui n'ont servi à aucun choix (`etudes/page_blanche_ailleurs.csv`).

# %%
ailleurs = load_study("../etudes/page_blanche_ailleurs.csv")["retour"]
sortis = int((ailleurs >= ACROBOT.threshold).sum())
bornes = exact_interval(sortis, len(ailleurs))
titre = (
    f"Le même programme atteint −100 à Acrobot avec {sortis} graines "
    f"sur {len(ailleurs)} (intervalle à 95 % : {100 * bornes[0]:.0f} à {100 * bornes[1]:.0f} %)"
)
figures.strips({"DQN du cours": ailleurs}, titre, "retour moyen sur 100 départs")

# %%
for part in (sortis / len(ailleurs), bornes[0]):
    refus = percent(chance_de_refus(part, graines=3))
    print(f"s'il réussit avec {percent(part)} des graines, il est refusé dans {refus} des cas")

# %% [markdown]
# Lisez les deux figures l'une après l'autre : le même programme, deux jeux, deux parts de réussite. Aucune ne prouve qu'il
# marcherait sur un troisième. Ce que vous emportez n'est pas une recette sûre, c'est un programme **juste**, et de quoi
# dire, avec un intervalle, s'il réussit là où vous l'emmenez.
#
# Quand le jeu sera le vôtre, le [carnet 12](12_un_autre_jeu.ipynb) dira dans quel ordre essayer, et le
# [carnet 14](14_ce_qui_reste_vrai_ailleurs.ipynb) ce qui reste vrai.

# %% [markdown]
# ## 7. La réponse du cours
#
# Ne la dépliez qu'après avoir écrit la vôtre, même fausse. C'est le programme que mesurent les deux figures. Ses quatre
# derniers arguments, que le jury ne donne pas, sont là pour vous : vos deux règles, et deux réglages à essayer.

# %%
show("dqn")

# %% [markdown]
# > **Pour aller plus loin.** Glissez dans votre programme une faute que le tableau de la section 3 ne contient pas, et
# > voyez si le jury la refuse. S'il l'accepte, inventez le septième monde, celui qui la trahit.

# %% [markdown]
# ## Testez-vous
#
# **1.** Dans « lire », votre programme trouve, pour une récompense de 1,50, une valeur de 3,75, avec γ = 0,6. Quelle est
# la faute la plus probable ?
#
# - **A.** Le réseau n'a pas assez appris.
# - **B.** γ multiplie aussi la récompense.
# - **C.** Le masque manque.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ La valeur resterait alors le plus souvent sous 1,50.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Cette faute donnerait 0,90.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ 3,75 est 1,50/(1 − 0,6) : la récompense, comptée comme si elle revenait sans fin.
#
# </details>
#
# **2.** Tous les mondes sont justes, mais deux passages avec la même graine ne donnent pas les mêmes valeurs. Que
# faut-il en penser ?
#
# - **A.** Rien : l'apprentissage est aléatoire.
# - **B.** Un hasard échappe à la graine ; le résultat ne pourra pas être refait.
# - **C.** La mémoire est trop petite.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ Il l'est ; cela n'empêche pas de fixer son hasard.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Les poids de départ, les actions, les lots, le premier départ : l'un d'eux n'a pas reçu la graine.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ Une mémoire trop petite l'est à chaque passage.
#
# </details>
#
# **3.** Votre programme réussit CartPole avec cinq graines sur cinq, mais « repartir » le refuse. Que dire ?
#
# - **A.** Une faute est là, que CartPole pardonne ; un autre jeu peut ne pas la pardonner.
# - **B.** Le monde est trop sévère : seul CartPole compte.
# - **C.** Il faut plus de graines.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✔ « Repartir » refuse un programme qui prend la coupure pour une chute, ou qui ne retient pas le bon état
# après elle. À CartPole, il suffit que la meilleure action garde la plus grande valeur ; les valeurs elles-mêmes peuvent
# être fausses sans que rien n'y paraisse.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ C'est croire juste ce que CartPole ne sait pas refuser.
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ Davantage de graines n'y changeraient rien : la faute est la même à chacune.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Une faute de programmation résout une **autre équation** : ses valeurs se calculent, et donc se reconnaissent.
# 2. On éprouve un DQN dans de **petits mondes** d'abord, sur le jeu ensuite ; réussir le jeu ne prouve pas que le
#    programme est juste.
# 3. Une même graine doit tout refaire ; plusieurs graines disent ce que vaut la **recette**, et le risque qu'un jury
#    refuse un programme juste se calcule.
# 4. Un programme qui lit D et A dans le jeu vaut pour d'autres ; qu'il y **réussisse** se mesure.
