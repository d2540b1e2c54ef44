"""Les réseaux empilés et le pas d'Adam, contre `torch.nn` et `torch.optim`."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp, kstest, norm
from torch import nn, tensor
from trainings import normal

from cartpole_helpers import Config, td_loss
from cartpole_helpers.environments import Sizes
from cartpole_helpers.networks import StackedNetwork, adam_step, fixed_scale, initial_weights

SMALL = Config(hidden=(5, 3), warmup=64)
LAYERS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "silu": nn.SiLU, "tanh": nn.Tanh}

# Un pas d'Adam


def test_adam_step_is_that_of_torch():
    """Au bit près, sur place, de 10⁻¹⁰ à 10³, des deux signes, et sur des zéros."""
    weights, generator = normal(3, 35), np.random.default_rng(1)
    parameter = nn.Parameter(weights.clone())
    optimiser = torch.optim.Adam([parameter], lr=1.0, fused=True)
    moments = {name: torch.zeros_like(weights) for name in ("exp_avg", "exp_avg_sq")}
    state = {"step": torch.zeros(())} | moments
    places = [tensor.data_ptr() for tensor in (weights, *state.values())]
    for rate in [1e-2, 1e-2, 3e-3, 0.5, 1e-4] * 6:
        sizes = 10.0 ** generator.uniform(-10, 3, (3, 35)) * generator.choice([-1, 0, 1], (3, 35))
        gradient = torch.from_numpy(sizes).float()
        optimiser.param_groups[0]["lr"] = rate
        parameter.grad = gradient.clone()
        optimiser.step()
        adam_step(weights, gradient, state, rate)
        assert torch.equal(weights, parameter.data)
        assert torch.equal(gradient, parameter.grad)
    expected = optimiser.state[parameter]
    assert state.keys() == expected.keys()
    for name, moment in state.items():
        assert torch.equal(moment, expected[name]), name
    assert [tensor.data_ptr() for tensor in (weights, *state.values())] == places
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
    weights = initial_weights(config, [3, 1, 2])
    network = StackedNetwork(config, weights)
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
    network = StackedNetwork(SMALL, weights, sizes, scale)
    q, (first, last) = network(observations), network.hidden_outputs(observations)
    assert q.shape == (2, 9, 3)
    for row in range(2):
        twin = twin_of(SMALL, weights, row, sizes)
        for received, stop in [(first, 2), (last, 4), (q, 5)]:
            expected = twin[:stop](observations[row] * scale[row])
            torch.testing.assert_close(received[row].detach(), expected.detach())
    factors = (2.0, 0.5, 10.0, 1.0)
    for given, expected in [(factors, tensor(factors)), ("auto", None), (None, None)]:
        scale = fixed_scale(replace(SMALL, input_scale=given), Sizes(4, 2), "cpu")
        assert scale is expected or torch.equal(scale, expected)
    told = r"input_scale doit donner 6 facteurs.* \(2\.0, .* reçu"
    with pytest.raises(ValueError, match=told):
        fixed_scale(replace(SMALL, input_scale=factors), sizes, "cpu")


def test_the_mirrored_network_swaps_its_actions():
    for mirror in (False, True):
        config = Config(activation="silu", mirror=mirror, hidden=(16, 16))
        network = StackedNetwork(config, initial_weights(config, [0, 1]))
        observations = normal(2, 50, 4)
        q = network(observations)
        swapped = torch.allclose(network(-observations), q.flip(-1), rtol=1e-4, atol=1e-6)
        assert swapped == mirror
        assert not torch.allclose(q[..., 0], q[..., 1])


# Les poids de départ


def test_weights_follow_the_law_of_torch_nn_linear_or_that_of_glorot():
    config = Config(hidden=(64, 100))
    torch.manual_seed(0)
    for weight, bias in StackedNetwork(config, initial_weights(config, [0])).layers:
        linear = nn.Linear(weight.shape[1], 4_000)
        limit = 1 / weight.shape[1] ** 0.5
        for drawn in (weight.flatten(), bias.flatten()):
            assert drawn.abs().max() <= limit
            assert ks_2samp(drawn, linear.weight.detach().flatten()[:10_000]).pvalue > 1e-3
    config = replace(config, initialisation="xavier_normal")
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
