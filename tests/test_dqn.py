"""Les règles contre des tables calculées à la main, sur n'importe quels premiers axes."""

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
    """Le réseau principal choisit 0, 1, 1 ; le réseau cible en donne la valeur : 2, 7, −6.

    Une fenêtre de k récompenses amorce avec γᵏ : γ peut être un nombre par transition.
    """
    for gamma, first, last in [(0.5, 0.5, 0.5), (tensor([0.5, 0.25, 0.125]), 0.5, 0.125)]:
        plain = td_target(REWARD, TERMINATED, NEXT_Q, gamma)
        assert plain.tolist() == [1 + first * 3, 10, -1 + last * -4]
        double = double_td_target(REWARD, TERMINATED, NEXT_Q_ONLINE, NEXT_Q, gamma)
        assert double.tolist() == [1 + first * 2, 10, -1 + last * -6]
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extra_leading_axes_change_nothing(dtype):
    """Chaque agent a sa cible et sa perte, celles qu'il aurait seul ; rien n'est récrit."""
    lead = (2, 3)
    q, next_q, online = (normal(*lead, 5, 2, seed=seed).to(dtype) for seed in (4, 5, 6))
    reward, action = normal(*lead, 5, seed=1).to(dtype), (normal(*lead, 5, seed=2) > 0).long()
    terminated = normal(*lead, 5, seed=3) > 0
    given = (reward, terminated, next_q, online, q, action)
    before = [argument.clone() for argument in given]

    def ruled(reward, terminated, next_q, online, q, action):
        target = td_target(reward, terminated, next_q, 0.9)
        double = double_td_target(reward, terminated, online, next_q, 0.9)
        return target, double, td_loss(q, action, target)

    together = ruled(*given)
    assert [one.shape for one in together] == [(*lead, 5), (*lead, 5), lead]
    assert {one.dtype for one in together} == {dtype}
    for index in np.ndindex(lead):
        for received, expected in zip(together, ruled(*(x[index] for x in given)), strict=True):
            torch.testing.assert_close(received[index], expected)
    assert all(map(torch.equal, given, before))


# Les entrées refusées par les règles

UNIFORM = torch.rand(3, 2, generator=torch.Generator().manual_seed(0))
BOTH = {"next_q_online": NEXT_Q_ONLINE, "next_q_target": NEXT_Q}
STEP = {"reward": REWARD, "terminated": TERMINATED}
GOOD = {
    td_target: {**STEP, "next_q": NEXT_Q, "gamma": 0.9},
    double_td_target: {**STEP, **BOTH, "gamma": 0.9},
    td_loss: {"q": NEXT_Q, "action": ACTION, "target": REWARD},
    epsilon_greedy: {"q": NEXT_Q, "epsilon": 0.1, "draws": UNIFORM},
}
KINDS = {"terminated": "de booléens", "action": "d'entiers"}


def assert_refused(rule, message, **wrong):
    with pytest.raises((TypeError, ValueError), match=message):
        rule(**GOOD[rule] | wrong)


def test_what_is_not_a_tensor_of_the_right_kind_is_refused_by_its_name():
    """`~` et `masked_fill` d'un 0/1 entier ne font pas ce qu'on croit."""
    for rule, arguments in GOOD.items():
        for name in arguments.keys() - {"gamma", "epsilon"}:
            told = rf"^{name} doit être un tenseur {KINDS.get(name, 'de nombres à virgule')} : "
            assert_refused(rule, told + r"array.* reçu\.$", **{name: arguments[name].numpy()})
            assert_refused(rule, told + r"torch\.uint8 reçu", **{name: arguments[name].byte()})
            told = "doit être sur (cpu|meta) : (cpu|meta) reçu"
            assert_refused(rule, told, **{name: arguments[name].to("meta")})


def test_a_number_that_is_not_one_is_refused_by_its_name():
    for rule in (td_target, double_td_target):
        for number in (np.inf, "0,9", None):
            assert_refused(rule, f"^gamma doit être un nombre : {number!r} reçu", gamma=number)
    assert_refused(td_target, "^gamma .*int64 reçu", gamma=tensor([1, 1, 1]))
    for number in (None, -0.1, 1.1):
        told = f"^epsilon doit être un nombre entre 0 et 1 : {number} reçu"
        assert_refused(epsilon_greedy, told, epsilon=number)


def test_shapes_that_would_broadcast_are_refused():
    """(B, 1) contre (B,) : PyTorch en ferait sans un mot un tableau (B, B)."""
    told = r"^les formes doivent être égales.* : reward .*, terminated .*, next_q.* reçu\.$"
    for rule in (td_target, double_td_target):
        for wrong in (
            {"reward": REWARD[:, None]},
            {"terminated": TERMINATED[:, None]},
            {"gamma": tensor([[0.9]] * 3)},
            {[*GOOD[rule]][2]: NEXT_Q[:1]},
            {[*GOOD[rule]][-2]: NEXT_Q[:1]},
        ):
            assert_refused(rule, told, **wrong)
    told = r"^les formes doivent être égales.* : action .* reçu\.$"
    for wrong in ({"action": ACTION[:, None]}, {"target": REWARD[:, None]}):
        assert_refused(td_loss, told, **wrong)
    assert_refused(epsilon_greedy, r"^draws .*\(3, 2\) reçu", draws=torch.rand(3, 3))


def test_values_without_their_axis_of_actions_are_refused():
    for rule, arguments in GOOD.items():
        for name in [name for name in arguments if "q" in name]:
            told = rf"^{name} doit finir par un axe d'actions : forme \(3, 0\) reçue\.$"
            assert_refused(rule, told, **{name: torch.zeros(3, 0)})
    assert_refused(td_loss, r"forme \(\) reçue", q=tensor(1.0), action=tensor(0))
    told, three = r"autant d'actions : \[3, 2\] reçu", torch.zeros(3, 3)
    assert_refused(double_td_target, told, next_q_online=three)
    for wrong in (2, -1):
        told = f"^action doit être entre 0 et 1 : {wrong} reçu"
        assert_refused(td_loss, told, action=tensor([0, wrong, 0]))


# L'exploration


def uniform_draws(*lead, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((*lead, 2)))


def test_the_two_draws_have_their_own_role():
    q = tensor([[0.0, 1.0]]).expand(4, 2)
    draws = tensor([[0.29, 0.1], [0.29, 0.9], [0.31, 0.1], [0.0, 0.499]])
    assert epsilon_greedy(q, 0.3, draws).tolist() == [0, 1, 1, 0]
    extremes = tensor([[0.0, 0.0], [0.0, np.nextafter(1, 0)]], dtype=torch.float64)
    assert epsilon_greedy(q[:2], 1, extremes).tolist() == [0, 1]
    assert epsilon_greedy(q, 0.0, torch.zeros(4, 2)).tolist() == [1] * 4  # jamais au hasard


# Les actions prolongées


def test_holding_one_step_is_epsilon_greedy():
    """Quelle que soit l'action prolongée : au pas suivant, elle ne l'est plus."""
    for epsilon, actions in [(0.0, 2), (0.3, 3), (1.0, 2)]:
        q, held = normal(50, 40, actions), torch.full((50, 40), FREE)
        for seed in range(3):
            draws = uniform_draws(50, 40, seed=seed)
            action, held = held_epsilon_greedy(q, epsilon, 1.0, draws, held)
            assert torch.equal(action, epsilon_greedy(q, epsilon, draws))
            assert torch.equal(held, torch.where(draws[..., 0] < epsilon, action, FREE))


def test_holding_by_hand():
    """Quatre pas en moyenne : on garde sous 3/4. ε = 1/2 : on commence une fois sur cinq."""
    cases = [  # (prolongée, tirage, choix) → (action, prolongée) ; la gloutonne est 2
        ((FREE, 0.19, 0.1), (0, 0)),
        ((FREE, 0.19, 0.9), (2, 2)),
        ((FREE, 0.21, 0.1), (2, FREE)),
        ((FREE, 0.74, 0.1), (2, FREE)),
        ((1, 0.0, 0.1), (1, 1)),
        ((0, 0.74, 0.9), (0, 0)),
        ((1, 0.75, 0.1), (0, 0)),
        ((1, 0.75 + 0.19 / 4, 0.5), (1, 1)),
        ((1, 0.75 + 0.21 / 4, 0.1), (2, FREE)),
    ]
    given, expected = zip(*cases, strict=True)
    held, explore, choice = map(tensor, zip(*given, strict=True))
    q = tensor([0.0, 1.0, 2.0]).expand(len(cases), 3)
    received = held_epsilon_greedy(q, 0.5, 4.0, torch.stack([explore, choice], dim=-1), held)
    assert torch.stack(received, dim=-1).tolist() == [list(pair) for pair in expected]


def test_epsilon_remains_the_share_of_random_steps_and_hold_their_mean_duration():
    """Parmi mille actions, deux prolongées de suite ne sont presque jamais la même."""
    epsilon, hold, carts = 0.3, 4.0, 200
    q, generator = torch.zeros(carts, 1_000), np.random.default_rng(0)
    held, after = [], torch.full((carts,), FREE)
    for _ in range(600):
        draws = torch.from_numpy(generator.random((carts, 2)))
        after = held_epsilon_greedy(q, epsilon, hold, draws, after)[1]
        held.append(after.numpy())
    shares = (np.array(held)[100:] != FREE).mean(axis=0)  # au départ, rien n'est encore tenu
    assert abs(shares.mean() - epsilon) <= 4 * shares.std() / carts**0.5 < 0.02
    lasted = []
    for cart in np.transpose(held):
        changes = np.flatnonzero(np.diff(cart)) + 1
        lasted += np.diff(changes)[cart[changes[:-1]] != FREE].tolist()
    assert np.mean(lasted) == pytest.approx(hold, rel=0.05)
    for length in (1, 2, 5):
        assert abs(np.mean(np.equal(lasted, length)) - geom(1 / hold).pmf(length)) < 0.02
