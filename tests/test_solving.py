"""`solve` : un agent certifié sur des départs neufs, et un entraînement qui n'en sait rien."""

import inspect
import pickle
from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np
import pytest
import torch

from cartpole_helpers import (
    QUICK,
    VERSION_2,
    CartPoleVector,
    Config,
    Interrupted,
    Solution,
    Training,
    Unsolved,
    evaluate,
    solve,
)
from cartpole_helpers.evaluation import returns
from cartpole_helpers.seeds import Purpose, environment_seeds

SEEDS = [0, 10]
SMALL = Config(
    total_steps=4_000,
    carts=16,
    hidden=(8,),
    batch_size=8,
    warmup=16,
    learn_every=10,
    capacity=1_000,
)


@pytest.fixture(scope="module")
def solved():
    return {seed: solve(QUICK, seed) for seed in SEEDS}


def unsolved(config, seed=0, **given):
    with pytest.raises(Unsolved) as caught:
        solve(config, seed, **given)
    return caught.value


def candidates(config, seed, **given):
    """Les agents d'un entraînement que rien n'évalue, aux pas où `solve` en évalue un."""
    training, reached = Training(config, seed, **given), 0
    for step in training.run():
        if step.env_steps // 1_000 > reached or step.env_steps >= config.total_steps:
            reached = step.env_steps // 1_000
            yield training.agent


def played(agent, seed, purpose, block, **given):
    count = {Purpose.VALIDATION: 50, Purpose.CERTIFICATE: 100}[purpose]
    return returns(agent, environment_seeds(seed, purpose, count, block), **given)


def naive_trials(config, seed, enough, threshold, **given):
    """Juge chaque candidat de bout en bout ; rend ses évaluations, et le certificat de chacun."""
    whole, certificates = [], []
    for block, agent in enumerate(candidates(config, seed, **given)):
        whole.append(played(agent, seed, Purpose.VALIDATION, block, **given).mean())
        if whole[-1] >= enough:
            certificates.append(played(agent, seed, Purpose.CERTIFICATE, block, **given))
            if certificates[-1].mean() >= threshold:
                return agent, whole, certificates
    return None, whole, certificates


# La solution


def test_a_solution_is_what_its_fields_say(solved):
    for seed, solution in solved.items():
        assert isinstance(solution, Solution)
        assert (solution.agent.seeds, solution.agent.config) == ([seed], QUICK)
        assert solution.agent.env_steps == solution.env_steps <= QUICK.total_steps
        kinds = [int, int, float]
        assert [
            *map(type, (solution.env_steps, solution.gradient_steps, solution.seconds))
        ] == kinds
        certificate = solution.certificate
        assert certificate.shape == (100,)
        assert certificate.mean() >= 475
        assert ((certificate >= 1) & (certificate <= 500)).all()
        # L'agent résout encore la tâche sur mille autres départs.
        assert evaluate(solution.agent, 1_000, seed=123).mean() >= 475
    usual = [parameter.default for parameter in inspect.signature(solve).parameters.values()]
    assert usual == [VERSION_2, 0, "CartPole-v1", None]


def assert_judged_naively(solution, config, seed, enough, threshold, **given):
    agent, whole, certificates = naive_trials(config, seed, enough, threshold, **given)
    assert torch.equal(solution.agent.weights, agent.weights)
    assert solution.env_steps == agent.env_steps
    assert solution.attempts == len(certificates)
    np.testing.assert_array_equal(solution.certificate, certificates[-1])
    for received, mean in zip(solution.validation, whole, strict=True):
        assert received == mean or received < mean < enough  # abrégée : elle ne peut plus réussir
    return whole


def test_it_decides_as_a_judge_that_plays_everything_to_the_end(solved):
    """Ses poids sont, au bit près, ceux d'un entraînement que rien n'a évalué."""
    whole = assert_judged_naively(solved[SEEDS[1]], QUICK, SEEDS[1], 490, 475)
    assert (solved[SEEDS[1]].validation < whole).any()


def test_it_solves_another_game_to_the_threshold_of_its_own():
    """CartPole-v0 est tout entier de Gymnasium : 200 pas au plus, résolu à 195."""
    config = replace(QUICK, mirror=False, total_steps=20_000)
    solution = solve(config, 0, env="CartPole-v0")
    assert_judged_naively(solution, config, 0, 195, 195, env="CartPole-v0")
    assert solution.certificate.max() == 200


@pytest.fixture(scope="module")
def between():
    """Une graine, et un seuil que sa première évaluation atteint, mais non son certificat."""
    for seed in range(20):
        agent = next(candidates(QUICK, seed))
        purposes = (Purpose.VALIDATION, Purpose.CERTIFICATE)
        first, certified = (played(agent, seed, purpose, 0).mean() for purpose in purposes)
        if first > certified + 0.5:
            return seed, (first + certified) / 2


def test_a_refused_certificate_is_followed_by_a_fresh_one(between):
    seed, threshold = between
    solution = solve(QUICK, seed, threshold=threshold)
    assert solution.attempts > 1
    assert_judged_naively(solution, QUICK, seed, threshold, threshold)
    # Un agent dont le certificat échoue n'est pas une solution.
    assert unsolved(replace(QUICK, total_steps=1_000), seed, threshold=threshold).agent.env_steps


# Les graines


def test_a_numpy_seed_is_that_seed_and_another_gives_another_solution(solved):
    other, first = solved.values()
    torch.manual_seed(123)  # les générateurs globaux n'y changent rien
    again = solve(QUICK, np.int64(10))
    assert torch.equal(again.agent.weights, first.agent.weights)
    np.testing.assert_array_equal(again.certificate, first.certificate)
    assert not torch.equal(first.agent.weights, other.agent.weights)


# Quand il évalue, et ce qu'il compte


def watching(stop=np.inf):
    """Une fonction `env` aux épisodes de 20 pas, et la liste (copies, tours faits) de ses appels.

    Les tours sont ceux de l'entraînement, qu'un Ctrl-C interrompt au tour `stop`.
    """
    made, calls = [], []

    class Watched(CartPoleVector):
        turns = 0

        def step(self, actions):
            if self is made[0] and self.turns >= stop:
                raise KeyboardInterrupt
            self.turns += 1
            return super().step(actions)

    def env(num_envs):
        made.append(Watched(num_envs, max_episode_steps=20))
        calls.append((num_envs, made[0].turns))
        return made[-1]

    return env, calls


def test_it_evaluates_every_thousand_steps_and_at_the_end():
    """Au premier tour qui atteint 1 000, 2 000… pas, puis le budget ; tous rejouent enfin."""
    for carts, total in [(16, 1_400), (500, 2_000), (600, 4_000)]:
        env, calls = watching()
        config = replace(SMALL, carts=carts, total_steps=total, learn_every=100)
        unsolved(config, env=env, threshold=500)
        expected = [-(-steps // carts) for steps in sorted({*range(1_000, total, 1_000), total})]
        last = (len(expected) * 50, expected[-1])
        assert calls == [(carts, 0), *((50, turn) for turn in expected), last], (carts, total)


def test_a_mean_just_at_the_threshold_is_enough():
    """Tout épisode y dure un pas ; la durée n'est pas nulle."""
    solution = solve(SMALL, env=partial(CartPoleVector, max_episode_steps=1), threshold=1)
    assert (solution.attempts, solution.env_steps) == (1, 1_008)
    assert 0 < solution.seconds < perf_counter()


# Sans solution


def test_too_short_a_budget_says_so_in_french_and_gives_an_agent():
    """L'erreur passe d'un processus à l'autre : une étude répartie ne perd pas ses graines."""
    error = unsolved(replace(SMALL, total_steps=16))
    assert isinstance(error, RuntimeError)
    assert str(error).startswith("Aucun agent n'a été certifié en 16 pas")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, Unsolved)
    assert str(again) == str(error)
    assert torch.equal(again.agent.weights, error.agent.weights)


@pytest.mark.parametrize("evaluations", [0, 3])
def test_an_interrupt_keeps_the_best_agent(evaluations):
    """Même s'il survient avant la première évaluation, ou au milieu d'un tour."""
    turns = -(-(1_000 * evaluations + 500) // SMALL.carts)
    with pytest.raises(Interrupted) as caught:
        solve(SMALL, env=watching(stop=turns)[0], threshold=500)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert str(caught.value).startswith(f"Arrêt demandé après {turns * SMALL.carts} pas.")
    own = [-(-1_000 * rank // 16) * 16 for rank in range(1, evaluations + 1)]
    assert caught.value.agent.env_steps in (own or [turns * SMALL.carts])


def test_the_attached_agent_is_the_best_when_all_play_to_the_end():
    """Depuis de nouveaux départs : les évaluations, abrégées, ne peuvent pas le dire."""
    seed = 3
    config = replace(QUICK, total_steps=3_000)
    error, agents = unsolved(config, seed, threshold=501), [*candidates(config, seed)]
    means = [played(agent, seed, Purpose.VALIDATION, len(agents)).mean() for agent in agents]
    assert len(set(means)) == 3
    assert torch.equal(error.agent.weights, agents[np.argmax(means)].weights)
    assert f"le meilleur fait {max(means):.0f} de moyenne" in str(error)


def test_bad_arguments_are_refused():
    for arguments, message in [
        ({"config": {"gamma": 0.9}}, "config doit .* reçu"),
        ({"config": replace(SMALL, total_steps=15)}, r"total_steps=15, warmup=16 reçus\."),
        ({"seed": [0, 1]}, r"seed doit .* \[0, 1\] reçu"),
        ({"threshold": "475"}, "threshold doit .* '475' reçu"),
        ({"env": "MountainCar-v1"}, "env doit .* Vouliez-vous dire 'MountainCar-v0'"),
        ({"env": CartPoleVector}, "threshold doit être donné : .* ne dit pas"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            solve(**{"config": SMALL, "seed": 0, **arguments})
