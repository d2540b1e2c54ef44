"""Le duel avec Stable-Baselines3, en deux par deux : deux recettes, deux moteurs ; et son PPO.

    .venv/bin/python -m pip install -r requirements-etudes.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/comparaison.py

Nommé avant la mesure. Graines 1000 à 1029, qui n'ont servi à aucun choix ; 50 000 pas pour tous ;
tous les 1 000 pas, 100 épisodes gloutons depuis des départs neufs (`FRESH`), que
l'entraînement ne lit jamais, joués par le réseau principal et par la moyenne de ses poids, au taux
de la Version 2. Mesure principale : le rapport, Stable-Baselines3 DQN sur Version 2, des médianes
du temps de processeur jusqu'à la troisième réussite de suite, chacun jugé sur le réseau qu'il livre
(eux, le réseau principal ; nous, la moyenne) ; un échec compte comme l'infini. Tout le reste est
exploratoire, dont les graines qui rechutent sous 475 ensuite, le 2 × 2 et PPO.

Un fil ; un processus neuf par système et par graine, les systèmes d'une même graine à la suite sur
le même cœur, deux graines à la fois sur une machine à deux cœurs (`--graines 1000-1014`, et
`--graines 1015-1029` dans un autre terminal). Le chronomètre exclut les évaluations, la moyenne que
nous ajoutons à Stable-Baselines3, et ce que PyTorch charge à son premier pas d'Adam. La machine
était très chargée pour une moitié des graines, peu pour l'autre ; `rl-zoo3` dans notre moteur, le
plus long, n'avait que six graines de la première, et fut achevé ensuite : il en est un peu flatté.

Les nombres des pairs sont ceux de `rl-zoo3`, choisis pour cette tâche comme les nôtres ; les taux
de PPO, réglés pour 100 000 pas, tombent ici à zéro en 50 000. Ce qui ne se traduit pas :

- la recette « version 2 réduite » : la nôtre sans Double DQN ni actions prolongées, avec la
  perte de Huber, seule que connaisse Stable-Baselines3 ; il tire une fois par pas, pour les seize
  chariots, s'il faut explorer, et nous une fois par chariot ;
- notre moteur fait une mise à jour de `rl-zoo3` tous les deux pas, et non 128 d'affilée tous les
  256 ; il recopie la cible toutes les 128 mises à jour, comme le font ces rafales ; il n'écrête pas
  le gradient, ce que `rl-zoo3` ne fait que rarement.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import inf
from multiprocessing import get_context
from time import process_time

import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import Tensor, nn
from torch.nn import functional

from cartpole_helpers import VERSION_2, Agent, Config, Training, evaluate
from cartpole_helpers.dqn import td_loss, value_of
from cartpole_helpers.networks import weight_count
from cartpole_helpers.studies import Study, archive_of, launch

EVERY = 1_000
EPISODES = 100
FRESH = 2_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
BUDGET = 50_000

REDUCED = replace(VERSION_2, double=False, epsilon_hold=1.0)
ZOO = Config(
    total_steps=BUDGET,
    hidden=(256, 256),
    learning_rate=2.3e-3,
    gamma=0.99,
    epsilon_end=0.04,
    epsilon_steps=8_000,
    capacity=100_000,
    batch_size=64,
    warmup=1_000,
    learn_every=2,
    target_period=128,
    target_rate=1.0,
    average_rate=VERSION_2.average_rate,
    average_tail=VERSION_2.average_tail,
)
PUBLISHED = {
    "train_freq": 256,
    "gradient_steps": 128,
    "target_update_interval": 10,
    "max_grad_norm": 10,
}
PPO_ZOO = {
    "n_steps": 32,
    "batch_size": 256,
    "gae_lambda": 0.8,
    "gamma": 0.98,
    "n_epochs": 20,
    "ent_coef": 0.0,
    "learning_rate": lambda remaining: remaining * 1e-3,
    "clip_range": lambda remaining: remaining * 0.2,
}
PPO_NETWORK = Config(hidden=(64, 64), activation="tanh")
ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU}


class Clock:
    """Un chronomètre du processeur, que l'on arrête, et les lignes qu'il a relevées."""

    def __init__(self):
        self.rows = []
        self._start = process_time()

    def seconds(self) -> float:
        """Rend le temps de processeur compté jusqu'ici."""
        return process_time() - self._start

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Ne compte pas ce qui se fait dans le bloc."""
        pause = process_time()
        yield
        self._start += process_time() - pause

    def evaluate(self, config: Config, weights: list[Tensor], steps: int, updates: int) -> None:
        """Évalue les deux réseaux, principal et moyen, de poids `weights` ; retient la ligne."""
        seconds = self.seconds()
        agents = Agent(config, torch.stack(weights), [0, 1])
        means = evaluate(agents, EPISODES, seed=FRESH + steps).mean(axis=-1)
        self.rows.append((steps, updates, f"{seconds:.4f}", *(f"{mean:g}" for mean in means)))


# Notre moteur


def ours(config: Config, seed: int, td_loss: Callable = td_loss) -> list[tuple]:
    """Entraîne un agent du cours sur tout son budget."""
    clock = Clock()
    training = Training(config, seed, td_loss=td_loss)
    for step in training.run():
        if step.env_steps % EVERY < config.carts:
            with clock.stopped():
                weights = [agent.weights[0] for agent in (training.online, training.agent)]
                clock.evaluate(config, weights, step.env_steps, step.gradient_steps)
    return clock.rows


def huber(q: Tensor, action: Tensor, target: Tensor) -> Tensor:
    """Rend la perte de Huber de Stable-Baselines3, une par agent."""
    each = functional.smooth_l1_loss(value_of(q, action), target, reduction="none")
    return each.mean(dim=-1)


# Stable-Baselines3


class Follow(BaseCallback):
    """Tient la moyenne des poids de `layers` et évalue, tous les `EVERY` pas de jeu."""

    def __init__(self, clock: Clock, config: Config, layers: list[nn.Linear]):
        super().__init__()
        self.clock, self.config = clock, config
        self.online = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]
        self.average = [tensor.detach().clone() for tensor in self.online]
        self.updates = 0

    def _init_callback(self) -> None:
        self.model.policy.optimizer.register_step_post_hook(self._average)

    @torch.no_grad()
    def _average(self, *_) -> None:
        with self.clock.stopped():
            self.updates += 1
            torch._foreach_lerp_(self.average, self.online, VERSION_2.average_rate_at(self.updates))

    def _on_step(self) -> bool:
        if self.num_timesteps % EVERY < self.training_env.num_envs:
            with self.clock.stopped():
                weights = [flat(self.config, tensors) for tensors in (self.online, self.average)]
                self.clock.evaluate(self.config, weights, self.num_timesteps, self.updates)
        return True


def flat(config: Config, tensors: list[Tensor]) -> Tensor:
    """Rend les poids d'un réseau de PyTorch dans l'ordre de notre `Agent` : (P,)."""
    weights = torch.zeros(weight_count(config))
    ours = torch.cat([tensor.detach().t().flatten() for tensor in tensors])
    weights[: len(ours)] = ours
    return weights


class Scaled(FlattenExtractor):
    """Met à l'échelle les entrées du réseau, comme notre `input_scale`."""

    def __init__(self, observation_space, scale: tuple[float, ...]):
        super().__init__(observation_space)
        self.scale = torch.tensor(scale)

    def forward(self, observations: Tensor) -> Tensor:
        """Rend les observations (N, 4), chacune des composantes multipliée par son facteur."""
        return observations * self.scale


def peer_dqn(config: Config, seed: int, **published) -> list[tuple]:
    """Entraîne le DQN de Stable-Baselines3 avec les nombres de `config`, sauf `published`."""
    clock = Clock()
    settings = {
        "learning_rate": partial(learning_rate, config),
        "buffer_size": config.capacity,
        "learning_starts": config.warmup,
        "batch_size": config.batch_size,
        "tau": config.target_rate,
        "gamma": config.gamma,
        "train_freq": config.learn_every,
        "n_steps": config.n_steps,
        "target_update_interval": config.target_period * config.learn_every * config.carts,
        "exploration_fraction": config.epsilon_steps / config.total_steps,
        "exploration_initial_eps": config.epsilon_start,
        "exploration_final_eps": config.epsilon_end,
        "max_grad_norm": inf,
        "policy_kwargs": network(config),
    }
    carts = make_vec_env("CartPole-v1", n_envs=config.carts, seed=seed)
    model = DQN("MlpPolicy", carts, **settings | published, seed=seed, device="cpu")
    return learn(model, Follow(clock, config, linear(model.q_net)))


def network(config: Config) -> dict:
    """Rend le réseau de `config` tel que Stable-Baselines3 le décrit."""
    scaled = any(factor != 1 for factor in config.input_scale)
    extractor = {
        "features_extractor_class": Scaled,
        "features_extractor_kwargs": {"scale": config.input_scale},
    }
    layers = {"net_arch": [*config.hidden], "activation_fn": ACTIVATIONS[config.activation]}
    return layers | (extractor if scaled else {})


def learning_rate(config: Config, remaining: float) -> float:
    """Rend le taux d'apprentissage de `config` quand il reste la part `remaining` du budget."""
    steps = (1 - remaining) * config.total_steps - config.warmup
    return config.learning_rate_at(max(round(steps / config.carts / config.learn_every), 0))


def peer_ppo(seed: int) -> list[tuple]:
    """Entraîne le PPO de Stable-Baselines3 avec les nombres de `rl-zoo3`."""
    clock = Clock()
    carts = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = PPO("MlpPolicy", carts, **PPO_ZOO, seed=seed, device="cpu")
    layers = [*linear(model.policy.mlp_extractor.policy_net), model.policy.action_net]
    return learn(model, Follow(clock, PPO_NETWORK, layers))


def linear(module: nn.Module) -> list[nn.Linear]:
    """Rend les couches linéaires d'un réseau, de l'entrée à la sortie."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def learn(model: BaseAlgorithm, follow: Follow) -> list[tuple]:
    """Entraîne un agent de Stable-Baselines3 sur tout son budget."""
    model.learn(BUDGET, callback=follow)
    return follow.clock.rows


# L'étude

OURS, THEIRS = "moteur du cours", "Stable-Baselines3"


def run(system: Callable[[int], list[tuple]], seeds: Sequence[int]) -> list[tuple]:
    """Mesure une graine dans un processus neuf, où rien n'est déjà chargé ni en cache."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measured, system, *seeds).result()


def measured(system: Callable[[int], list[tuple]], seed: int) -> list[tuple]:
    """Entraîne un système et rend ses lignes, une par évaluation."""
    torch.set_num_threads(1)
    load_adam()
    return [(seed, *row) for row in system(seed)]


def load_adam() -> None:
    """Fait charger à PyTorch, hors chronomètre, ce que demande un premier pas d'Adam."""
    weight = torch.ones(1, requires_grad=True)
    optimiser = torch.optim.Adam([weight])
    weight.sum().backward()
    optimiser.step()


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        ("version 2", OURS): partial(ours, VERSION_2),
        ("version 2 réduite", OURS): partial(ours, REDUCED, td_loss=huber),
        ("version 2 réduite", THEIRS): partial(peer_dqn, REDUCED),
        ("rl-zoo3", OURS): partial(ours, ZOO, td_loss=huber),
        ("rl-zoo3", THEIRS): partial(peer_dqn, ZOO, **PUBLISHED),
        ("rl-zoo3, PPO", THEIRS): peer_ppo,
    },
    seeds=range(1000, 1030),
    columns=("pas", "mises_a_jour", "secondes", "en_ligne", "moyenne"),
    names=("recette", "moteur"),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
