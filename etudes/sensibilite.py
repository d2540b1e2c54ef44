"""Que devient chaque maladie de la clinique, si son seuil est déplacé ?

    .venv/bin/python etudes/sensibilite.py [etudes/clinique_ailleurs.csv]

D'après une archive, clinique.csv à défaut, qui garde le degré de chaque signe : rien n'est
entraîné à nouveau. Une ligne par maladie : le rappel, puis les fausses alarmes, quand son signe
doit être de 4 fois moins à 4 fois plus marqué que ne le veut son seuil. Un fait n'a pas de degré :
sa ligne est plate. « Cible trop lente » en a un qui ne dépasse pas 1, son second signe étant un
fait : sa ligne ne se lit qu'à gauche. Les seuils ont été réglés sur les mêmes recettes : une courbe
haute n'est pas une preuve, une courbe raide est un avertissement.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cartpole_helpers import load_study
from cartpole_helpers.display.numbers import number
from cartpole_helpers.teaching.clinic import ILLNESSES, sensitivity
from cartpole_helpers.teaching.clinic.thresholds import FACTORS

USUAL = Path(__file__).with_name("clinique.csv")


def table(study: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Rend les lignes du tableau, en Markdown."""
    heads = [f"× {number(factor, 2)}" for factor in FACTORS]
    yield f"| Maladie | Malades | {' | '.join(heads)} |"
    yield f"|:---|---:|{'---:|' * len(heads)}"
    for one in ILLNESSES:
        curve = sensitivity(study, one.name)
        pairs = zip(curve.recall, curve.alarms, strict=True)
        cells = [f"{number(100 * recall)} / {number(100 * alarms)}" for recall, alarms in pairs]
        yield f"| {one.name} | {curve.sick} | {' | '.join(cells)} |"


def main() -> None:
    """Affiche le tableau : rappel / fausses alarmes, en pour cent."""
    print(*table(load_study(sys.argv[1] if len(sys.argv) > 1 else USUAL)), sep="\n")


if __name__ == "__main__":
    main()
