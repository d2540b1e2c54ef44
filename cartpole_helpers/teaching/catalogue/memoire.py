"""Carnet 03 : la mémoire de rejeu."""

import copy
from collections import deque
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


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


def given(value):
    """Rend `value`, ce qu'une méthode a rendu ; `NotImplementedError` si ce n'est rien."""
    if value is None or value is ...:
        raise NotImplementedError("rien n'est rendu")
    return value


def adding(memory, numbers):
    """Rend `memory`, où passent les transitions de ces numéros."""
    for number in numbers:
        state = np.full(4, number, np.float32)
        memory.ajouter((state, number % 2, 1.0, False, state.copy()))
    return memory


def filled(answer: Callable, capacity: int, added: int):
    """Rend une mémoire où sont passées les transitions 1, 2, …, `added`."""
    return adding(answer(capacity), range(1, added + 1))


def length(memory) -> int:
    return given(memory.__len__())


def drawn(memory, count: int):
    return given(memory.tirer(count, np.random.default_rng()))


def draws(answer, capacity: int, added: int, count: int, times: int, seed: int) -> list[list[int]]:
    """Rend les numéros de `times` lots de `count` transitions ; 0 pour une place jamais écrite."""
    memory, generator = filled(answer, capacity, added), np.random.default_rng(seed)
    batches = [given(memory.tirer(count, generator)) for _ in range(times)]
    return [[0 if one is None else int(one[0][0]) for one in batch] for batch in batches]


def new_one(answer, capacity):
    """Dit ce que contient une mémoire neuve, alors qu'une autre a déjà servi."""
    filled(answer, capacity, 2)
    kept = length(answer(capacity))
    told = "vide" if kept == 0 else "pleine" if kept >= capacity else "déjà entamée"
    return f"une mémoire neuve est {told}"


def lengths(answer, capacity, added):
    told = (length(filled(answer, capacity, number)) for number in range(1, added + 1))
    return {"len après chaque ajout": tuple(told)}


def sizes(answer, capacity, added):
    """Rend la taille des lots, quand on en demande moins, autant ou plus qu'il n'y en a."""
    kept, told = min(capacity, added), []
    for count in (kept - 1, kept, kept + 1):
        memory = filled(answer, capacity, added)
        try:
            told.append(f"{count} demandées : {len(drawn(memory, count))} rendues")
        except ValueError:
            told.append(f"{count} demandées : ValueError")
    return {f"{kept} gardées": tuple(told)}


def length_after_draw(answer, capacity, added):
    memory = filled(answer, capacity, added)
    drawn(memory, 2)
    return {"len après un tirage": length(memory)}


def source(answer, capacity, seed):
    """Dit d'où viennent les tirages."""
    seeds = seed, seed, seed + 1
    first, again, other = (draws(answer, capacity, capacity, 4, 10, one) for one in seeds)
    if all(set(batch) == {*range(capacity - 3, capacity + 1)} for batch in first):
        return "toujours les plus récentes"
    if all(set(batch) == {1, 2, 3, 4} for batch in first):
        return "toujours les mêmes places, les premières"
    if first != again:
        return "d'autres lots pour la même graine"
    if first == other or all(batch == first[0] for batch in first):
        return "les mêmes lots, quel que soit le générateur"
    return "des lots qui ne dépendent que du générateur"


def seen(answer, capacity, added, seed):
    """Rend les numéros qui sortent, par lots d'une moitié de la mémoire."""
    kept = min(capacity, added)
    count = max(1, kept // 2)
    # sur 27 n tirages, un des n numéros manque moins d'une fois sur cent milliards
    batches = draws(answer, capacity, added, count, 27 * kept // count, seed)
    return {f"tirées, sur {added} ajoutées": tuple(sorted(set().union(*batches)))}


def manner(answer, capacity, seed):
    """Dit ce que les transitions d'un même lot ont à voir entre elles."""
    batches = draws(answer, capacity, capacity, 4, 28, seed)
    if all(len(set(batch)) == 1 for batch in batches):
        return "des lots d'une seule transition, répétée"
    if all({*np.diff(batch) % capacity} in ({1}, {capacity - 1}) for batch in batches):
        return "des lots de voisines, dans l'ordre"
    if all(len(set(batch)) == len(batch) for batch in batches):
        return "jamais deux fois la même transition dans un lot"
    return "chaque transition du lot tirée à part"


def balance(answer, capacity, seed):
    """Dit si les transitions d'une mémoire pleine sortent aussi souvent l'une que l'autre."""
    batches = draws(answer, capacity, capacity, capacity, 334, seed)
    gaps = np.bincount(np.ravel(batches), minlength=capacity + 1)[1:] - 334
    # un χ² à deux degrés de liberté dépasse 45 moins d'une fois sur cinq milliards
    uniform = np.sum(gaps**2) < 45 * 334
    return "aussi souvent l'une que l'autre" if uniform else "les unes plus souvent que les autres"


def kept_fields(answer, capacity, transition):
    """Rend les champs de la seule transition ajoutée."""
    memory = answer(capacity)
    memory.ajouter(transition)
    [one] = drawn(memory, 1)
    if one is None or len(one) != 5:
        return "une place vide" if one is None else f"{len(one)} champs au lieu de 5"
    names = "observation", "action", "recompense", "terminated", "suivante"
    values = [np.round(np.asarray(value, float), 2).tolist() for value in one]
    return dict(zip(names, values, strict=True)) | {"terminated": bool(one[3])}


def reused(answer, capacity, seed):
    """Rend ce qui est gardé (observation, suivante) quand l'appelant récrit ses tableaux."""
    memory, observation, following = answer(capacity), np.zeros(4), np.zeros(4)
    for number in range(1, capacity + 1):
        observation[:], following[:] = number, number + 1
        memory.ajouter((observation, 0, 1.0, False, following))
    generator = np.random.default_rng(seed)
    batches = [given(memory.tirer(capacity, generator)) for _ in range(27)]
    firsts = {(int(one[0][0]), int(one[4][0])) for batch in batches for one in batch}
    return {"(observation, suivante)": tuple(sorted(firsts))}


def overwritten(answer, capacity):
    """Rend les numéros d'un lot tiré dans une mémoire pleine, que d'autres ajouts recouvrent."""
    memory = adding(answer(capacity), [1] * capacity)
    batch = drawn(memory, 2)
    adding(memory, [2] * capacity)
    return {"le lot, après d'autres ajouts": tuple(int(one[0][0]) for one in batch)}


def contents(generator: np.random.Generator) -> Cases:
    for numbers in (3, 5), (5, 3), (6, 6), (7, 16), (1, 2):
        yield *numbers, int(generator.integers(2**32))
    yield tuple(generator.integers((5, 1, 0), (8, 30, 2**32)).tolist())


def transitions(generator: np.random.Generator) -> Cases:
    before, after = np.arange(1.0, 5), np.arange(5.0, 9)
    yield 3, (before, 0, 0.5, True, after)
    yield 3, (after, 1, 300.5, False, before)
    before, after = generator.normal(size=(2, 4)).astype(np.float32)
    yield 3, (before, 1, float(generator.normal()), True, after)


PROPERTIES = (
    Property(
        "commence vide, quoi qu'on ait mis dans une autre mémoire",
        [(100,)],
        "Une mémoire neuve est vide : construite avec sa capacité, elle a pour longueur 0.",
        new_one,
    ),
    Property(
        "compte les transitions gardées, jamais plus que sa capacité",
        lambda generator: [(3, 5), (4, 3), tuple(generator.integers((5, 8), (8, 20)).tolist())],
        "La longueur est le nombre de transitions passées, mais jamais plus que la capacité.",
        lengths,
    ),
    Property(
        "tire d'après le générateur reçu, et lui seul",
        lambda generator: [(8, int(generator.integers(2**32)))],
        "Tous les tirages viennent de hasard : la même graine redonne les mêmes lots.",
        source,
    ),
    Property(
        "rend un lot de la taille demandée, ou refuse s'il est trop grand",
        [(8, 3), (3, 5)],
        "Un lot a exactement la taille demandée ; si c'est impossible, levez ValueError.",
        sizes,
    ),
    Property(
        "garde ce qu'elle tire",
        [(3, 5)],
        "Tirer ne retire rien : une transition sert plusieurs fois.",
        length_after_draw,
    ),
    Property(
        "garde les plus récentes et les tire toutes, quelle que soit la capacité",
        contents,
        "Chaque ajout remplace la plus ancienne ; chaque transition gardée doit pouvoir sortir.",
        seen,
    ),
    Property(
        "tire chaque transition du lot à part, avec remise",
        lambda generator: [(8, int(generator.integers(2**32)))],
        "Il faut autant de tirages indépendants que de transitions demandées.",
        manner,
    ),
    Property(
        "tire chaque transition aussi souvent qu'une autre",
        lambda generator: [(3, int(one)) for one in generator.integers(2**32, size=2)],
        "Le tirage est uniforme : hasard.integers(n) rend chaque entier de 0 à n − 1 "
        "aussi souvent que les autres.",
        balance,
    ),
    Property(
        "rend chaque champ tel qu'il a été ajouté",
        transitions,
        "Une transition tirée a les cinq champs de celle qui fut ajoutée, dans le même ordre.",
        kept_fields,
    ),
    Property(
        "garde des copies : l'appelant peut récrire ses tableaux",
        lambda generator: [(3, int(generator.integers(2**32)))],
        "Copiez les deux observations au moment de l'ajout.",
        reused,
    ),
    Property(
        "rend un lot que les ajouts suivants ne changent pas",
        [(3,)],
        "Le lot rendu ne doit plus changer : copiez ce que vous lisez dans vos tableaux.",
        overwritten,
    ),
)

CHANGES = """
la longueur compte tous les ajouts : min(self.ajoutees, len(self.places)) → self.ajoutees
+ integers(len(self), → integers(min(self.ajoutees, len(self.places)),
    Votre longueur compte tous les ajouts : pleine, la mémoire n'en garde pas davantage.
la longueur et les tirages comptent tous les ajouts : min(self.ajoutees, len(self.places)) → \
self.ajoutees
    Votre longueur dépasse la capacité, et vos tirages vont chercher des places inexistantes.
la longueur est la capacité : min(self.ajoutees, len(self.places)) → len(self.places)
    Votre longueur est la capacité : comptez les places écrites, non celles qui existent.
la longueur est la prochaine place : min(self.ajoutees, → (self.ajoutees %
    Votre longueur est la prochaine place à écrire, qui revient à 0 quand l'anneau est plein.
rien n'est jamais remplacé : self.places[self.ajoutees % len(self.places)] = copie → \
self.places.insert(self.ajoutees, copie)
    Votre mémoire grandit sans fin : une fois pleine, la plus ancienne doit céder sa place.
tout est effacé quand la mémoire est pleine : += 1 → = self.ajoutees % len(self.places) + 1
    Une fois pleine, votre mémoire oublie tout : elle ne doit perdre que la plus ancienne.
la plus récente est remplacée : [self.ajoutees % len(self.places)] → \
[min(self.ajoutees, len(self.places) - 1)]
    Votre mémoire pleine remplace la plus récente : c'est la plus ancienne qui s'en va.
les premières restent : self.places[self.ajoutees % len(self.places)] = copie → \
if self.ajoutees < len(self.places): self.places[self.ajoutees] = copie
    Une fois pleine, votre mémoire n'écoute plus : la nouvelle remplace la plus ancienne.
pleine, elle refuse : observation, *milieu, suivante = transition → \
if self.ajoutees == len(self.places): raise ValueError("pleine")
+ (observation.copy(), *milieu, suivante.copy()) → copy.deepcopy(transition)
    Une mémoire pleine ne refuse rien : la nouvelle transition remplace la plus ancienne.
la place sort de l'anneau : % len(self.places) → ∅
    La place sort de l'anneau : prenez le reste de sa division par la capacité.
un masque de bits à l'écriture (un masque de bits) : % len(self.places) → & (len(self.places) - 1)
un masque de bits à la lecture (un masque de bits) : [place] → [place & (len(self.places) - 1)]
    Le « et » bit à bit de vos tirages saute des places si la capacité n'est pas 2, 4, 8…
le tirage du document (un masque de bits) : [self.ajoutees → [-self.ajoutees
+ [place] → [((1 - self.ajoutees) % len(self.places) + place) & (len(self.places) - 1)]
    C'est le tirage du document : son « et » saute des places, et en lit de jamais écrites.
le reste par la capacité moins un : % len(self.places) → % max(1, len(self.places) - 1)
écrite par la fin, lue par le début : [self.ajoutees % → [-1 - self.ajoutees %
    Vous écrivez par la fin de l'anneau, et lisez par son début : ces places sont vides.
le lot est raccourci : nombre > len(self) → False
+ size=nombre → size=min(nombre, len(self))
    Votre lot est plus court que demandé, sans un mot : levez plutôt ValueError.
un lot trop grand n'est pas refusé : nombre > len(self) → False
    Vous rendez plus de transitions qu'il n'y en a : levez ValueError, comme la consigne.
l'erreur rendue, non levée : raise ValueError → return ValueError
    Vous rendez l'erreur : pour la lever, c'est `raise`.
un lot vide : nombre > len(self) → False
+ size=nombre → size=nombre if nombre <= len(self) else 0
    Un lot vide passe inaperçu : s'il n'y en a pas assez, levez ValueError.
tout demander est refusé (l'égalité à la limite) : nombre > len(self) → nombre >= len(self)
    On peut demander autant de transitions qu'il y en a : ne refusez qu'au-delà.
elle attend d'être pleine : nombre > len(self) → max(nombre, len(self.places)) > len(self)
    N'attendez pas que la mémoire soit pleine : il suffit qu'il y en ait assez pour le lot.
tirer ne rend rien : return [ → [
    Vos tirages ne rendent rien : il manque un return.
une colonne par champ : return [ → columns = zip(*[
+ size=nombre)] → size=nombre)]); return tuple(map(np.array, columns))
    Vous rendez une colonne par champ : on attend ici une liste de transitions.
choice sur les transitions : = list(hasard.choice(self.places, nombre))
    hasard.choice veut faire un tableau de vos transitions : tirez plutôt leurs places.
tirer retire : = [self.places.pop(hasard.integers(len(self))) for _ in range(nombre)]
+ raise ValueError( → raise ValueError  # (
    Vos tirages retirent les transitions de la mémoire : elles doivent y rester.
toujours les plus récentes : hasard.integers(len(self), size=nombre) → \
np.arange(self.ajoutees - nombre, self.ajoutees) % len(self.places)
    Vous rendez toujours les plus récentes : ce sont des pas voisins, et rien n'est tiré.
toujours les premières places : hasard.integers(len(self), size=nombre) → range(nombre)
    Vous rendez toujours les premières places : où est le tirage ?
sa propre graine : hasard.integers → np.random.default_rng(0).integers
    Votre tirage a sa propre graine : il redonne toujours le même lot. Tirez avec hasard.
son propre générateur : hasard.integers → np.random.default_rng().integers
    Vous ne tirez pas avec hasard : rien ne pourra être refait à l'identique.
au-delà de ce qui est rempli : integers(len(self), → integers(len(self.places),
    Vous tirez aussi des places jamais écrites : tirez parmi celles qui sont remplies.
une place trop loin (un rang de décalage) : integers(len(self), → integers(len(self) + 1,
    Vos tirages vont une place trop loin : la dernière porte le numéro n − 1.
jamais la dernière place (un rang de décalage) : integers(len(self), → \
integers(max(1, len(self) - 1),
    La dernière place ne sort jamais : hasard.integers(n) s'arrête déjà à n − 1.
jamais la première place (un rang de décalage) : integers( → integers(min(1, len(self) - 1),
    La place 0 ne sort jamais : hasard.integers(n) part de 0.
jamais la plus récente (un rang de décalage) : integers(len(self), → integers(max(1, len(self) - 1),
+ [place] → [(self.ajoutees + place) % len(self)]
    La plus récente ne sort jamais : hasard.integers(n) s'arrête déjà à n − 1.
jamais la plus ancienne (un rang de décalage) : integers( → integers(min(1, len(self) - 1),
+ [place] → [(self.ajoutees + place) % len(self)]
    La plus ancienne ne sort jamais : hasard.integers(n) part de 0.
une seule transition, répétée : hasard.integers(len(self), size=nombre) → \
[hasard.integers(len(self))] * nombre
    Votre lot répète une seule transition : tirez une place pour chacune.
des voisines : [place] → [place % len(self)]
+ size=nombre) → size=1) + np.arange(nombre)
    Vos lots sont des pas voisins, qui se ressemblent : tirez chaque place à part.
sans remise : integers(len(self), size=nombre → choice(len(self), nombre, replace=False
    Vous tirez sans remise. Ce n'est pas grave pour apprendre, mais la consigne dit avec.
une place arrondie : hasard.integers(len(self), size=nombre) → \
np.rint(hasard.random(nombre) * (len(self) - 1)).astype(int)
    Arrondir donne aux deux bouts moitié moins de chances : prenez hasard.integers.
terminated oublié : *milieu, suivante.copy() → *milieu[:2], suivante.copy()
    Il manque terminated à vos transitions : la cible ne saura pas où l'épisode finit.
terminated toujours faux : *milieu, suivante.copy() → *milieu[:2], False, suivante.copy()
    Votre drapeau terminated est toujours faux : gardez celui de la transition.
les observations échangées : observation, *milieu, suivante = → suivante, *milieu, observation =
    L'observation et la suivante sont échangées : le temps irait à l'envers.
deux fois la même observation : suivante.copy() → observation.copy()
    Vous rangez deux fois l'observation : la suivante est perdue.
des récompenses entières : = transition → = transition; milieu[1] = int(milieu[1])
    Vos récompenses sont gardées en entiers : 0,5 y devient 0. Gardez-les telles quelles.
`copy` jamais appelée : observation.copy() → observation.copy
    `copy` sans parenthèses range la méthode, non une copie : appelez-la.
suivante avant terminated : *milieu, suivante.copy() → *milieu[:2], suivante.copy(), milieu[2]
    Vos champs sont dans un autre ordre : terminated, puis la suivante.
chaque champ tiré à part : = [tuple(self.places[hasard.integers(len(self))][field] \
for field in range(5)) for _ in range(nombre)]
    Chaque champ est tiré à part : les cinq d'une transition vont ensemble.
aucune copie (un tableau partagé) : = copie → = transition
    Vous gardez le tableau de l'appelant, non une copie : s'il le récrit, votre souvenir change.
    Copier le tuple n'y suffit pas : copiez les tableaux.
des vues sur un tableau (un tableau partagé) : [None] * capacite → np.zeros((capacite, 11))
+ = copie → = np.hstack(transition)
+ = [(row[:4], *row[4:7], row[7:]) for row in map(self.places.__getitem__, \
hasard.integers(len(self), size=nombre))]
    Le lot rendu est une vue de vos tableaux : il changera aux prochains ajouts. Copiez-le.
"""


class WithDeque:
    draw = staticmethod(lambda n, count, hasard: hasard.integers(0, n - 1, count, endpoint=True))

    def __init__(self, capacite):
        self.kept = deque(maxlen=capacite)

    def __len__(self):
        return len(self.kept)

    def ajouter(self, transition):
        self.kept.append(copy.deepcopy(transition))

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError("trop peu de transitions")
        return [self.kept[place] for place in self.draw(len(self), nombre, hasard)]


class WithList(WithDeque):
    draw = staticmethod(lambda n, count, hasard: [int(x * n) for x in hasard.random(count)])

    def __init__(self, capacite):
        self.capacity, self.kept = capacite, []

    def ajouter(self, transition):
        self.kept.append([np.array(part) for part in transition])
        del self.kept[: -self.capacity]


class WithRows(Memoire):
    def __init__(self, capacite):
        self.places, self.ajoutees = np.zeros((capacite, 11), np.float32), 0

    def ajouter(self, transition):
        self.places[self.ajoutees % len(self.places)] = np.hstack(transition)
        self.ajoutees += 1

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        rows = self.places[hasard.choice(len(self), nombre)]
        return tuple((row[:4], *row[4:7], row[7:]) for row in rows)


class Shared(WithList):
    """une liste partagée par toutes les mémoires
    Toutes vos mémoires partagent la même liste : créez-en une par mémoire.
    """

    kept: ClassVar[list] = []

    def __init__(self, capacite):
        self.capacity = capacite


VARIANTS = WithDeque, WithList, WithRows
EXERCISE = Exercise(Memoire, PROPERTIES, CHANGES, [Shared], VARIANTS)
