"""Le jeu, sans navigateur : ce que la page reçoit, ce que Python accepte d'elle et en garde."""

import re

import numpy as np
import pytest
import torch

from cartpole_helpers import Agent, Config, ReplayBuffer, evaluate, policies
from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.display.game import NO_SEED, game
from cartpole_helpers.networks import initial_weights

SMALL = Config(hidden=(6,), mirror=True, activation="tanh", input_scale=(2.0, 1.0, 10.0, 1.0))
EPISODE = {"kind": "episode", "id": "a1"}


def agent(*seeds):
    """Des agents dont les poids, comme pendant un entraînement, gardent trace des calculs."""
    return Agent(SMALL, initial_weights(SMALL, list(seeds)).requires_grad_(), list(seeds))


def push_left(observations):
    return np.zeros(len(observations), int)


def played(policy, limit=500, start=0.02):
    """Un épisode tel que la page l'enregistre : états (T + 1, 4), actions (T,)."""
    states, actions = [np.full(4, start)], []
    while not has_fallen(states[-1]) and len(actions) < limit:
        actions.append(int(policy(states[-1][None])[0]))
        states.append(dynamics(states[-1], actions[-1]))
    return np.array(states), np.array(actions, np.uint8)


def sent(states, actions):
    return [memoryview(states.tobytes()), memoryview(actions.tobytes())]


def received(*episodes):
    shown = game()
    for states, actions in episodes:
        shown.receive(EPISODE, sent(states, actions))
    return shown


# Ce que la page reçoit


def test_the_table_is_measured():
    shown = game({"petit": agent(3)}, seed=5)
    known = {
        "au hasard": policies.random_policy(5),
        "θ + θ̇": policies.push_by_angle_and_velocity,
        "LQR": policies.lqr,
        "petit": agent(3),
    }
    means = {rule["name"]: rule["mean"] for rule in shown.policies}
    assert means == {name: evaluate(policy, 100, 5).mean() for name, policy in known.items()}
    assert means["au hasard"] < 40 < 400 < means["LQR"]


def test_wrong_arguments_are_refused():
    for agents, seed, words in (
        ({"trois": agent(1, 2, 3)}, 0, "'trois'.*agent seul.*3 agents reçus"),
        ({"LQR": policies.lqr}, 0, "'LQR'.*doit être un Agent"),
        ([agent(1)], 0, "associer des noms"),
        ({}, -1, "seed.*-1 reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            game(agents, seed=seed)


def test_the_page_is_autonomous_and_always_the_same():
    page = game({"petit": agent(1)}).frozen()
    assert page == game({"petit": agent(1)}).frozen()
    assert set(re.findall(r"https?://[^\"'\s]+", page)) == {"http://www.w3.org/2000/svg"}


# Ce que Python accepte


def test_a_fall_is_kept():
    states, actions = played(push_left)
    (episode,) = received((states, actions)).episodes
    np.testing.assert_array_equal(episode.observations, states.astype(np.float32))
    assert episode.observations.dtype == np.float32
    assert episode.actions.tolist() == actions.tolist()
    assert episode.rewards.tolist() == [1.0] * len(actions)
    assert (episode.terminated, episode.truncated) == (True, False)
    assert (episode.q_values, episode.frames, episode.seed) == (None, None, NO_SEED)


def wrong_episodes():
    states, actions = played(push_left)
    standing, pushes = played(policies.lqr)
    floating, _ = played(push_left, start=0.051)
    beyond = np.vstack([states, dynamics(states[-1], 0)])
    long = np.vstack([standing, dynamics(standing[-1], 1)])
    lost, shifted = states.copy(), states.copy()
    lost[2, 1], shifted[3, 0] = np.nan, states[3, 0] + 1e-8
    last = len(actions)
    yield [states.tobytes()], "deux tampons.*1 reçus"
    yield sent(states[:1], actions[:0]), "entre 1 et 500.*0 reçus"
    yield sent(long, np.append(pushes, np.uint8(1))), "501 reçus"
    yield sent(states.astype(np.float32), actions), f"{16 * last + 16} reçus"
    yield sent(lost, actions), "nombres finis"
    yield sent(states, actions + np.uint8(2)), "doit valoir 0.*2 reçu"
    yield sent(states, 1 - actions), "physique.*pas 1 "
    yield sent(shifted, actions), "pas 3"
    yield sent(floating, actions[: len(floating) - 1]), "0.05 au plus"
    yield sent(states[:-1], actions[:-1]), "première chute.*au lieu de 500"
    yield sent(beyond, np.append(actions, np.uint8(0))), f"pas {last + 1} reçu, au lieu de {last}"


def test_a_wrong_episode_is_refused_and_changes_nothing():
    shown = received(played(push_left))
    kept = shown.episodes[0]
    for buffers, words in wrong_episodes():
        with pytest.raises(ValueError, match=words):
            shown.receive(EPISODE, buffers)
    with pytest.raises(ValueError, match="kind doit être l'un de 'episode'"):
        shown.receive({"kind": "autre"}, sent(*played(push_left)))
    assert (len(shown.episodes), shown.received) == (1, 1)
    assert shown.episodes[0] is kept


# Ce que l'on en fait


def test_a_memory_receives_every_transition():
    fallen, standing = played(push_left), played(policies.lqr)
    memory, shown = ReplayBuffer(1_000), received(fallen, standing)
    assert [episode.terminated for episode in shown.episodes] == [True, False]
    assert [episode.truncated for episode in shown.episodes] == [False, True]
    count = shown.fill(memory)
    assert count == len(memory) == len(fallen[1]) + 500
    found = {name: rows[0] for name, rows in memory.saved_state().items() if np.ndim(rows)}
    for name, rows in (("observation", slice(None, -1)), ("next_observation", slice(1, None))):
        expected = np.concatenate([fallen[0][rows], standing[0][rows]])
        np.testing.assert_array_equal(found[name], expected.astype(np.float32))
    np.testing.assert_array_equal(found["action"], np.concatenate([fallen[1], standing[1]]))
    assert (found["reward"] == 1).all()
    assert np.flatnonzero(found["terminated"]).tolist() == [len(fallen[1]) - 1]


def test_what_is_not_the_memory_of_one_agent_is_refused():
    """Fût-elle de T agents, où (T, 4) passerait pour une transition par agent."""
    fallen = played(push_left)
    memory = ReplayBuffer(10, seeds=range(len(fallen[1])))
    with pytest.raises(ValueError, match=f"un seul agent : {len(fallen[1])} agents reçus"):
        received(fallen).fill(memory)
    assert len(memory) == 0


def test_a_network_that_diverged_says_so():
    broken = agent(1)
    broken.weights.data[0, 0] = torch.nan
    names = [rule["name"] for rule in game({"sain": agent(1), "malade": broken}).policies]
    assert names[3:] == ["sain", "malade (poids non finis)"]
