"""Le DQN sur une page : une page, le même calcul que le moteur, et il apprend."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cartpole_helpers import VERSION_1, Training, evaluate, one_page
from cartpole_helpers.replay import Transition

SAME = replace(
    VERSION_1,
    hidden=(64, 64),
    activation="relu",
    initialisation="uniform",
    input_scale=one_page.SCALE,
    learning_rate=one_page.LEARNING_RATE,
    learning_rate_decay=1.0,
    learning_rate_floor=0.0,
    gamma=one_page.GAMMA,
    batch_size=one_page.BATCH,
    target_period=1,
    target_rate=one_page.TARGET_RATE,
)


def a_batch(seed=0):
    draws, shape = np.random.default_rng(seed), (one_page.BATCH, 4)
    states, successors = draws.normal(size=(2, *shape)).astype(np.float32)
    terminated = draws.random(one_page.BATCH) < 0.3
    ones = np.ones(one_page.BATCH, np.float32)
    return Transition(states, draws.integers(2, size=one_page.BATCH), ones, terminated, successors)


def parameters_of(network):
    """Les couches d'un réseau empilé d'un agent, dans l'ordre et les axes de `torch.nn`."""
    return [
        array for weight, bias in network.layers for array in (weight[0].T.contiguous(), bias[0, 0])
    ]


def test_it_fits_on_one_page():
    assert len(Path(one_page.__file__).read_text("utf-8").splitlines()) <= 80


def test_it_agrees_with_the_engine_on_the_same_batches_and_weights():
    training = Training(SAME, 3)
    online, target = one_page.QNetwork(), one_page.QNetwork()
    pairs = [(online, training.online), (target, training.target)]
    for page, engine in pairs:
        vector = torch.cat([one.flatten() for one in parameters_of(engine.network)])
        nn.utils.vector_to_parameters(vector, page.parameters())
    optimiser = torch.optim.Adam(online.parameters(), one_page.LEARNING_RATE)
    for seed in range(5):
        batch = a_batch(seed)
        received = one_page.learn(online, target, optimiser, batch)
        [expected] = training.learn(Transition(*(array[None] for array in batch)))
        training.synchronise()
        assert np.isclose(received, expected, rtol=1e-5)
    for page, engine in ((online, training.online), (target, training.target)):
        both = zip(page.parameters(), parameters_of(engine.network), strict=True)
        for received, expected in both:
            torch.testing.assert_close(received, expected, rtol=1e-4, atol=1e-6)


def test_another_game_brings_its_sizes_and_asks_for_its_scale():
    policy, steps = one_page.train(max_steps=1_010, env="Acrobot-v1", scale=np.ones(6))
    assert (policy(np.zeros((3, 6), np.float32)) < 3).all()
    assert steps == 1_010
    for scale in (None, one_page.SCALE):
        with pytest.raises(ValueError, match="scale doit donner 6 facteurs, un par composante"):
            one_page.train(env="Acrobot-v1", scale=scale)
    with pytest.raises(ValueError, match="actions discrètes"):
        one_page.train(env="Pendulum-v1")


def test_it_learns():
    policy, steps = one_page.train(seed=2, max_steps=8_000)
    assert steps <= 8_000
    assert evaluate(policy, episodes=50, seed=1_000).mean() > 150  # le hasard : 23
