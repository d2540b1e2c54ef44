"""Les études archivées : le README en cite les mesures."""

import csv
import runpy
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def bilan():
    return runpy.run_path(str(ROOT / "etudes" / "bilan.py"))


def test_the_readme_quotes_the_measured_speeds_and_the_tables_of_the_studies(bilan):
    with (ROOT / "etudes" / "vitesse.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 6
    for row in rows:
        median, low, high = (row[n].replace(".", ",") for n in ("rapport", "minimum", "maximum"))
        assert f"| {row['mesure']} | {median} | {low} à {high} | {row['cible']} |" in README
    for table in ("solving", "holding", "comparing"):
        lines = bilan[table]()
        assert len(lines) > 3
        assert "\n".join(lines) in README


def test_a_seed_that_never_succeeds_waits_forever_in_the_duel(bilan, monkeypatch):
    returns = np.array([[500, 500, 500, 400, 500], [500, 400, 500, 500, 400]])
    columns = {"recette": "a", "moteur": "b", "graine": [[0], [1]], "pas": [1, 2, 3, 4, 5]}
    columns |= {"secondes": [0.1, 0.2, 0.3, 0.4, 0.5], "moyenne": returns}
    for name, values in columns.items():
        monkeypatch.setitem(bilan["_COMPARISON"], name, np.broadcast_to(values, (2, 5)).ravel())
    seconds, steps, relapsed = bilan["arrivals"]("a", "b", "moyenne")
    assert (seconds.tolist(), steps.tolist()) == ([0.3, np.inf], [3, np.inf])
    assert relapsed.tolist() == [True]
    assert bilan["ratio"](seconds, seconds[:1]).startswith("× ∞ [1,0 à ∞]")


def test_every_archive_has_the_script_that_makes_it():
    archives = [*(ROOT / "etudes").glob("*.csv")]
    assert archives
    assert all(archive.with_suffix(".py").exists() for archive in archives)
