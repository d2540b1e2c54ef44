"""L'entraînement que l'on regarde est l'entraînement nu ; ses courbes sont de vraies moyennes."""

import json
import math
import sys
import threading
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch

from cartpole_helpers import Config, Training, evaluate, record, train
from cartpole_helpers.display.run import BINS, EPISODES, EVALUATIONS, Run
from cartpole_helpers.seeds import Purpose, fresh_seed

SMALL = Config(
    total_steps=240,
    carts=4,
    hidden=(8,),
    batch_size=16,
    warmup=32,
    capacity=100,
    epsilon_steps=200,
    learn_every=3,
)
FIVE = replace(SMALL, total_steps=600, carts=5)  # un tour tombe juste à la fin de chaque tranche
UNEVEN = replace(SMALL, total_steps=250, carts=7)  # la fin dépasse le total
ALL = [FIVE, UNEVEN]
NAMES = ["juste", "inégal"]


def finished(config, seed=3):
    run = Run(config, seed)
    for _ in run.turns():
        pass
    return run


def rounded(value):
    return float(np.format_float_scientific(float(value), 5, unique=False))


def averaged(total, values):
    """Les moyennes de (pas, valeur) par tranche, où un pas compte par son début."""
    bins = defaultdict(list)
    for env_steps, value in values:
        place = next(place for place in range(BINS) if (env_steps - 1) * BINS < (place + 1) * total)
        bins[place].append(float(value))
    return {
        "x": [rounded((2 * place + 1) * total / (2 * BINS)) for place in sorted(bins)],
        "y": [
            pytest.approx(math.fsum(bins[place]) / len(bins[place]), rel=2e-5)
            for place in sorted(bins)
        ],
    }


def marks(config, times):
    """Les pas où l'on mesure : au premier tour qui atteint chacune des marques régulières."""
    turn = config.carts
    return sorted(
        {-(-mark * config.total_steps // (times * turn)) * turn for mark in range(1, times + 1)}
    )


@pytest.fixture(scope="module")
def states():
    """Par configuration, l'agent tel qu'il est à chaque pas de l'entraînement nu."""

    def agents(config):
        training = Training(config, 3)
        yield 0, training.agent
        for step in training.run():
            yield step.env_steps, training.agent

    return {config: dict(agents(config)) for config in (SMALL, *ALL)}


# L'entraînement


def test_it_is_the_bare_training_to_the_last_bit(states):
    run = Run(UNEVEN, 3)
    for env_steps, expected in [*states[UNEVEN].items()][1:]:
        next(turns := run.turns())
        turns.close()
        assert run.agent.env_steps == env_steps
        assert torch.equal(run.agent.weights, expected.weights)
    assert next(run.turns(), "fini") == "fini"
    expected = record(train(UNEVEN, 3))
    for name, mine, other in zip(expected._fields, run.history, expected, strict=True):
        np.testing.assert_array_equal(mine, other, err_msg=name)


# Les courbes


@pytest.mark.parametrize("config", ALL, ids=NAMES)
def test_the_curves_average_what_the_bare_training_yields(config):
    played, losses, epsilons, before = [], [], [], 0
    for step in train(config, 3):
        epsilons.append((step.env_steps, step.epsilon))
        ended = step.terminated | step.truncated
        played += [(step.env_steps, value) for value in step.episode_return[ended]]
        if step.gradient_steps > before:
            losses.append((step.env_steps, step.loss[0]))
        before = step.gradient_steps
    overshoot = [
        [(min(at, config.total_steps), y) for at, y in one] for one in (played, losses, epsilons)
    ]
    curves = finished(config).curves()
    for name, values in zip(("played", "loss", "epsilon"), overshoot, strict=True):
        assert values
        assert curves[name] == averaged(config.total_steps, values), name


@pytest.mark.parametrize("config", ALL, ids=NAMES)
def test_the_measures_are_those_of_the_agent_of_the_moment(config, states):
    """Les retours sont ceux de `evaluate` ; la valeur, celle de la tige droite."""
    curves = finished(config).curves()
    assert curves["greedy"]["x"] == marks(config, EVALUATIONS)
    for env_steps, value in zip(*curves["greedy"].values(), strict=True):
        seed = fresh_seed(Purpose.PANEL, int(env_steps))
        returns = evaluate(states[config][env_steps], EPISODES, seed=seed)
        assert value == rounded(returns.mean())
    assert curves["q"]["x"] == marks(config, BINS)
    for env_steps, value in zip(*curves["q"].values(), strict=True):
        assert value == rounded(max(states[config][env_steps].q_values([[0.0] * 4])[0]))


def test_the_latest_measures_are_the_last_of_the_curves():
    run, last = finished(SMALL), [*train(SMALL, 3)][-1]
    told, curves = run.now(), run.curves()
    assert told["q"] == curves["q"]["y"][-1]
    assert told["greedy"] == curves["greedy"]["y"][-1]
    assert told["loss"] == rounded(record(train(SMALL, 3)).loss[-1, 0])
    assert told["state"] == [rounded(value) for value in last.observation[0, 0]]
    assert told["action"] == last.action[0, 0]
    assert told["env_steps"] == 240
    assert told["gradient_steps"] == last.gradient_steps
    assert told["epsilon"] == pytest.approx(last.epsilon)
    assert told["diverged"] is False


def test_a_training_that_diverges_can_be_shown():
    run, seen = Run(replace(SMALL, learning_rate=1e30, learn_every=1), 3), []
    for _ in run.turns():
        seen.append(run.now()["diverged"])
        json.dumps([run.now(), run.curves()], allow_nan=False)
    assert seen == sorted(seen)  # une fois dit, c'est dit
    assert (seen[0], seen[-1]) == (False, True)
    assert None in run.curves()["loss"]["y"]


# Plusieurs fils


def test_another_thread_reads_whole_turns(states):
    """Ce qu'il lit est l'état d'après un tour, jamais celui d'un tour à moitié fait."""
    run, expected = Run(SMALL, 3), record(train(SMALL, 3))
    thread = threading.Thread(target=lambda: [*run.turns()])
    interval, seen = sys.getswitchinterval(), []
    sys.setswitchinterval(1e-5)
    try:
        thread.start()
        while thread.is_alive() or not seen:
            seen.append((run.agent, run.history, run.curves(), run.now()))
    finally:
        sys.setswitchinterval(interval)
    thread.join()
    for agent, history, curves, told in seen:
        assert torch.equal(agent.weights, states[SMALL][agent.env_steps].weights)
        count = len(history.episode_return)
        np.testing.assert_array_equal(history.episode_return, expected.episode_return[:count])
        assert {len(curve["x"]) - len(curve["y"]) for curve in curves.values()} == {0}
        assert told["env_steps"] % SMALL.carts == 0
    assert [agent.env_steps for agent, *_ in seen] == sorted(agent.env_steps for agent, *_ in seen)
