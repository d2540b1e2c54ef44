"""Chercher une seule recette pour quatre jeux : au hasard, puis les meilleurs essais rejugés.

    .venv/bin/python -m pip install -r requirements-etudes.txt -r requirements-jeux.txt
    .venv/bin/python etudes/recherche_jeux.py

CartPole-v1, Acrobot-v1, MountainCar-v0 et LunarLander-v3 ; une recette ne change d'un jeu à l'autre
que son nombre de pas. Une vingtaine de réglages, essayés à la main sur les graines 3000 à 3003, ont
d'abord donné l'espace : la Version 2 à γ = 0,99 réussit aux trois premiers jeux, jamais au
quatrième ; une perte de Huber y aide, et nuit aux autres ; un ε propre à chaque copie sert partout.

Écrit avant qu'elle ne tourne.
- Étape `large` : 20 essais, les deux que la main préférait (`KNOWN`, `NEAR`), puis d'autres tirés
  au hasard (`draw`) ; trois graines, 3100 à 3102 ; 50 000 pas de CartPole, 100 000 de MountainCar,
  160 000 de LunarLander. Acrobot, que tous réussissaient, n'en est pas.
- Étape `fine` : les quatre meilleurs, rejugés sur huit graines neuves, 3200 à 3207, et les quatre
  jeux ; Acrobot 50 000 pas, MountainCar 150 000, LunarLander 300 000.
- Dix évaluations également espacées, de 20 épisodes depuis des départs neufs. Critère, à maximiser,
  la part du chemin faite, de ce que vaut le hasard (`RANDOM`) au seuil du jeu, bornée à 0 et à 1 :
  sa moyenne sur les jeux, les graines et les évaluations.

La recette retenue devait être la meilleure de l'étape fine. Trois essais y sont à égalité : le 19
(0,966), le 16 (0,965) et le 12 (0,957) ; du premier au troisième, l'écart, graine à graine, va de
-0,010 à 0,027. Écrit après : nous gardons le 12, qui seul des trois tient à CartPole avec toutes
ses graines, et dont une mise à jour coûte moitié moins que celle du 19 ; ses nombres arrondis font
`ONE_RECIPE`. Ce qu'elle vaut se mesure dans jeux.py, sur d'autres graines : ce score-ci, choisi
parmi d'autres, la flatte.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf, sqrt

import numpy as np
from jeux import evaluated
from torch.nn.functional import huber_loss

from cartpole_helpers import VERSION_2, Config, Training
from cartpole_helpers.dqn import td_loss, value_of
from cartpole_helpers.environments import solved_return
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.tables import read_table

TRIALS, KEPT, EPISODES, LOOKS = 20, 4, 20, 10
RANDOM = {"CartPole-v1": 22, "Acrobot-v1": -500, "MountainCar-v0": -200, "LunarLander-v3": -180}
BUDGETS = {
    "large": {"CartPole-v1": 50_000, "MountainCar-v0": 100_000, "LunarLander-v3": 160_000},
    "fine": {
        "CartPole-v1": 50_000,
        "Acrobot-v1": 50_000,
        "MountainCar-v0": 150_000,
        "LunarLander-v3": 300_000,
    },
}
SEEDS = {"large": range(3_100, 3_103), "fine": range(3_200, 3_208)}
KNOWN = {
    "carts": 16,
    "width": 128,
    "learning_rate": 4e-3,
    "cooling": 3e-4,
    "horizon": 100.0,
    "n_steps": 3,
    "most": 0.8,
    "least": 0.01,
    "epsilon_steps": 5_000,
    "epsilon_hold": 2.0,
    "capacity": 100_000,
    "batch_size": 128,
    "target_rate": 0.02,
    "average_rate": 5e-4,
    "delta": inf,
}
"""Ce que la recherche change, et l'essai d'où elle part ; `config_of` dit ce que c'est."""
NEAR = KNOWN | {"width": 96, "target_rate": 0.05}
ARCHIVE = archive_of(__file__)


def draw(number: int) -> dict:
    """Rend l'essai `number`, tiré au hasard ; ses nombres à trois chiffres, sur tout processeur."""
    generator = np.random.default_rng([18, number])

    def between(low: float, high: float) -> float:
        return float(f"{np.exp(generator.uniform(np.log(low), np.log(high))):.3g}")

    def among(*choices):
        return choices[generator.integers(len(choices))]

    return {
        "carts": among(8, 16),
        "width": among(64, 96, 128),
        "learning_rate": between(2e-3, 8e-3),
        "cooling": between(1e-4, 2e-3),
        "horizon": between(50, 200),
        "n_steps": among(1, 2, 3, 4, 5, 6),
        "most": between(0.4, 1),
        "least": between(0.003, 0.2),
        "epsilon_steps": round(between(1_000, 20_000)),
        "epsilon_hold": between(1.5, 4),
        "capacity": among(50_000, 100_000, 200_000),
        "batch_size": among(128, 256),
        "target_rate": between(0.01, 0.1),
        "average_rate": between(2e-4, 2e-3),
        "delta": among(1.0, 10.0, inf, inf),
    }


def config_of(found: Mapping, budget: int) -> Config:
    """Rend la recette que dit un essai : `most` et `least` sont les ε de ses copies extrêmes."""
    named = {name: value for name, value in found.items() if name != "delta"}
    width, cooling, horizon = (named.pop(name) for name in ("width", "cooling", "horizon"))
    most, least = named.pop("most"), named.pop("least")
    return replace(
        VERSION_2,
        total_steps=budget,
        input_scale="auto",
        hidden=(width, width),
        learning_rate_decay=round(1 - cooling, 6),
        learning_rate_floor=named["learning_rate"] / 10,
        gamma=round(1 - 1 / horizon, 4),
        epsilon_end=round(sqrt(most * least), 4),
        epsilon_spread=round(sqrt(most / least), 2),
        **named,
    )


def huber(q, action, target, delta: float):
    """Rend `e²` où l'erreur e est petite, `δ (2|e| - δ)` au-delà de δ : Huber, deux fois."""
    each = huber_loss(value_of(q, action), target.detach(), reduction="none", delta=delta)
    return 2 * each.mean(dim=-1)


def run(asked: tuple[str, int, Mapping], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble des graines à un jeu ; une ligne par graine : l'essai, ses retours."""
    env, budget, found = asked
    rule = td_loss if found["delta"] == inf else partial(huber, delta=found["delta"])
    build = partial(Training, td_loss=rule)
    rows = evaluated(env, config_of(found, budget), seeds, LOOKS, EPISODES, build)
    return [(seed, *found.values(), *returns) for seed, *returns in rows]


def study(trials: Mapping[tuple[str, int], Mapping]) -> Study:
    """Rend l'étude de ces essais, (étape, numéro) → ce qu'ils changent, à tous les jeux."""
    return Study(
        archive=ARCHIVE,
        measure=run,
        settings={
            (stage, number, env): (env, budget, found)
            for (stage, number), found in trials.items()
            for env, budget in BUDGETS[stage].items()
        },
        seeds={
            (stage, number, env): SEEDS[stage] for stage, number in trials for env in BUDGETS[stage]
        },
        names=("etape", "essai", "jeu"),
        columns=(*KNOWN, *(f"{tenth}/10" for tenth in range(1, LOOKS + 1))),
    )


def scores(stage: str) -> dict[int, float]:
    """Rend la part du chemin faite par chaque essai archivé d'une étape, moyenne sur ses jeux."""
    if not ARCHIVE.is_file():
        return {}
    table = read_table(ARCHIVE, "l'archive d'une recherche", least=1)
    looks = [table[name] for name in table if name.endswith("/10")]
    done = defaultdict(dict)
    for row, env in enumerate(table["jeu"]):
        if table["etape"][row] == stage:
            returns = np.array([look[row] for look in looks], float)
            found = done[int(table["essai"][row])].setdefault(env, [])
            found.append(progress(env, returns).mean())
    return {
        number: float(np.mean([np.mean(seeds) for seeds in games.values()]))
        for number, games in done.items()
        if len(games) == len(BUDGETS[stage])
    }


def progress(env: str, returns: np.ndarray) -> np.ndarray:
    """Rend la part du chemin, du hasard au seuil du jeu, que disent des retours moyens."""
    return np.clip((returns - RANDOM[env]) / (solved_return(env) - RANDOM[env]), 0, 1)


def trials() -> dict[tuple[str, int], dict]:
    """Rend les essais de l'étape large, et ceux de la fine si l'archive permet de les choisir."""
    large = dict(enumerate([KNOWN, NEAR, *map(draw, range(2, TRIALS))]))
    asked, found = {("large", number): one for number, one in large.items()}, scores("large")
    best = sorted(found, key=found.get, reverse=True)[: KEPT * (len(found) == TRIALS)]
    return asked | {("fine", number): large[number] for number in best}


STUDY = study(trials())


def main() -> None:
    """Fait l'étape large, puis la fine."""
    launch(STUDY)
    after = study(trials())
    if len(after.settings) > len(STUDY.settings):
        launch(after)


if __name__ == "__main__":
    main()
