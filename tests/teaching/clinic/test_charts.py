"""Les relevés : chaque mesure contre un calcul naïf, un entraînement suivi, un fichier relu."""

import math
from dataclasses import replace
from itertools import product

import gymnasium
import numpy as np
import pytest
import torch

from cartpole_helpers import QUICK, Training, Transition, evaluate, record, train
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.teaching.clinic import references
from cartpole_helpers.teaching.clinic.charts import (
    chart,
    dead_share,
    drift,
    examine,
    hidden_outputs,
    load_chart,
    loss_measures,
    monitor,
    save_chart,
)

# Les mesures, contre un calcul naïf


def q_of(observations):
    """Des valeurs qui dépendent de l'état : 3 + x pour pousser à gauche, 5 − 2 ẋ à droite."""
    return np.stack([3 + observations[:, 0], 5 - 2 * observations[:, 1]], axis=1)


def twice(observations):
    return 2 * q_of(observations)


def memory_of(count=300, seed=0):
    """Des transitions tirées au hasard, dont le successeur est tombé une fois sur trois."""
    generator = np.random.default_rng(seed)
    successors = generator.uniform(-1, 1, (count, 4)) * [2, 1, 0.2, 1]
    successors[::3, 2] = 0.3
    return Transition(
        generator.uniform(-1, 1, (count, 4)).astype(np.float32),
        generator.integers(2, size=count),
        np.ones(count, np.float32),
        np.arange(count) % 3 == 0,
        successors.astype(np.float32),
    )


def test_the_measures_of_a_memory_are_those_of_a_naive_loop():
    memory = memory_of()
    excess, following, others, falls = [], [], [], []
    for state, action, reward, _, successor in zip(*memory, strict=True):
        fell = abs(successor[2]) > 12 * math.pi / 180 or abs(successor[0]) > 2.4
        error = q_of(state[None])[0, action] - reward
        excess.append(error)
        following.append(0.0 if fell else twice(successor[None])[0].max())
        (falls if fell else others).append(error)
    measures = examine(q_of, twice, memory)
    assert len(falls) == 100
    assert measures["discount"] == pytest.approx(np.mean(excess) / np.mean(following))
    assert measures["flatness"] == pytest.approx(np.std(others) / abs(np.mean(excess)))
    assert measures["fall_cost"] == pytest.approx(np.sum(np.square(falls)) / 300)
    assert (measures["stored"], measures["stored_reward"]) == (300, 1)
    assert measures["stored_falls"] == pytest.approx(1 / 3)
    assert measures["false_ends"] == measures["missed_ends"] == 0
    preferred = q_of(memory.observation).argmax(axis=1)
    always = examine(q_of, None, memory, lambda states: np.ones(len(states), int))
    assert always["disagreement"] == pytest.approx((preferred == 0).mean())


def test_flags_and_rewards_are_audited_but_not_within_rounding_of_a_limit():
    memory = memory_of()
    flags = memory.terminated.copy()
    flags[1] = True  # debout
    flags[[0, 3, 6]] = False  # tombés
    audited = examine(q_of, None, memory._replace(terminated=flags, reward=np.zeros(300)))
    assert audited["false_ends"] == pytest.approx(1 / 300)
    assert audited["missed_ends"] == pytest.approx(3 / 100)
    assert audited["stored_reward"] == 0
    memory = memory_of(6)
    for place, limit in ((0, 2.4), (2, -12 * math.pi / 180)):
        memory.next_observation[:] = 0
        memory.next_observation[:, place] = limit * (1 + np.linspace(-1e-7, 1e-7, 6))
        audited = examine(q_of, None, memory._replace(terminated=np.arange(6) % 2 == 0))
        assert audited["false_ends"] == 0
        assert not audited["missed_ends"] > 0


def test_the_probes_measure_what_they_say():
    measures = examine(q_of, twice)
    safe, doomed = q_of(references.SAFE), q_of(references.DOOMED)
    both = np.concatenate([safe, doomed])
    assert measures["q_safe"] == pytest.approx(safe.max(axis=1).mean())
    assert measures["q_doomed"] == pytest.approx(doomed.max(axis=1).mean())
    assert measures["q_limit"] == pytest.approx(np.abs(both).max())
    assert measures["target_safe"] == pytest.approx(2 * safe.max(axis=1).mean())
    assert measures["lag"] == pytest.approx(np.abs(both).mean())
    assert examine(q_of, q_of)["lag"] == 0
    assert examine(lambda states: q_of(states) * math.nan)["q_limit"] == math.inf


def test_doomed_states_fall_whatever_the_action_and_safe_ones_do_not():
    env = gymnasium.make("CartPole-v1").unwrapped
    for states, falls in ((references.DOOMED, True), (references.SAFE, False)):
        for state, action in product(states, (0, 1)):
            env.state, env.steps_beyond_terminated = state.astype(float), None
            assert env.step(action)[2] == falls


def test_what_is_not_given_is_not_measured():
    assert examine(q_of).keys() == {"q_safe", "q_doomed", "q_limit"}
    memory = memory_of()
    none, falls = (Transition(*(array[start::3] for array in memory)) for start in (300, 0))
    assert examine(q_of, twice, none)["stored"] == 0
    assert not math.isfinite(examine(q_of, twice, falls)["discount"])


def test_the_spread_of_losses_tells_the_size_of_a_batch():
    """La médiane et le premier décile de χ² à 1, puis 64 degrés de liberté : tables."""
    errors = np.random.default_rng(0).normal(size=(64, 40_000))
    one = loss_measures(np.square(errors[0]))["loss_spread"]
    many = loss_measures(np.square(errors).mean(axis=0))["loss_spread"]
    assert one == pytest.approx(math.log(0.45494 / 0.015791), abs=0.05)
    assert many == pytest.approx(math.log(63.334 / 49.996), abs=0.01)


def test_losses_units_and_drifts_at_their_limits():
    assert math.isnan(loss_measures([1, 2, 3])["loss_spread"])
    assert loss_measures([1, math.nan])["loss"] == math.inf
    layer = np.array([[0, 1, 5, 0], [0, 1, 5, 0.2], [0, 2, 5, 0]], float)
    assert dead_share([layer, layer[:, 1:2]]) == pytest.approx(2 / 5)
    assert drift([0, 0], [3, 4], 5) == pytest.approx(math.sqrt(12.5) / 5)
    assert math.isnan(drift([0], [1], 0))
    assert drift([0.0], [math.nan], 1) == math.inf


def test_hidden_outputs_are_those_of_torch():
    config = replace(QUICK, hidden=(16,), activation="relu", mirror=False)
    agent = Training(config, 3).agent
    layer, weights = torch.nn.Linear(4, 16), agent.weights[0]
    layer.weight.data, layer.bias.data = weights[:64].reshape(4, 16).T, weights[64:80]
    scaled = torch.from_numpy(references.SAFE) * torch.tensor(config.input_scale)
    with torch.no_grad():
        expected = torch.relu(layer(scaled)).numpy()
    [found] = hidden_outputs(agent, references.SAFE)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# Suivre un entraînement

SMALL = replace(QUICK, total_steps=2_400, hidden=(16, 16), warmup=64)


@pytest.fixture(scope="module")
def followed():
    return monitor(Training(SMALL, [4, 7]), looks=8, episodes=2)


def test_a_followed_training_has_every_measure(followed):
    for seen in followed:
        assert seen.env_steps.tolist() == [304, 608, 912, 1200, 1504, 1808, 2112, 2400]
        for name, column in seen._asdict().items():
            assert np.isfinite(column).any(), name
        assert (np.diff(seen.gradient_steps) > 0).all()
        assert np.isfinite(seen.greedy).tolist() == [False] * 3 + [True] + [False] * 3 + [True]
        np.testing.assert_array_equal(seen.stored, seen.env_steps)


def test_an_agent_alone_has_the_chart_it_has_among_others_and_learns_the_same(followed):
    training, witness = Training(SMALL, 7), Training(SMALL, 7)
    [alone] = monitor(training, looks=8, episodes=2)
    np.testing.assert_allclose(alone, followed[1], rtol=1e-5)
    assert not np.allclose(alone.q_safe, followed[0].q_safe)
    for _ in witness.run():
        pass
    assert torch.equal(training.agent.weights, witness.agent.weights)


def test_the_networks_looked_at_are_the_online_one_and_the_evaluated_one(followed):
    """Refait à la main les deux derniers regards de l'agent 7, seul."""
    training, snapshots = Training(SMALL, 7), {}
    for step in training.run():
        if step.env_steps in (2112, 2400):
            snapshots[step.env_steps] = training.online
    before, online = snapshots.values()
    moved = (online.weights - before.weights).double().square().mean().sqrt().item()
    seen = followed[1]
    assert seen.q_safe[-1] == pytest.approx(online.q_values(references.SAFE).max(axis=1).mean())
    assert seen.drift[-1] == pytest.approx(
        moved / (seen.gradient_steps[-1] - seen.gradient_steps[-2])
    )
    then, before = (fresh_seed(Purpose.CHART, steps) for steps in (2_400, 2_112))
    assert seen.greedy[-1] == evaluate(training.agent, 2, seed=then).mean()
    assert seen.greedy[-1] != evaluate(training.agent, 2, seed=before).mean()


def test_the_records_of_play_are_those_of_the_history(followed):
    history = record(train(SMALL, [4, 7]))
    for agent, seen in enumerate(followed):
        steps, returns = history.returns(agent)
        start = 0
        for end, played, loss in zip(seen.env_steps, seen.played, seen.loss, strict=True):
            inside = (start < steps) & (steps <= end)
            learned = (start < history.update_env_steps) & (history.update_env_steps <= end)
            expected = returns[inside].mean() if inside.any() else math.nan
            assert played == pytest.approx(expected, nan_ok=True)
            assert loss == pytest.approx(history.loss[learned, agent].mean(), rel=1e-5)
            start = end
        assert seen.gradient_steps[-1] == len(history.loss)


def test_a_bad_argument_is_refused():
    hidden = Training(SMALL, 0)
    hidden.memory = object()
    for call, reason in (
        (lambda: chart([{"env_steps": 1, "epsilons": 2}]), r"Vouliez-vous dire 'epsilon' \?$"),
        (lambda: chart([{"env_steps": 1, "loss": [1, 2]}]), "loss doit"),
        (lambda: chart([{"env_steps": 2}, {"env_steps": 2}]), "croissant"),
        (lambda: examine(lambda states: states), r"online doit rendre .*\(128, 2\).*\(128, 4\)"),
        (lambda: examine(torch.nn.Linear(4, 2)), r"online doit prendre .*\.detach\(\)\.numpy"),
        (lambda: examine(q_of, None, memory_of(), lambda states: states[:, 0] + 2), "policy"),
        (lambda: monitor(3), "training doit"),
        (lambda: monitor(hidden), "training doit avoir une mémoire qui montre"),
        (lambda: drift([0], [0, 1], 1), "même forme"),
    ):
        with pytest.raises((TypeError, ValueError), match=reason):
            call()


# Garder un relevé


def test_a_chart_survives_its_file_and_a_spoilt_file_is_refused(tmp_path):
    path = tmp_path / "relevé.csv"
    late = {"env_steps": 1_000, "epsilon": 0.5, "loss": math.inf, "drift": 1e-7}
    records = chart([{"env_steps": 500, "epsilon": 1, "loss": 1 / 3}, late])
    save_chart(records, path)
    np.testing.assert_allclose(load_chart(path), records, rtol=1e-5)
    whole = path.read_bytes()
    for spoilt in (
        b"",
        whole.replace(b",epsilon", b""),
        whole.replace(b"500,", b"cinq,", 1),
        whole.replace(b"500,", b"1e9,", 1),  # un instant après le suivant
        b"\x89PNG\r\n\x1a\n\x00\x00",
    ):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"^path doit être un relevé"):
            load_chart(path)
