"""Les études archivées : le README en cite les mesures ; une étude interrompue se reprend."""

import csv
import runpy
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from cartpole_helpers import load_study
from cartpole_helpers.repairs import TUNED

ROOT = Path(__file__).resolve().parents[1]
HEADER = ("recette", "graine", "retour")


def read(path):
    """Les lignes d'un .csv, lues d'ailleurs, pendant que l'étude continue."""
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row) for row in csv.reader(file)]


@pytest.fixture(scope="module")
def archive_class():
    """La classe `Archive`, que `etudes/` n'expose pas comme un paquet."""
    return runpy.run_path(str(ROOT / "etudes" / "archive.py"))["Archive"]


@pytest.fixture
def reopen(archive_class, tmp_path):
    """Ouvre l'archive du même script, comme le fait chaque lancement de l'étude."""
    return lambda: archive_class(str(tmp_path / "étude.py"), HEADER)


def test_the_readme_quotes_the_measured_speeds():
    with (ROOT / "etudes" / "vitesse.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    quoted = (ROOT / "README.md").read_text("utf-8")
    assert len(rows) >= 6
    for row in rows:
        ratios = [row[name].replace(".", ",") for name in ("rapport", "minimum", "maximum")]
        median, low, high = ratios
        assert f"| {row['mesure']} | {median} | {low} à {high} | {row['cible']} |" in quoted


@pytest.mark.parametrize("table", ["solving", "holding", "comparing"])
def test_the_readme_quotes_the_tables_of_the_studies(table):
    lines = runpy.run_path(str(ROOT / "etudes" / "bilan.py"))[table]()
    assert len(lines) > 3
    assert "\n".join(lines) in (ROOT / "README.md").read_text("utf-8")


def test_a_seed_that_never_succeeds_waits_forever_in_the_duel():
    bilan = runpy.run_path(str(ROOT / "etudes" / "bilan.py"))
    returns = np.array([[500, 500, 500, 400, 500], [500, 400, 500, 500, 400]])
    columns = {"recette": "a", "moteur": "b", "graine": [[0], [1]], "pas": [1, 2, 3, 4, 5]}
    columns |= {"secondes": [0.1, 0.2, 0.3, 0.4, 0.5], "moyenne": returns}
    study = {name: np.broadcast_to(values, (2, 5)).ravel() for name, values in columns.items()}
    bilan["_COMPARISON"].update(study)
    seconds, steps, relapsed = bilan["arrivals"]("a", "b", "moyenne")
    assert (seconds.tolist(), steps.tolist()) == ([0.3, np.inf], [3, np.inf])
    assert relapsed.tolist() == [True]
    assert bilan["ratio"](seconds, seconds[:1]).startswith("× ∞ [1,0 à ∞]")


def test_every_archive_has_the_script_that_makes_it():
    archives = sorted((ROOT / "etudes").glob("*.csv"))
    assert archives
    assert all(archive.with_suffix(".py").exists() for archive in archives)


def test_the_study_of_the_settings_has_each_combination_once_per_seed():
    header, *rows = read(ROOT / "etudes" / "reglages.csv")
    instants = [str(step) for step in range(1_000, 20_001, 1_000)]
    assert header == (*TUNED, "graine", *instants)
    done = Counter(tuple(map(float, row[: len(TUNED) + 1])) for row in rows)
    assert done == Counter(product(*TUNED.values(), range(12)))
    assert len(instants) == 20
    for row in rows:
        returns = [int(cell) for cell in row[len(TUNED) + 1 :]]
        assert len(returns) == 20
        assert all(1 <= score <= 500 for score in returns)


# L'archive d'une étude


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


def test_appending_nothing_changes_nothing(reopen):
    archive = reopen()
    before = archive.path.read_bytes()
    archive.append([])
    assert archive.path.read_bytes() == before


def test_rows_may_come_one_by_one(reopen):
    archive = reopen()
    archive.append(("témoin", seed, 0) for seed in range(3))
    assert archive.finished() == {("témoin", 0), ("témoin", 1), ("témoin", 2)}


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
    assert list(study) == list(HEADER)
    assert study["recette"].tolist() == ["témoin", "à deux"]
    assert study["graine"].tolist() == [0, 1]
    assert str(study["retour"].tolist()) == "[9.5, nan]"
