"""Les graines : une suite pseudo-aléatoire indépendante par graine et par usage."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """À quoi sert une suite ; deux usages d'une même graine ne partagent aucun tirage."""

    WEIGHTS = 0
    EXPLORATION = 1
    REPLAY = 2
    CARTS = 3
    EVALUATION = 4
    VALIDATION = 5
    POLICY = 6
    CERTIFICATE = 7
    AMNESIA = 8
    RESERVE = 9
    STUDY = 10
    CHART = 11
    PANEL = 12
    JUDGE = 13
    RECIPE = 14


def stream(seed: int, purpose: Purpose) -> np.random.Generator:
    """Rend le générateur de la graine `seed` pour l'usage `purpose`."""
    return np.random.Generator(np.random.PCG64(_sequence(seed, purpose)))


def environment_seeds(seed: int, purpose: Purpose, count: int, block: int = 0) -> list[int]:
    """Rend `count` graines d'environnement de 64 bits, une par copie : celles du bloc `block`.

    Entraînement, validation, certificat et évaluation tirent les leurs d'usages différents, et
    deux blocs n'ont rien de commun : leurs départs non plus.
    """
    sequence = _sequence(seed, purpose)
    return sequence.generate_state((block + 1) * count, np.uint64)[block * count :].tolist()


def fresh_seed(purpose: Purpose, index: int) -> int:
    """Rend la graine de l'évaluation de rang `index` d'un usage : `evaluate(seed=...)`.

    Deux usages, ou deux rangs, n'ont aucun départ en commun.
    """
    return int(_sequence(index, purpose).generate_state(1, np.uint64)[0])


def generator_state(generator: np.random.Generator) -> np.ndarray:
    """Rend l'état d'un générateur PCG64 en six entiers de 64 bits : (6,)."""
    state = generator.bit_generator.state
    halves = [half for name in ("state", "inc") for half in divmod(state["state"][name], 1 << 64)]
    return np.array([*halves, state["has_uint32"], state["uinteger"]], np.uint64)


def restore_generator(generator: np.random.Generator, saved: np.ndarray) -> None:
    """Remet `generator` dans l'état `saved` (6,)."""
    high, low, inc_high, inc_low, has_uint32, uinteger = map(int, saved)
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": high << 64 | low, "inc": inc_high << 64 | inc_low},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }


def _sequence(seed: int, purpose: Purpose) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(purpose,))
