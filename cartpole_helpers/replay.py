"""La mémoire de rejeu : un anneau de transitions alloué d'avance, de capacité quelconque."""

from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import check_actions
from cartpole_helpers.checks import check_array, check_number, check_numbers, check_seeds
from cartpole_helpers.seeds import Purpose, generator_state, restore_generator, stream


class Transition(NamedTuple):
    """Ce qu'il faut pour apprendre d'un pas, ou de plusieurs : (...) est partout le même."""

    observation: np.ndarray  # (..., 4) float32
    action: np.ndarray  # (...) int64
    reward: np.ndarray  # (...) float32
    terminated: np.ndarray  # (...) booléen ; une troncature n'en est pas une
    next_observation: np.ndarray  # (..., 4) float32, le vrai successeur


def _empty_transitions(shape: tuple[int, ...], size: int = 4) -> np.ndarray:
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
    ]
    return np.zeros(shape, np.dtype(fields, align=True))


def _columns_of(transitions: np.ndarray) -> Transition:
    """Rend les champs d'un tableau de transitions, sans les copier."""
    return Transition(*(transitions[name] for name in Transition._fields))


class ReplayBuffer:
    """Les `capacity` dernières transitions de chaque agent, tirées uniformément avec remise.

    `seeds` : un entier pour un agent (lots (B, ...)), ou une suite de S graines pour S agents
    (un axe S devant tout). Ajouter et tirer coûtent à peu près le même temps quelle que soit la
    capacité.
    """

    def __init__(self, capacity: int, *, seeds=0, observation_size: int = 4):
        self.capacity = check_number("capacity", capacity, int, low=1)
        size = check_number("observation_size", observation_size, int, low=1)
        self._lead = (len(check_seeds("seeds", seeds)),) if np.iterable(seeds) else ()
        self._streams = [stream(seed, Purpose.REPLAY) for seed in check_seeds("seeds", seeds)]
        self._transitions = _empty_transitions((len(self._streams), self.capacity), size)  # (S, C)
        self._columns = _columns_of(self._transitions)
        self._added = 0  # transitions reçues par agent depuis le début

    def __len__(self) -> int:
        """Le nombre de transitions gardées pour chaque agent."""
        return min(self._added, self.capacity)

    @property
    def nbytes(self) -> int:
        """Ce qu'occupent les tableaux de tous les agents, pleins ou non, en octets."""
        return self._transitions.nbytes

    def add(self, observation, action, reward, terminated, next_observation) -> None:
        """Ajoute, pour chaque agent, une transition (`observation` (4,)) ou N d'un coup ((N, 4)).

        Les plus anciennes cèdent la place. ValueError si une forme ne convient pas, si un nombre
        n'est pas fini, ou si N dépasse la capacité ; rien n'est alors ajouté.
        """
        incoming = Transition(observation, action, reward, terminated, next_observation)
        incoming = self._checked(incoming)
        count = incoming.action.shape[1]
        slots = (self._added + np.arange(count)) % self.capacity  # (N,)
        for column, values in zip(self._columns, incoming, strict=True):
            column[:, slots] = values
        self._added += count

    def sample(self, batch_size: int) -> Transition:
        """Rend un lot de B = `batch_size` transitions par agent, copiées : formes (B, ...).

        ValueError si la mémoire en contient moins : un lot n'est jamais plus court que demandé.
        """
        batch_size = check_number("batch_size", batch_size, int, low=1)
        if batch_size > len(self):
            raise ValueError(
                f"batch_size doit être au plus égal au nombre de transitions gardées : "
                f"{batch_size} demandées, {len(self)} gardées."
            )
        batch = self._transitions.take(self._draw(batch_size))  # (S·B,)
        return _columns_of(batch.reshape(*self._lead, batch_size))

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

    def _draw(self, batch_size: int) -> np.ndarray:
        """Rend les places tirées (S·B,), celles d'un agent après celles du précédent."""
        draws = [
            agent * self.capacity + generator.integers(len(self), size=batch_size)
            for agent, generator in enumerate(self._streams)
        ]
        return draws[0] if len(draws) == 1 else np.concatenate(draws)

    def _checked(self, incoming: Transition) -> Transition:
        """Rend `incoming` aux formes (S, N, ...), chaque tableau vérifié."""
        size = self._columns.observation.shape[-1]
        shape = check_numbers("observation", incoming.observation).shape
        counts = shape[len(self._lead) : -1]
        expected = (*self._lead, *counts)
        if len(counts) > 1 or (counts and counts[0] > self.capacity):
            raise ValueError(
                "observation doit être une transition par agent, ou au plus capacity "
                f"({self.capacity}) : forme {shape} reçue."
            )
        arrays = []
        for name, column, values in zip(Transition._fields, self._columns, incoming, strict=True):
            tail = (size,) if name.endswith("observation") else ()
            if name == "action":
                array = check_actions(values, expected, name)
            else:
                array = check_array(name, values, (*expected, *tail), column.dtype)
            arrays.append(array.reshape(len(self._streams), -1, *tail))
        return Transition(*arrays)


class StepWindow:
    """Les n derniers pas de S·E chariots ; il en sort la transition à n récompenses du premier."""

    def __init__(self, length: int, gamma: float, shape: tuple[int, int]):
        self.discounts = (gamma ** np.arange(length))[:, None, None]  # (n, 1, 1)
        self.count = 0
        self.steps = _columns_of(_empty_transitions((length, *shape)))  # (n, S, E, ...)
        self.truncated = np.zeros((length, *shape), bool)
        self.latest = _columns_of(_empty_transitions(shape))

    def push(self, transition: Transition, truncated: np.ndarray) -> Transition | None:
        """Ajoute un pas (S, E, ...) ; rend la transition à n récompenses, ou None s'il en manque.

        Une fenêtre coupée par une troncature n'amorcerait pas avec γⁿ : la dernière fenêtre entière
        du même chariot prend sa place. Une terminaison, elle, n'amorce pas et convient toujours.
        """
        self.count += 1
        self.steps = Transition(*map(_shifted, self.steps, transition))
        self.truncated = _shifted(self.truncated, truncated)
        if self.count < len(self.truncated):
            return None
        folded, whole = self._fold()
        self.latest = Transition(*map(_keep_where(whole), folded, self.latest))
        return self.latest

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        latest = {f"latest_{name}": array for name, array in self.latest._asdict().items()}
        others = {"truncated": self.truncated, "count": np.array(self.count)}
        return self.steps._asdict() | latest | others

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet la fenêtre dans l'état `saved`, rendu par `saved_state`."""
        self.count, self.truncated = int(saved["count"]), saved["truncated"]
        self.steps = Transition(*(saved[name] for name in Transition._fields))
        self.latest = Transition(*(saved[f"latest_{name}"] for name in Transition._fields))

    def _fold(self) -> tuple[Transition, np.ndarray]:
        """Rend la transition à n récompenses (S, E, ...), et où sa fenêtre est entière (S, E)."""
        window, last_row = self.steps, len(self.truncated) - 1
        last = _first_end(window.terminated | self.truncated)  # (S, E)
        alive = np.arange(last_row + 1)[:, None, None] <= last
        terminated = _at(window.terminated, last)
        folded = Transition(
            observation=window.observation[0],
            action=window.action[0],
            reward=(self.discounts * window.reward * alive).sum(axis=0).astype(np.float32),
            terminated=terminated,
            next_observation=_at(window.next_observation, last),
        )
        return folded, terminated | (last == last_row)


def _shifted(rows: np.ndarray, newest: np.ndarray) -> np.ndarray:
    """Rend `rows` sans sa première ligne, `newest` à la fin ; c'est une copie."""
    return np.concatenate([rows[1:], newest[None].astype(rows.dtype)])


def _first_end(ended: np.ndarray) -> np.ndarray:
    """Rend l'indice de la première fin sur l'axe 0, ou le dernier indice s'il n'y en a pas."""
    return np.where(ended.any(axis=0), ended.argmax(axis=0), len(ended) - 1)


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Rend `values` (n, S, E, ...) à l'indice `index` (S, E) de son axe 0 : (S, E, ...)."""
    agents, carts = np.indices(index.shape)
    return values[index, agents, carts]


def _keep_where(whole: np.ndarray):
    def choose(fresh: np.ndarray, previous: np.ndarray) -> np.ndarray:
        mask = whole[..., None] if fresh.ndim > whole.ndim else whole
        return np.where(mask, fresh, previous)

    return choose
