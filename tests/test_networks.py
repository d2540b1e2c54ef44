"""Les réseaux empilés et le pas d'Adam, contre `torch.nn` et `torch.optim`."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest, norm, uniform
from torch import nn, tensor
from trainings import normal

from cartpole_helpers import Config, td_loss
from cartpole_helpers.environments import Sizes
from cartpole_helpers.networks import StackedNetwork, adam_step, fixed_scale, initial_weights

SMALL = Config(hidden=(5, 3), warmup=64)
LAYERS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "silu": nn.SiLU, "tanh": nn.Tanh}

# Un pas d'Adam


def adam_state(weights):
    moments = {name: torch.zeros_like(weights) for name in ("exp_avg", "exp_avg_sq")}
    return {"step": torch.zeros(())} | moments


def gradients_of_every_size(shape, count, dtype=torch.float32):
    """Des gradients de 10⁻¹⁰ à 10³, des deux signes, et des zéros."""
    generator = np.random.default_rng(1)
    for _ in range(count):
        sizes = 10.0 ** generator.uniform(-10, 3, shape) * generator.choice([-1, 1], shape)
        sizes[generator.random(shape) < 0.1] = 0
        yield torch.from_numpy(sizes).to(dtype)


RATES = [1e-2, 1e-2, 3e-3, 0.5, 1e-4] * 6


def test_adam_step_is_that_of_torch():
    shape = (3, 35)
    weights = normal(*shape)
    parameter = nn.Parameter(weights.clone())
    optimiser = torch.optim.Adam([parameter], lr=1.0, fused=True)
    state = adam_state(weights)
    for rate, gradient in zip(RATES, gradients_of_every_size(shape, len(RATES)), strict=True):
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = gradient.clone()
        optimiser.step()
        adam_step(weights, gradient, state, rate)
        assert torch.equal(weights, parameter.data)
    expected = optimiser.state[parameter]
    assert state.keys() == expected.keys()
    for name, moment in state.items():
        assert torch.equal(moment, expected[name]), name


def test_adam_step_by_hand():
    """L'algorithme 1 de Kingma et Ba, recopié, en double précision."""
    weights = normal(4, 9).double()
    x, state = weights.numpy().copy(), adam_state(weights)
    first, second = np.zeros((4, 9)), np.zeros((4, 9))
    gradients = gradients_of_every_size((4, 9), len(RATES), torch.float64)
    for t, (rate, gradient) in enumerate(zip(RATES, gradients, strict=True), 1):
        g = gradient.numpy()
        first = 0.9 * first + 0.1 * g
        second = 0.999 * second + 0.001 * g**2
        x -= rate * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        adam_step(weights, gradient, state, rate)
        np.testing.assert_allclose(weights, x, rtol=1e-10, atol=1e-12)
    assert state["step"].item() == len(RATES)
    np.testing.assert_allclose(state["exp_avg"], first, rtol=1e-10)
    np.testing.assert_allclose(state["exp_avg_sq"], second, rtol=1e-10)


def test_adam_step_works_in_place_and_touches_nothing_else():
    weights, gradient = normal(2, 16), normal(2, 16, seed=1)
    state, given = adam_state(weights), gradient.clone()
    places = [tensor.data_ptr() for tensor in (weights, *state.values())]
    before = weights.clone()
    assert adam_step(weights, gradient, state, 0.0) is None
    assert torch.equal(weights, before)
    assert state["exp_avg"].all()
    assert adam_step(weights, gradient, state, 0.1) is None
    assert (weights != before).all()
    assert torch.equal(gradient, given)
    assert [tensor.data_ptr() for tensor in (weights, *state.values())] == places
    assert list(state) == ["step", "exp_avg", "exp_avg_sq"]
    assert weights.grad is None


# Les réseaux empilés, contre torch.nn


def twin_of(config, weights, row, *sizes):
    """Le même réseau en `torch.nn`, avec les poids de l'agent `row`."""
    modules = []
    for weight, bias in StackedNetwork(config, weights.detach(), *sizes).layers:
        linear = nn.Linear(*weight.shape[1:])
        linear.weight.data = weight[row].T.clone()
        linear.bias.data = bias[row].flatten().clone()
        modules += [linear, LAYERS[config.activation]()]
    return nn.Sequential(*modules[:-1])


def twin_values(config, twin, observations):
    if not config.mirror:
        return twin(observations)
    return torch.stack([twin(-observations)[..., -1], twin(observations)[..., -1]], dim=-1)


def ready_to_learn(config, seeds):
    weights = initial_weights(config, seeds)
    network = StackedNetwork(config, weights)
    return network, weights


@pytest.mark.parametrize(
    ("activation", "hidden", "mirror"),
    [
        ("relu", (), True),
        ("relu", (7,), False),
        ("leaky_relu", (32, 16, 8, 4, 8, 32), False),
        ("silu", (5, 3), True),
        ("tanh", (5, 3), True),
    ],
)
def test_the_network_equals_torch_nn_forward_backward_and_one_adam_step(activation, hidden, mirror):
    config = Config(hidden=hidden, activation=activation, mirror=mirror)
    network, weights = ready_to_learn(config, [3, 1, 2])
    twins = [twin_of(config, weights, row) for row in range(3)]
    observations, target, action = normal(3, 6, 4), normal(3, 6, seed=1), normal(3, 6, seed=2) > 0

    q = network.traced(observations)
    assert q.shape == (3, 6, 2)
    assert torch.equal(q, network(observations))
    weights.grad = network.backward(td_loss(q, action.long(), target))
    gradients = StackedNetwork(config, weights.grad).layers
    optimiser = torch.optim.Adam([weights], lr=0.01)
    optimiser.step()
    updated = StackedNetwork(config, weights.detach()).layers

    for row, twin in enumerate(twins):
        expected = twin_values(config, twin, observations[row])
        torch.testing.assert_close(q[row].detach(), expected.detach())
        taken = expected.gather(1, action[row].long()[:, None])[:, 0]
        nn.functional.mse_loss(taken, target[row]).backward()
        linears = [module for module in twin if isinstance(module, nn.Linear)]
        for linear, (weight, bias) in zip(linears, gradients, strict=True):
            torch.testing.assert_close(weight[row].T, linear.weight.grad)
            torch.testing.assert_close(bias[row].flatten(), linear.bias.grad)
        torch.optim.Adam(twin.parameters(), lr=0.01).step()
        for linear, (weight, bias) in zip(linears, updated, strict=True):
            # Le premier pas d'Adam est lr·signe(g) : là où g est presque nul, il n'est pas défini.
            sure = linear.weight.grad.abs() > 1e-6
            torch.testing.assert_close(weight[row].T[sure], linear.weight.data[sure])
            sure = linear.bias.grad.abs() > 1e-6
            torch.testing.assert_close(bias[row].flatten()[sure], linear.bias.data[sure])


def test_a_network_has_the_sizes_and_the_scale_of_its_game():
    sizes, scale = Sizes(observation=6, actions=3), normal(2, 1, 6).abs()
    weights, observations = initial_weights(SMALL, [3, 1], sizes), normal(2, 9, 6)
    q = StackedNetwork(SMALL, weights, sizes, scale)(observations)
    assert q.shape == (2, 9, 3)
    for row in range(2):
        expected = twin_of(SMALL, weights, row, sizes)(observations[row] * scale[row])
        torch.testing.assert_close(q[row].detach(), expected.detach())


def test_the_outputs_of_its_hidden_layers_are_those_of_torch_nn():
    weights, observations = initial_weights(SMALL, [3, 1]), normal(2, 9, 4)
    first, last = StackedNetwork(SMALL, weights).hidden_outputs(observations)
    twin = twin_of(SMALL, weights, 1)
    torch.testing.assert_close(first[1], twin[:2](observations[1]))
    torch.testing.assert_close(last[1], twin[:4](observations[1]))


def test_the_mirrored_network_swaps_its_actions():
    for mirror in (False, True):
        config = Config(activation="silu", mirror=mirror, hidden=(16, 16))
        network = StackedNetwork(config, initial_weights(config, [0, 1]))
        observations = normal(2, 50, 4)
        q = network(observations)
        swapped = torch.allclose(network(-observations), q.flip(-1), rtol=1e-4, atol=1e-6)
        assert swapped == mirror
        assert not torch.allclose(q[..., 0], q[..., 1])


def test_input_scale_multiplies_each_component():
    auto = StackedNetwork(replace(SMALL, input_scale="auto"), initial_weights(SMALL, [0]))
    assert auto.scale is None  # à mesurer
    with pytest.raises(
        ValueError, match=r"input_scale doit donner 6 facteurs.* \(1\.0, 2\.0\) reçu"
    ):
        fixed_scale(replace(SMALL, input_scale=(1.0, 2.0)), Sizes(6, 3), "cpu")
    for mirror in (False, True):
        plain = replace(SMALL, mirror=mirror)
        scaled = replace(plain, input_scale=(2.0, 0.5, 10.0, 1.0))
        weights, observations = initial_weights(plain, [0, 1]), normal(2, 50, 4)
        assert torch.equal(initial_weights(scaled, [0, 1]), weights)
        expected = StackedNetwork(plain, weights)(observations * tensor([2.0, 0.5, 10.0, 1.0]))
        torch.testing.assert_close(StackedNetwork(scaled, weights)(observations), expected)


# Les poids de départ


def test_uniform_weights_are_those_of_torch_nn_linear():
    config = Config(hidden=(64, 100))
    torch.manual_seed(0)
    for weight, bias in StackedNetwork(config, initial_weights(config, [0])).layers:
        inputs = weight.shape[1]
        limit = 1 / inputs**0.5
        linear = nn.Linear(inputs, 4_000)
        for drawn in (weight.flatten(), bias.flatten()):
            assert drawn.abs().max() <= limit
            assert drawn.abs().max() > limit * (1 - 10 / drawn.numel())
            assert kstest(drawn, uniform(-limit, 2 * limit).cdf).pvalue > 1e-3
            assert ks_2samp(drawn, linear.weight.detach().flatten()[:10_000]).pvalue > 1e-3


def test_xavier_weights_are_normal_and_their_biases_zero():
    config = Config(hidden=(64, 100), initialisation="xavier_normal")
    for weight, bias in StackedNetwork(config, initial_weights(config, [0])).layers:
        deviation = (2 / sum(weight.shape[1:])) ** 0.5
        assert kstest(weight.flatten(), norm(0, deviation).cdf).pvalue > 1e-3
        assert not bias.any()


def test_a_row_of_weights_depends_on_its_seed_only_and_no_layer_shares_them():
    for initialisation in ("uniform", "xavier_normal"):
        config = replace(SMALL, initialisation=initialisation)
        among, alone = initial_weights(config, [3, 4, 5]), initial_weights(config, [4])
        assert among.dtype == torch.float32
        assert torch.equal(among[1], alone[0])
        used = among != 0
        for first, second in [(0, 1), (1, 2), (0, 2)]:
            assert (among[first] != among[second])[used[first]].all()
    weights = initial_weights(Config(hidden=(20, 20)), [0]).flatten()
    drawn = weights[weights != 0]
    assert len(weights) == 576  # 562 poids, arrondis au multiple de 16
    assert len(drawn.unique()) == len(drawn) == 5 * 20 + 21 * 20 + 21 * 2
