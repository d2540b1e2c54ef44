"""Carnet 14 : une action continue, en quelques crans."""

import numpy as np
import torch

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def cran(rang, bas, haut, nombre):
    """Rend la valeur du cran de rang `rang`, de 0 à `nombre` − 1, entre `bas` et `haut` compris.

    Les crans sont à intervalles égaux : le premier vaut `bas`, le dernier `haut`. `nombre` vaut au
    moins 2.
    """
    pas = (haut - bas) / (nombre - 1)
    return bas + rang * pas


def any_range(generator: np.random.Generator) -> Cases:
    """Des intervalles quelconques, et tous leurs crans."""
    for count in (2, 3, 5, 8):
        low = round(float(generator.uniform(-5, 5)), 2)
        high = low + round(float(generator.uniform(0.5, 6)), 2)
        yield from ((rank, low, high, count) for rank in range(count))


PROPERTIES = (
    Property(
        "va d'un bout à l'autre",
        [(0, -2.0, 2.0, 3), (2, -2.0, 2.0, 3), (0, 1.0, 4.0, 2), (1, 1.0, 4.0, 2)],
        "Le premier cran vaut `bas`, le dernier `haut` : un intervalle de moins que de crans.",
    ),
    Property(
        "met les crans à intervalles égaux",
        [(1, -2.0, 2.0, 3), (1, 0.0, 8.0, 5), (3, 0.0, 8.0, 5), (2, -1.0, 2.0, 4)],
        "Un cran de plus ajoute (haut − bas)/(nombre − 1), quel que soit le rang.",
    ),
    Property(
        "vaut pour tout intervalle",
        any_range,
        "bas + rang · (haut − bas)/(nombre − 1) : essayez sur un intervalle qui ne part pas de 0.",
    ),
)

CHANGES = """
un cran de trop : (nombre - 1) → nombre
    Vous divisez par `nombre` : il y a un intervalle de moins que de crans.
deux crans de trop : (nombre - 1) → (nombre + 1)
    Vous divisez par `nombre` + 1 : ni `bas` ni `haut` n'y seraient des crans.
le départ oublié : bas + rang * pas → rang * pas
    Vous partez de 0 : le premier cran vaut `bas`.
le départ à l'envers : bas + rang * pas → haut - rang * pas
    Vos crans descendent : le rang 0 doit valoir `bas`.
les rangs à partir de 1 : rang * pas → (rang - 1) * pas
    Votre rang 1 vaut `bas` : les rangs vont de 0 à `nombre` − 1, comme une action.
un rang de trop : rang * pas → (rang + 1) * pas
    Votre rang 0 est déjà un cran au-dessus de `bas`.
une étendue fausse : (haut - bas) → (haut + bas)
    Vous prenez la somme des bornes : l'étendue est leur différence.
le milieu des crans : rang * pas → (rang + 0.5) * pas
    Vous visez le milieu d'un intervalle : les bornes elles-mêmes sont des crans.
le haut pour étendue : (haut - bas) → haut
    L'étendue est de `bas` à `haut` : vous la comptez depuis 0.
la symétrie supposée : bas + rang * pas → (rang - (nombre - 1) / 2) * pas
    Vous centrez les crans sur 0 : l'intervalle peut ne pas l'être.
une part, non une valeur : bas + rang * pas → rang / (nombre - 1)
    Vous rendez une part, de 0 à 1 : il reste à la porter entre `bas` et `haut`.
une division entière : = (haut - bas) / (nombre - 1) → = (haut - bas) // (nombre - 1)
    `//` arrondit l'intervalle vers le bas : il est rarement entier.
un cran arrondi : bas + rang * pas → round(bas + rang * pas)
    Vous arrondissez : un couple de 0,5 n'est pas un entier.
"""


def with_linspace(rang, bas, haut, nombre):
    return np.linspace(bas, haut, nombre)[rang]


def with_a_share(rang, bas, haut, nombre):
    share = rang / (nombre - 1)
    return (1 - share) * bas + share * haut


def with_torch(rang, bas, haut, nombre):
    return torch.linspace(bas, haut, nombre, dtype=torch.float64)[rang]


EXERCISE = Exercise(cran, PROPERTIES, CHANGES, (), (with_linspace, with_a_share, with_torch))
