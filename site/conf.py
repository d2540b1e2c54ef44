"""Le site du cours, bâti par Sphinx : ses pages, les carnets enregistrés, la référence de l'API."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import french  # noqa: E402
import living  # noqa: E402
import maths  # noqa: E402
from docutils import nodes  # noqa: E402
from docutils.parsers.rst import directives  # noqa: E402
from sphinx import addnodes  # noqa: E402
from sphinx.search import languages  # noqa: E402
from sphinx.util.docutils import SphinxDirective  # noqa: E402

# Les couleurs, claires puis sombres ; celles du code cité ont les noms que leur donne JupyterLab.
COLOURS = {
    "color-brand-primary": ("#00639c", "#6cbcf0"),
    "color-brand-content": ("#00639c", "#6cbcf0"),
    "color-brand-visited": ("#7a3d78", "#d7a5d5"),
    "on-brand": ("#ffffff", "#0b1a24"),
    "jp-mirror-editor-keyword-color": ("#7928a1", "#dcc6e0"),
    "jp-mirror-editor-builtin-color": ("#00639c", "#6cbcf0"),
    "jp-mirror-editor-string-color": ("#1b6d2c", "#abe338"),
    "jp-mirror-editor-number-color": ("#a8480d", "#ffb86c"),
    "jp-mirror-editor-comment-color": ("#5f6368", "#b4b8bf"),
    "jp-mirror-editor-operator-color": ("#7928a1", "#dcc6e0"),
}


def colours(theme: int) -> dict[str, str]:
    """Rend les couleurs d'un thème, 0 pour le clair, 1 pour le sombre."""
    return {name: pair[theme] for name, pair in COLOURS.items()}


project = html_title = "Le deep Q-learning sur CartPole"
language = "fr"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
default_role = "code"
smartquotes = False  # il fermerait en guillemet l'apostrophe qui précède du gras
suppress_warnings = ["mystnb.unknown_mime_type"]
exclude_patterns = ["README.md"]

html_theme = "furo"
html_theme_options = {
    "navigation_with_keys": False,  # les flèches poussent le chariot
    "top_of_page_buttons": [],
    "light_css_variables": colours(0),
    "dark_css_variables": colours(1),
}
html_static_path = ["_static"]
html_favicon = "_static/icone.svg"
html_css_files = ["vivant.css", "site.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("site.js", "quiz.js")]
templates_path = [str(HERE / "_templates")]
html_math_renderer = "mathml"
html_copy_source = html_show_sourcelink = html_show_search_summary = False
html_use_index = html_domain_indices = False

copybutton_selector = ".highlight pre"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
add_module_names = False
languages["fr"] = french.FoldedFrench


class Living(SphinxDirective):
    """`{vivant} nom` : l'une des pages de living.PAGES ; `:vite:`, son code précède tout."""

    required_arguments = 1
    option_spec = {"vite": directives.flag}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        up = "../" * self.env.docname.count("/")
        html = living.apart(living.PAGES[self.arguments[0]](), up, Path(self.env.srcdir))
        if "vite" in self.options:
            code = living.FOLDER + "/" + re.search(r'data-page="(\w+)"', html)[1] + ".js"
            html = f'<link rel="preload" as="script" href="{up}{code}">{html}'
        return [nodes.raw("", html, format="html")]


class References(SphinxDirective):
    """`{references}` : auteurs | année | titre | revue | adresse | qui la cite | ce qu'elle dit."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        items = [self.item(*map(str.strip, line.split("|"))) for line in self.content]
        return [nodes.bullet_list("", *items, classes=["sources"])]

    def item(
        self, authors: str, year: str, title: str, where: str, url: str, cited: str, said: str
    ) -> nodes.list_item:
        named = nodes.emphasis("", title, classes=["titre"])
        parts = [nodes.Text(f"{authors} ({year}). "), nodes.reference("", "", named, refuri=url)]
        parts.append(nodes.Text(f". {where}. {said} "))
        if cited:
            names = [self.place(name) for name in re.split("(, )", cited)]
            parts.append(nodes.inline("", "Cité : ", *names, classes=["cite"]))
        name = nodes.make_id(f"{authors.split()[0]} {authors.split()[-1]} {year}")
        return nodes.list_item("", nodes.paragraph("", "", *parts), ids=[name])

    def place(self, name: str) -> nodes.Node:
        return nodes.Text(name) if " " in name else nodes.literal("", name)


def play_films(app, tree: nodes.document) -> None:
    """Laisse le navigateur montrer un film, au lieu de le télécharger."""
    for link in [*tree.findall(addnodes.download_reference)]:
        if link["reftarget"].endswith(".mp4"):
            film = nodes.reference("", "", *link.children, refuri=link["reftarget"])
            link.replace_self(film)


def name_folds(app, tree: nodes.document) -> None:
    """Nomme un code replié par sa première ligne, qui dit pourquoi il l'est."""
    for cell in tree.findall(lambda node: isinstance(node, nodes.Element) and "hide_mode" in node):
        first, *_ = cell.next_node(nodes.literal_block).astext().splitlines()
        cell["prompt_show"] = cell["prompt_hide"] = first.removeprefix("# ")


def lighten(app, pagename: str, template, context: dict, tree) -> None:
    """N'appelle, de la couverture, que ce qui y sert : un téléphone lent l'attend."""
    if pagename == "index":
        for kind, kept in {"script_files": r"site|furo", "css_files": r"site|vivant|furo"}.items():
            context[kind] = [x for x in context[kind] if re.search(kept, str(x.filename))]


def unlabel(app, pagename, template, context: dict, tree) -> None:
    """Ôte d'un repli le nom anglais qui cacherait le sien."""
    context["body"] = context.get("body", "").replace(' aria-label="Toggle hidden content"', "")


def setup(app) -> None:
    """Branche sur Sphinx ce qui précède."""
    app.add_directive("vivant", Living)
    app.add_directive("references", References)
    app.add_html_math_renderer("mathml", (maths.inline, None), (maths.block, None))
    app.connect("autodoc-process-docstring", french.as_markup)
    app.connect("autodoc-skip-member", french.is_alias)
    app.connect("doctree-read", play_films)
    app.connect("doctree-read", name_folds)
    app.connect("html-page-context", lighten, priority=900)
    app.connect("html-page-context", unlabel)
