"""Les règles du DQN : des fonctions pures, écrites sur les derniers axes."""

from math import isfinite
from reprlib import repr as shortened

import torch
from torch import Tensor

from cartpole_helpers.checks import check_number

FREE = -1  # aucune action au hasard n'est tenue


def td_target(reward: Tensor, terminated: Tensor, next_q: Tensor, gamma: float | Tensor) -> Tensor:
    """Rend la cible r + γ max Q(s', a'), réduite à r quand l'épisode s'est terminé.

    `reward`, `terminated` (booléen) : (..., B) ; `next_q` : (..., B, A) ; `gamma` : un nombre, ou
    (..., B). Rend (..., B), sans détacher. Source : Mnih et al. (2015), algorithme 1 ; une
    troncature n'est pas une terminaison : Pardo et al. (2018).
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
    """Rend la cible du Double DQN : le réseau en ligne choisit a', le réseau cible l'évalue.

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
    aucun gradient ne la traverse. Source : Mnih et al. (2015), algorithme 1.
    """
    value = value_of(q, action)
    check_tensors(q=q, target=target)
    check_same_shape(action=action.shape, target=target.shape)
    return (value - target.detach()).square().mean(dim=-1)


def epsilon_greedy(q: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """Rend l'action qui maximise Q, ou avec probabilité ε une action uniforme.

    `q` : (..., A) ; `draws` : (..., 2), uniformes dans [0, 1) : le premier nombre décide s'il faut
    explorer, le second quelle action prendre. Rend (...), des entiers. Source : Watkins (1989).
    """
    epsilon = check_number("epsilon", epsilon, float, low=0, high=1)
    check_tensors(q=q, draws=draws)
    if draws.shape != (*state_shape("q", q), 2):
        raise ValueError(
            f"draws doit donner deux nombres par choix, (..., 2) pour q (..., A) : "
            f"draws {tuple(draws.shape)}, q {tuple(q.shape)} reçu."
        )
    explore, choice = draws.unbind(dim=-1)
    return torch.where(explore < epsilon, (choice * q.shape[-1]).long(), q.argmax(dim=-1))


def held_epsilon_greedy(
    q: Tensor, epsilon: float, hold: float, draws: Tensor, held: Tensor
) -> tuple[Tensor, Tensor]:
    """Rend (action, tenue) : l'ε-glouton, dont une action au hasard dure `hold` pas en moyenne.

    `q` et `draws` sont ceux de `epsilon_greedy`, que l'on retrouve si `hold` vaut 1. `held` (...),
    des entiers : l'action au hasard tenue au pas précédent, ou `FREE`. Rend deux tenseurs (...).
    ε reste, à la longue, la part des pas joués au hasard. Source : Dabney, Ostrovski et Barreto
    (2021), ici avec des durées de loi géométrique.
    """
    explore, choice = draws.unbind(dim=-1)
    keep = 1 - 1 / hold
    going_on = (held != FREE) & (explore < keep)
    # Sachant que la tenue s'arrête, ce qui reste du même tirage est uniforme dans [0, 1).
    explore = torch.where(held != FREE, (explore - keep) / (1 - keep), explore)
    begins = explore < epsilon * (1 - keep) / (1 - keep * epsilon)
    drawn = torch.where(begins, (choice * q.shape[-1]).long(), FREE)
    held = torch.where(going_on, held, drawn)
    return torch.where(held == FREE, q.argmax(dim=-1), held), held


def value_of(q: Tensor, action: Tensor) -> Tensor:
    """Rend Q(s, a) pour l'action prise : `q` (..., A) et `action` (...) donnent (...)."""
    check_tensors(q=q, action=action)
    check_same_shape(action=action.shape, q=state_shape("q", q))
    try:
        return q.gather(-1, action.unsqueeze(-1)).squeeze(-1)
    except RuntimeError as error:  # le chercher avant coûterait à chaque mise à jour
        wrong = action[(action < 0) | (action >= q.shape[-1])]
        last = q.shape[-1] - 1
        raise ValueError(f"action doit être entre 0 et {last} : {wrong[0]} reçu.") from error


# Les vérifications

_KINDS = {
    "terminated": ({torch.bool}, "de booléens"),
    "action": ({torch.int64, torch.int32}, "d'entiers"),
}
_FLOATS = ({torch.float32, torch.float64, torch.float16, torch.bfloat16}, "de nombres à virgule")


def check_transitions(reward: Tensor, terminated: Tensor, gamma, **next_q: Tensor) -> None:
    """Refuse ce qui n'est pas fait de tenseurs du bon genre, et des formes qui diffèrent."""
    discount = {"gamma": gamma} if isinstance(gamma, Tensor) else {}
    if not discount and not (type(gamma) is float and isfinite(gamma)):  # le cas du moteur
        check_number("gamma", gamma, float)
    check_tensors(reward=reward, terminated=terminated, **discount, **next_q)
    shapes: dict[str, tuple] = {"reward": reward.shape, "terminated": terminated.shape}
    shapes |= {name: state_shape(name, q) for name, q in next_q.items()}
    shapes |= {name: tensor.shape for name, tensor in discount.items() if tensor.ndim}
    check_same_shape(**shapes)
    actions = [q.shape[-1] for q in next_q.values()]
    if len({*actions}) > 1:
        raise ValueError(f"{' et '.join(next_q)} doivent avoir autant d'actions : {actions} reçu.")


def check_same_shape(**shapes: tuple[int, ...]) -> None:
    """Refuse (B, 1) contre (B,) : PyTorch en ferait sans un mot un tableau (B, B)."""
    if len({*shapes.values()}) > 1:
        listed = ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())
        raise ValueError(f"les formes doivent être égales, hors l'axe des actions : {listed} reçu.")


def state_shape(name: str, q: Tensor) -> tuple[int, ...]:
    """Rend la forme de `q` moins l'axe des actions, ou refuse un tenseur où il manque."""
    if not q.ndim or not q.shape[-1]:
        raise ValueError(f"{name} doit finir par un axe d'actions : forme {tuple(q.shape)} reçue.")
    return q.shape[:-1]


def check_tensors(**tensors: Tensor) -> None:
    """Refuse ce qui n'est pas un tenseur du genre que dit son nom, sur l'appareil du premier."""
    devices = []
    for name, tensor in tensors.items():
        dtypes, kind = _KINDS.get(name, _FLOATS)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} doit être un tenseur {kind} : {shortened(tensor)} reçu.")
        if tensor.dtype not in dtypes:
            raise TypeError(f"{name} doit être un tenseur {kind} : {tensor.dtype} reçu.")
        devices.append(tensor.device)
        if devices[0] != devices[-1]:
            raise ValueError(f"{name} doit être sur {devices[0]} : {devices[-1]} reçu.")
