"""Le panneau dans un vrai JupyterLab : au clavier, à la souris, page rechargée, noyau arrêté."""

import os

import pytest
from pilot import IDLE, START, open_code

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

EXAMINED = (
    "from dataclasses import replace\n"
    "from cartpole_helpers import QUICK\n"
    "from cartpole_helpers.teaching.panel import panel\n"
    "tableau = panel(replace(QUICK, epsilon_end=1.0))\ntableau",
)
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


def test_by_keyboard_and_by_mouse_while_the_kernel_stays_free(reader):
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
    reader.page.get_by_text("Cible et mémoire").click()
    reader.page.locator("input[name=batch_size]").press("End")
    reader.page.locator("input[name=capacity]").press("Home")
    reader.wait_text(".cp-note", "capacity doit être")
    slider.press("Home")
    line.get_by_text("gamma=0.0").wait_for()
    reader.button("Démarrer").click()
    wait_for(reader, "En cours")
    reader.button("Pause").click()
    wait_for(reader, "En pause")
    reader.button("Un tour").click()
    reader.page.evaluate(RUN_LAST)
    reader.page.wait_for_function(IDLE, timeout=START)
    assert reader.outputs()[-1]["text"].strip() == "paused"
    reader.button("Reprendre").click()
    wait_for(reader, "Fini")
    keys = reader.page.locator(".cp-keys li").all_inner_texts()
    assert keys[0] == "1 · QUICK, gamma = 0,95, graine 1"
    assert keys[1].startswith("2 · QUICK, gamma = 0, ")
    reader.assert_fits()
    reader.button("Effacer").click()
    wait_for(reader, "Prêt")
    assert reader.count(".cp-chart path.cp-line") == 0
    assert reader.faults == []


def test_a_page_that_comes_back_resumes_its_run_and_the_next_day_says_what_to_do(reader):
    reader.page.get_by_label("cadence").select_option("10 tours par seconde")
    reader.button("Démarrer").click()
    wait_for(reader, "En cours")
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


def test_the_diagnosis_is_read_under_the_curves_and_stays_there(folder, browser, launcher):
    reader = open_code(folder, browser, launcher, *EXAMINED)
    assert reader.button("Diagnostiquer").is_disabled()
    reader.button("Démarrer").click()
    wait_for(reader, "Fini")
    reader.button("Diagnostiquer").click()
    reader.wait_text(".cp-diagnosis", "Diagnostic\u00a0: ε bloqué haut")
    reader.assert_fits()
    assert (reader.blanks(), reader.alarms(), reader.faults) == ([], [], [])
    reader.save()
    reader.page.evaluate(SHUT_DOWN)
    reader.reload()
    reader.wait_text(".cp-diagnosis", "Diagnostic\u00a0: ε bloqué haut")
    reader.leave()
