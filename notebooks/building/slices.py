"""Les tranches d'un carnet : les sections et les exercices choisis, et ce dont ils ont besoin."""

import ast
import builtins
import re
import symtable
from collections.abc import Collection, Iterable, Iterator
from copy import copy
from itertools import pairwise
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from building.record import identified

NEEDED = "## Ce dont la suite a besoin"
HEAD = re.compile(r"^(?=###? |\*\*Exercice\s\d)", re.M)  # où commence un morceau
TITLE = re.compile(r"## (?:(\d+)\.\s)?(.*)")
EXERCISE = re.compile(r"\*\*Exercice\s(\d+)")
DURATION = re.compile(r"\n\n\*Lecture\s: .*\*$", re.M)  # celle du carnet entier
BUILTINS = {*dir(builtins), "display"}
READS_FIRST = ast.Assign | ast.AnnAssign | ast.AugAssign  # avant de lier
AT_ONCE = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # des fonctions, pour Python seulement
CHANGING = {"add", "append", "extend", "update"}  # ces méthodes changent leur objet


class Names(NamedTuple):
    """Les noms qu'une cellule lie ou change ; ceux qu'elle attend des précédentes ; ceux que
    liront les fonctions qu'elle définit, quand on les appellera."""

    bound: set[str]
    read: set[str]
    called: set[str]


def names_of(code: str) -> Names:
    """Lit une cellule, une instruction après l'autre."""
    names = Names(set(), set(), set())
    for node in _statements(ast.parse(code).body):
        table = symtable.symtable(ast.unparse(node), "cellule", "exec")
        symbols = table.get_symbols()
        stored = {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
        loaded = {one.get_name() for one in symbols if one.is_referenced()}
        loaded, called = _with_inner(table, loaded)
        changed = set(filter(None, map(_changed, _of_the_cell(node))))
        own = set() if isinstance(node, READS_FIRST) else stored
        names.read.update(((loaded - own) | changed) - names.bound)
        names.bound.update(stored | changed)
        names.called.update(called)
    return names._replace(called=names.called - names.bound)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Les instructions, dans l'ordre ; d'un bloc, sa première ligne, puis ce qu'il contient."""
    for node in body:
        if isinstance(node, ast.If | ast.For | ast.While | ast.With):
            head = copy(node)
            head.body, head.orelse = [ast.Pass()], []
            yield head
            yield from _statements([*node.body, *getattr(node, "orelse", [])])
        else:
            yield node


def _with_inner(table: symtable.SymbolTable, loaded: set[str]) -> tuple[set[str], set[str]]:
    """Les noms de la cellule que lit une instruction : tout de suite, puis dans ses fonctions."""
    called: set[str] = set()
    for inner in table.get_children():
        names = {one.get_name() for one in inner.get_symbols() if one.is_global()}
        at_once, later = _with_inner(inner, names)
        is_called = inner.get_type() == "function" and inner.get_name() not in AT_ONCE
        loaded, called = (
            (loaded, called | at_once | later) if is_called else (loaded | at_once, called | later)
        )
    return loaded - BUILTINS, called - BUILTINS


def _of_the_cell(node: ast.AST) -> Iterator[ast.AST]:
    """Les nœuds d'une instruction, hors du corps des fonctions qu'elle définit."""
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        yield node
        for inner in ast.iter_child_nodes(node):
            yield from _of_the_cell(inner)


def _changed(node: ast.AST) -> str:
    """Le nom dont ce nœud change la valeur : `a += 1`, `a[0] = 1`, `a.b = 1`, `a.append(1)`."""
    match node:
        case ast.AugAssign(target=target):
            pass
        case ast.Subscript(ctx=ast.Store(), value=target):
            pass
        case ast.Attribute(ctx=ast.Store(), value=target):
            pass
        case ast.Call(func=ast.Attribute(value=target, attr=method)) if method in CHANGING:
            pass
        case _:
            return ""
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return getattr(target, "id", "")


def with_needed(codes: list[str], chosen: Collection[int]) -> list[int]:
    """Le rang des cellules choisies, et de celles qui lient ce qu'elles lisent."""
    names = [*map(names_of, codes)]
    kept: list[int] = []
    wanted: set[str] = set()
    for rank in reversed(range(len(codes))):
        bound, read, called = names[rank]
        if rank in chosen or bound & wanted:
            kept.insert(0, rank)
            wanted = (wanted - bound) | read | called
    # Ce que lit une fonction peut n'être lié qu'après elle.
    late = {rank for rank in range(len(codes)) if names[rank].bound & wanted} - {*kept}
    return with_needed(codes, {*kept, *late}) if late else kept


def unbound(codes: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Les noms lus avant d'être liés, chacun après le rang de la cellule qui le lit ; pour ce que
    lit une fonction, jamais liés suffit."""
    names = [*map(names_of, codes)]
    everything = set().union(*(one.bound for one in names))
    known: set[str] = set()
    for rank, (bound, read, called) in enumerate(names):
        yield from ((rank, name) for name in sorted((read - known) | (called - everything)))
        known |= bound


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
