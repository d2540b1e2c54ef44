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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import torch

from cartpole_helpers import VERSION_2, Training, bootstrap_interval, solve

BEFORE = "4148a3f"
ROUNDS = 20
ROOT = Path(__file__).parents[1]
HEADER = ("mesure", "rapport", "minimum", "maximum")
LONG = replace(VERSION_2, total_steps=10**6)
ACROBOT = "Acrobot, hors du jeu"


# Ce que mesure un processus, avec l'un ou l'autre code


def measure(seed: int) -> dict[str, float]:
    """Rend les secondes de chaque mesure, avec le paquet que ce processus a importé."""
    torch.set_num_threads(1)
    scores = np.random.default_rng(0).normal(size=(20, 50))
    bootstrap_interval(scores, seed=0)
    found = {
        "un tour, un agent": turn(Training(LONG, 0), 400),
        "un tour, 64 agents": turn(Training(LONG, range(64)), 20),
        "solve": seconds(lambda: solve(VERSION_2, seed)),
        "intervalle rééchantillonné": seconds(lambda: bootstrap_interval(scores, seed=0)),
    }
    return found | ({ACROBOT: acrobot()} if hasattr(Training, "online") else {})


def turn(training: Training, count: int) -> float:
    """Rend ce que coûte un tour, une fois la mémoire assez pleine pour apprendre."""
    for _ in range(40):
        training.advance()
    return seconds(lambda: [training.advance() for _ in range(count)]) / count


def acrobot(count: int = 200) -> float:
    """Rend ce que coûte un tour d'Acrobot, les pas du jeu retranchés."""
    training = Training(replace(LONG, input_scale="auto"), 0, env="Acrobot-v1")
    whole = turn(training, count)
    return (
        whole
        - seconds(lambda: [played(game) for _ in range(count) for game in training.games.envs])
        / count
    )


def played(game) -> None:
    """Avance d'un pas une copie du jeu, et la relance s'il le faut."""
    if game.step(0)[2]:
        game.reset()


def seconds(call: Callable[[], object]) -> float:
    """Rend les secondes de processeur que prend `call`."""
    start = process_time()
    call()
    return process_time() - start


# Les manches


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
    from cartpole_helpers.tables import write_study  # l'ancien code n'en a pas

    rows = [summary(name, [one[name] for one in rounds]) for name in rounds[0]]
    write_study(__file__, HEADER, rows)


def one_round(seed: int, before: str) -> dict[str, float]:
    """Rend les rapports d'une manche : nom → nouveau sur ancien."""
    old, new = measured(seed, before), measured(seed, str(ROOT))
    ratios = {name: new[name] / seconds for name, seconds in old.items()}
    return ratios | {ACROBOT: new[ACROBOT] / new["un tour, un agent"]}


def measured(seed: int, code: str) -> dict[str, float]:
    """Rend les secondes de chaque mesure, avec le paquet du dossier `code`."""
    environment = os.environ | {"PYTHONPATH": code, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, __file__, str(seed)],
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
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        main()
