"""Les parcours : des pages que l'on lit, et dont on tire les étapes."""

import re
from collections.abc import Iterator
from typing import NamedTuple

NUMBERS = r"\d+(?:(?:, | et | à )\d+)*"
STEP = re.compile(
    r"\[.+?\]\(\.\./notebooks/(?P<stem>\w+)\.ipynb\)"
    rf"(?:, sections? (?P<sections>{NUMBERS}))?"
    rf"(?:, exercices? (?P<exercises>{NUMBERS}))?"
    r" \((?P<reading>\d+) min de lecture(?:, (?P<writing>\d+) min d'exercices)?\) : \S"
)
SESSION = re.compile(r"## .*\((?P<minutes>\d+) min\)\n")


class Step(NamedTuple):
    """Une étape : un carnet, ce que l'on en choisit, et les minutes qu'annonce la page."""

    stem: str
    sections: tuple[int, ...]
    exercises: tuple[int, ...]
    minutes: tuple[int, int]  # de lecture, d'exercices


class Session(NamedTuple):
    """Une séance : les minutes qu'annonce son titre, et ses étapes."""

    minutes: int
    steps: tuple[Step, ...]


def sessions(page: str) -> list[Session]:
    """Les séances d'une page : les sections dont le titre finit par une durée.

    Leurs étapes sont une liste numérotée ; ValueError si l'une n'a pas la forme de `STEP`.
    """
    titles = [*SESSION.finditer(page)]
    bodies = [page[one.end() :].partition("\n## ")[0] for one in titles]
    return [
        Session(int(title["minutes"]), tuple(_steps(body)))
        for title, body in zip(titles, bodies, strict=True)
    ]


def _steps(body: str) -> Iterator[Step]:
    for item in re.findall(r"^\d+\. (.*(?:\n {3}.*)*)", body, re.M):
        line = " ".join(item.split())
        told = STEP.match(line)
        if not told:
            raise ValueError(
                "une étape doit se lire « [titre](../notebooks/NN_nom.ipynb), sections 1 à 3, "
                f"exercice 2 (10 min de lecture, 5 min d'exercices) : … » : {line!r} reçu."
            )
        duration = int(told["reading"]), int(told["writing"] or 0)
        chosen = (_numbers(told["sections"] or ""), _numbers(told["exercises"] or ""))
        yield Step(told["stem"], *chosen, duration)


def _numbers(text: str) -> tuple[int, ...]:
    """Les nombres que dit « 1, 3 et 5 à 7 »."""
    found = re.findall(r"(\d+)(?: à (\d+))?", text)
    return tuple(n for low, high in found for n in range(int(low), int(high or low) + 1))
