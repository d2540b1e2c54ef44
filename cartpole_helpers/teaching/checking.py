"""La vérification d'une réponse : propriétés, cas, erreurs connues, compte rendu."""

import copy
import dis
import inspect
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from difflib import get_close_matches as close
from functools import cache, partial
from io import StringIO
from types import CodeType, FrameType
from typing import NamedTuple

import numpy as np
import torch

from cartpole_helpers.display.report import INDENT, as_html, as_text
from cartpole_helpers.teaching.exercise import Exercise, Property

STEP_LIMIT = 1_000_000  # instructions par appel, au-delà desquelles la boucle est dite sans fin
REPLAYS = 8  # essais laissés à une erreur connue, qui peut jouer au hasard
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
NOT_TRACED = {"torch", "numpy", "cartpole_helpers"}  # leurs instructions ne comptent pas
ENDLESS = "boucle"
UNWRITTEN = "pas encore écrit"
NOTHING = "votre fonction calcule, mais ne rend rien : un `return` est-il oublié ?"
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


@dataclass(frozen=True, eq=False)
class Trial:
    """Un cas mis à l'épreuve."""

    of: Property
    arguments: tuple
    expected: Outcome
    came: Outcome
    untouched: bool  # les arguments sont restés ce qu'ils étaient

    @property
    def passed(self) -> bool:
        """Dit si la réponse a donné ce qui était attendu."""
        return not self.came.kind and same(self.came, self.expected)


class Verdict(NamedTuple):
    """Une propriété jugée ; `case`, `came` et `expected` ne sont dits que si elle est fausse."""

    text: str
    passed: bool
    case: str = ""
    came: str = ""
    expected: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Report:
    """Le compte rendu d'une vérification ; en fin de cellule, il s'affiche."""

    name: str
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""

    @property
    def passed(self) -> bool:
        """Dit si toutes les propriétés sont vraies."""
        return not self.note and all(verdict.passed for verdict in self.verdicts)

    @property
    def hint(self) -> str:
        """L'indice de la première propriété fausse, s'il y en a une."""
        return next((verdict.hint for verdict in self.verdicts if not verdict.passed), "")

    def __repr__(self) -> str:
        return as_text(self._lines())

    def _repr_html_(self) -> str:
        return as_html(self._lines())

    def _lines(self) -> Iterable[str]:
        if self.note:
            return [f"· {self.name} : {self.note}"]
        done = sum(verdict.passed for verdict in self.verdicts)
        held = f"{done} propriétés" if done > 1 else f"{done} propriété"
        return [f"{self.name} : {held} sur {len(self.verdicts)}", *self._details()]

    def _details(self) -> Iterable[str]:
        for verdict in self.verdicts:
            yield f"{'✔' if verdict.passed else '✘'} {verdict.text}"
            if not verdict.passed:
                yield f"{INDENT}cas     : {verdict.case}"
                yield f"{INDENT}reçu    : {verdict.came}"
                yield f"{INDENT}attendu : {verdict.expected}"
                yield f"{INDENT}indice  : {verdict.hint}"


def judge(exercise: Exercise, answer: Callable) -> Report:
    """Rend le compte rendu de `answer` ; ne lève jamais d'erreur, quoi qu'elle fasse."""
    generator = np.random.default_rng()  # sans graine : on ne peut pas connaître les cas d'avance
    trials = []
    for one in exercise.properties:
        for arguments in one.drawn(generator):
            trials.append(attempt(exercise, answer, one, arguments))
            if trials[-1].came.kind == ENDLESS:
                return Report(exercise.name, note="une boucle sans fin : comment s'arrête-t-elle ?")
    if all(trial.came.is_nothing and trial.untouched for trial in trials):
        unwritten = is_stub(answer) or any(trial.came.is_hole for trial in trials)
        return Report(exercise.name, note=UNWRITTEN if unwritten else NOTHING)
    agrees = cache(partial(_agrees, exercise))
    verdicts = [_verdict(exercise, one, trials, agrees) for one in exercise.properties]
    return Report(exercise.name, (*verdicts, *_touched(exercise, trials)))


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


def attempt(exercise: Exercise, answer: Callable, one: Property, arguments: tuple) -> Trial:
    """Met `answer` à l'épreuve d'un cas, sur des copies de ses arguments."""
    expected = outcome(one.view, exercise.reference, *copy.deepcopy(arguments))
    given = copy.deepcopy(arguments)
    came = outcome(one.view, answer, *given)
    came = came._replace(hint=came.hint or _misshapen(exercise.reference, answer, expected, came))
    return Trial(one, arguments, expected, came, same(Outcome(given), Outcome(arguments)))


def outcome(view: Callable, answer: Callable, *arguments) -> Outcome:
    """Rend ce que donne `view(answer, *arguments)`, borné en nombre de lignes, et sans un mot."""
    silence = StringIO()
    try:
        with redirect_stdout(silence), redirect_stderr(silence), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Outcome(_limited(view, answer, *arguments))
    except KeyboardInterrupt:
        raise
    except _TooLongError:
        return Outcome(kind=ENDLESS, told="une boucle sans fin")
    except BaseException as error:  # même `exit()` : la réponse ne doit pas arrêter le carnet
        return Outcome(kind=type(error).__name__, told=told(error), hint=slip(error))


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


# Les étourderies, qui ne sont pas le sujet d'un exercice


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


def _misshapen(reference: Callable, answer: Callable, expected: Outcome, came: Outcome) -> str:
    """Rend l'indice d'une réponse qui n'a pas les bons arguments, ou ne rend pas une valeur."""
    if came.kind == "TypeError":
        return _signature_hint(reference, answer)
    if came.kind or expected.value is None:
        return ""
    if came.value is None:
        return EMPTY
    if isinstance(came.value, tuple) and not isinstance(expected.value, tuple | list):
        return "Un tuple est rendu, au lieu d'une seule valeur."
    return ""


def _signature_hint(reference: Callable, answer: Callable) -> str:
    wanted = inspect.signature(reference).parameters
    try:
        given = inspect.signature(answer)
    except (TypeError, ValueError):  # certains objets n'en ont pas
        return ""
    try:
        given.bind(*wanted)
    except TypeError:
        names, others = ", ".join(wanted), ", ".join(given.parameters)
        return f"Les arguments doivent être ({names}), et non ({others})."
    return ""


# Juger


def _verdict(exercise: Exercise, one: Property, trials: list[Trial], agrees: Callable) -> Verdict:
    first = next((trial for trial in trials if trial.of is one and not trial.passed), None)
    if first is None:
        return Verdict(one.text, True)
    names = list(inspect.signature(exercise.reference).parameters)
    return Verdict(
        one.text,
        False,
        _case(names, first.arguments),
        first.came.told or shown(first.came.value),
        shown(first.expected.value),
        _explained(exercise, first, trials, agrees),
    )


def _explained(exercise: Exercise, first: Trial, trials: list[Trial], agrees: Callable) -> str:
    """Rend l'indice de l'erreur connue qui se conduit comme la réponse, ou celui de la propriété.

    Plusieurs peuvent donner la même valeur dans ce cas : la plus ressemblante partout l'emporte.
    Une erreur qui échouerait souvent là où la réponse réussit n'est pas la sienne.
    """
    right = [trial for trial in trials if trial.passed]
    alike = [
        rank
        for rank in range(len(exercise.mistakes))
        if agrees(rank, first) and _contradictions(exercise, rank, right) <= 2 * len(right) / 3
    ]
    if not alike:
        return first.came.hint or first.of.hint
    best = max(alike, key=lambda rank: sum(agrees(rank, trial) for trial in trials))
    return exercise.mistakes[best].hint


def _agrees(exercise: Exercise, rank: int, trial: Trial) -> bool:
    """Dit si l'erreur connue de ce rang se conduit comme la réponse, dans ce cas."""
    answer = exercise.mistakes[rank].answer
    other = outcome(trial.of.view, answer, *copy.deepcopy(trial.arguments))
    if other.kind or trial.came.kind:
        return (other.kind, other.told) == (trial.came.kind, trial.came.told)
    return same(other, trial.came)


def _contradictions(exercise: Exercise, rank: int, right: list[Trial]) -> int:
    """Compte les cas réussis où l'erreur ne réussit jamais : elle peut jouer au hasard."""
    return sum(not any(_agrees(exercise, rank, trial) for _ in range(REPLAYS)) for trial in right)


def _touched(exercise: Exercise, trials: list[Trial]) -> list[Verdict]:
    """Rend, s'il le faut, le reproche d'avoir changé ses arguments."""
    if all(trial.untouched for trial in trials):
        return []
    names = list(inspect.signature(exercise.reference).parameters)
    guilty = next(trial for trial in trials if not trial.untouched)
    return [
        Verdict(
            "laisse ses arguments tels qu'ils étaient",
            False,
            _case(names, guilty.arguments),
            "au moins un argument a changé",
            "aucun changement",
            "Une opération en place, comme `+=` ou `zero_()`, modifie le tableau de l'appelant.",
        )
    ]


# Comparer et montrer


def same(one: Outcome, other: Outcome) -> bool:
    """Dit si deux valeurs sont égales, à l'arrondi près, de même forme et de même genre."""
    try:
        return _same(one.value, other.value)
    except Exception:  # un objet qui ne se compare pas n'est pas le bon
        return False


def _same(one, other) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) or isinstance(other, tuple):
        alike = isinstance(one, tuple | list) and isinstance(other, tuple | list)
        return alike and len(one) == len(other) and all(map(_same, one, other))
    if callable(one) or callable(other):
        return one is other
    one, other = _array(one), _array(other)
    if one.shape != other.shape or _genre(one) != _genre(other):
        return False
    if one.dtype.kind not in "biuf":
        return bool(np.all(one == other))
    return bool(np.allclose(one.astype(float), other.astype(float), equal_nan=True, **TOLERANCE))


def _array(value) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _genre(array: np.ndarray) -> str:
    """Rend le genre d'un tableau : un entier n'est pas un booléen, ni un texte un nombre."""
    return {"i": "nombre", "u": "nombre", "f": "nombre"}.get(array.dtype.kind, array.dtype.kind)


def _case(names: list[str], arguments: tuple) -> str:
    return ", ".join(
        f"{name} = {shown(value)}" for name, value in zip(names, arguments, strict=False)
    )


def shown(value: object, longest: int = 160) -> str:
    """Rend `value` en une ligne courte."""
    try:
        if isinstance(value, torch.Tensor | np.ndarray):
            digits = {"float_kind": "{:.4g}".format, "bool": str}
            told = np.array2string(_array(value), separator=", ", threshold=24, formatter=digits)
            told = told.replace("\n", "")
        elif isinstance(value, float | np.number):
            told = f"{value:.6g}"
        else:
            told = repr(value)
    except Exception:
        told = f"un objet {type(value).__name__}"
    return told if len(told) <= longest else f"{told[: longest - 1]}…"
