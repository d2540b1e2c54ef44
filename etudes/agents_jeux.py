"""Les agents des autres jeux, que les carnets chargent : un entraînement, de la recette commune.

    .venv/bin/python -m pip install -r requirements-jeux.txt
    OMP_NUM_THREADS=1 .venv/bin/python etudes/agents_jeux.py

Graine 0, le budget de jeux.py ; l'agent gardé est celui de la fin, quel qu'il soit, et il est jugé
sur 1 000 départs neufs. Ce sont des exemples, non des résultats.
"""

from dataclasses import replace
from pathlib import Path

import torch
from jeux import BUDGETS

from cartpole_helpers import ONE_RECIPE, Training, evaluate, save
from cartpole_helpers.seeds import Purpose, fresh_seed

KEPT = {"MountainCar-v0": "mountaincar", "LunarLander-v3": "lunarlander"}
FOLDER = Path(__file__).parents[1] / "checkpoints"


def main() -> None:
    """Entraîne, sauvegarde, juge."""
    torch.set_num_threads(1)
    for env, name in KEPT.items():
        training = Training(replace(ONE_RECIPE, total_steps=BUDGETS[env]), 0, env=env)
        for _ in training.run():
            pass
        save(training.agent, FOLDER / f"{name}_{training.env_steps}_pas.safetensors")
        judged = evaluate(training.agent, 1_000, fresh_seed(Purpose.JUDGE, 0), env=env)
        print(f"{env} : moyenne {judged.mean():.1f}, pire {judged.min():.0f}")


if __name__ == "__main__":
    main()
