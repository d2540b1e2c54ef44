"""Ce dont un carnet dépend : sa source, les modules qu'elle importe, les données qu'ils nomment."""

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from glob import glob
from pathlib import Path

from building.errors import BuildError

DATA_FOLDERS = ("cartpole_helpers", "etudes", "checkpoints")  # videos/ est écrit par les carnets
# Un fichier, un dossier, ou un motif dont une variable, devenue « * », ne fait pas tout le nom.
NAME = re.compile(r"(?=[\w-]*[./])[\w./-]{1,200}|[\w./-]{0,100}/[\w./*-]{1,100}")


def root_of(source: Path) -> Path:
    """Le dossier du projet auquel appartient une source."""
    return source.parents[2]


def inputs_of(source: Path) -> set[Path]:
    """La source, les modules du projet qu'elle importe de proche en proche, leurs données."""
    found: set[Path] = set()
    waiting = [source]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _dependencies(file, root_of(source)) if file.suffix == ".py" else []
    return found


def data_of(code: str, root: Path) -> set[Path]:
    """Les fichiers du projet que nomme le code d'un carnet."""
    return {*_named_data(_told(code)[1], root / "notebooks", root)}


def _dependencies(file: Path, root: Path) -> Iterator[Path]:
    try:
        imports, texts = _told(file.read_text("utf-8"))
    except SyntaxError as error:
        raise BuildError(f"{file.name}, ligne {error.lineno} : syntaxe, {error.msg}.") from error
    for node in imports:
        for name in _imported_names(node, file.parent.relative_to(root).parts):
            yield from _module_files(name.split("."), root)
    folder = root / "notebooks" if file.parent.name == "sources" else file.parent
    yield from _named_data(texts, folder, root)


@cache  # onze carnets importent les mêmes modules
def _told(code: str) -> tuple[list[ast.Import | ast.ImportFrom], set[str]]:
    """Les imports d'un programme, et ceux de ses textes qui peuvent nommer des données."""
    nodes = [*ast.walk(ast.parse(code))]
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return imports, {text for text in map(_text, nodes) if NAME.fullmatch(text)}


def _text(node: ast.AST) -> str:
    """Le texte d'un nœud, ou rien ; ce qu'une variable y complète devient « * »."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "*" for part in node.values)
        return "".join(parts)
    value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else ""


def _imported_names(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    else:
        parents = package[: len(package) - node.level + 1] if node.level else ()
        base = [*parents, *([node.module] if node.module else [])]
        yield from (".".join([*base, alias.name]) for alias in node.names)


def _module_files(parts: list[str], root: Path) -> Iterator[Path]:
    """Importer `a.b` exécute `a/__init__.py`, puis `a/b.py` ou `a/b/__init__.py`."""
    for depth in range(1, len(parts) + 1):
        module = root.joinpath(*parts[:depth])
        candidates = (module.with_suffix(".py"), module / "__init__.py")
        yield from (path for path in candidates if path.is_file())


def _named_data(texts: set[str], folder: Path, root: Path) -> Iterator[Path]:
    homes = [root / data for data in DATA_FOLDERS]
    for name in texts:
        for base in (folder, root / "notebooks"):  # un module nomme aussi ce que lira un carnet
            for path in ((base / found).resolve() for found in glob(name, root_dir=base)):
                if any(path.is_relative_to(home) for home in homes):
                    yield from _files(path, name)


def _files(path: Path, name: str) -> Iterator[Path]:
    """Le fichier nommé, ou tous ceux du dossier ; un point ou un simple mot ne le nomme pas."""
    if path.is_dir() and re.search(r"/\w", name):
        yield from (file for file in path.rglob("*.*") if "__pycache__" not in file.parts)
    elif path.is_file():
        yield path


def inputs_digest(source: Path) -> str:
    """Empreinte de tout ce dont le carnet dépend, quelles que soient les fins de ligne."""
    total = hashlib.sha256()
    for file in sorted(inputs_of(source), key=Path.as_posix):
        content = file.read_bytes().replace(b"\r\n", b"\n")
        name = file.relative_to(root_of(source)).as_posix()
        total.update(f"{name} {len(content)} ".encode() + content)
    return total.hexdigest()
