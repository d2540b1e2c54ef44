"""Toutes les figures : vraies, lisibles en français et sans les voir, les mêmes octets."""

import base64
import hashlib
import io
import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from drawn import (
    BAD_CALLS,
    CURVES,
    EDGES,
    EPISODE,
    MAKERS,
    OTHER_DATA,
    TITLE,
    assert_ticks_are_true,
    both_images,
    numbered_axes,
    picture_of,
    texts,
)
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from cartpole_helpers.display import figures
from cartpole_helpers.display.style import COLOURS, DASHES, MARKERS, Picture
from cartpole_helpers.policies import lqr


@pytest.fixture(params=MAKERS)
def picture(request):
    return picture_of(request.param)


@pytest.fixture(params=MAKERS)
def maker(request):
    return MAKERS[request.param]


# Une image


def test_a_picture_is_a_figure_and_its_text(picture):
    assert isinstance(picture, Picture)
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


@pytest.mark.parametrize("name", MAKERS)
def test_other_data_make_another_picture(name):
    assert OTHER_DATA[name]().png() != picture_of(name).png()


# Le texte n'y dit pas les données.
TELLING = {"phase_portraits", "cart_diagram", "bands", "reference"}


@pytest.mark.parametrize("name", sorted(set(MAKERS) - TELLING))
def test_other_data_make_another_text(name):
    assert OTHER_DATA[name]().alt != picture_of(name).alt


# Le français


def test_ticks_are_true_and_written_in_french(picture):
    assert_ticks_are_true(picture.figure)


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


def test_a_question_in_the_title_keeps_its_mark():
    picture = figures.cart_diagram((0, 0, 0, 0), 1, "Qui tient le plus longtemps ?")
    assert re.match("Qui tient le plus longtemps[\u00a0\u202f]\\? [A-ZÉ]", picture.alt)


def test_colours_and_dashes_differ():
    assert len({to_hex(colour) for colour in COLOURS}) == len(COLOURS)
    assert len(set(map(str, DASHES))) == len(DASHES) == len(MARKERS)


# Les cas limites


@pytest.mark.parametrize("name", EDGES)
def test_an_unusual_figure_is_drawn(name):
    picture = EDGES[name]()
    assert_ticks_are_true(picture.figure)
    assert picture.alt


@pytest.mark.parametrize(("name", "call"), BAD_CALLS)
def test_bad_arguments_are_refused_in_french(name, call):
    with pytest.raises((TypeError, ValueError)) as refusal:
        call()
    assert re.match(rf"{name}(?!\w).* (doit|doivent) ", str(refusal.value)), refusal.value
