"""Carnet 11 : le γ que trahissent les valeurs."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def gamma_apparent(q, recompense, suivante, tombe):
    """Rend le γ que trahissent les valeurs d'une mémoire.

    Pour chacune des N transitions, `q` : Q(s, a) ; `recompense` : r ; `suivante` : max Q(s', .) ;
    `tombe` : un booléen, vrai si s' est une chute. À l'équilibre, la moyenne de Q(s, a) − r est γ
    fois celle de max Q(s', .), comptée nulle après une chute ; les deux sont sur toute la mémoire.
    γ est donc le quotient de ces deux moyennes ; il peut dépasser 1, si les valeurs divergent ou si
    le masque manque.
    """
    return np.mean(q - recompense) / np.mean(np.where(tombe, 0, suivante))


def plain(q, recompense, suivante, tombe):
    gain = q - recompense
    future = np.where(tombe, 0, suivante)
    return np.mean(gain) / np.mean(future)


def memory(*rows: tuple[float, float, float, bool]) -> tuple[np.ndarray, ...]:
    """Rend les quatre colonnes de lignes (q, récompense, suivante, tombé)."""
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def any_values(generator: np.random.Generator) -> Cases:
    for count, gamma in ((6, 0.9), (40, 0.99), (15, 0.5)):
        following, noise = generator.uniform([[5], [-1]], [[30], [1]], (2, count)).round(2)
        reward, fallen = generator.uniform(0, 2, count).round(2), np.arange(count) % 3 == 1
        yield reward + gamma * np.where(fallen, 0, following) + noise, reward, following, fallen


PROPERTIES = (
    Property(
        "retrouve γ d'une seule transition",
        [memory((10.0, 1.0, 10.0, False)), memory((5.0, 1.0, 8.0, False))],
        "Sans chute, Q(s, a) = r + γ max Q(s', .) : ôtez r, puis divisez.",
    ),
    Property(
        "rend le quotient des deux moyennes",
        [
            memory((10.0, 1.0, 12.0, False), (4.0, 1.0, 3.0, False)),
            memory((6.0, 1.0, 5.0, False), (2.0, 1.0, 4.0, False), (4.0, 1.0, 1.0, False)),
        ],
        "Prenez d'abord la moyenne de Q(s, a) − r, puis celle de la suite, et divisez.",
    ),
    Property(
        "compte nulle la suite d'une chute, et garde sa transition",
        [
            memory((9.0, 1.0, 10.0, False), (2.0, 1.0, 7.0, True)),
            memory((1.5, 1.0, 20.0, True), (8.0, 1.0, 9.0, False), (6.5, 1.0, 7.0, False)),
        ],
        "Après une chute, la suite vaut 0 ; la transition compte dans les deux moyennes.",
    ),
    Property(
        "ôte la récompense reçue, quelle qu'elle soit",
        [
            memory((5.0, 0.5, 6.0, False), (8.5, 2.5, 6.0, False)),
            memory((4.0, 0.0, 5.0, False), (-1.0, -2.0, 9.0, True), (3.0, 0.0, 5.0, False)),
        ],
        "La récompense change d'une transition à l'autre : ôtez à chacune la sienne.",
    ),
    Property(
        "rend le quotient même au-delà de 1",
        [memory((13.0, 1.0, 10.0, False), (7.0, 1.0, 5.0, False))],
        "Rendez le quotient tel quel : au-delà de 1, il trahit une faute.",
    ),
    Property(
        "vaut pour toute mémoire",
        any_values,
        "Deux moyennes sur toute la mémoire, et leur quotient.",
    ),
)

CHANGES = """
le masque oublié (aucun masque) : np.where(tombe, 0, suivante) → suivante
    Vous gardez ce que le réseau dit après une chute : plus rien n'y est à venir.
le masque à l'envers : 0, suivante → suivante, 0
    Votre masque est à l'envers : c'est après une chute que la suite est nulle.
les chutes ôtées d'une moyenne : np.where(tombe, 0, suivante) → suivante[~tombe]
    Les chutes manquent à la moyenne du bas : elles y comptent, pour 0.
les chutes ôtées des deux moyennes : = np.mean(gain[~tombe]) / np.mean(suivante[~tombe])
    Vous écartez les chutes : leur Q(s, a) − r, erreur comprise, compte aussi.
Q(s, a) annulé aux chutes : gain = q → gain = np.where(tombe, 0, q)
    Vous annulez Q(s, a) à la chute : seule la suite, max Q(s', .), y est nulle.
la récompense laissée : q - recompense → q
    Où est la récompense ? Q(s, a) la contient : ôtez-la avant de diviser.
la récompense ajoutée : q - recompense → q + recompense
    Vous ajoutez la récompense à Q(s, a), qui la contient déjà.
une récompense de 1 : q - recompense → q - 1
    Vous ôtez 1 partout : ôtez la récompense que la mémoire a gardée.
la récompense dans la suite (γ sur la récompense) : = np.mean(q) / np.mean(recompense + future)
    γ ne réduit pas la récompense du pas : elle s'ôte de Q(s, a), et reste entière.
le quotient renversé : = np.mean(future) / np.mean(gain)
    Votre quotient est renversé : c'est la suite que γ multiplie.
la moyenne des quotients : = np.mean((gain / suivante)[~tombe])
    Vous faites la moyenne des quotients : c'est le quotient des moyennes.
la moyenne de quotients par zéro : = np.mean(gain / future)
    Un quotient par transition divise par zéro à chaque chute : divisez deux moyennes.
l'horizon : = 1 / (1 - np.mean(gain) / np.mean(future))
    Vous rendez un horizon, 1/(1 − γ) : on demande γ.
la première transition : = gain[0] / suivante[0]
    Vous ne lisez que la première transition : il faut toute la mémoire.
la dernière transition : = gain[-1] / suivante[-1]
    Vous ne lisez que la dernière transition : il faut toute la mémoire.
les médianes : = np.median(gain) / np.median(future)
    L'égalité porte sur des moyennes : une médiane ne la suit pas.
les moindres carrés : = np.sum(gain * future) / np.sum(future**2)
    Les moindres carrés donnent plus de poids aux grandes valeurs : prenez deux moyennes.
une somme sur une moyenne (la somme pour la moyenne) : np.mean(gain) → np.sum(gain)
    En haut une somme, en bas une moyenne : prenez deux moyennes.
une différence : / → -
    Vous retranchez une moyenne de l'autre : γ multiplie la seconde, divisez donc.
ramené à 1 : = min(1.0, np.mean(gain) / np.mean(future))
    Vous ramenez à 1 ce qui le dépasse : ce signe de maladie se perd.
un quotient par transition (la moyenne manquante) : = gain / suivante
    Vous rendez un nombre par transition : un seul γ vaut pour toute la mémoire.
"""

VARIANTS = (
    lambda q, r, after, fallen: (
        sum(q - r) / sum(one for one, end in zip(after, fallen, strict=True) if not end)
    ),
    lambda q, r, after, fallen: (q.sum() - r.sum()) / after[~fallen].sum(),
    lambda q, r, after, fallen: np.average(q - r) / np.average((1 - fallen) * after),
)
EXERCISE = Exercise(gamma_apparent, PROPERTIES, CHANGES, (), VARIANTS, plain)
