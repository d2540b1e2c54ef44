"""Le lanceur : ce qu'il installe, quand il s'en abstient, et les phrases de ses échecs."""

import errno
import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = ROOT / "lancer.py"
PLENTY = 10**12  # octets libres


def load(path):
    spec = importlib.util.spec_from_file_location("lancer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def launcher(tmp_path):
    """Le lanceur d'un dépôt factice : rien de ce qu'il fait n'atteint le vrai."""
    for name in ("lancer.py", "pyproject.toml", *(path.name for path in ROOT.glob("require*.txt"))):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return load(tmp_path / "lancer.py")


@pytest.fixture
def installed(launcher, monkeypatch):
    """Le même, qui note les commandes d'installation au lieu de les exécuter."""
    launcher.VENV.mkdir()
    commands = []
    monkeypatch.setattr(launcher, "run_logged", lambda *command: commands.append(command))
    monkeypatch.setattr(launcher, "missing", list)
    launcher.commands = commands
    return launcher


def call(*arguments):
    environment = dict(os.environ, PYTHONIOENCODING="cp1252")  # la console d'un vieux Windows
    command = [sys.executable, LAUNCHER, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)


def raising(failure):
    def fail(*_):
        raise failure

    return fail


def test_a_second_start_installs_nothing_and_the_development_set_counts_as_the_readers(installed):
    for requirements in (installed.READER, installed.READER, installed.DEV, installed.READER):
        installed.set_up(requirements)
    assert [command[-1] for command in installed.commands] == [installed.READER, installed.DEV]
    assert {command[0] for command in installed.commands} == {str(installed.PYTHON)}
    overrides = installed.VENV / "share/jupyter/lab/settings/overrides.json"
    assert '"locale": "fr_FR"' in overrides.read_text("utf-8")


def test_a_changed_file_another_python_or_a_moved_folder_breaks_the_seal(
    installed, monkeypatch, tmp_path
):
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        installed.set_up(installed.DEV)
        (installed.ROOT / name).write_text("\n")
        assert not installed.is_installed(installed.DEV)
        assert installed.is_installed(installed.READER) == (name == "requirements-dev.txt")
    installed.set_up(installed.DEV)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 99, 0))
        assert not installed.is_installed(installed.DEV)
    moved = load(tmp_path.rename(tmp_path.with_name("ailleurs")) / "lancer.py")
    assert moved.seal(moved.DEV).exists()
    assert not moved.is_installed(moved.DEV)


def test_an_interrupted_installation_leaves_no_seal(installed, monkeypatch):
    installed.set_up(installed.DEV)
    (installed.ROOT / "requirements-dev.txt").write_text("\n")
    monkeypatch.setattr(installed, "run_logged", raising(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        installed.set_up(installed.DEV)
    assert not installed.is_installed(installed.READER)
    assert not installed.is_installed(installed.DEV)


posix = pytest.mark.skipif(os.name == "nt", reason="Le faux Python est un script du shell.")


def test_the_packages_that_vanished_are_named_with_their_version(launcher, monkeypatch):
    monkeypatch.setattr(launcher, "PYTHON", Path(sys.executable))
    monkeypatch.chdir(ROOT / "cartpole_helpers")  # un module d'ici n'en cache aucun de Python
    assert launcher.missing() == []
    with (launcher.ROOT / "requirements.txt").open("a", encoding="utf-8") as file:
        file.write("\ndisparu-un[extra]==1.0\ndisparu==2\n")
    assert launcher.missing() == ["disparu-un==1.0", "disparu==2"]


def test_vanished_packages_are_put_back_and_nothing_else(installed, monkeypatch):
    installed.set_up(installed.READER)
    installed.commands.clear()
    monkeypatch.setattr(installed, "missing", lambda: ["torch==2.13.0"])
    installed.set_up(installed.READER)
    (command,) = installed.commands
    assert command[-3:] == ("--force-reinstall", "--no-deps", "torch==2.13.0")


@posix
def test_a_python_that_does_not_answer_is_put_back_and_nothing_is_erased(launcher, monkeypatch):
    commands = []
    monkeypatch.setattr(launcher, "run_logged", lambda *command: commands.append(command))
    monkeypatch.setattr(launcher, "PATIENCE", 0.1)
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.write_text("#!/bin/sh\nexec sleep 9\n")
    launcher.PYTHON.chmod(0o755)
    with pytest.raises(SystemExit, match=r"ne répond pas : supprimez le dossier \.venv"):
        launcher.set_up(launcher.READER)
    assert commands == [(sys.executable, "-m", "venv", str(launcher.VENV))]
    assert launcher.PYTHON.exists()


RETRIES = (
    "WARNING: Retrying (Retry(total={}, connect=None, read=None)) after connection broken by "
    "'NewConnectionError('Failed to establish a new connection: [Errno -3]')': /simple/torch/\n"
)
NO_TORCH = (
    "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 "
    "(from versions: {})\nERROR: No matching distribution found for torch==2.13.0\n"
)
IGNORED = "WARNING: Location 'file:///var/paquets/torch/' is ignored: it is not a file.\n"
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"

CAUSES = {
    RETRIES.format(0) + NO_TORCH.format("none"): "Le réseau ne répond pas",
    NO_TORCH.format("2.2.0, 2.2.1, 2.2.2"): "PyTorch n'existe pas",  # un Mac à puce Intel
    RETRIES.format(4) + NO_TORCH.format("none"): "PyTorch n'existe pas",  # le réseau est revenu
    IGNORED + FULL: "Le disque est plein",
    "/usr/bin/python3: No module named venv\n": "sudo apt install python3-venv",
}


def test_a_cause_is_told_with_its_cure(launcher):
    for log, sentence in CAUSES.items():
        assert sentence in launcher.diagnose(log, PLENTY), log
    full = launcher.diagnose("Error: Command '-m ensurepip' failed.\n", 0)
    assert full == launcher.DISK_FULL  # un disque plein peut ne laisser aucun message
    told = launcher.diagnose(IGNORED + "ERROR: Gare.\n" + IGNORED, PLENTY)
    assert "(ERROR: Gare.)" in told
    assert str(launcher.LOG) in told


def test_a_failed_step_leaves_its_log_and_stops(launcher):
    launcher.VENV.mkdir()
    program = "print('ERROR: Gare.'); raise SystemExit(3)"
    with pytest.raises(SystemExit, match="Gare"):
        launcher.run_logged(sys.executable, "-c", program)
    assert launcher.LOG.read_text("utf-8") == "ERROR: Gare.\n"


def test_only_the_pythons_that_our_packages_know_are_accepted(launcher):
    for version in [(3, 11, 0), (3, 13, 9)]:
        launcher.check_python(version)
    for version, fault in [((3, 10, 13), "ancien"), ((3, 14, 0), "récent")]:
        with pytest.raises(SystemExit, match=rf"Python 3\.\d+ est trop {fault} : installez Python"):
            launcher.check_python(version)


def test_a_busy_or_impossible_port_is_refused_before_anything_starts(launcher):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = call("--sans-navigateur", "--port", str(port))
    told = f"Le port {port} est pris ou réservé : donnez-en un autre, ou aucun.\n"
    assert (ended.returncode, ended.stderr, ended.stdout) == (1, told, "")
    assert launcher.check_port(str(port)) == port  # libre à présent
    for wish in ("0", "65536", "abc", "²"):
        with pytest.raises(SystemExit, match="donnez un nombre de 1 à 65535"):
            launcher.check_port(wish)


def test_the_server_is_private_and_opens_on_the_first_notebook(launcher):
    quiet, shown = (launcher.server_command(8888, browser=browser) for browser in (False, True))
    assert {"--ip=127.0.0.1", f"--ServerApp.root_dir={launcher.ROOT}"} <= {*shown}
    assert ("--no-browser" in quiet, "--no-browser" in shown) == (True, False)
    assert "--LabApp.default_url=/lab/tree/notebooks/00_prise_en_main.ipynb" in shown
    assert (ROOT / "notebooks" / "00_prise_en_main.ipynb").exists()


def test_the_address_is_announced_with_its_token_and_only_errors_are_shown(launcher, capsys):
    address = "http://127.0.0.1:41234/lab/tree/notebooks/00_prise_en_main.ipynb"
    launcher.relay(f"[I 2026-01-01 ServerApp] {address}?token=...\n", "secret")
    assert f"{address}?token=secret\n" in capsys.readouterr().out
    for line, shown in {
        "[I 2026-01-01 00:00:00.000 ServerApp] Saving file at /x.ipynb\n": False,
        "[W 2026-01-01 00:00:00.000 ServerApp] 404 GET /api/contents\n": False,
        "[E 2026-01-01 00:00:00.000 ServerApp] Uncaught exception\n": True,
        "Traceback (most recent call last):\n": True,
    }.items():
        launcher.relay(line, "secret")
        assert capsys.readouterr() == ("", line if shown else "")


def test_options_go_on_to_the_tool_and_its_code_comes_back(installed, monkeypatch):
    assert not installed.main(["preparer"])
    assert installed.is_installed(installed.READER)
    assert not installed.is_installed(installed.DEV)
    seen = []
    monkeypatch.setattr(installed, "run", lambda command: seen.append(command[1:]) or 5)
    assert [installed.main(["tests", "-k", "nom"]), installed.main(["carnets", "--tout"])] == [5, 5]
    parallel = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    assert seen == [["-m", "pytest", *parallel, "-k", "nom"], ["notebooks/build.py", "--tout"]]
    assert installed.is_installed(installed.DEV)


def test_the_site_is_built_with_what_it_needs(installed, monkeypatch):
    seen = []
    monkeypatch.setattr(installed, "run", lambda command: seen.append(command[1:]) or 5)
    assert installed.main(["site"]) == 5
    assert seen == [["site/build.py"]]
    assert installed.is_installed(installed.SITE)
    assert (ROOT / "site" / "build.py").exists()


def test_children_compute_on_one_thread_and_keep_memory_unless_told(launcher, monkeypatch):
    """Sans cela, les tableaux de soixante-quatre agents seraient redemandés à chaque tour."""
    names = ("OMP_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
    program = f"import os, sys; print(sys.flags.utf8_mode, *map(os.environ.get, {names}), 'é')"
    lines = []
    for given in (None, "4"):
        for name in names:
            monkeypatch.setenv(name, given) if given else monkeypatch.delenv(name, raising=False)
        assert launcher.run([sys.executable, "-c", program], lines.append) == 0
    assert lines == [f"1 1 {1 << 25} {1 << 28} é\n", "1 4 4 4 é\n"]


@posix
def test_a_signal_to_the_launcher_alone_stops_what_it_runs(launcher, tmp_path):
    """Le serveur ne reçoit pas le Ctrl-C : c'est au lanceur de l'arrêter."""
    began = tmp_path / "parti"
    child = f"import pathlib, time; pathlib.Path({str(began)!r}).touch(); time.sleep(600)"
    # Un programme lancé en arrière-plan hérite d'un Ctrl-C ignoré : on le rend à celui-ci.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}; import sys, lancer; lancer.run([sys.executable, '-c', {child!r}])"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while not began.exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0


def test_what_stops_it_is_told_in_one_sentence(installed, monkeypatch, capsys):
    for failure, told in [
        (OSError(errno.ENOSPC, "No space left on device"), "Le disque est plein"),
        (PermissionError(errno.EACCES, "Permission denied"), "Le système refuse"),
    ]:
        monkeypatch.setattr(installed, "run_logged", raising(failure))
        assert told in installed.outcome(["preparer"])
    monkeypatch.setattr(installed, "run_logged", raising(KeyboardInterrupt))
    assert installed.outcome(["preparer"]) == 130
    assert "relancez la même commande pour reprendre" in capsys.readouterr().err


def test_every_requirement_is_pinned():
    pinned = re.compile(r"|#.*|-e \.|-r requirements\.txt|[\w-]+(\[[\w-]+\])?==[\w.]+")
    for kind in ("", "-dev", "-jeux", "-site"):
        for line in (ROOT / f"requirements{kind}.txt").read_text("utf-8").splitlines():
            assert pinned.fullmatch(line), line


GROUPS = {
    "requirements.txt": ["carnets"],
    "requirements-dev.txt": ["tests"],
    "requirements-etudes.txt": ["etudes"],
    "requirements-jeux.txt": ["jeux"],
}
"""Les groupes de pyproject.toml dont chaque fichier fige les versions, outre ce qu'il inclut."""


def asked_for(project, group):
    """Rend, par nom, ce que demande un groupe, ceux qu'il cite compris."""
    asked = {}
    for one in map(Requirement, project["optional-dependencies"][group]):
        if one.name == project["name"]:
            for extra in one.extras:
                asked |= asked_for(project, extra)
        else:
            asked[canonicalize_name(one.name)] = one
    return asked


def pinned_by(file):
    """Rend la version figée de chaque bibliothèque, celles des fichiers inclus comprises."""
    found = {}
    for line in (ROOT / file).read_text("utf-8").splitlines():
        if included := re.match("-r (.*)", line):
            found |= pinned_by(included[1])
        elif pin := re.match(r"([\w-]+)[^=#]*==(\S+)", line):
            found[canonicalize_name(pin[1])] = pin[2]
    return found


def test_the_package_asks_for_what_the_pins_give():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    core = {canonicalize_name(one.name): one for one in map(Requirement, project["dependencies"])}
    for file, groups in GROUPS.items():
        asked, pins = dict(core), pinned_by(file)
        for group in [*groups, "carnets"]:
            asked |= asked_for(project, group)
        assert asked.keys() == pins.keys(), file
        assert all(one.specifier.contains(pins[name]) for name, one in asked.items()), file
