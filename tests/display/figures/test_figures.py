"""Les figures : vraies, lisibles en français et sans les voir, les mêmes octets à chaque fois."""

import base64
import hashlib
import io
import math
import re
import subprocess
import sys
from functools import cache
from statistics import median

import matplotlib
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from cartpole_helpers import bootstrap_interval, evaluate, interquartile_mean, play
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


@pytest.fixture(params=MAKERS)
def picture(request):
    return picture_of(request.param)


@pytest.fixture(params=MAKERS)
def maker(request):
    return MAKERS[request.param]


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


# Les nombres


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((0,), "0"),
        ((23.4,), "23"),
        ((23.6,), "24"),
        ((999,), "999"),
        ((1_000,), f"1{NARROW}000"),
        ((1_234_567,), f"1{NARROW}234{NARROW}567"),
        ((0.05, 2), "0,05"),
        ((2.4, 1), "2,4"),
        ((1_234.5, 2), f"1{NARROW}234,50"),
        ((-3,), f"{MINUS}3"),
        ((-0.25, 2), f"{MINUS}0,25"),
        ((-1_234_567.891, 1), f"{MINUS}1{NARROW}234{NARROW}567,9"),
        ((np.float64(475.0),), "475"),
        ((np.int64(12_000),), f"12{NARROW}000"),
        ((np.float32(0.5), 1), "0,5"),
    ],
)
def test_numbers_are_written_in_french(arguments, expected):
    assert figures.number(*arguments) == expected


@pytest.mark.parametrize(("value", "digits"), [(-0.0, 0), (-0.3, 0), (-0.004, 2)])
def test_zero_has_no_sign(value, digits):
    assert MINUS not in figures.number(value, digits)


# Une image


def test_a_picture_is_a_figure_and_its_text(picture):
    assert isinstance(picture, figures.Picture)
    assert isinstance(picture.figure, Figure)
    assert isinstance(picture.alt, str)


def test_a_picture_is_not_trivial(picture):
    with Image.open(io.BytesIO(picture.png())) as image:
        assert image.width >= 1_000
        assert image.height >= 300
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(1 << 20)}
        blank = colours[255, 255, 255] / (image.width * image.height)
    assert 0.1 < blank < 0.99
    assert len(colours) > 50
    assert all(axes.has_data() or axes.texts for axes in picture.figure.axes)


def test_a_picture_shows_itself_with_its_text_and_width(picture):
    data, metadata = InteractiveShell.instance().display_formatter.format(picture)
    assert set(data) == {"image/png", "text/plain"}
    content = base64.b64decode(data["image/png"])
    with Image.open(io.BytesIO(content)) as image:
        assert image.format == "PNG"
        shown = metadata["image/png"]["width"]
        assert 500 <= shown <= 900
        assert image.width == pytest.approx(2 * shown, abs=2)
    assert content == picture.png()
    assert metadata["image/png"]["alt"] == data["text/plain"] == picture.alt


def colours_of(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", MAKERS)
def test_a_lighter_image_is_still_the_one_matplotlib_draws(name):
    drawn, picture = both_images(name)
    light = picture.png()
    gap = np.abs(colours_of(light) - colours_of(drawn))
    assert gap.max() <= 16
    assert gap.mean() < 0.5
    white = (colours_of(drawn) == 255).all(axis=-1)
    assert (colours_of(light)[white] == 255).all()
    assert len(light) < 0.95 * len(drawn)
    if name != "action_maps":
        assert len(light) < len(drawn) / 2


def test_a_gradient_keeps_its_colours():
    drawn, picture = both_images("action_maps")
    np.testing.assert_array_equal(colours_of(picture.png()), colours_of(drawn))


def test_the_same_data_make_the_same_bytes(maker):
    picture = maker()
    content = picture.png()
    assert picture.png() == content
    assert maker().png() == content


def test_the_bytes_do_not_depend_on_the_settings_of_the_reader():
    picture = MAKERS["learning_curves"]()
    content = picture.png()
    settings = {"savefig.facecolor": "black", "savefig.bbox": "tight", "savefig.dpi": 30}
    with matplotlib.rc_context(settings):
        assert picture.png() == content


def test_one_style_for_all_whatever_the_settings_of_the_reader():
    content = MAKERS["learning_curves"]().png()
    with matplotlib.rc_context({"text.color": "white", "axes.facecolor": "black"}):
        assert MAKERS["learning_curves"]().png() == content


OTHER_PROCESS = """
import hashlib, sys
import numpy as np
from cartpole_helpers.display import figures
assert "matplotlib.pyplot" not in sys.modules
curves = figures.learning_curves(np.arange(4), 100.0 * np.arange(8).reshape(2, 4), "Un titre")
state = figures.cart_diagram((0.6, 0.1, 0.12, 0.2), 1, "Un titre")
digest = hashlib.sha256(curves.png() + state.png()).hexdigest()
state._repr_mimebundle_()
assert "matplotlib.pyplot" not in sys.modules
print(digest)
"""


def test_pyplot_is_never_imported_and_another_process_draws_the_same():
    command = [sys.executable, "-W", "error", "-c", OTHER_PROCESS]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    curves = figures.learning_curves(np.arange(4), 100.0 * np.arange(8).reshape(2, 4), "Un titre")
    state = figures.cart_diagram((0.6, 0.1, 0.12, 0.2), 1, "Un titre")
    assert run.stdout.strip() == hashlib.sha256(curves.png() + state.png()).hexdigest()


def test_the_settings_of_matplotlib_stay_as_they_were(maker):
    before = dict(matplotlib.rcParams)
    maker()._repr_mimebundle_()
    assert dict(matplotlib.rcParams) == before


def test_the_settings_come_back_even_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError):
        figures.phase_portraits({"a": lqr, "b": lambda observations: 1 / 0}, 2, TITLE)
    assert dict(matplotlib.rcParams) == before


def test_drawing_leaves_its_arguments_alone():
    observations, returns = EPISODE.observations.copy(), CURVES.copy()
    for maker in MAKERS.values():
        maker()
    np.testing.assert_array_equal(EPISODE.observations, observations)
    np.testing.assert_array_equal(CURVES, returns)


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


@pytest.mark.parametrize("name", MAKERS)
def test_other_data_make_another_picture(name):
    assert OTHER_DATA[name]().png() != picture_of(name).png()


TELLING = {
    "phase_portraits",
    "cart_diagram",
    "bands",
    "reference",
}  # le texte n'y dit pas les données


@pytest.mark.parametrize("name", sorted(set(MAKERS) - TELLING))
def test_other_data_make_another_text(name):
    assert OTHER_DATA[name]().alt != picture_of(name).alt


# Le français


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


def test_ticks_are_true_and_written_in_french(picture):
    assert_ticks_are_true(picture.figure)


@pytest.mark.parametrize("scale", [3e-4, 0.003, 0.05, 0.3, 1.7, 6, 13, 30])
def test_ticks_are_true_at_every_scale(scale):
    observations = np.linspace(-0.3, 1, 17)[:, None] * scale * np.array([0.1, 1, 0.01, 0.2])
    assert_ticks_are_true(figures.components(observations, TITLE).figure)


@pytest.mark.parametrize("steps", [4, 17, 230, 1_250, 2_000_000])
def test_the_steps_of_learning_curves_are_true(steps):
    curves = figures.learning_curves(np.linspace(0, steps, 7), CURVES, TITLE)
    assert_ticks_are_true(curves.figure)


def test_curves_and_diagrams_are_graduated():
    graduated = {name: len([*numbered_axes(picture_of(name).figure)]) for name in MAKERS}
    assert graduated == {
        "baselines": 1,
        "survival": 2,
        "phase_portraits": 3,
        "cart_diagram": 0,
        "components": 6,
        "learning_curves": 2,
        "curves": 2,
        "draw_counts": 2,
        "recipes": 2,
        "bands": 2,
        "action_maps": 5,
        "memory_maps": 4,
        "distributions": 3,
        "points": 2,
        "verdicts": 0,
        "viability": 3,
        "traces": 5,
        "small_multiples": 5,
        "reference": 5,
        "intervals": 2,
        "strips": 1,
    }


@pytest.mark.parametrize("high", [210.001, 211, 490, 1_900, 9_000, 70_000, 3e7])
def test_the_logarithms_of_strips_are_graduated_at_every_scale(high):
    figure = figures.strips({"a": [210, high]}, TITLE, COST, log=True).figure
    assert len([*numbered_axes(figure)]) == 1
    assert_ticks_are_true(figure)


@pytest.mark.parametrize("limit", [20, 60, 500, 30_000, 2_000_000])
def test_the_durations_of_survival_are_true(limit):
    lengths = {"LQR": np.linspace(9, limit, 12)}
    assert_ticks_are_true(figures.survival(lengths, limit, TITLE).figure)


def test_texts_have_their_unbreakable_spaces(picture):
    for text in [*texts(picture.figure), picture.alt]:
        assert not re.search(r" [:;?!%»]|« ", text), text
    title = picture.figure.get_suptitle()
    assert re.search("tient[\u00a0\u202f]: 50[\u00a0\u202f]%", title)


def test_quotation_marks_have_their_unbreakable_spaces():
    picture = figures.cart_diagram((0, 0, 0, 0), 1, "Le « chariot » : un mot")
    for text in (picture.figure.get_suptitle(), picture.alt):
        assert re.search("«[\u00a0\u202f]chariot[\u00a0\u202f]»[\u00a0\u202f]: un mot", text)


def test_the_title_is_inside_the_figure(picture):
    figure = picture.figure
    figure.draw_without_rendering()
    box = figure.texts[0].get_window_extent()
    assert figure.get_suptitle() == figure.texts[0].get_text()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height


def test_a_long_title_is_wrapped_whole():
    words = "Pousser du même côté que la tige tourne tient cinq fois plus longtemps qu'au hasard, "
    words += "mais dix fois moins que la règle d'un régulateur linéaire quadratique"
    figure = figures.cart_diagram((0, 0, 0, 0), 1, words).figure
    figure.draw_without_rendering()
    assert figure.get_suptitle().split() == words.replace("'", "’").split()
    assert figure.texts[0].get_window_extent().x1 <= figure.bbox.width


@pytest.mark.parametrize("name", sorted(set(MAKERS) - {"cart_diagram", "verdicts"}))
def test_axes_are_named(name):
    figure = picture_of(name).figure
    numbered = [*numbered_axes(figure)]
    for axes in (axes for axes in figure.axes if axes.get_subplotspec()):
        below = axes.get_subplotspec().is_last_row()
        assert axes.get_xlabel() or figure.get_supxlabel() or not below
        left = axes.get_subplotspec().is_first_col()
        named = axes.get_ylabel() or figure.get_supylabel()
        assert named or not (left and axes.yaxis in numbered)


# Le texte de remplacement


def assert_told(picture, *parts):
    """Le texte reprend le titre, finit par un point, et contient ces morceaux."""
    told = plain(picture.alt)
    assert told.startswith(TITLE)
    assert told.endswith(".")
    assert re.search(r"\b(de|des|du|la|le|les|sur|pour)\b", told.removeprefix(TITLE))
    for part in parts:
        assert plain(part) in told


def test_a_question_in_the_title_keeps_its_mark():
    picture = figures.cart_diagram((0, 0, 0, 0), 1, "Qui tient le plus longtemps ?")
    assert re.match("Qui tient le plus longtemps[\u00a0\u202f]\\? [A-ZÉ]", picture.alt)


def test_the_text_of_baselines_gives_the_means():
    means = [f"{name} {values.mean():.0f}" for name, values in RETURNS.items()]
    assert_told(picture_of("baselines"), "20 épisodes", *means)


def test_the_text_of_survival_gives_the_shares():
    shares = [f"{name} {100 * np.mean(v > 2_000):.0f} %" for name, v in LENGTHS.items()]
    assert_told(picture_of("survival"), "2 000 pas", "25 départs", *shares)


def test_the_text_of_components_gives_the_duration():
    assert_told(picture_of("components"), f"{len(EPISODE.actions)} pas")


def test_the_text_of_learning_curves_gives_both_ends():
    ends = [f"{interquartile_mean(CURVES[:, column]):.0f}" for column in (0, -1)]
    assert_told(picture_of("learning_curves"), f"De {ends[0]} à {ends[1]} pas", "5 graines")


def test_the_text_of_phase_portraits_names_the_policies():
    assert_told(picture_of("phase_portraits"), "signe de θ", "LQR")


def test_the_text_of_a_diagram_describes_it():
    assert_told(picture_of("cart_diagram"), "chariot", "tige", "force")


# Ce que montrent les figures


def test_baselines_show_every_episode_and_every_mean():
    figure = picture_of("baselines").figure
    [axes] = figure.axes
    for row, values in enumerate(RETURNS.values()):
        line_through(axes, [values.mean()], [row])
        low, high = bootstrap_interval(values, np.mean)
        line_through(axes, [low, high], [row, row])
        assert any(np.array_equal(line.get_xdata(), values) for line in axes.lines)
        assert f"{values.mean():.0f}" in texts(figure)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(RETURNS)
    assert "20 épisodes" in axes.get_xlabel()
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # de haut en bas, dans l'ordre donné


def test_survival_counts_the_episodes_still_standing():
    lengths = {"une": np.array([3, 3, 5, 9]), "autre": np.array([8, 9, 9, 1])}
    [axes] = figures.survival(lengths, 8, TITLE).figure.axes
    first, second = axes.lines[:2]
    for line, values in ((first, lengths["une"]), (second, lengths["autre"])):
        drawn = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
        for step in (1, 3, 5, 8):
            standing = sum(value > step for value in values.tolist())
            assert drawn[step] == 100 * standing / 4
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()


def test_phase_portraits_follow_the_physics():
    policies = {"signe de θ": push_by_angle, "LQR": lqr}
    figure = picture_of("phase_portraits").figure
    env = CartPoleEnv()
    for axes, policy in zip(figure.axes, policies.values(), strict=True):
        paths = [line for line in axes.lines if len(line.get_xdata()) > 2]
        assert len(paths) == 3
        for path in paths:
            theta, theta_dot = np.radians(path.get_xydata()).T
            env.reset(seed=0)
            env.state = (0.0, 0.0, theta[0], theta_dot[0])
            for step in range(1, len(theta)):
                state = np.array([env.state])
                _, _, terminated, _, _ = env.step(int(policy(state)[0]))
                np.testing.assert_allclose(env.state[2:], [theta[step], theta_dot[step]], atol=1e-9)
                assert terminated == (step == len(theta) - 1 and len(theta) < 81)


def test_components_show_the_four_series_and_the_limits():
    panels = picture_of("components").figure.axes
    degrees = np.array([1, 1, 180 / math.pi, 180 / math.pi])
    steps = np.arange(len(EPISODE.observations))
    for axes, series in zip(panels, (EPISODE.observations * degrees).T, strict=True):
        line_through(axes, steps, series)
    limits = [{-2.4, 2.4}, set(), {-12.0, 12.0}, set()]
    for axes, expected in zip(panels, limits, strict=True):
        dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
        assert {round(line.get_ydata()[0], 9) for line in dashed} == expected


def test_learning_curves_show_seeds_mean_and_band():
    [axes] = picture_of("learning_curves").figure.axes
    seeds = [line_through(axes, ENV_STEPS, returns) for returns in CURVES]
    bold = line_through(axes, ENV_STEPS, interquartile_mean(CURVES))
    assert all(line.get_linewidth() < bold.get_linewidth() / 2 for line in seeds)
    band = axes.collections[0].get_paths()[0].vertices
    for bound in bootstrap_interval(CURVES):
        for point in zip(ENV_STEPS, bound, strict=True):
            assert np.isclose(band, point).all(axis=1).any()
    assert "5 graines" in axes.get_legend().get_texts()[0].get_text()


def test_curves_pass_through_their_points():
    [axes] = picture_of("curves").figure.axes
    for name, values in COSTS.items():
        assert line_through(axes, SIZES, values).get_label() == name
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert_told(picture_of("curves"), "une de 10 à 12", "autre de 60 à 600")


@pytest.mark.parametrize(
    ("log", "scales"),
    [
        (False, ("linear", "linear")),
        (True, ("log", "log")),
        ("x", ("log", "linear")),
        ("y", ("linear", "log")),
    ],
)
def test_one_axis_or_both_are_logarithmic(log, scales):
    figure = figures.curves(SIZES, COSTS, TITLE, LABELS, log=log).figure
    [axes] = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == scales
    assert_ticks_are_true(figure)


def test_the_ends_of_tiny_curves_are_told_to_three_digits():
    series = {"une": np.array([1.2345e-12, 123_456]), "autre": np.array([-0.00098765, 0])}
    told = figures.curves(np.arange(2), series, TITLE, LABELS).alt
    assert f"une de 0,00000000000123 à 123{NARROW}000" in told
    assert f"autre de {MINUS}0,000988 à 0" in told


def outline(band):
    """Les points du contour d'une bande."""
    return np.concatenate([path.vertices for path in band.get_paths()])


def assert_bounds(band, x, low, high):
    """À chaque abscisse, la bande va exactement de `low` à `high`."""
    points = outline(band)
    for place, bottom, top in zip(x, low, high, strict=True):
        heights = points[np.isclose(points[:, 0], place), 1]
        assert (heights.min(), heights.max()) == pytest.approx((bottom, top))


def test_bands_are_those_given_in_the_colour_of_their_curve():
    [axes] = picture_of("bands").figure.axes
    [band] = axes.collections
    assert_bounds(band, SIZES, *BANDS["autre"])
    curve = line_through(axes, SIZES, COSTS["autre"])
    assert to_hex(band.get_facecolor()[0]) == to_hex(curve.get_color())


def test_recipes_are_a_mean_and_a_band_each_without_the_seeds():
    [axes] = picture_of("recipes").figure.axes
    for band, (name, returns) in zip(axes.collections, RECIPES.items(), strict=True):
        mean = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        assert name in mean.get_label()
        assert f"{len(returns)} graines" in mean.get_label()
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(mean.get_color())
    assert sum(len(line.get_xdata()) == len(ENV_STEPS) for line in axes.lines) == len(RECIPES)
    ends = [[f"{interquartile_mean(r[:, end]):.0f}" for end in (0, -1)] for r in RECIPES.values()]
    told = [f"de {first} à {last} pas" for first, last in ends]
    assert_told(picture_of("recipes"), *told, "sans (3 graines)", "avec (4 graines)", "95 %")


def test_action_maps_ask_for_every_state_of_the_plane_at_the_place_given():
    asked = []
    figures.action_maps(lambda s: asked.append(s) or leaning(s), TITLE, x=-1.5, x_dot=0.7)
    [states] = asked
    assert states.dtype == np.float32
    np.testing.assert_allclose(np.unique(states[:, :2], axis=0), [[-1.5, 0.7]], rtol=1e-6)
    degrees = np.degrees(states[:, 2:])
    np.testing.assert_allclose([degrees.min(0), degrees.max(0)], [[-15, -150], [15, 150]], 1e-5)


def mesh_of(axes):
    """Les centres (°, °/s) et la valeur des cases d'un plan colorié."""
    [mesh] = [one for one in axes.collections if isinstance(one, QuadMesh)]
    corners = mesh.get_coordinates()
    centres = (corners[1:, 1:] + corners[:-1, :-1]) / 2
    return mesh, centres.reshape(-1, 2), mesh.get_array().reshape(-1)


def test_action_maps_show_the_value_and_the_gap():
    worth, gap, *_ = picture_of("action_maps").figure.axes
    for axes, read_off in ((worth, np.maximum), (gap, lambda left, right: right - left)):
        mesh, centres, values = mesh_of(axes)
        left, right = 10 - np.radians(centres[:, 1]), 10 + np.radians(centres[:, 0])
        np.testing.assert_allclose(values, read_off(left, right), atol=1e-5)
    low, high = mesh.get_clim()
    assert -low == high >= abs(values).max()  # le blanc est l'égalité
    assert min(mesh.cmap(0.5)) > 0.99


def test_two_action_maps_of_the_same_limits_have_the_same_colours():
    picture = figures.action_maps(leaning, TITLE, limits=(-35, 70))
    scales = [mesh_of(axes)[0].get_clim() for axes in picture.figure.axes[:2]]
    assert scales == [(-35, 70), (-52.5, 52.5)]


def test_the_line_of_action_maps_is_where_the_greedy_action_changes():
    """Ici, là où θ = −θ̇ ; une case du plan fait 1,7° par seconde."""
    gap = picture_of("action_maps").figure.axes[1]
    [line] = [one for one in gap.collections if not isinstance(one, QuadMesh)]
    theta, theta_dot = outline(line).T
    assert len(theta) > 20
    assert np.abs(theta + theta_dot).max() <= 1.7
    assert (theta.min(), theta.max()) == pytest.approx((-15, 15), abs=0.2)


@pytest.mark.parametrize(("values", "share"), [([1, 0], 0), ([0, 1], 100), ([1, 1], 0)])
def test_one_action_everywhere_has_no_line(values, share):
    picture = figures.action_maps(lambda states: np.tile(values, (len(states), 1)), TITLE)
    assert [type(one) for one in picture.figure.axes[1].collections] == [QuadMesh]
    assert_told(picture, f"l’emporte sur {share} % du plan")


def test_the_text_of_action_maps_gives_the_values_and_the_share():
    wide = math.radians(150)
    assert_told(
        picture_of("action_maps"),
        f"de {10 - math.radians(15):.1f} à {10 + wide:.1f}".replace(".", ","),
        "droite l’emporte sur 50 % du plan",
    )


def test_the_map_of_viability_paints_each_state_with_its_fate():
    panels = picture_of("viability").figure.axes
    for axes, (name, (low, high)) in zip(panels, MAPS.items(), strict=True):
        mesh, centres, painted = mesh_of(axes)
        columns = np.searchsorted(np.degrees(THETAS), centres[:, 0] - 1e-9)
        rows = np.searchsorted(np.degrees(THETA_DOTS), centres[:, 1] - 1e-9)
        fate = {(False, False): 0, (False, True): 1, (True, True): 2}  # (sauvé, sans fin connue)
        known = zip(np.isinf(low[columns, rows]), np.isinf(high[columns, rows]), strict=True)
        assert painted.tolist() == [fate[bool(saved), bool(endless)] for saved, endless in known]
        assert {*painted.tolist()} == {0, 1, 2}
        assert len({to_hex(mesh.cmap(mesh.norm(kind))) for kind in range(3)}) == 3
        assert axes.get_title() == name
    written = [plain(text) for text in texts(picture_of("viability").figure)]
    assert {"perdu quoi qu’on fasse", "indécis", "sauvable à jamais", "10 pas"} <= {*written}


def test_the_text_of_the_map_of_viability_counts_the_fates():
    told = plain(picture_of("viability").alt)
    for name, (low, high) in MAPS.items():
        saved, lost = (round(100 * np.mean(kind)) for kind in (low == np.inf, high < np.inf))
        assert f"{name} {saved} % sauvables, {lost} % perdus" in told


def test_a_map_of_viability_where_all_is_saved_has_no_line():
    endless = np.full((27, 15), np.inf)
    picture = figures.viability({"partout": (endless, endless)}, THETAS, THETA_DOTS, TITLE)
    assert "partout 100 % sauvables, 0 % perdus" in plain(picture.alt)


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({}, "au moins une carte"),
        ({"a": fates()[0]}, "deux bornes par carte"),
        ({"a": (fates()[0], fates()[1][1:])}, "de forme (27, 15)"),
        ({"a": (fates()[1], fates()[0])}, "la basse au plus égale à la haute"),
        ({"a": (np.full((27, 15), np.nan),) * 2}, "la basse au plus égale à la haute"),
    ],
)
def test_a_map_of_viability_needs_two_ordered_bounds(maps, words):
    with pytest.raises(ValueError, match=r"^maps doit .* reçue?s?\.$") as caught:
        figures.viability(maps, THETAS, THETA_DOTS, TITLE)
    assert words in str(caught.value)


def test_traces_draw_the_mean_and_the_band_of_each_name():
    panels = picture_of("traces").figure.axes
    for axes, (quantity, group) in zip(panels, FOLLOWED.items(), strict=True):
        assert axes.get_ylabel() == quantity
        assert axes.get_yscale() == ("log" if quantity == "perte" else "linear")
        drawn = [line_through(axes, ENV_STEPS, interquartile_mean(rows)) for rows in group.values()]
        assert len({(line.get_color(), line.get_linestyle()) for line in drawn}) == 2
        for band, rows in zip(axes.collections, group.values(), strict=True):
            heights = band.get_paths()[0].vertices[:, 1]
            low, high = bootstrap_interval(rows)
            assert heights.min() == pytest.approx(low.min())
            assert heights.max() == pytest.approx(high.max())
        [mark] = [line for line in axes.lines if len(line.get_xdata()) == 2]
        assert list(mark.get_xdata()) == [4_000, 4_000]


@pytest.mark.parametrize(
    ("quantities", "more", "words"),
    [
        ({}, {}, "les mêmes noms"),
        ({"a": {}}, {}, "les mêmes noms"),
        ({"a": {"sans": CURVES}, "b": {"avec": CURVES}}, {}, "les mêmes noms"),
        ({"a": {"sans": CURVES[:, 1:]}}, {}, "de forme"),
        ({"a": {"sans": CURVES}}, {"log": ["b"]}, "log doit être l'un de 'a'"),
    ],
)
def test_traces_need_the_same_names_everywhere(quantities, more, words):
    with pytest.raises(ValueError, match=r" reçu\.$") as caught:
        figures.traces(ENV_STEPS, quantities, TITLE, "pas", **more)
    assert words in str(caught.value)


def test_memory_maps_count_the_states_of_each_cell():
    edges = np.linspace(-15, 15, 61), np.linspace(-150, 150, 61)
    panels = picture_of("memory_maps").figure.axes
    meshes = []
    for axes, (name, states) in zip(panels, MEMORIES.items(), strict=False):
        mesh, centres, values = mesh_of(axes)
        meshes.append(mesh)
        columns, rows = (np.digitize(part, cut) for part, cut in zip(centres.T, edges, strict=True))
        degrees = np.degrees(states[:, 2:]).T
        places = [np.digitize(part, cut) for part, cut in zip(degrees, edges, strict=True)]
        cells = [*zip(*(place.tolist() for place in places), strict=True)]
        expected = [cells.count(cell) for cell in zip(columns.tolist(), rows.tolist(), strict=True)]
        np.testing.assert_allclose(np.ma.filled(values, 0), np.array(expected) / len(states))
        assert axes.get_title() == name
    assert len(meshes) == len(MEMORIES)
    assert meshes[0].norm is meshes[1].norm  # une même échelle pour tous
    lightness = [sum(meshes[0].cmap(share)[:3]) for share in np.linspace(0, 1, 9)]
    assert lightness == sorted(lightness, reverse=True)  # plus foncé : davantage


def test_the_text_of_memory_maps_gives_the_shares_beyond_six_degrees():
    six = math.radians(6)
    shares = {
        name: sum(abs(angle) > six for angle in states[:, 2].tolist()) / len(states)
        for name, states in MEMORIES.items()
    }
    assert 0 <= shares["tard"] < 0.1 < shares["tôt"]
    told = [f"{name} {100 * share:.0f} %" for name, share in shares.items()]
    assert_told(picture_of("memory_maps"), "6°", *told)


def test_distributions_are_histograms_in_percent_and_means():
    panels = picture_of("distributions").figure.axes
    edges = np.histogram_bin_edges(np.concatenate([*SERIES.values()]), bins=50)
    for axes, (name, values) in zip(panels, SERIES.items(), strict=True):
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        np.testing.assert_allclose([bar.get_x() for bar in bars], edges[:-1], atol=1e-9)
        counts, _ = np.histogram(values, edges)
        np.testing.assert_allclose([bar.get_height() for bar in bars], 100 * counts / len(values))
        assert sum(bar.get_height() for bar in bars) == pytest.approx(100)
        [mean] = [line.get_xdata()[0] for line in axes.lines]
        assert mean == pytest.approx(values.mean())
        assert name in axes.texts[0].get_text()
    means = [f"{name} {figures.number(values.mean(), 1)}" for name, values in SERIES.items()]
    assert_told(picture_of("distributions"), *means)


def test_points_are_those_given_and_the_identity_is_straight():
    [axes] = picture_of("points").figure.axes
    for name, (x, y) in CLOUDS.items():
        cloud = line_through(axes, x, y)
        assert cloud.get_label() == name
        assert cloud.get_linestyle() == "None"
    identity = axes.lines[-1]
    np.testing.assert_array_equal(identity.get_xdata(), identity.get_ydata())
    assert identity.get_label() == "égalité"
    assert len(figures.points(CLOUDS, TITLE, LABELS).figure.axes[0].lines) == len(CLOUDS)
    assert_told(picture_of("points"), "départs 30", "fins 4")


def test_verdicts_put_each_mark_in_its_place():
    figure = picture_of("verdicts").figure
    figure.draw_without_rendering()
    [axes] = figure.axes
    rows = {tick.get_loc(): tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()}
    columns = {tick.get_loc(): tick.label2.get_text() for tick in axes.xaxis.get_major_ticks()}
    found = {
        (rows[y], columns[x]): text.get_text()
        for text in axes.texts
        for x, y in [text.get_position()]
    }
    assert found == {
        (line, trial): "✔" if right else "✘"
        for line, rights in zip(LINES, PASSED.tolist(), strict=True)
        for trial, right in zip(TRIALS, rights, strict=True)
    }
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # de haut en bas, dans l'ordre donné
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert colours["✔"] != colours["✘"]


def test_the_text_of_verdicts_names_what_each_line_fails():
    refused = "la règle : aucun ; une faute : une action, un choix."
    assert_told(picture_of("verdicts"), refused)


def test_the_marks_of_verdicts_are_really_drawn():
    """Une police sans ✔ ni ✘ dessinerait deux fois le même carré vide."""
    one, other = (
        figures.verdicts([[right]], ["a"], ["b"], TITLE).figure.axes[0].texts[0] for right in (1, 0)
    )
    font = matplotlib.font_manager.get_font(matplotlib.font_manager.findfont(one.get_fontname()))
    glyphs = {font.get_char_index(ord(text.get_text())) for text in (one, other)}
    assert len(glyphs) == 2
    assert 0 not in glyphs


@pytest.mark.parametrize("name", ["small_multiples", "reference"])
def test_small_multiples_show_a_mean_and_a_band_in_each_panel(name):
    panels = picture_of(name).figure.axes
    assert len(panels) == len(RUNGS)
    assert [plain(axes.get_title(loc="left")) for axes in panels] == list(RUNGS)
    for axes, returns in zip(panels, RUNGS.values(), strict=True):
        bold = line_through(axes, ENV_STEPS, interquartile_mean(returns))
        [band] = axes.collections
        assert_bounds(band, ENV_STEPS, *bootstrap_interval(returns))
        assert to_hex(band.get_facecolor()[0]) == to_hex(bold.get_color())
        assert axes.get_xlim() == panels[0].get_xlim()  # une même échelle pour tous
        assert axes.get_ylim() == panels[0].get_ylim()


def in_grey(axes):
    """Les courbes d'un panneau qui ne sont pas de la couleur de sa bande."""
    [band] = axes.collections
    curves = [line for line in axes.lines if len(line.get_xdata()) == len(ENV_STEPS)]
    return [line for line in curves if to_hex(line.get_color()) != to_hex(band.get_facecolor()[0])]


def test_small_multiples_recall_the_panel_before():
    first, *panels = picture_of("small_multiples").figure.axes
    assert in_grey(first) == []
    for axes, previous in zip(panels, list(RUNGS.values())[:-1], strict=True):
        [grey] = in_grey(axes)
        assert grey is line_through(axes, ENV_STEPS, interquartile_mean(previous))


def test_small_multiples_recall_the_reference_everywhere():
    for axes in picture_of("reference").figure.axes:
        [grey] = in_grey(axes)
        assert grey is line_through(axes, ENV_STEPS, interquartile_mean(AROUND["sans"]))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_each_column_of_small_multiples_is_graduated_below(count):
    returns = {str(rank): CURVES for rank in range(count)}
    figure = figures.small_multiples(ENV_STEPS, returns, TITLE).figure
    assert len(figure.axes) == count
    columns = {axes.get_subplotspec().colspan.start for axes in figure.axes}
    numbered = [axis.axes for axis in numbered_axes(figure) if axis is axis.axes.xaxis]
    assert [axes.get_subplotspec().colspan.start for axes in numbered] == [
        rank % len(columns) for rank in range(count - len(columns), count)
    ]


@pytest.mark.parametrize(
    ("name", "grey"),
    [("small_multiples", "la recette du panneau d’avant"), ("reference", "« sans »")],
)
def test_the_text_of_small_multiples_gives_the_ends(name, grey):
    ends = [f"{name} ({interquartile_mean(r[:, -1]):.0f})" for name, r in RUNGS.items()]
    assert_told(picture_of(name), f"{grey} en gris", "95 %", ", ".join(ends))


def row_names(axes):
    """Le nom de chaque rangée, par sa hauteur."""
    axes.figure.draw_without_rendering()
    ticks = axes.yaxis.get_major_ticks()
    return {plain(tick.label1.get_text()): tick.get_loc() for tick in ticks}


def test_intervals_are_those_given_a_panel_each():
    figure = picture_of("intervals").figure
    rows = row_names(figure.axes[0])
    assert list(rows) == ["sans", "avec : γ = 1"]
    for axes, (label, estimates) in zip(figure.axes, ESTIMATES.items(), strict=True):
        assert axes.get_xlabel() == label
        assert len(axes.lines) == 2 * len(estimates)
        for name, (value, low, high) in estimates.items():
            line_through(axes, [low, high], [rows[name]] * 2)
            line_through(axes, [value], [rows[name]])
        bottom, top = axes.get_ylim()
        assert bottom > rows["avec : γ = 1"] > rows["sans"] > top  # de haut en bas


@pytest.mark.parametrize("count", [1, 3, 7])
def test_no_panel_of_intervals_is_left_empty(count):
    estimates = {f"{rank} m": {"a": (rank, 0, 9)} for rank in range(count)}
    figure = figures.intervals(estimates, TITLE).figure
    assert len(figure.axes) == count
    for rank, axes in enumerate(figure.axes):
        line_through(axes, [rank], [0])


def test_the_text_of_intervals_gives_the_values():
    assert_told(
        picture_of("intervals"),
        "retour à la fin (pas) : sans (412), avec : γ = 1 (497)",
        "seuil de la réussite (pas) : sans (18 000), avec : γ = 1 (0,25)",
    )


@pytest.mark.parametrize("log", [False, True])
def test_strips_show_every_seed_and_the_median(log):
    [axes] = figures.strips(STEPS, TITLE, COST, log=log).figure.axes
    assert axes.get_xscale() == ("log" if log else "linear")
    assert axes.get_xlabel() == COST
    rows, written = row_names(axes), [text.get_text() for text in axes.texts]
    assert list(rows) == list(STEPS)
    for (name, values), told in zip(STEPS.items(), written, strict=True):
        [dots] = [line for line in axes.lines if len(line.get_xdata()) == len(values)]
        np.testing.assert_array_equal(dots.get_xdata(), values)
        assert np.abs(dots.get_ydata() - rows[name]).max() < 0.5  # chacune dans sa rangée
        middle = median(values.tolist())
        [heights] = [line.get_ydata() for line in axes.lines if {*line.get_xdata()} == {middle}]
        assert min(heights) < rows[name] < max(heights)
        assert read(told) == pytest.approx(middle, rel=5e-3)  # trois chiffres utiles
    bottom, top = axes.get_ylim()
    assert bottom > rows["avec : γ = 1"] > rows["sans"] > top  # de haut en bas, dans l'ordre donné


def test_the_text_of_strips_gives_the_medians():
    values = {"une": [3, 1_000, 7], "autre": [1, 2], "seule": [0.01234], "2 × 32": [412]}
    picture = figures.strips(values, TITLE, COST)
    medians = "une (7), autre (1,5), seule (0,0123), 2 × 32 (412)"
    assert_told(picture, COST, f"médiane de chaque rangée : {medians}")


def test_a_seed_that_never_arrives_has_no_dot_and_counts_in_the_median():
    values = {"deux sur trois": [4, math.inf, 8.0], "une sur trois": [2, math.inf, math.inf]}
    picture = figures.strips(values, TITLE, COST, log=True)
    [axes] = picture.figure.axes
    written = [text.get_text().replace("\N{NO-BREAK SPACE}", " ") for text in axes.texts]
    assert written == ["jamais : 1", "8", "jamais : 2"]
    medians = "deux sur trois (8), une sur trois (jamais)"
    assert_told(picture, COST, f"médiane de chaque rangée : {medians}")


def test_draw_counts_tell_how_many_were_drawn():
    [axes] = picture_of("draw_counts").figure.axes
    segments = axes.collections[0].get_segments()
    assert {(int(x), int(high)) for (x, _), (_, high) in segments} == {
        (place, count) for place, count in enumerate(COUNTS.tolist()) if count
    }
    drawn = sum(count > 0 for count in COUNTS.tolist())
    assert_told(picture_of("draw_counts"), f"{drawn} transitions", "900")


@pytest.mark.parametrize(("action", "force"), [(0, f"{MINUS}10\u00a0N"), (1, "10\u00a0N")])
def test_a_diagram_tells_the_action_the_force_and_the_limits(action, force):
    found = texts(figures.cart_diagram((0.6, 0, 0.1, 0), action, TITLE).figure)
    assert f"action {action}\n{force}" in found
    for limit in (f"{MINUS}2,4\u00a0m", "2,4\u00a0m", f"{MINUS}12°", "12°"):
        assert limit in found


def test_colours_and_dashes_differ():
    assert len({to_hex(colour) for colour in figures.COLOURS}) == len(figures.COLOURS)
    assert len(set(map(str, figures.DASHES))) == len(figures.DASHES) == len(figures.MARKERS)


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


@pytest.mark.parametrize("name", EDGES)
def test_an_unusual_figure_is_drawn(name):
    picture = EDGES[name]()
    assert_ticks_are_true(picture.figure)
    assert picture.alt


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
    ("values", lambda: figures.strips({}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": []}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [[1, 2]]}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [math.nan]}, TITLE, COST)),
    ("values", lambda: figures.strips({"a": [1], "b": [3, 0]}, TITLE, COST, log=True)),
    ("log", lambda: figures.strips(STEPS, TITLE, COST, log="x")),
]


def banded(bands):
    return figures.curves(SIZES, COSTS, TITLE, LABELS, bands=bands)


@pytest.mark.parametrize(("name", "call"), BAD_CALLS)
def test_bad_arguments_are_refused_in_french(name, call):
    with pytest.raises((TypeError, ValueError)) as refusal:
        call()
    assert re.match(rf"{name}(?!\w).* (doit|doivent) ", str(refusal.value)), refusal.value
