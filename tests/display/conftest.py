"""Ce que partagent les tests de l'affichage : de quoi interroger les modules de la page."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("physics.mjs")
PIPES = {"check": True, "stdout": subprocess.PIPE, "encoding": "utf-8"}


@pytest.fixture(scope="session")
def node(require):
    """`node(tâche, ...)` interroge les modules de la page."""
    program = shutil.which("node")
    require("node", program)

    def ask(task, **question):
        asked = json.dumps({"task": task, **question})
        command = [program, str(SCRIPT)]
        return json.loads(subprocess.run(command, input=asked, text=True, **PIPES).stdout)

    return ask
