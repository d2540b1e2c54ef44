"""Carnet 08 : la cible à n pas."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def retour_a_n_pas(recompenses, gamma, valeur_finale, terminated):
    """Rend la cible à n pas : les récompenses actualisées, puis l'amorçage.

    `recompenses` : liste de n nombres, dans l'ordre ; `valeur_finale` : la meilleure valeur de
    l'état où l'on arrive après les n pas, qui ne compte pas si `terminated`.
    """
    amorce = 0.0 if terminated else valeur_finale
    actualisees = [gamma**i * recompense for i, recompense in enumerate(recompenses)]
    return sum(actualisees) + gamma ** len(recompenses) * amorce


def any_length(generator: np.random.Generator) -> Cases:
    for count, ended in ((1, False), (2, True), (3, False), (4, True), (5, False)):
        rewards = [rounded(generator, -3, 3) for _ in range(count)]
        yield rewards, rounded(generator, 0.5, 0.95), rounded(generator, 15, 25), ended


PROPERTIES = (
    Property(
        "actualise chaque récompense, puis la valeur finale",
        [([1.0, 1.0, 1.0], 0.5, 8.0, False), ([1.0, 2.0, 3.0], 0.1, 1_000.0, False)],
        "La récompense i est multipliée par γ puissance i, la valeur finale par γ puissance n.",
    ),
    Property(
        "n'amorce pas quand l'épisode est terminé",
        [([1.0, 1.0, 1.0], 0.5, 8.0, True), ([1.0, 2.0, 3.0], 0.1, 1_000.0, True)],
        "Après la fin, il n'y a plus rien à attendre : restent les récompenses.",
    ),
    Property(
        "vaut pour tout nombre de pas",
        any_length,
        "Essayez avec une seule récompense : on doit retrouver r + γ V.",
    ),
)

CHANGES = """
une puissance de moins : gamma ** len(recompenses) → gamma ** (len(recompenses) - 1)
    La valeur finale vient après les n récompenses : γ puissance n, et non n − 1.
récompenses non actualisées : gamma**i * → ∅
    Les récompenses aussi s'actualisent : la première en entier, la suivante par γ.
γ une seule fois : gamma ** len(recompenses) → gamma
    La valeur finale est à n pas : elle est multipliée par γ à chacun d'eux.
γ une seule fois, et sur la valeur seule : = sum(recompenses) + gamma * amorce
    γ ne sert qu'une fois : chaque pas de plus multiplie par γ de nouveau, récompenses comprises.
valeur finale non actualisée : gamma ** len(recompenses) * → ∅
    La valeur finale n'est pas actualisée : elle est à n pas d'ici.
aucun amorçage : + gamma ** len(recompenses) * amorce → ∅
    La valeur finale manque : sans elle, la suite de l'épisode ne compte pas.
un γ de trop partout : = gamma * (sum(actualisees) + gamma ** len(recompenses) * amorce)
    Il y a un γ de trop partout : la première récompense compte en entier.
un γ de trop sur les récompenses : sum( → gamma * sum(
    Vos récompenses ont un γ de trop : les rangs commencent à 0, non à 1.
récompenses à l'envers : enumerate(recompenses) → enumerate(recompenses[::-1])
    Vos récompenses sont à l'envers : la première, la plus proche, compte en entier.
la valeur finale à chaque pas : gamma**i * recompense → gamma**i * (recompense + gamma * amorce)
+ + gamma ** len(recompenses) * amorce → ∅
    Vous ajoutez la valeur finale à chaque pas : elle ne compte qu'une fois, à la fin.
un produit au lieu d'une puissance : gamma**i → gamma * i
+ gamma ** len → gamma * len
    Vous multipliez γ par le rang, au lieu de l'y élever : la puissance s'écrit **.
la cible à un pas : = recompenses[0] + gamma * amorce
    C'est la cible à un pas : les récompenses suivantes manquent.
aucun masque : 0.0 if terminated else → ∅
    Avez-vous masqué les états terminaux ? Après la fin, la valeur finale ne compte pas.
un masque à l'envers (le masque à l'envers) : if terminated → if not terminated
un masque qui efface les récompenses (le masque efface la récompense) : \
return sum → return 0.0 if terminated else sum
    Votre masque efface aussi les récompenses : celles-là ont bien été reçues.
"""


def backwards(recompenses, gamma, valeur_finale, terminated):
    total = 0.0 if terminated else valeur_finale
    for reward in reversed(recompenses):
        total = reward + gamma * total
    return total


VARIANTS = (
    backwards,
    lambda r, gamma, last, end: sum(gamma**i * x for i, x in enumerate([*r, last * (not end)])),
    lambda r, gamma, last, end: gamma ** np.arange(len(r) + 1) @ [*r, last * (1 - end)],
)
EXERCISE = Exercise(retour_a_n_pas, PROPERTIES, CHANGES, variants=VARIANTS)
