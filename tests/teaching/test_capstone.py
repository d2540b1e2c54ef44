"""La page blanche : le DQN juste est accepté, chaque faute refusée et nommée, rien ne l'arrête."""

import csv
import re
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch

from cartpole_helpers.teaching import capstone
from cartpole_helpers.teaching.capstone import (
    ACROBOT,
    BLANK,
    CARTPOLE,
    CARTPOLE_HINT,
    ERROR,
    NO_SEED,
    SAME_SEED,
    SIZES,
    WORLD_GAMMA,
    attempt,
    elsewhere,
    jury,
)
from cartpole_helpers.teaching.catalogue.dqn import EXERCISE
from cartpole_helpers.teaching.worlds import FAULTS, World, drawn_worlds

WORLDS = 6
HINT = {fault.name: fault.hint for fault in FAULTS}
MISTAKES = {mistake.name: mistake for mistake in EXERCISE.mistakes}
BALANCE = np.array([0.087, 0.153, 1, 0.264])  # pousse du côté où K·s est positif : 500 pas
REFUSALS = Path(__file__).resolve().parents[2] / "etudes" / "refus.csv"


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Ce qui n'apprend pas n'a pas besoin de 4 000 pas ; une machine chargée, de patience."""
    monkeypatch.setattr(capstone, "WORLD_STEPS", 600)
    monkeypatch.setattr(capstone, "PATIENCE", 1.0)


def world_named(name, seed=0):
    return next(w for w in drawn_worlds(np.random.default_rng(seed)) if w.name == name)


def last(reports):
    return [*reports][-1]


def refused(report):
    return [verdict for verdict in report.verdicts if not verdict.passed]


# Des réponses instantanées, sans réseau


def balancing(observations):
    tendency = observations @ BALANCE
    return np.stack([-tendency, tendency], axis=1)


def falling(observations):
    return np.tile([1.0, 0.0], (len(observations), 1))


def is_cartpole(env):
    return env.spec is not None and env.spec.id.startswith("CartPole")


def knowing(env, gamma, pas, graine):
    """Lit les vraies valeurs du monde, et tient la tige."""
    if is_cartpole(env):
        return balancing
    values = env.unwrapped.world.values(gamma)
    return lambda observations: values[observations.argmax(axis=1)]


# Ce qui est juste est accepté


def test_actions_drawn_from_the_seed_of_the_starts_still_try_everything():
    """Semer de la même graine l'environnement et l'exploration est l'usage : rien ne doit manquer.

    Si les départs étaient tirés du même flux que les actions, chaque lieu n'en verrait qu'une.
    """
    for seed in (0, 1, 5):
        env, draws, counts = (
            world_named("lire").env(),
            np.random.default_rng(seed),
            np.zeros((2, 2)),
        )
        state, _ = env.reset(seed=seed)
        for _ in range(200):
            action = int(draws.integers(2))
            counts[state.argmax(), action] += 1
            assert env.step(action)[2]
            state, _ = env.reset()
        assert counts.min() >= 25, seed


def test_reports_grow_until_the_last_and_the_answer_receives_what_its_signature_says():
    received, spaces = [], []

    def spy(env, gamma, pas, graine):
        received.append((is_cartpole(env), gamma, pas, graine))
        if is_cartpole(env):
            limit = env.spec.max_episode_steps
            spaces.append((env.observation_space, env.action_space, limit))
        return knowing(env, gamma, pas, graine)

    reports = [*jury(spy, seeds=[7, 3])]
    assert [len(report.verdicts) for report in reports] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    for before, after in pairwise(reports):
        shared = min(len(before.verdicts), WORLDS + 1)
        assert after.verdicts[:shared] == before.verdicts[:shared]
    names = ["lire", "choisir", "attendre", "prévoir", "durer", "repartir", "graine", "CartPole"]
    assert [one.text.partition(" :")[0] for one in reports[-1].verdicts] == names
    assert [report.passed for report in reports] == [False] * 10 + [True]
    assert reports[1].unfinished == "en cours, le monde « choisir »"
    worlds, carts = received[: WORLDS + 1], received[WORLDS + 1 :]
    assert {row[:3] for row in worlds} == {(False, WORLD_GAMMA, 600)}
    assert worlds[0] == worlds[-1]  # même monde, même graine
    assert len({seed for *_, seed in worlds}) > 1
    assert all(type(seed) is int and seed >= 0 for *_, seed in worlds)
    assert carts == [(True, CARTPOLE.gamma, CARTPOLE.steps, seed) for seed in (7, 3)]
    real = gymnasium.make("CartPole-v1")
    assert spaces == [(real.observation_space, real.action_space, 500)] * 2


def test_the_worlds_are_redrawn_each_time():
    seen = []

    def spy(env, gamma, pas, graine):
        seen.append(env.unwrapped.world.moves)
        return knowing(env, gamma, pas, graine)

    for _ in range(2):
        [*islice(jury(spy), WORLDS + 1)]
    assert seen[:WORLDS] != seen[WORLDS:]


def test_values_come_in_any_form():
    def dressed(*arguments):
        q = knowing(*arguments)
        return lambda observations: form(np.asarray(q(observations)))

    for form in (np.ndarray.tolist, np.float32, partial(torch.tensor, requires_grad=True)):
        assert attempt(dressed, world_named("prévoir"), seed=0).passed, form


# Chaque faute est refusée et nommée


def test_what_shows_before_any_value_is_refused_and_named(monkeypatch):
    """Les autres fautes demandent que le réseau apprenne : `etudes/refus.py` les refait."""
    monkeypatch.setattr(capstone, "WORLD_STEPS", 150)
    for name, mistake in MISTAKES.items():
        if mistake.notion in (SIZES, SAME_SEED, ERROR):
            told = {(one.hint, one.taught) for one in refused(last(jury(mistake.answer)))}
            assert mistake.notion.told in told, name


def test_all_actions_together_are_named_whatever_the_exploration():
    """Une exploration ε-gloutonne joue surtout l'une des actions : leur valeur en dépend."""

    def together(env, gamma, pas, graine, odds):
        moves, actions = env.unwrapped.world.moves, env.action_space.n
        shares = np.array([odds, 1, 1][:actions]) / sum([odds, 1, 1][:actions])
        common = np.zeros(len(moves))
        for _ in range(80):
            aims = [
                [m.reward + gamma * common[m.next_place] * (not m.terminated) for m in row]
                for row in moves
            ]
            common = np.array(aims) @ shares
        return lambda observations: np.tile(common[observations.argmax(axis=1)], (actions, 1)).T

    for odds in (0.2, 1, 5):
        report = last(jury(partial(together, odds=odds)))
        assert report.hint == HINT["les actions ensemble"], odds


def test_the_values_of_a_fault_name_it_and_the_right_ones_are_accepted():
    """À deux centièmes près de la plus grande vraie valeur."""

    def near(rule, env, gamma, pas, graine):
        if is_cartpole(env):
            return balancing
        world, generator = env.unwrapped.world, np.random.default_rng(graine)
        told = rule(world, gamma)
        error = 0.02 * np.abs(world.values(gamma)).max()
        told = told + error * generator.uniform(-1, 1, told.shape)
        return lambda observations: told[observations.argmax(axis=1)]

    for fault in FAULTS:
        assert last(jury(partial(near, fault.values))).hint == fault.hint, fault.name
    assert last(jury(partial(near, World.values), seeds=0)).passed


def test_what_no_fault_explains_gets_the_hint_of_its_world():
    def strange(env, gamma, pas, graine):
        values = knowing(env, gamma, pas, graine)
        return lambda x: values(x) - 20.0 * (env.unwrapped.world.name == "attendre")

    report = last(jury(strange))  # CartPole n'est pas essayé
    assert (report.hint, len(report.verdicts)) == (world_named("attendre").hint, WORLDS)


def test_the_archive_holds_every_mistake_and_each_fault_has_one():
    """Ces lignes viennent des vrais réseaux, six mondes chacun : `etudes/refus.py` les refait."""
    with REFUSALS.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[0] == "dqn"]
    assert [(name, notion, verdict, hint) for _, name, notion, _, verdict, hint in rows] == [
        (name, mistake.notion.name, "refusée", mistake.hint) for name, mistake in MISTAKES.items()
    ]
    assert all(callable(mistake.answer) for mistake in MISTAKES.values())
    told = {one.sentence for one in (SAME_SEED, NO_SEED, ERROR, SIZES)}
    assert {mistake.hint for mistake in MISTAKES.values()} == {*HINT.values(), *told}


# Les réseaux eux-mêmes : les six mondes, et toutes les fautes, sont dans l'archive


def test_a_network_finds_the_values_foretold(monkeypatch):
    monkeypatch.setattr(capstone, "WORLD_STEPS", 1_500)
    right = attempt(EXERCISE.reference, world_named("choisir"), seed=0)
    assert right.passed
    name = "des transitions fantômes"
    wrong = attempt(MISTAKES[name].answer, world_named("repartir"), seed=0)
    assert not wrong.passed
    told = next(fault.values for fault in FAULTS if fault.name == name)(wrong.world, WORLD_GAMMA)
    assert np.abs(wrong.values - told).max() < 0.15 * np.abs(wrong.expected).max()


# Les tailles


def test_two_actions_instead_of_all_are_a_matter_of_sizes():
    """Une erreur dans « attendre », qui n'en a qu'une ; du faux dans « choisir », qui en a 3."""

    def two(env, gamma, pas, graine):
        env.reset(seed=graine)
        env.step(1)
        values = knowing(env, gamma, pas, graine)
        return lambda observations: values(observations) * (np.arange(env.action_space.n) < 2)

    assert [verdict.hint for verdict in refused(last(jury(two)))] == [SIZES.sentence] * 2


def test_an_error_in_a_world_of_the_sizes_of_cartpole_is_not_blamed_on_sizes():
    def failing(env, gamma, pas, graine):
        assert env.unwrapped.world.name not in ("attendre", "prévoir")
        return knowing(env, gamma, pas, graine)

    assert {verdict.hint for verdict in refused(last(jury(failing)))} == {ERROR.sentence}


# CartPole


def test_cartpole_wants_more_than_half_of_the_seeds_told_one_after_the_other():
    def standing(env, gamma, pas, graine):
        if is_cartpole(env) and graine not in (0, 2, 4):
            return falling
        return knowing(env, gamma, pas, graine)

    told = ["21 à 100", "9 à 91", "21 à 94", "15 à 85", "23 à 88"]
    for rank, report in enumerate([*jury(standing)][-6:-1]):
        verdict, solved, passes = report.verdicts[-1], rank // 2 + 1, rank % 2 == 0
        assert (verdict.passed, report.hint) == (passes, "" if passes else CARTPOLE_HINT)
        text = f"CartPole : {solved} graine{'s' * (solved > 1)} sur {rank + 1} à 475 ou plus"
        assert verdict.text == f"{text} (intervalle à 95 % : de {told[rank]} %)"
        assert (verdict.came.count("500"), verdict.came.count(",")) == (solved, rank)


def test_an_answer_without_seed_does_not_go_on_to_cartpole():
    def unseeded(env, gamma, pas, graine):
        values, shift = knowing(env, gamma, pas, graine), np.random.default_rng().normal()
        return lambda observations: values(observations) + 1e-3 * shift

    report = last(jury(unseeded))
    assert len(report.verdicts) == WORLDS + 1
    assert [verdict.hint for verdict in refused(report)] == [NO_SEED.sentence]


def test_an_error_on_cartpole_is_told_and_stops_it():
    def failing(env, gamma, pas, graine):
        if is_cartpole(env) and graine == 1:
            raise ArithmeticError("à CartPole seulement")
        return knowing(env, gamma, pas, graine)

    reports = [*jury(failing, seeds=range(5))]
    assert [len(report.verdicts) for report in reports[-4:]] == [7, 8, 8, 8]
    [verdict] = refused(reports[-1])
    assert verdict.hint == ERROR.sentence
    line = failing.__code__.co_firstlineno + 2
    assert verdict.came == f"l'erreur ArithmeticError (ligne {line}) : à CartPole seulement"


def test_the_stop_button_keeps_what_is_judged():
    def stopped(env, gamma, pas, graine):
        if env.unwrapped.world.name == "prévoir":
            raise KeyboardInterrupt
        return knowing(env, gamma, pas, graine)

    report = last(jury(stopped))
    assert (len(report.verdicts), report.unfinished, report.passed) == (3, "interrompu", False)
    assert "3 propriétés sur 3\u202f; interrompu" in str(report)


# Un autre jeu


def pumping(observations):
    """Pousse toujours à l'inverse de la première tige : −85 en moyenne."""
    swing = -observations[:, 4]
    return np.stack([-swing, 0 * swing, swing], axis=1)


def test_another_game_is_judged_as_cartpole_is_seed_after_seed():
    received = []

    def spy(env, gamma, pas, graine):
        received.append((env.spec.id, gamma, pas, graine))
        return pumping if graine < 2 else lambda x: pumping(-x)

    reports = [*elsewhere(spy)]
    assert received == [("Acrobot-v1", ACROBOT.gamma, ACROBOT.steps, seed) for seed in range(3)]
    assert [len(report.verdicts) for report in reports] == [0, 1, 1, 1, 1]
    assert reports[-1].passed
    assert reports[-1].verdicts[0].text.startswith("Acrobot : 2 graines sur 3 à −100 ou plus")
    report = last(elsewhere(spy, seeds=[2, 1]))
    assert (report.passed, report.hint) == (False, ACROBOT.hint)
    [verdict] = report.verdicts
    assert verdict.came.startswith("retours moyens −500, −")


def test_a_blank_page_is_blank_elsewhere_and_an_error_is_told():
    assert last(elsewhere(blank_dots)).note == BLANK
    report = last(elsewhere(raising(ArithmeticError("ailleurs"))))
    assert report.hint == ERROR.sentence
    with pytest.raises(TypeError, match=r"^dqn doit être une fonction : 3 reçu\.$"):
        next(elsewhere(3))


# Les réponses hostiles


def blank_dots(env, gamma, pas, graine): ...


def raising(error):
    def answer(env, gamma, pas, graine):
        raise error

    return answer


def test_what_is_not_written_is_said_so():
    for answer in (blank_dots, lambda *_: ..., raising(NotImplementedError())):
        report = last(jury(answer))
        assert (report.note, report.hint, report.passed) == (BLANK, "", False)
        assert BLANK in repr(report)


def test_an_answer_that_plays_is_not_a_blank_page():
    """`forward` manque, et PyTorch lève `NotImplementedError` ; ou c'est un `return`."""

    def played(env, gamma, pas, graine):
        env.reset(seed=graine)
        return given

    for given in (torch.nn.Module(), None):
        report = last(jury(played))
        assert (report.note, report.hint) == ("", ERROR.sentence), given
        assert "NotImplementedError" in report.verdicts[0].came, given


def answering(values):
    """Rend la réponse qui donne `values(N, A)` à N observations."""
    return lambda env, *_: lambda observations: values(len(observations), env.action_space.n)


def past_the_end(env, gamma, pas, graine):
    env.reset(seed=graine)
    for _ in range(pas):
        env.step(0)
    return falling


ERRORS = {
    "une erreur immense de plusieurs lignes": raising(ValueError("un\ndeux\n" + "x" * 10**6)),
    "sys.exit": raising(SystemExit(3)),
    "trop peu d'arguments": lambda env: falling,
    "un texte": lambda *_: "q",
    "une action de trop": answering(lambda n, a: np.zeros((n, a + 1))),
    "un tableau irrégulier": answering(lambda *_: [[1.0], [1.0, 2.0]]),
    "des textes": answering(lambda n, a: [["a"] * a] * n),
    "après la fin": past_the_end,
    "avant le départ": lambda env, *_: env.step(0),
}
WRONG_VALUES = {
    "NaN": answering(lambda *shape: np.full(shape, np.nan)),
    "l'infini": answering(lambda *shape: np.full(shape, np.inf)),
}


def test_errors_and_values_that_are_no_numbers_are_told_not_raised():
    for name, answer in (ERRORS | WRONG_VALUES).items():
        report = last(jury(answer))
        assert len(report.verdicts) == len(refused(report)) == WORLDS, name
        start = "Q = [[" if name in WRONG_VALUES else "l'erreur "
        assert all(verdict.came.startswith(start) for verdict in report.verdicts), name
        assert (report.hint == ERROR.sentence) is (name in ERRORS), name
        assert len(repr(report)) < 20_000, name


# Jouer sans fin


def test_a_loop_without_end_is_cut_even_if_it_hides_errors():
    """Si rien ne l'a coupée, la boucle s'arrête d'elle-même, bien plus tard."""
    turns = {
        "en jouant": lambda env: env.step(0)[3] and env.reset(),
        "sans jamais relancer": lambda env: env.step(0),
        "avec une action impossible": lambda env: env.step(2),
        "en relançant toujours": lambda env: env.reset(),
    }
    for name, turn in turns.items():
        by_itself = []

        def answer(env, gamma, pas, graine, turn=turn, by_itself=by_itself):
            env.reset(seed=graine)
            for _ in range(20 * pas):
                try:
                    turn(env)
                except Exception:
                    continue
            by_itself.append(True)

        one = attempt(answer, world_named("durer"), seed=0)
        assert by_itself == [], name
        assert one.values is None, name
        assert "plus de pas" in one.told, name


def test_the_last_episode_may_be_finished():
    def finishing(env, gamma, pas, graine):
        env.reset(seed=graine)
        for _ in range(pas + 2):
            env.step(0)[3] and env.reset()
        return knowing(env, gamma, pas, graine)

    assert attempt(finishing, world_named("durer"), seed=0).passed


# Les actions


def test_an_action_of_any_kind_is_played_and_another_refused_in_french():
    def acting(env, gamma, pas, graine):
        env.reset(seed=graine)
        for action in actions:
            rewards.append(env.step(action)[1])
            env.reset()
        return knowing(env, gamma, pas, graine)

    world = world_named("choisir")
    for kind in (np.int64, np.float32, bool, np.array, torch.tensor):
        rewards, actions = [], [kind(0), kind(1)]
        assert attempt(acting, world, seed=0).passed, kind
        assert rewards == [move.reward for move in world.moves[0][:2]], kind
    for action in (None, 2, -1, 0.5, "0", np.array([1])):
        actions = [action]
        told = attempt(acting, world_named("durer"), seed=0).told
        assert told.startswith("l'erreur ValueError"), action
        assert "action doit être 0 ou 1" in told, action


# Les graines des départs


SEEDINGS = [  # la graine que reçoit chaque départ, d'après son rang ; est-ce la faute ?
    (lambda rank, seed: seed, True),
    (lambda rank, seed: 0, True),
    (lambda rank, seed: seed if rank < 2 else None, False),
    (lambda rank, seed: seed + rank, False),
    (lambda rank, seed: None, False),
]


def test_only_the_same_seed_given_again_is_blamed():
    def answer(env, gamma, pas, graine, seeds):
        for rank in range(10):
            env.reset(seed=seeds(rank, graine))
        return lambda observations: np.zeros((len(observations), env.action_space.n))

    for case, (seeds, blamed) in enumerate(SEEDINGS):
        report = last(jury(partial(answer, seeds=seeds)))
        assert {verdict.hint == SAME_SEED.sentence for verdict in refused(report)} == {blamed}, case


# Le compte rendu et les arguments


def test_a_report_tells_what_was_found_and_what_was_awaited():
    report = last(jury(answering(lambda *shape: np.full(shape, 7.25))))
    first = report.verdicts[0]
    assert first.came == "Q = [[7.25, 7.25], [7.25, 7.25]]"
    assert re.fullmatch(r"Q = \[\[-1\.\d+, -1\.\d+\], \[1\.\d+, 1\.\d+\]\]", first.expected)
    assert re.search(r"gamma = 0,\d, .* pas, graine = \d+", first.case)
    assert first.came in repr(report).replace("\N{NO-BREAK SPACE}", " ")


def test_bad_arguments_are_refused_before_anything_is_played():
    with pytest.raises(TypeError, match=r"^dqn doit être une fonction : 3 reçu\.$"):
        next(jury(3))
    with pytest.raises(ValueError, match=r"^seeds doit .*reçu\.$"):
        next(jury(raising(AssertionError("joué")), seeds=[1, 1]))
