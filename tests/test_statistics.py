"""Les statistiques, contre SciPy, contre des calculs à la main, contre des lois connues."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr, trim_mean, ttest_1samp

from cartpole_helpers import (
    bootstrap_interval,
    exact_interval,
    interquartile_mean,
    paired_interval,
    wilson_interval,
)
from cartpole_helpers.statistics import (
    after_success,
    at_success,
    costs,
    holds,
    holm,
    paired_p_value,
    percentage,
    rank_correlation,
    sign_test,
    smallest_effect,
    streak_end,
    succeeds,
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


# La moyenne interquartile


def test_interquartile_mean_by_hand_by_four_copies_and_by_scipy():
    by_hand = [0, 10, 20, 30, 1000]
    expected = (0.75 * 10 + 20 + 0.75 * 30) / 2.5
    assert interquartile_mean(by_hand) == pytest.approx(expected, rel=1e-12)
    for count in range(1, 24):
        values = normal(count, seed=count)
        received = interquartile_mean(values)
        assert received == pytest.approx(by_four_copies(values), rel=1e-12, abs=1e-12), count
        if count % 4 == 0:
            assert received == pytest.approx(trim_mean(values, 0.25), rel=1e-12)


def test_interquartile_mean_reduces_one_axis_the_first_by_default():
    values = normal(5, 6, 7)
    before = values.copy()
    for axis in (0, 1, 2, -1):
        expected = np.apply_along_axis(by_four_copies, axis, values)
        np.testing.assert_allclose(interquartile_mean(values, axis=axis), expected, rtol=1e-12)
    np.testing.assert_array_equal(interquartile_mean(values), interquartile_mean(values, axis=0))
    np.testing.assert_array_equal(values, before)


# La bande rééchantillonnée


def test_bootstrap_interval_equals_the_enumeration_of_every_resample():
    values = np.array([0.0, 1.0, 10.0, 100.0])
    means = [np.mean(rows) for rows in product(values, repeat=4)]
    for confidence in (0.5, 0.95):
        tail = (1 - confidence) / 2
        expected = np.quantile(means, [tail, 1 - tail], method="nearest")
        received = bootstrap_interval(values, mean, confidence=confidence, resamples=20_000)
        np.testing.assert_allclose(received, expected, atol=2.6)


def test_bootstrap_interval_covers_the_truth_as_often_as_it_says():
    samples = normal(40, 3_000)  # une colonne par échantillon, d'espérance nulle
    for confidence, low, high in [(0.95, 0.92, 0.96), (0.8, 0.76, 0.82)]:
        bottom, top = bootstrap_interval(samples, mean, confidence=confidence, resamples=600)
        assert low < np.mean((bottom < 0) & (top > 0)) < high


def test_bootstrap_interval_is_that_of_the_interquartile_mean_at_95_percent_from_seed_zero():
    """Le rééchantillonnage se fait par morceaux : ce qu'ils rendent n'en dépend pas."""
    options = {"confidence": 0.95, "seed": 0, "resamples": 2_000}
    assert bootstrap_interval(SAMPLE) == bootstrap_interval(SAMPLE, interquartile_mean, **options)
    assert bootstrap_interval(SAMPLE) != bootstrap_interval(SAMPLE, seed=1)
    assert bootstrap_interval([500, 500, 500]) == (500.0, 500.0)
    values = normal(6, 8, 9)  # plus d'un morceau
    low, high = bootstrap_interval(values)
    assert low.shape == high.shape == (8, 9)
    for place in [(0, 0), (7, 8)]:
        alone = bootstrap_interval(values[:, *place])
        np.testing.assert_allclose(alone, (low[place], high[place]), rtol=1e-12)


# L'intervalle de Wilson, l'intervalle exact


def test_wilson_interval_equals_scipy_at_95_percent_by_default():
    for trials, confidence in product((1, 20, 1_000), (0.5, 0.95)):
        for count in {0, 1, trials // 3, trials - 1, trials}:
            expected = binomtest(count, trials).proportion_ci(confidence, method="wilson")
            received = wilson_interval(count, trials, confidence=confidence)
            assert received == pytest.approx(tuple(expected), rel=1e-9, abs=1e-12)
            assert 0 <= received[0] < received[1] <= 1
    assert wilson_interval(np.int64(17), 20) == wilson_interval(17, 20, confidence=0.95)


def test_exact_interval_equals_scipy():
    for count, confidence in product((0, 3, 20), (0.5, 0.95)):
        expected = binomtest(count, 20).proportion_ci(confidence, method="exact")
        received = exact_interval(count, 20, confidence=confidence)
        assert received == pytest.approx(tuple(expected), rel=1e-9)
    assert exact_interval(3, 20) == exact_interval(3, 20, confidence=0.95)


# Les écarts appariés


def test_paired_interval_and_its_p_value_equal_scipy():
    differences = normal(12, 3) + np.array([0, 0.5, 2])
    expected = ttest_1samp(differences, 0)
    for asked, confidence in [({}, 0.95), ({"confidence": 0.9}, 0.9)]:
        bounds = expected.confidence_interval(confidence)
        np.testing.assert_allclose(paired_interval(differences, **asked), bounds, rtol=1e-9)
    for signed in (differences, -differences):
        assert paired_p_value(signed) == pytest.approx(expected.pvalue, rel=1e-9)
    single = differences.astype(np.float32)  # tout se calcule en double précision
    assert np.array_equal(paired_interval(single), paired_interval(single.astype(float)))
    two = paired_interval([1.0, 3.0])
    assert np.allclose(two, ttest_1samp([1.0, 3.0], 0).confidence_interval(0.95), rtol=1e-9)
    # Des écarts égaux, sans un avertissement.
    assert (paired_p_value(np.zeros(5)), paired_p_value(np.ones(5))) == (1, 0)
    assert paired_interval(np.zeros(5)) == (0, 0)


def test_the_smallest_effect_is_seen_as_often_as_it_says():
    samples = normal(20, 4_000)
    for asked in ({}, {"power": 0.9, "confidence": 0.8}):
        power = asked.get("power", 0.8)
        effect = np.sqrt(np.mean(smallest_effect(samples, **asked) ** 2))
        low, _ = paired_interval(samples + effect, confidence=asked.get("confidence", 0.95))
        assert power - 0.03 < np.mean(low > 0) < power + 0.03


def test_sign_test_is_an_even_coin():
    for wins, losses in [(0, 1), (7, 0), (3, 5), (9, 2), (4, 4)]:
        expected = binomtest(wins, wins + losses).pvalue
        assert sign_test(wins, losses) == pytest.approx(expected, rel=1e-9), (wins, losses)
    assert sign_test(0, 0) == 1


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.6]) == pytest.approx([1, 1])
    assert holm([0, 1]).tolist() == [0.0, 1.0]
    single = np.float32([0.1, 0.3])
    assert np.array_equal(holm(single), holm(single.astype(float)))


def test_rank_correlation_equals_scipy_ties_and_leading_axes_included():
    generator = np.random.default_rng(0)
    x, y = generator.integers(6, size=(2, 30)), generator.normal(size=(4, 2, 30))
    expected = [
        [spearmanr(one, other).statistic for one, other in zip(x, ys, strict=True)] for ys in y
    ]
    np.testing.assert_allclose(rank_correlation(x, y), expected, rtol=1e-12)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5)))  # sans un avertissement


# La réussite, et ce qui la suit


def test_streaks_are_what_a_reader_finds_in_a_text():
    """La fin de la première suite de réussites, et ce qui suit : sa moyenne, la part conservée."""
    for share, length in product((0.15, 0.85), (1, 2, 8, 9, 12)):
        solved = np.random.default_rng(length).random((60, 9)) < share
        solved[0] = False
        texts = ["".join(".#"[success] for success in row.tolist()) for row in solved]
        found = [text.find("#" * length) for text in texts]
        ends = [start + length - 1 if start >= 0 else math.nan for start in found]
        np.testing.assert_array_equal(streak_end(solved, length), ends)
        kept = after_success(solved, length)
        np.testing.assert_array_equal(kept.data, solved)
        later = [
            text[int(end) + 1 :] if end >= 0 else "" for text, end in zip(texts, ends, strict=True)
        ]
        for row, mean, text in zip(kept, kept.mean(axis=1), later, strict=True):
            assert row.compressed().tolist() == [letter == "#" for letter in text]
            assert np.ma.is_masked(mean) == (text == "")
            assert not text or mean == pytest.approx(text.count("#") / len(text))
    np.testing.assert_array_equal(streak_end(solved), streak_end(solved, 1))
    np.testing.assert_array_equal(after_success(solved).mask, after_success(solved, 1).mask)
    assert after_success(np.zeros((2, 3), bool)).mean() is np.ma.masked  # sans un avertissement


def test_succeeding_and_holding_are_what_a_reader_finds_in_a_text():
    """Rien ne compte de ce qui précède la réussite ; `kept` est plus indulgent ensuite."""
    rows = ("###.#", ".###?", "##.##", "#.###", "?####")  # « ? » : manqué, mais tenu pour gardé
    solved, kept = (np.array([[c in marks for c in row] for row in rows]) for marks in ("#", "#?"))
    np.testing.assert_array_equal(succeeds(solved), [True, True, False, True, True])
    np.testing.assert_array_equal(holds(solved), [False, False, False, True, True])
    np.testing.assert_array_equal(holds(solved, kept), [False, True, False, True, True])
    share, *bounds = percentage(succeeds(solved))
    assert (share, *bounds) == pytest.approx((80, *(100 * one for one in exact_interval(4, 5))))


def test_what_success_costs_is_read_where_its_streak_ends_and_failing_costs_forever():
    solved = np.array([[True, False, True, True], [True, False, True, False]])
    values = [[1, 2, 3, 4], [1, 2, 3, math.nan]]
    assert at_success(solved, values, 2).tolist() == [4, math.inf]
    assert at_success(solved, values).tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"forme de `solved`, \(2, 4\) : \(1, 4\) reçu"):
        at_success(solved, values[:1])


def test_a_seed_costs_what_it_misses_then_five_times_what_it_loses():
    for text, cost in {
        ".###": 1,
        "##.###": 1,  # deux de suite ne suffisent pas
        "###..####": 9,  # dix, mais jamais plus qu'un échec
        "###.####": 5,
        "######": 0,
        "##.##.##": 8,  # jamais trois de suite : un échec
    }.items():
        solved = np.array([[letter == "#" for letter in text]])
        assert costs(solved).tolist() == [cost], text
    assert costs(np.array([[1, 1, 1, 0, 1]], bool), fall=2).tolist() == [2]


# Les arguments refusés


def test_bad_arguments_are_refused_by_their_name():
    hidden = np.ma.masked_array([1.0, 0.8, 0], mask=[0, 0, 1])
    for function, args, options, name, told in [
        (interquartile_mean, ([],), {}, "values", "vide reçu"),
        (interquartile_mean, (5.0,), {}, "values", ": () reçu"),
        (interquartile_mean, ([1.0, 2.0],), {"axis": 1}, "axis", ": 1 reçu"),
        (interquartile_mean, ([1.0, 2.0],), {"axis": -2}, "axis", ": -2 reçu"),
        (bootstrap_interval, (hidden,), {}, "values", "1 valeurs masquées"),
        (bootstrap_interval, ([1.0], 3), {}, "statistic", ": 3 reçu"),
        (bootstrap_interval, ([1.0],), {"confidence": 0}, "confidence", ": 0 reçu"),
        (bootstrap_interval, ([1.0],), {"resamples": 0}, "resamples", ": 0 reçu"),
        (bootstrap_interval, ([1.0],), {"seed": -1}, "seed", ": -1 reçu"),
        (wilson_interval, (1, 0), {}, "trials", ": 0 reçu"),
        (wilson_interval, (-1, 4), {}, "successes", ": -1 reçu"),
        (wilson_interval, (1, 4), {"confidence": 1}, "confidence", ": 1 reçu"),
        (exact_interval, (5, 4), {}, "successes", ": 5 reçu"),
        (paired_interval, ([1.0],), {}, "differences", "(1,) reçu"),
        (paired_interval, (1.0,), {}, "differences", "() reçu"),
        (paired_p_value, (hidden,), {}, "differences", "1 valeurs masquées"),
        (smallest_effect, ([1.0, 2.0],), {"power": 0.5}, "power", ": 0.5 reçu"),
        (smallest_effect, ([1.0, 2.0],), {"power": 1}, "power", ": 1 reçu"),
        (sign_test, (-1, 2), {}, "wins", ": -1 reçu"),
        (sign_test, (2, -1), {}, "losses", ": -1 reçu"),
        (holm, ([0.1, 1.2],), {}, "p_values", "1.2] reçu"),
        (holm, ([-0.1, 0.2],), {}, "p_values", "0.2] reçu"),
        (streak_end, ([True, False],), {}, "solved", "(2,) reçu"),
        (streak_end, (np.zeros((0, 3), bool),), {}, "solved", "(0, 3) reçu"),
        (streak_end, ([[475.0, 500.0]],), {}, "solved", "float64 reçu"),
        (streak_end, ([[True]], 0), {}, "length", ": 0 reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=rf"^{name} (ne )?doit ") as refusal:
            function(*args, **options)
        assert told in str(refusal.value), (function, name)
