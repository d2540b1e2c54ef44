"""L'enregistrement d'un épisode joué : une vidéo .mp4, et à côté une image animée .webp."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import matplotlib
from PIL import Image, ImageDraw, ImageFont

from cartpole_helpers.cartpole import TIME_STEP, X_LIMIT
from cartpole_helpers.loops import Episode

WIDTH, HEIGHT = 600, 400
RISE = 80  # la scène est remontée d'autant : les commandes du lecteur ne cachent pas le chariot
# Avec ses instructions vectorielles, x264 ne rend pas toujours les mêmes octets du même épisode :
# on s'en passe (asm=0), et un seul fil écrit.
CODEC = "libx264"
ENCODER = {"crf": "28", "preset": "veryfast", "x264-params": "asm=0"}
HOLD = 1  # s : la dernière image reste, pour que l'on voie la fin
PICTURE_PERIOD = Fraction(8, 100)  # s entre deux images du .webp
INK = "#444444"
# La police de Matplotlib : celle de Pillow n'a ni « è » ni « θ ».
FONT = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 22)


def record(episode: Episode, path: Path, picture: Path, speed: float, title: str) -> float:
    """Écrit la vidéo `path` et l'image animée `picture` ; rend la durée de la vidéo, en secondes.

    OSError si l'une ne peut être écrite : les fichiers déjà là restent alors ce qu'ils étaient.
    """
    rate = Fraction(speed / TIME_STEP).limit_denominator(100)  # images par seconde : une par pas
    last = len(episode.actions)
    stride = max(1, round(PICTURE_PERIOD * rate))
    shown = [*range(last), *[last] * round(HOLD * rate)]
    sampled = [*range(0, last, stride), last]
    with _replacing(path, picture) as (path_draft, picture_draft):
        _write_video(path_draft, (_draw(episode, step, title) for step in shown), rate)
        thumbnails = [_draw(episode, step, title).reduce(2) for step in sampled]
        _write_picture(picture_draft, thumbnails, stride / rate)
    return float(len(shown) / rate)


def check_codec() -> None:
    """RuntimeError si la bibliothèque des films n'a pas d'encodeur H.264."""
    try:
        av.Codec(CODEC, "w")
    except ValueError as error:
        raise RuntimeError(
            f"l'encodeur H.264 {CODEC!r} manque à la bibliothèque av, et aucun film ne peut être "
            "tourné ; réinstallez celle du cours : python3 lancer.py preparer."
        ) from error


def ending(episode: Episode) -> str:
    """Dit en une phrase comment l'épisode finit, et après combien de pas."""
    steps = len(episode.actions)
    if not episode.terminated:
        return f"Arrêt après {steps} pas : la tige tient toujours"
    if abs(episode.observations[-1, 0]) > X_LIMIT:
        return f"Sortie après {steps} pas : le chariot sort du rail"
    return f"Chute après {steps} pas : la tige dépasse 12°"


def _draw(episode: Episode, step: int, title: str) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    picture.paste(Image.fromarray(episode.frames[step]), (0, -RISE))
    pen = ImageDraw.Draw(picture)
    pen.text((16, 14), title, INK, FONT)
    if step == len(episode.actions):
        pen.text((16, 48), ending(episode), INK, FONT)
    else:
        # De dix en dix : un compteur qui changerait à chaque image doublerait la taille des films.
        pen.text((WIDTH - 16, 14), f"pas {step // 10 * 10}", INK, FONT, anchor="ra")
    return picture


def _write_video(path: Path, pictures: Iterable[Image.Image], rate: Fraction) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(path, "w", format="mp4", options=options) as container:
        stream = container.add_stream(CODEC, rate, ENCODER)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def _write_picture(path: Path, pictures: Sequence[Image.Image], period: Fraction) -> None:
    durations = [round(1000 * period)] * (len(pictures) - 1) + [1000 * HOLD]  # ms
    animation = {"save_all": True, "append_images": pictures[1:], "duration": durations, "loop": 0}
    pictures[0].save(path, **animation, quality=60)


@contextmanager
def _replacing(*targets: Path) -> Iterator[list[Path]]:
    """Prête un brouillon par fichier ; ils prennent leur place ensemble, si tout a réussi."""
    try:
        with tempfile.TemporaryDirectory(prefix=".film-", dir=targets[0].parent) as folder:
            drafts = [Path(folder, target.name) for target in targets]
            yield drafts
            for draft, target in zip(drafts, targets, strict=True):
                os.replace(draft, target)
    except OSError as error:
        raise OSError(
            f"path ne peut pas être écrit : {str(targets[0])!r} reçu ; "
            "le dossier est-il protégé, ou le disque plein ?"
        ) from error
