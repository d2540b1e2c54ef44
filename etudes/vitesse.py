"""Mesure les vitesses que cite le README, en rapports pris dans une même exécution.

    .venv/bin/python -m pip install -r requirements-etudes.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/vitesse.py

Les deux membres d'un rapport sont chronométrés en alternance ; le rapport est la médiane des
rapports de chaque tour, avec son minimum et son maximum. Le résultat est écrit dans vitesse.csv.
"""

import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from stable_baselines3.common.buffers import ReplayBuffer as PeerBuffer

from cartpole_helpers import CartPoleVector, ReplayBuffer
from cartpole_helpers.tables import write_study
from cartpole_helpers.version1 import Buffer as DocumentBuffer

ROUNDS = 21
BATCH = 256
CAPACITY = 1 << 16


def main() -> None:
    """Fait chaque mesure, l'affiche et l'écrit."""
    rows = []
    for name, target, subject, reference in measures():
        ratios = paired_ratios(subject, reference)
        row = (name, *(f"{value:.2f}" for value in (median(ratios), min(ratios), max(ratios))))
        rows.append((*row, target))
        print(f"{name} : {row[1]} [{row[2]}–{row[3]}], cible {target}", flush=True)
    write_study(__file__, ("mesure", "rapport", "minimum", "maximum", "cible"), rows)


def measures():
    """Rend (nom, cible, durée du numérateur, durée du dénominateur) de chaque mesure."""
    small, large = full_memory(1024), full_memory(CAPACITY)
    sampling = timer(lambda: large.sample(BATCH), 300)
    document, peer = full_document_memory(), full_peer_memory()
    yield (
        "tirer 256 : 65 536 places contre 1 024",
        "≤ 1,2",
        sampling,
        timer(lambda: small.sample(BATCH), 300),
    )
    yield (
        "tirer 256 : le document, par rapport à nous",
        "≥ 40",
        timer(lambda: document.sample(BATCH), 30),
        sampling,
    )
    yield (
        "tirer 256 : Stable-Baselines3, par rapport à nous",
        "≥ 3",
        timer(lambda: peer.sample(BATCH), 100),
        sampling,
    )
    for carts, told in ((64, "64"), (1024, "1 024")):
        ours, theirs = CartPoleVector(carts), CartPoleVectorEnv(carts)
        name = f"un pas de {told} chariots : nous contre Gymnasium"
        yield name, "≤ 1,5", timer(stepping(ours), 300), timer(stepping(theirs), 300)
    yield (
        "importer torch et cartpole_helpers contre torch seul",
        "≤ 1,3",
        importing("torch, cartpole_helpers"),
        importing("torch"),
    )


def paired_ratios(subject: Callable, reference: Callable) -> list[float]:
    """Chronomètre les deux en alternance, `ROUNDS` fois, après un tour d'échauffement."""
    subject(), reference()
    return [subject() / reference() for _ in range(ROUNDS)]


def timer(action: Callable, repeat: int) -> Callable[[], float]:
    """Rend une fonction qui exécute `repeat` fois `action` et rend sa durée moyenne (s)."""

    def run() -> float:
        start = perf_counter()
        for _ in range(repeat):
            action()
        return (perf_counter() - start) / repeat

    return run


def stepping(env) -> Callable[[], None]:
    """Rend une fonction qui avance `env` d'un pas, actions tirées d'avance."""
    env.reset(seed=0)
    actions = iter(np.random.default_rng(0).integers(2, size=(100_000, env.num_envs)))
    return lambda: env.step(next(actions))


def importing(modules: str) -> Callable[[], float]:
    """Rend une fonction qui importe `modules` dans un Python neuf et rend la durée (s)."""
    code = f"import time; t = time.perf_counter(); import {modules}; print(time.perf_counter() - t)"
    return lambda: float(subprocess.check_output([sys.executable, "-c", code]))


def full_memory(capacity: int) -> ReplayBuffer:
    """Rend notre mémoire, pleine."""
    memory = ReplayBuffer(capacity)
    states = np.random.default_rng(0).normal(size=(capacity, 4)).astype(np.float32)
    flags = np.zeros(capacity, bool)
    memory.add(states, np.zeros(capacity, int), np.ones(capacity), flags, states)
    return memory


def full_document_memory() -> DocumentBuffer:
    """Rend la mémoire du document, pleine."""
    memory = DocumentBuffer(CAPACITY)
    for _ in range(CAPACITY):
        memory.push((np.zeros(4), 0, np.zeros(4), 1, False))
    return memory


def full_peer_memory() -> PeerBuffer:
    """Rend la mémoire de Stable-Baselines3, pleine."""
    memory = PeerBuffer(CAPACITY, spaces.Box(-1, 1, (4,)), spaces.Discrete(2), device="cpu")
    state, one = np.zeros(4, np.float32), np.ones(1)
    for _ in range(CAPACITY):
        memory.add(state, state, one, one, np.zeros(1), [{}])
    return memory


if __name__ == "__main__":
    main()
