"""Quatre jeux, trois systèmes : notre recette unique, le DQN et le PPO de Stable-Baselines3.

    .venv/bin/python -m pip install -r requirements-etudes.txt -r requirements-jeux.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/pairs_jeux.py

Nous jouons partout avec `ONE_RECIPE` et le budget de jeux.py ; les pairs, avec les nombres et le
budget que `rl-zoo3` (commit `22e3ff2`) publie pour chaque jeu. Tous sont évalués aux mêmes pas, sur
les mêmes 100 départs neufs, que l'entraînement ne lit jamais ; chacun par ce qu'il livre (eux, leur
réseau ; nous, la moyenne des poids) ; chacun s'arrête dix évaluations après sa réussite, sinon au
bout de son budget. Un fil, un processus neuf par système et par graine, les systèmes d'une graine à
la suite sur le même cœur ; le chronomètre du processeur exclut les évaluations et ce que PyTorch
charge à son premier pas d'Adam.

Écrit avant qu'elle ne tourne, sauf le nombre de graines : cinq étaient annoncées, 4000 à 4004 ;
deux en ont été ôtées pendant qu'elle tournait, faute de temps, puis deux des trois PPO de
LunarLander, l'une arrêtée après vingt minutes de processeur, l'autre pas commencée ; rien n'en
avait été lu. Ces graines étaient déjà vues dans jeux.py pour nous, jamais pour eux. La réussite est
la troisième évaluation de suite au seuil ; un échec compte pour l'infini. Mesure principale : pour
chacun des deux pairs, sur les paires (graine, jeu), douze pour le DQN, dix pour le PPO, qui réussit
en moins de temps de processeur ; test des signes exact, bilatéral, Holm sur les deux ; deux échecs
ne départagent pas. Par jeu, trois paires ne peuvent rien conclure seules (p = 0,25 si toutes
s'accordent) : le reste est exploratoire, soit les pas, le rapport des médianes, les graines qui
réussissent (intervalle exact), la part des dix évaluations suivantes qui restent au seuil.

Le DQN de `rl-zoo3` n'a que cent mille pas à LunarLander ; ce qu'il ferait au-delà n'est pas mesuré.
Le temps ne vaut que d'un système à l'autre, sur cette machine, qui faisait aussi autre chose.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from comparaison import Clock, run
from jeux import BUDGETS, EPISODES, LOOKS
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from cartpole_helpers import ONE_RECIPE, Training, evaluate
from cartpole_helpers.environments import solved_return
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch

EVERY = {env: steps // LOOKS for env, steps in BUDGETS.items()}
IN_A_ROW = 3  # évaluations au seuil qui font une réussite
AFTER = 10  # évaluations qui la suivent, au plus

LUNAR_DQN = {
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
        {
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
    "Acrobot-v1": (100_000, LUNAR_DQN),
    "MountainCar-v0": (
        120_000,
        {
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
    "LunarLander-v3": (100_000, LUNAR_DQN),
}
PPO_ZOO = {
    "CartPole-v1": (
        100_000,
        8,
        {
            "n_steps": 32,
            "batch_size": 256,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "n_epochs": 20,
            "learning_rate": lambda remaining: remaining * 1e-3,
            "clip_range": lambda remaining: remaining * 0.2,
        },
    ),
    "Acrobot-v1": (
        1_000_000,
        16,
        {"n_steps": 256, "gae_lambda": 0.94, "gamma": 0.99, "n_epochs": 4},
    ),
    "MountainCar-v0": (
        1_000_000,
        16,
        {"n_steps": 16, "gae_lambda": 0.98, "gamma": 0.99, "n_epochs": 4},
    ),
    "LunarLander-v3": (
        1_000_000,
        16,
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
NORMALISED = ("Acrobot-v1", "MountainCar-v0")  # PPO y voit des observations normalisées


class GameClock(Clock):
    """Un chronomètre du processeur, qui évalue à un jeu."""

    def __init__(self, env: str):
        super().__init__()
        self.env, self.threshold, self.means = env, solved_return(env), []

    def due(self, steps: int, copies: int) -> bool:
        """Dit si une évaluation est due au pas `steps`, que `copies` exemplaires font ensemble."""
        return steps % EVERY[self.env] < copies

    def judge(self, policy: Callable, steps: int) -> None:
        """Évalue `policy` et retient la ligne."""
        seconds = self.seconds()
        with self.stopped():
            starts = fresh_seed(Purpose.STUDY, steps)
            self.means.append(evaluate(policy, EPISODES, starts, env=self.env).mean())
            self.rows.append((steps, f"{seconds:.3f}", f"{self.means[-1]:g}"))

    def over(self) -> bool:
        """Dit si les `AFTER` évaluations qui suivent la réussite sont faites."""
        solved = np.array(self.means[:-AFTER]) >= self.threshold
        runs = np.convolve(solved, np.ones(IN_A_ROW), "valid") if len(solved) >= IN_A_ROW else []
        return IN_A_ROW in runs


def ours(env: str, seed: int) -> list[tuple]:
    """Entraîne un agent du cours."""
    clock = GameClock(env)
    config = replace(ONE_RECIPE, total_steps=BUDGETS[env])
    training = Training(config, seed, env=env)
    for step in training.run():
        if clock.due(step.env_steps, config.carts):
            clock.judge(training.agent, step.env_steps)
            if clock.over():
                break
    return clock.rows


class Follow(BaseCallback):
    """Évalue un pair à intervalles égaux, et l'arrête quand on en sait assez."""

    def __init__(self, clock: GameClock):
        super().__init__()
        self.clock = clock

    def _on_step(self) -> bool:
        if not self.clock.due(self.num_timesteps, self.training_env.num_envs):
            return True
        self.clock.judge(self._policy, self.num_timesteps)
        return not self.clock.over()

    def _policy(self, observations: np.ndarray) -> np.ndarray:
        games = self.training_env
        if isinstance(games, VecNormalize):
            observations = games.normalize_obs(observations)
        return self.model.policy.predict(observations, deterministic=True)[0]


def peer_dqn(env: str, seed: int) -> list[tuple]:
    """Entraîne le DQN de Stable-Baselines3 avec les nombres de `rl-zoo3` pour ce jeu."""
    clock = GameClock(env)
    steps, settings = DQN_ZOO[env]
    model = DQN(
        "MlpPolicy",
        make_vec_env(env, n_envs=1, seed=seed),
        **settings,
        policy_kwargs={"net_arch": [256, 256]},
        seed=seed,
        device="cpu",
    )
    return learned(model, steps, clock)


def peer_ppo(env: str, seed: int) -> list[tuple]:
    """Entraîne le PPO de Stable-Baselines3 avec les nombres de `rl-zoo3` pour ce jeu."""
    clock = GameClock(env)
    steps, copies, settings = PPO_ZOO[env]
    games = make_vec_env(env, n_envs=copies, seed=seed)
    if env in NORMALISED:
        games = VecNormalize(games, gamma=settings["gamma"])
    model = PPO("MlpPolicy", games, **settings, seed=seed, device="cpu")
    return learned(model, steps, clock)


def learned(model: BaseAlgorithm, steps: int, clock: GameClock) -> list[tuple]:
    """Entraîne un pair sur `steps` pas, et rend ses évaluations."""
    model.learn(steps, callback=Follow(clock))
    return clock.rows


SYSTEMS = {"une seule recette": ours, "DQN, rl-zoo3": peer_dqn, "PPO, rl-zoo3": peer_ppo}
SETTINGS = {
    (name, env): partial(system, env) for env in BUDGETS for name, system in SYSTEMS.items()
}
SEEDS = dict.fromkeys(SETTINGS, (4_000, 4_001, 4_003)) | {
    ("PPO, rl-zoo3", "LunarLander-v3"): (4_003,)
}
STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=SETTINGS,
    seeds=SEEDS,
    columns=("pas", "secondes", "moyenne"),
    names=("systeme", "jeu"),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
