"""La table : ses cases contiennent leurs images, ses minorants sont des minorants."""

import numpy as np
import pytest
from boxes import BOX, RULES, box

from cartpole_helpers.cartpole import THETA_LIMIT, dynamics, has_fallen
from cartpole_helpers.policies import lqr, random_policy
from cartpole_helpers.teaching.truth import bounds, extremes, notation, table


def test_the_table_never_condemns_a_history_that_survives():
    """Chaque état d'une histoire réelle garde une marge positive à chaque pas qu'elle a atteint."""
    checked = 0
    rules = [lqr, RULES["freiner"], RULES["revenir"], random_policy(1)]
    for seed, rule in enumerate(rules):
        state = box(3000, seed) * [1, 1, 1, table.FASTEST / BOX[3]]
        path = [state]
        for _ in range(60):
            state = dynamics(state, rule(state))
            path.append(state)
        path = np.array(path)  # (pas, états, 4)
        for ahead in (1, 2, 3, 5, 9, 20, 40, 60):
            alive = ~has_fallen(path[: ahead + 1]).any(axis=0)
            margins = table.filled().margins(table.cells_of(path[0, alive]), ahead)
            assert (margins >= 0).all()
            checked += alive.sum()
    assert checked > 10_000


@pytest.mark.parametrize("action", [0, 1])
def test_the_image_of_a_cell_and_its_cost_are_enclosed(action):
    """Le suivant de tout état est dans une case prévue pour la sienne, et `e` y est bien minoré."""
    grid, states = table.Grid(), box(300_000, seed=8)
    states[:, 3] *= table.FASTEST / BOX[3]
    after = dynamics(states, np.full(len(states), action))
    (cells, costs), wide = grid.moves[action], 2 * grid.count + 2
    row, column = divmod(table.cells_of(states).cell[0], wide)
    reached = cells[:, row, column - 1]  # (cases, états)
    ahead = np.floor(after[:, 2] / table.cell_width()) + table.HALF_ROWS + grid.count + 1
    _, landed = divmod(table.cells_of(after).cell[0], wide)
    assert (np.isin(ahead - reached[0] // wide, [0, 1])).all()
    assert (reached % wide == landed).any(axis=0).all()
    moved = (after[:, 1] - states[:, 1]) + notation.CENTRE * (after[:, 3] - states[:, 3])
    spare = moved / 0.02 - costs[row, column - 1, 0]
    assert spare.min() > -1e-9
    assert spare.min() < 1e-3


def test_a_pole_out_of_the_table_falls_soon_and_not_at_once():
    """Hors de la table, la preuve n'affirme la chute qu'à partir de `SOON` pas."""
    speeds = np.linspace(table.FASTEST, 9, 50)
    edge = np.column_stack([0 * speeds, 0 * speeds, 0 * speeds - THETA_LIMIT, speeds])
    assert extremes.extremes(edge).high.max() == table.SOON
    least = np.zeros((2 * table.HALF_ROWS, 2 * table.column_count(), 1))
    early, late = (table.Grid().lines(least, ahead) for ahead in (table.SOON - 1, table.SOON))
    assert early.min() < -0.17
    assert late.min() == 0


def test_the_mean_of_x_is_the_sum_the_table_bounds():
    """L'égalité de la preuve, sur une histoire quelconque : le membre de droite rend la moyenne."""
    tau, path = 0.02, [box(1)[0]]
    for action in np.random.default_rng(1).integers(2, size=45):
        path.append(dynamics(path[-1], action))
    x, x_dot, theta, theta_dot = np.array(path).T
    z = x_dot + notation.CENTRE * theta_dot
    for window in (0, 20):
        means, pulls = table.weights(window)
        lead = means @ np.arange(len(means))
        angle = tau**2 * pulls[45:0:-1] * np.diff(z) / tau
        total = x[0] + notation.CENTRE * theta[0] + (45 - lead) * tau * z[0] + angle.sum()
        total -= notation.CENTRE * means[45::-1] @ theta
        assert means.min() == 0
        assert means.sum() == pytest.approx(1)
        assert total == pytest.approx(means[45::-1] @ x, abs=1e-12)


def test_the_table_condemns_most_carts_that_leave():
    """Trop vite vers le bord, tige droite : perdu, et la table le voit à quelques pas près."""
    fast = np.array([[1.5, 2.9, 0, 0], [0.5, 2.9, 0, 0], [-1.5, -2.9, 0, 0]])
    doom = table.doomed(fast)
    low, high = bounds.longest(fast, np.ones(3, bool), effort=3)
    assert (high - low <= 1).all()
    assert (doom - low <= 3).all()
