"""L'essai trouvé contre la Version 2, sur cent graines que ni recherche ni choix n'ont vues.

    .venv/bin/python etudes/confirmation.py

Écrit avant de tourner. Deux recettes : la Version 2 telle qu'elle est, que choix.py a préférée à
tous les essais, et le meilleur de ceux-ci, `FOUND`. Graines 1000 à 1099, nommées d'avance ; la
Version 2 y était déjà connue (echelle.csv), l'autre non. 50 000 pas, 100 épisodes depuis des
départs neufs tous les 1 000 pas, comme dans echelle.py.

- Critère principal, une seule comparaison : l'écart, graine à graine (Student, 95 %), du coût de
  recherche.py, sur ces cinquante évaluations. L'essai devient la Version 2 si l'intervalle est tout
  entier sous zéro.
- Ce que l'on veut d'une recette, compté avec son intervalle exact, sans rien comparer : 100 graines
  sur 100 qui réussissent, trois évaluations de suite à 475 ; première réussite à 3 000 pas au plus
  en médiane, à 8 000 au plus au 95ᵉ centile ; 3 graines au plus dont une évaluation suivante passe
  sous 475, aucune sous 400 ; 500 tout rond à la fin pour 95 au moins.
"""

from echelle import BUDGET, STEPS, run
from recherche import archived, config_of

from cartpole_helpers import VERSION_2
from cartpole_helpers.studies import Study, archive_of, launch

FOUND = ("autour", 17)

STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={"version 2": VERSION_2, "trouvée": config_of(archived()[FOUND], BUDGET)},
    seeds=range(1_000, 1_100),
    columns=STEPS,
)

if __name__ == "__main__":
    launch(STUDY)
