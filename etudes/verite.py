"""La vérité : quelle part d'une large boîte d'états est connue, avec quelle preuve, à quel prix.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/verite.py

Pour chaque effort et chaque graine, 4 000 états sont tirés uniformément dans |x| ≤ 2,4 m,
|ẋ| ≤ 3 m/s, |θ| ≤ 12° et |θ̇| ≤ 3,5 rad/s. Colonnes : la part de ces états dont la survie est
exacte (`exact`), sans fin (`sauvable`), de fin certaine (`perdu`), encore indécise (`indecis`) ; la
part de ceux dont V* est connue à un pour cent près (`proche`), qui dépend de γ ; le temps de calcul
par état, en millisecondes, sans celui de la table, faite une fois (`table`, en secondes).
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from time import process_time

import numpy as np
from etats import in_box

from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching import truth

EFFORTS = (0, 1, 2, 3)
GAMMAS = (0.9, 0.97, 0.99, 0.999)
COUNT = 4_000
CLOSE = 0.01


def run(setting: tuple[int, float], seeds: Sequence[int]) -> list[tuple]:
    """Rend une ligne par graine."""
    (effort, gamma), rows = setting, []
    _, table = timed(truth.certify, ((0.0,) * 4,), GAMMAS[0])
    for seed in seeds:
        bounds, seconds = timed(survival, effort, seed)
        costs = f"{1e3 * seconds / COUNT:.2f}", f"{table:.1f}"
        rows.append((seed, *known(*bounds, gamma), *costs))
    return rows


def survival(effort: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Encadre la survie des états d'une graine."""
    return truth.survival(in_box(COUNT, seed), effort=effort)


def known(low: np.ndarray, high: np.ndarray, gamma: float) -> list[str]:
    """Les parts d'états exacts, sauvables, perdus, indécis ; celle de V* connue à `CLOSE` près."""
    low, high = low.max(axis=1), high.max(axis=1)  # V* est celle de la meilleure action
    saved, lost = np.isinf(low), np.isfinite(high)
    lower, upper = (truth.discounted(steps, gamma) for steps in (low, high))
    shares = (low == high, saved, lost, ~saved & ~lost, upper - lower <= CLOSE * lower)
    return [f"{share.mean():.4f}" for share in shares]


@cache  # γ n'entrant qu'à la fin, une même survie n'est encadrée qu'une fois
def timed(function, *arguments):
    """Rend le résultat, puis le temps de processeur, en secondes."""
    start = process_time()
    return function(*arguments), process_time() - start


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={setting: setting for setting in product(EFFORTS, GAMMAS)},
    seeds=range(3),
    columns=("exact", "sauvable", "perdu", "indecis", "proche", "millisecondes", "table"),
    names=("effort", "gamma"),
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
