r"""Ce que rend le moteur d'études sur cette machine, et ce qu'un modèle en prédit sur d'autres.

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/debit.py

Exploratoire. Une tâche vide dit ce que coûtent l'ordonnanceur et l'archive ; une vraie est celle
d'echelle.py, la Version 2 et ses évaluations, sur `STEPS` pas au lieu de 50 000. Toutes passent par
`studies.complete`, sur 1 (sans dask), 2 et 4 processus. La *part oisive* est celle du temps des
cœurs, du début de la première tâche à la fin de la dernière, où nulle tâche ne calcule.

Le modèle : n graines, par groupes de g, font T = ⌈n / g⌉ tâches, que P cœurs, d'un processus
chacun, prennent en ⌈T / P⌉ vagues ;

    durée(n, P, g) = d + max(⌈T / P⌉ (f + c g), a T)

- d, si P > 1 : démarrer la grappe, y faire un premier calcul, plus long que les suivants, et la
  fermer ; on suppose que les processus de P cœurs démarrent ensemble, aussi vite que deux ici ;
- f + c g, une tâche : ce que ses agents se partagent, et ce que chacun y ajoute ;
- a, ce que prend une tâche à l'ordonnanceur et à l'archive, qui les servent une à une.

f et c viennent du temps de processeur de vraies tâches, de 1 et de 20 graines ; d, de deux tâches
d'une graine sur deux processus ; a, des tâches vides, sur deux aussi. Les autres cas servent à
juger : leur durée est écrite dans debit.csv à côté de la durée prédite (quatre processus sur deux
cœurs comptent pour deux), comme celle d'une tâche entière, de 50 000 pas, prédite en proportion des
pas. Les dernières lignes prédisent une étude de 1 000 graines, du groupe d'echelle.py, puis du
meilleur. Plus de deux cœurs, c'est une extrapolation : ni le réseau, ni le disque partagé, ni la
mémoire que se disputent les cœurs d'une même machine n'y sont. Le premier calcul fut ajouté à d
quand une première mesure eut montré ces mêmes cas prédits trop courts. Trois minutes, sur une
machine que rien d'autre n'occupe : ces durées sont celles d'une horloge.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import ceil, nan
from pathlib import Path
from statistics import median
from time import process_time, time
from typing import NamedTuple

from echelle import EVERY, run

from cartpole_helpers import VERSION_2, Config
from cartpole_helpers.archives import Archive
from cartpole_helpers.studies import Study, complete
from cartpole_helpers.tables import read_table, write_study

STEPS = 4_000
SHORT = replace(VERSION_2, total_steps=STEPS)
WHOLE = VERSION_2
PROCESSES = (1, 2, 4)
EMPTY_TASKS = 200
FITTING = (1, 20)  # les groupes dont viennent f et c
JUDGING = ((1, 30, 10), (2, 80, 20), (2, 60, 10), (2, 16, 2), (4, 80, 20))  # processus, n, g
SIZES = (0, 10_000, 100_000)  # lignes que l'archive a déjà
GROUP, SEEDS, CORES = 20, 1_000, (1, 2, 8, 64, 512)
COLUMNS = ("debut", "fin", "processeur", "memoire")
HEADER = ("mesure", "processus", "graines", "groupe", "valeur", "predite")


# Le modèle


class Costs(NamedTuple):
    """Les quatre nombres du modèle, en secondes."""

    start: float  # d
    shared: float  # f
    each: float  # c
    task: float  # a


def duration(seeds: int, cores: int, group: int, costs: Costs) -> float:
    """Rend la durée prédite d'une étude, en secondes."""
    tasks = ceil(seeds / group)
    computing = ceil(tasks / cores) * (costs.shared + costs.each * group)
    return costs.start * (cores > 1) + max(computing, tasks * costs.task)


def best_group(seeds: int, cores: int, costs: Costs) -> int:
    """Rend le groupe dont la durée prédite est la plus courte, parmi ceux de 1 à 64 graines."""
    return min(range(1, 65), key=lambda group: duration(seeds, cores, group, costs))


def fitted(start: float, task: float, seconds: dict[int, float]) -> Costs:
    """Rend le modèle ; `seconds` : groupe → durée d'une tâche, pour deux groupes."""
    (small, low), (large, high) = seconds.items()
    each = (high - low) / (large - small)
    return Costs(start, low - each * small, each, task)


# Ce qu'on mesure


class Run(NamedTuple):
    """Ce qu'a montré une étude : des secondes, et des Mo (10⁶ octets) par processus."""

    whole: float  # de l'appel au retour
    window: float  # du début de la première tâche à la fin de la dernière
    busy: float  # de processeur, dans les tâches
    tasks: int
    memory: float


def empty(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Une tâche qui ne fait rien."""
    return told(seeds, time(), process_time())


def real(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Une tâche d'echelle.py."""
    begun = time(), process_time()
    run(config, seeds)
    return told(seeds, *begun)


def told(seeds: Sequence[int], begun: float, worked: float) -> list[tuple]:
    """Rend une ligne par graine : début, fin, processeur (s), mémoire du processus (Mo)."""
    times = (f"{value:.6f}" for value in (begun, time(), process_time() - worked))
    cells = (*times, f"{most_memory():.0f}")
    return [(seed, *cells) for seed in seeds]


def most_memory() -> float:
    """Rend ce que ce processus a occupé de plus, en Mo : Linux le note."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def carried_out(measure: Callable, processes: int, seeds: int, group: int, config=SHORT) -> Run:
    """Fait une étude neuve, et rend ce qu'elle a montré."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(
            archive=Path(folder, "essai.csv"),
            measure=measure,
            settings={"essai": config},
            seeds=range(seeds),
            columns=COLUMNS,
            group=group,
        )
        called = time()
        complete(study, processes=processes, bar=lambda outcomes, **_: outcomes)
        whole, table = time() - called, read_table(study.archive)
    tasks = {*zip(*(map(float, table[name]) for name in COLUMNS), strict=True)}
    begins, ends, busy, memory = zip(*tasks, strict=True)
    return Run(whole, max(ends) - min(begins), sum(busy), ceil(seeds / group), max(memory))


def archiving(size: int, folder: str) -> tuple[float, float]:
    """Rend les secondes pour ouvrir une archive de `size` lignes, et pour y ajouter un groupe."""
    path, row = Path(folder, f"{size}.csv"), ("500",) * (WHOLE.total_steps // EVERY)
    header = ("reglage", "graine", *map(str, range(len(row))))
    if size:
        Archive(path, header).append([("essai", seed, *row) for seed in range(size)], "0", "rien")
    start = time()
    archive, opened, costs = Archive(path, header), time() - start, []
    for first in range(size, size + 20 * GROUP, GROUP):
        start = time()
        rows = [("essai", seed, *row) for seed in range(first, first + GROUP)]
        archive.append(rows, "0", "rien")
        costs.append(time() - start)
    return opened, median(costs)


# Les lignes


def main() -> None:
    """Fait chaque mesure, l'affiche et l'écrit."""
    rows = []
    for name, *cells, value, predicted in measures():
        rows.append((name, *cells, f"{value:.4g}", f"{predicted:.4g}"))
        print(*rows[-1], flush=True)
    write_study(__file__, HEADER, rows)


def measures() -> Iterator[tuple]:
    """Rend, une à une, les lignes de debit.csv."""
    yield from archive_rows()
    empties, seconds = {}, {}
    for processes in PROCESSES:
        started = carried_out(empty, processes, processes, 1)
        yield "démarrer et fermer (s)", processes, nan, nan, started.whole, nan
        empties[processes] = carried_out(empty, processes, EMPTY_TASKS, 1)
        yield from run_rows("tâches vides", processes, EMPTY_TASKS, 1, empties[processes], nan)
    for group in FITTING:
        seconds[group] = median(carried_out(real, 1, group, group).busy for _ in range(3))
        yield "une tâche : processeur (s)", 1, group, group, seconds[group], nan
    start = carried_out(real, 2, 2, 1).whole - seconds[1]
    costs = fitted(start, empties[2].window / EMPTY_TASKS, seconds)
    for name, value in zip(("d (s)", "f (s)", "c (s)", "a (s)"), costs, strict=True):
        yield name, nan, nan, nan, value, nan
    for processes, seeds, group in JUDGING:
        cores = min(processes, os.cpu_count())
        found = carried_out(real, processes, seeds, group)
        yield from run_rows(
            "tâches", processes, seeds, group, found, duration(seeds, cores, group, costs)
        )
    longer = WHOLE.total_steps / STEPS
    costs = costs._replace(shared=longer * costs.shared, each=longer * costs.each)
    found = carried_out(real, 1, GROUP, GROUP, WHOLE).whole
    yield "une tâche entière (s)", 1, GROUP, GROUP, found, duration(GROUP, 1, GROUP, costs)
    for cores in CORES:
        for group in (GROUP, best_group(SEEDS, cores, costs)):
            predicted = duration(SEEDS, cores, group, costs)
            yield "étude entière (s)", cores, SEEDS, group, nan, predicted


def archive_rows() -> Iterator[tuple]:
    """Rend ce que coûte l'archive, selon sa taille."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            opened, added = archiving(size, folder)
            yield "ouvrir une archive de tant de graines (s)", 1, size, GROUP, opened, nan
            yield "y ajouter un groupe (s)", 1, size, GROUP, added, nan


def run_rows(name: str, processes: int, seeds: int, group: int, found: Run, predicted: float):
    """Rend ce qu'une étude a montré."""
    case, cores = (processes, seeds, group), min(processes, os.cpu_count())
    yield f"{name} : durée (s)", *case, found.whole, predicted
    yield f"{name} : par seconde", *case, found.tasks / found.window, nan
    yield f"{name} : part oisive", *case, 1 - found.busy / (cores * found.window), nan
    if processes > 1:  # seul, ce processus a déjà servi à d'autres cas
        yield f"{name} : mémoire d'un processus (Mo)", *case, found.memory, nan


if __name__ == "__main__":
    main()
