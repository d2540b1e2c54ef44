"""Les graines : même graine, même suite ; deux graines ou deux usages, rien de commun."""

from itertools import product

import pytest

from cartpole_helpers.seeds import Purpose, environment_seeds, fresh_seed, stream

SEEDS = [0, 1, 2, 1_000, 2**32, 2**64 + 1]


def draws(seed, purpose, count=8):
    return tuple(stream(seed, purpose).random(count))


@pytest.mark.parametrize("purpose", Purpose)
def test_the_same_seed_and_purpose_give_the_same_stream(purpose):
    assert draws(3, purpose) == draws(3, purpose)


def test_streams_of_distinct_seeds_or_purposes_share_no_draw():
    keys = list(product(SEEDS, Purpose))
    numbers = {number for seed, purpose in keys for number in draws(seed, purpose)}
    assert len(numbers) == 8 * len(keys)


def test_purposes_are_distinct():
    assert len(Purpose) == len(Purpose.__members__) >= 5


def test_a_stream_is_its_own_generator():
    first, second = stream(0, Purpose.REPLAY), stream(0, Purpose.REPLAY)
    first.random(5)
    assert second.random() == draws(0, Purpose.REPLAY)[0]


def test_environment_seeds_never_meet():
    """Ni d'une graine à l'autre, ni d'un usage à l'autre, ni d'un bloc à l'autre."""
    keys = list(product(range(70), Purpose, [20], range(3)))
    seeds = [seed for key in keys for seed in environment_seeds(*key)]
    assert len(set(seeds)) == len(seeds) == 20 * len(keys)


def test_fresh_seeds_never_meet():
    seeds = {fresh_seed(purpose, index) for purpose, index in product(Purpose, range(300))}
    assert len(seeds) == 300 * len(Purpose)
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert fresh_seed(Purpose.JUDGE, 4) == fresh_seed(Purpose.JUDGE, 4)


def test_a_cart_keeps_its_seed_whatever_their_number():
    many = environment_seeds(7, Purpose.CARTS, 50)
    for count in (1, 3, 49):
        assert environment_seeds(7, Purpose.CARTS, count) == many[:count]


def test_environment_seeds_are_integers_that_gymnasium_takes():
    for seed in environment_seeds(1, Purpose.EVALUATION, 10):
        assert type(seed) is int
        assert 0 <= seed < 2**64
