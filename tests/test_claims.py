"""Ce que le cours affirme : un nombre vient d'une mesure, une absence d'effet a sa limite."""

import ast
import inspect
import re
from pathlib import Path

import jupytext

from cartpole_helpers.display import figures

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "notebooks" / "sources").glob("*.py"))
NUMBER = re.compile(r"\d[\d ]*(?:,\d+)?")
NULL = re.compile(
    r"ne voyons (?:pas|aucun)|ne (?:se )?voit (?:pas|aucun)|chang\w+ (?:presque )?rien"
    r"|ser(?:t|vent) à rien|(?:sans|aucun) effet|(?:aucune|pas de) différence|nui(?:t|sent) pas"
    r"|rien,? (?:ici,? )?ne dit|ne s(?:ait|avons) pas si|(?:fait|gagn\w+|coût\w+) (?:presque )?rien"
    r"|\bautant qu[e']",
    re.IGNORECASE,
)
BOUND = re.compile(
    r"plus petit (?:effet|écart|gain)|quatre (?:fois|chances) sur cinq|marge|intervalle", re.I
)


# Les nombres qu'un titre peut porter sans les calculer : ceux du problème, ou d'un réglage montré.
SETTINGS = {"475", "500", "95", "100", "12", "20", "2", "10", "0,1", "1", "1,0", "4,5"} | {
    *("400", "20 000", "30 000", "65 536", "50", "1,25")
}
README_SETTINGS = {"2", "3", "11", "14", "00", "04", "06", "320"}  # le dernier : `bilan.headline`
# Des phrases relues : une devinette, une définition, un calcul, non une mesure qui n'a rien vu.
LOOKED_AT = (
    "on ne sait pas si l'on compare deux réglages ou deux tirages",
    "Les nuages comptent autant que les moyennes",
    "Vaut-il autant que vu de la case 4",
    "l'avenir lointain y pèse autant que l'instant",
    "Souvent, l'action ne change rien ; `toujours`",
    "l'angle pèse autant que les vitesses",
    "Partout où les deux actions se valent, on ne voit pas la différence",
    "L'agent ne voit pas le chronomètre",
    "Laquelle ne coûtera rien ?",
    "Partager en deux n'y change rien",
    "et ne changent rien d'autre",
    "le réseau ne voit pas l'âge de l'épisode",
    "revenez-y autant qu'il faut",
    "ne se voit pas tant que l'agent n'atteint pas la limite",
    "où l'action ne change rien.",
    "la troncature n'y change rien",
    "« Repartir » ne voit pas l'absence de masque",
    "avantage de graines n'y changeraient rien",
)


def cells(source, kind):
    """Le texte des cellules d'un genre, sur une ligne pour la prose."""
    notebook = jupytext.reads(source.read_text("utf-8"), fmt="py:percent")
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def titles(code):
    """Les morceaux écrits d'avance de chaque titre de figure que donne une cellule."""
    for call in ast.walk(ast.parse(code)):
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("figures."):
            for piece in ast.walk(title_of(call)):
                if isinstance(piece, ast.Constant) and isinstance(piece.value, str):
                    yield piece.value


def title_of(call):
    """L'argument `title` d'un appel, où qu'il soit ; une expression vide s'il n'y en a pas."""
    names = list(inspect.signature(getattr(figures, call.func.attr)).parameters)
    given = dict(zip(names, call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords}
    return given.get("title", ast.Constant(None))


def written_by_hand(titles):
    """Les nombres d'un titre que rien n'a calculés ; un format, « .0f », n'en est pas un."""
    return [
        number.strip()
        for title in titles
        if not re.fullmatch(r"[\w.,+%]{1,6}", title)
        for number in NUMBER.findall(title)
    ]


def nulls(paragraph):
    """Les mots par lesquels un paragraphe nie un effet, s'il n'en donne pas la limite."""
    return [] if BOUND.search(paragraph) else NULL.findall(paragraph)


def test_a_number_in_the_title_of_a_figure_is_computed_or_is_a_setting():
    typed = 'figures.points(nuages, f"{n} graines sur 20 : {x:.0f} et 43 % tiennent", ("a", "b"))'
    assert written_by_hand(titles(typed)) == ["20", "43"]
    for source in SOURCES:
        for code in cells(source, "code"):
            assert set(written_by_hand(titles(code))) <= SETTINGS, code


def test_what_is_said_to_have_no_effect_says_what_it_would_have_missed():
    assert nulls("Nous ne voyons pas que cela nuise.")
    assert not nulls("Nous ne voyons pas que cela nuise ; le plus petit effet visible : 17 pas.")
    said = [cell for source in SOURCES for cell in cells(source, "markdown")]
    paragraphs = [p for cell in said for p in re.split(r"\n\s*\n", cell)]
    found = [" ".join(paragraph.split()) for paragraph in paragraphs if nulls(paragraph)]
    assert [one for one in found if not any(seen in one for seen in LOOKED_AT)] == []
    prose = [" ".join(cell.split()) for cell in said]
    assert [seen for seen in LOOKED_AT if not any(seen in cell for cell in prose)] == []


def test_a_number_in_the_prose_of_the_readme_is_a_setting():
    """Les mesures sont dans ses tableaux, que `test_studies` compare aux archives."""
    text = (ROOT / "README.md").read_text("utf-8")
    text = re.sub(r"```.*?```|`[^`]*`|\]\([^)]*\)|\d+\. ", "", text, flags=re.S)
    prose = re.sub(r"^\|.*$", "", text, flags=re.M)
    assert {number.strip() for number in NUMBER.findall(prose)} <= README_SETTINGS
