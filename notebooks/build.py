"""Construit les carnets : d'une source `sources/NN_nom.py`, un carnet exécuté `NN_nom.ipynb`."""

import sys
from pathlib import Path

import jupytext
import nbformat
from building.errors import BuildError
from building.inputs import inputs_digest
from building.kernel import execute
from building.record import (
    code_cells,
    faults,
    identified,
    is_folded,
    normalise,
    outputs_digest,
    serialise,
)
from nbformat import NotebookNode

from cartpole_helpers.display.typography import typography
from cartpole_helpers.files import write_atomically

SOURCES = Path(__file__).resolve().parent / "sources"
USAGE = """Usage : python3 lancer.py carnets [carnet ...] [--tout] [--verifier]

Construit les carnets dont la source, le code ou les données ont changé.

  carnet       numéro ou nom : 1, 01, le_probleme ou 01_le_probleme ; tous par défaut
  --tout       reconstruit même les carnets à jour
  --verifier   exécute et compare à ce qui est enregistré, sans rien écrire"""
UNCHECKED = "nbval-ignore-output"  # étiquette des cellules dont les sorties varient


def notebook_of(source: Path) -> Path:
    """Le carnet que l'on construit à partir d'une source."""
    return source.parents[1] / f"{source.stem}.ipynb"


def read_source(source: Path) -> NotebookNode:
    """Le carnet qu'une source décrit, sans sorties : typographie faite, identifiants stables."""
    parsed = jupytext.reads(source.read_text("utf-8"), fmt="py:percent")
    cells = [cell for cell in parsed.cells if cell.source]
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = typography(cell.source)
        if is_folded(cell):
            cell.metadata["jupyter"] = {"source_hidden": True}
    return nbformat.v4.new_notebook(cells=identified(cells))


def build(source: Path) -> NotebookNode:
    """Le carnet exécuté, normalisé, contrôlé, scellé par ses deux empreintes ; rien n'est écrit."""
    inputs = inputs_digest(source)
    notebook = read_source(source)
    try:
        execute(notebook, notebook_of(source).parent)
    except BuildError as error:
        raise BuildError(f"{source.stem}, {error}") from error
    notebook = normalise(notebook)
    notebook.metadata["cartpole"] = {"inputs": inputs, "outputs": outputs_digest(notebook)}
    if found := list(faults(notebook)):
        raise BuildError(f"{source.stem} est refusé :\n- " + "\n- ".join(found))
    return notebook


def skeleton(notebook: NotebookNode) -> list[tuple]:
    """Ce qu'un carnet tient de sa source : tout, sauf les sorties."""
    return [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]


def edited(source: Path) -> str | None:
    """Pourquoi le carnet enregistré ne vient pas de sa source, ou `None`, sans rien exécuter."""
    if not notebook_of(source).exists():
        return "il n'existe pas encore"
    try:
        stored = nbformat.read(notebook_of(source), as_version=4)
    except nbformat.reader.NotJSONError:
        return "son fichier est illisible"
    if skeleton(stored) != skeleton(read_source(source)):
        return "sa source a changé"
    if stored.metadata.get("cartpole", {}).get("outputs") != outputs_digest(stored):
        return "ses sorties ont été retouchées"
    return None


def outdated(source: Path) -> str | None:
    """Pourquoi il faut reconstruire le carnet, ou `None`."""
    if why := edited(source):
        return why
    stored = nbformat.read(notebook_of(source), as_version=4)
    if stored.metadata.cartpole.get("inputs") != inputs_digest(source):
        return "le code ou les données qu'il emploie ont changé"
    return None


def update(source: Path, force: bool) -> None:
    """Reconstruit le carnet s'il le faut, et dit pourquoi."""
    why = outdated(source) or ("--tout le demande" if force else None)
    if why is None:
        print(f"{source.stem} : à jour.")
        return
    print(f"{source.stem} : reconstruit, car {why}.", flush=True)
    write_atomically(notebook_of(source), serialise(build(source)))


def stale(source: Path) -> str | None:
    """Exécute la source et dit en quoi le carnet enregistré en diffère, ou `None`."""
    if why := edited(source):
        return why
    stored = code_cells(nbformat.read(notebook_of(source), as_version=4))
    for rank, (old, new) in enumerate(zip(stored, code_cells(build(source)), strict=True), start=1):
        if old.outputs != new.outputs and UNCHECKED not in old.metadata.get("tags", []):
            return f"la cellule [{rank}] ne donne plus la même sortie"
    return None


def verify(source: Path) -> bool:
    """Dit si le carnet enregistré est celui que sa source donne aujourd'hui."""
    why = stale(source)
    print(f"{source.stem} : {f'périmé, car {why}' if why else 'conforme'}.", flush=True)
    return why is None


def select(names: list[str]) -> list[Path]:
    """Les sources nommées, par numéro ou par nom ; toutes si rien n'est nommé."""
    sources = sorted(SOURCES.glob("[0-9][0-9]_*.py"))
    known = {name: path for path in sources for name in _names(path)}
    if not sources:
        raise BuildError(f"Aucune source NN_nom.py dans {SOURCES.name}/.")
    if unknown := [name for name in names if name not in known]:
        found = ", ".join(path.stem for path in sources)
        raise BuildError(f"« {unknown[0]} » n'est pas un carnet. Carnets connus : {found}.")
    return sorted({known[name] for name in names}) or sources


def _names(source: Path) -> tuple[str, ...]:
    number, _, slug = source.stem.partition("_")
    return source.stem, slug, number, str(int(number))


def main(arguments: list[str]) -> int:
    """Construit ou vérifie ; rend le code de sortie du programme."""
    options = {argument for argument in arguments if argument.startswith("-")}
    if options & {"-h", "--help", "--aide"}:
        print(USAGE)
        return 0
    if unknown := options - {"--tout", "--verifier"}:
        print(f"Option inconnue : {', '.join(sorted(unknown))}.\n\n{USAGE}", file=sys.stderr)
        return 2
    try:
        sources = select([argument for argument in arguments if argument not in options])
        if "--verifier" in options:
            verdicts = [verify(source) for source in sources]
            return 0 if all(verdicts) else 1
        for source in sources:
            update(source, force="--tout" in options)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
