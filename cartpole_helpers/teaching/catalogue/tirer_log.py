"""Carnet 13 : tirer un nombre dont l'ordre de grandeur est inconnu."""

import math

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def tirer_log(bas, haut, u):
    """Rend le nombre, entre `bas` et `haut`, que désigne `u` sur une échelle logarithmique.

    `u`, entre 0 et 1, est une part du chemin des logarithmes : 0 donne `bas`, 1 `haut`, et un demi
    leur moyenne géométrique. S'il est tiré uniformément, tous les ordres de grandeur se valent.
    """
    return bas * (haut / bas) ** u


def any_range(generator: np.random.Generator) -> Cases:
    for low, ratio in ((0.001, 20), (0.02, 35), (5, 40), (300, 4)):
        high = low * generator.integers(2, ratio + 1).item()
        yield low, round(high, 6), round(float(generator.uniform(0.05, 0.95)), 2)


PROPERTIES = (
    Property(
        "va de `bas` à `haut`",
        [(0.001, 0.1, 0.0), (0.001, 0.1, 1.0), (20.0, 200.0, 0.0), (20.0, 200.0, 1.0)],
        "À u = 0 et à u = 1, on est aux deux bornes.",
    ),
    Property(
        "multiplie par autant à chaque pas égal de `u`",
        [(0.01, 1.0, 0.5), (1.0, 10_000.0, 0.25), (1.0, 10_000.0, 0.75), (3.0, 48.0, 0.5)],
        "De 0,01 à 1, le milieu est 0,1 : dix fois plus que l'un, dix fois moins que l'autre.",
    ),
    Property(
        "vaut pour toutes bornes et tout `u`",
        any_range,
        "Interpolez les logarithmes, puis revenez aux nombres par l'exponentielle.",
    ),
)

CHANGES = """
un tirage uniforme : = bas + u * (haut - bas)
    C'est un tirage uniforme : le dernier ordre de grandeur aurait presque tout.
le logarithme rendu : = np.log(bas) + u * np.log(haut / bas)
    Vous rendez un logarithme : il reste à en prendre l'exponentielle.
l'échelle à l'envers : = haut * (bas / haut) ** u
    Vous parcourez l'échelle à l'envers : 0 doit donner `bas`.
le rapport oublié : (haut / bas) → haut
    Vous multipliez par une puissance de `haut` : c'est le rapport haut / bas qui compte.
le départ oublié : = (haut / bas) ** u
    Il manque `bas` : la puissance du rapport dit par combien le multiplier.
l'écart au lieu du rapport : (haut / bas) → (haut - bas)
    Une échelle logarithmique se parcourt par des rapports, non par des différences.
le rapport à l'envers : (haut / bas) → (bas / haut)
    Votre rapport est à l'envers : plus `u` grandit, plus vous descendez.
u en facteur : (haut / bas) ** u → (haut / bas) * u
    `u` multiplie le rapport : il doit en être l'exposant.
toujours le milieu : ** u → ** 0.5
    Vous rendez toujours le milieu : où sert `u` ?
des logarithmes de deux bases : = np.exp(np.log10(bas) + u * np.log10(haut / bas))
    L'exponentielle défait `np.log`, non `np.log10` : gardez une seule base.
un carré : ** u → ** u**2
    `u` au carré penche vers le bas : tous les ordres de grandeur doivent se valoir.
l'inverse tiré uniformément : = 1 / (1 / bas + u * (1 / haut - 1 / bas))
    Vous interpolez les inverses : le premier ordre de grandeur aurait presque tout.
des puissances de dix : = 10 ** np.round(np.log10(bas) + u * np.log10(haut / bas))
    Vous arrondissez à une puissance de dix : tout nombre entre les bornes est permis.
un carré tiré uniformément : = (bas**0.5 + u * (haut**0.5 - bas**0.5)) ** 2
    Vous interpolez les racines carrées : prenez les logarithmes.
un nombre entier : = round(bas * (haut / bas) ** u)
    Vous arrondissez à l'entier : un taux d'apprentissage deviendrait nul.
"""

VARIANTS = (
    lambda low, high, u: math.exp((1 - u) * math.log(low) + u * math.log(high)),
    lambda low, high, u: 10 ** np.interp(u, [0, 1], np.log10([low, high])),
    lambda low, high, u: low ** (1 - u) * high**u,
)
EXERCISE = Exercise(tirer_log, PROPERTIES, CHANGES, variants=VARIANTS)
