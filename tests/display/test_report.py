"""Un compte rendu : le même en texte et en HTML."""

from cartpole_helpers.display.report import INDENT, as_html, as_text

LINES = ("Titre : un", "✔ vu à `x < 1`", f"{INDENT}indice : `a` & b", "dernier `seul")


def test_the_text_keeps_the_lines_and_french_spaces():
    told = ["Titre\u00a0: un", LINES[1], f"{INDENT}indice\u00a0: `a` & b", LINES[3]]
    assert as_text(iter(LINES)).split("\n") == told


def test_the_page_has_a_bold_title_code_and_indents():
    title, *others = as_html(iter(LINES)).removesuffix("</p>").split("</p>")
    assert title == '<p style="margin: 0"><b>Titre\u00a0: un</b>'
    texts = ["✔ vu à <code>x &lt; 1</code>", "indice\u00a0: <code>a</code> &amp; b", LINES[3]]
    assert [one.partition(">")[2] for one in others] == texts
    assert ["0 0 0 2.2em;" in one for one in others] == [False, True, False]
