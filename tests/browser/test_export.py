"""Les carnets exportés en une page, réseau coupé : ce qui s'y manipule vit encore."""

import subprocess
import sys

import pytest
from pilot import ROOT

# Par carnet : ce que l'on y cherche, et ce que l'on y fait pour voir la page répondre.
PAGES = {
    "01_le_probleme": (".cp-game", "button:has-text('Laisser jouer')", ".cp-note", "joue"),
    "06_la_boucle_d_entrainement": (".cp-panel", "button:has-text('Un tour')", ".cp-note", "noyau"),
    "07_la_boucle_de_test": (".cp-player", "button:has-text('+ 1 pas')", ".cp-where", "pas\u00a01"),
    "08_version_2": (".cp-explorer", "button.cp-main", ".cp-alert", "noyau"),
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Ce que « Exporter en HTML » donne des carnets enregistrés, d'après les réglages de .venv."""
    folder = tmp_path_factory.mktemp("exportés")
    notebooks = [str(ROOT / "notebooks" / f"{name}.ipynb") for name in PAGES]
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level=ERROR"]
    subprocess.run([*command, f"--output-dir={folder}", *notebooks], check=True)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_the_exported_page_lives_without_kernel_or_network(browser, exported, name):
    place, click, told, answer = PAGES[name]
    page, faults = browser.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((exported / f"{name}.html").as_uri(), wait_until="domcontentloaded")
    island = page.locator(place).first
    island.scroll_into_view_if_needed()
    island.locator(click).first.click()
    island.locator(told, has_text=answer).first.wait_for()
    assert island.locator("img").count() == 0  # l'image de repli a cédé la place
    # `MathJax` et `require.js`, que `nbconvert` prend au réseau, manquent, et rien d'autre.
    assert [fault for fault in faults if "require" not in fault and "MathJax" not in fault] == []
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_exported_figures_are_described(browser, exported, name):
    page = browser.new_page()
    page.goto((exported / f"{name}.html").as_uri(), wait_until="domcontentloaded")
    told = page.locator(".jp-RenderedImage img").evaluate_all("all => all.map(one => one.alt)")
    assert told
    assert all(len(one) > 20 and "No description" not in one for one in told)
    page.close()
