"""Les fichiers : un brouillon prend la place de l'ancien, tout ou rien, même tué."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from unittest.mock import Mock

import pytest

from cartpole_helpers import files
from cartpole_helpers.files import ABANDONED, replacing, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="Tubes, droits et signaux sont d'Unix.")
ENGLISH = re.compile(r"\b(no|such|file|directory|is|not|too|long|denied|space|left|large)\b", re.I)


@posix
def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual_one(tmp_path):
    path = tmp_path / "fichier"
    write_atomically(path, b"")
    (tmp_path / "autre").touch()
    assert path.stat().st_mode == (tmp_path / "autre").stat().st_mode
    path.chmod(0o444)
    write_atomically(path, b"neuf")
    assert path.read_bytes() == b"neuf"
    assert path.stat().st_mode & 0o777 == 0o444


@posix
def test_a_link_is_followed_and_stays(tmp_path):
    (tmp_path / "ailleurs").mkdir()
    link = tmp_path / "lien"
    link.symlink_to("ailleurs/fichier")
    for content in (b"neuf", b"encore"):
        write_atomically(link, content)
        assert link.is_symlink()
        assert (tmp_path / "ailleurs" / "fichier").read_bytes() == content


def test_the_draft_of_a_killed_program_is_swept_and_a_living_one_is_not(tmp_path):
    old, living = tmp_path / ".brouillon-0.tmp", tmp_path / ".brouillon-1.tmp"
    for draft in (old, living):
        draft.touch()
    long_ago = time.time() - 2 * ABANDONED
    os.utime(old, (long_ago, long_ago))
    write_atomically(tmp_path / "fichier", b"neuf")
    assert sorted(path.name for path in tmp_path.iterdir()) == [living.name, "fichier"]


@pytest.mark.parametrize("old", [None, b"ancien"])
def test_a_failing_write_loses_nothing_and_leaves_nothing(old, tmp_path, monkeypatch):
    target = tmp_path / "fichier"
    if old is not None:
        target.write_bytes(old)
    for name, error, told in [
        ("fsync", OSError(errno.ENOSPC, "full"), "le disque est plein"),
        ("replace", OSError(errno.EACCES, "denied"), "l'accès est refusé"),
        ("replace", OSError(999, "curious"), "le système répond"),
        ("fsync", KeyboardInterrupt(), None),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(os, name, Mock(side_effect=error))
            with pytest.raises(type(error), match=told) as caught:
                write_atomically(target, b"neuf")
        if told:
            assert (caught.value.errno, type(caught.value)) == (error.errno, type(error))
            assert str(target) in str(caught.value)
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [old] * (old is not None)


def test_an_unwritable_path_is_refused_in_french(tmp_path):
    (tmp_path / "vide").touch()
    for name in ("absent/agent", "vide/agent", "x" * 300):
        with pytest.raises(OSError, match=re.escape(name)) as caught:
            write_atomically(tmp_path / name, b"")
        assert not ENGLISH.search(str(caught.value).replace(str(tmp_path), ""))
    for path, error in [(3, TypeError), (b"a", TypeError), ("a\0", ValueError)]:
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
