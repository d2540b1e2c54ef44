r"""Ce que coûte un agent quand S s'entraînent ensemble, et ce que coûtent leurs seuls produits.

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/cout.py

Un cœur, un fil, la recette VERSION_2. Pour chaque S, `ROUNDS` manches de quelques tours de boucle,
les S à tour de rôle ; à côté, dans la même manche, les produits de matrices que font ces tours et
rien d'autre. Le résultat, en millisecondes de processeur par tour et par agent, médiane, minimum et
maximum des manches, est écrit dans cout.csv. S'y ajoutent, en Mo (10⁶ octets), ce qu'occupe la
mémoire de rejeu d'un agent (`memoire`), et ce qu'occupe un processus neuf quand celle de ses S
agents est pleine (`processus`), ce que PyTorch charge compris. Les deux variables sont celles que
met lancer.py : sans elles, la glibc rend et redemande au système, à chaque tour, la mémoire des
grands tableaux. Trois minutes, et 4 Go.
"""

import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np
import psutil
import torch
from torch import Tensor

from cartpole_helpers import VERSION_2, Config, Training
from cartpole_helpers.networks import layer_shapes
from cartpole_helpers.tables import write_study

AGENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
ROUNDS = 9
TURNS, LEAST_TURNS, AGENT_TURNS = 20, 3, 1_280
CHUNK = 500  # ce qu'un agent reçoit à la fois, quand on remplit sa mémoire de rejeu
HEADER = (
    "agents",
    *(f"{measure}{end}" for measure in ("tour", "produits") for end in ("", "_min", "_max")),
    "memoire",
    "processus",
)


def main() -> None:
    """Mesure chaque S, l'affiche et l'écrit."""
    torch.set_num_threads(1)
    trainings = {agents: started(agents) for agents in AGENTS}
    products = {agents: matrix_products(VERSION_2, agents) for agents in AGENTS}
    turns = {agents: [] for agents in AGENTS}
    bare = {agents: [] for agents in AGENTS}
    for _ in range(ROUNDS):
        for agents in AGENTS:
            turns[agents].append(cost(trainings[agents].advance, agents))
            bare[agents].append(cost(products[agents], agents))
    rows = [
        (agents, *summary(turns[agents]), *summary(bare[agents]), memory(training))
        for agents, training in trainings.items()
    ]
    trainings.clear(), products.clear()
    rows = [(*row, resident(row[0])) for row in rows]
    write_study(__file__, HEADER, rows)
    for row in rows:
        print(*row)


def started(agents: int, config: Config = VERSION_2) -> Training:
    """Rend un entraînement de `agents` agents qui a commencé à apprendre."""
    training = Training(config, range(agents))
    while not training.gradient_steps:
        training.advance()
    return training


def cost(turn: Callable, agents: int) -> float:
    """Rend la durée de `turn`, en millisecondes de processeur par agent."""
    turns = max(min(TURNS, AGENT_TURNS // agents), LEAST_TURNS)
    start = process_time()
    for _ in range(turns):
        turn()
    return 1_000 * (process_time() - start) / (turns * agents)


def summary(costs: list[float]) -> tuple[str, ...]:
    """Rend la médiane, le minimum et le maximum, tels qu'on les écrit."""
    return (*(f"{value:.4f}" for value in (median(costs), min(costs), max(costs))),)


def matrix_products(config: Config, agents: int) -> Callable[[], None]:
    """Rend une fonction qui fait les produits de matrices d'un tour, et rien d'autre."""
    factors = matrix_factors(config, agents)

    def turn() -> None:
        for left, right in factors:
            torch.bmm(left, right)

    return turn


def matrix_factors(config: Config, agents: int) -> list[tuple[Tensor, Tensor]]:
    """Rend les facteurs (S, n, k) et (S, k, m) de chaque produit d'un tour.

    Un passage vers l'avant sur les chariots, deux sur le lot (l'état, puis son successeur par le
    réseau cible, et trois si le principal choisit l'action), et les deux produits par couche du
    retour en arrière, que la première couche n'a pas à propager. Un résultat de deux colonnes
    seulement se calcule transposé, comme dans le moteur : il coûte moins.
    """
    shapes = layer_shapes(config)
    weights = [torch.randn(agents, *shape) for shape in shapes]
    passes = [config.carts, *[config.batch_size] * (2 + config.double)]
    inputs = [[torch.randn(agents, rows, size) for size, _ in shapes] for rows in passes]
    slopes = [torch.randn(agents, config.batch_size, size) for _, size in shapes]
    pairs = [
        *(pair for layers in inputs for pair in zip(layers, weights, strict=True)),
        *((x.mT, slope) for x, slope in zip(inputs[-1], slopes, strict=True)),
        *((slope, weight.mT) for slope, weight in zip(slopes[1:], weights[1:], strict=True)),
    ]
    narrow = shapes[-1][-1]
    return [(b.mT, a.mT) if b.shape[-1] == narrow else (a, b) for a, b in pairs]


def memory(training: Training) -> str:
    """Rend la taille des tableaux de la mémoire de rejeu d'un agent, en Mo."""
    whole = training.memory.nbytes / len(training.seeds)
    return f"{whole / 1e6:.2f}"


def resident(agents: int) -> str:
    """Rend ce qu'occupe un processus neuf qui entraîne `agents` agents, en Mo."""
    return subprocess.check_output([sys.executable, __file__, str(agents)], text=True).strip()


def fill(training: Training) -> None:
    """Remplit la mémoire de rejeu de chaque agent, puis fait quelques tours."""
    nothing = np.zeros((len(training.seeds), CHUNK))
    state = np.zeros((*nothing.shape, 4), np.float32)
    while len(training.memory) < VERSION_2.capacity:
        alive = nothing.astype(bool)
        training.memory.add(state, alive.astype(int), nothing, alive, state, nothing)
    for _ in range(LEAST_TURNS):
        training.advance()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        torch.set_num_threads(1)
        training = started(int(sys.argv[1]))
        fill(training)
        print(f"{psutil.Process().memory_info().rss / 1e6:.0f}")
    else:
        main()
