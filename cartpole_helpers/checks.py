"""Les vérifications d'arguments : chacune rend la valeur, ou lève une erreur claire en français."""

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral, Real

import numpy as np

_KINDS = {int: "un entier", float: "un nombre"}


def check_number(
    name: str, value, kind: type, low=-math.inf, high=math.inf, above=-math.inf, below=math.inf
):
    """Rend `value` en `kind` (int ou float), fini et dans les bornes : larges
    `low` et `high`, strictes `above` et `below`.

    TypeError si ce n'est pas un nombre de ce genre, ValueError s'il sort des bornes.
    """
    wanted = _KINDS[kind] + _bounds(low, high, above, below)
    refusal = f"{name} doit être {wanted} : {_shown(value)} reçu."
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        raise TypeError(refusal)
    if not (low <= value <= high and above < value < below):
        raise ValueError(refusal)
    try:
        return kind(value)
    except OverflowError:
        raise ValueError(refusal) from None


def check_choice(name: str, value, choices: Sequence):
    """Rend `value` s'il est parmi `choices`, sinon ValueError."""
    if getattr(value, "ndim", 0) or value not in choices:  # un tableau n'est égal à rien
        listed = ", ".join(map(repr, choices))
        words = [one for one in choices if isinstance(one, str)]
        near = get_close_matches(value, words, n=1) if isinstance(value, str) else []
        advice = f" Vouliez-vous dire {near[0]!r} ?" if near else ""
        raise ValueError(f"{name} doit être l'un de {listed} : {_shown(value)} reçu.{advice}")
    return value


def check_flag(name: str, value) -> bool:
    """Rend `value` si c'est un booléen, sinon TypeError."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} doit être True ou False : {value!r} reçu.")
    return bool(value)


def check_callable(name: str, value) -> Callable:
    """Rend `value` si on peut l'appeler, sinon TypeError."""
    if not callable(value):
        raise TypeError(f"{name} doit être une fonction : {value!r} reçu.")
    return value


def check_seed(name: str, value) -> int:
    """Rend la graine `value`, un entier positif ou nul."""
    return check_number(name, value, int, low=0)


def check_text(name: str, value) -> str:
    """Rend `value` si c'est un texte, sinon TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{name} doit être un texte : {value!r} reçu.")
    return value


def check_seeds(name: str, value, distinct: bool = True) -> list[int]:
    """Rend en liste les graines de `value` : un entier, ou des entiers, tous différents si
    `distinct`."""
    if isinstance(value, str | bytes | bytearray | Mapping) or not np.iterable(value):
        return [check_seed(name, value)]
    seeds = [check_seed(name, seed) for seed in value]
    if not seeds:
        raise ValueError(f"{name} doit donner au moins une graine : {value!r} reçu.")
    if distinct and len(set(seeds)) < len(seeds):
        raise ValueError(f"{name} doit donner des graines toutes différentes : {value!r} reçu.")
    return seeds


def check_numbers(name: str, value) -> np.ndarray:
    """Rend `value` en tableau, ou lève une erreur s'il n'en est pas un, régulier, de nombres."""
    if hidden := np.ma.count_masked(value) if isinstance(value, np.ma.MaskedArray) else 0:
        raise ValueError(
            f"{name} doit tout montrer : {hidden} valeurs masquées reçues, qui compteraient ; "
            "ôtez-les, par exemple avec .compressed()."
        )
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} doit être un tableau régulier : {value!r} reçu.") from None
    except (TypeError, RuntimeError):  # un tenseur que PyTorch ne veut pas rendre
        raise TypeError(
            f"{name} doit être un tableau de nombres : {value!r} reçu ; d'un tenseur, donnez "
            ".detach().cpu().float()."
        ) from None
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} doit être un tableau de nombres : {array.dtype} reçu.")
    return array


def check_array(name: str, value, shape: tuple | None, dtype=None) -> np.ndarray:
    """Rend `value` en tableau fini de forme `shape`.

    `None` dans `shape` laisse cette longueur libre ; `shape=None` les laisse toutes.

    TypeError si les éléments ne sont pas des nombres, ValueError si la forme ou une valeur ne
    convient pas.
    """
    array = check_numbers(name, value)
    if shape is not None and not _fits(array.shape, shape):
        raise ValueError(f"{name} doit être de forme {_written(shape)} : {array.shape} reçu.")
    if dtype is not None:
        array = _cast(name, array, np.dtype(dtype))
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} ne doit contenir que des nombres finis, ni NaN ni infini.")
    return array


def _cast(name: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Change le type sans rien perdre : ni une décimale, ni un nombre trop grand devenu infini."""
    if array.dtype == dtype:
        return array
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise TypeError(f"{name} doit être un tableau de {dtype} : {array.dtype} reçu.")
    with np.errstate(over="ignore", invalid="ignore"):  # un NaN signalant
        return array.astype(dtype, copy=False)


def _fits(shape: tuple, expected: tuple) -> bool:
    return shape == expected or (
        len(shape) == len(expected)
        and all(want is None or want == got for got, want in zip(shape, expected, strict=True))
    )


def _written(shape: tuple) -> str:
    inside = ", ".join("N" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _shown(value) -> str:
    try:
        return repr(value)
    except ValueError:  # Python refuse d'écrire un entier de plus de 4 300 chiffres
        return "un nombre démesuré"


def _bounds(low: float, high: float, above: float, below: float) -> str:
    """Écrit les bornes : « entre 0 et 1 », « strictement supérieur à 0 »…"""
    if low > -math.inf and high < math.inf:
        return f" entre {low:g} et {high:g}"
    words = {
        "supérieur ou égal à": low,
        "strictement supérieur à": above,
        "inférieur ou égal à": high,
        "strictement inférieur à": below,
    }
    given = [f"{word} {bound:g}" for word, bound in words.items() if abs(bound) < math.inf]
    return "".join(f" {part}" for part in [" et ".join(given)] if given)
