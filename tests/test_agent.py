"""L'agent : une politique gloutonne, de n'importe quel jeu, seule ou parmi d'autres."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cartpole_helpers import Agent, Config, Training, play, policies
from cartpole_helpers.agent import gathered
from cartpole_helpers.display import figures
from cartpole_helpers.display.game import game
from cartpole_helpers.display.player import player

SMALL = Config(hidden=(5, 3), warmup=64)


def agents(seeds, **changes):
    return Training(replace(SMALL, **changes), seeds).agent


def observations_for(*lead, seed=0):
    return np.random.default_rng(seed).normal(size=(*lead, 4)).astype(np.float32)


def test_one_agent_maps_observations_to_greedy_actions():
    agent, observations = agents(3), observations_for(9)
    before = observations.copy()
    actions, q = agent(observations), agent.q_values(observations)
    assert (actions.shape, q.shape) == ((9,), (9, 2))
    assert np.issubdtype(actions.dtype, np.integer)
    assert q.dtype == np.float32
    np.testing.assert_array_equal(actions, q.argmax(axis=-1))
    np.testing.assert_array_equal(observations, before)
    read_only = np.broadcast_to(observations[::-1], (1, 9, 4))[0, ::-1]
    for same in (observations.astype(np.float64), observations.tolist(), read_only):
        np.testing.assert_array_equal(agent.q_values(same), q)
    assert agent(np.zeros((0, 4))).shape == (0,)
    assert repr(agent) == "Agent(graine 3, 0 pas)"
    assert repr(agents([3, 4])) == "Agent(2 graines, 0 pas)"


def test_several_agents_each_have_their_own_observations():
    """Chacun est, à l'arrondi près, l'agent que sa graine donne seule."""
    together, observations = agents([3, 4, 5]), observations_for(3, 9)
    assert len(together) == 3
    assert together(observations).shape == (3, 9)
    q = together.q_values(observations)
    again = gathered([*together])
    assert again.seeds == [3, 4, 5]
    np.testing.assert_array_equal(again.q_values(observations), q)
    for index, seed in [(0, 3), (1, 4), (-1, 5)]:
        assert len(together[index]) == 1
        received = together[index].q_values(observations[index])
        np.testing.assert_allclose(received, q[index], rtol=1e-5)
        np.testing.assert_allclose(received, agents(seed).q_values(observations[index]), rtol=1e-5)
    for index in (3, -4, "0", slice(2)):
        with pytest.raises((IndexError, TypeError), match=r"indice doit .* reçu"):
            together[index]


def test_a_bad_agent_is_refused_by_the_name_of_what_is_bad():
    good = Training(Config(hidden=(7,)), np.int64(3)).agent
    usual = {"config": good.config, "weights": good.weights, "seeds": [np.int64(3)]}
    assert Agent(**usual).seeds == [3]
    for name, value, message in [
        ("config", {}, "doit être un Config : {} reçu"),
        ("weights", np.zeros((1, 16)), "doit être un tenseur : ndarray"),
        ("weights", good.weights.double(), r"doit .* de torch\.float64 reçu"),
        ("seeds", "x", "doit .* 'x' reçu"),
        ("sizes", (4, 2, 1), r"doit être deux entiers, D et A : \(4, 2, 1\) reçu"),
        ("sizes", (4, 0), "doit .* 0 reçu"),
        ("scale", torch.ones(1, 4), r"doit être un tenseur \(1, 1, 4\)"),
        ("env_steps", 1.5, r"doit .* 1\.5 reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"^{name} {message}"):
            Agent(**usual | {name: value})
    for changes in ({"seeds": [1, 2]}, {"sizes": (9, 3)}):
        with pytest.raises(ValueError, match=r"^weights doit être un tenseur \([12], "):
            Agent(**usual | changes)


def test_an_agent_of_another_game_keeps_its_sizes_and_its_scale():
    config, scale = Config(hidden=()), torch.arange(1.0, 13).reshape(2, 1, 6)
    together = Agent(config, torch.ones(2, 32), [3, 4], sizes=(6, 3), scale=scale)
    observations = np.ones((5, 6), np.float32)
    for agent, expected in zip(together, (21 + 1, 57 + 1), strict=True):
        assert agent.sizes == (6, 3)
        np.testing.assert_array_equal(agent.q_values(observations), np.full((5, 3), expected))
    assert together(np.ones((2, 5, 6))).shape == (2, 5)
    again = gathered([*together])
    assert again.sizes == (6, 3)
    assert torch.equal(again.scale, scale)
    with pytest.raises(ValueError, match=r"observations doit .*6.*\(5, 4\) reçu"):
        together[0](np.ones((5, 4)))


def test_bad_observations_are_refused():
    for seeds, observations, received in [
        (3, np.zeros(4), r"\(4,\)"),
        (3, np.zeros((2, 2, 4)), r"\(2, 2, 4\)"),
        ([3, 4], np.zeros((3, 9, 4)), r"\(3, 9, 4\)"),
        (3, np.full((2, 4), 1e300), "finis"),
    ]:
        told = f"^observations (ne )?doit .*{received}"
        with pytest.raises((TypeError, ValueError), match=told):
            agents(seeds)(observations)


def test_a_snapshot_does_not_learn():
    training = Training(replace(SMALL, warmup=4, batch_size=4, learning_rate=0.1), [0, 1])
    snapshot, observations = training.agent, observations_for(2, 9)
    alone = snapshot[0]
    before, alone_before = snapshot.q_values(observations), alone.q_values(observations[0])
    for _ in range(6):
        training.advance()
    np.testing.assert_array_equal(snapshot.q_values(observations), before)
    np.testing.assert_array_equal(alone.q_values(observations[0]), alone_before)
    assert not np.allclose(training.agent.q_values(observations), before)


def test_what_draws_cartpole_refuses_another_game():
    stranger = Training(replace(SMALL, carts=1), 0, env="Acrobot-v1").agent
    for draw in (
        lambda: game({"elle": stranger}),
        lambda: player(play(policies.lqr, limit=3), stranger),
        lambda: figures.phase_portraits({"elle": stranger}, 1, "titre"),
        lambda: figures.action_maps(stranger.q_values, "titre"),
    ):
        told = r"CartPole, seul jeu .* 6 composantes reçue?s? ; `film`"
        with pytest.raises(ValueError, match=told):
            draw()
