"""Ce qu'un lecteur d'épisode vérifie, et les octets en quoi il l'écrit, quel que soit le jeu."""

from numbers import Real

import numpy as np

from cartpole_helpers.cartpole import TIME_STEP, check_actions
from cartpole_helpers.checks import (
    check_array,
    check_flag,
    check_number,
    check_numbers,
    check_seed,
)
from cartpole_helpers.evaluation import Episode

FINEST = 32_767  # le plus grand entier de 16 bits
SAME = 1e-4  # écart en deçà duquel deux positions, en simple précision, sont la même


def checked(episode: Episode) -> Episode:
    """Rend `episode`, ses observations en double précision, ou lève une erreur ; ses actions et ses
    valeurs restent à vérifier, par `checked_choices`."""
    if not isinstance(episode, Episode):
        raise TypeError(f"episode doit être un Episode, que rend `play` : {episode!r} reçu.")
    observations = check_array("episode.observations", episode.observations, (None, None))
    count = len(observations) - 1
    if count < 1:
        raise ValueError(
            "episode.observations doit donner deux états au moins, avant et après un pas : "
            f"{observations.shape} reçu."
        )
    for name in ("terminated", "truncated"):
        check_flag(f"episode.{name}", getattr(episode, name))
    seed = check_seed("episode.seed", episode.seed)
    return episode._replace(observations=observations.astype(np.float64), seed=seed)


def checked_choices(episode: Episode, choices: int) -> Episode:
    """Rend `episode`, ses actions entre 0 et `choices` exclu, et ses valeurs d'action, une par
    choix, finies ou non : une valeur qui diverge se montre."""
    count = len(episode.observations) - 1
    actions = check_actions(episode.actions, (count,), "episode.actions", choices)
    if episode.q_values is None:
        return episode._replace(actions=actions)
    q = check_numbers("episode.q_values", episode.q_values)
    if q.shape != (count, choices):
        raise ValueError(
            f"episode.q_values doit être de forme ({count}, {choices}) : {q.shape} reçu."
        )
    return episode._replace(actions=actions, q_values=q)


def checked_epsilon(epsilon: float | np.ndarray, count: int) -> np.ndarray:
    """Rend ε en tableau (1,) s'il ne change pas, (T,) sinon."""
    if isinstance(epsilon, Real):
        return np.array([check_number("epsilon", epsilon, float, low=0, high=1)])
    array = check_array("epsilon", epsilon, (count,))
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise ValueError(f"epsilon doit être entre 0 et 1 à chaque pas : {outside[0]} reçu.")
    return array


def is_cartpole(episode: Episode) -> bool:
    """Dit si l'épisode est de CartPole : quatre composantes, dont la première et la troisième
    avancent à la vitesse que disent les deux autres (c'est l'Euler explicite de Gymnasium)."""
    states = episode.observations
    if states.shape[1] != 4:
        return False
    moved = states[:-1, 0::2] + TIME_STEP * states[:-1, 1::2]
    return bool(np.median(abs(states[1:, 0::2] - moved)) < SAME)


# Les octets


def scale_of(observations: np.ndarray) -> np.ndarray:
    """Rend ce que vaut l'unité de chaque composante (D,) : l'erreur en est la moitié au plus."""
    scale = abs(observations).max(axis=0) / FINEST
    return np.where(scale > 0, scale, 1.0)


def whole(observations: np.ndarray) -> bytes:
    """Rend les observations (T + 1, D) en entiers de 16 bits, à multiplier par leur échelle."""
    return np.rint(observations / scale_of(observations)).astype("<i2").tobytes()


def single(values: np.ndarray) -> bytes:
    """Rend `values` en simple précision ; ce qui y est trop grand devient infini."""
    with np.errstate(over="ignore"):
        return np.asarray(values).astype("<f4").tobytes()


def ranks(actions: np.ndarray) -> bytes:
    """Rend les actions (T,), moins de 256, en octets."""
    return actions.astype(np.uint8).tobytes()
