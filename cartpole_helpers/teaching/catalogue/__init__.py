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
    "epsilon_greedy",
    "double_td_target",
    "epsilon",  # 05
    "fin_et_reprise",
    "calendrier",
    "jouer",
    "borne_parfaite",  # 06
    "evaluer",
    "retour_a_n_pas",  # 07
    "moyenne_glissante",
    "rapprocher",
    "valeur_rabaissee",  # 08
    "part_surestimee",
    "fausses_fins",  # 09
    "gamma_apparent",
    "valeur_predictive",
    "normaliser",  # 10
    "echelle_des_recompenses",
    "actions_tenues",
    "cout_d_une_graine",  # 11
    "tirer_log",
    "meilleur_attendu",
    "cran",  # 12
)
EXERCISES = {name: import_module(f"{__name__}.{name.lower()}").EXERCISE for name in NAMES}
"""Les exercices, par le nom que doit porter la réponse."""
