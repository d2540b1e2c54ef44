"""Compose un examen de la clinique : des patients neufs, en images, et leurs réponses à part.

    .venv/bin/python enseignant/examen.py DOSSIER --patients 6 --graine 2026

DOSSIER/sujet reçoit une feuille par patient, son témoin en gris ; DOSSIER/correction, leurs relevés
et leurs réponses, que lit `Ward(DOSSIER/correction)`. Deux patients vont bien ; les autres ont
chacun une maladie, tirée de celles d'etudes/clinique.py, à forte dose. Un patient que `diagnose`
ne nomme pas dans ses deux premières hypothèses n'entre pas au sujet : un autre est tiré.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "etudes"))

from clinique import ALSO, CAUSES, RECIPE, Cause, builder, first_two, followed, illness_of

from cartpole_helpers import Training
from cartpole_helpers.tables import write_table
from cartpole_helpers.teaching.clinic import HEALTHY, Chart, Ward, save_chart

SOUND = 2  # patients qui vont bien
UNSEEN = 20_000_000  # loin des graines de toute étude


class Patient(NamedTuple):
    """Un entraînement, un témoin des mêmes réglages, et de quoi il souffre."""

    chart: Chart
    witness: Chart
    illness: str
    also: str
    recipe: str
    seed: int


def main() -> None:
    """Lit la ligne de commande et écrit l'examen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dossier", type=Path)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument("--graine", type=int, required=True)
    given = parser.parse_args()
    if given.patients <= SOUND:
        parser.error(f"--patients doit dépasser {SOUND} : {given.patients} reçu.")
    compose(given.dossier, given.patients, given.graine)


def compose(folder: Path, count: int, seed: int) -> None:
    """Écrit dans `folder` le sujet et sa correction."""
    subject, answers = folder / "sujet", folder / "correction"
    for each in (subject, answers):
        each.mkdir(parents=True)
    rows = []
    for number, one in enumerate(drawn(count, seed), 1):
        save_chart(one.chart, answers / f"patient_{number:02d}.csv")
        save_chart(one.witness, answers / f"temoin_{number:02d}.csv")
        rows.append((number, one.illness, one.also, one.recipe, one.seed))
    header = ("patient", "maladie", "aussi", "recette", "graine")
    write_table(answers / "reponses.csv", header, rows)
    ward = Ward(answers)
    for number in ward.numbers:
        (subject / f"patient_{number:02d}.png").write_bytes(ward.sheet(number).png())


def drawn(count: int, seed: int) -> Iterator[Patient]:
    """Rend `count` patients, dans un ordre qui ne dit rien d'eux, sans deux fois la même cause."""
    chance = np.random.default_rng(seed)
    sick = chance.permutation(list(CAUSES))[: count - SOUND].tolist()
    for rank, cause in enumerate(chance.permutation([*sick, *[HEALTHY] * SOUND]).tolist()):
        yield admitted(cause, str(chance.choice(list(RECIPE))), UNSEEN + 1_000 * seed + 10 * rank)


def admitted(cause: str, recipe: str, seed: int) -> Patient:
    """Rend un patient que l'outil sait nommer, à cette graine ou à l'une des suivantes."""
    well = replace(RECIPE[recipe], **CAUSES.get(cause, Cause()).setting)
    name = illness_of(cause)
    [chart] = builder(cause, recipe)([seed])
    if name not in first_two(chart):
        return admitted(cause, recipe, seed + 1)
    [witness] = followed(Training, well, [seed + 500])
    return Patient(chart, witness, name, ALSO.get(cause, ""), recipe, seed)


if __name__ == "__main__":
    main()
