"""La physique et les chariots, comparés à ceux de Gymnasium, au bit près."""

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from cartpole_helpers import cartpole
from cartpole_helpers.cartpole import (
    START_LIMIT,
    STARTS_PER_DRAW,
    CartPoleVector,
    dynamics,
    has_fallen,
)
from cartpole_helpers.policies import lqr

FIELDS = ("observation", "final_obs", "reward", "terminated", "truncated", "ended")


def toss(seed):
    """Une politique à pile ou face qui ne doit rien au paquet."""
    generator = np.random.default_rng(seed)
    return lambda observations: generator.integers(2, size=len(observations))


def push_right(observations):
    return np.ones(len(observations), int)


def random_states(count, seed=0):
    """Des états pris bien au-delà des limites de l'épisode."""
    scales = np.array([2.4, 3.0, 0.5, 3.0])
    return scales * np.random.default_rng(seed).uniform(-1, 1, (count, 4))


class GymnasiumCarts:
    """Un `CartPole-v1` de Gymnasium par chariot, relancé à la main : le témoin."""

    def __init__(self, seeds, limit=500):
        self.envs = [gymnasium.make("CartPole-v1", max_episode_steps=limit) for _ in seeds]
        starts = [env.reset(seed=seed) for env, seed in zip(self.envs, seeds, strict=True)]
        self.observations = np.stack([observation for observation, _ in starts])

    def step(self, actions):
        rows = [self._step(env, int(a)) for env, a in zip(self.envs, actions, strict=True)]
        return [np.array(column) for column in zip(*rows, strict=True)]

    def _step(self, env, action):
        successor, reward, terminated, truncated, _ = env.step(action)
        ended = terminated or truncated
        observation = env.reset()[0] if ended else successor
        return observation, successor, reward, terminated, truncated, ended


def outcome(carts, actions):
    observation, reward, terminated, truncated, info = carts.step(actions)
    return observation, info["final_obs"], reward, terminated, truncated, info["_final_obs"]


def assert_same_carts(carts, witness, policy, steps):
    """Avance les deux ensemble, les compare à chaque pas, et rend les fins rencontrées."""
    observations, ends = witness.observations, []
    for step in range(steps):
        actions = policy(observations)
        expected = witness.step(actions)
        received = outcome(carts, actions)
        for name, got, want in zip(FIELDS, received, expected, strict=True):
            np.testing.assert_array_equal(got, want, err_msg=f"{name}, pas {step}", strict=True)
        observations = received[0]
        ends.append(received[3:])
    return np.moveaxis(np.array(ends), 0, 1)  # (3, pas, chariots)


# Gymnasium, chariot par chariot


@pytest.mark.parametrize("seed", [0, 7, 2**63 + 5])
def test_falling_carts_equal_gymnasium_past_many_restarts(seed):
    seeds = [seed + 3 * cart for cart in range(4)]
    carts = CartPoleVector(4)
    observations, info = carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds)
    np.testing.assert_array_equal(observations, witness.observations, strict=True)
    assert info == {}
    terminated, truncated, _ = assert_same_carts(carts, witness, toss(seed), 1_200)
    assert terminated.sum(axis=0).min() > 2 * STARTS_PER_DRAW
    assert not truncated.any()


def test_balanced_carts_equal_gymnasium_through_truncations():
    seeds = [1, 2, 3, 4]
    carts = CartPoleVector(4)
    carts.reset(seed=seeds)
    terminated, truncated, _ = assert_same_carts(carts, GymnasiumCarts(seeds), lqr, 1_100)
    assert truncated.sum(axis=0).tolist() == [2, 2, 2, 2]
    assert not terminated.any()


def test_falls_and_truncations_mix_as_in_gymnasium():
    seeds, limit = list(range(10, 16)), 18
    carts = CartPoleVector(6, max_episode_steps=limit)
    carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds, limit)
    terminated, truncated, _ = assert_same_carts(carts, witness, toss(1), 1_000)
    assert terminated.any()
    assert (truncated & ~terminated).any()


def test_a_fall_on_the_last_allowed_step_is_both_terminated_and_truncated():
    seeds, limit = list(range(40)), 9
    carts = CartPoleVector(40, max_episode_steps=limit)
    carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds, limit)
    terminated, truncated, _ = assert_same_carts(carts, witness, push_right, 30)
    assert (terminated & truncated).any()
    assert (terminated & ~truncated).any()


@pytest.mark.parametrize("limit", [1, 2, 700])
def test_other_episode_limits(limit):
    seeds = [5, 6]
    carts = CartPoleVector(2, max_episode_steps=limit)
    carts.reset(seed=seeds)
    _, truncated, _ = assert_same_carts(carts, GymnasiumCarts(seeds, limit), lqr, 720)
    assert truncated.sum(axis=0).tolist() == [720 // limit] * 2


# L'interface VectorEnv


def test_it_is_a_vector_env_in_same_step_mode():
    carts, alone = CartPoleVector(3), gymnasium.make("CartPole-v1")
    assert isinstance(carts, VectorEnv)
    assert carts.num_envs == 3
    assert carts.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert carts.single_observation_space == alone.observation_space
    assert carts.single_action_space == alone.action_space
    assert carts.observation_space.shape == (3, 4)
    assert carts.action_space.shape == (3,)


def test_what_it_returns_lies_in_its_spaces():
    carts = CartPoleVector(3)
    carts.action_space.seed(0)
    observations, _ = carts.reset(seed=0)
    assert observations in carts.observation_space
    for _ in range(60):
        observations, *_, info = carts.step(carts.action_space.sample())
        assert observations in carts.observation_space
        assert info["final_obs"] in carts.observation_space


def test_gymnasium_wrappers_accept_it():
    wrapped = RecordEpisodeStatistics(CartPoleVector(2, max_episode_steps=5))
    wrapped.reset(seed=0)
    for _ in range(5):
        *_, info = wrapped.step(np.array([0, 1]))
    assert info["episode"]["r"].tolist() == [5, 5]
    wrapped.close()


def test_an_integer_seed_gives_each_cart_the_next_one():
    """Comme dans Gymnasium : le chariot i reçoit la graine s + i."""
    by_integer, _ = CartPoleVector(3).reset(seed=41)
    by_list, _ = CartPoleVector(3).reset(seed=[41, 42, 43])
    in_gymnasium, _ = gymnasium.make_vec(
        "CartPole-v1", num_envs=3, vectorization_mode="sync"
    ).reset(seed=41)
    np.testing.assert_array_equal(by_integer, by_list)
    np.testing.assert_array_equal(by_integer, in_gymnasium)


def test_reset_without_a_seed_continues_the_streams():
    seeds = [3, 4]
    carts = CartPoleVector(2)
    carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds)
    assert_same_carts(carts, witness, toss(0), 137)
    for _ in range(2 * STARTS_PER_DRAW):
        received, _ = carts.reset()
        expected = np.stack([env.reset()[0] for env in witness.envs])
        np.testing.assert_array_equal(received, expected, strict=True)
    assert_same_carts(carts, witness, toss(1), 137)


def test_reset_with_a_seed_starts_again():
    carts = CartPoleVector(2)
    first, _ = carts.reset(seed=[8, 9])
    actions = toss(0)
    for _ in range(50):
        carts.step(actions(first))
    again, _ = carts.reset(seed=[8, 9])
    np.testing.assert_array_equal(first, again)
    assert_same_carts(carts, GymnasiumCarts([8, 9]), toss(2), 50)


def test_unseeded_resets_differ():
    starts = [CartPoleVector(2).reset()[0] for _ in range(3)]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 6


def test_a_cart_does_not_depend_on_its_neighbours():
    many, alone = CartPoleVector(5), CartPoleVector(1)
    many.reset(seed=[1, 2, 3, 4, 5])
    alone.reset(seed=[4])
    policy = toss(0)
    for _ in range(200):
        actions = policy(range(5))
        among, single = outcome(many, actions), outcome(alone, actions[3:4])
        for got, want in zip(among, single, strict=True):
            np.testing.assert_array_equal(got[3:4], want)


def test_returned_arrays_are_never_written_again():
    carts = CartPoleVector(3, max_episode_steps=4)
    returned = [carts.reset(seed=0)[0]]
    copies = [returned[0].copy()]
    for _ in range(30):
        arrays = outcome(carts, np.array([0, 1, 0]))
        returned += arrays
        copies += [array.copy() for array in arrays]
    for kept, copy in zip(returned, copies, strict=True):
        np.testing.assert_array_equal(kept, copy)


def test_writing_into_returned_arrays_disturbs_nothing():
    touched, untouched = CartPoleVector(3), CartPoleVector(3)
    for carts in (touched, untouched):
        carts.reset(seed=0)
    for _ in range(60):
        arrays = outcome(touched, np.array([0, 1, 0]))
        expected = outcome(untouched, np.array([0, 1, 0]))
        for got, want in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(got, want)
        for array in arrays:
            array[:] = 0


# Les départs élargis


def test_start_x_scales_only_x():
    wide, usual = CartPoleVector(400, start_x=2.0), CartPoleVector(400)
    wide_start, _ = wide.reset(seed=0)
    usual_start, _ = usual.reset(seed=0)
    np.testing.assert_array_equal(wide_start[:, 1:], usual_start[:, 1:])
    np.testing.assert_allclose(wide_start[:, 0], usual_start[:, 0] * 2.0 / 0.05, rtol=1e-6)
    assert 1.9 < np.abs(wide_start[:, 0]).max() <= 2.0


def test_start_x_holds_at_every_restart():
    carts = CartPoleVector(50, start_x=1.0, max_episode_steps=2)
    carts.reset(seed=0)
    restarts = [outcome(carts, np.zeros(50, int))[0] for _ in range(8)][1::2]
    starts = np.abs(np.concatenate(restarts))
    assert starts[:, 0].max() > 0.9
    assert starts[:, 1:].max() <= START_LIMIT


def test_start_x_of_zero_starts_in_the_middle():
    observations, _ = CartPoleVector(5, start_x=0).reset(seed=0)
    assert (observations[:, 0] == 0).all()
    assert (observations[:, 1:] != 0).all()


# Les équations


def test_dynamics_equals_one_step_of_gymnasium():
    env = gymnasium.make("CartPole-v1").unwrapped
    env.reset(seed=0)
    for state, action in zip(random_states(300), toss(1)(range(300)), strict=True):
        env.state = state
        env.steps_beyond_terminated = None
        _, _, terminated, _, _ = env.step(action)
        np.testing.assert_array_equal(dynamics(state, action), env.state, strict=True)
        assert has_fallen(env.state) == terminated


def test_dynamics_is_pure():
    states, actions = random_states(20), toss(0)(range(20))
    states_before, actions_before = states.copy(), actions.copy()
    first, second = dynamics(states, actions), dynamics(states, actions)
    np.testing.assert_array_equal(states, states_before)
    np.testing.assert_array_equal(actions, actions_before)
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, states)


def test_dynamics_takes_any_leading_axes():
    states, actions = random_states(24), toss(0)(range(24))
    flat = dynamics(states, actions)
    np.testing.assert_array_equal(
        dynamics(states.reshape(2, 3, 4, 4), actions.reshape(2, 3, 4)), flat.reshape(2, 3, 4, 4)
    )
    np.testing.assert_array_equal(dynamics(states[5], actions[5]), flat[5])


def test_dynamics_does_not_truncate_whole_numbers():
    """`[0, 0, 0, 0]` est le premier état qu'on écrit : il ne doit pas rester à zéro."""
    state = np.array([0, 0, 0, 0])
    np.testing.assert_array_equal(dynamics(state, 1), dynamics(state.astype(float), 1))


def test_a_push_goes_its_way():
    left, right = dynamics(np.zeros(4), 0), dynamics(np.zeros(4), 1)
    assert right[1] > 0 > right[3]
    assert left[1] < 0 < left[3]


def test_next_position_and_angle_do_not_depend_on_the_action():
    """L'intégration d'Euler explicite : l'action au temps t ne change ni x ni θ au temps t + 1."""
    states = random_states(200)
    left, right = dynamics(states, 0), dynamics(states, 1)
    np.testing.assert_array_equal(left[:, [0, 2]], right[:, [0, 2]])
    np.testing.assert_array_equal(has_fallen(left), has_fallen(right))
    assert (left[:, [1, 3]] != right[:, [1, 3]]).all()


def test_mirror_symmetry():
    states, actions = random_states(200), toss(0)(range(200))
    np.testing.assert_array_equal(dynamics(-states, 1 - actions), -dynamics(states, actions))


def test_limits_are_crossed_strictly():
    inside = np.array([[2.4, 0, 0, 0], [-2.4, 0, 0, 0], [0, 0, cartpole.THETA_LIMIT, 0]])
    outside = np.nextafter(inside, 10 * np.sign(inside))
    assert not has_fallen(inside).any()
    assert has_fallen(outside).all()
    assert np.degrees(cartpole.THETA_LIMIT) == pytest.approx(12)


# Les entrées refusées


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_envs": 0}, ValueError, r"num_envs doit .* 0 reçu"),
        ({"num_envs": -2}, ValueError, r"num_envs doit .* -2 reçu"),
        ({"num_envs": 2.0}, TypeError, r"num_envs doit .* 2\.0 reçu"),
        ({"num_envs": True}, TypeError, r"num_envs doit .* True reçu"),
        ({"max_episode_steps": 0}, ValueError, r"max_episode_steps doit .* 0 reçu"),
        ({"max_episode_steps": "500"}, TypeError, r"max_episode_steps doit .* '500' reçu"),
        ({"start_x": -0.1}, ValueError, r"start_x doit .* -0\.1 reçu"),
        ({"start_x": 2.5}, ValueError, r"start_x doit .* 2\.5 reçu"),
        ({"start_x": float("nan")}, ValueError, r"start_x doit .* nan reçu"),
    ],
)
def test_bad_construction_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        CartPoleVector(**arguments)


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        ([1, 2], ValueError, r"seed doit .* 2 reçu"),
        ([1, 2, -3], ValueError, r"seed doit .* -3 reçu"),
        (-1, ValueError, r"seed doit .* -1 reçu"),
        (True, TypeError, r"seed doit .* True reçu"),
        (1.5, TypeError, r"seed doit .* 1\.5 reçu"),
        ([1, 2, 3.5], TypeError, r"seed doit .* 3\.5 reçu"),
        ("abc", TypeError, r"seed doit .* 'a(bc)?' reçu"),
    ],
)
def test_bad_seeds_are_refused(seed, error, message):
    with pytest.raises(error, match=message):
        CartPoleVector(3).reset(seed=seed)


def test_a_numpy_integer_is_a_seed():
    by_numpy, _ = CartPoleVector(2).reset(seed=np.int64(5))
    by_python, _ = CartPoleVector(2).reset(seed=5)
    np.testing.assert_array_equal(by_numpy, by_python)


def test_unknown_options_are_refused():
    with pytest.raises(ValueError, match=r"options doit .*'low'.* reçu"):
        CartPoleVector(1).reset(options={"low": -1})


def test_step_before_reset_is_refused():
    with pytest.raises(RuntimeError, match="reset"):
        CartPoleVector(1).step(np.array([0]))


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        ([0, 1, 2], ValueError, r"actions doit .*\b2\b.* reçu"),
        ([0, -1, 1], ValueError, r"actions doit .*-1\b.* reçu"),
        ([0, 1], ValueError, r"actions doit .* \(2,\) reçu"),
        ([[0, 1, 1]], ValueError, r"actions doit .* \(1, 3\) reçu"),
        (1, ValueError, r"actions doit .* \(\) reçu"),
        ([0.0, 1.0, 1.0], TypeError, r"actions doit .* float64 reçu"),
        (["0", "1", "1"], TypeError, r"actions doit .* <U1 reçu"),
        ([0, 1, None], TypeError, r"actions doit .* object reçu"),
        ([[0], [1, 1], 0], ValueError, r"actions doit .* reçu"),
    ],
)
def test_bad_actions_are_refused_and_change_nothing(actions, error, message):
    carts = CartPoleVector(3)
    carts.reset(seed=[1, 2, 3])
    with pytest.raises(error, match=message):
        carts.step(actions)
    assert_same_carts(carts, GymnasiumCarts([1, 2, 3]), toss(0), 60)
