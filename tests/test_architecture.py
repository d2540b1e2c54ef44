"""Ce que le paquet promet de sa forme : imports, légèreté, hasard, noms privés, docstrings."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import cartpole_helpers

PACKAGE = Path(cartpole_helpers.__file__).parent
ROOT, NAME = PACKAGE.parent, PACKAGE.name
TREES = {file: ast.parse(file.read_text("utf-8")) for file in sorted(PACKAGE.rglob("*.py"))}
ABOVE = {"one_page", "version1", "display", "teaching"}
CORE = {file.stem for file in PACKAGE.glob("*.py")} - ABOVE - {"__init__", "__main__"}
HEAVY = ("matplotlib", "ipywidgets", "pygame", "IPython", "PIL", "av", "scipy", "pandas")
UNIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}
PROGRAMS = [
    ROOT / "lancer.py",
    *(f for name in (NAME, "etudes", "notebooks", "tests") for f in (ROOT / name).rglob("*.py")),
]


def role(file):
    """Le dossier, ou à défaut le module, où range un fichier ce qu'il contient."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def names_of(node):
    """Les noms complets des modules que nomme un nœud d'import."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if not isinstance(node, ast.ImportFrom):
        return set()
    assert node.level == 0, "un import relatif, que ces tests ne savent pas lire"
    return {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}


def imported(tree):
    return {name for node in ast.walk(tree) for name in names_of(node)}


def needed(*names):
    """Ce qu'importent du paquet, où que ce soit, les modules de ces rôles : par module, des rôles.

    Un nom pris à la racine du paquet, et non à son module, y compte pour un rôle.
    """
    return {
        file.relative_to(PACKAGE).with_suffix("").as_posix(): {
            one.split(".")[1] for one in imported(tree) if one.startswith(f"{NAME}.")
        }
        for file, tree in TREES.items()
        if role(file) in names
    }


def test_arrows_go_one_way():
    """Le cœur n'importe que le cœur, de ses modules ; `display`, le cœur et lui-même."""
    for allowed, modules in (
        (CORE, needed(*CORE)),
        (CORE | {"display"}, needed("display")),
        (CORE | ABOVE - {"display", "teaching"}, needed("one_page", "version1")),
    ):
        strangers = {name: roles - allowed for name, roles in modules.items()}
        assert {name: roles for name, roles in strangers.items() if roles} == {}
    assert not needed("__init__")["__init__"] & ABOVE


def test_the_core_has_no_cycle():
    arrows = {name: roles - {name} for name, roles in needed(*CORE).items()}
    while arrows:
        leaves = {name for name, roles in arrows.items() if not roles & arrows.keys() - {name}}
        assert leaves, f"cercle d'imports parmi {sorted(arrows)}"
        arrows = {name: roles for name, roles in arrows.items() if name not in leaves}


def test_the_package_is_light_and_silent():
    """Un optimiseur de PyTorch en charge le compilateur, plus long que tout l'entraînement."""
    code = (
        f"import sys; from {NAME} import QUICK, Training\n"
        f"print(sorted({set(HEAVY)} & sys.modules.keys()))\n"
        "training = Training(QUICK, 0)\n"
        "while training.gradient_steps < 3: training.advance()\n"
        "print('torch._dynamo' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stdout.split(), run.stderr) == (0, ["[]", "False"], "")


def test_nothing_is_imported_that_only_unix_has():
    """Un tel module s'importe sous condition, ou dans la fonction qui l'emploie."""
    for file in PROGRAMS:
        outright = {n for node in ast.parse(file.read_text("utf-8")).body for n in names_of(node)}
        assert not outright & UNIX_ONLY, file


# Ce que lit le lecteur


# version1 cite le document, et one_page tient sur une page : ni l'un ni l'autre n'est tenu à tout.
ENGINE = [file for file in TREES if role(file) not in ("one_page", "version1")]
# Une réponse d'exercice dit son nom et son indice, ou rien ; la page blanche est celle d'un élève,
# qui fixe le hasard de PyTorch, comme one_page.
CATALOGUE = PACKAGE / "teaching" / "catalogue"
DEFINITIONS = ast.ClassDef | ast.FunctionDef


def openings(node):
    """Le premier paragraphe de la docstring de chaque classe, fonction et méthode publique."""
    for child in node.body:
        if isinstance(child, DEFINITIONS) and not child.name.startswith("_"):
            yield (ast.get_docstring(child) or child.name).split("\n\n")[0]
            yield from openings(child) if isinstance(child, ast.ClassDef) else ()


def test_what_is_public_opens_with_a_sentence():
    """Une majuscule, un point ; un module n'en a qu'une."""
    for file, tree in TREES.items():
        first = (ast.get_docstring(tree) or "").split("\n\n")[0]
        assert first.endswith("."), file
        assert ". " not in first, file
        if file in ENGINE and file.parent != CATALOGUE:
            bad = [o for o in openings(tree) if not re.fullmatch(r"[A-ZÀ-ÝŒ].*\.", o, re.DOTALL)]
            assert bad == [], file


def test_nothing_touches_a_global_generator():
    """Ni `np.random.rand`, ni `torch.manual_seed`, ni le module `random`."""
    forbidden = {"manual_seed", "seed", "rand", "randn", "randint", "randperm"}
    for file in {*ENGINE} - {CATALOGUE / "dqn.py"}:
        attributes = [node for node in ast.walk(TREES[file]) if isinstance(node, ast.Attribute)]
        drawn = {node.attr for node in attributes if ast.unparse(node.value) == "np.random"}
        assert drawn <= {"Generator", "PCG64", "SeedSequence", "default_rng"}, file
        seeded = {node.attr for node in attributes if ast.unparse(node.value) == "torch"}
        assert not seeded & forbidden, file
        assert "random" not in imported(TREES[file]), file


# Rien de privé ne sort de son module


GUARDED = ["training", "evaluation", "solving", "agent", "networks", "dqn", "replay"]
GUARDED += ["environments", "checkpoints", "seeds", "cartpole"]


def on_itself(node):
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def defined(tree):
    """Les noms privés qu'un module définit, ou donne à ses objets."""
    nodes = [*ast.walk(tree)]
    names = {n.name for n in nodes if isinstance(n, DEFINITIONS)}
    names |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and on_itself(n)}
    return {name for name in names if name.startswith("_") and not name.startswith("__")}


PRIVATE = {name for module in GUARDED for name in defined(TREES[PACKAGE / f"{module}.py"])}


def borrowed(code):
    """Les noms privés du moteur qu'un programme emploie sans les définir."""
    nodes = [*ast.walk(tree := ast.parse(code))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    used = {alias.name for node in imports for alias in node.names}
    used |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and not on_itself(n)}
    return used & PRIVATE - defined(tree)


def test_no_private_name_of_the_engine_is_used_elsewhere():
    assert borrowed("training._online.weights") == {"_online"}
    assert borrowed(f"from {NAME}.training import _checked_memory") == {"_checked_memory"}
    found = {file.name: borrowed(file.read_text("utf-8")) for file in PROGRAMS}
    assert {name: names for name, names in found.items() if names} == {}
