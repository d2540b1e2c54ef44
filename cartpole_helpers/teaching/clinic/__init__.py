"""La clinique d'un entraînement : son relevé, le diagnostic, les feuilles, la salle d'attente."""

from cartpole_helpers.teaching.clinic.charts import (
    HUBER,
    SQUARED,
    Chart,
    chart,
    examine,
    load_chart,
    loss_measures,
    monitor,
    save_chart,
)
from cartpole_helpers.teaching.clinic.diagnosis import (
    HEALTHY,
    ILLNESSES,
    degree,
    diagnose,
    illness,
    late,
    unseen_because,
)
from cartpole_helpers.teaching.clinic.logbook import Logbook, sb3_callback
from cartpole_helpers.teaching.clinic.references import (
    Game,
    References,
    references_from,
    references_of,
)
from cartpole_helpers.teaching.clinic.sheets import edges, sheet
from cartpole_helpers.teaching.clinic.thresholds import refitted, sensitivity
from cartpole_helpers.teaching.clinic.ward import ACROBOT_PATIENTS, PATIENTS, Ward

__all__ = [
    "ACROBOT_PATIENTS",
    "HEALTHY",
    "HUBER",
    "ILLNESSES",
    "PATIENTS",
    "SQUARED",
    "Chart",
    "Game",
    "Logbook",
    "References",
    "Ward",
    "chart",
    "degree",
    "diagnose",
    "edges",
    "examine",
    "illness",
    "late",
    "load_chart",
    "loss_measures",
    "monitor",
    "references_from",
    "references_of",
    "refitted",
    "save_chart",
    "sb3_callback",
    "sensitivity",
    "sheet",
    "unseen_because",
]
