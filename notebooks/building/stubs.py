"""Les ébauches d'exercices, que le lecteur remplit : les reconnaître dans une cellule."""

import ast

from cartpole_helpers.teaching.catalogue import EXERCISES


def _is_docstring(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


def is_blank(node: ast.stmt) -> bool:
    """Dit si, docstring à part, une fonction ne contient que `...`, une classe que de telles."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and node.value.value is ...
    body = [one for one in getattr(node, "body", []) if not _is_docstring(one)]
    named = isinstance(node, ast.FunctionDef | ast.ClassDef)
    return named and bool(body) and all(map(is_blank, body))


def stubs(code: str) -> list[ast.stmt]:
    """Les ébauches d'exercices d'une cellule, dans l'ordre."""
    nodes = ast.parse(code).body
    return [node for node in nodes if getattr(node, "name", "") in EXERCISES and is_blank(node)]
