r"""Ce que coûte un agent quand S s'entraînent ensemble, et ce que coûtent leurs seuls produits.

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/cout.py

Un cœur, un fil, la recette VERSION_2. Pour chaque S, `ROUNDS` manches de `TURNS` tours de boucle,
les S à tour de rôle ; à côté, dans la même manche, les produits de matrices que font ces tours et
rien d'autre. Le résultat, en millisecondes de processeur par tour et par agent, médiane des
manches, est écrit dans cout.csv, avec ce qu'occupe la mémoire de rejeu d'un agent, en Mo (10⁶
octets). Les deux variables sont celles que met lancer.py : sans elles, la glibc rend et redemande
au système, à chaque tour, la mémoire des grands tableaux.
"""

from collections.abc import Callable
from statistics import median
from time import process_time

import torch

from cartpole_helpers import VERSION_2, Training
from cartpole_helpers.networks import layer_shapes
from cartpole_helpers.tables import write_study

AGENTS = (1, 2, 4, 8, 16, 32, 64)
ROUNDS = 9
TURNS = 20
HEADER = ("agents", "tour", "produits", "memoire")


def main() -> None:
    """Mesure chaque S, l'affiche et l'écrit."""
    torch.set_num_threads(1)
    trainings = {agents: started(agents) for agents in AGENTS}
    products = {agents: matrix_products(agents) for agents in AGENTS}
    turns = {agents: [] for agents in AGENTS}
    bare = {agents: [] for agents in AGENTS}
    for _ in range(ROUNDS):
        for agents in AGENTS:
            turns[agents].append(cost(trainings[agents].advance, agents))
            bare[agents].append(cost(products[agents], agents))
    rows = [
        (agents, f"{median(turns[agents]):.4f}", f"{median(bare[agents]):.4f}", memory(training))
        for agents, training in trainings.items()
    ]
    write_study(__file__, HEADER, rows)
    for row in rows:
        print(*row)


def started(agents: int) -> Training:
    """Rend un entraînement de `agents` agents qui a commencé à apprendre."""
    training = Training(VERSION_2, range(agents))
    while not training.gradient_steps:
        training.advance()
    return training


def cost(turn: Callable, agents: int) -> float:
    """Rend la durée de `turn`, en millisecondes de processeur par agent."""
    start = process_time()
    for _ in range(TURNS):
        turn()
    return 1_000 * (process_time() - start) / (TURNS * agents)


def matrix_products(agents: int) -> Callable[[], None]:
    """Rend une fonction qui fait les produits de matrices d'un tour, et rien d'autre.

    Quatre passages vers l'avant, l'un sur les chariots et trois sur le lot (l'état, puis son
    successeur par les deux réseaux), et les deux produits par couche du retour en arrière.
    """
    shapes, config = layer_shapes(VERSION_2), VERSION_2
    weights = [torch.randn(agents, *shape) for shape in shapes]
    passes = [config.carts, *[config.batch_size] * 3]
    inputs = [[torch.randn(agents, rows, size) for size, _ in shapes] for rows in passes]
    gradients = [torch.randn(agents, config.batch_size, size) for _, size in shapes]

    def turn() -> None:
        for layers in inputs:
            for x, weight in zip(layers, weights, strict=True):
                torch.bmm(x, weight)
        for x, weight, gradient in zip(inputs[-1], weights, gradients, strict=True):
            torch.bmm(x.mT, gradient)
            torch.bmm(gradient, weight.mT)

    return turn


def memory(training: Training) -> str:
    """Rend la taille des tableaux de la mémoire de rejeu d'un agent, en Mo."""
    whole = training.memory.nbytes / len(training.seeds)
    return f"{whole / 1e6:.2f}"


if __name__ == "__main__":
    main()
