"""Carnet 06 : à quel pas apprendre, à quel pas recopier le réseau cible."""

import numpy as np

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def calendrier(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    """Rend deux booléens : s'il faut apprendre à ce pas, et s'il faut recopier le réseau cible.

    `pas` : le numéro du pas, à partir de 1 ; `souvenirs` : le nombre de transitions en mémoire ;
    `lot` : combien il en faut au moins pour apprendre. On apprend tous les `apprendre_tous_les`
    pas, dès que la mémoire le permet ; on copie tous les `copier_tous_les` pas, quoi qu'il arrive.
    """
    apprendre = souvenirs >= lot and pas % apprendre_tous_les == 0
    copier = pas % copier_tous_les == 0
    return apprendre, copier


def any_schedule(generator: np.random.Generator) -> Cases:
    for rank in range(4):  # apprendre et copier, l'un, l'autre, ou ni l'un ni l'autre
        every, period, times = generator.integers((2, 7, 1), (6, 12, 9)).tolist()
        step = every * period * times + (0, every, period, 1)[rank]
        yield step, 10 * step, 32, every, period


PROPERTIES = (
    Property(
        "la mémoire pleine, apprend à intervalles réguliers",
        [(8, 500, 64, 4, 50), (8, 500, 30, 4, 50), (9, 500, 64, 4, 50), (2, 500, 64, 4, 50)],
        "On apprend quand le numéro du pas est un multiple de apprendre_tous_les.",
    ),
    Property(
        "n'apprend pas tant que la mémoire ne peut pas remplir un lot",
        [(40, 40, 64, 4, 30), (80, 63, 64, 4, 30), (12, 192, 256, 4, 50)],
        "Comparez le nombre de souvenirs à la taille du lot.",
    ),
    Property(
        "apprend dès qu'il y a juste de quoi remplir un lot",
        [(64, 64, 64, 4, 50)],
        "Autant de souvenirs que la taille du lot : cela suffit.",
    ),
    Property(
        "copie à intervalles réguliers, que l'on apprenne ou non",
        [(100, 500, 64, 8, 50), (101, 500, 64, 8, 50), (200, 500, 64, 8, 50), (40, 20, 64, 4, 20)],
        "La copie ne dépend que du numéro du pas.",
    ),
    Property(
        "vaut pour toutes les cadences",
        any_schedule,
        "Deux questions séparées : chacune a son intervalle.",
    ),
)

CHANGES = """
apprendre avant d'avoir un lot : souvenirs >= lot and → ∅
    Vous apprenez avant que la mémoire n'ait de quoi remplir un lot.
la mémoire à l'envers : >= lot → < lot
    Le test de la mémoire est à l'envers : vous n'apprenez que si elle est trop vide.
un souvenir de trop (l'égalité à la limite) : >= lot → > lot
    Vous attendez un souvenir de trop : `souvenirs >= lot` suffit.
le pas au lieu des souvenirs : souvenirs >= → pas >=
    Vous comparez le numéro du pas au lot : c'est le nombre de souvenirs qui compte.
une mémoire multiple du lot : >= lot → % lot == 0
    Vous n'apprenez que si le nombre de souvenirs est un multiple du lot : il suffit d'autant.
apprendre à chaque pas : and pas % apprendre_tous_les == 0 → ∅
    Vous apprenez à chaque pas : où sert apprendre_tous_les ?
ou au lieu de et : lot and → lot or
    Pour apprendre, il faut les deux, `and` : assez de souvenirs, et le bon pas.
jamais de copie (la cible jamais rapprochée) : = apprendre, False
    Vous ne copiez jamais : le réseau cible reste celui du départ.
une copie à chaque pas : = apprendre, True
    Vous copiez à chaque pas : autant ne pas avoir de réseau cible.
une copie à chaque apprentissage : = apprendre, apprendre
    Vous copiez chaque fois que vous apprenez : où sert copier_tous_les ?
copier seulement quand on apprend : = apprendre, apprendre and copier
    Vous ne copiez que si l'on apprend au même pas : des copies se perdent.
copier seulement quand on n'apprend pas : = apprendre, not apprendre and copier
    Votre copie est dans un `else` : les deux peuvent tomber au même pas.
copier seulement si la mémoire est assez remplie : = apprendre, souvenirs >= lot and copier
    Votre copie attend la mémoire : la consigne la veut à son pas, quoi qu'il arrive.
les intervalles échangés : \
apprendre_tous_les, copier_tous_les) → copier_tous_les, apprendre_tous_les)
    Les deux intervalles sont échangés : apprendre_tous_les règle l'apprentissage.
les réponses échangées : = copier, apprendre
    Vos deux réponses sont échangées : apprendre d'abord, copier ensuite.
des copies comptées en apprentissages : % copier_tous_les → % (apprendre_tous_les * copier_tous_les)
    Vous comptez les copies en apprentissages : copier_tous_les est en pas.
des copies comptées en souvenirs : copier = pas → copier = souvenirs
    Vous comptez les copies en souvenirs : c'est le numéro du pas qui compte.
le reste pris à l'envers : pas % apprendre_tous_les → apprendre_tous_les % pas
+ pas % copier_tous_les → copier_tous_les % pas
    Le reste est à l'envers : divisez le pas par l'intervalle, `pas % intervalle`.
la division au lieu du reste : % apprendre_tous_les == 0 → // apprendre_tous_les > 0
+ % copier_tous_les == 0 → // copier_tous_les > 0
    `//` est la division entière : le reste s'écrit `%`.
vrai hors des multiples : = souvenirs >= lot and pas % apprendre_tous_les != 0, not copier
    C'est à l'envers : un reste non nul veut dire que ce n'est pas le moment.
les restes eux-mêmes : = pas % apprendre_tous_les, pas % copier_tous_les
    Vous rendez des restes : comparez-les à 0 pour en faire des booléens.
un pas de retard (un rang de décalage) : apprendre = → pas -= 1; apprendre =
    Vous êtes un pas en retard : le pas n est un multiple quand `pas % n` vaut 0.
une seule réponse : = apprendre
    Vous ne rendez qu'un booléen : il en faut deux, apprendre et copier.
"""


def with_if(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    copier = divmod(pas, copier_tous_les)[1] == 0
    if souvenirs > lot - 1 and pas == apprendre_tous_les * (pas // apprendre_tous_les):
        return [True, copier]
    return [False, copier]


VARIANTS = (
    lambda n, kept, lot, learn, copy: (not (kept < lot or n % learn), not n % copy),
    with_if,
    lambda n, kept, lot, *every: tuple((np.mod(n, every) == 0) & [kept >= lot, True]),
)
EXERCISE = Exercise(calendrier, PROPERTIES, CHANGES, variants=VARIANTS)
