"""La vérité : quelle part d'une large boîte d'états est connue, avec quelle preuve, à quel prix.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/verite.py

Pour chaque effort et chaque graine, 4 000 états sont tirés uniformément dans |x| ≤ 2,4 m,
|ẋ| ≤ 3 m/s, |θ| ≤ 12° et |θ̇| ≤ 3,5 rad/s. Colonnes : la part de ces états dont la survie est
exacte (`exact`), sans fin (`sauvable`), de fin certaine (`perdu`), encore indécise (`indecis`) ; la
part de ceux dont V* est connue à un pour cent près (`proche`), qui dépend de γ ; le temps de calcul
par état, en millisecondes, sans celui de la table, faite une fois (`table`, en secondes).
"""

import time
from itertools import product

import numpy as np

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT
from cartpole_helpers.tables import Archive
from cartpole_helpers.teaching import truth

SEEDS = range(3)
EFFORTS = (0, 1, 2, 3)
GAMMAS = (0.9, 0.97, 0.99, 0.999)
COUNT = 4_000
BOX = np.array([X_LIMIT, 3.0, THETA_LIMIT, 3.5])
CLOSE = 0.01
HEADER = (
    *("effort", "gamma", "graine", "exact", "sauvable", "perdu", "indecis"),
    *("proche", "millisecondes", "table"),
)


def main() -> None:
    """Fait les mesures qui manquent à l'archive."""
    archive = Archive(__file__, HEADER)
    table = timed(truth.certify, np.zeros((1, 4)), GAMMAS[0])[1]
    for effort, seed in product(EFFORTS, SEEDS):
        if (str(effort), str(GAMMAS[0]), seed) not in archive:
            rows = measure(effort, seed)
            archive.append((*row, f"{table:.1f}") for row in rows)
            print(*rows[-1], flush=True)


def measure(effort: int, seed: int) -> list[tuple]:
    """Rend une ligne par γ : la survie n'est encadrée qu'une fois, γ n'entrant qu'à la fin."""
    states = BOX * np.random.default_rng(seed).uniform(-1, 1, (COUNT, 4))
    bounds, seconds = timed(truth.survival, states, effort=effort)
    shares, cost = known(*bounds), f"{1e3 * seconds / COUNT:.2f}"
    return [(effort, gamma, seed, *shares, close(*bounds, gamma), cost) for gamma in GAMMAS]


def known(low: np.ndarray, high: np.ndarray) -> list[str]:
    """Les parts d'états exacts, sauvables, perdus et indécis ; V* est celle de la meilleure."""
    low, high = low.max(axis=1), high.max(axis=1)
    saved, lost = np.isinf(low), np.isfinite(high)
    return [f"{share.mean():.4f}" for share in (low == high, saved, lost, ~saved & ~lost)]


def close(low: np.ndarray, high: np.ndarray, gamma: float) -> str:
    """La part des états dont les deux bornes de V* diffèrent de moins d'un pour cent."""
    lower, upper = (truth.discounted(steps.max(axis=1), gamma) for steps in (low, high))
    return f"{np.mean(upper - lower <= CLOSE * lower):.4f}"


def timed(function, *arguments, **options):
    """Rend le résultat, puis le temps de processeur, en secondes."""
    start = time.process_time()
    result = function(*arguments, **options)
    return result, time.process_time() - start


if __name__ == "__main__":
    main()
