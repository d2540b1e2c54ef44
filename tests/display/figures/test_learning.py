"""Les figures de ce qui change au fil du temps passent par leurs points."""

import numpy as np
import pytest
from drawn import (
    AROUND,
    BANDS,
    COSTS,
    CURVES,
    ENV_STEPS,
    FOLLOWED,
    RECIPES,
    RUNGS,
    SIZES,
    TITLE,
    assert_bounds,
    assert_ticks_are_true,
    assert_told,
    draw,
    line_through,
    numbered_axes,
    picture_of,
    plain,
)
from matplotlib.colors import to_hex

from cartpole_helpers import bootstrap_interval, interquartile_mean
from cartpole_helpers.display import figures


def test_the_steps_of_learning_curves_are_true():
    for steps in (4, 230, 2_000_000):
        curves = figures.learning_curves(np.linspace(0, steps, 7), CURVES, TITLE)
        assert_ticks_are_true(curves.figure)


def test_learning_curves_show_seeds_mean_and_band():
    [axes] = picture_of("learning_curves").figure.axes
    seeds = [line_through(axes, ENV_STEPS, returns) for returns in CURVES]
    bold = line_through(axes, ENV_STEPS, interquartile_mean(CURVES))
    assert all(line.get_linewidth() < bold.get_linewidth() / 2 for line in seeds)
    band = axes.collections[0].get_paths()[0].vertices
    for bound in bootstrap_interval(CURVES):
        for point in zip(ENV_STEPS, bound, strict=True):
            assert np.isclose(band, point).all(axis=1).any()
    assert "5 graines" in axes.get_legend().get_texts()[0].get_text()
    ends = [f"{interquartile_mean(CURVES[:, column]):.0f}" for column in (0, -1)]
    assert_told(picture_of("learning_curves"), f"De {ends[0]} à {ends[1]} pas", "5 graines")


def test_curves_pass_through_their_points():
    [axes] = picture_of("curves").figure.axes
    for name, values in COSTS.items():
        assert line_through(axes, SIZES, values).get_label() == name
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert_told(picture_of("curves"), "une de 10 à 12", "autre de 60 à 600")


def test_one_axis_or_both_are_logarithmic():
    for log, scales in ((False, ("linear", "linear")), ("y", ("linear", "log"))):
        [axes] = draw("curves", log=log).figure.axes
        assert (axes.get_xscale(), axes.get_yscale()) == scales
        assert_ticks_are_true(axes.figure)
    assert picture_of("bands").figure.axes[0].get_xscale() == "log"


def test_bands_are_those_given_in_the_colour_of_their_curve():
    [axes] = picture_of("bands").figure.axes
    [band] = axes.collections
    assert_bounds(band, SIZES, *BANDS["autre"])
    curve = line_through(axes, SIZES, COSTS["autre"])
    assert to_hex(band.get_facecolor()[0]) == to_hex(curve.get_color())


def test_recipes_are_a_mean_and_a_band_each_without_the_seeds():
    [axes] = picture_of("recipes").figure.axes
    for band, (name, returns) in zip(axes.collections, RECIPES.items(), strict=True):
        mean = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        assert name in mean.get_label()
        assert f"{len(returns)} graines" in mean.get_label()
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(mean.get_color())
    assert sum(len(line.get_xdata()) == len(ENV_STEPS) for line in axes.lines) == len(RECIPES)
    ends = [[f"{interquartile_mean(r[:, end]):.0f}" for end in (0, -1)] for r in RECIPES.values()]
    told = [f"de {first} à {last} pas" for first, last in ends]
    assert_told(picture_of("recipes"), *told, "sans (3 graines)", "avec (4 graines)", "95 %")


def test_traces_draw_the_mean_and_the_band_of_each_name():
    panels = picture_of("traces").figure.axes
    for axes, (quantity, group) in zip(panels, FOLLOWED.items(), strict=True):
        assert axes.get_ylabel() == quantity
        assert axes.get_yscale() == ("log" if quantity == "perte" else "linear")
        drawn = [line_through(axes, ENV_STEPS, interquartile_mean(rows)) for rows in group.values()]
        assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 2
        for band, rows in zip(axes.collections, group.values(), strict=True):
            heights = band.get_paths()[0].vertices[:, 1]
            low, high = bootstrap_interval(rows)
            assert heights.min() == pytest.approx(low.min())
            assert heights.max() == pytest.approx(high.max())
        [mark] = [line for line in axes.lines if len(line.get_xdata()) == 2]
        assert list(mark.get_xdata()) == [4_000, 4_000]


@pytest.mark.parametrize(
    ("name", "grey"),
    [("small_multiples", "la recette du panneau d’avant"), ("reference", "« sans »")],
)
def test_small_multiples_show_a_mean_and_a_band_in_each_panel(name, grey):
    ends = [f"{rung} ({interquartile_mean(r[:, -1]):.0f})" for rung, r in RUNGS.items()]
    assert_told(picture_of(name), f"{grey} en gris", "95 %", ", ".join(ends))
    panels = picture_of(name).figure.axes
    assert len(panels) == len(RUNGS)
    assert [plain(axes.get_title(loc="left")) for axes in panels] == list(RUNGS)
    for axes, returns in zip(panels, RUNGS.values(), strict=True):
        bold = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        [band] = axes.collections
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(bold.get_color())
        assert axes.get_xlim() == panels[0].get_xlim()  # une même échelle pour tous
        assert axes.get_ylim() == panels[0].get_ylim()


def in_grey(axes):
    """Les courbes d'un panneau qui ne sont pas de la couleur de sa bande."""
    [band] = axes.collections
    curves = [line for line in axes.lines if len(line.get_xdata()) == len(ENV_STEPS)]
    return [line for line in curves if to_hex(line.get_color()) != to_hex(band.get_facecolor()[0])]


def test_small_multiples_recall_the_panel_before_or_the_reference():
    for axes in picture_of("reference").figure.axes:
        [grey] = in_grey(axes)
        assert grey is line_through(axes, ENV_STEPS, interquartile_mean(AROUND["sans"]))
    first, *panels = picture_of("small_multiples").figure.axes
    assert in_grey(first) == []
    for axes, previous in zip(panels, list(RUNGS.values())[:-1], strict=True):
        [grey] = in_grey(axes)
        assert grey is line_through(axes, ENV_STEPS, interquartile_mean(previous))


@pytest.mark.parametrize("count", [1, 4, 5])
def test_each_column_of_small_multiples_is_graduated_below(count):
    returns = {str(rank): CURVES for rank in range(count)}
    figure = figures.small_multiples(ENV_STEPS, returns, TITLE).figure
    assert len(figure.axes) == count
    columns = {axes.get_subplotspec().colspan.start for axes in figure.axes}
    numbered = [axis.axes for axis in numbered_axes(figure) if axis is axis.axes.xaxis]
    assert [axes.get_subplotspec().colspan.start for axes in numbered] == [
        rank % len(columns) for rank in range(count - len(columns), count)
    ]
