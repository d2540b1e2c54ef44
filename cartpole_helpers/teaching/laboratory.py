"""Des entraînements où une seule chose change : ce que la mémoire garde, ou ce qu'on y tire.

Tous supposent une cible à un pas : une transition y est un pas.
"""

from collections import deque

import numpy as np

from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.checks import check_array, check_number
from cartpole_helpers.config import Config
from cartpole_helpers.loops import Training
from cartpole_helpers.replay import ReplayBuffer, Transition
from cartpole_helpers.seeds import Purpose, stream

SINCE = 10_000  # pas de jeu par agent : à partir de là, une mémoire est altérée


class ClockEnds(Training):
    """La faute du chronomètre : la mémoire prend la fin du temps pour une chute."""

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        ended = transition.terminated | truncated
        super()._remember(transition._replace(terminated=ended), truncated)


class Amnesic(Training):
    """Passé `SINCE` pas, les chutes n'entrent plus en mémoire : le pas d'avant y est répété.

    `kept` : la part des chutes, tirées au sort, qui y entrent pourtant.
    """

    def __init__(self, config: Config, seeds, *, kept: float = 0.0, **same):
        super().__init__(config, seeds, **same)
        self.kept = check_number("kept", kept, float, low=0, high=1)
        self._luck = [stream(seed, Purpose.AMNESIA) for seed in self.seeds]

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        draws = np.stack([generator.random(self.config.carts) for generator in self._luck])
        if self.env_steps > SINCE:
            forgotten = transition.terminated & (draws >= self.kept)
            transition = chosen(forgotten, self._previous, transition)
        self._previous = transition
        super()._remember(transition, truncated)


class Doubled(Training):
    """Le contrôle d'`Amnesic` : le pas d'avant est répété aussi, mais la chute entre en mémoire.

    La répétition y prend la place du premier pas de l'épisode suivant.
    """

    def __init__(self, config: Config, seeds, **same):
        super().__init__(config, seeds, **same)
        self._recent = deque(maxlen=2)

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        kept = transition
        if self.env_steps > SINCE:
            before, last = self._recent
            kept = chosen(last.terminated, before, transition)
        self._recent.append(transition)
        super()._remember(kept, truncated)


class WithReserve(Training):
    """Dans chaque lot, `share` transitions viennent d'une réserve : les 512 dernières chutes."""

    share, capacity = 8, 512

    def __init__(self, config: Config, seeds, **same):
        super().__init__(config, seeds, **same)
        streams = (10_000 + seed for seed in self.seeds)  # d'autres tirages que la mémoire
        self.reserves = [ReplayBuffer(self.capacity, seeds=seed) for seed in streams]

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        entering = self._entering(transition.terminated)
        for reserve, where, *columns in zip(self.reserves, entering, *transition, strict=True):
            if where.any():
                reserve.add(*(column[where] for column in columns))
        super()._remember(transition, truncated)

    def _entering(self, fallen: np.ndarray) -> np.ndarray:
        """Rend les chariots (S, E) dont le pas entre en réserve : ceux qui tombent."""
        return fallen

    def _learn(self, batch: Transition) -> np.ndarray:
        for rank, reserve in enumerate(self.reserves):
            count = min(self.share, len(reserve))
            if count:
                for column, kept in zip(batch, reserve.sample(count), strict=True):
                    column[rank, :count] = kept
        return super()._learn(batch)


class WithPlacebo(WithReserve):
    """Le contrôle de la réserve : à chaque chute y entre un pas ordinaire, du chariot voisin."""

    def _entering(self, fallen: np.ndarray) -> np.ndarray:
        return np.roll(fallen, 1, axis=1) & ~fallen


class AmnesicWithReserve(WithReserve, Amnesic):
    """L'amnésique soigné : ses chutes n'entrent pas en mémoire, mais dans la réserve."""


class AmnesicWithPlacebo(WithPlacebo, Amnesic):
    """L'amnésique soigné par un placebo : une réserve de pas ordinaires, du même âge."""


def chosen(where: np.ndarray, one: Transition, other: Transition) -> Transition:
    """Rend, chariot par chariot, `one` où `where` (S, E) est vrai, `other` ailleurs."""
    masks = (where.reshape(*where.shape, *[1] * (column.ndim - 2)) for column in other)
    return Transition(*map(np.where, masks, one, other))


def collapsed(env_steps: np.ndarray, returns: np.ndarray, floor: float = 200) -> np.ndarray:
    """Dit quelles graines, après `SINCE` pas et une réussite, passent sous `floor` : (S,) booléens.

    `env_steps` (V,) et `returns` (S, V) : les évaluations, dans l'ordre du temps. Une réussite
    atteint 475, à tout moment d'avant ; ce qui arrive à `SINCE` pas ou plus tôt ne compte pas.
    """
    env_steps = check_array("env_steps", env_steps, (None,))
    returns = check_array("returns", returns, (None, len(env_steps)))
    floor = check_number("floor", floor, float, high=SOLVED_RETURN)
    succeeded = np.maximum.accumulate(returns >= SOLVED_RETURN, axis=1)
    return (succeeded & (returns < floor))[:, env_steps > SINCE].any(axis=1)
