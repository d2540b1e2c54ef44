"""Les tranches d'un carnet : les sections et les exercices choisis, et ce dont ils ont besoin."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from building.names import with_needed
from building.record import identified

NEEDED = "## Ce dont la suite a besoin"
HEAD = re.compile(r"^(?=###? |\*\*Exercice\s\d)", re.M)  # où commence un morceau
TITLE = re.compile(r"## (?:(\d+)\.\s)?(.*)")
EXERCISE = re.compile(r"\*\*Exercice\s(\d+)")
DURATION = re.compile(r"\n\n\*Lecture\s: .*\*$", re.M)  # celle du carnet entier


class Part(NamedTuple):
    """Un morceau de carnet : l'entrée, une section, ou l'un de ses exercices.

    `section` est 0 pour l'entrée, `None` si la section n'a pas de numéro ; `exercise` est 0 hors
    des exercices ; `opens` : la section ne fait qu'ouvrir une suite d'exercices.
    """

    section: int | None
    exercise: int
    opens: bool
    cells: list[NotebookNode]


def parts(notebook: NotebookNode) -> list[Part]:
    """Les morceaux d'un carnet, dans l'ordre, sans sorties."""
    found = [Part(0, 0, False, [])]
    for cell in _pieces(notebook):
        last, text = found[-1], cell.source if cell.cell_type == "markdown" else ""
        if title := TITLE.match(text):
            section = int(title[1]) if title[1] else None
            found.append(Part(section, 0, "À vous" in title[2], []))
        elif exercise := EXERCISE.match(text):
            found.append(last._replace(exercise=int(exercise[1]), opens=False, cells=[]))
        elif text.startswith("### ") and last.exercise:
            found.append(last._replace(exercise=0, cells=[]))
        found[-1].cells.append(cell)
    return found


def _pieces(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Les cellules, sans sorties ; une prose qui contient un titre ou un exercice y est coupée."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield nbformat.v4.new_code_cell(cell.source, metadata=cell.metadata)
        else:
            texts = filter(str.strip, HEAD.split(cell.source))
            yield from map(nbformat.v4.new_markdown_cell, map(str.strip, texts))


def compose(
    notebook: NotebookNode, sections: Collection[int] = (), exercises: Collection[int] = ()
) -> NotebookNode:
    """Le carnet réduit à son entrée et à ce que l'on choisit ; entier, si l'on ne choisit rien.

    Tout reste dans l'ordre. Ce que l'on n'a pas choisi et dont la suite a besoin y est aussi,
    instruction par instruction, sous un titre qui le dit. ValueError si un numéro n'existe pas.
    """
    found, whole = parts(notebook), not sections and not exercises
    _check("sections", sections, [part.section for part in found])
    _check("exercises", exercises, [part.exercise for part in found])
    cells = [cell for part in found for cell in part.cells]
    wanted = [whole or _is_wanted(part, sections, exercises) for part in found for _ in part.cells]
    if not whole:
        cells[0].source = DURATION.sub("", cells[0].source)
    metadata = {key: notebook.metadata[key] for key in ("kernelspec", "language_info")}
    return nbformat.v4.new_notebook(cells=identified(_kept(cells, wanted)), metadata=metadata)


def _kept(cells: list[NotebookNode], wanted: list[bool]) -> list[NotebookNode]:
    """Les cellules voulues et, des autres, les instructions dont elles ont besoin."""
    units = [
        (rank, code) for rank in range(len(cells)) for code in _units(cells[rank], wanted[rank])
    ]
    chosen = [unit for unit, (rank, _) in enumerate(units) if wanted[rank]]
    codes: dict[int, list[str]] = {}
    for unit in with_needed([code for _, code in units], chosen):
        codes.setdefault(units[unit][0], []).append(units[unit][1])
    kept = []
    for before, rank in pairwise([0, *codes]):
        if not wanted[rank]:
            cells[rank].source = "\n".join(codes[rank]).strip()
            kept += [nbformat.v4.new_markdown_cell(NEEDED)] if wanted[before] else []
        kept.append(cells[rank])
    return kept


def _units(cell: NotebookNode, whole: bool) -> Iterator[str]:
    """Le code d'une cellule, d'un bloc ou par instructions ; d'une prose, un code vide."""
    if whole or cell.cell_type != "code":
        yield cell.source if cell.cell_type == "code" else ""
        return
    lines, start = cell.source.splitlines(), 0
    for node in ast.parse(cell.source).body:
        yield "\n".join(lines[start : node.end_lineno])
        start = node.end_lineno or 0


def _is_wanted(part: Part, sections: Collection[int], exercises: Collection[int]) -> bool:
    if part.exercise:
        return part.exercise in exercises
    return part.section == 0 or part.section in sections or (part.opens and bool(exercises))


def _check(name: str, asked: Collection[int], known: Iterable[int | None]) -> None:
    there = sorted({number for number in known if number})
    if unknown := [number for number in asked if number not in there]:
        raise ValueError(f"{name} doit ne nommer que {there} : {unknown[0]} reçu.")
