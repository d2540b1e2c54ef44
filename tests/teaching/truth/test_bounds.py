"""Les bornes de la vérité : comparées à la force brute, à des simulations, à elles-mêmes."""

from itertools import pairwise, product

import numpy as np
import pytest
from boxes import RULES, box
from gymnasium.envs.classic_control import CartPoleEnv

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.teaching.truth import bounds as api
from cartpole_helpers.teaching.truth import certify, survival, viability_map

DEEP = 11  # pas : jusqu'où va la force brute


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
                assert high[action] >= DEEP
                assert low[action] >= DEEP
    assert set(seen) == set(range(1, DEEP))


def test_a_survival_of_14_steps_or_less_is_exact_at_any_effort(states, bounds):
    low, high = survival(states, effort=0)
    short = bounds.high <= api.EXHAUSTIVE
    assert 0.2 < short.mean() < 0.8
    assert (low[short] == high[short]).all()
    assert (low[~short] > api.EXHAUSTIVE).all()


def test_short_survivals_stay_exact_when_the_search_keeps_one_branch(monkeypatch):
    """La recherche étroite en manque : seule celle qui n'écarte rien les trouve toutes."""
    many, exhaustive = box(2000, seed=2), 2**api.EXHAUSTIVE
    after = dynamics(many, np.ones(len(many), int))
    after = after[~has_fallen(after)]
    low, high = api.bounded(after, 1)
    short = high < api.EXHAUSTIVE
    monkeypatch.setattr(api, "WIDTH", 1)
    assert np.array_equal(api.bounded(after, 0).low[short], low[short])
    refined = api.refined
    monkeypatch.setattr(
        api, "refined", lambda *data: data[1:3] if data[-1] == exhaustive else refined(*data)
    )
    assert (api.bounded(after, 0).low[short] < low[short]).any()


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


def test_a_policy_that_follows_the_lower_bound_survives_as_long():
    """Choisir à chaque pas l'action de plus grande borne basse réalise cette borne."""
    many = box(300, seed=5)
    low, high = (bound.max(axis=1) for bound in survival(many, effort=1))
    chosen = np.flatnonzero((low > 18) & (high < 40))[:15]
    assert len(chosen) == 15
    state, alive = many[chosen], np.ones(15, bool)
    for step in range(1, int(low[chosen].max()) + 1):
        after = dynamics(state, survival(state, effort=1).low.argmax(axis=1))
        state = np.where(alive[:, None], after, state)
        assert not (alive & has_fallen(state) & (step < low[chosen])).any()
        alive &= ~has_fallen(state)


def test_bellman_holds_between_a_state_and_its_successors(states, bounds):
    for action in (0, 1):
        after = dynamics(states, np.full(len(states), action))
        low, high = (1 + bound.max(axis=1) for bound in survival(after))
        assert (bounds.low[:, action] <= high).all()
        assert (bounds.high[:, action] >= low).all()
        exact = (bounds.low[:, action] == bounds.high[:, action]) & (low == high)
        assert exact.mean() > 0.85
        assert (bounds.low[exact, action] == low[exact]).all()


def test_the_mirror_of_a_state_has_the_mirrored_bounds(states, bounds):
    low, high = (bound[:, ::-1] for bound in survival(-states))
    assert (low <= bounds.high).all()
    assert (high >= bounds.low).all()
    exact = (low == high) & (bounds.low == bounds.high)
    assert exact.mean() > 0.9
    assert (low[exact] == bounds.low[exact]).all()


def test_more_effort_never_loosens_and_at_last_tightens(states):
    efforts = [survival(states[:200], effort=effort) for effort in range(4)]
    for less, more in pairwise(efforts):
        assert (more.low >= less.low).all()
        assert (more.high <= less.high).all()
    assert (efforts[-1].low > efforts[0].low).mean() > 0.03
    assert (efforts[-1].high < efforts[0].high).mean() > 0.02


def test_chunks_change_nothing(states, bounds, monkeypatch):
    monkeypatch.setattr(api, "CHUNK", 37)
    monkeypatch.setattr(api, "FEW", 2)
    for part, whole in zip(survival(states[:100]), bounds, strict=True):
        assert np.array_equal(part, whole[:100])


# Ce que rend `certify`


def test_the_values_are_the_discounted_sums_of_the_rewards(states, bounds):
    for gamma in (0.5, 0.99):
        for steps, values in zip(bounds, certify(states[:60], gamma), strict=True):
            for count, value in zip(steps[:60].flat, values.flat, strict=True):
                terms = int(min(count, 4_000))
                assert value == pytest.approx(sum(gamma**step for step in range(terms)), rel=1e-9)
    assert np.array_equal(certify(states[:20], 0), np.ones((2, 20, 2)))


def test_most_states_of_the_wide_box_are_known_within_one_percent(states):
    lower, upper = (bound.max(axis=1) for bound in certify(states, 0.99))
    assert np.mean(upper - lower <= 0.01 * upper) > 0.9
    assert 0.3 < np.mean(np.abs(lower - 100) < 1e-9) < 0.5


def test_the_upright_state_is_saved_for_ever():
    assert np.isinf(survival(np.zeros((1, 4)))).all()
    values = certify(np.zeros((1, 4)), 1 - 2.0**-30)
    assert np.array_equal(*values)
    np.testing.assert_allclose(values, 2.0**30, rtol=1e-12)


def test_a_fallen_state_is_worth_nothing_and_the_limits_themselves_are_not_a_fall():
    fallen = np.array([[2.5, 0, 0, 0], [-2.5, 3, 0, 0], [0, 0, 0.22, -1], [0, 0, -0.3, 0]])
    assert np.array_equal(certify(fallen, 0.99), np.zeros((2, 4, 2)))
    low, high = survival([[X_LIMIT, -1, 0, 0], [0, 0, THETA_LIMIT, -1], [X_LIMIT, 1, 0, 0]])
    assert (low[:2] > 1).all()
    assert (high[2] == 1).all()


def test_immense_speeds_are_followed_to_the_fall():
    env = CartPoleEnv()
    for speed in (4.3, 8, 11, 15, 22, 1e6, 1e200):
        states = np.array([[0, 0, -0.2, speed], [0, 0, 0.2, -speed], [0, 0, 0, speed]])
        with np.errstate(over="ignore", invalid="ignore"):
            steps = [[brute(env, state, action) for action in (0, 1)] for state in states]
        assert np.array_equal(survival(states), [steps, steps]), speed


def test_no_state_gives_no_bound():
    assert certify(np.empty((0, 4)), 0.9).lower.shape == (0, 2)
    assert viability_map(0, 0, [], [0.1]).low.shape == (0, 1)


def test_the_map_of_viability_reads_the_best_action():
    thetas, theta_dots = np.linspace(-0.2, 0.2, 5), np.linspace(-3, 3, 7)
    low, high = viability_map(1.0, 1.5, thetas, theta_dots)
    assert low.shape == high.shape == (5, 7)
    for i, j in ((0, 0), (1, 4), (2, 3), (4, 6)):
        one = survival(np.array([[1.0, 1.5, thetas[i], theta_dots[j]]]), effort=1)
        assert (low[i, j], high[i, j]) == (one.low.max(), one.high.max())
    assert len(np.unique(high)) > 5


def test_bad_arguments_are_refused():
    for states, gamma, effort, words in (
        (np.zeros((2, 3)), 0.9, 0, r"^states.*forme.*N, 4.*2, 3"),
        (np.zeros((1, 4)), 1, 0, r"^gamma.*inférieur à 1.*1 reçu"),
        (np.zeros((1, 4)), 0.9, 7, "^effort"),
    ):
        with pytest.raises(ValueError, match=words):
            certify(states, gamma, effort=effort)
