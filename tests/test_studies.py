"""Les études archivées : le README en cite les mesures."""

import csv
import runpy
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def test_the_readme_quotes_the_measured_speeds():
    with (ROOT / "etudes" / "vitesse.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    quoted = (ROOT / "README.md").read_text("utf-8")
    assert len(rows) >= 6
    for row in rows:
        ratios = [row[name].replace(".", ",") for name in ("rapport", "minimum", "maximum")]
        median, low, high = ratios
        assert f"| {row['mesure']} | {median} | {low} à {high} | {row['cible']} |" in quoted


def test_the_readme_quotes_the_tables_of_the_studies():
    bilan = runpy.run_path(str(ROOT / "etudes" / "bilan.py"))
    for table in ("solving", "holding", "comparing"):
        lines = bilan[table]()
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
