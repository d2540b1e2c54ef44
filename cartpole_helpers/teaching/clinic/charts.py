"""Le relevé d'un entraînement : ce qu'on y mesure, instant par instant, pour le diagnostiquer."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import CartPoleVector, check_actions
from cartpole_helpers.checks import (
    check_array,
    check_callable,
    check_choice,
    check_number,
    check_numbers,
)
from cartpole_helpers.environments import CARTPOLE, Env, Sizes
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.history import History, Recorder
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import Transition
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.tables import read_noted_table, write_table
from cartpole_helpers.teaching.clinic.references import (
    CARTPOLE_GAME,
    CARTPOLE_REFERENCES,
    PROBES,
    Game,
    References,
    Seen,
    references_of,
    spread,
)
from cartpole_helpers.training import Step, Training

LOOKS = 40  # relevés par entraînement
EPISODES = 10  # par évaluation gloutonne
EVALUATE_EVERY = 4  # relevés entre deux évaluations, plus longues que tout le reste
SAMPLE = 512  # transitions de chaque sorte, en mémoire, sur lesquelles on interroge les réseaux
QFunction = Callable[[np.ndarray], np.ndarray]


# La perte d'un entraînement


class Loss(NamedTuple):
    """Ce qu'une perte fait d'un écart e, et sa pente, à une constante près."""

    cost: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


def _huber(errors: np.ndarray) -> np.ndarray:
    """Rend la moitié du carré jusqu'à 1, puis la valeur absolue moins un demi."""
    size = np.abs(errors)
    return np.where(size < 1, size**2 / 2, size - 0.5)


SQUARED = Loss(np.square, lambda errors: errors)
HUBER = Loss(_huber, lambda errors: errors.clip(-1, 1))


def checked_loss(loss: Loss) -> Loss:
    """Rend `loss` si c'est une `Loss`, sinon TypeError."""
    if not isinstance(loss, Loss):
        raise TypeError(f"loss doit être SQUARED ou HUBER : {loss!r} reçu.")
    return loss


# Le relevé


class Measures(NamedTuple):
    """Les colonnes d'un relevé, une ligne par instant ; `nan` : non mesuré, `inf` : non fini.

    Hors de CartPole, un état sûr est un début d'épisode ; un état perdu, le dernier avant une fin,
    heureuse ou non ; une chute, une fin que le jeu a dite.
    """

    env_steps: np.ndarray  # (K,) pas de jeu, croissants
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


class Chart(Measures):
    """Le relevé d'un entraînement : ses colonnes, et le jeu d'où il vient."""

    game: Game = CARTPOLE_GAME

    def __new__(cls, *columns, game: Game = CARTPOLE_GAME, **named):
        """Rend le relevé de ces colonnes."""
        made = super().__new__(cls, *columns, **named)
        made.game = game
        return made

    def _replace(self, *, game: Game | None = None, **changes) -> "Chart":
        """Rend le même relevé, des colonnes changées."""
        return Chart(*super()._replace(**changes), game=game or self.game)


def chart(rows: Sequence[Mapping[str, float]], game: Game = CARTPOLE_GAME) -> Chart:
    """Rend le relevé de K lignes, chacune un dictionnaire de mesures ; ce qui manque vaut NaN.

    `rows` : les clés sont des champs de `Chart`, `env_steps` au moins, qui croît ; `game` : d'où il
    vient. TypeError ou ValueError si une ligne n'est pas un dictionnaire, nomme une autre mesure,
    ou n'est pas faite de nombres.
    """
    rows = [_checked_row(row) for row in rows]
    columns = {name: [row.get(name, math.nan) for row in rows] for name in Chart._fields}
    arrays = {name: np.array(column, float) for name, column in columns.items()}
    return _increasing(Chart(**arrays, game=game))


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
    return _increasing(Chart(*(column.astype(float) for column in columns), game=records.game))


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


@np.errstate(all="ignore")
def examine(
    online: QFunction,
    target: QFunction | None = None,
    memory: Transition | None = None,
    policy: Policy | None = None,
    *,
    references: References = CARTPOLE_REFERENCES,
    loss: Loss = SQUARED,
) -> dict[str, float]:
    """Rend les mesures des réseaux et de la mémoire à un instant, pour une ligne de `chart`.

    `online`, `target` : des fonctions (N, D) → (N, A), comme `agent.q_values` ; `memory` : les
    transitions gardées, tableaux (N, ...) ; `policy` : la politique que l'on évalue, (N, D) → (N,).
    Ce qui n'est pas donné n'est pas mesuré ; `policy` l'est sur la mémoire. `references` : celles
    du jeu (`references_of`) ; `loss` : la perte de l'entraînement, `SQUARED` ou `HUBER`.
    """
    checked_loss(loss)
    if memory is not None:
        memory = _checked_memory(memory, references.sizes)
    fallen, standing = (None, None) if memory is None else _truth(memory, references)
    doomed = _doomed(memory, fallen, references)
    measures = _measured_values(online, target, references, doomed)
    if memory is None:
        return measures
    if not len(memory.action):
        return measures | {"stored": 0.0}
    fitted = _fit(online, target or online, memory, fallen, references.actions, loss)
    compared = _compared(online, policy, memory, references.actions)
    return measures | fitted | _audit(memory, fallen, standing) | compared


def _truth(memory: Transition, references: References) -> tuple[np.ndarray, np.ndarray | None]:
    """Rend les transitions (N,) qui finissent, et celles qui ne finissent pas, si on le sait."""
    known = references.ended(memory.next_observation) if references.ended else None
    return known or (memory.terminated.astype(bool), None)


def _doomed(
    memory: Transition | None, fallen: np.ndarray | None, references: References
) -> np.ndarray:
    """Rend les états (M, D) d'avant une fin : ceux des références, ou ceux de la mémoire."""
    if references.doomed is not None:
        return references.doomed
    if memory is None or fallen is None:
        return references.safe[:0]
    return memory.observation[spread(np.flatnonzero(fallen), PROBES)].astype(np.float32)


def _compared(
    online: QFunction, policy: Policy | None, memory: Transition, actions: int
) -> dict[str, float]:
    if policy is None:
        return {}
    states = memory.observation[spread(np.arange(len(memory.action)), SAMPLE)]
    preferred = _asked("online", online, states, actions).argmax(axis=-1)
    answer = check_callable("policy", policy)(states)
    chosen = check_actions(answer, preferred.shape, "policy", actions)
    return {"disagreement": float((chosen != preferred).mean())}


def _measured_values(
    online: QFunction, target: QFunction | None, references: References, doomed: np.ndarray
) -> dict[str, float]:
    states, count = np.concatenate([references.safe, doomed]), len(references.safe)
    q = _asked("online", online, states, references.actions)
    best = q.max(axis=-1)
    measures = {"q_safe": _mean(best[:count]), "q_doomed": _mean(best[count:])}
    measures["q_limit"] = _largest(q)
    if target is not None:
        other = _asked("target", target, states, references.actions)
        measures["target_safe"] = other[:count].max(axis=-1).mean()
        measures["lag"] = np.abs(q - other).mean()
    return {name: float(value) for name, value in measures.items()}


def _asked(name: str, function: QFunction, observations: np.ndarray, actions: int) -> np.ndarray:
    """Rend Q (N, A) en float64, qui peut ne pas être fini."""
    check_callable(name, function)
    try:
        q = check_numbers(name, function(observations)).astype(float)
    except (RuntimeError, TypeError, ValueError) as error:  # ce que lèvent PyTorch et NumPy
        size = observations.shape[-1]
        raise TypeError(
            f"{name} doit prendre un tableau NumPy (N, {size}) et en rendre un (N, {actions}). "
            "D'un réseau de PyTorch : `lambda s: reseau(torch.as_tensor(s)).detach().numpy()`. "
            f"Appelé ainsi, il dit : {error}"
        ) from error
    if q.shape != (len(observations), actions):
        raise ValueError(
            f"{name} doit rendre un tableau {(len(observations), actions)}, une valeur par action "
            f": {q.shape} rendu."
        )
    return q


def _largest(q: np.ndarray) -> float:
    return float(np.abs(q).max()) if np.isfinite(q).all() else math.inf


def _checked_memory(memory: Transition, sizes: Sizes) -> Transition:
    if not isinstance(memory, tuple) or len(memory) != len(Transition._fields):
        raise TypeError(
            "memory doit être un `Transition` de cinq tableaux, dans cet ordre : "
            f"{', '.join(Transition._fields)} ; {type(memory).__name__} reçu."
        )
    memory = Transition(*memory)
    size = sizes.observation
    count = len(check_array("memory.observation", memory.observation, (None, size)))
    shapes = Transition((count, size), (count,), (count,), (count,), (count, size))
    return Transition(
        *(
            check_array(f"memory.{name}", values, shape)
            for name, values, shape in zip(memory._fields, memory, shapes, strict=True)
        )
    )


def _audit(memory: Transition, fallen: np.ndarray, standing: np.ndarray | None) -> dict[str, float]:
    """Compare ce que la mémoire dit de chaque fin à ce que l'on en sait."""
    terminated = memory.terminated.astype(bool)
    measures = {"stored": float(len(terminated)), "stored_reward": float(memory.reward.mean())}
    if standing is None:  # la mémoire seule : sans fin, on ne sait pas s'il y en eut
        return measures | {"stored_falls": float(fallen.mean()) if fallen.any() else math.nan}
    return measures | {
        "stored_falls": float(fallen.mean()),
        "false_ends": float((terminated & standing).mean()),
        "missed_ends": float((~terminated)[fallen].mean()) if fallen.any() else math.nan,
    }


def _fit(
    online: QFunction,
    target: QFunction,
    memory: Transition,
    fallen: np.ndarray,
    actions: int,
    loss: Loss,
) -> dict[str, float]:
    """Compare les valeurs aux cibles qu'elles devraient suivre, chutes bien masquées.

    À l'équilibre, la moyenne de Q(s, a) − r sur la mémoire est γ fois celle de max Q(s'), comptée
    nulle après une chute : γ s'en déduit. Une chute, elle, devrait valoir sa récompense.
    """
    falls, others = spread(np.flatnonzero(fallen), SAMPLE), spread(np.flatnonzero(~fallen), SAMPLE)
    at_falls, elsewhere = (_excess(online, memory, rows, actions) for rows in (falls, others))
    following = _asked("target", target, memory.next_observation[others], actions).max(axis=-1)
    share, middle = fallen.mean(), _average(elsewhere)
    learned = share * _average(at_falls) + (1 - share) * middle
    discount = learned / ((1 - share) * _average(following))
    if loss is not SQUARED:  # à l'équilibre, c'est la moyenne des pentes qui est nulle

        def slope(gamma: float) -> float:
            errors = loss.slope(elsewhere - gamma * following)
            return share * _average(loss.slope(at_falls)) + (1 - share) * _average(errors)

        discount = _root(slope)
    return {
        "discount": float(discount),
        "flatness": float(np.sqrt(_average(np.square(elsewhere - middle))) / abs(learned)),
        "fall_cost": float(share * _average(loss.cost(at_falls))),
    }


def _root(function: Callable[[float], float], low: float = 0.0, high: float = 2.0) -> float:
    """Rend le zéro d'une fonction monotone, entre `low` et `high` ; NaN si elle n'y en a pas."""
    rising = function(high) > 0
    if not function(low) * function(high) < 0:
        return math.nan
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if (function(middle) > 0) == rising else (middle, high)
    return (low + high) / 2


def _average(values: np.ndarray) -> np.float64:
    """Rend la moyenne, nulle s'il n'y a rien : un échantillon vide ne pèse rien."""
    return np.float64(values.mean() if len(values) else 0)


def _excess(online: QFunction, memory: Transition, rows: np.ndarray, actions: int) -> np.ndarray:
    """Rend Q(s, a) − r des lignes `rows` de la mémoire."""
    q = _asked("online", online, memory.observation[rows], actions)
    taken = np.take_along_axis(q, memory.action[rows, None].astype(int), axis=-1)[:, 0]
    return taken - memory.reward[rows]


def examine_lived(seen: Seen, references: References, *networks, **given) -> dict[str, float]:
    """Rend les mesures d'`examine` ; les fins que le jeu ne dit pas sont celles que l'on a vues.

    Tant qu'aucun épisode n'a fini, on ne sait rien de celles que la mémoire garderait.
    """
    known = references._replace(ended=references.ended or seen.ended)
    measures = examine(*networks, references=known, **given)
    unknown = {"stored_falls": math.nan, "fall_cost": math.nan}
    return measures if seen.over else measures | unknown


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
    des états variés, par exemple `references_of(env).probes`.
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


def monitor(
    training: Training,
    looks: int = LOOKS,
    episodes: int = EPISODES,
    bar: Callable[[Iterator[Step], int], Iterator[Step]] = lambda steps, total: steps,
) -> list[Chart]:
    """Mène `training` jusqu'au bout et rend le relevé de chacun de ses S agents.

    `looks` : relevés, à intervalles réguliers ; `episodes` : épisodes de chaque évaluation ;
    `bar(tours, total)` montre l'avancement, comme `display.live.follow`. Hors de CartPole, les
    états sûrs sont des débuts d'épisode, et les fins celles que l'on a vues.
    """
    if not isinstance(training, Training):
        raise TypeError(f"training doit être un Training : {training!r} reçu.")
    looks = check_number("looks", looks, int, low=1)
    episodes = check_number("episodes", episodes, int, low=0)
    if not hasattr(training.memory, "contents"):
        raise TypeError(
            "training doit avoir une mémoire qui montre ce qu'elle garde, par `contents()` : "
            f"{type(training.memory).__name__} reçu."
        )
    every = max(training.config.total_steps // looks, 1)
    recorder, looked = Recorder(), []
    references, lives = _witnesses(training)
    for step in bar(training.run(), training.config.total_steps):
        recorder.add(step)
        _live(lives, step)
        if step.env_steps % every < training.config.carts:
            greedy = _evaluated(training, episodes if len(looked) % EVALUATE_EVERY == 3 else 0)
            looked.append(_look(training, greedy, references, lives))
    if not looked:
        raise RuntimeError("Aucun relevé : l'entraînement s'est arrêté avant le premier.")
    history = recorder.history()
    games = [seen.game(told_env(training.env)) for seen in lives]
    games = games or [CARTPOLE_GAME] * len(training.seeds)
    return [_followed(history, agent, looked, game) for agent, game in enumerate(games)]


def told_env(env: Env) -> str:
    """Rend le nom d'un jeu : son identifiant, ou celui de la fonction qui le rend."""
    return env if isinstance(env, str) else getattr(env, "__name__", type(env).__name__)


def _plays_cartpole(training: Training) -> bool:
    return isinstance(training.games, CartPoleVector)


def _witnesses(training: Training) -> tuple[References, list[Seen]]:
    """Rend les références du jeu, et de quoi retenir ce qu'y vit chaque agent, hors de CartPole."""
    if _plays_cartpole(training):
        return CARTPOLE_REFERENCES, []
    return references_of(training.env), [Seen() for _ in training.seeds]


def _live(lives: Sequence[Seen], step: Step) -> None:
    """Ajoute un tour à ce qu'a vécu chaque agent."""
    for agent, seen in enumerate(lives):
        lived = Transition(*(getattr(step, name)[agent] for name in Transition._fields))
        seen.add(lived, step.truncated[agent])


def _followed(history: History, agent: int, looks: list[_Look], game: Game) -> Chart:
    rows = _history_rows(history, agent, [look.env_steps for look in looks])
    drifts = [math.nan, *(_drifted(*pair, agent) for pair in pairwise(looks))]
    return chart(
        [
            row | look.measures[agent] | {"drift": moved}
            for row, look, moved in zip(rows, looks, drifts, strict=True)
        ],
        game,
    )


def _drifted(before: _Look, after: _Look, agent: int) -> float:
    updates = after.gradient_steps - before.gradient_steps
    return drift(before.weights[agent], after.weights[agent], updates)


def _evaluated(training: Training, episodes: int) -> np.ndarray:
    """Rend le retour glouton de chaque agent (S,), NaN s'il n'y a aucun épisode à jouer."""
    if not episodes:
        return np.full(len(training.seeds), np.nan)
    env = CARTPOLE if _plays_cartpole(training) else training.env
    start = fresh_seed(Purpose.CHART, training.env_steps)
    returns = evaluate(training.agent, episodes, seed=start, env=env)
    return returns.reshape(len(training.seeds), -1).mean(axis=-1)


def _look(
    training: Training, greedy: np.ndarray, references: References, lives: Sequence[Seen]
) -> _Look:
    online, measures = training.online, []
    memories = zip(*training.memory.contents()[: len(Transition._fields)], strict=True)
    for agent, memory in enumerate(memories):
        networks = online[agent].q_values, training.target[agent].q_values
        asked = (*networks, Transition(*memory), training.agent[agent])
        found = examine_lived(lives[agent], references, *asked) if lives else examine(*asked)
        dead = dead_share(hidden_outputs(online[agent], references.probes))
        measures.append({"greedy": greedy[agent], "dead": dead, **found})
    weights = online.weights.numpy()
    return _Look(training.env_steps, training.gradient_steps, weights, measures)


def hidden_outputs(agent: Agent, observations: np.ndarray) -> list[np.ndarray]:
    """Rend, couche cachée par couche, la sortie (N, largeur) des unités d'un agent seul."""
    layers = agent.network.hidden_outputs(torch.from_numpy(observations)[None])
    return [layer[0].numpy() for layer in layers]


# Garder un relevé


def save_chart(records: Chart, path: str | os.PathLike) -> None:
    """Écrit le relevé dans `path`, un .csv d'une ligne par instant, à six chiffres.

    La première ligne dit de quel jeu il vient ; la dernière, combien il y en a : un fichier coupé
    se reconnaît. OSError si `path` ne peut être écrit ; l'ancien fichier est alors intact.
    """
    columns = checked_chart(records)
    rows = ([f"{value:.6g}" for value in row] for row in zip(*columns, strict=True))
    name, *rewards = columns.game
    note = [name, *(f"{reward:.6g}" for reward in rewards)]
    write_table(path, Chart._fields, rows, closed=True, note=note)


def load_chart(path: str | os.PathLike, game: str | None = None) -> Chart:
    """Lit un relevé écrit par `save_chart` ; s'il ne dit pas son jeu, il vient de CartPole.

    `game` : le jeu qu'on en attend. FileNotFoundError si le fichier manque ; ValueError s'il n'est
    pas un .csv en UTF-8, s'il est coupé, si une colonne manque, est en trop, ou n'est pas faite de
    nombres, ou s'il vient d'un autre jeu que `game`.
    """
    what = "un relevé entier, tel que l'écrit save_chart"
    note, table = read_noted_table(path, what)
    try:
        if {*table} != {*Chart._fields}:
            raise ValueError(f"colonnes {[*table]}")
        columns = {name: np.array(table[name], float) for name in table}
        found = checked_chart(Chart(**columns, game=_noted_game(note)))
    except ValueError as error:
        raise ValueError(
            f"path doit être {what} : {str(path)!r} n'en est pas un ({error})."
        ) from None
    if game is not None and found.game.name != game:
        raise ValueError(
            f"path doit être un relevé de {game} : {str(path)!r} vient de {found.game.name}."
        )
    return found


def _noted_game(note: Sequence[str]) -> Game:
    if not note:
        return CARTPOLE_GAME
    if len(note) != len(Game._fields) or not note[0]:
        raise ValueError(f"jeu {[*note]}")
    return Game(note[0], *map(float, note[1:]))
