"""Carnet 00 : la part des graines qui réussissent."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def part_reussie(retours, seuil):
    """Rend la part, de 0 à 1, des graines dont la dernière évaluation atteint `seuil`.

    `retours` : (graines, évaluations), une ligne par graine, de la première évaluation à la
    dernière ; `seuil` : le retour (pas) à partir duquel une évaluation est réussie.
    """
    return np.mean(retours[:, -1] >= seuil)


def any_curves(generator: np.random.Generator) -> Cases:
    for shape in ((1, 3), (3, 8), (7, 2), (12, 5)):
        yield generator.integers(1, 6, size=shape) * 100.0, int(generator.integers(2, 6)) * 100


PROPERTIES = (
    Property(
        "donne la part des graines qui finissent au-dessus du seuil",
        [
            (np.array([[20.0, 480.0], [30.0, 200.0], [10.0, 500.0], [15.0, 490.0]]), 475),
            (np.array([[9.0, 10.0, 11.0], [20.0, 60.0, 90.0]]), 475),
        ],
        "Comparez la dernière colonne au seuil, puis prenez la moyenne de ces vrais et faux.",
    ),
    Property(
        "juge la fin, et non le meilleur moment",
        [
            (np.array([[500.0, 120.0], [20.0, 500.0], [490.0, 30.0], [480.0, 480.0]]), 475),
            (np.array([[500.0, 500.0, 40.0], [500.0, 480.0, 90.0], [10.0, 20.0, 495.0]]), 475),
            (np.array([[500.0, 20.0, 30.0], [20.0, 30.0, 40.0]]), 475),
        ],
        "Une graine qui retombe n'a pas réussi : ne regardez que sa dernière évaluation.",
    ),
    Property(
        "compte pour réussie une graine juste au seuil",
        [
            (np.array([[20.0, 475.0], [500.0, 474.0]]), 475),
            (np.array([[0.0, 100.0], [0.0, 100.0], [0.0, 99.5]]), 100),
        ],
        "Atteindre le seuil suffit : il n'est pas nécessaire de le dépasser.",
    ),
    Property(
        "vaut pour tout nombre de graines et d'évaluations",
        any_curves,
        "Les graines sont les lignes, `retours[i]` ; les évaluations, les colonnes.",
    ),
)

CHANGES = """
le meilleur moment : [:, -1] → .max(axis=1)
    Vous jugez chaque graine à son meilleur moment : c'est choisir après coup. Jugez-la à la fin.
une inégalité stricte (l'égalité à la limite) : >= → >
    Votre inégalité est stricte : une graine juste au seuil l'atteint.
le nombre (la somme pour la moyenne) : mean → sum
    Vous comptez les graines : divisez par leur nombre pour en donner la part.
un pourcentage : np.mean → 100 * np.mean
    Vous rendez un pourcentage : la part attendue va de 0 à 1.
la liste des réussites : np.mean → ∅
    Vous rendez un vrai ou faux par graine : prenez-en la moyenne.
toutes les évaluations : [:, -1] → ∅
    Vous mêlez toutes les évaluations : seule compte la dernière de chaque graine.
une courbe au lieu d'un nombre : = np.mean(retours >= seuil, axis=0)
    Vous rendez une part par évaluation : gardez la dernière.
la dernière graine (le mauvais axe) : [:, -1] → [-1]
    `retours[-1]` est la dernière graine : la dernière évaluation est `retours[:, -1]`.
la première évaluation : -1 → 0
    Vous lisez la première évaluation, d'avant l'apprentissage : prenez la dernière.
l'avant-dernière évaluation (un rang de décalage) : -1 → -2
    Vous lisez l'avant-dernière évaluation : la dernière porte le numéro −1.
la moyenne de chaque courbe : [:, -1] → .mean(axis=1)
    Vous faites la moyenne de chaque courbe : le début y compte autant que la fin.
toujours au-dessus : = np.mean((retours >= seuil).all(axis=1))
    Vous exigez le seuil à chaque évaluation : aucun agent ne l'a dès le départ.
les échecs : >= → <
    Vous rendez la part des graines qui échouent : l'inégalité est à l'envers.
la moyenne des retours, comparée : = np.mean(retours[:, -1]) >= seuil
    Vous comparez la moyenne des graines : une très bonne y cache des échecs. Comparez chacune.
la moyenne des retours, divisée : = np.mean(retours[:, -1]) / seuil
    Vous divisez des retours par le seuil : une graine réussit ou non, sans milieu.
divisée par le nombre d'évaluations : = np.sum(retours[:, -1] >= seuil) / retours.shape[1]
    Vous divisez par le nombre d'évaluations : divisez par celui des graines.
divisée par la taille du tableau : = np.sum(retours[:, -1] >= seuil) / retours.size
    Vous divisez par la taille du tableau : divisez par le nombre de ses lignes.
"""

VARIANTS = (
    lambda retours, seuil: sum(1 for one in retours if one[-1] >= seuil) / len(retours),
    lambda retours, seuil: len(retours[retours[:, -1] >= seuil]) / retours.shape[0],
    lambda retours, seuil: 1 - float(np.count_nonzero(retours.T[-1] < seuil)) / len(retours),
)
EXERCISE = Exercise(part_reussie, PROPERTIES, CHANGES, variants=VARIANTS)
