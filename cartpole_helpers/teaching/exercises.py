"""Les exercices : `check` juge une réponse, `show` montre celle du cours, `bilan` fait le point."""

import inspect
import json
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cartpole_helpers.display.listing import Listing, listing
from cartpole_helpers.display.report import as_html, as_text
from cartpole_helpers.teaching.catalogue import EXERCISES, dqn
from cartpole_helpers.teaching.checking import Report, judge
from cartpole_helpers.teaching.sandbox import contained, shortened

PACKAGE = __name__.partition(".")[0]
CAPSTONE = dqn.EXERCISE.name  # la page blanche, que juge `capstone.jury`
JUDGED = re.compile(r"\bcheck\((\w+)\)")  # ce que demande la cellule d'un exercice
HELD = r"\s*:\s(\d+)\spropriétés?\ssur\s(\d+)"  # ce que répond un compte rendu


def check(obj: Callable) -> Report:
    """Rend le compte rendu de la réponse `obj`, fonction ou classe ; ne lève jamais d'erreur.

    L'exercice est trouvé par `obj.__name__`. `.passed` dit si toutes ses propriétés sont vraies ;
    affiché, le compte rendu donne pour chacune ✔ ou ✘, le cas, ce qui est venu, ce qui était
    attendu, et un indice. Les cas sont en partie tirés au hasard : aucune réponse ne les connaît.

    La réponse joue en silence. Une boucle est coupée après dix secondes de calcul, une attente
    après une minute, même si elles attrapent toutes les erreurs ; sous Linux, la mémoire est bornée
    aussi. `input` est refusé. Le hasard et les réglages communs, et les fonctions que le juge
    emploie, sont remis. Rien n'arrête en revanche un long calcul hors de Python, comme
    `sum(itertools.count())` ou `sorted(range(10**9))` : redémarrez alors le noyau.
    Ce n'est pas une prison : fichiers, fils et processus restent ce que la réponse en a fait.
    """
    name = contained(getattr, obj, "__name__", None).value
    if not callable(obj) or not isinstance(name, str):
        return Report("check", note="donnez-lui votre fonction, et non ce qu'elle rend")
    if name == CAPSTONE:
        return Report(name, note="un DQN entier se juge avec `jury`, carnet 15")
    if name not in EXERCISES:
        known = ", ".join(EXERCISES)
        return Report(shortened(name, 50), note=f"aucun exercice ne porte ce nom ; il y a {known}")
    return judge(EXERCISES[name], obj)


@dataclass(frozen=True)
class Folded:
    """Une réponse repliée : on ne la lit que si on la déplie."""

    listing: Listing

    def __repr__(self) -> str:
        return "La réponse du cours, à déplier dans un carnet."

    def _repr_html_(self) -> str:
        summary = "<summary>La réponse du cours, telle qu'elle s'exécute</summary>"
        return f"<details>{summary}{self.listing._repr_html_()}</details>"


def show(obj: Callable | str) -> Folded:
    """Rend, repliée, la réponse du paquet à l'exercice de ce nom : le code qui tourne.

    Ce qu'elle emploie du paquet est importé d'abord : on peut la copier telle quelle. `obj` : votre
    fonction, ou le nom de l'exercice. ValueError si aucun ne porte ce nom.
    """
    name = obj if isinstance(obj, str) else getattr(obj, "__name__", None)
    references = {key: exercise.reference for key, exercise in EXERCISES.items()}
    references[CAPSTONE] = dqn.EXERCISE.reference
    if name not in references:
        known = ", ".join(references)
        raise ValueError(f"obj doit être l'un des exercices {known} : {name!r} reçu.")
    code = listing(references[name]).text
    return Folded(Listing("\n".join([*_imports(references[name]), code])))


def _imports(reference: Callable) -> list[str]:
    """Rend les lignes qui importent les fonctions du paquet que `reference` emploie."""
    names = getattr(getattr(reference, "__code__", None), "co_names", ())
    used = [vars(inspect.getmodule(reference)).get(name) for name in names]
    needed = [one for one in used if str(getattr(one, "__module__", "")).startswith(PACKAGE)]
    lines = [f"from {one.__module__} import {one.__name__}" for one in needed]
    return [*lines, "", ""] if lines else []


@dataclass(frozen=True)
class Progress:
    """Où en est le lecteur ; en fin de cellule, s'affiche.

    `held` : carnet → exercice → (propriétés vraies, propriétés), ou `None` s'il reste à écrire.
    """

    held: dict[str, dict[str, tuple[int, int] | None]]

    def __repr__(self) -> str:
        return as_text(self._lines())

    def _repr_html_(self) -> str:
        return as_html(self._lines())

    def _lines(self) -> Iterable[str]:
        every = [one for exercises in self.held.values() for one in exercises.values()]
        passed = sum(one is not None and one[0] == one[1] for one in every)
        yield f"Exercices réussis : {passed} sur {len(every)}"
        for notebook, exercises in self.held.items():
            told = (f"`{name}` {_told(one)}" for name, one in exercises.items())
            yield f"{notebook} : {', '.join(told)}"


def _told(held: tuple[int, int] | None) -> str:
    if held is None:
        return "à écrire"
    return "✔" if held[0] == held[1] else f"{held[0]} sur {held[1]}"


def bilan(folder: str | os.PathLike = ".") -> Progress:
    """Rend où l'on en est, d'après les carnets enregistrés dans `folder`, et eux seuls.

    Un exercice compte comme le dit le dernier compte rendu affiché sous sa cellule. ValueError s'il
    n'y a là aucun carnet lisible du cours.
    """
    found = {path.stem: _held(path) for path in sorted(Path(folder).glob("*.ipynb"))}
    held = {stem: exercises for stem, exercises in found.items() if exercises}
    if not held:
        raise ValueError(f"folder doit contenir des carnets du cours : {str(folder)!r} reçu.")
    return Progress(held)


def _held(path: Path) -> dict[str, tuple[int, int] | None]:
    """Rend, de chaque exercice d'un carnet, ce que son dernier compte rendu a dit."""
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # le brouillon d'un autre, ou un carnet que l'on est en train d'écrire
    held = {}
    for cell in (one for one in cells if one["cell_type"] == "code"):
        outputs = "".join(_plain(cell))
        for name in JUDGED.findall("".join(cell["source"])):
            said = re.search(rf"\b{name}{HELD}", outputs)
            if name in EXERCISES and (said or name not in held):
                held[name] = (int(said[1]), int(said[2])) if said else None
    return held


def _plain(cell: dict) -> Iterable[str]:
    for output in cell["outputs"]:
        yield "".join(output.get("data", {}).get("text/plain", ""))
