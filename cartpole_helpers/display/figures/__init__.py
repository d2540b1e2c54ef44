"""Les figures du cours, chacune une fonction qui prend des tableaux et rend une image titrée."""

from cartpole_helpers.display.figures.comparison import (
    baselines,
    distributions,
    draw_counts,
    effects,
    intervals,
    points,
    strips,
    survival,
    verdicts,
)
from cartpole_helpers.display.figures.diagrams import cart_diagram, components
from cartpole_helpers.display.figures.learning import (
    curves,
    learning_curves,
    small_multiples,
    traces,
)
from cartpole_helpers.display.figures.phase import (
    action_maps,
    landscape,
    memory_maps,
    phase_portraits,
    viability,
)

__all__ = [
    "action_maps",
    "baselines",
    "cart_diagram",
    "components",
    "curves",
    "distributions",
    "draw_counts",
    "effects",
    "intervals",
    "landscape",
    "learning_curves",
    "memory_maps",
    "phase_portraits",
    "points",
    "small_multiples",
    "strips",
    "survival",
    "traces",
    "verdicts",
    "viability",
]
