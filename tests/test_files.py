"""Les fichiers : un brouillon prend la place de l'ancien, qui garde ses droits et ses liens."""

import os
import socket
import time

import pytest

from cartpole_helpers.files import ABANDONED, write_atomically


def folder(path):
    path.mkdir()


def tube(path):
    os.mkfifo(path)


def plug(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.skipif(os.name == "nt", reason="Windows n'a ni tube ni prise dans un dossier")
@pytest.mark.parametrize("make", [folder, tube, plug])
def test_what_is_no_ordinary_file_is_never_replaced(make, tmp_path):
    path = tmp_path / "fichier"
    make(path)
    before = path.stat()
    with pytest.raises(OSError, match=r"fichier : écriture impossible, c.est un dossier|ordinaire"):
        write_atomically(path, b"neuf")
    assert path.stat() == before
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(os.name == "nt", reason="les droits de Windows sont d'une autre sorte")
@pytest.mark.parametrize("mode", [0o600, 0o444, 0o755])
def test_a_file_keeps_its_mode(mode, tmp_path):
    path = tmp_path / "fichier"
    path.write_bytes(b"ancien")
    path.chmod(mode)
    write_atomically(path, b"neuf")
    assert path.read_bytes() == b"neuf"
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.name == "nt", reason="un lien y demande des droits particuliers")
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


def test_an_error_keeps_its_number(tmp_path):
    with pytest.raises(FileNotFoundError, match="le dossier n'existe pas") as refused:
        write_atomically(tmp_path / "absent" / "fichier", b"")
    assert refused.value.errno == 2
