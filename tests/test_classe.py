"""Les parcours et les copies d'une classe : composer, distribuer, réunir les paris."""

import importlib.util
import re
from pathlib import Path

import copies
import nbformat
import paris
import pytest
from building.durations import minutes
from building.names import names_of, unbound
from building.record import code_cells
from building.routes import sessions
from building.slices import NEEDED, compose
from nbformat import v4

from cartpole_helpers.teaching.catalogue import EXERCISES

ROOT = Path(__file__).resolve().parents[1]
PAGES = {path.stem: path.read_text("utf-8") for path in sorted(ROOT.glob("site/*.md"))}
ROUTES = {name: sessions(text) for name, text in PAGES.items() if sessions(text)}
NOTEBOOKS = {path.stem: nbformat.read(path, 4) for path in sorted(ROOT.glob("notebooks/*.ipynb"))}
every_route = pytest.mark.parametrize("name", ROUTES)


def codes(notebook):
    return [cell.source for cell in code_cells(notebook)]


# Composer


def test_the_names_of_a_cell_are_read_in_order():
    for code, bound, read, called in [
        ("a = a + b", "a", "a b", ""),
        ("a = b\nc = a", "a c", "b", ""),
        ("a += 1", "a", "a", ""),
        ("a.append(b)\nc[0] = d.e", "a c", "a b c d", ""),
        ("def f(x):\n    return x + y + len(f.z)", "f", "", "y"),
        ("f = lambda x: x + y", "f", "", "y"),
        ("a = [x + b for x in c]", "a", "b c", ""),
        ("for i in a:\n    b = i\n    c = b", "i b c", "a", ""),
        ("import x.y as z, u.v\nz(u)", "z u", "", ""),
    ]:
        assert names_of(code) == ({*bound.split()}, {*read.split()}, {*called.split()}), code


LESSON = [
    "# 00 · Titre\n\nLa question.\n\n*Lecture : 5 minutes ; exécution : 1 s.*",
    "import a",
    "## 1. Un\n\nAvant.",
    "def f():\n    return K",
    "K = 1\nperdu = 0",
    "perdu = 1",
    "## 2. Deux",
    "b = f()",
    "Après.\n\n## 3. À vous\n\n**Exercice 1, à écrire (5 minutes).** Un.",
    "c = 1",
    "**Exercice 2, à écrire (5 minutes).** Deux.",
    "d = c + b",
    "## Testez-vous",
]


def lesson():
    make = {True: v4.new_code_cell, False: v4.new_markdown_cell}
    cells = [make[bool(re.match(r"\w+ = |import|def", text))](text) for text in LESSON]
    some = next(iter(NOTEBOOKS.values())).metadata
    return v4.new_notebook(cells=cells, metadata=some)


def test_chosen_parts_come_with_what_they_need_and_nothing_else():
    made = [cell.source for cell in compose(lesson(), [2]).cells]
    needed = [NEEDED, LESSON[3], "K = 1"]
    assert made == [
        "# 00 · Titre\n\nLa question.",
        "import a",
        *needed,
        "## 2. Deux",
        "b = f()",
        "Après.",
    ]
    made = [cell.source for cell in compose(lesson(), [], [2]).cells]
    assert made[2:] == [*needed, "b = f()", "## 3. À vous", NEEDED, "c = 1", *LESSON[10:12]]
    assert codes(compose(lesson())) == codes(lesson())
    with pytest.raises(ValueError, match=r"exercises doit ne nommer que \[1, 2\] : 3 reçu"):
        compose(lesson(), [1], [3])
    assert [*unbound(["def f():\n    return a + b", "c", "a = 1"])] == [(0, "b"), (1, "c")]


# Les parcours


@every_route
def test_each_step_exists_lasts_what_is_told_and_reads_no_unbound_name(name):
    told = re.findall(r"^\d+\. ", PAGES[name], re.M)
    assert len(told) == sum(len(session.steps) for session in ROUTES[name])
    for session in ROUTES[name]:
        assert session.minutes == sum(sum(step.minutes) for step in session.steps)
        for step in session.steps:
            made = compose(NOTEBOOKS[step.stem], step.sections, step.exercises)
            assert minutes(made) == step.minutes, step
            assert [*unbound(codes(made))] == [], step


@every_route
def test_a_route_takes_a_notebook_once_and_holds_in_its_time(name):
    stems = [step.stem for session in ROUTES[name] for step in session.steps]
    assert len(stems) == len({*stems})
    assert all(
        session.minutes <= (120 if name == "deux_heures" else 180) for session in ROUTES[name]
    )


def test_the_whole_course_leaves_nothing_out():
    assert [step.stem for one in ROUTES["cours_entier"] for step in one.steps] == [*NOTEBOOKS]


def test_a_step_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="une étape doit se lire"):
        sessions("## Une (5 min)\n\n1. [04](../notebooks/04_le_dqn.ipynb), section deux : rien.\n")


# Les copies


@pytest.fixture(scope="module")
def course(tmp_path_factory, require):
    """Un cours de deux devoirs, fait par la commande, et distribué par nbgrader."""
    require("nbgrader", importlib.util.find_spec("nbgrader"))
    folder = tmp_path_factory.mktemp("classe")
    copies.main([str(folder), "--carnets", "04", "11", "--graine", "3"])
    return folder


def given(course, name, kind="release"):
    return nbformat.read(course / kind / name / f"{name}.ipynb", as_version=4)


@pytest.mark.parametrize("stem", NOTEBOOKS)
def test_a_copy_asks_everything_and_answers_nothing(stem):
    made = copies.copy_of(NOTEBOOKS[stem], stem[:2])
    whole = "\n".join(cell.source for cell in NOTEBOOKS[stem].cells)
    text = "\n".join(cell.source for cell in made.cells)
    assert not re.search(
        r"^show\(|\.reveal\(|Solution<|réponses, expliquées|dépli|\]\(\.\./", text, re.M
    )
    assert text.count("<summary>Indice") == whole.count("<summary>Indice")
    assert text.count("**À vous.**") == len(re.findall(r'^pari_\d+ = ""', text, re.M))
    assert [*unbound(codes(made))] == []
    graded = [cell.metadata.nbgrader for cell in made.cells if "nbgrader" in cell.metadata]
    names = [one.grade_id for one in graded if one.solution]
    assert names == [
        name for name in re.findall(r"^(?:def|class) (\w+)", whole, re.M) if name in names
    ]
    assert [(one.grade_id, one.points) for one in graded if one.grade] == [
        (f"check-{name}", len(EXERCISES[name].properties)) for name in names
    ]


def test_every_exercise_is_in_one_copy():
    made = [copies.copy_of(notebook, stem[:2]) for stem, notebook in NOTEBOOKS.items()]
    graded = [cell.metadata.get("nbgrader", {}) for one in made for cell in one.cells]
    assert sorted(one.grade_id for one in graded if one.get("solution")) == sorted(EXERCISES)


def test_nbgrader_gives_what_was_written_stubs_included(course):
    for name in ("04_le_dqn", "11_la_clinique_du_dqn"):
        assert codes(given(course, name)) == codes(given(course, name, "source"))
    names = {file.name for file in (course / "release" / "11_la_clinique_du_dqn").rglob("*.csv")}
    assert names == {"clinique.csv"}
    assert 'load_study("etudes/clinique.csv")' in "\n".join(codes(given(course, name)))


def test_two_groups_have_their_own_patients():
    clinic, said = NOTEBOOKS["11_la_clinique_du_dqn"], []
    for group in (1, 2, 1):
        cells = copies.copy_of(clinic, "11", group).cells
        [told] = [cell.source for cell in cells if "Votre groupe" in cell.source]
        said.append({int(number) for number in re.findall(r"\d+", told)})
    assert said[0] == said[2] != said[1]
    assert all(len(numbers) == 10 and not numbers & {14, 16} for numbers in said)


def test_what_would_lose_something_is_refused(course, tmp_path):
    (tmp_path / "plein").mkdir()
    (tmp_path / "plein" / "note.txt").touch()
    for folder, told in {ROOT / "copies": "hors du cours", tmp_path / "plein": "vide"}.items():
        with pytest.raises(SystemExit, match=told):
            copies.main([str(folder), "--carnets", "04"])
    assert not (ROOT / "copies").exists()
    for options, told in {
        ("--carnets", "4"): "--carnets doit être parmi 00, 01",
        ("--parcours", "index"): "parmi cours_entier, deux_heures, six_heures : index",
        (): "usage",
    }.items():
        with pytest.raises(SystemExit, match=told):
            copies.main([str(tmp_path / "neuf"), *options])
    place = course / "submitted" / "ada" / "04_le_dqn"
    place.mkdir(parents=True)
    with pytest.raises(SystemExit, match="déjà rendues"):
        copies.main([str(course), "--carnets", "04"])


# Les paris


def test_a_bet_is_read_without_running_anything():
    for code, said in {
        'pari_1 = "Un  damier"  # votre pari': "Un damier",
        "pari_12 = 0,5  # votre pari": "0,5",
        "pari_1 = une ligne": "une ligne",
        'pari_1 = "non fermé': "non fermé",
        'pari_1 = ""  # votre pari': "",
        "exit()": "",
    }.items():
        assert paris.written(code) == said, code


def test_the_bets_of_a_room_make_one_page_without_names(course, capsys):
    bets = ["Une ligne", " une  LIGNE", "damier", ""]
    for student, bet in zip(("ada", "bob", "cléo", "dan"), bets, strict=True):
        notebook = given(course, "04_le_dqn")
        [cell] = [one for one in notebook.cells if paris.bet_of(one) == "04-1"]
        cell.source = cell.source.replace('""', f'"{bet}"')
        place = course / "submitted" / student / "04_le_dqn"
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, place / "04_le_dqn.ipynb")
    torn = course / "submitted" / "eve" / "04_le_dqn"
    torn.mkdir(parents=True)
    (torn / "04_le_dqn.ipynb").write_text("{")
    paris.main([str(course), "04_le_dqn"])
    assert "eve/04_le_dqn/04_le_dqn.ipynb est illisible" in capsys.readouterr().err
    page = (course / "paris" / "04_le_dqn.html").read_text("utf-8").replace("\xa0", " ")
    assert "3 paris pour 4 copies. Une ligne : 2, damier : 1." in page.replace("\u202f", " ")
    assert page.count("Personne n’a parié") == page.count("<h2>") - 1
    assert "ada" not in page
    with pytest.raises(SystemExit, match="DEVOIR doit être l'un de ceux"):
        paris.main([str(course), "05"])


def test_numbers_are_sorted_and_grouped_when_they_are_many():
    def told(answers):
        return " ".join(paris.histogram(answers, 40).alt.split())

    assert told(["10", "9,5", "10 %"]).endswith("9,5 : 1, 10 : 2.")
    assert "moyenne" in told([str(n) for n in range(40)])
    assert told([f"mot {n}" for n in range(40)]).endswith("autres : 29.")
