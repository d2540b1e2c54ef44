"""L'épisode rejoué dans un vrai navigateur : un fichier seul, sans réseau, au clavier."""

import numpy as np
import pytest
from pilot import ROOT, open_code

from cartpole_helpers import load, play
from cartpole_helpers.display.player import player

CODE = (
    "from cartpole_helpers import load, play",
    "from cartpole_helpers.display.player import player",
    "agent = load('../checkpoints/agent_400_pas.safetensors')",
    "player(play(agent, seed=0), agent)",
)
WAITED = "text => document.querySelector('.cp-where').textContent.includes(text)"
SLIDER = "input[type=range]"
CLOCK = "() => performance.now()"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Deux fois le même épisode, puis un autre, sans valeurs d'action, dans une page HTML."""
    agent = load(ROOT / "checkpoints/agent_4000_pas.safetensors")
    episode = play(agent, seed=0)
    q = episode.q_values.copy()
    q[7] = np.nan
    episode = episode._replace(q_values=q)
    one, other = player(episode, agent, epsilon=0.05), player(episode._replace(q_values=None))
    path = tmp_path_factory.mktemp("page") / "épisode.html"
    parts = [one.frozen(), one.frozen(), other.frozen()]
    path.write_text("<!doctype html><meta charset=utf-8>\n" + "\n".join(parts), "utf-8")
    return path


@pytest.fixture
def page(browser, file):
    """Le fichier, ouvert ; à la fin, rien n'a été demandé au réseau et rien n'a failli."""
    page, faults = browser.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url))
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.goto(file.as_uri())
    yield page
    own = ("data:", file.as_uri())
    assert [fault for fault in faults if not fault.startswith(own)] == []
    page.close()


def where(page, rank=0):
    """L'instant affiché : « pas 137 sur 356 (2,74 s) »."""
    return page.locator(".cp-where").nth(rank).inner_text().replace("\u00a0", " ")


def mind(page):
    text = page.locator(".cp-mind").first.inner_text()
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_keys_move_through_the_episode(page):
    slider = page.locator(SLIDER).first
    assert where(page) == "pas 0 sur 356 (0,00 s)"
    slider.press("ArrowRight")
    assert where(page) == "pas 1 sur 356 (0,02 s)"
    assert "0,050" in mind(page)
    assert "(gloutonne)" in mind(page)
    before = mind(page)
    slider.press("PageUp")
    assert mind(page) != before
    slider.press("End")
    assert where(page) == "pas 356 sur 356 (7,12 s) : chute de la tige"
    assert slider.get_attribute("aria-valuetext").replace("\u00a0", " ") == where(page)
    slider.press("Home")
    assert where(page) == "pas 0 sur 356 (0,00 s)"


def test_it_plays_pauses_and_plays_again(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('input').value > 5")
    page.locator(SLIDER).first.press("Space")
    stopped = where(page)
    page.wait_for_timeout(200)
    assert where(page) == stopped
    page.locator("select").first.select_option("0.1")
    page.locator(SLIDER).first.press("End")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('input').value < 100")
    page.keyboard.press("Space")


def test_the_slow_motion_is_slow(page):
    """À vitesse × 0,1, un pas dure au moins 0,2 s à l'horloge de la page."""
    page.locator("select").first.select_option("0.1")
    start = page.evaluate(CLOCK)
    page.locator("button").first.click()
    page.wait_for_function("() => document.querySelector('input').value > 2")
    page.locator("button").first.click()
    seconds = (page.evaluate(CLOCK) - start) / 1000
    assert int(page.locator(SLIDER).first.input_value()) <= seconds / 0.2


def test_a_click_on_a_curve_goes_there(page):
    box = page.locator(".cp-strip").nth(1).bounding_box()
    page.mouse.click(box["x"] + 46 + (box["width"] - 56) / 2, box["y"] + 60)
    assert where(page) == "pas 178 sur 356 (3,56 s)"
    page.keyboard.press("ArrowLeft")
    assert where(page) == "pas 177 sur 356 (3,54 s)"


def test_a_value_that_is_not_finite_is_said_and_nothing_overflows(page):
    for _ in range(7):
        page.locator(SLIDER).first.press("ArrowRight")
    assert mind(page).count("non fini") == 4
    for width in (1280, 800, 420):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_each_player_of_a_page_lives_alone(page):
    assert page.locator(".cp-player").count() == 3
    assert page.locator("img").count() == 0
    page.locator(SLIDER).nth(1).press("End")
    assert [where(page, rank)[:5] for rank in range(3)] == ["pas 0", "pas 3", "pas 0"]
    assert page.locator(".cp-push-right").count() == 2
    last = page.locator(".cp-player").nth(2).inner_text().replace("\u00a0", " ")
    assert "Elle n’a pas de valeurs d’action" in last
    assert "Aucune politique n’a été donnée" in last


def test_jupyterlab_leaves_it_its_keys(folder, browser, launcher):
    reader = open_code(folder, browser, launcher, "\n".join(CODE))
    box = reader.page.locator(".cp-strip").first.bounding_box()
    reader.page.mouse.click(box["x"] + 60, box["y"] + 60)
    for key in ("Home", "ArrowRight", "ArrowRight"):
        reader.page.keyboard.press(key)
    reader.page.wait_for_function(WAITED, arg="pas\u00a02 sur")
    reader.page.keyboard.press("Space")
    reader.page.wait_for_function(WAITED, arg="chute de la tige")
    reader.assert_fits(".cp-player", "lecteur")
    assert (reader.alarms(), reader.faults) == ([], [])
    reader.leave()
