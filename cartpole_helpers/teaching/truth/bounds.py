"""Les bornes de la survie et de Q*, des preuves les moins chères aux plus chères."""

from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.checks import check_array, check_number
from cartpole_helpers.teaching.truth.extremes import extremes
from cartpole_helpers.teaching.truth.landing import kept
from cartpole_helpers.teaching.truth.notation import Survival
from cartpole_helpers.teaching.truth.search import refined
from cartpole_helpers.teaching.truth.table import HORIZON, doomed

CHUNK = 4096  # états traités ensemble : la mémoire en dépend, jamais le résultat
FEW = 64  # de même, quand rien ne borne la recherche
EXHAUSTIVE = 14  # pas : une survie aussi courte est toujours exacte
WIDTH = 4  # branches gardées par état à la première recherche
WIDER = 4  # et fois plus à chaque suivante


class Bounds(NamedTuple):
    """Les bornes de Q*(s, a), (N, 2) en float64, finies."""

    lower: np.ndarray
    upper: np.ndarray


def certify(states: np.ndarray, gamma: float, *, effort: int = 3) -> Bounds:
    """Encadre Q*(s, a) du CartPole sans fin : `states` (N, 4) → deux tableaux (N, 2).

    `gamma` : 0 ≤ γ < 1. `effort` : voir `survival`. Au pire, les bornes sont 1 et 1/(1 − γ). Un
    état déjà tombé est terminal : il vaut 0. Les bornes sont justes à l'arrondi de leur dernier
    calcul près, `(1 − γᵀ) / (1 − γ)`. TypeError ou ValueError si un argument ne convient pas.
    """
    gamma = check_number("gamma", gamma, float, low=0, below=1)
    low, high = survival(states, effort=effort)
    return Bounds(discounted(low, gamma), discounted(high, gamma))


def survival(states: np.ndarray, *, effort: int = 3) -> Survival:
    """Encadre la plus longue survie après chaque action : `states` (N, 4) → (N, 2), en pas.

    On compte le pas de la chute ; un état déjà tombé survit 0 pas. Une survie d'au plus
    `EXHAUSTIVE` pas est toujours exacte. `effort`, de 0 à 6 : le nombre de recherches, chacune
    quatre fois plus large que la précédente ; un effort de plus ne desserre jamais une borne.
    """
    states = check_array("states", states, (None, 4), np.float64)
    effort = check_number("effort", effort, int, low=0, high=6)
    with np.errstate(over="ignore", invalid="ignore"):  # une vitesse immense fait tomber aussitôt
        after = dynamics(np.repeat(states, 2, axis=0), np.tile([0, 1], len(states)))
    ended = np.repeat(has_fallen(states), 2)
    bounds = longest(after, ~ended & ~has_fallen(after), effort)
    return Survival(*(np.where(ended, 0, 1 + bound).reshape(-1, 2) for bound in bounds))


def viability_map(
    x: float, x_dot: float, thetas: np.ndarray, theta_dots: np.ndarray, *, effort: int = 1
) -> Survival:
    """Encadre la plus longue survie sur une grille de (θ, θ̇), à x et ẋ fixés.

    `thetas` (A,) en rad, `theta_dots` (B,) en rad/s → deux tableaux (A, B), en pas. Un état est
    perdu quand `high` est fini, sauvable pour toujours quand `low` est infini, sinon indécis.
    """
    x, x_dot = check_number("x", x, float), check_number("x_dot", x_dot, float)
    thetas = check_array("thetas", thetas, (None,), np.float64)
    theta_dots = check_array("theta_dots", theta_dots, (None,), np.float64)
    grid = np.stack(np.meshgrid(x, x_dot, thetas, theta_dots, indexing="ij"), axis=-1)
    low, high = survival(grid.reshape(-1, 4), effort=effort)
    shape = (len(thetas), len(theta_dots))
    return Survival(low.max(axis=1).reshape(shape), high.max(axis=1).reshape(shape))


def discounted(steps: np.ndarray, gamma: float) -> np.ndarray:
    """Rend `(1 − γᵀ) / (1 − γ)` pour T dans `steps` (...), exact aussi quand γ approche 1.

    C'est la somme des récompenses d'une survie de T pas, infinie au besoin ; 0 ≤ γ < 1.
    """
    if gamma == 0:
        return np.minimum(steps, 1.0)
    return -np.expm1(steps * np.log1p(-(1 - gamma))) / (1 - gamma)


def longest(states: np.ndarray, standing: np.ndarray, effort: int) -> Survival:
    """Encadre, par paquets, la plus longue survie (N,) de chaque état ; 0 hors de `standing`."""
    low, high = np.zeros((2, len(states)))
    for chunk in _chunks(np.flatnonzero(standing), CHUNK):
        low[chunk], high[chunk] = bounded(states[chunk], effort)
    return Survival(low, high)


def _chunks(index: np.ndarray, size: int) -> list[np.ndarray]:
    return [index[first : first + size] for first in range(0, len(index), size)]


def bounded(states: np.ndarray, effort: int) -> Survival:
    """Des preuves les moins chères aux plus chères, chacune pour les états encore indécis.

    Chaque effort prolonge le précédent, et chaque étape ne fait que resserrer.
    """
    low, high = extremes(states)
    todo = np.flatnonzero(low < high)
    low[todo] = np.maximum(low[todo], kept(states[todo]))
    todo = np.flatnonzero(low < high)
    high[todo] = np.minimum(high[todo], doomed(states[todo]))
    _refine(states, low, high, EXHAUSTIVE, WIDTH)
    _refine(states, low, high, EXHAUSTIVE, 2**EXHAUSTIVE, FEW)
    for search in range(effort):
        _refine(states, low, high, HORIZON, WIDTH * WIDER**search)
    return Survival(low, high)


def _refine(states, low, high, longest: int, width: int, size: int = CHUNK) -> None:
    """Resserre sur place les bornes (N,) encore ouvertes des survies d'au plus `longest` pas."""
    for todo in _chunks(np.flatnonzero((low < high) & (low <= longest)), size):
        low[todo], high[todo] = refined(states[todo], low[todo], high[todo], longest, width)
