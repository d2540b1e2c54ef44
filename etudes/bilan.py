"""Ce que disent ensemble les archives : les tableaux du README, et la figure de la comparaison.

    .venv/bin/python etudes/bilan.py

Les tableaux s'affichent, prêts à être recopiés dans le README, qu'un test compare à eux ; la figure
est écrite dans comparaison.png.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cartpole_helpers import exact_interval, load_study
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.display.figures import number, strips
from cartpole_helpers.repairs import RECIPES
from cartpole_helpers.statistics import after_success, streak_end

HERE = Path(__file__).parent
FIGURE = HERE / "comparaison.png"
ANNOUNCED = 1_000  # la première des graines annoncées : les autres ont servi à chercher
LEVELS = (475, 400, 200)  # une rechute sous 475 peut être brève ; sous 200, l'agent s'effondre


def main() -> None:
    """Affiche les trois tableaux et écrit la figure."""
    for table in (solving(), holding(), comparing()):
        print("", *table, sep="\n")
    FIGURE.write_bytes(comparison_figure().png())


def solving() -> list[str]:
    """Rend le tableau de ce que coûte `solve`, d'après version2.csv."""
    study = load_study(HERE / "version2.csv")
    rows = []
    for recipe in dict.fromkeys(study["recette"].tolist()):
        mine = study["recette"] == recipe
        solved = np.isfinite(study["certificat"][mine])
        rows.append(
            (
                recipe,
                share(solved),
                number(np.nansum(study["essais"][mine] - 1)),
                centiles(study["secondes"][mine], 2, "s"),
                centiles(study["pas"][mine]),
                number(study["retour"][mine].min(), 1),
            )
        )
    header = (
        "Recette",
        "Graines certifiées",
        "Certificats refusés",
        "Durée : médiane, 95ᵉ centile, maximum",
        "Pas : de même",
        "Pire retour, 1 000 départs neufs",
    )
    return markdown(header, rows)


def holding() -> list[str]:
    """Rend le tableau de ce qui est tenu jusqu'à 50 000 pas, d'après echelle.csv."""
    study = load_study(HERE / "echelle.csv")
    steps = [name for name in study if name.isdigit()]
    scores = np.stack([study[name] for name in steps], axis=1)  # (lignes, évaluations)
    rows = []
    for recipe in RECIPES:
        mine = scores[(study["reglage"] == recipe) & (study["graine"] >= ANNOUNCED)]
        solved = mine >= SOLVED_RETURN
        later = ~after_success(solved, 3).mask
        relapses = [share((later & (mine < level)).any(axis=1)) for level in LEVELS]
        rows.append((recipe, share(np.isfinite(streak_end(solved, 3))), *relapses))
    return markdown(("Recette", "Réussissent", *(f"Puis sous {level}" for level in LEVELS)), rows)


def comparing() -> list[str]:
    """Rend le tableau de la comparaison, d'après comparaison.csv."""
    ours = np.median(times("version 2")[1])
    rows = []
    for system in systems():
        count, seconds, steps, held, memory = times(system)
        rows.append(
            (
                system,
                f"{len(seconds)} sur {count}",
                spread(seconds, 2, "s"),
                f"× {number(np.median(seconds) / ours, 1)}",
                spread(steps),
                percent(held.mean(), 1),
                f"{number(np.median(memory))} Mio",
            )
        )
    header = (
        "Système",
        "Graines qui tiennent",
        "Durée",
        "Rapport",
        "Pas",
        "Tenu",
        "Mémoire",
    )
    return markdown(header, rows)


def comparison_figure():
    """Rend la figure des durées jusqu'à la troisième réussite de suite."""
    seconds = {system: times(system)[1] for system in systems()}
    middle = np.median(seconds["version 2"])
    return strips(
        seconds,
        f"Notre DQN tient CartPole en {number(middle, 2)} s de processeur, graine médiane",
        "secondes de processeur jusqu'à la troisième réussite de suite",
        log=True,
    )


def systems() -> list[str]:
    """Rend les systèmes comparés, dans l'ordre de l'archive."""
    return list(dict.fromkeys(comparison()["systeme"].tolist()))


def times(system: str) -> tuple:
    """Rend (graines, secondes et pas de celles qui tiennent, part tenue, mémoire) de `system`."""
    study = comparison()
    mine = {name: values[study["systeme"] == system] for name, values in study.items()}
    seeds = np.unique(mine["graine"])
    seconds, steps, returns = (
        np.stack([mine[name][mine["graine"] == seed] for seed in seeds])
        for name in ("secondes", "pas", "retour")
    )
    solved = returns >= SOLVED_RETURN
    third = streak_end(solved, 3)
    there = np.flatnonzero(np.isfinite(third))
    place = there, third[there].astype(int)
    memory = [mine["memoire"][mine["graine"] == seed][0] for seed in seeds]
    return len(seeds), seconds[place], steps[place], after_success(solved), memory


_COMPARISON = {}


def comparison() -> dict[str, np.ndarray]:
    """Rend comparaison.csv, lue une seule fois."""
    if not _COMPARISON:
        _COMPARISON.update(load_study(HERE / "comparaison.csv"))
    return _COMPARISON


def share(successes: np.ndarray) -> str:
    """Écrit une part de graines et son intervalle exact à 95 %."""
    low, high = exact_interval(int(successes.sum()), len(successes))
    interval = f"{number(100 * low)} à {number(100 * high)} %"
    return f"{successes.sum()} sur {len(successes)} ({interval})"


def spread(values: np.ndarray, digits: int = 0, unit: str = "") -> str:
    """Écrit une médiane, un minimum et un maximum."""
    middle, low, high = (
        number(value, digits) for value in (np.median(values), values.min(), values.max())
    )
    return f"{middle} {unit}".strip() + f" [{low} à {high}]"


def centiles(values: np.ndarray, digits: int = 0, unit: str = "") -> str:
    """Écrit une médiane, un 95ᵉ centile et un maximum."""
    parts = (number(value, digits) for value in np.percentile(values, (50, 95, 100)))
    return " · ".join(f"{part} {unit}".strip() for part in parts)


def percent(value: float, digits: int = 0) -> str:
    """Écrit une part en pour cent."""
    return f"{number(100 * value, digits)} %"


def markdown(header: Iterable[str], rows: list[tuple]) -> list[str]:
    """Rend les lignes d'un tableau en Markdown, la première colonne à gauche."""
    header = tuple(header)
    ruler = [":---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(row)} |" for row in (header, ruler, *rows)]


if __name__ == "__main__":
    main()
