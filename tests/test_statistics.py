"""Les statistiques, contre SciPy, contre des calculs à la main, contre des lois connues."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, binomtest, bootstrap, trim_mean, ttest_1samp

from cartpole_helpers import (
    bootstrap_interval,
    exact_interval,
    interquartile_mean,
    paired_interval,
    wilson_interval,
)
from cartpole_helpers.statistics import (
    after_success,
    holm,
    paired_p_value,
    sign_test,
    smallest_effect,
    streak_end,
)

SAMPLE = np.array([3.0, 141.0, 59.0, 26.0, 500.0, 35.0, 89.0, 79.0, 323.0, 84.0])


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def by_four_copies(values):
    """La moyenne interquartile : chaque valeur écrite quatre fois, un quart s'ôte sans reste."""
    copies = sorted(value for value in np.asarray(values).tolist() for _ in range(4))
    return math.fsum(copies[len(values) : -len(values)]) / (2 * len(values))


def mean(values, axis):
    return values.mean(axis=axis)


def successes(share, seed=0):
    """Les évaluations (60, 9) de graines dont chacune réussit avec la probabilité `share`."""
    return np.random.default_rng(seed).random((60, 9)) < share


def counted_streak_end(row, length):
    """Compte les réussites de suite, une évaluation après l'autre."""
    streak = 0
    for rank, success in enumerate(row.tolist()):
        streak = streak + 1 if success else 0
        if streak == length:
            return rank
    return math.nan


def later(row):
    """La liste de ce qui suit la première réussite."""
    row = row.tolist()
    return row[row.index(True) + 1 :] if True in row else []


# La moyenne interquartile


@pytest.mark.parametrize("count", [4, 8, 12, 40, 100])
def test_interquartile_mean_equals_the_trimmed_mean_of_scipy(count):
    values = normal(count)
    assert interquartile_mean(values) == pytest.approx(trim_mean(values, 0.25), rel=1e-12)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7], 7),
        ([2, 4], 3),
        ([0, 3, 30], (0.25 * 0 + 3 + 0.25 * 30) / 1.5),
        ([9, 1, 2, 100], 5.5),
        ([0, 10, 20, 30, 1000], (0.75 * 10 + 20 + 0.75 * 30) / 2.5),
        ([5, 0, 1, 2, 3, 4, -600], (0.25 * 0 + 1 + 2 + 3 + 0.25 * 4) / 3.5),
    ],
)
def test_interquartile_mean_by_hand(values, expected):
    before = list(values)
    assert interquartile_mean(values) == pytest.approx(expected, rel=1e-12)
    assert values == before


@pytest.mark.parametrize("count", range(1, 24))
def test_interquartile_mean_weighs_the_edges_in_proportion(count):
    values = normal(count, seed=count)
    assert interquartile_mean(values) == pytest.approx(by_four_copies(values), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_interquartile_mean_reduces_one_axis(axis):
    values = normal(5, 6, 7)
    expected = np.apply_along_axis(by_four_copies, axis, values)
    np.testing.assert_allclose(interquartile_mean(values, axis=axis), expected, rtol=1e-12)


def test_interquartile_mean_reduces_the_first_axis_by_default():
    assert interquartile_mean(normal(5, 6)).shape == (6,)


@pytest.mark.parametrize("count", [5, 8, 11])
def test_interquartile_mean_ignores_extremes_and_order(count):
    values = np.sort(normal(count))
    wild = values.copy()
    wild[[0, -1]] = -1e9, 1e9
    assert interquartile_mean(wild[::-1]) == pytest.approx(interquartile_mean(values), rel=1e-12)


# La bande rééchantillonnée


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_bootstrap_interval_equals_the_enumeration_of_every_resample(confidence):
    values = np.array([0.0, 1.0, 10.0, 100.0])
    means = [np.mean(rows) for rows in product(values, repeat=4)]
    tail = (1 - confidence) / 2
    expected = np.quantile(means, [tail, 1 - tail], method="nearest")
    received = bootstrap_interval(values, mean, confidence=confidence, resamples=20_000)
    np.testing.assert_allclose(received, expected, atol=2.6)


@pytest.mark.parametrize("statistic", [mean, np.median, interquartile_mean])
def test_bootstrap_interval_is_close_to_the_one_of_scipy(statistic):
    expected = bootstrap(
        (SAMPLE,), statistic, method="percentile", n_resamples=5_000, rng=1, vectorized=True
    ).confidence_interval
    received = bootstrap_interval(SAMPLE, statistic, resamples=5_000)
    np.testing.assert_allclose(received, expected, rtol=0.06)


@pytest.mark.parametrize(("confidence", "low", "high"), [(0.95, 0.92, 0.96), (0.8, 0.76, 0.82)])
def test_bootstrap_interval_covers_the_truth_as_often_as_it_says(confidence, low, high):
    samples = normal(40, 3_000)  # une colonne par échantillon, d'espérance nulle
    bottom, top = bootstrap_interval(samples, mean, confidence=confidence, resamples=600)
    assert low < np.mean((bottom < 0) & (top > 0)) < high


def test_the_default_statistic_is_the_interquartile_mean_at_95_percent():
    expected = bootstrap_interval(SAMPLE, interquartile_mean, confidence=0.95, seed=0)
    assert bootstrap_interval(SAMPLE) == expected


def test_bootstrap_interval_is_reproducible_and_its_seeds_differ():
    assert bootstrap_interval(SAMPLE) == bootstrap_interval(SAMPLE)
    assert bootstrap_interval(SAMPLE) != bootstrap_interval(SAMPLE, seed=1)


def test_bootstrap_interval_reduces_the_first_axis_only():
    values = normal(6, 2, 3)
    low, high = bootstrap_interval(values)
    assert low.shape == high.shape == (2, 3)
    for place in np.ndindex(2, 3):
        alone = bootstrap_interval(values[:, *place])
        np.testing.assert_allclose(alone, (low[place], high[place]), rtol=1e-12)


def test_a_wider_confidence_gives_a_wider_interval():
    intervals = [bootstrap_interval(SAMPLE, confidence=share) for share in (0.5, 0.8, 0.95, 0.99)]
    lows, highs = zip(*intervals, strict=True)
    assert list(lows) == sorted(lows, reverse=True)
    assert list(highs) == sorted(highs)
    assert lows[0] < interquartile_mean(SAMPLE) < highs[0]


def test_one_value_or_equal_values_give_a_point():
    assert bootstrap_interval([475.0]) == (475.0, 475.0)
    assert bootstrap_interval([500, 500, 500]) == (500.0, 500.0)


# L'intervalle de Wilson


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("trials", [1, 2, 7, 20, 1_000])
def test_wilson_interval_equals_scipy(trials, confidence):
    for successes in {0, 1, trials // 3, trials - 1, trials}:
        expected = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
        received = wilson_interval(successes, trials, confidence=confidence)
        assert received == pytest.approx(tuple(expected), rel=1e-9, abs=1e-12)


def test_the_default_confidence_is_95_percent():
    expected = binomtest(17, 20).proportion_ci(0.95, method="wilson")
    assert wilson_interval(17, 20) == pytest.approx(tuple(expected), rel=1e-9)


@pytest.mark.parametrize("trials", [1, 3, 20, 49, 10_000])
def test_wilson_interval_at_the_edges(trials):
    bottom, top = wilson_interval(0, trials), wilson_interval(trials, trials)
    assert 0 <= bottom[0] < 1e-15
    assert 1 - 1e-15 < top[1] <= 1
    assert 0 < bottom[1] < 1
    assert top[0] == pytest.approx(1 - bottom[1], rel=1e-12)


def test_wilson_interval_takes_integers_of_numpy_and_returns_floats():
    received = wilson_interval(np.int64(3), np.int32(9))
    assert received == wilson_interval(3, 9)
    assert all(type(bound) is float for bound in received)


# L'intervalle exact


@pytest.mark.parametrize("trials", [1, 20, 40])
def test_exact_interval_never_covers_less_than_it_says(trials):
    shares = np.linspace(0.001, 0.999, 333)
    low, high = np.transpose([exact_interval(count, trials) for count in range(trials + 1)])
    covered = (low <= shares[:, None]) & (shares[:, None] <= high)
    chances = binom.pmf(np.arange(trials + 1), trials, shares[:, None])
    assert (chances * covered).sum(axis=1).min() >= 0.95


def test_exact_interval_at_the_edges():
    assert exact_interval(20, 20) == pytest.approx((0.025 ** (1 / 20), 1.0), rel=1e-9)
    assert exact_interval(0, 20) == pytest.approx((0.0, 1 - 0.025 ** (1 / 20)), rel=1e-9)


# Les écarts appariés


def test_paired_interval_and_its_p_value_equal_scipy():
    differences = normal(12, 3) + np.array([0, 0.5, 2])
    expected = ttest_1samp(differences, 0)
    bounds = expected.confidence_interval(0.9)
    assert np.allclose(paired_interval(differences, confidence=0.9), bounds, rtol=1e-9)
    assert paired_p_value(differences) == pytest.approx(expected.pvalue, rel=1e-9)


def test_equal_pairs_show_nothing_without_a_warning():
    assert paired_p_value(np.zeros(5)) == 1
    assert paired_interval(np.zeros(5)) == (0, 0)
    assert paired_p_value(np.ones(5)) == 0


def test_the_smallest_effect_is_seen_as_often_as_it_says():
    samples = normal(20, 4_000)
    effect = np.sqrt(np.mean(smallest_effect(samples) ** 2))
    low, _ = paired_interval(samples + effect)
    assert 0.77 < np.mean(low > 0) < 0.83


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (0, 1), (7, 0), (3, 5), (9, 2)])
def test_sign_test_is_an_even_coin(wins, losses):
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.6]) == pytest.approx([1, 1])


# La réussite, et ce qui la suit


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("length", [1, 2, 3, 8, 9])
def test_streak_end_is_what_a_counter_finds(length, share):
    solved = successes(share, seed=length)
    expected = [counted_streak_end(row, length) for row in solved]
    assert streak_end(solved, length).shape == (60,)
    np.testing.assert_array_equal(streak_end(solved, length), expected)


@pytest.mark.parametrize(
    ("evaluations", "length", "expected"),
    [
        ("....", 1, math.nan),
        ("...#", 1, 3),
        ("#...", 1, 0),
        ("####", 1, 0),
        ("##..", 2, 1),
        ("#.##", 2, 3),
        ("#.#.", 2, math.nan),
        ("##.#", 3, math.nan),
        ("####", 4, 3),
        ("####", 5, math.nan),
        ("#", 1, 0),
        ("#", 1_000, math.nan),
    ],
)
def test_streak_end_by_hand(evaluations, length, expected):
    solved = [[letter == "#" for letter in evaluations]]
    np.testing.assert_array_equal(streak_end(solved, length), [expected])


def test_a_streak_of_one_is_the_first_success():
    solved = successes(0.3)
    np.testing.assert_array_equal(streak_end(solved), streak_end(solved, 1))
    np.testing.assert_array_equal(streak_end(solved) == 0, solved[:, 0])


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_after_success_keeps_what_follows_the_first_success_of_each_seed(share):
    solved = successes(share)
    before = solved.copy()
    kept = after_success(solved)
    assert kept.shape == solved.shape
    assert [row.compressed().tolist() for row in kept] == [later(row) for row in solved]
    np.testing.assert_array_equal(kept.data, before)
    np.testing.assert_array_equal(solved, before)


def test_after_three_successes_keeps_what_follows_the_third_in_a_row():
    solved = np.array([[1, 1, 0, 1, 1, 1, 0, 1], [1, 1, 0, 1, 1, 0, 0, 1]], bool)
    rows = [row.compressed().tolist() for row in after_success(solved, 3)]
    assert rows == [[False, True], []]


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_the_mean_after_success_is_the_share_held(share):
    rows = [later(row) for row in successes(share)]
    together = [success for row in rows for success in row]
    kept = after_success(successes(share))
    assert kept.mean() == pytest.approx(sum(together) / len(together), rel=1e-12)
    for received, row in zip(kept.mean(axis=1), rows, strict=True):
        assert np.ma.is_masked(received) == (not row)
        if row:
            assert received == pytest.approx(sum(row) / len(row), rel=1e-12)


@pytest.mark.parametrize("evaluations", [[[False] * 3] * 2, [[False, False, True]] * 2, [[True]]])
def test_nothing_after_a_success_is_masked_without_a_warning(evaluations):
    kept = after_success(np.array(evaluations))
    assert kept.mask.all()
    assert kept.mean() is np.ma.masked
    assert kept.mean(axis=1).mask.all()
    assert kept.mean(axis=1).filled(np.nan).shape == (len(evaluations),)


# Les arguments refusés


NO_EVALUATION = [
    ([], "(0,) reçu"),
    ([True, False], "(2,) reçu"),
    (True, "() reçu"),
    (np.zeros((2, 3, 4), bool), "(2, 3, 4) reçu"),
    (np.zeros((0, 3), bool), "(0, 3) reçu"),
    (np.zeros((3, 0), bool), "(3, 0) reçu"),
    ([[0, 1]], "int64 reçu"),
    ([[475.0, 500.0]], "float64 reçu"),
    ([[math.nan]], "float64 reçu"),
    ([["oui"]], "<U3 reçu"),
    (None, "object reçu"),
    ([[True], [True, False]], "[[True], [True, False]] reçu"),
]
BAD_CALLS = [
    (interquartile_mean, ([],), {}, "values", "vide reçu"),
    (interquartile_mean, (np.zeros((0, 3)),), {}, "values", "vide reçu"),
    (interquartile_mean, (5.0,), {}, "values", ": () reçu"),
    (interquartile_mean, ([1.0, math.nan],), {}, "values", "NaN"),
    (interquartile_mean, ([1.0, math.inf],), {}, "values", "infini"),
    (interquartile_mean, (["un", "deux"],), {}, "values", ": <U4 reçu"),
    (interquartile_mean, ([1j, 2j],), {}, "values", ": complex128 reçu"),
    (interquartile_mean, (None,), {}, "values", ": object reçu"),
    (interquartile_mean, ([[1, 2], [3]],), {}, "values", ": [[1, 2], [3]] reçu"),
    (interquartile_mean, ([1.0, 2.0],), {"axis": 1}, "axis", ": 1 reçu"),
    (interquartile_mean, ([1.0, 2.0],), {"axis": "x"}, "axis", ": 'x' reçu"),
    (bootstrap_interval, ([],), {}, "values", "vide reçu"),
    (bootstrap_interval, ([1.0, math.nan],), {}, "values", "NaN"),
    (bootstrap_interval, ([1.0], 3), {}, "statistic", ": 3 reçu"),
    (bootstrap_interval, ([1.0],), {"confidence": 0}, "confidence", ": 0 reçu"),
    (bootstrap_interval, ([1.0],), {"confidence": 95}, "confidence", ": 95 reçu"),
    (bootstrap_interval, ([1.0],), {"confidence": "haute"}, "confidence", ": 'haute' reçu"),
    (bootstrap_interval, ([1.0],), {"resamples": 0}, "resamples", ": 0 reçu"),
    (bootstrap_interval, ([1.0],), {"resamples": 10.5}, "resamples", ": 10.5 reçu"),
    (bootstrap_interval, ([1.0],), {"seed": -1}, "seed", ": -1 reçu"),
    (bootstrap_interval, ([1.0],), {"seed": None}, "seed", ": None reçu"),
    (interquartile_mean, (np.ma.masked_less([1.0, 2.0], 2),), {}, "values", "1 valeurs masquées"),
    (exact_interval, (5, 4), {}, "successes", ": 5 reçu"),
    (paired_interval, ([1.0],), {}, "differences", "(1,) reçu"),
    (smallest_effect, ([1.0, 2.0],), {"power": 80}, "power", ": 80 reçu"),
    (sign_test, (-1, 2), {}, "wins", ": -1 reçu"),
    (holm, ([0.1, 1.2],), {}, "p_values", "1.2] reçu"),
    (wilson_interval, (1, 0), {}, "trials", ": 0 reçu"),
    (wilson_interval, (1, 2.5), {}, "trials", ": 2.5 reçu"),
    (wilson_interval, (-1, 4), {}, "successes", ": -1 reçu"),
    (wilson_interval, (5, 4), {}, "successes", ": 5 reçu"),
    (wilson_interval, (True, 4), {}, "successes", ": True reçu"),
    (wilson_interval, (1, 4), {"confidence": 1.5}, "confidence", ": 1.5 reçu"),
    (wilson_interval, (1, 4), {"confidence": 1}, "confidence", ": 1 reçu"),
    (wilson_interval, (1, 4), {"confidence": math.nan}, "confidence", ": nan reçu"),
    *((streak_end, (solved,), {}, "solved", told) for solved, told in NO_EVALUATION),
    *((after_success, (solved,), {}, "solved", told) for solved, told in NO_EVALUATION),
    (streak_end, ([[True]], 0), {}, "length", ": 0 reçu"),
    (streak_end, ([[True]], -1), {}, "length", ": -1 reçu"),
    (streak_end, ([[True]], 2.0), {}, "length", ": 2.0 reçu"),
    (streak_end, ([[True]], True), {}, "length", ": True reçu"),
    (streak_end, ([[True]], None), {}, "length", ": None reçu"),
]


@pytest.mark.parametrize(("function", "args", "options", "name", "told"), BAD_CALLS)
def test_bad_arguments_are_refused_in_french(function, args, options, name, told):
    with pytest.raises((TypeError, ValueError)) as refusal:
        function(*args, **options)
    message = str(refusal.value)
    assert message.startswith(f"{name} "), message
    assert " doit " in message, message
    assert told in message, message
