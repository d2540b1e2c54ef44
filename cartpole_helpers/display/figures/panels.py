"""Ce que partagent les figures : feuilles et panneaux, traits, bandes, rangées, arguments."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from cartpole_helpers.cartpole import THETA_LIMIT
from cartpole_helpers.checks import check_array, check_text
from cartpole_helpers.display.numbers import exact
from cartpole_helpers.display.style import COLOURS, DASHES, MARKERS, VERMILION, canvas
from cartpole_helpers.display.typography import typography
from cartpole_helpers.statistics import bootstrap_interval, interquartile_mean

WIDTH = 7.6  # pouces : celle d'un carnet
ANGLE, SPEED = 15, 150  # ° et °/s : les bords du plan (θ, θ̇)


# Les feuilles


def sheet(title: str, height: float, **shape):
    """Rend une figure de la largeur d'un carnet, et ses axes."""
    return canvas(title, WIDTH, height, **shape)


def small_grid(title: str, count: int, most: int, heights: tuple[float, float], **shared):
    """Rend une figure de `count` panneaux, `most` au plus par rang, ses panneaux, et ceux qui
    ferment une colonne par le bas.

    `heights` : la hauteur d'un rang, et ce qui s'y ajoute une fois.
    """
    columns = min(most, count)
    rows = -(-count // columns)
    shape = {"rows": rows, "columns": columns, "squeeze": False, "sharex": True} | shared
    figure, panels = sheet(title, heights[0] * rows + heights[1], **shape)
    for spare in panels.flat[count:]:
        spare.remove()
    lowest = panels.flat[count - columns : count]
    for axes in lowest:
        axes.tick_params(labelbottom=True)
    return figure, panels.flat[:count], lowest


def phase_panels(title: str, height: float, names: Iterable[str]) -> tuple[Figure, Sequence[Axes]]:
    """Rend une figure d'un plan (θ, θ̇) par nom ; `frame_phase` les borne, une fois dessinés."""
    names = [*names]
    figure, [panels] = sheet(title, height, columns=len(names), sharey=True, squeeze=False)
    for axes, name in zip(panels, names, strict=True):
        axes.set_title(name, fontsize=11, fontweight="normal", loc="center", pad=6)
    panels[0].set_ylabel("vitesse angulaire θ̇ (°/s)")
    return figure, panels


def frame_phase(axes: Axes) -> None:
    """Borne le plan (θ, θ̇), et marque les deux angles où l'épisode finit."""
    for limit in np.degrees([-THETA_LIMIT, THETA_LIMIT]):
        axes.axvline(limit, color=VERMILION, linewidth=1.2, linestyle="--")
    axes.set_xlim(-ANGLE, ANGLE)
    axes.set_ylim(-SPEED, SPEED)
    axes.set_xlabel("angle θ (°)")
    axes.grid(visible=False)


# Les traits


def colour(rank: int) -> str:
    """Rend la couleur de la série de rang `rank`."""
    return COLOURS[rank % len(COLOURS)]


def line(rank: int) -> dict:
    """Rend la couleur et les tirets de la courbe de rang `rank`."""
    return {"color": colour(rank), "linestyle": DASHES[rank % len(DASHES)]}


def marker(rank: int) -> str:
    """Rend la forme des points de la série de rang `rank`."""
    return MARKERS[rank % len(MARKERS)]


def iqm_band(axes: Axes, x: np.ndarray, rows: np.ndarray, alpha: float = 0.2, **look) -> np.ndarray:
    """Trace la moyenne interquartile de `rows` (S, V) et son intervalle à 95 % ; la rend (V,)."""
    axes.fill_between(x, *bootstrap_interval(rows), color=look["color"], alpha=alpha, linewidth=0)
    middle = interquartile_mean(rows)
    axes.plot(x, middle, **look)
    return middle


# Les axes


def graduate(*several: Axis) -> None:
    """Gradue des axes, logarithmiques peut-être, en nombres à la française."""
    for axis in several:
        axis.set_major_formatter(exact)
        axis.set_minor_formatter(NullFormatter())


def name_rows(axes: Axes, names: Iterable[str], below: float = 0.5, above: float = 0.5) -> None:
    """Nomme une rangée par nom, de haut en bas dans l'ordre donné."""
    names = [*map(typography, names)]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 1 + below, -above)
    axes.grid(visible=False, axis="y")


def legend_below(figure: Figure, columns: int, *handles, **more) -> None:
    """Met la légende sous les axes, là où elle ne cache rien."""
    figure.legend(*handles, loc="outside lower center", ncols=columns, fontsize=10, **more)


# Les arguments


def named(name: str, values: Mapping, check: Callable, least: int = 1) -> dict:
    """Rend `values` (nom → valeur), chaque valeur par `check("name['nom']", valeur)` : `least` noms
    au moins, et qui se lisent dans une légende."""
    if not isinstance(values, Mapping):
        kind = type(values).__name__
        raise TypeError(
            f"{name} doit associer une valeur à chaque nom, comme un dictionnaire : {kind} reçu."
        )
    if len(values) < least:
        raise ValueError(f"{name} doit nommer au moins une série : {values!r} reçu.")
    for key in values:
        # Matplotlib cache de la légende un nom vide, ou qui commence ainsi.
        if not isinstance(key, str) or not key or key.startswith("_"):
            raise ValueError(
                f"{name} doit avoir pour noms des textes, ni vides ni commencés par « _ » : "
                f"{key!r} reçu."
            )
    return {key: check(f"{name}[{key!r}]", value) for key, value in values.items()}


def checked_row(name: str, values: np.ndarray, length: int | None = None) -> np.ndarray:
    """Rend un tableau (N,) de nombres finis, un au moins."""
    row = check_array(name, values, (length,))
    if not len(row):
        raise ValueError(f"{name} doit donner au moins un nombre : tableau vide reçu.")
    return row


def checked_rows(name: str, values: np.ndarray, length: int) -> np.ndarray:
    """Rend un tableau (S, `length`) de nombres finis, d'une ligne au moins."""
    rows = check_array(name, values, (None, length))
    if not len(rows):
        raise ValueError(
            f"{name} doit avoir au moins une ligne : tableau de forme {rows.shape} reçu."
        )
    return rows


def checked_series(
    name: str, series: Mapping[str, np.ndarray], length: int | None = None
) -> dict[str, np.ndarray]:
    """Rend des séries (N,) de nombres finis : une au moins, un nombre au moins chacune."""
    return named(name, series, lambda label, values: checked_row(label, values, length))


def checked_texts(name: str, values: Sequence[str], count: int | None = None) -> list[str]:
    """Rend une suite de textes, au nombre de `count` s'il est donné."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"{name} doit être une suite de textes : {values!r} reçu.")
    texts = [check_text(name, one) for one in values]
    if count not in (None, len(texts)):
        raise ValueError(f"{name} doit donner {count} textes : {texts!r} reçu.")
    return texts


def checked_pair(
    name: str, pair: tuple[np.ndarray, np.ndarray], length: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rend deux tableaux (N,) de même longueur."""
    if not isinstance(pair, Sequence | np.ndarray) or len(pair) != 2:
        raise ValueError(f"{name} doit donner deux tableaux : {pair!r} reçu.")
    first = check_array(name, pair[0], (length,))
    return first, check_array(name, pair[1], (len(first),))


def same_names(name: str, groups: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    """Rend les noms que donne chaque grandeur : les mêmes partout."""
    names, *others = ([*group] for group in groups.values())
    if any(other != names for other in others):
        raise ValueError(
            f"{name} doit donner les mêmes noms pour chaque grandeur : {[names, *others]} reçu."
        )
    return names
