"""Chaque carnet dans un vrai JupyterLab : tout s'y montre, sans erreur ni alerte."""

import os

import nbformat
import pytest
from pilot import BROKEN, POP_UPS, ROOT, UNTOLD, Launcher, Reader, write_notebook

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
# Exécutés ici de haut en bas ; nbval exécute les autres, sans page.
PLAYED = ("00_prise_en_main.ipynb", "01_le_probleme.ipynb", "15_de_zero.ipynb")
FAULTY_PROSE = r"Deux formules fausses : $\left( x$ et $\inconnu$."
FAULTY_CODE = (
    "import sys; print('alerte', file=sys.stderr)",
    "from IPython.display import HTML, display",
    "display(HTML('<img src=\"absente.png\">'))",
    "display({'image/png': 'AA=='}, raw=True)",
    "display(HTML('<img src=\"http://192.0.2.1/dehors.png\">'))",
    "display(HTML('<div style=\"width: 5000px\">trop large</div>'))",
    "1 / 0",
)
# Ce que JupyterLab apprend du noyau, il l'écrit dans le carnet, qui doit déjà le dire.
MODIFIED = """async () => {
    const { context } = window.jupyterapp.shell.currentWidget;
    const { kernel } = context.sessionContext.session;
    await Promise.all([kernel.info, kernel.spec]);
    await new Promise(done => setTimeout(done));
    return context.model.dirty;
}"""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_shown_whole_in_french_and_in_silence(name, browser, launcher):
    reader = Reader(browser.new_page(), launcher, f"notebooks/{name}")
    assert not reader.page.evaluate(MODIFIED)
    if name in PLAYED:
        reader.run_all()
        assert reader.counts() == list(range(1, len(reader.counts()) + 1))
    reader.page.set_viewport_size({"width": 1280, "height": 16_000})  # tout s'affiche
    reader.settle()
    assert reader.outputs()
    assert (reader.alarms(), reader.faults) == ([], [])
    assert (reader.blanks(), reader.overflows()) == ([], [])
    assert [reader.count(faulty) for faulty in (BROKEN, UNTOLD, POP_UPS)] == [0, 0, 0]
    menus = reader.page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
    assert menus[:3] == ["Fichier", "Édition", "Affichage"]
    reader.leave()


def faulty_cells():
    prose = nbformat.v4.new_markdown_cell(FAULTY_PROSE)
    return [prose, *(nbformat.v4.new_code_cell(line) for line in FAULTY_CODE)]


def test_each_fault_is_seen(folder, browser, launcher):
    """Un carnet qui a toutes les fautes que le test précédent dit chercher."""
    write_notebook(folder / "notebooks" / "fautif.ipynb", *faulty_cells())
    reader = Reader(browser.new_page(), launcher, "notebooks/fautif.ipynb")
    reader.run_all()
    alarms = [x.get("name") or x["ename"] for x in reader.alarms()]
    assert alarms == ["stderr", "ZeroDivisionError"]
    assert any("192.0.2.1" in fault for fault in reader.faults)
    assert any(fault.startswith("console") for fault in reader.faults)
    assert (len(reader.blanks()), reader.count(BROKEN), reader.count(UNTOLD)) == (3, 2, 1)
    assert reader.overflows() == ["trop large"]
    reader.leave()


def test_the_launcher_says_little_and_stops_on_control_c(folder, environment):
    launcher = Launcher(folder, environment)
    assert launcher.first_line.startswith("JupyterLab est prêt : ")
    assert launcher.interrupt() == (
        "Si aucune page ne s'ouvre, copiez cette adresse ; Ctrl-C arrête tout.\n"
        "\nJupyterLab est arrêté.\n"
    )
    assert launcher.process.returncode == 0
