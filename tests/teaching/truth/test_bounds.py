"""Les bornes de la vérité : comparées à la force brute, à des simulations, à elles-mêmes."""

from itertools import product

import numpy as np
import pytest
from boxes import RULES, box
from gymnasium.envs.classic_control import CartPoleEnv

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.teaching.truth import bounds as api
from cartpole_helpers.teaching.truth import certify, survival, viability_map

DEEP = 11  # pas : jusqu'où va la force brute


@pytest.fixture(scope="module")
def states():
    return box(360)


@pytest.fixture(scope="module")
def bounds(states):
    return survival(states)


# Le témoin : Gymnasium, son état posé à la main, et la récursion la plus simple


def gymnasium_step(env, state, action):
    env.state, env.steps_beyond_terminated = np.array(state), None
    _, _, terminated, _, _ = env.step(action)
    return tuple(env.state), terminated


def brute(env, state, action, deep=DEEP):
    """La plus longue survie après `action`, ou `deep` si elle l'atteint sans chute."""
    if deep == 0:
        return 0
    state, fallen = gymnasium_step(env, state, action)
    if fallen:
        return 1
    left = brute(env, state, 0, deep - 1)
    return 1 + (left if left == deep - 1 else max(left, brute(env, state, 1, deep - 1)))


def test_short_survivals_are_those_of_brute_force(states, bounds):
    env = CartPoleEnv()
    seen = []
    for state, low, high in zip(states[:120], *bounds, strict=False):
        for action in (0, 1):
            steps = brute(env, state, action)
            if steps < DEEP:
                assert (low[action], high[action]) == (steps, steps)
                seen.append(steps)
            else:
                assert min(low[action], high[action]) >= DEEP
    assert set(seen) == set(range(1, DEEP))


# Ce qu'aucune politique ne peut démentir


def rollout(state, first, rule, limit):
    """La survie (N,) après `first` (N,), puis sous `rule`, coupée à `limit`, calculée pas à pas."""
    steps, action = np.full(len(state), limit), first
    alive = np.ones(len(state), bool)
    for step in range(1, limit + 1):
        state = np.where(alive[:, None], dynamics(state, action), state)
        steps[alive & has_fallen(state)] = step
        alive &= ~has_fallen(state)
        action = rule(state)
    return steps


def test_no_policy_outlives_the_upper_bound(states, bounds):
    for (name, rule), action in product(RULES.items(), (0, 1)):
        steps = rollout(states, np.full(len(states), action), rule, 300)
        assert (steps <= bounds.high[:, action]).all(), name
        assert np.mean(steps == bounds.high[:, action]) > 0.05, name


def test_bellman_holds_between_a_state_and_its_successors(states, bounds):
    for action in (0, 1):
        after = dynamics(states, np.full(len(states), action))
        low, high = (1 + bound.max(axis=1) for bound in survival(after))
        assert (bounds.low[:, action] <= high).all()
        assert (bounds.high[:, action] >= low).all()
        exact = (bounds.low[:, action] == bounds.high[:, action]) & (low == high)
        assert exact.mean() > 0.85
        assert (bounds.low[exact, action] == low[exact]).all()


def test_more_effort_tightens_and_chunks_change_nothing(states, bounds, monkeypatch):
    monkeypatch.setattr(api, "CHUNK", 37)
    monkeypatch.setattr(api, "FEW", 2)
    for part, whole in zip(survival(states[:100]), bounds, strict=True):
        assert np.array_equal(part, whole[:100])
    low, high = survival(states, effort=0)
    assert (bounds.low >= low).all()
    assert (bounds.high <= high).all()
    assert (bounds.low > low).mean() > 0.03
    assert (bounds.high < high).mean() > 0.02
    short = bounds.high <= api.EXHAUSTIVE  # exacte à tout effort
    assert (low[short] == high[short]).all()


# Ce que rend `certify`


def test_the_values_are_the_discounted_sums_of_the_rewards(states, bounds):
    steps, values = bounds.low[:60].ravel(), certify(states[:60], 0.99).lower.ravel()
    sums = [sum(0.99**step for step in range(int(min(count, 4_000)))) for count in steps]
    np.testing.assert_allclose(values, sums, rtol=1e-9)
    assert np.array_equal(certify(states[:20], 0), np.ones((2, 20, 2)))


def test_most_states_of_the_wide_box_are_known_within_one_percent(states):
    lower, upper = (bound.max(axis=1) for bound in certify(states, 0.99))
    assert np.mean(upper - lower <= 0.01 * upper) > 0.9
    assert 0.3 < np.mean(np.abs(lower - 100) < 1e-9) < 0.5


def test_the_upright_state_is_saved_for_ever_and_a_fallen_one_is_worth_nothing():
    values = certify(np.zeros((1, 4)), 1 - 2.0**-30)
    np.testing.assert_allclose(values, 2.0**30, rtol=1e-12)
    fallen = np.array([[2.5, 0, 0, 0], [-2.5, 3, 0, 0], [0, 0, 0.22, -1], [0, 0, -0.3, 0]])
    assert np.array_equal(certify(fallen, 0.99), np.zeros((2, 4, 2)))
    low, high = survival([[X_LIMIT, -1, 0, 0], [0, 0, THETA_LIMIT, -1], [X_LIMIT, 1, 0, 0]])
    assert (low[:2] > 1).all()  # les limites elles-mêmes ne sont pas une chute
    assert (high[2] == 1).all()


def test_the_map_of_viability_reads_the_best_action():
    thetas, theta_dots = np.linspace(-0.2, 0.2, 3), np.linspace(-3, 3, 4)
    low, high = viability_map(1.0, 1.5, thetas, theta_dots)
    pairs = [[1.0, 1.5, theta, theta_dot] for theta in thetas for theta_dot in theta_dots]
    one = survival(np.array(pairs), effort=1)
    assert np.array_equal(low, one.low.max(axis=1).reshape(3, 4))
    assert np.array_equal(high, one.high.max(axis=1).reshape(3, 4))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match=r"^states.*forme.*N, 4.*2, 3"):
        certify(np.zeros((2, 3)), 0.9)
    with pytest.raises(ValueError, match=r"^gamma.*inférieur à 1.*1 reçu"):
        certify(np.zeros((1, 4)), 1)
