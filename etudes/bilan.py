"""Ce que disent ensemble les archives : la phrase de tête du README, les tableaux des études, et la
figure de la comparaison.

    .venv/bin/python etudes/bilan.py

Tout s'affiche, prêt à être recopié dans les deux README, qu'un test compare ; la figure est écrite
dans comparaison.png.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import jeux
import numpy as np

from cartpole_helpers import evaluations_of, exact_interval, load_study, series_of
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.display.figures import strips
from cartpole_helpers.display.numbers import number
from cartpole_helpers.environments import solved_return
from cartpole_helpers.repairs import RECIPES
from cartpole_helpers.statistics import after_success, at_success, streak_end, succeeds

HERE = Path(__file__).parent
FIGURE = HERE / "comparaison.png"
ANNOUNCED = 1_000  # la première des graines annoncées : les autres ont servi à chercher
OURS = ("version 2", "moteur du cours", "moyenne")
DELIVERED = {
    "moteur du cours": "moyenne",
    "Stable-Baselines3": "en_ligne",
}  # le réseau que l'on livre
NETWORKS = {"en_ligne": "réseau principal", "moyenne": "moyenne des poids"}
STUDY = load_study(HERE / "jeux.csv")
LEVELS = (475, 400, 200)  # une rechute sous 475 peut être brève ; sous 200, l'agent s'effondre


def main() -> None:
    """Affiche la phrase et les tableaux, et écrit la figure."""
    print(headline())
    for table in (solving(), holding(), elsewhere(), beside(), comparing()):
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
        reached = succeeds(solved)
        relapses = [share((later & (mine < level)).any(axis=1)[reached]) for level in LEVELS]
        rows.append((recipe, share(reached), *relapses))
    return markdown(("Recette", "Réussissent", *(f"Puis sous {level}" for level in LEVELS)), rows)


def headline() -> str:
    """Rend ce que la recette commune fait aux quatre jeux, en une phrase, d'après jeux.csv."""
    reached = np.concatenate([at_threshold(env).any(axis=1) for env in jeux.BUDGETS])
    return (
        f"{len(reached)} entraînements neufs, quatre jeux, une seule recette : "
        f"{reached.sum()} atteignent le seuil de leur jeu"
    )


def elsewhere() -> list[str]:
    """Rend le tableau de la recette commune, jeu par jeu, d'après jeux.csv."""
    rows = []
    for env, steps in jeux.BUDGETS.items():
        solved = at_threshold(env)
        arrival = steps / jeux.LOOKS * (streak_end(solved, 3) + 1)
        rows.append(
            (
                game(env),
                number(steps),
                share(solved.any(axis=1)),
                f"{np.isfinite(arrival).sum()} sur {len(arrival)}",
                number(np.median(np.where(np.isfinite(arrival), arrival, np.inf))),
                f"{number(100 * after_success(solved, 3).mean(), 1)} %",
            )
        )
    header = (
        "Jeu (seuil)",
        "Pas",
        "Graines qui l'atteignent",
        "Trois réussites de suite",
        "Pas jusque-là, médiane",
        "Évaluations suivantes au seuil",
    )
    return markdown(header, rows)


def beside() -> list[str]:
    """Rend le tableau de la recette à côté de ses pairs, jeu par jeu, d'après pairs_jeux.csv.

    Un système s'arrête dix évaluations après sa réussite ; un échec compte comme l'infini.
    """
    study = load_study(HERE / "pairs_jeux.csv")
    rows = []
    for env in jeux.BUDGETS:
        for system in dict.fromkeys(study["systeme"].tolist()):
            where = {"systeme": system, "jeu": env}
            means = series_of(study, "moyenne", **where)
            solved = means >= solved_return(env)
            seconds, steps = at_third(study, solved, **where)
            later = after_success(solved, 3)[~np.isnan(means)].compressed()
            rows.append(
                (
                    game(env),
                    system,
                    share(np.isfinite(seconds)),
                    written(np.median(steps)),
                    f"{written(np.median(seconds), 1)} s",
                    f"{number(100 * later.mean())} %" if len(later) else "",
                )
            )
    header = (
        "Jeu (seuil)",
        "Système",
        "Trois réussites de suite",
        "Pas, médiane",
        "Processeur, médiane",
        "Évaluations suivantes au seuil",
    )
    return markdown(header, rows)


def at_third(study: Mapping, solved: np.ndarray, **where: str) -> list[np.ndarray]:
    """Rend les secondes et les pas (graines,) à la troisième réussite de suite, l'infini si jamais.

    `solved` (graines, évaluations) : les évaluations réussies des lignes que `where` désigne.
    """
    return [at_success(solved, series_of(study, name, **where), 3) for name in ("secondes", "pas")]


def at_threshold(env: str) -> np.ndarray:
    """Rend, de la recette commune à un jeu, les évaluations au seuil (graines, évaluations)."""
    return evaluations_of(STUDY, recette=jeux.ONE, jeu=env) >= solved_return(env)


def game(env: str) -> str:
    """Écrit un jeu et son seuil."""
    return f"{env} ({number(solved_return(env))})"


def comparing() -> list[str]:
    """Rend le tableau du duel, d'après comparaison.csv ; un échec compte comme l'infini."""
    reference = arrivals(*OURS)[0]
    rows = []
    for recipe, engine in systems():
        for network, played in NETWORKS.items():
            seconds, steps, relapsed = arrivals(recipe, engine, network)
            rows.append(
                (
                    f"{recipe}, {engine}",
                    played,
                    f"{np.isfinite(seconds).sum()} sur {len(seconds)}",
                    f"{written(np.median(seconds), 2)} s",
                    "× 1" if (recipe, engine, network) == OURS else ratio(seconds, reference),
                    written(np.median(steps)),
                    share(relapsed) if len(relapsed) else "",
                )
            )
    header = (
        "Recette, moteur",
        "Réseau qui joue",
        "Trois réussites de suite",
        "Durée médiane",
        "Rapport",
        "Pas, médiane",
        "Puis sous 475",
    )
    return markdown(header, rows)


def comparison_figure():
    """Rend la figure des durées, chaque système lu par le réseau que livre son moteur."""
    seconds = {
        f"{recipe}, {engine}": arrivals(recipe, engine, DELIVERED[engine])[0]
        for recipe, engine in systems()
    }
    middle = np.median(arrivals(*OURS)[0])
    return strips(
        seconds,
        f"Notre DQN : trois réussites de suite en {written(middle, 2)} s de processeur",
        "secondes de processeur jusqu'à la troisième réussite de suite",
        log=True,
    )


def systems() -> list[tuple[str, str]]:
    """Rend les systèmes comparés, (recette, moteur), dans l'ordre de l'archive."""
    study = comparison()
    return list(
        dict.fromkeys(zip(study["recette"].tolist(), study["moteur"].tolist(), strict=True))
    )


def arrivals(recipe: str, engine: str, network: str) -> tuple[np.ndarray, ...]:
    """Rend les secondes et les pas (graines,) à la troisième réussite de suite, l'infini si jamais,
    puis, pour les seules graines qui y sont, si une évaluation suivante passe sous 475."""
    where = {"recette": recipe, "moteur": engine}
    solved = series_of(comparison(), network, **where) >= SOLVED_RETURN
    seconds, steps = at_third(comparison(), solved, **where)
    fallen = ~after_success(solved, 3).filled(True)
    return seconds, steps, fallen.any(axis=1)[np.isfinite(steps)]


def ratio(theirs: np.ndarray, ours: np.ndarray) -> str:
    """Écrit le rapport des médianes et son intervalle à 95 %, les mêmes graines rééchantillonnées
    des deux côtés."""
    drawn = np.random.default_rng(0).integers(len(theirs), size=(2_000, len(theirs)))
    pairs = np.stack(np.broadcast_arrays(theirs, ours))[:, drawn]  # (2, tirages, graines)
    ratios = np.divide(*np.median(pairs, axis=-1))
    # Un centile qui est l'une des valeurs : entre deux, l'infini ne s'interpole pas.
    low, high = np.quantile(ratios, (0.025, 0.975), method="inverted_cdf")
    middle = np.median(theirs) / np.median(ours)
    return "× {} [{} à {}]".format(*(written(each, 1) for each in (middle, low, high)))


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


def written(value: float, digits: int = 0) -> str:
    """Écrit un nombre, qui peut être infini."""
    return number(value, digits) if np.isfinite(value) else "∞"


def centiles(values: np.ndarray, digits: int = 0, unit: str = "") -> str:
    """Écrit une médiane, un 95ᵉ centile et un maximum."""
    parts = (number(value, digits) for value in np.percentile(values, (50, 95, 100)))
    return " · ".join(f"{part} {unit}".strip() for part in parts)


def markdown(header: Iterable[str], rows: list[tuple]) -> list[str]:
    """Rend les lignes d'un tableau en Markdown, la première colonne à gauche."""
    header = tuple(header)
    ruler = [":---", *["---:"] * (len(header) - 1)]
    return [f"| {' | '.join(row)} |" for row in (header, ruler, *rows)]


if __name__ == "__main__":
    main()
