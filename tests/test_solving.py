"""`solve` : un agent certifié sur des départs neufs, et un entraînement qui n'en sait rien."""

import inspect
import pickle
import time
from dataclasses import replace
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
    load,
    save,
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


def test_a_solution_is_what_its_fields_say(solved, tmp_path):
    for seed, solution in solved.items():
        assert isinstance(solution, Solution)
        assert solution.agent.seeds == [seed]
        assert solution.agent.config == QUICK
        assert solution.agent.env_steps == solution.env_steps <= QUICK.total_steps
        assert type(solution.env_steps) is type(solution.gradient_steps) is int
        assert type(solution.seconds) is float
        assert solution.validation.ndim == 1
        certificate = solution.certificate
        assert certificate.shape == (100,)
        assert certificate.mean() >= 475
        assert ((certificate >= 1) & (certificate <= 500)).all()
        # L'agent résout encore la tâche sur mille autres départs, et se garde.
        assert evaluate(solution.agent, 1_000, seed=123).mean() >= 475
        save(solution.agent, tmp_path / "agent")
        assert torch.equal(load(tmp_path / "agent").weights, solution.agent.weights)


def test_by_default_it_solves_version_2_from_seed_zero():
    parameters = inspect.signature(solve).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "config": VERSION_2,
        "seed": 0,
        "env": "CartPole-v1",
        "threshold": None,
    }


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
    seed = SEEDS[1]
    solution = solved[seed]
    whole = assert_judged_naively(solution, QUICK, seed, 490, 475)
    assert (solution.validation < whole).any()


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


def test_an_agent_whose_certificate_fails_is_not_a_solution(between):
    seed, threshold = between
    assert unsolved(replace(QUICK, total_steps=1_000), seed, threshold=threshold).agent.env_steps


# Les graines


def test_a_numpy_seed_is_that_seed_and_another_gives_another_solution(solved):
    other, first = solved.values()
    torch.manual_seed(123)  # les générateurs globaux n'y changent rien
    again = solve(QUICK, np.int64(10))
    assert torch.equal(again.agent.weights, first.agent.weights)
    np.testing.assert_array_equal(again.certificate, first.certificate)
    used = first.agent.weights != 0
    assert (first.agent.weights != other.agent.weights)[used].all()


# Quand il évalue, et ce qu'il compte


class Watched(CartPoleVector):
    """Des épisodes de 20 pas, que l'on compte ; `made` retient les environnements demandés."""

    made = ()

    def __init__(self, num_envs):
        super().__init__(num_envs, max_episode_steps=20)
        self.turns = 0

    def step(self, actions):
        self.turns += 1
        return super().step(actions)


def watching(stop=np.inf):
    """Une fonction `env`, et la liste (copies, tours de l'entraînement) de ses appels."""
    made, calls = [], []

    class Stopping(Watched):
        def step(self, actions):
            if self is made[0] and self.turns >= stop:
                raise KeyboardInterrupt
            return super().step(actions)

    def env(num_envs):
        made.append(Stopping(num_envs))
        calls.append((num_envs, made[0].turns))
        return made[-1]

    return env, calls


def test_it_evaluates_every_thousand_steps_and_at_the_end():
    """Au premier tour qui atteint 1 000, 2 000… pas, puis le budget ; tous rejouent enfin."""
    for carts, total in [(7, 3_000), (16, 1_400), (500, 2_000), (600, 4_000)]:
        env, calls = watching()
        config = replace(SMALL, carts=carts, total_steps=total, learn_every=100)
        unsolved(config, env=env, threshold=500)
        expected = [-(-steps // carts) for steps in sorted({*range(1_000, total, 1_000), total})]
        last = (len(expected) * 50, expected[-1])
        assert calls == [(carts, 0), *((50, turn) for turn in expected), last], (carts, total)


def test_seconds_counts_everything():
    """Chaque environnement est lent à naître : l'entraînement, une évaluation, un certificat.

    Tout épisode y dure un pas : les moyennes sont tout juste au seuil, et cela suffit.
    """

    def slow(num_envs):
        time.sleep(0.05)
        return CartPoleVector(num_envs, max_episode_steps=1)

    start = perf_counter()
    solution = solve(SMALL, env=slow, threshold=1)
    assert 0.15 < solution.seconds <= perf_counter() - start
    assert (solution.attempts, solution.env_steps) == (1, 1_008)


# Sans solution


def test_too_short_a_budget_says_so_in_french_and_gives_an_agent():
    """L'erreur passe d'un processus à l'autre : une étude répartie ne perd pas ses graines."""
    for total in (16, 1_000):
        error = unsolved(replace(SMALL, total_steps=total))
        assert isinstance(error, RuntimeError)
        assert str(error).startswith(f"Aucun agent n'a été certifié en {total} pas")
        assert str(error).endswith("L'attribut `agent` de cette erreur est ce meilleur agent.")
        assert evaluate(error.agent, episodes=5).shape == (5,)
        again = pickle.loads(pickle.dumps(error))
        assert isinstance(again, Unsolved)
        assert str(again) == str(error)
        assert torch.equal(again.agent.weights, error.agent.weights)


@pytest.mark.parametrize("evaluations", [0, 3])
def test_an_interrupt_keeps_the_best_agent(evaluations):
    """Même s'il survient avant la première évaluation, ou au milieu d'un tour."""
    turns = -(-(1_000 * evaluations + 500) // SMALL.carts)
    env, calls = watching(stop=turns)
    with pytest.raises(Interrupted) as caught:
        solve(SMALL, env=env, threshold=500)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert str(caught.value).startswith(f"Arrêt demandé après {turns * SMALL.carts} pas.")
    assert [copies for copies, _ in calls[1:]].count(50) == evaluations + (evaluations == 1)
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
        ({"seed": -1}, "seed doit .* -1 reçu"),
        ({"seed": [0, 1]}, r"seed doit .* \[0, 1\] reçu"),
        ({"threshold": "475"}, "threshold doit .* '475' reçu"),
        ({"env": "MountainCar-v1"}, "env doit .* Vouliez-vous dire 'MountainCar-v0'"),
        ({"env": CartPoleVector}, "threshold doit être donné : .* ne dit pas"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            solve(**{"config": SMALL, "seed": 0, **arguments})
