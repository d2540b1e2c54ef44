"""De quoi faire et comparer de petits entraînements, sans rien remplacer dans le moteur."""

from copy import deepcopy
from functools import partial

import numpy as np
import torch

from cartpole_helpers import CartPoleVector, Config, ReplayBuffer, Step, Training
from cartpole_helpers.teaching.laboratory import Altered

SMALL = Config(
    total_steps=240,
    carts=4,
    hidden=(7, 5),
    activation="silu",
    epsilon_steps=200,
    batch_size=16,
    warmup=32,
    capacity=100,
    learning_rate=5e-3,
    gamma=0.9,
    target_rate=0.1,
    average_rate=0.1,
)
SEEDS = [11, 0, 5]


def short(limit):
    """CartPole en épisodes de `limit` pas au plus : chutes et troncatures s'y mêlent d'emblée."""
    return partial(CartPoleVector, max_episode_steps=limit)


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def run(config, seeds, turns, **given):
    training = Training(config, seeds, **given)
    return training, [training.advance() for _ in range(turns)]


def column(steps, name):
    return np.stack([getattr(step, name) for step in steps])


def assert_same_steps(received, expected, row=slice(None)):
    """Compare au bit près deux listes de tours ; `row` choisit des agents dans la seconde."""
    for got, want in zip(received, expected, strict=True):
        for name, mine, other in zip(Step._fields, got, want, strict=True):
            other = other[row] if isinstance(other, np.ndarray) else other
            np.testing.assert_array_equal(mine, other, err_msg=name)


def assert_alone_as_among_others(config, seeds, turns, **given):
    """Compare au bit près chacun de ces agents, seul, à ce qu'il est parmi les autres."""
    together, steps = run(config, seeds, turns, **given)
    assert together.gradient_steps > 2
    for row, seed in enumerate(seeds):
        alone, expected = run(config, seed, turns, **given)
        assert_same_steps(expected, steps, slice(row, row + 1))
        assert torch.equal(alone.agent.weights, together.agent.weights[row : row + 1])


def training_starts(steps):
    """Les observations de début d'épisode rencontrées par tous les chariots : (K, 4)."""
    ended = column(steps, "terminated") | column(steps, "truncated")
    restarts = column(steps, "observation")[1:][ended[:-1]]
    return np.concatenate([steps[0].observation.reshape(-1, 4), restarts])


class Watched(Altered):
    """La mémoire ordinaire de ce réglage ; `added` et `drawn` retiennent ce qui y passe."""

    def __init__(self, config, seeds):
        seeds = np.atleast_1d(seeds).tolist()
        kept = ReplayBuffer(config.capacity, seeds=seeds, discounted=config.n_steps > 1)
        super().__init__(kept)
        self.added, self.drawn = [], []

    def add(self, *transition):
        self.added.append(deepcopy(transition))
        super().add(*transition)

    def sample(self, batch_size):
        self.drawn.append(super().sample(batch_size))
        return deepcopy(self.drawn[-1])


class Reusing(CartPoleVector):
    """Elle rend toujours le même tableau, en float64, qu'elle remplit à nouveau."""

    def reset(self, **options):
        self.shared = super().reset(**options)[0].astype(float)
        return self.shared, {}

    def step(self, actions):
        self.shared[:], *outcome = super().step(actions)
        return self.shared, *outcome
