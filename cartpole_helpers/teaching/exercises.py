"""Les exercices du cours : `check` juge une réponse, `show` montre celle du paquet."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from cartpole_helpers.display.listing import Listing, listing
from cartpole_helpers.teaching.catalogue import EXERCISES, dqn
from cartpole_helpers.teaching.checking import Report, judge
from cartpole_helpers.teaching.sandbox import contained, shortened

PACKAGE = __name__.partition(".")[0]
CAPSTONE = dqn.EXERCISE.name  # la page blanche, que juge `capstone.jury`


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
