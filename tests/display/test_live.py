"""Le suivi d'un long calcul : il ne change rien au calcul, s'arrête quand on veut, ne perd rien."""

import signal
from time import sleep
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import Label
from watched import plain

from cartpole_helpers import Config, Training, td_target, train
from cartpole_helpers.display import figures
from cartpole_helpers.display.live import Screen, each, follow, progress, waiting
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


def sentences(shown):
    """Les phrases qui restent quand tout est fini, seules."""
    assert all(set(data) == {"text/plain"} for data in shown())
    return [plain(data["text/plain"]) for data in shown()]


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
    assert sentences(shown) == [f"Entraînement : fini après {steps} pas." for steps in (80, 240)]


def test_it_stops_at_the_total(shown):
    steps = counted(900)
    followed = follow(steps, 1_495, "Essai")
    assert shown() == []  # rien n'est calculé avant d'être demandé
    assert len(list(followed)) == 150
    assert len(list(steps)) == 750  # aucun tour de plus n'est demandé
    assert sentences(shown) == ["Essai : fini après 1 495 pas."]


def test_while_it_runs_a_bar_is_shown_then_a_sentence(shown):
    for _ in follow(counted(3), 30):
        [data] = shown()
        assert WIDGET in data
    assert sentences(shown) == ["Entraînement : fini après 30 pas."]


def test_the_tasks_of_a_study_have_a_bar_then_a_sentence_even_left(shown):
    for _ in progress(iter("ab"), total=2, bar_format="{bar}"):
        assert WIDGET in shown()[-1]
    for one in progress(iter("ab"), total=2, bar_format="{bar}"):
        if one == "b":
            break
    assert sentences(shown) == ["Groupes archivés : 2 sur 2.", "Groupes archivés : 1 sur 2."]


def test_any_collection_has_a_bar_and_a_count(shown):
    for _ in each({"a": 1, "b": 2}.values(), "Cas"):
        [data] = shown()
        assert WIDGET in data
    assert sentences(shown) == ["Cas : 2 sur 2."]
    with pytest.raises(TypeError, match=r"^items doit être une suite, dont on connaît la longueur"):
        each(counted(3), "Tours")


def test_the_seconds_of_a_block_pass_then_a_sentence_stays(shown, monkeypatch):
    texts = []
    monkeypatch.setattr(Label, "notify_change", lambda label, change: texts.append(label.value))
    with waiting("Calcul"):
        while not any("2" in text for text in texts):
            sleep(0.1)
    with pytest.raises(ZeroDivisionError), waiting("Calcul"):
        raise ZeroDivisionError
    assert sentences(shown) == ["Calcul : fini.", "Calcul : interrompu."]


def test_a_screen_keeps_the_last_picture_alone_and_its_text(shown):
    screen = Screen()
    for count in (2, 3):
        seen = np.arange(count)
        last = figures.learning_curves(seen, 9.0 + seen + np.zeros((3, 1)), f"{count} points")
        screen.show(last)
    [data] = shown()
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"].startswith("3 points")


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
    assert sentences(shown) == [
        f"Entraînement : interrompu après {steps} pas ; ce qui est appris est gardé."
    ]
    assert_same_steps(learnt + list(training.run()), list(train(SMALL, 3)))


def test_leaving_gives_the_signal_back_and_says_so(handler, shown):
    """Une seconde interruption arrête tout, comme une sortie ou une erreur."""

    def failing_turns():
        yield from counted(1)
        raise ZeroDivisionError

    def press_twice():
        for _ in follow(counted(9), 90):
            interrupt()
            assert signal.getsignal(signal.SIGINT) is not handler
            interrupt()
            pytest.fail("la seconde n'arrête rien")

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is handler
    for _ in follow(counted(9), 90):
        break
    assert signal.getsignal(signal.SIGINT) is handler
    with pytest.raises(ZeroDivisionError):
        list(follow(failing_turns(), 90))
    assert signal.getsignal(signal.SIGINT) is handler
    left = "Entraînement : boucle quittée après 10 pas ; ce qui est appris est gardé."
    assert sentences(shown) == [left] * 3


def test_bad_arguments_are_refused_before_anything(shown):
    steps = counted(3)
    for arguments, told in (
        ((steps, 0), "total doit être un entier"),
        ((steps, 40, 3), "label doit être un texte : 3 reçu"),
        ((3, 40), "steps doit être une suite de tours, que rend `train` : 3 reçu"),
        (([7], 40), "steps doit rendre des tours, qui ont `env_steps` : 7"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{told}"):
            next(follow(*arguments))
    assert len(list(steps)) == 3
