"""Les graines : même graine, même suite ; deux graines ou deux usages, rien de commun."""

from itertools import product

import numpy as np

from cartpole_helpers.seeds import (
    Purpose,
    environment_seeds,
    fresh_seed,
    generator_state,
    restore_generator,
    stream,
)

SEEDS = [0, 1, 2, 1_000, 2**32, 2**64 + 1]


def draws(seed, purpose, count=8):
    return tuple(stream(seed, purpose).random(count))


def test_a_stream_is_repeatable_and_shares_no_draw_with_another():
    keys = list(product(SEEDS, Purpose))
    numbers = {number for key in keys for number in draws(*key)}
    assert len(numbers) == 8 * len(keys)
    assert len(Purpose) == len(Purpose.__members__)  # aucun n'est le synonyme d'un autre
    assert draws(3, Purpose.REPLAY) == draws(3, Purpose.REPLAY)
    first, second = stream(0, Purpose.REPLAY), stream(0, Purpose.REPLAY)
    first.random(5)
    assert second.random() == draws(0, Purpose.REPLAY)[0]


def test_a_stream_is_the_one_that_numpy_would_give():
    """Les résultats archivés en dépendent : changer de suite les rendrait faux."""
    for seed, purpose in [(0, Purpose.WEIGHTS), (7, Purpose.CARTS)]:
        expected = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose,)))
        assert draws(seed, purpose) == tuple(expected.random(8))


def test_a_generator_goes_on_from_its_saved_state():
    generator = stream(2**64 + 1, Purpose.EXPLORATION)
    generator.integers(10, dtype=np.int32)  # la moitié d'un tirage reste en réserve
    saved = generator_state(generator)
    expected = generator.integers(2**31, size=9, dtype=np.int32).tolist()
    other = stream(0, Purpose.WEIGHTS)
    restore_generator(other, saved)
    assert other.integers(2**31, size=9, dtype=np.int32).tolist() == expected
    assert (saved.shape, saved.dtype) == ((6,), np.uint64)


def test_environment_seeds_never_meet():
    """Ni d'une graine à l'autre, ni d'un usage à l'autre, ni d'un bloc à l'autre."""
    keys = list(product(range(70), Purpose, [20], range(3)))
    seeds = [seed for key in keys for seed in environment_seeds(*key)]
    assert len(set(seeds)) == len(seeds) == 20 * len(keys)
    assert {type(seed) for seed in seeds} == {int}  # Gymnasium n'en prend pas d'autres
    assert min(seeds) >= 0
    assert max(seeds) < 2**64


def test_a_cart_keeps_its_seed_whatever_their_number():
    many = environment_seeds(7, Purpose.CARTS, 50)
    for count in (1, 3, 49):
        assert environment_seeds(7, Purpose.CARTS, count) == many[:count]


def test_fresh_seeds_never_meet():
    seeds = {fresh_seed(purpose, index) for purpose, index in product(Purpose, range(300))}
    assert len(seeds) == 300 * len(Purpose)
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert fresh_seed(Purpose.JUDGE, 4) == fresh_seed(Purpose.JUDGE, 4)
