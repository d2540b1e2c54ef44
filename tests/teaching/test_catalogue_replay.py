"""Les exercices de la mémoire de rejeu : places d'un anneau, mémoire entière."""

import random
from collections import deque

import numpy as np
import pytest

from cartpole_helpers import version1
from cartpole_helpers.teaching.catalogue import replay
from cartpole_helpers.teaching.checking import judge

RING, MEMORY = replay.EXERCISES


def test_the_names_are_those_of_the_notebook():
    assert (RING.name, MEMORY.name) == ("places_suivantes", "Memoire")


# Ce que l'on attend, calculé à la main


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((5, 0, 3), [0, 1, 2]),
        ((6, 2, 3), [2, 3, 4]),
        ((5, 3, 4), [3, 4, 0, 1]),
        ((6, 16, 5), [4, 5, 0, 1, 2]),
        ((4, 8, 4), [0, 1, 2, 3]),
        ((10_000, 29_998, 5), [9_998, 9_999, 0, 1, 2]),
    ],
)
def test_slots_computed_by_hand(arguments, expected):
    generator = np.random.default_rng(0)
    assert arguments in [case for one in RING.properties for case in one.cases(generator)]
    assert RING.reference(*arguments).tolist() == expected


BY_HAND = {  # la propriété (un mot de son énoncé), les premiers arguments : ce qu'elle doit voir
    ("commence vide", 100): "une mémoire neuve est vide",
    ("compte", 3, 5): {"len après chaque ajout": (1, 2, 3, 3, 3)},
    ("compte", 4, 3): {"len après chaque ajout": (1, 2, 3)},
    ("taille", 8, 3): {
        "3 gardées": (
            "2 demandées : 2 rendues",
            "3 demandées : 3 rendues",
            "4 demandées : ValueError",
        )
    },
    ("garde ce qu'elle tire", 3, 5): {"len après un tirage": 3},
    ("générateur", 8): "des lots qui ne dépendent que du générateur",
    ("les plus récentes", 3, 5): {"tirées, sur 5 ajoutées": (3, 4, 5)},
    ("les plus récentes", 5, 3): {"tirées, sur 3 ajoutées": (1, 2, 3)},
    ("les plus récentes", 7, 16): {"tirées, sur 16 ajoutées": (10, 11, 12, 13, 14, 15, 16)},
    ("les plus récentes", 1, 2): {"tirées, sur 2 ajoutées": (2,)},
    ("à part", 8): "chaque transition du lot tirée à part",
    ("aussi souvent", 3): "aussi souvent l'une que l'autre",
    ("copies", 3): {"(observation, suivante)": ((1, 2), (2, 3), (3, 4))},
    ("ajouts suivants", 3): {"le lot, après d'autres ajouts": (1, 1)},
}


@pytest.mark.parametrize(("start", "expected"), BY_HAND.items(), ids=str)
def test_what_is_seen_of_a_memory_computed_by_hand(start, expected):
    word, *numbers = start
    [one] = [one for one in MEMORY.properties if word in one.text]
    cases = [*one.cases(np.random.default_rng(0))]
    case = next(case for case in cases if [*case[: len(numbers)]] == numbers)
    assert one.view(Deque, *case) == expected


def test_the_fields_of_a_transition_computed_by_hand():
    [one] = [one for one in MEMORY.properties if "champ" in one.text]
    assert one.view(Deque, *next(one.cases(np.random.default_rng(0)))) == {
        "observation": [1, 2, 3, 4],
        "action": 0,
        "recompense": 0.5,
        "terminated": True,
        "suivante": [5, 6, 7, 8],
    }


# Des réponses d'élèves, écrites autrement que le catalogue


class Deque:
    """L'arbitre du carnet, juste : une file bornée."""

    def __init__(self, capacite):
        self.file = deque(maxlen=capacite)

    def __len__(self):
        return len(self.file)

    def ajouter(self, transition):
        o, a, r, t, s = transition
        self.file.append((np.array(o), a, r, t, np.array(s)))

    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError("trop peu")
        return [self.file[i] for i in hasard.integers(0, len(self.file), nombre)]


class OfTheDocument(Deque):
    """Les cinq `carray` du document."""

    def __init__(self, capacite):
        self.capacite, self.file = capacite, deque(maxlen=capacite)
        kinds = (4, float), (1, int), (1, float), (1, bool), (4, float)
        self.columns = [version1.carray(capacite, *kind) for kind in kinds]

    def ajouter(self, transition):
        self.file.append(0)
        for column, value in zip(self.columns, transition, strict=True):
            column.append(value)

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        perm = hasard.integers(len(self), size=nombre)
        return [*zip(*(column.sample_from_perm(perm) for column in self.columns), strict=True)]


class ShortBatch(Deque):
    def tirer(self, nombre, hasard):
        return [self.file[i] for i in hasard.permutation(len(self.file))[:nombre]]


class SampledWithoutReplacement(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        return [self.file[i] for i in hasard.permutation(len(self.file))[:nombre]]


class GlobalRandom(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        return random.choices(self.file, k=nombre)


class Seeded(Deque):
    def tirer(self, nombre, hasard):
        return super().tirer(nombre, np.random.default_rng(42))


class Slice(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        start = int(hasard.integers(len(self.file) - nombre + 1))
        return [*self.file][start : start + nombre]


class NotCopied(Deque):
    def ajouter(self, transition):
        self.file.append(tuple(transition))


class NoMaximum(Deque):
    def __init__(self, capacite):
        self.file = []


class AllSlots(Deque):
    """Un tableau préparé de zéros, tiré en entier avant d'être plein."""

    def __init__(self, capacite):
        self.capacite, self.passees = capacite, 0
        self.o, self.s = np.zeros((2, capacite, 4))
        self.a, self.r, self.t = np.zeros((3, capacite))

    def __len__(self):
        return min(self.passees, self.capacite)

    def ajouter(self, transition):
        place = self.passees % self.capacite
        self.o[place], self.a[place], self.r[place], self.t[place], self.s[place] = transition
        self.passees += 1

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        places = hasard.choice(self.capacite, nombre)
        return [(self.o[p].copy(), self.a[p], self.r[p], self.t[p], self.s[p]) for p in places]


class SmallRewards(AllSlots):
    def __init__(self, capacite):
        super().__init__(capacite)
        self.r = np.zeros(capacite, np.int16)

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        places = hasard.choice(len(self), nombre)
        fields = self.o, self.a, self.r, self.t, self.s
        return [tuple(column[p].copy() for column in fields) for p in places]


class SameRow(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        one = self.file[hasard.choice(len(self.file))]
        return [one for _ in range(nombre)]


class NeverTheNewest(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        last = max(1, len(self.file) - 1)
        return [self.file[int(x * last)] for x in hasard.random(nombre)]


class CountsEverything(AllSlots):
    def __len__(self):
        return self.passees

    def tirer(self, nombre, hasard):
        if nombre > self.passees:
            raise ValueError
        places = hasard.choice(min(self.passees, self.capacite), nombre)
        fields = self.o, self.a, self.r, self.t, self.s
        return [tuple(column[p].copy() for column in fields) for p in places]


class Exchanged(Deque):
    def ajouter(self, transition):
        super().ajouter(tuple(reversed(transition)))


class Backwards(Deque):
    def ajouter(self, transition):
        o, a, r, t, s = transition
        super().ajouter((s, a, r, t, o))


class FourFields(Deque):
    def ajouter(self, transition):
        o, a, r, _, s = transition
        self.file.append((o.copy(), a, r, s.copy()))


class Forgotten(Deque):
    def tirer(self, nombre, hasard):
        if nombre > len(self.file):
            raise ValueError
        [self.file[i] for i in hasard.integers(0, len(self.file), nombre)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (OfTheDocument, "le tirage du document"),
        (ShortBatch, "plus court que demandé"),
        (SampledWithoutReplacement, "sans remise"),
        (GlobalRandom, "refait à l'identique"),
        (Seeded, "sa propre graine"),
        (Slice, "pas voisins"),
        (NotCopied, "le tableau de l'appelant"),
        (NoMaximum, "grandit sans fin"),
        (AllSlots, "jamais écrites"),
        (SmallRewards, "gardées en entiers"),
        (SameRow, "répète une seule transition"),
        (NeverTheNewest, "ne sort jamais"),
        (CountsEverything, "compte tous les ajouts"),
        (Backwards, "le temps irait à l'envers"),
        (FourFields, "Il manque terminated"),
        (Forgotten, "il manque un return"),
        (Exchanged, "les cinq champs"),
    ],
)
def test_a_learner_s_wrong_memory_gets_the_hint_that_helps(answer, words):
    for _ in range(4):
        report = judge(MEMORY, answer)
        assert not report.passed
        assert words in report.hint, report


def test_the_arbiter_is_accepted():
    assert judge(MEMORY, Deque).passed


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda c, a, n: [(a + k) & (c - 1) for k in range(n)], "puissance de deux"),
        (lambda c, a, n: [*range(a, a + n)], "dépassent la capacité"),
        (lambda c, a, n: [k % c for k in range(a + 1, a + n + 1)], "trop loin"),
        (lambda c, a, n: [k % c for k in range(a, a + n + 1)], "une place de trop"),
        (lambda c, a, n: [(c - (a + k)) % c for k in range(n)], "descendent"),
        (lambda c, a, n: sorted(k % c for k in range(a, a + n)), "Ne triez pas"),
        (lambda c, a, n: 1 / 0, "va en place n"),
        (lambda c, a, n: "012", "va en place n"),
        (lambda c: [0], "Les arguments doivent être"),
    ],
)
def test_wrong_slots_get_the_hint_that_helps(answer, words):
    for _ in range(20):
        report = judge(RING, answer)
        assert not report.passed
        assert words in report.hint, report


# Ce qui n'est pas encore une réponse


class Stub:
    """Tel que le carnet le donne."""

    def __init__(self, capacite): ...

    def __len__(self): ...

    def ajouter(self, transition): ...

    def tirer(self, nombre, hasard): ...


class StubThatReturns(Stub):
    def __len__(self):
        return ...

    def ajouter(self, transition):
        return ...

    def tirer(self, nombre, hasard):
        return ...


class NotYetDrawing(Deque):
    def tirer(self, nombre, hasard):
        return ...


class Crashes(Deque):
    def ajouter(self, transition):
        raise RuntimeError("rien à faire")


class Exits(Deque):
    def tirer(self, nombre, hasard):
        raise SystemExit


class NoArgument(Deque):
    def __init__(self):
        super().__init__(10)


class WrongType(Deque):
    def tirer(self, nombre, hasard):
        return 3


@pytest.mark.parametrize("stub", [Stub, StubThatReturns, lambda _: None])
def test_a_stub_is_not_a_wrong_answer(stub):
    report = judge(MEMORY, stub)
    assert report.note == "pas encore écrit"


def test_what_is_written_is_judged_even_if_the_rest_is_not():
    report = judge(MEMORY, NotYetDrawing)
    assert [verdict.passed for verdict in report.verdicts].count(True) == 2
    assert "il manque un return" in report.hint


@pytest.mark.parametrize("answer", [Crashes, Exits, NoArgument, WrongType, dict])
def test_what_is_not_a_memory_is_refused_without_an_error(answer):
    report = judge(MEMORY, answer)
    assert not report.passed
    assert report.hint


def test_the_reference_names_what_it_refuses():
    memory = MEMORY.reference(5)
    memory.ajouter((np.zeros(4), 0, 1.0, False, np.ones(4)))
    with pytest.raises(ValueError, match="nombre doit être au plus 1 : 2 reçu"):
        memory.tirer(2, np.random.default_rng(0))
