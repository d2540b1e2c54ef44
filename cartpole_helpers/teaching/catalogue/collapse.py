"""Pourquoi ça s'effondre, carnet 08 : ce que valent les fausses fins, ce que l'on surestime."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

# La valeur d'un état sûr, quand une part des transitions passe pour une fin


def valeur_rabaissee(part, gamma):
    """Rend la valeur d'un état sûr quand une part `part` des transitions passe pour une fin.

    Chaque pas rapporte 1, et l'amorçage vaut γ fois cette même valeur, sauf pour la part qui passe
    pour une fin : V = 1 + γ (1 − part) V.
    """
    return 1 / (1 - gamma * (1 - part))


def _no_false_end(_) -> Iterator[tuple]:
    yield 0.0, 0.99
    yield 0.0, 0.9


def _only_ends(_) -> Iterator[tuple]:
    yield 1.0, 0.99
    yield 1.0, 0.5


def _between(_) -> Iterator[tuple]:
    yield 0.5, 0.9
    yield 0.002, 0.99
    yield 0.25, 0.8


def _any_share(generator: np.random.Generator) -> Iterator[tuple]:
    for gamma in (0.95, 0.9, 0.8, 0.5):
        yield round(float(generator.uniform(0.05, 0.4)), 2), gamma


def _bootstrapped(share: float, gamma: float, end_reward: float = 1.0) -> float:
    """Rend la valeur qu'un amorçage répété atteint, quand une fin rapporte `end_reward`."""
    value = 0.0
    for _ in range(20_000):
        value = share * end_reward + (1 - share) * (1 + gamma * value)
    return value


def _by_repetition(part, gamma):
    return _bootstrapped(part, gamma)


def _with_the_length_of_episodes(part, gamma):
    if part == 0:
        return 1 / (1 - gamma)
    weight, total, step = 1.0, 0.0, 0
    while weight * gamma**step > 1e-14:
        total += weight * gamma**step
        weight *= 1 - part
        step += 1
    return total


def _with_numpy(part, gamma):
    return np.reciprocal(1 - gamma + gamma * part)


LOWERED = Exercise(
    valeur_rabaissee,
    (
        Property(
            "retrouve 1/(1 − γ) s'il n'y a pas de fausse fin",
            _no_false_end,
            "Sans fausse fin, chaque pas rapporte 1 et l'avenir est sans limite : 1/(1 − γ).",
        ),
        Property(
            "vaut 1 si tout passe pour une fin",
            _only_ends,
            "Si tout passe pour une fin, il ne reste que la récompense du pas.",
        ),
        Property(
            "résout l'équation entre les deux",
            _between,
            "Mettez V en facteur dans V = 1 + γ (1 − part) V.",
        ),
        Property(
            "vaut pour toute part et tout γ",
            _any_share,
            "Deux nombres seulement : la part réduit l'amorçage, que γ réduit déjà.",
        ),
    ),
    (
        Mistake(
            "la part ignorée",
            lambda part, gamma: 1 / (1 - gamma),
            "La part n'entre pas dans votre calcul : les fausses fins doivent y peser.",
        ),
        Mistake(
            "une correction en proportion",
            lambda part, gamma: (1 - part) / (1 - gamma),
            "Vous ôtez la part à la fin : or chaque amorçage la subit, et l'erreur se cumule.",
        ),
        Mistake(
            "une moyenne de deux valeurs",
            lambda part, gamma: part + (1 - part) / (1 - gamma),
            "Vous mêlez 1 et 1/(1 − γ) : mais la suite d'un pas est elle aussi rabaissée.",
        ),
        Mistake(
            "γ oublié",
            lambda part, gamma: np.inf if part == 0 else 1 / part,
            "Où est passé γ ? Sans lui, 1/part est la durée moyenne d'un épisode.",
        ),
        Mistake(
            "γ à la mauvaise place",
            lambda part, gamma: np.inf if part == 0 else 1 / (1 - (1 - gamma * part)),
            "γ réduit ce qui continue, donc 1 − part, et non la part qui finit.",
        ),
        Mistake(
            "part et reste échangés",
            lambda part, gamma: 1 / (1 - gamma * part),
            "Vous gardez l'avenir de la part qui finit : c'est l'autre, 1 − part, qui en a un.",
        ),
        Mistake(
            "la récompense effacée",
            lambda part, gamma: (1 - part) / (1 - gamma * (1 - part)),
            "Vous effacez la récompense du dernier pas : il rapporte 1, comme les autres.",
        ),
        Mistake(
            "un γ de trop",
            lambda part, gamma: gamma / (1 - gamma * (1 - part)),
            "La récompense du premier pas compte en entier : γ n'est pas au numérateur.",
        ),
        Mistake(
            "la part ajoutée à 1 − γ",
            lambda part, gamma: 1 / (1 - gamma + part),
            "Vous ajoutez la part entière à 1 − γ : il n'y entre que γ fois la part.",
        ),
        Mistake(
            "un signe à l'envers",
            lambda part, gamma: np.inf if gamma * (1 + part) >= 1 else 1 / (1 - gamma * (1 + part)),
            "Les fausses fins augmentent votre valeur : il continue 1 − part, et non 1 + part.",
        ),
    ),
    (_by_repetition, _with_the_length_of_episodes, _with_numpy),
)


# La part des états surestimés


def part_surestimee(q, haut):
    """Rend la part des états dont la valeur, max Q, dépasse la borne prouvée de V*.

    `q` (N, 2) : les valeurs d'un agent ; `haut` (N, 2) : la borne supérieure de Q*(s, a). La borne
    de V* est la plus grande des deux.
    """
    return np.mean(q.max(axis=1) > haut.max(axis=1))


def _one_state(_) -> Iterator[tuple]:
    yield np.array([[12.0, 3.0]]), np.array([[10.0, 5.0]])
    yield np.array([[8.0, 3.0]]), np.array([[10.0, 5.0]])


def _the_other_action(_) -> Iterator[tuple]:
    yield np.array([[4.0, 9.0]]), np.array([[10.0, 5.0]])
    yield np.array([[4.0, 11.0]]), np.array([[10.0, 5.0]])


def _touched(_) -> Iterator[tuple]:
    yield np.array([[10.0, 2.0], [7.0, 10.0]]), np.array([[10.0, 5.0], [5.0, 10.0]])


def _three_in_four(_) -> Iterator[tuple]:
    q = np.array([[11.0, 12.0], [1.0, 9.0], [13.0, 2.0], [3.0, 10.5]])
    yield q, np.array([[10.0, 8.0], [6.0, 10.0], [10.0, 4.0], [10.0, 9.0]])


def _any_states(generator: np.random.Generator) -> Iterator[tuple]:
    for count in (5, 9, 40):
        yield generator.normal(5, 3, (count, 2)).round(1), generator.normal(6, 3, (count, 2))


def _loop(q, haut):
    over = [max(row) > max(bounds) for row, bounds in zip(q, haut, strict=True)]
    return sum(over) / len(over)


def _counted(q, haut):
    gaps = np.max(q, axis=-1) - np.max(haut, axis=-1)
    return np.count_nonzero(gaps > 0) / len(gaps)


def _in_torch(q, haut):
    best, bound = (torch.from_numpy(values).max(dim=-1).values for values in (q, haut))
    return (best > bound).double().mean()


def _of(kind: Callable) -> Callable:
    """Rend la part des états où `kind(q, haut)` (N,) est vrai."""
    return lambda q, haut: np.mean(kind(q, haut))


OVER = Exercise(
    part_surestimee,
    (
        Property(
            "compte un état dont max Q dépasse la borne, et lui seul",
            _one_state,
            "Un état est surestimé quand sa valeur, max Q, dépasse la borne de V*.",
        ),
        Property(
            "ne compare pas action par action",
            _the_other_action,
            "La borne de V* est la plus grande des deux bornes, quelle que soit l'action jouée.",
        ),
        Property(
            "ne compte pas une valeur égale à la borne",
            _touched,
            "Atteindre la borne n'est pas la dépasser.",
        ),
        Property(
            "rend une part, entre 0 et 1",
            _three_in_four,
            "Comptez les états surestimés, puis divisez par le nombre d'états.",
        ),
        Property(
            "vaut pour tous les états",
            _any_states,
            "Un maximum par ligne de chaque tableau, puis une comparaison, puis une moyenne.",
        ),
    ),
    (
        Mistake(
            "action par action",
            lambda q, haut: np.mean(q > haut),
            "Vous comptez des couples (s, a) : c'est l'état que l'on juge, par max Q.",
        ),
        Mistake(
            "une action quelconque",
            _of(lambda q, haut: (q > haut).any(axis=1)),
            "Une action au-dessus de sa borne ne suffit pas : comparez les maximums.",
        ),
        Mistake(
            "les deux actions",
            _of(lambda q, haut: (q > haut).all(axis=1)),
            "Vous exigez que les deux actions dépassent : comparez les maximums.",
        ),
        Mistake(
            "la borne de l'action choisie",
            _of(lambda q, haut: q.max(axis=1) > haut[np.arange(len(q)), q.argmax(axis=1)]),
            "Vous prenez la borne de l'action que l'agent préfère : V* est celle de la meilleure.",
        ),
        Mistake(
            "inférieur ou égal",
            _of(lambda q, haut: q.max(axis=1) >= haut.max(axis=1)),
            "Avec ≥, un état juste à la borne compte : elle doit être dépassée.",
        ),
        Mistake(
            "à l'envers",
            _of(lambda q, haut: q.max(axis=1) < haut.max(axis=1)),
            "La comparaison est à l'envers : vous comptez les états sous la borne.",
        ),
        Mistake(
            "le compte, et non la part",
            lambda q, haut: np.sum(q.max(axis=1) > haut.max(axis=1)),
            "Vous rendez un nombre d'états : divisez-le par le nombre total.",
        ),
        Mistake(
            "le masque",
            lambda q, haut: q.max(axis=1) > haut.max(axis=1),
            "Vous rendez un booléen par état : il reste à en prendre la moyenne.",
        ),
        Mistake(
            "l'excès moyen",
            lambda q, haut: np.mean(q.max(axis=1) - haut.max(axis=1)),
            "Vous rendez un écart moyen : c'est une part d'états qu'on demande.",
        ),
        Mistake(
            "le maximum de tout le tableau",
            lambda q, haut: float(q.max() > haut.max()),
            "max sans axe prend un seul nombre dans tout le tableau : donnez axis=1.",
        ),
        Mistake(
            "le maximum par colonne",
            lambda q, haut: np.mean(q.max(axis=0) > haut.max(axis=0)),
            "axis=0 prend le maximum sur les états : chaque état est une ligne, donc axis=1.",
        ),
        Mistake(
            "la moyenne des bornes",
            _of(lambda q, haut: q.max(axis=1) > haut.mean(axis=1)),
            "La borne de V* n'est pas la moyenne des deux : l'agent jouerait la meilleure action.",
        ),
        Mistake(
            "la plus petite borne",
            _of(lambda q, haut: q.max(axis=1) > haut.min(axis=1)),
            "La plus petite des deux bornes est celle de la moins bonne action.",
        ),
        Mistake(
            "le numéro de l'action",
            _of(lambda q, haut: q.argmax(axis=1) > haut.argmax(axis=1)),
            "argmax rend un numéro d'action, non une valeur : prenez max.",
        ),
    ),
    (_loop, _counted, _in_torch),
)

EXERCISES = (LOWERED, OVER)
