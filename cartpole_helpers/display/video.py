"""Les films d'épisodes : les tourner sans fenêtre, puis les montrer dans un carnet."""

import os
from base64 import b64encode
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

import av
import gymnasium
import numpy as np
from PIL import Image

from cartpole_helpers.checks import check_number, check_text
from cartpole_helpers.display.recording import check_codec, ending, record
from cartpole_helpers.environments import CARTPOLE, NO_LIMIT, make_one, no_window
from cartpole_helpers.evaluation import Episode, play
from cartpole_helpers.policies import Policy


@dataclass(frozen=True)
class Film:
    """Un épisode filmé ; en fin de cellule, il s'affiche comme une vidéo."""

    path: Path  # le .mp4
    picture: Path  # le .webp
    episode: Episode
    duration: float  # s, arrêt final compris
    alt: str  # ce qu'en lit qui ne le voit pas
    width: int = 600  # pixels

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        still = b64encode(_still(self.path)).decode()
        data = {"text/html": _video(self), "image/png": still, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


@dataclass(frozen=True)
class SideBySide:
    """Des films côte à côte, chacun au-dessus de sa légende."""

    films: list[Film]
    captions: list[str]

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        pairs = list(zip(self.films, self.captions, strict=True))
        figures = "".join(_figure(film, caption) for film, caption in pairs)
        page = f'<div style="display: flex; flex-wrap: wrap; gap: 12px">{figures}</div>'
        text = "\n".join(f"{caption} : {film.alt}" for film, caption in pairs)
        return {"text/html": page, "text/plain": text}


def film(
    policy: Policy,
    path: str | Path,
    seed: int = 0,
    *,
    limit: int | None = None,
    speed: float = 1.0,
    title: str = "",
    alt: str | None = None,
    env: str = CARTPOLE,
) -> Film:
    """Joue un épisode sans fenêtre et le filme dans `path` (.mp4) et dans le .webp de même nom.

    `speed` : 1 pour le temps réel, 0,25 pour un ralenti ; `title` est écrit sur l'image ; `alt`
    la décrit à qui ne la voit pas ; `env` : l'identifiant du jeu. Une même graine rend les mêmes
    octets, si la politique est sans mémoire.
    ValueError si `path` n'est pas un .mp4 ou si `env` est inconnu, OSError s'il ne
    peut être écrit, RuntimeError s'il n'y a pas d'encodeur H.264 : rien n'est écrit alors.
    """
    path = _check_path(path)
    speed = check_number("speed", speed, float, low=0.05, high=4)
    title, alt = check_text("title", title), check_text("alt", "" if alt is None else alt)
    check_codec()
    picture = path.with_suffix(".webp")
    with no_window():
        game = make_one(check_text("env", env), NO_LIMIT, "rgb_array")
        try:
            episode = play(policy, seed=seed, limit=limit, env=env)
            frames, pace = _frames(game, episode), speed * game.metadata["render_fps"]
            duration = record(episode, frames, path, picture, pace, title, env)
            width = game.render().shape[1]
        finally:
            game.close()
    name = env.partition("-")[0]
    alt = alt or ". ".join(filter(None, [f"Épisode du jeu {name}", title, ending(episode, env)]))
    return Film(path, picture, episode, duration, alt, width)


def _frames(game: gymnasium.Env, episode: Episode) -> Iterator[np.ndarray]:
    """Rend une à une les T + 1 images d'un épisode, en le rejouant : aucune n'est gardée."""
    game.reset(seed=episode.seed)
    yield game.render()
    for action in episode.actions:
        game.step(action)
        yield game.render()


def side_by_side(films: Sequence[Film], captions: Sequence[str]) -> SideBySide:
    """Rend les films côte à côte, autant que la largeur en laisse, une légende sous chacun."""
    films, captions = [*films], [check_text("captions", one) for one in captions]
    for one in films:
        if not isinstance(one, Film):
            raise TypeError(f"films doit donner des films, que rend `film` : {one!r} reçu.")
    if len(films) != len(captions):
        raise ValueError(
            "captions doit donner une légende par film : "
            f"{len(captions)} légendes pour {len(films)} films reçues."
        )
    return SideBySide(films, captions)


def _check_path(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path doit être un chemin : {path!r} reçu.")
    path = Path(path)
    if path.suffix != ".mp4":
        raise ValueError(f"path doit finir par .mp4 : {str(path)!r} reçu.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path doit être dans un dossier qui existe : {str(path)!r} reçu.")
    for target in (path, path.with_suffix(".webp")):
        if target.is_dir():
            raise IsADirectoryError(f"path doit être un fichier : {str(target)!r} est un dossier.")
    return path


def _figure(film: Film, caption: str) -> str:
    return (
        f'<figure style="flex: 0 1 300px; margin: 0">{_video(film)}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _video(film: Film) -> str:
    """Rend la balise d'un film, qui porte les fichiers : elle se lit sans le dossier des vidéos.

    Où `<video>` est retirée (GitHub), l'image animée la remplace ; où elle ne peut se charger, ou
    n'est pas lancée, on voit l'affiche. `title` redouble `aria-label`, que Jupyter retire parfois.
    """
    alt = escape(film.alt)
    return (
        f'<video controls muted loop playsinline width="{film.width}" style="max-width: 100%"'
        f' aria-label="{alt}" title="{alt}" poster="{_uri("image/png", _still(film.path))}"'
        f' src="{_uri("video/mp4", film.path.read_bytes())}">'
        f'<img alt="{alt}" src="{_uri("image/webp", film.picture.read_bytes())}"></video>'
    )


def _still(path: Path) -> bytes:
    """Rend en PNG la dernière image de la vidéo `path`."""
    buffer = BytesIO()
    with av.open(path) as container:
        last = deque(container.decode(video=0), maxlen=1).pop()
    colours = last.to_image().quantize(32, Image.Quantize.MAXCOVERAGE)
    colours.save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
