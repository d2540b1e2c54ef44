"""Carnet 06 : la fin à mémoriser, et l'épisode à recommencer."""

import numpy as np

from cartpole_helpers.teaching.exercise import Exercise, Property


def fin_et_reprise(terminated, truncated):
    """Rend la fin à mémoriser, et s'il faut recommencer un épisode : deux booléens.

    La chute (`terminated`) coupe l'amorçage ; le chronomètre (`truncated`) n'oblige qu'à repartir.
    """
    return terminated, terminated or truncated


PROPERTIES = (
    Property(
        "après une chute, mémorise une fin et recommence",
        [(True, False)],
        "La chute est une vraie fin : on la mémorise, et l'on recommence.",
    ),
    Property(
        "au chronomètre, recommence sans mémoriser de fin",
        [(False, True)],
        "Le chronomètre oblige à recommencer, mais l'état n'était pas sans suite.",
    ),
    Property(
        "en plein épisode, ne fait ni l'un ni l'autre",
        [(False, False)],
        "Ni chute ni chronomètre : l'épisode continue.",
    ),
    Property(
        "si la tige tombe au dernier pas, la chute l'emporte",
        [(True, True)],
        "Les deux drapeaux peuvent être vrais ensemble : la tige est tombée, c'est une fin.",
    ),
)

CHANGES = """
done, pour les deux (le chronomètre pour une chute) : = (terminated or truncated,) * 2
    Vous mémorisez « done » : le chronomètre passe alors pour une chute.
les deux réponses échangées : = (terminated or truncated, terminated)
    Vos deux réponses sont échangées : la fin à mémoriser est la première.
recommencer après la chute seulement : terminated or truncated → terminated
    Quand le chronomètre coupe l'épisode, il faut recommencer aussi.
le chronomètre mémorisé : return terminated → return truncated
    Vous mémorisez le chronomètre : c'est la chute qui coupe l'amorçage.
les deux fins à la fois : return terminated → return terminated and truncated
    Votre fin demande la chute et le chronomètre ensemble : la chute suffit.
recommencer si les deux sont vrais : or → and
    Vous ne recommencez que si les deux drapeaux sont vrais : un seul suffit.
un drapeau chacun : terminated or truncated → truncated
    Après une chute aussi, il faut recommencer : l'un ou l'autre drapeau suffit.
la chute effacée par le chronomètre (une chute pour le chronomètre) : \
return terminated → return terminated and not truncated
    Une chute au dernier pas reste une chute, même si le chronomètre coupe l'épisode.
la suite au lieu de la fin : return terminated → return not terminated
    Vous mémorisez que l'épisode continue : c'est le contraire de la fin.
l'un ou l'autre, mais pas les deux : or → !=
    Quand les deux drapeaux sont vrais, vous ne recommencez pas : il le faut aussi.
recommencer à l'envers : terminated or truncated → not (terminated or truncated)
    Vous recommencez en plein épisode, et continuez après la fin : c'est l'inverse.
"""

VARIANTS = (
    lambda terminated, truncated: [True, True] if terminated else [False, truncated],
    lambda *flags: (bool(flags[0]), any(flags)),
    lambda *flags: (np.bool_(flags[0]), np.logical_or(*flags)),
)
EXERCISE = Exercise(fin_et_reprise, PROPERTIES, CHANGES, variants=VARIANTS)
