"""La page où un DQN apprend, ouverte depuis un fichier, sans réseau : elle apprend, et répond."""

import re
from urllib.parse import urlsplit

import pytest
from pilot import START

from cartpole_helpers.teaching.learner import learner

HTML = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Apprendre</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
    "<body>{}</body></html>"
)
POINTS = "document.querySelectorAll('.cp-chart circle').length >= {}"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
REFUSED = "window.Worker = class { constructor() { throw new Error('refusé'); } };"


@pytest.fixture
def opened(browser, tmp_path):
    """`opened(script)` ouvre la page, `script` passé d'abord ; rien d'anormal ne doit s'y voir."""
    pages, faults = [], []
    file = tmp_path / "apprendre.html"
    file.write_text(HTML.format(learner()), "utf-8")

    def on_request(request):
        if urlsplit(request.url).scheme not in ("file", "blob", "data"):
            faults.append(f"requête : {request.url}")

    def open_page(script=""):
        page = browser.new_page()
        pages.append(page)
        page.on("request", on_request)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: said.type == "error" and faults.append(said.text))
        page.add_init_script(script)
        page.goto(file.as_uri())
        return page

    browser.set_offline(True)
    yield open_page
    browser.set_offline(False)
    for page in pages:
        page.close()
    assert faults == []


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def wait_end(page):
    page.get_by_role("button", name="Entraîner", exact=True).wait_for(timeout=5 * START)


def test_it_learns_from_a_file_and_answers_meanwhile(opened):
    page = opened()
    press(page, "Entraîner")
    page.wait_for_function(POINTS.format(1))
    press(page, "Figer l’agent")  # pendant qu'elle apprend, elle répond
    assert page.get_by_role("button", name="Montrer l’agent").is_visible()
    assert page.get_by_role("button", name="Arrêter", exact=True).is_visible()
    wait_end(page)
    note = page.locator(".cp-head [role=status]").inner_text()
    assert re.match(r"Seuil de 475 atteint au pas", note)
    assert "rien d’anormal" in page.locator(".cp-diagnosis").inner_text()
    assert page.locator(".cp-chart circle").count() >= 29

    page.get_by_label("Provoquer l’oubli").check()
    assert page.locator("input[type=range]:disabled").count() == 1  # la mémoire
    press(page, "Autre graine")
    press(page, "Entraîner")
    page.wait_for_function(POINTS.format(2))
    press(page, "Arrêter")
    wait_end(page)
    assert page.locator(".cp-keys li").all_inner_texts() == [
        "graine 0",
        "graine 1, oubli provoqué",
        "à partir d’ici, les chutes n’entrent plus en mémoire",
    ]
    press(page, "Effacer les essais")
    assert page.locator(".cp-keys li").count() == 0

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVERFLOW) == 0


def test_without_a_thread_it_learns_by_slices_and_a_fault_is_named(opened):
    """Le navigateur refuse le fil à part ; le clavier met le taux d'apprentissage au plus haut."""
    page = opened(REFUSED)
    page.get_by_label("taux d’apprentissage (learning_rate)").press("End")
    press(page, "Entraîner")
    page.wait_for_function(POINTS.format(1))
    assert "par petites tranches" in page.locator(".cp-head [role=status]").inner_text()
    title = page.locator(".cp-diagnosis h4")
    title.filter(has_text=re.compile("trop grand|explosent")).wait_for()
    press(page, "Arrêter")
    assert "learning_rate = 0,5" in page.locator(".cp-keys").inner_text()
