"""Ce qu'est une copie : un carnet, lu sans rien croire de ce qu'il contient."""

import json
from pathlib import Path
from typing import NamedTuple

LARGEST = 20 * 2**20  # octets
NOT_A_NOTEBOOK = "pas un carnet"


class CopyError(Exception):
    """Un fichier n'est pas une copie ; le message dit pourquoi."""


class Cell(NamedTuple):
    """Une cellule : son genre, son nom pour nbgrader s'il y en a un, son texte."""

    kind: str
    grade_id: str
    source: str


def cells(data: bytes) -> list[Cell]:
    """Rend les cellules d'un carnet ; CopyError si ce n'en est pas un."""
    if len(data) > LARGEST:
        raise CopyError(f"trop grand ({len(data) / 2**20:.0f} Mo)")
    try:
        return [_cell(one) for one in json.loads(data)["cells"]]
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CopyError(NOT_A_NOTEBOOK) from error


def _cell(raw: dict) -> Cell:
    grade_id = raw["metadata"].get("nbgrader", {}).get("grade_id", "")
    text = raw["source"] if isinstance(raw["source"], str) else "".join(raw["source"])
    return Cell(str(raw["cell_type"]), str(grade_id), text)


def read(path: Path) -> list[Cell]:
    """Rend les cellules d'un fichier ; CopyError si c'est un lien, ou s'il n'est pas un carnet."""
    if path.is_symlink() or not path.is_file():
        raise CopyError("un lien, et non un fichier")
    if path.stat().st_size > LARGEST:
        raise CopyError(f"trop grand ({path.stat().st_size / 2**20:.0f} Mo)")
    return cells(path.read_bytes())
