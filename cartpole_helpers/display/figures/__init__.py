"""Les figures du cours, chacune une fonction qui prend des tableaux et rend une image titrée."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm
from matplotlib.patches import Arc, Circle, Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cartpole_helpers.cartpole import (
    EPISODE_LIMIT,
    FORCE,
    SOLVED_RETURN,
    THETA_LIMIT,
    X_LIMIT,
    dynamics,
    has_fallen,
)
from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_flag,
    check_number,
    check_numbers,
)
from cartpole_helpers.display.style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    INK,
    MARKERS,
    MUTED,
    ORANGE,
    SIDES,
    SKY,
    VERMILION,
    Picture,
    canvas,
    finish,
    mark_solved,
    number,
    style,
    tick,
)
from cartpole_helpers.display.typography import typography
from cartpole_helpers.policies import Policy
from cartpole_helpers.statistics import bootstrap_interval, interquartile_mean

__all__ = [
    "COLOURS",
    "DASHES",
    "MARKERS",
    "Picture",
    "action_maps",
    "baselines",
    "cart_diagram",
    "components",
    "curves",
    "distributions",
    "draw_counts",
    "intervals",
    "learning_curves",
    "memory_maps",
    "number",
    "phase_portraits",
    "points",
    "small_multiples",
    "strips",
    "style",
    "survival",
    "traces",
    "verdicts",
    "viability",
]

COMPONENTS = ("x (m)", "ẋ (m/s)", "θ (°)", "θ̇ (°/s)")


@style()
def baselines(returns: Mapping[str, np.ndarray], title: str) -> Picture:
    """Les retours de plusieurs politiques : un point par épisode, un losange par moyenne.

    `returns` : nom → retours (N,). L'intervalle à 95 % de la moyenne est rééchantillonné.
    """
    returns = _checked_series("returns", returns)
    figure, axes = canvas(title, 7.6, 0.62 * len(returns) + 1.3)
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
    mark_solved(axes, vertical=True)
    axes.set_yticks(range(len(returns)), returns)
    axes.set_ylim(len(returns) - 0.5, -0.75)
    axes.set_xlim(0, EPISODE_LIMIT * 1.06)
    axes.grid(axis="y", visible=False)
    count = len(next(iter(returns.values())))
    axes.set_xlabel(
        f"retour d'un épisode (pas) ; {count} épisodes par politique, losange : moyenne"
    )
    means = ", ".join(f"{name} {number(values.mean())}" for name, values in returns.items())
    return finish(figure, title, f"Retours moyens sur {count} épisodes : {means}.")


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
    figure, axes = canvas(title, 7.6, 3.9)
    steps = np.unique(np.concatenate([[1, limit], *lengths.values()]).clip(max=limit))
    for rank, (name, values) in enumerate(lengths.items()):
        standing = np.array([np.mean(values > step) for step in steps])
        style_of = {"color": COLOURS[rank % len(COLOURS)], "label": name}
        axes.step(steps, 100 * standing, where="post", ls=DASHES[rank % len(DASHES)], **style_of)
    for mark in marks:
        axes.axvline(mark, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(f"{number(mark)} pas", (mark, 104), ha="center", color=MUTED, fontsize=10)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(tick)
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
    return finish(figure, title, told)


@style()
def phase_portraits(policies: Mapping[str, Policy], episodes: int, title: str) -> Picture:
    """Dans le plan (θ, θ̇), où chaque politique pousse, et le chemin de quelques épisodes.

    Le fond donne l'action en x = ẋ = 0 ; les flèches, le mouvement d'un pas sous cette action.
    """
    check_number("episodes", episodes, int, low=1)
    if not policies:
        raise ValueError(f"policies doit nommer au moins une politique : {policies!r} reçu.")
    figure, panels = canvas(title, 7.6, 4.1, columns=len(policies), sharey=True, squeeze=False)
    for rank, (axes, (name, policy)) in enumerate(zip(panels[0], policies.items(), strict=True)):
        _draw_phase(axes, policy)
        for path in _paths(policy, episodes):
            theta, theta_dot = np.degrees(path[:, 2:]).T
            axes.plot(theta, theta_dot, color=INK, linewidth=0.9)
            if abs(path[-1, 2]) > THETA_LIMIT:
                axes.plot(theta[-1], theta_dot[-1], "X", color=VERMILION, markersize=8)
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
        if rank == 0:
            axes.set_ylabel("vitesse angulaire θ̇ (°/s)")
    names = ", ".join(policies)
    return finish(figure, title, f"Plan angle, vitesse angulaire, pour : {names}.")


def _phase_plane() -> tuple[np.ndarray, np.ndarray]:
    """Rend les grilles de θ (rad) et de θ̇ (rad/s) du plan que montrent les figures."""
    angle, speed = np.radians(15), np.radians(150)
    return np.meshgrid(np.linspace(-angle, angle, 181), np.linspace(-speed, speed, 181))


def _frame_phase(axes: Axes) -> None:
    """Borne le plan (θ, θ̇), et marque les deux angles où l'épisode finit."""
    for limit in np.degrees([-THETA_LIMIT, THETA_LIMIT]):
        axes.axvline(limit, color=VERMILION, linewidth=1.2, linestyle="--")
    axes.set_xlim(-15, 15)
    axes.set_ylim(-150, 150)
    axes.set_xlabel("angle θ (°)")
    axes.grid(visible=False)


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
    _frame_phase(axes)
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
def cart_diagram(state: Sequence[float], action: int, title: str) -> Picture:
    """Le chariot dans l'état `state` (x, ẋ, θ, θ̇), vu de loin, puis de près avec sa force."""
    x, _, theta, _ = check_array("state", state, (4,))
    check_choice("action", action, (0, 1))
    figure, (wide, near) = canvas(title, 7.6, 2.9, columns=2, width_ratios=[1.75, 1])
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
    if len(names) != 4:
        raise ValueError(f"names doit donner les quatre composantes : {names!r} reçu.")
    figure, panels = canvas(title, 7.6, 4.6, rows=2, columns=2, sharex=True)
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


@style()
def curves(
    x: np.ndarray,
    series: Mapping[str, np.ndarray],
    title: str,
    labels: tuple[str, str],
    log: bool | str = False,
    bands: Mapping[str, tuple[np.ndarray, np.ndarray]] | None = None,
) -> Picture:
    """Plusieurs courbes sur les mêmes abscisses : `series` donne les valeurs (N,) de chacune.

    `labels` : ce que portent les deux axes, unités comprises ; `log` : échelles logarithmiques,
    toutes deux (`True`) ou une seule ("x", "y") ; `bands` : nom → (bas (N,), haut (N,)).
    """
    x = check_array("x", x, (None,))
    series = _checked_series("series", series, len(x))
    check_choice("log", log, (False, True, "x", "y"))
    for name in bands or ():
        check_choice("bands", name, [*series])
    figure, axes = canvas(title, 7.6, 3.7)
    for rank, (name, y) in enumerate(series.items()):
        look = rank % len(COLOURS)
        marker = MARKERS[look] if log is True else None
        axes.plot(x, y, color=COLOURS[look], linestyle=DASHES[look], marker=marker, label=name)
        if bands and name in bands:
            low, high = _checked_pair("bands", bands[name], len(x))
            axes.fill_between(x, low, high, color=COLOURS[look], alpha=0.18, linewidth=0)
    for axis, scaled in (("x", axes.set_xscale), ("y", axes.set_yscale)):
        if log in (True, axis):
            scaled("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(tick)
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    if len(series) > 4:  # aucun coin n'est alors sûrement vide
        figure.legend(loc="outside lower center", ncols=3, fontsize=10)
    else:
        axes.legend()
    ends = ", ".join(f"{name} de {_brief(y[0])} à {_brief(y[-1])}" for name, y in series.items())
    return finish(figure, title, f"{labels[1]}, selon {labels[0]} : {ends}.")


def _brief(value: float) -> str:
    """Écrit un nombre avec trois chiffres utiles au plus, si petit soit-il ; l'infini : jamais."""
    if np.isinf(value):
        return "jamais"
    rounded = float(f"{value:.3g}")
    decimals = np.format_float_positional(rounded, trim="-").partition(".")[2]
    return number(rounded, len(decimals))


@style()
def draw_counts(counts: np.ndarray, title: str) -> Picture:
    """Combien de fois chaque place d'une mémoire a été tirée : `counts` (C,)."""
    counts = _checked_series("counts", {"places": counts})["places"]
    figure, axes = canvas(title, 7.6, 2.9)
    drawn = np.flatnonzero(counts)
    axes.vlines(drawn, 0, counts[drawn], color=BLUE, linewidth=0.6)
    axes.set_xlim(0, len(counts))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("numéro de la transition, de la plus ancienne à la plus récente")
    axes.set_ylabel("nombre de tirages")
    told = f"{number(len(drawn))} transitions tirées au moins une fois sur {number(len(counts))}."
    return finish(figure, title, told)


@style()
def learning_curves(
    env_steps: np.ndarray, returns: np.ndarray | Mapping[str, np.ndarray], title: str
) -> Picture:
    """Le retour moyen de la politique gloutonne à mesure que S agents apprennent.

    `env_steps` (V,) : pas par agent à chaque évaluation ; `returns` (S, V). Un trait fin par
    graine, la moyenne interquartile en gras, son intervalle à 95 % en bande. Pour en comparer
    plusieurs, `returns` : nom → (S, V) ; une moyenne et une bande chacun, sans les traits fins.
    """
    env_steps = check_array("env_steps", env_steps, (None,))
    if not len(env_steps):
        raise ValueError("env_steps doit donner au moins une évaluation : tableau vide reçu.")
    groups = returns if isinstance(returns, Mapping) else {"": returns}
    shape = (None, len(env_steps))
    groups = {name: check_array("returns", group, shape) for name, group in groups.items()}
    if not groups:
        raise ValueError("returns doit nommer au moins une recette : {} reçu.")
    figure, axes = canvas(title, 7.6, 3.9)
    if len(groups) == 1:
        [alone] = groups.values()
        axes.plot(env_steps, alone.T, color=SKY, linewidth=0.9, alpha=0.8)
    told = [
        _draw_group(axes, env_steps, group, name, rank)
        for rank, (name, group) in enumerate(groups.items())
    ]
    mark_solved(axes)
    axes.set_ylim(0, EPISODE_LIMIT * 1.06)
    axes.set_xlabel("pas de jeu par agent")
    axes.set_ylabel("retour moyen d'évaluation (pas)")
    legend = "moyenne interquartile, et son intervalle à 95 %"
    axes.locator_params(axis="x", nbins=6)
    if len(groups) == 1:
        axes.legend(loc="lower right", title=legend, fontsize=10)
    else:  # sous les axes : les bandes prennent toute la place
        figure.legend(loc="outside lower center", ncols=2, title=legend, fontsize=10)
    return finish(figure, title, f"{' ; '.join(told)}. Trait gras : la {legend}.")


def _draw_group(
    axes: Axes, env_steps: np.ndarray, returns: np.ndarray, name: str, rank: int
) -> str:
    """Trace la moyenne et la bande d'une recette ; rend la phrase qui les dit."""
    middle, (low, high) = interquartile_mean(returns), bootstrap_interval(returns)
    look = {"color": COLOURS[rank % len(COLOURS)], "linestyle": DASHES[rank % len(DASHES)]}
    count = f"{len(returns)} graines"
    label = f"{name} ({count})" if name else count
    axes.fill_between(env_steps, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.plot(env_steps, middle, linewidth=2.6, label=label, **look)
    change = f"e {number(middle[0])} à {number(middle[-1])} pas"
    return f"{label} : d{change}" if name else f"D{change}, {label}"


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
    check_callable("q_values", q_values)
    x, x_dot = check_number("x", x, float), check_number("x_dot", x_dot, float)
    theta, theta_dot = _phase_plane()
    states = np.stack([0 * theta + x, 0 * theta + x_dot, theta, theta_dot], axis=-1)
    q = np.asarray(q_values(states.reshape(-1, 4).astype(np.float32)))
    q = check_array("q_values(...)", q, (theta.size, 2)).reshape(*theta.shape, 2)
    left, right = np.moveaxis(q, -1, 0)
    figure, (worth, gap) = canvas(title, 7.6, 3.9, columns=2, sharey=True)
    best = np.maximum(left, right)
    low, high = (best.min(), best.max()) if limits is None else check_array("limits", limits, (2,))
    value = worth.pcolormesh(*np.degrees([theta, theta_dot]), best, vmin=low, vmax=high)
    widest = (abs(right - left).max() if limits is None else (high - low) / 2) or 1.0
    sides = LinearSegmentedColormap.from_list("côtés", [BLUE, "white", VERMILION])
    look = {"cmap": sides, "vmin": -widest, "vmax": widest}
    difference = gap.pcolormesh(*np.degrees([theta, theta_dot]), right - left, **look)
    if (right > left).any() and (right <= left).any():
        gap.contour(*np.degrees([theta, theta_dot]), right > left, levels=[0.5], colors=[INK])
    for axes, image, name in (
        (worth, value, "valeur de l'état : max Q"),
        (gap, difference, "Q(droite) − Q(gauche)"),
    ):
        _frame_phase(axes)
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
        figure.colorbar(image, ax=axes, format=FuncFormatter(tick), fraction=0.05)
    worth.set_ylabel("vitesse angulaire θ̇ (°/s)")
    told = (
        f"Plan angle, vitesse angulaire : valeurs de {number(best.min(), 1)} "
        f"à {number(best.max(), 1)} ; l'action de droite l'emporte sur "
        f"{number(100 * np.mean(right > left))} % du plan."
    )
    return finish(figure, title, told)


@style()
def memory_maps(observations: Mapping[str, np.ndarray], title: str) -> Picture:
    """Ce qu'une mémoire contient, dans le plan (θ, θ̇) : plus c'est foncé, plus il y en a.

    `observations` : nom → (N, 4), un panneau par nom, une même échelle pour tous.
    """
    if not observations:
        raise ValueError(f"observations doit nommer au moins une mémoire : {observations!r} reçu.")
    checked = {
        name: check_array("observations", values, (None, 4))
        for name, values in observations.items()
    }
    empty = [name for name, values in checked.items() if not len(values)]
    if empty:
        raise ValueError(f"observations doit donner au moins un état par mémoire : {empty} sans.")
    figure, panels = canvas(title, 7.6, 3.8, columns=len(checked), sharey=True, squeeze=False)
    edges = np.linspace(-15, 15, 61), np.linspace(-150, 150, 61)
    shares = {
        name: np.histogram2d(*np.degrees(values[:, 2:]).T, bins=edges)[0] / len(values)
        for name, values in checked.items()
    }
    norm = LogNorm(1e-4, max(2e-3, *(share.max() for share in shares.values())))
    for axes, (name, share) in zip(panels[0], shares.items(), strict=True):
        image = axes.pcolormesh(*edges, share.T, norm=norm, cmap="cividis_r")
        _frame_phase(axes)
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
    panels[0][0].set_ylabel("vitesse angulaire θ̇ (°/s)")
    bar = figure.colorbar(image, ax=panels, fraction=0.04, format=FuncFormatter(_percent))
    bar.set_label("part de la mémoire, par case")
    bar.minorticks_off()
    near = {
        name: np.mean(np.abs(values[:, 2]) > THETA_LIMIT / 2) for name, values in checked.items()
    }
    shown = ", ".join(f"{name} {number(100 * share)} %" for name, share in near.items())
    return finish(figure, title, f"Part des états au-delà de 6° : {shown}.")


def _percent(value: float, _position=None) -> str:
    return typography(f"{tick(100 * value)} %")


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
    plane = [check_array("thetas", thetas, (None,)), check_array("theta_dots", theta_dots, (None,))]
    bounds = {name: _checked_bounds(pair, tuple(map(len, plane))) for name, pair in maps.items()}
    if not bounds:
        raise ValueError(f"maps doit nommer au moins une carte : {maps!r} reçu.")
    figure, panels = canvas(title, 7.6, 4.4, columns=len(bounds), sharey=True, squeeze=False)
    for axes, (name, (low, high)) in zip(panels[0], bounds.items(), strict=True):
        _draw_fates(axes, *map(np.degrees, plane), low, high)
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
    panels[0][0].set_ylabel("vitesse angulaire θ̇ (°/s)")
    patches = [Rectangle((0, 0), 1, 1, facecolor=colour) for colour in FATES.values()]
    figure.legend(patches, FATES, loc="outside lower center", ncols=len(FATES), fontsize=10)
    shares = ", ".join(
        f"{name} {number(100 * np.isinf(low).mean())} % sauvables, "
        f"{number(100 * np.isfinite(high).mean())} % perdus"
        for name, (low, high) in bounds.items()
    )
    return finish(figure, title, f"Part du plan angle, vitesse angulaire : {shares}.")


FATES = {"perdu quoi qu'on fasse": "#f4b183", "indécis": "#8c8c8c", "sauvable à jamais": "#a9d1ec"}
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
    _frame_phase(axes)
    axes.set_xlim(theta[0], theta[-1])
    axes.set_ylim(theta_dot[0], theta_dot[-1])


def _checked_bounds(pair, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rend les deux bornes (A, B) d'une carte, la haute au moins égale à la basse."""
    if not isinstance(pair, Sequence) or len(pair) != 2:
        raise ValueError(f"maps doit donner deux bornes par carte : {type(pair).__name__} reçu.")
    low, high = (check_numbers("maps", bound).astype(float) for bound in pair)
    if low.shape != shape or high.shape != shape or not (low <= high).all():
        raise ValueError(
            f"maps doit donner deux bornes de forme {shape}, la basse au plus égale à la haute : "
            f"formes {low.shape} et {high.shape} reçues."
        )
    return low, high


@style()
def distributions(values: Mapping[str, np.ndarray], title: str, label: str) -> Picture:
    """Comment se répartissent plusieurs séries de nombres : un histogramme chacune, l'un sous
    l'autre, la moyenne marquée d'un trait.

    `values` : nom → (N,) ; `label` : ce que porte l'axe, unité comprise.
    """
    values = _checked_series("values", values)
    figure, panels = canvas(
        title, 7.6, 1.15 * len(values) + 1.0, rows=len(values), sharex=True, squeeze=False
    )
    every = np.concatenate([*values.values()])
    edges = np.histogram_bin_edges(every, bins=50)
    for rank, (axes, (name, series)) in enumerate(zip(panels[:, 0], values.items(), strict=True)):
        weights = np.full(len(series), 100 / len(series))
        axes.hist(series, edges, weights=weights, color=COLOURS[rank % len(COLOURS)], alpha=0.75)
        axes.axvline(series.mean(), color=INK, linewidth=1.6)
        axes.margins(y=0.35)
        told = f"{name} : moyenne {number(series.mean(), 1)}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.8}
        place = {"transform": axes.transAxes, "ha": "left", "va": "top", "bbox": box}
        axes.text(0.01, 0.95, told, **place)
    panels[-1, 0].set_xlabel(label)
    figure.supylabel("part (%)", fontsize=11, color=INK)
    means = ", ".join(f"{name} {number(series.mean(), 1)}" for name, series in values.items())
    return finish(figure, title, f"{label}, moyenne de chaque série : {means}.")


@style()
def points(
    series: Mapping[str, tuple[np.ndarray, np.ndarray]],
    title: str,
    labels: tuple[str, str],
    identity: bool = False,
) -> Picture:
    """Des nuages de points : `series` donne, par nom, les abscisses (N,) et les ordonnées (N,).

    `labels` : ce que portent les deux axes ; `identity` : trace la droite où les deux sont égales.
    """
    if not series:
        raise ValueError(f"series doit nommer au moins un nuage : {series!r} reçu.")
    clouds = {name: _checked_pair("series", pair) for name, pair in series.items()}
    figure, axes = canvas(title, 7.6, 4.2)
    for rank, (name, (x, y)) in enumerate(clouds.items()):
        look = {"color": COLOURS[rank % len(COLOURS)], "marker": MARKERS[rank % len(MARKERS)]}
        axes.plot(x, y, linestyle="", alpha=0.75, markersize=6, label=name, **look)
    if identity:
        bounds = axes.get_xlim()
        axes.plot(bounds, bounds, color=MUTED, linewidth=1.2, linestyle="--", label="égalité")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.legend()
    counts = ", ".join(f"{name} {len(x)}" for name, (x, _) in clouds.items())
    return finish(figure, title, f"{labels[1]}, selon {labels[0]} ; nombre de points : {counts}.")


@style()
def small_multiples(
    env_steps: np.ndarray,
    returns: Mapping[str, np.ndarray],
    title: str,
    reference: str | None = None,
) -> Picture:
    """Comment apprennent plusieurs recettes : un panneau chacune, moyenne interquartile et bande.

    `env_steps` (V,) ; `returns` : nom → (S, V). En gris, la recette du panneau d'avant, ou celle
    que nomme `reference`, qui n'a alors pas de panneau à elle.
    """
    env_steps = check_array("env_steps", env_steps, (None,))
    groups = {
        name: check_array("returns", group, (None, len(env_steps)))
        for name, group in returns.items()
    }
    if reference is not None:
        check_choice("reference", reference, [*groups])
    shown = [name for name in groups if name != reference]
    if not shown or not all(group.size for group in groups.values()):
        raise ValueError(f"returns doit nommer au moins une recette évaluée : {returns!r} reçu.")
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    shared = {"sharex": True, "sharey": True, "squeeze": False}
    figure, panels = canvas(title, 7.6, 1.75 * rows + 0.9, rows=rows, columns=columns, **shared)
    before = [reference] * len(shown) if reference else [None, *shown[:-1]]
    for axes, name, previous in zip(panels.flat, shown, before, strict=False):
        if previous is not None:
            axes.plot(env_steps, interquartile_mean(groups[previous]), color=MUTED, linewidth=1.4)
        low, high = bootstrap_interval(groups[name])
        axes.fill_between(env_steps, low, high, color=BLUE, alpha=0.25, linewidth=0)
        axes.plot(env_steps, interquartile_mean(groups[name]), color=BLUE, linewidth=2.2)
        axes.axhline(SOLVED_RETURN, color=MUTED, linewidth=1, linestyle=":")
        axes.set_title(name, fontsize=10, fontweight="normal", loc="left", pad=4)
        axes.set_ylim(0, 1.04 * EPISODE_LIMIT)
    for axes in panels.flat[len(shown) - columns : len(shown)]:  # le bas de chaque colonne
        axes.tick_params(labelbottom=True)
    for spare in panels.flat[len(shown) :]:
        spare.remove()
    figure.supxlabel("pas d'environnement par agent", fontsize=11, color=INK)
    figure.supylabel("retour moyen", fontsize=11, color=INK)
    grey = f"« {reference} »" if reference else "la recette du panneau d'avant"
    ends = (f"{name} ({number(interquartile_mean(groups[name])[-1])})" for name in shown)
    told = f"Moyenne interquartile et bande à 95 %, {grey} en gris. À la fin : {', '.join(ends)}."
    return finish(figure, title, told)


@style()
def intervals(
    estimates: Mapping[str, Mapping[str, tuple[float, float, float]]], title: str
) -> Picture:
    """Des estimations et leurs intervalles, une ligne par nom, un panneau par grandeur.

    `estimates` : grandeur, unité comprise → nom → (valeur, bas, haut), les mêmes noms partout.
    """
    checked = {
        label: {name: check_array("estimates", row, (3,)) for name, row in rows.items()}
        for label, rows in estimates.items()
    }
    names = [*next(iter(checked.values()), ())]
    if not names or any([*rows] != names for rows in checked.values()):
        raise ValueError(
            "estimates doit donner les mêmes noms, un au moins, pour chaque grandeur : "
            f"{[[*rows] for rows in checked.values()]} reçu."
        )
    shared = {"sharey": True, "squeeze": False}
    height = 0.36 * len(names) + 1.5
    figure, panels = canvas(title, 7.6, height, columns=len(checked), **shared)
    for column, (axes, (label, rows)) in enumerate(zip(panels[0], checked.items(), strict=True)):
        colour = COLOURS[column % len(COLOURS)]
        for rank, (value, low, high) in enumerate(rows.values()):
            look = {"color": colour, "solid_capstyle": "butt"}
            axes.plot([low, high], [rank, rank], linewidth=5, alpha=0.35, **look)
            axes.plot(value, rank, "o", color=colour, markersize=7)
        axes.set_xlabel(label)
        axes.grid(visible=False, axis="y")
    panels[0, 0].set_yticks(range(len(names)), map(typography, names))
    panels[0, 0].set_ylim(len(names) - 0.5, -0.5)
    told = (
        f"{label} : " + ", ".join(f"{name} ({_brief(row[0])})" for name, row in rows.items())
        for label, rows in checked.items()
    )
    return finish(figure, title, f"{' ; '.join(told)}.")


@style()
def strips(values: Mapping[str, np.ndarray], title: str, label: str, log: bool = False) -> Picture:
    """Un point par graine, une rangée par nom, la médiane marquée d'un trait et écrite.

    `values` : nom → (N,), l'infini pour une graine qui n'arrive jamais : elle n'a pas de point,
    mais compte dans la médiane ; `label` : ce que porte l'axe, unité comprise ; `log` : son échelle
    est logarithmique.
    """
    reached = _checked_series("values", {name: _finite(each) for name, each in values.items()})
    log = check_flag("log", log)
    every = np.concatenate([*reached.values()])
    if log and every.min() <= 0:
        raise ValueError("values ne doit contenir que des nombres positifs si log est vrai.")
    medians = {name: np.median(series) for name, series in values.items()}
    figure, axes = canvas(title, 7.6, 0.62 * len(values) + 1.3)
    spread = np.random.default_rng(0)
    for row, (name, series) in enumerate(reached.items()):
        heights = row + spread.uniform(-0.18, 0.18, len(series))
        axes.plot(series, heights, "o", color=SKY, markersize=5, alpha=0.7, zorder=2)
        if never := len(values[name]) - len(series):
            place = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text(1.01, row, f"jamais : {never}", color=INK, fontsize=10, **place)
        if not np.isfinite(middle := medians[name]):
            continue
        axes.plot([middle] * 2, [row - 0.3, row + 0.3], color=VERMILION, linewidth=3, zorder=3)
        place = {"textcoords": "offset points", "xytext": (5, 0), "va": "bottom", "zorder": 4}
        axes.annotate(_brief(middle), (middle, row - 0.22), color=INK, fontsize=10, **place)
    if log:
        axes.set_xscale("log")
        # Sur moins de deux décades, les seules puissances de dix ne gradueraient pas l'axe.
        steps = (1, 2, 5) if np.ptp(np.log10(every)) < 2 else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps))
        axes.xaxis.set_major_formatter(tick)
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(values)), map(typography, values))
    axes.set_ylim(len(values) - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    told = ", ".join(f"{name} ({_brief(middle)})" for name, middle in medians.items())
    return finish(figure, title, f"{label}, médiane de chaque rangée : {told}.")


@style()
def traces(
    x: np.ndarray,
    quantities: Mapping[str, Mapping[str, np.ndarray]],
    title: str,
    label: str,
    *,
    log: Sequence[str] = (),
    mark: float | None = None,
) -> Picture:
    """Plusieurs grandeurs au fil du même temps : un panneau chacune, une courbe par nom.

    `x` (V,), que `label` nomme ; `quantities` : grandeur, unité comprise → nom → (S, V), les mêmes
    noms partout. Moyenne interquartile, et son intervalle à 95 %. `log` : les grandeurs à échelle
    logarithmique ; `mark` : un instant à marquer d'un trait.
    """
    x = check_array("x", x, (None,))
    groups = {
        name: {key: check_array("quantities", rows, (None, len(x))) for key, rows in kind.items()}
        for name, kind in quantities.items()
    }
    names = [*next(iter(groups.values()), ())]
    if not names or not len(x) or any([*group] != names for group in groups.values()):
        raise ValueError(
            "quantities doit donner les mêmes noms, un au moins, pour chaque grandeur : "
            f"{[[*group] for group in groups.values()]} reçu."
        )
    for name in log:
        check_choice("log", name, [*groups])
    rows = -(-len(groups) // 2)
    shape = {"rows": rows, "columns": min(2, len(groups)), "sharex": True, "squeeze": False}
    figure, panels = canvas(title, 7.6, 2.3 * rows + 1.0, **shape)
    for axes, (name, group) in zip(panels.flat, groups.items(), strict=False):
        _draw_traces(axes, x, group, name in log)
        axes.set_ylabel(name)
        if mark is not None:
            axes.axvline(check_number("mark", mark, float), color=MUTED, linewidth=1.2, ls=":")
    for spare in panels.flat[len(groups) :]:
        spare.remove()
    for axes in panels.flat[max(len(groups) - 2, 0) : len(groups)]:  # le bas de chaque colonne
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(label)
    handles = panels.flat[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=len(names), fontsize=10)
    told = " ; ".join(f"{name} : {_ends(group)}" for name, group in groups.items())
    return finish(figure, title, f"Moyennes interquartiles, bandes à 95 %. {told}.")


def _draw_traces(axes: Axes, x: np.ndarray, group: Mapping[str, np.ndarray], log: bool) -> None:
    """Trace la moyenne et la bande de chaque nom ; l'axe est logarithmique si `log`."""
    for rank, (name, rows) in enumerate(group.items()):
        look = rank % len(COLOURS)
        axes.fill_between(x, *bootstrap_interval(rows), color=COLOURS[look], alpha=0.2, linewidth=0)
        middle = interquartile_mean(rows)
        axes.plot(x, middle, color=COLOURS[look], linestyle=DASHES[look], label=name, linewidth=2.2)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(tick)
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.locator_params(axis="x", nbins=6)


def _ends(group: Mapping[str, np.ndarray]) -> str:
    middles = {name: interquartile_mean(rows) for name, rows in group.items()}
    return ", ".join(f"{name} de {_brief(y[0])} à {_brief(y[-1])}" for name, y in middles.items())


@style()
def verdicts(
    passed: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str
) -> Picture:
    """Un tableau de ✔ et de ✘ : `passed` (R, C), vrai où la ligne passe l'épreuve de la colonne."""
    passed = check_array("passed", passed, (len(rows), len(columns))).astype(bool)
    if not passed.size:
        raise ValueError("passed doit avoir une ligne et une colonne au moins : tableau vide reçu.")
    figure, axes = canvas(title, 7.6, 0.36 * len(rows) + 1.5)
    for (row, column), right in np.ndenumerate(passed):
        colour = GREEN if right else VERMILION
        square = {"facecolor": colour, "alpha": 0.16, "edgecolor": "white", "linewidth": 2}
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **square))
        mark = {"ha": "center", "va": "center", "color": colour, "fontsize": 13}
        axes.text(column, row, "✔" if right else "✘", **mark)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    refused = [
        f"{name} : {', '.join(np.array(columns)[~line]) or 'aucun'}"
        for name, line in zip(rows, passed, strict=True)
    ]
    return finish(figure, title, f"Refus, ligne par ligne. {' ; '.join(refused)}.")


# Les arguments


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


def _finite(series) -> np.ndarray:
    """Rend `series` (N,) sans ses infinis ; ce qui reste, la suite le vérifie."""
    array = check_numbers("values", series)
    return array[~np.isposinf(array)] if array.ndim == 1 else array


def _checked_pair(
    name: str, pair: tuple[np.ndarray, np.ndarray], length: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
        raise ValueError(f"{name} doit donner deux tableaux par nom : {pair!r} reçu.")
    first = check_array(name, pair[0], (length,))
    return first, check_array(name, pair[1], (len(first),))
