"""Les tables .csv : lues entières ou refusées, écrites tout ou rien."""

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from cartpole_helpers.checks import check_choice, check_numbers
from cartpole_helpers.files import check_path, write_atomically

END = "# fin : {} lignes"  # ce que dit la dernière ligne d'une table close
NOTE = "# de : "  # et la première, si elle dit d'où elle vient
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


def evaluations_of(study: Mapping[str, np.ndarray], **where) -> np.ndarray:
    """Rend ce qu'une étude a relevé de chaque graine au fil du temps, (graines, évaluations).

    `study` : ce que rend `load_study` ; `where` : colonne → la valeur voulue, ou celles que l'on
    accepte. Les graines vont croissant ; les évaluations sont les colonnes nommées d'un nombre de
    pas, ou de leur rang (« 3/20 »). ValueError si une colonne n'existe pas, ou si rien ne convient.
    """
    rows = _rows_where(study, where)
    looks = [name for name in study if re.fullmatch(r"\d+(/\d+)?", name)]
    if not looks:
        raise ValueError("study doit avoir une colonne par évaluation : aucune trouvée.")
    rows = rows[np.argsort(study["graine"][rows], kind="stable")]
    return np.stack([study[name][rows] for name in looks], axis=1)


def series_of(study: Mapping[str, np.ndarray], column: str, **where) -> np.ndarray:
    """Rend une colonne d'une étude qui a une ligne par évaluation : (graines, évaluations).

    `study`, `where` : ceux d'`evaluations_of`. Les graines vont croissant ; NaN après la dernière
    évaluation de celles qui en ont moins. TypeError si la colonne n'a pas que des nombres ;
    ValueError si une colonne n'existe pas, ou si rien ne convient.
    """
    check_choice("column", column, [*study])
    rows = _rows_where(study, where)
    seeds = study["graine"][rows]
    values = check_numbers(f"study[{column!r}]", study[column][rows]).astype(float)
    each = [values[seeds == seed] for seed in np.unique(seeds)]
    longest = max(map(len, each))
    return np.stack([np.pad(one, (0, longest - len(one)), constant_values=np.nan) for one in each])


def _rows_where(study: Mapping[str, np.ndarray], where: Mapping) -> np.ndarray:
    """Rend les rangs, une au moins, des lignes d'une étude où ses colonnes valent ce qu'on veut."""
    for name in where:
        check_choice("une colonne", name, [*study])
    kept = np.all([np.isin(study[name], value) for name, value in where.items()], axis=0)
    rows = np.flatnonzero(np.broadcast_to(kept, len(study["graine"])))
    if not len(rows):
        raise ValueError(f"study doit avoir des lignes où {where} : aucune trouvée.")
    return rows


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
    return _read(path, what, least, closed)[1]


def read_noted_table(path: str | os.PathLike, what: str) -> tuple[list[str], dict[str, list[str]]]:
    """Rend ce qu'une table close dit d'elle-même, rien si elle n'en dit rien, et ses colonnes.

    Erreurs : celles de `read_table`.
    """
    return _read(path, what, least=0, closed=True)


def _read(
    path: str | os.PathLike, what: str, least: int, closed: bool
) -> tuple[list[str], dict[str, list[str]]]:
    path = check_path(path)
    expected, name = f"path doit être {what}", repr(str(path))
    if not path.is_file():
        raise FileNotFoundError(f"{expected} : {name} n'existe pas.")
    try:
        note, rows = _rows(path.read_bytes().decode("utf-8-sig"), closed)
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{expected} : {name} n'est pas un .csv entier, en UTF-8.") from None
    if len(rows) <= least:
        raise ValueError(f"{expected} : la table de {name} est vide ou coupée.")
    if len({*rows[0]}) < len(rows[0]):
        raise ValueError(f"{expected}, aux colonnes distinctes : {rows[0]!r} reçu.")
    return note, {name: cells for name, *cells in zip(*rows, strict=True)}


def _rows(text: str, closed: bool) -> tuple[list[str], list[list[str]]]:
    """Rend ce que dit la première ligne, puis l'en-tête et les autres, sans celle qui dit leur
    nombre ; rien si elles sont coupées."""
    if not text.endswith("\n"):
        return [], []
    # strict : ouverts, des guillemets garderaient le saut de ligne où le fichier est coupé
    rows = list(csv.reader(StringIO(text, newline=""), strict=True))
    note = _popped_note(rows) if closed else []
    end = [END.format(len(rows) - 2)]
    whole = not closed or rows.pop() == end
    rows, comments = _split(rows)
    closings = [found for text in comments if (found := re.match(GROUP, text))]
    whole &= not comments or sum(int(found[1]) for found in closings) == len(rows) - 1
    return note, rows if whole and len({*map(len, rows)}) == 1 and rows[0] else []


def _popped_note(rows: list[list[str]]) -> list[str]:
    """Ôte la première ligne si elle dit d'où vient la table, et rend ce qu'elle dit."""
    if not (len(rows) > 1 and rows[0] and rows[0][0].startswith(NOTE)):
        return []
    first, *others = rows.pop(0)
    return [first.removeprefix(NOTE), *others]


def _split(rows: list[list[str]]) -> tuple[list[list[str]], list[str]]:
    """Sépare les lignes et les commentaires, tels qu'une archive en contient."""
    told = [bool(row) and row[0].startswith("# ") for row in rows]
    comments = [",".join(row) for row, comment in zip(rows, told, strict=True) if comment]
    return [row for row, comment in zip(rows, told, strict=True) if not comment], comments


def write_table(
    path: str | os.PathLike,
    header: Sequence[str],
    rows: Iterable,
    *,
    closed: bool = False,
    note: Sequence[str] = (),
) -> None:
    """Écrit une table, ou lève OSError et laisse l'ancienne ; `closed`, `note` : voir
    `read_noted_table`."""
    rows = [*rows]
    first = [[NOTE + note[0], *note[1:]]] if note else []
    last = [[END.format(len(rows))]] * closed
    write_atomically(path, written([*first, header, *rows, *last]))


def write_study(script: str, header: Sequence[str], rows: Iterable) -> None:
    """Écrit d'un coup l'étude que fait `script`, dans le .csv de même nom."""
    write_table(Path(script).with_suffix(".csv"), header, rows)


def written(rows: Iterable[Sequence]) -> bytes:
    """Rend les lignes telles qu'un .csv les écrit."""
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
