"""Carnet 11 : ce que vaut un diagnostic."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def valeur_predictive(rappel, fausses_alarmes, part_de_malades):
    """Rend la part de vrais malades parmi les entraînements que l'outil déclare malades.

    Trois parts, de 0 à 1. `rappel` : parmi les malades, ceux que l'outil déclare malades ;
    `fausses_alarmes` : parmi les sains, ceux qu'il déclare malades ; `part_de_malades` : parmi
    tous, ceux qui le sont. C'est la règle de Bayes : les alarmes justes sont `rappel` fois la part
    des malades, les fausses `fausses_alarmes` fois celle des sains ; on rend la part des justes.
    """
    justes = rappel * part_de_malades
    fausses = fausses_alarmes * (1 - part_de_malades)
    return justes / (justes + fausses)


def any_tool(generator: np.random.Generator) -> Cases:
    for rare in (0.02, 0.2, 0.7):
        recall, false_alarms = generator.uniform([0.5, 0.02], [0.97, 0.35]).round(2).tolist()
        yield recall, false_alarms, rare


PROPERTIES = (
    Property(
        "vaut 1 sans fausse alarme, ou si tous sont malades",
        [(0.8, 0.0, 0.3), (0.6, 0.1, 1.0)],
        "Sans fausse alarme possible, tous ceux que l'outil déclare malades le sont.",
    ),
    Property(
        "compte les alarmes justes parmi toutes, à parts égales",
        [(0.9, 0.1, 0.5), (0.6, 0.2, 0.5), (1.0, 0.25, 0.5)],
        "Additionnez les alarmes justes et les fausses, puis rendez la part des justes.",
    ),
    Property(
        "tient compte de la rareté de la maladie",
        [(0.9, 0.1, 0.1), (0.96, 0.04, 0.04), (0.8, 0.2, 0.25)],
        "Quand les malades sont rares, les sains, nombreux, font beaucoup de fausses alarmes.",
    ),
    Property(
        "n'apprend rien d'un outil aveugle",
        [(0.3, 0.3, 0.2), (0.75, 0.75, 0.6)],
        "Si l'alarme sonne autant pour les sains, elle ne change pas la part de malades.",
    ),
    Property(
        "vaut pour tout outil",
        any_tool,
        "Imaginez mille entraînements : comptez les malades, les sains, puis les alarmes.",
    ),
)

CHANGES = """
le rappel : = rappel
    Vous rendez le rappel : la part des malades qui sont vus, et non l'inverse.
la part de malades : = part_de_malades
    Vous rendez la part de malades d'avant le test : l'alarme doit la changer.
la part de malades oubliée : = rappel / (rappel + fausses_alarmes)
    Vous comptez autant de sains que de malades : `part_de_malades` n'entre pas.
l'absence de fausse alarme : = 1 - fausses_alarmes
    Vous rendez la part des sains déclarés sains : ni la rareté ni le rappel n'y entrent.
la part des diagnostics justes : = justes + (1 - fausses_alarmes) * (1 - part_de_malades)
    Vous comptez aussi les sains bien jugés : on ne regarde que les alarmes.
la moyenne des deux qualités : = (rappel + 1 - fausses_alarmes) / 2
    Vous faites la moyenne de deux qualités de l'outil : la rareté n'y entre pas.
la part des alarmes : = justes + fausses
    Vous rendez la part des alarmes : il reste à dire combien sont justes.
les alarmes justes, parmi tous : = justes
    Vous rendez les alarmes justes parmi tous : divisez par toutes les alarmes.
la valeur prédictive négative : \
= (1 - fausses_alarmes) * (1 - part_de_malades) / (1 - justes - fausses)
    Vous rendez la part de sains parmi les déclarés sains : c'est l'autre question.
malades et sains échangés : rappel * part_de_malades → rappel * (1 - part_de_malades)
+ fausses_alarmes * (1 - part_de_malades) → fausses_alarmes * part_de_malades
    Malades et sains sont échangés : la part de malades va avec le rappel.
les deux taux échangés : rappel * → fausses_alarmes *
+ fausses = fausses_alarmes → fausses = rappel
    Rappel et fausses alarmes sont échangés : le rappel est celui des malades.
un numérateur sans la part : return justes → return rappel
    En haut, le rappel seul : multipliez-le par la part de malades.
les sains bien jugés au dénominateur : fausses = fausses_alarmes → fausses = (1 - fausses_alarmes)
    Au dénominateur, vous ajoutez les sains déclarés sains : ils n'ont pas d'alarme.
les fausses alarmes de tous : * (1 - part_de_malades) → ∅
    Les fausses alarmes ne viennent que des sains : pondérez-les par leur part.
les malades manqués : fausses = fausses_alarmes → fausses = (1 - rappel)
    1 − rappel est la part des malades manqués : ce ne sont pas des fausses alarmes.
la part des fausses : return justes → return fausses
    Vous rendez la part des fausses alarmes : on demande celle des justes.
un pourcentage : return → return 100 *
une cote : justes + fausses → fausses
    Vous divisez les justes par les fausses : divisez-les par toutes les alarmes.
"""

VARIANTS = (
    lambda seen, wrong, ill: seen * 1e6 * ill / (seen * 1e6 * ill + wrong * (1e6 - 1e6 * ill)),
    lambda seen, wrong, ill: 1 - (1 - ill) * wrong / (ill * seen + (1 - ill) * wrong),
    lambda seen, wrong, ill: 1 / (1 + (wrong / seen) * ((1 - ill) / ill)),
)
EXERCISE = Exercise(valeur_predictive, PROPERTIES, CHANGES, variants=VARIANTS)
