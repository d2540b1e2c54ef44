"""Chaque carnet, exécuté de haut en bas dans un vrai JupyterLab : ni erreur, ni alerte."""

import os

import nbformat
import pytest
from pilot import BROKEN, CAPTURES, POP_UPS, ROOT, Launcher, Reader, write_notebook

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

NOTEBOOKS = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))
FAULTY_PROSE = r"Deux formules fausses : $\left( x$ et $\inconnu$."
FAULTY_CODE = (
    "import sys; print('alerte', file=sys.stderr)",
    "from IPython.display import HTML, display",
    "display(HTML('<img src=\"absente.png\">'))",
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


def test_there_are_notebooks_to_read():
    assert NOTEBOOKS


@pytest.fixture(scope="module", params=NOTEBOOKS)
def reader(request, browser, launcher):
    """Un lecteur qui vient d'exécuter tout un carnet."""
    reader = Reader(browser.new_page(), launcher, f"notebooks/{request.param}")
    reader.run_all()
    reader.photograph(CAPTURES / request.param.replace(".ipynb", ".png"))
    yield reader
    reader.leave()


def test_every_cell_runs_without_error_or_warning(reader):
    assert reader.counts() == list(range(1, len(reader.counts()) + 1))
    assert reader.outputs()
    assert reader.alarms() == []


def test_the_page_and_the_network_are_quiet(reader):
    assert reader.faults == []


def test_the_interface_speaks_french_and_nothing_pops_up(reader):
    menus = reader.page.locator(".lm-MenuBar-itemLabel").all_inner_texts()
    assert menus[:3] == ["Fichier", "Édition", "Affichage"]
    assert reader.count(POP_UPS) == 0


def test_everything_is_shown_and_nothing_overflows(reader):
    assert reader.blanks() == []
    assert reader.count(BROKEN) == 0
    assert reader.overflows() == []


def test_a_notebook_that_is_only_opened_is_not_modified(browser, launcher):
    reader = Reader(browser.new_page(), launcher, f"notebooks/{NOTEBOOKS[-1]}")
    assert not reader.page.evaluate(MODIFIED)
    reader.leave()


def faulty_cells():
    prose = nbformat.v4.new_markdown_cell(FAULTY_PROSE)
    return [prose, *(nbformat.v4.new_code_cell(line) for line in FAULTY_CODE)]


@pytest.fixture(scope="module")
def faulty_reader(folder, browser, launcher):
    """Un lecteur devant un carnet qui a toutes les fautes que ces tests disent chercher."""
    write_notebook(folder / "notebooks" / "fautif.ipynb", *faulty_cells())
    reader = Reader(browser.new_page(), launcher, "notebooks/fautif.ipynb")
    reader.run_all()
    yield reader
    reader.leave()


def test_each_fault_is_seen(faulty_reader):
    assert [x.get("name") or x["ename"] for x in faulty_reader.alarms()] == [
        "stderr",
        "ZeroDivisionError",
    ]
    assert any("192.0.2.1" in fault for fault in faulty_reader.faults)
    assert any(fault.startswith("console") for fault in faulty_reader.faults)
    assert len(faulty_reader.blanks()) == 2
    assert faulty_reader.count(BROKEN) == 2
    assert faulty_reader.overflows() == ["trop large"]


def test_the_launcher_says_little_and_stops_on_control_c(folder, environment):
    launcher = Launcher(folder, environment)
    assert launcher.first_line.startswith("JupyterLab est prêt : ")
    assert launcher.interrupt() == (
        "Si aucune page ne s'ouvre, copiez cette adresse ; Ctrl-C arrête tout.\n"
        "\nJupyterLab est arrêté.\n"
    )
    assert launcher.process.returncode == 0
