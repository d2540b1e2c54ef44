"""Le bac à sable : un processus neuf par copie, sans réseau, qui ne voit que le cours, et à part.

Le système de fichiers de la machine n'y est pas : n'y entrent, en lecture seule, que les
bibliothèques, Python et le paquet. Un peu de place sur un disque en mémoire, et rien ne reste.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import monotonic

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
JUDGE = HERE / "juge.py"
SECONDS = 15.0  # de calcul permis à un exercice
STARTING = 600.0  # secondes pour importer le paquet, sur une machine occupée
GRACE = 30.0  # secondes de plus que n'en prend le juge pour arrêter un exercice
LONGEST = 1_000_000  # octets d'une ligne du juge
TASKS = 32  # processus et fils, au-delà de ceux que ce compte a déjà
SPACE = 64 * 2**20  # octets du disque en mémoire
SCRATCH = "/bac"  # où l'on peut y écrire
NOBODY = 65534
LOST = "arrête le juge, ou le fait taire"
SYSTEM = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/nix/store",
]
APART = ["--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
MISSING = (
    "Noter demande Linux et bubblewrap, qui isole les copies : « sudo apt install bubblewrap », "
    "puis relancez. Sans lui, rien ne s'exécute."
)


class SandboxError(BaseException):
    """Le bac à sable manque, ou ne démarre pas ; le message dit quoi faire.

    D'une `Exception`, nbgrader accuserait la copie.
    """


def available() -> None:
    """Lève SandboxError si les copies ne peuvent pas être isolées ici."""
    if sys.platform != "linux" or not shutil.which("bwrap"):
        raise SandboxError(MISSING)
    command = inside(*python(), "-c", f"open({str(JUDGE)!r})")
    tried = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if tried.returncode:
        told = (tried.stderr.strip().splitlines() or ["sans message"])[-1]
        raise SandboxError(f"bubblewrap est là, mais ne peut pas isoler les copies : {told}.")


def inside(*command: str) -> list[str]:
    """Rend la commande qui en exécute une autre dans le bac."""
    binds = [("--ro-bind-try", one, one) for one in SYSTEM]
    for prefix in {sys.prefix, sys.base_prefix}:
        real = os.path.realpath(prefix)
        binds += [("--ro-bind", real, one) for one in {prefix, real} if not one.startswith("/usr")]
    binds += [("--ro-bind", str(one), str(one)) for one in (ROOT / "cartpole_helpers", HERE)]
    parents = {str(up) for *_, one in binds for up in Path(one).parents} - {"/"}
    private = ["--perms", "1777", "--size", str(SPACE), "--tmpfs"]
    return [
        *("bwrap", "--die-with-parent", "--new-session", *APART),
        *([] if is_root() else ["--unshare-user"]),
        *("--proc", "/proc", "--dev", "/dev", *private, "/dev/shm", *private, SCRATCH),
        *(word for one in sorted(parents) for word in ("--perms", "0755", "--dir", one)),
        *(word for bind in binds for word in bind),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH),
        *(demoted() if is_root() else ()),
        *command,
    ]


def python() -> list[str]:
    """Rend le Python du cours, là où le bac le voit, sans le dossier du programme."""
    return [os.path.join(os.path.realpath(sys.prefix), "bin", "python"), "-P"]


def is_root() -> bool:
    """Dit si l'on est root, à qui les bornes sur les processus ne s'appliquent pas."""
    return os.geteuid() == 0


def demoted() -> list[str]:
    """Rend ce qui, sous root, fait de l'élève un compte sans droits."""
    caps = [word for cap in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{cap}")]
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return [*caps, "setpriv", *ids, "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]


def environment() -> dict[str, str]:
    """Rend les variables que reçoit le bac : aucune de celles de l'enseignant."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": SCRATCH,
        "TMPDIR": SCRATCH,
        "USER": "eleve",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": SCRATCH,
    }


def judged(cells: list, names: list[str], seed: int, seconds: float = SECONDS) -> dict[str, dict]:
    """Rend, par exercice, ce que le juge en dit ; `cells` : numéro, grade_id et texte de chacune.

    Une copie qui tue son juge n'y perd que l'exercice en cours : un autre juge reprend la suite.
    """
    results: dict[str, dict] = {}
    while left := [name for name in names if name not in results]:
        begun = ""
        for told in conversation(cells, left, seed, seconds):
            begun = told.get("begins", begun)
            if "begins" not in told:
                results[begun] = told
        if not begun:
            raise SandboxError("Le bac à sable ne démarre pas : lancez « bwrap --version ».")
        if begun not in results:
            results[begun] = {"verdicts": [], "note": LOST, "remarks": [LOST], "lost": True}
    return results


def conversation(cells: list, names: list[str], seed: int, seconds: float) -> Iterator[dict]:
    """Donne ce qu'un juge dit, ligne à ligne, jusqu'à ce qu'il finisse, se taise, ou divague."""
    order = {"cells": cells, "names": names, "seed": seed, "seconds": seconds, "tasks": tasks()}
    with subprocess.Popen(
        inside(*python(), str(JUDGE)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd="/",
        bufsize=0,  # sinon, ce qu'un bac mort n'a pas lu serait récrit à la fermeture
    ) as process:
        try:
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
            yield from lines(process.stdout.fileno(), 6 * seconds + GRACE)
        except (BrokenPipeError, ValueError):
            return
        finally:
            process.kill()


def lines(pipe: int, patience: float) -> Iterator[dict]:
    """Donne les objets JSON que porte un tuyau, tant qu'ils viennent à temps et restent courts."""
    waiting, until = b"", monotonic() + STARTING
    while select([pipe], [], [], max(0.0, until - monotonic()))[0] and len(waiting) < LONGEST:
        chunk = os.read(pipe, 65_536)
        if not chunk:
            return
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield json.loads(line)
            until = monotonic() + patience


def tasks() -> int:
    """Rend combien de processus et de fils pourra avoir en tout le compte qui exécute une copie.

    Selon le noyau, la borne compte ceux du dehors : on ajoute donc la marge à ceux qui sont là.
    """
    uid, found = NOBODY if is_root() else os.getuid(), 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == uid:
                found += len(os.listdir(process / "task"))
        except OSError:  # il vient de finir
            continue
    return found + TASKS
