"""Une recette : ajouter au moteur une mémoire, une règle et un jeu, sans toucher au paquet."""

import inspect
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
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

ROOT = Path(__file__).parents[1]
CONFIG = replace(QUICK, mirror=False, input_scale="auto", gamma=0.8, total_steps=6_000)


# 1. Un jeu : aller, sur une ligne de neuf cases, jusqu'à la case 8 en partant du milieu


class Corridor(gymnasium.Env):
    observation_space = spaces.Box(0, 8, (2,))
    action_space = spaces.Discrete(3)  # à gauche, sur place, à droite

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 4
        return self.seen(), {}

    def step(self, action):
        self.cell = min(max(self.cell + action - 1, 0), 8)
        return self.seen(), -1.0, self.cell == 8, False, {}

    def seen(self):
        return np.array([self.cell, 8 - self.cell], np.float32)

    def saved_state(self):  # facultatif, comme `restore` : de quoi reprendre au bit près
        return {"cell": np.array(self.cell)}

    def restore(self, saved):
        self.cell = int(saved["cell"])


gymnasium.register("Couloir-v0", Corridor, max_episode_steps=20)


# 2. Une mémoire : le début de chaque lot est ce qui vient d'arriver


class Fresh(Altered):
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
    return {"env": "Couloir-v0", "memory": memory, "td_target": Soft()}


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
    assert (evaluate(training.agent, 5, env="Couloir-v0") == -4).all()  # le plus court chemin
    episode = play(training.agent[1], env="Couloir-v0")
    assert episode.observations[:, 0].tolist() == [4, 5, 6, 7, 8]
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


# 5. C'est ce que montre CONTRIBUTING.md


@pytest.mark.parametrize("made", [Corridor, Fresh, Soft])
def test_the_guide_shows_these_recipes(made):
    source = inspect.getsource(made)
    assert f"```python\n{source}" in (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert sum(bool(line.strip()) for line in source.splitlines()) < 20
