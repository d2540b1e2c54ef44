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

SETTINGS = ladder() | without() | RECIPES | {SHORTER: shorter()}
SEEDS = [3, 8]


def differences(config, other):
    """Les noms des champs où deux configurations diffèrent."""
    config, other = asdict(config), asdict(other)
    return {name for name in config if config[name] != other[name]}


def assert_changed_only(config, other, changes):
    """Quelque chose change, rien que `changes`, et comme `changes` le dit."""
    assert set() < differences(config, other) <= set(changes), changes
    assert {name: getattr(config, name) for name in changes} == changes


def test_each_rung_changes_only_the_fields_of_its_repair():
    rungs = ladder()
    assert list(rungs) == [ENGINE, *REPAIRS]
    assert rungs[ENGINE] == replace(VERSION_1, total_steps=VERSION_2.total_steps)
    assert [*rungs.values()][-1] == VERSION_2
    for (_, below), (above, config) in pairwise(rungs.items()):
        assert_changed_only(config, below, REPAIRS[above])
    repaired = Counter(name for changes in REPAIRS.values() for name in changes)
    assert set(repaired.values()) == {1}
    assert set(repaired) <= {field.name for field in fields(Config)} - {"total_steps"}


def test_each_ablation_changes_only_its_fields():
    assert list(without()) == list(ABLATIONS)
    for name, config in without().items():
        assert_changed_only(config, VERSION_2, ABLATIONS[name])
        # Ôter des chariots ne doit pas, du même coup, changer le nombre de mises à jour.
        assert config.carts * config.learn_every == VERSION_2.carts * VERSION_2.learn_every
    assert shorter() == replace(VERSION_2, gamma=1.0, double=False, capacity=5_000)
    # C'est pourquoi aucun retrait n'est au nom de la moyenne : il compterait deux fois.
    undone = replace(VERSION_2, average_rate=1.0, average_tail=0.0)
    assert undone == ladder()["Double DQN"]


def test_recipes_know_more_than_version_2_by_what_they_say():
    plain, mirror, starts, both = RECIPES.values()
    assert plain == VERSION_2
    assert mirror == replace(VERSION_2, mirror=True)
    assert starts == replace(VERSION_2, start_x=starts.start_x)
    assert starts.start_x > VERSION_2.start_x
    assert both == replace(mirror, start_x=starts.start_x)


def test_tuning_changes_its_fields_alone_and_the_floor_follows_the_rate():
    for name, values in TUNED.items():
        assert getattr(VERSION_2, name) in values
        assert [*values] == sorted(set(values))
    own = {name: getattr(VERSION_2, name) for name in TUNED}
    assert tuned() == tuned(**own) == replace(VERSION_2, total_steps=20_000)
    configs = []
    for values in product(*TUNED.values()):
        changes = dict(zip(TUNED, values, strict=True))
        configs.append(tuned(**changes))
        floor = configs[-1].learning_rate_floor
        expected = replace(VERSION_2, total_steps=20_000, learning_rate_floor=floor, **changes)
        assert configs[-1] == expected
        assert configs[-1].learning_rate / floor == pytest.approx(10)
    assert len({*configs}) == len(configs) == 5 * 4 * 3 * 3
    with pytest.raises(ValueError, match=r"^gamma doit être "):
        tuned(gamma=1.1)


def test_every_setting_has_its_name_and_trains_without_nan():
    """L'étude les réunit : un nom commun en effacerait un."""
    assert len(SETTINGS) == len(ladder()) + len(without()) + len(RECIPES) + 1
    for name, setting in SETTINGS.items():
        # Une mémoire à peine remplie suffit : on apprend dès le premier lot complet.
        training = Training(replace(setting, warmup=setting.batch_size), SEEDS)
        before, losses = training.agent.weights, []
        for step in training.run():
            losses += [step.loss] * step.updated
            if len(losses) == 2:
                break
        assert np.shape(losses) == (2, len(SEEDS)), name
        assert np.isfinite(losses).all(), name
        assert training.agent.weights.isfinite().all(), name
        assert (training.agent.weights != before).any(), name
