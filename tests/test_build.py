"""La construction des carnets : typographie, dépendances, exécution exigeante, contenu refusé."""

from pathlib import Path

import build
import nbformat
import pytest
from building import kernel, record
from building.inputs import inputs_digest
from nbformat import v4

from cartpole_helpers.display.typography import typography

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = """\
# %% [markdown]
# # Un essai : quoi ?

# %%
import ipywidgets
from IPython.display import display
ipywidgets.IntSlider(3)

# %%
print("avant", flush=True)
print("encore avant")
display({"image/png": "AA=="}, raw=True, metadata={"image/png": {"alt": "Une ligne."}})
print("après")

# %% tags=["nbval-ignore-output"]
1

# %%
1 + 1

# %%
1 + 1
"""


@pytest.fixture
def write_source(tmp_path, monkeypatch):
    """Écrit une source dans un projet vide, que `build` prend alors pour le nôtre."""
    folder = tmp_path / "notebooks" / "sources"
    folder.mkdir(parents=True)
    monkeypatch.setattr(build, "SOURCES", folder)

    def write(text: str, name: str = "00_essai") -> Path:
        source = folder / f"{name}.py"
        source.write_text(text, encoding="utf-8")
        return source

    return write


@pytest.fixture
def fake_run(monkeypatch):
    """Remplace l'exécution : chaque cellule affiche son rang ; rend la liste des passages."""
    runs = []

    def execute(notebook, folder):
        runs.append(folder)
        for rank, cell in enumerate(record.code_cells(notebook)):
            cell.outputs = [v4.new_output("stream", name="stdout", text=f"{rank}\n")]

    monkeypatch.setattr(build, "execute", execute)
    return runs


TYPED = {
    "Quoi ? Oui ! Non ; si : là.": "Quoi_? Oui_! Non_; si~: là.",
    "Quoi?\nOui! Ainsi: a; b": "Quoi_?\nOui_! Ainsi~: a_; b",
    "**Attention** : non. **Note:** x": "**Attention**~: non. **Note~:** x",
    "`a ? b : c` ; ``x ` ? y``": "`a ? b : c`_; ``x ` ? y``",
    "- ```\n  a ? b\n\n  c : d\n  ```\n- fin ?": "- ```\n  a ? b\n\n  c : d\n  ```\n- fin_?",
    "$f : x \\to y ; z$ ;": "$f : x \\to y ; z$_;",
    "[Où ?](a.md?b=1;c \"d : e\") !": "[Où_?](a.md?b=1;c \"d : e\")_!",
    "<b title=\"x > y ? z\">Oui</b> !<br>": "<b title=\"x > y ? z\">Oui</b>_!<br>",
    "| Quoi ? | Un : |\n|:---|---:|\n| a ; |": "| Quoi_? | Un~: |\n|:---|---:|\n| a_; |",
    "12:30, 3:1, a::b, std :: x, :tada: fini": "12:30, 3:1, a::b, std :: x, :tada: fini",
    "0,02 s ; 10 N, 50 % ; 12° ; 3 m/s": "0,02~s_; 10~N, 50~%_; 12°_; 3~m/s",
    "3 mois, 2 s'ils, `l'agent`, $f'(x)$": "3 mois, 2 s’ils, `l'agent`, $f'(x)$",
    "l'**amorçage**": "l’**amorçage**",
    "20 000 pas, 1 500 000 ; 2024 100": "20_000 pas, 1_500_000_; 2024 100",
    "a\u00a0; b\u202f: «\u202fc\u202f»": "a_; b~: «~c~»",  # les mauvaises insécables
}  # fmt: skip


def test_typography():
    for typed, expected in TYPED.items():
        done = typography(typed)
        assert done.replace("\u00a0", "~").replace("\u202f", "_") == expected
        assert typography(done) == done


@pytest.fixture
def project(tmp_path):
    """Un projet dont le carnet importe, de proche en proche, quatre modules sur six."""
    files = {
        "cartpole_helpers/__init__.py": "from .core import x",
        "cartpole_helpers/core.py": "",
        "cartpole_helpers/unused.py": "",
        "cartpole_helpers/display/__init__.py": "from . import lazy",
        "cartpole_helpers/display/figures.py": "def f():\n    from ..display import art",
        "cartpole_helpers/display/lazy.py": "NAMES = 'game.mjs', '../etudes/patients'",
        "cartpole_helpers/display/art.py": "import cartpole_helpers.display.figures",
        "cartpole_helpers/display/game.mjs": "export {}",
        "etudes/bases.csv": "a;b",
        "etudes/other.csv": "a;b",
        "etudes/patients/sain.csv": "a;b",
        "checkpoints/agent_400_pas.safetensors": "poids",
        "videos/episode.mp4": "film",
        "notebooks/sources/01_autre.py": "# %%\nimport cartpole_helpers.unused\n"
        "open('../etudes/other.csv')",
        "notebooks/sources/00_essai.py": "# %%\nfrom cartpole_helpers.display.figures import f\n"
        "f('../etudes/bases.csv', '../etudes/absent.csv', '../videos/episode.mp4', '.')\n"
        "n = 400\nf(f'../checkpoints/agent_{n}_pas.safetensors', f'{n}', f'{n}/')",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return tmp_path


def test_a_changed_file_makes_stale_exactly_the_notebooks_that_read_it(project):
    essai, other = sorted((project / "notebooks" / "sources").iterdir())
    for name, stale in {
        "cartpole_helpers/core.py": {essai, other},
        "cartpole_helpers/display/art.py": {essai},
        "cartpole_helpers/display/game.mjs": {essai},
        "cartpole_helpers/unused.py": {other},
        "etudes/bases.csv": {essai},
        "etudes/other.csv": {other},
        "etudes/patients/sain.csv": {essai},  # que nomme un module, depuis ce carnet
        "etudes/patients/nouveau.csv": {essai},
        "checkpoints/agent_400_pas.safetensors": {essai},
        "videos/episode.mp4": set(),
    }.items():
        before = {source: inputs_digest(source) for source in (essai, other)}
        content = (project / name).read_text() if (project / name).exists() else "\n"
        (project / name).write_text(f"{content[:-1]} ")  # de même longueur
        assert {source for source in before if inputs_digest(source) != before[source]} == stale
    unix = inputs_digest(essai)
    essai.write_bytes(essai.read_bytes().replace(b"\n", b"\r\n"))
    assert inputs_digest(essai) == unix


def test_cells_keep_their_tags_and_get_stable_ids(write_source):
    source = write_source(SAMPLE)
    before = build.read_source(source).cells
    source.write_text(SAMPLE.replace("1 + 1\n\n# %%\n1 + 1", "2\n\n# %%\n1 + 1\n\n# %%\n1 + 1"))
    after = build.read_source(source).cells
    assert before[3].metadata == {"tags": ["nbval-ignore-output"]}
    assert before[0].source == "# Un essai\u00a0: quoi\u202f?"
    assert len({cell.id for cell in before}) == len(before)
    assert [cell.id for cell in after if cell.source != "2"] == [cell.id for cell in before]


def test_a_folded_cell_is_folded_in_jupyterlab_too(write_source):
    source = write_source('# %% tags=["hide-input"]\n1\n\n# %%\n2\n')
    folded, told = build.read_source(source).cells
    assert folded.metadata.jupyter.source_hidden
    assert "jupyter" not in told.metadata


def test_the_same_source_twice_gives_the_same_bytes(write_source):
    source = write_source(SAMPLE)
    files = [record.serialise(build.build(source)) for _ in range(2)]
    assert files[0] == files[1]
    notebook = nbformat.reads(files[0].decode(), as_version=4)
    assert [cell.execution_count for cell in record.code_cells(notebook)] == [1, 2, 3, 4, 5]
    assert set(notebook.metadata) == {"kernelspec", "language_info", "cartpole", "widgets"}
    kinds = [output.output_type for output in record.code_cells(notebook)[1].outputs]
    assert kinds == ["stream", "display_data", "stream"]


def edit(written, **changes):
    """Récrit un carnet enregistré après l'avoir changé à la main."""
    path = build.notebook_of(written)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].update(changes)
    nbformat.write(notebook, path)


def test_only_what_changed_is_rebuilt(write_source, fake_run, capsys):
    source = write_source("# %%\nimport loops\n")
    module, notebook = source.parents[2] / "loops.py", build.notebook_of(source)
    module.touch()
    assert build.main(["--verifier"]) == 1
    assert not notebook.exists()
    assert build.main([]) == 0
    for reason, change in [
        ("ses sorties ont été retouchées", lambda: edit(source, outputs=[])),
        ("sa source a changé", lambda: edit(source, source="2")),
        ("sa source a changé", lambda: source.write_text("# %%\nimport loops\n2\n")),
        ("le code ou les données qu'il emploie ont changé", lambda: module.write_text("pass")),
        ("il n'existe pas encore", notebook.unlink),
        ("son fichier est illisible", lambda: notebook.write_text("<<<<<")),
        ("--tout le demande", lambda: None),
    ]:
        capsys.readouterr()
        assert [build.main([]), build.main(["--verifier"])] == [0, 0]
        assert "00_essai : à jour.\n" in capsys.readouterr().out
        change()
        before = notebook.exists() and notebook.read_bytes()
        if "--tout" not in reason:
            assert build.main(["--verifier"]) == ("le code" not in reason)
            assert (notebook.exists() and notebook.read_bytes()) == before
        runs = len(fake_run)
        assert build.main(["--tout"] if "--tout" in reason else []) == 0
        assert reason in capsys.readouterr().out
        assert len(fake_run) == runs + 1


def test_verification_compares_outputs_save_timed_ones(write_source, monkeypatch, capsys):
    write_source('# %%\n1\n\n# %% tags=["nbval-ignore-output"]\n2\n')
    shown = iter([("a", "b"), ("a", "c"), ("d", "b")])

    def execute(notebook, folder):
        for cell, text in zip(record.code_cells(notebook), next(shown), strict=True):
            cell.outputs = [v4.new_output("stream", name="stdout", text=text)]

    monkeypatch.setattr(build, "execute", execute)
    assert [build.main([]), build.main(["--verifier"]), build.main(["--verifier"])] == [0, 0, 1]
    assert "cellule [1]" in capsys.readouterr().out


def test_notebooks_are_chosen_by_number_or_name(write_source, capsys):
    assert build.main([]) == 1
    assert "Aucune source" in capsys.readouterr().err
    write_source("# %%\n1\n")
    chosen = write_source("# %%\n2\n", "01_le_probleme")
    for name in ("1", "01", "le_probleme", "01_le_probleme"):
        assert build.select([name]) == [chosen]
    assert len(build.select([])) == 2
    assert [build.main(["12"]), build.main(["--force"])] == [1, 2]
    told = capsys.readouterr().err
    assert "« 12 » n'est pas un carnet. Carnets connus : 00_essai, 01_le_probleme." in told
    assert "Option inconnue : --force." in told


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import warnings\nwarnings.warn('gare')", "UserWarning : gare"),
        ("import os\nos._exit(1)", "elle a tué le noyau."),
        ("import time\ntime.sleep(60)", "elle dure plus de 3 s."),
        ("import sys\nprint('gare', file=sys.stderr)", "elle écrit sur la sortie d'erreur"),
    ],
)
def test_a_faulty_cell_stops_the_build(write_source, monkeypatch, capsys, code, sentence):
    if "sleep" in code:
        monkeypatch.setattr(kernel, "CELL_TIMEOUT", 3)
    source = write_source(f"# %%\n1\n\n# %% [markdown]\n# Texte.\n\n# %%\n{code}\n")
    assert build.main([]) == 1
    assert f"cellule [2] : {sentence}" in capsys.readouterr().err
    assert not build.notebook_of(source).exists()


def test_faults_of_a_stored_notebook():
    picture, page = {"image/png": "AA0x7fabcdef1234AA"}, "<img src='data:image/png;base64,AA'>"
    for data, alt, count in [
        (picture, "Une courbe.", 0),
        (picture, "", 1),
        ({"text/html": f"{page} 0x10"}, "", 0),
        ({"text/html": f"{page} 0x7fabcdef1234"}, "", 1),
        ({"text/html": f"<img src='{Path.home()}/a.png'>"}, "", 1),
        ({"text/html": "x" * record.SIZE_LIMIT}, "", 1),
    ]:
        output = v4.new_output("display_data", data, metadata={"image/png": {"alt": alt}})
        notebook = v4.new_notebook(cells=[v4.new_code_cell("1", outputs=[output])])
        assert len(list(record.faults(notebook))) == count, str(output)[:80]
