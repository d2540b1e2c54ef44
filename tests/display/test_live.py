"""Le suivi d'un long calcul : il ne change rien au calcul, s'arrête quand on veut, ne perd rien."""

import asyncio
import base64
import hashlib
import os
import re
import signal
import threading
import time
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from building.kernel import strict_environment
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from cartpole_helpers import Config, Training, td_target, train
from cartpole_helpers.display.live import follow
from cartpole_helpers.training import Step

SMALL = Config(
    total_steps=240, carts=4, hidden=(8,), batch_size=16, warmup=32, capacity=100, epsilon_steps=200
)
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(autouse=True)
def handler():
    """Le gestionnaire d'avant : un signal qu'il reçoit est un signal que `follow` a manqué."""

    def missed(number, frame):
        pytest.fail("le signal n'a pas été pris")

    before = signal.signal(signal.SIGINT, missed)
    yield missed
    after = signal.signal(signal.SIGINT, before)
    assert after is missed


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    """Ce qui s'affiche sous la cellule : les places, dans l'ordre, et leur dernier contenu."""
    publisher = CapturingDisplayPublisher()
    monkeypatch.setattr(InteractiveShell.instance(), "display_pub", publisher)

    def places():
        found = {}
        for output in publisher.outputs:
            place = output["transient"]["display_id"]
            assert output["update"] == (place in found)
            found[place] = output["data"]
        return [*found.values()]

    return places


def sentence(shown):
    """La phrase qui reste quand tout est fini, seule."""
    [data] = shown()
    assert set(data) == {"text/plain"}
    return re.sub("[\u00a0\u202f]", " ", data["text/plain"])


def counted(count, each=10):
    """Des tours de `each` pas, sans calcul."""
    return (SimpleNamespace(env_steps=each * turn) for turn in range(1, count + 1))


def assert_same_steps(received, expected):
    for got, want in zip(received, expected, strict=True):
        for name, mine, other in zip(Step._fields, got, want, strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=name)


def interrupt():
    signal.raise_signal(signal.SIGINT)


# Une boucle suivie est la boucle nue


def test_a_followed_training_is_the_same_training_even_in_two_parts(shown):
    training = Training(SMALL, [3, 5])
    received = [*follow(training.run(), 80), *follow(training.run(), SMALL.total_steps)]
    assert_same_steps(received, list(train(SMALL, [3, 5])))
    ends = [re.sub("[\u00a0\u202f]", " ", data["text/plain"]) for data in shown()]
    assert ends == [f"Entraînement : fini après {steps} pas." for steps in (80, 240)]


@pytest.mark.parametrize(
    ("count", "total", "turns", "told"),
    [
        (9, 41, 5, "fini après 41 pas."),
        (900, 1_500, 150, "fini après 1 500 pas."),
        (0, 40, 0, "fini après 0 pas."),
    ],
)
def test_it_stops_at_the_total_or_with_the_steps(count, total, turns, told, shown):
    steps = counted(count)
    followed = follow(steps, total, "Essai")
    assert shown() == []  # rien n'est calculé avant d'être demandé
    assert len(list(followed)) == turns
    assert len(list(steps)) == count - turns  # aucun tour de plus n'est demandé
    assert sentence(shown) == f"Essai : {told}"


def test_while_it_runs_a_bar_is_shown_then_a_sentence(shown):
    for step in follow(counted(3), 30):
        [data] = shown()
        assert WIDGET in data
        if step.env_steps == 30:  # l'arrêt du dernier tour ne change rien
            interrupt()
    assert sentence(shown) == "Entraînement : fini après 30 pas."


# L'arrêt


def test_an_interruption_inside_a_turn_lets_it_finish(shown):
    learnt, updates = [], []

    def rule(*arguments):
        updates.append(len(learnt))
        if len(updates) == 3:
            interrupt()
        return td_target(*arguments)

    training = Training(SMALL, 3, td_target=rule)
    for step in follow(training.run(), SMALL.total_steps):
        learnt.append(step)
    assert len(updates) == 3
    assert updates[-1] == len(learnt) - 1  # le tour interrompu est rendu, et c'est le dernier
    steps = len(learnt) * SMALL.carts
    assert training.env_steps == steps
    assert sentence(shown) == (
        f"Entraînement : interrompu après {steps} pas ; ce qui est appris est gardé."
    )
    assert_same_steps(learnt + list(training.run()), list(train(SMALL, 3)))


def test_a_second_interruption_stops_everything(handler, shown):
    passed = []

    def press_twice():
        for step in follow(counted(9), 90):
            passed.append(step.env_steps)
            interrupt()
            passed.append("une fois")
            interrupt()
            passed.append("deux fois")

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert passed == [10, "une fois"]
    assert signal.getsignal(signal.SIGINT) is handler
    assert sentence(shown) == (
        "Entraînement : boucle quittée après 10 pas ; ce qui est appris est gardé."
    )


def test_leaving_otherwise_gives_the_signal_back_and_says_so(handler, shown):
    def failing_turns():
        yield from counted(1)
        raise ZeroDivisionError

    for _ in follow(counted(9), 90):
        assert signal.getsignal(signal.SIGINT) is not handler
        break
    assert signal.getsignal(signal.SIGINT) is handler
    with pytest.raises(ZeroDivisionError):
        list(follow(failing_turns(), 90))
    assert signal.getsignal(signal.SIGINT) is handler
    left = "Entraînement : boucle quittée après 10 pas ; ce qui est appris est gardé."
    assert [re.sub("[\u00a0\u202f]", " ", data["text/plain"]) for data in shown()] == [left] * 2


def test_outside_the_main_thread_it_works_without_the_stop_button(handler, shown):
    received, handlers = [], set()

    def work():
        for step in follow(train(SMALL, 3), SMALL.total_steps):
            handlers.add(signal.getsignal(signal.SIGINT))
            received.append(step)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert_same_steps(received, list(train(SMALL, 3)))
    assert handlers == {handler}
    assert sentence(shown) == "Entraînement : fini après 240 pas."


def test_bad_arguments_are_refused_before_anything(shown):
    steps = counted(3)
    for arguments, told in (
        ((steps, 0), "total doit être un entier"),
        ((steps, 40, 3), "label doit être un texte : 3 reçu"),
        ((3, 40), "steps doit être une suite de tours, que rend `train` : 3 reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{told}"):
            next(follow(*arguments))
    assert len(list(steps)) == 3
    assert shown() == []
    with pytest.raises(TypeError, match=r"^steps doit rendre des tours, qui ont `env_steps` : 7"):
        next(follow([7], 40))


# Dans un vrai noyau


class Kernel:
    """Un carnet et son noyau, exigeant comme celui qui construit les carnets du cours."""

    def __init__(self, client):
        self.client = client

    def run(self, code):
        """Exécute une cellule et rend ses sorties enregistrées."""
        cells = self.client.nb.cells
        cells.append(nbformat.v4.new_code_cell(code))
        return self.client.execute_cell(cells[-1], len(cells) - 1).outputs

    def run_and_interrupt(self, code, ready):
        """La même chose, mais on appuie sur le bouton d'arrêt quand `ready` apparaît."""
        button = threading.Thread(target=self._press, args=(ready,))
        button.start()
        outputs = self.run(code)
        button.join()
        return outputs

    def _press(self, ready):
        for _ in range(15_000):
            if ready.exists():
                asyncio.run(self.client.km.interrupt_kernel())
                return
            time.sleep(0.02)


BEGINNING = """
import hashlib
from pathlib import Path
import numpy as np
from cartpole_helpers import Config, Training
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import Screen, follow
config = Config(total_steps=240, carts=4, hidden=(8,), batch_size=16, warmup=32, capacity=100)
"""
FOLLOWED = """
training, screen = Training(config, range(3)), Screen()
for step in follow(training.run(), config.total_steps):
    if step.env_steps % 80 == 0:
        seen = np.arange(step.env_steps // 80)
        last = figures.learning_curves(seen, 9.0 + seen + np.zeros((3, 1)), f"{len(seen)} points")
        screen.show(last)
"""
ENDLESS = """
from dataclasses import replace
training = Training(replace(config, total_steps=10**7), 0)
begun = ended = 0
for step in follow(training.run(), 10**7):
    begun += 1
    if step.env_steps == 400:
        Path({ready!r}).touch()
    ended += 1
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("carnet"))
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=300,
        startup_timeout=300,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": folder}},
    )
    with strict_environment() as strict, client.setup_kernel(env=os.environ | strict):
        made = Kernel(client)
        assert made.run(BEGINNING) == []
        yield made


def said(kernel, expression):
    [output] = kernel.run(expression)
    return output.data["text/plain"]


def test_a_notebook_keeps_the_sentence_and_the_last_image_alone(kernel):
    bar, picture = kernel.run(FOLLOWED)
    assert bar.output_type == picture.output_type == "display_data"
    assert bar.data == {"text/plain": "Entraînement\u00a0: fini après 240 pas."}
    assert set(picture.data) == {"image/png", "text/plain"}
    assert picture.data["text/plain"].startswith("3 points")
    assert picture.metadata["image/png"]["alt"] == picture.data["text/plain"]
    content = base64.b64decode(picture.data["image/png"])
    assert said(kernel, "hashlib.sha256(last.png()).hexdigest()") == repr(
        hashlib.sha256(content).hexdigest()
    )


def test_the_stop_button_ends_the_cell_without_an_error_and_keeps_the_agent(kernel, tmp_path):
    ready = tmp_path / "en marche"
    [output] = kernel.run_and_interrupt(ENDLESS.format(ready=str(ready)), ready)
    assert ready.exists()
    told = re.sub("[\u00a0\u202f]", " ", output.data["text/plain"])
    found = re.fullmatch(
        r"Entraînement : interrompu après ([\d ]+) pas ; ce qui est appris est gardé\.", told
    )
    assert found, told
    steps = int(found[1].replace(" ", ""))
    assert 400 <= steps < 10**7
    assert said(kernel, "begun, ended, training.env_steps, training.agent.env_steps") == str(
        (steps // 4, steps // 4, steps, steps)
    )
    assert said(kernel, "next(training.run()).env_steps") == str(steps + 4)
