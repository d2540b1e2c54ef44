"""Une page vivante : des modules qui tiennent ensemble, une copie qui se passe de noyau."""

import json
import re
import shutil
import subprocess
import threading
from base64 import b64decode
from contextvars import ContextVar
from io import BytesIO

import pytest
from matplotlib.figure import Figure
from PIL import Image
from traitlets import Any, Bytes, Dict

from cartpole_helpers.display import widget
from cartpole_helpers.display.game import Game
from cartpole_helpers.display.panel import Panel
from cartpole_helpers.display.player import CODE
from cartpole_helpers.display.style import Picture
from cartpole_helpers.display.widget import FOLDER, Page, bundle, frozen

PAGES = {"jeu": Game.code, "lecteur": CODE, "panneau": Panel.code}
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
    """`run_js(code)` exécute un module et rend ce qu'il écrit ; avec `check`, le lit sans plus."""
    require("node", NODE)

    def run(code, check=False):
        file = tmp_path / "page.mjs"
        file.write_text(code, "utf-8")
        command = [NODE, *(["--check"] if check else []), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Un dossier de modules que le test écrit ; les règles de style y sont celles du cours."""
    web = tmp_path / "web"
    web.mkdir()
    for name in ("style.css", "page.mjs"):
        shutil.copy(FOLDER / "web" / name, web)
    monkeypatch.setattr(widget, "FOLDER", tmp_path)
    return web


def picture(alt="Un chariot."):
    """Une image d'un pixel."""
    drawn = BytesIO()
    Image.new("RGB", (1, 1)).save(drawn, "png")
    return Picture(Figure(), drawn.getvalue(), alt)


# Les modules réunis


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_valid_javascript(page, run_js):
    assert run_js(PAGES[page], check=True) == ""
    assert run_js(f"{PAGES[page]}\nexport default {{ render }};", check=True) == ""


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_and_offers_what_is_asked_of_it(page, run_js):
    told = "console.log(typeof mount, typeof render, render.length, mount.length)"
    assert run_js(f"{PAGES[page]}\n{told}").split() == ["function", "function", "1", "3"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_finds_in_each_module_all_that_it_takes_there(page, run_js):
    taken = re.findall(r"^const {([^}]*)} = (module_\w+);", PAGES[page], flags=re.M)
    assert len(taken) >= 4
    names = {
        f"{module}.{name.strip()}": f"typeof {module}.{name.strip()}"
        for listed, module in taken
        for name in listed.split(",")
        if name.strip()
    }
    content = ", ".join(f"{json.dumps(name)}: {kind}" for name, kind in names.items())
    found = json.loads(run_js(f"{PAGES[page]}\nconsole.log(JSON.stringify({{ {content} }}))"))
    assert {name for name, kind in found.items() if kind == "undefined"} == set()


@pytest.mark.parametrize("page", PAGES)
def test_no_import_nor_export_is_left(page):
    assert not re.search(r"^\s*(import|export)\b", PAGES[page], flags=re.M)
    assert "</script" not in PAGES[page].lower()


def test_each_module_keeps_its_names_and_gives_its_exports(folder, run_js):
    (folder / "one.mjs").write_text(
        'const hidden = "un";\nexport const mount = () => hidden;\nexport const SIZE = 3;\n'
    )
    (folder / "two.mjs").write_text(
        'import { SIZE } from "./one.mjs";\nconst hidden = "deux";\n'
        "export function twice() { return 2 * SIZE + hidden; }\n"
    )
    (folder / "three.mjs").write_text(
        'import {\n  SIZE,\n} from "./one.mjs";\nimport { twice } from "./two.mjs";\n'
        'const hidden = "trois";\nexport function render() { return [SIZE, twice(), hidden]; }\n'
    )
    code = bundle("web/one.mjs", "web/two.mjs", "web/three.mjs")
    told = "console.log(JSON.stringify([mount(), render(), typeof hidden, typeof twice]))"
    assert json.loads(run_js(f"{code}\n{told}")) == [
        "un",
        [3, "6deux", "trois"],
        "undefined",
        "undefined",
    ]


def test_the_modules_come_in_the_given_order(folder):
    for name in ("b", "a", "c"):
        (folder / f"{name}.mjs").write_text(f"// je suis {name}\n")
    code = bundle("web/b.mjs", "web/a.mjs", "web/c.mjs")
    assert re.findall(r"// je suis (\w)", code) == ["b", "a", "c"]
    assert code.index("module_c") < code.index("{ mount } = module_b")


def test_a_module_that_does_not_exist_is_not_forgotten():
    with pytest.raises(FileNotFoundError, match=r"absent\.mjs"):
        bundle("web/page.mjs", "web/absent.mjs")


# La page autonome


def script_of(html):
    [script] = re.findall(r"<script>(.*?)</script>", html, flags=re.S)
    return script


def mounted(run_js, html):
    """Ce que la page reçoit quand un navigateur, sans noyau, l'ouvre deux fois."""
    script = script_of(html)
    lines = run_js(f"{BROWSER}{script}\nconsole.log(JSON.stringify(asked));").split("\n")
    received, [selector] = json.loads(lines[0]), json.loads(lines[1])
    [place] = re.findall(r'data-page="(\w+)"', html)
    assert selector == f'[data-page="{place}"]:not([data-alive])'
    return received


def test_without_a_kernel_the_page_receives_the_whole_state(folder, run_js):
    (folder / "probe.mjs").write_text(PROBE)
    code = bundle("web/page.mjs", "web/probe.mjs")
    table = {HOSTILE: [1.5, None, True, HOSTILE]}
    state = {"raw": bytes(range(256)), "text": HOSTILE, "table": table}
    assert mounted(run_js, frozen(code, picture(), state)) == {
        "offline": True,
        "text": HOSTILE,
        "table": table,
        "bytes": [*range(256)],
        "dataView": True,
        "empty": True,
        "missing": True,
    }


def test_what_the_data_say_is_never_read_as_html():
    page = frozen("const x = 1;", picture(f'{HOSTILE} "onload="x'), {"text": HOSTILE})
    assert page.count("</script>") == page.count("<script>") == 1
    assert page.endswith("</script>")
    assert page.count("<img") == 1
    assert "<!--" not in page
    [alt] = re.findall(r'<img alt="([^"]*)" src="data:image/png;base64,[^"]*" width="\d+">', page)
    assert "<" not in alt
    assert not re.search(r'onerror|onload(?!=&quot;)="', page.replace(alt, "").split("<style>")[0])


def test_the_image_stands_there_until_a_script_runs():
    still = picture("Un chariot et sa tige.")
    page = frozen("", still, {})
    [content] = re.findall(
        r'<img alt="Un chariot et sa tige\." src="data:image/png;base64,(.*?)" width="461">', page
    )
    assert b64decode(content) == still.image
    assert "exécutez la cellule" in page


def test_the_same_page_gives_the_same_bytes_and_another_another_place():
    def place(state):
        return re.findall(r'data-page="(\w+)"', frozen("const x = 1;", picture(), state))

    state = {"text": "un", "raw": b"\x00\xff"}
    assert frozen("", picture(), state) == frozen("", picture(), dict(state))
    assert place(state) == place(dict(state))
    assert place(state) != place({"text": "deux", "raw": b"\x00\xff"})


def test_what_json_cannot_write_is_refused():
    with pytest.raises((TypeError, AttributeError)):
        frozen("", picture(), {"text": object()})


# Le widget


class Heard(Page):
    """Une page qui retient ce qu'on lui dit, et refuse ce qu'on lui demande de refuser."""

    code = "function render() {}"
    still = picture()
    raw = Bytes(b"\x01\x02").tag(sync=True)
    table = Dict({"b": 1, "a": None}).tag(sync=True)
    private = Any("à part")

    def receive(self, message, buffers):
        error = {"type": TypeError, "value": ValueError, "other": OSError}.get(message.get("do"))
        if error:
            raise error("gamma doit être entre 0 et 1 : 3 reçu.")
        self.private = (message, buffers)


@pytest.fixture
def page(monkeypatch):
    """Une page, et dans `sent` ce qu'elle répond."""
    made = Heard()
    made.sent = []
    monkeypatch.setattr(made, "send", lambda content, buffers=None: made.sent.append(content))
    yield made
    made.close()


def say(page, content, buffers=()):
    """Ce que fait le noyau d'un message venu de la page."""
    data = {"method": "custom", "content": content}
    page._handle_msg({"content": {"data": data}, "buffers": [*buffers]})


def test_a_message_is_received_with_its_bytes_then_answered(page):
    message = {"do": "play", "id": "x1"}
    say(page, message, [b"\x07"])
    assert page.private == (message, [b"\x07"])
    assert page.sent == [{"answer": "x1"}]


@pytest.mark.parametrize("kind", ["type", "value"])
def test_a_refusal_is_answered_in_french_typography(page, kind):
    say(page, {"do": kind, "id": "x2"})
    assert page.sent == [{"answer": "x2", "error": "gamma doit être entre 0 et 1\u00a0: 3 reçu."}]


def test_a_message_without_an_identity_is_answered_too(page):
    say(page, {})
    assert page.sent == [{"answer": None}]


def test_a_fault_of_the_program_is_not_disguised_as_a_refusal(page):
    with pytest.raises(OSError, match="gamma"):
        page._answer(page, {"do": "other", "id": "x3"}, [])
    assert page.sent == []


def test_a_page_that_hears_nothing_says_so():
    with pytest.raises(NotImplementedError):
        Page().receive({}, [])


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


def test_the_frozen_page_has_the_shared_state_and_nothing_else(page):
    [state] = re.findall(r"mount\(PLACE, render, (.*)\);\n", page.frozen())
    assert json.loads(state) == {"raw": {"base64": "AQI="}, "table": {"b": 1, "a": None}}


def test_a_saved_notebook_has_the_page_and_a_text_a_live_one_the_widget(page):
    data = page._repr_mimebundle_()
    assert set(data) == {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"}
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == page.model_id
    assert data["text/html"] == page.frozen()
    assert data["text/plain"] == "Un chariot."


@pytest.mark.parametrize("make", [Panel, lambda: Heard()], ids=["panneau", "essai"])
def test_the_widget_runs_the_code_of_its_class_in_the_style_of_the_course(make):
    made = make()
    assert str(made._esm).startswith(type(made).code)
    assert str(made._esm).endswith("export default { render };")
    assert str(made._css) == (FOLDER / "web/style.css").read_text("utf-8")
