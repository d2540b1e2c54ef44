"""Carnet 04 : l'ε-glouton."""

import numpy as np
import torch
from torch import tensor

from cartpole_helpers import dqn
from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def any_shape(generator: np.random.Generator) -> Cases:
    for shape, actions in (((8,), 2), ((3, 5), 2), ((2, 3, 4), 2), ((24,), 3)):
        q = torch.from_numpy(generator.normal(size=(*shape, actions))).float()
        yield q, 0.5, torch.from_numpy(generator.random((*shape, 2))).float()


Q = tensor([[1.0, 3.0], [5.0, 2.0]])
PROPERTIES = (
    Property(
        "prend la meilleure action quand il n'explore pas",
        [(Q, 0.0, tensor([[0.0, 0.0], [0.5, 0.9]])), (Q, 0.1, tensor([[0.9, 0.0], [0.5, 0.9]]))],
        "Quand le premier tirage atteint ε, l'action est celle de la plus grande valeur.",
    ),
    Property(
        "prend une action uniforme quand il explore",
        [(Q, 1.0, tensor([[0.3, 0.1], [0.99, 0.9]])), (Q, 0.5, tensor([[0.49, 0.1], [0.2, 0.6]]))],
        "Quand le premier tirage est sous ε, le second choisit : moins de 0,5, la gauche.",
    ),
    Property(
        "décide pour chaque état à part, quels que soient les axes",
        any_shape,
        "Chaque état a ses deux tirages : `torch.where` choisit case par case.",
    ),
)

CHANGES = """
ε à l'envers : explore < epsilon → explore >= epsilon
aucune exploration : = q.argmax(dim=-1)
toujours au hasard : = (choice * q.shape[-1]).long()
    Vous explorez toujours : où sert Q ?
un seul tirage pour deux questions : (choice * → (explore *
    Le même tirage décide d'explorer et choisit l'action : un tirage sous ε donne presque toujours
    la gauche.
une décision pour tous : explore < epsilon → explore.flatten()[0] < epsilon
    Un seul tirage décide pour tous les états : chacun doit avoir le sien.
explorer toujours à droite : (choice * q.shape[-1]).long() → 1
    Explorer, c'est tirer parmi toutes les actions, non prendre toujours la même.
la pire action : argmax → argmin
    `argmin` prend la pire action : il faut `argmax`.
l'autre action que la meilleure : (choice * q.shape[-1]).long() → 1 - q.argmax(dim=-1)
    Une action au hasard peut être la meilleure : elle est tirée parmi toutes.
"""


def with_loop(q, epsilon, draws):
    rows = zip(q.reshape(-1, q.shape[-1]), draws.reshape(-1, 2), strict=True)
    actions = [
        int(choice * len(row)) if explore < epsilon else int(row.argmax())
        for row, (explore, choice) in rows
    ]
    return torch.tensor(actions).reshape(q.shape[:-1])


def with_numpy(q, epsilon, draws):
    explore, choice = np.moveaxis(draws.numpy(), -1, 0)
    return np.where(explore < epsilon, (choice * q.shape[-1]).astype(int), q.numpy().argmax(-1))


EXERCISE = Exercise(dqn.epsilon_greedy, PROPERTIES, CHANGES, variants=(with_loop, with_numpy))
