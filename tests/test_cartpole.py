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
    check_actions,
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


def paired(seeds, policy, steps, limit=500):
    """Joue les mêmes chariots ici et dans Gymnasium, et rend leurs fins."""
    carts = CartPoleVector(len(seeds), max_episode_steps=limit)
    observations, info = carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds, limit)
    np.testing.assert_array_equal(observations, witness.observations, strict=True)
    assert info == {}
    return assert_same_carts(carts, witness, policy, steps)


def test_falling_carts_equal_gymnasium_past_many_restarts():
    terminated, truncated, _ = paired([7, 10, 2**63 + 5], toss(0), 1_000)
    assert terminated.sum(axis=0).min() > 2 * STARTS_PER_DRAW
    assert not truncated.any()


def test_balanced_carts_equal_gymnasium_through_truncations():
    for limit, steps in [(500, 1_100), (1, 20), (700, 720)]:
        terminated, truncated, _ = paired([1, 2], lqr, steps, limit)
        assert truncated.sum(axis=0).tolist() == [steps // limit] * 2
        assert not terminated.any()


def test_falls_and_truncations_mix_as_in_gymnasium():
    terminated, truncated, _ = paired([*range(10, 16)], toss(1), 300, limit=18)
    assert terminated.any()
    assert (truncated & ~terminated).any()
    # Une chute au dernier pas permis est l'une et l'autre.
    terminated, truncated, _ = paired([*range(40)], push_right, 20, limit=9)
    assert (terminated & truncated).any()
    assert (terminated & ~truncated).any()


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


def test_what_it_returns_lies_in_its_spaces_and_pleases_gymnasium_wrappers():
    carts = CartPoleVector(3)
    carts.action_space.seed(0)
    observations, _ = carts.reset(seed=0)
    assert observations in carts.observation_space
    for _ in range(60):
        observations, *_, info = carts.step(carts.action_space.sample())
        assert observations in carts.observation_space
        assert info["final_obs"] in carts.observation_space
    wrapped = RecordEpisodeStatistics(CartPoleVector(2, max_episode_steps=5))
    wrapped.reset(seed=0)
    for _ in range(5):
        *_, info = wrapped.step(np.array([0, 1]))
    assert info["episode"]["r"].tolist() == [5, 5]
    wrapped.close()


def test_an_integer_seed_gives_each_cart_the_next_one():
    """Comme dans Gymnasium : le chariot i reçoit la graine s + i."""
    vector = gymnasium.make_vec("CartPole-v1", num_envs=3, vectorization_mode="sync")
    expected, _ = vector.reset(seed=41)
    for seed in (41, np.int64(41), [41, 42, 43], iter([41, 42, 43]), np.array([41, 42, 43])):
        np.testing.assert_array_equal(CartPoleVector(3).reset(seed=seed, options={})[0], expected)


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


def test_unseeded_resets_differ():
    starts = [CartPoleVector(2).reset()[0] for _ in range(3)]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 6


def test_what_it_returned_is_to_its_reader():
    """Il n'y réécrit jamais, et ce qu'on y écrit ne le dérange pas."""
    touched, untouched = (CartPoleVector(3, max_episode_steps=4) for _ in range(2))
    kept = [carts.reset(seed=0)[0] for carts in (touched, untouched)][1:]
    copies = [kept[0].copy()]
    for _ in range(30):
        arrays = outcome(touched, np.array([0, 1, 0]))
        expected = outcome(untouched, np.array([0, 1, 0]))
        kept += expected
        copies += [array.copy() for array in expected]
        for got, want in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(got, want)
            got[:] = 0
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


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


def test_dynamics_is_pure_and_takes_any_leading_axes():
    states, actions = random_states(24), toss(0)(range(24))
    before = states.copy(), actions.copy()
    flat = dynamics(states, actions)
    received = dynamics(states.reshape(2, 3, 4, 4), actions.reshape(2, 3, 4))
    np.testing.assert_array_equal(received, flat.reshape(2, 3, 4, 4))
    for array, copy in zip((states, actions), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    # `[0, 0, 0, 0]` est le premier état qu'on écrit : il ne doit pas rester à zéro.
    whole = np.array([0, 0, 0, 0])
    np.testing.assert_array_equal(dynamics(whole, 1), dynamics(whole.astype(float), 1))


def test_limits_are_crossed_strictly():
    inside = np.array([[2.4, 0, 0, 0], [-2.4, 0, 0, 0], [0, 0, cartpole.THETA_LIMIT, 0]])
    outside = np.nextafter(inside, 10 * np.sign(inside))
    assert not has_fallen(inside).any()
    assert has_fallen(outside).all()
    assert np.degrees(cartpole.THETA_LIMIT) == pytest.approx(12)


# Les entrées refusées


def test_bad_construction_is_refused():
    for name, value in [
        ("num_envs", 0),
        ("num_envs", 2.0),
        ("max_episode_steps", 0),
        ("start_x", -0.1),
        ("start_x", 2.5),
    ]:
        with pytest.raises((TypeError, ValueError), match=rf"^{name} doit .* {value!r} reçu"):
            CartPoleVector(**{name: value})


def test_bad_resets_are_refused_and_change_nothing():
    carts = CartPoleVector(3)
    with pytest.raises(RuntimeError, match="appelez d'abord reset"):
        carts.step(np.array([0, 0, 0]))
    carts.reset(seed=[1, 2, 3])
    for seed, told in [
        ([1, 2], "2 reçues"),
        ([], r"\[\] reçu"),
        ([1, 2, -3], "-3 reçu"),
        (-1, "-1 reçu"),
        (1.5, "1.5 reçu"),
        ("abc", "'abc' reçu"),
        (b"abc", "b'abc' reçu"),
        ({1: 0, 2: 0, 3: 0}, "{1: 0, 2: 0, 3: 0} reçu"),
        ({1, 2, "a"}, "'a' reçu"),
        (np.zeros((3, 1)), "reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"^seed doit .*{told}"):
            carts.reset(seed=seed)
    for options in ({"low": -1}, [], 0, np.zeros(2)):
        with pytest.raises(ValueError, match=r"^options doit être vide : .* reçu"):
            carts.reset(options=options)
    assert_same_carts(carts, GymnasiumCarts([1, 2, 3]), toss(0), 60)


def test_bad_actions_are_refused_and_change_nothing():
    carts = CartPoleVector(3)
    carts.reset(seed=[1, 2, 3])
    for actions, told in [
        ([0, 1, 2], r"0 \(gauche\) ou 1 \(droite\) : 2 reçu"),
        ([0, -1, 1], "-1 reçu"),
        ([0, 1], r"\(2,\) reçu"),
        ([0.0, 1.0, 1.0], "float64 reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=rf"^actions doit .* {told}"):
            carts.step(actions)
    with pytest.raises(ValueError, match=r"^coup doit valoir un entier de 0 à 2 : 3 reçu"):
        check_actions([2, 3], (2,), "coup", 3)
    assert_same_carts(carts, GymnasiumCarts([1, 2, 3]), toss(0), 60)
