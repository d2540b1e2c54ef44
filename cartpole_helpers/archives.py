"""L'archive d'une étude : un .csv qui grandit par groupes de lignes, et que l'on peut reprendre.

L'en-tête ; puis chaque groupe, suivi du commentaire qui le clôt : combien de lignes, leur somme de
contrôle, l'empreinte du réglage, et l'origine, qu'un commentaire d'avant décrit. Ce qui suit la
dernière clôture est un groupe que l'on n'a pas fini d'écrire : il est mis de côté, et à refaire.
"""

import csv
import errno
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from filelock import FileLock, Timeout

from cartpole_helpers.files import check_path, in_french, write_atomically
from cartpole_helpers.tables import GROUP, read_table, written

CLOSING = re.compile(rf"{GROUP} ; somme (\w+) ; réglage (\w+) ; origine (\w+)\n".encode())
ORIGIN = re.compile(rb"# origine (\w+) : (.+)\n")
BEFORE = "avant le moteur des études : commit 8af702e au plus tard, processeur inconnu"
UNSIGNED = "0" * 8  # l'empreinte d'un réglage, tant qu'on ne la sait pas
PATIENCE = 60  # s : au-delà, un autre programme garde l'archive sans raison


class Done(NamedTuple):
    """D'où vient une graine archivée : l'empreinte qu'avait le réglage, et l'origine."""

    setting: str
    origin: str


class ArchiveError(ValueError):
    """Cette archive n'est pas celle que l'on croit, ou elle est abîmée."""


class Archive:
    """Le .csv d'une étude, où plusieurs programmes peuvent ajouter à la fois.

    `header` : ses colonnes ; les `names` premières nomment le réglage, la suivante est la graine.
    Le fichier est créé s'il manque. ArchiveError s'il est d'une autre étude, ou abîmé. `unclosed` :
    s'il n'a aucune clôture, ses lignes datent d'avant elles ; on les clôt, au lieu de les écarter.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        header: Sequence[str],
        names: int = 1,
        unclosed: bool = False,
    ):
        self.path, self._header, self._names = check_path(path), written([header]), names
        self._unclosed = unclosed
        self._lock = FileLock(self._beside("verrou"), timeout=PATIENCE)
        self._done: dict[tuple, Done] = {}
        self._groups: list[tuple] = []  # le réglage de chacun
        self._origins: dict[str, str] = {}
        self._read = 0  # les octets déjà lus : l'en-tête, et des groupes entiers
        self.done()

    def done(self) -> dict[tuple, Done]:
        """Rend ce qui est archivé : (*réglage, graine) → d'où cela vient."""
        with self._locked():
            return dict(self._done)

    def origins(self) -> dict[str, str]:
        """Rend ce qui a fait chaque origine, en une ligne."""
        return dict(self._origins)

    def append(self, rows: Iterable[Sequence], setting: str, origin: str) -> int:
        """Ajoute un groupe, tout entier ou pas du tout ; rend le nombre de lignes ajoutées.

        Une graine qu'un autre programme vient d'archiver n'est pas comptée deux fois. `setting` :
        l'empreinte du réglage ; `origin` : une ligne. OSError si le disque n'en veut pas.
        """
        rows = [*rows]  # avant de verrouiller : ce qui produit les lignes peut s'interrompre
        with self._locked():
            new = [row for row in rows if self._key(row) not in self._done]
            if new:
                self._write(self._group(new, setting, origin))
        return len(new)

    def recognise(self, signed: Mapping[tuple, str]) -> None:
        """Réécrit l'empreinte de chaque réglage ; ceux que `signed` ignore gardent la leur."""
        with self._locked():
            names = iter(self._groups)

            def resigned(found: re.Match) -> bytes:
                count, total, setting, origin = map(bytes.decode, found.groups())
                return closing(count, total, signed.get(next(names), setting), origin)

            write_atomically(self.path, CLOSING.sub(resigned, self.path.read_bytes()))
            self._read, self._done, self._groups = 0, {}, []
            self._refresh()

    def _key(self, row: Sequence) -> tuple:
        return *map(str, row[: self._names]), int(row[self._names])

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{suffix}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Attend que nul autre n'écrive, et lit ce que les autres ont ajouté."""
        try:
            self._lock.acquire()
        except Timeout:
            raise TimeoutError(f"{self.path} : un autre programme la tient verrouillée.") from None
        except OSError as error:
            raise in_french(error, f"{self.path} : écriture impossible") from error
        try:
            self._refresh()
            yield
        finally:
            self._lock.release()

    # Écrire

    def _group(self, rows: list[Sequence], setting: str, origin: str) -> bytes:
        text, name = written(rows), fingerprint(origin)
        told = "" if name in self._origins else f"# origine {name} : {origin}\n"
        end = closing(len(rows), f"{crc32(text):08x}", setting, name)
        return told.encode() + text + end

    def _write(self, content: bytes) -> None:
        try:
            with self.path.open("ab", buffering=0) as file:
                size = file.tell()
                try:
                    if file.write(content) < len(content):
                        raise OSError(errno.ENOSPC, "")
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(size)
                    raise
        except OSError as error:
            raise in_french(error, f"{self.path} : groupe non ajouté") from error
        self._refresh()

    # Lire

    def _refresh(self) -> None:
        """Lit les groupes entiers que l'on n'a pas lus, et met de côté ce qui suit le dernier."""
        if not self._read:
            self._open()
        with self.path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        end = self._enter_all(content)
        self._read += end
        if rest := content[end:]:
            with self._beside("reste").open("ab") as file:
                file.write(rest)
            os.truncate(self.path, self._read)

    def _open(self) -> None:
        """Crée l'archive, ou vérifie que c'est bien celle-ci."""
        start = b""
        if self.path.exists():
            with self.path.open("rb") as file:
                start = file.read(len(self._header))
        if start != self._header:
            if not self._header.startswith(start):
                raise self._error(
                    f"commence par {start!r}, et non par {self._header!r} : c'est une autre étude"
                )
            self.path.write_bytes(self._header)
        self._read = len(self._header)
        if self._unclosed and not CLOSING.search(self.path.read_bytes()):
            self._close()

    def _close(self) -> None:
        """Clôt les groupes d'une archive d'avant : un par suite de lignes d'un même réglage."""
        rows, groups = zip(*read_table(self.path).values(), strict=True), b""
        for _, run in groupby(rows, key=lambda row: row[: self._names]):
            groups += self._group([*run], UNSIGNED, BEFORE)
            self._origins[fingerprint(BEFORE)] = BEFORE
        self._read += self._enter_all(groups)  # ArchiveError, s'il le faut, avant que l'on écrive
        write_atomically(self.path, self._header + groups)

    def _enter_all(self, content: bytes) -> int:
        """Retient les groupes clos, et rend l'endroit où finit le dernier."""
        end = 0
        for found in CLOSING.finditer(content):
            self._enter(content[end : found.start()], *map(bytes.decode, found.groups()))
            end = found.end()
        return end

    def _enter(self, block: bytes, count: str, total: str, setting: str, origin: str) -> None:
        """Retient un groupe lu, s'il est tel qu'on l'a écrit."""
        while told := ORIGIN.match(block):
            self._origins[told[1].decode()] = told[2].decode()
            block = block[told.end() :]
        if f"{crc32(block):08x}" != total:
            raise self._error(f"est abîmée : un groupe de {count} lignes n'est plus celui écrit")
        rows = csv.reader(StringIO(block.decode(), newline=""), strict=True)
        keys = {self._key(row) for row in rows}
        if twice := keys & self._done.keys():
            raise self._error(f"contient deux fois {min(twice)}")
        self._done |= dict.fromkeys(keys, Done(setting, origin))
        self._groups.append(min(keys)[:-1])

    def _error(self, why: str) -> ArchiveError:
        return ArchiveError(f"{self.path} {why}. Donnez un autre fichier, ou effacez celui-ci.")


def closing(count: int | str, total: str, setting: str, origin: str) -> bytes:
    """Rend le commentaire qui clôt un groupe."""
    told = f"# groupe : {count} lignes ; somme {total}"
    return f"{told} ; réglage {setting} ; origine {origin}\n".encode()


def fingerprint(text: str) -> str:
    """Rend l'empreinte d'un texte, en huit chiffres."""
    return sha256(text.encode()).hexdigest()[:8]
