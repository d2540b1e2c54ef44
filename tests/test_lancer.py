"""Le lanceur : ce qu'il installe, quand il s'en abstient, et les phrases de ses échecs."""

import errno
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = ROOT / "lancer.py"
PLENTY = 10**12  # octets libres
DECIDING = ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")


def load(path):
    spec = importlib.util.spec_from_file_location("lancer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def launcher(tmp_path):
    """Le lanceur d'un dépôt factice : rien de ce qu'il fait n'atteint le vrai."""
    shutil.copytree(ROOT / "jupyter", tmp_path / "jupyter")
    others = ("requirements-site.txt", "requirements-classe.txt")
    for name in ("lancer.py", *others, *DECIDING):
        shutil.copy(ROOT / name, tmp_path)
    return load(tmp_path / "lancer.py")


@pytest.fixture
def installed(launcher, monkeypatch):
    """Le même, qui note les commandes d'installation au lieu de les exécuter."""
    launcher.VENV.mkdir()
    commands = []
    monkeypatch.setattr(launcher, "run_logged", lambda *one, **_: commands.append(one) or True)
    monkeypatch.setattr(launcher, "missing", list)
    launcher.commands = commands
    return launcher


def call(*arguments):
    environment = dict(os.environ, PYTHONIOENCODING="cp1252")  # la console d'un vieux Windows
    command = [sys.executable, LAUNCHER, *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)


def raising(failure):
    def fail(*_, **__):
        raise failure

    return fail


def test_a_second_start_installs_nothing_and_the_development_set_counts_as_the_readers(installed):
    for requirements in (installed.READER, installed.READER, installed.DEV, installed.READER):
        installed.set_up(requirements)
    asked = [command[-4:] for command in installed.commands if "-r" in command]
    limits = ("-c", "constraints.txt")
    assert asked == [("-r", one, *limits) for one in (installed.READER, installed.DEV)]
    assert {command[0] for command in installed.commands} == {str(installed.PYTHON)}
    overrides = installed.VENV / "share/jupyter/lab/settings/overrides.json5"
    assert '"locale": "fr_FR"' in overrides.read_text("utf-8")
    kernel = installed.VENV / "etc/ipython/ipython_kernel_config.py"
    assert "language_info" in kernel.read_text("utf-8")


def test_cuda_is_not_downloaded_under_linux_unless_there_is_nothing_else(
    installed, monkeypatch, capsys
):
    monkeypatch.setattr(sys, "platform", "linux")
    installed.set_up(installed.READER)
    torch, _ = installed.commands
    assert {"torch", "--no-deps", f"--index-url={installed.LIGHT_TORCH}"} < {*torch}
    assert "CUDA" not in capsys.readouterr().out
    without = installed.run_logged
    monkeypatch.setattr(
        installed, "run_logged", lambda *one, **more: without(*one) and "needed" not in more
    )
    installed.install(installed.READER)
    assert "PyTorch sans CUDA n'est pas joignable" in capsys.readouterr().out
    monkeypatch.setattr(sys, "platform", "darwin")
    installed.commands.clear()
    installed.install(installed.READER)
    assert len(installed.commands) == 1


def test_a_changed_file_or_a_moved_folder_breaks_the_seal(installed, tmp_path):
    for name in (*DECIDING, *installed.SETTINGS):
        installed.set_up(installed.DEV)
        (installed.ROOT / name).write_text("\n")
        assert not installed.is_installed(installed.DEV)
        assert installed.is_installed(installed.READER) == (name == "requirements-dev.txt")
    installed.set_up(installed.DEV)
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
    assert launcher.missing() == ["disparu-un", "disparu"]


def test_vanished_packages_are_put_back(installed, monkeypatch):
    installed.set_up(installed.READER)
    installed.commands.clear()
    monkeypatch.setattr(installed, "missing", lambda: ["torch", "numpy"])
    installed.set_up(installed.READER)
    first, *then = installed.commands
    assert first[1:] == ("-m", "pip", "uninstall", "--yes", "torch", "numpy")
    assert [command[3] for command in then] == ["install"] * len(then) != []


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
    RETRIES.format(0).replace("NewConnection", "Proxy"): "Le réseau refuse",
    FULL.replace("28", "30"): "dans un dossier à vous",
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


def test_another_python_is_found_before_ours_is_refused(launcher, monkeypatch):
    assert launcher.fitting_python() == [sys.executable]
    monkeypatch.setattr(launcher, "MINE", "3.10")
    monkeypatch.setattr(shutil, "which", lambda name: name in ("python3.12", "py"))
    tried = []
    monkeypatch.setattr(launcher, "run", lambda command, _: tried.append(command[:-2]) or 1)
    with pytest.raises(SystemExit, match=r"^Python 3\.10 ne convient pas, .* : installez Python"):
        launcher.fitting_python()
    assert ["python3.12"] in tried
    assert ["py", "-3.14"] in tried
    monkeypatch.setattr(launcher, "run", lambda command, _: command[:-2] != ["py", "-3.12"])
    assert launcher.fitting_python() == ["py", "-3.12"]
    monkeypatch.setattr(launcher, "hand_over", lambda command: command)
    again = ["py", "-3.12", str(launcher.ROOT / "lancer.py"), "tests", "-x"]
    assert launcher.main(["tests", "-x"]) == again


def test_our_pythons_are_those_of_the_package(launcher):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = SpecifierSet(project["requires-python"])
    assert {*launcher.PYTHONS} == {f"3.{minor}" for minor in range(99) if f"3.{minor}" in wanted}


def test_the_environment_of_a_stranger_python_is_refused_and_left_as_it_is(installed, monkeypatch):
    settings = installed.VENV / "pyvenv.cfg"
    settings.write_text("version = 3.13.1\n")
    installed.set_up(installed.READER)  # un autre des nôtres, qui répond : il convient
    monkeypatch.setattr(installed, "missing", lambda: None)
    for version, mine in (("3.13.1", "3.12"), ("3.10.4", "3.10")):
        monkeypatch.setattr(installed, "MINE", mine)
        settings.write_text(f"version_info = {version}\n")
        with pytest.raises(SystemExit, match=r"celui de Python 3\.1\d, .*supprimez le dossier"):
            installed.set_up(installed.READER)
    assert [*installed.VENV.glob("*.sceau")] != []


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


def test_an_update_renews_the_notebooks_that_the_reader_left_untouched(launcher, capsys):
    given, mine = launcher.ROOT / "notebooks", launcher.ROOT / "mes_carnets"
    given.mkdir()
    names = "00_lu.ipynb", "01_fait.ipynb", "02_ote.ipynb"

    def update(version):
        for name in names:
            (given / name).write_text(version)
        launcher.renew()
        return capsys.readouterr().out

    assert update("un") == ""
    (mine / "01_fait.ipynb").write_text("mon travail")
    (mine / "02_ote.ipynb").unlink()
    assert update("un") == ""
    assert [(mine / name).read_text() for name in names] == ["un", "mon travail", "un"]
    assert "01_fait.ipynb : votre travail est gardé" in update("deux")
    assert [(mine / name).read_text() for name in names] == ["deux", "mon travail", "deux"]
    assert update("deux") == ""


def test_the_server_is_private_and_opens_on_the_first_notebook(launcher):
    quiet, shown = (launcher.server_command(8888, browser=browser) for browser in (False, True))
    assert {"--ip=127.0.0.1", f"--ServerApp.root_dir={launcher.ROOT}"} <= {*shown}
    assert ("--no-browser" in quiet, "--no-browser" in shown) == (True, False)
    assert "--LabApp.default_url=/lab/tree/mes_carnets/00_prise_en_main.ipynb" in shown
    assert (ROOT / "notebooks" / "00_prise_en_main.ipynb").exists()


def test_the_address_is_announced_with_its_token_and_only_errors_are_shown(launcher, capsys):
    address = "http://127.0.0.1:41234/lab/tree/mes_carnets/00_prise_en_main.ipynb"
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
    installed.set_up(installed.DEV)
    assert installed.main(["site"]) == 5
    assert seen == [["site/build.py"]]
    assert all(map(installed.is_installed, (installed.DEV, installed.SITE)))
    assert (ROOT / "site" / "build.py").exists()


def test_a_tool_for_the_class_is_found_and_another_refused(installed, monkeypatch):
    seen = []
    monkeypatch.setattr(installed, "run", lambda command: seen.append(command[2:]) or 5)
    program = installed.ROOT / "enseignant" / "copies.py"
    program.parent.mkdir()
    program.touch()
    assert installed.main(["classe", "copies", "dossier"]) == 5
    assert seen == [["dossier"]]
    assert installed.is_installed(installed.CLASS)
    for tool in ([], ["autre"], ["../enseignant/copies"]):
        with pytest.raises(SystemExit, match="Commande non comprise"):
            installed.main(["classe", *tool])


def test_children_compute_on_one_thread_unless_told(launcher, monkeypatch):
    program = "import os, sys; print(sys.flags.utf8_mode, os.environ['OMP_NUM_THREADS'], 'é')"
    lines = []
    for given in (None, "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", given or "")
        if not given:
            monkeypatch.delenv("OMP_NUM_THREADS")
        assert launcher.run([sys.executable, "-c", program], lines.append) == 0
    assert lines == ["1 1 é\n", "1 4 é\n"]


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
        (PermissionError(errno.EACCES, "Permission denied"), "On ne peut pas écrire ici"),
        (OSError(errno.EIO, "Input/output error"), "Le système refuse"),
    ]:
        monkeypatch.setattr(installed, "run_logged", raising(failure))
        assert told in installed.outcome(["preparer"])
    monkeypatch.setattr(installed, "run_logged", raising(KeyboardInterrupt))
    assert installed.outcome(["preparer"]) == 130
    assert "relancez la même commande pour reprendre" in capsys.readouterr().err


def test_every_requirement_is_pinned():
    pinned = re.compile(r"|#.*|-e \.|-r requirements\.txt|[\w-]+(\[[\w-]+\])?==[\w.]+( ; .+)?")
    for name in ROOT.glob("requirements*.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            assert pinned.fullmatch(line), line


GROUPS = {
    "requirements.txt": ["carnets"],
    "requirements-classe.txt": ["classe"],
    "requirements-dev.txt": ["tests"],
    "requirements-etudes.txt": ["etudes"],
    "requirements-jeux.txt": ["jeux"],
    "requirements-site.txt": ["site"],
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
        if not (ROOT / file).exists():
            continue
        asked, pins = dict(core), pinned_by(file)
        for group in [*groups, "carnets"]:
            asked |= asked_for(project, group)
        assert asked.keys() == pins.keys(), file
        assert all(one.specifier.contains(pins[name]) for name, one in asked.items()), file


def test_the_constraints_hold_every_pin():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    held = [Requirement(line) for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"==[\w.]+", str(one.specifier)) for one in held)
    here = {
        canonicalize_name(one.name): str(one.specifier)[2:]
        for one in held
        if one.marker is None or one.marker.evaluate()
    }
    for file in ROOT.glob("requirements*.txt"):
        assert pinned_by(file).items() <= here.items(), f"{file} : lancez .ci/versions.py"
