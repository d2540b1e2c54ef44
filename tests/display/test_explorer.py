"""L'explorateur : l'étude qu'il lit, ce que ses curseurs en montrent, l'entraînement réel."""

import csv
import statistics
import struct
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from watched import PATIENCE, ask, plain

from cartpole_helpers import QUICK, VERSION_2, load_study
from cartpole_helpers.display.background import FAILED, FINISHED, STOPPED
from cartpole_helpers.display.explorer import explorer
from cartpole_helpers.repairs import TUNED, tuned

ARCHIVE = Path(__file__).resolve().parents[2] / "etudes" / "reglages.csv"
SMALL = replace(QUICK, total_steps=800, carts=4, hidden=(8,), batch_size=16, warmup=32)
VALUES = {"gamma": (0.5, 0.98, 1.0), "capacity": (60, 1_000)}
SEEDS = (0, 3, 11)
INSTANTS = ("40", "80", "400", "800")
CELLS = [*product(*VALUES.values(), SEEDS)]
SCORES = np.random.default_rng(5).choice(500, (len(CELLS), len(INSTANTS)), replace=False)
TRAITS = ("fields", "seeds", "instants", "returns", "live")


def study(**changed):
    """Une petite étude, une colonne par champ, graine et instant, et ce que le test y change."""
    names, rows = (*VALUES, "graine", *INSTANTS), np.hstack([CELLS, SCORES])
    return dict(zip(names, rows.T, strict=True)) | changed


def small(**changes):
    """Les réglages d'une étude dans une configuration vite entraînée."""
    return replace(SMALL, **changes)


@pytest.fixture
def make(alive):
    """`make()` rend un explorateur que la fin du test arrête."""
    return lambda: alive(explorer(study(), small))


@pytest.fixture(scope="module")
def archive():
    """L'étude archivée que lit le carnet 08."""
    return load_study(ARCHIVE)


def decoded(one):
    """Les retours que lit la page, par (rang de chaque champ, puis graine)."""
    numbers = iter(struct.unpack(f"<{len(one.returns) // 2}H", one.returns))
    ranks = [range(len(field["choices"])) for field in one.fields]
    read = {cell: [next(numbers) for _ in one.instants] for cell in product(*ranks, one.seeds)}
    assert next(numbers, None) is None
    return read


def shown(one):
    """Tout ce que la page montre, et l'entraînement qui est là."""
    return [*(getattr(one, name) for name in TRAITS), one.run]


def trained(one, ranks, seed=0):
    """Entraîne pour de vrai et attend la fin."""
    one.train(ranks, seed)
    one.wait(PATIENCE)
    return one


# L'étude que lit la page


def test_the_archive_is_read_as_a_reader_of_csv_finds_it(archive):
    with ARCHIVE.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(line for line in file if not line.startswith("#"))
    one, cut = explorer(archive), len(TUNED) + 1
    expected = {tuple(map(float, row[:cut])): [*map(int, row[cut:])] for row in rows}
    read = {
        (*(values[rank] for values, rank in zip(TUNED.values(), ranks, strict=True)), seed): scores
        for (*ranks, seed), scores in decoded(one).items()
    }
    assert read == expected
    assert [field["name"] for field in one.fields] == header[: len(TUNED)] == [*TUNED]
    assert one.instants == [*map(int, header[cut:])]
    given = {field["name"]: TUNED[field["name"]][field["start"]] for field in one.fields}
    assert given == {name: getattr(VERSION_2, name) for name in TUNED}
    assert len(one.frozen().encode()) < 200_000


# Les études refusées


def bad_studies():
    """Des études refusées, et ce que le refus en dit."""
    whole = study()

    columns = r"^study doit avoir des champs réglés, puis la colonne « graine », .* instants : "
    yield 3, columns
    yield {name: column for name, column in whole.items() if name != "graine"}, columns
    twice = {name: column[[1, *range(1, 18)]] for name, column in whole.items()}
    yield twice, r"^study doit contenir chaque combinaison une fois par graine : 18 lignes"
    yield {"bidule": whole["gamma"], **whole}, "'bidule' reçu"
    yield study(**{"80": whole["80"] * np.nan}), "^80 ne doit contenir .* ni NaN ni infini"
    yield study(**{"80": whole["80"] - 600}), "^Les retours de la colonne 80 doivent être entre 0"
    yield study(fin=whole["40"]), "^study doit avoir des instants croissants, en pas"
    yield study(capacity=whole["capacity"] / 7), "^La colonne capacity doit donner des entiers"


def test_a_bad_study_is_refused_in_french():
    for bad, told in bad_studies():
        with pytest.raises((TypeError, ValueError), match=told):
            explorer(bad)
    with pytest.raises(TypeError, match=r"^configure doit être une fonction : 'tuned' reçu\.$"):
        explorer(study(), "tuned")


# L'entraînement pour de vrai


def test_the_archive_of_the_course_is_given_back(archive):
    one = explorer(archive)
    ranks = [field["start"] for field in one.fields]
    live = trained(one, ranks, 0).live
    assert one.run.config == tuned()
    assert live["line"] == "replace(VERSION_2, total_steps=20000)"
    assert [f"{score:.0f}" for score in live["greedy"]["y"]] == [
        str(score) for score in decoded(one)[(*ranks, 0)]
    ]
    # Un tour fait avancer seize chariots : le premier qui atteint l'instant peut le dépasser.
    late = np.subtract(live["greedy"]["x"], one.instants)
    assert ((late >= 0) & (late < VERSION_2.carts)).all()
    others = [decoded(one)[(*ranks, seed)] for seed in one.seeds[1:]]
    assert decoded(one)[(*ranks, 0)] not in others  # une autre graine ne ferait pas l'affaire


def test_before_any_training_there_is_nothing_to_wait_for_nor_to_stop(make):
    one = make()
    assert (one.run, one.live) == (None, {"phase": ""})
    with pytest.raises(RuntimeError, match=r"^Rien à attendre : aucun entraînement n'a commencé"):
        one.wait(0)
    one.stop()
    assert (one.run, one.live) == (None, {"phase": ""})


def test_a_second_training_takes_the_place_of_the_first(make, turns):
    one, seen = make(), []
    one.train([0, 0], 0)
    turns.let(5)
    turns.asked(6)
    first = one.run
    one.train([1, 1], 3)
    one.observe(lambda change: seen.append(change.new), "live")
    turns.let(10_000)
    one.wait(PATIENCE)
    assert first.now()["env_steps"] == 24  # le tour en cours, et plus aucun
    assert {(tuple(live["ranks"]), live["seed"]) for live in seen} == {((1, 1), 3)}
    assert [live["env_steps"] for live in seen[:-1]] == [*range(4, 801, 4)]
    assert (one.live["phase"], one.live["env_steps"]) == (FINISHED, 800)


# Ce que demande la page


def test_the_page_trains_and_stops(make, turns):
    one = make()
    assert ask(one, {"do": "train", "ranks": [2, 1], "seed": 11}) == {}
    turns.let()
    turns.asked(2)
    assert (one.live["ranks"], one.live["seed"]) == ([2, 1], 11)
    turns.let(11)
    turns.asked(11)
    assert ask(one, {"do": "stop"}) == {}
    turns.let()
    one.wait(PATIENCE)
    assert (one.live["phase"], one.live["env_steps"], one.live["error"]) == (STOPPED, 52, "")
    assert one.live["greedy"]["x"] == [40]
    told = eval(one.live["line"], {"replace": replace, "QUICK": QUICK})
    assert told == one.run.config == small(gamma=1.0, capacity=1_000)
    assert one.run.agent.seeds == [11]
    turns.let(10_000)
    assert trained(one, [1, 0]).live["phase"] == FINISHED


def test_a_bad_message_changes_nothing_and_is_answered_in_french(make):
    one, good = make(), {"do": "train", "ranks": [0, 1], "seed": 0}
    before = shown(one)
    for message, told in (
        ({"do": "danser"}, "Message incompris : "),
        ({**good, "ranks": None}, "ranks doit "),
        ({**good, "ranks": [0, 0, 0]}, "ranks doit donner 2 rangs, "),
        ({**good, "ranks": [0, 2]}, "ranks doit être un entier entre 0 et 1 : 2 reçu."),
        ({**good, "seed": -1}, "seed doit être un entier supérieur ou égal à 0 : -1 reçu."),
    ):
        assert plain(ask(one, message)["error"]).startswith(told), message
        assert shown(one) == before, message


# Ce qui échoue


def test_a_training_that_fails_says_so_and_one_can_train_again(make, broken, monkeypatch):
    one = make()
    broken(ValueError("trop peu"))
    with pytest.raises(ValueError, match="trop peu"):
        trained(one, [0, 1], 3)
    assert (one.live["phase"], one.live["ranks"], one.live["env_steps"]) == (FAILED, [0, 1], 16)
    assert plain(one.live["error"]) == "L'entraînement a échoué (ValueError) : trop peu"
    monkeypatch.undo()
    assert trained(one, [0, 0]).live["error"] == ""


# Ce qui reste dans le carnet


def test_the_picture_is_the_median_of_the_seeds_where_the_sliders_start(make):
    start = [row for cell, row in zip(CELLS, SCORES, strict=True) if cell[:2] == (0.98, 1_000)]
    first, *_, last = [statistics.median(column) for column in zip(*start, strict=True)]
    alt = plain(make().still.alt)
    assert alt.startswith("La Version 2, telle que l'étude l'a archivée")
    assert alt.endswith(f"fin : médiane de 3 graines de {first:g} à {last:g}.")
