"""Des relevés écrits à la main, sains ou malades, et ce qu'en trace un cadre."""

import math
import re

import numpy as np

from cartpole_helpers.teaching.clinic import Chart, chart

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


SLOPE = np.arange(K)
ALIKE = {"flatness": 0.005}
SHORT = {"q_safe": 2.0, "target_safe": np.linspace(1.9, 2, K)}
EXACT = {"q_safe": 1.0}
UNSEEN = {"disagreement": math.nan}

# Ce qui suffit, puis ce qui ne suffit pas encore : un cinquième, ou moins, de part et d'autre.
EDGES = [
    ("perte négative", {"loss": tail(-3, 0.8)}, {"loss": 0.0, "fall_cost": 0.0}),
    ("récompense perdue", {"stored_reward": 0.008}, {"stored_reward": 0.012}),
    ("troncature prise pour une chute", {"false_ends": tail(1e-4, 0)}, {}),
    ("masque oublié", {"fall_cost": 4.8}, {"fall_cost": 3.4}),
    ("masque oublié", {"missed_ends": 0.12}, {"missed_ends": 0.08}),
    ("valeurs qui explosent", {"q_limit": 3_600.0}, {"q_limit": 2_500.0}),
    ("valeurs qui explosent", {"loss": tail(math.inf, 0.8)}, {}),
    ("ε bloqué haut", {"epsilon": 0.85}, {"epsilon": 0.65}),
    ("ε bloqué haut", {"epsilon": tail(0.892, 0.9, 2)}, {"epsilon": tail(0.888, 0.9, 2)}),
    ("aucune exploration", {"epsilon": 0.008}, {"epsilon": 0.012}),
    ("mises à jour trop rares", {"gradient_steps": 3.3 * SLOPE}, {"gradient_steps": 4.7 * SLOPE}),
    ("politique évaluée périmée", UNSEEN | {"greedy": 55}, UNSEEN | {"greedy": 77}),
    (
        "politique évaluée périmée",
        {"disagreement": 0.3, "greedy": 90.0},
        {"disagreement": 0.2, "greedy": 90.0},  # un creux passager
    ),
    (
        "cible jamais synchronisée",
        EXACT | {"target_safe": 1 + tail(8e-7, 0)},
        EXACT | {"target_safe": 1 + tail(1.2e-6, 0)},
    ),
    ("cible trop lente", {"target_safe": 2 * SLOPE}, {"target_safe": 2.3 * SLOPE}),
    ("pas de réseau cible", {"lag": 0.0}, {"lag": tail(1e-9, 0)}),
    ("unités mortes", {"dead": 0.7}, {"dead": 0.5}),
    (
        "taux d'apprentissage trop grand",
        {"drift": tail(5e-4, 0.0145)},
        {"drift": tail(5e-4, 0.0098)},
    ),
    ("taux d'apprentissage trop petit", {"drift": 2.5e-5}, {"drift": 3.6e-5}),
    (
        "taux d'apprentissage tombé au plancher",
        {"drift": tail(1e-3 / 600, 1e-3)},
        {"drift": tail(1e-3 / 420, 1e-3)},
    ),
    ("lot trop petit", {"loss_spread": 2.3}, {"loss_spread": 2.0}),
    (
        "mémoire sans chute",
        {"stored_falls": tail(0, 0.02, 2)},
        {"stored_falls": tail(0, 0.02, 1)},
    ),
    ("cible mal alignée", ALIKE | {"fall_cost": 0.24}, ALIKE | {"fall_cost": 0.16}),
    ("cible mal alignée", ALIKE | {"fall_cost": 2.7}, ALIKE | {"fall_cost": 3.7}),
    (
        "cible mal alignée",
        {"flatness": 0.025, "fall_cost": 0.6},
        {"flatness": 0.036, "fall_cost": 0.6},
    ),
    ("γ = 1 ou presque", {"discount": 0.998}, {"discount": 0.99}),
    ("γ trop petit", SHORT | {"discount": 0.72}, SHORT | {"discount": 0.78}),
    (  # les valeurs montent encore
        "γ trop petit",
        SHORT | {"discount": 0.5, "q_safe": tail(2.05, 2, 2)},
        SHORT | {"discount": 0.5, "q_safe": tail(2.08, 2, 2)},
    ),
]
SICK = {name: changes for name, changes, _ in reversed(EDGES)}  # le premier de chaque nom

# Des feuilles

TITLE = "Deux patients"
NORMAL, BLANK = chart_of(), chart([{"env_steps": step} for step in (500, 1_000)])
OUTSIDE = chart_of(loss=math.inf, drift=tail(math.nan, 1e3), q_safe=tail(-1e5, 30), lag=tail(9, 0))


def plain(text):
    """Le texte tel qu'on le tape : espaces et apostrophes d'un clavier."""
    return re.sub("[\u00a0\u202f]", " ", text).replace("’", "'")


def points(records, name, vital):
    """Les mesures une par une, ramenées au bord quand elles dépassent, sans celles qui manquent."""
    pairs = zip(records.env_steps, getattr(records, name), strict=True)
    return [
        (step / 1_000, min(max(value * vital.unit, vital.low), vital.high))
        for step, value in pairs
        if not math.isnan(value)
    ]


def assert_frame(axes, vital, records, witness=None):
    """Le cadre trace les mesures du témoin, puis du patient, entre ses limites."""
    drawn = [*([witness] if witness else []), records]
    expected = [points(one, name, vital) for one in drawn for name in vital.traced]
    for line, wanted in zip(axes.lines, expected, strict=True):
        found = np.reshape(line.get_xydata(), (-1, 2))
        np.testing.assert_allclose(found, np.reshape(wanted, (-1, 2)), err_msg=vital.label)
    assert axes.get_ylim() == (vital.low, vital.high)
    assert axes.get_yscale() == ("log" if vital.low > 0 else "linear")
