"""Carnet 08 : la moyenne dont l'horizon grandit."""

import numpy as np
import torch

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def moyenne_glissante(suite, part=0.25):
    """Rend une moyenne de `suite` qui porte à peu près sur sa part la plus récente.

    À la valeur de rang n (1 : la première), la moyenne va vers elle d'une part 1 / (part · n), 1 au
    plus : rien d'autre n'est gardé de la suite.
    """
    moyenne = 0.0
    for rang, valeur in enumerate(suite, start=1):
        taux = min(1.0, 1 / (part * rang))
        moyenne += taux * (valeur - moyenne)
    return moyenne


def any_sequence(generator: np.random.Generator) -> Cases:
    for count in (3, 8, 20, 40):
        values = [rounded(generator, 0, 10) for _ in range(count)]
        yield values, rounded(generator, 0.15, 0.7)


PROPERTIES = (
    Property(
        "s'en tient à la dernière valeur tant que 1 / (part · n) atteint 1",
        [([4.0],), ([9.0, 7.0, 8.0, 2.0],), ([1.0, 3.0], 0.5)],
        "Le taux est une part : il ne dépasse pas 1, si court que soit le début.",
    ),
    Property(
        "verse ensuite une part qui diminue",
        [([0.0, 0.0, 0.0, 0.0, 5.0],), ([0.0, 0.0, 0.0, 0.0, 5.0, 2.0],), ([1.0, 2.0, 6.0], 1.0)],
        "Le taux de la valeur de rang n est 1 / (part · n), et les rangs partent de 1.",
    ),
    Property(
        "vaut pour toute suite et toute part",
        any_sequence,
        "Deux nombres font le taux : la part et le rang.",
    ),
)

CHANGES = """
la dernière valeur : 1 / (part * rang) → rang
    Votre moyenne rend la dernière valeur : le taux doit diminuer quand le rang grandit.
un taux constant : min(1.0, 1 / (part * rang)) → part
    Votre taux est constant : l'horizon ne grandit pas, et le départ, zéro, pèse encore.
la moyenne ordinaire : min(1.0, 1 / (part * rang)) → 1 / rang
    C'est la moyenne de toute la suite : divisez aussi par la part.
un taux sans plafond : min(1.0, 1 / (part * rang)) → 1 / (part * rang)
    Au début, votre taux dépasse 1 : la moyenne saute au-delà de la valeur.
max au lieu de min : min → max
    max empêche le taux de descendre : c'est min qui le borne à 1.
la part au lieu de son inverse : 1 / (part * rang) → part / rang
    La part est au dénominateur : plus elle est petite, plus la moyenne est vive.
l'horizon au lieu de son inverse : 1 / (part * rang) → part * rang
    part · n est l'horizon : le taux en est l'inverse, 1 / (part · n).
le rang 0 : start=1 → start=0
    Diviser par le rang 0 est impossible : comptez les rangs à partir de 1.
un rang de retard (un rang de décalage) : start=1 → start=0
+ (part * rang) → (part * max(rang, 1))
    Vos rangs retardent d'un : la première valeur a le rang 1, la deuxième le rang 2.
la vraie moyenne de la fin : = np.mean(suite[-int(np.ceil(part * len(suite))) :])
    Vous gardez toute la suite : un seul nombre suffit, corrigé à chaque valeur.
"""


def with_window(suite, part=0.25):
    mean = 0.0
    for rank in range(1, len(suite) + 1):
        window = max(1.0, part * rank)
        mean = ((window - 1) * mean + suite[rank - 1]) / window
    return mean


def with_lerp(suite, part=0.25):
    mean = torch.zeros((), dtype=torch.float64)
    for rank, value in enumerate(suite, 1):
        mean = mean.lerp(mean.new_tensor(value), min(1.0, 1 / (part * rank)))
    return mean.item()


EXERCISE = Exercise(moyenne_glissante, PROPERTIES, CHANGES, variants=(with_window, with_lerp))
