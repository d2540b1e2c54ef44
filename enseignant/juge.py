"""Dans le bac à sable : juge les exercices d'une copie, chacun dans un processus à part.

Il lit sa commande sur l'entrée, en JSON, et rend une ligne de JSON avant et après chaque exercice.
Ce qui est reconnu comme touchant au juge l'est dans le texte de ce qui s'exécute (`touches`), par
les événements que Python annonce (`Watch`), et en comparant le juge à ce qu'il était (`state`).
Cela n'arrête pas qui recopie la réponse du cours, ni qui rend un objet dont la comparaison ment,
ni qui connaît bien CPython : un enseignant relit ce qui l'étonne.
"""

import ast
import builtins
import copy
import dis
import json
import os
import random
import resource
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import CDLL
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from types import CodeType, ModuleType
from typing import NamedTuple

import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager

import cartpole_helpers
from cartpole_helpers.teaching.catalogue import EXERCISES
from cartpole_helpers.teaching.checking import Report, Verdict, judge
from cartpole_helpers.teaching.exercise import Exercise, Property
from cartpole_helpers.teaching.sandbox import contained

PATIENCE = 6  # fois plus que le calcul permis, pour qui attend, ou sur une machine occupée
TICK = 0.02  # secondes entre deux coups d'œil à ce qu'un exercice consomme
ROOM = 3 * 2**30  # octets que peut prendre un exercice, tous processus comptés
FILE = 4 * 2**20  # octets que peut prendre un fichier
LONGEST = 200_000  # octets d'un compte rendu
SCRATCH = Path("/bac")  # comme le dit bac.py
SYSTEM = ("/usr/", "/lib", "/etc/ld.so", "/proc/self/", "/dev/null", "/dev/urandom")
NOT_DUMPABLE = 4, 0  # PR_SET_DUMPABLE : nul processus du même compte ne peut alors lire celui-ci

TOUCHES, READ_AGAIN = "touche au juge", "touche au juge : à relire"
UNDEFINED = "la cellule ne donne pas le nom demandé"
LOOP, MEMORY, WRITES = "boucle sans fin, ou attente", "demande trop de mémoire", "écrit sans fin"
FORKS, LEAVES, OPENS = "lance d'autres processus (fourche)", "quitte Python", "ouvre des fichiers"


# Ce dont un exercice dépend


class Statement(NamedTuple):
    """Une instruction d'une copie : où elle est, les noms qu'elle donne, ceux qu'elle lit."""

    cell: int
    node: ast.stmt
    code: CodeType
    gives: frozenset[str]
    needs: frozenset[str]


def parsed(cell: int, source: str) -> list[Statement]:
    """Rend les instructions d'une cellule, moins ses lignes magiques ; SyntaxError, en général."""
    tree = ast.parse(TransformerManager().transform_cell(source), f"<cellule {cell}>")
    return [statement(cell, node) for node in tree.body]


def statement(cell: int, node: ast.stmt) -> Statement:
    """Rend une instruction, compilée ; `a.b = 1` donne `a` aussi bien que `a = 1`."""
    code = compile(ast.Module([node], []), f"<cellule {cell}>", "exec", dont_inherit=True)
    gives = set(names(code, "STORE_NAME", inside=False)) | set(names(code, "STORE_GLOBAL"))
    gives |= {root(one) for one in stored(node)} - {""}
    needs = names(code, "LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")
    if isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names):
        gives.add("*")
    return Statement(cell, node, code, frozenset(gives), frozenset(needs))


def names(code: CodeType, *operations: str, inside: bool = True) -> Iterator[str]:
    """Rend les noms que ces opérations emploient, dans un code et, `inside`, dans ceux qu'il a."""
    for one in dis.get_instructions(code):
        if one.opname in operations:
            yield one.argval
    for one in code.co_consts if inside else ():
        if isinstance(one, CodeType):
            yield from names(one, *operations)


def stored(node: ast.AST) -> Iterator[ast.expr]:
    """Rend les attributs et les cases que change une instruction."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute | ast.Subscript) and not isinstance(one.ctx, ast.Load):
            yield one


def root(node: ast.expr) -> str:
    """Rend le nom d'où part `a.b[c].d`, s'il y en a un."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def needed(name: str, cells: list) -> tuple[list[Statement], str]:
    """Rend, dans l'ordre, ce qu'il faut exécuter pour juger `name`, et ce qui manque.

    La cellule de la réponse, moins ses expressions nues, puis, de proche en proche, ce qui donne
    les noms lus : avant sa vérification, ou à défaut après. Le reste peut boucler ou être faux.
    """
    answer = next((number for number, grade_id, _ in cells if grade_id == name), None)
    known, broken = [], {}
    for number, _, source in cells:
        try:
            known += parsed(number, source)
        except SyntaxError as error:
            broken[number] = f"erreur de syntaxe (cellule {number}, ligne {error.lineno})"
        except Exception:  # trop profond, ou ce que le découpage d'IPython ne sait pas lire
            broken[number] = f"erreur de syntaxe (cellule {number})"
    known = [one for one in known if not isinstance(one.node, ast.Expr)]
    last = next((number for number, grade_id, _ in cells if grade_id == f"check-{name}"), answer)
    chosen = {id(one) for one in known if one.cell == answer or "*" in one.gives}
    wanted = [name, *(need for one in known if id(one) in chosen for need in one.needs)]
    seen = set()
    while wanted:
        if (want := wanted.pop()) in seen:
            continue
        seen.add(want)
        givers = [one for one in known if want in one.gives]
        before = [one for one in givers if last is None or one.cell <= last]
        for one in before or givers:
            chosen.add(id(one))
            wanted += one.needs
    statements = [one for one in known if id(one) in chosen]
    if any(name in one.gives for one in statements):
        return statements, ""
    return statements, broken.get(answer, "cellule absente" if answer is None else UNDEFINED)


# Ce qui touche au juge

JUDGE = {"check", "judge", "EXERCISES"}
MODULES = {"ctypes", "gc", "inspect", "importlib", "builtins", "atexit", "threading", "_thread"}
OURS = "cartpole_helpers.teaching"
INSIDE = {"catalogue", "checking", "exercise", "exercises", "sandbox", "misconceptions"}
WORDS = {"setattr", "delattr", "exec", "eval", "globals", "__import__", "__builtins__"}
DEEP = {"__globals__", "__code__", "__closure__", "__subclasses__", "__builtins__", "__bases__"}
DEEP |= {"_getframe", "settrace", "setprofile", "f_back", "f_globals", "f_locals"}
DEEP |= {"tb_frame", "gi_frame", "set_trace", "addaudithook", "__array_function__"}


def touches(statements: list[Statement]) -> list[int]:
    """Rend les cellules dont ce qui s'exécute refait un nom du juge, ou sert à l'atteindre."""
    borrowed = {
        name
        for one in statements
        if isinstance(one.node, ast.Import | ast.ImportFrom)
        for name in one.gives
    }
    return sorted({one.cell for one in statements if is_suspect(one, borrowed)})


def is_suspect(one: Statement, borrowed: set[str]) -> bool:
    """Dit si une instruction touche au juge, ou change un objet qu'elle a importé."""
    importing = isinstance(one.node, ast.Import | ast.ImportFrom)
    if not importing and one.gives & JUDGE:
        return True
    if any(root(changed) in borrowed & one.needs for changed in stored(one.node)):
        return True
    return any(is_deep(node) for node in ast.walk(one.node))


def is_deep(node: ast.AST) -> bool:
    """Dit si un nœud nomme les entrailles de Python, ou celles du juge."""
    if isinstance(node, ast.Name):
        return node.id in WORDS
    if isinstance(node, ast.Attribute):
        return node.attr in DEEP or ast.unparse(node) == "sys.modules"
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and OURS in node.value
    if isinstance(node, ast.Import):
        return any(is_inner(one.name) for one in node.names)
    if isinstance(node, ast.ImportFrom):
        joined = [f"{node.module}.{one.name}" for one in node.names]
        only_check = {one.name for one in node.names} <= {"check", "show"}
        return not only_check and any(map(is_inner, [node.module or "", *joined]))
    return False


def is_inner(module: str) -> bool:
    """Dit si un module est du juge, ou permet d'atteindre ses objets."""
    first, *_ = module.split(".")
    inner = {f"{OURS}.{one}" for one in INSIDE}
    return first in MODULES or any(f"{module}.".startswith(f"{one}.") for one in inner)


def state() -> dict:
    """Rend ce dont le juge est fait : les noms de ses modules, et le code de leurs fonctions."""
    ours = [one for name, one in [*sys.modules.items()] if name.startswith("cartpole_helpers")]
    classes = {one for module in ours for one in vars(module).values() if isinstance(one, type)}
    others = [builtins, json, json.encoder, os, np, np.linalg, torch, torch.Tensor]
    return {
        (space, name): (value, getattr(value, "__code__", None))
        for space in (*others, torch.nn.functional, *ours, *classes)
        for name, value in [*vars(space).items()]
        if name not in ("input", "_")  # le juge, puis IPython, les changent
    }


def is_intact(before: dict) -> bool:
    """Dit si rien n'y a changé, ni n'y cache une fonction de Python ; un module chargé depuis ne
    compte pas."""
    now, known, spaces = state(), vars(builtins), {space for space, _ in before}
    same = all(
        key in now and all(one is two for one, two in zip(now[key], value, strict=True))
        for key, value in before.items()
    )
    new = (name for space, name in now.keys() - before.keys() if space in spaces)
    return same and not any(name in known for name in new)


class Watch:
    """Reçoit les événements que Python annonce, et en garde ce qu'on en dira.

    Rien, dans Python, ne peut ensuite l'écarter.
    """

    KINDS = dict.fromkeys(("os.fork", "os.forkpty", "os.exec", "os.posix_spawn"), FORKS)
    KINDS |= dict.fromkeys(("os.system", "subprocess.Popen"), FORKS)
    KINDS |= dict.fromkeys(("gc.get_objects", "gc.get_referrers", "gc.get_referents"), READ_AGAIN)
    KINDS |= dict.fromkeys(("os.kill", "os.killpg"), READ_AGAIN)
    FILES = "open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir"

    def __init__(self, tell: Callable[[str], None]):
        self._tell, self._told = tell, set()
        self._known = (
            *SYSTEM,
            sys.prefix,
            sys.base_prefix,
            os.path.dirname(cartpole_helpers.__file__),
        )

    def __call__(self, event: str, arguments: tuple) -> None:
        said = self.KINDS.get(event)
        if event in self.FILES:
            said = self._of_file(arguments[0])
        elif event == "object.__setattr__" and arguments[1] == "__code__":
            said = READ_AGAIN
        if said and said not in self._told:
            self._told.add(said)
            self._tell(said)

    def _of_file(self, path: object) -> str:
        if isinstance(path, int):
            return READ_AGAIN
        path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else "."
        return "" if path.startswith(("<", *self._known)) else OPENS


# L'enfant, qui exécute la copie


def child(order: dict, name: str, pipe: int, token: bytes) -> None:
    """Juge un exercice, dans son processus, et l'écrit ; `token` : le mot de passe du tuyau."""
    write, leave, dumps = os.write, os._exit, json.dumps

    def tell(said: object) -> None:
        line = token + dumps(said).encode() + b"\n"
        while line:
            line = line[write(pipe, line) :]

    try:
        bound(order["tasks"], pipe)
        random.seed(order["seed"])
        sys.addaudithook(Watch(tell))
        report = examined(order, name, tell)
        tell({"report": [[*map(clipped, one)] for one in report.verdicts], "note": report.note})
    except BaseException as error:
        tell({"report": [], "note": f"panne du juge ({type(error).__name__}) : à relire"})
    finally:
        leave(0)


def clipped(field: str | bool) -> str | bool:
    """Rend un champ d'un verdict, borné."""
    return field if isinstance(field, bool) else str(field)[:2_000]


def bound(tasks: int, pipe: int) -> None:
    """Ne laisse à ce processus que le tuyau, et borne ce qu'il peut créer."""
    out = os.open(SCRATCH / "sortie", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for number in (0, 1, 2):
        os.dup2(out, number)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 4096)
    os.chdir(SCRATCH)
    for kind, most in (
        (resource.RLIMIT_NPROC, tasks),
        (resource.RLIMIT_FSIZE, FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        resource.setrlimit(kind, (most, most))


def examined(order: dict, name: str, tell: Callable[[str], None]) -> Report:
    """Rend le compte rendu d'un exercice de la copie, et dit au fur et à mesure ce qu'il y a."""
    statements, missing = needed(name, order["cells"])
    if missing:
        tell(missing)
        return Report(name, note=missing)
    for number in touches(statements):
        tell(f"{TOUCHES} (cellule {number}) : à relire")
    module = sys.modules["__main__"] = ModuleType("__main__")
    before, seed = state(), order["seed"]
    done = contained(executed, module, statements, before, seed=seed, seconds=order["seconds"])
    if done.kind:
        return Report(name, note=done.told)
    errors, intact = done.value
    if not hasattr(module, name):
        return Report(name, note=errors[0] if errors else UNDEFINED)
    report, still = guarded(EXERCISES[name], getattr(module, name), seed, before)
    if not (intact and still and is_intact(before)):
        tell(READ_AGAIN)
    return report


def executed(module: ModuleType, statements: list[Statement], before: dict) -> tuple:
    """Exécute ce qu'il faut, erreurs gardées ; dit si le juge est resté ce qu'il était."""
    errors = []
    for one in statements:
        try:
            exec(one.code, vars(module))
        except MemoryError:
            raise
        except Exception as error:
            where = f"cellule {one.cell}, ligne {one.node.lineno}"
            errors.append(f"l'erreur {type(error).__name__} ({where})")
    return errors, is_intact(before)


def guarded(exercise: Exercise, answer: Callable, seed: int, before: dict) -> tuple[Report, bool]:
    """Juge, et dit si le juge est resté intact, avant qu'il ne remette lui-même ses noms.

    Une propriété de plus, la dernière, le regarde quand vient le tour de la réponse. Elle ne compte
    pas : ce qu'elle rend ne ressemble à rien, et son verdict est ôté.
    """
    turns, intact = count(), []

    def view(_answer: Callable) -> int | None:
        if next(turns) != 1:  # d'abord la référence, puis la réponse, puis les erreurs connues
            return 0
        intact.append(is_intact(before))
        return None

    more = copy.copy(exercise)
    more.properties = (*exercise.properties, Property("", [()], "", view))
    report = judge(more, answer, seed)
    verdicts = [*report.verdicts]
    if verdicts:
        verdicts.pop(len(exercise.properties))
    return Report(report.name, tuple(verdicts), report.note), all(intact)


# Le parent, qui mesure et qui arrête


def judged_apart(order: dict, name: str) -> dict:
    """Rend ce que dit d'un exercice un enfant, que rien ne laisse vivre après."""
    token = secrets.token_hex(16).encode()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        child(order, name, writing, token)
    os.close(writing)
    os.set_blocking(reading, False)
    heard, stopped, status = watched(pid, reading, order["seconds"])
    os.close(reading)
    told = concluded(name, heard, token, stopped, status)
    sweep()
    return told


def watched(pid: int, pipe: int, seconds: float) -> tuple[bytes, str, int]:
    """Rend ce que l'enfant a écrit, ce pour quoi on l'arrête, et son code s'il a fini."""
    start, heard, stopped, done, status = monotonic(), b"", "", 0, 0
    while not done and not stopped:
        sleep(TICK)
        done, status = os.waitpid(pid, os.WNOHANG)
        heard += drained(pipe)
        stopped = excess(monotonic() - start, seconds, len(heard))
    if not done:
        sweep()
        _, status = os.waitpid(pid, 0)
    return heard + drained(pipe), stopped, status


def drained(pipe: int) -> bytes:
    """Rend ce qui attend dans un tuyau."""
    with suppress(BlockingIOError):
        return os.read(pipe, 2 * LONGEST)
    return b""


def excess(passed: float, seconds: float, length: int) -> str:
    """Rend ce que l'exercice a pris de trop, s'il l'a fait."""
    spent = [*map(consumed, others())]
    computed, memory = (sum(one) for one in zip(*spent, (0, 0), strict=True))
    if length > LONGEST:
        return WRITES
    if memory > ROOM:
        return MEMORY
    return LOOP if passed > PATIENCE * seconds or computed > seconds else ""


def others() -> list[Path]:
    """Rend les autres processus du bac, hormis le premier, qui n'est pas d'ici."""
    mine = {"1", str(os.getpid())}
    return [one for one in Path("/proc").glob("[0-9]*") if one.name not in mine]


def consumed(process: Path) -> tuple[float, int]:
    """Rend les secondes qu'un processus a calculées, et les octets qui ne sont qu'à lui."""
    try:
        times = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        lines = dict(x.split(":", 1) for x in (process / "status").read_text().splitlines())
    except (OSError, ValueError):  # il vient de finir
        return 0, 0
    held = sum(int(lines.get(key, "0").split()[0]) for key in ("RssAnon", "RssShmem"))
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), held * 1024


def sweep() -> None:
    """Tue tout ce que l'exercice a laissé, et vide ce qu'il a écrit."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(-1, signal.SIGKILL)
    for folder in (SCRATCH, Path("/dev/shm")):
        for one in folder.iterdir():
            shutil.rmtree(one, ignore_errors=True) if one.is_dir() else one.unlink()


def concluded(name: str, heard: bytes, token: bytes, stopped: str, status: int) -> dict:
    """Rend ce que l'on retient d'un exercice : ses verdicts, ou pourquoi il n'y en a pas."""
    lines = heard.split(b"\n")[:-1]
    if lines and not all(line.startswith(token) for line in lines):
        return {"name": name, "verdicts": [], "note": "", "remarks": [READ_AGAIN]}
    told = [json.loads(line[len(token) :]) for line in lines]
    remarks = [one for one in told if isinstance(one, str)]
    report = next((one for one in told if isinstance(one, dict)), {"report": [], "note": ""})
    if stopped:
        remarks.append(stopped)
    elif not report["report"] and not report["note"]:
        remarks.append(LEAVES if os.WIFEXITED(status) else f"plante Python (signal {status & 127})")
    remarks += recognised(report)
    if "panne" in report["note"]:
        remarks.append(report["note"])
    if wrote_much():
        remarks.append(WRITES)
    if any(one.startswith(f"{TOUCHES} (") for one in remarks):  # la cellule est connue
        remarks = [one for one in remarks if one != READ_AGAIN]
    note = report["note"] or ("" if report["report"] else remarks[-1])
    return {
        "name": name,
        "verdicts": report["report"],
        "note": note,
        "remarks": [*dict.fromkeys(remarks)],
    }


def recognised(report: dict) -> Iterator[str]:
    """Rend ce que le compte rendu laisse voir."""
    if "boucle sans fin" in report["note"]:
        yield LOOP
    if "mémoire" in report["note"]:
        yield MEMORY
    verdicts = [Verdict(*one) for one in report["report"]]
    if any("l'erreur SystemExit" in one.came for one in verdicts):
        yield LEAVES
    if any("[Errno 27]" in one.came or "[Errno 28]" in one.came for one in verdicts):
        yield WRITES


def wrote_much() -> bool:
    """Dit si un fichier a atteint la taille permise, ou s'il ne reste plus de place."""
    files = [one for one in SCRATCH.rglob("*") if one.is_file() and not one.is_symlink()]
    return any(one.stat().st_size >= FILE for one in files) or not os.statvfs(SCRATCH).f_bavail


def main() -> None:
    """Juge, l'un après l'autre, les exercices que l'on demande ; ailleurs, `sweep` tuerait tout."""
    if not SCRATCH.is_mount():
        sys.exit("juge.py ne s'exécute que dans le bac à sable.")
    order = json.load(sys.stdin)
    CDLL(None).prctl(*NOT_DUMPABLE)
    torch.set_num_threads(1)
    for name in order["names"]:
        print(json.dumps({"begins": name}), flush=True)
        print(json.dumps(judged_apart(order, name)), flush=True)


if __name__ == "__main__":
    main()
