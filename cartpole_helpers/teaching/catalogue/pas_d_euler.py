"""Carnet 01 : un pas de temps."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def pas_d_euler(etat, x_acceleration, theta_acceleration):
    """Rend l'état (4,) qui suit `etat`, 0,02 s plus tard, par la méthode d'Euler explicite.

    `etat` : (4,), soit x (m), ẋ (m/s), θ (rad) et θ̇ (rad/s) ; les accélérations sont en m/s² et
    en rad/s². Les positions avancent avec les anciennes vitesses.
    """
    x, x_vitesse, theta, theta_vitesse = etat
    return np.array(
        [
            x + 0.02 * x_vitesse,
            x_vitesse + 0.02 * x_acceleration,
            theta + 0.02 * theta_vitesse,
            theta_vitesse + 0.02 * theta_acceleration,
        ]
    )


def plain(etat, x_acceleration, theta_acceleration):
    dt, a = 0.02, np.array([x_acceleration, theta_acceleration])
    p, v = etat[[0, 2]], etat[[1, 3]]
    p, v = p + dt * v, v + dt * a
    return np.stack([p, v], axis=1).ravel()


def as_list(answer, *arguments):
    """Rend ce que rend la réponse ; un tuple y vaut une liste."""
    value = answer(*arguments)
    return list(value) if isinstance(value, tuple) else value


def any_motion(generator: np.random.Generator) -> Cases:
    for _ in range(4):
        state = generator.uniform(-2, 2, size=4).round(2)
        yield state, *generator.uniform(5, 20, size=2).round(1) * generator.choice([-1, 1], 2)


ASKED = (
    (
        "sans accélération, avance les positions de 0,02 fois leur vitesse",
        [(np.array([0.5, 1.0, 0.1, -2.0]), 0.0, 0.0), (np.array([0.0, -3.0, -0.2, 1.0]), 0.0, 0.0)],
        "Chaque position gagne sa vitesse multipliée par la durée du pas, 0,02 s.",
    ),
    (
        "depuis le repos, ne change que les vitesses",
        [(np.zeros(4), 10.0, -15.0), (np.array([1.0, 0.0, -0.1, 0.0]), -8.0, 12.0)],
        "Chaque vitesse gagne son accélération fois 0,02 s ; les positions attendent.",
    ),
    (
        "avance les positions avec les anciennes vitesses",
        [(np.array([1.0, 0.5, 0.1, -1.0]), 10.0, -20.0)],
        "Gardez les anciennes vitesses jusqu'à ce que les positions aient avancé.",
    ),
    ("vaut pour tout état", any_motion, "L'ordre est x, ẋ, θ, θ̇, à l'entrée comme à la sortie."),
)

CHANGES = """
les nouvelles vitesses pour les positions : p + dt * v → p + dt * (v + dt * a)
    Vous avancez les positions avec les nouvelles vitesses : prenez les anciennes.
la moyenne des deux vitesses : p + dt * v → p + dt * v + dt**2 / 2 * a
    Vos positions comptent l'accélération : plus précis, mais le jeu ne le fait pas.
aucune durée : 0.02 → 1
    Vous avez oublié la durée du pas : vous avancez d'une seconde entière.
aucune durée pour les positions : p + dt * v → p + v
    La durée du pas manque aux positions : multipliez leur vitesse par 0,02 s.
aucune durée pour les vitesses : v + dt * a → v + a
    La durée du pas manque aux vitesses : multipliez leur accélération par 0,02 s.
un pas de 0,2 s : 0.02 → 0.2
    Votre pas dure 0,2 s : il en faut dix de moins.
un pas de 0,002 s : 0.02 → 0.002
    Votre pas dure 0,002 s, dix fois trop peu.
la durée au carré : 0.02 → 0.02**2
    Vous multipliez par la durée au carré : une fois suffit.
la durée au carré pour les vitesses : v + dt * a → v + dt**2 * a
    Vos vitesses multiplient l'accélération par la durée au carré : une fois suffit.
divisé par la durée : 0.02 → 1 / 0.02
    Vous divisez par la durée du pas : multipliez.
un pas en arrière (un signe à l'envers) : 0.02 → -0.02
    Le signe est à l'envers : vous revenez un pas en arrière.
deux pas : p, v = p → for _ in range(2): p, v = p
    Vous faites deux pas au lieu d'un.
le changement seul : p + dt * v, v + dt * a → dt * v, dt * a
    Vous rendez le changement seul : ajoutez-le à l'état.
les anciennes vitesses perdues : v + dt * a → dt * a
    Vos vitesses repartent de zéro à chaque pas : l'accélération s'y ajoute.
les accélérations à la place des vitesses : v + dt * a → a
    Vous rendez les accélérations à la place des vitesses.
les vitesses seules : p + dt * v → p
    Vos positions ne bougent pas : elles avancent avec les anciennes vitesses.
les positions seules : v + dt * a → v
    Vos vitesses ne changent pas : les accélérations n'agissent que sur elles.
les positions poussées par l'accélération : p + dt * v → p + dt * a
    Vos positions avancent avec l'accélération : c'est la vitesse qu'il leur faut.
le chariot seul : = np.append([p[0], v[0]], etat[2:])
    Seul le chariot avance : la tige a elle aussi un angle et une vitesse.
la tige seule : = np.append(etat[:2], [p[1], v[1]])
    Seule la tige avance : le chariot a lui aussi une position et une vitesse.
les accélérations échangées : v + dt * a → v + dt * a[::-1]
    Les deux accélérations sont échangées : la première est celle du chariot.
la même accélération pour les deux : theta_acceleration]) → x_acceleration])
    Vous donnez à la tige l'accélération du chariot : chacun la sienne.
les positions d'abord : axis=1 → axis=0
    Vous rendez les positions, puis les vitesses : l'ordre est x, ẋ, θ, θ̇.
l'état lu dans un autre ordre : etat[[0, 2]], etat[[1, 3]] → etat[:2], etat[2:]
    Vous lisez x, θ, ẋ, θ̇ : l'état est dans l'ordre x, ẋ, θ, θ̇.
l'angle en degrés (une autre unité) : [p, v] → [p * [1, 180 / np.pi], v]
    Votre angle est en degrés : tout est en radians.
"""


def with_steps(etat, x_acceleration, theta_acceleration):
    following = etat.copy()
    following[[0, 2]] += etat[[1, 3]] / 50
    following[[1, 3]] += np.array([x_acceleration, theta_acceleration]) / 50
    return following


VARIANTS = (
    with_steps,
    lambda etat, a, b: tuple((etat + np.array([etat[1], a, etat[3], b]) / 50).tolist()),
    lambda etat, a, b: etat + 0.02 * np.array([etat[1], a, etat[3], b]),
)
PROPERTIES = [Property(*one, as_list) for one in ASKED]
EXERCISE = Exercise(pas_d_euler, PROPERTIES, CHANGES, (), VARIANTS, plain)
