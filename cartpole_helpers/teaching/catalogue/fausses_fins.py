"""Carnet 11 : la part des fausses fins d'une mémoire."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def fausses_fins(successeur, terminee):
    """Rend la part des transitions qui se disent terminées alors que la tige y est debout.

    `successeur` (N, 4) : les états d'arrivée, soit x (m), ẋ (m/s), θ (rad) et θ̇ (rad/s) ;
    `terminee` (N,) : des booléens. La tige est debout quand |x| ≤ 2,4 m et |θ| ≤ 12°, à la fois.
    La part est celle de toutes les transitions.
    """
    x, theta = successeur[:, 0], successeur[:, 2]
    debout = (np.abs(x) <= 2.4) & (np.abs(theta) <= np.deg2rad(12))
    return np.mean(terminee & debout)


def memory(*rows: tuple, ended: tuple = (1, 1, 1)) -> tuple[np.ndarray, np.ndarray]:
    """Rend les états d'arrivée (N, 4) et les fins (N,) ; à défaut, tout est terminé."""
    return np.array(rows, float), np.array(ended[: len(rows)], bool)


def any_memory(generator: np.random.Generator) -> Cases:
    for count in (12, 30, 200):
        states = generator.uniform(-1, 1, (count, 4)) * [3.2, 2.0, 0.32, 2.0]
        yield states.round(2), generator.random(count) < 0.5


UP, DOWN = (0.5, 1.0, 0.1, -1.0), (0.5, 1.0, 0.25, 1.0)
PROPERTIES = (
    Property(
        "compte une fin dont la tige est debout, et elle seule",
        [
            memory((0.1, 0.2, 0.05, -0.3)),
            memory((0.1, 0.2, 0.05, -0.3), ended=(0,)),
            memory((0.1, 0.2, 0.3, 1.5)),
        ],
        "Deux conditions à la fois : la transition se dit terminée, et la tige est debout.",
    ),
    Property(
        "dit tombé ce qui sort de l'une des limites, d'un côté comme de l'autre",
        [
            memory((2.5, 0, 0, 0), (0, 0, 0.4, 0), (0, 0, 0, 0)),
            memory((-2.6, 0, 0.1, 0), (1, 0, -0.3, 0), (2.6, 0, 0.5, 0)),
            memory((1, 3, 0.1, -2), (0, 2, 0.4, 0.1), (3, 0.1, 0, 0)),
        ],
        "Debout, c'est |x| ≤ 2,4 et |θ| ≤ 12°, ensemble ; les vitesses n'y font rien.",
    ),
    Property(
        "compare θ, en radians, à 12 degrés",
        [
            memory((0, 0, 0.2, 0), (0, 0, 0.22, 0)),
            # 13 radians, deux tours : ce qui sépare un θ oublié d'un θ comparé à 12.
            memory((0, 0, -0.25, 0), (0, 0, -0.2, 0), (1, 0, 13, 0)),
        ],
        "L'état donne θ en radians : 12 degrés y font environ 0,21.",
    ),
    Property(
        "dit debout un chariot juste à la limite",
        [memory((2.4, 0, 0, 0), (-2.4, 0, 0.1, 0)), memory((2.4, 0, 0.3, 0), (-2.41, 0, 0.1, 0))],
        "À 2,4 m, le chariot est encore dans les limites : pour tomber, il faut les dépasser.",
    ),
    Property(
        "rend une part de toutes les transitions",
        [
            memory(UP, UP, UP, DOWN, DOWN, ended=(1, 0, 0, 1, 0)),
            memory(UP, UP, UP, DOWN, DOWN, ended=(1, 1, 0, 0, 0)),
            memory(UP, UP, DOWN, DOWN, ended=(0, 0, 0, 0)),
        ],
        "Comptez les fausses fins, puis divisez par le nombre de toutes les transitions.",
    ),
    Property(
        "vaut pour toute mémoire",
        any_memory,
        "Un booléen par transition, terminée et debout, puis la moyenne.",
    ),
)

CHANGES = """
θ seul : (np.abs(x) <= 2.4) & → ∅
    Vous ne regardez que la tige : un chariot sorti des 2,4 m est tombé, lui aussi.
x seul : & (np.abs(theta) <= np.deg2rad(12)) → ∅
    Vous ne regardez que le chariot : une tige au-delà de 12° est tombée.
l'une des deux limites : <= 2.4) & → <= 2.4) |
    Avec « ou », une seule limite respectée suffit : debout, c'est les deux à la fois.
sans valeur absolue : (np.abs(x) <= 2.4) & (np.abs(theta) → (x <= 2.4) & (theta
    Sans valeur absolue, une chute à gauche passe pour un état debout.
θ sans valeur absolue : np.abs(theta) → theta
    θ n'a pas de valeur absolue : une tige tombée à gauche passe pour debout.
des radians comparés à 12 (une autre unité) : np.deg2rad(12) → 12
    Vous comparez des radians à 12 : convertissez les degrés.
15 degrés : deg2rad(12) → deg2rad(15)
    La limite de la tige est de 12°, et non de 15°.
une inégalité stricte (l'égalité à la limite) : <= 2.4 → < 2.4
+ <= np → < np
    Votre inégalité est stricte : un chariot juste à 2,4 m n'est pas encore sorti.
θ̇ à la place de θ : successeur[:, 2] → successeur[:, 3]
    La colonne 3 est θ̇, la vitesse de la tige : θ est dans une autre.
ẋ à la place de θ : successeur[:, 2] → successeur[:, 1]
    La colonne 1 est ẋ, la vitesse du chariot : θ ne vient qu'après.
les chutes, et non les fausses fins : & debout → & ~debout
    Vous comptez les vraies fins : gardez celles où la tige est debout.
les fins manquées : = np.mean(~terminee & ~debout)
    Vous comptez les chutes qui ne se disent pas terminées : c'est la faute contraire.
debout et non terminée : mean(terminee → mean(~terminee
    Vous comptez les pas ordinaires, debout et non terminés.
terminée ou debout : & debout → | debout
    Avec « ou », tout état debout compte : il doit aussi se dire terminé.
terminée d'accord avec debout : & debout → == debout
    Égaux, les deux peuvent aussi être faux : une fin manquée y compte.
toutes les fins : & debout → ∅
    Vous comptez toutes les fins, les vraies comprises.
tous les états debout : terminee & → ∅
    Vous oubliez `terminee` : un état debout n'est une faute que s'il se dit terminé.
la part des fins : = np.mean(debout[terminee])
    Vous divisez par le nombre de fins : la part est celle de toutes les transitions.
la part des états debout : = np.mean(terminee[debout])
    Vous divisez par le nombre d'états debout : divisez par celui des transitions.
l'écart entre les fins et les chutes : = np.mean(terminee) - np.mean(~debout)
    Fins moins chutes : les fins manquées s'y retranchent. Jugez chaque transition.
le compte : mean → sum
    Vous rendez un nombre de transitions : divisez-le par leur total.
un pourcentage : return → return 100 *
le masque (la moyenne manquante) : = terminee & debout
    Vous rendez un booléen par transition : il reste à en prendre la moyenne.
"""


def with_a_loop(successeur, terminee):
    count = 0
    for (x, _, theta, _), ended in zip(successeur, terminee, strict=True):
        count += ended and -2.4 <= x <= 2.4 and abs(np.rad2deg(theta)) <= 12
    return count / len(terminee)


VARIANTS = (
    with_a_loop,
    lambda s, end: np.count_nonzero(end[(abs(s[:, ::2]) <= [2.4, np.pi / 15]).all(1)]) / end.size,
    lambda s, end: np.mean(((abs(s[:, ::2]) / [2.4, np.pi / 15]).max(1) <= 1) * end),
)
EXERCISE = Exercise(fausses_fins, PROPERTIES, CHANGES, variants=VARIANTS)
