"""Ce que la clinique sait d'un jeu : où interroger un réseau, et ce qui est une fin."""

import math
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from gymnasium.vector import VectorEnv

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT
from cartpole_helpers.checks import check_array
from cartpole_helpers.environments import CARTPOLE, Env, Sizes, make_vector, vector_sizes
from cartpole_helpers.replay import Transition
from cartpole_helpers.seeds import Purpose, environment_seeds

PROBES = 64  # états de chaque sorte
VARIED = 16  # états distincts, au moins, où juger une unité
RECENT = 20_000  # transitions vécues que l'on garde, les dernières


# Le jeu


class Game(NamedTuple):
    """De quel jeu vient un relevé, et ce que l'on y a gagné à chaque pas."""

    name: str = CARTPOLE
    low: float = 1.0
    """La plus petite récompense reçue."""
    high: float = 1.0
    """La plus grande."""
    size: float = 1.0
    """La moyenne de leurs valeurs absolues."""

    @property
    def largest(self) -> float:
        """Rend la plus grande valeur absolue d'une récompense."""
        return max(abs(self.low), abs(self.high))

    @property
    def mixed(self) -> bool:
        """Dit si les récompenses sont des deux signes : une moyenne peut alors s'annuler."""
        return self.low < 0 < self.high


CARTPOLE_GAME = Game()


# Les états d'épreuve


class References(NamedTuple):
    """Les états où l'on interroge un réseau, et ce que l'on sait des fins.

    `ended` prend des successeurs (N, D), et rend deux tableaux (N,) de booléens : ceux où l'épisode
    est fini à coup sûr, et ceux où il ne l'est pas ; ou None s'il n'en sait rien. Sans `ended`, on
    s'en tient à ce que dit la mémoire.
    """

    safe: np.ndarray  # (N, D) float32 : près de l'équilibre à CartPole, ailleurs des débuts
    doomed: np.ndarray | None  # (M, D), juste avant une fin ; None : ceux de la mémoire
    actions: int  # A
    ended: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray] | None] | None = None
    varied: np.ndarray | None = None  # (V, D), si les débuts se ressemblent trop

    @property
    def probes(self) -> np.ndarray:
        """Rend les états (N, D) où l'on juge si une unité change de l'un à l'autre."""
        if self.varied is not None:
            return self.varied
        return self.safe if self.doomed is None else np.concatenate([self.safe, self.doomed])

    @property
    def sizes(self) -> Sizes:
        """Rend D et A."""
        return Sizes(self.safe.shape[-1], self.actions)


def _probes() -> np.ndarray:
    """Rend (2, N, 4) : N états sûrs, près de l'équilibre, puis N qui tombent au pas suivant."""
    generator = np.random.default_rng(0)
    safe = generator.uniform(-1, 1, (PROBES, 4)) * [0.5, 0.3, 0.05, 0.3]
    # Ce sont 0,195 + 0,02 · 1 > 0,2095 : la chute ne dépend plus de l'action.
    leaning = generator.uniform([-1, -1, 0.195, 1], [1, 1, 0.209, 2.5], (PROBES, 4))
    side = generator.choice([-1, 1], (PROBES, 1))
    return np.stack([safe, leaning * side]).astype(np.float32)


def fallen_for_sure(states: np.ndarray, margin: float = 1e-5) -> np.ndarray:
    """Dit quels états (N, 4) dépassent une limite d'une part `margin` : l'arrondi n'y peut rien."""
    x, theta = np.abs(states[..., 0]) / X_LIMIT, np.abs(states[..., 2]) / THETA_LIMIT
    return np.maximum(x, theta) > 1 + margin


def fallen_or_standing(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rend ceux des états (N, 4) de CartPole qui sont tombés, puis ceux qui tiennent encore."""
    return fallen_for_sure(states), ~fallen_for_sure(states, margin=-1e-5)


SAFE, DOOMED = _probes()
CARTPOLE_REFERENCES = References(SAFE, DOOMED, 2, fallen_or_standing)


def references_of(env: Env = CARTPOLE) -> References:
    """Rend les références d'un jeu : celles de CartPole, ou 64 débuts d'épisode tirés du jeu.

    `env` : comme pour `Training`. ValueError ou TypeError, en une phrase, si l'observation n'est
    pas plate, ou les actions pas discrètes.
    """
    if env == CARTPOLE:
        return CARTPOLE_REFERENCES
    games = make_vector(env, PROBES)
    try:
        seeds = environment_seeds(0, Purpose.CHART, PROBES)
        starts, _ = games.reset(seed=seeds)  # type: ignore[arg-type]
        actions, safe = vector_sizes(games).actions, np.array(starts, np.float32)
        varied = None if _are_varied(safe) else _walked(games, safe, actions)
        return References(safe, None, actions, varied=varied)
    finally:
        games.close()


def references_from(lived: Transition, actions: int, copies: int = 1) -> References:
    """Rend les références d'un jeu dont on n'a que des transitions (N, ...), dans l'ordre vécu.

    Les débuts sont les états qui ne suivent pas de la transition d'avant : celle de la même copie,
    si `copies` avancent ensemble et que leurs transitions alternent.
    """
    states = check_array("lived.observation", lived.observation, (None, None), np.float32)
    fresh = np.ones(len(states), bool)
    fresh[copies:] = (states[copies:] != lived.next_observation[:-copies]).any(axis=-1)
    starts = states[fresh][:PROBES]
    return References(
        starts, None, actions, varied=None if _are_varied(starts) else spread(states, PROBES)
    )


def _are_varied(states: np.ndarray) -> bool:
    """Dit si des états (N, D) suffisent à voir ce qui change de l'un à l'autre."""
    return len(np.unique(states, axis=0)) >= VARIED


def _walked(games: VectorEnv, starts: np.ndarray, actions: int) -> np.ndarray:
    """Rend l'état (N, D) de chaque copie après autant de pas au hasard que son rang."""
    generator, reached = np.random.default_rng(0), starts.copy()
    for step in range(1, len(starts)):
        seen = games.step(generator.integers(actions, size=len(starts)))[0]
        reached[step] = seen[step]
    return reached


def spread(rows: np.ndarray, most: int) -> np.ndarray:
    """Rend au plus `most` des lignes, à intervalles réguliers."""
    return rows[:: math.ceil(len(rows) / most)] if len(rows) else rows


# Ce qu'un entraînement a vécu


class Seen:
    """Ce qu'un entraînement a vécu : récompenses, fins, et ses dernières transitions.

    C'est à lui que l'on compare une mémoire : lui a vu ce que le jeu rendait.
    """

    def __init__(self):
        self.over: set[bytes] = set()  # les successeurs où le jeu s'est dit fini
        self.cut: set[bytes] = set()  # ceux où l'épisode n'a été qu'interrompu
        self.lived: deque[Transition] = deque(maxlen=RECENT)
        self.passed: deque[bytes] = deque(maxlen=RECENT)  # leurs successeurs
        self.low, self.high, self.total, self.count = np.inf, -np.inf, 0.0, 0

    def add(self, transition: Transition, truncated: np.ndarray) -> None:
        """Ajoute un pas de E copies du jeu, (E, ...) ; ValueError si un nombre n'est pas fini."""
        lived = _checked(transition)
        keys = _keys(lived.next_observation)
        for key, over, cut in zip(keys, lived.terminated, truncated, strict=True):
            if over or cut:
                (self.over if over else self.cut).add(key)
        self.passed.extend(keys)
        self.lived.extend(map(Transition, *lived))
        self.low = min(self.low, lived.reward.min())
        self.high = max(self.high, lived.reward.max())
        self.total += np.abs(lived.reward).sum()
        self.count += len(lived.reward)

    def ended(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Rend ceux des états (N, D) où le jeu est fini, puis ceux où il ne l'est pas.

        None si aucun n'a été vu : la mémoire garde alors autre chose que ce que rend le jeu.
        """
        keys = _keys(states)
        others = ({*self.passed} | self.cut) - self.over
        over, standing = (
            np.array([key in known for key in keys], bool) for known in (self.over, others)
        )
        return (over, standing) if (over | standing).any() else None

    def recent(self) -> Transition:
        """Rend les dernières transitions vécues, (N, ...)."""
        return Transition(*map(np.array, zip(*self.lived, strict=True)))

    def game(self, name: str) -> Game:
        """Rend le jeu, et ce que l'on y a gagné."""
        if not self.count:
            return Game(name, *[np.nan] * 3)
        return Game(name, float(self.low), float(self.high), float(self.total / self.count))


def _keys(states: np.ndarray) -> list[bytes]:
    """Rend, pour chaque état (N, D), une clé que deux états ne partagent que s'ils sont égaux."""
    rows = np.ascontiguousarray(states, np.float32) + np.float32(0)  # -0 et 0 ne font qu'un
    return rows.view(f"V{rows.itemsize * rows.shape[-1]}").ravel().tolist()


def _checked(transition: Transition) -> Transition:
    state, action, reward, terminated, successor = transition
    state = check_array("observation", state, (None, None), np.float32)
    count, size = state.shape
    return Transition(
        state,
        check_array("action", action, (count,)),
        check_array("reward", reward, (count,)).astype(float),
        check_array("terminated", terminated, (count,)).astype(bool),
        check_array("next_observation", successor, (count, size), np.float32),
    )
