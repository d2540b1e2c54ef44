"""L'épisode rejoué dans un vrai JupyterLab, au clavier et à la souris."""

import os

import pytest
from pilot import open_code

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

CODE = (
    "from cartpole_helpers import load, play\n"
    "from cartpole_helpers.display.player import player\n"
    "agent = load('../checkpoints/agent_4000_pas.safetensors')\n"
    "episode = play(agent, seed=0)\n"
    "player(episode, agent, epsilon=0.05)",
    "player(episode._replace(q_values=None))",
    "rule = lambda seen: 2 * (seen[:, 1] > 0)\n"
    "car = play(rule, limit=60, render_mode='rgb_array', env='MountainCar-v0')\n"
    "player(car, names='MountainCar-v0')",
)


def test_by_keyboard_and_by_mouse_each_player_alone(folder, browser, launcher):
    reader = open_code(folder, browser, launcher, *CODE)

    def told(selector, rank=0):
        text = reader.page.locator(selector).nth(rank).inner_text()
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    box = reader.page.locator(".cp-strip").nth(1).bounding_box()
    reader.page.mouse.click(box["x"] + 46 + (box["width"] - 56) / 2, box["y"] + 60)
    assert told(".cp-where") == "pas 178 sur 356 (3,56 s)"
    reader.page.keyboard.press("ArrowLeft")
    assert told(".cp-where") == "pas 177 sur 356 (3,54 s)"
    slider = reader.page.locator(".cp-player input[type=range]").first
    slider.press("Home")
    slider.press("ArrowRight")
    assert told(".cp-where") == "pas 1 sur 356 (0,02 s)"
    assert "0,050" in told(".cp-mind")
    assert "(gloutonne)" in told(".cp-mind")
    slider.press("End")
    assert told(".cp-where") == "pas 356 sur 356 (7,12 s) : chute de la tige"
    assert slider.get_attribute("aria-valuetext").replace("\u00a0", " ") == told(".cp-where")
    reader.page.keyboard.press("Space")  # rejoue depuis le début
    reader.page.wait_for_function("() => document.querySelector('.cp-player input').value < 300")
    reader.page.keyboard.press("Space")
    stopped = told(".cp-where")
    reader.page.wait_for_timeout(200)
    assert told(".cp-where") == stopped
    assert told(".cp-where", 1).startswith("pas 0 ")
    assert "Elle n’a pas de valeurs d’action" in told(".cp-player", 1)
    other = reader.page.locator(".cp-player").nth(2)
    other.locator("input[type=range]").press("ArrowRight")
    assert told(".cp-where", 2) == "pas 1 sur 60"
    assert "−1" in told(".cp-mind >> tr:has-text('retour cumulé')", 0)
    before = other.locator(".cp-picture").get_attribute("src")
    other.locator("input[type=range]").press("End")
    assert told(".cp-where", 2) == "pas 60 sur 60 : interrompu, retour −60"
    assert other.locator(".cp-picture").get_attribute("src") != before
    reader.settle()
    assert reader.blanks() == []
    reader.assert_fits()
    assert (reader.alarms(), reader.faults) == ([], [])
    reader.leave()
