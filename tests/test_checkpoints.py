"""Les sauvegardes : relues au bit près, reprises à l'identique, refusées dès qu'un bit change."""

import errno
import hashlib
import importlib.util
import json
import os
import pickle
import platform
import random
import re
import shutil
import signal
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
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

if os.name == "posix":
    import resource

SMALL = replace(SMALL, total_steps=10_000, epsilon_steps=400)
TINY = replace(SMALL, carts=2, hidden=(3,), capacity=20, batch_size=4, warmup=8, n_steps=3)
ROOT = Path(__file__).resolve().parents[1]
KEPT = sorted((ROOT / "checkpoints").glob("agent_*.safetensors"))
AMNESIC = sorted((ROOT / "checkpoints").glob("amnesique_*.safetensors"))
SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}
SIGNATURE = b"cartpole_helpers 1\n"
PAYLOAD = len(SIGNATURE) + 64 + 1  # où commencent les tenseurs
ENGLISH = re.compile(
    r"\b(the|is|not|no|such|file|directory|error|invalid|expected|must|too|long|denied|space|left"
    r"|embedded|null|permission)\b",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def tiny_training():
    return run(TINY, [4, 9], 30)[0]


@pytest.fixture(params=["agent", "training"])
def small_file(request, tiny_training, tmp_path):
    """Un petit fichier de chaque genre, et la fonction qui le lit."""
    path = tmp_path / "fichier"
    if request.param == "agent":
        save(tiny_training.agent[0], path)
        return path, load
    save_training(tiny_training, path)
    return path, load_training


@pytest.fixture
def agent_file(tiny_training, tmp_path):
    path = tmp_path / "agent"
    save(tiny_training.agent[0], path)
    return path


@pytest.fixture
def training_file(tiny_training, tmp_path):
    path = tmp_path / "training"
    save_training(tiny_training, path)
    return path


def written(state, path):
    """Les octets du fichier d'un agent ou d'un entraînement."""
    (save if isinstance(state, Agent) else save_training)(state, path)
    return path.read_bytes()


def assert_french(message, path):
    assert str(path) in message, message
    assert not ENGLISH.search(message.replace(str(path), "")), message


def refusal(read, path, error=CheckpointError):
    """Rend le message de `read(path)`, qui doit refuser en français et nommer le fichier."""
    with pytest.raises(error) as refused:
        read(path)
    assert_french(str(refused.value), path)
    return str(refused.value)


def signed(payload):
    """Le format, écrit indépendamment : signature, SHA-256 du reste, tenseurs safetensors."""
    return SIGNATURE + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def opened(path):
    """Rend (description, tableaux) d'un fichier, lus sans l'aide du paquet."""
    arrays = safetensors.numpy.load(path.read_bytes()[PAYLOAD:])
    return json.loads(arrays.pop("description").tobytes()), arrays


def forge(path, change):
    """Récrit `path` après `change(description, tableaux)`, signature et somme refaites."""
    description, arrays = opened(path)
    change(description, arrays)
    write_forged(path, json.dumps(description).encode(), arrays)


def write_forged(path, description, arrays):
    text = np.frombuffer(description, np.uint8)
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    path.write_bytes(signed(safetensors.numpy.save(arrays | {"description": text})))


@contextmanager
def broken(*names, error):
    """Fait lever `error` aux fonctions `names`, comme "os.fsync"."""

    def fail(*_, **__):
        raise error

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(name, fail)
        yield


# Un agent, relu


@pytest.mark.parametrize("config", [SMALL, TINY, QUICK, VERSION_1, VERSION_2])
def test_a_loaded_agent_is_the_saved_one(config, tmp_path):
    agent = Training(config, SEEDS).agent[1]
    agent.env_steps = 12_345
    save(agent, tmp_path / "agent")
    loaded = load(tmp_path / "agent")
    probes = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    assert isinstance(loaded, Agent)
    assert len(loaded) == 1
    assert loaded.config == config
    assert loaded.seeds == [SEEDS[1]]
    assert loaded.env_steps == 12_345
    assert loaded.weights.dtype == torch.float32
    assert torch.equal(loaded.weights, agent.weights)
    np.testing.assert_array_equal(loaded(probes), agent(probes))
    np.testing.assert_array_equal(loaded.q_values(probes), agent.q_values(probes))


def test_the_saved_agent_is_the_trained_one(tmp_path):
    training, _ = run(SMALL, SEEDS, 60)
    for rank in range(3):
        save(training.agent[rank], tmp_path / "agent")
        loaded = load(tmp_path / "agent")
        assert loaded.env_steps == 240
        assert torch.equal(loaded.weights[0], training.agent.weights[rank])
    assert not torch.equal(loaded.weights, Training(SMALL, SEEDS).agent[2].weights)


def test_an_agent_alone_and_among_others_makes_the_same_file(tmp_path):
    config = replace(SMALL, hidden=(32, 32))
    (among, _), (alone, _) = run(config, SEEDS, 60), run(config, SEEDS[1], 60)
    assert written(among.agent[1], tmp_path / "a") == written(alone.agent[0], tmp_path / "b")


def test_a_diverged_agent_is_kept_as_it_is(tiny_training, tmp_path):
    agent = tiny_training.agent[0]
    agent.weights[0, :3] = torch.tensor([torch.nan, torch.inf, -0.0])
    save(agent, tmp_path / "agent")
    received = load(tmp_path / "agent").weights.numpy().tobytes()
    assert received == agent.weights.numpy().tobytes()


def test_a_loaded_agent_plays_and_is_saved_again_identically(agent_file, tiny_training, tmp_path):
    loaded = load(agent_file)
    expected = evaluate(tiny_training.agent[0], episodes=5)
    np.testing.assert_array_equal(evaluate(loaded, episodes=5), expected)
    assert written(loaded, tmp_path / "again") == agent_file.read_bytes()


# Le fichier


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["agent", "agent.pt", "agent.npz", "a.b.c", ".caché", "été 1.tmp"])
def test_exactly_the_given_path_is_written(small_file, name, kind, tmp_path):
    path, read = small_file
    folder = tmp_path / "dossier"
    folder.mkdir()
    target = kind(folder / name)
    state = read(path)
    assert (save if read is load else save_training)(state, target) is None
    assert [found.name for found in folder.iterdir()] == [name]
    assert Path(target).read_bytes() == path.read_bytes()
    assert written(read(target), tmp_path / "again") == path.read_bytes()


def test_the_same_state_makes_the_same_bytes(tmp_path):
    (first, _), (second, _) = run(SMALL, SEEDS, 40), run(SMALL, SEEDS, 40)
    assert written(first.agent[0], tmp_path / "a") == written(second.agent[0], tmp_path / "b.pt")
    assert written(first, tmp_path / "c") == written(second, tmp_path / "d.pt")
    second.advance()
    assert written(first.agent[0], tmp_path / "a") != written(second.agent[0], tmp_path / "b.pt")
    assert written(first, tmp_path / "c") != written(second, tmp_path / "d.pt")


def test_the_file_is_a_signature_a_checksum_and_safetensors(small_file):
    path, _ = small_file
    content = path.read_bytes()
    assert content == signed(content[PAYLOAD:])
    assert "description" in safetensors.numpy.load(content[PAYLOAD:])


def test_the_file_tells_where_it_comes_from(agent_file, tiny_training):
    description, arrays = opened(agent_file)
    assert description["config"] == json.loads(json.dumps(asdict(TINY)))
    assert description["seeds"] == [4]
    assert description["env_steps"] == 60
    assert description["versions"]["python"] == platform.python_version()
    assert description["versions"]["torch"] == torch.__version__
    assert describe(agent_file) == description
    np.testing.assert_array_equal(arrays["weights"], tiny_training.agent[0].weights)


def test_an_agent_of_two_layers_of_128_is_light(tmp_path):
    agent = Training(replace(VERSION_2, hidden=(128, 128)), 0).agent[0]
    assert len(written(agent, tmp_path / "agent")) < 100_000


@pytest.mark.skipif(os.name != "posix", reason="Les permissions se disent ainsi sous Unix.")
def test_a_file_has_the_usual_permissions(tiny_training, tmp_path):
    before = os.umask(0o027)
    try:
        save(tiny_training.agent[0], tmp_path / "agent")
        (tmp_path / "witness").touch()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode for path in tmp_path.iterdir()}
    assert modes["agent"] == modes["witness"]


def test_a_new_file_replaces_the_old_one(tiny_training, tmp_path):
    path = tmp_path / "agent"
    path.write_bytes(b"x" * 100_000)
    save(tiny_training.agent[0], path)
    assert load(path).seeds == [4]
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("write", "wrong", "name"),
    [
        (save, lambda training: training.agent, "agent"),
        (save, lambda training: training, "agent"),
        (save, lambda training: training.agent[0].weights, "agent"),
        (save, lambda training: None, "agent"),
        (save_training, lambda training: training.agent[0], "training"),
        (save_training, lambda training: None, "training"),
    ],
)
def test_only_one_agent_or_one_training_is_saved(write, wrong, name, tiny_training, tmp_path):
    with pytest.raises((TypeError, ValueError), match=rf"(?s)^{name} doit être .* : .* reçu\."):
        write(wrong(tiny_training), tmp_path / "fichier")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "value"), [("env_steps", 1.5), ("seeds", [np.int64(3)]), ("seeds", ["x"])]
)
def test_what_could_not_be_read_again_does_not_replace_a_good_file(name, value, agent_file):
    agent, before = load(agent_file), agent_file.read_bytes()
    setattr(agent, name, value)
    with pytest.raises(ValueError, match=r"^agent doit être tel que `load` le relise : .* reçus\."):
        save(agent, agent_file)
    assert agent_file.read_bytes() == before


@pytest.mark.parametrize("path", [3, None, b"agent"])
def test_a_path_is_a_text_or_a_path(path, tiny_training):
    calls = [
        partial(save, tiny_training.agent[0]),
        partial(save_training, tiny_training),
        load,
        load_training,
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=r"^path doit être") as refused:
            call(path)
        assert repr(path) in str(refused.value)


# Un entraînement, repris


VARIANTS = {
    "plain": {},
    "three_steps": {"n_steps": 3},
    "double": {"double": True},
    "mirror": {"mirror": True, "start_x": 1.5},
    "hard_target": {"target_period": 5, "target_rate": 1.0, "average_rate": 1.0, "learn_every": 2},
    "decay": {"learning_rate_decay": 0.99, "learning_rate_floor": 1e-3, "activation": "tanh"},
    "auto": {"input_scale": "auto", "n_steps": 2},
    "one_cart": {"carts": 1, "n_steps": 2},
    "held": {"epsilon_hold": 6.0, "average_tail": 0.2},
    "all": {"mirror": True, "double": True, "n_steps": 4, "learn_every": 3, "carts": 3},
}
TURNS = 190  # chaque chariot y recommence plus de 16 fois, et la mémoire y fait plusieurs tours
HORIZON = 40


def assert_resumes_exactly(config, seeds, stops, folder, **rules):
    """Reprend un entraînement à chacun des tours `stops`, et le compare au même, ininterrompu."""
    steps, files = uninterrupted(config, seeds, {*stops, *map(end_of, stops)}, folder, **rules)
    rules = {name: one for name, one in rules.items() if not isinstance(one, str)}
    for stop in stops:
        resumed = load_training(folder / f"{stop}", **rules)
        assert (resumed.step, resumed.env_steps) == (stop, stop * config.carts)
        assert written(resumed, folder / "again") == files[stop]
        end = end_of(stop)
        assert_same_steps([resumed.advance() for _ in range(stop, end)], steps[stop:end])
        assert written(resumed, folder / "end") == files[end]
        assert written(resumed.agent[0], folder / "end") == files[end, "agent"]
    return steps


def uninterrupted(config, seeds, turns, folder, **rules):
    """Rend les tours d'un entraînement, et les fichiers de son état et d'un agent à `turns`."""
    training, steps, files = Training(config, seeds, **rules), [], {}
    for turn in range(TURNS + 1):
        if turn in turns:
            files[turn, "agent"] = written(training.agent[0], folder / f"{turn}")
            files[turn] = written(training, folder / f"{turn}")
        steps.append(training.advance())
    return steps, files


def end_of(stop):
    return min(stop + HORIZON, TURNS)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_resumed_training_is_the_uninterrupted_one(variant, tmp_path):
    config = replace(SMALL, **VARIANTS[variant])
    env = partial(short(10), start_x=config.start_x)
    seeds = 3 if config.carts == 1 else SEEDS
    first_update = -(-config.warmup // config.carts)
    drawn = random.Random(variant).sample(range(50, TURNS), 2)
    stops = [0, 1, 2, first_update - 1, first_update, *drawn]
    steps = assert_resumes_exactly(config, seeds, stops, tmp_path, env=env)
    assert steps[-1].gradient_steps > 30
    assert steps[-1].env_steps > config.capacity
    assert any(step.terminated.any() for step in steps[50:])
    assert any(step.truncated.any() for step in steps[50:])


def test_saving_changes_nothing(tmp_path):
    _, steps = run(SMALL, SEEDS, 60, env=short(10))
    training = Training(SMALL, SEEDS, env=short(10))
    for step in steps:
        save_training(training, tmp_path / "training")
        save(training.agent[0], tmp_path / "agent")
        assert_same_steps([training.advance()], [step])


@pytest.mark.parametrize("game", ["CartPole-v1", "CartPole-v0", "Acrobot-v1", "MountainCar-v0"])
def test_the_games_that_can_be_read_resume_too(game, tmp_path):
    stops = random.Random(game).sample(range(TURNS), 2)
    scaled = replace(SMALL, input_scale="auto", warmup=64)
    assert_resumes_exactly(scaled, SEEDS, stops, tmp_path, env=game)
    assert load_training(tmp_path / f"{stops[0]}").env == game  # le fichier le sait


def test_a_training_resumed_at_every_turn_is_the_uninterrupted_one(tmp_path):
    config = replace(SMALL, n_steps=3)
    witness, steps = run(config, SEEDS, 60, env=short(10))
    training = Training(config, SEEDS, env=short(10))
    for step in steps:
        training = load_training(written_to(training, tmp_path / "training"), env=short(10))
        assert_same_steps([training.advance()], [step])
    assert written(training, tmp_path / "a") == written(witness, tmp_path / "b")


def written_to(training, path):
    save_training(training, path)
    return path


def test_a_training_may_run_beyond_its_total(tmp_path):
    training, _ = run(replace(TINY, total_steps=10), 0, 12)
    save_training(training, tmp_path / "training")
    assert load_training(tmp_path / "training").env_steps == 24


def test_an_unknown_device_is_refused_in_french(training_file):
    with pytest.raises(ValueError, match=r"^device doit être .* : 'grille-pain' reçu\."):
        load_training(training_file, device="grille-pain")


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


RULES = {"td_target": Clipped, "td_loss": Doubling}


def rules(*names):
    return {name: RULES[name]() for name in names}


@pytest.mark.parametrize("names", [["td_target"], ["td_loss"], ["td_target", "td_loss"]])
def test_a_training_with_injected_rules_resumes_with_them(names, tmp_path):
    training, _ = run(SMALL, SEEDS, 50, **rules(*names))
    save_training(training, tmp_path / "training")
    resumed = load_training(tmp_path / "training", **rules(*names))
    expected = [training.advance() for _ in range(HORIZON)]
    assert_same_steps([resumed.advance() for _ in range(HORIZON)], expected)
    _, plain = run(SMALL, SEEDS, 50 + HORIZON)
    assert not np.array_equal(expected[-1].loss, plain[-1].loss)


@pytest.mark.parametrize(
    ("injected", "given"),
    [
        (["td_target"], []),
        (["td_loss"], []),
        (["td_loss"], ["td_target"]),
        (["td_target", "td_loss"], []),
        (["td_target", "td_loss"], ["td_loss"]),
    ],
)
def test_injected_rules_must_be_given_again(injected, given, tmp_path):
    path = tmp_path / "training"
    save_training(Training(TINY, 0, **rules(*injected)), path)
    with pytest.raises(ValueError, match="redonne") as refused:
        load_training(path, **rules(*given))
    message = str(refused.value)
    assert not ENGLISH.search(message)
    for name in RULES:
        missing = name in injected and name not in given
        assert (name in message) == missing, message


def test_the_rules_of_the_package_are_not_injected(tmp_path):
    save_training(Training(TINY, 0, td_loss=td_loss), tmp_path / "training")
    assert load_training(tmp_path / "training").step == 0
    given = {"env": short(10), "memory": Forgetful(), "td_target": Clipped()}
    for name, one in given.items():
        with pytest.raises(ValueError, match=f"n'emploie pas de {name} que"):
            load_training(tmp_path / "training", **{name: one})


class Forgetful:
    """Une mémoire qui ne garde rien, pas même son état."""

    def add(self, *transition):
        pass

    def sample(self, batch_size):
        pass

    def __len__(self):
        return 0


class Landing(MountainCarEnv):
    """Un jeu dont l'état ne se lit pas en entier : un moteur physique en garde une part."""


class Departing(Landing):
    """Il dit son état, et ne sait pas le reprendre."""

    def saved_state(self):
        return {"state": self.state}


class Mine(Training):
    """Elle reviendrait en simple `Training`."""


gymnasium.register("Atterrissage-v0", Landing, max_episode_steps=20)
gymnasium.register("Depart-v0", Departing, max_episode_steps=20)
UNSAVED = {
    "subclass": (Mine, {}, "training doit être un Training.* Mine reçu"),
    "function": (Training, {"td_target": td_target}, "td_target doit porter saved_state.* n'en a"),
    "memory": (Training, {"memory": Forgetful()}, "memory doit porter saved_state.* n'en a pas"),
    "game": (Training, {"env": "Atterrissage-v0"}, "Landing ne peut pas être repris au bit près"),
    "half": (Training, {"env": "Depart-v0"}, "Departing ne peut pas être repris au bit près"),
    "env": (
        Training,
        {"env": partial(gymnasium.make_vec, "Acrobot-v1", vector_kwargs=SAME_STEP)},
        "env doit porter saved_state.* n'en a pas",
    ),
}


@pytest.mark.parametrize("name", UNSAVED)
def test_what_cannot_resume_exactly_is_not_saved(name, tmp_path):
    """L'agent, lui, se garde : le message le dit."""
    kind, given, message = UNSAVED[name]
    training = kind(TINY, 0, **given)
    training.advance()
    with pytest.raises(ValueError, match=message) as refused:
        save_training(training, tmp_path / "training")
    assert name == "subclass" or "save(training.agent[0], chemin)" in str(refused.value)
    assert [*tmp_path.iterdir()] == []
    save(training.agent[0], tmp_path / "agent")
    assert torch.equal(load(tmp_path / "agent").weights, training.agent.weights)


class Timed(Landing):
    """Un jeu qui nomme son état comme bon lui semble."""

    def saved_state(self):
        return {"elapsed": np.array(self.state), "generator": np.array(7)}

    def restore(self, saved):
        assert saved["generator"] == 7
        self.state = saved["elapsed"].copy()


gymnasium.register("Chrono-v0", Timed, max_episode_steps=20)


def test_a_game_names_its_state_as_it_likes(tmp_path):
    training, _ = run(SMALL, SEEDS, 33, env="Chrono-v0")
    save_training(training, tmp_path / "training")
    expected = [training.advance() for _ in range(50)]
    resumed = load_training(tmp_path / "training")
    assert_same_steps([resumed.advance() for _ in range(50)], expected)


def test_a_rule_that_cannot_take_its_state_back_is_refused(tmp_path):
    save_training(Training(TINY, 0, td_target=Clipped()), tmp_path / "training")
    with pytest.raises(ValueError, match=r"td_target doit porter saved_state.* n'en a pas"):
        load_training(tmp_path / "training", td_target=td_target)


def test_another_game_than_the_saved_one_is_refused_by_its_name(tmp_path):
    save_training(Training(TINY, 0, env="Acrobot-v1"), tmp_path / "training")
    with pytest.raises(ValueError, match="joue à 'Acrobot-v1', et non à 'MountainCar-v0'"):
        load_training(tmp_path / "training", env="MountainCar-v0")


def test_an_agent_carries_its_game_and_its_scale(tmp_path):
    config = replace(SMALL, input_scale="auto", capacity=500)
    training, _ = run(config, SEEDS, 40, env="Acrobot-v1")
    save(training.agent[1], tmp_path / "agent")
    loaded = load(tmp_path / "agent")
    probes = normal(9, 6).numpy()
    assert loaded.sizes == (6, 3)
    np.testing.assert_array_equal(loaded.q_values(probes), training.agent[1].q_values(probes))


def test_an_agent_of_an_earlier_version_is_one_of_cartpole(agent_file, tiny_training):
    forge(agent_file, undescribed("sizes"))
    assert torch.equal(load(agent_file).weights, tiny_training.agent[0].weights)


def test_a_file_never_makes_gymnasium_import_a_module(training_file):
    forge(training_file, described(env="un_module:CartPole-v1"))
    assert "identifiant" in refusal(load_training, training_file)


# kill -9


# Le processus se dédouble une fois PyTorch importé et échauffé : chaque mort en devient légère.
VICTIMS = """
import json, os, signal, sys, time
from pathlib import Path
from cartpole_helpers import Config, Training, save_training

def train_and_save(path):
    training = Training(config, seeds)
    while True:
        save_training(training, path)
        training.advance()

def die_in(name, after):
    original, calls = getattr(os, name), []
    def last_call(*arguments):
        calls.append(arguments)
        if len(calls) == 12 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        original(*arguments)
        if len(calls) == 12:
            os.kill(os.getpid(), signal.SIGKILL)
    setattr(os, name, last_call)

folder, config, seeds, delays, points = sys.argv[1], *map(json.loads, sys.argv[2:])
config = Config(**config)
Training(config, seeds)
for number, cause in enumerate(delays + points):
    path = Path(folder, str(number))
    child = os.fork()
    if not child:
        if isinstance(cause, list):
            die_in(*cause)
        train_and_save(path)
    if isinstance(cause, float):
        while not path.exists():
            time.sleep(0.001)
        time.sleep(cause)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
"""
DELAYS = [0.0, 0.03, 0.08, 0.15, 0.3]
POINTS = [["fsync", False], ["fsync", True], ["replace", False], ["replace", True]]
KNOWN_TURNS = [10, 10, 10, 11]  # la douzième sauvegarde est celle du tour 11


@pytest.fixture(scope="module")
def victims(tmp_path_factory):
    """Un dossier où chaque fichier est ce qu'a laissé un entraînement tué par `kill -9`."""
    if os.name != "posix":
        pytest.skip("`kill -9` et `fork` sont d'Unix.")
    folder = tmp_path_factory.mktemp("kill")
    arguments = map(json.dumps, (asdict(SMALL), SEEDS, DELAYS, POINTS))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", VICTIMS, folder, *arguments]
    subprocess.run(command, env=environment, check=True, timeout=600)
    return [folder / str(number) for number in range(len(DELAYS) + len(POINTS))]


def test_after_a_kill_the_file_is_entire_and_resumes_exactly(victims, tmp_path):
    resumed = [load_training(path) for path in victims]
    stops = [training.step for training in resumed]
    assert stops[len(DELAYS) :] == KNOWN_TURNS
    assert max(stops) > 2
    ends = [stop + 20 for stop in stops]
    witness, files = Training(SMALL, SEEDS), {}
    for turn in range(max(ends) + 1):
        if turn in stops or turn in ends:
            files[turn] = written(witness, tmp_path / "witness")
        witness.advance()
    for path, training, stop, end in zip(victims, resumed, stops, ends, strict=True):
        assert path.read_bytes() == files[stop]
        for _ in range(stop, end):
            training.advance()
        assert written(training, tmp_path / "resumed") == files[end]


def test_a_killed_training_goes_on_in_the_same_file(victims, tmp_path):
    folder = tmp_path / "copie"
    shutil.copytree(victims[0].parent, folder)
    for path in sorted(folder / victim.name for victim in victims):
        training = load_training(path)
        training.advance()
        save_training(training, path)
        assert load_training(path).step == training.step


# Un fichier endommagé


def write_byte(file, place, value):
    file.seek(place)
    file.write(bytes([value]))


def test_every_flipped_bit_is_refused(small_file):
    path, read = small_file
    content, draw = path.read_bytes(), random.Random(0)
    flips = [(place, draw.randrange(8)) for place in range(len(content))]
    flips += [(place, bit) for place in range(200) for bit in range(8)]
    with path.open("r+b", buffering=0) as file:
        for place, bit in flips:
            write_byte(file, place, content[place] ^ 1 << bit)
            refusal(read, path)
            write_byte(file, place, content[place])
    read(path)


def test_every_truncation_is_refused(small_file):
    path, read = small_file
    size, draw = path.stat().st_size, random.Random(0)
    lengths = {*range(150), *draw.choices(range(size), k=150), size - 1}
    for length in sorted(lengths, reverse=True):
        os.truncate(path, length)
        refusal(read, path)


def test_the_fault_is_named(small_file):
    path, read = small_file
    path.write_bytes(path.read_bytes()[:-1])
    assert "endommagé ou tronqué" in refusal(read, path)
    path.write_bytes(b"")
    assert "vide" in refusal(read, path)


def test_something_added_lost_or_converted_is_refused(small_file):
    path, read = small_file
    content = path.read_bytes()
    middle = len(content) // 2
    damages = [
        content + b"\0",
        content + b"\n",
        content + content,
        content[1:],
        b"\xef\xbb\xbf" + content,
        content.replace(b"\n", b"\r\n"),
        content[:middle] + b"\0" + content[middle:],
        content[:middle] + bytes(len(content) - middle),
        content.replace(b"cartpole_helpers 1", b"cartpole_helpers 2", 1),
    ]
    for damaged in damages:
        path.write_bytes(damaged)
        refusal(read, path)


LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
FOREIGN = {
    "text": (b"Bonjour.\n", "étranger"),
    "page": (b"<!DOCTYPE html><html><body>404</body></html>", "étranger"),
    "zeros": (bytes(5_000), "étranger"),
    "noise": (random.Random(0).randbytes(5_000), "étranger"),
    "safetensors": (safetensors.numpy.save({"weights": np.zeros((1, 16))}), "étranger"),
    "lfs": (LFS_POINTER, "LFS"),
    "pickle_0": (pickle.dumps([1, 2], protocol=0), ""),
    "pickle_2": (pickle.dumps([1, 2], protocol=2), "pickle"),
    "pickle_5": (pickle.dumps({"weights": [1.0]}, protocol=5), "pickle"),
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("read", [load, load_training])
def test_a_foreign_file_is_refused_and_recognised(read, name, tmp_path):
    path = tmp_path / "fichier.pt"
    content, word = FOREIGN[name]
    path.write_bytes(content)
    assert word in refusal(read, path).replace(str(path), "")


@pytest.mark.parametrize("read", [load, load_training])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_of_torch_is_refused_and_recognised(read, zipped, tmp_path):
    path = tmp_path / "agent.pt"
    torch.save({"weights": torch.zeros(3)}, path, _use_new_zipfile_serialization=zipped)
    assert ("torch.save" if zipped else "pickle") in refusal(read, path)


@pytest.mark.parametrize("read", [load, load_training])
def test_a_missing_file_or_a_folder_is_refused(read, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    for path in (tmp_path / "missing", tmp_path / "file" / "inside", tmp_path / "link"):
        refusal(read, path, FileNotFoundError)
    refusal(read, tmp_path, OSError)
    refusal(read, tmp_path / ("x" * 300), OSError)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "tube")
        assert "ordinaire" in refusal(read, tmp_path / "tube", OSError)


def test_an_unreadable_file_is_refused(small_file):
    path, read = small_file
    error = OSError(errno.EIO, os.strerror(errno.EIO))
    with broken("builtins.open", "io.open", error=error):
        refusal(read, path, OSError)


def test_each_kind_is_read_by_its_own_function(agent_file, training_file):
    assert "se lit avec load_training" in refusal(load, training_file)
    assert re.search(r"se lit avec load\b(?!_)", refusal(load_training, agent_file))


# Un fichier forgé, dont la somme est juste


def config_with(**changes):
    return lambda description, arrays: description["config"].update(changes)


def config_without(name):
    return lambda description, arrays: description["config"].pop(name)


def described(**changes):
    return lambda description, arrays: description.update(changes)


def undescribed(name):
    return lambda description, arrays: description.pop(name)


def weights_as(change):
    def forgery(description, arrays):
        name = "weights" if "weights" in arrays else "online"
        arrays[name] = change(arrays[name])

    return forgery


FORGERIES = {
    "kind_missing": (undescribed("kind"), ""),
    "kind_unknown": (described(kind="autre"), "version"),
    "kind_number": (described(kind=5), ""),
    "kind_list": (described(kind=[]), ""),
    "config_missing": (undescribed("config"), ""),
    "config_list": (described(config=[1, 2]), ""),
    "config_none": (described(config=None), ""),
    "field_missing": (config_without("gamma"), "gamma"),
    "field_unknown": (config_with(duel=True), "duel"),
    "gamma_too_large": (config_with(gamma=2), "gamma"),
    "gamma_nan": (config_with(gamma=float("nan")), "gamma"),
    "carts_text": (config_with(carts="4"), "carts"),
    "hidden_text": (config_with(hidden="(3,)"), "hidden"),
    "hidden_negative": (config_with(hidden=[-3]), "hidden"),
    "activation_unknown": (config_with(activation="__import__"), "activation"),
    "capacity_too_small": (config_with(capacity=5), "capacity"),
    "hidden_wider": (config_with(hidden=[40]), "architecture"),
    "hidden_narrower": (config_with(hidden=[]), "architecture"),
    "hidden_deeper": (config_with(hidden=[3] * 9), "architecture"),
    "seeds_missing": (undescribed("seeds"), ""),
    "seeds_none": (described(seeds=None), "seeds"),
    "seeds_empty": (described(seeds=[]), "seeds"),
    "seeds_twice": (described(seeds=[1, 1]), "seeds"),
    "seeds_negative": (described(seeds=[-1]), "seeds"),
    "seeds_text": (described(seeds="quatre"), "seeds"),
    "seeds_too_many": (described(seeds=[4, 9, 13]), ""),
    "weights_row_added": (weights_as(lambda array: np.vstack([array, array])), ""),
    "weights_column_lost": (weights_as(lambda array: array[:, :-1]), "architecture"),
    "weights_flat": (weights_as(np.ravel), ""),
    "weights_empty": (weights_as(lambda array: array[:0]), ""),
    "weights_float64": (weights_as(lambda array: array.astype(np.float64)), ""),
    "weights_float16": (weights_as(lambda array: array.astype(np.float16)), ""),
    "weights_integers": (weights_as(lambda array: array.astype(np.int32)), ""),
}
AGENT_FORGERIES = {
    "weights_missing": (lambda description, arrays: arrays.pop("weights"), ""),
    "env_steps_missing": (undescribed("env_steps"), ""),
    "env_steps_none": (described(env_steps=None), ""),
    "env_steps_text": (described(env_steps="mille"), ""),
    "env_steps_negative": (described(env_steps=-1), ""),
    "env_steps_fraction": (described(env_steps=2.5), ""),
    "env_steps_nan": (described(env_steps=float("nan")), ""),
    "env_steps_infinite": (described(env_steps=float("inf")), ""),
}


def too_large_for_a_generator(description, arrays):
    arrays["exploration"][0, 5] = 1 << 40


def values_as(name, value):
    """Remplace le dernier nombre d'un tableau."""

    def forgery(description, arrays):
        arrays[name][(-1,) * arrays[name].ndim] = value

    return forgery


def one_row_of_memory(description, arrays):
    for name in memory_columns(arrays):
        arrays[name] = arrays[name][:, :1]


def one_row_less(description, arrays):
    for name in memory_columns(arrays):
        arrays[name] = arrays[name][:, :-1]


def more_rows_than_capacity(description, arrays):
    for name in memory_columns(arrays):
        arrays[name] = np.concatenate([arrays[name], arrays[name]], axis=1)


def one_short_column(description, arrays):
    arrays["memory.action"] = arrays["memory.action"][:, :-1]


def memory_columns(arrays):
    return [
        name
        for name, array in arrays.items()
        if name.startswith("memory.")
        and array.ndim > 1
        and array.shape[1] == arrays["memory.action"].shape[1]
    ]


TRAINING_FORGERIES = {
    "carts_more": (config_with(carts=3), ""),
    "seed_less": (described(seeds=[4]), ""),
    "injected_number": (described(injected=5), ""),
    "injected_none": (described(injected=None), ""),
    "injected_unknown": (described(injected=["autre"]), ""),
    "injected_lists": (described(injected=[["td_loss"]]), ""),
    "array_unknown": (lambda description, arrays: arrays.update(inconnu=np.zeros(3)), ""),
    "generator_too_large": (too_large_for_a_generator, ""),
    "memory_one_row": (one_row_of_memory, ""),
    "memory_one_row_less": (one_row_less, ""),
    "memory_beyond_capacity": (more_rows_than_capacity, ""),
    "memory_short_column": (one_short_column, "mémoire"),
    "cart_nan": (values_as("env.state", np.nan), "env.state"),
    "cart_infinite": (values_as("env.state", -np.inf), "env.state"),
    "cart_beyond_float32": (values_as("env.state", 3.5e38), "env.state"),
    "cart_far_below_float32": (values_as("env.state", -1e300), "env.state"),
    "held_2": (values_as("held", 2), "held doit .* 2 reçu"),
    "held_minus_2": (values_as("held", -2), "held doit .* -2 reçu"),
    "memory_action_2": (values_as("memory.action", 2), "memory.action doit .* 2 reçu"),
    "memory_action_minus_1": (values_as("memory.action", -1), "memory.action doit .* -1 reçu"),
    "window_action_huge": (values_as("window.action", 1 << 40), "window.action doit"),
    "window_truncated": (
        lambda description, arrays: arrays.pop("window.truncated"),
        "window.trunc",
    ),
    "game_unknown": (described(env="CartePole-v1"), "Vouliez-vous dire 'CartPole-v1'"),
    "game_number": (described(env=3), "identifiant"),
    "sizes_other": (described(sizes=[6, 3]), "architecture"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_file_is_refused(name, small_file):
    path, read = small_file
    change, word = FORGERIES[name]
    forge(path, change)
    assert word in refusal(read, path)


@pytest.mark.parametrize("name", AGENT_FORGERIES)
def test_a_forged_agent_is_refused(name, agent_file):
    change, word = AGENT_FORGERIES[name]
    forge(agent_file, change)
    assert word in refusal(load, agent_file)


@pytest.mark.parametrize("name", TRAINING_FORGERIES)
def test_a_forged_training_is_refused(name, training_file):
    change, words = TRAINING_FORGERIES[name]
    forge(training_file, change)
    assert re.search(words, refusal(load_training, training_file))


@pytest.mark.parametrize("held", [-1, 0, 1])
@pytest.mark.parametrize("velocity", [0.0, -40.0, 3e38])
def test_plausible_values_are_accepted(held, velocity, training_file):
    def forgery(description, arrays):
        arrays["held"][...] = held
        arrays["env.state"][:, 1] = velocity

    forge(training_file, forgery)
    assert load_training(training_file).step == 30


def test_forging_without_a_change_is_accepted(small_file):
    path, read = small_file
    forge(path, lambda description, arrays: None)
    read(path)


def another_kind(array):
    return array.astype(np.float32 if array.dtype == np.float64 else np.float64)


def longer(array):
    return np.concatenate([np.atleast_1d(array)] * 2)


@pytest.mark.parametrize("change", [another_kind, longer, None], ids=["kind", "longer", "missing"])
def test_every_array_of_a_training_is_checked(change, training_file):
    content = training_file.read_bytes()
    accepted = []
    for name in opened(training_file)[1]:

        def forgery(description, arrays, name=name):
            array = arrays.pop(name)
            if change is not None:
                arrays[name] = change(array)

        forge(training_file, forgery)
        try:
            load_training(training_file)
            accepted.append(name)
        except CheckpointError as error:
            assert_french(str(error), training_file)
        training_file.write_bytes(content)
    assert accepted == []


TEXTS = {
    "not_json": b"{",
    "not_utf8": b"\xff\xfe\xfd",
    "empty": b"",
    "list": b"[]",
    "number": b"5",
    "null": b"null",
    "text": b'"bonjour"',
    "deep": b"[" * 100_000,
    "long_number": b'{"kind": ' + b"1" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_forged_description_is_refused(name, small_file):
    path, read = small_file
    write_forged(path, TEXTS[name], opened(path)[1])
    refusal(read, path)


def test_a_file_without_description_is_refused(small_file):
    path, read = small_file
    path.write_bytes(signed(safetensors.numpy.save(opened(path)[1])))
    refusal(read, path)


def test_whatever_is_forged_is_read_or_refused_in_french(small_file):
    """Un bit retourné puis la somme refaite : jamais d'autre erreur que `CheckpointError`."""
    path, read = small_file
    payload, draw = path.read_bytes()[PAYLOAD:], random.Random(0)
    refused = 0
    for place in draw.sample(range(len(payload)), 400):
        forged = bytearray(payload)
        forged[place] ^= 1 << draw.randrange(8)
        path.write_bytes(signed(bytes(forged)))
        try:
            read(path)
        except CheckpointError as error:
            refused += 1
            assert_french(str(error), path)
    assert refused > 100


# Des tailles absurdes


def largest_size():
    """Ce que le processus a occupé au plus, en octets ; zéro là où le système ne le dit pas."""
    if os.name != "posix":
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def little_memory():
    """Échoue si le bloc a demandé plus de 30 Mo à Python, ou fait grossir le processus de 60 Mo."""
    before = largest_size()
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30e6
    assert largest_size() - before < 60e6


ABSURD = {
    "width": config_with(hidden=[10**9]),
    "widths": config_with(hidden=[4096] * 16),
    "layers": config_with(hidden=[3] * 10**5),
    "capacity": config_with(capacity=10**9),
    "batch": config_with(batch_size=10**9, warmup=10**9, capacity=10**9),
    "largest_carts": config_with(carts=10**5, capacity=10**7),
    "n_steps": config_with(n_steps=10**9),
    "carts": config_with(carts=10**9),
    "seeds": described(seeds=[*range(100_000)]),
    "seed_text": described(seeds="1" * 10**6),
}


@pytest.mark.parametrize("name", ABSURD)
def test_an_absurd_configuration_is_refused_without_memory(name, training_file):
    forge(training_file, ABSURD[name])
    with little_memory():
        refusal(load_training, training_file)


@pytest.mark.parametrize("hidden", [[10**9], [4096] * 16])
def test_an_absurd_agent_is_refused_without_memory(hidden, agent_file):
    forge(agent_file, config_with(hidden=hidden))
    with little_memory():
        refusal(load, agent_file)


def header(text, length=None):
    return (len(text) if length is None else length).to_bytes(8, "little") + text


def tensor_header(shape, end):
    tensor = {"dtype": "F32", "shape": shape, "data_offsets": [0, end]}
    return header(json.dumps({"weights": tensor}).encode())


HEADERS = {
    "nothing": b"",
    "length_only": header(b""),
    "length_2_60": header(b"{}", 1 << 60),
    "length_2_64": header(b"{}", (1 << 64) - 1),
    "length_1_too_many": header(b"{}", 3),
    "huge_tensor": tensor_header([10**6, 10**6], 4 * 10**12),
    "huge_empty_tensor": tensor_header([10**12, 10**12], 0),
    "overflowing_shape": tensor_header([1 << 32, 1 << 32], 0),
    "negative_shape": tensor_header([-1, 16], 64) + bytes(64),
    "overlong_data": tensor_header([4], 16) + bytes(100),
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("read", [load, load_training])
def test_an_absurd_header_is_refused_without_memory(read, name, tmp_path):
    path = tmp_path / "fichier"
    path.write_bytes(signed(HEADERS[name]))
    with little_memory():
        refusal(read, path)


@pytest.mark.parametrize("start", [b"", SIGNATURE])
@pytest.mark.parametrize("read", [load, load_training])
def test_a_huge_file_is_refused_without_memory(read, start, tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(start)
    os.truncate(path, 1 << 30)
    with little_memory():
        refusal(read, path)


# Rien n'est exécuté


class Bomb:
    """Un objet dont le pickle, à la lecture, crée le dossier `path`."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def bombs(path, trace):
    """Les façons de cacher un pickle dans un fichier."""
    dumped = pickle.dumps(Bomb(trace))
    description, arrays = opened(path)
    yield dumped
    yield pickle.dumps(Bomb(trace), protocol=0)
    yield signed(dumped)
    yield SIGNATURE + dumped
    torch.save({"weights": Bomb(trace)}, path)
    yield path.read_bytes()
    yield signed(path.read_bytes())
    with path.open("wb") as file:
        np.save(file, np.array([Bomb(trace)]), allow_pickle=True)
    yield path.read_bytes()
    yield signed(path.read_bytes())
    write_forged(path, dumped, arrays)
    yield path.read_bytes()
    code = f"__import__('os').mkdir({str(trace)!r})"
    for name in description:
        write_forged(path, json.dumps(description | {name: [code]}).encode(), arrays)
        yield path.read_bytes()


def test_nothing_in_a_file_is_ever_executed(small_file, tmp_path):
    path, read = small_file
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Bomb(trace)))
    trace.rmdir()  # la bombe fonctionne
    for content in bombs(path, trace):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(str(path))):
            read(path)
        assert not trace.exists()


# Une écriture qui échoue


@contextmanager
def small_disk():
    """Un vrai refus du système : aucun fichier ne peut dépasser 500 octets."""
    if os.name != "posix":
        pytest.skip("Borner la taille d'un fichier est d'Unix.")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


FULL, REFUSED = (OSError(code, os.strerror(code)) for code in (errno.ENOSPC, errno.EACCES))
FAULTS = {
    "small_disk": (small_disk, OSError),
    "fsync": (partial(broken, "os.fsync", error=FULL), OSError),
    "replace": (partial(broken, "os.replace", error=REFUSED), OSError),
    "interrupted": (partial(broken, "os.fsync", error=KeyboardInterrupt()), KeyboardInterrupt),
}


@pytest.mark.parametrize("old", [None, b"ancien"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_write_loses_nothing_and_leaves_nothing(fault, old, small_file, tmp_path):
    path, read = small_file
    state, write = read(path), save if read is load else save_training
    folder = tmp_path / "dossier"
    folder.mkdir()
    target = folder / "fichier"
    if old is not None:
        target.write_bytes(old)
    failure, error = FAULTS[fault]
    with failure(), pytest.raises(error) as refused:
        write(state, target)
    if old is None:
        assert [*folder.iterdir()] == []
    else:
        assert [*folder.iterdir()] == [target]
        assert target.read_bytes() == old
    if error is OSError:
        assert_french(str(refused.value), folder)


def test_an_unwritable_path_is_refused_in_french(small_file, tmp_path):
    path, read = small_file
    state, write = read(path), save if read is load else save_training
    (tmp_path / "dossier").mkdir()
    (tmp_path / "vide").touch()
    before = sorted(tmp_path.rglob("*"))
    wrong = [
        tmp_path / "absent" / "agent",
        tmp_path / "dossier",
        tmp_path / "vide" / "agent",
        tmp_path / ("x" * 300),
    ]
    for target in wrong:
        with pytest.raises(OSError, match=re.escape(str(target.parent))) as refused:
            write(state, target)
        assert_french(str(refused.value), target.parent)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_path_with_a_null_character_is_refused_in_french(small_file):
    path, read = small_file
    state, write = read(path), save if read is load else save_training
    with pytest.raises((OSError, ValueError)) as refused:
        write(state, "agent\0")
    assert not ENGLISH.search(str(refused.value))
    with pytest.raises((OSError, ValueError)) as refused:
        read("agent\0")
    assert not ENGLISH.search(str(refused.value))


# Les agents du cours, dans checkpoints/


@pytest.fixture(scope="module")
def maker():
    """Le script qui les a faits."""
    spec = importlib.util.spec_from_file_location("agent", ROOT / "etudes" / "agent.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_an_agent_of_the_course_is_light_readable_and_named_after_its_steps(path, maker):
    assert path.stat().st_size < 100_000
    agent = load(path)
    assert path.name == f"agent_{agent.env_steps}_pas.safetensors"
    assert agent.config == QUICK
    assert list(agent.seeds) == [maker.SEED]


def test_the_page_of_the_agents_names_each_of_them():
    page = (ROOT / "checkpoints" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(agent_.+?)` \| ([\d ]+) \|", page, re.MULTILINE)
    assert [name for name, _ in rows] == sorted(
        (path.name for path in KEPT), key=lambda name: int(name.split("_")[1])
    )
    for name, steps in rows:
        assert int(steps.replace(" ", "")) == load(ROOT / "checkpoints" / name).env_steps
    assert "python etudes/agent.py" in page


@pytest.mark.parametrize("path", AMNESIC, ids=lambda path: path.name)
def test_an_amnesic_of_the_course_is_light_readable_and_named_after_its_steps(path):
    assert path.stat().st_size < 100_000
    agent = load(path)
    assert path.name == f"amnesique_{agent.env_steps}_pas.safetensors"
    assert list(agent.seeds) == [0]
    assert path.name in (ROOT / "checkpoints" / "README.md").read_text("utf-8")


def test_checkpoints_hold_nothing_else():
    kept = {path.name for path in (*KEPT, *AMNESIC)}
    assert len(AMNESIC) == 2
    assert {path.name for path in (ROOT / "checkpoints").iterdir()} == {"README.md", *kept}


def test_the_agents_are_those_of_the_script(maker):
    """Trois moments fixés, et un que la validation choisit, parmi ceux où elle a lieu."""
    assert maker.FOLDER == ROOT / "checkpoints"
    steps = {load(path).env_steps for path in KEPT}
    assert len(steps) == 4
    [chosen] = steps - {*maker.STAGES}
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
