"""Les films : légers, lisibles partout, reproductibles à l'octet près, jamais à demi écrits."""

import base64
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path

import av
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

from cartpole_helpers import play
from cartpole_helpers.display import recording
from cartpole_helpers.display.video import film, side_by_side
from cartpole_helpers.policies import lqr, push_by_angle, push_by_velocity

MAX_BYTES = 300_000
SECOND = 50  # pas, et images à vitesse réelle
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def long_film(tmp_path_factory):
    return film(lqr, tmp_path_factory.mktemp("videos") / "lqr.mp4", seed=1, title="LQR")


@pytest.fixture(scope="module")
def fallen(tmp_path_factory):
    return film(push_by_angle, tmp_path_factory.mktemp("videos") / "angle.mp4", seed=1)


def displayed(thing):
    return InteractiveShell.instance().display_formatter.format(thing)


def decoded(path):
    with av.open(path) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def embedded(page, kind):
    encoded = re.search(rf"data:{kind};base64,([A-Za-z0-9+/=]+)", page).group(1)
    return base64.b64decode(encoded)


def test_an_episode_of_500_steps_makes_two_light_files(long_film):
    assert len(long_film.episode.actions) == 500
    assert long_film.picture == long_film.path.with_suffix(".webp")
    for path in (long_film.path, long_film.picture):
        assert 1_000 < path.stat().st_size < MAX_BYTES


def test_the_video_is_one_that_browsers_play_from_its_first_bytes(long_film):
    with av.open(long_film.path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (600, 400)
    content = long_film.path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert b" threads=1 " in content  # ni le nombre de cœurs, ni la version n'y changent rien
    assert b"Lavf" not in content


def test_one_step_is_one_image_in_real_time_and_the_last_one_stays_a_second(fallen):
    steps = len(fallen.episode.actions)
    with av.open(fallen.path) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == 50
        assert stream.frames == steps + SECOND
        assert float(stream.duration * stream.time_base) == pytest.approx(fallen.duration)
    assert fallen.duration == pytest.approx(0.02 * steps + 1)


def test_the_images_are_those_of_the_episode_and_the_end_is_held(fallen):
    frames = decoded(fallen.path)
    episode = play(push_by_angle, seed=1, render_mode="rgb_array")
    assert np.array_equal(fallen.episode.observations, episode.observations)
    assert fallen.episode.frames is None
    track = slice(100, 235)  # la scène, sous les textes
    for step in (0, 20, len(episode.actions)):
        expected = np.dot(episode.frames[step][180:315], [0.299, 0.587, 0.114])
        assert np.abs(frames[step][track] - expected).mean() < 3
    held = [np.abs(frame - frames[-1].astype(int)).mean() for frame in frames[-SECOND - 1 :]]
    assert max(held[1:]) < 0.5 < held[0]


def test_the_picture_is_a_small_looping_animation_at_the_same_pace(fallen):
    with Image.open(fallen.picture) as picture:
        durations = []
        for index in range(picture.n_frames):
            picture.seek(index)
            picture.load()
            durations.append(picture.info["duration"])
        assert picture.size == (300, 200)
        assert picture.info["loop"] == 0
    assert durations == [80] * (len(durations) - 1) + [1000]
    assert abs(sum(durations) / 1000 - fallen.duration) <= 0.08


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


def test_images_are_drawn_one_at_a_time(tmp_path):
    """Cinq cents images gardées feraient plus de 300 Mio."""
    episode, drawn = play(lqr, limit=40), []

    def frames():
        for step in range(41):
            assert sum(frame() is not None for frame in drawn) < 4
            frame = np.full((400, 600, 3), step, np.uint8)
            drawn.append(weakref.ref(frame))
            yield frame

    recording.record(episode, frames(), tmp_path / "a.mp4", tmp_path / "a.webp", 1, "")
    assert len(drawn) == 41


def test_speed_stretches_the_time_of_a_step_not_the_final_pause(tmp_path):
    speed, seconds = 0.25, 0.08
    made = film(lqr, tmp_path / "film.mp4", limit=40, speed=speed)
    assert made.duration == pytest.approx(40 * seconds + 1, abs=0.05)
    with av.open(made.path) as container:
        assert container.streams.video[0].average_rate == pytest.approx(1 / seconds)


def test_the_ending_tells_why_the_episode_stops():
    for policy, limit, words in (
        (push_by_angle, 500, "Chute après 51 pas : la tige dépasse 12°"),
        (push_by_velocity, 500, "Sortie après 161 pas : le chariot sort du rail"),
        (lqr, 20, "Arrêt après 20 pas : la tige tient toujours"),
    ):
        assert recording.ending(play(policy, seed=1, limit=limit)) == words


def test_the_font_draws_every_letter_of_the_course():
    missing = bytes(recording.FONT.getmask("\uffff"))
    letters = "aàâæcçeéèêëiîïoôœuùûüÿAÀÉÊÇŒθẋẍεγ°−×«»’…"
    assert [letter for letter in letters if bytes(recording.FONT.getmask(letter)) == missing] == []


def test_a_notebook_gets_the_video_a_still_with_its_text_and_words(fallen):
    data, metadata = displayed(fallen)
    assert embedded(data["text/html"], "video/mp4") == fallen.path.read_bytes()
    assert embedded(data["text/html"], "image/webp") == fallen.picture.read_bytes()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert embedded(data["text/html"], "image/png") == base64.b64decode(data["image/png"])
    assert metadata == {"image/png": {"alt": fallen.alt}}
    assert data["text/plain"] == fallen.alt
    assert "<video controls muted loop playsinline" in data["text/html"]
    stripped = re.sub("</?video[^>]*>", "", data["text/html"])  # comme le fait GitHub
    assert re.fullmatch('<img alt="[^"]+" src="data:image/webp;base64,[^"]+">', stripped)


def test_the_text_for_those_who_do_not_see_is_told_or_given_and_escaped(tmp_path):
    told = film(lqr, tmp_path / "told.mp4", limit=9, title="LQR")
    assert told.alt == "Épisode de CartPole. LQR. Arrêt après 9 pas : la tige tient toujours"
    given = film(lqr, tmp_path / "given.mp4", limit=9, alt='<i>"équilibre"</i>')
    page = displayed(given)[0]["text/html"]
    assert 'aria-label="&lt;i&gt;&quot;équilibre&quot;&lt;/i&gt;"' in page
    assert "<i>" not in page


def test_films_side_by_side_have_escaped_captions_and_fit_in_a_megabyte(fallen, long_film):
    data, _ = displayed(side_by_side([long_film] * 5, ["a", "b", "c", "d", "<b>θ & θ̇</b>"]))
    page = data["text/html"]
    assert "<figcaption>&lt;b&gt;θ &amp; θ̇&lt;/b&gt;</figcaption>" in page
    assert page.count("<video") == page.count("</figure>") == 5
    assert "flex-wrap: wrap" in page
    assert len(page) < 1_000_000
    two = displayed(side_by_side([fallen, long_film], ["Signe de θ", "LQR"]))[0]["text/plain"]
    assert two == f"Signe de θ : {fallen.alt}\nLQR : {long_film.alt}"


def never(observations):
    raise AssertionError("la politique a été interrogée")


def test_a_missing_codec_is_told_before_the_episode_is_played(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "CODEC", "absent264")
    with pytest.raises(RuntimeError, match=r"^l'encodeur H.264 'absent264' manque .* lancer\.py"):
        film(never, tmp_path / "film.mp4")
    assert [*tmp_path.iterdir()] == []


def test_bad_arguments_are_refused_before_the_episode_is_played(tmp_path, fallen):
    good, folder = tmp_path / "film.mp4", tmp_path / "dossier.webp"
    folder.mkdir()
    for path, more, error, told in (
        (tmp_path / "film.gif", {}, ValueError, r"path doit finir par \.mp4 : .*film\.gif"),
        (None, {}, TypeError, "path doit être un chemin : None"),
        (tmp_path / "absent/film.mp4", {}, FileNotFoundError, "path doit être dans un dossier qui"),
        (
            folder.with_suffix(".mp4"),
            {},
            IsADirectoryError,
            "path doit être un fichier : ",
        ),
        (good, {"speed": 5}, ValueError, "speed doit être un nombre entre"),
        (good, {"title": 3}, TypeError, "title doit être un texte : 3 reçu"),
        (good, {"alt": []}, TypeError, r"alt doit être un texte : \[\] reçu"),
    ):
        with pytest.raises(error, match=f"^{told}"):
            film(never, path, **more)
    assert [*tmp_path.iterdir()] == [folder]
    for films, captions, told in (
        ([fallen, fallen], ["une"], "captions doit donner une légende par film : 1 .* 2"),
        ([fallen], [3], "captions doit être un texte : 3 reçu"),
        (["film.mp4"], ["une"], "films doit donner des films, que rend `film` : 'film.mp4' reçu"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"^{told}"):
            side_by_side(films, captions)


def test_a_failure_leaves_the_old_files_as_they_were(tmp_path, monkeypatch):
    old = {tmp_path / "film.mp4": b"ancienne", tmp_path / "film.webp": b"ancienne aussi"}
    for path, content in old.items():
        path.write_bytes(content)

    def fail(draft, *_):
        assert draft.parent == tmp_path  # le même disque : le remplacement est atomique
        draft.write_bytes(b"moiti")
        raise OSError(28, "No space left on device")

    for failing in ("_write_picture", "_write_video"):
        monkeypatch.setattr(recording, failing, fail)
        with pytest.raises(OSError, match=r"film\.webp : écriture impossible, le disque est plein"):
            film(lqr, tmp_path / "film.mp4", limit=5)
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old


@pytest.mark.parametrize("driver", [None, "x11"])
def test_the_window_system_setting_is_given_back_even_after_an_error(tmp_path, monkeypatch, driver):
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    if driver:
        monkeypatch.setenv("SDL_VIDEODRIVER", driver)
    seen = []

    def broken(observations):
        seen.append(os.environ["SDL_VIDEODRIVER"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        film(broken, tmp_path / "film.mp4")
    assert seen == ["dummy"]
    assert os.environ.get("SDL_VIDEODRIVER") == driver


def test_the_core_does_not_load_what_films_need():
    code = "import sys, cartpole_helpers; print({'av', 'PIL', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
