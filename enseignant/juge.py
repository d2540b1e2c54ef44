"""Dans le bac à sable : juge les exercices d'une copie, chacun dans un processus à part.

Il est le premier processus du bac : aucun autre ne peut l'arrêter, ni lire sa mémoire. Il lit sa
commande sur l'entrée, en JSON, et rend de même ce qu'il dit de chaque exercice.

Ce qui touche au juge est reconnu à ce que la copie nomme (`cheats`), aux noms du juge qui ont
changé (`state`), à ce que Python annonce (`listener`). Cela n'arrête pas qui recopie la réponse du
cours, qui rend un objet dont la comparaison ment, qui remet un nom aussitôt changé, ni qui fouille
la mémoire de son propre processus : un enseignant relit ce qui l'étonne.
"""

import ast
import builtins
import copy
import json
import os
import random
import re
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from ctypes import CDLL
from dataclasses import replace
from math import ceil
from pathlib import Path
from select import select
from time import monotonic
from types import ModuleType
from typing import NamedTuple

import numpy as np
import torch
from building.names import names_of, with_needed
from IPython.core.inputtransformer2 import TransformerManager

import cartpole_helpers
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.checking import Report, judge
from cartpole_helpers.teaching.exercise import Exercise, Property
from cartpole_helpers.teaching.exercises import check
from cartpole_helpers.teaching.sandbox import contained

PATIENCE = 6  # fois plus que le calcul permis, pour qui attend, ou sur une machine occupée
ROOM = 3 * 2**30  # octets de plus que peut prendre un exercice
FILE, FILES = 4 * 2**20, 64  # octets d'un fichier, et fichiers ouverts à la fois
LONGEST = 200_000  # octets d'un compte rendu
NOT_DUMPABLE = 4, 0  # PR_SET_DUMPABLE : nul processus du même compte ne peut alors lire celui-ci

TOUCHES = "touche au juge : à relire"
ABSENT, UNDEFINED = "cellule absente", "la cellule ne donne pas le nom demandé"
BORROWED = "la réponse est celle du paquet"
LOOP, WRITES, LEAVES = "boucle sans fin, ou attente", "écrit sans fin", "quitte Python"
FORKS, OPENS = "lance d'autres processus (fourche)", "ouvre des fichiers"


# Ce dont un exercice dépend


class Statement(NamedTuple):
    """Une instruction d'une copie : la cellule où elle est, son arbre, son texte."""

    cell: int
    node: ast.stmt
    code: str


def needed(name: str, cells: list) -> tuple[list[Statement], str]:
    """Rend, dans l'ordre, ce qu'il faut exécuter pour juger `name`, ou ce qui en empêche.

    Les instructions de la cellule de la réponse, expressions nues à part, et, de proche en proche,
    celles qui donnent ce qu'elles lisent, ou le changent. Le reste peut boucler ou être faux.
    """
    place = {grade_id: number for number, grade_id, _ in cells}
    if name not in place:
        return [], ABSENT
    first, last = place[name], place.get(f"check-{name}", place[name])
    known, broken = statements(cells)
    if first in broken:
        return [], broken[first]
    chosen = [
        rank
        for rank, one in enumerate(known)
        if (one.cell == first and not isinstance(one.node, ast.Expr))
        or (first < one.cell < last and name in names_of(one.code).bound)
        or (one.cell < first and one.code.endswith("import *"))
    ]
    return [known[rank] for rank in with_needed([one.code for one in known], chosen)], ""


def statements(cells: list) -> tuple[list[Statement], dict[int, str]]:
    """Rend les instructions d'une copie, et ce que l'on dit des cellules qui ne se lisent pas."""
    known, broken = [], {}
    for number, _, source in cells:
        try:
            tree = ast.parse(TransformerManager().transform_cell(source))
            compile(tree, f"<cellule {number}>", "exec")  # qui refuse encore un `return` seul
            found = [Statement(number, node, ast.unparse(node)) for node in tree.body]
            names_of("\n".join(one.code for one in found))
        except SyntaxError as error:
            broken[number] = f"erreur de syntaxe (cellule {number}, ligne {error.lineno})"
        except Exception:  # trop profond, ou ce que le découpage d'IPython ne sait pas lire
            broken[number] = f"erreur de syntaxe (cellule {number})"
        else:
            known += found
    return known, broken


# Ce qui touche au juge

INSIDE = re.compile(r"\bEXERCISES\b|\bteaching\b.*\b(catalogue|checking|exercise|sandbox)\b")
CHANGING = ("input", "manual_seed")  # que `contained`, et PyTorch s'il compile, changent eux-mêmes
PROCESSES = "os.fork os.forkpty os.exec os.posix_spawn os.system subprocess.Popen"
REACHES = "gc.get_objects gc.get_referrers gc.get_referents os.kill os.killpg"
EVENTS = dict.fromkeys(PROCESSES.split(), FORKS) | dict.fromkeys(REACHES.split(), TOUCHES)
SYSTEM = ("/usr/", "/lib", "/etc/ld.so", "/proc/self/", "/dev/null", "/dev/urandom", "/dev/shm/")
READABLE = (*SYSTEM, sys.prefix, sys.base_prefix, os.path.dirname(cartpole_helpers.__file__), "<")


def cheats(chosen: list[Statement], module: ModuleType) -> bool:
    """Dit si une copie nomme ce qui est du juge, ou refait sa vérification."""
    named = any(INSIDE.search(one.code) for one in chosen)
    return named or vars(module).get("check", check) is not check


def state() -> dict[tuple, int]:
    """Rend l'identité de ce que vaut chaque nom que lit le juge, ceux de Python compris ; d'une
    fonction, celle de son code."""
    ours = [one for name, one in [*sys.modules.items()] if name.startswith("cartpole_helpers")]
    classes = {one for module in ours for one in vars(module).values() if isinstance(one, type)}
    others = [json, json.encoder, os, np, np.linalg, torch, torch.Tensor, torch.nn.functional]
    return {
        (space, name): id(getattr(value, "__code__", value))
        for space in (*others, *ours, *classes)
        for name, value in {**vars(builtins), **vars(space)}.items()
        if name not in CHANGING
    }


def is_intact(before: dict) -> bool:
    """Dit si rien n'a changé ; un module chargé depuis ne compte pas."""
    return before.items() <= state().items()


def listener(tell: Callable[[str], None]) -> Callable:
    """Rend ce que Python appellera à chaque événement, sans que rien puisse l'en détacher."""
    told = set()

    def heard(event: str, arguments: tuple) -> None:
        said = EVENTS.get(event)
        if event == "subprocess.Popen" and arguments[0] == "fc-list":
            return  # matplotlib cherche des polices
        if event == "open" and not is_readable(arguments[0]):
            said = OPENS
        if said and said not in told:
            told.add(said)
            tell(said)

    return heard


def is_readable(path: object) -> bool:
    """Dit si un fichier est de ceux que Python et le paquet lisent d'eux-mêmes."""
    return isinstance(path, int) or os.fsdecode(path).startswith(READABLE)


# L'enfant, qui exécute la copie


def child(order: dict, name: str, pipe: int, token: bytes) -> None:
    """Juge un exercice, dans son processus, et l'écrit ; `token` : le mot de passe du tuyau."""
    write, leave, dumps = os.write, os._exit, json.dumps

    def tell(said: object) -> None:
        write(pipe, token + dumps(said).encode() + b"\n")

    try:
        bound(pipe, ceil(order["seconds"]))
        random.seed(order["seed"])
        sys.addaudithook(listener(tell))
        report = examined(order, name, tell)
        tell({"verdicts": report.verdicts, "note": report.note})
    except BaseException as error:
        tell({"verdicts": [], "note": f"panne du juge ({type(error).__name__}) : à relire"})
    finally:
        leave(0)


def bound(pipe: int, seconds: int) -> None:
    """Ne laisse à ce processus que le tuyau, et borne ce qu'il peut prendre : ni autre processus,
    ni fil."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 4096)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, used + ROOM),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_NOFILE, FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def examined(order: dict, name: str, tell: Callable[[str], None]) -> Report:
    """Rend le compte rendu d'un exercice de la copie, et dit au fur et à mesure ce qu'il y a."""
    chosen, missing = needed(name, order["cells"])
    if missing:
        return Report(name, note=missing)
    module = sys.modules["__main__"] = ModuleType("__main__")
    before = state()
    done = contained(executed, module, chosen, before, seed=order["seed"])
    if done.kind:
        return Report(name, note=done.told)
    errors, intact = done.value
    if cheats(chosen, module) or not intact:
        tell(TOUCHES)
    answer = getattr(module, name, None)
    if answer is None:
        return Report(name, note=errors[0] if errors else UNDEFINED)
    if str(getattr(answer, "__module__", "")).startswith("cartpole_helpers"):
        return Report(name, note=BORROWED)
    report, intact = watched(EXERCISES[name], answer, order["seed"], before)
    if not intact:
        tell(TOUCHES)
    return report


def executed(module: ModuleType, chosen: list[Statement], before: dict) -> tuple[list[str], bool]:
    """Exécute ce qu'il faut, erreurs gardées ; dit si le juge est resté ce qu'il était."""
    errors = []
    for one in chosen:
        try:
            tree = ast.Module([one.node], [])
            exec(compile(tree, f"<cellule {one.cell}>", "exec", dont_inherit=True), vars(module))
        except MemoryError:
            raise
        except Exception as error:
            where = f"cellule {one.cell}, ligne {one.node.lineno}"
            errors.append(f"l'erreur {type(error).__name__} ({where})")
    return errors, is_intact(before)


def watched(exercise: Exercise, answer: Callable, seed: int, before: dict) -> tuple[Report, bool]:
    """Juge, et dit si le juge est resté intact, avant qu'il ne remette lui-même ses noms.

    Une propriété de plus, la dernière, le regarde quand vient le tour de ses cas, et n'en a pas.
    """
    intact = []

    def look(_generator: np.random.Generator) -> tuple:
        intact.append(is_intact(before))
        return ()

    more = copy.copy(exercise)
    more.properties = (*exercise.properties, Property("", look, ""))
    report = judge(more, answer, seed)
    verdicts = tuple(one for one in report.verdicts if one.text)
    return replace(report, verdicts=verdicts), all(intact)


# Le parent, qui mesure et qui arrête


def judged_apart(order: dict, name: str) -> dict:
    """Rend ce que dit d'un exercice un enfant, qui ne survit pas à sa réponse."""
    token = secrets.token_hex(16).encode()
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        child(order, name, writing, token)
    os.close(writing)
    heard = received(reading, PATIENCE * order["seconds"])
    os.close(reading)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return concluded(heard, token, status)


def received(pipe: int, seconds: float) -> bytes:
    """Rend ce que dit l'enfant, jusqu'à ce qu'il finisse, tarde trop, ou parle trop."""
    heard, until = b"", monotonic() + seconds
    while len(heard) < LONGEST and select([pipe], [], [], max(0.0, until - monotonic()))[0]:
        if not (more := os.read(pipe, LONGEST)):
            break
        heard += more
    return heard


def concluded(heard: bytes, token: bytes, status: int) -> dict:
    """Rend ce que l'on retient d'un exercice : ses verdicts, une note s'il n'y en a pas, et les
    remarques."""
    lines = heard.split(b"\n")[:-1]
    told = [json.loads(line[len(token) :]) for line in lines if line.startswith(token)]
    remarks = [one for one in told if isinstance(one, str)]
    report = next((one for one in told if isinstance(one, dict)), None)
    if len(told) < len(lines):
        remarks.append(TOUCHES)
    if report is None:
        report = {"verdicts": [], "note": ended(len(heard), status)}
    if "l'erreur SystemExit" in json.dumps(report, ensure_ascii=False):
        remarks.append(LEAVES)
    return report | {"remarks": remarks}


def ended(length: int, status: int) -> str:
    """Rend pourquoi un enfant n'a pas fait de compte rendu."""
    if length >= LONGEST:
        return WRITES
    if os.WIFEXITED(status):
        return LEAVES
    number = os.WTERMSIG(status)
    too_long = number in (signal.SIGKILL, signal.SIGXCPU)
    return LOOP if too_long else f"plante Python (signal {number})"


def main() -> None:
    """Juge, l'un après l'autre, les exercices que l'on demande."""
    if os.getpid() != 1:
        sys.exit("juge.py ne s'exécute que dans le bac à sable.")
    # Le premier processus ne reçoit que les signaux qu'il attend : qu'il n'en attende aucun.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    CDLL(None).prctl(*NOT_DUMPABLE)
    torch.set_num_threads(1)
    order = json.load(sys.stdin)
    json.dump({name: judged_apart(order, name) for name in order["names"]}, sys.stdout)


if __name__ == "__main__":
    main()
