"""Le laboratoire : chaque intervention ne change que ce qu'elle annonce, et après son heure."""

from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from trainings import assert_same_steps, run, short

from cartpole_helpers import QUICK, ReplayBuffer, load_training, save_training
from cartpole_helpers.teaching.laboratory import (
    SINCE,
    Amnesic,
    Doubled,
    WithPlacebo,
    WithReserve,
    collapsed,
)

SEEDS, ROUNDS = (0, 1), SINCE // 16 + 100
# Personne n'apprend : les chariots vivent les mêmes épisodes dans tous les entraînements.
IDLE = replace(QUICK, capacity=20_000, warmup=20_000)


amnesic = partial(Amnesic, seeds=SEEDS)


def usual():
    return ReplayBuffer(IDLE.capacity, seeds=SEEDS)


def lived(kind):
    """La mémoire d'un entraînement qui n'apprend pas, et ce qu'elle garde."""
    memory = kind(usual())
    run(IDLE, SEEDS, ROUNDS, memory=memory)
    return memory, memory.contents()._asdict()


def rows(columns):
    """Les transitions de la première graine entrées après l'heure, en n-uplets, comptées."""
    flat = [columns[name][0, SINCE:].reshape(ROUNDS * QUICK.carts - SINCE, -1) for name in FIELDS]
    return Counter(tuple(row) for row in np.concatenate(flat, axis=1))


FIELDS = ("observation", "action", "terminated")


@pytest.fixture(scope="module")
def ordinary():
    """Ce qu'a gardé la mémoire ordinaire."""
    return lived(lambda inner: inner)[1]


def test_the_amnesic_forgets_after_its_hour_the_share_of_falls_it_is_told(ordinary):
    falls = ordinary["terminated"]
    none, half, whole = (
        lived(partial(amnesic, kept=kept))[1]["terminated"] for kept in (0, 0.5, 1)
    )
    np.testing.assert_array_equal(none[:, :SINCE], falls[:, :SINCE])
    assert not none[:, SINCE:].any()
    np.testing.assert_array_equal(whole, falls)
    assert (half <= falls).all()
    assert 0.3 < half[:, SINCE:].sum() / falls[:, SINCE:].sum() < 0.7


def test_the_double_repeats_the_step_before_each_fall_and_keeps_the_fall(ordinary):
    other = lived(Doubled)[1]
    for name in FIELDS:
        np.testing.assert_array_equal(ordinary[name][:, :SINCE], other[name][:, :SINCE])
    extra, lost = rows(other) - rows(ordinary), rows(ordinary) - rows(other)
    assert 0 < extra.total() == lost.total()
    assert not any(row[-1] for row in (*extra, *lost))  # aucune chute en plus, aucune en moins
    assert max(abs(row[2]) for row in lost) <= 0.05  # un premier pas : près de l'équilibre
    assert min(abs(row[2]) for row in extra) > 0.1


def test_the_placebo_holds_as_many_steps_as_the_reserve_and_no_fall():
    kinds = (partial(kind, seeds=SEEDS) for kind in (WithReserve, WithPlacebo))
    falls, placebo = (lived(kind)[0].reserves[0] for kind in kinds)
    assert falls.contents().terminated.all()
    assert not placebo.contents().terminated.any()
    assert 0.8 * len(falls) <= len(placebo) <= len(falls)


@pytest.mark.parametrize(
    "kind",
    [
        partial(Amnesic, seeds=SEEDS, kept=0.3),
        Doubled,
        partial(WithReserve, seeds=SEEDS),
        partial(WithPlacebo, seeds=SEEDS),
    ],
)
def test_a_training_with_a_memory_given_again_resumes_exactly(kind, tmp_path):
    """Après l'heure ; l'agent apprend tous les dix tours, sur des épisodes de 40 pas."""
    config = replace(QUICK, capacity=11_000, learn_every=10, epsilon_end=1.0)
    path = tmp_path / "training"
    training, _ = run(config, SEEDS, ROUNDS, memory=kind(usual()), env=short(40))
    save_training(training, path)
    expected = [training.advance() for _ in range(60)]
    resumed = load_training(path, memory=kind(usual()), env=short(40))
    assert_same_steps([resumed.advance() for _ in range(60)], expected)
    assert (resumed.agent.weights == training.agent.weights).all()
    for received, kept in zip(resumed.memory.contents(), training.memory.contents(), strict=True):
        np.testing.assert_array_equal(received, kept)


def test_a_collapse_comes_after_a_success_and_after_the_intervention():
    env_steps = np.array([SINCE - 1, SINCE, SINCE + 1, SINCE + 2])
    returns = [
        (475, 199, 500, 500),  # à l'heure juste
        (474, 10, 10, 10),  # jamais réussi
        (10, 10, 199, 475),  # réussi trop tard
        (475, 300, 300, 199),  # réussi avant, tombé après
    ]
    assert collapsed(env_steps, np.array(returns, float)).tolist() == [False, False, False, True]
