"""Les figures qui comparent montrent chaque nombre, et chaque moyenne, à sa place."""

import math
from statistics import median

import numpy as np
import pytest
from drawn import (
    CLOUDS,
    COST,
    COUNTS,
    ESTIMATES,
    LABELS,
    LENGTHS,
    LINES,
    PASSED,
    RETURNS,
    SERIES,
    STEPS,
    TITLE,
    TRIALS,
    assert_told,
    line_through,
    picture_of,
    plain,
    read,
)
from matplotlib.patches import Rectangle

from cartpole_helpers import bootstrap_interval
from cartpole_helpers.display import figures
from cartpole_helpers.display.numbers import number


def test_baselines_show_every_episode_and_every_mean():
    [axes] = picture_of("baselines").figure.axes
    for row, values in enumerate(RETURNS.values()):
        line_through(axes, [values.mean()], [row])
        low, high = bootstrap_interval(values, np.mean)
        line_through(axes, [low, high], [row, row])
        assert any(np.array_equal(line.get_xdata(), values) for line in axes.lines)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(RETURNS)
    means = [f"{name} {values.mean():.0f}" for name, values in RETURNS.items()]
    assert_told(picture_of("baselines"), "20 épisodes", *means)


def test_survival_counts_the_episodes_still_standing():
    lengths = {"une": np.array([3, 3, 5, 9]), "autre": np.array([8, 9, 9, 1])}
    [axes] = figures.survival(lengths, 8, TITLE).figure.axes
    for line, values in zip(axes.lines[:2], lengths.values(), strict=True):
        drawn = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
        for step in (1, 3, 5, 8):
            standing = sum(value > step for value in values.tolist())
            assert drawn[step] == 100 * standing / 4
    shares = [f"{name} {100 * np.mean(v > 2_000):.0f} %" for name, v in LENGTHS.items()]
    assert_told(picture_of("survival"), "2 000 pas", "25 départs", *shares)


def test_distributions_are_histograms_in_percent_and_means():
    panels = picture_of("distributions").figure.axes
    edges = np.histogram_bin_edges(np.concatenate([*SERIES.values()]), bins=50)
    for axes, (name, values) in zip(panels, SERIES.items(), strict=True):
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1], atol=1e-9)
        counts, _ = np.histogram(values, edges)
        np.testing.assert_allclose([bar.get_height() for bar in bars], 100 * counts / len(values))
        [mean] = [line.get_xdata()[0] for line in axes.lines]
        assert mean == pytest.approx(values.mean())
        assert name in axes.texts[0].get_text()
    means = [f"{name} {number(values.mean(), 1)}" for name, values in SERIES.items()]
    assert_told(picture_of("distributions"), *means)


def test_points_are_those_given_and_the_identity_is_straight():
    [axes] = picture_of("points").figure.axes
    for name, (x, y) in CLOUDS.items():
        cloud = line_through(axes, x, y)
        assert (cloud.get_label(), cloud.get_linestyle()) == (name, "None")
    identity = axes.lines[-1]
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    assert len(figures.points(CLOUDS, TITLE, LABELS).figure.axes[0].lines) == len(CLOUDS)
    assert_told(picture_of("points"), "départs 30", "fins 4")


def test_verdicts_put_each_mark_in_its_place():
    figure = picture_of("verdicts").figure
    figure.draw_without_rendering()
    [axes] = figure.axes
    rows = {tick.get_loc(): tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()}
    columns = {tick.get_loc(): tick.label2.get_text() for tick in axes.xaxis.get_major_ticks()}
    places = {text.get_position(): text.get_text() for text in axes.texts}
    assert {(rows[y], columns[x]): mark for (x, y), mark in places.items()} == {
        (line, trial): "✔" if right else "✘"
        for line, rights in zip(LINES, PASSED.tolist(), strict=True)
        for trial, right in zip(TRIALS, rights, strict=True)
    }
    refused = "la règle : aucun ; une faute : une action, un choix."
    assert_told(picture_of("verdicts"), refused)


def row_names(axes):
    """Le nom de chaque rangée, par sa hauteur."""
    axes.figure.draw_without_rendering()
    ticks = axes.yaxis.get_major_ticks()
    return {plain(tick.label1.get_text()): tick.get_loc() for tick in ticks}


def test_intervals_are_those_given_a_panel_each():
    assert_told(
        picture_of("intervals"),
        "retour à la fin (pas) : sans (412), avec : γ = 1 (497)",
        "seuil de la réussite (pas) : sans (18 000), avec : γ = 1 (0,25)",
    )
    figure = picture_of("intervals").figure
    rows = row_names(figure.axes[0])
    for axes, (label, estimates) in zip(figure.axes, ESTIMATES.items(), strict=True):
        assert axes.get_xlabel() == label
        for name, (value, low, high) in estimates.items():
            line_through(axes, [low, high], [rows[name]] * 2)
            line_through(axes, [value], [rows[name]])


@pytest.mark.parametrize("log", [False, True])
def test_strips_show_every_seed_and_the_median(log):
    [axes] = figures.strips(STEPS, TITLE, COST, log=log).figure.axes
    assert (axes.get_xscale(), axes.get_xlabel()) == ("log" if log else "linear", COST)
    rows, written = row_names(axes), [text.get_text() for text in axes.texts]
    for (name, values), told in zip(STEPS.items(), written, strict=True):
        [dots] = [line for line in axes.lines if len(line.get_xdata()) == len(values)]
        np.testing.assert_array_equal(dots.get_xdata(), values)
        assert np.abs(dots.get_ydata() - rows[name]).max() < 0.5  # chacune dans sa rangée
        middle = median(values.tolist())
        [heights] = [line.get_ydata() for line in axes.lines if {*line.get_xdata()} == {middle}]
        assert min(heights) < rows[name] < max(heights)
        assert read(told) == pytest.approx(middle, rel=5e-3)  # trois chiffres utiles


def test_a_seed_that_never_arrives_has_no_dot_and_counts_in_the_median():
    values = {"deux sur trois": [4, math.inf, 8.0], "une sur trois": [2, math.inf, math.inf]}
    values["aucune"] = [math.inf]
    picture = figures.strips(values, TITLE, COST, log=True)
    written = [plain(text.get_text()) for text in picture.figure.axes[0].texts]
    assert written == ["jamais : 1", "8", "jamais : 2", "jamais : 1"]
    medians = "deux sur trois (8), une sur trois (jamais), aucune (jamais)"
    assert_told(picture, COST, f"médiane de chaque rangée : {medians}")


def test_draw_counts_tell_how_many_were_drawn():
    [axes] = picture_of("draw_counts").figure.axes
    segments = axes.collections[0].get_segments()
    assert {(int(x), int(high)) for (x, _), (_, high) in segments} == {
        (place, count) for place, count in enumerate(COUNTS.tolist()) if count
    }
    drawn = sum(count > 0 for count in COUNTS.tolist())
    assert_told(picture_of("draw_counts"), f"{drawn} transitions", "900")
