"""La configuration : immuable, documentée champ par champ, et vérifiée."""

import ast
import inspect
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config, config

PRESETS = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
COUNTS = (
    "total_steps",
    "carts",
    "n_steps",
    "epsilon_steps",
    "capacity",
    "batch_size",
    "warmup",
    "learn_every",
    "target_period",
)
SHARES = ("gamma", "epsilon_start", "epsilon_end", "average_tail")
PARTS = ("learning_rate_decay", "target_rate", "average_rate")
RATES = ("learning_rate", "learning_rate_floor", "start_x")
HOLDS = ("epsilon_hold",)
FLAGS = ("mirror", "double")
NAN, INFINITY = float("nan"), float("inf")


def refused(name, value, error):
    """Vérifie que le message nomme le champ et la valeur reçue."""
    with pytest.raises(error, match=rf"(?s){name} doit .*") as caught:
        Config(**{name: value})
    assert repr(value) in str(caught.value)
    assert "reçu" in str(caught.value)


def test_the_fields_are_all_covered_here():
    others = {"hidden", "input_scale", "activation", "initialisation"}
    named = {*COUNTS, *SHARES, *PARTS, *RATES, *HOLDS, *FLAGS, *others}
    assert named == {field.name for field in fields(Config)}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (1.0, TypeError),
        ("10", TypeError),
        (True, TypeError),
        (None, TypeError),
        ([1], TypeError),
        (NAN, TypeError),
    ],
)
def test_a_count_is_a_whole_number_of_at_least_one(name, value, error):
    refused(name, value, error)


@pytest.mark.parametrize("name", SHARES + PARTS)
@pytest.mark.parametrize("value", [-0.1, 1.1, NAN, INFINITY, -INFINITY])
def test_a_share_lies_between_zero_and_one(name, value):
    refused(name, value, ValueError)


@pytest.mark.parametrize("name", [*PARTS, "learning_rate"])
def test_a_part_or_a_rate_is_not_zero(name):
    refused(name, 0, ValueError)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("value", [-1e-9, NAN, INFINITY])
def test_a_rate_is_positive_and_finite(name, value):
    refused(name, value, ValueError)


def test_start_x_stays_on_the_track():
    refused("start_x", 2.5, ValueError)


@pytest.mark.parametrize("name", HOLDS)
@pytest.mark.parametrize("value", [0.999, 0, -3, 10**6 + 1, NAN, INFINITY, -INFINITY])
def test_a_hold_lasts_between_one_and_a_million_steps(name, value):
    refused(name, value, ValueError)


@pytest.mark.parametrize(
    ("name", "values"),
    [("epsilon_hold", (1, 1.5, 10**6)), ("average_tail", (0, 0.2, 1)), ("gamma", (0, 1))],
)
def test_bounds_are_included(name, values):
    for value in values:
        kept = getattr(Config(**{name: value}), name)
        assert kept == value
        assert type(kept) is float


@pytest.mark.parametrize("name", SHARES + PARTS + RATES + HOLDS)
@pytest.mark.parametrize("value", ["0.5", True, None, [0.5], 0.5j, "beaucoup"])
def test_a_number_is_a_number(name, value):
    refused(name, value, TypeError)


@pytest.mark.parametrize("name", ["total_steps", "learning_rate"])
def test_an_integer_too_large_for_a_float_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} doit"):
        Config(**{name: 10**400})


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("value", [1, 0, "oui", None])
def test_a_flag_is_true_or_false(name, value):
    refused(name, value, TypeError)


@pytest.mark.parametrize("name", ["activation", "initialisation"])
@pytest.mark.parametrize("value", ["gelu_", "", "RELU"])
def test_a_choice_is_one_of_the_known_ones(name, value):
    refused(name, value, ValueError)


@pytest.mark.parametrize("name", ["activation", "initialisation"])
@pytest.mark.parametrize("value", [None, 3, ["relu"]])
def test_a_choice_is_a_string(name, value):
    with pytest.raises((TypeError, ValueError), match=rf"{name} doit .* reçu"):
        Config(**{name: value})


@pytest.mark.parametrize(
    ("value", "error", "received"),
    [
        (128, TypeError, "128"),
        ("128", TypeError, "'128'"),
        (None, TypeError, "None"),
        ((64, 0), ValueError, "0"),
        ((64, -3), ValueError, "-3"),
        ((64, 2.5), TypeError, "2.5"),
        ((64, True), TypeError, "True"),
        ((64, "64"), TypeError, "'64'"),
        ((10**9,), ValueError, "1000000000"),
    ],
)
def test_hidden_is_a_tuple_of_widths(value, error, received):
    with pytest.raises(error, match=rf"hidden doit .*{received}.* reçu"):
        Config(hidden=value)


def test_absurdly_deep_networks_are_refused():
    with pytest.raises((TypeError, ValueError), match=r"hidden doit .* reçu"):
        Config(hidden=(8,) * 10_000)


@pytest.mark.parametrize(
    ("value", "error", "received"),
    [
        (2.0, TypeError, "2.0"),
        ("1111", TypeError, "'1111'"),
        ("AUTO", TypeError, "'AUTO'"),
        ((), TypeError, r"\(\)"),
        ((1, 1, 1, 0), ValueError, "0"),
        ((1, 1, NAN, 1), ValueError, "nan"),
        ((1, INFINITY, 1, 1), ValueError, "inf"),
        ((1, "2", 1, 1), TypeError, "'2'"),
        ((1, True, 1, 1), TypeError, "True"),
    ],
)
def test_input_scale_is_a_tuple_of_factors_or_a_word(value, error, received):
    with pytest.raises(error, match=rf"input_scale doit .*{received}.* reçu"):
        Config(input_scale=value)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"capacity": 63}, ("capacity", "63", "batch_size", "64")),
        ({"capacity": 500, "warmup": 501}, ("capacity", "500", "warmup", "501")),
        ({"warmup": 10}, ("warmup", "10", "batch_size", "64")),
        ({"carts": 60_000}, ("carts", "60000", "capacity", "50000")),
        ({"learning_rate_floor": 1.0}, ("learning_rate_floor", "1.0", "learning_rate", "0.001")),
    ],
)
def test_fields_that_contradict_each_other_are_refused(changes, named):
    with pytest.raises(ValueError, match="doit") as caught:
        Config(**changes)
    assert [word for word in named if word not in str(caught.value)] == []


def test_replace_checks_as_well():
    with pytest.raises(ValueError, match=r"gamma doit .* 2 reçu"):
        replace(VERSION_2, gamma=2)


def test_it_is_frozen_and_hashable():
    with pytest.raises(FrozenInstanceError):
        VERSION_2.gamma = 0.5
    assert len({Config(), Config(), replace(Config(), gamma=0.5)}) == 2


def test_numbers_are_kept_as_plain_python():
    """Un fichier de sauvegarde, ou un `repr`, ne connaît pas les scalaires de NumPy."""
    mixed = Config(
        gamma=np.float32(0.5),
        carts=np.int64(3),
        hidden=[np.int64(8), 8],
        input_scale=[2, 1, np.float64(10), 1],
        mirror=np.bool_(True),
    )
    plain = Config(
        gamma=0.5, carts=3, hidden=(8, 8), input_scale=(2.0, 1.0, 10.0, 1.0), mirror=True
    )
    assert mixed == plain
    assert repr(mixed) == repr(plain)
    assert type(mixed.carts) is int
    assert type(mixed.gamma) is float
    assert type(mixed.hidden[0]) is int


@pytest.mark.parametrize("scale", [None, "auto", (2.0,), (1.0, 20.0), (1.0,) * 8])
def test_any_number_of_factors(scale):
    assert Config(input_scale=scale).input_scale == scale


@pytest.mark.parametrize("hidden", [(), (1,), (3, 5, 7)])
def test_any_number_of_layers(hidden):
    assert Config(hidden=hidden).hidden == hidden


# Les calendriers


def test_epsilon_goes_down_in_a_straight_line_then_stays():
    schedule = Config(epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=400).epsilon
    assert [schedule(steps) for steps in (0, 100, 200, 400, 401, 10**6)] == pytest.approx(
        [0.9, 0.7, 0.5, 0.1, 0.1, 0.1]
    )


def test_epsilon_may_be_constant_or_rise():
    constant = Config(epsilon_start=0.3, epsilon_end=0.3)
    rising = Config(epsilon_start=0.0, epsilon_end=1.0, epsilon_steps=10)
    assert constant.epsilon(0) == constant.epsilon(123) == 0.3
    assert rising.epsilon(5) == 0.5


def test_learning_rate_decays_at_each_update_down_to_its_floor():
    schedule = Config(
        learning_rate=0.8, learning_rate_decay=0.5, learning_rate_floor=0.15
    ).learning_rate_at
    assert [schedule(updates) for updates in range(5)] == [0.8, 0.4, 0.2, 0.15, 0.15]


def test_the_printed_floor_of_version_1_is_reached_after_4602_updates():
    assert VERSION_1.learning_rate_at(4_602) > VERSION_1.learning_rate_floor
    assert VERSION_1.learning_rate_at(4_603) == VERSION_1.learning_rate_floor == 3e-6


def test_without_a_tail_the_average_keeps_one_rate():
    schedule = Config(average_rate=0.02, average_tail=0).average_rate_at
    assert [schedule(updates) for updates in (1, 2, 50, 10**6)] == [0.02] * 4
    assert Config().average_rate_at(1) == 1.0


def test_the_tail_shares_the_average_until_its_rate_takes_over():
    """1 / (0,5 n), jamais plus que 1 ni moins que 0,25."""
    schedule = Config(average_rate=0.25, average_tail=0.5).average_rate_at
    assert [schedule(updates) for updates in (1, 2, 4, 5, 8, 9, 1_000)] == [
        1.0,
        1.0,
        0.5,
        0.4,
        0.25,
        0.25,
        0.25,
    ]


def test_a_whole_tail_makes_a_plain_mean():
    """La moyenne suivie est alors celle de tous les nombres reçus."""
    schedule = Config(average_rate=1e-9, average_tail=1).average_rate_at
    numbers, average = np.random.default_rng(0).normal(size=200), 99.0
    for update, number in enumerate(numbers, 1):
        average += schedule(update) * (number - average)
        assert average == pytest.approx(numbers[:update].mean(), rel=1e-9, abs=1e-12)


# Les configurations toutes prêtes


def test_version_1_has_the_printed_numbers_of_the_founding_document():
    expected = {
        "hidden": (32, 16, 8, 4, 8, 32),
        "activation": "leaky_relu",
        "initialisation": "xavier_normal",
        "learning_rate": 3e-4,
        "learning_rate_decay": 0.999,
        "learning_rate_floor": 3e-6,
        "gamma": 1.0,
        "epsilon_start": 0.05,
        "epsilon_end": 0.05,
        "capacity": 1 << 16,
        "batch_size": 1 << 8,
        "target_period": 60,
        "target_rate": 1.0,
        "average_rate": 1.0,
        "average_tail": 0.0,
        "epsilon_hold": 1.0,
        "input_scale": None,
        "mirror": False,
        "double": False,
        "n_steps": 1,
    }
    assert {name: getattr(VERSION_1, name) for name in expected} == expected


def test_presets_start_as_gymnasium_does():
    assert {preset.start_x for preset in PRESETS.values()} == {0.05}


def test_version_2_has_no_mirror_and_takes_one():
    assert not VERSION_2.mirror
    assert replace(VERSION_2, mirror=True).mirror


def test_every_field_is_followed_by_a_line_of_french():
    [definition] = [
        node
        for node in ast.parse(inspect.getsource(config)).body
        if isinstance(node, ast.ClassDef) and node.name == "Config"
    ]
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(text, ast.Expr), field.target.id
            assert text.value.value.endswith("."), field.target.id


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_followed_by_a_line_of_french(name):
    body = ast.parse(inspect.getsource(config)).body
    [position] = [
        index
        for index, node in enumerate(body)
        if isinstance(node, ast.Assign) and node.targets[0].id == name
    ]
    following = body[position + 1] if position + 1 < len(body) else None
    assert isinstance(following, ast.Expr)
    assert following.value.value.endswith(".")
