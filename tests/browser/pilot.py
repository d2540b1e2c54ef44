"""Ce que fait un lecteur : lancer la série, ouvrir un carnet, tout exécuter, regarder, Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import nbformat

ROOT = Path(__file__).resolve().parents[2]
# Larges, car la machine peut être occupée ailleurs : au-delà, c'est que rien ne viendra plus.
START = 120_000  # ms, pour toute attente, et pour que la page et le noyau soient prêts
RUN = 600_000  # ms, pour qu'un carnet entier soit exécuté
STOP = 120  # s, pour que tout s'arrête après Ctrl-C

# Le voyant de l'interface dit « libre » avant que le noyau soit connecté : on interroge le modèle.
IDLE = """() => {
    const context = window.jupyterapp?.shell?.currentWidget?.context?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === 'idle';
}"""
RUN_ALL = """() => {
    const run = window.jupyterapp.commands.execute('notebook:run-all-cells');
    run.finally(() => { window.allRun = true; });
}"""
CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .map(cell => cell.model.toJSON())"""
SETTLED = """() => [...document.querySelectorAll('.jp-Notebook img, .jp-Notebook video')].every(
    picture => picture.complete || picture.readyState || picture.error)"""
PICTURES = """() => [...document.querySelectorAll('.jp-Notebook img, .jp-Notebook video')].map(
    picture => ({
        place: (picture.currentSrc || picture.src).slice(0, 80),
        shown: (picture.complete ? picture.naturalWidth : picture.videoWidth) > 0,
    })
)"""
BROKEN = "mjx-merror, mjx-mtext[style*=red], .jp-Notebook :text('Error displaying widget')"
UNTOLD = ".jp-RenderedImage img:is(:not([alt]), [alt=''])"  # qui ne voit pas n'en lit rien
POP_UPS = ".Toastify__toast, .jp-Dialog"
OVERFLOWS = """() => [...document.querySelectorAll('.jp-OutputArea-output, .jp-MarkdownOutput')]
    .filter(area => area.scrollWidth > area.clientWidth + 1)
    .map(area => area.innerText.slice(0, 80))"""
AROUND = """() => {
    const [area] = document.querySelectorAll('.jp-OutputArea-output');
    return window.innerWidth - area.clientWidth;
}"""
THEME = "name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def write_notebook(path, *cells):
    """Écrit à `path` un carnet neuf, fait de ces cellules."""
    kernel = {"name": "python3", "display_name": "Python 3"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)


def open_code(folder, browser, launcher, *code):
    """Rend un lecteur qui vient d'exécuter un carnet fait de ces cellules de code."""
    cells = [nbformat.v4.new_code_cell(text) for text in code]
    write_notebook(folder / "notebooks" / "essai.ipynb", *cells)
    reader = Reader(browser.new_page(), launcher, "notebooks/essai.ipynb")
    reader.run_all()
    reader.page.wait_for_selector(".cp:not(:empty)", timeout=START)
    return reader


class Launcher:
    """`lancer.py --sans-navigateur`, jusqu'au Ctrl-C."""

    def __init__(self, folder, environment):
        command = [sys.executable, "lancer.py", "--sans-navigateur", "--port", str(free_port())]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
            # Un lanceur en arrière-plan (« & ») fait ignorer Ctrl-C à ses enfants : pas ici.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self.first_line = self.process.stdout.readline()
        address = re.search(r"(http://127\.0\.0\.1:\d+)/\S+\?token=(\w+)$", self.first_line)
        assert address, self.first_line + self.interrupt()
        self.base, self.token = address.groups()
        self._wait()

    def _wait(self):
        """Attend la première connexion acceptée, quelques millisecondes après l'annonce."""
        place = urlsplit(self.base)
        for _ in range(1_200):
            with socket.socket() as probe:
                if probe.connect_ex((place.hostname, place.port)) == 0:
                    return
            time.sleep(0.05)

    def interrupt(self):
        """Fait Ctrl-C, que le terminal envoie à tout le groupe, et rend ce qui s'est encore dit."""
        os.killpg(self.process.pid, signal.SIGINT)
        watchdog = Timer(STOP, os.killpg, (self.process.pid, signal.SIGKILL))
        watchdog.start()
        try:
            with self.process:
                return self.process.stdout.read()
        finally:
            watchdog.cancel()


class Reader:
    """Un lecteur devant un carnet, qui note ce que la page et le réseau ont d'anormal."""

    def __init__(self, page, launcher, notebook):
        self.page = page
        self.faults = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.faults.append(f"erreur de la page : {error}"))
        page.on("request", self._on_request)
        address = f"{launcher.base}/lab/tree/{notebook}?token={launcher.token}&reset"
        page.goto(address, wait_until="domcontentloaded")
        self._wait()

    def _wait(self):
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=START)
        self.page.wait_for_function(IDLE, timeout=START)

    def save(self):
        """Enregistre le carnet."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")

    def reload(self):
        """Recharge la page, comme le fait la touche du clavier."""
        self.page.reload(wait_until="domcontentloaded")
        self._wait()

    def _on_console(self, message):
        if message.type == "error":
            self.faults.append(f"console : {message.text}")

    def _on_request(self, request):
        address = urlsplit(request.url)
        if address.hostname not in (None, "127.0.0.1"):
            self.faults.append(f"requête vers l'extérieur : {request.url}")

    def run_all(self):
        """Exécute toutes les cellules, par une commande : les menus dépendent de la langue."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function("() => window.allRun", timeout=RUN)
        self.page.wait_for_function(IDLE, timeout=START)
        self.settle()

    def settle(self):
        """Attend que chaque image et chaque film soit là, ou ait échoué."""
        self.page.wait_for_function(SETTLED, timeout=START)

    def counts(self):
        """Le numéro d'exécution de chaque cellule de code."""
        return [cell["execution_count"] for cell in self._code_cells()]

    def outputs(self):
        """Toutes les sorties, telles que JupyterLab les enregistrerait."""
        return [output for cell in self._code_cells() for output in cell["outputs"]]

    def alarms(self):
        """Les sorties qui sont des erreurs ou des avertissements."""
        outputs = self.outputs()
        return [x for x in outputs if x["output_type"] == "error" or x.get("name") == "stderr"]

    def blanks(self):
        """Les images et les films qui ne se montrent pas."""
        return [x["place"] for x in self.page.evaluate(PICTURES) if not x["shown"]]

    def overflows(self):
        """Le début des textes plus larges que leur colonne."""
        return self.page.evaluate(OVERFLOWS)

    def count(self, selector):
        """Combien d'éléments de la page répondent à un sélecteur."""
        return self.page.locator(selector).count()

    def _code_cells(self):
        return [cell for cell in self.page.evaluate(CELLS) if cell["cell_type"] == "code"]

    def button(self, name):
        """Le bouton de ce nom."""
        return self.page.get_by_role("button", name=name, exact=True)

    def wait_text(self, selector, text):
        """Attend que l'élément de la page dise `text`."""
        self.page.wait_for_function(
            "([where, text]) => document.querySelector(where)?.textContent.includes(text)",
            arg=[selector, text],
            timeout=RUN,
        )

    def assert_fits(self):
        """Claire ou sombre, large ou étroite, la page ne déborde pas, et chacun peut la lire."""
        narrow = 320 + self.page.evaluate(AROUND)  # 320 pixels pour la page elle-même
        for width, theme in ((1280, "Light"), (800, "Dark"), (narrow, "Dark"), (narrow, "Light")):
            self.page.evaluate(THEME, f"JupyterLab {theme}")
            # JupyterLab voile la page le temps de changer de thème.
            self.page.wait_for_function("() => !document.querySelector('#jupyterlab-splash')")
            self.page.set_viewport_size({"width": width, "height": 2600})
            faults = self.overflows(), serious_faults(self.page, ".cp")
            assert faults == ([], []), (width, theme, faults)

    def leave(self):
        """Arrête le noyau, qui sinon survit à la page, et ferme celle-ci."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()"
        )
        self.page.close()


def serious_faults(page, within=None):
    """Les fautes graves d'accessibilité que voit axe, dans la page ou dans ce que dit `within`."""
    from axe_playwright_python.sync_playwright import Axe

    report = Axe().run(page, within, {"resultTypes": ["violations"]})
    grave = [x for x in report.response["violations"] if x["impact"] in ("serious", "critical")]
    return [(x["id"], [node["target"] for node in x["nodes"]]) for x in grave]
