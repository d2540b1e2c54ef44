"""Trois entraînements où une seule chose est changée : ce que la mémoire garde, ou ce qu'on y tire.

Tous supposent une cible à un pas : une transition y est un pas.
"""

import numpy as np

from cartpole_helpers.config import Config
from cartpole_helpers.loops import Training
from cartpole_helpers.replay import ReplayBuffer, Transition


class ClockEnds(Training):
    """La faute du chronomètre : la mémoire prend la fin du temps pour une chute."""

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        ended = transition.terminated | truncated
        super()._remember(transition._replace(terminated=ended), truncated)


class Amnesic(Training):
    """Passé `since` pas, aucune chute n'entre plus en mémoire : le pas d'avant y est répété."""

    since = 10_000

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        if self.env_steps > self.since:
            transition = chosen(transition.terminated, self._previous, transition)
        self._previous = transition
        super()._remember(transition, truncated)


class WithReserve(Training):
    """Dans chaque lot, `share` transitions viennent d'une réserve : les 512 dernières chutes."""

    share, capacity = 8, 512

    def __init__(self, config: Config, seeds, **same):
        super().__init__(config, seeds, **same)
        streams = (10_000 + seed for seed in self.seeds)  # d'autres tirages que la mémoire
        self.reserves = [ReplayBuffer(self.capacity, seeds=seed) for seed in streams]

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        for rank, reserve in enumerate(self.reserves):
            fallen = transition.terminated[rank]
            if fallen.any():
                reserve.add(*(column[rank][fallen] for column in transition))
        super()._remember(transition, truncated)

    def _learn(self, batch: Transition) -> np.ndarray:
        for rank, reserve in enumerate(self.reserves):
            count = min(self.share, len(reserve))
            if count:
                for column, kept in zip(batch, reserve.sample(count), strict=True):
                    column[rank, :count] = kept
        return super()._learn(batch)


class AmnesicWithReserve(WithReserve, Amnesic):
    """L'amnésique soigné : ses chutes n'entrent pas en mémoire, mais dans la réserve."""


def chosen(where: np.ndarray, one: Transition, other: Transition) -> Transition:
    """Rend, chariot par chariot, `one` où `where` (S, E) est vrai, `other` ailleurs."""
    masks = (where.reshape(*where.shape, *[1] * (column.ndim - 2)) for column in other)
    return Transition(*map(np.where, masks, one, other))
