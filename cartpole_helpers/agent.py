"""L'agent : S politiques gloutonnes, et de quoi les reconnaître."""

import numpy as np
import torch
from torch import Tensor

from cartpole_helpers.checks import check_array, check_number, check_numbers, check_seeds
from cartpole_helpers.config import Config
from cartpole_helpers.environments import CARTPOLE_SIZES, Sizes
from cartpole_helpers.networks import StackedNetwork, weight_count


class Agent:
    """S politiques gloutonnes : `agent(observations)` agit, `agent[i]` est la i-ème, seule.

    Un agent seul (S = 1) prend (N, D) et rend (N,) ; S agents prennent (S, N, D) et rendent (S, N).
    `weights` : (S, P), en float32 ; `seeds` et `env_steps` disent d'où il vient ; `sizes`, de quel
    jeu. `scale` : les facteurs des entrées (S, 1, D) qu'a mesurés `input_scale="auto"`.
    """

    def __init__(
        self,
        config: Config,
        weights: Tensor,
        seeds: list[int],
        env_steps: int = 0,
        *,
        sizes: Sizes = CARTPOLE_SIZES,
        scale: Tensor | None = None,
    ):
        if not isinstance(config, Config):
            raise TypeError(f"config doit être un Config : {config!r} reçu.")
        self.config = config
        self.seeds = check_seeds("seeds", seeds, distinct=False)
        self.env_steps = check_number("env_steps", env_steps, int, low=0)
        self.sizes = _checked_sizes(sizes)
        _check_tensor("weights", weights, (len(self.seeds), weight_count(config, self.sizes)))
        if scale is not None:
            _check_tensor("scale", scale, (len(self.seeds), 1, self.sizes.observation))
        self.scale = scale
        self.network = StackedNetwork(config, weights, self.sizes, scale)

    @property
    def weights(self) -> Tensor:
        """Les poids (S, P)."""
        return self.network.weights

    def __len__(self) -> int:
        return len(self.seeds)

    def __getitem__(self, index: int) -> "Agent":
        if not -len(self) <= check_number("l'indice", index, int) < len(self):
            raise IndexError(f"l'indice doit être entre 0 et {len(self) - 1} : {index} reçu.")
        row = slice(index % len(self), index % len(self) + 1)
        scale = None if self.scale is None else self.scale[row]
        origin = (self.seeds[row], self.env_steps)
        return Agent(self.config, self.weights[row], *origin, sizes=self.sizes, scale=scale)

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Rend les actions gloutonnes : (N, D) → (N,), ou (S, N, D) → (S, N)."""
        return self.q_values(observations).argmax(axis=-1)

    @torch.inference_mode()
    def q_values(self, observations: np.ndarray) -> np.ndarray:
        """Rend Q(s, a) : (N, D) → (N, A), ou (S, N, D) → (S, N, A)."""
        size = self.sizes.observation
        observations = check_numbers("observations", observations)
        alone = len(self) == 1 and observations.ndim == 2
        shape = (None, size) if alone else (len(self), None, size)
        checked = check_array("observations", observations, shape, np.float32)
        rows = checked.reshape(len(self), checked.shape[-2], size).copy()
        q = self.network(torch.from_numpy(rows).to(self.weights.device))
        return q.reshape(*checked.shape[:-1], self.sizes.actions).cpu().numpy()

    def __repr__(self) -> str:
        who = f"graine {self.seeds[0]}" if len(self) == 1 else f"{len(self)} graines"
        return f"Agent({who}, {self.env_steps} pas)"


def gathered(agents: list[Agent]) -> Agent:
    """Rend ces agents d'un même réglage en un seul, qui les joue ensemble."""
    first, scales = agents[0], [agent.scale for agent in agents if agent.scale is not None]
    return Agent(
        first.config,
        torch.cat([agent.weights for agent in agents]),
        [seed for agent in agents for seed in agent.seeds],
        sizes=first.sizes,
        scale=torch.cat(scales) if scales else None,
    )


def check_cartpole(name: str, policy) -> None:
    """Refuse l'agent d'un autre jeu, là où l'on ne dessine que CartPole."""
    if isinstance(policy, Agent) and policy.sizes != CARTPOLE_SIZES:
        raise ValueError(
            f"{name} doit jouer à CartPole, seul jeu dessiné ici : un agent d'observations de "
            f"{policy.sizes.observation} composantes reçu ; `film` montre les autres jeux."
        )


def _checked_sizes(sizes) -> Sizes:
    """Rend D et A, deux entiers au moins égaux à 1."""
    if not isinstance(sizes, tuple | list) or len(sizes) != 2:
        raise TypeError(f"sizes doit être deux entiers, D et A : {sizes!r} reçu.")
    return Sizes(*(check_number("sizes", size, int, low=1) for size in sizes))


def _check_tensor(name: str, tensor: Tensor, shape: tuple) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} doit être un tenseur : {type(tensor).__name__} reçu.")
    if tensor.dtype != torch.float32 or tuple(tensor.shape) != shape:
        raise ValueError(
            f"{name} doit être un tenseur {shape} de torch.float32 : "
            f"{tuple(tensor.shape)} de {tensor.dtype} reçu."
        )
