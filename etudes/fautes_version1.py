"""Les fautes de la Version 1, réparées une à une, puis toutes sauf une : laquelle compte le plus ?

    .venv/bin/python etudes/fautes_version1.py

Sept fautes de la table du carnet 06 peuvent changer ce qu'on apprend ; chacune a sa réparation :

- une mise à jour par épisode → une tous les 10 pas, le rythme des premiers épisodes ;
- une copie de la cible tous les 60 épisodes → tous les 600 pas ;
- un taux d'apprentissage multiplié par 0,999 à chaque épisode, jusqu'à 3·10⁻⁶ → constant, 3·10⁻⁴ ;
- le chronomètre rangé comme une chute → la chute seule ;
- γ = 1 → γ = 0,99 ;
- le réseau cible tiré à part → une copie ;
- des lots plus courts que 256 au début → attendre 1 000 transitions.

Les autres ne le peuvent pas : récompenses sur 8 bits (elles valent 1), modulo de l'anneau (65 536
est une puissance de deux), graphe de gradient, permutation, graines, `env.close()`, sauvegarde ;
et le réseau que l'on évalue change le jugement, pas l'apprentissage.

Seize réglages : aucune faute réparée, toutes, une seule, toutes sauf une. Le reste est celui du
document (réseau, Adam, ε = 0,05). Ce n'est pas le portage de `version1`, trop lent, mais sa copie
pour R agents ensemble, sans l'épisode « de test » (un sur 1 024), et qui tire ses lots avec remise.

Annoncé avant de lancer. Graines 600 à 629, jamais employées ; un essai préalable, 900 à 905, a fixé
budget et rythmes. Budget : 50 000 pas. Tous les 2 500 pas, le réseau principal, glouton, joue
30 épisodes depuis des départs neufs. Critère principal : la moyenne des dix dernières évaluations,
de 27 500 à 50 000 pas. Quatorze comparaisons appariées par graine, chacune « avec la réparation
moins sans » : une faute réparée seule, contre aucune ; toutes, contre toutes sauf une. Intervalles
de Student, couverture vérifiée par rééchantillonnage, Holm sur les quatorze. Critère secondaire :
les graines qui ont un jour atteint 475, en comptes exacts.

Constaté. Couverture : 93 à 96 % ; 79 et 65 % pour le rythme et le chronomètre réparés seuls, où une
ou deux graines font tout l'écart : n'en concluez rien. Sans réparation, le retour est de 30 pas sur
trente graines, contre 46 au portage sur vingt : écart de −16 [−39 ; 8], test des rangs, p = 0,28.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cartpole_helpers import VERSION_1, Agent, CartPoleVector, evaluate, td_loss, td_target
from cartpole_helpers.dqn import epsilon_greedy
from cartpole_helpers.networks import StackedNetwork, initial_weights
from cartpole_helpers.seeds import Purpose, environment_seeds, stream
from cartpole_helpers.studies import Study, archive_of, by_seed, launch

BUDGET, EVERY, EPISODES = 50_000, 2_500, 30
FRESH = 9_000_000  # les départs de l'évaluation au pas n : `evaluate(seed=FRESH + n)`
UPDATE, COPY, WARMUP = 10, 600, 1_000  # ce que comptent les réparations, en pas
GAMMA = 0.99
OTHER = 1_000_000  # le réseau cible tiré à part est celui d'une graine décalée d'autant

RHYTHM, COPIES = "une mise à jour par épisode", "copies comptées en épisodes"
DECAY, CLOCK = "taux d'apprentissage qui s'éteint", "chronomètre pris pour une chute"
UNDISCOUNTED, APART, SHORT = "γ = 1", "cible tirée à part", "premiers lots trop courts"
FAULTS = (RHYTHM, COPIES, DECAY, CLOCK, UNDISCOUNTED, APART, SHORT)
NONE_REPAIRED, ALL_REPAIRED = "aucune réparée", "toutes réparées"
ARMS: dict[str, set[str]] = {
    NONE_REPAIRED: {*FAULTS},
    ALL_REPAIRED: set(),
    **{f"réparée : {fault}": {*FAULTS} - {fault} for fault in FAULTS},
    **{f"gardée : {fault}": {fault} for fault in FAULTS},
}
"""Les réglages, et les fautes que chacun garde."""


def run(faults: set[str], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines et rend une ligne par graine."""
    crowd, scores = Crowd([faults] * len(seeds), seeds), []
    for turn in range(1, BUDGET + 1):
        crowd.advance()
        if turn % EVERY == 0:
            scores.append(evaluate(crowd.agent, EPISODES, seed=FRESH + turn).mean(axis=-1))
    return by_seed(seeds, scores)


class Crowd:
    """R agents du document, avancés ensemble, chacun avec les fautes qu'on lui laisse."""

    def __init__(self, faults: list[set[str]], seeds: Sequence[int]):
        self.seeds = seeds
        self.has = {fault: np.array([fault in left for left in faults]) for fault in FAULTS}
        self.gamma = torch.tensor([[1.0 if UNDISCOUNTED in left else GAMMA] for left in faults])
        self.online, self.target = self._networks()
        self.moments = torch.zeros(2, *self.online.shape)  # les deux moyennes d'Adam
        self.updates = np.zeros(len(seeds), int)
        self.episodes = np.zeros(len(seeds), int)
        self.carts = CartPoleVector(len(seeds))
        cart_seeds = [environment_seeds(seed, Purpose.CARTS, 1)[0] for seed in seeds]
        self.observation, _ = self.carts.reset(seed=cart_seeds)
        self.exploration = [stream(seed, Purpose.EXPLORATION) for seed in seeds]
        self.replay = [stream(seed, Purpose.REPLAY) for seed in seeds]
        # Une transition, dix nombres : état, suivant, action, fin.
        self.memory = torch.zeros(len(seeds), min(VERSION_1.capacity, BUDGET), 10)
        self.turn = 0

    @property
    def agent(self) -> Agent:
        """Les R politiques gloutonnes des réseaux qui apprennent."""
        return Agent(VERSION_1, self.online.clone(), self.seeds, self.turn)

    @torch.no_grad()
    def advance(self) -> None:
        """Fait un pas : agir, avancer, mémoriser, apprendre, copier."""
        action = self._act()
        ended = self._step(action)
        self._learn(np.flatnonzero(self._learning(ended)))
        self.episodes += ended
        copying = np.where(
            self.has[COPIES],
            ended & (self.episodes % VERSION_1.target_period == 0),
            self.turn % COPY == 0,
        )
        self.target[copying] = self.online[copying]

    def _networks(self) -> tuple[Tensor, Tensor]:
        """Rend les poids (R, P) des réseaux principal et cible ; le second copie, ou est à part."""
        online = initial_weights(VERSION_1, self.seeds)
        other = initial_weights(VERSION_1, [OTHER + seed for seed in self.seeds])
        return online, torch.where(torch.from_numpy(self.has[APART])[:, None], other, online)

    def _act(self) -> np.ndarray:
        q = StackedNetwork(VERSION_1, self.online)(torch.from_numpy(self.observation[:, None]))
        return epsilon_greedy(q[:, 0], VERSION_1.epsilon_end, self._draws()).numpy()

    def _draws(self) -> Tensor:
        place = self.turn % 1_000
        if place == 0:
            self.drawn = torch.tensor(
                np.stack([generator.random((1_000, 2)) for generator in self.exploration], axis=1),
                dtype=torch.float32,
            )
        return self.drawn[place]  # (R, 2)

    def _step(self, action: np.ndarray) -> np.ndarray:
        """Avance et mémorise ; rend les agents dont l'épisode s'achève."""
        before = self.observation
        self.observation, _, terminated, truncated, info = self.carts.step(action)
        fallen = terminated | (truncated & self.has[CLOCK])
        row = np.concatenate([before, info["final_obs"], action[:, None], fallen[:, None]], axis=1)
        self.memory[:, self.turn % self.memory.shape[1]] = torch.from_numpy(row.astype(np.float32))
        self.turn += 1
        return terminated | truncated

    def _learning(self, ended: np.ndarray) -> np.ndarray:
        now = np.where(self.has[RHYTHM], ended, self.turn % UPDATE == 0)
        return now & (self.has[SHORT] | (self.turn >= WARMUP))

    def _learn(self, rows: np.ndarray) -> None:
        if not rows.size:
            return
        batch = self._sample(rows)  # (R', B, 10)
        observation, successor, action, fallen = batch.split((4, 4, 1, 1), dim=-1)
        next_q = StackedNetwork(VERSION_1, self.target[rows])(successor)
        fallen, action = fallen[..., 0] > 0, action[..., 0].long()
        target = td_target(
            torch.ones(fallen.shape), fallen, next_q, self.gamma[rows].expand(fallen.shape)
        )
        network = StackedNetwork(VERSION_1, self.online[rows])
        with torch.enable_grad():
            gradient = network.backward(td_loss(network.traced(observation), action, target))
        self._descend(rows, gradient)

    def _sample(self, rows: np.ndarray) -> Tensor:
        """Rend 256 transitions par agent, ou tout ce qu'il y a."""
        stored, size = min(self.turn, self.memory.shape[1]), VERSION_1.batch_size
        if stored <= size:
            return self.memory[rows, :stored]
        places = np.stack([self.replay[row].integers(stored, size=size) for row in rows])
        return self.memory[torch.from_numpy(rows)[:, None], torch.from_numpy(places)]

    def _descend(self, rows: np.ndarray, gradient: Tensor) -> None:
        """Fait le pas d'Adam des agents `rows`, chacun à son rythme."""
        self.updates[rows] += 1
        first, second = self.moments[:, rows]
        first.lerp_(gradient, 0.1)
        second.lerp_(gradient.square(), 0.001)
        self.moments[:, rows] = torch.stack([first, second])
        count = torch.from_numpy(self.updates[rows, None])
        step = (first / (1 - 0.9**count)) / ((second / (1 - 0.999**count)).sqrt() + 1e-8)
        self.online[rows] -= self._rates(rows) * step

    def _rates(self, rows: np.ndarray) -> Tensor:
        rate = VERSION_1.learning_rate
        faded = rate * VERSION_1.learning_rate_decay ** self.episodes[rows]
        faded = np.maximum(faded, VERSION_1.learning_rate_floor)
        rates = np.where(self.has[DECAY][rows], faded, rate)
        return torch.from_numpy(rates[:, None].astype(np.float32))


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings=ARMS,
    seeds=range(600, 630),
    columns=[str(step) for step in range(EVERY, BUDGET + 1, EVERY)],
    group=30,
)

if __name__ == "__main__":
    launch(STUDY)
