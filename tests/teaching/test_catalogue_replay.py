"""Les exercices de la mémoire de rejeu : contre la main, contre une file, contre des élèves."""

import random

import numpy as np
import pytest

from cartpole_helpers import version1
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.catalogue.memoire import WithDeque, WithRows
from cartpole_helpers.teaching.checking import judge

RING, MEMORY = EXERCISES["places_suivantes"], EXERCISES["Memoire"]
SLOTS = {(5, 0, 3): [0, 1, 2], (6, 2, 3): [2, 3, 4], (5, 3, 4): [3, 4, 0, 1]}
SLOTS |= {(6, 16, 5): [4, 5, 0, 1, 2], (4, 8, 4): [0, 1, 2, 3]}
SLOTS |= {(10_000, 29_998, 5): [9_998, 9_999, 0, 1, 2]}
SIZES = "2 demandées : 2 rendues", "3 demandées : 3 rendues", "4 demandées : ValueError"
FIELDS = {"observation": [1, 2, 3, 4], "action": 0, "recompense": 0.5, "terminated": True}
SEEN = {  # un mot de la propriété, le début du cas : ce que l'on doit voir d'une mémoire juste
    ("commence vide", 100): "une mémoire neuve est vide",
    ("compte", 3, 5): {"len après chaque ajout": (1, 2, 3, 3, 3)},
    ("taille", 8, 3): {"3 gardées": SIZES},
    ("garde ce qu'elle tire", 3, 5): {"len après un tirage": 3},
    ("générateur", 8): "des lots qui ne dépendent que du générateur",
    ("les plus récentes", 3, 5): {"tirées, sur 5 ajoutées": (3, 4, 5)},
    ("les plus récentes", 7, 16): {"tirées, sur 16 ajoutées": (10, 11, 12, 13, 14, 15, 16)},
    ("à part", 8): "chaque transition du lot tirée à part",
    ("aussi souvent", 3): "aussi souvent l'une que l'autre",
    ("champ", 3): FIELDS | {"suivante": [5, 6, 7, 8]},
    ("copies", 3): {"(observation, suivante)": ((1, 2), (2, 3), (3, 4))},
    ("ajouts suivants", 3): {"le lot, après d'autres ajouts": (1, 1)},
}


class OfTheDocument(WithDeque):
    """Les cinq `carray` du document."""

    def __init__(self, capacite):
        super().__init__(capacite)
        kinds = (4, float), (1, int), (1, float), (1, bool), (4, float)
        self.columns = [version1.carray(capacite, *kind) for kind in kinds]

    def ajouter(self, transition):
        self.kept.append(0)
        for column, value in zip(self.columns, transition, strict=True):
            column.append(value)

    def tirer(self, nombre, hasard):
        if nombre > len(self):
            raise ValueError
        places = np.array(self.draw(len(self), nombre, hasard))
        return [*zip(*(one.sample_from_perm(places) for one in self.columns), strict=True)]


def of_all_rows(self, nombre, hasard):
    if nombre > len(self):
        raise ValueError
    rows = self.places[hasard.choice(len(self.places), nombre)]
    return [(row[:4], *row[4:7], row[7:]) for row in rows]


def but(base=WithDeque, **methods):
    """Rend une classe dont quelques méthodes diffèrent de celles de `base`."""
    return type("Memoire", (base,), methods)


def drawing(draw):
    return but(draw=staticmethod(draw))


def keeping(change):
    return but(ajouter=lambda self, t: self.kept.append(change(*t)))


WRONG = [  # des réponses d'élèves, écrites autrement que le catalogue, et un mot de l'indice
    (OfTheDocument, "le tirage du document"),
    (drawing(lambda n, k, h: h.permutation(n)[:k]), "sans remise"),
    (drawing(lambda n, k, _: random.choices(range(n), k=k)), "à l'identique"),
    (drawing(lambda n, k, _: np.random.default_rng(42).integers(n, size=k)), "sa propre graine"),
    (drawing(lambda n, k, h: h.integers(n - k + 1) + np.arange(k)), "pas voisins"),
    (drawing(lambda n, k, h: [h.choice(n)] * k), "répète une seule transition"),
    (drawing(lambda n, k, h: [int(x * max(1, n - 1)) for x in h.random(k)]), "ne sort jamais"),
    (but(tirer=lambda self, n, h: WithDeque.tirer(self, n, h) and None), "il manque un return"),
    (but(WithRows, tirer=of_all_rows), "jamais écrites"),
    (but(__init__=lambda self, capacite: setattr(self, "kept", [])), "grandit sans fin"),
    (keeping(lambda *t: t), "le tableau de l'appelant"),
    (keeping(lambda o, a, r, t, s: (s.copy(), a, r, t, o.copy())), "le temps irait à l'envers"),
    (keeping(lambda o, a, r, t, s: (o.copy(), a, r, s.copy())), "Il manque terminated"),
    (keeping(lambda o, a, r, t, s: (o.copy(), a, np.int16(r), t, s.copy())), "gardées en entiers"),
    (keeping(lambda *t: [np.array(one) for one in reversed(t)]), "les cinq champs"),
]


def test_slots_computed_by_hand():
    drawn = [case for one in RING.properties for case in one.drawn(np.random.default_rng(0))]
    for arguments, expected in SLOTS.items():
        assert arguments in drawn
        assert RING.reference(*arguments).tolist() == expected


def test_what_is_seen_of_a_right_memory_computed_by_hand():
    for (word, *start), expected in SEEN.items():
        [one] = [one for one in MEMORY.properties if word in one.text]
        cases = one.drawn(np.random.default_rng(0))
        case = next(case for case in cases if [*case[: len(start)]] == start)
        assert one.view(WithDeque, *case) == expected, one.text


def test_a_learner_s_wrong_memory_gets_the_hint_that_helps():
    for answer, words in WRONG:
        report = judge(MEMORY, answer)
        assert not report.passed, words
        assert words in report.hint, report


def test_what_is_no_memory_is_refused_and_the_reference_names_what_it_refuses():
    assert judge(MEMORY, dict).hint
    memory = MEMORY.reference(5)
    memory.ajouter((np.zeros(4), 0, 1.0, False, np.ones(4)))
    with pytest.raises(ValueError, match="nombre doit être au plus 1 : 2 reçu"):
        memory.tirer(2, np.random.default_rng(0))
