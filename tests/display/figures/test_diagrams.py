"""Les figures du chariot disent son état, ses limites et la force."""

import math

import numpy as np
from drawn import (
    EPISODE,
    MINUS,
    TITLE,
    assert_told,
    line_through,
    picture_of,
    texts,
)
from matplotlib.colors import to_hex

from cartpole_helpers.display import figures
from cartpole_helpers.display.style import SIDES


def test_a_diagram_tells_the_action_the_force_and_the_limits():
    for action, force in ((0, f"{MINUS}10\u00a0N"), (1, "10\u00a0N")):
        found = texts(figures.cart_diagram((0.6, 0, 0.1, 0), action, TITLE).figure)
        assert f"action {action}\n{force}" in found
    assert_told(picture_of("cart_diagram"), "chariot", "tige", "force")
    for limit in (f"{MINUS}2,4\u00a0m", "2,4\u00a0m", f"{MINUS}12°", "12°"):
        assert limit in found


def test_components_show_the_four_series_the_limits_and_the_actions():
    panels = picture_of("components").figure.axes
    series = (EPISODE.observations * np.array([1, 1, 180 / math.pi, 180 / math.pi])).T
    limits = [{-2.4, 2.4}, set(), {-12.0, 12.0}, set()]
    for axes, values, expected in zip(panels, series, limits, strict=True):
        line_through(axes, np.arange(len(values)), values)
        dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert {round(line.get_ydata()[0], 9) for line in dashed} == expected
        for patch in axes.patches:  # le fond de chaque pas a la couleur de l'action
            start, end = round(patch.get_x()), round(patch.get_x() + patch.get_width())
            [action] = {*EPISODE.actions[start:end].tolist()}
            assert to_hex(patch.get_facecolor()) == SIDES[action]
        assert sum(patch.get_width() for patch in axes.patches) == len(EPISODE.actions)
    assert_told(picture_of("components"), f"{len(EPISODE.actions)} pas")
