"""Ramasse et note les copies d'une classe, dans un dossier de cours de nbgrader (NOTER.md)."""

import glob
import logging
import sys
import warnings
from functools import partial
from pathlib import Path

import bac
import cadre
import carnet
import ramassage
import tableau
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader
from traitlets.log import get_logger

USAGE = "Tapez « classe ramasser DOSSIER COPIES », ou « classe noter DOSSIER »."
SETTINGS = "nbgrader_config.py"
OURS = "from cadre import configure"
CONFIGURED = f"""\
# nbgrader, son bouton « Autograde » compris, n'exécute pas les copies : le bac à sable les juge.
import sys
sys.path.append({str(bac.HERE)!r})
{OURS}
configure(get_config())
"""


def main(arguments: list[str]) -> int | str:
    """Exécute « ramasser DOSSIER COPIES » ou « noter DOSSIER » ; rend 0, ou la phrase d'échec."""
    match arguments:
        case ["ramasser", folder, copies]:
            act = partial(gather, copies=Path(copies))
        case ["noter", folder]:
            act = mark
        case _:
            return USAGE
    folder = Path(folder).resolve()
    if not (folder / "source").is_dir():
        return f"« {folder} » n'est pas un dossier de cours : il y manque « source »."
    if folder.is_relative_to(bac.ROOT):
        return "Le dossier du cours doit être hors du dépôt, que les copies peuvent lire."
    try:
        act(folder)
    except (bac.SandboxError, carnet.CopyError) as error:
        return f"{error}".rstrip(".") + "."
    return 0


def gather(folder: Path, copies: Path) -> None:
    """Range les copies, et dit ce qu'il en est de chacune."""
    settings(folder)
    print(*ramassage.gather(folder, copies), sep="\n")


def mark(folder: Path) -> None:
    """Note toutes les copies ramassées, puis écrit les notes et le tableau."""
    bac.available()
    if not (folder / "gradebook.db").exists():
        raise carnet.CopyError(f"« {folder} » n'a pas de gradebook.db : refaites ses devoirs")
    config, refused = settings(folder), {}
    get_logger().setLevel(logging.CRITICAL)  # ses phrases sont en anglais ; les nôtres disent tout
    copies = [one for name in ramassage.assignments(folder) for one in tableau.copies(folder, name)]
    for rank, (student, assignment) in enumerate(copies, 1):
        print(f"{rank} sur {len(copies)} : {student}, {assignment}", flush=True)
        try:
            carnet.read(folder / "submitted" / student / assignment / f"{assignment}.ipynb")
            graded(config, assignment, student)
        except (carnet.CopyError, NbGraderException) as error:
            refused[student, assignment] = explained(error, folder, assignment)
    rows = tableau.rows(folder, refused)
    tableau.write(folder, rows)
    print(*tableau.told(rows), sep="\n")


def explained(error: Exception, folder: Path, assignment: str) -> str:
    """Rend ce que l'on dit d'une copie que nbgrader n'a pas notée."""
    if isinstance(error, carnet.CopyError):
        return str(error)
    if not (folder / "release" / assignment / f"{assignment}.ipynb").exists():
        raise carnet.CopyError(f"« {assignment} » n'est pas dans « release » : préparez-le d'abord")
    return "carnet que nbgrader ne sait pas lire"


def graded(config: Config, assignment: str, student: str) -> None:
    """Fait noter une copie par nbgrader, et écrire sa page ; NbGraderException s'il ne peut pas."""
    for step in (Autograde, GenerateFeedback):
        course = CourseDirectory(config=config)
        course.assignment_id, course.student_id = assignment, glob.escape(student)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            step(coursedir=course, config=config).start()


def settings(folder: Path) -> Config:
    """Rend les réglages du cours, après y avoir écrit les nôtres s'ils n'y sont pas."""
    path = folder / SETTINGS
    text = path.read_text("utf-8") if path.exists() else "c = get_config()\n\n"
    if OURS not in text:
        path.write_text(f"{text}\n{CONFIGURED}", encoding="utf-8")
    config = PyFileConfigLoader(SETTINGS, path=str(folder)).load_config()
    cadre.configure(config)
    config.CourseDirectory.root = str(folder)
    config.Autograde.force = config.GenerateFeedback.force = True
    return config


if __name__ == "__main__":
    sys.exit(main(["noter", *sys.argv[1:]]))
