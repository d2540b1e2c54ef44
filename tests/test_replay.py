"""La mémoire de rejeu, comparée à un `collections.deque` et à la loi uniforme."""

from collections import deque
from itertools import count

import numpy as np
import pytest
from scipy.stats import chi2

from cartpole_helpers import ReplayBuffer, Transition
from cartpole_helpers.replay import DiscountedTransition, StepWindow


def transitions(numbers):
    """La transition de numéro k, reconnaissable à chacun de ses champs : `numbers` (...)."""
    k = np.asarray(numbers)
    return Transition(
        observation=(k[..., None] + np.array([0, 0.25, 0.5, 0.75])).astype(np.float32),
        action=k % 2,
        reward=(k / 2).astype(np.float32),
        terminated=k % 3 == 0,
        next_observation=(-k[..., None] - np.array([0, 0.25, 0.5, 0.75])).astype(np.float32),
    )


def numbers_of(batch):
    """Rend les numéros des transitions d'un lot, qui doivent être entières, donc sans mélange."""
    numbers = batch.observation[..., 0].astype(int)
    for name, received, expected in zip(
        Transition._fields, batch, transitions(numbers), strict=True
    ):
        np.testing.assert_array_equal(received, expected, err_msg=name)
    return numbers


def filled(capacity, adds, **options):
    """Une mémoire où l'on a ajouté `adds` transitions, une à une."""
    memory = ReplayBuffer(capacity, **options)
    for number in range(adds):
        memory.add(*transitions(number))
    return memory


def all_drawn(memory):
    """Tout ce que la mémoire peut rendre : assez de tirages pour n'oublier personne."""
    lots = [numbers_of(memory.sample(len(memory))) for _ in range(40)]
    return np.concatenate(lots, axis=-1)


# Ce qui est gardé : un deque


def test_it_keeps_what_a_deque_keeps():
    """Qu'on ajoute une à une ou par paquets, jusqu'à la capacité entière."""
    for capacity, most in [(1, 1), (7, 1), (7, 7), (64, 64)]:
        memory, witness = ReplayBuffer(capacity), deque(maxlen=capacity)
        sizes, following = np.random.default_rng(capacity).integers(1, most + 1, 20), count()
        for size in sizes:
            incoming = [next(following) for _ in range(size)]
            memory.add(*transitions(incoming if most > 1 else incoming[0]))
            witness.extend(incoming)
            assert len(memory) == len(witness)
            assert set(all_drawn(memory)) == set(witness)


def test_each_of_several_agents_has_its_own_deque():
    """Un axe d'agents, puis un axe de chariots, que l'on peut omettre."""
    capacity = 10
    memory, bare = ReplayBuffer(capacity, seeds=[5, 6, 7]), ReplayBuffer(3, seeds=[1, 2])
    assert memory.agents == 3
    per_transition = (4 + 4 + 1) * 4 + 8 + 1  # deux observations, récompense, action, fin
    assert per_transition <= memory.nbytes / (3 * capacity) < per_transition + 8
    witnesses = [deque(maxlen=capacity) for _ in range(3)]
    for turn in range(11):
        incoming = 12 * turn + np.arange(12).reshape(3, 4)
        memory.add(*transitions(incoming))
        bare.add(*transitions(np.array([turn, 100 + turn])))
        for witness, numbers in zip(witnesses, incoming, strict=True):
            witness.extend(numbers)
        for drawn, witness in zip(all_drawn(memory), witnesses, strict=True):
            assert set(drawn) == set(witness)
    kept = numbers_of(memory.contents())
    assert [set(row) for row in kept] == [set(witness) for witness in witnesses]
    assert [set(drawn) for drawn in all_drawn(bare)] == [{8, 9, 10}, {108, 109, 110}]


# Comment on tire


def test_draws_are_uniform_and_independent():
    """Un χ² sur 20 000 tirages, au seuil de 1 sur 10 000 ; la graine est fixe.

    Avec remise, deux places voisines d'un lot portent la même transition une fois sur C.
    """
    for capacity, adds in [(50, 83), (64, 40)]:
        memory = filled(capacity, adds)
        kept = len(memory)
        drawn = np.concatenate([numbers_of(memory.sample(kept)) for _ in range(20_000 // kept)])
        counts, expected = np.bincount(drawn - drawn.min(), minlength=kept), len(drawn) / kept
        assert len(counts) == kept
        assert ((counts - expected) ** 2 / expected).sum() < chi2.ppf(1 - 1e-4, kept - 1)
        same = (drawn[1:] == drawn[:-1]).mean()
        assert abs(same - 1 / kept) < 4 * np.sqrt(1 / kept / len(drawn))


def test_an_agent_draws_by_its_seed_alone_as_among_others():
    """La graine 0 par défaut ; un lot a les types d'une `Transition`."""
    seeds = ([3, 4, 5], [4], 4, 0)
    among, alone, bare, zero = (ReplayBuffer(20, seeds=one) for one in seeds)
    usual, lots = ReplayBuffer(20), []
    for number in range(33):
        among.add(*transitions(np.full(3, number)))
        alone.add(*transitions(np.full(1, number)))
        for one in (bare, zero, usual):
            one.add(*transitions(number))
    for _ in range(5):
        row = numbers_of(lots.append(among.sample(6)) or lots[-1])[1]
        np.testing.assert_array_equal(row, numbers_of(alone.sample(6))[0])
        np.testing.assert_array_equal(row, numbers_of(bare.sample(6)))
        np.testing.assert_array_equal(numbers_of(usual.sample(6)), numbers_of(zero.sample(6)))
    first, second, third = np.concatenate([numbers_of(lot) for lot in lots], axis=-1)
    assert (first != second).mean() > 0.8 < (second != third).mean()
    assert isinstance(lots[0], Transition)
    assert "".join(array.dtype.char for array in lots[0]) == "flf?f"


# Ce qui est rendu


def test_what_comes_in_and_what_goes_out_are_copied():
    memory, incoming = ReplayBuffer(5), transitions(np.arange(5))
    memory.add(*incoming)
    for array in (*incoming, *memory.sample(5), *memory.contents()):
        array[:] = 1
    assert set(all_drawn(memory)) == set(range(5))
    kept = memory.sample(5)
    before = numbers_of(kept)
    for number in range(100, 110):
        memory.add(*transitions(number))
    np.testing.assert_array_equal(numbers_of(kept), before)


def test_lists_wider_numbers_and_the_sizes_of_another_game_are_accepted():
    memory = ReplayBuffer(4)
    memory.add([0.5, 0, 0, 0], 1, 1, False, [1.5, 0, 0, 0])
    memory.add(np.array([0.5, 0, 0, 0]), np.int8(1), np.float64(1), np.False_, np.ones(4))
    assert memory.sample(2).observation.tolist() == [[0.5, 0, 0, 0]] * 2
    memory = ReplayBuffer(4, observation_size=2, actions=3)
    memory.add(np.ones((3, 2)), [0, 2, 0], [1, 1, 1], [False] * 3, np.ones((3, 2)))
    assert memory.sample(3).observation.shape == (3, 2)
    with pytest.raises(ValueError, match="action doit valoir un entier de 0 à 2 : 3 reçu"):
        memory.add(np.ones(2), 3, 1, False, np.ones(2))


# Plusieurs pas


def test_a_window_gives_what_the_accumulator_of_dqn_zoo_gives():
    """γ = 1/2, n = 3 : un épisode de quatre pas, coupé par la limite de temps, puis le suivant.

    Ce que dit dqn_zoo : au milieu d'un épisode, la transition s(t − n) → s(t) ; à sa fin, toutes
    celles qui finissent là, de n pas, puis de n − 1… jusqu'à une d'un seul pas.
    """
    window, received = StepWindow(3, 0.5, (1, 1), size=1), []
    for turn, place in enumerate([0, 1, 2, 3, 10, 11]):
        start, one = np.full((1, 1, 1), place), np.ones((1, 1), int)
        step = Transition(start, one, 2.0**turn * one, one < 0, start + 1)
        received.append(window.push(step, one * place == 3))
    assert received[:2] == [None, None]
    told = [(t.observation, t.next_observation, t.reward, t.discount) for t in received[2:]]
    assert [tuple(number.item() for number in one) for one in told] == [
        (0, 3, 1 + 2 / 2 + 4 / 4, 1 / 8),
        (1, 4, 2 + 4 / 2 + 8 / 4, 1 / 8),
        (2, 4, 4 + 8 / 2, 1 / 4),
        (3, 4, 8, 1 / 2),
    ]
    assert not any(t.terminated.any() for t in received[2:])


def test_a_memory_and_a_window_resume_from_their_saved_state():
    memory, other = (ReplayBuffer(7, seeds=seeds) for seeds in ([3, 4], [8, 9]))
    for number in range(11):
        memory.add(*transitions(np.array([number, 100 + number])))
    memory.sample(3)
    other.restore(memory.saved_state())
    for number in range(20, 24):
        np.testing.assert_array_equal(numbers_of(memory.sample(5)), numbers_of(other.sample(5)))
        for one in (memory, other):
            one.add(*transitions(np.array([number, 100 + number])))
    np.testing.assert_array_equal(memory.contents().reward, other.contents().reward)
    steps = [transitions(np.arange(4).reshape(2, 2) + 5 * turn) for turn in range(8)]
    for pushed in (1, 4):  # avant qu'elle soit pleine, et après
        window, again = (StepWindow(3, 0.5, (2, 2)) for _ in range(2))
        for step in steps[:pushed]:
            window.push(step, step.action == 1)
        saved = window.saved_state()
        assert saved["truncated"].shape == (3, 2, 2)  # pleine ou non
        with pytest.raises(ValueError, match="zip"):
            again.restore(saved | {"truncated": saved["truncated"][:2]})
        again.restore(saved)
        for step in steps[pushed:]:
            given, expected = (one.push(step, step.action == 1) for one in (again, window))
            assert (given is None) == (expected is None)
            for mine, theirs in zip(given or (), expected or (), strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_a_discounted_memory_keeps_the_discount_of_each_transition():
    memory = ReplayBuffer(5, discounted=True)
    for number in range(7):
        memory.add(*transitions(number), 0.5**number)
    for batch in (memory.contents(), memory.sample(5)):
        assert isinstance(batch, DiscountedTransition)
        np.testing.assert_array_equal(batch.discount, 0.5 ** batch.observation[..., 0])
    for one, given in ((memory, ()), (ReplayBuffer(5), (0.5,))):
        with pytest.raises(ValueError, match="discount doit être donné si, et seulement si"):
            one.add(*transitions(9), *given)


# Les entrées refusées


def test_bad_numbers_are_refused_by_their_name_and_nothing_is_drawn():
    good = {"capacity": 5}
    for name in ("capacity", "observation_size", "actions"):
        with pytest.raises(ValueError, match=f"^{name} doit .* supérieur ou égal à 1 : 0 reçu"):
            ReplayBuffer(**good | {name: 0})
    for name, value in [("seeds", [1, 1]), ("discounted", 1)]:
        with pytest.raises((TypeError, ValueError), match=f"^{name} doit .* reçu"):
            ReplayBuffer(**good | {name: value})
    memory, untouched = filled(10, 3), filled(10, 3)
    for size, told in [(4, "4 demandées, 3 gardées"), (0, "0 reçu"), (2.0, r"2\.0 reçu")]:
        with pytest.raises((TypeError, ValueError), match=f"^batch_size doit .* {told}"):
            memory.sample(size)
    np.testing.assert_array_equal(numbers_of(memory.sample(3)), numbers_of(untouched.sample(3)))


def test_a_bad_array_is_refused_and_nothing_is_added():
    memory = filled(10, 4)
    for name, value, received in [
        ("observation", np.zeros((3, 5)), r"\(3, 4\) : \(3, 5\)"),
        ("observation", np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
        ("observation", np.zeros((11, 4)), r"\(10\) : forme \(11, 4\)"),
        ("action", [[0], [1], [0]], r"\(3, 1\)"),
        ("reward", [1, np.nan, 1], "NaN"),
        ("terminated", [0.0, 0.5, 1.0], "float64"),
        ("next_observation", np.full((3, 4), 1e300), "infini"),
    ]:
        given = transitions(np.arange(50, 53))._replace(**{name: value})
        with pytest.raises((TypeError, ValueError), match=f"^{name} (ne )?doit.*{received}"):
            memory.add(**given._asdict())
    assert set(all_drawn(memory)) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match=r"^observation doit .* \(3, 5, 4\) reçu"):
        ReplayBuffer(10, seeds=[1, 2]).add(*transitions(np.zeros((3, 5), int)))
