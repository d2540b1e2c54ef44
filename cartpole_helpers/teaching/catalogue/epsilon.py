"""Carnet 06 : la décroissance de ε."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def epsilon(pas, depart, arrivee, duree):
    """Rend la probabilité ε d'explorer après `pas` pas de jeu.

    Elle va en ligne droite de `depart` à `arrivee`, qui est plus petite, en `duree` pas ; elle y
    reste ensuite.
    """
    part = min(pas / duree, 1.0)
    return depart + part * (arrivee - depart)


def any_moment(generator: np.random.Generator) -> Cases:
    for share in (0.1, 0.4, 0.7, 0.95, 1.5, 3.0):
        duration = int(generator.integers(1_000, 9_000))
        start, end = rounded(generator, 0.7, 1), rounded(generator, 0.1, 0.5)
        yield int(share * duration), start, end, duration


PROPERTIES = (
    Property(
        "part de la valeur de départ, et finit à celle d'arrivée",
        [(0, 1.0, 0.1, 1_000), (1_000, 1.0, 0.1, 1_000)],
        "Au pas 0, c'est le départ ; au bout de la durée, c'est l'arrivée.",
    ),
    Property(
        "descend en ligne droite",
        [(500, 1.0, 0.1, 1_000), (250, 0.9, 0.5, 1_000)],
        "À la moitié de la durée, ε est à mi-chemin entre le départ et l'arrivée.",
    ),
    Property(
        "reste ensuite à l'arrivée",
        [(1_100, 1.0, 0.1, 1_000), (50_000, 1.0, 0.1, 1_000), (3_000, 0.05, 0.05, 1_000)],
        "La durée passée, ε ne change plus : bornez la part du chemin parcouru.",
    ),
    Property(
        "vaut pour tous les réglages",
        any_moment,
        "Les quatre nombres comptent : le pas, le départ, l'arrivée et la durée.",
    ),
)

CHANGES = """
à l'envers : = arrivee + part * (depart - arrivee)
    ε est à l'envers : il monte de l'arrivée au départ.
aucun arrêt : min(pas / duree, 1.0) → pas / duree
    ε ne s'arrête jamais, et finit sous zéro : après la durée, il reste à l'arrivée.
un arrêt à zéro : = max(depart + pas / duree * (arrivee - depart), 0.0)
    Vous arrêtez ε à zéro : c'est à l'arrivée qu'il s'arrête.
une pente vers zéro : = max(depart * (1 - pas / duree), arrivee)
    Votre droite vise zéro, et touche l'arrivée trop tôt : elle doit viser l'arrivée.
une exponentielle : = depart * (arrivee / depart) ** part
    Vous multipliez à chaque pas : ici, ε descend en ligne droite, du même pas toujours.
toujours à l'arrivée : = arrivee
    ε est toujours à l'arrivée : l'agent n'explore presque pas au début.
toujours au départ : = depart
    ε ne descend jamais : où sert le numéro du pas ?
une marche : pas / duree, 1.0 → pas // duree, 1
    ε saute du départ à l'arrivée : est-ce la division entière // qui arrondit à 0 ?
max au lieu de min : min → max
    C'est min, et non max, qui empêche la part du chemin de dépasser 1.
le départ oublié dans la pente : depart + part * (arrivee - depart) → depart - part * arrivee
    Le chemin à parcourir est l'écart du départ à l'arrivée, non l'arrivée elle-même.
une pente montante (un signe à l'envers) : arrivee - depart → depart - arrivee
    Le signe est à l'envers : ε monte, et dépasse 1.
"""

VARIANTS = (
    lambda n, start, end, steps: max(end, start - (start - end) * n / steps),
    lambda n, start, end, steps: np.interp(n, [0, steps], [start, end]),
    lambda n, start, end, steps: end if n >= steps else ((steps - n) * start + n * end) / steps,
)
EXERCISE = Exercise(epsilon, PROPERTIES, CHANGES, variants=VARIANTS)
