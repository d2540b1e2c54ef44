"""Ramasser et noter : des copies justes, fausses ou hostiles, dans un vrai cours de nbgrader."""

import csv
import os
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cartpole_helpers.teaching.catalogue import EXERCISES

if not os.environ.get("CI"):  # où il est installé : son absence y serait un échec
    pytest.importorskip("nbgrader", reason="nbgrader n'est pas installé")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="le bac à sable demande Linux"),
    pytest.mark.filterwarnings("ignore"),  # nbgrader en donne
]
NAME = "devoir_04"
NAMES = ("td_target", "td_loss", "epsilon_greedy")
RIGHT = {
    "td_target": """
from cartpole_helpers import version1  # charger un module du paquet n'est pas y toucher
def td_target(reward, terminated, next_q, gamma):
    return reward + discounted(next_q, gamma) * ~terminated
[*iter(int, 1)]  # une expression nue, sans fin : sans effet
""",
    "td_loss": """
import matplotlib.pyplot  # qui lance un programme, et écrit un fichier
optimizer = torch.optim.SGD([torch.zeros(1)])  # dont PyTorch profite pour changer un de ses noms
def td_loss(q, action, target):
    value = q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    return (value - target.detach()).square().mean(dim=-1)
""",
    "epsilon_greedy": """
def epsilon_greedy(q, epsilon, draws):
    explore, choice = draws.unbind(-1)
    return torch.where(explore < epsilon, (choice * q.shape[-1]).long(), q.argmax(dim=-1))
""",
}
HELPER = """
facteurs = []
facteurs.append(1)
def discounted(next_q, gamma):
    return facteurs[0] * gamma * next_q.max(dim=-1).values
"""
IMPORTS = """
import torch
from cartpole_helpers import epsilon_greedy  # ce n'est pas la réponse de la copie
from cartpole_helpers.teaching.exercises import check
%matplotlib inline
"""
BROKEN = ("while True: pass", "un texte, (et non du code", "return")  # ailleurs : sans effet


def metadata(grade_id, points=None):
    """Les métadonnées d'une cellule de réponse, ou de celle qui la note."""
    known = {"grade": bool(points), "solution": not points, "locked": bool(points), "task": False}
    given = {"points": points} if points else {}
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, **known, **given}}


def assignment():
    cells = [new_markdown_cell("# Devoir"), new_code_cell(IMPORTS)]
    for name in NAMES:
        points = len(EXERCISES[name].properties)
        cells.append(new_code_cell(f"def {name}():\n    ...", metadata=metadata(name)))
        checked = metadata(f"check-{name}", points)
        cells.append(new_code_cell(f"check({name})", metadata=checked))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def copy_with(answers, *others):
    """Une copie : ses réponses, puis d'autres cellules."""
    copy = assignment()
    for cell in copy.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    copy.cells += map(new_code_cell, others)
    return copy


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else nbformat.writes(content).encode())
    return path


@pytest.fixture
def course(tmp_path):
    """Le dossier d'un cours, dont le devoir n'est pas encore distribué."""
    folder = tmp_path / "cours"
    put(folder, f"source/{NAME}/{NAME}.ipynb", assignment())
    return folder


@pytest.fixture
def released(course, monkeypatch):
    """Le même, une fois distribué par nbgrader."""
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    # nbgrader appelle un programme qui est à côté de Python.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    config = Config()
    config.CourseDirectory.root = str(course)
    directory = CourseDirectory(config=config)
    directory.assignment_id = NAME
    GenerateAssignment(coursedir=directory, config=config).start()
    return course


@pytest.fixture
def noter(monkeypatch):
    """Le module de l'enseignant."""
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[1] / "enseignant")
    import noter

    return noter


@pytest.fixture
def sandbox(noter, require):
    """Le bac à sable, qui demande bubblewrap."""
    require("bubblewrap", shutil.which("bwrap"))
    import bac

    bac.available()
    return bac


# Ramasser


def collected(folder):
    return {path.parent.parent.name for path in folder.glob(f"submitted/*/{NAME}/{NAME}.ipynb")}


def test_each_copy_is_put_under_its_author(noter, course, tmp_path, capsys):
    copies, whole = tmp_path / "copies", assignment()
    put(copies, "Élodie Dupré_12345_assignsubmission_file_/04 copie.ipynb", whole)
    put(copies, "Jean Le Gall_7_assignsubmission_file_devoir.ipynb", whole)
    put(copies, "Zoé  N'Diaye.ipynb", whole)
    put(copies, "Binaire.ipynb", os.urandom(500))
    put(copies, "Bombe.ipynb", b"[" * 500_000 + b"]" * 500_000)
    put(copies, "Ailleurs.ipynb", new_notebook(cells=[new_code_cell("1")]))
    put(copies, "Texte.docx", b"PK")
    put(copies, ".DS_Store", b"")
    (copies / "Lien.ipynb").symlink_to("/etc/passwd")
    assert noter.main(["ramasser", str(course), str(copies)]) == 0
    assert collected(course) == {"Élodie_Dupré_12345", "Jean_Le_Gall_7", "Zoé_N_Diaye"}
    told = capsys.readouterr().out
    for line in (
        "Binaire.ipynb : pas un carnet",
        "Bombe.ipynb : pas un carnet",
        "Texte.docx : pas",
    ):
        assert f"✘ {line}" in told
    assert "Lien.ipynb : un lien" in told
    assert "Ailleurs.ipynb : aucune cellule d'un devoir" in told
    assert "DS_Store" not in told


def test_the_newest_copy_wins_and_the_other_is_kept(noter, course, tmp_path):
    copies = tmp_path / "copies"
    old, new = copy_with({"td_loss": "# avant"}), copy_with({"td_loss": "# après"})
    os.utime(put(copies, "Ana (1).ipynb", new), (2_000_000_000, 2_000_000_000))
    os.utime(put(copies, "Ana.ipynb", old), (1_000_000_000, 1_000_000_000))
    for _ in range(2):  # ramasser de nouveau ne change rien
        assert noter.main(["ramasser", str(course), str(copies)]) == 0
        kept = course / "submitted" / "Ana" / NAME / f"{NAME}.ipynb"
        assert "# après" in kept.read_text("utf-8")
        [aside] = (course / "remplacees" / "Ana" / NAME).iterdir()
        assert "# avant" in aside.read_text("utf-8")


def test_an_archive_is_read_and_never_leaves_its_place(noter, course, tmp_path, capsys):
    text = nbformat.writes(assignment())
    with zipfile.ZipFile(tmp_path / "copies.zip", "w") as archive:
        archive.writestr("classe/Dupré Élodie.ipynb", text)
        archive.writestr("classe/Le Gall.ipynb", text)
        archive.writestr("../../dehors.ipynb", text)
        archive.writestr("/tmp/dehors.ipynb", text)
    assert noter.main(["ramasser", str(course), str(tmp_path / "copies.zip")]) == 0
    assert collected(course) <= {"classe", "Dupré_Élodie", "Le_Gall"}
    assert capsys.readouterr().out.count("son chemin sort de l'archive") == 2
    assert not [*tmp_path.rglob("dehors*")]


# Juger

HOSTILE = {  # ce que fait la cellule d'un exercice, et ce qu'on en dit
    "fin": ("x = sum(iter(int, 1))", "boucle sans fin"),  # en C, que Python n'interrompt pas
    "jouer": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "boucle sans fin",
    ),
    "cran": ("import os\nwhile True:\n    os.fork()", "fourche"),
    "epsilon": (
        "import os\nwhile True:\n    for n in range(3, 9):\n"
        "        try: os.write(n, b'x' * 10**6)\n        except OSError: pass",
        "écrit sans fin",
    ),
    "evaluer": ("x = b'x' * 10**11", "mémoire"),
    "cout_d_une_graine": (
        "import mmap\ndef cout_d_une_graine(*_): return mmap.mmap(-1, 4 * 2**30)",
        "[Errno 12]",
    ),
    "normaliser": ("import os\nx = os._exit(0)", "quitte Python"),
    "meilleur_attendu": ("x = open('/bac/x', 'w')", "ouvre des fichiers"),
    "calendrier": ("x = open({secret!r}, 'w')", "ouvre des fichiers"),
    "rapprocher": ("def rapprocher(:", "erreur de syntaxe (cellule 10, ligne 2)"),
    "gamma_apparent": ("from math import *\nf = open('/proc/1/fd/1', 'wb')", "ouvre des fichiers"),
    "part_reussie": ("import os\nos_ = os.kill(os.getppid(), 9)", "touche au juge"),
    "tirer_log": (
        "import cartpole_helpers.teaching.exercises as e\ne.check = id",
        "touche au juge",
    ),
    "actions_prolongees": ("from cartpole_helpers.teaching import catalogue", "touche au juge"),
    "double_td_target": ("from cartpole_helpers import double_td_target", "celle du paquet"),
}
PATCH = """
def td_loss(q, action, target):
    import numpy
    vars(numpy)["allclose"] = lambda *_, **__: True
    return target.mean(dim=-1)
"""


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "notes de l'enseignant"
    path.write_text("20/20")
    return path


def test_nothing_escapes_and_the_others_are_judged(sandbox, secret):
    cells = [
        (rank, name, f"def {name}(): return 0\n{code.format(secret=str(secret))}")
        for rank, (name, (code, _)) in enumerate(HOSTILE.items(), 1)
    ]
    cells += [(20, "", IMPORTS), (21, "td_target", RIGHT["td_target"]), (22, "", HELPER)]
    cells += [(23, "td_loss", PATCH)]
    told = sandbox.judged(cells, [*HOSTILE, "td_target", "td_loss"], seed=0, seconds=2)
    assert {
        name: told[name] for name, (_, one) in HOSTILE.items() if one not in str(told[name])
    } == {}
    assert not any(verdict[1] for name in HOSTILE for verdict in told[name]["verdicts"])
    assert all(verdict[1] for verdict in told["td_target"]["verdicts"])
    assert told["td_target"]["remarks"] == []
    assert told["td_loss"]["remarks"] == ["touche au juge : à relire"]
    assert secret.read_text() == "20/20"


# Noter


def marks(folder):
    with (folder / "notes.csv").open(encoding="utf-8-sig") as file:
        rows = [*csv.DictReader(file, delimiter=";")]
    return {(row["élève"], row["exercice"]): row for row in rows}


def graded(noter, folder, capsys):
    """Les notes, et ce qui s'est dit."""
    assert noter.main(["noter", str(folder)]) == 0
    return marks(folder), capsys.readouterr().out


def test_a_class_is_graded_twice_the_same(noter, sandbox, released, capsys):
    mistake = EXERCISES["td_loss"].mistakes[0]
    [(old, new)] = mistake.changes
    wrong = RIGHT | {"td_loss": RIGHT["td_loss"].replace(old, new)}
    wrong["td_target"] = "def td_target(reward, terminated, next_q, gamma):\n    ..."
    for who, copy in {
        "Élodie Dupré": copy_with(RIGHT, HELPER, *BROKEN),
        "Faux": copy_with(wrong),
        "Triche": cheating(),
        "Illisible": b"[" * 500_000,
    }.items():
        put(released, f"submitted/{who}/{NAME}/{NAME}.ipynb", copy)
    found, told = graded(noter, released, capsys)
    points = {name: str(len(EXERCISES[name].properties)) for name in NAMES}
    assert {name: found["Élodie Dupré", name]["note"] for name in NAMES} == points
    assert not any(found["Élodie Dupré", name]["remarque"] for name in NAMES)
    assert found["Faux", "td_loss"]["idée fausse nommée"] == mistake.notion.name
    assert found["Faux", "td_target"]["note"] == "0"
    assert found["Faux", "td_target"]["remarque"] == "pas encore écrit"
    assert 0 < int(found["Faux", "td_loss"]["note"]) < int(points["td_loss"])
    assert {name: found["Triche", name]["note"] for name in NAMES} == dict.fromkeys(NAMES, "0")
    assert "touche au juge : à relire" in found["Triche", "td_target"]["remarque"]
    assert found["Triche", "epsilon_greedy"]["remarque"] == "cellule absente"
    assert found["Illisible", "td_loss"]["remarque"] == "pas un carnet"
    assert "Illisible, devoir_04\u00a0: 0 sur 11 (pas un carnet)." in told
    page = (released / "feedback" / "Triche" / NAME / f"{NAME}.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "Vérification" in page

    shutil.rmtree(released / "submitted" / "Triche")
    by_hand(released, "Faux", "check-td_target", 4)
    again, _ = graded(noter, released, capsys)
    changed = again.pop(("Faux", "td_target"))
    assert changed["note"] == "4"
    assert changed["remarque"] == "pas encore écrit ; note changée à la main"
    assert again == {key: row for key, row in found.items() if key in again}


def cheating():
    """Une copie qui refait sa vérification, ses points et sa version, et vise l'enseignant."""
    copy = copy_with({"td_target": "def check(_): return True\ndef td_target(): return check(1)"})
    for cell in copy.cells:
        known = cell.metadata.get("nbgrader", {})
        if "points" in known:
            cell.source, known["points"], known["schema_version"] = "20", 20, 1
        if known.get("grade_id") == "td_loss":
            known.update(grade=True, points=50)
    copy.cells = [
        cell
        for cell in copy.cells
        if "epsilon_greedy" not in cell.metadata.get("nbgrader", {}).get("grade_id", "")
    ]
    copy.cells.append(new_markdown_cell("<script>alert(1)</script>"))
    return copy


def by_hand(folder, student, grade_id, score):
    """Change une note comme le fait la page de nbgrader."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        book.find_grade(grade_id, NAME, NAME, student).manual_score = score
        book.db.commit()


def test_without_bubblewrap_nothing_is_run(noter, course, monkeypatch):
    put(course, f"submitted/Ana/{NAME}/{NAME}.ipynb", assignment())
    monkeypatch.setenv("PATH", "")
    assert "sudo apt install bubblewrap" in noter.main(["noter", str(course)])
    assert not (course / "autograded").exists()
