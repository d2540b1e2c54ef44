"""La Version 2 réglée autrement : quatre champs, toutes leurs combinaisons, douze graines chacune.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/reglages.py

Chaque combinaison s'entraîne 20 000 pas. Tous les 1 000 pas, l'agent glouton joue 20 épisodes
depuis de nouveaux départs ; l'entraînement ne lit jamais une évaluation. Les douze graines d'une
combinaison avancent ensemble ; achevées, elles sont aussitôt écrites dans reglages.csv : on peut
interrompre et relancer. Les curseurs du carnet 07 lisent cette archive. Les graines 0 à 11 étaient
déjà vues, et nulle comparaison n'était annoncée : ce qu'on en tire est exploratoire.
"""

from itertools import product

import torch

from cartpole_helpers import Config, Training, evaluate
from cartpole_helpers.repairs import TUNED, tuned
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.tables import Archive

SEEDS = range(12)
EVERY = 1_000
EPISODES = 20
BUDGET = tuned().total_steps
HEADER = (*TUNED, "graine", *(str(step) for step in range(EVERY, BUDGET + 1, EVERY)))


def main() -> None:
    """Fait les combinaisons qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    for values in product(*TUNED.values()):
        if (*map(str, values), SEEDS[0]) not in archive:
            config = tuned(**dict(zip(TUNED, values, strict=True)))
            archive.append((*values, *row) for row in run(config))
            print(*values, flush=True)


def run(config: Config) -> list[tuple]:
    """Entraîne ensemble les graines `SEEDS` et rend, pour chacune, son numéro et ses retours."""
    training, means = Training(config, SEEDS), []
    for step in training.run():
        if step.env_steps % EVERY < config.carts:
            starts = fresh_seed(Purpose.PANEL, step.env_steps)  # ceux du panneau : mêmes courbes
            returns = evaluate(training.agent, EPISODES, starts)
            means.append(returns.mean(axis=-1))
    columns = zip(*means, strict=True)
    return [
        (seed, *(f"{score:.0f}" for score in row)) for seed, row in zip(SEEDS, columns, strict=True)
    ]


if __name__ == "__main__":
    main()
