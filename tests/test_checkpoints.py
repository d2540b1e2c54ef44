"""Les sauvegardes : relues au bit près, reprises à l'identique, refusées dès qu'un bit change."""

import hashlib
import importlib.util
import json
import os
import pickle
import platform
import random
import re
import tracemalloc
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import safetensors.numpy
import torch
from gymnasium.envs.classic_control import MountainCarEnv
from gymnasium.vector import AutoresetMode
from trainings import SEEDS, SMALL, assert_same_steps, normal, run, short

from cartpole_helpers import (
    QUICK,
    VERSION_1,
    VERSION_2,
    Agent,
    CheckpointError,
    ReplayBuffer,
    Training,
    evaluate,
    load,
    load_training,
    save,
    save_training,
    td_loss,
    td_target,
)
from cartpole_helpers.checkpoints import describe

SMALL = replace(SMALL, total_steps=10_000, epsilon_steps=400)
TINY = replace(SMALL, carts=2, hidden=(3,), capacity=20, batch_size=4, warmup=8, n_steps=3)
ROOT = Path(__file__).resolve().parents[1]
COURSE = sorted((ROOT / "checkpoints").glob("*.safetensors"))
OLD = ROOT / "tests" / "anciens"
READERS = {"agent": load, "training": load_training}
ENGLISH = re.compile(
    r"\b(the|is|not|no|such|file|directory|error|invalid|expected|must|denied|null|permission)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def tiny():
    return run(TINY, [4, 9], 30)[0]


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


# Un agent, relu


@pytest.mark.parametrize("config", [TINY, QUICK, VERSION_1, VERSION_2])
def test_a_loaded_agent_is_the_saved_one(config, tmp_path):
    training = Training(config, SEEDS)
    agent = training.agent[1]
    agent.env_steps = 12_345
    content = written(agent, tmp_path / "agent")
    loaded = load(tmp_path / "agent")
    probes = normal(200, 4).numpy()
    assert (loaded.config, loaded.seeds, loaded.env_steps) == (config, [SEEDS[1]], 12_345)
    assert torch.equal(loaded.weights, agent.weights)
    np.testing.assert_array_equal(loaded.q_values(probes), agent.q_values(probes))
    np.testing.assert_array_equal(evaluate(loaded, 2), evaluate(agent, 2))
    assert written(loaded, tmp_path / "again") == content
    assert len(content) < 100_000


def test_the_saved_agent_is_the_trained_one_even_among_others(tmp_path):
    config = replace(SMALL, hidden=(32, 32))
    (among, _), (alone, _) = run(config, SEEDS, 60), run(config, SEEDS[1], 60)
    assert written(among.agent[1], tmp_path / "a") == written(alone.agent[0], tmp_path / "b")
    loaded = load(tmp_path / "a")
    assert loaded.env_steps == 240
    assert torch.equal(loaded.weights[0], among.agent.weights[1])
    assert not torch.equal(loaded.weights, Training(config, SEEDS).agent[1].weights)


def test_a_diverged_agent_is_kept_as_it_is(tiny, tmp_path):
    agent = tiny.agent[0]
    agent.weights[0, :3] = torch.tensor([torch.nan, torch.inf, -0.0])
    save(agent, tmp_path / "agent")
    received = load(tmp_path / "agent").weights.numpy().tobytes()
    assert received == agent.weights.numpy().tobytes()


def test_an_agent_carries_its_game_and_its_scale(tmp_path):
    config = replace(SMALL, input_scale="auto", capacity=500)
    training, _ = run(config, SEEDS, 40, env="Acrobot-v1")
    save(training.agent[1], tmp_path / "agent")
    loaded, probes = load(tmp_path / "agent"), normal(9, 6).numpy()
    assert loaded.sizes == (6, 3)
    np.testing.assert_array_equal(loaded.q_values(probes), training.agent[1].q_values(probes))


# Le fichier


def test_the_file_is_one_of_safetensors_that_says_where_it_comes_from(small_file, tiny):
    path, read = small_file
    about, description, arrays = opened(path)
    rest = path.read_bytes().replace(about["sha256"].encode(), b"", 1)
    assert about["format"] == "cartpole_helpers 2"
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0  # des tenseurs alignés
    assert about["sha256"] == hashlib.sha256(rest).hexdigest()
    assert describe(path) == description
    assert description["config"] == json.loads(json.dumps(asdict(TINY)))
    versions = {"python": platform.python_version(), "torch": torch.__version__}
    assert description["versions"] == versions
    if read is load:
        told = [description[name] for name in ("kind", "seeds", "env_steps")]
        assert told == ["agent", [4], 60]
        np.testing.assert_array_equal(arrays["weights"], tiny.agent[0].weights)
    else:
        assert (description["kind"], description["seeds"]) == ("training", [4, 9])
        assert set(arrays) == set(tiny.saved_state())


@pytest.mark.parametrize("kind", READERS)
def test_a_file_of_the_first_format_is_still_read(kind, tmp_path):
    """Ceux-ci ont été écrits par le paquet d'avant ; leurs tenseurs suivent 84 octets."""
    path = OLD / f"{kind}_format_1.safetensors"
    old = path.read_bytes()
    payload = safetensors.numpy.load(old[84:])
    assert describe(path) == json.loads(payload.pop("description").tobytes())
    assert len(written(READERS[kind](path), tmp_path / "new")) <= len(old)
    _, description, arrays = opened(tmp_path / "new")
    assert arrays.keys() == payload.keys()
    assert all(array.tobytes() == payload[name].tobytes() for name, array in arrays.items())
    assert description["config"] == describe(path)["config"]
    for place in range(0, len(old), 31):
        (tmp_path / "old").write_bytes(old[:place] + bytes([old[place] ^ 1]) + old[place + 1 :])
        refusal(READERS[kind], tmp_path / "old")


def test_exactly_the_given_path_is_written(small_file, tmp_path):
    path, read = small_file
    for kind, name in [(str, "agent"), (Path, "a.b.npz"), (Path, ".caché 1.tmp")]:
        folder = tmp_path / f"dossier {name}"
        folder.mkdir()
        assert written(read(path), kind(folder / name)) == path.read_bytes()
        assert [found.name for found in folder.iterdir()] == [name]
        assert written(read(kind(folder / name)), tmp_path / "again") == path.read_bytes()


def test_the_same_state_makes_the_same_bytes(tmp_path):
    (first, _), (second, _) = run(SMALL, SEEDS, 40), run(SMALL, SEEDS, 40)
    for same in (True, False):
        for one, other in [(first, second), (first.agent[0], second.agent[0])]:
            equal = written(one, tmp_path / "a") == written(other, tmp_path / "b.pt")
            assert equal is same
        second.advance()


def test_only_one_agent_or_one_training_is_saved_and_to_a_path(tiny, tmp_path):
    agent = tiny.agent[0]
    for write, wrong, name in [
        (save, tiny.agent, "agent"),
        (save, tiny, "agent"),
        (save, agent.weights, "agent"),
        (save_training, agent, "training"),
    ]:
        with pytest.raises(ValueError, match=rf"(?s)^{name} doit être .* : .* reçu\."):
            write(wrong, tmp_path / "fichier")
    assert [*tmp_path.iterdir()] == []
    for call in (partial(save, agent), partial(save_training, tiny), load, load_training):
        for path in (3, "agent\0"):
            with pytest.raises((TypeError, ValueError), match=r"^path doit être .* reçu\."):
                call(path)


def test_what_could_not_be_read_again_does_not_replace_a_good_file(tiny, tmp_path):
    path = tmp_path / "agent"
    before = written(tiny.agent[0], path)
    for name, value in [("env_steps", 1.5), ("seeds", ["x"])]:
        agent = tiny.agent[0]
        setattr(agent, name, value)
        with pytest.raises(TypeError, match=rf"^{name} doit être"):
            save(agent, path)
    assert path.read_bytes() == before


def test_a_write_that_fails_leaves_the_old_file(small_file, monkeypatch):
    path, read = small_file
    state, before = read(path), path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    refusal(partial(written, state), path, OSError)
    assert path.read_bytes() == before


# Un entraînement, repris


VARIANTS = {
    "plain": {"double": True, "mirror": True, "start_x": 1.5},
    "hard_target": {"target_period": 5, "target_rate": 1.0, "average_rate": 1.0, "learn_every": 2},
    "auto": {"input_scale": "auto", "n_steps": 2, "learning_rate_decay": 0.99},
    "one_cart": {"carts": 1, "n_steps": 2, "epsilon_hold": 6.0, "average_tail": 0.2},
    "all": {"mirror": True, "double": True, "n_steps": 4, "learn_every": 3, "carts": 3},
    "CartPole-v1": {"activation": "tanh"},
    "CartPole-v0": {"input_scale": "auto", "warmup": 64},
    "Acrobot-v1": {"input_scale": "auto", "warmup": 64},
    "MountainCar-v0": {},
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
    stops = {0, 1, first_update - 1, first_update, random.Random(variant).randrange(50, 150), 150}
    training, steps, files = Training(config, seeds, env=env), [], {}
    for turn in range(TURNS):
        if turn in stops or turn - HORIZON in stops:
            files[turn] = written(training, tmp_path / f"{turn}")
        steps.append(training.advance())
    for stop in stops:
        resumed, end = load_training(tmp_path / f"{stop}", **given), stop + HORIZON
        assert (resumed.step, resumed.env_steps) == (stop, stop * config.carts)
        assert written(resumed, tmp_path / "again") == files[stop]
        assert_same_steps([resumed.advance() for _ in range(stop, end)], steps[stop:end])
        assert written(resumed, tmp_path / "end") == files[end]
    assert steps[-1].gradient_steps > 30
    assert steps[-1].env_steps > config.capacity
    if env is not variant:
        assert any(step.terminated.any() for step in steps[50:])
        assert any(step.truncated.any() for step in steps[50:])


def test_a_training_resumed_at_every_turn_is_the_uninterrupted_one(tmp_path):
    """Sauver n'y change rien non plus ; et l'on peut dépasser le total annoncé."""
    config = replace(SMALL, n_steps=3, total_steps=100)
    witness, steps = run(config, SEEDS, 50, env=short(10))
    training, path = Training(config, SEEDS, env=short(10)), tmp_path / "training"
    for step in steps:
        save_training(training, path)
        save(training.agent[0], tmp_path / "agent")
        resumed = load_training(path, env=short(10))
        assert_same_steps([training.advance()], [step])
        assert_same_steps([resumed.advance()], [step])
        training = resumed
    assert written(training, path) == written(witness, tmp_path / "b")


# Ce qu'on a donné


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


class Doubling:
    """Une perte double, que le temps ne change pas."""

    def __call__(self, q, action, target):
        return 2 * td_loss(q, action, target)

    def saved_state(self):
        return {}

    def restore(self, saved):
        pass


class Forgetful:
    """Une mémoire qui ne garde rien, pas même son état."""

    def add(self, *transition):
        pass

    def sample(self, batch_size):
        pass

    def __len__(self):
        return 0


class Mine(Training):
    """Elle reviendrait en simple `Training`."""


class Landing(MountainCarEnv):
    """Un jeu dont l'état ne se lit pas en entier : un moteur physique en garde une part."""


class Timed(Landing):
    """Un jeu qui nomme son état comme bon lui semble."""

    def saved_state(self):
        return {"elapsed": np.array(self.state), "generator": np.array(7)}

    def restore(self, saved):
        assert saved["generator"] == 7
        self.state = saved["elapsed"].copy()


gymnasium.register("Atterrissage-v0", Landing, max_episode_steps=20)
gymnasium.register("Chrono-v0", Timed, max_episode_steps=20)
GIVEN = {
    "td_target": Clipped,
    "td_loss": Doubling,
    "memory": lambda: ReplayBuffer(50, seeds=SEEDS),
    "env": lambda: "Chrono-v0",
}


def given(*names):
    return {name: GIVEN[name]() for name in names}


@pytest.mark.parametrize("names", [["td_target"], ["td_loss", "memory"], ["env"]])
def test_a_training_resumes_with_what_was_given(names, tmp_path):
    training, _ = run(SMALL, SEEDS, 50, **given(*names))
    save_training(training, tmp_path / "training")
    resumed = load_training(tmp_path / "training", **given(*names))
    expected = [training.advance() for _ in range(40)]
    assert_same_steps([resumed.advance() for _ in range(40)], expected)
    _, plain = run(SMALL, SEEDS, 90)
    assert not np.array_equal(expected[-1].loss, plain[-1].loss)


def test_what_was_given_must_be_given_again_and_nothing_else(tmp_path):
    path = tmp_path / "training"
    for names, again in [
        (["td_target"], []),
        (["td_loss"], ["td_target"]),
        (["td_target", "td_loss"], ["td_loss"]),
        (["memory"], []),
    ]:
        save_training(Training(SMALL, SEEDS, **given(*names)), path)
        message = refusal(partial(load_training, **given(*again)), path, ValueError)
        asked = set(re.findall(r"(\w+)=\.\.\.", message))
        assert asked == set(names) - set(again)
    save_training(Training(SMALL, SEEDS, td_loss=td_loss), path)  # celle du cours
    assert load_training(path, env="CartPole-v1").step == 0
    for name in ("memory", "td_target", "td_loss"):
        message = refusal(partial(load_training, **given(name)), path, ValueError)
        assert f"n'emploie pas de {name} que" in message
    message = refusal(partial(load_training, env=short(10)), path, ValueError)
    assert "n'emploie pas de env que" in message
    message = refusal(partial(load_training, env="Acrobot-v1"), path, ValueError)
    assert "joue à 'CartPole-v1', et non à 'Acrobot-v1'" in message


def test_something_else_given_again_is_refused_without_hiding_the_error(tmp_path):
    path = tmp_path / "training"
    save_training(run(SMALL, SEEDS, 20, **given("memory"))[0], path)
    with pytest.raises(ValueError, match="broadcast") as refused:
        load_training(path, memory=ReplayBuffer(40, seeds=SEEDS))
    assert refused.value.__notes__ == [f"En relisant {path} ; vous redonniez : memory."]
    save_training(Training(TINY, 0, td_target=Clipped()), path)
    with pytest.raises(ValueError, match=r"td_target doit porter saved_state.* n'en a pas"):
        load_training(path, td_target=td_target)
    save_training(Training(TINY, 0, env=short(10)), path)
    other = partial(gymnasium.make_vec, "Acrobot-v1", vector_kwargs=SAME_STEP)
    with pytest.raises(ValueError, match=r"env doit porter saved_state.* n'en a pas"):
        load_training(path, env=other)


SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}
UNSAVED = {
    "training doit être un Training.* Mine reçu": (Mine, {}),
    "td_target doit porter saved_state.* n'en a": (Training, {"td_target": td_target}),
    "memory doit porter saved_state.* n'en a pas": (Training, {"memory": Forgetful()}),
    "Landing ne peut pas être repris au bit près": (Training, {"env": "Atterrissage-v0"}),
    "env doit porter saved_state.* n'en a pas": (
        Training,
        {"env": partial(gymnasium.make_vec, "Acrobot-v1", vector_kwargs=SAME_STEP)},
    ),
}


@pytest.mark.parametrize("message", UNSAVED)
def test_what_cannot_resume_exactly_is_not_saved(message, tmp_path):
    """L'agent, lui, se garde : le message le dit."""
    kind, injected = UNSAVED[message]
    training = kind(TINY, 0, **injected)
    training.advance()
    with pytest.raises(ValueError, match=message) as refused:
        save_training(training, tmp_path / "training")
    assert kind is Mine or "save(training.agent[0], chemin)" in str(refused.value)
    assert [*tmp_path.iterdir()] == []
    save(training.agent[0], tmp_path / "agent")
    assert torch.equal(load(tmp_path / "agent").weights, training.agent.weights)


# Un fichier endommagé, étranger, ou d'une autre version


def test_every_damage_is_refused(small_file):
    """Un bit changé à chaque octet, une fin perdue, quelque chose d'ajouté ou de converti."""
    path, read = small_file
    content, draw = path.read_bytes(), random.Random(0)
    places = range(0, len(content), 3 if read is load else 15)
    flips = [(place, 1 << draw.randrange(8)) for place in places]
    damages = [
        content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]
        for place, bit in flips
    ]
    middle, cuts = len(content) // 2, [0, 1, 7, 8, 9, 20, *range(60, 150, 3), len(content) - 1]
    damages += [content[:cut] for cut in cuts]
    damages += [
        content + b"\0",
        content + b"\n",
        content * 2,
        content[1:],
        b"\xef\xbb\xbf" + content,
    ]
    damages += [content.replace(b'"', b"\r\n"), content[:middle] + b"\0" + content[middle:]]
    damages += [content[:middle] + bytes(len(content) - middle)]
    damages += [content.replace(b"helpers 2", b"helpers 3", 1)]
    for damaged in damages:
        path.write_bytes(damaged)
        refusal(read, path)
    path.write_bytes(content[:-1])
    assert "endommagé ou tronqué" in refusal(read, path)
    path.write_bytes(content)
    read(path)


class Bomb:
    """Un objet dont le pickle, à la lecture, crée le dossier `path`."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("read", [load, load_training, describe])
def test_a_foreign_file_is_recognised_and_never_executed(read, tmp_path):
    path, trace = tmp_path / "fichier.pt", tmp_path / "trace"
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    foreign = [
        (b"", "vide"),
        (b"Bonjour.\n", "étranger"),
        (bytes(5_000), "étranger"),
        (random.Random(0).randbytes(5_000), "étranger"),
        (safetensors.numpy.save({"weights": np.zeros((1, 16))}), "étranger"),
        (lfs, "LFS"),
        (pickle.dumps(Bomb(trace)), "pickle"),
        (pickle.dumps(Bomb(trace), protocol=0), "étranger"),
    ]
    for zipped, word in [(True, "torch.save"), (False, "pickle")]:
        torch.save({"weights": Bomb(trace)}, path, _use_new_zipfile_serialization=zipped)
        foreign.append((path.read_bytes(), word))
    for content, word in foreign:
        path.write_bytes(content)
        assert word in refusal(read, path).replace(str(path), "")
    assert not trace.exists()
    pickle.loads(foreign[6][0])
    assert trace.exists()  # la bombe fonctionne


@pytest.mark.parametrize("read", [load, load_training, describe])
def test_what_is_no_file_is_refused(read, tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "missing", tmp_path / "file" / "inside"):
        refusal(read, path, FileNotFoundError)
    refusal(read, tmp_path, OSError)
    refusal(read, tmp_path / ("x" * 300), OSError)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "tube")
        for path in (tmp_path / "tube", Path(os.devnull)):
            assert "ordinaire" in refusal(read, path, OSError)


def test_a_huge_foreign_file_is_not_read_whole(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0 ftypisom")
    os.truncate(path, 1 << 30)
    tracemalloc.start()
    try:
        refusal(load, path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1e6


def test_each_kind_is_read_by_its_own_function(small_file):
    path, read = small_file
    other = load_training if read is load else load
    assert f"se lit avec {read.__name__}." in refusal(other, path)


def test_a_file_of_another_version_is_refused_by_what_differs(small_file):
    path, read = small_file
    content, name = path.read_bytes(), "weights" if read is load else "online"
    for word, change in {
        "autre version (gamma)": lambda about, _: about["config"].pop("gamma"),
        "autre version (duel)": lambda about, _: about["config"].update(duel=True),
        "gamma doit être": lambda about, _: about["config"].update(gamma=2),
        name: lambda _, arrays: arrays.update({name: arrays[name][:, :-1]}),
    }.items():
        rewrite(path, change)
        assert word in refusal(read, path)
        path.write_bytes(content)
    rewrite(path, lambda about, _: about.pop("sizes", None))  # les premiers n'en disaient rien
    assert written(read(path), path) == content


def test_a_training_of_another_version_or_game_is_refused(tiny, tmp_path):
    path = tmp_path / "training"
    content = written(tiny, path)
    for name in ["CartePole-v1", "un_module:CartPole-v1"]:  # ne fait rien importer
        rewrite(path, lambda description, _, name=name: description.update(env=name))
        message = refusal(load_training, path)
        assert ("identifiant" in message) == (":" in name)
        assert ("Vouliez-vous dire 'CartPole-v1'" in message) == (":" not in name)
        path.write_bytes(content)
    for name, array in opened(path)[2].items():
        for wrong in ({name: np.stack([array] * 2)}, {name: array.astype(np.int8)}, {}):
            rewrite(path, lambda _, arrays, n=name, w=wrong: (arrays.pop(n), arrays.update(w)))
            assert name in refusal(load_training, path)
            path.write_bytes(content)
    rewrite(path, lambda _, arrays: arrays.update(inconnu=np.zeros(3)))
    assert "inconnu" in refusal(load_training, path)


# Les agents du cours, dans checkpoints/


@pytest.fixture(scope="module")
def maker():
    """Le script qui les a faits."""
    spec = importlib.util.spec_from_file_location("agent", ROOT / "etudes" / "agent.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_agents_of_the_course_are_those_that_their_page_and_their_script_say(maker):
    page = (ROOT / "checkpoints" / "README.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+?\.safetensors)` \| ([\d ]+) \|", page, re.MULTILINE))
    assert set(rows) == {path.name for path in COURSE}
    assert {*os.listdir(ROOT / "checkpoints")} == {"README.md", *rows}
    assert "python etudes/agent.py" in page
    assert maker.FOLDER == ROOT / "checkpoints"
    moments = set()
    for path in COURSE:
        assert path.stat().st_size < 100_000
        assert opened(path)[1] == describe(path)
        agent = load(path)
        assert path.name.endswith(f"_{agent.env_steps}_pas.safetensors")
        assert int(rows[path.name].replace(" ", "")) == agent.env_steps
        if path.name.startswith("agent_"):
            assert (agent.config, agent.seeds) == (QUICK, [maker.SEED])
            moments.add(agent.env_steps)
    [chosen] = moments - {*maker.STAGES}  # le premier que la validation préfère
    assert chosen % maker.EVERY == 0
    assert max(maker.STAGES) < chosen <= QUICK.total_steps


def test_the_script_makes_the_first_agent_again(maker):
    """Après peu de mises à jour, une autre machine ne s'en écarte que d'un arrondi."""
    training = Training(QUICK, maker.SEED)
    first = min(maker.STAGES)
    while training.env_steps < first:
        training.advance()
    assert training.gradient_steps > 0
    kept = load(ROOT / "checkpoints" / f"agent_{first}_pas.safetensors")
    torch.testing.assert_close(kept.weights, training.agent.weights, rtol=1e-3, atol=1e-4)
    begun = Training(QUICK, maker.SEED).agent.weights
    assert not torch.allclose(kept.weights, begun, rtol=1e-3, atol=1e-4)
