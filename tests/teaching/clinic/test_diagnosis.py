"""Le diagnostic : chaque signe sur des relevés écrits à la main, puis l'étude et les patients."""

import csv
import math
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handmade import COLUMNS, SICK, K, chart_of, tail

from cartpole_helpers import QUICK, load_study, record, train
from cartpole_helpers.teaching.clinic import diagnosis
from cartpole_helpers.teaching.clinic.charts import Chart, load_chart
from cartpole_helpers.teaching.clinic.diagnosis import (
    HEALTHY,
    ILLNESSES,
    UNKNOWN,
    Sign,
    diagnose,
    illness,
)

STUDIES = Path(__file__).resolve().parents[3] / "etudes"
PATIENTS = STUDIES / "patients"
ORDER = [one.name for one in ILLNESSES]
NAMES = {*ORDER}


def names(found):
    return [hypothesis.name for hypothesis in found.hypotheses]


def found_in(**changes):
    return diagnose(chart_of(**changes))


# Les règles

ALSO_SICK = [
    ("valeurs qui explosent", {"loss": tail(math.inf, 0.8)}),
    ("valeurs qui explosent", {"q_limit": tail(math.inf, 30)}),
    ("valeurs qui explosent", {"q_limit": math.nan, "loss": tail(1e9, 0.8)}),
    ("mises à jour trop rares", {"gradient_steps": 0}),
    (  # γ = 0,5 à trois pas
        "γ trop petit",
        {
            "discount": 0.125,
            "stored_reward": 1.75,
            "q_safe": 2.0,
            "target_safe": np.linspace(1.9, 2, K),
        },
    ),
]
SHORT = {"q_safe": 2.0, "target_safe": np.linspace(1.9, 2, K)}
ALIKE = {"flatness": 0.005}
SLOPE = np.arange(K)


def last_two(value, rest):
    return tail(value, rest, 2)


# Ce qui suffit, puis ce qui ne suffit pas encore : un cinquième, ou moins, de part et d'autre
EDGES = [
    ("récompense perdue", {"stored_reward": 0.008}, {"stored_reward": 0.012}),
    ("masque oublié", {"fall_cost": 4.8}, {"fall_cost": 3.4}),
    ("masque oublié", {"missed_ends": 0.12}, {"missed_ends": 0.08}),
    ("valeurs qui explosent", {"q_limit": 3_600.0}, {"q_limit": 2_500.0}),
    ("ε bloqué haut", {"epsilon": 0.85}, {"epsilon": 0.65}),
    ("ε bloqué haut", {"epsilon": last_two(0.892, 0.9)}, {"epsilon": last_two(0.888, 0.9)}),
    ("aucune exploration", {"epsilon": 0.008}, {"epsilon": 0.012}),
    ("mises à jour trop rares", {"gradient_steps": 3.3 * SLOPE}, {"gradient_steps": 4.7 * SLOPE}),
    (
        "politique évaluée périmée",
        {"disagreement": math.nan, "greedy": 55.0},
        {"disagreement": math.nan, "greedy": 77.0},
    ),
    (
        "politique évaluée périmée",
        {"disagreement": 0.3, "greedy": 90.0},
        {"disagreement": 0.2, "greedy": 90.0},  # un creux passager
    ),
    (
        "cible jamais synchronisée",
        {"q_safe": 1.0, "target_safe": 1 + tail(8e-7, 0)},
        {"q_safe": 1.0, "target_safe": 1 + tail(1.2e-6, 0)},
    ),
    ("cible trop lente", {"target_safe": 2 * SLOPE}, {"target_safe": 2.3 * SLOPE}),
    ("pas de réseau cible", {"lag": 0.0}, {"lag": tail(1e-9, 0)}),
    ("unités mortes", {"dead": 0.7}, {"dead": 0.5}),
    (
        "pas d'apprentissage trop grand",
        {"drift": tail(5e-4, 0.0145)},
        {"drift": tail(5e-4, 0.0098)},
    ),
    ("pas d'apprentissage trop petit", {"drift": 2.5e-5}, {"drift": 3.6e-5}),
    (
        "pas d'apprentissage tombé au plancher",
        {"drift": tail(1e-3 / 600, 1e-3)},
        {"drift": tail(1e-3 / 420, 1e-3)},
    ),
    ("lot trop petit", {"loss_spread": 2.3}, {"loss_spread": 2.0}),
    (
        "mémoire sans chute",
        {"stored_falls": last_two(0, 0.02)},
        {"stored_falls": tail(0, 0.02, 1)},
    ),
    ("cible mal alignée", ALIKE | {"fall_cost": 0.24}, ALIKE | {"fall_cost": 0.16}),
    ("cible mal alignée", ALIKE | {"fall_cost": 2.7}, ALIKE | {"fall_cost": 3.7}),
    (
        "cible mal alignée",
        {"flatness": 0.025, "fall_cost": 0.6},
        {"flatness": 0.036, "fall_cost": 0.6},
    ),
    ("γ = 1 ou presque", {"discount": 0.998}, {"discount": 0.99}),
    ("γ trop petit", SHORT | {"discount": 0.72}, SHORT | {"discount": 0.78}),
    (  # les valeurs montent encore
        "γ trop petit",
        SHORT | {"discount": 0.5, "q_safe": last_two(2.05, 2)},
        SHORT | {"discount": 0.5, "q_safe": last_two(2.08, 2)},
    ),
]
STILL_HEALTHY = [
    {"loss": 0.0, "fall_cost": 0.0},
    {"epsilon": np.linspace(1, 0.8, K)},  # il descend encore
    {"stored_falls": np.where(np.arange(K) == 0, 0, 0.02)},
    {"discount": 0.955, "stored_reward": 2.95},  # γ = 0,985 à trois pas
    # γ = 0,8 à trois pas : l'horizon est de cinq
    {"discount": 0.512, "stored_reward": 2.44, "q_safe": 5.0, "target_safe": tail(4.9, 5)},
]


def test_a_normal_chart_is_healthy():
    found = diagnose(chart_of())
    assert found.hypotheses == found.unseen == ()
    assert found.enough
    assert found.verdict == HEALTHY == "rien d'anormal"


def test_each_sign_is_recognised_alone_and_said_in_french():
    assert SICK.keys() == NAMES
    for name, changes in [*SICK.items(), *ALSO_SICK]:
        found = found_in(**changes)
        assert names(found) == [name], changes
        for sentence in found.hypotheses[0][1:]:
            assert sentence[0].isupper() or sentence[0] in "γεQ0123456789", sentence
            assert sentence.endswith((".", "?")), sentence
            assert not any(word in sentence for word in ("nan", "inf ", "e-0", "e+0")), sentence


def test_each_threshold_lies_where_it_is_said():
    for name, sick, sound in EDGES:
        assert names(found_in(**sick)) == [name], sick
        assert found_in(**sound).verdict == HEALTHY, (name, sound)
    for changes in STILL_HEALTHY:
        assert found_in(**changes).verdict == HEALTHY, changes


def test_a_sign_is_seen_with_no_other_measure():
    """Ce qui ne porte pas le signe peut manquer, hors ce à quoi il se compare."""
    compared = ("gradient_steps", "q_safe", "stored", "stored_reward", "loss", "greedy", "played")
    nothing = dict.fromkeys({*COLUMNS} - {"env_steps", *compared}, math.nan)
    for name, changes in [*SICK.items(), *ALSO_SICK]:
        assert name in names(found_in(**nothing | changes)), name


@pytest.mark.parametrize(
    ("sign", "degrees"),
    [
        (Sign(lambda c: c, 4), {8: 2, 4: 1, -1: -0.25, math.inf: math.inf}),
        (Sign(lambda c: c, 4, below=True), {8: 0.5, 4: 1, 0: math.inf, -1: math.inf}),
        (Sign(lambda c: c, 0, fact=True), {1e-9: math.inf, 0: 0, -1: 0}),
        (Sign(lambda c: c, 0, below=True, fact=True), {1e-9: 0, 0: math.inf}),
    ],
    ids=["au-dessus", "en dessous", "fait", "fait, en dessous"],
)
def test_a_degree_is_one_at_the_threshold_and_grows_beyond(sign, degrees):
    for value, expected in degrees.items():
        assert sign.degree(value) == expected, value
    assert math.isnan(sign.degree(math.nan))


def test_an_illness_wants_all_its_signs_or_only_one():
    """Un signe sous son seuil suffit à écarter ; un signe qui manque, à ne pas conclure."""
    cases = {
        (3, 2): (2, 3),
        (3, 0.5): (0.5, 3),
        (math.nan, 0.5): (0.5, 0.5),
        (math.nan, 2): (math.nan, 2),
        (math.nan, math.nan): (math.nan, math.nan),
    }
    for values, expected in cases.items():
        signs = tuple(Sign(lambda c, value=value: value, 1) for value in values)
        for either, wanted in zip((False, True), expected, strict=True):
            one = ILLNESSES[0]._replace(signs=signs, either=either)
            np.testing.assert_equal(diagnosis.degree(one, chart_of()), wanted)


def test_a_target_that_does_not_move_is_named_even_at_zero_and_not_when_it_diverges():
    still = names(found_in(target_safe=0.0, q_safe=0.0))
    assert "cible jamais synchronisée" in still
    diverged = names(found_in(target_safe=tail(math.inf, 20), q_limit=tail(math.inf, 30)))
    assert diverged == ["valeurs qui explosent"]


def test_hypotheses_come_in_the_order_of_the_table():
    found = names(found_in(discount=1.1, q_limit=1e6, loss=-1.0))
    assert found == ["perte négative", "valeurs qui explosent", "γ = 1 ou presque"]
    assert [*map(ORDER.index, found)] == sorted(map(ORDER.index, found))


HIDDEN = {
    "dead": {"unités mortes"},
    "lag": {"pas de réseau cible"},
    "epsilon": {"ε bloqué haut", "aucune exploration"},
    "target_safe": {"cible jamais synchronisée", "cible trop lente"},
    "q_doomed": set(),
    "loss_spread": {"lot trop petit"},
    "discount": {"γ = 1 ou presque"},  # Q monte encore : γ n'est pas trop petit
}


def test_a_missing_measure_alarms_nobody_and_what_it_hides_is_said():
    for name in COLUMNS.keys() - {"env_steps"}:
        found = found_in(**{name: math.nan})
        assert found.verdict == HEALTHY, name
        assert {*found.unseen} == HIDDEN.get(name, {*found.unseen}), name


def test_too_few_measures_mean_nothing_known():
    nothing = found_in(**dict.fromkeys(COLUMNS.keys() - {"env_steps"}, math.nan))
    short = [Chart(*(column[:n] for column in chart_of(epsilon=0.0))) for n in range(7)]
    for found in (nothing, diagnose(record([])), *map(diagnose, short[:6])):
        assert (found.verdict, found.enough) == (UNKNOWN, False)
        assert {*found.unseen} == NAMES
    assert diagnose(short[6]).verdict == "aucune exploration"


def test_the_evidence_quotes_the_measure():
    [hypothesis] = found_in(epsilon=0.9).hypotheses
    assert "ε vaut encore 0,9" in hypothesis.evidence
    [hypothesis] = found_in(dead=0.955).hypotheses
    assert hypothesis.evidence.startswith("95,5 %")
    [hypothesis] = found_in(drift=1.5e-6).hypotheses
    assert "1,5 × 10⁻⁶" in hypothesis.evidence
    [hypothesis] = found_in(missed_ends=1.0).hypotheses
    assert hypothesis.evidence.startswith("100 % des chutes en mémoire ne se disent pas")
    [hypothesis] = found_in(fall_cost=tail(40.0, 0.05)).hypotheses
    assert hypothesis.evidence.startswith("Les chutes en mémoire coûteraient à elles seules 40 à")


def test_a_diagnosis_shows_itself():
    shown = repr(found_in(dead=0.95))
    assert shown.splitlines()[0].endswith("unités mortes")
    assert "Remède" in shown
    assert "juger" not in shown
    html = found_in(dead=0.95, lag=math.nan)._repr_html_()
    assert html.count("<p") == html.count("</p>") == 5
    assert "pas de réseau cible" in html
    assert "n’est pourtant que de 20" in repr(found_in(greedy=20.0, played=20.0))
    assert "pourtant" not in repr(found_in())


# Un `History`, comme celui du panneau

SMALL = replace(QUICK, total_steps=2_400, hidden=(16, 16), warmup=64)


def test_a_history_is_enough_for_what_it_holds():
    history = record(train(replace(SMALL, epsilon_end=1.0), [0, 1]))
    for agent in (0, 1):
        found = diagnose(history, agent)
        assert names(found) == ["ε bloqué haut"]
        assert {"γ trop petit", "unités mortes", "masque oublié"} <= set(found.unseen)
    with pytest.raises(ValueError, match=r"^agent doit .*2 reçu"):
        diagnose(history, 2)


def test_a_diverged_loss_in_a_history_is_an_explosion():
    history = record(train(SMALL, 0))
    assert diagnose(history).verdict == HEALTHY
    history.loss[-3:] = np.nan
    assert names(diagnose(history)) == ["valeurs qui explosent"]


# Ce qui est mal donné


def test_an_illness_is_found_by_its_name():
    assert [illness(name) for name in ORDER] == [*ILLNESSES]
    with pytest.raises(ValueError, match=r"^name doit .*Vouliez-vous dire 'masque oublié' \?$"):
        illness("masque oublie")


def test_what_is_not_a_record_is_refused():
    for records in (None, 3, "relevé", [], {}, (1, 2)):
        with pytest.raises(TypeError, match=r"^records doit être un `Chart` ou un `History`"):
            diagnose(records)
    for bad in (np.zeros(K + 1), np.zeros((K, 2)), 3.0, [[1], [2, 3]], "abc"):
        with pytest.raises((TypeError, ValueError), match=r"^loss doit"):
            diagnose(chart_of()._replace(loss=bad))


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


def test_the_archive_holds_what_the_script_plans(study, script):
    planned = {
        (*script["identity"](cause, recipe), seed)
        for cause, recipe, seeds in script["plan"]()
        for seed in seeds
    }
    named = (study[name] for name in ("maladie", "cause", "dose", "recette"))
    assert planned == set(zip(*named, study["graine"].astype(int), strict=True))
    assert {*study["maladie"].tolist()} == NAMES | {HEALTHY, script["UNLISTED"]}


def test_every_cause_and_every_blind_fault_still_learns(script):
    config = replace(QUICK, warmup=64, hidden=(8,))
    causes = script["CAUSES"] | script["WEAK"]
    built = {
        one: cause.build(replace(config, **cause.changes), [0]) for one, cause in causes.items()
    }
    built |= {name: fault.build(0) for name, fault in script["FAULTS"].items()}
    for name, training in built.items():
        while training.env_steps < 4_000 and not training.gradient_steps:
            training.advance()
        assert training.gradient_steps > 0, name


def test_the_archived_degrees_give_the_archived_hypotheses(study):
    """Les maladies ont-elles changé d'ordre ou de nom ?"""
    shown = np.stack([study[name] for name in ORDER], axis=1) >= 1
    for row, first, second in zip(shown, study["hypothese_1"], study["hypothese_2"], strict=True):
        found = [name for name, there in zip(ORDER, row, strict=True) if there]
        assert [first, second] == [*found, *(() if found else [HEALTHY]), "", ""][:2]


def test_the_archive_is_what_the_script_finds(study, script):
    """Les derniers chiffres des degrés tiennent au processeur."""
    cause, recipe = "cible jamais synchronisée", "rapide"
    [seeds] = [seeds for *key, seeds in script["plan"]() if key == [cause, recipe]]
    [row] = script["judged"](cause, recipe, seeds[1:2])
    place = (study["graine"] == seeds[1]).argmax()
    found = dict(zip(script["HEADER"], row, strict=True))
    for name in ("maladie", "dose", "hypothese_1", "hypothese_2", "journal_1", "journal_2"):
        assert found[name] == study[name][place]
    degrees = [float(found[name]) for name in ORDER]
    np.testing.assert_allclose(degrees, [study[name][place] for name in ORDER], rtol=0.02)


@pytest.mark.parametrize(
    ("sick", "sound", "middle", "edge"),
    [
        ([4, 9, np.inf], [1, 0, np.nan], 2, 4),  # entre 1 et 4
        ([np.inf, np.inf], [0, 0], 1, 1e6),  # un fait, sans seuil
        ([1, 4, 4, 4], [0.25, 0.25, 2, 0.25], np.sqrt(0.5 * np.sqrt(8)), 4),  # 0,5 vaut √8
    ],
)
def test_the_separating_degree_is_the_hand_s(sick, sound, middle, edge):
    degrees = np.array(sick), np.array(sound)
    assert diagnosis.separating(*degrees) == pytest.approx(middle)
    assert diagnosis.separating(*degrees, edge=True) == edge


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
    np.testing.assert_array_equal(diagnosis.refitted(study), expected)


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
    [seen] = script["followed"](row["maladie"], row["recette"], [int(row["graine"])])
    np.testing.assert_allclose(stored("patient", row), seen, rtol=1e-3, atol=1e-6)
