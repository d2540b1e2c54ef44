"""La clinique du DQN : relever un entraînement, lire un relevé, nommer ce dont il souffre."""

import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, check_actions
from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_number,
    check_numbers,
)
from cartpole_helpers.display.typography import typography
from cartpole_helpers.dqn import Agent, StackedNetwork
from cartpole_helpers.history import History, Recorder
from cartpole_helpers.loops import Training, evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import Transition

LOOKS = 40  # relevés par entraînement
ENOUGH = 6  # relevés en deçà desquels on ne conclut pas
EPISODES = 10  # par évaluation gloutonne
EVALUATE_EVERY = 4  # relevés entre deux évaluations, plus longues que tout le reste
FRESH = 5_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
SAMPLE = 512  # transitions de chaque sorte, en mémoire, sur lesquelles on interroge les réseaux
PROBES = 64  # états de chaque sorte
QFunction = Callable[[np.ndarray], np.ndarray]


# Le relevé


class Chart(NamedTuple):
    """Le relevé d'un entraînement, une ligne par instant ; `nan` : non mesuré, `inf` : non fini."""

    env_steps: np.ndarray  # (K,) pas d'environnement, croissants
    gradient_steps: np.ndarray  # (K,) mises à jour faites jusque-là
    epsilon: np.ndarray  # (K,)
    played: np.ndarray  # (K,) retour moyen des épisodes achevés depuis l'instant d'avant
    greedy: np.ndarray  # (K,) retour moyen de la politique gloutonne, évaluée
    loss: np.ndarray  # (K,) moyenne depuis l'instant d'avant
    loss_spread: np.ndarray  # (K,) ln(perte médiane / son premier décile) d'une tranche
    q_safe: np.ndarray  # (K,) max Q moyen des états sûrs
    q_doomed: np.ndarray  # (K,) max Q moyen des états perdus, où la vraie valeur est 1
    q_limit: np.ndarray  # (K,) plus grande valeur absolue de Q
    target_safe: np.ndarray  # (K,) max Q moyen des états sûrs, d'après le réseau cible
    lag: np.ndarray  # (K,) écart absolu moyen entre les deux réseaux
    disagreement: (
        np.ndarray
    )  # (K,) part des états en mémoire où la politique évaluée agit autrement
    drift: np.ndarray  # (K,) déplacement d'un poids (quadratique moyen), par mise à jour
    dead: np.ndarray  # (K,) part des unités cachées qui rendent la même chose dans tous les états
    stored: np.ndarray  # (K,) transitions en mémoire
    stored_reward: np.ndarray  # (K,) récompense moyenne en mémoire
    stored_falls: np.ndarray  # (K,) part des transitions en mémoire dont le successeur est tombé
    false_ends: np.ndarray  # (K,) part qui se dit terminée alors que le successeur est debout
    missed_ends: np.ndarray  # (K,) part des chutes en mémoire qui ne se disent pas terminées
    discount: np.ndarray  # (K,) l'actualisation que trahissent les valeurs : γ, ou γⁿ à n pas
    flatness: np.ndarray  # (K,) écart type de Q en mémoire, rapporté à sa moyenne
    fall_cost: np.ndarray  # (K,) ce que coûteraient les chutes en mémoire à une perte bien masquée


def chart(rows: Sequence[Mapping[str, float]]) -> Chart:
    """Rend le relevé de K lignes, chacune un dictionnaire de mesures ; ce qui manque vaut NaN.

    `rows` : les clés sont des champs de `Chart`, `env_steps` au moins, qui croît. TypeError ou
    ValueError si une ligne n'est pas un dictionnaire, nomme une autre mesure, ou n'est pas faite
    de nombres.
    """
    rows = [_checked_row(row) for row in rows]
    columns = {name: [row.get(name, math.nan) for row in rows] for name in Chart._fields}
    made = Chart(**{name: np.array(column, float) for name, column in columns.items()})
    if not (np.diff(made.env_steps) > 0).all() or not np.isfinite(made.env_steps).all():
        raise ValueError(
            f"rows doit donner à chaque ligne un env_steps, croissant : {made.env_steps} reçu."
        )
    return made


def _checked_row(row: Mapping[str, float]) -> Mapping[str, float]:
    if not isinstance(row, Mapping):
        raise TypeError(f"rows doit être une suite de dictionnaires : {row!r} reçu dans la suite.")
    for name, value in row.items():
        check_choice("une clé de `rows`", name, Chart._fields)
        if check_numbers(name, value).shape != ():
            raise ValueError(f"{name} doit être un nombre, un par ligne : {value!r} reçu.")
    return row


def from_history(history: History, agent: int = 0, looks: int = LOOKS) -> Chart:
    """Rend ce qu'un `History` dit de l'agent de rang `agent`, en `looks` tranches égales.

    On n'y voit que le retour en jouant, la perte, ε et la fréquence des mises à jour.
    """
    looks = check_number("looks", looks, int, low=1)
    steps = np.concatenate([history.episode_env_steps, history.update_env_steps, [0]])
    ends = np.unique(np.linspace(0, steps.max(), looks + 1)[1:].round())
    return chart(_history_rows(history, agent, ends[ends > 0]))


def _history_rows(history: History, agent: int, ends: Iterable[float]) -> list[dict]:
    """Rend une ligne par tranche ; la tranche finit à `ends`, compris."""
    played, returns = history.returns(agent)
    ends = np.asarray(ends, float)
    episode, update = (np.searchsorted(ends, steps) for steps in (played, history.update_env_steps))
    return [
        {
            "env_steps": end,
            "gradient_steps": (update <= place).sum(),
            "epsilon": _mean(history.epsilon[update == place]),
            "played": _mean(returns[episode == place]),
            **loss_measures(history.loss[update == place, agent]),
        }
        for place, end in enumerate(ends)
    ]


def loss_measures(losses: Sequence[float]) -> dict[str, float]:
    """Rend `loss` et `loss_spread`, d'après les pertes (N,) des mises à jour d'une tranche.

    La moyenne vaut l'infini si l'une d'elles n'est pas finie ; la dispersion en demande huit.
    """
    losses = check_numbers("losses", losses).astype(float).ravel()
    if not np.isfinite(losses).all():
        return {"loss": math.inf, "loss_spread": math.nan}
    return {"loss": _mean(losses), "loss_spread": _lower_tail(np.abs(losses) + 1e-12)}


def _lower_tail(losses: np.ndarray) -> float:
    """Rend ln(médiane / premier décile) : 3,4 pour le carré d'une seule erreur gaussienne, et
    d'autant moins que l'on en moyenne davantage."""
    if len(losses) < 8:
        return math.nan
    tenth, half = np.quantile(losses, [0.1, 0.5])
    return math.log(half / tenth)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


# Examiner les réseaux et la mémoire


def _probes() -> np.ndarray:
    """Rend (2, N, 4) : N états sûrs, près de l'équilibre, puis N qui tombent au pas suivant."""
    generator = np.random.default_rng(0)
    safe = generator.uniform(-1, 1, (PROBES, 4)) * [0.5, 0.3, 0.05, 0.3]
    # Ce sont 0,195 + 0,02 · 1 > 0,2095 : la chute ne dépend plus de l'action.
    leaning = generator.uniform([-1, -1, 0.195, 1], [1, 1, 0.209, 2.5], (PROBES, 4))
    side = generator.choice([-1, 1], (PROBES, 1))
    return np.stack([safe, leaning * side]).astype(np.float32)


SAFE, DOOMED = _probes()
ALL = np.concatenate([SAFE, DOOMED])


@np.errstate(all="ignore")
def examine(
    online: QFunction,
    target: QFunction | None = None,
    memory: Transition | None = None,
    policy: Policy | None = None,
) -> dict[str, float]:
    """Rend les mesures des réseaux et de la mémoire à un instant, pour une ligne de `chart`.

    `online`, `target` : des fonctions (N, 4) → (N, 2), comme `agent.q_values` ; `memory` : les
    transitions gardées, tableaux (N, ...) ; `policy` : la politique que l'on évalue, (N, 4) → (N,).
    Ce qui n'est pas donné n'est pas mesuré ; `policy` l'est sur la mémoire.
    """
    measures = _measured_values(online, target)
    if memory is None:
        return measures
    memory = _checked_memory(memory)
    if not len(memory.action):
        return measures | {"stored": 0.0}
    fitted = _fit(online, target or online, memory)
    return measures | fitted | _audit(memory) | _compared(online, policy, memory)


def _compared(online: QFunction, policy: Policy | None, memory: Transition) -> dict[str, float]:
    if policy is None:
        return {}
    states = memory.observation[_spread(np.arange(len(memory.action)))]
    preferred = _asked("online", online, states).argmax(axis=-1)
    chosen = check_actions(check_callable("policy", policy)(states), preferred.shape, "policy")
    return {"disagreement": float((chosen != preferred).mean())}


def _measured_values(online: QFunction, target: QFunction | None) -> dict[str, float]:
    q = _asked("online", online, ALL)
    safe, doomed = q.max(axis=-1).reshape(2, PROBES).mean(axis=-1)
    measures = {"q_safe": safe, "q_doomed": doomed, "q_limit": _largest(q)}
    if target is not None:
        other = _asked("target", target, ALL)
        measures["target_safe"] = other[:PROBES].max(axis=-1).mean()
        measures["lag"] = np.abs(q - other).mean()
    return {name: float(value) for name, value in measures.items()}


def _asked(name: str, function: QFunction, observations: np.ndarray) -> np.ndarray:
    """Rend Q (N, 2) en float64, qui peut ne pas être fini."""
    q = check_numbers(name, check_callable(name, function)(observations)).astype(float)
    if q.shape != (len(observations), 2):
        raise ValueError(
            f"{name} doit rendre un tableau {(len(observations), 2)}, une valeur par action : "
            f"{q.shape} rendu."
        )
    return q


def _largest(q: np.ndarray) -> float:
    return float(np.abs(q).max()) if np.isfinite(q).all() else math.inf


def _checked_memory(memory: Transition) -> Transition:
    if not isinstance(memory, tuple) or len(memory) != len(Transition._fields):
        raise TypeError(f"memory doit être un Transition : {type(memory).__name__} reçu.")
    memory = Transition(*memory)
    count = len(check_array("memory.observation", memory.observation, (None, 4)))
    shapes = Transition((count, 4), (count,), (count,), (count,), (count, 4))
    return Transition(
        *(
            check_array(f"memory.{name}", values, shape)
            for name, values, shape in zip(memory._fields, memory, shapes, strict=True)
        )
    )


def _audit(memory: Transition) -> dict[str, float]:
    """Compare ce que la mémoire dit de chaque fin à ce que montre le successeur."""
    fallen, terminated = fallen_for_sure(memory.next_observation), memory.terminated.astype(bool)
    standing = ~fallen_for_sure(memory.next_observation, margin=-1e-5)
    return {
        "stored": float(len(terminated)),
        "stored_reward": float(memory.reward.mean()),
        "stored_falls": float(fallen.mean()),
        "false_ends": float((terminated & standing).mean()),
        "missed_ends": float((~terminated)[fallen].mean()) if fallen.any() else math.nan,
    }


def fallen_for_sure(states: np.ndarray, margin: float = 1e-5) -> np.ndarray:
    """Dit quels états (N, 4) dépassent une limite d'une part `margin` : l'arrondi n'y peut rien."""
    x, theta = np.abs(states[..., 0]) / X_LIMIT, np.abs(states[..., 2]) / THETA_LIMIT
    return np.maximum(x, theta) > 1 + margin


def _fit(online: QFunction, target: QFunction, memory: Transition) -> dict[str, float]:
    """Compare les valeurs aux cibles qu'elles devraient suivre, chutes bien masquées.

    À l'équilibre, la moyenne de Q(s, a) − r sur la mémoire est γ fois celle de max Q(s'), comptée
    nulle après une chute : γ s'en déduit. Une chute, elle, devrait valoir sa récompense.
    """
    fallen = fallen_for_sure(memory.next_observation)
    falls, others = _spread(np.flatnonzero(fallen)), _spread(np.flatnonzero(~fallen))
    at_falls, elsewhere = (_excess(online, memory, rows) for rows in (falls, others))
    following = _asked("target", target, memory.next_observation[others]).max(axis=-1)
    share, middle = fallen.mean(), _average(elsewhere)
    learned = share * _average(at_falls) + (1 - share) * middle
    return {
        "discount": float(learned / ((1 - share) * _average(following))),
        "flatness": float(np.sqrt(_average(np.square(elsewhere - middle))) / abs(learned)),
        "fall_cost": float(share * _average(np.square(at_falls))),
    }


def _average(values: np.ndarray) -> np.float64:
    """Rend la moyenne, nulle s'il n'y a rien : un échantillon vide ne pèse rien."""
    return np.float64(values.mean() if len(values) else 0)


def _excess(online: QFunction, memory: Transition, rows: np.ndarray) -> np.ndarray:
    """Rend Q(s, a) − r des lignes `rows` de la mémoire."""
    q = _asked("online", online, memory.observation[rows])
    taken = np.take_along_axis(q, memory.action[rows, None].astype(int), axis=-1)[:, 0]
    return taken - memory.reward[rows]


def _spread(rows: np.ndarray) -> np.ndarray:
    """Rend au plus `SAMPLE` des lignes, à intervalles réguliers."""
    return rows[:: math.ceil(len(rows) / SAMPLE)] if len(rows) else rows


@np.errstate(all="ignore")
def drift(before: np.ndarray, after: np.ndarray, updates: int) -> float:
    """Rend le déplacement d'un poids (quadratique moyen) par mise à jour, de `before` à `after`.

    Tous les poids du réseau, en deux tableaux de même forme ; NaN si `updates` est nul, l'infini si
    un poids n'est pas fini.
    """
    before, after = check_numbers("before", before), check_numbers("after", after)
    if before.shape != after.shape:
        raise ValueError(
            "`before` et `after` doivent avoir la même forme : "
            f"{before.shape} et {after.shape} reçus."
        )
    updates = check_number("updates", updates, int, low=0)
    moved = math.sqrt(np.square(after.astype(float) - before).mean())
    if not updates:
        return math.nan
    return moved / updates if math.isfinite(moved) else math.inf


@np.errstate(all="ignore")
def dead_share(outputs: Iterable[np.ndarray]) -> float:
    """Rend la part des unités qui rendent la même chose dans tous les états.

    `outputs` : pour chaque couche cachée, ce qu'elle rend après son activation, (N, largeur), sur
    des états variés, par exemple `diagnosis.ALL`.
    """
    outputs = [check_numbers("outputs", output).astype(float) for output in outputs]
    units = [
        np.ptp(output, axis=0) <= 1e-6 * np.abs(output).max(initial=1e-30) for output in outputs
    ]
    return _mean(np.concatenate(units)) if units else math.nan


def hidden_outputs(agent: Agent, observations: np.ndarray) -> Iterator[np.ndarray]:
    """Rend, couche cachée par couche, la sortie (N, largeur) des unités d'un agent seul."""
    network = StackedNetwork(agent.config, agent.weights.detach())
    activation = getattr(functional, agent.config.activation)
    x = torch.from_numpy(observations) * torch.tensor(agent.config.input_scale)
    for weight, bias in network.layers[:-1]:
        x = activation(x @ weight[0] + bias[0])
        yield x.numpy()


# Suivre un entraînement


class _Look(NamedTuple):
    """Ce qu'un regard retient de S agents."""

    env_steps: int
    gradient_steps: int
    weights: np.ndarray  # (S, P)
    measures: list[dict[str, float]]


def follow(training: Training, looks: int = LOOKS, episodes: int = EPISODES) -> list[Chart]:
    """Mène `training` jusqu'au bout et rend le relevé de chacun de ses S agents.

    `looks` : relevés, à intervalles réguliers ; `episodes` : épisodes de chaque évaluation.
    """
    if not isinstance(training, Training):
        raise TypeError(f"training doit être un Training : {training!r} reçu.")
    looks = check_number("looks", looks, int, low=1)
    every = max(training.config.total_steps // looks, 1)
    recorder, seen = Recorder(), []
    for step in training.run():
        recorder.add(step)
        if step.env_steps % every < training.config.carts:
            greedy = _evaluated(training, episodes if len(seen) % EVALUATE_EVERY == 3 else 0)
            seen.append(_look(training, greedy))
    history = recorder.history()
    return [_followed(history, agent, seen) for agent in range(len(training.seeds))]


def _followed(history: History, agent: int, looks: list[_Look]) -> Chart:
    rows = _history_rows(history, agent, [look.env_steps for look in looks])
    drifts = [math.nan, *(_drifted(*pair, agent) for pair in pairwise(looks))]
    return chart(
        [
            row | look.measures[agent] | {"drift": moved}
            for row, look, moved in zip(rows, looks, drifts, strict=True)
        ]
    )


def _drifted(before: _Look, after: _Look, agent: int) -> float:
    updates = after.gradient_steps - before.gradient_steps
    return drift(before.weights[agent], after.weights[agent], updates)


def _evaluated(training: Training, episodes: int) -> np.ndarray:
    """Rend le retour glouton de chaque agent (S,), NaN s'il n'y a aucun épisode à jouer."""
    if not episodes:
        return np.full(len(training.seeds), np.nan)
    returns = evaluate(training.agent, episodes, seed=FRESH + training.env_steps)
    return returns.reshape(len(training.seeds), -1).mean(axis=-1)


def _look(training: Training, greedy: np.ndarray) -> _Look:
    state = training.saved_state()
    online, target = (_agents(training, state[name]) for name in ("online", "target"))
    policy = training.agent
    memories = zip(*(state[f"memory.{name}"] for name in Transition._fields), strict=True)
    measures = [
        {
            "greedy": greedy[agent],
            "dead": dead_share(hidden_outputs(online[agent], ALL)),
            **examine(
                online[agent].q_values, target[agent].q_values, Transition(*memory), policy[agent]
            ),
        }
        for agent, memory in enumerate(memories)
    ]
    weights = online.weights.numpy()
    return _Look(training.env_steps, training.gradient_steps, weights, measures)


def _agents(training: Training, weights: np.ndarray) -> Agent:
    return Agent(training.config, torch.from_numpy(weights.copy()), training.seeds)


# Les signes


class Illness(NamedTuple):
    """Une maladie : son signe, ce qu'on en dit, l'examen qui la confirme et le remède.

    `sign` rend un degré : 1 au seuil, davantage au-delà, NaN si les mesures manquent.
    """

    name: str
    sign: Callable[[Chart], float]
    evidence: Callable[[Chart], str]
    test: str
    cure: str


def late(values: np.ndarray) -> np.float64:
    """Rend la médiane du dernier tiers de `values` (K,), mesures manquantes exclues."""
    return _median(values[-max(len(values) // 3, 1) :])


def _median(values: np.ndarray) -> np.float64:
    return _known(np.median, values)


def _peak(values: np.ndarray) -> np.float64:
    return _known(np.max, values)


def _least(values: np.ndarray) -> np.float64:
    return _known(np.min, values)


def _known(summary: Callable, values: np.ndarray) -> np.float64:
    known = values[~np.isnan(values)]
    return np.float64(summary(known)) if len(known) else np.float64(np.nan)


def _learning(chart: Chart) -> np.ndarray:
    """Dit à quels instants (K,) des mises à jour ont déjà eu lieu."""
    return chart.gradient_steps > 0


def _certain(fact: bool, *measures: float) -> float:
    """Rend le degré d'un fait sans seuil : infini ou nul, NaN si une mesure manque."""
    return np.nan if np.isnan(measures).any() else (np.inf if fact else 0.0)


def _over(value: np.float64, limit: float) -> float:
    return value / limit


def _under(value: np.float64, limit: float) -> float:
    return limit / value if value > 0 else _certain(True, value)


def _both(*degrees: float) -> float:
    """Rend le plus faible de degrés qu'il faut réunir ; un seul sous 1 suffit à conclure."""
    low = [degree for degree in degrees if degree < 1]
    return min(low) if low else float(np.min(degrees))


def _negative_loss(chart: Chart) -> float:
    least = _least(chart.loss)
    return _certain(least < 0, least)


def _lost_reward(chart: Chart) -> float:
    return _under(late(np.abs(chart.stored_reward)), 0.01)


def _false_end(chart: Chart) -> float:
    most = _peak(chart.false_ends)
    return _certain(most > 0, most)


def _explosion(chart: Chart) -> float:
    size = np.fmax(chart.q_limit, np.sqrt(np.abs(chart.loss)))
    return _over(_peak(size), 3_000)


def _stuck_epsilon(chart: Chart) -> float:
    tail = chart.epsilon[-max(len(chart.epsilon) // 3, 1) :]
    steady = _peak(tail) - _least(tail)
    return _both(_over(late(chart.epsilon), 0.75), _certain(steady < 0.01, steady))


def _no_exploration(chart: Chart) -> float:
    return _under(_peak(chart.epsilon), 0.01)


def _rare_updates(chart: Chart) -> float:
    return _under(update_rate(chart), 1 / 128)


def update_rate(chart: Chart) -> np.float64:
    """Rend le nombre de mises à jour par pas d'environnement, sur la dernière moitié."""
    half = slice(len(chart.env_steps) // 2, None)
    steps, updates = chart.env_steps[half], chart.gradient_steps[half]
    return (updates[-1] - updates[0]) / (steps[-1] - steps[0])


def _stale_policy(chart: Chart) -> float:
    behind, differs = late(chart.played) / late(chart.greedy), late(chart.disagreement)
    # Un creux passager éloigne les retours, non les actions : il faut les deux, si on les a.
    return _over(behind, 4) if np.isnan(differs) else _over(behind * differs, 0.75)


def _missing_mask(chart: Chart) -> float:
    shown = _over(late(chart.fall_cost) / late(chart.loss), 5)
    marked = _over(late(chart.missed_ends), 0.1)
    return float(np.fmax(shown, marked))


def _frozen_target(chart: Chart) -> float:
    values = chart.target_safe[_learning(chart)]
    moved = _peak(values) - _least(values)
    return _certain(moved <= 1e-6 * max(_peak(np.abs(values)), 1e-3), moved)


def _slow_target(chart: Chart) -> float:
    behind = 1 - late(chart.target_safe) / late(chart.q_safe)
    return _both(_over(behind, 0.2), 1.0 - min(_frozen_target(chart), 1.0))


def _no_target(chart: Chart) -> float:
    most = _peak(chart.lag[_learning(chart)])
    return _certain(most == 0, most)


def _dead_units(chart: Chart) -> float:
    return _over(late(chart.dead), 0.6)


def _big_rate(chart: Chart) -> float:
    return _over(_peak(chart.drift), 0.012)


def _small_rate(chart: Chart) -> float:
    return _under(_peak(chart.drift), 3e-5)


def _rate_floor(chart: Chart) -> float:
    return _under(late(chart.drift) / _peak(chart.drift), 1 / 500)


def _tiny_batch(chart: Chart) -> float:
    return _over(_median(chart.loss_spread), 2.15)


def _no_falls(chart: Chart) -> float:
    known = chart.stored_falls[chart.stored > 0]
    return _over(float(np.mean(known == 0)), 0.1) if len(known) else math.nan


def _misaligned(chart: Chart) -> float:
    paid = late(chart.fall_cost) / late(chart.loss)
    return _both(_under(late(chart.flatness), 0.03), _over(paid, 0.25), _under(paid, 4))


def _endless(chart: Chart) -> float:
    return _over(late(chart.discount), 0.994)


def _short_sighted(chart: Chart) -> float:
    return _both(_under(horizon(chart), 4), _under(_rise(chart.q_safe), 0.03))


def _rise(values: np.ndarray) -> np.float64:
    """Rend ce que `values` a gagné dans son dernier tiers, en part de sa médiane, sans le signe."""
    first, last = np.array_split(values[-max(len(values) // 3, 2) :], 2)
    return np.abs((_median(last) - _median(first)) / late(values))


def horizon(chart: Chart) -> np.float64:
    """Rend le nombre de pas que voient les valeurs : r / (1 − γ), γ estimé ; infini si γ ≥ 1.

    À n pas, r et γⁿ remplacent r et γ : l'horizon est le même. Une récompense plus petite que 1
    est comptée pour 1 : changer d'unité ne raccourcit pas la vue.
    """
    left = 1 - late(chart.discount)
    reward = np.maximum(late(chart.stored_reward), 1)
    return reward / left if left > 0 else _certain(True, left)


def _number(value: float) -> str:
    """Écrit une mesure à la française, à trois chiffres significatifs."""
    if not math.isfinite(value):
        return "l'infini" if value > 0 else "une valeur non finie"
    if value and not 1e-3 <= abs(value) < 1e6:
        digits, power = f"{value:.1e}".split("e")
        written = f"{digits} × 10^{int(power)}"
    else:
        written = f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}".replace(",", " ")
    return written.replace(".", ",").replace("-", "−")


def _share(value: float) -> str:
    return f"{_number(100 * value)} %"


ILLNESSES: tuple[Illness, ...] = (
    Illness(
        "perte négative",
        _negative_loss,
        lambda c: (
            f"Une erreur au carré ne peut pas l'être, et la perte descend à "
            f"{_number(_least(c.loss))}."
        ),
        "Calculer la perte d'un lot à la main : (1 − 3)² donne 4.",
        "Ôter le signe moins : on descend la perte, on ne la monte pas.",
    ),
    Illness(
        "récompense perdue",
        _lost_reward,
        lambda c: (
            f"La récompense moyenne en mémoire vaut {_number(late(c.stored_reward))}, "
            "alors que chaque pas joué en rapporte une."
        ),
        "Ajouter une transition de récompense 0,5 à la mémoire et la relire.",
        "Donner à la récompense un type flottant, et l'enregistrer telle que l'environnement "
        "la rend.",
    ),
    Illness(
        "troncature prise pour une chute",
        _false_end,
        lambda c: (
            f"Jusqu'à {_share(_peak(c.false_ends))} des transitions en mémoire se disent "
            "terminées alors que la tige y est encore debout."
        ),
        "Relire les transitions terminées : les limites y sont-elles passées, et à quel pas ?",
        "Ne mémoriser que `terminated` ; `truncated` arrête l'épisode sans annuler l'avenir.",
    ),
    Illness(
        "masque oublié",
        _missing_mask,
        lambda c: (
            f"En mémoire, Q s'écarte tant de la récompense des chutes qu'elles devraient "
            f"coûter {_number(late(c.fall_cost))} à la perte ; elle vaut {_number(late(c.loss))}."
        ),
        "Calculer la cible d'une chute : elle doit valoir la récompense, sans rien d'autre.",
        "Annuler γ max Q(s', a') dans la cible quand `terminated` est vrai.",
    ),
    Illness(
        "valeurs qui explosent",
        _explosion,
        lambda c: (
            f"Q atteint {_number(_peak(c.q_limit))} et la perte {_number(_peak(c.loss))}, "
            "alors qu'un épisode ne rapporte pas plus de 500."
        ),
        "Diviser le pas d'apprentissage par dix, puis vérifier que γ est inférieur à 1.",
        "Réduire le pas d'apprentissage ; si Q monte encore, c'est la cible qui est fausse.",
    ),
    Illness(
        "ε bloqué haut",
        _stuck_epsilon,
        lambda c: (
            f"À la fin, ε vaut encore {_number(late(c.epsilon))}, et ne bouge plus : l'agent "
            f"joue au hasard, pour un retour de {_number(late(c.played))}."
        ),
        "Tracer ε : descend-il, et compte-t-il bien les pas et non les épisodes ?",
        "Faire descendre ε jusqu'à 0,1 ou 0,5 selon la recette.",
    ),
    Illness(
        "aucune exploration",
        _no_exploration,
        lambda c: f"ε n'a jamais dépassé {_number(_peak(c.epsilon))}.",
        "Compter les actions jouées qui ne sont pas celles que Q préfère.",
        "Partir de ε = 1 et le faire descendre sur les premiers milliers de pas.",
    ),
    Illness(
        "mises à jour trop rares",
        _rare_updates,
        lambda c: (
            f"Il y a {_number(1_000 * update_rate(c))} mises à jour pour 1 000 pas d'environnement."
        ),
        "Compter les mises à jour et les pas ; les comparer à la recette.",
        "Apprendre à chaque tour de boucle, et non une fois par épisode.",
    ),
    Illness(
        "politique évaluée périmée",
        _stale_policy,
        lambda c: (
            f"En jouant, le retour est de {_number(late(c.played))} ; la politique évaluée, "
            f"sans hasard, n'obtient que {_number(late(c.greedy))}."
        ),
        "Évaluer le réseau en ligne lui-même, au même instant.",
        "Évaluer le réseau que l'on entraîne, ou une moyenne assez récente de ses poids.",
    ),
    Illness(
        "cible jamais synchronisée",
        _frozen_target,
        lambda c: (
            f"Le réseau cible rend {_number(late(c.target_safe))} du début à la fin, quand "
            f"le réseau en ligne en est à {_number(late(c.q_safe))}."
        ),
        "Comparer un poids du réseau cible avant et après la date de sa synchronisation.",
        "Recopier les poids toutes les quelques dizaines de mises à jour, ou en verser un peu à "
        "chacune.",
    ),
    Illness(
        "cible trop lente",
        _slow_target,
        lambda c: (
            f"Sur les états sûrs, la cible en est à {_number(late(c.target_safe))} et le "
            f"réseau en ligne à {_number(late(c.q_safe))}."
        ),
        "Doubler la fréquence des synchronisations : Q(s) monte-t-il deux fois plus vite ?",
        "Synchroniser plus souvent, ou verser une plus grande part à chaque fois.",
    ),
    Illness(
        "pas de réseau cible",
        _no_target,
        lambda c: (
            "La cible et le réseau en ligne rendent toujours les mêmes valeurs : l'écart "
            f"est de {_number(_peak(c.lag[_learning(c)]))}."
        ),
        "Comparer les deux réseaux juste avant une synchronisation.",
        "Garder une copie, et ne la rapprocher que peu à peu.",
    ),
    Illness(
        "unités mortes",
        _dead_units,
        lambda c: (
            f"{_share(late(c.dead))} des unités cachées rendent la même chose dans tous les états."
        ),
        "Regarder les biais et la sortie de chaque couche avant la première mise à jour.",
        "Revoir l'initialisation, baisser le pas d'apprentissage, ou changer d'activation.",
    ),
    Illness(
        "pas d'apprentissage trop grand",
        _big_rate,
        lambda c: f"Un poids s'est déplacé de {_number(_peak(c.drift))} par mise à jour.",
        "Diviser le pas d'apprentissage par dix et comparer.",
        "Prendre un pas d'apprentissage entre 0,0005 et 0,01 avec Adam.",
    ),
    Illness(
        "pas d'apprentissage trop petit",
        _small_rate,
        lambda c: (
            f"Un poids ne s'est jamais déplacé de plus de {_number(_peak(c.drift))} par mise "
            "à jour."
        ),
        "Multiplier le pas d'apprentissage par dix : la perte change-t-elle d'allure ?",
        "Prendre un pas d'apprentissage entre 0,0005 et 0,01 avec Adam.",
    ),
    Illness(
        "pas d'apprentissage tombé au plancher",
        _rate_floor,
        lambda c: (
            f"Un poids se déplaçait de {_number(_peak(c.drift))} par mise à jour ; à la fin, "
            f"de {_number(late(c.drift))}."
        ),
        "Afficher le pas d'apprentissage : après combien de mises à jour touche-t-il le plancher ?",
        "Le faire décroître moins vite, ou relever le plancher.",
    ),
    Illness(
        "lot trop petit",
        _tiny_batch,
        lambda c: (
            "D'une mise à jour à l'autre, la perte est souvent "
            f"{_number(np.exp(_median(c.loss_spread)))} fois plus petite que d'ordinaire."
        ),
        "Compter les transitions d'un lot au moment de la mise à jour.",
        "Tirer au moins 32 transitions par lot, et attendre que la mémoire les contienne.",
    ),
    Illness(
        "mémoire sans chute",
        _no_falls,
        lambda c: (
            f"À {_share(np.mean(c.stored_falls[c.stored > 0] == 0))} des relevés, la mémoire "
            f"({_number(late(c.stored))} transitions) ne contient plus une seule chute."
        ),
        "Suivre Q dans des états perdus : y monte-t-il pendant que tout va bien ?",
        "Agrandir la mémoire, ou y réserver une place aux chutes.",
    ),
    Illness(
        "cible mal alignée",
        _misaligned,
        lambda c: (
            f"Q ne varie que de {_share(late(c.flatness))} d'un état à l'autre, et la perte "
            f"reste à {_number(late(c.loss))} : chaque état apprend la moyenne des cibles."
        ),
        "Afficher les formes de Q(s, a) et de la cible avant la soustraction.",
        "Donner aux deux la forme (B,) : (B, 1) contre (B,) fait un tableau (B, B).",
    ),
    Illness(
        "γ = 1 ou presque",
        _endless,
        lambda c: (
            f"Les valeurs se suivent comme si γ valait {_number(late(c.discount))} ; sur les "
            f"états sûrs, elles en sont à {_number(late(c.q_safe))}, sans plafond."
        ),
        "Prolonger : si γ < 1, Q s'arrête à 1/(1 − γ) ; sinon il monte toujours.",
        "Prendre γ entre 0,95 et 0,99.",
    ),
    Illness(
        "γ trop petit",
        _short_sighted,
        lambda c: f"Les valeurs ne voient que {_number(horizon(c))} pas devant elles.",
        "Comparer à la durée d'une chute depuis l'équilibre : une dizaine de pas.",
        "Prendre γ entre 0,95 et 0,99.",
    ),
)
"""Les maladies, de celle dont le signe est le plus direct à celle dont il est le plus ambigu.

N'y sont pas, faute d'une trace assez nette : Double DQN ou non, une cible qui glisse ou que l'on
recopie, un lot de 4 ou de 64, ε = 0,1 ou 0,01, un réseau un peu étroit. Une troncature mal
mémorisée ne se voit qu'une fois la limite de temps atteinte ; à un pas, γ = 0,995 ressemble à
γ = 1, et reçoit le même nom.
"""


# Le diagnostic

HEALTHY = "rien d'anormal"
UNKNOWN = "pas assez de mesures"
POOR = 100  # retour sous lequel un entraînement n'a pas encore abouti


class Hypothesis(NamedTuple):
    """Une hypothèse, ce qui la fonde, et ce qu'il faut faire ensuite."""

    name: str
    evidence: str
    test: str
    cure: str


@dataclass(frozen=True)
class Diagnosis:
    """Les hypothèses, de la plus directe à la plus ambiguë ; en fin de cellule, il s'affiche."""

    hypotheses: tuple[Hypothesis, ...]
    unseen: tuple[str, ...]
    """Les maladies que ce relevé ne permet ni d'affirmer ni d'écarter."""
    enough: bool = True
    """Dit s'il y avait assez de mesures pour conclure."""
    returned: float = math.nan
    """Le retour des derniers relevés, glouton si on l'a mesuré, en jouant sinon."""

    @property
    def verdict(self) -> str:
        """La première hypothèse, « rien d'anormal » ou « pas assez de mesures »."""
        if self.hypotheses:
            return self.hypotheses[0].name
        return HEALTHY if self.enough else UNKNOWN

    def __repr__(self) -> str:
        return "\n".join(map(typography, self._lines()))

    def _repr_html_(self) -> str:
        title, *others = map(typography, self._lines())
        rows = "".join(f'<p style="margin: 0.2em 0 0 1em">{escape(line)}</p>' for line in others)
        return f'<p style="margin: 0"><b>{escape(title)}</b></p>{rows}'

    def _lines(self) -> Iterator[str]:
        yield f"Diagnostic : {self.verdict}"
        for rank, hypothesis in enumerate(self.hypotheses, 1):
            yield f"{rank}. {hypothesis.name}. {hypothesis.evidence}"
            yield f"Prochain examen : {hypothesis.test}"
            yield f"Remède : {hypothesis.cure}"
        if not self.hypotheses and self.returned < POOR:
            yield (
                f"Le retour n'est pourtant que de {_number(self.returned)} : entraînez plus "
                "longtemps, ou relevez ce qui manque."
            )
        if self.unseen:
            yield f"Ce relevé ne permet pas de juger : {', '.join(self.unseen)}."


def diagnose(records: Chart | History, agent: int = 0) -> Diagnosis:
    """Rend les hypothèses qu'appuient les mesures d'un entraînement, jamais ses réglages.

    `records` : un relevé (`follow`, `chart`, `load_chart`), ou un `History`, comme celui du
    panneau, dont on lit l'agent de rang `agent`. Les signes dont les mesures manquent sont dits non
    vus ; en deçà de six relevés, le diagnostic est « pas assez de mesures ».
    """
    seen = _as_chart(records, agent)
    if len(seen.env_steps) < ENOUGH:
        return Diagnosis((), tuple(illness.name for illness in ILLNESSES), enough=False)
    degrees = {illness: degree(illness, seen) for illness in ILLNESSES}
    found = tuple(_hypothesis(one, seen) for one, value in degrees.items() if value >= 1)
    unseen = tuple(one.name for one, value in degrees.items() if np.isnan(value))
    enough = len(unseen) < len(ILLNESSES)
    greedy = late(seen.greedy)
    returned = late(seen.played) if np.isnan(greedy) else greedy
    return Diagnosis(found, unseen, enough, float(returned))


@np.errstate(all="ignore")
def degree(illness: Illness, seen: Chart) -> float:
    """Rend le degré d'un signe dans un relevé : au moins 1 s'il est présent, NaN s'il manque."""
    return float(illness.sign(seen))


@np.errstate(all="ignore")
def _hypothesis(illness: Illness, seen: Chart) -> Hypothesis:
    return Hypothesis(illness.name, illness.evidence(seen), illness.test, illness.cure)


def _as_chart(records: Chart | History, agent: int) -> Chart:
    if isinstance(records, History):
        return from_history(records, agent)
    if not isinstance(records, Chart):
        raise TypeError(
            f"records doit être un `Chart` ou un `History` : {type(records).__name__} reçu."
        )
    return _checked_chart(records)


def _checked_chart(records: Chart) -> Chart:
    """Rend le relevé en flottants, après avoir vérifié que ses colonnes ont la même longueur."""
    columns = [check_numbers(name, column) for name, column in records._asdict().items()]
    count = columns[0].shape[0] if columns[0].ndim else 0
    for name, column in zip(Chart._fields, columns, strict=True):
        if column.shape != (count,):
            raise ValueError(f"{name} doit être de forme ({count},) : {column.shape} reçu.")
    rows = zip(*columns, strict=True)
    return chart([dict(zip(Chart._fields, row, strict=True)) for row in rows])


# Garder un relevé


def save_chart(records: Chart, path: str | os.PathLike) -> None:
    """Écrit le relevé dans `path`, un .csv d'une ligne par instant, à six chiffres."""
    columns = _checked_chart(records)
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Chart._fields)
        writer.writerows([f"{value:.6g}" for value in row] for row in zip(*columns, strict=True))


def load_chart(path: str | os.PathLike) -> Chart:
    """Lit un relevé écrit par `save_chart`.

    FileNotFoundError si le fichier manque ; ValueError s'il n'est pas un .csv en UTF-8, ou si une
    colonne manque, est en trop, ou n'est pas faite de nombres.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path doit être un chemin : {path!r} reçu.")
    if not Path(path).is_file():
        raise FileNotFoundError(f"path doit être un relevé, un .csv : {str(path)!r} n'existe pas.")
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        header, *rows = list(csv.reader(StringIO(text, newline="")))
        numbers = [[float(cell) for cell in row] for row in rows]
        return chart([dict(zip(header, row, strict=True)) for row in numbers])
    except (ValueError, TypeError, csv.Error) as error:
        raise ValueError(
            f"path doit être un relevé entier, tel que l'écrit save_chart : {str(path)!r} n'en est "
            f"pas un ({error})."
        ) from None
