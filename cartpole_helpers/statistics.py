"""Résumer des graines : moyenne interquartile, bandes, intervalle de Wilson, réussite tenue."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cartpole_helpers.checks import check_array, check_callable, check_number, check_seed


def interquartile_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Rend la moyenne de la moitié centrale de `values` le long de `axis`.

    Un quart des valeurs est écarté de chaque côté ; quand n/4 n'est pas entier, les valeurs du bord
    comptent en proportion, au lieu d'être tronquées. Source : Agarwal et al. (2021).
    """
    values = _numbers(values)
    axis = check_number("axis", axis, int, low=-values.ndim, high=values.ndim - 1)
    ordered = np.sort(np.moveaxis(values, axis, 0), axis=0)  # (n, ...)
    count = len(ordered)
    # La i-ème valeur occupe [i, i + 1] : son poids est ce qu'en couvre [n/4, 3n/4].
    edges = np.clip(np.arange(count + 1), count / 4, 3 * count / 4)
    return np.tensordot(np.diff(edges), ordered, axes=1) / (count / 2)


def bootstrap_interval(
    values: np.ndarray,
    statistic: Callable = interquartile_mean,
    *,
    confidence: float = 0.95,
    resamples: int = 2_000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Rend (bas, haut), l'intervalle de `statistic` en rééchantillonnant l'axe 0 de `values`.

    `values` : (n, ...), une ligne par graine ; `statistic(values, axis=...)` réduit un axe.
    Rend deux tableaux (...). Source : intervalle des centiles, Efron et Tibshirani
    (1993), chapitre 13.
    """
    values = _numbers(values)
    check_callable("statistic", statistic)
    confidence = _check_confidence(confidence)
    resamples = check_number("resamples", resamples, int, low=1)
    generator = np.random.default_rng(check_seed("seed", seed))
    rows = generator.integers(len(values), size=(resamples, len(values)))
    statistics = np.stack([statistic(values[row], axis=0) for row in rows])  # (resamples, ...)
    tail = (1 - confidence) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail], axis=0)
    return low, high


def wilson_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Rend (bas, haut), l'intervalle d'une proportion de `successes` sur `trials` essais.

    Juste aussi aux bords : 20 succès sur 20 ne donnent pas [1, 1]. Source : Wilson (1927).
    """
    trials = check_number("trials", trials, int, low=1)
    successes = check_number("successes", successes, int, low=0, high=trials)
    confidence = _check_confidence(confidence)
    share, z = successes / trials, NormalDist().inv_cdf((1 + confidence) / 2)
    spread = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    middle, scale = share + z**2 / (2 * trials), 1 + z**2 / trials
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def streak_end(solved: np.ndarray, length: int = 1) -> np.ndarray:
    """Rend le rang de l'évaluation qui achève la première suite de `length` réussites : (S,).

    `solved` : (S, V) booléens, les V évaluations de S graines dans l'ordre du temps. NaN pour une
    graine qui n'a pas de telle suite. Avec `length` 1, c'est la première réussite.
    """
    solved = _evaluations(solved)
    length = check_number("length", length, int, low=1)
    ended = np.zeros(solved.shape, bool)
    if length <= solved.shape[1]:
        ended[:, length - 1 :] = sliding_window_view(solved, length, axis=1).all(axis=-1)
    return np.where(ended.any(axis=1), ended.argmax(axis=1), np.nan)


def after_success(solved: np.ndarray) -> np.ma.MaskedArray:
    """Rend `solved` (S, V), masqué jusqu'à la première réussite de chaque graine, elle comprise.

    Sa moyenne est la part tenue, toutes graines réunies ; `mean(axis=1)`, celle de chaque graine,
    masquée pour celles qui n'ont rien après une réussite.
    """
    solved = _evaluations(solved)
    since = np.maximum.accumulate(solved, axis=1)
    before = np.concatenate([np.zeros((len(solved), 1), bool), since[:, :-1]], axis=1)
    return np.ma.masked_array(solved, ~before)


def _evaluations(solved) -> np.ndarray:
    solved = check_array("solved", solved, (None, None), bool)
    if not solved.size:
        raise ValueError(f"solved doit contenir au moins une évaluation : {solved.shape} reçu.")
    return solved


def _check_confidence(confidence: float) -> float:
    return check_number("confidence", confidence, float, above=0, below=1)


def _numbers(values) -> np.ndarray:
    array = check_array("values", values, None, float)
    if not array.ndim:
        raise ValueError(f"values doit avoir au moins un axe : {array.shape} reçu.")
    if not array.size:
        raise ValueError("values doit contenir au moins un nombre : tableau vide reçu.")
    return array
