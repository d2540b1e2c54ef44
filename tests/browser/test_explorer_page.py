"""Les curseurs sur une étude archivée, dans un vrai JupyterLab."""

import os

import pytest
from pilot import open_code

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C ne s'envoie ainsi que sous Unix.")

CODE = (
    "from cartpole_helpers import load_study\n"
    "from cartpole_helpers.display.explorer import explorer\n"
    "explorateur = explorer(load_study('../etudes/reglages.csv'))\nexplorateur"
)


def test_the_archive_answers_at_once_and_the_button_trains_for_real(folder, browser, launcher):
    reader = open_code(folder, browser, launcher, CODE)
    before = reader.page.locator(".cp-verdict").inner_text()
    slider = reader.page.locator("input[name=target_rate]")
    slider.press("Home")
    assert reader.page.locator(".cp-verdict").inner_text() != before
    assert slider.get_attribute("aria-valuetext") == "0,002"
    slider.press("ArrowRight")
    assert reader.page.locator(".cp-verdict").inner_text() == before
    assert reader.page.locator(".cp-keys li").count() == 3  # dont la médiane d'avant
    reader.button("L’entraîner pour de vrai").click()
    reader.wait_text(".cp-explorer", "Entraînement en cours")
    reader.button("Arrêter").click()
    reader.wait_text(".cp-explorer", "Entraînement arrêté")
    reader.button("L’entraîner pour de vrai").click()
    reader.wait_text(".cp-explorer", "Entraînement fini")
    keys = reader.page.locator(".cp-keys li").all_inner_texts()
    assert keys[-2:] == ["graine 0, archivée", "graine 0, pour de vrai"]
    reader.assert_fits()
    assert reader.faults == []
    reader.leave()
