"""CartPole : ses quatre équations, ses limites, et N chariots avancés ensemble."""

import math

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cartpole_helpers.checks import check_array, check_number, check_seeds

GRAVITY = 9.8  # m/s²
CART_MASS = 1.0  # kg
POLE_MASS = 0.1  # kg
TOTAL_MASS = CART_MASS + POLE_MASS
HALF_LENGTH = 0.5  # m : de l'articulation au centre de la tige
FORCE = 10.0  # N
TIME_STEP = 0.02  # s
X_LIMIT = 2.4  # m
THETA_LIMIT = 12 * 2 * math.pi / 360  # rad
START_LIMIT = 0.05  # chaque composante de l'état initial est tirée entre −0,05 et 0,05
EPISODE_LIMIT = 500  # pas
SOLVED_RETURN = 475.0  # retour moyen à partir duquel la tâche est dite résolue

STARTS_PER_DRAW = 16
SAME_STEP = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # métadonnées


def dynamics(state: np.ndarray, action: np.ndarray | int) -> np.ndarray:
    """Rend l'état après un pas de 0,02 s, au bit près celui de Gymnasium.

    `state` (..., 4) en float64 : x (m), ẋ (m/s), θ (rad), θ̇ (rad/s) ; `action` (...) : 0 pousse à
    gauche, 1 à droite. Rend (..., 4). Équations de Barto, Sutton et Anderson (1983), sans
    frottement, intégrées par la méthode d'Euler explicite, dans l'ordre d'opérations de Gymnasium.
    """
    state = np.asarray(state, np.float64)
    x, x_dot, theta, theta_dot = state[..., 0], state[..., 1], state[..., 2], state[..., 3]
    force = np.where(np.equal(action, 1), FORCE, -FORCE)
    cos, sin = np.cos(theta), np.sin(theta)
    pole_moment = POLE_MASS * HALF_LENGTH
    push = (force + pole_moment * np.square(theta_dot) * sin) / TOTAL_MASS
    theta_acc = (GRAVITY * sin - cos * push) / (
        HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * np.square(cos) / TOTAL_MASS)
    )
    x_acc = push - pole_moment * theta_acc * cos / TOTAL_MASS
    successor = np.empty_like(state)
    successor[..., 0] = x + TIME_STEP * x_dot
    successor[..., 1] = x_dot + TIME_STEP * x_acc
    successor[..., 2] = theta + TIME_STEP * theta_dot
    successor[..., 3] = theta_dot + TIME_STEP * theta_acc
    return successor


def has_fallen(state: np.ndarray) -> np.ndarray:
    """Dit si le chariot a quitté ±2,4 m ou la tige ±12° : `state` (..., 4) → booléens (...)."""
    x, theta = state[..., 0], state[..., 2]
    return (x < -X_LIMIT) | (x > X_LIMIT) | (theta < -THETA_LIMIT) | (theta > THETA_LIMIT)


class Starts:
    """Les états initiaux de N chariots, tirés du PCG64 de chaque graine, comme dans Gymnasium.

    On en tire plusieurs d'avance ; l'état de la suite se réduit donc aux graines et au nombre
    d'états déjà rendus par chariot.
    """

    def __init__(self, seeds: list[int], drawn: np.ndarray | None = None):
        self.seeds = seeds
        self.drawn = np.zeros(len(seeds), int) if drawn is None else np.array(drawn)  # (N,)
        self._sources = [np.random.PCG64(seed) for seed in seeds]
        self._generators = [*map(np.random.Generator, self._sources)]
        self._ahead = np.empty((len(seeds), STARTS_PER_DRAW, 4))
        for cart, count in enumerate(self.drawn):
            self._skip(cart, count)

    def next(self, carts: np.ndarray) -> np.ndarray:
        """Rend l'état initial suivant de chacun des chariots `carts` (K,) → (K, 4)."""
        position = self.drawn[carts] % STARTS_PER_DRAW
        for cart in carts[position == 0]:
            self._draw(cart)
        self.drawn[carts] += 1
        return self._ahead[carts, position]

    def _draw(self, cart: int) -> None:
        self._ahead[cart] = self._generators[cart].uniform(
            -START_LIMIT, START_LIMIT, size=(STARTS_PER_DRAW, 4)
        )

    def _skip(self, cart: int, count: int) -> None:
        blocks, position = divmod(int(count), STARTS_PER_DRAW)
        self._sources[cart].advance(4 * STARTS_PER_DRAW * blocks)
        if position:
            self._draw(cart)


class CartPoleVector(VectorEnv):
    """N chariots avancés ensemble ; chacun égale `CartPole-v1` de Gymnasium au bit près.

    Redémarrage automatique dans le même pas (`AutoresetMode.SAME_STEP`) : l'observation rendue
    après une fin est celle du nouvel épisode, et le vrai successeur de chaque pas est toujours
    dans `info["final_obs"]` (N, 4). `start_x` élargit les départs en x, à l'entraînement seulement.
    """

    metadata = SAME_STEP
    render_mode = None

    def __init__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int = EPISODE_LIMIT,
        start_x: float = START_LIMIT,
    ):
        self.num_envs = check_number("num_envs", num_envs, int, low=1)
        self.max_episode_steps = check_number("max_episode_steps", max_episode_steps, int, low=1)
        self.start_x = check_number("start_x", start_x, float, low=0, high=X_LIMIT)
        high = np.array([2 * X_LIMIT, np.inf, 2 * THETA_LIMIT, np.inf], np.float32)
        self.single_observation_space = spaces.Box(-high, high, dtype=np.float32)
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.state = np.empty((0, 4))  # (N, 4) dès le premier départ

    def reset(self, *, seed: int | list[int] | None = None, options: dict | None = None):
        """Recommence tous les épisodes et rend (observations (N, 4) en float32, {}).

        `seed` : une graine par chariot, ou un entier s (le chariot i reçoit alors s + i, comme
        dans Gymnasium), ou None : les suites de départs continuent (graines au hasard au premier
        appel).
        """
        if not (options is None or (isinstance(options, dict) and not options)):
            raise ValueError(f"options doit être vide : {options!r} reçu.")
        if seed is not None or not len(self.state):
            self.starts = Starts(self._seeds(seed))
        self.state = np.empty((self.num_envs, 4))
        self.elapsed = np.zeros(self.num_envs, int)
        self._restart(np.arange(self.num_envs))
        return self.state.astype(np.float32), {}

    def step(self, actions):
        """Avance chaque chariot d'un pas ; `actions` (N,) dans {0, 1}.

        Rend observations (N, 4) en float32, récompenses (N,), terminated (N,), truncated (N,) et
        info : `final_obs` (N, 4), le vrai successeur, et `_final_obs` (N,), les chariots relancés.
        """
        if not len(self.state):
            raise RuntimeError("step appelé avant reset : appelez d'abord reset(seed=...).")
        actions = check_actions(actions, (self.num_envs,))
        self.state = dynamics(self.state, actions)
        self.elapsed += 1
        terminated = has_fallen(self.state)
        truncated = self.elapsed >= self.max_episode_steps
        ended = terminated | truncated
        info = {"final_obs": self.state.astype(np.float32), "_final_obs": ended}
        if ended.any():
            self._restart(np.flatnonzero(ended))
        observation = self.state.astype(np.float32)
        return observation, np.ones(self.num_envs), terminated, truncated, info

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change : états en float64, durées, départs déjà tirés."""
        return {"state": self.state, "elapsed": self.elapsed, "drawn": self.starts.drawn}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet l'environnement dans l'état `saved`, rendu par `saved_state` avec ces graines."""
        self.state, self.elapsed = saved["state"].copy(), saved["elapsed"].copy()
        self.starts = Starts(self.starts.seeds, saved["drawn"])

    def _restart(self, carts: np.ndarray) -> None:
        self.state[carts] = self.starts.next(carts)
        self.state[carts, 0] *= self.start_x / START_LIMIT
        self.elapsed[carts] = 0

    def _seeds(self, seed: int | list[int] | None) -> list[int]:
        if seed is None:
            return np.random.SeedSequence().generate_state(self.num_envs, np.uint64).tolist()
        seeds = check_seeds("seed", seed, distinct=False)
        if not np.iterable(seed):
            return [seeds[0] + cart for cart in range(self.num_envs)]
        if len(seeds) != self.num_envs:
            raise ValueError(
                f"seed doit donner {self.num_envs} graines, une par chariot : {len(seeds)} reçues."
            )
        return seeds


def check_actions(
    actions, shape: tuple[int, ...], name: str = "actions", count: int = 2
) -> np.ndarray:
    """Rend `actions` en tableau d'entiers, ou lève une erreur si l'un sort de [0, `count`)."""
    actions = check_array(name, actions, shape, np.int64)
    if actions.size and not (actions.min() >= 0 and actions.max() < count):
        wrong = actions[(actions < 0) | (actions >= count)]
        known = "0 (gauche) ou 1 (droite)" if count == 2 else f"un entier de 0 à {count - 1}"
        raise ValueError(f"{name} doit valoir {known} : {wrong[0]} reçu.")
    return actions
