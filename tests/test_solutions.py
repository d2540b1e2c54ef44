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
from building.record import code_cells, faults, normalise
from nbformat import NotebookNode

from cartpole_helpers.teaching.exercises import CAPSTONE, EXERCISES, show

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "sources").glob("*.py"))
DQN = ROOT / "notebooks" / "sources" / "04_le_dqn.py"
BLANK_PAGE = ROOT / "notebooks" / "sources" / "14_de_zero.py"


# Trouver les ébauches, et les remplacer


def is_docstring(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(node, ast.Expr) and isinstance(getattr(value, "value", None), str)


def is_blank(node: ast.stmt) -> bool:
    """Dit si, docstring à part, une fonction ne contient que `...`, une classe que de telles."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and node.value.value is ...
    body = [one for one in getattr(node, "body", []) if not is_docstring(one)]
    named = isinstance(node, ast.FunctionDef | ast.ClassDef)
    return named and bool(body) and all(map(is_blank, body))


def stubs(code: str) -> list[ast.stmt]:
    """Les ébauches d'exercices d'une cellule, dans l'ordre."""
    nodes = ast.parse(code).body
    return [node for node in nodes if getattr(node, "name", "") in EXERCISES and is_blank(node)]


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


def names_of(code: str) -> tuple[set[str], set[str]]:
    """Les noms qu'une cellule lie, et ceux qu'elle attend des précédentes."""
    bound, read, changed = set(), set(), set()
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.AugAssign(target=ast.Name(id=name)):
                changed.add(name)
            case ast.Name(id=name, ctx=ast.Load()):
                read.add(name)
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.alias():
                bound.add(node.asname or node.name.partition(".")[0])
    return bound, (read - bound) | changed


def useful(codes: list[str], names: list[str]) -> list[int]:
    """Le rang des cellules qui portent les ébauches ou s'en servent, et de ce qu'elles lisent."""
    kept, wanted = [], set()
    for rank, code in reversed([*enumerate(codes)]):
        bound, read = names_of(code)
        if stubs(code) or read & {*names} or bound & wanted:
            kept.insert(0, rank)
            wanted = (wanted - bound) | read
    return kept


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
        for cell in code_cells(notebook):
            cell.source = fill(cell.source, solutions() | wrong)
        project = tmp_path_factory.mktemp(source.stem)
        for name in ("checkpoints", "etudes"):
            shutil.copytree(ROOT / name, project / name)
        for name in ("notebooks", "videos"):
            (project / name).mkdir()
        execute(notebook, project / "notebooks")
        return normalise(notebook)

    return executed


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def results(notebook: NotebookNode) -> list[str]:
    """Le texte de ce que rendent les cellules, ses espaces insécables redevenues ordinaires."""
    shown = [output.get("data", {}).get("text/plain", "") for output in outputs(notebook)]
    return [" ".join(text.split()) for text in shown]


def report(notebook: NotebookNode, name: str) -> str:
    """Le compte rendu de `check` pour un exercice ; il n'y en a qu'un."""
    [found] = [text for text in results(notebook) if re.match(rf"(· )?{name} :", text)]
    return found


def returns(notebook: NotebookNode) -> list[int]:
    """Les retours des agents que conduit la cible de l'élève, carnet 04."""
    printed = "".join(output.get("text", "") for output in outputs(notebook))
    [line] = re.findall(r"^retours : ([\d ]+)$", printed, re.MULTILINE)
    return [int(number) for number in line.split()]


# Les exercices et leurs carnets


def test_each_exercise_has_its_stub_in_one_notebook():
    assert sorted(name for source in SOURCES for name in exercises_of(source)) == sorted(EXERCISES)


# Les carnets remplis


@pytest.mark.parametrize("source", WITH_EXERCISES, ids=lambda path: path.stem)
def test_a_notebook_with_every_solution_runs_and_every_property_holds(run, source):
    notebook = run(source)
    assert list(faults(notebook)) == []
    for name in exercises_of(source):
        total = len(EXERCISES[name].properties)
        assert report(notebook, name).startswith(f"{name} : {total} propriétés sur {total} ✔")
    for text in results(notebook):
        # Les avis sur les patients du carnet 09 ne sont pas un exercice : l'un y est faux, exprès.
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
