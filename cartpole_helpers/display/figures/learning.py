"""Les figures de ce qui change au fil du temps : retours, grandeurs suivies, courbes."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from matplotlib.axes import Axes

from cartpole_helpers.cartpole import EPISODE_LIMIT, SOLVED_RETURN
from cartpole_helpers.checks import check_array, check_choice, check_number, check_text
from cartpole_helpers.display.figures.panels import (
    checked_pair,
    checked_row,
    checked_rows,
    checked_series,
    checked_texts,
    colour,
    graduate,
    iqm_band,
    legend_below,
    line,
    marker,
    named,
    same_names,
    sheet,
    small_grid,
)
from cartpole_helpers.display.numbers import brief, number
from cartpole_helpers.display.style import (
    BLUE,
    INK,
    MUTED,
    SKY,
    Picture,
    finish,
    mark_solved,
    style,
)
from cartpole_helpers.environments import CARTPOLE, solved_return
from cartpole_helpers.statistics import interquartile_mean


@style()
def learning_curves(
    env_steps: np.ndarray,
    returns: np.ndarray | Mapping[str, np.ndarray],
    title: str,
    env: str = CARTPOLE,
) -> Picture:
    """Le retour moyen de la politique gloutonne à mesure que S agents apprennent.

    `env_steps` (V,) : pas par agent à chaque évaluation ; `returns` (S, V). Un trait fin par
    graine, la moyenne interquartile en gras, son intervalle à 95 % en bande. Pour en comparer
    plusieurs, `returns` : nom → (S, V) ; une moyenne et une bande chacun, sans les traits fins.
    `env` : le jeu, dont le seuil est tracé.
    """
    env_steps, threshold = checked_row("env_steps", env_steps), _threshold(env)
    rows = partial(checked_rows, length=len(env_steps))
    several = isinstance(returns, Mapping)
    groups = named("returns", returns, rows) if several else {"": rows("returns", returns)}
    figure, axes = sheet(title, 4.2 if len(groups) == 1 else 4.8)  # plusieurs : légende plus haute
    if len(groups) == 1:
        [alone] = groups.values()
        axes.plot(env_steps, alone.T, color=SKY, linewidth=0.9, alpha=0.8)
    told = [
        _draw_group(axes, env_steps, group, name, rank, " pas" * (env == CARTPOLE))
        for rank, (name, group) in enumerate(groups.items())
    ]
    if env == CARTPOLE:
        axes.set_ylim(0, EPISODE_LIMIT * 1.06)
    mark_solved(axes, threshold=threshold)
    axes.set_xlabel("pas de jeu par agent")
    axes.set_ylabel("retour moyen d'évaluation" + " (pas)" * (env == CARTPOLE))
    legend = "moyenne interquartile, et son intervalle à 95 %"
    axes.locator_params(axis="x", nbins=6)
    if len(groups) == 1:
        [handles, labels] = axes.get_legend_handles_labels()
        legend_below(figure, 1, handles, [f"{legend} ({labels[0]})"])
    else:
        legend_below(figure, 2, title=legend)
    return finish(figure, title, f"{' ; '.join(told)}. Trait gras : la {legend}.")


def _threshold(env: str) -> float:
    """Rend le retour à partir duquel le jeu d'identifiant `env` est résolu."""
    threshold = solved_return(check_text("env", env))
    if threshold is None:
        raise ValueError(f"env doit être un jeu qui se dit résolu à un retour : {env!r} reçu.")
    return threshold


def _draw_group(
    axes: Axes, env_steps: np.ndarray, returns: np.ndarray, name: str, rank: int, unit: str
) -> str:
    """Trace la moyenne et la bande d'une recette ; rend la phrase qui les dit."""
    count = f"{len(returns)} graines"
    label = f"{name} ({count})" if name else count
    middle = iqm_band(axes, env_steps, returns, linewidth=2.6, label=label, **line(rank))
    change = f"e {number(middle[0])} à {number(middle[-1])}{unit}"
    return f"{label} : d{change}" if name else f"D{change}, {label}"


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
    env_steps = checked_row("env_steps", env_steps)
    groups = named("returns", returns, partial(checked_rows, length=len(env_steps)))
    if reference is not None:
        check_choice("reference", reference, [*groups])
    shown = [name for name in groups if name != reference]
    if not shown:
        raise ValueError(f"returns doit nommer une recette de plus que {reference!r}, seule reçue.")
    figure, panels, _ = small_grid(title, len(shown), 3, (1.75, 0.9), sharey=True)
    before = [reference] * len(shown) if reference else [None, *shown[:-1]]
    for axes, name, previous in zip(panels, shown, before, strict=True):
        if previous is not None:
            axes.plot(env_steps, interquartile_mean(groups[previous]), color=MUTED, linewidth=1.4)
        iqm_band(axes, env_steps, groups[name], alpha=0.25, color=BLUE, linewidth=2.2)
        axes.axhline(SOLVED_RETURN, color=MUTED, linewidth=1, linestyle=":")
        axes.set_title(name, fontsize=10, fontweight="normal", loc="left", pad=4)
        axes.set_ylim(0, 1.04 * EPISODE_LIMIT)
    figure.supxlabel("pas de jeu par agent", fontsize=11, color=INK)
    figure.supylabel("retour moyen", fontsize=11, color=INK)
    grey = f"« {reference} »" if reference else "la recette du panneau d'avant"
    ends = (f"{name} ({number(interquartile_mean(groups[name])[-1])})" for name in shown)
    told = f"Moyenne interquartile et bande à 95 %, {grey} en gris. À la fin : {', '.join(ends)}."
    return finish(figure, title, told)


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
    x, label = checked_row("x", x), check_text("label", label)
    rows = partial(checked_rows, length=len(x))
    groups = named("quantities", quantities, lambda name, kind: named(name, kind, rows))
    names = same_names("quantities", groups)
    log = [check_choice("log", name, [*groups]) for name in checked_texts("log", log)]
    if mark is not None:
        mark = check_number("mark", mark, float)
    figure, panels, lowest = small_grid(title, len(groups), 2, (2.3, 1.0))
    for axes, (name, group) in zip(panels, groups.items(), strict=True):
        _draw_traces(axes, x, group, name in log)
        axes.set_ylabel(name)
        if mark is not None:
            axes.axvline(mark, color=MUTED, linewidth=1.2, ls=":")
    for axes in lowest:
        axes.set_xlabel(label)
    legend_below(figure, len(names), *panels[0].get_legend_handles_labels())
    told = " ; ".join(f"{name} : {_ends(group)}" for name, group in groups.items())
    return finish(figure, title, f"Moyennes interquartiles, bandes à 95 %. {told}.")


def _draw_traces(axes: Axes, x: np.ndarray, group: Mapping[str, np.ndarray], log: bool) -> None:
    """Trace la moyenne et la bande de chaque nom ; l'axe est logarithmique si `log`."""
    for rank, (name, rows) in enumerate(group.items()):
        iqm_band(axes, x, rows, linewidth=2.2, label=name, **line(rank))
    if log:
        axes.set_yscale("log")
        graduate(axes.yaxis)
    axes.locator_params(axis="x", nbins=6)


def _ends(group: Mapping[str, np.ndarray]) -> str:
    middles = {name: interquartile_mean(rows) for name, rows in group.items()}
    return ", ".join(f"{name} de {brief(y[0])} à {brief(y[-1])}" for name, y in middles.items())


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
    series, labels = checked_series("series", series, len(x)), checked_texts("labels", labels, 2)
    check_choice("log", log, (False, True, "x", "y"))
    pair = partial(checked_pair, length=len(x))
    bands = {} if bands is None else named("bands", bands, pair, least=0)
    for name in bands:
        check_choice("bands", name, [*series])
    figure, axes = sheet(title, 4.0)
    for rank, (name, y) in enumerate(series.items()):
        axes.plot(x, y, marker=marker(rank) if log is True else None, label=name, **line(rank))
        if name in bands:
            axes.fill_between(x, *bands[name], color=colour(rank), alpha=0.18, linewidth=0)
    for axis, scaled in (("x", axes.set_xscale), ("y", axes.set_yscale)):
        if log in (True, axis):
            scaled("log")
    if log not in (True, "x") and np.ptp(x) < 50 and np.array_equal(x, np.rint(x)):
        axes.xaxis.get_major_locator().set_params(integer=True)
    graduate(axes.xaxis, axes.yaxis)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    legend_below(figure, 3)
    ends = ", ".join(f"{name} de {brief(y[0])} à {brief(y[-1])}" for name, y in series.items())
    told = f"En abscisse, {labels[0]} ; en ordonnée, {labels[1]}. Du début à la fin : {ends}."
    return finish(figure, title, told)
