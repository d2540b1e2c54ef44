"""Ce que dessinent les tests des figures, et de quoi en lire l'image."""

import re
from functools import cache

import matplotlib
import numpy as np
import pytest

from cartpole_helpers import evaluate, play
from cartpole_helpers.display import figures
from cartpole_helpers.policies import lqr, push_by_angle, random_policy

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
EFFECTS = np.array([[1.5, np.nan, -3], [0.25, 0, 12]])
SURE = np.array([[1, 0, -1], [0, 0, 1]])
LINES, TRIALS = ("la règle", "une faute"), ("une action", "deux actions", "un choix")
THETAS, THETA_DOTS = np.radians(np.linspace(-13, 13, 27)), np.radians(np.linspace(-140, 140, 15))
POLICIES = {"signe de θ": push_by_angle, "LQR": lqr}
FOLLOWED = {
    "retour (pas)": {"sans": CURVES, "avec": CURVES / 2},
    "perte": {"sans": np.exp(CURVES / 90), "avec": np.exp(CURVES / 60)},
}


def leaning(states):
    """Des valeurs (N, 2) que l'on sait par cœur : 10 + θ à droite, 10 − θ̇ à gauche."""
    return 10 + np.stack([-states[:, 3], states[:, 2]], axis=-1)


def fates(shift=0.0):
    """Des bornes de survie (27, 15) que l'on sait par cœur : selon θ + θ̇ / 4, en degrés."""
    degrees = np.degrees(THETAS)[:, None] + np.degrees(THETA_DOTS) / 4 + shift
    left = np.maximum(40 - np.abs(degrees).round(), 0)
    saved = np.abs(degrees) < 20
    return np.where(saved, np.inf, left), np.where(np.abs(degrees) < 24, np.inf, left)


X, Y = np.linspace(-1, 1, 30), np.linspace(0, 4, 20)
HILLS = X**2 - 10 * Y[:, None]  # (20, 30)
AXES = ("position", "vitesse", "valeur")
PATH = np.array([[0.5, 1.0], [0.0, 2.0], [-0.5, 3.0]])
MAPS = {"au centre": fates(), "au bord": fates(6)}
PLANE = {"thetas": THETAS, "theta_dots": THETA_DOTS}
OVER = {"x": ENV_STEPS, "quantities": FOLLOWED, "label": "pas de jeu"}
FIGURES = {"recipes": "learning_curves", "bands": "curves", "reference": "small_multiples"}
# Par dessin, ses arguments ; la figure porte le même nom, sauf celles-là.
DRAWINGS = {
    "baselines": {"returns": RETURNS},
    "survival": {"lengths": LENGTHS, "limit": 2_000, "marks": (500,)},
    "phase_portraits": {"policies": POLICIES, "episodes": 3},
    "cart_diagram": {"state": (0.6, 0.1, 0.12, 0.2), "action": 1},
    "components": {"observations": EPISODE.observations, "actions": EPISODE.actions},
    "learning_curves": {"env_steps": ENV_STEPS, "returns": CURVES},
    "recipes": {"env_steps": ENV_STEPS, "returns": RECIPES},
    "curves": {"x": SIZES, "series": COSTS, "labels": LABELS, "log": True},
    "bands": {"x": SIZES, "series": COSTS, "labels": LABELS, "log": "x", "bands": BANDS},
    "draw_counts": {"counts": COUNTS},
    "action_maps": {"q_values": leaning},
    "landscape": {"values": HILLS, "x": X, "y": Y, "labels": AXES, "path": PATH},
    "memory_maps": {"observations": MEMORIES},
    "effects": {"values": EFFECTS, "verdicts": SURE, "rows": LINES, "columns": TRIALS},
    "distributions": {"values": SERIES, "label": "écart (pas)"},
    "points": {"series": CLOUDS, "labels": LABELS, "identity": True},
    "verdicts": {"passed": PASSED, "rows": LINES, "columns": TRIALS},
    "viability": PLANE | {"maps": MAPS},
    "traces": OVER | {"log": ["perte"], "mark": 4_000},
    "small_multiples": {"env_steps": ENV_STEPS, "returns": RUNGS},
    "reference": {"env_steps": ENV_STEPS, "returns": AROUND, "reference": "sans"},
    "intervals": {"estimates": ESTIMATES},
    "strips": {"values": STEPS, "label": COST},
}


def draw(name, **changes):
    """Le dessin `name`, avec d'autres arguments peut-être."""
    figure = getattr(figures, FIGURES.get(name, name))
    return figure(**{"title": TITLE} | DRAWINGS[name] | changes)


@cache
def picture_of(name):
    """Une image de chaque sorte, faite une fois pour tous les tests qui ne font que la lire."""
    return draw(name)


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
        points = line.get_xydata()
        if points.shape == (len(x), 2) and np.allclose(points, np.transpose([x, y])):
            return line
    return pytest.fail("aucune courbe ne passe par ces points")


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
    """Le texte reprend le titre, se lit comme une phrase, et contient ces morceaux."""
    told = plain(picture.alt)
    assert told.startswith(TITLE)
    assert told.endswith(".")
    assert not re.match(r"[a-zà-ÿ]{2}", told.removeprefix(TITLE).lstrip(" ."))
    for part in parts:
        assert plain(part).casefold() in told.casefold()


def outline(band):
    """Les points du contour d'une bande."""
    return np.concatenate([path.vertices for path in band.get_paths()])


def assert_bounds(band, x, low, high):
    """À chaque abscisse, la bande va exactement de `low` à `high`."""
    points = outline(band)
    for place, bottom, top in zip(x, low, high, strict=True):
        heights = points[np.isclose(points[:, 0], place), 1]
        assert (heights.min(), heights.max()) == pytest.approx((bottom, top))
