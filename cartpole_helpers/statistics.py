"""Résumer des graines : moyennes, intervalles, écarts appariés, réussite conservée.

Le module de même nom de la bibliothèque standard ne sert ici qu'à la loi normale ; les lois de
Student et bêta viennent de SciPy, chargée au premier appel.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_number,
    check_numbers,
    check_seed,
)

_CHUNK = 1 << 16  # nombres que l'on rééchantillonne d'un coup : de quoi tenir dans le cache


def interquartile_mean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Rend la moyenne de la moitié centrale de `values` le long de `axis`.

    Un quart des valeurs est écarté de chaque côté ; quand n/4 n'est pas entier, les valeurs du bord
    comptent en proportion, au lieu d'être tronquées. Source : Agarwal et coll. (2021).
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
    pieces = np.array_split(rows, -(-resamples * values.size // _CHUNK))
    statistics = np.concatenate([statistic(values[piece], axis=1) for piece in pieces])
    tail = (1 - confidence) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail], axis=0)
    return low, high


def wilson_interval(
    successes: int, trials: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Rend (bas, haut), l'intervalle d'une proportion de `successes` sur `trials` essais.

    Il couvre 95 % en moyenne sur les proportions, mais non à chacune : près de 0 et de 1, la
    couverture peut descendre vers 84 %. Quand tout réussit, ou rien, préférez `exact_interval`.
    Source : Wilson (1927) ; Brown, Cai et DasGupta (2001).
    """
    successes, trials, confidence = _counts(successes, trials, confidence)
    share, z = successes / trials, NormalDist().inv_cdf((1 + confidence) / 2)
    spread = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    middle, scale = share + z**2 / (2 * trials), 1 + z**2 / trials
    return max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0)


def exact_interval(successes: int, trials: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Rend (bas, haut), l'intervalle exact d'une proportion de `successes` sur `trials` essais.

    Il couvre au moins `confidence`, quelle que soit la proportion, au prix d'être un peu large.
    Source : Clopper et Pearson (1934).
    """
    from scipy.special import betaincinv

    successes, trials, confidence = _counts(successes, trials, confidence)
    failures, tail = trials - successes, (1 - confidence) / 2
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high


def paired_interval(
    differences: np.ndarray, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Rend (bas, haut), l'intervalle de la moyenne d'écarts appariés, (n, ...) le long de l'axe 0.

    Une ligne par graine, au moins deux. Rend deux tableaux (...). Source : Student (1908).
    """
    differences, error = _paired(differences)
    margin = error * _student(len(differences), (1 + _check_confidence(confidence)) / 2)
    middle = differences.mean(axis=0)
    return middle - margin, middle + margin


def paired_p_value(differences: np.ndarray) -> np.ndarray:
    """Rend la valeur p, bilatérale, de l'écart moyen nul : `paired_interval` lu à l'envers.

    `differences` : (n, ...) ; rend un tableau (...), 1 où tous les écarts sont nuls.
    """
    from scipy.special import stdtr

    differences, error = _paired(differences)
    middle = abs(differences.mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(len(differences) - 1, -middle / error)
    return np.where(middle > 0, p, 1.0)


def smallest_effect(
    differences: np.ndarray, *, power: float = 0.8, confidence: float = 0.95
) -> np.ndarray:
    """Rend le plus petit écart moyen que ces écarts appariés avaient `power` chances de montrer.

    « Montrer » : l'intervalle de `paired_interval` exclut zéro. Approché, par la somme de deux
    quantiles de Student fois l'erreur type. Source : Bloom (1995).
    """
    differences, error = _paired(differences)
    power = check_number("power", power, float, above=0.5, below=1)
    level = (1 + _check_confidence(confidence)) / 2
    return error * (_student(len(differences), level) + _student(len(differences), power))


def sign_test(wins: int, losses: int) -> float:
    """Rend la valeur p, bilatérale, de `wins` gains contre `losses` pertes, les ex æquo ôtés.

    Sur des réussites appariées, c'est le test exact de McNemar (1947).
    """
    from scipy.special import bdtr

    wins = check_number("wins", wins, int, low=0)
    losses = check_number("losses", losses, int, low=0)
    total = wins + losses
    return min(1.0, 2 * float(bdtr(min(wins, losses), total, 0.5))) if total else 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Rend les valeurs p (n,) corrigées pour n comparaisons : se fier à celles sous 0,05.

    Le risque d'en déclarer ne serait-ce qu'une à tort reste alors de 5 % au plus. Source : Holm
    (1979).
    """
    p_values = check_array("p_values", p_values, (None,), float)
    if not ((p_values >= 0) & (p_values <= 1)).all():
        raise ValueError(f"p_values doit être entre 0 et 1 : {p_values} reçu.")
    order = np.argsort(p_values)
    corrected = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(corrected), 1)
    return adjusted


def rank_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Rend la corrélation des rangs de `x` et de `y` (..., n), le long du dernier axe : (...).

    Les ex æquo ont leur rang moyen ; NaN où tous sont égaux. Source : Spearman (1904).
    """
    x, y = (_ranks(_numbers(values)) for values in (x, y))
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=-1) / np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rend les rangs de `values` (..., n), leur moyenne ôtée."""
    from scipy.stats import rankdata

    return rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2


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


def at_success(solved: np.ndarray, values: np.ndarray, length: int = 1) -> np.ndarray:
    """Rend ce que `values` (S, V) vaut où s'achève la première suite de `length` réussites : (S,).

    Un nombre de pas, une durée ; l'infini pour une graine qui n'a pas de telle suite. `solved` :
    (S, V) booléens, comme dans `streak_end`.
    """
    ended, values = streak_end(solved, length), check_numbers("values", values)
    if values.shape != np.shape(solved):
        wanted = f"values doit avoir la forme de `solved`, {np.shape(solved)}"
        raise ValueError(f"{wanted} : {values.shape} reçu.")
    found = values[np.arange(len(ended)), np.nan_to_num(ended).astype(int)]
    return np.where(np.isnan(ended), np.inf, found)


def after_success(solved: np.ndarray, length: int = 1) -> np.ma.MaskedArray:
    """Rend `solved` (S, V), masqué jusqu'à la fin de la première suite de `length` réussites.

    Une graine qui n'a pas de telle suite est masquée tout entière. Sa moyenne est la part
    conservée, toutes graines réunies ; `mean(axis=1)`, celle de chaque graine.
    """
    ended = streak_end(solved, length)[:, None]  # (S, 1)
    return np.ma.masked_array(solved, ~(np.arange(np.shape(solved)[1]) > ended))


def succeeds(solved: np.ndarray, length: int = 3) -> np.ndarray:
    """Dit quelles graines (S,) ont, un jour, `length` réussites de suite ; `solved` : (S, V)."""
    return np.isfinite(streak_end(solved, length))


def holds(solved: np.ndarray, kept: np.ndarray | None = None, length: int = 3) -> np.ndarray:
    """Dit quelles graines (S,) réussissent, puis n'ont plus une évaluation hors de `kept` (S, V).

    `solved`, `length` : ceux de `succeeds`. `kept` : ce qui compte ensuite comme
    conservé ; `solved`, si l'on ne dit rien.
    """
    later = ~after_success(solved, length).mask
    return succeeds(solved, length) & ~(later & ~(solved if kept is None else kept)).any(axis=1)


def percentage(successes: np.ndarray) -> tuple[float, float, float]:
    """Rend une part de réussites (n,), en pour cent, et son intervalle exact à 95 %."""
    count, total = int(np.sum(successes)), len(successes)
    low, high = exact_interval(count, total)
    return 100 * count / total, 100 * low, 100 * high


def costs(solved: np.ndarray, fall: float = 5) -> np.ndarray:
    """Rend ce que coûte chaque graine (S,), en évaluations : de 0 à V, ce que coûte un échec.

    `solved` : (S, V) booléens, comme `streak_end`. Chaque évaluation manquée coûte un jusqu'à la
    troisième réussite de suite, et `fall` ensuite : on veut réussir tôt *et* ne pas retomber.
    """
    solved, fall = _evaluations(solved), check_number("fall", fall, float, low=0)
    later = ~after_success(solved, 3).mask
    total = (np.where(later, fall, 1.0) * ~solved).sum(axis=1)
    never, evaluations = np.isnan(streak_end(solved, 3)), solved.shape[1]
    return np.where(never, evaluations, total).clip(max=evaluations)


def _evaluations(solved) -> np.ndarray:
    solved = check_array("solved", solved, (None, None), bool)
    if not solved.size:
        raise ValueError(f"solved doit contenir au moins une évaluation : {solved.shape} reçu.")
    return solved


def _counts(successes: int, trials: int, confidence: float) -> tuple[int, int, float]:
    trials = check_number("trials", trials, int, low=1)
    successes = check_number("successes", successes, int, low=0, high=trials)
    return successes, trials, _check_confidence(confidence)


def _paired(differences) -> tuple[np.ndarray, np.ndarray]:
    """Rend les écarts (n, ...) et l'erreur type de leur moyenne (...)."""
    differences = check_array("differences", differences, None, float)
    if not differences.ndim or len(differences) < 2:
        raise ValueError(
            f"differences doit compter au moins deux graines : {differences.shape} reçu."
        )
    return differences, differences.std(axis=0, ddof=1) / math.sqrt(len(differences))


def _student(count: int, level: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(count - 1, level))


def _check_confidence(confidence: float) -> float:
    return check_number("confidence", confidence, float, above=0, below=1)


def _numbers(values) -> np.ndarray:
    array = check_array("values", values, None, float)
    if not array.ndim:
        raise ValueError(f"values doit avoir au moins un axe : {array.shape} reçu.")
    if not array.size:
        raise ValueError("values doit contenir au moins un nombre : tableau vide reçu.")
    return array
