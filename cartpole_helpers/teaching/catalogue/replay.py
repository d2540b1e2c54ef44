"""La mémoire de rejeu, carnet 03 : les places d'un anneau, puis la mémoire entière."""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

# Les places de l'anneau


def places_suivantes(capacite, ajoutees, nombre):
    """Rend les places (nombre,) où iront les `nombre` prochaines transitions d'un anneau.

    Il a `capacite` places, de 0 à `capacite - 1`, et a déjà reçu `ajoutees` transitions, la
    première à la place 0. `nombre` est au plus `capacite`.
    """
    return (ajoutees + np.arange(nombre)) % capacite


def _not_yet_full(_) -> Iterator[tuple]:
    yield 5, 0, 3
    yield 6, 2, 3


def _turning(_) -> Iterator[tuple]:
    yield 5, 3, 4
    yield 6, 16, 5
    yield 4, 8, 4


def _any_ring(generator: np.random.Generator) -> Iterator[tuple]:
    for _ in range(4):
        capacity = int(generator.integers(3, 50))
        yield capacity, int(generator.integers(200)), int(generator.integers(1, capacity + 1))
    yield 10_000, 29_998, 5


RING_PROPERTIES = (
    Property(
        "remplit l'anneau dans l'ordre, à partir de la place 0",
        _not_yet_full,
        "Tant que l'anneau n'est pas plein, la transition numéro n (à partir de 0) va en place n.",
    ),
    Property(
        "revient à la place 0 après la dernière",
        _turning,
        "La place est le reste de la division, par la capacité, du nombre de transitions passées.",
    ),
    Property(
        "vaut pour toute capacité, puissance de deux ou non",
        _any_ring,
        "L'opérateur du reste est %.",
    ),
)

MASK = "Le « et » bit à bit n'est un reste que si la capacité est une puissance de deux : prenez %."
MASKED_DRAW = (
    "Le « et » bit à bit de vos tirages saute des places si la capacité n'est pas 2, 4, 8…"
)
ONE_LESS = "Le reste se prend par la capacité, sans « − 1 » : sinon, une place ne sert jamais."


def _ring_masked(capacite, ajoutees, nombre):
    return (ajoutees + np.arange(nombre)) & (capacite - 1)


def _ring_one_less(capacite, ajoutees, nombre):
    return (ajoutees + np.arange(nombre)) % (capacite - 1)


def _ring_straight(capacite, ajoutees, nombre):
    return ajoutees + np.arange(nombre)


def _ring_half_turned(capacite, ajoutees, nombre):
    return ajoutees % capacite + np.arange(nombre)


def _ring_from_one(capacite, ajoutees, nombre):
    return (ajoutees + 1 + np.arange(nombre)) % capacite


def _ring_too_many(capacite, ajoutees, nombre):
    return (ajoutees + np.arange(nombre + 1)) % capacite


def _ring_up_to_count(capacite, ajoutees, nombre):
    return np.arange(ajoutees, nombre) % capacite


def _ring_from_zero(capacite, ajoutees, nombre):
    return np.arange(nombre) % capacite


def _ring_from_length(capacite, ajoutees, nombre):
    return (min(ajoutees, capacite) + np.arange(nombre)) % capacite


def _ring_clipped(capacite, ajoutees, nombre):
    return np.minimum(ajoutees + np.arange(nombre), capacite - 1)


def _ring_backwards(capacite, ajoutees, nombre):
    return -(ajoutees + np.arange(nombre)) % capacite


def _ring_first_only(capacite, ajoutees, nombre):
    return ajoutees % capacite


def _ring_sorted(capacite, ajoutees, nombre):
    return np.sort((ajoutees + np.arange(nombre)) % capacite)


def _ring_with_loop(capacite, ajoutees, nombre):
    place, places = 0, []
    for number in range(ajoutees + nombre):
        if number >= ajoutees:
            places.append(place)
        place = 0 if place == capacite - 1 else place + 1
    return places


def _ring_with_list(capacite, ajoutees, nombre):
    return [number % capacite for number in range(ajoutees, ajoutees + nombre)]


def _ring_with_roll(capacite, ajoutees, nombre):
    return np.roll(np.arange(capacite), -ajoutees)[:nombre]


next_slots = Exercise(
    places_suivantes,
    RING_PROPERTIES,
    (
        Mistake("un masque de bits", _ring_masked, MASK),
        Mistake("le reste par la capacité moins un", _ring_one_less, ONE_LESS),
        Mistake(
            "aucun reste",
            _ring_straight,
            "Vos places dépassent la capacité : après la dernière, on revient à la place 0.",
        ),
        Mistake(
            "le reste de la première place seulement",
            _ring_half_turned,
            "Vous prenez le reste du départ seulement : les places suivantes débordent encore.",
        ),
        Mistake(
            "une place trop loin",
            _ring_from_one,
            "Vous commencez une place trop loin : la toute première transition va à la place 0.",
        ),
        Mistake("une place de trop", _ring_too_many, "Vous rendez une place de trop."),
        Mistake(
            "jusqu'à nombre",
            _ring_up_to_count,
            "Vous vous arrêtez au numéro « nombre » : comptez-le à partir de la prochaine place.",
        ),
        Mistake(
            "toujours depuis la place 0",
            _ring_from_zero,
            "Vous repartez toujours de la place 0 : où sert le nombre des transitions passées ?",
        ),
        Mistake(
            "à partir du nombre de transitions gardées",
            _ring_from_length,
            "Une fois l'anneau plein, le nombre de transitions gardées ne dit plus où l'on en est.",
        ),
        Mistake(
            "bloqué sur la dernière place",
            _ring_clipped,
            "Vous restez bloqué sur la dernière place : un anneau revient à la place 0.",
        ),
        Mistake(
            "à rebours",
            _ring_backwards,
            "Vos places descendent, comme celles du document : ici, elles montent.",
        ),
        Mistake(
            "une seule place",
            _ring_first_only,
            "Vous ne rendez que la première place : il en faut une par transition.",
        ),
        Mistake(
            "les places triées",
            _ring_sorted,
            "Ne triez pas les places : la première est celle de la prochaine transition.",
        ),
    ),
    (_ring_with_loop, _ring_with_list, _ring_with_roll),
)


# La mémoire


class Memoire:
    """Un anneau qui garde les `capacite` dernières transitions ajoutées."""

    def __init__(self, capacite):
        self.places = [None] * capacite
        self.ajoutees = 0  # depuis le début

    def __len__(self):
        """Rend le nombre de transitions gardées."""
        return min(self.ajoutees, len(self.places))

    def ajouter(self, transition):
        """Garde une copie de `transition`, au besoin à la place de la plus ancienne.

        C'est un tuple `(observation, action, recompense, terminated, suivante)`. L'appelant peut
        ensuite réutiliser les deux tableaux d'observation.
        """
        observation, *milieu, suivante = transition
        copie = (observation.copy(), *milieu, suivante.copy())
        self.places[self.ajoutees % len(self.places)] = copie
        self.ajoutees += 1

    def tirer(self, nombre, hasard):
        """Rend une liste de `nombre` transitions, tirées uniformément, avec remise.

        `hasard` est un générateur de NumPy, seule source des tirages. ValueError si `nombre`
        dépasse le nombre de transitions gardées.
        """
        if nombre > len(self):
            raise ValueError(f"nombre doit être au plus {len(self)} : {nombre} reçu.")
        return [self.places[place] for place in hasard.integers(len(self), size=nombre)]


# Ce que l'on en regarde


def _transition(number: int) -> tuple:
    """Rend la transition numéro `number`, qui se reconnaît à son observation."""
    return np.full(4, number, np.float32), number % 2, 1.0, False, np.full(4, number, np.float32)


def _filled(answer: Callable, capacity: int, added: int):
    """Rend une mémoire où sont passées les transitions 1, 2, …, `added`."""
    memory = answer(capacity)
    for number in range(1, added + 1):
        memory.ajouter(_transition(number))
    return memory


def _given(value):
    """Rend `value`, ce qu'une méthode a rendu ; `NotImplementedError` si ce n'est rien."""
    if value is None or value is ...:
        raise NotImplementedError("rien n'est rendu")
    return value


def _length(memory) -> int:
    return _given(memory.__len__())


def _draws(memory, count: int, times: int, seed: int) -> list[list[int]]:
    """Rend les numéros de `times` lots de `count` transitions ; 0 pour une place jamais écrite."""
    generator = np.random.default_rng(seed)
    batches = [_given(memory.tirer(count, generator)) for _ in range(times)]
    return [[0 if one is None else int(one[0][0]) for one in batch] for batch in batches]


def _new_one(answer: Callable, capacity: int) -> str:
    """Dit ce que contient une mémoire neuve, alors qu'une autre a déjà servi."""
    _filled(answer, capacity, 2)
    length = _length(answer(capacity))
    if length == 0:
        return "une mémoire neuve est vide"
    return f"une mémoire neuve est {'pleine' if length >= capacity else 'déjà entamée'}"


def _lengths(answer: Callable, capacity: int, added: int) -> dict[str, tuple]:
    """Rend ce que dit `len` après chaque ajout."""
    memory, lengths = answer(capacity), []
    for number in range(1, added + 1):
        memory.ajouter(_transition(number))
        lengths.append(_length(memory))
    return {"len après chaque ajout": tuple(lengths)}


def _sizes(answer: Callable, capacity: int, added: int) -> dict[str, str]:
    """Rend la taille des lots, quand on en demande moins, autant ou plus qu'il n'y en a."""
    kept = min(capacity, added)
    return {f"{kept} gardées": tuple(_size(answer, capacity, added, kept + n) for n in (-1, 0, 1))}


def _size(answer: Callable, capacity: int, added: int, count: int) -> str:
    memory = _filled(answer, capacity, added)
    try:
        batch = _given(memory.tirer(count, np.random.default_rng()))
    except ValueError:
        return f"{count} demandées : ValueError"
    return f"{count} demandées : {len(batch)} rendues"


def _length_after_draw(answer: Callable, capacity: int, added: int) -> dict[str, int]:
    memory = _filled(answer, capacity, added)
    _given(memory.tirer(2, np.random.default_rng()))
    return {"len après un tirage": _length(memory)}


def _source(answer: Callable, capacity: int, seed: int) -> str:
    """Dit d'où viennent les tirages."""
    first, again, other = (
        _draws(_filled(answer, capacity, capacity), 4, 10, one) for one in (seed, seed, seed + 1)
    )
    newest = range(capacity - 3, capacity + 1)
    if all(set(batch) == set(newest) for batch in first):
        return "toujours les plus récentes"
    if all(set(batch) == {1, 2, 3, 4} for batch in first):
        return "toujours les mêmes places, les premières"
    if first != again:
        return "d'autres lots pour la même graine"
    if first == other or all(batch == first[0] for batch in first):
        return "les mêmes lots, quel que soit le générateur"
    return "des lots qui ne dépendent que du générateur"


def _seen(answer: Callable, capacity: int, added: int, seed: int) -> dict[str, tuple]:
    """Rend les numéros qui sortent, en beaucoup de lots d'une moitié de la mémoire.

    Sur 27 n tirages, un des n numéros manque moins d'une fois sur cent milliards.
    """
    kept = min(capacity, added)
    count = max(1, kept // 2)
    batches = _draws(_filled(answer, capacity, added), count, 27 * kept // count, seed)
    return {f"tirées, sur {added} ajoutées": tuple(sorted({n for batch in batches for n in batch}))}


def _manner(answer: Callable, capacity: int, seed: int) -> str:
    """Dit ce que les transitions d'un même lot ont à voir entre elles."""
    batches = _draws(_filled(answer, capacity, capacity), 4, 28, seed)
    if all(len(set(batch)) == 1 for batch in batches):
        return "des lots d'une seule transition, répétée"
    if all(_neighbours(batch, capacity) for batch in batches):
        return "des lots de voisines, dans l'ordre"
    if all(len(set(batch)) == len(batch) for batch in batches):
        return "jamais deux fois la même transition dans un lot"
    return "chaque transition du lot tirée à part"


def _neighbours(batch: Sequence[int], capacity: int) -> bool:
    steps = set(np.diff(batch) % capacity)
    return steps == {1} or steps == {capacity - 1}


def _balance(answer: Callable, capacity: int, seed: int) -> str:
    """Dit si les transitions d'une mémoire pleine sortent aussi souvent l'une que l'autre.

    C'est un χ² à deux degrés de liberté : il dépasse 45 moins d'une fois sur cinq milliards.
    """
    batches = _draws(_filled(answer, capacity, capacity), capacity, 334, seed)
    counts = np.bincount(np.ravel(batches), minlength=capacity + 1)[1:]
    expected = 334.0
    gap = np.sum((counts - expected) ** 2 / expected)
    return "aussi souvent l'une que l'autre" if gap < 45 else "les unes plus souvent que les autres"


def _kept_fields(answer: Callable, capacity: int, transition: tuple) -> dict | str:
    """Rend les champs de la seule transition ajoutée."""
    memory = answer(capacity)
    memory.ajouter(transition)
    [drawn] = _given(memory.tirer(1, np.random.default_rng()))
    if drawn is None or len(drawn) != 5:
        return "une place vide" if drawn is None else f"{len(drawn)} champs au lieu de 5"
    observation, action, reward, terminated, following = drawn
    return {
        "observation": _rounded(observation),
        "action": _rounded(action),
        "recompense": _rounded(reward),
        "terminated": bool(terminated),
        "suivante": _rounded(following),
    }


def _rounded(values) -> list[float] | float:
    return np.round(np.asarray(values, float), 2).tolist()


def _reused(answer: Callable, capacity: int, seed: int) -> dict[str, tuple]:
    """Rend ce qui est gardé (observation, suivante) quand l'appelant réécrit ses tableaux."""
    memory, observation, following = answer(capacity), np.zeros(4), np.zeros(4)
    for number in range(1, capacity + 1):
        observation[:], following[:] = number, number + 1
        memory.ajouter((observation, 0, 1.0, False, following))
    generator = np.random.default_rng(seed)
    drawn = [one for _ in range(27) for one in _given(memory.tirer(capacity, generator))]
    firsts = {(int(one[0][0]), int(one[4][0])) for one in drawn}
    return {"(observation, suivante)": tuple(sorted(firsts))}


def _drawn_then_overwritten(answer: Callable, capacity: int) -> dict[str, tuple]:
    """Rend les numéros d'un lot tiré dans une mémoire pleine, que d'autres ajouts recouvrent."""
    memory = answer(capacity)
    for _ in range(capacity):
        memory.ajouter(_transition(1))
    batch = _given(memory.tirer(2, np.random.default_rng()))
    for _ in range(capacity):
        memory.ajouter(_transition(2))
    return {"le lot, après d'autres ajouts": tuple(int(one[0][0]) for one in batch)}


# Les cas


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**32))


def _capacity(capacity: int) -> Callable:
    """Rend la suite d'un seul cas, cette capacité."""

    def cases(_) -> Iterator[tuple]:
        yield (capacity,)

    return cases


def _seeded(capacity: int, times: int = 1) -> Callable:
    """Rend `times` cas de cette capacité, chacun avec une graine tirée au hasard."""

    def cases(generator: np.random.Generator) -> Iterator[tuple]:
        for _ in range(times):
            yield capacity, _seed(generator)

    return cases


def _additions(generator: np.random.Generator) -> Iterator[tuple]:
    yield 3, 5
    yield 4, 3
    yield int(generator.integers(5, 8)), int(generator.integers(8, 20))


def _requests(_) -> Iterator[tuple]:
    yield 8, 3
    yield 3, 5


def _three_kept(_) -> Iterator[tuple]:
    yield 3, 5


def _contents(generator: np.random.Generator) -> Iterator[tuple]:
    for capacity, added in ((3, 5), (5, 3), (6, 6), (7, 16), (1, 2)):
        yield capacity, added, _seed(generator)
    yield int(generator.integers(5, 8)), int(generator.integers(1, 30)), _seed(generator)


def _transitions(generator: np.random.Generator) -> Iterator[tuple]:
    before, after = np.array([1.0, 2.0, 3.0, 4.0]), np.array([5.0, 6.0, 7.0, 8.0])
    yield 3, (before, 0, 0.5, True, after)
    yield 3, (after, 1, 300.5, False, before)
    before, after = generator.normal(size=(2, 4)).astype(np.float32)
    yield 3, (before, 1, float(generator.normal()), True, after)


MEMORY_PROPERTIES = (
    Property(
        "commence vide, quoi qu'on ait mis dans une autre mémoire",
        _capacity(100),
        "Une mémoire neuve est vide : construite avec sa capacité, elle a pour longueur 0.",
        _new_one,
    ),
    Property(
        "compte les transitions gardées, jamais plus que sa capacité",
        _additions,
        "La longueur est le nombre de transitions passées, mais jamais plus que la capacité.",
        _lengths,
    ),
    Property(
        "tire d'après le générateur reçu, et lui seul",
        _seeded(8),
        "Tous les tirages viennent de hasard : la même graine redonne les mêmes lots.",
        _source,
    ),
    Property(
        "rend un lot de la taille demandée, ou refuse s'il est trop grand",
        _requests,
        "Un lot a exactement la taille demandée ; si c'est impossible, levez ValueError.",
        _sizes,
    ),
    Property(
        "garde ce qu'elle tire",
        _three_kept,
        "Tirer ne retire rien : une transition sert plusieurs fois.",
        _length_after_draw,
    ),
    Property(
        "garde les plus récentes et les tire toutes, quelle que soit la capacité",
        _contents,
        "Chaque ajout remplace la plus ancienne ; chaque transition gardée doit pouvoir sortir.",
        _seen,
    ),
    Property(
        "tire chaque transition du lot à part, avec remise",
        _seeded(8),
        "Il faut autant de tirages indépendants que de transitions demandées.",
        _manner,
    ),
    Property(
        "tire chaque transition aussi souvent qu'une autre",
        _seeded(3, times=2),
        "Le tirage est uniforme : hasard.integers(n) rend chaque entier de 0 à n − 1 "
        "aussi souvent que les autres.",
        _balance,
    ),
    Property(
        "rend chaque champ tel qu'il a été ajouté",
        _transitions,
        "Une transition tirée a les cinq champs de celle qui fut ajoutée, dans le même ordre.",
        _kept_fields,
    ),
    Property(
        "garde des copies : l'appelant peut réécrire ses tableaux",
        _seeded(3),
        "Copiez les deux observations au moment de l'ajout.",
        _reused,
    ),
    Property(
        "rend un lot que les ajouts suivants ne changent pas",
        _capacity(3),
        "Le lot rendu ne doit plus changer : copiez ce que vous lisez dans vos tableaux.",
        _drawn_then_overwritten,
    ),
)


# Les mémoires fausses


def _copied(fields: Sequence) -> tuple:
    return tuple(map(np.array, fields))


class _LengthOfAll(Memoire):
    def __len__(self):
        return self.ajoutees

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        gardees = min(self.ajoutees, len(self.places))
        return [self.places[place] for place in hasard.integers(gardees, size=nombre)]


class _LengthOfAllDrawn(Memoire):
    def __len__(self):
        return self.ajoutees


class _LengthOfRing(Memoire):
    def __len__(self):
        return len(self.places)


class _LengthIsPlace(Memoire):
    def __len__(self):
        return self.ajoutees % len(self.places)


class _Listed(Memoire):
    """Une mémoire qui s'allonge d'une liste, la plus récente à la fin."""

    def __init__(self, capacite):
        self.capacite, self.places = capacite, []

    def __len__(self):
        return len(self.places)

    def ajouter(self, transition):
        self.places.append(_copied(transition))
        self.shorten()

    def shorten(self):
        del self.places[: -self.capacite]


class _Shared(_Listed):
    places: ClassVar[list] = []

    def __init__(self, capacite):
        self.capacite = capacite


class _Growing(_Listed):
    def shorten(self):
        pass


class _Emptied(_Listed):
    def shorten(self):
        if len(self.places) > self.capacite:
            del self.places[:-1]


class _NewestLost(_Listed):
    def shorten(self):
        if len(self.places) > self.capacite:
            del self.places[-2]


class _FirstKept(_Listed):
    def shorten(self):
        del self.places[self.capacite :]


class _Refusing(Memoire):
    def ajouter(self, transition):
        if len(self) == len(self.places):
            raise ValueError("pleine")
        super().ajouter(transition)


class _Straight(Memoire):
    def ajouter(self, transition):
        self.places[self.ajoutees] = _copied(transition)
        self.ajoutees += 1


def _placed(place: Callable[[int, int], int]) -> type[Memoire]:
    """Rend une mémoire qui écrit à la place `place(ajoutees, capacite)`."""

    class Placed(Memoire):
        def ajouter(self, transition):
            where = place(self.ajoutees, len(self.places))
            self.places[where] = _copied(transition)
            self.ajoutees += 1

    return Placed


def _drawing(choose: Callable, of: type[Memoire] = Memoire) -> type[Memoire]:
    """Rend une mémoire qui tire les places `choose(n, nombre, hasard)` ; n transitions gardées."""

    class Drawing(of):
        def tirer(self, nombre, hasard):
            if nombre > len(self):
                raise ValueError
            return [self.places[place] for place in choose(len(self), nombre, hasard)]

    return Drawing


def _own_seed(kept, count, _):
    return np.random.default_rng(0).integers(kept, size=count)


def _another_generator(kept, count, _):
    return np.random.default_rng().integers(kept, size=count)


def _only_one(kept, count, generator):
    return [generator.integers(kept)] * count


def _block(kept, count, generator):
    return (generator.integers(kept) + np.arange(count)) % kept


def _without_replacement(kept, count, generator):
    return generator.choice(kept, count, replace=False)


def _never_last(kept, count, generator):
    return generator.integers(max(1, kept - 1), size=count)


def _never_first(kept, count, generator):
    return generator.integers(min(1, kept - 1), kept, size=count)


def _one_too_far(kept, count, generator):
    return generator.integers(kept + 1, size=count)


def _rounded_place(kept, count, generator):
    return np.rint(generator.random(count) * (kept - 1)).astype(int)


class _NewestDrawn(Memoire):
    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        last = range(self.ajoutees - nombre, self.ajoutees)
        return [self.places[number % len(self.places)] for number in last]


class _WholeRing(Memoire):
    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        return [self.places[place] for place in hasard.integers(len(self.places), size=nombre)]


class _MaskedDraw(Memoire):
    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        mask = len(self.places) - 1
        return [self.places[place & mask] for place in hasard.integers(len(self), size=nombre)]


class _OfTheDocument(Memoire):
    """Écrite à rebours, et relue à partir de la plus récente."""

    def ajouter(self, transition):
        self.places[-self.ajoutees % len(self.places)] = _copied(transition)
        self.ajoutees += 1

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        newest, mask = -(self.ajoutees - 1) % len(self.places), len(self.places) - 1
        drawn = hasard.integers(len(self), size=nombre)
        return [self.places[(newest + rank) & mask] for rank in drawn]


class _Shortened(Memoire):
    def tirer(self, nombre, hasard):
        return super().tirer(min(nombre, len(self)), hasard)


class _Unrefused(Memoire):
    def tirer(self, nombre, hasard):
        return [self.places[place] for place in hasard.integers(len(self), size=nombre)]


class _EmptyBatch(Memoire):
    def tirer(self, nombre, hasard):
        return super().tirer(nombre, hasard) if nombre <= len(self) else []


class _StrictlyMore(Memoire):
    def tirer(self, nombre, hasard):
        if nombre >= len(self):
            raise ValueError
        return super().tirer(nombre, hasard)


class _FullOnly(Memoire):
    def tirer(self, nombre, hasard):
        if len(self) < len(self.places):
            raise ValueError
        return super().tirer(nombre, hasard)


class _Silent(Memoire):
    def tirer(self, nombre, hasard):
        super().tirer(nombre, hasard)


class _Columns(Memoire):
    def tirer(self, nombre, hasard):
        return tuple(map(np.array, zip(*super().tirer(nombre, hasard), strict=True)))


class _ChoiceOfTransitions(_Listed):
    def tirer(self, nombre, hasard):
        return list(hasard.choice(self.places, nombre))


class _Removing(_Listed):
    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        return [self.places.pop(hasard.integers(len(self))) for _ in range(nombre)]


def _changing(change: Callable[..., tuple]) -> type[Memoire]:
    """Rend une mémoire qui garde `change(*transition)` au lieu de la transition."""

    class Changing(Memoire):
        def ajouter(self, transition):
            self.places[self.ajoutees % len(self.places)] = _copied(change(*transition))
            self.ajoutees += 1

    return Changing


def _four_fields(observation, action, reward, terminated, following):
    return observation, action, reward, following


def _never_terminated(observation, action, reward, terminated, following):
    return observation, action, reward, False, following


def _swapped(observation, action, reward, terminated, following):
    return following, action, reward, terminated, observation


def _same_state(observation, action, reward, terminated, following):
    return observation, action, reward, terminated, observation


def _whole_reward(observation, action, reward, terminated, following):
    return observation, action, int(reward), terminated, following


class _Uncopied(Memoire):
    def ajouter(self, transition):
        self.places[self.ajoutees % len(self.places)] = transition
        self.ajoutees += 1


class _Views(Memoire):
    """Une mémoire en tableau, qui rend des vues sur ses lignes."""

    def __init__(self, capacite):
        self.places = np.zeros((capacite, 11))
        self.ajoutees = 0

    def ajouter(self, transition):
        self.places[self.ajoutees % len(self.places)] = np.hstack(transition)
        self.ajoutees += 1

    def tirer(self, nombre, hasard):
        return [(row[:4], *row[4:7], row[7:]) for row in super().tirer(nombre, hasard)]


MEMORY_MISTAKES = (
    Mistake(
        "une liste partagée par toutes les mémoires",
        _Shared,
        "Toutes vos mémoires partagent la même liste : créez-en une par mémoire.",
    ),
    Mistake(
        "la longueur compte tous les ajouts",
        _LengthOfAll,
        "Votre longueur compte tous les ajouts : pleine, la mémoire n'en garde pas davantage.",
    ),
    Mistake(
        "la longueur et les tirages comptent tous les ajouts",
        _LengthOfAllDrawn,
        "Votre longueur dépasse la capacité, et vos tirages vont chercher des places inexistantes.",
    ),
    Mistake(
        "la longueur est la capacité",
        _LengthOfRing,
        "Votre longueur est la capacité : comptez les places écrites, non celles qui existent.",
    ),
    Mistake(
        "la longueur est la prochaine place",
        _LengthIsPlace,
        "Votre longueur est la prochaine place à écrire, qui revient à 0 quand l'anneau est plein.",
    ),
    Mistake(
        "rien n'est jamais remplacé",
        _Growing,
        "Votre mémoire grandit sans fin : une fois pleine, la plus ancienne doit céder sa place.",
    ),
    Mistake(
        "tout est effacé quand la mémoire est pleine",
        _Emptied,
        "Une fois pleine, votre mémoire oublie tout : elle ne doit perdre que la plus ancienne.",
    ),
    Mistake(
        "la plus récente est remplacée",
        _NewestLost,
        "Votre mémoire pleine remplace la plus récente : c'est la plus ancienne qui s'en va.",
    ),
    Mistake(
        "les premières restent",
        _FirstKept,
        "Une fois pleine, votre mémoire n'écoute plus : la nouvelle remplace la plus ancienne.",
    ),
    Mistake(
        "pleine, elle refuse",
        _Refusing,
        "Une mémoire pleine ne refuse rien : la nouvelle transition remplace la plus ancienne.",
    ),
    Mistake(
        "la place sort de l'anneau",
        _Straight,
        "La place sort de l'anneau : prenez le reste de sa division par la capacité.",
    ),
    Mistake("un masque de bits à l'écriture", _placed(lambda n, c: n & (c - 1)), MASK),
    Mistake("un masque de bits à la lecture", _MaskedDraw, MASKED_DRAW),
    Mistake(
        "le tirage du document",
        _OfTheDocument,
        "C'est le tirage du document : son « et » saute des places, et en lit de jamais écrites.",
    ),
    Mistake(
        "le reste par la capacité moins un",
        _placed(lambda n, c: n % (c - 1) if c > 1 else 0),
        ONE_LESS,
    ),
    Mistake(
        "écrite par la fin, lue par le début",
        _placed(lambda n, c: c - 1 - n % c),
        "Vous écrivez par la fin de l'anneau, et lisez par son début : ces places sont vides.",
    ),
    Mistake(
        "le lot est raccourci",
        _Shortened,
        "Votre lot est plus court que demandé, sans un mot : levez plutôt ValueError.",
    ),
    Mistake(
        "un lot trop grand n'est pas refusé",
        _Unrefused,
        "Vous rendez plus de transitions qu'il n'y en a : levez ValueError, comme la consigne.",
    ),
    Mistake(
        "un lot vide",
        _EmptyBatch,
        "Un lot vide passe inaperçu : s'il n'y en a pas assez, levez ValueError.",
    ),
    Mistake(
        "tout demander est refusé",
        _StrictlyMore,
        "On peut demander autant de transitions qu'il y en a : ne refusez qu'au-delà.",
    ),
    Mistake(
        "elle attend d'être pleine",
        _FullOnly,
        "N'attendez pas que la mémoire soit pleine : il suffit qu'il y en ait assez pour le lot.",
    ),
    Mistake("tirer ne rend rien", _Silent, "Vos tirages ne rendent rien : il manque un return."),
    Mistake(
        "une colonne par champ",
        _Columns,
        "Vous rendez une colonne par champ : on attend ici une liste de transitions.",
    ),
    Mistake(
        "choice sur les transitions",
        _ChoiceOfTransitions,
        "hasard.choice veut faire un tableau de vos transitions : tirez plutôt leurs places.",
    ),
    Mistake(
        "tirer retire",
        _Removing,
        "Vos tirages retirent les transitions de la mémoire : elles doivent y rester.",
    ),
    Mistake(
        "toujours les plus récentes",
        _NewestDrawn,
        "Vous rendez toujours les plus récentes : ce sont des pas voisins, et rien n'est tiré.",
    ),
    Mistake(
        "toujours les premières places",
        _drawing(lambda kept, count, generator: range(count)),
        "Vous rendez toujours les premières places : où est le tirage ?",
    ),
    Mistake(
        "sa propre graine",
        _drawing(_own_seed),
        "Votre tirage a sa propre graine : il redonne toujours le même lot. Tirez avec hasard.",
    ),
    Mistake(
        "son propre générateur",
        _drawing(_another_generator),
        "Vous ne tirez pas avec hasard : rien ne pourra être refait à l'identique.",
    ),
    Mistake(
        "au-delà de ce qui est rempli",
        _WholeRing,
        "Vous tirez aussi des places jamais écrites : tirez parmi celles qui sont remplies.",
    ),
    Mistake(
        "une place trop loin",
        _drawing(_one_too_far),
        "Vos tirages vont une place trop loin : la dernière porte le numéro n − 1.",
    ),
    Mistake(
        "jamais la dernière place",
        _drawing(_never_last),
        "La dernière place ne sort jamais : hasard.integers(n) s'arrête déjà à n − 1.",
    ),
    Mistake(
        "jamais la première place",
        _drawing(_never_first),
        "La place 0 ne sort jamais : hasard.integers(n) part de 0.",
    ),
    Mistake(
        "jamais la plus récente",
        _drawing(_never_last, _Listed),
        "La plus récente ne sort jamais : hasard.integers(n) s'arrête déjà à n − 1.",
    ),
    Mistake(
        "jamais la plus ancienne",
        _drawing(_never_first, _Listed),
        "La plus ancienne ne sort jamais : hasard.integers(n) part de 0.",
    ),
    Mistake(
        "une seule transition, répétée",
        _drawing(_only_one),
        "Votre lot répète une seule transition : tirez une place pour chacune.",
    ),
    Mistake(
        "des voisines",
        _drawing(_block),
        "Vos lots sont des pas voisins, qui se ressemblent : tirez chaque place à part.",
    ),
    Mistake(
        "sans remise",
        _drawing(_without_replacement),
        "Vous tirez sans remise. Ce n'est pas grave pour apprendre, mais la consigne dit avec.",
    ),
    Mistake(
        "une place arrondie",
        _drawing(_rounded_place),
        "Arrondir donne aux deux bouts moitié moins de chances : prenez hasard.integers.",
    ),
    Mistake(
        "terminated oublié",
        _changing(_four_fields),
        "Il manque terminated à vos transitions : la cible ne saura pas où l'épisode finit.",
    ),
    Mistake(
        "terminated toujours faux",
        _changing(_never_terminated),
        "Votre drapeau terminated est toujours faux : gardez celui de la transition.",
    ),
    Mistake(
        "les observations échangées",
        _changing(_swapped),
        "L'observation et la suivante sont échangées : le temps irait à l'envers.",
    ),
    Mistake(
        "deux fois la même observation",
        _changing(_same_state),
        "Vous rangez deux fois l'observation : la suivante est perdue.",
    ),
    Mistake(
        "des récompenses entières",
        _changing(_whole_reward),
        "Vos récompenses sont gardées en entiers : 0,5 y devient 0. Gardez-les telles quelles.",
    ),
    Mistake(
        "aucune copie",
        _Uncopied,
        "Vous gardez le tableau de l'appelant, non une copie : s'il le réécrit, votre souvenir "
        "change. Copier le tuple n'y suffit pas : copiez les tableaux.",
    ),
    Mistake(
        "des vues sur un tableau",
        _Views,
        "Le lot rendu est une vue de vos tableaux : il changera aux prochains ajouts. Copiez-le.",
    ),
)


# Les mémoires justes


class _WithDeque:
    def __init__(self, capacite):
        self.kept = deque(maxlen=capacite)

    def __len__(self):
        return len(self.kept)

    def ajouter(self, transition):
        observation, action, reward, terminated, following = transition
        self.kept.append((observation.copy(), action, reward, terminated, following.copy()))

    def tirer(self, nombre, hasard):
        if len(self.kept) < nombre:
            raise ValueError("trop peu de transitions")
        return [self.kept[hasard.integers(len(self.kept))] for _ in range(nombre)]


class _WithColumns:
    def __init__(self, capacite):
        self.capacity, self.place, self.full = capacite, 0, False
        self.observations = np.zeros((capacite, 2, 4), np.float32)
        self.others = np.zeros((capacite, 3), np.float32)

    def __len__(self):
        return self.capacity if self.full else self.place

    def ajouter(self, transition):
        self.observations[self.place] = transition[0], transition[4]
        self.others[self.place] = transition[1:4]
        self.place += 1
        if self.place == self.capacity:
            self.place, self.full = 0, True

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        places = hasard.choice(len(self), nombre)
        rows = zip(self.observations[places], self.others[places], strict=True)
        return [(both[0], *others, both[1]) for both, others in rows]


class _WithList:
    def __init__(self, capacite):
        self.capacity, self.kept = capacite, []

    def __len__(self):
        return len(self.kept)

    def ajouter(self, transition):
        if len(self.kept) == self.capacity:
            self.kept.pop(0)
        self.kept.append([np.array(part) for part in transition])

    def tirer(self, nombre, hasard):
        if not 0 <= nombre <= len(self.kept):
            raise ValueError
        drawn = (int(hasard.random() * len(self.kept)) for _ in range(nombre))
        return [tuple(copy.deepcopy(self.kept[place])) for place in drawn]


class _WithNumbers:
    """Chaque transition est rangée sous son numéro ; la plus ancienne est oubliée."""

    def __init__(self, capacite):
        self.capacity, self.kept, self.count = capacite, {}, 0

    def __len__(self):
        return len(self.kept)

    def ajouter(self, transition):
        self.kept[self.count] = copy.deepcopy(transition)
        self.kept.pop(self.count - self.capacity, None)
        self.count += 1

    def tirer(self, nombre, hasard):
        if nombre > len(self.kept):
            raise ValueError
        numbers = self.count - 1 - hasard.integers(0, len(self.kept) - 1, nombre, endpoint=True)
        return tuple(self.kept[number] for number in numbers)


memory = Exercise(
    Memoire,
    MEMORY_PROPERTIES,
    MEMORY_MISTAKES,
    (_WithDeque, _WithColumns, _WithList, _WithNumbers),
)

EXERCISES = (next_slots, memory)
