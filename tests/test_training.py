"""L'entraînement : des traces vraies, un agent qui ne dépend que de sa graine, calculs refaits."""

from copy import deepcopy
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch
from torch import nn
from trainings import (
    SEEDS,
    SMALL,
    Reusing,
    Watched,
    assert_alone_as_among_others,
    assert_same_steps,
    column,
    run,
    short,
    training_starts,
)

from cartpole_helpers import (
    QUICK,
    VERSION_1,
    VERSION_2,
    ReplayBuffer,
    Training,
    evaluate,
    td_loss,
    train,
)
from cartpole_helpers.dqn import FREE, held_epsilon_greedy
from cartpole_helpers.networks import StackedNetwork
from cartpole_helpers.seeds import Purpose, environment_seeds, stream
from cartpole_helpers.teaching.laboratory import Altered
from cartpole_helpers.training import Spread

CUDA = torch.cuda.is_available()

# Ce qu'est un tour


def test_a_step_has_its_shapes_types_and_counts():
    training, steps = run(SMALL, SEEDS, 20)
    expected = [((3, 4, 4), "f"), ((3, 4), "i"), ((3, 4), "f"), ((3, 4), "b"), ((3, 4), "b")]
    expected += [((3, 4, 4), "f"), ((3, 4), "f"), ((3,), "f")]
    for turn, step in enumerate(steps, 1):
        assert [(array.shape, array.dtype.kind) for array in step[:8]] == expected
        assert step.env_steps == 4 * turn
        assert step.epsilon == pytest.approx(1 - 0.95 * min(4 * (turn - 1) / 200, 1))
    assert [type(one) for one in step[8:]] == [bool, float, int, int]
    assert (training.step, training.env_steps) == (20, 80)
    assert training.gradient_steps == steps[-1].gradient_steps == 20 - 32 // 4 + 1
    alone = run(SMALL, 5, 12)[1]
    assert_same_steps(run(SMALL, np.array([5]), 12)[1], alone)


# Des traces vraies


def test_running_takes_a_training_where_it_is_to_its_end():
    """La boucle se quitte et se reprend sans perdre ni refaire un tour."""
    config = replace(SMALL, total_steps=241)
    expected = list(train(config, SEEDS))
    assert len(expected) == 61
    training, steps = run(config, SEEDS, 17)
    steps.append(next(training.run()))
    assert_same_steps(steps + list(training.run()), expected)
    assert list(training.run()) == []


def replay_in_gymnasium(steps, seed, agent, limit):
    """Rejoue les actions des chariots d'un agent, dans le `CartPole-v1` de Gymnasium."""
    for cart, cart_seed in enumerate(environment_seeds(seed, Purpose.CARTS, 4)):
        env = gymnasium.make("CartPole-v1", max_episode_steps=limit)
        observation, total = env.reset(seed=cart_seed)[0], 0.0
        for step in steps:
            here = (agent, cart)
            np.testing.assert_array_equal(step.observation[here], observation)
            observation, reward, terminated, truncated, _ = env.step(int(step.action[here]))
            total += reward
            np.testing.assert_array_equal(step.next_observation[here], observation)
            assert step.reward[here] == reward
            assert (step.terminated[here], step.truncated[here]) == (terminated, truncated)
            ended = terminated or truncated
            np.testing.assert_array_equal(
                step.episode_return[here], total if ended else float("nan")
            )
            if ended:
                observation, total = env.reset()[0], 0.0


def test_records_kept_in_a_list_are_true():
    steps = list(train(replace(SMALL, total_steps=600), SEEDS, env=short(12)))
    assert column(steps, "truncated").any()
    assert column(steps, "terminated").any()
    for agent, seed in enumerate(SEEDS):
        replay_in_gymnasium(steps, seed, agent, limit=12)


def test_a_record_belongs_to_its_reader():
    """Une figure qui normalise ses tableaux sur place ne doit pas détourner l'entraînement."""
    config = replace(SMALL, n_steps=3, epsilon_hold=4.0)
    training, untouched, kept = Training(config, 3), Training(config, 3), []
    for _ in range(40):
        step, expected = training.advance(), untouched.advance()
        kept.append((expected, deepcopy(expected)))
        assert_same_steps([step], [expected])
        assert step.loss.flags.owndata  # une vue garderait en vie un bloc de PyTorch par tour
        for array in step[:8]:
            array[...] = 0
    assert_same_steps(*zip(*kept, strict=True))  # et aucun tour ne change après coup
    # Un jeu, lui, peut réemployer son tableau.
    assert_same_steps(run(SMALL, SEEDS, 20, env=Reusing)[1], run(SMALL, SEEDS, 20)[1])


def test_start_x_widens_the_training_starts():
    wide, usual = (run(replace(SMALL, start_x=x), 3, 1)[1][0] for x in (2.0, 0.05))
    expected = usual.observation * [40, 1, 1, 1]
    np.testing.assert_allclose(wide.observation, expected, rtol=1e-6)


# Les graines


def test_the_same_seeds_give_the_same_training():
    first, first_steps = run(SMALL, SEEDS, 60)
    torch.manual_seed(123)
    before = torch.get_rng_state()
    again, again_steps = run(SMALL, SEEDS, 60)
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_steps(first_steps, again_steps)
    assert torch.equal(first.agent.weights, again.agent.weights)


def test_two_seeds_differ_in_weights_starts_and_actions():
    """Une bibliothèque célèbre redémarrait chaque épisode de la même graine, des années durant."""
    training = Training(replace(SMALL, epsilon_end=1.0), [0, 1])
    weights = training.agent.weights
    steps = [training.advance() for _ in range(60)]
    assert (weights[0] != weights[1])[weights[0] != 0].all()
    differing = (column(steps, "action")[:, 0] != column(steps, "action")[:, 1]).mean()
    assert 0.3 < differing < 0.7
    starts = training_starts(steps)
    assert len(starts) > 20
    assert len(np.unique(starts, axis=0)) == len(starts)


ALIGNED = replace(SMALL, hidden=(32, 32))
ALONE = {
    "one_cart": {"carts": 1, "hidden": (), "target_period": 5, "target_rate": 1.0},
    "document_network": {"hidden": VERSION_1.hidden, "activation": "leaky_relu"},
    "all": {"mirror": True, "double": True, "n_steps": 2, "learn_every": 2, "start_x": 1.5},
    "held": {"epsilon_hold": 6.0, "average_tail": 0.2, "initialisation": "xavier_normal"},
}


@pytest.mark.parametrize("variant", ALONE)
def test_an_agent_alone_equals_its_row_among_others(variant):
    assert_alone_as_among_others(replace(ALIGNED, **ALONE[variant]), SEEDS[:2], 40)


# L'apprentissage, refait en torch.nn sur les mêmes lots

LAYERS = {"silu": nn.SiLU, "relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}


class Witness:
    """Un DQN écrit d'un trait, pour un agent, avec `nn.Sequential` et `torch.optim.Adam`."""

    def __init__(self, config, agent):
        self.config = config
        self.online = self._network(agent)
        self.target, self.average = deepcopy(self.online), deepcopy(self.online)
        self.optimiser = torch.optim.Adam(self.online.parameters(), lr=config.learning_rate)
        self.updates = 0

    def _network(self, agent):
        modules = []
        for weight, bias in StackedNetwork(self.config, agent.weights).layers:
            linear = nn.Linear(*weight.shape[1:])
            linear.weight.data, linear.bias.data = weight[0].T.clone(), bias[0, 0].clone()
            modules += [linear, LAYERS[self.config.activation]()]
        return nn.Sequential(*modules[:-1])

    def q(self, network, observations):
        observations = observations * torch.tensor(self.config.input_scale or 1.0)
        if self.config.mirror:
            sides = [network(sign * observations)[:, -1] for sign in (-1, 1)]
            return torch.stack(sides, dim=1)
        return network(observations)

    def learn(self, batch):
        observation, action, reward, terminated, following, *discount = map(torch.tensor, batch)
        rows = torch.arange(len(action))
        with torch.no_grad():
            judge = self.q(self.target, following)
            chooser = self.q(self.online, following) if self.config.double else judge
            value = judge[rows, chooser.argmax(dim=1)]
            gamma = discount[0] if discount else self.config.gamma
            goal = reward + gamma * value * (1 - terminated.float())
        loss = nn.functional.mse_loss(self.q(self.online, observation)[rows, action], goal)
        self._descend(loss)
        return loss.item()

    def _descend(self, loss):
        config = self.config
        rate = config.learning_rate * config.learning_rate_decay**self.updates
        self.optimiser.param_groups[0]["lr"] = max(rate, config.learning_rate_floor)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self.updates += 1
        if self.updates % config.target_period == 0:
            self._approach(self.target, config.target_rate)
        tail = config.average_tail
        recent = min(1, 1 / (tail * self.updates)) if tail else 0
        self._approach(self.average, max(config.average_rate, recent))

    @torch.no_grad()
    def _approach(self, network, share):
        for mine, theirs in zip(network.parameters(), self.online.parameters(), strict=True):
            mine += share * (theirs - mine)


LEARNING = {
    "hard_target": {"target_period": 7, "target_rate": 1.0},
    "slow_soft_target": {"target_period": 3, "target_rate": 0.3, "average_rate": 1.0},
    "falling_rate": {"learning_rate_decay": 0.9, "learning_rate_floor": 1e-3},
    "double": {"double": True, "target_rate": 0.02},
    "scaled": {"input_scale": (2.0, 0.5, 10.0, 1.0), "activation": "leaky_relu"},
    "gamma_one": {"gamma": 1.0, "activation": "tanh"},
    "all": {"mirror": True, "double": True, "n_steps": 3, "learn_every": 2, "average_tail": 0.3},
}


@pytest.mark.parametrize("variant", LEARNING)
def test_learning_equals_a_plain_dqn_in_torch_nn(variant):
    config = replace(SMALL, **LEARNING[variant])
    memory = Watched(config, 3)
    training = Training(config, 3, memory=memory)
    witness = Witness(config, training.agent)
    losses = np.array([training.advance().loss[0] for _ in range(60)])
    expected = [witness.learn([array[0] for array in batch]) for batch in memory.drawn]
    assert len(expected) > 20
    np.testing.assert_allclose(losses[~np.isnan(losses)], expected, rtol=1e-3)
    probes = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    for agent, network in [
        (training.agent, witness.average),
        (training.online, witness.online),
        (training.target, witness.target),
    ]:
        with torch.no_grad():
            values = witness.q(network, torch.from_numpy(probes))
        np.testing.assert_allclose(agent.q_values(probes), values, atol=2e-5)


def test_the_witness_would_see_a_wrong_rule():
    """Le témoin distingue chacune des variantes : sinon le test précédent ne prouverait rien."""
    memory = Watched(SMALL, 3)
    training = Training(SMALL, 3, memory=memory)
    witnesses = {
        name: Witness(replace(SMALL, **changes), training.agent)
        for name, changes in LEARNING.items()
        if name != "all"
    }
    losses = [training.advance().loss[0] for _ in range(60)]
    losses = np.array(losses)[~np.isnan(losses)]
    for name, witness in witnesses.items():
        wrong = [witness.learn([array[0] for array in batch]) for batch in memory.drawn]
        assert not np.allclose(losses, wrong, rtol=1e-2), name


def test_updates_happen_when_they_should():
    """Le premier tour est celui où quatre chariots ont mémorisé `warmup` transitions."""
    for changes, first, period in [
        ({"warmup": 33}, 9, 1),
        ({"learn_every": 3}, 9, 3),
        ({"n_steps": 3}, 10, 1),
    ]:
        _, steps = run(replace(SMALL, **changes), SEEDS, 30)
        updated = np.isin(np.arange(1, 31), range(first, 31, period))
        np.testing.assert_array_equal([step.updated for step in steps], updated, str(changes))
        np.testing.assert_array_equal(np.isnan(column(steps, "loss")).T, [~updated] * 3)
        assert [step.gradient_steps for step in steps] == np.cumsum(updated).tolist()
    # Une perte divergée vaut NaN elle aussi : `updated` l'en distingue.
    diverged = {"td_loss": lambda q, action, target: td_loss(q, action, target) * torch.nan}
    _, steps = run(SMALL, SEEDS, 12, **diverged)
    assert np.isnan(column(steps, "loss")).all()
    assert [step.updated for step in steps] == [False] * 7 + [True] * 5


def test_actions_are_those_of_the_rule_on_the_online_network():
    """Ni le réseau cible ni la moyenne, ici presque figés, ne conduisent à l'entraînement."""
    config = replace(
        SMALL,
        epsilon_end=0.3,
        epsilon_steps=100,
        epsilon_spread=3.0,
        epsilon_hold=3.0,
        target_rate=1e-6,
        average_rate=1e-6,
    )
    training, held = Training(config, SEEDS), torch.full((3, 4), FREE)
    generators = [stream(seed, Purpose.EXPLORATION) for seed in SEEDS]
    for _ in range(60):
        epsilon, online = config.epsilons(training.env_steps), training.online
        step = training.advance()
        draws = torch.from_numpy(np.stack([one.random((4, 2)) for one in generators]))
        q = torch.from_numpy(online.q_values(step.observation))
        expected, held = held_epsilon_greedy(q, torch.from_numpy(epsilon), 3.0, draws, held)
        np.testing.assert_array_equal(step.action, expected)
    assert (online.q_values(step.observation) != training.target.q_values(step.observation)).all()


# Ce qui entre en mémoire


def test_the_memory_receives_the_true_transitions():
    """Une troncature n'y est pas une fin, et aucun successeur n'est celui d'un autre épisode."""
    memory = Watched(SMALL, SEEDS)
    _, steps = run(SMALL, SEEDS, 60, env=short(12), memory=memory)
    only_truncated = column(steps, "truncated") & ~column(steps, "terminated")
    assert only_truncated.any()
    names = ("observation", "action", "reward", "terminated", "next_observation")
    for name, added in zip(names, zip(*memory.added, strict=True), strict=True):
        np.testing.assert_array_equal(added, column(steps, name), err_msg=name)


def n_step_transition(steps, here, n, gamma):
    """La transition que commence le premier de ces tours, pour la copie `here` : à la main."""
    total, power = 0.0, 1.0
    for step in steps[:n]:
        total += power * step.reward[here]
        power *= gamma
        if step.terminated[here] or step.truncated[here]:
            break
    first = (steps[0].observation[here].tolist(), steps[0].action[here])
    return *first, total, step.terminated[here], step.next_observation[here].tolist(), power


@pytest.mark.parametrize("n", [2, 5])
def test_each_step_begins_one_transition_cut_at_the_first_end(n):
    """Celle qu'une troncature coupe n'a que k récompenses, et amorce avec γᵏ."""
    config = replace(SMALL, n_steps=n)
    memory = Watched(config, [0, 1])
    _, steps = run(config, [0, 1], 150, env=short(12), memory=memory)
    assert (column(steps, "truncated") & ~column(steps, "terminated")).any()
    assert column(steps, "terminated").any()
    assert len(memory.added) == 150 - n + 1
    for turn, added in enumerate(memory.added):
        for here in np.ndindex(2, 4):
            received = [field[here].tolist() for field in added]
            *exact, total, ended, following, power = n_step_transition(steps[turn:], here, n, 0.9)
            assert [*received[:2], *received[3:5]] == [*exact, ended, following]
            assert [received[2], received[5]] == pytest.approx([total, power], rel=1e-6)


# Injecter sa propre règle


def test_injected_rules_replace_the_configured_ones():
    seen = []

    def my_target(reward, terminated, next_q, gamma):
        seen.append((reward.shape, terminated.dtype, next_q.shape, gamma))
        return torch.full_like(reward, 7.0)

    def my_loss(q, action, target):
        assert (target == 7).all()
        return (q.mean(dim=-1) - target).abs().mean(dim=-1)

    config = replace(SMALL, n_steps=3, double=True)
    _, steps = run(config, SEEDS, 12, td_target=my_target, td_loss=my_loss)
    assert len(seen) == 3
    for *received, gamma in seen:
        assert received == [(3, 16), torch.bool, (3, 16, 2)]
        assert gamma.shape == (3, 16)
        assert {*gamma.numpy().round(6).flat} <= {*np.float32([0.9, 0.81, 0.729])}
    assert (np.abs(steps[-1].loss - 7) < 2).all()


def test_a_rule_that_answers_badly_is_refused():
    for wrong in (lambda r, t, q, g: r[..., None], lambda r, t, q, g: r.numpy()):
        with pytest.raises(ValueError, match=r"^td_target doit rendre un tenseur \(3, 16\) : "):
            run(SMALL, SEEDS, 8, td_target=wrong)
    with pytest.raises(ValueError, match=r"^td_loss doit rendre un tenseur \(3,\) : "):
        run(SMALL, SEEDS, 8, td_loss=lambda q, a, y: (q.amax(-1) - y) ** 2)
    with pytest.raises(ValueError, match=r"td_loss doit .* un tenseur détaché rendu"):
        run(SMALL, 0, 8, td_loss=lambda *lot: td_loss(*lot).detach())


class Retouched(Altered):
    """Une mémoire dont `change` retouche les lots."""

    def __init__(self, change):
        super().__init__(ReplayBuffer(SMALL.capacity, seeds=SEEDS))
        self.change = change

    def sample(self, batch_size):
        return self.change(super().sample(batch_size))


def test_a_memory_may_give_lists_and_its_bad_answers_are_refused():
    listed = Retouched(lambda lot: [field.tolist() for field in lot])
    assert_same_steps(run(SMALL, SEEDS, 15, memory=listed)[1], run(SMALL, SEEDS, 15)[1])
    for change, message in [
        (lambda lot: None, "next_observation : None reçu"),
        (lambda lot: lot[:4], "next_observation : 4 champs reçu"),
        (lambda lot: lot._replace(action=lot.action + 0.5), "action, .* de int64 : float64 reçu"),
        (lambda lot: lot._replace(terminated=lot.action), "terminated, .* de bool : int64 reçu"),
        (lambda lot: lot._replace(reward=lot.reward[..., None]), r"reward, .*\(3, 16, 1\) reçu"),
        (lambda lot: lot._replace(observation=lot.observation[:, 1:]), r"^observation, .* reçu"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            run(SMALL, SEEDS, 8, memory=Retouched(change))


def test_a_training_starts_from_the_weights_of_the_same_architecture():
    """Les deux ont 176 poids, arrondis."""
    narrow, wide = (replace(SMALL, hidden=(width,)) for width in (23, 24))
    training = Training(narrow, 0)
    for wrong, told in [(Training(wide, 0).agent, r"avoir .* \(23, 2\).*24"), (3, "un Agent : 3")]:
        with pytest.raises((TypeError, ValueError), match=f"agent doit .*{told}.* reçu"):
            training.start_from(wrong)
    other = Training(narrow, 1)
    training.start_from(other.agent)
    for network in (training.agent, training.online, training.target):
        assert torch.equal(network.weights, other.agent.weights)


def test_a_bad_training_is_refused_before_its_first_step():
    bad = [
        ({"seeds": [1, 2, 1]}, r"seeds doit .* \[1, 2, 1\] reçu"),
        ({"device": "quantique"}, "device doit .* 'quantique' reçu"),
        ({"device": 1.5}, r"device doit .* 1\.5 reçu"),
        ({"config": {"gamma": 0.9}}, "config doit .* reçu"),
        ({"env": 3}, "env doit .* 3 reçu"),
        ({"memory": []}, "memory doit avoir .* list reçu, sans add, sample"),
        ({"memory": ReplayBuffer(31)}, r"garder warmup=32 transitions.* mémoire de 31 reçue"),
        ({"td_target": 3}, "td_target doit .* 3 reçu"),
        ({"td_loss": None}, "td_loss doit .* None reçu"),
    ]
    for arguments, message in bad + [({"device": "cuda"}, "'cuda' reçu")] * (not CUDA):
        for begin in (Training, train):
            with pytest.raises((TypeError, ValueError), match=message):
                begin(**{"config": SMALL, "seeds": 0, **arguments})


@pytest.mark.skipif(not CUDA, reason="il faut un GPU")
def test_a_gpu_gives_close_losses():
    config = replace(SMALL, mirror=True, epsilon_end=1.0)  # les actions ne dépendent pas de Q
    _, expected = run(config, SEEDS, 40)
    training, steps = run(config, SEEDS, 40, device="cuda")
    np.testing.assert_array_equal(column(steps, "observation"), column(expected, "observation"))
    np.testing.assert_allclose(column(steps, "loss"), column(expected, "loss"), rtol=1e-3)
    assert training.agent[0](np.zeros((5, 4))).shape == (5,)


# Et cela apprend


def test_version_2_learns():
    """Deux graines sur deux passent 195 en 8 000 pas ; le hasard fait 23. QUICK : test_solving."""
    training, best = Training(VERSION_2, range(2)), np.zeros(2)
    while (best < 195).any() and training.env_steps < 8_000:
        for _ in range(100):
            training.advance()
        best = np.maximum(best, evaluate(training.agent, 10).mean(axis=1))
    assert (best >= 195).all()


def test_the_spread_is_the_deviation_and_a_still_component_keeps_its_scale():
    moving = np.random.default_rng(0).normal(5, 3, (2, 50))
    seen = np.stack([moving, np.full((2, 50), 7.0)], axis=-1).astype(np.float32)  # (S, N, D)
    spread = Spread((2, 2))
    for part in (seen[:, :20], seen[:, 20:]):
        spread.add(part)
    expected = np.ones((2, 1, 2))
    expected[:, 0, 0] = 1 / seen[..., 0].astype(float).std(axis=1)
    np.testing.assert_allclose(spread.scale(), expected, rtol=1e-6)


def test_a_memory_that_does_not_carry_its_state_is_named_when_one_saves():
    class Deaf:
        def __init__(self):
            self.ring = ReplayBuffer(200, seeds=[0])

        def __len__(self):
            return len(self.ring)

        def add(self, *transition):
            self.ring.add(*transition)

        def sample(self, batch_size):
            return self.ring.sample(batch_size)

    with pytest.raises(ValueError, match=r"^memory "):
        Training(QUICK, 0, memory=Deaf()).saved_state()
