"""L'entraînement : une boucle, tout ce que le temps y change, et ce qu'on lui donne."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from cartpole_helpers import dqn
from cartpole_helpers.agent import Agent
from cartpole_helpers.cartpole import START_LIMIT, CartPoleVector
from cartpole_helpers.checks import check_array, check_callable, check_seeds
from cartpole_helpers.config import Config
from cartpole_helpers.dqn import double_td_target, held_epsilon_greedy
from cartpole_helpers.environments import (
    CARTPOLE,
    Env,
    make_vector,
    true_successors,
    vector_sizes,
)
from cartpole_helpers.networks import StackedNetwork, adam_step, initial_weights, layer_shapes
from cartpole_helpers.replay import (
    Batch,
    DiscountedTransition,
    ReplayBuffer,
    StepWindow,
    Transition,
)
from cartpole_helpers.seeds import (
    Purpose,
    environment_seeds,
    generator_state,
    restore_generator,
    stream,
)


class Step(NamedTuple):
    """Ce qui s'est passé pendant un tour de boucle : S agents, E copies du jeu chacun."""

    observation: np.ndarray  #: (S, E, D)
    action: np.ndarray  #: (S, E)
    reward: np.ndarray  #: (S, E)
    terminated: np.ndarray  #: (S, E) le jeu est fini : à CartPole, une limite est passée
    truncated: np.ndarray  #: (S, E) la limite de temps est atteinte
    next_observation: np.ndarray  #: (S, E, D) le vrai successeur, avant tout redémarrage
    episode_return: np.ndarray  #: (S, E) NaN où aucun épisode ne s'est achevé
    loss: np.ndarray  #: (S,) NaN s'il n'y a pas eu de mise à jour
    updated: bool  #: y en a-t-il eu une : une perte divergée, elle aussi, vaut NaN
    epsilon: float
    env_steps: int  #: par agent
    gradient_steps: int


class Memory(Protocol):
    """Ce que `Training` attend d'une mémoire : S agents, une transition par copie et par tour."""

    def add(self, *transition: np.ndarray) -> None:
        """Ajoute les champs d'une `Transition` (S, E, ...), ou d'une `DiscountedTransition`."""

    def sample(self, batch_size: int) -> Batch[np.ndarray]:
        """Rend un lot (S, B, ...), aux mêmes champs."""

    def __len__(self) -> int:
        """Le nombre de transitions gardées pour chaque agent."""

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps y change."""

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""


class Training:
    """Tout ce que le temps change dans l'entraînement de S agents ; `advance` fait un tour.

    `seeds` : un entier, ou S entiers différents, une graine par agent. On peut lui donner :

    - `env` : un identifiant de Gymnasium, ou une fonction num_envs → `VectorEnv` en mode SAME_STEP,
      d'observation plate et d'actions discrètes ; elle est appelée une fois, pour S·E copies ;
    - `memory` : ce qui a `add`, `sample`, `len`, `saved_state` et `restore`, comme `ReplayBuffer` ;
    - `td_target`, de même signature que `dqn.td_target`, à la place de la cible de la
      configuration ; avec n_steps > 1, son γ est un tenseur (S, B), γᵏ pour k récompenses ;
    - `td_loss`, à la place de la perte. Ces deux fonctions reçoivent des tenseurs (S, B, ...).

    Un agent entraîné parmi d'autres a, au bit près, les mêmes poids que seul, à condition de
    calculer sur un seul fil et que `batch_size` et les largeurs de `hidden` soient des multiples
    de 8 ; sinon, à l'arrondi près.
    """

    def __init__(
        self,
        config: Config,
        seeds: int | Sequence[int],
        *,
        env: Env = CARTPOLE,
        memory: Memory | None = None,
        device: str = "cpu",
        td_target: Callable | None = None,
        td_loss: Callable = dqn.td_loss,
    ):
        if not isinstance(config, Config):
            raise TypeError(f"config doit être un Config : {config!r} reçu.")
        self.config = config
        self.seeds = check_seeds("seeds", seeds)
        self.device = _checked_device(device)
        self.env = env
        self.td_target = None if td_target is None else check_callable("td_target", td_target)
        self.td_loss = check_callable("td_loss", td_loss)
        self.injected = _injected(env, memory, td_target, td_loss)
        self.step = self.env_steps = self.gradient_steps = 0
        self._start_games()
        self._build_networks()
        shape = (len(self.seeds), config.carts)
        self._exploration = [stream(seed, Purpose.EXPLORATION) for seed in self.seeds]
        self._held = torch.full(shape, dqn.FREE, device=self.device)
        self.memory = self._usual_memory() if memory is None else _checked_memory(memory, config)
        self._window = None
        if config.n_steps > 1:
            self._window = StepWindow(config.n_steps, config.gamma, shape, self.sizes.observation)

    def advance(self) -> Step:
        """Fait un tour : agir, avancer d'un pas, mémoriser, apprendre, synchroniser."""
        observation = self._observation  # (S, E, D)
        epsilon = self.config.epsilon(self.env_steps)
        action = self.act(observation, self.config.epsilons(self.env_steps))  # (S, E)
        successor, reward, terminated, truncated = self.step_games(action)
        self.remember(Transition(observation, action, reward, terminated, successor), truncated)
        loss, updated = self._no_loss.copy(), self.is_time_to_learn()
        if updated:
            loss = self.learn(self.memory.sample(self.config.batch_size))
            self.synchronise()
        return Step(
            observation,
            action,
            reward,
            terminated,
            truncated,
            successor,
            self._close_episodes(reward, terminated | truncated),
            loss,
            updated,
            epsilon,
            self.env_steps,
            self.gradient_steps,
        )

    def run(self) -> Iterator[Step]:
        """Rend un à un les tours qui restent, jusqu'à `config.total_steps` pas par agent."""
        while self.env_steps < self.config.total_steps:
            yield self.advance()

    @property
    def agent(self) -> Agent:
        """Les S agents gloutons tels qu'ils sont à cet instant ; la suite ne les change pas."""
        return self._snapshot(self._average)

    @property
    def online(self) -> Agent:
        """Les S agents qui joueraient avec le réseau principal, à cet instant."""
        return self._snapshot(self._online)

    @property
    def target(self) -> Agent:
        """Les S agents qui joueraient avec le réseau cible, à cet instant."""
        return self._snapshot(self._target_net)

    @torch.no_grad()
    def start_from(self, agent: Agent) -> None:
        """Donne les poids de `agent` (S agents) aux trois réseaux : principal, cible et moyenne."""
        if not isinstance(agent, Agent):
            raise TypeError(f"agent doit être un Agent : {agent!r} reçu.")
        mine = layer_shapes(self.config, self.sizes)
        theirs = layer_shapes(agent.config, agent.sizes)
        if theirs != mine:
            raise ValueError(f"agent doit avoir les couches {mine} : {theirs} reçu.")
        _check_shape("agent.weights", agent.weights, self._online.weights.shape)
        for network in (self._online, self._target_net, self._average):
            network.weights.copy_(agent.weights)

    def saved_state(self, without: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change, en tableaux nommés ; `restore` le relit.

        `without` : ce que l'on a donné, par son nom, et dont on ne veut pas l'état. ValueError si
        l'environnement ou la mémoire ne portent pas leur propre `saved_state`.
        """
        check_carrier("env", self.games)
        check_carrier("memory", self.memory)
        return {
            **{name: tensor.numpy(force=True) for name, tensor in self._tensors().items()},
            **{
                f"{part}.{name}": array
                for part, owner in self._parts().items()
                if part not in without
                for name, array in owner.saved_state().items()
            },
            "observation": self._observation,
            "running_return": self._running_return,
            "exploration": np.stack([*map(generator_state, self._exploration)]),
            "counters": np.array([self.step, self.env_steps, self.gradient_steps]),
        }

    @torch.no_grad()
    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet l'entraînement dans l'état `saved`, rendu par un `saved_state` de même config."""
        self.step, self.env_steps, self.gradient_steps = map(int, saved["counters"])
        for name, tensor in self._tensors().items():
            tensor.copy_(torch.from_numpy(saved[name]))
        for part, owner in self._parts().items():
            prefix = f"{part}."
            mine = {name: array for name, array in saved.items() if name.startswith(prefix)}
            owner.restore({name.removeprefix(prefix): array for name, array in mine.items()})
        self._observation = saved["observation"].copy()
        self._running_return = saved["running_return"].copy()
        for generator, state in zip(self._exploration, saved["exploration"], strict=True):
            restore_generator(generator, state)

    def _tensors(self) -> dict[str, Tensor]:
        return {
            "online": self._online.weights,
            "target": self._target_net.weights,
            "average": self._average.weights,
            **self._adam,
            "held": self._held,
            **self._scaling,
        }

    def _parts(self) -> dict:
        """Ce qui a son propre état, le nôtre ou ce qu'on nous a donné."""
        parts: dict = {"memory": self.memory, "env": self.games}
        parts |= {"window": self._window, "spread": self._spread}
        rules = {"td_target": self.td_target, "td_loss": self.td_loss}
        parts |= {name: rule for name, rule in rules.items() if hasattr(rule, "saved_state")}
        return {name: part for name, part in parts.items() if part is not None}

    def _snapshot(self, network: StackedNetwork) -> Agent:
        scale = self._scaling["scale"].clone() if self._scaling else None
        origin = (self.seeds, self.env_steps)
        return Agent(self.config, network.weights.clone(), *origin, sizes=self.sizes, scale=scale)

    # Agir et avancer

    def act(self, observation: np.ndarray, epsilon: float | np.ndarray) -> np.ndarray:
        """Rend des actions ε-gloutonnes (S, E), d'après le réseau principal ; ε : un, ou (E,)."""
        if self._spread is not None and not self.gradient_steps:
            self._spread.add(observation)
        drawn = [generator.random((self.config.carts, 2)) for generator in self._exploration]
        q = self._online(self._tensor(observation))  # (S, E, A)
        hold, draws = self.config.epsilon_hold, self._tensor(np.stack(drawn))
        each = torch.as_tensor(
            epsilon, dtype=torch.float64, device=self.device
        )  # comme les tirages
        action, self._held = held_epsilon_greedy(q, each, hold, draws, self._held)
        return action.cpu().numpy()

    def step_games(self, action: np.ndarray) -> tuple[np.ndarray, ...]:
        """Avance toutes les copies ; rend (successeur, récompense, terminated, truncated)."""
        shape = action.shape
        observation, reward, terminated, truncated, info = self.games.step(action.reshape(-1))
        successor = true_successors(observation, terminated | truncated, info)
        self.step += 1
        self.env_steps += self.config.carts
        # Des copies : une fonction `env` peut réemployer ses tableaux d'un pas à l'autre.
        self._observation = np.array(observation, np.float32).reshape(*shape, -1)
        successor = np.array(successor, np.float32).reshape(*shape, -1)
        scalars = [np.array(array).reshape(shape) for array in (reward, terminated, truncated)]
        wrong = scalars[0][~np.isfinite(scalars[0])]
        if wrong.size:
            raise ValueError(
                f"env={self.env!r} doit rendre des récompenses finies : {wrong[0]} reçu au pas "
                f"{self.env_steps} ; une seule qui ne l'est pas rendrait NaN tous les poids."
            )
        return successor, *scalars

    def remember(self, transition: Transition[np.ndarray], truncated: np.ndarray) -> None:
        """Range un pas (S, E, ...), ou, à plusieurs pas, celui qui sort de la fenêtre."""
        kept = transition if self._window is None else self._window.push(transition, truncated)
        if kept is not None:
            self.memory.add(*kept)

    def _close_episodes(self, reward: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Rend le retour des épisodes achevés à ce tour, NaN ailleurs."""
        running = self._running_return + reward  # (S, E)
        self._running_return = np.where(ended, 0.0, running)
        return np.where(ended, running, np.nan)

    # Apprendre et synchroniser

    def is_time_to_learn(self) -> bool:
        """Dit si la mémoire est assez pleine, et si c'est le tour d'une mise à jour."""
        enough = len(self.memory) >= self.config.warmup
        return enough and self.step % self.config.learn_every == 0

    def learn(self, drawn: Batch[np.ndarray]) -> np.ndarray:
        """Fait un pas d'Adam sur un lot (S, B, ...) et rend les pertes (S,)."""
        self._settle_scale()
        batch = self._batch(drawn)
        target = self._target(batch)
        _check_shape("td_target", target, batch.reward.shape)
        q = self._online.traced(batch.observation)  # (S, B, A)
        loss = self.td_loss(q, batch.action, target)
        _check_shape("td_loss", loss, (len(self.seeds),))
        if not loss.requires_grad:
            raise ValueError("td_loss doit rendre une perte à dériver : un tenseur détaché rendu.")
        self._descend(loss)
        # Une copie : la vue garderait en vie, avec elle, la mémoire où PyTorch calcule.
        return loss.numpy(force=True).copy()

    def _settle_scale(self) -> None:
        """Fixe, avant la première mise à jour, l'échelle que mesure `input_scale="auto"`."""
        if self._spread is not None and not self.gradient_steps:
            self._scaling["scale"].copy_(torch.from_numpy(self._spread.scale()))

    def _batch(self, drawn: Batch[np.ndarray]) -> Batch[Tensor]:
        """Rend en tenseurs le lot (S, B, ...) qu'a tiré la mémoire."""
        kind = Transition if self._window is None else DiscountedTransition
        if not isinstance(drawn, tuple | list) or len(drawn) != len(kind._fields):
            received = f"{len(drawn)} champs" if np.iterable(drawn) else repr(drawn)
            raise ValueError(
                f"memory.sample doit rendre {', '.join(kind._fields)} : {received} reçu."
            )
        if type(self.memory) is ReplayBuffer:  # elle a déjà tout vérifié
            return kind(*map(self._tensor, drawn))
        return kind(*map(self._column, kind._fields, drawn))

    def _column(self, name: str, given: np.ndarray) -> Tensor:
        """Rend en tenseur un champ d'un lot, après en avoir vérifié la forme et le type."""
        shape: tuple[int, ...] = (len(self.seeds), self.config.batch_size)
        shape += (self.sizes.observation,) * name.endswith("observation")
        kind = {"action": np.int64, "terminated": np.bool_}.get(name, np.float32)
        return self._tensor(check_array(f"{name}, que rend memory.sample,", given, shape, kind))

    def _target(self, batch: Batch[Tensor]) -> Tensor:
        """Rend la cible (S, B) : celle qu'on a injectée, ou celle de la configuration."""
        gamma = batch.discount if isinstance(batch, DiscountedTransition) else self.config.gamma
        next_q = self._target_net(batch.next_observation)  # (S, B, A)
        if self.td_target is None and self.config.double:
            next_q_online = self._online(batch.next_observation)
            return double_td_target(batch.reward, batch.terminated, next_q_online, next_q, gamma)
        rule = self.td_target or dqn.td_target
        return rule(batch.reward, batch.terminated, next_q, gamma)

    def gradient(self, loss: Tensor) -> Tensor:
        """Rend le gradient (S, P) que suivra Adam : celui de la perte (S,) de chaque agent."""
        return self._online.backward(loss)

    def _descend(self, loss: Tensor) -> None:
        rate = self.config.learning_rate_at(self.gradient_steps)
        adam_step(self._online.weights, self.gradient(loss), self._adam, rate)
        self.gradient_steps += 1

    def synchronise(self) -> None:
        """Rapproche du réseau principal le réseau cible et la moyenne que suit l'agent."""
        online, config = self._online.weights, self.config
        if self.gradient_steps % config.target_period == 0:
            self._target_net.weights.lerp_(online, config.target_rate)
        self._average.weights.lerp_(online, config.average_rate_at(self.gradient_steps))

    # Construire

    def _start_games(self) -> None:
        agents, copies = len(self.seeds), self.config.carts
        if self.env == CARTPOLE:
            self.games: VectorEnv = CartPoleVector(agents * copies, start_x=self.config.start_x)
        else:
            self.games = make_vector(self.env, agents * copies)
        self.sizes = vector_sizes(self.games)
        _check_cartpole_only(self.config, self.games)
        seeds = [
            one for seed in self.seeds for one in environment_seeds(seed, Purpose.CARTS, copies)
        ]
        observation, _ = self.games.reset(seed=seeds)  # type: ignore[arg-type]
        self._observation = np.array(observation, np.float32).reshape(agents, copies, -1)
        self._running_return = np.zeros((agents, copies))
        self._no_loss = np.full(agents, np.nan, np.float32)

    def _build_networks(self) -> None:
        weights = initial_weights(self.config, self.seeds, self.sizes).to(self.device)
        self._scaling, self._spread = {}, None
        if self.config.input_scale == "auto":
            shape = (len(self.seeds), self.sizes.observation)
            self._spread = Spread(shape)
            self._scaling = {"scale": torch.ones(shape, device=self.device).unsqueeze(1)}
        self._online = self._network(weights)
        self._target_net = self._network(weights.clone())
        self._average = self._network(weights.clone())
        self._adam = {
            "step": torch.zeros((), device=self.device),
            "exp_avg": torch.zeros_like(weights),
            "exp_avg_sq": torch.zeros_like(weights),
        }

    def _network(self, weights: Tensor) -> StackedNetwork:
        return StackedNetwork(self.config, weights, self.sizes, self._scaling.get("scale"))

    def _usual_memory(self) -> ReplayBuffer:
        return ReplayBuffer(
            self.config.capacity,
            seeds=self.seeds,
            observation_size=self.sizes.observation,
            actions=self.sizes.actions,
            discounted=self.config.n_steps > 1,
        )

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


class Spread:
    """L'écart type de chaque composante (S, D) des observations vues jusqu'ici."""

    def __init__(self, shape: tuple[int, int]):
        self.count, self.sums = 0, np.zeros((2, *shape))  # Σ s et Σ s²

    def add(self, observation: np.ndarray) -> None:
        """Ajoute des observations (S, N, D), l'une après l'autre : l'ordre ne dépend pas de S."""
        seen = observation.astype(float)
        powers = np.stack([seen, np.square(seen)])  # (2, S, N, D)
        self.sums += np.cumsum(powers, axis=2)[:, :, -1]
        self.count += observation.shape[1]

    def scale(self) -> np.ndarray:
        """Rend l'inverse de l'écart type, en float32 (S, 1, D) ; 1 où rien n'a bougé."""
        mean, square = self.sums / self.count
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        still = deviation <= 1e-6 * np.abs(mean)
        return np.where(still, 1.0, 1 / np.where(still, 1.0, deviation)).astype(np.float32)[:, None]

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change."""
        return {"count": np.array(self.count), "sums": self.sums}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """La remet dans l'état `saved`."""
        self.count, self.sums = int(saved["count"]), saved["sums"].copy()


def train(
    config: Config,
    seeds: int | Sequence[int],
    *,
    env: Env = CARTPOLE,
    memory: Memory | None = None,
    device: str = "cpu",
    td_target: Callable | None = None,
    td_loss: Callable = dqn.td_loss,
) -> Iterator[Step]:
    """Rend un à un les tours d'un entraînement, jusqu'à `config.total_steps` pas par agent.

    Mêmes arguments que `Training`. L'appelant décide d'arrêter, de tracer, de sauvegarder.
    """
    return Training(
        config, seeds, env=env, memory=memory, device=device, td_target=td_target, td_loss=td_loss
    ).run()


def _injected(env, memory, td_target, td_loss) -> list[str]:
    """Rend les noms de ce qu'on a donné et que `Training` n'aurait pas fait lui-même."""
    given = {
        "env": not isinstance(env, str) or ":" in env,  # un module que l'on importe
        "memory": memory is not None,
        "td_target": td_target is not None,
        "td_loss": td_loss is not dqn.td_loss,
    }
    return [name for name, is_given in given.items() if is_given]


def check_carrier(name: str, given) -> None:
    """Refuse ce qui ne porte pas son propre état : on ferait semblant de le reprendre."""
    if not (hasattr(given, "saved_state") and hasattr(given, "restore")):
        raise ValueError(
            f"{name} doit porter saved_state() et restore(saved) pour qu'un entraînement reprenne "
            f"au bit près : {given!r} n'en a pas. L'agent, lui, se garde par "
            "save(training.agent[0], chemin)."
        )


def _check_cartpole_only(config: Config, games: VectorEnv) -> None:
    """Refuse, hors de CartPole, ce qui n'a de sens que pour lui."""
    if config.mirror and not isinstance(games, CartPoleVector):
        raise ValueError(
            "`mirror` ne peut être vrai qu'à CartPole : la symétrie gauche-droite est la sienne."
        )
    if config.start_x != getattr(games, "start_x", START_LIMIT):
        raise ValueError(
            f"start_x ne règle que env={CARTPOLE!r} : {config.start_x} reçu. Une fonction `env` le "
            "donne elle-même, par exemple lambda n: CartPoleVector(n, start_x=2.0)."
        )


def _checked_memory(memory: Memory, config: Config) -> Memory:
    missing = [name for name in ("add", "sample", "__len__") if not hasattr(memory, name)]
    if missing:
        raise TypeError(
            f"memory doit avoir add, sample et len : {type(memory).__name__} reçu, sans "
            f"{', '.join(missing)}."
        )
    if getattr(memory, "capacity", config.warmup) < config.warmup:
        raise ValueError(
            f"memory doit pouvoir garder warmup={config.warmup} transitions, sinon rien ne serait "
            f"appris : une mémoire de {memory.capacity} reçue."  # type: ignore[attr-defined]
        )
    return memory


def _checked_device(device: str) -> torch.device:
    try:
        return torch.zeros(0, device=device).device
    except (RuntimeError, AssertionError, TypeError):
        raise ValueError(
            f"device doit être un appareil disponible, comme 'cpu' ou 'cuda' : {device!r} reçu."
        ) from None


def _check_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    received = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
    if received != tuple(shape):
        raise ValueError(f"{name} doit rendre un tenseur {tuple(shape)} : {received} rendu.")
