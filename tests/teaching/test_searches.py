"""Les essais d'une recherche archivée, rangés, comparés à une lecture ligne à ligne."""

import numpy as np
import pytest

from cartpole_helpers.statistics import costs
from cartpole_helpers.teaching.searches import trials


@pytest.fixture
def study():
    """Deux bras de trois essais, deux graines, quatre évaluations, dans le désordre."""
    arms, numbers, seeds = (one.ravel() for one in np.meshgrid(["a", "b"], range(3), [7, 5]))
    order = np.random.default_rng(0).permutation(len(arms))
    columns = {"bras": arms, "essai": numbers * 1.0, "graine": seeds * 1.0}
    columns |= {"largeur": numbers * 10.0, "double": np.where(numbers == 1, "True", "False")}
    returns = 470.0 + 10 * numbers + seeds + (arms == "b") + np.arange(4)[:, None]
    columns |= {str(1_000 * rank): row for rank, row in enumerate(returns, 1)}
    return {name: column[order] for name, column in columns.items()}


def test_the_trials_of_an_arm_are_in_order_whatever_that_of_the_rows(study):
    found = trials(study, "b")
    assert found.fields["largeur"].tolist() == [0, 10, 20]
    assert found.fields["double"].tolist() == ["False", "True", "False"]
    assert found.returns.shape == (3, 2, 4)
    assert found.returns[2, 0].tolist() == [496, 497, 498, 499]  # 470 + 20 + 5 + 1 + (0 à 3)
    np.testing.assert_array_equal(found.returns, trials(study, "a").returns + 1)


def test_the_costs_are_those_of_each_seed_on_its_first_evaluations(study):
    found = trials(study, "a")
    for count in (4, 2):
        each = [costs(seeds[:, :count] >= 475) for seeds in found.returns]
        np.testing.assert_array_equal(found.costs(count), each)
    np.testing.assert_array_equal(found.costs(), found.costs(4))


def test_an_unknown_arm_is_refused(study):
    with pytest.raises(ValueError, match="arm doit être"):
        trials(study, "c")
