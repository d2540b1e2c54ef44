"""L'exécution du code d'un autre : en silence, bornée, et ce qu'elle a donné."""

import dis
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from difflib import get_close_matches as close
from io import StringIO
from types import CodeType, FrameType
from typing import NamedTuple

STEP_LIMIT = 1_000_000  # instructions par appel, au-delà desquelles la boucle est dite sans fin
NOT_TRACED = {"torch", "numpy", "cartpole_helpers"}  # leurs instructions ne comptent pas
ENDLESS = "boucle"
NONE = "Une valeur est `None` : un `return` est-il oublié dans une fonction que vous appelez ?"
EMPTY = "Rien n'est rendu : reste-t-il du code à écrire, un `return` est-il oublié ?"
SLIPS = {
    UnboundLocalError: "Une variable est lue avant d'avoir reçu une valeur.",
    RecursionError: "Votre fonction s'appelle elle-même sans fin.",
    MemoryError: "La mémoire de la machine n'y suffit pas : que vaut la taille demandée ?",
}


class Outcome(NamedTuple):
    """Ce qu'un appel a donné : une valeur, ou l'erreur `kind`, ce qu'on en dit, et son indice."""

    value: object = None
    kind: str = ""
    told: str = ""
    hint: str = ""

    @property
    def is_hole(self) -> bool:
        """Dit si c'est la marque de ce qui reste à écrire."""
        return self.value is ... or self.kind == "NotImplementedError"

    @property
    def is_nothing(self) -> bool:
        """Dit si rien n'est rendu, même si une vue bute ensuite sur ce rien."""
        return self.is_hole or self.hint == EMPTY or (self.value is None and not self.kind)


# Le code


def is_stub(answer: Callable) -> bool:
    """Dit si le code de `answer`, fonction ou classe, ne fait rien : une docstring, `...`, `pass`
    ou `raise NotImplementedError`."""
    if inspect.isclass(answer):
        return all(is_stub(one) for one in vars(answer).values() if inspect.isfunction(one))
    code = getattr(answer, "__code__", getattr(type(answer).__call__, "__code__", None))
    if code is None:
        return False
    return _operations(code) <= IDLE and {*code.co_names} <= {"NotImplementedError"}


def _operations(code: CodeType) -> set[str]:
    return {instruction.opname for instruction in dis.get_instructions(code)}


def _unwritten():
    raise NotImplementedError("")


# Ce que fait une ébauche, qui change d'un Python à l'autre.
IDLE = _operations(_unwritten.__code__) | _operations((lambda: ...).__code__)


# L'exécution


def outcome(view: Callable, answer: Callable, *arguments) -> Outcome:
    """Rend ce que donne `view(answer, *arguments)`, borné en nombre de lignes, et sans un mot."""
    try:
        with silence():
            return Outcome(_limited(view, answer, *arguments))
    except KeyboardInterrupt:
        raise
    except _TooLongError:
        return Outcome(kind=ENDLESS, told="une boucle sans fin")
    except BaseException as error:  # même `exit()` : la réponse ne doit pas arrêter le carnet
        return Outcome(kind=type(error).__name__, told=told(error), hint=slip(error))


@contextmanager
def silence():
    """Tait ce que le code imprime et ses avertissements."""
    nowhere = StringIO()
    with redirect_stdout(nowhere), redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class _TooLongError(BaseException):
    """La réponse dure trop ; ce n'est pas une Exception, qu'elle pourrait taire."""


def _limited(call: Callable, *arguments):
    left, before = STEP_LIMIT, sys.gettrace()

    def count(frame, event, argument):
        nonlocal left
        left -= event == "opcode"
        if left < 0:
            raise _TooLongError
        return count

    def enter(frame, event, argument):
        if _is_ours(frame):
            return None
        # Ligne à ligne ne suffirait pas : `while True: pass` n'en change jamais.
        frame.f_trace_opcodes = True
        return count

    sys.settrace(enter)
    try:
        return call(*arguments)
    finally:
        sys.settrace(before)


def told(error: BaseException) -> str:
    """Rend le nom d'une erreur, puis ce qu'elle dit, si elle sait le dire."""
    try:
        words = str(error)
    except BaseException:
        words = ""
    return f"l'erreur {type(error).__name__.strip('_')} : {words}"


def slip(error: BaseException) -> str:
    """Rend l'indice d'une étourderie que dénonce `error`, "" si ce n'en est pas une."""
    name, words, inside = getattr(error, "name", None), told(error), _is_in_answer(error)
    if "NoneType" in words or "'ellipsis'" in words:
        return NONE if inside else EMPTY
    if isinstance(error, TypeError) and "positional argument" in words and inside:
        return "Dans votre code, un appel n'a pas le nombre d'arguments qu'il faut."
    if isinstance(error, AttributeError) and isinstance(name, str) and inside:
        kind = type(error.obj)
        near = "".join(f" Vouliez-vous dire `{one}` ?" for one in close(name, dir(kind), n=1))
        return f"Un objet `{kind.__name__}` n'a pas d'attribut `{name}`.{near}"
    if isinstance(error, NameError) and isinstance(name, str):
        return f"`{name}` n'est défini nulle part : une faute de frappe, un import oublié ?"
    return next((hint for kind, hint in SLIPS.items() if isinstance(error, kind)), "")


def _is_in_answer(error: BaseException) -> bool:
    """Dit si l'erreur est passée par le code de la réponse, et non par la seule vue."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(not _is_ours(frame) for frame, _ in frames)


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in NOT_TRACED
