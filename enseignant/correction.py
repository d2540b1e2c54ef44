"""Fait noter par nbgrader, une à une, les copies ramassées, et dit ce qu'il en est."""

import glob
import logging
import warnings
from pathlib import Path

import cadre
import carnet
import ramassage
import tableau
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader
from traitlets.log import get_logger

LOG = "nbgrader.log"


def mark(folder: Path, settings: str) -> None:
    """Note toutes les copies ramassées, puis écrit les notes et le tableau."""
    if not (folder / "gradebook.db").exists():
        raise carnet.CopyError(f"« {folder} » n'a pas de gradebook.db : refaites ses devoirs")
    config, refused = configured(folder, settings), {}
    silenced(folder / LOG)
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


def silenced(path: Path) -> None:
    """Tait nbgrader, dont les phrases sont en anglais ; ses erreurs, s'il y en a, vont à `path`."""
    log = get_logger()
    log.setLevel(logging.ERROR)
    log.handlers, log.propagate = [logging.FileHandler(path, "w", "utf-8", delay=True)], False


def explained(error: Exception, folder: Path, assignment: str) -> str:
    """Rend ce que l'on dit d'une copie que nbgrader n'a pas notée."""
    if isinstance(error, carnet.CopyError):
        return str(error)
    if not (folder / "release" / assignment / f"{assignment}.ipynb").exists():
        raise carnet.CopyError(f"« {assignment} » n'est pas encore distribué : faites-le d'abord")
    return f"carnet que nbgrader ne sait pas lire ({LOG} dit pourquoi)"


def graded(config: Config, assignment: str, student: str) -> None:
    """Fait noter une copie par nbgrader, et écrire sa page ; son erreur, s'il ne peut pas."""
    for step in (Autograde, GenerateFeedback):
        course = CourseDirectory(config=config)
        course.assignment_id, course.student_id = assignment, glob.escape(student)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            step(coursedir=course, config=config).start()


def configured(folder: Path, settings: str) -> Config:
    """Rend les réglages du cours, les nôtres l'emportant."""
    config = PyFileConfigLoader(settings, path=str(folder)).load_config()
    cadre.configure(config)
    config.CourseDirectory.root = str(folder)
    config.Autograde.force = config.GenerateFeedback.force = True
    return config
