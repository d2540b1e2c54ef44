"""Une seule recette à plusieurs jeux : combien de graines réussissent, et combien tiennent.

    .venv/bin/python -m pip install -r requirements-etudes.txt -r requirements-jeux.txt
    .venv/bin/python etudes/jeux.py

`ONE_RECIPE` vient de recherche_jeux.py ; d'un jeu à l'autre, seul change le nombre de pas. Cent
graines, 4000 à 4099, que rien n'avait utilisées ; à LunarLander, plus long, les vingt premières.
Vingt évaluations également espacées, de 100 épisodes depuis des départs neufs ; l'entraînement ne
les lit jamais.

Écrit avant qu'elle ne tourne. Une graine *atteint* le seuil du jeu si l'une de ses évaluations y
est : c'est la mesure principale, un compte et son intervalle exact. On visait, dans ces nombres de
pas, 100 graines sur 100 à CartPole, 98 à Acrobot, 90 à MountainCar. Puis, sans rien viser : la
*réussite* (trois évaluations de suite au seuil), le pas où elle s'achève (médiane, un échec
comptant pour l'infini), et la part des évaluations suivantes qui y restent.

La recette remplacerait la Version 2 si elle n'y perdait pas à CartPole : si l'intervalle à 95 %
(Student, graine à graine) de l'écart des coûts, ceux de recherche.py, ici en vingtièmes du budget,
reste sous 1. Sinon, elle va à côté d'elle.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from cartpole_helpers import ONE_RECIPE, VERSION_2, Config, Training, evaluate
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, by_seed, launch

BUDGETS = {
    "CartPole-v1": 50_000,
    "Acrobot-v1": 50_000,
    "MountainCar-v0": 200_000,
    "LunarLander-v3": 500_000,
}
SEEDS, FEWER = range(4_000, 4_100), {"LunarLander-v3": 20}
LOOKS, EPISODES = 20, 100
ONE, BEFORE = "une seule recette", "version 2"


def run(asked: tuple[str, Config], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines `seeds` à un jeu et rend une ligne par graine."""
    return evaluated(*asked, seeds)


def evaluated(
    env: str,
    config: Config,
    seeds: Sequence[int],
    looks: int = LOOKS,
    episodes: int = EPISODES,
    build: Callable[..., Training] = Training,
) -> list[tuple]:
    """Rend une ligne par graine : elle, et les retours moyens de `looks` évaluations."""
    means, every = [], config.total_steps // looks
    training = build(config, seeds, env=env)
    for step in training.run():
        if step.env_steps % every < config.carts:
            starts = fresh_seed(Purpose.STUDY, step.env_steps)
            means.append(evaluate(training.agent, episodes, starts, env=env).mean(axis=-1))
    return by_seed(seeds, means)


SETTINGS = {
    (ONE, env): (env, replace(ONE_RECIPE, total_steps=steps)) for env, steps in BUDGETS.items()
} | {(BEFORE, "CartPole-v1"): ("CartPole-v1", VERSION_2)}
STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=SETTINGS,
    seeds={name: SEEDS[: FEWER.get(name[1])] for name in SETTINGS},
    columns=[f"{look}/{LOOKS}" for look in range(1, LOOKS + 1)],
    names=("recette", "jeu"),
    group=10,
)

if __name__ == "__main__":
    launch(STUDY)
