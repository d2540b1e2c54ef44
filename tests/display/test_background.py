"""Le calcul dans un fil à part : rien ne se perd, rien ne se répète, aucun bouton ne le bloque."""

import threading
import time
from itertools import count, pairwise

import pytest
from watched import PATIENCE, Turns

from cartpole_helpers.display import background
from cartpole_helpers.display.background import (
    ENDED,
    FINISHED,
    LABELS,
    PAUSED,
    READY,
    RUNNING,
    STOPPED,
    Background,
    Phase,
)

MOMENT = 0.05  # s laissées à un élément de trop pour se montrer


@pytest.fixture
def make(escaped):
    """`make(éléments)` rend un calcul, que la fin du test arrête et dont le fil disparaît."""
    made = []

    def build(items, on_change=lambda: None, pace=None):
        made.append(Background(iter(items), on_change, pace))
        return made[-1]

    yield build
    for work in made:
        work.stop()


def gated(make, total):
    """Un calcul dont chaque élément attend la permission, ce qui est fait, ce qui est dit."""
    gate, done, changes = Turns(), [], threading.Semaphore(0)
    work = make(gate.around(done.append(rank) for rank in range(total)), changes.release)
    return work, gate, done, changes


# Jusqu'au bout


def test_every_item_is_made_once_in_order_and_told_by_a_thread_that_python_can_leave(make):
    done, news = [], []
    work = make(
        (done.append(rank) for rank in range(3)),
        lambda: news.append(([*done], work.phase, threading.current_thread().daemon)),
    )
    work.pause()
    assert (work.phase, done) == (READY, [])
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : le calcul est prêt\. Lancez-le d'"):
        work.wait(0)
    work.start()
    work.wait(PATIENCE)
    assert news == [
        ([0], RUNNING, True),
        ([0, 1], RUNNING, True),
        ([0, 1, 2], RUNNING, True),
        ([0, 1, 2], FINISHED, True),
    ]
    for method in (work.start, work.step, work.pause, work.stop):
        method()
        assert work.phase == FINISHED


# La pause et le pas à pas


def test_a_pause_lets_the_item_finish_then_a_start_goes_on(make):
    work, gate, done, changes = gated(make, 4)
    work.start()
    gate.asked()
    work.pause()
    gate.let(9)
    assert changes.acquire(timeout=PATIENCE)
    time.sleep(MOMENT)
    assert (work.phase, done) == (PAUSED, [0])
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : le calcul est en pause"):
        work.wait()
    with pytest.raises(TimeoutError, match=r"^Pas de fin après 0,01 s : le calcul est en pause\.$"):
        work.wait(0.01)
    work.start()
    work.wait(PATIENCE)
    assert (work.phase, done) == (FINISHED, [0, 1, 2, 3])


def test_each_step_is_exactly_one_item_even_when_the_one_before_is_not_over(make):
    work, gate, done, changes = gated(make, 9)
    gate.let(20)
    for steps, total in ((1, 1), (1, 2), (3, 5)):
        for _ in range(steps):
            work.step()
        for _ in range(steps):
            assert changes.acquire(timeout=PATIENCE)
        time.sleep(MOMENT)
        assert (work.phase, done) == (PAUSED, [*range(total)])


# L'arrêt


def test_a_stop_while_an_item_is_made_keeps_it_and_makes_no_other(make):
    work, gate, done, _ = gated(make, 4)
    work.start()
    gate.asked()
    work.stop()
    gate.let(9)
    work.wait(PATIENCE)
    assert (work.phase, work.error, done) == (STOPPED, None, [0])


@pytest.mark.parametrize("method", ["start", "pause"])
def test_a_button_pressed_at_the_very_end_does_not_hide_the_end(method):
    """Le calcul finit pendant que la méthode regarde où il en est : le pire moment."""
    last, over = threading.Event(), threading.Event()

    class Watched(Background):
        @property
        def phase(self):
            found = self._phase
            if threading.current_thread() is threading.main_thread() and begun.is_set():
                last.set()
                over.wait(0.3)
            return found

        @phase.setter
        def phase(self, value):
            self._phase = value
            if value in ENDED:
                over.set()

    def items():
        yield
        begun.set()
        assert last.wait(PATIENCE)

    begun = threading.Event()
    work = Watched(items(), lambda: None)
    work.start()
    assert begun.wait(PATIENCE)
    getattr(work, method)()
    assert over.wait(PATIENCE)
    begun.clear()
    work.wait(PATIENCE)
    assert work.phase == FINISHED


# La cadence


@pytest.fixture
def clock(monkeypatch):
    """L'heure du calcul, dans une liste d'un nombre ; attendre n'y prend aucun temps vrai."""
    now, wait = [1000.0], threading.Event.wait

    def pass_time(event, timeout=None):
        if timeout is None or threading.current_thread() is threading.main_thread():
            return wait(event, timeout)
        now[0] += max(timeout, 0)
        return event.is_set()

    monkeypatch.setattr(background, "perf_counter", lambda: now[0])
    monkeypatch.setattr(threading.Event, "wait", pass_time)
    return now


def test_the_pace_can_be_changed_and_a_delay_is_not_caught_up(clock, make):
    moments, paces = [], {1: 10.0, 4: None}

    def items():
        for rank in range(6):
            moments.append(clock[0])
            work.pace = paces.get(rank, work.pace)
            clock[0] += 0.25 if rank == 2 else 0.015
            yield

    work = make(items(), pace=50.0)
    work.start()
    work.wait(PATIENCE)
    gaps = [after - before for before, after in pairwise(moments)]
    assert moments[0] == 1000.0  # le premier n'attend pas
    assert gaps == pytest.approx([0.02, 0.1, 0.25, 0.1, 0.015])


def test_a_stop_does_not_wait_for_the_pace(make):
    changes = threading.Semaphore(0)
    work = make(count(), changes.release, pace=1 / 3600)
    work.start()
    assert changes.acquire(timeout=PATIENCE)
    work.stop()
    work.wait(PATIENCE)
    assert work.phase == STOPPED


def test_each_phase_has_a_name_in_french_and_the_page_gives_it_the_same(node):
    assert [*LABELS] == [*Phase]
    assert node("labels") == LABELS
