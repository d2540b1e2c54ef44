"""L'archive d'une étude : coupée ou changée à chaque octet, elle ne perd ni n'invente rien."""

import os
import re

import pytest

from cartpole_helpers import load_study
from cartpole_helpers.archives import Archive, ArchiveError

HEADER = ("recette", "graine", "retour")
GROUPS = [  # trois appels : les lignes, l'empreinte du réglage, l'origine
    ([("témoin, seul", 0, "9.5"), ("témoin, seul", 1, "10")], "aaaa", "torch 2 ; Zen"),
    ([("témoin, seul", 2, "8"), ("témoin, seul", 2, "7")], "aaaa", "torch 3 ; Zen"),
    ([("témoin, seul", 12, "500")], "aaaa", "torch 2 ; Zen"),
]


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # des centaines de fois, ce serait long
    return tmp_path / "étude.csv"


def made(path, groups=GROUPS):
    """L'archive de ces groupes, et sa taille après l'en-tête puis chacun d'eux."""
    archive, sizes = Archive(path, HEADER), []
    archive.prepare()
    for group in [([], "", ""), *groups]:
        archive.append(*group)
        sizes.append(path.stat().st_size)
    return archive, sizes


def test_an_archive_cut_anywhere_keeps_its_whole_groups_and_is_finished_the_same(path, capsys):
    archive, ends = made(path)
    whole, origins = path.read_bytes(), archive.origins()
    told = {seed: [one.setting, origins[one.origin]] for (_, seed), one in archive.done().items()}
    assert told == {row[1]: group for rows, *group in GROUPS for row in rows}
    for size in range(len(whole)):
        for file in path.parent.iterdir():
            file.unlink()
        path.write_bytes(whole[:size])
        kept = sum(end <= size for end in ends[1:])
        archive = Archive(path, HEADER)
        assert len(archive.done()) == [0, 2, 3][kept]
        assert os.listdir(path.parent) == [path.name]  # lire ne change rien
        try:
            assert len(load_study(path)["graine"]) == 2 * kept
        except ValueError as error:
            assert re.search("est vide ou coupée|n'est pas un", str(error))  # noqa: PT017
            assert size not in ends[1:]
        added = [archive.append(*group) for group in GROUPS]
        assert added == [0] * kept + [2, 2, 1][kept:]
        assert path.read_bytes() == whole
        start = max([0, *(end for end in ends if end <= size)])
        beside = path.with_name(".étude.csv.reste")
        assert (beside.read_bytes() if beside.exists() else b"") == whole[start:size]
        assert ("mis de côté" in capsys.readouterr().out) == beside.exists()


def test_a_changed_byte_is_refused_or_is_in_a_group_to_do_again(path):
    _, ends = made(path)
    whole = path.read_bytes()
    closing = whole.rindex(b"# groupe")
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        reason = "c'est une autre étude" if place < ends[0] else "est abîmée|a deux réglages"
        try:
            assert len(Archive(path, HEADER).done()) == 3
            assert place >= closing  # comme si l'on n'avait pas fini de l'écrire
        except ArchiveError as error:
            assert re.search(reason, str(error))  # noqa: PT017


def test_a_seed_or_a_name_counted_twice_is_refused(path):
    archive, ends = made(path)
    whole = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"deux réglages nommés « témoin, seul » \(graine 5\)"):
        archive.append([("témoin, seul", 5, 1)], "bbbb", "torch 2 ; Zen")
    assert path.read_bytes() == whole
    path.write_bytes(whole + whole[ends[1] : ends[2]])
    with pytest.raises(ArchiveError, match="contient deux fois la graine 2 de « témoin, seul »"):
        archive.done()


def test_an_archive_replaced_meanwhile_is_read_again(path):
    archive, ends = made(path)
    path.write_bytes(path.read_bytes()[: ends[1]])  # celle d'hier, qu'on a remise à sa place
    assert archive.append(*GROUPS[2]) == 1
    assert [seed for _, seed in archive.done()] == [0, 1, 12]
    path.unlink()
    assert archive.done() == {}
    assert archive.append(*GROUPS[1]) == 2
    assert load_study(path)["retour"].tolist() == [8, 7]


def test_a_path_where_nothing_can_be_written_is_told_before_the_study_starts(path):
    path.mkdir()
    for place, reason in {
        path: "c'est un dossier",
        path / "absent" / "a.csv": "le dossier n'existe pas",
        "/dev/full": "ce n'est pas un fichier ordinaire",
        path / ("a" * 300): "le nom dépasse la longueur permise",
    }.items():
        with pytest.raises(OSError, match=reason):
            Archive(place, HEADER).prepare()
    assert not [*path.iterdir()]


def test_a_group_interrupted_or_too_big_for_the_disk_leaves_nothing(path):
    def rows():
        yield "témoin", 1, 10
        raise KeyboardInterrupt

    archive, _ = made(path)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        archive.append(rows(), "aaaa", "Zen")
    assert path.read_bytes() == before
    resource = pytest.importorskip("resource", reason="Borner la taille d'un fichier est d'Unix.")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match=r"étude\.csv : rien n'est ajouté, le fichier serait"):
            archive.append([("autre", seed, 10) for seed in range(10)], "cccc", "Zen")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
