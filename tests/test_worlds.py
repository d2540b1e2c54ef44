"""Des mondes minuscules aux valeurs connues : la boucle les résout, ses fautes s'y trahissent."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cartpole_helpers import Config, Training, td_loss, td_target

GAMMA = 0.5
LEARNER = Config(
    carts=8,
    hidden=(16,),
    activation="tanh",
    learning_rate=0.02,
    learning_rate_decay=0.99,
    gamma=GAMMA,
    epsilon_end=1.0,  # on n'apprend que des valeurs : toutes les actions sont au hasard
    batch_size=32,
    warmup=32,
    capacity=400,
    target_rate=0.2,
)
TURNS = 150
NOTHING, ALWAYS = np.False_, np.True_


class World(VectorEnv):
    """Un monde de quatre lieux au plus, que l'on observe par un vecteur « un parmi quatre ».

    Un monde dit où l'on commence (`starts`), ce que fait un pas (`outcome`) et les vraies valeurs
    Q(lieu, action) de la politique optimale (`values`, une ligne par lieu). Comme les chariots, il
    redémarre dans le même pas et donne le vrai successeur dans `final_obs`.
    """

    starts = (0,)
    values = ()

    def __init__(self, num_envs):
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.num_envs = num_envs
        self.single_observation_space = spaces.Box(0, 1, (4,), np.float32)
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def outcome(self, place, action):
        """Rend (lieu suivant, récompense, terminated, truncated) pour chaque monde."""
        raise NotImplementedError

    def reset(self, *, seed=None, options=None):
        self.generator = np.random.default_rng(seed)
        self.place = self._draw()
        self.age = np.zeros(self.num_envs, int)
        return observe(self.place), {}

    def step(self, actions):
        self.age += 1
        following, reward, terminated, truncated = np.broadcast_arrays(
            *self.outcome(self.place, actions), np.empty(self.num_envs)
        )[:4]
        ended = terminated | truncated
        self.place = np.where(ended, self._draw(), following)
        self.age[ended] = 0
        info = {"final_obs": observe(following), "_final_obs": ended}
        return observe(self.place), reward.astype(float), terminated, truncated, info

    def _draw(self):
        return self.generator.choice(self.starts, self.num_envs)


def observe(place):
    return np.eye(4, dtype=np.float32)[place]


class OneStep(World):
    """Un seul lieu, un seul pas : 1 quoi qu'on fasse."""

    values = ((1, 1),)

    def outcome(self, place, action):
        return place, 1.0, ALWAYS, NOTHING


class Reading(World):
    """La valeur se lit dans l'observation : −1 ou 1 selon le lieu."""

    starts = (0, 1)
    values = ((-1, -1), (1, 1))

    def outcome(self, place, action):
        return place, 2.0 * place - 1, ALWAYS, NOTHING


class TwoSteps(World):
    """La récompense vient un pas plus tard : elle en vaut γ."""

    values = ((GAMMA, GAMMA), (1, 1))

    def outcome(self, place, action):
        return np.ones_like(place), 1.0 * (place == 1), place == 1, NOTHING


class Acting(World):
    """La récompense est celle de l'action."""

    values = ((-1, 1),)

    def outcome(self, place, action):
        return place, 2.0 * action - 1, ALWAYS, NOTHING


class Guessing(World):
    """La bonne action dépend du lieu."""

    starts = (0, 1)
    values = ((1, -1), (-1, 1))

    def outcome(self, place, action):
        return place, np.where(action == place, 1.0, -1.0), ALWAYS, NOTHING


class Fork(World):
    """L'action choisit le lieu suivant, et les deux lieux ne se valent pas."""

    values = ((GAMMA, 3 * GAMMA), (1, 1), (3, 3))

    def outcome(self, place, action):
        following = np.where(place == 0, 1 + action, place)
        reward = np.choose(place, [0.0, 1.0, 3.0])
        return following, reward, place > 0, NOTHING


class Foresight(World):
    """Le second pas offre un choix : le premier vaut le meilleur des deux, pas leur moyenne."""

    values = ((GAMMA, GAMMA), (-1, 1))

    def outcome(self, place, action):
        reward = np.where(place == 1, 2.0 * action - 1, 0.0)
        return np.ones_like(place), reward, place == 1, NOTHING


class Endless(World):
    """Une récompense par pas, sans fin ; la limite de deux pas n'en est pas une."""

    values = ((1 / (1 - GAMMA), 1 / (1 - GAMMA)),)

    def outcome(self, place, action):
        return place, 1.0, NOTHING, self.age >= 2


class Cut(World):
    """La limite tombe juste après le lieu 0 : son successeur est le lieu 1, non le redémarrage."""

    starts = (0, 1)
    values = ((GAMMA, GAMMA), (1, 1))

    def outcome(self, place, action):
        return np.ones_like(place), 1.0 * (place == 1), place == 1, place == 0


WORLDS = [OneStep, Reading, TwoSteps, Acting, Guessing, Fork, Foresight, Endless, Cut]


def errors(world, config=LEARNER, **rules):
    """Entraîne deux agents dans `world` et rend leurs plus grandes erreurs sur Q."""
    training = Training(config, [0, 1], env=world, **rules)
    for _ in range(TURNS):
        training.advance()
    places = observe(range(len(world.values)))
    q = training.agent.q_values(np.stack([places, places]))
    return np.abs(q - np.array(world.values)).max(axis=(1, 2))


@pytest.mark.parametrize("world", WORLDS)
def test_the_loop_finds_the_values(world):
    assert (errors(world) < 0.05).all()


@pytest.mark.parametrize("world", [TwoSteps, Fork, Foresight, Endless])
@pytest.mark.parametrize(
    "changes", [{"double": True}, {"target_period": 10, "target_rate": 1.0}, {"average_rate": 0.1}]
)
def test_variants_find_them_too(world, changes):
    assert (errors(world, replace(LEARNER, **changes)) < 0.05).all()


@pytest.mark.parametrize("world", [OneStep, TwoSteps, Guessing, Fork, Endless])
def test_two_real_rewards_find_them_too(world):
    """Dans ces mondes la suite ne dépend pas de ce qu'on y fait : le n pas y est juste."""
    assert (errors(world, replace(LEARNER, n_steps=2)) < 0.05).all()


# Les mêmes mondes refusent un apprentissage malade


def undiscounted(reward, terminated, next_q, gamma):
    return td_target(reward, terminated, next_q, 1.0)


def unmasked(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.amax(dim=-1)


def masking_the_reward(reward, terminated, next_q, gamma):
    return unmasked(reward, terminated, next_q, gamma) * ~terminated


def masking_the_others(reward, terminated, next_q, gamma):
    return td_target(reward, ~terminated, next_q, gamma)


def averaging(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.mean(dim=-1) * ~terminated


def taking_the_worst(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.amin(dim=-1) * ~terminated


def forgetting_the_reward(reward, terminated, next_q, gamma):
    return td_target(0 * reward, terminated, next_q, gamma)


def shuffling_the_batch(reward, terminated, next_q, gamma):
    return td_target(reward, terminated, next_q, gamma).flip(-1)


SICK_TARGETS = [
    (undiscounted, TwoSteps),
    (undiscounted, Fork),
    (unmasked, OneStep),
    (unmasked, Acting),
    (masking_the_reward, OneStep),
    (masking_the_others, TwoSteps),
    (averaging, Foresight),
    (taking_the_worst, Foresight),
    (forgetting_the_reward, OneStep),
    (shuffling_the_batch, Reading),
    (shuffling_the_batch, Guessing),
]


@pytest.mark.parametrize(("rule", "world"), SICK_TARGETS)
def test_a_sick_target_is_seen(rule, world):
    assert (errors(world, td_target=rule) > 0.2).all()


@pytest.mark.parametrize("world", [Acting, Guessing, Fork])
def test_learning_the_other_action_is_seen(world):
    def other_action(q, action, target):
        return td_loss(q, 1 - action, target)

    assert (errors(world, td_loss=other_action) > 0.2).all()


class EndlessWithOneFlag(Endless):
    """L'ancienne interface de Gym : un seul `done`, où la limite de temps est une fin."""

    def outcome(self, place, action):
        following, reward, terminated, truncated = super().outcome(place, action)
        return following, reward, terminated | truncated, NOTHING


class CutWithoutSuccessor(Cut):
    """Le successeur gardé est l'observation du redémarrage."""

    def step(self, actions):
        observation, reward, terminated, truncated, info = super().step(actions)
        return observation, reward, terminated, truncated, {**info, "final_obs": observation}


@pytest.mark.parametrize("world", [EndlessWithOneFlag, CutWithoutSuccessor])
def test_confusing_truncation_with_an_end_is_seen(world):
    assert (errors(world) > 0.1).all()


def test_a_loop_that_always_takes_the_same_action_is_seen():
    greedy = replace(LEARNER, epsilon_start=0.0, epsilon_end=0.0)
    assert (errors(Guessing, greedy) > 0.2).any()
