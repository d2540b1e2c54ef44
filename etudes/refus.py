"""Ce que refuse la vérification des exercices : chaque erreur connue, et l'indice qu'elle reçoit.

    .venv/bin/python etudes/refus.py

Une ligne par réponse du catalogue, juste ou fausse : le verdict et l'indice. Une partie des cas est
tirée au hasard à chaque fois ; la table, elle, ne change pas, et un test la refait.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from cartpole_helpers.teaching.checking import Exercise, judge
from cartpole_helpers.teaching.exercises import EXERCISES

HEADER = ("exercice", "reponse", "verdict", "indice")


def main() -> None:
    """Refait la table."""
    with Path(__file__).with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows()])


def rows() -> Iterator[tuple]:
    """Rend les lignes de la table, exercice par exercice."""
    for exercise in EXERCISES.values():
        yield exercise.name, "celle du cours", *row(exercise, exercise.reference)
        for rank, variant in enumerate(exercise.variants, 1):
            yield exercise.name, f"autre réponse juste, {rank}", *row(exercise, variant)
        for mistake in exercise.mistakes:
            yield exercise.name, mistake.name, *row(exercise, mistake.answer)


def row(exercise: Exercise, answer: Callable) -> tuple[str, str]:
    """Rend le verdict et l'indice."""
    report = judge(exercise, answer)
    return ("acceptée" if report.passed else "refusée"), report.hint


if __name__ == "__main__":
    main()
