"""Le diagnostic : chaque signe sur des relevés écrits à la main, puis l'étude et les patients."""

import csv
import math
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handmade import COLUMNS, EDGES, chart_of

from cartpole_helpers import QUICK, load_study, record, train
from cartpole_helpers.teaching.clinic import thresholds
from cartpole_helpers.teaching.clinic.charts import Chart, load_chart
from cartpole_helpers.teaching.clinic.diagnosis import (
    HEALTHY,
    ILLNESSES,
    UNKNOWN,
    diagnose,
    illness,
)
from cartpole_helpers.teaching.clinic.ward import PATIENTS

STUDIES = Path(__file__).resolve().parents[3] / "etudes"
ORDER = [one.name for one in ILLNESSES]
NAMES = {*ORDER}
SMALL = replace(QUICK, total_steps=2_400, hidden=(16, 16), warmup=64)
COMPARED = ("gradient_steps", "q_safe", "stored", "stored_reward", "loss", "greedy", "played")


def names(found):
    return [hypothesis.name for hypothesis in found.hypotheses]


def found_in(**changes):
    return diagnose(chart_of(**changes))


# Les règles


def test_a_normal_chart_is_healthy():
    assert found_in().enough is True
    found = diagnose(chart_of())
    assert found.hypotheses == found.unseen == ()
    assert found.verdict == HEALTHY == "rien d'anormal"
    assert found_in(discount=0.955, stored_reward=2.95).verdict == HEALTHY  # γ = 0,985 à trois pas


def test_what_is_said_of_an_illness_is_made_of_sentences():
    for one in ILLNESSES:
        assert one.fault[0].islower(), one.name
        assert one.fault.endswith("."), one.name
        for sentence in (one.test, one.cure):
            assert sentence[0].isupper() or sentence[0] in "γεQ", sentence
            assert not sentence.isupper(), sentence
            assert sentence.endswith((".", "?")), sentence


def test_each_threshold_lies_where_it_is_said_whatever_else_is_missing():
    nothing = dict.fromkeys({*COLUMNS} - {"env_steps", *COMPARED}, math.nan)
    for name, sick, sound in EDGES:
        assert names(found_in(**sick)) == [name], sick
        assert found_in(**sound).verdict == HEALTHY, (name, sound)
        assert name in names(found_in(**nothing | sick)), name
    assert {name for name, *_ in EDGES} == NAMES


def test_hypotheses_come_in_the_order_of_the_table():
    found = names(found_in(discount=1.1, q_limit=1e6, loss=-1.0))
    assert found == ["perte négative", "valeurs qui explosent", "γ = 1 ou presque"]


HIDDEN = {
    "lag": {"pas de réseau cible"},
    "epsilon": {"ε bloqué haut", "aucune exploration"},
    "q_doomed": set(),
    "discount": {"γ = 1 ou presque"},  # Q monte encore : γ n'est pas trop petit
}


def test_a_missing_measure_alarms_nobody_and_what_it_hides_is_said():
    for name in COLUMNS.keys() - {"env_steps"}:
        found = found_in(**{name: math.nan})
        assert found.verdict == HEALTHY, name
        assert {*found.unseen} == HIDDEN.get(name, {*found.unseen}), name
    short = [Chart(*(column[:n] for column in chart_of(epsilon=0.0))) for n in range(7)]
    for found in map(diagnose, short[:6]):
        assert (found.verdict, found.enough, {*found.unseen}) == (UNKNOWN, False, NAMES)
    assert diagnose(short[6]).verdict == "aucune exploration"


def test_a_diagnosis_shows_the_measure_and_the_cure():
    found = found_in(drift=1.5e-6, lag=math.nan)
    assert "1,5 × 10⁻⁶" in found.hypotheses[0].evidence
    assert repr(found).splitlines()[0].endswith("trop petit")
    assert "Remède" in repr(found)
    assert "pas de réseau cible" in found._repr_html_()


def test_a_history_is_enough_for_what_it_holds():
    history = record(train(replace(SMALL, epsilon_end=1.0), [0, 1]))
    found = diagnose(history, 1)
    assert names(found) == ["ε bloqué haut"]
    assert {"γ trop petit", "unités mortes", "masque oublié"} <= set(found.unseen)
    history.loss[-3:] = np.nan
    assert names(diagnose(history, 1))[0] == "valeurs qui explosent"
    with pytest.raises(ValueError, match=r"^agent doit .*2 reçu"):
        diagnose(history, 2)


def test_what_is_not_a_record_nor_an_illness_is_refused():
    assert [illness(name) for name in ORDER] == [*ILLNESSES]
    with pytest.raises(ValueError, match=r"^name doit .*Vouliez-vous dire 'masque oublié' \?$"):
        illness("masque oublie")
    with pytest.raises(TypeError, match=r"^records doit être un `Chart` ou un `History`"):
        diagnose((1, 2))


# L'étude et les patients


@pytest.fixture(scope="module")
def study():
    return load_study(STUDIES / "clinique.csv")


@pytest.fixture(scope="module")
def script():
    """Le script de l'étude, dont on refait une ligne et un patient."""
    sys.path.insert(0, str(STUDIES))
    yield runpy.run_path(str(STUDIES / "clinique.py"))
    sys.path.remove(str(STUDIES))


def test_the_archive_has_every_illness(study, script):
    assert {*study["maladie"].tolist()} == NAMES | {HEALTHY, script["UNLISTED"]}


def test_the_archive_is_what_the_script_finds(study, script):
    """Les derniers chiffres des degrés tiennent au processeur."""
    made = script["STUDY"]
    name = script["identity"]("cible jamais synchronisée", "rapide")
    seed = made.seeds_of(name)[1]
    [row] = made.measure(made.settings[name], [seed])
    place = (study["graine"] == seed).argmax()
    found = dict(zip(made.header(), (*name, *row), strict=True))
    for name in ("maladie", "dose", "hypothese_1", "hypothese_2", "journal_1", "journal_2"):
        assert found[name] == study[name][place]
    degrees = [float(found[name]) for name in ORDER]
    np.testing.assert_allclose(degrees, [study[name][place] for name in ORDER], rtol=0.02)


def test_a_refitted_threshold_ignores_the_recipe_it_judges():
    """Chez a, 3 reste sous √(1 × 16), la coupe de b et c ; avec a, elle serait √(1 × 3)."""
    sick = {"a": 3, "b": 16, "c": 64}
    rows = [(recipe, name) for recipe in sick for name in (HEALTHY, *ORDER)]
    recipes, maladies = map(np.array, zip(*rows, strict=True))
    own = np.array([sick[recipe] for recipe in recipes])
    study = {"recette": recipes, "maladie": maladies}
    study["dose"] = np.where(maladies == HEALTHY, "aucune", "forte")
    study |= {name: np.where(maladies == name, own, 1) for name in ORDER}
    expected = (maladies[:, None] == ORDER) & (recipes != "a")[:, None]
    np.testing.assert_array_equal(thresholds.refitted(study), expected)


def answers():
    with (PATIENTS / "reponses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stored(kind, row):
    return load_chart(PATIENTS / f"{kind}_{int(row['patient']):02d}.csv")


def test_the_patients_are_diagnosed_and_their_witnesses_healthy(study, script):
    for row in answers():
        assert diagnose(stored("patient", row)).verdict == row["maladie"], row
        assert diagnose(stored("temoin", row)).verdict == HEALTHY, row
    place = (study["graine"] == script["DIVERGENCE"][1]).argmax()
    found = diagnose(load_chart(PATIENTS / "divergence.csv"))
    assert study["maladie"][place] == HEALTHY
    assert study["hypothese_1"][place] == found.verdict == "valeurs qui explosent"


def test_a_patient_is_a_real_run(script):
    [row] = [row for row in answers() if row["maladie"] == "mises à jour trop rares"]
    [seen] = script["builder"](row["maladie"], row["recette"])([int(row["graine"])])
    np.testing.assert_allclose(stored("patient", row), seen, rtol=1e-3, atol=1e-6)
