"""Une fenêtre que le chronomètre coupe : la garder courte, ou répéter la dernière entière ?

    OMP_NUM_THREADS=1 .venv/bin/python etudes/fenetre.py

À trois pas, une transition n'a que k < 3 récompenses quand l'épisode est coupé avant. Le moteur la
range courte, et sa cible amorce avec γᵏ. Il rangeait autrefois, à sa place, la dernière fenêtre
entière du même chariot : trois fois la même, et jamais les deux derniers pas. La mémoire
`Repeated` refait cette faute.

Écrit avant la mesure : la Version 2, graines 1000 à 1019, 50 000 pas, 100 épisodes gloutons tous
les 1 000 pas. Mesure principale : l'écart, graine à graine (Student, 95 %), du retour moyen de la
courbe entière, courtes moins répétées. Les graines avancent ensemble ; un réglage achevé est
aussitôt écrit dans fenetre.csv.

Mesuré : aucune différence, au bit près. À ε = 0,5, aucun épisode d'entraînement n'atteint les 500
pas, et rien n'est coupé. La recette « ε = 0,05 », où des épisodes le sont, a été ajoutée ensuite :
ce qu'on en tire est exploratoire.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import torch
from echelle import BUDGET, EVERY, returns_of

from cartpole_helpers import VERSION_2, ReplayBuffer, Training
from cartpole_helpers.replay import DiscountedTransition
from cartpole_helpers.tables import Archive
from cartpole_helpers.teaching.laboratory import Altered, chosen

SEEDS = range(1_000, 1_020)
HEADER = ("recette", "memoire", "graine", *(str(step) for step in range(EVERY, BUDGET + 1, EVERY)))


class Repeated(Altered):
    """À la place d'une fenêtre coupée par une troncature, la dernière entière du même chariot."""

    whole: DiscountedTransition | None = None

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (S, E, ...), ou la dernière entière."""
        lived = DiscountedTransition(*transition)
        usual = np.float32(VERSION_2.gamma**VERSION_2.n_steps)
        short = (lived.discount != usual) & ~lived.terminated
        self.whole = lived if self.whole is None else chosen(short, self.whole, lived)
        self.inner.add(*self.whole)


MEMORIES = {"courtes": Altered, "répétées": Repeated}
RECIPES = {"version 2": VERSION_2, "ε = 0,05": replace(VERSION_2, epsilon_end=0.05)}


def main() -> None:
    """Fait les réglages qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    for recipe, name in product(RECIPES, MEMORIES):
        if (recipe, name, SEEDS[0]) not in archive:
            usual = ReplayBuffer(VERSION_2.capacity, seeds=SEEDS, discounted=True)
            training = Training(RECIPES[recipe], SEEDS, memory=MEMORIES[name](usual))
            columns = zip(*returns_of(training), strict=True)
            archive.append(
                (recipe, name, seed, *(f"{score:g}" for score in row))
                for seed, row in zip(SEEDS, columns, strict=True)
            )
            print(recipe, name, flush=True)


if __name__ == "__main__":
    main()
