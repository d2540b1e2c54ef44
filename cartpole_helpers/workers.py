"""Qui calcule les tâches d'une étude : ce processus, tous ceux de la machine, ou une grappe.

Les deux derniers sont l'affaire de dask.distributed, qui n'est chargée qu'ici, et à la demande.
"""

import logging
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGE = Path(__file__).parent
LIBRARIES = ("torch", "numpy", "gymnasium")
COMMIT, PROCESSOR = "commit", "processeur"  # ce qui peut différer d'une machine à l'autre
PATIENCE = 20  # s : ce que l'on attend d'un ordonnanceur
ENVIRONMENT = {  # ce que lancer.py met aussi
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
Call = tuple[Callable, tuple]  # une fonction, et ses arguments
Outcome = tuple[int, object]  # le rang d'un appel ; (son résultat, avec quoi), ou son erreur


class ClusterError(RuntimeError):
    """La grappe ne peut pas calculer, ou ne le peut plus."""


class Mismatch(ClusterError):
    """Un processus de calcul n'a pas le code, ou les versions, de celui qui le commande."""


@cache
def origin() -> dict[str, str]:
    """Rend ce avec quoi ce processus calcule : code, versions, processeur."""
    return {
        COMMIT: _commit(),
        "code": _code(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in LIBRARIES},
        PROCESSOR: f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}",
    }


def _told(made: Mapping[str, str]) -> str:
    return " ; ".join(f"{name} {value}" for name, value in made.items())


def _code() -> str:
    """Rend l'empreinte du paquet : celle de tous ses modules."""
    digest = sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:8]


def _commit() -> str:
    """Rend le commit du paquet, suivi de « + » si on l'a changé depuis."""
    try:
        told = [
            subprocess.run(
                ["git", *order], cwd=PACKAGE, capture_output=True, text=True, check=True
            ).stdout.strip()
            for order in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", "."])
        ]
    except (OSError, subprocess.CalledProcessError):
        return "inconnu"
    return told[0] + "+" * bool(told[1])


def _processor() -> str:
    """Rend le nom du processeur."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def perform(payload: bytes, wanted: Mapping[str, str]) -> tuple[list, str]:
    """Fait l'appel `payload` dans ce processus, et dit avec quoi ; Mismatch s'il ne convient pas.

    Un processus dont le code ou les versions diffèrent ne lit pas même l'appel.
    """
    ours = origin()
    differing = [
        f"{name} {ours.get(name, 'absent')} au lieu de {value}"
        for name, value in wanted.items()
        if name not in (COMMIT, PROCESSOR) and ours.get(name) != value
    ]
    if differing:
        raise Mismatch(
            f"le processus de calcul de {platform.node()} n'est pas celui qu'il faut : "
            f"{', '.join(differing)}. Installez-y le même commit et les mêmes versions"
        )
    import cloudpickle

    torch.set_num_threads(1)
    call, arguments = cloudpickle.loads(payload)
    return [*call(*arguments)], _told(ours)


def in_turn(calls: Sequence[Call]) -> Iterator[Outcome]:
    """Fait les appels un à un, dans ce processus, sur un fil."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for rank, (call, arguments) in enumerate(calls):
            try:
                yield rank, ([*call(*arguments)], _told(origin()))
            except Exception as error:
                yield rank, error
    finally:
        torch.set_num_threads(threads)


def together(calls: Sequence[Call], cluster: str | None, processes: int) -> Iterator[Outcome]:
    """Fait les appels sur `cluster`, ou sur `processes` processus de cette machine.

    `cluster` : l'adresse d'un ordonnanceur, ou le fichier où il l'a écrite. Une tâche dont le
    processus meurt est refaite par un autre. ClusterError si la grappe manque, ou si on la perd.
    """
    import cloudpickle
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with _client(cluster, processes) as client:
        wanted, ranks = origin(), {}
        _send_by_value(calls)
        for rank, call in enumerate(calls):
            ranks[client.submit(perform, cloudpickle.dumps(call), wanted, pure=False)] = rank
        for future, result in as_completed([*ranks], with_results=True, raise_errors=False):
            rank = ranks.pop(future)
            if future.status == "finished":
                yield rank, result
            elif future.status == "error":
                error = result[1]
                yield rank, _killed(error) if isinstance(error, KilledWorker) else error
            else:
                raise ClusterError("l'ordonnanceur ne répond plus")


def _send_by_value(calls: Sequence[Call]) -> None:
    """Envoie avec chaque appel les modules voisins du sien, que la grappe n'a pas."""
    import cloudpickle

    homes = {_home(sys.modules.get(getattr(call, "func", call).__module__)) for call, _ in calls}
    for module in [*sys.modules.values()]:
        if _home(module) in homes - {None, PACKAGE} and module.__name__ != "__main__":
            cloudpickle.register_pickle_by_value(module)


def _home(module: object) -> Path | None:
    """Rend le dossier d'un module."""
    file = getattr(module, "__file__", None)
    return Path(file).resolve().parent if file else None


def _killed(error: Exception) -> ClusterError:
    return ClusterError(
        f"{error.allowed_failures + 1} processus sont morts en calculant ce groupe ; le plus "
        "souvent, la mémoire a manqué : prenez moins de graines par groupe"
    )


@contextmanager
def _client(cluster: str | None, processes: int) -> Iterator:
    """Prête un client de la grappe, ou d'une grappe locale, qui n'écoute que cette machine."""
    import dask
    from distributed import Client, LocalCluster

    # Les nôtres suffisent : dask raconterait aussi, en anglais, ce qu'il répare.
    settings = {"distributed.nanny.pre-spawn-environ": ENVIRONMENT}
    with dask.config.set(settings), ExitStack() as stack:
        if cluster is None:
            local = LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            yield stack.enter_context(Client(stack.enter_context(local)))
            return
        file = {} if "://" in cluster else {"scheduler_file": cluster}
        try:
            client = Client(**file or {"address": cluster}, timeout=PATIENCE)
        except (OSError, ValueError, ImportError) as error:
            raise ClusterError(f"aucun ordonnanceur ne répond à {cluster!r} ({error})") from error
        yield stack.enter_context(client)
