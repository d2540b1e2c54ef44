"""L'historique, comparé à une boucle naïve sur les mêmes tours."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from trainings import SEEDS, assert_same_steps, short

from cartpole_helpers import Config, History, Recorder, Training, record, train

SMALL = Config(
    total_steps=400, carts=4, hidden=(8,), capacity=100, batch_size=16, warmup=32, learn_every=3
)
KINDS = ["i", "i", "f", "b", "i", "f", "f"]


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


def quiet_step(agents=2, **changes):
    """Le premier tour de S agents d'un chariot : ni mise à jour, ni épisode achevé."""
    return Training(replace(SMALL, carts=1), range(agents)).advance()._replace(**changes)


@pytest.mark.parametrize("changes", [{}, {"learn_every": 1, "carts": 1}, {"n_steps": 3}])
def test_a_history_is_what_a_naive_loop_finds(changes):
    for seeds in (7, SEEDS):
        steps = list(train(replace(SMALL, **changes), seeds, env=short(14)))
        before, expected = deepcopy(steps), naive_history(steps)
        assert {True, False} == set(expected["episode_truncated"])
        assert 0 < len(expected["loss"]) < len(steps)
        recorder = Recorder()
        for step in steps[:60]:
            recorder.add(step)
        assert_same_history(recorder.history(), naive_history(steps[:60]))
        history = record(steps)
        assert_same_history(history, expected)
        assert history.loss.shape == (len(expected["loss"]), np.size(seeds))
        assert [array.dtype.kind for array in history] == KINDS
        assert_same_steps(steps, before)  # retenir n'y change rien


def test_a_diverged_loss_is_an_update_and_truncated_means_stopped_by_the_time_limit_alone():
    history = record([quiet_step(), quiet_step(updated=True), quiet_step()])
    assert history.loss.shape == (1, 2)
    assert np.isnan(history.loss).all()
    ends = {"terminated": np.array([[True, False, True, False]])}
    ends |= {"truncated": np.array([[False, True, True, False]])}
    history = record([quiet_step(1, episode_return=np.array([[10, 11, 12, np.nan]]), **ends)])
    assert history.episode_return.tolist() == [10, 11, 12]
    assert history.episode_truncated.tolist() == [False, True, False]


def test_returns_are_those_of_one_agent():
    history = record(train(SMALL, SEEDS, env=short(14)))
    for agent, seed in enumerate(SEEDS):
        alone = record(train(SMALL, seed, env=short(14)))
        for received, expected in zip(history.returns(agent), alone.returns(), strict=True):
            np.testing.assert_array_equal(received, expected)
    assert alone.returns()[1].tolist() == alone.episode_return.tolist()
    with pytest.raises(ValueError, match=r"agent doit.*3 reçu"):
        history.returns(3)


def test_an_empty_history_keeps_its_shapes():
    for history in (record([]), record([quiet_step(agents=3)])):
        assert [len(array) for array in history] == [0] * 7
        assert [array.dtype.kind for array in history] == KINDS
        assert [len(array) for array in history.returns()] == [0, 0]
    assert history.loss.shape == (0, 3)
