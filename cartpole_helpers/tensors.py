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
