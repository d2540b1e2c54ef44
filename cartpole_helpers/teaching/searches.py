"""Les essais d'une recherche archivée : ce que chacun changeait, ce que firent ses graines."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.checks import check_choice
from cartpole_helpers.statistics import costs


class Trials(NamedTuple):
    """Des essais, dans l'ordre où on les a faits."""

    fields: dict[str, np.ndarray]
    """Champ → ce qu'il valait dans chaque essai (T,)."""
    returns: np.ndarray
    """Les retours moyens (T, S, V) : essais, graines, évaluations."""

    def costs(self, evaluations: int | None = None) -> np.ndarray:
        """Rend le coût de chaque graine (T, S), sur ses premières évaluations, ou toutes."""
        solved = self.returns[..., :evaluations] >= SOLVED_RETURN
        return costs(solved.reshape(-1, solved.shape[-1])).reshape(solved.shape[:2])


def trials(study: Mapping[str, np.ndarray], arm: str) -> Trials:
    """Rend les essais du bras `arm` d'une étude que lit `load_study`."""
    check_choice("arm", arm, [*dict.fromkeys(study["bras"].tolist())])
    rows = np.flatnonzero(study["bras"] == arm)
    rows = rows[np.lexsort((study["graine"][rows], study["essai"][rows]))]
    rows = rows.reshape(len(np.unique(study["essai"][rows])), -1)  # (T, S)
    steps = [name for name in study if name.isdigit()]
    names = [name for name in study if name not in ("bras", "essai", "graine", *steps)]
    fields = {name: study[name][rows[:, 0]] for name in names}
    return Trials(fields, np.stack([study[step][rows] for step in steps], axis=-1))
