"""Les films d'épisodes : un .mp4, une image animée .webp à côté, leur affichage dans un carnet."""

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from html import escape
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import av
import matplotlib
from PIL import Image, ImageDraw, ImageFont

from cartpole_helpers.cartpole import EPISODE_LIMIT, TIME_STEP, X_LIMIT
from cartpole_helpers.checks import check_number
from cartpole_helpers.loops import Episode, play

# x264 lit de la mémoire non initialisée au bord d'une image dont un côté n'est pas multiple de 16 ;
# on rogne donc 600 × 400 en 592 × 400, pour que le même épisode rende toujours les mêmes octets.
WIDTH, HEIGHT, CROP = 592, 400, (4, 0, 596, 400)
HOLD = 1.0  # s : la dernière image reste, pour que l'on voie la fin
INK = "#444444"
# La police de Matplotlib : celle de Pillow n'a ni « è » ni « θ ».
FONT = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 20)


class Film(NamedTuple):
    """Un épisode filmé dans `path` et `picture` ; `duration` en secondes, arrêt final compris."""

    path: Path
    picture: Path
    episode: Episode  # sans ses images
    duration: float
    alt: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        data = {"text/html": _tag(self), "image/png": _still(self), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


class SideBySide(NamedTuple):
    """Des films côte à côte, autant que la largeur en laisse, chacun sur sa légende."""

    films: Sequence[Film]
    captions: Sequence[str]

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        figures = "".join(
            f'<figure style="flex: 0 1 300px; margin: 0">{_tag(film)}'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for film, caption in zip(self.films, self.captions, strict=True)
        )
        page = f'<div style="display: flex; flex-wrap: wrap; gap: 12px">{figures}</div>'
        return {"text/html": page, "text/plain": "\n".join(film.alt for film in self.films)}


def film(policy, path, seed=0, *, limit=EPISODE_LIMIT, speed=1.0, title="", alt=None) -> Film:
    """Joue un épisode sans fenêtre et le filme dans `path` (.mp4) et dans le .webp de même nom.

    `speed` : 1 pour le temps réel, 0,25 pour un ralenti ; `title` : écrit sur l'image ; `alt` : lu
    à qui ne la voit pas. La même politique et la même graine rendent les mêmes octets.
    ValueError si `path` n'est pas un .mp4, OSError s'il ne peut être écrit : rien ne l'est alors.
    """
    path = Path(path)
    if path.suffix != ".mp4":
        raise ValueError(f"path doit finir par .mp4 : {str(path)!r} reçu.")
    speed = check_number("speed", speed, float, low=0.05, high=4)
    rate = Fraction(speed / TIME_STEP).limit_denominator(100)  # une image par pas
    stride = max(1, round(rate * 2 / 25))  # l'image animée en garde 12,5 par seconde
    with _replacing(path, path.with_suffix(".webp")) as drafts, _no_window():
        episode = play(policy, seed=seed, limit=limit, render_mode="rgb_array")
        steps = len(episode.actions)
        shown = [*range(steps), *[steps] * round(HOLD * rate)]
        _write_video(drafts[0], (_draw(episode, step, title) for step in shown), rate)
        first, *others = [_draw(episode, s, title).reduce(2) for s in [*shown[:steps:stride], -1]]
        durations = [round(1000 * stride / rate)] * len(others) + [round(1000 * HOLD)]
        first.save(drafts[1], append_images=others, save_all=True, duration=durations, loop=0, quality=60)
    ...


def _write_video(path: Path, pictures: Iterable[Image.Image], rate: Fraction) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(path, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate, {"crf": "28", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
