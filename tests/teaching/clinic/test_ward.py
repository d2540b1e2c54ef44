"""La salle d'attente : ses patients, et ce qu'elle répond sans trop en dire.

Les cadres viennent de `handmade`, et le diagnostic sert d'arbitre à ce qu'ils montrent.
"""

import csv
import math
import re
from functools import lru_cache
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from handmade import (
    BLANK,
    FRAMES,
    NORMAL,
    SICK,
    STRANGE,
    TITLE,
    assert_frame,
    chart_of,
    frames,
    plain,
    tail,
)

from cartpole_helpers.teaching.clinic.charts import Chart, load_chart, save_chart
from cartpole_helpers.teaching.clinic.diagnosis import HEALTHY, ILLNESSES, diagnose
from cartpole_helpers.teaching.clinic.ward import Answers, Opinion, Round, Ward, telling

PATIENTS = Path(__file__).resolve().parents[3] / "etudes" / "patients"
ILLNESS = {illness.name: illness for illness in ILLNESSES}
EVERYONE = (HEALTHY, *ILLNESS)


def once(ward):
    """Ne lit chaque relevé qu'une fois."""
    ward._load = lru_cache(None, typed=True)(ward._load)
    return ward


@pytest.fixture(scope="module")
def ward():
    return once(Ward(PATIENTS))


@pytest.fixture(scope="module")
def accepted():
    """De quels noms on peut dire ce dont chacun souffre : numéro → maladies."""
    with (PATIENTS / "reponses.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    return {int(row["patient"]): [*filter(None, (row["maladie"], row["aussi"]))] for row in rows}


@pytest.fixture(scope="module")
def truths(accepted):
    """Ce dont chacun souffre : numéro → maladie."""
    return {number: names[0] for number, names in accepted.items()}


def admitted(folder, truth, *charts):
    """Une salle de relevés écrits à la main, numérotés à partir de 1 : tous souffrent de `truth`,
    ou chacun de ce que dit la liste."""
    names = [truth] * len(charts) if isinstance(truth, str) else truth
    folder.mkdir(exist_ok=True)
    rows = "".join(f"{number},{name}\n" for number, name in enumerate(names, 1))
    (folder / "reponses.csv").write_text(f"patient,maladie\n{rows}", "utf-8")
    for number, records in enumerate(charts, 1):
        save_chart(records, folder / f"patient_{number:02d}.csv")
        save_chart(NORMAL, folder / f"temoin_{number:02d}.csv")
    return Ward(folder)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """Un patient par maladie, dans l'ordre de `SICK`, puis un bien portant."""
    charts = [*(chart_of(**changes) for changes in SICK.values()), NORMAL]
    return once(admitted(tmp_path_factory.mktemp("hospital"), [*SICK, HEALTHY], *charts))


# La salle d'attente


def test_the_patients_are_those_of_the_folder(ward, truths, monkeypatch):
    assert ward.numbers == tuple(truths)
    for kind, found in (("patient", ward.chart(np.int64(3))), ("temoin", ward.witness(3))):
        np.testing.assert_array_equal(found, load_chart(PATIENTS / f"{kind}_03.csv"))
    monkeypatch.chdir(PATIENTS.parents[1] / "notebooks")
    assert Ward().numbers == tuple(truths)  # un carnet les trouve seul


def test_the_sheet_of_a_patient_has_its_witness(ward, unseen):
    picture = ward.sheet(5)
    assert plain(picture.alt).startswith("Patient 5 : que dit sa feuille ? À la fin")
    for frame, axes in frames(picture).items():
        assert_frame(axes, frame, ward.chart(5), ward.witness(5))


def test_the_wall_shows_the_chosen_patients(ward, unseen):
    rows = np.reshape(ward.wall(iter([9, 2, 9]), TITLE).figure.axes, (2, 8))
    for row, number in zip(rows, (9, 2), strict=True):
        assert row[0].get_ylabel() == str(number)
        for axes, frame in zip(row, FRAMES, strict=False):
            assert_frame(axes, frame, ward.chart(number), ward.witness(number))
    for nobody in ([], 3, None, np.array([])):
        with pytest.raises(ValueError, match=r"^numbers doit donner au moins un patient : .* reçu"):
            ward.wall(nobody, TITLE)


def test_a_number_that_is_nobody_s_is_refused(ward):
    for ask in (ward.chart, ward.witness, ward.sheet, lambda number: ward.wall([number], TITLE)):
        with pytest.raises(ValueError, match=r"^number doit être l'un de 1, 2, .*19 reçu"):
            ask(19)
    name = "^une clé de `answers` doit être"
    with pytest.raises(ValueError, match=rf"{name} l'un de 1, 2, .*0 reçu"):
        ward.judge({1: HEALTHY, 0: HEALTHY})
    with pytest.raises(TypeError, match=rf"{name} un entier : True reçu"):
        ward.judge({True: HEALTHY})


# Un dossier abîmé


def test_a_folder_without_patients_is_refused():
    for folder in ("nulle part", PATIENTS.parent):
        with pytest.raises(
            FileNotFoundError, match=r"^folder doit être le dossier des patients : "
        ):
            Ward(folder)
    with pytest.raises(TypeError, match=r"^folder doit être un chemin : 3 reçu\.$"):
        Ward(3)


HEAD = "patient,maladie\n"
BROKEN = [
    "",
    HEAD,
    f"{HEAD}1.0,lot trop petit\n",
    "patient\n1\n",
    "numéro,maladie\n1,lot trop petit\n",
    f"{HEAD}1,\n",
    f"{HEAD}1,lot trop petit\n2,mises à j",
    f"{HEAD}1,une grippe\n",
    f"{HEAD}1,lot trop petit\n1,unités mortes\n",
]


def test_a_broken_list_of_answers_is_refused_and_says_nothing(tmp_path):
    for content in BROKEN:
        (tmp_path / "reponses.csv").write_text(content, "utf-8")
        with pytest.raises(ValueError, match=r"^folder doit être le dossier des patients, t") as no:
            Ward(tmp_path)
        assert str(tmp_path / "reponses.csv") in str(no.value)
        assert not any(name in str(no.value) for name in ("lot trop", "mortes", "mises", "grippe"))


def test_a_missing_or_damaged_chart_is_said(tmp_path):
    ward = admitted(tmp_path, "lot trop petit", NORMAL)
    (tmp_path / "temoin_01.csv").unlink()
    (tmp_path / "patient_01.csv").write_text("env_steps\n3\n2\n")
    with pytest.raises(FileNotFoundError, match=r"^path doit être un relevé.*temoin_01\.csv"):
        ward.witness(1)
    for ask in (ward.chart, ward.sheet, lambda number: ward.judge({number: HEALTHY})):
        with pytest.raises(ValueError, match=r"^path doit être un relevé entier.*patient_01\.csv"):
            ask(1)


def test_a_chart_that_lost_its_lines_is_still_judged(tmp_path, unseen):
    """Vide, trop court ou sans mesures : rien n'y est affirmé."""
    charts = [Chart(*(column[:count] for column in NORMAL)) for count in (0, 1, 2)] + [BLANK]
    ward = admitted(tmp_path, "cible trop lente", *charts)
    for name in EVERYONE:
        found = ward.judge(dict.fromkeys(ward.numbers, name))
        assert all(opinion.reply for opinion in found.opinions), name
        assert found.right == (len(charts) if name == "cible trop lente" else 0)
    assert ward.sheet(1).alt
    assert "pas assez de mesures" in ward.reveal()._repr_html_()


# Les avis


def after(head, text):
    """Ce qu'on lit après deux points : la majuscule s'y perd."""
    return f"{head} : {text[0].lower()}{text[1:]}"


def shown(given):
    """Ce qui s'affiche, ligne à ligne ; `test_report` tient l'autre façon de le dire."""
    return [line.strip() for line in plain(repr(given)).splitlines()]


def test_the_right_name_is_confirmed_by_the_measure_and_its_cure(hospital):
    answers = dict(zip(hospital.numbers, [*SICK, HEALTHY], strict=True))
    found = hospital.judge(answers)
    assert found.right == len(answers) == len(found.opinions)
    assert found.waiting == 0
    for opinion, (number, name) in zip(found.opinions, answers.items(), strict=True):
        assert opinion[:3] == (number, name, True)
        hypotheses = diagnose(hospital.chart(number)).hypotheses
        expected = [
            line for one in hypotheses for line in (one.evidence, after("Remède", one.cure))
        ]
        assert [*opinion.reply] == (expected or ["Aucun signe n'est présent."])


def test_the_real_patients_are_confirmed_too(ward, truths):
    found = ward.judge(truths)
    assert (found.right, found.waiting) == (len(truths), 0)
    for opinion in found.opinions:
        seen = diagnose(ward.chart(opinion.patient))
        expected = {one.name: one.evidence for one in seen.hypotheses}
        assert opinion.reply[0] == expected.get(opinion.name, "Aucun signe n'est présent.")


def test_a_right_name_without_its_sign_claims_no_measure(tmp_path):
    name = "lot trop petit"
    [opinion] = admitted(tmp_path, name, NORMAL).judge({1: name}).opinions
    cure = after("Remède", ILLNESS[name].cure)
    assert opinion[2:] == (True, ("Son signe n'y est pourtant pas.", cure))
    [opinion] = admitted(tmp_path, HEALTHY, chart_of(epsilon=0.9)).judge({1: HEALTHY}).opinions
    assert opinion[2:] == (True, ("Une mesure en ferait douter.",))


def test_a_sign_that_is_not_there_is_denied(hospital):
    for number, truth in zip(hospital.numbers, [*SICK, HEALTHY], strict=True):
        for name in {*ILLNESS} - {truth}:
            [opinion] = hospital.judge({number: name}).opinions
            assert not opinion.right
            assert opinion.reply[0] == "Le signe de cette maladie n'y est pas."
            assert len(opinion.reply) == 2
            if truth == HEALTHY:
                assert opinion.reply[1] == "Ceux qui attendent ne sont pas tous malades."


BOTH = chart_of(loss=tail(-3, 0.8), q_limit=tail(1e5, 30))


@pytest.mark.parametrize(
    ("truth", "name", "expected"),
    [
        ("perte négative", "valeurs qui explosent", "mais une maladie plus directe l'explique."),
        ("valeurs qui explosent", "perte négative", "mais sa cause est ailleurs."),
        (HEALTHY, "perte négative", "mais sa cause est ailleurs."),
    ],
)
def test_a_sign_that_is_there_is_granted(truth, name, expected, tmp_path):
    [opinion] = admitted(tmp_path, truth, BOTH).judge({1: name}).opinions
    assert not opinion.right
    assert opinion.reply[0] == f"Ce signe y est, {expected}"


def test_an_illness_may_have_two_names(ward, accepted):
    [number] = [number for number, names in accepted.items() if len(names) > 1]
    replies = [ward.judge({number: name}).opinions[0] for name in accepted[number]]
    assert all(opinion.right for opinion in replies)
    assert replies[0].reply != replies[1].reply


def test_a_sick_patient_is_not_healthy(ward, truths):
    sick = [number for number, truth in truths.items() if truth != HEALTHY]
    found = ward.judge(dict.fromkeys(sick, HEALTHY))
    assert found.right == 0
    for opinion in found.opinions:
        illness = ILLNESS[truths[opinion.patient]]
        labels = telling(illness, ward.chart(opinion.patient))
        assert opinion.reply == (f"Regardez : {', '.join(labels)}",)


def test_a_wrong_answer_gives_advice_and_not_the_illness(ward, hospital):
    for place in (ward, hospital):
        truth = {one: name for one, name, *_ in place.reveal().rows[1:]}
        for name in EVERYONE:
            for opinion in place.judge(dict.fromkeys(place.numbers, name)).opinions:
                illness = truth[str(opinion.patient)]
                assert opinion.right == (name in illness.split(", ou "))
                if not opinion.right:
                    told = repr(opinion) + repr(Round((opinion,), 0))
                    assert illness not in plain(told)
                    assert len(opinion.reply[-1]) > len("Regardez : ")


def test_the_illness_that_no_frame_shows_gets_an_examination(hospital):
    found = hospital.judge(dict.fromkeys(hospital.numbers, HEALTHY))
    [hidden] = [one for one in found.opinions if one.reply[-1].startswith("Prochain examen : ")]
    name = [*SICK][hidden.patient - 1]
    assert name == "récompense perdue"
    assert hidden.reply == (after("Prochain examen", ILLNESS[name].test),)


def test_a_round_counts_and_shows_itself(ward, truths):
    wrong = {1: HEALTHY, 2: "lot trop petit"}
    found = ward.judge(wrong | {3: truths[3]})
    assert (found.right, found.waiting) == (1, len(truths) - 3)
    lines = shown(found)
    assert lines[0] == f"Avis justes : 1 sur 3. Patients qui attendent : {len(truths) - 3}."
    heads = [line for line in lines if line.startswith(("✔", "✘"))]
    assert heads == [
        "✘ Patient 1 : rien d'anormal",
        "✘ Patient 2 : lot trop petit",
        f"✔ Patient 3 : {truths[3]}",
    ]
    replies = [line for line in lines[1:] if line not in heads]
    assert replies == [plain(line) for opinion in found.opinions for line in opinion.reply]
    indented = [line for line in repr(found).splitlines() if line.startswith("    ")]
    assert len(indented) == len(replies)
    assert "Avis justes\u00a0: 1" in found._repr_html_()
    assert "rien d’anormal" in found._repr_html_()


def test_nobody_seen_is_said(ward):
    found = ward.judge({})
    assert (found.opinions, found.right, found.waiting) == ((), 0, 18)
    assert shown(found) == ["Avis justes : 0 sur 0. Patients qui attendent : 18."]


def test_what_is_shown_is_never_read_as_html():
    hostile = '</p><script>alert(1)</script> & "a" < b'
    opinion = Opinion(1, hostile, False, (hostile,))
    for page in (Round((opinion,), 0)._repr_html_(), Answers(((hostile,),))._repr_html_()):
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "&amp; &quot;a&quot; &lt; b" in page


def test_the_apostrophe_that_is_shown_can_be_typed(ward, truths):
    curly = {number: truth.replace("'", "’") for number, truth in truths.items()}
    assert any("’" in name for name in curly.values())
    assert ward.judge(curly) == ward.judge(truths)


def test_what_is_not_the_name_of_an_illness_is_refused(ward):
    for name, advice in (
        ("lot tro petit", "vouliez-vous dire 'lot trop petit' ?"),
        ("Rien d'anormal", 'vouliez-vous dire "rien d\'anormal" ?'),
        (None, f"les noms sont {', '.join(EVERYONE)}."),
    ):
        with pytest.raises(ValueError, match=r"^answers doit donner le nom d'une maladie") as no:
            ward.judge({1: HEALTHY, 4: name})
        assert str(no.value).endswith(f" : {name!r} reçu ; {advice}")
    with pytest.raises(TypeError, match=r"^answers doit être un dictionnaire, patient → nom : "):
        ward.judge([(1, HEALTHY)])


# Rien n'est révélé qu'on ne l'ait demandé


def test_a_ward_shows_nothing_of_its_patients(ward):
    assert plain(repr(ward)) == "Patients de la salle d'attente : 18."
    assert not hasattr(ward, "_repr_html_")
    assert all(name.startswith("_") for name in vars(ward))


def test_the_answers_are_folded_and_true(ward, accepted):
    answers = ward.reveal()
    assert not any(name in plain(repr(answers)) for name in EVERYONE)
    html = plain(unescape(answers._repr_html_()))
    assert html.startswith("<details><summary>Les réponses</summary><table>")
    assert html.endswith("</details>")
    rows = [re.findall("<td.*?>(.*?)</td>", row) for row in html.split("</tr>")[:-1]]
    assert rows[0] == ["patient", "ce dont il souffre", "ce que dit l'outil"]
    for (number, names, said), (one, expected) in zip(rows[1:], accepted.items(), strict=True):
        assert (int(number), names) == (one, ", ou ".join(expected))
        found = diagnose(ward.chart(one))
        assert said.split(", puis ") == ([h.name for h in found.hypotheses] or [found.verdict])


# Où la maladie se lit


def holds(name, records):
    return name in [one.name for one in diagnose(records).hypotheses]


def kept(records, fields):
    """Le relevé dont on ne garde que ces mesures, et les pas."""
    nothing = np.full(len(records.env_steps), math.nan)
    names = {*fields, "env_steps"}
    columns = zip(Chart._fields, records, strict=True)
    return Chart(*(column if name in names else nothing for name, column in columns))


def naive(name, records):
    """Les cadres sans lesquels `diagnose` ne voit plus rien, ou qui lui suffisent ; le compte des
    mises à jour, que presque tout signe demande, n'est dit que seul."""
    found = []
    for frame, (traced, _, _, _, also) in FRAMES.items():
        own = {*traced, *also}
        if not holds(name, kept(records, {*Chart._fields} - own)) or holds(
            name, kept(records, own)
        ):
            found.append(frame)
    return [frame for frame in found if frame != "mises à jour"] or found


def test_the_telling_frames_are_those_that_the_diagnosis_needs(ward):
    by_hand = [chart_of(**changes) for changes in SICK.values()]
    for records in [*by_hand, BOTH, STRANGE, *map(ward.chart, ward.numbers[::3])]:
        held = [one.name for one in diagnose(records).hypotheses]
        for name, illness in ILLNESS.items():
            expected = naive(name, records) if name in held else []
            assert telling(illness, records) == expected
    for blank in (BLANK, Chart(*(column[:0] for column in NORMAL))):
        assert not any(telling(illness, blank) for illness in ILLNESSES)


def test_the_telling_frames_are_those_one_expects(ward, truths):
    expected = {
        "récompense perdue": [],
        "masque oublié": ["perte", "Q, états perdus"],
        "mises à jour trop rares": ["mises à jour"],
        "politique évaluée périmée": ["retour (pas)"],
        "cible mal alignée": ["perte", "Q, états perdus", "relief de Q"],
        "γ = 1 ou presque": ["γ apparent"],
    }
    for name, labels in expected.items():
        assert telling(ILLNESS[name], chart_of(**SICK[name])) == labels, name
    for number, truth in truths.items():
        assert truth == HEALTHY or telling(ILLNESS[truth], ward.chart(number)), number
    assert not [(one, frame) for one in EVERYONE for frame in FRAMES if one in frame]
