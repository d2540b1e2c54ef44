"""Le DQN écrit de mémoire par le cours, sur vingt graines : ce qu'on peut attendre de l'épreuve.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/page_blanche.py

Chaque graine s'entraîne comme dans l'épreuve, un chariot à la fois, puis est jugée sur 1 000
départs neufs. Le résultat est écrit dans page_blanche.csv, graine après graine : on peut
interrompre et relancer. Les secondes sont celles du processeur.
"""

from time import process_time

import gymnasium
import torch

from cartpole_helpers import evaluate
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.tables import Archive
from cartpole_helpers.teaching.capstone import GAMMA, STEPS
from cartpole_helpers.teaching.catalogue.dqn import dqn

SEEDS = range(20)
EPISODES = 1_000
HEADER = ("graine", "pas", "secondes", "retour")


def main() -> None:
    """Fait les graines qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive = Archive(__file__, HEADER)
    for seed in SEEDS:
        if (seed,) not in archive:
            archive.append([run(seed)])


def run(seed: int) -> tuple:
    """Entraîne et juge une graine ; rend sa ligne."""
    start = process_time()
    q = dqn(gymnasium.make("CartPole-v1"), GAMMA, STEPS, seed)
    seconds = process_time() - start
    starts = fresh_seed(Purpose.JUDGE, seed)
    returns = evaluate(lambda x: q(x).argmax(axis=1), EPISODES, starts)
    return seed, STEPS, f"{seconds:.1f}", f"{returns.mean():.2f}"


if __name__ == "__main__":
    main()
