"""L'épisode rejoué, sans navigateur : ce que la page reçoit est l'épisode, en peu d'octets."""

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from watched import frozen_state, plain

import cartpole_helpers
from cartpole_helpers import Episode, load, play, policies
from cartpole_helpers.display.player import player

ROOT = Path(__file__).resolve().parents[2]
MODULE = Path(cartpole_helpers.__file__).parent / "display/web/player.mjs"
FINENESS = [1e-4, 1e-3, np.radians(0.005), np.radians(0.5)]  # bien moins que ce que l'on affiche
OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["'](?!data:)|@import|url\(|fetch\(""")
UNPACK = f"""
import {{ readFileSync }} from "node:fs";
import {{ finiteRuns, isContrary, unpack }} from {json.dumps(MODULE.as_uri())};
const state = JSON.parse(readFileSync(0, "utf-8"));
const view = ({{ base64 }}) => {{
  const bytes = Buffer.from(base64, "base64");
  const odd = new Uint8Array(bytes.length + 1); // une place que rien n'aligne
  odd.set(bytes, 1);
  return new DataView(odd.buffer, 1);
}};
const get = (name) => (state[name]?.base64 === undefined ? state[name] : view(state[name]));
const episode = unpack({{ get }});
const steps = [...Array(episode.last).keys()];
console.log(JSON.stringify({{
  states: episode.states,
  actions: steps.map(episode.action),
  epsilon: steps.map(episode.epsilon),
  gaps: episode.gaps,
  returns: episode.returns,
  contrary: episode.values && steps.map((t) => isContrary(episode, t)),
  runs: episode.gaps && finiteRuns(episode.gaps).map(({{ from, y }}) => [from, y.length]),
  map: episode.map && [...Array(51 * 625).keys()].map(episode.map),
}}));
"""


@pytest.fixture(scope="module")
def agent():
    return load(ROOT / "checkpoints/agent_5600_pas.safetensors")


@pytest.fixture(scope="module")
def whole(agent):
    """Un vrai épisode de 500 pas, où toutes les actions ne sont pas gloutonnes."""
    episode = play(agent, seed=0)
    assert len(episode.actions) == 500
    drawn = np.random.default_rng(0).random(500) < 0.1
    return episode._replace(actions=np.where(drawn, 1 - episode.actions, episode.actions))


def in_the_page(shown, require):
    """Ce que la page comprend de ce qu'elle reçoit."""
    node = shutil.which("node")
    require("node", node)
    command, state = [node, "--input-type=module", "-e", UNPACK], json.dumps(frozen_state(shown))
    told = subprocess.run(command, input=state, capture_output=True, text=True)
    assert told.stderr == ""
    return json.loads(told.stdout)


# Ce que la page reçoit


def test_the_bytes_tell_the_episode_and_the_page_reads_them(whole, agent, require):
    epsilon = np.linspace(1, 0, 500)
    shown = player(whole, agent, epsilon=epsilon)
    assert shown.frozen() == player(whole, agent, epsilon=epsilon).frozen()
    assert len(json.dumps(frozen_state(shown))) <= 20_000
    read = in_the_page(shown, require)
    error = abs(np.subtract(read["states"], whole.observations))
    assert (error.max(axis=0) < FINENESS).all()
    assert read["actions"] == whole.actions.tolist()
    np.testing.assert_allclose(read["epsilon"], epsilon, atol=1e-7)
    left, right = whole.q_values.T.astype(float)
    np.testing.assert_array_equal(read["gaps"], right - left)
    contrary = (whole.actions != np.argmax(whole.q_values, axis=1)).tolist()
    assert read["contrary"] == contrary
    assert 0 < sum(contrary) < 100
    constant = in_the_page(player(whole, epsilon=0.1), require)
    np.testing.assert_allclose(constant["epsilon"], np.full(500, 0.1), atol=1e-7)


def tilted(observations):
    """Une politique où les quatre composantes comptent, chacune à sa façon."""
    x, x_dot, theta, theta_dot = np.transpose(observations)
    return (2 * x + x_dot + 9 * theta + 0.4 * theta_dot > 0.1).astype(int)


def test_the_maps_in_the_page_are_the_actions_of_the_policy(whole, require):
    shown = player(whole, tilted)
    theta, theta_dot = frozen_state(shown)["plane"]
    steps = np.arange(-12, 13) / 12.5
    spin, angle = np.meshgrid(theta_dot * steps, theta * steps, indexing="ij")
    expected = []
    for x, x_dot, *_ in whole.observations[::10]:
        asked = np.broadcast_arrays(x, x_dot, angle, spin)
        expected += tilted(np.float32(asked).reshape(4, -1).T).tolist()
    assert 0 < sum(expected) < len(expected)
    assert in_the_page(shown, require)["map"] == expected


# Ce qui manque, ce qui diverge


def test_without_values_nor_policy_the_rest_is_told(require):
    fall = play(policies.push_by_angle, seed=1)
    read = in_the_page(player(fall), require)
    assert read["actions"] == fall.actions.tolist()
    assert (read["gaps"], read["map"]) == (None, None)


def test_values_that_diverge_reach_the_page_and_compare_to_nothing(whole, require):
    q = np.array(whole.q_values, float)
    q[3, 0], q[4, 1], q[7, 1] = np.nan, np.inf, 1e300  # trop grand en simple précision
    q[9] = 1.0
    read = in_the_page(player(whole._replace(q_values=q)), require)
    assert read["runs"] == [[0, 3], [5, 2], [8, 492]]
    assert not any(read["contrary"][t] for t in (3, 4, 7, 9))


# Un autre jeu


def coloured(count, noise=0):
    """Un épisode de trois actions et de cinq composantes, dont la teinte des images dit le pas."""
    draw = np.random.default_rng(0)
    frames = np.empty((count + 1, 60, 90, 3), np.uint8)
    frames[:] = np.linspace(0, 255, count + 1).round()[:, None, None, None]
    if noise:
        frames = draw.integers(0, 256, (count + 1, noise, noise, 3), np.uint8)
    return Episode(
        observations=draw.normal(size=(count + 1, 5)),
        actions=draw.integers(0, 3, count),
        rewards=draw.normal(size=count).round(2),
        q_values=draw.normal(size=(count, 3)),
        terminated=True,
        truncated=False,
        seed=4,
        frames=frames,
    )


def images(shown):
    """Les images que la page montre, de la première à la dernière, et le pas de chacune."""
    state = frozen_state(shown)
    packed, steps = io.BytesIO(base64.b64decode(state["pictures"]["base64"])), state["sizes"]
    seen = [Image.open(io.BytesIO(packed.read(size))).convert("RGB") for size in steps]
    assert packed.read() == b""
    return seen, [state["every"] * rank for rank in range(len(seen) - 1)]


def test_another_game_is_shown_by_its_own_pictures(require):
    episode = coloured(20)
    seen, steps = images(player(episode, names={"actions": ["a", "b", "c"]}))
    assert steps == [*range(20)]
    for image, frame in zip(seen, episode.frames, strict=True):
        assert abs(np.asarray(image, int) - frame).max() <= 3  # ce que perd WebP
    read = in_the_page(player(episode), require)
    np.testing.assert_allclose(read["returns"], [0, *np.cumsum(episode.rewards)], atol=1e-5)
    assert read["actions"] == episode.actions.tolist()
    assert read["contrary"] == (episode.actions != episode.q_values.argmax(axis=1)).tolist()
    assert plain(player(episode).still.alt).startswith("Épisode de la graine 4 : 20 pas, fin du")


def test_pictures_that_weigh_too_much_are_thinned_and_the_last_one_stays():
    episode = coloured(20, noise=150)
    shown = player(episode)
    seen, steps = images(shown)
    assert len(shown.frozen()) < 1_500_000
    assert 2 <= steps[1] == steps[2] - steps[1]
    assert max(steps) < 20
    blurred = [np.asarray(image, float).mean(axis=2)[::30, ::30] for image in seen]
    asked = [episode.frames[step].mean(axis=2)[::30, ::30] for step in [*steps, 20]]
    for image, near in zip(blurred, asked, strict=True):
        assert min(asked, key=lambda other: abs(image - other).mean()) is near


def test_a_cartpole_is_known_by_its_motion_and_any_other_game_of_four_numbers_shows_pictures(whole):
    frames = np.zeros((501, 20, 30, 3), np.uint8)
    assert "plane" in frozen_state(player(whole._replace(frames=frames)))
    still = whole._replace(observations=whole.observations[:, ::-1], frames=frames)
    assert len(frozen_state(player(still))["sizes"]) == 501


# Ce que l'on en lit


def test_how_it_ended_is_told(whole):
    for last, terminated, truncated, told in (
        ([1.0, 0, -0.22, 0], True, True, "chute de la tige"),
        ([-2.41, 0, 0.1, 0], True, False, "sortie du rail"),
        ([0.1, 0, 0.1, 0], False, True, "interrompu à 500 pas"),
        ([0.1, 0, 0.1, 0], False, False, "inachevé"),
    ):
        observations = np.vstack([whole.observations[:-1], last])
        ended = {"terminated": terminated, "truncated": truncated}
        shown = player(whole._replace(observations=observations, **ended))
        assert plain(frozen_state(shown)["ending"]) == told
        assert told in shown.still.alt


def test_a_notebook_shows_it_without_a_kernel(whole, agent):
    shown = player(whole, agent)
    data = shown._repr_mimebundle_()
    assert data == {"text/html": shown.frozen(), "text/plain": shown.still.alt}
    assert "Épisode de la graine 0 : 500 pas" in plain(data["text/plain"])
    assert OUTSIDE.findall(data["text/html"]) == []


# Ce qui ne va pas


def test_bad_arguments_are_refused(whole):
    for change, told in (
        ({"observations": np.full((501, 4), np.nan)}, r"episode\.observations .* finis"),
        ({"actions": np.full(500, 2)}, r"episode\.actions .* 2 reçu"),
        ({"q_values": np.zeros((500, 3))}, r"episode\.q_values .* \(500, 2\) : \(500, 3\) reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            player(whole._replace(**change))
    for episode, given, told in (
        (coloured(3)._replace(frames=None), {}, r'images.*=None reçu .* render_mode="rgb_array"'),
        (coloured(3)._replace(frames=np.zeros((3, 2, 2, 3))), {}, r"frames .* \(4, N, N, 3\)"),
        (coloured(3)._replace(rewards=np.ones(2)), {}, r"rewards .* \(3,\) : \(2,\) reçu"),
        (coloured(5_001, noise=1), {}, r"durer 5.000 pas au plus.* 5.001 reçus ; donnez `limit`"),
        (coloured(3), {"names": "Acrobat-v1"}, r"'Acrobat-v1' reçu\. Vouliez-vous dire 'Acrobot"),
        (coloured(3), {"names": {"actions": ["a"]}}, r"actions'\] doit donner 3 noms : \['a'\]"),
        (coloured(3), {"names": {"actions": [*"abcd"]}}, r"actions'\] doit donner 3 noms : \['a',"),
        (coloured(3), {"names": {"actions": "abc"}}, r"actions'\] doit être une suite de textes"),
        (coloured(3), {"names": "Acrobot-v1"}, r"components'\] doit donner 5 noms"),
        (coloured(3), {"policy": len}, "policy ne colore que le plan de CartPole"),
        (whole, {"names": {}}, "`names` ne nomme que ce qui n'est pas de CartPole"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            player(episode, **given)
    for given, told in (
        ({"epsilon": 1.1}, r"epsilon doit être un nombre entre 0 et 1 : 1\.1 reçu"),
        ({"epsilon": np.zeros(499)}, r"epsilon doit être de forme \(500,\) : \(499,\) reçu"),
        ({"policy": 3}, "policy doit être une fonction : 3 reçu"),
        ({"policy": lambda states: states[0]}, r"policy\(observations\) doit être de forme"),
    ):
        with pytest.raises((TypeError, ValueError), match=told):
            player(whole, **given)
