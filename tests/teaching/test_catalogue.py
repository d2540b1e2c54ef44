"""Le catalogue : chaque erreur refusée sous son nom, chaque réponse juste acceptée."""

import csv
import inspect
import runpy
from itertools import combinations
from pathlib import Path
from types import FunctionType

import gymnasium
import numpy as np
import pytest
import torch
from scipy.stats import loguniform

from cartpole_helpers import Config, Training, policies, td_target
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, has_fallen
from cartpole_helpers.replay import StepWindow, Transition
from cartpole_helpers.statistics import costs
from cartpole_helpers.teaching import truth
from cartpole_helpers.teaching.catalogue import EXERCISES, dqn
from cartpole_helpers.teaching.checking import judge
from cartpole_helpers.teaching.clinic import charts
from cartpole_helpers.teaching.clinic.diagnosis import ILLNESSES
from cartpole_helpers.teaching.exercise import Exercise
from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS
from cartpole_helpers.teaching.worlds import FAULTS

ROOT = Path(__file__).resolve().parents[2]
REFUSALS = runpy.run_path(str(ROOT / "etudes" / "refus.py"))
LONGEST = {"Memoire": 150, "jouer": 135, "evaluer": 135}  # signes d'un indice, au lieu de 105
ANSWERS = {name: exercise.reference for name, exercise in EXERCISES.items()}
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@each
def test_each_mistake_is_refused_under_its_name_and_each_right_answer_accepted(exercise):
    """Les cas changent à chaque fois ; la table publiée, non."""
    with (ROOT / "etudes" / "refus.csv").open(encoding="utf-8", newline="") as file:
        header, *stored = csv.reader(file)
    assert tuple(header) == REFUSALS["HEADER"]
    made = [[*row] for row in REFUSALS["rows"](exercise)]
    assert made == [row for row in stored if row[0] == exercise.name]
    hints = {mistake.name: mistake.hint for mistake in exercise.mistakes}
    for _, name, _, _, verdict, hint in made:
        assert (verdict, hint) == (("refusée", hints[name]) if name in hints else ("acceptée", ""))


@each
def test_an_exercise_knows_enough(exercise):
    hints = [mistake.hint for mistake in exercise.mistakes]
    assert len(hints) >= 6
    assert len({*hints}) == len({mistake.name for mistake in exercise.mistakes}) == len(hints)
    assert [hint for hint in hints if len(hint) > LONGEST.get(exercise.name, 105)] == []
    assert len(exercise.properties) >= 3
    assert len(exercise.variants) >= 2


def nothing(*_):
    """Le code d'une ébauche."""


def dots(*_):
    return ...


WRONG = (
    lambda: 0,
    lambda *_: 1 / 0,
    lambda *_: "valeur",
    lambda *_: (0.0,),
    lambda *_: float("nan"),
    lambda *_: {},
    lambda *given: given,
    lambda *given: [given[1]] * 3,
)


@each
def test_nothing_else_is_accepted_and_a_stub_is_not_yet_written(exercise):
    for wrong in WRONG:
        report = judge(exercise, wrong)
        assert not report.passed
        assert report.hint
    for empty in (nothing, dots):
        assert judge(exercise, stub(exercise, empty)).note == "pas encore écrit"


def stub(exercise, empty):
    """Rend une ébauche, fonction ou classe, dont tout a le code `empty`."""
    if not inspect.isclass(exercise.reference):
        return FunctionType(empty.__code__, {})
    members = [key for key in vars(exercise.reference) if key[:2] != "__"]
    methods = dict.fromkeys([*members, "__len__"], empty)
    return type(exercise.name, (), {**methods, "__init__": nothing})


def test_answers_that_nobody_planned_are_judged_as_the_archive_says():
    """La dernière série de `etudes/indices.py`, cent réponses écrites d'après le seul énoncé."""
    study = runpy.run_path(str(ROOT / "etudes" / "indices.py"))
    archived = {row[3]: row for row in study["stored"]() if row[0] == study["AFTER"]}
    for answer in study["answers"]():
        if answer["serie"] == "C":
            assert study["row"](answer) == archived[answer["reponse"]]


# Le vocabulaire


def test_each_word_of_the_vocabulary_is_used_and_taught_where_it_says():
    mistakes = [m for one in (*EXERCISES.values(), dqn.EXERCISE) for m in one.mistakes]
    used = {mistake.notion.name for mistake in mistakes if mistake.notion}
    shared = {fault.name for fault in FAULTS} | {one.notion for one in ILLNESSES if one.notion}
    assert shared <= used == {*MISCONCEPTIONS}
    sections = {}
    for source in sorted((ROOT / "notebooks" / "sources").glob("*.py")):
        sections[source.name[:2]] = source.read_text("utf-8")
    for one in MISCONCEPTIONS.values():
        notebook, section = one.taught.removeprefix("carnet ").split(", section ")
        assert f"# ## {section}. " in sections[notebook], one


def right(x):
    """Rend le double."""
    y = x + x
    return y


def wrong(x):
    """un triple
    Vous rendez le triple.
    """
    return 3 * x


def test_the_changes_of_an_answer_are_read_and_applied():
    text = """
    et au lieu de ou : x + x → x * x
        Vous rendez
        le carré.
    γ oublié : = 0
    la moitié : x + x → x / 2
    + return y → return y + 0
        Vous rendez la moitié.
    """
    square, zero, half, triple = Exercise(right, (), text, others=[wrong]).mistakes
    assert [one.answer(6) for one in (square, zero, half, triple)] == [36, 0, 3, 18]
    assert [one.hint for one in (square, triple)] == [
        "Vous rendez le carré.",
        "Vous rendez le triple.",
    ]
    assert zero.notion is MISCONCEPTIONS["γ oublié"]
    assert zero.hint == zero.notion.sentence
    assert half.changes == (("x + x", "x / 2"), ("return y", "return y + 0"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sans changement", "avant → après"),
        ("a : x + x → x\n+ y\n    Non.", "avant → après.*'\\+ y'"),
        ("a : x + x → x", "un indice"),
        ("a (rien de connu) : x + x → x", "misconceptions.py"),
        ("a : z → x\n    Non.", "'z' doit être une fois dans right"),
        ("a : x → z\n    Non.", "'x' doit être une fois dans right"),
    ],
)
def test_a_change_that_cannot_be_made_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        Exercise(right, (), text).mistakes[0].answer(1)


# Les réponses du cours : contre la main, Gymnasium, le paquet, un dénombrement

# Par exercice, puis par propriété dont les cas sont écrits : ce que vaut chacun.
BY_HAND = {
    "nouvelle_valeur": [
        [10 + 0.1 * (1 + 27 - 10), 4 + 0.25 * (3 - 4), 1 + 0.25 * (3 - 1 - 1)],
        [10 - 0.1 * 9, 1.25],
    ],
    "td_target": [[[3.5], [3.6, 1.2], [2.5]], [[1], [7, -1]], [[2.8, 2, -1.5]], [[1, 2.98]]],
    "double_td_target": [[[2], [3.6]], [[1]]],
    "epsilon_greedy": [[[1, 0], [1, 0]], [[0, 1], [0, 1]]],
    "epsilon": [[1.0, 0.1], [0.55, 0.8], [0.1, 0.1, 0.05]],
    "fin_et_reprise": [[(True, True)], [(False, True)], [(False, False)], [(True, True)]],
    "borne_parfaite": [[25.0, 111.8034, 475.2462], [250.0, 50.0]],
    "retour_a_n_pas": [[1 + 0.5 + 0.25 + 1, 1 + 0.2 + 0.03 + 1], [1.75, 1.23]],
    "moyenne_glissante": [[4.0, 2.0, 3.0], [4.0, 4 - 2 * 2 / 3, 3.0]],
    "rapprocher": [[[1.0, 12.0], [2.0]], [[3.0, 5.0]], [[3.0, 5.0]]],
    "valeur_rabaissee": [[100.0, 10.0], [1.0, 1.0], [1 / 0.55, 1 / 0.01198, 2.5]],
    "part_surestimee": [[1.0, 0.0], [0.0, 1.0], [0.0], [0.75]],
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
    "normaliser": [
        [[1, 1 / 5], [1 / 4, 10]],
        [[1, 2], [1, 1 / 2, 1 / 2]],
        [[1 / 2, 1], [1, 1 / 2**0.5, 1]],
    ],
    "echelle_des_recompenses": [
        [1 + 0.5 + 0.25, 3 + 0.9 * 2],
        [1 + 0.5 + 0.25 + 0.125, 8],
        [8, 3 + 4 / 2],
        [3, 6],
    ],
    "actions_prolongees": [
        [[1], [1]],
        [[0, 1, 1, 0], [0, 2, 1, 0]],
        [[1, 1, 0, 0], [1, 1, 2, 2, 2]],
        [[0, 1, 2, 3, 3], [1, 1, 2]],
    ],
    "cout_d_une_graine": [[0, 2, 3, 3], [5, 2 + 10, 6], [5, 11, 8], [7, 11]],
    "tirer_log": [[0.001, 0.1, 20, 200], [0.1, 10, 1_000, 12]],
    "meilleur_attendu": [
        [6, 3],
        [8 / 3, (3 * 1 + 2 * 5 + 6) / 6, (3 * 1 + 5) / 4],
        [8 / 3, (3 * 1 + 5) / 4],
    ],
    "cran": [[-2, 2, 1, 4], [0, 2, 6, 1]],
}


def test_the_cases_by_hand_are_worth_what_the_hand_computes():
    for name, expected in BY_HAND.items():
        written = [one for one in EXERCISES[name].properties if not callable(one.cases)]
        for one, values in zip(written, expected, strict=True):
            for case, value in zip(one.cases, values, strict=True):
                np.testing.assert_allclose(ANSWERS[name](*case), value, rtol=1e-6, err_msg=name)


def test_the_losses_by_hand_and_their_gradients():
    values, _, gradients = EXERCISES["td_loss"].properties
    assert [ANSWERS["td_loss"](*case).item() for case in values.cases] == [(1 + 9) / 2, 4]
    [first, second] = [gradients.view(ANSWERS["td_loss"], *case) for case in gradients.cases]
    assert first["gradient de q"].tolist() == [[0, 1], [-3, 0]]
    assert second["gradient de q"].tolist() == [[-4, 0]]
    assert not first["gradient de target"].any()


@pytest.mark.parametrize("ended", [False, True])
def test_the_update_and_the_folded_rewards_are_those_of_the_engine(ended):
    following = torch.tensor([[3.0, -2.0]])
    target = td_target(torch.tensor([0.5]), torch.tensor([ended]), following, 0.9).item()
    updated = ANSWERS["nouvelle_valeur"](7.0, 0.5, ended, following[0].numpy(), 0.9, 0.3)
    assert updated == pytest.approx(0.7 * 7 + 0.3 * target)

    rewards, window = [1.0, -2.0, 0.5], StepWindow(3, 0.9, (1, 1))
    state, action, still = np.zeros((1, 1, 4)), np.zeros((1, 1), int), np.zeros((1, 1), bool)
    for rank, reward in enumerate(rewards):
        fallen = np.full((1, 1), ended and rank == 2)
        step = Transition(state, action, np.full((1, 1), reward), fallen, state)
        folded = window.push(step, still)
    target = folded.reward.item() + 0.9**3 * 40 * (not folded.terminated.item())
    assert ANSWERS["retour_a_n_pas"](rewards, 0.9, 40.0, ended) == pytest.approx(target)


def test_epsilon_the_moving_mean_and_the_soft_update_are_those_of_the_engine():
    config = Config(epsilon_start=0.9, epsilon_end=0.2, epsilon_steps=700)
    for step in (0, 1, 350, 699, 700, 701, 10_000):
        assert ANSWERS["epsilon"](step, 0.9, 0.2, 700) == pytest.approx(config.epsilon(step))
    config, mean = Config(average_rate=1e-9, average_tail=0.25), 0.0
    values = np.random.default_rng(0).normal(size=30)
    for rank, value in enumerate(values, start=1):
        mean += config.average_rate_at(rank) * (value - mean)
    assert ANSWERS["moyenne_glissante"](values) == pytest.approx(mean)
    target, online = torch.randn(2, 5, generator=torch.Generator().manual_seed(0))
    closer = ANSWERS["rapprocher"](target, online, 0.05)
    torch.testing.assert_close(closer, target.clone().lerp_(online, 0.05))


def test_the_bound_is_the_share_that_the_perfect_episodes_barely_allow():
    for count, confidence in ((5, 0.95), (40, 0.8), (200, 0.99)):
        share = ANSWERS["borne_parfaite"](count, confidence) / 500
        assert share**count == pytest.approx(1 - confidence)


def test_the_lowered_value_is_where_the_target_of_the_package_settles():
    for false_ends, gamma in ((0, 0.9), (1, 0.99), (3, 0.95), (500, 0.8)):
        ended, value = torch.arange(500) < false_ends, torch.tensor(0.0, dtype=torch.float64)
        for _ in range(3_000):
            ones = torch.ones(500, dtype=torch.float64)
            value = td_target(ones, ended, value.expand(500, 2), gamma).mean()
        expected = ANSWERS["valeur_rabaissee"](false_ends / 500, gamma)
        assert value.item() == pytest.approx(expected, rel=1e-9)


def test_values_that_claim_more_than_the_truth_are_counted():
    states = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.2, 3.0], [2.39, 3.0, 0.0, 0.0]])
    upper = truth.certify(states, 0.99).upper
    claimed = upper + np.array([[1, 0], [1, 1], [-1, -1]])
    assert ANSWERS["part_surestimee"](upper, upper) == 0
    assert ANSWERS["part_surestimee"](claimed, upper) == pytest.approx(2 / 3)


def test_the_false_ends_are_those_that_the_clock_of_gymnasium_makes():
    env = gymnasium.make("CartPole-v1", max_episode_steps=40)
    states, done, clock = [], [], []
    for seed in range(12):
        observation, _ = env.reset(seed=seed)
        fell = late = False
        while not (fell or late):
            action = int(policies.push_by_angle(observation[None])[0])
            observation, _, fell, late, _ = env.step(action)
            states.append(observation)
            done.append(fell or late)
            clock.append(late and not fell)
    env.close()
    assert ANSWERS["fausses_fins"](np.array(states), np.array(done)) == pytest.approx(
        np.mean(clock)
    )
    assert 0 < sum(clock) < sum(done)


def test_the_clinic_of_the_package_measures_the_same():
    """Mêmes états, mêmes valeurs : `charts.examine` lit la mémoire, l'exercice ses colonnes."""
    generator = np.random.default_rng(0)
    limits = np.array([X_LIMIT, 2, THETA_LIMIT, 2])
    states, following = generator.uniform(-1.3, 1.3, (2, 300, 4)) * limits
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
    apparent = ANSWERS["gamma_apparent"](q, reward, after, fallen)
    assert apparent == pytest.approx(measured["discount"])
    assert ANSWERS["fausses_fins"](following, ended) == pytest.approx(measured["false_ends"])


def test_the_predictive_value_is_a_share_of_those_declared_ill():
    for ill, healthy, seen, alarmed in ((40, 960, 36, 48), (3, 7, 2, 1), (20, 380, 19, 0)):
        value = ANSWERS["valeur_predictive"](seen / ill, alarmed / healthy, ill / (ill + healthy))
        assert value == pytest.approx(seen / (seen + alarmed))


def test_the_factors_are_those_that_the_engine_measures():
    config = Config(input_scale="auto", warmup=300)
    training, seen = Training(config, 0, env="Acrobot-v1"), []
    while not training.gradient_steps:
        seen.append(training.advance().observation[0])  # (E, 6)
    factors = ANSWERS["normaliser"](np.concatenate(seen))
    np.testing.assert_allclose(training.agent.scale.flatten(), factors, rtol=1e-3)


def test_the_cost_of_a_seed_is_that_of_the_studies():
    solved = np.random.default_rng(0).random((200, 30)) < np.linspace(0.3, 0.98, 200)[:, None]
    mine = [ANSWERS["cout_d_une_graine"](row) for row in solved]
    np.testing.assert_array_equal(mine, costs(solved))


def test_a_logarithmic_draw_is_the_loguniform_of_scipy():
    share = np.linspace(0, 1, 21)
    expected = loguniform(0.003, 7).ppf(share)
    np.testing.assert_allclose(ANSWERS["tirer_log"](0.003, 7, share), expected, rtol=1e-12)


def test_the_best_to_expect_is_the_mean_over_every_group():
    found = np.random.default_rng(0).integers(30, size=9).tolist()
    for count in range(1, 10):
        best = [min(group) for group in combinations(found, count)]
        assert ANSWERS["meilleur_attendu"](found, count) == pytest.approx(np.mean(best))
