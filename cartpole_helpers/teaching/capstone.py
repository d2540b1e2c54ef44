"""La page blanche : un DQN écrit de mémoire, jugé dans de petits mondes, sur CartPole, ailleurs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import gymnasium
import numpy as np

from cartpole_helpers.cartpole import EPISODE_LIMIT, SOLVED_RETURN
from cartpole_helpers.checks import check_callable, check_seeds
from cartpole_helpers.display.numbers import number
from cartpole_helpers.environments import CARTPOLE_SIZES
from cartpole_helpers.evaluation import evaluate
from cartpole_helpers.statistics import wilson_interval
from cartpole_helpers.teaching.checking import Report, Verdict, shown
from cartpole_helpers.teaching.misconceptions import MISCONCEPTIONS
from cartpole_helpers.teaching.sandbox import contained, is_stub, located
from cartpole_helpers.teaching.worlds import FAULTS, TOGETHER, Fault, World, drawn_worlds

NAME, BLANK = "dqn", "pas encore écrit"
WORLD_GAMMA, WORLD_STEPS = 0.6, 4_000
EPISODES = 100
PATIENCE = 0.1  # secondes par pas : la nôtre en met cent fois moins
CLOSE = 0.1  # erreur permise, en part de la plus grande valeur du monde
ALIKE = 0.4  # part de l'écart entre la faute et la vérité, en deçà de laquelle on la reconnaît
SIZES, SAME_SEED, NO_SEED, ERROR = (
    MISCONCEPTIONS[name]
    for name in (
        "des tailles écrites",
        "la même graine à chaque départ",
        "aucune graine",
        "une erreur",
    )
)
CARTPOLE_HINT = (
    "Les règles sont justes : reste ce qui fait apprendre. L'échelle des entrées, le pas "
    "d'apprentissage, l'exploration, le rythme de la cible ; puis des poids moyennés, ou les "
    "meilleurs trouvés en chemin, plutôt que les derniers."
)
ACROBOT_HINT = (
    "Ce qui était réglé pour CartPole l'est-il ici ? L'échelle des entrées, si elle est écrite ; "
    "la durée de l'exploration, si elle est en pas, et non en part de ceux que l'on vous donne."
)

DQN = Callable[[gymnasium.Env, float, int, int], Callable]
"""`dqn(env, gamma, pas, graine)` joue `pas` pas, et rend `q` : observations (N, D) → (N, A)."""


class Game(NamedTuple):
    """Un jeu du jury : ce que l'on y donne à `dqn`, et le retour moyen que l'on en attend."""

    name: str
    env: str
    gamma: float
    steps: int
    threshold: float
    hint: str


CARTPOLE = Game("CartPole", "CartPole-v1", 0.98, 25_000, SOLVED_RETURN, CARTPOLE_HINT)
ACROBOT = Game("Acrobot", "Acrobot-v1", 0.98, 15_000, -100.0, ACROBOT_HINT)


@dataclass(frozen=True, eq=False)
class Attempt:
    """Ce que la réponse a trouvé dans un monde : des valeurs (P, A), ou une erreur."""

    world: World
    seed: int
    values: np.ndarray | None
    told: str = ""
    same_seed: bool = False

    @cached_property
    def expected(self) -> np.ndarray:
        """Les vraies valeurs (P, A)."""
        return self.world.values(WORLD_GAMMA)

    @property
    def passed(self) -> bool:
        """Dit si les valeurs trouvées sont les vraies, à l'erreur permise près."""
        if self.values is None:
            return False
        return _gap(self.values, self.expected) <= CLOSE * np.abs(self.expected).max()

    def gap_to(self, values: np.ndarray) -> float:
        """Rend l'écart entre ce que l'on a trouvé et `values`, sur leur écart à la vérité.

        Là où `values` ne se distingue pas de la vérité, 0 si on l'a trouvée, sinon l'infini.
        """
        if self.values is None:
            return np.inf
        apart = _gap(values, self.expected)
        if apart <= CLOSE * np.abs(self.expected).max():
            return 0.0 if self.passed else np.inf
        return _gap(self.values, values) / apart


def jury(dqn: DQN, seeds: int | Sequence[int] = range(5)) -> Iterator[Report]:
    """Rend le compte rendu de `dqn`, qui grandit d'épreuve en épreuve ; le dernier est complet.

    Six mondes d'abord, puis, s'ils sont tous justes, CartPole avec chacune des `seeds`. Ce que
    lève `dqn` est rapporté, non levé ; une boucle sans fin est coupée, bien plus tôt si elle joue
    dans `env` ; le bouton d'arrêt de Jupyter garde ce qui est jugé. ValueError ou TypeError si
    `seeds` ne convient pas ou si `dqn` n'est pas une fonction.
    """
    check_callable("dqn", dqn)
    seeds = check_seeds("seeds", seeds)
    return iter([Report(NAME, note=BLANK)]) if is_stub(dqn) else _reports(_trials(dqn, seeds))


def elsewhere(
    dqn: DQN, seeds: int | Sequence[int] = range(3), game: Game = ACROBOT
) -> Iterator[Report]:
    """Rend le compte rendu de `dqn` sur un autre jeu, de graine en graine, jugé comme CartPole.

    Les erreurs sont celles de `jury`.
    """
    check_callable("dqn", dqn)
    return _reports(_game_trials(game, dqn, check_seeds("seeds", seeds), []))


def _reports(trials: Iterator[tuple[list[Verdict], str]]) -> Iterator[Report]:
    """Rend un compte rendu par étape ; le bouton d'arrêt garde ce qui est jugé."""
    verdicts: list[Verdict] = []
    try:
        for verdicts, doing in trials:
            yield Report(NAME, tuple(verdicts), unfinished=doing and f"en cours, {doing}")
    except KeyboardInterrupt:
        yield Report(NAME, tuple(verdicts), unfinished="interrompu")
    except _Blank:
        yield Report(NAME, note=BLANK)


def _trials(dqn: DQN, seeds: Sequence[int]) -> Iterator[tuple[list[Verdict], str]]:
    """Rend, à chaque étape, les verdicts rendus et le nom de ce que l'on juge ; vide à la fin."""
    generator = np.random.default_rng()  # sans graine : on ne peut connaître les mondes d'avance
    attempts: list[Attempt] = []
    verdicts: list[Verdict] = []
    for world in drawn_worlds(generator):
        yield verdicts, f"le monde « {world.name} »"
        attempts.append(attempt(dqn, world, int(generator.integers(1_000))))
        if attempts[-1].told == BLANK:
            raise _Blank
        verdicts = [_world_verdict(one, attempts) for one in attempts]
    if all(one.passed for one in attempts):
        yield verdicts, "la même graine, une seconde fois"
        verdicts = [*verdicts, _same_again(dqn, attempts[0])]
    if all(verdict.passed for verdict in verdicts):
        yield from _game_trials(CARTPOLE, dqn, seeds, verdicts)
    else:
        yield verdicts, ""


def _game_trials(
    game: Game, dqn: DQN, seeds: Sequence[int], before: list[Verdict]
) -> Iterator[tuple[list[Verdict], str]]:
    """Rend, de graine en graine, les verdicts d'avant et celui de ce jeu."""
    verdicts = before
    yield verdicts, game.name
    for last in _on(game, dqn, seeds):
        if last.came == BLANK:
            raise _Blank
        verdicts = [*before, last]
        yield verdicts, game.name
    yield verdicts, ""


def attempt(dqn: DQN, world: World, seed: int) -> Attempt:
    """Entraîne `dqn` dans `world`, et lit les valeurs de tous les lieux."""
    env = _Watched(world.env(), WORLD_STEPS)
    asked = world.observe(range(len(world.moves))), world.sizes.actions
    values, trouble = _run(
        dqn, env, lambda: _read(dqn(env, WORLD_GAMMA, WORLD_STEPS, seed), *asked), WORLD_STEPS
    )
    return Attempt(world, seed, values, trouble, env.gives_same_seed)


# Jouer


class _Watched(gymnasium.Wrapper):
    """Un environnement qui compte ses pas, retient les graines reçues et refuse l'impossible."""

    def __init__(self, env: gymnasium.Env, steps: int):
        super().__init__(env)
        self._limit = steps + EPISODE_LIMIT  # de quoi finir l'épisode
        self._asked = 0  # pas demandés, permis ou non
        self._over = True
        self._seeds: list = []

    @property
    def was_played(self) -> bool:
        """Dit si l'on y a fait au moins un départ."""
        return bool(self._seeds)

    @property
    def gives_same_seed(self) -> bool:
        """Dit si l'on a redonné au moins deux fois la graine du départ précédent."""
        pairs = zip(self._seeds, self._seeds[1:], strict=False)
        return sum(one is not None and one == other for one, other in pairs) >= 2

    def reset(self, *, seed=None, options=None):
        self._seeds.append(seed if isinstance(seed, int) else None)
        self._refuse_beyond(len(self._seeds))
        self._over = False
        return super().reset(seed=seed, options=options)

    def step(self, action):
        self._asked += 1
        self._refuse_beyond(self._asked)
        if self._over:
            raise RuntimeError("L'épisode est fini : appelez `env.reset()` avant de rejouer.")
        actions = range(self.action_space.n)
        if np.ndim(action) or action not in actions:
            known = " ou ".join(map(str, actions))
            raise ValueError(f"action doit être {known} : {shown(action)} reçu.")
        observation, reward, terminated, truncated, info = super().step(int(action))
        self._over = terminated or truncated
        return observation, reward, terminated, truncated, info

    def _refuse_beyond(self, count: int) -> None:
        if count > self._limit:
            raise _TooManyStepsError("vous jouez bien plus de pas qu'on ne vous en donne.")


class _TooManyStepsError(BaseException):
    """La réponse joue sans fin ; ce n'est pas une Exception, qu'elle pourrait taire."""


def _run(dqn: DQN, env: _Watched, call: Callable[[], object], steps: int) -> tuple[object, str]:
    """Rend ce que donne `call`, en silence, ou ce qui l'a arrêté."""
    came = contained(lambda _: call(), None, seconds=PATIENCE * steps)
    if came.is_hole or came.kind == _Blank.__name__:  # PyTorch lève aussi NotImplementedError
        played = "l'erreur NotImplementedError, ou rien n'est rendu"
        return None, played if env.was_played else BLANK
    return came.value, located(dqn, came)


def _read(q: Callable, observations: np.ndarray, actions: int) -> np.ndarray:
    """Rend les valeurs (N, A) que `q` donne aux `observations` (N, D)."""
    if q is None or q is ...:
        raise _Blank
    if not callable(q):
        raise TypeError(f"dqn doit rendre une fonction q : {shown(q)} reçu.")
    values = q(observations)
    values = np.asarray(values.detach() if hasattr(values, "detach") else values)
    expected = (len(observations), actions)
    if values.shape != expected:
        raise ValueError(f"q doit rendre {expected} valeurs : {values.shape} reçu.")
    return values.astype(float)


class _Blank(Exception):
    """Rien n'est encore écrit."""


# Juger


def _world_verdict(one: Attempt, attempts: Sequence[Attempt]) -> Verdict:
    text = f"{one.world.name} : {one.world.text}"
    if one.passed:
        return Verdict(text, True)
    return Verdict(
        text,
        False,
        f"gamma = {number(WORLD_GAMMA, 1)}, {number(WORLD_STEPS)} pas, graine = {one.seed}",
        one.told or f"Q = {shown(one.values)}",
        f"Q = {shown(one.expected)}",
        *_explained(one, attempts),
    )


def _explained(one: Attempt, attempts: Sequence[Attempt]) -> tuple[str, str]:
    """Rend l'indice de la faute qui mène à ces valeurs, ici puis dans le plus de mondes, et où le
    cours en traite."""
    if one.world.sizes != CARTPOLE_SIZES and _errs_with_other_sizes_only(attempts):
        return SIZES.told
    if one.told:
        return ERROR.told
    if one.same_seed:
        return SAME_SEED.told
    alike = [
        fault
        for fault in FAULTS
        if _agrees(fault, one) and all(_agrees(fault, other) for other in attempts if other.passed)
    ]
    if not alike:
        return one.world.hint, ""
    best = max(alike, key=lambda fault: _resemblance(fault, attempts))
    return MISCONCEPTIONS[best.name].told


def _errs_with_other_sizes_only(attempts: Sequence[Attempt]) -> bool:
    """Dit si les erreurs, une au moins, ne viennent que dans des mondes d'une autre taille."""
    return {one.world.sizes == CARTPOLE_SIZES for one in attempts if one.told} == {False}


def _agrees(fault: Fault, one: Attempt) -> bool:
    """Dit si, dans ce monde, la faute mène à ce que l'on a trouvé."""
    return one.gap_to(_led_to(fault, one)) <= ALIKE


def _led_to(fault: Fault, one: Attempt) -> np.ndarray:
    """Rend les valeurs (P, A) où mène la faute.

    Des actions confondues prennent une valeur commune, qui dépend de ce que l'on a joué : on la
    lit alors dans ce que l'on a trouvé.
    """
    values = _foretold(fault, one.world)
    if fault.name != TOGETHER or one.values is None:
        return values
    low, high = one.expected.min(axis=1, keepdims=True), one.expected.max(axis=1, keepdims=True)
    common = np.clip(one.values, low, high).mean(axis=1, keepdims=True)
    return np.where(np.isfinite(common) & (high > low), common, values)


@lru_cache(maxsize=len(FAULTS) * 8)
def _foretold(fault: Fault, world: World) -> np.ndarray:
    """Rend les valeurs (P, A) où mène la faute ; chaque compte rendu les redemande."""
    return fault.values(world, WORLD_GAMMA)


def _resemblance(fault: Fault, attempts: Sequence[Attempt]) -> tuple[int, float]:
    """Rend le nombre de mondes où la faute mène à ce que l'on a trouvé, puis à quel point."""
    gaps = [one.gap_to(_led_to(fault, one)) for one in attempts]
    near = [gap for gap in gaps if gap <= ALIKE]
    return len(near), -sum(near)


def _same_again(dqn: DQN, first: Attempt) -> Verdict:
    """Refait le premier essai, même monde et même graine : rien ne doit changer."""
    second = attempt(dqn, first.world, first.seed)
    text = "graine : la même graine refait le même apprentissage"
    if second.values is not None and _gap(first.values, second.values) <= 1e-6:
        return Verdict(text, True)
    return Verdict(
        text,
        False,
        f"{first.world.name}, deux fois la graine {first.seed}",
        second.told or f"Q = {shown(first.values)}, puis {shown(second.values)}",
        "deux fois les mêmes valeurs",
        *NO_SEED.told,
    )


def _on(game: Game, dqn: DQN, seeds: Sequence[int]) -> Iterator[Verdict]:
    """Entraîne `dqn` dans un jeu, graine après graine, et juge à chaque fois ce qui est fait."""
    means: list[float] = []
    for seed in seeds:
        env = _Watched(gymnasium.make(game.env), game.steps)
        mean, told = _run(dqn, env, partial(_score, game, dqn, env, seed), game.steps)
        env.close()
        if mean is None:
            yield _game_verdict(game, means, len(seeds), told)
            return
        means.append(mean)
        yield _game_verdict(game, means, len(seeds))


def _score(game: Game, dqn: DQN, env: gymnasium.Env, seed: int) -> float:
    """Entraîne `dqn`, et rend son retour moyen, sans hasard, sur des départs neufs."""
    q, actions = dqn(env, game.gamma, game.steps, seed), int(env.action_space.n)
    policy = partial(_greedy, q, actions)
    return float(evaluate(policy, EPISODES, env=game.env).mean())


def _greedy(q: Callable, actions: int, observations: np.ndarray) -> np.ndarray:
    return _read(q, observations, actions).argmax(axis=1)


def _game_verdict(game: Game, means: Sequence[float], total: int, told: str = "") -> Verdict:
    solved, wanted = sum(mean >= game.threshold for mean in means), number(game.threshold)
    text = f"{game.name} : {solved} graine{'s' * (solved > 1)} sur {len(means)} à {wanted} ou plus"
    if means:
        low, high = (100 * bound for bound in wilson_interval(solved, len(means)))
        text += f" (intervalle à 95 % : de {number(low)} à {number(high)} %)"
    scores = ", ".join(number(mean) for mean in means)
    given = f"gamma = {number(game.gamma, 2)}, {number(game.steps)} pas"
    return Verdict(
        text,
        not told and 2 * solved > len(means),
        f"{given}, {len(means)} graines sur {total}",
        told or f"retours moyens {scores}",
        f"{wanted} avec plus de la moitié des graines",
        *(ERROR.told if told else (game.hint,)),
    )


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    """Rend le plus grand écart, infini s'il n'est pas un nombre."""
    gap = np.abs(one - other).max()
    return float(gap) if np.isfinite(gap) else np.inf
