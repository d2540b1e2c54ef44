"""Un épisode rejoué image par image, avec ce qu'en pensait l'agent."""

from dataclasses import dataclass

import numpy as np

from cartpole_helpers.agent import check_cartpole
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, check_actions
from cartpole_helpers.checks import check_callable
from cartpole_helpers.display.episodes import (
    checked,
    checked_choices,
    checked_epsilon,
    is_cartpole,
    ranks,
    scale_of,
    single,
    whole,
)
from cartpole_helpers.display.figures import components
from cartpole_helpers.display.numbers import number
from cartpole_helpers.display.pictures import Names, pictured
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.typography import typography
from cartpole_helpers.display.widget import COMMON, bundle, frozen
from cartpole_helpers.evaluation import Episode
from cartpole_helpers.policies import Policy

CODE = bundle(*COMMON, "web/chart.mjs", "web/pictures.mjs", "web/player.mjs")
GRID = 25  # cases sur chaque côté d'une carte
EVERY, FEW = 10, 50  # pas entre deux cartes ; moins, tant que cela n'en fait que 50
PLANE = np.radians([15, 150])  # bornes de θ et de θ̇, si l'épisode ne va pas au-delà


@dataclass(frozen=True)
class Player:
    """Un épisode que l'on rejoue, et qu'un carnet affiche : il se passe de noyau, et de réseau.

    `state`, que lit la page, tient en peu d'octets, petit-boutistes : `observations` (T + 1, D),
    entiers de 16 bits à multiplier par `scale` (D,) ; `actions` (T,), un octet chacune ;
    `q_values` (T, A) et `epsilon` (1,) ou (T,), en simple précision.

    À CartPole, `maps` (K, 25, 25), un bit par action : la carte k donne, ligne par ligne selon θ̇,
    l'action en x et ẋ du pas k · `every`, au centre de chaque case du plan (θ, θ̇) borné par
    `plane` (rad, rad/s). Ailleurs, `pictures` : des images WebP bout à bout, de `sizes` octets, une
    tous les `every` pas, et la dernière ; `rewards` (T,), en simple précision.
    """

    still: Picture
    state: dict

    def frozen(self) -> str:
        """Rend la page autonome, en HTML."""
        return frozen(CODE, self.still, self.state)

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {"text/html": self.frozen(), "text/plain": self.still.alt}


def player(
    episode: Episode,
    policy: Policy | None = None,
    *,
    epsilon: float | np.ndarray = 0.0,
    names: Names = None,
) -> Player:
    """Rend de quoi rejouer `episode` pas à pas : le jeu, les valeurs d'action, l'action choisie.

    À CartPole, on y voit aussi le plan (θ, θ̇) ; `policy`, si on la donne, le colore des actions
    qu'elle y choisirait. Tout autre jeu se montre par ses propres images : jouez l'épisode par
    `play(..., render_mode="rgb_array")` ; `names` nomme alors ses actions et ses composantes :
    `"MountainCar-v0"` ou un autre jeu du cours, ou `{"actions": [...], "components": [...]}`.
    `epsilon`, un nombre ou (T,), est la part de hasard avec laquelle l'épisode fut joué. Des
    valeurs d'action non finies sont montrées comme telles. TypeError ou ValueError si un argument
    ne convient pas.
    """
    episode = checked(episode)
    if policy is not None:
        check_cartpole("policy", check_callable("policy", policy))
    draw = _cartpole if is_cartpole(episode) else _elsewhere
    still, state = draw(episode, policy, names)
    chance = checked_epsilon(epsilon, len(episode.observations) - 1)
    return Player(still, state | {"epsilon": single(chance)})


def _elsewhere(episode: Episode, policy: Policy | None, names: Names) -> tuple[Picture, dict]:
    if policy is not None:
        raise ValueError(
            "policy ne colore que le plan de CartPole : ne la donnez pas pour un autre jeu."
        )
    return pictured(episode, names)


def _cartpole(episode: Episode, policy: Policy | None, names: Names) -> tuple[Picture, dict]:
    if names is not None:
        raise ValueError(f"`names` ne nomme que ce qui n'est pas de CartPole : {names!r} reçu.")
    episode = checked_choices(episode, 2)
    observations, count = episode.observations, len(episode.actions)
    plane = np.maximum(PLANE, 1.05 * abs(observations[:, 2:]).max(axis=0))
    every = min(EVERY, 1 + count // FEW)
    ending = _ending(episode)
    state = {
        "title": typography(f"Épisode de la graine {episode.seed}"),
        "ending": typography(ending),
        "observations": whole(observations),
        "scale": scale_of(observations).tolist(),
        "actions": ranks(episode.actions),
        "q_values": None if episode.q_values is None else single(episode.q_values),
        "plane": plane.tolist(),
        "every": every,
        "maps": None if policy is None else _bits(_maps(policy, observations[::every], plane)),
    }
    title = f"Épisode de la graine {episode.seed} : {number(count)} pas, {ending}"
    return components(observations, title), state


def _bits(actions: np.ndarray) -> bytes:
    return np.packbits(actions.astype(bool), bitorder="little").tobytes()


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
