"""Le carnet de relevé d'une boucle qui n'est pas la nôtre : trois lignes, et un `Chart`."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from cartpole_helpers.checks import check_number
from cartpole_helpers.environments import CARTPOLE, Env
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import ReplayBuffer, Transition
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.teaching.clinic.charts import (
    EPISODES,
    EVALUATE_EVERY,
    LOOKS,
    SQUARED,
    Chart,
    Loss,
    QFunction,
    chart,
    checked_loss,
    dead_share,
    drift,
    examine,
    examine_lived,
    loss_measures,
    told_env,
)
from cartpole_helpers.teaching.clinic.references import (
    References,
    Seen,
    references_from,
    references_of,
)

WITHOUT_SB3 = (
    "sb3_callback demande la bibliothèque stable_baselines3, qui manque : "
    "`python -m pip install stable-baselines3` l'installe."
)
ACTIVATIONS = nn.ReLU.__module__  # où PyTorch range ses fonctions d'activation


class Logbook:
    """Le relevé d'une boucle écrite à la main : `observe`, `update`, `look`, puis `chart`.

    `env` : le jeu, comme pour `Training` ; None si Gymnasium ne le connaît pas, et ce qu'on a vécu
    avant le premier regard en tient lieu. `episodes` : ceux de chaque évaluation gloutonne, un
    regard sur quatre ; 0, aucune, comme sans `env`. `loss` : `SQUARED` ou `HUBER`. ValueError ou
    TypeError si le jeu ne convient pas.
    """

    def __init__(
        self, env: Env | None = CARTPOLE, *, episodes: int = EPISODES, loss: Loss = SQUARED
    ):
        self.env, self.loss = env, checked_loss(loss)
        self.episodes = check_number("episodes", episodes, int, low=0) if env is not None else 0
        self.references = None if env is None else references_of(env)
        self.seen, self.rows = Seen(), []
        self.env_steps = self.gradient_steps = 0
        self._losses: list[tuple[float, int]] = []
        self._returns: list[float] = []
        self._running: np.ndarray | float = 0.0
        self._before: tuple[int, np.ndarray] | None = None
        self._watched: tuple[nn.Module, nn.Module] | None = None
        self._apart = False

    def observe(self, observation, action, reward, terminated, truncated, next_observation) -> None:
        """Ajoute un pas : `observation` (D,), ou (E, D) si E copies du jeu avancent ensemble.

        `next_observation` est le vrai successeur, non le départ de l'épisode suivant. ValueError si
        une forme ne convient pas, ou change de nombre de copies, ou si une valeur n'est pas finie.
        """
        self._apart = self._apart or bool(self._watched and not _alike(*self._watched))
        state, successor = (np.atleast_2d(one) for one in (observation, next_observation))
        columns = (action, reward, terminated, truncated)
        action, reward, terminated, truncated = (np.ravel(one) for one in columns)
        ended = terminated.astype(bool) | truncated.astype(bool)
        if ended.shape != reward.shape:
            raise ValueError(
                "terminated et truncated doivent avoir la forme de reward : "
                f"{ended.shape} et {reward.shape} reçus."
            )
        if np.shape(self._running) not in ((), reward.shape):
            raise ValueError(
                "observe doit recevoir à chaque pas le même nombre de copies du jeu : "
                f"{len(reward)} reçu, après {np.size(self._running)}."
            )
        lived = Transition(state, action, reward, terminated, successor)
        self.seen.add(lived, truncated.astype(bool))
        self.env_steps += len(reward)
        self._running = self._running + reward
        self._returns += self._running[ended].tolist()
        self._running = np.where(ended, 0.0, self._running)

    def update(self, loss: float, count: int = 1) -> None:
        """Ajoute une mise à jour et sa perte, ou `count`, dont on n'a que la perte moyenne."""
        count, loss = check_number("count", count, int, low=1), _number("loss", loss)
        self.gradient_steps += count
        self._losses.append((loss, count))

    def look(
        self,
        online: nn.Module | QFunction,
        target: nn.Module | QFunction | None = None,
        *,
        memory: Any = None,
        policy: Policy | None = None,
        epsilon: float = math.nan,
    ) -> None:
        """Relève tout ce que l'on peut, à cet instant ; le mieux, juste avant une mise à jour.

        `online`, `target` : des réseaux de PyTorch, ou des fonctions (N, D) → (N, A) ; d'une
        fonction, on ne sait ni les poids ni les unités. `memory` : un `Transition` de tableaux, une
        suite de transitions, un `ReplayBuffer`, ou une mémoire faite comme celle de
        Stable-Baselines3 ; sans elle, ce que l'on a vécu. `policy` : celle que l'on évalue, si ce
        n'est pas `online`. ValueError si aucun pas n'a été joué depuis le regard d'avant.
        """
        before = self.rows[-1]["env_steps"] if self.rows else 0
        if self.env_steps == before:
            raise ValueError(
                "look doit suivre au moins un `observe`, et un de plus à chaque fois : aucun pas "
                f"n'a été vu depuis le pas {before}."
            )
        epsilon = _number("epsilon", epsilon)
        own = np.array([loss for loss, count in self._losses if count == 1])
        row = {"env_steps": self.env_steps, "gradient_steps": self.gradient_steps}
        row |= loss_measures(own) if len(own) == len(self._losses) else self._mean_loss()
        row |= {"epsilon": epsilon, "played": _mean(self._returns)}
        row |= self._examined(online, target, memory, policy)
        row |= self._inside(online)
        if row.get("fall_cost", math.nan) > row["loss"] / 2:
            row["loss_spread"] = math.nan  # elle compterait les chutes d'un lot, non sa taille
        modules = isinstance(online, nn.Module) and isinstance(target, nn.Module)
        if row.get("lag") == 0 and modules and (self._apart or not self._watched):
            row["lag"] = math.nan  # on regarde juste après une copie : ils diffèrent d'ordinaire
        if policy is None and self.episodes:
            row["disagreement"] = 0.0  # on évalue celui qui apprend
        row["greedy"] = self._greedy(policy or greedy(q_function(online)))
        self.rows.append(row)
        self._losses, self._returns = [], []
        self._watched = (online, target) if modules else None
        self._apart = False

    def chart(self) -> Chart:
        """Rend le relevé, un instant par `look`."""
        name = "un autre jeu" if self.env is None else told_env(self.env)
        return chart(self.rows, self.seen.game(name))

    def _mean_loss(self) -> dict[str, float]:
        """Rend la perte moyenne seule : de moyennes, la dispersion ne dirait rien du lot."""
        means, counts = np.transpose(self._losses)
        return loss_measures([np.average(means, weights=counts)]) | {"loss_spread": math.nan}

    def _examined(self, online, target, memory, policy) -> dict[str, float]:
        asked = q_function(online)
        if self.references is None:
            lived, copies = self.seen.recent(), np.size(self._running)
            actions = asked(lived.observation[:1]).shape[-1]
            self.references = references_from(lived, actions, copies)
        references = self.references
        networks = asked, None if target is None else q_function(target)
        given = {"loss": self.loss}
        if memory is None:
            lived = self.seen.recent()
            fitted = examine(*networks, lived, policy, references=_told(references), **given)
            return {name: value for name, value in fitted.items() if name not in AUDITED}
        kept = transitions_of(memory, references.sizes.observation)
        return examine_lived(self.seen, references, *networks, kept, policy, **given)

    def _inside(self, online) -> dict[str, float]:
        """Rend ce que disent les poids et les unités d'un réseau de PyTorch."""
        if not isinstance(online, nn.Module):
            return {}
        weights = nn.utils.parameters_to_vector(online.parameters()).numpy(force=True).copy()
        then, before = self._before or (self.gradient_steps, weights)
        self._before = self.gradient_steps, weights
        return {
            "drift": drift(before, weights, self.gradient_steps - then),
            "dead": dead_share(activations(online, self.references.probes)),
        }

    def _greedy(self, policy: Policy) -> float:
        if not self.episodes or len(self.rows) % EVALUATE_EVERY != EVALUATE_EVERY - 1:
            return math.nan
        start = fresh_seed(Purpose.CHART, self.env_steps)
        return float(evaluate(policy, self.episodes, seed=start, env=self.env).mean())


AUDITED = ("stored", "stored_reward", "stored_falls", "false_ends", "missed_ends")


def _told(references: References) -> References:
    """Rend des références sans vérité : ce que l'on a vécu n'est pas à vérifier."""
    return references._replace(ended=None)


def _alike(one: nn.Module, other: nn.Module) -> bool:
    """Dit si les derniers poids de deux réseaux sont égaux : les autres le sont alors aussi."""
    [*_, last], [*_, twin] = one.parameters(), other.parameters()
    return torch.equal(last, twin)


def _number(name: str, value) -> float:
    """Rend en flottant un nombre, fini ou non, fût-il un tenseur que l'on dérive."""
    value = value.detach().cpu() if isinstance(value, torch.Tensor) else value
    number = np.asarray(value)
    if number.size != 1 or number.dtype.kind not in "iuf":
        raise TypeError(f"{name} doit être un nombre : {value!r} reçu.")
    return float(number.item())


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def q_function(network: nn.Module | QFunction) -> QFunction:
    """Rend la fonction (N, D) → (N, A), en tableaux, d'un réseau de PyTorch ; ou `network`.

    On l'interroge comme on le jugerait : ni extinction au hasard, ni moyenne de lot ; puis son mode
    lui est rendu.
    """
    if not isinstance(network, nn.Module):
        return network
    device = next(network.parameters()).device

    def values(observations: np.ndarray) -> np.ndarray:
        states = torch.as_tensor(np.asarray(observations, np.float32), device=device)
        with torch.no_grad(), _judged(network):
            return network(states).numpy(force=True)

    return values


@contextmanager
def _judged(network: nn.Module) -> Iterator[None]:
    """Met en mode d'évaluation les modules qui s'entraînent, le temps d'une question."""
    training = [module for module in network.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def greedy(values: QFunction) -> Policy:
    """Rend la politique qui préfère la plus grande valeur."""
    return lambda observations: values(observations).argmax(axis=-1)


def activations(network: nn.Module, observations: np.ndarray) -> list[np.ndarray]:
    """Rend ce que rend chaque fonction d'activation du réseau, (N, largeur) ; rien s'il n'en a
    pas de modules."""
    found: list[np.ndarray] = []
    hooks = [
        module.register_forward_hook(lambda *seen: found.append(seen[-1].numpy(force=True)))
        for module in network.modules()
        if type(module).__module__ == ACTIVATIONS
    ]
    try:
        q_function(network)(observations)
    finally:
        for hook in hooks:
            hook.remove()
    return [layer.reshape(len(observations), -1) for layer in found]


# Les mémoires des autres


def transitions_of(memory: Any, size: int) -> Transition:
    """Rend ce que garde une mémoire, (N, ...) : la nôtre, une autre, ou une suite ; `size` : D.

    TypeError si elle n'est rien de tout cela.
    """
    if isinstance(memory, Transition):
        return memory
    if isinstance(memory, ReplayBuffer):
        columns = memory.contents()[: len(Transition._fields)]
        if (agents := len(columns[0])) > 1:
            raise ValueError(f"memory doit être d'un seul agent : {agents} agents reçus.")
        return Transition(*(column[0] for column in columns))
    if hasattr(memory, "observations") and hasattr(memory, "dones"):
        return _from_sb3(memory)
    if isinstance(memory, Iterable):
        return _from_rows([*memory], size)
    raise TypeError(
        "memory doit être un `Transition` de tableaux, une suite de transitions, un `ReplayBuffer` "
        f"ou une mémoire de Stable-Baselines3 : {type(memory).__name__} reçu."
    )


def _from_rows(rows: list, size: int) -> Transition:
    if not all(isinstance(row, tuple | list) and len(row) == 5 for row in rows):
        raise TypeError(
            "memory doit être une suite de transitions de cinq éléments, dans cet ordre : "
            f"{', '.join(Transition._fields)}."
        )
    if not rows:  # elle n'a encore rien reçu
        return Transition(np.zeros((0, size)), *np.zeros((3, 0)), np.zeros((0, size)))
    try:
        state, action, reward, terminated, successor = (
            np.array(column) for column in zip(*rows, strict=True)
        )
    except ValueError:
        raise ValueError(
            f"memory doit garder, à chaque transition, des observations de {size} nombres, celle "
            "d'après une fin comprise : des formes différentes reçues."
        ) from None
    scalars = (column.reshape(len(rows)) for column in (action, reward, terminated))
    action, reward, terminated = scalars
    return Transition(state, action, reward, terminated, successor)


def _from_sb3(memory: Any) -> Transition:
    """Rend les transitions d'une mémoire de Stable-Baselines3, telles que la cible les lira."""
    if getattr(memory, "optimize_memory_usage", False):
        raise ValueError(
            "memory doit garder ses successeurs : optimize_memory_usage=False est attendu."
        )
    count = memory.buffer_size if memory.full else memory.pos
    ended = memory.dones[:count]
    if getattr(memory, "handle_timeout_termination", False):
        ended = ended * (1 - memory.timeouts[:count])
    size = memory.observations.shape[-1]
    return Transition(
        memory.observations[:count].reshape(-1, size),
        memory.actions[:count].reshape(-1),
        memory.rewards[:count].reshape(-1),
        ended.reshape(-1).astype(bool),
        memory.next_observations[:count].reshape(-1, size),
    )


def sb3_callback(looks: int = LOOKS, episodes: int = EPISODES):
    """Rend le rappel à donner à `DQN.learn(callback=...)` ; son `chart()` rend le relevé.

    ImportError, en une phrase, si Stable-Baselines3 n'est pas installée.
    """
    try:
        from cartpole_helpers.teaching.clinic.stable_baselines import ChartCallback
    except ImportError as error:
        raise ImportError(WITHOUT_SB3) from error
    return ChartCallback(looks, episodes)
