"""L'historique, comparé à une boucle naïve sur les mêmes tours ; les études, à `csv.DictReader`."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from trainings import SEEDS, short

from cartpole_helpers import (
    Config,
    History,
    Recorder,
    Step,
    Training,
    load_study,
    record,
    train,
)

SMALL = Config(
    total_steps=400,
    carts=4,
    hidden=(8,),
    epsilon_steps=200,
    capacity=100,
    batch_size=16,
    warmup=32,
    learn_every=3,
)
ROOT = Path(__file__).resolve().parents[1]
ARCHIVES = sorted((ROOT / "etudes").glob("*.csv"))


def naive_history(steps):
    """Un dictionnaire de listes, rempli tour par tour, chariot par chariot."""
    found = {name: [] for name in History._fields}
    updates = steps[0].gradient_steps if np.isnan(steps[0].loss).all() else 0
    for step in steps:
        for agent, returns in enumerate(step.episode_return.tolist()):
            for cart, episode_return in enumerate(returns):
                if not np.isnan(episode_return):
                    fell, timed_out = step.terminated[agent, cart], step.truncated[agent, cart]
                    found["episode_agent"].append(agent)
                    found["episode_env_steps"].append(step.env_steps)
                    found["episode_return"].append(episode_return)
                    found["episode_truncated"].append(bool(timed_out) and not fell)
        if step.gradient_steps != updates:
            found["update_env_steps"].append(step.env_steps)
            found["loss"].append(step.loss.tolist())
            found["epsilon"].append(step.epsilon)
        updates = step.gradient_steps
    return found


def assert_same_history(history, expected):
    for name, array in zip(History._fields, history, strict=True):
        assert type(array) is np.ndarray, name
        np.testing.assert_array_equal(array.tolist(), expected[name], err_msg=name)


def step_of(episode_return, terminated, truncated, **changes):
    """Un tour écrit à la main, sans mise à jour ; les tableaux (S, E) sont donnés en listes."""
    ended = np.array(episode_return, float)
    lead = ended.shape
    step = Step(
        observation=np.zeros((*lead, 4), np.float32),
        action=np.zeros(lead, int),
        reward=np.ones(lead),
        terminated=np.array(terminated, bool),
        truncated=np.array(truncated, bool),
        next_observation=np.zeros((*lead, 4), np.float32),
        episode_return=ended,
        loss=np.full(lead[0], np.nan, np.float32),
        updated=False,
        epsilon=0.5,
        env_steps=10,
        gradient_steps=0,
    )
    return step._replace(**changes)


def quiet_step(agents=2, **changes):
    """Un tour où aucun épisode ne s'achève."""
    alive = np.zeros((agents, 1), bool)
    return step_of(np.full((agents, 1), np.nan), alive, alive, **changes)


@pytest.mark.parametrize("seeds", [7, SEEDS])
@pytest.mark.parametrize("changes", [{}, {"learn_every": 1}, {"carts": 1}, {"n_steps": 3}])
def test_a_history_is_what_a_naive_loop_finds(seeds, changes):
    steps = list(train(replace(SMALL, **changes), seeds, env=short(14)))
    expected = naive_history(steps)
    assert {True, False} == set(expected["episode_truncated"])
    assert 0 < len(expected["loss"]) < len(steps)
    assert_same_history(record(steps), expected)


def test_shapes_and_kinds():
    history = record(train(SMALL, SEEDS, env=short(14)))
    episodes, updates = len(history.episode_return), len(history.update_env_steps)
    assert history.episode_agent.shape == history.episode_env_steps.shape == (episodes,)
    assert history.episode_return.shape == history.episode_truncated.shape == (episodes,)
    assert history.loss.shape == (updates, 3)
    assert history.epsilon.shape == (updates,)
    assert [array.dtype.kind for array in history] == ["i", "i", "f", "b", "i", "f", "f"]


def test_every_environment_step_belongs_to_an_episode_or_to_its_beginning():
    training = Training(SMALL, SEEDS, env=short(14))
    history = record(training.advance() for _ in range(100))
    for agent in range(3):
        _, returns = history.returns(agent)
        assert 0 <= training.env_steps - returns.sum() < SMALL.carts * 14


def test_a_diverged_loss_is_an_update_all_the_same():
    steps = [quiet_step(), quiet_step(updated=True), quiet_step()]
    history = record(steps)
    assert history.loss.shape == (1, 2)
    assert np.isnan(history.loss).all()


def test_truncated_means_stopped_by_the_time_limit_alone():
    step = step_of([[10, 11, 12, np.nan]], [[1, 0, 1, 0]], [[0, 1, 1, 0]])
    history = record([step])
    assert history.episode_return.tolist() == [10, 11, 12]
    assert history.episode_truncated.tolist() == [False, True, False]


def test_returns_are_those_of_one_agent():
    steps = list(train(SMALL, SEEDS, env=short(14)))
    history = record(steps)
    for agent, seed in enumerate(SEEDS):
        alone = record(train(SMALL, seed, env=short(14)))
        for received, expected in zip(history.returns(agent), alone.returns(), strict=True):
            np.testing.assert_array_equal(received, expected)
    for received, first in zip(history.returns(), history.returns(0), strict=True):
        np.testing.assert_array_equal(received, first)


@pytest.mark.parametrize("agent", [3, -4, "0"])
def test_the_returns_of_a_missing_agent_are_refused(agent):
    history = record(train(SMALL, SEEDS, env=short(14)))
    with pytest.raises((IndexError, TypeError, ValueError), match=f"agent doit.*{agent!r} reçu"):
        history.returns(agent)


# Traceurs


def test_a_recorder_can_be_read_while_it_records():
    steps = list(train(SMALL, SEEDS, env=short(14)))
    recorder, first = Recorder(), None
    for turn, step in enumerate(steps, 1):
        recorder.add(step)
        if turn == 60:
            first = recorder.history()
    assert_same_history(first, naive_history(steps[:60]))
    assert_same_history(recorder.history(), naive_history(steps))


def test_a_recorder_may_begin_in_the_middle_of_a_training():
    training = Training(SMALL, SEEDS, env=short(14))
    while training.gradient_steps < 4:
        training.advance()
    training.advance()  # ce tour-là n'apprend pas : learn_every vaut 3
    steps = [training.advance() for _ in range(30)]
    assert np.isnan(steps[0].loss).all()
    assert not np.isnan(steps[1].loss).any()
    assert_same_history(record(steps), naive_history(steps))


def test_a_recorder_may_begin_on_an_update():
    training = Training(SMALL, SEEDS, env=short(14))
    while training.gradient_steps < 4:
        last = training.advance()
    history = record([last, training.advance()])
    assert history.update_env_steps.tolist() == [last.env_steps]


def test_recording_changes_no_step():
    steps, witness = (
        list(train(SMALL, SEEDS, env=short(14))),
        list(train(SMALL, SEEDS, env=short(14))),
    )
    record(steps)
    for step, other in zip(steps, witness, strict=True):
        for name, array, expected in zip(Step._fields, step, other, strict=True):
            np.testing.assert_array_equal(array, expected, err_msg=name)


def test_an_empty_history():
    for history in (record([]), Recorder().history()):
        assert [len(array) for array in history] == [0] * 7
        assert history.loss.ndim == 2
        assert [array.dtype.kind for array in history] == ["i", "i", "f", "b", "i", "f", "f"]
        assert [len(array) for array in history.returns()] == [0, 0]


def test_a_history_without_an_update_or_an_episode_keeps_its_shapes():
    history = record([quiet_step(agents=3)])
    assert history.loss.shape == (0, 3)
    assert history.episode_return.shape == history.episode_truncated.shape == (0,)


# Les études archivées


def numbers(column):
    """Les nombres d'une colonne, ou None si une case n'en est pas un."""
    try:
        return [float(cell) for cell in column]
    except ValueError:
        return None


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_an_archive_is_what_a_reader_of_csv_finds(path, kind, tmp_path):
    copy = tmp_path / path.name  # une étude en cours grandit entre deux lectures
    copy.write_bytes(path.read_bytes())
    with copy.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    study = load_study(kind(copy))
    assert list(study) == list(rows[0])
    for name, column in study.items():
        expected = [row[name] for row in rows]
        assert column.shape == (len(rows),)
        assert column.dtype.kind == ("U" if numbers(expected) is None else "f")
        np.testing.assert_array_equal(column, numbers(expected) or expected)  # NaN compris


def test_archives_have_columns_of_both_kinds():
    kinds = [{array.dtype.kind for array in load_study(path).values()} for path in ARCHIVES]
    assert set().union(*kinds) == {"U", "f"}


def test_reading_tells_which_archive_and_nothing_of_the_machine(tmp_path, capsys):
    path = tmp_path / "dossier" / "mesure.csv"
    path.parent.mkdir()
    path.write_text("a,b\n1,x\n2,y\n3,z\n", "utf-8")
    load_study(path)
    told = capsys.readouterr().out
    assert told.endswith("\n")
    assert told.count("\n") == 1
    assert {"mesure.csv", "mesure.py"} <= set(re.findall(r"[\w./]*mesure\.\w+", told))
    assert "3 lignes" in told
    assert "/" not in told


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a\n1\n", {"a": [1.0]}),
        ("a,b\r\n1,-2.5e3\r\n", {"a": [1.0], "b": [-2500.0]}),
        ("\ufeffa,b\n1,2\n", {"a": [1.0], "b": [2.0]}),  # comme l'écrit un tableur
        ('nom,b\n"≥ 1,2",3\n', {"nom": ["≥ 1,2"], "b": [3.0]}),
        ("a,b\n1,2\nx,3\n", {"a": ["1", "x"], "b": [2.0, 3.0]}),
        ("a,b\n1,\n2,3\n", {"a": [1.0, 2.0], "b": ["", "3"]}),
        ('a,b\n1,"deux\nlignes"\n', {"a": [1.0], "b": ["deux\nlignes"]}),
    ],
)
def test_little_archives(content, expected, tmp_path):
    path = tmp_path / "étude.csv"
    path.write_text(content, "utf-8", newline="")
    assert {name: column.tolist() for name, column in load_study(path).items()} == expected


BAD_ARCHIVES = {
    "empty": (b"", "est vide ou coupée"),
    "header alone": (b"a,b\n", "est vide ou coupée"),
    "blank lines": (b"\n\n", "est vide ou coupée"),
    "short row": (b"a,b\n1,2\n3\n", "est vide ou coupée"),
    "long row": (b"a,b\n1,2\n3,4,5\n", "est vide ou coupée"),
    "blank row": (b"a,b\n1,2\n\n3,4\n", "est vide ou coupée"),
    "cut in a number": (b"a,b\n1,2\n3,45", "est vide ou coupée"),
    "cut in quotes": (b'a,b\n1,2\n3,"4', "est vide ou coupée"),
    "twice a name": (b"a,a\n1,2\n", "aux colonnes distinctes"),
    "latin-1": ("a,été\n1,2\n".encode("latin-1"), "en UTF-8"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "en UTF-8"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "en UTF-8"),
    "one huge cell": (b"a\n" + b"1" * 200_000 + b"\n", "en UTF-8"),
}


@pytest.mark.parametrize("name", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_in_french(name, tmp_path, capsys):
    content, reason = BAD_ARCHIVES[name]
    path = tmp_path / "étude.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^path doit être .*{reason}") as refusal:
        load_study(path)
    assert type(refusal.value) is ValueError
    assert capsys.readouterr().out == ""


def test_every_cut_of_an_archive_is_refused_unless_it_leaves_whole_rows(tmp_path):
    whole = (ROOT / "etudes" / "vitesse.csv").read_bytes()
    header, *rows = whole.splitlines(keepends=True)
    ends = {len(header) + sum(map(len, rows[:count])) for count in range(1, len(rows) + 1)}
    path = tmp_path / "vitesse.csv"
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        if size in ends:
            assert len(load_study(path)["mesure"]) == whole[:size].count(b"\n") - 1
        else:
            with pytest.raises(ValueError, match=r"^path doit être .*vitesse\.csv"):
                load_study(path)


@pytest.mark.parametrize("name", ["absente.csv", "."])
def test_a_missing_archive_is_refused(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^path doit être une étude archivée, .*\.csv"):
        load_study(tmp_path / name)


@pytest.mark.parametrize("path", [3, None, b"etude.csv"])
def test_an_archive_is_named_by_a_path(path):
    with pytest.raises(TypeError, match=r"^path doit être un chemin : .* reçu\.$"):
        load_study(path)
