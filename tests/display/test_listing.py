"""Le code montré : celui qui s'exécute, mot pour mot."""

import ast
import html
import importlib
import inspect
import io
import re
import textwrap
import tokenize
from importlib.util import find_spec
from pathlib import Path

import pytest

import cartpole_helpers
from cartpole_helpers import Training, one_page, td_loss, td_target, version1
from cartpole_helpers.display.listing import Listing, listing
from cartpole_helpers.training import Step

PACKAGE = Path(cartpole_helpers.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
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


def test_every_module_is_shown_as_its_file_with_or_without_its_comments():
    for name, path in MODULES.items():
        source = path.read_text("utf-8")
        if name.endswith(".stable_baselines") and not find_spec("stable_baselines3"):
            continue  # facultative
        module = importlib.import_module(name)
        assert listing(module).text.strip() == source.strip(), name
        bare = listing(module, comments=False).text
        assert ast.dump(ast.parse(bare)) == ast.dump(ast.parse(source)), name
        for token in tokenize.generate_tokens(io.StringIO(bare).readline):
            alone = token.line.lstrip().startswith("#")
            assert not (token.type == tokenize.COMMENT and alone), (name, token)


def test_only_the_lines_of_comment_are_removed():
    source, bare = inspect.getsource(tricky), listing(tricky, comments=False).text
    assert ast.dump(ast.parse(bare)) == ast.dump(ast.parse(source))
    removed = [line.strip() for line in source.splitlines() if line not in bare.splitlines()]
    assert removed == [
        "# Une ligne de commentaire,",
        "# puis une autre.",
        "# Au milieu d'un dictionnaire.",
    ]


def test_what_has_no_source_is_refused():
    for one in (len, "td_target", None):
        with pytest.raises(TypeError, match=r"^objects doit nommer des modules, .* reçu\.$"):
            listing(td_target, one)


def test_the_code_is_the_source_word_for_word_in_the_page_too():
    for one in [*SHOWN, tricky]:
        shown = listing(one)
        assert shown.text == repr(shown) == textwrap.dedent(inspect.getsource(one)).strip("\n")
        page = html.unescape(re.sub(r"<[^>]*>", "", shown._repr_html_()))
        assert page.rstrip("\n") == shown.text
    both = listing(td_loss, td_target).text
    assert both == f"{listing(td_loss).text}\n\n\n{listing(td_target).text}"
    page = Listing("x < 1 and '</pre><script>' or \"&\"")._repr_html_()
    assert "<script" not in page
    assert page.count("</pre>") == 1
