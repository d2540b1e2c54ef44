"""Le système du document fondateur, porté sur les bibliothèques d'aujourd'hui avec ses défauts.

Rien ici n'est à imiter : chaque défaut gardé est commenté « DÉFAUT », avec ce qu'il cause. Le
document ne tourne pas tel quel : `dqnn` y est en commentaire, `NN` et `choose_action` n'y figurent
pas. Ont changé aussi l'API de Gymnasium, `np.bool8`, `get_lr()`, le rendu et le dossier des .pt ;
`train` rend la main à chaque épisode, `test` compte les siens, et l'aléa peut se fixer pour mesurer
(`seed=None` : rien n'est refaisable, comme dans le document).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from time import time
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.optim import Adam, lr_scheduler


class carray:
    """Un tableau circulaire de `maxlen` cases, rempli de la dernière à la première."""

    def __init__(self, maxlen, size, dtype):
        shape = (maxlen, *size) if isinstance(size, tuple) else (maxlen, size)
        self.buf = np.zeros(shape=shape, dtype=dtype)
        self.maxlen = maxlen
        self.head = 0
        self.len = 0

    def append(self, item):
        self.buf[self.head] = item
        if self.len < self.maxlen:
            self.len += 1
        if self.head == 0:
            self.head = self.maxlen
        self.head -= 1

    def sample_from_perm(self, perm):
        perm = perm + self.head + 1
        # DÉFAUT : « & (maxlen − 1) » n'est un modulo que si maxlen est une puissance de deux ; à
        # 10 000, il n'atteint que 256 cases et, avant d'être plein, en rend de jamais écrites.
        perm = perm & (self.maxlen - 1)
        return self.buf[perm]


class Buffer:
    """La mémoire de rejeu du document : cinq `carray` remplis ensemble."""

    def __init__(self, maxlen: int, seed=None):
        self.states = carray(maxlen, 4, np.float32)
        self.actions = carray(maxlen, 1, np.int8)
        self.newstates = carray(maxlen, 4, np.float32)
        # DÉFAUT : des récompenses sur 8 bits ; une récompense de 0,5 y devient 0.
        self.rewards = carray(maxlen, 1, np.int8)
        self.dones = carray(maxlen, 1, np.bool_)
        self.maxlen = maxlen
        self.len = 0
        self.generator = np.random.default_rng(seed)

    def push(self, experience):
        state, action, newstate, reward, done = experience
        self.states.append(state)
        self.actions.append(action)
        self.newstates.append(newstate)
        self.rewards.append(reward)
        self.dones.append(done)
        if self.len < self.maxlen:
            self.len += 1

    def sample(self, batch_size):
        # DÉFAUT : permuter toute la mémoire pour en garder 256 ; le coût croît avec sa taille.
        # DÉFAUT : tant que la mémoire est courte, le lot l'est aussi, sans que rien ne le dise.
        perm = self.generator.permutation(self.len)[:batch_size]
        states = self.states.sample_from_perm(perm)
        actions = self.actions.sample_from_perm(perm)
        newstates = self.newstates.sample_from_perm(perm)
        rewards = self.rewards.sample_from_perm(perm)
        dones = self.dones.sample_from_perm(perm)
        return (states, actions, newstates, rewards, dones)


class NN(nn.Sequential):
    """Le réseau 4-32-16-8-4-8-32-2, que le document nomme sans le donner ; pris à son auteur.

    LeakyReLU, poids de Xavier (loi normale), biais nuls.
    """

    def __init__(self):
        sizes = (4, 32, 16, 8, 4, 8, 32, 2)
        layers = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise(sizes)]
        activated = [part for layer in layers for part in (layer, nn.LeakyReLU())]
        super().__init__(*activated[:-1])
        for layer in layers:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)


class DQNN(nn.Module):
    """Les deux réseaux, l'optimiseur et la mise à jour du document, dans une seule classe."""

    def __init__(
        self, nntype, discount=1, lr=3e-4, lr_decay=0.999, min_lr=3e-6, itermax=60, folder=None
    ):
        super().__init__()
        # DÉFAUT : les deux réseaux sont tirés séparément ; jusqu'à la première synchronisation, la
        # cible est celle d'un réseau étranger.
        self.train_net = nntype()
        self.target_net = nntype()
        self.target_itermax = itermax
        self.save_freq = 0
        self.target_iter = 0
        # DÉFAUT : sans actualisation (γ = 1), une erreur se propage sans jamais s'atténuer.
        self.discount = discount
        self.min_lr = min_lr
        self.folder = folder
        self.optimizer = Adam(
            params=self.train_net.parameters(), lr=lr, weight_decay=0, amsgrad=False
        )
        self.scheduler = lr_scheduler.ExponentialLR(optimizer=self.optimizer, gamma=lr_decay)

    def forward(self, x):
        x = torch.from_numpy(x)
        return self.train_net(x)

    def forward_target(self, x):
        x = torch.from_numpy(x)
        return self.target_net(x)

    def train_dqn(self, batch, steps_nmbr):
        states, actions, newstates, rewards, dones = batch
        actions = torch.from_numpy(actions)
        rewards = torch.from_numpy(rewards)
        dones = torch.from_numpy(dones)
        with torch.no_grad():
            q_newstates = self.forward_target(newstates)
        maxq_newstates = torch.max(q_newstates, dim=1).values.reshape(-1, 1)
        maxq_newstates = (1 - torch.as_tensor(dones, dtype=torch.int32)) * maxq_newstates
        for param in self.parameters():
            param.grad = None
        q_states = self(states)
        q_taken = torch.take_along_dim(q_states, torch.as_tensor(actions, dtype=torch.int64), dim=1)
        loss = torch.mean((self.discount * maxq_newstates + rewards - q_taken) ** 2)
        loss.backward()
        self.optimizer.step()
        self.target_switch(steps_nmbr)
        # DÉFAUT : le taux d'apprentissage fond à chaque épisode jusqu'à son plancher, cent fois
        # plus bas, que l'agent ait appris ou non. (`get_lr()`, déconseillé, avertit.)
        if self.scheduler.get_last_lr()[0] > self.min_lr:
            self.scheduler.step()

    def eval_dqn(self, x):
        with torch.no_grad():
            # DÉFAUT : on évalue le réseau cible, en retard de 60 épisodes au plus sur l'autre.
            return int(torch.argmax(self.forward_target(x)))

    def target_switch(self, steps_nmbr):
        self.target_iter += 1
        if self.target_iter >= self.target_itermax:
            self.target_net.load_state_dict(self.train_net.state_dict())
            self.target_iter = 0
            self.save_freq += 1
            # DÉFAUT : la sauvegarde, en pickle, est cachée dans le taux d'apprentissage, et porte
            # le nom d'une durée d'épisode bruitée par l'exploration.
            if self.save_freq & 3 == 0 and self.folder is not None:
                name = f"deep-q-model-{steps_nmbr}-{int(time()):5d}.pt"
                torch.save(self.state_dict(), Path(self.folder) / name)

    def load_model(self, path):
        self.load_state_dict(torch.load(path))


def choose_action(actions_values, eps, generator=None):
    """Rend l'action de plus grande valeur, ou avec probabilité `eps` une action au hasard.

    Le document l'emploie sans la donner ; prise à son auteur.
    """
    generator = generator or np.random.default_rng()
    if generator.random() < eps:
        return int(generator.integers(2))
    return int(torch.argmax(actions_values))


class Progress(NamedTuple):
    """Où en est `train` à la fin d'un épisode."""

    episode: int
    length: int  # pas de cet épisode
    env_steps: int  # pas depuis le début
    dqnn: DQNN


def train(
    lr=3e-4, lr_decay=0.999, min_lr=3e-6, itermax=60, *, folder=None, seed=None, verbose=True
) -> Iterator[Progress]:
    """La boucle d'entraînement du document ; rend la main à la fin de chaque épisode.

    `folder` : où vont les .pt, nulle part si None ; `seed` : None, comme dans le document, ou une
    graine pour pouvoir refaire une mesure ; `verbose` : affiche les lignes du document.
    """
    try:
        eps = 0.05
        for_actions, for_batches = np.random.SeedSequence(seed).spawn(2)
        generator = np.random.default_rng(for_actions)
        env = gym.make("CartPole-v1")
        buffer = Buffer(1 << 16, for_batches)
        with _torch_seed(seed):
            dqnn = DQNN(NN, lr=lr, lr_decay=lr_decay, min_lr=min_lr, itermax=itermax, folder=folder)
        env_steps = 0
        for i_episode in range(int(1e5)):
            state, _ = env.reset(seed=seed if i_episode == 0 else None)
            for t in range(500):
                action = 0
                if i_episode & 1023 == 0:
                    # L'épisode « de test » : un seul tous les 1024, que le document montre à
                    # l'écran en temps réel. DÉFAUT : un épisode ne mesure rien.
                    action = dqnn.eval_dqn(state)
                else:
                    # DÉFAUT : agir n'a pas besoin de gradient, et le graphe est pourtant construit.
                    actions_values = dqnn(state)
                    action = choose_action(actions_values, eps, generator)
                newstate, reward, terminated, truncated, _ = env.step(action)
                # DÉFAUT : être arrêté par le chronomètre est appris comme une chute.
                done = terminated or truncated
                buffer.push((state, action, newstate, reward, done))
                state = newstate
                env_steps += 1
                if done:
                    # DÉFAUT : une seule mise à jour par épisode ; mieux l'agent joue, moins il
                    # apprend par pas. Les premiers lots sont une poignée de pas consécutifs.
                    dqnn.train_dqn(buffer.sample(1 << 8), t + 1)
                    if i_episode & 7 == 0 and verbose:
                        # DÉFAUT : trois fois sur quatre, « Test episode » est un entraînement.
                        kind = "Test episode" if i_episode & 255 == 0 else "Episode"
                        print(f"{kind} {i_episode} finished after {t + 1} steps for {itermax}")
                    break
            yield Progress(i_episode, t + 1, env_steps, dqnn)
        # DÉFAUT : hors d'un `finally`, cette ligne n'est pas atteinte quand on interrompt.
        env.close()
    except KeyboardInterrupt:
        print("exit")


def test(path, *, episodes, seed) -> list[int]:
    """La boucle de test du document : joue le modèle `path` et rend la durée de chaque épisode.

    DÉFAUT : dans le document, ni graine, ni compte, ni moyenne ; on ne fait que regarder.
    """
    env = gym.make("CartPole-v1")
    dqnn = DQNN(NN)
    dqnn.load_model(path)
    lengths = []
    for i_episode in range(episodes):
        state, _ = env.reset(seed=seed if i_episode == 0 else None)
        length, done = 0, False
        while not done:
            action = dqnn.eval_dqn(state)
            state, _, terminated, truncated, _ = env.step(action)
            length, done = length + 1, terminated or truncated
        lengths.append(length)
    env.close()
    return lengths


@contextmanager
def _torch_seed(seed: int | None) -> Iterator[None]:
    """Fixe les tirages de PyTorch dans le bloc, sans toucher à ceux du reste du programme."""
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        yield
