"""Ce qu'est une copie : un carnet, lu sans rien croire de ce qu'il contient."""

import json
from pathlib import Path

LARGEST = 20 * 2**20  # octets
NOT_A_NOTEBOOK = "pas un carnet"


class CopyError(Exception):
    """Un fichier n'est pas une copie ; le message dit pourquoi."""


def grade_ids(data: bytes) -> list[str]:
    """Rend les noms que nbgrader donne aux cellules d'un carnet, "" à celles qui n'en ont pas ;
    CopyError si ce n'en est pas un."""
    if len(data) > LARGEST:
        raise CopyError(f"trop grand ({len(data) / 2**20:.0f} Mo)")
    try:
        cells = [one["metadata"] for one in json.loads(data)["cells"]]
        return [str(one.get("nbgrader", {}).get("grade_id", "")) for one in cells]
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise CopyError(NOT_A_NOTEBOOK) from error


def read(path: Path) -> list[str]:
    """Rend ces noms, d'un fichier ; CopyError si c'est un lien, ou s'il n'est pas un carnet."""
    if path.is_symlink() or not path.is_file():
        raise CopyError("un lien, et non un fichier")
    if path.stat().st_size > LARGEST:
        raise CopyError(f"trop grand ({path.stat().st_size / 2**20:.0f} Mo)")
    return grade_ids(path.read_bytes())
