"""Carnet 03 : les places d'un anneau."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def places_suivantes(capacite, ajoutees, nombre):
    """Rend les places (nombre,) où iront les `nombre` prochaines transitions d'un anneau.

    Il a `capacite` places, de 0 à `capacite - 1`, et a déjà reçu `ajoutees` transitions, la
    première à la place 0. `nombre` est au plus `capacite`.
    """
    return (ajoutees + np.arange(nombre)) % capacite


def any_ring(generator: np.random.Generator) -> Cases:
    for _ in range(4):
        capacity = int(generator.integers(3, 50))
        yield capacity, int(generator.integers(200)), int(generator.integers(1, capacity + 1))
    yield 10_000, 29_998, 5


PROPERTIES = (
    Property(
        "remplit l'anneau dans l'ordre, à partir de la place 0",
        [(5, 0, 3), (6, 2, 3)],
        "Tant que l'anneau n'est pas plein, la transition numéro n (à partir de 0) va en place n.",
    ),
    Property(
        "revient à la place 0 après la dernière",
        [(5, 3, 4), (6, 16, 5), (4, 8, 4)],
        "La place est le reste de la division, par la capacité, du nombre de transitions passées.",
    ),
    Property(
        "vaut pour toute capacité, puissance de deux ou non",
        any_ring,
        "L'opérateur du reste est %.",
    ),
)

CHANGES = """
un masque de bits : % capacite → & (capacite - 1)
le reste par la capacité moins un : % capacite → % (capacite - 1)
aucun reste : % capacite → ∅
    Vos places dépassent la capacité : après la dernière, on revient à la place 0.
le reste de la première place seulement : = ajoutees % capacite + np.arange(nombre)
    Vous prenez le reste du départ seulement : les places suivantes débordent encore.
une place trop loin (un rang de décalage) : (ajoutees + → (ajoutees + 1 +
    Vous commencez une place trop loin : la toute première transition va à la place 0.
une place de trop : np.arange(nombre) → np.arange(nombre + 1)
    Vous rendez une place de trop.
jusqu'à nombre : = np.arange(ajoutees, nombre) % capacite
    Vous vous arrêtez au numéro « nombre » : comptez-le à partir de la prochaine place.
toujours depuis la place 0 : (ajoutees + → (
    Vous repartez toujours de la place 0 : où sert le nombre des transitions passées ?
à partir du nombre de transitions gardées : (ajoutees + → (min(ajoutees, capacite) +
    Une fois l'anneau plein, le nombre de transitions gardées ne dit plus où l'on en est.
bloqué sur la dernière place : = np.minimum(ajoutees + np.arange(nombre), capacite - 1)
    Vous restez bloqué sur la dernière place : un anneau revient à la place 0.
à rebours (un signe à l'envers) : (ajoutees + → -(ajoutees +
    Vos places descendent, comme celles du document : ici, elles montent.
une seule place : = ajoutees % capacite
    Vous ne rendez que la première place : il en faut une par transition.
les places triées : = np.sort((ajoutees + np.arange(nombre)) % capacite)
    Ne triez pas les places : la première est celle de la prochaine transition.
"""

VARIANTS = (
    lambda capacite, ajoutees, nombre: [(ajoutees + k) % capacite for k in range(nombre)],
    lambda capacite, ajoutees, nombre: np.roll(np.arange(capacite), -ajoutees)[:nombre],
)
EXERCISE = Exercise(places_suivantes, PROPERTIES, CHANGES, variants=VARIANTS)
