"""La page où un DQN apprend : ce que Python y met, et ce qu'il refuse d'y mettre."""

import json
import re
from base64 import b64decode
from dataclasses import asdict, replace

import numpy as np
import pytest

from cartpole_helpers import QUICK, VERSION_1, VERSION_2
from cartpole_helpers.display import learner as display
from cartpole_helpers.display.learner import FORGET_SINCE, FORGETTING, IN_THE_PAGE, VALUES, WORKER
from cartpole_helpers.display.settings import changed, differences
from cartpole_helpers.display.widget import STILL
from cartpole_helpers.teaching.clinic.diagnosis import ILLNESSES
from cartpole_helpers.teaching.clinic.references import SAFE
from cartpole_helpers.teaching.laboratory import SINCE
from cartpole_helpers.teaching.learner import JUDGED, clinic, learner


def state_of(page):
    """L'état que garde la page, tel qu'il est écrit dans le HTML."""
    [state] = re.findall(r"mount\(PLACE, render, (.*)\);\n", page)
    return json.loads(state, parse_constant=lambda name: pytest.fail(f"{name} n'est pas du JSON"))


def test_the_page_is_whole_alone_and_light():
    page = learner()
    assert page == learner()
    assert len(page.encode()) < 250_000
    assert not re.findall(r"(?:src|href)=\"(?!data:)|url\(|@import|https?://(?!www\.w3\.org)", page)
    assert STILL not in page
    assert "JavaScript" in page


def test_the_recipe_is_version_2_but_for_four_numbers():
    changed_fields = {"total_steps", "hidden", "batch_size", "learning_rate_decay"}
    assert {*differences(IN_THE_PAGE, VERSION_2)} == changed_fields
    assert FORGET_SINCE == SINCE  # celle du laboratoire


def test_every_slider_starts_from_the_recipe_and_all_its_values_are_accepted():
    state = state_of(learner())
    assert state["config"].keys() == asdict(IN_THE_PAGE).keys()
    for field in state["fields"]:
        assert field["values"][field["start"]] == state["config"][field["name"]]
        assert len(field["choices"]) == len(field["values"]) == len({*field["choices"]})
        for value in VALUES[field["name"]]:
            changed(IN_THE_PAGE, **{field["name"]: value})
    changed(IN_THE_PAGE, **FORGETTING)
    states = np.frombuffer(b64decode(state["safe"]["base64"]), "<f4").reshape(-1, 4)
    np.testing.assert_array_equal(states, SAFE)


def test_names_thresholds_and_advice_come_from_the_clinic():
    told = clinic()
    assert [one["name"] for one in told["illnesses"]] == [one.name for one in JUDGED]
    for one, illness in zip(told["illnesses"], JUDGED, strict=True):
        limits = [(s["threshold"], s["below"], s["fact"]) for s in one["signs"]]
        assert limits == [(s.threshold, s.below, s.fact) for s in illness.signs]
    for illness in ILLNESSES:
        assert (illness.name.replace("'", "’") in told["scope"]) == (illness not in JUDGED)


@pytest.mark.parametrize("config", [VERSION_1, QUICK, replace(VERSION_2, input_scale="auto")])
def test_a_recipe_whose_rules_the_page_lacks_is_refused(config):
    with pytest.raises(ValueError, match=r"^config : .* reçu\.$"):
        learner(config)


def test_the_thread_has_no_page_and_serves():
    """Ce que le navigateur exécute à part ne touche ni document ni fenêtre."""
    assert not re.search(r"\b(?:document|window)\b", WORKER)
    assert WORKER.endswith("module_trainer.serve(self);")
    assert (
        display.CODE.count("module_trainer") > 1
    )  # et la page en a une copie, si on le lui refuse
