# %% [markdown]
# # 10 · Un autre jeu
#
# **La question.** Vous savez écrire un DQN pour CartPole, et dire quand il est malade. Demain, vous aurez un autre
# problème. Que faut-il changer ? Que peut-on garder ?
#
# Presque rien n'est propre à CartPole dans ce que vous avez écrit : les règles, la boucle, les contrôles ne savent pas ce
# qu'est un chariot. Ce qui l'est, ce sont des **nombres** : des échelles, un horizon, une part de hasard. Nous prendrons
# une seule recette, la même partout, et trois jeux qui la contredisent chacun à sa façon.
#
# *Comptez une heure et quart, exercices compris ; le carnet s'exécute en une minute et demie, sur un cœur.*

# %%
from dataclasses import replace

import gymnasium
import numpy as np

from cartpole_helpers import (
    ONE_RECIPE,
    VERSION_2,
    evaluate,
    exact_interval,
    load_study,
    play,
    solve,
    train,
)
from cartpole_helpers.display import figures, video
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.player import player
from cartpole_helpers.statistics import after_success, streak_end
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Ce qui change, ce qui ne change pas
#
# Quatre jeux de Gymnasium, dont trois s'installent avec le cours.
#
# | Jeu | Ce que l'on voit | Ce que l'on fait | Récompense | Fin |
# |:---|:---|:---|:---|:---|
# | CartPole-v1 | chariot et tige | pousser à gauche, à droite | +1 par pas | une chute |
# | Acrobot-v1 | deux barres, articulées | tordre l'articulation, dans un sens, dans l'autre, ou pas | −1 par pas | un **succès** : le bout est assez haut |
# | MountainCar-v0 | position, vitesse d'une voiture | accélérer à gauche, à droite, ou pas | −1 par pas | un **succès** : le drapeau |
# | LunarLander-v3 | un atterrisseur, ses deux pieds | ne rien faire, trois moteurs | grande ou petite, à chaque pas | écrasé, posé, ou sorti |
#
# Le dernier demande une bibliothèque de plus, Box2D : `pip install "gymnasium[box2d]"` (de Python 3.11 à 3.13).
# Sans elle, l'archive montre le reste.

# %%
JEUX = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"]
for jeu in JEUX:
    with gymnasium.make(jeu) as env:
        D, A = env.observation_space.shape[0], env.action_space.n
        print(f"{jeu} : D = {D}, A = {A},", env.spec.max_episode_steps, "pas au plus,", end=" ")
        print("résolu à", env.spec.reward_threshold)

# %% [markdown]
# D et A, le réseau les lit dans l'environnement. Le seuil est celui que le jeu se donne : un retour moyen sur cent épisodes.
#
# Que vaut le hasard ? C'est le premier nombre à connaître d'un problème : tout ce que l'on montrera ensuite se lit
# par rapport à lui.
#
# > **À vous.** À Acrobot et à MountainCar, chaque pas coûte 1, et l'épisode s'arrête à 500 pas, ou à 200. Quel retour
# > attendez-vous d'une politique qui joue au hasard ?


# %%
def hasard(actions):
    """Une politique qui tire son action au sort, parmi `actions`."""
    tirages = np.random.default_rng(0)
    return lambda observations: tirages.integers(actions, size=len(observations))


retours = {
    jeu: evaluate(hasard(2 if jeu == "CartPole-v1" else 3), episodes=100, env=jeu) for jeu in JEUX
}
jamais = np.sum(retours["MountainCar-v0"] > -200)
titre = f"MountainCar : au hasard, {jamais} épisode sur 100 voit le drapeau"
figures.distributions(retours, titre, "retour d'un épisode joué au hasard")

# %% [markdown]
# À CartPole, le hasard tombe vite, et **chaque** épisode lui apprend ce qu'est une chute. À Acrobot, il arrive
# au bout de temps en temps. À MountainCar, tous les épisodes se ressemblent : −200, rien n'y distingue une action
# d'une autre. Nous y reviendrons.

# %% [markdown]
# ### La recette
#
# Voici ce que la seule recette change à la Version 2. Elle vient d'une recherche archivée (`etudes/recherche_jeux.py`),
# sur d'autres graines que celles qui la jugeront.

# %%
for champ, valeur in vars(ONE_RECIPE).items():
    if not champ.startswith("_") and valeur != getattr(VERSION_2, champ):
        print(f"{champ} : {getattr(VERSION_2, champ)} → {valeur}")

# %% [markdown]
# Deux de ces champs sont nouveaux pour vous.
#
# `input_scale="auto"` : l'échelle des entrées se **mesure**. Pendant la mise en route, où tout est tiré au hasard, l'écart
# type de chaque composante est relevé ; ensuite, chacune est divisée par le sien, une fois pour toutes.
#
# `epsilon_spread` : chaque copie du jeu a **son** ε. La première explore beaucoup, la dernière presque pas, et toutes
# versent dans la même mémoire. L'idée est celle d'Ape-X (Horgan et al., 2018) : ainsi, l'on n'a pas à choisir entre
# voir du nouveau et voir ce que donne le jeu bien joué.

# %%
chacune = ONE_RECIPE.epsilons(ONE_RECIPE.epsilon_steps)
titre = f"De {number(100 * chacune[0])} % de hasard à {number(100 * chacune[-1], 1)} %"
copies = np.arange(1, len(chacune) + 1)
figures.curves(copies, {"ε": 100 * chacune}, titre, ("copie du jeu", "pas au hasard (%)"))

# %% [markdown]
# **Exercice 1, à écrire (10 minutes).** Mesurer l'échelle : pour des observations, rendre le facteur de chaque
# composante.


# %%
def normaliser(observations):
    """Rend les facteurs (D,) qui ramènent à 1 l'écart type de chaque composante ; 1 si elle est constante."""
    ...


check(normaliser)

# %% [markdown]
# <details><summary>Indice</summary>
#
# L'écart type se prend sur tous les axes, sauf le dernier. Puis il faut en prendre l'inverse, là où il n'est pas nul :
# `np.where` calcule ses deux branches, et diviser par zéro avertit.
#
# </details>

# %%
show("normaliser")

# %% [markdown]
# ## 2. Acrobot : la même recette
#
# Deux barres pendent ; un moteur tord l'articulation du milieu. Il faut balancer, jusqu'à ce que le bout passe au-dessus
# d'une ligne. Chaque pas coûte 1 : le retour est l'opposé du temps mis.
#
# > **À vous.** Tout, dans CartPole, récompensait de durer. Ici, durer coûte. Que faut-il changer aux règles ?

# %%
solution = solve(ONE_RECIPE, seed=7, env="Acrobot-v1")
print(f"certifié après {number(solution.env_steps)} pas")
print("retour moyen sur 100 départs neufs :", number(solution.certificate.mean(), 1))

# %% [markdown]
# Rien. La cible est $r + \gamma \max Q(s', a')$, et une fin reste une fin : la valeur de ce qui suit est nulle, que l'on
# soit tombé ou arrivé. C'est le signe de $r$ qui fait d'une fin un malheur ou un but.

# %%
episode = play(solution.agent, seed=3, env="Acrobot-v1", render_mode="rgb_array")
print(f"{len(episode.actions)} pas ; terminé : {episode.terminated}")
video.film(solution.agent, "../videos/acrobot.mp4", seed=3, env="Acrobot-v1")

# %% [markdown]
# Pas à pas, avec ce que l'agent attend de chaque action :

# %%
player(episode, solution.agent)

# %% [markdown]
# ### Lire une échelle
#
# À CartPole, Q allait jusqu'à $1/(1-\gamma)$. Ici, chaque récompense vaut −1, sauf celle du dernier pas, nulle. Q est donc
# **négatif**, et d'autant plus que l'on est loin du but. Sur cet épisode :

# %%
valeurs = episode.q_values.max(axis=1)
restant = len(valeurs) - np.arange(len(valeurs)) - 1  # pas de récompense −1 à venir
vraies = -(1 - ONE_RECIPE.gamma**restant) / (1 - ONE_RECIPE.gamma)
ecart = np.abs(valeurs - vraies).mean()
titre = f"Ce que l'agent attend, et ce qu'il a eu : {number(ecart, 1)} d'écart moyen"
series = {"max Q, attendu": valeurs, "retour actualisé, obtenu": vraies}
figures.curves(np.arange(len(valeurs)), series, titre, ("pas de l'épisode", "valeur"))

# %% [markdown]
# L'échelle de Q se lit donc avant d'apprendre : si $|r| \le R$, alors $|Q| \le R/(1-\gamma)$. Une valeur qui
# passe cette borne est une erreur, comme au [carnet 08](08_pourquoi_ca_s_effondre.ipynb).
#
# **Exercice 2, à écrire (10 minutes).** Cette échelle, lue dans des épisodes joués au hasard.


# %%
def echelle_des_recompenses(recompenses, gamma): ...


check(echelle_des_recompenses)

# %%
show("echelle_des_recompenses")

# %% [markdown]
# ### Une graine n'est pas une preuve
#
# Une graine a réussi, sous vos yeux. Voici les cent de l'archive, nommées d'avance, sur le budget qu'elles avaient :
# vingt évaluations, de cent épisodes chacune.

# %%
jeux = load_study("../etudes/jeux.csv")
VISES = {
    "CartPole-v1": 475.0,
    "Acrobot-v1": -100.0,
    "MountainCar-v0": -110.0,
    "LunarLander-v3": 200.0,
}
PAS = {
    "CartPole-v1": 50,
    "Acrobot-v1": 50,
    "MountainCar-v0": 200,
    "LunarLander-v3": 500,
}  # milliers


def evaluations(jeu, recette="une seule recette"):
    """Les retours moyens (graines, 20) de l'archive."""
    lignes = (jeux["jeu"] == jeu) & (jeux["recette"] == recette)
    return np.stack([jeux[f"{n}/20"][lignes] for n in range(1, 21)], axis=1)


# %%
acrobot = evaluations("Acrobot-v1")
atteint = (acrobot >= VISES["Acrobot-v1"]).any(axis=1)
bas, haut = exact_interval(int(atteint.sum()), len(atteint))
titre = f"Acrobot : {atteint.sum()} graines sur {len(atteint)} atteignent −100"
pas = 1_000 * PAS["Acrobot-v1"] * np.arange(1, 21) // 20
print(f"intervalle exact à 95 % : [{number(100 * bas, 1)} ; {number(100 * haut, 1)}] %")
figures.learning_curves(pas, acrobot, titre, env="Acrobot-v1")

# %% [markdown]
# ## 3. MountainCar : voir le drapeau
#
# Une voiture au fond d'une vallée, un moteur trop faible pour la côte. Il faut reculer pour prendre de l'élan.
# Chaque pas coûte 1, le drapeau n'ajoute rien : il **arrête** de coûter. Tant qu'on ne l'a pas touché, rien ne dit
# qu'il existe.
#
# Le hasard ne l'a jamais vu. Pourtant, il essaie toutes les actions. Pourquoi cela ne suffit-il pas ?
#
# > **À vous.** On double l'effort : deux fois plus d'épisodes au hasard. Combien de drapeaux attendez-vous ? Et si, au
# > lieu de tirer une action à chaque pas, on en tirait une tous les huit pas, et qu'on la tienne ?


# %%
def explorer(tenue, pas=32_000):
    """Joue au hasard, chaque action tenue `tenue` pas en moyenne ; rend positions et drapeaux."""
    config = replace(
        ONE_RECIPE,
        total_steps=pas,
        epsilon_end=1.0,
        epsilon_spread=1.0,
        epsilon_hold=tenue,
        warmup=ONE_RECIPE.capacity,
        input_scale=None,
    )
    tours = [*train(config, 0, env="MountainCar-v0")]
    positions = np.concatenate([tour.next_observation[0, :, 0] for tour in tours])
    return positions, sum(int(tour.terminated.sum()) for tour in tours)


vus = {tenue: explorer(tenue) for tenue in (1.0, 2.0, 8.0, 32.0)}

# %%
bornes = np.linspace(-1.2, 0.6, 37)
parts = {
    f"tenue {tenue:.0f} pas : {drapeaux} drapeaux": 100
    * np.histogram(positions, bornes)[0]
    / len(positions)
    for tenue, (positions, drapeaux) in vus.items()
}
milieux = (bornes[:-1] + bornes[1:]) / 2
titre = f"Tenir ses actions 8 pas : {vus[8.0][1]} drapeaux au lieu de {vus[1.0][1]}"
etiquettes = ("position de la voiture (drapeau à 0,5)", "part du temps (%)")
figures.curves(milieux, parts, titre, etiquettes)

# %% [markdown]
# Des actions tirées à chaque pas s'annulent : la voiture reste au fond, et mille fois plus d'épisodes y resteraient
# aussi. Tenues, elles poussent assez longtemps pour entrer en résonance avec la vallée. Ce n'est pas **plus** de hasard,
# c'est un hasard **qui dure** : la part des pas joués au hasard est partout la même, tous.
#
# **Exercice 3, à écrire (15 minutes).** Tenir ses actions.


# %%
def actions_tenues(tirages, tenue): ...


check(actions_tenues)

# %%
show("actions_tenues")

# %% [markdown]
# ### Et l'agent ?
#
# L'agent ne joue pas au hasard : il suit son réseau, dont les premières valeurs sont près de zéro. Or toutes les vraies
# sont négatives. Ce qu'il n'a pas essayé lui paraît donc **meilleur** que ce qu'il connaît : un optimisme involontaire, qui
# le pousse, lui aussi, vers le neuf. Comptons les drapeaux de son apprentissage, la recette ne changeant que par la tenue.

# %%
drapeaux = {}
for tenue in (1.0, ONE_RECIPE.epsilon_hold):
    config = replace(ONE_RECIPE, total_steps=32_000, epsilon_hold=tenue)
    fins = [int(tour.terminated.sum()) for tour in train(config, 0, env="MountainCar-v0")]
    drapeaux[f"actions tenues {number(tenue, 1)} pas"] = np.cumsum(fins)
rangs = ONE_RECIPE.carts * np.arange(1, len(fins) + 1)
titre = "Les drapeaux touchés pendant l'apprentissage"
figures.curves(rangs, drapeaux, titre, ("pas de jeu", "drapeaux, cumulés"))

# %% [markdown]
# Et voici ce que l'archive dit des cent graines, menées jusqu'au bout de leur budget.

# %%
voiture = evaluations("MountainCar-v0")
atteint = (voiture >= VISES["MountainCar-v0"]).any(axis=1)
bas, haut = exact_interval(int(atteint.sum()), len(atteint))
print(f"intervalle exact à 95 % : [{number(100 * bas, 1)} ; {number(100 * haut, 1)}] %")
titre = f"MountainCar : {atteint.sum()} graines sur {len(atteint)} atteignent −110"
pas = 1_000 * PAS["MountainCar-v0"] * np.arange(1, 21) // 20
figures.learning_curves(pas, voiture, titre, env="MountainCar-v0")

# %% [markdown]
# Un état n'a ici que deux nombres : on peut donc voir **toute** la fonction de valeur, et un épisode qui la traverse.

# %%
conducteur = load("../checkpoints/mountaincar.safetensors")
x, v = np.linspace(-1.2, 0.6, 91), np.linspace(-0.07, 0.07, 71)
grille = np.stack(np.meshgrid(x, v), axis=-1).reshape(-1, 2).astype(np.float32)
valeur = conducteur.q_values(grille).max(axis=1).reshape(len(v), len(x))
trajet = play(conducteur, seed=5, env="MountainCar-v0").observations
titre = f"Reculer pour prendre de l'élan : {len(trajet) - 1} pas, du rond à l'étoile"
etiquettes = ("position", "vitesse (par pas)", "max Q")
figures.landscape(valeur, x, v, titre, etiquettes, trajet)

# %% [markdown]
# La valeur ne monte pas vers la droite : elle monte en **spirale**. Au fond de la vallée et lent, on est au plus loin du
# drapeau, où que l'on soit tourné. Aucune récompense n'a dit de reculer ; l'amorçage l'a propagé, une mise à jour après l'autre.

# %% [markdown]
# ## 4. LunarLander : des récompenses de toutes les tailles
#
# Un atterrisseur descend. Chaque pas rapporte ou coûte un peu, selon qu'il se rapproche, ralentit, se redresse ; un
# moteur coûte ; se poser rapporte cent, s'écraser coûte cent. Ce qui est neuf : les récompenses n'ont pas toutes la même
# taille, et les plus grandes tombent d'un seul coup.
#
# > **À vous.** La perte élève l'erreur au carré. Un écrasement que l'on n'attendait pas pèse combien de fois plus qu'un
# > petit écart de un ? Est-ce ce que l'on veut ?

# %%
atterrisseur = evaluations("LunarLander-v3")
atteint = (atterrisseur >= VISES["LunarLander-v3"]).any(axis=1)
bas, haut = exact_interval(int(atteint.sum()), len(atteint))
print(f"intervalle exact à 95 % : [{number(100 * bas, 1)} ; {number(100 * haut, 1)}] %")
titre = f"LunarLander : {atteint.sum()} graines sur {len(atteint)} atteignent 200"
pas = 1_000 * PAS["LunarLander-v3"] * np.arange(1, 21) // 20
figures.learning_curves(pas, atterrisseur, titre, env="LunarLander-v3")
