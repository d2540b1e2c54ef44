"""Les sauvegardes : relues au bit près, reprises à l'identique, refusées dès qu'un bit change."""

import hashlib
import json
import os
import pickle
import random
import re
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import safetensors.numpy
import torch
from gymnasium.vector import AutoresetMode
from trainings import SEEDS, SMALL, assert_same_steps, normal, run, short

from cartpole_helpers import (
    QUICK,
    Agent,
    CheckpointError,
    ReplayBuffer,
    Training,
    load,
    load_training,
    save,
    save_training,
    td_loss,
    td_target,
)
from cartpole_helpers.checkpoints import describe

SMALL = replace(SMALL, total_steps=10_000, epsilon_steps=400)
ROOT = Path(__file__).resolve().parents[1]
OLD = ROOT / "tests" / "anciens"
READERS = {"agent": load, "training": load_training}
ENGLISH = re.compile(
    r"\b(the|is|not|no|such|file|directory|error|invalid|expected|must|denied)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def tiny():
    sizes = {"carts": 2, "hidden": (3,), "capacity": 20, "batch_size": 4, "warmup": 8}
    return run(replace(SMALL, n_steps=3, **sizes), [4, 9], 30)[0]


@pytest.fixture(params=READERS)
def small_file(request, tiny, tmp_path):
    """Un petit fichier de chaque genre, et la fonction qui le lit."""
    path = tmp_path / "fichier"
    written(tiny.agent[0] if request.param == "agent" else tiny, path)
    return path, READERS[request.param]


def written(state, path):
    """Les octets du fichier d'un agent ou d'un entraînement."""
    (save if isinstance(state, Agent) else save_training)(state, path)
    return Path(path).read_bytes()


def refusal(read, path, error=CheckpointError):
    """Rend le message de `read(path)`, qui doit refuser en français et nommer le fichier."""
    with pytest.raises(error) as refused:
        read(path)
    message = str(refused.value)
    assert str(path) in message
    assert not ENGLISH.search(message.replace(str(path), "")), message
    return message


def opened(path):
    """Rend (métadonnées, description, tableaux), lus par safetensors, sans l'aide du paquet."""
    with safetensors.safe_open(path, "np") as file:
        about = file.metadata()
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return about, json.loads(about["description"]), arrays


def rewrite(path, change):
    """Récrit `path` au premier format, comme une autre version du paquet l'aurait fait."""
    _, description, arrays = opened(path)
    change(description, arrays)
    text = np.frombuffer(json.dumps(description).encode(), np.uint8)
    payload = safetensors.numpy.save(arrays | {"description": text})
    digest = hashlib.sha256(payload).hexdigest()
    path.write_bytes(f"cartpole_helpers 1\n{digest}\n".encode() + payload)


@pytest.mark.parametrize("env", ["CartPole-v1", "Acrobot-v1"])
def test_a_loaded_agent_is_the_saved_one(env, tmp_path):
    config = replace(SMALL, input_scale="auto" if env == "Acrobot-v1" else None)
    agent = Training(config, SEEDS, env=env).agent[1]
    agent.env_steps = 12_345
    content = written(agent, tmp_path / "agent")
    loaded, probes = load(tmp_path / "agent"), normal(200, agent.sizes[0]).numpy()
    assert (loaded.seeds, loaded.env_steps) == ([SEEDS[1]], 12_345)
    assert (loaded.config, loaded.sizes) == (agent.config, agent.sizes)
    assert torch.equal(loaded.weights, agent.weights)
    np.testing.assert_array_equal(loaded.q_values(probes), agent.q_values(probes))
    assert written(loaded, tmp_path / "again") == content


def test_the_file_is_one_of_safetensors_that_says_where_it_comes_from(small_file, tiny):
    path, read = small_file
    about, description, arrays = opened(path)
    rest = path.read_bytes().replace(about["sha256"].encode(), b"", 1)
    assert about["format"] == "cartpole_helpers 2"
    assert about["sha256"] == hashlib.sha256(rest).hexdigest()
    assert describe(path) == description
    assert description["config"] == json.loads(json.dumps(asdict(tiny.config)))
    assert set(arrays) == ({"weights"} if read is load else {*tiny.saved_state()})


@pytest.mark.parametrize("kind", READERS)
def test_a_file_of_the_first_format_is_still_read(kind, tmp_path):
    """Ceux-ci ont été écrits par le paquet d'avant ; leurs tenseurs suivent 84 octets."""
    path = OLD / f"{kind}_format_1.safetensors"
    old = path.read_bytes()
    payload = safetensors.numpy.load(old[84:])
    assert describe(path) == json.loads(payload.pop("description").tobytes())
    written(READERS[kind](path), tmp_path / "new")
    _, description, arrays = opened(tmp_path / "new")
    assert arrays.keys() == payload.keys()
    assert all(array.tobytes() == payload[name].tobytes() for name, array in arrays.items())
    later = {"epsilon_spread": 1.0}  # un champ d'après
    assert description["config"] == describe(path)["config"] | later
    (tmp_path / "old").write_bytes(old[:-1] + bytes([old[-1] ^ 1]))
    refusal(READERS[kind], tmp_path / "old")


def test_a_write_that_fails_leaves_the_old_file(small_file, monkeypatch):
    path, read = small_file
    state, before = read(path), path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    refusal(partial(written, state), path, OSError)
    assert path.read_bytes() == before


VARIANTS = {
    "hard_target": {"target_period": 5, "target_rate": 1.0, "average_rate": 1.0, "learn_every": 2},
    "auto": {"input_scale": "auto", "n_steps": 2, "learning_rate_decay": 0.99, "start_x": 1.5},
    "one_cart": {"carts": 1, "n_steps": 2, "epsilon_hold": 6.0, "average_tail": 0.2},
    "all": {"mirror": True, "double": True, "n_steps": 4, "learn_every": 3, "carts": 3},
    "CartPole-v1": {"activation": "tanh"},
    "Acrobot-v1": {"input_scale": "auto", "warmup": 64},
}
TURNS = 190  # chaque chariot y recommence plus de 16 fois, et la mémoire y fait plusieurs tours
HORIZON = 30


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_training_is_the_uninterrupted_one(variant, tmp_path):
    config = replace(SMALL, **VARIANTS[variant])
    env = variant if "-" in variant else partial(short(10), start_x=config.start_x)
    given = {} if "-" in variant else {"env": env}  # un nom, le fichier le sait
    seeds = 3 if config.carts == 1 else SEEDS
    first_update = -(-config.warmup // config.carts)
    stops = {0, first_update - 1, first_update, random.Random(variant).randrange(50, 150), 150}
    training, steps, files = Training(config, seeds, env=env), [], {}
    for turn in range(TURNS):
        if turn in stops or turn - HORIZON in stops:
            files[turn] = written(training, tmp_path / f"{turn}")
        steps.append(training.advance())
    assert_same_steps(steps, run(config, seeds, TURNS, env=env)[1])  # sauver n'y change rien
    for stop in stops:
        resumed, end = load_training(tmp_path / f"{stop}", **given), stop + HORIZON
        assert (resumed.step, resumed.env_steps) == (stop, stop * config.carts)
        assert written(resumed, tmp_path / "again") == files[stop]
        assert_same_steps([resumed.advance() for _ in range(stop, end)], steps[stop:end])
        assert written(resumed, tmp_path / "end") == files[end]
    assert steps[-1].gradient_steps > 30
    assert steps[-1].env_steps > config.capacity
    assert env is variant or any(step.truncated.any() for step in steps[50:])


class Clipped:
    """Une cible bornée, qui porte son propre état : le nombre de ses appels, qui la desserre."""

    calls = 0

    def __call__(self, reward, terminated, next_q, gamma):
        self.calls += 1
        bound = 3.0 + self.calls / 100
        return td_target(reward, terminated, next_q, gamma).clamp(max=bound)

    def saved_state(self):
        return {"calls": np.array(self.calls)}

    def restore(self, saved):
        self.calls = int(saved["calls"])


def injected():
    return {"td_target": Clipped(), "memory": ReplayBuffer(50, seeds=SEEDS)}


def test_a_training_resumes_with_what_was_given(tmp_path):
    training, _ = run(SMALL, SEEDS, 50, **injected())
    save_training(training, tmp_path / "training")
    resumed = load_training(tmp_path / "training", **injected())
    expected = [training.advance() for _ in range(40)]
    assert_same_steps([resumed.advance() for _ in range(40)], expected)
    assert resumed.saved_state()["td_target.calls"] == training.saved_state()["td_target.calls"]


def test_what_was_given_must_be_given_again_and_nothing_else(tmp_path):
    path = tmp_path / "training"
    save_training(Training(SMALL, SEEDS, **injected()), path)
    for again in ([], ["memory"]):
        given = {name: injected()[name] for name in again}
        message = refusal(partial(load_training, **given), path, ValueError)
        assert {*re.findall(r"(\w+)=\.\.\.", message)} == {*injected()} - {*again}
    with pytest.raises(ValueError, match=r"td_target doit porter saved_state.* n'en a pas"):
        load_training(path, **injected() | {"td_target": td_target})
    save_training(Training(SMALL, SEEDS, td_loss=td_loss), path)  # celle du cours
    assert load_training(path, env="CartPole-v1").step == 0
    for name, value in (injected() | {"env": short(10)}).items():
        message = refusal(partial(load_training, **{name: value}), path, ValueError)
        assert f"n'emploie pas de {name} que" in message
    message = refusal(partial(load_training, env="Acrobot-v1"), path, ValueError)
    assert "joue à 'CartPole-v1', et non à 'Acrobot-v1'" in message


def test_what_cannot_resume_exactly_is_not_saved(tiny, tmp_path):
    """L'agent, lui, se garde : le message le dit."""
    same_step = {"autoreset_mode": AutoresetMode.SAME_STEP}
    unsaved = partial(gymnasium.make_vec, "Acrobot-v1", vector_kwargs=same_step)
    for message, given in {
        "td_target doit porter saved_state.* n'en a": {"td_target": td_target},
        "env doit porter saved_state.* n'en a pas": {"env": unsaved},
    }.items():
        training = Training(tiny.config, 0, **given)
        with pytest.raises(ValueError, match=message) as refused:
            save_training(training, tmp_path / "training")
        assert "save(training.agent[0], chemin)" in str(refused.value)
        save(training.agent[0], tmp_path / "agent")
        assert [path.name for path in tmp_path.iterdir()] == ["agent"]
    for write, wrong in [(save, tiny.agent), (save_training, tiny.agent[0])]:
        with pytest.raises(ValueError, match=r"(?s)^(agent|training) doit être .* reçu\."):
            write(wrong, tmp_path / "agent")


def test_every_damage_is_refused(small_file):
    """Un bit changé, une fin perdue, quelque chose d'ajouté, ou l'autre fonction."""
    path, read = small_file
    content, draw = path.read_bytes(), random.Random(0)
    damages = [
        content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :]
        for place in range(0, len(content), 7 if read is load else 31)
    ]
    damages += [content[:cut] for cut in [0, 1, 7, 8, 9, 20, *range(60, 150, 9)]]
    damages += [content + b"\0", content[1:], content.replace(b"helpers 2", b"helpers 3", 1)]
    for damaged in damages:
        path.write_bytes(damaged)
        refusal(read, path)
    path.write_bytes(content[:-1])
    assert "endommagé ou tronqué" in refusal(read, path)
    path.write_bytes(content)
    other = load_training if read is load else load
    assert f"se lit avec {read.__name__}." in refusal(other, path)


class Bomb:
    """Un objet dont le pickle, à la lecture, crée le dossier `path`."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("read", [load, describe])
def test_a_foreign_file_is_recognised_and_never_executed(read, tmp_path):
    path, trace = tmp_path / "fichier.pt", tmp_path / "trace"
    torch.save({"weights": Bomb(trace)}, path)
    for content, word in [
        (b"", "vide"),
        (b"Bonjour.\n", "étranger"),
        (random.Random(0).randbytes(5_000), "étranger"),
        (safetensors.numpy.save({"weights": np.zeros((1, 16))}), "étranger"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "LFS"),
        (pickle.dumps(Bomb(trace)), "pickle"),
        (path.read_bytes(), "torch.save"),
    ]:
        path.write_bytes(content)
        assert word in refusal(read, path).replace(str(path), "")
    assert not trace.exists()
    pickle.loads(pickle.dumps(Bomb(trace)))
    assert trace.exists()  # la bombe fonctionne


def test_a_file_of_another_version_is_refused_by_what_differs(small_file):
    path, read = small_file
    content, name = path.read_bytes(), "weights" if read is load else "online"
    changes = [
        ("autre version (gamma)", lambda about, _: about["config"].pop("gamma")),
        ("autre version (duel)", lambda about, _: about["config"].update(duel=True)),
        ("gamma doit être", lambda about, _: about["config"].update(gamma=2)),
        (name, lambda _, arrays: arrays.update({name: arrays[name][:, :-1]})),
        (name, lambda _, arrays: arrays.update({name: arrays[name].astype(np.int8)})),
    ]
    if read is load_training:
        changes += [
            ("Vouliez-vous dire 'CartPole-v1'", lambda about, _: about.update(env="CartePole-v1")),
            ("identifiant", lambda about, _: about.update(env="un_module:CartPole-v1")),
            ("inconnu", lambda _, arrays: arrays.update(inconnu=np.zeros(3))),
            ("target", lambda _, arrays: arrays.pop("target")),
        ]
    for word, change in changes:
        rewrite(path, change)
        assert word in refusal(read, path)
        path.write_bytes(content)
    rewrite(path, lambda about, _: about.pop("sizes", None))  # les premiers n'en disaient rien
    assert written(read(path), path) == content


def test_the_agents_of_the_course_are_those_that_their_page_says():
    page = (ROOT / "checkpoints" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+?\.safetensors)` \| ([\d ]+) \|", page, re.MULTILINE))
    assert {*os.listdir(ROOT / "checkpoints")} == {"README.md", *rows}
    for name, steps in rows.items():
        agent = load(ROOT / "checkpoints" / name)
        assert name.endswith(f"_{agent.env_steps}_pas.safetensors")
        assert int(steps.replace(" ", "")) == agent.env_steps
        if name.startswith("agent_"):
            assert agent.config == QUICK


def test_a_given_loss_must_be_given_again(tmp_path):
    class Half:
        def __call__(self, q, action, target):
            return td_loss(q, action, target) / 2

        def saved_state(self):
            return {}

        def restore(self, saved):
            assert saved == {}

    training, path = Training(QUICK, 0, td_loss=Half()), tmp_path / "a.safetensors"
    while training.gradient_steps < 2:
        training.advance()
    save_training(training, path)
    with pytest.raises(ValueError, match="td_loss"):
        load_training(path)
    again = load_training(path, td_loss=Half())
    for _ in range(5):
        np.testing.assert_array_equal(again.advance().loss, training.advance().loss)
