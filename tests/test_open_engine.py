"""Une recette : ajouter au moteur une mémoire, une règle et un jeu, sans toucher au paquet."""

from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from trainings import assert_same_steps

from cartpole_helpers import (
    QUICK,
    ReplayBuffer,
    Training,
    evaluate,
    load_training,
    play,
    save_training,
)
from cartpole_helpers.teaching.laboratory import Altered

CONFIG = replace(QUICK, mirror=False, input_scale="auto", gamma=0.8, total_steps=6_000)


# 1. Un jeu : aller, sur une ligne de neuf cases, jusqu'à la case 8 en partant du milieu


class Corridor(VectorEnv):
    metadata: ClassVar = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, num_envs, limit=20):
        self.num_envs, self.limit = num_envs, limit
        self.single_observation_space = spaces.Box(0, 8, (2,))
        self.single_action_space = spaces.Discrete(3)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        self.cell, self.age = np.full(self.num_envs, 4), np.zeros(self.num_envs, int)
        return self.seen(), {}

    def step(self, actions):  # 0 : à gauche, 1 : sur place, 2 : à droite
        self.cell, self.age = np.clip(self.cell + actions - 1, 0, 8), self.age + 1
        arrived, late, last = self.cell == 8, self.age >= self.limit, self.seen()
        self.cell[arrived | late], self.age[arrived | late] = 4, 0
        return self.seen(), -np.ones(self.num_envs), arrived, late, {"final_obs": last}

    def seen(self):
        return np.stack([self.cell, 8 - self.cell], axis=-1).astype(np.float32)

    def saved_state(self):
        return {"cell": self.cell, "age": self.age}

    def restore(self, saved):
        self.cell, self.age = saved["cell"].copy(), saved["age"].copy()


# 2. Une mémoire : la moitié de chaque lot est faite de ce qui vient d'arriver


class Fresh(Altered):
    latest = ()

    def add(self, *transition):
        super().add(*transition)
        self.latest = transition

    def sample(self, batch_size):
        batch = super().sample(batch_size)
        for drawn, latest in zip(batch, self.latest, strict=True):
            drawn[:, : latest.shape[1]] = latest
        return batch

    def saved_state(self):
        recent = {f"latest{rank}": column for rank, column in enumerate(self.latest)}
        return super().saved_state() | recent

    def restore(self, saved):
        super().restore(saved)
        self.latest = [saved[name] for name in sorted(saved) if name.startswith("latest")]


# 3. Une règle : la cible douce, où chaque action compte selon sa valeur


class Soft:
    def __init__(self, temperature=0.05):
        self.temperature = temperature

    def __call__(self, reward, terminated, next_q, gamma):
        value = self.temperature * (next_q / self.temperature).logsumexp(dim=-1)
        return reward + gamma * value.masked_fill(terminated, 0.0)

    def saved_state(self):
        return {"temperature": np.array(self.temperature)}

    def restore(self, saved):
        self.temperature = float(saved["temperature"])


# 4. On les donne, ensemble ou séparément, et tout le reste suit


def collaborators(seeds=(0, 1)):
    memory = Fresh(ReplayBuffer(CONFIG.capacity, seeds=seeds, observation_size=2, actions=3))
    return {"env": Corridor, "memory": memory, "td_target": Soft()}


@pytest.mark.parametrize("names", [["env"], ["env", "memory"], ["env", "memory", "td_target"]])
def test_a_stranger_trains_evaluates_and_resumes(names, tmp_path):
    def given():
        return {name: one for name, one in collaborators().items() if name in names}

    training = Training(CONFIG, [0, 1], **given())
    for step in training.run():
        if step.env_steps == 3_200:
            save_training(training, tmp_path / "training")
            expected = []
        elif step.env_steps > 3_200:
            expected.append(step)
    assert (evaluate(training.agent, 5, env=Corridor) == -4).all()  # le plus court chemin
    assert play(training.agent[1], env=Corridor).observations[:, 0].tolist() == [4, 5, 6, 7, 8]
    resumed = load_training(tmp_path / "training", **given())
    assert_same_steps(list(resumed.run()), expected)


@pytest.mark.parametrize("made", [Fresh, Soft])
def test_a_memory_and_a_rule_serve_cartpole_too(made):
    memory = Fresh(ReplayBuffer(QUICK.capacity, seeds=[0]))
    given = {"memory": memory} if made is Fresh else {"td_target": Soft()}
    training = Training(replace(QUICK, total_steps=4_000), 0, **given)
    best = max(
        evaluate(training.agent, 10).mean() for step in training.run() if step.env_steps % 800 == 0
    )
    assert best > 150  # le hasard : 23


def test_a_part_can_be_set_by_hand():
    short = partial(Corridor, limit=3)
    assert (evaluate(lambda seen: np.full(len(seen), 2), 4, env=short) == -3).all()
