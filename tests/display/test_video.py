"""Les films : légers, lisibles partout, reproductibles à l'octet près, jamais à demi écrits."""

import base64
import os
import re
import subprocess
import sys

import av
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell

from cartpole_helpers import play
from cartpole_helpers.display import recording
from cartpole_helpers.display.video import film, side_by_side
from cartpole_helpers.policies import lqr, push_by_angle

MAX_BYTES = 300_000
SECOND = 50  # pas, et images à vitesse réelle


@pytest.fixture(scope="module")
def long_film(tmp_path_factory):
    return film(lqr, tmp_path_factory.mktemp("videos") / "lqr.mp4", seed=1, title="LQR")


@pytest.fixture(scope="module")
def fallen(tmp_path_factory):
    return film(push_by_angle, tmp_path_factory.mktemp("videos") / "angle.mp4", seed=1)


def displayed(thing):
    return InteractiveShell.instance().display_formatter.format(thing)


def embedded(page, kind):
    encoded = re.search(rf"data:{kind};base64,([A-Za-z0-9+/=]+)", page).group(1)
    return base64.b64decode(encoded)


def test_the_same_seed_makes_the_same_bytes_whatever_lay_in_memory(fallen, tmp_path):
    code = f"""
from cartpole_helpers.display.video import film
from cartpole_helpers.policies import push_by_angle
film(push_by_angle, {str(tmp_path / "again.mp4")!r}, seed=1)
"""
    stained = {**os.environ, "MALLOC_PERTURB_": "85"}  # la glibc remplit de 85 ce qu'elle alloue
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, env=stained, check=True, capture_output=True, text=True)
    assert (tmp_path / "again.mp4").read_bytes() == fallen.path.read_bytes()
    assert (tmp_path / "again.webp").read_bytes() == fallen.picture.read_bytes()
    assert run.stdout == run.stderr == ""


def test_an_episode_of_500_steps_makes_two_light_files_that_browsers_play(long_film):
    assert len(long_film.episode.actions) == 500
    for path in (long_film.path, long_film.picture):
        assert 1_000 < path.stat().st_size < MAX_BYTES
    with av.open(long_film.path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
    content = long_film.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # lisible dès ses premiers octets
    assert b" threads=1 " in content  # ni le nombre de cœurs, ni la version n'y changent rien
    assert b"Lavf" not in content


def test_the_images_are_those_of_the_episode_and_the_end_is_held_a_second(fallen):
    with av.open(fallen.path) as container:
        assert container.streams.video[0].average_rate == SECOND
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    episode = play(push_by_angle, seed=1, render_mode="rgb_array")
    steps = len(episode.actions)
    assert len(frames) == steps + SECOND
    assert fallen.duration == pytest.approx(0.02 * steps + 1)
    assert fallen.episode.frames is None
    track = slice(100, 235)  # la scène, sous les textes
    for step in (0, 20, steps):
        expected = np.dot(episode.frames[step][180:315], [0.299, 0.587, 0.114])
        assert np.abs(frames[step][track] - expected).mean() < 3
    held = [np.abs(frame - frames[-1].astype(int)).mean() for frame in frames[-SECOND - 1 :]]
    assert max(held[1:]) < 0.5 < held[0]


def test_a_notebook_gets_the_video_a_still_with_its_text_and_words(fallen):
    data, metadata = displayed(fallen)
    assert embedded(data["text/html"], "video/mp4") == fallen.path.read_bytes()
    assert embedded(data["text/html"], "image/webp") == fallen.picture.read_bytes()
    assert embedded(data["text/html"], "image/png") == base64.b64decode(data["image/png"])
    assert metadata == {"image/png": {"alt": fallen.alt}}
    assert data["text/plain"] == fallen.alt
    stripped = re.sub("</?video[^>]*>", "", data["text/html"])  # comme le fait GitHub
    assert re.fullmatch('<img alt="[^"]+" src="data:image/webp;base64,[^"]+">', stripped)


def test_films_side_by_side_have_escaped_captions_and_fit_in_a_megabyte(fallen, long_film):
    data, _ = displayed(side_by_side([long_film] * 4 + [fallen], ["a", "b", "c", "d", "<b>θ</b>"]))
    page = data["text/html"]
    assert "<figcaption>&lt;b&gt;θ&lt;/b&gt;</figcaption>" in page
    assert page.count("<video") == page.count("</figure>") == 5
    assert len(page) < 1_000_000
    assert data["text/plain"].splitlines()[-1] == f"<b>θ</b> : {fallen.alt}"


def never(observations):
    raise AssertionError("la politique a été interrogée")


def test_bad_arguments_are_refused_before_the_episode_is_played(tmp_path, fallen):
    good = tmp_path / "film.mp4"
    for path, more, error, told in (
        (tmp_path / "film.gif", {}, ValueError, r"path doit finir par \.mp4 : .*film\.gif"),
        (tmp_path / "absent/film.mp4", {}, FileNotFoundError, "path doit être dans un dossier qui"),
        (good, {"speed": 5}, ValueError, "speed doit être un nombre entre"),
    ):
        with pytest.raises(error, match=f"^{told}"):
            film(never, path, **more)
    assert [*tmp_path.iterdir()] == []
    for films, captions, told in (
        ([fallen, fallen], ["une"], "captions doit donner une légende par film : 1 .* 2"),
        (["film.mp4"], ["une"], "films doit donner des films, que rend `film` : 'film.mp4' reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{told}"):
            side_by_side(films, captions)


def test_a_failure_leaves_the_old_files_and_the_setting_of_windows(tmp_path, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    old = {tmp_path / "film.mp4": b"ancienne", tmp_path / "film.webp": b"ancienne aussi"}
    for path, content in old.items():
        path.write_bytes(content)

    def fail(draft, *_):
        assert os.environ["SDL_VIDEODRIVER"] == "dummy"
        draft.write_bytes(b"moiti")
        raise OSError(28, "No space left on device")

    for failing in ("_write_picture", "_write_video"):
        monkeypatch.setattr(recording, failing, fail)
        with pytest.raises(OSError, match=r"film\.webp : écriture impossible, le disque est plein"):
            film(lqr, tmp_path / "film.mp4", limit=5)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old
        assert os.environ["SDL_VIDEODRIVER"] == "x11"
