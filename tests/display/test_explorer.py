"""L'explorateur : l'étude qu'il lit, ce que ses curseurs en montrent, l'entraînement réel."""

import csv
import json
import re
import statistics
import struct
import threading
from base64 import b64decode
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from cartpole_helpers import QUICK, VERSION_2, Training, evaluate, load_study
from cartpole_helpers.display import explorer as explorer_module
from cartpole_helpers.display.background import FAILED, FINISHED, RUNNING, STOPPED
from cartpole_helpers.display.explorer import Explorer, explorer
from cartpole_helpers.display.run import Run
from cartpole_helpers.repairs import TUNED, tuned
from cartpole_helpers.seeds import Purpose, fresh_seed

ARCHIVE = Path(__file__).resolve().parents[2] / "etudes" / "reglages.csv"
PATIENCE = 300  # s au-delà desquelles le test est bloqué pour de bon
SMALL = replace(
    QUICK,
    total_steps=800,
    carts=4,
    hidden=(8,),
    batch_size=16,
    warmup=32,
    learning_rate=0.02,
    epsilon_steps=400,
)
VALUES = {"gamma": (0.5, 0.98, 1.0), "capacity": (60, 1_000)}
SEEDS = (0, 3, 11)
INSTANTS = ("40", "80", "400", "800")
CELLS = [*product(*VALUES.values(), SEEDS)]
SCORES = np.random.default_rng(5).choice(500, (len(CELLS), len(INSTANTS)), replace=False)
TRAITS = ("fields", "seeds", "instants", "returns", "live")
FRENCH = r"\b(doit|doivent)\b"
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def escaped(monkeypatch):
    """Les erreurs qu'un fil laisse échapper ; aucun ne doit en laisser, ni durer."""
    found, before = [], {*threading.enumerate()}
    monkeypatch.setattr(threading, "excepthook", lambda given: found.append(given.exc_value))
    yield found
    for thread in {*threading.enumerate()} - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert found == []


def table(cells, scores, instants=INSTANTS, fields=tuple(VALUES)):
    """L'étude dont la ligne i a pour réglages et graine `cells[i]`, pour retours `scores[i]`."""
    names = (*fields, "graine", *instants)
    rows = [(*cell, *row) for cell, row in zip(cells, scores, strict=True)]
    return {
        name: np.array(column, float)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def study(**changed):
    """Une petite étude, dans un ordre quelconque, et les colonnes que le test y change."""
    order = np.random.default_rng(1).permutation(len(CELLS))
    whole = table([CELLS[row] for row in order], SCORES[order])
    return whole | changed


def one_field(name, values):
    """L'étude d'un seul champ."""
    cells = [(value, 0) for value in values]
    return table(cells, [(9,)] * len(cells), ("100",), (name,))


def with_cell(name, value):
    """L'étude dont la première case de la colonne `name` vaut `value`."""
    column = study()[name].astype(object)
    column[0] = value
    return study(**{name: np.array(column.tolist())})


def small(**changes):
    """Les réglages d'une étude dans une configuration vite entraînée."""
    return replace(SMALL, **changes)


@pytest.fixture
def make(escaped):
    """`make(study, configure)` rend un explorateur que la fin du test arrête."""
    made = []

    def build(given=None, configure=small):
        made.append(explorer(given or study(), configure))
        return made[-1]

    yield build
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def archive():
    """L'étude archivée que lit le carnet 07."""
    return load_study(ARCHIVE)


class Turns:
    """Des tours dont chacun attend la permission du test."""

    def __init__(self):
        self._asked, self._allowed = threading.Semaphore(0), threading.Semaphore(0)

    def around(self, turns):
        """Rend les tours de `turns`, chacun sur permission ; la fin en demande une aussi."""
        self._ask()
        for _ in turns:
            yield
            self._ask()

    def _ask(self):
        self._asked.release()
        assert self._allowed.acquire(timeout=PATIENCE)

    def asked(self, number=1):
        """Attend que `number` tours aient été demandés."""
        for _ in range(number):
            assert self._asked.acquire(timeout=PATIENCE)

    def let(self, number=1):
        """Permet `number` tours."""
        self._allowed.release(number)


@pytest.fixture
def turns(monkeypatch, make):
    """Les tours que le test permet un à un ; chacun donne aussitôt de ses nouvelles."""
    gate, bare = Turns(), Run.turns
    monkeypatch.setattr(Run, "turns", lambda run: gate.around(bare(run)))
    monkeypatch.setattr(explorer_module, "PERIOD", 0.0)
    yield gate
    gate.let(10_000)


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


def plain(text):
    return re.sub("[\u00a0\u202f]", " ", text).replace("’", "'")


def ask(one, message, monkeypatch):
    """Ce que répond l'explorateur à un message de la page."""
    sent = []
    monkeypatch.setattr(one, "send", lambda content, buffers=None: sent.append(content))
    data = {"method": "custom", "content": {**message, "id": "x1"}}
    one._handle_msg({"content": {"data": data}, "buffers": []})
    [answer] = sent
    assert answer.pop("answer") == "x1"
    return answer


def trained(one, ranks, seed=0):
    """Entraîne pour de vrai et attend la fin."""
    one.train(ranks, seed)
    one.wait(PATIENCE)
    return one


def frozen_state(page):
    [state] = re.findall(r"mount\(PLACE, render, (.*)\);\n", page)
    return json.loads(state, parse_constant=lambda name: pytest.fail(f"{name} n'est pas du JSON"))


# L'étude que lit la page


def test_each_return_is_where_the_page_looks_for_it(make):
    one = make()
    places = {value: rank for values in VALUES.values() for rank, value in enumerate(values)}
    assert decoded(one) == {
        (places[gamma], places[capacity], seed): row.tolist()
        for (gamma, capacity, seed), row in zip(CELLS, SCORES, strict=True)
    }
    assert (one.seeds, one.instants) == ([*SEEDS], [40, 80, 400, 800])


def test_the_order_of_the_rows_does_not_matter_that_of_the_fields_does(make):
    ordered, one = make(table(CELLS, SCORES)), make()
    assert shown(one) == shown(ordered)
    swapped = make({name: study()[name] for name in ("capacity", "gamma", "graine", *INSTANTS)})
    assert [field["name"] for field in swapped.fields] == ["capacity", "gamma"]
    assert decoded(swapped) == {(b, a, seed): row for (a, b, seed), row in decoded(one).items()}


@pytest.mark.parametrize("score", [0, 1, 499.6, 500.4, 65_535])
def test_a_return_is_kept_to_the_nearest_step(score, make):
    given = study()
    given["40"][0] = score
    assert round(score) in {row[0] for row in decoded(make(given)).values()}


def test_reading_a_study_changes_nothing_in_it(make):
    given = study()
    make(MappingProxyType(given))
    for name, column in study().items():
        np.testing.assert_array_equal(given[name], column)


def test_a_slider_says_what_it_changes(make):
    gamma, capacity = make().fields
    assert plain(json.dumps(gamma, ensure_ascii=False)) == (
        '{"name": "gamma", "label": "actualisation γ", '
        '"help": "Facteur d\'actualisation γ des récompenses futures.", '
        '"choices": ["0,5", "0,98", "1"], "start": 1}'
    )
    assert [plain(choice) for choice in capacity["choices"]] == ["60", "1 000"]


@pytest.mark.parametrize(
    ("name", "values", "start"),
    [
        ("gamma", (1.0, 0.8, 0.985), 1),
        ("gamma", (0.1, 0.2), 1),
        ("gamma", (0.99, 1.0), 0),
        ("capacity", (50_000, 60_000), 0),
        ("capacity", (70_000, 500), 1),
        ("learning_rate", (0.03,), 0),
    ],
)
def test_a_slider_starts_from_version_2_or_its_neighbour(name, values, start, make):
    [field] = make(one_field(name, values)).fields
    assert field["start"] == start


@pytest.mark.parametrize(
    ("name", "values", "given"),
    [
        ("capacity", (60, 1_000), [60, 1_000]),
        ("n_steps", (1, 3), [1, 3]),
        ("gamma", (0, 1), [0.0, 1.0]),
        pytest.param("double", (False, True), [False, True]),
    ],
)
def test_a_field_keeps_the_type_it_has_in_config(name, values, given, make):
    received = []

    def configure(**changes):
        received.append(changes)
        return small(**changes)

    one = make(one_field(name, values), configure)
    for rank in range(len(values)):
        one.train([rank])
        one.stop()
    assert received == [{name: value} for value in given]
    assert [type(changes[name]) for changes in received] == [*map(type, given)]


def test_the_archive_is_read_as_a_reader_of_csv_finds_it(archive):
    with ARCHIVE.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    one = explorer(archive)
    expected = {
        tuple(map(float, row[: len(TUNED) + 1])): [*map(int, row[len(TUNED) + 1 :])] for row in rows
    }
    read = {
        (*(values[rank] for values, rank in zip(TUNED.values(), ranks, strict=True)), seed): scores
        for (*ranks, seed), scores in decoded(one).items()
    }
    assert read == expected
    assert [field["name"] for field in one.fields] == header[: len(TUNED)] == [*TUNED]
    assert one.instants == [*map(int, header[len(TUNED) + 1 :])]


def test_the_sliders_of_the_archive_start_from_version_2(archive):
    starts = {field["name"]: field["start"] for field in explorer(archive).fields}
    given = {name: TUNED[name][start] for name, start in starts.items()}
    assert given == {name: getattr(VERSION_2, name) for name in TUNED}


# Les études refusées


def without_columns(*names):
    return {name: column for name, column in study().items() if name not in names}


def rows(chosen):
    return {name: column[chosen] for name, column in study().items()}


COLUMNS = r"^study doit avoir des champs réglés, puis la colonne « graine », puis des instants : "
ONCE = r"^study doit contenir chaque combinaison une fois par graine : "
REFUSED = {
    "sans graine": (lambda: without_columns("graine"), COLUMNS + r"\['gamma', .*\] reçu\.$"),
    "sans champ": (lambda: without_columns(*VALUES), COLUMNS),
    "sans instant": (lambda: without_columns(*INSTANTS), COLUMNS + r".*'graine'\] reçu\.$"),
    "vide": (dict, COLUMNS + r"\[\] reçu\.$"),
    "un mot": (lambda: "étude", COLUMNS),
    "une combinaison manque": (
        lambda: rows((study()["gamma"] < 0.6) | (study()["capacity"] > 100)),
        ONCE + r"12 lignes reçues, 18 attendues\.$",
    ),
    "une ligne manque": (lambda: rows(slice(1, None)), ONCE + "17 lignes reçues, 18 attendues"),
    "une ligne double": (lambda: rows([0, *range(18)]), ONCE + "19 lignes reçues, 18 attendues"),
    "une ligne en remplace une autre": (lambda: rows([1, *range(1, 18)]), ONCE + "18 lignes"),
    "une autre graine": (lambda: with_cell("graine", 7), ONCE + "18 lignes reçues, 24 attendues"),
    "un champ inconnu": (lambda: {"bidule": study()["gamma"], **study()}, "'bidule' reçu"),
    "un champ sans curseur": (lambda: {"warmup": study()["gamma"], **study()}, "'warmup' reçu"),
    "un champ en mots": (lambda: with_cell("gamma", "beaucoup"), r"^gamma doit être un tableau de"),
    "un champ NaN": (lambda: with_cell("gamma", np.nan), "^gamma ne doit contenir .* finis"),
    "un retour en mots": (lambda: with_cell("80", "neuf"), "^80 doit être un tableau de nombres"),
    "un retour NaN": (lambda: with_cell("80", np.nan), "^80 ne doit contenir .* ni NaN ni infini"),
    "un retour infini": (lambda: with_cell("800", np.inf), "^800 ne doit contenir .* ni infini"),
    "un seul retour": (lambda: study(**{"80": 9.0}), r"^80 doit être de forme \(18,\) : \(\) reçu"),
}
LET_THROUGH = {
    "rien": lambda: None,
    "un nombre": lambda: 3,
    "des noms de colonnes": lambda: ["gamma", "graine", "40"],
    "aucune ligne": lambda: rows(slice(0)),
    "des instants inégaux": lambda: study(**{"80": study()["80"][1:]}),
    "des champs inégaux": lambda: study(gamma=study()["gamma"][1:]),
    "un retour négatif": lambda: with_cell("80", -3),
    "un retour que 16 bits ne contiennent pas": lambda: with_cell("80", 65_536),
    "un retour qui s'arrondit trop haut": lambda: with_cell("80", 65_535.6),
    "un instant en mots": lambda: study(fin=study()["40"]),
    "un instant qui n'est pas entier": lambda: study(**{"900.5": study()["40"]}),
    "un instant négatif": lambda: study(**{"-5": study()["40"]}),
    "deux fois le même instant": lambda: study(**{"0800": study()["40"]}),
    "des graines en mots": lambda: study(graine=study()["graine"].astype(str)),
    "une graine NaN": lambda: study(graine=np.where(study()["graine"], study()["graine"], np.nan)),
    "des graines négatives": lambda: study(graine=study()["graine"] - 1),
    "des graines qui ne sont pas entières": lambda: study(graine=study()["graine"] / 2),
    "un champ entier qui ne l'est pas": lambda: study(capacity=study()["capacity"] / 7),
    "un champ qui n'est pas un nombre": lambda: one_field("hidden", (8, 16)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_study_is_refused_in_french(case):
    build, told = REFUSED[case]
    with pytest.raises((TypeError, ValueError), match=told):
        explorer(build())


@pytest.mark.parametrize("case", LET_THROUGH)
def test_an_odd_study_is_refused_in_french(case):
    with pytest.raises((TypeError, ValueError), match=FRENCH):
        explorer(LET_THROUGH[case]())


@pytest.mark.parametrize("configure", [None, "tuned", SMALL, {}])
def test_what_cannot_be_called_does_not_configure(configure):
    with pytest.raises(TypeError, match=r"^configure doit être une fonction : .* reçu\.$"):
        explorer(study(), configure)


# L'entraînement pour de vrai


def archived(config, seeds):
    """Les retours qu'une étude archive : {graine: vingt moyennes, arrondies}."""
    training, means, every = Training(config, seeds), [], config.total_steps // 20
    for step in training.run():
        if step.env_steps % every < config.carts:
            starts = fresh_seed(Purpose.PANEL, step.env_steps)
            scores = evaluate(training.agent, 20, starts)
            means.append([f"{score:.0f}" for score in scores.mean(axis=-1)])
    return dict(zip(seeds, zip(*means, strict=True), strict=True))


def test_the_real_training_gives_the_archived_curve_back(make):
    gammas, seeds, instants = (0.5, 0.98), (0, 3), [*range(40, 801, 40)]
    curves = {
        (gamma, seed): [*map(float, row)]
        for gamma in gammas
        for seed, row in archived(small(gamma=gamma, capacity=1_000), seeds).items()
    }
    assert len({*map(tuple, curves.values())}) == len(curves)  # sinon, l'une vaudrait l'autre
    keys = [(gamma, 1_000, seed) for gamma, seed in curves]
    one = make(table(keys, curves.values(), map(str, instants)))
    for (gamma, seed), curve in curves.items():
        ranks = [gammas.index(gamma), 0]
        live = trained(one, ranks, seed).live
        assert (live["phase"], live["error"], live["env_steps"]) == (FINISHED, "", 800)
        assert live["greedy"]["x"] == one.instants == instants
        assert [f"{score:.0f}" for score in live["greedy"]["y"]] == [f"{y:.0f}" for y in curve]
        assert decoded(one)[(*ranks, seed)] == curve


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


def test_a_real_training_is_a_bare_training_to_the_last_bit(make):
    one, bare = trained(make(), [2, 0], 3), Training(small(gamma=1.0, capacity=60), 3)
    assert [*bare.run()][-1].env_steps == 800
    assert torch.equal(one.run.agent.weights, bare.agent.weights)
    assert (one.run.config, one.run.seed) == (bare.config, 3)
    told = {name: one.live[name] for name in ("ranks", "seed", "phase")}
    assert told == {"ranks": [2, 0], "seed": 3, "phase": FINISHED}
    assert eval(one.live["line"], {"replace": replace, "QUICK": QUICK}) == bare.config


def test_a_seed_that_is_not_archived_can_be_trained(make):
    one = trained(make(), [0, 0], 12)
    assert 12 not in one.seeds
    assert (one.live["seed"], one.live["phase"]) == (12, FINISHED)


def test_before_any_training_there_is_nothing_to_wait_for(make):
    one = make()
    assert (one.run, one.live) == (None, {"phase": ""})
    for timeout in (None, 0, 5):
        with pytest.raises(RuntimeError, match=r"^Rien à attendre : aucun entraînement n'a comm"):
            one.wait(timeout)


def test_before_any_training_stopping_does_nothing(make):
    one = make()
    before = shown(one)
    one.stop()
    one.receive({"do": "stop"}, [])
    assert shown(one) == before


def test_waiting_too_briefly_says_so(make, turns):
    one = make()
    one.train([0, 0])
    turns.asked()
    with pytest.raises(TimeoutError, match=r"^Pas de fin après 0,01 s : le calcul est en cours\.$"):
        one.wait(0.01)


def test_a_stop_keeps_the_curve(make, turns):
    one = make()
    one.train([1, 1], 3)
    turns.let(12)
    turns.asked(13)
    assert one.live["phase"] == RUNNING
    one.stop()
    turns.let()
    one.wait(PATIENCE)
    assert (one.live["phase"], one.live["env_steps"], one.live["error"]) == (STOPPED, 52, "")
    assert one.live["greedy"]["x"] == [40]
    one.stop()
    assert one.live["phase"] == STOPPED


def test_one_can_train_again_after_a_stop(make, turns):
    one = make()
    one.train([0, 0])
    turns.asked()
    one.stop()
    turns.let(10_000)
    one.wait(PATIENCE)
    assert trained(one, [1, 0]).live["phase"] == FINISHED


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
    assert first is not one.run
    assert first.now()["env_steps"] == 24  # le tour en cours, et plus aucun
    assert {(tuple(live["ranks"]), live["seed"]) for live in seen} == {((1, 1), 3)}
    assert [live["env_steps"] for live in seen[:-1]] == [*range(4, 801, 4)]
    assert (one.live["phase"], one.live["env_steps"]) == (FINISHED, 800)


def test_two_explorers_do_not_touch_each_other(make):
    one, other = make(), make()
    one.train([0, 0], 0), other.train([1, 1], 3)
    one.wait(PATIENCE), other.wait(PATIENCE)
    assert (one.live["ranks"], other.live["ranks"]) == ([0, 0], [1, 1])
    assert one.live["greedy"] == trained(make(), [0, 0], 0).live["greedy"]
    assert one.live["greedy"] != other.live["greedy"]


def test_news_are_given_often_enough_for_the_eye_and_no_more(make, monkeypatch):
    advance, elapsed, seen = Training.advance, [0.0], []

    def slow(training):
        elapsed[0] += 0.4 * explorer_module.PERIOD
        return advance(training)

    monkeypatch.setattr(Training, "advance", slow)
    monkeypatch.setattr(explorer_module, "perf_counter", lambda: elapsed[0])
    one = make()
    one.observe(lambda change: seen.append(change.new["env_steps"]), "live")
    trained(one, [0, 0])
    assert (seen[0], seen[-1]) == (4, 800)
    assert {after - before for before, after in pairwise(seen[:-1])} == {3 * 4}


# Ce que demande la page


def test_the_page_trains_and_stops(make, turns, monkeypatch):
    one = make()
    assert ask(one, {"do": "train", "ranks": [2, 1], "seed": 11}, monkeypatch) == {}
    turns.let()
    turns.asked(2)
    assert (one.live["ranks"], one.live["seed"]) == ([2, 1], 11)
    assert ask(one, {"do": "stop"}, monkeypatch) == {}
    turns.let()
    one.wait(PATIENCE)
    assert (one.live["phase"], one.live["env_steps"]) == (STOPPED, 8)


GOOD = {"do": "train", "ranks": [0, 1], "seed": 0}
NO_SEED = "seed doit être un entier supérieur ou égal à 0 : "
BAD_MESSAGES = [
    ({}, "Message incompris : {'id': 'x1'} reçu."),
    ({"do": "danser"}, "Message incompris : "),
    ({"do": ["stop"]}, "Message incompris : "),
    ({"do": "train"}, "ranks doit "),
    *(({**GOOD, "ranks": ranks}, "ranks doit ") for ranks in (None, 0, "01", {"0": 0}, HOSTILE)),
    *(({**GOOD, "ranks": ranks}, "ranks doit donner 2 rangs, ") for ranks in ([], [0], [0, 0, 0])),
    *(
        ({**GOOD, "ranks": [0, rank]}, f"ranks doit être un entier entre 0 et 1 : {rank!r} reçu.")
        for rank in (2, -1, True, 1.0, "1", None, [0], float("nan"))
    ),
    ({**GOOD, "ranks": [3, 0]}, "ranks doit être un entier entre 0 et 2 : 3 reçu."),
    ({"do": "train", "ranks": [0, 1]}, f"{NO_SEED}None reçu."),
    *(
        ({**GOOD, "seed": seed}, f"{NO_SEED}{seed!r} reçu.")
        for seed in (-1, 1.5, 0.0, "0", None, True, [0], float("nan"))
    ),
]


@pytest.mark.parametrize(("message", "told"), BAD_MESSAGES, ids=lambda value: str(value)[:60])
def test_a_bad_message_changes_nothing_and_is_answered_in_french(
    message, told, make, turns, monkeypatch
):
    one = make()
    idle = shown(one)
    assert plain(ask(one, message, monkeypatch)["error"]).startswith(plain(told))
    assert shown(one) == idle
    one.train([1, 0])
    turns.let()
    turns.asked(2)
    busy = shown(one)
    assert plain(ask(one, message, monkeypatch)["error"]).startswith(plain(told))
    assert shown(one) == busy
    turns.let()
    turns.asked()
    assert (one.live["phase"], one.live["ranks"], one.live["env_steps"]) == (RUNNING, [1, 0], 8)
    one.stop()


@pytest.mark.parametrize(
    ("configure", "told"),
    [
        (lambda **changes: None, "config doit être un Config : None reçu."),
        (lambda **changes: tuned(gamma=2), "gamma doit être un nombre entre 0 et 1 : 2 reçu."),
        (
            lambda **changes: tuned(capacity=9),
            "capacity doit être au moins égal à batch_size, à warmup et à carts : capacity=9, "
            "batch_size=128, warmup=256, carts=16 reçus.",
        ),
    ],
)
def test_a_configuration_that_is_refused_is_told_to_the_page(configure, told, make, monkeypatch):
    one = make(study(), configure)
    idle = shown(one)
    assert plain(ask(one, GOOD, monkeypatch)["error"]) == told
    assert shown(one) == idle


@pytest.mark.parametrize("ranks", [[0, 2], [0, True], [0, 1.0], [-1, 0]])
def test_bad_ranks_are_refused(ranks, make):
    with pytest.raises((TypeError, ValueError), match=r"^ranks doit être un entier entre 0 et "):
        make().train(ranks)


@pytest.mark.parametrize("ranks", [[0], [0, 0, 0], None, 5], ids=str)
def test_what_does_not_give_one_rank_per_field_is_refused(ranks, make):
    with pytest.raises((TypeError, ValueError), match=rf"^ranks.*{FRENCH}"):
        make().train(ranks)


@pytest.mark.parametrize("ranks", [np.array([1, 0]), [np.int64(1), np.int64(0)]], ids=repr)
def test_ranks_that_numpy_has_computed_are_ranks(ranks, make):
    one = trained(make(), ranks)
    assert json.loads(json.dumps(one.live, allow_nan=False))["ranks"] == [1, 0]


# Ce qui échoue


@pytest.fixture
def broken(monkeypatch):
    """`broken(error)` : l'entraînement échoue au cinquième tour."""

    def install(error):
        advance = Training.advance

        def failing(training):
            if training.step == 4:
                raise error
            return advance(training)

        monkeypatch.setattr(Training, "advance", failing)

    return install


@pytest.mark.parametrize("error", [MemoryError("plein"), ValueError(HOSTILE), KeyboardInterrupt()])
def test_a_training_that_fails_says_so_and_waiting_raises_its_error(error, make, broken):
    broken(error)
    one = make()
    one.train([0, 1], 3)
    for _ in range(2):
        with pytest.raises(type(error)) as raised:
            one.wait(PATIENCE)
        assert raised.value is error
    assert (one.live["phase"], one.live["ranks"], one.live["env_steps"]) == (FAILED, [0, 1], 16)
    told = f"L'entraînement a échoué ({type(error).__name__}) : {error}"
    assert plain(one.live["error"]) == told


def test_after_a_failure_one_can_train_again(make, monkeypatch):
    one = make()
    with monkeypatch.context() as patched:
        patched.setattr(Training, "advance", lambda training: 1 / 0)
        one.train([0, 0])
        with pytest.raises(ZeroDivisionError):
            one.wait(PATIENCE)
    assert trained(one, [0, 0]).live["error"] == ""
    assert one.live["phase"] == FINISHED


# Ce qui reste dans le carnet


def test_what_the_page_is_given_is_json(make):
    one = trained(make(), [2, 1], 3)
    given = {name: getattr(one, name) for name in TRAITS if name != "returns"}
    assert json.loads(json.dumps(given, allow_nan=False)) == given


def test_the_saved_page_holds_all_that_the_page_reads(make):
    one = trained(make(), [2, 1], 3)
    state = frozen_state(one.frozen())
    assert b64decode(state.pop("returns")["base64"]) == one.returns
    assert state == {name: getattr(one, name) for name in TRAITS if name != "returns"}


def test_the_saved_page_is_the_same_for_the_same_study(make):
    one, other = make(), make(table(CELLS, SCORES))
    assert one.frozen() == one.frozen() == other.frozen()
    assert trained(one, [0, 0]).frozen() == trained(other, [0, 0]).frozen()
    changed = study()
    changed["80"][0] += 1
    assert make(changed).frozen() != make().frozen()


def test_the_saved_page_of_the_archive_is_light(archive):
    page = explorer(archive).frozen()
    assert len(page.encode()) < 200_000
    assert page == explorer(archive).frozen()


def test_what_an_error_says_is_never_read_as_html(make, broken):
    broken(ValueError(f"{HOSTILE} <!--"))
    one = make()
    one.train([0, 0])
    with pytest.raises(ValueError, match="onerror"):
        one.wait(PATIENCE)
    page = one.frozen()
    assert page.count("</script>") == page.count("<script>") == page.count("<img") == 1
    assert "<!--" not in page
    assert HOSTILE in frozen_state(page)["live"]["error"]


def test_the_picture_is_the_median_of_the_seeds_where_the_sliders_start(make):
    start = [row for cell, row in zip(CELLS, SCORES, strict=True) if cell[:2] == (0.98, 1_000)]
    first, *_, last = [statistics.median(column) for column in zip(*start, strict=True)]
    alt = plain(make().still.alt)
    assert alt.startswith("La Version 2, telle que l'étude l'a archivée")
    assert alt.endswith(f"pas de jeu : médiane de 3 graines de {first:g} à {last:g}.")


def test_a_saved_notebook_has_the_page_and_a_live_one_the_widget(make):
    one = trained(make(), [0, 0])
    data = one._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == one.model_id
    assert data["text/html"] == one.frozen()
    assert data["text/plain"] == one.still.alt
    assert f'alt="{one.still.alt}"' in data["text/html"]
    assert isinstance(one, Explorer)
