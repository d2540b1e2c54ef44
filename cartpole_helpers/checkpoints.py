"""Les points de sauvegarde : un agent, ou un entraînement à reprendre au bit près.

Un fichier est un safetensors ordinaire : des tenseurs et, dans ses métadonnées, le nom du format,
une description (un texte JSON) et le SHA-256 de tout le reste. Rien n'y est exécutable.
"""

import hashlib
import json
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

from cartpole_helpers import dqn
from cartpole_helpers.agent import Agent
from cartpole_helpers.config import Config
from cartpole_helpers.environments import CARTPOLE_SIZES, Env, Sizes, solved_return
from cartpole_helpers.files import check_path, check_regular, in_french, write_atomically
from cartpole_helpers.training import Memory, Training, check_carrier

# Ce qui suit les huit octets de longueur : l'empreinte a ainsi une place fixe.
OPENING = b'{"__metadata__":{"format":"cartpole_helpers 2","sha256":"'
PLACE = 8 + len(OPENING)
DIGITS = 64  # d'une empreinte
# Format 1 : cette signature, l'empreinte du reste, des tenseurs ; `description` est l'un d'eux.
OLD = b"cartpole_helpers 1\n"
SINCE = {"epsilon_spread"}  # des champs que les fichiers d'avant n'ont pas : leur défaut
FOREIGN = {
    b"PK\x03\x04": "une archive ZIP, comme en écrit torch.save",
    b"\x80": "un pickle, qu'il serait dangereux d'ouvrir",
    b"version https://git-lfs": "un pointeur Git LFS : le fichier lui-même n'a pas été téléchargé",
}


class CheckpointError(ValueError):
    """Un fichier qui n'est pas un point de sauvegarde intact ; le message dit pourquoi."""


def save(agent: Agent, path: str | Path) -> None:
    """Écrit un agent seul dans `path`, exactement ; `load` le relit.

    ValueError si `agent` en réunit plusieurs ; OSError si `path` ne peut être écrit ; l'ancien
    fichier, s'il existe, n'est remplacé que par un fichier entier.
    """
    if not isinstance(agent, Agent) or len(agent) != 1:
        raise ValueError(
            f"agent doit être un Agent seul, comme training.agent[0] : {agent!r} reçu."
        )
    agent = agent[0]  # un nouvel Agent : ce qu'on aurait changé dans l'autre est vérifié
    about = {"env_steps": agent.env_steps, "sizes": list(agent.sizes)}
    arrays = {"weights": agent.weights.numpy(force=True)}
    if agent.scale is not None:
        arrays["scale"] = agent.scale.numpy(force=True)
    description = _description("agent", agent.config, agent.seeds) | about
    write_atomically(path, _packed(description, arrays))


def load(path: str | Path) -> Agent:
    """Relit un agent écrit par `save`.

    FileNotFoundError si `path` manque, CheckpointError s'il est endommagé ou d'une autre nature.
    """
    about, arrays = _read(path, "agent")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    with _named(path):
        return Agent(
            _config(about),
            tensors["weights"],
            about["seeds"],
            about["env_steps"],
            sizes=Sizes(*about.get("sizes", CARTPOLE_SIZES)),  # les premiers n'en disaient rien
            scale=tensors.get("scale"),
        )


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
        "injected": training.injected,
    }
    description = _description("training", training.config, training.seeds) | about
    write_atomically(path, _packed(description, training.saved_state()))


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
    about, arrays = _read(path, "training")
    injected, game = about["injected"], about["env"]
    same_game = "env" not in injected and env in (None, game)
    rule = None if td_loss is dqn.td_loss else td_loss
    given = {"env": None if same_game else env, "memory": memory}
    _check_given(path, about, given | {"td_target": td_target, "td_loss": rule})
    with _named(path):
        config = _config(about)
        if same_game:
            _check_id(game)
    training = Training(
        config,
        about["seeds"],
        env=game if env is None else env,
        memory=memory,
        device=device,
        td_target=td_target,
        td_loss=td_loss,
    )
    _check_carriers(training)
    with _named(path):
        _check_like(arrays, training)
    try:
        training.restore(arrays)
    except Exception as error:
        error.add_note(f"En relisant {path} ; vous redonniez : {', '.join(injected) or 'rien'}.")
        raise
    return training


def describe(path: str | Path) -> dict:
    """Rend la description d'un point de sauvegarde intact : genre, configuration, provenance."""
    return _open(path)[0]


# Écrire


def _description(kind: str, config: Config, seeds: list[int]) -> dict:
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    return {"kind": kind, "config": asdict(config), "seeds": seeds, "versions": versions}


def _check_carriers(training: Training) -> None:
    for name in training.injected:
        check_carrier(name, getattr(training, {"env": "games"}.get(name, name)))


def _packed(description: dict, arrays: dict[str, np.ndarray]) -> bytes:
    # La bibliothèque lit la mémoire d'un trait : un tableau non contigu serait écrit faux.
    # Elle range les métadonnées au hasard : écrites ici, un état donne toujours les mêmes octets.
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    payload = safetensors.numpy.save(tensors)
    end = 8 + int.from_bytes(payload[:8], "little")
    text = json.dumps(json.dumps(description, sort_keys=True, separators=(",", ":"))).encode()
    header = OPENING + bytes(DIGITS) + b'","description":' + text + b"}," + payload[9:end].rstrip()
    header += b" " * (-len(header) % 8)
    content = len(header).to_bytes(8, "little") + header + payload[end:]
    return content[:PLACE] + _digest(content) + content[PLACE + DIGITS :]


def _digest(content: bytes) -> bytes:
    """Rend l'empreinte de tout `content`, hors la place de l'empreinte elle-même."""
    total = hashlib.sha256(content[:PLACE])
    total.update(memoryview(content)[PLACE + DIGITS :])
    return total.hexdigest().encode()


# Lire


def _read(path: str | Path, kind: str) -> tuple[dict, dict[str, np.ndarray]]:
    description, arrays = _open(path)
    if description["kind"] != kind:
        reader = {"agent": "load", "training": "load_training"}[description["kind"]]
        raise CheckpointError(f"{path} : ce fichier se lit avec {reader}.")
    return description, arrays


def _open(path: str | Path) -> tuple[dict, dict[str, np.ndarray]]:
    """Rend (description, tableaux) de `path`, après en avoir vérifié chaque octet."""
    content = _content(path)
    if content.startswith(OLD):
        start = len(OLD) + DIGITS + 1
        payload = content[start:]
        _check_digest(path, content[len(OLD) : start], hashlib.sha256(payload).hexdigest() + "\n")
        arrays = safetensors.numpy.load(payload)
        return json.loads(arrays.pop("description").tobytes()), arrays
    if not _is_new(content):
        raise CheckpointError(f"{path} : {_nature(content)}, et non un point de sauvegarde.")
    _check_digest(path, content[PLACE : PLACE + DIGITS], _digest(content).decode())
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return json.loads(header["__metadata__"]["description"]), safetensors.numpy.load(content)


def _check_digest(path: str | Path, told: bytes, found: str) -> None:
    if told != found.encode():
        raise CheckpointError(
            f"{path} : fichier endommagé ou tronqué, son empreinte ne correspond pas."
        )


def _content(path: str | Path) -> bytes:
    """Lit `path`, et n'en lit que le début s'il n'est pas des nôtres."""
    path = check_path(path)
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(PLACE)
            return start + (file.read() if start.startswith(OLD) or _is_new(start) else b"")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path} : il n'y a pas de fichier à ce chemin.") from None
    except OSError as error:
        raise in_french(error, f"{path} : lecture impossible") from error


def _is_new(content: bytes) -> bool:
    return content[8:PLACE] == OPENING


def _nature(content: bytes) -> str:
    if not content:
        return "fichier vide"
    known = (nature for start, nature in FOREIGN.items() if content.startswith(start))
    return next(known, "fichier étranger ou endommagé")


# Vérifier : intact, un fichier peut venir d'une autre version, ou d'un jeu qu'on n'a pas ici


@contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Ajoute le nom du fichier au refus de ce qu'il décrit."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} : {error}") from error


def _config(about: dict) -> Config:
    given, known = about["config"], {field.name for field in fields(Config)}
    if wrong := (set(given) ^ known) - (SINCE - set(given)):
        names = ", ".join(sorted(wrong))
        raise ValueError(f"la configuration vient d'une autre version ({names}).")
    return Config(**given)


def _check_id(env: str) -> None:
    """Refuse un jeu inconnu, ou qui ferait importer un module : un fichier n'exécute rien."""
    if ":" in env:
        raise ValueError(f"son jeu n'est pas un identifiant de Gymnasium : {env!r}.")
    solved_return(env)


def _check_given(path: str | Path, about: dict, given: dict) -> None:
    """Refuse ce qui manque, et ce qui est de trop, parmi ce qu'on redonne à l'entraînement."""
    missing = [name for name in about["injected"] if given[name] is None]
    added = [name for name in given if given[name] is not None and name not in about["injected"]]
    if missing:
        raise ValueError(
            f"{path} : cet entraînement emploie ce que vous aviez donné ; redonnez-le par "
            f"load_training(chemin, {', '.join(f'{name}=...' for name in missing)})."
        )
    if "env" in added and isinstance(given["env"], str):
        raise ValueError(
            f"{path} : cet entraînement joue à {about['env']!r}, et non à {given['env']!r}."
        )
    if added:
        raise ValueError(
            f"{path} : cet entraînement n'emploie pas de {' ni de '.join(added)} que vous auriez "
            "donné ; pour en changer en cours de route, affectez-le après la lecture."
        )


def _check_like(arrays: dict[str, np.ndarray], training: Training) -> None:
    """Refuse des tableaux d'autres noms, formes ou types que ceux d'un entraînement neuf.

    Ce qu'on a redonné juge lui-même ce qu'on lui rend ; une mémoire neuve est vide.
    """
    given = tuple(f"{name}." for name in training.injected)
    fresh = training.saved_state(without=training.injected)
    found = {name: array for name, array in arrays.items() if not name.startswith(given)}
    wrong = set(found) ^ set(fresh)
    wrong |= {name for name in set(found) & set(fresh) if not _alike(found[name], fresh[name])}
    if wrong:
        raise ValueError(
            "des tableaux ne sont pas ceux qu'attend cet entraînement, par leur nom, leur forme ou "
            f"leur type : {', '.join(sorted(wrong))}."
        )


def _alike(array: np.ndarray, fresh: np.ndarray) -> bool:
    sizes = zip(array.shape, fresh.shape, strict=False)
    same_shape = array.ndim == fresh.ndim and all(new in (0, old) for old, new in sizes)
    return same_shape and array.dtype == fresh.dtype
