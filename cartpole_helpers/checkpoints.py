"""Les points de sauvegarde : un agent, ou un entraînement à reprendre au bit près.

Un fichier se compose ainsi : une ligne de signature, le SHA-256 de tout le reste, puis des tenseurs
safetensors dont l'un, `description`, est un texte JSON. Rien n'y est exécutable, et rien n'en est
exécuté.
"""

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import BinaryIO

import numpy as np
import safetensors.numpy
import torch
from safetensors import SafetensorError

from cartpole_helpers import dqn
from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import check_actions
from cartpole_helpers.checks import check_array, check_number, check_seeds
from cartpole_helpers.config import MAX_WIDTH, Config
from cartpole_helpers.environments import CARTPOLE_SIZES, Env, Sizes, solved_return
from cartpole_helpers.files import check_path, check_regular, in_french, write_atomically
from cartpole_helpers.networks import weight_count
from cartpole_helpers.replay import DiscountedTransition
from cartpole_helpers.training import Memory, Training, check_carrier

SIGNATURE = b"cartpole_helpers 1\n"
DIGEST_LENGTH = 65  # 64 chiffres hexadécimaux et une fin de ligne
MAX_HEADER = 1 << 20  # octets : celui du plus gros entraînement en fait trois mille
FOREIGN = {
    b"PK\x03\x04": "une archive ZIP, comme en écrit torch.save",
    b"\x80": "un pickle, qu'il serait dangereux d'ouvrir",
    b"version https://git-lfs": "un pointeur Git LFS : le fichier lui-même n'a pas été téléchargé",
}

_LONGEST_START = max(map(len, [SIGNATURE, *FOREIGN]))
_INCOHERENT = (
    SafetensorError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class CheckpointError(ValueError):
    """Un fichier qui n'est pas un point de sauvegarde intact ; le message dit pourquoi."""


def save(agent: Agent, path: str | Path) -> None:
    """Écrit un agent seul dans `path`, exactement ; `load` le relit.

    ValueError si `agent` en réunit plusieurs, ou si `load` devait le refuser ; OSError si `path`
    ne peut être écrit ; l'ancien fichier, s'il existe, n'est remplacé que par un fichier entier.
    """
    if not isinstance(agent, Agent) or len(agent) != 1:
        raise ValueError(
            f"agent doit être un Agent seul, comme training.agent[0] : {agent!r} reçu."
        )
    about = {"env_steps": agent.env_steps, "sizes": list(agent.sizes)}
    arrays = {"weights": agent.weights.numpy(force=True)}
    if agent.scale is not None:
        arrays["scale"] = agent.scale.numpy(force=True)
    try:
        content = _packed("agent", _description(agent.config, agent.seeds) | about, arrays)
        _agent(path, content)
    except _INCOHERENT as error:
        raise ValueError(
            "agent doit être tel que `load` le relise : graine "
            f"{agent.seeds[0]!r}, {agent.env_steps!r} pas, poids {agent.weights.dtype} reçus."
        ) from error
    write_atomically(path, content)


def load(path: str | Path) -> Agent:
    """Relit un agent écrit par `save`.

    FileNotFoundError si `path` manque, CheckpointError s'il est endommagé ou d'une autre nature.
    """
    return _agent(path, _content(path))


def _agent(path: str | Path, content: bytes) -> Agent:
    description, arrays = _read(path, content, "agent")
    with _explained(path):
        config, seeds = _config_and_seeds(description)
        sizes = _sizes(description)
        _check_names(arrays, {"weights"} | ({"scale"} if "scale" in arrays else set()))
        _check_array(arrays, "weights", (len(seeds), weight_count(config, sizes)), np.float32)
        env_steps = check_number("env_steps", description["env_steps"], int, low=0)
        (seed,) = seeds
        weights = torch.from_numpy(arrays["weights"])
        scale = torch.from_numpy(arrays["scale"]) if "scale" in arrays else None
        return Agent(config, weights, [seed], env_steps, sizes=sizes, scale=scale)


def save_training(training: Training, path: str | Path) -> None:
    """Écrit tout l'état de `training` dans `path` ; `load_training` en reprend le cours exact.

    Ce qu'on lui a donné (env, memory, td_target, td_loss) doit porter `saved_state` et `restore`.
    ValueError si l'un n'en a pas, si le jeu ne se relit pas au bit près, ou si `training` est
    d'une sous-classe, qui reviendrait en simple `Training` : rien n'est alors écrit.
    """
    if type(training) is not Training:
        raise ValueError(
            "training doit être un Training, et non d'une sous-classe : "
            f"{type(training).__name__} reçu."
        )
    _check_carriers(training)
    about = {
        "env": training.env if isinstance(training.env, str) else None,
        "sizes": list(training.sizes),
        "injected": training.injected,
    }
    description = _description(training.config, training.seeds) | about
    write_atomically(path, _packed("training", description, training.saved_state()))


def load_training(
    path: str | Path,
    *,
    env: Env | None = None,
    memory: Memory | None = None,
    device: str = "cpu",
    td_target: Callable | None = None,
    td_loss: Callable = dqn.td_loss,
) -> Training:
    """Relit un entraînement écrit par `save_training`, prêt pour son prochain `advance`.

    Ce qui avait été donné à `Training` ne s'écrit pas dans un fichier, hors son état : redonnez-le
    ici, neuf, et rien d'autre, sinon ValueError. Que ce soit le même, rien ne peut le vérifier.
    """
    description, arrays = _read(path, _content(path), "training")
    given = {"env": env, "memory": memory, "td_target": td_target, "td_loss": _other(td_loss)}
    with _explained(path):
        injected = description["injected"]
        if "env" not in injected and env == description["env"]:
            given["env"] = env = None  # le même jeu, redonné par son nom
        missing = [name for name in injected if given[name] is None]
        added = [name for name in given if given[name] is not None and name not in injected]
        config, seeds = _config_and_seeds(description)
        sizes = _sizes(description)
        # Ces deux tableaux bornent tout ce que la construction va demander à la mémoire vive.
        _check_array(arrays, "online", (len(seeds), weight_count(config, sizes)), np.float32)
        shape = (len(seeds), config.carts, sizes.observation)
        _check_array(arrays, "observation", shape, np.float32)
        if env is None:
            env = description["env"] if missing else _checked_id(description["env"])
    if missing:
        raise ValueError(
            f"{path} : cet entraînement emploie ce que vous aviez donné ; redonnez-le par "
            f"load_training(chemin, {', '.join(f'{name}=...' for name in missing)})."
        )
    if "env" in added and isinstance(env, str):
        raise ValueError(
            f"{path} : cet entraînement joue à {description['env']!r}, et non à {env!r}."
        )
    if added:
        raise ValueError(
            f"{path} : cet entraînement n'emploie pas de {' ni de '.join(added)} que vous auriez "
            "donné ; pour en changer en cours de route, affectez-le après la lecture."
        )
    training = Training(
        config, seeds, env=env, memory=memory, device=device, td_target=td_target, td_loss=td_loss
    )
    _check_carriers(training)
    with _explained(path, training.injected):
        _check_like(arrays, training)
        _check_values(arrays, training.sizes)
        training.restore(arrays)
    return training


def describe(path: str | Path) -> dict:
    """Rend la description d'un point de sauvegarde intact : genre, configuration, provenance."""
    kind, description, _ = _open(path, _content(path))
    return {"kind": kind} | description


# Écrire


def _description(config: Config, seeds: list[int]) -> dict:
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"config": asdict(config), "seeds": seeds, "versions": versions}


def _check_carriers(training: Training) -> None:
    for name in training.injected:
        check_carrier(name, getattr(training, {"env": "games"}.get(name, name)))


def _other(td_loss: Callable) -> Callable | None:
    """Rend la perte donnée, ou None si c'est celle du cours."""
    return None if td_loss is dqn.td_loss else td_loss


def _packed(kind: str, description: dict, arrays: dict[str, np.ndarray]) -> bytes:
    text = json.dumps({"kind": kind} | description, sort_keys=True).encode()
    # safetensors lit la mémoire d'un trait : un tableau non contigu serait écrit faux.
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    payload = safetensors.numpy.save(tensors | {"description": np.frombuffer(text, np.uint8)})
    return SIGNATURE + _digest(payload) + payload


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).hexdigest().encode() + b"\n"


# Lire et se méfier


def _read(path: str | Path, content: bytes, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    found, description, arrays = _open(path, content)
    if found != kind:
        reader = {"agent": "load", "training": "load_training"}.get(found, "une autre version")
        raise CheckpointError(f"{path} : ce fichier se lit avec {reader}.")
    return description, arrays


def _open(path: str | Path, content: bytes) -> tuple[str, dict, dict[str, np.ndarray]]:
    """Rend (genre, description, tableaux) de `content`, après en avoir vérifié chaque octet."""
    payload = _verified(path, content)
    with _explained(path):
        arrays = safetensors.numpy.load(payload)
        description = json.loads(arrays.pop("description").tobytes())
        return str(description.pop("kind")), description, arrays


def _content(path: str | Path) -> bytes:
    """Lit `path`, et n'en lit que le début s'il n'est pas des nôtres, ou pas de sa taille."""
    path = check_path(path)
    try:
        size = check_regular(path).st_size
        with path.open("rb") as file:
            start = file.read(_LONGEST_START)
            ours = start.startswith(SIGNATURE) and size == _announced_size(file)
            file.seek(len(start))
            return start + (file.read() if ours else b"")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path} : il n'y a pas de fichier à ce chemin.") from None
    except OSError as error:
        raise in_french(error, f"{path} : lecture impossible") from error


def _announced_size(file: BinaryIO) -> int:
    """Rend la taille qu'a ce fichier d'après l'en-tête de ses tenseurs, 0 s'il est illisible."""
    file.seek(len(SIGNATURE) + DIGEST_LENGTH)
    length = int.from_bytes(file.read(8), "little")
    try:
        header = json.loads(file.read(min(length, MAX_HEADER)))
        last = max(tensor["data_offsets"][1] for tensor in header.values())
        return len(SIGNATURE) + DIGEST_LENGTH + 8 + length + last
    except _INCOHERENT:
        return 0


def _verified(path: str | Path, content: bytes) -> bytes:
    if not content.startswith(SIGNATURE):
        raise CheckpointError(f"{path} : {_nature(content)}, et non un point de sauvegarde.")
    payload = content[len(SIGNATURE) + DIGEST_LENGTH :]
    if content[len(SIGNATURE) : len(SIGNATURE) + DIGEST_LENGTH] != _digest(payload):
        raise CheckpointError(
            f"{path} : fichier endommagé ou tronqué, son empreinte ne correspond pas."
        )
    return payload


def _nature(content: bytes) -> str:
    if not content:
        return "fichier vide"
    known = (nature for start, nature in FOREIGN.items() if content.startswith(start))
    return next(known, "fichier étranger ou endommagé")


@contextmanager
def _explained(path: str | Path, given: Sequence[str] = ()) -> Iterator[None]:
    """Dit en français, avec le nom du fichier, pourquoi un contenu bien signé reste illisible."""
    stranger = "étranger à ce paquet"
    if given:
        stranger += f", ou que ne relit pas ce que vous avez redonné ({', '.join(given)})"
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path} : {error}") from None
    except _INCOHERENT as error:
        raise CheckpointError(f"{path} : contenu incohérent, {stranger}.") from error


def _config_and_seeds(description: dict) -> tuple[Config, list[int]]:
    given = description["config"]
    if not isinstance(given, dict) or not isinstance(description["versions"], dict):
        raise CheckpointError("sa description n'a pas la forme attendue.")
    known = {field.name for field in fields(Config)}
    if set(given) != known:
        names = ", ".join(sorted(set(given) ^ known))
        raise CheckpointError(f"la configuration vient d'une autre version ({names}).")
    try:
        return Config(**given), check_seeds("seeds", description["seeds"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"configuration refusée : {error}") from error


def _sizes(description: dict) -> Sizes:
    """Rend D et A ; un fichier d'une version antérieure n'en dit rien, et vient de CartPole."""
    sizes = description.get("sizes", list(CARTPOLE_SIZES))
    return Sizes(*(check_number("sizes", size, int, low=1, high=MAX_WIDTH) for size in sizes))


def _checked_id(env: str) -> str:
    """Refuse un identifiant qui ferait importer un module : un fichier ne doit rien exécuter."""
    if not isinstance(env, str) or ":" in env:
        raise CheckpointError(f"son jeu n'est pas un identifiant de Gymnasium : {env!r}.")
    try:
        solved_return(env)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    return env


def _check_like(arrays: dict[str, np.ndarray], training: Training) -> None:
    """Refuse des tableaux d'autres noms, formes ou types que ceux d'un entraînement neuf.

    Ce qu'on a redonné juge lui-même ce qu'on lui rend.
    """
    given = tuple(f"{name}." for name in training.injected)
    arrays = {name: array for name, array in arrays.items() if not name.startswith(given)}
    fresh = training.saved_state(without=training.injected)
    _check_names(arrays, set(fresh))
    for name, array in fresh.items():
        shape = array.shape
        if (
            name.startswith("memory.")
            and name.removeprefix("memory.") in DiscountedTransition._fields
        ):
            kept = min(int(arrays["memory.added"]), training.config.capacity)
            shape = (shape[0], kept, *shape[2:])
        _check_array(arrays, name, shape, array.dtype)


def _check_values(arrays: dict[str, np.ndarray], sizes: Sizes) -> None:
    """Refuse des nombres qu'aucun entraînement n'a pu écrire : un état infini, une action 7."""
    held = arrays["held"]
    actions = {name: array for name, array in arrays.items() if name.endswith("action")}
    try:
        for name in ("observation", "env.state"):
            check_array(name, arrays.get(name, 0.0), None, np.float32)
        for name, array in (actions | {"held": held[held != dqn.FREE]}).items():
            check_actions(array, array.shape, name, sizes.actions)
    except ValueError as error:
        raise CheckpointError(str(error)) from error


def _check_names(arrays: dict[str, np.ndarray], names: set[str]) -> None:
    if set(arrays) != names:
        listed = ", ".join(sorted(set(arrays) ^ names))
        raise CheckpointError(f"il y manque des tableaux, ou il y en a en trop ({listed}).")


def _check_array(arrays: dict[str, np.ndarray], name: str, shape: tuple, dtype) -> None:
    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        what = "la mémoire" if name.startswith("memory.") else "l'architecture"
        raise CheckpointError(
            f"{what} n'est pas celle de sa configuration : {name} est de forme {array.shape} "
            f"({array.dtype}), au lieu de {shape} ({np.dtype(dtype)})."
        )
