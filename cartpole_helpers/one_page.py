"""Un DQN complet sur une page : un agent, un jeu, les règles de `dqn`."""

import torch
from torch import nn

from cartpole_helpers.dqn import epsilon_greedy, td_loss, td_target
from cartpole_helpers.environments import CARTPOLE, make_one, sizes_of, solved_return
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.replay import ReplayBuffer

SCALE, ENOUGH = (2.0, 1.0, 10.0, 1.0), 490.0  # CartPole : x, ẋ, θ, θ̇ à des tailles voisines
GAMMA, BATCH, WARMUP, EVALUATION = 0.98, 64, 1_000, 1_000  # les deux derniers en pas
EPSILON_END, EPSILON_STEPS, LEARNING_RATE, TARGET_RATE = 0.1, 10_000, 1e-3, 0.01


class QNetwork(nn.Sequential):
    """Q(s, ·) : (..., D) → (..., A)."""

    def __init__(self, scale=SCALE, actions=2):
        inputs, middle = nn.Linear(len(scale), 64), nn.Linear(64, 64)
        super().__init__(inputs, nn.ReLU(), middle, nn.ReLU(), nn.Linear(64, actions))
        self.scale = torch.tensor(scale, dtype=torch.float32)

    def forward(self, observation):
        return super().forward(observation.float() * self.scale)


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


def greedy(network):
    """Rend la politique (N, D) → (N,) qui suit `network` sans explorer."""
    return torch.no_grad()(lambda seen: network(torch.from_numpy(seen)).argmax(dim=-1).numpy())


def train(seed=0, max_steps=60_000, env=CARTPOLE, scale=None, enough=None):
    """S'entraîne jusqu'à une évaluation d'au moins `enough`, ou `max_steps` : politique, pas."""
    usual, solved = (SCALE, ENOUGH) if env == CARTPOLE else (None, solved_return(env))
    game = make_one(env)
    size, actions = sizes_of(game.observation_space, game.action_space)
    scale, enough = usual if scale is None else scale, solved if enough is None else enough
    if scale is None or len(scale) != size:
        raise ValueError(f"scale doit donner {size} facteurs, un par composante : {scale} reçu.")
    if enough is None:
        raise ValueError(f"enough doit dire quel retour suffit : {env!r} n'a pas de seuil.")
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    online, target = QNetwork(scale, actions), QNetwork(scale, actions)
    target.load_state_dict(online.state_dict())
    optimiser = torch.optim.Adam(online.parameters(), LEARNING_RATE)
    memory = ReplayBuffer(50_000, seeds=seed, observation_size=size, actions=actions)
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
        evaluating = step % EVALUATION == 0
        if evaluating and evaluate(greedy(online), seed=seed, env=env).mean() >= enough:
            break
    game.close()
    return greedy(online), step
