"""Toutes les figures : vraies, lisibles en français et sans les voir, les mêmes octets."""

import base64
import hashlib
import inspect
import io
import re
import subprocess
import sys
from copy import deepcopy
from itertools import product

import matplotlib
import numpy as np
import pytest
from drawn import (
    COSTS,
    CURVES,
    DRAWINGS,
    LENGTHS,
    MAPS,
    TITLE,
    assert_ticks_are_true,
    both_images,
    draw,
    numbered_axes,
    picture_of,
    texts,
)
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_hex
from PIL import Image

from cartpole_helpers.display import figures
from cartpole_helpers.display.style import COLOURS, DASHES, MARKERS
from cartpole_helpers.policies import lqr

# Une image


def colours_of(content):
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_shows_itself_light_and_faithful(name):
    drawn, picture = both_images(name)
    data, metadata = InteractiveShell.instance().display_formatter.format(picture)
    assert set(data) == {"image/png", "text/plain"}
    light = base64.b64decode(data["image/png"])
    assert light == picture.png()
    assert metadata["image/png"]["alt"] == data["text/plain"] == picture.alt
    pixels, exact = colours_of(light), colours_of(drawn)
    shown = metadata["image/png"]["width"]
    assert 500 <= shown <= 900
    assert pixels.shape[1] == pytest.approx(2 * shown, abs=2)
    white = (exact == 255).all(axis=-1)
    assert 0.1 < white.mean() < 0.99
    assert len(np.unique(exact @ [1 << 16, 1 << 8, 1])) > 50  # rouge, vert, bleu
    assert (pixels[white] == 255).all()
    gap = np.abs(pixels - exact)
    gradient = name == "action_maps"  # une palette s'y verrait
    assert gap.max() <= (0 if gradient else 16)
    assert gap.mean() < 0.5
    assert len(light) < len(drawn) * (0.95 if gradient else 0.5)


# Le texte de celles-là n'y dit pas les données.
SILENT = {"phase_portraits", "cart_diagram", "components", "bands", "reference"}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_depends_on_its_data_alone(name):
    _, arguments, others, _ = DRAWINGS[name]
    before, settings = deepcopy(arguments), dict(matplotlib.rcParams)
    picture, other = picture_of(name), draw(name, **others)
    assert draw(name).png() == picture.png()
    assert other.png() != picture.png()
    assert name in SILENT or other.alt != picture.alt
    assert dict(matplotlib.rcParams) == settings
    np.testing.assert_equal(arguments, before)


def test_the_settings_of_the_reader_change_nothing():
    content = picture_of("learning_curves").png()
    theirs = {"savefig.facecolor": "black", "savefig.dpi": 30, "text.color": "white"}
    with matplotlib.rc_context(theirs | {"axes.facecolor": "black"}):
        assert draw("learning_curves").png() == content


def test_the_settings_come_back_even_after_an_error():
    before = dict(matplotlib.rcParams)
    with pytest.raises(ZeroDivisionError):
        figures.phase_portraits({"a": lqr, "b": lambda observations: 1 / 0}, 2, TITLE)
    assert dict(matplotlib.rcParams) == before


OTHER_PROCESS = """
import hashlib, sys
import numpy as np
from cartpole_helpers.display import figures
curves = figures.learning_curves(np.arange(4), 100.0 * np.arange(8).reshape(2, 4), "Un titre")
curves._repr_mimebundle_()
assert "matplotlib.pyplot" not in sys.modules
print(hashlib.sha256(curves.png()).hexdigest())
"""


def test_pyplot_is_never_imported_and_another_process_draws_the_same():
    command = [sys.executable, "-W", "error", "-c", OTHER_PROCESS]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    curves = figures.learning_curves(np.arange(4), 100.0 * np.arange(8).reshape(2, 4), "Un titre")
    assert run.stdout.strip() == hashlib.sha256(curves.png()).hexdigest()


# Ce qu'on y lit


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_reads_in_french(name):
    picture, graduated = picture_of(name), DRAWINGS[name][3]
    figure = picture.figure
    numbered = [*numbered_axes(figure)]
    assert len(numbered) == graduated
    if name not in ("cart_diagram", "verdicts"):
        assert_axes_are_named(figure, numbered)
    assert_ticks_are_true(figure)
    for text in [*texts(figure), picture.alt]:
        assert not re.search(r" [:;?!%»]|« ", text), text
    assert re.search("tient[\u00a0\u202f]: 50[\u00a0\u202f]%", figure.get_suptitle())
    box = figure.texts[0].get_window_extent()
    assert 0 <= box.x0 <= box.x1 <= figure.bbox.width
    assert box.y1 <= figure.bbox.height
    assert all(axes.has_data() or axes.texts for axes in figure.axes)


def assert_axes_are_named(figure, numbered):
    for axes in (axes for axes in figure.axes if axes.get_subplotspec()):
        below = axes.get_subplotspec().is_last_row()
        assert axes.get_xlabel() or figure.get_supxlabel() or not below
        left = axes.get_subplotspec().is_first_col()
        named = axes.get_ylabel() or figure.get_supylabel()
        assert named or not (left and axes.yaxis in numbered)


def test_a_long_title_is_wrapped_whole_and_a_question_keeps_its_mark():
    words = "Pousser du même côté que la tige tourne tient « cinq » fois plus longtemps qu'au "
    words += "hasard, mais dix fois moins que la règle d'un régulateur linéaire : pourquoi ?"
    picture = draw("cart_diagram", title=words)
    figure = picture.figure
    figure.draw_without_rendering()
    assert figure.get_suptitle().split() == words.replace("'", "’").split()
    assert figure.texts[0].get_window_extent().x1 <= figure.bbox.width
    assert re.search("«[\u00a0\u202f]cinq[\u00a0\u202f]» .*[\u00a0\u202f]\\? [A-Z]", picture.alt)


def test_a_name_is_shown_as_it_is_written():
    """Ni mathématiques entre deux dollars, ni erreur de Matplotlib."""
    name = r"de 5 $ à \frac$"
    picture = draw("curves", series={name: COSTS["une"]}, title=name)
    [axes] = picture.figure.axes
    for text in (axes.get_legend().get_texts()[0], picture.figure.texts[0]):
        assert text.get_text().replace("\u00a0", " ") == name
        assert not text.get_parse_math()


def test_colours_and_dashes_differ():
    assert len({to_hex(colour) for colour in COLOURS}) == len(COLOURS)
    assert len(set(map(str, DASHES))) == len(DASHES) == len(MARKERS)


# Les cas limites


EDGES = {
    "one_baseline": ("baselines", {"returns": {"LQR": [500.0]}}),
    "seven_survivals": ("survival", {"lengths": {str(k): LENGTHS["θ"] + k for k in range(7)}}),
    "three_policies": ("phase_portraits", {"policies": dict.fromkeys("abc", lqr), "episodes": 1}),
    "upright": ("cart_diagram", {"state": (0, 0, 0, 0)}),
    "leaning_left": ("cart_diagram", {"state": [-2.4, 0, -0.2, 0]}),
    "two_states": ("components", {"observations": np.eye(2, 4), "actions": [1]}),
    "one_seed": ("learning_curves", {"returns": CURVES[:1]}),
    "seven_recipes": ("learning_curves", {"returns": {str(k): CURVES / (k + 1) for k in range(7)}}),
    "same_values": ("action_maps", {"q_values": lambda states: 0 * states[:, :2]}),
    "outside_the_plane": ("memory_maps", {"observations": {"a": np.full((1, 4), 9.0)}}),
    "same_number": ("distributions", {"values": {"a": np.full(5, 2.0)}}),
    "no_point": ("points", {"series": {"a": ([], []), "b": ([1, 2], [3, 4])}}),
    "one_panel_beside_its_reference": ("reference", {"returns": {"a": CURVES, "sans": CURVES}}),
    "one_null_estimate": ("intervals", {"estimates": {"part (%)": {"a": (0, 0, 0)}}}),
    "one_seed_a_strip": ("strips", {"values": {"a": [0]}}),
    "same_seeds": ("strips", {"values": {"a": [500] * 9}, "log": True}),
    "tiny_seeds": ("strips", {"values": {"a": [1e-4, 0.02], "b": [3]}, "log": True}),
}


@pytest.mark.parametrize("name", EDGES)
def test_an_unusual_figure_is_drawn(name):
    drawing, changes = EDGES[name]
    picture = draw(drawing, **changes)
    assert_ticks_are_true(picture.figure)
    assert picture.alt


# Des objets qu'aucun argument n'attend, ou presque : une figure dessinée, ou un refus en français.
HIDDEN = np.ma.masked_array([1.0, 2.0], [False, True])
ODD = [None, -1, "texte", object(), [object()], {}, {3: [1.0]}, {"_x": [1.0]}, {"": [1.0]}]
ODD += [{"a": None}, {"a": {}}, {"a": {"b": 3}}, {"a": [np.nan]}, {"a": HIDDEN}, {"a": abs}]
ODD += [{"a": lambda states: None}, [[1], [1, 2]], ["a", 3], (2, 1)]
ARRAYS = [np.zeros(0), np.zeros((2, 3)), HIDDEN]
CHOSEN = {"action", "log", "reference"}  # `check_choice` ne compare pas un tableau


def test_no_argument_makes_a_figure_speak_english(monkeypatch):
    monkeypatch.setattr("cartpole_helpers.display.style._png", lambda figure: b"")
    for name, (figure, *_) in DRAWINGS.items():
        parameters = [*inspect.signature(getattr(figures, figure)).parameters]
        for argument, value in product(parameters, ODD + ARRAYS):
            if argument in CHOSEN and isinstance(value, np.ndarray):
                continue
            try:
                draw(name, **{argument: value})
            except (TypeError, ValueError) as error:
                told, names = str(error), "|".join(parameters)
                case = name, argument, value, told
                assert re.match(rf"({names})\b.* (doit|doivent) ", told), case


REFUSED = [
    ("baselines", {"returns": {}}),
    ("baselines", {"returns": {"LQR": []}}),
    ("baselines", {"returns": {"_LQR": [1.0]}}),
    ("baselines", {"returns": {"LQR": [np.nan]}}),
    ("baselines", {"returns": {"LQR": HIDDEN}}),
    ("baselines", {"title": None}),
    ("survival", {"limit": 0}),
    ("survival", {"marks": ["tôt"]}),
    ("draw_counts", {"counts": HIDDEN}),
    ("phase_portraits", {"policies": {"LQR": "lqr"}}),
    ("phase_portraits", {"policies": {"LQR": lambda states: 2 + 0 * states[:, 0]}}),
    ("phase_portraits", {"episodes": 0}),
    ("cart_diagram", {"state": (0, 0, 0)}),
    ("cart_diagram", {"action": 7}),
    ("components", {"observations": np.zeros((5, 3))}),
    ("components", {"actions": [0, 1]}),
    ("components", {"actions": np.full(len(DRAWINGS["components"][1]["actions"]), 2)}),
    ("components", {"names": ("x", "v")}),
    ("components", {"names": "abcd"}),
    ("learning_curves", {"returns": np.zeros((2, 4))}),
    ("learning_curves", {"returns": CURVES[:0]}),
    ("learning_curves", {"env_steps": []}),
    ("recipes", {"returns": {}}),
    ("recipes", {"returns": {"a": np.zeros((2, 4))}}),
    ("curves", {"series": {"une": np.zeros(3)}}),
    ("curves", {"labels": ("x", 3)}),
    ("curves", {"log": "z"}),
    ("bands", {"bands": {"autre": (COSTS["une"], COSTS["une"][1:])}}),
    ("bands", {"bands": {"inconnue": (COSTS["une"], COSTS["une"])}}),
    ("action_maps", {"q_values": lambda states: states}),
    ("action_maps", {"x_dot": "vite"}),
    ("action_maps", {"limits": (70, -35)}),
    ("memory_maps", {"observations": {"a": np.zeros((0, 4))}}),
    ("distributions", {"values": {"a": np.zeros((2, 2))}}),
    ("distributions", {"label": 3}),
    ("points", {"series": {"a": np.zeros((5, 2))}}),
    ("points", {"identity": 1}),
    ("verdicts", {"passed": np.zeros((3, 2))}),
    ("verdicts", {"passed": np.zeros((0, 3)), "rows": []}),
    ("verdicts", {"rows": ("la règle", 3)}),
    ("viability", {"maps": {"a": MAPS["au bord"][::-1]}}),
    ("viability", {"maps": {"a": (MAPS["au bord"][0], MAPS["au bord"][1][1:])}}),
    ("viability", {"maps": {"a": (np.full((27, 15), np.nan),) * 2}}),
    ("viability", {"thetas": np.zeros(27)}),
    ("traces", {"quantities": {"a": {}}}),
    ("traces", {"quantities": {"a": {"sans": CURVES}, "b": {"avec": CURVES}}}),
    ("traces", {"log": "perte"}),
    ("traces", {"log": ["inconnue"]}),
    ("traces", {"mark": "tôt"}),
    ("small_multiples", {"returns": {"a": CURVES[0]}}),
    ("small_multiples", {"reference": "sans"}),
    ("reference", {"returns": {"sans": CURVES}}),
    ("intervals", {"estimates": {"m": {"a": (1, 0)}}}),
    ("intervals", {"estimates": {"m": {"a": (1, 0, 2)}, "s": {"b": (1, 0, 2)}}}),
    ("strips", {"values": {"a": [np.inf]}}),
    ("strips", {"values": {"a": [1], "b": [3, 0]}, "log": True}),
]


def test_bad_arguments_are_refused():
    for name, changes in REFUSED:
        argument = next(iter(changes))
        with pytest.raises((TypeError, ValueError), match=rf"^{argument}\b.* (doit|doivent) "):
            raise AssertionError(f"{name} accepte {changes} : {draw(name, **changes)}")
