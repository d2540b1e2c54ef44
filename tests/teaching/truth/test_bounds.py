"""Les bornes de la vérité : comparées à la force brute, à des simulations, à elles-mêmes."""

from itertools import pairwise

import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.policies import (
    lqr,
    push_by_angle,
    push_by_angle_and_velocity,
    push_by_velocity,
    push_right_when,
    random_policy,
)
from cartpole_helpers.teaching import truth
from cartpole_helpers.teaching.truth import certify, survival, viability_map

BOX = np.array([2.4, 3.0, THETA_LIMIT, 3.5])
DEEP = 11  # pas : jusqu'où va la force brute
RULES = {
    "droite": lambda states: np.ones(len(states), int),
    "angle": push_by_angle,
    "vitesse": push_by_velocity,
    "angle et vitesse": push_by_angle_and_velocity,
    "LQR": lqr,
    "hasard": random_policy(3),
    "x seul": lambda states: push_right_when(-states[:, 0]),
    "freiner": lambda states: push_right_when(states @ [0.1, 0.4, 1, 0.3]),
    "revenir": lambda states: push_right_when(states @ [0.3, 0.3, 1, 0.2]),
}


def box(count, seed=0):
    return BOX * np.random.default_rng(seed).uniform(-1, 1, (count, 4))


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
                assert high[action] >= DEEP
                assert low[action] >= DEEP
    assert set(seen) == set(range(1, DEEP))


@pytest.mark.parametrize("effort", [0, 1])
def test_a_survival_of_14_steps_or_less_is_exact_at_any_effort(states, bounds, effort):
    low, high = survival(states, effort=effort)
    short = bounds.high <= truth.EXHAUSTIVE
    assert 0.2 < short.mean() < 0.8
    assert (low[short] == high[short]).all()
    assert (low[~short] > truth.EXHAUSTIVE).all()


def test_short_survivals_stay_exact_when_the_search_keeps_one_branch(monkeypatch):
    """La recherche étroite en manque : seule celle qui n'écarte rien les trouve toutes."""
    many, exhaustive = box(2000, seed=2), 2**truth.EXHAUSTIVE
    after = dynamics(many, np.ones(len(many), int))
    after = after[~has_fallen(after)]
    low, high = truth._bounded(after, 1)
    short = high < truth.EXHAUSTIVE
    monkeypatch.setattr(truth, "WIDTH", 1)
    assert np.array_equal(truth._bounded(after, 0).low[short], low[short])
    refined = truth._refined
    monkeypatch.setattr(
        truth, "_refined", lambda *data: data[1:3] if data[-1] == exhaustive else refined(*data)
    )
    assert (truth._bounded(after, 0).low[short] < low[short]).any()


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


@pytest.mark.parametrize("name", RULES)
def test_no_policy_outlives_the_upper_bound(states, bounds, name):
    reached = np.zeros(2)
    for action in (0, 1):
        steps = rollout(states, np.full(len(states), action), RULES[name], 300)
        assert (steps <= bounds.high[:, action]).all()
        reached[action] = np.mean(steps == bounds.high[:, action])
    assert reached.min() > 0.05


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
    monkeypatch.setattr(truth, "CHUNK", 37)
    monkeypatch.setattr(truth, "FEW", 2)
    for part, whole in zip(survival(states[:100]), bounds, strict=True):
        assert np.array_equal(part, whole[:100])


# Les preuves, une à une


def push_faster(states):
    """Fait tourner la tige toujours plus vite : elle sort de la table avant de tomber."""
    return push_right_when(-states[:, 3])


def test_the_table_never_condemns_a_history_that_survives():
    """Chaque état d'une histoire réelle garde une marge positive à chaque pas qu'elle a atteint."""
    checked = 0
    rules = [lqr, RULES["freiner"], RULES["revenir"], random_policy(1), push_faster]
    for seed, rule in enumerate(rules):
        state = box(3000, seed) * [1, 1, 1, truth.FASTEST / BOX[3]]
        path = [state]
        for _ in range(60):
            state = dynamics(state, rule(state))
            path.append(state)
        path = np.array(path)  # (pas, états, 4)
        for ahead in (1, 2, 3, 5, 9, 20, 40, 60):
            alive = ~has_fallen(path[: ahead + 1]).any(axis=0)
            margins = truth._table().margins(truth._cells(path[0, alive]), ahead)
            assert (margins >= 0).all()
            checked += alive.sum()
    assert checked > 10_000


@pytest.mark.parametrize("action", [0, 1])
def test_the_image_of_a_cell_and_its_cost_are_enclosed(action):
    """Le suivant de tout état est dans une case prévue pour la sienne, et `e` y est bien minoré."""
    grid, states = truth._Grid(), box(300_000, seed=8)
    states[:, 3] *= truth.FASTEST / BOX[3]
    after = dynamics(states, np.full(len(states), action))
    (cells, costs), wide = grid.moves[action], 2 * grid.count + 2
    row, column = divmod(truth._cells(states).cell[0], wide)
    reached = cells[:, row, column - 1]  # (cases, états)
    ahead = np.floor(after[:, 2] / truth._cell_width()) + truth.HALF_ROWS + grid.count + 1
    _, landed = divmod(truth._cells(after).cell[0], wide)
    assert (np.isin(ahead - reached[0] // wide, [0, 1])).all()
    assert (reached % wide == landed).any(axis=0).all()
    moved = (after[:, 1] - states[:, 1]) + truth.CENTRE * (after[:, 3] - states[:, 3])
    spare = moved / 0.02 - costs[row, column - 1, 0]
    assert spare.min() > -1e-9
    assert spare.min() < 1e-3


def test_a_pole_out_of_the_table_falls_soon_and_not_at_once():
    """Hors de la table, la preuve n'affirme la chute qu'à partir de `SOON` pas."""
    speeds = np.linspace(truth.FASTEST, 9, 50)
    edge = np.column_stack([0 * speeds, 0 * speeds, 0 * speeds - THETA_LIMIT, speeds])
    assert truth._extremes(edge).high.max() == truth.SOON
    least = np.zeros((2 * truth.HALF_ROWS, 2 * truth._column_count(), 1))
    early, late = (truth._Grid()._lines(least, ahead) for ahead in (truth.SOON - 1, truth.SOON))
    assert early.min() < -0.17
    assert late.min() == 0


@pytest.mark.parametrize("window", truth.WINDOWS)
def test_the_mean_of_x_is_the_sum_the_table_bounds(window):
    """L'égalité de la preuve, sur une histoire quelconque : le membre de droite rend la moyenne."""
    means, pulls = truth._means(window)
    lead, tau, state = means @ np.arange(len(means)), 0.02, box(1)[0]
    path = [state]
    for action in np.random.default_rng(1).integers(2, size=45):
        path.append(dynamics(path[-1], action))
    x, x_dot, theta, theta_dot = np.array(path).T
    z = x_dot + truth.CENTRE * theta_dot
    angle = tau**2 * pulls[45:0:-1] * np.diff(z) / tau
    total = x[0] + truth.CENTRE * theta[0] + (45 - lead) * tau * z[0] + angle.sum()
    total -= truth.CENTRE * means[45::-1] @ theta
    assert means.min() == 0
    assert means.sum() == pytest.approx(1)
    assert total == pytest.approx(means[45::-1] @ x, abs=1e-12)


def test_the_table_condemns_most_carts_that_leave():
    """Trop vite vers le bord, tige droite : perdu, et la table le voit à quelques pas près."""
    fast = np.array([[1.5, 2.9, 0, 0], [0.5, 2.9, 0, 0], [-1.5, -2.9, 0, 0]])
    doom = truth._doomed(fast)
    low, high = truth._longest(fast, np.ones(3, bool), effort=3)
    assert (high - low <= 1).all()
    assert (doom - low <= 3).all()


def test_the_landing_rule_keeps_its_promise_from_the_edge_of_its_domain():
    """Sur le bord du domaine prouvé, la règle respecte, 3 000 pas durant, les quatre limites."""
    landing = truth._landing()
    states = np.random.default_rng(0).normal(size=(2000, 4)) * BOX
    sizes = np.abs(states @ landing.modes.T) @ landing.shares.T / landing.room
    states *= 0.999999 / sizes.max(axis=1, keepdims=True)
    assert landing.holds(states).all()
    assert not landing.holds(states * 1.00001).any()
    limits = np.array([X_LIMIT, THETA_LIMIT, truth.LANDING_SPEED, 20])
    for _ in range(3000):
        push = states @ truth.LANDING_GAIN
        watched = np.column_stack([states[:, 0], states[:, 2], states[:, 3], push])
        assert (np.abs(watched) <= limits).all()
        states = dynamics(states, push > 0)


def test_a_trial_counts_as_endless_only_once_landed(states, monkeypatch):
    """Tenir jusqu'à la fin de l'essai ne prouve rien de plus que sa durée."""
    monkeypatch.setattr(truth, "ROLLOUT", 4)
    standing, state = states[~has_fallen(states)], states[~has_fallen(states)]
    expected, alive = np.full(len(standing), 4.0), np.ones(len(standing), bool)
    for step in range(1, 5):
        expected[alive & truth._landing().holds(state)] = np.inf
        state = dynamics(state, lqr(state))
        expected[alive & has_fallen(state) & np.isfinite(expected)] = step
        alive &= ~has_fallen(state)
    assert np.array_equal(truth._rolled(standing, lqr), expected)
    assert set(expected) == {1, 2, 3, 4, np.inf}


def test_a_history_is_prolonged_from_its_middle():
    """La survie s'ajoute aux pas déjà faits ; une borne haute finie n'appelle rien."""
    halfway = np.array([[0, 0, 0.2, 3], [0, 0, 0, 0], [0, 0, 0.2, 3]])
    low, high = np.array([3.0, 3, 3]), np.array([np.inf, np.inf, 50])
    truth._prolong(low, high, np.arange(3), halfway, np.full(3, 11.0))
    assert np.array_equal(low, [5 + truth._kept(halfway[:1])[0], np.inf, 3])


def test_the_linear_part_is_the_derivative_of_the_dynamics():
    nudge = 1e-6 * np.eye(4)
    mean = (dynamics(nudge, 0) + dynamics(nudge, 1)) / 2
    opposite = (dynamics(-nudge, 0) + dynamics(-nudge, 1)) / 2
    assert np.allclose((mean - opposite).T / 2e-6, truth._linear(), atol=1e-8)
    push = dynamics(np.zeros(4), 1) - dynamics(np.zeros(4), 0)
    assert np.allclose(push / 20, truth._push(), rtol=1e-12)


def test_the_residuals_bound_what_the_linear_part_leaves():
    """μ et η, mesurés sur les vrais pas, restent sous leurs bornes, et les approchent."""
    matched, unmatched = truth._residuals(THETA_LIMIT, truth.LANDING_SPEED)
    states = np.random.default_rng(0).uniform(-1, 1, (20_000, 4)) * BOX
    states[:, 3] *= truth.LANDING_SPEED / BOX[3]
    states[:100, 2], states[:100, 3] = THETA_LIMIT, truth.LANDING_SPEED
    push = truth._push()
    for action, force in enumerate((-10, 10)):
        left = dynamics(states, action) - states @ truth._linear().T - push * force
        mu = left[:, 3] / push[3]
        eta = left[:, 1] - push[1] * mu
        assert 0.5 * matched < np.abs(mu).max() <= matched
        assert 0.5 * unmatched < np.abs(eta).max() <= unmatched


def test_the_closed_loop_contracts_and_its_series_is_summed():
    closed = truth._linear() + np.outer(truth._push(), truth.LANDING_GAIN)
    assert np.abs(np.linalg.eigvals(closed)).max() < 0.99
    rows, noise = np.eye(4), truth._push()[None]
    longer = truth._series(closed, rows, noise, terms=20_000)
    assert np.allclose(truth._series(closed, rows, noise), longer, rtol=0, atol=1e-12)
    terms = [np.linalg.matrix_power(closed, power) @ noise[0] for power in range(600)]
    assert np.allclose(longer, np.abs(terms).sum(axis=0), atol=1e-2)


def test_the_order_of_pole_trajectories_is_kept():
    """α croît avec θ, `θ̇ + τ·α` avec θ̇, et pousser à droite les diminue, partout où on le dit."""
    theta = np.linspace(-THETA_LIMIT, THETA_LIMIT, 301)
    speed = np.linspace(-12, 12, 301)
    left, right = (
        dynamics(np.stack(np.meshgrid(0, 0, theta, speed, indexing="ij"), -1)[0, 0], action)
        for action in (0, 1)
    )
    for after in (left, right):
        assert (np.diff(after[..., 3], axis=0) > 0).all()
        assert (np.diff(after[..., 3], axis=1) > 0).all()
    assert (left[..., 3] > right[..., 3]).all()


# Ce que rend `certify`


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 0.999])
def test_the_values_are_the_discounted_sums_of_the_rewards(states, bounds, gamma):
    lower, upper = certify(states[:60], gamma)
    for steps, values in ((bounds.low, lower), (bounds.high, upper)):
        for count, value in zip(steps[:60].flat, values.flat, strict=True):
            terms = int(min(count, 40_000))
            assert value == pytest.approx(sum(gamma**step for step in range(terms)), rel=1e-9)


def test_most_states_of_the_wide_box_are_known_within_one_percent(states):
    lower, upper = (bound.max(axis=1) for bound in certify(states, 0.99))
    assert np.mean(upper - lower <= 0.01 * upper) > 0.9
    assert 0.3 < np.mean(np.abs(lower - 100) < 1e-9) < 0.5


def test_the_upright_state_is_saved_for_ever():
    low, high = survival(np.zeros((1, 4)))
    assert np.isinf(low).all()
    assert np.isinf(high).all()
    lower, upper = certify(np.zeros((1, 4)), 1 - 2.0**-30)
    assert lower == pytest.approx(np.full((1, 2), 2.0**30), rel=1e-12)
    assert np.array_equal(lower, upper)


def test_a_fallen_state_is_worth_nothing():
    fallen = np.array([[2.5, 0, 0, 0], [-2.5, 3, 0, 0], [0, 0, 0.22, -1], [0, 0, -0.3, 0]])
    assert np.array_equal(certify(fallen, 0.99), np.zeros((2, 4, 2)))


def test_the_limits_themselves_are_not_a_fall():
    edge = np.array([[X_LIMIT, -1, 0, 0], [0, 0, THETA_LIMIT, -1], [X_LIMIT, 1, 0, 0]])
    low, high = survival(edge)
    assert (low[:2] > 1).all()
    assert (high[2] == 1).all()


@pytest.mark.parametrize("speed", [4.3, 8, 11, 15, 22, 1e6, 1e200])
def test_immense_speeds_are_followed_to_the_fall(speed):
    states = np.array([[0, 0, -0.2, speed], [0, 0, 0.2, -speed], [0, 0, 0, speed]])
    env = CartPoleEnv()
    with np.errstate(over="ignore", invalid="ignore"):
        steps = [[brute(env, state, action) for action in (0, 1)] for state in states]
    assert np.array_equal(survival(states), [steps, steps])


def test_values_are_finite_and_within_the_trivial_bounds(states):
    lower, upper = certify(states, 0.99)
    for values in (lower, upper):
        assert values.shape == (360, 2)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
        assert ((values >= 1) & (values <= 100 * (1 + 1e-12))).all()
    assert (lower <= upper).all()


def test_gamma_zero_counts_one_reward(states):
    assert np.array_equal(certify(states[:20], 0), np.ones((2, 20, 2)))


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


@pytest.mark.parametrize(
    ("states", "gamma", "error", "words"),
    [
        (np.zeros((2, 3)), 0.9, ValueError, "states.*forme.*N, 4.*2, 3"),
        (np.zeros(4), 0.9, ValueError, "states.*forme"),
        ([["a"] * 4], 0.9, TypeError, "states.*nombres"),
        ([[0, 0, np.nan, 0]], 0.9, ValueError, "states.*finis"),
        (np.zeros((1, 4)), 1, ValueError, "gamma.*inférieur à 1.*1 reçu"),
        (np.zeros((1, 4)), -0.1, ValueError, "gamma.*-0.1 reçu"),
        (np.zeros((1, 4)), "0.9", TypeError, "gamma.*'0.9' reçu"),
    ],
)
def test_bad_arguments_are_refused(states, gamma, error, words):
    with pytest.raises(error, match=words):
        certify(states, gamma)


@pytest.mark.parametrize("effort", [-1, 7, 1.5])
def test_a_bad_effort_is_refused(effort):
    with pytest.raises((ValueError, TypeError), match="effort"):
        survival(np.zeros((1, 4)), effort=effort)
