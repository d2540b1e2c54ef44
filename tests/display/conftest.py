"""Ce que partagent les tests de l'affichage : de quoi interroger les modules de la page."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from watched import PATIENCE

from cartpole_helpers import Training

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


@pytest.fixture
def escaped(monkeypatch):
    """Les erreurs qu'un fil laisse échapper ; aucun ne doit en laisser, ni durer."""
    found, before = [], {*threading.enumerate()}
    monkeypatch.setattr(threading, "excepthook", lambda given: found.append(given.exc_value))
    yield found
    for thread in {*threading.enumerate()} - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert found == []


@pytest.fixture
def broken(monkeypatch):
    """`broken(error)` : l'entraînement échoue au cinquième tour."""

    def install(error):
        advance = Training.advance

        def failing(training):
            if training.step == 4:
                raise error
            return advance(training)

        monkeypatch.setattr(Training, "advance", failing)

    return install
