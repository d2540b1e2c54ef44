"""Les réglages : chaque valeur d'un curseur se tient, et la ligne de Python les refait tous."""

import contextlib
import random
from dataclasses import fields, replace

import pytest

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config
from cartpole_helpers.display.settings import (
    SLIDERS,
    changed,
    choices,
    described,
    help_lines,
    python_line,
    written,
)

KNOWN = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
FIELDS = [field.name for field in fields(Config)]
NAMED = [name for group in SLIDERS.values() for name in group]
STARTS = [*KNOWN.values(), Config()]
REFUSED = r" reçu\.( Vouliez-vous dire '\w+' \?)?$"


def differing(one, other):
    return {name for name in FIELDS if getattr(one, name) != getattr(other, name)}


def random_configs(count):
    """Des configurations valides, proches d'un préréglage ou non, aux nombres quelconques."""
    draws, rows = random.Random(0), []
    while len(rows) < count:
        start = draws.choice(STARTS)
        names = draws.sample(NAMED, draws.choice((0, 1, 2, 3, len(NAMED))))
        given = {name: draws.choice(choices(name, start)) for name in names}
        given["start_x"] = draws.choice((0.0, draws.uniform(0, 2.4)))
        with contextlib.suppress(ValueError):
            rows.append(changed(start, **given))
    return rows


# Les curseurs


def test_the_choices_are_sorted_distinct_and_hold_the_offered_and_the_current_values():
    assert len(NAMED) == len(set(NAMED))
    start = replace(VERSION_2, learning_rate=0.00123, hidden=(7, 90), gamma=0.931, carts=11)
    for group in SLIDERS.values():
        for name, (_, offered) in group.items():
            found = choices(name, start)
            currents = {getattr(one, name) for one in (start, *KNOWN.values())}
            assert set(found) == {*offered, *currents}
            sizes = [sum(value) if name == "hidden" else value for value in found]
            assert sizes == sorted(sizes)
            assert len(set(map(written, found))) == len(found)
    with pytest.raises(ValueError, match=rf"^name doit être l'un de 'learning_rate', .*{REFUSED}"):
        choices("warmup", VERSION_2)


def test_the_floor_and_the_warmup_follow():
    for changes, adapted in (
        ({"learning_rate": 3e-4}, {"learning_rate_floor": 3e-4}),
        ({"capacity": 200}, {"warmup": 200}),
        ({"batch_size": 512}, {"warmup": 512}),
    ):
        assert changed(VERSION_2, **changes) == replace(VERSION_2, **changes, **adapted)
    for changes in ({"nope": 1}, {"gamma": "abc"}):
        with pytest.raises((TypeError, ValueError), match=rf"{next(iter(changes))}.*{REFUSED}"):
            changed(VERSION_2, **changes)


# La ligne de Python


def test_the_line_makes_the_configuration_again():
    names = {"Config": Config, "replace": replace, **KNOWN}
    for config in [*random_configs(200), *STARTS]:
        line = python_line(config)
        assert eval(line, {"__builtins__": {}, **names}) == config
        assert "\n" not in line


def test_some_lines_and_legends_one_knows():
    for config, line, legend in (
        (VERSION_1, "VERSION_1", "VERSION_1"),
        (Config(gamma=0.9), "Config(gamma=0.9)", None),
        (replace(QUICK, gamma=0.9), "replace(QUICK, gamma=0.9)", "QUICK, gamma = 0,9"),
        (replace(VERSION_1, hidden=()), "replace(VERSION_1, hidden=())", None),
        (
            replace(VERSION_2, total_steps=2_000, hidden=[32, 32]),
            "replace(VERSION_2, total_steps=2000, hidden=(32, 32))",
            "VERSION_2, total_steps = 2\u202f000, hidden = 32 × 32",
        ),
    ):
        assert python_line(config) == line
        assert legend is None or described(config) == legend


def test_the_legend_starts_from_the_nearest_preset_and_names_what_differs():
    for config in random_configs(100):
        nearest, *rest = described(config).split(", ")
        distances = {name: len(differing(config, preset)) for name, preset in KNOWN.items()}
        assert distances[nearest] == min(distances.values())
        named = [part.partition(" = ")[0] for part in rest]
        assert {*named} == differing(config, KNOWN[nearest])
        assert len(named) == distances[nearest]


def test_a_value_is_written_for_a_french_reader():
    known = {
        **{"0,05": 0.05, "0,0001": 1e-4, "0": 0, "128": 128, "200\u202f000": 200_000},
        **{"oui": True, "non": False, "8": (8,), "1 × 2,5": (1.0, 2.5), "leaky_relu": "leaky_relu"},
    }
    for text, value in known.items():
        assert written(value) == text
    assert written(()) == written(None) == "aucune"


def test_each_field_has_a_line_of_help():
    assert [*help_lines()] == FIELDS
    assert all(help_lines().values())
