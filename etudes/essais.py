"""Autour de la seule recette : ce que l'on recommande d'ordinaire, une chose à la fois, partout.

    .venv/bin/python -m pip install -r requirements-etudes.txt -r requirements-jeux.txt
    .venv/bin/python etudes/essais.py

Huit graines, 4300 à 4307, que rien n'avait utilisées. Dix évaluations également espacées, de 20
épisodes depuis des départs neufs ; les budgets sont dans `BUDGETS`.

Écrit avant qu'elle ne tourne. Pour chaque jeu, la part du chemin faite, de ce que vaut le hasard au
seuil (celle de recherche_jeux.py, moyenne de toute la courbe), de chaque essai, moins celle de la
recette, graine à graine (Student). Huit graines ne montrent que de grands écarts : tout est
exploratoire.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from jeux import evaluated
from recherche_jeux import huber
from torch import Tensor

from cartpole_helpers import ONE_RECIPE, ReplayBuffer, Training
from cartpole_helpers.environments import make_vector, vector_sizes
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.teaching.laboratory import Altered

BUDGETS = {
    "CartPole-v1": 50_000,
    "Acrobot-v1": 50_000,
    "MountainCar-v0": 100_000,
    "LunarLander-v3": 100_000,
}
LOOKS, EPISODES = 10, 20
AVERAGE = ONE_RECIPE.epsilon(ONE_RECIPE.epsilon_steps)  # le ε moyen de ses copies


class Clipped(Training):
    """La norme du gradient de chaque agent ne passe pas dix."""

    def gradient(self, loss: Tensor) -> Tensor:
        """Rend le gradient (S, P), raccourci s'il est trop long."""
        whole = super().gradient(loss)
        return whole * (10 / whole.norm(dim=-1, keepdim=True).clamp(min=10))


class Scaled(Altered):
    """La mémoire reçoit les récompenses, divisées par dix."""

    def add(self, observation, action, reward, *rest):
        """Ajoute une transition (S, E, ...)."""
        self.inner.add(observation, action, reward / 10, *rest)


def scaled(config, seeds: Sequence[int], env: str) -> Training:
    """Rend un entraînement dont la mémoire réduit les récompenses."""
    games = make_vector(env, 1)
    sizes = vector_sizes(games)
    games.close()
    usual = ReplayBuffer(
        config.capacity,
        seeds=seeds,
        observation_size=sizes.observation,
        actions=sizes.actions,
        discounted=config.n_steps > 1,
    )
    return Training(config, seeds, env=env, memory=Scaled(usual))


TRIED: dict[str, tuple[dict, Callable]] = {
    "la recette": ({}, Training),
    "perte de Huber": ({}, partial(Training, td_loss=partial(huber, delta=1.0))),
    "gradient écrêté à 10": ({}, Clipped),
    "récompenses / 10": ({}, scaled),
    "cible recopiée": ({"target_period": 50, "target_rate": 1.0}, Training),
    "deux fois plus de mises à jour": ({"carts": ONE_RECIPE.carts // 2}, Training),
    "actions non prolongées": ({"epsilon_hold": 1.0}, Training),
    "le même ε partout": ({"epsilon_end": AVERAGE, "epsilon_spread": 1.0}, Training),
    "cible à un pas": ({"n_steps": 1}, Training),
    "cible à six pas": ({"n_steps": 6}, Training),
    "sans Double DQN": ({"double": False}, Training),
    "sans moyenne des poids": ({"average_rate": 1.0}, Training),
}


def run(asked: tuple[str, str], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines d'un essai à un jeu et rend une ligne par graine."""
    name, env = asked
    changes, build = TRIED[name]
    config = replace(ONE_RECIPE, total_steps=BUDGETS[env], **changes)
    return evaluated(env, config, seeds, LOOKS, EPISODES, build)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={(name, env): (name, env) for name in TRIED for env in BUDGETS},
    seeds=range(4_300, 4_308),
    columns=[f"{look}/{LOOKS}" for look in range(1, LOOKS + 1)],
    names=("essai", "jeu"),
    group=8,
)

if __name__ == "__main__":
    launch(STUDY)
