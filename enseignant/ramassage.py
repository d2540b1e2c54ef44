"""Range les copies qu'une plateforme a données, chacune sous le nom de son élève."""

import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import carnet

ASIDE = "remplacees"  # le dossier des copies qu'une plus récente a remplacées
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_")
AGAIN = re.compile(r"(\s*\(\d+\)|\s*[-–]\s*[Cc]opie)+$")  # « nom (1) », « nom - Copie »


class Found(NamedTuple):
    """Un fichier trouvé : son chemin, sa date, de quoi le lire, ou pourquoi on ne le lit pas."""

    path: str
    when: float
    read: Callable[[], bytes]
    refused: str = ""


def gather(folder: Path, copies: Path) -> list[str]:
    """Range les copies de `copies`, dossier ou .zip ; rend les lignes qui disent ce qui est fait.

    Une copie plus récente remplace l'ancienne, qui est gardée à part. CopyError si `copies` n'est
    ni l'un ni l'autre.
    """
    known = assignments(folder)
    found = [one for one in listed(copies) if not is_hidden(one.path)]
    prefix = wrapping([one.path for one in found])
    # La plus ancienne d'abord : chacune remplace alors la précédente.
    return [placed(folder, known, one, prefix) for one in sorted(found, key=lambda one: one.when)]


def assignments(folder: Path) -> dict[str, set[str]]:
    """Rend, par devoir, les noms de ses cellules ; CopyError s'il n'y en a aucun."""
    found = {
        path.stem: {*carnet.read(path)} - {""}
        for path in sorted(folder.glob("source/*/*.ipynb"))
        if path.stem == path.parent.name
    }
    if not found:
        raise carnet.CopyError(f"aucun devoir dans {folder / 'source'}")
    return found


# Trouver


def listed(copies: Path) -> Iterator[Found]:
    """Donne les fichiers d'un dossier, ou d'un .zip ; CopyError si `copies` n'est ni l'un ni
    l'autre."""
    if copies.is_dir():
        return in_folder(copies)
    if zipfile.is_zipfile(copies):
        return in_zip(copies)
    raise carnet.CopyError(f"« {copies} » n'est ni un dossier, ni un .zip")


def in_folder(copies: Path) -> Iterator[Found]:
    """Donne les fichiers d'un dossier et des siens, sans suivre de lien."""
    for where, folders, files in os.walk(copies):
        links = [name for name in folders if os.path.islink(os.path.join(where, name))]
        for name in [*links, *files]:
            path = Path(where, name)
            kind = path.lstat()
            refused = "" if stat.S_ISREG(kind.st_mode) else "un lien, et non un fichier"
            if kind.st_size > carnet.LARGEST:
                refused = f"trop grand ({kind.st_size / 2**20:.0f} Mo)"
            relative = path.relative_to(copies).as_posix()
            yield Found(relative, kind.st_mtime, path.read_bytes, refused)


def in_zip(copies: Path) -> Iterator[Found]:
    """Donne les fichiers d'une archive, que rien n'extrait."""
    archive = zipfile.ZipFile(copies)
    for one in archive.infolist():
        if one.is_dir():
            continue
        path = PurePosixPath(one.filename.replace("\\", "/"))
        refused = "un lien, et non un fichier" if stat.S_ISLNK(one.external_attr >> 16) else ""
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            refused = "son chemin sort de l'archive"
        elif one.file_size > carnet.LARGEST:
            refused = f"trop grand ({one.file_size / 2**20:.0f} Mo)"
        yield Found(str(path), dated(one), partial(unpacked, archive, one), refused)


def dated(one: zipfile.ZipInfo) -> float:
    """Rend la date d'un fichier d'archive, qui peut n'en être pas une."""
    try:
        return datetime(*one.date_time).timestamp()
    except ValueError:
        return 0.0


def unpacked(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """Rend le contenu d'un fichier d'archive, qui peut mentir sur sa taille."""
    try:
        with archive.open(one) as opened:
            return opened.read(carnet.LARGEST + 1)
    except (RuntimeError, NotImplementedError, zipfile.BadZipFile, EOFError) as error:
        raise carnet.CopyError("illisible dans l'archive") from error


def is_hidden(path: str) -> bool:
    """Dit si ce fichier est celui d'un système, et non d'un élève."""
    parts = PurePosixPath(path).parts
    return any((one.startswith(".") and one != "..") or one == "__MACOSX" for one in parts)


# Reconnaître


def wrapping(paths: list[str]) -> int:
    """Compte les dossiers qui enveloppent tout, et ne nomment personne."""
    parts = [PurePosixPath(path).parts for path in paths]
    rank = 0
    while len(parts) > 1 and all(len(one) > rank + 1 for one in parts):
        heads = {one[rank] for one in parts}
        if len(heads) > 1 or MOODLE.match(heads.pop()):
            break
        rank += 1
    return rank


def student(path: str, prefix: int) -> str:
    """Rend l'identifiant d'un élève : ce que dit Moodle, ou le nom du dossier, ou du fichier."""
    parts = PurePosixPath(path).parts[prefix:]
    for part in parts:
        if said := MOODLE.match(part):
            return identifier(f"{said['name']} {said['number']}")
    name = parts[-2] if len(parts) > 1 else AGAIN.sub("", PurePosixPath(parts[-1]).stem)
    return identifier(name)


def identifier(name: str) -> str:
    """Rend un nom de dossier : lettres, accents compris, chiffres, tirets."""
    plain = unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w-]+", "_", plain)[:80].strip("_-") or "sans_nom"


def recognised(known: dict[str, set[str]], names: list[str]) -> str:
    """Rend le devoir qui a le plus de cellules de ces noms ; CopyError s'il n'y en a pas."""
    best = max(known, key=lambda name: len(known[name].intersection(names)))
    if known[best].isdisjoint(names):
        raise carnet.CopyError("aucune cellule d'un devoir, peut-être un autre carnet")
    return best


# Ranger


def placed(folder: Path, known: dict[str, set[str]], found: Found, prefix: int) -> str:
    """Range une copie, et rend la ligne qui le dit, ou qui dit pourquoi non."""
    try:
        if found.refused:
            raise carnet.CopyError(found.refused)
        data = found.read()
        name, who = recognised(known, carnet.grade_ids(data)), student(found.path, prefix)
        done = stored(folder / "submitted" / who / name / f"{name}.ipynb", data, found.when, folder)
    except (carnet.CopyError, OSError) as error:
        return f"✘ {found.path} : {error}."
    return f"✔ {found.path} : {who}, {name}{done}."


def stored(target: Path, data: bytes, when: float, folder: Path) -> str:
    """Écrit une copie si elle est la plus récente, l'autre gardée à part ; rend ce qu'on en dit."""
    if target.is_symlink():
        raise carnet.CopyError(f"« {target} » est un lien : ôtez-le")
    if not target.exists():
        written(target, data, when)
        return ""
    if target.read_bytes() == data:
        return ", déjà là"
    if when < target.stat().st_mtime:
        keep_aside(folder, target, data, when)
        return f", plus ancienne que celle qui est là : gardée dans {ASIDE}"
    keep_aside(folder, target, target.read_bytes(), target.stat().st_mtime)
    written(target, data, when)
    return f", remplace la précédente, gardée dans {ASIDE}"


def keep_aside(folder: Path, target: Path, data: bytes, when: float) -> None:
    """Garde une copie que l'on ne note pas, une fois, sans en recouvrir une autre."""
    home = folder / ASIDE / target.relative_to(folder / "submitted").parent
    name = f"{datetime.fromtimestamp(when):%Y-%m-%d_%Hh%Mm%S}"
    names = (f"{name}{extra}.ipynb" for extra in chain([""], map("_{}".format, count(2))))
    path = next(one for one in map(home.joinpath, names) if is_free(one, data))
    written(path, data, when)


def is_free(path: Path, data: bytes) -> bool:
    """Dit si l'on peut écrire ici sans rien perdre."""
    return not path.exists() or path.read_bytes() == data


def written(path: Path, data: bytes, when: float) -> None:
    """Écrit un fichier, à sa date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (when, when))
