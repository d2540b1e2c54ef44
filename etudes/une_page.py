"""Le DQN sur une page, sur vingt graines : combien résolvent CartPole, en combien de pas.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/une_page.py

Chaque graine s'entraîne seule sur un cœur, puis est jugée sur 1 000 départs qui n'ont servi à aucun
choix. Les secondes sont celles du processeur.
"""

from collections.abc import Callable, Sequence
from time import process_time

from cartpole_helpers import evaluate, one_page
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch

EPISODES = 1_000


def run(train: Callable, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et juge une graine ; rend sa ligne."""
    [seed], start = seeds, process_time()
    policy, steps = train(seed)
    seconds = process_time() - start
    judged = evaluate(policy, EPISODES, fresh_seed(Purpose.JUDGE, seed)).mean()
    return [(seed, steps, f"{seconds:.1f}", f"{judged:.2f}")]


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={(): one_page.train},
    seeds=range(20),
    columns=("pas", "secondes", "retour"),
    names=(),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
