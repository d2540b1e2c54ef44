"""Les trois boucles : s'entraîner, évaluer, jouer."""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

import gymnasium
import numpy as np
import torch
from torch import Tensor

from cartpole_helpers import dqn
from cartpole_helpers.cartpole import (
    EPISODE_LIMIT,
    SOLVED_RETURN,
    CartPoleVector,
    Starts,
    check_actions,
    dynamics,
    has_fallen,
)
from cartpole_helpers.checks import (
    check_callable,
    check_choice,
    check_number,
    check_seed,
    check_seeds,
)
from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.dqn import (
    Agent,
    StackedNetwork,
    adam_step,
    double_td_target,
    held_epsilon_greedy,
)
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import ReplayBuffer, StepWindow, Transition
from cartpole_helpers.seeds import (
    Purpose,
    environment_seeds,
    generator_state,
    restore_generator,
    stream,
)


class Step(NamedTuple):
    """Ce qui s'est passé pendant un tour de boucle : S agents, E chariots chacun."""

    observation: np.ndarray  # (S, E, 4)
    action: np.ndarray  # (S, E)
    reward: np.ndarray  # (S, E)
    terminated: np.ndarray  # (S, E) la tige ou le chariot a passé une limite
    truncated: np.ndarray  # (S, E) la limite de temps est atteinte
    next_observation: np.ndarray  # (S, E, 4) le vrai successeur, avant tout redémarrage
    episode_return: np.ndarray  # (S, E) NaN où aucun épisode ne s'est achevé
    loss: np.ndarray  # (S,) NaN s'il n'y a pas eu de mise à jour
    epsilon: float
    env_steps: int  # par agent
    gradient_steps: int


class Training:
    """Tout ce que le temps change dans l'entraînement de S agents ; `advance` fait un tour.

    `seeds` : un entier, ou S entiers différents, une graine par agent. `td_target`, de même
    signature que `dqn.td_target`, remplace la cible de la configuration (γ y vaut γⁿ si
    n_steps > 1) ; `td_loss` remplace la perte. Elles reçoivent des tenseurs (S, B, ...).

    Un agent entraîné parmi d'autres a, au bit près, les mêmes poids que seul, à condition de
    calculer sur un seul fil et que `batch_size` et les largeurs de `hidden` soient des multiples
    de 8 ; sinon, à l'arrondi près.
    """

    def __init__(
        self,
        config: Config,
        seeds: int | Sequence[int],
        *,
        device: str = "cpu",
        td_target: Callable | None = None,
        td_loss: Callable = dqn.td_loss,
    ):
        if not isinstance(config, Config):
            raise TypeError(f"config doit être un Config : {config!r} reçu.")
        self.config = config
        self.seeds = check_seeds("seeds", seeds)
        self.device = _checked_device(device)
        self.td_target = None if td_target is None else check_callable("td_target", td_target)
        self.td_loss = check_callable("td_loss", td_loss)
        self.step = self.env_steps = self.gradient_steps = 0
        self._build_networks()
        self._build_carts()
        self._exploration = [stream(seed, Purpose.EXPLORATION) for seed in self.seeds]
        self.memory = ReplayBuffer(config.capacity, seeds=self.seeds)
        self._window = None
        if config.n_steps > 1:
            shape = (len(self.seeds), config.carts)
            self._window = StepWindow(config.n_steps, config.gamma, shape)

    def advance(self) -> Step:
        """Fait un tour : agir, avancer d'un pas, mémoriser, apprendre, synchroniser."""
        observation = self._observation  # (S, E, 4)
        epsilon = self.config.epsilon(self.env_steps)
        action = self._act(observation, epsilon)  # (S, E)
        successor, reward, terminated, truncated = self._step_carts(action)
        self._remember(Transition(observation, action, reward, terminated, successor), truncated)
        loss = np.full(len(self.seeds), np.nan, np.float32)
        if self._is_time_to_learn():
            loss = self._learn(self.memory.sample(self.config.batch_size))
            self._synchronise()
        return Step(
            observation,
            action,
            reward,
            terminated,
            truncated,
            successor,
            self._close_episodes(reward, terminated | truncated),
            loss,
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
        return Agent(self.config, self._average.weights.clone(), self.seeds, self.env_steps)

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change, en tableaux nommés ; `restore` le relit."""
        return {
            **{name: tensor.numpy(force=True) for name, tensor in self._tensors().items()},
            **{
                f"{part}.{name}": array
                for part, owner in self._parts().items()
                for name, array in owner.saved_state().items()
            },
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
        self._observation = self._carts.state.astype(np.float32).reshape(self._observation.shape)
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
        }

    def _parts(self) -> dict:
        parts = {"memory": self.memory, "carts": self._carts, "window": self._window}
        return {name: part for name, part in parts.items() if part is not None}

    # Agir et avancer

    @torch.no_grad()
    def _act(self, observation: np.ndarray, epsilon: float) -> np.ndarray:
        draws = [generator.random((self.config.carts, 2)) for generator in self._exploration]
        q = self._online(self._tensor(observation))  # (S, E, A)
        hold, draws = self.config.epsilon_hold, self._tensor(np.stack(draws))
        action, self._held = held_epsilon_greedy(q, epsilon, hold, draws, self._held)
        return action.cpu().numpy()

    def _step_carts(self, action: np.ndarray) -> tuple[np.ndarray, ...]:
        shape = action.shape
        observation, reward, terminated, truncated, info = self._carts.step(action.reshape(-1))
        self._observation = observation.reshape(*shape, -1)
        self.step += 1
        self.env_steps += self.config.carts
        flat = (info["final_obs"], reward, terminated, truncated)
        return tuple(array.reshape(*shape, *array.shape[1:]) for array in flat)

    def _remember(self, transition: Transition, truncated: np.ndarray) -> None:
        if self._window is not None:
            transition = self._window.push(transition, truncated)
        if transition is not None:
            self.memory.add(*transition)

    def _close_episodes(self, reward: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Rend le retour des épisodes achevés à ce tour, NaN ailleurs."""
        running = self._running_return + reward  # (S, E)
        self._running_return = np.where(ended, 0.0, running)
        return np.where(ended, running, np.nan)

    # Apprendre et synchroniser

    def _is_time_to_learn(self) -> bool:
        enough = len(self.memory) >= self.config.warmup
        return enough and self.step % self.config.learn_every == 0

    def _learn(self, batch: Transition) -> np.ndarray:
        """Fait un pas d'Adam sur un lot (S, B, ...) et rend les pertes (S,)."""
        batch = Transition(*map(self._tensor, batch))
        target = self._target(batch)
        _check_shape("td_target", target, batch.reward.shape)
        q = self._online(batch.observation)  # (S, B, A)
        loss = self.td_loss(q, batch.action, target)
        _check_shape("td_loss", loss, (len(self.seeds),))
        self._descend(loss)
        # Une copie : la vue garderait en vie, avec elle, la mémoire où PyTorch calcule.
        return loss.numpy(force=True).copy()

    @torch.no_grad()
    def _target(self, batch: Transition) -> Tensor:
        """Rend la cible (S, B) : celle qu'on a injectée, ou celle de la configuration."""
        gamma = self.config.gamma**self.config.n_steps
        next_q = self._target_net(batch.next_observation)  # (S, B, A)
        if self.td_target is None and self.config.double:
            next_q_online = self._online(batch.next_observation)
            return double_td_target(batch.reward, batch.terminated, next_q_online, next_q, gamma)
        rule = self.td_target or dqn.td_target
        return rule(batch.reward, batch.terminated, next_q, gamma)

    def _descend(self, loss: Tensor) -> None:
        self._online.backward(loss)
        weights, rate = self._online.weights, self.config.learning_rate_at(self.gradient_steps)
        adam_step(weights, weights.grad, self._adam, rate)
        self.gradient_steps += 1

    @torch.no_grad()
    def _synchronise(self) -> None:
        """Rapproche du réseau en ligne le réseau cible et la moyenne que suit l'agent."""
        online, config = self._online.weights, self.config
        if self.gradient_steps % config.target_period == 0:
            self._target_net.weights.lerp_(online, config.target_rate)
        self._average.weights.lerp_(online, config.average_rate_at(self.gradient_steps))

    # Construire

    def _build_networks(self) -> None:
        weights = dqn.initial_weights(self.config, self.seeds).to(self.device)
        self._online = StackedNetwork(self.config, weights)
        self._online.require_gradients()
        self._target_net = StackedNetwork(self.config, weights.clone())
        self._average = StackedNetwork(self.config, weights.clone())
        self._adam = {
            "step": torch.zeros((), device=self.device),
            "exp_avg": torch.zeros_like(weights),
            "exp_avg_sq": torch.zeros_like(weights),
        }

    def _build_carts(self) -> None:
        agents, carts = len(self.seeds), self.config.carts
        self._carts = CartPoleVector(agents * carts, start_x=self.config.start_x)
        cart_seeds = [
            cart for seed in self.seeds for cart in environment_seeds(seed, Purpose.CARTS, carts)
        ]
        observation, _ = self._carts.reset(seed=cart_seeds)
        self._observation = observation.reshape(agents, carts, -1)
        self._running_return = np.zeros((agents, carts))
        self._held = torch.full((agents, carts), dqn.FREE, device=self.device)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self.device)


def train(config: Config, seeds: int | Sequence[int], **same) -> Iterator[Step]:
    """Rend un à un les tours d'un entraînement, jusqu'à `config.total_steps` pas par agent.

    Mêmes arguments que `Training`. L'appelant décide d'arrêter, de tracer, de sauvegarder.
    """
    return Training(config, seeds, **same).run()


def evaluate(
    policy: Policy, episodes: int = 100, seed: int = 0, limit: int = EPISODE_LIMIT
) -> np.ndarray:
    """Rend les retours (episodes,) de `policy` sur des départs qu'aucun entraînement n'a vus.

    `limit` : nombre de pas après lequel un épisode est arrêté. Les départs sont ceux de CartPole,
    quel que soit le `start_x` de l'entraînement. Un `Agent` qui en réunit S donne (S, episodes),
    les mêmes retours que s'ils étaient évalués un par un.
    """
    check_callable("policy", policy)
    episodes = check_number("episodes", episodes, int, low=1)
    limit = check_number("limit", limit, int, low=1)
    seeds = environment_seeds(check_seed("seed", seed), Purpose.EVALUATION, episodes)
    states = Starts(seeds).next(np.arange(episodes))
    if isinstance(policy, Agent) and len(policy) > 1:
        states = np.repeat(states[None], len(policy), axis=0)
    return _lengths(policy, states, limit)


def _lengths(
    policy: Policy, states: np.ndarray, limit: int, threshold: float | None = None
) -> np.ndarray:
    """Rend le nombre de pas que tient chacun des états (..., N, 4), `limit` au plus : (..., N).

    `threshold` : s'arrête dès que la moyenne ne peut plus l'atteindre, en comptant à ceux qui
    tiennent encore les pas déjà faits.
    """
    lengths = np.zeros(states.shape[:-1])
    standing = np.ones(states.shape[:-1], bool)
    columns = np.arange(states.shape[-2])  # les départs d'où quelqu'un tient encore
    for _ in range(limit):
        lengths[..., columns] += standing
        moved = dynamics(states, _ask(policy, states.astype(np.float32)))
        states = moved if standing.all() else np.where(standing[..., None], moved, states)
        fallen = standing & has_fallen(states)
        if not fallen.any():
            continue
        standing &= ~fallen
        kept = standing.reshape(-1, len(columns)).any(axis=0)
        states, standing, columns = states[..., kept, :], standing[..., kept], columns[kept]
        if not len(columns) or (threshold and _at_best(lengths, columns, limit) < threshold):
            break
    return lengths


def _at_best(lengths: np.ndarray, standing: np.ndarray, limit: int) -> float:
    """Rend la moyenne de `lengths` (N,) si tous ceux qui sont debout tenaient jusqu'à `limit`."""
    return (lengths.sum() + (limit - lengths[standing]).sum()) / len(lengths)


def _ask(policy: Policy, observations: np.ndarray) -> np.ndarray:
    """Rend les actions (..., N) de `policy`, vérifiées si ce n'est pas un `Agent`."""
    if isinstance(policy, Agent):
        return policy(observations)
    return check_actions(policy(observations), observations.shape[:-1])


class Solution(NamedTuple):
    """Un agent qui résout CartPole, ce qu'il a coûté, et ce qui l'atteste."""

    agent: Agent
    env_steps: int
    gradient_steps: int
    seconds: float  # tout compris : entraînement, évaluations, certificat
    validation: np.ndarray  # (V,) retour moyen de chaque évaluation ; minoré si elle fut abrégée
    certificate: np.ndarray  # (100,) retours sur des départs qui n'ont servi à rien d'autre
    attempts: int  # certificats joués, celui-ci compris : chacun de plus est une chance de plus


class Unsolved(RuntimeError):
    """Le budget s'achève sans agent certifié ; `agent` est le meilleur de la validation."""

    def __init__(self, message: str, agent: Agent):
        super().__init__(message, agent)  # les deux : un processus fils doit pouvoir la rendre
        self.agent = agent

    def __str__(self) -> str:
        return self.args[0]


class Interrupted(KeyboardInterrupt):
    """Un arrêt de `solve` à la main ; `agent` est le meilleur de la validation jusque-là."""

    def __init__(self, message: str, agent: Agent):
        super().__init__(message)
        self.agent = agent


VALIDATION_EVERY = 1_000  # pas d'environnement entre deux évaluations
VALIDATION_EPISODES, CERTIFICATE_EPISODES = 50, 100
ENOUGH = 490.0  # retour moyen de validation à partir duquel on tente le certificat


def solve(config: Config = VERSION_2, seed: int = 0) -> Solution:
    """Entraîne un agent jusqu'à ce qu'il résolve CartPole, et le certifie sur 100 départs neufs.

    Tous les 1 000 pas, l'agent joue 50 épisodes de validation, chaque fois depuis de nouveaux
    départs ; à 490 de moyenne, il est jugé sur 100 autres, et rendu si leur moyenne atteint 475.
    `Unsolved` si `config.total_steps` n'y suffit pas, `Interrupted` si on l'arrête : le meilleur
    agent est attaché à l'une comme à l'autre.
    """
    start = perf_counter()
    training, trials = Training(config, check_seed("seed", seed)), _Trials(seed)
    if config.total_steps < config.warmup:
        raise ValueError(
            "total_steps doit être au moins égal à warmup, sinon rien ne serait appris : "
            f"total_steps={config.total_steps}, warmup={config.warmup} reçus."
        )
    try:
        for step in training.run():
            last = step.env_steps >= config.total_steps
            if step.env_steps % VALIDATION_EVERY >= config.carts and not last:
                continue
            certificate = trials.judge(training.agent)
            if certificate is not None:
                steps, seconds = (step.env_steps, step.gradient_steps), perf_counter() - start
                validation = np.array(trials.validation)
                agent, attempts = trials.agents[-1], trials.attempts
                return Solution(agent, *steps, seconds, validation, certificate, attempts)
    except KeyboardInterrupt:
        agent, _ = trials.best() if trials.agents else (training.agent, None)
        raise Interrupted(
            f"Arrêt demandé après {training.env_steps} pas. "
            "L'attribut `agent` de cette erreur est le meilleur agent jusque-là.",
            agent,
        ) from None
    agent, score = trials.best()
    raise Unsolved(
        f"Aucun agent n'a été certifié en {config.total_steps} pas : le meilleur fait {score:.0f} "
        f"de moyenne, il en faut {ENOUGH:.0f}, puis {SOLVED_RETURN:.0f} sur des départs neufs. "
        "L'attribut `agent` de cette erreur est ce meilleur agent.",
        agent,
    )


class _Trials:
    """Les évaluations d'une même graine ; aucun départ ne sert deux fois."""

    def __init__(self, seed: int):
        self.agents, self.validation, self.attempts = [], [], 0
        self._starts = _fresh_starts(seed, Purpose.VALIDATION, VALIDATION_EPISODES)
        self._certificate_starts = _fresh_starts(seed, Purpose.CERTIFICATE, CERTIFICATE_EPISODES)

    def judge(self, agent: Agent) -> np.ndarray | None:
        """Évalue `agent` ; rend son certificat (100,) s'il résout CartPole, None sinon."""
        self.agents.append(agent)
        score = _lengths(agent, next(self._starts), EPISODE_LIMIT, ENOUGH).mean()
        self.validation.append(score)
        if score < ENOUGH:
            return None
        self.attempts += 1
        certificate = _lengths(agent, next(self._certificate_starts), EPISODE_LIMIT)
        return certificate if certificate.mean() >= SOLVED_RETURN else None

    def best(self) -> tuple[Agent, float]:
        """Rend le meilleur des agents évalués, et sa moyenne sur de nouveaux départs."""
        return _best(self.agents, next(self._starts))


def _best(agents: list[Agent], states: np.ndarray) -> tuple[Agent, float]:
    """Rend celui de ces agents d'une même graine qui tient le plus depuis `states`, et sa moyenne.

    Les évaluations abrégées ne peuvent pas le dire : tous rejouent, ensemble et jusqu'au bout.
    """
    together = Agent(
        agents[0].config,
        torch.cat([agent.weights for agent in agents]),
        agents[0].seeds * len(agents),
    )
    every = np.repeat(states[None], len(agents), axis=0)  # (agents, N, 4)
    scores = _lengths(together, every, EPISODE_LIMIT).reshape(len(agents), -1).mean(axis=-1)
    return agents[scores.argmax()], scores.max()


def _fresh_starts(seed: int, purpose: Purpose, count: int) -> Iterator[np.ndarray]:
    """Rend sans fin `count` nouveaux états de départ, un par ligne."""
    starts, carts = Starts(environment_seeds(seed, purpose, count)), np.arange(count)
    while True:
        yield starts.next(carts)


class Episode(NamedTuple):
    """Un épisode de T pas."""

    observations: np.ndarray  # (T + 1, 4)
    actions: np.ndarray  # (T,)
    rewards: np.ndarray  # (T,)
    q_values: np.ndarray | None  # (T, 2), ou None si la politique n'en a pas
    terminated: bool
    truncated: bool
    seed: int
    frames: np.ndarray | None  # (T + 1, 400, 600, 3) si render_mode="rgb_array"


def play(
    policy: Policy, seed: int = 0, limit: int = EPISODE_LIMIT, render_mode: str | None = None
) -> Episode:
    """Joue un épisode dans le `CartPole-v1` de Gymnasium, départ `reset(seed=seed)`.

    `render_mode` : None, "rgb_array" (les images sont gardées) ou "human" (une fenêtre s'ouvre).
    """
    check_callable("policy", policy)
    seed = check_seed("seed", seed)
    limit = check_number("limit", limit, int, low=1)
    check_choice("render_mode", render_mode, (None, "rgb_array", "human"))
    env = gymnasium.make("CartPole-v1", max_episode_steps=limit, render_mode=render_mode)
    try:
        return _play(policy, env, seed)
    finally:
        env.close()


def _play(policy: Policy, env: gymnasium.Env, seed: int) -> Episode:
    observation, _ = env.reset(seed=seed)
    observations, actions, rewards, frames = [observation], [], [], _frames(env)
    terminated = truncated = False
    while not (terminated or truncated):
        action = int(_ask(policy, observation[None])[0])
        observation, reward, terminated, truncated, _ = env.step(action)
        observations.append(observation)
        actions.append(action)
        rewards.append(reward)
        frames += _frames(env)
    observations = np.stack(observations)
    q_values = policy.q_values(observations[:-1]) if hasattr(policy, "q_values") else None
    images = np.stack(frames) if frames else None
    return Episode(
        observations,
        np.array(actions),
        np.array(rewards),
        q_values,
        terminated,
        truncated,
        seed,
        images,
    )


def _frames(env: gymnasium.Env) -> list[np.ndarray]:
    """Rend l'image de l'instant, si c'est ce que l'environnement rend."""
    return [env.render()] if env.render_mode == "rgb_array" else []


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
