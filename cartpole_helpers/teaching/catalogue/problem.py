"""Lire des courbes et refaire le jeu, carnets 00 et 01 : part réussie, pas d'Euler, deux fins."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

# La part des graines qui réussissent (00)


def part_reussie(retours, seuil):
    """Rend la part, de 0 à 1, des graines dont la dernière évaluation atteint `seuil`.

    `retours` : (graines, évaluations), une ligne par graine, de la première évaluation à la
    dernière ; `seuil` : le retour (pas) à partir duquel une évaluation est réussie.
    """
    return np.mean(retours[:, -1] >= seuil)


def _ends_well(_) -> Iterator[tuple]:
    yield np.array([[20.0, 480.0], [30.0, 200.0], [10.0, 500.0], [15.0, 490.0]]), 475
    yield np.array([[9.0, 10.0, 11.0], [20.0, 60.0, 90.0]]), 475


def _falls_back(_) -> Iterator[tuple]:
    yield np.array([[500.0, 120.0], [20.0, 500.0], [490.0, 30.0], [480.0, 480.0]]), 475
    yield np.array([[500.0, 500.0, 40.0], [500.0, 480.0, 90.0], [10.0, 20.0, 495.0]]), 475
    yield np.array([[500.0, 20.0, 30.0], [20.0, 30.0, 40.0]]), 475


def _ties(_) -> Iterator[tuple]:
    yield np.array([[20.0, 475.0], [500.0, 474.0]]), 475
    yield np.array([[0.0, 100.0], [0.0, 100.0], [0.0, 99.5]]), 100


def _any_curves(generator: np.random.Generator) -> Iterator[tuple]:
    for seeds, moments in ((1, 3), (3, 8), (7, 2), (12, 5)):
        returns = generator.integers(1, 6, size=(seeds, moments)) * 100.0
        yield returns, int(generator.integers(2, 6)) * 100


def _share(successes: Callable) -> Callable:
    """Rend la part des réussites que dit `successes(retours, seuil)`, un booléen par graine."""

    def answer(retours, seuil):
        return np.mean(successes(retours, seuil))

    return answer


def _reached_count(retours, seuil):
    return np.sum(retours[:, -1] >= seuil)


def _percentage(retours, seuil):
    return 100 * np.mean(retours[:, -1] >= seuil)


def _reached_list(retours, seuil):
    return retours[:, -1] >= seuil


def _mean_reaches(retours, seuil):
    return bool(np.mean(retours[:, -1]) >= seuil)


def _mean_over_threshold(retours, seuil):
    return np.mean(retours[:, -1]) / seuil


def _over_the_moments(retours, seuil):
    return np.sum(retours[:, -1] >= seuil) / retours.shape[1]


def _over_everything(retours, seuil):
    return np.sum(retours[:, -1] >= seuil) / retours.size


def _share_of_each_moment(retours, seuil):
    return np.mean(retours >= seuil, axis=0)


def _share_with_loop(retours, seuil):
    successes = 0
    for curve in retours:
        if curve[-1] >= seuil:
            successes += 1
    return successes / len(retours)


def _share_with_filter(retours, seuil):
    last = retours[:, retours.shape[1] - 1]
    return len(last[last >= seuil]) / last.size


def _share_with_failures(retours, seuil):
    return 1 - float(np.count_nonzero(retours.T[-1] < seuil)) / len(retours)


SHARE = Exercise(
    part_reussie,
    (
        Property(
            "donne la part des graines qui finissent au-dessus du seuil",
            _ends_well,
            "Comparez la dernière colonne au seuil, puis prenez la moyenne de ces vrais et faux.",
        ),
        Property(
            "juge la fin, et non le meilleur moment",
            _falls_back,
            "Une graine qui retombe n'a pas réussi : ne regardez que sa dernière évaluation.",
        ),
        Property(
            "compte pour réussie une graine juste au seuil",
            _ties,
            "Atteindre le seuil suffit : il n'est pas nécessaire de le dépasser.",
        ),
        Property(
            "vaut pour tout nombre de graines et d'évaluations",
            _any_curves,
            "Les graines sont les lignes, `retours[i]` ; les évaluations, les colonnes.",
        ),
    ),
    (
        Mistake(
            "le meilleur moment",
            _share(lambda returns, bar: returns.max(axis=1) >= bar),
            "Vous jugez chaque graine à son meilleur moment : c'est choisir après coup. "
            "Jugez-la à la fin.",
        ),
        Mistake(
            "une inégalité stricte",
            _share(lambda returns, bar: returns[:, -1] > bar),
            "Votre inégalité est stricte : une graine juste au seuil l'atteint.",
        ),
        Mistake(
            "le nombre",
            _reached_count,
            "Vous comptez les graines : divisez par leur nombre pour en donner la part.",
        ),
        Mistake(
            "un pourcentage",
            _percentage,
            "Vous rendez un pourcentage : la part attendue va de 0 à 1.",
        ),
        Mistake(
            "la liste des réussites",
            _reached_list,
            "Vous rendez un vrai ou faux par graine : prenez-en la moyenne.",
        ),
        Mistake(
            "toutes les évaluations",
            _share(lambda returns, bar: returns >= bar),
            "Vous mêlez toutes les évaluations : seule compte la dernière de chaque graine.",
        ),
        Mistake(
            "une courbe au lieu d'un nombre",
            _share_of_each_moment,
            "Vous rendez une part par évaluation : gardez la dernière.",
        ),
        Mistake(
            "la dernière graine",
            _share(lambda returns, bar: returns[-1] >= bar),
            "`retours[-1]` est la dernière graine : la dernière évaluation est `retours[:, -1]`.",
        ),
        Mistake(
            "la première évaluation",
            _share(lambda returns, bar: returns[:, 0] >= bar),
            "Vous lisez la première évaluation, d'avant l'apprentissage : prenez la dernière.",
        ),
        Mistake(
            "l'avant-dernière évaluation",
            _share(lambda returns, bar: returns[:, -2] >= bar),
            "Vous lisez l'avant-dernière évaluation : la dernière porte le numéro −1.",
        ),
        Mistake(
            "la moyenne de chaque courbe",
            _share(lambda returns, bar: returns.mean(axis=1) >= bar),
            "Vous faites la moyenne de chaque courbe : le début y compte autant que la fin.",
        ),
        Mistake(
            "toujours au-dessus",
            _share(lambda returns, bar: (returns >= bar).all(axis=1)),
            "Vous exigez le seuil à chaque évaluation : aucun agent ne l'a dès le départ.",
        ),
        Mistake(
            "les échecs",
            _share(lambda returns, bar: returns[:, -1] < bar),
            "Vous rendez la part des graines qui échouent : l'inégalité est à l'envers.",
        ),
        Mistake(
            "la moyenne des retours, comparée",
            _mean_reaches,
            "Vous comparez la moyenne des graines : une très bonne y cache des échecs. Comparez "
            "chacune.",
        ),
        Mistake(
            "la moyenne des retours, divisée",
            _mean_over_threshold,
            "Vous divisez des retours par le seuil : une graine réussit ou non, sans milieu.",
        ),
        Mistake(
            "divisée par le nombre d'évaluations",
            _over_the_moments,
            "Vous divisez par le nombre d'évaluations : divisez par celui des graines.",
        ),
        Mistake(
            "divisée par la taille du tableau",
            _over_everything,
            "Vous divisez par la taille du tableau : divisez par le nombre de ses lignes.",
        ),
    ),
    (_share_with_loop, _share_with_filter, _share_with_failures),
)


# Un pas de temps (01)


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


def _as_list(answer: Callable, *arguments):
    """Rend ce que rend la réponse ; un tuple y vaut une liste."""
    value = answer(*arguments)
    return list(value) if isinstance(value, tuple) else value


def _coasting(_) -> Iterator[tuple]:
    yield np.array([0.5, 1.0, 0.1, -2.0]), 0.0, 0.0
    yield np.array([0.0, -3.0, -0.2, 1.0]), 0.0, 0.0


def _pushed_from_rest(_) -> Iterator[tuple]:
    yield np.zeros(4), 10.0, -15.0
    yield np.array([1.0, 0.0, -0.1, 0.0]), -8.0, 12.0


def _pushed_on_the_way(_) -> Iterator[tuple]:
    yield np.array([1.0, 0.5, 0.1, -1.0]), 10.0, -20.0


def _any_motion(generator: np.random.Generator) -> Iterator[tuple]:
    for _ in range(4):
        state = generator.uniform(-2, 2, size=4).round(2)
        yield state, *generator.uniform(5, 20, size=2).round(1) * generator.choice([-1, 1], 2)


def _stepping(move: Callable) -> Callable:
    """Rend le pas dont `move(position, vitesse, accélération)` donne position et vitesse."""

    def answer(etat, x_acceleration, theta_acceleration):
        x, x_dot, theta, theta_dot = etat
        cart, pole = move(x, x_dot, x_acceleration), move(theta, theta_dot, theta_acceleration)
        return np.array([*cart, *pole])

    return answer


def _lasting(duration: float) -> Callable:
    return _stepping(lambda p, v, a: (p + duration * v, v + duration * a))


def _euler_x_only(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat * [1, 1, 0, 0], x_acceleration, 0) + etat * [0, 0, 1, 1]


def _euler_theta_only(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat * [0, 0, 1, 1], 0, theta_acceleration) + etat * [1, 1, 0, 0]


def _accelerations_exchanged(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat, theta_acceleration, x_acceleration)


def _positions_first(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat, x_acceleration, theta_acceleration)[[0, 2, 1, 3]]


def _read_positions_first(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat[[0, 2, 1, 3]], x_acceleration, theta_acceleration)


def _one_acceleration(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat, x_acceleration, x_acceleration)


def _in_degrees(etat, x_acceleration, theta_acceleration):
    return pas_d_euler(etat, x_acceleration, theta_acceleration) * [1, 1, 180 / math.pi, 1]


def _twice(etat, x_acceleration, theta_acceleration):
    once = pas_d_euler(etat, x_acceleration, theta_acceleration)
    return pas_d_euler(once, x_acceleration, theta_acceleration)


def _euler_with_slope(etat, x_acceleration, theta_acceleration):
    slope = np.array([etat[1], x_acceleration, etat[3], theta_acceleration])
    return etat + 0.02 * slope


def _euler_with_steps(etat, x_acceleration, theta_acceleration):
    following = etat.copy()
    following[0] += etat[1] / 50
    following[2] += etat[3] / 50
    following[[1, 3]] += np.array([x_acceleration, theta_acceleration]) / 50
    return following


def _euler_as_tuple(etat, x_acceleration, theta_acceleration):
    x, x_dot, theta, theta_dot = map(float, etat)
    x, x_dot = x + x_dot * 2e-2, x_dot + x_acceleration * 2e-2
    theta, theta_dot = theta + theta_dot * 2e-2, theta_dot + theta_acceleration * 2e-2
    return x, x_dot, theta, theta_dot


EULER = Exercise(
    pas_d_euler,
    (
        Property(
            "sans accélération, avance les positions de 0,02 fois leur vitesse",
            _coasting,
            "Chaque position gagne sa vitesse multipliée par la durée du pas, 0,02 s.",
            _as_list,
        ),
        Property(
            "depuis le repos, ne change que les vitesses",
            _pushed_from_rest,
            "Chaque vitesse gagne son accélération fois 0,02 s ; les positions attendent.",
            _as_list,
        ),
        Property(
            "avance les positions avec les anciennes vitesses",
            _pushed_on_the_way,
            "Gardez les anciennes vitesses jusqu'à ce que les positions aient avancé.",
            _as_list,
        ),
        Property(
            "vaut pour tout état",
            _any_motion,
            "L'ordre est x, ẋ, θ, θ̇, à l'entrée comme à la sortie.",
            _as_list,
        ),
    ),
    (
        Mistake(
            "les nouvelles vitesses pour les positions",
            _stepping(lambda p, v, a: (p + 0.02 * (v + 0.02 * a), v + 0.02 * a)),
            "Vous avancez les positions avec les nouvelles vitesses : prenez les anciennes.",
        ),
        Mistake(
            "la moyenne des deux vitesses",
            _stepping(lambda p, v, a: (p + 0.02 * v + 0.0002 * a, v + 0.02 * a)),
            "Vos positions comptent l'accélération : plus précis, mais le jeu ne le fait pas.",
        ),
        Mistake(
            "aucune durée",
            _lasting(1.0),
            "Vous avez oublié la durée du pas : vous avancez d'une seconde entière.",
        ),
        Mistake(
            "aucune durée pour les positions",
            _stepping(lambda p, v, a: (p + v, v + 0.02 * a)),
            "La durée du pas manque aux positions : multipliez leur vitesse par 0,02 s.",
        ),
        Mistake(
            "aucune durée pour les vitesses",
            _stepping(lambda p, v, a: (p + 0.02 * v, v + a)),
            "La durée du pas manque aux vitesses : multipliez leur accélération par 0,02 s.",
        ),
        Mistake(
            "un pas de 0,2 s", _lasting(0.2), "Votre pas dure 0,2 s : il en faut dix de moins."
        ),
        Mistake("un pas de 0,002 s", _lasting(0.002), "Votre pas dure 0,002 s, dix fois trop peu."),
        Mistake(
            "la durée au carré",
            _lasting(0.02**2),
            "Vous multipliez par la durée au carré : une fois suffit.",
        ),
        Mistake(
            "la durée au carré pour les vitesses",
            _stepping(lambda p, v, a: (p + 0.02 * v, v + 0.02**2 * a)),
            "Vos vitesses multiplient l'accélération par la durée au carré : une fois suffit.",
        ),
        Mistake(
            "divisé par la durée",
            _lasting(50.0),
            "Vous divisez par la durée du pas : multipliez.",
        ),
        Mistake(
            "un pas en arrière",
            _lasting(-0.02),
            "Le signe est à l'envers : vous revenez un pas en arrière.",
        ),
        Mistake("deux pas", _twice, "Vous faites deux pas au lieu d'un."),
        Mistake(
            "le changement seul",
            _stepping(lambda p, v, a: (0.02 * v, 0.02 * a)),
            "Vous rendez le changement seul : ajoutez-le à l'état.",
        ),
        Mistake(
            "les anciennes vitesses perdues",
            _stepping(lambda p, v, a: (p + 0.02 * v, 0.02 * a)),
            "Vos vitesses repartent de zéro à chaque pas : l'accélération s'y ajoute.",
        ),
        Mistake(
            "les accélérations à la place des vitesses",
            _stepping(lambda p, v, a: (p + 0.02 * v, a)),
            "Vous rendez les accélérations à la place des vitesses.",
        ),
        Mistake(
            "les vitesses seules",
            _stepping(lambda p, v, a: (p, v + 0.02 * a)),
            "Vos positions ne bougent pas : elles avancent avec les anciennes vitesses.",
        ),
        Mistake(
            "les positions seules",
            _stepping(lambda p, v, a: (p + 0.02 * v, v)),
            "Vos vitesses ne changent pas : les accélérations n'agissent que sur elles.",
        ),
        Mistake(
            "les positions poussées par l'accélération",
            _stepping(lambda p, v, a: (p + 0.02 * a, v + 0.02 * a)),
            "Vos positions avancent avec l'accélération : c'est la vitesse qu'il leur faut.",
        ),
        Mistake(
            "le chariot seul",
            _euler_x_only,
            "Seul le chariot avance : la tige a elle aussi un angle et une vitesse.",
        ),
        Mistake(
            "la tige seule",
            _euler_theta_only,
            "Seule la tige avance : le chariot a lui aussi une position et une vitesse.",
        ),
        Mistake(
            "les accélérations échangées",
            _accelerations_exchanged,
            "Les deux accélérations sont échangées : la première est celle du chariot.",
        ),
        Mistake(
            "la même accélération pour les deux",
            _one_acceleration,
            "Vous donnez à la tige l'accélération du chariot : chacun la sienne.",
        ),
        Mistake(
            "les positions d'abord",
            _positions_first,
            "Vous rendez les positions, puis les vitesses : l'ordre est x, ẋ, θ, θ̇.",
        ),
        Mistake(
            "l'état lu dans un autre ordre",
            _read_positions_first,
            "Vous lisez x, θ, ẋ, θ̇ : l'état est dans l'ordre x, ẋ, θ, θ̇.",
        ),
        Mistake(
            "l'angle en degrés",
            _in_degrees,
            "Votre angle est en degrés : tout est en radians.",
        ),
    ),
    (_euler_with_slope, _euler_with_steps, _euler_as_tuple),
)


# Les deux drapeaux de la fin (01)


def fin(etat, pas):
    """Rend (terminated, truncated), deux booléens, après le pas numéro `pas` d'un épisode.

    `etat` : (4,), soit x (m), ẋ (m/s), θ (rad) et θ̇ (rad/s), où ce pas a mené ; `pas` va de 1 à
    500. L'épisode est terminé si le chariot a passé 2,4 m ou la tige 12°, d'un côté ou de l'autre ;
    il est interrompu au pas 500, quel que soit l'état.
    """
    x, _, theta, _ = etat
    terminated = abs(x) > 2.4 or abs(theta) > np.radians(12)
    return terminated, pas >= 500


def _as_flags(answer: Callable, *arguments):
    """Rend ce que rend la réponse ; une liste y vaut un tuple, un booléen de NumPy un autre."""
    value = answer(*arguments)
    if not isinstance(value, tuple | list):
        return value
    return tuple(one.item() if isinstance(one, np.generic) else one for one in value)


def _degrees(x: float, angle: float, x_dot: float = 0.0, theta_dot: float = 0.0) -> np.ndarray:
    return np.array([x, x_dot, math.radians(angle), theta_dot])


def _standing(_) -> Iterator[tuple]:
    yield _degrees(0.0, 0.0), 1
    yield _degrees(1.2, -8.0), 250


def _out_of_the_track(_) -> Iterator[tuple]:
    yield _degrees(2.41, 0.0), 80
    yield _degrees(-2.41, 3.0), 80


def _tilted(_) -> Iterator[tuple]:
    yield _degrees(0.0, 12.1), 30
    yield _degrees(0.5, -12.1), 30
    yield _degrees(0.0, 11.9), 30
    yield np.array([0.0, 0.0, 0.2097, 0.0]), 30  # 12,015°


def _at_the_edge(_) -> Iterator[tuple]:
    yield _degrees(2.4, 0.0), 90
    yield _degrees(-2.4, 1.0), 90


def _fast(_) -> Iterator[tuple]:
    yield _degrees(0.1, 1.0, x_dot=3.0, theta_dot=0.1), 40
    yield _degrees(-0.1, 2.0, x_dot=-0.4, theta_dot=2.9), 40


def _at_the_clock(_) -> Iterator[tuple]:
    yield _degrees(0.3, 1.0), 499
    yield _degrees(0.3, 1.0), 500


def _fallen_at_the_clock(_) -> Iterator[tuple]:
    yield _degrees(0.0, 13.0), 500
    yield _degrees(2.5, 0.0), 500


def _any_end(generator: np.random.Generator) -> Iterator[tuple]:
    places = ((1, 5), (3, 5), (6, 5), (1, 20), (3, 20), (1, 800), (1, 50_000))
    for x, angle in places:  # les derniers angles distinguent les unités
        signs, noise = generator.choice([-1, 1], 2), generator.uniform(0.9, 1.1, 2)
        x, angle = (x, angle) * signs * noise
        speeds = generator.uniform(-3, 3, 2).round(2)
        yield _degrees(round(x, 2), round(angle, 1), *speeds), int(generator.integers(1, 400))


END_PROPERTIES = (
    Property(
        "ne dit rien tant que la tige tient",
        _standing,
        "Tige presque droite, chariot sur le rail : l'épisode continue.",
        _as_flags,
    ),
    Property(
        "termine quand le chariot passe 2,4 m, à droite comme à gauche",
        _out_of_the_track,
        "Comparez la valeur absolue de x à 2,4.",
        _as_flags,
    ),
    Property(
        "termine quand la tige passe 12°, d'un côté comme de l'autre",
        _tilted,
        "Comparez la valeur absolue de θ à 12°, en radians.",
        _as_flags,
    ),
    Property(
        "ne termine pas juste à la limite",
        _at_the_edge,
        "À 2,4 m exactement, le chariot est encore sur le rail.",
        _as_flags,
    ),
    Property(
        "ne regarde pas les vitesses",
        _fast,
        "Les vitesses n'ont pas de limite : seuls comptent x, le premier, et θ, le troisième.",
        _as_flags,
    ),
    Property(
        "interrompt au pas 500, et pas avant",
        _at_the_clock,
        "Le pas 500 est le dernier : truncated y est vrai, et terminated ne l'est pas.",
        _as_flags,
    ),
    Property(
        "au pas 500, peut dire les deux",
        _fallen_at_the_clock,
        "Deux questions, deux réponses : la tige peut tomber au pas même où le temps s'achève.",
        _as_flags,
    ),
    Property(
        "vaut pour tout état, même absurde",
        _any_end,
        "L'un ou l'autre suffit : le chariot trop loin, ou la tige trop penchée.",
        _as_flags,
    ),
)


def _ending(fallen: Callable) -> Callable:
    """Rend les deux drapeaux, le premier dit par `fallen(x, θ)`."""

    def answer(etat, pas):
        return bool(fallen(etat[0], etat[2])), pas >= 500

    return answer


def _flagging(flags: Callable) -> Callable:
    """Rend ce que `flags(tombé, temps écoulé)` fait des deux bonnes réponses."""

    def answer(etat, pas):
        return flags(*fin(etat, pas))

    return answer


def _timed(over: Callable) -> Callable:
    """Rend les deux drapeaux, le second dit par `over(pas)`."""

    def answer(etat, pas):
        return fin(etat, pas)[0], over(pas)

    return answer


def _tilt(limit: float) -> Callable:
    return _ending(lambda x, theta: abs(x) > 2.4 or abs(theta) > limit)


def _first_two(etat, pas):
    return bool(abs(etat[0]) > 2.4 or abs(etat[1]) > math.radians(12)), pas >= 500


def _x_dot_too(etat, pas):
    x, x_dot, theta, _ = etat
    return max(abs(x), abs(x_dot)) > 2.4 or abs(theta) > math.radians(12), pas >= 500


def _theta_dot_too(etat, pas):
    x, _, *pole = etat
    return abs(x) > 2.4 or max(map(abs, pole)) > math.radians(12), pas >= 500


ANGLE = math.radians(12)


def _end_with_limits(etat, pas):
    limits = np.array([2.4, np.inf, 12 * 2 * math.pi / 360, np.inf])
    return np.any(np.abs(etat) > limits), pas == 500


def _end_with_intervals(etat, pas):
    on_the_track = -2.4 <= etat[0] <= 2.4
    upright = -12 <= np.degrees(etat[2]) <= 12
    return [not (on_the_track and upright), not pas < 500]


def _end_with_if(etat, pas):
    terminated = truncated = False
    if etat[0] < -2.4 or etat[0] > 2.4:
        terminated = True
    if etat[2] < -0.2095 or etat[2] > 0.2095:
        terminated = True
    if pas > 499:
        truncated = True
    return terminated, truncated


END = Exercise(
    fin,
    END_PROPERTIES,
    (
        Mistake(
            "15 degrés",
            _tilt(math.radians(15)),
            "Votre limite est de 15°, celle que dit le document : elle est de 12°.",
        ),
        Mistake(
            "des degrés comparés à des radians",
            _tilt(12),
            "Vous comparez des radians à 12 : convertissez d'abord, `np.radians(12)`.",
        ),
        Mistake(
            "une conversion à l'envers",
            _tilt(12 * 180 / math.pi),
            "Votre conversion est à l'envers : un radian vaut 57°, et 12° font 0,21 rad.",
        ),
        Mistake(
            "π oublié",
            _tilt(12 / 180),
            "Il manque π à votre conversion : 12° font 12 π / 180 = 0,21 rad.",
        ),
        Mistake(
            "les limites doublées de l'espace d'observation",
            _ending(lambda x, theta: abs(x) > 4.8 or abs(theta) > math.radians(24)),
            "Vos limites, 4,8 m et 24°, sont celles de `observation_space` : l'épisode finit à la "
            "moitié.",
        ),
        Mistake(
            "la limite de x doublée",
            _ending(lambda x, theta: abs(x) > 4.8 or abs(theta) > ANGLE),
            "Votre limite en x, 4,8 m, est celle de `observation_space` : l'épisode finit à 2,4 m.",
        ),
        Mistake(
            "l'angle oublié",
            _ending(lambda x, theta: abs(x) > 2.4),
            "Vous oubliez la tige : au-delà de 12°, elle est tombée.",
        ),
        Mistake(
            "le chariot oublié",
            _ending(lambda x, theta: abs(theta) > ANGLE),
            "Vous oubliez le chariot : au-delà de 2,4 m, il a quitté le rail.",
        ),
        Mistake(
            "x d'un seul côté",
            _ending(lambda x, theta: x > 2.4 or abs(theta) > ANGLE),
            "Vous ne voyez pas le chariot sortir à gauche : prenez la valeur absolue de x.",
        ),
        Mistake(
            "l'angle d'un seul côté",
            _ending(lambda x, theta: abs(x) > 2.4 or theta > ANGLE),
            "Vous ne voyez pas la tige tomber à gauche : prenez la valeur absolue de θ.",
        ),
        Mistake(
            "la droite seulement",
            _ending(lambda x, theta: x > 2.4 or theta > ANGLE),
            "Vous ne voyez rien à gauche : prenez les valeurs absolues de x et de θ.",
        ),
        Mistake(
            "et au lieu de ou",
            _ending(lambda x, theta: abs(x) > 2.4 and abs(theta) > ANGLE),
            "Vous demandez les deux, `and` : un seul suffit, le chariot ou la tige.",
        ),
        Mistake(
            "l'un ou l'autre, mais pas les deux",
            _ending(lambda x, theta: (abs(x) > 2.4) != (abs(theta) > ANGLE)),
            "Les deux limites peuvent être passées ensemble : `or` le permet, `^` non.",
        ),
        Mistake(
            "la limite comprise",
            _ending(lambda x, theta: abs(x) >= 2.4 or abs(theta) >= ANGLE),
            "À 2,4 m exactement, Gymnasium continue : l'inégalité est stricte, `>`.",
        ),
        Mistake(
            "le contraire",
            _flagging(lambda fallen, clock: (not fallen, clock)),
            "Vous dites que l'épisode continue : terminated est vrai quand il finit.",
        ),
        Mistake(
            "done, pour les deux",
            _flagging(lambda fallen, clock: (fallen or clock, fallen or clock)),
            "Vous rendez deux fois « done » : tomber et être interrompu ne se confondent pas.",
        ),
        Mistake(
            "un seul done",
            _flagging(lambda fallen, clock: fallen or clock),
            "Vous rendez un seul booléen : il en faut deux, terminated et truncated.",
        ),
        Mistake(
            "le chronomètre compté comme une chute",
            _flagging(lambda fallen, clock: (fallen or clock, clock)),
            "Au pas 500, vous déclarez une chute : le chronomètre ne regarde que truncated.",
        ),
        Mistake(
            "la chute comptée comme une interruption",
            _flagging(lambda fallen, clock: (fallen, fallen or clock)),
            "Après une chute, vous déclarez une interruption : truncated ne dit que le temps.",
        ),
        Mistake(
            "les drapeaux échangés",
            _flagging(lambda fallen, clock: (clock, fallen)),
            "Vos deux réponses sont échangées : terminated d'abord, truncated ensuite.",
        ),
        Mistake(
            "l'interruption effacée par la chute",
            _flagging(lambda fallen, clock: (fallen, clock and not fallen)),
            "La chute efface votre interruption : au pas 500, Gymnasium dit les deux.",
        ),
        Mistake(
            "la chute effacée par l'interruption",
            _flagging(lambda fallen, clock: (fallen and not clock, clock)),
            "L'interruption efface votre chute : au pas 500 aussi, une tige peut tomber.",
        ),
        Mistake(
            "jamais interrompu, ou trop tard",
            _timed(lambda step: step > 500),
            "Au pas 500, vous n'interrompez pas : c'est pourtant le dernier.",
        ),
        Mistake(
            "au pas 499",
            _timed(lambda step: step >= 499),
            "Vous interrompez un pas trop tôt : les pas vont de 1 à 500.",
        ),
        Mistake(
            "au pas 200",
            _timed(lambda step: step >= 200),
            "Vous interrompez à 200 pas, comme `CartPole-v0` : `CartPole-v1` va jusqu'à 500.",
        ),
        Mistake(
            "la vitesse prise pour l'angle",
            _first_two,
            "Vous prenez ẋ pour l'angle : θ est le troisième nombre, `etat[2]`.",
        ),
        Mistake(
            "une limite pour ẋ",
            _x_dot_too,
            "Vous limitez aussi la vitesse du chariot : seule sa position compte.",
        ),
        Mistake(
            "une limite pour θ̇",
            _theta_dot_too,
            "Vous limitez aussi la vitesse de la tige : seul son angle compte.",
        ),
    ),
    (_end_with_limits, _end_with_intervals, _end_with_if),
)

EXERCISES = (SHARE, EULER, END)
