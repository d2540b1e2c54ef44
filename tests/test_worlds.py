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


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"double": True},
        {"target_period": 10, "target_rate": 1.0, "average_rate": 0.1},
        {"n_steps": 2},
    ],
    ids=lambda changes: "-".join(changes) or "simple",
)
def test_the_loop_finds_the_values(changes):
    """Sans rien de plus, partout ; avec une variante, là où l'on choisit et où l'on attend.

    Dans ces mondes la suite ne dépend pas de ce qu'on y fait : le n pas y est juste.
    """
    for name in ("choisir", "attendre") if changes else WORLDS:
        assert_learnt(learnt(WORLDS[name], replace(LEARNER, **changes)), WORLDS[name].values(GAMMA))


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


@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if one.name in SICK], ids=lambda one: one.name
)
def test_a_fault_leads_the_loop_to_the_values_foretold(fault):
    """Dans le premier des mondes qui la montrent."""
    assert {one.name for one in FAULTS} - SICK.keys() == {"rien n'est appris"}
    rules = {name: rule for name, rule in SICK[fault.name].items() if name.startswith("td_")}
    made = {name: one for name, one in SICK[fault.name].items() if name not in rules}
    shown = next(
        world
        for world in WORLDS.values()
        if 0.2 < np.abs(fault.values(world, GAMMA) - world.values(GAMMA)).max() < 10
    )
    assert_learnt(learnt(shown, env=copies(shown, **made), **rules), fault.values(shown, GAMMA))
