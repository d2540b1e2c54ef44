# %% [markdown]
# # 12 · Un autre jeu
#
# **La question.** Vous savez écrire un DQN pour CartPole, et dire quand il est malade. Demain, vous aurez un autre
# problème. Que faut-il changer ? Que peut-on garder ?
#
# Presque rien n'est propre à CartPole dans ce que vous avez écrit : les règles, la boucle, les contrôles ne savent pas ce
# qu'est un chariot. Ce qui l'est, ce sont des **nombres** : des échelles, un horizon, une part de hasard. Nous prendrons
# une seule recette, la même partout, et trois jeux de plus, qui la mettent à l'épreuve chacun à sa façon.
#
# *Lecture : 40 minutes ; exercices : 35 minutes ; exécution : moins d'une minute.*

# %% tags=["hide-input"]
# Ce que le carnet importe.
from dataclasses import fields, replace
from importlib.util import find_spec

import gymnasium
import numpy as np

from cartpole_helpers import (
    ONE_RECIPE,
    VERSION_2,
    evaluate,
    evaluations_of,
    exact_interval,
    load,
    load_study,
    paired_interval,
    play,
    solve,
    train,
)
from cartpole_helpers.display import figures, video
from cartpole_helpers.display.live import waiting
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.player import player
from cartpole_helpers.statistics import after_success, costs, percentage, streak_end
from cartpole_helpers.teaching.exercises import check, show

# %% [markdown]
# ## 1. Ce qui change, ce qui ne change pas
#
# Quatre jeux de Gymnasium, dont trois s'installent avec le cours.
#
# | Jeu | Ce que l'on voit | Ce que l'on fait | Récompense | Fin |
# |:---|:---|:---|:---|:---|
# | CartPole-v1 | chariot et tige | pousser à gauche, à droite | +1 par pas | un **échec** : la tige penche trop, ou le chariot sort |
# | Acrobot-v1 | deux tiges articulées, leurs vitesses | tordre l'articulation, dans un sens, dans l'autre, ou attendre | −1 par pas | un **succès** : le bout est assez haut |
# | MountainCar-v0 | position, vitesse d'une voiture | accélérer à gauche, à droite, ou attendre | −1 par pas | un **succès** : le drapeau |
# | LunarLander-v3 | position, angle, vitesses et pieds d'un atterrisseur | allumer l'un des trois moteurs, ou aucun | grande ou petite, à chaque pas | écrasé, posé, ou sorti |
#
# Le dernier demande une bibliothèque de plus, Box2D : `pip install "gymnasium[box2d]"` (de Python 3.11 à 3.13). Sans
# elle, une seule cellule de ce carnet dit qu'elle ne peut pas jouer ; l'archive montre le reste.

# %%
JEUX = ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"]
for jeu in JEUX:
    with gymnasium.make(jeu) as env:
        D, A = env.observation_space.shape[0], env.action_space.n
        print(f"{jeu} : D = {D}, A = {A}, résolu à {number(env.spec.reward_threshold)}")

# %% [markdown]
# D, le nombre de composantes, et A, celui des actions : le réseau les lit dans l'environnement. Le seuil est celui
# que le jeu se donne ; le cours le compare au retour moyen de cent épisodes.
#
# Que vaut le hasard ? C'est le premier nombre à connaître d'un problème : tout ce que l'on montrera ensuite se lit
# par rapport à lui.
#
# > **À vous.** À Acrobot et à MountainCar, chaque pas coûte 1, et l'épisode est coupé à 500 pas pour l'un, à 200 pour
# > l'autre. Quel retour attendez-vous d'une politique qui joue au hasard ?


# %%
def hasard(actions):
    """Une politique qui tire au sort chaque action, de 0 à `actions` − 1."""
    tirages = np.random.default_rng(0)
    return lambda observations: tirages.integers(actions, size=len(observations))


retours = {
    jeu: evaluate(hasard(2 if jeu == "CartPole-v1" else 3), episodes=100, env=jeu) for jeu in JEUX
}
au_drapeau = np.sum(retours["MountainCar-v0"] > -200)
titre = f"MountainCar : au hasard, {au_drapeau} épisode sur 100 voit le drapeau"
figures.distributions(retours, titre, "retour d'un épisode joué au hasard")

# %% [markdown]
# À CartPole, le hasard tombe vite, et **chaque** épisode montre ce qu'est une chute. À Acrobot, il arrive au but, mais
# rarement. À MountainCar, tous les épisodes se ressemblent : −200, et rien n'y distingue une action
# d'une autre. Nous y reviendrons.

# %% [markdown]
# ### La recette
#
# Voici ce que notre recette change à la Version 2. Cette recette vient d'une recherche archivée (`etudes/recherche_jeux.py`),
# sur d'autres graines que celles qui la jugeront.

# %%
for champ in fields(ONE_RECIPE):
    avant, apres = (getattr(config, champ.name) for config in (VERSION_2, ONE_RECIPE))
    if avant != apres:
        print(f"{champ.name} : {avant} → {apres}")

# %% [markdown]
# Deux de ces réglages sont nouveaux pour vous.
#
# `input_scale="auto"` : l'échelle des entrées se **mesure**. Pendant la mise en route, où presque tout est tiré au hasard,
# l'écart type de chaque composante est relevé ; ensuite, chacune est divisée par le sien, fixé une fois pour toutes.
#
# `epsilon_spread` : chaque copie du jeu a **son** ε. La première explore beaucoup, la dernière presque pas, et toutes
# versent dans la même mémoire. L'idée vient de Horgan et coll. (2018) : on n'a plus à choisir entre voir du nouveau et
# voir ce que donne le jeu bien joué.

# %%
chacune = ONE_RECIPE.epsilons(ONE_RECIPE.epsilon_steps)
titre = f"ε, selon la copie : {number(100 * chacune[0])} à {number(100 * chacune[-1], 1)} %"
copies = np.arange(1, len(chacune) + 1)
figures.curves(copies, {"ε": 100 * chacune}, titre, ("copie du jeu", "pas joués au hasard (%)"))

# %% [markdown]
# **Exercice 1, à écrire (10 minutes).** Mesurez l'échelle des entrées, pour des observations quelconques.


# %%
def normaliser(observations):
    """Rend les facteurs qui donnent à chaque composante un écart type de 1.

    `observations` : un tableau (N, D). Rend (D,). L'écart type est celui de `np.std` ; une
    composante constante (un écart type sous 1e-9) garde le facteur 1.
    """
    ...


check(normaliser)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Un écart type par colonne : `axis=0`. Puis son inverse, sauf là où il est presque nul. `np.where` calcule ses deux
# branches, et une division par zéro déclenche un avertissement : remplacez les écarts nuls **avant** de diviser.
#
# </details>

# %%
show("normaliser")

# %% [markdown]
# ## 2. Acrobot : la même recette
#
# Deux tiges pendent, l'une au bout de l'autre ; un moteur tord leur articulation. Il faut les balancer, jusqu'à ce que le
# bout passe au-dessus d'une ligne. Chaque pas coûte 1 : le retour est, à un pas près, l'opposé du temps mis.
#
# > **À vous.** À CartPole, tout récompensait la durée. Ici, durer coûte. Que faut-il changer aux règles ?

# %% tags=["nbval-ignore-output"]
with waiting("Apprentissage"):
    solution = solve(ONE_RECIPE, seed=7, env="Acrobot-v1")
print(f"certifié après {number(solution.env_steps)} pas")
print("retour moyen sur 100 départs neufs :", number(solution.certificate.mean(), 1))

# %% [markdown]
# Rien. La cible garde sa forme, $r + \gamma \max_{a'} Q(s', a')$, et une fin reste une fin : la valeur de ce qui suit est
# nulle, que l'on soit tombé ou arrivé. C'est le signe de $r$ qui fait d'une fin un malheur ou un but.

# %% tags=["nbval-ignore-output"]
episode = play(solution.agent, seed=3, env="Acrobot-v1", render_mode="rgb_array")
print(f"{len(episode.actions)} pas ; terminé : {episode.terminated}")
video.film(solution.agent, "../videos/acrobot.mp4", seed=3, env="Acrobot-v1")

# %% [markdown]
# Pas à pas, avec ce que l'agent attend de chaque action :

# %% tags=["nbval-ignore-output"]
player(episode, names="Acrobot-v1")

# %% [markdown]
# ### Lire une échelle
#
# À CartPole, Q allait jusqu'à $1/(1-\gamma)$. Ici, chaque récompense vaut −1, sauf celle du dernier pas, nulle. Q est donc
# **négatif**, et d'autant plus que l'on est loin du but.
#
# > **À vous.** Au dernier pas de cet épisode, que doit valoir max Q ? Et au premier : plus, ou moins, que l'opposé du
# > nombre de pas ?

# %% tags=["nbval-ignore-output"]
valeurs = episode.q_values.max(axis=1)
restant = len(valeurs) - np.arange(len(valeurs)) - 1  # pas de récompense −1 à venir
vraies = -(1 - ONE_RECIPE.gamma**restant) / (1 - ONE_RECIPE.gamma)
ecart = np.abs(valeurs - vraies).mean()
titre = f"Ce que l'agent attend, et ce qu'il a eu : {number(ecart, 1)} d'écart moyen"
series = {"max Q, attendu": valeurs, "retour actualisé, obtenu": vraies}
figures.curves(np.arange(len(valeurs)), series, titre, ("pas de l'épisode", "valeur"))

# %% [markdown]
# Les deux courbes vont ensemble, mais l'agent attend moins que ce qu'il obtient. Deux raisons possibles, que nous ne
# départageons pas ici : il s'est arrêté au premier certificat, ses valeurs encore en chemin ; et sa cible à plusieurs
# pas compte ce que l'exploration a joué, qui n'est pas ce que joue cet agent.
#
# L'échelle de Q se lit donc avant d'apprendre : si $|r| \le R$, alors $|Q| \le R/(1-\gamma)$. Une valeur qui
# passe cette borne est une erreur, comme au [carnet 10](10_pourquoi_ca_s_effondre.ipynb).
#
# Cette borne est parfois bien trop large : à LunarLander, où les grandes récompenses ne viennent qu'à la fin, elle en
# compte une à chaque pas. Avant d'apprendre, on peut aussi **regarder** : jouer quelques épisodes au hasard, et y chercher
# le plus grand retour actualisé, en valeur absolue, de tous les pas.
#
# **Exercice 2, à écrire (10 minutes).** Calculez cet ordre de grandeur, celui des valeurs que rendra le réseau ; la
# troncature y compte comme une fin.


# %%
def echelle_des_recompenses(episodes, gamma):
    """Rend la plus grande taille qu'une valeur ait eue dans des épisodes joués.

    `episodes` : une suite d'épisodes, chacun la liste de ses récompenses, dans l'ordre. De chaque
    pas, le retour actualisé est sa récompense, plus γ fois le retour du pas suivant, nul après le
    dernier. Rend la plus grande valeur absolue de tous ces retours.
    """
    ...


check(echelle_des_recompenses)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Deux boucles : sur les épisodes, puis sur les récompenses de chacun, **à rebours**. Le retour repart de zéro à
# chaque épisode.
#
# </details>
#
# Voici votre fonction, sur des épisodes d'Acrobot joués au hasard. Ici, elle doit trouver presque la borne : le hasard
# paie 1 à chaque pas, et presque toujours jusqu'à la troncature.

# %%
if check(echelle_des_recompenses).passed:
    joues = [play(hasard(3), seed=graine, env="Acrobot-v1").rewards for graine in range(10)]
    print("au plus, au hasard :", number(echelle_des_recompenses(joues, ONE_RECIPE.gamma), 1))
print("la borne :", number(1 / (1 - ONE_RECIPE.gamma)))

# %%
show("echelle_des_recompenses")

# %% [markdown]
# ### Une graine n'est pas une preuve
#
# Une graine a réussi, sous vos yeux. Combien sur cent feraient de même ? Voici les cent de l'archive, nommées d'avance,
# tout au long de leur budget : vingt évaluations, de cent épisodes chacune.

# %%
jeux = load_study("../etudes/jeux.csv")


def evaluations(jeu, recette="une seule recette"):
    """Les retours moyens (graines, 20) de l'archive."""
    return evaluations_of(jeux, jeu=jeu, recette=recette)


# %% [markdown]
# Une ligne par graine, une colonne par évaluation : combien de lignes ont une case au seuil ?

# %%
acrobot = evaluations("Acrobot-v1")
atteint = (acrobot >= -100).any(axis=1)
_, bas, haut = percentage(atteint)
titre = f"Acrobot : {atteint.sum()} graines sur {len(atteint)} atteignent −100"
print(f"intervalle exact à 95 % : [{number(bas, 1)} ; {number(haut, 1)}] %")
figures.learning_curves(np.arange(2_500, 50_001, 2_500), acrobot, titre, env="Acrobot-v1")

# %% [markdown]
# Atteindre n'est pas conserver. Une graine *réussit* à la troisième évaluation de suite au seuil ; combien des
# suivantes y restent ? Et la même recette, à CartPole, vaut-elle la Version 2 ?
#
# Pour les comparer en un nombre, comptons ce que **coûte** une graine : 1 par évaluation sous le seuil jusqu'à la
# réussite, 5 par évaluation sous le seuil ensuite. Le total s'arrête à 20, le nombre des évaluations ; c'est aussi ce
# que coûte une graine qui ne réussit pas. Moins on paie, mieux cela vaut.

# %%
essais = {
    "Acrobot, la recette": acrobot >= -100,
    "CartPole, la recette": evaluations("CartPole-v1") >= 475,
    "CartPole, la Version 2": evaluations("CartPole-v1", "version 2") >= 475,
}
for nom, bonnes in essais.items():
    fin, ensuite = streak_end(bonnes, 3) + 1, after_success(bonnes, 3)
    pas = 2_500 * np.where(np.isnan(fin), np.inf, fin)  # un échec compte pour l'infini
    print(f"{nom} : réussite au pas {number(np.median(pas))} (médiane),", end=" ")
    print(f"puis {number(100 * ensuite.mean(), 1)} % des évaluations au seuil")

# %% [markdown]
# La règle était écrite d'avance : la recette remplacerait la Version 2 si l'intervalle de l'écart des coûts, recette
# moins Version 2, restait sous 1.

# %%
ecart = costs(essais["CartPole, la recette"]) - costs(essais["CartPole, la Version 2"])
bas, haut = paired_interval(ecart)
print(f"coût de la recette moins celui de la Version 2 : {number(ecart.mean(), 1)},", end=" ")
print(f"intervalle à 95 % [{number(bas, 1)} ; {number(haut, 1)}]")

# %% [markdown]
# L'intervalle est tout entier au-dessus : à CartPole, la Version 2 reste.

# %% [markdown]
# ## 3. MountainCar : voir le drapeau
#
# Une voiture au fond d'une vallée, un moteur trop faible pour la côte. Il faut reculer pour prendre de l'élan.
# Chaque pas coûte 1 ; le drapeau n'ajoute rien, mais on y **cesse** de payer. Tant qu'on ne l'a pas touché, rien n'indique
# qu'il existe.
#
# Le hasard ne l'a jamais vu. Pourtant, il essaie toutes les actions. Pourquoi cela ne suffit-il pas ?
#
# > **À vous.** On y met 32 000 pas, tous joués au hasard. Combien de drapeaux attendez-vous ? Et si, au lieu de tirer
# > une action à chaque pas, on prolongeait chacune huit pas en moyenne, comme au [carnet 08](08_version_2.ipynb) ?


# %%
def explorer(tenue, pas=32_000):
    """Joue au hasard, des actions de `tenue` pas en moyenne ; rend positions et drapeaux."""
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

# %% [markdown]
# Où la voiture passe-t-elle son temps ?

# %%
bornes = np.linspace(-1.2, 0.6, 37)
parts = {
    f"durée {tenue:.0f} pas (drapeaux : {drapeaux})": 100
    * np.histogram(positions, bornes)[0]
    / len(positions)
    for tenue, (positions, drapeaux) in vus.items()
}
milieux = (bornes[:-1] + bornes[1:]) / 2
titre = f"Actions prolongées 32 pas : {vus[32.0][1]} drapeaux au lieu de {vus[1.0][1]}"
etiquettes = ("position de la voiture (drapeau à 0,5)", "part du temps (%)")
figures.curves(milieux, parts, titre, etiquettes)

# %% [markdown]
# Des actions tirées à chaque pas s'annulent : la voiture reste au fond, et y resterait sans doute pendant bien plus
# d'épisodes. Prolongées, elles poussent assez longtemps pour donner de l'élan à la voiture. Ce n'est pas **plus** de
# hasard, c'est un hasard **qui dure** : dans les quatre cas, tous les pas sont joués au hasard.
#
# **Exercice 3, à écrire (15 minutes).** Écrivez ce hasard aux actions prolongées.


# %%
def actions_prolongees(tirages, duree, actions):
    """Rend les actions (T,) d'un hasard qui prolonge chacune `duree` pas en moyenne.

    `tirages` : (T, 2), uniformes dans [0, 1), une ligne par pas. Au premier pas, on tire une
    action. Ensuite, si le premier nombre est sous `1 - 1/duree`, l'action d'avant est prolongée ;
    sinon, on en tire une. Tirer, c'est prendre, d'après le second nombre, l'une des `actions`
    actions, 0, 1…, toutes équiprobables ; ce peut être celle d'avant.
    """
    ...


check(actions_prolongees)

# %% [markdown]
# <details><summary>Indice</summary>
#
# Une boucle sur les lignes de `tirages`, et une variable pour l'action en cours. D'un nombre `u` de
# [0, 1), l'entier `int(u * actions)` est uniforme entre 0 et `actions - 1`.
#
# </details>
#
# Votre hasard conduit la voiture, seul : ni ε, ni réseau, ni mémoire.

# %%
if check(actions_prolongees).passed:
    tirages = np.random.default_rng(1).random((200, 2))
    for duree in (1, 8):
        suite = iter(actions_prolongees(tirages, duree, 3))
        chemin = play(
            lambda vues, suite=suite: np.array([next(suite)]), env="MountainCar-v0"
        ).observations
        gauche, droite = (number(bout(chemin[:, 0]), 2) for bout in (np.min, np.max))
        print(f"durée {duree} pas : de {gauche} à {droite}")

# %%
show("actions_prolongees")

# %% [markdown]
# ### Et l'agent ?
#
# L'agent ne joue pas qu'au hasard : il suit aussi son réseau, dont les premières valeurs sont près de zéro. Or toutes
# les vraies sont négatives. Ce qu'il n'a pas essayé lui paraît donc **meilleur** que ce qu'il connaît : c'est
# l'optimisme du [carnet 02](02_de_la_table_au_reseau.ipynb), involontaire cette fois, qui pousse lui aussi vers le
# neuf.
#
# > **À vous.** Même recette, actions prolongées ou non. L'optimisme seul mènera-t-il au drapeau ? Aussi vite ?


# %% tags=["nbval-ignore-output"]
def premiers_drapeaux(tenue, graines=range(4), pas=32_000):
    """Le pas où chaque graine touche son premier drapeau ; l'infini si elle n'en touche aucun."""
    config = replace(ONE_RECIPE, total_steps=pas, epsilon_hold=tenue)
    touches = np.array(
        [tour.terminated.any(axis=1) for tour in train(config, graines, env="MountainCar-v0")]
    )
    premiers = config.carts * (1.0 + touches.argmax(axis=0))
    return np.where(touches.any(axis=0), premiers, np.inf)


premiers = {
    f"actions de {number(h, 1)} pas": premiers_drapeaux(h) for h in (1.0, ONE_RECIPE.epsilon_hold)
}

# %% [markdown]
# Un point par graine ; celle qui ne touche aucun drapeau n'a pas de point, mais compte dans la médiane.

# %% tags=["nbval-ignore-output"]
medianes = [np.median(p) for p in premiers.values()]
sans, avec = ("jamais" if np.isinf(m) else number(m) for m in medianes)
titre = f"Premier drapeau (médiane) : pas {avec} ; sans prolonger, {sans}"
figures.strips(premiers, titre, "pas de jeu avant le premier drapeau")

# %% [markdown]
# L'optimisme seul mène donc au drapeau ; ce que des actions prolongées y ajoutent, quatre graines ne le disent pas.
# Et jusqu'au seuil, −110 ? Voici l'archive, cent graines menées jusqu'au bout de leur budget.

# %%
voiture = evaluations("MountainCar-v0")
atteint = (voiture >= -110).any(axis=1)
_, bas, haut = percentage(atteint)
print(f"intervalle exact à 95 % : [{number(bas, 1)} ; {number(haut, 1)}] %")
titre = f"MountainCar : {atteint.sum()} graines sur {len(atteint)} atteignent −110"
figures.learning_curves(np.arange(10_000, 200_001, 10_000), voiture, titre, env="MountainCar-v0")

# %% [markdown]
# Un état n'a ici que deux nombres : on peut donc voir **toute** la fonction de valeur, et un épisode qui la traverse.
# L'agent est celui d'un entraînement entier, gardé dans `checkpoints/`. Là où la voiture ne va jamais, à grande
# vitesse contre un bord, le réseau devine, et passe parfois au-dessus de zéro : c'est impossible, et la carte
# s'arrête à zéro.
#
# > **À vous.** Où la valeur sera-t-elle la plus basse : tout à gauche, au fond de la vallée, ou près du drapeau, mais à
# > l'arrêt ?

# %%
conducteur = load("../checkpoints/mountaincar_200000_pas.safetensors")
x, v = np.linspace(-1.2, 0.6, 91), np.linspace(-0.07, 0.07, 71)
grille = np.stack(np.meshgrid(x, v), axis=-1).reshape(-1, 2).astype(np.float32)
valeur = conducteur.q_values(grille).max(axis=1).clip(max=0).reshape(len(v), len(x))
trajet = play(conducteur, seed=5, env="MountainCar-v0").observations

# %% [markdown]
# Voici la carte, et par-dessus, le trajet d'un épisode.

# %%
titre = f"Reculer pour prendre de l'élan : {len(trajet) - 1} pas, du rond à l'étoile"
etiquettes = ("position", "vitesse (par pas)", "max Q, zéro au plus")
figures.landscape(valeur, x, v, titre, etiquettes, trajet)

# %% [markdown]
# La valeur ne monte pas vers la droite : elle monte en **spirale**. Au fond de la vallée, à l'arrêt, on est au plus
# loin du drapeau. Aucune récompense n'a dit de reculer ; l'amorçage l'enseigne, une mise à jour après l'autre.

# %% tags=["nbval-ignore-output"]
episode = play(conducteur, seed=5, env="MountainCar-v0", render_mode="rgb_array")
player(episode, names="MountainCar-v0")

# %% [markdown]
# ## 4. LunarLander : des récompenses de toutes les tailles
#
# Un atterrisseur descend. Chaque pas rapporte ou coûte un peu, selon qu'il s'approche, ralentit, se redresse ; un
# moteur coûte ; se poser rapporte cent, s'écraser coûte cent. Ce qui est neuf : les récompenses sont des deux signes,
# et les plus grandes tombent d'un seul coup.
#
# > **À vous.** La perte élève l'erreur au carré. Dans un lot, combien de fois plus qu'une erreur d'un point pèse un écrasement inattendu, soit cent points d'erreur ? La recette, qui ne change que de nombre de pas, sera-t-elle à 200 avant
# > la fin ?

# %%
atterrisseur = evaluations("LunarLander-v3")
atteint = (atterrisseur >= 200).any(axis=1)
_, bas, haut = percentage(atteint)
print(f"intervalle exact à 95 % : [{number(bas, 1)} ; {number(haut, 1)}] %")
titre = f"LunarLander : {atteint.sum()} graines sur {len(atteint)} atteignent 200"
figures.learning_curves(
    np.arange(25_000, 500_001, 25_000), atterrisseur, titre, env="LunarLander-v3"
)

# %% [markdown]
# Un écart cent fois plus grand pèse dix mille fois plus dans la perte, cent fois plus dans le gradient ; cela n'a pas
# empêché d'apprendre. Une fois là-haut, les graines y restent-elles ?

# %%
bonnes = atterrisseur >= 200
fin, ensuite = 25_000 * (streak_end(bonnes, 3) + 1), after_success(bonnes, 3)
print(f"réussite au pas {number(np.median(fin))} (médiane), {number(fin.max())} (la plus lente)")
print(f"puis {number(100 * ensuite.mean(), 1)} % des évaluations au seuil")

# %% [markdown]
# Vingt graines, c'est peu : ce que l'on sait, c'est l'intervalle. Voici l'agent de l'une d'elles, gardé dans
# `checkpoints/`, qui se pose.

# %% tags=["nbval-ignore-output"]
pilote, BOX2D = load("../checkpoints/lunarlander_500000_pas.safetensors"), find_spec("Box2D")
if BOX2D:
    pose = play(pilote, seed=1, env="LunarLander-v3", render_mode="rgb_array")
    film = video.film(pilote, "../videos/lunarlander.mp4", seed=1, env="LunarLander-v3")
film if BOX2D else 'Il y faut Box2D : pip install "gymnasium[box2d]"'

# %% tags=["nbval-ignore-output"]
player(pose, names="LunarLander-v3") if BOX2D else None

# %% [markdown]
# ## 5. Dans quel ordre essayer
#
# Vous apportez un DQN à un problème que personne n'a résolu devant vous. Voici une page à garder. Les premières étapes ne
# coûtent que quelques minutes, et chacune peut épargner les suivantes.
#
# | | Question | Si non, ou si l'on ne sait pas | Le nombre à avoir |
# |:---|:---|:---|:---|
# | 1 | Mes règles passent-elles les **mondes** du [carnet 05](05_eprouver_ses_regles.ipynb), et mon programme ceux du [carnet 15](15_de_zero.ipynb) ? | Les réparer là : une faute s'y voit en quelques secondes | l'écart aux vraies valeurs, un dixième de la plus grande au plus |
# | 2 | Que valent le **hasard**, et une règle d'une ligne ? | Sans eux, un retour ne veut rien dire | deux moyennes, sur cent épisodes |
# | 3 | Le hasard voit-il des **retours** qui diffèrent ? | Prolonger les actions ; partir d'ailleurs ; sinon, un DQN seul a peu de chances d'y arriver | la part des épisodes au hasard dont le retour n'est pas le plus bas : quelques-uns sur cent, au moins |
# | 4 | Les **entrées** sont-elles à l'échelle ? | `input_scale="auto"`, ou l'inverse de chaque écart type | un écart type de 1 par composante |
# | 5 | L'**horizon** couvre-t-il ce qui compte ? | $1/(1-\gamma)$ au moins égal au nombre de pas entre un acte et sa conséquence | $1/(1-\gamma)$, en pas |
# | 6 | Quelle est l'échelle de **Q** ? | La lire dans des épisodes joués au hasard | la plus grande valeur, et la borne $R/(1-\gamma)$ |
# | 7 | Ai-je de quoi payer ? | Réduire le jeu, avant l'agent | nombre de pas × coût d'un pas, évaluations comprises |
# | 8 | **Trois graines**, un dixième du budget : le retour quitte-t-il le hasard ? | La clinique, avant tout réglage | le degré de chaque signe |
# | 9 | Dix graines, tout le budget : combien réussissent ? | Un seul réglage à la fois, du plus grossier (taux d'apprentissage, hasard) au plus fin | un compte et son intervalle |
# | 10 | Que vaut l'agent gardé, sur des **départs neufs** ? | C'est ce nombre que l'on annonce, non le meilleur de la courbe | la moyenne de cent épisodes |
#
# Que peut-on dire avec trois graines ? Peu, mais déjà quelque chose :

# %%
for graines in (3, 5, 10, 20, 100):
    toutes, aucune = exact_interval(graines, graines)[0], exact_interval(0, graines)[1]
    print(f"{graines} sur {graines} : au moins {number(100 * toutes)} % ;", end=" ")
    print(f"0 sur {graines} : au plus {number(100 * aucune)} %")

# %% [markdown]
# Trois échecs sur trois disent donc déjà qu'une recette échoue plus d'une fois sur quatre, et c'est assez pour en changer.
# Trois réussites disent seulement qu'elle réussit plus d'une fois sur quatre : c'est trop peu pour l'annoncer.
#
# ### Quand quitter le DQN
#
# | Votre problème | Pourquoi le DQN n'y convient plus | Vers quoi |
# |:---|:---|:---|
# | Les actions sont des nombres continus | le maximum sur les actions ne se calcule plus | SAC, TD3 : un second réseau choisit l'action |
# | On ne voit qu'une partie de l'état | une même observation cache des états de valeurs différentes | empiler des observations ; un réseau récurrent (DRQN) |
# | L'observation est une image | le réseau, la mémoire et le budget changent d'échelle | un réseau de convolution, et des millions de pas |
# | Le simulateur est très rapide, en milliers de copies | rejouer n'a plus guère d'intérêt | PPO : sans mémoire, il apprend la politique elle-même |
# | Le modèle est connu et petit | il n'y a rien à apprendre | programmation dynamique, planification |
# | On n'a que des données, sans simulateur | le maximum préfère les actions qu'elles ne montrent pas | apprentissage hors ligne : CQL rabaisse ces actions, IQL ne les évalue jamais |
# | La récompense n'arrive jamais par hasard | il n'y a rien à propager | des démonstrations, des récompenses d'étape, une prime à la nouveauté (curiosité) |

# %% [markdown]
# ## Ce que ce carnet ne montre pas
#
# Ni images, ni actions continues, ni jeux à deux. Quatre jeux ne font pas une loi : une recette choisie sur eux leur
# doit quelque chose, et un cinquième pourra la démentir. Le DQN de Mnih et coll. (2015) se contentait déjà d'une
# seule recette pour quarante-neuf jeux d'Atari, au prix de cinquante millions de décisions chacun.
#
# ## Ce qu'il faut retenir
#
# 1. Les règles ne changent pas ; ce qui change, ce sont des **échelles** : celles des entrées, des récompenses, de
#    l'horizon, du hasard. Elles se mesurent avant d'apprendre.
# 2. Avant de vous demander si un agent apprend, demandez-vous s'il **voit** quelque chose à apprendre : combien
#    d'épisodes joués au hasard ont un retour qui diffère des autres ?
# 3. Ce n'est pas plus de hasard qu'il faut, c'est un hasard qui va quelque part : des actions prolongées. De l'ε propre
#    à chaque copie, le carnet 14 doutera.
#
# Le [carnet 13](13_chercher_une_recette.ipynb) cherche une recette, et mesure comment une recherche trompe. Le
# [carnet 14](14_ce_qui_reste_vrai_ailleurs.ipynb) examine ce que valent, à ces jeux, les verdicts et les outils de
# CartPole ; vous y porterez un DQN vers un jeu de plus.
