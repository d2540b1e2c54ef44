"""Une fenêtre que le chronomètre coupe : la garder courte, ou répéter la dernière entière ?

    OMP_NUM_THREADS=1 .venv/bin/python etudes/fenetre.py

À trois pas, une transition n'a que k < 3 récompenses quand l'épisode est coupé avant. Le moteur la
range courte, et sa cible amorce avec γᵏ. Il rangeait autrefois, à sa place, la dernière fenêtre
entière du même chariot : trois fois la même, et les deux derniers pas jamais. La mémoire
`Repeated` refait cette faute.

Écrit avant la mesure : la Version 2, graines 1000 à 1019, 50 000 pas, 100 épisodes gloutons tous
les 1 000 pas. Mesure principale : l'écart, graine à graine (Student, 95 %), du retour moyen de la
courbe entière, courtes moins répétées. Le reste est exploratoire. Les graines avancent ensemble ;
une mémoire achevée est aussitôt écrite dans fenetre.csv.
"""

import numpy as np
import torch
from echelle import BUDGET, EVERY, returns_of

from cartpole_helpers import VERSION_2, ReplayBuffer, Training
from cartpole_helpers.replay import DiscountedTransition
from cartpole_helpers.tables import Archive
from cartpole_helpers.teaching.laboratory import Altered, chosen

SEEDS = range(1_000, 1_020)
HEADER = ("memoire", "graine", *(str(step) for step in range(EVERY, BUDGET + 1, EVERY)))


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


def main() -> None:
    """Fait les mémoires qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    for name, memory in MEMORIES.items():
        if (name, SEEDS[0]) not in archive:
            usual = ReplayBuffer(VERSION_2.capacity, seeds=SEEDS, discounted=True)
            training = Training(VERSION_2, SEEDS, memory=memory(usual))
            columns = zip(*returns_of(training), strict=True)
            archive.append(
                (name, seed, *(f"{score:g}" for score in row))
                for seed, row in zip(SEEDS, columns, strict=True)
            )
            print(name, flush=True)


if __name__ == "__main__":
    main()
