"""La salle d'attente : ses patients, et ce qu'elle répond sans trop en dire."""

import csv

import numpy as np
import pytest
from handmade import NORMAL, SICK, TITLE, assert_frame, chart_of, plain, tail

from cartpole_helpers.teaching.clinic.charts import Chart, load_chart, save_chart
from cartpole_helpers.teaching.clinic.diagnosis import HEALTHY, ILLNESSES, diagnose, illness
from cartpole_helpers.teaching.clinic.sheets import VITALS
from cartpole_helpers.teaching.clinic.ward import (
    ACROBOT_PATIENTS,
    PATIENTS,
    Answers,
    Opinion,
    Round,
    Ward,
    telling,
)

EVERYONE = (HEALTHY, *(one.name for one in ILLNESSES))


@pytest.fixture(scope="module")
def ward():
    return Ward()


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


def reply(folder, truth, records, name):
    """Ce que répond, à `name`, une salle d'un seul patient écrit à la main."""
    (folder / "reponses.csv").write_text(f"patient,maladie\n1,{truth}\n", "utf-8")
    save_chart(records, folder / "patient_01.csv")
    [opinion] = Ward(folder).judge({1: name}).opinions
    assert opinion[:3] == (1, name, name == truth)
    return " ".join(opinion.reply)


# La salle d'attente


def test_the_patients_are_those_of_the_folder(ward, truths, monkeypatch, unseen):
    assert ward.numbers == tuple(truths)
    for kind, found in (("patient", ward.chart(np.int64(3))), ("temoin", ward.witness(3))):
        np.testing.assert_array_equal(found, load_chart(PATIENTS / f"{kind}_03.csv"))
    for axes, vital in zip(ward.sheet(5).figure.axes, VITALS, strict=True):
        assert_frame(axes, vital, ward.chart(5), ward.witness(5))
    rows = np.reshape(ward.wall(iter([9, 2, 9]), TITLE).figure.axes, (2, 8))
    assert [row[0].get_ylabel() for row in rows] == ["9", "2"]
    assert_frame(rows[1, 0], VITALS[0], ward.chart(2), ward.witness(2))
    monkeypatch.chdir(PATIENTS.anchor)  # le paquet les porte, où que l'on soit
    assert Ward().numbers == tuple(truths)
    assert Ward(ACROBOT_PATIENTS).numbers == (1, 2, 3, 4)


def test_what_is_asked_badly_is_refused(ward):
    calls = (
        (lambda: ward.chart(19), r"^number doit être l'un de 1, 2, .*19 reçu"),
        (lambda: ward.wall([], TITLE), "^numbers doit donner au moins un patient : "),
        (
            lambda: ward.judge({0: HEALTHY}),
            "^une clé de `answers` doit être l'un de 1, 2, .*0 reçu",
        ),
        (lambda: ward.judge([(1, HEALTHY)]), "^answers doit être un dictionnaire"),
        (
            lambda: ward.judge({1: "lot tro petit"}),
            r"^answers .*vouliez-vous dire 'lot trop petit'",
        ),
        (lambda: ward.judge({1: None}), r"^answers doit .* : None reçu ; les noms sont rien d'ano"),
    )
    for call, reason in calls:
        with pytest.raises((TypeError, ValueError), match=reason):
            call()


def test_a_damaged_folder_is_refused_and_says_nothing_of_the_answers(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^folder doit être le dossier des patients : "):
        Ward(tmp_path)
    head = "patient,maladie\n"
    lines = ("1,lot trop petit\n2,mises à j", "1,lot trop petit\n1,unités mortes\n", "")
    for content in ("patient\n1\n", *(head + line for line in lines)):
        (tmp_path / "reponses.csv").write_text(content, "utf-8")
        with pytest.raises(ValueError, match=r"^folder doit être le dossier des patients, t") as no:
            Ward(tmp_path)
        assert not any(name in str(no.value) for name in ("lot trop", "mortes", "mises"))
    (tmp_path / "reponses.csv").write_text(f"{head}1,lot trop petit\n", "utf-8")
    (tmp_path / "patient_01.csv").write_text("env_steps\n3\n2\n")
    with pytest.raises(ValueError, match=r"^path doit être un relevé entier.*patient_01\.csv"):
        Ward(tmp_path).judge({1: HEALTHY})


# Les avis


def test_the_right_name_is_confirmed_by_the_measure_and_its_cure(ward, truths, tmp_path):
    found = ward.judge(truths)
    assert (found.right, found.waiting) == (len(truths), 0)
    for opinion in found.opinions:
        seen = {one.name: one for one in diagnose(ward.chart(opinion.patient)).hypotheses}
        if opinion.name == HEALTHY:
            assert opinion.reply == ("Aucun signe n'est présent.",)
        else:
            assert opinion.reply[0] == seen[opinion.name].evidence
            assert opinion.reply[1].endswith(illness(opinion.name).cure[1:])
    name = "lot trop petit"  # sans son signe, aucune mesure n'est affirmée
    assert reply(tmp_path, name, NORMAL, name).startswith("Son signe n'y est pourtant pas. Remède")
    assert "en ferait douter" in reply(tmp_path, HEALTHY, chart_of(epsilon=0.9), HEALTHY)
    empty = Chart(*(column[:0] for column in NORMAL))
    assert reply(tmp_path, name, empty, name).startswith("Son signe n'y est pourtant pas.")


def test_a_sign_is_denied_or_granted(tmp_path):
    explosion = "valeurs qui explosent"
    both = chart_of(loss=tail(-3, 0.8), q_limit=tail(1e5, 30))
    direct = "Ce signe y est, mais une maladie plus directe l'explique."
    elsewhere = "Ce signe y est, mais sa cause est ailleurs."
    absent = "Le signe de cette maladie n'y est pas."
    assert reply(tmp_path, "perte négative", both, explosion).startswith(direct)
    assert reply(tmp_path, explosion, both, "perte négative").startswith(elsewhere)
    said = reply(tmp_path, HEALTHY, both, "perte négative")
    assert said == f"{elsewhere} Ceux qui attendent ne sont pas tous malades."
    assert reply(tmp_path, explosion, both, "unités mortes") == f"{absent} Regardez : Q, états sûrs"
    hidden = "récompense perdue"  # aucun cadre ne la montre
    said = reply(tmp_path, hidden, chart_of(**SICK[hidden]), HEALTHY)
    assert said.startswith("Prochain examen : ")
    assert said.endswith(illness(hidden).test[1:])


def test_a_wrong_answer_gives_advice_and_not_the_illness(ward, accepted):
    for name in EVERYONE:
        for opinion in ward.judge(dict.fromkeys(ward.numbers, name)).opinions:
            names = accepted[opinion.patient]
            assert opinion.right == (name in names)
            if not opinion.right:
                assert names[0] not in plain(repr(Round((opinion,), 0)))
                assert len(opinion.reply[-1]) > len("Regardez : ")


def test_a_round_counts_and_shows_itself(ward, truths):
    curly = truths[3].replace("'", "’")  # l'apostrophe que l'on montre peut se taper
    found = ward.judge({1: HEALTHY, 2: "lot trop petit", 3: curly})
    assert (found.right, found.waiting) == (1, len(truths) - 3)
    lines = [line.strip() for line in plain(repr(found)).splitlines()]
    assert lines[0] == f"Avis justes : 1 sur 3. Patients qui attendent : {len(truths) - 3}."
    heads = [line for line in lines if line.startswith(("✔", "✘"))]
    assert heads[1:] == ["✘ Patient 2 : lot trop petit", f"✔ Patient 3 : {truths[3]}"]
    assert "rien d’anormal" in found._repr_html_()
    assert ward.judge({}).waiting == len(truths)


def test_nothing_is_revealed_before_it_is_asked_nor_read_as_html(ward, accepted):
    answers = ward.reveal()
    for one, said in ((ward, repr(ward)), (answers, repr(answers))):
        assert not any(name in plain(said) for name in EVERYONE), one
    assert not hasattr(ward, "_repr_html_")
    assert answers._repr_html_().startswith("<details><summary>Les réponses</summary><table>")
    for row, (number, names) in zip(answers.rows[1:], accepted.items(), strict=True):
        found = diagnose(ward.chart(number))
        seen = ", puis ".join(one.name for one in found.hypotheses) or found.verdict
        assert row == (str(number), ", ou ".join(names), seen)
    opinion = Opinion(1, "<script>", False, ("<script>",))
    for page in (Round((opinion,), 0)._repr_html_(), Answers((("<script>",),))._repr_html_()):
        assert "<script" not in page


def test_the_telling_frames_are_those_that_the_diagnosis_needs(ward, truths):
    for number, truth in truths.items():
        assert truth == HEALTHY or telling(illness(truth), ward.chart(number)), number
    expected = {
        "récompense perdue": [],
        "masque oublié": ["perte", "Q, états perdus"],
        "mises à jour trop rares": ["mises à jour"],
        "politique évaluée périmée": ["retour (pas)"],
        "cible mal alignée": ["perte", "Q, états perdus", "relief de Q"],
        "γ = 1 ou presque": ["γ apparent"],
    }
    for name, labels in expected.items():
        assert telling(illness(name), chart_of(**SICK[name])) == labels, name
    assert telling(illness("γ = 1 ou presque"), NORMAL) == []
