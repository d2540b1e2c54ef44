"""Carnet 13 : ce que coûte une graine."""

import numpy as np

from cartpole_helpers.statistics import costs
from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def cout_d_une_graine(reussites):
    """Rend ce que coûte une graine : de 0 au nombre d'évaluations.

    `reussites` (V,) : une évaluation par case, vraie si elle atteint le seuil. Une évaluation
    manquée coûte 1 jusqu'à la troisième réussite de suite, et 5 ensuite ; le total ne dépasse pas
    V, et vaut V si trois réussites ne se suivent jamais.
    """
    cout, suite, tenue = 0, 0, False
    for reussie in reussites:
        if not reussie:
            cout += 5 if tenue else 1
        suite = suite + 1 if reussie else 0
        tenue = tenue or suite == 3
    return min(cout, len(reussites)) if tenue else len(reussites)


def seed(text: str) -> tuple[np.ndarray]:
    """Rend les évaluations que dit `text` : un « o » par réussite, un point par échec."""
    return (np.array([letter == "o" for letter in text]),)


def any_seed(generator: np.random.Generator) -> Cases:
    """Rend des graines qui apprennent, tiennent plus ou moins, ou n'y arrivent pas."""
    for share in (0.15, 0.6, 0.8, 0.9):
        start = generator.random(generator.integers(3, 9)) < 0.4
        later = generator.random(generator.integers(12, 24)) < share
        yield (np.append(start, later),)


PROPERTIES = (
    Property(
        "compte un par évaluation manquée avant la troisième réussite de suite",
        [seed("ooooo"), seed("..oooo"), seed(".o.oo.ooo"), seed("oo...oooo")],
        "Tant que trois réussites ne se sont pas suivies, chaque échec coûte un.",
    ),
    Property(
        "compte cinq par évaluation manquée ensuite",
        [seed("ooo.oooooooo"), seed("..ooo.o.oooooooooooo"), seed(".oooooooooo.oo")],
        "Après la troisième réussite de suite, chaque échec coûte cinq, jusqu'à la fin.",
    ),
    Property(
        "rend le nombre d'évaluations si trois réussites ne se suivent jamais",
        [seed("....."), seed("oo.oo.oo.oo"), seed("......oo")],
        "Ne jamais réussir coûte le nombre d'évaluations, quoi qu'il arrive entre-temps.",
    ),
    Property(
        "ne dépasse pas le nombre d'évaluations",
        [seed("ooo...."), seed("...ooo..oo.")],
        "Bornez le total au nombre d'évaluations : rien n'est pire que ne jamais réussir.",
    ),
    Property(
        "vaut pour toute graine",
        any_seed,
        "Il faut trois variables : le coût, la longueur de la suite, et si elle a atteint trois.",
    ),
)

CHANGES = """
un seul prix : 5 if tenue else 1 → 1
    Vos échecs coûtent toujours un : après la troisième réussite de suite, ils coûtent cinq.
cinq dès le début : 5 if tenue else 1 → 5
    Vos échecs coûtent toujours cinq : avant la troisième réussite de suite, c'est un.
les prix échangés : 5 if tenue else 1 → 1 if tenue else 5
    Les deux prix sont échangés : retomber coûte cinq, tarder coûte un.
les rechutes oubliées : 5 if tenue else 1 → 0 if tenue else 1
    Vous ne comptez pas les rechutes : après la troisième réussite, un échec coûte cinq.
une seule réussite : suite == 3 → suite == 1
    Vous changez de prix dès la première réussite : il en faut trois de suite.
deux réussites : suite == 3 → suite == 2
    Vous changez de prix à la deuxième réussite : il en faut trois de suite.
plus de trois réussites : suite == 3 → suite == 4
    Votre suite est trop longue : le prix change dès que trois réussites se suivent.
trois réussites en tout : if reussie else 0 → if reussie else suite
    Vous comptez trois réussites en tout : un échec doit remettre la suite à zéro.
un prix qui redescend : tenue or suite == 3 → suite >= 3
    Vos rechutes ne coûtent cinq qu'une fois : l'échec suivant aussi est une rechute.
les réussites à la place des échecs : not reussie → reussie
    Vous faites payer les réussites : ce sont les évaluations manquées qui coûtent.
un échec au détail : = min(cout, len(reussites))
    Une graine qui ne réussit jamais coûte toutes ses évaluations, même celles réussies.
un total sans borne : min(cout, len(reussites)) → cout
    Votre coût dépasse le nombre d'évaluations : bornez-le.
trente toujours : = min(cout, 30) if tenue else 30
    Vous avez écrit 30 : la borne est le nombre d'évaluations reçues.
un échec infini : else len(reussites) → else float("inf")
    Ne jamais réussir coûte le nombre d'évaluations : un infini emporterait toute moyenne.
un échec gratuit : else len(reussites) → else 0
    Ne jamais réussir ne coûte rien, chez vous : ce doit être le pire.
une part : = (min(cout, len(reussites)) if tenue else len(reussites)) / len(reussites)
    Vous divisez par le nombre d'évaluations : on demande leur total.
"""


def waiting(reussites):
    """la seule attente
    Vous rendez le rang de la troisième réussite : comptez les évaluations manquées.
    """
    suite = 0
    for rang, reussie in enumerate(reussites, 1):
        suite = suite + 1 if reussie else 0
        if suite == 3:
            return rang
    return len(reussites)


def with_windows(reussites):
    done, count = [bool(one) for one in reussites], len(reussites)
    ends = [end for end in range(3, count + 1) if all(done[end - 3 : end])]
    if not ends:
        return count
    return min(count, done[: ends[0]].count(False) + 5 * done[ends[0] :].count(False))


VARIANTS = (with_windows, lambda solved: costs(np.asarray(solved)[None])[0])
EXERCISE = Exercise(cout_d_une_graine, PROPERTIES, CHANGES, [waiting], VARIANTS)
