"""L'enregistrement d'un épisode joué : une vidéo .mp4, et à côté une image animée .webp."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cartpole_helpers.cartpole import X_LIMIT
from cartpole_helpers.environments import CARTPOLE
from cartpole_helpers.evaluation import Episode
from cartpole_helpers.files import replacing

BANNER = 80  # hauteur du bandeau de texte ; à CartPole, le haut de l'image, vide, en tient lieu
# Avec ses instructions vectorielles, x264 ne rend pas toujours les mêmes octets du même épisode :
# on s'en passe (asm=0), et un seul fil écrit.
CODEC = "libx264"
ENCODER = {"crf": "28", "preset": "veryfast", "x264-params": "asm=0"}
HOLD = 1  # s : la dernière image reste, pour que l'on voie la fin
PICTURE_PERIOD = Fraction(8, 100)  # s entre deux images du .webp
INK = "#444444"
# La police de Matplotlib : celle de Pillow n'a ni « è » ni « θ ».
FONT = ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), 22)


def record(
    episode: Episode,
    frames: Iterable[np.ndarray],
    path: Path,
    picture: Path,
    pace: float,
    title: str,
    env: str = CARTPOLE,
) -> float:
    """Écrit la vidéo `path` et l'image animée `picture` ; rend la durée de la vidéo, en secondes.

    `frames` : les T + 1 images de l'épisode, dans l'ordre, demandées une à une ; `pace` : combien
    en montrer par seconde. OSError si un fichier ne peut être écrit : ceux qui étaient là restent
    alors ce qu'ils étaient.
    """
    rate = Fraction(pace).limit_denominator(100)
    last, held = len(episode.actions), round(HOLD * rate)
    stride = max(1, round(PICTURE_PERIOD * rate))
    thumbnails = []

    def shown() -> Iterator[Image.Image]:
        for step, frame in enumerate(frames):
            text = ending(episode, env) if step == last else None
            drawn = _draw(frame, step, title, text, above=env == CARTPOLE)
            if step % stride == 0 or step == last:
                thumbnails.append(drawn.reduce(2))
            yield from [drawn] * (held if step == last else 1)

    with replacing(path, picture) as (path_draft, picture_draft):
        _write_video(path_draft, shown(), rate)
        _write_picture(picture_draft, thumbnails, stride / rate)
    return float((last + held) / rate)


def check_codec() -> None:
    """RuntimeError si la bibliothèque des films n'a pas d'encodeur H.264."""
    try:
        av.Codec(CODEC, "w")
    except ValueError as error:
        raise RuntimeError(
            f"l'encodeur H.264 {CODEC!r} manque à la bibliothèque av, et aucun film ne peut être "
            "tourné ; réinstallez celle du cours : python3 lancer.py preparer."
        ) from error


def ending(episode: Episode, env: str = CARTPOLE) -> str:
    """Dit en une phrase comment l'épisode finit, et après combien de pas."""
    steps = len(episode.actions)
    if env != CARTPOLE:
        return f"Fin après {steps} pas : retour {episode.rewards.sum():.0f}".replace("-", "−")
    if not episode.terminated:
        return f"Arrêt après {steps} pas : la tige tient toujours"
    if abs(episode.observations[-1, 0]) > X_LIMIT:
        return f"Sortie après {steps} pas : le chariot sort du rail"
    return f"Chute après {steps} pas : la tige dépasse 12°"


def _draw(frame: np.ndarray, step: int, title: str, text: str | None, above: bool) -> Image.Image:
    """Dessine une image et son bandeau ; `above` : l'image passe dessous, remontée d'autant.

    Les commandes du lecteur ne cachent alors pas le chariot.
    """
    height, width, _ = frame.shape
    picture = Image.new("RGB", (width, height if above else height + BANNER), "white")
    picture.paste(Image.fromarray(frame), (0, -BANNER if above else BANNER))
    pen = ImageDraw.Draw(picture)
    pen.text((16, 14), title, INK, FONT)
    if text is not None:
        pen.text((16, 48), text, INK, FONT)
    else:
        # De dix en dix : un compteur qui changerait à chaque image doublerait la taille des films.
        pen.text((width - 16, 14), f"pas {step // 10 * 10}", INK, FONT, anchor="ra")
    return picture


def _write_video(path: Path, pictures: Iterator[Image.Image], rate: Fraction) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    first = next(pictures)
    with av.open(path, "w", format="mp4", options=options) as container:
        stream = container.add_stream(CODEC, rate, ENCODER)
        stream.width, stream.height, stream.pix_fmt = *first.size, "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in chain([first], pictures):
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def _write_picture(path: Path, pictures: Sequence[Image.Image], period: Fraction) -> None:
    durations = [round(1000 * period)] * (len(pictures) - 1) + [1000 * HOLD]  # ms
    animation = {"save_all": True, "append_images": pictures[1:], "duration": durations, "loop": 0}
    pictures[0].save(path, "webp", **animation, quality=60)
