"""Les lemmes des preuves : l'atterrissage, l'ordre des extrêmes, le milieu d'une recherche."""

import numpy as np
from boxes import BOX, box

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, dynamics, has_fallen
from cartpole_helpers.policies import lqr
from cartpole_helpers.teaching.truth import landing, search


def test_the_landing_rule_keeps_its_promise_from_the_edge_of_its_domain():
    """Sur le bord du domaine prouvé, la règle respecte, 3 000 pas durant, les quatre limites."""
    proved = landing.domain()
    states = np.random.default_rng(0).normal(size=(2000, 4)) * BOX
    sizes = np.abs(states @ proved.modes.T) @ proved.shares.T / proved.room
    states *= 0.999999 / sizes.max(axis=1, keepdims=True)
    assert proved.holds(states).all()
    assert not proved.holds(states * 1.00001).any()
    limits = np.array([X_LIMIT, THETA_LIMIT, landing.LANDING_SPEED, 20])
    for _ in range(3000):
        push = states @ landing.LANDING_GAIN
        watched = np.column_stack([states[:, 0], states[:, 2], states[:, 3], push])
        assert (np.abs(watched) <= limits).all()
        states = dynamics(states, push > 0)


def test_a_trial_counts_as_endless_only_once_landed(monkeypatch):
    """Tenir jusqu'à la fin de l'essai ne prouve rien de plus que sa durée."""
    monkeypatch.setattr(landing, "ROLLOUT", 4)
    states = box(360)
    standing = state = states[~has_fallen(states)]
    expected, alive = np.full(len(standing), 4.0), np.ones(len(standing), bool)
    for step in range(1, 5):
        expected[alive & landing.domain().holds(state)] = np.inf
        state = dynamics(state, lqr(state))
        expected[alive & has_fallen(state) & np.isfinite(expected)] = step
        alive &= ~has_fallen(state)
    assert np.array_equal(landing.rolled(standing, lqr), expected)
    assert set(expected) == {1, 2, 3, 4, np.inf}


def test_the_linear_part_is_the_derivative_of_the_dynamics():
    nudge = 1e-6 * np.eye(4)
    mean = (dynamics(nudge, 0) + dynamics(nudge, 1)) / 2
    opposite = (dynamics(-nudge, 0) + dynamics(-nudge, 1)) / 2
    assert np.allclose((mean - opposite).T / 2e-6, landing.linear(), atol=1e-8)
    push = dynamics(np.zeros(4), 1) - dynamics(np.zeros(4), 0)
    assert np.allclose(push / 20, landing.push(), rtol=1e-12)


def test_the_residuals_bound_what_the_linear_part_leaves():
    """μ et η, mesurés sur les vrais pas, restent sous leurs bornes, et les approchent."""
    matched, unmatched = landing.residuals(THETA_LIMIT, landing.LANDING_SPEED)
    states = np.random.default_rng(0).uniform(-1, 1, (20_000, 4)) * BOX
    states[:, 3] *= landing.LANDING_SPEED / BOX[3]
    states[:100, 2], states[:100, 3] = THETA_LIMIT, landing.LANDING_SPEED
    push = landing.push()
    for action, force in enumerate((-10, 10)):
        left = dynamics(states, action) - states @ landing.linear().T - push * force
        mu = left[:, 3] / push[3]
        eta = left[:, 1] - push[1] * mu
        assert 0.5 * matched < np.abs(mu).max() <= matched
        assert 0.5 * unmatched < np.abs(eta).max() <= unmatched


def test_the_closed_loop_contracts_and_its_series_is_summed():
    closed = landing.linear() + np.outer(landing.push(), landing.LANDING_GAIN)
    assert np.abs(np.linalg.eigvals(closed)).max() < 0.99
    rows, noise = np.eye(4), landing.push()[None]
    longer = landing.series(closed, rows, noise, terms=20_000)
    assert np.allclose(landing.series(closed, rows, noise), longer, rtol=0, atol=1e-12)
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


def test_a_history_is_prolonged_from_its_middle():
    """La survie s'ajoute aux pas déjà faits ; une borne haute finie n'appelle rien."""
    halfway = np.array([[0, 0, 0.2, 3], [0, 0, 0, 0], [0, 0, 0.2, 3]])
    low, high = np.array([3.0, 3, 3]), np.array([np.inf, np.inf, 50])
    search.prolong(low, high, np.arange(3), halfway, np.full(3, 11.0))
    assert np.array_equal(low, [5 + landing.kept(halfway[:1])[0], np.inf, 3])
