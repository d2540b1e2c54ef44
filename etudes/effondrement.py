"""L'oubli : provoqué, guéri, et tel qu'il vient tout seul.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/effondrement.py

Vingt graines par réglage, 30 000 pas, une ligne par grandeur mesurée et par graine ; les colonnes
sont les pas. Tous les 1 000 pas, 20 épisodes joués depuis des départs neufs par le réseau en ligne
(`retour`) et par la moyenne de ses poids (`retour_moyen`), et, pour trois réglages :

- dans la mémoire, en %, les chutes (`chutes`), et les états dont la chute est prouvée (`perils`) ;
- `perdus`, l'écart moyen max Q − V* sur les états perdus d'une large boîte, où V* est exacte ;
- `ecart`, Q(l'action qui sauve) − Q(celle qui perd), en moyenne sur les états qui décident, et
  `juste`, en %, la part de ces états où l'agent choisit celle qui sauve ;
- `equilibre`, l'écart moyen |Q(droite) − Q(gauche)| aux départs de l'épisode ;
- `perte`, la moyenne des pertes depuis la mesure d'avant.

`perdus_moyen`, `ecart_moyen`, `juste_moyen` : les mêmes, pour la moyenne des poids. Deux agents de
la graine 0 sont gardés dans checkpoints/ : l'amnésique avant l'oubli, et après lui.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from archive import Archive
from etats import Decisive, Known, decisive, in_box, known

from cartpole_helpers import VERSION_2, Agent, Config, Training, evaluate, save
from cartpole_helpers.teaching.laboratory import Amnesic, AmnesicWithReserve, WithReserve

SEEDS = range(20)
EVERY, BUDGET, EPISODES = 1_000, 30_000, 20
FRESH = 5_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
BOXED, TRIED, DRAWN = 1_000, 10_000, 200  # états tirés ; on en garde ceux qui conviennent
FOLDER = Path(__file__).parents[1] / "checkpoints"
KEPT = (10_000, 20_000)  # les deux moments de l'agent gardé

HEALTHY = replace(VERSION_2, n_steps=1, capacity=5_000, total_steps=BUDGET)
ALONE = replace(HEALTHY, epsilon_end=0.0, epsilon_steps=10_000, capacity=2_000)


class Arm(NamedTuple):
    """Un réglage de l'étude."""

    config: Config
    kind: type[Training] = Training
    in_full: bool = False  # tout mesurer, ou les seuls retours


ARMS = {
    "témoin": Arm(HEALTHY, in_full=True),
    "amnésique": Arm(HEALTHY, Amnesic, in_full=True),
    "amnésique, réserve": Arm(HEALTHY, AmnesicWithReserve),
    "livré à lui-même": Arm(ALONE, in_full=True),
    "réserve de chutes": Arm(ALONE, WithReserve),
    "mémoire de 50 000": Arm(replace(ALONE, capacity=50_000)),
    "ε = 0,5": Arm(replace(ALONE, epsilon_end=0.5)),
}
HEADER = ("reglage", "graine", "mesure", *map(str, range(EVERY, BUDGET + 1, EVERY)))


class Trials(NamedTuple):
    """Les états d'épreuve, les mêmes pour tous les agents."""

    lost: Known
    decisive: Decisive
    starts: np.ndarray


def main() -> None:
    """Fait les réglages qui manquent à l'archive, puis garde les deux agents."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    done, trials = archive.finished(), prepared()
    for name, arm in ARMS.items():
        if (name, SEEDS[0]) not in done:
            archive.append((name, *row) for row in run(arm, trials))
            print(name, flush=True)
    for agent in before_and_after():
        save(agent, FOLDER / f"amnesique_{agent.env_steps}_pas.safetensors")


def prepared() -> Trials:
    """Rend les états d'épreuve."""
    starts = np.random.default_rng(0).uniform(-0.05, 0.05, (DRAWN, 4))
    return Trials(known(in_box(BOXED)).lost(), decisive(in_box(TRIED)), starts)


def run(arm: Arm, trials: Trials) -> list[tuple]:
    """Entraîne ensemble les graines, et rend une ligne par graine et par grandeur."""
    training, instants, losses = arm.kind(arm.config, SEEDS), [], []
    for step in training.run():
        losses.append(step.loss)
        if step.env_steps % EVERY < arm.config.carts:
            instants.append(returns(training))
            if arm.in_full:
                instants[-1] |= inner(training, trials) | {"perte": np.nanmean(losses, axis=0)}
            losses.clear()
    return [
        (seed, name, *(f"{instant[name][rank]:.3g}" for instant in instants))
        for rank, seed in enumerate(SEEDS)
        for name in instants[0]
    ]


def returns(training: Training) -> dict[str, np.ndarray]:
    """Rend les retours moyens (S,) du réseau en ligne, et de la moyenne des poids."""
    start = FRESH + training.env_steps
    agents = {"retour": online(training), "retour_moyen": training.agent}
    return {name: evaluate(one, EPISODES, seed=start).mean(-1) for name, one in agents.items()}


def inner(training: Training, trials: Trials) -> dict[str, np.ndarray]:
    """Rend ce que contient la mémoire et ce que croient les deux réseaux : nom → (S,)."""
    agent = online(training)
    q = everywhere(agent, trials.starts)
    return {
        **contents(training),
        **beliefs(agent, trials),
        "equilibre": np.abs(q[..., 0] - q[..., 1]).mean(axis=1),
        **{f"{name}_moyen": one for name, one in beliefs(training.agent, trials).items()},
    }


def contents(training: Training) -> dict[str, np.ndarray]:
    """Rend, en %, la part de chutes dans la mémoire, et celle d'états sûrement perdus."""
    memory = training.memory.saved_state()
    places = np.random.default_rng(training.step).integers(len(training.memory), size=DRAWN)
    drawn = memory["observation"][:, places].astype(float)  # (S, N, 4)
    lost = [len(known(states, effort=0).lost().states) / DRAWN for states in drawn]
    return {"chutes": 100 * memory["terminated"].mean(axis=1), "perils": 100 * np.array(lost)}


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


def online(training: Training) -> Agent:
    """Rend les agents qui jouent avec le réseau en ligne, et non avec sa moyenne."""
    weights = torch.from_numpy(training.saved_state()["online"].copy())
    return Agent(training.config, weights, training.seeds, training.env_steps)


def before_and_after() -> Iterator[Agent]:
    """Rend l'amnésique de la graine 0, réseau en ligne, aux moments `KEPT`."""
    training = Amnesic(HEALTHY, [SEEDS[0]])
    for step in training.run():
        if step.env_steps in KEPT:
            yield online(training)


if __name__ == "__main__":
    main()
