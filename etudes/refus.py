"""Ce que refuse la vérification des exercices : chaque erreur connue, et l'indice qu'elle reçoit.

    .venv/bin/python etudes/refus.py

Une ligne par réponse du catalogue, juste ou fausse : l'idée fausse qu'elle partage avec d'autres
exercices, ce qui la distingue de la réponse juste, le verdict et l'indice. Une partie des cas est
tirée au hasard à chaque fois ; la table, elle, ne change pas, et un test la refait. Les dernières
lignes sont les DQN fautifs de la page blanche, que l'épreuve entraîne : quelques minutes.
"""

from collections.abc import Iterator
from itertools import chain

from cartpole_helpers.tables import write_study
from cartpole_helpers.teaching.capstone import jury
from cartpole_helpers.teaching.catalogue import EXERCISES, dqn
from cartpole_helpers.teaching.checking import Report, judge
from cartpole_helpers.teaching.exercise import Exercise, Mistake

HEADER = ("exercice", "reponse", "notion", "changement", "verdict", "indice")


def main() -> None:
    """Refait la table."""
    write_study(__file__, HEADER, chain(*map(rows, EXERCISES.values()), capstone_rows()))


def rows(exercise: Exercise) -> Iterator[tuple]:
    """Rend les lignes d'un exercice."""
    yield exercise.name, "celle du cours", "", "", *told(judge(exercise, exercise.reference))
    for rank, variant in enumerate(exercise.variants, 1):
        name = f"autre réponse juste, {rank}"
        yield exercise.name, name, "", "", *told(judge(exercise, variant))
    for mistake in exercise.mistakes:
        yield *row(exercise, mistake), *told(judge(exercise, mistake.answer))


def capstone_rows() -> Iterator[tuple]:
    """Rend les lignes de la page blanche ; le DQN juste, qui joue aussi CartPole, n'y est pas."""
    for mistake in dqn.EXERCISE.mistakes:
        *_, report = jury(mistake.answer)
        yield *row(dqn.EXERCISE, mistake), *told(report)


def row(exercise: Exercise, mistake: Mistake) -> tuple[str, ...]:
    """Rend ce que l'on sait d'une erreur avant de la juger."""
    notion = mistake.notion.name if mistake.notion else ""
    changes = " ; ".join(f"{old or 'return …'} → {new or '∅'}" for old, new in mistake.changes)
    return exercise.name, mistake.name, notion, changes


def told(report: Report) -> tuple[str, str]:
    """Rend le verdict et l'indice d'un compte rendu."""
    return ("acceptée" if report.passed else "refusée"), report.hint


if __name__ == "__main__":
    main()
