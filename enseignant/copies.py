"""Les copies d'une classe : d'un parcours ou de carnets, un cours nbgrader à distribuer."""

import argparse
import ast
import os
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import noter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "notebooks"))

from building.inputs import data_of
from building.record import code_cells, serialise
from building.routes import Step, sessions
from building.slices import compose
from building.stubs import stubs

from cartpole_helpers.display.typography import typography
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.clinic import Ward

USAGE = """\
usage : python3 lancer.py classe copies DOSSIER (--parcours NOM | --carnets 04 05) [--graine N]

Écrit dans DOSSIER, hors du cours, un devoir nbgrader par étape : source/ pour vous, release/ pour
la classe. Recommencer récrit ces devoirs, tant qu'aucune copie n'en est rendue.

  --parcours NOM     les étapes de la page site/NOM.md
  --carnets 04 05    ces carnets, entiers
  --graine N         le groupe N a ses patients à diagnostiquer ; sans elle, il choisit
"""
MARK = "# Un cours fait par « lancer.py classe copies », que cette ligne lui fait reconnaître.\n"
# Nos ébauches n'ont pas de solution à effacer : nbgrader y mettrait les siennes.
CONFIG = f"""{MARK}c = get_config()
c.CourseDirectory.course_id = "cartpole"
c.ClearSolutions.enabled = False
"""
FOLD = re.compile(r"<details\b.*?</details>", re.S)
HINT = re.compile(r"<details\b[^>]*>\s*<summary>Indice")
TO_UNFOLD = re.compile(r"(?:(?!\n\n)[^.!?])*\b(?:dépli|repli)(?:(?!\n\n)[^.!?])*[.!?]")
LINK = re.compile(r"!?\[([^]]*)\]\((?![a-z]+:|#)[^)]*\)")
BET = re.compile(r"^> \*\*À vous\.\*\*.*(?:\n>.*)*", re.M)
PATH = re.compile(r"(?<=[\"'])\.\./(?:(etudes|checkpoints)/|videos/)")
PATIENTS = 10  # à diagnostiquer, par groupe


# D'une cellule à celles de la copie


def copy_of(notebook: NotebookNode, number: str, group: int | None = None) -> NotebookNode:
    """La copie d'un carnet, sans sorties ni réponses : une cellule pour chaque pari, deux pour
    chaque exercice que `check` juge ; ses données restent à leur place."""
    cells = [new for cell in notebook.cells for new in _copied(cell, group)]
    bets = (cell for cell in cells if "pari" in cell.metadata.get("cartpole", {}))
    for rank, cell in enumerate(bets, start=1):
        cell.metadata.cartpole.pari = f"{number}-{rank}"
        cell.source = f'pari_{rank} = ""  # votre pari, en un mot ou un nombre'
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def _copied(cell: NotebookNode, group: int | None) -> Iterator[NotebookNode]:
    if cell.cell_type == "markdown":
        yield from _with_bets(_without_answers(cell.source))
    elif stubs(cell.source):
        yield from _exercise(cell.source)
    elif not _is_answer(cell.source):
        if group is not None and "MES_AVIS = {" in cell.source:
            yield new_markdown_cell(_patients(cell.source, group))
        yield new_code_cell(cell.source, metadata=cell.metadata)


def _without_answers(text: str) -> str:
    """Une prose sans réponses à déplier, ni liens vers ce que la copie n'emporte pas."""
    text = FOLD.sub(lambda fold: fold[0] if HINT.match(fold[0]) else "", text)
    text = LINK.sub(r"\1", TO_UNFOLD.sub("", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _with_bets(text: str) -> Iterator[NotebookNode]:
    """Une prose, coupée après chaque pari par la cellule où il s'écrit."""
    start = 0
    for bet in BET.finditer(text):
        yield new_markdown_cell(text[start : bet.end()].strip())
        yield new_code_cell(metadata={"cartpole": {"pari": ""}})
        start = bet.end()
    if rest := text[start:].strip():
        yield new_markdown_cell(rest)


def _is_answer(code: str) -> bool:
    """Dit si une cellule ne fait que montrer une réponse."""
    return bool(re.fullmatch(r"show\(.*\)|\w+\.reveal\(\)", code.strip()))


def _exercise(code: str) -> Iterator[NotebookNode]:
    """La cellule où l'on répond, puis celle, verrouillée, qui juge."""
    [stub] = stubs(code)
    later = [node for node in ast.parse(code).body if node.lineno > stub.end_lineno]
    cut = next(node.lineno for node in later if f"check({stub.name})" in ast.unparse(node)) - 1
    lines = code.splitlines()
    answer, verdict = ("\n".join(part).strip() for part in (lines[:cut], lines[cut:]))
    yield new_code_cell(answer, metadata={"nbgrader": _graded(stub.name, solution=True)})
    points = len(EXERCISES[stub.name].properties)
    graded = _graded(f"check-{stub.name}", grade=True, locked=True) | {"points": points}
    yield new_code_cell(verdict, metadata={"nbgrader": graded})


def _graded(name: str, grade: bool = False, solution: bool = False, locked: bool = False) -> dict:
    kind = {"grade": grade, "solution": solution, "locked": locked, "task": False}
    return {"grade_id": name, "schema_version": 3, **kind}


def _patients(code: str, group: int) -> str:
    """Les patients d'un groupe, tirés hors de ceux que la cellule donne en exemple."""
    examples = map(int, re.findall(r"^ +(\d+):", code, re.M))
    others = sorted({*Ward().numbers} - {*examples})
    drawn = sorted(random.Random(group).sample(others, PATIENTS))
    listed = ", ".join(map(str, drawn[:-1]))
    return typography(f"**Votre groupe diagnostique les patients {listed} et {drawn[-1]}.**")


# Le cours


def write(folder: Path, steps: list[Step], group: int | None = None) -> None:
    """Écrit un devoir par étape dans `folder`, puis laisse nbgrader en tirer ce qu'il distribue."""
    from nbgrader.apps import NbGraderAPI  # dont la composition d'un carnet se passe

    (folder / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    # nbgrader appelle le programme alembic, installé à côté de notre Python.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    config.CourseDirectory.root = str(folder)
    api = NbGraderAPI(config=config)
    for step in steps:
        _write_source(folder / "source" / step.stem, step, group)
        if not (result := api.generate_assignment(step.stem))["success"]:
            sys.exit(f"nbgrader refuse {step.stem} :\n{result['log']}")
        print(f"{step.stem} : prêt.", flush=True)
    noter.secured(folder)


def _write_source(folder: Path, step: Step, group: int | None) -> None:
    stored = nbformat.read(ROOT / "notebooks" / f"{step.stem}.ipynb", as_version=4)
    copied = compose(copy_of(stored, step.stem[:2], group), step.sections, step.exercises)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in {file for cell in code_cells(copied) for file in data_of(cell.source, ROOT)}:
        place = folder / file.relative_to(ROOT)
        place.parent.mkdir(exist_ok=True)
        shutil.copy(file, place)
    for cell in code_cells(copied):
        cell.source = PATH.sub(lambda found: f"{found[1]}/" if found[1] else "", cell.source)
    (folder / f"{step.stem}.ipynb").write_bytes(serialise(copied))


def course_folder(name: str) -> Path:
    """Le dossier où écrire : hors du cours, et vide ou déjà à nous ; sinon, dit pourquoi non."""
    folder = Path(name).expanduser().resolve()
    if folder.is_relative_to(ROOT):
        sys.exit(f"DOSSIER doit être hors du cours, qui est dans {ROOT} : {folder} reçu.")
    if folder.exists() and not folder.is_dir():
        sys.exit(f"DOSSIER doit être un dossier : {folder} est un fichier.")
    config = folder / "nbgrader_config.py"
    ours = config.is_file() and config.read_text("utf-8").startswith(MARK)
    if folder.exists() and any(folder.iterdir()) and not ours:
        sys.exit(f"DOSSIER doit être vide, ou fait par cette commande : {folder} ne l'est pas.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def steps_of(route: str | None, numbers: list[str]) -> list[Step]:
    """Les étapes d'un parcours, ou les carnets de ces numéros, entiers."""
    if route is not None:
        pages = {page.stem: sessions(page.read_text("utf-8")) for page in ROOT.glob("site/*.md")}
        known = [name for name, told in pages.items() if told]
        if route not in known:
            sys.exit(f"--parcours doit être parmi {', '.join(sorted(known))} : {route} reçu.")
        return [step for session in pages[route] for step in session.steps]
    stems = {path.stem[:2]: path.stem for path in sorted(ROOT.glob("notebooks/[0-9]*.ipynb"))}
    if unknown := [number for number in numbers if number not in stems]:
        sys.exit(f"--carnets doit être parmi {', '.join(stems)} : {unknown[0]} reçu.")
    return [Step(stems[number], (), (), (0, 0)) for number in dict.fromkeys(numbers)]


def main(arguments: list[str]) -> None:
    """Écrit le cours que demandent les arguments."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.format_help = lambda: USAGE
    parser.error = lambda _message: sys.exit(USAGE)
    parser.add_argument("dossier")
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--parcours")
    wanted.add_argument("--carnets", nargs="+", default=[])
    parser.add_argument("--graine", type=int)
    options = parser.parse_args(arguments)
    folder, steps = course_folder(options.dossier), steps_of(options.parcours, options.carnets)
    for step in steps:
        if any(folder.glob(f"submitted/*/{step.stem}")):
            sys.exit(f"Des copies de {step.stem} sont déjà rendues : prenez un autre DOSSIER.")
    write(folder, steps, options.graine)
    print(f"Le cours est dans {folder} : source/ est à vous, release/ est à distribuer.")


if __name__ == "__main__":
    main(sys.argv[1:])
