"""Le panneau : ce que font ses boutons, ce qu'il montre, et l'entraînement qu'il ne change pas."""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config, Training, record
from cartpole_helpers.display import panel as panel_module
from cartpole_helpers.display.background import (
    ENDED,
    FAILED,
    FINISHED,
    PAUSED,
    READY,
    RUNNING,
    STOPPED,
    Background,
)
from cartpole_helpers.display.panel import KEPT_RUNS, PACES, Panel, panel
from cartpole_helpers.display.run import Run
from cartpole_helpers.display.settings import SLIDERS, choices

PATIENCE = 300  # s au-delà desquelles le test est bloqué pour de bon
SMALL = replace(
    QUICK, total_steps=240, carts=4, hidden=(8,), batch_size=16, warmup=32, capacity=100
)
NAMED = [name for group in SLIDERS.values() for name in group]
PRESETS = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
TRAITS = ("fields", "presets", "paces", "form", "status", "current", "past")
CALM = {"phase": READY, "error": "", "now": None, "remaining": None, "pending": False}
HOSTILE = "</script><img src=x onerror=alert(1)>"
REFUSED = r"reçus?\.(\sVouliez-vous dire '\w+'\s\?)?$"


@pytest.fixture(autouse=True)
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
def make(escaped):
    """`make(config, seed)` rend un panneau que la fin du test arrête."""
    made = []

    def build(config=SMALL, seed=3):
        made.append(panel(config, seed))
        return made[-1]

    yield build
    for one in made:
        one.stop()


class Turns:
    """Des tours dont chacun attend la permission du test."""

    def __init__(self):
        self._asked, self._allowed = threading.Semaphore(0), threading.Semaphore(0)

    def around(self, turns):
        """Rend les tours de `turns`, chacun sur permission ; la fin en demande une aussi."""
        self._ask()
        for _ in turns:
            yield
            self._ask()

    def _ask(self):
        self._asked.release()
        assert self._allowed.acquire(timeout=PATIENCE)

    def asked(self, number=1):
        """Attend que `number` tours aient été demandés."""
        for _ in range(number):
            assert self._asked.acquire(timeout=PATIENCE)

    def let(self, number=1):
        """Permet `number` tours."""
        self._allowed.release(number)


@pytest.fixture
def turns(monkeypatch, make):
    """Les tours que le test permet un à un ; chacun donne aussitôt de ses nouvelles."""
    gate, bare = Turns(), Run.turns
    monkeypatch.setattr(Run, "turns", lambda run: gate.around(bare(run)))
    monkeypatch.setattr(panel_module, "LIVE_PERIOD", 0.0)
    monkeypatch.setattr(panel_module, "CURVES_PERIOD", 0.0)
    yield gate
    gate.let(10_000)


def until(one, reached):
    """Attend que ce que le panneau montre, `status`, soit ce qu'on attend."""
    seen = threading.Event()

    def look(_change=None):
        if reached(one.status):
            seen.set()

    one.observe(look, "status")
    look()
    assert seen.wait(PATIENCE), one.status
    one.unobserve(look, "status")


def phase(wanted):
    return lambda status: status["phase"] == wanted


def at_turn(number):
    return lambda status: status["now"]["env_steps"] == number * SMALL.carts


def trained(one):
    """Lance le panneau et attend la fin."""
    one.start()
    one.wait(PATIENCE)
    return one


def ask(one, message, monkeypatch):
    """Ce que répond le panneau à un message de la page."""
    sent = []
    monkeypatch.setattr(one, "send", lambda content, buffers=None: sent.append(content))
    data = {"method": "custom", "content": {**message, "id": "x1"}}
    one._handle_msg({"content": {"data": data}, "buffers": []})
    [answer] = sent
    assert answer.pop("answer") == "x1"
    return answer


def shown(one):
    """Tout ce que la page montre, et ce que le prochain essai serait."""
    return json.dumps([{name: getattr(one, name) for name in TRAITS}, repr(one.config)])


def assert_same_training(one, config, seed):
    bare = Training(config, seed)
    expected = record(bare.run())
    assert torch.equal(one.agent.weights, bare.agent.weights)
    for name, mine, other in zip(expected._fields, one.history, expected, strict=True):
        np.testing.assert_array_equal(mine, other, err_msg=name)


# L'entraînement


def test_the_same_seed_is_the_same_training_to_the_last_bit(make):
    one = trained(make(SMALL, 7))
    assert_same_training(one, SMALL, 7)
    assert (one.status["phase"], one.status["now"]["env_steps"]) == (FINISHED, 240)


@pytest.mark.parametrize("pace", PACES)
def test_neither_pace_nor_pauses_nor_steps_change_it(pace, make, monkeypatch):
    monkeypatch.setitem(PACES, pace, PACES[pace] and 500.0)
    one = make()
    one.receive({"do": "pace", "pace": pace}, [])
    for method in ("step", "pause", "start", "step", "start", "pause", "step", "start"):
        getattr(one, method)()
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)


def test_two_panels_do_not_touch_each_other(make):
    one, other = make(SMALL, 3), make(replace(SMALL, gamma=0.5), 4)
    one.start(), other.start()
    one.set(n_steps=3)
    other.wait(PATIENCE), one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    assert_same_training(other, replace(SMALL, gamma=0.5), 4)
    other.clear()
    assert (one.status["phase"], other.status["phase"]) == (FINISHED, READY)
    assert other.config.n_steps == 1


def test_the_agent_and_the_history_of_the_instant_can_be_read(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    bare = Training(SMALL, 3)
    expected = record(bare.advance() for _ in range(3))
    assert one.agent.env_steps == 12
    assert torch.equal(one.agent.weights, bare.agent.weights)
    np.testing.assert_array_equal(one.history.episode_return, expected.episode_return)


@pytest.mark.parametrize("name", ["agent", "history"])
def test_before_any_run_there_is_nothing_to_read(name, make):
    one = make()
    with pytest.raises(RuntimeError, match=r"^Aucun essai n'a commencé : appuyez .*Démarrer »\.$"):
        getattr(one, name)
    trained(one).clear()
    with pytest.raises(RuntimeError, match=r"^Aucun essai n'a commencé"):
        getattr(one, name)


@pytest.mark.parametrize("timeout", [None, 0, 5])
def test_before_any_run_there_is_nothing_to_wait_for(timeout, make):
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : aucun essai n'a commencé\."):
        make().wait(timeout)


@pytest.mark.parametrize("method", ["pause", "stop", "clear"])
def test_before_any_run_these_buttons_do_nothing(method, make):
    one = make()
    before = shown(one)
    getattr(one, method)()
    assert shown(one) == before
    assert one.status == CALM


def test_the_seed_of_the_next_run_can_be_read(make):
    one = trained(make(SMALL, 7))
    one.receive({"do": "seed", "seed": 8}, [])
    assert (one.seed, one.form["seed"]) == (8, 8)
    assert_same_training(one, SMALL, 7)
    trained(one)
    assert_same_training(one, SMALL, one.seed)


@pytest.mark.parametrize("config", ["x", None, {"gamma": 0.9}, Config])
def test_what_is_not_a_config_is_refused(config):
    with pytest.raises(TypeError, match=r"^config doit être un Config : .* reçu\.$"):
        panel(config)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, True, [1, 2]])
def test_what_is_not_a_seed_is_refused(seed):
    with pytest.raises((TypeError, ValueError), match=r"^seed doit être un entier .* reçu\.$"):
        panel(SMALL, seed)


# Les boutons


def test_start_pause_start_again(make, turns):
    one = make()
    one.start()
    assert one.status["phase"] == RUNNING
    turns.asked()
    one.pause()
    assert one.status["phase"] == PAUSED
    turns.let()
    until(one, at_turn(1))
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : le calcul est en pause\."):
        one.wait()
    one.start()
    turns.let(100)
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    assert one.past == []


def test_a_step_is_a_turn(make, turns):
    one = make()
    turns.let(100)
    for number in (1, 2, 3):
        one.step()
        until(one, at_turn(number))
        assert one.status["phase"] == PAUSED
        assert one.status["now"]["env_steps"] == 4 * number
    assert one.agent.env_steps == 12


def test_a_stop_keeps_the_agent_and_the_curves_and_the_next_start_is_a_new_run(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    one.stop()
    turns.let()
    until(one, phase(STOPPED))
    one.wait(PATIENCE)
    assert one.agent.env_steps == 16
    kept = one.current
    assert len(kept["curves"]["epsilon"]["x"]) == 4
    turns.let(100)
    trained(one)
    assert one.past == [kept]
    assert_same_training(one, SMALL, 3)


def test_a_stop_during_a_pause_ends_the_run(make, turns):
    one = make()
    turns.let(100)
    one.step()
    until(one, at_turn(1))
    one.stop()
    until(one, phase(STOPPED))
    assert one.agent.env_steps == 4


def test_a_start_just_after_a_stop_is_a_new_run_and_not_a_lost_click(make, turns):
    one = make()
    one.start()
    turns.asked()
    one.stop()  # le tour en cours n'est pas fini
    one.start()
    turns.let(200)
    one.wait(PATIENCE)
    assert one.status["phase"] == FINISHED
    assert one.current["label"].startswith("2 · ")
    assert_same_training(one, SMALL, 3)


def test_clearing_while_it_runs_leaves_a_new_panel(make, turns, escaped):
    one = make()
    one.start()
    turns.asked()
    one.clear()
    assert (one.status, one.current, one.past) == (CALM, {}, [])
    turns.let(200)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.endswith("(_work)"):
            thread.join(PATIENCE)
    assert escaped == []
    assert (one.status, one.current, one.past) == (CALM, {}, [])
    assert trained(one).current["label"].startswith("1 · ")


def test_clearing_keeps_the_settings(make):
    one = trained(make())
    one.set(gamma=0.5)
    form = one.form
    one.clear()
    assert (one.form, one.config) == (form, replace(SMALL, gamma=0.5))
    assert (one.status, one.current, one.past) == (CALM, {}, [])


@pytest.mark.parametrize("before", [[], ["start"], ["step", "pause"], ["start", "stop"]])
@pytest.mark.parametrize("method", ["pause", "stop", "clear"])
def test_these_buttons_can_be_pressed_again_and_again(method, before, make):
    one = make()
    for name in [*before, method, method, method]:
        getattr(one, name)()
    until(one, lambda status: status["phase"] != RUNNING)


def test_the_buttons_of_the_page_are_the_methods(make, turns, monkeypatch):
    one = make()
    turns.let(4)
    for does, told in [("step", PAUSED), ("start", RUNNING), ("pause", PAUSED), ("stop", STOPPED)]:
        assert ask(one, {"do": does}, monkeypatch) == {}
        turns.let()
        until(one, phase(told))
    assert ask(one, {"do": "clear"}, monkeypatch) == {}
    assert one.status == CALM


def test_the_pace_of_the_page_is_the_one_of_the_computation(make, turns, monkeypatch):
    made = []

    class Noted(Background):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(panel_module, "Background", Noted)
    one = make()
    assert one.form["pace"] == "sans frein"
    assert one.paces == [*PACES]
    assert ask(one, {"do": "pace", "pace": "10 tours par seconde"}, monkeypatch) == {}
    one.step()
    turns.asked()
    assert made[0].pace == 10
    for pace, value in PACES.items():
        turns.let()
        assert ask(one, {"do": "pace", "pace": pace}, monkeypatch) == {}
        assert (one.form["pace"], made[0].pace) == (pace, value)
    assert len(made) == 1


def test_the_run_pauses_when_the_last_view_closes_and_not_before(make, turns, monkeypatch):
    one = make()
    for does in ("open", "open", "close"):
        ask(one, {"do": does}, monkeypatch)
    one.start()
    turns.asked()
    ask(one, {"do": "open"}, monkeypatch)
    ask(one, {"do": "close"}, monkeypatch)
    assert one.status["phase"] == RUNNING
    turns.let()
    turns.asked()
    assert one.status["phase"] == RUNNING
    ask(one, {"do": "close"}, monkeypatch)
    assert one.status["phase"] == PAUSED


def test_a_page_that_leaves_pauses_the_run_and_one_that_comes_back_resumes_it(
    make, turns, monkeypatch
):
    one = make()
    for does in ("open", "open", "start", "leave"):
        ask(one, {"do": does}, monkeypatch)
    assert one.status["phase"] == PAUSED
    ask(one, {"do": "open"}, monkeypatch)
    assert one.status["phase"] == RUNNING


@pytest.mark.parametrize(("before", "after"), [("pause", PAUSED), ("stop", STOPPED)])
def test_a_page_that_comes_back_does_not_resume_what_was_not_left_running(
    before, after, make, turns, monkeypatch
):
    one = make()
    for does in ("open", "start", before, "leave"):
        ask(one, {"do": does}, monkeypatch)
    turns.let(100)
    until(one, phase(after))
    ask(one, {"do": "open"}, monkeypatch)
    assert one.status["phase"] == after


@pytest.mark.parametrize("prepare", ["rien", "fini", "en pause"])
def test_a_closing_view_changes_nothing_to_what_does_not_run(prepare, make, monkeypatch):
    one = make()
    if prepare == "fini":
        trained(one)
    if prepare == "en pause":
        one.step()
        until(one, at_turn(1))
    before = shown(one)
    for does in ("open", "close", "close"):
        assert ask(one, {"do": does}, monkeypatch) == {}
    assert shown(one) == before


# Les réglages


def bad_messages():
    """Ce qu'une page ne doit pas demander, et ce qu'une page hostile demanderait."""
    large = [place for place, size in enumerate(choices("batch_size", SMALL)) if size > 100]
    yield from ({"do": does} for does in (None, "explode", "__init__", "wait", ["start"], {}, 3))
    yield {}
    yield from ({"do": does, "rank": 3} for does in ("start", "pause", "step", "stop", "clear"))
    yield from ({"do": "set", "field": "gamma", "rank": rank} for rank in (-1, 99, 2.5, "2", None))
    yield from ({"do": "set", "field": "gamma", "rank": rank} for rank in (True, float("nan"), []))
    yield from (
        {"do": "set", "field": field, "rank": 0}
        for field in ("nope", "warmup", "__class__", HOSTILE, None, ["gamma"], {})
    )
    yield {"do": "set", "field": "batch_size", "rank": large[0]}
    yield from ({"do": "set"}, {"do": "set", "field": "gamma"}, {"do": "set", "rank": 1})
    yield {"do": "set", "field": "gamma", "rank": 1, "value": 2}
    yield from ({"do": "use", "preset": preset} for preset in ("VERSION_3", None, ["QUICK"], 1))
    yield {"do": "use"}
    yield from ({"do": "seed", "seed": seed} for seed in (-1, 1.5, "1", None, True, [1], 1e300))
    yield {"do": "seed"}
    yield from ({"do": "pace", "pace": pace} for pace in ("vite", None, 10, ["sans frein"]))
    yield {"do": "pace"}
    yield from ({"do": does, "views": 3} for does in ("open", "close", "leave"))


@pytest.mark.parametrize("message", [*bad_messages()], ids=str)
def test_a_bad_message_changes_nothing_and_is_refused_in_french(message, make, monkeypatch):
    one = make()
    before = shown(one)
    answer = ask(one, message, monkeypatch)
    assert shown(one) == before
    assert set(answer) == {"error"}
    assert re.search(REFUSED, answer["error"]), answer


def test_every_place_of_every_slider_is_understood(make, monkeypatch):
    refusals = 0
    for group in make(VERSION_2).fields:
        for field in group["fields"]:
            one = make(VERSION_2)
            for rank, text in enumerate(field["choices"]):
                before = one.config
                message = {"do": "set", "field": field["name"], "rank": rank}
                answer = ask(one, message, monkeypatch)
                if answer:
                    assert answer["error"].startswith("capacity doit être au moins égal")
                    assert one.config == before
                    refusals += 1
                else:
                    assert one.form["chosen"][field["name"]] == {"rank": rank, "text": text}
                    wanted = choices(field["name"], VERSION_2)[rank]
                    assert getattr(one.config, field["name"]) == wanted
    assert refusals == 0  # aucune valeur proposée ne heurte VERSION_2 à elle seule


def test_the_sliders_are_described_to_the_page(make):
    one = make(replace(SMALL, gamma=0.931, hidden=(7,)))
    assert [group["group"] for group in one.fields] == [*SLIDERS]
    described = {field["name"]: field for group in one.fields for field in group["fields"]}
    assert [*described] == NAMED
    for name, field in described.items():
        assert all(field[part] for part in ("label", "help"))
        chosen = one.form["chosen"][name]
        assert field["choices"][chosen["rank"]] == chosen["text"]
    assert one.form["chosen"]["gamma"]["text"] == "0,931"
    assert one.form["chosen"]["hidden"]["text"] == "7"
    assert one.presets == [*PRESETS]


def test_the_form_says_what_the_next_run_will_be(make):
    one = make(SMALL, 5)
    assert (one.form["preset"], one.form["seed"]) == (None, 5)
    names = {"Config": Config, "replace": replace, **PRESETS}
    assert eval(one.form["line"], {"__builtins__": {}, **names}) == one.config == SMALL
    for name, preset in PRESETS.items():
        one.receive({"do": "use", "preset": name}, [])
        assert one.config == preset
        assert (one.form["preset"], one.form["line"]) == (name, name)
    one.set(gamma=0.12345)
    assert one.form["preset"] is None
    assert one.form["line"] == "replace(QUICK, gamma=0.12345)"
    assert one.form["chosen"]["gamma"]["text"] == "0,12345"  # entre deux crans


def test_fields_are_set_together(make):
    one = make(VERSION_2)
    one.set(gamma=0.9, n_steps=1, hidden=(8, 8))
    assert one.config == replace(VERSION_2, gamma=0.9, n_steps=1, hidden=(8, 8))
    one.set()
    assert one.config.gamma == 0.9


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 100_000, "capacity": 200_000, "warmup": 100_000},
        {"capacity": 200_000, "warmup": 100_000, "batch_size": 100_000},
        {"learning_rate_floor": 0.5, "learning_rate": 0.6},
        {"average_tail": 0.1, "activation": "tanh"},
    ],
    ids=str,
)
def test_fields_without_a_slider_too_in_any_order(changes, make):
    one = make(VERSION_2)
    one.set(**changes)
    assert one.config == replace(VERSION_2, **changes)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"nope": 1}, "nope"),
        ({"gamma": 2}, "gamma"),
        ({"gamma": "0,9"}, "gamma"),
        ({"capacity": "beaucoup"}, "capacity"),
        ({"gamma": 0.5, "n_steps": 0}, "n_steps"),
        ({"n_steps": 2, "nope": 1}, "nope"),
        ({"capacity": 2}, "capacity"),
    ],
    ids=str,
)
def test_a_field_that_does_not_suit_changes_nothing(changes, name, make):
    one = make()
    before = shown(one)
    with pytest.raises((TypeError, ValueError), match=rf"{name}.* {REFUSED}"):
        one.set(**changes)
    assert shown(one) == before


def test_a_preset_that_does_not_exist_changes_nothing(make):
    one = make()
    before = shown(one)
    with pytest.raises(
        ValueError, match=r"^preset doit être l'un de 'VERSION_1', .* reçu\. Vouliez-"
    ):
        one.use("VERSION_3")
    assert shown(one) == before


def test_a_configuration_of_one_s_own_can_be_trained_and_shown(make):
    own = replace(SMALL, activation="tanh", initialisation="xavier_normal", start_x=0.5)
    one = trained(make(own))
    assert_same_training(one, own, 3)
    assert "activation = tanh" in one.current["label"]


def test_moving_a_slider_leaves_the_run_alone_and_says_it_waits(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    one.pause()
    assert one.status["pending"] is False
    one.set(gamma=0.5, learning_rate=1e-3)
    assert one.status["pending"] is True
    one.set(gamma=SMALL.gamma, learning_rate=SMALL.learning_rate)
    assert one.status["pending"] is False
    one.receive({"do": "seed", "seed": 8}, [])
    assert (one.status["pending"], one.form["seed"]) == (True, 8)
    one.receive({"do": "seed", "seed": 3}, [])
    assert one.status["pending"] is False
    one.use("VERSION_1")
    one.start()
    turns.let(100)
    one.wait(PATIENCE)
    assert one.status["pending"] is True
    assert one.config == VERSION_1
    assert_same_training(one, SMALL, 3)


def test_the_next_run_has_the_settings_one_sees(make):
    one = trained(make())
    one.set(gamma=0.5)
    one.receive({"do": "seed", "seed": 8}, [])
    trained(one)
    assert one.status["pending"] is False
    assert_same_training(one, replace(SMALL, gamma=0.5), 8)


# Ce que l'on montre


def test_the_runs_are_superposed_and_named_by_what_changed(make):
    one, wanted = make(replace(SMALL, total_steps=8)), []
    for number in range(1, KEPT_RUNS + 4):
        one.set(gamma=number / 100)
        trained(one)
        wanted.append(f"{number} · QUICK")
        seen = [*one.past, one.current]
        assert len(seen) == min(number, KEPT_RUNS + 1)
        assert [run["label"].partition(",")[0] for run in seen] == wanted[-KEPT_RUNS - 1 :]
        assert [after["rank"] - before["rank"] for before, after in pairwise(seen)] == [1] * (
            len(seen) - 1
        )
        assert seen[-1]["rank"] == number - 1
        assert f"gamma = {written_hundredths(number)}" in one.current["label"]
        assert one.current["label"].endswith(", graine 3")
    assert one.current["gamma"] == 0.08


def written_hundredths(number):
    return f"0,{number:02}"


def test_a_past_run_keeps_all_its_curves(make):
    one = trained(make())
    first = json.loads(json.dumps(one.current))
    assert len(first["curves"]["greedy"]["x"]) == 20
    assert first["total"] == first["curves"]["greedy"]["x"][-1] == 240
    trained(one)
    assert one.past == [first]
    assert one.current["curves"] == first["curves"]  # même graine, mêmes réglages
    names = {"Config": Config, "replace": replace, **PRESETS}
    assert eval(first["line"], {"__builtins__": {}, **names}) == SMALL


@pytest.mark.parametrize("rate", [SMALL.learning_rate, 1e30])
def test_everything_that_is_shown_is_json(rate, make, turns):
    one, seen = make(replace(SMALL, learning_rate=rate)), []
    one.observe(lambda change: seen.append((change.name, change.new)), TRAITS)
    turns.let(200)
    one.step()
    until(one, at_turn(1))
    trained(one)
    assert {name for name, _ in seen} == {"status", "current"}
    assert len(seen) > 60
    for _, value in seen:
        assert json.loads(json.dumps(value, allow_nan=False)) == value
    for name in TRAITS:
        json.dumps(getattr(one, name), allow_nan=False)
    assert one.status["now"]["diverged"] is (rate > 1)


class Clock:
    """Une horloge que le test fait avancer."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake = Clock()
    monkeypatch.setattr(panel_module, "perf_counter", fake)
    return fake


def test_what_remains_is_told_at_the_pace_of_the_moment(make, turns, clock):
    one = make()
    one.start()
    assert one.status["remaining"] is None  # rien n'est encore fait
    turns.asked()
    clock.now += 2
    turns.let(10)
    turns.asked(10)
    assert one.status["remaining"] == pytest.approx((240 - 40) * 2 / 40)
    one.pause()
    assert one.status["remaining"] is None
    clock.now += 1_000  # la pause ne compte pas
    one.start()
    clock.now += 5
    turns.let(10)
    turns.asked(10)
    assert one.status["remaining"] == pytest.approx((240 - 80) * 5 / 40)


def test_news_are_given_often_enough_for_the_eye_and_no_more(make, clock, monkeypatch):
    advance, news, curves = Training.advance, [], []

    def slow(training):
        clock.now += 0.02
        return advance(training)

    monkeypatch.setattr(Training, "advance", slow)
    one = make()
    one.start = lambda start=one.start: (one.observe(note, ["status", "current"]), start())

    def note(change):
        if threading.current_thread() is threading.main_thread():
            return
        if change.name == "status":
            news.append(change.new["now"]["env_steps"] // SMALL.carts)
        else:
            curves.append(len(change.new["curves"]["epsilon"]["x"]))

    trained(one)
    assert news[0] == curves[0] == 1
    assert news[-1] == curves[-1] == 60
    assert {after - before for before, after in pairwise(news[:-2])} == {3}  # 0,06 s
    assert {after - before for before, after in pairwise(curves[:-1])} == {15}  # 0,3 s


# Ce qui échoue


@pytest.fixture
def broken(monkeypatch):
    """`broken(error, turn)` : l'entraînement échoue au tour `turn`."""

    def install(error, turn=5):
        advance = Training.advance

        def failing(training):
            if training.step == turn - 1:
                raise error
            return advance(training)

        monkeypatch.setattr(Training, "advance", failing)

    return install


@pytest.mark.parametrize(
    "error", [MemoryError("plus de place"), ValueError(HOSTILE), KeyboardInterrupt()]
)
def test_a_training_that_fails_says_so_and_waiting_raises_its_error(error, make, broken):
    broken(error)
    one = make()
    one.start()
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            one.wait(PATIENCE)
        assert raised.value is error
    assert one.status["phase"] == FAILED
    told = re.sub("[\u00a0\u202f]", " ", one.status["error"])
    assert told == f"L’entraînement a échoué ({type(error).__name__}) : {error}"
    assert one.status["now"]["env_steps"] == one.agent.env_steps == 4 * SMALL.carts
    assert len(one.current["curves"]["epsilon"]["x"]) == 4


def test_after_a_failure_one_can_start_again(make, broken, monkeypatch):
    one = make()
    with monkeypatch.context() as patched:
        patched.setattr(Training, "advance", lambda training: 1 / 0)
        one.start()
        with pytest.raises(ZeroDivisionError):
            one.wait(PATIENCE)
    trained(one)
    assert (one.status["phase"], one.status["error"]) == (FINISHED, "")
    assert_same_training(one, SMALL, 3)


def test_a_notebook_that_closes_while_it_runs_closes_quietly():
    code = (
        "from dataclasses import replace\n"
        "import torch; torch.set_num_threads(1)\n"
        "from cartpole_helpers import QUICK\n"
        "from cartpole_helpers.display.panel import panel\n"
        "one = panel(replace(QUICK, total_steps=10**8)); one.start()\n"
        "while not one.history.loss.size: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, env=os.environ
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# Ce qui reste dans le carnet


def test_a_saved_notebook_has_the_page_and_a_live_one_the_widget(make):
    one = trained(make())
    data = one._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == one.model_id
    assert data["text/html"] == one.frozen()
    assert re.match(r"1 · QUICK, .*graine 3 : [\d,]+ pas à la dernière évaluation", plain(data))


def plain(data):
    return re.sub("[\u00a0\u202f]", " ", data["text/plain"])


def test_before_any_run_the_saved_page_says_what_it_is(make):
    assert plain(make()._repr_mimebundle_()).startswith("Ici, un panneau entraîne un agent")


def frozen_state(page):
    [state] = re.findall(r"mount\(PLACE, render, (.*)\);\n", page)
    return json.loads(state, parse_constant=lambda name: pytest.fail(f"{name} n'est pas du JSON"))


def test_the_saved_page_is_the_same_for_the_same_run(make):
    one, other = trained(make()), trained(make())
    assert one.frozen() == one.frozen() == other.frozen()
    assert frozen_state(one.frozen()) == {name: getattr(one, name) for name in TRAITS}


def test_the_saved_page_can_be_made_while_it_runs(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    assert frozen_state(one.frozen())["status"]["now"]["env_steps"] == 3 * SMALL.carts


def test_what_an_error_says_is_never_read_as_html(make, broken):
    broken(ValueError(f"{HOSTILE} <!--"))
    one = make()
    one.start()
    with pytest.raises(ValueError, match="onerror"):
        one.wait(PATIENCE)
    page = one.frozen()
    assert page.count("</script>") == page.count("<script>") == page.count("<img") == 1
    assert "<!--" not in page
    assert HOSTILE in frozen_state(page)["status"]["error"]


def test_the_ends_of_the_panel_are_those_of_the_computation():
    assert ENDED == (STOPPED, FINISHED, FAILED)
    assert isinstance(panel(), Panel)
    assert panel().config == VERSION_2
