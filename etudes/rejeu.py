"""Ce que vaut la mémoire de rejeu : le réseau nu du carnet 02, avec elle ou sans elle.

    .venv/bin/python etudes/rejeu.py

Trois façons d'apprendre, tout le reste égal, réseau cible absent compris : du seul dernier pas ; de
lots de 64 tirés, avec remise, des 64 derniers pas ; de lots de 64 tirés des dix mille derniers,
c'est-à-dire de tout. Les deux dernières ne diffèrent que par l'âge de ce qu'on tire.

Écrit avant la mesure. Graines 5200 à 5219, neuves, 10 000 pas d'un seul chariot, vingt épisodes
gloutons tous les 500 pas. Mesure principale : l'écart, graine à graine, du retour moyen de la
courbe entière, dix mille moins 64 derniers ; test de Student, intervalle à 95 %. Un premier essai,
graines 0 à 11, n'avait montré que les 64 derniers pas : leur moyenne restait entre 190 et 285. Le
reste est exploratoire.

Mesuré : on ne sait pas lequel des deux vaut mieux. Les deux derniers réglages, avec un réseau
cible, ont été ajoutés ensuite : ce qu'on en tire est exploratoire.
"""

from collections.abc import Sequence

from cartpole_helpers import Config, Training, evaluate
from cartpole_helpers.studies import Study, archive_of, by_seed, launch

EVERY, BUDGET = 500, 10_000
NAKED = {  # le réseau nu de la fin du carnet 02
    "total_steps": BUDGET,
    "input_scale": (2.0, 1.0, 10.0, 1.0),
    "hidden": (64, 64),
    "learning_rate": 2e-3,
    "gamma": 0.98,
    "epsilon_end": 0.1,
    "epsilon_steps": 2_000,
}
MEMORIES = {  # places, transitions par lot, part versée à la cible (1 : il n'y en a pas)
    "le dernier pas": (1, 1, 1.0),
    "64 parmi les 64 derniers": (64, 64, 1.0),
    "64 parmi tous": (BUDGET, 64, 1.0),
    "64 parmi les 64 derniers, réseau cible": (64, 64, 0.05),
    "64 parmi tous, réseau cible": (BUDGET, 64, 0.05),
}


def run(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines et rend une ligne par graine."""
    training, returns = Training(config, seeds), []
    for step in training.run():
        if step.env_steps % EVERY == 0:
            returns.append(evaluate(training.agent, episodes=20).mean(axis=1))
    return by_seed(seeds, returns)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        name: Config(
            **NAKED, capacity=capacity, batch_size=batch, warmup=batch, target_rate=rate
        )  # on n'apprend pas avant le premier lot
        for name, (capacity, batch, rate) in MEMORIES.items()
    },
    seeds=range(5_200, 5_220),
    columns=[str(step) for step in range(EVERY, BUDGET + 1, EVERY)],
)

if __name__ == "__main__":
    launch(STUDY)
