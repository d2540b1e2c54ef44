"""L'oubli : provoqué, soigné, et tel qu'il vient tout seul.

    .venv/bin/python etudes/effondrement.py

Fixé avant de lancer l'étude. Graines 0 à 39 ; celles de 0 à 19 avaient déjà été vues dans sept des
treize réglages. 30 000 pas ; l'intervention, s'il y en a une, est à 10 000. Critère principal : une
graine s'effondre si une évaluation du réseau principal, strictement après le pas 10 000, passe sous
200 quand une évaluation d'avant avait atteint 475 ; le compte à chaque seuil de 100 à 400
l'accompagne. Treize comparaisons, appariées par graine (McNemar, exact), ensemble sous la règle de
Holm :

- au témoin : l'amnésique, la doublure, et les trois doses (1/64, 1/16, 1/4 des chutes gardées) ;
- à l'amnésique : sa réserve de chutes, et son placebo, une réserve de pas ordinaires ;
- à l'agent « livré à lui-même » : la réserve, le placebo, la mémoire de 50 000, ε = 0,5 ;
- à la réserve de chutes : le placebo, la mémoire de 50 000.

Tout le reste est exploratoire.

Une ligne par grandeur mesurée et par graine ; les colonnes sont les pas. Tous les 1 000 pas, 20
épisodes joués depuis des départs neufs par le réseau principal (`retour`) et par la moyenne de ses
poids (`retour_moyen`), puis :

- dans la mémoire, réserve non comprise, en %, les chutes (`chutes`), et les états à plus de la
  moitié d'une limite, 1,2 m ou 6° (`ecartes`) ;
- `perdus`, l'écart moyen max Q − V* sur les états perdus d'une large boîte, où V* est exacte ;
- `ecart`, Q(l'action qui sauve) − Q(celle qui perd), en moyenne sur les états qui décident, et
  `juste`, en %, la part de ces états où l'agent choisit celle qui sauve ;
- `perte`, la moyenne des pertes depuis la mesure d'avant.

`perdus_moyen`, `ecart_moyen`, `juste_moyen` : les mêmes, pour la moyenne des poids. Deux agents de
la graine 0 sont gardés dans checkpoints/ : l'amnésique avant l'oubli, et après lui. L'archive a été
refaite une fois, quand les départs des évaluations et les tirages de la réserve eurent chacun leur
suite. Contre l'agent livré à lui-même, les pas ordinaires et ε = 0,5 avaient chacun un p corrigé de
0,036 ; il est de 0,053.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from etats import Decisive, Known, decisive, in_box, known

from cartpole_helpers import VERSION_2, Agent, Config, ReplayBuffer, Training, evaluate, save
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.laboratory import (
    Amnesic,
    Doubled,
    WithPlacebo,
    WithReserve,
)
from cartpole_helpers.training import Memory

EVERY, BUDGET, EPISODES = 1_000, 30_000, 20
BOXED, TRIED = 1_000, 10_000  # états tirés ; on en garde ceux qui conviennent
FOLDER = Path(__file__).parents[1] / "checkpoints"
KEPT = (10_000, 20_000)  # les deux moments de l'agent gardé

HEALTHY = replace(VERSION_2, n_steps=1, capacity=5_000, total_steps=BUDGET)
ALONE = replace(HEALTHY, epsilon_end=0.0, epsilon_steps=10_000, capacity=2_000)


class Arm(NamedTuple):
    """Un réglage de l'étude."""

    config: Config
    memory: Callable[[ReplayBuffer, Sequence[int]], Memory] | None = None  # None : l'ordinaire

    def training(self, seeds: Sequence[int]) -> Training:
        """Rend l'entraînement de ce réglage, mémoire comprise."""
        usual = ReplayBuffer(self.config.capacity, seeds=seeds)
        memory = usual if self.memory is None else self.memory(usual, seeds)
        return Training(self.config, seeds, memory=memory)


def treated(inner: Memory, seeds: Sequence[int]) -> Memory:
    """Rend l'amnésique soigné : ses chutes n'entrent pas en mémoire, mais dans la réserve."""
    return WithReserve(Amnesic(inner, seeds), seeds)


def deceived(inner: Memory, seeds: Sequence[int]) -> Memory:
    """Rend l'amnésique soigné par un placebo : une réserve de pas ordinaires, du même âge."""
    return WithPlacebo(Amnesic(inner, seeds), seeds)


def doubled(inner: Memory, _: Sequence[int]) -> Memory:
    """Rend la doublure, qui n'oublie rien : tout réglage reçoit les graines, dont elle se passe."""
    return Doubled(inner)


ARMS = {
    "témoin": Arm(HEALTHY),
    "amnésique": Arm(HEALTHY, Amnesic),
    "amnésique, réserve": Arm(HEALTHY, treated),
    "livré à lui-même": Arm(ALONE),
    "réserve de chutes": Arm(ALONE, WithReserve),
    "mémoire de 50 000": Arm(replace(ALONE, capacity=50_000)),
    "ε = 0,5": Arm(replace(ALONE, epsilon_end=0.5)),
    "doublure": Arm(HEALTHY, doubled),
    "1/64 des chutes": Arm(HEALTHY, partial(Amnesic, kept=1 / 64)),
    "1/16 des chutes": Arm(HEALTHY, partial(Amnesic, kept=1 / 16)),
    "1/4 des chutes": Arm(HEALTHY, partial(Amnesic, kept=1 / 4)),
    "amnésique, placebo": Arm(HEALTHY, deceived),
    "réserve de pas ordinaires": Arm(ALONE, WithPlacebo),
}


class Trials(NamedTuple):
    """Les états d'épreuve, les mêmes pour tous les agents."""

    lost: Known
    decisive: Decisive


def run(arm: Arm, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines, et rend une ligne par graine et par grandeur."""
    trials = Trials(known(in_box(BOXED)).lost(), decisive(in_box(TRIED)))
    training, instants, losses = arm.training(seeds), [], []
    for step in training.run():
        losses.append(step.loss)
        if step.env_steps % EVERY < arm.config.carts:
            instants.append(
                returns(training)
                | contents(training)
                | inner(training, trials)
                | {"perte": np.nanmean(losses, axis=0)}
            )
            losses.clear()
    return [
        (seed, name, *(f"{instant[name][rank]:.3g}" for instant in instants))
        for rank, seed in enumerate(seeds)
        for name in instants[0]
    ]


def returns(training: Training) -> dict[str, np.ndarray]:
    """Rend les retours moyens (S,) du réseau principal, et de la moyenne des poids."""
    starts = fresh_seed(Purpose.STUDY, training.env_steps)
    agents = {"retour": training.online, "retour_moyen": training.agent}
    return {name: evaluate(one, EPISODES, starts).mean(-1) for name, one in agents.items()}


def contents(training: Training) -> dict[str, np.ndarray]:
    """Rend, en %, les parts (S,) de chutes et d'états écartés dans la mémoire."""
    memory = training.memory.contents()
    x, _, theta, _ = np.moveaxis(memory.observation, -1, 0)  # (S, C)
    far = np.maximum(np.abs(x) / X_LIMIT, np.abs(theta) / THETA_LIMIT) > 0.5
    shares = {"chutes": memory.terminated, "ecartes": far}
    return {name: 100 * share.mean(axis=1) for name, share in shares.items()}


def inner(training: Training, trials: Trials) -> dict[str, np.ndarray]:
    """Rend ce que croient les deux réseaux : nom → (S,)."""
    averaged = beliefs(training.agent, trials)
    renamed = {f"{name}_moyen": value for name, value in averaged.items()}
    return beliefs(training.online, trials) | renamed


def beliefs(agent: Agent, trials: Trials) -> dict[str, np.ndarray]:
    """Rend l'écart à la vérité sur les états perdus, et ce que valent les choix qui décident."""
    best = everywhere(agent, trials.lost.states).max(axis=-1)
    q = everywhere(agent, trials.decisive.states)  # (S, N, 2)
    signs = 2 * trials.decisive.saving - 1
    gap = signs * (q[..., 1] - q[..., 0])
    truth = trials.lost.values(agent.config.gamma)
    return {
        "perdus": (best - truth).mean(axis=1),
        "ecart": gap.mean(axis=1),
        "juste": 100 * (gap > 0).mean(axis=1),
    }


def everywhere(agent: Agent, states: np.ndarray) -> np.ndarray:
    """Rend les valeurs d'action (S, N, 2) de chaque agent aux mêmes états (N, 4)."""
    return agent.q_values(np.repeat(states[None], len(agent), axis=0))


def keep() -> None:
    """Garde l'amnésique de la graine 0, réseau principal, aux moments `KEPT`, s'il manque."""
    paths = {steps: FOLDER / f"amnesique_{steps}_pas.safetensors" for steps in KEPT}
    if all(path.exists() for path in paths.values()):
        return
    training = ARMS["amnésique"].training([0])
    for step in training.run():
        if step.env_steps in paths:
            save(training.online[0], paths[step.env_steps])


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=ARMS,
    seeds=range(40),
    columns=("mesure", *map(str, range(EVERY, BUDGET + 1, EVERY))),
)

if __name__ == "__main__":
    launch(STUDY)
    keep()
