"""Le calcul dans un fil à part : rien ne se perd, rien ne se répète, aucun bouton ne le bloque."""

import threading
from itertools import count, pairwise

import pytest
from watched import PATIENCE

from cartpole_helpers.display import background
from cartpole_helpers.display.background import (
    ENDED,
    FAILED,
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


class Items:
    """Des éléments 0, 1, 2… dont chacun attend, pour finir, que le test le laisse finir."""

    def __init__(self, total=None):
        self.done, self.total = [], total
        self._begun, self._allowed = threading.Semaphore(0), threading.Semaphore(0)

    def __iter__(self):
        return self

    def __next__(self):
        if len(self.done) == self.total:
            raise StopIteration
        self._begun.release()
        assert self._allowed.acquire(timeout=PATIENCE)
        self.done.append(len(self.done))
        return self.done[-1]

    def begins(self, timeout=PATIENCE):
        """Attend qu'un élément commence ; dit s'il l'a fait."""
        return self._begun.acquire(timeout=timeout)

    def let(self, number=1):
        """Laisse finir `number` éléments."""
        self._allowed.release(number)


@pytest.fixture
def make(escaped):
    """`make(éléments)` rend un calcul, que la fin du test arrête et dont le fil disparaît."""
    made = []

    def build(items, on_change=lambda: None, pace=None):
        made.append((Background(iter(items), on_change, pace), items))
        return made[-1][0]

    yield build
    for work, items in made:
        work.stop()
        if isinstance(items, Items):
            items.let(1_000)


def press(work, methods):
    for method in methods:
        getattr(work, method)()


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


# La pause et le pas à pas


def test_a_pause_lets_the_item_finish_then_a_start_goes_on(make):
    changes, items = threading.Semaphore(0), Items(4)
    work = make(items, changes.release)
    work.start()
    assert items.begins()
    work.pause()
    items.let()
    assert changes.acquire(timeout=PATIENCE)
    assert not items.begins(MOMENT)
    assert (work.phase, items.done) == (PAUSED, [0])
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : le calcul est en pause"):
        work.wait()
    with pytest.raises(TimeoutError, match=r"^Pas de fin après 0,01 s : le calcul est en pause\.$"):
        work.wait(0.01)
    work.start()
    items.let(3)
    work.wait(PATIENCE)
    assert (work.phase, items.done) == (FINISHED, [0, 1, 2, 3])


def test_each_step_is_exactly_one_item_even_when_the_one_before_is_not_over(make):
    changes, items = threading.Semaphore(0), Items(7)
    work = make(items, changes.release)
    for expected in range(3):
        work.step()
        items.let()
        assert changes.acquire(timeout=PATIENCE)
        assert items.begins()
        assert not items.begins(MOMENT)
        assert (work.phase, items.done) == (PAUSED, [*range(expected + 1)])
    press(work, ["step", "step", "step"])
    items.let(9)
    for _ in range(3):
        assert changes.acquire(timeout=PATIENCE)
    assert (work.phase, len(items.done)) == (PAUSED, 6)


# L'arrêt


def test_a_stop_while_an_item_is_made_keeps_it_and_makes_no_other(make):
    for before in ("pause", "start", "step"):
        items = Items()
        work = make(items)
        work.start()
        assert items.begins()
        press(work, [before, "stop"])
        items.let(9)
        work.wait(PATIENCE)
        assert (work.phase, work.error, items.done) == (STOPPED, None, [0]), before


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


# L'attente


def test_the_very_error_of_the_computation_is_raised_each_time_one_waits(make):
    error, news = SystemExit(3), []

    def items():
        yield
        raise error

    work = make(items(), lambda: news.append(work.phase))
    work.start()
    for _ in range(2):
        with pytest.raises(SystemExit) as raised:
            work.wait(PATIENCE)
        assert raised.value is error
    assert news == [RUNNING, FAILED]


@pytest.mark.parametrize("failing", [RUNNING, FINISHED])
def test_an_error_in_what_tells_the_news_is_not_lost(failing, make):
    def tell():
        if work.phase == failing:
            raise OSError("la page ne répond plus")

    work = make(range(3), tell)
    work.start()
    with pytest.raises(OSError, match="la page ne répond plus"):
        work.wait(PATIENCE)
    assert work.phase == FAILED


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


def gaps(make, clock, pace, total, during):
    """Le temps qui sépare chaque élément du suivant."""
    moments = []

    def items():
        for rank in range(total):
            moments.append(clock[0])
            during(rank, work)
            yield

    work = make(items(), pace=pace)
    work.start()
    work.wait(PATIENCE)
    assert moments[0] == 1000.0  # le premier n'attend pas
    return [after - before for before, after in pairwise(moments)]


def test_the_time_of_an_item_counts_and_a_delay_is_not_caught_up(clock, make):
    spent = [0.01, 0.07, 0.0, 0.015, 0.0]

    def work_hard(rank, work):
        clock[0] += spent[rank]

    assert gaps(make, clock, 50.0, 5, work_hard) == pytest.approx([0.02, 0.07, 0.02, 0.02])


def test_the_pace_can_be_changed_at_any_moment(clock, make):
    paces = {1: 10.0, 3: None, 5: 50.0}

    def change(rank, work):
        work.pace = paces.get(rank, work.pace)

    found = gaps(make, clock, 50.0, 8, change)
    assert found[:5] == pytest.approx([0.02, 0.1, 0.1, 0, 0])
    assert found[6:] == pytest.approx([0.02])


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
