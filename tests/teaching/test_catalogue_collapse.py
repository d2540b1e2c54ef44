"""Les exercices du carnet 08 : contre la main, contre le paquet, contre des élèves."""

import numpy as np
import pytest
import torch

from cartpole_helpers import td_target
from cartpole_helpers.teaching import truth
from cartpole_helpers.teaching.catalogue import collapse
from cartpole_helpers.teaching.checking import judge

EXERCISES = {exercise.name: exercise for exercise in collapse.EXERCISES}

# Par exercice, puis par propriété : ce que vaut chaque cas, calculé à la main.
BY_HAND = {
    "valeur_rabaissee": [[100.0, 10.0], [1.0, 1.0], [1 / 0.55, 1 / 0.01198, 2.5]],
    "part_surestimee": [[1.0, 0.0], [0.0, 1.0], [0.0], [0.75]],
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_first_cases_are_worth_what_the_hand_computes(name):
    exercise = EXERCISES[name]
    for one, expected in zip(exercise.properties, BY_HAND[name], strict=False):
        values = [exercise.reference(*case) for case in one.cases(None)]
        np.testing.assert_allclose(values, expected, rtol=1e-12)


# Les réponses du catalogue, contre le paquet


@pytest.mark.parametrize(("false_ends", "gamma"), [(0, 0.9), (1, 0.99), (3, 0.95), (500, 0.8)])
def test_the_lowered_value_is_where_the_target_of_the_package_settles(false_ends, gamma):
    ended, value = torch.arange(500) < false_ends, torch.tensor(0.0, dtype=torch.float64)
    for _ in range(4_000):
        next_q = value.expand(500, 2)
        value = td_target(torch.ones(500, dtype=torch.float64), ended, next_q, gamma).mean()
    expected = collapse.valeur_rabaissee(false_ends / 500, gamma)
    assert value.item() == pytest.approx(expected, rel=1e-9)


def test_values_that_claim_more_than_the_truth_are_counted():
    states = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.2, 3.0], [2.39, 3.0, 0.0, 0.0]])
    upper = truth.certify(states, 0.99).upper
    assert collapse.part_surestimee(upper, upper) == 0
    claimed = upper + np.array([[1, 0], [1, 1], [-1, -1]])
    assert collapse.part_surestimee(claimed, upper) == pytest.approx(2 / 3)


# Des réponses d'élèves, écrites autrement que le catalogue


def forgets_the_false_ends(part, gamma):
    return sum(gamma**step for step in range(5_000))


def lowers_at_the_end(part, gamma):
    return (1 / (1 - gamma)) * (1 - part)


def keeps_the_wrong_share(part, gamma):
    return (1 - gamma * part) ** -1


def compares_each_action(q, haut):
    return sum(row[a] > bounds[a] for row, bounds in zip(q, haut, strict=True) for a in (0, 1)) / (
        2 * len(q)
    )


def forgets_the_axis(q, haut):
    return 1.0 if np.amax(q) > np.amax(haut) else 0.0


def counts_only(q, haut):
    return len([1 for row, bounds in zip(q, haut, strict=True) if max(row) > max(bounds)])


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("valeur_rabaissee", forgets_the_false_ends, "n'entre pas dans votre calcul"),
        ("valeur_rabaissee", lowers_at_the_end, "l'erreur se cumule"),
        ("valeur_rabaissee", keeps_the_wrong_share, "la part qui finit"),
        ("part_surestimee", compares_each_action, "couples (s, a)"),
        ("part_surestimee", forgets_the_axis, "max sans axe"),
        ("part_surestimee", counts_only, "divisez-le"),
    ],
)
def test_a_wrong_answer_of_a_learner_is_told_its_fault(name, answer, words):
    report = judge(EXERCISES[name], answer)
    assert not report.passed
    assert words in report.hint
