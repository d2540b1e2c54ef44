"""Nous contre Stable-Baselines3, son DQN et son PPO, chacun avec ses nombres publiés pour CartPole.

    .venv/bin/python -m pip install -r requirements-etudes.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/comparaison.py

Un cœur, un fil, les systèmes à tour de rôle, graine après graine, chacun dans un processus neuf.
Même règle pour tous : tous les 1 000 pas d'environnement, l'agent glouton joue 100 épisodes depuis
de nouveaux départs, que l'entraînement ne lit jamais. Le temps est celui du processeur, hors
évaluations. Les nombres des pairs sont ceux de `rl-zoo3` ; les nôtres sont réglés sur cette tâche
comme les leurs. Une graine faite est aussitôt écrite dans comparaison.csv : on peut interrompre et
relancer. La dernière colonne est le sommet de mémoire vive (Mio) de l'entraînement, hors ce
qu'occupent déjà les bibliothèques importées.
"""

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from time import process_time

import torch
from archive import Archive
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

from cartpole_helpers import Training, evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.repairs import RECIPES

SEEDS = range(20)
EVERY = 1_000
EPISODES = 100
FRESH = 3_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
HEADER = ("systeme", "graine", "pas", "secondes", "retour", "memoire")


class Clock:
    """Un chronomètre que l'on arrête pendant les évaluations, et ce qu'il a relevé."""

    def __init__(self):
        self.rows = []
        self._elapsed, self._start = 0.0, process_time()

    def evaluate(self, policy: Policy, steps: int) -> None:
        """Évalue `policy`, hors chronomètre, et retient la ligne."""
        self._elapsed += process_time() - self._start
        score = evaluate(policy, EPISODES, seed=FRESH + steps).mean()
        self.rows.append((steps, f"{self._elapsed:.4f}", f"{score:g}"))
        self._start = process_time()


class EvaluateEvery(BaseCallback):
    """Évalue un agent de Stable-Baselines3 tous les `EVERY` pas d'environnement."""

    def __init__(self, clock: Clock):
        super().__init__()
        self.clock = clock

    def _on_step(self) -> bool:
        if self.num_timesteps % EVERY < self.training_env.num_envs:
            self.clock.evaluate(greedy(self.model), self.num_timesteps)
        return True


def greedy(model: BaseAlgorithm) -> Policy:
    """Rend la politique déterministe d'un agent de Stable-Baselines3."""
    return lambda observations: model.predict(observations, deterministic=True)[0]


def ours(name: str, seed: int) -> list[tuple]:
    """Entraîne un agent du cours sur tout son budget."""
    clock = Clock()
    training = Training(RECIPES[name], seed)
    for step in training.run():
        if step.env_steps % EVERY < training.config.carts:
            clock.evaluate(training.agent, step.env_steps)
    return clock.rows


def peer_dqn(seed: int) -> list[tuple]:
    """Entraîne le DQN de Stable-Baselines3 avec les nombres de `rl-zoo3`."""
    clock = Clock()
    model = DQN(
        "MlpPolicy",
        make_vec_env("CartPole-v1", seed=seed),
        learning_rate=2.3e-3,
        batch_size=64,
        buffer_size=100_000,
        learning_starts=1_000,
        gamma=0.99,
        target_update_interval=10,
        train_freq=256,
        gradient_steps=128,
        exploration_fraction=0.16,
        exploration_final_eps=0.04,
        policy_kwargs={"net_arch": [256, 256]},
        seed=seed,
        device="cpu",
    )
    model.learn(50_000, callback=EvaluateEvery(clock))
    return clock.rows


def peer_ppo(seed: int) -> list[tuple]:
    """Entraîne le PPO de Stable-Baselines3 avec les nombres de `rl-zoo3`."""
    clock = Clock()
    model = PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", n_envs=8, seed=seed),
        n_steps=32,
        batch_size=256,
        gae_lambda=0.8,
        gamma=0.98,
        n_epochs=20,
        ent_coef=0.0,
        learning_rate=lambda remaining: remaining * 1e-3,
        clip_range=lambda remaining: remaining * 0.2,
        seed=seed,
        device="cpu",
    )
    model.learn(100_000, callback=EvaluateEvery(clock))
    return clock.rows


SYSTEMS: dict[str, Callable[[int], list[tuple]]] = {
    "version 2": partial(ours, "version 2"),
    "avec la symétrie": partial(ours, "avec la symétrie"),
    "Stable-Baselines3 DQN": peer_dqn,
    "Stable-Baselines3 PPO": peer_ppo,
}


def main() -> None:
    """Fait les graines qui manquent à l'archive."""
    archive = Archive(__file__, HEADER)
    done = archive.finished()
    for name, seed in tasks():
        if (name, seed) not in done:
            # Un processus neuf : ni la mémoire ni les caches de l'un ne servent à l'autre.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                rows = pool.submit(run, name, seed).result()
            archive.append(rows)
            print(*rows[-1], flush=True)


def tasks() -> Iterator[tuple[str, int]]:
    """Rend les couples (système, graine), les systèmes à tour de rôle."""
    return ((name, seed) for seed in SEEDS for name in SYSTEMS)


def run(name: str, seed: int) -> list[tuple]:
    """Entraîne un système sur une graine et rend ses lignes, une par évaluation."""
    torch.set_num_threads(1)
    before = peak_memory()
    rows = SYSTEMS[name](seed)
    used = peak_memory() - before
    return [(name, seed, *row, f"{used:.1f}") for row in rows]


def peak_memory() -> float:
    """Rend le sommet de mémoire vive du processus, en Mio."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
