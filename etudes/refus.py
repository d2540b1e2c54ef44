"""Ce que refuse la vérification des exercices : chaque erreur connue, et l'indice qu'elle reçoit.

    .venv/bin/python etudes/refus.py

Une ligne par réponse du catalogue, juste ou fausse : le verdict et l'indice. Une partie des cas est
tirée au hasard à chaque fois ; la table, elle, ne change pas, et un test la refait. Les dernières
lignes sont les DQN fautifs de la page blanche, que l'épreuve entraîne : quelques minutes.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from cartpole_helpers.tables import write_study
from cartpole_helpers.teaching.capstone import examine
from cartpole_helpers.teaching.catalogue.capstone import MISTAKES
from cartpole_helpers.teaching.checking import Exercise, Report, judge
from cartpole_helpers.teaching.exercises import EXERCISES

HEADER = ("exercice", "reponse", "verdict", "indice")


def main() -> None:
    """Refait la table."""
    write_study(__file__, HEADER, chain(rows(), capstone_rows()))


def rows() -> Iterator[tuple]:
    """Rend les lignes de la table, exercice par exercice."""
    for exercise in EXERCISES.values():
        yield exercise.name, "celle du cours", *row(exercise, exercise.reference)
        for rank, variant in enumerate(exercise.variants, 1):
            yield exercise.name, f"autre réponse juste, {rank}", *row(exercise, variant)
        for mistake in exercise.mistakes:
            yield exercise.name, mistake.name, *row(exercise, mistake.answer)


def capstone_rows() -> Iterator[tuple]:
    """Rend les lignes de la page blanche ; le DQN juste, qui joue aussi CartPole, n'y est pas."""
    for mistake in MISTAKES:
        *_, report = examine(mistake.answer)
        yield "dqn", mistake.name, *told(report)


def row(exercise: Exercise, answer: Callable) -> tuple[str, str]:
    """Rend le verdict et l'indice."""
    return told(judge(exercise, answer))


def told(report: Report) -> tuple[str, str]:
    """Rend le verdict et l'indice d'un compte rendu."""
    return ("acceptée" if report.passed else "refusée"), report.hint


if __name__ == "__main__":
    main()
