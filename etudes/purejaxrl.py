r"""Notre moteur à côté de PureJaxRL, et à côté de leurs seuls produits de matrices.

    .venv/bin/python -m pip install -r requirements-jax.txt
    git clone https://github.com/luchris429/purejaxrl DOSSIER
    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        taskset -c 0 .venv/bin/python etudes/purejaxrl.py DOSSIER

Le dossier est au commit `31756b1` ; pour que jax n'ait qu'un fil, l'environnement contient aussi
`XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"`.

Exploratoire. Un cœur, un fil, jax sur le processeur ; un agent, puis 64. Trois coûts, en
microsecondes de processeur par mise à jour et par agent :

- `tour`, la boucle entière, jeu compris : celle de PureJaxRL, son `dqn.py` sans une ligne changée,
  et la nôtre (`Training.advance`). Le réseau, le lot, les chariots, la mémoire et la cadence sont
  les mêmes ; pour la seconde recette, on lui donne le réseau de la Version 2. Il ne connaît ni le
  Double DQN ni les trois pas : de la Version 2 entière, le tour n'est que le nôtre.
- `mise à jour` : apprendre d'un lot déjà tiré, et synchroniser. La nôtre (`learn`, `synchronise`),
  et la même que l'on écrit ici en jax et optax, compilée et vectorisée. Elle dit ce que vaut la
  compilation, et n'est pas de PureJaxRL. On vérifie d'abord qu'elle rend nos poids.
- `produits` : les seuls produits de matrices d'un tour, par PyTorch et par jax. D'un seul agent,
  les appels de jax coûtent plus que ses produits : c'est à 64 qu'il faut les lire.

`ROUNDS` manches, les mesures à tour de rôle ; médiane, minimum et maximum sont écrits dans
purejaxrl.csv. `premier` est ce que le premier appel coûte de plus que les suivants, en secondes :
la compilation. L'entraînement de PureJaxRL commence par 8 à 13 tours sans mise à jour, dont le coût
est réparti sur les suivants : un à deux centièmes, à 64. Trois minutes.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from time import process_time
from types import ModuleType
from typing import NamedTuple

import jax
import numpy as np
import optax
import torch
from cout import matrix_factors, matrix_products, started
from flax import linen
from jax import lax
from jax import numpy as jnp

from cartpole_helpers import VERSION_2, Agent, Config, Training
from cartpole_helpers.networks import StackedNetwork
from cartpole_helpers.replay import Batch
from cartpole_helpers.tables import write_study

ROUNDS = 7
TURNS = {1: 200, 64: 10}  # ceux d'une manche, selon le nombre d'agents
PEER_TURNS = {1: 1_000, 64: 160}
HEADER = ("recette", "agents", "mesure", "systeme", "cout", "minimum", "maximum", "premier")
PEER = Config(
    carts=10,
    hidden=(120, 84),
    learning_rate=2.5e-4,
    epsilon_steps=250_000,
    capacity=10_000,
    batch_size=128,
    warmup=130,
    target_period=50,
    target_rate=1.0,
)
LIKE_OURS = replace(PEER, carts=16, hidden=(96, 96), activation="silu")
RECIPES = {
    "PureJaxRL : 120-84 relu": PEER,
    "PureJaxRL au réseau 96-96 silu": LIKE_OURS,
    "Version 2": VERSION_2,
}
Work = tuple[Callable[[], object], int]  # ce qu'on chronomètre ; combien de mises à jour il fait


def main(folder: str) -> None:
    """Fait les manches, affiche et écrit chaque mesure."""
    torch.set_num_threads(1)
    works = dict(measured(Path(folder)))
    first = {name: cost(*work) * work[1] for name, work in works.items()}
    costs = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            costs[name].append(cost(*work))
    rows = [row(name, costs[name], first[name], work[1]) for name, work in works.items()]
    write_study(__file__, HEADER, rows)


def measured(folder: Path) -> Iterator[tuple[tuple, Work]]:
    """Rend chaque mesure : (recette, agents, mesure, système), et de quoi la faire."""
    for name, config in RECIPES.items():
        check_same(config)
        for agents in TURNS:
            for (measure, system), work in works_of(folder, config, agents).items():
                yield (name, agents, measure, system), work


def works_of(folder: Path, config: Config, agents: int) -> dict[tuple[str, str], Work]:
    """Rend les mesures d'une recette, pour `agents` agents."""
    training, turns = started(agents, config), TURNS[agents]
    calls = {
        ("tour", "nous"): partial(repeat, training.advance, turns),
        ("mise à jour", "nous"): our_updates(training, turns),
        ("mise à jour", "jax"): jax_updates(training, turns),
        ("produits", "PyTorch"): partial(repeat, matrix_products(config, agents), turns),
        ("produits", "jax"): jax_products(config, agents, turns),
    }
    works = {name: (call, turns) for name, call in calls.items()}
    if config is VERSION_2:
        return works
    return {("tour", "PureJaxRL"): peer_turns(folder, config, agents)} | works


def cost(call: Callable[[], object], updates: int) -> float:
    """Rend les secondes de processeur que prend une mise à jour."""
    start = process_time()
    call()
    return (process_time() - start) / updates


def repeat(call: Callable[[], object], count: int) -> None:
    """Appelle `call` `count` fois."""
    for _ in range(count):
        call()


def row(name: tuple, costs: list[float], first: float, updates: int) -> tuple:
    """Rend la ligne d'une mesure, après l'avoir affichée."""
    each = (f"{1e6 * f(costs) / name[1]:.1f}" for f in (median, min, max))
    cells = (*name, *each, f"{max(first - updates * median(costs), 0):.2f}")
    print(*cells, flush=True)
    return cells


# PureJaxRL


def peer_module(folder: Path) -> ModuleType:
    """Rend le `dqn.py` de PureJaxRL, tel qu'il est dans `folder`."""
    sys.modules.setdefault("wandb", ModuleType("wandb"))  # il n'y rapporte rien, mais l'importe
    jax.tree_map = jax.tree.map  # le nom qu'avait cette fonction quand il fut écrit
    spec = spec_from_file_location("purejaxrl_dqn", folder / "purejaxrl" / "dqn.py")
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Network(linen.Module):
    """Le réseau de `LIKE_OURS`, tel que PureJaxRL en attend un."""

    action_dim: int

    @linen.compact
    def __call__(self, x):
        """Rend Q (..., A)."""
        for width in LIKE_OURS.hidden:
            x = linen.silu(linen.Dense(width)(x))
        return linen.Dense(self.action_dim)(x)


def peer_turns(folder: Path, config: Config, agents: int) -> Work:
    """Rend l'entraînement de PureJaxRL, et le nombre de mises à jour qu'il fait."""
    peer = peer_module(folder)
    if config is LIKE_OURS:
        peer.QNetwork = Network
    settings = {
        "ENV_NAME": "CartPole-v1",
        "NUM_ENVS": config.carts,
        "TOTAL_TIMESTEPS": config.carts * PEER_TURNS[agents],
        "BUFFER_SIZE": config.capacity,
        "BUFFER_BATCH_SIZE": config.batch_size,
        "LEARNING_STARTS": config.warmup,
        "TRAINING_INTERVAL": config.carts * config.learn_every,
        "TARGET_UPDATE_INTERVAL": config.carts * config.target_period,
        "TAU": config.target_rate,
        "LR": config.learning_rate,
        "GAMMA": config.gamma,
        "EPSILON_START": config.epsilon_start,
        "EPSILON_FINISH": config.epsilon_end,
        "EPSILON_ANNEAL_TIME": config.epsilon_steps,
    }
    train = jax.jit(jax.vmap(peer.make_train(settings)))
    keys = jax.random.split(jax.random.PRNGKey(0), agents)
    updates = PEER_TURNS[agents] - config.warmup // config.carts
    return lambda: jax.block_until_ready(train(keys)), updates


# La mise à jour seule : la nôtre, puis la même en jax


class State(NamedTuple):
    """Ce que change une mise à jour ; un réseau est la liste de ses couches (poids, biais)."""

    online: list
    target: list
    average: list
    adam: optax.OptState
    count: jax.Array


def our_updates(training: Training, count: int) -> Callable[[], None]:
    """Rend de quoi faire `count` mises à jour de notre moteur, sur un même lot."""
    batch = our_batch(training)

    def update() -> None:
        training.learn(batch)
        training.synchronise()

    return partial(repeat, update, count)


def jax_updates(training: Training, count: int) -> Callable[[], object]:
    """Rend de quoi faire `count` mises à jour, compilées ensemble."""
    run = compiled(training.config, count)
    state, batch = start(training), jax_batch(training.config, our_batch(training))
    return lambda: jax.block_until_ready(run(state, batch))


def check_same(config: Config, count: int = 3) -> None:
    """Vérifie que quelques mises à jour laissent, de part et d'autre, les mêmes poids."""
    training, batch = Training(config, 0), our_batch(started(1, config))
    state = start(training)
    for _ in range(count):
        training.learn(batch)
        training.synchronise()
    theirs = compiled(config, count)(state, jax_batch(config, batch))
    for agent, network in ((training.online, theirs.online), (training.agent, theirs.average)):
        weights = [weight for layer in layers(agent) for weight in layer]
        gaps = [abs(a - b).mean() for a, b in zip(weights, jax.tree.leaves(network), strict=True)]
        if max(gaps) > 1e-5:
            raise ValueError(f"les deux mises à jour diffèrent : écarts moyens {gaps}.")


def compiled(config: Config, count: int) -> Callable[[State, tuple], State]:
    """Rend `count` mises à jour, vectorisées sur les agents et compilées."""
    step = jax.vmap(partial(update, config))
    return jax.jit(lambda state, batch: lax.fori_loop(0, count, lambda _, s: step(s, batch), state))


def update(config: Config, state: State, batch: tuple) -> State:
    """Rend ce que devient un agent quand il apprend d'un lot."""
    slopes = jax.grad(partial(loss, config))(state.online, state.target, *batch)
    steps, adam = optimiser(config).update(slopes, state.adam)
    online, count = optax.apply_updates(state.online, steps), state.count + 1
    recent = 1 / (config.average_tail * count) if config.average_tail else 0.0
    averaging = jnp.clip(recent, config.average_rate, 1.0)
    following = jnp.where(count % config.target_period == 0, config.target_rate, 0.0)
    return State(
        online,
        optax.incremental_update(online, state.target, following),
        optax.incremental_update(online, state.average, averaging),
        adam,
        count,
    )


def loss(config, online, target, observation, action, reward, terminated, successor, discount):
    """Rend l'erreur quadratique moyenne d'un lot ; la cible ne dépend pas de `online`."""
    next_q = q_values(config, target, successor)
    judge = q_values(config, lax.stop_gradient(online), successor) if config.double else next_q
    value = jnp.take_along_axis(next_q, judge.argmax(-1, keepdims=True), -1)[:, 0]
    aim = reward + discount * jnp.where(terminated, 0.0, value)
    q = jnp.take_along_axis(q_values(config, online, observation), action[:, None], -1)[:, 0]
    return jnp.square(q - aim).mean()


def q_values(config: Config, layers: list, x: jax.Array) -> jax.Array:
    """Rend Q (B, A)."""
    x = x * jnp.array(config.input_scale or 1.0)
    for weight, bias in layers[:-1]:
        x = getattr(jax.nn, config.activation)(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def optimiser(config: Config) -> optax.GradientTransformation:
    """Rend l'Adam de la recette, dont le pas décroît."""
    decay, floor = config.learning_rate_decay, config.learning_rate_floor
    return optax.adam(lambda count: jnp.maximum(config.learning_rate * decay**count, floor))


def start(training: Training) -> State:
    """Rend l'état de `training`, mais d'un Adam neuf."""
    networks = [layers(agent) for agent in (training.online, training.target, training.agent)]
    adam = jax.vmap(optimiser(training.config).init)(networks[0])
    return State(*networks, adam, jnp.zeros(len(training.seeds), int))


def layers(agent: Agent) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rend les couches des agents : poids (S, entrées, sorties) et biais (S, 1, sorties)."""
    network = StackedNetwork(agent.config, agent.weights)
    return [(weight.numpy().copy(), bias.numpy().copy()) for weight, bias in network.layers]


def our_batch(training: Training) -> Batch:
    """Tire un lot (S, B, ...) de la mémoire de rejeu."""
    return training.memory.sample(training.config.batch_size)


def jax_batch(config: Config, batch: Batch) -> tuple:
    """Rend les champs du lot, le γ de l'amorçage compris."""
    gamma = np.full(batch.reward.shape, config.gamma, np.float32)
    return (*map(jnp.array, (*batch, gamma)[:6]),)


# Les produits seuls


def jax_products(config: Config, agents: int, count: int) -> Callable[[], object]:
    """Rend `count` fois les produits de matrices d'un tour, par jax."""
    factors = [(jnp.array(a), jnp.array(b)) for a, b in matrix_factors(config, agents)]
    run = jax.jit(lambda pairs: [a @ b for a, b in pairs])
    return lambda: repeat(lambda: jax.block_until_ready(run(factors)), count)


if __name__ == "__main__":
    main(sys.argv[1])
