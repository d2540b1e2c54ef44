# %% [markdown]
# # 14 · De zéro : la page blanche
#
# **La question.** Vous avez lu des cibles, des pertes, des mémoires, des boucles, et récrit chacune. Sauriez-vous
# écrire le tout, de mémoire, sur une page blanche ? Et si votre programme n'apprend pas, comment savoir
# laquelle de ses quarante lignes est fausse ?
#
# Ce carnet vous donne la page et un jury. Le jury ne lit pas votre code : il le fait jouer, dans six mondes
# minuscules dont il connaît les valeurs exactes, puis dans CartPole. Il ne vous dira donc pas si votre
# programme ressemble au nôtre, mais s'il apprend ce qui est vrai.
#
# *Comptez une à deux heures, seul devant la page ; le carnet vierge s'exécute en quelques secondes.*

# %%
from math import comb

import gymnasium
import numpy as np
import torch
from torch import nn

from cartpole_helpers import exact_interval, load_study
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import Screen
from cartpole_helpers.dqn import td_loss, td_target
from cartpole_helpers.teaching.capstone import WORLD_GAMMA, attempt, examine
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
# rend cinq réponses. Une observation est un vecteur de D nombres en `float32`, une action un entier de 0 à A − 1.
# Tous les mondes n'ont pas quatre composantes ni deux actions : lisez D dans `env.observation_space.shape[0]`, et A
# dans `env.action_space.n`. Rien d'autre n'est promis : ni que les récompenses valent 1, ni que tomber soit mal.
#
# > **À vous.** Avant d'écrire du Python, posez la boucle sur le papier, en dix lignes de français. Quelles sont les
# > trois choses que l'on retient d'un pas, en plus de l'état et de l'action ? Où `truncated` sert-il, et où ne
# > sert-il pas ?

# %% [markdown]
# Voici la forme que cela prend, avec un élève qui n'apprend rien : il rend les valeurs d'un réseau tout neuf.


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
# 3. répéter, un pas après l'autre :
# 4. avec la probabilité ε, agir au hasard ; sinon, prendre l'action de plus grande valeur ;
# 5. faire le pas ; retenir l'état, l'action, la récompense, `terminated` et l'état suivant ;
# 6. repartir si l'épisode est terminé **ou** coupé, sinon passer à l'état suivant ;
# 7. si la mémoire contient de quoi faire un lot, en tirer un au hasard ;
# 8. calculer la cible avec le réseau cible, sans gradient, masquée par `terminated` seul ;
# 9. corriger le réseau en ligne, pour la seule action prise ;
# 10. rapprocher le réseau cible du réseau en ligne.
#
# </details>

# %% [markdown]
# ## 2. Six mondes
#
# Voici les mondes du jury. Le carnet 04 en montrait de semblables sous forme de lots tout faits ; ceux-ci se
# **jouent**, si bien qu'ils éprouvent aussi la mémoire, l'exploration et la boucle. Leurs récompenses sont tirées
# au hasard à chaque passage : on ne peut les savoir d'avance.

# %%
mondes = list(drawn_worlds(np.random.default_rng(0)))
for monde in mondes:
    print(f"{monde.name:9} {monde.text}")

# %% [markdown]
# Un monde n'a que quelques lieux. Chaque coup dit la récompense, le lieu suivant, et si l'épisode se termine ; l'état
# s'observe par un 1 à la place du lieu. Regardons le troisième, qui n'a qu'une action, et le dernier, où l'action ne
# change rien.

# %%
for monde in (mondes[2], mondes[5]):
    for lieu, (coup, *_) in enumerate(monde.moves):
        print(monde.name, lieu, coup)

# %% [markdown]
# > **À vous.** Avec γ = 0,6, que valent les trois lieux d'« attendre » ? Et les deux lieux de « repartir », où l'on
# > est coupé au deuxième pas, mais jamais terminé ?

# %%
for monde in (mondes[2], mondes[5]):
    print(monde.name, monde.values(WORLD_GAMMA).round(3).tolist())

# %% [markdown]
# Dans « attendre », chaque pas de recul multiplie par γ. Dans « repartir », le lieu 1 rapporte à chaque pas et l'on
# n'en sort pas : il vaut $r/(1 - \gamma)$, la coupure n'y change rien, et le lieu 0 vaut γ fois cela. Un programme
# qui prend la coupure pour une fin trouvera moins, et **on sait de combien**.
#
# Les vraies valeurs se reconnaissent à ceci : la cible du carnet 04 les laisse où elles sont, et la perte y est nulle.
# Voyez le lieu 1 de « repartir ».

# %%
coup, _ = mondes[5].moves[1]
q = torch.tensor(mondes[5].values(WORLD_GAMMA))[1:]  # (1, 2) : un lot d'un seul coup
cible = td_target(torch.tensor([coup.reward]), torch.tensor([coup.terminated]), q, WORLD_GAMMA)
print(f"cible {cible.item():.3f}, perte {td_loss(q, torch.tensor([0]), cible).item():.3f}")

# %% [markdown]
# ## 3. Chaque faute a son nombre
#
# C'est tout le secret du jury. Une faute de programmation ne donne pas n'importe quoi : elle résout, fidèlement,
# une *autre* équation. Oublier le masque, c'est croire qu'une suite existe après la fin ; ses valeurs se calculent
# aussi bien que les vraies. Le jury compare donc ce que vous trouvez à la vérité, puis à ce que trouverait
# chaque faute.

# %%
masque, coupure = FAULTS[0], FAULTS[3]
for faute in (masque, coupure):
    print(faute.name, "→", faute.values(mondes[5], WORLD_GAMMA).round(3).tolist())

# %% [markdown]
# « Repartir » ne voit pas l'absence de masque : rien ne s'y termine. Il voit en revanche la coupure prise pour une
# chute. Aucun monde ne voit tout ; c'est pourquoi il en faut plusieurs.
#
# > **À vous.** Lesquelles des fautes ci-dessous ne sont vues que par un seul monde ? Cherchez avant de regarder.

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
# À vous. La première cellule a importé `torch`, `nn`, `np`, et les deux règles `td_target` et `td_loss`, que
# vous avez déjà récrites : servez-vous-en, ou récrivez-les encore. Tout le reste est à faire : réseaux, mémoire, exploration,
# boucle. Définissez des fonctions à côté si vous le voulez.


# %%
def dqn(env, gamma, pas, graine):
    """Joue `pas` pas dans `env`, et rend q : observations (N, D) → valeurs (N, A)."""
    ...


# %% [markdown]
# Le jury rend son compte rendu au fur et à mesure. Chaque monde donne quelques milliers de pas ; CartPole, essayé
# seulement si tous les mondes sont justes, en donne 25 000 à chacune des cinq graines, avec γ = 0,98. Comptez une
# demi-minute pour les mondes, puis plusieurs minutes ; le bouton d'arrêt fonctionne.

# %%
ecran = Screen()
for compte_rendu in examine(dqn, seeds=range(5)):
    ecran.show(compte_rendu)

# %% [markdown]
# <details><summary>Indice 1 : par où commencer</summary>
#
# Partez de `paresseux`, et jouez `pas` pas au hasard avant de rendre le réseau. Le compte rendu doit alors dire
# que tout est faux, mais sans erreur. Ajoutez ensuite la mémoire, puis un pas d'optimiseur avec γ = 0, et
# voyez « lire » et « choisir » passer de ✘ à ✔. Le reste vient avec la cible.
#
# </details>
#
# <details><summary>Indice 2 : mes valeurs sont presque justes</summary>
#
# L'erreur permise est d'un dixième de la plus grande valeur du monde. Si vous en êtes à deux dixièmes, ce n'est sans doute
# pas une faute, mais de la lenteur : un pas d'apprentissage plus grand, un réseau cible rapproché plus souvent, ou un
# apprentissage à chaque pas.
#
# </details>
#
# <details><summary>Indice 3 : les mondes sont justes, CartPole non</summary>
#
# Relisez ce que le carnet 07 a mesuré. Des entrées à la même échelle, un grand pas d'apprentissage qui décroît, une
# exploration qui dure, et des valeurs lues sur une moyenne des poids.
#
# </details>
#
# <details><summary>Indice 4 : des ordres de grandeur</summary>
#
# Ce sont ceux du cours. Entrées multipliées par 2, 1, 10 et 1 si D = 4, telles quelles sinon ; deux couches de 64 ;
# un lot de 64 à chaque pas ; Adam à 0,004, qui descend en ligne droite jusqu'à zéro ; ε de 1 à 0,1 sur le premier
# quart des pas ; une cible qui prend 4 % du réseau en ligne à chaque mise à jour ; une moyenne des poids sur les
# 250 dernières mises à jour environ.
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
# Le jury demande 475 pas avec plus de la moitié des graines. Est-ce beaucoup ? Voici ce que fait le programme du cours,
# écrit comme le vôtre, avec un seul chariot à la fois, sur vingt graines jugées chacune depuis mille départs
# neufs (`etudes/page_blanche.csv`).

# %%
retours = load_study("../etudes/page_blanche.csv")["retour"]
reussis = int((retours >= SOLVED_RETURN).sum())
bornes = [round(100 * borne) for borne in exact_interval(reussis, len(retours))]
titre = (
    f"Écrit de mémoire, le DQN du cours atteint 475 avec {reussis} graines "
    f"sur {len(retours)} (intervalle à 95 % : {bornes[0]} à {bornes[1]} %)"
)
figures.strips({"DQN du cours": retours}, titre, "retour moyen sur 1 000 départs (pas)")

# %% [markdown]
# Le jury peut donc se tromper. Supposons un programme juste, aussi bon que le nôtre, puis moins bon, au bas de
# l'intervalle : combien de fois manque-t-il 475 avec trois graines ou plus, sur cinq ?

# %%
for part in (reussis / len(retours), bornes[0] / 100):
    rate = sum(comb(5, k) * part**k * (1 - part) ** (5 - k) for k in range(3))
    print(f"s'il réussit {100 * part:.0f} fois sur cent, il est refusé {100 * rate:.0f} fois")

# %% [markdown]
# Les graines qui manquent 475 ne cachent pas une faute : le programme est le même, et les mondes le disent juste. Un
# DQN juste peut échouer, faute de chance ou de réglage ; un DQN faux peut réussir : gardez les récompenses en
# entiers, et CartPole n'y verra rien, puisqu'elles y valent toutes 1. Voilà pourquoi le jury commence par les mondes,
# et pourquoi il veut plusieurs graines.

# %% [markdown]
# ## 6. La réponse du cours
#
# Ne la dépliez qu'après avoir écrit la vôtre, même fausse. C'est le programme que mesure la figure ci-dessus.

# %%
show("dqn")

# %% [markdown]
# > **Pour aller plus loin.** Plantez dans votre programme une faute que le tableau de la section 3 ne contient pas, et
# > voyez si le jury la refuse. S'il l'accepte, inventez le septième monde, celui qui la trahit.

# %% [markdown]
# ## Vérifiez-vous
#
# **1.** Dans « lire », votre programme trouve, pour une récompense de 1,50, une valeur de 3,75, avec γ = 0,6. Quelle est
# la faute la plus probable ?
#
# - **A.** Le réseau n'a pas assez appris.
# - **B.** Le masque manque.
# - **C.** γ multiplie aussi la récompense.
#
# **2.** Tous les mondes sont justes, mais deux passages avec la même graine ne donnent pas les mêmes valeurs. Que
# faut-il en penser ?
#
# - **A.** Rien : l'apprentissage est aléatoire.
# - **B.** Un hasard échappe à la graine ; le résultat ne pourra pas être refait.
# - **C.** La mémoire est trop petite.
#
# **3.** Votre programme réussit CartPole avec cinq graines sur cinq, mais « repartir » le refuse. Que dire ?
#
# - **A.** Le monde est trop sévère : seul CartPole compte.
# - **B.** Une faute est là, que CartPole pardonne ; un autre jeu ne la pardonnera pas.
# - **C.** Il faut plus de graines.
#
# <details><summary>Les réponses, expliquées</summary>
#
# **1 : B.** 3,75 est 1,50/(1 − 0,6) : la récompense, comptée comme si elle revenait sans fin. Un réseau qui n'a pas assez
# appris (réponse A) resterait le plus souvent sous 1,50 ; la faute de la réponse C donnerait 0,90.
#
# **2 : B.** Les poids de départ, les actions, les lots, le premier départ : l'un d'eux n'a pas reçu la graine. Que
# l'apprentissage soit aléatoire (réponse A) n'empêche pas de fixer son hasard ; et une mémoire trop petite l'est à
# chaque passage.
#
# **3 : B.** « Repartir » est refusé quand la coupure est prise pour une chute, ou que l'état retenu après elle n'est pas
# le bon. Dans CartPole, il suffit que la meilleure action garde la plus grande valeur ; les valeurs elles-mêmes
# peuvent être fausses sans que rien n'y paraisse, et davantage de graines n'y changeraient rien.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Une faute de programmation résout une **autre équation** : ses valeurs se calculent, et donc se reconnaissent.
# 2. On éprouve un DQN dans de **petits mondes** d'abord, sur le jeu ensuite ; réussir le jeu ne prouve pas que le
#    programme est juste.
# 3. Une même graine doit tout refaire ; plusieurs graines disent ce que vaut la **recette**.
