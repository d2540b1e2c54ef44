"""Les réseaux empilés : S réseaux de même architecture en un seul tenseur de poids."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.adam import adam

from cartpole_helpers.config import Config
from cartpole_helpers.environments import CARTPOLE_SIZES, Sizes
from cartpole_helpers.seeds import Purpose, stream

aten = torch.ops.aten
ALIGNMENT = 16  # nombres par registre SIMD : chaque agent commence sur un registre neuf
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "relu": (torch.relu, torch.relu_),
    "leaky_relu": (functional.leaky_relu, partial(functional.leaky_relu, inplace=True)),
    "silu": (functional.silu, partial(functional.silu, inplace=True)),
    "tanh": (torch.tanh, torch.tanh_),
}
"""Chaque activation y = f(z), et la même sur place."""
SLOPES = {
    "relu": lambda g, z, y: aten.threshold_backward(g, y, 0),
    "leaky_relu": lambda g, z, y: aten.leaky_relu_backward(g, z, 0.01, False),
    "silu": lambda g, z, y: aten.silu_backward(g, z),
    "tanh": lambda g, z, y: aten.tanh_backward(g, y),
}
"""La dérivée de chacune : (g, z, y) → g f'(z)."""
RIGHT = 1  # l'action que la symétrie de CartPole échange avec l'action 0


class StackedNetwork:
    """S réseaux de même architecture, évalués ensemble ; leurs poids sont un seul tenseur (S, P).

    La ligne i de `weights` est le réseau de l'agent i. Chaque couche en est une vue : ce qui change
    `weights` change les couches. Avec `mirror`, f(s) est la sortie « droite » du réseau, Q(s, 1)
    est f(s) et Q(s, 0) est f(−s) ; l'autre sortie ne sert pas. `scale` : les facteurs des entrées
    que la configuration ne fixe pas, (S, 1, D).
    """

    def __init__(
        self,
        config: Config,
        weights: Tensor,
        sizes: Sizes = CARTPOLE_SIZES,
        scale: Tensor | None = None,
    ):
        self.config = config
        self.sizes = sizes
        self.weights = weights  # (S, P)
        self.scale = fixed_scale(config, sizes, weights.device) if scale is None else scale
        self._shapes = layer_shapes(config, sizes)
        self.layers = _layer_views(weights, self._shapes)
        self._activation, self._in_place = ACTIVATIONS[config.activation]
        self._trace: list[tuple[Tensor, Tensor | None]] = []  # (x, z) de chaque couche
        self._slots: list[tuple[Tensor, Tensor]] | None = None  # les couches du gradient

    def __call__(self, observations: Tensor) -> Tensor:
        """Rend Q : `observations` (S, N, D) → (S, N, A), sans garder trace du calcul."""
        x = self._input(observations)
        for weight, bias in self.layers[:-1]:
            x = self._in_place(_affine(x, weight, bias))
        return self._output(_last(x, *self.layers[-1]))

    def traced(self, observations: Tensor) -> Tensor:
        """Rend Q comme l'appel, et garde ce que `backward` relira."""
        x, self._trace = self._input(observations), []
        for weight, bias in self.layers[:-1]:
            z = _affine(x, weight, bias)
            self._trace.append((x, z))
            x = self._activation(z)
        self._trace.append((x, None))
        self._q = self._output(_last(x, *self.layers[-1])).requires_grad_()
        return self._q

    def backward(self, loss: Tensor) -> Tensor:
        """Rend le gradient (S, P) de `loss` (S,), celui de chaque agent à part.

        `loss` est une fonction de ce qu'a rendu `traced`. C'est la rétropropagation de PyTorch, aux
        mêmes bits ; écrite ici, elle range tout dans un seul tenseur, que l'optimiseur lit.
        """
        [slope] = torch.autograd.grad(loss, self._q, torch.ones_like(loss))  # (S, N, A)
        slope, after = self._output_slope(slope), None
        if self._slots is None:
            self._gradient = torch.zeros_like(self.weights)
            self._slots = _layer_views(self._gradient, self._shapes)
        for (x, z), (weight, _), (weight_slot, bias_slot) in zip(
            reversed(self._trace), reversed(self.layers), reversed(self._slots), strict=True
        ):
            if z is None:  # la dernière couche, transposée comme dans `_last`
                weight_slot.copy_(torch.bmm(slope.mT, x).mT)
            else:
                slope = SLOPES[self.config.activation](slope, z, after)
                torch.bmm(x.mT, slope, out=weight_slot)
            torch.sum(slope, 1, keepdim=True, out=bias_slot)
            if x is not self._trace[0][0]:
                slope = torch.bmm(slope, weight.mT)
            after = x
        return self._gradient

    def hidden_outputs(self, observations: Tensor) -> list[Tensor]:
        """Rend, couche cachée par couche, la sortie (S, N, largeur) de ses unités."""
        self.traced(observations)
        return [x for x, _ in self._trace[1:]]

    def _input(self, observations: Tensor) -> Tensor:
        x = observations if self.scale is None else observations * self.scale
        return torch.cat([-x, x], dim=-2) if self.config.mirror else x  # (S, 2N, D) ou (S, N, D)

    def _output(self, y: Tensor) -> Tensor:
        if not self.config.mirror:
            return y
        return torch.stack(y[..., RIGHT].chunk(2, dim=-1), dim=-1)  # (S, 2N, A) → (S, N, A)

    def _output_slope(self, slope: Tensor) -> Tensor:
        """Rend le gradient par rapport à la dernière couche, de celui par rapport à Q."""
        if not self.config.mirror:
            return slope
        full = slope.new_zeros(len(slope), 2 * slope.shape[1], self.sizes.actions)
        full[..., RIGHT] = torch.cat(slope.unbind(dim=-1), dim=-1)
        return full


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    # Sur place : allouer un tableau de plus par couche doublait le temps de 64 agents.
    return torch.bmm(x, weight).add_(bias)


def _last(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    # Le même produit, transposé : mêmes bits. A étant petit, il coûte jusqu'à deux fois moins sur
    # un lot, mais un peu plus sur les seize lignes d'un seul agent. Et, les A valeurs d'un état
    # n'étant plus voisines en mémoire, y chercher la plus grande coûterait trente fois plus.
    return torch.bmm(weight.mT, x.mT).mT.contiguous().add_(bias)


def layer_shapes(config: Config, sizes: Sizes = CARTPOLE_SIZES) -> list[tuple[int, int]]:
    """Rend la forme (entrées, sorties) de chaque couche du réseau de `config`."""
    return list(pairwise([sizes.observation, *config.hidden, sizes.actions]))


def fixed_scale(config: Config, sizes: Sizes, device: torch.device) -> Tensor | None:
    """Rend les facteurs (D,) des entrées, ou None si la configuration n'en fixe pas."""
    if config.input_scale is None or config.input_scale == "auto":
        return None
    if len(config.input_scale) != sizes.observation:
        raise ValueError(
            f"input_scale doit donner {sizes.observation} facteurs, un par composante de "
            f"l'observation : {config.input_scale!r} reçu ; 'auto' les mesure."
        )
    return torch.tensor(config.input_scale, device=device)


def weight_count(config: Config, sizes: Sizes = CARTPOLE_SIZES) -> int:
    """Rend P, le nombre de poids d'un réseau, arrondi au multiple de `ALIGNMENT` supérieur.

    Sans cet arrondi, la fin d'un agent et le début du suivant partageraient un registre SIMD, et
    un agent seul n'aurait pas au bit près les poids du même agent entraîné parmi d'autres.
    """
    used = sum((inputs + 1) * outputs for inputs, outputs in layer_shapes(config, sizes))
    return math.ceil(used / ALIGNMENT) * ALIGNMENT


def initial_weights(config: Config, seeds: list[int], sizes: Sizes = CARTPOLE_SIZES) -> Tensor:
    """Rend les poids de départ (S, P) en float32, chaque ligne ne dépendant que de sa graine.

    « uniform » : poids et biais uniformes dans ±1/√entrées, comme `torch.nn.Linear`.
    « xavier_normal » : poids d'écart type √(2 / (entrées + sorties)), biais nuls (Glorot et
    Bengio, 2010).
    """
    shapes = layer_shapes(config, sizes)
    weights = np.zeros((len(seeds), weight_count(config, sizes)), np.float32)
    for row, seed in zip(weights, seeds, strict=True):
        generator = stream(seed, Purpose.WEIGHTS)
        layers = [_initial_layer(config, shape, generator) for shape in shapes]
        drawn = np.concatenate(layers)
        row[: len(drawn)] = drawn
    return torch.from_numpy(weights)


def _initial_layer(config: Config, shape: tuple[int, int], generator) -> np.ndarray:
    inputs, outputs = shape
    if config.initialisation == "uniform":
        limit = 1 / math.sqrt(inputs)
        return generator.uniform(-limit, limit, (inputs + 1) * outputs)
    deviation = math.sqrt(2 / (inputs + outputs))
    return np.append(generator.normal(0, deviation, inputs * outputs), np.zeros(outputs))


def _layer_views(flat: Tensor, shapes: list[tuple[int, int]]) -> list[tuple[Tensor, Tensor]]:
    """Découpe `flat` (S, P) en vues : poids (S, entrées, sorties) et biais (S, 1, sorties)."""
    layers, start = [], 0
    for inputs, outputs in shapes:
        middle, end = start + inputs * outputs, start + (inputs + 1) * outputs
        weight = flat[:, start:middle].unflatten(1, (inputs, outputs))
        layers.append((weight, flat[:, middle:end].unsqueeze(1)))
        start = end
    return layers


# L'optimiseur


def adam_step(
    weights: Tensor, gradient: Tensor, state: dict[str, Tensor], learning_rate: float
) -> None:
    """Fait un pas d'Adam sur `weights`, en place, et met à jour ses moyennes `state`.

    Les trois premiers arguments ont une même forme, hors `state["step"]`, un nombre. Source :
    Kingma et Ba (2015), algorithme 1, β₁ = 0,9, β₂ = 0,999, ε = 10⁻⁸.
    """
    # La fonction de `torch.optim.Adam(fused=True)`, sans l'objet : le créer charge le compilateur
    # de PyTorch, et coûterait plus d'une seconde au premier entraînement.
    adam(
        [weights],
        [gradient],
        [state["exp_avg"]],
        [state["exp_avg_sq"]],
        [],
        [state["step"]],
        fused=True,
        amsgrad=False,
        beta1=0.9,
        beta2=0.999,
        lr=learning_rate,
        weight_decay=0.0,
        eps=1e-8,
        maximize=False,
    )
