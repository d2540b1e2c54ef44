"""Les figures de ce qui change au fil du temps passent par leurs points."""

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
    assert_bounds,
    assert_told,
    draw,
    line_through,
    picture_of,
    plain,
)
from matplotlib.colors import to_hex

from cartpole_helpers import bootstrap_interval, interquartile_mean


def test_learning_curves_show_seeds_mean_and_band():
    [axes] = picture_of("learning_curves").figure.axes
    seeds = [line_through(axes, ENV_STEPS, returns) for returns in CURVES]
    bold = line_through(axes, ENV_STEPS, interquartile_mean(CURVES))
    assert all(line.get_linewidth() < bold.get_linewidth() / 2 for line in seeds)
    assert_bounds(axes.collections[0], ENV_STEPS, *bootstrap_interval(CURVES))
    [legend] = picture_of("learning_curves").figure.legends  # sous les axes, où elle ne cache rien
    assert "5 graines" in legend.get_texts()[0].get_text()
    ends = [f"{interquartile_mean(CURVES[:, column]):.0f}" for column in (0, -1)]
    assert_told(picture_of("learning_curves"), f"De {ends[0]} à {ends[1]} pas", "5 graines")


def test_curves_pass_through_their_points_and_bands_are_those_given():
    for name, scales in (("curves", ("log", "log")), ("bands", ("log", "linear"))):
        [axes] = picture_of(name).figure.axes
        lines = {label: line_through(axes, SIZES, values) for label, values in COSTS.items()}
        assert all(line.get_label() == label for label, line in lines.items())
        assert (axes.get_xscale(), axes.get_yscale()) == scales
    [band] = axes.collections
    assert_bounds(band, SIZES, *BANDS["autre"])
    assert to_hex(band.get_facecolor()[0]) == to_hex(lines["autre"].get_color())
    assert draw("curves", log="y").figure.axes[0].get_xscale() == "linear"
    assert_told(picture_of("curves"), "une de 10 à 12", "autre de 60 à 600")


def test_recipes_are_a_mean_and_a_band_each_without_the_seeds():
    [axes] = picture_of("recipes").figure.axes
    for band, (name, returns) in zip(axes.collections, RECIPES.items(), strict=True):
        mean = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        assert name in mean.get_label()
        assert f"{len(returns)} graines" in mean.get_label()
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(mean.get_color())
    ends = [[f"{interquartile_mean(r[:, end]):.0f}" for end in (0, -1)] for r in RECIPES.values()]
    told = [f"de {first} à {last} pas" for first, last in ends]
    assert_told(picture_of("recipes"), *told, "sans (3 graines)", "avec (4 graines)", "95 %")


def test_traces_draw_the_mean_and_the_band_of_each_name():
    panels = picture_of("traces").figure.axes
    for axes, (quantity, group) in zip(panels, FOLLOWED.items(), strict=True):
        assert axes.get_ylabel() == quantity
        assert axes.get_yscale() == ("log" if quantity == "perte" else "linear")
        for band, rows in zip(axes.collections, group.values(), strict=True):
            mean = line_through(axes, ENV_STEPS, interquartile_mean(rows))
            assert_bounds(band, ENV_STEPS, *bootstrap_interval(rows))
            assert to_hex(band.get_facecolor()[0]) == to_hex(mean.get_color())
        [mark] = [line for line in axes.lines if len(line.get_xdata()) == 2]
        assert list(mark.get_xdata()) == [4_000, 4_000]


@pytest.mark.parametrize(
    ("name", "grey"),
    [("small_multiples", "la recette du panneau d’avant"), ("reference", "« sans »")],
)
def test_small_multiples_show_a_mean_a_band_and_the_panel_before_or_the_reference(name, grey):
    ends = [f"{rung} ({interquartile_mean(r[:, -1]):.0f})" for rung, r in RUNGS.items()]
    assert_told(picture_of(name), f"{grey} en gris", "95 %", ", ".join(ends))
    panels = picture_of(name).figure.axes
    assert [plain(axes.get_title(loc="left")) for axes in panels] == list(RUNGS)
    previous = AROUND["sans"] if name == "reference" else None
    for axes, returns in zip(panels, RUNGS.values(), strict=True):
        bold = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        [band] = axes.collections
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(bold.get_color())
        if previous is not None:
            recalled = line_through(axes, ENV_STEPS, interquartile_mean(previous))
            assert to_hex(recalled.get_color()) != to_hex(bold.get_color())
        if name == "small_multiples":
            previous = returns
        assert axes.get_ylim() == panels[0].get_ylim()  # une même échelle pour tous
