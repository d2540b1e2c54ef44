"""La clinique : des entraînements malades ou sains, et ce que `diagnose` en dit.

    .venv/bin/python etudes/clinique.py

Une ligne par entraînement : la maladie, ce qui la provoque, la dose, la recette, la graine, le
retour glouton à la fin, les deux premières hypothèses d'après le relevé entier, puis d'après le
seul `History`, et le degré de chaque signe, de quoi refaire les seuils. La dose dit de quelle sorte
d'entraînement il s'agit :

- forte, faible : chaque maladie, provoquée sur trois recettes ;
- aucune : treize recettes saines ;
- témoin : les réglages que demandent certaines maladies pour se déclarer, sans ce qui rend malade ;
- limite : des réglages sains que l'on sait suspects, ou que l'on sait nuire sans signe ;
- aveugle : les fautes de fautes_aveugles.py, dont l'auteur n'a pas lu les signes.

Les seuils ont été réglés sur les graines 0 à 19 et les deux premières recettes, puis trois règles
reprises au vu d'une première archive, sur les trois. Les graines d'ici sont neuves ; les recettes,
les maladies et les doses ne le sont pas.

Dit avant de lancer témoins, limites et fautes aveugles, les signes étant ceux de l'archive
précédente : le critère est la part des entraînements dont la maladie est l'une des deux premières
hypothèses (rappel) et celle des sains à qui l'on en trouve une (fausses alarmes). Une grappe est
une cause × une recette ; ses graines se ressemblent, et l'intervalle, exact, compte les grappes
sans erreur. Les seuils sont aussi refaits sans la recette jugée : pour chaque signe, le milieu
géométrique de ceux qui, sur les deux autres, donnent le plus grand total de sensibilité et de
spécificité. Aucune hypothèse n'est testée.

Enfin, seize malades et deux bien portants sont gardés dans le paquet (`PATIENTS`), sans nom, chacun
avec un témoin : un entraînement sain, des mêmes réglages, d'une autre graine. reponses.csv dit qui
est qui, et quel autre nom convient aussi. divergence.csv est l'une des fausses alarmes de
l'archive, refaite pour être regardée. Ils ne sont faits que s'ils manquent : effacez-les d'abord.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from fautes_aveugles import FAULTS

from cartpole_helpers import (
    QUICK,
    VERSION_2,
    CartPoleVector,
    Config,
    ReplayBuffer,
    Training,
    td_loss,
    td_target,
)
from cartpole_helpers.repairs import RECIPES, tuned
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.tables import write_table
from cartpole_helpers.teaching.clinic import (
    HEALTHY,
    ILLNESSES,
    PATIENTS,
    Chart,
    degree,
    diagnose,
    late,
    monitor,
    save_chart,
)
from cartpole_helpers.teaching.laboratory import Altered, ClockEnds

SICK, WITNESSES = 8, 12  # graines par cause et par recette, puis par recette saine
ANSWERS = PATIENTS / "reponses.csv"
UNLISTED = "hors liste"  # la maladie d'une faute aveugle qu'aucun des noms ne décrit
BLIND, FAULTLESS = "aveugle", "recette saine"
LOGGED = ("env_steps", "gradient_steps", "epsilon", "played", "loss", "loss_spread")
SCALE = VERSION_2.input_scale

COPIED = Config(
    total_steps=16_000,
    carts=16,
    input_scale=SCALE,
    hidden=(128, 128),
    learning_rate=4e-3,
    gamma=0.99,
    double=True,
    epsilon_end=0.1,
    epsilon_steps=2_000,
    warmup=256,
    target_period=20,
    target_rate=1.0,
)
"""Une recette ordinaire, très différente des deux autres, que les premiers réglages ignoraient."""

RECIPE: dict[str, Config] = {
    "rapide": replace(QUICK, total_steps=16_000),
    "version 2": replace(VERSION_2, total_steps=16_000),
    "cible recopiée": COPIED,
}

HEALTHY_RECIPES: dict[str, Config] = {
    **RECIPE,
    "QUICK": QUICK,
    "sans symétrie": replace(QUICK, mirror=False, total_steps=16_000),
    "γ = 0,95": tuned(gamma=0.95),
    "γ = 0,995": tuned(gamma=0.995),
    "pas de 0,002": tuned(learning_rate=0.002),
    "mémoire de 5 000": tuned(capacity=5_000),
    "avec la symétrie": replace(RECIPES["avec la symétrie"], total_steps=20_000),
    "départs écartés": replace(RECIPES["départs écartés"], total_steps=20_000),
    "2 × 32 tanh": replace(QUICK, hidden=(32, 32), activation="tanh", total_steps=16_000),
    "un chariot": replace(COPIED, carts=1, learning_rate=1e-3, total_steps=10_000),
}


# Les fautes que la configuration ne sait pas commettre


class Unmarked(CartPoleVector):
    """Aucune chute ne se dit une fin : elle passe pour une troncature."""

    def step(self, actions):
        """Avance d'un pas."""
        observation, reward, terminated, truncated, info = super().step(actions)
        return observation, reward, np.zeros_like(terminated), terminated | truncated, info


class Rounded(Altered):
    """La récompense, divisée par dix, est rangée sur 8 bits : il n'en reste rien."""

    def add(self, observation, action, reward, *rest):
        """Ajoute une transition (S, E, ...)."""
        self.inner.add(observation, action, (reward / 10).astype(np.int8), *rest)


def rounded(config: Config, seeds: Sequence[int]) -> Training:
    """Rend un entraînement dont la mémoire arrondit."""
    usual = ReplayBuffer(config.capacity, seeds=seeds, discounted=config.n_steps > 1)
    return Training(config, seeds, memory=Rounded(usual))


def drowned(config: Config, seeds: Sequence[int]) -> Training:
    """Rend un entraînement dont les biais partent si bas que presque rien ne s'allume jamais."""
    training = Training(config, seeds)
    agent = training.agent
    for _, bias in agent.network.layers[:-1]:
        bias -= 2
    training.start_from(agent)
    return training


def unmasked(reward, terminated, next_q, gamma):
    """Amorce après une chute comme ailleurs."""
    return reward + gamma * next_q.max(dim=-1).values


def inflated(reward, terminated, next_q, gamma):
    """Amorce avec γ = 1,5."""
    return td_target(reward, terminated, next_q, 1.5)


def broadcast(q, action, target):
    """Soustrait (B, 1) de (B,) : chaque valeur est comparée à toutes les cibles du lot."""
    value = q.gather(-1, action.unsqueeze(-1))  # (S, B, 1)
    return (value - target.detach().unsqueeze(-2)).square().mean(dim=(-2, -1))


def ascended(q, action, target):
    """Rend l'opposé de la perte."""
    return -td_loss(q, action, target)


class Cause(NamedTuple):
    """De quoi provoquer une maladie : un autre réglage, ou une faute de code.

    `setting` : ce qu'il faut pour qu'elle se déclare, et qui n'en rend pas malade.
    """

    changes: Mapping = MappingProxyType({})
    build: Callable = Training
    setting: Mapping = MappingProxyType({})


SEEING = {"epsilon_end": 0.02, "epsilon_steps": 1_000, "epsilon_hold": 1.0}  # de longs épisodes

CAUSES: dict[str, Cause] = {
    "perte négative": Cause(build=partial(Training, td_loss=ascended)),
    "récompense perdue": Cause(build=rounded),
    "troncature prise pour une chute": Cause(
        build=partial(Training, env=ClockEnds),
        setting=SEEING | {"carts": 4, "learn_every": 4, "total_steps": 24_000},
    ),
    "masque oublié": Cause(build=partial(Training, td_target=unmasked)),
    "masque oublié (en mémoire)": Cause(build=partial(Training, env=Unmarked)),
    "valeurs qui explosent": Cause(build=partial(Training, td_target=inflated)),
    "valeurs qui explosent (pas)": Cause({"learning_rate": 10.0, "learning_rate_decay": 1.0}),
    "ε bloqué haut": Cause({"epsilon_end": 1.0}),
    "aucune exploration": Cause({"epsilon_start": 0.0, "epsilon_end": 0.0}),
    "mises à jour trop rares": Cause({"learn_every": 30}),
    "politique évaluée périmée": Cause({"average_rate": 1e-6, "average_tail": 0.0}),
    "cible jamais synchronisée": Cause({"target_rate": 1.0, "target_period": 10**6}),
    "cible trop lente": Cause({"target_rate": 0.001, "target_period": 1}),
    "pas de réseau cible": Cause({"target_rate": 1.0, "target_period": 1}),
    "unités mortes": Cause(build=drowned, setting={"activation": "relu"}),
    "taux d'apprentissage trop grand": Cause({"learning_rate": 0.3, "learning_rate_decay": 1.0}),
    "taux d'apprentissage trop petit": Cause({"learning_rate": 1e-5, "learning_rate_floor": 0.0}),
    "taux d'apprentissage tombé au plancher": Cause(
        {"learning_rate_decay": 0.97, "learning_rate_floor": 1e-7}
    ),
    "lot trop petit": Cause({"batch_size": 1}),
    "mémoire sans chute": Cause({"capacity": 256}, setting=SEEING),
    "cible mal alignée": Cause(build=partial(Training, td_loss=broadcast)),
    "γ = 1 ou presque": Cause({"gamma": 1.0}),
    "γ trop petit": Cause({"gamma": 0.5}),
}
"""Ce qui provoque chaque maladie ; la parenthèse distingue deux causes d'une même maladie."""

WEAK: dict[str, Cause] = {
    "ε bloqué haut (0,8)": Cause({"epsilon_end": 0.8}),
    "mises à jour trop rares (10 tours)": Cause({"learn_every": 10}),
    "cible trop lente (0,005)": Cause({"target_rate": 0.005, "target_period": 1}),
    "taux d'apprentissage trop grand (0,1)": Cause(
        {"learning_rate": 0.1, "learning_rate_decay": 1.0}
    ),
    "taux d'apprentissage trop petit (0,0001)": Cause(
        {"learning_rate": 1e-4, "learning_rate_floor": 0.0}
    ),
    "taux d'apprentissage tombé au plancher (0,99)": Cause(
        {"learning_rate_decay": 0.99, "learning_rate_floor": 1e-5}
    ),
    "lot trop petit (4)": Cause({"batch_size": 4}),
    "mémoire sans chute (1 000)": Cause({"capacity": 1_000}, setting=SEEING),
    "γ trop petit (0,7)": Cause({"gamma": 0.7}),
}
"""Les mêmes maladies, quand elles ont une dose, à une dose plus faible."""

LIKE: dict[str, Mapping] = {
    f"{HEALTHY} ({name})": cause.setting for name, cause in CAUSES.items() if cause.setting
}
"""Les réglages que demandent certaines maladies, sans elles."""

EDGE: dict[str, Mapping] = {
    f"{HEALTHY} (γ = 0,995 à un pas)": {"gamma": 0.995, "n_steps": 1},
    f"{HEALTHY} (γ = 0,999)": {"gamma": 0.999},
    f"{HEALTHY} (mémoire de 500)": {"capacity": 500},
    f"{HEALTHY} (une couche de 4)": {"hidden": (4,)},
}
"""Des réglages que l'on peut vouloir, et dont on sait que l'outil les juge mal."""


CASES: tuple[tuple[str, str], ...] = (
    ("cible jamais synchronisée", "rapide"),
    ("γ = 1 ou presque", "version 2"),
    ("troncature prise pour une chute", "rapide"),
    ("masque oublié", "cible recopiée"),
    ("taux d'apprentissage tombé au plancher", "rapide"),
    ("taux d'apprentissage trop petit", "version 2"),
    ("taux d'apprentissage trop grand", "version 2"),
    ("mémoire sans chute", "rapide"),
    ("ε bloqué haut", "rapide"),
    ("aucune exploration", "version 2"),
    ("unités mortes", "version 2"),
    ("mises à jour trop rares", "rapide"),
    ("lot trop petit", "rapide"),
    ("valeurs qui explosent", "rapide"),
    ("politique évaluée périmée", "rapide"),
    ("cible mal alignée", "version 2"),
    (HEALTHY, "rapide"),
    (HEALTHY, "version 2"),
)
"""Les patients : la cause et la recette de chacun."""

ALSO = {"valeurs qui explosent": "γ = 1 ou presque"}  # l'explosion est l'effet, γ = 1,5 la cause
DIVERGENCE = ("un chariot", 601_311)  # une recette saine, une graine qui ne l'est pas restée


def plan() -> Iterator[tuple[str, str, range]]:
    """Rend (cause, recette, graines), pour tout ce que contient l'archive."""
    for place, (cause, recipe) in enumerate(product(CAUSES | WEAK, RECIPE), 5_001):
        yield cause, recipe, range(100 * place, 100 * place + SICK)
    for place, recipe in enumerate(HEALTHY_RECIPES, 6_001):
        yield HEALTHY, recipe, range(100 * place, 100 * place + WITNESSES)
    for place, (cause, recipe) in enumerate(product(LIKE | EDGE, RECIPE), 6_101):
        yield cause, recipe, range(100 * place, 100 * place + WITNESSES)
    for place, cause in enumerate(FAULTS, 7_001):
        yield cause, BLIND, range(100 * place, 100 * place + SICK)


def identity(cause: str, recipe: str) -> tuple[str, str, str, str]:
    """Rend (maladie, cause, dose, recette), ce qui nomme un réglage dans l'archive."""
    if recipe == BLIND:
        unnamed = HEALTHY if cause == FAULTLESS else UNLISTED
        return FAULTS[cause].illness or unnamed, cause, BLIND, BLIND
    doses = {HEALTHY: "aucune"} | dict.fromkeys(LIKE, "témoin") | dict.fromkeys(EDGE, "limite")
    dose = doses.get(cause, "faible" if cause in WEAK else "forte")
    return illness_of(cause), cause, dose, recipe


def builder(cause: str, recipe: str) -> Callable[[Sequence[int]], list[Chart]]:
    """Rend de quoi relever des entraînements où `cause` agit, ou des témoins."""
    if recipe == BLIND:
        return partial(one_by_one, FAULTS[cause].build)
    if cause == HEALTHY:
        return partial(followed, Training, HEALTHY_RECIPES[recipe])
    if cause in LIKE | EDGE:
        return partial(followed, Training, replace(RECIPE[recipe], **(LIKE | EDGE)[cause]))
    changes, build, setting = (CAUSES | WEAK)[cause]
    return partial(followed, build, replace(RECIPE[recipe], **setting, **changes))


def followed(build: Callable, config: Config, seeds: Sequence[int]) -> list[Chart]:
    """Rend les relevés de graines entraînées ensemble."""
    return monitor(build(config, seeds))


def one_by_one(build: Callable[[int], Training], seeds: Sequence[int]) -> list[Chart]:
    """Rend les relevés de graines entraînées une à une."""
    return [chart for seed in seeds for chart in monitor(build(seed))]


def run(charts: Callable[[Sequence[int]], list[Chart]], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et rend une ligne par graine."""
    rows = []
    for seed, seen in zip(seeds, charts(seeds), strict=True):
        hypotheses = (*first_two(seen), *first_two(logged(seen)))
        degrees = (f"{degree(one, seen):.4g}" for one in ILLNESSES)
        rows.append((seed, round(float(late(seen.greedy)), 1), *hypotheses, *degrees))
    return rows


def illness_of(cause: str) -> str:
    """Rend la maladie que provoque `cause`."""
    return cause.partition(" (")[0]


def first_two(seen: Chart) -> tuple[str, str]:
    """Rend les deux premières hypothèses ; « rien d'anormal » s'il n'y en a pas."""
    found = diagnose(seen)
    names = [found.verdict, *(one.name for one in found.hypotheses[1:2]), ""]
    return names[0], names[1]


def logged(seen: Chart) -> Chart:
    """Rend ce qu'un `History` dirait de cet entraînement."""
    nothing = np.full(len(seen.env_steps), np.nan)
    return seen._replace(**dict.fromkeys(set(Chart._fields) - set(LOGGED), nothing))


def admit() -> None:
    """Fait les patients, dans un ordre qui ne dit rien d'eux, leurs témoins, leurs réponses."""
    PATIENTS.mkdir(exist_ok=True)
    order = np.random.default_rng(9).permutation(len(CASES))
    answers = []
    for number, place in enumerate(order.tolist(), 1):
        cause, recipe = CASES[place]
        seed = 300_000 + place
        well = replace(RECIPE[recipe], **CAUSES.get(cause, Cause()).setting)
        [sick], [sound] = builder(cause, recipe)([seed]), followed(Training, well, [seed + 100])
        save_chart(sick, PATIENTS / f"patient_{number:02d}.csv")
        save_chart(sound, PATIENTS / f"temoin_{number:02d}.csv")
        answers.append((number, illness_of(cause), ALSO.get(cause, ""), recipe, seed))
    recipe, seed = DIVERGENCE
    [diverged] = builder(HEALTHY, recipe)([seed])
    save_chart(diverged, PATIENTS / "divergence.csv")
    write_table(ANSWERS, ("patient", "maladie", "aussi", "recette", "graine"), answers)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={identity(cause, recipe): builder(cause, recipe) for cause, recipe, _ in plan()},
    seeds={identity(cause, recipe): seeds for cause, recipe, seeds in plan()},
    columns=(
        *("retour", "hypothese_1", "hypothese_2", "journal_1", "journal_2"),
        *(one.name for one in ILLNESSES),
    ),
    names=("maladie", "cause", "dose", "recette"),
)

if __name__ == "__main__":
    launch(STUDY)
    if not ANSWERS.exists():
        admit()
