"""Les exercices des carnets 00 et 01 : contre la main, contre Gymnasium, contre des élèves."""

import itertools

import gymnasium
import numpy as np

from cartpole_helpers import cartpole, policies
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.checking import judge

euler, fin = EXERCISES["pas_d_euler"].reference, EXERCISES["fin"].reference
NO, FALL, CLOCK, BOTH = (False, False), (True, False), (False, True), (True, True)
# Par exercice, puis par propriété : ce que vaut chaque cas, calculé à la main.
BY_HAND = {
    "part_reussie": [[3 / 4, 0.0], [2 / 4, 1 / 3, 0.0], [1 / 2, 2 / 3]],
    "pas_d_euler": [
        [[0.52, 1.0, 0.06, -2.0], [-0.06, -3.0, -0.18, 1.0]],
        [[0.0, 0.2, 0.0, -0.3], [1.0, -0.16, -0.1, 0.24]],
        [[1.01, 0.7, 0.08, -1.4]],
    ],
    "fin": [
        [NO] * 2,
        [FALL] * 2,
        [FALL, FALL, NO, FALL, FALL],
        [NO] * 2,
        [NO] * 4,
        [NO, CLOCK],
        [BOTH] * 2,
    ],
}
OTHERWISE = [  # des réponses d'élèves, écrites autrement que le catalogue, et un mot de l'indice
    ("part_reussie", lambda r, s: sum(max(one) >= s for one in r) / len(r), "meilleur moment"),
    ("part_reussie", lambda r, s: sum(one[-1] > s for one in r) / len(r), "inégalité est stricte"),
    ("part_reussie", lambda r, s: float((r[len(r) - 1] >= s).mean()), "dernière graine"),
    ("pas_d_euler", lambda e, *a: interleaved(e, a, 2), "nouvelles vitesses"),
    ("pas_d_euler", lambda e, *a: interleaved(e, a, 1), "plus précis"),
    ("pas_d_euler", lambda e, *a: np.copyto(e, interleaved(e, a, 0)) or e, "en place"),
    ("fin", lambda e, n: [abs(e[0]) > 2.4 or np.rad2deg(abs(e[2])) > 15, n > 499], "le document"),
    ("fin", lambda e, n: (not (abs(e[0]) <= 2.4 and -12 <= e[2] <= 12), n == 500), "radians à 12"),
    ("fin", lambda e, n: FALL if fin(e, n)[0] else (False, n > 499), "efface votre interruption"),
    ("fin", lambda e, n: (any(fin(e, n)), any(fin(e, n))), "« done »"),
]


def interleaved(state, acc, halves):
    """Le pas où les positions comptent aussi `halves` fois la moitié de l'accélération."""
    acc = np.array(acc)
    positions = state[::2] + 0.02 * state[1::2] + halves * acc * 0.02**2 / 2
    return np.stack([positions, state[1::2] + 0.02 * acc], axis=1).ravel()


def test_the_first_cases_are_worth_what_the_hand_computes():
    for name, expected in BY_HAND.items():
        for one, values in zip(EXERCISES[name].properties, expected, strict=False):
            for case, value in zip(one.cases, values, strict=True):
                came = EXERCISES[name].reference(*case)
                np.testing.assert_allclose(came, value, rtol=1e-12, atol=1e-15, err_msg=one.text)


def test_the_step_and_its_two_flags_are_those_of_gymnasium():
    env, seen = gymnasium.make("CartPole-v1"), set()
    for policy, seed in itertools.product((policies.push_by_angle, policies.lqr), range(2)):
        (observation, _), flags, number = env.reset(seed=seed), NO, 0
        while not any(flags):
            before, action = env.unwrapped.state, int(policy(observation[None])[0])
            slope = (cartpole.dynamics(before, action) - before) / cartpole.TIME_STEP
            (observation, _, *flags, _), number = env.step(action), number + 1
            after = euler(np.array(before), *slope[[1, 3]])
            np.testing.assert_allclose(after, env.unwrapped.state, atol=1e-12)
            assert list(fin(env.unwrapped.state, number)) == flags
            seen.add(tuple(flags))
    env.close()
    assert seen == {NO, CLOCK, FALL}


def test_gymnasium_may_say_both_at_the_last_step_and_goes_on_at_the_edge():
    env = gymnasium.make("CartPole-v1")
    for x, theta in ((2.4, 0.0), (-2.4, 0.0), (2.41, 0.0), (0.0, 0.3), (0.0, -0.2)):
        observation, _ = env.reset(seed=0)
        for _ in range(499):
            observation, *_ = env.step(int(policies.lqr(observation[None])[0]))
        env.unwrapped.state = np.array([x, 0.0, theta, 0.0])  # immobile : x et θ y restent
        _, _, *flags, _ = env.step(0)
        fallen = (x, theta) in ((2.41, 0.0), (0.0, 0.3))
        assert list(fin(env.unwrapped.state, 500)) == flags == [fallen, True]
    env.close()


def test_a_mistake_written_otherwise_gets_the_same_hint():
    for name, answer, words in OTHERWISE:
        report = judge(EXERCISES[name], answer)
        assert not report.passed, words
        assert words in report.hint, report
