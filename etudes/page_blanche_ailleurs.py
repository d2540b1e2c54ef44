"""Le DQN écrit de mémoire par le cours, emporté sur Acrobot tel quel : combien de graines à −100 ?

    OMP_NUM_THREADS=1 .venv/bin/python etudes/page_blanche_ailleurs.py

C'est le programme de `page_blanche.py`, que rien n'a réglé pour ce jeu : quatre graines, de 500 à
503, n'ont servi qu'à choisir le nombre de pas. Vingt autres, fixées d'avance, se
jugent ici chacune sur 100 départs neufs ; le critère est le seuil du jury. Les secondes sont celles
du processeur.
"""

from collections.abc import Sequence
from time import process_time

import gymnasium

from cartpole_helpers import evaluate
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.capstone import ACROBOT, EPISODES
from cartpole_helpers.teaching.catalogue.dqn import dqn


def run(setting: tuple[str, float, int], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et juge une graine ; rend sa ligne."""
    [seed], (game, gamma, steps), start = seeds, setting, process_time()
    q = dqn(gymnasium.make(game), gamma, steps, seed)
    seconds = process_time() - start
    starts = fresh_seed(Purpose.JUDGE, seed)
    returns = evaluate(lambda x: q(x).argmax(axis=1), EPISODES, starts, env=game)
    return [(seed, steps, f"{seconds:.1f}", f"{returns.mean():.2f}")]


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={(): (ACROBOT.env, ACROBOT.gamma, ACROBOT.steps)},
    seeds=range(700_500, 700_520),
    columns=("pas", "secondes", "retour"),
    names=(),
    group=1,
)

if __name__ == "__main__":
    launch(STUDY)
