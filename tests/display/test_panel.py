"""Le panneau : ce que font ses boutons, ce qu'il montre, et l'entraînement qu'il ne change pas."""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from watched import PATIENCE, ask, frozen_state, plain

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config, Training, record
from cartpole_helpers.display import panel as panel_module
from cartpole_helpers.display.background import (
    FAILED,
    FINISHED,
    PAUSED,
    READY,
    RUNNING,
    STOPPED,
    Background,
)
from cartpole_helpers.display.panel import KEPT_RUNS, PACES, panel
from cartpole_helpers.display.settings import SLIDERS, choices

SMALL = replace(
    QUICK, total_steps=240, carts=4, hidden=(8,), batch_size=16, warmup=32, capacity=100
)
PRESETS = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
TRAITS = ("fields", "presets", "paces", "form", "status", "current", "past")
CALM = {"phase": READY, "error": "", "now": None, "remaining": None, "pending": False}


@pytest.fixture
def make(alive):
    """`make(config, seed)` rend un panneau que la fin du test arrête."""
    return lambda config=SMALL, seed=3: alive(panel(config, seed))


@pytest.fixture
def clock(monkeypatch):
    """L'heure, dans une liste d'un nombre, que le test fait avancer."""
    now = [1_000.0]
    monkeypatch.setattr(panel_module, "perf_counter", lambda: now[0])
    return now


def until(one, wanted):
    """Attend que le panneau en soit à l'état `wanted`."""
    seen = threading.Event()

    def look(_change=None):
        if one.status["phase"] == wanted:
            seen.set()

    one.observe(look, "status")
    look()
    assert seen.wait(PATIENCE), one.status


def trained(one):
    """Lance le panneau et attend la fin."""
    one.start()
    one.wait(PATIENCE)
    return one


def shown(one):
    """Tout ce que la page montre, et ce que le prochain essai serait."""
    return json.dumps([{name: getattr(one, name) for name in TRAITS}, repr(one.config)])


def made_again(line):
    return eval(line, {"__builtins__": {}, "Config": Config, "replace": replace, **PRESETS})


def assert_same_training(one, config, seed):
    bare = Training(config, seed)
    expected = record(bare.run())
    assert torch.equal(one.agent.weights, bare.agent.weights)
    for name, mine, other in zip(expected._fields, one.history, expected, strict=True):
        np.testing.assert_array_equal(mine, other, err_msg=name)


# Les boutons


def test_neither_pace_nor_pauses_nor_steps_change_the_training(make, monkeypatch):
    pace = "50 tours par seconde : temps réel"
    monkeypatch.setitem(PACES, pace, 500.0)
    one = make()
    assert ask(one, {"do": "pace", "pace": pace}) == {}
    assert (one.paces, one.form["pace"]) == ([*PACES], pace)
    for method in ("step", "pause", "start", "step", "start", "pause", "step", "start"):
        getattr(one, method)()
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    assert (one.status["phase"], one.status["now"]["env_steps"]) == (FINISHED, 240)


def test_before_any_run_there_is_nothing_to_read_nor_to_wait_for(make):
    one = make()
    with pytest.raises(RuntimeError, match=r"^Aucun essai n'a commencé : appuyez"):
        _ = one.agent
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : aucun essai n'a commencé\."):
        one.wait(0)
    one.stop()
    assert one.status == CALM
    assert plain(one.still.alt).startswith("Ici, un panneau entraîne un agent")


def test_the_stop_button_of_jupyter_ends_the_wait_and_pauses_the_run(make, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    one = make()
    ask(one, {"do": "pace", "pace": "10 tours par seconde"})
    one.start()
    monkeypatch.setattr(Background, "wait", interrupted)
    one.wait()
    assert one.status["phase"] == PAUSED
    assert "l'essai est en pause" in plain(capsys.readouterr().out)


def test_the_buttons_of_the_page_are_the_methods(make, turns):
    one = make()
    turns.let(4)
    for does, told in [("step", PAUSED), ("start", RUNNING), ("pause", PAUSED), ("stop", STOPPED)]:
        assert ask(one, {"do": does}) == {}
        turns.let()
        until(one, told)
    assert ask(one, {"do": "clear"}) == {}
    assert one.status == CALM


def test_a_stop_keeps_the_curves_and_a_start_at_once_is_a_new_run(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    one.stop()  # le quatrième tour n'est pas fini
    one.start()
    turns.let(200)
    one.wait(PATIENCE)
    [kept] = one.past
    assert len(kept["curves"]["epsilon"]["x"]) == 3
    assert one.status["phase"] == FINISHED
    assert one.current["label"].startswith("2 · ")
    assert_same_training(one, SMALL, 3)


def test_clearing_while_it_runs_leaves_a_new_panel_with_its_settings(make, turns):
    one = make()
    one.set(n_steps=2)
    one.start()
    turns.asked()
    one.clear()
    turns.let(200)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.endswith("(_work)"):
            thread.join(PATIENCE)
    assert (one.status, one.current, one.past) == (CALM, {}, [])
    assert one.config == replace(SMALL, n_steps=2)
    assert trained(one).current["label"].startswith("1 · ")


def test_the_run_pauses_when_the_last_view_closes_and_not_before(make, turns):
    """Exécuter de nouveau la cellule ouvre une vue et ferme l'autre."""
    one = make()
    for does in ("open", "start", "open", "close"):
        ask(one, {"do": does})
    assert one.status["phase"] == RUNNING
    ask(one, {"do": "close"})
    assert one.status["phase"] == PAUSED


# Les réglages


def bad_messages():
    """Ce qu'une page ne doit pas demander."""
    large = [place for place, size in enumerate(choices("batch_size", SMALL)) if size > 100]
    yield from ({}, {"do": "wait"}, {"do": ["start"]}, {"do": "start", "rank": 3}, {"do": "use"})
    yield {"do": "set", "field": "warmup", "rank": 0}
    yield {"do": "set", "field": "gamma", "rank": 99}
    yield {"do": "set", "field": "batch_size", "rank": large[0]}  # plus que la mémoire
    yield from ({"do": "use", "preset": "VERSION_3"}, {"do": "seed", "seed": -1})
    yield {"do": "pace", "pace": "vite"}


def test_what_is_wrong_changes_nothing_and_is_refused_in_french(make):
    for arguments in ((None,), (SMALL, -1)):
        with pytest.raises((TypeError, ValueError), match=r"^(config|seed) doit être .* reçu\.$"):
            panel(*arguments)
    one = make()
    before = shown(one)
    with pytest.raises(ValueError, match=r"'nope' reçu"):
        one.set(n_steps=2, nope=1)
    for message in bad_messages():
        answer = ask(one, message)
        assert shown(one) == before, message
        assert re.search(r"reçus?\.(\sVouliez-vous dire '\w+'\s\?)?$", answer["error"]), answer


def test_every_place_of_every_slider_is_described_and_understood(make):
    one = make(VERSION_2)
    assert [group["group"] for group in one.fields] == [*SLIDERS]
    for field in [field for group in one.fields for field in group["fields"]]:
        assert field["label"]
        assert field["help"]
        for rank, text in enumerate(field["choices"]):
            one.use("VERSION_2")
            assert ask(one, {"do": "set", "field": field["name"], "rank": rank}) == {}
            assert one.form["chosen"][field["name"]] == {"rank": rank, "text": text}
            wanted = choices(field["name"], VERSION_2)[rank]
            assert getattr(one.config, field["name"]) == wanted


def test_the_form_says_what_the_next_run_will_be(make):
    one = make(replace(SMALL, gamma=0.931), 5)
    assert (one.form["preset"], one.form["seed"]) == (None, 5)
    assert made_again(one.form["line"]) == one.config
    assert one.presets == [*PRESETS]
    for name, preset in PRESETS.items():
        assert ask(one, {"do": "use", "preset": name}) == {}
        assert (one.config, one.form["preset"], one.form["line"]) == (preset, name, name)
    one.set(gamma=0.12345, average_tail=0.1)
    assert one.config == replace(QUICK, gamma=0.12345, average_tail=0.1)
    assert one.form["chosen"]["gamma"]["text"] == "0,12345"  # entre deux crans


def test_moving_a_slider_leaves_the_run_alone_and_says_it_waits(make, turns):
    one = make()
    one.start()
    turns.asked()
    for changes, pending in (({"gamma": 0.5}, True), ({"gamma": SMALL.gamma}, False)):
        one.set(**changes)
        assert one.status["pending"] is pending
    ask(one, {"do": "seed", "seed": 8})
    assert (one.status["pending"], one.form["seed"]) == (True, 8)
    turns.let(1_000)
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    assert trained(one).status["pending"] is False
    assert_same_training(one, SMALL, 8)


# Ce que l'on montre


def test_the_last_runs_are_superposed_and_named_by_what_changed(make):
    one = make(replace(SMALL, total_steps=8))
    for number in range(1, KEPT_RUNS + 4):
        one.set(gamma=number / 100)
        trained(one)
    seen = [*one.past, one.current]
    assert [run["rank"] for run in seen] == [2, 3, 4, 5, 6, 7]
    for run in seen:
        assert run["label"].startswith(f"{run['rank'] + 1} · QUICK, ")
        assert f"gamma = 0,0{run['rank'] + 1}" in run["label"]
        assert run["label"].endswith(", graine 3")


def test_a_past_run_keeps_its_curves_and_the_notebook_saves_them(make):
    one = trained(make())
    assert frozen_state(one)["current"] == one.current
    assert re.match(r"1 · QUICK, .*graine 3 : [\d,]+ pas à la dernière", plain(one.still.alt))
    saved, _ = one._repr_mimebundle_()
    assert saved["application/vnd.jupyter.widget-view+json"]["model_id"] == one.model_id
    assert (saved["text/html"], saved["text/plain"]) == (one.frozen(), one.still.alt)
    first = json.loads(json.dumps(one.current))
    assert first["total"] == first["curves"]["greedy"]["x"][-1] == 240
    assert made_again(first["line"]) == SMALL
    trained(one)
    assert one.past == [first]
    assert one.current["curves"] == first["curves"]  # même graine, mêmes réglages


def test_what_remains_is_told_at_the_pace_of_the_moment(make, turns, clock):
    one = make()
    one.start()
    assert one.status["remaining"] is None  # rien n'est encore fait
    turns.asked()
    for done, seconds in ((40, 2), (80, 5)):
        clock[0] += seconds
        turns.let(10)
        turns.asked(10)
        assert one.status["remaining"] == pytest.approx((240 - done) * seconds / 40)
        one.pause()
        assert one.status["remaining"] is None
        clock[0] += 1_000  # la pause ne compte pas
        one.start()


# Ce qui échoue


def test_a_training_that_fails_says_so_and_one_can_start_again(make, broken, monkeypatch):
    error = ValueError("trop peu")
    one = make()
    broken(error)
    one.start()
    with pytest.raises(ValueError, match="trop peu") as raised:
        one.wait(PATIENCE)
    assert raised.value is error
    assert one.status["phase"] == FAILED
    assert plain(one.status["error"]) == "L'entraînement a échoué (ValueError) : trop peu"
    assert one.status["now"]["env_steps"] == one.agent.env_steps == 4 * SMALL.carts
    monkeypatch.undo()
    assert trained(one).status["error"] == ""
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
