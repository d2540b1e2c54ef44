"""Les règles contre des tables calculées à la main, sur n'importe quels premiers axes."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import geom
from torch import tensor
from trainings import normal

from cartpole_helpers import double_td_target, epsilon_greedy, td_loss, td_target
from cartpole_helpers.dqn import FREE, held_epsilon_greedy

# Les cibles, sur trois lignes calculées à la main

REWARD = tensor([1.0, 10.0, -1.0])
TERMINATED = tensor([False, True, False])
NEXT_Q = tensor([[2.0, 3.0], [5.0, 7.0], [-4.0, -6.0]])
NEXT_Q_ONLINE = tensor([[9.0, 8.0], [1.0, 2.0], [0.0, 1.0]])
ACTION = tensor([0, 1, 0])


def test_the_targets_by_hand():
    """Le réseau en ligne choisit 0, 1, 1 ; le réseau cible en donne la valeur : 2, 7, −6."""
    plain = td_target(REWARD, TERMINATED, NEXT_Q, 0.5)
    assert plain.tolist() == [1 + 0.5 * 3, 10, -1 + 0.5 * -4]
    double = double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q, 0.5)
    assert double.tolist() == [1 + 0.5 * 2, 10, -1 + 0.5 * -6]
    everywhere = torch.zeros(3, dtype=torch.bool)
    assert td_target(REWARD, everywhere, NEXT_Q, 1).tolist() == [4, 17, -5]
    assert double_td_target(REWARD, ~everywhere, NEXT_Q, NEXT_Q, 1).tolist() == REWARD.tolist()


def test_gamma_may_be_one_number_per_transition():
    """Une fenêtre de k récompenses amorce avec γᵏ."""
    gamma = tensor([0.5, 0.25, 0.125])
    target = td_target(REWARD, TERMINATED, NEXT_Q, gamma)
    assert target.tolist() == [1 + 0.5 * 3, 10, -1 + 0.125 * -4]
    target = double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q, gamma)
    assert target.tolist() == [1 + 0.5 * 2, 10, -1 + 0.125 * -6]
    alike = td_target(REWARD, TERMINATED, NEXT_Q, tensor(0.5))
    assert torch.equal(alike, td_target(REWARD, TERMINATED, NEXT_Q, np.float32(0.5)))


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
    """Chaque agent a sa cible et sa perte, celles qu'il aurait seul."""
    reward, action = normal(*lead, 5, seed=1), (normal(*lead, 5, seed=2) > 0).long()
    terminated = normal(*lead, 5, seed=3) > 0
    q, next_q, online = (normal(*lead, 5, 2, seed=seed) for seed in (4, 5, 6))

    def ruled(*index):
        target = td_target(reward[index], terminated[index], next_q[index], 0.9)
        both = online[index], next_q[index]
        double = double_td_target(reward[index], terminated[index], *both, 0.9)
        return target, double, td_loss(q[index], action[index], target)

    target, double, loss = together = ruled()
    assert target.shape == double.shape == (*lead, 5)
    assert loss.shape == lead
    for index in np.ndindex(lead):
        for received, expected in zip(together, ruled(*index), strict=True):
            torch.testing.assert_close(received[index], expected)


def test_rules_keep_their_precision_and_leave_their_arguments_alone():
    for dtype in (torch.float32, torch.float64):
        reward, next_q, online = REWARD.to(dtype), NEXT_Q.to(dtype), NEXT_Q_ONLINE.to(dtype)
        given = [reward, TERMINATED, online, next_q, ACTION]
        before = [argument.clone() for argument in given]
        target = td_target(reward, TERMINATED, next_q, 0.9)
        assert target.dtype == dtype
        assert double_td_target(reward, TERMINATED, online, next_q, 0.9).dtype == dtype
        assert td_loss(next_q, ACTION, target).dtype == dtype
        assert all(map(torch.equal, given, before))


# La perte


def test_td_loss_by_hand_and_its_gradient():
    """Le gradient va à l'action prise, et non à la cible."""
    q = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    target = tensor([0.0, 6.0], requires_grad=True)
    loss = td_loss(q, tensor([1, 0]), target)
    assert loss.item() == ((2 - 0) ** 2 + (3 - 6) ** 2) / 2
    loss.backward()
    assert q.grad.tolist() == [[0, 2 * (2 - 0) / 2], [2 * (3 - 6) / 2, 0]]
    assert target.grad is None
    assert td_loss(q, tensor([1, 0], dtype=torch.int32), target).item() == loss.item()


# Les entrées refusées par les règles

UNIFORM = torch.rand(3, 2, generator=torch.Generator().manual_seed(0))
GOOD = {
    td_target: {"reward": REWARD, "terminated": TERMINATED, "next_q": NEXT_Q, "gamma": 0.9},
    double_td_target: {
        "reward": REWARD,
        "terminated": TERMINATED,
        "next_q_online": NEXT_Q_ONLINE,
        "next_q_target": NEXT_Q,
        "gamma": 0.9,
    },
    td_loss: {"q": NEXT_Q, "action": ACTION, "target": REWARD},
    epsilon_greedy: {"q": NEXT_Q, "epsilon": 0.1, "draws": UNIFORM},
}
NUMBERS = (math.nan, math.inf, 1j, True, "0,9", None, [0.9], 10**400)
KINDS = {"terminated": "de booléens", "action": "d'entiers"}


def assert_refused(rule, error, message, **wrong):
    with pytest.raises(error, match=message):
        rule(**GOOD[rule] | wrong)


@pytest.mark.parametrize("rule", GOOD, ids=lambda rule: rule.__name__)
def test_what_is_not_a_tensor_of_the_right_kind_is_refused_by_its_name(rule):
    """`~` et `masked_fill` d'un 0/1 entier ne font pas ce qu'on croit."""
    for name, tensor_given in GOOD[rule].items():
        if name in ("gamma", "epsilon"):
            continue
        kind = KINDS.get(name, "de nombres à virgule")
        for wrong in (tensor_given.tolist(), tensor_given.numpy(), 3.0, None):
            told = r"(\[.*|array.*|3\.0|None)"
            message = rf"^{name} doit être un tenseur {kind} : {told} reçu\.$"
            assert_refused(rule, TypeError, message, **{name: wrong})
        for dtype in (torch.uint8, torch.complex64, torch.float32, torch.bool):
            if dtype == tensor_given.dtype:
                continue
            message = rf"^{name} doit être un tenseur {kind} : {dtype} reçu\.$"
            assert_refused(rule, TypeError, message, **{name: tensor_given.to(dtype)})
        elsewhere = {name: tensor_given.to("meta")}
        assert_refused(rule, ValueError, "doit être sur (cpu|meta) : (cpu|meta) reçu", **elsewhere)


def test_a_number_that_is_not_one_is_refused_by_its_name():
    for number in NUMBERS:
        told = "(nan|inf|1j|True|'0,9'|None|.0.9.|10+)"
        for rule in (td_target, double_td_target):
            message = rf"^gamma doit être un nombre : {told} reçu\.$"
            assert_refused(rule, (TypeError, ValueError), message, gamma=number)
        message = rf"^epsilon doit être un nombre entre 0 et 1 : {told} reçu\.$"
        assert_refused(epsilon_greedy, (TypeError, ValueError), message, epsilon=number)
    for number in (-0.1, 1.1):
        assert_refused(epsilon_greedy, ValueError, f"^epsilon .* {number} reçu", epsilon=number)
    assert_refused(td_target, TypeError, "^gamma .*int64 reçu", gamma=tensor([1, 1, 1]))


def test_shapes_that_would_broadcast_are_refused():
    """(B, 1) contre (B,) : PyTorch en ferait sans un mot un tableau (B, B)."""
    for rule in (td_target, double_td_target):
        message = r"^les formes doivent être égales.* : reward .*, terminated .*, next_q.* reçu\.$"
        for wrong in (
            {"reward": REWARD[:, None]},
            {"terminated": TERMINATED[:, None]},
            {"reward": REWARD[:, None], "terminated": TERMINATED[:, None]},
            {"reward": tensor(1.0)},
            {"gamma": tensor([[0.9]] * 3)},
            {[*GOOD[rule]][2]: NEXT_Q[:1]},
            {[*GOOD[rule]][-2]: NEXT_Q[:1]},
        ):
            assert_refused(rule, ValueError, message, **wrong)
    told = r"^les formes doivent être égales.* : action .* reçu\.$"
    for action in (ACTION[:, None], ACTION[:2]):
        assert_refused(td_loss, ValueError, told, action=action)
    for target in (REWARD[:, None], REWARD[None], REWARD[:2]):
        assert_refused(td_loss, ValueError, told, target=target)
    for draws in (UNIFORM[0], torch.rand(3, 3), torch.rand(3, 1, 2)):
        assert_refused(epsilon_greedy, ValueError, r"^draws .*q \(3, 2\) reçu", draws=draws)


def test_values_without_their_axis_of_actions_are_refused():
    for rule in GOOD:
        for name in [name for name in GOOD[rule] if "q" in name]:
            told = rf"^{name} doit finir par un axe d'actions : forme \(.*\) reçue\.$"
            for q in (tensor(1.0), torch.zeros(3, 0)):
                wrong = {"action": tensor(0)} if rule is td_loss and not q.ndim else {}
                assert_refused(rule, ValueError, told, **{name: q}, **wrong)
    agents = {
        name: given[None] for name, given in GOOD[double_td_target].items() if name != "gamma"
    }
    agents |= {"next_q_online": torch.zeros(1, 3, 3)}
    assert_refused(double_td_target, ValueError, r"autant d'actions : \[3, 2\] reçu", **agents)
    for wrong in (2, -1):
        action = tensor([0, wrong, 0])
        told = f"^action doit être entre 0 et 1 : {wrong} reçu"
        assert_refused(td_loss, ValueError, told, action=action)


# L'exploration


def uniform_draws(*lead, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((*lead, 2)))


def test_the_two_draws_have_their_own_role():
    q = tensor([[0.0, 1.0]]).expand(4, 2)
    draws = tensor([[0.29, 0.1], [0.29, 0.9], [0.31, 0.1], [0.0, 0.499]])
    assert epsilon_greedy(q, 0.3, draws).tolist() == [0, 1, 1, 0]
    extremes = tensor([[0.0, 0.0], [0.0, np.nextafter(1, 0)]], dtype=torch.float64)
    chosen = epsilon_greedy(q[:2], 1, extremes)
    assert chosen.tolist() == [0, 1]
    assert chosen.dtype == torch.int64
    lowest = torch.zeros(4, 2)
    assert epsilon_greedy(q, 0.0, lowest).tolist() == [1] * 4  # à ε = 0, jamais au hasard


def test_frequencies():
    """Chaque action qui n'est pas la gloutonne sort avec la probabilité ε / A."""
    count = 20_000
    for epsilon, actions in [(0.1, 2), (0.5, 3), (1.0, 3)]:
        q = torch.zeros(count, actions)
        q[:, 1] = 1
        chosen = epsilon_greedy(q, epsilon, uniform_draws(count))
        share = epsilon / actions
        tolerance = 4 * (share * (1 - share) / count) ** 0.5
        frequencies = torch.bincount(chosen, minlength=actions) / count
        assert len(frequencies) == actions
        for action in set(range(actions)) - {1}:
            assert abs(frequencies[action] - share) < tolerance, (epsilon, action)


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


def assert_mean(per_cart, expected, case):
    """Compare une moyenne à sa valeur, à quatre erreurs types ; les chariots sont indépendants."""
    error = per_cart.std() / len(per_cart) ** 0.5
    assert error < 0.02, case
    assert abs(per_cart.mean() - expected) <= 4 * error, case


def test_holding_one_step_is_epsilon_greedy():
    """Quelle que soit l'action tenue : au pas suivant, elle ne l'est plus."""
    for epsilon, actions in [(0.0, 2), (0.3, 3), (1.0, 2)]:
        q, held = normal(50, 40, actions), torch.full((50, 40), FREE)
        for seed in range(3):
            draws = uniform_draws(50, 40, seed=seed)
            action, held = held_epsilon_greedy(q, epsilon, 1.0, draws, held)
            assert torch.equal(action, epsilon_greedy(q, epsilon, draws))
            assert torch.equal(held, torch.where(draws[..., 0] < epsilon, action, FREE))


def test_holding_by_hand():
    """Quatre pas en moyenne : on garde sous 3/4. ε = 1/2 : on commence une fois sur cinq."""
    cases = [  # (tenue, tirage, choix) → (action, tenue) ; la gloutonne est 2
        ((FREE, 0.19, 0.1), (0, 0)),
        ((FREE, 0.19, 0.9), (2, 2)),
        ((FREE, 0.21, 0.1), (2, FREE)),
        ((FREE, 0.74, 0.1), (2, FREE)),
        ((1, 0.0, 0.1), (1, 1)),
        ((0, 0.74, 0.9), (0, 0)),
        ((1, 0.75, 0.1), (0, 0)),
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


def test_epsilon_remains_the_share_of_random_steps_whatever_q():
    for epsilon, hold in [(0.05, 6.0), (0.3, 1.5), (0.9, 20.0)]:
        actions, holds = held_run(tensor([0.0, 1.0]).expand(400, 2), epsilon, hold, 500)
        settled = slice(100, None)  # au départ, rien n'est encore tenu
        case = (epsilon, hold)
        assert_mean((holds[settled] != FREE).double().mean(dim=0), epsilon, case)
        assert_mean((actions[settled] == 0).double().mean(dim=0), epsilon / 2, case)


def durations(holds):
    """Les durées, dans `holds` (T,), des tenues commencées et achevées."""
    changes = np.flatnonzero(np.diff(holds)) + 1
    lengths = np.diff(changes)
    return lengths[holds[changes[:-1]] != FREE]


def test_a_held_action_lasts_hold_steps_on_average():
    """Parmi cinq cents actions, deux de suite ne sont presque jamais la même."""
    for epsilon, hold in [(0.2, 8.0), (1.0, 2.5)]:
        _, holds = held_run(torch.zeros(40, 500), epsilon, hold, 800)
        lasted = np.concatenate([durations(column) for column in holds.T.numpy()])
        assert len(lasted) > 500
        assert abs(lasted.mean() - hold) <= 0.01 * hold + 4 * lasted.std() / len(lasted) ** 0.5
        for length in (1, 2, 5):
            share = geom(1 / hold).pmf(length)
            tolerance = 0.005 + 4 * (share * (1 - share) / len(lasted)) ** 0.5
            assert abs((lasted == length).mean() - share) <= tolerance, (hold, length)


def test_each_cart_holds_on_its_own():
    """Quelle que soit la forme, chaque case est ce qu'elle serait seule."""
    for lead, actions in [((), 2), ((7,), 3), ((2, 3, 4), 3)]:
        q, draws = normal(*lead, actions), uniform_draws(*lead)
        held = torch.from_numpy(np.random.default_rng(5).integers(FREE, actions, size=lead))
        given = [argument.clone() for argument in (q, draws, held)]
        action, after = held_epsilon_greedy(q, 0.4, 2.0, draws, held)
        assert action.shape == after.shape == lead
        for index in np.ndindex(lead):
            alone = held_epsilon_greedy(q[index], 0.4, 2.0, draws[index], held[index])
            assert (action[index], after[index]) == alone
        assert all(map(torch.equal, (q, draws, held), given))
