"""La clinique ailleurs : un autre jeu, une autre boucle, un autre programme."""

import math
import pickle
import re
import sys
from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch
from handmade import NORMAL, TITLE, chart_of, plain
from torch import nn

from cartpole_helpers import QUICK, ReplayBuffer, Training, Transition
from cartpole_helpers.teaching.clinic import (
    HEALTHY,
    HUBER,
    ILLNESSES,
    Game,
    Logbook,
    diagnose,
    edges,
    examine,
    load_chart,
    monitor,
    references_from,
    references_of,
    save_chart,
    sb3_callback,
    sensitivity,
    sheet,
    unseen_because,
)
from cartpole_helpers.teaching.clinic.charts import SQUARED
from cartpole_helpers.teaching.clinic.logbook import q_function
from cartpole_helpers.teaching.clinic.references import Seen
from cartpole_helpers.teaching.clinic.sheets import vitals_of

ACROBOT = Game("Acrobot-v1", -1.0, 0.0, 0.99)
NEGATED = ("played", "greedy", "q_safe", "q_doomed", "target_safe", "stored_reward")
COSTLY = chart_of()._replace(
    game=ACROBOT,
    **{name: -getattr(NORMAL, name) for name in NEGATED if name not in ("played", "greedy")},
    played=np.linspace(-500, -150, 12),
    greedy=np.linspace(-500, -90, 12),
)


# Les états d'épreuve


def test_the_beginnings_of_a_game_are_drawn_from_it():
    references = references_of("Acrobot-v1")
    assert references.sizes == (6, 3)
    assert references.safe.shape == (64, 6)
    assert (references.safe[:, [0, 2]] > math.cos(0.1) - 1e-6).all()  # deux angles sous 0,1
    assert len(np.unique(references.safe, axis=0)) == 64
    np.testing.assert_array_equal(references.safe, references_of("Acrobot-v1").safe)


def test_without_a_game_the_beginnings_are_those_that_were_lived():
    chain = np.arange(14, dtype=np.float32).reshape(7, 2)
    states, successors = np.delete(chain, [3, 6], axis=0), np.delete(chain, [0, 4], axis=0)
    lived = Transition(states, np.zeros(5, int), np.ones(5), np.zeros(5, bool), successors)
    np.testing.assert_array_equal(references_from(lived, 3).safe, chain[[0, 4]])
    together = Transition(*(np.repeat(column, 2, axis=0) for column in lived))  # deux copies
    np.testing.assert_array_equal(references_from(together, 3, 2).safe, chain[[0, 0, 4, 4]])


class Corridor(gymnasium.Env):
    """Un couloir où tout épisode part du même bout."""

    observation_space = gymnasium.spaces.Box(0, 100, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = np.zeros(1, np.float32)
        return self.place, {}

    def step(self, action):
        self.place = self.place + np.float32(action)
        return self.place, -1.0, False, False, {}


def test_a_game_that_always_starts_alike_is_probed_where_chance_leads():
    gymnasium.register("MemeDepart-v0", Corridor, max_episode_steps=200)
    references = references_of("MemeDepart-v0")
    assert not references.safe.any()
    reached = references.probes[:, 0]
    assert (reached <= np.arange(64)).all()  # un pas de plus à chaque rang
    assert len(np.unique(reached)) > 20
    one_start = Transition(
        np.arange(40.0)[:, None], *np.zeros((3, 40)), np.arange(1.0, 41)[:, None]
    )
    assert references_from(one_start, 2).probes[:, 0].tolist() == [*range(40)]


# Ce que dit la mémoire, contre ce qu'on a vécu


def lived(count=60, seed=0):
    """Des pas d'un jeu inventé : (transitions (N, ...), interrompus (N,))."""
    generator = np.random.default_rng(seed)
    states = generator.normal(size=(count + 1, 3)).astype(np.float32)
    over, cut = np.arange(count) % 10 == 4, np.arange(count) % 10 == 9
    action = generator.integers(2, size=count)
    return Transition(states[:-1], action, np.full(count, -1.0), over, states[1:]), cut


def in_order(observations):
    return np.stack([observations[:, 0], -observations[:, 1]], axis=1)


def test_a_memory_is_audited_by_what_was_seen():
    transitions, cut = lived()
    seen = Seen()
    seen.add(transitions, cut)
    references = references_from(transitions, 2)._replace(ended=seen.ended)
    flags = transitions.terminated | cut
    flags[4] = False
    found = examine(in_order, None, transitions._replace(terminated=flags), references=references)
    assert found["stored_falls"] == pytest.approx(6 / 60)
    assert found["false_ends"] == pytest.approx(6 / 60)
    assert found["missed_ends"] == pytest.approx(1 / 6)
    before = in_order(transitions.observation[transitions.terminated]).max(axis=1)
    assert found["q_doomed"] == pytest.approx(before.mean())
    elsewhere = transitions._replace(next_observation=transitions.next_observation / 2)
    unknown = examine(in_order, None, elsewhere, references=references)
    assert not {"false_ends", "missed_ends"} & unknown.keys()


def test_the_discount_is_read_in_values_that_a_huber_loss_fits():
    """Un γ de 0,9 suivi partout, hormis des fins très fausses, dont la pente est bornée."""
    transitions, _ = lived(200)
    transitions = transitions._replace(terminated=np.arange(200) % 20 == 0)
    following = 30 + transitions.next_observation[:, 0]
    fitted = np.where(transitions.terminated, 20, -1 + 0.9 * following)
    # La pente des fins vaut 1 : une même somme, ailleurs, la compense.
    fitted -= np.where(transitions.terminated, 0, 10 / 190)
    table = {row.tobytes(): value for row, value in zip(transitions[0], fitted, strict=True)}
    successors = dict(zip(map(bytes, transitions[4]), following, strict=True))

    def online(states):
        return np.stack([[table[row.tobytes()]] * 2 for row in states])

    def target(states):
        return np.stack([[successors[bytes(row)]] * 2 for row in states])

    references = references_from(transitions, 2)
    references = references._replace(safe=transitions.observation[:1])
    states = {row.tobytes() for row in transitions.next_observation}
    successors |= {
        row.tobytes(): 0.0 for row in transitions.observation if bytes(row) not in states
    }
    given = (online, target, transitions)
    assert examine(*given, references=references, loss=HUBER)["discount"] == pytest.approx(0.9)
    assert examine(*given, references=references, loss=SQUARED)["discount"] > 0.91


def test_a_training_on_another_game_has_every_measure():
    config = replace(QUICK, mirror=False, input_scale="auto", total_steps=1_600, warmup=200)
    [seen] = monitor(Training(config, 3, env="Acrobot-v1"), looks=8, episodes=1)
    assert seen.game[:2] == ("Acrobot-v1", -1.0)
    rare = {"played", "q_doomed", "stored_falls", "missed_ends", "fall_cost"}  # il y faut une fin
    for name, column in seen._asdict().items():
        assert name in rare or np.isfinite(column).any(), name
    assert diagnose(seen).game == seen.game


# Les signes, là où chaque pas coûte


def test_a_costly_game_is_judged_by_the_same_signs():
    assert diagnose(COSTLY).verdict == HEALTHY
    for name, changes in {
        "récompense perdue": {"stored_reward": 0.0},
        "politique évaluée périmée": {"greedy": -500.0, "disagreement": 0.5},
        "cible trop lente": {"target_safe": 0.5 * COSTLY.q_safe},
        "valeurs qui explosent": {"q_limit": 4e3},
        "γ = 1 ou presque": {"discount": 1.0},
        "masque oublié": {"missed_ends": 0.5},
        "cible mal alignée": {"flatness": 0.01, "fall_cost": 0.8},
    }.items():
        sick = {key: np.broadcast_to(value, 12) for key, value in changes.items()}
        found = diagnose(COSTLY._replace(**sick))
        assert found.verdict == name
        assert not re.search("chute|tige|de 500", plain(found.hypotheses[0].evidence))
    flat = COSTLY._replace(flatness=np.full(12, 0.02), fall_cost=np.full(12, 0.001))
    flat = flat._replace(loss=np.full(12, 0.002))  # plat, mais la perte l'est aussi
    assert diagnose(flat).verdict == HEALTHY


def test_values_have_no_unit_before_the_first_reward():
    nothing = COSTLY._replace(game=Game("Couloir-v0", 0.0, 0.0, 0.0))
    assert "valeurs qui explosent" in unseen_because(nothing)
    assert "valeurs qui explosent" not in [one.name for one in diagnose(nothing).hypotheses]
    endless = nothing._replace(q_limit=np.full(12, math.inf))
    assert "valeurs qui explosent" in [one.name for one in diagnose(endless).hypotheses]


def test_what_rewards_of_both_signs_hide_is_said():
    mixed = COSTLY._replace(game=Game("LunarLander-v3", -100.0, 100.0, 2.0))
    reasons = unseen_because(mixed)
    assert {*reasons} == {one.name for one in ILLNESSES if one.one_sided}
    assert all(plain(one).startswith("Les récompenses du jeu vont de") for one in reasons.values())
    partial = mixed._replace(game=ACROBOT, lag=np.full(12, math.nan))
    assert unseen_because(partial) == {
        "pas de réseau cible": "Il manque lag : donnez le réseau cible."
    }
    assert (
        len(unseen_because(partial._replace(**dict.fromkeys(NEGATED, np.full(12, math.nan))))) > 5
    )


# Une boucle à la main


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        with torch.no_grad():
            for rank, parameter in enumerate(self.parameters()):
                parameter.copy_(
                    torch.sin(torch.arange(parameter.numel()) + rank).view_as(parameter)
                )


def walked(logbook, copy_at_look=False, looks=6, every=20):
    """Mène une boucle à la main, dont chaque mise à jour pousse les poids de 0,001."""
    online, target, returns, total = Net(), Net(), [], 0.0
    game = gymnasium.make("CartPole-v1")
    memory = ReplayBuffer(1_000, seeds=0)
    observation, _ = game.reset(seed=0)
    for step in range(1, looks * every + 1):
        action = step % 2
        successor, reward, terminated, truncated, _ = game.step(action)
        logbook.observe(observation, action, reward, terminated, truncated, successor)
        memory.add(observation, action, reward, terminated, successor)
        total += reward
        if terminated:
            returns, total = [*returns, total], 0.0
        observation = game.reset()[0] if terminated else successor
        with torch.no_grad():
            for parameter in online.parameters():
                parameter += 0.001
        logbook.update(1 / step)
        if copy_at_look and step % every == 0:
            target.load_state_dict(online.state_dict())
        if step % every == 0:
            logbook.look(online, target, memory=memory, epsilon=0.5)
    return logbook.chart(), returns


def test_three_lines_in_a_loop_make_a_chart():
    seen, returns = walked(Logbook(episodes=2))
    assert seen.env_steps.tolist() == seen.gradient_steps.tolist() == [20, 40, 60, 80, 100, 120]
    np.testing.assert_allclose(seen.drift[1:], 0.001, rtol=1e-3)
    assert seen.loss[1] == pytest.approx(np.mean([1 / step for step in range(21, 41)]))
    counts = np.isfinite(seen.played).sum()
    assert 0 < counts <= len(returns)
    assert seen.false_ends.tolist() == [0.0] * 6
    assert np.isfinite(seen.greedy).tolist() == [False] * 3 + [True, False, False]
    assert unseen_because(seen).keys() == {"politique évaluée périmée"}  # vue au début seulement


def test_two_copies_and_a_plain_list_are_followed_as_well():
    """Deux copies avancent ensemble ; la seconde gagne le double et finit tous les trois pas."""
    logbook, kept = Logbook(None), []
    for step in range(1, 13):
        states = np.array([[step, 0], [step, 1]], np.float32)
        over, cut = np.array([False, step % 3 == 0]), np.array([step % 4 == 0, False])
        logbook.observe(states, np.array([0, 1]), np.array([1.0, 2.0]), over, cut, states + 9)
        kept += [*zip(states, (0, 1), (1.0, 2.0), over, states + 9, strict=True)]
        if step % 2 == 0:
            logbook.look(in_order, memory=kept)
    seen = logbook.chart()
    assert seen.env_steps.tolist() == [4, 8, 12, 16, 20, 24]
    np.testing.assert_array_equal(seen.played, [math.nan, 5, 6, 4, 6, 5])
    assert (seen.stored[-1], seen.stored_reward[-1], seen.stored_falls[-1]) == (24, 1.5, 4 / 24)
    assert pickle.loads(pickle.dumps(seen)).game == seen.game == ("un autre jeu", 1, 2, 1.5)


def test_a_look_just_after_each_copy_is_not_taken_for_no_target_network():
    seen, _ = walked(Logbook(episodes=0), copy_at_look=True)
    assert np.isnan(seen.lag).all()
    assert "pas de réseau cible" not in [one.name for one in diagnose(seen).hypotheses]


def test_a_loop_whose_game_is_unknown_is_followed_all_the_same():
    seen, _ = walked(Logbook(None))
    assert seen.game == ("un autre jeu", 1.0, 1.0, 1.0)
    assert np.isfinite(seen.q_safe).all()
    assert np.isnan(seen.greedy).all()


def test_a_memory_still_empty_is_followed():
    for memory in ([], ReplayBuffer(10, seeds=0)):
        logbook = Logbook(episodes=0)
        logbook.observe(np.zeros(4), 0, 1.0, True, False, np.ones(4))
        logbook.look(Net(), memory=memory)
        assert logbook.chart().stored == 0


def test_a_loop_that_takes_a_cut_for_an_end_is_not_believed():
    """Elle le dit au relevé comme à sa mémoire ; à CartPole, l'état montre que rien n'est tombé."""
    logbook, memory = Logbook(episodes=0), []
    standing, fallen = np.zeros(4, np.float32), np.array([0, 0, 0.3, 0], np.float32)
    for successor in [standing, fallen] * 10:
        memory.append((standing, 0, 1.0, True, successor))  # terminated or truncated
        logbook.observe(*memory[-1][:4], False, successor)
    logbook.look(lambda states: states[:, :2], memory=memory)
    assert logbook.rows[0]["false_ends"] == pytest.approx(0.5)


def test_a_network_is_asked_as_it_would_be_judged_and_given_back_as_it_was():
    frozen = nn.Dropout(0.5).eval()
    network = nn.Sequential(nn.Linear(4, 8), frozen, nn.Dropout(0.5), nn.Linear(8, 2))
    asked = q_function(network)
    states = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(asked(states), asked(states))
    assert [module.training for module in network] == [True, False, True, True]


def test_means_of_losses_weigh_their_updates():
    logbook = Logbook(episodes=0)
    logbook.observe(np.zeros(4), 0, 1.0, False, False, np.ones(4))
    logbook.update(torch.tensor(1.0, requires_grad=True), 3)
    logbook.update(5.0)
    logbook.look(Net())
    assert logbook.chart().loss == pytest.approx(2)
    assert logbook.chart().gradient_steps == 4


def test_what_cannot_be_followed_is_refused_in_a_sentence():
    step = (np.zeros(4), 0, 1.0, False, False, np.zeros(4))
    nothing, looked = Logbook(), Logbook(episodes=0)
    for logbook in (nothing, looked):
        logbook.observe(*step)
    looked.look(Net())
    pair = (np.zeros((2, 4)), [0, 0], [1.0, 1.0], [False, False], [False, False], np.ones((2, 4)))
    pairs = ReplayBuffer(8, seeds=[0, 1])
    apart = [(np.zeros(size), 0, 1.0, False, np.zeros(4)) for size in (4, 3)]
    calls = (
        (lambda: looked.look(Net()), r"^look doit suivre .* depuis le pas 1\.$"),
        (lambda: nothing.observe(*pair), r"^observe doit recevoir .* : 2 reçu, après 1\.$"),
        (lambda: nothing.look(Net(), memory=apart), "^memory doit garder, .* de 4 nombres"),
        (lambda: nothing.look(Net(), epsilon="0,1"), "^epsilon doit être un nombre : '0,1' reçu"),
        (lambda: nothing.update([1.0, 2.0]), "^loss doit être un nombre"),
        (lambda: Logbook(loss="huber"), "^loss doit être SQUARED ou HUBER : 'huber' reçu"),
        (lambda: Logbook().observe(*step[:2], math.nan, *step[3:]), "^reward ne doit contenir que"),
        (lambda: Logbook().look(Net()), "^look doit suivre au moins un `observe`"),
        (lambda: nothing.look(Net(), memory=3), r"^memory doit être .* : int reçu\.$"),
        (lambda: nothing.look(Net(), memory=[(1, 2)]), "^memory doit être une suite de transit"),
        (lambda: nothing.look(Net(), memory=pairs), "^memory doit être d'un seul .* : 2 agents"),
        (lambda: Logbook("Pendulum-v1"), "^env doit avoir des actions discrètes"),
        (lambda: examine(in_order, references=references_of("Acrobot-v1")), r"^online .*\(64, 3\)"),
    )
    for call, reason in calls:
        with pytest.raises((TypeError, ValueError), match=reason):
            call()


def test_without_stable_baselines_a_sentence_says_how_to_get_it(monkeypatch):
    name = "cartpole_helpers.teaching.clinic.stable_baselines"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "stable_baselines3.common.callbacks", None)
    with pytest.raises(ImportError, match=r"^sb3_callback demande .*pip install stable-baseline"):
        sb3_callback()


def test_a_planted_fault_is_found_in_stable_baselines():
    """Des épisodes de vingt pas, interrompus, dont la fin se range comme une chute."""
    peer = pytest.importorskip("stable_baselines3")
    common = {"seed": 0, "device": "cpu", "learning_starts": 100, "batch_size": 32}
    common |= {"target_update_interval": 50, "policy_kwargs": {"net_arch": [16]}}
    charts = []
    for handled in (True, False):
        given = {"replay_buffer_kwargs": {"handle_timeout_termination": handled}}
        game = gymnasium.make("CartPole-v1", max_episode_steps=15)
        callback = sb3_callback(looks=8, episodes=0)
        peer.DQN("MlpPolicy", game, **common, **given).learn(600, callback=callback)
        charts.append(callback.chart())
    assert charts[0].env_steps[-1] > 500
    assert charts[0].gradient_steps[-1] == pytest.approx((charts[0].env_steps[-1] - 100) / 4, abs=3)
    clocked = "troncature prise pour une chute"
    found = [[one.name for one in diagnose(seen).hypotheses] for seen in charts]
    assert [clocked in names for names in found] == [False, True]
    with pytest.raises(TypeError, match=r"^model doit être un DQN : PPO reçu\.$"):
        peer.PPO("MlpPolicy", "CartPole-v1", device="cpu").learn(8, callback=sb3_callback())


def test_a_second_learning_is_followed_alone():
    peer = pytest.importorskip("stable_baselines3")
    common = {"seed": 0, "device": "cpu", "learning_starts": 50, "batch_size": 16}
    model = peer.DQN("MlpPolicy", "CartPole-v1", **common, policy_kwargs={"net_arch": [8]})
    model.learn(200)
    again = sb3_callback(looks=4, episodes=0)
    model.learn(200, callback=again, reset_num_timesteps=False)
    seen = again.chart()
    assert len(seen.env_steps) == 4
    assert seen.gradient_steps == pytest.approx(seen.env_steps / 4, abs=1)
    assert (seen.loss > 0).all()


def test_a_game_whose_observations_are_changed_is_no_longer_the_game():
    peer = pytest.importorskip("stable_baselines3")
    game = gymnasium.make("CartPole-v1")
    game = gymnasium.wrappers.TransformObservation(game, lambda seen: 10 * seen, None)
    callback = sb3_callback(looks=2, episodes=1)
    peer.DQN("MlpPolicy", game, device="cpu").learn(20, callback=callback)
    assert callback.chart().game.name == "un autre jeu"


# Garder, montrer


def test_a_chart_keeps_its_game_and_that_of_another_is_refused(tmp_path):
    path = tmp_path / "relevé.csv"
    save_chart(COSTLY, path)
    assert load_chart(path, "Acrobot-v1").game == ACROBOT
    with pytest.raises(ValueError, match=r"de CartPole-v1 : .*relevé\.csv' vient de Acrobot-v1\.$"):
        load_chart(path, "CartPole-v1")
    whole = path.read_bytes()
    first, rest = whole.split(b"\n", 1)
    assert first == b"# de : Acrobot-v1,-1,0,0.99"
    path.write_bytes(rest)
    assert load_chart(path).game == Game()  # un fichier d'avant ne dit rien : il vient de CartPole
    for spoilt in (whole[: len(whole) // 2], whole.replace(b",0.99", b""), whole[9:]):
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match=r"^path doit être un relevé entier"):
            load_chart(path)


def test_a_sheet_of_another_game_shows_all_of_it(unseen):
    picture = sheet(COSTLY, TITLE, COSTLY._replace(q_safe=COSTLY.q_safe - 50))
    for vital, axes in zip(vitals_of(COSTLY), picture.figure.axes, strict=True):
        assert plain(axes.get_title(loc="left")) == vital.label
    low, high = picture.figure.axes[2].get_ylim()
    assert low < -80 < 0 < high
    with pytest.raises(ValueError, match=r"^witness doit .* que `chart`, Acrobot-v1"):
        sheet(COSTLY, TITLE, NORMAL)


# Les seuils


def test_a_curve_of_sensitivity_counts_the_degrees_of_an_archive():
    study = {"maladie": np.array(["unités mortes"] * 4 + [HEALTHY] * 2)}
    study |= {one.name: np.zeros(6) for one in ILLNESSES}
    study["unités mortes"] = np.array([0.6, 1.2, 3, 3, 0.3, 0.6])
    for first in ("perte négative", "ε bloqué haut"):
        study[first] = np.array([0, 0, 0, 1, 0, 0])  # deux maladies plus directes la cachent
    found = sensitivity(study, "unités mortes", [0.5, 1, 2])
    assert found.recall.tolist() == [0.75, 0.5, 0.25]
    assert found.alarms.tolist() == [0.5, 0, 0]
    assert (found.sick, found.sound) == (4, 2)
    absent = sensitivity(study, "lot trop petit", [1])
    assert (np.isnan(absent.recall).all(), absent.sick) == (True, 0)
    drawn = edges(study, "Ce que devient un seuil déplacé").alt
    assert "unités mortes" in drawn
    assert "lot trop petit" not in drawn
    with pytest.raises(ValueError, match="aucun ne change"):
        edges(study | {"unités mortes": np.zeros(6)}, "Rien")
