"""La Version 2 réglée autrement : quatre champs, toutes leurs combinaisons, douze graines chacune.

    .venv/bin/python etudes/reglages.py

Chaque combinaison s'entraîne 20 000 pas. Tous les 1 000 pas, l'agent glouton joue 20 épisodes
depuis de nouveaux départs ; l'entraînement ne lit jamais une évaluation. Les douze graines d'une
combinaison avancent ensemble. Les curseurs du carnet 08 lisent cette archive. Les graines 0 à 11
étaient déjà vues, et nulle comparaison n'était annoncée : ce qu'on en tire est exploratoire.
"""

from collections.abc import Sequence
from itertools import product

from cartpole_helpers import Config, Training, evaluate
from cartpole_helpers.repairs import TUNED, tuned
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, by_seed, launch

EVERY = 1_000
EPISODES = 20
BUDGET = tuned().total_steps


def run(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines et rend, pour chacune, son numéro et ses retours."""
    training, means = Training(config, seeds), []
    for step in training.run():
        if step.env_steps % EVERY < config.carts:
            starts = fresh_seed(Purpose.PANEL, step.env_steps)  # ceux du panneau : mêmes courbes
            returns = evaluate(training.agent, EPISODES, starts)
            means.append(returns.mean(axis=-1))
    return by_seed(seeds, means, ".0f")


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        values: tuned(**dict(zip(TUNED, values, strict=True)))
        for values in product(*TUNED.values())
    },
    seeds=range(12),
    columns=[str(step) for step in range(EVERY, BUDGET + 1, EVERY)],
    names=[*TUNED],
)

if __name__ == "__main__":
    launch(STUDY)
