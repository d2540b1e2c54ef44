"""Carnet 02 : une mise à jour de la table."""

import numpy as np
import torch

from cartpole_helpers.teaching.exercise import Cases, Exercise, Property, rounded


def nouvelle_valeur(q, recompense, terminated, q_suivants, gamma, alpha):
    """Rend la valeur d'une action après une mise à jour du Q-learning (Watkins, 1989).

    `q` : son ancienne valeur ; `q_suivants` : (2,), celles de l'état suivant, qui ne comptent pas
    si `terminated` ; `alpha` : la part de la surprise que l'on corrige.
    """
    cible = recompense if terminated else recompense + gamma * max(q_suivants)
    return q + alpha * (cible - q)


def any_update(generator: np.random.Generator) -> Cases:
    for ended in (False, True) * 4:
        q, reward, *following = (rounded(generator, -20, 20) for _ in range(4))
        gamma, alpha = rounded(generator, 0.6, 0.95), rounded(generator, 0.05, 0.4)
        yield q, reward, ended, np.array(following), gamma, alpha


PROPERTIES = (
    Property(
        "fait vers la cible un pas de part alpha",
        [
            (10.0, 1.0, False, np.array([20.0, 30.0]), 0.9, 0.1),
            (4.0, 0.0, False, np.array([6.0, 1.0]), 0.5, 0.25),
            (1.0, 3.0, False, np.array([-8.0, -2.0]), 0.5, 0.25),
        ],
        "La surprise est r + γ max Q(s', a') − Q(s, a) ; ajoutez-en la part alpha à Q(s, a).",
    ),
    Property(
        "vise la récompense seule quand l'épisode est terminé",
        [
            (10.0, 1.0, True, np.array([20.0, 30.0]), 0.9, 0.1),
            (0.0, 5.0, True, np.array([-100.0, -200.0]), 0.5, 0.25),
        ],
        "Après la fin, il n'y a plus rien à attendre : la cible se réduit à la récompense.",
    ),
    Property(
        "vaut pour toutes les valeurs",
        any_update,
        "Relisez la formule : cinq nombres y entrent, et chacun compte.",
    ),
)

CHANGES = """
aucun masque : recompense if terminated else → ∅
un masque qui efface aussi la récompense (le masque efface la récompense) : recompense if → 0.0 if
un masque à l'envers (le masque à l'envers) : if terminated → if not terminated
un tilde sur un booléen de Python : \
recompense if terminated else recompense + gamma * → recompense - (1 + terminated) * gamma *
    Sur un booléen de Python, ~ rend un nombre, −1 ou −2 : préférez une condition.
la récompense seule, sans alpha, à la fin : = recompense if terminated else q + alpha * (cible - q)
    À la fin, vous rendez la récompense : c'est la cible, vers laquelle on ne va qu'en partie.
aucune mise à jour à la fin : = q if terminated else q + alpha * (cible - q)
    À la fin, vous ne changez rien : c'est pourtant là que la sortie s'apprend.
la première action au lieu de la meilleure (toujours la même action) : max(q_suivants) → \
q_suivants[0]
    Vous lisez toujours la valeur de l'action 0 : prenez la plus grande des deux.
le minimum (la pire action) : max → min
    Vous prenez la plus petite des valeurs suivantes, au lieu de la plus grande.
un maximum qui part de zéro : max(q_suivants) → max(0.0, *q_suivants)
    Votre maximum part de 0 : quand toutes les valeurs sont négatives, il en faut pourtant une.
la moyenne (la moyenne des actions) : max → np.mean
le numéro de l'action (le rang pour la valeur) : max → np.argmax
    argmax rend le numéro de la meilleure action, non sa valeur : prenez max.
γ oublié : gamma * → ∅
γ sur la récompense : recompense if terminated else recompense + gamma * max(q_suivants) → \
gamma * (recompense if terminated else recompense + max(q_suivants))
récompense oubliée (une cible sans récompense) : \
recompense if terminated else recompense + → 0.0 if terminated else
une récompense écrêtée : recompense if terminated else recompense → \
max(-1, min(1, recompense)) if terminated else max(-1, min(1, recompense))
    Vous ramenez la récompense entre −1 et 1 : la consigne la prend telle quelle.
l'ancienne valeur oubliée : = alpha * cible
    Vous oubliez l'ancienne valeur : il doit en rester la part (1 − alpha).
la cible tout entière : = cible
    Vous allez jusqu'à la cible : on ne corrige qu'une part alpha de l'écart.
alpha à l'envers : = alpha * q + (1 - alpha) * cible
    alpha est à l'envers : il pèse la cible, et (1 − alpha) l'ancienne valeur.
la cible ajoutée, et non la surprise : (cible - q) → cible
    Vous ajoutez la cible : c'est la surprise, la cible moins l'ancienne valeur, qu'il faut.
des parenthèses oubliées : alpha * (cible - q) → alpha * recompense + (cible - recompense) - q
    alpha ne multiplie qu'une partie de l'écart : entourez de parenthèses la cible moins q.
la correction seule : q + alpha → alpha
    Vous rendez la correction : ajoutez-la à l'ancienne valeur.
la surprise retranchée (un signe à l'envers) : q + alpha → q - alpha
    Le signe est à l'envers : la valeur s'éloigne de la cible au lieu de s'en approcher.
"""

VARIANTS = (
    lambda q, r, end, after, gamma, alpha: (
        (1 - alpha) * q + alpha * (r + gamma * torch.tensor(after).max().item() * (not end))
    ),
    lambda q, r, end, after, gamma, a: q + a * (r - q + (0 if end else gamma * np.max(after))),
)
EXERCISE = Exercise(nouvelle_valeur, PROPERTIES, CHANGES, variants=VARIANTS)
