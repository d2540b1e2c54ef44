"""La mémoire de rejeu, comparée à un `collections.deque` et à la loi uniforme."""

import re
from collections import deque
from itertools import count

import numpy as np
import pytest
from scipy.stats import chi2

from cartpole_helpers import ReplayBuffer, Transition
from cartpole_helpers.replay import DiscountedTransition, StepWindow

CAPACITIES = [1, 2, 7, 64]
DTYPES = Transition(np.float32, np.int64, np.float32, np.bool_, np.float32)


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
    for capacity in CAPACITIES:
        memory, witness = ReplayBuffer(capacity), deque(maxlen=capacity)
        assert len(memory) == 0
        for number in range(2 * capacity + 3):
            memory.add(*transitions(number))
            witness.append(number)
            assert len(memory) == len(witness)
            if number % max(1, capacity // 3) == 0 or number > 2 * capacity:
                assert set(all_drawn(memory)) == set(witness)


def test_adding_several_at_once_equals_adding_one_by_one():
    for capacity in CAPACITIES:
        memory, witness = ReplayBuffer(capacity), deque(maxlen=capacity)
        sizes, following = np.random.default_rng(capacity), count()
        for _ in range(12):
            incoming = [next(following) for _ in range(sizes.integers(1, capacity + 1))]
            memory.add(*transitions(incoming))
            witness.extend(incoming)
            assert len(memory) == len(witness)
            assert set(all_drawn(memory)) == set(witness)


def test_each_of_several_agents_has_its_own_deque():
    agents, carts, capacity = 3, 4, 10
    memory = ReplayBuffer(capacity, seeds=[5, 6, 7])
    assert memory.agents == agents
    per_transition = (4 + 4 + 1) * 4 + 8 + 1  # deux observations, récompense, action, fin
    assert per_transition <= memory.nbytes / (agents * capacity) < per_transition + 8
    witnesses = [deque(maxlen=capacity) for _ in range(agents)]
    following = count()
    for _ in range(11):
        incoming = np.array([[next(following) for _ in range(carts)] for _ in range(agents)])
        memory.add(*transitions(incoming))
        for witness, numbers in zip(witnesses, incoming, strict=True):
            witness.extend(numbers)
        for drawn, witness in zip(all_drawn(memory), witnesses, strict=True):
            assert set(drawn) == set(witness)
    kept = numbers_of(memory.contents())
    assert [set(row) for row in kept] == [set(witness) for witness in witnesses]


def test_one_transition_per_agent_is_added_without_a_cart_axis():
    memory = ReplayBuffer(3, seeds=[1, 2])
    for number in range(5):
        memory.add(*transitions(np.array([number, 100 + number])))
    assert [set(drawn) for drawn in all_drawn(memory)] == [{2, 3, 4}, {102, 103, 104}]


# Comment on tire


def test_draws_are_uniform():
    """Un χ² sur 20 000 tirages, au seuil de 1 sur 10 000 ; la graine est fixe."""
    for capacity, adds in [(50, 83), (64, 40)]:
        memory = filled(capacity, adds)
        kept = len(memory)
        drawn = np.concatenate([numbers_of(memory.sample(kept)) for _ in range(20_000 // kept)])
        counts = np.bincount(drawn - drawn.min(), minlength=kept)
        assert len(counts) == kept
        expected = len(drawn) / kept
        assert ((counts - expected) ** 2 / expected).sum() < chi2.ppf(1 - 1e-4, kept - 1)


def test_the_positions_in_a_batch_are_independent():
    """Avec remise, deux places d'un lot portent la même transition une fois sur C."""
    memory = filled(10, 10)
    pairs = np.array([numbers_of(memory.sample(2)) for _ in range(4_000)])
    share = (pairs[:, 0] == pairs[:, 1]).mean()
    assert abs(share - 0.1) < 4 * np.sqrt(0.1 * 0.9 / 4_000)


def test_the_same_seed_draws_the_same_batches():
    first, again, other, usual, zero = (
        filled(30, 40, **given)
        for given in ({"seeds": 3}, {"seeds": 3}, {"seeds": 4}, {}, {"seeds": 0})
    )
    for _ in range(5):
        drawn = numbers_of(first.sample(8))
        np.testing.assert_array_equal(drawn, numbers_of(again.sample(8)))
        assert (drawn != numbers_of(other.sample(8))).any()
        np.testing.assert_array_equal(numbers_of(usual.sample(8)), numbers_of(zero.sample(8)))


def test_an_agent_alone_draws_what_it_draws_among_others():
    among, alone, bare = (ReplayBuffer(20, seeds=seeds) for seeds in ([3, 4, 5], [4], 4))
    for number in range(33):
        among.add(*transitions(np.full(3, number)))
        alone.add(*transitions(np.full(1, number)))
        bare.add(*transitions(number))
    for _ in range(5):
        row = numbers_of(among.sample(6))[1]
        np.testing.assert_array_equal(row, numbers_of(alone.sample(6))[0])
        np.testing.assert_array_equal(row, numbers_of(bare.sample(6)))


def test_agents_do_not_draw_the_same_positions():
    memory = ReplayBuffer(50, seeds=[0, 1])
    for number in range(50):
        memory.add(*transitions(np.full(2, number)))
    first, second = numbers_of(memory.sample(50))
    assert (first != second).mean() > 0.8


# Ce qui est rendu


def test_batches_have_the_shapes_and_dtypes_of_a_transition():
    for seeds, lead in [(0, ()), ([0], (1,)), ([0, 1, 2], (3,))]:
        memory = ReplayBuffer(10, seeds=seeds)
        for number in range(10):
            memory.add(*transitions(np.full(lead, number)))
        batch = memory.sample(5)
        assert isinstance(batch, Transition)
        shapes = Transition((*lead, 5, 4), (*lead, 5), (*lead, 5), (*lead, 5), (*lead, 5, 4))
        assert Transition(*(array.shape for array in batch)) == shapes
        assert Transition(*(array.dtype for array in batch)) == DTYPES


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


def test_lists_wider_numbers_and_observations_of_another_size_are_accepted():
    memory = ReplayBuffer(4)
    memory.add([0.5, 0, 0, 0], 1, 1, False, [1.5, 0, 0, 0])
    memory.add(np.array([0.5, 0, 0, 0]), np.int8(1), np.float64(1), np.False_, np.ones(4))
    assert memory.sample(2).observation.tolist() == [[0.5, 0, 0, 0]] * 2
    memory = ReplayBuffer(4, observation_size=2)
    memory.add(np.ones((3, 2)), [0, 1, 0], [1, 1, 1], [False] * 3, np.ones((3, 2)))
    assert memory.sample(3).observation.shape == (3, 2)


# Plusieurs pas


def test_a_window_gives_what_the_accumulator_of_dqn_zoo_gives():
    """γ = 1/2, n = 3 : un épisode de quatre pas, coupé par la limite de temps, puis le suivant.

    Ce que dit dqn_zoo : au milieu d'un épisode, la transition s(t − n) → s(t) ; à sa fin, toutes
    celles qui finissent là, de n pas, puis de n − 1… jusqu'à une d'un seul pas.
    """
    window = StepWindow(3, 0.5, (1, 1), size=1)
    received = []
    for place, following, reward, cut in [
        (0, 1, 1, False),
        (1, 2, 2, False),
        (2, 3, 4, False),
        (3, 4, 8, True),
        (10, 11, 16, False),
        (11, 12, 32, False),
    ]:
        one = (np.full((1, 1, 1), place), 0, reward, False, np.full((1, 1, 1), following))
        step = Transition(*map(np.broadcast_to, one, [(1, 1, 1), *[(1, 1)] * 3, (1, 1, 1)]))
        received.append(window.push(step, np.full((1, 1), cut)))
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
    with pytest.raises(ValueError, match="zip"):  # l'état d'autres agents
        other.restore(memory.saved_state() | {"streams": memory.saved_state()["streams"][:1]})
    for pushed in (1, 4):  # avant qu'elle soit pleine, et après
        window, again = StepWindow(3, 0.5, (2, 2)), StepWindow(3, 0.5, (2, 2))
        steps = [transitions(np.arange(4).reshape(2, 2) + 5 * turn) for turn in range(8)]
        for step in steps[:pushed]:
            window.push(step, step.action == 1)
        again.restore(window.saved_state())
        saved = window.saved_state()
        with pytest.raises(ValueError, match="zip"):
            StepWindow(3, 0.5, (2, 2)).restore(saved | {"truncated": saved["truncated"][:2]})
        for step in steps[pushed:]:
            given, expected = (one.push(step, step.action == 1) for one in (again, window))
            assert (given is None) == (expected is None)
            for mine, theirs in zip(given or (), expected or (), strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_a_discounted_memory_keeps_the_discount_of_each_transition():
    memory = ReplayBuffer(5, discounted=True)
    for number in range(7):
        memory.add(*transitions(number), 0.5**number)
    kept = memory.contents()
    assert isinstance(kept, DiscountedTransition)
    np.testing.assert_array_equal(kept.discount, 0.5 ** kept.observation[..., 0])
    batch = memory.sample(5)
    np.testing.assert_array_equal(batch.discount, 0.5 ** batch.observation[..., 0])
    for one, given in ((memory, ()), (ReplayBuffer(5), (0.5,))):
        with pytest.raises(ValueError, match="discount doit être donné si, et seulement si"):
            one.add(*transitions(9), *given)


def test_actions_are_those_of_the_game():
    memory = ReplayBuffer(4, actions=3)
    memory.add(*transitions(0)._replace(action=2))
    with pytest.raises(ValueError, match="action doit valoir un entier de 0 à 2 : 3 reçu"):
        memory.add(*transitions(0)._replace(action=3))


# Les entrées refusées


def test_bad_numbers_are_refused_by_their_name_and_nothing_is_drawn():
    for name, value in [
        ("capacity", 0),
        ("capacity", 10.0),
        ("seeds", [1, 1]),
        ("observation_size", 0),
        ("actions", 0),
        ("discounted", 1),
    ]:
        message = re.escape(repr(value))
        with pytest.raises((TypeError, ValueError), match=f"^{name} doit .* {message} reçu"):
            ReplayBuffer(**{"capacity": 5, name: value})
    memory, untouched = filled(10, 3), filled(10, 3)
    for size, told in [(4, "4 demandées, 3 gardées"), (0, "0 reçu"), (2.0, r"2\.0 reçu")]:
        with pytest.raises((TypeError, ValueError), match=f"^batch_size doit .* {told}"):
            memory.sample(size)
    np.testing.assert_array_equal(numbers_of(memory.sample(3)), numbers_of(untouched.sample(3)))
    with pytest.raises(ValueError, match=r"batch_size doit .* 1 demandées, 0 gardées"):
        ReplayBuffer(5).sample(1)


BAD_VALUES = [
    ("observation", np.zeros((3, 5)), r"\(3, 4\) : \(3, 5\)"),
    ("observation", np.zeros((2, 3, 4)), r"\(2, 3, 4\)"),
    ("observation", np.zeros((11, 4)), r"\(10\) : forme \(11, 4\)"),
    ("observation", np.full((3, 4), 1e300), "finis"),
    ("action", [[0], [1], [0]], r"\(3, 1\)"),
    ("action", [0.0, 0.5, 1.0], "float64"),
    ("action", [0, 2, 1], "2 reçu"),
    ("action", [0, -1, 1], "-1 reçu"),
    ("reward", 1.0, r"\(\)"),
    ("reward", [1, np.nan, 1], "NaN"),
    ("terminated", [False, True], r"\(2,\)"),
    ("terminated", [0.0, 0.5, 1.0], "float64"),
    ("next_observation", np.full((3, 4), np.inf), "inf"),
]


def test_a_bad_array_is_refused_and_nothing_is_added():
    memory = filled(10, 4)
    for name, value, received in BAD_VALUES:
        given = transitions(np.arange(50, 53))._replace(**{name: value})
        with pytest.raises((TypeError, ValueError), match=f"^{name} (ne )?doit.*{received}"):
            memory.add(**given._asdict())
    assert len(memory) == 4
    assert set(all_drawn(memory)) == {0, 1, 2, 3}
    with pytest.raises(ValueError, match=r"^observation doit .* \(3, 5, 4\) reçu"):
        ReplayBuffer(10, seeds=[1, 2]).add(*transitions(np.zeros((3, 5), int)))
    ReplayBuffer(10).add(*transitions(np.arange(10)))  # juste ce qu'elle peut garder
