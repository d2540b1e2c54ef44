"""La vérification d'une réponse, quelle qu'elle soit, et son compte rendu."""

import functools
import json

import nbformat.v4 as nbf
import numpy as np
import pytest
import torch
from torch import tensor

from cartpole_helpers import QUICK, Training, dqn, evaluate
from cartpole_helpers.teaching.checking import Report, same, shown
from cartpole_helpers.teaching.exercises import EXERCISES, bilan, check, show
from cartpole_helpers.teaching.sandbox import Outcome


def named(name):
    """Donne à une fonction le nom de l'exercice auquel elle répond."""

    def rename(function):
        function.__name__ = name
        return function

    return rename


@named("td_target")
def forgets_the_mask(reward, terminated, next_q, gamma):
    best, _ = torch.max(next_q, -1)
    return torch.add(reward, best, alpha=gamma)


@named("epsilon_greedy")
def explores_backwards(q, epsilon, draws):
    return dqn.epsilon_greedy(q, 1 - epsilon, 1 - draws)


def test_a_known_mistake_is_named_however_it_is_written_and_told_where_to_read():
    report = check(forgets_the_mask)
    refused = [verdict for verdict in report.verdicts if not verdict.passed]
    assert "masqué les états terminaux" in report.hint
    assert refused[0].taught == "carnet 04, section 2"
    assert "carnet 04, section 2" in repr(report).partition("voir")[2]
    assert (refused[0].came, refused[0].expected) == ("[3.5]", "[1]")
    assert "terminated = [True]" in refused[0].case


def test_an_unknown_mistake_gets_the_hint_of_the_property():
    report = check(explores_backwards)
    properties = EXERCISES["epsilon_greedy"].properties
    judged = zip(properties, report.verdicts, strict=True)
    asked, refused = next(pair for pair in judged if not pair[1].passed)
    assert (refused.hint, refused.taught) == (asked.hint, "")


# Ce qu'elle ne se laisse pas faire


class Called:
    """Un objet que l'on appelle, sans source ni `__code__`."""

    __name__ = "td_target"
    __call__ = staticmethod(functools.partial(dqn.td_target))


def test_any_callable_is_judged():
    assert check(Called()).passed


def test_an_error_and_other_arguments_than_those_of_the_statement_are_told():
    memory = type("Memoire", (), {"__init__": lambda self: print(self)})
    for answer in (memory, named("td_target")(lambda q: q)):
        assert check(answer).hint.startswith("Les arguments doivent être (")
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


def test_what_is_not_an_answer_is_said_so_and_an_unknown_name_lists_the_known_ones():
    for given in (None, 3, "td_target", tensor([1.0])):
        report = check(given)
        assert not report.passed
        assert "votre fonction" in repr(report)
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


def test_two_values_are_compared_with_their_shapes_and_their_kinds():
    for one, other, alike in (
        (tensor([1.0, 2.0]), np.array([1.0, 2.0]), True),
        (tensor([1, 2]), [1.0, 2.0], True),
        (tensor([True]), tensor([1]), False),
        (tensor([1.0]), 1.0, False),
        ((1.0, 2), [1, 2.0], True),
        (tensor([1.0]), tensor([1.001]), False),
        ({"a": 1}, {"b": 1}, False),
        (None, 1.0, False),
    ):
        assert same(Outcome(one), Outcome(other)) is alike, (one, other)


def test_a_long_value_is_shown_short():
    assert len(shown(torch.zeros(1000))) <= 160
    assert len(shown("x" * 10_000)) <= 160


# La réponse du cours


def test_the_published_answer_is_the_code_that_runs():
    folded = show("td_loss")
    assert "target.detach()" in folded.listing.text
    assert folded._repr_html_().startswith("<details>")
    assert show(dqn.td_loss).listing.text == folded.listing.text
    pasted = {}
    exec(show("td_target").listing.text, {"Tensor": torch.Tensor}, pasted)
    assert pasted["check_transitions"] is dqn.check_transitions


def test_an_unknown_exercise_has_no_answer():
    for name in ("rien", None, len):
        with pytest.raises(ValueError, match=r"^obj doit être l'un des exercices .* reçu\.$"):
            show(name)


def test_a_right_target_drives_the_engine_and_a_wrong_one_visibly_fails():
    def scores(target):
        training = Training(QUICK, range(4), td_target=target)
        for _ in training.run():
            pass
        return evaluate(training.agent, 20).mean()

    right = EXERCISES["td_target"].variants[2]
    assert scores(right) > 400
    assert scores(lambda reward, *_: reward) < 300


# Le point sur les exercices


def test_the_saved_notebooks_tell_which_exercises_are_passed(tmp_path):
    def save(name, *cells):
        made = [
            nbf.new_code_cell(code, outputs=[nbf.new_output("display_data", {"text/plain": told})])
            for code, told in cells
        ]
        (tmp_path / name).write_text(json.dumps(nbf.new_notebook(cells=made)), "utf-8")

    unwritten = ("check(td_loss)", repr(Report("td_loss", note="pas encore écrit")))
    passed = Report("epsilon_greedy", check(dqn.epsilon_greedy).verdicts)
    wrong = ("compte_rendu = check(td_target)", repr(check(forgets_the_mask)))
    again = ("if check(td_target).passed:\n    print(1)", "1")
    save("04_dqn.ipynb", wrong, unwritten, again)
    save("05_regles.ipynb", ("check(epsilon_greedy)", repr(passed)))
    save("brouillon.ipynb", ("print(1)", "1"))
    (tmp_path / "coupé.ipynb").write_text("{", "utf-8")

    held = bilan(tmp_path).held
    assert [*held] == ["04_dqn", "05_regles"]
    done, asked = held["04_dqn"]["td_target"]
    assert 0 < done < asked
    assert held["04_dqn"]["td_loss"] is None
    assert "Exercices réussis\xa0: 1 sur 3" in repr(bilan(tmp_path))


def test_a_folder_without_notebooks_of_the_course_is_refused(tmp_path):
    with pytest.raises(ValueError, match="folder doit contenir des carnets"):
        bilan(tmp_path)
