"""Carnet 01 : les deux drapeaux de la fin."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def fin(etat, pas):
    """Rend (terminated, truncated), deux booléens, après le pas numéro `pas` d'un épisode.

    `etat` : (4,), soit x (m), ẋ (m/s), θ (rad) et θ̇ (rad/s), où ce pas a mené ; `pas` va de 1 à
    500. L'épisode est terminé si le chariot a passé 2,4 m ou la tige 12°, d'un côté ou de l'autre ;
    il est interrompu au pas 500, quel que soit l'état.
    """
    x, _, theta, _ = etat
    terminated = abs(x) > 2.4 or abs(theta) > np.radians(12)
    return terminated, pas >= 500


def as_flags(answer, *arguments):
    """Rend ce que rend la réponse ; une liste y vaut un tuple, un booléen de NumPy un autre."""
    value = answer(*arguments)
    if not isinstance(value, tuple | list):
        return value
    return tuple(one.item() if isinstance(one, np.generic) else one for one in value)


def degrees(x: float, angle: float, x_dot: float = 0.0, theta_dot: float = 0.0) -> np.ndarray:
    return np.array([x, x_dot, np.radians(angle), theta_dot])


def any_end(generator: np.random.Generator) -> Cases:
    # les derniers angles distinguent les unités
    for place in (1, 5), (3, 5), (6, 5), (1, 20), (3, 20), (1, 800), (1, 50_000):
        signs, noise = generator.choice([-1, 1], 2), generator.uniform(0.9, 1.1, 2)
        x, angle = place * signs * noise
        speeds = generator.uniform(-3, 3, 2).round(2)
        yield degrees(round(x, 2), round(angle, 1), *speeds), int(generator.integers(1, 400))


TILTED = ((0, 12.1), (0.5, -12.1), (0, 11.9), (0, 12.015), (0.2, 14.0))
FAST = ((0.1, 1, 3.0, 0.1), (-0.1, 2, -0.4, 2.9), (2.39, 1, 3.0, 0.1), (0.1, -11.8, 0.4, -2.9))
ASKED = (
    (
        "ne dit rien tant que la tige tient",
        [(degrees(0.0, 0.0), 1), (degrees(1.2, -8.0), 250)],
        "Tige presque droite, chariot sur le rail : l'épisode continue.",
    ),
    (
        "termine quand le chariot passe 2,4 m, à droite comme à gauche",
        [(degrees(2.41, 0.0), 80), (degrees(-2.41, 3.0), 80)],
        "Comparez la valeur absolue de x à 2,4.",
    ),
    (
        "termine quand la tige passe 12°, d'un côté comme de l'autre",
        [(degrees(x, angle), 30) for x, angle in TILTED],
        "Comparez la valeur absolue de θ à 12°, en radians.",
    ),
    (
        "ne termine pas juste à la limite",
        [(degrees(2.4, 0.0), 90), (degrees(-2.4, 1.0), 90)],
        "À 2,4 m exactement, le chariot est encore sur le rail.",
    ),
    (
        "ne regarde pas les vitesses",
        [(degrees(*one), 40) for one in FAST],
        "Les vitesses n'ont pas de limite : seuls comptent x, le premier, et θ, le troisième.",
    ),
    (
        "interrompt au pas 500, et pas avant",
        [(degrees(0.3, 1.0), 499), (degrees(0.3, 1.0), 500)],
        "Le pas 500 est le dernier : truncated y est vrai, et terminated ne l'est pas.",
    ),
    (
        "au pas 500, peut dire les deux",
        [(degrees(0.0, 13.0), 500), (degrees(2.5, 0.0), 500)],
        "Deux questions, deux réponses : la tige peut tomber au pas même où le temps s'achève.",
    ),
    (
        "vaut pour tout état, même absurde",
        any_end,
        "L'un ou l'autre suffit : le chariot trop loin, ou la tige trop penchée.",
    ),
)

CHANGES = """
et au lieu de ou : 2.4 or → 2.4 and
    Vous demandez les deux, `and` : un seul suffit, le chariot ou la tige.
15 degrés : 12 → 15
    Votre limite est de 15°, celle que dit le document : elle est de 12°.
un angle arrondi : abs(theta) > np.radians(12) → int(abs(np.degrees(theta))) > 12
    Vous arrondissez l'angle : entre 12° et 13°, la tige est déjà tombée.
« | » sans parenthèses : > 2.4 or → > 2.4 |
    `|` passe avant les comparaisons : écrivez `or`, ou des parenthèses.
des degrés comparés à des radians (une autre unité) : np.radians(12) → 12
    Vous comparez des radians à 12 : convertissez d'abord, `np.radians(12)`.
une conversion à l'envers (une autre unité) : radians → degrees
    Votre conversion est à l'envers : un radian vaut 57°, et 12° font 0,21 rad.
π oublié (une autre unité) : np.radians(12) → 12 / 180
    Il manque π à votre conversion : 12° font 12 π / 180 = 0,21 rad.
les limites doublées de l'espace d'observation : 2.4 → 4.8
+ 12 → 24
    Vos limites, 4,8 m et 24°, sont celles de `observation_space` : l'épisode finit à la moitié.
la limite de x doublée : 2.4 → 4.8
    Votre limite en x, 4,8 m, est celle de `observation_space` : l'épisode finit à 2,4 m.
l'angle oublié : or abs(theta) > np.radians(12) → ∅
    Vous oubliez la tige : au-delà de 12°, elle est tombée.
le chariot oublié : abs(x) > 2.4 or → ∅
    Vous oubliez le chariot : au-delà de 2,4 m, il a quitté le rail.
x d'un seul côté : abs(x) → x
    Vous ne voyez pas le chariot sortir à gauche : prenez la valeur absolue de x.
l'angle d'un seul côté : abs(theta) → theta
    Vous ne voyez pas la tige tomber à gauche : prenez la valeur absolue de θ.
la droite seulement : abs(x) → x
+ abs(theta) → theta
    Vous ne voyez rien à gauche : prenez les valeurs absolues de x et de θ.
l'un ou l'autre, mais pas les deux : = (abs(x) > 2.4) ^ (abs(theta) > np.radians(12)), pas >= 500
    Les deux limites peuvent être passées ensemble : `or` le permet, `^` non.
la limite comprise (l'égalité à la limite) : > 2.4 → >= 2.4
+ > np → >= np
    À 2,4 m exactement, Gymnasium continue : l'inégalité est stricte, `>`.
le contraire : return → return not
    Vous dites que l'épisode continue : terminated est vrai quand il finit.
done, pour les deux : = [terminated or pas >= 500] * 2
    Vous rendez deux fois « done » : tomber et être interrompu ne se confondent pas.
un seul done : = terminated or pas >= 500
    Vous rendez un seul booléen : il en faut deux, terminated et truncated.
le chronomètre compté comme une chute (le chronomètre pour une chute) : \
= terminated or pas >= 500, pas >= 500
    Au pas 500, vous déclarez une chute : le chronomètre ne regarde que truncated.
la chute comptée comme une interruption (une chute pour le chronomètre) : \
= terminated, terminated or pas >= 500
    Après une chute, vous déclarez une interruption : truncated ne dit que le temps.
les drapeaux échangés : = pas >= 500, terminated
    Vos deux réponses sont échangées : terminated d'abord, truncated ensuite.
l'interruption effacée par la chute : = terminated, pas >= 500 and not terminated
    La chute efface votre interruption : au pas 500, Gymnasium dit les deux.
la chute effacée par l'interruption : = terminated and pas < 500, pas >= 500
    L'interruption efface votre chute : au pas 500 aussi, une tige peut tomber.
jamais interrompu, ou trop tard : >= 500 → > 500
    Au pas 500, vous n'interrompez pas : c'est pourtant le dernier.
au pas 499 (un rang de décalage) : 500 → 499
    Vous interrompez un pas trop tôt : les pas vont de 1 à 500.
au pas 200 : 500 → 200
    Vous interrompez à 200 pas, comme `CartPole-v0` : `CartPole-v1` va jusqu'à 500.
la vitesse prise pour l'angle : x, _, theta, _ → x, theta, _, _
    Vous prenez ẋ pour l'angle : θ est le troisième nombre, `etat[2]`.
l'état du pas suivant : x, _, theta, _ = etat → x, theta = etat[::2] + 0.02 * etat[1::2]
    Vous jugez l'état du pas suivant : c'est l'état donné qui compte, sans les vitesses.
une limite pour ẋ : abs(x) → max(abs(x), abs(etat[1]))
    Vous limitez aussi la vitesse du chariot : seule sa position compte.
une limite pour θ̇ : abs(theta) → max(abs(theta), abs(etat[3]))
    Vous limitez aussi la vitesse de la tige : seul son angle compte.
"""

LIMITS = np.array([2.4, np.inf, 12 * 2 * np.pi / 360, np.inf])
VARIANTS = (
    lambda etat, pas: (abs(etat[0]) > 2.4 or etat[2] < -0.2095 or etat[2] > 0.2095, pas > 499),
    lambda etat, pas: (np.any(np.abs(etat) > LIMITS), pas == 500),
    lambda etat, pas: [not (abs(etat[0]) <= 2.4 and -12 <= np.degrees(etat[2]) <= 12), pas > 499],
)
EXERCISE = Exercise(fin, [Property(*one, as_flags) for one in ASKED], CHANGES, variants=VARIANTS)
