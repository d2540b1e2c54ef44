"""La page blanche : le DQN juste est accepté, chaque faute refusée et nommée, rien ne l'arrête."""

import csv
import random
import re
import sys
import warnings
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice, pairwise, product
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.wrappers import RecordEpisodeStatistics

from cartpole_helpers.dqn import td_loss, td_target
from cartpole_helpers.statistics import wilson_interval
from cartpole_helpers.teaching import capstone
from cartpole_helpers.teaching.capstone import (
    BLANK,
    CARTPOLE_HINT,
    ERROR,
    GAMMA,
    NO_SEED,
    SAME_SEED,
    SIZES,
    STEPS,
    WORLD_GAMMA,
    attempt,
    examine,
)
from cartpole_helpers.teaching.catalogue.dqn import EXERCISE
from cartpole_helpers.teaching.worlds import FAULTS, drawn_worlds

WORLDS = 6
HINT = {fault.name: fault.hint for fault in FAULTS}
MISTAKES = {mistake.name: mistake for mistake in EXERCISE.mistakes}
BALANCE = np.array([0.087, 0.153, 1, 0.264])  # pousse du côté où K·s est positif : 500 pas
LEGACY = vars(np.random)  # le générateur global de NumPy, que le cours n'emploie pas
REFUSALS = Path(__file__).resolve().parents[2] / "etudes" / "refus.csv"


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Une table n'a pas besoin des 4 000 pas d'un réseau."""
    monkeypatch.setattr(capstone, "WORLD_STEPS", 600)


def world_named(name, seed=0):
    return next(w for w in drawn_worlds(np.random.default_rng(seed)) if w.name == name)


def last(reports):
    return [*reports][-1]


def refused(report):
    return [verdict for verdict in report.verdicts if not verdict.passed]


# Des réponses instantanées : une table au lieu d'un réseau


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


def own_stream(env, graine):
    """Rend de quoi tirer une action par un générateur à part."""
    draws = np.random.default_rng([graine, 2, 3]).integers(env.action_space.n, size=10_000)
    return iter(draws).__next__


def table(
    env,
    gamma,
    pas,
    graine,
    viser=td_target,
    comparer=td_loss,
    taux=1.0,
    vitesse=1.0,
    stream=own_stream,
):
    """Explore au hasard, puis descend le gradient de toute la mémoire sur une table Q (D, A).

    Les mêmes réglages que le DQN du cours, dont elle tient ici la place ; comme un réseau, elle
    garde de sa graine une trace infime.
    """
    if is_cartpole(env):
        return balancing
    places, actions, rewards, ends, following = explored(env, pas, graine, stream)
    shape = env.observation_space.shape[0], env.action_space.n
    q, counts, target = torch.zeros(shape, requires_grad=True), *torch.zeros(2, *shape)
    counts.index_put_((places, actions), torch.ones(pas), accumulate=True).clamp_(min=1)
    for _ in range(80):
        loss = comparer(q[places], actions, viser(rewards, ends, target[following], gamma))
        (slope,) = torch.autograd.grad(loss, q)
        with torch.no_grad():
            q -= 0.9 * vitesse * slope * len(places) / (2 * counts)
            target += taux * (q - target)
    trace = 1e-3 * np.random.default_rng(graine).normal(size=shape)
    values = q.detach().numpy() + trace
    return lambda observations: np.asarray(observations) @ values


def explored(env, pas, graine, stream=own_stream):
    """Rend (lieux, actions, récompenses, fins, lieux suivants) de `pas` pas au hasard."""
    draw = stream(env, graine)
    state, _ = env.reset(seed=graine)
    rows = []
    for _ in range(pas):
        action = int(draw())
        following, reward, terminated, truncated, _ = env.step(action)
        rows.append((state.argmax(), action, reward, terminated, following.argmax()))
        state = env.reset()[0] if terminated or truncated else following
    places, actions, rewards, ends, after = map(np.array, zip(*rows, strict=True))
    rewards = torch.as_tensor(rewards, dtype=torch.float32)
    places, actions, ends, after = map(torch.as_tensor, (places, actions, ends, after))
    return places, actions, rewards, ends, after


# Ce qui est juste est accepté


def test_a_right_table_is_accepted_even_in_a_wrapped_environment():
    for dress in (lambda env: env, RecordEpisodeStatistics):  # les mondes changent à chaque fois
        report = last(examine(lambda env, *rest, dress=dress: table(dress(env), *rest), [4, 2]))
        assert report.passed, report
        assert (report.hint, report.note, len(report.verdicts)) == ("", "", WORLDS + 2)


def test_actions_drawn_from_the_seed_of_the_starts_still_try_everything():
    """Semer de la même graine l'environnement et l'exploration est l'usage : rien ne doit manquer.

    Si les départs étaient tirés du même flux que les actions, chaque lieu n'en verrait qu'une.
    """

    def usual(env, seed):
        return partial(np.random.default_rng(seed).integers, env.action_space.n)

    for stream, seed in product((own_stream, usual), (0, 1, 5)):
        places, actions, *_ = explored(world_named("lire").env(), 200, seed, stream)
        assert torch.bincount(2 * places + actions, minlength=4).min() >= 25, seed


def test_reports_grow_until_the_last_and_the_answer_receives_what_its_signature_says():
    received = []

    def spy(env, gamma, pas, graine):
        received.append((is_cartpole(env), gamma, pas, graine))
        return knowing(env, gamma, pas, graine)

    reports = [*examine(spy, seeds=[7, 3])]
    assert [len(report.verdicts) for report in reports] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    for before, after in pairwise(reports):
        shared = min(len(before.verdicts), WORLDS + 1)
        assert after.verdicts[:shared] == before.verdicts[:shared]
    names = ["lire", "choisir", "attendre", "prévoir", "durer", "repartir", "graine", "CartPole"]
    assert [one.text.partition(" :")[0] for one in reports[-1].verdicts] == names
    assert all(report.passed is True for report in reports)
    worlds, carts = received[: WORLDS + 1], received[WORLDS + 1 :]
    assert {row[:3] for row in worlds} == {(False, WORLD_GAMMA, 600)}
    assert worlds[0] == worlds[-1]  # même monde, même graine
    assert len({seed for *_, seed in worlds}) > 1
    assert all(type(seed) is int and seed >= 0 for *_, seed in worlds)
    assert carts == [(True, GAMMA, STEPS, 7), (True, GAMMA, STEPS, 3)]


def test_the_worlds_are_redrawn_and_the_global_generators_left_alone():
    seen = []

    def spy(env, gamma, pas, graine):
        seen.append(env.unwrapped.world.moves)
        return knowing(env, gamma, pas, graine)

    for sow in (LEGACY["seed"], random.seed, torch.manual_seed) * 2:
        sow(0)
        before = LEGACY["get_state"]()[1].copy(), torch.get_rng_state(), random.getstate()
        [*islice(examine(spy), WORLDS)]
        assert (LEGACY["get_state"]()[1] == before[0]).all()
        assert torch.equal(torch.get_rng_state(), before[1])
        assert random.getstate() == before[2]
    exams = [tuple(seen[place : place + WORLDS]) for place in range(0, len(seen), WORLDS)]
    assert len({*exams}) == len(exams) == 6


def test_values_come_in_any_form():
    def dressed(*arguments):
        q = knowing(*arguments)
        return lambda observations: form(np.asarray(q(observations)))

    forms = (
        np.ndarray.tolist,
        np.float32,
        torch.as_tensor,
        partial(torch.tensor, requires_grad=True),
    )
    for form in forms:
        assert attempt(dressed, world_named("prévoir"), seed=0).passed, form


# Chaque faute est refusée et nommée


EARLY = [name for name, one in MISTAKES.items() if one.notion in (SIZES, SAME_SEED, ERROR)]


@pytest.mark.parametrize("name", EARLY)
def test_what_shows_before_any_value_is_refused_and_named(name, monkeypatch):
    """Les autres fautes demandent que le réseau apprenne : `etudes/refus.py` les refait."""
    monkeypatch.setattr(capstone, "WORLD_STEPS", 150)
    told = {(one.hint, one.taught) for one in refused(last(examine(MISTAKES[name].answer)))}
    assert MISTAKES[name].notion.told in told


def test_all_actions_together_are_named_whatever_the_exploration():
    """Une exploration ε-gloutonne joue surtout l'une des actions : leur valeur en dépend."""

    def unbalanced(env, gamma, pas, graine):
        world, rows = env.unwrapped.world, []
        for row in world.moves:
            mean = np.average([one.reward for one in row], weights=[weight, 1, 1][: len(row)])
            rows.append(tuple(one._replace(reward=float(mean)) for one in row))
        told = replace(world, moves=tuple(rows)).values(gamma)
        return lambda observations: told[observations.argmax(axis=1)]

    for weight in (0.05, 1, 20):
        assert last(examine(unbalanced)).hint == HINT["les actions ensemble"], weight


def test_the_values_of_a_fault_name_it():
    """À deux centièmes près de la plus grande vraie valeur."""

    def misled(fault, env, gamma, pas, graine):
        world, generator = env.unwrapped.world, np.random.default_rng(graine)
        told = fault.values(world, gamma)
        error = 0.02 * np.abs(world.values(gamma)).max()
        told = told + error * generator.uniform(-1, 1, told.shape)
        return lambda observations: told[observations.argmax(axis=1)]

    for fault in FAULTS:
        assert last(examine(partial(misled, fault))).hint == fault.hint, fault.name


def test_what_no_fault_explains_gets_the_hint_of_its_world():
    def strange(env, gamma, pas, graine):
        values = knowing(env, gamma, pas, graine)
        return lambda observations: values(observations) + 0.8

    hints = [verdict.hint for verdict in last(examine(strange)).verdicts]
    assert hints == [world.hint for world in drawn_worlds(np.random.default_rng(0))]


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


NEURAL = [
    (EXERCISE.reference, None, "choisir"),
    (MISTAKES["des transitions fantômes"].answer, "des transitions fantômes", "repartir"),
    (MISTAKES["une cible jamais rapprochée"].answer, "rien ne remonte", "durer"),
]


@pytest.mark.parametrize(("answer", "fault", "world"), NEURAL, ids=[str(row[1]) for row in NEURAL])
def test_a_network_finds_the_values_foretold(answer, fault, world, monkeypatch):
    monkeypatch.setattr(capstone, "WORLD_STEPS", 1_500)
    one = attempt(answer, world_named(world), seed=0)
    rules = {known.name: known.values for known in FAULTS}
    told = rules[fault](one.world, WORLD_GAMMA) if fault else one.expected
    assert one.passed == (fault is None)
    assert np.abs(one.values - told).max() < 0.15 * np.abs(one.expected).max()


# Les tailles


def believing(**spaces):
    """Rend la table qui croit que l'environnement a ces espaces."""
    dress = type("Believed", (gymnasium.Wrapper,), spaces)
    return lambda env, *rest: table(dress(env), *rest)


WRITTEN = {
    "quatre composantes": believing(observation_space=gymnasium.spaces.Box(0, 1, (4,))),
    "deux actions": believing(action_space=gymnasium.spaces.Discrete(2)),
    "deux actions jouées": partial(table, stream=lambda *_: partial(random.Random(0).randrange, 2)),
}


def test_sizes_written_instead_of_read_are_named():
    for name, answer in WRITTEN.items():
        hints = [verdict.hint for verdict in refused(last(examine(answer)))]
        assert hints == [SIZES.sentence] * 2, name  # dans « choisir » et « attendre »


def test_an_error_in_a_world_of_the_sizes_of_cartpole_is_not_blamed_on_sizes():
    def failing(env, gamma, pas, graine):
        assert env.unwrapped.world.name not in ("attendre", "prévoir")
        return knowing(env, gamma, pas, graine)

    assert {verdict.hint for verdict in refused(last(examine(failing)))} == {ERROR.sentence}


# CartPole


def standing_on(*good):
    """Rend la réponse qui tient la tige avec les graines `good` seulement."""

    def answer(env, gamma, pas, graine):
        if is_cartpole(env) and graine not in good:
            return falling
        return knowing(env, gamma, pas, graine)

    return answer


def bounds_told(verdict):
    """L'intervalle écrit, en parts."""
    return [int(x) / 100 for x in re.findall(r"de (\d+) à (\d+) %", verdict.text)[0]]


@pytest.mark.parametrize(
    ("good", "total", "passes"),
    [((0, 2, 4), 5, True), ((1, 3), 5, False), ((), 1, False), ((0, 1), 4, False)],
)
def test_cartpole_wants_more_than_half_of_the_seeds_told_one_after_the_other(good, total, passes):
    *_, before, report = examine(standing_on(*good), seeds=range(total))
    assert report.passed is passes
    assert report.hint == ("" if passes else CARTPOLE_HINT)
    for tried, one in zip((total - 1, total), (before, report), strict=True):
        if tried:
            solved = sum(seed < tried for seed in good)
            verdict = one.verdicts[-1]
            told = re.search(r"(\d) graines? sur (\d)", verdict.text).groups()
            assert told == (str(solved), str(tried))
            assert bounds_told(verdict) == pytest.approx(wilson_interval(solved, tried), abs=0.005)
            assert (verdict.came.count("500"), verdict.came.count(",")) == (solved, tried - 1)


def test_cartpole_is_not_tried_when_a_world_is_wrong():
    seen = []

    def wrong_once(env, gamma, pas, graine):
        seen.append(is_cartpole(env))
        values = knowing(env, gamma, pas, graine)
        return falling if env.unwrapped.world.name == "repartir" else values

    assert len([*examine(wrong_once)]) == WORLDS
    assert seen == [False] * WORLDS


def test_an_answer_without_seed_does_not_go_on_to_cartpole():
    def unseeded(env, gamma, pas, graine):
        values, shift = knowing(env, gamma, pas, graine), np.random.default_rng().normal()
        return lambda observations: values(observations) + 1e-3 * shift

    reports = [*examine(unseeded)]
    assert [len(report.verdicts) for report in reports] == [1, 2, 3, 4, 5, 6, 7]
    assert reports[-1].hint == NO_SEED.sentence
    assert len(refused(reports[-1])) == 1


def test_an_error_on_cartpole_is_told_and_stops_it():
    def failing(env, gamma, pas, graine):
        assert not is_cartpole(env) or graine != 1, "à CartPole seulement"
        return knowing(env, gamma, pas, graine)

    *_, before, report = examine(failing, seeds=range(5))
    assert [len(one.verdicts) for one in (before, report)] == [8, 8]
    assert (report.passed, report.hint) == (False, ERROR.sentence)
    assert "AssertionError" in report.verdicts[-1].came
    assert "à CartPole seulement" in report.verdicts[-1].came


# Les réponses hostiles


def blank_dots(env, gamma, pas, graine): ...


def raising(error):
    def answer(env, gamma, pas, graine):
        raise error

    return answer


def test_what_is_not_written_is_said_so():
    for answer in (blank_dots, lambda *_: ..., raising(NotImplementedError())):
        (report,) = examine(answer)
        assert (report.note, report.hint, report.passed) == (BLANK, "", False)
        assert BLANK in repr(report)


def without_forward(env, gamma, pas, graine):
    env.reset(seed=graine)
    return torch.nn.Module()  # `forward` manque : PyTorch lève alors `NotImplementedError`


def test_an_error_of_pytorch_is_not_a_blank_page():
    report = last(examine(without_forward))
    assert (report.note, report.hint) == ("", ERROR.sentence)
    assert "NotImplementedError" in report.verdicts[0].came


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("même le message échoue")


def exiting(env, gamma, pas, graine):
    sys.exit(3)


def recursing(env, gamma, pas, graine):
    return recursing(env, gamma, pas, graine)


def answering(values):
    """Rend la réponse qui donne `values(N, A)` à N observations."""
    return lambda env, *_: lambda observations: values(len(observations), env.action_space.n)


null = answering(lambda *shape: np.zeros(shape))


def past_the_end(env, gamma, pas, graine):
    env.reset(seed=graine)
    for _ in range(pas):
        env.step(0)


def spoiling_its_environment(env, gamma, pas, graine):
    env.unwrapped.world = None
    env.reset(seed=graine)


ERRORS = {
    "une erreur immense de plusieurs lignes": raising(ValueError("un\ndeux\n" + "x" * 10**6)),
    "une erreur qui ne se dit pas": raising(MuteError()),
    "GeneratorExit": raising(GeneratorExit()),
    "sys.exit": exiting,
    "sans fond": recursing,
    "trop peu d'arguments": lambda env: falling,
    "un texte": lambda *_: "q",
    "une action de trop": answering(lambda n, a: np.zeros((n, a + 1))),
    "un tableau irrégulier": answering(lambda *_: [[1.0], [1.0, 2.0]]),
    "des textes": answering(lambda n, a: [["a"] * a] * n),
    "après la fin": past_the_end,
    "avant le départ": lambda env, *_: env.step(0),
    "un monde abîmé": spoiling_its_environment,
}
WRONG_VALUES = {
    "NaN": answering(lambda *shape: np.full(shape, np.nan)),
    "l'infini": answering(lambda *shape: np.full(shape, np.inf)),
    "un nombre immense": answering(lambda *shape: np.full(shape, 1e308)),
    "des booléens": answering(lambda *shape: np.zeros(shape, bool)),
}


def test_what_an_answer_raises_is_told_not_raised():
    for name, answer in ERRORS.items():
        report = last(examine(answer))
        assert len(report.verdicts) == len(refused(report)) == WORLDS, name
        assert report.hint == ERROR.sentence, name
        assert all(verdict.came.startswith("l'erreur ") for verdict in report.verdicts), name
        assert len(repr(report)) < 20_000, name
        assert report._repr_html_(), name


def test_wrong_values_are_refused_without_an_error():
    for name, answer in WRONG_VALUES.items():
        report = last(examine(answer))
        assert len(report.verdicts) == WORLDS, name
        assert all(verdict.came.startswith("Q = [[") for verdict in refused(report)), name
        assert report.hint, name
        assert report._repr_html_(), name


def test_an_error_names_its_line_and_is_escaped():
    line = raising.__code__.co_firstlineno + 2
    report = last(examine(raising(ValueError("<script>alert('é')</script> & <b>"))))
    assert report.verdicts[0].came.startswith(f"l'erreur ValueError (ligne {line}) : <script>")
    text, page = repr(report), report._repr_html_()
    assert "✘ lire" in text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "&amp; &lt;b&gt;" in page


def test_a_stop_asked_by_the_reader_goes_through():
    with pytest.raises(KeyboardInterrupt):
        next(examine(raising(KeyboardInterrupt())))


def test_a_chatty_answer_stays_silent(capsys):
    def chatty(env, gamma, pas, graine):
        print("bavard")
        print("bavard", file=sys.stderr)
        warnings.warn("bavard", stacklevel=1)
        return knowing(env, gamma, pas, graine)

    assert last(examine(chatty, seeds=0)).passed
    assert capsys.readouterr() == ("", "")


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
        explored(env, pas + 2, graine)
        return knowing(env, gamma, pas, graine)

    assert attempt(finishing, world_named("durer"), seed=0).passed


# Les actions


def test_an_action_of_any_kind_is_played():
    def acting(env, gamma, pas, graine):
        env.reset(seed=graine)
        for action in (0, 1):
            rewards.append(env.step(kind(action))[1])
            env.reset()
        return knowing(env, gamma, pas, graine)

    world = world_named("choisir")
    for kind in (np.int64, np.uint8, float, np.float32, bool, np.bool_, np.array, torch.tensor):
        rewards = []
        assert attempt(acting, world, seed=0).passed, kind
        assert rewards == [move.reward for move in world.moves[0][:2]], kind


def test_an_action_that_is_none_is_refused_in_french():
    def acting(env, gamma, pas, graine):
        env.reset(seed=graine)
        env.step(action)

    for action in (None, 2, -1, 0.5, np.nan, "0", [0], np.array([1]), np.zeros((2, 2)), 1j, {}):
        one = attempt(acting, world_named("durer"), seed=0)
        assert "ValueError" in one.told, action
        assert "action doit être 0 ou 1" in one.told, action


# Les graines des départs


SEEDINGS = {
    "toujours la même": (lambda rank, seed: seed, True),
    "toujours zéro": (lambda rank, seed: 0, True),
    "la même deux fois": (lambda rank, seed: seed if rank < 2 else None, False),
    "une autre à chaque fois": (lambda rank, seed: seed + rank, False),
    "un tableau": (lambda rank, seed: np.arange(2), False),
}


def test_only_the_same_seed_given_again_is_blamed():
    for name, (seeds, blamed) in SEEDINGS.items():

        def answer(env, gamma, pas, graine, seeds=seeds):
            for rank in range(10):
                with suppress(Exception):
                    env.reset(seed=seeds(rank, graine))
            return null(env)

        hints = {verdict.hint for verdict in refused(last(examine(answer)))}
        assert (hints == {SAME_SEED.sentence}) is blamed, name
        assert (SAME_SEED.sentence in hints) is blamed, name


# Le compte rendu et les arguments


def test_a_report_tells_what_was_found_and_what_was_awaited():
    report = last(examine(answering(lambda *shape: np.full(shape, 7.25))))
    first = report.verdicts[0]
    assert first.came == "Q = [[7.25, 7.25], [7.25, 7.25]]"
    assert re.fullmatch(r"Q = \[\[-1\.\d+, -1\.\d+\], \[1\.\d+, 1\.\d+\]\]", first.expected)
    assert re.search(r"gamma = 0,\d, .* pas, graine = \d+", first.case)
    assert first.came in repr(report).replace("\N{NO-BREAK SPACE}", " ")


def test_bad_arguments_are_refused_before_anything_is_played():
    with pytest.raises(TypeError, match=r"^dqn doit être une fonction : 3 reçu\.$"):
        next(examine(3))
    called = []
    for seeds in (-1, [], [1, 1], 1.5):
        with pytest.raises((TypeError, ValueError), match=r"^seeds doit .*reçu\.$"):
            next(examine(lambda *arguments: called.append(arguments), seeds))
    assert called == []


def test_one_seed_is_enough_and_cartpole_is_that_of_gymnasium():
    real, seen = gymnasium.make("CartPole-v1"), []

    def spy(env, gamma, pas, graine):
        if is_cartpole(env):
            assert env.observation_space == real.observation_space
            seen.append((env.action_space, env.spec.max_episode_steps, graine))
        return knowing(env, gamma, pas, graine)

    assert last(examine(spy, 3)).passed
    assert seen == [(real.action_space, 500, 3)]
