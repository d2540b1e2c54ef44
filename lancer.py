"""Prépare l'environnement du cours, puis ouvre la série, lance les tests ou bâtit les carnets."""

import argparse
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOG = VENV / "installation.log"
READER, DEV = "requirements.txt", "requirements-dev.txt"
HOST, FIRST_PORT = "127.0.0.1", 8888
PAGE = "/lab/tree/notebooks/00_prise_en_main.ipynb"
HELP = """\
usage : python3 lancer.py [commande] [options]      (sous Windows : py lancer.py)

La première fois, tout s'installe dans .venv ; ensuite, seulement ce qui a changé.

  (rien)             ouvre la série dans JupyterLab
  preparer           installe, sans rien ouvrir
  tests [options]    lance tous les tests ; les options vont à pytest
  carnets [carnet]   rebâtit les carnets, ou celui-ci, si la source a changé

  --sans-navigateur  donne l'adresse sans ouvrir de navigateur
  --port N           sert sur ce port ; à défaut, le premier libre à partir de 8888
  -h, --help         affiche cette aide
"""
OVERRIDES = {
    "@jupyterlab/translation-extension:plugin": {"locale": "fr_FR"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Nos carnets sont courts : tout dessiner d'emblée garde exacts l'ascenseur et les ancres.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    # Sans leur état, un carnet rouvert n'aurait que « model not found » à la place des panneaux.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}
# Les cellules d'un carnet restent ensemble ; les carnets, les plus longs, passent en dernier et se
# répartissent : rangés par nombre de tests, tout un fichier de solutions finirait sur un seul cœur.
IN_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
NO_VENV = (
    "Ce Python est installé sans son module venv : lancez « sudo apt install python3-venv », "
    "puis la même commande."
)
DISK_FULL = "Le disque est plein : libérez quelques gigaoctets, puis relancez la même commande."
NO_NETWORK = (
    "Le réseau ne répond pas : vérifiez la connexion (et le proxy, s'il y en a un), "
    "puis relancez la même commande."
)
NO_TORCH = (
    "PyTorch n'existe pas pour cette machine : prenez un Python 64 bits, sous Linux, "
    "Windows x86-64 ou un Mac à puce Apple."
)
# L'ordre compte : sans réseau, pip conclut aussi que torch n'existe pas.
DIAGNOSES = {
    r"ensurepip is not\s+available|No module named '?(venv|ensurepip)": NO_VENV,
    r"Errno 28|Errno 122|WinError 112": DISK_FULL,
    r"Retry\(total=0|(Timeout|Connection|ConnectionReset)Error|IncompleteRead": NO_NETWORK,
    r"HTTP error|incomplete-download": NO_NETWORK,
    r"No matching distribution found for torch\b": NO_TORCH,
}
PROGRESS = {
    r"(?:Collecting|Processing) (?:.*/)?(\S+?)(?:[-=]=?\d\S*)? \(from -r [^>]*$": "  {}",
    r"\s*Downloading (\S+?)-\d\S*\.whl \((\d+)\S* MB\)": "  téléchargement de {} ({} Mo)",
    r"WARNING: Retrying .*total=([024]),": "  le réseau ne répond pas, nouvel essai…",
    r"Installing collected packages": "Mise en place des paquets (une à deux minutes)…",
}
PIPES = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "encoding": "utf-8",
    "errors": "replace",
}
# Un seul fil de calcul : nos petits réseaux y vont plus vite, au bit près à chaque fois. Et la
# glibc garde la mémoire libérée (256 Mio au plus), au lieu de la redemander à chaque tour.
COMPUTE = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 28),
}
NOISE = re.compile(r"\[[DIW] |\[IPKernelApp\] (INFO|WARNING)")


def check_python(version):
    """Refuse un Python pour lequel nos versions des paquets n'existent pas."""
    if not (3, 11) <= tuple(version[:2]) <= (3, 13):
        fault = "ancien" if version < (3, 11) else "récent"
        sys.exit(
            f"Python {version[0]}.{version[1]} est trop {fault} : installez Python 3.12 "
            "(python.org), puis lancez « python3.12 lancer.py » (Windows : « py -3.12 lancer.py »)."
        )


def diagnose(log, free_bytes):
    """La phrase qui dit la cause d'un échec et son remède, d'après le journal."""
    # Un avertissement n'est pas une cause, sauf le dernier essai d'une connexion.
    lines = [x for x in log.splitlines() if not x.lstrip().startswith("WARNING") or "total=0" in x]
    for cause, sentence in DIAGNOSES.items():
        if re.search(cause, "\n".join(lines)):
            return sentence
    if free_bytes < 50_000_000:
        return DISK_FULL
    error = next((x for x in lines[::-1] if x.lower().startswith("error")), "sans message")
    return f"L'installation a échoué ({error}) : lisez {LOG}, puis relancez la même commande."


def stop(process):
    """Laisse conclure un processus, qui a reçu le même Ctrl-C que nous, et l'arrête s'il traîne."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()


def run(command, on_line=None, **environment):
    """Exécute une commande et rend son code ; `on_line`, si on le donne, reçoit ses lignes."""
    pipes = PIPES if on_line else {}
    environment = {**COMPUTE, **os.environ, "PYTHONUTF8": "1", **environment}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) as process:
        try:
            for line in process.stdout or ():
                on_line(line)
            return process.wait()
        except BaseException:
            stop(process)
            raise


def record(line, log):
    """Garde une ligne de pip, et dit en français ce qu'elle apprend."""
    log.write(line)
    for pattern, sentence in PROGRESS.items():
        found = re.match(pattern, line)
        if found:
            print(sentence.format(*found.groups()))


def run_logged(*command):
    """Exécute une étape de l'installation, journal dans LOG, et s'arrête si elle échoue."""
    with LOG.open("w", encoding="utf-8") as log:
        code = run(command, lambda line: record(line, log))
    if code:
        sys.exit(diagnose(LOG.read_text(encoding="utf-8"), shutil.disk_usage(ROOT).free))


def venv_works():
    """Dit si le Python de .venv tourne, a la version courante, et a pip."""
    question = "import sys, pip; print(*sys.version_info[:2])"
    try:
        answer = subprocess.check_output([PYTHON, "-c", question], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.decode().split() == [str(x) for x in sys.version_info[:2]]


def make_venv():
    """Crée .venv, à la place de celui qui ne marche plus s'il y en a un."""
    if VENV.exists():
        print("L'environnement .venv ne marche pas avec ce Python : il est refait.")
        shutil.rmtree(VENV)
    print("Création de l'environnement .venv…")
    VENV.mkdir()
    run_logged(sys.executable, "-m", "venv", str(VENV))


def digest(requirements):
    """L'empreinte de tout ce dont dépend une installation."""
    files = sorted({requirements, READER, "pyproject.toml"})
    place = [*sys.version_info[:2], os.path.realpath(VENV), OVERRIDES]
    state = json.dumps(place + [(ROOT / file).read_text(encoding="utf-8") for file in files])
    return hashlib.sha256(state.encode()).hexdigest()


def seal(requirements):
    """Le fichier que laisse une installation réussie, et qui en garde l'empreinte."""
    return VENV / f"{requirements}.sceau"


def is_installed(requirements):
    """Dit si ces paquets sont installés et à jour."""
    return seal(requirements).exists() and seal(requirements).read_text() == digest(requirements)


def write_overrides():
    """Met JupyterLab en français, sans nouvelles ni recherche de mises à jour."""
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "overrides.json").write_text(json.dumps(OVERRIDES, indent=2), encoding="utf-8")


def install(requirements):
    """Installe des paquets ; les sceaux ne sont posés qu'à la fin, celui du lecteur compris."""
    for old in VENV.glob("*.sceau"):
        old.unlink()
    print(f"Installation de {requirements} dans .venv (quelques minutes la première fois)…")
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run_logged(*pip, "--progress-bar=off", "-r", requirements)
    write_overrides()
    for name in {requirements, READER}:
        seal(name).write_text(digest(name))
    print("Tout est installé.")


def set_up(requirements):
    """Met .venv à jour ; ne fait rien s'il l'est déjà."""
    if not venv_works():
        make_venv()
    if not is_installed(requirements):
        install(requirements)


def is_free(port):
    """Dit si l'on peut servir sur ce port."""
    with socket.socket() as probe:
        if os.name != "nt":  # sous Windows, cette option prendrait le port d'un autre
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(asked):
    """Le port demandé s'il est libre ; à défaut de demande, le premier libre."""
    if asked is None:
        return next(port for port in range(FIRST_PORT, 65536) if is_free(port))
    if not (asked.isdecimal() and 0 < int(asked) < 65536):
        sys.exit(f"Le port « {asked} » n'existe pas : donnez un nombre de 1 à 65535.")
    if not is_free(int(asked)):
        sys.exit(f"Le port {asked} est pris ou réservé : donnez-en un autre, ou aucun.")
    return int(asked)


def server_command(port, browser):
    """La commande qui sert la racine du dépôt, à cette machine seulement."""
    command = [str(PYTHON), "-m", "jupyterlab", f"--ip={HOST}", f"--port={port}"]
    command += [f"--ServerApp.root_dir={ROOT}", "--ServerApp.port_retries=0"]
    command += [f"--LabApp.default_url={PAGE}"]
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return command


def relay(line, address, token):
    """Annonce que le serveur est prêt, tait son bavardage, et montre le reste : les erreurs."""
    if address in line:
        print(
            f"JupyterLab est prêt : {address}?token={token}\n"
            "Si aucune page ne s'ouvre, copiez cette adresse ; Ctrl-C arrête tout."
        )
    elif not NOISE.match(line):
        print(line, end="", file=sys.stderr)


def serve(port, browser):
    """Sert la série jusqu'à Ctrl-C ; rend le code du serveur."""
    address = f"http://{HOST}:{port}{PAGE}"
    # Le jeton passe par l'environnement : tous les comptes peuvent lire une ligne de commande.
    token = secrets.token_hex(24)
    command = server_command(port, browser)
    return run(command, lambda line: relay(line, address, token), JUPYTER_TOKEN=token)


class FrenchParser(argparse.ArgumentParser):
    """Un argparse qui parle français."""

    def format_help(self):
        """L'aide, écrite à la main."""
        return HELP

    def error(self, message):
        """Cite la commande, et non le message, qui est en anglais."""
        command = " ".join(["lancer.py", *sys.argv[1:]])
        sys.exit(f"Commande non comprise : « {command} » ; « lancer.py --help » dit tout.")


def open_series(arguments):
    """Ouvre la série dans JupyterLab."""
    parser = FrenchParser(allow_abbrev=False)
    parser.add_argument("--sans-navigateur", action="store_true")
    parser.add_argument("--port")
    options = parser.parse_args(arguments)
    port = choose_port(options.port)
    set_up(READER)
    try:
        code = serve(port, not options.sans_navigateur)
    except KeyboardInterrupt:
        print("\nJupyterLab est arrêté.")
        return 0
    return "JupyterLab s'est arrêté sur l'erreur ci-dessus." if code else 0


def run_dev(*arguments):
    """Exécute le Python de .venv, outils de développement compris."""
    set_up(DEV)
    return run([str(PYTHON), *arguments])


def main(arguments):
    """Exécute une commande ; rend son code de sortie, ou la phrase qui dit son échec."""
    check_python(sys.version_info)
    if arguments[:1] == ["tests"]:
        return run_dev("-m", "pytest", *IN_PARALLEL, *arguments[1:])
    if arguments[:1] == ["carnets"]:
        return run_dev("notebooks/build.py", *arguments[1:])
    if arguments == ["preparer"]:
        return set_up(READER)
    return open_series(arguments)


def outcome(arguments):
    """Ce que rend `main`, ou la phrase qui dit ce qui l'a interrompu."""
    try:
        return main(arguments)
    except KeyboardInterrupt:
        print("\nInterrompu : relancez la même commande pour reprendre.", file=sys.stderr)
        return 130
    except OSError as error:
        full = error.errno == errno.ENOSPC
        return DISK_FULL if full else f"Le système refuse ({error}) : corrigez, puis relancez."


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # une sortie redirigée n'est pas en UTF-8 sous Windows
            stream.reconfigure(encoding="utf-8", line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(outcome(sys.argv[1:]))
