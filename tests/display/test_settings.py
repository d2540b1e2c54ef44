"""Les réglages : chaque valeur d'un curseur se tient, et la ligne de Python les refait tous."""

import itertools
import random
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from cartpole_helpers import QUICK, VERSION_1, VERSION_2, Config
from cartpole_helpers import config as config_module
from cartpole_helpers.display.settings import (
    NAMES,
    PRESETS,
    SLIDERS,
    changed,
    choices,
    described,
    differences,
    help_lines,
    python_line,
    rank,
    written,
)
from cartpole_helpers.display.typography import typography

KNOWN = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
FIELDS = [field.name for field in fields(Config)]
NAMED = [name for group in SLIDERS.values() for name in group]
ADAPTED = {"learning_rate_floor", "warmup"}
STARTS = [*KNOWN.values(), Config()]
START_IDS = [*KNOWN, "Config"]
REFUSED = r" reçu\.( Vouliez-vous dire '\w+' \?)?$"
UNKNOWN = ["nope", "Gamma", "warmup", "__class__", "</script>", "", None, 3, ["gamma"], {}]


def values(config):
    return {name: getattr(config, name) for name in FIELDS}


def differing(one, other):
    return {name for name in FIELDS if getattr(one, name) != getattr(other, name)}


def random_configs(count, seed=0):
    """Des configurations valides, proches d'un préréglage ou non, aux nombres quelconques."""
    draws, rows = random.Random(seed), []
    numbers = {
        "start_x": lambda: draws.uniform(0, 2.4),
        "input_scale": lambda: tuple(draws.uniform(0.1, 10) for _ in range(4)),
        "hidden": lambda: tuple(draws.randint(1, 200) for _ in range(draws.randint(0, 4))),
        "activation": lambda: draws.choice(("relu", "leaky_relu", "silu", "tanh")),
        "initialisation": lambda: draws.choice(("uniform", "xavier_normal")),
        "mirror": lambda: draws.random() < 0.5,
        "double": lambda: draws.random() < 0.5,
        "total_steps": lambda: draws.randint(1, 10**9),
        "learning_rate": lambda: 10 ** draws.uniform(-2, 30),
        "learning_rate_floor": lambda: 10 ** draws.uniform(-12, -4),
        "gamma": draws.random,
        "epsilon_end": lambda: draws.choice((0, 1, 1 / 3, draws.random())),
        "epsilon_hold": lambda: draws.uniform(1, 20),
        "capacity": lambda: draws.randint(2_000, 10**7),
        "target_rate": lambda: 1 - draws.random(),
        "average_tail": draws.random,
    }
    for _ in range(count):
        names = draws.sample([*numbers], draws.choice((0, 1, 2, 3, len(numbers))))
        given = {name: numbers[name]() for name in names}
        rows.append(replace(draws.choice(STARTS), **given))
    return rows


def in_python(config):
    """Ce que l'on taperait, le plus court possible, pour refaire `config`."""
    for name, preset in KNOWN.items():
        if config == preset:
            return name
    lines = []
    for name, base in {**KNOWN, "": Config()}.items():
        given = [
            f"{one}={getattr(config, one)!r}" for one in FIELDS if one in differing(config, base)
        ]
        arguments = ", ".join([name, *given] if name else given)
        lines.append(f"replace({arguments})" if name else f"Config({arguments})")
    return min(lines, key=len)


# Les curseurs


def test_each_slider_is_a_field_of_the_configuration_named_once():
    assert len(NAMED) == len(set(NAMED))
    assert set(NAMED) <= set(FIELDS)
    labels = [label for group in SLIDERS.values() for label, _ in group.values()]
    assert len(labels) == len(set(labels))
    assert PRESETS == KNOWN
    assert {preset: name for name, preset in KNOWN.items()} == NAMES


@pytest.mark.parametrize("name", NAMED)
def test_the_choices_are_sorted_distinct_and_hold_the_offered_and_the_current_values(name):
    [offered] = [group[name][1] for group in SLIDERS.values() if name in group]
    start = replace(VERSION_2, learning_rate=0.00123, hidden=(7, 90), gamma=0.931, carts=11)
    found = choices(name, start)
    expected = {*offered, *(getattr(one, name) for one in (start, *KNOWN.values()))}
    assert len(found) == len(expected)
    assert set(found) == expected
    for smaller, larger in itertools.pairwise(found):
        if name == "hidden":
            assert sum(smaller) <= sum(larger)
        else:
            assert smaller < larger
    texts = [written(value) for value in found]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("start", STARTS, ids=START_IDS)
@pytest.mark.parametrize("name", NAMED)
def test_each_choice_gives_a_config_or_the_error_of_config(name, start):
    for value in choices(name, start):
        whole = values(start) | {name: value}
        if whole["capacity"] < max(whole["batch_size"], whole["carts"]):
            with pytest.raises(
                ValueError, match=r"^capacity doit être au moins égal à .* reçus\.$"
            ):
                changed(start, **{name: value})
        else:
            found = changed(start, **{name: value})
            assert getattr(found, name) == value
            assert differing(found, start) <= {name, *ADAPTED}


@pytest.mark.parametrize("start", STARTS, ids=START_IDS)
def test_only_what_must_be_adapted_is(start):
    for name in NAMED:
        for value in choices(name, start):
            try:
                alone = replace(start, **{name: value})
            except ValueError:
                continue
            assert changed(start, **{name: value}) == alone


@pytest.mark.parametrize(
    ("name", "value", "adapted"),
    [
        ("learning_rate", 3e-4, {"learning_rate_floor": 3e-4}),
        ("capacity", 200, {"warmup": 200}),
        ("capacity", 128, {"warmup": 128}),
        ("batch_size", 512, {"warmup": 512}),
        ("batch_size", 8, {}),
        ("gamma", 0.5, {}),
    ],
)
def test_the_floor_and_the_warmup_follow(name, value, adapted):
    expected = replace(VERSION_2, **{name: value}, **adapted)
    assert changed(VERSION_2, **{name: value}) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("warmup", 400), ("learning_rate_floor", 1e-4), ("average_tail", 0.5), ("activation", "tanh")],
)
def test_a_field_without_a_slider_can_be_changed_too(name, value):
    assert changed(VERSION_2, **{name: value}) == replace(VERSION_2, **{name: value})


def test_the_configuration_that_is_changed_is_left_as_it_was():
    before = values(VERSION_1)
    changed(VERSION_1, learning_rate=1e-9)
    assert values(VERSION_1) == before


@pytest.mark.parametrize("name", UNKNOWN, ids=repr)
def test_a_slider_that_does_not_exist_is_refused(name):
    with pytest.raises(ValueError, match=rf"^name doit être l'un de 'learning_rate', .*{REFUSED}"):
        choices(name, VERSION_2)
    with pytest.raises(ValueError, match=rf"^name doit être l'un de 'learning_rate', .*{REFUSED}"):
        rank(name, VERSION_2, VERSION_2)


@pytest.mark.parametrize("name", ["nope", "Gamma", "__class__", "</script>", ""])
def test_a_field_that_does_not_exist_is_refused_in_french(name):
    with pytest.raises(ValueError, match=re.escape(repr(name)) + REFUSED):
        changed(VERSION_2, **{name: 1})


@pytest.mark.parametrize("value", ["abc", None, float("nan"), {}, -1], ids=repr)
@pytest.mark.parametrize("name", NAMED)
def test_a_value_that_does_not_suit_is_refused_in_the_words_of_config(name, value):
    with pytest.raises((TypeError, ValueError), match=rf"^{name} doit être .* reçu\.$"):
        changed(VERSION_2, **{name: value})


# Le rang


@pytest.mark.parametrize("start", STARTS, ids=START_IDS)
@pytest.mark.parametrize("name", NAMED)
def test_the_rank_finds_every_choice_back(name, start):
    found = choices(name, start)
    for place, value in enumerate(found):
        whole = replace(start, capacity=10**7) if name in ("batch_size", "carts") else start
        if name == "capacity":
            whole = replace(start, batch_size=1, warmup=1)
        assert rank(name, start, changed(whole, **{name: value})) == place


@pytest.mark.parametrize(
    ("name", "value", "neighbours"),
    [
        ("gamma", 0.93, (0.9, 0.95)),
        ("epsilon_steps", 600, (500, 1_000)),
        ("hidden", (90,), ((32, 32), (32, 16, 8, 4, 8, 32))),
        ("learning_rate", 1e-9, (1e-4,)),
        ("learning_rate", 5.0, (0.1,)),
        ("hidden", (500, 500), ((128, 128),)),
    ],
)
def test_a_value_between_two_choices_has_the_rank_of_a_neighbour(name, value, neighbours):
    place = rank(name, VERSION_2, changed(VERSION_2, **{name: value}))
    assert choices(name, VERSION_2)[place] in neighbours


# La ligne de Python


@pytest.mark.parametrize("seed", range(4))
def test_the_line_makes_the_configuration_again(seed):
    names = {"Config": Config, "replace": replace, **KNOWN}
    for config in random_configs(250, seed):
        line = python_line(config)
        assert eval(line, {"__builtins__": {}, **names}) == config
        assert "\n" not in line


def test_the_line_is_the_shortest():
    for config in [*random_configs(200, 9), *STARTS]:
        assert len(python_line(config)) == len(in_python(config))


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (VERSION_1, "VERSION_1"),
        (VERSION_2, "VERSION_2"),
        (QUICK, "QUICK"),
        (Config(), "Config()"),
        (Config(gamma=0.9), "Config(gamma=0.9)"),
        (replace(QUICK, gamma=0.9), "replace(QUICK, gamma=0.9)"),
        (replace(VERSION_1, hidden=()), "replace(VERSION_1, hidden=())"),
        (
            replace(VERSION_2, carts=1, hidden=[8]),
            "replace(VERSION_2, carts=1, hidden=(8,))",
        ),
    ],
)
def test_some_lines_one_knows(config, line):
    assert python_line(config) == line


# La légende


def test_the_differences_are_those_one_counts():
    for config in random_configs(50, 3):
        found = differences(config, QUICK)
        assert set(found) == differing(config, QUICK)
        assert replace(QUICK, **found) == config


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (VERSION_1, "VERSION_1"),
        (QUICK, "QUICK"),
        (replace(QUICK, gamma=0.5), "QUICK, gamma = 0,5"),
        (
            replace(VERSION_2, total_steps=2_000, double=False, hidden=(32, 32)),
            "VERSION_2, total_steps = 2\u202f000, hidden = 32 × 32, double = non",
        ),
        (replace(VERSION_1, activation="relu"), "VERSION_1, activation = relu"),
        (
            replace(QUICK, input_scale=(1.0, 1.0, 2.5, 1.0)),
            "QUICK, input_scale = 1 × 1 × 2,5 × 1",
        ),
    ],
)
def test_a_legend_one_knows(config, text):
    assert described(config) == text


def test_the_legend_starts_from_the_nearest_preset_and_names_what_differs():
    for config in random_configs(100, 5):
        nearest, *rest = described(config).split(", ")
        distances = {name: len(differing(config, preset)) for name, preset in KNOWN.items()}
        assert distances[nearest] == min(distances.values())
        named = [part.partition(" = ")[0] for part in rest]
        assert {*named} == differing(config, KNOWN[nearest])
        assert len(named) == distances[nearest]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0,05"),
        (1e-4, "0,0001"),
        (3e-6, "0,000003"),
        (0.985, "0,985"),
        (1.0, "1"),
        (0, "0"),
        (128, "128"),
        (1_000, "1\u202f000"),
        (200_000, "200\u202f000"),
        (True, "oui"),
        (False, "non"),
        ((), "aucune"),
        ((8,), "8"),
        ((96, 96), "96 × 96"),
        ((1.0, 2.5), "1 × 2,5"),
        ("leaky_relu", "leaky_relu"),
    ],
)
def test_a_value_is_written_for_a_french_reader(value, text):
    assert written(value) == text


@pytest.mark.parametrize("config", STARTS, ids=START_IDS)
def test_every_field_of_every_preset_can_be_written(config):
    for name in FIELDS:
        assert re.fullmatch(r"\S(.*\S)?", written(getattr(config, name)))


# L'aide


def test_there_is_one_line_of_help_per_field_the_one_of_its_definition():
    source = Path(config_module.__file__).read_text("utf-8")
    found = re.findall(r'^    (\w+): [^\n]+ = [^\n]+\n    """(.+?)"""$', source, re.M | re.S)
    expected = {
        name: typography(re.sub(r"\s+", " ", text.replace("`", ""))) for name, text in found
    }
    assert [*expected] == FIELDS
    assert help_lines() == expected


def test_the_help_is_made_of_sentences_without_marks():
    for line in help_lines().values():
        assert re.fullmatch(r"[A-ZÉ][^`\n]*\.", line)
        assert "  " not in line
