"""Un DQN complet sur une page : un agent, un environnement, les règles de `dqn`."""

import gymnasium
import torch
from torch import nn

from cartpole_helpers.dqn import epsilon_greedy, td_loss, td_target
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import ReplayBuffer

SCALE = (2.0, 1.0, 10.0, 1.0)  # ramène x, ẋ, θ, θ̇ à des tailles voisines
GAMMA, BATCH, WARMUP = 0.98, 64, 1_000
EPSILON_END, EPSILON_STEPS = 0.1, 10_000  # ε part de 1 et perd 1 en EPSILON_STEPS pas
LEARNING_RATE, TARGET_RATE = 1e-3, 0.01
EVALUATE_EVERY, ENOUGH = 1_000, 490.0


class QNetwork(nn.Sequential):
    """Q(s, ·) : (..., D) → (..., A)."""

    def __init__(self, scale=SCALE, actions=2):
        inputs, middle = nn.Linear(len(scale), 64), nn.Linear(64, 64)
        super().__init__(inputs, nn.ReLU(), middle, nn.ReLU(), nn.Linear(64, actions))
        self.scale = torch.tensor(scale)

    def forward(self, observation):
        return super().forward(observation * self.scale)


def learn(online, target, optimiser, batch) -> float:
    """Fait un pas d'Adam sur un lot, rapproche un peu la cible, et rend la perte."""
    observation, action, reward, terminated, successor = map(torch.from_numpy, batch)
    with torch.no_grad():
        goal = td_target(reward, terminated, target(successor), GAMMA)
    loss = td_loss(online(observation), action, goal)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters(), strict=True):
            slow.lerp_(fast, TARGET_RATE)
    return loss.item()


def greedy(network) -> Policy:
    """Rend la politique (N, D) → (N,) qui suit `network` sans explorer."""

    def policy(observations):
        with torch.no_grad():
            return network(torch.from_numpy(observations)).argmax(dim=-1).numpy()

    return policy


def train(seed=0, max_steps=60_000, env="CartPole-v1", scale=SCALE, enough=ENOUGH):
    """S'entraîne jusqu'à une évaluation d'au moins `enough` ; rend la politique et ses pas.

    `env` : un identifiant de Gymnasium ; `scale` : un facteur par composante d'une observation.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    game = gymnasium.make(env)
    actions = int(game.action_space.n)
    online, target = QNetwork(scale, actions), QNetwork(scale, actions)
    target.load_state_dict(online.state_dict())
    optimiser = torch.optim.Adam(online.parameters(), LEARNING_RATE)
    memory = ReplayBuffer(50_000, seeds=seed, observation_size=len(scale), actions=actions)
    observation, _ = game.reset(seed=seed)
    for step in range(1, max_steps + 1):
        epsilon = max(EPSILON_END, 1 - step / EPSILON_STEPS)
        with torch.no_grad():
            q = online(torch.from_numpy(observation))
        action = epsilon_greedy(q, epsilon, torch.rand(2, generator=generator)).item()
        successor, reward, terminated, truncated, _ = game.step(action)
        memory.add(observation, action, reward, terminated, successor)
        observation = game.reset()[0] if terminated or truncated else successor
        if step >= WARMUP:
            learn(online, target, optimiser, memory.sample(BATCH))
        evaluating = step % EVALUATE_EVERY == 0
        if evaluating and evaluate(greedy(online), seed=seed, env=env).mean() >= enough:
            break
    game.close()
    return greedy(online), step
