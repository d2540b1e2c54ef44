"""Carnet 07 : ce que garantissent des épisodes tous parfaits."""

import numpy as np

from cartpole_helpers.teaching.exercise import Exercise, Property, rounded


def borne_parfaite(n, confiance=0.95):
    """Rend la moyenne (pas) que garantissent, à cette `confiance`, `n` épisodes tous parfaits.

    On rejette toute part p d'épisodes parfaits dont la puissance n-ième est sous 1 − `confiance` ;
    un épisode parfait rapporte 500, un épisode manqué, au pire zéro.
    """
    return 500 * (1 - confiance) ** (1 / n)


PROPERTIES = (
    Property(
        "donne la moyenne garantie à 95 %",
        [(1,), (2,), (59,)],
        "On rejette p si p puissance n est sous 0,05 : la borne est la racine n-ième de 0,05.",
    ),
    Property(
        "suit la confiance demandée",
        [(2, 0.75), (3, 0.999)],
        "Le risque accepté est 1 − confiance.",
    ),
    Property(
        "vaut pour tout nombre d'épisodes",
        lambda g: [(int(n), rounded(g, 0.6, 0.9)) for n in g.integers(2, 100, size=5)],
        "Plus il y a d'épisodes parfaits, plus la borne approche de 500.",
    ),
)

CHANGES = """
la confiance au lieu du risque : (1 - confiance) → confiance
    Vous prenez la racine de la confiance : c'est celle du risque, 1 − confiance.
la puissance au lieu de la racine : (1 / n) → n
    Vous élevez à la puissance n : la racine n-ième est la puissance 1 / n.
des parenthèses oubliées : (1 / n) → 1 / n
    Sans parenthèses, x ** 1 / n élève à la puissance 1, puis divise : x ** (1 / n).
l'approximation de la règle de trois : = 500 * (1 + np.log(1 - confiance) / n)
    Remplacer la racine par 1 − 3/n est une approximation : elle s'écarte si n est petit.
la part au lieu de la moyenne : 500 * → ∅
    Vous rendez la part d'épisodes parfaits : chacun rapporte 500.
0,05 toujours : (1 - confiance) → 0.05
    Vous gardez 0,05 quelle que soit la confiance : le risque est 1 − confiance.
deux côtés : (1 - confiance) → ((1 - confiance) / 2)
    Vous partagez le risque en deux : la borne n'a qu'un côté, celui du bas.
le complément : = 500 * (1 - (1 - confiance) ** (1 / n))
    Vous rendez la part des épisodes manqués : on demande celle des parfaits.
"""


def by_bisection(n, confiance=0.95):
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if middle**n >= 1 - confiance else (middle, high)
    return 500 * low


VARIANTS = (lambda n, sure=0.95: 500 * np.exp(np.log(1 - sure) / n), by_bisection)
EXERCISE = Exercise(borne_parfaite, PROPERTIES, CHANGES, variants=VARIANTS)
