"""Les feuilles des patients : ce qu'on y trace, ce qu'on en dit, et ce qu'on refuse d'y mettre."""

import numpy as np
import pytest
from handmade import BLANK, NORMAL, OUTSIDE, TITLE, assert_frame, plain
from matplotlib.colors import to_hex

from cartpole_helpers.display import style
from cartpole_helpers.teaching.clinic.charts import Chart
from cartpole_helpers.teaching.clinic.sheets import VITALS, sheet, wall


def test_a_sheet_draws_and_tells_the_chart_and_its_witness(unseen):
    for records, witness in ((NORMAL, None), (OUTSIDE, NORMAL), (BLANK, OUTSIDE)):
        picture = sheet(records, TITLE, witness)
        for vital, axes in zip(VITALS, picture.figure.axes, strict=True):
            assert_frame(axes, vital, records, witness)
            colours = [to_hex(line.get_color()) for line in axes.lines]
            count = len(vital.traced)
            assert colours == ["#6b6b6b"] * count * (witness is not None) + ["#0072b2"] * count
        told = [text.get_text() for text in picture.figure.legends[0].get_texts()]
        assert ("un témoin sain" in told) == (witness is not None)


def test_a_wall_is_a_row_a_patient_told_by_its_last_measures(unseen):
    patients = {12: (NORMAL, OUTSIDE), 3: (OUTSIDE, NORMAL), 7: (BLANK, NORMAL)}
    picture = wall(patients, TITLE)
    rows = np.reshape(picture.figure.axes, (3, 8))
    for row, (number, charts) in zip(rows, patients.items(), strict=True):
        assert row[0].get_ylabel() == str(number)
        for axes, vital in zip(row, VITALS, strict=False):
            assert_frame(axes, vital, *charts)
    sentences = plain(picture.alt).split(". Patient ")[1:]
    told = {int(one.split(",")[0]): one.split(" : ")[1].split(" ; ") for one in sentences}
    assert [*told] == [*patients]
    assert told[12][:2] == ["retour (pas) 480", "perte 0,8"]
    assert "mémoire (%) 1" in told[12]
    assert "perte l'infini" in told[3]
    assert {part.strip(".").endswith("sans mesure") for part in told[7]} == {True}


def test_charts_without_lines_or_of_one_are_drawn_and_the_same_bytes_twice(monkeypatch):
    monkeypatch.setattr(style, "_DPI", 20)
    empty, single = (Chart(*(column[:count] for column in NORMAL)) for count in (0, 1))
    late = NORMAL._replace(env_steps=NORMAL.env_steps * 3)
    picture = wall({1: (empty, empty), 2: (single, empty), 3: (NORMAL, late)}, TITLE)
    assert picture.png().startswith(b"\x89PNG")
    assert [axes.get_xlim()[1] for axes in picture.figure.axes[16:]] == [18] * 8
    assert sheet(OUTSIDE, TITLE).png() == sheet(OUTSIDE, TITLE).png()


def test_what_is_not_a_chart_is_refused():
    with pytest.raises(TypeError, match=r"^witness doit être un `Chart` : int reçu\.$"):
        sheet(NORMAL, TITLE, 3)
    with pytest.raises(ValueError, match=r"^loss doit être de forme"):
        sheet(NORMAL._replace(loss=np.zeros(3)), TITLE)
    for patients in ({}, {1: NORMAL}):
        with pytest.raises(ValueError, match=r"^patients doit "):
            wall(patients, TITLE)
