"""De la Version 1 à la Version 2, une réparation à la fois ; puis la Version 2 moins chacune.

    .venv/bin/python etudes/echelle.py

Chaque réglage s'entraîne 50 000 pas. Tous les 1 000 pas, l'agent glouton joue 100 épisodes depuis
de nouveaux départs ; l'entraînement, lui, ne lit jamais une évaluation. Vingt graines avancent
ensemble.

Les barreaux et les retraits ont les graines 0 à 19, déjà vues en cherchant la recette : ce qu'on en
tire est exploratoire. Les recettes annoncées et le retrait groupé ont les graines 1000 à 1099,
nommées ici avant d'avoir servi ; celles de 0 à 519 ont servi à chercher, ou ont été montrées.

Écrit avant la mesure de ces cinq recettes. Une graine *réussit* à la troisième évaluation de suite
à 475 ou plus. Sa *rechute* est la part des évaluations suivantes qui sont sous 475 : tout, si elle
ne réussit pas. On compte, avec leur intervalle exact, les graines qui ne réussissent jamais, et
celles dont une évaluation suivante est sous 475, 400, 200.
- Les aides : la rechute, graine à graine (Student), de la symétrie, puis des départs écartés contre
  la Version 2, et des deux contre la symétrie seule ; Holm sur les trois.
- Le retrait groupé *équivaut* à la Version 2 si l'intervalle à 95 % (Student) de l'écart, graine à
  graine, reste entre -5 et 5 pas pour le retour moyen de toute la courbe, et sous 5 points pour la
  rechute. Cent graines ne sépareraient pas de 5 points deux *nombres* de graines qui rechutent.

Les mêmes agents ont été évalués deux fois, la seconde quand chaque usage eut sa suite de départs :
c'est celle de l'archive. Des départs écartés, sans la symétrie, le p corrigé était de 0,069 à la
première, de 0,038 à la seconde.
"""

from collections.abc import Sequence

from cartpole_helpers import VERSION_2, Config, Training, evaluate
from cartpole_helpers.repairs import RECIPES, SHORTER, ladder, shorter, without
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, by_seed, launch

SEEDS, ANNOUNCED_SEEDS = range(20), range(1_000, 1_100)
EVERY = 1_000
EPISODES = 100
BUDGET = 50_000
STEPS = [str(step) for step in range(EVERY, BUDGET + 1, EVERY)]
ANNOUNCED = {"version 2": VERSION_2, SHORTER: shorter()} | RECIPES
SETTINGS = ladder() | without() | ANNOUNCED


def run(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines `seeds` et rend une ligne par graine."""
    return by_seed(seeds, returns_of(Training(config, seeds)))


def returns_of(training: Training) -> list:
    """Rend les retours moyens (V, S) : une ligne par évaluation, une colonne par graine."""
    means = []
    for step in training.run():
        if step.env_steps % EVERY < training.config.carts:
            starts = fresh_seed(Purpose.STUDY, step.env_steps)
            means.append(evaluate(training.agent, EPISODES, starts).mean(axis=-1))
    return means


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=SETTINGS,
    seeds={name: ANNOUNCED_SEEDS if name in ANNOUNCED else SEEDS for name in SETTINGS},
    columns=STEPS,
)

if __name__ == "__main__":
    launch(STUDY)
