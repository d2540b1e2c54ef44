"""La configuration : immuable et vérifiée."""

import re
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config, config

TINY = 1e-9
BOUNDS = {  # pour chaque nombre : son genre, le plus petit et le plus grand permis, puis refusés
    **dict.fromkeys(("total_steps", "epsilon_steps"), (int, 1, 10**9, 0, 10**9 + 1)),
    **dict.fromkeys(("learn_every", "target_period"), (int, 1, 10**9, 0, 10**9 + 1)),
    **dict.fromkeys(("capacity", "batch_size", "warmup"), (int, 1, 10**7, 0, 10**7 + 1)),
    "carts": (int, 1, 10**5, 0, 10**5 + 1),
    "n_steps": (int, 1, 100, 0, 101),
    "epsilon_spread": (float, 1, 10**6, 1 - TINY, 10**6 + 1),
    "epsilon_hold": (float, 1, 10**6, 1 - TINY, 10**6 + 1),
    "learning_rate": (float, TINY, 1e30, 0, np.inf),
    "learning_rate_floor": (float, 0, 1e30, -TINY, np.inf),
    "start_x": (float, 0, 2.4, -TINY, 2.4 + TINY),
    **dict.fromkeys(
        ("gamma", "epsilon_start", "epsilon_end", "average_tail"), (float, 0, 1, -TINY, 1 + TINY)
    ),
    **dict.fromkeys(
        ("learning_rate_decay", "target_rate", "average_rate"), (float, TINY, 1, 0, 1 + TINY)
    ),
}
ROOM = {
    "capacity": 10**7,
    "warmup": 10**7,
    "learning_rate": 1e30,
    "epsilon_end": 1e-6,
}  # de quoi rester cohérent


def refused(error, name, value, received=None):
    """Vérifie que le refus nomme le champ et la valeur reçue."""
    received = value if received is None else received
    with pytest.raises(error, match=rf"{name}\b.* doit .*{re.escape(repr(received))} reçu"):
        Config(**{name: value})


def test_each_number_has_its_kind_and_its_bounds():
    others = {"mirror", "double", "hidden", "input_scale", "activation", "initialisation"}
    assert {*BOUNDS, *others} == {field.name for field in fields(Config)}
    for name, (kind, least, most, *beyond) in BOUNDS.items():
        room = {} if name in ("capacity", "learning_rate") else ROOM
        room = room | ({"batch_size": 1} if name == "warmup" else {})
        small = {"batch_size": 1, "warmup": 1, "learning_rate_floor": 0}
        for value, beside in [(least, small), (most, room)]:
            kept = getattr(Config(**(beside | {name: value})), name)
            assert (kept, type(kept)) == (value, kind)
        for value in beyond:
            refused(ValueError, name, value)
        refused(TypeError, name, "10")
        refused(TypeError if kind is int else ValueError, name, float("nan"))


def test_what_is_no_number_is_a_flag_a_choice_or_a_tuple():
    for name, value in [("activation", value) for value in config.ACTIVATIONS] + [
        ("initialisation", "xavier_normal"),
        *[("hidden", value) for value in ((), (1,), (4096,) * 16)],
        *[("input_scale", value) for value in (None, "auto", (2.0,), (1.0,) * 8)],
    ]:
        assert getattr(Config(**{name: value}), name) == value
    for name, values in {
        "mirror": [1],
        "double": [1],
        "hidden": [128, (8,) * 17],
        "input_scale": [2.0, "AUTO", ()],
    }.items():
        for value in values:
            refused(TypeError, name, value)
    for name in ("activation", "initialisation"):
        refused(ValueError, name, "RELU")
    for width, error in [(0, ValueError), (4097, ValueError), (2.5, TypeError)]:
        refused(error, "hidden", (64, width), width)
    for factor, error in [(0, ValueError), (np.inf, ValueError), ("2", TypeError)]:
        refused(error, "input_scale", (1, factor), factor)


def test_fields_that_contradict_each_other_are_refused():
    for changes, named in [
        ({"capacity": 63}, ("capacity=63", "batch_size=64")),
        ({"capacity": 500, "warmup": 501}, ("capacity=500", "warmup=501")),
        ({"warmup": 10}, ("warmup=10", "batch_size=64")),
        ({"carts": 60_000}, ("carts=60000", "capacity=50000")),
        ({"learning_rate_floor": 1.0}, ("learning_rate_floor", "1.0 > 0.001")),
        (
            {"carts": 2, "epsilon_end": 0.5, "epsilon_spread": 2.1},
            ("epsilon_end=0.5", "epsilon_spread=2.1"),
        ),
    ]:
        with pytest.raises(ValueError, match="doit") as caught:
            Config(**changes)
        assert [word for word in named if word not in str(caught.value)] == []
    Config(capacity=64, warmup=64, batch_size=64, carts=64, learning_rate_floor=1e-3)


def test_it_is_frozen_hashable_and_checked_again_by_replace():
    with pytest.raises(FrozenInstanceError):
        VERSION_2.gamma = 0.5
    assert len({Config(), Config(), replace(Config(), gamma=0.5)}) == 2
    with pytest.raises(ValueError, match=r"gamma doit .* 2 reçu"):
        replace(VERSION_2, gamma=2)


def test_numbers_are_kept_as_plain_python():
    """Un fichier de sauvegarde, ou un `repr`, ne connaît pas les scalaires de NumPy."""
    mixed = Config(
        gamma=np.float32(0.5), carts=np.int64(3), hidden=[np.int64(8), 8], input_scale=[2, 1]
    )
    plain = Config(gamma=0.5, carts=3, hidden=(8, 8), input_scale=(2.0, 1.0))
    assert mixed == plain
    assert repr(mixed) == repr(plain)


def test_epsilon_goes_in_a_straight_line_then_stays():
    schedule = Config(epsilon_start=0.9, epsilon_end=0.1, epsilon_steps=400).epsilon
    expected = [0.9, 0.7, 0.5, 0.1, 0.1, 0.1]
    assert [schedule(steps) for steps in (0, 100, 200, 400, 401, 10**6)] == pytest.approx(expected)


def test_each_copy_ends_with_its_own_epsilon():
    """De quatre fois plus à quatre fois moins que la moyenne, géométrique ; seule, c'est elle."""
    config = Config(carts=3, epsilon_end=0.2, epsilon_spread=4.0, epsilon_steps=100)
    for steps, expected in [(0, [1, 1, 1]), (50, [0.9, 0.6, 0.525]), (900, [0.8, 0.2, 0.05])]:
        assert config.epsilons(steps) == pytest.approx(expected)
        assert config.epsilon(steps) == pytest.approx(np.mean(expected))
    assert replace(config, carts=1).epsilons(50) == pytest.approx([0.6])


def test_learning_rate_decays_at_each_update_down_to_its_floor():
    config = Config(learning_rate=0.8, learning_rate_decay=0.5, learning_rate_floor=0.15)
    received = [config.learning_rate_at(updates) for updates in range(5)]
    assert received == [0.8, 0.4, 0.2, 0.15, 0.15]


def test_the_average_follows_its_tail_until_its_rate_takes_over():
    """1 / (0,5 n), jamais plus que 1 ni moins que 0,25 ; une queue entière fait une moyenne."""
    schedule = Config(average_rate=0.25, average_tail=0.5).average_rate_at
    expected = [1.0, 1.0, 1.0, 0.5, 0.4, 0.25, 0.25, 0.25]
    assert [schedule(updates) for updates in (0, 1, 2, 4, 5, 8, 9, 1_000)] == expected
    schedule = Config(average_rate=0.02, average_tail=0).average_rate_at
    assert [schedule(updates) for updates in (1, 2, 50, 10**6)] == [0.02] * 4
    schedule = Config(average_rate=1e-9, average_tail=1).average_rate_at
    numbers, average = np.random.default_rng(0).normal(size=200), 99.0
    for update, number in enumerate(numbers, 1):
        average += schedule(update) * (number - average)
        assert average == pytest.approx(numbers[:update].mean(), rel=1e-9, abs=1e-12)


def test_version_1_has_the_printed_numbers_of_the_founding_document():
    printed = Config(
        total_steps=VERSION_1.total_steps,
        hidden=(32, 16, 8, 4, 8, 32),
        activation="leaky_relu",
        initialisation="xavier_normal",
        learning_rate=3e-4,
        learning_rate_decay=0.999,
        learning_rate_floor=3e-6,
        gamma=1.0,
        epsilon_start=0.05,
        epsilon_end=0.05,
        capacity=1 << 16,
        batch_size=1 << 8,
        warmup=1 << 8,
        learn_every=20,
        target_period=60,
        target_rate=1.0,
    )
    assert printed == VERSION_1
    assert {preset.start_x for preset in (VERSION_1, VERSION_2, QUICK)} == {0.05}
    assert not VERSION_2.mirror
