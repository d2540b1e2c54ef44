"""Bâtit les diapositives de l'enseignant : une page par séance, sans réseau, et ses PDF."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from html import escape
from pathlib import Path
from struct import unpack

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DECKS = HERE / "diapos"
OUTPUT = HERE / "construit"
sys.path[:0] = [str(ROOT), str(ROOT / "site")]

import living
from playwright.sync_api import sync_playwright

from cartpole_helpers.display.typography import typography

FIGURE = re.compile(r'^!\[\]\(carnet:(\d\d) "([^"\n]+)"\)(?:\{\.(\w+)\})?$', re.MULTILINE)
LIVING = re.compile(r"^```\{vivant\} (\S+)\n```$", re.MULTILINE)
ALONE = """<!DOCTYPE html>
<html lang="fr" data-theme="light"><meta charset="utf-8"><title>{}</title>
<style>
body {{ margin: 0; zoom: 1.6; }}
body:has(.cp-learn) {{ zoom: 1.4; }}
.cp :is(.cp-settings, .cp-forget, .cp-diagnosis, .cp-beside button) {{ display: none; }}
.cp .cp-learn .cp-head {{ grid-column: 1; }}
</style>
{}</html>
"""
UNUSED = shutil.ignore_patterns(  # de reveal.js, puis de Sphinx
    *("*.map", "*.esm.js", "css", "*.css.map", "highlight", "markdown", "math", "search", "zoom"),
    *(".*", "_sources", "objects.inv", "search.html", "searchindex.js"),
)
PATIENCE = 180_000  # ms, pour une machine chargée
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
PAPER = {"prefer_css_page_size": True, "print_background": True, "tagged": True, "outline": True}
PRINTS = {"": "?print-pdf", "_notes": "?print-pdf&showNotes=separate-page"}
USAGE = "Tapez « classe diapos », ou « classe diapos DOSSIER »."
BY_HAND = (
    "Sans Chromium, le PDF se fait à la main : ouvrez la page dans un navigateur, ajoutez "
    f"{PRINTS['']} à son adresse, puis imprimez en PDF, sans marges, avec les arrière-plans."
)


class StaleDeckError(Exception):
    """Un jeu de diapositives cite ce que les carnets ne montrent pas, ou plus."""


def figures(number: str) -> dict[str, bytes]:
    """Rend les figures enregistrées d'un carnet : leur texte de remplacement, leur image."""
    notebooks = [*ROOT.glob(f"notebooks/{number}_*.ipynb")]
    if len(notebooks) != 1:
        raise StaleDeckError(f"Le carnet {number} n'existe pas.")
    cells = json.loads(notebooks[0].read_text("utf-8"))["cells"]
    return {
        output["metadata"]["image/png"]["alt"]: b64decode(output["data"]["image/png"])
        for cell in cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }


def cited(number: str, title: str) -> tuple[str, bytes]:
    """Rend la seule figure du carnet dont le texte de remplacement commence par `title`."""
    stored = figures(number).items()
    found = [(alt, image) for alt, image in stored if alt.startswith(typography(title))]
    if len(found) != 1:
        raise StaleDeckError(
            f"Le carnet {number} doit avoir une figure, et une seule, dont le titre commence par "
            f"« {title} » : il en a {len(found)}. Relisez la figure, puis la diapositive."
        )
    return found[0]


def staged(text: str, stage: Path) -> str:
    """Rend le Markdown d'un jeu, ses figures et ses pages vivantes rangées sous `stage`."""

    def figure(found: re.Match) -> str:
        number, title, look = found.groups()
        alt, image = cited(number, title)
        name = f"_static/{number}_{hashlib.sha256(alt.encode()).hexdigest()[:8]}.png"
        (stage / name).write_bytes(image)
        width, height = unpack(">II", image[16:24])  # l'en-tête d'un PNG
        style = f' style="--forme: {width / height}"' if look else ""
        return f'<img class="figure {look or ""}"{style} src="{name}" alt="{escape(alt)}">'

    def alive(found: re.Match) -> str:
        name = found[1]
        page = ALONE.format(name, living.PAGES[name]())
        (stage / f"_static/{name}.html").write_text(page, "utf-8")
        return f'<iframe src="_static/{name}.html" title="{name}"></iframe>'

    return LIVING.sub(alive, FIGURE.sub(figure, typography(text)))


def gather(stage: Path) -> None:
    """Réunit dans `stage` les jeux, leurs figures, et le code qu'ils citent."""
    (stage / "_static").mkdir()
    for file in (DECKS / "diapos.css", ROOT / "site/_static/stix-two-math.woff2"):
        shutil.copy(file, stage / "_static")
    for module in ROOT.glob("cartpole_helpers/*.py"):
        shutil.copy(module, stage)
    for deck in DECKS.glob("*.md"):
        (stage / deck.name).write_text(staged(deck.read_text("utf-8"), stage), "utf-8")


def print_pages(output: Path) -> None:
    """Imprime chaque page en PDF, sans puis avec ses notes ; sans Chromium, dit comment faire."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print(BY_HAND)
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, timeout=PATIENCE)
        for deck in DECKS.glob("*.md"):
            for suffix, query in PRINTS.items():
                page = browser.new_page()
                page.set_default_timeout(PATIENCE)
                page.goto((output / f"{deck.stem}.html").as_uri() + query)
                page.wait_for_selector(".pdf-page", state="attached")
                page.pdf(path=output / f"{deck.stem}{suffix}.pdf", **PAPER)
                page.close()
        browser.close()


def build(output: Path) -> None:
    """Met dans `output` une page par jeu ; un avertissement de Sphinx est une erreur."""
    with tempfile.TemporaryDirectory() as folder:
        stage, html = Path(folder, "pages"), Path(folder, "html")
        stage.mkdir()
        gather(stage)
        sphinx = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "revealjs"]
        if code := subprocess.run([*sphinx, "-c", DECKS, stage, html]).returncode:
            sys.exit(code)
        shutil.copytree(stage / "_static", html / "_static", dirs_exist_ok=True)
        shutil.copytree(html, output, dirs_exist_ok=True, ignore=UNUSED)


def main(arguments: list[str]) -> int | str:
    """Bâtit les diapositives dans le dossier donné ; rend 0, ou la phrase qui dit l'échec."""
    if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
        return USAGE
    output = Path(*arguments).resolve() if arguments else OUTPUT
    print("Les diapositives se bâtissent, en une minute ou deux…", flush=True)
    try:
        build(output)
    except StaleDeckError as error:
        return str(error)
    print_pages(output)
    for page in sorted(output.glob("*.html")):
        print(f"Ouvrez : {page.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
