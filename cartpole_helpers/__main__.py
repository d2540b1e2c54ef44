"""`python -m cartpole_helpers` : ce qui est installé ici, et un essai de quelques secondes."""

import platform
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from cartpole_helpers import QUICK, Agent, Training, __version__, evaluate
from cartpole_helpers.display.numbers import number

LIBRARIES = ("torch", "numpy", "gymnasium", "matplotlib", "anywidget", "jupyterlab")
OPTIONAL = {
    "box2d": "Box2D, pour LunarLander",
    "stable-baselines3": "Stable-Baselines3, que la clinique sait suivre",
    "distributed": "dask, pour les études sur plusieurs cœurs",
}
BRIEF = replace(QUICK, total_steps=4_000)
REMEDY = (
    "Quelque chose manque ou ne va pas : « python3 lancer.py preparer » remet en place ce qui "
    "manque."
)


def installed(name: str) -> str:
    """Rend la version d'une bibliothèque, ou « absent »."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


@cache
def trained(_time: int) -> Agent:
    """Rend un agent entraîné par `BRIEF`, une fois ou une autre."""
    training = Training(BRIEF, 0)
    for _ in training.run():
        pass
    return training.agent


def training() -> str:
    """Entraîne deux fois, et compare : la même graine donne les mêmes bits."""
    states = np.random.default_rng(0).normal(size=(100, 4))
    first, second = (trained(time).q_values(states) for time in range(2))
    if not np.array_equal(first, second):
        raise RuntimeError("la même graine n'a pas donné deux fois le même agent.")
    return f"deux entraînements de {number(BRIEF.total_steps)} pas, égaux au bit près"


def evaluation() -> str:
    """Évalue un agent, qui doit avoir appris."""
    returned = evaluate(trained(0), episodes=20).mean()
    if returned < 100:
        raise RuntimeError(f"l'agent n'a pas appris : {number(returned, 1)} pas en moyenne.")
    return f"vingt épisodes de l'agent : {number(returned, 1)} pas en moyenne, sur 500"


def pictures() -> str:
    """Dessine une figure et bâtit le jeu, comme le font les carnets."""
    from cartpole_helpers.display.figures import cart_diagram
    from cartpole_helpers.display.game import game

    sizes = len(cart_diagram((0, 0, 0.1, 0), 1, "Un essai").png()), len(game().frozen())
    return "une figure, {} ko, et le jeu, {} ko".format(*(round(size / 1000) for size in sizes))


def passes(check: Callable[[], str]) -> bool:
    """Fait un essai, dit ce qu'il donne, et s'il est réussi."""
    start = perf_counter()
    try:
        print(f"✔ {check()} ({number(perf_counter() - start, 1)} s)", flush=True)
    except Exception as error:  # quelle qu'elle soit, l'essai suivant peut encore instruire
        print(f"✘ {check.__name__} : {error!r}", flush=True)
        return False
    return True


def main() -> int:
    """Dit ce qui est là, puis ce qui marche ; rend 0 si tout va bien."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(f"cartpole_helpers {__version__}, dans {Path(__file__).parent}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(", ".join(f"{name} {installed(name)}" for name in LIBRARIES))
    print(f"Fils de calcul de PyTorch : {torch.get_num_threads()}")
    for name, use in OPTIONAL.items():
        print(f"Facultatif : {use} : {installed(name)}")
    passed = [passes(check) for check in (training, evaluation, pictures)]
    if all(passed):
        print("Tout va bien.")
        return 0
    print(REMEDY)
    return 1


if __name__ == "__main__":
    sys.exit(main())
