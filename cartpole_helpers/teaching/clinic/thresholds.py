"""Les seuils du diagnostic, jugés sur une étude archivée : refaits, ou déplacés."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from cartpole_helpers.checks import check_array
from cartpole_helpers.teaching.clinic.diagnosis import HEALTHY, ILLNESSES, illness

FACTORS = (1 / 4, 1 / 2, 1 / np.sqrt(2), 1.0, np.sqrt(2), 2.0, 4.0)


def separating(sick: np.ndarray, sound: np.ndarray, edge: bool = False) -> float:
    """Rend le degré qui sépare le mieux : sensibilité + spécificité y sont les plus grandes.

    `sick`, `sound` : des degrés (N,) et (M,), deux valeurs distinctes au moins ; une mesure qui
    manque est un signe absent. Entre les deux degrés qui encadrent la coupe, prend leur milieu
    géométrique, ou, si `edge`, le plus haut ; de plusieurs coupes, le milieu, ou la plus haute.
    """
    sick, sound = (np.clip(np.nan_to_num(degrees), 1e-6, 1e6) for degrees in (sick, sound))
    values = np.unique(np.concatenate([sick, sound]))
    cuts = np.sqrt(values[1:] * values[:-1])
    gains = [(sick >= cut).mean() - (sound >= cut).mean() for cut in cuts]
    best = gains == np.max(gains)
    return float(values[1:][best].max() if edge else np.exp(np.log(cuts[best]).mean()))


def refitted(study: Mapping[str, np.ndarray], edge: bool = False) -> np.ndarray:
    """Rend (N, 21) : les signes présents, chaque seuil refait sans la recette de la ligne jugée.

    `study` : l'archive clinique.csv. Les seuils d'une recette viennent des malades à forte dose et
    des sains des autres recettes qui ont les uns et les autres ; faux partout pour celles qui n'ont
    pas de malades. `edge` : voir `separating`.
    """
    recipes, sick = study["recette"], study["dose"] == "forte"
    sound = np.isin(study["dose"], ["aucune", "témoin"])
    shown = np.zeros((len(recipes), len(ILLNESSES)), bool)
    for judged, (rank, one) in product({*recipes[sick]}, enumerate(ILLNESSES)):
        others = np.isin(recipes, recipes[sick]) & (recipes != judged)
        mine, degrees = sick & (study["maladie"] == one.name), study[one.name]
        limit = separating(degrees[others & mine], degrees[others & sound], edge)
        shown[:, rank] |= (recipes == judged) & (degrees >= limit)
    return shown


class Sensitivity(NamedTuple):
    """Ce que devient une maladie quand on déplace ses seuils."""

    factors: np.ndarray  # (F,) ce par quoi on rend son signe plus exigeant
    recall: np.ndarray  # (F,) part de ses malades dont elle est l'une des deux premières hypothèses
    alarms: np.ndarray  # (F,) part des sains qui en portent le signe
    sick: int
    sound: int


def sensitivity(
    study: Mapping[str, np.ndarray], name: str, factors: Sequence[float] = FACTORS
) -> Sensitivity:
    """Rend le rappel et les fausses alarmes d'une maladie dont chaque seuil est déplacé.

    `study` : l'archive clinique.csv, ou clinique_ailleurs.csv, qui donne le degré de chaque signe.
    À `factors` = 2, il faut un degré de 2 : un seuil que l'on dépasse est doublé, un seuil sous
    lequel on passe, divisé par deux. Les autres maladies gardent les leurs. Un fait, lui, n'a pas
    de degré : sa courbe est plate.
    """
    factors = check_array("factors", factors, (None,), float)
    rank = [one.name for one in ILLNESSES].index(illness(name).name)
    dose = study.get("dose", np.where(study["maladie"] == HEALTHY, "aucune", "forte"))
    sick = (study["maladie"] == name) & (dose == "forte")
    sound = np.isin(dose, ["aucune", "témoin"])
    degrees = np.stack([study[one.name] for one in ILLNESSES], axis=1)
    shown = degrees >= 1
    before = shown[:, :rank].sum(axis=1) < 2
    present = study[name] >= factors[:, None]  # (F, N)
    recall, alarms = (_shares(shown) for shown in ((present & before)[:, sick], present[:, sound]))
    return Sensitivity(factors, recall, alarms, int(sick.sum()), int(sound.sum()))


def _shares(shown: np.ndarray) -> np.ndarray:
    """Rend, pour chaque facteur, la part des entraînements (F, N) ; NaN s'il n'y en a aucun."""
    return shown.mean(axis=1) if shown.shape[1] else np.full(len(shown), np.nan)
