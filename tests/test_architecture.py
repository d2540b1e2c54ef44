"""Ce que le paquet promet de sa forme : sens des imports, légèreté, noms publics, docstrings."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import cartpole_helpers

PACKAGE = Path(cartpole_helpers.__file__).parent
NAME = PACKAGE.name
CORE = (
    "checks",
    "files",
    "tables",
    "config",
    "repairs",
    "seeds",
    "cartpole",
    "policies",
    "replay",
    "tensors",
    "dqn",
    "environments",
    "networks",
    "agent",
    "training",
    "evaluation",
    "solving",
    "history",
    "statistics",
    "checkpoints",
)
ABOVE = ("one_page", "version1", "display", "teaching")
UNIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
HEAVY = ("matplotlib", "ipywidgets", "pygame", "IPython", "PIL", "av", "scipy", "pandas")
CONTRACT = {
    "config": ("Config", "VERSION_1", "VERSION_2", "QUICK"),
    "training": ("Training", "train", "Step"),
    "evaluation": ("evaluate", "play", "Episode"),
    "solving": ("solve", "Solution", "Unsolved"),
    "agent": ("Agent",),
    "dqn": ("td_target", "double_td_target", "td_loss"),
    "replay": ("ReplayBuffer", "Transition"),
    "cartpole": ("CartPoleVector",),
    "checkpoints": ("save", "load", "save_training", "load_training"),
    "history": ("History",),
    "tables": ("load_study",),
}


ALL = sorted(PACKAGE.rglob("*.py"))


def role(file):
    """Le dossier, ou à défaut le module, où range un fichier ce qu'il contient."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def modules(*names):
    return [file for file in ALL if role(file) in names]


def imported(file):
    """Les modules du paquet qu'un fichier importe, où que ce soit : « dqn », « display.video »."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        found |= {name for name in names_of(node, file) if name.split(".")[0] == NAME}
    return {name.removeprefix(NAME).removeprefix(".") for name in found}


def names_of(node, file):
    """Les noms complets des modules que nomme un nœud d'import."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    base = node.module or ""
    if node.level:
        here = (NAME, *file.relative_to(PACKAGE).parts)
        base = ".".join([*here[: -node.level], *filter(None, [base])])
    return {base} | {f"{base}.{alias.name}" for alias in node.names}


def roles(names):
    return {name.split(".")[0] for name in names}


def test_the_core_exists():
    assert [name for name in CORE if not (PACKAGE / f"{name}.py").is_file()] == []


def test_every_module_has_a_role():
    assert {role(file) for file in ALL} <= {*CORE, *ABOVE, "__init__"}


def wrong_arrows(files, forbidden):
    """Ce que des modules importent sans en avoir le droit."""
    found = {file.stem: roles(imported(file)) & set(forbidden) for file in files}
    return {name: arrows for name, arrows in found.items() if arrows}


def test_arrows_go_one_way():
    """Le cœur n'importe rien d'au-dessus de lui ; `display`, le cœur seulement."""
    assert wrong_arrows(modules(*CORE, "__init__"), ABOVE) == {}
    assert wrong_arrows(modules("display"), {*ABOVE} - {"display"}) == {}
    assert wrong_arrows(modules("one_page", "version1"), ["display", "teaching"]) == {}
    # Importer un nom depuis la racine du paquet, et non de son module, ferait un cercle.
    strangers = {f.stem: roles(imported(f)) - {"", *CORE} for f in modules(*CORE)}
    assert {name: roles for name, roles in strangers.items() if roles} == {}


def test_the_core_has_no_cycle():
    arrows = {name: roles(imported(PACKAGE / f"{name}.py")) & set(CORE) for name in CORE}
    while arrows:
        leaves = {name for name, needed in arrows.items() if not needed & arrows.keys()}
        assert leaves, f"cercle d'imports parmi {sorted(arrows)}"
        arrows = {name: needed for name, needed in arrows.items() if name not in leaves}


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    """Ces tests ne valent que ce que vaut leur lecteur d'imports."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "display").mkdir()
    file = tmp_path / "display" / "essai.py"
    forms = {
        f"import {NAME}.dqn": {"dqn"},
        f"import {NAME}.dqn as regles, os": {"dqn"},
        f"from {NAME} import dqn": {"", "dqn"},
        f"from {NAME}.teaching import truth": {"teaching", "teaching.truth"},
        f"def tard():\n    from {NAME}.evaluation import play": {
            "evaluation",
            "evaluation.play",
        },
        "from . import video": {"display", "display.video"},
        "from .video import film": {"display.video", "display.video.film"},
        "from ..dqn import Agent": {"dqn", "dqn.Agent"},
        "import numpy as np": set(),
    }
    for source, expected in forms.items():
        file.write_text(source, "utf-8")
        assert imported(file) == expected, source


def in_a_fresh_interpreter(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_importing_the_package_is_light_and_silent():
    code = f"import sys, {NAME}; print(sorted({set(HEAVY)} & sys.modules.keys()))"
    result = in_a_fresh_interpreter(code)
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "[]", "")


def test_training_does_not_load_the_compiler_of_torch():
    """Créer un optimiseur de PyTorch le charge, ce qui coûterait plus que l'entraînement."""
    code = (
        f"import sys, torch; from {NAME} import QUICK, Training\n"
        "training = Training(QUICK, 0)\n"
        "while training.gradient_steps < 3: training.advance()\n"
        "print('torch._dynamo' in sys.modules)\n"
        "torch.optim.Adam([torch.zeros(1)], fused=True)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    result = in_a_fresh_interpreter(code)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == ["False", "True"]


def test_the_contract_is_importable_from_the_top():
    for module, names in CONTRACT.items():
        home = importlib.import_module(f"{NAME}.{module}")
        for name in names:
            assert getattr(cartpole_helpers, name) is getattr(home, name)
            assert name in cartpole_helpers.__all__


def test_all_names_exist_once_in_order():
    names = cartpole_helpers.__all__
    assert len(set(names)) == len(names)
    assert [name for name in names if not hasattr(cartpole_helpers, name)] == []


# Ce que lit le lecteur


def public_definitions(file):
    """Le module, puis ses classes, fonctions et méthodes publiques : (nom, nœud)."""
    tree = ast.parse(file.read_text("utf-8"))
    yield file.stem, tree
    yield from public_children(file.stem, tree)


def public_children(prefix, node):
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef) and not child.name.startswith("_"):
            yield f"{prefix}.{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from public_children(f"{prefix}.{child.name}", child)


# version1 cite le document, et one_page tient sur une page : ni l'un ni l'autre n'est tenu à tout.
ENGINE = modules(*CORE, "__init__", "display", "teaching")
# Une réponse d'exercice dit son nom et son indice, ou rien ; la page blanche est celle d'un élève,
# qui fixe le hasard de PyTorch, comme one_page.
CATALOGUE = sorted((PACKAGE / "teaching" / "catalogue").glob("*.py"))
PAGE = PACKAGE / "teaching" / "catalogue" / "dqn.py"
SENTENCE = re.compile(r"[A-ZÀ-ÝŒ].*\.", re.DOTALL)


def opening(node):
    """Le premier paragraphe d'une docstring."""
    return (ast.get_docstring(node) or "").split("\n\n")[0]


def test_public_definitions_open_with_a_sentence():
    """Une docstring commence par une majuscule, et son premier paragraphe finit par un point."""
    found = {
        f"{file.stem} : {name}": opening(node)
        for file in {*ENGINE} - {*CATALOGUE}
        for name, node in public_definitions(file)
    }
    bad = {name: text for name, text in found.items() if not SENTENCE.fullmatch(text)}
    assert bad == {}


def test_a_module_opens_with_one_sentence():
    found = {file.stem: opening(ast.parse(file.read_text("utf-8"))) for file in ALL}
    assert {name: text for name, text in found.items() if text[-1:] != "." or ". " in text} == {}


def test_nothing_touches_a_global_generator():
    """Ni `np.random.rand`, ni `torch.manual_seed`, ni le module `random`."""
    for file in {*ENGINE} - {PAGE}:
        tree = ast.parse(file.read_text("utf-8"))
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        drawn = {node.attr for node in attributes if ast.unparse(node.value) == "np.random"}
        assert drawn <= {"Generator", "PCG64", "SeedSequence", "default_rng"}, file
        seeded = {node.attr for node in attributes if ast.unparse(node.value) == "torch"}
        forbidden = {"manual_seed", "seed", "rand", "randn", "randint", "randperm"}
        assert seeded & forbidden == set(), file
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert "random" not in {name for node in imports for name in names_of(node, file)}, file


# Rien de privé ne sort de son module

GUARDED = (
    "training",
    "evaluation",
    "solving",
    "agent",
    "networks",
    "dqn",
    "replay",
    "environments",
    "checkpoints",
    "seeds",
    "cartpole",
)
READERS = [
    file
    for name in ("cartpole_helpers", "etudes", "notebooks", "tests")
    for file in sorted((PACKAGE.parent / name).rglob("*.py"))
]


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def defined(tree):
    """Les noms privés qu'un module définit, ou donne à ses objets."""
    nodes = [*ast.walk(tree)]
    names = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    names |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and on_itself(n)}
    return {*filter(is_private, names)}


def on_itself(node):
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


PRIVATE = {
    name
    for module in GUARDED
    for name in defined(ast.parse((PACKAGE / f"{module}.py").read_text("utf-8")))
}


def borrowed(code):
    """Les noms privés du moteur qu'un programme emploie sans les définir."""
    tree = ast.parse(code)
    nodes = [*ast.walk(tree)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    used = {alias.name for node in imports for alias in node.names}
    used |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and not on_itself(n)}
    return sorted(used & PRIVATE - defined(tree))


def test_no_private_name_of_the_engine_is_used_elsewhere():
    found = {file.name: borrowed(file.read_text("utf-8")) for file in READERS}
    assert {name: names for name, names in found.items() if names} == {}


def test_a_borrowed_name_is_seen():
    for code, names in {
        "training._online.weights": ["_online"],
        f"from {NAME}.training import _checked_memory": ["_checked_memory"],
        "evaluation._first_episodes(policy)": ["_first_episodes"],
        "patch.setattr(one, name, two._window)": ["_window"],
        "class Mine:\n    def one(self): return self._window": [],
        "training.online.weights": [],
        "row._replace(action=2)": [],
    }.items():
        assert borrowed(code) == names, code


def test_every_file_can_be_imported_outside_unix():
    """Un module qui n'existe que là s'importe sous condition, ou dans la fonction qui l'emploie."""
    root = PACKAGE.parent
    folders = ("cartpole_helpers", "etudes", "notebooks", "tests")
    files = [
        root / "lancer.py",
        *(file for name in folders for file in (root / name).rglob("*.py")),
    ]
    outright = {
        (file.name, name)
        for file in files
        for node in ast.parse(file.read_text("utf-8")).body
        for name in names_of(node, file) & UNIX_ONLY
    }
    assert outright == set()
