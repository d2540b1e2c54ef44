"""Par en bas : des suites d'actions qui survivent, et une règle qui tient pour toujours."""

from functools import cache
from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import (
    FORCE,
    GRAVITY,
    HALF_LENGTH,
    POLE_MASS,
    THETA_LIMIT,
    TIME_STEP,
    TOTAL_MASS,
    X_LIMIT,
    dynamics,
    has_fallen,
)
from cartpole_helpers.policies import Policy, push_right_when
from cartpole_helpers.teaching.truth.notation import CENTRE, INERTIA, POLE_MOMENT, SLACK

ROLLOUT = 200  # pas : durée des essais de chaque règle
PATIENT_GAIN = np.array([0.04, 0.1, 1.0, 0.25])  # une règle trouvée à l'essai : elle sauve de loin

# La règle de `Landing` : une force −K·s, et le domaine où elle est prouvée
LANDING_GAIN = np.array([20.5, 40.0, 368.0, 67.0])  # N par m, m/s, rad, rad/s
LANDING_SPEED = 1.46  # rad/s ; l'angle, lui, n'y est borné que par la chute


def kept(states: np.ndarray) -> np.ndarray:
    """La survie (N,) sous la meilleure de quelques règles ; infinie si elle est prouvée telle."""
    best = np.zeros(len(states))
    for gain in (LANDING_GAIN, PATIENT_GAIN):
        todo = np.flatnonzero(best < np.inf)
        best[todo] = np.maximum(best[todo], rolled(states[todo], _signed(gain)))
    return best


def rolled(states: np.ndarray, rule: Policy) -> np.ndarray:
    """La survie (N,) sous `rule`, suivie `ROLLOUT` pas, ou jusqu'à pouvoir atterrir."""
    steps, index = np.full(len(states), float(ROLLOUT)), np.arange(len(states))
    for step in range(ROLLOUT):
        landed = domain().holds(states)
        steps[index[landed]] = np.inf
        states, index = states[~landed], index[~landed]
        states = dynamics(states, rule(states))
        fallen = has_fallen(states)
        steps[index[fallen]] = step + 1
        states, index = states[~fallen], index[~fallen]
    return steps


def _signed(gain: np.ndarray) -> Policy:
    return lambda states: push_right_when(states @ gain)


class Landing(NamedTuple):
    """Les états d'où pousser selon le signe de `K·s`, à ±10 N, ne laisse jamais tomber.

    Preuve. La règle applique la force `K·s + w`, où `|w| ≤ 10` tant que `|K·s| ≤ 20`, en newtons.
    Le pas s'écrit `s' = A·s + b·force + ρ` : A et b linéarisent en 0 ; le reste ρ, nul sauf en ẋ et
    en θ̇, se décompose en `b·μ + η·(0, 1, 0, 0)`, avec μ et η bornés tant que θ et θ̇ le sont
    (`residuals`). Soit `F = A + b·K`. Tant que les quatre limites (x, θ, θ̇ et `K·s`) tiennent,
    `s_t = Fᵗ·s_0 + Σ_{i<t} Fⁱ·(b·(w + μ) + η·(0, 1, 0, 0))`.
    Pour chacune de ces grandeurs r, `|r·s_t| ≤ Σ_k |r·v_k|·|u_k·s_0| + S_r` : les `v_k` et les
    `u_k` sont les vecteurs propres de F, à droite et à gauche, ses valeurs propres sont de module
    inférieur à 1, et `S_r` majore la somme. Si ce majorant respecte les quatre limites, elles
    tiennent au temps 0 donc, par récurrence, à tout temps. Les arrondis, un bruit de plus, sont
    bien plus petits que `SLACK`.
    """

    modes: np.ndarray  # (4, 4) : les `u_k` en lignes
    shares: np.ndarray  # (4, 4) : les `|r·v_k|`, r en lignes
    room: np.ndarray  # (4,) : les limites moins les `S_r`

    def holds(self, states: np.ndarray) -> np.ndarray:
        """Dit de quels états (N, 4) la règle tient à jamais : (N,) booléens."""
        return (np.abs(states @ self.modes.T) @ self.shares.T <= self.room).all(axis=-1)


@cache
def domain() -> Landing:
    """Le domaine prouvé, calculé une fois par processus."""
    closed = linear() + np.outer(push(), LANDING_GAIN)
    rows = np.vstack([np.eye(4)[[0, 2, 3]], LANDING_GAIN])
    vectors = np.linalg.eig(closed).eigenvectors
    matched, unmatched = residuals(THETA_LIMIT, LANDING_SPEED)
    noise = np.stack([(FORCE + matched) * push(), [0, unmatched, 0, 0]])  # (2, 4)
    limits = np.array([X_LIMIT, THETA_LIMIT, LANDING_SPEED, 2 * FORCE])
    room = limits - series(closed, rows, noise) - SLACK
    return Landing(np.linalg.inv(vectors), np.abs(rows @ vectors), room)


def linear() -> np.ndarray:
    """A (4, 4), la dérivée exacte de `dynamics` en 0."""
    tilt = GRAVITY / INERTIA
    rates = np.zeros((4, 4))
    rates[0, 1] = rates[2, 3] = 1
    rates[1, 2], rates[3, 2] = GRAVITY - CENTRE * tilt, tilt
    return np.eye(4) + TIME_STEP * rates


def push() -> np.ndarray:
    """Le vecteur b (4,), l'effet exact d'un newton en 0."""
    turn = -1 / (TOTAL_MASS * INERTIA)
    return TIME_STEP * np.array([0, -CENTRE * turn, 0, turn])


def residuals(angle: float, speed: float) -> tuple[float, float]:
    """Les bornes de |μ|, en newtons, et de |η|, en m/s, pour |θ| ≤ `angle` et |θ̇| ≤ `speed`.

    μ est l'écart de α à sa linéarisée, compté en force. Soit `D(θ) = l·(4/3 − m·cos² θ / M)`, au
    moins D(0) : `θ/D(0) − sin θ/D(θ)` et `1/D(0) − cos θ/D(θ)` croissent avec |θ|. Et
    `η = τ·(g·(tan θ − θ) − c·α·(1/cos θ − 1))`.
    """
    sin, cos = np.sin(angle), np.cos(angle)
    inertia = HALF_LENGTH * (4 / 3 - POLE_MASS * cos**2 / TOTAL_MASS)
    spin = POLE_MOMENT * speed**2 * sin
    fastest = (GRAVITY * sin + (FORCE + spin) / TOTAL_MASS) / INERTIA
    gap = (
        GRAVITY * (angle / INERTIA - sin / inertia)
        + FORCE / TOTAL_MASS * (1 / INERTIA - cos / inertia)
        + spin / (TOTAL_MASS * INERTIA)
    )
    leak = GRAVITY * (np.tan(angle) - angle) + CENTRE * fastest * (1 / cos - 1)
    return gap * TOTAL_MASS * INERTIA, TIME_STEP * leak


def series(closed: np.ndarray, rows: np.ndarray, noise: np.ndarray, terms: int = 5000):
    """Rend `Σ_i |r·Fⁱ·n|`, sommé sur les bruits n, pour chaque ligne r, à mieux que 1e-9 près."""
    total = np.zeros(len(rows))
    for _ in range(terms):
        total += np.abs(rows @ noise.T).sum(axis=1)
        noise = noise @ closed.T
    return total
