"""Le DQN : ses règles, fonctions pures ; puis les réseaux empilés ; puis l'agent."""

import math
from itertools import chain, pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cartpole_helpers.checks import check_array, check_number, check_numbers, check_seeds
from cartpole_helpers.config import Config
from cartpole_helpers.seeds import Purpose, stream

OBSERVATIONS = 4
ACTIONS = 2
RIGHT = 1
FREE = -1  # aucune action au hasard n'est tenue
ALIGNMENT = 16  # nombres par registre SIMD : chaque agent commence sur un registre neuf


# Les règles


def td_target(reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float) -> Tensor:
    """Rend la cible r + γ max Q(s', a'), réduite à r quand l'épisode s'est terminé.

    `reward`, `terminated` (booléen) : (..., B) ; `next_q` : (..., B, A). Rend (..., B), sans
    détacher. Source : Mnih et al. (2015), algorithme 1 ; une troncature n'est pas une
    terminaison : Pardo et al. (2018).
    """
    return _bootstrap(reward, terminated, next_q.max(dim=-1).values, gamma)


def double_td_target(
    reward: Tensor, terminated: Tensor, next_q_online: Tensor, next_q_target: Tensor, gamma: float
) -> Tensor:
    """Rend la cible du Double DQN : le réseau en ligne choisit a', le réseau cible l'évalue.

    Formes de `td_target`. Source : van Hasselt, Guez et Silver (2016).
    """
    choice = next_q_online.argmax(dim=-1)  # (..., B)
    return _bootstrap(reward, terminated, value_of(next_q_target, choice), gamma)


def td_loss(q: Tensor, action: Tensor, target: Tensor) -> Tensor:
    """Rend la moyenne, sur le lot, de (Q(s, a) − cible)² : une perte par agent.

    `q` : (..., B, A) ; `action` (entiers), `target` : (..., B). Rend (...). La cible est détachée :
    aucun gradient ne la traverse. Source : Mnih et al. (2015), algorithme 1.
    """
    value = value_of(q, action)
    _check_same_shape(action=action, target=target)
    return (value - target.detach()).square().mean(dim=-1)


def epsilon_greedy(q: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """Rend l'action qui maximise Q, ou avec probabilité ε une action uniforme.

    `q` : (..., A) ; `draws` : (..., 2), uniformes dans [0, 1) : le premier nombre décide s'il faut
    explorer, le second quelle action prendre. Rend (...), des entiers. Source : Watkins (1989).
    """
    explore, choice = draws.unbind(dim=-1)
    return torch.where(explore < epsilon, (choice * q.shape[-1]).long(), q.argmax(dim=-1))


def held_epsilon_greedy(
    q: Tensor, epsilon: float, hold: float, draws: Tensor, held: Tensor
) -> tuple[Tensor, Tensor]:
    """Rend (action, tenue) : l'ε-glouton, dont une action au hasard dure `hold` pas en moyenne.

    `q` et `draws` sont ceux de `epsilon_greedy`, que l'on retrouve si `hold` vaut 1. `held` (...),
    des entiers : l'action au hasard tenue au pas précédent, ou `FREE`. Rend deux tenseurs (...).
    ε reste, à la longue, la part des pas joués au hasard. Source : Dabney, Ostrovski et Barreto
    (2021), ici avec des durées de loi géométrique.
    """
    explore, choice = draws.unbind(dim=-1)
    keep = 1 - 1 / hold
    going_on = (held != FREE) & (explore < keep)
    # Sachant que la tenue s'arrête, ce qui reste du même tirage est uniforme dans [0, 1).
    explore = torch.where(held != FREE, (explore - keep) / (1 - keep), explore)
    begins = explore < epsilon * (1 - keep) / (1 - keep * epsilon)
    drawn = torch.where(begins, (choice * q.shape[-1]).long(), FREE)
    held = torch.where(going_on, held, drawn)
    return torch.where(held == FREE, q.argmax(dim=-1), held), held


def value_of(q: Tensor, action: Tensor) -> Tensor:
    """Rend Q(s, a) pour l'action prise : `q` (..., A) et `action` (...) donnent (...)."""
    if action.dtype not in (torch.int64, torch.int32):
        raise TypeError(f"action doit être un tenseur d'entiers : {action.dtype} reçu.")
    _check_same_shape(action=action, q=q[..., 0])
    return q.gather(-1, action.unsqueeze(-1)).squeeze(-1)


def _bootstrap(reward: Tensor, terminated: Tensor, next_value: Tensor, gamma: float) -> Tensor:
    if terminated.dtype != torch.bool:
        raise TypeError(f"terminated doit être un tenseur de booléens : {terminated.dtype} reçu.")
    _check_same_shape(reward=reward, terminated=terminated, next_q=next_value)
    return reward + gamma * next_value.masked_fill(terminated, 0.0)


def _check_same_shape(**tensors: Tensor) -> None:
    """Refuse (B, 1) contre (B,) : PyTorch en ferait sans un mot un tableau (B, B)."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"les formes doivent être égales, hors l'axe des actions : {listed} reçu.")


def adam_step(
    weights: Tensor, gradient: Tensor, state: dict[str, Tensor], learning_rate: float
) -> None:
    """Fait un pas d'Adam sur `weights`, en place, et met à jour ses moyennes `state`.

    Les trois premiers arguments ont une même forme, hors `state["step"]`, un nombre. Source :
    Kingma et Ba (2015), algorithme 1, β₁ = 0,9, β₂ = 0,999, ε = 10⁻⁸.
    """
    # L'opération même de `torch.optim.Adam(fused=True)`, sans l'objet : le créer charge le
    # compilateur de PyTorch, et coûterait plus d'une seconde au premier entraînement.
    state["step"] += 1
    torch._fused_adam_(
        [weights],
        [gradient],
        [state["exp_avg"]],
        [state["exp_avg_sq"]],
        [],
        [state["step"]],
        lr=learning_rate,
        beta1=0.9,
        beta2=0.999,
        weight_decay=0.0,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )


# Les réseaux empilés


class StackedNetwork:
    """S réseaux de même architecture, évalués ensemble ; leurs poids sont un seul tenseur (S, P).

    La ligne i de `weights` est le réseau de l'agent i. Chaque couche en est une vue : ce qui change
    `weights` change les couches. Avec `mirror`, f(s) est la sortie « droite » du réseau, Q(s, 1)
    est f(s) et Q(s, 0) est f(−s) ; l'autre sortie ne sert pas.
    """

    def __init__(self, config: Config, weights: Tensor):
        self.config = config
        self.weights = weights  # (S, P)
        self.layers = _layer_views(weights, layer_shapes(config))
        self._scale = torch.tensor(config.input_scale, device=weights.device)
        self._activation = getattr(functional, config.activation)

    def __call__(self, observations: Tensor) -> Tensor:
        """Rend Q : `observations` (S, N, 4) → (S, N, A)."""
        x = observations * self._scale
        if not self.config.mirror:
            return self._forward(x)
        both_sides = torch.cat([-x, x], dim=-2)  # (S, 2N, 4)
        value = self._forward(both_sides)[..., RIGHT]  # (S, 2N)
        return torch.stack(value.chunk(2, dim=-1), dim=-1)

    def _forward(self, x: Tensor) -> Tensor:
        for weight, bias in self.layers[:-1]:
            x = self._activation(x @ weight + bias)
        weight, bias = self.layers[-1]
        return x @ weight + bias

    def require_gradients(self) -> None:
        """Prépare le réseau à apprendre : ses couches gardent désormais trace des calculs."""
        self.weights.grad = torch.zeros_like(self.weights)
        self._gradients = [*chain(*_layer_views(self.weights.grad, layer_shapes(self.config)))]
        for parameter in self._parameters():
            parameter.requires_grad_()

    def backward(self, loss: Tensor) -> None:
        """Met dans `weights.grad` (S, P) le gradient de `loss` (S,), celui de chaque agent à part.

        L'optimiseur ne voit ainsi qu'un tenseur, quel que soit le nombre de couches et d'agents.
        """
        gradients = torch.autograd.grad(loss.sum(), self._parameters())
        for place, gradient in zip(self._gradients, gradients, strict=True):
            place.copy_(gradient)

    def _parameters(self) -> list[Tensor]:
        return [*chain(*self.layers)]


def layer_shapes(config: Config) -> list[tuple[int, int]]:
    """Rend la forme (entrées, sorties) de chaque couche du réseau de `config`."""
    sizes = [OBSERVATIONS, *config.hidden, ACTIONS]
    return list(pairwise(sizes))


def weight_count(config: Config) -> int:
    """Rend P, le nombre de poids d'un réseau, arrondi au multiple de `ALIGNMENT` supérieur.

    Sans cet arrondi, la fin d'un agent et le début du suivant partageraient un registre SIMD, et
    un agent seul n'aurait pas au bit près les poids du même agent entraîné parmi d'autres.
    """
    used = sum((inputs + 1) * outputs for inputs, outputs in layer_shapes(config))
    return math.ceil(used / ALIGNMENT) * ALIGNMENT


def initial_weights(config: Config, seeds: list[int]) -> Tensor:
    """Rend les poids de départ (S, P) en float32, chaque ligne ne dépendant que de sa graine.

    « uniform » : poids et biais uniformes dans ±1/√entrées, comme `torch.nn.Linear`.
    « xavier_normal » : poids d'écart type √(2 / (entrées + sorties)), biais nuls (Glorot et
    Bengio, 2010).
    """
    weights = np.zeros((len(seeds), weight_count(config)), np.float32)
    for row, seed in zip(weights, seeds, strict=True):
        generator = stream(seed, Purpose.WEIGHTS)
        layers = [_initial_layer(config, shape, generator) for shape in layer_shapes(config)]
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


# L'agent


class Agent:
    """S politiques gloutonnes : `agent(observations)` agit, `agent[i]` est la i-ème, seule.

    Un agent seul (S = 1) prend (N, 4) et rend (N,) ; S agents prennent (S, N, 4) et rendent (S, N).
    `weights` : (S, P), en float32 ; `seeds` et `env_steps` disent d'où il vient.
    """

    def __init__(self, config: Config, weights: Tensor, seeds: list[int], env_steps: int = 0):
        if not isinstance(config, Config):
            raise TypeError(f"config doit être un Config : {config!r} reçu.")
        self.config = config
        self.seeds = check_seeds("seeds", seeds, distinct=False)
        self.env_steps = check_number("env_steps", env_steps, int, low=0)
        _check_weights(weights, (len(self.seeds), weight_count(config)))
        self._network = StackedNetwork(config, weights)

    @property
    def weights(self) -> Tensor:
        """Les poids (S, P)."""
        return self._network.weights

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> "Agent":
        if not -len(self) <= index < len(self):
            raise IndexError(f"l'indice doit être entre 0 et {len(self) - 1} : {index} reçu.")
        row = slice(index % len(self), index % len(self) + 1)
        return Agent(self.config, self.weights[row], self.seeds[row], self.env_steps)

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Rend les actions gloutonnes : (N, 4) → (N,), ou (S, N, 4) → (S, N)."""
        return self.q_values(observations).argmax(axis=-1)

    @torch.inference_mode()
    def q_values(self, observations: np.ndarray) -> np.ndarray:
        """Rend Q(s, a) : (N, 4) → (N, 2), ou (S, N, 4) → (S, N, 2)."""
        observations = check_numbers("observations", observations)
        alone = len(self) == 1 and observations.ndim == 2
        shape = (None, OBSERVATIONS) if alone else (len(self), None, OBSERVATIONS)
        checked = check_array("observations", observations, shape, np.float32)
        batch = torch.from_numpy(checked.copy()).to(self.weights.device)
        q = self._network(batch.view(len(self), -1, OBSERVATIONS))
        return q.reshape(*checked.shape[:-1], ACTIONS).cpu().numpy()

    def __repr__(self) -> str:
        who = f"graine {self.seeds[0]}" if len(self) == 1 else f"{len(self)} graines"
        return f"Agent({who}, {self.env_steps} pas)"


def _check_weights(weights: Tensor, shape: tuple[int, int]) -> None:
    if not isinstance(weights, Tensor):
        raise TypeError(f"weights doit être un tenseur : {type(weights).__name__} reçu.")
    if weights.dtype != torch.float32 or tuple(weights.shape) != shape:
        raise ValueError(
            f"weights doit être un tenseur {shape} de torch.float32 : "
            f"{tuple(weights.shape)} de {weights.dtype} reçu."
        )
