"""Carnet 04 : la cible du DQN."""

import numpy as np
import torch
from torch import tensor

from cartpole_helpers import dqn
from cartpole_helpers.teaching.exercise import Cases, Exercise, Property

SHAPES = ((5,), (3, 4), (2, 3, 4))  # un lot ; un lot par agent ; un axe de plus encore
GOES_ON, ENDED = tensor([False]), tensor([True])


def td_target(reward, terminated, next_q, gamma):
    return reward + gamma * next_q.max(dim=-1).values * ~terminated


def drawn(generator: np.random.Generator, shape: tuple, tables: int = 1, actions: int = 2) -> tuple:
    """Rend récompense, fin et `tables` tableaux de valeurs, une par action, tirés au hasard."""
    reward = torch.from_numpy(generator.normal(size=shape)).float()
    terminated = torch.from_numpy(generator.random(shape) < 0.4)
    q = [torch.from_numpy(generator.normal(2, 5, (*shape, actions))).float() for _ in range(tables)]
    return reward, terminated, *q


def any_shape(generator: np.random.Generator) -> Cases:
    """Rend des lots de toutes les formes, puis un de trois actions."""
    for shape in SHAPES:
        yield *drawn(generator, shape), 0.97
    yield *drawn(generator, (9,), actions=3), 0.97


PROPERTIES = (
    Property(
        "ajoute à la récompense γ fois la meilleure valeur suivante",
        [
            (tensor([1.0]), GOES_ON, tensor([[2.0, 5.0]]), 0.5),
            (tensor([0.0, 3.0]), GOES_ON.repeat(2), tensor([[4.0, 1.0], [-2.0, -6.0]]), 0.9),
            (tensor([0.5]), GOES_ON, tensor([[1.0, 2.0, 4.0]]), 0.5),
        ],
        "Tant que l'épisode continue, la cible est r + γ max Q(s', a').",
    ),
    Property(
        "s'arrête à la récompense quand l'épisode est terminé",
        [
            (tensor([1.0]), ENDED, tensor([[2.0, 5.0]]), 0.5),
            (tensor([7.0, -1.0]), ENDED.repeat(2), tensor([[9.0, 9.0], [8.0, 0.0]]), 0.9),
        ],
        "Avez-vous masqué les états terminaux ?",
    ),
    Property(
        "traite chaque ligne à part",
        [
            (
                tensor([1.0, 2.0, 3.0]),
                tensor([False, True, False]),
                tensor([[1.0, 2.0], [30.0, 4.0], [-6.0, -5.0]]),
                0.9,
            )
        ],
        "Une ligne du lot ne doit rien à ses voisines.",
    ),
    Property(
        "ignore ce que dit le réseau d'un état terminal",
        [(tensor([1.0, 1.0]), tensor([True, False]), tensor([[3e38, 3e38], [1.0, 2.0]]), 0.99)],
        "Au-delà de la fin, il n'y a rien à ajouter, si grande que soit la valeur.",
    ),
    Property(
        "vaut pour un lot, pour un lot par agent, et au-delà",
        any_shape,
        "Écrivez sur le dernier axe : `dim=-1` est celui des actions, quel que soit leur nombre.",
    ),
)

CHANGES = """
aucun masque : * ~terminated → ∅
un masque qui efface aussi la récompense (le masque efface la récompense) : \
= (reward + gamma * next_q.max(dim=-1).values) * ~terminated
    Votre masque efface aussi la récompense : le pas de la chute rapporte 1, lui aussi.
une fin pour tout le lot : ~terminated → ~terminated.any()
    Une seule fin ôte la suite à tout le lot : chaque transition a son masque.
un masque à l'envers (le masque à l'envers) : ~terminated → terminated
    Votre masque est à l'envers : il garde la suite des épisodes finis, et oublie les autres.
le maximum de tout le lot (le mauvais axe) : max(dim=-1).values → max()
    `max()` sans `dim` prend le maximum de tout le lot : précisez `dim=-1`, les actions.
l'axe 1, au lieu du dernier (le mauvais axe) : dim=-1 → dim=1
    L'axe 1 est celui des actions d'un seul lot ; avec un axe devant, c'est le lot : `dim=-1`.
le maximum sur l'axe du lot (le mauvais axe) : max(dim=-1).values → max(dim=0).values[..., 0]
    Le maximum est pris sur l'axe du lot (`dim=0`), non sur celui des actions (`dim=-1`).
la moyenne des actions : max(dim=-1).values → mean(dim=-1)
le minimum des actions (la pire action) : max → min
le numéro de l'action (le rang pour la valeur) : max(dim=-1).values → argmax(dim=-1)
    `argmax` rend le numéro de la meilleure action, non sa valeur : prenez `max(...).values`.
γ oublié : gamma * → ∅
γ sur la récompense : = gamma * (reward + next_q.max(dim=-1).values * ~terminated)
récompense oubliée (une cible sans récompense) : reward + → ∅
toujours la valeur de droite (toujours la même action) : .max(dim=-1).values → [..., 1]
    Vous lisez toujours la valeur de l'action 1, au lieu de la meilleure des deux.
deux actions seulement : next_q.max → next_q[..., :2].max
    Vous ne comparez que deux actions : un autre jeu peut en avoir davantage.
un axe de trop : dim=-1 → dim=-1, keepdim=True
+ ~terminated → ~terminated.unsqueeze(-1)
    `keepdim=True` laisse un axe de trop : `(B,) + (B, 1)` donne `(B, B)`, sans un mot.
un axe de trop ôté : = (reward + gamma * next_q.max(dim=-1).values * ~terminated).squeeze()
    `squeeze()` sans axe ôte aussi un lot d'une seule transition : dites lequel.
1 moins un booléen (la négation de Python) : ~terminated → (1 - terminated)
un tilde sur des nombres (la négation de Python) : ~terminated → ~terminated.int()
    Sur des nombres, ~ rend −1 et −2 : niez les booléens, puis convertissez, `(~terminated).int()`.
le `not` de Python (la négation de Python) : ~terminated → (not terminated)
    `not` ne nie qu'un seul booléen : pour tout un tenseur, c'est `~terminated`.
les valeurs et leurs rangs : .values → ∅
    `max(dim=-1)` rend les maximums et leurs rangs : prenez `.values`.
les valeurs et leurs rangs, après le masque : = reward + gamma * ~terminated * next_q.max(dim=-1)
    `max(dim=-1)` rend une paire, maximums et rangs : ajoutez `.values` avant de multiplier.
une pénalité à la chute : = torch.where(terminated, -1.0, reward + gamma * next_q.max(-1).values)
    La chute n'a pas de pénalité : à la fin, la cible vaut la récompense, et rien d'autre.
"""


def with_loop(reward, terminated, next_q, gamma):
    flat = zip(reward.flatten(), terminated.flatten(), next_q.flatten(0, -2), strict=True)
    values = [r if end else r + gamma * max(q) for r, end, q in flat]
    return torch.stack(values).reshape(reward.shape)


VARIANTS = (
    with_loop,
    lambda r, end, q, gamma: torch.where(end, r, r + gamma * torch.amax(q, -1)),
    lambda r, end, q, gamma: np.where(
        end.numpy(), r.numpy(), r.numpy() + gamma * q.numpy().max(-1)
    ),
    lambda r, end, q, gamma: (r + (1 - end.float()) * gamma * q.max(-1)[0]).detach(),
)
EXERCISE = Exercise(dqn.td_target, PROPERTIES, CHANGES, (), VARIANTS, td_target)
