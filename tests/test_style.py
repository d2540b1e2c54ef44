"""Le code, les sources des carnets et les carnets suivent ruff ; les types du cœur, mypy."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments, folder=ROOT):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_tree_is_clean():
    for command in (["check"], ["format", "--check", "--diff"]):
        done = run("ruff", *command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_of_file_is_checked():
    files = {Path(line) for line in run("ruff", "check", "--show-files").stdout.splitlines()}
    folders = ("cartpole_helpers/**/*.py", "tests/**/*.py", "notebooks/**/*.py")
    for pattern in ("*.py", *folders, "notebooks/*.ipynb"):
        assert {*ROOT.glob(pattern)} <= files, pattern


def test_the_types_of_the_core_are_true():
    done = run("mypy")
    assert done.returncode == 0, done.stdout + done.stderr
    modules = list(ROOT.glob("cartpole_helpers/*.py"))
    assert f"no issues found in {len(modules)} source files" in done.stdout


def test_a_false_type_is_refused(tmp_path):
    """Même dans une fonction sans annotation, que mypy ne lirait pas de lui-même."""
    (tmp_path / "faulty.py").write_text("def faulty():\n    return 1 + 'a'\n")
    done = run("mypy", "--config-file", ROOT / "pyproject.toml", "faulty.py", folder=tmp_path)
    assert "faulty.py:2: error:" in done.stdout
