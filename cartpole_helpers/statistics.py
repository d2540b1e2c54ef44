"""Résumer des graines : moyenne interquartile, bande rééchantillonnée, intervalle de Wilson."""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

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


def _check_confidence(confidence: float) -> float:
    return check_number("confidence", confidence, float, above=0, below=1)


def _numbers(values) -> np.ndarray:
    array = check_array("values", values, None, float)
    if not array.ndim:
        raise ValueError(f"values doit avoir au moins un axe : {array.shape} reçu.")
    if not array.size:
        raise ValueError("values doit contenir au moins un nombre : tableau vide reçu.")
    return array
