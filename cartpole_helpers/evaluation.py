"""Évaluer une politique sur des départs neufs, ou jouer un épisode et tout en garder."""

from contextlib import nullcontext
from itertools import count
from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from gymnasium.vector import VectorEnv

from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import (
    EPISODE_LIMIT,
    Starts,
    check_actions,
    dynamics,
    has_fallen,
)
from cartpole_helpers.checks import check_callable, check_choice, check_number, check_seed
from cartpole_helpers.environments import (
    CARTPOLE,
    CARTPOLE_SIZES,
    Alone,
    Copies,
    Env,
    Sizes,
    make_one,
    make_vector,
    no_window,
    sizes_of,
    vector_sizes,
)
from cartpole_helpers.policies import Policy
from cartpole_helpers.seeds import Purpose, environment_seeds

ENDLESS = 10_000  # pas : un épisode sans limite qui les passe ne finirait sans doute jamais


def evaluate(
    policy: Policy,
    episodes: int = 100,
    seed: int = 0,
    limit: int | None = None,
    env: Env = CARTPOLE,
) -> np.ndarray:
    """Rend les retours (episodes,) de `policy` sur des départs qu'aucun entraînement n'a vus.

    `limit` : nombre de pas après lequel un épisode est arrêté ; None, celui du jeu. À CartPole, les
    départs sont les ordinaires, quel que soit le `start_x` de l'entraînement. Un `Agent` qui en
    réunit S donne (S, episodes), les mêmes retours que s'ils étaient évalués un par un.
    """
    check_callable("policy", policy)
    episodes = check_number("episodes", episodes, int, low=1)
    limit = None if limit is None else check_number("limit", limit, int, low=1)
    seeds = environment_seeds(check_seed("seed", seed), Purpose.EVALUATION, episodes)
    return returns(policy, seeds, limit=limit, env=env)


def returns(
    policy: Policy,
    seeds: list[int],
    *,
    limit: int | None = None,
    env: Env = CARTPOLE,
    threshold: float | None = None,
    judged: int | None = None,
) -> np.ndarray:
    """Rend les retours (N,) de `policy`, ou (S, N) de S agents, un départ par graine de `seeds`.

    `threshold`, `judged` : à CartPole, s'arrête dès que la moyenne des `judged` premiers ne peut
    plus atteindre `threshold` ; ceux qui tiennent encore comptent alors pour les pas déjà faits.
    """
    agents = len(policy) if isinstance(policy, Agent) else 1
    shape = (agents, len(seeds)) if agents > 1 else (len(seeds),)
    if env == CARTPOLE:
        _check_game(policy, CARTPOLE_SIZES, env)
        states = np.broadcast_to(Starts(seeds).next(np.arange(len(seeds))), (*shape, 4))
        return lengths(policy, states, limit or EPISODE_LIMIT, threshold, judged)
    vector = make_vector(env, agents * len(seeds), limit)
    try:
        _check_game(policy, vector_sizes(vector), env)
        observation, _ = vector.reset(seed=seeds * agents)  # type: ignore[arg-type]
        seen = np.asarray(observation, np.float32).reshape(*shape, -1)
        return _first_episodes(policy, vector, seen, limit)
    finally:
        vector.close()


def _first_episodes(
    policy: Policy, vector: VectorEnv, observation: np.ndarray, limit: int | None
) -> np.ndarray:
    """Rend le retour du premier épisode de chaque copie, d'observations (..., N, D) : (..., N)."""
    shape, actions = observation.shape[:-1], vector_sizes(vector).actions
    total, playing = np.zeros(vector.num_envs), np.ones(vector.num_envs, bool)
    for done in count() if limit is None else range(limit):
        _check_ending(done, limit)
        action = ask(policy, observation, actions)
        observation, reward, terminated, truncated, _ = vector.step(action.reshape(-1))
        observation = np.asarray(observation, np.float32).reshape(*shape, -1)
        total += np.where(playing, reward, 0)
        playing &= ~(terminated | truncated)
        if isinstance(vector, Copies):
            vector.awake = playing
        if not playing.any():
            break
    return total.reshape(shape)


def lengths(
    policy: Policy,
    states: np.ndarray,
    limit: int,
    threshold: float | None = None,
    judged: int | None = None,
) -> np.ndarray:
    """Rend le nombre de pas que tient chacun des états (..., N, 4), `limit` au plus : (..., N).

    `threshold` : s'arrête dès que la moyenne des `judged` premiers (tous si c'est None) ne peut
    plus l'atteindre, en comptant à ceux qui tiennent encore les pas déjà faits.
    """
    held = np.full(states.shape[:-1], limit, float)
    standing = np.ones(states.shape[:-1], bool)
    columns = np.arange(states.shape[-2])  # les départs d'où quelqu'un tient encore
    for done in range(1, limit + 1):
        moved = dynamics(states, ask(policy, states.astype(np.float32)))
        states = moved if standing.all() else np.where(standing[..., None], moved, states)
        fallen = standing & has_fallen(states)
        if not fallen.any():
            continue
        held[..., columns] = np.where(fallen, done, held[..., columns])
        standing &= ~fallen
        kept = standing.reshape(-1, len(columns)).any(axis=0)
        states, standing, columns = states[..., kept, :], standing[..., kept], columns[kept]
        if not len(columns):
            break
        if threshold and held[:judged].mean() < threshold:
            held[columns] = done
            break
    return held


def ask(policy: Policy, observations: np.ndarray, actions: int = 2) -> np.ndarray:
    """Rend les actions (..., N) de `policy` aux observations (..., N, D), vérifiées."""
    if isinstance(policy, Agent) and observations.ndim == 2 + (len(policy) > 1):
        return _greedy(policy, observations)
    return check_actions(policy(observations), observations.shape[:-1], count=actions)


def _greedy(agent: Agent, observations: np.ndarray) -> np.ndarray:
    """Rend ce que rend `agent(observations)`, sans vérifier ce que le jeu vient de calculer."""
    batch = torch.from_numpy(observations).to(agent.weights.device)
    q = agent.network(batch.view(len(agent), -1, batch.shape[-1]))
    return q.numpy(force=True).argmax(axis=-1).reshape(observations.shape[:-1])


def _check_game(policy: Policy, sizes: Sizes, env: Env) -> None:
    """Refuse de juger un agent sur un jeu dont il ne comprend ni l'observation ni les actions."""
    if isinstance(policy, Agent) and policy.sizes != sizes:
        raise ValueError(
            f"policy a appris un jeu de {policy.sizes.observation} composantes et "
            f"{policy.sizes.actions} actions ; env={env!r} en a {sizes.observation} et "
            f"{sizes.actions} : donnez `env`, le jeu de cet agent."
        )


class Episode(NamedTuple):
    """Un épisode de T pas."""

    observations: np.ndarray  #: (T + 1, D)
    actions: np.ndarray  #: (T,)
    rewards: np.ndarray  #: (T,)
    q_values: np.ndarray | None  #: (T, A), ou None si la politique n'en a pas
    terminated: bool
    truncated: bool
    seed: int
    frames: np.ndarray | None  #: (T + 1, hauteur, largeur, 3) si render_mode="rgb_array"


def play(
    policy: Policy,
    seed: int = 0,
    limit: int | None = None,
    render_mode: str | None = None,
    env: Env = CARTPOLE,
) -> Episode:
    """Joue un épisode de `env`, dans l'environnement de Gymnasium, départ `reset(seed=seed)`.

    `limit` : le nombre de pas au plus ; None, celui du jeu. `render_mode` : None, "rgb_array" (les
    images sont gardées) ou "human" (une fenêtre s'ouvre). Une fonction `env` joue dans une copie
    de ce qu'elle rend, sans image.
    """
    check_callable("policy", policy)
    seed = check_seed("seed", seed)
    limit = None if limit is None else check_number("limit", limit, int, low=1)
    check_choice("render_mode", render_mode, (None, "rgb_array", "human"))
    with no_window() if render_mode == "rgb_array" else nullcontext():
        game = _opened(env, limit, render_mode)
        try:
            sizes = sizes_of(game.observation_space, game.action_space)
            _check_game(policy, sizes, env)
            return _play(policy, game, seed, sizes.actions, limit)
        finally:
            game.close()


def _opened(env: Env, limit: int | None, render_mode: str | None) -> gymnasium.Env:
    if isinstance(env, str):
        return make_one(env, limit, render_mode)
    if render_mode is not None:
        raise ValueError(
            "render_mode ne vaut que pour un identifiant de Gymnasium : une fonction `env` rend "
            f"des copies sans image ; {render_mode!r} reçu."
        )
    return Alone(make_vector(env, 1), limit)


def _play(
    policy: Policy, env: gymnasium.Env, seed: int, choices: int, limit: int | None
) -> Episode:
    observation = np.array(env.reset(seed=seed)[0], np.float32)  # un jeu peut réemployer la sienne
    seen, frames = [observation], _frames(env)
    actions: list[int] = []
    rewards: list[float] = []
    terminated = truncated = False
    while not (terminated or truncated):
        _check_ending(len(actions), limit)
        action = int(ask(policy, observation[None], choices)[0])
        following, reward, terminated, truncated, _ = env.step(action)
        observation = np.array(following, np.float32)
        seen.append(observation)
        actions.append(action)
        rewards.append(float(reward))
        frames += _frames(env)
    observations = np.stack(seen)
    q_values = policy.q_values(observations[:-1]) if hasattr(policy, "q_values") else None
    images = np.stack(frames) if frames else None
    return Episode(
        observations,
        np.array(actions),
        np.array(rewards),
        q_values,
        bool(terminated),
        bool(truncated),
        seed,
        images,
    )


def _check_ending(done: int, limit: int | None) -> None:
    """Refuse un épisode qui n'en finit pas, plutôt que d'attendre toujours."""
    if limit is None and done >= ENDLESS:
        raise ValueError(
            f"env doit finir ses épisodes : l'un d'eux dure encore après {ENDLESS} pas ; donnez "
            "`limit`, ou inscrivez le jeu avec max_episode_steps."
        )


def _frames(env: gymnasium.Env) -> list[np.ndarray]:
    """Rend l'image de l'instant, si c'est ce que l'environnement rend."""
    return [np.asarray(env.render())] if env.render_mode == "rgb_array" else []
