"""Le laboratoire : chaque intervention ne change que ce qu'elle annonce, et après son heure."""

from collections import Counter
from functools import partial

import numpy as np
import pytest

from cartpole_helpers import QUICK, Training
from cartpole_helpers.teaching import laboratory
from cartpole_helpers.teaching.laboratory import (
    Amnesic,
    Doubled,
    WithPlacebo,
    WithReserve,
    collapsed,
)

# Personne n'apprend : les chariots vivent les mêmes épisodes dans tous les entraînements.
SEEDS, SINCE, ROUNDS = (0, 1), 400, 150


def lived(kind):
    """Ce que garde, une graine après l'autre, la mémoire d'un entraînement qui n'apprend pas."""
    training = kind(QUICK, SEEDS)
    training._learn = lambda batch: np.full(len(SEEDS), np.nan)
    for _ in range(ROUNDS):
        training.advance()
    return training, training.memory.saved_state()


def rows(memory, *, since=0):
    """Les transitions de la première graine entrées après `since` pas, en n-uplets."""
    columns = (memory[name][0, since:].reshape(ROUNDS * QUICK.carts - since, -1) for name in FIELDS)
    return [tuple(row) for row in np.concatenate([*columns], axis=1)]


FIELDS = ("observation", "action", "terminated")


@pytest.fixture(autouse=True)
def _early(monkeypatch):
    monkeypatch.setattr(laboratory, "SINCE", SINCE)


@pytest.fixture
def falls():
    """Les chutes qu'a gardées la mémoire ordinaire : (S, C)."""
    return lived(Training)[1]["terminated"]


def test_the_amnesic_forgets_falls_after_its_hour_only(falls):
    kept = lived(Amnesic)[1]["terminated"]
    assert falls[:, SINCE:].sum() > 20
    np.testing.assert_array_equal(kept[:, :SINCE], falls[:, :SINCE])
    assert not kept[:, SINCE:].any()


def test_the_amnesic_keeps_the_share_of_falls_it_is_told(falls):
    quarter, half, whole = (
        lived(partial(Amnesic, kept=kept))[1]["terminated"] for kept in (0.25, 0.5, 1)
    )
    np.testing.assert_array_equal(whole, falls)
    assert (quarter <= half).all()  # les mêmes tirages : une dose contient la plus faible
    assert falls[:, :SINCE].sum() < quarter.sum() < half.sum() < falls.sum()


def test_the_double_repeats_the_step_before_each_fall_and_keeps_the_fall():
    after = slice(SINCE, None)
    ordinary, doubled = (rows(lived(kind)[1], since=SINCE) for kind in (Training, Doubled))
    extra, lost = Counter(doubled) - Counter(ordinary), Counter(ordinary) - Counter(doubled)
    assert len(ordinary) == len(doubled)
    assert 0 < extra.total() == lost.total()
    assert not any(row[-1] for row in (*extra, *lost))  # aucune chute en plus, aucune en moins
    eves = {row[:4] for row in rows(lived(Amnesic)[1])}
    assert {row[:4] for row in extra} <= eves
    assert max(abs(row[2]) for row in lost) <= 0.05  # un premier pas : près de l'équilibre
    assert min(abs(row[2]) for row in extra) > 0.1
    assert after.start == SINCE


def test_the_placebo_holds_as_many_steps_as_the_reserve_and_no_fall():
    falls, placebo = (lived(kind)[0].reserves[0] for kind in (WithReserve, WithPlacebo))
    assert falls.saved_state()["terminated"].all()
    assert not placebo.saved_state()["terminated"].any()
    assert 0.8 * len(falls) <= len(placebo) <= len(falls)


def test_a_collapse_comes_after_a_success_and_after_the_intervention():
    env_steps = np.array([SINCE - 1, SINCE, SINCE + 1, SINCE + 2])
    seeds = {
        "avant seulement": (475, 10, 475, 300),
        "à l'heure juste": (475, 199, 500, 500),
        "jamais réussi": (474, 10, 10, 10),
        "réussi trop tard": (10, 10, 199, 475),
        "réussi avant, tombé après": (475, 300, 300, 199),
        "tombé deux fois": (475, 10, 500, 10),
    }
    fell = collapsed(env_steps, np.array([*seeds.values()], float))
    assert [name for name, one in zip(seeds, fell, strict=True) if one] == [*seeds][-2:]
