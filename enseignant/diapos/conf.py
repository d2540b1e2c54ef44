"""Les diapositives, faites par Sphinx et `sphinx-revealjs` : rien n'y vient du réseau."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "site"))

import maths

project = "Le deep Q-learning sur CartPole"
language = "fr"
root_doc = "deux_heures"
extensions = ["myst_parser", "sphinx_revealjs"]
myst_enable_extensions = ["attrs_block", "dollarmath"]
suppress_warnings = ["toc.not_included"]
smartquotes = False
html_math_renderer = "mathml"

revealjs_style_theme = "diapos.css"
revealjs_script_plugins = [{"src": "revealjs/plugin/notes/notes.js", "name": "RevealNotes"}]
revealjs_script_conf = {
    **{"width": 1280, "height": 720, "margin": 0.06, "center": False},
    **{"hash": True, "slideNumber": "c/t", "transition": "none", "pdfMaxPagesPerSlide": 1},
    **{"controlsTutorial": False},
}


def setup(app) -> None:
    """Branche les équations du site."""
    app.add_html_math_renderer("mathml", (maths.inline, None), (maths.block, None))
