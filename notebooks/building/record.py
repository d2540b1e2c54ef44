"""Le carnet enregistré : ce qu'on y range, ce qu'on y refuse, comment on l'écrit."""

import hashlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
SIZE_LIMIT = 1_500_000  # octets
# Ce que JupyterLab écrirait en ouvrant le carnet, que lancer.py prive de la version de Python :
# sinon, un carnet à peine ouvert serait « modifié ».
METADATA = {
    "kernelspec": {
        "name": "python3",
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    },
    "language_info": {
        "name": "python",
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{8,}\b")
VIEW, STATE = (f"application/vnd.jupyter.widget-{part}+json" for part in ("view", "state"))


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Les cellules de code, dans l'ordre."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def is_folded(cell: NotebookNode) -> bool:
    """Dit si le code d'une cellule est replié, sur le site et dans JupyterLab."""
    return "hide-input" in cell.metadata.get("tags", [])


def prose(notebook: NotebookNode) -> list[str]:
    """Le texte des cellules qui ne sont pas du code."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def identified(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Donne à chaque cellule un identifiant stable, tiré de ce qu'elle contient."""
    seen: Counter[str] = Counter()
    for cell in cells:
        content = f"{cell.cell_type} {cell.source}"
        seen[content] += 1
        cell.id = hashlib.sha256(f"{seen[content]} {content}".encode()).hexdigest()[:8]
    return cells


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Numérote, soude les textes, réduit les métadonnées : deux exécutions se valent."""
    for rank, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = rank
        cell.outputs = _join_streams(cell.outputs)
        _keep_autonomous_pages(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = rank
    widgets = notebook.metadata.get("widgets") if VIEW in json.dumps(notebook.cells) else None
    notebook.metadata = nbformat.from_dict(METADATA)
    return _rename_models(notebook, widgets) if widgets else notebook


def _keep_autonomous_pages(outputs: list[NotebookNode]) -> None:
    """D'un widget qui sait aussi s'afficher sans noyau, ne garde que cette page : elle suffit à qui
    relit le carnet, et une page exportée n'a pas besoin du réseau pour la montrer."""
    for output in outputs:
        if VIEW in output.get("data", {}) and "text/html" in output.data:
            del output.data[VIEW]


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Soude les textes voisins, que le noyau envoie en morceaux au gré de son tampon."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and "name" in output and output.name == joined[-1].get("name"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _rename_models(notebook: NotebookNode, widgets: NotebookNode) -> NotebookNode:
    """Garde l'état des widgets ; leurs identifiants, tirés au hasard, deviennent leurs rangs."""
    notebook.metadata["widgets"] = widgets
    text = json.dumps(notebook)
    for rank, model in enumerate(widgets[STATE]["state"]):
        text = text.replace(model, f"{rank:032x}")
    return nbformat.from_dict(json.loads(text))


def outputs_digest(notebook: NotebookNode) -> str:
    """Empreinte de toutes les sorties : une sortie effacée ou retouchée se voit."""
    outputs = [cell.outputs for cell in code_cells(notebook)]
    content = json.dumps([outputs, notebook.metadata.get("widgets")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def faults(notebook: NotebookNode) -> Iterator[str]:
    """Les défauts d'un carnet exécuté, une phrase chacun."""
    for rank, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            yield from (f"cellule [{rank}] : {fault}" for fault in _output_faults(output))
    if (size := len(serialise(notebook))) > SIZE_LIMIT:
        yield f"il pèse {size} octets, la limite est {SIZE_LIMIT} : allégez ses images."


def _output_faults(output: NotebookNode) -> Iterator[str]:
    if output.output_type == "error":
        yield f"elle lève {output.ename} : {output.evalue}"
    if output.get("name") == "stderr":
        yield f"elle écrit sur la sortie d'erreur : {output.text.strip()}"
    for kind in output.get("data", {}):
        if kind.startswith("image/") and not output.metadata.get(kind, {}).get("alt"):
            yield f"une sortie {kind} n'a pas de texte de remplacement."
    if found := ADDRESS.search(_text(output)):
        yield f"une sortie contient une adresse mémoire, {found[0]}, qui change à chaque exécution."
    # Refusé plutôt que remplacé : nbval compare à ce que la cellule donne vraiment.
    if found := [folder for folder in machine_folders() if folder in _text(output)]:
        yield f"une sortie cite un dossier de cette machine, {found[0]} : montrez-le en relatif."


def _text(output: NotebookNode) -> str:
    """Le texte d'une sortie, sans les images ni les films qu'elle contient."""
    data = output.get("data", {}).items()
    texts = [str(value) for kind, value in data if not kind.startswith("image/")]
    return re.sub(r"base64,[\w+/=\s]+", "", "\n".join([output.get("text", ""), *texts]))


def machine_folders() -> list[str]:
    """Les dossiers propres à cette machine : le projet, la personne, les fichiers temporaires."""
    folders = (ROOT, Path.home(), Path(tempfile.gettempdir()))
    return [str(folder) for folder in folders if folder != Path(folder.anchor)]


def serialise(notebook: NotebookNode) -> bytes:
    """Le fichier du carnet, octet par octet."""
    return f"{nbformat.writes(notebook)}\n".encode()
