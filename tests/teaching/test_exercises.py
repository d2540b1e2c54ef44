"""La vérification des réponses : elle accepte les justes, refuse les fausses, et dit pourquoi."""

import csv
import functools
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import tensor

from cartpole_helpers import QUICK, Training, dqn, evaluate
from cartpole_helpers.teaching.catalogue import clinic, collapse, loop, play, problem, replay
from cartpole_helpers.teaching.catalogue import dqn as rules
from cartpole_helpers.teaching.checking import Report, judge, same, shown
from cartpole_helpers.teaching.exercises import CAPSTONE, EXERCISES, check, show
from cartpole_helpers.teaching.sandbox import Outcome

ROOT = Path(__file__).resolve().parents[2]
MISTAKES = [
    pytest.param(exercise, mistake, id=f"{exercise.name} : {mistake.name}")
    for exercise in EXERCISES.values()
    for mistake in exercise.mistakes
]
RIGHT = [
    pytest.param(exercise, answer, id=f"{exercise.name} : {answer.__name__}")
    for exercise in EXERCISES.values()
    for answer in (exercise.reference, *exercise.variants)
]
MODULES = {  # combien d'erreurs connues, au moins
    clinic: 60,
    collapse: 20,
    loop: 70,
    play: 80,
    problem: 65,
    replay: 55,
    rules: 40,
}
FEWEST = {"double_td_target": 6}  # erreurs connues, au lieu de 8
LONGEST = {"Memoire": 150, "epsilon_greedy": 105}  # signes d'un indice, au lieu de 100
LONG = {"jouer": 3, "evaluer": 3, "Memoire": 4}  # essais d'une erreur, longs à juger
OFTEN = {exercise.name for exercise in loop.EXERCISES} | {"places_suivantes"}


def named(name):
    """Donne à une fonction le nom de l'exercice auquel elle répond."""

    def rename(function):
        function.__name__ = name
        return function

    return rename


# Le catalogue


def test_every_module_of_the_catalogue_is_in_it():
    files = {file.stem for file in Path(rules.__file__).parent.glob("*.py")}
    named_here = {module.__name__.rpartition(".")[-1] for module in MODULES}
    assert named_here == files - {"__init__", "capstone"}  # `examine` juge la page blanche
    known = [exercise for module in MODULES for exercise in module.EXERCISES]
    assert {exercise.name: exercise for exercise in known} == EXERCISES
    assert len(known) == len(EXERCISES)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[-1])
def test_a_module_knows_many_mistakes(module):
    assert sum(len(exercise.mistakes) for exercise in module.EXERCISES) >= MODULES[module]


def test_no_wrong_answer_is_there_twice():
    assert len({mistake.values[1].answer for mistake in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_each_known_mistake_is_refused_and_named(exercise, mistake):
    repeats = 20 if exercise.name in OFTEN else LONG.get(exercise.name, 10)
    for _ in range(repeats):  # les cas changent à chaque fois
        report = judge(exercise, mistake.answer)
        assert not report.passed
        assert report.hint == mistake.hint, report


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_a_right_answer_is_accepted_however_it_is_written(exercise, answer):
    for _ in range(10 if exercise.name in LONG else 20):
        report = judge(exercise, answer)
        assert report.passed, report
        assert report.hint == ""


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_each_mistake_has_its_own_short_hint(exercise):
    hints = [mistake.hint for mistake in exercise.mistakes]
    assert len(hints) >= FEWEST.get(exercise.name, 8)
    assert len(set(hints)) == len(hints)
    assert max(map(len, hints)) <= LONGEST.get(exercise.name, 100)
    assert len(exercise.properties) >= 3
    assert len(exercise.variants) >= 2


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda: 0,
        lambda *_: 1 / 0,
        lambda *_: "valeur",
        lambda *_: (0.0,),
        lambda *_: float("nan"),
        lambda *_: {},
        lambda *given: given,
        lambda *given: [given[1]] * 3,
    ],
    ids=["sans argument", "erreur", "texte", "tuple", "nan", "dict", "ses arguments", "liste"],
)
def test_nothing_else_is_accepted(name, wrong):
    report = judge(EXERCISES[name], wrong)
    assert not report.passed
    assert report.hint


# Des réponses d'élèves, écrites autrement que le catalogue


@named("td_target")
def forgets_the_mask(reward, terminated, next_q, gamma):
    best, _ = torch.max(next_q, -1)
    return torch.add(reward, best, alpha=gamma)


@named("td_target")
def multiplies_everything(reward, terminated, next_q, gamma):
    alive = 1 - terminated.int()
    return alive * reward + alive * gamma * torch.amax(next_q, dim=-1)


@named("td_target")
def takes_the_global_maximum(reward, terminated, next_q, gamma):
    suite = next_q.flatten().sort().values[-1]
    return torch.where(terminated, reward, reward + suite * gamma)


@named("td_loss")
def lets_the_gradient_through(q, action, target):
    rows = torch.where(action.bool(), q[..., 1], q[..., 0])
    return torch.mean((target - rows).pow(2), -1)


@named("td_loss")
def judges_the_best_action(q, action, target):
    return ((q.amax(-1) - target.detach()) ** 2).mean(-1)


@named("double_td_target")
def exchanges_the_networks(reward, terminated, next_q_online, next_q_target, gamma):
    return dqn.double_td_target(reward, terminated, next_q_target, next_q_online, gamma)


@named("epsilon_greedy")
def explores_backwards(q, epsilon, draws):
    return dqn.epsilon_greedy(q, 1 - epsilon, 1 - draws)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (forgets_the_mask, "masqué les états terminaux"),
        (multiplies_everything, "efface aussi la récompense"),
        (takes_the_global_maximum, "tout le lot"),
        (lets_the_gradient_through, "gradient traverse la cible"),
        (judges_the_best_action, "l'action prise"),
        (exchanges_the_networks, "rôles sont échangés"),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)
def test_a_mistake_written_otherwise_gets_the_same_hint(answer, words):
    report = check(answer)
    assert not report.passed
    assert words in report.hint


@named("epsilon")
def answers_always_the_same(*_):
    return 0.42


@pytest.mark.parametrize("answer", [explores_backwards, answers_always_the_same])
def test_an_unknown_mistake_gets_the_hint_of_the_property(answer):
    report = check(answer)
    assert not report.passed
    properties = EXERCISES[answer.__name__].properties
    judged = zip(properties, report.verdicts, strict=True)
    assert report.hint == next(one.hint for one, verdict in judged if not verdict.passed)


def test_the_expected_values_are_those_computed_by_hand():
    report = check(forgets_the_mask)
    refused = [verdict for verdict in report.verdicts if not verdict.passed]
    assert (refused[0].came, refused[0].expected) == ("[3.5]", "[1]")
    assert "terminated = [True]" in refused[0].case


# Ce qu'elle ne se laisse pas faire


class Called:
    """Un objet que l'on appelle, sans source ni `__code__`."""

    __name__ = "td_target"
    __call__ = staticmethod(functools.partial(dqn.td_target))


def test_any_callable_is_judged():
    assert check(Called()).passed


@pytest.mark.parametrize("name", ["td_target", "Memoire"])
def test_other_arguments_than_those_of_the_statement_are_told(name):
    memory = type(name, (), {"__init__": lambda self: print(self)})
    answer = memory if name == "Memoire" else lambda q: q
    answer.__name__ = name
    assert check(answer).hint.startswith("Les arguments doivent être (")


def test_the_error_of_an_answer_is_told():
    report = check(named("td_target")(lambda *_: 1 / 0))
    assert "ZeroDivisionError" in repr(report)


def test_an_answer_that_changes_its_arguments_is_refused():
    @named("td_target")
    def in_place(reward, terminated, next_q, gamma):
        expected = dqn.td_target(reward, terminated, next_q, gamma)
        reward += 1
        return expected

    report = check(in_place)
    assert not report.passed
    assert "en place" in report.hint


def test_an_answer_that_knows_the_cases_is_refused():
    """Les cas à la main se retiennent ; ceux du hasard changent d'une vérification à l'autre."""
    known = {}

    def key(given):
        return json.dumps([np.asarray(one).tolist() for one in given])

    @named("td_target")
    def remembers(*given):
        known[key(given)] = dqn.td_target(*given)
        return known[key(given)]

    @named("td_target")
    def recites(*given):
        return known.get(key(given), torch.zeros(1))

    assert check(remembers).passed
    report = check(recites)
    assert not report.passed
    assert sum(verdict.passed for verdict in report.verdicts) >= 3


@pytest.mark.parametrize("given", [None, 3, "td_target", tensor([1.0])])
def test_what_is_not_a_function_is_said_so(given):
    report = check(given)
    assert not report.passed
    assert "votre fonction" in repr(report)


def test_an_unknown_name_lists_the_known_ones():
    report = check(len)
    assert not report.passed
    assert "td_target" in repr(report)
    assert not check(functools.partial(dqn.td_target)).passed


# Le compte rendu


def test_the_report_shows_each_property_and_escapes_what_came():
    report = check(named("td_target")(lambda *_: "<script>alert(1)</script>"))
    assert "<script>" in repr(report)
    assert "<script>" not in report._repr_html_()
    assert repr(report).count("✘") == 5
    assert repr(check(dqn.td_target)).count("✔") == 5


def test_a_report_with_a_note_did_not_pass():
    assert not Report("x", note="pas encore écrit").passed


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (tensor([1.0, 2.0]), np.array([1.0, 2.0]), True),
        (tensor([1, 2]), [1.0, 2.0], True),
        (tensor([True]), tensor([1]), False),
        (tensor([1.0]), 1.0, False),
        ((1.0, 2), [1, 2.0], True),
        (tensor([1.0]), tensor([1.001]), False),
        ({"a": 1}, {"b": 1}, False),
        (None, 1.0, False),
    ],
)
def test_two_values_are_compared_with_their_shapes_and_their_kinds(one, other, alike):
    assert same(Outcome(one), Outcome(other)) is alike


def test_a_long_value_is_shown_short():
    assert len(shown(torch.zeros(1000))) <= 160
    assert len(shown("x" * 10_000)) <= 160


# La réponse du cours


def test_the_published_answer_is_the_code_that_runs():
    folded = show("td_loss")
    assert "target.detach()" in folded.listing.text
    assert folded._repr_html_().startswith("<details>")
    assert show(dqn.td_loss).listing.text == folded.listing.text


@pytest.mark.parametrize("name", ["rien", None, len])
def test_an_unknown_exercise_has_no_answer(name):
    with pytest.raises(
        ValueError, match=r"^obj doit être l'un des exercices td_target, .* reçu\.$"
    ):
        show(name)


def test_a_right_target_drives_the_engine_and_a_wrong_one_visibly_fails():
    def scores(target):
        training = Training(QUICK, range(4), td_target=target)
        for _ in training.run():
            pass
        return evaluate(training.agent, 20).mean()

    right = EXERCISES["td_target"].variants[1]
    assert scores(right) > 400
    assert scores(lambda reward, *_: reward) < 300


def test_the_table_of_refusals_is_the_one_that_the_script_makes():
    script = runpy.run_path(str(ROOT / "etudes" / "refus.py"))
    with (ROOT / "etudes" / "refus.csv").open(encoding="utf-8", newline="") as file:
        header, *stored = csv.reader(file)
    stored = [row for row in stored if row[0] != CAPSTONE]  # test_capstone refait les autres
    made = [[*row] for row in script["rows"]()]
    assert tuple(header) == script["HEADER"]
    assert stored == made
    right = [row for row in stored if row[2] == "acceptée"]
    assert len(stored) - len(right) == len(MISTAKES)
    assert len(right) == len(RIGHT)
