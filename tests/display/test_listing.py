"""Le code montré : celui qui s'exécute, mot pour mot, lisible en clair comme en sombre."""

import ast
import functools
import html
import importlib
import inspect
import io
import re
import textwrap
import tokenize
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import cartpole_helpers
from cartpole_helpers import Training, one_page, td_loss, td_target, version1
from cartpole_helpers.display.listing import STYLE, Listing, listing
from cartpole_helpers.training import Step

PACKAGE = Path(cartpole_helpers.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
# Un module, des fonctions, une méthode, une propriété sans son nom, des classes.
SHOWN = [one_page, td_target, version1.train, Training.advance, Training.agent.fget, Step, Training]


def tricky(text):
    """Une fonction dont les chaînes imitent des commentaires.

    # Ceci n'en est pas un.
    """
    # Une ligne de commentaire,
    # puis une autre.
    marks = {  # en bout de ligne
        "dièse": "#",
        # Au milieu d'un dictionnaire.
        "balise": "<b>&amp;</b>",
    }
    quoted = f"""
# {text}
"""  # après une chaîne
    return marks, quoted


def same_tree(code, other):
    return ast.dump(ast.parse(code)) == ast.dump(ast.parse(other))


def comment_lines(code):
    """Les lignes qui ne sont que commentaire, trouvées par l'analyseur de Python."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    return [
        token.string
        for token in tokens
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    ]


def shown_text(shown):
    """Ce qu'on lit à l'écran, une fois les balises retirées."""
    return html.unescape(re.sub(r"<[^>]*>", "", shown._repr_html_()))


def test_every_module_is_shown_as_its_file_with_or_without_its_comments():
    for name, path in MODULES.items():
        source = path.read_text("utf-8")
        module = importlib.import_module(name)
        assert listing(module).text.strip() == source.strip(), name
        bare = listing(module, comments=False).text
        assert same_tree(bare, source), name
        assert comment_lines(bare) == [], name


def test_only_the_lines_of_comment_are_removed():
    source = textwrap.dedent(inspect.getsource(tricky))
    bare = listing(tricky, comments=False).text
    assert same_tree(bare, source)
    removed = [line.strip() for line in source.splitlines() if line not in bare.splitlines()]
    assert removed == [
        "# Une ligne de commentaire,",
        "# puis une autre.",
        "# Au milieu d'un dictionnaire.",
    ]
    for kept in ("    # Ceci n'en est pas un.", "# {text}", "{  # en bout de ligne"):
        assert kept in bare


def test_several_objects_follow_one_another_in_order():
    text = listing(td_loss, td_target).text
    assert text == f"{listing(td_loss).text}\n\n\n{listing(td_target).text}"
    names = [node.name for node in ast.parse(text).body]
    assert names == ["td_loss", "td_target"]


def test_a_function_written_in_a_cell_is_shown():
    shell = InteractiveShell.instance()
    shell.run_cell("def double(x):\n    # deux fois\n    return 2 * x\n")
    assert listing(shell.user_ns["double"]).text.endswith("# deux fois\n    return 2 * x")


def test_what_has_no_source_is_refused():
    for one in (len, "td_target", None, functools.partial(td_target), type("Sans", (), {})):
        with pytest.raises(TypeError, match=r"^objects doit nommer des modules, .* reçu\.$"):
            listing(td_target, one)


# À l'écran


def test_the_code_is_the_source_word_for_word_in_the_page_too():
    for one in [*SHOWN, tricky]:
        shown = listing(one)
        assert shown.text == repr(shown) == textwrap.dedent(inspect.getsource(one)).strip("\n")
        assert shown_text(shown).rstrip("\n") == shown.text


def test_code_is_escaped():
    page = listing(tricky)._repr_html_()
    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in page
    assert "<b>" not in page
    page = Listing("x < 1 and '</pre><script>' or \"&\"")._repr_html_()
    assert "<script" not in page
    assert page.count("</pre>") == 1


def test_colours_follow_the_theme_of_the_reader():
    page = listing(version1)._repr_html_()
    styles = re.findall(r'style="([^"]*)"', page)
    colours = {style for style in styles if style.startswith("color")}
    assert len(colours) == 5
    assert all(re.fullmatch(r"color: var\(--jp-[a-z-]+\)", colour) for colour in colours)
    assert set(styles) - colours == {STYLE}
    assert not re.search(r"#[0-9a-f]{3,6}\b|\brgb", " ".join(styles), re.IGNORECASE)
    assert set(re.findall(r"<(\w+)", page)) == {"pre", "span"}


def test_each_kind_of_word_has_its_colour():
    page = html.unescape(Listing("for x in range(3) and 'a':  # trois")._repr_html_())
    coloured = re.findall(r'-(\w+)-color\)">([^<]*)<', page)
    found = {
        colour: "".join(text for kind, text in coloured if kind == colour) for colour, _ in coloured
    }
    assert found == {
        "keyword": "forinand",
        "builtin": "range",
        "number": "3",
        "string": "'a'",
        "comment": "# trois",
    }
