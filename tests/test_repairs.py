"""L'échelle des réparations : chaque barreau ne change que ce qu'il dit, et tous s'entraînent."""

from collections import Counter
from dataclasses import asdict, fields, replace
from itertools import pairwise, product

import numpy as np
import pytest

from cartpole_helpers import VERSION_1, VERSION_2, Config, Training
from cartpole_helpers.repairs import (
    ABLATIONS,
    ENGINE,
    RECIPES,
    REPAIRS,
    SHORTER,
    TUNED,
    ladder,
    shorter,
    tuned,
    without,
)

RUNGS = [*pairwise(ladder())]
SETTINGS = ladder() | without() | RECIPES | {SHORTER: shorter()}
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


def test_the_shorter_recipe_undoes_three_things_and_nothing_else():
    assert shorter() == replace(VERSION_2, gamma=1.0, double=False, capacity=5_000)


def test_removing_the_average_gives_the_rung_below():
    """C'est pourquoi aucun retrait n'est à son nom : il compterait deux fois la même mesure."""
    undone = replace(VERSION_2, average_rate=1.0, average_tail=0.0)
    assert undone == ladder()["Double DQN"]


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


# La Version 2 réglée autrement


def test_the_values_tried_are_ordered_and_those_of_version_2_among_them():
    for name, values in TUNED.items():
        assert getattr(VERSION_2, name) in values
        assert len(values) > 2
        assert [*values] == sorted(set(values))
        assert {*map(type, values)} == {type(getattr(VERSION_2, name))}


def test_tuned_with_the_values_of_version_2_is_version_2_over_fewer_steps():
    own = {name: getattr(VERSION_2, name) for name in TUNED}
    assert tuned() == tuned(**own) == replace(VERSION_2, total_steps=20_000)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in TUNED.items() for value in values]
)
def test_tuning_a_field_changes_it_alone_and_the_floor_follows_the_rate(name, value):
    config, floor = tuned(**{name: value}), {"learning_rate_floor"} & {f"{name}_floor"}
    changed = differences(config, VERSION_2) - {"total_steps"}
    assert changed == ({name} | floor if value != getattr(VERSION_2, name) else set())
    assert getattr(config, name) == value
    assert config.learning_rate / config.learning_rate_floor == pytest.approx(10)


def test_every_combination_is_a_configuration_and_no_two_are_the_same():
    settings = [dict(zip(TUNED, values, strict=True)) for values in product(*TUNED.values())]
    configs = [tuned(**changes) for changes in settings]
    assert len({*configs}) == len(configs) == 5 * 4 * 3 * 3
    for config in configs:
        assert config.learning_rate / config.learning_rate_floor == pytest.approx(10)


@pytest.mark.parametrize("changes", [{"gamma": 1.1}, {"learning_rate": 0}, {"capacity": 10}])
def test_a_value_that_does_not_suit_is_refused_by_its_name(changes):
    [name] = changes
    with pytest.raises(ValueError, match=rf"^{name} doit être "):
        tuned(**changes)


# Tous les réglages réunis


def test_no_name_is_given_twice():
    """L'étude les réunit : un nom commun en effacerait un."""
    assert len(SETTINGS) == len(ladder()) + len(without()) + len(RECIPES) + 1


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
