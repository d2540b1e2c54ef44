"""Le panneau qui diagnostique : ce qu'il relève, ce qu'il en dit, l'entraînement inchangé."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cartpole_helpers import QUICK, Training
from cartpole_helpers.display import panel as bare
from cartpole_helpers.teaching.clinic import monitor
from cartpole_helpers.teaching.panel import Examiner, panel

PATIENCE = 300  # s
SICK = replace(QUICK, total_steps=1_600, epsilon_end=1.0, average_rate=1.0)


def test_the_chart_is_the_one_of_monitor_and_the_training_is_unchanged():
    one, other = Training(SICK, 3), Training(SICK, 3)
    examiner = Examiner(one)
    for step in one.run():
        examiner.add(step, 7.0 if step.env_steps == SICK.total_steps else None)
    [expected], seen = monitor(other, episodes=0), examiner.chart()
    assert torch.equal(one.agent.weights, other.agent.weights)
    for name, mine, theirs in zip(expected._fields, seen, expected, strict=True):
        if name == "greedy":
            assert (np.isnan(mine[:-1]).all(), mine[-1]) == (True, 7.0)
        else:
            np.testing.assert_allclose(mine, theirs, rtol=1e-9, err_msg=name)


def test_the_button_shows_what_is_suspected_and_a_new_run_forgets_it():
    one = panel(SICK, 3)
    assert one.examined
    with pytest.raises(ValueError, match=r"^Aucun essai n'a commencé : il n'y a rien à diag"):
        one.diagnose()
    one.start()
    one.wait(PATIENCE)
    one.receive({"do": "diagnose"}, [])
    assert one.diagnosis["lines"][0].endswith("ε bloqué haut")
    assert one.diagnosis["label"].startswith("1 · QUICK, ")
    assert one.diagnosis["image"] in one.frozen()
    one.start()
    assert one.diagnosis == {}
    one.stop()


def test_the_plain_panel_says_which_one_diagnoses():
    one = bare.panel(SICK)
    assert not one.examined
    with pytest.raises(ValueError, match=r"ouvrez celui de `teaching\.panel`\.$"):
        one.diagnose()
