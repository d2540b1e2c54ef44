"""Un jeu minuscule, écrit d'avance, et ce qu'on y voit d'une réponse qui joue."""

from collections.abc import Callable

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from cartpole_helpers.teaching.exercise import Cases


class Told(str):
    """Ce que l'on dit d'un objet, au lieu de le montrer."""

    def __repr__(self) -> str:
        return f"<{self}>"


POLICY = Told("à droite un pas sur trois")


class ScriptedGame(gymnasium.Env):
    """Un jeu dont le texte est écrit d'avance ; il retient ce qu'on lui demande.

    `script` : ses épisodes, puis de nouveau le premier, « 2 pas puis chute, 5 pas puis
    chronomètre » ; « chute au chronomètre » est l'une et l'autre. Une observation (4,) en float32
    dit l'épisode, numéroté à partir de 1, le pas, 0 au départ, un nombre tiré au départ d'après la
    graine, et 0. L'action 1 rapporte 2,5, l'action 0 en rapporte 0,5. RuntimeError si l'on joue
    après la fin, `ResetNeeded` avant le départ.
    """

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)

    def __init__(self, script: str):
        self.episodes = [one.split(" pas puis ") for one in script.split(", ")]
        self.starts, self.played = [], []
        self.elapsed, self.ended, self.is_late = 0, False, False

    @property
    def observation(self) -> np.ndarray:
        """L'observation du moment (4,)."""
        return np.array([len(self.starts), self.elapsed, self.starts[-1], 0], np.float32)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Commence l'épisode suivant ; rend (observation (4,), {})."""
        super().reset(seed=seed)
        if self.elapsed or not self.starts:  # un départ dont rien n'est joué ne compte pas
            self.starts.append(0.0)
        self.starts[-1] = self.np_random.random()
        self.elapsed, self.ended = 0, False
        return self.observation, {}

    def step(self, action: int):
        """Joue un pas ; rend observation (4,), récompense, terminated, truncated et {}."""
        if not self.starts:
            raise ResetNeeded("step appelé avant reset.")
        if self.ended:
            raise RuntimeError("step appelé après la fin de l'épisode : il fallait reset.")
        if np.ndim(action) or action not in (0, 1):
            raise ValueError(f"action doit valoir 0 ou 1 : {action!r} reçu.")
        length, end = self.episodes[(len(self.starts) - 1) % len(self.episodes)]
        self.played.append((self.elapsed, int(action)))
        self.elapsed += 1
        self.ended = self.elapsed >= int(length)
        flags = self.ended and "chute" in end, self.ended and "chronomètre" in end
        return self.observation, 0.5 + 2.0 * int(action), *flags, {}

    def policy(self, observations: np.ndarray) -> np.ndarray:
        """Rend les actions (N,) : à droite un pas sur trois, à partir du premier.

        Elle retient si on l'interroge sur une autre observation que celle du moment. TypeError si
        la forme n'est pas (N, 4).
        """
        if np.ndim(observations) != 2:
            raise TypeError(f"observations doit être (N, 4) : {np.shape(observations)} reçu.")
        self.is_late |= (*observations[-1][:2],) != (len(self.starts), self.elapsed)
        return (np.asarray(observations)[:, 1] % 3 == 0).astype(int)


# Ce que l'on regarde d'une réponse


def watched(look: Callable) -> Callable:
    """Rend la vue qui fait jouer la réponse, puis donne `look(liste, jeu)` de ce qu'elle rend."""

    def view(answer: Callable, told: Told, script: Told, count: int, seed: int):
        game = ScriptedGame(script)
        value = answer(game.policy, game, count, seed)
        if value is None or value is ...:
            return "rien : il manque un return" if game.starts else None
        if np.iterable(value):
            return look(list(value), game)
        number = np.asarray(value).dtype.kind in "iuf"
        return f"un seul nombre, {value:.6g}" if number else "autre chose qu'une liste"

    return view


@watched
def choices(values: list, game: ScriptedGame) -> str:
    """Dit d'où viennent les actions jouées."""
    if game.is_late:
        return "des actions choisies d'après une observation passée"
    steps, actions = np.array(game.played).reshape(-1, 2).T
    wrong = np.mean((steps % 3 == 0) != actions)
    if wrong == 0:
        return "les actions de la politique"
    often = "parfois" if wrong < 0.25 else "souvent" if wrong < 0.75 else "presque toujours"
    return f"{often} d'autres actions que celles de la politique"


def origin(answer: Callable, told: Told, script: Told, count: int, seed: int) -> str | None:
    """Dit ce que les départs doivent à la graine."""
    games = [ScriptedGame(script) for _ in range(3)]
    for game, one in zip(games, (seed, seed, seed + 1_000), strict=True):
        answer(game.policy, game, count, one)
    first, again, other = (game.starts for game in games)
    if not first:
        return None
    if first != again:
        return "d'autres départs pour la même graine"
    if len(first) > 1 and len(set(first)) == 1:
        return "le même départ à chaque épisode"
    if set(first) & set(other):
        return "les mêmes départs, quelle que soit la graine"
    return "des départs différents, que la graine suffit à refaire"


# Les cas


def case(script: str, count: int) -> tuple:
    """Rend les arguments d'un cas : ce que seront les épisodes, combien de pas ou d'épisodes."""
    return POLICY, Told(script), count, 7


def any_case(least: int, most: int) -> Callable:
    """Rend de quoi tirer trois cas de `least` à `most` - 1, qui ont toutes les fins."""

    def cases(generator: np.random.Generator) -> Cases:
        for _ in range(3):
            ends = generator.permutation(["chute", "chronomètre", "chute au chronomètre", "chute"])
            script = ", ".join(f"{generator.integers(1, 7)} pas puis {end}" for end in ends)
            count, seed = generator.integers((least, 1), (most, 900)).tolist()
            yield POLICY, Told(script), count, seed

    return cases
