"""Un calcul, pas à pas, dans un fil à part : on le lance, le suspend, le ralentit, l'arrête."""

import math
import threading
from collections.abc import Callable, Iterator
from time import perf_counter

from cartpole_helpers.checks import check_number

READY, RUNNING, PAUSED = "prêt", "en cours", "en pause"
STOPPED, FINISHED, FAILED = "arrêté", "fini", "échoué"
ENDED = (STOPPED, FINISHED, FAILED)


class Background:
    """Épuise `items` dans un fil à part, où `on_change` suit chaque élément, et la fin.

    Les méthodes se répètent sans dommage : suspendre deux fois, arrêter ce qui n'a pas commencé. Ce
    fil n'empêche pas Python de s'arrêter ; le bouton d'arrêt de Jupyter, lui, ne l'atteint pas.
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

    def start(self) -> None:
        """Lance le calcul, ou le reprend s'il est suspendu."""
        self._allow(math.inf)

    def pause(self) -> None:
        """Suspend le calcul après l'élément en cours."""
        with self._condition:
            self._credit = 0.0
            if self.phase == RUNNING:
                self.phase = PAUSED

    def step(self) -> None:
        """Fait un élément, puis suspend."""
        self._allow(1.0)

    def stop(self) -> None:
        """Arrête pour de bon après l'élément en cours ; ne l'attend pas."""
        with self._condition:
            self._stopping.set()
            self._condition.notify_all()
            if self._thread is None:
                self.phase = STOPPED

    def wait(self, timeout: float | None = None) -> None:
        """Attend la fin, `timeout` secondes au plus ; lève l'erreur du calcul s'il a échoué.

        TimeoutError si le calcul n'a pas fini à temps ; RuntimeError s'il n'a pas commencé ou s'il
        est suspendu : l'attente n'aurait pas de fin.
        """
        if timeout is not None:
            timeout = check_number("timeout", timeout, float, low=0)
        if self.phase == READY or (timeout is None and self.phase == PAUSED):
            raise RuntimeError(f"Rien à attendre : le calcul est {self.phase}. Appelez start().")
        if self._thread is not None:
            self._thread.join(timeout)
        if self.phase not in ENDED:
            raise TimeoutError(
                f"Le calcul n'est pas fini après {timeout:g} s : il est {self.phase}."
            )
        if self.error is not None:
            raise self.error

    def _allow(self, credit: float) -> None:
        with self._condition:
            if self.phase in ENDED:
                return
            self._credit = credit
            self.phase = PAUSED if credit == 1 else RUNNING
            self._condition.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            while self._is_allowed():
                next(self._items)
                self._on_change()
            self.phase = STOPPED
        except StopIteration:
            self.phase = FINISHED
        except BaseException as error:  # rien ne doit se perdre dans un fil : wait la relèvera
            self.error = error
            self.phase = FAILED
        self._on_change()

    def _is_allowed(self) -> bool:
        """Attend le droit de faire l'élément suivant ; rend False s'il faut s'arrêter."""
        self._keep_pace()
        with self._condition:
            self._condition.wait_for(lambda: self._credit > 0 or self._stopping.is_set())
            self._credit -= 1
        return not self._stopping.is_set()

    def _keep_pace(self) -> None:
        if self.pace is None:
            return
        now = perf_counter()
        # Un retard ne se rattrape pas en accélérant.
        self._due = max(self._due + 1 / self.pace, now)
        self._stopping.wait(self._due - now)
