"""Les exercices du carnet 09 : contre la main, Gymnasium, le paquet, un compte, des élèves."""

import gymnasium
import numpy as np
import pytest
import torch

from cartpole_helpers import policies, td_target
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, has_fallen
from cartpole_helpers.replay import Transition
from cartpole_helpers.teaching.catalogue import clinic
from cartpole_helpers.teaching.checking import judge
from cartpole_helpers.teaching.clinic import charts

EXERCISES = {exercise.name: exercise for exercise in clinic.EXERCISES}

# Par exercice, puis par propriété : ce que vaut chaque cas, calculé à la main.
BY_HAND = {
    "fausses_fins": [[1, 0, 0], [1 / 3, 0, 1 / 3], [1 / 2, 1 / 3], [1, 0], [1 / 5, 2 / 5, 0]],
    "gamma_apparent": [
        [9 / 10, 4 / 8],
        [(9 + 3) / (12 + 3), (5 + 1 + 3) / (5 + 4 + 1)],
        [(8 + 1) / (10 + 0), (0.5 + 7 + 5.5) / (0 + 9 + 7)],
        [(4.5 + 6) / (6 + 6), (4 + 1 + 3) / (5 + 0 + 5)],
        [(12 + 6) / (10 + 5)],
    ],
    "valeur_predictive": [
        [1, 1],
        [0.45 / (0.45 + 0.05), 0.3 / (0.3 + 0.1), 0.5 / (0.5 + 0.125)],
        [0.09 / (0.09 + 0.09), 0.0384 / (0.0384 + 0.0384), 0.2 / (0.2 + 0.15)],
        [0.2, 0.6],
    ],
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_first_cases_are_worth_what_the_hand_computes(name):
    exercise = EXERCISES[name]
    by_hand = exercise.properties[:-1]  # la dernière tire ses cas au hasard
    for one, expected in zip(by_hand, BY_HAND[name], strict=True):
        values = [exercise.reference(*case) for case in one.cases(None)]
        assert len(values) == len(expected)
        np.testing.assert_allclose(values, expected, rtol=1e-12)


# Les fausses fins, contre Gymnasium et contre le paquet


@pytest.mark.parametrize("limit", [40, 45])
def test_the_false_ends_are_those_that_the_clock_of_gymnasium_makes(limit):
    env = gymnasium.make("CartPole-v1", max_episode_steps=limit)
    states, done, clock = [], [], []
    for seed in range(12):
        observation, _ = env.reset(seed=seed)
        fell = late = False
        while not (fell or late):
            observation, _, fell, late, _ = env.step(
                int(policies.push_by_angle(observation[None])[0])
            )
            states.append(observation)
            done.append(fell or late)
            clock.append(late and not fell)
    env.close()
    share = clinic.fausses_fins(np.array(states), np.array(done))
    assert share == pytest.approx(sum(clock) / len(clock))
    assert 0 < sum(clock) < sum(done)


def test_the_false_ends_stop_where_the_package_sees_a_fall():
    generator = np.random.default_rng(0)
    limits = np.array([X_LIMIT, 3, THETA_LIMIT, 3])
    states = generator.uniform(-1.5, 1.5, (4_000, 4)) * limits
    states[:8, [0, 2]] = limits[[0, 2]] * generator.choice([-1, 0, 0.999999, 1.000001], (8, 2))
    ended = generator.random(4_000) < 0.4
    slow = [end and not fall for end, fall in zip(ended, has_fallen(states), strict=True)]
    assert clinic.fausses_fins(states, ended) == sum(slow) / 4_000
    assert 0 < sum(slow) < ended.sum()


# Le γ apparent, contre une chaîne dont les valeurs suivent la cible du paquet


def settled_chain(gamma, length=6):
    """Rend les colonnes d'une chaîne : une action y recule, l'autre avance, et finit par tomber.

    Les valeurs sont celles où s'arrête la cible du paquet, répétée ; chaque couple (s, a) est là.
    """
    state = torch.arange(length).repeat_interleave(2)
    action = torch.tensor([0, 1]).repeat(length)
    following = (state + 2 * action - 1).clamp(0)
    fallen = following == length
    reward = torch.where(action == 1, 1.0, 0.4).double() + 0.1 * state
    q = torch.zeros(length + 1, 2, dtype=torch.float64)
    q[-1] = 50  # ce que dit un réseau d'un état où rien ne l'a instruit
    for _ in range(4_000):
        q[:-1] = td_target(reward, fallen, q[following], gamma).view(length, 2)
    return [column.numpy() for column in (q[:-1].flatten(), reward, q[following].amax(-1), fallen)]


@pytest.mark.parametrize("gamma", [0.3, 0.9, 0.99])
def test_gamma_is_recovered_from_values_that_follow_the_target(gamma):
    columns = settled_chain(gamma)
    assert columns[-1].sum() == 1
    assert clinic.gamma_apparent(*columns) == pytest.approx(gamma, rel=1e-9)
    generator = np.random.default_rng(0)
    for _ in range(5):  # une mémoire n'a qu'une partie des couples, et les répète
        kept = generator.integers(len(columns[0]), size=40)
        drawn = [column[kept] for column in columns]
        assert clinic.gamma_apparent(*drawn) == pytest.approx(gamma, rel=1e-9)


def test_the_clinic_of_the_package_measures_the_same():
    """Mêmes états, mêmes valeurs : `charts.examine` lit la mémoire, l'exercice ses colonnes."""
    generator = np.random.default_rng(0)
    states, following = generator.uniform(-1.3, 1.3, (2, 300, 4)) * [2.4, 2, 0.2095, 2]
    action, ended = generator.integers(2, size=300), generator.random(300) < 0.3
    reward = generator.uniform(0, 2, 300)
    weights = generator.normal(size=(4, 2))

    def values(observations):
        return 20 + observations @ weights

    memory = Transition(states, action, reward, ended, following)
    measured = charts.examine(values, memory=memory)
    fallen = has_fallen(following)
    assert 50 < fallen.sum() < 250
    q, after = values(states)[np.arange(300), action], values(following).max(axis=1)
    assert clinic.gamma_apparent(q, reward, after, fallen) == pytest.approx(measured["discount"])
    assert clinic.fausses_fins(following, ended) == pytest.approx(measured["false_ends"])


# La valeur prédictive, contre un dénombrement


@pytest.mark.parametrize(
    ("ill", "healthy", "seen", "alarmed"),
    [(40, 960, 36, 48), (500, 500, 450, 100), (3, 7, 2, 1), (20, 380, 19, 0), (1, 999, 1, 50)],
)
def test_the_predictive_value_is_a_share_of_those_declared_ill(ill, healthy, seen, alarmed):
    trainings = ["malade"] * ill + ["sain"] * healthy
    declared = [True] * seen + [False] * (ill - seen)
    declared += [True] * alarmed + [False] * (healthy - alarmed)
    named_ill = [truth for truth, alarm in zip(trainings, declared, strict=True) if alarm]
    value = clinic.valeur_predictive(seen / ill, alarmed / healthy, ill / (ill + healthy))
    assert value == pytest.approx(named_ill.count("malade") / len(named_ill))


# Des réponses d'élèves, écrites autrement que le catalogue


def forgets_the_cart(successeur, terminee):
    upright = [abs(state[2]) <= 0.2095 for state in successeur]
    return sum(1 for end, up in zip(terminee, upright, strict=True) if end and up) / len(upright)


def keeps_degrees(successeur, terminee):
    x, _, theta, _ = successeur.T
    standing = np.logical_and(x >= -2.4, x <= 2.4) & (theta >= -12) & (theta <= 12)
    return (standing * terminee).mean()


def looks_at_the_falls(successeur, terminee):
    fallen = has_fallen(successeur)
    return len([1 for end, fall in zip(terminee, fallen, strict=True) if end and fall]) / len(
        fallen
    )


def divides_by_the_ends(successeur, terminee):
    false = [not has_fallen(s) for s, end in zip(successeur, terminee, strict=True) if end]
    return np.average(false) if false else np.nan


def believes_after_the_fall(q, recompense, suivante, tombe):
    return (sum(q) - sum(recompense)) / sum(suivante)


def drops_the_falls(q, recompense, suivante, tombe):
    kept = np.flatnonzero(tombe == 0)
    return (q[kept].sum() - recompense[kept].sum()) / suivante[kept].sum()


def averages_each_pair(q, recompense, suivante, tombe):
    rows = zip(q, recompense, suivante, tombe, strict=True)
    ratios = [(value - reward) / after for value, reward, after, fallen in rows if not fallen]
    return sum(ratios) / len(ratios)


def forgets_the_reward(q, recompense, suivante, tombe):
    return q.sum() / (suivante * ~tombe).sum()


def supposes_one_in_two(rappel, fausses_alarmes, part_de_malades):
    return 0.5 * rappel / (0.5 * rappel + 0.5 * fausses_alarmes)


def counts_every_good_answer(rappel, fausses_alarmes, part_de_malades):
    healthy = 1 - part_de_malades
    return part_de_malades * rappel + healthy - healthy * fausses_alarmes


def counts_false_alarms_of_all(rappel, fausses_alarmes, part_de_malades):
    ill = 1_000 * part_de_malades
    return ill * rappel / (ill * rappel + 1_000 * fausses_alarmes)


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("fausses_fins", forgets_the_cart, "ne regardez que la tige"),
        ("fausses_fins", keeps_degrees, "radians à 12"),
        ("fausses_fins", looks_at_the_falls, "vraies fins"),
        ("fausses_fins", divides_by_the_ends, "le nombre de fins"),
        ("gamma_apparent", believes_after_the_fall, "plus rien n'y est à venir"),
        ("gamma_apparent", drops_the_falls, "Vous écartez les chutes"),
        ("gamma_apparent", averages_each_pair, "le quotient des moyennes"),
        ("gamma_apparent", forgets_the_reward, "Où est la récompense"),
        ("valeur_predictive", supposes_one_in_two, "autant de sains que de malades"),
        ("valeur_predictive", counts_every_good_answer, "les sains bien jugés"),
        ("valeur_predictive", counts_false_alarms_of_all, "ne viennent que des sains"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_answer_of_a_learner_is_told_its_fault(name, answer, words):
    for _ in range(5):  # les cas changent à chaque fois
        report = judge(EXERCISES[name], answer)
        assert not report.passed
        assert words in report.hint, report
