"""Ce que plusieurs fichiers de tests partagent."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import torch

LONG = {  # les fichiers, ou les dossiers, dont les tests durent plus que quelques secondes
    *("browser", "figures", "truth"),
    *("test_solutions", "test_catalogue", "test_french", "test_build", "test_notebooks"),
    *("test_processor", "test_laboratory", "test_listing"),
    *("test_physics_mjs", "test_dqn_mjs", "test_checkup_mjs"),
    *("test_studies_engine", "test_network", "test_noter", "test_package", "test_diapos"),
    *("test_panel", "test_video", "test_explorer", "test_player", "test_sandbox", "test_capstone"),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marque les tests du cœur dont le fichier emploie NumPy : ils comparent des nombres.

    Et comme rapides ceux de tests/ dont ni le fichier ni le dossier n'est dans `LONG`.
    """
    for item in items:
        core = item.path.parent.name == "tests"
        if core and hasattr(getattr(item, "module", None), "np"):
            item.add_marker("nombres")
        if "tests" in item.path.parts and not {item.path.stem, item.path.parent.name} & LONG:
            item.add_marker("rapide")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Le moteur ne promet l'égalité au bit près que sur un fil ; de petits calculs y gagnent."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def require() -> Callable[[str, object], None]:
    """`require("chromium", présent)` : sans lui, échec en intégration continue, saut ailleurs."""

    def check(tool: str, present: object) -> None:
        if present:
            return
        if os.environ.get("CI"):
            pytest.fail(f"{tool} manque, alors que l'intégration continue doit l'installer.")
        pytest.skip(f"{tool} n'est pas installé sur cette machine.")

    return check


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """`start("programme", "argument", cwd=...)` : un programme, que la fin du test arrêtera."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    with ExitStack() as stack:

        def started(*command: str, **options) -> subprocess.Popen:
            process = stack.enter_context(subprocess.Popen(command, **pipes, **options))
            stack.callback(process.kill)
            return process

        yield started
