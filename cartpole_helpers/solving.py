"""Résoudre : s'entraîner, s'évaluer, s'arrêter de soi-même, et se faire certifier."""

from itertools import count
from time import perf_counter
from typing import NamedTuple

import numpy as np

from cartpole_helpers.agent import Agent, gathered
from cartpole_helpers.cartpole import SOLVED_RETURN
from cartpole_helpers.checks import check_number, check_seed
from cartpole_helpers.config import VERSION_2, Config
from cartpole_helpers.environments import CARTPOLE, Env, solved_return
from cartpole_helpers.evaluation import returns
from cartpole_helpers.seeds import Purpose, environment_seeds
from cartpole_helpers.training import Training


class Solution(NamedTuple):
    """Un agent qui résout son jeu, ce qu'il a coûté, et ce qui l'atteste."""

    agent: Agent
    env_steps: int
    gradient_steps: int
    seconds: float  #: tout compris : entraînement, évaluations, certificat
    validation: np.ndarray  #: (V,) retour moyen de chaque évaluation ; minoré si elle fut abrégée
    certificate: np.ndarray  #: (100,) retours sur des départs qui n'ont servi à rien d'autre
    attempts: int  #: certificats joués, celui-ci compris : chacun de plus est une chance de plus


class Unsolved(RuntimeError):
    """Le budget s'achève sans agent certifié ; `agent` est le meilleur de la validation."""

    def __init__(self, message: str, agent: Agent):
        super().__init__(message, agent)  # les deux : un processus fils doit pouvoir la rendre
        self.agent = agent

    def __str__(self) -> str:
        return self.args[0]


class Interrupted(KeyboardInterrupt):
    """Un arrêt de `solve` à la main ; `agent` est le meilleur de la validation jusque-là."""

    def __init__(self, message: str, agent: Agent):
        super().__init__(message)
        self.agent = agent


VALIDATION_EVERY = 1_000  # pas de jeu entre deux évaluations
VALIDATION_EPISODES, CERTIFICATE_EPISODES = 50, 100
ENOUGH = 490.0  # à CartPole, retour moyen de validation à partir duquel on tente le certificat


def solve(
    config: Config = VERSION_2,
    seed: int = 0,
    *,
    env: Env = CARTPOLE,
    threshold: float | None = None,
) -> Solution:
    """Entraîne un agent jusqu'à ce qu'il résolve `env`, et le certifie sur 100 départs neufs.

    Tous les 1 000 pas, l'agent joue 50 épisodes de validation, chaque fois depuis de nouveaux
    départs ; si leur moyenne atteint `threshold`, il est jugé sur 100 autres, et rendu si la leur
    l'atteint aussi. `threshold` : None, le seuil du jeu (`reward_threshold`) ; au seuil de
    CartPole, 475, la validation en demande 490.
    `Unsolved` si `config.total_steps` n'y suffit pas, `Interrupted` si on l'arrête : le meilleur
    agent est attaché à l'une comme à l'autre.
    """
    start = perf_counter()
    training = Training(config, check_seed("seed", seed), env=env)
    trials = _Trials(seed, env, _checked_threshold(threshold, env))
    if config.total_steps < config.warmup:
        raise ValueError(
            "total_steps doit être au moins égal à warmup, sinon rien ne serait appris : "
            f"total_steps={config.total_steps}, warmup={config.warmup} reçus."
        )
    try:
        for step in training.run():
            last = step.env_steps >= config.total_steps
            if step.env_steps % VALIDATION_EVERY >= config.carts and not last:
                continue
            certificate = trials.judge(training.agent)
            if certificate is not None:
                steps, seconds = (step.env_steps, step.gradient_steps), perf_counter() - start
                validation = np.array(trials.validation)
                agent, attempts = trials.agents[-1], trials.attempts
                return Solution(agent, *steps, seconds, validation, certificate, attempts)
    except KeyboardInterrupt:
        agent, _ = trials.best() if trials.agents else (training.agent, None)
        raise Interrupted(
            f"Arrêt demandé après {training.env_steps} pas. "
            "L'attribut `agent` de cette erreur est le meilleur agent jusque-là.",
            agent,
        ) from None
    agent, score = trials.best()
    raise Unsolved(
        f"Aucun agent n'a été certifié en {config.total_steps} pas : le meilleur fait {score:.0f} "
        f"de moyenne, il en faut {trials.enough:.0f}, puis {trials.threshold:.0f} sur des départs "
        "neufs. L'attribut `agent` de cette erreur est ce meilleur agent.",
        agent,
    )


class _Trials:
    """Les évaluations d'une même graine ; aucun départ ne sert deux fois."""

    def __init__(self, seed: int, env: Env, threshold: float):
        self.agents: list[Agent] = []
        self.validation: list[float] = []
        self.attempts, self.threshold = 0, threshold
        usual = env == CARTPOLE and threshold == SOLVED_RETURN
        self.enough = ENOUGH if usual else threshold
        self._seed, self._env, self._blocks = seed, env, count()

    def judge(self, agent: Agent) -> np.ndarray | None:
        """Évalue `agent` ; rend son certificat (100,) s'il résout le jeu, None sinon."""
        self.agents.append(agent)
        block = next(self._blocks)
        validation = self._starts(Purpose.VALIDATION, VALIDATION_EPISODES, block)
        certifying = self._starts(Purpose.CERTIFICATE, CERTIFICATE_EPISODES, block)
        if self._env == CARTPOLE:  # d'un seul lot, un passage du réseau sert aux deux
            starts, judged = validation + certifying, len(validation)
            together = returns(agent, starts, threshold=self.enough, judged=judged)
            scores, certificate = np.split(together, [judged])
        else:
            scores, certificate = returns(agent, validation, env=self._env), None
        self.validation.append(scores.mean())
        if scores.mean() < self.enough:
            return None
        self.attempts += 1
        if certificate is None:
            certificate = returns(agent, certifying, env=self._env)
        return certificate if certificate.mean() >= self.threshold else None

    def best(self) -> tuple[Agent, float]:
        """Rend le meilleur des agents évalués, et sa moyenne sur de nouveaux départs.

        Les évaluations abrégées ne peuvent pas le dire : tous rejouent, ensemble et jusqu'au bout.
        """
        starts = self._starts(Purpose.VALIDATION, VALIDATION_EPISODES, next(self._blocks))
        scores = returns(gathered(self.agents), starts, env=self._env)
        means = scores.reshape(len(self.agents), -1).mean(axis=-1)
        return self.agents[means.argmax()], means.max()

    def _starts(self, purpose: Purpose, number: int, block: int) -> list[int]:
        return environment_seeds(self._seed, purpose, number, block)


def _checked_threshold(threshold: float | None, env: Env) -> float:
    if threshold is not None:
        return check_number("threshold", threshold, float)
    own = solved_return(env)
    if own is None:
        raise ValueError(
            f"threshold doit être donné : {env!r} ne dit pas à quel retour il est résolu."
        )
    return own
