"""Des états tirés dans une boîte, et des règles pour les jouer."""

import numpy as np

from cartpole_helpers.cartpole import THETA_LIMIT
from cartpole_helpers.policies import lqr, push_right_when, random_policy

BOX = np.array([2.4, 3.0, THETA_LIMIT, 3.5])
RULES = {
    "LQR": lqr,
    "hasard": random_policy(3),
    "freiner": lambda states: push_right_when(states @ [0.1, 0.4, 1, 0.3]),
    "revenir": lambda states: push_right_when(states @ [0.3, 0.3, 1, 0.2]),
}


def box(count, seed=0):
    return BOX * np.random.default_rng(seed).uniform(-1, 1, (count, 4))
