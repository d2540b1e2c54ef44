"""Les règles du DQN : des fonctions pures, écrites sur les derniers axes."""

import torch
from torch import Tensor

from cartpole_helpers.tensors import check_draws, check_same_shape, check_transitions

FREE = -1  # aucune action au hasard n'est prolongée


def td_target(reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float | Tensor) -> Tensor:
    """Rend la cible r + γ max Q(s', a'), réduite à r quand l'épisode s'est terminé.

    `reward`, `terminated` (booléen) : (..., B) ; `next_q` : (..., B, A) ; `gamma` : un nombre, ou
    (..., B). Rend (..., B), sans détacher. Source : Mnih et coll. (2015), algorithme 1 ; une
    troncature n'est pas une terminaison : Pardo et coll. (2018).
    """
    check_transitions(reward, terminated, gamma, next_q=next_q)
    next_value = next_q.max(dim=-1).values
    return reward + gamma * next_value.masked_fill(terminated, 0.0)


def double_td_target(
    reward: Tensor,
    terminated: Tensor,
    next_q_online: Tensor,
    next_q_target: Tensor,
    gamma: float | Tensor,
) -> Tensor:
    """Rend la cible du Double DQN : le réseau principal choisit a', le réseau cible l'évalue.

    Formes de `td_target`. Source : van Hasselt, Guez et Silver (2016).
    """
    both = {"next_q_online": next_q_online, "next_q_target": next_q_target}
    check_transitions(reward, terminated, gamma, **both)
    chosen = next_q_online.argmax(dim=-1, keepdim=True)
    next_value = next_q_target.gather(-1, chosen).squeeze(-1)
    return reward + gamma * next_value.masked_fill(terminated, 0.0)


def td_loss(q: Tensor, action: Tensor, target: Tensor) -> Tensor:
    """Rend la moyenne, sur le lot, de (Q(s, a) − cible)² : une perte par agent.

    `q` : (..., B, A) ; `action` (entiers), `target` : (..., B). Rend (...). La cible est détachée :
    aucun gradient ne la traverse. Source : Mnih et coll. (2015), algorithme 1.
    """
    value = value_of(q, action)
    check_same_shape(action=action, target=target)
    return (value - target.detach()).square().mean(dim=-1)


def epsilon_greedy(q: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """Rend l'action qui maximise Q, ou avec probabilité ε une action uniforme.

    `q` : (..., A) ; `draws` : (..., 2), uniformes dans [0, 1) : le premier nombre décide s'il faut
    explorer, le second quelle action prendre. Rend (...), des entiers. Source : Watkins (1989).
    """
    check_draws(q, epsilon, draws)
    explore, choice = draws.unbind(dim=-1)
    return torch.where(explore < epsilon, (choice * q.shape[-1]).long(), q.argmax(dim=-1))


def held_epsilon_greedy(
    q: Tensor, epsilon: float | Tensor, hold: float, draws: Tensor, held: Tensor
) -> tuple[Tensor, Tensor]:
    """Rend (action, prolongée) : l'ε-glouton, dont une action au hasard dure `hold` pas en moyenne.

    `q` et `draws` sont ceux de `epsilon_greedy`, que l'on retrouve si `hold` vaut 1. `held` (...),
    des entiers : l'action au hasard que prolongeait le pas précédent, ou `FREE`. `epsilon` : un
    nombre, ou un tenseur qui s'étend à (...), un par copie. Rend deux tenseurs (...).
    ε reste, à la longue, la part des pas joués au hasard. Source : Dabney, Ostrovski et Barreto
    (2021), ici avec des durées de loi géométrique.
    """
    explore, choice = draws.unbind(dim=-1)
    keep = 1 - 1 / hold
    going_on = (held != FREE) & (explore < keep)
    # Sachant que l'action s'arrête, ce qui reste du même tirage est uniforme dans [0, 1).
    explore = torch.where(held != FREE, (explore - keep) / (1 - keep), explore)
    begins = explore < epsilon * (1 - keep) / (1 - keep * epsilon)
    drawn = torch.where(begins, (choice * q.shape[-1]).long(), FREE)
    held = torch.where(going_on, held, drawn)
    return torch.where(held == FREE, q.argmax(dim=-1), held), held


def value_of(q: Tensor, action: Tensor) -> Tensor:
    """Rend Q(s, a) pour l'action prise : `q` (..., A) et `action` (...) donnent (...)."""
    check_same_shape(action=action, q=q)
    try:
        return q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    except RuntimeError as error:  # le chercher avant coûterait à chaque mise à jour
        wrong = action[(action < 0) | (action >= q.shape[-1])]
        last = q.shape[-1] - 1
        raise ValueError(f"action doit être entre 0 et {last} : {wrong[0]} reçu.") from error
