"""Les liens du README, des carnets et de leurs voisins aboutissent ; les films sont légers."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *NOTEBOOKS]
MEDIA_LIMIT = 300_000  # octets

FENCE = re.compile(r"^[ >]*(```+|~~~+).*?^[ >]*\1", re.M | re.S)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
MARKDOWN = re.compile(r"\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]^][^\]]*\]:\s*<?(\S+?)>?(?:\s|$)", re.M)
HTML = re.compile(r"<[^>]+?\b(?:src|href|poster)\s*=\s*[\"']([^\"']+)[\"']", re.I)
SCRIPT = re.compile(r"<script\b.*?</script>", re.I | re.S)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)  # https:, mailto:, data:
ANCHOR = re.compile(r"<[^>]+?\b(?:id|name)\s*=\s*[\"']([^\"']+)[\"']", re.I)
NAMED = re.compile(r"\]\{#([\w-]+)\}")  # « [mot]{#ancre} », dans les pages du site
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.M)


def texts(path):
    """Le Markdown et le HTML de la page, sans les blocs de code."""
    if path.suffix == ".md":
        return [FENCE.sub("", path.read_text("utf-8"))]
    shown = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            shown.append(FENCE.sub("", cell.source))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            kinds = [kind for kind in ("text/html", "text/markdown") if kind in data]
            shown += [SCRIPT.sub("", data[kind]) for kind in kinds]
    return shown


def links(path):
    """Les adresses locales de la page : fichiers et ancres."""
    found = [
        x
        for text in texts(path)
        for rule in (MARKDOWN, REFERENCE, HTML)
        for x in rule.findall(CODE.sub("", text))
    ]
    return [unquote(link) for link in found if not ELSEWHERE.match(link)]


def anchors(path):
    """Les ancres d'une page : celles que GitHub ou JupyterLab tirent des titres, et les autres."""
    whole = "\n".join(texts(path))
    titles = [re.sub(r"\]\([^)]*\)|[*_`\[]", "", title) for title in HEADING.findall(whole)]
    if path.suffix == ".ipynb":
        slugs = [title.replace(" ", "-") for title in titles]
    else:
        slugs = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    return {*slugs, *ANCHOR.findall(whole), *NAMED.findall(whole)}


def broken(path, known):
    """Les liens de la page qui ne mènent à aucun fichier de `known`, ou à aucune ancre."""
    for link in links(path):
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        exists = target in known or any(target in file.parents for file in known)
        if not exists:
            yield f"{link} : pas de tel fichier dans le projet"
        elif anchor and target.suffix in (".md", ".ipynb") and anchor not in anchors(target):
            yield f"{link} : pas de telle ancre"


@pytest.fixture(scope="module")
def project_files(require):
    """Les fichiers que git suit ou suivra : les autres n'existent que sur cette machine."""
    require("git", shutil.which("git") and (ROOT / ".git").exists())
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {path for name in listing.split("\0") if name and (path := ROOT / name).exists()}


def test_links_lead_somewhere(project_files):
    assert NOTEBOOKS
    assert links(ROOT / "README.md")
    found = {path.name: list(broken(path, project_files)) for path in PAGES}
    assert {name: links for name, links in found.items() if links} == {}


def test_films_and_pictures_are_light():
    media = [path for path in (ROOT / "videos").rglob("*") if path.is_file()]
    assert media
    assert {path.name for path in media if path.stat().st_size >= MEDIA_LIMIT} == set()


PAGE = """\
# Le départ `train` : où ?

[ici](other.md) [là](other.md#un-titre) ![vue](vue_(1).png "Vue : une") <img src="vue_(1).png">
[haut](#le-départ-train--où-) [loin](https://a.fr) <a id="but"></a> [but](#but)
[dossier](sub) `[x](y)` [deux][ref]

[ref]: sub/a.txt
"""


BROKEN = (
    "[a](absent.md)",
    "![a](absent.png)",
    "[a](#absent)",
    "[a](other.md#absent)",
    '<video src="absent.mp4"></video>',
    "<a href='#absent'>a</a>",
    "[![vue](absent.webp)](other.md)",
    "[r]: absent.md",
)


def test_good_links_are_accepted_and_broken_ones_refused(tmp_path):
    files = {"page.md": PAGE, "other.md": "## Un titre", "vue_(1).png": "", "sub/a.txt": ""}
    (tmp_path / "sub").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    path, known = tmp_path / "page.md", {tmp_path / name for name in files}
    assert len(links(path)) == 8
    assert list(broken(path, known)) == []
    for link in BROKEN:
        path.write_text(PAGE + link)
        assert len(list(broken(path, known))) == 1, link
