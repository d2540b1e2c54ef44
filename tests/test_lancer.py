"""Le lanceur : ce qu'il installe, quand il s'en abstient, et les phrases de ses échecs."""

import ast
import errno
import importlib.util
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = ROOT / "lancer.py"
PLENTY = 10**12  # octets libres
PINNED = re.compile(r"|#.*|-e \.|-r requirements\.txt|[\w-]+(\[[\w-]+\])?==[\w.]+")


def load(path):
    spec = importlib.util.spec_from_file_location("lancer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def launcher(tmp_path):
    """Le lanceur d'un dépôt factice : rien de ce qu'il fait n'atteint le vrai."""
    for name in ("lancer.py", "requirements.txt", "requirements-dev.txt", "pyproject.toml"):
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


def edit(path, old="", new="\n"):
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


# --- Les sceaux -----------------------------------------------------------------------------------


def test_a_second_start_installs_nothing(installed):
    installed.set_up(installed.READER)
    installed.set_up(installed.READER)
    (command,) = installed.commands
    assert command[0] == str(installed.PYTHON)
    assert command[-2:] == ("-r", "requirements.txt")


def test_the_development_set_counts_as_the_readers_and_not_the_other_way(installed):
    for requirements in (installed.READER, installed.DEV, installed.READER, installed.DEV):
        installed.set_up(requirements)
    assert [command[-1] for command in installed.commands] == [installed.READER, installed.DEV]


def test_a_changed_file_another_python_or_a_moved_folder_breaks_the_seal(
    installed, monkeypatch, tmp_path
):
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        installed.set_up(installed.DEV)
        edit(installed.ROOT / name)
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
    for failure in (SystemExit, KeyboardInterrupt):
        monkeypatch.setattr(installed, "run_logged", lambda *_: None)
        installed.set_up(installed.DEV)
        edit(installed.ROOT / "requirements-dev.txt")
        monkeypatch.setattr(installed, "run_logged", raising(failure))
        with pytest.raises(failure):
            installed.set_up(installed.DEV)
        assert not installed.is_installed(installed.READER)
        assert not installed.is_installed(installed.DEV)


# --- L'environnement ------------------------------------------------------------------------------


def make_python(launcher, answer):
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.write_text(f"#!/bin/sh\n{answer}\n")
    launcher.PYTHON.chmod(0o755)


posix = pytest.mark.skipif(os.name == "nt", reason="Le faux Python est un script du shell.")


def test_the_packages_that_vanished_are_named_with_their_version(launcher, monkeypatch):
    monkeypatch.setattr(launcher, "PYTHON", Path(sys.executable))
    monkeypatch.chdir(ROOT / "cartpole_helpers")  # un module d'ici n'en cache aucun de Python
    assert launcher.missing() == []
    vanished = "disparu-un[extra]==1.0\ndisparu==2\ntorch=="
    edit(launcher.ROOT / "requirements.txt", "torch==", vanished)
    assert launcher.missing() == ["disparu-un==1.0", "disparu==2"]


def test_vanished_packages_are_put_back_and_nothing_else(installed, monkeypatch, capsys):
    installed.set_up(installed.READER)
    installed.commands.clear()
    monkeypatch.setattr(installed, "missing", lambda: ["torch==2.13.0"])
    installed.set_up(installed.READER)
    (command,) = installed.commands
    assert command[-3:] == ("--force-reinstall", "--no-deps", "torch==2.13.0")
    assert "torch==2.13.0" in capsys.readouterr().out


@posix
@pytest.mark.parametrize("answer", ["exit 1", "kill -9 $$", "exec sleep 9"])
def test_a_python_that_does_not_answer_is_put_back_and_nothing_is_erased(
    launcher, monkeypatch, answer
):
    commands = []
    monkeypatch.setattr(launcher, "run_logged", lambda *command: commands.append(command))
    monkeypatch.setattr(launcher, "PATIENCE", 0.1)
    make_python(launcher, answer)
    with pytest.raises(SystemExit, match=r"ne répond pas : supprimez le dossier \.venv"):
        launcher.set_up(launcher.READER)
    assert commands == [(sys.executable, "-m", "venv", str(launcher.VENV))]
    assert launcher.PYTHON.exists()


def test_a_link_to_a_vanished_python_is_removed_so_that_it_can_be_made_again(launcher, monkeypatch):
    monkeypatch.setattr(launcher, "run_logged", lambda *_: None)
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.symlink_to(launcher.ROOT / "python-disparu")
    assert launcher.missing() is None
    launcher.make_venv()
    assert not launcher.PYTHON.is_symlink()


def test_the_environment_of_another_python_is_refused_and_kept(installed):
    (installed.VENV / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.18\n")
    with pytest.raises(SystemExit, match=r"celui de Python 3\.9, .* supprimez le dossier \.venv"):
        installed.set_up(installed.READER)
    assert installed.commands == []
    assert installed.VENV.exists()


def test_jupyterlab_speaks_french_and_fetches_nothing(installed):
    installed.set_up(installed.READER)
    path = installed.VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    settings = json.loads(path.read_text("utf-8"))
    assert settings["@jupyterlab/translation-extension:plugin"]["locale"] == "fr_FR"
    notification = settings["@jupyterlab/apputils-extension:notification"]
    assert notification == {"fetchNews": "false", "checkForUpdates": False}
    compile((installed.VENV / "etc/ipython/ipython_kernel_config.py").read_text(), "", "exec")


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            assert PINNED.fullmatch(line)


# --- Ce que pip raconte ---------------------------------------------------------------------------

RETRIES = (
    "WARNING: Retrying (Retry(total={}, connect=None, read=None)) after connection broken by "
    "'NewConnectionError('Failed to establish a new connection: [Errno -3]')': /simple/torch/\n"
)
NO_TORCH = (
    "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 "
    "(from versions: {})\nERROR: No matching distribution found for torch==2.13.0\n"
)
IGNORED = "WARNING: Location 'file:///var/paquets/torch/' is ignored: it is not a file.\n"
NO_BUILD_TOOL = (
    "  × pip subprocess to install build dependencies did not run successfully.\n"
    f"      {RETRIES.format(0)}      ERROR: No matching distribution found for setuptools>=77\n"
)
TIMEOUT = "ERROR: Exception:\npip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.\n"
DEBIAN = (
    "The virtual environment was not created successfully because ensurepip is not\n"
    "available.  On Debian/Ubuntu systems, you need to install the python3-venv package.\n"
)
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
FULL_WINDOWS = "ERROR: Could not install packages due to an OSError: [WinError 112] ...\n"

CAUSES = {
    "sans réseau": (RETRIES.format(0) + NO_TORCH.format("none"), "Le réseau ne répond pas"),
    "outil introuvable": (NO_BUILD_TOOL, "Le réseau ne répond pas"),
    "délai dépassé": (TIMEOUT, "Le réseau ne répond pas"),
    "mac intel": (NO_TORCH.format("2.2.0, 2.2.1, 2.2.2"), "PyTorch n'existe pas"),
    "windows arm": (IGNORED + NO_TORCH.format("none"), "PyTorch n'existe pas"),
    "réseau rétabli": (RETRIES.format(4) + NO_TORCH.format("none"), "PyTorch n'existe pas"),
    "disque": (IGNORED + FULL, "Le disque est plein"),
    "disque windows": (FULL_WINDOWS, "Le disque est plein"),
    "disque après réseau": (RETRIES.format(0) + FULL, "Le disque est plein"),
    "debian": (DEBIAN, "sudo apt install python3-venv"),
    "accolade": ("      ValueError: invalid variable 'y'\nERROR: Failed\n", "« { »"),
    "sans venv": ("/usr/bin/python3: No module named venv\n", "sudo apt install python3-venv"),
}


def test_a_cause_is_told_with_its_cure(launcher):
    for case, (log, sentence) in CAUSES.items():
        told = launcher.diagnose(log, PLENTY)
        assert sentence in told, case
        assert "\n" not in told, case
    full = launcher.diagnose("Error: Command '-m ensurepip' failed.\n", 0)
    assert full == launcher.DISK_FULL  # un disque plein peut ne laisser aucun message


def test_an_unknown_cause_is_quoted_and_points_to_its_log(launcher):
    for log in (IGNORED + "ERROR: Gare.\n" + IGNORED, "ERROR: Gare.\nfin\n", IGNORED):
        told = launcher.diagnose(log, PLENTY)
        assert ("(ERROR: Gare.)" in told) == ("Gare" in log)
        assert str(launcher.LOG) in told


STEPS = {
    "Collecting torch==2.13.0 (from -r requirements.txt (line 5))": "  torch",
    "Collecting gymnasium[classic-control]==1.4.0 (from -r requirements.txt (line 7))": (
        "  gymnasium[classic-control]"
    ),
    "Processing ./roues/torch-2.13.0-cp311.whl (from -r requirements.txt (line 5))": "  torch",
    "Collecting sympy>=1.13.3 (from torch==2.13.0->-r requirements.txt (line 5))": "",
    "  Downloading torch-2.13.0-cp311-win_amd64.whl (122.1 MB)": (
        "  téléchargement de torch (122 Mo)"
    ),
    "  Downloading sympy-1.14.0-py3-none-any.whl.metadata (12 kB)": "",
    "Installing collected packages: mpmath, torch": (
        "Mise en place des paquets (une à deux minutes)…"
    ),
    RETRIES.format(2).strip(): "  le réseau ne répond pas, nouvel essai…",
    IGNORED.strip(): "",
    "Requirement already satisfied: numpy==2.4.6 (from -r requirements.txt (line 9))": "",
}


def test_progress_is_told_in_french(launcher, capsys):
    for line, told in STEPS.items():
        log = io.StringIO()
        launcher.record(line + "\n", log)
        assert capsys.readouterr().out.strip("\n") == told
        assert log.getvalue() == line + "\n"


def test_a_failed_step_leaves_its_log_and_stops(launcher):
    launcher.VENV.mkdir()
    program = "print('ERROR: Gare.'); raise SystemExit(3)"
    with pytest.raises(SystemExit, match="Gare"):
        launcher.run_logged(sys.executable, "-c", program)
    assert launcher.LOG.read_text("utf-8") == "ERROR: Gare.\n"


# --- Python ---------------------------------------------------------------------------------------


def test_only_the_pythons_that_our_packages_know_are_accepted(launcher):
    for version in [(3, 11, 0), (3, 12, 0), (3, 13, 9)]:
        launcher.check_python(version)
    for version, fault in [((3, 6, 15), "ancien"), ((3, 10, 13), "ancien"), ((3, 14, 0), "récent")]:
        told = rf"Python 3\.\d+ est trop {fault} : installez Python 3"
        with pytest.raises(SystemExit, match=told):
            launcher.check_python(version)


def test_an_old_python_can_read_the_launcher():
    """La vérification de la version serait vaine si le fichier lui-même n'était pas lisible."""
    tree = ast.parse(LAUNCHER.read_text("utf-8"), feature_version=(3, 6))
    assert not any(isinstance(node, ast.NamedExpr | ast.Match) for node in ast.walk(tree))


# --- Le port --------------------------------------------------------------------------------------


def test_a_busy_or_impossible_port_is_refused_before_anything_starts(launcher):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ended = call("--sans-navigateur", "--port", str(port))
    told = f"Le port {port} est pris ou réservé : donnez-en un autre, ou aucun.\n"
    assert (ended.returncode, ended.stderr, ended.stdout) == (1, told, "")
    assert launcher.check_port(str(port)) == port  # libre à présent
    for wish in ("0", "65536", "-1", "abc", "", "8888.0", "²"):
        with pytest.raises(SystemExit, match="donnez un nombre de 1 à 65535"):
            launcher.check_port(wish)


# --- Le serveur -----------------------------------------------------------------------------------


def test_the_server_is_private_and_opens_on_the_first_notebook(launcher):
    command = launcher.server_command(8888, browser=False)
    assert "--ip=127.0.0.1" in command
    assert f"--ServerApp.root_dir={launcher.ROOT}" in command
    assert "--no-browser" in command
    assert not any("token" in word for word in command)
    command = launcher.server_command(8888, browser=True)
    assert "--no-browser" not in command
    assert "--LabApp.default_url=/lab/tree/notebooks/00_prise_en_main.ipynb" in command
    assert (ROOT / "notebooks" / "00_prise_en_main.ipynb").exists()


def test_the_address_is_announced_with_its_token(launcher, capsys):
    address = "http://127.0.0.1:41234/lab/tree/notebooks/00_prise_en_main.ipynb"
    launcher.relay(f"[I 2026-01-01 ServerApp] {address}?token=...\n", "secret")
    assert f"{address}?token=secret\n" in capsys.readouterr().out


def test_only_errors_are_shown(launcher, capsys):
    for line, shown in {
        "[I 2026-01-01 00:00:00.000 ServerApp] Saving file at /x.ipynb\n": False,
        "[W 2026-01-01 00:00:00.000 ServerApp] 404 GET /api/contents\n": False,
        "    Setting websocket_ping_timeout=30000\n": False,
        "[IPKernelApp] WARNING | Kernel is running over TCP without encryption.\n": False,
        "[E 2026-01-01 00:00:00.000 ServerApp] Uncaught exception\n": True,
        "[C 2026-01-01 00:00:00.000 ServerApp] Bad config\n": True,
        "[IPKernelApp] ERROR | No such comm\n": True,
        "Traceback (most recent call last):\n": True,
    }.items():
        launcher.relay(line, "secret")
        assert capsys.readouterr() == ("", line if shown else "")


# --- La ligne de commande -------------------------------------------------------------------------


def test_help_is_in_french():
    ended = call("preparer", "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("usage : python3 lancer.py")
    for word in ("preparer", "tests", "carnets", "--sans-navigateur", "--port", "à défaut"):
        assert word in ended.stdout
    assert not re.search(r"show this|options:|positional|arguments:", ended.stdout)


def test_a_misunderstood_command_is_quoted(launcher, monkeypatch):
    for arguments in (
        ["ouvre"],
        ["--porte", "1"],
        ["--port"],
        ["preparer", "--port", "1"],
        ["--sans-navigateur=1"],
    ):
        monkeypatch.setattr(sys, "argv", ["lancer.py", *arguments])
        with pytest.raises(SystemExit) as refused:
            launcher.main(arguments)
        assert refused.value.code == (
            f"Commande non comprise : « lancer.py {' '.join(arguments)} » ; "
            "« lancer.py --help » dit tout."
        )


PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def test_options_go_on_to_the_tool_and_its_code_comes_back(installed, monkeypatch):
    seen = []
    monkeypatch.setattr(installed, "run", lambda command: seen.append(command[1:]) or 5)
    assert [installed.main(["tests", "-k", "nom"]), installed.main(["carnets", "--tout"])] == [5, 5]
    assert seen == [
        ["-m", "pytest", *PARALLEL, "-k", "nom"],
        ["notebooks/build.py", "--tout"],
    ]
    assert installed.is_installed(installed.DEV)


def test_preparing_installs_the_readers_set_and_starts_nothing(installed):
    assert not installed.main(["preparer"])
    assert installed.is_installed(installed.READER)
    assert not installed.is_installed(installed.DEV)


def test_children_speak_utf8_compute_on_one_thread_and_keep_memory_unless_told(
    launcher, monkeypatch
):
    """Sans cela, les tableaux de soixante-quatre agents seraient redemandés à chaque tour."""
    names = ("OMP_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
    program = f"import os, sys; print(sys.flags.utf8_mode, *map(os.environ.get, {names}), 'é')"
    for name in names:
        monkeypatch.delenv(name, raising=False)
    lines = []
    assert launcher.run([sys.executable, "-c", program], lines.append) == 0
    for name in names:
        monkeypatch.setenv(name, "4")
    launcher.run([sys.executable, "-c", program], lines.append)
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


@posix
def test_a_home_that_refuses_writing_is_replaced(launcher, monkeypatch):
    seen = []
    monkeypatch.setattr(launcher, "run", lambda command, on_line, **given: seen.append(given))
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    launcher.serve(0, browser=False)
    assert seen[0]["HOME"] == str(launcher.VENV)


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
