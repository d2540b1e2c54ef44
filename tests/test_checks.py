"""Les vérifications : ce qu'elles rendent, et le refus, en français, de tout le reste."""

import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_flag,
    check_number,
    check_numbers,
    check_seed,
    check_seeds,
    check_text,
)

NAN, INFINITY = math.nan, math.inf
HUGE = 10**5_000  # Python refuse même de l'écrire
stable = settings(derandomize=True, deadline=None, database=None, max_examples=60)


def refused(check, value, error, *arguments, told=r"doit .* reçu\.", **options):
    """Vérifie que le refus est du bon genre, en français, et qu'il nomme l'argument."""
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        check("champ", value, *arguments, **options)
    assert type(caught.value) is error, (value, caught.value)
    assert re.match(rf"(?s)champ {told}", str(caught.value)), caught.value
    return str(caught.value)


# Un nombre


def test_a_number_comes_back_in_plain_python():
    for value, kind, expected in [
        (3, int, 3),
        (np.int64(3), int, 3),
        (10**400, int, 10**400),
        (3, float, 3.0),
        (np.float32(0.5), float, 0.5),
        (Fraction(1, 4), float, 0.25),
    ]:
        received = check_number("champ", value, kind)
        assert (received, type(received)) == (expected, kind)


def test_what_is_no_number_is_refused():
    one, tensor = np.array([1]), torch.tensor(1)
    everywhere = ["3", True, np.bool_(True), None, [1], 1j, Decimal(1), one, tensor, {}]
    for value in [*everywhere, 3.0, np.float64(3), Fraction(3), NAN]:
        assert repr(value) in refused(check_number, value, TypeError, int)
    for value in everywhere:
        assert repr(value) in refused(check_number, value, TypeError, float)
    for value in (NAN, INFINITY, -INFINITY, 10**400, HUGE):
        refused(check_number, value, ValueError, float)
    assert "démesuré" in refused(check_number, HUGE, ValueError, int, high=3)


@stable
@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5), st.sampled_from([int, float]))
def test_bounds_are_those_of_the_comparison_operators(value, first, second, kind):
    for bounds, inside in [
        ({"low": first}, value >= first),
        ({"high": first}, value <= first),
        ({"above": first}, value > first),
        ({"below": first}, value < first),
        ({"low": first, "high": second}, first <= value <= second),
        ({"above": first, "high": second}, first < value <= second),
    ]:
        if inside:
            assert check_number("champ", value, kind, **bounds) == value
        else:
            refused(check_number, value, ValueError, kind, **bounds)


def test_a_refusal_tells_the_bounds():
    for bounds, told in [
        ({}, "un entier : 'x' reçu."),
        ({"low": 0, "high": 4}, "un entier entre 0 et 4 : 'x' reçu."),
        ({"low": 0}, "un entier supérieur ou égal à 0 : 'x' reçu."),
        ({"above": 0}, "un entier strictement supérieur à 0 : 'x' reçu."),
        (
            {"above": 0, "high": 1},
            "un entier strictement supérieur à 0 et inférieur ou égal à 1 : 'x' reçu.",
        ),
        ({"below": 3}, "un entier strictement inférieur à 3 : 'x' reçu."),
    ]:
        assert refused(check_number, "x", TypeError, int, **bounds) == f"champ doit être {told}"


# Un choix, un drapeau, une fonction, un texte

WORDS = ("gamma", "capacity", 3)


def test_a_known_choice_comes_back_and_a_neighbour_is_suggested():
    for value in WORDS:
        assert check_choice("champ", value, WORDS) is value
    assert check_choice("champ", np.int64(3), WORDS) == 3
    for value, near in [("Gamma", "gamma"), ("gama", "gamma"), ("capacité", "capacity")]:
        message = refused(check_choice, value, ValueError, WORDS)
        assert message.endswith(f"'{value}' reçu. Vouliez-vous dire '{near}' ?")
    arrays = [np.array(["gamma"]), np.array([1, 2]), torch.ones(2), torch.ones(1, 1)]
    for value in ["epsilon", "", None, 4, NAN, ["gamma"], {}, HUGE, *arrays]:
        message = refused(check_choice, value, ValueError, WORDS)
        assert message.startswith("champ doit être l'un de 'gamma', 'capacity', 3 : ")
        assert message.endswith(" reçu.")


def test_a_flag_a_function_and_a_text():
    assert [check_flag("champ", value) for value in (True, np.bool_(False))] == [True, False]
    assert type(check_flag("champ", np.bool_(False))) is bool
    assert check_callable("champ", len) is len
    assert check_text("champ", "été") == "été"
    for value in (1, 0, "oui", None, np.array(True), torch.tensor(True)):
        refused(check_flag, value, TypeError)
    for value in (None, 3, "len"):
        refused(check_callable, value, TypeError)
    for value in (None, 3, b"octets", ["texte"]):
        refused(check_text, value, TypeError)


# Les graines


def test_seeds_are_natural_numbers_one_or_several():
    assert [check_seed("champ", value) for value in (0, np.int64(7), 2**80)] == [0, 7, 2**80]
    several = [3, [3], (3,), range(3, 4), np.array([3]), iter([3])]
    for value in several:
        seeds = check_seeds("champ", value)
        assert (seeds, type(seeds[0])) == ([3], int)
    assert check_seeds("champ", [1, 1], distinct=False) == [1, 1]
    for value in ("3", b"3", bytearray(b"3"), {3: 4}, None, [1.5], [True], [[3]], ["x"], 3.0):
        refused(check_seeds, value, TypeError)
    for value, told in [([], "au moins une"), ([1, 1], "toutes différentes"), (-1, ""), ([-1], "")]:
        assert told in refused(check_seeds, value, ValueError)
    for value in (-1, 1.5, "3"):
        refused(check_seed, value, (TypeError, ValueError)[value == -1])


# Un tableau


def test_an_array_of_numbers_comes_back():
    ones = np.ones((2, 3))
    assert check_numbers("champ", ones) is ones
    for value in ([[1, 2]], torch.ones(1, 2), [np.float16(1), True], range(2)):
        np.testing.assert_array_equal(check_numbers("champ", value), np.asarray(value))
    assert check_numbers("champ", np.ma.array([1, 2], mask=[False, False])).tolist() == [1, 2]


def test_what_is_no_array_of_numbers_is_refused():
    for value in (
        ["a"],
        [1j],
        None,
        {},
        {1},
        object(),
        [HUGE],
        np.array([1], object),
        [2**63, -1j],
    ):
        refused(check_numbers, value, TypeError)
    refused(check_numbers, [[1], [1, 2]], ValueError)
    assert "1 valeurs masquées" in refused(
        check_numbers, np.ma.array([1, 2], mask=[0, 1]), ValueError, told="doit tout montrer"
    )


def test_a_tensor_that_numpy_cannot_read_is_refused_with_its_remedy():
    learnt = torch.ones(2, requires_grad=True)
    strange = [torch.ones(2, dtype=torch.bfloat16), torch.ones(2, device="meta")]
    for value in (learnt, [learnt, learnt], *strange, torch.ones(2).to_sparse()):
        message = refused(check_numbers, value, TypeError, told="doit être un tableau de nombres")
        assert ".detach().cpu().float()" in message
    assert check_numbers("champ", learnt.detach().cpu().float()).tolist() == [1, 1]


def test_a_shape_may_leave_lengths_free():
    array = np.zeros((2, 3))
    for shape in (None, (2, 3), (None, 3), (2, None), (None, None)):
        assert check_array("champ", array, shape) is array
    for shape, told in {
        (3, 2): "(3, 2)",
        (None, 2): "(N, 2)",
        (None,): "(N,)",
        (2, 3, None): "(2, 3, N)",
        (): "()",
    }.items():
        message = refused(check_array, array, ValueError, shape)
        assert message == f"champ doit être de forme {told} : (2, 3) reçu."


def test_a_type_changes_without_loss():
    for value, dtype in [([1, 2], np.float32), ([0.5], np.float32), ([True], np.int64)]:
        received = check_array("champ", value, None, dtype)
        assert received.dtype == dtype
        assert received.tolist() == value
    for value, dtype in [([0.5], np.int64), ([1.0], np.int64), ([1], np.bool_)]:
        refused(check_array, value, TypeError, None, dtype)
    signalling = np.array([0x7F800001], np.uint32).view(np.float32)
    finite = "ne doit contenir que des nombres finis"
    for value in ([NAN], [INFINITY], [1, -INFINITY], [1e39]):
        refused(check_array, value, ValueError, None, np.float32, told=finite)
    refused(check_array, signalling, ValueError, None, np.float64, told=finite)
    refused(check_array, [NAN], ValueError, None, told=finite)
