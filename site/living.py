"""Les pages vivantes (jeu, lecteur, panneau…) : leur code à part, chargé quand on les approche."""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from html import escape
from pathlib import Path

from cartpole_helpers import load, play
from cartpole_helpers.display.game import game
from cartpole_helpers.display.player import player
from cartpole_helpers.display.widget import stylesheet
from cartpole_helpers.teaching.clinic import Ward, diagnose
from cartpole_helpers.teaching.learner import learner

ROOT = Path(__file__).parents[1]
FOLDER = "_static/vivant"
PAGE = re.compile(
    r'(<div class="cp" data-page="(\w+)">)(.*?)</div>\n<style>.*?</style>\n<script>(.*?)</script>',
    re.DOTALL,
)
EMBEDDED = re.compile(r'src="data:\w+/(png|mp4);base64,([\w+/=\s]+)"')
DARK = re.compile(r'\[data-jp-theme-light="false"\] \.cp \{(.*?)\}', re.DOTALL)


def _agent(name: str):
    return load(ROOT / "checkpoints" / f"{name}.safetensors")


def _replayed(name: str) -> str:
    agent = _agent(name)
    return player(play(agent, seed=1), agent).frozen()


def _patient(number: int) -> str:
    ward = Ward()
    sheet, report = ward.sheet(number), diagnose(ward.chart(number))
    image = b64encode(sheet.image).decode()
    return (
        f'<img class="feuille" alt="{escape(sheet.alt)}" width="{sheet.width}"'
        f' src="data:image/png;base64,{image}">\n'
        f"<details><summary>Le diagnostic</summary>{report._repr_html_()}</details>"
    )


# Ce que le Markdown du site appelle par {vivant} : un nom, et de quoi faire la page autonome.
PAGES: dict[str, Callable[[], str]] = {
    "jeu": lambda: game({"DQN": _agent("agent_5600_pas")}).frozen(),
    "avant": lambda: _replayed("amnesique_10000_pas"),
    "après": lambda: _replayed("amnesique_20000_pas"),
    "patient": lambda: _patient(3),
    "apprendre": learner,
}


def apart(html: str, up: str, root: Path) -> str:
    """Rend `html`, ses scripts et ses images rangés sous `root`, que la page atteint par `up`."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)

    def script_apart(found: re.Match) -> str:
        opening, place, still, script = found.groups()
        (root / FOLDER / f"{place}.js").write_text(script, "utf-8")
        return f"{opening}<noscript>{still}</noscript></div>"

    def media_apart(found: re.Match) -> str:
        kind, content = found[1], b64decode(found[2])
        name = f"{hashlib.sha256(content).hexdigest()[:12]}.{kind}"
        (root / FOLDER / name).write_bytes(content)
        return f'{"loading=lazy " if kind == "png" else ""}src="{up}{FOLDER}/{name}"'

    return EMBEDDED.sub(media_apart, PAGE.sub(script_apart, html))


def styles() -> str:
    """Rend les règles de style des pages, sombres quand le thème du site l'est."""
    text = stylesheet()
    colours = DARK.search(text)[1]
    return DARK.sub(
        f'body[data-theme="dark"] .cp {{{colours}}}\n'
        f'@media (prefers-color-scheme: dark) {{ body[data-theme="auto"] .cp {{{colours}}} }}',
        text,
    )
