"""Les pages de qui enseigne suivent les carnets et le catalogue ; un examen se corrige."""

import re
import runpy
from pathlib import Path

import nbformat
import pytest

from cartpole_helpers.teaching.clinic import Ward

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "enseignant"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PLAN = (FOLDER / "README.md").read_text("utf-8")
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


def test_the_thirteen_sessions_cover_the_whole_course():
    module = PLAN.partition("\n## Treize séances")[2].partition("\n## ")[0]
    assert re.findall(r"^\*\*(\d+)\.", module, re.M) == [str(n) for n in range(1, 14)]
    assert re.findall(r"\[(\d\d)\]\(", module) == [path.name[:2] for path in NOTEBOOKS]


def test_an_exam_is_read_by_the_ward_and_its_subject_says_nothing(monkeypatch, tmp_path):
    exam = runpy.run_path(str(FOLDER / "examen.py"))
    ward = Ward()
    known = exam["Patient"](ward.chart(3), ward.witness(3), "masque oublié", "", "rapide", 1)
    monkeypatch.setitem(exam["compose"].__globals__, "drawn", lambda count, seed: [known] * count)
    exam["compose"](tmp_path, 1, seed=7)
    assert Ward(tmp_path / "correction").judge({1: "masque oublié"}).right == 1
    assert [path.name for path in (tmp_path / "sujet").iterdir()] == ["patient_01.png"]
