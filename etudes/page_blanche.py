"""Le DQN écrit de mémoire par le cours, sur vingt graines : ce qu'on peut attendre de l'épreuve.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/page_blanche.py

Chaque graine s'entraîne comme dans l'épreuve, un chariot à la fois, puis est jugée sur 1 000
départs neufs. Les secondes sont celles du processeur.
"""

from collections.abc import Sequence
from time import process_time

import gymnasium

from cartpole_helpers import evaluate
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.capstone import CARTPOLE
from cartpole_helpers.teaching.catalogue.dqn import dqn

EPISODES = 1_000


def run(setting: tuple[float, int], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et juge une graine ; rend sa ligne."""
    [seed], start = seeds, process_time()
    q = dqn(gymnasium.make("CartPole-v1"), *setting, seed)
    seconds = process_time() - start
    starts = fresh_seed(Purpose.JUDGE, seed)
    returns = evaluate(lambda x: q(x).argmax(axis=1), EPISODES, starts)
    return [(seed, CARTPOLE.steps, f"{seconds:.1f}", f"{returns.mean():.2f}")]


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={(): (CARTPOLE.gamma, CARTPOLE.steps)},
    seeds=range(20),
    columns=("pas", "secondes", "retour"),
    names=(),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
