"""Les figures du cours : un style, des nombres à la française, et un texte pour qui ne voit pas."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle, Rectangle
from matplotlib.style import context
from matplotlib.text import Text

from cartpole_helpers.cartpole import (
    EPISODE_LIMIT,
    FORCE,
    SOLVED_RETURN,
    THETA_LIMIT,
    X_LIMIT,
    dynamics,
    has_fallen,
)
from cartpole_helpers.checks import check_array, check_choice, check_number
from cartpole_helpers.display.typography import NARROW, typography
from cartpole_helpers.policies import Policy
from cartpole_helpers.statistics import bootstrap_interval, interquartile_mean

# La palette d'Okabe et Ito (2008), lisible par les daltoniens.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)
SIDES = ("#d6e7f3", "#fbe3d3")  # pousser à gauche, à droite
INK, MUTED, FAINT = "#222222", "#6b6b6b", "#d9d9d9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))

MINUS = "\u2212"
COMPONENTS = ("x (m)", "ẋ (m/s)", "θ (°)", "θ̇ (°/s)")
_DPI = 144  # deux pixels par point affiché : net sur un écran fin


@dataclass(frozen=True)
class Picture:
    """Une figure finie, son image, son texte de remplacement ; un carnet l'affiche."""

    figure: Figure
    image: bytes  # PNG
    alt: str

    def png(self) -> bytes:
        """Rend l'image : les mêmes données donnent les mêmes octets."""
        return self.image

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data = {"image/png": b64encode(self.image).decode(), "text/plain": self.alt}
        width = round(self.figure.get_figwidth() * _DPI / 2)
        return data, {"image/png": {"alt": self.alt, "width": width}}


SETTINGS = {
    "font.size": 11,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
}


@contextmanager
def style():
    """Le style de toutes les figures, quels que soient les réglages du lecteur ; c'est aussi un
    décorateur : `@style()`."""
    with context(["default", SETTINGS]):
        yield


def number(value: float, digits: int = 0) -> str:
    """Écrit un nombre à la française : virgule décimale, milliers séparés, vrai signe moins."""
    written = f"{round(value, digits) + 0.0:,.{digits}f}"  # + 0.0 efface le signe de −0
    return written.replace(",", NARROW).replace(".", ",").replace("-", MINUS)


@style()
def baselines(returns: Mapping[str, np.ndarray], title: str) -> Picture:
    """Les retours de plusieurs politiques : un point par épisode, un losange par moyenne.

    `returns` : nom → retours (N,). L'intervalle à 95 % de la moyenne est rééchantillonné.
    """
    returns = _checked_series("returns", returns)
    figure, axes = _canvas(title, 7.6, 0.62 * len(returns) + 1.3)
    spread = np.random.default_rng(0)
    for row, values in enumerate(returns.values()):
        heights = row + spread.uniform(-0.22, 0.22, len(values))
        axes.plot(values, heights, ".", color=SKY, markersize=5, alpha=0.7, zorder=2)
        low, high = bootstrap_interval(values, np.mean)
        axes.plot(
            [low, high],
            [row, row],
            color=INK,
            linewidth=4,
            alpha=0.5,
            zorder=3,
            solid_capstyle="butt",
        )
        axes.plot(values.mean(), row, "D", color=VERMILION, markersize=8, zorder=4)
        axes.annotate(
            f"{number(values.mean())}",
            (values.mean(), row),
            xytext=(0, 12),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontweight="bold",
        )
    _mark_solved(axes, vertical=True)
    axes.set_yticks(range(len(returns)), returns)
    axes.set_ylim(len(returns) - 0.5, -0.75)
    axes.set_xlim(0, EPISODE_LIMIT * 1.06)
    axes.grid(axis="y", visible=False)
    count = len(next(iter(returns.values())))
    axes.set_xlabel(
        f"retour d'un épisode (pas) ; {count} épisodes par politique, losange : moyenne"
    )
    means = ", ".join(f"{name} {number(values.mean())}" for name, values in returns.items())
    return _finish(figure, title, f"Retours moyens sur {count} épisodes : {means}.")


@style()
def survival(
    lengths: Mapping[str, np.ndarray], limit: int, title: str, marks: Sequence[int] = ()
) -> Picture:
    """La part des épisodes encore debout à chaque pas, échelle logarithmique des durées.

    `lengths` : nom → durées (N,) jusqu'à `limit` + 1 pas, pour distinguer qui tombe au pas `limit`
    de qui tient encore ; `marks` : durées à repérer d'un trait.
    """
    lengths = _checked_series("lengths", lengths)
    limit = check_number("limit", limit, int, low=1)
    figure, axes = _canvas(title, 7.6, 3.9)
    steps = np.unique(np.concatenate([[1, limit], *lengths.values()]).clip(max=limit))
    for rank, (name, values) in enumerate(lengths.items()):
        standing = np.array([np.mean(values > step) for step in steps])
        style_of = {"color": COLOURS[rank % len(COLOURS)], "label": name}
        axes.step(steps, 100 * standing, where="post", ls=DASHES[rank % len(DASHES)], **style_of)
    for mark in marks:
        axes.axvline(mark, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(f"{number(mark)} pas", (mark, 104), ha="center", color=MUTED, fontsize=10)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(_tick)
    shortest = min(values.min() for values in lengths.values())
    axes.set_xlim(left=max(0.9, min(0.6 * shortest, limit / 100)))
    axes.set_ylim(-2, 110)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_xlabel("durée (pas de 0,02 s, échelle logarithmique)")
    axes.set_ylabel("épisodes encore debout (%)")
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.4))
    count = len(next(iter(lengths.values())))
    ends = ", ".join(
        f"{name} {number(100 * np.mean(values > limit))} %" for name, values in lengths.items()
    )
    told = f"Encore debout après {number(limit)} pas, sur {count} départs : {ends}."
    return _finish(figure, title, told)


@style()
def phase_portraits(policies: Mapping[str, Policy], episodes: int, title: str) -> Picture:
    """Dans le plan (θ, θ̇), où chaque politique pousse, et le chemin de quelques épisodes.

    Le fond donne l'action en x = ẋ = 0 ; les flèches, le mouvement d'un pas sous cette action.
    """
    check_number("episodes", episodes, int, low=1)
    if not policies:
        raise ValueError(f"policies doit nommer au moins une politique : {policies!r} reçu.")
    figure, panels = _canvas(title, 7.6, 4.1, columns=len(policies), sharey=True, squeeze=False)
    for rank, (axes, (name, policy)) in enumerate(zip(panels[0], policies.items(), strict=True)):
        _draw_phase(axes, policy)
        for path in _paths(policy, episodes):
            theta, theta_dot = np.degrees(path[:, 2:]).T
            axes.plot(theta, theta_dot, color=INK, linewidth=0.9)
            if abs(path[-1, 2]) > THETA_LIMIT:
                axes.plot(theta[-1], theta_dot[-1], "X", color=VERMILION, markersize=8)
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
        axes.set_xlabel("angle θ (°)")
        if rank == 0:
            axes.set_ylabel("vitesse angulaire θ̇ (°/s)")
    names = ", ".join(policies)
    return _finish(figure, title, f"Plan angle, vitesse angulaire, pour : {names}.")


def _draw_phase(axes: Axes, policy: Policy) -> None:
    angle, speed = np.radians(15), np.radians(150)
    theta, theta_dot = np.meshgrid(np.linspace(-angle, angle, 181), np.linspace(-speed, speed, 181))
    states = np.stack([0 * theta, 0 * theta, theta, theta_dot], axis=-1).reshape(-1, 4)
    actions = policy(states)
    extent = np.degrees([-angle, angle, -speed, speed])
    degrees = [np.degrees(theta), np.degrees(theta_dot), actions.reshape(theta.shape)]
    axes.contourf(*degrees, levels=[-0.5, 0.5, 1.5], colors=SIDES)
    axes.contour(*degrees, levels=[0.5], colors=[MUTED])
    coarse = (slice(10, None, 32), slice(10, None, 32))
    moves = (dynamics(states, actions) - states).reshape(*theta.shape, 4)
    axes.quiver(
        *(np.degrees(grid[coarse]) for grid in (theta, theta_dot)),
        *(np.degrees(moves[..., k][coarse]) for k in (2, 3)),
        color=MUTED,
        angles="xy",
        width=0.008,
    )
    for limit in np.degrees([-THETA_LIMIT, THETA_LIMIT]):
        axes.axvline(limit, color=VERMILION, linewidth=1.2, linestyle="--")
    label = {"fontsize": 10, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
    axes.text(-14.4, -143, "← gauche", color=BLUE, ha="left", **label)
    axes.text(14.4, 128, "droite →", color=VERMILION, ha="right", **label)
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    axes.grid(visible=False)


def _paths(policy: Policy, episodes: int, limit: int = 80) -> list[np.ndarray]:
    """Rend les états (T, 4) de quelques épisodes, chacun arrêté à la chute ou après `limit` pas."""
    states = np.zeros((episodes, 4))
    states[:, 2] = np.radians(np.linspace(-2.5, 2.5, episodes))
    path = [states]
    for _ in range(limit):
        path.append(dynamics(path[-1], policy(path[-1])))
    path = np.stack(path, axis=1)  # (épisodes, limit + 1, 4)
    fallen = has_fallen(path)
    ends = np.where(fallen.any(axis=1), fallen.argmax(axis=1), limit)
    return [one[: end + 1] for one, end in zip(path, ends, strict=True)]


@style()
def cart_diagram(state: Sequence[float], action: int, title: str) -> Picture:
    """Le chariot dans l'état `state` (x, ẋ, θ, θ̇), vu de loin, puis de près avec sa force."""
    x, _, theta, _ = check_array("state", state, (4,))
    check_choice("action", action, (0, 1))
    figure, (wide, near) = _canvas(title, 7.6, 2.9, columns=2, width_ratios=[1.75, 1])
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
    return _finish(figure, title, "Schéma du chariot, de la tige, des limites et de la force.")


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
    if len(names) != 4:
        raise ValueError(f"names doit donner les quatre composantes : {names!r} reçu.")
    figure, panels = _canvas(title, 7.6, 4.6, rows=2, columns=2, sharex=True)
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
    return _finish(figure, title, f"Courbes de x, ẋ, θ et θ̇ sur {len(values) - 1} pas.")


def _shade_actions(axes: Axes, actions: np.ndarray) -> None:
    """Colore chaque suite de pas où l'action est la même."""
    changes = np.flatnonzero(np.diff(actions)) + 1
    for start, end in pairwise([0, *changes, len(actions)]):
        axes.axvspan(start, end, color=SIDES[int(actions[start])], linewidth=0)


@style()
def curves(
    x: np.ndarray,
    series: Mapping[str, np.ndarray],
    title: str,
    labels: tuple[str, str],
    log: bool = False,
) -> Picture:
    """Plusieurs courbes sur les mêmes abscisses : `series` donne les valeurs (N,) de chacune.

    `labels` : ce que portent les deux axes, unités comprises ; `log` : échelles logarithmiques.
    """
    x = check_array("x", x, (None,))
    series = _checked_series("series", series, len(x))
    figure, axes = _canvas(title, 7.6, 3.7)
    for rank, (name, y) in enumerate(series.items()):
        look = rank % len(COLOURS)
        marker = MARKERS[look] if log else None
        axes.plot(x, y, color=COLOURS[look], linestyle=DASHES[look], marker=marker, label=name)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(_tick)
        axes.yaxis.set_major_formatter(_tick)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend()
    ends = ", ".join(
        f"{name} de {number(y[0], 2)} à {number(y[-1], 2)}" for name, y in series.items()
    )
    return _finish(figure, title, f"{labels[1]}, selon {labels[0]} : {ends}.")


@style()
def draw_counts(counts: np.ndarray, title: str) -> Picture:
    """Combien de fois chaque place d'une mémoire a été tirée : `counts` (C,)."""
    counts = _checked_series("counts", {"places": counts})["places"]
    figure, axes = _canvas(title, 7.6, 2.9)
    drawn = np.flatnonzero(counts)
    axes.vlines(drawn, 0, counts[drawn], color=BLUE, linewidth=0.6)
    axes.set_xlim(0, len(counts))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("numéro de la transition, de la plus ancienne à la plus récente")
    axes.set_ylabel("nombre de tirages")
    told = f"{number(len(drawn))} transitions tirées au moins une fois sur {number(len(counts))}."
    return _finish(figure, title, told)


@style()
def learning_curves(env_steps: np.ndarray, returns: np.ndarray, title: str) -> Picture:
    """Le retour moyen de la politique gloutonne à mesure que S agents apprennent.

    `env_steps` (V,) : pas par agent à chaque évaluation ; `returns` (S, V). Un trait fin par
    graine, la moyenne interquartile en gras, son intervalle à 95 % en bande.
    """
    env_steps = check_array("env_steps", env_steps, (None,))
    if not len(env_steps):
        raise ValueError("env_steps doit donner au moins une évaluation : tableau vide reçu.")
    returns = check_array("returns", returns, (None, len(env_steps)))
    figure, axes = _canvas(title, 7.6, 3.9)
    axes.plot(env_steps, returns.T, color=SKY, linewidth=0.9, alpha=0.8)
    low, high = bootstrap_interval(returns)
    axes.fill_between(env_steps, low, high, color=BLUE, alpha=0.2, linewidth=0)
    middle = interquartile_mean(returns)
    count = len(returns)
    label = f"moyenne interquartile de {count} graines, et son intervalle à 95 %"
    axes.plot(env_steps, middle, color=BLUE, linewidth=3, label=label)
    _mark_solved(axes)
    axes.set_ylim(0, EPISODE_LIMIT * 1.06)
    axes.set_xlabel("pas de jeu par agent")
    axes.set_ylabel("retour moyen d'évaluation (pas)")
    axes.legend(loc="lower right")
    told = f"De {number(middle[0])} à {number(middle[-1])} pas, {label}."
    return _finish(figure, title, told)


# Le style


def _checked_series(
    name: str, series: Mapping[str, np.ndarray], length: int | None = None
) -> dict[str, np.ndarray]:
    if not series:
        raise ValueError(f"{name} doit nommer au moins une série : {series!r} reçu.")
    checked = {key: check_array(name, values, (length,)) for key, values in series.items()}
    empty = [key for key, values in checked.items() if not len(values)]
    if empty:
        raise ValueError(f"{name} doit donner au moins un nombre par série : {empty} sans.")
    return checked


def _canvas(title: str, width: float, height: float, rows: int = 1, columns: int = 1, **shared):
    """Rend une figure stylée, son titre écrit, et ses axes."""
    figure = Figure((width, height), layout="constrained")
    panels = figure.subplots(rows, columns, **shared)
    written = fill(typography(title), round(width * 10.5))
    figure.suptitle(written, x=0.01, ha="left", fontsize=12.5, fontweight="bold", color=INK)
    for axes in figure.axes:
        axes.xaxis.set_major_formatter(_tick)
        axes.yaxis.set_major_formatter(_tick)
    return figure, panels


def _finish(figure: Figure, title: str, told: str) -> Picture:
    """Pose les espaces insécables, dessine, et rend l'image avec `title` et `told` pour texte."""
    for text in figure.findobj(Text):
        text.set_text(typography(text.get_text()))
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    end = "" if title.endswith(("?", "!", ".", "…")) else "."
    return Picture(figure, buffer.getvalue(), typography(f"{title}{end} {told}"))


def _tick(value: float, _position=None) -> str:
    """Écrit une graduation avec autant de décimales qu'il lui en faut."""
    decimals = np.format_float_positional(round(value, 12), precision=9, trim="-").partition(".")[2]
    return number(value, len(decimals))


def _mark_solved(axes: Axes, vertical: bool = False) -> None:
    """Trace le seuil de 475 pas et l'étiquette."""
    if vertical:
        axes.axvline(SOLVED_RETURN, color=MUTED, linewidth=1.2, linestyle=":")
        transform, place = axes.get_xaxis_transform(), (SOLVED_RETURN, 0.02)
        look = {"ha": "right", "va": "bottom", "xytext": (-4, 0)}
    else:
        axes.axhline(SOLVED_RETURN, color=MUTED, linewidth=1.2, linestyle=":")
        transform, place = axes.get_yaxis_transform(), (0.01, SOLVED_RETURN)
        look = {"ha": "left", "va": "top", "xytext": (0, -3)}
    look |= {"textcoords": "offset points", "color": MUTED, "fontsize": 10}
    axes.annotate(f"seuil : {number(SOLVED_RETURN)}", place, xycoords=transform, **look)
