"""Ce que l'on change à nbgrader : il n'exécute plus les copies, le bac à sable les juge.

Le reste est de lui : cellules verrouillées remises, notes dans gradebook.db, une page par élève.
juge.py dit aussi ce qui n'est pas empêché.
"""

import secrets
from html import escape
from pathlib import Path
from typing import ClassVar

import bac
import nbformat
import tableau
from jinja2 import FunctionLoader
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, upgrade
from nbgrader import server_extensions
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets.config import Config

from cartpole_helpers.display.typography import typography
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.checking import Report, Verdict

SEED = "graine.txt"
CHECK = tableau.CHECK
TOUCHES = "touche au juge : à relire"  # comme le dit juge.py ; ôte les points
BY_HAND = {"verdicts": [], "note": "à noter à la main", "remarks": []}
TEMPLATE = Path(server_extensions.__path__[0], "formgrader/templates/feedback/index.html.j2")
FRENCH = {
    "<html>": '<html lang="fr">',
    "Late submission penalty (Score: -": "Retard (points : −",
    "Student's answer": "Réponse de l’élève",
    "Grade cell: ": "Vérification : ",
    "Test cell": "{{ cell.metadata.nbgrader.grade_id | replace('check-', '') }}",
    "(Score: ": "(points : ",
    "Score: ": "points : ",
    "(Top)": "(haut de page)",
    "Comments:": "Remarques :",
    ">Comment<": ">Remarque<",
}


def configure(config: Config) -> None:
    """Remplace, dans les réglages de nbgrader, ce qui exécute une copie par ce qui la juge."""
    config.Autograde.sanitize_preprocessors = [
        Restore,
        ClearOutput,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
        CheckCellMetadata,
    ]
    config.Autograde.autograde_preprocessors = [
        Judge,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    config.GenerateFeedback.exporter_class = Page


def seed() -> int:
    """Rend la graine du cours, tirée la première fois : noter deux fois donne les mêmes notes."""
    path = Path(SEED)  # nbgrader travaille dans le dossier du cours
    if not path.exists():
        path.write_text(str(secrets.randbits(62)))
        path.chmod(0o600)
    return int(path.read_text())


# Ce que nbgrader exécute


class Restore(NbGraderPreprocessor):
    """Refait la copie : de l'élève, ses textes ; du devoir distribué, tout le reste.

    Une cellule du devoir y retrouve ce que nbgrader en sait, une cellule notée y revient toujours ;
    une autre n'est plus que du code, ou un texte où aucune balise ne vit.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Rend la copie refaite."""
        name = resources["nbgrader"]["assignment"]
        released = nbformat.read(f"release/{name}/{name}.ipynb", as_version=4)
        released = upgrade(released, released.nbformat, released.nbformat_minor)
        known = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
        texts = {cell.source for cell in released.cells}
        cells = [self._restored(cell, known, texts) for cell in nb.cells]
        cells += filter(is_locked_grade, known.values())  # celles que la copie n'avait plus
        return NotebookNode(released | {"cells": cells}), resources

    def _restored(self, cell: NotebookNode, known: dict, texts: set[str]) -> NotebookNode:
        ours = known.pop(grade_id(cell), None)
        if ours is not None:
            locked = ours.metadata.nbgrader.locked
            return NotebookNode(ours | {"source": ours.source if locked else cell.source})
        if cell.cell_type == "code":
            return new_code_cell(cell.source)
        safe = cell.source in texts
        return new_markdown_cell(cell.source if safe else cell.source.replace("<", "&lt;"))


class Judge(NbGraderPreprocessor):
    """Juge une copie dans le bac à sable, et écrit dans ses cellules verrouillées ce qu'il vaut."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Rend la copie, dont chaque cellule notée porte un compte rendu et un nombre de points."""
        checks = [cell for cell in nb.cells if is_locked_grade(cell)]
        names = [one for one in map(exercise_of, checks) if one in EXERCISES]
        cells = [
            (number, grade_id(cell), cell.source)
            for number, cell in enumerate(nb.cells, 1)
            if cell.cell_type == "code"
        ]
        told = bac.judged(cells, names, seed())
        for cell in checks:
            cell.outputs = outputs(exercise_of(cell), told, cell.metadata.nbgrader.points)
        return nb, resources


def grade_id(cell: NotebookNode) -> str:
    """Rend le nom d'une cellule pour nbgrader, s'il y en a un."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def is_locked_grade(cell: NotebookNode) -> bool:
    """Dit si une cellule est notée par ce qu'elle donne, et non à la main."""
    known = cell.metadata.get("nbgrader", {})
    return bool(known.get("grade") and not known.get("solution") and cell.cell_type == "code")


def exercise_of(cell: NotebookNode) -> str:
    """Rend l'exercice que juge une cellule verrouillée."""
    return grade_id(cell).removeprefix(CHECK)


def outputs(name: str, told: dict[str, dict], points: float) -> list[NotebookNode]:
    """Rend ce qu'affiche une cellule notée ; en dernier, le nombre de points, que lit nbgrader.

    Sans ce nombre, il les donnerait tous : une cellule que l'on ne sait pas juger en a zéro.
    """
    said = told.get(name, BY_HAND)
    report = Report(name, tuple(Verdict(*one) for one in said["verdicts"]), said["note"])
    remarks = [*dict.fromkeys(filter(None, [*said["remarks"], report.note]))]
    new = [one for one in remarks if one != report.note]
    passed = 0 if TOUCHES in remarks else scored(report, points)
    summary = {"passed": passed, "of": points, "mistake": mistake(report), "remarks": remarks}
    data = {
        "text/html": report._repr_html_() + "".join(map(paragraph, new)),
        "text/plain": "\n".join([repr(report), *map(typography, new)]),
        tableau.SUMMARY: summary,
    }
    result = new_output("execute_result", {"text/plain": f"{passed:g}"}, execution_count=1)
    return [new_output("display_data", data), result]


def scored(report: Report, points: float) -> float:
    """Rend les propriétés vraies ; toutes, seulement si rien d'autre n'est reproché."""
    passed = sum(one.passed is True for one in report.verdicts)
    return max(0, min(passed, points - (not report.passed)))


def mistake(report: Report) -> str:
    """Rend l'idée fausse, ou l'erreur connue, dont l'indice est celui du compte rendu."""
    known = EXERCISES[report.name].mistakes if report.name in EXERCISES else ()
    named = {one.hint: one.notion.name if one.notion else one.name for one in reversed(known)}
    hints = [one.hint for one in report.verdicts if not one.passed]
    return next((named[hint] for hint in hints if hint in named), "")


def paragraph(remark: str) -> str:
    """Rend une remarque en HTML."""
    return f'<p style="margin: 0"><b>{escape(typography(remark))}</b></p>'


class Page(HTMLExporter):
    """La page d'un élève : celle de nbgrader, dont les mots sont en français."""

    extra_loaders: ClassVar = [
        FunctionLoader(lambda name: french() if name == TEMPLATE.name else None)
    ]


def french() -> str:
    """Rend le modèle de nbgrader, traduit."""
    text = TEMPLATE.read_text("utf-8")
    for english, word in FRENCH.items():
        text = text.replace(english, word)
    return text
