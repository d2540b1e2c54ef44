"""Les exercices des carnets 00 et 01 : contre la main, contre Gymnasium, contre des élèves."""

import gymnasium
import numpy as np
import pytest

from cartpole_helpers import cartpole, play, policies
from cartpole_helpers.teaching.catalogue import problem
from cartpole_helpers.teaching.checking import judge

EXERCISES = {exercise.name: exercise for exercise in problem.EXERCISES}

# Par exercice, puis par propriété : ce que vaut chaque cas, calculé à la main.
BY_HAND = {
    "part_reussie": [[3 / 4, 0.0], [2 / 4, 1 / 3, 0.0], [1 / 2, 2 / 3]],
    "pas_d_euler": [
        [[0.52, 1.0, 0.06, -2.0], [-0.06, -3.0, -0.18, 1.0]],
        [[0.0, 0.2, 0.0, -0.3], [1.0, -0.16, -0.1, 0.24]],
        [[1.01, 0.7, 0.08, -1.4]],
    ],
    "fin": [
        [(False, False), (False, False)],
        [(True, False), (True, False)],
        [(True, False), (True, False), (False, False), (True, False)],
        [(False, False), (False, False)],
        [(False, False), (False, False)],
        [(False, False), (False, True)],
        [(True, True), (True, True)],
    ],
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_first_cases_are_worth_what_the_hand_computes(name):
    exercise = EXERCISES[name]
    for one, expected in zip(exercise.properties, BY_HAND[name], strict=False):
        values = [exercise.reference(*case) for case in one.cases(None)]
        assert len(values) == len(expected)
        for value, by_hand in zip(values, expected, strict=True):
            np.testing.assert_allclose(value, by_hand, rtol=1e-12, atol=1e-15)


# Les réponses du catalogue, contre Gymnasium


@pytest.fixture
def env():
    env = gymnasium.make("CartPole-v1")
    yield env
    env.close()


def test_the_step_is_the_one_of_gymnasium(env):
    for seed in range(5):
        env.reset(seed=seed)
        for action in np.random.default_rng(seed).integers(2, size=8):
            before = env.unwrapped.state
            _, speed, _, spin = (cartpole.dynamics(before, action) - before) / cartpole.TIME_STEP
            env.step(action)
            np.testing.assert_allclose(
                problem.pas_d_euler(np.array(before), speed, spin), env.unwrapped.state, atol=1e-12
            )


@pytest.mark.parametrize(
    "policy", [policies.push_by_angle, policies.push_by_velocity, policies.lqr]
)
def test_the_two_flags_are_those_of_gymnasium_at_every_step(env, policy):
    seen = set()
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        for step in range(1, 501):
            observation, _, *flags, _ = env.step(int(policy(observation[None])[0]))
            assert list(problem.fin(env.unwrapped.state, step)) == flags[:2]
            seen.add(tuple(flags))
            if any(flags):
                break
    assert seen == {(False, False), (False, True) if policy is policies.lqr else (True, False)}


@pytest.mark.parametrize("place", [(2.4, 0.0), (-2.4, 0.0), (2.41, 0.0), (0.0, 0.3), (0.0, -0.2)])
def test_gymnasium_may_say_both_at_the_last_step_and_goes_on_at_the_edge(env, place):
    observation, _ = env.reset(seed=0)
    for _ in range(499):
        observation, *_ = env.step(int(policies.lqr(observation[None])[0]))
    env.unwrapped.state = np.array([place[0], 0.0, place[1], 0.0])  # immobile : x et θ y restent
    _, _, *flags, _ = env.step(0)
    assert env.unwrapped.state[0] == place[0]
    assert list(problem.fin(env.unwrapped.state, 500)) == flags
    assert flags == [place in ((2.41, 0.0), (0.0, 0.3)), True]


def test_the_two_answers_together_make_the_game():
    """Ce que fait la dernière cellule de l'exercice : jouer sans Gymnasium."""
    episode = play(policies.push_by_angle, seed=3)
    env = gymnasium.make("CartPole-v1")
    env.reset(seed=3)
    state, step, ended = np.array(env.unwrapped.state), 0, False
    env.close()
    while not ended:
        step += 1
        action = policies.push_by_angle(state[None].astype(np.float32))[0]
        _, speed, _, spin = (cartpole.dynamics(state, action) - state) / cartpole.TIME_STEP
        state = problem.pas_d_euler(state, speed, spin)
        ended = any(problem.fin(state, step))
    assert step == len(episode.actions)


def test_the_share_is_the_one_that_a_slow_count_gives():
    generator = np.random.default_rng(0)
    for seeds, moments in ((1, 1), (5, 1), (4, 9)):
        returns = generator.integers(470, 480, size=(seeds, moments)).astype(float)
        last = [row[-1] for row in returns.tolist()]
        assert problem.part_reussie(returns, 475) == len([x for x in last if x >= 475]) / seeds


# Des réponses d'élèves, écrites autrement que le catalogue


def keeps_the_best(retours, seuil):
    return sum(max(courbe) >= seuil for courbe in retours) / len(retours)


def misses_the_tie(retours, seuil):
    derniers = [courbe[-1] for courbe in retours]
    return sum([1 for retour in derniers if retour > seuil]) / len(derniers)


def takes_the_last_row(retours, seuil):
    return float((retours[len(retours) - 1] >= seuil).mean())


def overwrites_the_speeds(etat, x_acceleration, theta_acceleration):
    x, v, theta, w = etat
    v += 0.02 * x_acceleration
    w += 0.02 * theta_acceleration
    x += 0.02 * v
    theta += 0.02 * w
    return np.array([x, v, theta, w])


def thinks_of_free_fall(etat, x_acceleration, theta_acceleration):
    dt = 0.02
    acc = np.array([x_acceleration, theta_acceleration])
    positions = etat[::2] + etat[1::2] * dt + acc * dt**2 / 2
    vitesses = etat[1::2] + acc * dt
    return np.stack([positions, vitesses], axis=1).ravel()


def believes_the_document(etat, pas):
    return [np.abs(etat[0]) > 2.4 or np.abs(np.rad2deg(etat[2])) > 15.0, pas >= 500]


def forgets_radians(etat, pas):
    x, _, angle, _ = etat
    return not (-2.4 <= x <= 2.4 and -12 <= angle <= 12), pas == 500


def chooses_one(etat, pas):
    if abs(etat[0]) > 2.4 or abs(etat[2]) > 12 * np.pi / 180:
        return True, False
    return False, pas >= 500


def makes_done(etat, pas):
    done = abs(etat[0]) > 2.4 or abs(etat[2]) > 12 * np.pi / 180 or pas >= 500
    return done, done


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("part_reussie", keeps_the_best, "meilleur moment"),
        ("part_reussie", misses_the_tie, "inégalité est stricte"),
        ("part_reussie", takes_the_last_row, "dernière graine"),
        ("pas_d_euler", overwrites_the_speeds, "nouvelles vitesses"),
        ("pas_d_euler", thinks_of_free_fall, "plus précis"),
        ("fin", believes_the_document, "le document"),
        ("fin", forgets_radians, "des radians à 12"),
        ("fin", chooses_one, "efface votre interruption"),
        ("fin", makes_done, "« done »"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_mistake_written_otherwise_gets_the_same_hint(name, answer, words):
    for _ in range(5):
        report = judge(EXERCISES[name], answer)
        assert not report.passed
        assert words in report.hint


def test_a_step_in_place_is_refused():
    def in_place(etat, x_acceleration, theta_acceleration):
        etat += 0.02 * np.array([etat[1], x_acceleration, etat[3], theta_acceleration])
        return etat

    report = judge(EXERCISES["pas_d_euler"], in_place)
    assert not report.passed
    assert "en place" in report.hint
    assert sum(verdict.passed for verdict in report.verdicts) == 4
