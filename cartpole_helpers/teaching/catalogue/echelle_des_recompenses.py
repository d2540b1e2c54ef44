"""Carnet 12 : de quelle taille sont les valeurs que le réseau doit atteindre."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def echelle_des_recompenses(episodes, gamma):
    """Rend la plus grande taille qu'une valeur ait eue, d'après des épisodes joués.

    `episodes` : une suite d'épisodes, chacun la liste de ses récompenses, dans l'ordre. De chaque
    pas, le retour actualisé est la récompense de ce pas, plus γ fois le retour du pas suivant, nul
    après le dernier. Rend la plus grande valeur absolue de tous ces retours.
    """
    echelle = 0.0
    for recompenses in episodes:
        retour = 0.0
        for recompense in reversed(recompenses):
            retour = recompense + gamma * retour
            echelle = max(echelle, abs(retour))
    return echelle


def any_game(generator: np.random.Generator) -> Cases:
    """Des récompenses de chaque jour, puis une grande à la fin, de l'un ou l'autre signe."""
    for count, end in ((1, 0), (3, -100), (2, 100), (4, -8), (3, 0)):
        lengths = generator.integers(2, 6, count)
        daily = [[rounded(generator, -3, 2) for _ in range(length)] for length in lengths]
        order = generator.permutation(count) == 0
        ends = [[end * rounded(generator, 0.5, 1)] if last else [] for last in order]
        episodes = (one + big for one, big in zip(daily, ends, strict=True))
        yield (*episodes,), rounded(generator, 0.5, 0.95)


PROPERTIES = (
    Property(
        "actualise les récompenses d'un épisode",
        [(([1.0, 1.0, 1.0],), 0.5), (([3.0, 2.0],), 0.9)],
        "Un pas vaut sa récompense, plus γ fois ce que vaut le suivant : partez du dernier.",
    ),
    Property(
        "compte la taille, quel que soit le signe",
        [(([-1.0, -1.0, -1.0, -1.0],), 0.5), (([1.0, -8.0], [3.0]), 0.5)],
        "Une valeur de −100 est aussi grande à apprendre qu'une de 100 : prenez `abs`.",
    ),
    Property(
        "regarde de chaque pas, et non du seul départ",
        [(([0.0, 0.0, 8.0],), 0.5), (([-5.0, 3.0, 4.0], [1.0, 1.0]), 0.5)],
        "Au bord d'une grande récompense, la valeur est grande ; au départ, γ l'a réduite.",
    ),
    Property(
        "ne dépasse pas la fin d'un épisode",
        [(([3.0], [1.0, 1.0]), 0.5), (([1.0, 2.0], [6.0, 0.0], [1.0]), 0.5)],
        "Le retour repart de zéro à chaque épisode, et tous les épisodes comptent.",
    ),
    Property(
        "vaut pour toutes les récompenses",
        any_game,
        "À rebours dans chaque épisode : r + γ retour, et la plus grande taille rencontrée.",
    ),
)

CHANGES = """
γ oublié : gamma * retour → retour
    Où est passé γ ? Une récompense lointaine compte moins : γ par pas.
γ sur la récompense : recompense + gamma * retour → gamma * (recompense + retour)
    γ ne réduit que la suite : la récompense du pas compte en entier.
le signe gardé : abs(retour) → retour
    Vous gardez la plus grande valeur, non la plus grande taille : −100 se perdrait.
une valeur absolue par récompense : = recompense + → = abs(recompense) +
    Vous ôtez le signe de chaque récompense : elles ne se compensent plus. Prenez celui du retour.
à l'endroit : reversed(recompenses) → recompenses
    Vous actualisez le passé : c'est la suite que γ réduit. Partez du dernier pas.
du seul départ : = max(abs(sum(r * gamma**k for k, r in enumerate(one))) for one in episodes)
    Vous ne comptez que depuis le départ : près d'une grande récompense, la valeur est plus grande.
des épisodes enchaînés : retour = 0.0 → retour = retour if echelle else 0.0
    Vous enchaînez les épisodes : après le dernier pas, il n'y a plus rien à attendre.
la plus grande récompense : = max(abs(r) for one in episodes for r in one)
    Vous rendez la plus grande récompense : une suite de petites peut valoir bien plus.
la borne : = max(abs(r) for one in episodes for r in one) / (1 - gamma)
    Vous rendez la borne, |r|/(1 − γ) : ici, ce que les épisodes ont atteint, souvent bien moins.
le plus long des horizons : = 1 / (1 - gamma)
    Vous rendez 1/(1 − γ), un nombre de pas : où sont les récompenses ?
le dernier épisode seul : in episodes: → in episodes[-1:]:
    Vous n'avez gardé que le dernier épisode : tous comptent.
le premier épisode seul : in episodes: → in episodes[:1]:
    Vous n'avez lu que le premier épisode : tous comptent.
la moyenne des épisodes : = sum(abs(sum(r * gamma**k for k, r in enumerate(one))) for one in \
episodes) / len(episodes)
    Vous rendez une moyenne : le réseau doit atteindre aussi la plus grande valeur.
la somme des récompenses : = max(abs(sum(one)) for one in episodes)
    Vous rendez un retour sans γ, depuis le départ : actualisez, de chaque pas.
la dernière valeur vue : max(echelle, abs(retour)) → abs(retour)
    Vous gardez la dernière valeur vue, non la plus grande.
la plus petite : max(echelle → min(echelle or abs(retour)
    Vous gardez la plus petite des tailles : c'est la plus grande qui coûte.
"""


def with_powers(episodes, gamma):
    def sizes():
        for rewards in episodes:
            for at in range(len(rewards)):
                yield abs(sum(gamma**k * one for k, one in enumerate(rewards[at:])))

    return max(sizes())


def with_a_matrix(episodes, gamma):
    found = []
    for rewards in map(np.array, episodes):
        rank = np.arange(len(rewards))
        delay = rank - rank[:, None]
        found.append(np.abs(np.where(delay >= 0, gamma ** np.maximum(delay, 0), 0) @ rewards).max())
    return max(found)


EXERCISE = Exercise(
    echelle_des_recompenses, PROPERTIES, CHANGES, variants=(with_powers, with_a_matrix)
)
