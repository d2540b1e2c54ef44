"""Les meilleurs essais de la recherche, rejugés sur d'autres graines, et celui que l'on garde.

    .venv/bin/python etudes/choix.py

Écrit avant que la recherche ne soit lue. Les cinq essais de plus faible coût de chaque bras de
recherche.csv, et la Version 2, qui est le premier essai de deux d'entre eux. Graines 2100 à 2139,
que rien n'avait utilisées ; 50 000 pas, 20 épisodes depuis des départs neufs tous les 1 000 pas.
Critère : le même coût, sur ces cinquante évaluations ; le plus faible, en moyenne sur les quarante
graines, est gardé. L'écart d'un finaliste, d'un fichier à l'autre, est ce que son choix avait de
chanceux : le carnet « Chercher une recette » le mesure. Rien n'est ici affirmé de celui que l'on
garde : c'est l'affaire de confirmation.py, sur d'autres graines encore.

Le bras `autour` vint ensuite, aucun des quinze autres finalistes n'ayant battu la Version 2 : ces
quarante graines l'avaient donc déjà préférée, ce qui la favorise un peu.
"""

from collections.abc import Mapping
from functools import partial

from recherche import ARMS, EVERY, SPACE, archived, judged, run, scores

from cartpole_helpers.studies import Study, archive_of, launch

SEEDS = range(2_100, 2_140)
BUDGET, KEPT = 50_000, 5
VERSION_2 = ("reprise", 0)
CHOICE = archive_of(__file__)


def finalists() -> dict[tuple[str, int], Mapping]:
    """Rend les réglages à rejuger : (bras, essai) → ce qu'il change."""
    trials, found = archived(), scores()
    kept = {VERSION_2: trials[VERSION_2]}
    for arm in ARMS:
        best = sorted((name for name in found if name[0] == arm), key=found.get)[:KEPT]
        kept |= {name: trials[name] for name in best if trials[name] not in kept.values()}
    return kept


STUDY = Study(
    archive=CHOICE,
    measure=partial(run, budget=BUDGET),
    settings=finalists(),
    seeds=SEEDS,
    names=("bras", "essai"),
    columns=(*SPACE, *map(str, range(EVERY, BUDGET + 1, EVERY))),
)


def main() -> None:
    """Rejuge les finalistes, et dit leurs coûts, le plus faible d'abord."""
    launch(STUDY)
    found = judged(STUDY.settings, CHOICE)
    for name in sorted(found, key=found.get):
        print(*name, f"{found[name]:.2f}", dict(STUDY.settings[name]))


if __name__ == "__main__":
    main()
