"""Les agents que les carnets chargent : un seul entraînement, à quatre moments.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/agent.py

QUICK, graine 3, choisie parce qu'elle hésite. Tous les 400 pas, l'agent est évalué sur 100 départs
de validation. Sont gardés dans checkpoints/ trois agents à des moments choisis, et le premier de
tous ceux qui font le mieux ; chacun est ensuite jugé sur 1 000 départs neufs.
"""

from pathlib import Path

import torch

from cartpole_helpers import QUICK, Agent, Training, evaluate, save

SEED = 3
EVERY = 400
STAGES = (400, 2_400, 4_000)
VALIDATION, TEST = 2_000_000, 3_000_000  # des départs sans rien de commun
FOLDER = Path(__file__).parents[1] / "checkpoints"


def main() -> None:
    """Entraîne, choisit, sauvegarde, juge."""
    torch.set_num_threads(1)
    for agent in kept():
        save(agent, FOLDER / f"agent_{agent.env_steps}_pas.safetensors")
        judged = evaluate(agent, episodes=1_000, seed=TEST)
        print(f"{agent} : moyenne {judged.mean():.1f}, pire {judged.min():.0f}")


def kept() -> list[Agent]:
    """Rend les agents des moments fixés, puis celui que la validation choisit."""
    training = Training(QUICK, SEED)
    stages, best, chosen = [], -1.0, training.agent
    for step in training.run():
        if step.env_steps % EVERY == 0:
            score = evaluate(training.agent, seed=VALIDATION).mean()
            if step.env_steps in STAGES:
                stages.append(training.agent)
            if score > best:
                best, chosen = score, training.agent
    return [*stages, chosen]


if __name__ == "__main__":
    main()
