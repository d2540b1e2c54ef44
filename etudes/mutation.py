"""Que voient les tests ? On change une expression du code, et l'on regarde si l'un d'eux échoue.

    .venv/bin/python etudes/mutation.py avant [module ...]

Chaque module de `TESTS` a ses mutants, ceux que fait `mutmut` : un opérateur, un nombre, un
argument, un texte changé. On en tire `DRAWN`, ceux dont l'empreinte (la fonction, l'expression
d'avant, celle d'après) est la plus petite : tant qu'une ligne ne change pas, ses mutants sont tirés
ou ne le sont pas, d'un moment à l'autre. Un mutant est tué si l'un des tests échoue, ou s'ils
dépassent `PATIENCE` fois leur temps de processeur. Ceux du module passent tous (`siens`) ; s'il
leur survit, d'autres le jugent, ceux qui passent par sa ligne, du plus court au plus long, `BUDGET`
secondes en tout. Un survivant peut ne rien changer à ce que le code fait ; on le compte quand même.
L'intervalle, à 95 %, est celui de Clopper et Pearson.

`avant` : le commit où les tests étaient deux fois plus longs ; `après` : le commit présent. Les
lignes de ce moment sont refaites dans mutation.csv ; les mutants qui survivent s'affichent.
"""

import gc
import hashlib
import importlib
import io
import math
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from difflib import unified_diff
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import coverage
import libcst
import pytest
from mutmut.mutation.file_mutation import MutationVisitor, deep_replace
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

from cartpole_helpers import exact_interval
from cartpole_helpers.tables import read_table, write_study

ROOT = Path(__file__).parents[1]
MOMENTS = {"avant": "7173ad2", "après": "HEAD"}
DRAWN, PATIENCE, BUDGET = 60, 2, 5
MEMORY, LATE = 8 << 30, -1
SURVIVES = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
NAMES = ("moment", "commit", "module")
HEADER = (*NAMES, "mutants", "tires", "siens", "tues", "delais", "bas", "haut")
TESTS = {
    "dqn": "test_dqn",
    "replay": "test_replay | test_checkpoints",
    "training": "test_training | test_checkpoints | test_open_engine test_evaluation",
    "statistics": "test_statistics",
    "checks": "test_checks | test_statistics test_config test_replay test_environments",
    "checkpoints": "test_checkpoints",
    "networks": "test_networks",
    "environments": "test_environments | test_checkpoints | test_open_engine test_evaluation",
    "agent": "test_agent",
    "evaluation": "test_evaluation",
    "solving": "test_solving",
    "config": "test_config",
    "seeds": "test_seeds | test_checkpoints",
    "cartpole": "test_cartpole | test_checkpoints",
    "policies": "test_policies",
    "history": "test_history",
    "files": "test_files",
    "tables": "test_tables",
    "teaching/clinic/diagnosis": "teaching/clinic/test_diagnosis",
}
"""Le module → ses fichiers de tests | d'autres, qui jugent ce que les siens ont laissé passer."""


class Mutant(NamedTuple):
    """Un mutant : le code du module, ce qu'il y change, les lignes touchées."""

    code: str
    diff: str
    lines: range


class Score(NamedTuple):
    """Ce que valent les tests d'un module ; `left` : les mutants tirés, puis ceux qui survivent à
    chaque étape."""

    mutants: int
    late: int
    left: list[list[Mutant]]

    def row(self) -> tuple:
        """Rend les colonnes de mutation.csv, de `mutants` à `haut`."""
        drawn, own, *_ = sizes = [len(mutants) for mutants in self.left]
        killed = drawn - sizes[-1]
        low, high = exact_interval(killed, drawn)
        return self.mutants, drawn, drawn - own, killed, self.late, f"{low:.3f}", f"{high:.3f}"


def main(moment: str, *modules: str) -> None:
    """Mesure les modules nommés, ou tous ; récrit leurs lignes après chacun."""
    table = Path(__file__).with_suffix(".csv")
    rows = [*zip(*read_table(table).values(), strict=True)] if table.exists() else []
    name = git("rev-parse", "--short", MOMENTS[moment]).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(git("archive", name))) as code:
            code.extractall(folder, filter="data")
        for module in modules or TESTS:
            score = measure(Path(folder), module, TESTS[module])
            row = moment, name, module, *score.row()
            rows = [old for old in rows if (old[0], old[2]) != (moment, module)] + [row]
            write_study(__file__, HEADER, rows)
            print(*row, *(mutant.diff for mutant in score.left[-1]), sep="\n", flush=True)


def git(*arguments: str) -> bytes:
    """Rend ce que répond git."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def measure(copy: Path, module: str, tests: str, count: int = DRAWN) -> Score:
    """Rend ce que valent les `tests` d'un module, dans `copy`, que l'on abîme."""
    path = copy / "cartpole_helpers" / f"{module}.py"
    original = path.read_text("utf-8")
    possible, drawn = draw(original, count)
    late, left = 0, [drawn]
    for rank, stage in enumerate(tests.split("|")):
        budget = BUDGET if rank else math.inf
        files = [f"tests/{name}.py" for name in stage.split()]
        slow, survivors = sieve(copy, path, files, left[-1], budget)
        path.write_text(original, "utf-8")
        late, left = late + slow, [*left, survivors]
    return Score(possible, late, left)


def sieve(
    copy: Path, path: Path, files: list[str], mutants: list[Mutant], budget: float
) -> tuple[int, list[Mutant]]:
    """Rend combien de mutants n'en finissent pas, et ceux qui survivent aux tests de `files`."""
    warm_up(copy, path, files)
    seen, limit = observed(copy, path, files)
    late, survivors = 0, []
    for mutant in mutants:
        path.write_text(mutant.code, "utf-8")
        costs = {test: cost for line in mutant.lines for test, cost in seen.get(line, ())}
        first = First(costs, budget)
        verdict = forked(lambda first=first: tested(copy, files, first), limit)
        late += verdict == LATE
        survivors += [mutant] * (verdict in SURVIVES)
        print(
            ".!s"[2 * (verdict in SURVIVES) or verdict == LATE], end="", file=sys.stderr, flush=True
        )
    return late, survivors


def warm_up(copy: Path, path: Path, files: list[str]) -> None:
    """Charge ici ce que les tests importent, hors du paquet : un mutant ne coûte qu'un `fork`."""
    sys.dont_write_bytecode = False

    def collected() -> list[str]:
        tested(copy, ["--collect-only", *files], First({}))
        loaded = [*sys.modules.items()]
        return [name for name, module in loaded if not is_ours(copy, module)]

    for name in forked(collected, 3_600):
        with suppress(Exception):
            importlib.import_module(name)
    for old in path.parent.glob(f"__pycache__/{path.stem}.*"):
        old.unlink()  # il dirait le code d'avant
    sys.dont_write_bytecode = True
    gc.freeze()  # rien de ce qui est chargé ici n'est à ramasser dans un fils


def is_ours(copy: Path, module: object) -> bool:
    """Dit si un module est du paquet, ou des tests."""
    return str(getattr(module, "__file__", None)).startswith(str(copy))


def observed(copy: Path, path: Path, files: list[str]) -> tuple[dict[int, list[tuple]], float]:
    """Rend la ligne → ses tests et ce qu'ils coûtent, puis le temps laissé à un mutant."""

    def watched() -> tuple:
        watch = Watch(path)
        return tested(copy, files, watch), watch.failed, watch.lines(), process_seconds()

    answer = forked(watched, 3_600)
    if not isinstance(answer, tuple) or answer[0] != pytest.ExitCode.OK:
        sys.exit(f"Sans mutant, les tests de {path.stem} échouent : {answer}")
    return answer[2], 5 + PATIENCE * answer[3]


# Les mutants


def draw(code: str, count: int) -> tuple[int, list[Mutant]]:
    """Rend combien de mutants a le code, et les `count` que l'on tire."""
    wrapper = libcst.MetadataWrapper(libcst.parse_module(code))
    visitor = MutationVisitor(mutation_operators, IgnoredCode(set(), set(), set()))
    wrapper.visit(visitor)
    prints, alike = [], Counter()
    for mutation in visitor.mutations:
        outer = getattr(mutation.contained_by_top_level_function, "name", None)
        change = (
            outer and outer.value,
            wrapper.module.code_for_node(mutation.original_node),
            wrapper.module.code_for_node(mutation.mutated_node),
        )
        alike[change] += 1
        prints.append(hashlib.sha256(repr((change, alike[change])).encode()).hexdigest())
    positions = wrapper.resolve(libcst.metadata.PositionProvider)
    drawn = []
    for rank in sorted(range(len(prints)), key=prints.__getitem__):
        mutation = visitor.mutations[rank]
        tree = deep_replace(wrapper.module, mutation.original_node, mutation.mutated_node)
        if is_valid(tree.code) and tree.code != code:
            place = positions[mutation.original_node]
            lines = range(place.start.line, place.end.line + 1)
            drawn.append(Mutant(tree.code, difference(code, tree.code), lines))
        if len(drawn) == count:
            break
    return len(prints), drawn


def is_valid(code: str) -> bool:
    """Dit si Python sait lire ce code."""
    with suppress(SyntaxError):
        return bool(compile(code, "mutant", "exec"))
    return False


def difference(before: str, after: str) -> str:
    """Rend les lignes changées, sans leurs voisines."""
    return "\n".join([*unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")][2:])


# Les tests


class First:
    """Un module d'extension de pytest : les tests nommés d'abord, du plus court au plus long, puis
    tous les autres ; ou rien que les premiers, tant qu'ils tiennent dans `budget`."""

    def __init__(self, costs: dict[str, float], budget: float = math.inf):
        self.costs, self.budget = costs, budget

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Range les tests, et en garde."""
        items.sort(key=lambda item: self.costs.get(item.nodeid, math.inf))
        spent = accumulate(self.costs.get(item.nodeid, math.inf) for item in items)
        items[:] = [item for item, total in zip(items, spent, strict=True) if total <= self.budget]


class Watch:
    """Un module d'extension de pytest : quel test passe par quelle ligne, et ce qu'il dure."""

    def __init__(self, path: Path):
        self.path, self.seconds, self.failed = str(path), {}, []
        self.watcher = coverage.Coverage(data_file=None, include=[self.path])
        self.watcher.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """Suit un test."""
        self.watcher.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - start
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note un échec."""
        self.failed += [report.nodeid] * report.failed

    def lines(self) -> dict[int, list[tuple]]:
        """Rend la ligne → les tests qui y passent, et leurs secondes."""
        self.watcher.stop()
        seen = self.watcher.get_data().contexts_by_lineno(self.path)
        return {
            line: [(test, self.seconds[test]) for test in tests if test in self.seconds]
            for line, tests in seen.items()
        }


def tested(copy: Path, files: list[str], plugin: object) -> int:
    """Lance les tests de `copy`, dans ce processus, et rend le code de pytest."""
    for name in [name for name in sys.modules if name.split(".")[0] == "cartpole_helpers"]:
        del sys.modules[name]
    os.chdir(copy)
    sys.path[:0] = [str(copy)]
    os.environ.update(
        PYTHONPATH=str(copy),
        PYTHONDONTWRITEBYTECODE="1" if sys.dont_write_bytecode else "",
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    stop = [] if isinstance(plugin, Watch) else ["-x"]
    options = ["-q", "-o", "addopts=", "-p", "no:cacheprovider", f"--basetemp={copy}.tmp", *stop]
    return pytest.main([*options, *files], plugins=[plugin])


def process_seconds() -> float:
    """Rend le temps de processeur de ce processus et de ceux qu'il a lancés."""
    return sum(os.times()[:4])


def forked(task: Callable[[], object], limit: float) -> object:
    """Rend ce que rend `task` dans un processus fils et muet ; `LATE`, passé `limit` secondes de
    processeur, ou dix fois plus d'horloge ; `None`, s'il meurt autrement."""
    import resource  # il n'existe que sous Unix, comme `fork`

    with tempfile.TemporaryFile() as answer:
        child = os.fork()
        if not child:
            with suppress(BaseException):
                os.setsid()
                silence = os.open(os.devnull, os.O_RDWR)
                [os.dup2(silence, stream) for stream in range(3)]
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                pickle.dump(task(), answer)
                answer.flush()
            os._exit(0)
        status = waited(child, time.monotonic() + 10 * limit)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # ce qu'un mutant aurait laissé tourner
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
            return LATE
        answer.seek(0)
        data = answer.read()
        return pickle.loads(data) if data else None


def waited(child: int, end: float) -> int:
    """Attend la fin du fils, qu'on achève si elle tarde ; rend son état."""
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            return os.waitpid(child, 0)[1]
        time.sleep(0.02)
    return ended[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
