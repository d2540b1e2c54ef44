"""Les figures du chariot lui-même : son schéma, et ses quatre composantes pas à pas."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc, Circle, Rectangle

from cartpole_helpers.cartpole import FORCE, THETA_LIMIT, X_LIMIT, check_actions
from cartpole_helpers.checks import check_array, check_choice
from cartpole_helpers.display.figures.panels import checked_texts, sheet
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    SIDES,
    VERMILION,
    Picture,
    finish,
    style,
)

COMPONENTS = ("x (m)", "ẋ (m/s)", "θ (°)", "θ̇ (°/s)")


@style()
def cart_diagram(state: Sequence[float], action: int, title: str) -> Picture:
    """Le chariot dans l'état `state` (x, ẋ, θ, θ̇), vu de loin, puis de près avec sa force."""
    x, _, theta, _ = check_array("state", state, (4,))
    check_choice("action", action, (0, 1))
    figure, (wide, near) = sheet(title, 2.9, columns=2, width_ratios=[1.75, 1])
    for axes, bounds in ((wide, (-2.8, 2.8, -0.5, 1.5)), (near, (x - 0.9, x + 0.7, -0.3, 1.3))):
        axes.set_xlim(bounds[:2])
        axes.set_ylim(bounds[2:])
        axes.set_aspect("equal")
        axes.axis("off")
        axes.plot([-3, 3], [-0.13, -0.13], color=MUTED, linewidth=1.5)
        _draw_cart(axes, x, theta)
    _draw_track(wide, x)
    _draw_angle(near, x, theta)
    _draw_force(near, x, action)
    return finish(figure, title, "Schéma du chariot, de la tige, des limites et de la force.")


def _draw_track(axes: Axes, x: float) -> None:
    for limit in (-X_LIMIT, X_LIMIT):
        axes.plot([limit, limit], [-0.22, 1.3], color=VERMILION, linewidth=1.4, linestyle="--")
        axes.text(limit, -0.45, f"{number(limit, 1)} m", ha="center", color=VERMILION)
    axes.plot([0, 0], [-0.22, -0.06], color=MUTED, linewidth=1.5)
    axes.text(0, -0.45, "0", ha="center", color=MUTED)
    axes.annotate("", (x, -0.22), (0, -0.22), arrowprops={"arrowstyle": "-|>", "color": INK})
    axes.text(x / 2, -0.45, "x", ha="center", fontsize=13, fontstyle="italic")


def _draw_cart(axes: Axes, x: float, theta: float) -> None:
    for wheel in (-0.15, 0.15):
        axes.add_patch(Circle((x + wheel, -0.08), 0.05, facecolor=INK))
    axes.add_patch(Rectangle((x - 0.25, -0.05), 0.5, 0.2, facecolor=BLUE, edgecolor=INK))
    tip = (x + np.sin(theta), 0.15 + np.cos(theta))
    axes.plot([x, tip[0]], [0.15, tip[1]], color=ORANGE, linewidth=6, solid_capstyle="round")
    axes.add_patch(Circle((x, 0.15), 0.045, facecolor="white", edgecolor=INK, zorder=5))


def _draw_angle(axes: Axes, x: float, theta: float) -> None:
    axes.plot([x, x], [0.15, 1.25], color=MUTED, linewidth=1.2, linestyle=":")
    for limit, side in ((-THETA_LIMIT, "right"), (THETA_LIMIT, "left")):
        end = (x + 1.08 * np.sin(limit), 0.15 + 1.08 * np.cos(limit))
        axes.plot([x, end[0]], [0.15, end[1]], color=VERMILION, linewidth=1.4, linestyle="--")
        axes.text(*end, f"{number(np.degrees(limit))}°", ha=side, va="bottom", color=VERMILION)
    low, high = sorted((90.0, 90 - np.degrees(theta)))
    axes.add_patch(Arc((x, 0.15), 1.5, 1.5, theta1=low, theta2=high, color=INK, linewidth=2))
    axes.text(x - 0.03, 0.93, "θ", ha="right", va="center", fontsize=14)


def _draw_force(axes: Axes, x: float, action: int) -> None:
    side = 1 if action == 1 else -1
    start = x - side * 0.82
    arrow = {"arrowstyle": "-|>", "color": GREEN, "linewidth": 2.5, "mutation_scale": 18}
    axes.annotate("", (x - side * 0.26, 0.05), (start, 0.05), arrowprops=arrow)
    label = f"action {action}\n{number(side * FORCE)} N"
    axes.text(start, 0.15, label, color=GREEN, ha="left", fontweight="bold")


@style()
def components(
    observations: np.ndarray,
    title: str,
    names: Sequence[str] = COMPONENTS,
    actions: np.ndarray | None = None,
) -> Picture:
    """Les quatre composantes de l'état pas à pas : `observations` (T + 1, 4), limites en tirets.

    `actions` (T,), si on les donne, colorent le fond : bleu à gauche, orangé à droite.
    """
    observations = check_array("observations", observations, (None, 4))
    names = checked_texts("names", names, 4)
    if actions is not None:
        actions = check_actions(actions, (len(observations) - 1,))
    figure, panels = sheet(title, 4.6, rows=2, columns=2, sharex=True)
    values = observations * np.array([1, 1, *np.degrees([1, 1])])
    limits = (X_LIMIT, None, np.degrees(THETA_LIMIT), None)
    for axes, name, series, limit in zip(panels.flat, names, values.T, limits, strict=True):
        if actions is not None:
            _shade_actions(axes, actions)
        axes.plot(series, color=INK)
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.set_ylabel(name)
        for bound in () if limit is None else (-limit, limit):
            axes.axhline(bound, color=VERMILION, linewidth=1.2, linestyle="--")
    for axes in panels[-1]:
        axes.set_xlabel("temps (pas de 0,02 s)")
    return finish(figure, title, f"Courbes de x, ẋ, θ et θ̇ sur {len(values) - 1} pas.")


def _shade_actions(axes: Axes, actions: np.ndarray) -> None:
    """Colore chaque suite de pas où l'action est la même."""
    changes = np.flatnonzero(np.diff(actions)) + 1
    for start, end in pairwise([0, *changes, len(actions)]):
        axes.axvspan(start, end, color=SIDES[int(actions[start])], linewidth=0)
