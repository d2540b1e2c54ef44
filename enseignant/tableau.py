"""Ce que dit une classe notée : notes.csv, le tableau notes.html, une phrase par copie."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from glob import escape as escape_glob
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import carnet
import ramassage
from nbgrader.api import Gradebook, MissingEntry

from cartpole_helpers.display.typography import typography
from cartpole_helpers.teaching.catalogue import EXERCISES

SUMMARY = "application/vnd.cartpole.note+json"  # ce que le juge laisse dans une cellule notée
CHECK = "check-"
OFTEN = 3  # idées fausses que le tableau cite par exercice
COLUMNS = [
    "élève",
    "devoir",
    "exercice",
    "réussies",
    "sur",
    "note",
    "idée fausse nommée",
    "remarque",
]
BY_HAND = "note changée à la main"
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; background: #fff }
table { border-collapse: collapse } caption { text-align: left; margin-bottom: .5rem }
th, td { border: 1px solid #999; padding: .3rem .6rem; text-align: center; vertical-align: top }
th[scope=row] { text-align: left }
th[scope=row], tbody td { white-space: nowrap }
td.all { background: #d9ead3 } td.some { background: #fff2cc } td.none { background: #f4cccc }
tfoot td { text-align: left; font-size: .9rem; max-width: 22rem }
ul { max-width: 60rem }
"""


class Row(NamedTuple):
    """Un exercice d'une copie : ce qui en est vrai, sa note, et ce qu'on en dit."""

    student: str
    assignment: str
    exercise: str
    passed: float
    of: float
    mark: float
    mistake: str
    remark: str


def rows(folder: Path, refused: dict[tuple[str, str], str]) -> list[Row]:
    """Rend une ligne par élève et par exercice ; `refused` : les copies que rien n'a pu juger."""
    found = []
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for assignment in ramassage.assignments(folder):
            for one in copies(folder, assignment):
                if reason := refused.get(one):
                    found += missing(folder, *one, reason)
                else:
                    found += graded(folder, book, *one)
    return found


def copies(folder: Path, assignment: str) -> list[tuple[str, str]]:
    """Rend, dans l'ordre des noms, les élèves qui ont rendu un devoir, et ce devoir."""
    found = sorted(folder.glob(f"submitted/*/{escape_glob(assignment)}"))
    return [(path.parent.name, assignment) for path in found]


def missing(folder: Path, who: str, assignment: str, reason: str) -> Iterator[Row]:
    """Rend les lignes d'une copie que rien n'a pu juger : zéro partout."""
    for grade_id in carnet.read(folder / "source" / assignment / f"{assignment}.ipynb"):
        name = grade_id.removeprefix(CHECK)
        if grade_id.startswith(CHECK) and name in EXERCISES:
            yield Row(who, assignment, name, 0, len(EXERCISES[name].properties), 0, "", reason)


def graded(folder: Path, book: Gradebook, who: str, assignment: str) -> Iterator[Row]:
    """Rend les lignes d'une copie jugée, avec la note que nbgrader en retient."""
    path = folder / "autograded" / who / assignment / f"{assignment}.ipynb"
    for cell in json.loads(path.read_bytes())["cells"]:
        for output in cell.get("outputs", ()):
            if said := output.get("data", {}).get(SUMMARY):
                grade_id = cell["metadata"]["nbgrader"]["grade_id"]
                yield row(book, who, assignment, grade_id, said)


def row(book: Gradebook, who: str, assignment: str, grade_id: str, said: dict) -> Row:
    """Rend une ligne ; une note mise à la main l'emporte, et la remarque le dit."""
    remarks = [*said["remarks"]]
    try:
        by_hand = book.find_grade(grade_id, assignment, assignment, who).manual_score
    except MissingEntry:
        by_hand = None
    if by_hand is not None:
        remarks.append(BY_HAND)
    mark = said["passed"] if by_hand is None else by_hand
    name, told = grade_id.removeprefix(CHECK), " ; ".join(remarks)
    return Row(who, assignment, name, said["passed"], said["of"], mark, said["mistake"], told)


def told(rows: Iterable[Row]) -> Iterator[str]:
    """Donne une phrase par copie : ses points, puis ce qui est à voir."""
    for (who, assignment), own in grouped(rows).items():
        marks, of = sum(one.mark for one in own), sum(one.of for one in own)
        remarks = [f"{one.exercise} : {one.remark}" for one in own if one.remark]
        seen = {one.remark for one in own}
        if len(seen) == 1 and len(own) > 1:  # la même partout : c'est la copie qui est en cause
            remarks = [*filter(None, seen)]
        line = f"{who}, {assignment} : {marks:g} sur {of:g}"
        yield typography(f"{line} ({' ; '.join(remarks)})." if remarks else f"{line}.")


def grouped(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rend les lignes de chaque copie."""
    found: dict[tuple[str, str], list[Row]] = {}
    for one in rows:
        found.setdefault((one.student, one.assignment), []).append(one)
    return found


# Les fichiers


def write(folder: Path, rows: list[Row]) -> None:
    """Écrit notes.csv et notes.html dans le dossier du cours."""
    # Un tableur français attend le point-virgule, et la marque qui annonce de l'UTF-8.
    with (folder / "notes.csv").open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, delimiter=";")
        lines.writerow(COLUMNS)
        for one in rows:
            numbers = [f"{number:g}".replace(".", ",") for number in one[3:6]]
            lines.writerow([*one[:3], *numbers, *one[6:]])
    (folder / "notes.html").write_text(page(folder, rows), encoding="utf-8")


def page(folder: Path, rows: list[Row]) -> str:
    """Rend la page de la classe : un tableau par devoir, puis les copies à voir."""
    names = dict.fromkeys(one.assignment for one in rows)
    tables = [
        table(folder, name, [one for one in rows if one.assignment == name]) for name in names
    ]
    notable = {(one.student, one.assignment) for one in rows if one.remark}
    lines = told(one for one in rows if (one.student, one.assignment) in notable)
    seen = "".join(f"<li>{escape(line)}</li>" for line in lines)
    listed = f"<h2>À voir</h2><ul>{seen}</ul>" if seen else ""
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>Notes</title>'
        f"<style>{STYLE}</style></head><body><h1>Notes</h1>{''.join(tables)}{listed}</body></html>"
    )


def table(folder: Path, assignment: str, rows: list[Row]) -> str:
    """Rend le tableau d'un devoir : des élèves, des exercices, et ce qu'il y a à reprendre."""
    names = [*dict.fromkeys(one.exercise for one in rows)]
    heads = "".join(f'<th scope="col"><code>{escape(name)}</code></th>' for name in names)
    lines = [line(folder, own, names) for own in grouped(rows).values()]
    again = [resumed([one for one in rows if one.exercise == name]) for name in names]
    foot = f'<th scope="row">À reprendre</th>{"".join(again)}<td></td>'
    caption = "Propriétés vraies, sur celles que l'exercice demande."
    return (
        f"<h2>{escape(assignment)}</h2><table><caption>{typography(caption)}</caption>"
        f'<thead><tr><th scope="col">Élève</th>{heads}<th scope="col">Total</th></tr></thead>'
        f"<tbody>{''.join(lines)}</tbody><tfoot><tr>{foot}</tr></tfoot></table>"
    )


def line(folder: Path, own: list[Row], names: list[str]) -> str:
    """Rend la ligne d'un élève, son nom menant à sa page, s'il en a une."""
    who, assignment = own[0].student, own[0].assignment
    by_name = {one.exercise: one for one in own}
    cells = "".join(cell(by_name.get(name)) for name in names)
    marks, of = sum(one.mark for one in own), sum(one.of for one in own)
    path, name = f"feedback/{who}/{assignment}/{assignment}.html", escape(who)
    linked = f'<a href="{quote(path)}">{name}</a>' if (folder / path).exists() else name
    return f'<tr><th scope="row">{linked}</th>{cells}<td>{marks:g} / {of:g}</td></tr>'


def cell(one: Row | None) -> str:
    """Rend la case d'un exercice ; sa couleur redit le nombre."""
    if one is None:
        return "<td></td>"
    kind = "all" if one.mark >= one.of else "some" if one.mark else "none"
    star = f' <abbr title="{escape(one.remark)}">*</abbr>' if one.remark else ""
    return f'<td class="{kind}">{one.mark:g} / {one.of:g}{star}</td>'


def resumed(rows: list[Row]) -> str:
    """Rend ce qu'un exercice laisse à reprendre en classe."""
    whole = sum(one.mark >= one.of for one in rows)
    often = Counter(one.mistake for one in rows if one.mistake).most_common(OFTEN)
    ideas = "".join(f"<br>{escape(idea)} ({times} fois)" for idea, times in often)
    return f"<td>{whole} sur {len(rows)} en entier{typography(ideas)}</td>"
