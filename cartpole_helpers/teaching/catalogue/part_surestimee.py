"""Carnet 10 : la part des états surestimés."""

import numpy as np
import torch

from cartpole_helpers.teaching.exercise import Exercise, Property


def part_surestimee(q, haut):
    """Rend la part des états dont la valeur, max Q, dépasse la borne prouvée de V*.

    `q` (N, 2) : les valeurs d'un agent ; `haut` (N, 2) : la borne supérieure de Q*(s, a). La borne
    de V* est la plus grande des deux.
    """
    return np.mean(q.max(axis=1) > haut.max(axis=1))


BOUNDS = np.array([[10.0, 5.0]])
PROPERTIES = (
    Property(
        "compte un état dont max Q dépasse la borne, et lui seul",
        [(np.array([[12.0, 3.0]]), BOUNDS), (np.array([[8.0, 3.0]]), BOUNDS)],
        "Un état est surestimé quand sa valeur, max Q, dépasse la borne de V*.",
    ),
    Property(
        "ne compare pas action par action",
        [(np.array([[4.0, 9.0]]), BOUNDS), (np.array([[4.0, 11.0]]), BOUNDS)],
        "La borne de V* est la plus grande des deux bornes, quelle que soit l'action jouée.",
    ),
    Property(
        "ne compte pas une valeur égale à la borne",
        [(np.array([[10.0, 2.0], [7.0, 10.0]]), np.array([[10.0, 5.0], [5.0, 10.0]]))],
        "Atteindre la borne n'est pas la dépasser.",
    ),
    Property(
        "rend une part, entre 0 et 1",
        [
            (
                np.array([[11.0, 12.0], [1.0, 9.0], [13.0, 2.0], [3.0, 10.5]]),
                np.array([[10.0, 8.0], [6.0, 10.0], [10.0, 4.0], [10.0, 9.0]]),
            )
        ],
        "Comptez les états surestimés, puis divisez par le nombre d'états.",
    ),
    Property(
        "vaut pour tous les états",
        lambda g: [(g.normal(5, 3, (n, 2)).round(1), g.normal(6, 3, (n, 2))) for n in (5, 9, 40)],
        "Un maximum par ligne de chaque tableau, puis une comparaison, puis une moyenne.",
    ),
)

CHANGES = """
action par action : = np.mean(q > haut)
    Vous comptez des couples (s, a) : c'est l'état que l'on juge, par max Q.
une action quelconque : = np.mean((q > haut).any(axis=1))
    Une action au-dessus de sa borne ne suffit pas : comparez les maximums.
les deux actions : = np.mean((q > haut).all(axis=1))
    Vous exigez que les deux actions dépassent : comparez les maximums.
la borne de l'action choisie : haut.max(axis=1) → haut[np.arange(len(q)), q.argmax(axis=1)]
    Vous prenez la borne de l'action que l'agent préfère : V* est celle de la meilleure.
inférieur ou égal (l'égalité à la limite) : > → >=
    Avec ≥, un état juste à la borne compte : elle doit être dépassée.
à l'envers : > → <
    La comparaison est à l'envers : vous comptez les états sous la borne.
le compte, et non la part : mean → sum
    Vous rendez un nombre d'états : divisez-le par le nombre total.
le masque (la moyenne manquante) : = q.max(axis=1) > haut.max(axis=1)
    Vous rendez un booléen par état : il reste à en prendre la moyenne.
l'excès moyen : > → -
    Vous rendez un écart moyen : c'est une part d'états qu'on demande.
le maximum de tout le tableau (le mauvais axe) : = float(q.max() > haut.max())
    max sans axe prend un seul nombre dans tout le tableau : donnez axis=1.
le maximum par colonne (le mauvais axe) : = np.mean(q.max(axis=0) > haut.max(axis=0))
    axis=0 prend le maximum sur les états : chaque état est une ligne, donc axis=1.
la moyenne des bornes : haut.max → haut.mean
    La borne de V* n'est pas la moyenne des deux : l'agent jouerait la meilleure action.
la plus petite borne : haut.max → haut.min
    La plus petite des deux bornes est celle de la moins bonne action.
le numéro de l'action (le rang pour la valeur) : = np.mean(q.argmax(axis=1) > haut.argmax(axis=1))
    argmax rend un numéro d'action, non une valeur : prenez max.
"""

VARIANTS = (
    lambda q, haut: sum(max(one) > max(top) for one, top in zip(q, haut, strict=True)) / len(q),
    lambda q, haut: np.count_nonzero(np.max(q, -1) - np.max(haut, -1) > 0) / len(q),
    lambda q, haut: (torch.tensor(q).amax(-1) > torch.tensor(haut).amax(-1)).double().mean(),
)
EXERCISE = Exercise(part_surestimee, PROPERTIES, CHANGES, variants=VARIANTS)
