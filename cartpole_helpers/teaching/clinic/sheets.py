"""Les feuilles de la clinique : les cadres où un relevé se lit, et leur dessin."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cartpole_helpers.display.figures.panels import legend_below, small_grid
from cartpole_helpers.display.numbers import brief
from cartpole_helpers.display.style import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    Picture,
    canvas,
    finish,
    style,
)
from cartpole_helpers.environments import CARTPOLE
from cartpole_helpers.teaching.clinic.charts import Chart, checked_chart
from cartpole_helpers.teaching.clinic.diagnosis import ILLNESSES, written
from cartpole_helpers.teaching.clinic.thresholds import Sensitivity, sensitivity


class Vital(NamedTuple):
    """Un cadre de la feuille : ce qu'on y trace, en trait plein puis en tirets, et son échelle."""

    label: str
    traced: tuple[str, ...]
    low: float
    high: float
    log: bool = False
    unit: float = 1.0
    also: tuple[str, ...] = ()
    """Les mesures du relevé qui disent la même chose autrement."""


UPDATES = Vital("mises à jour", ("gradient_steps",), 1, 1e5, log=True)
VITALS: tuple[Vital, ...] = (
    Vital("retour (pas)", ("greedy", "played"), 0, 500, also=("disagreement",)),
    Vital("perte", ("loss",), 1e-4, 1e4, log=True),
    Vital("Q, états sûrs", ("q_safe", "target_safe"), 0, 150, also=("q_limit", "lag")),
    Vital("Q, états perdus", ("q_doomed",), -10, 40, also=("fall_cost", "missed_ends")),
    Vital("déplacement", ("drift",), 1e-8, 1e-1, log=True),
    Vital("ε", ("epsilon",), 0, 1),
    Vital("mémoire (%)", ("stored_falls", "false_ends"), 1e-2, 100, log=True, unit=100),
    UPDATES,
    Vital("γ apparent", ("discount",), 0, 1.5),
    Vital("relief de Q", ("flatness",), 1e-3, 1e2, log=True),
    Vital("unités figées (%)", ("dead",), 0, 100, unit=100),
    Vital("dispersion de la perte", ("loss_spread",), 0, 5),
)
"""Les cadres d'une feuille ; la salle d'attente montre les huit premiers."""

ON_THE_WALL = 8  # cadres
ELSEWHERE = {
    "retour (pas)": "retour",
    "Q, états sûrs": "Q, débuts",
    "Q, états perdus": "Q, avant une fin",
}
"""Hors de CartPole, le nom des cadres dont l'échelle dépend des récompenses du jeu."""


def vitals_of(*charts: Chart) -> tuple[Vital, ...]:
    """Rend les cadres où se lisent ces relevés, d'un même jeu.

    Ceux de CartPole y ont l'échelle de tous ses patients ; ailleurs, celle de ce qu'on y trace.
    """
    if charts[0].game.name == CARTPOLE:
        return VITALS
    return tuple(
        vital._replace(label=ELSEWHERE[vital.label], **_spanned(vital, charts))
        if vital.label in ELSEWHERE
        else vital
        for vital in VITALS
    )


def _spanned(vital: Vital, charts: Sequence[Chart]) -> dict[str, float]:
    """Rend les limites d'un cadre : zéro, et toutes les valeurs finies que l'on y trace."""
    columns = [getattr(records, name) for records in charts for name in vital.traced]
    values = np.concatenate([*columns, [0.0]])
    values = values[np.isfinite(values)]
    room = 0.05 * max(np.ptp(values), 1.0)
    return {"low": float(values.min() - room), "high": float(values.max() + room)}


@style()
def sheet(chart: Chart, title: str, witness: Chart | None = None) -> Picture:
    """La feuille d'un patient, tous ses cadres ; en gris, `witness`, un entraînement sain.

    À CartPole, les échelles sont les mêmes pour tous ; ce qui les dépasse suit le bord
    du cadre. ValueError si le témoin vient d'un autre jeu.
    """
    chart = _checked("chart", chart)
    witness = None if witness is None else _checked("witness", witness)
    if witness is not None and witness.game.name != chart.game.name:
        raise ValueError(
            f"witness doit venir du même jeu que `chart`, {chart.game.name} : {witness.game.name} "
            "reçu."
        )
    vitals = vitals_of(chart, *([] if witness is None else [witness]))
    figure, panels = canvas(title, 7.6, 7.4, 4, 3, sharex=True)
    for axes, vital in zip(panels.flat, vitals, strict=True):
        axes.set_title(vital.label, fontsize=10.5, loc="left")
        axes.tick_params(labelsize=9)
        _draw_vital(axes, vital, chart, witness)
    for axes in panels[-1]:
        axes.set_xlabel("pas de jeu (milliers)", fontsize=10)
    _explain(figure, witness is not None)
    return finish(figure, title, f"À la fin : {_told(chart, vitals)}.")


@style()
def wall(patients: Mapping[int, tuple[Chart, Chart]], title: str) -> Picture:
    """Une ligne par patient, les huit premiers cadres ; en gris, son témoin. Échelles communes.

    `patients` : numéro → (relevé, relevé du témoin), un patient au moins, d'un même jeu.
    """
    if not isinstance(patients, Mapping) or not patients:
        raise ValueError(f"patients doit être un dictionnaire non vide : {patients!r} reçu.")
    patients = {one: _checked_pair(charts) for one, charts in patients.items()}
    charts = [*chain.from_iterable(patients.values())]
    if len(games := dict.fromkeys(one.game.name for one in charts)) > 1:
        raise ValueError(f"patients doit donner des relevés d'un même jeu : {', '.join(games)}.")
    vitals, count = vitals_of(*charts), len(patients)
    figure, panels = canvas(title, 10.8, 0.76 * count + 1.5, count, ON_THE_WALL, squeeze=False)
    for row, (number, charts) in zip(panels, patients.items(), strict=True):
        for axes, vital in zip(row, vitals[:ON_THE_WALL], strict=True):
            _draw_vital(axes, vital, *charts)
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
        row[0].set_ylabel(number, rotation=0, ha="right", va="center", fontsize=12, weight="bold")
    for axes, vital in zip(panels[0], vitals[:ON_THE_WALL], strict=True):
        axes.set_title(f"{vital.label}\n{_scale(vital)}", fontsize=10)
    _explain(figure, witness=True)
    told = (
        f"Patient {one}, à la fin : {_told(chart, vitals)}." for one, (chart, _) in patients.items()
    )
    return finish(figure, title, " ".join(told))


@style()
def edges(study: Mapping[str, np.ndarray], title: str) -> Picture:
    """Ce que deviennent rappel et fausses alarmes, par maladie, quand ses seuils se déplacent.

    `study` : l'archive clinique.csv, ou clinique_ailleurs.csv. Une maladie que cela ne change pas
    d'un centième, comme celles qu'établit un fait, n'a pas de cadre.
    """
    found = {one.name: sensitivity(study, one.name) for one in ILLNESSES}
    moving = {name: one for name, one in found.items() if np.ptp(one[1:3], axis=1).max() > 0.01}
    if not moving:
        raise ValueError("study doit donner le degré de signes qui varient : aucun ne change.")
    shape = {"sharey": True, "sharex": True}
    figure, panels, _ = small_grid(title, len(moving), 3, (1.45, 1.0), **shape)
    for axes, (name, one) in zip(panels, moving.items(), strict=True):
        for values, look in ((one.recall, LOOK), (one.alarms, ALARM)):
            axes.plot(one.factors, 100 * values, **look)
        axes.axvline(1, color=MUTED, linewidth=1, linestyle=":")
        axes.set_xscale("log", base=2)
        axes.set_xticks([1 / 4, 1, 4], ["÷ 4", "seuil", "× 4"])
        axes.set_title(name, fontsize=10, fontweight="normal", loc="left", pad=4)
        axes.set_ylim(-6, 106)
    figure.supylabel("part des entraînements (%)", fontsize=11, color=INK)
    legend_below(figure, 2, [Line2D([], [], **look) for look in (LOOK, ALARM)], EDGES)
    told = (f"{name} : {_told_edge(one)}" for name, one in moving.items())
    return finish(figure, title, f"Du seuil divisé par 4 au seuil multiplié. {' ; '.join(told)}.")


EDGES = ("malades reconnus", "sains alarmés")
LOOK = {"color": BLUE, "linewidth": 2.2}
ALARM = {"color": VERMILION, "linewidth": 2.2, "linestyle": "--"}


def _told_edge(one: Sensitivity) -> str:
    ends = ((name, 100 * values) for name, values in zip(EDGES, one[1:3], strict=True))
    return ", ".join(f"{name} de {brief(y[0])} à {brief(y[-1])} %" for name, y in ends)


def _checked(name: str, records: Chart) -> Chart:
    if not isinstance(records, Chart):
        raise TypeError(f"{name} doit être un `Chart` : {type(records).__name__} reçu.")
    return checked_chart(records)


def _checked_pair(charts: tuple[Chart, Chart]) -> tuple[Chart, ...]:
    if not isinstance(charts, tuple | list) or len(charts) != 2:
        raise ValueError(
            "patients doit donner à chacun deux relevés, le sien et celui de son témoin : "
            f"{type(charts).__name__} reçu."
        )
    return tuple(_checked("chaque relevé de `patients`", records) for records in charts)


def _draw_vital(axes: Axes, vital: Vital, chart: Chart, witness: Chart | None) -> None:
    """Trace un cadre : le témoin dessous, le patient dessus."""
    looks = [(witness, MUTED, 1.2, 0.75), (chart, BLUE, 2.0, 1.0)]
    for records, colour, width, alpha in looks:
        for name, dash in zip(vital.traced, ("-", (0, (2, 1.2))), strict=False):
            if records is not None:
                x, y = _points(records, vital, name)
                look = {"color": colour, "linewidth": width, "alpha": alpha, "linestyle": dash}
                alone = "." if len(x) == 1 else None  # un trait d'un seul point ne se voit pas
                axes.plot(x, y, clip_on=False, marker=alone, **look)
    if vital.log:
        axes.set_yscale("log")
    axes.set_ylim(vital.low, vital.high)
    shown = [chart] if witness is None else [chart, witness]
    axes.set_xlim(0, max(records.env_steps.max(initial=1) for records in shown) / 1_000)


def _points(records: Chart, vital: Vital, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rend les mesures faites, et leurs instants, ramenées dans le cadre."""
    values = getattr(records, name) * vital.unit
    known = ~np.isnan(values)
    return records.env_steps[known] / 1_000, values[known].clip(vital.low, vital.high)


def _scale(vital: Vital) -> str:
    return " à ".join(_power(end) if vital.log else brief(end) for end in (vital.low, vital.high))


def _power(value: float) -> str:
    return f"$10^{{{round(np.log10(value))}}}$"


def _explain(figure, witness: bool) -> None:
    lines = [
        Line2D([], [], color=BLUE, label="le patient"),
        Line2D(
            [], [], color=BLUE, ls=(0, (2, 1.2)), label="tirets : en jouant, cible, fausses fins"
        ),
    ]
    if witness:
        lines.append(Line2D([], [], color=MUTED, lw=1.2, label="un témoin sain"))
    figure.legend(handles=lines, loc="outside lower center", ncols=3, fontsize=10)


def _told(chart: Chart, vitals: Sequence[Vital]) -> str:
    """Rend les dernières mesures d'un relevé, pour le texte d'une figure."""
    return " ; ".join(f"{vital.label} {_last(chart, vital)}" for vital in vitals)


def _last(chart: Chart, vital: Vital) -> str:
    """Rend la dernière mesure du trait plein ; des tirets, s'il n'y a qu'eux."""
    for name in vital.traced:
        values = getattr(chart, name) * vital.unit
        known = values[~np.isnan(values)]
        if len(known):
            return written(known[-1])
    return "sans mesure"
