"""Carnet 04 : la perte du DQN."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, tensor

from cartpole_helpers import dqn
from cartpole_helpers.teaching.catalogue.td_target import SHAPES, drawn
from cartpole_helpers.teaching.exercise import Cases, Exercise, Property


def td_loss(q, action, target):
    value = q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    return (value - target.detach()).square().mean(dim=-1)


def any_shape(generator: np.random.Generator) -> Cases:
    for shape in SHAPES:
        _, _, q = drawn(generator, shape)
        action = torch.from_numpy(generator.integers(2, size=shape))
        yield q, action, torch.from_numpy(generator.normal(size=shape)).float()


def gradients(loss: Callable, q: Tensor, action: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Rend le gradient que reçoivent les valeurs, et celui que reçoit la cible."""
    leaves = {"q": q.clone().requires_grad_(), "target": target.clone().requires_grad_()}
    loss(leaves["q"], action, leaves["target"]).sum().backward()
    return {
        f"gradient de {name}": torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        for name, leaf in leaves.items()
    }


BY_HAND = [
    (tensor([[1.0, 4.0], [2.0, 0.0]]), tensor([1, 0]), tensor([3.0, 5.0])),
    (tensor([[1.0, 4.0]]), tensor([0]), tensor([3.0])),
]
PROPERTIES = (
    Property(
        "est la moyenne, sur le lot, des écarts au carré",
        BY_HAND,
        "Prenez Q(s, a) pour l'action prise, retranchez la cible, élevez au carré, moyennez.",
    ),
    Property(
        "donne une perte par agent quand il y a un axe de plus",
        any_shape,
        "`mean(dim=-1)` ne moyenne que sur le lot, et laisse les axes qui le précèdent.",
    ),
    Property(
        "envoie le gradient dans les valeurs, jamais dans la cible",
        BY_HAND,
        "La cible est une constante : elle ne doit recevoir aucun gradient.",
        gradients,
    ),
)

CHANGES = """
le gradient traverse la cible (le gradient dans la cible) : target.detach() → target
la somme au lieu de la moyenne (la somme pour la moyenne) : mean → sum
    Vous sommez les écarts : la moyenne ne dépend pas de la taille du lot.
la médiane au lieu de la moyenne : .mean(dim=-1) → .median(dim=-1).values
    Vous prenez la médiane : elle ignore les plus grands écarts, que la moyenne compte.
une seule perte pour tous les agents (le mauvais axe) : mean(dim=-1) → mean()
    `mean()` sans `dim` mélange les agents : moyennez sur le dernier axe, celui du lot.
la moyenne sur le premier axe (le mauvais axe) : mean(dim=-1) → mean(dim=0)
    `mean(dim=0)` moyenne sur les agents s'il y en a : le lot est le dernier axe.
l'action lue sur l'axe 1 (le mauvais axe) : (-1, action.unsqueeze(-1)).squeeze(-1) → \
(1, action.unsqueeze(1)).squeeze(1)
    L'axe 1 est celui des actions d'un seul lot : avec un axe devant, c'est `gather(-1, ...)`.
pas de moyenne : .mean(dim=-1) → ∅
    Il reste une perte par ligne du lot : moyennez-les.
un axe de trop : .squeeze(-1) → ∅
    `gather` garde un axe : (B, 1) contre (B,) donne (B, B). Ôtez-le par `squeeze(-1)`.
un axe de trop, que la moyenne efface (un axe de trop) : .squeeze(-1) → ∅
+ mean(dim=-1) → mean()
    (B, 1) moins (B,) donne (B, B), que `mean()` cache : ôtez l'axe par `squeeze(-1)`.
`gather` sans axe : action.unsqueeze(-1)).squeeze(-1) → action)
    `gather` veut autant d'axes de part et d'autre : `action.unsqueeze(-1)`.
la valeur absolue : square → abs
    Vous prenez la valeur absolue des écarts : ici, c'est leur carré.
la perte de Huber : \
= torch.nn.functional.smooth_l1_loss(value, target.detach(), reduction="none").mean(dim=-1)
    C'est la perte de Huber : ici, le carré suffit.
la meilleure valeur au lieu de l'action prise : \
q.gather(-1, action.unsqueeze(-1)).squeeze(-1) → q.max(dim=-1).values
    Vous comparez la cible à max Q(s, a) : c'est l'action prise qui est jugée.
les actions de tout le lot : q.gather(-1, action.unsqueeze(-1)).squeeze(-1) → q[..., action]
    `q[..., action]` lit, pour chaque ligne, les actions de tout le lot : il faut `gather`.
toutes les actions (les actions ensemble) : \
= (q - target.detach().unsqueeze(-1)).square().mean(dim=(-1, -2))
    Les deux valeurs vont vers la cible : seule celle de l'action prise doit y aller.
l'autre action (les actions échangées) : action.unsqueeze → (1 - action).unsqueeze
    Vous lisez la valeur de l'autre action : `gather(-1, action)` prend la bonne.
aucun gradient : mean(dim=-1) → mean(dim=-1).detach()
    Votre perte n'est plus liée à q : NumPy, `item()` ou `detach()` y coupent le gradient.
la valeur détachée : value - target.detach() → value.detach() - target
    Vous détachez la valeur au lieu de la cible : plus rien n'apprend.
une moitié : mean(dim=-1) → mean(dim=-1) / 2
    Vous divisez par deux : la moyenne des carrés suffit.
la racine : mean(dim=-1) → mean(dim=-1).sqrt()
    La racine est de trop : la perte est la moyenne des carrés.
le carré de la moyenne : .square().mean(dim=-1) → .mean(dim=-1).square()
    Vous élevez la moyenne au carré : des écarts de signes contraires s'y effacent d'abord.
la cible seule au carré : (value - target.detach()).square() → (value - target.detach() ** 2)
    `**` passe avant la soustraction : mettez des parenthèses autour de l'écart.
les écarts sans carré : .square() → ∅
    Sans carré, un écart positif en efface un négatif.
"""


def with_where(q, action, target):
    value = torch.where(action == 1, q[..., 1], q[..., 0])
    return torch.mean((target.detach() - value) ** 2, dim=-1)


def with_one_hot(q, action, target):
    value = (q * torch.nn.functional.one_hot(action, q.shape[-1])).sum(-1)
    return torch.nn.functional.mse_loss(value, target.detach(), reduction="none").mean(-1)


VARIANTS = with_where, with_one_hot
EXERCISE = Exercise(dqn.td_loss, PROPERTIES, CHANGES, (), VARIANTS, td_loss)
