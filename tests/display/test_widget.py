"""Une page vivante : des modules qui tiennent ensemble, une copie qui se passe de noyau."""

import json
import re
import shutil
import subprocess
import sys
import threading
from base64 import b64decode
from contextvars import ContextVar
from io import BytesIO
from unittest.mock import Mock

import pytest
from matplotlib.figure import Figure
from PIL import Image
from traitlets import Any, Dict

from cartpole_helpers.display import widget
from cartpole_helpers.display.explorer import Explorer
from cartpole_helpers.display.game import Game
from cartpole_helpers.display.learner import CODE as LEARNER
from cartpole_helpers.display.panel import Panel
from cartpole_helpers.display.player import CODE
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.widget import FOLDER, Page, bundle, frozen

PAGES = {"jeu": Game.code, "lecteur": CODE, "panneau": Panel.code, "curseurs": Explorer.code}
PAGES["apprentissage"] = LEARNER
HOSTILE = "</script><img src=x onerror=alert(1)> <!-- \u2028 \\ \" ' ${x} `"
NODE = shutil.which("node")
# Ce que `mount` demande à un navigateur, et rien de plus : une place déjà vivante est ignorée.
BROWSER = """
const asked = [];
const place = { dataset: {}, replaceChildren() { this.empty = true; } };
globalThis.document = { querySelectorAll(selector) { asked.push(selector); return [place]; } };
"""
PROBE = """
export function render({ model, el }) {
  const view = model.get("raw");
  console.log(JSON.stringify({
    offline: model.offline, text: model.get("text"), table: model.get("table"),
    bytes: view && [...new Uint8Array(view.buffer)], dataView: view instanceof DataView,
    empty: el.empty, missing: model.get("missing") === undefined,
  }));
}
"""


@pytest.fixture
def run_js(require, tmp_path):
    """`run_js(code)` exécute un module et rend ce qu'il écrit."""
    require("node", NODE)

    def run(code):
        file = tmp_path / "page.mjs"
        file.write_text(code, "utf-8")
        done = subprocess.run([NODE, file], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def picture(alt="Un chariot."):
    """Une image d'un pixel."""
    drawn = BytesIO()
    Image.new("RGB", (1, 1)).save(drawn, "png")
    return Picture(Figure(), drawn.getvalue(), alt)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_and_finds_in_each_module_all_that_it_takes_there(page, run_js):
    code = PAGES[page]
    assert "</script" not in code.lower()
    taken = re.findall(r"^const {([^}]*)} = (module_\w+);", code, flags=re.M)
    assert len(taken) >= 4
    names = [f"{m}.{one.strip()}" for some, m in taken for one in some.split(",") if one.strip()]
    told = ", ".join(f"typeof {name}" for name in ["mount", "render", *names])
    done = run_js(f"{code}\nconsole.log({told});export default {{ render }};")
    assert done.split()[:2] == ["function", "function"]
    assert "undefined" not in done


def test_without_a_kernel_the_page_receives_the_whole_state(monkeypatch, tmp_path, run_js):
    """La copie, dans le dossier du cours, d'un module de plus ; un navigateur l'ouvre deux fois."""
    shutil.copytree(FOLDER / "web", tmp_path / "web")
    (tmp_path / "web" / "probe.mjs").write_text(PROBE)
    monkeypatch.setattr(widget, "FOLDER", tmp_path)
    table = {HOSTILE: [1.5, None, True, HOSTILE]}
    state = {"raw": bytes(range(256)), "text": HOSTILE, "table": table}
    page = frozen(bundle("web/page.mjs", "web/probe.mjs"), picture(), state)
    [script] = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    lines = run_js(f"{BROWSER}{script}\nconsole.log(JSON.stringify(asked));").split("\n")
    [place] = re.findall(r'data-page="(\w+)"', page)
    assert json.loads(lines[1]) == [f'[data-page="{place}"]:not([data-alive])']
    known = {"text": HOSTILE, "table": table, "bytes": [*range(256)]}
    flags = dict.fromkeys(("offline", "dataView", "empty", "missing"), True)
    assert json.loads(lines[0]) == known | flags


def test_what_the_data_say_is_never_read_as_html():
    still = picture(f'{HOSTILE} "onload="x')
    page = frozen("const x = 1;", still, {"text": HOSTILE})
    assert page == frozen("const x = 1;", still, {"text": HOSTILE})
    places = {re.findall('data-page="(.*?)"', frozen("", still, {"x": x}))[0] for x in "ab"}
    assert len(places) == 2  # deux pages ne se disputent pas la même place
    assert page.count("</script>") == page.count("<script>") == page.count("<img") == 1
    assert "<!--" not in page
    image = r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)" width="461">'
    [(alt, content)] = re.findall(image, page)
    assert b64decode(content) == still.image
    assert "<" not in alt


class Heard(Page):
    """Une page qui retient ce qu'on lui dit, ou le refuse."""

    code = "function render() {}"
    still = picture()
    table = Dict({"b": 1, "a": None}).tag(sync=True)
    private = Any("à part")

    def receive(self, message, buffers):
        if "error" in message:
            raise message["error"]("gamma doit être entre 0 et 1 : 3 reçu.")
        self.private = (message, buffers)


@pytest.fixture
def page(monkeypatch):
    """Une page, et dans `sent` ce qu'elle répond."""
    made = Heard()
    made.sent = []
    monkeypatch.setattr(made, "send", lambda content, buffers=None: made.sent.append(content))
    yield made
    made.close()


def test_colab_is_told_where_to_find_the_widgets(page, monkeypatch):
    address = "adresse du gestionnaire"
    output = Mock(_widgets=Mock(_installed_url=address))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    for told in ({"colab": {"custom_widget_manager": {"url": address}}}, None):
        data, metadata = page._repr_mimebundle_()
        view = "application/vnd.jupyter.widget-view+json"
        assert metadata.get(view) == told
        assert {view, "text/html", "text/plain"} == {*data}
        monkeypatch.delitem(sys.modules, "google.colab.output", raising=False)


def say(page, content, buffers=()):
    """Ce que fait le noyau d'un message venu de la page."""
    data = {"method": "custom", "content": content}
    page._handle_msg({"content": {"data": data}, "buffers": [*buffers]})


def test_what_a_page_is_told_answers_no_message(monkeypatch):
    """Sinon ipykernel lierait la page au fil du message ; d'un autre fil aussi, on publie ainsi."""
    parent, heard = ContextVar("shell_parent", default="celui du dernier message"), []
    parent.set({"header": {"subshell_id": "x"}})
    made = Heard()
    monkeypatch.setattr(made.comm, "send", lambda **_: heard.append(parent.get()))
    made.table = {}
    thread = threading.Thread(target=made.send, args=({},))
    thread.start()
    thread.join()
    assert heard == [{}, {}]
    assert parent.get() == {"header": {"subshell_id": "x"}}
    made.close()


def test_a_message_is_received_with_its_bytes_then_answered_or_refused_in_french(page):
    message = {"do": "play", "id": "x1"}
    say(page, message, [b"\x07"])
    assert page.private == (message, [b"\x07"])
    say(page, {"error": ValueError, "id": "x2"})
    told = {"answer": "x2", "error": "gamma doit être entre 0 et 1\u00a0: 3 reçu."}
    assert page.sent == [{"answer": "x1"}, told]
    with pytest.raises(OSError, match="gamma"):  # une faute du programme n'est pas un refus
        page._answer(page, {"error": OSError, "id": "x3"}, [])
    assert page.sent[2:] == []
