"""Les études archivées : ce que le README en cite est ce qu'elles ont mesuré."""

import csv
from pathlib import Path

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


def test_every_archive_has_the_script_that_makes_it():
    archives = sorted((ROOT / "etudes").glob("*.csv"))
    assert archives
    assert all(archive.with_suffix(".py").exists() for archive in archives)
