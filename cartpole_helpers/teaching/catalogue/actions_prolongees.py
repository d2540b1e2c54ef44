"""Carnet 12 : prolonger une action au hasard, pour aller quelque part."""

import numpy as np
import torch

from cartpole_helpers.dqn import FREE, held_epsilon_greedy
from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def actions_prolongees(tirages, duree, actions):
    """Rend les actions (T,) d'un hasard qui prolonge chacune `duree` pas en moyenne.

    `tirages` : (T, 2), uniformes dans [0, 1), une ligne par pas. Au premier pas, on tire une
    action. Ensuite, si le premier nombre est sous `1 - 1/duree`, l'action d'avant est prolongée ;
    sinon, on en tire une. Tirer, c'est prendre, d'après le second nombre, l'une des `actions`
    actions, 0, 1…, toutes équiprobables ; ce peut être celle d'avant.
    """
    jouees = []
    for garde, choix in tirages:
        if not jouees or garde >= 1 - 1 / duree:
            action = int(choix * actions)
        jouees.append(action)
    return jouees


def draws(*rows: tuple[float, float]) -> np.ndarray:
    """Rend les tirages (T, 2) dont ce sont les lignes."""
    return np.array(rows)


def any_length(generator: np.random.Generator) -> Cases:
    for count, mean, actions in ((9, 2.0, 3), (20, 4.0, 2), (30, 10.0, 3), (12, 1.5, 5)):
        yield generator.integers(100, size=(count, 2)) / 100, mean, actions


EVERY = draws((0.9, 0.1), (0.2, 0.9), (0.7, 0.5), (0.0, 0.1))
PROPERTIES = (
    Property(
        "tire une action au premier pas, quoi que dise le premier nombre",
        [(draws((0.1, 0.9)), 5.0, 2), (draws((0.0, 0.5)), 100.0, 3)],
        "Au premier pas, rien n'est encore à prolonger : tirez.",
    ),
    Property(
        "ne prolonge rien si la durée vaut 1",
        [(EVERY, 1.0, 2), (EVERY, 1.0, 3)],
        "Avec une durée de 1, `1 - 1/duree` vaut 0 : chaque pas tire la sienne.",
    ),
    Property(
        "prolonge l'action d'avant sous `1 - 1/duree`, et en tire une sinon",
        [
            (draws((0.9, 0.9), (0.3, 0.1), (0.6, 0.1), (0.2, 0.9)), 2.0, 2),
            (draws((0.1, 0.4), (0.74, 0.9), (0.76, 0.9), (0.5, 0.1), (0.5, 0.4)), 4.0, 3),
        ],
        "Sous `1 - 1/duree`, répétez l'action d'avant ; au-dessus, tirez-en une.",
    ),
    Property(
        "tire parmi toutes les actions, celle d'avant comprise",
        [
            (draws((0.9, 0.1), (0.9, 0.3), (0.9, 0.55), (0.9, 0.95), (0.9, 0.9)), 2.0, 4),
            (draws((0.8, 0.4), (0.8, 0.5), (0.8, 0.99)), 3.0, 3),
        ],
        "Le second nombre, fois le nombre d'actions, arrondi en dessous, donne l'action.",
    ),
    Property(
        "vaut pour tous les tirages",
        any_length,
        "Un pas après l'autre : prolonger celle d'avant, ou tirer.",
    ),
)

CHANGES = """
rien n'est prolongé : if not jouees or garde >= 1 - 1 / duree: → if True:
    Vous tirez à chaque pas : rien n'est prolongé, et l'on tremble sur place.
prolongée pour toujours : if not jouees or garde >= 1 - 1 / duree: → if not jouees:
    La première action est prolongée pour toujours : il faut parfois en tirer une autre.
prolonger à l'envers : garde >= → garde <
    C'est à l'envers : sous `1 - 1/duree`, on prolonge l'action d'avant.
une chance de 1/duree de prolonger : 1 - 1 / duree → 1 / duree
    Vous prolongez avec la chance `1/duree` : plus la durée est longue, moins cela durerait.
une durée fixe : garde >= 1 - 1 / duree → len(jouees) % round(duree) == 0
    Vous changez à intervalles fixes : ici, le premier nombre en décide à chaque pas.
la durée plus un : 1 - 1 / duree → 1 - 1 / (duree + 1)
    Vous prolongez d'un pas de trop en moyenne : la chance de prolonger est `1 - 1/duree`.
les deux nombres échangés : for garde, choix in → for choix, garde in
    Vous avez échangé les deux nombres : le premier dit s'il faut prolonger, le second quoi.
un seul tirage pour deux questions : int(choix * actions) → int(garde * actions)
    Le même nombre décide de tirer et choisit l'action : on ne tirerait que les dernières.
deux actions seulement : int(choix * actions) → int(choix * 2)
    Vous ne tirez que parmi deux actions : ce jeu en a `actions`.
l'arrondi au plus proche : int(choix * actions) → round(choix * (actions - 1))
    Vous arrondissez au plus proche : la première et la dernière seraient deux fois plus rares.
toujours une autre : action = int(choix * actions) → autres = [a for a in range(actions) \
if not jouees or a != jouees[-1]]; action = autres[int(choix * len(autres))]
    Vous écartez l'action d'avant : toutes ont la même chance, elle comprise.
zéro au premier pas : jouees = [] → jouees, action = [], 0
+ not jouees or garde → garde
    Au premier pas, vous jouez 0 : il faut tirer.
une action de trop : int(choix * actions) → int(choix * (actions + 1))
    Vos actions vont de 0 à `actions` : il y en a une de trop.
comptées depuis 1 : int(choix * actions) → 1 + int(choix * actions)
    Vos actions commencent à 1 : elles se comptent depuis 0.
les changements seuls : action = int(choix * actions) → action = int(choix * actions); continue
    Vous n'écrivez que certains pas : il faut une action par ligne de tirages.
à l'envers du temps : return jouees → return jouees[::-1]
    Vous rendez la suite à rebours : le premier pas vient en premier.
"""


def with_the_rule(tirages, duree, actions):
    """La règle du paquet, à ε = 1."""
    q, held, played = torch.zeros(actions), torch.tensor(FREE), []
    for row in torch.as_tensor(tirages):
        action, held = held_epsilon_greedy(q, 1.0, duree, row, held)
        played.append(action.item())
    return played


def with_ranks(tirages, duree, actions):
    fresh = tirages[:, 0] >= 1 - 1 / duree
    fresh[0] = True
    last = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
    return np.floor(actions * tirages[last, 1]).astype(int)


EXERCISE = Exercise(actions_prolongees, PROPERTIES, CHANGES, variants=(with_the_rule, with_ranks))
