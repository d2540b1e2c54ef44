"""À quatre jeux, notre recette à côté du DQN et du PPO de Stable-Baselines3, réglés jeu par jeu.

    .venv/bin/python -m pip install -r requirements-etudes.txt -r requirements-jeux.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/pairs_jeux.py

Écrit avant qu'elle ne tourne. Graines 4000 à 4019. Nous n'avons qu'une recette ; eux ont, pour
chaque jeu, les nombres que publie `rl-zoo3` (dépôt au 22e3ff2, avril 2026). Chacun s'entraîne le
nombre de pas qu'il annonce ; PPO, qui annonce un million hors de CartPole, s'arrête à la moitié :
ses taux y sont constants, et ce qui précède n'en change pas. Tous les `EVERY` pas du jeu, la
politique gloutonne joue 100 épisodes depuis des départs neufs, que l'entraînement ne lit jamais.

Une graine *réussit* à la troisième évaluation de suite au seuil du jeu. On compte les graines qui
réussissent, et leur intervalle exact ; les pas et le temps de processeur jusque-là, en médiane, un
échec comptant pour l'infini ; la part des évaluations suivantes qui restent au seuil. Rien d'autre
n'est testé : ce qui sépare deux systèmes est à lire sur leurs intervalles.

Un fil ; un processus neuf par système, jeu et graine, les systèmes d'une même graine à la suite,
deux graines à la fois sur une machine à deux cœurs (`--graines 4000-4009`, et 4010-4019 dans un
autre terminal). Le chronomètre, celui du processeur, exclut les évaluations et le chargement.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import torch
from comparaison import PPO_ZOO, Clock, load_adam
from jeux import BUDGETS, EPISODES
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from cartpole_helpers import ONE_RECIPE, Training, evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch

EVERY = {
    "CartPole-v1": 2_500,
    "Acrobot-v1": 5_000,
    "MountainCar-v0": 10_000,
    "LunarLander-v3": 20_000,
}
WIDE = {"policy_kwargs": {"net_arch": [256, 256]}}
OFTEN = WIDE | {
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "gamma": 0.99,
    "target_update_interval": 250,
    "train_freq": 4,
    "gradient_steps": -1,
    "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1,
}
DQN_ZOO = {
    "CartPole-v1": (
        50_000,
        WIDE
        | {
            "learning_rate": 2.3e-3,
            "batch_size": 64,
            "buffer_size": 100_000,
            "learning_starts": 1_000,
            "gamma": 0.99,
            "target_update_interval": 10,
            "train_freq": 256,
            "gradient_steps": 128,
            "exploration_fraction": 0.16,
            "exploration_final_eps": 0.04,
        },
    ),
    "Acrobot-v1": (100_000, OFTEN),
    "MountainCar-v0": (
        120_000,
        WIDE
        | {
            "learning_rate": 4e-3,
            "batch_size": 128,
            "buffer_size": 10_000,
            "learning_starts": 1_000,
            "gamma": 0.98,
            "target_update_interval": 600,
            "train_freq": 16,
            "gradient_steps": 8,
            "exploration_fraction": 0.2,
            "exploration_final_eps": 0.07,
        },
    ),
    "LunarLander-v3": (100_000, OFTEN),
}
"""Par jeu : le nombre de pas, et les réglages publiés ; le reste est à ses défauts."""
PPO_GAMES = {
    "CartPole-v1": (100_000, 8, False, PPO_ZOO),
    "Acrobot-v1": (
        500_000,
        16,
        True,
        {"n_steps": 256, "gae_lambda": 0.94, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
    ),
    "MountainCar-v0": (
        500_000,
        16,
        True,
        {"n_steps": 16, "gae_lambda": 0.98, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
    ),
    "LunarLander-v3": (
        500_000,
        16,
        False,
        {
            "n_steps": 1_024,
            "batch_size": 64,
            "gae_lambda": 0.98,
            "gamma": 0.999,
            "n_epochs": 4,
            "ent_coef": 0.01,
        },
    ),
}
"""Par jeu : le nombre de pas, de copies, si tout est normalisé, et les réglages publiés."""


class Log:
    """Les évaluations d'un entraînement, et le temps de processeur où elles ont eu lieu."""

    def __init__(self, env: str):
        self.env, self.rows, self.clock = env, [], Clock()

    def due(self, steps: int, copies: int) -> bool:
        """Dit si c'est le moment d'évaluer, `copies` pas étant faits à chaque tour."""
        return steps % EVERY[self.env] < copies

    def evaluate(self, policy: Policy, steps: int) -> None:
        """Joue 100 épisodes, chronomètre arrêté, et retient la ligne."""
        seconds = self.clock.seconds()
        with self.clock.stopped():
            starts = fresh_seed(Purpose.STUDY, steps)
            mean = evaluate(policy, EPISODES, starts, env=self.env).mean()
        self.rows.append((steps, f"{seconds:.3f}", f"{mean:g}"))


def ours(env: str, seed: int) -> list[tuple]:
    """Entraîne un agent du cours à un jeu, avec la seule recette."""
    log, config = Log(env), replace(ONE_RECIPE, total_steps=BUDGETS[env])
    training = Training(config, seed, env=env)
    for step in training.run():
        if log.due(step.env_steps, config.carts):
            log.evaluate(training.agent, step.env_steps)
    return log.rows


class Follow(BaseCallback):
    """Évalue ce que jouerait le modèle, au rythme du journal."""

    def __init__(self, log: Log):
        super().__init__()
        self.log = log

    def _on_step(self) -> bool:
        if self.log.due(self.num_timesteps, self.training_env.num_envs):
            self.log.evaluate(greedy(self.model), self.num_timesteps)
        return True


def greedy(model: BaseAlgorithm) -> Policy:
    """Rend la politique gloutonne d'un modèle, qui normalise ce qu'elle voit comme lui."""
    games = model.get_env()
    seen = games.normalize_obs if isinstance(games, VecNormalize) else lambda states: states
    return lambda states: model.predict(seen(states), deterministic=True)[0]


def peer_dqn(env: str, seed: int) -> list[tuple]:
    """Entraîne le DQN de Stable-Baselines3 avec ce que `rl-zoo3` publie pour ce jeu."""
    log, (steps, settings) = Log(env), DQN_ZOO[env]
    games = make_vec_env(env, seed=seed)
    model = DQN("MlpPolicy", games, **settings, seed=seed, device="cpu")
    model.learn(steps, callback=Follow(log))
    return log.rows


def peer_ppo(env: str, seed: int) -> list[tuple]:
    """Entraîne le PPO de Stable-Baselines3 avec ce que `rl-zoo3` publie pour ce jeu."""
    log, (steps, copies, normalised, settings) = Log(env), PPO_GAMES[env]
    games = make_vec_env(env, n_envs=copies, seed=seed)
    games = VecNormalize(games, gamma=settings["gamma"]) if normalised else games
    model = PPO("MlpPolicy", games, **settings, seed=seed, device="cpu")
    model.learn(steps, callback=Follow(log))
    return log.rows


def run(system: Callable[[int], list[tuple]], seeds: Sequence[int]) -> list[tuple]:
    """Mesure une graine dans un processus neuf, où rien n'est déjà chargé ni en cache."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, system, *seeds).result()


def measured(system: Callable[[int], list[tuple]], seed: int) -> list[tuple]:
    """Entraîne un système et rend ses lignes, une par évaluation."""
    torch.set_num_threads(1)
    load_adam()
    return [(seed, *row) for row in system(seed)]


SYSTEMS = {"une seule recette": ours, "rl-zoo3, DQN": peer_dqn, "rl-zoo3, PPO": peer_ppo}
STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        (system, env): partial(train, env) for env in BUDGETS for system, train in SYSTEMS.items()
    },
    seeds=range(4_000, 4_020),
    columns=("pas", "secondes", "retour"),
    names=("systeme", "jeu"),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
