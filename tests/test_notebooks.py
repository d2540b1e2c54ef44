"""Les carnets enregistrés : fidèles à leur source, complets, propres ; nbval les réexécute."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median, quantiles

import build
import nbformat
import pytest
from building.durations import minutes
from building.record import METADATA, VIEW, code_cells, faults, prose
from nbformat import v4

from cartpole_helpers.display.typography import typography

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "sources").glob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUESTION = re.compile(r"^\*\*(\d)\.\*\* ", re.MULTILINE)
CHOICE = re.compile(r"^- \*\*([A-D])\.\*\* ", re.MULTILINE)
FOLD = re.compile(
    r'^<details name="q(\d)"><summary>Répondre ([A-D])</summary>\n\n([✔✘]) .+?\n\n</details>$',
    re.MULTILINE | re.DOTALL,
)
LESSONS = NOTEBOOKS[1:]  # le premier prend en main, les autres enseignent
README = (ROOT / "README.md").read_text("utf-8")
# Le dossier d'une personne ou d'un système, où que le carnet ait été exécuté.
MACHINE = re.compile(r"(?<![<\w.:/-])/(home|root|Users|tmp|var|private|mnt|opt)\b|\b[A-Za-z]:\\+\w")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def texts(output):
    """Ce qu'une sortie donne à lire, sans les octets des images."""
    data = output.get("data", {}).items()
    shown = [str(value) for kind, value in data if not kind.startswith("image/")]
    return [re.sub(r"base64,[\w+/=\s]+", "", text) for text in [output.get("text", ""), *shown]]


def test_there_is_one_notebook_for_each_source():
    assert LESSONS
    assert [path.stem for path in SOURCES] == [path.stem for path in NOTEBOOKS]
    assert all(re.fullmatch(r"\d\d_[a-z0-9_]+", path.stem) for path in SOURCES)


@every_notebook
def test_a_notebook_is_whole_and_clean(path):
    """Fidèle à sa source, exécuté dans l'ordre, sans défaut ni chemin d'une machine."""
    notebook = read(path)
    assert build.edited(ROOT / "notebooks" / "sources" / f"{path.stem}.py") is None
    assert list(faults(notebook)) == []
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    shown = [output for cell in cells for output in cell.outputs]
    assert not any(MACHINE.search(text) for output in shown for text in texts(output))
    metadata = notebook.metadata
    assert set(metadata) - {"widgets"} == {*METADATA, "cartpole"}
    assert {key: metadata[key] for key in METADATA} == METADATA
    assert ("widgets" in metadata) == any(VIEW in output.get("data", {}) for output in shown)


@every_notebook
def test_cells_are_short_and_prose_and_figures_surround_them(path):
    cells = code_cells(read(path))
    lines = [len(cell.source.splitlines()) for cell in cells]
    assert median(lines) <= 5
    assert quantiles(lines, n=10, method="inclusive")[-1] <= 20
    assert len(prose(read(path))) >= len(lines)
    if path in LESSONS:
        assert len(" ".join(prose(read(path))).split()) >= 500
        shown = [output.get("data", {}) for cell in cells for output in cell.outputs]
        assert sum("image/png" in data for data in shown) >= 2


@every_notebook
def test_the_durations_told_follow_the_rule_that_the_readme_gives(path):
    reading, exercises = minutes(read(path))
    told = f"*Lecture : {reading} minutes ; exercices : {exercises} minutes ; exécution : "
    assert typography(told) in prose(read(path))[0]
    [row] = [line for line in README.splitlines() if f"{path.name}) | " in line]
    assert f" | {reading} min | {exercises} min | " in row


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_each_choice_of_a_question_unfolds_and_one_alone_is_right(source):
    cells = [cell.source for cell in build.read_source(source).cells]
    quiz = "".join(text for text in cells if text.startswith("## Testez-vous"))
    assert quiz or source.stem == "12_un_autre_jeu"
    _, *questions = QUESTION.split(quiz)
    numbers, texts = questions[::2], questions[1::2]
    assert numbers == [str(rank) for rank in range(1, len(numbers) + 1)]
    for number, text in zip(numbers, texts, strict=True):
        choices, folds = CHOICE.findall(text), FOLD.findall(text)
        assert choices == list("ABCD"[: len(choices)])
        assert [(name, letter) for name, letter, _ in folds] == [(number, x) for x in choices]
        assert [sign for *_, sign in folds].count("✔") == 1
        assert text.count("<details") == len(folds)


# nbval, tel que pyproject.toml et notebooks/conftest.py le règlent, refuse chacun de ces carnets.

THREAD = """\
import threading
thread = threading.Thread(target={}.pop, args=("fil",))
thread.start()
thread.join()"""
CASES = {
    "juste": ("print(1)", "PASSED", ""),
    "change": ("print(2)", "FAILED", "Cell outputs differ"),
    "leve": ("1 / 0\nprint(1)", "FAILED", "ZeroDivisionError"),
    "fil": (f"{THREAD}\nprint(1)", "FAILED", "KeyError"),
    "averti": ("import warnings\nwarnings.warn('gare')\nprint(1)", "FAILED", "UserWarning"),
    "bruyant": ("import sys\nprint(1)\nprint(2, file=sys.stderr)", "FAILED", "{'stderr'}"),
}


def test_nbval_refuses_what_it_must(tmp_path):
    """Ce que dit nbval de petits carnets, dans une copie du projet réduite à ses réglages."""
    project = tmp_path
    shutil.copy(ROOT / "pyproject.toml", project)
    ignored = shutil.ignore_patterns("*.ipynb", "sources", "__pycache__")
    shutil.copytree(ROOT / "notebooks", project / "notebooks", ignore=ignored)
    shown = v4.new_output("stream", name="stdout", text="1\n")
    for name, (code, _, _) in CASES.items():
        cell = v4.new_code_cell(code, execution_count=1, outputs=[shown])
        nbformat.write(v4.new_notebook(cells=[cell]), project / "notebooks" / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-rA", "--color=no", "-p", "no:cacheprovider"]
    run = subprocess.run([*command, "notebooks"], cwd=project, capture_output=True, text=True)
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stderr == ""
    for name, (_, outcome, cause) in CASES.items():
        assert f"{outcome} notebooks/{name}.ipynb::Cell 0" in run.stdout
        pattern = rf"___ notebooks/{name}\.ipynb::Cell 0 ___.*?(?=\n___|\Z)"
        failure = re.search(pattern, run.stdout, re.S)
        assert cause in (failure[0] if failure else ""), name
