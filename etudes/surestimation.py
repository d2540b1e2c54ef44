"""La surestimation contre la vérité : sans réseau cible, avec, et avec Double DQN.

    OMP_NUM_THREADS=1 .venv/bin/python etudes/surestimation.py

Vingt graines par règle, 30 000 pas, γ = 0,99. Tous les 2 000 pas, les valeurs de l'agent sont
comparées à V*, sur les états dont elle est connue exactement : ceux d'une large boîte, les mêmes
pour tous, et 200 de ceux que l'agent vient de visiter. Colonnes : le retour moyen de 20 épisodes
(`retour`), max Q en 0 (`q0`), puis, pour la boîte (`b_`) et pour les états visités (`v_`), la part
des états où max Q dépasse V* (`part`), et l'écart moyen max Q − V* sur les états sauvables
(`sauves`) et sur les états perdus (`perdus`) ; « nan » s'il n'y en a pas.
"""

from collections import deque
from dataclasses import replace

import numpy as np
import torch
from archive import Archive
from etats import Known, in_box, known

from cartpole_helpers import VERSION_2, Agent, Config, Training, evaluate

SEEDS = range(20)
EVERY, BUDGET, EPISODES = 2_000, 30_000, 20
FRESH = 4_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
BOXED, VISITED = 2_000, 200  # états tirés ; on garde ceux dont V* est connue
PLAIN = replace(
    VERSION_2,
    total_steps=BUDGET,
    carts=4,
    learning_rate=2e-3,
    learning_rate_decay=1.0,
    gamma=0.99,
    n_steps=1,
    double=False,
    epsilon_end=0.1,
    epsilon_steps=10_000,
    epsilon_hold=1.0,
    average_rate=1.0,
    average_tail=0.0,
)
RULES: dict[str, Config] = {
    "sans réseau cible": replace(PLAIN, target_rate=1.0),
    "avec réseau cible": PLAIN,
    "réseau cible et Double": replace(PLAIN, double=True),
}
GAPS = ("part", "sauves", "perdus")
HEADER = (
    *("regle", "graine", "pas", "retour", "q0"),
    *(f"{place}_{gap}" for place in "bv" for gap in GAPS),
)


def main() -> None:
    """Fait les règles qui manquent à l'archive."""
    torch.set_num_threads(1)
    archive, box = Archive(__file__, HEADER), known(in_box(BOXED), effort=2)
    done = archive.finished()
    for name, config in RULES.items():
        if (name, SEEDS[0]) not in done:
            archive.append((name, *row) for row in run(config, box))
            print(name, flush=True)


def run(config: Config, box: Known) -> list[tuple]:
    """Entraîne ensemble les graines, et rend une ligne par graine et par mesure."""
    training, rows = Training(config, SEEDS), []
    visited = deque(maxlen=EVERY // config.carts)
    for step in training.run():
        visited.append(step.observation)
        if step.env_steps % EVERY < config.carts:
            seen = np.concatenate(visited, axis=1)  # (S, N, 4)
            returns = evaluate(training.agent, EPISODES, seed=FRESH + step.env_steps).mean(axis=-1)
            for rank, seed in enumerate(SEEDS):
                numbers = (returns[rank], *measured(training.agent[rank], box, seen[rank]))
                rows.append((seed, step.env_steps, *(f"{one:.4g}" for one in numbers)))
    return rows


def measured(agent: Agent, box: Known, seen: np.ndarray) -> list[float]:
    """Rend max Q en 0, puis les écarts à la vérité, dans la boîte et là où l'agent est passé."""
    drawn = np.random.default_rng(agent.seeds[0]).choice(seen, VISITED, replace=False)
    here = known(drawn.astype(float))
    return [agent.q_values(np.zeros((1, 4))).max(), *gaps(agent, box), *gaps(agent, here)]


def gaps(agent: Agent, truths: Known) -> list[float]:
    """Rend la part d'états surestimés, et l'écart moyen sur les sauvables et sur les perdus."""
    gap = agent.q_values(truths.states).max(axis=1) - truths.values(agent.config.gamma)
    saved = np.isinf(truths.survival)
    return [(gap > 0).mean(), *(mean(gap[kind]) for kind in (saved, ~saved))]


def mean(values: np.ndarray) -> float:
    """La moyenne, ou « nan » si rien n'est à moyenner."""
    return values.mean() if len(values) else np.nan


if __name__ == "__main__":
    main()
