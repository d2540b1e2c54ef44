"""La durée d'un carnet, d'après la règle que donne le README."""

import re

from nbformat import NotebookNode

from building.record import code_cells, is_folded, prose

WORDS, LINES = 150, 10  # de prose, et de code déplié, que l'on lit en une minute


def minutes(notebook: NotebookNode) -> tuple[int, int]:
    """Ce que demande un carnet : lire, à cinq minutes près, et faire ses exercices."""
    told = "\n".join(prose(notebook))
    read = [cell for cell in code_cells(notebook) if not is_folded(cell)]
    lines = sum(len(cell.source.splitlines()) for cell in read)
    reading = len(told.split()) / WORDS + lines / LINES
    return 5 * round(reading / 5), sum(map(int, re.findall(r"\((\d+)\sminutes\)", told)))
