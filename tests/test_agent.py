"""L'agent : une politique gloutonne, de n'importe quel jeu, seule ou parmi d'autres."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cartpole_helpers import Agent, Config, Training, play, policies
from cartpole_helpers.display import figures
from cartpole_helpers.display.game import game
from cartpole_helpers.display.player import player

SMALL = Config(hidden=(5, 3), warmup=64)


def agents(seeds, **changes):
    return Training(replace(SMALL, **changes), seeds).agent


def observations_for(*lead, seed=0):
    return np.random.default_rng(seed).normal(size=(*lead, 4)).astype(np.float32)


@pytest.mark.parametrize("seeds", [3, [3]])
@pytest.mark.parametrize("mirror", [False, True])
def test_one_agent_maps_observations_to_greedy_actions(seeds, mirror):
    agent, observations = agents(seeds, mirror=mirror), observations_for(9)
    actions, q = agent(observations), agent.q_values(observations)
    assert actions.shape == (9,)
    assert q.shape == (9, 2)
    assert type(actions) is type(q) is np.ndarray
    assert np.issubdtype(actions.dtype, np.integer)
    assert q.dtype == np.float32
    np.testing.assert_array_equal(actions, q.argmax(axis=-1))
    assert set(actions) <= {0, 1}


def test_several_agents_each_have_their_own_observations():
    together, observations = agents([3, 4, 5]), observations_for(3, 9)
    assert len(together) == 3
    assert together(observations).shape == (3, 9)
    q = together.q_values(observations)
    assert q.shape == (3, 9, 2)
    for row in range(3):
        np.testing.assert_allclose(together[row].q_values(observations[row]), q[row], rtol=1e-5)


def test_an_indexed_agent_is_the_agent_of_that_seed():
    together, observations = agents([3, 4, 5]), observations_for(9)
    for index, seed in [(0, 3), (1, 4), (2, 5), (-1, 5)]:
        alone = agents(seed).q_values(observations)
        np.testing.assert_allclose(together[index].q_values(observations), alone, rtol=1e-5)
    assert [len(agent) for agent in together] == [1, 1, 1]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"config": {}}, "config doit être un Config"),
        ({"weights": np.zeros((1, 16))}, "weights doit être un tenseur : ndarray"),
        ({"weights": "float64"}, r"weights doit .* de torch\.float64 reçu"),
        ({"weights": "bfloat16"}, r"weights doit .* de torch\.bfloat16 reçu"),
        ({"seeds": [1, 2]}, r"weights doit être un tenseur \(2, .*\(1, "),
        ({"seeds": "x"}, "seeds doit .* 'x' reçu"),
        ({"seeds": {"a": 1}}, "seeds doit .* reçu"),
        ({"sizes": (9, 3)}, r"weights doit être un tenseur \(1, "),
        ({"scale": torch.ones(1, 4)}, r"scale doit être un tenseur \(1, 1, 4\)"),
        ({"env_steps": 1.5}, r"env_steps doit .* 1\.5 reçu"),
    ],
)
def test_a_bad_agent_is_refused(changes, named):
    good = Training(Config(hidden=(7,)), np.int64(3)).agent
    given = {"config": good.config, "weights": good.weights, "seeds": [np.int64(3)], **changes}
    if isinstance(given["weights"], str):
        given["weights"] = good.weights.to(getattr(torch, given["weights"]))
    with pytest.raises((TypeError, ValueError), match=f"^{named}"):
        Agent(**given)


def test_an_agent_of_another_game_keeps_its_sizes_and_its_scale():
    config, scale = Config(hidden=()), torch.arange(1.0, 13).reshape(2, 1, 6)
    together = Agent(config, torch.ones(2, 32), [3, 4], sizes=(6, 3), scale=scale)
    observations = np.ones((5, 6), np.float32)
    for agent, expected in zip(together, (21 + 1, 57 + 1), strict=True):
        assert agent.sizes == (6, 3)
        np.testing.assert_array_equal(agent.q_values(observations), np.full((5, 3), expected))
    assert together(np.ones((2, 5, 6))).shape == (2, 5)
    with pytest.raises(ValueError, match=r"observations doit .*6.*\(5, 4\) reçu"):
        together[0](np.ones((5, 4)))


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_range_is_refused(index):
    with pytest.raises(IndexError, match=f"indice doit .* {index} reçu"):
        agents([3, 4, 5])[index]


def test_wider_observations_give_the_same_answer():
    agent, observations = agents(3), observations_for(9)
    q = agent.q_values(observations)
    np.testing.assert_array_equal(agent.q_values(observations.astype(np.float64)), q)
    np.testing.assert_array_equal(agent.q_values(observations.tolist()), q)


@pytest.fixture
def every_warning():
    """PyTorch tait ses avertissements après le premier ; ici il les répète tous."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


@pytest.mark.usefixtures("every_warning")
@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[::-1],
        lambda array: array[::2],
        lambda array: np.asfortranarray(array),
        lambda array: np.broadcast_to(array[0], (5, 4)),
    ],
    ids=["reversed", "strided", "fortran", "read_only"],
)
def test_any_view_of_an_array_is_read(view):
    agent, observations = agents(3), observations_for(9)
    seen = view(observations)
    expected = agent.q_values(np.array(seen, order="C"))
    np.testing.assert_allclose(agent.q_values(seen), expected, rtol=1e-6)


def test_no_observation_gives_no_action():
    agent = agents(3)
    assert agent(np.zeros((0, 4))).shape == (0,)
    assert agent.q_values(np.zeros((0, 4))).shape == (0, 2)


def test_acting_leaves_observations_alone():
    agent, observations = agents(3, mirror=True), observations_for(9)
    before = observations.copy()
    agent(observations)
    np.testing.assert_array_equal(observations, before)


@pytest.mark.parametrize(
    ("seeds", "observations", "error", "received"),
    [
        (3, np.zeros(4), ValueError, r"\(4,\)"),
        (3, np.zeros((2, 5)), ValueError, r"\(2, 5\)"),
        (3, np.zeros((2, 2, 4)), ValueError, r"\(2, 2, 4\)"),
        ([3, 4], np.zeros((9, 4)), ValueError, r"\(9, 4\)"),
        ([3, 4], np.zeros((3, 9, 4)), ValueError, r"\(3, 9, 4\)"),
        (3, np.full((2, 4), np.nan), ValueError, "NaN"),
        (3, np.full((2, 4), np.inf), ValueError, "inf"),
        (3, np.full((2, 4), 1e300), ValueError, "finis"),
        (3, np.full((2, 4), "a"), TypeError, "<U1"),
        (3, None, TypeError, "object"),
        (3, [[0, 0, 0, 0], [0, 0]], ValueError, "reçu"),
    ],
)
def test_bad_observations_are_refused(seeds, observations, error, received):
    with pytest.raises(error, match=f"observations (ne )?doit .*{received}"):
        agents(seeds)(observations)


def test_a_snapshot_does_not_learn():
    config = replace(SMALL, warmup=4, batch_size=4, learning_rate=0.1)
    training = Training(config, [0, 1])
    for _ in range(6):
        training.advance()
    snapshot, observations = training.agent, observations_for(2, 9)
    alone = snapshot[0]
    before, alone_before = snapshot.q_values(observations), alone.q_values(observations[0])
    for _ in range(6):
        training.advance()
    np.testing.assert_array_equal(snapshot.q_values(observations), before)
    np.testing.assert_array_equal(alone.q_values(observations[0]), alone_before)
    assert not np.allclose(training.agent.q_values(observations), before)


STRANGER = Training(replace(SMALL, carts=1), 0, env="Acrobot-v1").agent
DRAWN = {
    "game": lambda: game({"elle": STRANGER}),
    "player": lambda: player(play(STRANGER, env="Acrobot-v1", limit=3)),
    "player, policy": lambda: player(play(policies.lqr, limit=3), STRANGER),
    "phase_portraits": lambda: figures.phase_portraits({"elle": STRANGER}, 1, "titre"),
    "action_maps": lambda: figures.action_maps(STRANGER.q_values, "titre"),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_what_draws_cartpole_refuses_another_game(draw):
    with pytest.raises(ValueError, match=r"CartPole, seul jeu .* 6 composantes reçue?s? ; `film`"):
        draw()
