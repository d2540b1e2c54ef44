"""Prépare l'environnement du cours, puis ouvre la série, lance les tests ou bâtit les carnets."""

import argparse
import errno
import filecmp
import hashlib
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
CLASS = "requirements-classe.txt"
CONSTRAINTS = "constraints.txt"
# Ce qui va dans .venv, fichiers cachés à part : macOS en sème.
SETTINGS = sorted(x.relative_to(ROOT) for x in (ROOT / "jupyter").rglob("[!.]*") if x.is_file())
PYTHONS = ("3.13", "3.12", "3.11", "3.14")  # ceux que nos versions connaissent
MINE = "{}.{}".format(*sys.version_info[:2])
LIGHT_TORCH = "https://download.pytorch.org/whl/cpu"
HEAVY_TORCH = (
    "PyTorch sans CUDA n'est pas joignable : celui de PyPI, s'il l'est, prend cinq gigaoctets de "
    "plus (Ctrl-C pour renoncer)."
)
HOST = "127.0.0.1"
PATIENCE = 60  # s, pour que le Python de .venv réponde
WORK = ROOT / "mes_carnets"  # copies de notebooks/, que git ne suit pas
PAGE = f"/lab/tree/{WORK.name}/00_prise_en_main.ipynb"
HIDDEN = ("__pycache__", "building", "build.py", "conftest.py", "sources")  # à qui lit les carnets
HELP = """\
usage : python3 lancer.py [commande] [options]      (sous Windows : py lancer.py)

La première fois, tout s'installe dans .venv ; ensuite, seulement ce qui a changé.

  (rien)             ouvre la série dans JupyterLab
  preparer           installe, sans rien ouvrir
  tests [options]    lance tous les tests ; les options vont à pytest
  carnets [carnet]   rebâtit les carnets, ou celui-ci, si la source a changé
  site               fait des carnets un site à lire, dans site/construit
  classe [outil]     pour qui enseigne : copies, ramasser, noter, paris, diapos

  --sans-navigateur  donne l'adresse sans ouvrir de navigateur
  --port N           sert sur ce port ; à défaut, sur un port libre
  -h, --help         affiche cette aide
"""
# Les cellules d'un carnet restent ensemble ; les carnets, les plus longs, passent en dernier et se
# répartissent : rangés par nombre de tests, tout un fichier de solutions finirait sur un seul cœur.
IN_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
# Ce que l'on demande au Python de .venv : les paquets du lecteur qui n'y sont plus.
PROBE = r"""
import pathlib, re, sys, pip
from importlib.util import find_spec
imported = {"pillow": "PIL", "ipython": "IPython"}
requirements = pathlib.Path(sys.argv[1]).read_text("utf-8")
for name in re.findall(r"^([\w-]+)\S*==", requirements, re.M):
    spec = find_spec(imported.get(name, name.replace("-", "_")))
    if spec is None or spec.origin is None:
        print(name)
"""
NO_VENV = "Ce Python n'a pas son module venv : « sudo apt install python3-venv », puis relancez."
DISK_FULL = "Le disque est plein : libérez quelques gigaoctets, puis relancez la même commande."
NO_NETWORK = "Le réseau ne répond pas : vérifiez la connexion, puis relancez la même commande."
NO_TORCH = (
    "PyTorch n'existe pas pour cette machine : prenez un Python 64 bits, sous Linux, "
    "Windows x86-64 ou macOS 14 et plus, sur un Mac à puce Apple."
)
REFUSED = (
    "Le réseau refuse : mettez la machine à l'heure ; derrière un proxy, donnez son adresse "
    "(variable HTTPS_PROXY) et son certificat (PIP_CERT), puis relancez la même commande."
)
READ_ONLY = "On ne peut pas écrire ici : copiez le projet dans un dossier à vous, puis relancez."
BRACES = (
    "pip n'installe rien sous un dossier dont le nom contient « { » : renommez-le, puis relancez."
)
# L'ordre compte : sans réseau, pip conclut aussi que torch n'existe pas.
DIAGNOSES = {
    r"ensurepip is not\s+available|No module named '?(venv|ensurepip)": NO_VENV,
    r"Errno 28|Errno 122|WinError 112": DISK_FULL,
    r"Errno 13\b|Errno 30\b": READ_ONLY,
    r"CERTIFICATE_VERIFY_FAILED|SSLError|ProxyError": REFUSED,
    r"Retry\(total=0|(Timeout|Connection\w*)Error|IncompleteRead|HTTP err|incomplete-": NO_NETWORK,
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
NOISE = re.compile(
    r"\[[DIW] |\[(IPKernelApp\]|\w+ \|) (INFO|WARNING)|\s+Setting websocket_ping_timeout"
)


def fitting_python():
    """La commande d'un Python que nos versions connaissent : celui-ci, ou un autre d'ici."""
    if MINE in PYTHONS:
        return [sys.executable]
    for one in PYTHONS:
        for command in (["python" + one], ["py", "-" + one]):
            able = [*command, "-c", "import ensurepip, venv"]  # que Debian sépare de Python
            if shutil.which(command[0]) and not run(able, lambda _: None):
                return command
    return sys.exit(
        f"Python {MINE} ne convient pas, et nous n'en trouvons pas d'autre ici : installez "
        "Python 3.13 (python.org), puis relancez la même commande."
    )


def hand_over(command):
    """Relance cette commande sous un autre Python, et rend son code."""
    if os.name == "nt":  # un `exec` y rendrait la main à la console
        return subprocess.call(command)
    return os.execvp(command[0], command)


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
    # NumPy, que l'on charge souvent avant le paquet, lit alors combien de fils il emploie.
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONUTF8": "1", **environment}
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


def run_logged(*command, needed=True):
    """Exécute une étape, journal dans LOG ; un échec arrête tout, ou rend faux."""
    with LOG.open("w", encoding="utf-8") as log:
        code = run(command, lambda line: record(line, log))
    if code and needed:
        sys.exit(diagnose(LOG.read_text(encoding="utf-8"), shutil.disk_usage(ROOT).free))
    return not code


def check_venv(accepted):
    """Refuse le .venv d'un autre Python : le refaire l'effacerait sans qu'on l'ait demandé."""
    settings = VENV / "pyvenv.cfg"
    found = settings.exists() and re.search(r"^version\S* = (\d+\.\d+)", settings.read_text(), re.M)
    if found and found.group(1) not in accepted:
        sys.exit(
            f"L'environnement .venv est celui de Python {found.group(1)}, qui ne convient pas ou "
            "n'est plus là : supprimez le dossier .venv, puis relancez la même commande."
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
    files = (requirements, READER, CONSTRAINTS, "pyproject.toml", *SETTINGS)
    state = [os.path.realpath(VENV), *((ROOT / file).read_text("utf-8") for file in files)]
    return hashlib.sha256("\0".join(state).encode()).hexdigest()


def seal(requirements):
    """Le fichier que laisse une installation réussie, et qui en garde l'empreinte."""
    return VENV / f"{requirements}.sceau"


def is_installed(requirements):
    """Dit si ces paquets sont installés et à jour."""
    return seal(requirements).exists() and seal(requirements).read_text() == digest(requirements)


def copy_settings():
    """Met dans .venv ce qui met Jupyter en français, règle son noyau, et laisse nbgrader à part."""
    for name in SETTINGS:
        target = VENV / name.relative_to("jupyter")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


def pip_install(*arguments, **options):
    """Demande un paquet, ou plusieurs, à pip."""
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    return run_logged(*pip, "--progress-bar=off", *arguments, **options)


def install_light_torch():
    """Prend d'abord, sous Linux, le PyTorch sans CUDA ; à défaut, la suite prendra l'autre."""
    options = ["--no-deps", "--retries=1", f"--index-url={LIGHT_TORCH}"]
    if not pip_install("torch", "-c", CONSTRAINTS, *options, needed=False):
        print(HEAVY_TORCH)


def install(requirements):
    """Installe des paquets ; leur sceau et ceux des autres ne sont posés qu'à la fin."""
    sealed = {requirements, READER, *filter(is_installed, (DEV, SITE, CLASS))}
    for old in VENV.glob("*.sceau"):
        old.unlink()
    print(f"Installation de {requirements} dans .venv (quelques minutes la première fois)…")
    if sys.platform == "linux":
        install_light_torch()
    pip_install("-r", requirements, "-c", CONSTRAINTS)
    copy_settings()
    for name in sealed:
        seal(name).write_text(digest(name))
    print("Tout est installé.")


def set_up(requirements):
    """Met .venv à jour ; ne fait rien s'il l'est déjà."""
    check_venv(PYTHONS)
    absent = missing()
    if absent is None:
        check_venv([MINE])
        make_venv()
        absent = missing()
    if absent is None:
        sys.exit("Le Python de .venv ne répond pas : supprimez le dossier .venv, puis relancez.")
    if is_installed(requirements):
        if not absent:
            return
        print(f"Paquets disparus de .venv, remis en place : {', '.join(absent)}.")
        run_logged(str(PYTHON), "-m", "pip", "uninstall", "--yes", *absent)
    install(requirements)


def renew():
    """Copie les carnets là où l'on y travaille, sauf sur ce que le lecteur y a modifié."""
    received = WORK / ".recus"
    received.mkdir(parents=True, exist_ok=True)
    for given in sorted((ROOT / "notebooks").glob("*.ipynb")):
        mine, last = WORK / given.name, received / given.name
        known = last.exists() and filecmp.cmp(given, last, shallow=False)
        if not mine.exists() or (last.exists() and filecmp.cmp(mine, last, shallow=False)):
            copy(given, mine)
        elif not known:
            print(f"{given.name} : votre travail est gardé, le nouveau est dans notebooks/.")
        if not known:
            copy(given, last)


def copy(source, target):
    """Copie un fichier, tout entier ou pas du tout."""
    partial = target.with_suffix(".tmp")
    shutil.copyfile(source, partial)
    partial.replace(target)


def check_port(asked):
    """Rend le port demandé, s'il est libre."""
    if not (asked.isdecimal() and 0 < int(asked) < 65536):
        sys.exit(f"Le port « {asked} » n'existe pas : donnez un nombre de 1 à 65535.")
    try:
        socket.create_server((HOST, int(asked))).close()
    except OSError:
        sys.exit(f"Le port {asked} est pris ou réservé : donnez-en un autre, ou aucun.")
    return int(asked)


def server_command(port, browser):
    """La commande qui sert la racine du dépôt, à cette machine seulement."""
    command = [str(PYTHON), "-m", "jupyterlab", f"--ip={HOST}", f"--port={port}"]
    command += [f"--ServerApp.root_dir={ROOT}", "--ServerApp.port_retries=0"]
    command += [f"--LabApp.default_url={PAGE}"]
    command += [f"--ContentsManager.hide_globs={name}" for name in HIDDEN]
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


def refuse(_message):
    """Cite la commande, et non le message d'argparse, qui est en anglais."""
    command = " ".join(["lancer.py", *sys.argv[1:]])
    sys.exit(f"Commande non comprise : « {command} » ; « lancer.py --help » dit tout.")


def open_series(arguments):
    """Ouvre la série dans JupyterLab."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.format_help, parser.error = lambda: HELP, refuse
    parser.add_argument("--sans-navigateur", action="store_true")
    parser.add_argument("--port")
    options = parser.parse_args(arguments)
    # Zéro : le système en donne un libre, et pas le même à deux serveurs qui démarrent ensemble.
    port = 0 if options.port is None else check_port(options.port)
    set_up(READER)
    renew()
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


def run_class(tool="", *arguments):
    """Exécute un outil de l'enseignant, celui de ce nom dans enseignant/."""
    program = ROOT / "enseignant" / f"{tool}.py"
    if not (tool.isalpha() and program.exists()):
        refuse(tool)
    set_up(CLASS)
    return run([str(PYTHON), str(program), *arguments])


def main(arguments):
    """Exécute une commande ; rend son code de sortie, ou la phrase qui dit son échec."""
    python = fitting_python()
    if python != [sys.executable]:
        return hand_over([*python, str(ROOT / "lancer.py"), *arguments])
    if arguments[:1] == ["tests"]:
        return run_dev("-m", "pytest", *IN_PARALLEL, *arguments[1:])
    if arguments[:1] == ["carnets"]:
        return run_dev("notebooks/build.py", *arguments[1:])
    if arguments[:1] == ["classe"]:
        return run_class(*arguments[1:])
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
        known = {errno.ENOSPC: DISK_FULL, errno.EACCES: READ_ONLY, errno.EROFS: READ_ONLY}
        refused = f"Le système refuse ({error}) : corrigez, puis relancez."
        return known.get(error.errno, refused)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # une sortie redirigée n'est pas en UTF-8 sous Windows
            stream.reconfigure(encoding="utf-8", line_buffering=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(outcome(sys.argv[1:]))
