"""Le DQN sur une page, sur vingt graines : combien résolvent CartPole, en combien de pas.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/une_page.py

Chaque graine s'entraîne seule sur un cœur, puis est jugée sur 1 000 départs qui n'ont servi à aucun
choix. Le résultat est écrit dans une_page.csv ; les secondes sont celles du processeur.
"""

from concurrent.futures import ProcessPoolExecutor
from time import process_time

import torch

from cartpole_helpers import evaluate, exact_interval, one_page
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.tables import write_study

SEEDS = range(20)
EPISODES = 1_000


def main() -> None:
    """Fait les vingt graines, les écrit, et dit la part qui réussit."""
    with ProcessPoolExecutor(max_workers=2) as pool:
        rows = list(pool.map(run, SEEDS))
    write_study(__file__, ("graine", "pas", "secondes", "retour"), rows)
    solved = sum(float(row[3]) >= SOLVED_RETURN for row in rows)
    low, high = (100 * bound for bound in exact_interval(solved, len(rows)))
    print(f"{solved} graines sur {len(rows)} ; intervalle exact : {low:.0f} à {high:.0f} %")


def run(seed: int) -> tuple:
    """Entraîne et juge une graine ; rend sa ligne."""
    torch.set_num_threads(1)
    start = process_time()
    policy, steps = one_page.train(seed)
    seconds = process_time() - start
    judged = evaluate(policy, EPISODES, fresh_seed(Purpose.JUDGE, seed)).mean()
    return seed, steps, f"{seconds:.1f}", f"{judged:.2f}"


if __name__ == "__main__":
    main()
