"""Le français du site : une recherche qui ignore les accents, l'interface, les docstrings."""

import re
import unicodedata

from sphinx.search.fr import SearchFrench


def folded(text: str) -> str:
    """Rend `text` sans ses accents."""
    plain = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


class FoldedFrench(SearchFrench):
    """La recherche française, où `equation` trouve `équation`."""

    stopwords = SearchFrench.stopwords | {*map(folded, SearchFrench.stopwords)}
    # `var`, car la page déclare aussi ce nom.
    js_splitter_code = r"""
var splitQuery = (query) => query.normalize("NFD").replace(/\p{M}/gu, "")
  .split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu).filter((word) => word);
"""

    def split(self, input: str) -> list[str]:
        """Rend les mots d'une phrase, sans accents."""
        return super().split(folded(input))


def as_markup(app, what, name, obj, options, lines: list[str]) -> None:
    """Fait d'une docstring, écrite comme du Markdown, le balisage qu'attend Sphinx."""
    parts = re.split(r"(`+[^`]+`+)", "\n".join(lines))
    parts[::2] = [re.sub(r"([*|]|_(?!\w))", r"\\\1", prose) for prose in parts[::2]]
    parts[1::2] = [f"``{code.strip('`')}``" for code in parts[1::2]]
    lines[:] = "".join(parts).splitlines()


def is_alias(app, what, name, obj, skip, options) -> bool | None:
    """Écarte les champs dont la seule docstring est l'anglaise de `namedtuple`."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field") else None
