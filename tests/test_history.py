"""L'historique, comparé à une boucle naïve sur les mêmes tours."""

from dataclasses import replace

import numpy as np
import pytest
from trainings import SEEDS, short

from cartpole_helpers import (
    Config,
    History,
    Recorder,
    Step,
    Training,
    record,
    train,
)

SMALL = Config(
    total_steps=400,
    carts=4,
    hidden=(8,),
    epsilon_steps=200,
    capacity=100,
    batch_size=16,
    warmup=32,
    learn_every=3,
)


def naive_history(steps):
    """Un dictionnaire de listes, rempli tour par tour, chariot par chariot."""
    found = {name: [] for name in History._fields}
    updates = steps[0].gradient_steps if np.isnan(steps[0].loss).all() else 0
    for step in steps:
        for agent, returns in enumerate(step.episode_return.tolist()):
            for cart, episode_return in enumerate(returns):
                if not np.isnan(episode_return):
                    fell, timed_out = step.terminated[agent, cart], step.truncated[agent, cart]
                    found["episode_agent"].append(agent)
                    found["episode_env_steps"].append(step.env_steps)
                    found["episode_return"].append(episode_return)
                    found["episode_truncated"].append(bool(timed_out) and not fell)
        if step.gradient_steps != updates:
            found["update_env_steps"].append(step.env_steps)
            found["loss"].append(step.loss.tolist())
            found["epsilon"].append(step.epsilon)
        updates = step.gradient_steps
    return found


def assert_same_history(history, expected):
    for name, array in zip(History._fields, history, strict=True):
        assert type(array) is np.ndarray, name
        np.testing.assert_array_equal(array.tolist(), expected[name], err_msg=name)


def step_of(episode_return, terminated, truncated, **changes):
    """Un tour écrit à la main, sans mise à jour ; les tableaux (S, E) sont donnés en listes."""
    ended = np.array(episode_return, float)
    lead = ended.shape
    step = Step(
        observation=np.zeros((*lead, 4), np.float32),
        action=np.zeros(lead, int),
        reward=np.ones(lead),
        terminated=np.array(terminated, bool),
        truncated=np.array(truncated, bool),
        next_observation=np.zeros((*lead, 4), np.float32),
        episode_return=ended,
        loss=np.full(lead[0], np.nan, np.float32),
        updated=False,
        epsilon=0.5,
        env_steps=10,
        gradient_steps=0,
    )
    return step._replace(**changes)


def quiet_step(agents=2, **changes):
    """Un tour où aucun épisode ne s'achève."""
    alive = np.zeros((agents, 1), bool)
    return step_of(np.full((agents, 1), np.nan), alive, alive, **changes)


@pytest.mark.parametrize("seeds", [7, SEEDS])
@pytest.mark.parametrize("changes", [{}, {"learn_every": 1}, {"carts": 1}, {"n_steps": 3}])
def test_a_history_is_what_a_naive_loop_finds(seeds, changes):
    steps = list(train(replace(SMALL, **changes), seeds, env=short(14)))
    expected = naive_history(steps)
    assert {True, False} == set(expected["episode_truncated"])
    assert 0 < len(expected["loss"]) < len(steps)
    assert_same_history(record(steps), expected)


def test_shapes_and_kinds():
    history = record(train(SMALL, SEEDS, env=short(14)))
    episodes, updates = len(history.episode_return), len(history.update_env_steps)
    assert history.episode_agent.shape == history.episode_env_steps.shape == (episodes,)
    assert history.episode_return.shape == history.episode_truncated.shape == (episodes,)
    assert history.loss.shape == (updates, 3)
    assert history.epsilon.shape == (updates,)
    assert [array.dtype.kind for array in history] == ["i", "i", "f", "b", "i", "f", "f"]


def test_every_environment_step_belongs_to_an_episode_or_to_its_beginning():
    training = Training(SMALL, SEEDS, env=short(14))
    history = record(training.advance() for _ in range(100))
    for agent in range(3):
        _, returns = history.returns(agent)
        assert 0 <= training.env_steps - returns.sum() < SMALL.carts * 14


def test_a_diverged_loss_is_an_update_all_the_same():
    steps = [quiet_step(), quiet_step(updated=True), quiet_step()]
    history = record(steps)
    assert history.loss.shape == (1, 2)
    assert np.isnan(history.loss).all()


def test_truncated_means_stopped_by_the_time_limit_alone():
    step = step_of([[10, 11, 12, np.nan]], [[1, 0, 1, 0]], [[0, 1, 1, 0]])
    history = record([step])
    assert history.episode_return.tolist() == [10, 11, 12]
    assert history.episode_truncated.tolist() == [False, True, False]


def test_returns_are_those_of_one_agent():
    steps = list(train(SMALL, SEEDS, env=short(14)))
    history = record(steps)
    for agent, seed in enumerate(SEEDS):
        alone = record(train(SMALL, seed, env=short(14)))
        for received, expected in zip(history.returns(agent), alone.returns(), strict=True):
            np.testing.assert_array_equal(received, expected)
    for received, first in zip(history.returns(), history.returns(0), strict=True):
        np.testing.assert_array_equal(received, first)


@pytest.mark.parametrize("agent", [3, -4, "0"])
def test_the_returns_of_a_missing_agent_are_refused(agent):
    history = record(train(SMALL, SEEDS, env=short(14)))
    with pytest.raises((IndexError, TypeError, ValueError), match=f"agent doit.*{agent!r} reçu"):
        history.returns(agent)


# Traceurs


def test_a_recorder_can_be_read_while_it_records():
    steps = list(train(SMALL, SEEDS, env=short(14)))
    recorder, first = Recorder(), None
    for turn, step in enumerate(steps, 1):
        recorder.add(step)
        if turn == 60:
            first = recorder.history()
    assert_same_history(first, naive_history(steps[:60]))
    assert_same_history(recorder.history(), naive_history(steps))


def test_a_recorder_may_begin_in_the_middle_of_a_training():
    training = Training(SMALL, SEEDS, env=short(14))
    while training.gradient_steps < 4:
        training.advance()
    training.advance()  # ce tour-là n'apprend pas : learn_every vaut 3
    steps = [training.advance() for _ in range(30)]
    assert np.isnan(steps[0].loss).all()
    assert not np.isnan(steps[1].loss).any()
    assert_same_history(record(steps), naive_history(steps))


def test_a_recorder_may_begin_on_an_update():
    training = Training(SMALL, SEEDS, env=short(14))
    while training.gradient_steps < 4:
        last = training.advance()
    history = record([last, training.advance()])
    assert history.update_env_steps.tolist() == [last.env_steps]


def test_recording_changes_no_step():
    steps, witness = (
        list(train(SMALL, SEEDS, env=short(14))),
        list(train(SMALL, SEEDS, env=short(14))),
    )
    record(steps)
    for step, other in zip(steps, witness, strict=True):
        for name, array, expected in zip(Step._fields, step, other, strict=True):
            np.testing.assert_array_equal(array, expected, err_msg=name)


def test_an_empty_history():
    for history in (record([]), Recorder().history()):
        assert [len(array) for array in history] == [0] * 7
        assert history.loss.ndim == 2
        assert [array.dtype.kind for array in history] == ["i", "i", "f", "b", "i", "f", "f"]
        assert [len(array) for array in history.returns()] == [0, 0]


def test_a_history_without_an_update_or_an_episode_keeps_its_shapes():
    history = record([quiet_step(agents=3)])
    assert history.loss.shape == (0, 3)
    assert history.episode_return.shape == history.episode_truncated.shape == (0,)
