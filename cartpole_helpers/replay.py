"""La mémoire de rejeu : un anneau de transitions alloué d'avance, de capacité quelconque."""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from torch import Tensor

from cartpole_helpers.cartpole import check_actions
from cartpole_helpers.checks import (
    check_array,
    check_flag,
    check_number,
    check_numbers,
    check_seeds,
)
from cartpole_helpers.seeds import Purpose, generator_state, restore_generator, stream

Array = TypeVar("Array", np.ndarray, Tensor)  # dans la mémoire, ou dans un lot à apprendre


class Transition(NamedTuple, Generic[Array]):
    """Ce qu'il faut pour apprendre d'un pas, ou de plusieurs : (...) est partout le même."""

    observation: Array  # (..., D) float32
    action: Array  # (...) int64
    reward: Array  # (...) float32
    terminated: Array  # (...) booléen ; une troncature n'en est pas une
    next_observation: Array  # (..., D) float32, le vrai successeur


class DiscountedTransition(NamedTuple, Generic[Array]):
    """Une `Transition` de k pas, k variant de l'une à l'autre, et le γᵏ dont sa cible amorce."""

    observation: Array  # (..., D)
    action: Array  # (...)
    reward: Array  # (...) r + γ r' + … : k récompenses
    terminated: Array  # (...)
    next_observation: Array  # (..., D) k pas plus loin
    discount: Array  # (...) float32, γᵏ


Batch = Transition[Array] | DiscountedTransition[Array]
Kind = type[Transition] | type[DiscountedTransition]


def _empty_transitions(kind: Kind, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Rend un tableau nul de forme `shape`, dont chaque case est une transition entière.

    Ses champs sont voisins en mémoire : une transition tirée au hasard coûte une lecture, au lieu
    d'une par champ.
    """
    fields = [
        ("observation", np.float32, (size,)),
        ("next_observation", np.float32, (size,)),
        ("action", np.int64),
        ("reward", np.float32),
        ("terminated", bool),
        ("discount", np.float32),
    ]
    fields = [field for field in fields if field[0] in kind._fields]
    return np.zeros(shape, np.dtype(fields, align=True))


class ReplayBuffer:
    """Les `capacity` dernières transitions de chaque agent, tirées uniformément avec remise.

    `seeds` : un entier pour un agent (lots (B, ...)), ou une suite de S graines pour S agents
    (un axe S devant tout). `observation_size` et `actions` : D et A. `discounted` : chaque
    transition a son γᵏ, le `discount` de `DiscountedTransition`. `purpose` : la suite où l'on tire.
    Ajouter et tirer coûtent à peu près le même temps quelle que soit la capacité.
    """

    def __init__(
        self,
        capacity: int,
        *,
        seeds=0,
        observation_size: int = 4,
        actions: int = 2,
        discounted: bool = False,
        purpose: Purpose = Purpose.REPLAY,
    ):
        self.capacity = check_number("capacity", capacity, int, low=1)
        self.actions = check_number("actions", actions, int, low=1)
        size = check_number("observation_size", observation_size, int, low=1)
        discounted = check_flag("discounted", discounted)
        self.kind: Kind = DiscountedTransition if discounted else Transition
        self._lead = (len(check_seeds("seeds", seeds)),) if np.iterable(seeds) else ()
        self._streams = [stream(seed, purpose) for seed in check_seeds("seeds", seeds)]
        shape = (len(self._streams), self.capacity)
        self._transitions = _empty_transitions(self.kind, shape, size)  # (S, C)
        self._columns = self._columns_of(self._transitions)
        self._added = 0  # transitions reçues par agent depuis le début

    def __len__(self) -> int:
        """Le nombre de transitions gardées pour chaque agent."""
        return min(self._added, self.capacity)

    @property
    def agents(self) -> int:
        """Le nombre S d'agents dont elle garde les transitions."""
        return len(self._streams)

    @property
    def nbytes(self) -> int:
        """Ce qu'occupent les tableaux de tous les agents, pleins ou non, en octets."""
        return self._transitions.nbytes

    def contents(self) -> Batch[np.ndarray]:
        """Rend tout ce qui est gardé, dans l'ordre des places : (S, K, ...), où K = `len(self)`."""
        return self._columns_of(self._transitions[:, : len(self)].copy())

    def add(self, observation, action, reward, terminated, next_observation, discount=None) -> None:
        """Ajoute, pour chaque agent, une transition (`observation` (D,)) ou N d'un coup ((N, D)).

        Les plus anciennes cèdent la place. ValueError si une forme ne convient pas, si un nombre
        n'est pas fini, si N dépasse la capacité, ou si `discount` manque ou est de trop ; rien
        n'est alors ajouté.
        """
        given = (observation, action, reward, terminated, next_observation, discount)
        incoming = self._checked(given)
        count = incoming.action.shape[1]
        first = self._added % self.capacity
        fitting = min(count, self.capacity - first)  # le reste repart du début de l'anneau
        for column, values in zip(self._columns, incoming, strict=True):
            column[:, first : first + fitting] = values[:, :fitting]
            column[:, : count - fitting] = values[:, fitting:]
        self._added += count

    def sample(self, batch_size: int) -> Batch[np.ndarray]:
        """Rend un lot de B = `batch_size` transitions par agent, copiées : formes (B, ...).

        ValueError si la mémoire en contient moins : un lot n'est jamais plus court que demandé.
        """
        batch_size = check_number("batch_size", batch_size, int, low=1)
        if batch_size > len(self):
            raise ValueError(
                f"batch_size doit être au plus égal au nombre de transitions gardées : "
                f"{batch_size} demandées, {len(self)} gardées."
            )
        batch = self._transitions.take(self.draw(batch_size))  # (S·B,)
        return self._columns_of(batch.reshape(*self._lead, batch_size))

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change : transitions gardées, compte, suites de tirages."""
        kept = {name: column[:, : len(self)] for name, column in self._columns._asdict().items()}
        streams = np.stack([generator_state(generator) for generator in self._streams])
        return kept | {"added": np.array(self._added), "streams": streams}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet la mémoire dans l'état `saved`, rendu par `saved_state`."""
        self._added = int(saved["added"])
        for name, column in self._columns._asdict().items():
            column[:, : len(self)] = saved[name]
        for generator, state in zip(self._streams, saved["streams"], strict=True):
            restore_generator(generator, state)

    def draw(self, batch_size: int) -> np.ndarray:
        """Rend les places tirées (S·B,), celles d'un agent après celles du précédent."""
        draws = [
            agent * self.capacity + generator.integers(len(self), size=batch_size)
            for agent, generator in enumerate(self._streams)
        ]
        return draws[0] if len(draws) == 1 else np.concatenate(draws)

    def _columns_of(self, transitions: np.ndarray) -> Batch[np.ndarray]:
        """Rend les champs d'un tableau de transitions, sans les copier."""
        return self.kind(*(transitions[name] for name in self.kind._fields))

    def _checked(self, given: tuple) -> Batch[np.ndarray]:
        """Rend `given` aux formes (S, N, ...), chaque tableau vérifié."""
        if (given[-1] is None) == (self.kind is DiscountedTransition):
            raise ValueError(
                "discount doit être donné si, et seulement si, la mémoire est `discounted` : "
                f"{given[-1]!r} reçu."
            )
        incoming = self.kind(*given[: len(self.kind._fields)])
        size = self._columns.observation.shape[-1]
        shape = check_numbers("observation", incoming.observation).shape
        counts = shape[len(self._lead) : -1]
        expected = (*self._lead, *counts)
        if len(counts) > 1 or (counts and counts[0] > self.capacity):
            raise ValueError(
                "observation doit être une transition par agent, ou au plus capacity "
                f"({self.capacity}) : forme {shape} reçue ; S agents demandent S graines."
            )
        arrays = []
        for name, column, values in zip(self.kind._fields, self._columns, incoming, strict=True):
            tail = (size,) if name.endswith("observation") else ()
            if name == "action":
                array = check_actions(values, expected, name, self.actions)
            else:
                array = check_array(name, values, (*expected, *tail), column.dtype)
            arrays.append(array.reshape(self.agents, -1, *tail))
        return self.kind(*arrays)


class StepWindow:
    """Les n derniers pas de S·E copies du jeu ; il en sort la transition à n pas du premier.

    Une fin la coupe : elle n'a alors que k récompenses, et amorce, si c'est une troncature, avec
    γᵏ. Chaque pas en commence ainsi une, et une seule, comme dans l'accumulateur de dqn_zoo.
    """

    def __init__(self, length: int, gamma: float, shape: tuple[int, int], size: int = 4):
        self.length, self.count = length, 0
        self.discounts = gamma ** np.arange(length + 1)  # (n + 1,)
        nothing = _empty_transitions(Transition, shape, size)
        blank = (Transition(*(nothing[name] for name in Transition._fields)), np.zeros(shape, bool))
        self.steps = deque([blank] * length, maxlen=length)  # (transition, truncated), (S, E, ...)

    def push(
        self, transition: Transition[np.ndarray], truncated: np.ndarray
    ) -> DiscountedTransition[np.ndarray] | None:
        """Ajoute un pas (S, E, ...) ; rend la transition du pas sorti, ou None s'il en manque."""
        self.count += 1
        own = Transition(*map(np.array, transition))  # les tableaux reçus sont à qui les a donnés
        own = own._replace(reward=own.reward.astype(np.float32))
        self.steps.append((own, np.array(truncated)))
        return None if self.count < self.length else self._folded()

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change : les n pas, (n, S, E, ...)."""
        transitions, truncated = zip(*self.steps, strict=True)
        steps = Transition(*map(np.stack, zip(*transitions, strict=True)))
        return steps._asdict() | {"truncated": np.stack(truncated), "count": np.array(self.count)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet la fenêtre dans l'état `saved`, rendu par `saved_state`."""
        self.count = int(saved["count"])
        steps = map(Transition, *(saved[name] for name in Transition._fields))
        self.steps.extend(zip(steps, saved["truncated"], strict=True))

    def _folded(self) -> DiscountedTransition[np.ndarray]:
        """Rend la transition (S, E, ...) du premier pas de la fenêtre, jusqu'à sa première fin."""
        first, _ = self.steps[0]
        reward, discount = np.zeros(first.reward.shape), np.full(first.reward.shape, 1.0)
        terminated, successor = first.terminated, first.next_observation
        alive = np.ones(first.reward.shape, bool)
        for k, (step, truncated) in enumerate(self.steps):
            reward += np.where(alive, self.discounts[k] * step.reward, 0)
            discount[alive] = self.discounts[k + 1]
            terminated = np.where(alive, step.terminated, terminated)
            successor = np.where(alive[..., None], step.next_observation, successor)
            alive = alive & ~(step.terminated | truncated)
        return DiscountedTransition(
            observation=first.observation,
            action=first.action,
            reward=reward.astype(np.float32),
            terminated=terminated,
            next_observation=successor,
            discount=discount.astype(np.float32),
        )
