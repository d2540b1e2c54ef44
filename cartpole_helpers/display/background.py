"""Un calcul, pas à pas, dans un fil à part : on le lance, le suspend, le ralentit, l'arrête."""

import atexit
import math
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from time import perf_counter

from cartpole_helpers.checks import check_number
from cartpole_helpers.display.numbers import exact


class Phase(StrEnum):
    """Où en est un calcul ; la page a les mêmes états (web/phases.mjs)."""

    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


READY, RUNNING, PAUSED, STOPPED, FINISHED, FAILED = Phase
ENDED = (STOPPED, FINISHED, FAILED)
LABELS = dict(zip(Phase, ("prêt", "en cours", "en pause", "arrêté", "fini", "échoué"), strict=True))


class Background:
    """Épuise `items` dans un fil à part, où `on_change` suit chaque élément, et la fin.

    Les méthodes se répètent sans dommage : suspendre deux fois, arrêter ce qui n'a pas commencé.
    Quitter Python arrête le fil ; le bouton d'arrêt de Jupyter, lui, ne l'atteint pas. `pace` :
    nombre d'éléments par seconde, ou None pour n'attendre jamais ; on peut le changer en route.
    """

    def __init__(self, items: Iterator, on_change: Callable[[], None], pace: float | None = None):
        self._items = items
        self._on_change = on_change
        self._condition = threading.Condition()
        self._credit = 0.0  # éléments que l'on a encore le droit de faire
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._due = -math.inf  # quand l'élément suivant sera permis par la cadence
        self.error: BaseException | None = None
        self.phase = READY
        self.pace = pace

    @property
    def is_over(self) -> bool:
        """Dit si le calcul est fini, ou si on lui a demandé de s'arrêter."""
        return self.phase in ENDED or self._stopping.is_set()

    def start(self) -> None:
        """Lance le calcul, ou le reprend s'il est suspendu."""
        self._allow(math.inf)

    def step(self) -> None:
        """Fait un élément de plus, puis suspend."""
        self._allow(1.0)

    def pause(self) -> None:
        """Suspend le calcul après l'élément en cours."""
        with self._condition:
            self._credit = 0.0
            if self.phase == RUNNING:
                self.phase = PAUSED

    def stop(self) -> None:
        """Arrête pour de bon après l'élément en cours ; ne l'attend pas."""
        with self._condition:
            self._stopping.set()
            self._condition.notify_all()
            if self._thread is None:
                self.phase = STOPPED

    def wait(self, timeout: float | None = None) -> None:
        """Attend la fin, `timeout` secondes au plus ; lève l'erreur du calcul s'il a échoué.

        TimeoutError si le calcul n'a pas fini à temps ; RuntimeError s'il n'a pas commencé, ou si,
        sans `timeout`, il est suspendu : l'attente n'aurait pas de fin.
        """
        if timeout is not None:
            timeout = check_number("timeout", timeout, float, low=0, high=threading.TIMEOUT_MAX)
        endless = timeout is None and self.phase == PAUSED and not self._stopping.is_set()
        if self.phase == READY or endless:
            raise RuntimeError(f"Rien à attendre : {self._told()}. Lancez-le d'abord.")
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise TimeoutError(f"Pas de fin après {exact(timeout)} s : {self._told()}.")
        if self.error is not None:
            raise self.error

    def _told(self) -> str:
        return f"le calcul est {LABELS[self.phase]}"

    def _allow(self, credit: float) -> None:
        with self._condition:
            if self.is_over:
                return
            going_on = 0.0 if self.phase == RUNNING else self._credit
            self._credit = going_on + credit
            self.phase = RUNNING if self._credit == math.inf else PAUSED
            self._condition.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                atexit.register(self._leave)
                self._thread.start()

    def _leave(self) -> None:
        """Python s'en va : PyTorch ne supporte pas qu'un fil calcule encore."""
        self.stop()
        self._thread.join()

    def _work(self) -> None:
        error = self._exhaust()
        with self._condition:
            ended = isinstance(error, StopIteration)
            self.phase = STOPPED if error is None else FINISHED if ended else FAILED
            self.error = None if ended else error
        try:
            self._on_change()
        except BaseException as late:
            self.phase, self.error = FAILED, self.error or late
        atexit.unregister(self._leave)

    def _exhaust(self) -> BaseException | None:
        """Fait les éléments ; rend ce qui y a mis fin : une erreur, ou None si on l'a demandé."""
        try:
            while self._is_allowed():
                next(self._items)
                self._on_change()
        except BaseException as error:  # rien ne doit se perdre dans un fil : `wait` la relèvera
            return error
        return None

    def _is_allowed(self) -> bool:
        """Attend le droit de faire l'élément suivant ; rend `False` s'il faut s'arrêter."""
        self._keep_pace(self.pace)
        with self._condition:
            self._condition.wait_for(lambda: self._credit > 0 or self._stopping.is_set())
            self._credit -= 1
        return not self._stopping.is_set()

    def _keep_pace(self, pace: float | None) -> None:
        if pace is None:
            return
        now = perf_counter()
        # Un retard ne se rattrape pas en accélérant.
        self._due = max(self._due + 1 / pace, now)
        self._stopping.wait(self._due - now)
