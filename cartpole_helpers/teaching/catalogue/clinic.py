"""La clinique du DQN, carnet 09 : fausses fins, γ apparent, valeur d'un diagnostic."""

from collections.abc import Callable, Iterator

import numpy as np

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

# La part des fausses fins


def fausses_fins(successeur, terminee):
    """Rend la part des transitions qui se disent terminées alors que la tige y est debout.

    `successeur` (N, 4) : les états d'arrivée, soit x (m), ẋ (m/s), θ (rad) et θ̇ (rad/s) ;
    `terminee` (N,) : des booléens. La tige est debout quand |x| ≤ 2,4 m et |θ| ≤ 12°, à la fois.
    La part est celle de toutes les transitions.
    """
    x, theta = successeur[:, 0], successeur[:, 2]
    debout = (np.abs(x) <= 2.4) & (np.abs(theta) <= np.deg2rad(12))
    return np.mean(terminee & debout)


def _states(*rows: tuple) -> np.ndarray:
    return np.array(rows, float)


def _one_transition(_) -> Iterator[tuple]:
    yield _states((0.1, 0.2, 0.05, -0.3)), np.array([True])
    yield _states((0.1, 0.2, 0.05, -0.3)), np.array([False])
    yield _states((0.1, 0.2, 0.3, 1.5)), np.array([True])


def _both_limits(_) -> Iterator[tuple]:
    """Hors d'une limite ou des deux, de chaque côté ; vite, mais debout. Tous sont terminés."""
    every = np.ones(3, bool)
    yield _states((2.5, 0.0, 0.0, 0.0), (0.0, 0.0, 0.4, 0.0), (0.0, 0.0, 0.0, 0.0)), every
    yield _states((-2.6, 0.0, 0.1, 0.0), (1.0, 0.0, -0.3, 0.0), (2.6, 0.0, 0.5, 0.0)), every
    yield _states((1.0, 3.0, 0.1, -2.0), (0.0, 2.0, 0.4, 0.1), (3.0, 0.1, 0.0, 0.0)), every


def _in_radians(_) -> Iterator[tuple]:
    yield _states((0.0, 0.0, 0.2, 0.0), (0.0, 0.0, 0.22, 0.0)), np.ones(2, bool)
    # 13 radians, deux tours : ce qui sépare un θ oublié d'un θ comparé à 12.
    yield _states((0.0, 0.0, -0.25, 0.0), (0.0, 0.0, -0.2, 0.0), (1, 0, 13, 0)), np.ones(3, bool)


def _at_the_edge(_) -> Iterator[tuple]:
    yield _states((2.4, 0.0, 0.0, 0.0), (-2.4, 0.0, 0.1, 0.0)), np.ones(2, bool)
    yield _states((2.4, 0.0, 0.3, 0.0), (-2.41, 0.0, 0.1, 0.0)), np.ones(2, bool)


def _among_all(_) -> Iterator[tuple]:
    standing, fallen = (0.5, 1.0, 0.1, -1.0), (0.5, 1.0, 0.25, 1.0)
    rows = _states(standing, standing, standing, fallen, fallen)
    yield rows, np.array([True, False, False, True, False])
    yield rows, np.array([True, True, False, False, False])
    yield rows[1:], np.array([False, False, False, False])


def _any_memory(generator: np.random.Generator) -> Iterator[tuple]:
    for count in (12, 30, 200):
        states = generator.uniform(-1, 1, (count, 4)) * [3.2, 2.0, 0.32, 2.0]
        yield states.round(2), generator.random(count) < 0.5


def _standing(states: np.ndarray, theta: int = 2, angle: float = 12.0) -> np.ndarray:
    """Dit quels états sont debout, d'après x, la colonne `theta` et un angle (degrés)."""
    near = np.abs(states[:, 0]) <= 2.4
    return near & (np.abs(states[:, theta]) <= np.deg2rad(angle))


def _ended_and(kind: Callable) -> Callable:
    """Rend la part des transitions terminées où `kind(successeur)` (N,) est vrai."""
    return lambda successeur, terminee: np.mean(terminee & kind(successeur))


def _share_of(kind: Callable) -> Callable:
    """Rend la part des transitions où `kind(debout, terminee)` (N,) est vrai."""
    return lambda successeur, terminee: np.mean(kind(_standing(successeur), terminee))


def _false_ends_with_a_loop(successeur, terminee):
    count = 0
    for (x, _, theta, _), ended in zip(successeur, terminee, strict=True):
        if ended and -2.4 <= x <= 2.4 and abs(np.rad2deg(theta)) <= 12:
            count += 1
    return count / len(terminee)


def _false_ends_by_removing(successeur, terminee):
    fallen = (abs(successeur[:, 0]) > 2.4) | (abs(successeur[:, 2]) > 12 * np.pi / 180)
    return np.count_nonzero(terminee[~fallen]) / terminee.size


def _false_ends_by_product(successeur, terminee):
    worst = np.max(np.abs(successeur[:, ::2]) / [2.4, 12 * 2 * np.pi / 360], axis=1)
    return float(((worst <= 1) * terminee).sum() / successeur.shape[0])


FALSE_ENDS = Exercise(
    fausses_fins,
    (
        Property(
            "compte une fin dont la tige est debout, et elle seule",
            _one_transition,
            "Deux conditions à la fois : la transition se dit terminée, et la tige est debout.",
        ),
        Property(
            "dit tombé ce qui sort de l'une des limites, d'un côté comme de l'autre",
            _both_limits,
            "Debout, c'est |x| ≤ 2,4 et |θ| ≤ 12°, ensemble ; les vitesses n'y font rien.",
        ),
        Property(
            "compare θ, en radians, à 12 degrés",
            _in_radians,
            "L'état donne θ en radians : 12 degrés y font environ 0,21.",
        ),
        Property(
            "dit debout un chariot juste à la limite",
            _at_the_edge,
            "À 2,4 m, le chariot est encore dans les limites : pour tomber, il faut les dépasser.",
        ),
        Property(
            "rend une part de toutes les transitions",
            _among_all,
            "Comptez les fausses fins, puis divisez par le nombre de toutes les transitions.",
        ),
        Property(
            "vaut pour toute mémoire",
            _any_memory,
            "Un booléen par transition, terminée et debout, puis la moyenne.",
        ),
    ),
    (
        Mistake(
            "θ seul",
            _ended_and(lambda states: np.abs(states[:, 2]) <= np.deg2rad(12)),
            "Vous ne regardez que la tige : un chariot sorti des 2,4 m est tombé, lui aussi.",
        ),
        Mistake(
            "x seul",
            _ended_and(lambda states: np.abs(states[:, 0]) <= 2.4),
            "Vous ne regardez que le chariot : une tige au-delà de 12° est tombée.",
        ),
        Mistake(
            "l'une des deux limites",
            _ended_and(
                lambda states: (
                    (np.abs(states[:, 0]) <= 2.4) | (np.abs(states[:, 2]) <= np.deg2rad(12))
                )
            ),
            "Avec « ou », une seule limite respectée suffit : debout, c'est les deux à la fois.",
        ),
        Mistake(
            "sans valeur absolue",
            _ended_and(lambda states: (states[:, 0] <= 2.4) & (states[:, 2] <= np.deg2rad(12))),
            "Sans valeur absolue, une chute à gauche passe pour un état debout.",
        ),
        Mistake(
            "θ sans valeur absolue",
            _ended_and(
                lambda states: (np.abs(states[:, 0]) <= 2.4) & (states[:, 2] <= np.deg2rad(12))
            ),
            "θ n'a pas de valeur absolue : une tige tombée à gauche passe pour debout.",
        ),
        Mistake(
            "des radians comparés à 12",
            _ended_and(lambda states: (np.abs(states[:, 0]) <= 2.4) & (np.abs(states[:, 2]) <= 12)),
            "Vous comparez des radians à 12 : convertissez les degrés.",
        ),
        Mistake(
            "15 degrés",
            _ended_and(lambda states: _standing(states, angle=15)),
            "La limite de la tige est de 12°, et non de 15°.",
        ),
        Mistake(
            "une inégalité stricte",
            _ended_and(
                lambda states: (
                    (np.abs(states[:, 0]) < 2.4) & (np.abs(states[:, 2]) < np.deg2rad(12))
                )
            ),
            "Votre inégalité est stricte : un chariot juste à 2,4 m n'est pas encore sorti.",
        ),
        Mistake(
            "θ̇ à la place de θ",
            _ended_and(lambda states: _standing(states, theta=3)),
            "La colonne 3 est θ̇, la vitesse de la tige : θ est dans une autre.",
        ),
        Mistake(
            "ẋ à la place de θ",
            _ended_and(lambda states: _standing(states, theta=1)),
            "La colonne 1 est ẋ, la vitesse du chariot : θ ne vient qu'après.",
        ),
        Mistake(
            "les chutes, et non les fausses fins",
            _share_of(lambda standing, ended: ended & ~standing),
            "Vous comptez les vraies fins : gardez celles où la tige est debout.",
        ),
        Mistake(
            "les fins manquées",
            _share_of(lambda standing, ended: ~ended & ~standing),
            "Vous comptez les chutes qui ne se disent pas terminées : c'est la faute contraire.",
        ),
        Mistake(
            "debout et non terminée",
            _share_of(lambda standing, ended: ~ended & standing),
            "Vous comptez les pas ordinaires, debout et non terminés.",
        ),
        Mistake(
            "terminée ou debout",
            _share_of(lambda standing, ended: ended | standing),
            "Avec « ou », tout état debout compte : il doit aussi se dire terminé.",
        ),
        Mistake(
            "terminée d'accord avec debout",
            _share_of(lambda standing, ended: ended == standing),
            "Égaux, les deux peuvent aussi être faux : une fin manquée y compte.",
        ),
        Mistake(
            "toutes les fins",
            _share_of(lambda standing, ended: ended),
            "Vous comptez toutes les fins, les vraies comprises.",
        ),
        Mistake(
            "tous les états debout",
            _share_of(lambda standing, ended: standing),
            "Vous oubliez `terminee` : un état debout n'est une faute que s'il se dit terminé.",
        ),
        Mistake(
            "la part des fins",
            lambda successeur, terminee: np.mean(_standing(successeur)[terminee]),
            "Vous divisez par le nombre de fins : la part est celle de toutes les transitions.",
        ),
        Mistake(
            "la part des états debout",
            lambda successeur, terminee: np.mean(terminee[_standing(successeur)]),
            "Vous divisez par le nombre d'états debout : divisez par celui des transitions.",
        ),
        Mistake(
            "l'écart entre les fins et les chutes",
            lambda successeur, terminee: np.mean(terminee) - np.mean(~_standing(successeur)),
            "Fins moins chutes : les fins manquées s'y retranchent. Jugez chaque transition.",
        ),
        Mistake(
            "le compte",
            lambda successeur, terminee: np.sum(terminee & _standing(successeur)),
            "Vous rendez un nombre de transitions : divisez-le par leur total.",
        ),
        Mistake(
            "un pourcentage",
            lambda successeur, terminee: 100 * np.mean(terminee & _standing(successeur)),
            "Vous rendez un pourcentage : la part va de 0 à 1.",
        ),
        Mistake(
            "le masque",
            lambda successeur, terminee: terminee & _standing(successeur),
            "Vous rendez un booléen par transition : il reste à en prendre la moyenne.",
        ),
    ),
    (_false_ends_with_a_loop, _false_ends_by_removing, _false_ends_by_product),
)


# Le γ que trahissent les valeurs


def gamma_apparent(q, recompense, suivante, tombe):
    """Rend le γ que trahissent les valeurs d'une mémoire.

    Pour chacune des N transitions, `q` : Q(s, a) ; `recompense` : r ; `suivante` : max Q(s', .) ;
    `tombe` : un booléen, vrai si s' est une chute. À l'équilibre, la moyenne de Q(s, a) − r est γ
    fois celle de max Q(s', .), comptée nulle après une chute ; les deux sont sur toute la mémoire.
    γ est donc le quotient de ces deux moyennes ; il peut dépasser 1, si les valeurs divergent ou si
    le masque manque.
    """
    return np.mean(q - recompense) / np.mean(np.where(tombe, 0, suivante))


def _pairs(*rows: tuple[float, float, float, bool]) -> tuple:
    """Rend les quatre colonnes de lignes (q, récompense, suivante, tombé)."""
    q, reward, following, fallen = zip(*rows, strict=True)
    return np.array(q), np.array(reward), np.array(following), np.array(fallen)


def _one_pair(_) -> Iterator[tuple]:
    yield _pairs((10.0, 1.0, 10.0, False))
    yield _pairs((5.0, 1.0, 8.0, False))


def _several(_) -> Iterator[tuple]:
    yield _pairs((10.0, 1.0, 12.0, False), (4.0, 1.0, 3.0, False))
    yield _pairs((6.0, 1.0, 5.0, False), (2.0, 1.0, 4.0, False), (4.0, 1.0, 1.0, False))


def _with_falls(_) -> Iterator[tuple]:
    yield _pairs((9.0, 1.0, 10.0, False), (2.0, 1.0, 7.0, True))
    yield _pairs((1.5, 1.0, 20.0, True), (8.0, 1.0, 9.0, False), (6.5, 1.0, 7.0, False))


def _other_rewards(_) -> Iterator[tuple]:
    yield _pairs((5.0, 0.5, 6.0, False), (8.5, 2.5, 6.0, False))
    yield _pairs((4.0, 0.0, 5.0, False), (-1.0, -2.0, 9.0, True), (3.0, 0.0, 5.0, False))


def _out_of_balance(_) -> Iterator[tuple]:
    yield _pairs((13.0, 1.0, 10.0, False), (7.0, 1.0, 5.0, False))


def _any_values(generator: np.random.Generator) -> Iterator[tuple]:
    for count, gamma in ((6, 0.9), (40, 0.99), (15, 0.5)):
        following, noise = generator.uniform([[5], [-1]], [[30], [1]], (2, count)).round(2)
        reward, fallen = generator.uniform(0, 2, count).round(2), np.arange(count) % 3 == 1
        yield reward + gamma * np.where(fallen, 0, following) + noise, reward, following, fallen


def _ratio(above: Callable, below: Callable) -> Callable:
    """Rend le quotient des moyennes de `above` et `below`, deux fonctions des quatre colonnes."""
    return lambda *columns: np.mean(above(*columns)) / np.mean(below(*columns))


def _gain(q, recompense, suivante, tombe) -> np.ndarray:
    return q - recompense


def _masked(q, recompense, suivante, tombe) -> np.ndarray:
    return np.where(tombe, 0, suivante)


def _difference_of_means(q, recompense, suivante, tombe):
    return (q - recompense).mean() - np.where(tombe, 0, suivante).mean()


def _horizon(*columns):
    return 1 / (1 - gamma_apparent(*columns))


def _gamma_from_sums(q, recompense, suivante, tombe):
    return (q.sum() - recompense.sum()) / suivante[~tombe].sum()


def _gamma_with_a_loop(q, recompense, suivante, tombe):
    gain = future = 0.0
    for value, reward, following, fallen in zip(q, recompense, suivante, tombe, strict=True):
        gain += value - reward
        future += 0 if fallen else following
    return gain / future


def _gamma_by_product(q, recompense, suivante, tombe):
    return np.average(q - recompense) / np.average((1 - tombe) * suivante)


APPARENT = Exercise(
    gamma_apparent,
    (
        Property(
            "retrouve γ d'une seule transition",
            _one_pair,
            "Sans chute, Q(s, a) = r + γ max Q(s', .) : ôtez r, puis divisez.",
        ),
        Property(
            "rend le quotient des deux moyennes",
            _several,
            "Prenez d'abord la moyenne de Q(s, a) − r, puis celle de la suite, et divisez.",
        ),
        Property(
            "compte nulle la suite d'une chute, et garde sa transition",
            _with_falls,
            "Après une chute, la suite vaut 0 ; la transition compte dans les deux moyennes.",
        ),
        Property(
            "ôte la récompense reçue, quelle qu'elle soit",
            _other_rewards,
            "La récompense change d'une transition à l'autre : ôtez à chacune la sienne.",
        ),
        Property(
            "rend le quotient même au-delà de 1",
            _out_of_balance,
            "Rendez le quotient tel quel : au-delà de 1, il trahit une faute.",
        ),
        Property(
            "vaut pour toute mémoire",
            _any_values,
            "Deux moyennes sur toute la mémoire, et leur quotient.",
        ),
    ),
    (
        Mistake(
            "le masque oublié",
            _ratio(_gain, lambda q, reward, following, fallen: following),
            "Vous gardez ce que le réseau dit après une chute : plus rien n'y est à venir.",
        ),
        Mistake(
            "le masque à l'envers",
            _ratio(_gain, lambda q, reward, following, fallen: np.where(fallen, following, 0)),
            "Votre masque est à l'envers : c'est après une chute que la suite est nulle.",
        ),
        Mistake(
            "les chutes ôtées d'une moyenne",
            _ratio(_gain, lambda q, reward, following, fallen: following[~fallen]),
            "Les chutes manquent à la moyenne du bas : elles y comptent, pour 0.",
        ),
        Mistake(
            "les chutes ôtées des deux moyennes",
            lambda q, recompense, suivante, tombe: (
                np.mean((q - recompense)[~tombe]) / np.mean(suivante[~tombe])
            ),
            "Vous écartez les chutes : leur Q(s, a) − r, erreur comprise, compte aussi.",
        ),
        Mistake(
            "Q(s, a) annulé aux chutes",
            _ratio(
                lambda q, reward, following, fallen: np.where(fallen, 0, q) - reward,
                _masked,
            ),
            "Vous annulez Q(s, a) à la chute : seule la suite, max Q(s', .), y est nulle.",
        ),
        Mistake(
            "la récompense laissée",
            _ratio(lambda q, *_: q, _masked),
            "Où est la récompense ? Q(s, a) la contient : ôtez-la avant de diviser.",
        ),
        Mistake(
            "la récompense ajoutée",
            _ratio(lambda q, reward, *_: q + reward, _masked),
            "Vous ajoutez la récompense à Q(s, a), qui la contient déjà.",
        ),
        Mistake(
            "une récompense de 1",
            _ratio(lambda q, *_: q - 1, _masked),
            "Vous ôtez 1 partout : ôtez la récompense que la mémoire a gardée.",
        ),
        Mistake(
            "la récompense dans la suite",
            _ratio(
                lambda q, *_: q,
                lambda q, reward, following, fallen: reward + np.where(fallen, 0, following),
            ),
            "γ ne réduit pas la récompense du pas : elle s'ôte de Q(s, a), et reste entière.",
        ),
        Mistake(
            "le quotient renversé",
            _ratio(_masked, _gain),
            "Votre quotient est renversé : c'est la suite que γ multiplie.",
        ),
        Mistake(
            "la moyenne des quotients",
            lambda q, recompense, suivante, tombe: np.mean(((q - recompense) / suivante)[~tombe]),
            "Vous faites la moyenne des quotients : c'est le quotient des moyennes.",
        ),
        Mistake(
            "la moyenne de quotients par zéro",
            lambda q, recompense, suivante, tombe: np.mean(
                (q - recompense) / np.where(tombe, 0, suivante)
            ),
            "Un quotient par transition divise par zéro à chaque chute : divisez deux moyennes.",
        ),
        Mistake(
            "l'horizon",
            _horizon,
            "Vous rendez un horizon, 1/(1 − γ) : on demande γ.",
        ),
        Mistake(
            "la première transition",
            lambda q, recompense, suivante, tombe: (q[0] - recompense[0]) / suivante[0],
            "Vous ne lisez que la première transition : il faut toute la mémoire.",
        ),
        Mistake(
            "la dernière transition",
            lambda q, recompense, suivante, tombe: (q[-1] - recompense[-1]) / suivante[-1],
            "Vous ne lisez que la dernière transition : il faut toute la mémoire.",
        ),
        Mistake(
            "les médianes",
            lambda *columns: np.median(_gain(*columns)) / np.median(_masked(*columns)),
            "L'égalité porte sur des moyennes : une médiane ne la suit pas.",
        ),
        Mistake(
            "les moindres carrés",
            lambda *columns: (
                np.sum(_gain(*columns) * _masked(*columns)) / np.sum(_masked(*columns) ** 2)
            ),
            "Les moindres carrés donnent plus de poids aux grandes valeurs : prenez deux moyennes.",
        ),
        Mistake(
            "une somme sur une moyenne",
            lambda *columns: np.sum(_gain(*columns)) / np.mean(_masked(*columns)),
            "En haut une somme, en bas une moyenne : prenez deux moyennes.",
        ),
        Mistake(
            "une différence",
            _difference_of_means,
            "Vous retranchez une moyenne de l'autre : γ multiplie la seconde, divisez donc.",
        ),
        Mistake(
            "ramené à 1",
            lambda *columns: min(1.0, gamma_apparent(*columns)),
            "Vous ramenez à 1 ce qui le dépasse : ce signe de maladie se perd.",
        ),
        Mistake(
            "un quotient par transition",
            lambda q, recompense, suivante, tombe: (q - recompense) / suivante,
            "Vous rendez un nombre par transition : un seul γ vaut pour toute la mémoire.",
        ),
    ),
    (_gamma_from_sums, _gamma_with_a_loop, _gamma_by_product),
)


# Ce que vaut un diagnostic


def valeur_predictive(rappel, fausses_alarmes, part_de_malades):
    """Rend la part de vrais malades parmi les entraînements que l'outil déclare malades.

    Trois parts, de 0 à 1. `rappel` : parmi les malades, ceux que l'outil déclare malades ;
    `fausses_alarmes` : parmi les sains, ceux qu'il déclare malades ; `part_de_malades` : parmi
    tous, ceux qui le sont. C'est la règle de Bayes : les alarmes justes sont `rappel` fois la part
    des malades, les fausses `fausses_alarmes` fois celle des sains ; on rend la part des justes.
    """
    justes = rappel * part_de_malades
    fausses = fausses_alarmes * (1 - part_de_malades)
    return justes / (justes + fausses)


def _no_false_alarm(_) -> Iterator[tuple]:
    yield 0.8, 0.0, 0.3
    yield 0.6, 0.1, 1.0


def _half_are_ill(_) -> Iterator[tuple]:
    yield 0.9, 0.1, 0.5
    yield 0.6, 0.2, 0.5
    yield 1.0, 0.25, 0.5


def _few_are_ill(_) -> Iterator[tuple]:
    yield 0.9, 0.1, 0.1
    yield 0.96, 0.04, 0.04
    yield 0.8, 0.2, 0.25


def _blind(_) -> Iterator[tuple]:
    yield 0.3, 0.3, 0.2
    yield 0.75, 0.75, 0.6


def _any_tool(generator: np.random.Generator) -> Iterator[tuple]:
    for rare in (0.02, 0.2, 0.7):
        recall, false_alarms = generator.uniform([0.5, 0.02], [0.97, 0.35]).round(2).tolist()
        yield recall, false_alarms, rare


def _by_counting(rappel, fausses_alarmes, part_de_malades):
    ill = 1e6 * part_de_malades
    told = [rappel * ill, fausses_alarmes * (1e6 - ill)]
    return told[0] / sum(told)


def _by_weight(rappel, fausses_alarmes, part_de_malades):
    healthy = 1 - part_de_malades
    alarm = part_de_malades * rappel + healthy * fausses_alarmes
    return 1 - healthy * fausses_alarmes / alarm


def _with_odds(rappel, fausses_alarmes, part_de_malades):
    against = (fausses_alarmes / rappel) * ((1 - part_de_malades) / part_de_malades)
    return 1 / (1 + against)


def _alarm(recall: float, false_alarms: float, share: float) -> float:
    """Rend la part des entraînements que l'outil déclare malades."""
    return recall * share + false_alarms * (1 - share)


def _negative_value(rappel, fausses_alarmes, part_de_malades):
    quiet = 1 - _alarm(rappel, fausses_alarmes, part_de_malades)
    return (1 - fausses_alarmes) * (1 - part_de_malades) / quiet


PREDICTIVE = Exercise(
    valeur_predictive,
    (
        Property(
            "vaut 1 sans fausse alarme, ou si tous sont malades",
            _no_false_alarm,
            "Sans fausse alarme possible, tous ceux que l'outil déclare malades le sont.",
        ),
        Property(
            "compte les alarmes justes parmi toutes, à parts égales",
            _half_are_ill,
            "Additionnez les alarmes justes et les fausses, puis rendez la part des justes.",
        ),
        Property(
            "tient compte de la rareté de la maladie",
            _few_are_ill,
            "Quand les malades sont rares, les sains, nombreux, font beaucoup de fausses alarmes.",
        ),
        Property(
            "n'apprend rien d'un outil aveugle",
            _blind,
            "Si l'alarme sonne autant pour les sains, elle ne change pas la part de malades.",
        ),
        Property(
            "vaut pour tout outil",
            _any_tool,
            "Imaginez mille entraînements : comptez les malades, les sains, puis les alarmes.",
        ),
    ),
    (
        Mistake(
            "le rappel",
            lambda rappel, fausses_alarmes, part_de_malades: rappel,
            "Vous rendez le rappel : la part des malades qui sont vus, et non l'inverse.",
        ),
        Mistake(
            "la part de malades",
            lambda rappel, fausses_alarmes, part_de_malades: part_de_malades,
            "Vous rendez la part de malades d'avant le test : l'alarme doit la changer.",
        ),
        Mistake(
            "la part de malades oubliée",
            lambda rappel, fausses_alarmes, part_de_malades: rappel / (rappel + fausses_alarmes),
            "Vous comptez autant de sains que de malades : `part_de_malades` n'entre pas.",
        ),
        Mistake(
            "l'absence de fausse alarme",
            lambda rappel, fausses_alarmes, part_de_malades: 1 - fausses_alarmes,
            "Vous rendez la part des sains déclarés sains : ni la rareté ni le rappel n'y entrent.",
        ),
        Mistake(
            "la part des diagnostics justes",
            lambda rappel, fausses_alarmes, part_de_malades: (
                rappel * part_de_malades + (1 - fausses_alarmes) * (1 - part_de_malades)
            ),
            "Vous comptez aussi les sains bien jugés : on ne regarde que les alarmes.",
        ),
        Mistake(
            "la moyenne des deux qualités",
            lambda rappel, fausses_alarmes, part_de_malades: (rappel + 1 - fausses_alarmes) / 2,
            "Vous faites la moyenne de deux qualités de l'outil : la rareté n'y entre pas.",
        ),
        Mistake(
            "la part des alarmes",
            _alarm,
            "Vous rendez la part des alarmes : il reste à dire combien sont justes.",
        ),
        Mistake(
            "les alarmes justes, parmi tous",
            lambda rappel, fausses_alarmes, part_de_malades: rappel * part_de_malades,
            "Vous rendez les alarmes justes parmi tous : divisez par toutes les alarmes.",
        ),
        Mistake(
            "la valeur prédictive négative",
            _negative_value,
            "Vous rendez la part de sains parmi les déclarés sains : c'est l'autre question.",
        ),
        Mistake(
            "malades et sains échangés",
            lambda rappel, fausses_alarmes, part_de_malades: valeur_predictive(
                rappel, fausses_alarmes, 1 - part_de_malades
            ),
            "Malades et sains sont échangés : la part de malades va avec le rappel.",
        ),
        Mistake(
            "les deux taux échangés",
            lambda rappel, fausses_alarmes, part_de_malades: valeur_predictive(
                fausses_alarmes, rappel, part_de_malades
            ),
            "Rappel et fausses alarmes sont échangés : le rappel est celui des malades.",
        ),
        Mistake(
            "un numérateur sans la part",
            lambda rappel, fausses_alarmes, part_de_malades: (
                rappel / _alarm(rappel, fausses_alarmes, part_de_malades)
            ),
            "En haut, le rappel seul : multipliez-le par la part de malades.",
        ),
        Mistake(
            "les sains bien jugés au dénominateur",
            lambda rappel, fausses_alarmes, part_de_malades: valeur_predictive(
                rappel, 1 - fausses_alarmes, part_de_malades
            ),
            "Au dénominateur, vous ajoutez les sains déclarés sains : ils n'ont pas d'alarme.",
        ),
        Mistake(
            "les fausses alarmes de tous",
            lambda rappel, fausses_alarmes, part_de_malades: (
                rappel * part_de_malades / (rappel * part_de_malades + fausses_alarmes)
            ),
            "Les fausses alarmes ne viennent que des sains : pondérez-les par leur part.",
        ),
        Mistake(
            "les malades manqués",
            lambda rappel, fausses_alarmes, part_de_malades: valeur_predictive(
                rappel, 1 - rappel, part_de_malades
            ),
            "1 − rappel est la part des malades manqués : ce ne sont pas des fausses alarmes.",
        ),
        Mistake(
            "la part des fausses",
            lambda *given: 1 - valeur_predictive(*given),
            "Vous rendez la part des fausses alarmes : on demande celle des justes.",
        ),
        Mistake(
            "un pourcentage",
            lambda *given: 100 * valeur_predictive(*given),
            "Vous rendez un pourcentage : la part va de 0 à 1.",
        ),
        Mistake(
            "une cote",
            lambda rappel, fausses_alarmes, part_de_malades: (
                rappel * part_de_malades / (fausses_alarmes * (1 - part_de_malades))
            ),
            "Vous divisez les justes par les fausses : divisez-les par toutes les alarmes.",
        ),
    ),
    (_by_counting, _by_weight, _with_odds),
)

EXERCISES = (FALSE_ENDS, APPARENT, PREDICTIVE)
