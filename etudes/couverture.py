"""Les intervalles à 95 % du cours contiennent-ils la vérité 95 fois sur cent ?

    OMP_NUM_THREADS=1 .venv/bin/python etudes/couverture.py

Une archive du cours est prise pour vérité : cent graines, ou mille épisodes. On y tire avec remise
n individus, 2 000 fois ; chaque fois on fait l'intervalle, et l'on regarde s'il contient la
grandeur calculée sur l'archive entière. `dessus` est la part (%) des intervalles qui sont tout
entiers au-dessus de la vérité, `dessous` celle qui est tout entière en dessous. La couverture est
connue à un point près. C'est celle de ces archives, et non de toutes : une autre forme de données
en donnerait une autre. Le résultat est écrit dans couverture.csv.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from bilan import arrivals

from cartpole_helpers import bootstrap_interval, evaluate, interquartile_mean, load, load_study
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.repairs import SHORTER
from cartpole_helpers.statistics import (
    after_success,
    exact_interval,
    paired_interval,
    wilson_interval,
)
from cartpole_helpers.tables import write_study

HERE = Path(__file__).parent
HEADER = ("intervalle", "grandeur", "n", "couverture", "dessus", "dessous")
SIZES, DRAWS = (20, 100), 2_000


def main() -> None:
    """Mesure chaque intervalle, l'affiche et l'écrit."""
    rows = [
        (*names, size, *coverage(*case, size)) for names, case in cases().items() for size in SIZES
    ]
    write_study(__file__, HEADER, rows)
    for row in rows:
        print(*row)


def cases() -> dict[tuple[str, str], tuple[np.ndarray, Callable, Callable]]:
    """Rend (intervalle, grandeur) → (population, ce que l'on estime, l'intervalle)."""
    returns = evaluate(load(HERE.parent / "checkpoints/agent_4000_pas.safetensors"), 1_000, 10)
    curves = {name: scores(name) for name in ("version 2", SHORTER, "les deux")}
    ours = curves["version 2"]
    found = {}
    for grandeur, values in {
        "retour de l'agent hésitant, moyenne": returns,
        "écart de retour, « sans les trois »": (curves[SHORTER] - ours).mean(axis=1),
        "écart de rechute, « sans les trois »": relapse(curves[SHORTER]) - relapse(ours),
        "écart de rechute, « les deux »": relapse(curves["les deux"]) - relapse(ours),
    }.items():
        found["Student", grandeur] = values, np.mean, paired_interval
        found["rééchantillonnage", grandeur] = values, np.mean, resampled(np.mean)
    for step in (5, 15):
        where = "rééchantillonnage", f"moyenne interquartile à {step} 000 pas"
        found[where] = ours[:, step - 1], interquartile_mean, resampled(interquartile_mean)
    for name in ("version 2", "les deux"):
        held = after_success(curves[name] >= SOLVED_RETURN)
        counts = np.stack([held.filled(False).sum(axis=1), held.count(axis=1)], axis=1)
        found["rééchantillonnage", f"part conservée, « {name} »"] = counts, share, resampled(share)
    for name, threshold in (("version 2", 475), ("les deux", 475), ("les deux", 200)):
        grandeur = f"graines qui tiennent {threshold}, « {name} »"
        relapsed = curves[name] < threshold
        steady = ~(relapsed & ~after_success(curves[name] >= SOLVED_RETURN, 3).mask).any(axis=1)
        found["Wilson", grandeur] = steady, np.mean, counted(wilson_interval)
        found["exact", grandeur] = steady, np.mean, counted(exact_interval)
    found["rééchantillonnage", "rapport des médianes, le duel"] = duel(), ratio, resampled_ratio
    return found


def coverage(population: np.ndarray, statistic: Callable, interval: Callable, size: int) -> tuple:
    """Rend les parts (%) des intervalles qui contiennent la vérité, qui sont au-dessus, dessous."""
    truth, generator = statistic(population, axis=0), np.random.default_rng(size)
    draws = generator.integers(len(population), size=(DRAWS, size))
    low, high = np.array([interval(population[draw]) for draw in draws]).T
    above, below = 100 * np.mean(low > truth), 100 * np.mean(high < truth)
    return tuple(f"{part:.1f}" for part in (100 - above - below, above, below))


def scores(name: str) -> np.ndarray:
    """Rend les retours moyens (graines, évaluations) des graines annoncées d'un réglage."""
    study = load_study(HERE / "echelle.csv")
    mine = np.flatnonzero((study["reglage"] == name) & (study["graine"] >= 1_000))
    mine = mine[np.argsort(study["graine"][mine])]
    return np.stack([study[column][mine] for column in study if column.isdigit()], axis=1)


def relapse(returns: np.ndarray) -> np.ndarray:
    """Rend, graine à graine, la rechute en points : voir `echelle.py`."""
    held = after_success(returns >= SOLVED_RETURN, 3)
    return 100 * (1 - held.mean(axis=1).filled(0))


def duel() -> np.ndarray:
    """Rend les secondes (graines, 2) du rapport principal de `comparaison.py` : eux, nous."""
    ours, theirs = ("version 2", "moteur du cours"), ("rl-zoo3", "Stable-Baselines3")
    return np.stack([arrivals(*theirs, "en_ligne")[0], arrivals(*ours, "moyenne")[0]], axis=1)


def ratio(values: np.ndarray, axis: int) -> np.ndarray:
    """Rend le rapport des médianes des deux colonnes de `values`."""
    theirs, ours = np.moveaxis(np.median(values, axis=axis), -1, 0)
    return theirs / ours


def resampled_ratio(values: np.ndarray) -> np.ndarray:
    """Rend l'intervalle que `bilan.py` donne de ce rapport, où l'infini ne s'interpole pas."""
    rows = np.random.default_rng(0).integers(len(values), size=(1_000, len(values)))
    return np.quantile(ratio(values[rows], axis=1), (0.025, 0.975), method="inverted_cdf")


def share(counts: np.ndarray, axis: int) -> np.ndarray:
    """Rend la part conservée de `counts` (..., 2), conservées et en tout, sur toutes graines."""
    held, whole = np.moveaxis(counts.sum(axis=axis), -1, 0)
    return held / whole


def resampled(statistic: Callable) -> Callable:
    """Rend l'intervalle des centiles de `statistic`."""
    return lambda values: bootstrap_interval(values, statistic, resamples=1_000)


def counted(interval: Callable) -> Callable:
    """Rend l'intervalle d'une proportion, à partir de booléens."""
    return lambda values: interval(int(values.sum()), len(values))


if __name__ == "__main__":
    main()
