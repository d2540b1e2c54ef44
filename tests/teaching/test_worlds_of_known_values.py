"""Les mondes de la page blanche : leurs valeurs, leur jeu, et les nombres où mène chaque faute."""

from itertools import combinations, product

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from cartpole_helpers.environments import CARTPOLE_SIZES
from cartpole_helpers.teaching.worlds import FAULTS, Move, World, bellman, drawn_worlds

NAMES = ("lire", "choisir", "attendre", "prévoir", "durer", "repartir")
FAULT = {fault.name: fault for fault in FAULTS}
GAMMAS = (0.0, 0.4, 0.6, 0.9, 0.98)
ENDLESS = ("durer", "repartir")  # γ = 1 n'y donne aucune valeur finie


def drawn(seed=0):
    """Les mondes d'un tirage, par leur nom."""
    return {world.name: world for world in drawn_worlds(np.random.default_rng(seed))}


def rewards(world):
    return np.array([[move.reward for move in row] for row in world.moves])


# Les valeurs, calculées à la main

CLOSED_FORMS = {
    "lire": lambda r, gamma: r,
    "choisir": lambda r, gamma: r,
    "attendre": lambda r, gamma: r[2, 0] * np.array([[gamma**2], [gamma], [1]]),
    "prévoir": lambda r, gamma: np.array([[gamma * max(r[1])] * 2, r[1]]),
    "durer": lambda r, gamma: r / (1 - gamma),
    "repartir": lambda r, gamma: r[1, 0] / (1 - gamma) * np.array([[gamma] * 2, [1, 1]]),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_values_are_those_computed_by_hand(name, gamma):
    for seed in range(5):
        world = drawn(seed)[name]
        expected = CLOSED_FORMS[name](rewards(world), gamma)
        np.testing.assert_allclose(world.values(gamma), expected, rtol=1e-6, atol=1e-9)


def test_values_of_a_fork_are_those_computed_by_hand():
    """L'action 1 mène plus loin, où un choix attend : 2, ou −1 puis 10."""
    moves = (
        (Move(1.0, 0, True), Move(0.5, 1)),
        (Move(2.0, 1, True), Move(-1.0, 2)),
        (Move(10.0, 2, True), Move(0.0, 0)),
    )
    world = World("fourche", "", "", moves)
    near, far = world.values(0.1), world.values(0.5)
    np.testing.assert_allclose(near, [[1, 0.7], [2, 0], [10, 0.1]])
    np.testing.assert_allclose(far, [[1, 2.5], [2, 4], [10, 1.25]])


def test_bellman_is_the_rule_by_default():
    world = drawn()["prévoir"]
    np.testing.assert_array_equal(world.values(0.6), world.values(0.6, bellman))


# Le tirage


def test_six_worlds_whose_rewards_are_redrawn():
    generator = np.random.default_rng(0)
    one, other = (list(drawn_worlds(generator)) for _ in range(2))
    assert tuple(world.name for world in one) == NAMES
    for before, after in zip(one, other, strict=True):
        assert before.moves != after.moves
    assert one == list(drawn_worlds(np.random.default_rng(0)))


def test_the_good_action_is_not_always_the_same():
    good = {
        name: {int(rewards(drawn(seed)[name])[-1].argmax()) for seed in range(30)}
        for name in ("choisir", "prévoir")
    }
    assert good == {"choisir": {0, 1, 2}, "prévoir": {0, 1}}


def test_sizes_vary_after_a_world_of_those_of_cartpole():
    """Sans le premier, une erreur de tailles ne se distinguerait d'aucune autre."""
    first, *others = (world.sizes for world in drawn().values())
    assert first == CARTPOLE_SIZES
    assert {*others} == {CARTPOLE_SIZES, (2, 3), (6, 1)}


# Le jeu


@pytest.mark.parametrize("name", NAMES)
def test_gymnasium_accepts_each_world_without_a_warning(name):
    """Les avertissements sont ici des erreurs ; ces mondes n'ont rien à dessiner."""
    check_env(drawn()[name].env(), skip_render_check=True)


def walk(world, steps=60, seed=0):
    """Joue au hasard ; rend (observation, action, réponse de `step`) à chaque pas."""
    env, generator = world.env(), np.random.default_rng([seed, 2, 3])
    observation, info = env.reset(seed=seed)
    assert info == {}
    for _ in range(steps):
        action = int(generator.integers(env.action_space.n))
        answer = env.step(action)
        yield observation, action, answer
        observation = env.reset()[0] if answer[2] or answer[3] else answer[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_world_answers_as_cartpole_does(name):
    world = drawn()[name]
    env = world.env()
    assert env.observation_space.shape == (world.components,)
    assert env.observation_space.dtype == np.float32
    assert {len(row) for row in world.moves} == {env.action_space.n}
    for before, _, (after, reward, terminated, truncated, info) in walk(world):
        for observation in (before, after):
            assert observation.dtype == np.float32
            assert env.observation_space.contains(observation)
            assert sorted(observation) == [0] * (world.components - 1) + [1]
        assert [type(x) for x in (reward, terminated, truncated, info)] == [float, bool, bool, dict]
        assert not (terminated and truncated)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_played_is_what_is_told(name):
    world = drawn()[name]
    seen, age = set(), 0
    for before, action, (after, reward, terminated, truncated, _) in walk(world, 200):
        move, age = world.moves[before.argmax()][action], age + 1
        assert (reward, after.argmax(), terminated) == move
        assert truncated == (age == world.limit)
        seen.add((before.argmax(), action))
        age = 0 if terminated or truncated else age
    assert seen == set(product(range(len(world.moves)), range(world.sizes.actions)))


@pytest.mark.parametrize("starts", [(0,), (0, 1), (1, 2)])
def test_starts_are_drawn_among_those_given(starts):
    world = World("départs", "", "", ((Move(1.0, 0, True),) * 2,) * 3, starts=starts)
    env = world.env()
    first = [env.reset(seed=seed)[0].argmax() for seed in range(60)]
    again = [env.reset(seed=seed)[0].argmax() for seed in range(60)]
    following = [env.reset()[0].argmax() for _ in range(60)]
    assert first == again
    assert set(first) == set(following) == set(starts)


def test_a_seed_fixes_all_the_starts_that_follow():
    def starts(seed):
        env = drawn()["lire"].env()
        return [env.reset(seed=seed)[0].argmax(), *(env.reset()[0].argmax() for _ in range(30))]

    assert starts(3) == starts(3)
    assert len({tuple(starts(seed)) for seed in range(5)}) == 5


def test_a_reader_cannot_spoil_the_observations():
    env = drawn()["durer"].env()
    observation, _ = env.reset(seed=0)
    observation[:] = 7
    assert env.step(0)[0].max() == 1
    assert env.world.observe([2, 0]).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("name", NAMES)
def test_the_share_of_cuts_is_the_one_that_is_played(name):
    world = drawn()[name]
    told = {}

    def spy(seen, gamma, q):
        told[seen.move] = (seen.cut, seen.start)
        return 0.0

    world.values(0.6, spy)
    transitions = Memory(world)
    for place, row in enumerate(world.moves):
        played = transitions.truncated[transitions.place == place].mean()
        for move in row:
            assert told[move] == (pytest.approx(played), world.starts[0])


# Un Q-learning par table, à l'espérance exacte, et ses fautes


class Memory:
    """Les transitions de A × `turns` épisodes : l'un n'a que l'action 0, le suivant que la 1…"""

    def __init__(self, world, turns=30):
        env = world.env()
        observation, _ = env.reset(seed=0)
        rows = []
        for action in [*range(world.sizes.actions)] * turns:
            over = False
            while not over:
                following, reward, terminated, truncated, _ = env.step(action)
                over = terminated or truncated
                after = env.reset()[0] if over else following
                places = observation.argmax(), following.argmax(), after.argmax()
                rows.append((places[0], action, reward, terminated, truncated, *places[1:]))
                observation = after
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        self.place, self.action, self.reward, self.terminated, self.truncated = columns[:5]
        self.following, self.shown = columns[5:]  # le vrai successeur, ce que l'on voit ensuite


def learn(world, target, written=lambda m: [(m.place, m.action)], sweeps=900):
    """Rend Q (P, A) : chaque case est la moyenne des cibles que la mémoire y écrit."""
    m, q = Memory(world), np.zeros((len(world.moves), world.sizes.actions))
    for _ in range(sweeps):
        aims, total, count = target(m, q), np.zeros_like(q), np.zeros_like(q)
        for cells in written(m):
            np.add.at(total, cells, aims)
            np.add.at(count, cells, 1)
        q = total / count
    return q


def after(q, places):
    return q[places].max(axis=1)


def right(m, q, gamma):
    return m.reward + gamma * after(q, m.following) * ~m.terminated


def clock(m, q, gamma):
    return m.reward + gamma * after(q, m.following) * ~(m.terminated | m.truncated)


FAULTY_TARGETS = {
    "aucun masque": lambda m, q, gamma: m.reward + gamma * after(q, m.following),
    "le masque efface la récompense": lambda m, q, gamma: right(m, q, gamma) * ~m.terminated,
    "le masque à l'envers": lambda m, q, gamma: (
        m.reward + gamma * after(q, m.following) * m.terminated
    ),
    "le chronomètre pour une chute": clock,
    "des transitions fantômes": lambda m, q, gamma: (
        m.reward + gamma * after(q, m.shown) * ~m.terminated
    ),
    "la moyenne des actions": lambda m, q, gamma: (
        m.reward + gamma * q[m.following].mean(axis=1) * ~m.terminated
    ),
    "la pire action": lambda m, q, gamma: (
        m.reward + gamma * q[m.following].min(axis=1) * ~m.terminated
    ),
    "rien ne remonte": lambda m, q, gamma: right(m, np.zeros_like(q), gamma),
    "γ sur la récompense": lambda m, q, gamma: gamma * right(m, q, 1.0),
    "des récompenses entières": lambda m, q, gamma: (
        m.reward.astype(int) + gamma * after(q, m.following) * ~m.terminated
    ),
    "rien n'est appris": lambda m, q, gamma: 0 * m.reward,
}
FAULTY_CELLS = {
    "les actions ensemble": lambda m: [(m.place, 0 * m.place + a) for a in {*m.action}],
    "les actions échangées": lambda m: [(m.place, (m.action + 1) % (m.action.max() + 1))],
}


def found(name, world, gamma):
    """Ce qu'apprend une table qui commet la faute `name`."""
    if name == "γ oublié":
        return learn(world, lambda m, q: right(m, q, 1.0))
    if name in FAULTY_CELLS:
        return learn(world, lambda m, q: right(m, q, gamma), FAULTY_CELLS[name])
    return learn(world, lambda m, q: FAULTY_TARGETS[name](m, q, gamma))


def test_every_fault_is_simulated():
    assert {*FAULTY_TARGETS, *FAULTY_CELLS, "γ oublié"} == FAULT.keys()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("gamma", [0.4, 0.6])
def test_a_right_table_finds_the_values(name, gamma):
    world = drawn(1)[name]
    table = learn(world, lambda m, q: right(m, q, gamma))
    np.testing.assert_allclose(world.values(gamma), table, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in FAULT if name != "γ oublié"])
@pytest.mark.parametrize("world", NAMES)
def test_a_fault_leads_to_the_values_foretold(name, world):
    for seed, gamma in [(0, 0.6), (1, 0.4)]:
        one = drawn(seed)[world]
        told = FAULT[name].values(one, gamma)
        np.testing.assert_allclose(told, found(name, one, gamma), atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_without_gamma_the_values_are_foretold_or_immense(name):
    world = drawn()[name]
    told, table = FAULT["γ oublié"].values(world, 0.6), found("γ oublié", world, 0.6)
    if name in ENDLESS:
        assert min(told.min(), table.min()) > 50 * world.values(0.6).max()
    else:
        np.testing.assert_allclose(told, table, atol=1e-6)


# Distinguer les fautes


@pytest.fixture(scope="module")
def foretold():
    """Pour dix tirages, ce que donne chaque règle, en part de la plus grande vraie valeur."""
    rules = {"la vérité": World.values} | {name: fault.values for name, fault in FAULT.items()}
    draws = [drawn(seed).values() for seed in range(10)]
    return [{name: relative(rule, worlds) for name, rule in rules.items()} for worlds in draws]


def relative(rule, worlds):
    """Rend en une ligne les valeurs de tous les mondes : (V,)."""
    shares = [rule(world, 0.6) / np.abs(world.values(0.6)).max() for world in worlds]
    return np.concatenate([share.ravel() for share in shares])


def apart(foretold, one, other):
    """Le plus grand écart entre deux règles, dans chaque tirage."""
    return np.array([np.abs(values[one] - values[other]).max() for values in foretold])


@pytest.mark.parametrize("name", FAULT)
def test_a_fault_is_told_from_the_truth(name, foretold):
    """De deux fois l'erreur qu'on permet, dans un monde au moins."""
    assert apart(foretold, "la vérité", name).min() > 0.2


@pytest.mark.parametrize(("one", "other"), [*combinations(FAULT, 2)])
def test_a_fault_is_told_from_every_other(one, other, foretold):
    assert apart(foretold, one, other).min() > 0.02


def test_names_and_hints_differ():
    assert len(FAULT) == len({fault.hint for fault in FAULTS}) == len(FAULTS)
    hints = {world.hint for world in drawn().values()}
    assert len(hints) == 6
    assert not hints & {fault.hint for fault in FAULTS}
