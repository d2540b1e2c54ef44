"""Le diagnostic : chaque signe sur des relevés écrits à la main, puis l'étude et les patients.

Les taux de l'archive sont recalculés ; quelques-unes de ses lignes, et un patient, sont refaits.
"""

import csv
import math
import runpy
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handmade import COLUMNS, SICK, K, chart_of, tail

from cartpole_helpers import (
    QUICK,
    Config,
    load_study,
    record,
    train,
    wilson_interval,
)
from cartpole_helpers.teaching.clinic import diagnosis
from cartpole_helpers.teaching.clinic.charts import Chart, from_history, load_chart
from cartpole_helpers.teaching.clinic.diagnosis import HEALTHY, ILLNESSES, UNKNOWN, diagnose

ROOT = Path(__file__).resolve().parents[3]
STUDIES = ROOT / "etudes"
ORDER = [illness.name for illness in ILLNESSES]
NAMES = {*ORDER}


def only(**columns):
    """Un relevé où seules quelques colonnes sont mesurées, en plus des pas."""
    missing = dict.fromkeys(set(COLUMNS) - {"env_steps"}, math.nan)
    return chart_of(**missing | columns)


def names(found):
    return [hypothesis.name for hypothesis in found.hypotheses]


# Les règles

ALSO_SICK = [
    ("masque oublié", {"missed_ends": 1.0}),
    ("valeurs qui explosent", {"loss": tail(math.inf, 0.8)}),
    ("valeurs qui explosent", {"q_limit": tail(math.inf, 30)}),
    ("valeurs qui explosent", {"q_limit": math.nan, "loss": tail(1e9, 0.8)}),
    ("politique évaluée périmée", {"disagreement": math.nan, "greedy": 20.0}),
    ("politique évaluée périmée", {"disagreement": 0.3, "greedy": 20.0}),
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
STILL_HEALTHY = [
    {"loss": 0.02},
    {"stored_reward": 0.1},
    {"fall_cost": 3.0},
    {"q_limit": 500.0},
    {"epsilon": np.linspace(1, 0.8, K)},  # il descend encore
    {"epsilon": 0.5},
    {"epsilon": 0.02},
    {"gradient_steps": 5 * np.arange(K)},
    {"greedy": 150.0},
    {"disagreement": math.nan, "greedy": 100.0},
    {"disagreement": 0.2, "greedy": 100.0},  # un creux passager
    {"disagreement": 0.6},
    {"discount": 0.5},  # les valeurs montent encore
    {"target_safe": np.linspace(0, 27, K)},
    {"lag": tail(0.5, 0)},
    {"dead": 0.4},
    {"drift": tail(5e-4, 8e-3)},
    {"drift": 1e-4},
    {"drift": tail(1e-5, 1e-3)},
    {"loss_spread": 1.8},
    {"stored_falls": 0.001},
    {"stored_falls": np.where(np.arange(K) == 0, 0, 0.02)},
    {"flatness": 0.005},  # sans erreur sur les chutes, des valeurs égales sont justes
    {"fall_cost": 0.6},
    {"discount": 0.99},
    {"discount": 0.9},
    {"discount": 0.955, "stored_reward": 2.95},  # γ = 0,985 à trois pas
    # γ = 0,8 à trois pas : l'horizon est de cinq
    {"discount": 0.512, "stored_reward": 2.44, "q_safe": 5.0, "target_safe": tail(4.9, 5)},
    {"target_safe": 0.0, "q_safe": 0.0, "gradient_steps": COLUMNS["gradient_steps"]},
]


def test_a_normal_chart_is_healthy():
    found = diagnose(chart_of())
    assert found.hypotheses == found.unseen == ()
    assert found.enough
    assert found.verdict == HEALTHY == "rien d'anormal"


def test_each_illness_has_a_chart_written_by_hand():
    assert SICK.keys() == NAMES
    assert len(NAMES) == len(ILLNESSES) >= 12


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_each_sign_is_recognised_alone(name, changes):
    assert names(diagnose(chart_of(**changes))) == [name]


@pytest.mark.parametrize("changes", STILL_HEALTHY[:-1])
def test_a_measure_on_the_safe_side_alarms_nobody(changes):
    assert diagnose(chart_of(**changes)).verdict == HEALTHY


def test_a_target_that_does_not_move_is_named_even_at_zero():
    assert "cible jamais synchronisée" in names(diagnose(chart_of(**STILL_HEALTHY[-1])))


def test_hypotheses_come_in_the_order_of_the_table():
    order = [illness.name for illness in ILLNESSES]
    found = names(diagnose(chart_of(discount=1.1, q_limit=1e6, loss=-1.0)))
    assert found == sorted(found, key=order.index)
    assert found == ["perte négative", "valeurs qui explosent", "γ = 1 ou presque"]


def test_the_degree_grows_with_the_sign():
    [illness] = [one for one in ILLNESSES if one.name == "unités mortes"]
    degrees = [diagnosis.degree(illness, chart_of(dead=dead)) for dead in (0, 0.3, 0.6, 0.9)]
    assert degrees == pytest.approx([0, 0.5, 1, 1.5])


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_measure_alarms_nobody(name):
    if name == "env_steps":
        return
    found = diagnose(chart_of(**{name: math.nan}))
    assert found.verdict == HEALTHY
    assert set(found.unseen) <= NAMES


@pytest.mark.parametrize(
    ("name", "unseen"),
    [
        ("dead", {"unités mortes"}),
        ("lag", {"pas de réseau cible"}),
        ("epsilon", {"ε bloqué haut", "aucune exploration"}),
        ("target_safe", {"cible jamais synchronisée", "cible trop lente"}),
        ("q_doomed", set()),
        ("loss_spread", {"lot trop petit"}),
        ("discount", {"γ = 1 ou presque"}),  # Q monte encore : γ n'est pas trop petit
    ],
)
def test_what_a_missing_measure_hides_is_said(name, unseen):
    assert set(diagnose(chart_of(**{name: math.nan})).unseen) == unseen


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_a_sign_is_seen_with_no_other_measure(name, changes):
    """Ce qui ne porte pas le signe peut manquer, hors ce à quoi il se compare."""
    compared = ("gradient_steps", "q_safe", "stored", "stored_reward", "loss", "greedy", "played")
    kept = {one: COLUMNS[one] for one in compared if name not in ("perte négative",)}
    assert name in names(diagnose(only(**kept | changes)))


def test_nothing_measured_means_nothing_known():
    found = diagnose(only())
    assert (found.verdict, found.enough) == (UNKNOWN, False)
    assert set(found.unseen) == NAMES


@pytest.mark.parametrize("count", range(6))
def test_a_short_chart_is_not_judged(count):
    short = Chart(*(column[:count] for column in chart_of(epsilon=0.0)))
    assert diagnose(short).verdict == UNKNOWN == "pas assez de mesures"


def test_a_diagnosis_is_pure():
    records = chart_of(discount=1.1)
    before = [column.copy() for column in records]
    assert diagnose(records) == diagnose(records)
    for column, kept in zip(records, before, strict=True):
        np.testing.assert_array_equal(column, kept)


@pytest.mark.parametrize(("name", "changes"), [*SICK.items(), *ALSO_SICK])
def test_every_hypothesis_reads_in_french(name, changes):
    [hypothesis] = diagnose(chart_of(**changes)).hypotheses
    for sentence in hypothesis[1:]:
        assert sentence[0].isupper() or sentence[0] in "γεQ" or sentence[0].isdigit(), sentence
        assert sentence.endswith((".", "?")), sentence
        assert not any(word in sentence for word in ("nan", "inf ", "e-0", "e+0")), sentence
    digits = [a + b for a, b in zip(hypothesis.evidence, hypothesis.evidence[1:], strict=False)]
    assert not any(pair[0] == "." and pair[1].isdigit() for pair in digits)


def test_the_evidence_quotes_the_measure():
    [hypothesis] = diagnose(chart_of(epsilon=0.9)).hypotheses
    assert "ε vaut encore 0,9" in hypothesis.evidence
    [hypothesis] = diagnose(chart_of(dead=0.955)).hypotheses
    assert hypothesis.evidence.startswith("95,5 %")
    [hypothesis] = diagnose(chart_of(drift=1.5e-6)).hypotheses
    assert "1,5 × 10⁻⁶" in hypothesis.evidence


def test_a_missing_mask_quotes_the_flag_or_the_loss():
    flag, loss = chart_of(missed_ends=1.0), chart_of(fall_cost=tail(40.0, 0.05))
    told = [diagnosis.illness("masque oublié").evidence(one) for one in (flag, loss)]
    assert told[0] == "100 % des chutes en mémoire ne se disent pas terminées."
    assert told[1].startswith("Les chutes en mémoire coûteraient à elles seules 40 à une perte")


def test_a_diagnosis_shows_itself():
    shown = repr(diagnose(chart_of(dead=0.95)))
    assert shown.splitlines()[0].endswith("unités mortes")
    assert "Remède" in shown
    assert "juger" not in shown
    html = diagnose(chart_of(dead=0.95, lag=math.nan))._repr_html_()
    assert html.count("<p") == html.count("</p>") == 5
    assert "pas de réseau cible" in html


def test_a_poor_return_without_a_sign_is_said():
    poor = chart_of(greedy=20.0, played=20.0)
    assert "n’est pourtant que de 20" in repr(diagnose(poor))
    assert "pourtant" not in repr(diagnose(chart_of()))


# Un `History`, comme celui du panneau

SMALL = replace(QUICK, total_steps=2_400, hidden=(16, 16), warmup=64)


def test_a_history_is_enough_for_what_it_holds():
    always = replace(SMALL, epsilon_end=1.0)
    history = record(train(always, [0, 1]))
    for agent in (0, 1):
        found = diagnose(history, agent)
        assert names(found) == ["ε bloqué haut"]
        assert {"γ trop petit", "unités mortes", "masque oublié"} <= set(found.unseen)
    healthy = diagnose(record(train(SMALL, 0)))
    assert healthy.verdict == HEALTHY
    assert 0 < len(healthy.unseen) < len(ILLNESSES)


def test_a_diverged_loss_in_a_history_is_an_explosion():
    history = record(train(SMALL, 0))
    history.loss[-3:] = np.nan
    assert names(diagnose(history)) == ["valeurs qui explosent"]


def test_an_empty_history_is_not_judged():
    assert diagnose(record([])).verdict == UNKNOWN


def test_a_missing_agent_is_refused():
    with pytest.raises(ValueError, match=r"^agent doit .*2 reçu"):
        diagnose(record(train(SMALL, [0, 1])), 2)


def test_the_rate_of_updates_is_read_from_the_counters():
    rare = replace(SMALL, learn_every=30, total_steps=12_000)
    found = diagnose(from_history(record(train(rare, 0))))
    assert "mises à jour trop rares" in names(found)


# Ce qui est mal donné


def test_an_illness_is_found_by_its_name():
    assert [diagnosis.illness(name) for name in NAMES] == [
        next(one for one in ILLNESSES if one.name == name) for name in NAMES
    ]
    with pytest.raises(ValueError, match=r"^name doit .*Vouliez-vous dire 'masque oublié' \?$"):
        diagnosis.illness("masque oublie")


@pytest.mark.parametrize("records", [None, 3, "relevé", [], {}, (1, 2)])
def test_what_is_not_a_record_is_refused(records):
    with pytest.raises(TypeError, match=r"^records doit être un `Chart` ou un `History`"):
        diagnose(records)


@pytest.mark.parametrize("bad", [np.zeros(K + 1), np.zeros((K, 2)), 3.0, [[1], [2, 3]], "abc"])
def test_a_column_of_another_shape_is_refused(bad):
    with pytest.raises((TypeError, ValueError), match=r"^loss doit"):
        diagnose(chart_of()._replace(loss=bad))


# L'étude et les patients


@pytest.fixture(scope="module")
def study():
    return load_study(STUDIES / "clinique.csv")


@pytest.fixture(scope="module")
def script():
    """Le script de l'étude, dont on refait quelques lignes."""
    sys.path.insert(0, str(STUDIES))
    yield runpy.run_path(str(STUDIES / "clinique.py"))
    sys.path.remove(str(STUDIES))


def right(study):
    """Si la maladie est l'une des deux premières hypothèses."""
    firsts = np.stack([study["hypothese_1"], study["hypothese_2"]])
    return (firsts == study["maladie"]).any(axis=0)


def test_the_study_has_enough_unseen_runs(study, script):
    counts = Counter(study["maladie"].tolist())
    assert counts.keys() == NAMES | {HEALTHY, script["UNLISTED"]}
    assert counts.pop(HEALTHY) >= 100
    assert min(Counter(study["maladie"][study["dose"] == "forte"].tolist()).values()) >= 20
    assert study["graine"].min() >= 100
    planned = {
        (*script["identity"](cause, recipe), seed)
        for cause, recipe, seeds in script["plan"]()
        for seed in seeds
    }
    named = (study[name] for name in ("maladie", "cause", "dose", "recette"))
    columns = (*named, study["graine"].astype(int))
    assert planned == set(zip(*columns, strict=True))


def test_the_right_illness_is_among_the_first_two(study):
    sick = study["dose"] == "forte"
    low, _ = wilson_interval(int(right(study)[sick].sum()), int(sick.sum()))
    assert low >= 0.9


def test_false_alarms_are_rare(study):
    healthy = np.isin(study["dose"], ["aucune", "témoin"])
    alarms = study["hypothese_1"][healthy] != HEALTHY
    assert alarms.mean() <= 0.05


def test_the_archived_degrees_give_the_archived_hypotheses(study):
    shown = np.stack([study[name] for name in ORDER], axis=1) >= 1
    for row, first, second in zip(shown, study["hypothese_1"], study["hypothese_2"], strict=True):
        found = [name for name, there in zip(ORDER, row, strict=True) if there]
        assert [first, second] == [*found, *(() if found else [HEALTHY]), "", ""][:2]


@pytest.mark.parametrize(
    ("cause", "recipe"),
    [
        ("cible jamais synchronisée", "rapide"),
        ("unités mortes", "version 2"),
        ("lot de 2", "aveugle"),
        (HEALTHY, "QUICK"),
    ],
)
def test_the_archive_is_what_the_script_finds(study, script, cause, recipe):
    """Les hypothèses, non les degrés, dont les derniers chiffres tiennent au processeur."""
    [seeds] = [seeds for *key, seeds in script["plan"]() if key == [cause, recipe]]
    [row] = script["judged"](cause, recipe, seeds[1:2])
    place = (study["graine"] == seeds[1]).argmax()
    found = dict(zip(script["HEADER"], row, strict=True))
    for name in ("maladie", "dose", "hypothese_1", "hypothese_2", "journal_1", "journal_2"):
        assert found[name] == study[name][place]


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


def patients():
    return sorted((STUDIES / "patients").glob("patient_*.csv"))


def answers():
    with (STUDIES / "patients" / "reponses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_patients_are_small_anonymous_and_various():
    told = answers()
    assert [f"patient_{int(row['patient']):02d}" for row in told] == [p.stem for p in patients()]
    ill = [row["maladie"] for row in told if row["maladie"] != HEALTHY]
    assert len(set(ill)) >= 12
    assert len(told) - len(ill) == 2
    for path in patients():
        assert path.stat().st_size <= 30_000
        assert not any(name in path.read_text("utf-8") for name in NAMES)


def test_most_patients_are_diagnosed():
    rights = [
        row["maladie"] in [found.verdict, *names(found)[:2]]
        for row, found in zip(answers(), map(diagnose, map(load_chart, patients())), strict=True)
    ]
    assert np.mean(rights) >= 0.9


def test_a_patient_is_a_real_run(script):
    place, row = next(
        (place, row)
        for place, row in enumerate(answers())
        if row["maladie"] == "mises à jour trop rares"
    )
    [seen] = script["followed"](row["maladie"], row["recette"], [int(row["graine"])])
    np.testing.assert_allclose(load_chart(patients()[place]), seen, rtol=1e-3, atol=1e-6)


def test_the_diverged_witness_is_a_false_alarm_of_the_archive(study, script):
    recipe, seed = script["DIVERGENCE"]
    [place] = np.flatnonzero(study["graine"] == seed)
    assert (study["maladie"][place], study["recette"][place]) == (HEALTHY, recipe)
    found = diagnose(load_chart(STUDIES / "patients" / "divergence.csv"))
    assert study["hypothese_1"][place] == found.verdict == "valeurs qui explosent"


def test_the_config_is_never_read():
    """Un relevé ne contient que des mesures : rien n'y vient d'un `Config`."""
    assert not set(Chart._fields) & {*Config.__dataclass_fields__}
