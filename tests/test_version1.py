"""Le système du document fondateur : il tourne, et ses défauts sont bien là."""

import ast
import importlib
import re
from collections import deque
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

import cartpole_helpers
from cartpole_helpers import version1
from cartpole_helpers.display import live
from cartpole_helpers.networks import StackedNetwork
from cartpole_helpers.policies import lqr

ROOT = Path(__file__).parents[1]


def pushed(capacity, count):
    """Une mémoire où le pas i a pour état (i, i, i, i)."""
    memory = version1.Buffer(capacity, seed=0)
    for i in range(count):
        memory.push((np.full(4, i), i % 2, np.full(4, i + 1), 1, False))
    return memory


def test_the_ring_keeps_the_latest_when_its_size_is_a_power_of_two():
    for count in (3, 16, 17, 40):
        states, actions, newstates, _, _ = pushed(16, count).sample(16)
        assert sorted(states[:, 0]) == sorted(deque(range(count), maxlen=16))
        np.testing.assert_array_equal(newstates, states + 1)
        np.testing.assert_array_equal(actions[:, 0], states[:, 0] % 2)


def test_the_memory_has_the_faults_it_is_kept_for():
    memory = pushed(10_000, 10_000)  # qui n'est pas une puissance de deux
    assert len({state for _ in range(200) for state in memory.sample(256)[0][:, 0]}) == 256
    assert len(pushed(1 << 10, 20).sample(256)[0]) == 20  # un lot court, en silence
    memory.push((np.zeros(4), 0, np.zeros(4), 0.5, False))
    assert memory.sample(256)[3].max() == 1  # une récompense perd sa décimale


def test_the_two_networks_start_apart_and_meet_after_itermax_updates():
    with version1._torch_seed(0):
        dqnn = version1.DQNN(version1.NN, itermax=3)
    batch = pushed(16, 16).sample(16)

    def apart():
        pairs = zip(dqnn.train_net.parameters(), dqnn.target_net.parameters(), strict=True)
        return any(not torch.equal(online, target) for online, target in pairs)

    found = [apart()]
    for _ in range(3):
        dqnn.train_dqn(batch, 9)
        found.append(apart())
    assert found == [True, True, True, False]


def test_an_update_is_a_step_of_adam_on_the_squared_error():
    with version1._torch_seed(1):
        dqnn, witness = version1.DQNN(version1.NN), version1.NN()
    witness.load_state_dict(dqnn.train_net.state_dict())
    states, actions, newstates, rewards, _ = pushed(16, 16).sample(16)
    dones = np.arange(16)[:, None] % 3 == 0
    dqnn.train_dqn((states, actions, newstates, rewards, dones), 9)
    next_q = dqnn.target_net(torch.from_numpy(newstates)).amax(dim=1).detach().numpy()
    target = rewards[:, 0] + np.where(dones[:, 0], 0, next_q)
    q = witness(torch.from_numpy(states))[torch.arange(16), torch.from_numpy(actions[:, 0]).long()]
    optimiser = torch.optim.Adam(witness.parameters(), 3e-4)
    ((q - torch.from_numpy(target)) ** 2).mean().backward()
    optimiser.step()
    for received, expected in zip(dqnn.train_net.parameters(), witness.parameters(), strict=True):
        torch.testing.assert_close(received, expected, rtol=1e-5, atol=1e-7)


def test_the_learning_rate_falls_at_each_episode_down_to_its_floor():
    dqnn, batch, rates = version1.DQNN(lambda: torch.nn.Linear(4, 2)), pushed(16, 16).sample(16), []
    for start in (3e-4, 3e-4 * 0.999**4_600):
        dqnn.optimizer.param_groups[0]["lr"] = start
        dqnn.scheduler._last_lr = [start]
        for _ in range(4):
            dqnn.train_dqn(batch, 9)
            rates.append(dqnn.optimizer.param_groups[0]["lr"])
    expected = [3e-4 * 0.999**update for update in (1, 2, 3, 4, 4_601, 4_602, 4_603, 4_603)]
    assert rates == pytest.approx(expected, rel=1e-9)


def test_a_model_is_saved_every_four_switches_in_the_folder_given(tmp_path):
    dqnn = version1.DQNN(version1.NN, itermax=1, folder=tmp_path)
    for _ in range(4):
        dqnn.train_dqn(pushed(16, 16).sample(16), 33)
    [path] = tmp_path.iterdir()
    assert path.name.startswith("deep-q-model-33-")
    lengths = version1.test(path, episodes=2, seed=0)
    assert len(lengths) == 2
    assert all(1 <= length <= 500 for length in lengths)


def test_a_seed_makes_a_training_again_with_one_update_per_episode(capsys):
    """Avec les derniers réglages de son auteur ; un épisode d'entraînement s'y appelle « Test »."""
    settings = {"lr": 10**-3.5, "lr_decay": 0.9999, "min_lr": 1e-5, "itermax": 75}
    made = [version1.train(**settings, seed=seed, verbose=seed == 4) for seed in (3, 3, 4)]
    learn = version1.DQNN.train_dqn
    with patch.object(version1.DQNN, "train_dqn", autospec=True, side_effect=learn) as update:
        progress = [[*islice(training, 15)] for training in made]
    first, again, other = ([one.length for one in some] for some in progress)
    assert first == again != other
    assert [call.args[2] for call in update.call_args_list] == first + again + other
    assert progress[0][-1].env_steps == sum(first)
    assert capsys.readouterr().out.startswith("Test episode")


def test_the_time_limit_is_stored_as_a_fall(monkeypatch):
    stored = []
    monkeypatch.setattr(version1.Buffer, "push", lambda self, experience: stored.append(experience))
    monkeypatch.setattr(version1.DQNN, "train_dqn", lambda self, batch, steps: None)
    monkeypatch.setattr(version1.Buffer, "sample", lambda self, batch_size: None)
    monkeypatch.setattr(version1, "choose_action", lambda *_: int(lqr(stored[-1][2][None])[0]))
    lengths = [one.length for one in islice(version1.train(seed=0, verbose=False), 2)]
    assert lengths[1] == 500
    assert stored[-1][4] is True
    assert abs(stored[-1][2][2]) < 0.05  # la tige est droite


# L'étude qui répare ses fautes une à une


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "etudes")
    return importlib.import_module("fautes_version1")


def load(net, config, weights):
    """Donne à un réseau du document les poids (P,) d'un réseau du moteur."""
    layers = StackedNetwork(config, weights[None].clone()).layers
    for linear, (weight, bias) in zip(list(net)[::2], layers, strict=True):
        linear.weight.data, linear.bias.data = weight[0].T.clone(), bias[0, 0].clone()
    return net


def test_with_all_its_faults_the_study_makes_the_updates_of_the_document(study, monkeypatch):
    crowd = study.Crowd([set(), set(study.FAULTS)], [3, 3])
    dqnn, batches = version1.DQNN(version1.NN), []
    load(dqnn.train_net, study.VERSION_1, crowd.online[1])
    load(dqnn.target_net, study.VERSION_1, crowd.target[1])
    sample = crowd._sample
    monkeypatch.setattr(crowd, "_sample", lambda rows: batches.append(sample(rows)) or batches[-1])
    while crowd.episodes[1] < 70 and crowd.turn < study.WARMUP - 1:
        crowd.advance()
    for batch in batches:
        state, successor, action, fallen = (
            part[0].numpy() for part in batch.split((4, 4, 1, 1), -1)
        )
        one = np.ones_like(action, np.int8)
        dqnn.train_dqn((state, action.astype(np.int8), successor, one, fallen > 0), 9)
    assert len(batches) == crowd.episodes[1] == 70  # une copie du réseau cible, à la soixantième
    for mine, theirs in ((crowd.online, dqnn.train_net), (crowd.target, dqnn.target_net)):
        same = load(version1.NN(), study.VERSION_1, mine[1]).parameters()
        for received, expected in zip(same, theirs.parameters(), strict=True):
            torch.testing.assert_close(received, expected, rtol=1e-3, atol=1e-4)


def test_each_repair_of_the_study_changes_what_it_names(study, monkeypatch):
    monkeypatch.setattr(study, "WARMUP", 100)
    monkeypatch.setattr(study, "COPY", 200)
    faults = [*study.FAULTS, None]  # réparées une à une ; la dernière ligne les répare toutes
    crowd = study.Crowd([{*study.FAULTS} - {one} for one in study.FAULTS] + [set()], [5] * 8)

    def together():
        pairs = zip(crowd.online, crowd.target, strict=True)
        return [one for one, pair in zip(faults, pairs, strict=True) if torch.equal(*pair)]

    assert together() == [study.APART, None]
    crowd.carts.max_episode_steps = 5  # le chronomètre coupe l'épisode avant toute chute
    for _ in range(300):
        crowd.advance()
    assert crowd.episodes.tolist() == [60] * 8
    updates = {study.RHYTHM: 30, study.SHORT: 41, None: 21}
    assert crowd.updates.tolist() == [updates.get(one, 60) for one in faults]
    assert together() == [one for one in faults if one not in (study.COPIES, None)]
    ends = {study.CLOCK: 0, None: 0}
    assert crowd.memory[:, :, -1].sum(dim=1).tolist() == [ends.get(one, 60) for one in faults]
    constant = crowd._rates(np.arange(8))[:, 0] == crowd._rates(np.array([7]))[0, 0]
    assert constant.tolist() == [one in (study.DECAY, None) for one in faults]
    assert (crowd.gamma[:, 0] < 1).tolist() == [one in (study.UNDISCOUNTED, None) for one in faults]


# La table « Du document au cours » du carnet 06

LESSON = ROOT / "notebooks/sources/06_la_boucle_d_entrainement.py"
ENGINE = Path(version1.__file__).read_text("utf-8")


def exists(name):
    """Vrai si le paquet publie ce nom, ou `display.live`, ou si une classe publiée a ce membre."""
    first, *members = name.split(".")
    owner = getattr(cartpole_helpers, first, None) or getattr(live, first, None)
    known = {*dir(owner), *getattr(owner, "__dataclass_fields__", ())}
    return owner is not None and {*members} <= known


def test_the_table_names_each_part_of_the_document_and_names_of_the_course():
    _, section = LESSON.read_text("utf-8").split("Du document au cours\n")
    table = re.findall(r"^# (\|.*)$", section.split("# %%")[0], re.MULTILINE)[2:]
    before, after = zip(*(line.split("|")[1:3] for line in table), strict=True)
    named = re.findall("`([^`]+)`", " ".join(before))
    for name in named:
        assert all(re.search(rf"\b{part}\b", ENGINE) for part in re.split(r"[. ]", name)), name
    parts = {one.name for one in ast.parse(ENGINE).body if hasattr(one, "name")}
    ours = {"Progress", "_torch_seed"}  # le document ne les a pas
    assert parts - ours <= {name.split(".")[0] for name in named}
    assert [one for one in re.findall("`([^`]+)`", " ".join(after)) if not exists(one)] == []
