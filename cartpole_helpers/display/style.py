"""Le style commun des figures : palette, image et son texte."""

import re
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.style import context
from matplotlib.text import Text
from PIL import Image, ImageChops

from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.checks import check_text
from cartpole_helpers.display.numbers import exact, number
from cartpole_helpers.display.typography import typography

# La palette d'Okabe et Ito (2008), lisible par les daltoniens.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)
SIDES = ("#d6e7f3", "#fbe3d3")  # pousser à gauche, à droite
INK, MUTED, FAINT = "#222222", "#6b6b6b", "#d9d9d9"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))

_DPI = 144  # deux pixels par point affiché : net sur un écran fin
_FAITHFUL = 0.5  # écart moyen, sur 255, au-delà duquel une palette se verrait
_WORD = re.compile(r"^[a-zà-ÿ](?=[a-zà-ÿ'])")


@dataclass(frozen=True)
class Picture:
    """Une figure finie, son image, son texte de remplacement ; un carnet l'affiche."""

    figure: Figure
    image: bytes  # PNG
    alt: str

    def png(self) -> bytes:
        """Rend l'image : les mêmes données donnent les mêmes octets."""
        return self.image

    @property
    def width(self) -> int:
        """La largeur, en pixels, à laquelle un carnet l'affiche."""
        return round(self.figure.get_figwidth() * _DPI / 2)

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data = {"image/png": b64encode(self.image).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}


SETTINGS = {
    "font.size": 11,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "white",
}


@contextmanager
def style():
    """Le style de toutes les figures, quels que soient les réglages du lecteur ; c'est aussi un
    décorateur : `@style()`."""
    with context(["default", SETTINGS]):
        yield


def _balanced(text: str, most: int) -> list[str]:
    """Coupe un texte en lignes de `most` signes au plus, le moins possible, et d'égale longueur."""
    lines = wrap(text, most)
    widths = range(len(text) // max(len(lines), 1), most + 1)
    return next((cut for width in widths if len(cut := wrap(text, width)) <= len(lines)), lines)


def canvas(title: str, width: float, height: float, rows: int = 1, columns: int = 1, **shared):
    """Rend une figure stylée, son titre écrit, et ses axes."""
    check_text("title", title)
    figure = Figure((width, height), layout="constrained")
    panels = figure.subplots(rows, columns, **shared)
    written = "\n".join(_balanced(typography(title), round(width * 9.4)))
    figure.suptitle(written, x=0.01, ha="left", fontsize=12.5, fontweight="bold", color=INK)
    for axes in figure.axes:
        axes.xaxis.set_major_formatter(exact)
        axes.yaxis.set_major_formatter(exact)
    return figure, panels


def finish(figure: Figure, title: str, told: str) -> Picture:
    """Pose les espaces insécables, dessine, et rend l'image avec `title` et `told` pour texte.

    `told` se lit comme une phrase : s'il commence par un mot, celui-ci prend une majuscule.
    """
    for text in figure.findobj(Text):
        text.set_text(typography(text.get_text()))
    image = _png(figure)
    end = "" if title.endswith(("?", "!", ".", "…")) else "."
    told = _WORD.sub(lambda found: found[0].upper(), told)
    return Picture(figure, image, typography(f"{title}{end} {told}"))


def _png(figure: Figure) -> bytes:
    """Rend l'image, deux à trois fois plus légère que celle de Matplotlib : une palette de 256
    couleurs suffit aux traits et au texte ; un dégradé, où elle se verrait, les garde toutes."""
    drawn, light = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI)
    image = Image.open(drawn).convert("RGB")
    choice = {"method": Image.Quantize.MAXCOVERAGE, "kmeans": 2, "dither": Image.Dither.NONE}
    reduced = image.quantize(256, **choice)
    faithful = np.mean(ImageChops.difference(image, reduced.convert("RGB"))) < _FAITHFUL
    (reduced if faithful else image).save(light, "png", optimize=True)
    return light.getvalue()


def mark_solved(axes: Axes, vertical: bool = False, threshold: float = SOLVED_RETURN) -> None:
    """Trace le seuil d'un jeu, celui de CartPole à défaut, et l'étiquette."""
    if vertical:
        axes.axvline(threshold, color=MUTED, linewidth=1.2, linestyle=":")
        transform, place = axes.get_xaxis_transform(), (threshold, 0.02)
        look = {"ha": "right", "va": "bottom", "xytext": (-4, 0)}
    else:
        axes.axhline(threshold, color=MUTED, linewidth=1.2, linestyle=":")
        transform, place = axes.get_yaxis_transform(), (0.01, threshold)
        look = {"ha": "left", "va": "top", "xytext": (0, -3)}
    look |= {"textcoords": "offset points", "color": MUTED, "fontsize": 10}
    look["path_effects"] = [withStroke(linewidth=3, foreground="white")]  # il se lit sur une courbe
    axes.annotate(f"seuil : {number(threshold)}", place, xycoords=transform, **look)
