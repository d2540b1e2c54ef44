"""Le code du paquet, montré dans un carnet tel qu'il s'exécute."""

import inspect
import tokenize
from dataclasses import dataclass
from html import escape
from io import StringIO
from textwrap import dedent

from pygments.lexers import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String

# Les couleurs de l'éditeur de Jupyter, qui suivent son thème, clair ou sombre.
COLOURS = {
    Comment: "comment",
    Keyword: "keyword",
    Operator.Word: "keyword",
    Name.Builtin: "builtin",
    Number: "number",
    String: "string",
}
# Jupyter couperait une longue ligne au milieu d'un mot : ici, on la fait défiler.
STYLE = (
    "margin: 0; padding: 0; white-space: pre; word-break: normal; overflow-x: auto; "
    "font-family: var(--jp-code-font-family, monospace); "
    "font-size: var(--jp-code-font-size, inherit)"
)


@dataclass(frozen=True)
class Listing:
    """Un extrait de code ; en fin de cellule, il s'affiche en couleurs."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        spans = "".join(_span(kind, text) for kind, text in PythonLexer().get_tokens(self.text))
        return f'<pre style="{STYLE}">{spans}</pre>'


def listing(*objects: object, comments: bool = True) -> Listing:
    """Rend le code source de `objects` (modules, classes, fonctions), lu dans leurs fichiers.

    `comments=False` retire les lignes de commentaire. TypeError si un objet n'a pas de source.
    """
    return Listing("\n\n\n".join(_source(one, comments) for one in objects))


def _source(one: object, comments: bool) -> str:
    try:
        text = dedent(inspect.getsource(one))
    except (TypeError, OSError):
        raise TypeError(
            f"objects doit nommer des modules, des classes ou des fonctions : {one!r} reçu."
        ) from None
    return (text if comments else _without_comments(text)).strip("\n")


def _without_comments(text: str) -> str:
    """Retire les lignes de commentaire ; un « # » en tête d'une ligne de chaîne n'en est pas un."""
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    places = [token.start for token in tokens if token.type == tokenize.COMMENT]
    lines = text.split("\n")
    alone = {line for line, column in places if not lines[line - 1][:column].strip()}
    return "\n".join(line for rank, line in enumerate(lines, 1) if rank not in alone)


def _span(kind, text: str) -> str:
    for group, colour in COLOURS.items():
        if kind in group:
            variable = f"var(--jp-mirror-editor-{colour}-color)"
            return f'<span style="color: {variable}">{escape(text)}</span>'
    return escape(text)
