"""Le laboratoire de la troncature : deux mémoires, l'une prend le chronomètre pour une chute.

    .venv/bin/python etudes/troncature.py

Vingt graines par mémoire, 30 000 pas, γ = 0,99, avec la symétrie : il faut des agents qui vont
souvent au bout des 500 pas. Tous les 2 000 pas, une ligne par graine. Colonnes : le retour moyen de
20 épisodes (`retour`) ; max Q en 0 (`q0`) et, en moyenne, aux états où l'agent vient de passer à
moins de 250 pas du départ, et au-delà (`q_jeune`, `q_vieux`) ; la part des transitions gardées en
mémoire où le chronomètre a sonné (`fins`) ; et, sur les 2 000 derniers pas, l'écart type de x là où
il sonne (`x_fins`) et partout (`x_tous`), en mètres. « nan » : rien à moyenner.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cartpole_helpers import VERSION_2, CartPoleVector, Step, Training, evaluate
from cartpole_helpers.cartpole import has_fallen
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.laboratory import ClockEnds

EVERY, BUDGET, EPISODES = 2_000, 30_000, 20
CONFIG = replace(
    VERSION_2,
    total_steps=BUDGET,
    carts=4,
    mirror=True,
    hidden=(64, 64),
    learning_rate=2e-3,
    learning_rate_floor=2e-4,
    gamma=0.99,
    n_steps=1,
    epsilon_end=0.1,
    epsilon_steps=5_000,
    epsilon_hold=1.0,
    capacity=5_000,
    target_rate=0.1,
    average_rate=1.0,
    average_tail=0.0,
)
MEMORIES: dict[str, type[CartPoleVector]] = {
    "la chute seule": CartPoleVector,
    "la chute et le chronomètre": ClockEnds,
}


def run(env: type[CartPoleVector], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines, et rend une ligne par graine et par mesure."""
    training, rows = Training(CONFIG, seeds, env=env), []
    ages = np.zeros((len(seeds), CONFIG.carts))
    rung = deque(maxlen=CONFIG.capacity // CONFIG.carts)  # ce qu'a vu la mémoire, tour par tour
    recent = deque(maxlen=EVERY // CONFIG.carts)
    for step in training.run():
        rung.append(by_clock(step).mean(axis=1))
        recent.append((step, ages))
        ages = np.where(step.terminated | step.truncated, 0, ages + 1)
        if step.env_steps % EVERY < CONFIG.carts:
            starts = fresh_seed(Purpose.STUDY, step.env_steps)
            scores = evaluate(training.agent, EPISODES, starts).mean(-1)
            columns = (scores, *values(training, recent), np.mean(rung, axis=0), *spreads(recent))
            for seed, row in zip(seeds, zip(*columns, strict=True), strict=True):
                rows.append((seed, step.env_steps, *(f"{one:.4g}" for one in row)))
    return rows


def values(training: Training, recent: deque) -> tuple[np.ndarray, ...]:
    """Rend max Q (S,) en 0, puis aux états jeunes, et aux vieux, parmi ceux qu'on vient de voir."""
    start = training.agent.q_values(np.zeros((len(training.seeds), 1, 4))).max(axis=-1)[:, 0]
    seen = np.concatenate([step.observation for step, _ in recent], axis=1)  # (S, N, 4)
    old = np.concatenate([age for _, age in recent], axis=1) >= 250
    best = training.agent.q_values(seen).max(axis=-1)
    return start, means(best, ~old), means(best, old)


def spreads(recent: deque) -> tuple[np.ndarray, np.ndarray]:
    """Rend l'écart type de x (S,) là où le chronomètre coupe l'épisode, autour de 0, et partout."""
    steps: list[Step] = [step for step, _ in recent]
    x = np.concatenate([step.next_observation[..., 0] for step in steps], axis=1)  # (S, N)
    rung = np.concatenate([by_clock(step) for step in steps], axis=1)
    return np.sqrt(means(x**2, rung)), np.sqrt(means(x**2, np.ones_like(rung)))


def by_clock(step: Step) -> np.ndarray:
    """Dit où (S, E) le chronomètre a sonné sans que le chariot tombe."""
    return step.truncated & ~has_fallen(step.next_observation)


def means(numbers: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Rend la moyenne (S,) des nombres (S, N) là où `where` est vrai, « nan » s'il ne l'est pas."""
    counts = where.sum(axis=1)
    return np.where(counts, np.where(where, numbers, 0).sum(axis=1) / np.maximum(counts, 1), np.nan)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=MEMORIES,
    seeds=range(20),
    columns=("pas", "retour", "q0", "q_jeune", "q_vieux", "fins", "x_fins", "x_tous"),
    names=("memoire",),
)

if __name__ == "__main__":
    launch(STUDY)
