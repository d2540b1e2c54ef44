"""Le bac à sable : un processus neuf par copie, sans réseau, qui ne voit que le cours, et à part.

Le système de fichiers de la machine n'y est pas : n'y entrent, en lecture seule, que les
bibliothèques, Python et le paquet. Un peu de place sur un disque en mémoire, et rien ne reste.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
JUDGE = HERE / "juge.py"
READ = [ROOT / "cartpole_helpers", ROOT / "notebooks/building/names.py", JUDGE]  # tout du cours
SECONDS = 15.0  # de calcul permis à un exercice
PATIENCE = 10  # fois plus, que le juge ne prend jamais : il arrête avant
STARTING = 600.0  # secondes pour importer le paquet, sur une machine occupée
SPACE = 64 * 2**20  # octets du disque en mémoire
SCRATCH = "/bac"  # où la copie est, et peut écrire
SHARED = "/dev/shm"  # où écrivent, d'eux-mêmes, PyTorch et matplotlib
NOBODY = 65534
LOST = {"verdicts": [], "note": "le juge n'a pas répondu : à relire", "remarks": []}
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


def judged(cells: list, names: list[str], seed: int, seconds: float = SECONDS) -> dict[str, dict]:
    """Rend, par exercice, ce que le juge en dit ; `cells` : numéro, nom et texte de chacune."""
    order = {"cells": cells, "names": names, "seed": seed, "seconds": seconds}
    try:
        return json.loads(run(order, STARTING + len(names) * PATIENCE * seconds).stdout)
    except (subprocess.TimeoutExpired, ValueError):
        available()  # est-ce le bac, ou la copie ?
        return dict.fromkeys(names, LOST)


def available() -> None:
    """Lève SandboxError si les copies ne peuvent pas être isolées ici."""
    tried = run({"names": []}, STARTING)
    if tried.returncode:
        told = (tried.stderr.strip().splitlines() or ["sans message"])[-1]
        raise SandboxError(f"bubblewrap est là, mais ne peut pas isoler les copies : {told}.")


def run(order: dict, seconds: float) -> subprocess.CompletedProcess:
    """Exécute le juge dans le bac ; SandboxError si bubblewrap manque."""
    bwrap = shutil.which("bwrap")
    if sys.platform != "linux" or not bwrap:
        raise SandboxError(MISSING)
    python = os.path.join(os.path.realpath(sys.prefix), "bin", "python")
    return subprocess.run(
        [bwrap, *inside(), python, "-P", str(JUDGE)],  # -P : rien n'est importé de son dossier
        input=json.dumps(order),
        capture_output=True,
        text=True,
        errors="replace",
        env=environment(),
        cwd="/",
        timeout=seconds,
    )


def inside() -> list[str]:
    """Rend les options de bubblewrap ; ce qu'il exécute est le premier processus du bac.

    Rien n'y peut l'arrêter, ni prendre la sortie qui mène à l'enseignant.
    """
    binds = [("--ro-bind-try", one, one) for one in SYSTEM]
    for prefix in {sys.prefix, sys.base_prefix}:
        real = os.path.realpath(prefix)
        binds += [("--ro-bind", real, one) for one in {prefix, real} if not one.startswith("/usr")]
    binds += [("--ro-bind", str(one), str(one)) for one in READ]
    parents = {str(up) for *_, one in binds for up in Path(one).parents} - {"/"}
    private = ["--perms", "1777", "--size", str(SPACE), "--tmpfs"]
    return [
        *("--as-pid-1", "--die-with-parent", "--new-session", *APART),
        *([] if is_root() else ["--unshare-user"]),
        *("--proc", "/proc", "--dev", "/dev", *private, SHARED, *private, SCRATCH),
        *(word for one in sorted(parents) for word in ("--perms", "0755", "--dir", one)),
        *(word for bind in binds for word in bind),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", SCRATCH),
        *(demoted() if is_root() else ()),
    ]


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
        "TMPDIR": SHARED,
        "USER": "eleve",
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "notebooks")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": SHARED,
    }
