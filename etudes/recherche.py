"""Une recherche que l'on peut refaire : au hasard, par TPE, et par TPE à partir de la Version 2.

    .venv/bin/python -m pip install -r requirements-etudes.txt
    .venv/bin/python etudes/recherche.py

Comment la Version 2 fut trouvée, nul ne peut le refaire : ni les essais, ni les graines, ni le
critère n'ont été gardés. Voici une recherche dont tout l'est, échecs compris.

Écrit avant qu'elle ne tourne.
- Trois bras de 96 essais, chacun son tirage : `hasard` ; `tpe`, l'estimateur de Parzen d'Optuna,
  dû à Bergstra et à d'autres (2011), qui ne sait rien d'avance ; `reprise`, le même, dont le
  premier essai est la Version 2. Un essai est un réglage pris dans `SPACE` ; le reste est à la
  Version 2, dont le taux d'apprentissage ne descend pas sous un dixième de son départ.
- Budget d'un essai : les graines 2000 à 2007, que rien n'avait utilisées, entraînées 30 000 pas.
  Tous les 1 000 pas, 20 épisodes depuis des départs neufs. Aucun essai n'est arrêté en route.
- Critère, à minimiser, la moyenne sur les graines du coût d'une graine : le nombre des évaluations
  sous 475 jusqu'à la troisième réussite de suite, plus cinq fois celui des évaluations suivantes
  qui y sont ; trente au plus, ce que coûte une graine qui ne réussit jamais. On veut un agent qui
  réussit tôt *et* qui ne retombe pas.
- Écrit ensuite, choix.py ayant préféré la Version 2 aux quinze meilleurs des trois bras : un
  quatrième, `autour`, TPE à partir d'elle, ne s'en éloigne pas (`NEAR`) et juge mieux chaque essai,
  sur les graines 2200 à 2223 ; 24 essais, le reste comme les autres.
- TPE demande ses essais par générations de `GENERATION`, jugées ensemble : le nombre de processus
  n'y change rien. Relancer sur le même processeur refait les mêmes essais. Un autre arrondit
  autrement, et TPE peut y demander autre chose : un essai archivé est alors gardé tel quel.

Le choix se fait ensuite dans choix.py, sur d'autres graines, et la confirmation dans
confirmation.py, sur d'autres encore. Un tirage par bras : que TPE fasse mieux que le hasard, ou le
contraire, est ici exploratoire.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from cartpole_helpers import VERSION_2, Config, Training, evaluate
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.statistics import costs
from cartpole_helpers.studies import Study, archive_of, by_seed, launch
from cartpole_helpers.tables import read_table

EVERY, EPISODES, BUDGET = 1_000, 20, 30_000
GENERATION = 8
STEPS = [str(step) for step in range(EVERY, BUDGET + 1, EVERY)]
SPACE = {
    "carts": CategoricalDistribution([8, 16, 32]),
    "width": IntDistribution(32, 160, step=32),
    "activation": CategoricalDistribution(["relu", "silu", "tanh"]),
    "learning_rate": FloatDistribution(1e-3, 2e-2, log=True),
    "cooling": FloatDistribution(5e-4, 2e-2, log=True),  # 1 − learning_rate_decay
    "horizon": FloatDistribution(20, 200, log=True),  # 1 / (1 − γ), en pas
    "n_steps": IntDistribution(1, 8),
    "double": CategoricalDistribution([False, True]),
    "epsilon_end": FloatDistribution(0.02, 0.7),
    "epsilon_steps": IntDistribution(500, 5_000, log=True),
    "epsilon_hold": FloatDistribution(1, 5),
    "capacity": CategoricalDistribution([5_000, 50_000]),
    "batch_size": CategoricalDistribution([64, 128, 256]),
    "target_rate": FloatDistribution(0.01, 0.5, log=True),
    "average_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "average_tail": FloatDistribution(0, 0.5),
}
"""Ce que la recherche peut changer, et entre quelles bornes."""

NEAR = SPACE | {
    "carts": CategoricalDistribution([8, 12, 16, 24]),
    "width": IntDistribution(64, 128, step=32),
    "activation": CategoricalDistribution(["silu"]),
    "learning_rate": FloatDistribution(4e-3, 1.6e-2, log=True),
    "cooling": FloatDistribution(2e-3, 1e-2, log=True),
    "horizon": FloatDistribution(40, 120, log=True),
    "n_steps": IntDistribution(2, 5),
    "double": CategoricalDistribution([True]),
    "epsilon_end": FloatDistribution(0.3, 0.6),
    "epsilon_steps": IntDistribution(500, 2_000, log=True),
    "epsilon_hold": FloatDistribution(1.5, 3),
    "capacity": CategoricalDistribution([50_000]),
    "batch_size": CategoricalDistribution([128, 256]),
    "target_rate": FloatDistribution(0.02, 0.15, log=True),
    "average_rate": FloatDistribution(2e-4, 2e-3, log=True),
    "average_tail": FloatDistribution(0.1, 0.4),
}
"""Le voisinage de la Version 2."""

KNOWN = {
    "carts": 16,
    "width": 96,
    "activation": "silu",
    "learning_rate": 8e-3,
    "cooling": 4e-3,
    "horizon": 1 / 0.015,  # γ = 0,985
    "n_steps": 3,
    "double": True,
    "epsilon_end": 0.5,
    "epsilon_steps": 1_000,
    "epsilon_hold": 2.0,
    "capacity": 50_000,
    "batch_size": 128,
    "target_rate": 0.05,
    "average_rate": 5e-4,
    "average_tail": 0.25,
}
"""La Version 2, dite dans cet espace."""


class Arm(NamedTuple):
    """Une façon de chercher."""

    sampler: optuna.samplers.BaseSampler
    space: Mapping[str, BaseDistribution] = SPACE
    seeds: range = range(2_000, 2_008)
    trials: int = 96
    known: bool = False  # la Version 2 est-elle son premier essai ?


def parzen(seed: int, startup: int) -> optuna.samplers.TPESampler:
    """Rend TPE, dont les `startup` premiers essais sont tirés au hasard."""
    return optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=startup, multivariate=True, constant_liar=True
    )


ARMS = {
    "hasard": Arm(optuna.samplers.RandomSampler(seed=1)),
    "tpe": Arm(parzen(2, 3 * GENERATION)),
    "reprise": Arm(parzen(3, GENERATION), known=True),
    "autour": Arm(parzen(4, GENERATION), NEAR, range(2_200, 2_224), trials=24, known=True),
}
ARCHIVE = archive_of(__file__)


def rounded(found: Mapping) -> dict:
    """Rend un essai, ses nombres à quatre chiffres : les mêmes sur tous les processeurs."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in found.items()
    }


def config_of(found: Mapping, budget: int = BUDGET) -> Config:
    """Rend la recette que dit un essai."""
    named = dict(found)
    width, cooling, horizon = (named.pop(name) for name in ("width", "cooling", "horizon"))
    return replace(
        VERSION_2,
        total_steps=budget,
        hidden=(width, width),
        learning_rate_decay=round(1 - cooling, 6),
        learning_rate_floor=named["learning_rate"] / 10,
        gamma=round(1 - 1 / horizon, 4),
        warmup=max(VERSION_2.warmup, named["batch_size"]),
        **named,
    )


def run(found: Mapping, seeds: Sequence[int], budget: int = BUDGET) -> list[tuple]:
    """Entraîne ensemble les graines d'un essai ; une ligne par graine : l'essai, ses retours."""
    config, means = config_of(found, budget), []
    training = Training(config, seeds)
    for step in training.run():
        if step.env_steps % EVERY < config.carts:
            starts = fresh_seed(Purpose.STUDY, step.env_steps)
            means.append(evaluate(training.agent, EPISODES, starts).mean(axis=-1))
    return [(seed, *found.values(), *returns) for seed, *returns in by_seed(seeds, means)]


def study(trials: Mapping[tuple, Mapping]) -> Study:
    """Rend l'étude de ces essais : (bras, numéro) → ce qu'il change."""
    return Study(
        archive=ARCHIVE,
        measure=run,
        settings=trials,
        seeds={(arm, number): ARMS[arm].seeds for arm, number in trials},
        names=("bras", "essai"),
        columns=(*SPACE, *STEPS),
        group=24,
    )


def main() -> None:
    """Demande, entraîne et juge chaque génération des bras, l'une après l'autre."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    searches = {arm: optuna.create_study(sampler=way.sampler) for arm, way in ARMS.items()}
    for arm, way in ARMS.items():
        if way.known:
            searches[arm].enqueue_trial(KNOWN)
    trials = {}
    while asked := [
        (arm, search.ask(ARMS[arm].space))
        for arm, search in searches.items()
        if len(search.trials) < ARMS[arm].trials
        for _ in range(GENERATION)
    ]:
        for arm, trial in asked:
            name = arm, trial.number
            trials[name] = archived().get(name) or rounded(trial.params)
        if not judged(trials):
            launch(study(trials))
        if not (found := judged(trials)):
            return  # on n'a demandé qu'une liste
        for arm, trial in asked:
            searches[arm].tell(trial, found[arm, trial.number])
    launch(study(trials))  # que la recherche archivée est bien celle-ci, ou sa liste


def archived() -> dict[tuple[str, int], dict]:
    """Rend les essais archivés : ce que change chacun ; rien si l'archive manque, ou est coupée."""
    with suppress(FileNotFoundError, ValueError):  # `launch` la fait, ou la répare
        table = read_table(ARCHIVE)
        columns = [[typed(name, text) for text in table[name]] for name in SPACE]
        rows = zip(*columns, strict=True)
        return {
            name: dict(zip(SPACE, row, strict=True))
            for name, row in zip(names_of(table), rows, strict=True)
        }
    return {}


def typed(name: str, text: str) -> object:
    """Lit une valeur archivée, du type que l'espace lui donne."""
    domain = SPACE[name]
    if isinstance(domain, CategoricalDistribution):
        return next(one for one in (*domain.choices, *NEAR[name].choices) if str(one) == text)
    return int(text) if isinstance(domain, IntDistribution) else float(text)


def names_of(table: Mapping) -> list[tuple[str, int]]:
    """Rend le bras et le numéro d'essai de chaque ligne."""
    return [*zip(table["bras"], map(int, table["essai"]), strict=True)]


def judged(names: Iterable[tuple[str, int]], archive: Path = ARCHIVE) -> dict:
    """Rend les coûts archivés de tous les essais, si ceux de ces noms y sont ; rien sinon."""
    found = {}
    with suppress(FileNotFoundError, ValueError):  # absente, ou coupée : `launch` la répare
        found = scores(archive)
    return found if {*names} <= found.keys() else {}


def scores(archive: Path = ARCHIVE) -> dict[tuple[str, int], float]:
    """Rend le coût moyen de chaque essai archivé."""
    table = read_table(archive, "l'archive d'une recherche", least=1)
    steps = [name for name in table if name.isdigit()]
    returns = np.array([table[step] for step in steps], float).T
    grouped = defaultdict(list)
    for name, cost in zip(names_of(table), costs(returns >= SOLVED_RETURN), strict=True):
        grouped[name].append(cost)
    return {name: float(np.mean(each)) for name, each in grouped.items()}


if __name__ == "__main__":
    main()
