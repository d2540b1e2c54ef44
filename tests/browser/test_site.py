"""Le site, lu dans un vrai navigateur, réseau coupé : servi, puis comme de simples fichiers."""

import importlib.util
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote, unquote, urlsplit

import pytest
from pilot import ROOT, serious_faults

NOTEBOOKS = sorted(path.stem for path in ROOT.glob("notebooks/*.ipynb"))
PAGES = ("index", "apprendre", "notebooks/01_le_probleme", "notebooks/06_la_boucle_d_entrainement")
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll('.cp, .cp *')]
    .filter(box => box.getBoundingClientRect().right > innerWidth + 1 && !box.closest('svg, pre'))
    .map(box => box.outerHTML.slice(0, 80))"""
WAKE = """() => document.querySelectorAll('.cp[data-page]').forEach(place => {
    const script = document.createElement('script');
    const { content_root: root } = document.documentElement.dataset;
    script.src = `${root}_static/vivant/${place.dataset.page}.js`;
    document.head.append(script);
})"""
ANSWER = "() => document.querySelectorAll('.quiz').forEach(x => x.querySelector('input').click())"
LINK = re.compile(r'\b(?:href|src)="([^"]*)"')


class Quiet(SimpleHTTPRequestHandler):
    """Un serveur de fichiers qui se tait."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory, require):
    """Le dossier du site, tel que le fait `lancer.py site`."""
    for tool in ("furo", "myst_nb", "latex2mathml"):
        require(tool, importlib.util.find_spec(tool))
    folder = tmp_path_factory.mktemp("site") / "construit"
    subprocess.run([sys.executable, ROOT / "site" / "build.py", folder], check=True)
    return folder


@pytest.fixture(scope="module")
def served(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=["servi", "fichiers"])
def address(request, site, served):
    return served if request.param == "servi" else site.as_uri()


@pytest.fixture
def page(browser):
    """Une page neuve ; ni erreur, ni fichier absent, ni requête vers l'extérieur."""
    page, faults = browser.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.on("requestfailed", lambda request: faults.append(request.url))
    page.on("response", lambda answer: faults.append(answer.url) if answer.status >= 400 else None)
    page.on("request", lambda request: faults.extend(strangers(request.url)))
    yield page
    page.close()
    assert faults == []


def strangers(url):
    return [] if urlsplit(url).hostname in (None, "", "127.0.0.1") else [url]


def test_the_game_is_played_at_once_by_keyboard(page, address):
    page.goto(f"{address}/index.html")
    page.locator(".cp-game input[type=range]").press("End")
    page.locator(".cp-stage").click()
    for _ in range(4):  # pousser toujours du même côté : la tige tombe
        page.keyboard.press("ArrowRight")
    page.locator(".cp-game .cp-note", has_text="Chute de la tige").wait_for()


def test_the_search_ignores_accents_and_knows_plurals(page, address):
    found = []
    for word in ("équation", "equation", "ÉQUATIONS"):
        page.goto(f"{address}/search.html?q={quote(word)}")
        page.locator(".search-summary", has_text="trouvées").wait_for()
        found.append(sorted(page.locator("ul.search li a").all_inner_texts()))
    assert found[0] == found[1] == found[2]
    assert any("Glossaire" in title for title in found[0])


def test_a_notebook_shows_its_equations_films_and_code(page, address):
    page.goto(f"{address}/notebooks/00_prise_en_main.html")
    page.wait_for_function("() => document.querySelector('video').readyState > 0")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("button.copybtn").count() > 10
    page.locator("a.next-page").click()
    page.locator("h1", has_text="01 · Le problème").wait_for()
    formulas = page.locator("math").all_text_contents()
    assert len(formulas) > 30
    assert not any("\\" in formula for formula in formulas)
    assert "$" not in " ".join(page.locator("article p").all_text_contents())


def test_a_folded_cell_tells_what_it_folds(page, address):
    page.goto(f"{address}/notebooks/09_resoudre_et_tenir.html")
    fold = page.get_by_text("Ce que le carnet importe.")
    code = page.get_by_text("from dataclasses import replace")
    assert not code.is_visible()
    fold.first.click()
    assert code.is_visible()


def test_the_questions_are_answered_by_keyboard_and_counted(page, address):
    """Aux réponses C, B, A du premier carnet : une correction, puis une faute, puis juste."""
    page.goto(f"{address}/notebooks/00_prise_en_main.html")
    questions = page.get_by_role("group", name=re.compile(r"^\d\."))
    first, second, third = (x.get_by_role("status") for x in questions.all())
    questions.first.get_by_role("radio", name="A.").press("Space")
    assert first.inner_text().startswith("✘ Non.")
    for key in ("ArrowDown", "ArrowDown", "Tab", "Space", "Tab"):
        page.keyboard.press(key)
    assert first.inner_text().startswith("✔ Juste.")
    assert second.inner_text().startswith("✘ Non.")
    assert page.get_by_text("sur 3").count() == 0
    page.keyboard.press("Space")
    assert third.inner_text().startswith("✔ Juste.")
    assert page.get_by_role("status").last.inner_text() == "2 justes sur 3"
    page.keyboard.press("ArrowUp")  # de la première réponse à la dernière
    assert page.get_by_role("status").last.inner_text() == "1 juste sur 3"


def test_without_script_each_choice_unfolds_alone(page, address):
    page.route("**/quiz.js*", lambda route: route.fulfill(body=""))
    page.goto(f"{address}/notebooks/00_prise_en_main.html")
    folds = page.locator("details[name=q2]")
    folds.nth(0).locator("summary").press("Enter")
    folds.nth(1).locator("summary").press("Space")
    assert [fold.get_attribute("open") for fold in folds.all()] == [None, "", None]
    assert folds.nth(1).locator("math").first.bounding_box()["height"] > 5


def awake(page, address):
    """Ouvre une page, éveille ce qui y vit, répond, et rend les fautes graves qu'axe y voit."""
    page.goto(address)
    page.evaluate(WAKE)
    page.evaluate(ANSWER)
    page.wait_for_function("() => !document.querySelector('.cp[data-page]:not([data-alive])')")
    return serious_faults(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_fault(page, served, name):
    assert awake(page, f"{served}/{name}.html") == []  # axe relit les feuilles de style


@pytest.mark.parametrize("name", PAGES)
def test_neither_has_it_narrow_and_dark_where_nothing_overflows(page, served, name):
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 800})
    assert awake(page, f"{served}/{name}.html") == []
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", colour)[:3])) < 64


def test_the_first_page_is_light_and_so_is_the_whole(page, site, served):
    sizes = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{served}/index.html", wait_until="networkidle")
    assert sum(sizes) <= 1_000_000
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= 40_000_000


def test_every_notebook_is_there_and_every_link_arrives(site):
    assert sorted(path.stem for path in site.glob("notebooks/*.html")) == NOTEBOOKS
    for page in site.rglob("*.html"):
        links = map(urlsplit, LINK.findall(page.read_text("utf-8")))
        local = {unquote(link.path) for link in links if not link.scheme}
        assert [path for path in local if not (page.parent / path).exists()] == [], page
