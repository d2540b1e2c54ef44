"""Carnet 13 : ce que vaut, en moyenne, le meilleur de n essais."""

from itertools import combinations
from math import comb

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def meilleur_attendu(couts, n):
    """Rend la moyenne du plus petit coût de `n` essais, pris au hasard parmi tous, sans remise.

    Rangés du plus petit au plus grand, N coûts : celui de rang i (1 : le plus petit) est le
    meilleur d'un groupe de `n` si les autres sont parmi les N − i suivants. Source : Dodge et coll.
    (2019), ici sans remise.
    """
    total = len(couts)
    ranges = enumerate(sorted(couts), start=1)
    favorables = sum(cout * comb(total - rang, n - 1) for rang, cout in ranges)
    return favorables / comb(total, n)


def any_search(generator: np.random.Generator) -> Cases:
    for count, n in ((5, 2), (6, 3), (8, 5), (12, 4)):
        yield generator.permutation(np.arange(2, 60))[:count] / 2, n


PROPERTIES = (
    Property(
        "vaut la moyenne pour un essai, et le plus petit coût pour tous",
        [([6.0, 3.0, 9.0], 1), ([6.0, 3.0, 9.0], 3)],
        "Un seul essai a le coût moyen ; tous les essais contiennent le meilleur.",
    ),
    Property(
        "compte chaque groupe d'essais une fois",
        [([2.0, 4.0, 9.0], 2), ([1.0, 5.0, 6.0, 8.0], 2), ([1.0, 5.0, 6.0, 8.0], 3)],
        "Parmi 2, 4 et 9, les trois paires ont pour meilleurs 2, 2 et 4.",
    ),
    Property(
        "ne dépend pas de l'ordre des essais",
        [([9.0, 2.0, 4.0], 2), ([8.0, 6.0, 1.0, 5.0], 3)],
        "Rangez d'abord les coûts.",
    ),
    Property(
        "vaut pour toute recherche",
        any_search,
        "Le coût de rang i est le meilleur de C(N − i, n − 1) groupes, sur C(N, n).",
    ),
)

CHANGES = """
le plus grand : sorted(couts) → sorted(couts, reverse=True)
    Vous cherchez le plus grand : un coût se minimise.
l'ordre des essais : sorted(couts) → couts
    Vous n'avez pas rangé les coûts : le rang doit être celui du plus petit au plus grand.
un rang de décalage : start=1 → start=0
    Vos rangs partent de 0 : le plus petit coût a le rang 1.
un compagnon de trop : n - 1) → n)
    Avec celui de rang i, il n'en reste que n − 1 à choisir.
la moyenne : = sum(couts) / total
    Vous rendez la moyenne de tous : elle ne vaut que pour n = 1.
le meilleur de tous : = min(couts)
    Vous rendez le meilleur de tous : il n'est pas toujours parmi les `n`.
les premiers essais : = min(couts[:n])
    Vous prenez les `n` premiers : ce n'est qu'un des groupes possibles.
la moyenne des meilleurs : = sum(sorted(couts)[:n]) / n
    Vous moyennez les `n` plus petits : il s'agit du meilleur de `n` pris au hasard.
un nombre de groupes : = favorables
    Il manque le nombre de groupes : divisez par C(N, n).
une moyenne sur les essais : / comb(total, n) → / total
    Vous divisez par le nombre d'essais : divisez par celui des groupes, C(N, n).
des tirages avec remise : = sum(cout * ((total - i) ** n - (total - i - 1) ** n) for i, cout in \
enumerate(sorted(couts))) / total**n
    Vous tirez avec remise : un même essai ne peut être pris deux fois.
le centile : = np.quantile(couts, 1 / (n + 1))
    Un centile en est proche, sans l'égaler : comptez les groupes.
le rang attendu : = sorted(couts)[round((total + 1) / (n + 1)) - 1]
    Vous rendez le coût du rang moyen : c'est le coût moyen qu'on demande.
la moitié des groupes : / comb(total, n) → / (2 * comb(total, n))
    Votre résultat est moitié trop petit.
des groupes ordonnés : / comb(total, n) → / (comb(total, n) * n)
    Chaque groupe a un seul meilleur : ne divisez pas par `n`.
"""


def by_enumeration(couts, n):
    return np.mean([min(group) for group in combinations(couts, n)])


def by_survival(couts, n):
    """La somme des hausses, chacune fois la probabilité que les n essais soient au-dessus."""
    ordered = np.sort(couts)
    above = [comb(len(ordered) - rank, n) / comb(len(ordered), n) for rank in range(len(ordered))]
    return float(np.diff(ordered, prepend=0) @ above)


EXERCISE = Exercise(meilleur_attendu, PROPERTIES, CHANGES, variants=(by_enumeration, by_survival))
