"""Des mondes minuscules, joués comme Gymnasium et résolus exactement, règle juste ou fautive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from cartpole_helpers.environments import CARTPOLE_SIZES, Sizes
from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS

SWEEPS = 2_000
TOGETHER = "les actions ensemble"


class Move(NamedTuple):
    """Ce que fait une action dans un lieu."""

    reward: float
    next_place: int
    terminated: bool = False


class Seen(NamedTuple):
    """Ce qu'une règle sait d'un coup : lui, la part des fois où on l'a coupé, et le départ."""

    move: Move
    cut: float
    start: int


Rule = Callable[[Seen, float, np.ndarray], float]
"""Rend la cible d'un coup, étant donné γ et les valeurs `q` (P, A) de tous les lieux."""


def bellman(seen: Seen, gamma: float, q: np.ndarray) -> float:
    """L'équation d'optimalité de Bellman (1957) : la récompense, puis γ fois le meilleur après."""
    reward, following, terminated = seen.move
    return reward + gamma * q[following].max() * (not terminated)


@dataclass(frozen=True)
class World:
    """Un monde de quelques lieux, autant d'actions dans chacun.

    `text` : ce qu'on y trouve ; `hint` : l'indice, si aucune faute connue n'explique les valeurs.
    `moves` : A coups par lieu ; `limit` : le nombre de pas après lequel on est coupé. Avec une
    limite, l'épisode doit suivre le même chemin quelles que soient les actions. `components` : D,
    la taille d'une observation, autant que de lieux au moins.
    """

    name: str
    text: str
    hint: str
    moves: tuple[tuple[Move, ...], ...]
    starts: tuple[int, ...] = (0,)
    limit: int | None = None
    components: int = CARTPOLE_SIZES.observation

    @property
    def sizes(self) -> Sizes:
        """D et A."""
        return Sizes(self.components, len(self.moves[0]))

    def observe(self, places) -> np.ndarray:
        """Rend les observations (..., D) de lieux (...) : un 1 à la place du lieu, 0 ailleurs."""
        return np.eye(self.components, dtype=np.float32)[places]

    def values(self, gamma: float, rule: Rule = bellman) -> np.ndarray:
        """Rend Q (P, A), le point fixe de `rule`, ou des nombres immenses s'il n'y en a pas."""
        seen, q = self._seen(), np.zeros((len(self.moves), self.sizes.actions))
        for _ in range(SWEEPS):
            before = q
            q = np.array([[rule(one, gamma, q) for one in row] for row in seen])
            if (q == before).all():
                break
        return q

    def _seen(self) -> list[list[Seen]]:
        cut = self._cut_share()
        return [
            [Seen(move, share, self.starts[0]) for move in row]
            for share, row in zip(cut, self.moves, strict=True)
        ]

    def _cut_share(self) -> np.ndarray:
        """Rend, pour chaque lieu, la part de ses visites où l'épisode est coupé."""
        if self.limit is None:
            return np.zeros(len(self.moves))
        place, visits = self.starts[0], np.zeros(len(self.moves))
        for _ in range(self.limit):
            last = place
            visits[place] += 1
            place = self.moves[place][0].next_place
        return (np.arange(len(self.moves)) == last) / np.maximum(visits, 1)

    def env(self) -> gymnasium.Env:
        """Rend ce monde, prêt à être joué."""
        return _Played(self)


class _Played(gymnasium.Env):
    """Un monde qui se joue comme CartPole : mêmes espaces, à leur taille près, mêmes réponses."""

    def __init__(self, world: World):
        self.world, self._starts = world, None
        self.observation_space = spaces.Box(0, 1, (world.components,), np.float32)
        self.action_space = spaces.Discrete(world.sizes.actions)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:  # un flux à part : le lecteur tire souvent ses actions de `seed`
            self._starts = np.random.default_rng([seed, 1])
        elif self._starts is None:
            self._starts = self.np_random.spawn(1)[0]
        self._place, self._age = int(self._starts.choice(self.world.starts)), 0
        return self.world.observe(self._place), {}

    def step(self, action):
        reward, self._place, terminated = self.world.moves[self._place][int(action)]
        self._age += 1
        truncated = self._age == self.world.limit
        return self.world.observe(self._place), reward, terminated, truncated, {}


def drawn_worlds(generator: np.random.Generator) -> Iterator[World]:
    """Rend les six mondes, leurs récompenses tirées au hasard : on ne peut les savoir d'avance.

    Une seule composante se multiplierait sans erreur par un vecteur de quatre : D > 1.
    """

    def gain() -> float:
        return round(float(generator.uniform(1.4, 1.9)), 2)

    def both(*arguments) -> tuple[Move, ...]:
        """Un lieu où l'action ne change rien."""
        return Move(*arguments), Move(*arguments)

    def choice(place: int, actions: int = 2) -> tuple[Move, ...]:
        """Un lieu où une action rapporte et les autres coûtent, et où l'on finit."""
        best = generator.integers(actions)
        rewards = [gain() if action == best else -gain() for action in range(actions)]
        return tuple(Move(reward, place, True) for reward in rewards)

    yield World(
        "lire",
        "deux lieux, une récompense propre à chacun",
        "Ici, il suffit d'apprendre par cœur une récompense : regardez le lot, la perte, le pas "
        "d'optimiseur, et s'ils reviennent assez souvent.",
        (both(-gain(), 0, True), both(gain(), 1, True)),
        starts=(0, 1),
    )
    yield World(
        "choisir",
        "trois actions, dont une seule rapporte ; deux composantes",
        "Ici, les actions diffèrent : les essayez-vous toutes assez longtemps, et la perte "
        "lit-elle la valeur de l'action prise ?",
        (choice(0, actions=3),),
        components=2,
    )
    yield World(
        "attendre",
        "deux pas sans rien, puis une récompense ; une seule action, six composantes",
        "Ici, la valeur remonte de lieu en lieu : suivez ce que la cible lit dans l'état suivant, "
        "et quand le réseau cible bouge.",
        ((Move(0.0, 1),), (Move(0.0, 2),), (Move(gain(), 2, True),)),
        components=6,
    )
    yield World(
        "prévoir",
        "un pas sans rien, puis un choix",
        "Ici, le premier lieu vaut γ fois la meilleure action du second : relisez le maximum.",
        (both(0.0, 1), choice(1)),
    )
    yield World(
        "durer",
        "une récompense par pas, coupée au troisième",
        "Ici, rien ne finit jamais : la coupure n'ôte rien à la suite, et la somme vaut r/(1 − γ).",
        (both(gain(), 0),),
        limit=3,
    )
    yield World(
        "repartir",
        "un lieu qui rapporte sans fin, mais d'où l'on est ramené au départ",
        "Ici, une coupure ramène au départ ; quelle suite de ce coup retenez-vous ?",
        (both(0.0, 1), both(gain(), 1)),
        limit=2,
    )


# Les fautes connues, et les valeurs auxquelles chacune mène


@dataclass(frozen=True)
class Fault:
    """Une faute : les valeurs (P, A) où elle mène dans un monde, et l'indice qui la nomme."""

    name: str
    values: Callable[[World, float], np.ndarray]

    @property
    def hint(self) -> str:
        """Ce que l'on dit à qui la commet."""
        return MISCONCEPTIONS[self.name].sentence


def _following(rule: Rule) -> Callable[[World, float], np.ndarray]:
    return lambda world, gamma: world.values(gamma, rule)


def _masked(masks: Callable[[Seen], float]) -> Rule:
    """Rend la règle qui garde de la suite la part `masks(seen)`."""
    return lambda seen, gamma, q: (
        seen.move.reward + gamma * q[seen.move.next_place].max() * masks(seen)
    )


def _without_reward_at_the_end(seen: Seen, gamma: float, q: np.ndarray) -> float:
    return bellman(seen, gamma, q) * (not seen.move.terminated)


def _ghost(seen: Seen, gamma: float, q: np.ndarray) -> float:
    _, following, terminated = seen.move
    after = (1 - seen.cut) * q[following].max() + seen.cut * q[seen.start].max()
    return seen.move.reward + gamma * after * (not terminated)


def _with(after: Callable[[np.ndarray], float]) -> Rule:
    """Rend la règle qui lit `after(q du lieu suivant)` au lieu de son maximum."""

    def rule(seen: Seen, gamma: float, q: np.ndarray) -> float:
        reward, following, terminated = seen.move
        return reward + gamma * after(q[following]) * (not terminated)

    return rule


def _all_actions(world: World, gamma: float) -> np.ndarray:
    """Rend ce que donne une perte qui porte sur toutes les actions : leurs récompenses se mêlent.

    Les actions d'un lieu doivent mener au même.
    """
    means = [np.mean([move.reward for move in row]) for row in world.moves]
    rows = zip(world.moves, means, strict=True)
    mixed = tuple(tuple(move._replace(reward=mean) for move in row) for row, mean in rows)
    return replace(world, moves=mixed).values(gamma)


def _whole_reward(seen: Seen, gamma: float, q: np.ndarray) -> float:
    whole = float(int(seen.move.reward))
    return bellman(seen._replace(move=seen.move._replace(reward=whole)), gamma, q)


FAULTS = (
    Fault("aucun masque", _following(_masked(lambda seen: 1.0))),
    Fault("le masque efface la récompense", _following(_without_reward_at_the_end)),
    Fault("le masque à l'envers", _following(_masked(lambda seen: float(seen.move.terminated)))),
    Fault(
        "le chronomètre pour une chute",
        _following(_masked(lambda seen: (1 - seen.cut) * (not seen.move.terminated))),
    ),
    Fault("des transitions fantômes", _following(_ghost)),
    Fault("la moyenne des actions", _following(_with(np.mean))),
    Fault("la pire action", _following(_with(np.min))),
    Fault("rien ne remonte", _following(_with(lambda after: 0.0))),
    Fault("γ oublié", lambda world, gamma: world.values(1.0)),
    Fault("γ sur la récompense", lambda world, gamma: gamma * world.values(gamma)),
    Fault("des récompenses entières", _following(_whole_reward)),
    Fault(TOGETHER, _all_actions),
    Fault("les actions échangées", lambda world, gamma: np.roll(world.values(gamma), 1, axis=1)),
    Fault("rien n'est appris", lambda world, gamma: np.zeros_like(world.values(gamma))),
)
