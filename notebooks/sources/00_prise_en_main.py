# %% [markdown]
# # 00 · Prise en main
#
# **La question.** Un programme qui ne sait rien d'un jeu peut-il apprendre à y jouer, seul, en
# quelques secondes, sur un ordinateur ordinaire ? Ce carnet répond oui, et vous le montre. Les
# suivants expliqueront pourquoi, pièce par pièce, jusqu'à ce que vous sachiez tout récrire.
#
# Cette série enseigne le **deep Q-learning** et son programme, le DQN (*deep Q-network*), sur un jeu
# minuscule, CartPole : garder debout une tige posée sur un chariot. Il vous faut connaître Python et
# un peu de PyTorch.
#
# La série part d'un [document fondateur](../DOCUMENT.md), « Le jeu cartpole » : un DQN complet mais fautif, qui
# nous a été confié. Chacune de ses sections est traitée là où elle a sa place ; le carnet 06 l'examine entier.
#
# *Lecture : 20 minutes ; exercices : 10 minutes ; exécution : moins d'une minute.*

# %% [markdown]
# ## 1. Se servir d'un carnet
#
# Un carnet fait alterner texte et cellules de code. Cliquez dans une cellule et tapez **Maj + Entrée** :
# elle s'exécute, son résultat s'affiche dessous, et vous passez à la suivante. L'ordre compte : si
# vous vous y perdez, le menu *Noyau › Redémarrer le noyau et exécuter toutes les cellules* remet tout
# à plat.
#
# Les résultats sont déjà là, tels que nous les avons obtenus ; exécuter les cellules les remplace par
# les vôtres. Sur une même machine, ce sont les mêmes au bit près ; sur la vôtre, ceux des
# entraînements peuvent différer un peu. Vous ne risquez rien : changez les nombres, cassez, recommencez.
#
# Trois repères reviennent dans toute la série.
#
# > **À vous.** Une prédiction à faire, du code à écrire. Répondez avant de lire la suite.
#
# > **Attention.** Un piège où d'autres sont tombés.
#
# > **Pour aller plus loin.** Ce que l'on peut sauter à la première lecture.

# %%
import numpy as np

from cartpole_helpers import QUICK, Training, evaluate, train, wilson_interval
from cartpole_helpers.display import figures, video
from cartpole_helpers.display.live import follow
from cartpole_helpers.display.numbers import number
from cartpole_helpers.policies import random_policy
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 2. Un agent qui ne sait rien
#
# Un **épisode** est une partie, du départ à sa fin. Une **politique** est la règle qui choisit où pousser ;
# un **agent** est un programme qui apprend la sienne. La politique la plus simple pousse à pile ou face. `evaluate`
# lui fait jouer cent épisodes et rend cent **retours** : ici, la durée de chaque épisode, en pas de 0,02 s.

# %%
hasard = evaluate(random_policy(seed=0), episodes=100)
print(f"moyenne {hasard.mean():.0f} pas, meilleur épisode {hasard.max():.0f}")

# %% [markdown]
# La tige tombe, en moyenne, en moins d'une demi-seconde. Un épisode est coupé à 500 pas, soit dix secondes, et le
# jeu est dit résolu quand le retour moyen atteint **475** ; le cours le mesure sur cent épisodes.
#
# > **À vous.** Combien de pas de jeu faut-il à un programme pour passer de là à 475, sans qu'on lui
# > explique rien : mille, dix mille, un million ? Notez votre pari.

# %% [markdown]
# ## 3. Un agent qui apprend
#
# `Training` réunit tout ce qu'il faut pour apprendre : un réseau de neurones, une mémoire, des
# chariots. L'agent en conduit ici seize à la fois ; chaque appel à `advance` fait un **tour**, un pas
# par chariot : agir, mémoriser, apprendre un peu. `QUICK` est une configuration toute prête, choisie
# pour aller vite. Elle donne à l'agent deux coups de pouce, tirés de notre connaissance du jeu : le
# réseau répond en miroir à un état en miroir, et les quatre nombres qu'il reçoit, position et vitesse
# du chariot, angle et vitesse de la tige, sont ramenés à des échelles voisines.

# %%
entrainement = Training(QUICK, seeds=1)
avant = evaluate(entrainement.agent).mean()
while entrainement.env_steps < QUICK.total_steps:
    entrainement.advance()

# %% tags=["nbval-ignore-output"]
apres = evaluate(entrainement.agent)
duree = number(entrainement.env_steps)
print(f"retour moyen : {avant:.0f} au départ ; {apres.mean():.0f} après {duree} pas de jeu")

# %% [markdown]
# Avant d'apprendre, l'agent suit un réseau dont les poids sont tirés au sort. Ce réseau-ci fait pire que pile ou
# face ; un autre aurait pu faire mieux. Puis l'agent apprend, en dix mille pas de jeu : à la vitesse réelle, deux cents
# secondes à regarder des tiges tomber. À ces deux coups de pouce près, personne n'a dit à l'agent ce qu'est un
# angle, ni de quel côté pousser ; il n'a vu que quatre nombres, deux boutons, et une récompense de 1 par pas.
#
# Ce tirage, la « graine 1 », a été choisi pour l'exemple ; la section 4 dira ce que donnent les autres.
# Regardons cet agent jouer, à côté du hasard, depuis le même départ.

# %% tags=["nbval-ignore-output"]
politiques = {"au hasard": random_policy(seed=0), "après l'apprentissage": entrainement.agent}
films = [
    video.film(politique, f"../videos/apprentissage_{rang}.mp4", seed=1)
    for rang, politique in enumerate(politiques.values(), start=1)
]
video.side_by_side(films, list(politiques))

# %% [markdown]
# <details><summary>La vidéo ne s'affiche pas ? Voici les images animées ; chacune mène à son film.</summary>
#
# | au hasard | après l'apprentissage |
# |:---:|:---:|
# | [![La tige tombe presque aussitôt.](../videos/apprentissage_1.webp)](../videos/apprentissage_1.mp4) | [![La tige reste debout.](../videos/apprentissage_2.webp)](../videos/apprentissage_2.mp4) |
#
# </details>

# %% [markdown]
# ## 4. Maîtriser le hasard
#
# Apprendre demande du hasard : les poids de départ du réseau, les premières actions, les exemples
# tirés de la mémoire. Une **graine** (*seed*) fixe tous ces tirages. Même graine, même histoire, au
# bit près ; autre graine, autre histoire.
#
# > **À vous.** Chacun des trois entraînements ci-dessous fait soixante tours ; `train` en rend un à chaque `next`.
# > Lesquels auront pris exactement les mêmes actions ?


# %%
def premieres_actions(graine, tours=60):
    entrainement = train(QUICK, graine)
    return np.array([next(entrainement).action for _ in range(tours)])


une, meme, autre = premieres_actions(1), premieres_actions(1), premieres_actions(2)
print("graines 1 et 1 :", np.array_equal(une, meme))
print("graines 1 et 2 :", np.array_equal(une, autre))

# %% [markdown]
# Voilà pourquoi un résultat sans graine n'est qu'une anecdote : on ne peut pas le refaire. Un résultat obtenu sur une
# seule graine n'est, lui aussi, qu'une anecdote : peut-être a-t-on eu de la chance. Dans toute la série, une
# affirmation sur l'apprentissage donne le **nombre de graines** sur lesquelles elle a été vérifiée, et la dispersion
# de leurs résultats.
#
# `Training` sait entraîner plusieurs agents ensemble. En voici douze, chacun avec sa graine,
# que l'on arrête tous les 400 pas (25 tours de seize chariots) pour les évaluer.
#
# > **À vous.** Combien des douze atteindront 475 à la fin ?

# %% tags=["nbval-ignore-output"]
graines = range(12)
groupe = Training(QUICK, seeds=graines)
abscisses, retours = [], []
for tour in follow(groupe.run(), QUICK.total_steps):
    if tour.env_steps % 400 == 0:
        abscisses.append(tour.env_steps)
        retours.append(evaluate(groupe.agent, episodes=30).mean(axis=1))
retours = np.array(retours).T  # (graines, évaluations)

# %% tags=["nbval-ignore-output"]
reussis = np.sum(evaluate(groupe.agent).mean(axis=1) >= 475)
bas, haut = (round(100 * borne) for borne in wilson_interval(reussis, len(graines)))
constat = f"{reussis} agents sur {len(graines)} atteignent 475 à la fin"
titre = f"{constat} (intervalle à 95 % : de {bas} à {haut} %)"
figures.learning_curves(np.array(abscisses), retours, titre)

# %% [markdown]
# Chaque trait fin est un agent ; le trait gras est la moyenne de la moitié centrale, qui ignore le meilleur et le
# pire quart, et la bande en montre l'incertitude. Tous suivent la même recette, et pourtant l'un comprend tôt,
# l'autre tard, certains montent puis **retombent**. Un seul trait vous aurait trompé.
#
# Le titre compte les agents qui réussissent sur cent épisodes joués **à la fin**, et non à leur meilleur moment :
# choisir après coup le bon instant, c'est se mentir. Son intervalle, dit de Wilson, contient les taux de
# réussite que douze graines ne démentent pas.
#
# Cette figure contient déjà les questions de la série. Pourquoi les premières évaluations oscillent-elles ?
# Qu'est-ce qui déclenche ensuite la montée ? Pourquoi un agent qui savait jouer se met-il à oublier (carnet 10) ? Et
# comment l'en empêcher (carnet 09) ?

# %% [markdown]
# ## 5. La carte de la série
#
# Le document fondateur donne l'ordre : chacune de ses sections a son carnet.
#
# | Section du document | Carnet |
# |:---|:---|
# | | 00 · Prise en main (vous y êtes) |
# | Description du problème | [01 · Le problème](01_le_probleme.ipynb) |
# | | [02 · De la table au réseau](02_de_la_table_au_reseau.ipynb) |
# | Replay Memory | [03 · La mémoire de rejeu](03_la_memoire_de_rejeu.ipynb) |
# | DQNN | [04 · Le DQN](04_le_dqn.ipynb) |
# | | [05 · Éprouver ses règles](05_eprouver_ses_regles.ipynb) |
# | Boucle d'entraînement | [06 · La boucle d'entraînement](06_la_boucle_d_entrainement.ipynb) |
# | Boucle de test, Résultats | [07 · La boucle de test](07_la_boucle_de_test.ipynb) |
# | Version 2 (un titre, sans rien dessous) | [08 · Version 2](08_version_2.ipynb) |
# | | [09 · Résoudre et tenir](09_resoudre_et_tenir.ipynb) |
# | | [10 · Pourquoi ça s'effondre](10_pourquoi_ca_s_effondre.ipynb) |
# | | [11 · La clinique du DQN](11_la_clinique_du_dqn.ipynb) |
# | | [12 · Un autre jeu](12_un_autre_jeu.ipynb) |
# | | [13 · Chercher une recette](13_chercher_une_recette.ipynb) |
# | | [14 · Ce qui reste vrai ailleurs](14_ce_qui_reste_vrai_ailleurs.ipynb) |
# | | [15 · De zéro](15_de_zero.ipynb) |

# %% [markdown]
# ## 6. Les mots du métier
#
# Le code est en anglais, comme partout dans ce domaine ; la prose, en français. Voici les mots qui reviennent ; le
# [glossaire](../site/glossaire.md) les donne tous.
#
# | Français | Anglais | Ce que c'est |
# |:---|:---|:---|
# | épisode | *episode* | une partie, du départ à la chute ou à la troncature |
# | environnement | *environment* | le jeu, tel que le programme le voit : il reçoit une action, rend la suite |
# | agent | *agent* | le programme qui joue et apprend |
# | état, observation | *state*, *observation* | les quatre nombres qui décrivent le chariot et la tige |
# | action | *action* | 0 pousse à gauche, 1 à droite |
# | récompense | *reward* | 1 à chaque pas, celui de la chute compris |
# | retour | *return* | la somme des récompenses d'un épisode |
# | politique | *policy* | la règle qui choisit l'action devant une observation |
# | politique ε-gloutonne | *ε-greedy* | prendre la meilleure action, et parfois tirer au hasard |
# | actualisation, γ | *discount* | le facteur par lequel on multiplie une récompense pour chaque pas d'attente |
# | valeur d'action, Q | *action value* | le retour actualisé espéré si l'on prend cette action, puis qu'on joue bien |
# | amorçage | *bootstrapping* | estimer une valeur à partir d'une autre estimation |
# | mémoire de rejeu | *replay memory* | les pas passés, gardés pour apprendre plusieurs fois de chacun |
# | lot | *batch* | les pas tirés ensemble de la mémoire pour une mise à jour |
# | mise à jour | *gradient step* | un lot, un gradient : les poids changent une fois |
# | taux d'apprentissage | *learning rate* | la taille du pas que fait l'optimiseur à chaque mise à jour |
# | réseau principal | *online network* | celui que l'on entraîne |
# | réseau cible | *target network* | une copie retardée du réseau, qui fournit les valeurs à viser |
# | surestimation | *overestimation* | croire une action meilleure qu'elle n'est |
# | hors politique | *off-policy* | apprendre ce que vaut une politique en observant les actions d'une autre |
# | oubli | *forgetting* | perdre une compétence acquise |
# | terminaison, troncature | *terminated*, *truncated* | tomber ; être coupé par le chronomètre, à 500 pas |
# | graine | *seed* | le nombre qui fixe tous les tirages au hasard |
# | rééchantillonnage | *bootstrap* (statistique) | estimer une incertitude en tirant de nouveau, avec remise, dans ses données |

# %% [markdown]
# ## 7. À vous
#
# **Exercice 1, à explorer (5 minutes).** Voici la section 3, avec la graine 0. Changez la graine, puis donnez à
# l'agent deux fois moins de pas : `dataclasses.replace` copie une configuration en changeant un champ.
# Combien de graines sur cinq atteignent encore 475 ?

# %%
from dataclasses import replace

reglage = replace(QUICK, total_steps=10_000)
essai = Training(reglage, seeds=0)
while essai.env_steps < reglage.total_steps:
    essai.advance()

# %% tags=["nbval-ignore-output"]
print(f"retour moyen : {evaluate(essai.agent).mean():.0f} pas")

# %% [markdown]
# <details><summary>Que faut-il observer ?</summary>
#
# Avec 10 000 pas, la graine 0 finit chez nous sous 475 : parmi les douze de la section 4, c'est la seule qui échoue.
# Avec 5 000, certains agents ont compris, d'autres non : lisez la figure à 5 000 pas. Pour affirmer que ce budget
# suffit, il faudrait beaucoup de graines, et la part de celles qui réussissent.
#
# </details>

# %% [markdown]
# **Exercice 2, à écrire (5 minutes).** Calculez une part de réussites. Le tableau `retours` de la section 4 a une ligne par
# graine et une colonne par évaluation (de trente épisodes). Quelle part des graines a réussi, **à la fin** ?
# Remplacez les trois points, puis exécutez : `check` met votre fonction à l'épreuve, sur des cas calculés à la main
# et sur d'autres, tirés au hasard. Chaque ✘ est suivi du cas fautif et d'un indice.


# %%
def part_reussie(retours, seuil):
    """Rend la part, de 0 à 1, des graines dont la dernière évaluation atteint `seuil`.

    `retours` : (graines, évaluations), une ligne par graine.
    """
    ...


check(part_reussie)

# %% [markdown]
# <details><summary>Indice</summary>
#
# `retours[:, -1]` est la dernière colonne. La comparer au seuil donne un booléen par graine, et leur moyenne est la
# part des vrais.
#
# </details>
#
# Quand tout est coché, votre fonction relit les douze agents de la section 4. La seconde ligne affichée accorde à
# chacun son meilleur moment : pariez sur l'écart entre les deux avant d'exécuter la cellule.

# %% tags=["nbval-ignore-output"]
if check(part_reussie).passed:
    meilleurs = retours.max(axis=1, keepdims=True)  # (graines, 1)
    print(f"à la fin               : {100 * part_reussie(retours, 475):.0f} % des graines")
    print(f"à leur meilleur moment : {100 * part_reussie(meilleurs, 475):.0f} %")

# %% [markdown]
# Voici une réponse, à déplier quand vous avez la vôtre.

# %%
show("part_reussie")

# %% [markdown]
# ## Testez-vous
#
# Trois situations, rien à exécuter.
#
# **1.** Deux collègues ont chacun leur réglage. Chacun l'essaie une fois, avec une graine à lui : le premier
# obtient 490 pas, le second 310. Que peut-on en conclure ?
#
# - **A.** Le premier réglage est meilleur : un tel écart ne vient pas du hasard.
# - **B.** Il leur fallait la même graine ; un seul essai de chaque côté aurait alors suffi.
# - **C.** Rien encore : un même réglage peut donner ces deux nombres, d'une graine à l'autre.
#
# <details name="q1"><summary>Répondre A</summary>
#
# ✘ Il peut en venir : à la section 4, une seule recette donne douze traits bien différents.
#
# </details>
# <details name="q1"><summary>Répondre B</summary>
#
# ✘ Dès que les réglages diffèrent, une même graine ne mène plus aux mêmes états ; et ce ne serait toujours qu'un
# tirage par réglage.
#
# </details>
# <details name="q1"><summary>Répondre C</summary>
#
# ✔ Avec un essai de chaque côté, on ne sait pas si l'on compare deux réglages ou deux tirages.
#
# </details>
#
# **2.** Un agent conduit seize chariots. Après 250 appels à `advance`, combien de pas de jeu a-t-il joués ? Et
# combien de temps dureraient-ils, mis bout à bout, à la vitesse réelle ?
#
# - **A.** 250 pas, 5 secondes.
# - **B.** 4 000 pas, 80 secondes.
# - **C.** 4 000 pas, 5 secondes.
#
# <details name="q2"><summary>Répondre A</summary>
#
# ✘ C'est ce que joue un seul des seize chariots.
#
# </details>
# <details name="q2"><summary>Répondre B</summary>
#
# ✔ Chacun des seize fait un pas par appel : $16 \times 250 = 4\,000$ pas, et $4\,000 \times 0{,}02 = 80$ secondes.
#
# </details>
# <details name="q2"><summary>Répondre C</summary>
#
# ✘ C'est la durée de la scène, où les seize roulent ensemble, et non bout à bout.
#
# </details>
#
# **3.** Évalué tous les 400 pas, un agent obtient 500 à mi-parcours et 210 à la fin. On vous demande ce que donne
# ce réglage en dix mille pas. Que répondez-vous pour cette graine ?
#
# - **A.** 210 : c'est ce que sait faire l'agent au bout de ce budget.
# - **B.** 500 : il a montré qu'il en était capable.
# - **C.** 355, la moyenne des deux.
#
# <details name="q3"><summary>Répondre A</summary>
#
# ✔ Le budget était fixé d'avance, et l'on juge l'agent que l'on a une fois ce budget dépensé.
#
# </details>
# <details name="q3"><summary>Répondre B</summary>
#
# ✘ C'est choisir après coup l'instant qui flatte. Garder cet agent-là oblige à le juger de nouveau, sur d'autres
# départs (carnet 07).
#
# </details>
# <details name="q3"><summary>Répondre C</summary>
#
# ✘ Ce n'est le retour d'aucun des deux agents.
#
# </details>

# %% [markdown]
# ## Ce qu'il faut retenir
#
# 1. Un agent part de **presque rien** : quatre nombres, deux actions, une récompense, et ici deux
#    coups de pouce ; il apprend CartPole en quelques secondes.
# 2. Une **graine** rend une expérience reproductible ; plusieurs la rendent crédible.
# 3. Réussir une fois n'est pas savoir : les courbes montent, et parfois **retombent**.
#
# Le cours s'est parfois trompé : [ERRATA](../ERRATA.md) dit ce qu'il a affirmé à tort, et ce qui est vrai.
#
# Le prochain carnet regarde le jeu lui-même : [01 · Le problème](01_le_probleme.ipynb).
