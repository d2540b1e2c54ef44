"""Les figures qui comparent des nombres rangés par nom : retours, durées, parts, écarts, refus."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogLocator

from cartpole_helpers.cartpole import EPISODE_LIMIT
from cartpole_helpers.checks import (
    check_array,
    check_flag,
    check_number,
    check_numbers,
    check_text,
)
from cartpole_helpers.display.figures.panels import (
    checked_pair,
    checked_row,
    checked_series,
    checked_texts,
    colour,
    graduate,
    legend_below,
    line,
    marker,
    name_rows,
    named,
    same_names,
    sheet,
)
from cartpole_helpers.display.numbers import brief, exact, number, percent
from cartpole_helpers.display.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    SKY,
    VERMILION,
    Picture,
    finish,
    mark_solved,
    style,
)
from cartpole_helpers.statistics import bootstrap_interval

DOT = {"color": SKY, "markersize": 5, "alpha": 0.7, "zorder": 2}  # un épisode, ou une graine


@style()
def baselines(returns: Mapping[str, np.ndarray], title: str) -> Picture:
    """Les retours de plusieurs politiques : un point par épisode, un losange par moyenne.

    `returns` : nom → retours (N,). L'intervalle à 95 % de la moyenne est rééchantillonné.
    """
    returns = checked_series("returns", returns)
    figure, axes = sheet(title, 0.62 * len(returns) + 1.3)
    spread = np.random.default_rng(0)
    for row, values in enumerate(returns.values()):
        axes.plot(values, row + spread.uniform(-0.22, 0.22, len(values)), ".", **DOT)
        low, high = bootstrap_interval(values, np.mean)
        look = {"linewidth": 4, "alpha": 0.5, "zorder": 3, "solid_capstyle": "butt"}
        axes.plot([low, high], [row, row], color=INK, **look)
        axes.plot(values.mean(), row, "D", color=VERMILION, markersize=8, zorder=4)
        place = {"textcoords": "offset points", "xytext": (0, 12), "ha": "center"}
        told = number(values.mean())
        axes.annotate(told, (values.mean(), row), color=INK, fontweight="bold", **place)
    mark_solved(axes, vertical=True)
    name_rows(axes, returns, above=0.75)
    axes.set_xlim(0, EPISODE_LIMIT * 1.06)
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
    lengths = checked_series("lengths", lengths)
    limit = check_number("limit", limit, int, low=1)
    marks = check_array("marks", marks, (None,))
    figure, axes = sheet(title, 4.2)
    steps = np.unique(np.concatenate([[1, limit], *lengths.values()]).clip(max=limit))
    for rank, (name, values) in enumerate(lengths.items()):
        standing = np.array([np.mean(values > step) for step in steps])
        axes.step(steps, 100 * standing, where="post", label=name, **line(rank))
    for mark in marks:
        axes.axvline(mark, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(f"{number(mark)} pas", (mark, 104), ha="center", color=MUTED, fontsize=10)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(exact)
    shortest = min(values.min() for values in lengths.values())
    axes.set_xlim(left=max(0.9, min(0.6 * shortest, limit / 100)))
    axes.set_ylim(-2, 110)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_xlabel("durée (pas de 0,02 s, échelle logarithmique)")
    axes.set_ylabel("épisodes encore debout (%)")
    legend_below(figure, 2)
    count = len(next(iter(lengths.values())))
    ends = ", ".join(
        f"{name} {percent(np.mean(values > limit))}" for name, values in lengths.items()
    )
    told = f"Encore debout après {number(limit)} pas, sur {count} départs : {ends}."
    return finish(figure, title, told)


@style()
def draw_counts(counts: np.ndarray, title: str) -> Picture:
    """Combien de fois chaque place d'une mémoire a été tirée : `counts` (C,)."""
    counts = checked_row("counts", counts)
    figure, axes = sheet(title, 2.9)
    drawn = np.flatnonzero(counts)
    axes.vlines(drawn, 0, counts[drawn], color=BLUE, linewidth=0.6)
    axes.set_xlim(0, len(counts))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("numéro de la transition, de la plus ancienne à la plus récente")
    axes.set_ylabel("nombre de tirages")
    told = f"{number(len(drawn))} transitions tirées au moins une fois sur {number(len(counts))}."
    return finish(figure, title, told)


@style()
def distributions(values: Mapping[str, np.ndarray], title: str, label: str) -> Picture:
    """Comment se répartissent plusieurs séries de nombres : un histogramme chacune, l'un sous
    l'autre, la moyenne marquée d'un trait.

    `values` : nom → (N,) ; `label` : ce que porte l'axe, unité comprise.
    """
    values, label = checked_series("values", values), check_text("label", label)
    shape = {"rows": len(values), "sharex": True, "squeeze": False}
    figure, panels = sheet(title, 1.15 * len(values) + 1.0, **shape)
    every = np.concatenate([*values.values()])
    edges = np.histogram_bin_edges(every, bins=50)
    for rank, (axes, (name, series)) in enumerate(zip(panels[:, 0], values.items(), strict=True)):
        weights = np.full(len(series), 100 / len(series))
        axes.hist(series, edges, weights=weights, color=colour(rank), alpha=0.75)
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
    clouds, labels = named("series", series, checked_pair), checked_texts("labels", labels, 2)
    identity = check_flag("identity", identity)
    figure, axes = sheet(title, 4.5)
    for rank, (name, (x, y)) in enumerate(clouds.items()):
        look = {"color": colour(rank), "marker": marker(rank)}
        axes.plot(x, y, linestyle="", alpha=0.75, markersize=6, label=name, **look)
    if identity:
        bounds = axes.get_xlim()
        axes.plot(bounds, bounds, color=MUTED, linewidth=1.2, linestyle="--", label="égalité")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    legend_below(figure, 3)
    counts = ", ".join(f"{name} {len(x)}" for name, (x, _) in clouds.items())
    told = f"En abscisse, {labels[0]} ; en ordonnée, {labels[1]}. Nombre de points : {counts}."
    return finish(figure, title, told)


@style()
def intervals(
    estimates: Mapping[str, Mapping[str, tuple[float, float, float]]], title: str
) -> Picture:
    """Des estimations et leurs intervalles, une ligne par nom, un panneau par grandeur.

    `estimates` : grandeur, unité comprise → nom → (valeur, bas, haut), les mêmes noms partout.
    """
    checked = named("estimates", estimates, lambda label, rows: named(label, rows, _estimate))
    names = same_names("estimates", checked)
    shape = {"columns": len(checked), "sharey": True, "squeeze": False}
    figure, [panels] = sheet(title, 0.36 * len(names) + 1.5, **shape)
    for column, (axes, (label, rows)) in enumerate(zip(panels, checked.items(), strict=True)):
        for rank, (value, low, high) in enumerate(rows.values()):
            look = {"color": colour(column), "solid_capstyle": "butt"}
            axes.plot([low, high], [rank, rank], linewidth=5, alpha=0.35, **look)
            axes.plot(value, rank, "o", color=colour(column), markersize=7)
        axes.set_xlabel(label)
        name_rows(axes, names)
    told = (
        f"{label} : " + ", ".join(f"{name} ({brief(row[0])})" for name, row in rows.items())
        for label, rows in checked.items()
    )
    return finish(figure, title, f"{' ; '.join(told)}.")


def _estimate(name: str, row) -> np.ndarray:
    """Rend une valeur, le bas et le haut de son intervalle (3,)."""
    return check_array(name, row, (3,))


@style()
def strips(values: Mapping[str, np.ndarray], title: str, label: str, log: bool = False) -> Picture:
    """Un point par graine, une rangée par nom, la médiane marquée d'un trait et écrite.

    `values` : nom → (N,), l'infini pour une graine qui n'arrive jamais : elle n'a pas de point,
    mais compte dans la médiane ; `label` : ce que porte l'axe, unité comprise ; `log` : son échelle
    est logarithmique.
    """
    values = named("values", values, _checked_times)
    reached = {name: series[np.isfinite(series)] for name, series in values.items()}
    log, label = check_flag("log", log), check_text("label", label)
    every = np.concatenate([*reached.values()])
    if not len(every):
        raise ValueError("values doit donner un nombre fini au moins : aucun reçu.")
    if log and every.min() <= 0:
        raise ValueError("values ne doit contenir que des nombres positifs si log est vrai.")
    medians = {name: np.median(series) for name, series in values.items()}
    figure, axes = sheet(title, 0.62 * len(values) + 1.3)
    spread = np.random.default_rng(0)
    for row, (name, series) in enumerate(reached.items()):
        axes.plot(series, row + spread.uniform(-0.18, 0.18, len(series)), "o", **DOT)
        if never := len(values[name]) - len(series):
            place = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text(1.01, row, f"jamais : {never}", color=INK, fontsize=10, **place)
        if not np.isfinite(middle := medians[name]):
            continue
        axes.plot([middle] * 2, [row - 0.3, row + 0.3], color=VERMILION, linewidth=3, zorder=3)
        place = {"textcoords": "offset points", "xytext": (5, 0), "va": "bottom", "zorder": 4}
        axes.annotate(brief(middle), (middle, row - 0.22), color=INK, fontsize=10, **place)
    if log:
        axes.set_xscale("log")
        # Sur moins de deux décades, les seules puissances de dix ne gradueraient pas l'axe.
        steps = (1, 2, 5) if np.ptp(np.log10(every)) < 2 else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=steps))
        graduate(axes.xaxis)
    name_rows(axes, values, below=0.55, above=0.55)
    axes.set_xlabel(label)
    told = ", ".join(f"{name} ({_brief_or_never(middle)})" for name, middle in medians.items())
    return finish(figure, title, f"{label}, médiane de chaque rangée : {told}.")


def _checked_times(name: str, values: np.ndarray) -> np.ndarray:
    """Rend un tableau (N,) de nombres, finis ou +∞, un au moins."""
    series = check_numbers(name, values)
    checked_row(name, np.where(np.isposinf(series), 0.0, series))
    return series


def _brief_or_never(value: float) -> str:
    return "jamais" if np.isinf(value) else brief(value)


@style()
def verdicts(
    passed: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str
) -> Picture:
    """Un tableau de ✔ et de ✘ : `passed` (R, C), vrai où la ligne passe l'épreuve de la colonne.

    Seuls les refus sont en couleur : une faute qui passe n'est pas une bonne nouvelle.
    """
    rows, columns = checked_texts("rows", rows), checked_texts("columns", columns)
    passed = check_array("passed", passed, (len(rows), len(columns))).astype(bool)
    if not passed.size:
        raise ValueError("passed doit avoir une ligne et une colonne au moins : tableau vide reçu.")
    figure, axes = sheet(title, 0.36 * len(rows) + 1.5)
    for (row, column), right in np.ndenumerate(passed):
        verdict = MUTED if right else VERMILION
        square = {
            "facecolor": verdict,
            "alpha": 0.12 if right else 0.25,
            "edgecolor": "white",
            "linewidth": 2,
        }
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **square))
        mark = {"ha": "center", "va": "center", "color": verdict, "fontsize": 13}
        axes.text(column, row, "✔" if right else "✘", **mark)
    _frame_table(axes, rows, columns)
    refused = [
        f"{name} : {', '.join(np.array(columns)[~line]) or 'aucun'}"
        for name, line in zip(rows, passed, strict=True)
    ]
    return finish(figure, title, f"Refus, ligne par ligne. {' ; '.join(refused)}.")


def _frame_table(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Cadre un tableau de cases : ses lignes, ses colonnes, et rien d'autre."""
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


@style()
def effects(
    values: np.ndarray,
    verdicts: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
) -> Picture:
    """Un tableau d'effets `values` (R, C), en mieux ou en pire : `verdicts` (R, C), 1, -1 ou 0.

    NaN : non mesuré, la case reste vide. La couleur, la flèche et le nombre disent la même chose.
    """
    rows, columns = checked_texts("rows", rows), checked_texts("columns", columns)
    shape = (len(rows), len(columns))
    values, verdicts = check_numbers("values", values), check_array("verdicts", verdicts, shape)
    if values.shape != shape or not values.size:
        raise ValueError(f"values doit être de forme {shape}, non vide : {values.shape} reçu.")
    if not np.isin(verdicts, [*EFFECTS]).all():
        raise ValueError("verdicts doit ne contenir que 1, -1 et 0.")
    figure, axes = sheet(title, 0.36 * len(rows) + 1.5)
    for (row, column), value in np.ndenumerate(values):
        look, arrow = EFFECTS[int(verdicts[row, column])]
        if np.isnan(value):
            continue
        square = {"facecolor": look, "alpha": 0.2, "edgecolor": "white", "linewidth": 2}
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **square))
        mark = {"ha": "center", "va": "center", "color": INK, "fontsize": 11}
        axes.text(column, row, f"{arrow} {brief(value)}", **mark)
    _frame_table(axes, rows, columns)
    told_columns = [" ".join(name.split()) for name in columns]  # un nom peut tenir deux lignes
    told = [
        f"{name} : {', '.join(map(_told_effect, told_columns, line, sure))}"
        for name, line, sure in zip(rows, values, verdicts, strict=True)
    ]
    return finish(figure, title, f"{' ; '.join(told)}.")


EFFECTS = {1: (GREEN, "▲"), -1: (VERMILION, "▼"), 0: (MUTED, "·")}


def _told_effect(column: str, value: float, sure: int) -> str:
    if np.isnan(value):
        return f"{column} sans mesure"
    return f"{column} {brief(value)}{'' if sure else ' (sans verdict)'}"
