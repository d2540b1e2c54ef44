"""Des relevés écrits à la main, sains ou malades, et les cadres où on les lit, récrits aussi."""

import math
import re

import numpy as np
from matplotlib.colors import to_hex

from cartpole_helpers.teaching.clinic import Chart, chart
from cartpole_helpers.teaching.clinic.sheets import VITALS

K = 12  # lignes des relevés écrits à la main

# Un entraînement comme on en voit quand tout va bien, à γ = 0,97.
COLUMNS = {
    "env_steps": 500 * np.arange(1, K + 1),
    "gradient_steps": 30 * np.arange(K),
    "epsilon": np.linspace(1, 0.1, K).round(2).clip(0.1),
    "played": np.linspace(20, 300, K),
    "greedy": np.linspace(10, 480, K),
    "loss": np.full(K, 0.8),
    "loss_spread": np.full(K, 0.7),
    "q_safe": np.linspace(0, 30, K),
    "q_doomed": np.full(K, 1.2),
    "q_limit": np.linspace(1, 33, K),
    "target_safe": np.linspace(0, 29, K),
    "lag": np.linspace(0, 0.8, K),
    "disagreement": np.full(K, 0.1),
    "drift": np.linspace(2e-3, 5e-4, K),
    "dead": np.full(K, 0.1),
    "stored": 500.0 * np.arange(1, K + 1),
    "stored_reward": np.ones(K),
    "stored_falls": np.linspace(0.05, 0.01, K),
    "false_ends": np.zeros(K),
    "missed_ends": np.zeros(K),
    "discount": np.full(K, 0.968),
    "flatness": np.full(K, 0.14),
    "fall_cost": np.full(K, 0.05),
}


def chart_of(**changes):
    """Le relevé sain, dont quelques colonnes sont changées ; un nombre remplit sa colonne."""
    columns = COLUMNS | {name: np.broadcast_to(value, K) for name, value in changes.items()}
    return Chart(**{name: np.array(column, float) for name, column in columns.items()})


def tail(value, rest, count=4):
    """Une colonne qui vaut `rest`, puis `value` sur ses dernières lignes."""
    return np.where(np.arange(K) < K - count, rest, value)


SICK = {
    "perte négative": {"loss": tail(-3, 0.8)},
    "récompense perdue": {"stored_reward": 0.0},
    "troncature prise pour une chute": {"false_ends": tail(1e-4, 0)},
    "masque oublié": {"fall_cost": 40.0},
    "valeurs qui explosent": {"q_limit": tail(1e5, 30)},
    "ε bloqué haut": {"epsilon": 0.9},
    "aucune exploration": {"epsilon": 0.0},
    "mises à jour trop rares": {"gradient_steps": np.arange(K)},
    "politique évaluée périmée": {"disagreement": 0.6, "greedy": 50.0},
    "cible jamais synchronisée": {"target_safe": 0.1},
    "cible trop lente": {"target_safe": np.linspace(0, 18, K)},
    "pas de réseau cible": {"lag": 0.0},
    "unités mortes": {"dead": 0.95},
    "pas d'apprentissage trop grand": {"drift": tail(5e-4, 0.1)},
    "pas d'apprentissage trop petit": {"drift": 1e-6},
    "pas d'apprentissage tombé au plancher": {"drift": tail(1e-7, 1e-3)},
    "lot trop petit": {"loss_spread": 2.8},
    "mémoire sans chute": {"stored_falls": tail(0, 0.02)},
    "cible mal alignée": {"flatness": 0.005, "fall_cost": 0.6},
    "γ = 1 ou presque": {"discount": 1.002},
    "γ trop petit": {"discount": 0.5, "q_safe": 2.0, "target_safe": np.linspace(1.9, 2, K)},
}

# Des feuilles

TITLE = "Deux patients"
BLUE, GREY = "#0072b2", "#6b6b6b"

# Chaque cadre : ce qu'on y trace, l'unité, le bas et le haut, ce qu'il dit d'autre.
FRAMES = {one.label: ([*one.traced], one.unit, one.low, one.high, [*one.also]) for one in VITALS}


def wild(seed, count=9):
    """Un relevé dont les mesures sortent des cadres par tous les côtés, ou manquent."""
    draws = np.random.default_rng(seed)
    columns = {
        name: draws.choice([-1, 1, 1, 1], count) * 10 ** draws.uniform(-10, 6, count)
        for name in Chart._fields
    }
    for column in columns.values():
        column[draws.permutation(count)[:4]] = [math.nan, math.nan, math.inf, -1e5]
    return Chart(**columns | {"env_steps": 400.0 * np.arange(1, count + 1)})


NORMAL, BLANK = chart_of(), chart([{"env_steps": step} for step in (500, 1_000)])
STRANGE, WITNESS = wild(1), wild(2, count=7)


def plain(text):
    """Le texte tel qu'on le tape : espaces et apostrophes d'un clavier."""
    return re.sub("[\u00a0\u202f]", " ", text).replace("’", "'")


def points(records, name, unit, low, high):
    """Les mesures une par une, ramenées au bord quand elles dépassent, sans celles qui manquent."""
    pairs = zip(records.env_steps, getattr(records, name), strict=True)
    return [
        (step / 1_000, min(max(value * unit, low), high))
        for step, value in pairs
        if not math.isnan(value)
    ]


def assert_traced(lines, records, frame):
    """Ces traits sont ceux du relevé : le plein, puis les tirets."""
    names, unit, low, high, _ = FRAMES[frame]
    assert len(lines) == len(names)
    for line, name, dashed in zip(lines, names, (False, True), strict=False):
        np.testing.assert_allclose(
            np.reshape(line.get_xydata(), (-1, 2)),
            np.reshape(points(records, name, unit, low, high), (-1, 2)),
        )
        assert (line.get_linestyle() != "-") == dashed


def assert_frame(axes, frame, records, witness):
    """Le témoin dessous, en gris ; le patient dessus, plus épais ; le cadre, celui de tous."""
    names, _, low, high, _ = FRAMES[frame]
    count = 0 if witness is None else len(names)
    below, above = axes.lines[:count], axes.lines[count:]
    if witness is not None:
        assert_traced(below, witness, frame)
    assert_traced(above, records, frame)
    assert {to_hex(line.get_color()) for line in below} <= {GREY}
    assert {to_hex(line.get_color()) for line in above} == {BLUE}
    assert all(a.get_linewidth() < b.get_linewidth() for a in below for b in above)
    assert {line.get_zorder() for line in axes.lines} == {2}  # l'ordre du tracé décide
    assert axes.get_ylim() == (low, high)
    log = FRAMES[frame][2] > 0
    assert axes.get_yscale() == ("log" if log else "linear")


def frames(picture):
    """Les douze cadres d'une feuille, par leur titre."""
    return {plain(axes.get_title(loc="left")): axes for axes in picture.figure.axes}
