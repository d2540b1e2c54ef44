"""De la Version 1 à la Version 2 : les réparations, ce que l'on ôte ou règle autrement."""

from dataclasses import replace
from functools import reduce
from itertools import accumulate, pairwise

from cartpole_helpers.config import VERSION_1, VERSION_2, Config

ENGINE = "le moteur du cours"
"""Le barreau d'où l'on part : les nombres de VERSION_1, sur autant de pas que VERSION_2."""

REPAIRS: dict[str, dict] = {
    "γ sous 1": {"gamma": VERSION_2.gamma},
    "un réseau large": {
        "hidden": VERSION_2.hidden,
        "activation": VERSION_2.activation,
        "initialisation": VERSION_2.initialisation,
    },
    "les entrées à l'échelle": {"input_scale": VERSION_2.input_scale},
    "seize chariots": {
        "carts": VERSION_2.carts,
        "learn_every": VERSION_2.learn_every,
        "capacity": VERSION_2.capacity,
        "batch_size": VERSION_2.batch_size,
        "warmup": VERSION_2.warmup,
    },
    "le taux d'apprentissage": {
        "learning_rate": VERSION_2.learning_rate,
        "learning_rate_decay": VERSION_2.learning_rate_decay,
        "learning_rate_floor": VERSION_2.learning_rate_floor,
    },
    "une cible qui glisse": {
        "target_period": VERSION_2.target_period,
        "target_rate": VERSION_2.target_rate,
    },
    "explorer davantage": {
        "epsilon_start": VERSION_2.epsilon_start,
        "epsilon_end": VERSION_2.epsilon_end,
        "epsilon_steps": VERSION_2.epsilon_steps,
    },
    "des actions prolongées": {"epsilon_hold": VERSION_2.epsilon_hold},
    "une cible à plusieurs pas": {"n_steps": VERSION_2.n_steps},
    "Double DQN": {"double": VERSION_2.double},
    "la moyenne des poids": {
        "average_rate": VERSION_2.average_rate,
        "average_tail": VERSION_2.average_tail,
    },
}
"""Les réparations, de la première à la dernière, chacune en champs de `Config` à changer."""

ABLATIONS: dict[str, dict] = {
    "γ = 1": {"gamma": 1.0},
    "réseau de 2 × 32": {"hidden": (32, 32)},
    "entrées brutes": {"input_scale": (1.0, 1.0, 1.0, 1.0)},
    "un seul chariot": {"carts": 1, "learn_every": VERSION_2.carts * VERSION_2.learn_every},
    "taux d'apprentissage constant": {"learning_rate_decay": 1.0},
    "cible recopiée": {"target_period": 33, "target_rate": 1.0},
    "ε = 0,05": {"epsilon_end": 0.05},
    "actions non prolongées": {"epsilon_hold": 1.0},
    "cible à un pas": {"n_steps": 1},
    "sans Double DQN": {"double": False},
    "mémoire de 5 000": {"capacity": 5_000},
}
"""Ce que l'on défait, un groupe de champs à la fois, dans la Version 2 complète.

La moyenne des poids n'y est pas : l'ôter rend l'avant-dernier barreau, « Double DQN ».
"""

RECIPES: dict[str, Config] = {
    "version 2": VERSION_2,
    "avec la symétrie": replace(VERSION_2, mirror=True),
    "départs écartés": replace(VERSION_2, start_x=2.0),
    "les deux": replace(VERSION_2, mirror=True, start_x=2.0),
}
"""La Version 2, et avec les deux connaissances du problème que ses pairs n'ont pas."""

SHORTER = "sans les trois"
"""Les trois retraits qui, un à un, ne coûtaient rien de visible, faits ensemble : `shorter()`."""

TUNED: dict[str, tuple] = {
    "gamma": (0.8, 0.95, 0.985, 0.995, 1.0),
    "learning_rate": (0.0005, 0.002, 0.008, 0.03),
    "target_rate": (0.002, 0.05, 1.0),
    "capacity": (500, 5_000, 50_000),
}
"""Quatre champs de la Version 2, et les valeurs dont on a essayé toutes les combinaisons."""


def tuned(**changes) -> Config:
    """Rend VERSION_2, sur 20 000 pas, avec d'autres valeurs des champs de `TUNED`.

    Le plancher du taux d'apprentissage le suit : dix fois moins, comme dans VERSION_2.
    """
    config = replace(VERSION_2, learning_rate_floor=0.0, total_steps=20_000, **changes)
    return replace(config, learning_rate_floor=config.learning_rate / 10)


def ladder() -> dict[str, Config]:
    """Rend les barreaux, du moteur du cours à VERSION_2 : chacun garde ceux d'avant."""
    start = replace(VERSION_1, total_steps=VERSION_2.total_steps)
    rungs = accumulate(REPAIRS.values(), _repaired, initial=start)
    return dict(zip((ENGINE, *REPAIRS), rungs, strict=True))


def without() -> dict[str, Config]:
    """Rend VERSION_2 moins chacune de ses réparations, les autres restant en place."""
    return {name: replace(VERSION_2, **changes) for name, changes in ABLATIONS.items()}


def comparisons() -> dict[str, tuple[str, str]]:
    """Rend, par nom, les deux réglages que compare chaque changement : après, avant.

    Chaque réparation à la recette d'avant, puis chaque retrait à VERSION_2.
    """
    rungs = [*ladder()]
    steps = {after: (after, before) for before, after in pairwise(rungs)}
    return steps | {name: (name, rungs[-1]) for name in ABLATIONS}


def shorter() -> Config:
    """Rend VERSION_2 avec γ = 1, sans Double DQN et avec une mémoire de 5 000, à la fois."""
    useless = ("γ = 1", "sans Double DQN", "mémoire de 5 000")
    return reduce(_repaired, (ABLATIONS[name] for name in useless), VERSION_2)


def _repaired(config: Config, changes: dict) -> Config:
    return replace(config, **changes)
