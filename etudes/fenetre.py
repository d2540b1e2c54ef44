"""Une fenêtre que le chronomètre coupe : la garder courte, ou répéter la dernière entière ?

    .venv/bin/python etudes/fenetre.py

À trois pas, une transition n'a que k < 3 récompenses quand l'épisode est coupé avant. Le moteur la
range courte, et sa cible amorce avec γᵏ. Il rangeait autrefois, à sa place, la dernière fenêtre
entière du même chariot : trois fois la même, et jamais les deux derniers pas. La mémoire
`Repeated` refait cette faute.

Écrit avant la mesure : la Version 2, graines 1000 à 1019, 50 000 pas, 100 épisodes gloutons tous
les 1 000 pas. Mesure principale : l'écart, graine à graine (Student, 95 %), du retour moyen de la
courbe entière, courtes moins répétées. Les graines avancent ensemble.

Mesuré : aucune différence, au bit près. À ε = 0,5, aucun épisode d'entraînement n'atteint les 500
pas, et rien n'est coupé. La recette « ε = 0,05 », où des épisodes le sont, a été ajoutée ensuite :
ce qu'on en tire est exploratoire.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from echelle import STEPS, returns_of

from cartpole_helpers import VERSION_2, Config, ReplayBuffer, Training
from cartpole_helpers.replay import DiscountedTransition
from cartpole_helpers.studies import Study, archive_of, by_seed, launch
from cartpole_helpers.teaching.laboratory import Altered, chosen


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


def run(setting: tuple[Config, type[Altered]], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines et rend une ligne par graine."""
    config, memory = setting
    usual = ReplayBuffer(VERSION_2.capacity, seeds=seeds, discounted=True)
    return by_seed(seeds, returns_of(Training(config, seeds, memory=memory(usual))))


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        (recipe, name): (config, memory)
        for recipe, config in RECIPES.items()
        for name, memory in MEMORIES.items()
    },
    seeds=range(1_000, 1_020),
    columns=STEPS,
    names=("recette", "memoire"),
)

if __name__ == "__main__":
    launch(STUDY)
