"""Ce que vaut l'indice sur des réponses que personne n'avait prévues.

    .venv/bin/python etudes/indices.py

Ce ne sont pas des élèves : cent réponses par série, vingt pour chacun de cinq exercices, écrites
d'après le seul énoncé par qui n'avait pas lu le catalogue ; un tiers environ sont justes, et
étrangement écrites. `reponses.jsonl` les garde, avec la faute telle que son auteur la dit.

Critères, fixés d'avance : la part des justes acceptées, celle des fausses refusées, et, parmi les
fausses, celle que l'indice nomme bien (« oui ») : il dit la faute, ou ce qu'elle a d'immédiat.
« Général » est vrai, sans nommer ; « trompeur » envoie ailleurs. Qui en a jugé ne voyait que la
faute et l'indice, mêlés, sans savoir de quel moment ; son avis est gardé dans `reponses.jsonl`,
indice par indice.

« Avant » est le catalogue du commit `7173ad2`, dont les lignes sont gardées ; « après », celui
d'aujourd'hui, que le script refait. Les séries A et B ont servi à compléter le catalogue : leur
« après » est flatteur. La série C, écrite ensuite, n'a servi qu'à refermer un trou (une réponse
passait une fois sur dix, faute d'un cas à trois actions) ; elle seule compare.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from warnings import catch_warnings

import numpy as np
import torch

from cartpole_helpers.statistics import exact_interval, sign_test
from cartpole_helpers.tables import write_study
from cartpole_helpers.teaching.exercises import check

ANSWERS = Path(__file__).parent / "reponses.jsonl"
HEADER = ("moment", "serie", "exercice", "reponse", "juste", "verdict", "indice", "nommee")
BEFORE, AFTER = "avant", "après"


def main() -> None:
    """Refait les lignes d'aujourd'hui, garde celles d'avant, et dit les parts."""
    rows = [*(row for row in stored() if row[0] == BEFORE), *map(row, answers())]
    write_study(__file__, HEADER, rows)
    for moment in (BEFORE, AFTER):
        for series in "ABC":
            print(moment, series, *shares([r for r in rows if r[:2] == (moment, series)]))
    gained, lost = changes(rows, "C")
    told = f"{gained} nommées de plus, {lost} de moins, p = {sign_test(gained, lost):.2f}"
    print(f"Série C, réponse à réponse : {told} (exploratoire)")


def answers() -> list[dict]:
    """Rend les réponses : `serie`, `exercice`, `reponse`, `juste`, `faute`, `code`, `avis`."""
    return [json.loads(line) for line in ANSWERS.read_text("utf-8").splitlines()]


def stored() -> Iterator[tuple]:
    """Rend les lignes archivées."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        yield from map(tuple, [*csv.reader(file)][1:])


def row(answer: dict) -> tuple:
    """Juge une réponse ; l'avis sur un indice nouveau reste à donner."""
    namespace = {"np": np, "torch": torch, "__name__": "reponse"}
    with catch_warnings(action="ignore"):  # Python avertit de certaines fautes
        exec(answer["code"], namespace)
    report = check(namespace[answer["exercice"]])
    hint = "" if report.passed else report.hint or report.note
    named = "" if answer["juste"] or not hint else answer["avis"].get(hint, "à juger")
    verdict = "acceptée" if report.passed else "refusée"
    right = "oui" if answer["juste"] else "non"
    return (
        AFTER,
        answer["serie"],
        answer["exercice"],
        answer["reponse"],
        right,
        verdict,
        hint,
        named,
    )


def shares(rows: list[tuple]) -> Iterator[str]:
    """Rend les trois parts, et leur intervalle exact à 95 %."""
    right = [verdict == "acceptée" for *_, kind, verdict, _, _ in rows if kind == "oui"]
    wrong = [verdict == "refusée" for *_, kind, verdict, _, _ in rows if kind == "non"]
    named = [named == "oui" for *_, kind, _, _, named in rows if kind == "non"]
    told = (("justes acceptées", right), ("fausses refusées", wrong), ("fausses nommées", named))
    for text, found in told:
        low, high = exact_interval(sum(found), len(found)) if found else (0, 1)
        yield f"{text} {sum(found)}/{len(found)} [{low:.0%} ; {high:.0%}]"


def changes(rows: list[tuple], series: str) -> tuple[int, int]:
    """Rend le nombre de fautes que seul « après » nomme, puis que seul « avant » nommait."""
    named = {moment: {} for moment in (BEFORE, AFTER)}
    for moment, one, _, answer, *_, avis in rows:
        if one == series:
            named[moment][answer] = avis == "oui"
    pairs = [(named[BEFORE][answer], named[AFTER][answer]) for answer in named[AFTER]]
    return pairs.count((False, True)), pairs.count((True, False))


if __name__ == "__main__":
    main()
