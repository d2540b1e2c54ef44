"""Les politiques de référence : leurs retours mesurés, et le gain LQR retrouvé par SciPy."""

from contextlib import suppress

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

from cartpole_helpers import evaluate
from cartpole_helpers.policies import (
    linearised_dynamics,
    lqr,
    lqr_gain,
    push_by_angle,
    push_by_angle_and_velocity,
    push_by_velocity,
    random_policy,
)

MEASURED = {  # retours moyens de 100 épisodes, mesurés hors du paquet
    random_policy(0): 23,
    push_by_angle: 42,
    push_by_velocity: 200,
    push_by_angle_and_velocity: 488,
    lqr: 500,
}
DESIGN_GAIN = np.array([0.087, 0.153, 1, 0.264])


def test_mean_returns_are_those_measured():
    """Deux moyennes de 100 épisodes s'écartent de √2 erreurs types ; on en tolère quatre fois plus.

    La demi-unité est l'arrondi de la valeur publiée.
    """
    for policy, measured in MEASURED.items():
        returns = evaluate(policy, episodes=100, seed=1)
        standard_error = returns.std(ddof=1) / np.sqrt(len(returns))
        assert abs(returns.mean() - measured) <= 4 * np.sqrt(2) * standard_error + 0.5, policy


def test_the_lqr_holds_twenty_thousand_steps_and_so_does_the_rule_of_notebook_01():
    for policy in (lqr, lambda seen: (seen @ np.array([0.1, 0.1, 1, 0.3]) > 0) * 1):
        assert evaluate(policy, episodes=20, seed=3, limit=20_000).tolist() == [20_000] * 20


def hand_linearised():
    """Les équations de Barto, Sutton et Anderson linéarisées à la main autour de s = 0."""
    gravity, pole, total, half, step = 9.8, 0.1, 1.1, 0.5, 0.02
    inertia = half * (4 / 3 - pole / total)
    theta_per_theta, theta_per_force = gravity / inertia, -1 / (total * inertia)
    coupling = pole * half / total
    rates = np.zeros((4, 4))
    rates[0, 1] = rates[2, 3] = 1
    rates[1, 2], rates[3, 2] = -coupling * theta_per_theta, theta_per_theta
    push = np.array([0, 1 / total - coupling * theta_per_force, 0, theta_per_force])
    return np.eye(4) + step * rates, step * push


def test_linearised_dynamics_equals_the_hand_calculation():
    for received, expected in zip(linearised_dynamics(), hand_linearised(), strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-8)


def test_lqr_gain_solves_the_riccati_equation():
    np.testing.assert_allclose(lqr_gain(), DESIGN_GAIN, atol=6e-4)
    transition, push = hand_linearised()
    for cost in [((1, 1, 10, 1), 0.01), ((5, 1, 1, 2), 3.0)]:
        value = solve_discrete_are(transition, push[:, None], np.diag(cost[0]), [[cost[1]]])
        gain = (push @ value @ transition) / (cost[1] + push @ value @ push)
        np.testing.assert_allclose(lqr_gain(*cost), gain / gain[2], rtol=1e-5)


def test_a_cost_that_gives_no_gain_is_refused_and_a_gain_is_to_its_caller():
    for given, named in [
        (((1, 1, 10, 1), 0), "force_cost doit .* 0 reçu"),
        (((1, 1, 10, 1), 1e30), r"state_cost et force_cost .* 1e\+30 reçus"),
        (((-1, 1, 10, 1), 0.01), "state_cost et force_cost doivent"),
        (((0, 0, 0, 0), 0.01), "state_cost et force_cost doivent"),
        (((),), "state_cost doit être de forme"),
    ]:
        with pytest.raises(ValueError, match=f"^{named}"):
            lqr_gain(*given)
    gain = lqr_gain((2, 1, 10, 1))
    before = gain.copy()
    with suppress(ValueError):  # un tableau en lecture seule convient aussi
        gain[:] = -1
    np.testing.assert_array_equal(lqr_gain((2, 1, 10, 1)), before)


def test_rules_on_hand_made_observations():
    angle = [0.1, -0.1, 0.3, -0.3, -0.1, 0.0]
    speed = [-0.3, 0.3, -0.1, 0.1, 0.0, 0.0]
    observations = np.zeros((6, 4), np.float32)
    observations[:, 2:], observations[4, 0] = np.transpose([angle, speed]), 2.0
    assert push_by_angle(observations).tolist() == [1, 0, 1, 0, 0, 0]
    assert push_by_velocity(observations).tolist() == [0, 1, 0, 1, 0, 0]
    assert push_by_angle_and_velocity(observations).tolist() == [0, 1, 1, 0, 0, 0]
    assert lqr(observations).tolist() == [1, 0, 1, 0, 1, 0]


def test_every_policy_has_the_same_shape():
    for policy in MEASURED:
        for count, dtype in [(0, np.float64), (7, np.float32)]:
            observations = np.random.default_rng(0).normal(size=(count, 4)).astype(dtype)
            before, actions = observations.copy(), policy(observations)
            assert actions.shape == (count,)
            assert np.issubdtype(actions.dtype, np.integer)
            np.testing.assert_array_equal(observations, before)
        with pytest.raises(ValueError, match=r"observations doit .* reçu"):
            policy(np.zeros(4))


def test_random_policy_is_a_fair_reproducible_coin():
    observations = np.zeros((2_000, 4))
    first, again, other, usual, zero = (random_policy(*s) for s in ((5,), (5,), (6,), (), (0,)))
    tosses = first(observations)
    np.testing.assert_array_equal(tosses, again(observations))
    assert (tosses != other(observations)).any()
    assert (tosses != first(observations)).any()
    assert abs(tosses.mean() - 0.5) < 4 * 0.5 / np.sqrt(2_000)
    np.testing.assert_array_equal(usual(observations), zero(observations))
    with pytest.raises(ValueError, match=r"seed doit .* -1 reçu"):
        random_policy(-1)
