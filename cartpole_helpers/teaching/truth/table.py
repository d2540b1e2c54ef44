"""Par en haut, deuxième preuve : le chariot sort quoi qu'on fasse."""

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
)
from cartpole_helpers.teaching.truth.notation import CENTRE, POLE_MOMENT, SLACK

HORIZON = 130  # pas
HALF_ROWS = 130  # cases de θ entre 0 et la limite ; une case de θ̇ est large de (case de θ) / τ
FASTEST = 4.2  # rad/s : au-delà, la tige tombe en `SOON` pas au plus
SOON = 7
WINDOWS = (0, 10, 20, 30)  # pas sur lesquels pèse chaque moyenne de x


class Table(NamedTuple):
    """Ce qu'il faut pour prouver qu'aucune suite d'actions ne survit K pas : un minorant de x.

    On moyenne x sur les derniers pas : `Σ_n λ_n·x_{K−n}`, de poids positifs, nuls au-delà d'une
    fenêtre, et de somme 1. Si cette moyenne dépasse 2,4 m pour toute suite d'actions où la tige
    reste levée jusqu'au pas K, toutes sont tombées au pas K. Comme `x = y − c·θ`, sommer
    `y' = y + τ·z` et `z' = z + τ·e` donne
    `y + (K − Σ_n n·λ_n)·τ·z + Σ_i (τ²·Λ_i·e_{K−i} − c·λ_i·θ_{K−i})`,
    avec `Λ_i = Σ_{n ≤ i−2} λ_n·(i − 1 − n)`. La dernière somme ne dépend que de (θ, θ̇). Son
    minimum `W_K` obéit à la programmation dynamique : il est infini si la tige est tombée, sinon
    `W_i = min_a (τ²·Λ_i·e(θ, θ̇, a) + W_{i−1}(suivant)) − c·λ_i·θ`.
    La table le minore sur chaque case de (θ, θ̇) : elle y minore `e` et −θ, et prend pour `W_{i−1}`
    le minimum sur toutes les cases que touche l'image de la case. La gauche est le miroir de la
    droite. Cette preuve vaut pour les réels ; des flottants partis du même état en restent à moins
    de 1e-9 pendant `HORIZON` pas, et `SLACK` élargit les limites de bien plus.

    Tous les poids sont permis. Ceux que l'on prend, `λ_i = τ²·(g/c)·Λ_i`, annulent au premier ordre
    le poids de l'angle dans la fenêtre : basculer la tige n'y rapporte plus rien au chariot.
    """

    values: np.ndarray  # (HORIZON + 1, cases, fenêtres) en float32
    leads: np.ndarray  # (fenêtres,) : les `Σ n·λ_n`

    def margins(self, where: "Cells", ahead: np.ndarray | int) -> np.ndarray:
        """Ce qui manque (N,), en m, pour prouver qu'on est tombé dans `ahead` pas."""
        centre = where.y + (np.asarray(ahead)[..., None] - self.leads) * TIME_STEP * where.z
        least = centre + self.values[ahead, where.cell]  # (2, N, fenêtres)
        return X_LIMIT + SLACK - least.max(axis=(0, -1))


class Cells(NamedTuple):
    """La place d'états dans la table, tels quels et en miroir : (2, N), ou (2, N, 1)."""

    y: np.ndarray
    z: np.ndarray
    cell: np.ndarray


def cells_of(states: np.ndarray) -> Cells:
    """Range des états (N, 4) dans la table."""
    x, x_dot, theta, theta_dot = np.moveaxis(np.stack([states, -states]), -1, 0)
    width, count = cell_width(), column_count()
    row = np.clip(np.floor(theta / width) + HALF_ROWS, 0, 2 * HALF_ROWS - 1)
    column = np.clip(np.floor(theta_dot * TIME_STEP / width) + count + 1, 0, 2 * count + 1)
    cell = (row * (2 * count + 2) + column).astype(np.intp)
    return Cells((x + CENTRE * theta)[..., None], (x_dot + CENTRE * theta_dot)[..., None], cell)


def cell_width() -> float:
    """La largeur d'une case : de θ, en rad ; de θ̇, en rad par pas."""
    return (THETA_LIMIT + SLACK) / HALF_ROWS


def column_count() -> int:
    """Le nombre de cases de θ̇ entre 0 et au moins `FASTEST`."""
    return int(np.ceil(FASTEST * TIME_STEP / cell_width()))


@cache
def filled() -> Table:
    """Remplit la table une fois par processus : environ une seconde, et soixante mégaoctets."""
    means, pulls = map(
        np.array, zip(*map(weights, WINDOWS), strict=True)
    )  # (fenêtres, HORIZON + 1)
    grid, count = Grid(), column_count()
    values = np.full((HORIZON + 1, 2 * HALF_ROWS, 2 * count + 2, len(WINDOWS)), -np.inf, np.float32)
    least = np.repeat(-CENTRE * means[:, 0] * grid.highest, 2 * count, axis=1)
    for ahead in range(1, HORIZON + 1):
        least = grid.step(least, ahead, pulls[:, ahead]) - CENTRE * means[:, ahead] * grid.highest
        proved = np.array(WINDOWS) <= ahead
        values[ahead, :, 1:-1, proved] = np.moveaxis(least[..., proved] - SLACK, -1, 0)
    leads = means @ np.arange(HORIZON + 1)
    return Table(values.reshape(HORIZON + 1, -1, len(WINDOWS)), leads)


def weights(window: int) -> tuple[np.ndarray, np.ndarray]:
    """Les λ_n et les Λ_i d'une fenêtre, pour n et i de 0 à `HORIZON`."""
    means, pulls = np.zeros(HORIZON + 1), np.zeros(HORIZON + 1)
    means[0] = 1
    for i in range(2, HORIZON + 1):
        pulls[i] = pulls[i - 1] + means[: i - 1].sum()
        means[i] = TIME_STEP**2 * GRAVITY / CENTRE * pulls[i] if i <= window else 0
    return means / means.sum(), pulls / means.sum()


class Grid:
    """Les cases de (θ, θ̇), où va chacune sous chaque action, et ce que son pas coûte au moins.

    Une case de θ̇ vaut exactement une case de θ par pas : l'image d'une case couvre deux lignes.
    Hors des colonnes, |θ̇| > 4,2 rad/s, et la tige tombe en `SOON` pas : |α| valant au plus
    `18 + 0,016·θ̇²`, elle y parcourt plus de 24°. Le minorant −1 m, plus tôt, est large : sur si peu
    de pas, la somme vaut au moins −0,17 m.
    """

    def __init__(self):
        width, self.count = cell_width(), column_count()
        self.angles = np.arange(-HALF_ROWS, HALF_ROWS + 1) * width
        self.speeds = np.arange(-self.count, self.count + 1) * width / TIME_STEP
        self.highest = self.angles[1:, None, None]  # (lignes, 1, 1)
        self.moves = [self._move(force) for force in (-FORCE, FORCE)]

    def step(self, least: np.ndarray, ahead: int, pull: np.ndarray) -> np.ndarray:
        """Le minorant W_i (lignes, colonnes, fenêtres), aux termes en θ près, tiré de W_{i−1}."""
        lines = self.lines(least, ahead - 1)
        costs = [lines[cells].min(axis=0) + TIME_STEP**2 * pull * e for cells, e in self.moves]
        return np.minimum(*costs)

    def lines(self, least: np.ndarray, ahead: int) -> np.ndarray:
        """W bordé, réduit au minimum de deux lignes voisines, à plat : (cases, fenêtres)."""
        rows, columns, windows = least.shape
        margin = self.count + 1
        wide = np.full((rows, columns + 2, windows), -1.0 if ahead < SOON else np.inf)
        wide[:, 1:-1] = least
        tall = np.pad(wide, ((margin, margin), (0, 0), (0, 0)), constant_values=np.inf)
        return np.minimum(tall[:-1], tall[1:]).reshape(-1, windows)

    def _move(self, force: float) -> tuple[np.ndarray, np.ndarray]:
        """Les cases atteintes (largeur, lignes, colonnes) et le minorant de `e` (…, 1)."""
        slowest, fastest = self._accelerations(force)
        step = cell_width() / TIME_STEP
        first = np.floor((self.speeds[:-1] + TIME_STEP * slowest) / step - SLACK)
        last = np.floor((self.speeds[1:] + TIME_STEP * fastest) / step + SLACK)
        across = np.arange((last - first).max() + 1)[:, None, None]
        columns = np.clip(np.minimum(first + across, last) + self.count + 1, 0, 2 * self.count + 1)
        rows = np.add.outer(np.arange(2 * HALF_ROWS), np.arange(2 * self.count)) + 1
        cells = rows * (2 * self.count + 2) + columns
        return cells.astype(np.intp), self._leasts(fastest)[..., None]

    def _accelerations(self, force: float) -> tuple[np.ndarray, np.ndarray]:
        """Le minimum et le maximum de α sur chaque case : aux coins, α y étant monotone en chacun.

        Croissante en θ (voir `extremes`) ; en θ̇, du signe de −θ·θ̇, constant sur une case.
        """
        alphas = _pole_acceleration(self.angles[:, None], self.speeds, force)
        corners = [alphas[:-1, :-1], alphas[:-1, 1:], alphas[1:, :-1], alphas[1:, 1:]]
        return np.min(corners, axis=0), np.max(corners, axis=0)

    def _leasts(self, fastest: np.ndarray) -> np.ndarray:
        """Un minorant de `e = g·tan θ − c·(1/cos θ − 1)·α` sur chaque case."""
        size = np.sort(np.abs([self.angles[:-1], self.angles[1:]]), axis=0)
        near, far = (1 / np.cos(size) - 1)[..., None]
        return GRAVITY * np.tan(self.angles[:-1, None]) - CENTRE * np.maximum(
            near * fastest, far * fastest
        )


def _pole_acceleration(theta: np.ndarray, theta_dot: np.ndarray, force: float) -> np.ndarray:
    """L'accélération α de la tige, en rad/s², selon `dynamics` : θ (rad), θ̇ (rad/s), force (N)."""
    sin, cos = np.sin(theta), np.cos(theta)
    push = (force + POLE_MOMENT * theta_dot**2 * sin) / TOTAL_MASS
    inertia = HALF_LENGTH * (4 / 3 - POLE_MASS * cos**2 / TOTAL_MASS)
    return (GRAVITY * sin - cos * push) / inertia


def doomed(states: np.ndarray) -> np.ndarray:
    """Le premier pas (N,) où la table prouve la chute ; infini sinon."""
    where, doom = cells_of(states), np.full(len(states), np.inf)
    for ahead in range(HORIZON, 0, -1):
        doom[filled().margins(where, ahead) < 0] = ahead
    return doom
