"""Les politiques de référence : des fonctions (N, 4) → (N,), comme le sera tout agent."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cartpole_helpers.cartpole import FORCE, dynamics
from cartpole_helpers.checks import check_array, check_number, check_seed
from cartpole_helpers.seeds import Purpose, stream

Policy = Callable[[np.ndarray], np.ndarray]
TURNS = 10_000  # d'une équation de Riccati qui converge : 518 pour le gain du cours


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
@np.errstate(all="ignore")  # un coût absurde déborde avant d'être refusé
def lqr_gain(state_cost: tuple = (1, 1, 10, 1), force_cost: float = 0.01) -> np.ndarray:
    """Rend le gain K (4,) du régulateur linéaire quadratique (LQR), où le poids de θ vaut 1.

    La force proportionnelle à K·s, de même signe, minimise
    Σ sᵀ diag(state_cost) s + force_cost · force² pour les équations linéarisées autour de la tige
    droite. Source : équation de Riccati discrète, itérée jusqu'à ce qu'elle ne bouge plus (Åström
    et Murray, Feedback Systems, chap. 7). ValueError si elle bouge encore après `TURNS` tours.
    """
    force_cost = check_number("force_cost", force_cost, float, above=0)
    cost = np.diag(check_array("state_cost", state_cost, (4,)).astype(float))
    transition, push = linearised_dynamics()
    value = cost
    for _ in range(TURNS):
        gain = (push @ value @ transition) / (force_cost + push @ value @ push)
        previous, value = value, cost + transition.T @ value @ (transition - np.outer(push, gain))
        if np.allclose(value, previous, rtol=1e-10, atol=0) and gain[2] != 0:
            break
    else:
        raise ValueError(
            "state_cost et force_cost doivent être tels que l'équation de Riccati converge : "
            f"{state_cost!r} et {force_cost!r} reçus."
        )
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
