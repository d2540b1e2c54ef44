"""Une copie du dépôt, des réglages neufs, un serveur et un navigateur pour tout le dossier."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pilot import ROOT, START, Launcher

NOT_COPIED = shutil.ignore_patterns(
    ".*", "__pycache__", "*.egg-info", "captures", "build", "construit"
)
PRIVATE = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)
SEAL = """
import lancer
lancer.copy_settings()
lancer.seal(lancer.READER).write_text(lancer.digest(lancer.READER))
"""
FLAGS = (
    "--no-sandbox",  # Chromium l'exige de root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    """Une copie du dépôt, car JupyterLab enregistre de lui-même ce qu'il ouvre."""
    copy = tmp_path_factory.mktemp("lecteur") / "série"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    borrow_environment(copy / ".venv")
    subprocess.run([sys.executable, "-c", SEAL], cwd=copy, check=True)
    return copy


def borrow_environment(venv):
    """Prête à la copie l'environnement des tests, mais non ses sceaux : elle n'y installe rien, et
    n'écrit que ses réglages, à elle."""
    venv.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name in ("etc", "share"):
            shutil.copytree(entry, venv / entry.name, symlinks=True)
        elif entry.suffix not in (".sceau", ".log"):
            (venv / entry.name).symlink_to(entry)


@pytest.fixture(scope="package")
def environment(tmp_path_factory):
    """Des réglages de Jupyter neufs, qui donnent prise au test sur la page."""
    home = tmp_path_factory.mktemp("jupyter")
    places = {name: str(home / name) for name in PRIVATE}
    config = home / "JUPYTER_CONFIG_DIR" / "jupyter_lab_config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    return dict(os.environ, **places)


@pytest.fixture(scope="package")
def launcher(folder, environment):
    """Le serveur, lancé comme le fait un lecteur."""
    launcher = Launcher(folder, environment)
    yield launcher
    launcher.interrupt()


@pytest.fixture(scope="package")
def browser(tmp_path_factory, require):
    """Chromium, celui du système : rien n'est téléchargé, rien ne sort de la machine."""
    chromium = shutil.which("chromium")
    require("chromium", chromium)
    require("playwright", importlib.util.find_spec("playwright"))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=chromium,
            args=FLAGS,
            viewport={"width": 1280, "height": 1000},
            locale="fr-FR",
        )
        context.set_default_timeout(START)
        yield context
        context.close()
