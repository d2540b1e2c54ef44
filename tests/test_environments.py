"""Les jeux : N copies font ce que Gymnasium fait d'une ; ce qui ne convient pas est refusé."""

import sys
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control import MountainCarEnv
from trainings import SEEDS, SMALL, assert_alone_as_among_others, column, run

from cartpole_helpers import CartPoleVector, Training, evaluate, play, train
from cartpole_helpers.environments import (
    Alone,
    Copies,
    make_one,
    make_vector,
    solved_return,
    true_successors,
)
from cartpole_helpers.seeds import Purpose, environment_seeds

LIMIT = 60


def in_gymnasium(game, seed, actions):
    """Ce que vit une copie, seule : (observation, successeur, récompense, fins) par pas."""
    env = gymnasium.make(game, max_episode_steps=LIMIT)
    observation, _ = env.reset(seed=seed)
    for action in actions:
        successor, *outcome, _ = env.step(action)
        yield observation, successor, *outcome
        observation = env.reset()[0] if outcome[1] or outcome[2] else successor


@pytest.mark.parametrize("game", ["CartPole-v1", "Acrobot-v1", "MountainCar-v0"])
def test_copies_are_the_environments_of_gymnasium(game):
    seeds, vector = [3, 2**60, 5], Copies(game, 3, limit=LIMIT)
    actions = np.random.default_rng(0).integers(vector.single_action_space.n, size=(200, 3))
    observation, _ = vector.reset(seed=seeds)
    alone = [in_gymnasium(game, seed, mine) for seed, mine in zip(seeds, actions.T, strict=True)]
    restarts = 0
    for action, *expected in zip(actions, *alone, strict=True):
        following, reward, terminated, truncated, info = vector.step(action)
        received = zip(observation, info["final_obs"], reward, terminated, truncated, strict=True)
        for mine, theirs in zip(received, expected, strict=True):
            for one, other in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(info["_final_obs"], terminated | truncated)
        restarts += info["_final_obs"].sum()
        observation = following
    assert restarts >= 9


class Counted(MountainCarEnv):
    """Un jeu d'un inconnu, qui porte son propre état."""

    def saved_state(self):
        return {"position": np.array(self.state)}

    def restore(self, saved):
        self.state = saved["position"].copy()


gymnasium.register("Porteur-v0", Counted)
WRAPPED = (gymnasium.wrappers.FlattenObservation.wrapper_spec(),)
gymnasium.register("Emballe-v0", MountainCarEnv, additional_wrappers=WRAPPED)


def test_copies_resume_from_their_saved_state():
    for game in ("CartPole-v1", "Acrobot-v1", "Porteur-v0"):
        one, other = (Copies(game, 2, limit=25) for _ in range(2))
        one.reset(seed=[1, 2])
        other.reset(seed=[3, 4])
        for _ in range(40):
            one.step(np.array([0, 1]))
        other.restore(one.saved_state())
        for _ in range(60):
            seen, expected = (copies.step(np.array([1, 0])) for copies in (other, one))
            for mine, theirs in zip(seen[:4], expected[:4], strict=True):
                np.testing.assert_array_equal(mine, theirs, err_msg=game)
    with pytest.raises(ValueError, match=r"ne peut pas être repris .* Donnez-lui saved_state"):
        Copies("Emballe-v0", 2).saved_state()


def test_a_vector_of_one_copy_is_a_plain_environment():
    for limit in (None, 7):
        alone = Alone(CartPoleVector(1, max_episode_steps=9), limit)
        plain = gymnasium.make("CartPole-v1", max_episode_steps=limit or 9)
        assert alone.observation_space == plain.observation_space
        assert alone.action_space == plain.action_space
        for seed, push in [(3, [1, 0] * 5), (4, [0] * 10)]:
            seen, expected = (env.reset(seed=seed)[0] for env in (alone, plain))
            ended, actions = False, iter(push)
            while not ended:
                np.testing.assert_array_equal(seen, expected)
                both = [env.step(action) for action in [next(actions)] for env in (alone, plain)]
                (seen, *mine, _), (expected, *theirs, _) = both
                assert mine == theirs
                ended = mine[1] or mine[2]
            np.testing.assert_array_equal(seen, expected)
    assert make_vector("Acrobot-v1", 2, 30).limit == 30
    assert make_vector("CartPole-v1", 2).max_episode_steps == 500
    returns = [solved_return(game) for game in ("CartPole-v1", "Acrobot-v1", CartPoleVector)]
    assert returns == [475, -100, None]


def test_the_last_observation_is_read_only_where_an_episode_ended():
    """`VectorEnv._add_info`, de Gymnasium, laisse des zéros aux copies qui jouent encore."""
    observation, ended = np.arange(1.0, 7).reshape(3, 2), np.array([False, True, False])
    final = np.array([[0, 0], [8, 9], [0, 0]], float)
    for given in (final, list(final)):
        successor = true_successors(observation, ended, {"final_obs": given})
        assert successor.tolist() == [[1, 2], [8, 9], [5, 6]]


def test_another_game_is_trained_on_with_one_seed_per_copy():
    config = replace(SMALL, carts=2, total_steps=120)
    steps = list(train(config, SEEDS, env="MountainCar-v0"))
    for agent, copy in np.ndindex(3, 2):
        seed = environment_seeds(SEEDS[agent], Purpose.CARTS, 2)[copy]
        lived = in_gymnasium("MountainCar-v0", seed, column(steps, "action")[:, agent, copy])
        for step, (observation, successor, reward, *_) in zip(steps, lived, strict=True):
            np.testing.assert_array_equal(step.observation[agent, copy], observation)
            np.testing.assert_array_equal(step.next_observation[agent, copy], successor)
            assert step.reward[agent, copy] == reward
    assert steps[-1].updated


def test_an_agent_of_acrobot_alone_equals_its_row_among_others():
    config = replace(SMALL, hidden=(32, 32), input_scale="auto", n_steps=2)
    assert_alone_as_among_others(config, SEEDS[:2], 30, env="Acrobot-v1")


def test_the_automatic_scale_is_one_over_the_deviation_of_the_warmup():
    config = replace(SMALL, input_scale="auto", warmup=64)
    training, steps = run(config, SEEDS, 15, env="Acrobot-v1")
    assert (training.agent.scale == 1).all()
    steps.append(training.advance())
    seen = column(steps, "observation").transpose(1, 0, 2, 3).reshape(3, -1, 6)
    scale = training.agent.scale
    np.testing.assert_allclose(scale[:, 0], 1 / seen.std(axis=1, dtype=float), rtol=1e-6)
    training.advance()
    assert (training.agent.scale == scale).all()
    still, _ = run(config, 0, 20, env=Still)
    assert still.agent.scale.flatten().tolist() == [1, 1]  # rien n'a bougé


# Les jeux refusés

BOX, BOOLEAN = spaces.Box(0, 1, (2,)), spaces.Discrete(2)


class Still(CartPoleVector):
    """Un jeu de deux composantes où rien ne bouge ; on en change les espaces et le mode."""

    def __init__(self, num_envs, observation=BOX, action=BOOLEAN):
        super().__init__(num_envs)
        self.single_observation_space, self.single_action_space = observation, action

    def reset(self, **_):
        return np.ones((self.num_envs, 2), np.float32), {}

    def step(self, actions):
        same, never = self.reset()[0], np.zeros(self.num_envs, bool)
        return same, np.ones(self.num_envs), never, never, {"final_obs": same}


class Silent(Still):
    """Elle finit, et ne dit pas de quelle observation."""

    def step(self, actions):
        always = np.ones(self.num_envs, bool)
        return self.reset()[0], np.ones(self.num_envs), always, ~always, {}


class Sized(gymnasium.Env):
    """Un jeu qui ne se dessine pas, et dont la taille est à donner."""

    observation_space, action_space = BOX, BOOLEAN

    def __init__(self, size):
        self.size = size


class Absent(MountainCarEnv):
    def __init__(self, **_):
        raise gymnasium.error.DependencyNotInstalled('pip install "gymnasium[box2d]"')


gymnasium.register("SansTaille-v0", Sized)
gymnasium.register("Taille-v0", Sized, kwargs={"size": 3})
gymnasium.register("Absent-v0", Absent)


# La version est celle que le cours fige.
INSTALLED = rf'-m pip install "gymnasium\[box2d\]=={gymnasium.__version__}"'


def still(**spaces):
    return partial(Still, **spaces)


def test_a_game_that_a_dqn_cannot_play_is_refused_in_one_sentence():
    uses = (partial(Training, SMALL, 0), partial(evaluate, len, 3), partial(play, len))
    for env, message in [
        ("Pendulum-v1", r"doit .*actions discrètes, Discrete\(A\).* Box"),
        (still(observation=spaces.Box(0, 1, (8, 8, 3))), "doit .*observation plate.* Box.*8, 8, 3"),
        (still(observation=spaces.Dict({"x": BOX})), "doit .*plate.*Dict.*FlattenObservation"),
        (still(action=spaces.Discrete(2, start=1)), "doit .*depuis 0"),
        (partial(gymnasium.make_vec, "Acrobot-v1"), "doit .*dans le même pas.*NEXT_STEP"),
        (lambda n: gymnasium.make("Acrobot-v1"), "doit .*VectorEnv : .* rendu"),
        (lambda n: CartPoleVector(n + 1), r"doit .*rendre \d+ copies : \d+ rendues"),
        ("Acrobat-v1", "doit .*'Acrobat-v1' reçu. Vouliez-vous dire 'Acrobot-v1'"),
        (MountainCarEnv, "doit .*MountainCarEnv.* reçu ; `gymnasium.register`"),
        ("nulle_part:Jeu-v0", "doit .*connaît : 'nulle_part:Jeu-v0' reçu"),
        (7, "doit .*identifiant de Gymnasium, ou une fonction.* 7 reçu"),
        ("SansTaille-v0", "='SansTaille-v0' ne se .* `kwargs`"),
        ("Absent-v0", f"='Absent-v0' demande une bibliothèque .* : box2d, .* {INSTALLED}$"),
    ]:
        for use in uses:
            with pytest.raises((TypeError, ValueError), match=f"env ?{message}"):
                use(env=env)
    with pytest.raises(ValueError, match=r"env='Taille-v0' ne se dessine pas .* offre \[]"):
        play(len, env="Taille-v0", render_mode="rgb_array")
    with pytest.raises(ValueError, match=r"env doit rendre .* final_obs, .* : elle manque"):
        run(SMALL, 0, 1, env=Silent)


class Rewarding(Still):
    """Un jeu dont la récompense de la quatrième copie, au troisième pas, est celle que l'on dit."""

    def __init__(self, num_envs, reward):
        super().__init__(num_envs)
        self.reward, self.turn = reward, 0

    def step(self, actions):
        observation, reward, *ends = super().step(actions)
        self.turn += 1
        if self.turn == 3:
            reward[3] = self.reward
        return observation, reward, *ends


def test_a_reward_that_is_not_finite_stops_the_training_at_once():
    for reward in (np.nan, np.inf, -np.inf):
        training = Training(SMALL, 0, env=partial(Rewarding, reward=reward))
        told = rf"Rewarding.* récompenses finies : .*{reward}.* reçu au pas {3 * SMALL.carts} ;"
        with pytest.raises(ValueError, match=told):
            [*training.run()]
        assert len(training.memory) == 2 * SMALL.carts


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="Box2D n'a pas de roue pour ce Python.")
def test_the_lander_is_played_where_box2d_is_installed(require):
    require("box2d", find_spec("Box2D"))
    assert make_one("LunarLander-v3").observation_space.shape == (8,)


def test_what_belongs_to_cartpole_is_refused_elsewhere():
    for changes, message in [
        ({"mirror": True}, "`mirror` ne peut être vrai qu'à CartPole"),
        ({"start_x": 1.0}, r"start_x ne règle que env='CartPole-v1' : 1\.0 reçu"),
        ({"input_scale": (1.0,) * 4}, "input_scale doit donner 6 facteurs.* 'auto' les mesure"),
    ]:
        with pytest.raises(ValueError, match=message):
            Training(replace(SMALL, **changes), 0, env="Acrobot-v1")
    cartpole, acrobot = (
        Training(SMALL, 0, env=game).agent for game in ("CartPole-v1", "Acrobot-v1")
    )
    for ask in (evaluate, play):
        with pytest.raises(ValueError, match=r"6 composantes et 3 actions ; .* en a 4 et 2"):
            ask(acrobot)
        with pytest.raises(ValueError, match=r"4 composantes et 2 actions ; .* en a 6 et 3"):
            ask(cartpole, env="Acrobot-v1")


def test_a_module_may_bring_the_game(tmp_path, monkeypatch):
    made = "from gymnasium import register\nregister('Apporte-v0', 'mes_jeux:Jeu')\n"
    made += "from gymnasium.envs.classic_control import MountainCarEnv as Jeu\n"
    (tmp_path / "mes_jeux.py").write_text(made)
    monkeypatch.syspath_prepend(tmp_path)
    agent = Training(SMALL, 0, env="mes_jeux:Apporte-v0").agent
    assert evaluate(agent, 2, limit=30, env="mes_jeux:Apporte-v0").tolist() == [-30, -30]
