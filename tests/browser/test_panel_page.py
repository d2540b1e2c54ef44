"""Le panneau dans un vrai JupyterLab : au clavier, à la souris, noyau occupé, noyau redémarré."""

import os
import re

import nbformat
import pytest
from pilot import CAPTURES, IDLE, START, Reader

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

CODE = (
    "from cartpole_helpers.display.panel import panel",
    "tableau = panel(seed=1)\ntableau",
    "print(tableau.status['phase'])",
)
TOLD = ".cp-told"
RUN_LAST = """async () => {
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = content.widgets.length - 1;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
RESTART = """async () => {
    await window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart();
}"""
THEME = """name => window.jupyterapp.commands.execute('apputils:change-theme', { theme: name })"""


def notebook_of(*code):
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(text) for text in code]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture
def reader(folder, browser, launcher):
    """Un lecteur devant un carnet qui montre un panneau."""
    nbformat.write(notebook_of(*CODE), folder / "notebooks" / "panneau.ipynb")
    reader = Reader(browser.new_page(), launcher, "notebooks/panneau.ipynb")
    reader.run_all()
    reader.page.wait_for_selector(".cp-panel", timeout=START)
    yield reader
    reader.leave()


def button(reader, name):
    return reader.page.get_by_role("button", name=name, exact=True)


def wait_for(reader, text):
    reader.page.wait_for_function(
        "text => document.querySelector('.cp-told').textContent.includes(text)", arg=text
    )


def steps(reader):
    """Le nombre de pas que la page annonce."""
    told = reader.page.locator(TOLD).inner_text()
    return int(re.search(r"([\d\s]+) pas sur", told)[1].replace("\u202f", ""))


def last_output(reader):
    return reader.outputs()[-1]["text"]


def test_start_pause_step_resume_stop_with_the_mouse(reader):
    button(reader, "Démarrer").click()
    wait_for(reader, "En cours")
    reader.page.wait_for_selector(".cp-chart path.cp-line", state="attached")
    button(reader, "Pause").click()
    wait_for(reader, "En pause")
    before = steps(reader)
    button(reader, "Un tour").click()
    reader.page.wait_for_function(
        "n => document.querySelector('.cp-told').textContent.replace(/\\s/g, '').includes(n)",
        arg=f"{before + 16}passur",
    )
    button(reader, "Reprendre").click()
    wait_for(reader, "En cours")
    button(reader, "Arrêter").click()
    wait_for(reader, "Arrêté")
    button(reader, "Effacer").click()
    wait_for(reader, "Prêt")
    assert reader.page.locator(".cp-chart path.cp-line").count() == 0
    assert reader.faults == []


def test_the_kernel_stays_free_while_it_trains(reader):
    button(reader, "Démarrer").click()
    wait_for(reader, "En cours")
    reader.page.evaluate(RUN_LAST)
    reader.page.wait_for_function(IDLE, timeout=START)
    assert last_output(reader).strip() in ("en cours", "fini")
    wait_for(reader, "Fini")
    assert steps(reader) == 50_000


def test_sliders_by_keyboard_and_by_mouse_and_runs_superposed(reader):
    """Tout au clavier : ouvrir un groupe, déplacer un curseur, démarrer ; puis à la souris."""
    button(reader, "QUICK").focus()
    reader.page.keyboard.press("Enter")
    line = reader.page.locator(".cp-python")
    line.get_by_text("QUICK", exact=True).wait_for()
    slider = reader.page.locator("input[name=gamma]")
    slider.focus()
    slider.press("ArrowLeft")
    line.get_by_text("replace(QUICK, gamma=0.95)").wait_for()
    button(reader, "Démarrer").focus()
    reader.page.keyboard.press("Space")
    wait_for(reader, "Fini")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    reader.page.mouse.move(box["x"] + box["width"] / 2, middle)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 2, middle, steps=5)
    reader.page.mouse.up()
    line.get_by_text("replace(QUICK, gamma=0.0)").wait_for()
    assert "prochain départ" in reader.page.locator(".cp-python").inner_text()
    button(reader, "Démarrer").dblclick()  # ne lance qu'un essai
    keys = reader.page.locator(".cp-keys li")
    keys.get_by_text("2 · QUICK, gamma = 0, graine 1").wait_for()
    wait_for(reader, "Fini")
    assert keys.all_inner_texts() == [
        "1 · QUICK, gamma = 0,95, graine 1",
        "2 · QUICK, gamma = 0, graine 1",
        "retour en jouant, hasard compris",
    ]
    assert reader.faults == []


def test_impossible_settings_are_refused_in_french_and_the_slider_goes_back(reader):
    reader.page.get_by_text("Cible et mémoire").click()
    memory = reader.page.locator("input[name=capacity]")
    batch = reader.page.locator("input[name=batch_size]")
    batch.press("End")
    memory.press("Home")
    reader.page.wait_for_function(
        "() => document.querySelector('.cp-note').textContent.includes('capacity doit être')"
    )
    assert "500" not in memory.get_attribute("aria-valuetext")


def test_a_restarted_kernel_is_said_and_nothing_lies(reader):
    reader.page.evaluate(RESTART)
    reader.page.wait_for_function(IDLE, timeout=START)
    button(reader, "Démarrer").click()
    reader.page.wait_for_function(
        "() => document.querySelector('.cp-note').textContent.includes('redémarré')"
    )
    assert reader.page.locator(TOLD).inner_text() == "Prêt."


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("width", [1280, 800])
def test_it_fits_and_looks_the_same_everywhere(reader, theme, width):
    reader.page.set_viewport_size({"width": width, "height": 1000})
    reader.page.evaluate(THEME, theme)
    button(reader, "QUICK").click()
    button(reader, "Démarrer").click()
    wait_for(reader, "Fini")
    assert reader.overflows() == []
    reader.page.set_viewport_size({"width": width, "height": 2600})
    place = CAPTURES / f"panneau_{width}_{'sombre' if 'Dark' in theme else 'clair'}.png"
    place.parent.mkdir(exist_ok=True)
    reader.page.locator(".cp-panel").screenshot(path=place)
