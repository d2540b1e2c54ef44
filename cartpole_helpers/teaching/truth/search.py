"""La troisième preuve, des deux côtés : une recherche qui n'a rien écarté sans preuve."""

from typing import NamedTuple

import numpy as np

from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.teaching.truth.landing import kept
from cartpole_helpers.teaching.truth.notation import Survival
from cartpole_helpers.teaching.truth.table import cells_of, filled


class _Search(NamedTuple):
    """Ce qu'une recherche a trouvé, état par état : (N,), sauf `halfway` (N, 4)."""

    reached: np.ndarray  # la survie atteinte, en pas
    complete: np.ndarray  # faux si une branche a été écartée sans preuve
    halfway: np.ndarray  # le meilleur état à mi-chemin


def _search(states: np.ndarray, target: np.ndarray, width: int) -> _Search:
    """Cherche, en largeur, une suite d'actions qui survive `target` (N,) pas.

    Une branche est coupée quand la table prouve qu'elle n'y arrivera pas ; parmi les autres, on
    garde les `width` de plus grande marge. Si rien n'est écarté autrement et que rien n'arrive,
    aucune suite ne survit autant. Chaque état est cherché sans égard aux autres.
    """
    found = _Search(np.ones(len(states)), np.ones(len(states), bool), states.copy())
    owner = np.arange(len(states))
    for step in range(1, int(target.max(initial=0))):
        owner, states = _branches(owner, states)
        owner, states = _only(step < target[owner], owner, states)
        found.reached[owner] = step + 1
        owner, states, rank = _ranked(owner, states, target[owner] - 1 - step)
        found.complete[owner[rank >= width]] = False
        middle = (rank == 0) & (step == target[owner] // 2)
        found.halfway[owner[middle]] = states[middle]
        owner, states = _only(rank < width, owner, states)
    return found


def _branches(owner: np.ndarray, states: np.ndarray) -> list[np.ndarray]:
    """Les suivants encore debout, sous les deux actions."""
    after = dynamics(np.concatenate([states, states]), np.repeat([0, 1], len(states)))
    return _only(~has_fallen(after), np.concatenate([owner, owner]), after)


def _ranked(owner: np.ndarray, states: np.ndarray, ahead: np.ndarray) -> tuple[np.ndarray, ...]:
    """Ce que la table ne condamne pas d'ici `ahead` pas, rangé par origine et marge, et le rang."""
    margins = filled().margins(cells_of(states), ahead.astype(int))
    owner, states, margins = _only(margins >= 0, owner, states, margins)
    order = np.lexsort((-margins, owner))
    owner, states = owner[order], states[order]
    return owner, states, np.arange(len(owner)) - np.searchsorted(owner, owner)


def _only(keep: np.ndarray, *arrays: np.ndarray) -> list[np.ndarray]:
    return [array[keep] for array in arrays]


def refined(
    states: np.ndarray, low: np.ndarray, high: np.ndarray, longest: int, width: int
) -> Survival:
    """Resserre les bornes (N,) par dichotomie sur la survie, `longest` pas au plus.

    `roof` baisse après chaque échec, `high` seulement si l'échec est une preuve.
    """
    low, high, roof = low.copy(), high.copy(), np.minimum(high, longest + 1)
    target = roof.copy()
    todo = np.flatnonzero(low < roof)
    while len(todo):
        found = _search(states[todo], target[todo], width)
        low[todo] = np.maximum(low[todo], found.reached)
        failed = found.reached < target[todo]
        roof[todo[failed]] = target[todo[failed]] - 1
        proved = todo[failed & found.complete]
        high[proved] = np.minimum(high[proved], target[proved] - 1)
        prolong(low, high, todo[~failed], found.halfway[~failed], target)
        todo = np.flatnonzero(low < np.minimum(roof, high))
        target = np.ceil((low + roof) / 2)
    return Survival(low, high)


def prolong(low, high, found, halfway, target) -> None:
    """Là où rien ne borne la survie, poursuit la suite trouvée, depuis son milieu."""
    endless = np.isinf(high[found])
    index = found[endless]
    low[index] = np.maximum(low[index], target[index] // 2 + kept(halfway[endless]))
