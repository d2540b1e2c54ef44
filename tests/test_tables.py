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


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_an_archive_is_what_a_reader_of_csv_finds(path, kind, tmp_path):
    copy = tmp_path / path.name  # une étude en cours grandit entre deux lectures
    copy.write_bytes(path.read_bytes())
    with copy.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    study = load_study(kind(copy))
    assert list(study) == list(rows[0])
    for name, column in study.items():
        expected = [row[name] for row in rows]
        assert column.shape == (len(rows),)
        assert column.dtype.kind == ("U" if numbers(expected) is None else "f")
        np.testing.assert_array_equal(column, numbers(expected) or expected)  # NaN compris


def test_archives_have_columns_of_both_kinds():
    kinds = [{array.dtype.kind for array in load_study(path).values()} for path in ARCHIVES]
    assert set().union(*kinds) == {"U", "f"}


def test_reading_tells_which_archive_and_nothing_of_the_machine(tmp_path, capsys):
    path = tmp_path / "dossier" / "mesure.csv"
    path.parent.mkdir()
    path.write_text("a,b\n1,x\n2,y\n3,z\n", "utf-8")
    load_study(path)
    told = capsys.readouterr().out
    assert told.endswith("\n")
    assert told.count("\n") == 1
    assert {"mesure.csv", "mesure.py"} <= set(re.findall(r"[\w./]*mesure\.\w+", told))
    assert "3 lignes" in told
    assert "/" not in told


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\n1\n", {"a": [1.0]}),
        ("a,b\r\n1,-2.5e3\r\n", {"a": [1.0], "b": [-2500.0]}),
        ("\ufeffa,b\n1,2\n", {"a": [1.0], "b": [2.0]}),  # comme l'écrit un tableur
        ('nom,b\n"≥ 1,2",3\n', {"nom": ["≥ 1,2"], "b": [3.0]}),
        ("a,b\n1,2\nx,3\n", {"a": ["1", "x"], "b": [2.0, 3.0]}),
        ("a,b\n1,\n2,3\n", {"a": [1.0, 2.0], "b": ["", "3"]}),
        ('a,b\n1,"deux\nlignes"\n', {"a": [1.0], "b": ["deux\nlignes"]}),
    ],
)
def test_little_archives(content, expected, tmp_path):
    path = tmp_path / "étude.csv"
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
    "cut in quotes": (b'a,b\n1,2\n3,"4', "est vide ou coupée"),
    "cut after a line of a cell": (b'a,b\n1,2\n3,"4\n', "entier, en UTF-8"),
    "twice a name": (b"a,a\n1,2\n", "aux colonnes distinctes"),
    "latin-1": ("a,été\n1,2\n".encode("latin-1"), "en UTF-8"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "en UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "en UTF-8"),
    "one huge cell": (b"a\n" + b"1" * 200_000 + b"\n", "en UTF-8"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_in_french(name, tmp_path, capsys):
    content, reason = BAD_ARCHIVES[name]
    path = tmp_path / "étude.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^path doit être .*{reason}") as refusal:
        load_study(path)
    assert type(refusal.value) is ValueError
    assert capsys.readouterr().out == ""


def test_every_cut_of_an_archive_is_refused_unless_it_leaves_whole_rows(tmp_path):
    whole = (ROOT / "etudes" / "vitesse.csv").read_bytes()
    header, *rows = whole.splitlines(keepends=True)
    ends = {len(header) + sum(map(len, rows[:count])) for count in range(1, len(rows) + 1)}
    path = tmp_path / "vitesse.csv"
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        if size in ends:
            assert len(load_study(path)["mesure"]) == whole[:size].count(b"\n") - 1
        else:
            with pytest.raises(ValueError, match=r"^path doit être .*vitesse\.csv"):
                load_study(path)


@pytest.mark.parametrize("name", ["absente.csv", "."])
def test_a_missing_archive_is_refused(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^path doit être une étude archivée, .*\.csv"):
        load_study(tmp_path / name)


@pytest.mark.parametrize("path", [3, None, b"etude.csv"])
def test_an_archive_is_named_by_a_path(path):
    with pytest.raises(TypeError, match=r"^path doit être un chemin : .* reçu\.$"):
        load_study(path)


# Toute table

CELLS = ["nom", "été, hiver", '"entre guillemets"', "deux\nlignes", "", "3.5"]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_table_survives_its_file(count, closed, tmp_path):
    path, rows = tmp_path / "table.csv", [[*CELLS[1:], rank] for rank in range(count)]
    write_table(path, CELLS, iter(rows), closed=closed)
    assert b"\r" not in path.read_bytes()
    written = [tuple(CELLS), *(tuple(map(str, row)) for row in rows)]
    assert read(path) == written + [(f"# fin : {count} lignes",)] * closed
    table = read_table(path, closed=closed)
    assert [*zip(*table.values(), strict=True)] == written[1:]
    assert [*table] == CELLS


def test_a_closed_table_is_refused_wherever_it_is_cut(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, CELLS, [CELLS, CELLS], closed=True)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"^path doit être une table : .*table\.csv"):
            read_table(path, closed=True)


@pytest.mark.parametrize("end", ["# fin : 1 lignes", "# fin : 3 lignes", "fin", ""])
def test_a_closed_table_has_as_many_rows_as_it_says(end, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"a\n1\n2\n{end}\n", "utf-8")
    with pytest.raises(ValueError, match="est vide ou coupée"):
        read_table(path, closed=True)


# L'archive d'une étude


@pytest.fixture
def reopen(tmp_path):
    """Ouvre l'archive du même script, comme le fait chaque lancement de l'étude."""
    return lambda: Archive(str(tmp_path / "étude.py"), HEADER)


def test_a_new_archive_has_a_header_and_nothing_done(reopen, tmp_path):
    archive = reopen()
    assert archive.path == tmp_path / "étude.csv"
    assert read(archive.path) == [HEADER]
    assert archive.finished() == set()


def test_appended_rows_are_read_at_once(reopen):
    archive = reopen()
    archive.append([("témoin", 0, "9.5")])
    assert read(archive.path) == [HEADER, ("témoin", "0", "9.5")]
    archive.append([("témoin", 1, 12), ("« deux, ou trois »", 0, 500)])
    assert read(archive.path)[2:] == [("témoin", "1", "12"), ("« deux, ou trois »", "0", "500")]


def test_old_line_ends_are_read_and_stay(reopen):
    path = reopen().path
    path.write_bytes(old := b"recette,graine,retour\r\na,0,1\r\n")
    reopen().append([("a", 1, 2)])
    assert path.read_bytes() == old + b"a,1,2\n"
    assert reopen().finished() == {("a", 0), ("a", 1)}
    assert load_study(path)["retour"].tolist() == [1, 2]


def test_appending_nothing_changes_nothing(reopen):
    archive = reopen()
    before = archive.path.read_bytes()
    archive.append([])
    assert archive.path.read_bytes() == before


def test_rows_may_come_one_by_one(reopen):
    archive = reopen()
    archive.append(("témoin", seed, 0) for seed in range(3))
    assert archive.finished() == {("témoin", 0), ("témoin", 1), ("témoin", 2)}
    assert ("témoin", 2) in archive
    assert ("témoin", 3) not in archive


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


def test_finished_gives_each_pair_of_a_name_and_a_seed_once(reopen):
    archive = reopen()
    archive.append([("a", 3, 10), ("a", 3, 20), ("a, b", 3, 30), ("a", 12, 40), ("7", 0, 50)])
    assert archive.finished() == {("a", 3), ("a, b", 3), ("a", 12), ("7", 0)}


def test_a_reopened_archive_goes_on_under_the_same_header(reopen):
    reopen().append([("témoin", 0, 10)])
    before = reopen().path.read_bytes()
    again = reopen()
    assert again.path.read_bytes() == before
    assert again.finished() == {("témoin", 0)}
    again.append([("témoin", 1, 20)])
    assert read(again.path) == [HEADER, ("témoin", "0", "10"), ("témoin", "1", "20")]
    assert reopen().finished() == {("témoin", 0), ("témoin", 1)}


def test_two_open_archives_lose_no_row(reopen):
    first, second = reopen(), reopen()
    first.append([("a", 0, 1)])
    second.append([("b", 0, 2)])
    first.append([("a", 1, 3)])
    assert read(first.path)[1:] == [("a", "0", "1"), ("b", "0", "2"), ("a", "1", "3")]


def test_the_course_reads_what_a_study_archives(reopen):
    archive = reopen()
    archive.append([("témoin", 0, "9.50"), ("à deux", 1, float("nan"))])
    study = load_study(archive.path)
    grown = archive.path.read_bytes()
    write_study(archive.path.with_suffix(".py"), HEADER, read(archive.path)[1:])
    assert archive.path.read_bytes() == grown
    assert list(study) == list(HEADER)
    assert study["recette"].tolist() == ["témoin", "à deux"]
    assert study["graine"].tolist() == [0, 1]
    assert str(study["retour"].tolist()) == "[9.5, nan]"
