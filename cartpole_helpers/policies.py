"""Les politiques de référence : des fonctions (N, 4) → (N,), comme le sera tout agent."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cartpole_helpers.cartpole import FORCE, dynamics
from cartpole_helpers.checks import check_array, check_seed
from cartpole_helpers.seeds import Purpose, stream

Policy = Callable[[np.ndarray], np.ndarray]


def random_policy(seed: int = 0) -> Policy:
    """Rend une politique qui tire à pile ou face, reproductible par sa graine."""
    generator = stream(check_seed("seed", seed), Purpose.POLICY)

    def toss(observations: np.ndarray) -> np.ndarray:
        return generator.integers(2, size=len(_checked(observations)))

    return toss


def push_by_angle(observations: np.ndarray) -> np.ndarray:
    """Pousse du côté où la tige penche : à droite quand θ > 0."""
    return push_right_when(_checked(observations)[:, 2])


def push_by_velocity(observations: np.ndarray) -> np.ndarray:
    """Pousse du côté où la tige tourne : à droite quand θ̇ > 0."""
    return push_right_when(_checked(observations)[:, 3])


def push_by_angle_and_velocity(observations: np.ndarray) -> np.ndarray:
    """Pousse à droite quand θ + θ̇ > 0 : l'angle et sa tendance."""
    observations = _checked(observations)
    return push_right_when(observations[:, 2] + observations[:, 3])


def lqr(observations: np.ndarray) -> np.ndarray:
    """Pousse à droite quand K·s > 0, K étant le gain rendu par `lqr_gain`."""
    return push_right_when(_checked(observations) @ lqr_gain())


@cache
def lqr_gain(state_cost: tuple = (1, 1, 10, 1), force_cost: float = 0.01) -> np.ndarray:
    """Rend le gain K (4,) du régulateur linéaire quadratique (LQR), où le poids de θ vaut 1.

    La force proportionnelle à K·s, de même signe, minimise
    Σ sᵀ diag(state_cost) s + force_cost · force² pour les équations linéarisées autour de la tige
    droite. Source : équation de Riccati discrète, itérée jusqu'à ce qu'elle ne bouge plus (Åström
    et Murray, Feedback Systems, chap. 7).
    """
    transition, push = linearised_dynamics()
    cost = np.diag(state_cost).astype(float)
    value, previous = cost, np.zeros_like(cost)
    while not np.allclose(value, previous, rtol=1e-10, atol=0):
        gain = (push @ value @ transition) / (force_cost + push @ value @ push)
        previous, value = value, cost + transition.T @ value @ (transition - np.outer(push, gain))
    gain = gain / gain[2]
    gain.setflags(write=False)  # gardé en cache : un appelant ne doit pas pouvoir l'abîmer
    return gain


def linearised_dynamics(step: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """Rend les matrices A (4, 4) et b (4,) de s' ≈ A·s + b·force, autour de s = 0.

    Différences centrées de pas `step` sur `dynamics` ; les équations étant affines en
    la force, la moyenne des deux poussées donne exactement la force nulle.
    """
    nudges = step * np.vstack([np.eye(4), -np.eye(4)])
    left, right = dynamics(nudges, 0), dynamics(nudges, 1)
    ahead, behind = np.split((left + right) / 2, 2)
    push = (dynamics(np.zeros(4), 1) - dynamics(np.zeros(4), 0)) / (2 * FORCE)
    return (ahead - behind).T / (2 * step), push


def push_right_when(tendency: np.ndarray) -> np.ndarray:
    """Rend 1 (droite) là où `tendency` (N,) est strictement positif, 0 (gauche) ailleurs."""
    return (tendency > 0).astype(np.int64)


def _checked(observations: np.ndarray) -> np.ndarray:
    return check_array("observations", observations, (None, 4))
