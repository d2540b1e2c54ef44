r"""Ce que coûte le moteur, rapporté à ce qu'il coûtait avant d'être ouvert (le commit `BEFORE`).

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/moteur.py

Un cœur, un fil. Chaque manche lance l'ancien code puis le nouveau, chacun dans un processus neuf,
et garde le rapport de leurs temps de processeur : un tour d'un agent, un tour de 64 agents, `solve`
d'une graine (une par manche, de 1000 à 1019), et l'intervalle rééchantillonné de 50 colonnes. S'y
ajoute, du nouveau code seul, un tour d'Acrobot moins les pas du jeu, rapporté à un tour de
CartPole. La médiane, le minimum et le maximum des manches sont écrits dans moteur.csv.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from statistics import median

from cartpole_helpers.tables import write_study

BEFORE = "4148a3f"
ROUNDS = 20
ROOT = Path(__file__).parents[1]
HEADER = ("mesure", "rapport", "minimum", "maximum")
MEASURES = """
import json, sys
from dataclasses import replace
from time import process_time
import numpy as np, torch
from cartpole_helpers import VERSION_2, Training, bootstrap_interval, solve

torch.set_num_threads(1)
LONG = replace(VERSION_2, total_steps=10**6)

def turn(seeds, count, **given):
    training = Training(replace(LONG, **given.pop("changes", {})), seeds, **given)
    for _ in range(40):
        training.advance()
    start = process_time()
    for _ in range(count):
        training.advance()
    return (process_time() - start) / count, training

def timed(call):
    start = process_time()
    call()
    return process_time() - start

scores = np.random.default_rng(0).normal(size=(20, 50))
bootstrap_interval(scores, seed=0)
found = {
    "un tour, un agent": turn(0, 400)[0],
    "un tour, 64 agents": turn(range(64), 20)[0],
    "solve": timed(lambda: solve(VERSION_2, int(sys.argv[1]))),
    "intervalle rééchantillonné": timed(lambda: bootstrap_interval(scores, seed=0)),
}
if hasattr(Training, "online"):
    whole, training = turn(0, 200, env="Acrobot-v1", changes={"input_scale": "auto"})
    start = process_time()
    for _ in range(200):
        for game in training.games.envs:
            *_, terminated, truncated, _ = game.step(0)
            if terminated:
                game.reset()
    steps = (process_time() - start) / 200
    found["Acrobot, hors du jeu"] = whole - steps
print(json.dumps(found))
"""


def main() -> None:
    """Fait les manches, affiche et écrit les rapports."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", BEFORE, "cartpole_helpers"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as code:
            code.extractall(folder, filter="data")
        rounds = [one_round(seed, folder) for seed in range(1_000, 1_000 + ROUNDS)]
    rows = [summary(name, [one[name] for one in rounds]) for name in rounds[0]]
    write_study(__file__, HEADER, rows)


def one_round(seed: int, before: str) -> dict[str, float]:
    """Rend les rapports d'une manche : nom → nouveau sur ancien."""
    old, new = measured(seed, before), measured(seed, str(ROOT))
    ratios = {name: new[name] / seconds for name, seconds in old.items()}
    acrobot = "Acrobot, hors du jeu"
    return ratios | {acrobot: new[acrobot] / new["un tour, un agent"]}


def measured(seed: int, code: str) -> dict[str, float]:
    """Rend les secondes de chaque mesure, avec le paquet du dossier `code`."""
    environment = os.environ | {"PYTHONPATH": code, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", MEASURES, str(seed)],
        env=environment,
        cwd=code,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def summary(name: str, ratios: list[float]) -> tuple:
    """Rend la ligne d'une mesure, après l'avoir affichée."""
    row = (name, *(f"{value:.3f}" for value in (median(ratios), min(ratios), max(ratios))))
    print(*row, flush=True)
    return row


if __name__ == "__main__":
    main()
