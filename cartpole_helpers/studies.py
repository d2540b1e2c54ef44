"""Une étude : des réglages, des graines par groupes, ce qu'on mesure ; dask dit qui le calcule.

Une tâche est un réglage et un groupe de graines. Ses lignes entrent ensemble dans l'archive : qu'on
interrompe, qu'un processus, une machine ou l'ordonnanceur se perde, il suffit de relancer ; seules
les graines qui manquent sont faites.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from importlib.util import find_spec
from itertools import zip_longest
from multiprocessing import current_process, parent_process
from pathlib import Path
from traceback import extract_tb
from typing import Any, NamedTuple, NoReturn

import numpy as np
from tqdm.auto import tqdm

from cartpole_helpers.archives import Archive, ArchiveError, fingerprint
from cartpole_helpers.checks import check_callable, check_choice, check_number, check_seeds
from cartpole_helpers.workers import ClusterError, Mismatch, Outcomes, Result, in_turn, together

WITHOUT_DASK = (
    "La bibliothèque dask n'est pas installée. Pour l'avoir :\n"
    "    .venv/bin/python -m pip install -r requirements-etudes.txt"
)
RECOGNISING = "l'archive prend les empreintes d'aujourd'hui : un nom a changé, non ce qu'on mesure"
Name = str | tuple  # ce qui nomme un réglage : un texte, ou un tuple s'il a plusieurs colonnes


@dataclass(frozen=True, kw_only=True)
class Study:
    """Ce qu'une étude mesure, et où ; non qui le calcule.

    TypeError ou ValueError, qui nomme l'argument, s'il ne convient pas.
    """

    archive: str | os.PathLike
    """Le .csv où elle s'écrit."""
    measure: Callable[[Any, Sequence[int]], Iterable[Sequence]]
    """Rend les lignes d'un réglage pour des graines ; chaque ligne commence par sa graine."""
    settings: Mapping[Name, Any]
    """Nom → réglage."""
    seeds: Sequence[int] | Mapping[Name, Sequence[int]]
    """Les graines de tous les réglages, ou celles de chacun."""
    columns: Sequence[str]
    """Les colonnes de l'archive, après le nom et la graine."""
    names: Sequence[str] = ("reglage",)
    """Les colonnes du nom."""
    group: int = 20
    """Le nombre de graines qu'une tâche mesure et archive ensemble, au plus."""
    alone: bool = False
    """On y mesure des durées : les tâches se suivent, dans le seul processus qui les demande."""

    def __post_init__(self):
        check_callable("measure", self.measure)
        check_number("group", self.group, int, low=1)
        for name in self.settings:
            if len(cells := name_cells(name)) != len(self.names):
                wanted = f"settings doit nommer chaque réglage comme {self.names}"
                raise ValueError(f"{wanted} : {cells} reçu.")
            if "".join(cells).startswith("#"):
                raise ValueError(f"settings : {cells[0]!r} se lirait comme un commentaire.")
            self.seeds_of(name)

    def seeds_of(self, name: Name) -> list[int]:
        """Rend les graines d'un réglage."""
        if not isinstance(self.seeds, Mapping):
            return check_seeds("seeds", self.seeds)
        if name not in self.seeds:
            raise ValueError(f"seeds doit donner les graines de chaque réglage : {name!r} manque.")
        return check_seeds("seeds", self.seeds[name])

    def header(self) -> tuple[str, ...]:
        """Rend les colonnes de l'archive."""
        return *self.names, "graine", *self.columns

    def signature(self, name: Name) -> str:
        """Rend l'empreinte d'un réglage et des nombres de la mesure : elle change avec eux.

        Le code de la mesure n'y entre pas : le reprendre autrement ne périme pas une archive, et le
        changer est à dire.
        """
        numbers = described(self.measure) if isinstance(self.measure, partial) else ""
        return fingerprint(numbers + described(self.settings[name]))


def archive_of(script: str) -> Path:
    """Rend le .csv de même nom que le script d'une étude."""
    return Path(script).with_suffix(".csv")


def by_seed(seeds: Sequence[int], instants: Iterable, form: str = "g") -> list[tuple]:
    """Rend une ligne par graine : elle, et ses nombres au fil des instants, au format `form`.

    Un instant donne un nombre par graine ; d'une seule graine, le nombre suffit.
    """
    columns = zip(*map(np.atleast_1d, instants), strict=True)
    return [
        (seed, *(f"{one:{form}}" for one in row)) for seed, row in zip(seeds, columns, strict=True)
    ]


class Task(NamedTuple):
    """Un réglage, et le groupe de graines qu'on mesure ensemble."""

    name: Name
    seeds: tuple[int, ...]


BAR = {"bar_format": "{n_fmt} groupes sur {total_fmt} {bar} fait en {elapsed}, reste {remaining}"}
SHOWN = 5  # les groupes échoués dont on dit pourquoi


class Incomplete(RuntimeError):
    """L'étude s'est arrêtée avant sa fin ; ce qui était fait est archivé."""


# Ce qui reste à faire


def name_cells(name: Name) -> tuple[str, ...]:
    """Rend le nom d'un réglage tel que l'archive l'écrit, un texte par colonne."""
    return (*map(str, name if isinstance(name, tuple) else (name,)),)


def described(value: Any) -> str:
    """Écrit une valeur, de la même façon dans tous les processus ; un défaut ne s'écrit pas."""
    if isinstance(value, partial):
        return f"{described(value.func)}({described(value.args)}, {described(value.keywords)})"
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: getattr(value, one.name) for one in fields(value)}
        usual = {one.name: one.default for one in fields(value)}
        return type(value).__qualname__ + described(
            {name: given for name, given in changed.items() if given != usual[name]}
        )
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {described(one)}' for key, one in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(described, value))})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(described, value)))}}}"
    text = value.__qualname__ if hasattr(value, "__qualname__") else repr(value)
    if " at 0x" in text:  # une adresse : elle changerait à chaque lancement
        raise TypeError(f"`settings` : {text} n'a pas d'écriture ; donnez un texte, un nombre…")
    return text


def told(name: Name, seeds: Sequence[int]) -> str:
    """Écrit un réglage et ses graines."""
    among = f"graines {seeds[0]} à {seeds[-1]}" if len(seeds) > 1 else f"graine {seeds[0]}"
    return ", ".join([*name_cells(name), among])


def opened(study: Study) -> Archive:
    """Ouvre l'archive de l'étude ; ArchiveError si l'un de ses réglages a changé depuis."""
    archive = Archive(study.archive, study.header(), len(study.names))
    signed = signatures(study)
    for (*name, seed), done in archive.done().items():
        if signed.get((*name,), done.setting) != done.setting:
            raise ArchiveError(
                f"{archive.path} : le réglage « {', '.join(name)} » n'est plus celui dont elle a "
                f"la graine {seed}. Retirez-en ses groupes, ou donnez un autre fichier ; si seul "
                "un nom a changé, et rien de ce que l'on mesure, relancez avec --reconnaitre."
            )
    return archive


def signatures(study: Study) -> dict[tuple, str]:
    """Rend l'empreinte de chaque réglage, nommé tel que l'archive l'écrit."""
    return {name_cells(name): study.signature(name) for name in study.settings}


def missing(study: Study, archive: Archive) -> list[Task]:
    """Rend les tâches à faire : le premier groupe de chaque réglage, puis les suivants."""
    done, columns = archive.done(), []
    for name in study.settings:
        absent = [seed for seed in study.seeds_of(name) if (*name_cells(name), seed) not in done]
        starts = range(0, len(absent), study.group)
        columns.append([Task(name, (*absent[at : at + study.group],)) for at in starts])
    return [task for row in zip_longest(*columns) for task in row if task]


# Le faire


def complete(
    study: Study,
    cluster: str | None = None,
    processes: int | None = None,
    bar: Callable[..., Iterable[tuple[int, Result]]] = tqdm,
) -> int:
    """Fait et archive ce qui manque à l'étude, et rend le nombre de groupes faits.

    `Incomplete` si elle s'arrête avant la fin.

    `cluster` : l'adresse d'un ordonnanceur dask, ou le fichier où il l'écrit ; sans lui,
    `processes` processus de cette machine, un par cœur à défaut. `bar(itérable, total=...)` montre
    l'avancement.
    """
    if processes is not None:
        check_number("processes", processes, int, low=1)
    archive = opened(study)
    if not (tasks := missing(study, archive)):
        return 0
    archive.prepare()
    problems = []
    try:
        with closing(workers(study, tasks, cluster, processes)) as outcomes:
            for rank, result in bar(outcomes, total=len(tasks), **BAR):
                if error := archived(study, archive, tasks[rank], result):
                    problems.append(f"{told(*tasks[rank])} : {reason(error)}")
    except (KeyboardInterrupt, ClusterError, OSError) as error:
        problems.insert(0, str(error) or "interrompue")
    if left := missing(study, archive):
        raise Incomplete(_summary(archive, problems, len(left)))
    return len(tasks)


def workers(
    study: Study, tasks: Sequence[Task], cluster: str | None, processes: int | None
) -> Outcomes:
    """Rend ce que rendent les tâches, à mesure qu'elles s'achèvent, avec leur rang."""
    calls = [(study.measure, (study.settings[name], seeds)) for name, seeds in tasks]
    if study.alone and cluster:
        raise ClusterError("cette étude mesure des durées : elle ne se répartit pas")
    processes = min(processes or os.cpu_count() or 1, len(tasks))
    if study.alone or (processes == 1 and not cluster):
        return in_turn(calls)
    if find_spec("distributed"):
        return together(calls, cluster, processes)
    if cluster:
        raise ClusterError(WITHOUT_DASK)
    print("Les groupes se font un à un, dans ce processus.", WITHOUT_DASK)
    return in_turn(calls)


def archived(study: Study, archive: Archive, task: Task, result: Result) -> Exception | None:
    """Archive les lignes d'une tâche, ou rend l'erreur qui l'interdit ; `Mismatch` arrête tout."""
    if isinstance(result, Mismatch):
        raise result
    if isinstance(result, Exception):
        return result
    rows, made = result
    if not _fits(study, rows, task.seeds):
        return TypeError(
            f"measure doit rendre, pour chacune des graines {task.seeds}, une ligne ou plus : la "
            f"graine, puis {len(study.columns)} nombres ; {rows[:1]} reçu"
        )
    rows = [(*name_cells(task.name), *row) for row in rows]
    archive.append(rows, study.signature(task.name), made)
    return None


def _fits(study: Study, rows: Sequence[Sequence], seeds: Sequence[int]) -> bool:
    """Dit si `rows` sont les lignes de toutes ces graines, et d'elles seules."""
    try:
        widths = {len(row) for row in rows}
        return widths == {1 + len(study.columns)} and {row[0] for row in rows} == {*seeds}
    except TypeError:
        return False


def reason(error: Exception) -> str:
    """Écrit une erreur, et où elle fut levée."""
    frames = extract_tb(error.__traceback__)
    places = [f" ({frame.name}, ligne {frame.lineno})" for frame in frames]
    return f"{type(error).__name__}, {error}{''.join(places[-1:])}"


def _summary(archive: Archive, problems: list[str], left: int) -> str:
    """Écrit pourquoi l'étude s'est arrêtée, et ce qui reste."""
    others = len(problems) - SHOWN
    shown = [*problems[:SHOWN], *[f"et {others} autres groupes"] * (others > 0)]
    return (
        "\n  ".join([f"{archive.path} n'est pas finie.", *shown])
        + f"\nGroupes qui restent à faire : {left}. Relancez : ce qui est fait est gardé."
    )


# La ligne de commande


def launch(study: Study, arguments: Sequence[str] | None = None) -> None:
    """Fait l'étude selon la ligne de commande ; si elle s'arrête, une phrase le dit."""
    if current_process().name != "MainProcess" and not parent_process():
        return  # un processus qui naît relit le script : ce n'est pas à lui de la faire
    options = _parser(study).parse_args(arguments)
    try:
        study = _chosen(study, options)
        if options.reconnaitre:
            Archive(study.archive, study.header(), len(study.names)).recognise(signatures(study))
        if options.liste or options.reconnaitre:
            print(*listed(study), sep="\n")
        elif not complete(study, options.grappe, options.processus):
            print(f"{study.archive} est complète ; --liste la décrit.")
    except (Incomplete, ClusterError, OSError, ValueError, TypeError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Interrompue.")


def listed(study: Study) -> Iterator[str]:
    """Rend une ligne par réglage : ce qui est fait, ce qui reste."""
    archive = opened(study)
    done = archive.done()
    for name in study.settings:
        seeds = study.seeds_of(name)
        found = sum((*name_cells(name), seed) in done for seed in seeds)
        yield f"{told(name, seeds)} : {found} sur {len(seeds)}"
    yield from (f"origine {name} : {what}" for name, what in archive.origins().items())


class _Parser(argparse.ArgumentParser):
    """Un argparse qui parle français."""

    def error(self, message: str) -> NoReturn:
        sys.exit(f"Commande non comprise : « {' '.join(sys.argv[1:])} » ; --help dit tout.")


def _parser(study: Study) -> argparse.ArgumentParser:
    parser = _Parser(description=f"Fait ce qui manque à {study.archive}.", add_help=False)
    parser.add_argument("--liste", action="store_true", help="dit ce qui est fait, sans rien faire")
    parser.add_argument("--seulement", nargs="+", metavar="RÉGLAGE", help="ces réglages seuls")
    parser.add_argument("--graines", metavar="A-B", help="ces graines, « 2000-2199 » ou « 3,5,8 »")
    parser.add_argument("--archive", metavar="FICHIER", help="un autre .csv que celui de l'étude")
    parser.add_argument("--reconnaitre", action="store_true", help=RECOGNISING)
    parser.add_argument("--processus", type=int, help="combien, sur cette machine : un par cœur")
    parser.add_argument("--grappe", metavar="ADRESSE", help="un ordonnanceur dask, ou son fichier")
    parser.add_argument("-h", "--help", action="help", help="montre cette aide")
    return parser


def _chosen(study: Study, options: argparse.Namespace) -> Study:
    """Rend la part de l'étude que demande la ligne de commande."""
    known = {", ".join(name_cells(name)): name for name in study.settings}
    for name in options.seulement or ():
        check_choice("--seulement", name, [*known])
    names = [known[name] for name in options.seulement or known]
    seeds = {name: study.seeds_of(name) for name in names}
    if options.graines is not None:
        asked = _seeds(options.graines)
        foreign = [seed for own in seeds.values() for seed in asked if seed not in own]
        if foreign and not options.archive:
            raise ValueError(
                f"--graines : {foreign[0]} n'est pas de l'étude ; donnez --archive FICHIER."
            )
        seeds = dict.fromkeys(names, asked)
    return replace(
        study,
        settings={name: study.settings[name] for name in names},
        seeds=seeds,
        archive=options.archive or study.archive,
    )


def _seeds(text: str) -> list[int]:
    """Lit « 2000-2199 », « 3,5,8 » ou les deux à la fois."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (word.strip() for word in part.partition("-"))
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last)):
            raise ValueError(f"--graines doit être « 2000-2199 » ou « 3,5,8 » : {text!r} reçu.")
        found += range(int(first), int(last) + 1)
    return check_seeds("--graines", found)
