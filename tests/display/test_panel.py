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
from watched import (
    HOSTILE,
    PATIENCE,
    Turns,
    ask,
    assert_never_html,
    assert_saved,
    frozen_state,
    plain,
)

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
from cartpole_helpers.display.run import Run
from cartpole_helpers.display.settings import SLIDERS, choices

SMALL = replace(
    QUICK, total_steps=240, carts=4, hidden=(8,), batch_size=16, warmup=32, capacity=100
)
PRESETS = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
TRAITS = ("fields", "presets", "paces", "form", "status", "current", "past")
CALM = {"phase": READY, "error": "", "now": None, "remaining": None, "pending": False}


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


# L'entraînement


def test_neither_pace_nor_pauses_nor_steps_change_the_training(make, monkeypatch):
    pace = "50 tours par seconde : temps réel"
    monkeypatch.setitem(PACES, pace, 500.0)
    one = make()
    one.receive({"do": "pace", "pace": pace}, [])
    for method in ("step", "pause", "start", "step", "start", "pause", "step", "start"):
        getattr(one, method)()
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    assert (one.status["phase"], one.status["now"]["env_steps"]) == (FINISHED, 240)


def test_the_agent_and_the_history_of_the_instant_can_be_read_and_saved(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    bare = Training(SMALL, 3)
    expected = record(bare.advance() for _ in range(3))
    assert one.agent.env_steps == 12
    assert torch.equal(one.agent.weights, bare.agent.weights)
    np.testing.assert_array_equal(one.history.episode_return, expected.episode_return)
    assert frozen_state(one.frozen())["status"]["now"]["env_steps"] == 12


def test_before_any_run_there_is_nothing_to_read_nor_to_stop(make):
    assert panel().config == VERSION_2
    one = make()
    before = shown(one)
    for name in ("agent", "history"):
        with pytest.raises(RuntimeError, match=r"^Aucun essai n'a commencé : appuyez"):
            getattr(one, name)
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : aucun essai n'a commencé\."):
        one.wait(0)
    for method in ("pause", "stop", "clear") * 2:
        getattr(one, method)()
    assert shown(one) == before
    assert one.status == CALM
    assert plain(one.still.alt).startswith("Ici, un panneau entraîne un agent")


def test_bad_arguments_are_refused(make):
    with pytest.raises(TypeError, match=r"^config doit être un Config : None reçu\.$"):
        panel(None)
    with pytest.raises(ValueError, match=r"^seed doit être un entier .* : -1 reçu\.$"):
        panel(SMALL, -1)
    one = make()
    with pytest.raises(ValueError, match=r"'nope' reçu"):
        one.set(n_steps=2, nope=1)
    with pytest.raises(ValueError, match=r"^preset doit être l'un de 'VERSION_1', .* reçu\."):
        one.use("VERSION_3")
    assert one.config == SMALL


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


def test_clearing_while_it_runs_leaves_a_new_panel_with_its_settings(make, turns, escaped):
    one = make()
    one.set(n_steps=2)
    form = one.form
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
    assert (one.form, one.config) == (form, replace(SMALL, n_steps=2))
    assert trained(one).current["label"].startswith("1 · ")


def test_the_buttons_of_the_page_are_the_methods(make, turns):
    one = make()
    turns.let(4)
    for does, told in [("step", PAUSED), ("start", RUNNING), ("pause", PAUSED), ("stop", STOPPED)]:
        assert ask(one, {"do": does}) == {}
        turns.let()
        until(one, phase(told))
    assert ask(one, {"do": "clear"}) == {}
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
    assert ask(one, {"do": "pace", "pace": "10 tours par seconde"}) == {}
    one.step()
    turns.asked()
    assert made[0].pace == 10
    for pace, value in PACES.items():
        turns.let()
        assert ask(one, {"do": "pace", "pace": pace}) == {}
        assert (one.form["pace"], made[0].pace) == (pace, value)
    assert len(made) == 1


def test_the_run_pauses_when_the_last_view_closes_and_not_before(make, turns):
    one = make()
    for does in ("open", "open", "close", "start"):
        ask(one, {"do": does})
    turns.asked()
    for does in ("open", "close"):
        ask(one, {"do": does})
    turns.let()
    turns.asked()
    assert one.status["phase"] == RUNNING
    ask(one, {"do": "close"})
    assert one.status["phase"] == PAUSED


def test_a_page_that_comes_back_resumes_what_it_left_running_and_nothing_else(make, turns):
    turns.let(1_000)
    cases = [([], READY, READY), (["start"], PAUSED, RUNNING)]
    cases += [(["step", "pause"], PAUSED, PAUSED), (["start", "stop"], STOPPED, STOPPED)]
    for before, left, back in cases:
        one = make(replace(SMALL, total_steps=10**6))
        for does in ("open", "open", *before, "leave"):
            ask(one, {"do": does})
        until(one, phase(left))
        ask(one, {"do": "open"})
        assert one.status["phase"] == back, before
        one.stop()


# Les réglages


def bad_messages():
    """Ce qu'une page ne doit pas demander, et ce qu'une page hostile demanderait."""
    large = [place for place, size in enumerate(choices("batch_size", SMALL)) if size > 100]
    yield {}
    yield from ({"do": does} for does in (None, "wait", "__init__", ["start"], {}))
    yield from ({"do": "start", "rank": 3}, {"do": "close", "views": 3})
    yield from ({"do": "set", "field": "gamma", "rank": rank} for rank in (-1, 99, 2.5, None, True))
    yield from ({"do": "set", "field": field, "rank": 0} for field in ("warmup", HOSTILE, None, {}))
    yield {"do": "set", "field": "batch_size", "rank": large[0]}
    yield from ({"do": "set", "rank": 1}, {"do": "set", "field": "gamma", "rank": 1, "value": 2})
    yield from ({"do": "use", "preset": preset} for preset in ("VERSION_3", None, ["QUICK"]))
    yield from ({"do": "seed", "seed": seed} for seed in (-1, 1.5, "1", True))
    yield from ({"do": "pace", "pace": pace} for pace in ("vite", None, 10))
    yield from ({"do": does} for does in ("use", "seed", "pace"))


def test_a_bad_message_changes_nothing_and_is_refused_in_french(make):
    one = make()
    before = shown(one)
    for message in bad_messages():
        answer = ask(one, message)
        assert shown(one) == before, message
        assert set(answer) == {"error"}, message
        assert re.search(r"reçus?\.(\sVouliez-vous dire '\w+'\s\?)?$", answer["error"]), answer


def test_every_place_of_every_slider_is_described_and_understood(make):
    one = make(VERSION_2)
    assert [group["group"] for group in one.fields] == [*SLIDERS]
    described = [field for group in one.fields for field in group["fields"]]
    assert [field["name"] for field in described] == [n for g in SLIDERS.values() for n in g]
    for field in described:
        assert all(field[part] for part in ("label", "help"))
        for rank, text in enumerate(field["choices"]):
            one.use("VERSION_2")
            assert ask(one, {"do": "set", "field": field["name"], "rank": rank}) == {}
            assert one.form["chosen"][field["name"]] == {"rank": rank, "text": text}
            wanted = choices(field["name"], VERSION_2)[rank]
            assert getattr(one.config, field["name"]) == wanted


def test_the_form_says_what_the_next_run_will_be(make):
    one = make(replace(SMALL, gamma=0.931, hidden=(7,)), 5)
    assert (one.form["preset"], one.form["seed"]) == (None, 5)
    assert [one.form["chosen"][name]["text"] for name in ("gamma", "hidden")] == ["0,931", "7"]
    assert made_again(one.form["line"]) == one.config
    assert one.presets == [*PRESETS]
    for name, preset in PRESETS.items():
        one.receive({"do": "use", "preset": name}, [])
        assert one.config == preset
        assert (one.form["preset"], one.form["line"]) == (name, name)
    one.set(gamma=0.12345, average_tail=0.1)
    assert one.config == replace(QUICK, gamma=0.12345, average_tail=0.1)
    assert one.form["preset"] is None
    assert one.form["chosen"]["gamma"]["text"] == "0,12345"  # entre deux crans


def test_moving_a_slider_leaves_the_run_alone_and_says_it_waits(make, turns):
    one = make()
    one.start()
    turns.let(3)
    turns.asked(4)
    one.pause()
    for changes, pending in (({"gamma": 0.5}, True), ({"gamma": SMALL.gamma}, False)):
        one.set(**changes)
        assert one.status["pending"] is pending
    for seed, pending in ((3, False), (8, True)):
        one.receive({"do": "seed", "seed": seed}, [])
        assert (one.status["pending"], one.form["seed"], one.seed) == (pending, seed, seed)
    one.start()
    turns.let(1_000)
    one.wait(PATIENCE)
    assert_same_training(one, SMALL, 3)
    one.set(gamma=0.5)
    assert one.status["pending"] is True
    trained(one)
    assert one.status["pending"] is False
    assert_same_training(one, replace(SMALL, gamma=0.5), 8)


# Ce que l'on montre


def test_the_runs_are_superposed_and_named_by_what_changed(make):
    one = make(replace(SMALL, total_steps=8))
    for number in range(1, KEPT_RUNS + 4):
        one.set(gamma=number / 100)
        trained(one)
        seen = [*one.past, one.current]
        ranks = [*range(number)][-KEPT_RUNS - 1 :]
        assert [run["rank"] for run in seen] == ranks
        assert [run["label"].partition(",")[0] for run in seen] == [
            f"{k + 1} · QUICK" for k in ranks
        ]
        assert f"gamma = 0,{number:02}" in one.current["label"]
        assert one.current["label"].endswith(", graine 3")
    assert one.current["gamma"] == 0.08


def test_a_past_run_keeps_all_its_curves_and_the_saved_page_is_the_same(make):
    one, other = trained(make()), trained(make())
    assert one.frozen() == other.frozen()
    assert frozen_state(one.frozen()) == {name: getattr(one, name) for name in TRAITS}
    assert re.match(r"1 · QUICK, .*graine 3 : [\d,]+ pas à la dernière", plain(one.still.alt))
    assert_saved(one)
    first = json.loads(json.dumps(one.current))
    assert len(first["curves"]["greedy"]["x"]) == 20
    assert first["total"] == first["curves"]["greedy"]["x"][-1] == 240
    assert made_again(first["line"]) == SMALL
    trained(one)
    assert one.past == [first]
    assert one.current["curves"] == first["curves"]  # même graine, mêmes réglages


def test_everything_that_is_shown_is_json_even_when_it_diverges(make, turns):
    one, seen = make(replace(SMALL, learning_rate=1e30)), []
    one.observe(lambda change: seen.append((change.name, change.new)), TRAITS)
    turns.let(200)
    trained(one)
    assert {name for name, _ in seen} == {"status", "current"}
    assert len(seen) > 60
    for _, value in [*seen, *((name, getattr(one, name)) for name in TRAITS)]:
        assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert one.status["now"]["diverged"] is True


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

    def note(change):
        if threading.current_thread() is threading.main_thread():
            return
        if change.name == "status":
            news.append(change.new["now"]["env_steps"] // SMALL.carts)
        else:
            curves.append(len(change.new["curves"]["epsilon"]["x"]))

    monkeypatch.setattr(Training, "advance", slow)
    one = make()
    one.observe(note, ["status", "current"])
    trained(one)
    assert news[0] == curves[0] == 1
    assert news[-1] == curves[-1] == 60
    assert {after - before for before, after in pairwise(news[:-2])} == {3}  # 0,06 s
    assert {after - before for before, after in pairwise(curves[:-1])} == {15}  # 0,3 s


# Ce qui échoue


def test_a_training_that_fails_says_so_and_one_can_start_again(make, broken, monkeypatch):
    error = ValueError(HOSTILE)
    one = make()
    broken(error)
    one.start()
    with pytest.raises(ValueError, match="onerror") as raised:
        one.wait(PATIENCE)
    assert raised.value is error
    assert one.status["phase"] == FAILED
    assert plain(one.status["error"]) == f"L'entraînement a échoué (ValueError) : {HOSTILE}"
    assert one.status["now"]["env_steps"] == one.agent.env_steps == 4 * SMALL.carts
    assert len(one.current["curves"]["epsilon"]["x"]) == 4
    page = one.frozen()
    assert_never_html(page, frozen_state(page)["status"]["error"])
    monkeypatch.undo()
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
