"""Des états d'épreuve, dont la vérité est connue : ce que les études du carnet 10 partagent."""

from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT
from cartpole_helpers.teaching import truth

BOX = np.array([X_LIMIT, 3.0, THETA_LIMIT, 3.5])  # m, m/s, rad, rad/s


class Known(NamedTuple):
    """Des états (N, 4), et leur survie, exacte : finie pour un perdu, infinie pour un sauvable."""

    states: np.ndarray
    survival: np.ndarray  # (N,) en pas

    def lost(self) -> "Known":
        """Rend les seuls états perdus."""
        finite = np.isfinite(self.survival)
        return Known(self.states[finite], self.survival[finite])

    def values(self, gamma: float) -> np.ndarray:
        """Rend V* (N,), sans autre erreur que l'arrondi."""
        return truth.discounted(self.survival, gamma)


class Decisive(NamedTuple):
    """Des états (N, 4) d'où une action sauve pour toujours, quand l'autre perd à coup sûr."""

    states: np.ndarray
    saving: np.ndarray  # (N,) l'action qui sauve


def in_box(count: int, seed: int = 0) -> np.ndarray:
    """Rend `count` états (N, 4) tirés uniformément dans la boîte."""
    return BOX * np.random.default_rng(seed).uniform(-1, 1, (count, 4))


def known(states: np.ndarray, effort: int = 1) -> Known:
    """Rend ceux des états (N, 4) dont la survie est connue exactement."""
    low, high = (bound.max(axis=1) for bound in truth.survival(states, effort=effort))
    exact = low == high
    return Known(states[exact], low[exact])


def decisive(states: np.ndarray) -> Decisive:
    """Rend ceux des états (N, 4) où l'action décide de tout."""
    low, high = truth.survival(states, effort=1)
    split = np.isinf(low).any(axis=1) & np.isfinite(high).any(axis=1)
    return Decisive(states[split], low[split].argmax(axis=1))
