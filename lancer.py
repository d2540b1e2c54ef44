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
READER, DEV, SITE = "requirements.txt", "requirements-dev.txt", "requirements-site.txt"
HOST = "127.0.0.1"
PATIENCE = 60  # s, pour que le Python de .venv réponde
PAGE = "/lab/tree/notebooks/00_prise_en_main.ipynb"
HELP = """\
usage : python3 lancer.py [commande] [options]      (sous Windows : py lancer.py)

La première fois, tout s'installe dans .venv ; ensuite, seulement ce qui a changé.

  (rien)             ouvre la série dans JupyterLab
  preparer           installe, sans rien ouvrir
  tests [options]    lance tous les tests ; les options vont à pytest
  carnets [carnet]   rebâtit les carnets, ou celui-ci, si la source a changé
  site               fait des carnets un site à lire, dans site/construit

  --sans-navigateur  donne l'adresse sans ouvrir de navigateur
  --port N           sert sur ce port ; à défaut, sur un port libre
  -h, --help         affiche cette aide
"""
OVERRIDES = {
    "@jupyterlab/translation-extension:plugin": {"locale": "fr_FR"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # Nos carnets sont courts : tout dessiner d'emblée garde exacts l'ascenseur et les ancres.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    # Sans leur état, un carnet rouvert n'aurait qu'une erreur à la place des panneaux.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}
# Les cellules d'un carnet restent ensemble ; les carnets, les plus longs, passent en dernier et se
# répartissent : rangés par nombre de tests, tout un fichier de solutions finirait sur un seul cœur.
IN_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
# Sans la version de Python, la même pour tous : sinon, un carnet à peine ouvert serait « modifié ».
KERNEL = "c.IPKernelApp.exec_lines = [\"del get_ipython().kernel.language_info['version']\"]\n"
# Ce que l'on demande au Python de .venv : les paquets du lecteur qui n'y sont plus.
PROBE = r"""
import pathlib, re, sys, pip
from importlib.util import find_spec
imported = {"pillow": "PIL", "ipython": "IPython"}
requirements = pathlib.Path(sys.argv[1]).read_text("utf-8")
for name, version in re.findall(r"^([\w-]+)\S*(==\S+)", requirements, re.M):
    spec = find_spec(imported.get(name, name.replace("-", "_")))
    if spec is None or spec.origin is None:
        print(name + version)
"""
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
BRACES = (
    "pip n'installe rien sous un dossier dont le nom contient « { » : renommez-le, puis relancez."
)
# L'ordre compte : sans réseau, pip conclut aussi que torch n'existe pas.
DIAGNOSES = {
    r"ensurepip is not\s+available|No module named '?(venv|ensurepip)": NO_VENV,
    r"Errno 28|Errno 122|WinError 112": DISK_FULL,
    r"Retry\(total=0|(Timeout|Connection|ConnectionReset)Error|IncompleteRead": NO_NETWORK,
    r"HTTP error|incomplete-download": NO_NETWORK,
    r"No matching distribution found for torch\b": NO_TORCH,
    r"ValueError: invalid variable": BRACES,
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
NOISE = re.compile(r"\[[DIW] |\[IPKernelApp\] (INFO|WARNING)|\s+Setting websocket_ping_timeout")


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
    """Laisse conclure un processus, qui a pu recevoir le même Ctrl-C, et l'arrête s'il traîne."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process.communicate(timeout=2)
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


def check_venv():
    """Refuse le .venv d'un autre Python : le refaire l'effacerait sans qu'on l'ait demandé."""
    settings = VENV / "pyvenv.cfg"
    found = settings.exists() and re.search(r"^version\S* = (\d+\.\d+)", settings.read_text(), re.M)
    mine = "{}.{}".format(*sys.version_info[:2])
    if found and found.group(1) != mine:
        sys.exit(
            f"L'environnement .venv est celui de Python {found.group(1)}, et vous lancez Python "
            f"{mine} : reprenez l'autre, ou supprimez le dossier .venv pour l'installer ici."
        )


def missing():
    """Les paquets du lecteur qui ne sont plus dans .venv ; `None` si son Python ne répond pas."""
    # Isolé (-I), il ne lit rien du dossier courant, dont un module peut en cacher un autre.
    command = [PYTHON, "-I", "-c", PROBE, ROOT / READER]
    try:
        answer = subprocess.check_output(command, stderr=subprocess.DEVNULL, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.decode().split()


def make_venv():
    """Crée .venv, ou remet en place son Python et son pip : rien d'autre n'y change."""
    again = VENV.exists()
    print("Remise en place du Python de .venv…" if again else "Création de l'environnement .venv…")
    VENV.mkdir(exist_ok=True)
    for link in PYTHON.parent.glob("python*"):
        if link.is_symlink():
            link.unlink()
    run_logged(sys.executable, "-m", "venv", str(VENV))


def digest(requirements):
    """L'empreinte de tout ce dont dépend une installation."""
    files = sorted({requirements, READER, "pyproject.toml"})
    place = [*sys.version_info[:2], os.path.realpath(VENV), OVERRIDES, KERNEL]
    state = json.dumps(place + [(ROOT / file).read_text(encoding="utf-8") for file in files])
    return hashlib.sha256(state.encode()).hexdigest()


def seal(requirements):
    """Le fichier que laisse une installation réussie, et qui en garde l'empreinte."""
    return VENV / f"{requirements}.sceau"


def is_installed(requirements):
    """Dit si ces paquets sont installés et à jour."""
    return seal(requirements).exists() and seal(requirements).read_text() == digest(requirements)


def write_settings():
    """Met JupyterLab en français, sans nouvelles ni mises à jour ; règle son noyau."""
    files = {
        "share/jupyter/lab/settings/overrides.json": json.dumps(OVERRIDES, indent=2),
        "etc/ipython/ipython_kernel_config.py": KERNEL,
    }
    for name, text in files.items():
        (VENV / name).parent.mkdir(parents=True, exist_ok=True)
        (VENV / name).write_text(text, encoding="utf-8")


def pip_install(*arguments):
    """Demande un paquet, ou plusieurs, à pip."""
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run_logged(*pip, "--progress-bar=off", *arguments)


def install(requirements):
    """Installe des paquets ; les sceaux ne sont posés qu'à la fin, celui du lecteur compris."""
    for old in VENV.glob("*.sceau"):
        old.unlink()
    print(f"Installation de {requirements} dans .venv (quelques minutes la première fois)…")
    pip_install("-r", requirements)
    write_settings()
    for name in {requirements, READER}:
        seal(name).write_text(digest(name))
    print("Tout est installé.")


def set_up(requirements):
    """Met .venv à jour ; ne fait rien s'il l'est déjà."""
    check_venv()
    absent = missing()
    if absent is None:
        make_venv()
        absent = missing()
    if absent is None:
        sys.exit("Le Python de .venv ne répond pas : supprimez le dossier .venv, puis relancez.")
    if not is_installed(requirements):
        install(requirements)
    elif absent:
        print(f"Paquets disparus de .venv, remis en place : {', '.join(absent)}.")
        pip_install("--force-reinstall", "--no-deps", *absent)


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


def check_port(asked):
    """Rend le port demandé, s'il est libre."""
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


def relay(line, token):
    """Annonce que le serveur est prêt, tait son bavardage, et montre le reste : les erreurs."""
    address = re.search(rf"http://{HOST}:\d+{PAGE}", line)
    if address:
        print(
            f"JupyterLab est prêt : {address.group()}?token={token}\n"
            "Si aucune page ne s'ouvre, copiez cette adresse ; Ctrl-C arrête tout."
        )
    elif not NOISE.match(line):
        print(line, end="", file=sys.stderr)


def serve(port, browser):
    """Sert la série jusqu'à Ctrl-C ; rend le code du serveur."""
    # Le jeton passe par l'environnement : tous les comptes peuvent lire une ligne de commande.
    environment = {"JUPYTER_TOKEN": secrets.token_hex(24)}
    if not os.access(os.path.expanduser("~"), os.W_OK):  # Jupyter y écrirait ses réglages
        environment["HOME"] = str(VENV)
    command = server_command(port, browser)
    return run(command, lambda line: relay(line, environment["JUPYTER_TOKEN"]), **environment)


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
    # Zéro : le système en donne un libre, et pas le même à deux serveurs qui démarrent ensemble.
    port = 0 if options.port is None else check_port(options.port)
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


def build_site():
    """Bâtit le site, qui dit lui-même où il est."""
    set_up(SITE)
    return run([str(PYTHON), "site/build.py"])


def main(arguments):
    """Exécute une commande ; rend son code de sortie, ou la phrase qui dit son échec."""
    check_python(sys.version_info)
    if arguments[:1] == ["tests"]:
        return run_dev("-m", "pytest", *IN_PARALLEL, *arguments[1:])
    if arguments[:1] == ["carnets"]:
        return run_dev("notebooks/build.py", *arguments[1:])
    if arguments == ["preparer"]:
        return set_up(READER)
    if arguments == ["site"]:
        return build_site()
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
