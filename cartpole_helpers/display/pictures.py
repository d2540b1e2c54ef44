"""Un épisode de tout autre jeu que CartPole : les images mêmes de Gymnasium, en peu d'octets."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from cartpole_helpers.checks import check_array, check_choice, check_numbers
from cartpole_helpers.display.episodes import checked_choices, ranks, scale_of, single, whole
from cartpole_helpers.display.figures.panels import checked_texts, sheet
from cartpole_helpers.display.numbers import exact, number
from cartpole_helpers.display.style import Picture, finish, style
from cartpole_helpers.display.typography import typography
from cartpole_helpers.evaluation import Episode

BOX = (320, 240)  # pixels où tient une image
QUALITY = 75  # du WebP : les traits fins y restent nets
ROOM = 160_000  # octets de toutes les images ; au-delà, on en garde une sur k
SAMPLE = 12  # images dont on mesure le poids avant de choisir k
NUMBERS = 40_000  # nombres que la page montre, images à part
SHOWN = 16  # composantes que la page montre
MOST = 256  # actions : la page en lit une par octet
STILLS = 6  # images de l'image fixe
HEAVY = 15_000  # octets d'une image, presque du bruit, que l'image fixe réduit alors

KNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "Acrobot-v1": {
        "actions": ("couple −1", "aucun couple", "couple +1"),
        "components": ("cos θ₁", "sin θ₁", "cos θ₂", "sin θ₂", "vitesse de θ₁", "vitesse de θ₂"),
    },
    "MountainCar-v0": {
        "actions": ("à gauche", "sans pousser", "à droite"),
        "components": ("position", "vitesse"),
    },
    "LunarLander-v3": {
        "actions": ("aucun moteur", "moteur gauche", "moteur principal", "moteur droit"),
        "components": (
            *("x", "y", "vitesse en x", "vitesse en y"),
            *("angle", "vitesse angulaire", "pied gauche au sol", "pied droit au sol"),
        ),
    },
}
"""Les noms des actions et des composantes des jeux dont parle le cours."""
Names = str | Mapping[str, Sequence[str]] | None


def pictured(episode: Episode, names: Names) -> tuple[Picture, dict]:
    """Rend l'image fixe d'un épisode déjà vérifié par `checked`, et ce que la page doit en savoir.

    ValueError s'il n'a pas d'images, s'il est trop long pour un carnet, ou si `names` ne nomme pas
    toutes ses actions et toutes ses composantes.
    """
    frames = _checked_frames(episode)
    size = episode.observations.shape[1]
    choices, sure = _choices(episode)
    actions, components = _named(names, choices, sure, size)
    episode = checked_choices(episode, len(actions))
    rewards = _checked_rewards(episode)
    _check_length(len(rewards), len(actions) + min(size, SHOWN))
    seen = episode.observations[:, :SHOWN]
    told = ending(episode)
    every, images = compressed(frames)
    state = {
        "title": typography(f"Épisode de la graine {episode.seed}"),
        "ending": typography(told),
        "observations": whole(seen),
        "scale": scale_of(seen).tolist(),
        "actions": ranks(episode.actions),
        "q_values": None if episode.q_values is None else single(episode.q_values),
        "rewards": single(rewards),
        "names": actions,
        "components": components[:SHOWN],
        "hidden": max(size - SHOWN, 0),
        "pictures": b"".join(images),
        "sizes": [*map(len, images)],
        "every": every,
    }
    title = f"Épisode de la graine {episode.seed} : {number(len(rewards))} pas, {told}"
    return _filmstrip(frames, title, sum(map(len, images)) / len(images)), state


def ending(episode: Episode) -> str:
    """Dit comment l'épisode a fini, et son retour."""
    total = np.sum(episode.rewards)
    worth = f"retour {exact(round(float(total), 2))}" if np.isfinite(total) else "retour non fini"
    if episode.terminated:
        return f"fin du jeu, {worth}"
    return f"{'interrompu' if episode.truncated else 'inachevé'}, {worth}"


def compressed(frames: np.ndarray) -> tuple[int, list[bytes]]:
    """Rend k, et une image sur k, la dernière toujours, en WebP : `ROOM` octets au plus.

    `frames` : (N, hauteur, largeur, 3). Elles restent dans l'ordre.
    """
    count = len(frames)
    sample = [len(_webp(frames[place])) for place in _spaced(count, SAMPLE)]
    every = max(1, -(-count * sum(sample) // (len(sample) * ROOM)))
    images = [_webp(frame) for frame in frames[:-1:every]]
    last = _webp(frames[-1])
    while len(images) > 1 and sum(map(len, images)) + len(last) > ROOM:
        every, images = 2 * every, images[::2]
    return every, [*images, last]


def _webp(frame: np.ndarray) -> bytes:
    buffer = BytesIO()
    _reduced(frame, BOX).save(buffer, "webp", quality=QUALITY)
    return buffer.getvalue()


def _reduced(frame: np.ndarray, box: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(frame)
    image.thumbnail(box)
    return image


def _spaced(count: int, most: int) -> list[int]:
    """Rend au plus `most` rangs entre 0 et `count` − 1, extrêmes compris."""
    return np.unique(np.linspace(0, count - 1, most).round()).astype(int).tolist()


@style()
def _filmstrip(frames: np.ndarray, title: str, weight: float) -> Picture:
    """Quelques images, de `weight` octets chacune ; la première et la dernière comprises."""
    box = BOX if weight < HEAVY else (BOX[0] // 8, BOX[1] // 8)
    figure, panels = sheet(title, 4.4, rows=2, columns=STILLS // 2)
    places = _spaced(len(frames), STILLS)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, place in zip(panels.flat, places, strict=False):
        axes.imshow(_reduced(frames[place], box), interpolation="nearest")
        axes.set_title(f"pas {number(place)}", fontsize=10)
    return finish(figure, title, f"Les images du jeu aux pas {', '.join(map(number, places))}.")


# Les arguments


def _checked_frames(episode: Episode) -> np.ndarray:
    if episode.frames is None:
        raise ValueError(
            "episode doit porter ses images, car ce lecteur ne dessine lui-même que CartPole : "
            'frames=None reçu ; jouez-le par `play(..., env=..., render_mode="rgb_array")`.'
        )
    shape = (len(episode.observations), None, None, 3)
    return check_array("episode.frames", episode.frames, shape, np.uint8)


def _checked_rewards(episode: Episode) -> np.ndarray:
    """Rend les récompenses (T,), finies ou non : on montre ce que le jeu a rendu."""
    rewards, count = check_numbers("episode.rewards", episode.rewards), len(episode.actions)
    if rewards.shape != (count,):
        raise ValueError(f"episode.rewards doit être de forme ({count},) : {rewards.shape} reçu.")
    return rewards


def _check_length(count: int, columns: int) -> None:
    if count * columns > NUMBERS:
        raise ValueError(
            f"episode doit durer {number(NUMBERS // columns)} pas au plus, pour que le carnet "
            f"reste léger : {number(count)} reçus ; donnez `limit` à `play`."
        )


def _choices(episode: Episode) -> tuple[int, bool]:
    """Rend le nombre d'actions, et s'il est sûr : sans valeurs, on ne sait que celles jouées."""
    q = None if episode.q_values is None else check_numbers("episode.q_values", episode.q_values)
    if q is not None and q.ndim == 2:
        return q.shape[1], True
    return int(check_array("episode.actions", episode.actions, (None,)).max(initial=0)) + 1, False


def _named(names: Names, choices: int, sure: bool, size: int) -> tuple[list[str], list[str]]:
    """Rend un nom par action et par composante ; leur rang, si `names` ne les nomme pas.

    `choices` actions, ou, si ce compte n'est pas sûr (`sure`), au moins autant.
    """
    if isinstance(names, str):
        names = KNOWN[check_choice("names", names, [*KNOWN])]
    elif names is None:
        names = {}
    elif not isinstance(names, Mapping):
        raise TypeError(
            "names doit être le nom d'un jeu du cours, ou un dictionnaire de clés `actions` et "
            f"`components` : {names!r} reçu."
        )
    for key in names:
        check_choice("une clé de `names`", key, ["actions", "components"])
    usual = {
        "actions": [f"action {rank}" for rank in range(choices)],
        "components": [f"composante {rank}" for rank in range(size)],
    }
    given = {key: checked_texts(f"names[{key!r}]", names[key]) for key in names}
    if choices > MOST:
        raise ValueError(f"episode doit avoir {MOST} actions au plus : {choices} reçues.")
    if len(given.get("components", usual["components"])) != size:
        raise ValueError(
            f"names['components'] doit donner {size} noms : {given['components']} reçu."
        )
    most = choices if sure else MOST
    if not choices <= len(given.get("actions", usual["actions"])) <= most:
        raise ValueError(f"names['actions'] doit donner {choices} noms : {given['actions']} reçu.")
    whole_names = usual | given
    return (
        [typography(name) for name in whole_names["actions"]],
        [typography(name) for name in whole_names["components"]],
    )
