"""`solve` : un agent certifié sur des départs neufs, et un entraînement qui n'en sait rien."""

import inspect
import pickle
from dataclasses import replace
from time import perf_counter

import gymnasium
import numpy as np
import pytest
import torch

from cartpole_helpers import (
    QUICK,
    VERSION_2,
    Agent,
    Config,
    Interrupted,
    Solution,
    Training,
    Unsolved,
    evaluate,
    load,
    loops,
    save,
    solve,
    train,
)
from cartpole_helpers.cartpole import Starts
from cartpole_helpers.policies import (
    lqr,
    push_by_angle,
    push_by_angle_and_velocity,
    push_by_velocity,
)
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


def watch(monkeypatch):
    """Retient (agent, départs, seuil, retours) de chaque évaluation faite par `solve`."""
    seen, original = [], loops._lengths

    def watched(policy, states, limit, threshold=None):
        lengths = original(policy, states, limit, threshold)
        seen.append((policy, states.copy(), threshold, lengths.copy()))
        return lengths

    monkeypatch.setattr(loops, "_lengths", watched)
    return seen


@pytest.fixture(scope="module")
def solved():
    """Pour chaque graine : la solution, ses évaluations, et le temps mesuré du dehors."""
    found = {}
    for seed in SEEDS:
        with pytest.MonkeyPatch.context() as patch:
            seen, start = watch(patch), perf_counter()
            solution = solve(QUICK, seed)
            found[seed] = solution, seen, perf_counter() - start
    return found


def unsolved(config, seed=0):
    with pytest.raises(Unsolved) as caught:
        solve(config, seed)
    return caught.value


# La solution


def test_its_fields_are_those_of_the_contract(solved):
    assert Solution._fields == (
        "agent",
        "env_steps",
        "gradient_steps",
        "seconds",
        "validation",
        "certificate",
        "attempts",
    )
    for seed, (solution, _, _) in solved.items():
        assert isinstance(solution, Solution)
        assert isinstance(solution.agent, Agent)
        assert len(solution.agent) == 1
        assert solution.agent.seeds == [seed]
        assert solution.agent.config == QUICK
        assert solution.agent.env_steps == solution.env_steps <= QUICK.total_steps
        assert type(solution.env_steps) is type(solution.gradient_steps) is int
        assert type(solution.seconds) is float
        for returns in (solution.validation, solution.certificate):
            assert type(returns) is np.ndarray
            assert returns.ndim == 1
            assert returns.dtype == np.float64


def test_by_default_it_solves_version_2_from_seed_zero():
    parameters = inspect.signature(solve).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "config": VERSION_2,
        "seed": 0,
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_its_certificate_is_a_hundred_returns_that_solve_the_task(solved, seed):
    certificate = solved[seed][0].certificate
    assert certificate.shape == (100,)
    assert certificate.mean() >= 475
    assert (certificate == certificate.round()).all()
    assert ((certificate >= 1) & (certificate <= 500)).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_its_agent_still_solves_the_task_on_a_thousand_other_starts(solved, seed):
    assert evaluate(solved[seed][0].agent, 1_000, seed=123).mean() >= 475


@pytest.mark.parametrize("seed", SEEDS)
def test_it_stops_at_the_first_evaluation_that_calls_for_a_certificate(solved, seed):
    solution, seen, _ = solved[seed]
    assert [threshold for *_, threshold, _ in seen if threshold] == [490] * len(solution.validation)
    if len(seen) == len(solution.validation) + 1:  # un seul certificat a été tenté
        assert solution.validation[-1] >= 490 > solution.validation[:-1].max(initial=0)


def in_gymnasium(agent, seed, starts):
    """La durée de l'épisode numéro `starts` de l'environnement de graine `seed`."""
    env = gymnasium.make("CartPole-v1")
    observation, total, ended = env.reset(seed=seed)[0], 0.0, False
    for _ in range(starts):
        observation = env.reset()[0]
    while not ended:
        observation, reward, terminated, truncated, _ = env.step(int(agent(observation[None])[0]))
        total, ended = total + reward, terminated or truncated
    return total


@pytest.mark.parametrize("seed", SEEDS)
def test_its_worst_certified_returns_are_those_of_gymnasium(solved, seed):
    """Le certificat numéro k joue le départ numéro k de chacun des cent environnements."""
    solution, seen, _ = solved[seed]
    attempts = sum(threshold is None for *_, threshold, _ in seen)
    carts = environment_seeds(seed, Purpose.CERTIFICATE, 100)
    for cart in [*np.argsort(solution.certificate)[:3], 99]:
        expected = in_gymnasium(solution.agent, carts[cart], attempts - 1)
        assert solution.certificate[cart] == expected


def test_its_validation_is_the_mean_of_each_evaluation_or_less_if_cut_short(solved):
    cut = 0
    for solution, seen, _ in solved.values():
        evaluations = [call for call in seen if call[2]]
        for received, (agent, states, *_) in zip(solution.validation, evaluations, strict=True):
            whole = loops._lengths(agent, states, 500).mean()
            assert states.shape == (50, 4)
            assert received == whole or received < whole < 490
            cut += received < whole
    assert cut > 2


@pytest.mark.parametrize("seed", SEEDS)
def test_its_training_never_reads_an_evaluation(solved, seed):
    """Les poids sont, au bit près, ceux d'un entraînement que rien n'a évalué."""
    solution, training = solved[seed][0], Training(QUICK, seed)
    for step in training.run():
        if step.env_steps == solution.env_steps:
            break
    assert torch.equal(training.agent.weights, solution.agent.weights)
    assert training.gradient_steps == solution.gradient_steps > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_its_agent_is_saved_and_read_again(solved, seed, tmp_path):
    save(solved[seed][0].agent, tmp_path / "agent")
    assert torch.equal(load(tmp_path / "agent").weights, solved[seed][0].agent.weights)


# Les graines


def test_the_same_seed_gives_the_same_solution(solved):
    first = solved[10][0]
    torch.manual_seed(123)
    again = solve(QUICK, np.int64(10))
    assert torch.equal(again.agent.weights, first.agent.weights)
    assert (again.env_steps, again.gradient_steps) == (first.env_steps, first.gradient_steps)
    np.testing.assert_array_equal(again.validation, first.validation)
    np.testing.assert_array_equal(again.certificate, first.certificate)


def test_another_seed_gives_another_solution(solved):
    (first, *_), (other, *_) = solved.values()
    used = first.agent.weights != 0
    assert (first.agent.weights != other.agent.weights)[used].all()
    assert first.validation.tolist() != other.validation.tolist()


def test_its_starts_serve_only_once(monkeypatch):
    """Entraînement, validations, certificats, `evaluate` : aucun départ commun, d'aucune graine."""
    monkeypatch.setattr(loops, "ENOUGH", 0.0)  # un certificat est tenté à chaque évaluation
    seen, config = watch(monkeypatch), replace(SMALL, total_steps=3_000)
    for seed in range(8):
        unsolved(config, seed)
        evaluate(push_by_angle, seed=seed)
    # Tous les candidats rejouent ensemble depuis les mêmes départs : on n'en compte qu'une fois.
    starts = [states.reshape(-1, *states.shape[-2:])[0] for _, states, _, _ in seen]
    starts = [states.astype(np.float32) for states in starts]
    assert [len(states) for states in starts] == 8 * [50, 100, 50, 100, 50, 100, 50, 100]
    assert max(np.abs(states).max() for states in starts) <= 0.05
    for seed in range(8):
        steps = list(train(config, seed))
        observations = np.stack([step.observation[0] for step in steps])
        ended = np.stack([(step.terminated | step.truncated)[0] for step in steps])
        starts += [observations[0], observations[1:][ended[:-1]]]
    everything = np.concatenate(starts)
    assert len(everything) > 8 * (3 * 150 + 100) + 8 * 50
    assert len(np.unique(everything, axis=0)) == len(everything)


def test_a_refused_certificate_is_followed_by_a_fresh_one(monkeypatch):
    """Tous les agents s'y présentent ; seul le dernier, qui atteint 475, est rendu."""
    monkeypatch.setattr(loops, "ENOUGH", 0.0)
    seen = watch(monkeypatch)
    solution = solve(QUICK, 10)
    certificates = [(states, lengths) for _, states, threshold, lengths in seen if not threshold]
    certificates = [call for call in certificates if len(call[0]) == 100]
    assert solution.attempts == len(certificates) == len(solution.validation) > 1
    assert all(lengths.mean() < 475 for _, lengths in certificates[:-1])
    np.testing.assert_array_equal(certificates[-1][1], solution.certificate)
    everyone = np.concatenate([states for states, _ in certificates])
    assert len(np.unique(everyone, axis=0)) == len(everyone)


# Quand il évalue, et ce qu'il compte


@pytest.mark.parametrize("carts", [1, 7, 16, 500, 600])
def test_it_evaluates_every_thousand_steps(carts, monkeypatch):
    """Au premier tour qui atteint 1 000, 2 000, 3 000 et 4 000 pas, quel que soit leur nombre."""
    seen = watch(monkeypatch)
    unsolved(replace(SMALL, carts=carts, learn_every=100))
    expected = [-(-steps // carts) * carts for steps in (1_000, 2_000, 3_000, 4_000)]
    assert [agent.env_steps for agent, *_ in seen if len(agent) == 1] == expected


def test_it_evaluates_what_the_end_of_the_budget_gives(monkeypatch):
    seen = watch(monkeypatch)
    unsolved(replace(SMALL, total_steps=1_400))
    assert [agent.env_steps for agent, *_ in seen if len(agent) == 1] == [1_008, 1_408]


def test_seconds_is_no_more_than_a_watch_held_outside(solved):
    for solution, _, measured in solved.values():
        assert 0 < solution.seconds <= measured


def test_seconds_counts_everything(monkeypatch):
    """Une horloge où chaque construction, tour ou évaluation, certificat compris, dure 1."""
    clock = [0.0]

    def lasting(function):
        def slow(*arguments, **options):
            clock[0] += 1
            return function(*arguments, **options)

        return slow

    monkeypatch.setattr(loops, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(loops, "_lengths", lasting(loops._lengths))
    monkeypatch.setattr(Training, "__init__", lasting(Training.__init__))
    monkeypatch.setattr(Training, "advance", lasting(Training.advance))
    solution = solve(QUICK, 10)
    turns = solution.env_steps // QUICK.carts
    assert solution.seconds == clock[0] >= 1 + turns + len(solution.validation) + 1


# Sans solution


@pytest.mark.parametrize("total", [16, 300, 1_000])
def test_too_short_a_budget_says_so_in_french_and_gives_an_agent(total, tmp_path):
    error = unsolved(replace(SMALL, total_steps=total))
    message = str(error)
    assert isinstance(error, RuntimeError)
    assert message.startswith(f"Aucun agent n'a été certifié en {total} pas")
    assert message.endswith("L'attribut `agent` de cette erreur est ce meilleur agent.")
    assert isinstance(error.agent, Agent)
    assert len(error.agent) == 1
    assert evaluate(error.agent, episodes=5).shape == (5,)
    save(error.agent, tmp_path / "agent")
    assert torch.equal(load(tmp_path / "agent").weights, error.agent.weights)


def test_the_error_crosses_a_process_with_its_agent():
    """Sinon, une étude répartie sur plusieurs processus perdrait toutes ses graines pour une."""
    error = unsolved(replace(SMALL, total_steps=1_000))
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, Unsolved)
    assert str(again) == str(error)
    assert torch.equal(again.agent.weights, error.agent.weights)


@pytest.mark.parametrize("evaluations", [0, 1, 3])
def test_an_interrupt_keeps_the_best_agent(evaluations, monkeypatch):
    """Même s'il survient avant la première évaluation, ou au milieu d'un tour."""
    advance = loops.Training.advance

    def interrupted(training):
        if training.env_steps >= 1_000 * evaluations + 500:
            raise KeyboardInterrupt
        return advance(training)

    monkeypatch.setattr(loops.Training, "advance", interrupted)
    seen = watch(monkeypatch)
    with pytest.raises(Interrupted) as caught:
        solve(SMALL)
    assert isinstance(caught.value, KeyboardInterrupt)
    steps = -(-(1_000 * evaluations + 500) // SMALL.carts) * SMALL.carts
    assert str(caught.value).startswith(f"Arrêt demandé après {steps} pas.")
    evaluated = [agent for agent, _, threshold, _ in seen if threshold]
    assert len(evaluated) == evaluations
    if evaluated:
        assert any(caught.value.agent is agent for agent in evaluated)
    assert evaluate(caught.value.agent, episodes=5).shape == (5,)


def test_a_budget_that_ends_before_the_first_update_is_refused():
    with pytest.raises(ValueError, match=r"total_steps=15, warmup=16 reçus\."):
        solve(replace(SMALL, total_steps=15))


@pytest.mark.parametrize("scores", [[3, 8, 5, 2], [9, 8, 5, 2], [3, 4, 5, 6]])
def test_the_attached_agent_is_the_best_when_all_play_to_the_end(scores, monkeypatch):
    """Les évaluations, abrégées, disent le contraire : elles ne comptent pas."""
    evaluated = []

    def scripted(agent, states, limit, threshold=None):
        if threshold is None:
            return np.repeat(np.array(scores, float)[:, None], states.shape[-2], axis=1)
        evaluated.append(agent)
        return np.full(len(states), -scores[len(evaluated) - 1])

    monkeypatch.setattr(loops, "_lengths", scripted)
    error = unsolved(SMALL)
    assert error.agent is evaluated[np.argmax(scores)]
    assert f"le meilleur fait {max(scores)} de moyenne" in str(error)


def test_the_best_agent_is_found_by_playing(solved):
    """Trois agents jugés ensemble ont les scores qu'ils ont seuls."""
    training, agents = Training(QUICK, 10), []
    for step in training.run():
        if step.env_steps % 1_600 == 0:
            agents.append(training.agent)
        if len(agents) == 3:
            break
    states = np.random.default_rng(0).uniform(-0.05, 0.05, (20, 4))
    alone = [loops._lengths(agent, states, 500).mean() for agent in agents]
    best, score = loops._best(agents, states)
    assert best is agents[np.argmax(alone)]
    assert score == max(alone)


def test_an_agent_whose_certificates_all_fail_is_not_a_solution(monkeypatch):
    """Bien que la moitié de leurs épisodes, et toutes leurs évaluations, atteignent 500."""

    def scripted(agent, states, limit, threshold=None):
        returns = np.full(len(states), 500.0)
        if len(states) == 100:
            returns[::2] = 449.0
        return returns

    monkeypatch.setattr(loops, "_lengths", scripted)
    assert unsolved(SMALL).agent.env_steps > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"config": None}, TypeError, "config doit .* None reçu"),
        ({"config": {"gamma": 0.9}}, TypeError, "config doit .* reçu"),
        ({"seed": -1}, ValueError, "seed doit .* -1 reçu"),
        ({"seed": 0.5}, TypeError, r"seed doit .* 0\.5 reçu"),
        ({"seed": True}, TypeError, "seed doit .* True reçu"),
        ({"seed": None}, TypeError, "seed doit .* None reçu"),
        ({"seed": [0, 1]}, TypeError, r"seed doit .* \[0, 1\] reçu"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        solve(**{"config": SMALL, "seed": 0, **arguments})


# Une évaluation abrégée


POLICIES = (push_by_angle, push_by_velocity, push_by_angle_and_velocity, lqr)
BEGINNINGS = Starts(list(range(20))).next(np.arange(20))
WHOLE = {policy: loops._lengths(policy, BEGINNINGS, 500) for policy in POLICIES}
THRESHOLDS = (1.0, 40.0, 100.0, 200.0, 475.0, 495.0, 500.0)


def abridged(policy, threshold):
    """Rend les retours de l'évaluation abrégée, et le nombre de pas qu'elle a joués."""
    asked = []

    def counted(observations):
        asked.append(len(observations))
        return policy(observations)

    return loops._lengths(counted, BEGINNINGS, 500, threshold), len(asked)


def turns_needed(whole, threshold):
    """Le premier pas où, ceux qui tiennent iraient-ils à 500, la moyenne serait trop basse."""
    for turn in range(1, 501):
        hopes = np.where(whole <= turn, whole, 500)
        if hopes.mean() < threshold or (whole <= turn).all():
            return turn
    return 500


@pytest.mark.parametrize("threshold", [*THRESHOLDS, "exact"])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_an_evaluation_cut_short_decides_as_a_whole_one(policy, threshold):
    whole = WHOLE[policy]
    threshold = whole.mean() if threshold == "exact" else threshold
    lengths, turns = abridged(policy, threshold)
    assert (lengths.mean() >= threshold) == (whole.mean() >= threshold)
    assert turns == turns_needed(whole, threshold)
    np.testing.assert_array_equal(lengths, np.minimum(whole, turns))


def test_some_of_these_evaluations_are_cut_and_others_are_not():
    kinds = {
        (bool(whole.mean() >= threshold), turns_needed(whole, threshold) < whole.max())
        for whole in WHOLE.values()
        for threshold in THRESHOLDS
    }
    assert {(True, False), (False, True)} <= kinds
    assert (True, True) not in kinds
