"""Le DQN de la page, comparé à PyTorch et au paquet : mêmes poids, mêmes lots, mêmes nombres.

JavaScript calcule en float64 : PyTorch aussi, ici, et ils ne diffèrent qu'à l'arrondi. Les marges
sont cent mille fois plus petites que ce que change un signe, un γ ou un axe de travers.
"""

from collections import deque
from dataclasses import asdict, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from cartpole_helpers import VERSION_2, Training, double_td_target, td_loss
from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.display.learner import IN_THE_PAGE
from cartpole_helpers.dqn import FREE, held_epsilon_greedy
from cartpole_helpers.networks import weight_count
from cartpole_helpers.replay import DiscountedTransition, StepWindow, Transition

SMALL = replace(IN_THE_PAGE, hidden=(12, 8), batch_size=16, warmup=64, capacity=500)
CLOSE = {"rtol": 1e-9, "atol": 1e-10}  # en float64, des deux côtés
FAR = 1e5 * CLOSE["atol"]  # ce que change au moins la plus petite faute


def random_weights(config, networks, seed=0):
    """Des poids (N, P) en float64, de la taille de ceux d'un réseau neuf."""
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (networks, used(config)))


def used(config):
    sizes = (4, *config.hidden, 2)
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))


def random_batch(config, generator):
    """Un lot où se mêlent chutes, amorçages à un, deux ou trois pas, et les deux actions."""
    count = config.batch_size
    steps = generator.integers(1, 4, count)
    return {
        "observation": generator.normal(0, 0.5, (count, 4)).astype(np.float32),
        "action": generator.integers(2, size=count),
        "reward": steps.astype(np.float32),
        "terminated": generator.random(count) < 0.3,
        "nextObservation": generator.normal(0, 0.5, (count, 4)).astype(np.float32),
        "discount": (config.gamma**steps).astype(np.float32),
    }


def told(batch):
    """Le lot, tel qu'on l'envoie à la page."""
    return {name: np.asarray(values).astype(float).tolist() for name, values in batch.items()}


def oracle(config, weights):
    """Le réseau de `weights` (P,), en float64, fait de torch.nn."""
    flat, modules = torch.from_numpy(weights), []
    for inputs, outputs in pairwise((4, *config.hidden, 2)):
        layer = nn.Linear(inputs, outputs, dtype=torch.float64)
        weight, bias, flat = flat.split(
            [inputs * outputs, outputs, len(flat) - (inputs + 1) * outputs]
        )
        layer.load_state_dict({"weight": weight.view(inputs, outputs).T, "bias": bias})
        modules += [layer, nn.SiLU()]
    return nn.Sequential(*modules[:-1])


def flattened(network, of=lambda tensor: tensor):
    """Les poids d'un `oracle`, ou leurs gradients, rangés comme dans la page."""
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    parts = [part for layer in layers for part in (of(layer.weight).T, of(layer.bias))]
    return torch.cat([part.flatten() for part in parts]).detach().numpy()


def expected_update(config, online, target, optimizer, batch):
    """Ce que calcule PyTorch d'une mise à jour, avec les règles du paquet."""
    columns = {name: torch.from_numpy(values) for name, values in batch.items()}
    scale = torch.tensor(config.input_scale, dtype=torch.float64)
    here, there = (columns[name] * scale for name in ("observation", "nextObservation"))
    reward, discount = columns["reward"].double(), columns["discount"].double()
    with torch.no_grad():
        following = online(there), target(there)
    goal = double_td_target(reward, columns["terminated"], *following, discount)
    q = online(here)
    loss = td_loss(q, columns["action"], goal)
    optimizer.zero_grad()
    loss.backward()
    gradient = flattened(online, lambda tensor: tensor.grad)
    optimizer.step()
    return {
        "q": q.detach().numpy().ravel(),
        "goal": goal,
        "loss": loss.item(),
        "gradient": gradient,
    }


def test_values_target_loss_gradient_and_steps_of_adam_are_those_of_pytorch(engine):
    """Trois mises à jour : les moyennes d'Adam, la cible et la moyenne des poids y comptent."""
    config, generator = SMALL, np.random.default_rng(1)
    first, second, third = random_weights(config, 3)
    batches = [random_batch(config, generator) for _ in range(3)]
    weights = {"online": first.tolist(), "target": second.tolist(), "average": third.tolist()}
    page = engine("updates", config=asdict(config), weights=weights, batches=[*map(told, batches)])
    online, target, average = oracle(config, first), oracle(config, second), third
    optimizer, before = torch.optim.Adam(online.parameters()), first
    for step, (batch, computed) in enumerate(zip(batches, page, strict=True)):
        optimizer.param_groups[0]["lr"] = config.learning_rate_at(step)
        expected = expected_update(config, online, target, optimizer, batch)
        for name, values in expected.items():
            np.testing.assert_allclose(computed[name], values, **CLOSE, err_msg=name)
        after = flattened(online)
        followed = flattened(target) + config.target_rate * (after - flattened(target))
        average = average + config.average_rate_at(step + 1) * (after - average)
        target = oracle(config, followed)
        for name, values in {"online": after, "target": followed, "average": average}.items():
            np.testing.assert_allclose(computed[name], values, **CLOSE, err_msg=name)
        assert np.abs(after - before).max() > FAR  # un pas à l'envers se verrait
        assert np.abs(expected["gradient"]).max() > FAR
        before = after


def test_its_losses_are_those_of_the_engine_of_the_course(engine):
    """Le moteur du paquet, en float32, à qui l'on donne les mêmes poids et les mêmes lots."""
    config = replace(SMALL, hidden=(16, 8))
    course, generator = Training(config, 0), np.random.default_rng(2)
    batches = [random_batch(config, generator) for _ in range(4)]
    start = course.online.weights[0, : used(config)].double().tolist()
    weights = dict.fromkeys(("online", "target", "average"), start)
    page = engine("updates", config=asdict(config), weights=weights, batches=[*map(told, batches)])
    for batch, computed in zip(batches, page, strict=True):
        [loss] = course.learn(DiscountedTransition(*(values[None] for values in batch.values())))
        course.synchronise()
        assert computed["loss"] == pytest.approx(loss, rel=1e-3)
    assert np.ptp([computed["loss"] for computed in page]) > 0.1


def test_the_schedules_and_the_choice_of_actions_are_those_of_the_course(engine):
    config = replace(IN_THE_PAGE, learning_rate_floor=2e-3)
    steps = [0, 1, 40, 500, 999, 1_000, 20_000]
    seen = engine("schedules", config=asdict(config), steps=steps)
    for step, got in zip(steps, seen, strict=True):
        rates = config.learning_rate_at(step), config.average_rate_at(step)
        assert got == pytest.approx([config.epsilon(step), *rates], rel=1e-12)
    draws = np.random.default_rng(0).random((2_000, 2))
    held = np.random.default_rng(1).choice([FREE, 0, 1], 2_000)
    for epsilon, hold in ((0.5, 2.0), (0.9, 1.0), (0.0, 3.0), (1.0, 4.0)):
        cases = [
            [int(h), epsilon, hold, *pair] for h, pair in zip(held, draws.tolist(), strict=True)
        ]
        _, expected = held_epsilon_greedy(
            torch.zeros(2_000, 2), epsilon, hold, torch.from_numpy(draws), torch.from_numpy(held)
        )
        assert engine("held", cases=cases) == expected.tolist()


def random_steps(turns, carts, generator):
    """Des pas de plusieurs chariots, où tombent des fins des deux sortes."""
    for _ in range(turns):
        ended = generator.random(carts)
        lived = Transition(
            generator.normal(size=(carts, 4)).astype(np.float32),
            generator.integers(2, size=carts),
            np.ones(carts, np.float32),
            ended < 0.2,
            generator.normal(size=(carts, 4)).astype(np.float32),
        )
        yield lived, (ended >= 0.2) & (ended < 0.4)


@pytest.mark.parametrize("length", [1, 3])
def test_the_window_cuts_at_an_end_and_bootstraps_past_a_truncation(engine, length):
    carts, steps = 4, [*random_steps(40, 4, np.random.default_rng(3))]
    sent = [
        {
            **told(
                {
                    name: getattr(lived, name)
                    for name in ("observation", "action", "reward", "terminated")
                }
            ),
            "nextObservation": lived.next_observation.astype(float).tolist(),
            "discount": [0.0] * carts,
            "truncated": truncated.tolist(),
        }
        for lived, truncated in steps
    ]
    seen = engine("folded", length=length, gamma=0.9, steps=sent)
    window = StepWindow(length, 0.9, (1, carts))
    for (lived, truncated), got in zip(steps, seen, strict=True):
        expected = window.push(Transition(*(values[None] for values in lived)), truncated[None])
        assert (got is None) == (expected is None)
        for name, values in (expected._asdict() if expected else {}).items():
            name = name.replace("next_observation", "nextObservation")
            np.testing.assert_allclose(got[name], values.ravel(), rtol=1e-6)


def test_the_ring_keeps_the_last_and_draws_with_replacement(engine):
    generator, capacity = np.random.default_rng(4), 7
    batch = random_batch(replace(SMALL, batch_size=20), generator)
    draws = generator.random(50)
    seen = engine("ring", capacity=capacity, transitions=told(batch), draws=draws.tolist())
    kept = deque(maxlen=capacity)
    for reward, action in zip(batch["reward"], batch["action"], strict=True):
        kept.append((reward, action))
    pairs = [*zip(seen["kept"]["reward"], seen["kept"]["action"], strict=True)]
    assert sorted(pairs) == sorted(kept)
    places = np.floor(draws * capacity).astype(int)
    assert seen["batch"]["reward"] == [seen["kept"]["reward"][place] for place in places]
    states = np.reshape(seen["kept"]["observation"], (-1, 4))
    np.testing.assert_array_equal(np.reshape(seen["batch"]["observation"], (-1, 4)), states[places])


def test_chance_is_uniform_and_neither_seeds_nor_purposes_share_a_draw(engine):
    asked = [(0, "replay"), (1, "replay"), (0, "carts"), (2**32, "replay"), (0, "judge")]
    series = [engine("draws", seed=seed, purpose=name, count=20_000) for seed, name in asked]
    assert engine("draws", seed=0, purpose="replay", count=20_000) == series[0]
    assert len({*map(tuple, series)}) == len(series)
    for one in series:
        assert 0 <= min(one) <= max(one) < 1
        counts, _ = np.histogram(one, 20, (0, 1))
        assert ((counts - 1_000) ** 2 / 1_000).sum() < 60  # χ² à 19 degrés : une fois sur 10⁵
    assert np.abs(np.corrcoef(series)[np.triu_indices(5, 1)]).max() < 0.04


def test_the_first_weights_are_those_of_a_linear_layer(engine):
    weights = np.array(engine("initial", hidden=[64, 64], seed=3))
    assert len(weights) == used(IN_THE_PAGE) <= weight_count(IN_THE_PAGE)
    for part, inputs in ((weights[: 5 * 64], 4), (weights[5 * 64 : 70 * 64], 64)):
        assert np.abs(part).max() == pytest.approx(1 / np.sqrt(inputs), rel=0.03)
        assert part.std() == pytest.approx(1 / np.sqrt(3 * inputs), rel=0.1)


def test_an_evaluation_plays_the_greedy_policy_to_its_end(engine):
    """Des départs donnés : les retours sont ceux de l'agent du paquet, qui calcule en float32."""
    config, episodes = replace(SMALL, hidden=(16, 8)), 6
    weights = np.random.default_rng(8).normal(0, 0.5, used(config))
    padded = torch.zeros(1, weight_count(config))
    padded[0, : used(config)] = torch.from_numpy(weights)
    agent, draws = Agent(config, padded, [0])[0], np.random.default_rng(9).random((episodes, 4))
    states, alive, total = 0.05 * (2 * draws - 1), np.ones(episodes, bool), 0
    for _ in range(500):
        total += alive.sum()
        states = dynamics(states, agent(states.astype(np.float32)))
        alive &= ~has_fallen(states)
    asked = {"config": asdict(config), "weights": weights.tolist(), "draws": draws.ravel().tolist()}
    assert engine("judged", episodes=episodes, **asked) == pytest.approx(total / episodes, rel=0.02)
    assert 5 < total / episodes < 500


def test_the_same_seed_trains_the_same_and_another_differs(engine):
    asked = {"config": asdict(SMALL), "turns": 40}
    one, same, other = (engine("trained", seed=seed, **asked) for seed in (0, 0, 1))
    assert one == same
    for name in ("losses", "online"):
        assert one[name] != other[name]
    assert one["memory"]["observation"] != other["memory"]["observation"]
    assert one["turn"]["envSteps"] == 40 * SMALL.carts
    learned = [loss for loss in one["losses"] if loss != "NaN"]
    assert len(learned) == one["turn"]["gradientSteps"] > 20


def memory_of(seen):
    """Ce que tient la mémoire, en tableaux."""
    columns = {name: np.array(values) for name, values in seen["memory"].items()}
    states = {name: columns[name].reshape(-1, 4) for name in ("observation", "nextObservation")}
    return columns | states


def test_what_is_remembered_is_the_physics_and_only_falls_are_ends(engine):
    config = replace(SMALL, n_steps=1, capacity=2_000)
    memory = memory_of(engine("trained", seed=0, config=asdict(config), turns=100))
    after = dynamics(memory["observation"], memory["action"])
    np.testing.assert_allclose(memory["nextObservation"], after, atol=1e-6)
    assert (memory["terminated"] == has_fallen(memory["nextObservation"])).all()
    assert 0.01 < memory["terminated"].mean() < 0.2


def test_the_amnesic_stops_storing_falls_and_repeats_the_step_before(engine):
    config, since = replace(SMALL, n_steps=1, capacity=5_000), 800
    asked = {"config": asdict(config), "seed": 0, "turns": 150}
    whole = memory_of(engine("trained", **asked))
    amnesic = memory_of(engine("trained", forgetSince=since, **asked))
    early = np.arange(len(whole["terminated"])) < since
    assert whole["terminated"][~early].any()
    assert amnesic["terminated"][early].any()
    assert not amnesic["terminated"][~early].any()
    first = np.flatnonzero(whole["terminated"] & ~early)[0]  # avant elle, rien ne diffère
    before = amnesic["observation"][first - config.carts]
    np.testing.assert_array_equal(amnesic["observation"][first], before)


def test_sizes_that_its_products_cannot_cut_are_refused_in_french(engine):
    for change in ({"batch_size": 6}, {"hidden": (64, 30)}, {"carts": 2}):
        said = engine("refusal", config=asdict(replace(SMALL, **change)))
        assert "multiples de 4" in said
    assert engine("refusal", config=asdict(replace(VERSION_2, capacity=500))) is None
