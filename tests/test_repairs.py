"""L'échelle des réparations : chaque barreau ne change que ce qu'il dit, et tous s'entraînent."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest

from cartpole_helpers import VERSION_1, VERSION_2, Training
from cartpole_helpers.repairs import (
    ABLATIONS,
    ENGINE,
    RECIPES,
    REPAIRS,
    SHORTER,
    TUNED,
    comparisons,
    ladder,
    shorter,
    tuned,
    without,
)


def test_each_rung_and_each_ablation_change_only_their_fields():
    rungs = ladder()
    assert list(rungs) == [ENGINE, *REPAIRS]
    assert rungs[ENGINE] == replace(VERSION_1, total_steps=VERSION_2.total_steps)
    assert [*rungs.values()][-1] == VERSION_2
    for (_, below), (above, config) in pairwise(rungs.items()):
        assert config == replace(below, **REPAIRS[above]) != below
    repaired = Counter(name for changes in REPAIRS.values() for name in changes)
    assert set(repaired.values()) == {1}
    assert list(without()) == list(ABLATIONS)
    for name, config in without().items():
        assert config == replace(VERSION_2, **ABLATIONS[name]) != VERSION_2
        # Ôter des chariots ne doit pas, du même coup, changer le nombre de mises à jour.
        assert config.carts * config.learn_every == VERSION_2.carts * VERSION_2.learn_every
    assert shorter() == replace(VERSION_2, gamma=1.0, double=False, capacity=5_000)
    for name, (after, before) in comparisons().items():
        every = rungs | without()
        assert every[after] == replace(every[before], **(REPAIRS | ABLATIONS)[name])
    # C'est pourquoi aucun retrait n'est au nom de la moyenne : il compterait deux fois.
    assert replace(VERSION_2, average_rate=1.0, average_tail=0.0) == rungs["Double DQN"]
    plain, mirror, starts, both = RECIPES.values()
    assert plain == VERSION_2
    assert mirror == replace(VERSION_2, mirror=True)
    assert starts == replace(VERSION_2, start_x=starts.start_x) != VERSION_2
    assert both == replace(mirror, start_x=starts.start_x)


def test_tuning_changes_its_fields_alone_and_the_floor_follows_the_rate():
    assert all(getattr(VERSION_2, name) in values for name, values in TUNED.items())
    assert tuned() == replace(VERSION_2, total_steps=20_000)
    configs = []
    for values in product(*TUNED.values()):
        changes = dict(zip(TUNED, values, strict=True))
        configs.append(tuned(**changes))
        floor = configs[-1].learning_rate_floor
        expected = replace(VERSION_2, total_steps=20_000, learning_rate_floor=floor, **changes)
        assert configs[-1] == expected
        assert configs[-1].learning_rate / floor == pytest.approx(10)
    assert len({*configs}) == 5 * 4 * 3 * 3


def test_every_setting_has_its_name_and_trains_without_nan():
    """L'étude les réunit : un nom commun en effacerait un."""
    settings = ladder() | without() | RECIPES | {SHORTER: shorter()}
    assert len(settings) == len(ladder()) + len(without()) + len(RECIPES) + 1
    for name, setting in settings.items():
        # Une mémoire à peine remplie suffit : on apprend dès le premier lot complet.
        training = Training(replace(setting, warmup=setting.batch_size), [3, 8])
        before, losses = training.agent.weights, []
        while len(losses) < 2:
            step = training.advance()
            losses += [step.loss] * step.updated
        assert np.isfinite(losses).all(), name
        assert training.agent.weights.isfinite().all(), name
        assert (training.agent.weights != before).any(), name
