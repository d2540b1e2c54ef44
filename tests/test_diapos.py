"""Les diapositives : leurs figures, leurs nombres, et des pages qui se passent du réseau."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DECKS = sorted((ROOT / "enseignant" / "diapos").glob("*.md"))
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
EXEMPT = re.compile(  # le code, les figures, les choix d'un pari, les renvois aux carnets
    r"^```.*?^```$|!\[\]\(.*?\)|^- \*\*[A-D]\.\*\*.*$|^\*Carnet.*?\*$|^\d\. ", re.M | re.S
)


@pytest.fixture(scope="module")
def diapos(require):
    for tool in ("sphinx_revealjs", "latex2mathml", "playwright"):
        require(tool, importlib.util.find_spec(tool))
    sys.path.append(str(ROOT / "enseignant"))
    import diapos

    return diapos


def numbers(text: str) -> set[str]:
    """Les nombres d'un texte, virgule décimale et milliers d'un seul tenant."""
    text = re.sub(r"(?<=\d)[\s_](?=\d{3}\b)", "", text.replace("{,}", ","))
    return {found.replace(".", ",") for found in NUMBER.findall(text)}


def told(number: str) -> set[str]:
    """Les nombres qu'un carnet écrit ou imprime."""
    (path,) = ROOT.glob(f"notebooks/{number}_*.ipynb")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        texts.append("".join(output.get("text", output.get("data", {}).get("text/plain", ""))))
    return numbers("\n".join(texts))


def slides(deck: Path) -> list[str]:
    return re.split(r"^##? ", deck.read_text("utf-8"), flags=re.M)[1:]


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.stem)
def test_every_number_is_one_that_the_cited_notebook_tells(deck):
    for slide in slides(deck):
        (source,) = re.findall(r"^\*Carnets? (.*?)\*$", slide, re.M)
        cited = [told(one) for one in re.findall(r"\b\d\d\b", source)]
        strange = numbers(EXEMPT.sub("", slide)) - set().union(*cited)
        assert not strange or "se calcule" in source, (slide.splitlines()[0], strange)


@pytest.mark.parametrize("deck", DECKS, ids=lambda deck: deck.stem)
def test_a_bet_comes_before_what_settles_it(deck):
    for slide, after in zip(slides(deck), slides(deck)[1:], strict=False):
        if "{.pari}" in slide:
            assert slide.startswith("Pari")
            assert len(re.findall(r"^- \*\*[A-D]", slide, re.M)) > 2
            assert not after.startswith("Pari"), slide.splitlines()[0]


def test_a_figure_that_the_notebook_lost_is_refused(diapos, tmp_path):
    (tmp_path / "_static").mkdir()
    for citation in ('04 "Une figure disparue"', '04 "Dernier tiers"', '99 "Rien"'):
        with pytest.raises(diapos.StaleDeckError, match=citation[:2]):
            diapos.staged(f"![](carnet:{citation})", tmp_path)


def test_an_option_makes_no_folder(diapos):
    assert diapos.main(["--help"]) == diapos.USAGE


def test_the_pages_show_every_figure_told_in_words_and_ask_nothing_of_the_network(diapos, tmp_path):
    diapos.build(tmp_path)
    for deck in DECKS:
        page = (tmp_path / deck.name).with_suffix(".html").read_text("utf-8")
        images = re.findall(r"<img [^>]*>", page)
        assert len(images) == deck.read_text("utf-8").count("](carnet:")
        assert all(re.search(r' alt="[^"]{30,}"', image) for image in images)
        for asked in re.findall(r'(?:src|href)="([^"#?]+)', page):
            assert (tmp_path / asked).is_file(), asked
    styles = "".join(file.read_text("utf-8") for file in tmp_path.rglob("*.css"))
    for asked in re.findall(r"(?:@import|url\()\s*[\"']?([^\"')]+)", styles):
        assert not re.match(r"https?:|//", asked), asked
