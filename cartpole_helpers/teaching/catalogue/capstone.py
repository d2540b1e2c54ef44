"""La page blanche : un DQN écrit de mémoire, et des DQN fautifs que l'épreuve doit refuser."""

from collections.abc import Callable

import gymnasium
import numpy as np
import torch
from torch import nn

from cartpole_helpers.dqn import td_loss, td_target
from cartpole_helpers.teaching.capstone import ERROR, NO_SEED, SAME_SEED, SIZES
from cartpole_helpers.teaching.checking import Mistake
from cartpole_helpers.teaching.worlds import FAULTS


def dqn(env, gamma, pas, graine, viser=td_target, comparer=td_loss, taux=0.04, vitesse=4e-3):
    """Joue `pas` pas dans `env`, et rend q : observations (N, D) → valeurs (N, A).

    `viser` et `comparer` : les règles de la cible et de la perte ; `taux` : ce que le réseau cible
    prend au réseau en ligne à chaque mise à jour ; `vitesse` : le pas d'apprentissage, au départ.
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


# Les DQN fautifs : celui du cours, dans un environnement travesti ou avec une règle fausse


class _Rewritten(gymnasium.Wrapper):
    """Un environnement dont `rewrite` change la récompense et les deux fins."""

    def __init__(self, env: gymnasium.Env, rewrite: Callable):
        super().__init__(env)
        self._rewrite = rewrite

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, *self._rewrite(reward, terminated, truncated), info


class _Ghostly(gymnasium.Wrapper):
    """Un environnement qui, l'épisode fini, rend déjà l'observation du départ."""

    def reset(self, **options):
        self._start, info = super().reset(**options)
        return self._start, info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        shown = self._start if terminated or truncated else observation
        return shown, reward, terminated, truncated, info


class _SameStart(gymnasium.Wrapper):
    """Un environnement auquel on redonne toujours la graine du premier départ."""

    _first = None

    def reset(self, *, seed=None, options=None):
        self._first = seed if self._first is None else self._first
        return super().reset(seed=self._first, options=options)


class _SizedAsCartPole(gymnasium.Wrapper):
    """Un environnement dont on croit, sans les lire, que les tailles sont celles de CartPole."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)


class _NeverOver(gymnasium.Wrapper):
    """Un environnement dont on oublie de relancer l'épisode."""

    def step(self, action):
        observation, reward, _, _, info = super().step(action)
        return observation, reward, False, False, info


def _in(dress: Callable[[gymnasium.Env], gymnasium.Env]) -> Callable:
    """Rend le DQN qui joue dans `dress(env)`."""
    return lambda env, gamma, pas, graine: dqn(dress(env), gamma, pas, graine)


def _rewriting(rewrite: Callable) -> Callable:
    return _in(lambda env: _Rewritten(env, rewrite))


def _with(**rules) -> Callable:
    """Rend le DQN dont une règle, ou un réglage, est changé."""
    return lambda env, gamma, pas, graine: dqn(env, gamma, pas, graine, **rules)


def _aiming_at(after: Callable) -> Callable:
    """Rend le DQN dont la cible lit `after(valeurs suivantes, masque, γ)`."""
    return _with(viser=lambda r, end, q, gamma: r + after(q, ~end, gamma))


def _compare_without_action(q, action, target):
    return (q - target[..., None]).square().mean()


def _compare_other_action(q, action, target):
    return td_loss(q, (action + 1) % q.shape[-1], target)


def _without_seed(env, gamma, pas, graine):
    return dqn(env, gamma, pas, int(np.random.default_rng().integers(1_000_000)))


def _actions_instead_of_values(env, gamma, pas, graine):
    q = dqn(env, gamma, 200, graine)
    return lambda observations: q(observations).argmax(axis=1)


def _without_end(env, gamma, pas, graine):
    env.reset(seed=graine)
    while True:
        _, _, terminated, truncated, _ = env.step(0)
        if terminated or truncated:
            env.reset()


def _larger_batch_than_memory(env, gamma, pas, graine):
    etat, _ = env.reset(seed=graine)
    return np.random.default_rng(graine).choice([etat], size=32, replace=False)


_NAMED = {fault.name: fault.hint for fault in FAULTS}


def _fault(name: str, answer: Callable, fault: str | None = None) -> Mistake:
    """Rend l'erreur `name`, qui mène à la faute connue de ce nom, ou du nom `fault`."""
    return Mistake(name, answer, _NAMED[fault or name])


MISTAKES = (
    _fault("aucun masque", _aiming_at(lambda q, goes_on, gamma: gamma * q.amax(-1))),
    _fault(
        "le masque efface la récompense",
        _rewriting(lambda reward, end, cut: (reward * (not end), end, cut)),
    ),
    _fault(
        "le masque à l'envers", _aiming_at(lambda q, goes_on, gamma: gamma * q.amax(-1) * ~goes_on)
    ),
    _fault(
        "le chronomètre pour une chute",
        _rewriting(lambda reward, end, cut: (reward, end or cut, False)),
    ),
    _fault("des transitions fantômes", _in(_Ghostly)),
    _fault(
        "la moyenne des actions", _aiming_at(lambda q, goes_on, gamma: gamma * q.mean(-1) * goes_on)
    ),
    _fault("la pire action", _aiming_at(lambda q, goes_on, gamma: gamma * q.amin(-1) * goes_on)),
    _fault("une cible jamais rapprochée", _with(taux=0.0), "rien ne remonte"),
    _fault("aucun amorçage", _aiming_at(lambda q, goes_on, gamma: 0.0), "rien ne remonte"),
    _fault("γ oublié", lambda env, gamma, pas, graine: dqn(env, 1.0, pas, graine)),
    _fault(
        "γ sur la récompense", _with(viser=lambda r, end, q, gamma: gamma * td_target(r, end, q, 1))
    ),
    _fault(
        "des récompenses entières", _rewriting(lambda reward, end, cut: (int(reward), end, cut))
    ),
    _fault("les actions ensemble", _with(comparer=_compare_without_action)),
    _fault("les actions échangées", _with(comparer=_compare_other_action)),
    _fault("rien n'est appris", _with(vitesse=0.0)),
    Mistake("des tailles écrites", _in(_SizedAsCartPole), SIZES),
    Mistake("la même graine à chaque départ", _in(_SameStart), SAME_SEED),
    Mistake("aucune graine", _without_seed, NO_SEED),
    Mistake("un épisode jamais relancé", _in(_NeverOver), ERROR),
    Mistake("les actions au lieu des valeurs", _actions_instead_of_values, ERROR),
    Mistake("une boucle sans fin", _without_end, ERROR),
    Mistake("un lot plus grand que la mémoire", _larger_batch_than_memory, ERROR),
)
