"""La vérité sur CartPole : des bornes prouvées de la durée de survie, donc de Q*, état par état.

Le problème est sans fin : ni limite de 500 pas, ni autre issue que la chute. Chaque pas rapporte 1,
celui de la chute compris : `Q*(s, a) = (1 − γᵀ) / (1 − γ)`, où T est la plus longue survie possible
après l'action a, en pas, chute comprise. Tout se prouve donc sur T, en nombres entiers, et γ
n'entre qu'à la fin.

Par en bas, T est atteint : on simule, au bit près, des suites d'actions qui survivent ; ou bien
on arrive là où une règle tient pour toujours, ce que prouve `landing`. Par en haut, il y a trois
preuves : la tige tombe quoi qu'on fasse (`extremes`), le chariot sort quoi qu'on fasse (`table`),
ou une recherche qui n'a rien écarté sans preuve n'a trouvé aucune suite d'actions (`search`).
"""

from cartpole_helpers.teaching.truth.bounds import (
    Bounds,
    certify,
    discounted,
    survival,
    viability_map,
)
from cartpole_helpers.teaching.truth.notation import Survival

__all__ = ["Bounds", "Survival", "certify", "discounted", "survival", "viability_map"]
