"""Ce qu'atteint le système du document fondateur, sur vingt graines et deux réglages.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/version1.py

Deux processus côte à côte ; chaque graine s'arrête à `MAX_STEPS` pas. Tous les `EVERY` pas, on
évalue sur 100 départs la politique gloutonne du réseau en ligne, et celle du réseau cible, que le
document juge. Une graine achevée est aussitôt écrite dans version1.csv : on peut interrompre et
relancer, seules les manquantes seront faites.
"""

from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from cartpole_helpers import evaluate, version1
from cartpole_helpers.policies import Policy
from cartpole_helpers.tables import Archive

SEEDS = range(20)
MAX_STEPS = 2_000_000
EVERY = 10_000
SETTINGS = {
    "document": {},
    "auteur": {"lr": 10**-3.5, "lr_decay": 0.9999, "min_lr": 1e-5, "itermax": 75},
}
HEADER = ("reglage", "graine", "pas", "episodes", "en_ligne", "cible")


def main() -> None:
    """Fait les graines qui manquent à l'archive."""
    archive = Archive(__file__, HEADER)
    tasks = [(name, seed) for seed in SEEDS for name in SETTINGS if (name, seed) not in archive]
    with ProcessPoolExecutor(max_workers=2) as pool:
        for future in as_completed(pool.submit(run, *task) for task in tasks):
            rows = future.result()
            archive.append(rows)
            print(f"{rows[-1][0]}, graine {rows[-1][1]} : dernier retour {rows[-1][4]}", flush=True)


def run(name: str, seed: int) -> list[tuple]:
    """Entraîne une graine et rend ses lignes, une par évaluation."""
    torch.set_num_threads(1)
    rows = []
    for progress in version1.train(**SETTINGS[name], seed=seed, verbose=False):
        if progress.env_steps < EVERY * (len(rows) + 1):
            continue
        nets = progress.dqnn.train_net, progress.dqnn.target_net
        scores = [f"{evaluate(greedy(net), seed=seed).mean():.2f}" for net in nets]
        rows.append((name, seed, progress.env_steps, progress.episode + 1, *scores))
        if progress.env_steps >= MAX_STEPS:
            break
    return rows


def greedy(net: torch.nn.Module) -> Policy:
    """Rend la politique gloutonne de `net`."""

    @torch.no_grad()
    def policy(observations):
        return net(torch.from_numpy(observations)).argmax(dim=-1).numpy()

    return policy


if __name__ == "__main__":
    main()
