"""L'apprentissage dans la page : un DQN qui s'entraîne dans le navigateur, sans noyau ni réseau."""

from collections.abc import Mapping
from dataclasses import asdict, replace

from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.display import settings
from cartpole_helpers.display.figures import cart_diagram
from cartpole_helpers.display.typography import typography
from cartpole_helpers.display.widget import COMMON, FOLDER, STILL, bundle, frozen

ENGINE = ("web/dqn.mjs", "web/checkup.mjs", "web/trainer.mjs")
CODE = bundle(*COMMON, "web/policies.mjs", "web/chart.mjs", *ENGINE, "web/learner.mjs")
WORKER = f"{bundle('web/physics.mjs', 'web/numbers.mjs', *ENGINE)}\nmodule_trainer.serve(self);"
WITHOUT_SCRIPT = "Image fixe : cette page apprend à jouer dès que JavaScript y est permis."

IN_THE_PAGE = replace(
    VERSION_2, total_steps=30_000, hidden=(64, 64), batch_size=64, learning_rate_decay=0.998
)
"""La Version 2, dont quatre nombres diffèrent. JavaScript n'a pas les instructions vectorielles de
PyTorch : un réseau de deux couches de 64 et des lots de 64 y coûtent quatre fois moins, et
suffisent (`etudes/dans_la_page.py`). Un lot moitié moindre, et le taux d'apprentissage
décroît deux fois moins vite. La durée est celle que montre la courbe."""

PACE = {"episodes": 20, "evaluateEvery": 1_000, "looks": 40}
"""Les départs d'une évaluation, les pas de jeu qui séparent deux d'entre elles, et le nombre de
regards de la clinique."""

VALUES = {
    "learning_rate": (1e-5, 1e-4, 1e-3, 4e-3, 8e-3, 0.016, 0.03, 0.1, 0.5),
    "gamma": (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.985, 0.99, 0.995, 1.0),
    "epsilon_end": (0.0, 0.05, 0.1, 0.3, 0.5, 0.8, 1.0),
    "epsilon_steps": (1, 500, 1_000, 4_000, 10_000, 30_000),
    "capacity": (500, 1_000, 5_000, 20_000, 50_000),
    "batch_size": (4, 8, 16, 32, 64, 128),
    "target_rate": (0.0005, 0.005, 0.05, 0.2, 1.0),
    "target_period": (1, 10, 100, 100_000),
}
"""Par champ, les valeurs de son curseur ; la dernière de `target_period` ne vient jamais."""

FORGET_SINCE = 10_000
FORGETTING = {"n_steps": 1, "capacity": 5_000, "average_rate": 1.0, "average_tail": 0.0}
"""L'oubli du carnet 10 : dès ce pas, les chutes n'entrent plus en mémoire ; et ce qu'il suppose."""
FORGETTING_TOLD = (
    "C'est l'amnésique du carnet 10. L'essai prend une cible à un pas, une mémoire de 5 000 "
    "transitions, et se passe de moyenne des poids. Dès le pas 10 000, les chutes n'entrent plus "
    "en mémoire : le pas d'avant y est répété. Peu à peu, les anciennes chutes en sortent ; plus "
    "rien ne dit alors au réseau que certains états finissent mal : il leur promet à tous le même "
    "avenir, et la courbe peut retomber bien que rien d'autre n'ait changé. Tant que la case est "
    "cochée, le curseur de la mémoire est sans effet ; et l'agrandir, comme le diagnostic le "
    "conseille, ne ferait ici que retarder l'oubli, puisque plus aucune chute n'entre."
)


def learner(clinic: Mapping, safe: bytes, doomed: bytes, config: Config = IN_THE_PAGE) -> str:
    """Rend la page en HTML : elle se passe de noyau et de réseau, et s'ouvre depuis un fichier.

    `clinic` : ce que sait le diagnostic, que donne `teaching.learner`. `safe`, `doomed` : les états
    (N, 4) où l'on interroge les réseaux, en octets de float32. `config` : la recette d'où partent
    les curseurs. ValueError si le moteur de la page n'en a pas toutes les règles.
    """
    state = {
        "config": asdict(_checked(config)),
        "fields": [_field(name, config) for name in VALUES],
        "forget": {
            "since": FORGET_SINCE,
            "changes": FORGETTING,
            "told": typography(FORGETTING_TOLD),
        },
        "pace": PACE,
        "clinic": dict(clinic),
        "safe": safe,
        "doomed": doomed,
        "worker": WORKER,
    }
    still = cart_diagram((0.4, 0, 0.09, 0), 1, "Le chariot, et un agent qui va apprendre")
    page = frozen(CODE, still, state).replace(STILL, WITHOUT_SCRIPT)
    return f"{page}\n<style>{(FOLDER / 'web/learner.css').read_text('utf-8')}</style>"


def _checked(config: Config) -> Config:
    """Refuse une configuration dont dqn.mjs n'a pas les règles."""
    known = {"activation": "silu", "initialisation": "uniform", "double": True, "mirror": False}
    known |= {"epsilon_spread": 1.0, "start_x": VERSION_2.start_x}
    for name, value in known.items():
        if getattr(config, name) != value:
            raise ValueError(
                f"config : la page ne sait faire que {name}={value!r} ; "
                f"{getattr(config, name)!r} reçu."
            )
    if not isinstance(config.input_scale, tuple):
        raise ValueError(
            f"config : input_scale doit donner quatre facteurs ; {config.input_scale!r} reçu."
        )
    return config


def _field(name: str, config: Config) -> dict:
    """Décrit un curseur : ses valeurs, comment elles s'écrivent, et de laquelle il part."""
    start = getattr(config, name)
    values = sorted({*VALUES[name], start})
    return {
        "name": name,
        "label": typography(settings.label(name)),
        "help": settings.help_lines()[name],
        "values": values,
        "choices": [*map(settings.written, values)],
        "start": values.index(start),
    }
