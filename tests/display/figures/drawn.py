"""Ce que dessinent les tests des figures, et de quoi en lire l'image."""

import math
import re
from functools import cache

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from cartpole_helpers import evaluate, play
from cartpole_helpers.display import figures
from cartpole_helpers.policies import lqr, push_by_angle, push_by_velocity, random_policy

NARROW, MINUS = "\u202f", "\u2212"
TITLE = "Une politique sur deux tient : 50 %, ni plus ni moins ; pourquoi ?"
RETURNS = {
    "au hasard": evaluate(random_policy(), 20),
    "signe de θ": evaluate(push_by_angle, 20),
    "LQR": evaluate(lqr, 20),
}
LENGTHS = {"θ": evaluate(push_by_angle, 25, limit=2_001), "LQR": evaluate(lqr, 25, limit=2_001)}
EPISODE = play(push_by_angle, seed=3)
ENV_STEPS = np.arange(0, 12_001, 2_000)
CURVES = np.clip(np.random.default_rng(0).normal(240, 120, (5, 7)), 9, 500)
SIZES, COUNTS = 2 ** np.arange(10, 17), np.arange(900) % 7
COSTS = {"une": np.linspace(10, 12, 7), "autre": np.linspace(60, 600, 7)}
LABELS = ("nombre de places", "durée d'un tirage (µs)")
BANDS = {"autre": (COSTS["autre"] - 30, COSTS["autre"] + 50)}
RECIPES = {"sans": CURVES[:3], "avec": np.clip(CURVES[1:] + 90, 0, 500)}
DRAWS = np.random.default_rng(1)
MEMORIES = {
    "tôt": DRAWS.normal(0, [1, 1, 0.1, 0.9], (400, 4)),
    "tard": DRAWS.normal(0, [1, 1, 0.02, 0.3], (1_000, 4)),
}
SERIES = {"cible": DRAWS.normal(-20, 9, 300), "double": DRAWS.normal(35, 3, 80)}
CLOUDS = {
    "départs": (DRAWS.uniform(0, 9, 30), DRAWS.uniform(2, 5, 30)),
    "fins": (np.arange(4), np.arange(4) ** 2),
}
RUNGS = {f"barreau : γ = {rank}": np.clip(CURVES + 40 * rank, 0, 500) for rank in range(5)}
AROUND = {"sans": CURVES[:4]} | RUNGS
ESTIMATES = {
    "retour à la fin (pas)": {"sans": (412.3, 380.1, 440.6), "avec : γ = 1": (497.2, 490, 500)},
    "seuil de la réussite (pas)": {
        "sans": (18_000, 12_000, 31_000),
        "avec : γ = 1": (0.25, 0.125, 2),
    },
}
STEPS = {"sans": DRAWS.uniform(9_000, 48_000, 31), "avec : γ = 1": DRAWS.uniform(2_100, 7_000, 20)}
COST = "durée de la réussite (pas)"
PASSED = np.array([[1, 1, 1], [0, 1, 0]])
THETAS, THETA_DOTS = np.radians(np.linspace(-13, 13, 27)), np.radians(np.linspace(-140, 140, 15))
LINES, TRIALS = ("la règle", "une faute"), ("une action", "deux actions", "un choix")


def leaning(states):
    """Des valeurs (N, 2) que l'on sait par cœur : 10 + θ à droite, 10 − θ̇ à gauche."""
    return 10 + np.stack([-states[:, 3], states[:, 2]], axis=-1)


def fates(shift=0.0):
    """Des bornes de survie (27, 15) que l'on sait par cœur : selon θ + θ̇ / 4, en degrés."""
    degrees = np.degrees(THETAS)[:, None] + np.degrees(THETA_DOTS) / 4 + shift
    left = np.maximum(40 - np.abs(degrees).round(), 0)
    saved = np.abs(degrees) < 20
    return np.where(saved, np.inf, left), np.where(np.abs(degrees) < 24, np.inf, left)


FOLLOWED = {
    "retour (pas)": {"sans": CURVES, "avec": CURVES / 2},
    "perte": {"sans": np.exp(CURVES / 90), "avec": np.exp(CURVES / 60)},
    "chutes (%)": {"sans": CURVES / 100, "avec": CURVES / 50},
}
MAPS = {"au centre": fates(), "au bord": fates(6)}
MAKERS = {
    "baselines": lambda: figures.baselines(RETURNS, TITLE),
    "survival": lambda: figures.survival(LENGTHS, 2_000, TITLE, marks=(500,)),
    "phase_portraits": lambda: figures.phase_portraits(
        {"signe de θ": push_by_angle, "LQR": lqr}, 3, TITLE
    ),
    "cart_diagram": lambda: figures.cart_diagram((0.6, 0.1, 0.12, 0.2), 1, TITLE),
    "components": lambda: figures.components(EPISODE.observations, TITLE),
    "learning_curves": lambda: figures.learning_curves(ENV_STEPS, CURVES, TITLE),
    "curves": lambda: figures.curves(SIZES, COSTS, TITLE, LABELS, log=True),
    "draw_counts": lambda: figures.draw_counts(COUNTS, TITLE),
    "recipes": lambda: figures.learning_curves(ENV_STEPS, RECIPES, TITLE),
    "bands": lambda: figures.curves(SIZES, COSTS, TITLE, LABELS, log="x", bands=BANDS),
    "action_maps": lambda: figures.action_maps(leaning, TITLE),
    "memory_maps": lambda: figures.memory_maps(MEMORIES, TITLE),
    "distributions": lambda: figures.distributions(SERIES, TITLE, "écart (pas)"),
    "points": lambda: figures.points(CLOUDS, TITLE, LABELS, identity=True),
    "verdicts": lambda: figures.verdicts(PASSED, LINES, TRIALS, TITLE),
    "viability": lambda: figures.viability(MAPS, THETAS, THETA_DOTS, TITLE),
    "traces": lambda: figures.traces(
        ENV_STEPS, FOLLOWED, TITLE, "pas de jeu", log=["perte"], mark=4_000
    ),
    "small_multiples": lambda: figures.small_multiples(ENV_STEPS, RUNGS, TITLE),
    "reference": lambda: figures.small_multiples(ENV_STEPS, AROUND, TITLE, reference="sans"),
    "intervals": lambda: figures.intervals(ESTIMATES, TITLE),
    "strips": lambda: figures.strips(STEPS, TITLE, COST),
}


@cache
def both_images(name):
    """Une image de chaque sorte : les octets que Matplotlib dessine, et ce que le cours en fait."""
    files, savefig = [], Figure.savefig

    def save(figure, file, **options):
        savefig(figure, file, **options)
        files.append(file.getvalue())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", save)
        picture = MAKERS[name]()
    [drawn] = files
    return drawn, picture


def picture_of(name):
    """Une image de chaque sorte, faite une fois pour tous les tests qui ne font que la lire."""
    return both_images(name)[1]


def texts(figure):
    """Tout ce qu'on lit sur la figure, une fois dessinée."""
    figure.draw_without_rendering()
    found = (text.get_text() for text in figure.findobj(matplotlib.text.Text))
    return [text for text in found if text]


def plain(text):
    """Le texte, ses espaces insécables remplacées par celles d'un clavier."""
    return re.sub("[\u00a0\u202f]", " ", text)


def line_through(axes, x, y):
    """Rend la courbe de `axes` qui passe exactement par ces points, ou échoue."""
    for line in axes.lines:
        same = np.shape(line.get_xdata()) == np.shape(x) and np.shape(line.get_ydata()) == np.shape(
            y
        )
        if same and np.allclose(line.get_xdata(), x) and np.allclose(line.get_ydata(), y):
            return line
    return pytest.fail("aucune courbe ne passe par ces points")


OTHER_DATA = {
    "baselines": lambda: figures.baselines(RETURNS | {"LQR": RETURNS["LQR"] - 30}, TITLE),
    "survival": lambda: figures.survival(LENGTHS | {"θ": LENGTHS["LQR"]}, 2_000, TITLE),
    "phase_portraits": lambda: figures.phase_portraits(
        {"signe de θ": push_by_velocity, "LQR": lqr}, 3, TITLE
    ),
    "cart_diagram": lambda: figures.cart_diagram((0.6, 0.1, 0.12, 0.2), 0, TITLE),
    "components": lambda: figures.components(EPISODE.observations[:-3], TITLE),
    "learning_curves": lambda: figures.learning_curves(ENV_STEPS, CURVES / 2, TITLE),
    "curves": lambda: figures.curves(SIZES, COSTS | {"une": COSTS["autre"]}, TITLE, LABELS),
    "draw_counts": lambda: figures.draw_counts(COUNTS // 2, TITLE),
    "recipes": lambda: figures.learning_curves(ENV_STEPS, RECIPES | {"sans": CURVES[2:]}, TITLE),
    "bands": lambda: figures.curves(SIZES, COSTS, TITLE, LABELS, log="x"),
    "action_maps": lambda: figures.action_maps(lambda states: 2 * leaning(states), TITLE),
    "memory_maps": lambda: figures.memory_maps(MEMORIES | {"tard": MEMORIES["tôt"]}, TITLE),
    "distributions": lambda: figures.distributions(
        SERIES | {"double": SERIES["cible"]}, TITLE, "écart (pas)"
    ),
    "points": lambda: figures.points(CLOUDS | {"fins": ([0, 1], [0, 4])}, TITLE, LABELS, True),
    "verdicts": lambda: figures.verdicts(1 - PASSED, LINES, TRIALS, TITLE),
    "viability": lambda: figures.viability(
        MAPS | {"au bord": fates(12)}, THETAS, THETA_DOTS, TITLE
    ),
    "traces": lambda: figures.traces(
        ENV_STEPS, FOLLOWED | {"perte": FOLLOWED["retour (pas)"]}, TITLE, "pas de jeu"
    ),
    "small_multiples": lambda: figures.small_multiples(
        ENV_STEPS, RUNGS | {"barreau : γ = 3": CURVES / 2}, TITLE
    ),
    "reference": lambda: figures.small_multiples(
        ENV_STEPS, AROUND | {"sans": CURVES / 2}, TITLE, reference="sans"
    ),
    "intervals": lambda: figures.intervals(
        ESTIMATES | {"retour à la fin (pas)": ESTIMATES["seuil de la réussite (pas)"]}, TITLE
    ),
    "strips": lambda: figures.strips(STEPS | {"sans": STEPS["sans"] / 2}, TITLE, COST),
}


# Lire une image


def read(label):
    """Le nombre qu'un lecteur français lit dans une étiquette."""
    found = re.fullmatch(rf"({MINUS}?\d{{1,3}}(?:{NARROW}\d{{3}})*(?:,\d+)?)(\u00a0%)?", label)
    assert found, label
    value = float(found[1].replace(NARROW, "").replace(MINUS, "-").replace(",", "."))
    return value / 100 if found[2] else value


def numbered_axes(figure):
    """Les axes gradués en nombres : ni ceux qui portent des noms, ni ceux d'un dessin."""
    figure.draw_without_rendering()
    shown = [axes for axes in figure.axes if axes.axison]
    for axis in (axis for axes in shown for axis in (axes.xaxis, axes.yaxis)):
        labels = "".join(label.get_text() for label in axis.get_ticklabels())
        if re.search(r"\d", labels) and not re.search(r"[^\W\d_]", labels):
            yield axis


def assert_ticks_are_true(figure):
    """Chaque étiquette chiffrée d'un axe vaut la graduation qu'elle nomme."""
    for axis in numbered_axes(figure):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        labels = [tick.label1.get_text() for tick in ticks]
        assert len(labels) >= 2
        received = [read(label) for label in labels]
        expected = [tick.get_loc() for tick in ticks]
        assert received == pytest.approx(expected, rel=1e-6, abs=1e-12), labels
        assert not any(label.get_text() for label in axis.get_minorticklabels())


def assert_told(picture, *parts):
    """Le texte reprend le titre, finit par un point, et contient ces morceaux."""
    told = plain(picture.alt)
    assert told.startswith(TITLE)
    assert told.endswith(".")
    assert re.search(r"\b(de|des|du|la|le|les|sur|pour)\b", told.removeprefix(TITLE))
    for part in parts:
        assert plain(part) in told


def outline(band):
    """Les points du contour d'une bande."""
    return np.concatenate([path.vertices for path in band.get_paths()])


def assert_bounds(band, x, low, high):
    """À chaque abscisse, la bande va exactement de `low` à `high`."""
    points = outline(band)
    for place, bottom, top in zip(x, low, high, strict=True):
        heights = points[np.isclose(points[:, 0], place), 1]
        assert (heights.min(), heights.max()) == pytest.approx((bottom, top))


# Les cas limites


EDGES = {
    "one_baseline": lambda: figures.baselines({"LQR": np.array([500.0])}, TITLE),
    "one_survival": lambda: figures.survival({"LQR": np.array([500])}, 500, TITLE),
    "six_survivals": lambda: figures.survival(
        {str(rank): LENGTHS["θ"] + rank for rank in range(6)}, 2_000, TITLE
    ),
    "seven_survivals": lambda: figures.survival(
        {str(rank): LENGTHS["θ"] + rank for rank in range(7)}, 2_000, TITLE
    ),
    "one_policy": lambda: figures.phase_portraits({"LQR": lqr}, 2, TITLE),
    "three_policies": lambda: figures.phase_portraits({"a": lqr, "b": lqr, "c": lqr}, 1, TITLE),
    "upright": lambda: figures.cart_diagram((0, 0, 0, 0), 0, TITLE),
    "leaning_left": lambda: figures.cart_diagram([-2.4, 0, -0.2, 0], 0, TITLE),
    "two_states": lambda: figures.components(EPISODE.observations[:2], TITLE),
    "one_seed": lambda: figures.learning_curves(ENV_STEPS, CURVES[:1], TITLE),
    "one_recipe": lambda: figures.learning_curves(ENV_STEPS, {"a": CURVES}, TITLE),
    "seven_recipes": lambda: figures.learning_curves(
        ENV_STEPS, {str(rank): CURVES / (rank + 1) for rank in range(7)}, TITLE
    ),
    "same_values": lambda: figures.action_maps(lambda states: 0 * states[:, :2], TITLE),
    "one_memory": lambda: figures.memory_maps({"a": np.zeros((1, 4))}, TITLE),
    "outside_the_plane": lambda: figures.memory_maps({"a": np.full((3, 4), 9.0)}, TITLE),
    "same_number": lambda: figures.distributions({"a": np.full(5, 2.0)}, TITLE, "pas"),
    "seven_distributions": lambda: figures.distributions(
        {str(rank): np.arange(9) for rank in range(7)}, TITLE, "pas"
    ),
    "no_point": lambda: figures.points({"a": ([], []), "b": ([1, 2], [3, 4])}, TITLE, LABELS),
    "one_panel": lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES}, TITLE),
    "one_panel_beside_its_reference": lambda: figures.small_multiples(
        ENV_STEPS, {"a": CURVES, "b": CURVES / 2}, TITLE, reference="b"
    ),
    "thirteen_panels": lambda: figures.small_multiples(
        ENV_STEPS, {str(rank): CURVES[:1] for rank in range(13)}, TITLE
    ),
    "one_estimate": lambda: figures.intervals({"part (%)": {"a": (0, 0, 0)}}, TITLE),
    "negative_estimates": lambda: figures.intervals({"écart (pas)": {"a": (-3, -9, 1)}}, TITLE),
    "one_seed_a_strip": lambda: figures.strips({"a": [0]}, TITLE, COST),
    "same_seeds": lambda: figures.strips({"a": [500] * 9}, TITLE, COST, log=True),
    "tiny_seeds": lambda: figures.strips({"a": [1e-4, 0.02], "b": [3]}, TITLE, COST, log=True),
    "seven_strips": lambda: figures.strips(
        {str(rank): np.arange(9) - rank for rank in range(7)}, TITLE, COST
    ),
    "sixty_four_seeds": lambda: figures.learning_curves(ENV_STEPS, np.full((64, 7), 9.5), TITLE),
}
BAD_CALLS = [
    ("returns", lambda: figures.baselines({}, TITLE)),
    ("returns", lambda: figures.baselines({"LQR": np.array([])}, TITLE)),
    ("returns", lambda: figures.baselines({"LQR": np.array([math.nan])}, TITLE)),
    ("lengths", lambda: figures.survival({}, 500, TITLE)),
    ("lengths", lambda: figures.survival({"LQR": np.array([])}, 500, TITLE)),
    ("lengths", lambda: figures.survival({"LQR": np.array([math.nan])}, 500, TITLE)),
    ("limit", lambda: figures.survival(LENGTHS, 0, TITLE)),
    ("policies", lambda: figures.phase_portraits({}, 3, TITLE)),
    ("episodes", lambda: figures.phase_portraits({"LQR": lqr}, 0, TITLE)),
    ("state", lambda: figures.cart_diagram((0, 0, 0), 1, TITLE)),
    ("state", lambda: figures.cart_diagram((0, 0, math.nan, 0), 1, TITLE)),
    ("action", lambda: figures.cart_diagram((0, 0, 0, 0), 7, TITLE)),
    ("observations", lambda: figures.components(np.zeros((5, 3)), TITLE)),
    ("observations", lambda: figures.components(np.full((5, 4), math.nan), TITLE)),
    ("names", lambda: figures.components(np.zeros((5, 4)), TITLE, names=("x", "v"))),
    ("returns", lambda: figures.learning_curves(np.arange(3), np.zeros((2, 4)), TITLE)),
    ("returns", lambda: figures.learning_curves(np.arange(3), np.zeros(3), TITLE)),
    ("returns", lambda: figures.learning_curves(np.arange(2), np.full((2, 2), math.nan), TITLE)),
    ("env_steps", lambda: figures.learning_curves(np.array([]), np.zeros((2, 0)), TITLE)),
    ("series", lambda: figures.curves(SIZES, {"une": np.zeros(3)}, TITLE, LABELS)),
    ("series", lambda: figures.curves(SIZES, {}, TITLE, LABELS)),
    ("counts", lambda: figures.draw_counts(np.array([]), TITLE)),
    ("returns", lambda: figures.learning_curves(np.arange(3), {}, TITLE)),
    ("returns", lambda: figures.learning_curves(np.arange(3), {"a": np.zeros((2, 4))}, TITLE)),
    ("returns", lambda: figures.learning_curves([0], {"a": [[math.nan]]}, TITLE)),
    ("log", lambda: figures.curves(SIZES, COSTS, TITLE, LABELS, log="z")),
    ("log", lambda: figures.curves(SIZES, COSTS, TITLE, LABELS, log=None)),
    ("bands", lambda: banded({"une": (COSTS["une"], COSTS["une"][1:])})),
    ("bands", lambda: banded({"une": (COSTS["une"], COSTS["une"] * math.nan)})),
    ("bands", lambda: banded({"une": COSTS["une"]})),
    ("bands", lambda: banded({"une": 3})),
    ("bands", lambda: banded({"inconnue": BANDS["autre"]})),
    ("q_values", lambda: figures.action_maps(None, TITLE)),
    (r"q_values\(\.\.\.\)", lambda: figures.action_maps(lambda states: states, TITLE)),
    (r"q_values\(\.\.\.\)", lambda: figures.action_maps(lambda states: states[:9, :2], TITLE)),
    (r"q_values\(\.\.\.\)", lambda: figures.action_maps(lambda states: None, TITLE)),
    (r"q_values\(\.\.\.\)", lambda: figures.action_maps(lambda s: s[:, :2] * math.nan, TITLE)),
    ("x", lambda: figures.action_maps(leaning, TITLE, x=math.nan)),
    ("x_dot", lambda: figures.action_maps(leaning, TITLE, x_dot="vite")),
    ("observations", lambda: figures.memory_maps({}, TITLE)),
    ("observations", lambda: figures.memory_maps({"a": np.zeros((5, 3))}, TITLE)),
    ("observations", lambda: figures.memory_maps({"a": np.zeros((0, 4))}, TITLE)),
    ("observations", lambda: figures.memory_maps({"a": np.full((5, 4), math.nan)}, TITLE)),
    ("values", lambda: figures.distributions({}, TITLE, "pas")),
    ("values", lambda: figures.distributions({"a": []}, TITLE, "pas")),
    ("values", lambda: figures.distributions({"a": np.zeros((2, 2))}, TITLE, "pas")),
    ("values", lambda: figures.distributions({"a": [math.nan]}, TITLE, "pas")),
    ("series", lambda: figures.points({}, TITLE, LABELS)),
    ("series", lambda: figures.points({"a": ([1, 2], [1, 2, 3])}, TITLE, LABELS)),
    ("series", lambda: figures.points({"a": np.zeros((5, 2))}, TITLE, LABELS)),
    ("series", lambda: figures.points({"a": 3}, TITLE, LABELS)),
    ("series", lambda: figures.points({"a": ([1], [math.nan])}, TITLE, LABELS)),
    ("passed", lambda: figures.verdicts(PASSED.T, LINES, TRIALS, TITLE)),
    ("passed", lambda: figures.verdicts(np.zeros((0, 3)), [], TRIALS, TITLE)),
    ("passed", lambda: figures.verdicts(PASSED * math.nan, LINES, TRIALS, TITLE)),
    ("passed", lambda: figures.verdicts([["oui"] * 3] * 2, LINES, TRIALS, TITLE)),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {}, TITLE)),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES}, TITLE, reference="a")),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES[:, 1:]}, TITLE)),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES[0]}, TITLE)),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES * math.nan}, TITLE)),
    ("returns", lambda: figures.small_multiples(ENV_STEPS, {"a": CURVES[:0]}, TITLE)),
    ("returns", lambda: figures.small_multiples([], {"a": np.zeros((2, 0))}, TITLE)),
    ("env_steps", lambda: figures.small_multiples([ENV_STEPS], RUNGS, TITLE)),
    ("reference", lambda: figures.small_multiples(ENV_STEPS, RUNGS, TITLE, reference="sans")),
    ("estimates", lambda: figures.intervals({}, TITLE)),
    ("estimates", lambda: figures.intervals({"pas": {}}, TITLE)),
    ("estimates", lambda: figures.intervals({"pas": {"a": (1, 0)}}, TITLE)),
    ("estimates", lambda: figures.intervals({"pas": {"a": 1}}, TITLE)),
    ("estimates", lambda: figures.intervals({"pas": {"a": (1, 0, math.nan)}}, TITLE)),
    ("estimates", lambda: figures.intervals({"m": {"a": (1, 0, 2)}, "s": {}}, TITLE)),
    ("estimates", lambda: figures.intervals({"m": {"a": (1, 0, 2)}, "s": {"b": (1, 0, 2)}}, TITLE)),
    ("x", lambda: figures.traces([], {"a": {"b": np.zeros((2, 0))}}, TITLE, "pas")),
    ("values", lambda: figures.strips({}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": []}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [[1, 2]]}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [math.nan]}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [1], "b": [3, 0]}, TITLE, COST, log=True)),
    ("log", lambda: figures.strips(STEPS, TITLE, COST, log="x")),
]


def banded(bands):
    return figures.curves(SIZES, COSTS, TITLE, LABELS, bands=bands)
