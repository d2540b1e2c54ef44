"""Les vérifications : ce qu'elles rendent, et le refus, en français, de tout le reste."""

import math
import re

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

NAN, INFINITY, HUGE = math.nan, math.inf, 10**5_000  # Python refuse même d'écrire le dernier
stable = settings(derandomize=True, deadline=None, database=None, max_examples=60)


def refused(check, value, error, *arguments, told=r"doit .* reçu\.", **options):
    """Vérifie que le refus est du bon genre, en français, et qu'il nomme l'argument."""
    with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
        check("champ", value, *arguments, **options)
    assert type(caught.value) is error, (value, caught.value)
    assert re.match(rf"(?s)champ {told}", str(caught.value)), caught.value
    return str(caught.value)


def test_a_number_comes_back_in_plain_python():
    for value, kind, expected in [
        (np.int64(3), int, 3),
        (10**400, int, 10**400),
        (3, float, 3.0),
        (np.float32(0.5), float, 0.5),
    ]:
        received = check_number("champ", value, kind)
        assert (received, type(received)) == (expected, kind)


def test_what_is_no_number_is_refused():
    for value in ["3", True, np.bool_(True), None, [1], 1j, np.array([1]), torch.tensor(1)]:
        assert repr(value) in refused(check_number, value, TypeError, float)
        assert repr(value) in refused(check_number, value, TypeError, int)
    refused(check_number, 3.0, TypeError, int)
    for value in (NAN, INFINITY, 10**400):
        refused(check_number, value, ValueError, float)
    assert "démesuré" in refused(check_number, HUGE, ValueError, int, high=3)
    told = "un entier strictement supérieur à 0 et inférieur ou égal à 1 : 'x' reçu."
    message = refused(check_number, "x", TypeError, int, above=0, high=1)
    assert message == f"champ doit être {told}"


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


WORDS = ("gamma", "capacity", 3)


def test_a_known_choice_comes_back_and_a_neighbour_is_suggested():
    for value in WORDS:
        assert check_choice("champ", value, WORDS) is value
    message = refused(check_choice, "gama", ValueError, WORDS)
    assert message.endswith("'gama' reçu. Vouliez-vous dire 'gamma' ?")
    for value in ["epsilon", None, 4, NAN, ["gamma"], HUGE, torch.ones(2)]:
        message = refused(check_choice, value, ValueError, WORDS)
        assert message.startswith("champ doit être l'un de 'gamma', 'capacity', 3 : ")


def test_a_flag_a_function_and_a_text():
    assert check_flag("champ", np.bool_(False)) is False
    assert check_callable("champ", len) is len
    assert check_text("champ", "été") == "été"
    for check, wrong in [(check_flag, 1), (check_callable, "len"), (check_text, b"octets")]:
        refused(check, wrong, TypeError)
        refused(check, None, TypeError)


def test_seeds_are_natural_numbers_one_or_several():
    assert [check_seed("champ", value) for value in (0, np.int64(7), 2**80)] == [0, 7, 2**80]
    for value in [3, [3], range(3, 4), np.array([3]), iter([3])]:
        seeds = check_seeds("champ", value)
        assert (seeds, type(seeds[0])) == ([3], int)
    assert check_seeds("champ", [1, 1], distinct=False) == [1, 1]
    for value in ("3", b"3", {3: 4}, None, [1.5], [True], [[3]], 3.0):
        refused(check_seeds, value, TypeError)
    for value, told in [([], "au moins une"), ([1, 1], "toutes différentes"), ([-1], "")]:
        assert told in refused(check_seeds, value, ValueError)


def test_an_array_of_numbers_comes_back_and_nothing_else_does():
    ones = np.ones((2, 3))
    assert check_numbers("champ", ones) is ones
    for value in ([[1, 2]], torch.ones(1, 2), [np.float16(1), True], range(2)):
        np.testing.assert_array_equal(check_numbers("champ", value), np.asarray(value))
    for value in (["a"], [1j], None, {}, {1}, [HUGE], np.array([1], object)):
        refused(check_numbers, value, TypeError)
    refused(check_numbers, [[1], [1, 2]], ValueError)
    masked = np.ma.array([1, 2], mask=[0, 1])
    message = refused(check_numbers, masked, ValueError, told="doit tout montrer")
    assert "1 valeurs masquées" in message


def test_a_tensor_that_numpy_cannot_read_is_refused_with_its_remedy():
    learnt = torch.ones(2, requires_grad=True)
    for value in (learnt, [learnt, learnt], torch.ones(2, dtype=torch.bfloat16)):
        message = refused(check_numbers, value, TypeError, told="doit être un tableau de nombres")
        assert ".detach().cpu().float()" in message


def test_a_shape_may_leave_lengths_free():
    array = np.zeros((2, 3))
    for shape in (None, (2, 3), (None, 3), (None, None)):
        assert check_array("champ", array, shape) is array
    for shape, told in {(3, 2): "(3, 2)", (None, 2): "(N, 2)", (None,): "(N,)"}.items():
        message = refused(check_array, array, ValueError, shape)
        assert message == f"champ doit être de forme {told} : (2, 3) reçu."


def test_a_type_changes_without_loss():
    for value, dtype in [([1, 2], np.float32), ([0.5], np.float32), ([True], np.int64)]:
        received = check_array("champ", value, None, dtype)
        assert received.dtype == dtype
        assert received.tolist() == value
    for value, dtype in [([0.5], np.int64), ([1], np.bool_)]:
        refused(check_array, value, TypeError, None, dtype)
    for value in ([NAN], [1, -INFINITY], [1e39]):
        finite = "ne doit contenir que des nombres finis"
        refused(check_array, value, ValueError, None, np.float32, told=finite)
