"""La physique et les chariots, comparés à ceux de Gymnasium, au bit près."""

from copy import deepcopy

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


@pytest.mark.parametrize(
    ("seeds", "policy", "steps", "limit", "kinds"),
    [
        ([7, 10, 2**63 + 5], toss(0), 1_000, 500, {(False, False), (True, False)}),
        ([1, 2], lqr, 1_100, 500, {(False, False), (False, True)}),
        ([1, 2], lqr, 20, 1, {(False, True)}),
        # Une chute au dernier pas permis est l'une et l'autre.
        (range(40), toss(1), 200, 12, {(False, False), (True, False), (False, True), (True, True)}),
    ],
    ids=["chutes", "troncatures", "un pas", "les deux"],
)
def test_carts_equal_gymnasium_past_many_restarts(seeds, policy, steps, limit, kinds):
    """Les mêmes chariots, ici et dans Gymnasium ; on y rencontre ces (terminated, truncated)."""
    carts = CartPoleVector(len(seeds), max_episode_steps=limit)
    observations, info = carts.reset(seed=seeds)
    witness = GymnasiumCarts(seeds, limit)
    np.testing.assert_array_equal(observations, witness.observations, strict=True)
    assert info == {}
    terminated, truncated, ended = assert_same_carts(carts, witness, policy, steps)
    assert {*zip(terminated.flat, truncated.flat, strict=True)} == kinds
    if steps == 1_000:
        assert ended.sum(axis=0).min() > 2 * STARTS_PER_DRAW


# L'interface VectorEnv


def test_it_is_a_vector_env_that_pleases_gymnasium_wrappers():
    carts, alone = CartPoleVector(3), gymnasium.make("CartPole-v1")
    assert isinstance(carts, VectorEnv)
    assert carts.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    assert carts.single_observation_space == alone.observation_space
    assert carts.single_action_space == alone.action_space
    assert (carts.observation_space.shape, carts.action_space.shape) == ((3, 4), (3,))
    wrapped = RecordEpisodeStatistics(CartPoleVector(2, max_episode_steps=5))
    assert wrapped.reset(seed=0)[0] in wrapped.observation_space
    for _ in range(5):
        *_, info = wrapped.step(wrapped.action_space.sample())
    assert info["episode"]["r"].tolist() == [5, 5]
    wrapped.close()


def test_an_integer_seed_gives_each_cart_the_next_one():
    """Comme dans Gymnasium : le chariot i reçoit la graine s + i. Sans graine, un hasard neuf."""
    vector = gymnasium.make_vec("CartPole-v1", num_envs=3, vectorization_mode="sync")
    expected, _ = vector.reset(seed=41)
    for seed in (np.int64(41), [41, 42, 43], iter([41, 42, 43]), np.array([41, 42, 43])):
        np.testing.assert_array_equal(CartPoleVector(3).reset(seed=seed, options={})[0], expected)
    starts = [CartPoleVector(2).reset()[0] for _ in range(3)]
    assert len(np.unique(np.concatenate(starts), axis=0)) == 6


def test_reset_without_a_seed_continues_the_streams():
    carts, witness = CartPoleVector(2), GymnasiumCarts([3, 4])
    carts.reset(seed=[3, 4])
    assert_same_carts(carts, witness, toss(0), 137)
    for _ in range(2 * STARTS_PER_DRAW):
        expected = np.stack([env.reset()[0] for env in witness.envs])
        np.testing.assert_array_equal(carts.reset()[0], expected, strict=True)
    assert_same_carts(carts, witness, toss(1), 137)


def test_what_it_returned_is_to_its_reader():
    """Il n'y récrit jamais, et ce qu'on y écrit ne le dérange pas."""
    touched, untouched = (CartPoleVector(3, max_episode_steps=4) for _ in range(2))
    touched.reset(seed=0)[0][:] = 0
    kept = [untouched.reset(seed=0)[0]]
    copies = deepcopy(kept)
    for _ in range(30):
        arrays, expected = (outcome(one, np.array([0, 1, 0])) for one in (touched, untouched))
        kept += expected
        copies += deepcopy(expected)
        for got, want in zip(arrays, expected, strict=True):
            np.testing.assert_array_equal(got, want)
            got[:] = 0
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


# Les départs élargis


def test_start_x_scales_only_x():
    """À chaque redémarrage aussi, et jusqu'au milieu exact de la piste."""
    usual = CartPoleVector(50, max_episode_steps=2)
    for start_x in (2.0, 0):
        wide = CartPoleVector(50, start_x=start_x, max_episode_steps=2)
        pairs = [[carts.reset(seed=0)[0] for carts in (wide, usual)]]
        for _ in range(4):
            pairs.append([outcome(carts, np.zeros(50, int))[0] for carts in (wide, usual)])
        for mine, plain in pairs[::2]:
            expected = plain * [start_x / START_LIMIT, 1, 1, 1]
            np.testing.assert_allclose(mine, expected, rtol=1e-6)


# Les équations


def test_dynamics_equals_one_step_of_gymnasium():
    """Bien au-delà des limites de l'épisode, sur n'importe quels premiers axes."""
    env = gymnasium.make("CartPole-v1").unwrapped
    env.reset(seed=0)
    states = [2.4, 3.0, 0.5, 3.0] * np.random.default_rng(0).uniform(-1, 1, (300, 4))
    actions, before = toss(1)(states), states.copy()
    received = dynamics(states.reshape(3, 100, 4), actions.reshape(3, 100)).reshape(300, 4)
    np.testing.assert_array_equal(states, before)
    for state, action, successor in zip(states, actions, received, strict=True):
        env.state, env.steps_beyond_terminated = state, None
        _, _, terminated, _, _ = env.step(action)
        np.testing.assert_array_equal(successor, env.state, strict=True)
        assert has_fallen(env.state) == terminated
    # `[0, 0, 0, 0]` est le premier état qu'on écrit : il ne doit pas rester à zéro.
    np.testing.assert_array_equal(dynamics(np.zeros(4, int), 1), dynamics(np.zeros(4), 1))


def test_limits_are_crossed_strictly():
    inside = np.array([[2.4, 0, 0, 0], [-2.4, 0, 0, 0], [0, 0, cartpole.THETA_LIMIT, 0]])
    outside = np.nextafter(inside, 10 * np.sign(inside))
    assert not has_fallen(inside).any()
    assert has_fallen(outside).all()
    assert np.degrees(cartpole.THETA_LIMIT) == pytest.approx(12)


# Les entrées refusées


def test_bad_calls_are_refused_and_change_nothing():
    for name, value in [("num_envs", 0), ("max_episode_steps", 0), ("start_x", 2.5)]:
        with pytest.raises(ValueError, match=rf"^{name} doit .* {value!r} reçu"):
            CartPoleVector(**{name: value})
    carts = CartPoleVector(3)
    with pytest.raises(RuntimeError, match="appelez d'abord reset"):
        carts.step(np.array([0, 0, 0]))
    carts.reset(seed=[1, 2, 3])
    for seed, told in [
        ([1, 2], "2 reçues"),
        ([1, 2, -3], "-3 reçu"),
        (1.5, "1.5 reçu"),
        ("abc", "'abc' reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"^seed doit .*{told}"):
            carts.reset(seed=seed)
    for options in ({"low": -1}, 0):
        with pytest.raises(ValueError, match=r"^options doit être vide : .* reçu"):
            carts.reset(options=options)
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
