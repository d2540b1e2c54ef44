"""Les feuilles des patients : ce qu'on y trace, ce qu'on en dit, et ce qu'on refuse d'y mettre."""

import math
import re

import numpy as np
import pytest
from handmade import (
    BLANK,
    BLUE,
    FRAMES,
    GREY,
    NORMAL,
    STRANGE,
    TITLE,
    WITNESS,
    assert_frame,
    chart_of,
    frames,
    plain,
)
from matplotlib.colors import to_hex

from cartpole_helpers.display import style
from cartpole_helpers.teaching.clinic.charts import Chart
from cartpole_helpers.teaching.clinic.sheets import sheet, wall

SCALES = [
    "0 à 500",
    "$10^{-4}$ à $10^{4}$",
    "0 à 150",
    "−10 à 40",
    "$10^{-8}$ à $10^{-1}$",
    "0 à 1",
    "$10^{-2}$ à $10^{2}$",
    "$10^{0}$ à $10^{5}$",
]


@pytest.mark.parametrize(
    ("records", "witness"),
    [
        (NORMAL, None),
        (STRANGE, WITNESS),
        (BLANK, NORMAL),
        (chart_of(loss=math.inf, drift=math.nan), BLANK),
    ],
)
def test_a_sheet_draws_and_tells_the_chart_and_its_witness(records, witness, unseen):
    picture = sheet(records, TITLE, witness)
    drawn = frames(picture)
    assert [*drawn] == [*FRAMES]
    for frame, axes in drawn.items():
        assert_frame(axes, frame, records, witness)
    [legend] = picture.figure.legends
    told = [text.get_text() for text in legend.get_texts()]
    assert ("un témoin sain" in told) == (witness is not None)
    assert [to_hex(line.get_color()) for line in legend.get_lines()] == [BLUE, BLUE, GREY][
        : len(told)
    ]
    told = re.fullmatch(rf"{TITLE}\. À la fin : (.*)\.", plain(picture.alt))
    assert_told(told[1], records)


def test_the_strange_charts_leave_every_frame_by_both_edges():
    for names, unit, low, high, _ in FRAMES.values():
        values = np.concatenate([getattr(STRANGE, name) * unit for name in names])
        assert (values < low).any()
        assert (values > high).any()
        assert np.isnan(values).any()


def test_a_witness_of_another_length_stays_in_the_frame(unseen):
    for factor in (0.5, 3):
        longer = NORMAL._replace(env_steps=NORMAL.env_steps * factor)
        for axes in wall({1: (NORMAL, longer)}, TITLE).figure.axes:
            assert axes.get_xlim() == (0, max(6, 6 * factor))


def test_a_lonely_measure_is_marked_and_the_others_are_not(unseen):
    greedy = np.full(len(NORMAL.greedy), math.nan)
    greedy[3] = 200
    axes = wall({1: (chart_of(greedy=greedy), NORMAL)}, TITLE).figure.axes[0]
    assert [line.get_marker() for line in axes.lines] == ["None", "None", ".", "None"]


def test_a_wall_is_a_row_a_patient(unseen):
    patients = {12: (STRANGE, WITNESS), 3: (NORMAL, BLANK), 7: (BLANK, NORMAL)}
    rows = np.reshape(wall(patients, TITLE).figure.axes, (3, 8))
    for row, (number, charts) in zip(rows, patients.items(), strict=True):
        assert row[0].get_ylabel() == str(number)
        for axes, frame in zip(row, FRAMES, strict=False):
            assert_frame(axes, frame, *charts)
            assert [*axes.get_xticks(), *axes.get_yticks(), *axes.get_yticks(minor=True)] == []
    heads = [plain(axes.get_title()).split("\n") for axes in rows[0]]
    assert heads == [[*pair] for pair in zip([*FRAMES][:8], SCALES, strict=True)]
    assert {axes.get_title() for axes in rows[1:].flat} == {""}


def told_number(text):
    """Le nombre qu'une personne lit."""
    if text == "l'infini":
        return math.inf
    mantissa, _, power = plain(text).replace("−", "-").partition(" × 10")
    power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(mantissa.replace(",", ".").replace(" ", "")) * 10.0 ** int(power or 0)


def assert_told(sentence, records):
    """La phrase donne, cadre par cadre, la dernière mesure, ou dit qu'il n'y en a pas."""
    parts = plain(sentence).split(" ; ")
    assert len(parts) == len(FRAMES)
    for part, (frame, (names, unit, *_)) in zip(parts, FRAMES.items(), strict=True):
        assert part.startswith(f"{frame} ")
        written = part.removeprefix(f"{frame} ")
        measured = [value for value in getattr(records, names[0]) if not math.isnan(value)]
        if measured:
            assert told_number(written) == pytest.approx(measured[-1] * unit, rel=0.05)
        else:
            assert written == "non mesuré"


def test_a_wall_is_told_patient_by_patient(unseen):
    dashed = chart_of(greedy=math.nan)  # de traits pleins, il n'y a plus que ceux du jeu
    told = plain(wall({4: (NORMAL, BLANK), 2: (BLANK, NORMAL), 1: (dashed, NORMAL)}, TITLE).alt)
    found = re.fullmatch(
        rf"{TITLE}\. Patient 4, à la fin : (.*)\. Patient 2, à la fin : (.*)\. Patient 1, (.*)\.",
        told,
    )
    assert_told(found[1], NORMAL)
    assert_told(found[2], BLANK)
    assert "retour (pas) 300 ;" in found[3]


def short_and_uneven():
    """Des patients sans une ligne, d'une seule, d'un seul instant nul, ou au témoin plus long."""
    empty, single = (Chart(*(column[:count] for column in NORMAL)) for count in (0, 1))
    late = NORMAL._replace(env_steps=NORMAL.env_steps * 3)
    zero = single._replace(env_steps=np.zeros(1))
    pairs = [(empty, empty), (single, empty), (NORMAL, late), (zero, zero)]
    return wall(dict(enumerate(pairs)), TITLE)


def test_the_same_charts_make_the_same_bytes_without_a_warning(monkeypatch):
    monkeypatch.setattr(style, "_DPI", 20)
    before = [column.copy() for column in STRANGE]
    content = sheet(STRANGE, TITLE).png()
    assert content.startswith(b"\x89PNG")
    assert sheet(STRANGE, TITLE).png() == content
    assert short_and_uneven().png()
    for column, kept in zip(STRANGE, before, strict=True):
        np.testing.assert_array_equal(column, kept)


def test_what_is_not_a_chart_is_refused():
    with pytest.raises(TypeError, match=r"^chart doit être un `Chart` : int reçu\.$"):
        sheet(3, TITLE)
    with pytest.raises(TypeError, match=r"^witness doit être un `Chart` : int reçu\.$"):
        sheet(NORMAL, TITLE, 3)
    with pytest.raises(ValueError, match=r"^loss doit être de forme"):
        sheet(NORMAL._replace(loss=np.zeros(3)), TITLE)
    for patients, reason in (
        ({1: (NORMAL, 3)}, r"chaque relevé de `patients` doit être un `Chart` : "),
        ({}, "patients doit être un dictionnaire non vide : "),
        ([(NORMAL, NORMAL)], "patients doit être un dictionnaire non vide : "),
        ({1: NORMAL}, "patients doit donner à chacun deux relevés, .* reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{reason}"):
            wall(patients, TITLE)
