"""Ce que la page calcule seule, comparé à Gymnasium, à torch.nn et au paquet."""

from base64 import b64decode, b64encode

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn

from cartpole_helpers import policies
from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import EPISODE_LIMIT, THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.config import ACTIVATIONS, Config
from cartpole_helpers.display.background import READY
from cartpole_helpers.display.game import game
from cartpole_helpers.networks import weight_count

LAYERS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "silu": nn.SiLU, "tanh": nn.Tanh}
SCALE = (2.0, 1.0, 10.0, 0.3)  # 0,3 n'est pas exact : l'agent l'arrondit au float32
WIDTHS = (12, 7, 5)
SIDE = {"kind": "linear", "gain": [0, 0, 0, 0]}  # pousse toujours à gauche
LQR = {"kind": "linear", "gain": list(policies.lqr_gain())}
FRAME = ["frame", 0.02]  # la durée d'un pas


def random_states(count, seed=0):
    """Des états pris au-delà des limites de l'épisode."""
    scales = np.array([3.0, 3.0, 0.4, 3.0])
    return scales * np.random.default_rng(seed).uniform(-1, 1, (count, 4))


def test_one_step_is_that_of_gymnasium(node):
    """10 N : la poussée ; 50 N : elle et une bousculade."""
    count = 4_000
    states, forces = random_states(count), np.where(np.arange(count) % 2, 10.0, 50.0)
    actions = np.random.default_rng(1).integers(2, size=count)
    env, expected, ended = gymnasium.make("CartPole-v1").unwrapped, [], []
    env.reset(seed=0)
    for state, action, force in zip(states, actions.tolist(), forces.tolist(), strict=True):
        env.state, env.force_mag, env.steps_beyond_terminated = tuple(state), force, None
        ended.append(env.step(action)[2])
        expected.append([*map(float, env.state)])
    signed = np.where(actions == 1, forces, -forces)
    moved = node("advance", states=states.tolist(), forces=signed.tolist())
    np.testing.assert_allclose(moved, expected, rtol=0, atol=1e-14)
    assert node("fallen", states=expected) == ended
    assert 0.2 < np.mean(ended) < 0.8


def test_the_limits_themselves_are_not_a_fall(node):
    edges = [side * limit for limit in (X_LIMIT, np.nextafter(X_LIMIT, 9)) for side in (-1, 1)]
    angles = [side * t for t in (THETA_LIMIT, np.nextafter(THETA_LIMIT, 9)) for side in (-1, 1)]
    states = np.array([[x, 0, 0, 0] for x in edges] + [[0, 0, theta, 0] for theta in angles])
    fallen = node("fallen", states=states.tolist())
    assert fallen == has_fallen(states).tolist() == [False, False, True, True] * 2


def random_agent(activation, mirror, seed):
    config = Config(hidden=WIDTHS, input_scale=SCALE, activation=activation, mirror=mirror)
    generator = torch.Generator().manual_seed(seed)
    return Agent(config, torch.randn((1, weight_count(config)), generator=generator), [seed])


@pytest.fixture(scope="module")
def agents():
    kinds = [(activation, mirror) for activation in ACTIVATIONS for mirror in (False, True)]
    return {f"{kind}": random_agent(*kind, seed) for seed, kind in enumerate(kinds)}


@pytest.fixture(scope="module")
def answers(node, agents):
    """Les états, et ce que la page joue dans chacun : politiques de référence, puis réseaux."""
    states = random_states(2_000, seed=3)
    shown = game(agents)
    weights = b64encode(shown.weights).decode()
    played = node("policies", rules=shown.policies, weights=weights, states=states.tolist())
    return states, dict(zip((rule["name"] for rule in shown.policies), played, strict=True))


def oracle(agent, states):
    """Les valeurs d'action en float64, par torch.nn."""
    flat, modules = agent.weights[0].double(), []
    for inputs, outputs in zip((4, *WIDTHS), (*WIDTHS, 2), strict=True):
        layer = nn.Linear(inputs, outputs, dtype=torch.float64)
        weight, bias, flat = flat.split(
            [inputs * outputs, outputs, len(flat) - (inputs + 1) * outputs]
        )
        layer.load_state_dict({"weight": weight.view(inputs, outputs).T, "bias": bias})
        modules += [layer, LAYERS[agent.config.activation]()]
    network = nn.Sequential(*modules[:-1])
    seen = torch.from_numpy(states.astype(np.float32) * np.float32(SCALE).astype(float))
    with torch.no_grad():
        if not agent.config.mirror:
            return network(seen).numpy()
        return torch.stack([network(-seen)[:, 1], network(seen)[:, 1]], dim=1).numpy()


def test_networks_are_those_of_torch_and_play_like_their_agent(agents, answers):
    """L'agent calcule en float32 : il ne s'accorde avec la page qu'à cet arrondi près."""
    states, played = answers
    for name, agent in agents.items():
        expected = oracle(agent, states)
        np.testing.assert_allclose(played[name]["q"], expected, rtol=1e-11, atol=1e-11)
        q = agent.q_values(states.astype(np.float32))
        error = 1e-5 * np.abs(q).max()
        np.testing.assert_allclose(played[name]["q"], q, rtol=0, atol=error)
        clear = np.abs(q[:, 1] - q[:, 0]) > 2 * error
        actions = np.array(played[name]["actions"])
        assert clear.mean() > 0.98
        assert (actions == q.argmax(axis=1))[clear].all()
        assert 0.02 < actions.mean() < 0.98


def test_the_rules_are_those_of_the_package_and_chance_tosses_a_fair_coin(answers):
    states, played = answers
    rules = {"θ + θ̇": policies.push_by_angle_and_velocity, "LQR": policies.lqr}
    for name, policy in rules.items():
        assert played[name]["actions"] == policy(states.astype(np.float32)).tolist()
    assert {*played["au hasard"]["actions"]} == {0, 1}
    assert 0.4 < np.mean(played["au hasard"]["actions"]) < 0.6


def tell(node, *events, **more):
    """Ce que l'on voit après le dernier évènement, et les épisodes finis."""
    told = node("story", events=list(events), rules=[LQR, SIDE], **more)
    return told["seen"][-1], told["results"]


def test_a_push_lasts_until_the_other_is_chosen_and_a_pause_stops_everything(node):
    pause = [["pause"], ["frame", 0.1], ["pause"]]
    events = [["speed", 1], ["push", 1], FRAME, *pause, FRAME, ["push", 0], FRAME]
    seen, _ = tell(node, *events)
    state = np.zeros(4)
    for action in (1, 1, 0):
        state = dynamics(state, action)
    np.testing.assert_allclose(seen["state"], state, rtol=0, atol=1e-14)


def test_the_pace_does_not_depend_on_the_screen_and_lost_time_is_not_caught_up(node):
    """LQR, qui tient : après 3 s de montre, 3·vitesse/0,02 pas, à un près."""
    for frame, speed in ((1 / 144, 1), (1 / 30, 0.5), (0.1, 0.1)):
        events = [["speed", speed], ["handOver", 0], *[["frame", frame]] * round(3 / frame)]
        seen, _ = tell(node, *events)
        assert abs(seen["steps"] - 3 * speed / 0.02) <= 1
    seen, _ = tell(node, ["speed", 1], ["handOver", 0], ["frame", 3600])
    assert seen["steps"] <= 5


def test_an_episode_abandoned_or_handed_over_is_not_told(node):
    frames, begin = [["frame", 0.1]] * 3, [["speed", 1], ["push", 1], ["frame", 0.1]]
    seen, results = tell(node, *begin, ["restart"], *frames)
    assert (seen["phase"], seen["steps"], results) == (READY, 0, [])  # on attend une poussée
    before, _ = tell(node, *begin, draw=0.7)
    after, _ = tell(node, *begin, ["handOver", 0], draw=0.7)
    assert (after["state"], after["steps"]) == (before["state"], 0)  # reprise là où l'on en est
    seen, results = tell(node, *begin, ["handOver", 0], *frames * 44)
    assert results == []
    assert seen["steps"] > EPISODE_LIMIT


def test_a_knock_lasts_one_step(node):
    for side, force in ((0, -40), (1, 40)):
        events = [["speed", 1], ["handOver", 0], FRAME, ["push", side], FRAME, FRAME]
        told = node("story", events=events, rules=[LQR])["seen"]
        before, knocked, after = (told[i]["state"] for i in (2, 4, 5))
        pushes = [10 if told[i]["action"] == 1 else -10 for i in (4, 5)]
        expected = node("advance", states=[before, knocked], forces=[pushes[0] + force, pushes[1]])
        assert [knocked, after] == expected


def test_python_accepts_what_the_page_sends(node):
    shown = game()
    for rule, speed, terminated in ((LQR, 0.3, False), (SIDE, 1, True)):
        told = node("reader", rule=rule, draw=0.6, speed=speed)
        shown.receive({"kind": "episode"}, [b64decode(text) for text in told["buffers"]])
        episode = shown.episodes[-1]
        assert (episode.terminated, episode.truncated) == (terminated, not terminated)
        assert len(episode.actions) == told["steps"]
