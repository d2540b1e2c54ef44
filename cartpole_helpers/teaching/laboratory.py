"""Des expériences où une seule chose change : ce que la mémoire garde, ou ce qu'on y tire.

Chacune se donne à `Training`, et suppose une cible à un pas : une transition y est un pas.
"""

from collections.abc import Sequence

import numpy as np

from cartpole_helpers.cartpole import SOLVED_RETURN, CartPoleVector
from cartpole_helpers.checks import check_array, check_number, check_seeds
from cartpole_helpers.replay import ReplayBuffer, Transition
from cartpole_helpers.seeds import Purpose, generator_state, restore_generator, stream
from cartpole_helpers.training import Memory

RESERVED = 512  # transitions d'une réserve
SINCE = 10_000  # pas de jeu par agent : à partir de là, une mémoire est altérée


class ClockEnds(CartPoleVector):
    """La faute du chronomètre, à donner en `env` : la fin du temps y passe pour une chute."""

    def step(self, actions):
        """Avance d'un pas ; toute troncature y est aussi une terminaison."""
        observation, reward, terminated, truncated, info = super().step(actions)
        return observation, reward, terminated | truncated, truncated, info


class Altered:
    """Une mémoire qui en altère une autre, `inner`, à donner en `memory` ; telle quelle, rien."""

    def __init__(self, inner: Memory):
        self.inner = inner

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (S, E, ...)."""
        self.inner.add(*transition)

    def sample(self, batch_size: int) -> Transition:
        """Rend un lot (S, B, ...)."""
        return self.inner.sample(batch_size)

    def contents(self) -> Transition:
        """Rend tout ce qui est gardé."""
        return self.inner.contents()

    def __len__(self) -> int:
        return len(self.inner)

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        return {f"inner.{name}": array for name, array in self.inner.saved_state().items()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""
        self.inner.restore(_part(saved, "inner"))


class Amnesic(Altered):
    """Passé `SINCE` pas, les chutes n'entrent plus en mémoire : le pas d'avant y est répété.

    `kept` : la part des chutes, tirées au sort, qui y entrent pourtant.
    """

    def __init__(self, inner: Memory, seeds: int | Sequence[int], *, kept: float = 0.0):
        super().__init__(inner)
        self.kept = check_number("kept", kept, float, low=0, high=1)
        self.luck = [stream(seed, Purpose.AMNESIA) for seed in check_seeds("seeds", seeds)]
        self.age, self.previous = 0, None

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (S, E, ...), ou celle d'avant à la place d'une chute."""
        lived = Transition(*transition)
        draws = np.stack([generator.random(lived.action.shape[1]) for generator in self.luck])
        self.age += lived.action.shape[1]
        if self.age > SINCE:
            forgotten = lived.terminated & (draws >= self.kept)
            lived = chosen(forgotten, self.previous, lived)
        self.previous = lived
        self.inner.add(*lived)

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        luck = np.stack([*map(generator_state, self.luck)])
        own = {"age": np.array(self.age), "luck": luck} | _written("previous", self.previous)
        return super().saved_state() | own

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""
        super().restore(saved)
        self.age, self.previous = int(saved["age"]), _read("previous", saved)
        for generator, state in zip(self.luck, saved["luck"], strict=True):
            restore_generator(generator, state)


class Doubled(Altered):
    """Le contrôle d'`Amnesic` : le pas d'avant est répété aussi, mais la chute entre en mémoire.

    La répétition y prend la place du premier pas de l'épisode suivant.
    """

    def __init__(self, inner: Memory):
        super().__init__(inner)
        self.age, self.before, self.last = 0, None, None

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (S, E, ...), ou l'avant-dernière à la place de celle d'après."""
        lived = kept = Transition(*transition)
        self.age += lived.action.shape[1]
        if self.age > SINCE:
            kept = chosen(self.last.terminated, self.before, lived)
        self.before, self.last = self.last, lived
        self.inner.add(*kept)

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        recent = _written("before", self.before) | _written("last", self.last)
        return super().saved_state() | {"age": np.array(self.age)} | recent

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""
        super().restore(saved)
        self.age = int(saved["age"])
        self.before, self.last = _read("before", saved), _read("last", saved)


class WithReserve(Altered):
    """Dans chaque lot, `share` transitions viennent d'une réserve : les 512 dernières chutes."""

    def __init__(self, inner: Memory, seeds: int | Sequence[int], *, share: int = 8):
        super().__init__(inner)
        self.share = check_number("share", share, int, low=0)
        self.reserves = [
            ReplayBuffer(RESERVED, seeds=seed, purpose=Purpose.RESERVE)
            for seed in check_seeds("seeds", seeds)
        ]

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (S, E, ...), et en réserve celles qui y entrent."""
        entering = self.entering(Transition(*transition).terminated)
        for reserve, where, *columns in zip(self.reserves, entering, *transition, strict=True):
            if where.any():
                reserve.add(*(column[where] for column in columns))
        super().add(*transition)

    def entering(self, fallen: np.ndarray) -> np.ndarray:
        """Rend les chariots (S, E) dont le pas entre en réserve : ceux qui tombent."""
        return fallen

    def sample(self, batch_size: int) -> Transition:
        """Rend un lot (S, B, ...), dont les premières transitions viennent de la réserve."""
        batch = super().sample(batch_size)
        for rank, reserve in enumerate(self.reserves):
            count = min(self.share, len(reserve))
            if count:
                for column, kept in zip(batch, reserve.sample(count), strict=True):
                    column[rank, :count] = kept
        return batch

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        reserves = {
            f"reserve{rank}.{name}": array
            for rank, reserve in enumerate(self.reserves)
            for name, array in reserve.saved_state().items()
        }
        return super().saved_state() | reserves

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""
        super().restore(saved)
        for rank, reserve in enumerate(self.reserves):
            reserve.restore(_part(saved, f"reserve{rank}"))


class WithPlacebo(WithReserve):
    """Le contrôle de la réserve : à chaque chute y entre un pas ordinaire, du chariot voisin."""

    def entering(self, fallen: np.ndarray) -> np.ndarray:
        """Rend les voisins (S, E) de ceux qui tombent, s'ils ne tombent pas."""
        return np.roll(fallen, 1, axis=1) & ~fallen


def _part(saved: dict[str, np.ndarray], part: str) -> dict[str, np.ndarray]:
    """Rend ce que `saved` garde sous le nom `part`."""
    prefix = f"{part}."
    mine = (name for name in saved if name.startswith(prefix))
    return {name.removeprefix(prefix): saved[name] for name in mine}


def _written(part: str, transition: Transition | None) -> dict[str, np.ndarray]:
    fields = {} if transition is None else transition._asdict()
    return {f"{part}.{name}": array for name, array in fields.items()}


def _read(part: str, saved: dict[str, np.ndarray]) -> Transition | None:
    fields = _part(saved, part)
    return Transition(**fields) if fields else None


def chosen(where: np.ndarray, one: Transition, other: Transition) -> Transition:
    """Rend, chariot par chariot, `one` où `where` (S, E) est vrai, `other` ailleurs."""
    masks = (where.reshape(*where.shape, *[1] * (column.ndim - 2)) for column in other)
    return type(other)(*map(np.where, masks, one, other))


def collapsed(env_steps: np.ndarray, returns: np.ndarray, floor: float = 200) -> np.ndarray:
    """Dit quelles graines, après `SINCE` pas et une réussite, passent sous `floor` : (S,) booléens.

    `env_steps` (V,) et `returns` (S, V) : les évaluations, dans l'ordre du temps. Une réussite
    atteint 475, à tout moment d'avant ; ce qui arrive à `SINCE` pas ou plus tôt ne compte pas.
    """
    env_steps = check_array("env_steps", env_steps, (None,))
    returns = check_array("returns", returns, (None, len(env_steps)))
    floor = check_number("floor", floor, float, high=SOLVED_RETURN)
    succeeded = np.maximum.accumulate(returns >= SOLVED_RETURN, axis=1)
    return (succeeded & (returns < floor))[:, env_steps > SINCE].any(axis=1)
