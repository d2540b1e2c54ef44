"""La vérité sur CartPole : des bornes prouvées de la durée de survie, donc de Q*, état par état.

Le problème est sans fin : ni limite de 500 pas, ni autre issue que la chute. Chaque pas rapporte 1,
celui de la chute compris : `Q*(s, a) = (1 − γᵀ) / (1 − γ)`, où T est la plus longue survie possible
après l'action a, en pas, chute comprise. Tout se prouve donc sur T, en nombres entiers, et γ
n'entre qu'à la fin.

Par en bas, T est atteint : on simule, au bit près, des suites d'actions qui survivent ; ou bien
on arrive là où une règle tient pour toujours, ce que prouve `_Landing`. Par en haut, il y a trois
preuves : la tige tombe quoi qu'on fasse (`_extremes`), le chariot sort quoi qu'on fasse (`_Table`),
ou une recherche qui n'a rien écarté sans preuve n'a trouvé aucune suite d'actions (`_search`).

Notations. `l` : la demi-longueur de la tige ; `c = 4l/3` ; `m` et `M` : la masse de la tige, la
masse totale ; `τ` : le pas de temps ; `α` et `κ` : les accélérations de la tige et du chariot ;
`y = x + c·θ` et `z = ẋ + c·θ̇`. Les équations donnent exactement `κ = g·tan θ − c·α / cos θ`, donc
`y' = y + τ·z` et `z' = z + τ·e`, où `e = κ + c·α = g·tan θ − c·(1/cos θ − 1)·α` ne dépend presque
plus de la force.
"""

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
from cartpole_helpers.checks import check_array, check_number
from cartpole_helpers.policies import Policy, push_right_when

CENTRE = 4 * HALF_LENGTH / 3  # m : c, la distance de l'articulation au centre d'oscillation
POLE_MOMENT = POLE_MASS * HALF_LENGTH
INERTIA = HALF_LENGTH * (4 / 3 - POLE_MASS / TOTAL_MASS)  # `l·(4/3 − m·cos² θ / M)` en θ = 0
SLACK = 1e-6  # ajouté à chaque limite : il couvre les arrondis, des milliers de fois plus petits

CHUNK = 4096  # états traités ensemble : la mémoire en dépend, jamais le résultat
FEW = 64  # de même, quand rien ne borne la recherche
EXHAUSTIVE = 14  # pas : une survie aussi courte est toujours exacte
ROLLOUT = 200  # pas : durée des essais de chaque règle
WIDTH = 4  # branches gardées par état à la première recherche
WIDER = 4  # et fois plus à chaque suivante

# La table de `_Table`
HORIZON = 130  # pas
HALF_ROWS = 130  # cases de θ entre 0 et la limite ; une case de θ̇ est large de (case de θ) / τ
FASTEST = 4.2  # rad/s : au-delà, la tige tombe en `SOON` pas au plus
SOON = 7
WINDOWS = (0, 10, 20, 30)  # pas sur lesquels pèse chaque moyenne de x

PATIENT_GAIN = np.array([0.04, 0.1, 1.0, 0.25])  # une règle trouvée à l'essai : elle sauve de loin
ORDERED_SPEED = 10.0  # rad/s : partie d'en deçà, la tige garde son ordre (`_extremes`)

# La règle de `_Landing` : une force −K·s, et le domaine où elle est prouvée
LANDING_GAIN = np.array([20.5, 40.0, 368.0, 67.0])  # N par m, m/s, rad, rad/s
LANDING_SPEED = 1.46  # rad/s ; l'angle, lui, n'y est borné que par la chute


class Survival(NamedTuple):
    """Les bornes de la plus longue survie, en pas, en float64 ; l'infini est une survie sans fin.

    `low` est prouvée possible, `high` prouvée indépassable (infinie quand on n'en sait rien).
    """

    low: np.ndarray
    high: np.ndarray


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
    bounds = _longest(after, ~ended & ~has_fallen(after), effort)
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


def _longest(states: np.ndarray, standing: np.ndarray, effort: int) -> Survival:
    """Encadre, par paquets, la plus longue survie (N,) de chaque état ; 0 hors de `standing`."""
    low, high = np.zeros((2, len(states)))
    for chunk in _chunks(np.flatnonzero(standing), CHUNK):
        low[chunk], high[chunk] = _bounded(states[chunk], effort)
    return Survival(low, high)


def _chunks(index: np.ndarray, size: int) -> list[np.ndarray]:
    return [index[first : first + size] for first in range(0, len(index), size)]


def _bounded(states: np.ndarray, effort: int) -> Survival:
    """Des preuves les moins chères aux plus chères, chacune pour les états encore indécis.

    Chaque effort prolonge le précédent, et chaque étape ne fait que resserrer.
    """
    low, high = _extremes(states)
    todo = np.flatnonzero(low < high)
    low[todo] = np.maximum(low[todo], _kept(states[todo]))
    todo = np.flatnonzero(low < high)
    high[todo] = np.minimum(high[todo], _doomed(states[todo]))
    _refine(states, low, high, EXHAUSTIVE, WIDTH)
    _refine(states, low, high, EXHAUSTIVE, 2**EXHAUSTIVE, FEW)
    for search in range(effort):
        _refine(states, low, high, HORIZON, WIDTH * WIDER**search)
    return Survival(low, high)


def _refine(states, low, high, longest: int, width: int, size: int = CHUNK) -> None:
    """Resserre sur place les bornes (N,) encore ouvertes des survies d'au plus `longest` pas."""
    for todo in _chunks(np.flatnonzero((low < high) & (low <= longest)), size):
        low[todo], high[todo] = _refined(states[todo], low[todo], high[todo], longest, width)


# Par en bas : des suites d'actions qui survivent


def _kept(states: np.ndarray) -> np.ndarray:
    """La survie (N,) sous la meilleure de quelques règles ; infinie si elle est prouvée telle."""
    best = np.zeros(len(states))
    for gain in (LANDING_GAIN, PATIENT_GAIN):
        todo = np.flatnonzero(best < np.inf)
        best[todo] = np.maximum(best[todo], _rolled(states[todo], _signed(gain)))
    return best


def _rolled(states: np.ndarray, rule: Policy) -> np.ndarray:
    """La survie (N,) sous `rule`, suivie `ROLLOUT` pas, ou jusqu'à pouvoir atterrir."""
    steps, index = np.full(len(states), float(ROLLOUT)), np.arange(len(states))
    for step in range(ROLLOUT):
        landed = _landing().holds(states)
        steps[index[landed]] = np.inf
        states, index = states[~landed], index[~landed]
        states = dynamics(states, rule(states))
        fallen = has_fallen(states)
        steps[index[fallen]] = step + 1
        states, index = states[~fallen], index[~fallen]
    return steps


def _signed(gain: np.ndarray) -> Policy:
    return lambda states: push_right_when(states @ gain)


class _Landing(NamedTuple):
    """Les états d'où pousser selon le signe de `K·s`, à ±10 N, ne laisse jamais tomber.

    Preuve. La règle applique la force `K·s + w`, où `|w| ≤ 10` tant que `|K·s| ≤ 20`, en newtons.
    Le pas s'écrit `s' = A·s + b·force + ρ` : A et b linéarisent en 0 ; le reste ρ, nul sauf en ẋ et
    en θ̇, se décompose en `b·μ + η·(0, 1, 0, 0)`, avec μ et η bornés tant que θ et θ̇ le sont
    (`_residuals`). Soit `F = A + b·K`. Tant que les quatre limites (x, θ, θ̇ et `K·s`) tiennent,
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
def _landing() -> _Landing:
    closed = _linear() + np.outer(_push(), LANDING_GAIN)
    rows = np.vstack([np.eye(4)[[0, 2, 3]], LANDING_GAIN])
    vectors = np.linalg.eig(closed).eigenvectors
    matched, unmatched = _residuals(THETA_LIMIT, LANDING_SPEED)
    noise = np.stack([(FORCE + matched) * _push(), [0, unmatched, 0, 0]])  # (2, 4)
    limits = np.array([X_LIMIT, THETA_LIMIT, LANDING_SPEED, 2 * FORCE])
    room = limits - _series(closed, rows, noise) - SLACK
    return _Landing(np.linalg.inv(vectors), np.abs(rows @ vectors), room)


def _linear() -> np.ndarray:
    """A (4, 4), la dérivée exacte de `dynamics` en 0."""
    tilt = GRAVITY / INERTIA
    rates = np.zeros((4, 4))
    rates[0, 1] = rates[2, 3] = 1
    rates[1, 2], rates[3, 2] = GRAVITY - CENTRE * tilt, tilt
    return np.eye(4) + TIME_STEP * rates


def _push() -> np.ndarray:
    """b (4,), l'effet exact d'un newton en 0."""
    turn = -1 / (TOTAL_MASS * INERTIA)
    return TIME_STEP * np.array([0, -CENTRE * turn, 0, turn])


def _residuals(angle: float, speed: float) -> tuple[float, float]:
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


def _series(closed: np.ndarray, rows: np.ndarray, noise: np.ndarray, terms: int = 5000):
    """Rend `Σ_i |r·Fⁱ·n|`, sommé sur les bruits n, pour chaque ligne r, à mieux que 1e-9 près."""
    total = np.zeros(len(rows))
    for _ in range(terms):
        total += np.abs(rows @ noise.T).sum(axis=1)
        noise = noise @ closed.T
    return total


# Par en haut : la tige tombe quoi qu'on fasse


def _extremes(states: np.ndarray) -> Survival:
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


# Par en haut : le chariot sort quoi qu'on fasse


class _Table(NamedTuple):
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

    def margins(self, where: "_Cells", ahead: np.ndarray | int) -> np.ndarray:
        """Ce qui manque (N,), en m, pour prouver qu'on est tombé dans `ahead` pas."""
        centre = where.y + (np.asarray(ahead)[..., None] - self.leads) * TIME_STEP * where.z
        least = centre + self.values[ahead, where.cell]  # (2, N, fenêtres)
        return X_LIMIT + SLACK - least.max(axis=(0, -1))


class _Cells(NamedTuple):
    """La place d'états dans la table, tels quels et en miroir : (2, N), ou (2, N, 1)."""

    y: np.ndarray
    z: np.ndarray
    cell: np.ndarray


def _cells(states: np.ndarray) -> _Cells:
    x, x_dot, theta, theta_dot = np.moveaxis(np.stack([states, -states]), -1, 0)
    width, count = _cell_width(), _column_count()
    row = np.clip(np.floor(theta / width) + HALF_ROWS, 0, 2 * HALF_ROWS - 1)
    column = np.clip(np.floor(theta_dot * TIME_STEP / width) + count + 1, 0, 2 * count + 1)
    cell = (row * (2 * count + 2) + column).astype(np.intp)
    return _Cells((x + CENTRE * theta)[..., None], (x_dot + CENTRE * theta_dot)[..., None], cell)


def _cell_width() -> float:
    """La largeur d'une case : de θ, en rad ; de θ̇, en rad par pas."""
    return (THETA_LIMIT + SLACK) / HALF_ROWS


def _column_count() -> int:
    """Le nombre de cases de θ̇ entre 0 et au moins `FASTEST`."""
    return int(np.ceil(FASTEST * TIME_STEP / _cell_width()))


@cache
def _table() -> _Table:
    """Remplit la table une fois par processus : environ une seconde, et soixante mégaoctets."""
    means, pulls = map(np.array, zip(*map(_means, WINDOWS), strict=True))  # (fenêtres, HORIZON + 1)
    grid, count = _Grid(), _column_count()
    values = np.full((HORIZON + 1, 2 * HALF_ROWS, 2 * count + 2, len(WINDOWS)), -np.inf, np.float32)
    least = np.repeat(-CENTRE * means[:, 0] * grid.highest, 2 * count, axis=1)
    for ahead in range(1, HORIZON + 1):
        least = grid.step(least, ahead, pulls[:, ahead]) - CENTRE * means[:, ahead] * grid.highest
        proved = np.array(WINDOWS) <= ahead
        values[ahead, :, 1:-1, proved] = np.moveaxis(least[..., proved] - SLACK, -1, 0)
    leads = means @ np.arange(HORIZON + 1)
    return _Table(values.reshape(HORIZON + 1, -1, len(WINDOWS)), leads)


def _means(window: int) -> tuple[np.ndarray, np.ndarray]:
    """Les λ_n et les Λ_i d'une fenêtre, pour n et i de 0 à `HORIZON`."""
    means, pulls = np.zeros(HORIZON + 1), np.zeros(HORIZON + 1)
    means[0] = 1
    for i in range(2, HORIZON + 1):
        pulls[i] = pulls[i - 1] + means[: i - 1].sum()
        means[i] = TIME_STEP**2 * GRAVITY / CENTRE * pulls[i] if i <= window else 0
    return means / means.sum(), pulls / means.sum()


class _Grid:
    """Les cases de (θ, θ̇), où va chacune sous chaque action, et ce que son pas coûte au moins.

    Une case de θ̇ vaut exactement une case de θ par pas : l'image d'une case couvre deux lignes.
    Hors des colonnes, |θ̇| > 4,2 rad/s, et la tige tombe en `SOON` pas : |α| valant au plus
    `18 + 0,016·θ̇²`, elle y parcourt plus de 24°. Le minorant −1 m, plus tôt, est large : sur si peu
    de pas, la somme vaut au moins −0,17 m.
    """

    def __init__(self):
        width, self.count = _cell_width(), _column_count()
        self.angles = np.arange(-HALF_ROWS, HALF_ROWS + 1) * width
        self.speeds = np.arange(-self.count, self.count + 1) * width / TIME_STEP
        self.highest = self.angles[1:, None, None]  # (lignes, 1, 1)
        self.moves = [self._move(force) for force in (-FORCE, FORCE)]

    def step(self, least: np.ndarray, ahead: int, pull: np.ndarray) -> np.ndarray:
        """Le minorant W_i (lignes, colonnes, fenêtres), aux termes en θ près, tiré de W_{i−1}."""
        lines = self._lines(least, ahead - 1)
        costs = [lines[cells].min(axis=0) + TIME_STEP**2 * pull * e for cells, e in self.moves]
        return np.minimum(*costs)

    def _lines(self, least: np.ndarray, ahead: int) -> np.ndarray:
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
        step = _cell_width() / TIME_STEP
        first = np.floor((self.speeds[:-1] + TIME_STEP * slowest) / step - SLACK)
        last = np.floor((self.speeds[1:] + TIME_STEP * fastest) / step + SLACK)
        across = np.arange((last - first).max() + 1)[:, None, None]
        columns = np.clip(np.minimum(first + across, last) + self.count + 1, 0, 2 * self.count + 1)
        rows = np.add.outer(np.arange(2 * HALF_ROWS), np.arange(2 * self.count)) + 1
        cells = rows * (2 * self.count + 2) + columns
        return cells.astype(np.intp), self._leasts(fastest)[..., None]

    def _accelerations(self, force: float) -> tuple[np.ndarray, np.ndarray]:
        """Le minimum et le maximum de α sur chaque case : aux coins, α y étant monotone en chacun.

        Croissante en θ (voir `_extremes`) ; en θ̇, du signe de −θ·θ̇, constant sur une case.
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


def _doomed(states: np.ndarray) -> np.ndarray:
    """Le premier pas (N,) où la table prouve la chute ; infini sinon."""
    where, doom = _cells(states), np.full(len(states), np.inf)
    for ahead in range(HORIZON, 0, -1):
        doom[_table().margins(where, ahead) < 0] = ahead
    return doom


# Des deux côtés : la recherche


class _Search(NamedTuple):
    """Ce qu'une recherche a trouvé, état par état : (N,), sauf `halfway` (N, 4)."""

    reached: np.ndarray  # la survie atteinte, en pas
    complete: np.ndarray  # faux si une branche a été écartée sans preuve
    halfway: np.ndarray  # le meilleur état à mi-chemin


def _search(states: np.ndarray, target: np.ndarray, width: int) -> _Search:
    """Cherche, en largeur, une suite d'actions qui survive `target` (N,) pas.

    Une branche est coupée quand la table prouve qu'elle n'y arrivera pas ; parmi les autres, on
    garde les `width` de plus grande marge. Si rien n'est écarté autrement et que rien n'arrive,
    aucune suite ne survit autant. Chaque état est cherché sans égard aux autres.
    """
    found = _Search(np.ones(len(states)), np.ones(len(states), bool), states.copy())
    owner = np.arange(len(states))
    for step in range(1, int(target.max(initial=0))):
        owner, states = _branches(owner, states)
        owner, states = _only(step < target[owner], owner, states)
        found.reached[owner] = step + 1
        owner, states, rank = _ranked(owner, states, target[owner] - 1 - step)
        found.complete[owner[rank >= width]] = False
        middle = (rank == 0) & (step == target[owner] // 2)
        found.halfway[owner[middle]] = states[middle]
        owner, states = _only(rank < width, owner, states)
    return found


def _branches(owner: np.ndarray, states: np.ndarray) -> list[np.ndarray]:
    """Les suivants encore debout, sous les deux actions."""
    after = dynamics(np.concatenate([states, states]), np.repeat([0, 1], len(states)))
    return _only(~has_fallen(after), np.concatenate([owner, owner]), after)


def _ranked(owner: np.ndarray, states: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, ...]:
    """Ce que la table ne condamne pas d'ici `ahead` pas, rangé par origine et marge, et le rang."""
    margins = _table().margins(_cells(states), ahead.astype(int))
    owner, states, margins = _only(margins >= 0, owner, states, margins)
    order = np.lexsort((-margins, owner))
    owner, states = owner[order], states[order]
    return owner, states, np.arange(len(owner)) - np.searchsorted(owner, owner)


def _only(keep: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    return [array[keep] for array in arrays]


def _refined(
    states: np.ndarray, low: np.ndarray, high: np.ndarray, longest: int, width: int
) -> Survival:
    """Resserre les bornes (N,) par dichotomie sur la survie, `longest` pas au plus.

    `roof` baisse après chaque échec, `high` seulement si l'échec est une preuve.
    """
    low, high, roof = low.copy(), high.copy(), np.minimum(high, longest + 1)
    target = roof.copy()
    todo = np.flatnonzero(low < roof)
    while len(todo):
        found = _search(states[todo], target[todo], width)
        low[todo] = np.maximum(low[todo], found.reached)
        failed = found.reached < target[todo]
        roof[todo[failed]] = target[todo[failed]] - 1
        proved = todo[failed & found.complete]
        high[proved] = np.minimum(high[proved], target[proved] - 1)
        _prolong(low, high, todo[~failed], found.halfway[~failed], target)
        todo = np.flatnonzero(low < np.minimum(roof, high))
        target = np.ceil((low + roof) / 2)
    return Survival(low, high)


def _prolong(low, high, found, halfway, target) -> None:
    """Là où rien ne borne la survie, poursuit la suite trouvée, depuis son milieu."""
    endless = np.isinf(high[found])
    index = found[endless]
    low[index] = np.maximum(low[index], target[index] // 2 + _kept(halfway[endless]))
