"""Qui calcule les tâches d'une étude : ce processus, tous ceux de la machine, ou une grappe.

Les deux derniers sont l'affaire de dask.distributed, qui n'est chargée qu'ici, et à la demande.
"""

import json
import logging
import pickle
import platform
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import torch

PACKAGE = Path(__file__).parent
LIBRARIES = ("torch", "numpy", "gymnasium")
COMMIT, PROCESSOR = "commit", "processeur"  # ce qui peut différer d'une machine à l'autre
REMEDY = "installez-y le même commit et les mêmes versions"
SILENCE = logging.CRITICAL + 1
HOST = "127.0.0.1"  # une grappe locale n'écoute que cette machine
PATIENCE = 20  # s : ce que l'on attend d'un ordonnanceur
ENDED = ("finished", "error")  # ce que dask dit d'une tâche qu'elle ne refera pas
PULSE = 10  # s : si rien ne s'achève en ce temps, on regarde s'il y a encore qui calcule
ENVIRONMENT = {  # avant que dask ne mette autre chose
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}
LOCAL = {  # la façon dont dask gouverne les processus de cette machine
    "distributed.nanny.pre-spawn-environ": ENVIRONMENT,
    # Un mort est toujours remplacé, même si tous le sont à la fois ; une tâche qui tue deux
    # processus n'en aura pas de troisième, et l'on n'en soupçonne pas d'autre.
    "distributed.deploy.lost-worker-timeout": "1000 days",
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.worker-saturation": 1.0,
    # Une machine mise en veille les retrouve au réveil.
    "distributed.scheduler.worker-ttl": None,
    # Passé 95 % de sa mémoire, un processus est tué ; il n'attend pas qu'elle se libère.
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
}
Call = tuple[Callable, tuple]  # une fonction, et ses arguments
Result = tuple[list, str] | Exception  # ce que rend un appel, et avec quoi ; ou son erreur
Outcomes = Generator[tuple[int, Result]]  # le rang d'un appel, et ce qu'il rend


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
    """Fait l'appel `payload` dans ce processus, et dit avec quoi ; `Mismatch` s'il ne convient pas.

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
            f"un processus de calcul, {platform.node()}, n'est pas celui qu'il faut : "
            f"{', '.join(differing)} ; {REMEDY}"
        )
    import cloudpickle

    torch.set_num_threads(1)
    return _made(*cloudpickle.loads(payload))


def _made(call: Callable, arguments: tuple) -> tuple[list, str]:
    return [*(call(*arguments) or ())], _told(origin())


def in_turn(calls: Sequence[Call]) -> Outcomes:
    """Fait les appels un à un, dans ce processus, sur un fil."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for rank, (call, arguments) in enumerate(calls):
            try:
                yield rank, _made(call, arguments)
            except Exception as error:
                yield rank, error
    finally:
        torch.set_num_threads(threads)


def together(calls: Sequence[Call], cluster: str | None, processes: int) -> Outcomes:
    """Fait les appels sur `cluster`, ou sur `processes` processus de cette machine.

    `cluster` : l'adresse d'un ordonnanceur, ou le fichier où il l'a écrite. Une tâche dont le
    processus meurt est refaite par un autre. ClusterError si la grappe manque, ou si on la perd.
    """
    import cloudpickle

    with _client(cluster, processes) as client:
        _send_by_value(calls)
        payloads = [pickle.dumps(_Performance(cloudpickle.dumps(call))) for call in calls]
        ranks = {
            client.submit(pickle.loads, payload, pure=False): rank
            for rank, payload in enumerate(payloads)
        }
        while ranks:
            for future in _finished(client, [*ranks]):
                yield ranks.pop(future), _result(future)


class _Performance:
    """Ce que dask transporte sans rien en savoir : le lire, c'est faire l'appel.

    Ni l'ordonnanceur ni la version de Python n'ont alors à être les nôtres pour qu'un processus de
    calcul puisse dire en quoi il diffère.
    """

    def __init__(self, payload: bytes):
        self._arguments = payload, origin()

    def __reduce__(self) -> tuple:
        return perform, self._arguments


@contextmanager
def _answering() -> Iterator[None]:
    """ClusterError si l'ordonnanceur se tait."""
    try:
        yield
    except (CancelledError, OSError, RuntimeError) as error:
        raise ClusterError("l'ordonnanceur ne répond plus") from error


@_answering()
def _finished(client: Any, futures: list) -> Iterable:
    """Attend qu'une tâche au moins soit finie ; dit si la grappe n'a plus personne."""
    from distributed import wait

    empty = False
    while True:
        try:
            done = wait(futures, PULSE, "FIRST_COMPLETED").done
            return [one for one in done if one.status in ENDED]  # et non perdue avec sa machine
        except TimeoutError:
            before, empty = empty, not client.nthreads()
            if empty and not before:
                print("\nAucun processus de calcul dans la grappe : on l'attend. Ctrl-C y renonce.")


@_answering()
def _result(future: Any) -> Result:
    """Rend le résultat d'une tâche finie, ou son erreur."""
    from distributed.scheduler import KilledWorker

    error = future.exception()  # attend, si la tâche s'est perdue entre-temps et se refait
    if error is None:
        return future.result()
    if isinstance(error, KilledWorker):
        return _killed(error)
    if isinstance(error, ImportError):
        return Mismatch(f"il manque un module à un processus de calcul ({error}) ; {REMEDY}")
    return error.with_traceback(future.traceback())


def _send_by_value(calls: Sequence[Call]) -> None:
    """Envoie avec chaque appel les modules voisins du sien, que la grappe n'a pas."""
    import cloudpickle

    homes = {_home(sys.modules.get(getattr(call, "func", call).__module__)) for call, _ in calls}
    for name, module in [*sys.modules.items()]:
        if _home(module) in homes - {None} and name == module.__name__ != "__main__":
            cloudpickle.register_pickle_by_value(module)


def _home(module: object) -> Path | None:
    """Rend le dossier d'un module, s'il n'est pas du paquet."""
    file = getattr(module, "__file__", None)
    home = Path(file).resolve().parent if isinstance(file, str) else PACKAGE
    return None if home.is_relative_to(PACKAGE) else home


def _killed(error: Any) -> ClusterError:
    return ClusterError(
        f"{error.allowed_failures + 1} processus sont morts en calculant ce groupe ; le plus "
        "souvent, la mémoire a manqué : prenez moins de graines par groupe"
    )


@contextmanager
def _client(cluster: str | None, processes: int) -> Iterator:
    """Prête un client de la grappe, ou d'une grappe locale ; dask s'y tait : elle parle anglais."""
    from distributed.utils import silence_logging_cmgr

    with silence_logging_cmgr(SILENCE), ExitStack() as stack:
        with _sheltered():
            client = _remote(cluster, stack) if cluster else _local(processes, stack)
        try:
            yield client
        finally:
            with _sheltered():
                stack.close()


def _local(processes: int, stack: ExitStack) -> Any:
    import dask
    from distributed import Client, LocalCluster

    stack.enter_context(dask.config.set(LOCAL))
    try:
        cluster = LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            host=HOST,
            scheduler_kwargs={"dashboard": False, "dashboard_address": f"{HOST}:0"},
            silence_logs=SILENCE,
        )
    except RuntimeError as error:
        raise ClusterError("les processus de calcul de cette machine ne démarrent pas") from error
    return stack.enter_context(Client(stack.enter_context(cluster)))


def _remote(cluster: str, stack: ExitStack) -> Any:
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    class Closed(Client):
        """Un client qui se ferme s'il n'a pas pu s'ouvrir.

        Sinon, le ramasse-miettes le ferme quand bon lui semble, même pendant que le suivant tient
        le verrou que cela demande : rien n'avance plus.
        """

        def start(self, **options: Any) -> None:
            try:
                super().start(**options)
            except BaseException:
                self.close()
                raise

    address = _address(cluster)
    try:
        with warnings.catch_warnings():  # `perform` le dira en français, et pour ce qui compte
            warnings.simplefilter("ignore", VersionMismatchWarning)
            return stack.enter_context(Closed(address, timeout=PATIENCE))
    except Exception as error:  # chaque façon de ne pas s'entendre a la sienne
        raise ClusterError(
            f"aucun ordonnanceur ne répond à {address} : vérifiez l'adresse et, si la grappe "
            "chiffre ce qu'elle dit, les certificats"
        ) from error


@contextmanager
def _sheltered() -> Iterator[None]:
    """Diffère Ctrl-C ; un processus né ici ne l'entendra jamais : nous l'arrêterons."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # né avec le premier processus, il rétablirait Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _address(cluster: str) -> str:
    """Rend l'adresse d'un ordonnanceur, lue dans le fichier où il l'a écrite s'il le faut."""
    if "://" in cluster:
        return cluster
    try:
        return json.loads(Path(cluster).read_text("utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClusterError(
            f"{cluster!r} n'est ni l'adresse d'un ordonnanceur, comme tcp://10.0.0.1:8786, ni le "
            "fichier où il l'a écrite"
        ) from error
