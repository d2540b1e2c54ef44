"""Le code, les sources des carnets et les carnets suivent ruff ; les types du cœur, mypy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [["check"], ["format", "--check", "--diff"]]


def ruff(*arguments, folder=ROOT, tool="ruff"):
    command = [sys.executable, "-m", tool, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def mypy(*arguments, folder=ROOT):
    return ruff(*arguments, folder=folder, tool="mypy")


@pytest.mark.parametrize("command", COMMANDS, ids=["check", "format"])
def test_the_tree_is_clean(command):
    run = ruff(*command)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_kind_of_file_is_checked():
    files = [Path(line) for line in ruff("check", "--show-files").stdout.splitlines()]
    names = {path.relative_to(ROOT).as_posix() for path in files}
    for pattern in ("*.py", "cartpole_helpers/**/*.py", "tests/**/*.py", "notebooks/**/*.py"):
        assert {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)} <= names
    notebooks = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb")]
    assert notebooks
    assert set(notebooks) <= names


@pytest.mark.parametrize("command", COMMANDS, ids=["check", "format"])
def test_a_faulty_file_is_refused(command, tmp_path):
    (tmp_path / "faulty.py").write_text("import os\nx = {'a' : 1}\n")
    assert ruff(*command, "--isolated", folder=tmp_path).returncode == 1


def test_the_types_of_the_core_are_true():
    run = mypy()
    assert run.returncode == 0, run.stdout + run.stderr
    modules = list(ROOT.glob("cartpole_helpers/*.py"))
    assert f"no issues found in {len(modules)} source files" in run.stdout


def test_a_false_type_is_refused(tmp_path):
    """Même dans une fonction sans annotation, que mypy ne lirait pas de lui-même."""
    (tmp_path / "faulty.py").write_text("def faulty():\n    return 1 + 'a'\n")
    run = mypy("--config-file", ROOT / "pyproject.toml", "faulty.py", folder=tmp_path)
    assert run.returncode == 1
    assert "faulty.py:2: error:" in run.stdout
