"""Ce que coûte `solve`, sur vingt graines, avec et sans la symétrie gauche-droite.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/version2.py

Chaque graine est résolue seule, sur un cœur et un fil, les recettes à tour de rôle ; l'agent rendu
est jugé, hors du chronomètre, sur 1 000 départs qui n'ont servi à aucun choix. Une graine faite est
aussitôt écrite dans version2.csv : on peut interrompre et relancer. Une graine que le budget ne
suffit pas à résoudre compte pour un échec : ses pas sont ceux du budget.
"""

import csv
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import torch

from cartpole_helpers import VERSION_2, Unsolved, evaluate, solve

SEEDS = range(20)  # aucune n'a servi à choisir la recette
EPISODES = 1_000
FRESH = 1_000_000  # les départs de jugement : `evaluate(seed=FRESH + graine)`
RECIPES = {"version 2": VERSION_2, "avec la symétrie": replace(VERSION_2, mirror=True)}
RESULT = Path(__file__).with_suffix(".csv")
HEADER = ("recette", "graine", "pas", "secondes", "certificat", "retour")


def main() -> None:
    """Fait les graines qui manquent à l'archive."""
    torch.set_num_threads(1)
    if not RESULT.exists():
        append(HEADER)
    done = finished()
    for seed in SEEDS:
        for name in RECIPES:
            if (name, seed) not in done:
                append(row := run(name, seed))
                print(*row, flush=True)


def run(name: str, seed: int) -> tuple:
    """Résout et juge une graine ; rend sa ligne."""
    start = perf_counter()
    try:
        solution = solve(RECIPES[name], seed)
        agent, steps, certificate = solution.agent, solution.env_steps, solution.certificate.mean()
    except Unsolved as failure:
        agent, steps, certificate = failure.agent, RECIPES[name].total_steps, float("nan")
    seconds = perf_counter() - start
    judged = evaluate(agent, episodes=EPISODES, seed=FRESH + seed).mean()
    return name, seed, steps, f"{seconds:.3f}", f"{certificate:.2f}", f"{judged:.2f}"


def finished() -> set[tuple[str, int]]:
    """Rend les couples (recette, graine) déjà archivés."""
    with RESULT.open(encoding="utf-8", newline="") as file:
        return {(row["recette"], int(row["graine"])) for row in csv.DictReader(file)}


def append(row: tuple) -> None:
    """Ajoute une ligne à l'archive."""
    with RESULT.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow(row)


if __name__ == "__main__":
    main()
