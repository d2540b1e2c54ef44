"""Les équations en MathML : le navigateur les dessine lui-même, sans script."""

import re

from docutils import nodes
from latex2mathml.converter import convert

# Ce que latex2mathml écrit sans y penser : la virgule décimale et l'espace des milliers, celle qui
# précède ou suit une fonction, le signe d'un nombre négatif, le point posé sur une lettre, le prime
# que la police a déjà mis en exposant.
TOUCHES = [
    (r"</mn><mrow><mo>&#x0002C;</mo></mrow><mn>", ","),
    (r"<mn>(\d+)</mn><mrow><mo>&#x0002C;</mo></mrow><msup><mn>", r"<msup><mn>\1,"),
    (r'</mn><mspace width="0.167em" /><mn>', "\u202f"),
    (r"(</m[in]>)<mi>(sin|cos|ln)</mi>", r'\1<mspace width="0.12em" /><mi>\2</mi>'),
    (r"<mi>(sin|cos|ln)</mi>", r'<mi>\1</mi><mspace width="0.12em" />'),
    (r"(<mo>(?:=|&#x0003D;|&#x02248;)</mo>)<mo>&#x02212;", r'\1<mo form="prefix">&#x02212;'),
    (r"<msup>(<mi>\w</mi><mi>&#x02032;</mi>)</msup>", r"<mrow>\1</mrow>"),
    (r"<mover>", '<mover accent="true">'),
]
# Dans le texte, l'indice de « max » reste à côté ; à part, il va dessous.
BELOW = (r"<msub>(<mo>max</mo><mrow>.*?</mrow>)</msub>", r"<munder>\1</munder>")


def mathml(latex: str, display: str) -> str:
    """Rend en MathML une formule de LaTeX ; `display` : `inline` dans le texte, `block` à part."""
    text = convert(latex, display=display)
    for pattern, better in [*TOUCHES, *([BELOW] if display == "block" else [])]:
        text = re.sub(pattern, better, text)
    return text


def inline(writer, node: nodes.math) -> None:
    """Écrit une formule dans le texte."""
    writer.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(writer, node: nodes.math_block) -> None:
    """Écrit une formule à part, que l'on fait défiler si elle est trop large."""
    writer.body.append(f'<div class="equation">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode
