"""Les curseurs sur une étude archivée : la réponse aussitôt, et l'entraînement pour de vrai."""

import math
from collections.abc import Callable, Mapping
from time import perf_counter

import numpy as np
from traitlets import Bytes, Dict, List

from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_number,
    check_seed,
)
from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.display import figures, settings
from cartpole_helpers.display.background import RUNNING, Background
from cartpole_helpers.display.run import Run
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.widget import COMMON, Page, bundle
from cartpole_helpers.repairs import tuned

SEED = "graine"  # la colonne qui sépare les champs réglés des instants d'évaluation
MOST = 2**16 - 1  # le plus grand retour que deux octets savent écrire
PERIOD = 0.25  # s entre deux nouvelles de l'entraînement


def explorer(
    study: Mapping[str, np.ndarray], configure: Callable[..., Config] = tuned
) -> "Explorer":
    """Rend des curseurs, un par champ réglé dans `study`, et les retours archivés de chaque graine.

    `study` : ce que rend `load_study` ; ses colonnes sont des champs de `Config`, puis `graine`,
    puis un instant d'évaluation (en pas) chacune. ValueError si une combinaison manque ou n'a pas
    les mêmes graines que les autres. `configure` : rend la configuration de ces champs.
    """
    return Explorer(study, configure)


class Explorer(Page):
    """Une étude sous des curseurs ; `run` est le dernier entraînement fait pour de vrai, ou None.

    La graine archivée, entraînée pour de vrai avec les réglages de l'étude, redonne sa courbe.
    """

    code = bundle(*COMMON, "web/chart.mjs", "web/explorer.mjs")
    fields = List().tag(sync=True)  # un curseur chacun, et le rang d'où il part
    seeds = List().tag(sync=True)
    instants = List().tag(sync=True)
    returns = Bytes().tag(sync=True)  # (réglages…, graines, instants), en `uint16`
    live = Dict().tag(sync=True)  # l'entraînement réel

    def __init__(self, study: Mapping[str, np.ndarray], configure: Callable[..., Config] = tuned):
        self._configure = check_callable("configure", configure)
        self._values, seeds, instants, returns = _table(study)
        self.run: Run | None = None
        self._work: Background | None = None
        super().__init__(
            fields=[_described(name, values) for name, values in self._values.items()],
            seeds=seeds,
            instants=instants,
            returns=np.round(returns).astype("<u2").tobytes(),
            live={"phase": ""},
        )
        self._still_curves = instants, np.median(self._at_start(returns), axis=0)

    def train(self, ranks: list[int], seed: int = 0) -> None:
        """Entraîne pour de vrai la combinaison de rangs `ranks`, dans un fil à part."""
        ranks = self._checked_ranks(ranks)
        changes = {
            name: values[rank]
            for (name, values), rank in zip(self._values.items(), ranks, strict=True)
        }
        run = Run(self._configure(**changes), check_seed("seed", seed))
        self.stop()
        self.run, self._shown = run, -math.inf
        self._work = Background(run.turns(), lambda: self._on_turn(run, ranks))
        self._work.start()

    def stop(self) -> None:
        """Arrête l'entraînement réel, sans attendre ; sa courbe reste."""
        if self._work is not None:
            self._work.stop()

    def wait(self, timeout: float | None = None) -> None:
        """Attend la fin de l'entraînement réel et lève l'erreur qui l'a interrompu, s'il y en a."""
        if self._work is None:
            raise RuntimeError("Rien à attendre : aucun entraînement n'a commencé.")
        self._work.wait(timeout)

    def receive(self, message: dict, buffers: list) -> None:
        """Fait ce que demande un bouton : entraîner, ou arrêter."""
        if message.get("do") == "stop":
            self.stop()
        elif message.get("do") == "train":
            self.train(message.get("ranks"), message.get("seed"))
        else:
            raise ValueError(f"Message incompris : {message!r} reçu.")

    def _on_turn(self, run: Run, ranks: list[int]) -> None:
        work, now = self._work, perf_counter()
        if run is not self.run or (work.phase == RUNNING and now - self._shown < PERIOD):
            return
        self._shown = now
        self.live = {
            "phase": work.phase,
            "error": settings.told(work.error),
            "ranks": ranks,
            "seed": run.seed,
            "line": settings.python_line(run.config),
            "greedy": run.curves()["greedy"],
            "env_steps": run.now()["env_steps"],
        }

    def _checked_ranks(self, ranks) -> list[int]:
        """Rend un rang par champ, ou lève une erreur."""
        if not np.iterable(ranks) or len(ranks) != len(self._values):
            raise ValueError(
                f"ranks doit donner {len(self._values)} rangs, un par champ : {ranks!r} reçu."
            )
        return [
            check_number("ranks", rank, int, low=0, high=len(values) - 1)
            for rank, values in zip(ranks, self._values.values(), strict=True)
        ]

    def _at_start(self, returns: np.ndarray) -> np.ndarray:
        """Rend les retours (graines, instants) de la combinaison d'où partent les curseurs."""
        return returns[tuple(field["start"] for field in self.fields)]

    @property
    def still(self) -> Picture:
        """L'image de la combinaison d'où partent les curseurs."""
        instants, median = self._still_curves
        return figures.curves(
            np.array(instants),
            {f"médiane de {len(self.seeds)} graines": median},
            "La Version 2, telle que l'étude l'a archivée : ici, des curseurs la règlent autrement",
            ("pas de jeu", "retour moyen (pas)"),
        )


def _table(study: Mapping[str, np.ndarray]) -> tuple[dict[str, list], list, list, np.ndarray]:
    """Rend les valeurs de chaque champ, les graines, les instants, et les retours rangés.

    Les retours ont un axe par champ, puis (graines, instants).
    """
    fields, instants = _split(study)
    keys = [check_array(name, study[name], (None,), float) for name in (*fields, SEED)]
    rows = np.stack([_returns(name, study[name], len(keys[0])) for name in instants], axis=-1)
    values = {name: _distinct(name, key) for name, key in zip(fields, keys, strict=False)}
    seeds = _whole(SEED, np.unique(keys[-1]))
    shape = [*map(len, values.values()), len(seeds), len(instants)]
    different = {*zip(*(key.tolist() for key in keys), strict=True)}
    if not (0 < len(rows) == np.prod(shape[:-1]) == len(different)):
        raise ValueError(
            "study doit contenir chaque combinaison une fois par graine : "
            f"{len(rows)} lignes reçues, {np.prod(shape[:-1])} attendues."
        )
    return values, seeds, [*map(int, instants)], rows[np.lexsort(keys[::-1])].reshape(shape)


def _split(study: Mapping[str, np.ndarray]) -> tuple[list[str], list[str]]:
    """Rend les colonnes des champs réglés et celles des instants, de part et d'autre de SEED."""
    received = [*study] if isinstance(study, Mapping) else study
    if not isinstance(study, Mapping) or SEED not in received[1:-1]:
        raise ValueError(
            "study doit avoir des champs réglés, puis la colonne « graine », puis des instants : "
            f"{received!r} reçu."
        )
    columns = [*study]
    place = columns.index(SEED)
    fields, instants = columns[:place], columns[place + 1 :]
    whole = [int(name) for name in instants if name.isdecimal()]
    if whole != sorted({*whole}) or len(whole) < len(instants):
        raise ValueError(f"study doit avoir des instants croissants, en pas : {instants!r} reçu.")
    return fields, instants


def _returns(name: str, column: np.ndarray, count: int) -> np.ndarray:
    """Rend une colonne de retours, que l'on puisse écrire sur deux octets."""
    returns = check_array(name, column, (count,), float)
    if not ((returns >= 0) & (returns <= MOST)).all():
        raise ValueError(f"Les retours de la colonne {name} doivent être entre 0 et {MOST}.")
    return returns


def _distinct(name: str, column: np.ndarray) -> list:
    """Rend les valeurs différentes d'une colonne, dans l'ordre et du type du champ de `Config`."""
    kind = type(getattr(VERSION_2, check_choice("Une colonne", name, settings.slider_names())))
    if kind not in (bool, int, float):
        raise ValueError(f"La colonne {name} doit être un champ qui vaut un nombre.")
    values = np.unique(column)
    return values.tolist() if kind is float else [*map(kind, _whole(name, values))]


def _whole(name: str, values: np.ndarray) -> list[int]:
    """Rend des valeurs entières, positives ou nulles."""
    if not ((values >= 0) & (values == np.floor(values))).all():
        raise ValueError(f"La colonne {name} doit donner des entiers : {values.tolist()!r} reçu.")
    return [*map(int, values)]


def _described(name: str, values: list) -> dict:
    """Rend ce qu'un curseur montre, et le rang de la valeur de VERSION_2, ou de sa voisine."""
    return {
        "name": name,
        "label": settings.label(name),
        "help": settings.help_lines()[name],
        "choices": [*map(settings.written, values)],
        "start": int(np.argmin(np.abs(np.array(values, float) - getattr(VERSION_2, name)))),
    }
