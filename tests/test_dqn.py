"""Les règles contre des tables calculées à la main, sur n'importe quels premiers axes."""

import numpy as np
import pytest
import torch
from scipy.stats import geom
from torch import tensor
from trainings import normal

from cartpole_helpers import double_td_target, epsilon_greedy, td_loss, td_target
from cartpole_helpers.dqn import FREE, held_epsilon_greedy

# Les cibles, sur deux lignes calculées à la main

REWARD = tensor([1.0, 10.0, -1.0])
TERMINATED = tensor([False, True, False])
NEXT_Q = tensor([[2.0, 3.0], [5.0, 7.0], [-4.0, -6.0]])
NEXT_Q_ONLINE = tensor([[9.0, 8.0], [1.0, 2.0], [0.0, 1.0]])


def test_td_target_by_hand():
    target = td_target(REWARD, TERMINATED, NEXT_Q, 0.5)
    assert target.tolist() == [1 + 0.5 * 3, 10, -1 + 0.5 * -4]


def test_double_td_target_by_hand():
    """Le réseau en ligne choisit 0, 1, 1 ; le réseau cible en donne la valeur : 2, 7, −6."""
    target = double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q, 0.5)
    assert target.tolist() == [1 + 0.5 * 2, 10, -1 + 0.5 * -6]


@pytest.mark.parametrize("gamma", [0.0, 0.9, 1.0])
def test_double_target_with_one_network_is_the_plain_target(gamma):
    torch.testing.assert_close(
        double_td_target(REWARD, TERMINATED, NEXT_Q, NEXT_Q, gamma),
        td_target(REWARD, TERMINATED, NEXT_Q, gamma),
        rtol=0,
        atol=0,
    )


def test_gamma_may_be_one_number_per_transition():
    """Une fenêtre de k récompenses amorce avec γᵏ."""
    gamma = tensor([0.5, 0.25, 0.125])
    target = td_target(REWARD, TERMINATED, NEXT_Q, gamma)
    assert target.tolist() == [1 + 0.5 * 3, 10, -1 + 0.125 * -4]
    target = double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q, gamma)
    assert target.tolist() == [1 + 0.5 * 2, 10, -1 + 0.125 * -6]
    with pytest.raises(ValueError, match=r"gamma \(3, 1\) reçu"):
        td_target(REWARD, TERMINATED, NEXT_Q, gamma[:, None])


def test_targets_bootstrap_everywhere_except_at_terminations():
    everywhere = torch.zeros(3, dtype=torch.bool)
    assert td_target(REWARD, everywhere, NEXT_Q, 1.0).tolist() == [4, 17, -5]
    assert td_target(REWARD, ~everywhere, NEXT_Q, 1.0).tolist() == REWARD.tolist()


def test_targets_do_not_detach():
    """La règle est pure : c'est `td_loss` qui arrête le gradient, et le carnet 04 le montre."""
    next_q = NEXT_Q.clone().requires_grad_()
    td_target(REWARD, TERMINATED, next_q, 0.5).sum().backward()
    assert next_q.grad.tolist() == [[0, 0.5], [0, 0], [0.5, 0]]
    next_q.grad = None
    double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, next_q, 0.5).sum().backward()
    assert next_q.grad.tolist() == [[0.5, 0], [0, 0], [0, 0.5]]


@pytest.mark.parametrize("lead", [(2,), (2, 3)])
def test_extra_leading_axes_change_nothing(lead):
    reward, action = normal(*lead, 5, seed=1), normal(*lead, 5, seed=2) > 0
    terminated = normal(*lead, 5, seed=3) > 0
    q, next_q, online = (normal(*lead, 5, 2, seed=seed) for seed in (4, 5, 6))
    target = td_target(reward, terminated, next_q, 0.9)
    double = double_td_target(reward, terminated, online, next_q, 0.9)
    loss = td_loss(q, action.long(), target)
    assert target.shape == double.shape == (*lead, 5)
    assert loss.shape == lead
    for index in np.ndindex(lead):
        one = td_target(reward[index], terminated[index], next_q[index], 0.9)
        assert torch.equal(target[index], one)
        one = double_td_target(reward[index], terminated[index], online[index], next_q[index], 0.9)
        assert torch.equal(double[index], one)
        one = td_loss(q[index], action[index].long(), target[index])
        torch.testing.assert_close(loss[index], one)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rules_keep_the_precision_they_are_given(dtype):
    reward, next_q, online = REWARD.to(dtype), NEXT_Q.to(dtype), NEXT_Q_ONLINE.to(dtype)
    target = td_target(reward, TERMINATED, next_q, 0.9)
    assert target.dtype == dtype
    assert double_td_target(reward, TERMINATED, online, next_q, 0.9).dtype == dtype
    assert td_loss(next_q, tensor([0, 1, 0]), target).dtype == dtype


def test_rules_leave_their_arguments_alone():
    arguments = [REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q]
    before = [argument.clone() for argument in arguments]
    td_target(REWARD, TERMINATED, NEXT_Q, 0.5)
    double_td_target(*arguments, 0.5)
    td_loss(NEXT_Q, tensor([0, 1, 0]), REWARD)
    for argument, copy in zip(arguments, before, strict=True):
        assert torch.equal(argument, copy)


# La perte


def test_td_loss_by_hand():
    q, action, target = tensor([[1.0, 2.0], [3.0, 4.0]]), tensor([1, 0]), tensor([0.0, 6.0])
    assert td_loss(q, action, target).item() == ((2 - 0) ** 2 + (3 - 6) ** 2) / 2


def test_td_loss_sends_its_gradient_to_the_action_taken_and_not_to_the_target():
    q = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    target = tensor([0.0, 6.0], requires_grad=True)
    td_loss(q, tensor([1, 0]), target).backward()
    assert q.grad.tolist() == [[0, 2 * (2 - 0) / 2], [2 * (3 - 6) / 2, 0]]
    assert target.grad is None


def test_td_loss_gives_each_agent_its_own():
    q, target = torch.zeros(3, 4, 2), tensor([1.0, 2.0, 3.0])[:, None].expand(3, 4)
    action = torch.zeros(3, 4, dtype=torch.int64)
    assert td_loss(q, action, target).tolist() == [1, 4, 9]


# Les entrées refusées par les règles


@pytest.mark.parametrize(
    "wrong",
    [
        {"reward": REWARD[:, None]},
        {"terminated": TERMINATED[:, None]},
        {"reward": REWARD[:, None], "terminated": TERMINATED[:, None]},
        {"reward": REWARD[:1]},
        {"reward": tensor(1.0)},
        {"next_q": NEXT_Q[:1]},
    ],
)
def test_shapes_that_would_broadcast_are_refused_by_the_targets(wrong):
    plain = {"reward": REWARD, "terminated": TERMINATED, "next_q": NEXT_Q, **wrong}
    with pytest.raises(ValueError, match=r"doi(t|vent) .*reward .*terminated .*reçu"):
        td_target(**plain, gamma=0.9)
    next_q = plain.pop("next_q")
    for first, second in [(next_q, NEXT_Q), (NEXT_Q, next_q), (next_q, next_q)]:
        if "next_q" in wrong or first is second:
            with pytest.raises(ValueError, match=r"doi(t|vent) .* reçu"):
                double_td_target(**plain, next_q_online=first, next_q_target=second, gamma=0.9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_terminated_must_be_boolean(dtype):
    """`~` et `masked_fill` d'un 0/1 entier ne font pas ce qu'on croit."""
    with pytest.raises(TypeError, match=rf"terminated doit .*{dtype} reçu"):
        td_target(REWARD, TERMINATED.to(dtype), NEXT_Q, 0.9)
    with pytest.raises(TypeError, match=rf"terminated doit .*{dtype} reçu"):
        double_td_target(REWARD, TERMINATED.to(dtype), NEXT_Q, NEXT_Q, 0.9)


@pytest.mark.parametrize(
    ("action", "target"),
    [
        (tensor([[0], [1], [0]]), REWARD),
        (tensor([0, 1, 0]), REWARD[:, None]),
        (tensor([0, 1, 0]), REWARD[None]),
        (tensor([0, 1]), REWARD),
        (tensor([0, 1, 0]), REWARD[:2]),
    ],
)
def test_shapes_that_would_broadcast_are_refused_by_the_loss(action, target):
    with pytest.raises(ValueError, match=r"doi(t|vent) .*action .*reçu"):
        td_loss(NEXT_Q, action, target)


def test_the_loss_refuses_actions_that_are_not_integers():
    with pytest.raises(TypeError, match=r"action doit .*float32 reçu"):
        td_loss(NEXT_Q, tensor([0.0, 1.0, 0.0]), REWARD)


# L'exploration


def uniform_draws(*lead, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((*lead, 2)))


def test_epsilon_zero_is_greedy():
    q = normal(2_000, 2)
    action = epsilon_greedy(q, 0.0, uniform_draws(2_000))
    assert torch.equal(action, q.argmax(dim=-1))
    assert action.dtype == torch.int64
    lowest_draws = torch.zeros(2_000, 2)
    assert torch.equal(epsilon_greedy(q, 0.0, lowest_draws), q.argmax(dim=-1))


def test_epsilon_one_forgets_q():
    draws = uniform_draws(2_000)
    preferring_left, preferring_right = tensor([9.0, 0.0]), tensor([0.0, 9.0])
    left = epsilon_greedy(preferring_left.expand(2_000, 2), 1.0, draws)
    right = epsilon_greedy(preferring_right.expand(2_000, 2), 1.0, draws)
    assert torch.equal(left, right)
    assert abs(left.double().mean() - 0.5) < 4 * 0.5 / 2_000**0.5


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("actions", [2, 3])
def test_frequencies(epsilon, actions):
    """Chaque action qui n'est pas la gloutonne sort avec la probabilité ε / A."""
    count = 20_000
    q = torch.zeros(count, actions)
    q[:, 1] = 1
    chosen = epsilon_greedy(q, epsilon, uniform_draws(count))
    share = epsilon / actions
    tolerance = 4 * (share * (1 - share) / count) ** 0.5
    frequencies = torch.bincount(chosen, minlength=actions) / count
    assert len(frequencies) == actions
    for action in set(range(actions)) - {1}:
        assert abs(frequencies[action] - share) < tolerance


def test_the_two_draws_have_their_own_role():
    q = tensor([[0.0, 1.0]]).expand(4, 2)
    draws = tensor([[0.29, 0.1], [0.29, 0.9], [0.31, 0.1], [0.0, 0.499]])
    assert epsilon_greedy(q, 0.3, draws).tolist() == [0, 1, 1, 0]
    extremes = tensor([[0.0, 0.0], [0.0, np.nextafter(1, 0)]], dtype=torch.float64)
    assert epsilon_greedy(q[:2], 1.0, extremes).tolist() == [0, 1]


# L'exploration tenue


def held_run(q, epsilon, hold, steps, seed=0):
    """Joue `steps` pas sur les Q fixes `q` (N, A) ; rend actions et tenues, (steps, N)."""
    generator = np.random.default_rng(seed)
    held, played = torch.full(q.shape[:-1], FREE), []
    for _ in range(steps):
        draws = torch.from_numpy(generator.random((*q.shape[:-1], 2)))
        action, held = held_epsilon_greedy(q, epsilon, hold, draws, held)
        played.append((action, held))
    actions, holds = zip(*played, strict=True)
    return torch.stack(actions), torch.stack(holds)


def assert_mean(per_cart, expected):
    """Compare une moyenne à sa valeur, à quatre erreurs types ; les chariots sont indépendants."""
    error = per_cart.std() / len(per_cart) ** 0.5
    assert error < 0.02
    assert abs(per_cart.mean() - expected) <= 4 * error


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("actions", [2, 3])
def test_holding_one_step_is_epsilon_greedy(epsilon, actions):
    """Quelle que soit l'action tenue : au pas suivant, elle ne l'est plus."""
    q, held = normal(50, 40, actions), torch.full((50, 40), FREE)
    for seed in range(5):
        draws = uniform_draws(50, 40, seed=seed)
        action, held = held_epsilon_greedy(q, epsilon, 1.0, draws, held)
        assert torch.equal(action, epsilon_greedy(q, epsilon, draws))
        explored = draws[..., 0] < epsilon
        assert torch.equal(held, torch.where(explored, action, FREE))


def test_holding_by_hand():
    """Quatre pas en moyenne : on garde sous 3/4. ε = 1/2 : on commence une fois sur cinq."""
    cases = [  # (tenue, tirage, choix) → (action, tenue) ; la gloutonne est 2
        ((FREE, 0.19, 0.1), (0, 0)),
        ((FREE, 0.19, 0.9), (2, 2)),
        ((FREE, 0.21, 0.1), (2, FREE)),
        ((FREE, 0.74, 0.1), (2, FREE)),
        ((1, 0.0, 0.1), (1, 1)),
        ((0, 0.74, 0.9), (0, 0)),
        ((1, 0.75 + 0.19 / 4, 0.1), (0, 0)),
        ((1, 0.75 + 0.19 / 4, 0.5), (1, 1)),
        ((1, 0.75 + 0.21 / 4, 0.1), (2, FREE)),
        ((1, 0.999, 0.1), (2, FREE)),
    ]
    given, expected = zip(*cases, strict=True)
    held, explore, choice = map(tensor, zip(*given, strict=True))
    q = tensor([0.0, 1.0, 2.0]).expand(len(cases), 3)
    received = held_epsilon_greedy(q, 0.5, 4.0, torch.stack([explore, choice], dim=-1), held)
    assert torch.stack(received, dim=-1).tolist() == [list(pair) for pair in expected]


@pytest.mark.parametrize("epsilon", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("hold", [1.0, 1.5, 6.0, 20.0])
def test_epsilon_remains_the_share_of_random_steps(epsilon, hold):
    q = tensor([0.0, 1.0]).expand(400, 2)
    actions, holds = held_run(q, epsilon, hold, 500)
    settled = slice(100, None)  # au départ, rien n'est encore tenu
    assert_mean((holds[settled] != FREE).double().mean(dim=0), epsilon)
    assert_mean((actions[settled] == 0).double().mean(dim=0), epsilon / 2)


def durations(holds):
    """Les durées, dans `holds` (T,), des tenues commencées et achevées."""
    changes = np.flatnonzero(np.diff(holds)) + 1
    lengths = np.diff(changes)
    return lengths[holds[changes[:-1]] != FREE]


@pytest.mark.parametrize("epsilon", [0.2, 1.0])
@pytest.mark.parametrize("hold", [1.0, 2.5, 8.0])
def test_a_held_action_lasts_hold_steps_on_average(epsilon, hold):
    """Parmi cinq cents actions, deux de suite ne sont presque jamais la même."""
    _, holds = held_run(torch.zeros(40, 500), epsilon, hold, 800)
    lasted = np.concatenate([durations(column) for column in holds.T.numpy()])
    assert len(lasted) > 500
    assert abs(lasted.mean() - hold) <= 0.01 * hold + 4 * lasted.std() / len(lasted) ** 0.5
    for length in (1, 2, 5):
        share = geom(1 / hold).pmf(length)
        tolerance = 0.005 + 4 * (share * (1 - share) / len(lasted)) ** 0.5
        assert abs((lasted == length).mean() - share) <= tolerance


@pytest.mark.parametrize("hold", [1.0, 4.0])
@pytest.mark.parametrize("actions", [2, 3])
def test_held_actions_are_equally_likely_whatever_q(hold, actions):
    _, holds = held_run(torch.arange(float(actions)).expand(400, actions), 0.5, hold, 400)
    for action in range(actions):
        drawn = (holds == action).double().sum(dim=0) / (holds != FREE).double().sum(dim=0)
        assert_mean(drawn, 1 / actions)


@pytest.mark.parametrize("lead", [(), (7,), (3, 5), (2, 3, 4)])
@pytest.mark.parametrize("actions", [2, 3])
def test_each_cart_holds_on_its_own(lead, actions):
    """Quelle que soit la forme, chaque case est ce qu'elle serait seule."""
    q, draws = normal(*lead, actions), uniform_draws(*lead)
    held = torch.from_numpy(np.random.default_rng(5).integers(FREE, actions, size=lead))
    given = [argument.clone() for argument in (q, draws, held)]
    action, after = held_epsilon_greedy(q, 0.4, 2.0, draws, held)
    assert action.shape == after.shape == lead
    for index in np.ndindex(lead):
        alone = held_epsilon_greedy(q[index], 0.4, 2.0, draws[index], held[index])
        assert (action[index], after[index]) == alone
    for argument, copy in zip((q, draws, held), given, strict=True):
        assert torch.equal(argument, copy)
