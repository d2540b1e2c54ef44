"""Un épisode rejoué image par image, avec ce qu'en pensait l'agent."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from cartpole_helpers.agent import check_cartpole
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, check_actions
from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_flag,
    check_number,
    check_numbers,
    check_seed,
)
from cartpole_helpers.display.figures import components
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.typography import typography
from cartpole_helpers.display.widget import COMMON, bundle, frozen
from cartpole_helpers.evaluation import Episode
from cartpole_helpers.policies import Policy

CODE = bundle(*COMMON, "web/chart.mjs", "web/player.mjs")
GRID = 25  # cases sur chaque côté d'une carte
EVERY, FEW = 10, 50  # pas entre deux cartes ; moins, tant que cela n'en fait que 50
PLANE = np.radians([15, 150])  # bornes de θ et de θ̇, si l'épisode ne va pas au-delà
FINEST = 32_767  # le plus grand entier de 16 bits


@dataclass(frozen=True)
class Player:
    """Un épisode que l'on rejoue, et qu'un carnet affiche : il se passe de noyau, et de réseau.

    `state`, que lit la page, tient en peu d'octets, petit-boutistes : `observations` (T + 1, 4),
    entiers de 16 bits à multiplier par `scale` (4,) ; `actions` (T,) et `maps` (K, 25, 25), un bit
    par action ; `q_values` (T, 2) et `epsilon` (1,) ou (T,), en simple précision. La carte k donne,
    ligne par ligne selon θ̇, l'action en x et ẋ du pas k · `every`, au centre de chaque case du plan
    (θ, θ̇) borné par `plane` (rad, rad/s).
    """

    still: Picture
    state: dict

    def frozen(self) -> str:
        """Rend la page autonome, en HTML."""
        return frozen(CODE, self.still, self.state)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/html": self.frozen(), "text/plain": self.still.alt}


def player(
    episode: Episode, policy: Policy | None = None, *, epsilon: float | np.ndarray = 0.0
) -> Player:
    """Rend de quoi rejouer `episode` pas à pas : le chariot, les valeurs d'action, le plan (θ, θ̇).

    `policy`, si on la donne, colore le plan des actions qu'elle y choisirait ; `epsilon`, un nombre
    ou (T,), est la part de hasard avec laquelle l'épisode fut joué. Des valeurs d'action non finies
    sont montrées comme telles. TypeError ou ValueError si un argument ne convient pas.
    """
    episode = _checked(episode)
    if policy is not None:
        check_cartpole("policy", check_callable("policy", policy))
    observations, count = episode.observations, len(episode.actions)
    plane = np.maximum(PLANE, 1.05 * abs(observations[:, 2:]).max(axis=0))
    every = min(EVERY, 1 + count // FEW)
    scale = _scale(observations)
    ending = _ending(episode)
    state = {
        "title": typography(f"Épisode de la graine {episode.seed}"),
        "ending": typography(ending),
        "observations": np.rint(observations / scale).astype("<i2").tobytes(),
        "scale": scale.tolist(),
        "actions": _bits(episode.actions),
        "q_values": None if episode.q_values is None else _single(episode.q_values),
        "epsilon": _single(_checked_epsilon(epsilon, count)),
        "plane": plane.tolist(),
        "every": every,
        "maps": None if policy is None else _bits(_maps(policy, observations[::every], plane)),
    }
    title = f"Épisode de la graine {episode.seed} : {number(count)} pas, {ending}"
    return Player(components(observations, title), state)


def _scale(observations: np.ndarray) -> np.ndarray:
    """Rend ce que vaut l'unité de chaque composante (4,) : l'erreur en est la moitié au plus."""
    scale = abs(observations).max(axis=0) / FINEST
    return np.where(scale > 0, scale, 1.0)


def _bits(actions: np.ndarray) -> bytes:
    return np.packbits(actions.astype(bool), bitorder="little").tobytes()


def _single(values: np.ndarray) -> bytes:
    with np.errstate(over="ignore"):  # trop grand pour 32 bits : infini, donc « non fini »
        return np.asarray(values).astype("<f4").tobytes()


def _maps(policy: Policy, observations: np.ndarray, plane: np.ndarray) -> np.ndarray:
    """Rend les actions (K, 25, 25) de `policy` dans le plan (θ̇, θ), en x et ẋ de (K, 4) états."""
    centres = (2 * np.arange(GRID) + 1) / GRID - 1  # (25,) entre −1 et 1
    states = np.empty((len(observations), GRID, GRID, 4), np.float32)
    states[..., :2] = observations[:, None, None, :2]
    states[..., 2] = plane[0] * centres
    states[..., 3] = plane[1] * centres[:, None]
    actions = policy(states.reshape(-1, 4))
    return check_actions(actions, (states.size // 4,), "policy(observations)")


def _ending(episode: Episode) -> str:
    """Dit comment l'épisode a fini ; la limite dépassée est celle dont l'état est le plus loin."""
    x, _, theta, _ = abs(episode.observations[-1])
    if episode.terminated:
        return "chute de la tige" if theta / THETA_LIMIT >= x / X_LIMIT else "sortie du rail"
    if episode.truncated:
        return f"interrompu à {number(len(episode.actions))} pas"
    return "inachevé"


# Les arguments


def _checked(episode: Episode) -> Episode:
    """Rend `episode`, ses observations en double précision, ou lève une erreur."""
    if not isinstance(episode, Episode):
        raise TypeError(f"episode doit être un Episode, que rend `play` : {episode!r} reçu.")
    if np.ndim(episode.observations) == 2 and np.shape(episode.observations)[1] != 4:
        raise ValueError(
            "episode doit être de CartPole, seul jeu que dessine ce lecteur : des observations de "
            f"{np.shape(episode.observations)[1]} composantes reçues ; `film` montre les autres."
        )
    observations = check_array("episode.observations", episode.observations, (None, 4))
    count = len(observations) - 1
    if count < 1:
        raise ValueError(
            "episode.observations doit donner deux états au moins, avant et après un pas : "
            f"{observations.shape} reçu."
        )
    for name in ("terminated", "truncated"):
        check_flag(f"episode.{name}", getattr(episode, name))
    return episode._replace(
        observations=observations.astype(np.float64),
        actions=check_actions(episode.actions, (count,), "episode.actions"),
        q_values=_checked_q(episode.q_values, count),
        seed=check_seed("episode.seed", episode.seed),
    )


def _checked_q(q_values: np.ndarray | None, count: int) -> np.ndarray | None:
    """Rend `q_values` (T, 2), finies ou non : une valeur qui diverge se montre."""
    if q_values is None:
        return None
    q = check_numbers("episode.q_values", q_values)
    if q.shape != (count, 2):
        raise ValueError(f"episode.q_values doit être de forme ({count}, 2) : {q.shape} reçu.")
    return q


def _checked_epsilon(epsilon: float | np.ndarray, count: int) -> np.ndarray:
    """Rend ε en tableau (1,) s'il ne change pas, (T,) sinon."""
    if isinstance(epsilon, Real):
        return np.array([check_number("epsilon", epsilon, float, low=0, high=1)])
    array = check_array("epsilon", epsilon, (count,))
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise ValueError(f"epsilon doit être entre 0 et 1 à chaque pas : {outside[0]} reçu.")
    return array
