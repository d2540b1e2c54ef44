"""Des mondes aux valeurs connues : la boucle les trouve, et chaque faute mène où l'on a prédit."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from cartpole_helpers import Config, Training, td_loss, td_target
from cartpole_helpers.teaching.worlds import FAULTS, TOGETHER, drawn_worlds

GAMMA, TURNS = 0.5, 220
LEARNER = Config(
    carts=8,
    hidden=(16,),
    activation="tanh",
    learning_rate=0.02,
    learning_rate_decay=0.98,
    gamma=GAMMA,
    epsilon_end=1.0,  # on n'apprend que des valeurs : toutes les actions sont au hasard
    batch_size=32,
    warmup=32,
    capacity=400,
    target_rate=0.2,
)
WORLDS = {world.name: world for world in drawn_worlds(np.random.default_rng(0))}


def copies(world, wrapped=lambda game: game, kind=SyncVectorEnv):
    def env(num_envs):
        games = [lambda: wrapped(world.env())] * num_envs
        return kind(games, autoreset_mode=AutoresetMode.SAME_STEP)

    return env


def learnt(world, config=LEARNER, env=None, **rules):
    """Les valeurs (2, P, 2) qu'apprennent deux agents dans ce monde."""
    training = Training(config, [0, 1], env=env or copies(world), **rules)
    for _ in range(TURNS):
        training.advance()
    return training.agent.q_values(np.stack([world.observe(range(len(world.moves)))] * 2))


def assert_learnt(received, expected):
    assert np.abs(received - expected).max() < 0.1, received


VARIANTS = [
    {},
    {"double": True},
    {"target_period": 10, "target_rate": 1.0},
    {"average_rate": 0.1},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: "-".join(changes) or "simple")
def test_the_loop_finds_the_values(changes):
    """Sans rien de plus, partout ; avec une variante, là où l'on choisit et où l'on attend."""
    for name in ("choisir", "attendre") if changes else WORLDS:
        assert_learnt(learnt(WORLDS[name], replace(LEARNER, **changes)), WORLDS[name].values(GAMMA))


def test_several_real_rewards_find_them_too():
    """Dans ces mondes la suite ne dépend pas de ce qu'on y fait : le n pas y est juste."""
    for name, n in [("choisir", 2), ("attendre", 3), ("durer", 2), ("repartir", 3)]:
        world = WORLDS[name]
        assert_learnt(learnt(world, replace(LEARNER, n_steps=n)), world.values(GAMMA))


# Les mêmes mondes disent à quelles valeurs mène un apprentissage malade


class ClockEnds(gymnasium.Wrapper):
    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated or truncated, truncated, info


class Ghosts(SyncVectorEnv):
    """Le successeur gardé est l'observation du redémarrage."""

    def step(self, actions):
        observation, *others, info = super().step(actions)
        return observation, *others, {**info, "final_obs": observation}


SICK = {
    "aucun masque": {"td_target": lambda r, t, q, g: r + g * q.amax(-1)},
    "le masque efface la récompense": {"td_target": lambda r, t, q, g: (r + g * q.amax(-1)) * ~t},
    "le masque à l'envers": {"td_target": lambda r, t, q, g: td_target(r, ~t, q, g)},
    "la moyenne des actions": {"td_target": lambda r, t, q, g: r + g * q.mean(-1) * ~t},
    "la pire action": {"td_target": lambda r, t, q, g: r + g * q.amin(-1) * ~t},
    "rien ne remonte": {"td_target": lambda r, t, q, g: r},
    "γ oublié": {"td_target": lambda r, t, q, g: td_target(r, t, q, 1.0)},
    "γ sur la récompense": {"td_target": lambda r, t, q, g: td_target(g * r, t, q, g)},
    "des récompenses entières": {"td_target": lambda r, t, q, g: td_target(r.trunc(), t, q, g)},
    TOGETHER: {"td_loss": lambda q, a, y: (q - y[..., None]).square().mean(dim=(-2, -1))},
    "les actions échangées": {"td_loss": lambda q, a, y: td_loss(q, (a + 1) % q.shape[-1], y)},
    "le chronomètre pour une chute": {"wrapped": ClockEnds},
    "des transitions fantômes": {"kind": Ghosts},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_leads_the_loop_to_the_values_foretold(fault):
    """Dans les deux premiers des mondes qui la montrent."""
    if fault.name not in SICK:
        assert fault.name == "rien n'est appris"
        return
    rules = {name: rule for name, rule in SICK[fault.name].items() if name.startswith("td_")}
    made = {name: one for name, one in SICK[fault.name].items() if name not in rules}
    shown = [
        world
        for world in WORLDS.values()
        if 0.2 < np.abs(fault.values(world, GAMMA) - world.values(GAMMA)).max() < 10
    ]
    assert shown
    for world in shown[:2]:
        received = learnt(world, env=copies(world, **made), **rules)
        assert_learnt(received, fault.values(world, GAMMA))


def test_a_loop_that_always_takes_the_same_action_is_seen():
    greedy, world = replace(LEARNER, epsilon_start=0.0, epsilon_end=0.0), WORLDS["choisir"]
    assert (np.abs(learnt(world, greedy) - world.values(GAMMA)).max(axis=(1, 2)) > 0.2).any()
