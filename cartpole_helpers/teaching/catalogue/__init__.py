"""Les exercices du cours, un module chacun, dans l'ordre des carnets."""

from importlib import import_module

NAMES = (
    "part_reussie",  # 00
    "pas_d_euler",  # 01
    "fin",
    "nouvelle_valeur",  # 02
    "places_suivantes",  # 03
    "Memoire",
    "td_target",  # 04
    "td_loss",
    "epsilon_greedy",  # 05
    "double_td_target",
    "epsilon",  # 06
    "fin_et_reprise",
    "calendrier",
    "jouer",
    "borne_parfaite",  # 07
    "evaluer",
    "retour_a_n_pas",  # 08
    "moyenne_glissante",
    "rapprocher",
    "valeur_rabaissee",  # 10
    "part_surestimee",
    "fausses_fins",  # 11
    "gamma_apparent",
    "valeur_predictive",
    "normaliser",  # 12
    "echelle_des_recompenses",
    "actions_prolongees",
    "cout_d_une_graine",  # 13
    "tirer_log",
    "meilleur_attendu",
    "cran",  # 14
)
EXERCISES = {name: import_module(f"{__name__}.{name.lower()}").EXERCISE for name in NAMES}
"""Les exercices, par le nom que doit porter la réponse."""
