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
from functools import partial
from hashlib import sha256
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from filelock import FileLock, Timeout

from cartpole_helpers.files import check_path, check_regular, in_french, write_atomically
from cartpole_helpers.tables import GROUP, read_table, written

CLOSING = re.compile(rf"{GROUP} ; somme (\w+) ; réglage (\w+) ; origine (\w+)\n".encode())
ORIGIN = re.compile(rb"# origine (\w+) : (.+)\n")
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
    Ouvrir et lire ne changent rien au fichier, qui peut manquer. ArchiveError s'il est d'une autre
    étude, ou abîmé.
    """

    def __init__(self, path: str | os.PathLike, header: Sequence[str], names: int = 1):
        self.path, self._header, self._names = check_path(path), written([header]), names
        self._forget()
        self._refresh()

    def done(self) -> dict[tuple, Done]:
        """Rend ce qui est archivé : (*réglage, graine) → d'où cela vient."""
        self._refresh()
        return dict(self._done)

    def origins(self) -> dict[str, str]:
        """Rend ce qui a fait chaque origine, en une ligne."""
        self._refresh()
        return dict(self._origins)

    def prepare(self) -> None:
        """Crée l'archive si elle manque ; OSError si l'on ne pourra rien y ajouter."""
        with self._locked():
            self._write(b"")

    def append(self, rows: Iterable[Sequence], setting: str, origin: str) -> int:
        """Ajoute un groupe, tout entier ou pas du tout ; rend le nombre de lignes ajoutées.

        Une graine qu'un autre programme vient d'archiver n'est pas comptée deux fois. `setting` :
        l'empreinte du réglage ; `origin` : une ligne. OSError si le disque n'en veut pas.
        """
        rows = [*rows]  # avant de verrouiller : ce qui produit les lignes peut s'interrompre
        with self._locked():
            new = [row for row in rows if self._key(row) not in self._done]
            for row in new:
                self._check_setting(self._key(row), setting)
            if new:
                self._write(self._group(new, setting, origin))
        return len(new)

    def recognise(self, signed: Mapping[tuple, str]) -> None:
        """Récrit l'empreinte de chaque réglage ; un réglage que `signed` ignore garde la sienne.

        L'origine des groupes est gardée. ValueError si l'archive est coupée.
        """
        with self._held():
            if content := self._content():
                rows = zip(*read_table(self.path, "l'archive d'une étude").values(), strict=True)
                resigned = partial(self._resigned, rows, signed)
                write_atomically(self.path, CLOSING.sub(resigned, content))

    def _resigned(
        self, rows: Iterator[tuple], signed: Mapping[tuple, str], found: re.Match
    ) -> bytes:
        """Rend la clôture `found` du groupe que `rows` va rendre, son empreinte à jour."""
        count, total, setting, origin = map(bytes.decode, found.groups())
        first, *_ = islice(rows, int(count))
        return _closing(count, total, signed.get(first[: self._names], setting), origin)

    def _key(self, row: Sequence) -> tuple:
        return *map(str, row[: self._names]), int(row[self._names])

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f".{self.path.name}.{suffix}")

    # Écrire

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Attend que nul autre n'écrive, lit ce qu'ils ont ajouté, met de côté un reste."""
        with self._held():
            if rest := self._refresh():
                self._set_aside(rest)
            yield

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Attend que nul autre n'écrive."""
        try:
            if not self.path.parent.is_dir():  # le verrou le créerait
                raise FileNotFoundError(errno.ENOENT, "")
            with FileLock(self._beside("verrou"), timeout=PATIENCE):
                yield
        except Timeout:
            raise TimeoutError(f"{self.path} : un autre programme la tient verrouillée.") from None
        except OSError as error:
            raise in_french(error, f"{self.path} : rien n'est ajouté") from error

    def _set_aside(self, rest: bytes) -> None:
        """Ôte de l'archive ce qui suit son dernier groupe entier, et le garde à côté."""
        beside = self._beside("reste")
        with beside.open("ab") as file:
            file.write(rest)
        os.truncate(self.path, len(self._known))
        print(f"{self.path} : un groupe inachevé, à refaire, est mis de côté dans {beside.name}")

    def _group(self, rows: list[Sequence], setting: str, origin: str) -> bytes:
        name = fingerprint(origin)
        told = "" if name in self._origins else f"# origine {name} : {origin}\n"
        text = written(rows)
        return told.encode() + text + _closing(len(rows), f"{crc32(text):08x}", setting, name)

    def _write(self, content: bytes) -> None:
        content = content if self._known else self._header + content
        with self.path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                while content:
                    content = content[file.write(content) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise

    # Lire

    def _forget(self) -> None:
        self._known = b""  # ce qu'on a lu : l'en-tête, et des groupes entiers
        self._done: dict[tuple, Done] = {}
        self._settings: dict[tuple, str] = {}
        self._origins: dict[str, str] = {}

    def _refresh(self) -> bytes:
        """Lit les groupes entiers que l'on n'a pas lus ; rend ce qui suit le dernier."""
        content = self._content()
        if not content.startswith(self._known):  # effacée, ou remplacée
            self._forget()
        if not self._known:
            if not content.startswith(self._header):
                return self._cut_header(content)
            self._known = self._header
        end = len(self._known)
        for closing in CLOSING.finditer(content, end):
            self._enter(content[end : closing.start()], *map(bytes.decode, closing.groups()))
            end = closing.end()
        self._known = content[:end]
        return content[end:]

    def _content(self) -> bytes:
        try:
            check_regular(self.path)
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise in_french(error, f"{self.path} : lecture impossible") from error

    def _cut_header(self, content: bytes) -> bytes:
        if self._header.startswith(content):
            return content
        start = content[: len(self._header)]
        raise self._error(
            f"commence par {start!r}, et non par {self._header!r} : c'est une autre étude"
        )

    def _enter(self, block: bytes, count: str, total: str, setting: str, origin: str) -> None:
        """Retient un groupe lu, s'il est tel qu'on l'a écrit."""
        while told := ORIGIN.match(block):
            self._origins[told[1].decode()] = told[2].decode()
            block = block[told.end() :]
        same = f"{crc32(block):08x}" == total
        same &= fingerprint(self._origins.get(origin, "")) == origin
        rows = [*csv.reader(StringIO(block.decode(), newline=""))] if same else []
        if len(rows) != int(count):
            raise self._error(f"est abîmée : un groupe de {count} lignes n'est plus celui écrit")
        for key in dict.fromkeys(map(self._key, rows)):
            *name, seed = key
            if key in self._done:
                raise self._error(f"contient deux fois la graine {seed} de « {', '.join(name)} »")
            self._check_setting(key, setting)
            self._settings[(*name,)] = setting
            self._done[key] = Done(setting, origin)

    def _check_setting(self, key: tuple, setting: str) -> None:
        """Un nom n'a qu'un réglage : deux programmes auraient pu ne pas s'accorder."""
        *name, seed = key
        if self._settings.get((*name,), setting) != setting:
            raise self._error(f"a deux réglages nommés « {', '.join(name)} » (graine {seed})")

    def _error(self, why: str) -> ArchiveError:
        return ArchiveError(f"{self.path} {why}. Donnez un autre fichier, ou effacez celui-ci.")


def _closing(count: int | str, total: str, setting: str, origin: str) -> bytes:
    """Rend le commentaire qui clôt un groupe."""
    told = f"# groupe : {count} lignes ; somme {total} ; réglage {setting} ; origine {origin}\n"
    return told.encode()


def fingerprint(text: str) -> str:
    """Rend l'empreinte d'un texte, en huit chiffres."""
    return sha256(text.encode()).hexdigest()[:8]
