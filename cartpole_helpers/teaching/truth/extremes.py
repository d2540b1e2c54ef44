"""Par en haut, première preuve : la tige tombe quoi qu'on fasse."""

import numpy as np

from cartpole_helpers.cartpole import THETA_LIMIT, dynamics, has_fallen
from cartpole_helpers.teaching.truth.notation import Survival

ORDERED_SPEED = 10.0  # rad/s : partie d'en deçà, la tige garde son ordre


def extremes(states: np.ndarray) -> Survival:
    """Ce que disent « toujours à droite » et « toujours à gauche » de la survie (N,).

    Par en bas, chacune est une suite d'actions. Par en haut : pour |θ| ≤ 12° et |θ̇| ≤ 12 rad/s, ce
    que ne dépasse pas une tige levée partie à 10 rad/s, α croît avec θ et décroît avec la force, et
    `θ̇ + τ·α` croît avec θ̇. Un pas conserve donc l'ordre de deux couples (θ, θ̇) : par récurrence,
    aucune suite d'actions ne met θ plus bas que « toujours à droite ». Quand celle-ci passe
    au-dessus de 12°, toutes y sont ou sont déjà tombées. Les arrondis n'y changent rien : une suite
    qui s'écarte de celle-ci s'en écarte aussitôt de plus de 0,01 rad, et ne s'en rapproche plus.
    """
    low, high = np.zeros(len(states)), np.full(len(states), np.inf)
    for action in (0, 1):
        fall, doom = _steadily(states, action)
        low, high = np.maximum(low, fall), np.minimum(high, doom)
    return Survival(low, high)


def _steadily(states: np.ndarray, action: int) -> tuple[np.ndarray, np.ndarray]:
    """Le pas de la chute en répétant `action`, et celui où la tige sort du côté d'où on la tire."""
    fall, doom = np.full(len(states), np.nan), np.full(len(states), np.inf)
    index, side, proof = np.arange(len(states)), 2 * action - 1, np.ones(len(states), bool)
    step = 0
    while len(index):
        step += 1
        proof &= np.abs(states[:, 3]) <= ORDERED_SPEED
        states = dynamics(states, np.full(len(index), action))
        ended = has_fallen(states) & np.isnan(fall[index])
        fall[index[ended]] = step
        out = np.abs(states[:, 2]) > THETA_LIMIT
        beyond = proof & (side * states[:, 2] > THETA_LIMIT)
        doom[index[beyond]] = step
        states, index, proof = states[~out], index[~out], proof[~out]
    return fall, doom
