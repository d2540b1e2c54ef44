"""Les vérifications d'arguments : chacune rend la valeur, ou lève une erreur claire en français."""

import math
import operator
from collections.abc import Sequence

import numpy as np

_KINDS = {int: "un entier", float: "un nombre"}


def check_number(name: str, value, kind: type, low=-math.inf, high=math.inf, above=-math.inf):
    """Rend `value` en `kind` (int ou float), fini, dans [low, high] et au-dessus de `above`.

    TypeError si ce n'est pas un nombre de ce genre, ValueError s'il sort des bornes.
    """
    expected = _KINDS[kind] + _bounds(low, high, above)
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} doit être {expected} : {value!r} reçu.")
    try:
        number = operator.index(value) if kind is int else float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} doit être {expected} : {value!r} reçu.") from None
    if not (math.isfinite(number) and low <= number <= high and number > above):
        raise ValueError(f"{name} doit être {expected} : {value!r} reçu.")
    return number


def check_choice(name: str, value, choices: Sequence):
    """Rend `value` s'il est parmi `choices`, sinon ValueError."""
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} doit être l'un de {listed} : {value!r} reçu.")
    return value


def check_flag(name: str, value) -> bool:
    """Rend `value` s'il est vrai ou faux, sinon TypeError."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} doit être True ou False : {value!r} reçu.")
    return bool(value)


def check_seed(name: str, value) -> int:
    """Rend la graine `value`, un entier positif ou nul."""
    return check_number(name, value, int, low=0)


def check_seeds(name: str, value) -> list[int]:
    """Rend en liste les graines de `value` : un entier, ou des entiers tous différents."""
    if isinstance(value, str) or not np.iterable(value):
        return [check_seed(name, value)]
    seeds = [check_seed(name, seed) for seed in value]
    if not seeds:
        raise ValueError(f"{name} doit donner au moins une graine : {value!r} reçu.")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"{name} doit donner des graines toutes différentes : {value!r} reçu.")
    return seeds


def check_array(name: str, value, shape: tuple, dtype=None) -> np.ndarray:
    """Rend `value` en tableau fini de forme `shape`, où None laisse une longueur libre.

    TypeError si les éléments ne sont pas des nombres, ValueError si la forme ou une valeur ne
    convient pas.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} doit être un tableau régulier : {value!r} reçu.") from None
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} doit être un tableau de nombres : {array.dtype} reçu.")
    if not _fits(array.shape, shape):
        raise ValueError(f"{name} doit être de forme {_written(shape)} : {array.shape} reçu.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} ne doit contenir que des nombres finis (ni NaN ni infini).")
    return array if dtype is None else array.astype(dtype, copy=False)


def _fits(shape: tuple, expected: tuple) -> bool:
    return len(shape) == len(expected) and all(
        want is None or want == got for got, want in zip(shape, expected, strict=True)
    )


def _written(shape: tuple) -> str:
    inside = ", ".join("N" if size is None else str(size) for size in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _bounds(low: float, high: float, above: float) -> str:
    if math.isfinite(above):
        return f" strictement supérieur à {above:g}" + (
            f" et au plus égal à {high:g}" if math.isfinite(high) else ""
        )
    if math.isfinite(low) and math.isfinite(high):
        return f" entre {low:g} et {high:g}"
    return f" supérieur ou égal à {low:g}" if math.isfinite(low) else ""
