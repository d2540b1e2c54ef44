"""Carnet 04 : la cible du Double DQN."""

import torch
from torch import tensor

from cartpole_helpers import dqn
from cartpole_helpers.teaching.catalogue.td_target import ENDED, GOES_ON, SHAPES, drawn
from cartpole_helpers.teaching.exercise import Exercise, Property


def double_td_target(reward, terminated, next_q_online, next_q_target, gamma):
    choice = next_q_online
    judge = next_q_target
    value = judge.gather(-1, choice.argmax(-1, keepdim=True)).squeeze(-1)
    return reward + gamma * value * ~terminated


PROPERTIES = (
    Property(
        "choisit avec le réseau principal, juge avec le réseau cible",
        [
            (tensor([1.0]), GOES_ON, tensor([[1.0, 9.0]]), tensor([[7.0, 2.0]]), 0.5),
            (tensor([0.0]), GOES_ON, tensor([[3.0, -1.0]]), tensor([[4.0, 6.0]]), 0.9),
        ],
        "Deux gestes : `argmax` dans l'un des réseaux, puis sa valeur dans l'autre.",
    ),
    Property(
        "s'arrête à la récompense quand l'épisode est terminé",
        [(tensor([1.0]), ENDED, tensor([[1.0, 9.0]]), tensor([[7.0, 2.0]]), 0.5)],
        "Avez-vous masqué les états terminaux ?",
    ),
    Property(
        "vaut pour un lot, pour un lot par agent, et au-delà",
        lambda generator: [(*drawn(generator, shape, tables=2), 0.97) for shape in SHAPES],
        "`argmax(dim=-1)`, puis `gather(-1, ...)` : tout se passe sur le dernier axe.",
    ),
)

CHANGES = """
rôles échangés (les réseaux échangés) : choice = next_q_online → choice = next_q_target
+ judge = next_q_target → judge = next_q_online
    Les rôles sont échangés : le réseau principal choisit, le réseau cible juge.
le réseau cible seul : choice = next_q_online → choice = next_q_target
    Le réseau cible choisit et juge : c'est la cible ordinaire, sans Double DQN.
le réseau principal seul : judge = next_q_target → judge = next_q_online
    Le réseau principal choisit et juge : le réseau cible ne sert plus à rien.
aucun masque : * ~terminated → ∅
la moyenne des deux réseaux : judge = next_q_target → choice = judge = (choice + next_q_target) / 2
    Vous faites la moyenne des réseaux : l'un choisit l'action, l'autre la juge.
la plus petite des deux valeurs : \
judge = next_q_target → choice = judge = torch.minimum(choice, next_q_target)
    Prendre la plus petite valeur des deux réseaux est une autre méthode (celle de TD3).
"""

VARIANTS = (
    lambda r, end, online, target, gamma: torch.where(
        end, r, r + gamma * target.take_along_dim(online.max(-1, keepdim=True)[1], -1)[..., 0]
    ),
    lambda r, end, online, target, gamma: (
        r + gamma * (torch.nn.functional.one_hot(online.argmax(-1), 2) * target).sum(-1) * ~end
    ),
)
EXERCISE = Exercise(dqn.double_td_target, PROPERTIES, CHANGES, (), VARIANTS, double_td_target)
