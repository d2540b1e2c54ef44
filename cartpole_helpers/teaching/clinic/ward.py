"""La salle d'attente de la clinique : ses patients, et ce qu'elle répond au lecteur."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cartpole_helpers.checks import check_choice, check_number
from cartpole_helpers.display.report import INDENT, as_html, as_text
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.typography import typography
from cartpole_helpers.tables import read_table
from cartpole_helpers.teaching.clinic.charts import Chart, load_chart
from cartpole_helpers.teaching.clinic.diagnosis import (
    HEALTHY,
    ILLNESSES,
    Illness,
    degree,
    diagnose,
    illness,
    uncapitalised,
)
from cartpole_helpers.teaching.clinic.sheets import UPDATES, Vital, sheet, vitals_of, wall

FOLDER = Path(__file__).parent
PATIENTS = FOLDER / "patients/cartpole"
ACROBOT_PATIENTS = FOLDER / "patients/acrobot"
NAMES = (HEALTHY, *(one.name for one in ILLNESSES))


class Opinion(NamedTuple):
    """Ce que le lecteur dit d'un patient, si c'est juste, et ce qu'on lui répond."""

    patient: int
    name: str
    right: bool
    reply: tuple[str, ...]


@dataclass(frozen=True)
class Round:
    """Une tournée : les avis du lecteur, patient par patient ; elle s'affiche."""

    opinions: tuple[Opinion, ...]
    waiting: int
    """Les patients dont on n'a rien dit."""

    @property
    def right(self) -> int:
        """Le nombre d'avis justes."""
        return sum(opinion.right for opinion in self.opinions)

    def __repr__(self) -> str:
        return as_text(self._lines())

    def _repr_html_(self) -> str:
        return as_html(self._lines())

    def _lines(self) -> Iterator[str]:
        seen = len(self.opinions)
        yield f"Avis justes : {self.right} sur {seen}. Patients qui attendent : {self.waiting}."
        for opinion in self.opinions:
            mark = "✔" if opinion.right else "✘"
            yield f"{mark} Patient {opinion.patient} : {opinion.name}"
            yield from (f"{INDENT}{line}" for line in opinion.reply)


def _said(chart: Chart) -> str:
    """Rend les hypothèses de l'outil, dans l'ordre."""
    found = diagnose(chart)
    return ", puis ".join(one.name for one in found.hypotheses) or found.verdict


@dataclass(frozen=True)
class Answers:
    """Les réponses, repliées : on ne les lit que si on les déplie."""

    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        return "Les réponses, à déplier dans un carnet."

    def _repr_html_(self) -> str:
        kinds = ["th", *["td"] * len(self.rows)]
        lines = "".join(map(_html_row, kinds, self.rows))
        return f"<details><summary>Les réponses</summary><table>{lines}</table></details>"


def _html_row(kind: str, row: Iterable[str]) -> str:
    cells = (
        f'<{kind} style="text-align: left">{escape(typography(text))}</{kind}>' for text in row
    )
    return f"<tr>{''.join(cells)}</tr>"


class Ward:
    """La salle d'attente : des patients enregistrés, numérotés, dont on ne sait rien d'autre.

    `folder` : le dossier où `etudes/clinique.py` les a écrits, ou, d'Acrobot,
    `etudes/clinique_ailleurs.py` (`ACROBOT_PATIENTS`). FileNotFoundError s'il n'y est pas,
    ValueError si la liste des réponses n'est pas entière.
    """

    def __init__(self, folder: str | os.PathLike = PATIENTS):
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(f"folder doit être un chemin : {folder!r} reçu.")
        self._folder = Path(folder)
        if not (self._folder / "reponses.csv").is_file():
            raise FileNotFoundError(
                f"folder doit être le dossier des patients : {str(folder)!r} n'en contient pas."
            )
        self._accepted = _read_answers(self._folder / "reponses.csv")

    def __repr__(self) -> str:
        return typography(f"Patients de la salle d'attente : {len(self.numbers)}.")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Les numéros des patients."""
        return tuple(self._accepted)

    def chart(self, number: int) -> Chart:
        """Rend le relevé du patient `number`."""
        return self._load("patient", number)

    def witness(self, number: int) -> Chart:
        """Rend le relevé d'un entraînement sain, des mêmes réglages, d'une autre graine."""
        return self._load("temoin", number)

    def _load(self, kind: str, number: int) -> Chart:
        number = self._known("number", number)
        return load_chart(self._folder / f"{kind}_{number:02d}.csv")

    def _known(self, name: str, number: int) -> int:
        """Rend `number` si c'est le numéro d'un patient, sinon TypeError ou ValueError."""
        return check_choice(name, check_number(name, number, int), self.numbers)

    def sheet(self, number: int) -> Picture:
        """Rend la feuille du patient `number`, son témoin en gris."""
        return sheet(
            self.chart(number), f"Patient {number} : que dit sa feuille ?", self.witness(number)
        )

    def wall(self, numbers: Iterable[int], title: str) -> Picture:
        """Rend la salle : une ligne par patient de `numbers`."""
        chosen = [*numbers] if np.iterable(numbers) else []
        if not chosen:
            raise ValueError(f"numbers doit donner au moins un patient : {numbers!r} reçu.")
        return wall({one: (self.chart(one), self.witness(one)) for one in chosen}, title)

    def judge(self, answers: Mapping[int, str]) -> Round:
        """Confronte des avis, patient → maladie, à ce que l'on sait ; le reste demeure caché.

        ValueError si un numéro n'est pas celui d'un patient, ou un nom celui d'une maladie ;
        TypeError si un numéro n'est pas un entier.
        """
        if not isinstance(answers, Mapping):
            raise TypeError(f"answers doit être un dictionnaire, patient → nom : {answers!r} reçu.")
        opinions = tuple(self._opinion(number, name) for number, name in answers.items())
        return Round(opinions, len(self.numbers) - len(opinions))

    def reveal(self) -> Answers:
        """Rend, repliés, la maladie de chaque patient et ce qu'en dit `diagnose`."""
        heads = ("patient", "ce dont il souffre", "ce que dit l'outil")
        rows = (
            (str(one), ", ou ".join(names), _said(self.chart(one)))
            for one, names in self._accepted.items()
        )
        return Answers((heads, *rows))

    def _opinion(self, number: int, name: str) -> Opinion:
        number = self._known("une clé de `answers`", number)
        name, chart, accepted = checked_name(name), self.chart(number), self._accepted[number]
        if name in accepted:
            return Opinion(number, name, True, tuple(_confirmed(name, chart)))
        return Opinion(number, name, False, tuple(_refuted(name, accepted[0], chart)))


def _read_answers(path: Path) -> dict[int, tuple[str, ...]]:
    """Lit qui souffre de quoi, puis de quel autre nom on peut le dire ; un refus n'en dit rien."""
    try:
        table = read_table(path)
        names = map(_accepted, table["maladie"], table.get("aussi", repeat("")))
        accepted = dict(zip(map(int, table["patient"]), names, strict=True))
    except (KeyError, ValueError):
        accepted = {}
    if not accepted or len(accepted) < len(table["patient"]):
        raise ValueError(
            "folder doit être le dossier des patients, tel que l'écrit `etudes/clinique.py` : "
            f"{str(path)!r} n'en est pas la liste entière, un patient et son état par ligne."
        )
    return accepted


def _accepted(name: str, also: str) -> tuple[str, ...]:
    """Rend les noms acceptés, le premier d'abord ; ValueError si l'un n'est pas celui d'un état."""
    names = (name, also) if also else (name,)
    return tuple(check_choice("maladie", one, NAMES) for one in names)


def checked_name(name: str) -> str:
    """Rend `name` si c'est une maladie de la clinique ou « rien d'anormal », sinon ValueError.

    L'apostrophe peut être courbe, comme à l'affichage.
    """
    straight = name.replace("’", "'") if isinstance(name, str) else None
    if straight in NAMES:
        return straight
    near = get_close_matches(str(name), NAMES, n=1, cutoff=0.5)
    advice = f"vouliez-vous dire {near[0]!r} ?" if near else f"les noms sont {', '.join(NAMES)}."
    raise ValueError(f"answers doit donner le nom d'une maladie : {name!r} reçu ; {advice}")


def _confirmed(name: str, chart: Chart) -> Iterator[str]:
    """Dit ce qui montre l'état du patient, quand l'avis est juste."""
    if name == HEALTHY:
        found = diagnose(chart).hypotheses
        yield "Une mesure en ferait douter." if found else "Aucun signe n'est présent."
        return
    known = illness(name)
    yield known.evidence(chart) if _shows(known, chart) else "Son signe n'y est pourtant pas."
    yield f"Remède : {uncapitalised(known.cure)}"


def _refuted(name: str, truth: str, chart: Chart) -> Iterator[str]:
    """Dit pourquoi `name` ne va pas, puis où regarder, sans nommer la maladie."""
    if name != HEALTHY and not _shows(illness(name), chart):
        yield "Le signe de cette maladie n'y est pas."
    elif name != HEALTHY and 0 < NAMES.index(truth) < NAMES.index(name):
        yield "Ce signe y est, mais une maladie plus directe l'explique."
    elif name != HEALTHY:
        yield "Ce signe y est, mais sa cause est ailleurs."
    if truth == HEALTHY:
        yield "Ceux qui attendent ne sont pas tous malades."
    elif labels := telling(illness(truth), chart):
        yield f"Regardez : {' ; '.join(labels)}"
    else:
        yield f"Prochain examen : {uncapitalised(illness(truth).test)}"


def telling(one: Illness, chart: Chart) -> list[str]:
    """Rend les cadres où la maladie se lit : sans eux, plus de signe ; ou, seuls, ils suffisent.

    Aucun si le relevé n'en porte pas le signe.
    """
    if not _shows(one, chart):
        return []
    labels = [vital.label for vital in vitals_of(chart) if _tells(vital, one, chart)]
    # Presque tout signe attend qu'une mise à jour ait eu lieu : seule, elle n'apprend rien.
    return [label for label in labels if label != UPDATES.label] or labels


def _tells(vital: Vital, one: Illness, chart: Chart) -> bool:
    own = {*vital.traced, *vital.also}
    others = set(Chart._fields) - own - {"env_steps"}
    needed = not _shows(one, _without(chart, own))
    return needed or _shows(one, _without(chart, others))


def _shows(one: Illness, chart: Chart) -> bool:
    return len(chart.env_steps) > 0 and degree(one, chart) >= 1


def _without(chart: Chart, fields: Iterable[str]) -> Chart:
    nothing = np.full(len(chart.env_steps), np.nan)
    return chart._replace(**dict.fromkeys(fields, nothing))
