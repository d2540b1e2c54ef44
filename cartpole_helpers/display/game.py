"""Le jeu : on pousse soi-même le chariot, puis on laisse jouer une politique et on la bouscule."""

from collections.abc import Mapping

import numpy as np
from traitlets import Bytes, Int, List

from cartpole_helpers import policies
from cartpole_helpers.agent import Agent, check_cartpole
from cartpole_helpers.cartpole import (
    EPISODE_LIMIT,
    START_LIMIT,
    check_actions,
    dynamics,
    has_fallen,
)
from cartpole_helpers.checks import check_array, check_choice, check_seed
from cartpole_helpers.display.figures import cart_diagram
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.widget import COMMON, Page, bundle
from cartpole_helpers.evaluation import Episode, evaluate
from cartpole_helpers.networks import layer_shapes
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import ReplayBuffer

TRIALS = 100  # épisodes par moyenne du tableau
NO_SEED = -1  # la « graine » d'un épisode joué à la main : aucune ne le rejouerait
TOLERANCE = 1e-9  # un pas calculé par la page et le même par NumPy ne diffèrent qu'à l'arrondi
STATE_BYTES = 4 * 8


def game(agents: Mapping[str, Agent] | None = None, *, seed: int = 0) -> "Game":
    """Rend le jeu, à afficher dans un carnet.

    `agents` : des agents seuls, par leur nom, à laisser jouer en plus des politiques de référence.
    `seed` : la graine de l'évaluation sur 100 épisodes à laquelle le lecteur se compare. TypeError
    ou ValueError si un nom n'est pas une chaîne, ou si une valeur n'est pas un agent seul.
    """
    return Game({} if agents is None else agents, check_seed("seed", seed))


class Game(Page):
    """Le jeu ; `episodes` réunit, dans l'ordre, les épisodes que le lecteur a menés à leur terme.

    Leur graine est `NO_SEED`, leurs observations sont en float32, comme celles de `play`.
    """

    code = bundle(*COMMON, "web/policies.mjs", "web/game.mjs")
    policies = List().tag(sync=True)  # ce que la page sait jouer, sans les poids
    weights = Bytes().tag(sync=True)  # ceux des agents, bout à bout, en float32
    trials = Int(TRIALS).tag(sync=True)
    received = Int(0).tag(sync=True)

    def __init__(self, agents: Mapping[str, Agent], seed: int = 0):
        weights = _checked_weights(agents)
        self.episodes: list[Episode] = []
        super().__init__(
            policies=_baselines(seed) + _networks(agents, weights, seed),
            weights=b"".join(row.tobytes() for row in weights),
        )

    @property
    def still(self) -> Picture:
        """L'image du jeu à l'arrêt."""
        return cart_diagram((0.4, 0, 0.09, 0), 1, "Le jeu, à l'arrêt")

    def receive(self, message: dict, buffers: list) -> None:
        """Ajoute à `episodes` celui que la page envoie.

        `buffers` : les octets de ses états (T + 1, 4), en float64, et de ses actions (T,), un par
        pas. ValueError si ce n'est pas un épisode entier de CartPole ; rien n'est alors ajouté.
        """
        check_choice("kind", message.get("kind"), ("episode",))
        states, actions = _decoded(buffers)
        _check_physics(states, actions)
        _check_end(has_fallen(states))
        self.episodes.append(_episode(states, actions))
        self.received += 1

    def fill(self, memory: ReplayBuffer) -> int:
        """Ajoute à `memory` toutes les transitions de `episodes`, et rend leur nombre.

        TypeError ou ValueError si `memory` n'est pas la mémoire d'un seul agent.
        """
        _check_memory(memory)
        transitions = [_transitions(episode) for episode in self.episodes]
        columns = [np.concatenate(column) for column in zip(*transitions, strict=True)]
        count = sum(len(episode.actions) for episode in self.episodes)
        for first in range(0, count, memory.capacity):  # `add` n'en prend pas plus d'un coup
            memory.add(*(column[first : first + memory.capacity] for column in columns))
        return count


# Ce que la page reçoit


def _checked_weights(agents: Mapping[str, Agent]) -> list[np.ndarray]:
    """Rend les poids (P,) de chaque agent en float32, petit-boutistes."""
    if not isinstance(agents, Mapping):
        raise TypeError(f"agents doit associer des noms à des agents : {agents!r} reçu.")
    for name, agent in agents.items():
        if not isinstance(name, str):
            raise TypeError(f"agents doit avoir des chaînes pour noms : {name!r} reçu.")
        if not isinstance(agent, Agent):
            raise TypeError(f"agents[{name!r}] doit être un Agent : {agent!r} reçu.")
        if len(agent) != 1:
            raise ValueError(
                f"agents[{name!r}] doit être un agent seul, comme agent[0] : "
                f"{len(agent)} agents reçus."
            )
        check_cartpole(f"agents[{name!r}]", agent)
    return [agent.weights[0].detach().cpu().numpy().astype("<f4") for agent in agents.values()]


def _baselines(seed: int) -> list[dict]:
    chance, sum_rule = policies.random_policy(seed), policies.push_by_angle_and_velocity
    gain = policies.lqr_gain().tolist()
    return [
        _rule("au hasard", chance, seed, kind="random"),
        _rule("θ + θ̇", sum_rule, seed, kind="linear", gain=[0.0, 0.0, 1.0, 1.0]),
        _rule("LQR", policies.lqr, seed, kind="linear", gain=gain),
    ]


def _networks(agents: Mapping[str, Agent], weights: list[np.ndarray], seed: int) -> list[dict]:
    """Décrit chaque réseau ; `first` est la place de ses poids parmi ceux de tous.

    Un réseau qui a divergé joue quand même, et son nom le dit.
    """
    firsts = np.cumsum([0, *map(len, weights)]).tolist()
    return [
        _rule(_told(name, row), agent, seed, kind="network", first=first, **_shape(agent))
        for (name, agent), row, first in zip(agents.items(), weights, firsts[:-1], strict=True)
    ]


def _told(name: str, weights: np.ndarray) -> str:
    return name if np.isfinite(weights).all() else f"{name} (poids non finis)"


def _shape(agent: Agent) -> dict:
    config, scale = agent.config, agent.network.scale
    return {
        "layers": [list(shape) for shape in layer_shapes(config)],
        "activation": config.activation,
        "scale": [1.0] * agent.sizes.observation if scale is None else scale.flatten().tolist(),
        "mirror": config.mirror,
    }


def _rule(name: str, policy: Policy, seed: int, **how) -> dict:
    return {"name": name, "mean": float(evaluate(policy, TRIALS, seed).mean()), **how}


# Ce que la page envoie


def _decoded(buffers: list) -> tuple[np.ndarray, np.ndarray]:
    """Rend les états (T + 1, 4) et les actions (T,) que portent les deux tampons."""
    if len(buffers) != 2:
        raise ValueError(
            f"buffers doit porter deux tampons, les états et les actions : {len(buffers)} reçus."
        )
    states, actions = map(bytes, buffers)
    steps = len(actions)
    if not 1 <= steps <= EPISODE_LIMIT:
        raise ValueError(
            f"actions doit compter entre 1 et {EPISODE_LIMIT} octets, un par pas : {steps} reçus."
        )
    if len(states) != STATE_BYTES * (steps + 1):
        raise ValueError(
            f"states doit compter {STATE_BYTES * (steps + 1)} octets, ceux de {steps + 1} états : "
            f"{len(states)} reçus."
        )
    rows = np.frombuffer(states, "<f8").reshape(-1, 4)
    pushes = check_actions(np.frombuffer(actions, np.uint8), (steps,))
    return check_array("states", rows, (steps + 1, 4)), pushes


def _check_physics(states: np.ndarray, actions: np.ndarray) -> None:
    """Refuse un départ, ou un pas, qui n'est pas de CartPole."""
    if np.abs(states[0]).max() > START_LIMIT:
        raise ValueError(
            f"states doit partir à {START_LIMIT} au plus de zéro : {states[0].tolist()} reçu."
        )
    with np.errstate(over="ignore", invalid="ignore"):  # un nombre démesuré sera refusé ici même
        gaps = np.abs(dynamics(states[:-1], actions) - states[1:]).max(axis=1)  # (T,)
    wrong = np.flatnonzero(gaps > TOLERANCE)
    if wrong.size:
        raise ValueError(
            f"states doit suivre la physique de CartPole : son pas {wrong[0] + 1} s'en écarte de "
            f"{gaps[wrong[0]]:.1e}."
        )


def _check_end(fallen: np.ndarray) -> None:
    """Refuse un épisode qui continue après la chute, ou s'arrête avant elle ; `fallen` (T + 1,)."""
    steps = len(fallen) - 1
    expected = int(fallen.argmax()) if fallen.any() else EPISODE_LIMIT
    if steps != expected:
        raise ValueError(
            f"states doit s'arrêter à la première chute, ou au pas {EPISODE_LIMIT} s'il n'y en a "
            f"pas : arrêt au pas {steps} reçu, au lieu de {expected}."
        )


def _episode(states: np.ndarray, actions: np.ndarray) -> Episode:
    return Episode(
        observations=states.astype(np.float32),
        actions=actions,
        rewards=np.ones(len(actions)),
        q_values=None,
        terminated=bool(has_fallen(states[-1])),
        truncated=len(actions) == EPISODE_LIMIT,
        seed=NO_SEED,
        frames=None,
    )


def _check_memory(memory: ReplayBuffer) -> None:
    if not isinstance(memory, ReplayBuffer):
        raise TypeError(f"memory doit être un ReplayBuffer : {memory!r} reçu.")
    if memory.agents != 1:
        raise ValueError(f"memory doit être celle d'un seul agent : {memory.agents} agents reçus.")


def _transitions(episode: Episode) -> tuple[np.ndarray, ...]:
    """Rend les transitions d'un épisode, un tableau (T, ...) par champ de `Transition`."""
    terminated = np.zeros(len(episode.actions), bool)
    terminated[-1] = episode.terminated  # une troncature n'est pas une terminaison
    states = episode.observations
    return states[:-1], episode.actions, episode.rewards, terminated, states[1:]
