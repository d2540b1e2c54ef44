"""Carnet 12 : des entrées de même taille, sans rien savoir du jeu."""

import numpy as np
import torch

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def normaliser(observations):
    """Rend les facteurs (D,) qui donnent à chaque composante un écart type de 1.

    `observations` : un tableau (N, D) de flottants. L'écart type est celui de `np.std`. Une
    composante constante garde 1 ; elle l'est, à l'arrondi près, si son écart type est sous 1e-9.
    """
    ecart = observations.std(axis=0)
    return 1 / np.where(ecart < 1e-9, 1.0, ecart)


def plain(observations):
    ecart = observations.std(axis=0)
    return np.where(ecart < 1e-9, 1.0, 1 / np.maximum(ecart, 1e-9))


def seen(*rows: tuple[float, ...]) -> tuple[np.ndarray]:
    """Rend le tableau (N, D) des observations dont ce sont les lignes."""
    return (np.array(rows, float),)


def any_game(generator: np.random.Generator) -> Cases:
    """Des composantes de toutes tailles, dont l'une est constante."""
    for count, size in ((40, 2), (25, 6), (60, 8)):
        scale = 10 ** generator.uniform(-2, 2, size)
        still = np.arange(size) != generator.integers(size)
        centre = generator.uniform(-3, 3, size).round(1)
        yield ((centre + still * scale * generator.normal(size=(count, size))).round(4),)


PROPERTIES = (
    Property(
        "ramène chaque composante à un écart type de 1",
        [seen((0, 0), (2, 10)), seen((-4, 0.1), (4, -0.1), (4, 0.1), (-4, -0.1))],
        "Le facteur est l'inverse de l'écart type de la colonne : 1/écart.",
    ),
    Property(
        "ne regarde que la dispersion, et non la hauteur",
        [seen((100, 0.5), (102, -0.5)), seen((-51, 7, 0), (-49, 3, 4))],
        "Un écart type ne change pas quand toute la colonne monte : ôtez la moyenne.",
    ),
    Property(
        "laisse à 1 une composante constante",
        [seen((0, 7), (4, 7)), seen((0, 3, 0.1), (0, 5, 0.1), (0, 1, 0.1), (0, 3, 0.1))],
        "Une colonne qui ne varie pas a un écart type nul, ou presque : son facteur est 1.",
    ),
    Property(
        "vaut pour tout jeu",
        any_game,
        "Un écart type par colonne, `axis=0`, puis son inverse, sauf s'il est nul.",
    ),
)

CHANGES = """
les écarts, non leurs inverses : = np.where(ecart < 1e-9, 1.0, ecart)
    Vous rendez les écarts types : multiplier par eux écarterait encore les tailles.
la variance : std(axis=0) → var(axis=0)
    Vous divisez par la variance : son carré a une autre unité. Prenez l'écart type.
le mauvais axe : axis=0 → axis=1
    Un écart type par observation : il en faut un par composante, sur les lignes, `axis=0`.
un seul facteur pour tout : .std(axis=0) → .std()
    Un seul écart type pour tout le tableau : les tailles resteraient dans le même rapport.
une division par zéro : = 1 / ecart
    Une composante constante divise par zéro : son facteur doit rester 1.
un facteur immense : = 1 / (ecart + 1e-9)
    Une composante constante prend un facteur immense : le moindre bruit y noierait le reste.
un facteur nul : ecart < 1e-9, 1.0 → ecart < 1e-9, 0.0
    Une composante constante prend le facteur 0 : si elle se met à varier, le réseau ne verra rien.
toute composante lente laissée à 1 : ecart < 1e-9, → ecart < 1,
    Vous ne touchez qu'aux grandes composantes : les petites sont à agrandir.
le plus grand écart à zéro : observations.std(axis=0) → abs(observations).max(axis=0)
    Vous divisez par la plus grande valeur : un seul extrême déciderait de tout.
l'étendue : observations.std(axis=0) → np.ptp(observations, axis=0)
    Vous divisez par l'étendue, du plus petit au plus grand : on demande l'écart type.
la moyenne des carrés, sans centrer : observations.std(axis=0) → \
np.sqrt((observations**2).mean(axis=0))
    Vous oubliez d'ôter la moyenne avant les carrés : la hauteur de la colonne y entre.
la moyenne : .std(axis=0) → .mean(axis=0)
    Vous divisez par la moyenne : une composante peut être loin de zéro et ne pas bouger.
l'écart moyen : observations.std(axis=0) → \
abs(observations - observations.mean(axis=0)).mean(axis=0)
    Vous prenez la moyenne des écarts : l'écart type est la racine de la moyenne de leurs carrés.
N moins un : axis=0 → axis=0, ddof=1
    Vous divisez par N − 1 : on demande celui de `np.std`, qui divise par N.
les observations normalisées : = (observations - observations.mean(axis=0)) * \
np.where(ecart < 1e-9, 1.0, 1 / np.maximum(ecart, 1e-9))
    Vous rendez les observations changées : rendez les facteurs, un par composante.
un facteur par ligne et par colonne : = np.ones_like(observations) / np.maximum(ecart, 1e-9)
    Vous rendez un tableau (N, D) : un facteur par composante suffit, (D,).
"""


def with_a_loop(observations):
    factors = []
    for column in observations.T:
        mean = sum(column) / len(column)
        spread = (sum((one - mean) ** 2 for one in column) / len(column)) ** 0.5
        factors.append(1 / spread if spread > 1e-9 else 1.0)
    return factors


def with_torch(observations):
    spread = torch.as_tensor(observations).std(dim=0, correction=0)
    return torch.where(spread < 1e-9, torch.ones_like(spread), 1 / spread)


def with_a_mask(observations):
    factors, spread = np.ones(observations.shape[1]), np.std(observations, 0)
    moving = spread > 1e-9
    factors[moving] /= spread[moving]
    return factors


VARIANTS = (with_a_loop, with_torch, with_a_mask)
EXERCISE = Exercise(normaliser, PROPERTIES, CHANGES, (), VARIANTS, plain)
