"""Les vérifications des règles : des tenseurs, leur genre, leur forme et leur appareil."""

from math import isfinite
from reprlib import repr as shortened

import torch
from torch import Tensor

from cartpole_helpers.checks import check_number

_KINDS = {
    "terminated": ({torch.bool}, "de booléens"),
    "action": ({torch.int64, torch.int32}, "d'entiers"),
}
_FLOATS = ({torch.float32, torch.float64, torch.float16, torch.bfloat16}, "de nombres à virgule")
_VALUED = (
    "q",
    "next_q",
    "next_q_online",
    "next_q_target",
)  # leur dernier axe est celui des actions


def check_transitions(reward: Tensor, terminated: Tensor, gamma, **next_q: Tensor) -> None:
    """Refuse ce qui n'est pas fait de tenseurs du bon genre, et des formes qui diffèrent."""
    discount = {"gamma": gamma} if isinstance(gamma, Tensor) and gamma.ndim else {}
    if isinstance(gamma, Tensor):
        check_tensors(reward=reward, gamma=gamma)
    elif not (type(gamma) is float and isfinite(gamma)):  # sinon, c'est le cas du moteur
        check_number("gamma", gamma, float)
    check_same_shape(reward=reward, terminated=terminated, **next_q, **discount)
    actions = [q.shape[-1] for q in next_q.values()]
    if len({*actions}) > 1:
        raise ValueError(f"{' et '.join(next_q)} doivent avoir autant d'actions : {actions} reçu.")


def check_draws(q: Tensor, epsilon: float, draws: Tensor) -> None:
    """Refuse ce qui ne suffit pas à explorer : un ε de 0 à 1, et deux tirages par choix."""
    check_number("epsilon", epsilon, float, low=0, high=1)
    check_tensors(q=q, draws=draws)
    if draws.shape != (*_shape("q", q), 2):
        raise ValueError(
            f"draws doit donner deux nombres par choix, (..., 2) pour q (..., A) : "
            f"{tuple(draws.shape)} et {tuple(q.shape)} reçus."
        )


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse (B, 1) contre (B,) : PyTorch en ferait sans un mot un tableau (B, B)."""
    check_tensors(**tensors)
    shapes = {name: tuple(_shape(name, tensor)) for name, tensor in tensors.items()}
    if len({*shapes.values()}) > 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"les formes doivent être égales, hors l'axe des actions : {listed} reçu.")


def _shape(name: str, tensor: Tensor) -> tuple[int, ...]:
    """Rend la forme, hors l'axe des actions, ou refuse un tenseur où il manque."""
    if name not in _VALUED:
        return tensor.shape
    if not tensor.ndim or not tensor.shape[-1]:
        shape = tuple(tensor.shape)
        raise ValueError(f"{name} doit finir par un axe d'actions : forme {shape} reçue.")
    return tensor.shape[:-1]


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
