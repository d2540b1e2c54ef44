"""Les tables, comparées à `csv` ; coupées ou abîmées partout ; une étude interrompue se reprend."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from cartpole_helpers import load_study
from cartpole_helpers.tables import Archive, read_table, write_study, write_table

ROOT = Path(__file__).resolve().parents[1]
ARCHIVES = sorted((ROOT / "etudes").glob("*.csv"))
HEADER = ("recette", "graine", "retour")


def read(path):
    """Les lignes d'un .csv, lues d'ailleurs, pendant que l'étude continue."""
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


# Les études archivées


def numbers(column):
    """Les nombres d'une colonne, ou None si une case n'en est pas un."""
    try:
        return [float(cell) for cell in column]
    except ValueError:
        return None


def test_an_archive_is_what_a_reader_of_csv_finds(tmp_path):
    kinds = set()
    for rank, path in enumerate(ARCHIVES):
        copy = tmp_path / path.name  # une étude en cours grandit entre deux lectures
        copy.write_bytes(path.read_bytes())
        with copy.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        study = load_study(str(copy) if rank % 2 else copy)
        assert list(study) == list(rows[0])
        for name, column in study.items():
            expected = [row[name] for row in rows]
            assert column.shape == (len(rows),)
            assert column.dtype.kind == ("U" if numbers(expected) is None else "f")
            np.testing.assert_array_equal(column, numbers(expected) or expected)  # NaN compris
            kinds.add(column.dtype.kind)
    assert kinds == {"U", "f"}


def test_reading_tells_which_archive_and_nothing_of_the_machine(tmp_path, capsys):
    path = tmp_path / "mesure.csv"
    path.write_text("a,b\n1,x\n2,y\n3,z\n", "utf-8")
    load_study(path)
    told = capsys.readouterr().out
    assert re.fullmatch(r".*mesure\.csv \(3 lignes\).*mesure\.py\n", told)
    assert "/" not in told


def test_little_archives(tmp_path):
    path = tmp_path / "étude.csv"
    for content, expected in {
        "a\n1\n": {"a": [1.0]},
        "a,b\r\n1,-2.5e3\r\n": {"a": [1.0], "b": [-2500.0]},
        "\ufeffa,b\n1,2\n": {"a": [1.0], "b": [2.0]},  # comme l'écrit un tableur
        'nom,b\n"≥ 1,2",3\n': {"nom": ["≥ 1,2"], "b": [3.0]},
        "a,b\n1,2\nx,3\n": {"a": ["1", "x"], "b": [2.0, 3.0]},
        "a,b\n1,\n2,3\n": {"a": [1.0, 2.0], "b": ["", "3"]},
        'a,b\n1,"deux\nlignes"\n': {"a": [1.0], "b": ["deux\nlignes"]},
    }.items():
        path.write_text(content, "utf-8", newline="")
        assert {name: column.tolist() for name, column in load_study(path).items()} == expected


BAD_ARCHIVES = {
    "empty": (b"", "est vide ou coupée"),
    "header alone": (b"a,b\n", "est vide ou coupée"),
    "blank lines": (b"\n\n", "est vide ou coupée"),
    "short row": (b"a,b\n1,2\n3\n", "est vide ou coupée"),
    "long row": (b"a,b\n1,2\n3,4,5\n", "est vide ou coupée"),
    "blank row": (b"a,b\n1,2\n\n3,4\n", "est vide ou coupée"),
    "cut in a number": (b"a,b\n1,2\n3,45", "est vide ou coupée"),
    "cut after a line of a cell": (b'a,b\n1,2\n3,"4\n', "entier, en UTF-8"),
    "twice a name": (b"a,a\n1,2\n", "aux colonnes distinctes"),
    "latin-1": ("a,été\n1,2\n".encode("latin-1"), "en UTF-8"),
    "one huge cell": (b"a\n" + b"1" * 200_000 + b"\n", "en UTF-8"),
}


def test_a_bad_archive_is_refused_in_french(tmp_path, capsys):
    path = tmp_path / "étude.csv"
    for content, reason in BAD_ARCHIVES.values():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"^path doit être .*{reason}") as refusal:
            load_study(path)
        assert type(refusal.value) is ValueError
    for name in ("absente.csv", "."):
        with pytest.raises(FileNotFoundError, match=r"^path doit être une étude .*\.csv"):
            load_study(tmp_path / name)
    for wrong in (3, b"etude.csv"):
        with pytest.raises(TypeError, match=r"^path doit être un chemin : .* reçu\.$"):
            load_study(wrong)
    assert capsys.readouterr().out == ""


# Toute table

CELLS = ["nom", "été, hiver", '"entre guillemets"', "deux\nlignes", "", "3.5"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_table_survives_its_file(closed, tmp_path):
    path = tmp_path / "table.csv"
    for count in (0, 1, 3):
        rows = [[*CELLS[1:], rank] for rank in range(count)]
        write_table(path, CELLS, iter(rows), closed=closed)
        assert b"\r" not in path.read_bytes()
        written = [tuple(CELLS), *(tuple(map(str, row)) for row in rows)]
        assert read(path) == written + [(f"# fin : {count} lignes",)] * closed
        table = read_table(path, closed=closed)
        assert [*zip(*table.values(), strict=True)] == written[1:]
        assert [*table] == CELLS


@pytest.mark.parametrize("closed", [True, False])
def test_a_table_is_refused_wherever_it_is_cut_unless_whole_rows_remain(closed, tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, CELLS, [CELLS, CELLS], closed=closed)
    whole, ends = path.read_bytes(), set()
    if not closed:  # rien ne dit alors combien il y avait de lignes
        write_table(tmp_path / "moins.csv", CELLS, [CELLS])
        ends = {len((tmp_path / "moins.csv").read_bytes())}
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        if size in ends:
            assert read_table(path, least=1)["nom"] == ["nom"]
        else:
            with pytest.raises(ValueError, match=r"^path doit être une table : .*table\.csv"):
                read_table(path, closed=closed, least=1)


def test_a_closed_table_has_as_many_rows_as_it_says(tmp_path):
    path = tmp_path / "table.csv"
    for end in ("# fin : 1 lignes", "# fin : 3 lignes", "fin", ""):
        path.write_text(f"a\n1\n2\n{end}\n", "utf-8")
        with pytest.raises(ValueError, match="est vide ou coupée"):
            read_table(path, closed=True)


# L'archive d'une étude


@pytest.fixture
def reopen(tmp_path):
    """Ouvre l'archive du même script, comme le fait chaque lancement de l'étude."""
    return lambda: Archive(str(tmp_path / "étude.py"), HEADER)


def test_an_archive_grows_and_goes_on_when_reopened(reopen, tmp_path):
    archive = reopen()
    assert archive.path == tmp_path / "étude.csv"
    assert read(archive.path) == [HEADER]
    assert archive.finished() == set()
    archive.append([("témoin", 0, "9.5")])
    assert read(archive.path) == [HEADER, ("témoin", "0", "9.5")]  # lisible aussitôt
    archive.append([])
    again = reopen()
    again.append(("à deux, ou trois", seed, 500) for seed in (3, 3, 12))
    archive.append([("témoin", 1, 7)])  # deux ouvertes ensemble ne perdent rien
    rows = [("témoin", "0", "9.5"), *[("à deux, ou trois", s, "500") for s in ("3", "3", "12")]]
    assert read(archive.path)[1:] == [*rows, ("témoin", "1", "7")]
    done = {("témoin", 0), ("témoin", 1), ("à deux, ou trois", 3), ("à deux, ou trois", 12)}
    assert archive.finished() == again.finished() == reopen().finished() == done
    assert ("témoin", 1) in archive
    assert ("témoin", 3) not in archive


def test_old_line_ends_are_read_and_stay(reopen):
    path = reopen().path
    path.write_bytes(old := b"recette,graine,retour\r\na,0,1\r\n")
    reopen().append([("a", 1, 2)])
    assert path.read_bytes() == old + b"a,1,2\n"
    assert reopen().finished() == {("a", 0), ("a", 1)}
    assert load_study(path)["retour"].tolist() == [1, 2]


def test_an_interrupted_group_leaves_nothing(reopen):
    def group():
        yield "témoin", 0, 10
        yield "témoin", 1, 20
        raise KeyboardInterrupt

    archive = reopen()
    before = archive.path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        archive.append(group())
    assert archive.path.read_bytes() == before


def test_a_group_that_the_disk_cannot_take_whole_leaves_nothing(reopen):
    resource = pytest.importorskip("resource", reason="Borner la taille d'un fichier est d'Unix.")
    archive = reopen()
    archive.append([("témoin", 0, 10)])
    before, limits = archive.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match=r"étude\.csv : le disque n'a pas pu prendre tout"):
            archive.append(("autre", seed, 10) for seed in range(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert archive.path.read_bytes() == before


def test_an_archive_that_is_cut_is_not_taken_up_again(reopen):
    archive = reopen()
    archive.append([("témoin", 0, 10)])
    archive.path.write_bytes(archive.path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"^path doit être l'archive d'une étude.*coupée\.$"):
        archive.finished()


def test_the_course_reads_what_a_study_archives(reopen):
    archive = reopen()
    archive.append([("témoin", 0, "9.50"), ("à deux", 1, float("nan"))])
    study = load_study(archive.path)
    grown = archive.path.read_bytes()
    write_study(archive.path.with_suffix(".py"), HEADER, read(archive.path)[1:])
    assert archive.path.read_bytes() == grown
    assert study["recette"].tolist() == ["témoin", "à deux"]
    assert study["graine"].tolist() == [0, 1]
    assert str(study["retour"].tolist()) == "[9.5, nan]"
