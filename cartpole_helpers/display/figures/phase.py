"""Les figures d'un plan d'états : où l'on pousse, ce que l'on croit, ce que l'on a vu, le sort."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from cartpole_helpers.agent import check_cartpole
from cartpole_helpers.cartpole import THETA_LIMIT, check_actions, dynamics, has_fallen
from cartpole_helpers.checks import check_array, check_callable, check_number, check_numbers
from cartpole_helpers.display.figures.panels import (
    ANGLE,
    SPEED,
    checked_rows,
    checked_texts,
    frame_phase,
    legend_below,
    named,
    phase_panels,
    sheet,
)
from cartpole_helpers.display.numbers import exact, number, percent
from cartpole_helpers.display.style import (
    BLUE,
    INK,
    MUTED,
    SIDES,
    VERMILION,
    Picture,
    finish,
    style,
)
from cartpole_helpers.display.typography import WIDE, typography
from cartpole_helpers.policies import Policy


@style()
def phase_portraits(policies: Mapping[str, Policy], episodes: int, title: str) -> Picture:
    """Dans le plan (θ, θ̇), où chaque politique pousse, et le chemin de quelques épisodes.

    Le fond donne l'action en x = ẋ = 0 ; les flèches, le mouvement d'un pas sous cette action.
    """
    check_number("episodes", episodes, int, low=1)
    policies = named("policies", policies, _checked_policy)
    figure, panels = phase_panels(title, 4.1, policies)
    for axes, policy in zip(panels, policies.values(), strict=True):
        _draw_phase(axes, policy)
        for path in _paths(policy, episodes):
            theta, theta_dot = np.degrees(path[:, 2:]).T
            axes.plot(theta, theta_dot, color=INK, linewidth=0.9)
            if abs(path[-1, 2]) > THETA_LIMIT:
                axes.plot(theta[-1], theta_dot[-1], "X", color=VERMILION, markersize=8)
    names = ", ".join(policies)
    return finish(figure, title, f"Plan angle, vitesse angulaire, pour : {names}.")


def _checked_policy(name: str, policy: Policy) -> Policy:
    """Rend une politique de CartPole, dont chaque réponse sera vérifiée."""
    check_cartpole(name, check_callable(name, policy))
    return lambda states: check_actions(policy(states), (len(states),), f"{name}(observations)")


def _phase_plane() -> tuple[np.ndarray, np.ndarray]:
    """Rend les grilles de θ (rad) et de θ̇ (rad/s) du plan que montrent les figures."""
    angle, speed = np.radians(ANGLE), np.radians(SPEED)
    return np.meshgrid(np.linspace(-angle, angle, 181), np.linspace(-speed, speed, 181))


def _draw_phase(axes: Axes, policy: Policy) -> None:
    theta, theta_dot = _phase_plane()
    states = np.stack([0 * theta, 0 * theta, theta, theta_dot], axis=-1).reshape(-1, 4)
    actions = policy(states)
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
    frame_phase(axes)
    label = {"fontsize": 10, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5}}
    axes.text(-14.4, -143, "← gauche", color=BLUE, ha="left", **label)
    axes.text(14.4, 128, "droite →", color=VERMILION, ha="right", **label)


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
def action_maps(
    q_values: Callable[[np.ndarray], np.ndarray],
    title: str,
    x: float = 0.0,
    x_dot: float = 0.0,
    limits: tuple[float, float] | None = None,
) -> Picture:
    """Ce que des valeurs d'action disent du plan (θ, θ̇), en `x` (m) et `x_dot` (m/s) fixés.

    `q_values` : (N, 4) → (N, 2), par exemple `agent.q_values`. À gauche, V = max Q ; à droite,
    l'écart Q(droite) − Q(gauche), et le trait où la politique gloutonne change d'action.
    `limits` : les bornes de l'échelle de V, pour comparer deux cartes ; l'écart va alors, de part
    et d'autre de zéro, jusqu'à la moitié de leur distance.
    """
    check_cartpole("q_values", getattr(check_callable("q_values", q_values), "__self__", None))
    x, x_dot = check_number("x", x, float), check_number("x_dot", x_dot, float)
    limits = None if limits is None else _increasing("limits", limits, (2,))
    theta, theta_dot = _phase_plane()
    states = np.stack([0 * theta + x, 0 * theta + x_dot, theta, theta_dot], axis=-1)
    q = q_values(states.reshape(-1, 4).astype(np.float32))
    q = check_array("q_values(...)", q, (theta.size, 2)).reshape(*theta.shape, 2)
    left, right = np.moveaxis(q, -1, 0)
    names = "valeur de l'état : max Q", "Q(droite) − Q(gauche)"
    figure, (worth, gap) = phase_panels(title, 3.9, names)
    best = np.maximum(left, right)
    low, high = (best.min(), best.max()) if limits is None else limits
    value = worth.pcolormesh(*np.degrees([theta, theta_dot]), best, vmin=low, vmax=high)
    widest = (abs(right - left).max() if limits is None else (high - low) / 2) or 1.0
    sides = LinearSegmentedColormap.from_list("côtés", [BLUE, "white", VERMILION])
    look = {"cmap": sides, "vmin": -widest, "vmax": widest}
    difference = gap.pcolormesh(*np.degrees([theta, theta_dot]), right - left, **look)
    if (right > left).any() and (right <= left).any():
        gap.contour(*np.degrees([theta, theta_dot]), right > left, levels=[0.5], colors=[INK])
    for axes, image in ((worth, value), (gap, difference)):
        frame_phase(axes)
        figure.colorbar(image, ax=axes, format=FuncFormatter(exact), fraction=0.05)
    told = (
        f"Plan angle, vitesse angulaire : valeurs de {number(best.min(), 1)} "
        f"à {number(best.max(), 1)} ; l'action de droite l'emporte sur "
        f"{percent(np.mean(right > left))} du plan."
    )
    return finish(figure, title, told)


@style()
def landscape(
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    title: str,
    labels: tuple[str, str, str],
    path: np.ndarray | None = None,
) -> Picture:
    """Une grandeur sur un plan, ses lignes de niveau, et un chemin : `values` (Y, X).

    `x` (X,) et `y` (Y,) croissent ; `labels` : les deux axes, puis la grandeur ; `path` (T, 2).
    """
    x, y = _increasing("x", x), _increasing("y", y)
    values = check_array("values", values, (len(y), len(x)))
    labels = checked_texts("labels", labels, 3)
    figure, axes = sheet(title, 4.6)
    image = axes.contourf(x, y, values, levels=BANDS, cmap="cividis")
    axes.contour(x, y, values, levels=BANDS, colors="white", linewidths=0.4, linestyles="-")
    figure.colorbar(image, ax=axes, format=FuncFormatter(exact), fraction=0.05).set_label(labels[2])
    told = f"{labels[2]} : de {number(values.min(), 1)} à {number(values.max(), 1)}"
    if path is not None:
        path = checked_rows("path", path, 2)
        axes.plot(*path.T, color=INK, linewidth=4)
        axes.plot(*path.T, color="white", linewidth=1.8)
        axes.plot(*path[0], "o", color="white", markeredgecolor=INK, markersize=9)
        axes.plot(*path[-1], "*", color=VERMILION, markeredgecolor="white", markersize=17)
        told += f" ; un chemin de {len(path) - 1} pas, du rond à l'étoile"
    axes.set(xlabel=labels[0], ylabel=labels[1], xlim=x[[0, -1]], ylim=y[[0, -1]])
    axes.grid(visible=False)
    return finish(figure, title, f"Plan {labels[0]}, {labels[1]}. {told}.")


@style()
def memory_maps(observations: Mapping[str, np.ndarray], title: str) -> Picture:
    """Ce qu'une mémoire contient, dans le plan (θ, θ̇) : plus c'est foncé, plus il y en a.

    `observations` : nom → (N, 4), un panneau par nom, une même échelle pour tous.
    """
    checked = named("observations", observations, partial(checked_rows, length=4))
    figure, panels = phase_panels(title, 3.8, checked)
    edges = [np.linspace(-most, most, 61) for most in (ANGLE, SPEED)]
    shares = {
        name: np.histogram2d(*np.degrees(values[:, 2:]).T, bins=edges)[0] / len(values)
        for name, values in checked.items()
    }
    norm = LogNorm(1e-4, max(2e-3, *(share.max() for share in shares.values())))
    for axes, share in zip(panels, shares.values(), strict=True):
        image = axes.pcolormesh(*edges, share.T, norm=norm, cmap="cividis_r")
        frame_phase(axes)
    graduation = FuncFormatter(lambda share, _: f"{exact(100 * share)}{WIDE}%")
    bar = figure.colorbar(image, ax=panels, fraction=0.04, format=graduation)
    bar.set_label("part de la mémoire, par case")
    bar.minorticks_off()
    near = {
        name: np.mean(np.abs(values[:, 2]) > THETA_LIMIT / 2) for name, values in checked.items()
    }
    shown = ", ".join(f"{name} {percent(share)}" for name, share in near.items())
    return finish(figure, title, f"Part des états au-delà de 6° : {shown}.")


@style()
def viability(
    maps: Mapping[str, tuple[np.ndarray, np.ndarray]],
    thetas: np.ndarray,
    theta_dots: np.ndarray,
    title: str,
) -> Picture:
    """Dans le plan (θ, θ̇), les états perdus quoi qu'on fasse, sauvables à jamais, ou indécis.

    `maps` : nom → (bas, haut), les bornes (A, B) de la plus longue survie, en pas, que rend
    `truth.viability_map` ; `thetas` (A,) en rad, `theta_dots` (B,) en rad/s. Chez les perdus, des
    lignes disent combien de pas il leur reste au mieux.
    """
    plane = [_increasing("thetas", thetas), _increasing("theta_dots", theta_dots)]
    bounds = named("maps", maps, partial(_checked_bounds, shape=tuple(map(len, plane))))
    figure, panels = phase_panels(title, 4.4, bounds)
    for axes, (low, high) in zip(panels, bounds.values(), strict=True):
        _draw_fates(axes, *map(np.degrees, plane), low, high)
    patches = [Rectangle((0, 0), 1, 1, facecolor=colour) for colour in FATES.values()]
    legend_below(figure, len(FATES), patches, FATES)
    shares = ", ".join(
        f"{name} {percent(np.isinf(low).mean())} sauvables, "
        f"{percent(np.isfinite(high).mean())} perdus"
        for name, (low, high) in bounds.items()
    )
    return finish(figure, title, f"Part du plan angle, vitesse angulaire : {shares}.")


FATES = {"perdu quoi qu'on fasse": "#f4b183", "indécis": "#8c8c8c", "sauvable à jamais": "#a9d1ec"}
BANDS = 20  # bandes de couleur d'un relief
LEFT = (5, 10, 20)  # pas qu'il reste au mieux : les lignes tracées chez les perdus


def _draw_fates(
    axes: Axes, theta: np.ndarray, theta_dot: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """Colorie le sort de chaque état, et trace chez les perdus les lignes de survie égale."""
    fate = np.where(np.isinf(low), 2, np.where(np.isfinite(high), 0, 1))
    axes.pcolormesh(
        theta, theta_dot, fate.T, cmap=ListedColormap([*FATES.values()]), vmin=0, vmax=2
    )
    standing = np.where((high > 0) & np.isfinite(high), high, np.nan).T
    levels = [steps for steps in LEFT if (standing <= steps).any() and (standing > steps).any()]
    if levels:
        look = {"levels": np.add(levels, 0.5), "colors": [INK], "linewidths": 0.9}
        lines = axes.contour(theta, theta_dot, standing, **look)
        axes.clabel(lines, fmt=lambda level: typography(f"{int(level)} pas"), fontsize=9)
    frame_phase(axes)
    axes.set_xlim(theta[0], theta[-1])
    axes.set_ylim(theta_dot[0], theta_dot[-1])


def _increasing(name: str, values, shape: tuple = (None,)) -> np.ndarray:
    """Rend des nombres (N,) en ordre croissant, deux au moins."""
    numbers = check_array(name, values, shape)
    if len(numbers) < 2 or (np.diff(numbers) <= 0).any():
        raise ValueError(
            f"{name} doit donner des nombres croissants, deux au moins : {values!r} reçu."
        )
    return numbers


def _checked_bounds(name: str, pair, shape: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Rend les deux bornes (A, B) d'une carte, la haute au moins égale à la basse."""
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"{name} doit donner deux bornes : {type(pair).__name__} reçu.")
    low, high = (check_numbers(name, bound).astype(float) for bound in pair)
    if low.shape != shape or high.shape != shape or not (low <= high).all():
        raise ValueError(
            f"{name} doit donner deux bornes de forme {shape}, la basse au plus égale à la haute : "
            f"formes {low.shape} et {high.shape} reçues."
        )
    return low, high
