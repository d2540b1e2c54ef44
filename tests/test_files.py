"""Les fichiers : un brouillon prend la place de l'ancien, tout ou rien, même tué."""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from cartpole_helpers import files
from cartpole_helpers.files import ABANDONED, check_path, replacing, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="Tubes, droits et signaux sont d'Unix.")
ENGLISH = re.compile(r"\b(no|such|file|directory|is|not|too|long|denied|space|left|large)\b", re.I)


def plug(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@posix
def test_what_is_no_ordinary_file_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # le nom d'une prise est court
    for make in (os.mkdir, getattr(os, "mkfifo", None), plug):
        path = Path(f"fichier {make.__name__}")
        make(path)
        before = path.stat()
        with pytest.raises(OSError, match=r"écriture impossible, c.est un dossier|ordinaire"):
            write_atomically(path, b"neuf")
        assert path.stat() == before


@posix
def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual_one(tmp_path):
    path = tmp_path / "fichier"
    path.write_bytes(b"ancien")
    for mode in (0o600, 0o444, 0o755):
        path.chmod(mode)
        write_atomically(path, b"neuf")
        assert path.read_bytes() == b"neuf"
        assert path.stat().st_mode & 0o777 == mode
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "neuf", b"")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert (tmp_path / "neuf").stat().st_mode & 0o777 == 0o640


@posix
@pytest.mark.parametrize("begun", [True, False])
def test_a_link_is_followed_and_stays(begun, tmp_path):
    (tmp_path / "ailleurs").mkdir()
    target, link = tmp_path / "ailleurs" / "fichier", tmp_path / "lien"
    if begun:
        target.write_bytes(b"ancien")
    link.symlink_to("ailleurs/fichier")
    write_atomically(link, b"neuf")
    assert link.is_symlink()
    assert target.read_bytes() == b"neuf"


def test_the_draft_of_a_killed_program_is_swept_and_a_living_one_is_not(tmp_path):
    old, living = tmp_path / ".brouillon-0.tmp", tmp_path / ".brouillon-1.tmp"
    for draft in (old, living):
        draft.touch()
    long_ago = time.time() - 2 * ABANDONED
    os.utime(old, (long_ago, long_ago))
    write_atomically(tmp_path / "fichier", b"neuf")
    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "fichier"]


# Une écriture qui échoue


def fail(error, *_):
    raise error


@pytest.mark.parametrize("old", [None, b"ancien"])
def test_a_failing_write_loses_nothing_and_leaves_nothing(old, tmp_path, monkeypatch):
    target = tmp_path / "fichier"
    if old is not None:
        target.write_bytes(old)
    full, refused = (OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EACCES))
    for name, error, told in [
        ("fsync", full, "le disque est plein"),
        ("replace", refused, "l'accès est refusé"),
        ("replace", OSError(999, "curious"), "le système répond"),
        ("fsync", KeyboardInterrupt(), None),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(os, name, partial(fail, error))
            with pytest.raises(type(error), match=told) as caught:
                write_atomically(target, b"neuf")
        if told:
            assert (caught.value.errno, type(caught.value)) == (error.errno, type(error))
            assert str(target) in str(caught.value)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [old] * (old is not None)


def test_a_small_disk_is_a_full_disk(tmp_path):
    """Un vrai refus du système : aucun fichier ne peut dépasser 500 octets."""
    resource = pytest.importorskip("resource", reason="Borner la taille d'un fichier est d'Unix.")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(OSError, match="le fichier serait trop gros"):
            write_atomically(tmp_path / "fichier", bytes(1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [*tmp_path.iterdir()] == []


def test_an_unwritable_path_is_refused_in_french(tmp_path):
    (tmp_path / "vide").touch()
    for name in ("absent/agent", "vide/agent", "x" * 300):
        with pytest.raises(OSError, match=re.escape(name)) as caught:
            write_atomically(tmp_path / name, b"")
        assert not ENGLISH.search(str(caught.value).replace(str(tmp_path), ""))
        assert caught.value.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
    assert [path.name for path in tmp_path.iterdir()] == ["vide"]


def test_a_path_is_a_text_or_a_path(tmp_path):
    assert check_path("a/b") == Path("a/b") == check_path(Path("a/b"))
    for path, error in [(3, TypeError), (None, TypeError), (b"a", TypeError), ("a\0", ValueError)]:
        with pytest.raises(error, match=r"^path doit être un chemin : .* reçu\."):
            write_atomically(path, b"")


def test_several_files_are_replaced_together_or_not_at_all(tmp_path):
    paths = [tmp_path / "un", tmp_path / "deux"]
    with replacing(*paths) as drafts:
        for draft in drafts:
            draft.write_bytes(b"1")
    with pytest.raises(TypeError), replacing(*paths) as drafts:
        drafts[0].write_bytes("pas des octets")
    assert [path.read_bytes() for path in paths] == [b"1", b"1"]
    with pytest.raises(OSError, match="deux"), replacing(paths[0], tmp_path / "absent" / "deux"):
        pass
    assert sorted(tmp_path.iterdir()) == sorted(paths)


VICTIM = """
import os, runpy, signal, sys
write = runpy.run_path(sys.argv[1])["write_atomically"]
path, name, after = sys.argv[2], sys.argv[3], sys.argv[4] == "after"
original = getattr(os, name)
def die(*arguments):
    if after:
        original(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, name, die)
write(path, b"neuf" * 100_000)
"""


@posix
@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_after_a_kill_the_file_is_entire(name, tmp_path):
    path, new = tmp_path / "fichier", b"neuf" * 100_000
    for moment in ("before", "after"):
        path.write_bytes(b"ancien")
        command = [sys.executable, "-c", VICTIM, files.__file__, path, name, moment]
        killed = subprocess.run(command, timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert path.read_bytes() == (new if (name, moment) == ("replace", "after") else b"ancien")
