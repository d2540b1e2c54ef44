"""La clinique d'un entraînement : son relevé, le diagnostic, les feuilles, la salle d'attente."""

from cartpole_helpers.teaching.clinic.charts import (
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
    refitted,
)
from cartpole_helpers.teaching.clinic.sheets import sheet
from cartpole_helpers.teaching.clinic.ward import Ward

__all__ = [
    "HEALTHY",
    "ILLNESSES",
    "Chart",
    "Ward",
    "chart",
    "degree",
    "diagnose",
    "examine",
    "illness",
    "late",
    "load_chart",
    "loss_measures",
    "monitor",
    "refitted",
    "save_chart",
    "sheet",
]
