"""Suivre un long calcul dans un carnet : une barre, une figure qui se redessine, un arrêt sûr."""

import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Protocol, TypeVar

from IPython.display import display
from ipywidgets import Label
from tqdm.notebook import tqdm

from cartpole_helpers.checks import check_number, check_text
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.typography import typography


class Counted(Protocol):
    """Ce que rend une boucle d'entraînement, et qui dit où elle en est."""

    env_steps: int


Record = TypeVar("Record", bound=Counted)
Done = TypeVar("Done")


class Sentence(str):
    """Une phrase, que ni un carnet ni un terminal ne met entre guillemets."""

    __repr__ = str.__str__


class Screen:
    """Une place, sous la cellule, où chaque image remplace la précédente sans clignoter."""

    def __init__(self):
        self._handle = None

    def show(self, content: object) -> None:
        """Affiche `content` à la place de ce qui y était."""
        if self._handle is None:
            self._handle = display(content, display_id=True)
        else:
            self._handle.update(content)


def follow(steps: Iterable[Record], total: int, label: str = "Entraînement") -> Iterator[Record]:
    """Rend un à un les `steps`, sous une barre de progression, jusqu'à `total` pas par agent.

    `steps` : les tours de `train`, de `Training.run`, ou les épisodes de `version1.train`. Le
    bouton d'arrêt de Jupyter (ou Ctrl-C) laisse finir le tour en cours, puis arrête la boucle sans
    erreur : ce qui est appris est gardé, et une phrase le dit. Un second appui interrompt tout.
    """
    total, label = check_number("total", total, int, low=1), check_text("label", label)
    if not isinstance(steps, Iterable):
        raise TypeError(f"steps doit être une suite de tours, que rend `train` : {steps!r} reçu.")
    screen, done = Screen(), 0
    form = "{l_bar}{bar} {n_fmt} pas sur {total_fmt}, encore {remaining}"
    bar = tqdm(total=total, desc=label, bar_format=form, display=False)
    screen.show(bar.container)
    ending = f"{label} : boucle quittée"
    try:
        with _stop_button() as asked:
            for step in steps:
                reached = min(_env_steps(step), total)
                bar.update(reached - done)
                done = reached
                yield step
                if asked() or done == total:
                    break
            stopped = asked() and done < total
            ending = f"{label} : interrompu" if stopped else f"{label} : fini"
    finally:
        bar.close()
        kept = "" if ending.endswith("fini") else " ; ce qui est appris est gardé"
        screen.show(Sentence(typography(f"{ending} après {number(done)} pas{kept}.")))


def each(items: Collection[Done], label: str) -> Iterator[Done]:
    """Rend un à un les éléments d'une suite, sous une barre, puis une phrase qui les compte."""
    label = check_text("label", label)
    if not isinstance(items, Collection):
        raise TypeError(f"items doit être une suite, dont on connaît la longueur : {items!r} reçu.")
    form = "{l_bar}{bar} {n_fmt} sur {total_fmt}, encore {remaining}"
    return _barred(items, len(items), label, form)


def progress(tasks: Iterable[Done], total: int, bar_format: str) -> Iterator[Done]:
    """Rend les tâches faites, sous une barre, puis une phrase : c'est le `bar` de `complete`."""
    return _barred(tasks, total, "Groupes archivés", bar_format)


@contextmanager
def waiting(label: str) -> Iterator[None]:
    """Montre les secondes qui passent, tant que dure un bloc dont on ne voit pas les tours."""
    screen, over, start = Screen(), threading.Event(), perf_counter()
    clock = Label(typography(f"{check_text('label', label)}…"))

    def tick() -> None:
        while not over.wait(1):
            clock.value = typography(f"{label} : {perf_counter() - start:.0f} s…")

    thread = threading.Thread(target=tick, daemon=True)
    screen.show(clock)
    thread.start()
    ending = "interrompu"
    try:
        yield
        ending = "fini"
    finally:
        over.set()
        thread.join()
        screen.show(Sentence(typography(f"{label} : {ending}.")))


def _barred(items: Iterable[Done], total: int, label: str, form: str) -> Iterator[Done]:
    screen, count = Screen(), 0
    bar = tqdm(total=total, desc=label, bar_format=form, display=False)
    screen.show(bar.container)
    try:
        for one in items:
            yield one
            count += 1
            bar.update()
    finally:
        bar.close()
        screen.show(Sentence(typography(f"{label} : {number(count)} sur {number(total)}.")))


def _env_steps(step: Counted) -> int:
    """Rend où en est la boucle, ou refuse un tour qui ne le dit pas."""
    if not hasattr(step, "env_steps"):
        raise TypeError(f"steps doit rendre des tours, qui ont `env_steps` : {step!r} reçu.")
    return step.env_steps


@contextmanager
def _stop_button() -> Iterator[Callable[[], bool]]:
    """Rend une fonction qui dit si l'arrêt a été demandé ; hors du fil principal, jamais."""
    requests = []

    def request(number, frame):
        if requests:
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, request)
    try:
        yield lambda: bool(requests)
    finally:
        signal.signal(signal.SIGINT, before)
