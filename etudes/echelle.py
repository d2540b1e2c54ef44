"""De la Version 1 à la Version 2, une réparation à la fois ; puis la Version 2 moins chacune.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/echelle.py

Chaque réglage s'entraîne 50 000 pas sur vingt graines, les recettes à annoncer sur cent. Tous les
1 000 pas, l'agent glouton joue 100 épisodes depuis de nouveaux départs ; l'entraînement, lui, ne
lit jamais une évaluation. Les graines avancent ensemble, vingt par processus, deux processus côte à
côte ; chacun, achevé, est aussitôt écrit dans echelle.csv : on peut interrompre et relancer.
"""

from concurrent.futures import ProcessPoolExecutor, as_completed

import torch
from archive import Archive

from cartpole_helpers import Config, Training, evaluate
from cartpole_helpers.repairs import RECIPES, ladder, without

GROUP = 20
SEEDS, ANNOUNCED_SEEDS = range(20), range(100)  # aucune n'a servi à choisir la recette
EVERY = 1_000
EPISODES = 100
FRESH = 2_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
BUDGET = 50_000
HEADER = ("reglage", "graine", *(str(step) for step in range(EVERY, BUDGET + 1, EVERY)))
SETTINGS = ladder() | without() | RECIPES


def main() -> None:
    """Fait les groupes de graines qui manquent à l'archive."""
    archive = Archive(__file__, HEADER)
    done = archive.finished()
    with ProcessPoolExecutor(max_workers=2) as pool:
        tasks = [
            pool.submit(run, name, seeds)
            for name in SETTINGS
            for seeds in groups(ANNOUNCED_SEEDS if name in RECIPES else SEEDS)
            if (name, seeds[0]) not in done
        ]
        for future in as_completed(tasks):
            rows = future.result()
            archive.append(rows)
            print(f"{rows[0][0]}, graines {rows[0][1]} à {rows[-1][1]}", flush=True)


def groups(seeds: range) -> list[range]:
    """Rend `seeds` par groupes de `GROUP`."""
    return [seeds[start : start + GROUP] for start in range(0, len(seeds), GROUP)]


def run(name: str, seeds: range) -> list[tuple]:
    """Entraîne ensemble les graines `seeds` et rend une ligne par graine."""
    torch.set_num_threads(1)
    columns = scores(SETTINGS[name], seeds)
    return [
        (name, seed, *(f"{score:g}" for score in row))
        for seed, row in zip(seeds, zip(*columns, strict=True), strict=True)
    ]


def scores(config: Config, seeds: range) -> list:
    """Rend les retours moyens (V, S) : une ligne par évaluation, une colonne par graine."""
    training, means = Training(config, seeds), []
    for step in training.run():
        if step.env_steps % EVERY < config.carts:
            returns = evaluate(training.agent, EPISODES, seed=FRESH + step.env_steps)
            means.append(returns.mean(axis=-1))
    return means


if __name__ == "__main__":
    main()
