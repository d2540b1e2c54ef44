"""La vérification d'une réponse : propriétés, cas, erreurs connues, compte rendu."""

import copy
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch

from cartpole_helpers.display.report import INDENT, as_html, as_text
from cartpole_helpers.teaching.exercise import Exercise, Property
from cartpole_helpers.teaching.sandbox import (
    EMPTY,
    STOPS,
    Outcome,
    contained,
    is_stub,
    located,
    outcome,
    shortened,
)

REPLAYS = 8  # essais laissés à une erreur connue, qui peut jouer au hasard
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
UNWRITTEN = "pas encore écrit"
NOTHING = "votre fonction calcule, mais ne rend rien : un `return` est-il oublié ?"


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
    """Une propriété jugée ; le reste n'est dit que si elle est fausse.

    `taught` : le carnet qui traite l'idée fausse, si l'on a reconnu une idée que l'on rencontre
    d'un exercice à l'autre.
    """

    text: str
    passed: bool
    case: str = ""
    came: str = ""
    expected: str = ""
    hint: str = ""
    taught: str = ""


@dataclass(frozen=True)
class Report:
    """Le compte rendu d'une vérification ; en fin de cellule, il s'affiche."""

    name: str
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""
    unfinished: str = ""
    """Ce qui se vérifie encore, ou ce qui l'a interrompu."""

    @property
    def passed(self) -> bool:
        """Dit si toutes les propriétés sont vraies."""
        over = not (self.note or self.unfinished)
        return over and all(verdict.passed for verdict in self.verdicts)

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
        counted = f"{held} sur {len(self.verdicts)}" if self.verdicts else ""
        told = " ; ".join(filter(None, (counted, self.unfinished)))
        return [f"{self.name} : {told}", *self._details()]

    def _details(self) -> Iterable[str]:
        for verdict in self.verdicts:
            yield f"{'✔' if verdict.passed else '✘'} {verdict.text}"
            if not verdict.passed:
                yield f"{INDENT}cas     : {verdict.case}"
                yield f"{INDENT}reçu    : {verdict.came}"
                yield f"{INDENT}attendu : {verdict.expected}"
                yield f"{INDENT}indice  : {verdict.hint}"
            if verdict.taught:
                yield f"{INDENT}voir    : {verdict.taught}"


def judge(exercise: Exercise, answer: Callable, seed: int | None = None) -> Report:
    """Rend le compte rendu de `answer`, borné comme le dit `contained`.

    `seed` : pour noter, de quoi retrouver les mêmes cas ; à défaut, nul ne les connaît d'avance.
    """
    done = contained(_judged, exercise, answer, seed, seed=seed)
    return Report(exercise.name, note=done.told) if done.kind else done.value


def _judged(exercise: Exercise, answer: Callable, seed: int | None) -> Report:
    if is_stub(answer):
        return Report(exercise.name, note=UNWRITTEN)
    generator = np.random.default_rng(seed)
    trials = [
        attempt(exercise, answer, one, arguments)
        for one in exercise.properties
        for arguments in one.drawn(generator)
    ]
    if all(trial.came.is_nothing and trial.untouched for trial in trials):
        unwritten = any(trial.came.is_hole for trial in trials)
        return Report(exercise.name, note=UNWRITTEN if unwritten else NOTHING)
    agrees = cache(partial(_agrees, exercise))
    verdicts = [_verdict(exercise, answer, one, trials, agrees) for one in exercise.properties]
    return Report(exercise.name, (*verdicts, *_touched(exercise, trials)))


def attempt(exercise: Exercise, answer: Callable, one: Property, arguments: tuple) -> Trial:
    """Met `answer` à l'épreuve d'un cas, sur des copies de ses arguments."""
    expected = outcome(one.view, exercise.reference, *copy.deepcopy(arguments))
    given = copy.deepcopy(arguments)
    came = outcome(one.view, answer, *given)
    came = came._replace(hint=came.hint or _misshapen(exercise.reference, answer, expected, came))
    return Trial(one, arguments, expected, came, same(Outcome(given), Outcome(arguments)))


# Les étourderies, qui ne sont pas le sujet d'un exercice


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


def _verdict(
    exercise: Exercise, answer: Callable, one: Property, trials: list[Trial], agrees: Callable
) -> Verdict:
    first = next((trial for trial in trials if trial.of is one and not trial.passed), None)
    if first is None:
        return Verdict(one.text, True)
    names = list(inspect.signature(exercise.reference).parameters)
    return Verdict(
        one.text,
        False,
        _case(names, first.arguments),
        located(answer, first.came) or shown(first.came.value),
        shown(first.expected.value),
        *_explained(exercise, first, trials, agrees),
    )


def _explained(
    exercise: Exercise, first: Trial, trials: list[Trial], agrees: Callable
) -> tuple[str, ...]:
    """Rend l'indice de l'erreur connue qui se conduit comme la réponse, ou celui de la propriété ;
    puis, si c'est une idée fausse du vocabulaire, où le cours la traite.

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
        return (first.came.hint or first.of.hint,)
    best = max(alike, key=lambda rank: sum(agrees(rank, trial) for trial in trials))
    mistake = exercise.mistakes[best]
    return mistake.hint, mistake.notion.taught if mistake.notion else ""


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
    except STOPS:
        raise
    except BaseException:  # un objet qui ne se compare pas n'est pas le bon
        return False


def _same(one, other) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) or isinstance(other, tuple):
        alike = isinstance(one, tuple | list) and isinstance(other, tuple | list)
        return alike and len(one) == len(other) and all(map(_same, one, other))
    if callable(one) or callable(other):
        return one is other
    if _shape(one) != _shape(other):
        return False
    one, other = _array(one), _array(other)
    if one.shape != other.shape or _genre(one) != _genre(other):
        return False
    if one.dtype.kind not in "biuf":
        return bool(np.all(one == other))
    return bool(np.allclose(one.astype(float), other.astype(float), equal_nan=True, **TOLERANCE))


def _array(value) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _shape(value) -> tuple[int, ...]:
    """Rend la forme de `value` d'après ses premiers éléments : une liste peut être immense."""
    if not isinstance(value, list):
        return tuple(np.shape(value))
    return (len(value), *(_shape(value[0]) if value else ()))


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
    except STOPS:
        raise
    except BaseException:
        told = f"un objet {type(value).__name__}"
    return shortened(told, longest)
