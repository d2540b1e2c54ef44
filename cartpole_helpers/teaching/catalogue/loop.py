"""Les règles de la boucle, carnets 02, 05, 06 et 07 : mettre à jour, explorer, garantir, lisser."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property


def _drawn(generator: np.random.Generator, low: float, high: float) -> float:
    """Rend un nombre au hasard à deux décimales : un cas doit pouvoir se refaire à la main."""
    return round(float(generator.uniform(low, high)), 2)


# Une mise à jour de la table (02)


def nouvelle_valeur(q, recompense, terminated, q_suivants, gamma, alpha):
    """Rend la valeur d'une action après une mise à jour du Q-learning (Watkins, 1989).

    `q` : son ancienne valeur ; `q_suivants` : (2,), celles de l'état suivant, qui ne comptent pas
    si `terminated` ; `alpha` : la part de la surprise que l'on corrige.
    """
    cible = recompense if terminated else recompense + gamma * max(q_suivants)
    return q + alpha * (cible - q)


def _goes_on(_) -> Iterator[tuple]:
    yield 10.0, 1.0, False, np.array([20.0, 30.0]), 0.9, 0.1
    yield 4.0, 0.0, False, np.array([6.0, 1.0]), 0.5, 0.25


def _ends(_) -> Iterator[tuple]:
    yield 10.0, 1.0, True, np.array([20.0, 30.0]), 0.9, 0.1
    yield 0.0, 5.0, True, np.array([-100.0, -200.0]), 0.5, 0.25


def _any_update(generator: np.random.Generator) -> Iterator[tuple]:
    for ended in (False, True) * 4:
        q, reward, *following = (_drawn(generator, -20, 20) for _ in range(4))
        gamma, alpha = _drawn(generator, 0.6, 0.95), _drawn(generator, 0.05, 0.4)
        yield q, reward, ended, np.array(following), gamma, alpha


def _toward(target: Callable) -> Callable:
    """Rend la mise à jour qui vise `target(recompense, terminated, q_suivants, gamma)`."""

    def answer(q, recompense, terminated, q_suivants, gamma, alpha):
        return q + alpha * (target(recompense, terminated, q_suivants, gamma) - q)

    return answer


def _moved(move: Callable) -> Callable:
    """Rend la mise à jour qui vise la bonne cible, mais y va par `move(q, cible, alpha)`."""

    def answer(q, recompense, terminated, q_suivants, gamma, alpha):
        target = recompense if terminated else recompense + gamma * max(q_suivants)
        return move(q, target, alpha)

    return answer


def _reward_alone_at_the_end(q, recompense, terminated, q_suivants, gamma, alpha):
    target = recompense + gamma * max(q_suivants)
    return recompense if terminated else q + alpha * (target - q)


def _nothing_at_the_end(q, recompense, terminated, q_suivants, gamma, alpha):
    target = recompense + gamma * max(q_suivants)
    return q if terminated else q + alpha * (target - q)


def _update_with_average(q, recompense, terminated, q_suivants, gamma, alpha):
    best = torch.as_tensor(q_suivants).max().item()
    return (1 - alpha) * q + alpha * (recompense + gamma * best * (not terminated))


def _update_with_steps(q, recompense, terminated, q_suivants, gamma, alpha):
    surprise = recompense - q
    if not terminated:
        surprise += gamma * np.max(q_suivants)
    return q + alpha * surprise


UPDATE = Exercise(
    nouvelle_valeur,
    (
        Property(
            "fait vers la cible un pas de part alpha",
            _goes_on,
            "La surprise est r + γ max Q(s', a') − Q(s, a) ; ajoutez-en la part alpha à Q(s, a).",
        ),
        Property(
            "vise la récompense seule quand l'épisode est terminé",
            _ends,
            "Après la fin, il n'y a plus rien à attendre : la cible se réduit à la récompense.",
        ),
        Property(
            "vaut pour toutes les valeurs",
            _any_update,
            "Relisez la formule : cinq nombres y entrent, et chacun compte.",
        ),
    ),
    (
        Mistake(
            "aucun masque",
            _toward(lambda r, end, q, gamma: r + gamma * max(q)),
            "Avez-vous masqué les états terminaux ? Après la fin, il n'y a plus rien à attendre.",
        ),
        Mistake(
            "un masque qui efface aussi la récompense",
            _toward(lambda r, end, q, gamma: 0.0 if end else r + gamma * max(q)),
            "Votre masque efface aussi la récompense : le dernier pas a la sienne, comme un autre.",
        ),
        Mistake(
            "un masque à l'envers",
            _toward(lambda r, end, q, gamma: r + gamma * max(q) if end else r),
            "Votre masque est à l'envers : il garde la suite d'un épisode fini, et oublie l'autre.",
        ),
        Mistake(
            "un tilde sur un booléen de Python",
            _toward(lambda r, end, q, gamma: r + gamma * max(q) * -(1 + end)),
            "Sur un booléen de Python, ~ rend un nombre, −1 ou −2 : préférez une condition.",
        ),
        Mistake(
            "la récompense seule, sans alpha, à la fin",
            _reward_alone_at_the_end,
            "À la fin, vous rendez la récompense : c'est la cible, vers laquelle on ne va qu'en "
            "partie.",
        ),
        Mistake(
            "aucune mise à jour à la fin",
            _nothing_at_the_end,
            "À la fin, vous ne changez rien : c'est pourtant là que la sortie s'apprend.",
        ),
        Mistake(
            "la première action au lieu de la meilleure",
            _toward(lambda r, end, q, gamma: r if end else r + gamma * q[0]),
            "Vous lisez toujours la valeur de l'action 0 : prenez la plus grande des deux.",
        ),
        Mistake(
            "le minimum",
            _toward(lambda r, end, q, gamma: r if end else r + gamma * min(q)),
            "Vous prenez la plus petite des valeurs suivantes, au lieu de la plus grande.",
        ),
        Mistake(
            "la moyenne",
            _toward(lambda r, end, q, gamma: r if end else r + gamma * np.mean(q)),
            "Vous prenez la moyenne des valeurs : la cible suppose qu'ensuite on joue au mieux.",
        ),
        Mistake(
            "le numéro de l'action",
            _toward(lambda r, end, q, gamma: r if end else r + gamma * np.argmax(q)),
            "argmax rend le numéro de la meilleure action, non sa valeur : prenez max.",
        ),
        Mistake(
            "γ oublié",
            _toward(lambda r, end, q, gamma: r if end else r + max(q)),
            "Où est passé γ ? La valeur de la suite est actualisée d'un pas.",
        ),
        Mistake(
            "γ sur la récompense",
            _toward(lambda r, end, q, gamma: gamma * (r if end else r + max(q))),
            "γ ne multiplie que la suite : la récompense de ce pas n'est pas actualisée.",
        ),
        Mistake(
            "récompense oubliée",
            _toward(lambda r, end, q, gamma: 0.0 if end else gamma * max(q)),
            "La récompense du pas manque à la cible.",
        ),
        Mistake(
            "l'ancienne valeur oubliée",
            _moved(lambda q, target, alpha: alpha * target),
            "Vous oubliez l'ancienne valeur : il doit en rester la part (1 − alpha).",
        ),
        Mistake(
            "la cible tout entière",
            _moved(lambda q, target, alpha: target),
            "Vous allez jusqu'à la cible : on ne corrige qu'une part alpha de l'écart.",
        ),
        Mistake(
            "alpha à l'envers",
            _moved(lambda q, target, alpha: alpha * q + (1 - alpha) * target),
            "alpha est à l'envers : il pèse la cible, et (1 − alpha) l'ancienne valeur.",
        ),
        Mistake(
            "la cible ajoutée, et non la surprise",
            _moved(lambda q, target, alpha: q + alpha * target),
            "Vous ajoutez la cible : c'est la surprise, la cible moins l'ancienne valeur, qu'il "
            "faut.",
        ),
        Mistake(
            "la correction seule",
            _moved(lambda q, target, alpha: alpha * (target - q)),
            "Vous rendez la correction : ajoutez-la à l'ancienne valeur.",
        ),
        Mistake(
            "la surprise retranchée",
            _moved(lambda q, target, alpha: q - alpha * (target - q)),
            "Le signe est à l'envers : la valeur s'éloigne de la cible au lieu de s'en approcher.",
        ),
    ),
    (_update_with_average, _update_with_steps),
)


# La décroissance de ε (05)


def epsilon(pas, depart, arrivee, duree):
    """Rend la probabilité ε d'explorer après `pas` pas de jeu.

    Elle va en ligne droite de `depart` à `arrivee`, qui est plus petite, en `duree` pas ; elle y
    reste ensuite.
    """
    part = min(pas / duree, 1.0)
    return depart + part * (arrivee - depart)


def _both_ends(_) -> Iterator[tuple]:
    yield 0, 1.0, 0.1, 1_000
    yield 1_000, 1.0, 0.1, 1_000


def _on_the_way(_) -> Iterator[tuple]:
    yield 500, 1.0, 0.1, 1_000
    yield 250, 0.9, 0.5, 1_000


def _afterwards(_) -> Iterator[tuple]:
    yield 1_100, 1.0, 0.1, 1_000
    yield 50_000, 1.0, 0.1, 1_000
    yield 3_000, 0.05, 0.05, 1_000


def _any_moment(generator: np.random.Generator) -> Iterator[tuple]:
    for share in (0.1, 0.4, 0.7, 0.95, 1.5, 3.0):
        duration = int(generator.integers(1_000, 9_000))
        start, end = _drawn(generator, 0.7, 1), _drawn(generator, 0.1, 0.5)
        yield int(share * duration), start, end, duration


def _with_part(part: Callable) -> Callable:
    """Rend l'ε dont la part du chemin parcouru est `part(pas, duree)`."""

    def answer(pas, depart, arrivee, duree):
        return depart + part(pas, duree) * (arrivee - depart)

    return answer


def _way_with(value: Callable) -> Callable:
    """Rend l'ε qui vaut `value(part, depart, arrivee)`, la part du chemin étant juste."""

    def answer(pas, depart, arrivee, duree):
        return value(min(pas / duree, 1.0), depart, arrivee)

    return answer


def _stops_at_zero(pas, depart, arrivee, duree):
    return max(depart + pas / duree * (arrivee - depart), 0.0)


def _aims_at_zero(pas, depart, arrivee, duree):
    return max(depart * (1 - pas / duree), arrivee)


def _epsilon_with_max(pas, depart, arrivee, duree):
    return max(arrivee, depart - (depart - arrivee) * pas / duree)


def _epsilon_with_numpy(pas, depart, arrivee, duree):
    return np.interp(pas, [0, duree], [depart, arrivee])


def _epsilon_with_if(pas, depart, arrivee, duree):
    if pas >= duree:
        return arrivee
    return ((duree - pas) * depart + pas * arrivee) / duree


EPSILON = Exercise(
    epsilon,
    (
        Property(
            "part de la valeur de départ, et finit à celle d'arrivée",
            _both_ends,
            "Au pas 0, c'est le départ ; au bout de la durée, c'est l'arrivée.",
        ),
        Property(
            "descend en ligne droite",
            _on_the_way,
            "À la moitié de la durée, ε est à mi-chemin entre le départ et l'arrivée.",
        ),
        Property(
            "reste ensuite à l'arrivée",
            _afterwards,
            "La durée passée, ε ne change plus : bornez la part du chemin parcouru.",
        ),
        Property(
            "vaut pour tous les réglages",
            _any_moment,
            "Les quatre nombres comptent : le pas, le départ, l'arrivée et la durée.",
        ),
    ),
    (
        Mistake(
            "à l'envers",
            _way_with(lambda part, start, end: end + part * (start - end)),
            "ε est à l'envers : il monte de l'arrivée au départ.",
        ),
        Mistake(
            "aucun arrêt",
            _with_part(lambda step, duration: step / duration),
            "ε ne s'arrête jamais, et finit sous zéro : après la durée, il reste à l'arrivée.",
        ),
        Mistake(
            "un arrêt à zéro",
            _stops_at_zero,
            "Vous arrêtez ε à zéro : c'est à l'arrivée qu'il s'arrête.",
        ),
        Mistake(
            "une pente vers zéro",
            _aims_at_zero,
            "Votre droite vise zéro, et touche l'arrivée trop tôt : elle doit viser l'arrivée.",
        ),
        Mistake(
            "une exponentielle",
            _way_with(lambda part, start, end: start * (end / start) ** part),
            "Vous multipliez à chaque pas : ici, ε descend en ligne droite, du même pas toujours.",
        ),
        Mistake(
            "toujours à l'arrivée",
            _way_with(lambda part, start, end: end),
            "ε est toujours à l'arrivée : l'agent n'explore presque pas au début.",
        ),
        Mistake(
            "toujours au départ",
            _way_with(lambda part, start, end: start),
            "ε ne descend jamais : où sert le numéro du pas ?",
        ),
        Mistake(
            "une marche",
            _with_part(lambda step, duration: min(step // duration, 1)),
            "ε saute du départ à l'arrivée : est-ce la division entière // qui arrondit à 0 ?",
        ),
        Mistake(
            "max au lieu de min",
            _with_part(lambda step, duration: max(step / duration, 1.0)),
            "C'est min, et non max, qui empêche la part du chemin de dépasser 1.",
        ),
        Mistake(
            "le départ oublié dans la pente",
            _way_with(lambda part, start, end: start - part * end),
            "Le chemin à parcourir est l'écart du départ à l'arrivée, non l'arrivée elle-même.",
        ),
        Mistake(
            "une pente montante",
            _way_with(lambda part, start, end: start + part * (start - end)),
            "Le signe est à l'envers : ε monte, et dépasse 1.",
        ),
    ),
    (_epsilon_with_max, _epsilon_with_numpy, _epsilon_with_if),
)


# Les deux fins (05)


def fin_et_reprise(terminated, truncated):
    """Rend la fin à mémoriser, et s'il faut recommencer un épisode : deux booléens.

    La chute (`terminated`) coupe l'amorçage ; le chronomètre (`truncated`) n'oblige qu'à repartir.
    """
    return terminated, terminated or truncated


def _flags(*pairs: tuple[bool, bool]) -> Callable:
    return lambda _: iter(pairs)


def _flags_with_if(terminated, truncated):
    if terminated:
        return [True, True]
    return [False, truncated]


def _flags_with_any(terminated, truncated):
    return bool(terminated), any((terminated, truncated))


def _flags_with_numpy(terminated, truncated):
    return np.bool_(terminated), np.logical_or(terminated, truncated)


END_AND_RESET = Exercise(
    fin_et_reprise,
    (
        Property(
            "après une chute, mémorise une fin et recommence",
            _flags((True, False)),
            "La chute est une vraie fin : on la mémorise, et l'on recommence.",
        ),
        Property(
            "au chronomètre, recommence sans mémoriser de fin",
            _flags((False, True)),
            "Le chronomètre oblige à recommencer, mais l'état n'était pas sans suite.",
        ),
        Property(
            "en plein épisode, ne fait ni l'un ni l'autre",
            _flags((False, False)),
            "Ni chute ni chronomètre : l'épisode continue.",
        ),
        Property(
            "si la tige tombe au dernier pas, la chute l'emporte",
            _flags((True, True)),
            "Les deux drapeaux peuvent être vrais ensemble : la tige est tombée, c'est une fin.",
        ),
    ),
    (
        Mistake(
            "done, pour les deux",
            lambda fall, clock: (fall or clock, fall or clock),
            "Vous mémorisez « done » : le chronomètre passe alors pour une chute.",
        ),
        Mistake(
            "les deux réponses échangées",
            lambda fall, clock: (fall or clock, fall),
            "Vos deux réponses sont échangées : la fin à mémoriser est la première.",
        ),
        Mistake(
            "recommencer après la chute seulement",
            lambda fall, clock: (fall, fall),
            "Quand le chronomètre sonne, il faut recommencer aussi.",
        ),
        Mistake(
            "le chronomètre mémorisé",
            lambda fall, clock: (clock, fall or clock),
            "Vous mémorisez le chronomètre : c'est la chute qui coupe l'amorçage.",
        ),
        Mistake(
            "les deux fins à la fois",
            lambda fall, clock: (fall and clock, fall or clock),
            "Votre fin demande la chute et le chronomètre ensemble : la chute suffit.",
        ),
        Mistake(
            "recommencer si les deux sont vrais",
            lambda fall, clock: (fall, fall and clock),
            "Vous ne recommencez que si les deux drapeaux sont vrais : un seul suffit.",
        ),
        Mistake(
            "un drapeau chacun",
            lambda fall, clock: (fall, clock),
            "Après une chute aussi, il faut recommencer : l'un ou l'autre drapeau suffit.",
        ),
        Mistake(
            "la chute effacée par le chronomètre",
            lambda fall, clock: (fall and not clock, fall or clock),
            "Une chute au dernier pas reste une chute, même si le chronomètre sonne.",
        ),
        Mistake(
            "la suite au lieu de la fin",
            lambda fall, clock: (not fall, fall or clock),
            "Vous mémorisez que l'épisode continue : c'est le contraire de la fin.",
        ),
        Mistake(
            "l'un ou l'autre, mais pas les deux",
            lambda fall, clock: (fall, fall != clock),
            "Quand les deux drapeaux sont vrais, vous ne recommencez pas : il le faut aussi.",
        ),
        Mistake(
            "recommencer à l'envers",
            lambda fall, clock: (fall, not (fall or clock)),
            "Vous recommencez en plein épisode, et continuez après la fin : c'est l'inverse.",
        ),
    ),
    (_flags_with_if, _flags_with_any, _flags_with_numpy),
)


# La borne des épisodes parfaits (06)


def borne_parfaite(n, confiance=0.95):
    """Rend la moyenne (pas) que garantissent, à cette `confiance`, `n` épisodes tous parfaits.

    On rejette toute part p d'épisodes parfaits dont la puissance n-ième est sous 1 − `confiance` ;
    un épisode parfait rapporte 500, un épisode manqué, au pire zéro.
    """
    return 500 * (1 - confiance) ** (1 / n)


def _usual(_) -> Iterator[tuple]:
    yield (1,)
    yield (2,)
    yield (59,)


def _confidences(_) -> Iterator[tuple]:
    yield 2, 0.75
    yield 3, 0.999


def _any_number(generator: np.random.Generator) -> Iterator[tuple]:
    for n in generator.integers(2, 100, size=5):
        yield int(n), _drawn(generator, 0.6, 0.9)


def _bound_with_logarithms(n, confiance=0.95):
    return 500 * np.exp(np.log(1 - confiance) / n)


def _bound_by_bisection(n, confiance=0.95):
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if middle**n >= 1 - confiance else (middle, high)
    return 500 * low


BOUND = Exercise(
    borne_parfaite,
    (
        Property(
            "donne la moyenne garantie à 95 %",
            _usual,
            "On rejette p si p puissance n est sous 0,05 : la borne est la racine n-ième de 0,05.",
        ),
        Property(
            "suit la confiance demandée",
            _confidences,
            "Le risque accepté est 1 − confiance.",
        ),
        Property(
            "vaut pour tout nombre d'épisodes",
            _any_number,
            "Plus il y a d'épisodes parfaits, plus la borne approche de 500.",
        ),
    ),
    (
        Mistake(
            "la confiance au lieu du risque",
            lambda n, confiance=0.95: 500 * confiance ** (1 / n),
            "Vous prenez la racine de la confiance : c'est celle du risque, 1 − confiance.",
        ),
        Mistake(
            "la puissance au lieu de la racine",
            lambda n, confiance=0.95: 500 * (1 - confiance) ** n,
            "Vous élevez à la puissance n : la racine n-ième est la puissance 1 / n.",
        ),
        Mistake(
            "des parenthèses oubliées",
            lambda n, confiance=0.95: 500 * (1 - confiance) ** 1 / n,
            "Sans parenthèses, x ** 1 / n élève à la puissance 1, puis divise : x ** (1 / n).",
        ),
        Mistake(
            "l'approximation de la règle de trois",
            lambda n, confiance=0.95: 500 * (1 + np.log(1 - confiance) / n),
            "Remplacer la racine par 1 − 3/n est une approximation : elle s'écarte si n est petit.",
        ),
        Mistake(
            "la part au lieu de la moyenne",
            lambda n, confiance=0.95: (1 - confiance) ** (1 / n),
            "Vous rendez la part d'épisodes parfaits : chacun rapporte 500.",
        ),
        Mistake(
            "0,05 toujours",
            lambda n, confiance=0.95: 500 * 0.05 ** (1 / n),
            "Vous gardez 0,05 quelle que soit la confiance : le risque est 1 − confiance.",
        ),
        Mistake(
            "deux côtés",
            lambda n, confiance=0.95: 500 * ((1 - confiance) / 2) ** (1 / n),
            "Vous partagez le risque en deux : la borne n'a qu'un côté, celui du bas.",
        ),
        Mistake(
            "le complément",
            lambda n, confiance=0.95: 500 * (1 - (1 - confiance) ** (1 / n)),
            "Vous rendez la part des épisodes manqués : on demande celle des parfaits.",
        ),
    ),
    (_bound_with_logarithms, _bound_by_bisection),
)


# La cible à n pas (07)


def retour_a_n_pas(recompenses, gamma, valeur_finale, terminated):
    """Rend la cible à n pas : les récompenses actualisées, puis l'amorçage.

    `recompenses` : liste de n nombres, dans l'ordre ; `valeur_finale` : la meilleure valeur de
    l'état où l'on arrive après les n pas, qui ne compte pas si `terminated`.
    """
    amorce = 0.0 if terminated else valeur_finale
    actualisees = [gamma**i * recompense for i, recompense in enumerate(recompenses)]
    return sum(actualisees) + gamma ** len(recompenses) * amorce


def _bootstrapped(_) -> Iterator[tuple]:
    yield [1.0, 1.0, 1.0], 0.5, 8.0, False
    yield [1.0, 2.0, 3.0], 0.1, 1_000.0, False


def _rewards_only(_) -> Iterator[tuple]:
    yield [1.0, 1.0, 1.0], 0.5, 8.0, True
    yield [1.0, 2.0, 3.0], 0.1, 1_000.0, True


def _any_length(generator: np.random.Generator) -> Iterator[tuple]:
    for count, ended in ((1, False), (2, True), (3, False), (4, True), (5, False)):
        rewards = [_drawn(generator, -3, 3) for _ in range(count)]
        yield rewards, _drawn(generator, 0.5, 0.95), _drawn(generator, 15, 25), ended


def _discounted(rewards: list[float], gamma: float) -> float:
    return sum(gamma**i * reward for i, reward in enumerate(rewards))


def _masked(target: Callable) -> Callable:
    """Rend la cible `target(rewards, gamma, value)`, où `value` est nulle si l'épisode est fini."""

    def answer(recompenses, gamma, valeur_finale, terminated):
        return target(recompenses, gamma, 0.0 if terminated else valeur_finale)

    return answer


def _mask_on_everything(recompenses, gamma, valeur_finale, terminated):
    full = _discounted(recompenses, gamma) + gamma ** len(recompenses) * valeur_finale
    return 0.0 if terminated else full


def _mask_ignored(recompenses, gamma, valeur_finale, terminated):
    return _discounted(recompenses, gamma) + gamma ** len(recompenses) * valeur_finale


def _mask_backwards(recompenses, gamma, valeur_finale, terminated):
    return _mask_ignored(recompenses, gamma, valeur_finale if terminated else 0.0, terminated)


def _backwards(recompenses, gamma, valeur_finale, terminated):
    total = 0.0 if terminated else valeur_finale
    for reward in reversed(recompenses):
        total = reward + gamma * total
    return total


def _with_one_list(recompenses, gamma, valeur_finale, terminated):
    return _discounted([*recompenses, valeur_finale * (not terminated)], gamma)


def _with_powers(recompenses, gamma, valeur_finale, terminated):
    powers = gamma ** np.arange(len(recompenses) + 1)
    return powers[:-1] @ recompenses + powers[-1] * valeur_finale * (1 - terminated)


N_STEPS = Exercise(
    retour_a_n_pas,
    (
        Property(
            "actualise chaque récompense, puis la valeur finale",
            _bootstrapped,
            "La récompense i est multipliée par γ puissance i, la valeur finale par γ puissance n.",
        ),
        Property(
            "n'amorce pas quand l'épisode est terminé",
            _rewards_only,
            "Après la fin, il n'y a plus rien à attendre : restent les récompenses.",
        ),
        Property(
            "vaut pour tout nombre de pas",
            _any_length,
            "Essayez avec une seule récompense : on doit retrouver r + γ V.",
        ),
    ),
    (
        Mistake(
            "une puissance de moins",
            _masked(lambda r, gamma, v: _discounted(r, gamma) + gamma ** (len(r) - 1) * v),
            "La valeur finale vient après les n récompenses : γ puissance n, et non n − 1.",
        ),
        Mistake(
            "récompenses non actualisées",
            _masked(lambda r, gamma, v: sum(r) + gamma ** len(r) * v),
            "Les récompenses aussi s'actualisent : la première en entier, la suivante par γ.",
        ),
        Mistake(
            "γ une seule fois",
            _masked(lambda r, gamma, v: _discounted(r, gamma) + gamma * v),
            "La valeur finale est à n pas : elle est multipliée par γ à chacun d'eux.",
        ),
        Mistake(
            "γ une seule fois, et sur la valeur seule",
            _masked(lambda r, gamma, v: sum(r) + gamma * v),
            "γ ne sert qu'une fois : chaque pas de plus multiplie par γ de nouveau, récompenses "
            "comprises.",
        ),
        Mistake(
            "valeur finale non actualisée",
            _masked(lambda r, gamma, v: _discounted(r, gamma) + v),
            "La valeur finale n'est pas actualisée : elle est à n pas d'ici.",
        ),
        Mistake(
            "aucun amorçage",
            _masked(lambda r, gamma, v: _discounted(r, gamma)),
            "La valeur finale manque : sans elle, la suite de l'épisode ne compte pas.",
        ),
        Mistake(
            "un γ de trop partout",
            _masked(lambda r, gamma, v: gamma * (_discounted(r, gamma) + gamma ** len(r) * v)),
            "Il y a un γ de trop partout : la première récompense compte en entier.",
        ),
        Mistake(
            "un γ de trop sur les récompenses",
            _masked(lambda r, gamma, v: gamma * _discounted(r, gamma) + gamma ** len(r) * v),
            "Vos récompenses ont un γ de trop : les rangs commencent à 0, non à 1.",
        ),
        Mistake(
            "récompenses à l'envers",
            _masked(lambda r, gamma, v: _discounted(r[::-1], gamma) + gamma ** len(r) * v),
            "Vos récompenses sont à l'envers : la première, la plus proche, compte en entier.",
        ),
        Mistake(
            "la valeur finale à chaque pas",
            _masked(lambda r, gamma, v: _discounted([one + gamma * v for one in r], gamma)),
            "Vous ajoutez la valeur finale à chaque pas : elle ne compte qu'une fois, à la fin.",
        ),
        Mistake(
            "un produit au lieu d'une puissance",
            _masked(
                lambda r, gamma, v: (
                    sum(gamma * i * one for i, one in enumerate(r)) + gamma * len(r) * v
                )
            ),
            "Vous multipliez γ par le rang, au lieu de l'y élever : la puissance s'écrit **.",
        ),
        Mistake(
            "la cible à un pas",
            _masked(lambda r, gamma, v: r[0] + gamma * v),
            "C'est la cible à un pas : les récompenses suivantes manquent.",
        ),
        Mistake(
            "aucun masque",
            _mask_ignored,
            "Avez-vous masqué les états terminaux ? Après la fin, la valeur finale ne compte pas.",
        ),
        Mistake(
            "un masque à l'envers",
            _mask_backwards,
            "Votre masque est à l'envers : il garde la suite d'un épisode fini, et oublie l'autre.",
        ),
        Mistake(
            "un masque qui efface les récompenses",
            _mask_on_everything,
            "Votre masque efface aussi les récompenses : celles-là ont bien été reçues.",
        ),
    ),
    (_backwards, _with_one_list, _with_powers),
)


# La moyenne dont l'horizon grandit (07)


def moyenne_glissante(suite, part=0.25):
    """Rend une moyenne de `suite` qui porte à peu près sur sa part la plus récente.

    À la valeur de rang n (1 : la première), la moyenne va vers elle d'une part 1 / (part · n), 1 au
    plus : rien d'autre n'est gardé de la suite.
    """
    moyenne = 0.0
    for rang, valeur in enumerate(suite, start=1):
        taux = min(1.0, 1 / (part * rang))
        moyenne += taux * (valeur - moyenne)
    return moyenne


def _first_values(_) -> Iterator[tuple]:
    yield ([4.0],)
    yield ([9.0, 7.0, 8.0, 2.0],)
    yield [1.0, 3.0], 0.5


def _later_values(_) -> Iterator[tuple]:
    yield ([0.0, 0.0, 0.0, 0.0, 5.0],)
    yield ([0.0, 0.0, 0.0, 0.0, 5.0, 2.0],)
    yield [1.0, 2.0, 6.0], 1.0


def _any_sequence(generator: np.random.Generator) -> Iterator[tuple]:
    for count in (3, 8, 20, 40):
        values = [_drawn(generator, 0, 10) for _ in range(count)]
        yield values, _drawn(generator, 0.15, 0.7)


def _moving(rate: Callable, first: int = 1) -> Callable:
    """Rend la moyenne dont la part versée est `rate(part, rang)`, les rangs partant de `first`."""

    def answer(suite, part=0.25):
        mean = 0.0
        for rank, value in enumerate(suite, start=first):
            mean += rate(part, rank) * (value - mean)
        return mean

    return answer


def _exact_tail(suite, part=0.25):
    return np.mean(suite[-int(np.ceil(part * len(suite))) :])


def _moving_with_window(suite, part=0.25):
    mean = 0.0
    for rank in range(1, len(suite) + 1):
        window = max(1.0, part * rank)
        mean = ((window - 1) * mean + suite[rank - 1]) / window
    return mean


def _moving_with_lerp(suite, part=0.25):
    mean = torch.tensor(0.0, dtype=torch.float64)
    for rank in range(len(suite)):
        rate = np.minimum(1.0, 1 / (part * (rank + 1)))
        mean = mean.lerp(torch.tensor(suite[rank], dtype=torch.float64), float(rate))
    return mean.item()


MOVING_MEAN = Exercise(
    moyenne_glissante,
    (
        Property(
            "s'en tient à la dernière valeur tant que 1 / (part · n) atteint 1",
            _first_values,
            "Le taux est une part : il ne dépasse pas 1, si court que soit le début.",
        ),
        Property(
            "verse ensuite une part qui diminue",
            _later_values,
            "Le taux de la valeur de rang n est 1 / (part · n), et les rangs partent de 1.",
        ),
        Property(
            "vaut pour toute suite et toute part",
            _any_sequence,
            "Deux nombres font le taux : la part et le rang.",
        ),
    ),
    (
        Mistake(
            "la dernière valeur",
            _moving(lambda part, rank: min(1.0, rank)),
            "Votre moyenne rend la dernière valeur : le taux doit diminuer quand le rang grandit.",
        ),
        Mistake(
            "un taux constant",
            _moving(lambda part, rank: part),
            "Votre taux est constant : l'horizon ne grandit pas, et le départ, zéro, pèse encore.",
        ),
        Mistake(
            "la moyenne ordinaire",
            _moving(lambda part, rank: 1 / rank),
            "C'est la moyenne de toute la suite : divisez aussi par la part.",
        ),
        Mistake(
            "un taux sans plafond",
            _moving(lambda part, rank: 1 / (part * rank)),
            "Au début, votre taux dépasse 1 : la moyenne saute au-delà de la valeur.",
        ),
        Mistake(
            "max au lieu de min",
            _moving(lambda part, rank: max(1.0, 1 / (part * rank))),
            "max empêche le taux de descendre : c'est min qui le borne à 1.",
        ),
        Mistake(
            "la part au lieu de son inverse",
            _moving(lambda part, rank: min(1.0, part / rank)),
            "La part est au dénominateur : plus elle est petite, plus la moyenne est vive.",
        ),
        Mistake(
            "l'horizon au lieu de son inverse",
            _moving(lambda part, rank: min(1.0, part * rank)),
            "part · n est l'horizon : le taux en est l'inverse, 1 / (part · n).",
        ),
        Mistake(
            "le rang 0",
            _moving(lambda part, rank: min(1.0, 1 / (part * rank)), first=0),
            "Diviser par le rang 0 est impossible : comptez les rangs à partir de 1.",
        ),
        Mistake(
            "un rang de retard",
            _moving(lambda part, rank: min(1.0, 1 / (part * max(rank, 1))), first=0),
            "Vos rangs retardent d'un : la première valeur a le rang 1, la deuxième le rang 2.",
        ),
        Mistake(
            "la vraie moyenne de la fin",
            _exact_tail,
            "Vous gardez toute la suite : un seul nombre suffit, corrigé à chaque valeur.",
        ),
    ),
    (_moving_with_window, _moving_with_lerp),
)


# Le réseau cible qui glisse (04, 05)


def rapprocher(cible, en_ligne, taux):
    """Rend les poids du réseau cible, rapprochés d'une part `taux` de ceux du réseau en ligne.

    `cible`, `en_ligne` : tenseurs de même forme, qui ne changent pas.
    """
    return cible + taux * (en_ligne - cible)


def _weights_by_hand(_) -> Iterator[tuple]:
    yield torch.tensor([0.0, 10.0]), torch.tensor([10.0, 30.0]), 0.1
    yield torch.tensor([4.0]), torch.tensor([-4.0]), 0.25


def _copied(_) -> Iterator[tuple]:
    yield torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), 1.0


def _still(_) -> Iterator[tuple]:
    yield torch.tensor([3.0, 5.0]), torch.tensor([3.0, 5.0]), 0.05


def _any_weights(generator: np.random.Generator) -> Iterator[tuple]:
    for shape in ((4,), (3, 2)):
        target, online = (torch.from_numpy(generator.normal(size=shape)) for _ in range(2))
        yield target, online, _drawn(generator, 0.05, 0.4)


def _closer_in_python(cible, en_ligne, taux):
    return [(1 - taux) * slow + taux * fast for slow, fast in zip(cible, en_ligne, strict=True)]


def _closer_in_numpy(cible, en_ligne, taux):
    return np.average([cible.numpy(), en_ligne.numpy()], axis=0, weights=[1 - taux, taux])


def _closer_with_copy(cible, en_ligne, taux):
    closer = cible.clone()
    closer += taux * (en_ligne - closer)
    return closer


def _closer_with_lerp(cible, en_ligne, taux):
    return torch.lerp(cible, en_ligne, taux)


SOFT_UPDATE = Exercise(
    rapprocher,
    (
        Property(
            "rapproche chaque poids d'une part de l'écart",
            _weights_by_hand,
            "Le nouveau poids est (1 − taux) fois celui de la cible, plus taux fois l'autre.",
        ),
        Property(
            "recopie le réseau en ligne quand le taux est 1",
            _copied,
            "Avec un taux de 1, il ne reste rien de l'ancienne cible.",
        ),
        Property(
            "ne change rien quand les deux réseaux sont égaux",
            _still,
            "Une moyenne de deux nombres égaux est ce nombre : vos parts font-elles 1 ?",
        ),
        Property(
            "vaut pour des poids de toute forme",
            _any_weights,
            "Écrivez la formule sur les tenseurs entiers : elle s'applique poids par poids.",
        ),
    ),
    (
        Mistake(
            "rôles échangés",
            lambda cible, en_ligne, taux: taux * cible + (1 - taux) * en_ligne,
            "Les rôles sont échangés : c'est la cible qui bouge peu, et garde la part 1 − taux.",
        ),
        Mistake(
            "une copie",
            lambda cible, en_ligne, taux: en_ligne.clone(),
            "Vous recopiez tout le réseau en ligne : on n'en verse qu'une part.",
        ),
        Mistake(
            "aucune synchronisation",
            lambda cible, en_ligne, taux: cible.clone(),
            "La cible ne bouge jamais : elle visera toujours d'après le réseau du départ.",
        ),
        Mistake(
            "la cible gardée en entier",
            lambda cible, en_ligne, taux: cible + taux * en_ligne,
            "Vous gardez la cible en entier : elle doit perdre la part qu'elle reçoit.",
        ),
        Mistake(
            "le réseau en ligne versé en entier",
            lambda cible, en_ligne, taux: (1 - taux) * cible + en_ligne,
            "Vous versez tout le réseau en ligne : multipliez-le par le taux.",
        ),
        Mistake(
            "la moyenne des deux",
            lambda cible, en_ligne, taux: (cible + en_ligne) / 2,
            "Vous prenez le milieu des deux réseaux : où sert le taux ?",
        ),
        Mistake(
            "le déplacement seul",
            lambda cible, en_ligne, taux: taux * (en_ligne - cible),
            "Vous rendez le déplacement : ajoutez-le à la cible.",
        ),
        Mistake(
            "un signe à l'envers",
            lambda cible, en_ligne, taux: cible - taux * (en_ligne - cible),
            "Le signe est à l'envers : la cible s'éloigne du réseau en ligne.",
        ),
    ),
    (_closer_in_python, _closer_in_numpy, _closer_with_copy, _closer_with_lerp),
)

EXERCISES = (UPDATE, EPSILON, END_AND_RESET, BOUND, N_STEPS, MOVING_MEAN, SOFT_UPDATE)
