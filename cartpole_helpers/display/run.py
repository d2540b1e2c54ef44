"""Un entraînement que l'on regarde : ses courbes, aussi courtes qu'un écran est large."""

import math
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from cartpole_helpers.agent import Agent
from cartpole_helpers.config import Config
from cartpole_helpers.display.style import Picture
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.history import History, Recorder
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.training import Step, Training

BINS = 120  # points d'une courbe, quelle que soit la durée
EVALUATIONS = 20  # par entraînement
EPISODES = 20  # par évaluation
UPRIGHT = np.zeros((1, 4), np.float32)


class Report(NamedTuple):
    """Ce qu'un examen conclut : des lignes, la première en titre, et une image."""

    lines: list[str]
    picture: Picture


class Examiner(Protocol):
    """Ce qui relève un entraînement tour par tour, et en dit quelque chose quand on le demande."""

    def add(self, step: Step, greedy: float | None) -> None:
        """Ajoute un tour, et le retour glouton si l'on vient de le mesurer."""

    def report(self, label: str) -> Report:
        """Rend ce que l'on conclut de l'entraînement que nomme `label`."""


class Curve:
    """La moyenne de ce qui arrive dans chacune des `BINS` tranches de `total` pas."""

    def __init__(self, total: int):
        self._total = total
        self._sums = np.zeros(BINS)
        self._counts = np.zeros(BINS, int)

    def add(self, env_steps: int, value: float, count: int = 1) -> None:
        """Ajoute `count` valeurs, dont `value` est la somme, arrivées au pas `env_steps`."""
        place = min((env_steps - 1) * BINS // self._total, BINS - 1)
        self._sums[place] += value
        self._counts[place] += count

    def points(self) -> dict[str, list]:
        """Rend les tranches remplies : `x`, leur milieu en pas, et `y` ; None si c'est non fini."""
        places = np.flatnonzero(self._counts)
        middles = (places + 0.5) * self._total / BINS
        return {"x": _listed(middles), "y": _listed(self._sums[places] / self._counts[places])}


class Run:
    """L'entraînement d'un agent, tour par tour, et de quoi le montrer à tout moment.

    `examiner` : ce qui fait, d'un entraînement, celui qui l'examine tour par tour.
    """

    def __init__(
        self, config: Config, seed: int, examiner: Callable[[Training], Examiner] | None = None
    ):
        self.config, self.seed = config, seed
        self._training = Training(config, seed)
        self.examiner = None if examiner is None else examiner(self._training)
        self._recorder = Recorder()
        self._lock = threading.Lock()  # un autre fil lit pendant que celui-ci avance
        self._curves = {name: Curve(config.total_steps) for name in ("played", "loss", "epsilon")}
        self._q, self._greedy = [], []  # (pas, mesure)
        self._last_loss, self._diverged = None, False
        self._last: Step | None = None

    def turns(self) -> Iterator[None]:
        """Avance d'un tour à chaque appel, jusqu'à `config.total_steps` pas."""
        while self._training.env_steps < self.config.total_steps:
            with self._lock:
                self._note(self._training.advance())
            yield

    @property
    def agent(self) -> Agent:
        """L'agent glouton tel qu'il est à cet instant."""
        with self._lock:
            return self._training.agent

    @property
    def history(self) -> History:
        """Ce que l'entraînement a laissé jusqu'ici."""
        with self._lock:
            return self._recorder.history()

    def curves(self) -> dict[str, dict[str, list]]:
        """Rend les courbes, en listes `x` (pas) et `y` : retour en jouant, perte, ε, retour glouton
        et `Q(s₀)`, la plus grande valeur d'action de la tige droite et immobile."""
        with self._lock:
            binned = {name: curve.points() for name, curve in self._curves.items()}
            return binned | {"q": _pairs(self._q), "greedy": _pairs(self._greedy)}

    def now(self) -> dict:
        """Rend où l'on en est : compteurs, dernier pas du premier chariot, dernières mesures."""
        with self._lock:
            step = self._last
            return {
                "env_steps": self._training.env_steps,
                "gradient_steps": self._training.gradient_steps,
                "total": self.config.total_steps,
                "epsilon": step.epsilon if step else None,
                "state": _listed(step.observation[0, 0]) if step else None,
                "action": int(step.action[0, 0]) if step else None,
                "loss": self._last_loss,
                "diverged": self._diverged,
                "q": _finite(self._q[-1][1]) if self._q else None,
                "greedy": _finite(self._greedy[-1][1]) if self._greedy else None,
            }

    def _note(self, step: Step) -> None:
        self._recorder.add(step)
        self._curves["epsilon"].add(step.env_steps, step.epsilon)
        returns = step.episode_return[~np.isnan(step.episode_return)]
        if returns.size:
            self._curves["played"].add(step.env_steps, returns.sum(), returns.size)
        if step.updated:
            self._curves["loss"].add(step.env_steps, step.loss[0])
            self._last_loss = _finite(step.loss[0])
            self._diverged |= self._last_loss is None
        self._last = step
        if self._passes(BINS):
            self._q.append((step.env_steps, self._training.agent.q_values(UPRIGHT).max()))
        greedy = None
        if self._passes(EVALUATIONS):
            seed = fresh_seed(Purpose.PANEL, step.env_steps)
            greedy = float(evaluate(self._training.agent, EPISODES, seed=seed).mean())
            self._greedy.append((step.env_steps, greedy))
        if self.examiner is not None:
            self.examiner.add(step, greedy)

    def _passes(self, times: int) -> bool:
        """Dit si ce tour franchit l'une des `times` marques régulières de l'entraînement."""
        after, total = self._training.env_steps, self.config.total_steps
        return after * times // total > (after - self.config.carts) * times // total


def _pairs(points: list[tuple]) -> dict[str, list]:
    return {"x": _listed([x for x, _ in points]), "y": _listed([y for _, y in points])}


def _listed(values) -> list[float | None]:
    """Rend des nombres que JSON sait écrire : à six chiffres, None s'ils ne sont pas finis."""
    return [_finite(value) for value in values]


def _finite(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
