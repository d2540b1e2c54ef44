"""Le code, les sources des carnets et les carnets suivent ruff ; les types du cœur, mypy."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def ruff(*arguments, folder=ROOT, tool="ruff"):
    command = [sys.executable, "-m", tool, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def mypy(*arguments, folder=ROOT):
    return ruff(*arguments, folder=folder, tool="mypy")


def test_the_tree_is_clean():
    for command in (["check"], ["format", "--check", "--diff"]):
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
