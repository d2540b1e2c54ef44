"""Carnet 10 : la valeur d'un état sûr, quand une part des transitions passe pour une fin."""

import numpy as np

from cartpole_helpers.teaching.exercise import Exercise, Property, rounded


def valeur_rabaissee(part, gamma):
    """Rend la valeur d'un état sûr quand une part `part` des transitions passe pour une fin.

    Chaque pas rapporte 1, et l'amorçage vaut γ fois cette même valeur, sauf pour la part qui passe
    pour une fin : V = 1 + γ (1 − part) V.
    """
    return 1 / (1 - gamma * (1 - part))


PROPERTIES = (
    Property(
        "retrouve 1/(1 − γ) s'il n'y a pas de fausse fin",
        [(0.0, 0.99), (0.0, 0.9)],
        "Sans fausse fin, chaque pas rapporte 1 et l'avenir est sans limite : 1/(1 − γ).",
    ),
    Property(
        "vaut 1 si tout passe pour une fin",
        [(1.0, 0.99), (1.0, 0.5)],
        "Si tout passe pour une fin, il ne reste que la récompense du pas.",
    ),
    Property(
        "résout l'équation entre les deux",
        [(0.5, 0.9), (0.002, 0.99), (0.25, 0.8)],
        "Mettez V en facteur dans V = 1 + γ (1 − part) V.",
    ),
    Property(
        "vaut pour toute part et tout γ",
        lambda generator: [(rounded(generator, 0.05, 0.4), one) for one in (0.95, 0.9, 0.8, 0.5)],
        "Deux nombres seulement : la part réduit l'amorçage, que γ réduit déjà.",
    ),
)

CHANGES = """
la part ignorée : * (1 - part) → ∅
    La part n'entre pas dans votre calcul : les fausses fins doivent y peser.
une correction en proportion : = (1 - part) / (1 - gamma)
    Vous ôtez la part à la fin : or chaque amorçage la subit, et l'erreur se cumule.
une moyenne de deux valeurs : = part + (1 - part) / (1 - gamma)
    Vous mêlez 1 et 1/(1 − γ) : mais la suite d'un pas est elle aussi rabaissée.
γ oublié : = np.inf if part == 0 else 1 / part
    Où est passé γ ? Sans lui, 1/part est la durée moyenne d'un épisode.
γ à la mauvaise place : = np.inf if part == 0 else 1 / (1 - (1 - gamma * part))
    γ réduit ce qui continue, donc 1 − part, et non la part qui finit.
part et reste échangés : (1 - part) → part
    Vous gardez l'avenir de la part qui finit : c'est l'autre, 1 − part, qui en a un.
la récompense effacée (le masque efface la récompense) : return 1 → return (1 - part)
    Vous effacez la récompense du dernier pas : il rapporte 1, comme les autres.
un γ de trop (γ sur la récompense) : return 1 → return gamma
    La récompense du premier pas compte en entier : γ n'est pas au numérateur.
la part ajoutée à 1 − γ : gamma * (1 - part) → gamma + part
    Vous ajoutez la part entière à 1 − γ : il n'y entre que γ fois la part.
un signe à l'envers : = np.inf if gamma * (1 + part) >= 1 else 1 / (1 - gamma * (1 + part))
    Les fausses fins augmentent votre valeur : il continue 1 − part, et non 1 + part.
"""


def by_repetition(part, gamma):
    value = 0.0
    for _ in range(20_000):
        value = part + (1 - part) * (1 + gamma * value)
    return value


VARIANTS = by_repetition, lambda part, gamma: np.reciprocal(1 - gamma + gamma * part)
EXERCISE = Exercise(valeur_rabaissee, PROPERTIES, CHANGES, variants=VARIANTS)
