"""Évaluer et jouer : les épisodes de Gymnasium, sur des départs que rien d'autre n'a vus."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import product

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from trainings import SEEDS, SMALL, Reusing, run, training_starts

from cartpole_helpers import CartPoleVector, Training, evaluate, evaluation, play
from cartpole_helpers.cartpole import Starts
from cartpole_helpers.environments import Copies
from cartpole_helpers.evaluation import lengths
from cartpole_helpers.policies import (
    lqr,
    push_by_angle,
    push_by_angle_and_velocity,
    push_by_velocity,
)
from cartpole_helpers.seeds import Purpose, environment_seeds

# Évaluer


def returns_in_gymnasium(policy, seeds, limit, game="CartPole-v1"):
    totals = []
    for seed in seeds:
        env = gymnasium.make(game, max_episode_steps=limit)
        observation, total, ended = env.reset(seed=seed)[0], 0.0, False
        while not ended:
            action = int(policy(observation[None])[0])
            observation, reward, terminated, truncated, _ = env.step(action)
            total, ended = total + reward, terminated or truncated
        totals.append(total)
    return totals


def test_evaluate_equals_gymnasium_from_the_same_starts():
    seeds = environment_seeds(7, Purpose.EVALUATION, 10)
    for policy, limit in [(push_by_angle, 1), (push_by_angle_and_velocity, 500), (lqr, 540)]:
        returns = evaluate(policy, episodes=10, seed=7, limit=limit)
        assert returns.tolist() == returns_in_gymnasium(policy, seeds, limit)
        assert np.issubdtype(returns.dtype, np.floating)


def test_evaluate_is_reproducible_and_its_seeds_differ():
    """Cent épisodes de graine 0 par défaut ; moins d'épisodes, ce sont les premiers."""
    returns = [evaluate(push_by_angle_and_velocity, 30, seed).tolist() for seed in (0, 0, 1)]
    assert returns[0] == returns[1] != returns[2]
    usual = evaluate(push_by_angle_and_velocity)
    assert usual.shape == (100,)
    assert usual[:30].tolist() == returns[0]


def test_no_evaluation_starts_where_a_training_did():
    trained, evaluated = training_starts(run(replace(SMALL, warmup=100), range(20), 100)[1]), []
    for seed in range(20):
        evaluate(lambda states: evaluated.append(states) or lqr(states), 100, seed, 1)
    assert len(trained) > 300
    assert np.abs(evaluated).max() <= 0.05
    everything = np.concatenate([trained, *evaluated])
    assert len(np.unique(everything, axis=0)) == len(everything)


# Une évaluation abrégée


BEGINNINGS = Starts(list(range(20))).next(np.arange(20))


def turns_needed(whole, threshold):
    """Le premier pas où, ceux qui tiennent iraient-ils à 500, la moyenne serait trop basse."""
    hopes = (np.where(whole <= turn, whole, 500).mean() for turn in range(1, 501))
    return next(turn for turn, hope in enumerate(hopes, 1) if hope < threshold)


def test_an_evaluation_cut_short_decides_as_a_whole_one():
    """Les départs qui ne jugent pas, joués dans le même lot, comptent pour les pas déjà faits."""
    kinds = set()
    for policy in (push_by_angle, push_by_velocity, push_by_angle_and_velocity, lqr):
        whole = lengths(policy, BEGINNINGS, 500)
        for threshold, judged in product((1.0, 100.0, 500.0, whole.mean()), (5, 20)):
            received = lengths(policy, BEGINNINGS, 500, threshold, judged)
            succeeds = bool(whole[:judged].mean() >= threshold)
            assert (received[:judged].mean() >= threshold) == succeeds
            turns = 500 if succeeds else turns_needed(whole[:judged], threshold)
            np.testing.assert_array_equal(received, np.minimum(whole, turns))
            kinds.add((succeeds, turns < whole[:judged].max()))
    assert kinds >= {(True, False), (False, True)}


# D'autres jeux


@pytest.mark.parametrize(("game", "limit"), [("Acrobot-v1", 90), ("MountainCar-v0", None)])
def test_another_game_is_played_as_in_gymnasium(game, limit):
    """Ensemble comme seuls ; un épisode achevé se tait pendant que les autres continuent."""
    agents = run(replace(SMALL, input_scale="auto"), SEEDS[:2], 60, env=game)[0].agent
    seeds = environment_seeds(4, Purpose.EVALUATION, 3)
    together = evaluate(agents, 3, seed=4, limit=limit, env=game)
    assert together.shape == (2, 3)
    for agent, received in zip(agents, together, strict=True):
        np.testing.assert_array_equal(evaluate(agent, 3, 4, limit, game), received)
        assert received.tolist() == returns_in_gymnasium(agent, seeds, limit, game)
    episode = play(agents[0], 3, 4, "rgb_array", game)
    assert episode.observations.shape == (5, *episode.observations.shape[1:])
    assert (episode.rewards.tolist(), episode.truncated) == ([-1] * 4, True)
    assert len(episode.frames) == 5


@pytest.mark.parametrize("env", [CartPoleVector, partial(Copies, "CartPole-v1"), Reusing])
def test_a_function_gives_the_game_to_evaluate_and_to_play(env):
    """Le même CartPole, de Gymnasium ou d'une fonction : les mêmes épisodes."""
    agent = Training(SMALL, SEEDS).agent
    np.testing.assert_array_equal(evaluate(agent, 20, 3, env=env), evaluate(agent, 20, 3))
    assert evaluate(lqr, 3, limit=7, env=env).tolist() == [7] * 3
    expected = play(lqr, 5, limit=40)
    for received, one in zip(play(lqr, 5, limit=40, env=env), expected, strict=True):
        np.testing.assert_array_equal(received, one, strict=isinstance(one, np.ndarray))


# Jouer


@pytest.mark.parametrize(("policy", "limit"), [(push_by_angle, 500), (lqr, 30)])
def test_play_equals_an_episode_of_gymnasium(policy, limit):
    env = gymnasium.make("CartPole-v1", max_episode_steps=limit)
    observations, ended = [env.reset(seed=3)[0]], False
    while not ended:
        action = int(policy(observations[-1][None])[0])
        observation, _, terminated, truncated, _ = env.step(action)
        observations.append(observation)
        ended = terminated or truncated
    episode = play(policy, seed=np.int64(3), limit=limit)
    np.testing.assert_array_equal(episode.observations, observations, strict=True)
    assert (episode.terminated, episode.truncated) == (terminated, truncated)
    np.testing.assert_array_equal(episode.actions, policy(episode.observations[:-1]))
    assert np.issubdtype(episode.actions.dtype, np.integer)
    assert episode.rewards.tolist() == [1.0] * (len(observations) - 1)
    assert (episode.seed, episode.frames, episode.q_values) == (3, None, None)
    assert [type(one) for one in episode if np.isscalar(one)] == [bool, bool, int]


def test_playing_an_agent_shows_its_values():
    agent = Training(SMALL, SEEDS).agent[0]
    episode = play(agent, seed=4)
    assert episode.q_values.shape == (len(episode.actions), 2)
    expected = agent.q_values(episode.observations[:-1])
    np.testing.assert_allclose(episode.q_values, expected, rtol=1e-5)
    np.testing.assert_array_equal(episode.actions, episode.q_values.argmax(axis=1))


def test_frames_are_kept_when_asked(monkeypatch):
    """Dans une fenêtre, dessiner deux fois chaque état ferait passer le film à demi-vitesse."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    episode = play(lqr, limit=3, render_mode="rgb_array")
    assert episode.frames.shape == (4, 400, 600, 3)
    assert episode.frames.dtype == np.uint8
    assert (episode.frames[0] != episode.frames[-1]).any()
    np.testing.assert_array_equal(play(lqr, 0, 3).observations, episode.observations)
    drawn, render = [], CartPoleEnv.render
    monkeypatch.setattr(CartPoleEnv, "render", lambda env: drawn.append(render(env)))
    assert play(lqr, limit=3, render_mode="human").frames is None
    assert len(drawn) == 4


def test_the_environment_is_always_closed():
    closed = []

    class Closing(CartPoleVector):
        def close_extras(self, **_):
            closed.append(self)

    for ask in (evaluate, play):
        for policy in (lqr, lambda observations: 1 / 0):
            closed.clear()
            with suppress(ZeroDivisionError):
                ask(policy, limit=3, env=Closing)
            assert len(closed) == 1


@pytest.mark.parametrize("ask", [evaluate, play])
def test_bad_arguments_are_refused_by_their_name(ask):
    for policy, received in [
        (lambda observations: np.zeros((len(observations), 1), int), "1\\)"),
        (lambda observations: np.ones(len(observations)), "float64"),
        (lambda observations: np.full(len(observations), 2), "2"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"action.* doi.*{received}.* reçu"):
            ask(policy)
    own = {"episodes": 0} if ask is evaluate else {"render_mode": "ansi"}
    for name, value in {"policy": "lqr", "seed": -1, "limit": 0, **own}.items():
        with pytest.raises((TypeError, ValueError), match=rf"{name} doit .* {value!r} reçu"):
            ask(**{"policy": lqr, name: value})
    with pytest.raises(ValueError, match=r"doit .* reçu"):  # plusieurs agents, un seul épisode
        play(Training(SMALL, SEEDS).agent)
    with pytest.raises(ValueError, match="render_mode ne vaut que pour un identifiant"):
        play(lqr, render_mode="rgb_array", env=CartPoleVector)


# Un jeu sans fin


class Still(CartPoleEnv):
    """Un jeu sans fin : rien n'y bouge."""

    def step(self, action):
        return np.array(self.state, np.float32), 1.0, False, False, {}


gymnasium.register("SansFin-v0", Still)


@pytest.mark.parametrize("ask", [partial(evaluate, episodes=2), play])
def test_an_endless_game_is_refused_instead_of_played_forever(ask, monkeypatch):
    monkeypatch.setattr(evaluation, "ENDLESS", 50)
    with pytest.raises(ValueError, match=r"env doit finir .* après 50 pas ; donnez `limit`"):
        ask(push_by_angle, env="SansFin-v0")
    ask(push_by_angle, env="SansFin-v0", limit=60)
