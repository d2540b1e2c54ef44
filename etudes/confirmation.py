"""La recette trouvée contre la Version 2, sur cent graines que ni recherche ni choix n'ont vues.

    .venv/bin/python etudes/confirmation.py

Écrit avant de tourner. Deux recettes : la Version 2 telle qu'elle est, et celle que choix.py garde.
Graines 1000 à 1099, nommées d'avance ; la Version 2 y était déjà connue (echelle.csv), la trouvée
non. 50 000 pas, 100 épisodes depuis des départs neufs tous les 1 000 pas, comme dans echelle.py.

- Critère principal, une seule comparaison : l'écart, graine à graine (Student, 95 %), du coût de
  recherche.py, sur ces cinquante évaluations. La trouvée devient la Version 2 si l'intervalle est
  tout entier sous zéro.
- Ce que l'on veut d'elle, compté avec son intervalle exact, sans rien comparer : 100 graines sur
  100 qui réussissent, trois évaluations de suite à 475 ; première réussite à 3 000 pas au plus en
  médiane, à 8 000 au plus au 95ᵉ centile ; 3 graines au plus dont une évaluation suivante passe
  sous 475, aucune sous 400 ; 500 tout rond à la fin pour 95 au moins.
"""

SEEDS = range(1_000, 1_100)
