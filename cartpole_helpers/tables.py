"""Les tables .csv : lues entières ou refusées, écrites tout ou rien."""

import csv
import os
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from cartpole_helpers.files import check_path, write_atomically

END = "# fin : {} lignes"  # ce que dit la dernière ligne d'une table close
GROUP = r"# groupe : (\d+) lignes"  # et celle qui clôt un groupe, dans l'archive d'une étude


def load_study(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Lit une étude archivée et dit d'où elle vient ; rend un tableau (N,) par colonne.

    `path` : le .csv qu'un script de `etudes/` a écrit, d'une ligne au moins. Une colonne qui n'a
    que des nombres devient un tableau de flottants. Erreurs : celles de `read_table`.
    """
    table = read_table(path, "une étude archivée, un fichier .csv", least=1)
    path, (cells, *_) = Path(path), table.values()
    print(
        f"Étude archivée, lue dans {path.name} ({len(cells)} lignes) ; la refaire : {path.stem}.py"
    )
    return {name: _column(cells) for name, cells in table.items()}


def _column(cells: Sequence[str]) -> np.ndarray:
    try:
        return np.array(cells, float)
    except ValueError:
        return np.array(cells)


def read_table(
    path: str | os.PathLike, what: str = "une table", *, least: int = 0, closed: bool = False
) -> dict[str, list[str]]:
    """Rend les cases de chaque colonne d'un .csv entier, de `least` lignes au moins.

    `closed` : sa dernière ligne dit combien il y en a. FileNotFoundError si le fichier manque ;
    ValueError s'il n'est pas un .csv en UTF-8, s'il est vide, coupé (des lignes inégales, ou la
    dernière inachevée), ou si deux colonnes ont le même nom. Les messages disent `what`.
    """
    path = check_path(path)
    expected, name = f"path doit être {what}", repr(str(path))
    if not path.is_file():
        raise FileNotFoundError(f"{expected} : {name} n'existe pas.")
    try:
        rows = _rows(path.read_bytes().decode("utf-8-sig"), closed)
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{expected} : {name} n'est pas un .csv entier, en UTF-8.") from None
    if len(rows) <= least:
        raise ValueError(f"{expected} : la table de {name} est vide ou coupée.")
    if len({*rows[0]}) < len(rows[0]):
        raise ValueError(f"{expected}, aux colonnes distinctes : {rows[0]!r} reçu.")
    return {name: cells for name, *cells in zip(*rows, strict=True)}


def _rows(text: str, closed: bool) -> list[list[str]]:
    """Rend l'en-tête et les lignes, sans celle qui dit leur nombre ; rien si elles sont coupées."""
    if not text.endswith("\n"):
        return []
    # strict : ouverts, des guillemets garderaient le saut de ligne où le fichier est coupé
    rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    end = [END.format(len(rows) - 2)]
    whole = not closed or rows.pop() == end
    rows, comments = _split(rows)
    closings = [found for text in comments if (found := re.match(GROUP, text))]
    whole &= not comments or sum(int(found[1]) for found in closings) == len(rows) - 1
    return rows if whole and len({*map(len, rows)}) == 1 and rows[0] else []


def _split(rows: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Sépare les lignes et les commentaires, tels qu'une archive en contient."""
    told = [bool(row) and row[0].startswith("# ") for row in rows]
    comments = [",".join(row) for row, comment in zip(rows, told, strict=True) if comment]
    return [row for row, comment in zip(rows, told, strict=True) if not comment], comments


def write_table(
    path: str | os.PathLike, header: Sequence[str], rows: Iterable, *, closed: bool = False
) -> None:
    """Écrit une table, ou lève OSError et laisse l'ancienne ; `closed` : voir `read_table`."""
    rows = [*rows]
    write_atomically(path, written([header, *rows, *[[END.format(len(rows))]] * closed]))


def write_study(script: str, header: Sequence[str], rows: Iterable) -> None:
    """Écrit d'un coup l'étude que fait `script`, dans le .csv de même nom."""
    write_table(Path(script).with_suffix(".csv"), header, rows)


def written(rows: Iterable[Sequence]) -> bytes:
    """Rend les lignes telles qu'un .csv les écrit."""
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
