"""Le panneau d'entraînement qui sait aussi diagnostiquer ce qu'il entraîne."""

import math

import numpy as np

from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.display.panel import Panel
from cartpole_helpers.display.run import Report
from cartpole_helpers.replay import Transition
from cartpole_helpers.teaching.clinic import chart, diagnose, examine, loss_measures, sheet
from cartpole_helpers.teaching.clinic.charts import (
    LOOKS,
    Chart,
    dead_share,
    drift,
    hidden_outputs,
)
from cartpole_helpers.teaching.clinic.references import CARTPOLE_REFERENCES
from cartpole_helpers.training import Step, Training


def panel(config: Config = VERSION_2, seed: int = 0) -> Panel:
    """Rend le panneau de `display.panel`, et un bouton de plus : il demande le diagnostic.

    L'essai est relevé tout au long, réseaux et mémoire compris, sans que rien n'y change ; le
    diagnostic, avec sa feuille, se lit sous les courbes. La cellule suivante peut le demander
    aussi, par `diagnose()`.
    """
    return Panel(config, seed, examiner=Examiner)


class Examiner:
    """Le relevé d'un entraînement d'un seul agent, que d'autres mènent : une ligne de temps en
    temps, la même que celle de `monitor`."""

    def __init__(self, training: Training):
        self._training = training
        self._every = max(training.config.total_steps // LOOKS, 1)
        self._rows: list[dict[str, float]] = []
        self._losses: list[float] = []
        self._epsilons: list[float] = []  # comme la perte, un par mise à jour
        self._returns: list[float] = []
        self._greedy = math.nan
        self._before: tuple[int, np.ndarray] | None = None

    def add(self, step: Step, greedy: float | None) -> None:
        """Ajoute un tour, et le retour glouton si l'on vient de le mesurer."""
        if step.updated:
            self._losses.append(float(step.loss[0]))
            self._epsilons.append(step.epsilon)
        self._returns += step.episode_return[~np.isnan(step.episode_return)].tolist()
        self._greedy = self._greedy if greedy is None else greedy
        if step.env_steps % self._every < self._training.config.carts:
            self._look(step)

    def chart(self) -> Chart:
        """Rend le relevé fait jusqu'ici ; un autre fil peut encore y ajouter."""
        return chart([*self._rows])

    def report(self, label: str) -> Report:
        """Rend le diagnostic, en lignes, et la feuille de l'entraînement que nomme `label`."""
        seen = self.chart()
        return Report(repr(diagnose(seen)).splitlines(), sheet(seen, label))

    def _look(self, step: Step) -> None:
        online, weights = self._training.online, self._training.online.weights.numpy(force=True)
        then, before = self._before or (step.gradient_steps, weights)
        columns = self._training.memory.contents()[: len(Transition._fields)]
        memory = Transition(*(column[0] for column in columns))
        policy = self._training.agent
        row = {
            "env_steps": step.env_steps,
            "gradient_steps": step.gradient_steps,
            "epsilon": _mean(self._epsilons),
            "played": _mean(self._returns),
            "greedy": self._greedy,
            "drift": drift(before, weights, step.gradient_steps - then),
            "dead": dead_share(hidden_outputs(online, CARTPOLE_REFERENCES.probes)),
            **loss_measures(self._losses),
            **examine(online.q_values, self._training.target.q_values, memory, policy),
        }
        self._rows.append(row)
        self._before = step.gradient_steps, weights
        self._losses, self._epsilons, self._returns, self._greedy = [], [], [], math.nan


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan
