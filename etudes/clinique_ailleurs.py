"""La clinique ailleurs : deux programmes qui ne sont pas les nôtres, deux jeux, mêmes maladies.

    .venv/bin/python etudes/clinique_ailleurs.py --processus 1

Les programmes : le DQN de Stable-Baselines3, suivi par `sb3_callback`, et une boucle écrite à la
main, celle de `one_page` à quelques réglages près, suivie par un `Logbook`. Les jeux : CartPole-v1
et Acrobot-v1, où chaque pas coûte et où finir est un succès. Chaque maladie de la clinique y est
provoquée, hormis la politique périmée chez Stable-Baselines3, qui évalue le réseau qu'elle
entraîne. À CartPole, la troncature demande des épisodes de soixante pas au plus : le score n'y
atteindrait pas cinq cents dans le temps donné. « Sain » s'entend du mécanisme, non du score : ces
entraînements sont courts.

Dit avant de lancer. Le critère est, pour chaque programme et chaque jeu, la part des malades dont
la maladie est l'une des deux premières hypothèses (rappel), et celle des sains à qui l'on en trouve
une (fausses alarmes), avec leurs intervalles exacts, et les ratés nommés un à un. Une maladie dont
le signe est illisible (degré NaN) compte comme un raté. Dix graines par maladie, par programme et
par jeu ; quinze saines par programme et par jeu, soixante en tout. Les graines, à partir de
710 000, n'ont servi à rien d'autre ; les réglages sains ont été choisis sur des graines de 600 000
à 600 999. Les seuils sont ceux de CartPole et de notre moteur, inchangés. Au vu de ces réglages
sains, un signe a été ajouté hors de CartPole à « cible mal alignée » : des valeurs plates n'y
accusent que si la perte, elle, dépasse leur relief ; sans succès, Acrobot en a de légitimes.

Une ligne par entraînement : le retour glouton à la fin, les deux premières hypothèses, le nombre de
maladies que le relevé ne permet pas de juger, et le degré de chacune. Quatre autres, à Acrobot,
sont gardés dans le paquet (`ACROBOT_PATIENTS`), sans nom, chacun avec un témoin sain.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DQN
from stable_baselines3.common.buffers import ReplayBuffer as SB3Buffer
from torch import nn

from cartpole_helpers import ReplayBuffer, td_target
from cartpole_helpers.dqn import epsilon_greedy
from cartpole_helpers.one_page import SCALE, QNetwork, greedy
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.tables import write_table
from cartpole_helpers.teaching.clinic import (
    ACROBOT_PATIENTS,
    HEALTHY,
    ILLNESSES,
    Chart,
    Logbook,
    degree,
    diagnose,
    late,
    save_chart,
    sb3_callback,
    unseen_because,
)

LOOKS, EPISODES = 20, 2
SICK, SOUND = 10, 15  # graines par programme et par jeu
SCALES = {"CartPole-v1": SCALE, "Acrobot-v1": (1.0, 1.0, 1.0, 1.0, 0.1, 0.1)}
SB3, PAGE = "Stable-Baselines3", "une page"
ANSWERS = ACROBOT_PATIENTS / "reponses.csv"
SHORT = 60  # pas d'un épisode de CartPole, quand il faut qu'il soit interrompu


def made(env: str, limit: int | None) -> gymnasium.Env:
    """Rend un exemplaire du jeu."""
    return gymnasium.make(env) if limit is None else gymnasium.make(env, max_episode_steps=limit)


# La boucle écrite à la main


def squared(q, goal):
    """Rend la moyenne des carrés des écarts."""
    return (q - goal).square().mean()


def broadcast(q, goal):
    """Soustrait (B,) de (B, 1) : chaque valeur est comparée à toutes les cibles du lot."""
    return (q.unsqueeze(-1) - goal).square().mean()


def ascended(q, goal):
    """Rend l'opposé de la perte."""
    return -squared(q, goal)


def unmasked(reward, terminated, following, gamma):
    """Amorce après une fin comme ailleurs."""
    return reward + gamma * following.max(dim=-1).values


@dataclass(frozen=True)
class Page:
    """Les réglages de la boucle, et les fautes qu'on y met."""

    steps: int = 4_000
    gamma: float = 0.95
    batch: int = 64
    warmup: int = 500
    learn_every: int = 2
    capacity: int = 50_000
    epsilon: tuple[float, float, int] = (1.0, 0.1, 1_200)
    learning_rate: float = 1e-3
    decay: float = 1.0  # du taux d'apprentissage, à chaque mise à jour
    target_rate: float = 0.02
    bias: float = 0.0  # ajouté aux biais des couches cachées, au départ
    limit: int | None = None
    goal: Callable = td_target
    loss: Callable = squared
    reward: Callable = float
    clock: bool = False  # une troncature se range comme une fin
    keep_ends: bool = True
    stale: bool = False  # on évalue les premiers poids


def page(env: str, setting: Page, seed: int) -> Chart:
    """S'entraîne comme `one_page`, trois lignes de plus, et rend le relevé."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    game, scale = made(env, setting.limit), SCALES[env]
    actions = int(game.action_space.n)
    online, target, first = (QNetwork(scale, actions) for _ in range(3))
    shifted(online, setting.bias)
    for other in (target, first):
        other.load_state_dict(online.state_dict())
    optimiser = torch.optim.Adam(online.parameters(), setting.learning_rate)
    memory = ReplayBuffer(
        setting.capacity, seeds=seed, observation_size=len(scale), actions=actions
    )
    logbook = Logbook(env, episodes=EPISODES)
    observation, _ = game.reset(seed=seed)
    for step in range(1, setting.steps + 1):
        start, end, steps = setting.epsilon
        epsilon = max(end, start - (start - end) * step / steps)
        with torch.no_grad():
            q = online(torch.from_numpy(observation))
        action = epsilon_greedy(q, epsilon, torch.rand(2, generator=generator)).item()
        successor, reward, terminated, truncated, _ = game.step(action)
        logbook.observe(observation, action, reward, terminated, truncated, successor)
        flag = terminated or (truncated and setting.clock)
        if setting.keep_ends or not terminated:
            memory.add(observation, action, setting.reward(reward), flag, successor)
        observation = game.reset()[0] if terminated or truncated else successor
        if step >= setting.warmup and step % setting.learn_every == 0:
            logbook.update(learn(online, target, optimiser, memory.sample(setting.batch), setting))
        if step % (setting.steps // LOOKS) == 0:
            policy = greedy(first) if setting.stale else None
            logbook.look(online, target, memory=memory, policy=policy, epsilon=epsilon)
    game.close()
    return logbook.chart()


def learn(online, target, optimiser, batch, setting: Page) -> float:
    """Fait un pas d'Adam, rapproche un peu la cible, et rend la perte."""
    observation, action, reward, terminated, successor = map(torch.from_numpy, batch)
    with torch.no_grad():
        goal = setting.goal(reward, terminated, target(successor), setting.gamma)
    loss = setting.loss(online(observation).gather(-1, action.unsqueeze(-1)).squeeze(-1), goal)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    optimiser.param_groups[0]["lr"] *= setting.decay
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
            slow.lerp_(fast, setting.target_rate)
    return loss.item()


def shifted(network: nn.Module, bias: float) -> None:
    """Ajoute `bias` aux biais de toutes les couches, hormis la dernière."""
    layers = [one for one in network.modules() if isinstance(one, nn.Linear)]
    with torch.no_grad():
        for layer in layers[:-1]:
            layer.bias += bias


def worthless(reward: float) -> int:
    """Rend la récompense, divisée par dix, telle que 8 bits la gardent : il n'en reste rien."""
    return int(reward / 10)


PAGES: dict[str, Page] = {
    HEALTHY: Page(),
    "perte négative": Page(loss=ascended),
    "récompense perdue": Page(reward=worthless),
    "troncature prise pour une chute": Page(clock=True),
    "masque oublié": Page(goal=unmasked),
    "valeurs qui explosent": Page(gamma=1.5),
    "ε bloqué haut": Page(epsilon=(1.0, 1.0, 1)),
    "aucune exploration": Page(epsilon=(0.0, 0.0, 1)),
    "mises à jour trop rares": Page(learn_every=200),
    "politique évaluée périmée": Page(stale=True),
    "cible jamais synchronisée": Page(target_rate=0.0),
    "cible trop lente": Page(target_rate=0.0005),
    "pas de réseau cible": Page(target_rate=1.0),
    "unités mortes": Page(bias=-2.0),
    "taux d'apprentissage trop grand": Page(learning_rate=0.3),
    "taux d'apprentissage trop petit": Page(learning_rate=1e-5),
    "taux d'apprentissage tombé au plancher": Page(decay=0.98),
    "lot trop petit": Page(batch=1),
    "mémoire sans chute": Page(keep_ends=False),
    "cible mal alignée": Page(loss=broadcast),
    "γ = 1 ou presque": Page(gamma=1.0),
    "γ trop petit": Page(gamma=0.5),
}
"""La boucle saine, et ce qui y provoque chaque maladie."""


# Stable-Baselines3


class Unmarked(SB3Buffer):
    """Aucune fin ne s'y dit une fin."""

    def add(self, obs, next_obs, action, reward, done, infos):
        """Ajoute une transition."""
        super().add(obs, next_obs, action, reward, np.zeros_like(done), infos)


class Rounded(SB3Buffer):
    """La récompense, divisée par dix, est rangée sur 8 bits."""

    def add(self, obs, next_obs, action, reward, done, infos):
        """Ajoute une transition."""
        super().add(obs, next_obs, action, (reward / 10).astype(np.int8), done, infos)


class OnlyGoing(SB3Buffer):
    """Le dernier pas d'un épisode n'y entre pas."""

    def add(self, obs, next_obs, action, reward, done, infos):
        """Ajoute une transition, si l'épisode continue ou n'est qu'interrompu."""
        if not done[0] or infos[0].get("TimeLimit.truncated"):
            super().add(obs, next_obs, action, reward, done, infos)


class Rewritten(DQN):
    """Le DQN de Stable-Baselines3, dont on récrit la perte : un oubli y fait un tableau (B, B)."""

    sign, column = 1, False

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Fait `gradient_steps` mises à jour."""
        for _ in range(gradient_steps):
            batch = self.replay_buffer.sample(batch_size)
            with torch.no_grad():
                following = self.q_net_target(batch.next_observations).max(dim=1).values
                going = 1 - batch.dones.flatten()
                goal = batch.rewards.flatten() + self.gamma * going * following
            q = self.q_net(batch.observations).gather(1, batch.actions.long())  # (B, 1)
            errors = (q if self.column else q.squeeze(1)) - goal
            loss = self.sign * nn.functional.smooth_l1_loss(errors, torch.zeros_like(errors))
            self.policy.optimizer.zero_grad()
            loss.backward()
            self.policy.optimizer.step()
        self._n_updates += gradient_steps
        self.logger.record("train/loss", loss.item())


class Ascended(Rewritten):
    """Monte la perte."""

    sign = -1


class Broadcast(Rewritten):
    """Soustrait (B,) de (B, 1)."""

    column = True


def fading(left: float) -> float:
    """Rend un taux d'apprentissage qui décroît si vite qu'on cesse d'apprendre ; `left` : de 1 à 0.

    Soit 0,98 par mise à jour, ou presque.
    """
    return 1e-3 * 0.98 ** (875 * (1 - left))


@dataclass(frozen=True)
class Borrowed:
    """Ce que l'on donne à Stable-Baselines3, outre les réglages communs."""

    changes: Mapping
    kind: type[DQN] = DQN
    bias: float = 0.0
    limit: int | None = None


COMMON = {
    "learning_rate": 1e-3,
    "buffer_size": 50_000,
    "learning_starts": 500,
    "batch_size": 64,
    "gamma": 0.95,
    "train_freq": 4,
    "gradient_steps": 1,
    "target_update_interval": 100,
    "exploration_fraction": 0.3,
    "exploration_final_eps": 0.1,
}
STEPS = 4_000


def changed(kind: type[DQN] = DQN, bias: float = 0.0, **changes) -> Borrowed:
    """Rend des réglages où `changes` remplacent les communs."""
    return Borrowed(changes, kind, bias)


def borrowed(env: str, setting: Borrowed, seed: int) -> Chart:
    """Entraîne le DQN de Stable-Baselines3, et rend le relevé de son rappel."""
    callback = sb3_callback(LOOKS, EPISODES)
    network = {"policy_kwargs": {"net_arch": [64, 64]}, "seed": seed, "device": "cpu"}
    game = made(env, setting.limit)
    model = setting.kind("MlpPolicy", game, **COMMON | dict(setting.changes) | network)
    shifted(model.q_net, setting.bias)
    model.q_net_target.load_state_dict(model.q_net.state_dict())
    model.learn(STEPS, callback=callback)
    game.close()
    return callback.chart()


LIBRARY: dict[str, Borrowed] = {
    HEALTHY: changed(),
    "perte négative": changed(Ascended),
    "récompense perdue": changed(replay_buffer_class=Rounded),
    "troncature prise pour une chute": changed(
        replay_buffer_kwargs={"handle_timeout_termination": False}
    ),
    "masque oublié": changed(replay_buffer_class=Unmarked),
    "valeurs qui explosent": changed(gamma=1.5),
    "ε bloqué haut": changed(exploration_final_eps=1.0),
    "aucune exploration": changed(exploration_initial_eps=0.0, exploration_final_eps=0.0),
    "mises à jour trop rares": changed(train_freq=200),
    "cible jamais synchronisée": changed(target_update_interval=10**6),
    "cible trop lente": changed(target_update_interval=1, tau=2e-4),
    "pas de réseau cible": changed(target_update_interval=1),
    "unités mortes": changed(bias=-2.0),
    "taux d'apprentissage trop grand": changed(learning_rate=0.3),
    "taux d'apprentissage trop petit": changed(learning_rate=1e-5),
    "taux d'apprentissage tombé au plancher": changed(learning_rate=fading),
    "lot trop petit": changed(batch_size=1),
    "mémoire sans chute": changed(replay_buffer_class=OnlyGoing),
    "cible mal alignée": changed(Broadcast),
    "γ = 1 ou presque": changed(gamma=1.0),
    "γ trop petit": changed(gamma=0.5),
}
"""Stable-Baselines3 saine, et ce qui y provoque chaque maladie."""


# L'étude


def plan() -> Iterator[tuple[tuple[str, str, str], Callable, range]]:
    """Rend (nom, de quoi relever une graine, graines), pour tout ce que contient l'archive."""
    programs = {SB3: (borrowed, LIBRARY), PAGE: (page, PAGES)}
    place = 7_100
    for env, (program, (build, settings)) in product(SCALES, programs.items()):
        for illness, setting in settings.items():
            clocked = illness.startswith("troncature") and env == "CartPole-v1"
            given = replace(setting, limit=SHORT) if clocked else setting
            count = SOUND if illness == HEALTHY else SICK
            seeds = range(100 * place, 100 * place + count)
            yield (program, env, illness), partial(build, env, given), seeds
            place += 1


CASES = (
    ("récompense perdue", SB3),
    ("taux d'apprentissage trop grand", PAGE),
    ("cible jamais synchronisée", SB3),
    (HEALTHY, PAGE),
)
"""Les patients d'Acrobot : la maladie de chacun, et le programme."""


def admit() -> None:
    """Fait les patients, leurs témoins et leurs réponses ; leurs graines ne sont qu'à eux."""
    ACROBOT_PATIENTS.mkdir(exist_ok=True)
    programs, answers = {SB3: (borrowed, LIBRARY), PAGE: (page, PAGES)}, []
    for number, (illness, program) in enumerate(CASES, 1):
        (build, settings), seed = programs[program], 300_200 + number
        for kind, cause, own in (("patient", illness, seed), ("temoin", HEALTHY, seed + 100)):
            made = build("Acrobot-v1", settings[cause], own)
            save_chart(made, ACROBOT_PATIENTS / f"{kind}_{number:02d}.csv")
        answers.append((number, illness, "", program, seed))
    write_table(ANSWERS, ("patient", "maladie", "aussi", "recette", "graine"), answers)


def run(build: Callable[[int], Chart], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et rend une ligne par graine."""
    torch.set_num_threads(1)
    return [row(seed, build(seed)) for seed in seeds]


def row(seed: int, seen: Chart) -> tuple:
    """Rend la ligne d'un relevé."""
    found = diagnose(seen)
    names = [found.verdict, *(one.name for one in found.hypotheses[1:2]), ""]
    degrees = (f"{degree(one, seen):.4g}" for one in ILLNESSES)
    returned = round(float(late(seen.greedy)), 1)
    return (seed, returned, *names[:2], len(unseen_because(seen)), *degrees)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={name: build for name, build, _ in plan()},
    seeds={name: seeds for name, _, seeds in plan()},
    columns=("retour", "hypothese_1", "hypothese_2", "illisibles", *(o.name for o in ILLNESSES)),
    names=("programme", "jeu", "maladie"),
    group=5,
)

if __name__ == "__main__":
    launch(STUDY)
    if not ANSWERS.exists():
        admit()
