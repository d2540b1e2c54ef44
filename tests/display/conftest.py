"""Ce que partagent les tests de l'affichage : de quoi interroger les modules de la page."""

import json
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from watched import PATIENCE, Turns

from cartpole_helpers import Training
from cartpole_helpers.display import explorer, panel
from cartpole_helpers.display.run import Run

HERE = Path(__file__).parent
PIPES = {"check": True, "stdout": subprocess.PIPE, "encoding": "utf-8"}


def asking(require, script):
    """Une fonction qui pose à `script` une question, la tâche et ce qu'elle demande."""
    program = shutil.which("node")
    require("node", program)

    def ask(task, **question):
        asked = json.dumps({"task": task, **question})
        command = [program, str(HERE / script)]
        return json.loads(subprocess.run(command, input=asked, text=True, **PIPES).stdout)

    return ask


@pytest.fixture(scope="session")
def node(require):
    """`node(tâche, ...)` interroge les modules de la page."""
    return asking(require, "physics.mjs")


@pytest.fixture(scope="session")
def engine(require):
    """`engine(tâche, ...)` interroge le DQN de la page, et son diagnostic."""
    return asking(require, "dqn.mjs")


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
def alive(escaped):
    """`alive(page)` rend cette page, que la fin du test arrête."""
    made = []

    def keep(page):
        made.append(page)
        return page

    yield keep
    for page in made:
        page.stop()


@pytest.fixture
def turns(monkeypatch, alive):
    """Les tours que le test permet un à un ; chacun donne aussitôt de ses nouvelles."""
    gate, bare = Turns(), Run.turns
    monkeypatch.setattr(Run, "turns", lambda run: gate.around(bare(run)))
    for module, name in (
        (panel, "LIVE_PERIOD"),
        (panel, "CURVES_PERIOD"),
        (explorer, "PERIOD"),
    ):
        monkeypatch.setattr(module, name, 0.0)
    yield gate
    gate.let(10_000)


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
