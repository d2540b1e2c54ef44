"""Toutes les figures : vraies, lisibles en français et sans les voir, les mêmes octets."""

import base64
import inspect
import re
from copy import deepcopy
from itertools import product

import matplotlib
import numpy as np
import pytest
from drawn import (
    COSTS,
    CURVES,
    DRAWINGS,
    FIGURES,
    LENGTHS,
    assert_ticks_are_true,
    draw,
    numbered_axes,
    picture_of,
    texts,
)
from IPython.core.interactiveshell import InteractiveShell

from cartpole_helpers.display import figures


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_shows_itself_and_depends_on_its_data_alone(name):
    picture, before, settings = picture_of(name), deepcopy(DRAWINGS[name]), {**matplotlib.rcParams}
    data, metadata = InteractiveShell.instance().display_formatter.format(picture)
    assert set(data) == {"image/png", "text/plain"}
    assert base64.b64decode(data["image/png"]) == picture.png()
    assert metadata["image/png"]["alt"] == data["text/plain"] == picture.alt
    theirs = {"savefig.facecolor": "black", "savefig.dpi": 30, "text.color": "white"}
    with matplotlib.rc_context(theirs | {"axes.facecolor": "black"}):
        assert draw(name).png() == picture.png()
    assert {**matplotlib.rcParams} == settings
    np.testing.assert_equal(DRAWINGS[name], before)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_reads_in_french(name):
    picture = picture_of(name)
    figure, numbered = picture.figure, [*numbered_axes(picture.figure)]
    if name not in ("cart_diagram", "effects", "verdicts"):
        assert numbered
        assert_axes_are_named(figure, numbered)
    assert_ticks_are_true(figure)
    for text in [*texts(figure), picture.alt]:
        assert not re.search(r" [:;?!%»]|« ", text), text
    box = figure.texts[0].get_window_extent()  # le titre tient dans la figure
    assert 0 <= box.x0 <= box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height


def assert_axes_are_named(figure, numbered):
    for axes in (axes for axes in figure.axes if axes.get_subplotspec()):
        below = axes.get_subplotspec().is_last_row()
        assert axes.get_xlabel() or figure.get_supxlabel() or not below
        left = axes.get_subplotspec().is_first_col()
        named = axes.get_ylabel() or figure.get_supylabel()
        assert named or not (left and axes.yaxis in numbered)


EDGES = [
    ("baselines", {"returns": {"LQR": [500.0]}}),
    ("survival", {"lengths": {str(k): LENGTHS["θ"] + k for k in range(7)}}),
    ("components", {"observations": np.eye(2, 4), "actions": [1]}),
    ("learning_curves", {"returns": CURVES[:1]}),
    ("distributions", {"values": {"a": np.full(5, 2.0)}}),
    ("intervals", {"estimates": {"part (%)": {"a": (0, 0, 0)}}}),
    ("strips", {"values": {"a": [500] * 9}, "log": True}),
    ("strips", {"values": {"a": [1e-4, 0.02], "b": [3]}, "log": True}),
]


def test_an_unusual_figure_is_drawn():
    for name, changes in EDGES:
        assert_ticks_are_true(draw(name, **changes).figure)


# Des objets qu'aucun argument n'attend, ou presque : une figure dessinée, ou un refus en français.
HIDDEN = np.ma.masked_array([1.0, 2.0], [False, True])
ODD = [None, -1, "texte", object(), {}, {3: [1.0]}, {"_x": [1.0]}, {"a": None}, {"a": {}}]
ODD += [{"a": [np.nan]}, {"a": HIDDEN}, {"a": abs}, {"a": lambda states: None}, [[1], [1, 2]]]
ARRAYS = [np.zeros(0), np.zeros((2, 3)), HIDDEN]
CHOSEN = {"action", "log", "reference"}  # `check_choice` ne compare pas un tableau


def test_no_argument_makes_a_figure_speak_english(monkeypatch):
    monkeypatch.setattr("cartpole_helpers.display.style._png", lambda figure: b"")
    for name in DRAWINGS:
        parameters = [*inspect.signature(getattr(figures, FIGURES.get(name, name))).parameters]
        for argument, value in product(parameters, ODD + ARRAYS):
            if argument in CHOSEN and isinstance(value, np.ndarray):
                continue
            try:
                draw(name, **{argument: value})
            except (TypeError, ValueError) as error:
                told, names = str(error), "|".join(parameters)
                case = name, argument, value, told
                assert re.match(rf"({names})\b.* (doit|doivent) ", told), case


REFUSED = [
    ("baselines", {"returns": {"LQR": []}}),
    ("survival", {"limit": 0}),
    ("draw_counts", {"counts": HIDDEN}),
    ("phase_portraits", {"policies": {"LQR": lambda states: 2 + 0 * states[:, 0]}}),
    ("cart_diagram", {"action": 7}),
    ("components", {"actions": [0, 1]}),
    ("learning_curves", {"returns": np.zeros((2, 4))}),
    ("curves", {"series": {"une": np.zeros(3)}}),
    ("bands", {"bands": {"inconnue": (COSTS["une"], COSTS["une"])}}),
    ("action_maps", {"q_values": lambda states: states}),
    ("landscape", {"values": np.zeros((30, 20))}),
    ("effects", {"verdicts": np.full((2, 3), 2)}),
    ("learning_curves", {"env": "Pendulum-v1"}),
    ("memory_maps", {"observations": {"a": np.zeros((0, 4))}}),
    ("distributions", {"values": {"a": np.zeros((2, 2))}}),
    ("points", {"series": {"a": np.zeros((5, 2))}}),
    ("verdicts", {"passed": np.zeros((3, 2))}),
    ("viability", {"thetas": np.zeros(27)}),
    ("traces", {"log": ["inconnue"]}),
    ("small_multiples", {"reference": "sans"}),
    ("intervals", {"estimates": {"m": {"a": (1, 0, 2)}, "s": {"b": (1, 0, 2)}}}),
    ("strips", {"values": {"a": [1], "b": [3, 0]}, "log": True}),
    ("strips", {"values": {"a": [np.inf]}}),
]


def test_bad_arguments_are_refused():
    for name, changes in REFUSED:
        argument = next(iter(changes))
        with pytest.raises((TypeError, ValueError), match=rf"^{argument}\b.* (doit|doivent) "):
            raise AssertionError(f"{name} accepte {changes} : {draw(name, **changes)}")
