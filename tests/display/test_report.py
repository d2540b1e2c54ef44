"""Un compte rendu : le même en texte et en HTML."""

from cartpole_helpers.display.report import INDENT, as_html, as_text

LINES = ("Titre : un", "✔ vu à `x < 1`", f"{INDENT}indice : `a` & b", "dernier `seul")


def test_the_text_keeps_the_lines_and_french_spaces():
    assert as_text(iter(LINES)).split("\n") == [
        "Titre\u00a0: un",
        "✔ vu à `x < 1`",
        f"{INDENT}indice\u00a0: `a` & b",
        "dernier `seul",
    ]


def test_the_page_has_a_bold_title_code_and_indents():
    title, *others = as_html(iter(LINES)).removesuffix("</p>").split("</p>")
    assert title == '<p style="margin: 0"><b>Titre\u00a0: un</b>'
    texts = [one.partition(">")[2] for one in others]
    assert texts == [
        "✔ vu à <code>x &lt; 1</code>",
        "indice\u00a0: <code>a</code> &amp; b",
        "dernier `seul",
    ]
    assert ["0 0 0 2.2em;" in one for one in others] == [False, True, False]


def test_a_title_alone_is_enough():
    assert as_text(["seul"]) == "seul"
    assert as_html(["a < b"]) == '<p style="margin: 0"><b>a &lt; b</b></p>'
