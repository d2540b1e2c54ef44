"""Les paris d'une salle : ce qu'en disent les copies rendues, un histogramme par pari."""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode

from cartpole_helpers.display.figures import distributions
from cartpole_helpers.display.figures.panels import name_rows, sheet
from cartpole_helpers.display.style import BLUE, Picture, finish, style
from cartpole_helpers.display.typography import typography
from cartpole_helpers.files import write_atomically

USAGE = """\
usage : python3 lancer.py classe paris DOSSIER DEVOIR

Réunit les paris des copies rendues, sans les noms de leurs auteurs, dans la page
DOSSIER/paris/DEVOIR.html. Aucune copie n'est exécutée.
"""
ROWS = 12  # barres d'un histogramme ; au-delà, des classes ou « autres »
PAGE = """<!doctype html>
<html lang="fr"><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 1.1rem sans-serif; max-width: 50rem; margin: auto; padding: 1rem }}
blockquote {{ white-space: pre-line }} img {{ max-width: 100% }}</style>
<h1>{title}</h1>
{sections}
</html>
"""


# Lire


def bet_of(cell: NotebookNode) -> str | None:
    """Le nom du pari qui s'écrit dans une cellule, s'il y en a un."""
    return cell.metadata.get("cartpole", {}).get("pari")


def written(code: str) -> str:
    """Ce qu'une cellule de pari dit, avec des guillemets ou sans ; rien, si elle est illisible."""
    told = re.search(r"^pari_\d+ *= *(.*?)(?:  #.*)?$", code, re.M)
    text = told[1].strip() if told else ""
    try:
        return " ".join(str(ast.literal_eval(text)).split()) if text[:1] in "\"'" else text
    except (SyntaxError, ValueError):
        return text.strip("\"'")


def gathered(folder: Path, name: str) -> tuple[int, dict[str, list[str]]]:
    """Le nombre de copies, et les réponses à chaque pari ; une copie illisible est dite."""
    copies, answers = 0, {}
    for path in sorted(folder.glob(f"submitted/*/{name}/{name}.ipynb")):
        try:
            cells = nbformat.read(path, as_version=4).cells
        except (ValueError, nbformat.ValidationError):
            print(f"{path.relative_to(folder)} est illisible : laissée de côté.", file=sys.stderr)
            continue
        copies += 1
        told = {bet: written(cell.source) for cell in cells if (bet := bet_of(cell))}
        for bet, answer in told.items():
            answers.setdefault(bet, []).extend([answer] if answer else [])
    return copies, answers


def questions(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Chaque pari d'une copie, dans l'ordre, et la question qui le précède."""
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if bet := bet_of(cell):
            _, _, asked = before.source.rpartition("**À vous.**")
            yield bet, re.sub(r"\n> ?", "\n", asked).strip()


# Montrer


def number_of(answer: str) -> float | None:
    """Le nombre que dit une réponse : « 0,5 », « 1 000 », « 12 % »."""
    text = re.sub(r"\s|%$", "", answer).replace(",", ".")
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) else None


def histogram(answers: list[str], copies: int) -> Picture:
    """Combien de copies disent chaque réponse ; des nombres trop divers sont mis en classes."""
    values = [*map(number_of, answers)]
    if None in values:
        counts = Counter(answer.casefold() for answer in answers).most_common()
    else:
        counts = [
            (f"{value:g}".replace(".", ","), n) for value, n in sorted(Counter(values).items())
        ]
    told = f"{len(answers)} paris pour {copies} copies"
    if len(counts) > ROWS and None not in values:
        return distributions({"la salle": np.array(values)}, told, "pari")
    shown, others = counts[: ROWS - 1], counts[ROWS - 1 :]
    rest = sum(n for _, n in others)
    return bars(dict(counts if len(counts) <= ROWS else [*shown, ("autres", rest)]), told)


@style()
def bars(counts: dict[str, int], told: str) -> Picture:
    """Une barre par réponse."""
    best = max(counts, key=counts.get)
    title = f"Le pari le plus fréquent : {best}, {counts[best]} fois ; {told}"
    figure, axes = sheet(title, 1.3 + 0.32 * len(counts))
    axes.barh(range(len(counts)), [*counts.values()], color=BLUE)
    name_rows(axes, counts)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("copies")
    return finish(figure, title, ", ".join(f"{name} : {n}" for name, n in counts.items()) + ".")


def page(folder: Path, name: str) -> str:
    """La page des paris d'un devoir."""
    copies, answers = gathered(folder, name)
    given = nbformat.read(folder / "source" / name / f"{name}.ipynb", as_version=4)
    asked = questions(given)
    sections = (_section(bet, text, answers.get(bet, []), copies) for bet, text in asked)
    title = given.cells[0].source.partition("\n")[0].removeprefix("# ")
    return PAGE.format(title=f"{title} : les paris", sections="\n".join(sections))


def _section(bet: str, asked: str, answers: list[str], copies: int) -> str:
    head = f"<h2>Pari {bet}</h2><blockquote>{escape(typography(asked))}</blockquote>"
    if not answers:
        return f"{head}<p>Personne n’a parié.</p>"
    data, metadata = histogram(answers, copies)._repr_mimebundle_()
    look = metadata["image/png"]
    source = f"data:image/png;base64,{data['image/png']}"
    return f'{head}<img src="{source}" alt="{escape(look["alt"])}" width="{look["width"]}">'


def main(arguments: list[str]) -> None:
    """Écrit la page des paris du devoir que nomment les arguments."""
    if len(arguments) != 2 or "-h" in arguments or "--help" in arguments:
        sys.exit(USAGE)
    folder, name = Path(arguments[0]).expanduser().resolve(), arguments[1]
    if not (folder / "source" / name / f"{name}.ipynb").is_file():
        known = ", ".join(sorted(path.name for path in folder.glob("source/*"))) or "aucun"
        sys.exit(f"DEVOIR doit être l'un de ceux de {folder} ({known}) : {name} reçu.")
    place = folder / "paris" / f"{name}.html"
    place.parent.mkdir(exist_ok=True)
    write_atomically(place, page(folder, name).encode())
    print(f"Les paris sont dans {place}.")


if __name__ == "__main__":
    main(sys.argv[1:])
