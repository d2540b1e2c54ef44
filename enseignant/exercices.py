"""Écrit exercices.md : les réponses fausses du catalogue, leurs indices, où le cours en traite.

    .venv/bin/python enseignant/exercices.py

Un test compare la page à ce que rend ce script : si le catalogue change, elle est à refaire.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from cartpole_helpers.teaching.catalogue import EXERCISES, dqn
from cartpole_helpers.teaching.exercise import Exercise, Mistake
from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS

PAGE = Path(__file__).with_suffix(".md")
SOURCES = PAGE.parents[1] / "notebooks" / "sources"
FIRST = 3  # les premières réponses fausses d'un exercice, même propres à lui
ALL = (*EXERCISES.values(), dqn.EXERCISE)
INTRODUCTION = """# Ce que répond `check`

[`exercices.py`](exercices.py) tire cette page du catalogue : ne la modifiez pas à la main. Les
réponses fausses y sont inventées, non relevées dans une classe ; `check` refuse chacune d'elles, et
un test y veille. Les autres difficultés sont dans [Ce qui coince](ce_qui_coince.md)."""
SHARED = """## Les idées qui reviennent

Une idée fausse que plusieurs exercices partagent a un nom. Voici ce qu'on en dit, où le cours en
traite, et les exercices dont le catalogue la contient."""
CHOSEN = """## Exercice par exercice

Le catalogue compte {} réponses fausses. En voici, de chaque exercice, les trois premières, et
celles qui portent une idée qui revient (en italique). La phrase est l'indice que lit l'étudiant."""


def main() -> None:
    """Refait la page."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """Rend le texte de la page."""
    count = sum(len(exercise.mistakes) for exercise in ALL)
    blocks = [INTRODUCTION, SHARED, table(("Idée", "Ce qu'on en dit", "Où", "Exercices"), shared())]
    blocks.append(CHOSEN.format(count))
    for number, exercises in by_notebook().items():
        blocks.append(f"### Carnet {number}")
        for exercise in exercises:
            blocks.append(f"**`{exercise.name}`** ({len(exercise.mistakes)} réponses fausses)")
            blocks.append(table(("Réponse fausse", "Indice", "Où"), told(exercise)))
    return "\n\n".join(blocks) + "\n"


def shared() -> Iterator[tuple[str, ...]]:
    """Rend une ligne par idée du vocabulaire que le catalogue emploie."""
    for notion in MISCONCEPTIONS.values():
        names = [one.name for one in ALL if any(each.notion == notion for each in one.mistakes)]
        if names:
            yield notion.name, notion.sentence, notion.taught, code(names)


def told(exercise: Exercise) -> Iterator[tuple[str, ...]]:
    """Rend une ligne par réponse fausse retenue d'un exercice, dans l'ordre du catalogue."""
    for rank, mistake in enumerate(exercise.mistakes):
        if rank < FIRST or mistake.notion:
            yield named(mistake), mistake.hint, mistake.notion.taught if mistake.notion else ""


def named(mistake: Mistake) -> str:
    """Rend le nom d'une réponse fausse, suivi de son idée, si elle porte un autre nom."""
    if mistake.notion is None:
        return mistake.name
    name = mistake.notion.name
    return f"*{name}*" if name == mistake.name else f"{mistake.name} (*{name}*)"


def by_notebook() -> dict[str, list[Exercise]]:
    """Rend les exercices sous le numéro du carnet qui le premier les fait écrire."""
    sources = {path.name[:2]: path.read_text("utf-8") for path in sorted(SOURCES.glob("*.py"))}
    found: dict[str, list[Exercise]] = {}
    for exercise in ALL:
        asked = re.compile(rf"^(?:def|class) {exercise.name}\b", re.MULTILINE)
        number = next(number for number, text in sources.items() if asked.search(text))
        found.setdefault(number, []).append(exercise)
    return dict(sorted(found.items()))


def code(names: list[str]) -> str:
    """Écrit des noms de code, séparés par des virgules."""
    return ", ".join(f"`{name}`" for name in names)


def table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Rend un tableau en Markdown ; une barre dans une case n'y sépare rien."""
    lines = (header, [":---"] * len(header), *rows)
    cells = ((cell.replace("|", r"\|") for cell in line) for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


if __name__ == "__main__":
    main()
