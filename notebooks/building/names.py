"""Les noms d'un code : ceux qu'il lie, ceux qu'il attend, ce dont des cellules ont besoin."""

import ast
import builtins
import symtable
from collections.abc import Collection, Iterable, Iterator
from copy import copy
from typing import NamedTuple

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
