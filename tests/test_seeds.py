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


def test_a_generator_goes_on_from_its_saved_state():
    generator = stream(2**64 + 1, Purpose.EXPLORATION)
    generator.integers(10, dtype=np.int32)  # la moitié d'un tirage reste en réserve
    saved = generator_state(generator)
    expected = generator.integers(2**31, size=9, dtype=np.int32).tolist()
    other = stream(0, Purpose.WEIGHTS)
    restore_generator(other, saved)
    assert other.integers(2**31, size=9, dtype=np.int32).tolist() == expected


def test_a_stream_is_the_one_that_numpy_would_give_and_shares_no_draw_with_another():
    """Les résultats archivés en dépendent : changer de suite les rendrait faux."""
    keys, numbers = list(product(SEEDS, Purpose)), set()
    for seed, purpose in keys:
        expected = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose,)))
        drawn = stream(seed, purpose).random(8).tolist()
        assert drawn == expected.random(8).tolist()
        numbers |= {*drawn}
    assert len(numbers) == 8 * len(keys)
    assert len(Purpose) == len(Purpose.__members__)  # aucun n'est le synonyme d'un autre


def test_environment_seeds_never_meet():
    """Ni d'une graine à l'autre, ni d'un usage à l'autre, ni d'un bloc à l'autre."""
    keys = list(product(range(70), Purpose, [20], range(3)))
    seeds = [seed for key in keys for seed in environment_seeds(*key)]
    assert len(set(seeds)) == len(seeds) == 20 * len(keys)
    assert {type(seed) for seed in seeds} == {int}  # Gymnasium n'en prend pas d'autres
    assert (min(seeds) >= 0, max(seeds) < 2**64) == (True, True)
    many = environment_seeds(7, Purpose.CARTS, 50)
    assert environment_seeds(7, Purpose.CARTS, 3) == many[:3]  # quel que soit leur nombre


def test_fresh_seeds_never_meet():
    seeds = {fresh_seed(purpose, index) for purpose, index in product(Purpose, range(300))}
    assert len(seeds) == 300 * len(Purpose)
    assert fresh_seed(Purpose.JUDGE, 4) == fresh_seed(Purpose.JUDGE, 4)
