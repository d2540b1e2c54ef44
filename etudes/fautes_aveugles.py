"""Des fautes écrites par quelqu'un qui n'avait pas lu les règles de la clinique, pour la juger.

Seuls étaient connus les noms des maladies, et le moteur. Chaque faute est de celles que l'on fait
pour de bon (une ligne oubliée, un argument mis à la place d'un autre), dans une recette que la
clinique n'a jamais vue. `illness` est le nom attendu, ou `None` quand aucun des vingt et un ne
convient : l'outil peut alors seulement dire que quelque chose ne va pas. « recette saine » n'a pas
de faute.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from cartpole_helpers import (
    CartPoleVector,
    Config,
    ReplayBuffer,
    Training,
    Transition,
    td_target,
)
from cartpole_helpers.teaching.laboratory import Altered, ClockEnds

READER = Config(
    total_steps=24_000,
    carts=8,
    input_scale=(0.5, 0.5, 5.0, 0.5),
    hidden=(64, 64),
    activation="tanh",
    learning_rate=2e-3,
    learning_rate_decay=0.999,
    learning_rate_floor=3e-4,
    gamma=0.97,
    double=True,
    epsilon_end=0.2,
    epsilon_steps=6_000,
    batch_size=128,
    warmup=512,
    target_rate=0.02,
    average_rate=0.01,
)
"""La recette d'un lecteur : ni une page, ni la Version 2."""


class Fault(NamedTuple):
    """Une faute : la maladie attendue, ce qu'a fait son auteur, l'entraînement d'une graine."""

    illness: str | None
    sentence: str
    build: Callable[[int], Training]


def _set(**changes) -> Callable[[int], Training]:
    return partial(Training, replace(READER, **changes))


def _with(**given) -> Callable[[int], Training]:
    return partial(Training, READER, **given)


# Des cibles et des pertes


def _all_masked(reward, terminated, next_q, gamma):
    return (reward + gamma * next_q.max(dim=-1).values) * ~terminated


def _never_masked(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values


def _wrong_way_mask(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values * terminated


def _growing(reward, terminated, next_q, gamma):
    return td_target(reward, terminated, next_q, 1.02)


def _mean_of_actions(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.mean(dim=-1) * ~terminated


def _punished(reward, terminated, next_q, gamma):
    return td_target(-reward, terminated, next_q, gamma)


def _taken(q, action):
    return q.gather(-1, action.long().unsqueeze(-1))


def _column_against_row(q, action, target):
    return ((_taken(q, action) - target.unsqueeze(-2).detach()) ** 2).mean(dim=(-2, -1))


def _square_forgotten(q, action, target):
    return (target.detach() - _taken(q, action).squeeze(-1)).mean(dim=-1)


def _best_not_taken(q, action, target):
    return ((q.max(dim=-1).values - target.detach()) ** 2).mean(dim=-1)


# Des mémoires


class _Rewritten(Altered):
    """Une mémoire qui range chaque transition telle que `rewrite` la rend."""

    def __init__(self, inner: ReplayBuffer, rewrite: Callable[[Transition], Transition]):
        super().__init__(inner)
        self.rewrite = rewrite

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (1, E, ...)."""
        self.inner.add(*self.rewrite(Transition(*transition)))


def _same_observation(transition: Transition) -> Transition:
    return transition._replace(next_observation=transition.observation)


def _other_action(transition: Transition) -> Transition:
    return transition._replace(action=1 - transition.action)


def _rewritten(seed: int, rewrite: Callable[[Transition], Transition]) -> Training:
    return Training(READER, seed, memory=_Rewritten(_usual(seed), rewrite))


def _usual(seed: int) -> ReplayBuffer:
    return ReplayBuffer(READER.capacity, seeds=[seed])


class _OnlyGoing(Altered):
    """`if not done: memory.add(...)` : les autres chariots rangent leur pas, un tombé se tait."""

    def __init__(self, inner: ReplayBuffer, carts: CartPoleVector):
        super().__init__(inner)
        self.carts = carts

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute une transition (1, E, ...)."""
        going = self.carts.elapsed > 0  # un chariot qui vient de finir a déjà redémarré
        if going.any():
            self.inner.add(*(column[:, going] for column in transition))


def _only_going(seed: int) -> Training:
    carts = CartPoleVector(READER.carts)
    return Training(READER, seed, env=lambda _: carts, memory=_OnlyGoing(_usual(seed), carts))


FAULTS: dict[str, Fault] = {
    "recette saine": Fault(None, "rien", _set()),
    "masque sur toute la cible": Fault(
        "récompense perdue", "(r + γ max Q) × (1 − fini)", _with(td_target=_all_masked)
    ),
    "masque oublié": Fault("masque oublié", "r + γ max Q, partout", _with(td_target=_never_masked)),
    "masque à l'envers": Fault(None, "× fini", _with(td_target=_wrong_way_mask)),
    "γ de 1,02": Fault("valeurs qui explosent", "γ = 1,02", _with(td_target=_growing)),
    "moyenne pour maximum": Fault(None, "mean au lieu de max", _with(td_target=_mean_of_actions)),
    "récompense changée de signe": Fault(None, "−r", _with(td_target=_punished)),
    "colonne contre ligne": Fault(
        "cible mal alignée", "(B, 1) moins (B,)", _with(td_loss=_column_against_row)
    ),
    "carré oublié": Fault("perte négative", "moyenne des écarts", _with(td_loss=_square_forgotten)),
    "meilleure action au lieu de la jouée": Fault(
        None, "max Q à la place de Q(s, a)", _with(td_loss=_best_not_taken)
    ),
    "done rangé tel quel": Fault(
        "troncature prise pour une chute",
        "done = terminated or truncated",
        _with(env=ClockEnds),
    ),
    "état suivant oublié": Fault(
        None, "l'observation rangée deux fois", partial(_rewritten, rewrite=_same_observation)
    ),
    "actions échangées": Fault(None, "1 − a", partial(_rewritten, rewrite=_other_action)),
    "fin jamais rangée": Fault("mémoire sans chute", "if not done", _only_going),
    "ε à l'envers": Fault("ε bloqué haut", "de 0,1 à 1", _set(epsilon_start=0.1, epsilon_end=1.0)),
    "ε nul": Fault("aucune exploration", "ε = 0", _set(epsilon_start=0.0, epsilon_end=0.0)),
    "une mise à jour par épisode, ou presque": Fault(
        "mises à jour trop rares", "une tous les 100 tours", _set(learn_every=100)
    ),
    "cible jamais copiée": Fault(
        "cible jamais synchronisée", "load_state_dict oublié", _set(target_period=10**6)
    ),
    "τ et 1 − τ échangés": Fault("pas de réseau cible", "τ = 0,98", _set(target_rate=0.98)),
    "τ de 0,0005": Fault("cible trop lente", "τ = 0,0005", _set(target_rate=0.0005)),
    "moyenne presque figée": Fault(
        "politique évaluée périmée", "part de 0,0001", _set(average_rate=0.0001)
    ),
    "pas de 0,3": Fault("taux d'apprentissage trop grand", "lr = 0,3", _set(learning_rate=0.3)),
    "pas de 3e-6": Fault(
        "taux d'apprentissage trop petit",
        "lr = 3e-6",
        _set(learning_rate=3e-6, learning_rate_floor=0.0),
    ),
    "décroissance par mise à jour": Fault(
        "taux d'apprentissage tombé au plancher",
        "0,97 à chaque mise à jour",
        _set(learning_rate_decay=0.97, learning_rate_floor=1e-6),
    ),
    "lot de 2": Fault("lot trop petit", "B = 2", _set(batch_size=2)),
    "γ de 1": Fault("γ = 1 ou presque", "γ = 1", _set(gamma=1.0)),
    "γ de 0,6": Fault("γ trop petit", "γ = 0,6", _set(gamma=0.6)),
    "entrées en centièmes, ReLU": Fault(
        "unités mortes",
        "entrées × 100, et un pas de 0,03",
        _set(activation="relu", input_scale=(100.0, 100.0, 100.0, 100.0), learning_rate=0.03),
    ),
}
