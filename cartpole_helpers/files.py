"""Les fichiers : écrits tout ou rien, et lus seulement s'ils en sont vraiment."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

DRAFT, SUFFIX = ".brouillon-", ".tmp"
ABANDONED = 600  # s : plus vieux, un brouillon est celui d'un programme tué
REASONS = {
    errno.ENOENT: "le dossier n'existe pas",
    errno.ENOTDIR: "un des dossiers du chemin est un fichier",
    errno.EISDIR: "c'est un dossier",
    errno.ENXIO: "ce n'est pas un fichier ordinaire",
    errno.EACCES: "l'accès est refusé",
    errno.EPERM: "l'accès est refusé",
    errno.EROFS: "le disque est en lecture seule",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "le quota du disque est atteint",
    errno.EFBIG: "le fichier serait trop gros",
    errno.ENAMETOOLONG: "le nom dépasse la longueur permise",
    errno.ELOOP: "les liens du chemin tournent en rond",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.EIO: "le disque ne répond pas",
}


def check_path(path: str | os.PathLike, name: str = "path") -> Path:
    """Rend `path` en `Path` ; TypeError ou ValueError si ce ne peut être un chemin."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name} doit être un chemin : {path!r} reçu.")
    if "\0" in str(path):
        raise ValueError(f"{name} doit être un chemin : {path!r} reçu.")
    return Path(path)


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Écrit `content` dans `path` : tout ou rien, même si la machine s'arrête au milieu.

    OSError, qui dit pourquoi en français, si c'est impossible ; l'ancien fichier est alors intact.
    """
    with replacing(check_path(path)) as [draft], draft.open("r+b") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def replacing(*paths: Path) -> Iterator[list[Path]]:
    """Prête un brouillon vide par fichier ; ils prennent leur place ensemble, si tout a réussi.

    Un lien est suivi, un fichier garde ses droits. OSError comme `write_atomically`.
    """
    drafts = []
    try:
        targets = [_destination(path) for path in paths]
        for target in targets:
            drafts.append(_draft_of(target))
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            with suppress(FileNotFoundError):
                draft.chmod(_mode(target))
            os.replace(draft, target)
    except OSError as error:
        listed = ", ".join(map(str, paths))
        raise in_french(error, f"{listed} : écriture impossible") from error
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def check_regular(path: Path) -> os.stat_result:
    """Rend ce que le système dit de `path` ; OSError si ce n'est pas un fichier ordinaire."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "")
    if not stat.S_ISREG(found.st_mode):  # ouvrir un tube attendrait sans fin qu'on y écrive
        raise OSError(errno.ENXIO, "")
    return found


def in_french(error: OSError, what: str) -> OSError:
    """Rend une erreur du même genre et du même `errno`, qui dit `what`, puis pourquoi."""
    number = error.errno or 0  # 0 : celui d'aucune erreur
    unknown = f"le système répond {errno.errorcode.get(number, error)}"
    kind = type(OSError(number, ""))  # celui de Python, même si l'erreur vient d'ailleurs
    told = kind(f"{what}, {REASONS.get(number, unknown)}.")
    told.errno = error.errno
    return told


def _destination(path: Path) -> Path:
    """Rend le fichier où mène `path`, s'il peut être remplacé."""
    with suppress(FileNotFoundError):
        check_regular(path)
    return Path(os.path.realpath(path))


def _draft_of(target: Path) -> Path:
    """Crée le brouillon de `target`, dans le même dossier et jamais plus lisible que lui."""
    _sweep(target.parent)
    draft = target.with_name(f"{DRAFT}{token_hex(8)}{SUFFIX}")
    mode = _mode(target) | stat.S_IWUSR if target.exists() else 0o666
    draft.touch(mode, exist_ok=False)
    return draft


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _sweep(folder: Path) -> None:
    """Efface les brouillons qu'un programme tué a laissés."""
    for draft in folder.glob(f"{DRAFT}*{SUFFIX}"):
        with suppress(OSError):
            if time.time() - draft.lstat().st_mtime > ABANDONED:
                draft.unlink()
