"""Les notations communes aux preuves : les bornes de la survie, les constantes, la marge.

Notations. `l` : la demi-longueur de la tige ; `c = 4l/3` ; `m` et `M` : la masse de la tige, la
masse totale ; `τ` : le pas de temps ; `α` et `κ` : les accélérations de la tige et du chariot ;
`y = x + c·θ` et `z = ẋ + c·θ̇`. Les équations donnent exactement `κ = g·tan θ − c·α / cos θ`, donc
`y' = y + τ·z` et `z' = z + τ·e`, où `e = κ + c·α = g·tan θ − c·(1/cos θ − 1)·α` ne dépend presque
plus de la force.
"""

from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import HALF_LENGTH, POLE_MASS, TOTAL_MASS

CENTRE = 4 * HALF_LENGTH / 3  # m : c, la distance de l'articulation au centre d'oscillation
POLE_MOMENT = POLE_MASS * HALF_LENGTH
INERTIA = HALF_LENGTH * (4 / 3 - POLE_MASS / TOTAL_MASS)  # `l·(4/3 − m·cos² θ / M)` en θ = 0
SLACK = 1e-6  # ajouté à chaque limite : il couvre les arrondis, des milliers de fois plus petits


class Survival(NamedTuple):
    """Les bornes de la plus longue survie, en pas, en float64 ; l'infini est une survie sans fin.

    `low` est prouvée possible, `high` prouvée indépassable (infinie quand on n'en sait rien).
    """

    low: np.ndarray
    high: np.ndarray
