"""Carnet 15, la page blanche : un DQN écrit de mémoire, et ceux que l'épreuve doit refuser."""

import numpy as np
import torch
from torch import nn

from cartpole_helpers.dqn import td_loss, td_target
from cartpole_helpers.teaching.exercise import Exercise


def dqn(env, gamma, pas, graine, viser=td_target, comparer=td_loss, taux=0.04, vitesse=4e-3):
    """Joue `pas` pas dans `env`, et rend q : observations (N, D) → valeurs (N, A).

    `viser` et `comparer` : les règles de la cible et de la perte ; `taux` : ce que le réseau cible
    prend au réseau principal à chaque mise à jour ; `vitesse` : le taux d'apprentissage, au départ.
    """
    torch.manual_seed(graine)
    hasard = np.random.default_rng(graine)
    taille, choix = env.observation_space.shape[0], env.action_space.n
    cartpole = 2.0, 1.0, 10.0, 1.0  # des entrées de tailles voisines
    echelle = torch.tensor(cartpole) if taille == len(cartpole) else torch.ones(taille)

    def reseau():
        couches = nn.Linear(taille, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()
        return nn.Sequential(*couches, nn.Linear(64, choix))

    def q_de(un_reseau, observations):
        with torch.no_grad():
            return un_reseau(torch.as_tensor(observations) * echelle)

    def rapprocher(suiveur, part):
        with torch.no_grad():
            for lent, vif in zip(suiveur.parameters(), en_ligne.parameters(), strict=True):
                lent.lerp_(vif, part)

    en_ligne, cible, lisse = reseau(), reseau(), reseau()
    rapprocher(cible, 1.0)
    optimiseur = torch.optim.Adam(en_ligne.parameters(), vitesse)
    memoire, mises_a_jour = [], 0
    etat, _ = env.reset(seed=graine)
    for rang in range(pas):
        explore = hasard.random() < max(0.1, 1 - 4 * rang / pas)
        action = int(hasard.integers(choix) if explore else q_de(en_ligne, etat).argmax())
        suivant, recompense, terminated, truncated, _ = env.step(action)
        memoire.append((etat, action, np.float32(recompense), terminated, suivant))
        etat = env.reset()[0] if terminated or truncated else suivant
        if rang < 100:
            continue
        lot = [memoire[place] for place in hasard.integers(len(memoire), size=64)]
        etats, actions, recompenses, fins, suivants = (
            torch.as_tensor(np.array(colonne)) for colonne in zip(*lot, strict=True)
        )
        but = viser(recompenses, fins, q_de(cible, suivants), gamma)
        perte = comparer(en_ligne(etats * echelle), actions, but)
        optimiseur.param_groups[0]["lr"] = vitesse * (1 - rang / pas)
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
        mises_a_jour += 1
        rapprocher(cible, taux)
        rapprocher(lisse, max(0.004, 1 / mises_a_jour))
    return lambda observations: q_de(lisse, np.asarray(observations, np.float32)).numpy()


CHANGES = """
aucun masque : viser(recompenses, fins, → viser(recompenses, fins & False,
le masque efface la récompense : np.float32(recompense) → np.float32(recompense * (not terminated))
le masque à l'envers : viser(recompenses, fins, → viser(recompenses, ~fins,
le chronomètre pour une chute : terminated, suivant)) → terminated or truncated, suivant))
des transitions fantômes : \
memoire.append((etat, action, np.float32(recompense), terminated, suivant)) → avant = etat
+ else suivant → \
else suivant; memoire.append((avant, action, np.float32(recompense), terminated, etat))
la moyenne des actions : q_de(cible, suivants) → q_de(cible, suivants).mean(-1, keepdim=True)
la pire action : q_de(cible, suivants) → q_de(cible, suivants).amin(-1, keepdim=True)
une cible jamais rapprochée (rien ne remonte) : rapprocher(cible, taux) → ∅
aucun amorçage (rien ne remonte) : suivants), gamma) → suivants), 0.0)
γ oublié : suivants), gamma) → suivants), 1.0)
γ sur la récompense : viser(recompenses, → viser(gamma * recompenses,
des récompenses entières : np.float32(recompense) → np.float32(int(recompense))
les actions ensemble : comparer(en_ligne(etats * echelle), actions, but) → \
(en_ligne(etats * echelle) - but[:, None]).square().mean()
les actions échangées : actions, but) → (actions + 1) % choix, but)
rien n'est appris : optimiseur.step() → ∅
des tailles écrites : env.observation_space.shape[0], env.action_space.n → 4, 2
la même graine à chaque départ : env.reset()[0] → env.reset(seed=graine)[0]
aucune graine : torch.manual_seed(graine) → graine = torch.seed() % 1_000
un épisode jamais relancé (une erreur) : env.reset()[0] if terminated or truncated else suivant → \
suivant
les actions au lieu des valeurs (une erreur) : np.float32)) → np.float32)).argmax(1)
+ range(pas) → range(200)
une boucle sans fin (une erreur) : range(pas) → iter(int, 1)
un lot plus grand que la mémoire (une erreur) : hasard.integers(len(memoire), size=64) → \
hasard.choice(len(memoire), 640, replace=False)
"""

EXERCISE = Exercise(dqn, (), CHANGES)
