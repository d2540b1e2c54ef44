"""L'échelle des réparations : chaque barreau ne change que ce qu'il dit, et tous s'entraînent."""

from collections import Counter
from dataclasses import asdict, fields, replace
from itertools import pairwise

import numpy as np
import pytest

from cartpole_helpers import VERSION_1, VERSION_2, Config, Training
from cartpole_helpers.repairs import ABLATIONS, ENGINE, RECIPES, REPAIRS, ladder, without

RUNGS = [*pairwise(ladder())]
SETTINGS = ladder() | without() | RECIPES
SEEDS = [3, 8]


def differences(config, other):
    """Les noms des champs où deux configurations diffèrent."""
    config, other = asdict(config), asdict(other)
    return {name for name in config if config[name] != other[name]}


@pytest.mark.parametrize("changes", [{}, {"gamma": 0.5}, {"hidden": (8,), "double": True}])
def test_the_differences_are_the_fields_replaced(changes):
    """Ces tests ne valent que ce que vaut leur lecteur de différences."""
    assert differences(replace(Config(), **changes), Config()) == set(changes)


# L'échelle


def test_the_ladder_names_the_engine_then_each_repair_in_order():
    assert list(ladder()) == [ENGINE, *REPAIRS]
    assert ENGINE not in REPAIRS


def test_the_first_rung_is_version_1_over_the_steps_of_version_2():
    first = ladder()[ENGINE]
    assert differences(first, VERSION_1) <= {"total_steps"}
    assert first.total_steps == VERSION_2.total_steps


def test_the_last_rung_is_version_2():
    assert [*ladder().values()][-1] == VERSION_2


@pytest.mark.parametrize(("below", "above"), RUNGS, ids=[above for _, above in RUNGS])
def test_a_rung_changes_only_the_fields_of_its_repair(below, above):
    configs, repair = ladder(), REPAIRS[above]
    assert differences(configs[below], configs[above]) <= set(repair)
    assert {name: getattr(configs[above], name) for name in repair} == repair


@pytest.mark.parametrize(("below", "above"), RUNGS, ids=[above for _, above in RUNGS])
def test_a_rung_changes_something(below, above):
    assert differences(ladder()[below], ladder()[above])


def test_each_difference_between_the_versions_is_repaired_once():
    repaired = Counter(name for changes in REPAIRS.values() for name in changes)
    assert differences(VERSION_1, VERSION_2) - {"total_steps"} <= set(repaired)
    assert set(repaired.values()) == {1}
    assert set(repaired) <= {field.name for field in fields(Config)} - {"total_steps"}


# Ce que l'on ôte


def test_without_names_each_ablation_in_order():
    assert list(without()) == list(ABLATIONS)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_something(name):
    assert differences(without()[name], VERSION_2)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_changes_only_its_fields(name):
    config, changes = without()[name], ABLATIONS[name]
    assert differences(config, VERSION_2) <= set(changes)
    assert {field: getattr(config, field) for field in changes} == changes


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_learns_as_often_per_environment_step(name):
    """Ôter des chariots ne doit pas, du même coup, changer le nombre de mises à jour."""
    config = without()[name]
    assert config.carts * config.learn_every == VERSION_2.carts * VERSION_2.learn_every


# Les recettes annoncées


def test_recipes_differ_from_version_2_by_what_they_say():
    assert {name: differences(config, VERSION_2) for name, config in RECIPES.items()} == {
        "version 2": set(),
        "avec la symétrie": {"mirror"},
        "départs écartés": {"start_x"},
        "les deux": {"mirror", "start_x"},
    }


def test_the_recipes_know_more_than_version_2():
    _, mirror, starts, both = RECIPES.values()
    assert mirror.mirror
    assert starts.start_x > VERSION_2.start_x
    assert both == replace(mirror, start_x=starts.start_x)


# Tous les réglages réunis


def test_no_name_is_given_twice():
    """L'étude réunit les trois : un nom commun en effacerait un."""
    assert len(SETTINGS) == len(ladder()) + len(without()) + len(RECIPES)


def test_changing_what_is_given_changes_nothing_else():
    ladder().clear()
    without().clear()
    assert list(ladder()) == [ENGINE, *REPAIRS]
    assert list(without()) == list(ABLATIONS)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_trains_without_nan(name):
    # Une mémoire à peine remplie suffit : on apprend dès le premier lot complet.
    config = replace(SETTINGS[name], warmup=SETTINGS[name].batch_size)
    training = Training(config, SEEDS)
    before, losses = training.agent.weights, []
    for step in training.run():
        if step.gradient_steps > len(losses):
            losses.append(step.loss)
        if len(losses) == 3:
            break
    assert np.shape(losses) == (3, len(SEEDS))
    assert np.isfinite(losses).all()
    agent = training.agent
    assert agent.weights.isfinite().all()
    assert (agent.weights != before).any()
    assert np.isfinite(agent.q_values(step.next_observation)).all()
