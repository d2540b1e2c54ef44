"""L'exécution du code d'un autre : en silence, bornée, sans trace, et ce qu'elle a donné."""

import builtins
import dis
import functools
import inspect
import operator
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from ctypes import c_ulong, py_object, pythonapi
from difflib import get_close_matches as close
from io import StringIO
from itertools import pairwise
from pathlib import Path
from time import monotonic, process_time
from types import CodeType, FrameType, ModuleType
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import MT19937, get_state, set_state

SECONDS = 10.0  # de calcul que peut prendre une exécution ; juger la plus lente en prend une
PATIENCE = 6.0  # fois plus, pour une machine occupée ailleurs, ou une attente
TICK = 0.02  # secondes entre deux coups d'œil à l'horloge, ou deux interruptions
ROOM = 2 * 2**30  # octets de plus que peut prendre une exécution, sous Linux
LONGEST = 500  # caractères d'un message d'erreur
OURS = {"cartpole_helpers", "gymnasium", "numpy", "torch"}  # le reste est à la réponse
ALARM = getattr(signal, "SIGALRM", None)  # absent de Windows
SIGNALS = [one for one in (signal.SIGINT, ALARM) if one]
STATM = Path("/proc/self/statm")
NONE = "Une valeur est `None` : un `return` est-il oublié dans une fonction que vous appelez ?"
EMPTY = "Rien n'est rendu : reste-t-il du code à écrire, un `return` est-il oublié ?"
SLIPS = {
    UnboundLocalError: "Une variable est lue avant d'avoir reçu une valeur.",
    RecursionError: "Votre fonction s'appelle elle-même sans fin.",
    EOFError: "`input()` n'attend personne ici : tout vient des arguments de votre fonction.",
}


class Outcome(NamedTuple):
    """Ce qu'un appel a donné : une valeur, ou l'erreur `kind`, ce qu'on en dit, et son indice."""

    value: object = None
    kind: str = ""
    told: str = ""
    hint: str = ""
    lines: tuple[tuple[str, int], ...] = ()  # celles que l'erreur a traversées, fichier et numéro
    is_hole: bool = False  # c'est la marque de ce qui reste à écrire
    is_nothing: bool = False  # rien n'est rendu, même si une vue bute ensuite sur ce rien


def outcome(view: Callable, answer: Callable, *arguments) -> Outcome:
    """Rend ce que donne `view(answer, *arguments)`, ou l'erreur qui l'a arrêté."""
    heard: list[bool] = []
    try:
        value = view(_heard(answer, heard), *arguments)
    except STOPS:
        raise
    except BaseException as error:  # même `exit()` : la réponse ne doit pas arrêter le carnet
        hole = _is_left_to_write(error)
        nothing = bool(heard) and all(heard) and not _is_in_answer(error)
        kind, hint = type(error).__name__, EMPTY if nothing else slip(error)
        return Outcome(None, kind, told(error), hint, _lines(error), hole, hole or nothing)
    return Outcome(value, is_hole=value is ..., is_nothing=value is None or value is ...)


def contained(
    view: Callable,
    answer: Callable,
    *arguments,
    seconds: float | None = None,
    seed: int | None = None,
) -> Outcome:
    """Rend ce que donne `outcome`, en silence, borné, et remet tout ce que le juge emploie.

    `seconds` : le calcul permis, `SECONDS` à défaut ; `PATIENCE` fois plus, s'il n'est qu'attendu.
    `seed` : celle du hasard commun, neuf à défaut.
    Sont coupés une boucle de Python quoi qu'elle attrape, une attente, et les calculs en C qui
    écoutent les signaux. Un appel en C qui ne les écoute pas, comme `sum(itertools.count())` ou
    `sorted(range(10**9))`, ne s'arrête qu'avec le noyau. Sous Windows, les attentes et ces calculs
    ne sont coupés qu'au mieux ; hors de Linux, la mémoire n'est pas bornée ; hors du fil principal,
    seule une boucle qui n'attrape rien l'est. Restent les fils lancés et les fichiers touchés.
    Un arrêt demandé par le lecteur, `KeyboardInterrupt`, passe.
    """
    seconds = seconds or SECONDS
    try:
        with silence(), _put_back(seed), _bounded_memory(), _Clock(seconds) as clock:
            return clock.run(view, answer, *arguments)
    except KeyboardInterrupt:
        raise
    except TooLongError:
        return Outcome(kind="boucle", told=f"plus de {seconds:g} secondes : une boucle sans fin ?")
    except MemoryError:
        return Outcome(
            kind="mémoire", told="la mémoire n'y suffit pas : que demandez-vous de si grand ?"
        )
    except BaseException:
        return Outcome(kind="erreur", told="une erreur qui ne se laisse pas dire")


# Le code


def is_stub(answer: Callable) -> bool:
    """Dit si le code de `answer`, fonction ou classe, ne fait rien : une docstring, `...`, `pass`
    ou `raise NotImplementedError`."""
    if inspect.isclass(answer):
        written = [one for base in answer.__mro__[:-1] for one in vars(base).values()]
        members = [getattr(one, "fget", one) for one in written]
        return all(map(is_stub, filter(inspect.isroutine, members)))
    while isinstance(answer, functools.partial):
        answer = answer.func
    answer = inspect.unwrap(answer)
    code = getattr(answer, "__code__", getattr(type(answer).__call__, "__code__", None))
    if code is None:
        return False
    names = {*code.co_names}
    idle = _operations(code) <= IDLE and names <= {"NotImplementedError"}
    return idle and (bool(names) or _returned(code) <= {None, ...})


def _operations(code: CodeType) -> set[str]:
    return {instruction.opname for instruction in dis.get_instructions(code)}


def _returned(code: CodeType) -> set:
    """Rend les constantes que rend un code qui n'a que cela à rendre."""
    done = [*dis.get_instructions(code)]
    last = [
        one if one.opname == "RETURN_CONST" else before
        for before, one in pairwise(done)
        if one.opname.startswith("RETURN")
    ]
    return {one.argval for one in last}


def _unwritten():
    raise NotImplementedError("")


# Ce que fait une ébauche, qui change d'un Python à l'autre.
IDLE = _operations(_unwritten.__code__) | _operations((lambda: ...).__code__)


def _heard(answer: Callable, heard: list[bool]) -> Callable:
    """Rend la fonction `answer`, qui note à chaque appel si elle n'a rien rendu."""
    if not inspect.isfunction(answer):
        return answer

    @functools.wraps(answer)
    def listened(*arguments, **named):
        value = answer(*arguments, **named)
        heard.append(value is None or value is ...)
        return value

    return listened


# Les bornes


class TooLongError(BaseException):
    """La réponse dure trop ; ce n'est pas une Exception, qu'elle pourrait taire."""


STOPS = KeyboardInterrupt, TooLongError, MemoryError
"""Ce qui arrête toute l'exécution."""


class _Clock:
    """Arrête ce qui dure, ou ce que le lecteur arrête, même si le code attrape tout.

    Le système, ou à défaut un fil, envoie des signaux, que Python reçoit entre deux instructions et
    que les attentes écoutent. Chacun lève l'erreur, et pose un traceur qui la lève encore à chaque
    ligne : ce qu'un `except` attrape, la ligne suivante le relève.
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._start = monotonic(), process_time()
        self._reason: type[BaseException] | None = None
        self._runs = False
        self._thread = threading.current_thread()
        self._is_main = self._thread is threading.main_thread()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Clock":
        if self._is_main:
            self._before = {one: signal.signal(one, self._receive) for one in SIGNALS}
        if self._is_main and ALARM:
            self._timer = signal.setitimer(signal.ITIMER_REAL, self._seconds, TICK)
        else:
            self._watcher.start()
        return self

    def run(self, *call) -> Outcome:
        """Rend l'`outcome` de cet appel."""
        known, tracer = BUILTINS.copy(), sys.gettrace()
        try:
            self._runs = True
            return next(_apart(*call))
        finally:
            self._runs = False
            BUILTINS.update(known)  # avant tout : `len` peut manquer
            settrace(tracer)

    def __exit__(self, kind: type | None, *_) -> None:
        if self._is_main and ALARM:
            signal.setitimer(signal.ITIMER_REAL, *self._timer)
        else:
            self._done.set()
            self._watcher.join()
        if self._is_main:
            for one, handler in self._before.items():
                signal.signal(one, handler or signal.SIG_DFL)
        if kind is None and self._reason is KeyboardInterrupt:
            raise KeyboardInterrupt

    def _is_late(self) -> bool:
        passed, computed = monotonic() - self._start[0], process_time() - self._start[1]
        return min(passed, max(computed, passed / PATIENCE)) >= self._seconds

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if number == ALARM and not self._reason and not self._is_late():
            return
        self._reason = self._reason or (TooLongError if number == ALARM else KeyboardInterrupt)
        if ALARM:
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        if self._runs and frame is not None and frame.f_globals is not globals():
            # Un traceur de Python serait retiré dès qu'il lève ; celui-ci, en C, demande à chaque
            # ligne si son objet est vrai, et reste.
            pythonapi.PyEval_SetTrace(pythonapi.PyObject_IsTrue, py_object(_Raiser(self._reason)))
            raise self._reason

    def _watch(self) -> None:
        while not self._done.wait(TICK):
            if self._is_late():
                self._reason = self._reason or TooLongError
            if self._reason and self._runs and self._is_main:
                signal.raise_signal(signal.SIGINT)
            elif self._reason and self._runs:
                thread = c_ulong(self._thread.ident)
                pythonapi.PyThreadState_SetAsyncExc(thread, py_object(self._reason))


def _apart(*call) -> Iterator[Outcome]:
    """Donne l'`outcome` d'un appel, dans un générateur, qui a son « erreur en cours » à lui.

    Levée à l'entrée d'un `except`, celle du traceur resterait sinon en cours dans tout le noyau.
    """
    yield outcome(*call)


class _Raiser:
    """Un objet qui lève `reason` dès qu'on demande s'il est vrai, sauf d'ici."""

    def __init__(self, reason: type[BaseException]):
        self._reason = reason

    def __bool__(self) -> bool:
        if sys._getframe(1).f_globals is not globals():
            raise self._reason
        return False


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Arrête qui prendrait `ROOM` octets de plus, là où le système le sait."""
    if not STATM.exists():
        yield
        return
    import resource  # absent de Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    used = int(STATM.read_text().split()[5]) * resource.getpagesize()
    bounds = [one for one in (soft, hard, used + ROOM) if one != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


# Ce que l'on tait, et ce que l'on remet


class _Nowhere(StringIO):
    def write(self, text: str) -> int:
        return len(text)


def _no_keyboard(*_):
    raise EOFError("il n'y a pas de clavier ici")


@contextmanager
def silence() -> Iterator[None]:
    """Tait ce que le code imprime, ses avertissements, et refuse `input`."""
    nowhere, asking = _Nowhere(), builtins.input
    builtins.input = _no_keyboard
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        builtins.input = asking


BUILTINS = builtins.__dict__
settrace, put_state = sys.settrace, set_state


def _fresh(seed: int | None) -> None:
    """Redonne un hasard neuf : qui ne fixe pas le sien doit pouvoir le voir."""
    generator = torch.Generator()
    generator.manual_seed(generator.seed() if seed is None else seed)
    torch.set_rng_state(generator.get_state())
    put_state(MT19937(seed).state)


def _folder() -> str | None:
    with suppress(OSError):
        return os.getcwd()
    return None


def _set_variables(before: dict[str, str]) -> None:
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


SETTINGS = (  # de quoi lire un réglage commun à tous, puis le remettre
    (get_state, put_state),
    (torch.get_rng_state, torch.set_rng_state),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_default_dtype, torch.set_default_dtype),
    (np.geterr, lambda before, put=np.seterr: put(**before)),
    (np.get_printoptions, lambda before, put=np.set_printoptions: put(**before)),
    (_folder, os.chdir),
    (os.environ.copy, _set_variables),
    (sys.getrecursionlimit, sys.setrecursionlimit),
)


@contextmanager
def _put_back(seed: int | None) -> Iterator[None]:
    """Remet, quoi qu'il arrive, les réglages et les noms dont le juge se sert."""
    spaces = [(one, dict(vars(one))) for one in _spaces()]
    settings = [(put, get()) for get, put in SETTINGS]
    _fresh(seed)
    try:
        yield
    finally:
        for space, before in spaces:
            _restore(space, before)
        for put, before in settings:
            with suppress(Exception):
                put(before)


def _spaces() -> list[ModuleType | type]:
    """Rend les modules du paquet, leurs classes, et ce qu'ils emploient le plus."""
    ours = [one for name, one in [*sys.modules.items()] if name.startswith("cartpole_helpers")]
    classes = {one for module in ours for one in vars(module).values() if isinstance(one, type)}
    return [builtins, sys, np, np.linalg, torch, torch.Tensor, torch.nn.functional, *ours, *classes]


def _restore(space: ModuleType | type, before: dict) -> None:
    """Remet dans `space` les noms changés ou ôtés, et découvre ceux qu'on y a cachés."""
    now = dict(vars(space))
    if len(now) == len(before) and all(map(operator.is_, now.values(), before.values())):
        return
    with suppress(AttributeError, TypeError):  # une classe écrite en C ne change pas
        for name, value in before.items():
            if now.get(name, before) is not value:
                setattr(space, name, value)
        hidden = {name for one in getattr(space, "__mro__", ())[1:] for name in vars(one)}
        for name in hidden & now.keys() - before.keys():
            delattr(space, name)


# Ce que l'on dit d'une erreur


def told(error: BaseException) -> str:
    """Rend le nom d'une erreur, puis ce qu'elle dit, si elle sait le dire, en peu de mots."""
    try:
        words = str(error)
    except STOPS:
        raise
    except BaseException:
        words = ""
    return shortened(f"l'erreur {type(error).__name__.strip('_')} : {words}", LONGEST)


def shortened(text: str, longest: int) -> str:
    """Rend `text`, ou son début s'il est trop long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def located(answer: Callable, came: Outcome) -> str:
    """Rend ce que l'on dit d'une erreur, et la ligne de la cellule où elle est née."""
    written = getattr(getattr(answer, "__code__", None), "co_filename", None)
    lines = [line for file, line in came.lines if file == written]
    kind, _, words = came.told.partition(" : ")
    return f"{kind} (ligne {lines[-1]}) : {words}" if lines else came.told


def _lines(error: BaseException) -> tuple[tuple[str, int], ...]:
    frames = traceback.walk_tb(error.__traceback__)
    return tuple((frame.f_code.co_filename, line) for frame, line in frames)


def _is_left_to_write(error: BaseException) -> bool:
    """Dit si la réponse a écrit `raise NotImplementedError` : PyTorch lève aussi cette erreur."""
    if not isinstance(error, NotImplementedError):
        return False
    *_, last = _steps(error)
    operation = last.tb_frame.f_code.co_code[last.tb_lasti]
    return not _is_ours(last.tb_frame) and dis.opname[operation] == "RAISE_VARARGS"


def _steps(error: BaseException) -> Iterator:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def slip(error: BaseException) -> str:
    """Rend l'indice d'une étourderie que dénonce `error`, "" si ce n'en est pas une.

    Seule TypeError ne dit ce qu'elle a vu que dans son message ; n'en dépend qu'un indice.
    """
    inside, name = _is_in_answer(error), _name(error)
    words = told(error) if isinstance(error, TypeError) else ""
    of_none = isinstance(error, AttributeError) and name and (error.obj is None or error.obj is ...)
    if of_none or "NoneType" in words or "'ellipsis'" in words:
        return NONE if inside else EMPTY
    if inside and "positional argument" in words:
        return "Dans votre code, un appel n'a pas le nombre d'arguments qu'il faut."
    if inside and name and isinstance(error, AttributeError):
        kind = type(error.obj)
        near = "".join(f" Vouliez-vous dire `{one}` ?" for one in close(name, dir(kind), n=1))
        return f"Un objet `{kind.__name__}` n'a pas d'attribut `{name}`.{near}"
    if name and isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return f"`{name}` n'est défini nulle part : une faute de frappe, un import oublié ?"
    return next((hint for kind, hint in SLIPS.items() if isinstance(error, kind)), "")


def _name(error: BaseException) -> str:
    name = getattr(error, "name", None)
    return shortened(name, LONGEST) if isinstance(name, str) else ""


def _is_in_answer(error: BaseException) -> bool:
    """Dit si l'erreur est passée par le code de la réponse, et non par la seule vue."""
    return any(not _is_ours(step.tb_frame) for step in _steps(error))


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in OURS
