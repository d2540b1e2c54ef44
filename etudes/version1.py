"""Ce qu'atteint le système du document fondateur, sur vingt graines et deux réglages.

    .venv/bin/python etudes/version1.py

Chaque graine s'arrête à `MAX_STEPS` pas. Tous les `EVERY` pas, on évalue sur 100 départs la
politique gloutonne du réseau principal, et celle du réseau cible, que le document juge.
"""

from collections.abc import Sequence

import torch

from cartpole_helpers import evaluate, version1
from cartpole_helpers.policies import Policy
from cartpole_helpers.studies import Study, archive_of, launch

MAX_STEPS = 2_000_000
EVERY = 10_000
SETTINGS = {
    "document": {},
    "auteur": {"lr": 10**-3.5, "lr_decay": 0.9999, "min_lr": 1e-5, "itermax": 75},
}


def run(setting: dict, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne une graine et rend ses lignes, une par évaluation."""
    [seed], rows = seeds, []
    for progress in version1.train(**setting, seed=seed, verbose=False):
        if progress.env_steps < EVERY * (len(rows) + 1):
            continue
        nets = progress.dqnn.train_net, progress.dqnn.target_net
        scores = [f"{evaluate(greedy(net), seed=seed).mean():.2f}" for net in nets]
        rows.append((seed, progress.env_steps, progress.episode + 1, *scores))
        if progress.env_steps >= MAX_STEPS:
            break
    return rows


def greedy(net: torch.nn.Module) -> Policy:
    """Rend la politique gloutonne de `net`."""

    @torch.no_grad()
    def policy(observations):
        return net(torch.from_numpy(observations)).argmax(dim=-1).numpy()

    return policy


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=SETTINGS,
    seeds=range(20),
    columns=("pas", "episodes", "en_ligne", "cible"),
    group=1,
)

if __name__ == "__main__":
    launch(STUDY)
