"""Le jeu dans un vrai JupyterLab : au clavier, à la souris, et ce qui revient dans Python."""

import os
import re

import pytest
from pilot import IDLE, START, open_code

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

CODE = (
    "from cartpole_helpers import ReplayBuffer, load\n"
    "from cartpole_helpers.display.game import game\n"
    "agent = load('../checkpoints/agent_5600_pas.safetensors')\n"
    "jeu = game({'<img src=x onerror=alert(1)>': agent})\njeu",
    "memoire = ReplayBuffer(1_000)\n"
    "print(len(jeu.episodes), jeu.fill(memoire), len(memoire), memoire.sample(1).terminated)",
)
RUN_SECOND = """async () => {
    window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
    await window.jupyterapp.commands.execute('notebook:run-cell');
}"""
STATUS = ".cp-game .cp-note"


def test_the_reader_plays_then_a_policy_and_python_keeps_the_episode(folder, browser, launcher):
    """La seconde cellule attend un épisode."""
    reader = open_code(folder, browser, launcher, CODE[0], "")
    options = reader.page.locator(".cp-game select option").all_inner_texts()
    assert "<img src=x onerror=alert(1)>" in options
    reader.page.locator(".cp-game input[type=range]").press("End")
    reader.page.locator(".cp-stage").click()
    for _ in range(4):  # pousser toujours du même côté : la tige tombe
        reader.page.keyboard.press("ArrowRight")
    reader.wait_text(STATUS, "Chute de la tige")
    steps = int(re.search(r"après (\d+)", reader.page.locator(STATUS).first.inner_text())[1])
    reader.wait_text(".cp-game", "dans l’attribut «\u00a0episodes\u00a0»\u00a0: 1.")
    reader.page.evaluate(
        "code => window.jupyterapp.shell.currentWidget.content.widgets[1].model"
        ".sharedModel.setSource(code)",
        CODE[1],
    )
    reader.page.evaluate(RUN_SECOND)
    reader.page.wait_for_function(IDLE, timeout=START)
    count, added, kept, _ = reader.outputs()[-1]["text"].split()
    assert (int(count), int(added), int(kept)) == (1, steps, steps)

    reader.page.locator(".cp-game select").select_option(label="LQR")
    reader.button("Laisser jouer").click()
    reader.wait_text(STATUS, "LQR")
    reader.button("Bousculer à droite →").click()
    reader.wait_text(".cp-scene", "bousculade")
    reader.button("Pause").click()
    reader.wait_text(STATUS, "En pause")
    reader.button("Reprendre la main").click()
    reader.wait_text(STATUS, "Poussez d’un côté")

    reader.assert_fits()
    assert reader.faults == []
    reader.leave()
