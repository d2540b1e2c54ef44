"""La surestimation contre la vérité : réseau cible, Double DQN, et ce qu'y fait le maximum.

    .venv/bin/python etudes/surestimation.py

Vingt graines par règle, 30 000 pas, γ = 0,99 : rien ne vaut plus de 100. Fixé avant de lancer
l'étude ; les trois premières règles avaient déjà été vues, pas les quatre autres. Critère
principal, les valeurs : Q(s₀), en moyenne sur les mesures d'après le pas 15 000, et son logarithme
sans réseau cible, où elle s'emballe. Trois comparaisons, appariées par graine (Student), ensemble
sous la règle de Holm : Double DQN ou non ; puis, avec réseau cible et sans lui, une cible **sans
maximum** contre la cible ordinaire. Second critère, le jeu : le retour moyen, aux mêmes mesures ;
quatre comparaisons sous Holm : sans réseau cible ou avec ; Double ou non ; et, avec réseau cible et
sans lui, des cibles **bornées** par 1/(1 − γ) ou non. Tout le reste est exploratoire.

Après coup : sans réseau cible ni maximum, des valeurs sont négatives ; le logarithme prévu n'y a
pas de sens, et le carnet compte les graines au lieu de le comparer.

Sans maximum, l'agent estime une règle fixe, `lqr`, qui tient s₀ à jamais : la cible lit Q(s', a')
pour l'action a' de cette règle, et la vérité à laquelle on compare Q(s, a') est V de cette règle,
exacte, jouée pendant `FOREVER` pas. L'agent joue, lui, l'action qu'il croit la meilleure.

Tous les 2 000 pas, les valeurs de l'agent sont comparées à V*, sur les états dont elle est connue
exactement : ceux d'une large boîte, les mêmes pour tous, et ceux de 200 que l'agent vient de
visiter. Colonnes : le retour moyen de 20 épisodes (`retour`), max Q en 0 (`q0`), puis, pour la
boîte (`b_`) et pour les états visités (`v_`), la part des états où max Q dépasse V* (`part`), et
l'écart moyen max Q − V* sur les états sauvables (`sauves`) et sur les états perdus (`perdus`) ;
« nan » s'il n'y en a pas. Sans maximum, « sauvable » et « perdu » se disent de la règle fixe.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from etats import Known, in_box, known
from torch import Tensor

from cartpole_helpers import (
    VERSION_2,
    Agent,
    Config,
    ReplayBuffer,
    Training,
    Transition,
    evaluate,
    td_target,
)
from cartpole_helpers.cartpole import dynamics, has_fallen
from cartpole_helpers.policies import Policy, lqr
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.laboratory import Altered

EVERY, BUDGET, EPISODES = 2_000, 30_000, 20
BOXED, VISITED = 2_000, 200  # états tirés ; on garde ceux dont V* est connue
FOREVER = 3_000  # pas au-delà desquels rien ne compte plus, à γ = 0,99
PLAIN = replace(
    VERSION_2,
    total_steps=BUDGET,
    carts=4,
    learning_rate=2e-3,
    learning_rate_decay=1.0,
    gamma=0.99,
    n_steps=1,
    double=False,
    epsilon_end=0.1,
    epsilon_steps=10_000,
    epsilon_hold=1.0,
    average_rate=1.0,
    average_tail=0.0,
)
WITHOUT_TARGET = replace(PLAIN, target_rate=1.0)


def bounded_td_target(reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float) -> Tensor:
    """Rend la cible ordinaire, ramenée à 1/(1 − γ) quand elle le dépasse."""
    return td_target(reward, terminated, next_q, gamma).clamp(max=1 / (1 - gamma))


class FixedRule(Altered):
    """Estime la règle `lqr` : la cible lit Q(s', a') pour l'action a' de la règle, sans maximum.

    Cette action dépend du successeur, qu'une cible ne voit pas : la mémoire le retient.
    """

    def sample(self, batch_size: int) -> Transition:
        """Rend un lot, et en retient les successeurs."""
        batch = super().sample(batch_size)
        self.successor = batch.next_observation
        return batch

    def td_target(self, reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float) -> Tensor:
        """Rend la cible de la règle."""
        chosen = torch.from_numpy(action_of(lqr, self.successor))
        return td_target(reward, terminated, next_q.gather(-1, chosen[..., None]), gamma)


def follow_rule(config: Config, seeds: Sequence[int]) -> Training:
    """Rend l'entraînement qui estime la règle `lqr`."""
    memory = FixedRule(ReplayBuffer(config.capacity, seeds=seeds))
    return Training(config, seeds, memory=memory, td_target=memory.td_target)


class Rule(NamedTuple):
    """Ce qu'on entraîne, et la règle fixe qu'il estime, s'il n'estime pas la meilleure."""

    start: Callable[..., Training]
    fixed: Policy | None = None


RULES = {
    "sans réseau cible": Rule(partial(Training, WITHOUT_TARGET)),
    "avec réseau cible": Rule(partial(Training, PLAIN)),
    "réseau cible et Double": Rule(partial(Training, replace(PLAIN, double=True))),
    "sans réseau cible, sans max": Rule(partial(follow_rule, WITHOUT_TARGET), lqr),
    "réseau cible, sans max": Rule(partial(follow_rule, PLAIN), lqr),
    "sans réseau cible, bornées": Rule(
        partial(Training, WITHOUT_TARGET, td_target=bounded_td_target)
    ),
    "réseau cible, bornées": Rule(partial(Training, PLAIN, td_target=bounded_td_target)),
}
GAPS = [f"{place}_{gap}" for place in "bv" for gap in ("part", "sauves", "perdus")]


def run(rule: Rule, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines, et rend une ligne par graine et par mesure, dans cet ordre."""
    training, rows = rule.start(seeds), []
    box = under(rule.fixed, known(in_box(BOXED), effort=2))
    visited = deque(maxlen=EVERY // PLAIN.carts)
    for step in training.run():
        visited.append(step.observation)
        if step.env_steps % EVERY < PLAIN.carts:
            seen = np.concatenate(visited, axis=1)  # (S, N, 4)
            starts = fresh_seed(Purpose.STUDY, step.env_steps)
            returns = evaluate(training.agent, EPISODES, starts).mean(axis=-1)
            for rank, seed in enumerate(seeds):
                wrong = measured(training.agent[rank], rule.fixed, box, seen[rank])
                numbers = (returns[rank], *wrong)
                rows.append((seed, step.env_steps, *(f"{one:.4g}" for one in numbers)))
    return sorted(rows, key=lambda row: row[:2])


def measured(agent: Agent, fixed: Policy | None, box: Known, seen: np.ndarray) -> list[float]:
    """Rend Q en 0, puis les écarts à la vérité, dans la boîte et là où l'agent est passé."""
    drawn = np.random.default_rng(agent.seeds[0]).choice(seen, VISITED, replace=False)
    here = under(fixed, known(drawn.astype(float)))
    q0 = claimed(agent, fixed, np.zeros((1, 4)))[0]
    return [q0, *gaps(agent, fixed, box), *gaps(agent, fixed, here)]


def gaps(agent: Agent, fixed: Policy | None, truths: Known) -> list[float]:
    """Rend la part d'états surestimés, et l'écart moyen sur les sauvables et sur les perdus."""
    gap = claimed(agent, fixed, truths.states) - truths.values(agent.config.gamma)
    saved = np.isinf(truths.survival)
    return [(gap > 0).mean(), *(mean(gap[kind]) for kind in (saved, ~saved))]


def claimed(agent: Agent, fixed: Policy | None, states: np.ndarray) -> np.ndarray:
    """Rend ce que l'agent attend des états (N, 4) : max Q, ou Q de l'action de la règle fixe."""
    q = agent.q_values(states)  # (N, 2)
    if fixed is None:
        return q.max(axis=1)
    return np.take_along_axis(q, action_of(fixed, states)[:, None], axis=1)[:, 0]


def under(fixed: Policy | None, truths: Known) -> Known:
    """Rend les mêmes états, et la survie de qui suit la règle fixe, s'il y en a une."""
    return truths if fixed is None else Known(truths.states, survival(fixed, truths.states))


def survival(policy: Policy, states: np.ndarray) -> np.ndarray:
    """Rend le nombre de pas (N,) que tient `policy`, infini s'il dépasse `FOREVER`."""
    lasted = np.full(len(states), np.inf)
    for step in range(1, FOREVER + 1):
        standing = np.isinf(lasted)
        states = np.where(standing[:, None], dynamics(states, policy(states)), states)
        lasted[standing & has_fallen(states)] = step
    return lasted


def action_of(policy: Policy, states: np.ndarray) -> np.ndarray:
    """Rend les actions (...) de `policy` aux états (..., 4)."""
    return policy(states.reshape(-1, states.shape[-1])).reshape(states.shape[:-1])


def mean(values: np.ndarray) -> float:
    """La moyenne, ou « nan » si rien n'est à moyenner."""
    return values.mean() if len(values) else np.nan


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=RULES,
    seeds=range(20),
    columns=("pas", "retour", "q0", *GAPS),
    names=("regle",),
)

if __name__ == "__main__":
    launch(STUDY)
