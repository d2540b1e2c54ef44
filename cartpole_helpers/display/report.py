"""Un compte rendu : des lignes, la première en titre, d'autres en retrait, en texte et en HTML."""

import re
from collections.abc import Iterable
from html import escape

from cartpole_helpers.display.typography import typography

INDENT = "    "
LONGEST = 2_000  # caractères d'une ligne


def as_text(lines: Iterable[str]) -> str:
    """Rend les lignes l'une sous l'autre, leurs espaces à la française."""
    return "\n".join(map(_line, lines))


def as_html(lines: Iterable[str]) -> str:
    """Rend un titre en gras, puis un paragraphe par ligne, son code en chasse fixe.

    Une ligne qui commence par `INDENT` est en retrait.
    """
    title, *others = map(_line, lines)
    return f'<p style="margin: 0"><b>{escape(title)}</b></p>{"".join(map(_paragraph, others))}'


def _line(text: str) -> str:
    return typography(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")


def _paragraph(line: str) -> str:
    told = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", escape(line.strip()))
    indent = "2.2em" if line.startswith(INDENT) else "0"
    return f'<p style="margin: 0 0 0 {indent}; overflow-wrap: anywhere">{told}</p>'
