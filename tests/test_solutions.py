"""Les carnets, remplis : toutes les réponses du cours y passent, une fausse s'y fait voir.

De chaque carnet ne s'exécute que ce dont ses exercices ont besoin, et ce qui s'en sert.
"""

import ast
import re
import shutil
from functools import cache
from pathlib import Path
from statistics import median

import build
import pytest
from building.kernel import execute
from building.names import names_of, with_needed
from building.record import code_cells, faults, normalise
from building.stubs import is_blank, stubs
from nbformat import NotebookNode

from cartpole_helpers.teaching.exercises import CAPSTONE, EXERCISES, show

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "sources").glob("*.py"))
DQN = ROOT / "notebooks" / "sources" / "04_le_dqn.py"
BLANK_PAGE = ROOT / "notebooks" / "sources" / "15_de_zero.py"


# Remplacer les ébauches


@cache
def exercises_of(source: Path) -> list[str]:
    """Les exercices dont une source porte l'ébauche."""
    cells = code_cells(build.read_source(source))
    return [node.name for cell in cells for node in stubs(cell.source)]


WITH_EXERCISES = [source for source in SOURCES if exercises_of(source)]


def fill(code: str, answers: dict[str, str]) -> str:
    """Le code d'une cellule, ses ébauches remplacées par le texte de leurs réponses."""
    lines = code.splitlines()
    for node in reversed(stubs(code)):
        lines[node.lineno - 1 : node.end_lineno] = answers[node.name].splitlines()
    return "\n".join(lines)


def useful(codes: list[str], names: list[str]) -> list[int]:
    """Le rang des cellules qui portent les ébauches ou s'en servent, et de ce qu'elles lisent."""
    read = [one.read | one.called for one in map(names_of, codes)]
    users = [rank for rank, code in enumerate(codes) if stubs(code) or read[rank] & {*names}]
    return with_needed(codes, users)


def solutions() -> dict[str, str]:
    """Ce que `show` donne à copier, pour chaque exercice."""
    return {name: show(name).listing.text for name in EXERCISES}


UNMASKED = """def td_target(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values"""


# Exécuter


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Exécute un carnet rempli, loin du dépôt : ses films s'écrivent dans une copie."""

    @cache
    def executed(source: Path, **wrong: str) -> NotebookNode:
        notebook = build.read_source(source)
        cells = code_cells(notebook)
        kept = useful([cell.source for cell in cells], exercises_of(source))
        notebook.cells = [cells[rank] for rank in kept]
        answers = solutions() | wrong
        for cell in notebook.cells:
            cell.source = fill(cell.source, answers)
        execute(notebook, copy_of_the_data(tmp_path_factory.mktemp(source.stem)))
        return normalise(notebook)

    return executed


def copy_of_the_data(project: Path) -> Path:
    """Copie ce que lisent les carnets ; rend le dossier où les exécuter."""
    for name in ("checkpoints", "etudes"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("notebooks", "videos"):
        (project / name).mkdir()
    return project / "notebooks"


def results(notebook: NotebookNode) -> list[str]:
    """Le texte de ce que rendent les cellules, ses espaces insécables redevenues ordinaires."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [" ".join(output.get("data", {}).get("text/plain", "").split()) for output in outputs]


def printed(notebook: NotebookNode) -> str:
    """Ce que les cellules impriment."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(output.get("text", "") for output in outputs)


def report(notebook: NotebookNode, name: str) -> str:
    """Le compte rendu de `check` pour un exercice ; il n'y en a qu'un."""
    [found] = [text for text in results(notebook) if re.match(rf"(· )?{name} :", text)]
    return found


def returns(notebook: NotebookNode) -> list[int]:
    """Les retours des agents que conduit la cible de l'élève, carnet 04."""
    [line] = re.findall(r"^retours : ([\d ]+)$", printed(notebook), re.MULTILINE)
    return [int(number) for number in line.split()]


# Les exercices et leurs carnets


def test_each_exercise_has_its_stub_in_one_notebook():
    assert sorted(name for source in SOURCES for name in exercises_of(source)) == sorted(EXERCISES)


def test_a_stub_is_recognised():
    for code, names in {
        'def td_loss(q):\n    """Rend."""\n    ...\n\ncheck(td_loss)': ["td_loss"],
        "class Memoire:\n    def a(self): ...\n    def b(self):\n        ...": ["Memoire"],
        "class Memoire:\n    def a(self): ...\n    def b(self):\n        return 1": [],
        'def td_loss(q):\n    """Rend."""\n    return q': [],
        "def autre(q):\n    ...": [],
        'class Memoire:\n    """Une mémoire."""': [],
        "td_loss = ...": [],
    }.items():
        assert [node.name for node in stubs(code)] == names, code


def test_only_what_the_exercises_need_is_kept():
    codes = ["import a as b", "x = b.c", "y = 2", "x = 1", "def td_loss(q):\n    ...", "td_loss(x)"]
    assert useful(codes, ["td_loss"]) == [3, 4, 5]
    assert useful([*codes[:3], "x += 1", *codes[4:]], ["td_loss"]) == [0, 1, 3, 4, 5]


def test_only_the_stubs_are_replaced():
    code = "a = 1\ndef td_loss(q):\n    ...\nb = 2\ndef td_target(r):\n    ...\ncheck(td_loss)"
    answers = {"td_loss": "def td_loss(q):\n    x = q\n    return x", "td_target": "un"}
    expected = "a = 1\ndef td_loss(q):\n    x = q\n    return x\nb = 2\nun\ncheck(td_loss)"
    assert fill(code, answers) == expected


# Les carnets remplis


@pytest.mark.parametrize("source", WITH_EXERCISES, ids=lambda path: path.stem)
def test_a_notebook_with_every_solution_runs_and_every_property_holds(run, source):
    notebook = run(source)
    assert list(faults(notebook)) == []
    for name in exercises_of(source):
        total = len(EXERCISES[name].properties)
        assert report(notebook, name).startswith(f"{name} : {total} propriétés sur {total} ✔")
    for text in results(notebook):
        # Les avis sur les patients du carnet 11 ne sont pas un exercice : l'un y est faux, exprès.
        assert "✘" not in text or text.startswith("Avis justes")
        assert "pas encore écrit" not in text


def test_a_wrong_target_is_refused_and_drives_real_agents_to_failure(run):
    notebook, right = run(DQN, td_target=UNMASKED), run(DQN)
    assert list(faults(notebook)) == []
    assert "✘" in report(notebook, "td_target")
    assert "masqué les états terminaux" in report(notebook, "td_target")
    assert "✘" not in report(notebook, "td_loss")
    assert len(returns(notebook)) == len(returns(right)) == 8
    assert max(returns(notebook)) < median(returns(right))


def test_the_answer_to_the_blank_page_runs_where_it_is_pasted():
    """L'épreuve entière dure des minutes : `test_capstone` la fait ; ici, deux cents pas."""
    first, *cells = code_cells(build.read_source(BLANK_PAGE))
    [page] = [cell.source for cell in cells if f"def {CAPSTONE}(" in cell.source]
    [node] = ast.parse(page).body
    assert is_blank(node)
    names: dict = {}
    for code in (first.source, show(CAPSTONE).listing.text):
        exec(code, names)
    world = next(names["drawn_worlds"](names["np"].random.default_rng(0)))
    q = names[CAPSTONE](world.env(), 0.6, 200, 0)
    assert q(world.env().reset(seed=0)[0][None]).shape == (1, 2)
