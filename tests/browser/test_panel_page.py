"""Le panneau dans un vrai JupyterLab : au clavier, à la souris, noyau occupé, noyau redémarré."""

import os
import re

import pytest
from pilot import IDLE, START, open_code

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
SHUT_DOWN = """async () => {
    await window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown();
}"""


@pytest.fixture
def reader(folder, browser, launcher):
    """Un lecteur devant un carnet qui montre un panneau."""
    reader = open_code(folder, browser, launcher, *CODE)
    yield reader
    reader.leave()


def wait_for(reader, text):
    reader.wait_text(TOLD, text)


def double_click(reader, name):
    """Un double clic assez lent pour que le premier clic ait déjà eu son effet."""
    mouse = reader.page.mouse
    reader.button(name).click()
    reader.page.wait_for_timeout(250)  # ms
    mouse.down(click_count=2)
    mouse.up(click_count=2)


def steps(reader):
    """Le nombre de pas que la page annonce."""
    told = reader.page.locator(TOLD).inner_text()
    return int(re.search(r"([\d\s]+) pas sur", told)[1].replace("\u202f", ""))


def last_output(reader):
    return reader.outputs()[-1]["text"]


def test_with_the_mouse_while_the_kernel_stays_free(reader):
    reader.button("Démarrer").click()
    wait_for(reader, "En cours")
    reader.page.wait_for_selector(".cp-chart path.cp-line", state="attached")
    reader.button("Pause").click()
    wait_for(reader, "En pause")
    before = steps(reader)
    reader.button("Un tour").click()
    reader.page.wait_for_function(
        "n => document.querySelector('.cp-told').textContent.replace(/\\s/g, '').includes(n)",
        arg=f"{before + 16}passur",
    )
    reader.button("Reprendre").click()
    wait_for(reader, "En cours")
    reader.button("Arrêter").click()
    wait_for(reader, "Arrêté")
    reader.button("Effacer").click()
    wait_for(reader, "Prêt")
    assert reader.page.locator(".cp-chart path.cp-line").count() == 0
    reader.button("Démarrer").click()
    wait_for(reader, "En cours")
    reader.page.evaluate(RUN_LAST)
    reader.page.wait_for_function(IDLE, timeout=START)
    assert last_output(reader).strip() in ("running", "finished")
    wait_for(reader, "Fini")
    assert steps(reader) == 50_000
    reader.assert_fits(".cp-panel", "panneau")
    assert reader.faults == []


def test_sliders_by_keyboard_and_by_mouse_and_runs_superposed(reader):
    """Tout au clavier : ouvrir un groupe, déplacer un curseur, démarrer ; puis à la souris."""
    reader.button("QUICK").focus()
    reader.page.keyboard.press("Enter")
    line = reader.page.locator(".cp-python")
    line.get_by_text("QUICK", exact=True).wait_for()
    slider = reader.page.locator("input[name=gamma]")
    slider.focus()
    slider.press("ArrowLeft")
    line.get_by_text("replace(QUICK, gamma=0.95)").wait_for()
    reader.button("Démarrer").focus()
    reader.page.keyboard.press("Space")
    wait_for(reader, "Fini")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    reader.page.mouse.move(box["x"] + box["width"] / 2, middle)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 2, middle, steps=5)
    reader.page.mouse.up()
    line.get_by_text("replace(QUICK, gamma=0.0)").wait_for()
    # La phrase vient d'un autre message que la ligne : elle peut la suivre de peu.
    reader.page.locator(".cp-python").get_by_text("prochain départ").wait_for()
    double_click(reader, "Démarrer")  # ne lance qu'un essai, et ne le suspend pas
    keys = reader.page.locator(".cp-keys li")
    keys.get_by_text("2 · QUICK, gamma = 0, graine 1").wait_for()
    wait_for(reader, "Fini")
    assert keys.all_inner_texts() == [
        "1 · QUICK, gamma = 0,95, graine 1",
        "2 · QUICK, gamma = 0, graine 1",
        "retour en jouant, hasard compris",
    ]
    assert reader.faults == []


def test_an_impossible_setting_then_a_restarted_kernel_are_said(reader):
    """Le curseur refusé revient où il était."""
    reader.page.get_by_text("Cible et mémoire").click()
    memory = reader.page.locator("input[name=capacity]")
    reader.page.locator("input[name=batch_size]").press("End")
    memory.press("Home")
    reader.wait_text(".cp-note", "capacity doit être")
    assert "500" not in memory.get_attribute("aria-valuetext")
    reader.page.evaluate(RESTART)
    reader.page.wait_for_function(IDLE, timeout=START)
    reader.button("Démarrer").click()
    reader.wait_text(".cp-note", "redémarré")
    assert reader.page.locator(TOLD).inner_text() == "Prêt."


def start_slowly(reader):
    """Lance un essai que le test n'a pas le temps de voir finir."""
    reader.page.get_by_label("cadence").select_option("10 tours par seconde")
    reader.button("Démarrer").click()
    wait_for(reader, "En cours")


def test_a_page_that_leaves_pauses_its_run(reader):
    """Le carnet n'est pas enregistré : la page qui revient ne montre plus de panneau."""
    start_slowly(reader)
    reader.reload()
    reader.page.evaluate(RUN_LAST)
    reader.page.wait_for_function(IDLE, timeout=START)
    assert reader.count(".cp-panel") == 0
    assert last_output(reader).strip() == "paused"


def test_a_page_that_comes_back_resumes_its_run_and_the_next_day_says_what_to_do(reader):
    start_slowly(reader)
    reader.save()
    reader.reload()
    wait_for(reader, "En cours")
    reader.button("Pause").click()
    wait_for(reader, "En pause")
    reader.save()
    reader.page.evaluate(SHUT_DOWN)
    reader.reload()
    reader.page.wait_for_selector(".cp-chart path.cp-line", state="attached")
    reader.button("Reprendre").click()
    reader.wait_text(".cp-note", "exécutez de nouveau la cellule")
    assert reader.faults == []
