r"""Ce que coûte `solve`, sur cent graines, sans aide puis avec la symétrie.

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/version2.py

Chaque graine est résolue seule, sur un cœur et un fil, les recettes à tour de rôle ; l'agent rendu
est jugé, hors du chronomètre, sur 1 000 départs qui n'ont servi à aucun choix. Une graine faite est
aussitôt écrite dans version2.csv : on peut interrompre et relancer. Une graine que le budget ne
suffit pas à résoudre compte pour un échec : son certificat est « nan », ses pas ceux du budget.
"""

from time import perf_counter

import torch
from archive import Archive

from cartpole_helpers import Unsolved, evaluate, solve
from cartpole_helpers.repairs import RECIPES

SEEDS = range(100)  # aucune n'a servi à choisir la recette
EPISODES = 1_000
FRESH = 1_000_000  # les départs de jugement : `evaluate(seed=FRESH + graine)`
NAMES = ("version 2", "avec la symétrie")
HEADER = ("recette", "graine", "pas", "secondes", "certificat", "retour")


def main() -> None:
    """Fait les graines qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    done = archive.finished()
    for seed in SEEDS:
        for name in NAMES:
            if (name, seed) not in done:
                archive.append([row := run(name, seed)])
                print(*row, flush=True)


def run(name: str, seed: int) -> tuple:
    """Résout et juge une graine ; rend sa ligne."""
    config, start = RECIPES[name], perf_counter()
    try:
        solution = solve(config, seed)
        agent, steps, certificate = solution.agent, solution.env_steps, solution.certificate.mean()
    except Unsolved as failure:
        agent, steps, certificate = failure.agent, config.total_steps, float("nan")
    seconds = perf_counter() - start
    judged = evaluate(agent, episodes=EPISODES, seed=FRESH + seed).mean()
    return name, seed, steps, f"{seconds:.3f}", f"{certificate:.2f}", f"{judged:.2f}"


if __name__ == "__main__":
    main()
