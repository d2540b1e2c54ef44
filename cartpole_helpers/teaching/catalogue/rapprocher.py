"""Carnets 04 et 08 : le réseau cible qui se rapproche de l'autre."""

import numpy as np
import torch
from torch import tensor

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def rapprocher(cible, en_ligne, taux):
    """Rend les poids du réseau cible, rapprochés d'une part `taux` de ceux du réseau principal.

    `cible`, `en_ligne` : tenseurs de même forme, qui ne changent pas.
    """
    return cible + taux * (en_ligne - cible)


def any_weights(generator: np.random.Generator) -> Cases:
    for shape in ((4,), (3, 2)):
        target, online = (torch.from_numpy(generator.normal(size=shape)) for _ in range(2))
        yield target, online, rounded(generator, 0.05, 0.4)


PROPERTIES = (
    Property(
        "rapproche chaque poids d'une part de l'écart",
        [(tensor([0.0, 10.0]), tensor([10.0, 30.0]), 0.1), (tensor([4.0]), tensor([-4.0]), 0.25)],
        "Le nouveau poids est (1 − taux) fois celui de la cible, plus taux fois l'autre.",
    ),
    Property(
        "recopie le réseau principal quand le taux est 1",
        [(tensor([1.0, 2.0]), tensor([3.0, 5.0]), 1.0)],
        "Avec un taux de 1, il ne reste rien de l'ancienne cible.",
    ),
    Property(
        "ne change rien quand les deux réseaux sont égaux",
        [(tensor([3.0, 5.0]), tensor([3.0, 5.0]), 0.05)],
        "Une moyenne de deux nombres égaux est ce nombre : vos parts font-elles 1 ?",
    ),
    Property(
        "vaut pour des poids de toute forme",
        any_weights,
        "Écrivez la formule sur les tenseurs entiers : elle s'applique poids par poids.",
    ),
)

CHANGES = """
rôles échangés (les réseaux échangés) : = taux * cible + (1 - taux) * en_ligne
    Les rôles sont échangés : c'est la cible qui bouge peu, et garde la part 1 − taux.
une copie : = en_ligne.clone()
    Vous recopiez tout le réseau principal : on n'en verse qu'une part.
aucune synchronisation (la cible jamais rapprochée) : = cible.clone()
la cible gardée en entier : (en_ligne - cible) → en_ligne
    Vous gardez la cible en entier : elle doit perdre la part qu'elle reçoit.
le réseau principal versé en entier : = (1 - taux) * cible + en_ligne
    Vous versez tout le réseau principal : multipliez-le par le taux.
la moyenne des deux : = (cible + en_ligne) / 2
    Vous prenez le milieu des deux réseaux : où sert le taux ?
le déplacement seul : cible + taux → taux
    Vous rendez le déplacement : ajoutez-le à la cible.
un signe à l'envers : cible + taux → cible - taux
    Le signe est à l'envers : la cible s'éloigne du réseau principal.
"""

VARIANTS = (
    lambda cible, en_ligne, taux: [
        (1 - taux) * slow + taux * fast for slow, fast in zip(cible, en_ligne, strict=True)
    ],
    lambda cible, en_ligne, taux: np.array(cible) * (1 - taux) + np.array(en_ligne) * taux,
    lambda cible, en_ligne, taux: cible.clone().add_(en_ligne - cible, alpha=taux),
    lambda cible, en_ligne, taux: torch.lerp(cible, en_ligne, taux),
)
EXERCISE = Exercise(rapprocher, PROPERTIES, CHANGES, variants=VARIANTS)
