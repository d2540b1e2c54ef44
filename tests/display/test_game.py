"""Le jeu, sans navigateur : ce que la page reçoit, ce que Python accepte d'elle et en garde."""

import itertools
import json
import re

import numpy as np
import pytest
import torch

from cartpole_helpers import Agent, Config, ReplayBuffer, evaluate, policies
from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.display.game import NO_SEED, game
from cartpole_helpers.networks import initial_weights

SMALL = Config(hidden=(6,), mirror=True, activation="tanh", input_scale=(2.0, 1.0, 10.0, 1.0))
HOSTILE = "</script><script>alert(1)</script>"
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


def test_weights_lie_end_to_end():
    agents = {"un": agent(1), "deux": agent(2)}
    shown = game(agents)
    weights = np.frombuffer(shown.weights, "<f4")
    firsts = [rule["first"] for rule in shown.policies[3:]]
    for first, one in zip(firsts, agents.values(), strict=True):
        row = one.weights[0].detach().numpy()
        np.testing.assert_array_equal(weights[first : first + len(row)], row)
    assert shown.policies[3]["layers"] == [[4, 6], [6, 2]]
    assert shown.policies[3]["mirror"] is True


def test_wrong_arguments_are_refused():
    for agents, seed, words in (
        ({"trois": agent(1, 2, 3)}, 0, "'trois'.*agent seul.*3 agents reçus"),
        ({"LQR": policies.lqr}, 0, "'LQR'.*doit être un Agent"),
        ({4: agent(1)}, 0, "chaînes pour noms : 4 reçu"),
        ([agent(1)], 0, "associer des noms"),
        ({}, -1, "seed.*-1 reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            game(agents, seed=seed)


def test_a_hostile_name_stays_a_name():
    page = game({HOSTILE: agent(1)}).frozen()
    assert page.count("<script") == page.count("</script") == 1
    state = json.loads(re.search(r"mount\(PLACE, render, (\{.*\})\);", page)[1])
    assert state["policies"][-1]["name"] == HOSTILE


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


def test_a_fall_at_the_last_step_is_both():
    """Comme dans Gymnasium : la tige tombe au pas même où l'épisode serait interrompu."""
    shown = received(fall_at_500())
    assert (shown.episodes[0].terminated, shown.episodes[0].truncated) == (True, True)


def fall_at_500():
    """LQR, puis une poussée toujours du même côté, à temps pour tomber au pas 500."""
    for start, held in itertools.product((0.01, 0.02, 0.03, 0.04), range(484, 496)):
        states, actions = played(policies.lqr, limit=held, start=start)
        while not has_fallen(states[-1]) and len(actions) < 500:
            states = np.vstack([states, dynamics(states[-1], 0)])
            actions = np.append(actions, np.uint8(0))
        if len(actions) == 500 and has_fallen(states[-1]):
            return states, actions
    raise AssertionError("aucun épisode ne tombe au pas 500")


def test_the_rounding_of_a_page_is_accepted():
    """Le sinus d'un navigateur n'est pas, au dernier bit près, celui de NumPy."""
    states, actions = played(push_left)
    states[3:] += 1e-13
    assert len(received((states, actions)).episodes) == 1


def changed(states, place, value):
    states = states.copy()
    states[place] = value
    return states


def wrong_episodes():
    states, actions = played(push_left)
    standing, pushes = played(policies.lqr)
    floating, _ = played(push_left, start=0.051)
    beyond = dynamics(states[-1], 0)[None]
    long = dynamics(standing[-1], 1)[None]
    two = np.where(np.arange(len(actions)) == 2, 2, actions).astype(np.uint8)
    last = len(actions)
    return {
        "un tampon": ([states.tobytes()], "deux tampons.*1 reçus"),
        "trois tampons": ([b"", b"", b""], "deux tampons.*3 reçus"),
        "vide": (sent(states[:1], actions[:0]), "entre 1 et 500.*0 reçus"),
        "501 pas": (sent(np.vstack([standing, long]), np.append(pushes, np.uint8(1))), "501 reçus"),
        "un état de moins": (sent(states[:-1], actions), f"{32 * last + 32} octets"),
        "float32": (sent(states.astype(np.float32), actions), f"{16 * last + 16} reçus"),
        "NaN": (sent(changed(states, (2, 1), np.nan), actions), "nombres finis"),
        "infini": (sent(changed(states, (2, 3), np.inf), actions), "nombres finis"),
        "démesuré": (sent(changed(states, (2, 3), 1e300), actions), "physique.*pas 2"),
        "action 2": (sent(states, two), "doit valoir 0.*2 reçu"),
        "actions inversées": (sent(states, 1 - actions), "physique.*pas 1 "),
        "un peu à côté": (sent(changed(states, (3, 0), states[3, 0] + 1e-8), actions), "pas 3"),
        "départ trop loin": (sent(floating, actions[: len(floating) - 1]), "0.05 au plus"),
        "coupé court": (sent(states[:-1], actions[:-1]), "première chute.*au lieu de 500"),
        "coupé à 499": (sent(standing[:-1], pushes[:-1]), "pas 499 reçu, au lieu de 500"),
        "après la chute": (
            sent(np.vstack([states, beyond]), np.append(actions, np.uint8(0))),
            f"pas {last + 1} reçu, au lieu de {last}",
        ),
    }


def test_a_wrong_episode_is_refused_and_changes_nothing():
    shown = received(played(push_left))
    kept = shown.episodes[0]
    for buffers, words in wrong_episodes().values():
        with pytest.raises(ValueError, match=words):
            shown.receive(EPISODE, buffers)
    for message in ({}, {"kind": "autre"}, {"kind": ["episode"]}):
        with pytest.raises(ValueError, match="kind doit être l'un de 'episode'"):
            shown.receive(message, sent(*played(push_left)))
    assert (len(shown.episodes), shown.received) == (1, 1)
    assert shown.episodes[0] is kept


# Ce que l'on en fait


def kept(memory):
    """Les transitions de la mémoire, dans l'ordre où elles sont arrivées."""
    saved = memory.saved_state()
    return {name: saved[name][0] for name in ("observation", "action", "reward", "terminated")} | {
        "next": saved["next_observation"][0]
    }


def test_a_memory_receives_every_transition():
    fallen, standing = played(push_left), played(policies.lqr)
    memory, shown = ReplayBuffer(1_000), received(fallen, standing)
    assert [episode.terminated for episode in shown.episodes] == [True, False]
    assert [episode.truncated for episode in shown.episodes] == [False, True]
    count = shown.fill(memory)
    assert count == len(memory) == len(fallen[1]) + 500
    found = kept(memory)
    for name, rows in (("observation", slice(None, -1)), ("next", slice(1, None))):
        expected = np.concatenate([fallen[0][rows], standing[0][rows]])
        np.testing.assert_array_equal(found[name], expected.astype(np.float32))
    np.testing.assert_array_equal(found["action"], np.concatenate([fallen[1], standing[1]]))
    assert (found["reward"] == 1).all()
    assert np.flatnonzero(found["terminated"]).tolist() == [len(fallen[1]) - 1]


def test_a_small_memory_keeps_the_last_transitions():
    standing, fallen = played(policies.lqr), played(push_left)
    memory = ReplayBuffer(len(fallen[1]))
    assert received(standing, fallen).fill(memory) == 500 + len(fallen[1])
    assert len(memory) == len(fallen[1])
    order = np.roll(kept(memory)["terminated"], -(500 % len(fallen[1])))
    assert np.flatnonzero(order).tolist() == [len(fallen[1]) - 1]


def test_what_is_not_the_memory_of_one_agent_is_refused():
    """Fût-elle de T agents, où (T, 4) passerait pour une transition par agent."""
    fallen = played(push_left)
    memory = ReplayBuffer(10, seeds=range(len(fallen[1])))
    with pytest.raises(ValueError, match=f"un seul agent : {len(fallen[1])} agents reçus"):
        received(fallen).fill(memory)
    assert len(memory) == 0
    with pytest.raises(TypeError, match=r"ReplayBuffer : \[\] reçu"):
        game().fill([])
    assert game().fill(ReplayBuffer(10)) == 0


def test_a_network_that_diverged_says_so():
    broken = agent(1)
    broken.weights.data[0, 0] = torch.nan
    names = [rule["name"] for rule in game({"sain": agent(1), "malade": broken}).policies]
    assert names[3:] == ["sain", "malade (poids non finis)"]
