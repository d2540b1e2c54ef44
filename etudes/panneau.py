"""Ce que coûte le panneau à l'entraînement qu'il montre.

    .venv/bin/python etudes/panneau.py

Tout se passe dans un noyau Jupyter, qui écrit donc vraiment ses messages ; il n'y manque que le
navigateur, qui travaille de son côté. Dans une même exécution, on compte le temps de processeur de
`Training.advance` et celui de tout le reste, tous fils compris : évaluations sans hasard, courbes,
messages. `secondes` : le total ; `part` : celle du reste (%) ; `evaluer` : dont les évaluations
(%) ; `arret` : les secondes entre `stop` et la fin du fil.
"""

import nbformat
from nbclient import NotebookClient

from cartpole_helpers.tables import write_study

REPEATS = 3
CODE = """
from dataclasses import replace
from time import perf_counter, process_time, sleep, thread_time

from cartpole_helpers import VERSION_2, Training
from cartpole_helpers.display import run
from cartpole_helpers.display.panel import panel

CONFIG = replace(VERSION_2, total_steps=300_000)
spent = {"advance": 0.0, "evaluate": 0.0}


def timed(name, work):
    def measured(*arguments, **named):
        start = thread_time()
        result = work(*arguments, **named)
        spent[name] += thread_time() - start
        return result

    return measured


Training.advance = timed("advance", Training.advance)
run.evaluate = timed("evaluate", run.evaluate)
start = process_time()
board = panel(CONFIG, seed=0)
board.start()
board.wait()
total = process_time() - start
rest, evaluating = total - spent["advance"], spent["evaluate"]

other = panel(CONFIG, seed=0)
other.start()
sleep(2)
other.stop()
asked = perf_counter()
other.wait()
stop = perf_counter() - asked
print(f"{total:.1f},{100 * rest / total:.1f},{100 * evaluating / total:.1f},{stop:.3f}")
"""


def main() -> None:
    """Mesure, et écrit panneau.csv."""
    rows = [measure().split(",") for _ in range(REPEATS)]
    write_study(__file__, ("secondes", "part", "evaluer", "arret"), rows)


def measure() -> str:
    """Rend les quatre nombres d'une ligne, mesurés dans un noyau neuf."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    line = notebook.cells[0].outputs[-1]["text"].strip()
    print(line, flush=True)
    return line


if __name__ == "__main__":
    main()
