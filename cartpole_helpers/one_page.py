"""Un DQN complet sur une page : un agent, un environnement, les règles de `dqn`."""

import gymnasium
import torch
from torch import nn

from cartpole_helpers.dqn import epsilon_greedy, td_loss, td_target
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.policies import Policy
from cartpole_helpers.replay import ReplayBuffer

SCALE = torch.tensor([2.0, 1.0, 10.0, 1.0])  # ramène x, ẋ, θ, θ̇ à des tailles voisines
GAMMA, BATCH, WARMUP = 0.98, 64, 1_000
EPSILON_END, EPSILON_STEPS = 0.1, 10_000  # ε part de 1 et perd 1 en EPSILON_STEPS pas
LEARNING_RATE, TARGET_RATE = 1e-3, 0.01
EVALUATE_EVERY, ENOUGH = 1_000, 490.0


class QNetwork(nn.Sequential):
    """Q(s, ·) : (..., 4) → (..., 2)."""

    def __init__(self):
        super().__init__(
            nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)
        )

    def forward(self, observation):
        return super().forward(observation * SCALE)


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
    """Rend la politique (N, 4) → (N,) qui suit `network` sans explorer."""

    def policy(observations):
        with torch.no_grad():
            return network(torch.from_numpy(observations)).argmax(dim=-1).numpy()

    return policy


def train(seed: int = 0, max_steps: int = 60_000) -> tuple[Policy, int]:
    """S'entraîne jusqu'à une évaluation d'au moins 490 ; rend la politique et le nombre de pas."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    env = gymnasium.make("CartPole-v1")
    online, target = QNetwork(), QNetwork()
    target.load_state_dict(online.state_dict())
    optimiser = torch.optim.Adam(online.parameters(), LEARNING_RATE)
    memory = ReplayBuffer(50_000, seeds=seed)
    observation, _ = env.reset(seed=seed)
    for step in range(1, max_steps + 1):
        epsilon = max(EPSILON_END, 1 - step / EPSILON_STEPS)
        with torch.no_grad():
            q = online(torch.from_numpy(observation))
        action = epsilon_greedy(q, epsilon, torch.rand(2, generator=generator)).item()
        successor, reward, terminated, truncated, _ = env.step(action)
        memory.add(observation, action, reward, terminated, successor)
        observation = env.reset()[0] if terminated or truncated else successor
        if step >= WARMUP:
            learn(online, target, optimiser, memory.sample(BATCH))
        if step % EVALUATE_EVERY == 0 and evaluate(greedy(online), seed=seed).mean() >= ENOUGH:
            break
    env.close()
    return greedy(online), step
