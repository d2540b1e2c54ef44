"""Le relevé d'un entraînement : ce qu'on y mesure, instant par instant, pour le diagnostiquer."""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import THETA_LIMIT, X_LIMIT, check_actions
from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_number,
    check_numbers,
)
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.history import History, Recorder
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import Transition
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.tables import read_table, write_table
from cartpole_helpers.training import Training

LOOKS = 40  # relevés par entraînement
EPISODES = 10  # par évaluation gloutonne
EVALUATE_EVERY = 4  # relevés entre deux évaluations, plus longues que tout le reste
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
    disagreement: np.ndarray  # (K,) part des états en mémoire où l'agent évalué agit autrement
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
    return _increasing(Chart(**{name: np.array(column, float) for name, column in columns.items()}))


def _increasing(made: Chart) -> Chart:
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


def checked_chart(records: Chart) -> Chart:
    """Rend `records` en flottants ; ValueError si ses colonnes n'ont pas la même longueur."""
    columns = [check_numbers(name, column) for name, column in records._asdict().items()]
    count = columns[0].shape[0] if columns[0].ndim else 0
    for name, column in zip(Chart._fields, columns, strict=True):
        if column.shape != (count,):
            raise ValueError(f"{name} doit être de forme ({count},) : {column.shape} reçu.")
    return _increasing(Chart(*(column.astype(float) for column in columns)))


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
    check_callable(name, function)
    try:
        q = check_numbers(name, function(observations)).astype(float)
    except (RuntimeError, TypeError, ValueError) as error:  # ce que lèvent PyTorch et NumPy
        raise TypeError(
            f"{name} doit prendre un tableau NumPy (N, 4) et en rendre un (N, 2). D'un réseau de "
            "PyTorch : `lambda s: reseau(torch.as_tensor(s)).detach().numpy()`. "
            f"Appelé ainsi, il dit : {error}"
        ) from error
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
        raise TypeError(
            "memory doit être un `Transition` de cinq tableaux, dans cet ordre : "
            f"{', '.join(Transition._fields)} ; {type(memory).__name__} reçu."
        )
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
    des états variés, par exemple `charts.ALL`.
    """
    outputs = [check_numbers("outputs", output).astype(float) for output in outputs]
    units = [
        np.ptp(output, axis=0) <= 1e-6 * np.abs(output).max(initial=1e-30) for output in outputs
    ]
    return _mean(np.concatenate(units)) if units else math.nan


# Suivre un entraînement


class _Look(NamedTuple):
    """Ce qu'un regard retient de S agents."""

    env_steps: int
    gradient_steps: int
    weights: np.ndarray  # (S, P)
    measures: list[dict[str, float]]


def monitor(training: Training, looks: int = LOOKS, episodes: int = EPISODES) -> list[Chart]:
    """Mène `training` jusqu'au bout et rend le relevé de chacun de ses S agents.

    `looks` : relevés, à intervalles réguliers ; `episodes` : épisodes de chaque évaluation.
    """
    if not isinstance(training, Training):
        raise TypeError(f"training doit être un Training : {training!r} reçu.")
    looks = check_number("looks", looks, int, low=1)
    episodes = check_number("episodes", episodes, int, low=0)
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
    returns = evaluate(training.agent, episodes, seed=fresh_seed(Purpose.CHART, training.env_steps))
    return returns.reshape(len(training.seeds), -1).mean(axis=-1)


def _look(training: Training, greedy: np.ndarray) -> _Look:
    online, target, policy = training.online, training.target, training.agent
    memories = zip(*training.memory.contents()[: len(Transition._fields)], strict=True)
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


def hidden_outputs(agent: Agent, observations: np.ndarray) -> list[np.ndarray]:
    """Rend, couche cachée par couche, la sortie (N, largeur) des unités d'un agent seul."""
    layers = agent.network.hidden_outputs(torch.from_numpy(observations)[None])
    return [layer[0].numpy() for layer in layers]


# Garder un relevé


def save_chart(records: Chart, path: str | os.PathLike) -> None:
    """Écrit le relevé dans `path`, un .csv d'une ligne par instant, à six chiffres.

    La dernière ligne dit combien il y en a : un fichier coupé se reconnaît. OSError si `path` ne
    peut être écrit ; l'ancien fichier est alors intact.
    """
    columns = checked_chart(records)
    rows = ([f"{value:.6g}" for value in row] for row in zip(*columns, strict=True))
    write_table(path, Chart._fields, rows, closed=True)


def load_chart(path: str | os.PathLike) -> Chart:
    """Lit un relevé écrit par `save_chart`.

    FileNotFoundError si le fichier manque ; ValueError s'il n'est pas un .csv en UTF-8, s'il est
    coupé, ou si une colonne manque, est en trop, ou n'est pas faite de nombres.
    """
    what = "un relevé entier, tel que l'écrit save_chart"
    table = read_table(path, what, closed=True)
    try:
        if {*table} != {*Chart._fields}:
            raise ValueError(f"colonnes {[*table]}")
        return checked_chart(Chart(**{name: np.array(table[name], float) for name in table}))
    except ValueError as error:
        raise ValueError(
            f"path doit être {what} : {str(path)!r} n'en est pas un ({error})."
        ) from None
