"""Les points de sauvegarde : un agent, ou un entraînement à reprendre au bit près.

Un fichier est : une ligne de signature, le SHA-256 de tout le reste, puis des tenseurs safetensors
dont l'un, `description`, est un texte JSON. Rien n'y est exécutable, et rien n'en est exécuté.
"""

import hashlib
import json
import os
import platform
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from safetensors import SafetensorError

from cartpole_helpers import dqn
from cartpole_helpers.checks import check_seeds
from cartpole_helpers.config import Config
from cartpole_helpers.dqn import Agent, weight_count
from cartpole_helpers.loops import Training
from cartpole_helpers.replay import Transition

SIGNATURE = b"cartpole_helpers 1\n"
DIGEST_LENGTH = 65  # 64 chiffres hexadécimaux et une fin de ligne
MAX_BYTES = 4 << 30
_MEMORY = {f"memory.{name}" for name in Transition._fields}
FOREIGN = {
    b"PK\x03\x04": "une archive ZIP, comme en écrit torch.save",
    b"\x80": "un pickle, qu'il serait dangereux d'ouvrir",
    b"version https://git-lfs": "un pointeur Git LFS : le fichier lui-même n'a pas été téléchargé",
}


class CheckpointError(ValueError):
    """Un fichier qui n'est pas un point de sauvegarde intact ; le message dit pourquoi."""


def save(agent: Agent, path: str | Path) -> None:
    """Écrit un agent seul dans `path`, exactement ; `load` le relit.

    ValueError si `agent` en réunit plusieurs, OSError si `path` ne peut être écrit ; l'ancien
    fichier, s'il existe, n'est remplacé que par un fichier entier.
    """
    if not isinstance(agent, Agent) or len(agent) != 1:
        raise ValueError(
            f"agent doit être un Agent seul, comme training.agent[0] : {agent!r} reçu."
        )
    description = _description(agent.config, agent.seeds) | {"env_steps": agent.env_steps}
    _write(path, "agent", description, {"weights": agent.weights.numpy(force=True)})


def load(path: str | Path) -> Agent:
    """Relit un agent écrit par `save`.

    FileNotFoundError si `path` manque, CheckpointError s'il est endommagé ou d'une autre nature.
    """
    description, arrays = _read(path, "agent")
    with _explained(path):
        config, seeds = _config_and_seeds(description)
        _check_shapes(arrays, {"weights": (1, weight_count(config))})
        weights = torch.from_numpy(arrays["weights"])
        return Agent(config, weights, seeds, int(description["env_steps"]))


def save_training(training: Training, path: str | Path) -> None:
    """Écrit tout l'état de `training` dans `path` ; `load_training` en reprend le cours exact."""
    if not isinstance(training, Training):
        raise ValueError(f"training doit être un Training : {training!r} reçu.")
    rules = [name for name, rule in _injected(training.td_target, training.td_loss).items() if rule]
    description = _description(training.config, training.seeds) | {"injected": rules}
    _write(path, "training", description, training.saved_state())


def load_training(
    path: str | Path,
    *,
    device: str = "cpu",
    td_target: Callable | None = None,
    td_loss: Callable = dqn.td_loss,
) -> Training:
    """Relit un entraînement écrit par `save_training`, prêt pour son prochain `advance`.

    Une fonction injectée ne s'écrit pas dans un fichier : redonnez-la ici, sinon ValueError.
    """
    description, arrays = _read(path, "training")
    given = _injected(td_target, td_loss)
    missing = [name for name in description.get("injected", ()) if not given.get(name)]
    if missing:
        raise ValueError(
            f"{' et '.join(missing)} : cet entraînement emploie votre fonction ; redonnez-la, "
            f"comme dans load_training(chemin, {missing[0]}=...)."
        )
    with _explained(path):
        config, seeds = _config_and_seeds(description)
        rows = len(seeds), weight_count(config)
        carts = len(seeds) * config.carts, 4
        _check_shapes(arrays, {"online": rows, "carts.state": carts})
    training = Training(config, seeds, device=device, td_target=td_target, td_loss=td_loss)
    with _explained(path):
        _check_like(arrays, training.saved_state())
        training.restore(arrays)
    return training


def describe(path: str | Path) -> dict:
    """Rend la description d'un point de sauvegarde intact : genre, configuration, provenance."""
    kind, description, _ = _open(path)
    return {"kind": kind} | description


def write_atomically(path: str | Path, content: bytes) -> None:
    """Écrit `content` dans `path` : tout ou rien, même si la machine s'arrête au milieu."""
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"path doit être un fichier, non un dossier : {path} reçu.")
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
        )
    except OSError as error:
        raise type(error)(f"impossible d'écrire dans {path.parent} : {error.strerror}.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(0o666 & ~_umask()))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Écrire


def _description(config: Config, seeds: list[int]) -> dict:
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"config": asdict(config), "seeds": seeds, "versions": versions}


def _injected(td_target: Callable | None, td_loss: Callable) -> dict[str, bool]:
    return {"td_target": td_target is not None, "td_loss": td_loss is not dqn.td_loss}


def _write(path: str | Path, kind: str, description: dict, arrays: dict[str, np.ndarray]) -> None:
    text = json.dumps({"kind": kind} | description, sort_keys=True).encode()
    # safetensors lit la mémoire d'un trait : un tableau non contigu serait écrit faux.
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    payload = safetensors.numpy.save(tensors | {"description": np.frombuffer(text, np.uint8)})
    write_atomically(path, SIGNATURE + _digest(payload) + payload)


def _digest(payload: bytes) -> bytes:
    return hashlib.sha256(payload).hexdigest().encode() + b"\n"


# Lire et se méfier


def _read(path: str | Path, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    found, description, arrays = _open(path)
    if found != kind:
        reader = {"agent": "load", "training": "load_training"}.get(found, "une autre version")
        raise CheckpointError(f"{path} : ce fichier se lit avec {reader}.")
    return description, arrays


def _open(path: str | Path) -> tuple[str, dict, dict[str, np.ndarray]]:
    """Rend (genre, description, tableaux) de `path`, après en avoir vérifié chaque octet."""
    payload = _verified(path, _bytes_of(Path(path)))
    with _explained(path):
        arrays = safetensors.numpy.load(payload)
        description = json.loads(arrays.pop("description").tobytes())
        return description.pop("kind"), description, arrays


def _bytes_of(path: Path) -> bytes:
    if path.is_dir() or not path.exists():
        raise FileNotFoundError(f"{path} : il n'y a pas de fichier à ce chemin.")
    if path.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{path} : plus de {MAX_BYTES >> 30} Gio, trop pour être des nôtres.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise type(error)(f"{path} : lecture impossible ({error.strerror}).") from error


def _verified(path: str | Path, content: bytes) -> bytes:
    if not content.startswith(SIGNATURE):
        raise CheckpointError(
            f"{path} : {_nature(content)}, et non un point de sauvegarde du cours."
        )
    payload = content[len(SIGNATURE) + DIGEST_LENGTH :]
    if content[len(SIGNATURE) : len(SIGNATURE) + DIGEST_LENGTH] != _digest(payload):
        raise CheckpointError(
            f"{path} : fichier endommagé ou tronqué, sa somme SHA-256 est fausse."
        )
    return payload


def _nature(content: bytes) -> str:
    if not content:
        return "fichier vide"
    known = (nature for start, nature in FOREIGN.items() if content.startswith(start))
    return next(known, "fichier étranger ou endommagé")


@contextmanager
def _explained(path: str | Path) -> Iterator[None]:
    """Dit en français, avec le nom du fichier, pourquoi un contenu bien signé reste illisible."""
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{path} : {error}") from None
    except (SafetensorError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CheckpointError(f"{path} : contenu incohérent, il n'a pas été écrit ici.") from error


def _config_and_seeds(description: dict) -> tuple[Config, list[int]]:
    given = description["config"]
    known = {field.name for field in fields(Config)}
    if set(given) != known:
        names = ", ".join(sorted(set(given) ^ known))
        raise CheckpointError(f"la configuration vient d'une autre version ({names}).")
    try:
        return Config(**given), check_seeds("seeds", description["seeds"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"configuration refusée : {error}") from error


def _check_shapes(arrays: dict[str, np.ndarray], expected: dict[str, tuple[int, ...]]) -> None:
    """Refuse, avant de rien construire, des tableaux que la configuration n'explique pas."""
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"une autre architecture : {name} est de forme {arrays[name].shape}, "
                f"et la configuration demande {shape}."
            )


def _check_like(arrays: dict[str, np.ndarray], fresh: dict[str, np.ndarray]) -> None:
    """Refuse des tableaux d'autres noms, types ou formes que ceux d'un entraînement neuf."""
    kept = {array.shape[1] for name, array in arrays.items() if name in _MEMORY}
    if len(kept) != 1:
        raise CheckpointError("les colonnes de la mémoire n'ont pas toutes la même longueur.")
    for name, array in fresh.items():
        shape = (array.shape[0], *kept, *array.shape[2:]) if name in _MEMORY else array.shape
        _check_shapes(arrays, {name: shape})
        if arrays[name].dtype != array.dtype:
            raise CheckpointError(f"{name} est de type {arrays[name].dtype}, non {array.dtype}.")
