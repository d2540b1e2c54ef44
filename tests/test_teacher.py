"""Les pages de qui enseigne suivent les carnets : leurs paris, leurs nombres, leurs durées."""

import re
import runpy
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "enseignant"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUMBLES = (FOLDER / "ce_qui_coince.md").read_text("utf-8")
BET = re.compile(r"^- \*\*§[^*]*\*\* (.*?)\s\*Tentant :\*\s.*?\s\*À demander :\*\s", re.S | re.M)

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def bets(path):
    """Ce que la page dit que montre un carnet, pari par pari."""
    section = STUMBLES.partition(f"\n## {path.name[:2]} · ")[2].partition("\n## ")[0]
    return [" ".join(shown.split()) for shown in BET.findall(section)]


def shown(path):
    """La prose d'un carnet enregistré, et le texte de ses sorties."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("text", output.get("data", {}).get("text/plain", ""))


def numbers(text, space=""):
    """Les nombres d'un texte, à la virgule ; `space` sépare aussi les milliers, s'il est donné."""
    text = re.sub(rf"(?<=\d)[\u00a0\u202f{space}](?=\d{{3}}\b)", "", text)
    return {float(one.replace(",", ".")) for one in re.findall(r"\d+(?:[.,]\d+)?", text)}


@every_notebook
def test_every_bet_has_its_line(path):
    prose = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type != "code"]
    asked = re.findall(r"^> \*\*À vous\.\*\* (?!Une prédiction)", "\n".join(prose), re.M)
    assert len(bets(path)) == len(asked)


@every_notebook
def test_what_a_bet_shows_is_in_the_notebook(path):
    """Un carnet reconstruit peut changer de nombres : la page doit les suivre."""
    known = set().union(*map(numbers, shown(path)))
    missing = {told: numbers(told, " ") - known for told in bets(path)}
    assert {told: some for told, some in missing.items() if some} == {}


def test_the_page_of_the_exercises_is_the_one_the_catalogue_gives():
    made = runpy.run_path(str(FOLDER / "exercices.py"))["page"]()
    assert (FOLDER / "exercices.md").read_text("utf-8") == made
