"""La configuration d'un entraînement, et quatre toutes prêtes, dont une pour d'autres jeux."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cartpole_helpers.cartpole import START_LIMIT, X_LIMIT
from cartpole_helpers.checks import check_choice, check_flag, check_number

ACTIVATIONS = ("relu", "leaky_relu", "silu", "tanh")
INITIALISATIONS = ("uniform", "xavier_normal")
MAX_LAYERS = 16
MAX_WIDTH = 4096


@dataclass(frozen=True, kw_only=True)
class Config:
    """Tout ce qui se règle dans un entraînement ; immuable, on en varie un champ par `replace`.

    TypeError ou ValueError, avec le nom du champ et la valeur reçue, si un champ ne convient pas.
    """

    total_steps: int = 50_000
    """Nombre de pas de jeu par agent, tous ses chariots comptés."""
    carts: int = 1
    """Nombre E de copies du jeu (à CartPole, de chariots) qu'un agent conduit de front."""
    start_x: float = START_LIMIT
    """Demi-largeur (m) des départs en x de CartPole, à l'entraînement ; l'évaluation garde 0,05."""

    input_scale: tuple[float, ...] | str | None = None
    """Facteur de chacune des D composantes de l'observation, à l'entrée du réseau ; None les laisse
    telles quelles, "auto" divise chacune par son écart type pendant la mise en route (warmup)."""
    hidden: tuple[int, ...] = (128, 128)
    """Largeur de chaque couche cachée du réseau."""
    activation: str = "relu"
    """Fonction d'activation des couches cachées : relu, leaky_relu, silu ou tanh."""
    initialisation: str = "uniform"
    """Poids de départ : uniform (ceux de `torch.nn.Linear`) ou xavier_normal (biais nuls)."""
    mirror: bool = False
    """Construit dans le réseau la symétrie de CartPole : Q(s, 1) = f(s) et Q(s, 0) = f(−s)."""

    learning_rate: float = 1e-3
    """Taux d'apprentissage d'Adam au départ."""
    learning_rate_decay: float = 1.0
    """Facteur appliqué au taux d'apprentissage à chaque mise à jour ; 1 le laisse constant."""
    learning_rate_floor: float = 0.0
    """Valeur sous laquelle le taux d'apprentissage ne descend pas."""
    gamma: float = 0.99
    """Facteur d'actualisation γ des récompenses futures."""
    n_steps: int = 1
    """Nombre de récompenses réelles dans la cible avant l'amorçage."""
    double: bool = False
    """Double DQN : le réseau principal choisit l'action, le réseau cible l'évalue."""

    epsilon_start: float = 1.0
    """Probabilité ε d'une action au hasard, au départ."""
    epsilon_end: float = 0.05
    """Probabilité ε d'une action au hasard, à l'arrivée."""
    epsilon_steps: int = 10_000
    """Nombre de pas de jeu pour passer, en ligne droite, de l'une à l'autre."""
    epsilon_spread: float = 1.0
    """Étalement de ε entre les copies d'un agent, à l'arrivée : la première explore ce nombre de
    fois plus que epsilon_end, la dernière autant de fois moins, en progression géométrique."""
    epsilon_hold: float = 1.0
    """Nombre moyen de pas pendant lesquels une action tirée au hasard est gardée, fût-ce d'un
    épisode au suivant ; ε reste la part des pas joués au hasard."""

    capacity: int = 50_000
    """Nombre de transitions que garde la mémoire de rejeu de chaque agent."""
    batch_size: int = 64
    """Nombre B de transitions tirées pour une mise à jour."""
    warmup: int = 1_000
    """Nombre de transitions à mémoriser avant la première mise à jour."""
    learn_every: int = 1
    """Nombre de tours de boucle (un pas de chaque chariot) entre deux mises à jour."""

    target_period: int = 1
    """Nombre de mises à jour entre deux synchronisations du réseau cible."""
    target_rate: float = 0.01
    """Part du réseau principal versée au réseau cible à chaque synchronisation ; 1 le recopie."""
    average_rate: float = 1.0
    """Part du réseau principal versée, à chaque mise à jour, à la moyenne que suit la politique
    gloutonne ; 1 : cette politique lit le réseau principal lui-même."""
    average_tail: float = 0.0
    """Part la plus récente des mises à jour sur laquelle porte cette moyenne tant qu'elles sont peu
    nombreuses, pour qu'elle ne traîne pas les poids du début ; 0 : `average_rate` dès le départ."""

    def __post_init__(self):
        for name, (kind, bounds) in _NUMBERS.items():
            number = check_number(name, getattr(self, name), kind, **bounds)
            object.__setattr__(self, name, number)
        for name in ("mirror", "double"):
            object.__setattr__(self, name, check_flag(name, getattr(self, name)))
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("initialisation", self.initialisation, INITIALISATIONS)
        object.__setattr__(self, "hidden", _checked_widths(self.hidden))
        object.__setattr__(self, "input_scale", _checked_scale(self.input_scale))
        self._check_together()

    def _check_together(self) -> None:
        if self._last_epsilons.max() > 1:
            raise ValueError(
                "epsilon_spread doit laisser à chaque copie un ε d'au plus 1 : "
                f"epsilon_end={self.epsilon_end} fois epsilon_spread={self.epsilon_spread} reçus."
            )
        if self.capacity < max(self.batch_size, self.warmup, self.carts):
            raise ValueError(
                "capacity doit être au moins égal à batch_size, à warmup et à carts : "
                f"capacity={self.capacity}, batch_size={self.batch_size}, "
                f"warmup={self.warmup}, carts={self.carts} reçus."
            )
        if self.warmup < self.batch_size:
            raise ValueError(
                "warmup doit être au moins égal à batch_size, sinon le premier lot serait court : "
                f"warmup={self.warmup}, batch_size={self.batch_size} reçus."
            )
        if self.learning_rate_floor > self.learning_rate:
            raise ValueError(
                "learning_rate_floor doit être au plus égal à learning_rate : "
                f"{self.learning_rate_floor} > {self.learning_rate} reçus."
            )

    def epsilon(self, env_steps: int) -> float:
        """Rend ε après `env_steps` pas de jeu de l'agent, en moyenne sur ses copies."""
        each = self.epsilons(env_steps)
        return float(each[0] if self.epsilon_spread == 1 else each.mean())

    def epsilons(self, env_steps: int) -> np.ndarray:
        """Rend le ε de chaque copie (E,) ; une échelle comme chez Horgan et coll. (2018)."""
        progress = min(env_steps / self.epsilon_steps, 1.0)
        return self.epsilon_start + progress * (self._last_epsilons - self.epsilon_start)

    @cached_property
    def _last_epsilons(self) -> np.ndarray:
        """Le ε de chaque copie à l'arrivée (E,)."""
        powers = np.linspace(1, -1, self.carts) if self.carts > 1 else np.zeros(1)
        return self.epsilon_end * self.epsilon_spread**powers

    def average_rate_at(self, gradient_steps: int) -> float:
        """Rend la part versée à la moyenne à la mise à jour `gradient_steps` (1 : la première)."""
        window = self.average_tail * max(gradient_steps, 1)
        recent = 1 / window if window else 0.0
        return min(max(self.average_rate, recent), 1.0)

    def learning_rate_at(self, gradient_steps: int) -> float:
        """Rend le taux d'apprentissage après `gradient_steps` mises à jour."""
        decayed = self.learning_rate * self.learning_rate_decay**gradient_steps
        return max(decayed, self.learning_rate_floor)


_COUNT = (int, {"low": 1, "high": 10**9})
_STORED = (int, {"low": 1, "high": 10**7})
_SHARE = (float, {"low": 0, "high": 1})
_PART = (float, {"above": 0, "high": 1})
_NUMBERS: dict[str, tuple[type, Mapping[str, float]]] = {
    "total_steps": _COUNT,
    "carts": (int, {"low": 1, "high": 10**5}),
    "start_x": (float, {"low": 0, "high": X_LIMIT}),
    "learning_rate": (float, {"above": 0}),
    "learning_rate_decay": _PART,
    "learning_rate_floor": (float, {"low": 0}),
    "gamma": _SHARE,
    "n_steps": (int, {"low": 1, "high": 100}),
    "epsilon_start": _SHARE,
    "epsilon_end": _SHARE,
    "epsilon_steps": _COUNT,
    "epsilon_spread": (float, {"low": 1, "high": 10**6}),
    "epsilon_hold": (float, {"low": 1, "high": 10**6}),
    "capacity": _STORED,
    "batch_size": _STORED,
    "warmup": _STORED,
    "learn_every": _COUNT,
    "target_period": _COUNT,
    "target_rate": _PART,
    "average_rate": _PART,
    "average_tail": _SHARE,
}


def _checked_widths(hidden) -> tuple[int, ...]:
    if not isinstance(hidden, tuple | list) or len(hidden) > MAX_LAYERS:
        raise TypeError(
            f"hidden doit être un tuple d'au plus {MAX_LAYERS} largeurs de couches : "
            f"{hidden!r} reçu."
        )
    return tuple(check_number("hidden", width, int, low=1, high=MAX_WIDTH) for width in hidden)


def _checked_scale(scale) -> tuple[float, ...] | str | None:
    if scale is None or (isinstance(scale, str) and scale == "auto"):
        return scale
    if not isinstance(scale, tuple | list) or not scale:
        raise TypeError(
            "input_scale doit être un tuple de facteurs, un par composante, ou 'auto', ou None : "
            f"{scale!r} reçu."
        )
    return tuple(check_number("input_scale", factor, float, above=0) for factor in scale)


VERSION_1 = Config(
    total_steps=2_000_000,
    hidden=(32, 16, 8, 4, 8, 32),
    activation="leaky_relu",
    initialisation="xavier_normal",
    learning_rate=3e-4,
    learning_rate_decay=0.999,
    learning_rate_floor=3e-6,
    gamma=1.0,
    epsilon_start=0.05,
    epsilon_end=0.05,
    capacity=1 << 16,
    batch_size=1 << 8,
    warmup=1 << 8,
    learn_every=20,
    target_period=60,
    target_rate=1.0,
)
"""Les nombres du document fondateur et les couches de son auteur, sur le moteur du cours, où une
troncature n'est plus une chute ; une mise à jour tous les 20 pas, à peu près la longueur de ses
premiers épisodes, au lieu d'une par épisode."""

VERSION_2 = Config(
    total_steps=50_000,
    carts=16,
    input_scale=(2.0, 1.0, 10.0, 1.0),
    hidden=(96, 96),
    activation="silu",
    learning_rate=8e-3,
    learning_rate_decay=0.996,
    learning_rate_floor=8e-4,
    gamma=0.985,
    n_steps=3,
    double=True,
    epsilon_end=0.5,
    epsilon_steps=1_000,
    epsilon_hold=2.0,
    batch_size=128,
    warmup=256,
    target_rate=0.05,
    average_rate=0.0005,
    average_tail=0.25,
)
"""Une recette rapide et qui tient, sans symétrie et aux départs ordinaires. Ce qu'elle atteint est
mesuré par `etudes/version2.py` et `etudes/echelle.py` ; la recherche dont elle vient n'a pas été
gardée, et celle d'`etudes/recherche.py`, qui l'est, n'a pas montré mieux."""

ONE_RECIPE = replace(
    VERSION_2,
    carts=8,
    input_scale="auto",
    learning_rate=4.2e-3,
    learning_rate_decay=0.99988,
    learning_rate_floor=4.2e-4,
    gamma=0.99,
    n_steps=5,
    epsilon_end=0.16,
    epsilon_steps=2_000,
    epsilon_spread=4.0,
    epsilon_hold=3.4,
    capacity=100_000,
    target_rate=0.08,
    average_rate=0.0012,
)
"""Une seule recette pour plusieurs jeux : d'un jeu à l'autre, on ne change que `total_steps`. Elle
vient d'`etudes/recherche_jeux.py` ; ce qu'elle atteint est mesuré par `etudes/jeux.py`."""

QUICK = Config(
    total_steps=10_000,
    carts=16,
    input_scale=(2.0, 1.0, 10.0, 1.0),
    hidden=(64, 64),
    activation="silu",
    mirror=True,
    learning_rate=8e-3,
    gamma=0.97,
    epsilon_end=0.1,
    epsilon_steps=1_000,
    batch_size=64,
    warmup=256,
    target_rate=0.05,
    average_rate=0.02,
)
"""Quelques secondes au plus : pour les tests et les premiers essais."""
