"""Ce qu'est un exercice : la réponse juste, les propriétés exigées, les erreurs connues."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import FunctionType

import numpy as np

from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS, Misconception

Cases = Iterator[tuple]  # les arguments de chaque cas
NOTHING = "∅"
NAMED = r"(?P<name>.*?)(?: \((?P<notion>[^()]*)\))?"
CHANGE = r"(?:(?P<old>.+?) → |= )(?P<new>.+)"  # « avant → après », ou « = ce qui est rendu »


@dataclass(frozen=True)
class Property:
    """Une propriété que la réponse doit avoir, et de quoi la mettre à l'épreuve."""

    text: str
    """Ce qu'elle dit, en une phrase."""
    cases: Sequence[tuple] | Callable[[np.random.Generator], Cases]
    """Les arguments de chaque cas, que l'on calcule à la main, ou de quoi en tirer."""
    hint: str
    """L'indice, si aucune erreur connue n'explique la réponse."""
    view: Callable = lambda answer, *arguments: answer(*arguments)
    """Ce que l'on regarde de la réponse ; à défaut, ce qu'elle rend."""

    def drawn(self, generator: np.random.Generator) -> Iterable[tuple]:
        """Rend les arguments de chaque cas."""
        return self.cases(generator) if callable(self.cases) else self.cases


@dataclass(frozen=True)
class Mistake:
    """Une réponse fausse, et l'indice qui nomme sa faute.

    `make` rend la réponse ; `changes` : ce qui la distingue de la juste, (avant, après), si elle
    en est tirée ; `notion` : l'idée fausse, si d'autres exercices l'ont aussi.
    """

    name: str
    hint: str
    make: Callable[[], Callable] = field(repr=False)
    changes: tuple[tuple[str | None, str], ...] = ()
    notion: Misconception | None = None

    @cached_property
    def answer(self) -> Callable:
        """La réponse fausse, écrite quand on en a besoin."""
        return self.make()


class Exercise:
    """Un exercice : sa réponse juste, les propriétés qu'on exige, les erreurs que l'on connaît.

    `changes` dit les erreurs qui ne sont que la réponse juste, changée ; pour chacune :

        nom de l'erreur (notion) : avant → après
        + avant → après
            L'indice, sur une ligne ou plusieurs.

    « ∅ » n'est rien ; « = expression », au lieu de « avant → après », est ce que rend le dernier
    `return`. Une ligne « + » change un autre endroit. La notion est un nom de `misconceptions` ; à
    défaut, celui de l'erreur, s'il y est ; sans indice, c'est la phrase de la notion. `others` :
    les autres erreurs, des fonctions dont la docstring dit le nom, puis l'indice. `variants` :
    d'autres réponses justes. `plain` : la réponse juste que l'on change, s'il faut en écrire une
    plus simple. ValueError si une ligne n'a pas cette forme, si une notion est inconnue, s'il
    manque un indice, ou si un texte à changer n'est pas une fois, et une seule, dans la réponse.
    """

    def __init__(
        self,
        reference: Callable,
        properties: Sequence[Property],
        changes: str = "",
        others: Sequence[Callable] = (),
        variants: Sequence[Callable] = (),
        plain: Callable | None = None,
    ):
        self.reference, self.properties = reference, tuple(properties)
        self.variants = tuple(variants) if plain is None else (plain, *variants)
        changed = _changed(plain or reference, textwrap.dedent(changes).strip())
        self.mistakes = (*changed, *map(_written, others))

    @property
    def name(self) -> str:
        """Le nom que doit porter la réponse."""
        return self.reference.__name__

    def __repr__(self) -> str:
        return f"<l'exercice {self.name}>"


def _changed(reference: Callable, text: str) -> Iterator[Mistake]:
    """Rend les erreurs que dit `text`."""
    for block in filter(None, re.split(r"\n(?!\+ |    )", text)):
        head, *lines = block.splitlines()
        said = _read(f"{NAMED} : {CHANGE}", head)
        more = [_read(rf"\+ {CHANGE}", line) for line in lines if line.startswith("+ ")]
        told = " ".join(line.strip() for line in lines if line.startswith(" "))
        changes = tuple((one["old"], one["new"].replace(NOTHING, "")) for one in (said, *more))
        yield _mistake(said, told, partial(_rewritten, reference, changes), changes)


def _read(pattern: str, line: str) -> re.Match:
    said = re.fullmatch(pattern, line)
    if not said:
        raise ValueError(f"« nom : avant → après » ou « + avant → après » attendu : {line!r} reçu.")
    return said


def _written(answer: Callable) -> Mistake:
    """Rend l'erreur que la docstring de `answer` nomme."""
    head, *lines = inspect.cleandoc(answer.__doc__).splitlines()
    return _mistake(re.fullmatch(NAMED, head), " ".join(filter(None, lines)), lambda: answer)


def _mistake(said: re.Match, told: str, *rest) -> Mistake:
    if said["notion"] and said["notion"] not in MISCONCEPTIONS:
        raise ValueError(f"notion doit être dans misconceptions.py : {said['notion']!r} reçu.")
    notion = MISCONCEPTIONS.get(said["notion"] or said["name"])
    if not told and notion is None:
        raise ValueError(f"il manque un indice à {said['name']!r}.")
    return Mistake(said["name"], told or notion.sentence, *rest, notion=notion)


def _rewritten(reference: Callable, changes: Iterable[tuple[str | None, str]]) -> Callable:
    """Rend `reference`, récrite avec des changements."""
    source, namespace = _code(reference), dict(_globals(reference))
    for old, new in changes:
        if old is None:
            source = f"{source.rpartition('return ')[0]}return {new}"
        elif source.count(old) == 1:
            source = source.replace(old, new)
        else:
            raise ValueError(f"{old!r} doit être une fois dans {reference.__name__}.")
    exec(source, namespace)
    return namespace[reference.__name__]


def _code(reference: Callable) -> str:
    """Rend le texte de `reference`, sans ses docstrings."""
    lines = textwrap.dedent(inspect.getsource(reference)).splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            told = node.body[0]
            lines[told.lineno - 1 : told.end_lineno] = [""] * (told.end_lineno - told.lineno + 1)
    return "\n".join(lines)


def _globals(reference: Callable) -> dict:
    if isinstance(reference, FunctionType):
        return reference.__globals__
    return vars(inspect.getmodule(reference))


def rounded(generator: np.random.Generator, low: float, high: float) -> float:
    """Rend un nombre au hasard à deux décimales : un cas doit pouvoir se refaire à la main."""
    return round(float(generator.uniform(low, high)), 2)
