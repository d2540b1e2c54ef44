"""L'examen que la page fait de son entraînement, comparé à celui de la clinique."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from cartpole_helpers.agent import Agent
from cartpole_helpers.display.learner import FORGETTING, IN_THE_PAGE, PACE
from cartpole_helpers.display.typography import typography
from cartpole_helpers.networks import weight_count
from cartpole_helpers.replay import Transition
from cartpole_helpers.teaching.clinic import chart, diagnose, examine, loss_measures
from cartpole_helpers.teaching.clinic.charts import drift
from cartpole_helpers.teaching.clinic.diagnosis import HEALTHY, degree
from cartpole_helpers.teaching.clinic.references import DOOMED, SAFE
from cartpole_helpers.teaching.clinic.ward import Ward
from cartpole_helpers.teaching.learner import JUDGED, MEASURES, clinic

PROBES = {"safe": SAFE.tolist(), "doomed": DOOMED.tolist()}
KEPT = ("env_steps", "gradient_steps", "epsilon", "played", "greedy")  # comptés, non mesurés


def agent_of(config, weights):
    padded = torch.zeros(1, weight_count(config))
    padded[0, : len(weights)] = torch.tensor(weights)
    return Agent(config, padded, [0])[0]


def transitions(memory):
    """La mémoire de la page, telle que la clinique la lit."""
    columns = {name: np.array(values) for name, values in memory.items()}
    states = [columns[name].reshape(-1, 4) for name in ("observation", "nextObservation")]
    flags = (columns[name] for name in ("action", "reward"))
    return Transition(states[0], *flags, columns["terminated"].astype(bool), states[1])


@pytest.mark.parametrize("n_steps", [1, 3])
def test_a_look_measures_what_the_clinic_measures(engine, n_steps):
    """Sur les réseaux et la mémoire d'un même entraînement : au float32 près, dont use l'agent."""
    config = replace(IN_THE_PAGE, hidden=(16, 16), n_steps=n_steps)
    asked = {"config": asdict(config), "seed": 2, "probes": PROBES}
    start = engine("trained", turns=0, **asked)["online"]
    seen = engine("trained", turns=250, **asked)
    assert seen["row"].keys() == {*MEASURES}
    online, target = (agent_of(config, seen[name]) for name in ("online", "target"))
    losses = [loss for loss in map(float, seen["losses"]) if not math.isnan(loss)]
    expected = examine(online.q_values, target.q_values, transitions(seen["memory"]))
    expected |= loss_measures(losses)
    expected["drift"] = drift(np.array(start), np.array(seen["online"]), len(losses))
    for name in {*MEASURES} - {*KEPT}:
        assert seen["row"][name] == pytest.approx(expected[name], rel=2e-3, abs=1e-6), name
    assert seen["row"]["gradient_steps"] == len(losses) > 200
    assert expected["stored_falls"] > 0
    assert 0 < seen["row"]["played"] < 500


def reduced_rows(one):
    """Les lignes d'un relevé, réduites à ce que relève la page."""
    table = zip(*(getattr(one, name).tolist() for name in MEASURES), strict=True)
    return [dict(zip(MEASURES, row, strict=True)) for row in table]


def written(row):
    """Une ligne en JSON : ce qui manque n'y est pas, l'infini y est un texte."""
    known = {name: value for name, value in row.items() if not math.isnan(value)}
    return {name: value if value < math.inf else "Infinity" for name, value in known.items()}


@pytest.fixture(scope="module")
def ward():
    """Les patients de la clinique et leurs témoins."""
    room = Ward()
    return [one for number in room.numbers for one in (room.chart(number), room.witness(number))]


def test_it_names_the_patients_of_the_clinic_as_the_clinic_does(engine, ward):
    """Mêmes degrés, mêmes noms dans le même ordre, mêmes phrases, maladie par maladie."""
    seen = engine(
        "diagnoses", clinic=clinic(), charts=[[*map(written, reduced_rows(one))] for one in ward]
    )
    found = set()
    for one, said in zip(ward, seen, strict=True):
        reduced = chart(reduced_rows(one))
        expected = [degree(illness, reduced) for illness in JUDGED]
        np.testing.assert_allclose([*map(float, said["degrees"])], expected, rtol=1e-9)
        known = {illness.name for illness in JUDGED}
        hypotheses = [h for h in diagnose(reduced).hypotheses if h.name in known]
        assert said["said"] == [[h.name, typography(h.evidence)] for h in hypotheses]
        found |= {name for name, _ in said["said"]}
    assert len(found) >= 8


def order(**changes):
    """Ce que la page demande à son fil : un essai court, d'une graine d'essai, jugé moins cher."""
    config = replace(IN_THE_PAGE, **({"total_steps": 8_000, "hidden": (32, 32)} | changes))
    asked = {"config": asdict(config), "seed": 5_100, "probes": PROBES}
    return asked | PACE | {"episodes": 8}


FAULTS = {
    "cible jamais synchronisée": {"target_period": 100_000},
    "cible trop lente": {"target_rate": 0.0005},
    "pas de réseau cible": {"target_rate": 1.0},
    "taux d'apprentissage trop grand": {"learning_rate": 0.1},
    "taux d'apprentissage trop petit": {"learning_rate": 1e-5, "learning_rate_floor": 1e-5},
    "taux d'apprentissage tombé au plancher": {
        "learning_rate_decay": 0.97,
        "learning_rate_floor": 0.0,
    },
    "aucune exploration": {"epsilon_start": 0.0, "epsilon_end": 0.0},
    "ε bloqué haut": {"epsilon_end": 1.0},
    "mises à jour trop rares": {"learn_every": 16},
    "γ trop petit": {"gamma": 0.5, "n_steps": 1},
    "γ = 1 ou presque": {"gamma": 1.0, "total_steps": 16_000},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_among_the_two_first_names(engine, name):
    seen = engine("whole", clinic=clinic(), order=order(**FAULTS[name]))
    assert name in seen["names"][:2]


def test_memory_without_falls_is_named_and_the_recipe_itself_is_not_accused(engine):
    healthy = engine("whole", clinic=clinic(), order=order())
    assert healthy["names"] == [], HEALTHY
    assert len(healthy["rows"]) == PACE["looks"]
    assert len(healthy["points"]) >= 7
    amnesic = order(**(FORGETTING | {"capacity": 1_000})) | {"forgetSince": 2_000}
    assert "mémoire sans chute" in engine("whole", clinic=clinic(), order=amnesic)["names"][:2]
