"""La page où un DQN apprend dans le navigateur, et qui diagnostique ce qu'elle entraîne."""

from cartpole_helpers.config import Config
from cartpole_helpers.display import learner as display
from cartpole_helpers.display.typography import typography
from cartpole_helpers.teaching.clinic.diagnosis import (
    ENOUGH,
    HEALTHY,
    ILLNESSES,
    Illness,
    uncapitalised,
)
from cartpole_helpers.teaching.clinic.references import DOOMED, SAFE

MEASURES = (
    "env_steps",
    "gradient_steps",
    "epsilon",
    "played",
    "greedy",
    "loss",
    "loss_spread",
    "q_safe",
    "q_limit",
    "target_safe",
    "lag",
    "drift",
    "stored",
    "stored_reward",
    "stored_falls",
    "discount",
)
"""Les colonnes du relevé que fait la page (web/checkup.mjs)."""
JUDGED = tuple(one for one in ILLNESSES if {*one.needs} <= {*MEASURES})
"""Les maladies qu'elle sait juger : celles dont les signes n'en lisent pas d'autres."""


def learner(config: Config = display.IN_THE_PAGE) -> str:
    """Rend la page en HTML : elle se passe de noyau et de réseau, et s'ouvre depuis un fichier.

    `config` : la recette d'où partent les curseurs. ValueError si la page n'en a pas les règles.
    """
    states = (probes.astype("<f4").tobytes() for probes in (SAFE, DOOMED))
    return display.learner(clinic(), *states, config=config)


def clinic() -> dict:
    """Rend ce que le diagnostic de la page reçoit de la clinique : noms, seuils, conseils."""
    others = ", ".join(one.name for one in ILLNESSES if one not in JUDGED)
    scope = (
        f"La page juge {len(JUDGED)} des {len(ILLNESSES)} maladies de la clinique (carnet 11), par "
        "les mêmes signes et les mêmes seuils, sur des relevés pris au long de l'essai. Elle ne "
        f"juge pas : {others}. Ses seuils ont été réglés sur des entraînements entiers : en cours "
        "de route, un nom peut encore changer."
    )
    return {
        "measures": MEASURES,
        "illnesses": [*map(_described, JUDGED)],
        "enough": ENOUGH,
        "healthy": typography(HEALTHY),
        "scope": typography(scope),
    }


def _described(illness: Illness) -> dict:
    return {
        "name": illness.name,
        "title": typography(illness.name),
        "test": typography(uncapitalised(illness.test)),
        "cure": typography(uncapitalised(illness.cure)),
        "either": illness.either,
        "signs": [
            {"threshold": sign.threshold, "below": sign.below, "fact": sign.fact}
            for sign in illness.signs
        ],
    }
