"""Ce qu'il reste d'un entraînement, que des traceurs rassemblent."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from cartpole_helpers.checks import check_number
from cartpole_helpers.training import Step


class History(NamedTuple):
    """Ce qu'il reste d'un entraînement de S agents : K épisodes achevés et L mises à jour."""

    episode_agent: np.ndarray  #: (K,) rang de l'agent, de 0 à S − 1
    episode_env_steps: np.ndarray  #: (K,) pas de jeu de l'agent à la fin de l'épisode
    episode_return: np.ndarray  #: (K,)
    episode_truncated: np.ndarray  #: (K,) arrêté par la seule limite de temps
    update_env_steps: np.ndarray  #: (L,)
    loss: np.ndarray  #: (L, S)
    epsilon: np.ndarray  #: (L,)

    def returns(self, agent: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Rend (pas de jeu, retour) de chaque épisode de l'agent de rang `agent`."""
        agents = self.loss.shape[1]
        mine = self.episode_agent == check_number("agent", agent, int, low=0, high=agents - 1)
        return self.episode_env_steps[mine], self.episode_return[mine]


class EpisodeTracker:
    """Retient la fin de chaque épisode."""

    def __init__(self):
        self._rows = []

    def add(self, step: Step) -> None:
        """Ajoute les épisodes achevés pendant `step`."""
        for agent, cart in np.argwhere(~np.isnan(step.episode_return)):
            truncated = step.truncated[agent, cart] and not step.terminated[agent, cart]
            self._rows.append((agent, step.env_steps, step.episode_return[agent, cart], truncated))

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Rend les quatre premiers tableaux d'un `History`."""
        columns = zip(*self._rows, strict=True) if self._rows else [()] * 4
        kinds = (int, int, float, bool)
        return tuple(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))


class UpdateTracker:
    """Retient la perte et ε à chaque mise à jour."""

    def __init__(self):
        self._rows = []

    def add(self, step: Step) -> None:
        """Ajoute la mise à jour de `step`, s'il y en a eu une."""
        if step.updated:
            self._rows.append((step.env_steps, step.loss, step.epsilon))

    def arrays(self, agents: int) -> tuple[np.ndarray, ...]:
        """Rend les trois derniers tableaux d'un `History` de `agents` agents."""
        steps, losses, epsilons = zip(*self._rows, strict=True) if self._rows else [()] * 3
        return np.array(steps, int), np.array(losses).reshape(-1, agents), np.array(epsilons, float)


class Recorder:
    """Les traceurs réunis : `add` à chaque tour, `history` quand on veut regarder."""

    def __init__(self):
        self._episodes, self._updates = EpisodeTracker(), UpdateTracker()
        self._agents = 1

    def add(self, step: Step) -> None:
        """Ajoute un tour."""
        self._agents = len(step.loss)
        self._episodes.add(step)
        self._updates.add(step)

    def history(self) -> History:
        """Rend ce qui a été retenu jusqu'ici."""
        return History(*self._episodes.arrays(), *self._updates.arrays(self._agents))


def record(steps: Iterable[Step]) -> History:
    """Épuise `steps`, par exemple `train(config, seeds)`, et rend son `History`."""
    recorder = Recorder()
    for step in steps:
        recorder.add(step)
    return recorder.history()
