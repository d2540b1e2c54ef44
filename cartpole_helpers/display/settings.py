"""Les réglages d'un `Config` : ceux que l'on met sous un curseur, et la ligne qui le refait."""

import ast
import inspect
from bisect import bisect_left
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from numbers import Real

from cartpole_helpers import config as config_module
from cartpole_helpers.checks import check_choice
from cartpole_helpers.config import QUICK, VERSION_1, VERSION_2, Config
from cartpole_helpers.display.numbers import exact
from cartpole_helpers.display.typography import typography

PRESETS = {"VERSION_1": VERSION_1, "VERSION_2": VERSION_2, "QUICK": QUICK}
FIELDS = [field.name for field in fields(Config)]
NAMES = {preset: name for name, preset in PRESETS.items()}
SLIDERS: dict[str, dict[str, tuple[str, tuple]]] = {
    "Apprendre": {
        "learning_rate": (
            "taux d'apprentissage",
            (1e-4, 3e-4, 1e-3, 2e-3, 4e-3, 8e-3, 0.016, 0.03, 0.1),
        ),
        "gamma": (
            "actualisation γ",
            (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.985, 0.99, 0.995, 0.999, 1.0),
        ),
        "n_steps": ("récompenses par cible", (1, 2, 3, 5, 10, 20)),
        "batch_size": ("taille du lot", (8, 16, 32, 64, 128, 256, 512)),
        "learn_every": ("tours par mise à jour", (1, 2, 4, 8, 20, 50, 100)),
        "double": ("Double DQN", (False, True)),
    },
    "Explorer": {
        "epsilon_end": ("ε à l'arrivée", (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0)),
        "epsilon_steps": ("pas pour y arriver", (1, 500, 1_000, 2_000, 5_000, 10_000, 50_000)),
        "epsilon_hold": ("durée d'une action au hasard", (1.0, 1.5, 2.0, 3.0, 5.0, 10.0)),
    },
    "Cible et mémoire": {
        "target_rate": ("part versée à la cible", (0.001, 0.005, 0.01, 0.05, 0.2, 0.5, 1.0)),
        "target_period": ("mises à jour entre deux versements", (1, 10, 33, 60, 100, 500)),
        "average_rate": ("part versée à la moyenne", (0.0005, 0.002, 0.02, 0.1, 1.0)),
        "capacity": ("taille de la mémoire", (500, 1_000, 5_000, 10_000, 50_000, 200_000)),
    },
    "Réseau et jeu": {
        "hidden": ("couches cachées", ((), (8,), (32, 32), (64, 64), (96, 96), (128, 128))),
        "mirror": ("symétrie gauche-droite", (False, True)),
        "carts": ("chariots de front", (1, 2, 4, 8, 16, 32)),
        "total_steps": ("durée de l'entraînement", (2_000, 5_000, 10_000, 20_000, 50_000, 200_000)),
    },
}
"""Par groupe et par champ : un nom en français, et les valeurs du curseur."""


def slider_names() -> list[str]:
    """Rend les champs de `Config` qui ont un curseur."""
    return [name for names in SLIDERS.values() for name in names]


def choices(name: str, start: Config) -> list:
    """Rend, dans l'ordre, les valeurs du curseur `name`, celles de `start` et des préréglages
    comprises."""
    offered = {name: values for group in SLIDERS.values() for name, (_, values) in group.items()}
    check_choice("name", name, list(offered))
    presets = [getattr(preset, name) for preset in (start, *PRESETS.values())]
    return sorted({*offered[name], *presets}, key=_size)


def rank(name: str, start: Config, config: Config) -> int:
    """Rend le rang, parmi `choices(name, start)`, de la valeur de `config` ou de sa voisine."""
    sizes = [_size(value) for value in choices(name, start)]
    return min(bisect_left(sizes, _size(getattr(config, name))), len(sizes) - 1)


def _size(value):
    return (sum(value), value) if isinstance(value, tuple) else value


def changed(config: Config, **changes) -> Config:
    """Rend `config` avec d'autres valeurs, et ce qu'il faut pour que les champs s'accordent.

    Le plancher du taux d'apprentissage descend avec lui ; l'attente avant la première mise à jour
    tient dans la mémoire et contient un lot. ValueError ou TypeError si un champ n'existe pas, ou
    si sa valeur ne convient pas.
    """
    for name in changes:
        check_choice("champ", name, FIELDS)
    whole = {name: getattr(config, name) for name in FIELDS} | changes
    return replace(config, **(_adapted(config, whole) | changes))


def _adapted(config: Config, whole: dict) -> dict:
    """Rend le plancher et l'attente qui conviennent à `whole`, s'il n'a là que des nombres."""
    rate, capacity, batch = (whole[name] for name in ("learning_rate", "capacity", "batch_size"))
    if not all(isinstance(value, Real) for value in (rate, capacity, batch)):
        return {}  # `Config` dira lequel ne convient pas
    floor = min(config.learning_rate_floor, rate)
    warmup = max(min(config.warmup, capacity), batch)
    return {"learning_rate_floor": floor, "warmup": warmup}


def python_line(config: Config) -> str:
    """Rend l'expression Python qui refait `config`, la plus courte qui parte d'un préréglage."""
    lines = [_line(f"replace({name}", config, preset) for name, preset in PRESETS.items()]
    lines.append(_line("Config(", config, Config()))
    return NAMES.get(config) or min(lines, key=len)


def described(config: Config) -> str:
    """Rend, pour une légende, le préréglage le plus proche et ce qui en diffère."""
    changes = {name: differences(config, preset) for name, preset in PRESETS.items()}
    nearest = min(changes, key=lambda name: len(changes[name]))
    given = [f"{name} = {written(value)}" for name, value in changes[nearest].items()]
    return ", ".join([nearest, *given])


def _line(opening: str, config: Config, base: Config) -> str:
    given = [f"{name}={value!r}" for name, value in differences(config, base).items()]
    separator = "" if opening.endswith("(") else ", "
    return f"{opening}{separator}{', '.join(given)})"


def differences(config: Config, base: Config) -> dict:
    """Rend les champs où `config` diffère de `base`, avec leur valeur dans `config`."""
    values = {name: getattr(config, name) for name in FIELDS}
    return {name: value for name, value in values.items() if value != getattr(base, name)}


def label(name: str) -> str:
    """Rend le nom français d'un champ qui a un curseur."""
    return next(names[name][0] for names in SLIDERS.values() if name in names)


def told(error: BaseException | None) -> str:
    """Rend la phrase qui dit qu'un entraînement a échoué, ou rien s'il n'y a pas d'erreur."""
    if error is None:
        return ""
    return typography(f"L'entraînement a échoué ({type(error).__name__}) : {error}")


def written(value) -> str:
    """Écrit pour un lecteur une valeur de champ : 0,05, oui, 96 × 96."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, tuple):
        return " × ".join(map(written, value)) or "aucune"
    if value is None:
        return "aucune"
    return value if isinstance(value, str) else exact(value)


@cache
def help_lines() -> dict[str, str]:
    """Rend la phrase qui explique chaque champ de `Config`, celle qu'on lit sous sa définition."""
    tree = ast.parse(inspect.getsource(config_module.Config))
    body = tree.body[0].body
    return {
        field.target.id: typography(" ".join(text.value.value.split()).replace("`", ""))
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
