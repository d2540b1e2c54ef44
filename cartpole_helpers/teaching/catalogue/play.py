"""Jouer pas à pas, carnets 05 et 06 : le calendrier, les transitions à garder, l'évaluation."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from cartpole_helpers.teaching.checking import Exercise, Mistake, Property

# Quand apprendre, quand copier (05)


def calendrier(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    """Rend deux booléens : s'il faut apprendre à ce pas, et s'il faut recopier le réseau cible.

    `pas` : le numéro du pas, à partir de 1 ; `souvenirs` : le nombre de transitions en mémoire ;
    `lot` : combien il en faut au moins pour apprendre. On apprend tous les `apprendre_tous_les`
    pas, dès que la mémoire le permet ; on copie tous les `copier_tous_les` pas, quoi qu'il arrive.
    """
    apprendre = souvenirs >= lot and pas % apprendre_tous_les == 0
    copier = pas % copier_tous_les == 0
    return apprendre, copier


def _flags(answer: Callable, *arguments):
    """Rend ce que rend la réponse ; une liste y vaut un tuple, un booléen de NumPy un autre."""
    value = answer(*arguments)
    if not isinstance(value, tuple | list):
        return value
    return tuple(one.item() if isinstance(one, np.generic) else one for one in value)


def _time_to_learn(_) -> Iterator[tuple]:
    yield 8, 500, 64, 4, 50
    yield 8, 500, 30, 4, 50
    yield 9, 500, 64, 4, 50
    yield 2, 500, 64, 4, 50


def _filling(_) -> Iterator[tuple]:
    yield 40, 40, 64, 4, 30
    yield 80, 63, 64, 4, 30
    yield 12, 192, 256, 4, 50


def _just_enough(_) -> Iterator[tuple]:
    yield 64, 64, 64, 4, 50


def _time_to_copy(_) -> Iterator[tuple]:
    yield 100, 500, 64, 8, 50
    yield 101, 500, 64, 8, 50
    yield 200, 500, 64, 8, 50
    yield 40, 20, 64, 4, 20


def _any_schedule(generator: np.random.Generator) -> Iterator[tuple]:
    for learns in (True, False):
        for copies in (True, False):
            every, period = int(generator.integers(2, 6)), int(generator.integers(7, 12))
            step = every * period * int(generator.integers(1, 9))
            step += 0 if learns and copies else every if learns else period if copies else 1
            yield step, 10 * step, 32, every, period


def _scheduled(schedule: Callable) -> Callable:
    """Rend le calendrier `schedule(assez, reste à apprendre, reste à copier)`."""

    def answer(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
        return schedule(souvenirs >= lot, pas % apprendre_tous_les, pas % copier_tous_les)

    return answer


def _enough(memory: Callable) -> Callable:
    """Rend le calendrier où `memory(pas, souvenirs, lot)` dit si la mémoire permet d'apprendre."""

    def answer(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
        learn, copy = pas % apprendre_tous_les == 0, pas % copier_tous_les == 0
        return memory(pas, souvenirs, lot) and learn, copy

    return answer


def _periods_swapped(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return calendrier(pas, souvenirs, lot, copier_tous_les, apprendre_tous_les)


def _copies_counted_in_updates(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return calendrier(pas, souvenirs, lot, apprendre_tous_les, apprendre_tous_les * copier_tous_les)


def _division_swapped(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    learn, copy = apprendre_tous_les % pas == 0, copier_tous_les % pas == 0
    return souvenirs >= lot and learn, copy


def _whole_division(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    learn, copy = pas // apprendre_tous_les > 0, pas // copier_tous_les > 0
    return souvenirs >= lot and learn, copy


def _from_zero(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return calendrier(pas - 1, souvenirs, lot, apprendre_tous_les, copier_tous_les)


def _copies_counted_in_memories(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    learn = souvenirs >= lot and pas % apprendre_tous_les == 0
    return learn, souvenirs % copier_tous_les == 0


def _learns_only(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return souvenirs >= lot and pas % apprendre_tous_les == 0


def _schedule_with_not(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    return not (souvenirs < lot or pas % apprendre_tous_les), not pas % copier_tous_les


def _schedule_with_if(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    learn = copy = False
    if souvenirs > lot - 1 and pas == apprendre_tous_les * (pas // apprendre_tous_les):
        learn = True
    if divmod(pas, copier_tous_les)[1] == 0:
        copy = True
    return [learn, copy]


def _schedule_with_numpy(pas, souvenirs, lot, apprendre_tous_les, copier_tous_les):
    learn, copy = np.mod(pas, [apprendre_tous_les, copier_tous_les]) == 0
    return learn & (souvenirs >= lot), copy


SCHEDULE = Exercise(
    calendrier,
    (
        Property(
            "la mémoire pleine, apprend à intervalles réguliers",
            _time_to_learn,
            "On apprend quand le numéro du pas est un multiple de apprendre_tous_les.",
            _flags,
        ),
        Property(
            "n'apprend pas tant que la mémoire ne peut pas remplir un lot",
            _filling,
            "Comparez le nombre de souvenirs à la taille du lot.",
            _flags,
        ),
        Property(
            "apprend dès qu'il y a juste de quoi remplir un lot",
            _just_enough,
            "Autant de souvenirs que la taille du lot : cela suffit.",
            _flags,
        ),
        Property(
            "copie à intervalles réguliers, que l'on apprenne ou non",
            _time_to_copy,
            "La copie ne dépend que du numéro du pas.",
            _flags,
        ),
        Property(
            "vaut pour toutes les cadences",
            _any_schedule,
            "Deux questions séparées : chacune a son intervalle.",
            _flags,
        ),
    ),
    (
        Mistake(
            "apprendre avant d'avoir un lot",
            _enough(lambda step, kept, batch: True),
            "Vous apprenez avant que la mémoire n'ait de quoi remplir un lot.",
        ),
        Mistake(
            "la mémoire à l'envers",
            _enough(lambda step, kept, batch: kept < batch),
            "Le test de la mémoire est à l'envers : vous n'apprenez que si elle est trop vide.",
        ),
        Mistake(
            "un souvenir de trop",
            _enough(lambda step, kept, batch: kept > batch),
            "Vous attendez un souvenir de trop : `souvenirs >= lot` suffit.",
        ),
        Mistake(
            "le pas au lieu des souvenirs",
            _enough(lambda step, kept, batch: step >= batch),
            "Vous comparez le numéro du pas au lot : c'est le nombre de souvenirs qui compte.",
        ),
        Mistake(
            "une mémoire multiple du lot",
            _enough(lambda step, kept, batch: kept % batch == 0),
            "Vous n'apprenez que si le nombre de souvenirs est un multiple du lot : il suffit "
            "d'autant.",
        ),
        Mistake(
            "apprendre à chaque pas",
            _scheduled(lambda enough, learn, copy: (enough, copy == 0)),
            "Vous apprenez à chaque pas : où sert apprendre_tous_les ?",
        ),
        Mistake(
            "ou au lieu de et",
            _scheduled(lambda enough, learn, copy: (enough or learn == 0, copy == 0)),
            "Pour apprendre, il faut les deux, `and` : assez de souvenirs, et le bon pas.",
        ),
        Mistake(
            "jamais de copie",
            _scheduled(lambda enough, learn, copy: (enough and learn == 0, False)),
            "Vous ne copiez jamais : le réseau cible reste celui du départ.",
        ),
        Mistake(
            "une copie à chaque pas",
            _scheduled(lambda enough, learn, copy: (enough and learn == 0, True)),
            "Vous copiez à chaque pas : autant ne pas avoir de réseau cible.",
        ),
        Mistake(
            "une copie à chaque apprentissage",
            _scheduled(lambda enough, learn, copy: (enough and learn == 0,) * 2),
            "Vous copiez chaque fois que vous apprenez : où sert copier_tous_les ?",
        ),
        Mistake(
            "copier seulement quand on apprend",
            _scheduled(
                lambda enough, learn, copy: (
                    enough and learn == 0,
                    enough and learn == 0 and copy == 0,
                )
            ),
            "Vous ne copiez que si l'on apprend au même pas : des copies se perdent.",
        ),
        Mistake(
            "copier seulement quand on n'apprend pas",
            _scheduled(
                lambda enough, learn, copy: (
                    enough and learn == 0,
                    not (enough and learn == 0) and copy == 0,
                )
            ),
            "Votre copie est dans un `else` : les deux peuvent tomber au même pas.",
        ),
        Mistake(
            "copier seulement si la mémoire est assez remplie",
            _scheduled(lambda enough, learn, copy: (enough and learn == 0, enough and copy == 0)),
            "Votre copie attend la mémoire : la consigne la veut à son pas, quoi qu'il arrive.",
        ),
        Mistake(
            "les intervalles échangés",
            _periods_swapped,
            "Les deux intervalles sont échangés : apprendre_tous_les règle l'apprentissage.",
        ),
        Mistake(
            "les réponses échangées",
            _scheduled(lambda enough, learn, copy: (copy == 0, enough and learn == 0)),
            "Vos deux réponses sont échangées : apprendre d'abord, copier ensuite.",
        ),
        Mistake(
            "des copies comptées en apprentissages",
            _copies_counted_in_updates,
            "Vous comptez les copies en apprentissages : copier_tous_les est en pas.",
        ),
        Mistake(
            "des copies comptées en souvenirs",
            _copies_counted_in_memories,
            "Vous comptez les copies en souvenirs : c'est le numéro du pas qui compte.",
        ),
        Mistake(
            "le reste pris à l'envers",
            _division_swapped,
            "Le reste est à l'envers : divisez le pas par l'intervalle, `pas % intervalle`.",
        ),
        Mistake(
            "la division au lieu du reste",
            _whole_division,
            "`//` est la division entière : le reste s'écrit `%`.",
        ),
        Mistake(
            "vrai hors des multiples",
            _scheduled(lambda enough, learn, copy: (enough and learn != 0, copy != 0)),
            "C'est à l'envers : un reste non nul veut dire que ce n'est pas le moment.",
        ),
        Mistake(
            "les restes eux-mêmes",
            _scheduled(lambda enough, learn, copy: (learn, copy)),
            "Vous rendez des restes : comparez-les à 0 pour en faire des booléens.",
        ),
        Mistake(
            "un pas de retard",
            _from_zero,
            "Vous êtes un pas en retard : le pas n est un multiple quand `pas % n` vaut 0.",
        ),
        Mistake(
            "une seule réponse",
            _learns_only,
            "Vous ne rendez qu'un booléen : il en faut deux, apprendre et copier.",
        ),
    ),
    (_schedule_with_not, _schedule_with_if, _schedule_with_numpy),
)


# Un jeu minuscule, dont on sait tout

FALL, CLOCK, BOTH = "chute", "chronomètre", "chute au chronomètre"


class Script(NamedTuple):
    """Ce que seront les épisodes d'un jeu, l'un après l'autre, puis de nouveau le premier."""

    episodes: tuple[tuple[int, str], ...]  # (pas, fin)

    def __repr__(self) -> str:
        return f"<{', '.join(f'{steps} pas puis {end}' for steps, end in self.episodes)}>"


class ScriptedGame(gymnasium.Env):
    """Un jeu dont le texte est écrit d'avance ; il retient ce qu'on lui demande.

    Une observation (4,) en float32 dit l'épisode, numéroté à partir de 1, le pas, 0 au départ, un
    nombre tiré au départ d'après la graine, et 0. L'action 1 rapporte 2,5, l'action 0 en rapporte
    0,5. RuntimeError si l'on joue après la fin, `ResetNeeded` avant le départ.
    """

    action_space = gymnasium.spaces.Discrete(2)
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,), np.float32)
    REWARDS: ClassVar = (0.5, 2.5)

    def __init__(self, script: Script):
        self.script, self.elapsed, self.ended = script, 0, False
        self.starts, self.played = [], []

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
        self._check(action)
        length, end = self.script.episodes[(self.episode - 1) % len(self.script.episodes)]
        self.played.append((self.elapsed, int(action)))
        self.elapsed += 1
        self.ended = self.elapsed >= length
        flags = self.ended and end in (FALL, BOTH), self.ended and end in (CLOCK, BOTH)
        return self.observation, self.REWARDS[int(action)], *flags, {}

    @property
    def episode(self) -> int:
        """Le numéro de l'épisode, 0 avant le premier départ."""
        return len(self.starts)

    @property
    def observation(self) -> np.ndarray:
        """L'observation du moment (4,)."""
        return np.array([self.episode, self.elapsed, self.starts[-1], 0], np.float32)

    def _check(self, action) -> None:
        if not self.episode:
            raise ResetNeeded("step appelé avant reset.")
        if self.ended:
            raise RuntimeError("step appelé après la fin de l'épisode : il fallait reset.")
        if np.ndim(action) or action not in (0, 1):
            raise ValueError(f"action doit valoir 0 ou 1 : {action!r} reçu.")


class Rule:
    """Une politique (N, 4) → (N,) qui pousse à droite un pas sur trois, à partir du premier."""

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Rend les actions (N,) ; TypeError si la forme n'est pas (N, 4)."""
        if np.ndim(observations) != 2:
            raise TypeError(f"observations doit être (N, 4) : {np.shape(observations)} reçu.")
        return (np.asarray(observations)[:, 1] % 3 == 0).astype(int)

    def __deepcopy__(self, memo: dict) -> "Rule":
        return self  # la même politique d'un cas à l'autre

    def __repr__(self) -> str:
        return "<à droite un pas sur trois>"


RULE = Rule()


class Listener:
    """La politique `rule`, qui retient si on l'interroge sur l'observation du moment."""

    def __init__(self, rule: Callable, game: ScriptedGame):
        self.rule, self.game, self.is_late = rule, game, False

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """Rend les actions (N,)."""
        actions = self.rule(observations)
        episode, step, *_ = observations[-1]
        self.is_late |= (episode, step) != (self.game.episode, self.game.elapsed)
        return actions

    def told(self) -> str:
        """Dit d'où viennent les actions jouées."""
        if self.is_late:
            return "des actions choisies d'après une observation passée"
        steps, actions = np.array(self.game.played).reshape(-1, 2).T
        wrong = np.mean(self.rule(steps[:, None].repeat(4, axis=1)) != actions)
        if wrong == 0:
            return "les actions de la politique"
        often = "parfois" if wrong < 0.25 else "souvent" if wrong < 0.75 else "presque toujours"
        return f"{often} d'autres actions que celles de la politique"


def _watched(look: Callable) -> Callable:
    """Rend la vue qui fait jouer la réponse, puis donne `look(liste, jeu, politique)`."""

    def view(answer, rule, script, count, seed):
        game = ScriptedGame(script)
        listener = Listener(rule, game)
        value = answer(listener, game, count, seed)
        if value is None or value is ...:
            return "rien : il manque un return" if game.starts else None
        if not np.iterable(value):
            return _not_a_list(value)
        return look(list(value), game, listener)

    return view


def _not_a_list(value) -> str:
    one = np.asarray(value)
    return f"un seul nombre, {one:.6g}" if one.dtype.kind in "iuf" else "autre chose qu'une liste"


def _origin(answer: Callable, rule: Callable, script: Script, count: int, seed: int) -> str | None:
    """Dit ce que les départs doivent à la graine."""

    def starts(one: int) -> list[float]:
        game = ScriptedGame(script)
        answer(rule, game, count, one)
        return game.starts

    first, again, other = starts(seed), starts(seed), starts(seed + 1_000)
    if not first:
        return None
    if first != again:
        return "d'autres départs pour la même graine"
    if len(first) > 1 and len(set(first)) == 1:
        return "le même départ à chaque épisode"
    if set(first) & set(other):
        return "les mêmes départs, quelle que soit la graine"
    return "des départs différents, que la graine suffit à refaire"


_choices = _watched(lambda value, game, listener: listener.told())


def _any_script(generator: np.random.Generator) -> Script:
    """Rend quatre épisodes, dont un de chaque sorte."""
    ends = generator.permutation([FALL, CLOCK, BOTH, FALL])
    return Script(tuple((int(generator.integers(1, 7)), str(end)) for end in ends))


def _seed(generator: np.random.Generator | None) -> int:
    return int(generator.integers(1, 900)) if generator else 7


# Garder les transitions (05)


def jouer(politique, env, pas, graine):
    """Joue `pas` pas dans `env`, d'un épisode à l'autre, et rend la liste de leurs transitions.

    Chacune est un tuple `(observation, action, recompense, terminated, suivante)`, où `suivante`
    est l'état où l'action a mené, même à la fin d'un épisode. `politique` reçoit des observations
    (N, 4) et rend des actions (N,). `graine` suffit à tout refaire ; les départs diffèrent.
    """
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        suivante, recompense, terminated, truncated, _ = env.step(action)
        transitions.append((observation, action, recompense, terminated, suivante))
        observation = env.reset()[0] if terminated or truncated else suivante
    return transitions


def _fields(look: Callable) -> Callable:
    """Rend la vue qui donne `look(transition)` de chacune ; elles ont cinq champs."""

    def all_of(transitions, game, listener):
        wrong = Counter(len(one) for one in transitions if len(one) != 5)
        if wrong:
            return f"des transitions de {min(wrong)} champs"
        return tuple(look(*one) for one in transitions)

    return _watched(all_of)


def _place(observation) -> str:
    """Rend le nom d'une observation : son épisode, puis son pas."""
    episode, step, *_ = np.asarray(observation)
    return f"{episode:.0f}·{step:.0f}"


def _link(observation, action, reward, terminated, following) -> str:
    return f"{_place(observation)} → {_place(following)}"


def _play_case(steps: int, *episodes: tuple[int, str]) -> Callable:
    return lambda generator: iter([(RULE, Script(episodes), steps, _seed(generator))])


def _three_ends(generator: np.random.Generator) -> Iterator[tuple]:
    yield RULE, Script(((2, CLOCK), (2, FALL), (2, BOTH))), 6, _seed(generator)
    yield RULE, Script(((2, BOTH), (3, FALL))), 4, _seed(generator)


def _any_play(generator: np.random.Generator) -> Iterator[tuple]:
    for _ in range(3):
        yield RULE, _any_script(generator), int(generator.integers(12, 30)), _seed(generator)


_links = _fields(_link)
_ends = _fields(lambda o, a, r, terminated, s: np.asarray(terminated).item())
_gains = _fields(lambda o, action, reward, t, s: (int(action), float(reward)))
_whole = _fields(lambda o, a, r, t, s: (_link(o, a, r, t, s), int(a), float(r), bool(t)))
_amount = _watched(lambda transitions, game, listener: {"transitions": len(transitions)})

PLAY_PROPERTIES = (
    Property(
        "rend une transition par pas",
        _play_case(3, (9, FALL)),
        "Une transition par pas, dans une liste que l'on rend à la fin.",
        _amount,
    ),
    Property(
        "relie chaque observation à la suivante",
        _play_case(3, (9, FALL)),
        "L'observation d'un pas est la suivante du pas d'avant.",
        _links,
    ),
    Property(
        "après une chute, garde la vraie suivante, puis recommence",
        _play_case(4, (2, FALL), (5, FALL)),
        "Rangez la transition avant de recommencer : sa suivante est l'état de la chute.",
        _links,
    ),
    Property(
        "au chronomètre, recommence aussi",
        _play_case(4, (2, CLOCK), (5, FALL)),
        "L'un ou l'autre drapeau oblige à recommencer.",
        _links,
    ),
    Property(
        "ne garde pour une fin que la chute",
        _three_ends,
        "Le quatrième champ est terminated seul : le chronomètre n'est pas une fin.",
        _ends,
    ),
    Property(
        "joue ce que choisit la politique",
        _play_case(300, (5, CLOCK)),
        "L'action est celle de la politique, pour l'observation du moment.",
        _choices,
    ),
    Property(
        "garde l'action jouée et la récompense reçue",
        _play_case(4, (9, FALL)),
        "L'action et la récompense sont celles de ce pas, telles quelles.",
        _gains,
    ),
    Property(
        "part chaque fois d'ailleurs, et se refait avec la même graine",
        _play_case(12, (2, FALL), (3, CLOCK)),
        "La graine ne sert qu'au premier `reset` : les suivants continuent le même hasard.",
        _origin,
    ),
    Property(
        "vaut pour toute suite d'épisodes",
        _any_play,
        "Jouer, ranger, recommencer s'il le faut : dans cet ordre, à chaque pas.",
        _whole,
    ),
)


def _choose(politique, observation, env):
    return politique(observation[None])[0]


def _keep(observation, action, reward, terminated, truncated, following):
    return observation, action, reward, terminated, following


def _either(terminated, truncated):
    return terminated or truncated


def _player(
    first: Callable = lambda seed: {"seed": seed},
    again: Callable = lambda seed: {},
    over: Callable = _either,
    keep: Callable = _keep,
    choose: Callable = _choose,
    count: Callable = lambda steps: steps,
) -> Callable:
    """Rend la façon de jouer où l'un de ces gestes est changé."""

    def answer(politique, env, pas, graine):
        transitions = []
        observation, _ = env.reset(**first(graine))
        for _ in range(count(pas)):
            action = choose(politique, observation, env)
            following, reward, terminated, truncated, _ = env.step(action)
            transitions.append(keep(observation, action, reward, terminated, truncated, following))
            ended = over(terminated, truncated)
            observation = env.reset(**again(graine))[0] if ended else following
        return transitions

    return answer


def _reset_before_keeping(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            following, _ = env.reset()
        transitions.append((observation, action, reward, terminated, following))
        observation = following
    return transitions


def _across_episodes(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        transitions.append((observation, action, reward, terminated, following))
        if terminated or truncated:
            env.reset()
        observation = following
    return transitions


def _moved_before_keeping(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        observation = following
        transitions.append((observation, action, reward, terminated, following))
        if terminated or truncated:
            observation, _ = env.reset()
    return transitions


def _never_moved(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        transitions.append((observation, action, reward, terminated, following))
        if terminated or truncated:
            observation, _ = env.reset()
    return transitions


def _reward_of_the_step_before(politique, env, pas, graine):
    transitions, reward, terminated = [], 0.0, False
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action, previous = politique(observation[None])[0], (reward, terminated)
        following, reward, terminated, truncated, _ = env.step(action)
        transitions.append((observation, action, *previous, following))
        observation = env.reset()[0] if terminated or truncated else following
    return transitions


def _running_total(politique, env, pas, graine):
    total, transitions = 0.0, []
    for observation, action, reward, terminated, following in jouer(politique, env, pas, graine):
        total += reward
        transitions.append((observation, action, total, terminated, following))
        total = 0.0 if terminated else total
    return transitions


def _last_steps_lost(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation, _ = env.reset()
            continue
        transitions.append((observation, action, reward, terminated, following))
        observation = following
    return transitions


def _whole_episodes(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        ended = False
        while not ended:
            action = politique(observation[None])[0]
            following, reward, terminated, truncated, _ = env.step(action)
            transitions.append((observation, action, reward, terminated, following))
            observation, ended = following, terminated or truncated
        observation, _ = env.reset()
    return transitions


def _one_episode(politique, env, pas, graine):
    transitions = []
    observation, _ = env.reset(seed=graine)
    for _ in range(pas):
        action = politique(observation[None])[0]
        following, reward, terminated, truncated, _ = env.step(action)
        transitions.append((observation, action, reward, terminated, following))
        observation = following
        if terminated or truncated:
            break
    return transitions


def _reset_at_each_step(politique, env, pas, graine):
    transitions = []
    for _ in range(pas):
        observation, _ = env.reset(seed=graine)
        action = politique(observation[None])[0]
        following, reward, terminated, _, _ = env.step(action)
        transitions.append((observation, action, reward, terminated, following))
    return transitions


def _no_return(politique, env, pas, graine):
    jouer(politique, env, pas, graine)


def _last_one(politique, env, pas, graine):
    return jouer(politique, env, pas, graine)[-1:]


def _no_first_reset(politique, env, pas, graine):
    following, *_ = env.step(politique(np.zeros((1, 4)))[0])
    return [(following, 0, 1.0, False, following)] * pas


def _sometimes(share: float) -> Callable:
    """Rend le choix qui, `share` fois sur une, est tiré au hasard."""
    generator = np.random.default_rng()

    def choose(politique, observation, env):
        chosen = politique(observation[None])[0]
        return int(generator.integers(2)) if generator.random() < share else chosen

    return choose


def _opposite(politique, observation, env):
    return 1 - politique(observation[None])[0]


def _alone(politique, observation, env):
    return politique(observation)


def _still_an_array(politique, observation, env):
    return politique(observation[None])


def _play_with_while(politique, env, pas, graine):
    transitions, ended = [], True
    env.reset(seed=graine)
    while len(transitions) < pas:
        if ended:
            observation = env.reset()[0]
        action = int(politique(np.array([observation]))[0])
        following, reward, fallen, late, _ = env.step(action)
        transitions.append([observation, action, reward, fallen, following])
        observation, ended = following, fallen or late
    return transitions


def _play_with_seeds(politique, env, pas, graine):
    episode, transitions = 0, []
    observation = env.reset(seed=graine)[0].copy()
    for step in range(1, pas + 1):
        action = politique(observation.reshape(1, 4)).item()
        following, reward, terminated, truncated, _ = env.step(action)
        transitions += [(observation.copy(), action, reward, int(terminated) == 1, following)]
        observation = following
        if (terminated or truncated) and step < pas:
            episode += 1
            observation = env.reset(seed=graine + episode)[0]
    return tuple(transitions)


PLAY = Exercise(
    jouer,
    PLAY_PROPERTIES,
    (
        Mistake(
            "aucun reset au départ",
            _no_first_reset,
            "Vous jouez avant d'avoir commencé : il faut d'abord `env.reset`.",
        ),
        Mistake(
            "aucun nouveau départ",
            _player(over=lambda terminated, truncated: False),
            "Vous ne recommencez jamais : après une fin, il faut `env.reset()`.",
        ),
        Mistake(
            "recommencer après la chute seulement",
            _player(over=lambda terminated, truncated: terminated),
            "Vous ne recommencez qu'après une chute : le chronomètre y oblige aussi.",
        ),
        Mistake(
            "recommencer au chronomètre seulement",
            _player(over=lambda terminated, truncated: truncated),
            "Vous ne recommencez qu'au chronomètre : la chute y oblige aussi.",
        ),
        Mistake(
            "recommencer si les deux sont vrais",
            _player(over=lambda terminated, truncated: terminated and truncated),
            "Vous ne recommencez que si les deux drapeaux sont vrais : un seul suffit.",
        ),
        Mistake(
            "recommencer à chaque pas",
            _reset_at_each_step,
            "Vous recommencez à chaque pas : le premier `reset` est avant la boucle.",
        ),
        Mistake(
            "le nouveau départ pour suivante",
            _reset_before_keeping,
            "Vous recommencez avant de ranger : la suivante est alors le départ d'un autre "
            "épisode.",
        ),
        Mistake(
            "un lien d'un épisode à l'autre",
            _across_episodes,
            "Après `env.reset()`, vous gardez l'ancienne observation : prenez celle qu'il rend.",
        ),
        Mistake(
            "avancer avant de ranger",
            _moved_before_keeping,
            "Vous avancez avant de ranger : l'observation est déjà la suivante.",
        ),
        Mistake(
            "ne jamais avancer",
            _never_moved,
            "Vous n'avancez pas : la suivante doit devenir l'observation du pas d'après.",
        ),
        Mistake(
            "deux fois l'observation",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, te, o)),
            "Vous rangez deux fois l'observation : la suivante est perdue.",
        ),
        Mistake(
            "les observations échangées",
            _player(keep=lambda o, a, r, te, tr, s: (s, a, r, te, o)),
            "L'observation et la suivante sont échangées : le temps irait à l'envers.",
        ),
        Mistake(
            "les champs dans l'ordre de l'environnement",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, s, r, te)),
            "Vos champs sont dans un autre ordre : la suivante vient en dernier.",
        ),
        Mistake(
            "done pour fin",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, te or tr, s)),
            "Vous rangez « done » : le chronomètre passe alors pour une chute.",
        ),
        Mistake(
            "le chronomètre pour fin",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, tr, s)),
            "Vous rangez truncated : c'est la chute, terminated, qui n'a pas de suite.",
        ),
        Mistake(
            "jamais de fin",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, False, s)),
            "Votre drapeau de fin est toujours faux : rangez terminated.",
        ),
        Mistake(
            "la fin, mais pas au chronomètre",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, te and not tr, s)),
            "Une chute au dernier pas reste une chute, même si le chronomètre sonne.",
        ),
        Mistake(
            "la fin en nombre",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, int(te), s)),
            "Votre drapeau de fin est un nombre : gardez le booléen.",
        ),
        Mistake(
            "la récompense oubliée",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, te, s)),
            "Vos transitions n'ont que quatre champs : la récompense y manque, ou la fin.",
        ),
        Mistake(
            "les deux drapeaux",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, r, te, tr, s)),
            "Vos transitions ont six champs : truncated ne s'y range pas.",
        ),
        Mistake(
            "la récompense en entier",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, np.int8(r), te, s)),
            "Vos récompenses sont gardées en entiers : 0,5 y devient 0. Gardez-les telles quelles.",
        ),
        Mistake(
            "la récompense fixée à 1",
            _player(keep=lambda o, a, r, te, tr, s: (o, a, 1.0, te, s)),
            "Vous rangez toujours 1 : gardez la récompense que rend l'environnement.",
        ),
        Mistake(
            "le total des récompenses",
            _running_total,
            "Vous rangez le total des récompenses : chaque transition n'a que la sienne.",
        ),
        Mistake(
            "la récompense du pas d'avant",
            _reward_of_the_step_before,
            "Vous rangez la récompense et la fin du pas d'avant : jouez d'abord, rangez ensuite.",
        ),
        Mistake(
            "l'action au contraire",
            _player(keep=lambda o, a, r, te, tr, s: (o, 1 - a, r, te, s)),
            "L'action rangée n'est pas celle que vous avez jouée.",
        ),
        Mistake(
            "le dernier pas perdu",
            _last_steps_lost,
            "Le dernier pas de chaque épisode manque : rangez-le avant de recommencer.",
        ),
        Mistake(
            "des épisodes au lieu de pas",
            _whole_episodes,
            "Vous jouez des épisodes entiers : `pas` compte des pas.",
        ),
        Mistake(
            "un seul épisode",
            _one_episode,
            "Vous vous arrêtez à la première fin : recommencez, jusqu'au nombre de pas demandé.",
        ),
        Mistake(
            "un pas de moins",
            _player(count=lambda steps: steps - 1),
            "Il manque un pas : `range(pas)` en fait déjà le bon nombre.",
        ),
        Mistake(
            "un pas de trop",
            _player(count=lambda steps: steps + 1),
            "Vous jouez un pas de trop : `range(pas)` suffit.",
        ),
        Mistake("la dernière seule", _last_one, "Vous ne rendez que la dernière transition."),
        Mistake(
            "rien n'est rendu", _no_return, "Vous ne rendez rien : il manque `return transitions`."
        ),
        Mistake(
            "parfois au hasard",
            _player(choose=_sometimes(0.1)),
            "Vous jouez parfois au hasard : c'est à la politique de choisir, ici.",
        ),
        Mistake(
            "toujours au hasard",
            _player(choose=_sometimes(1.0)),
            "Vous jouez au hasard : demandez l'action à la politique.",
        ),
        Mistake(
            "l'autre action",
            _player(choose=_opposite),
            "Vous jouez l'autre action que celle de la politique.",
        ),
        Mistake(
            "une observation sans son axe",
            _player(choose=_alone),
            "La politique attend un tableau (N, 4) : donnez-lui `observation[None]`.",
        ),
        Mistake(
            "une action encore en tableau",
            _player(choose=_still_an_array),
            "La politique rend un tableau (1,) : prenez-en le premier nombre, `[0]`.",
        ),
        Mistake(
            "la même graine à chaque départ",
            _player(again=lambda seed: {"seed": seed}),
            "Vous redonnez la graine à chaque `reset` : tous les épisodes partent du même état.",
        ),
        Mistake(
            "aucune graine",
            _player(first=lambda seed: {}),
            "La graine ne sert à rien : donnez-la au premier `reset`.",
        ),
        Mistake(
            "une graine fixe",
            _player(first=lambda seed: {"seed": 0}),
            "Votre graine est toujours la même : donnez à `reset` celle que l'on vous donne.",
        ),
    ),
    (_play_with_while, _play_with_seeds),
)


# Évaluer (06)


def evaluer(politique, env, episodes, graine):
    """Rend les retours (episodes,) de `politique` dans `env`, un départ différent par épisode.

    Le retour d'un épisode est la somme de ses récompenses. `politique` reçoit des observations
    (N, 4) et rend des actions (N,), jouées telles quelles ; `graine` suffit à tout refaire.
    """
    retours = np.zeros(episodes)
    for episode in range(episodes):
        observation, _ = env.reset(seed=graine if episode == 0 else None)
        fini = False
        while not fini:
            action = politique(observation[None])[0]
            observation, recompense, terminated, truncated, _ = env.step(action)
            retours[episode] += recompense
            fini = terminated or truncated
    return retours


_returns = _watched(
    lambda returns, game, listener: tuple(np.asarray(one).item() for one in returns)
)
_number = _watched(lambda returns, game, listener: {"retours": len(returns)})


def _any_evaluation(generator: np.random.Generator) -> Iterator[tuple]:
    for _ in range(3):
        yield RULE, _any_script(generator), int(generator.integers(3, 7)), _seed(generator)


def _clocks(generator: np.random.Generator) -> Iterator[tuple]:
    yield RULE, Script(((4, CLOCK), (2, CLOCK))), 2, _seed(generator)
    yield RULE, Script(((3, BOTH), (2, BOTH))), 2, _seed(generator)


EVALUATION_PROPERTIES = (
    Property(
        "rend un retour par épisode",
        _play_case(3, (1, FALL)),
        "Il faut un nombre par épisode, dans une liste ou un tableau.",
        _number,
    ),
    Property(
        "joue ce que choisit la politique, sans hasard",
        _play_case(3, (100, FALL)),
        "Évaluer, c'est jouer ce que choisit la politique pour l'observation du moment.",
        _choices,
    ),
    Property(
        "additionne les récompenses, celle de la chute comprise",
        _play_case(2, (3, FALL), (1, FALL)),
        "Le retour est la somme de toutes les récompenses de l'épisode.",
        _returns,
    ),
    Property(
        "s'arrête aussi au chronomètre",
        _clocks,
        "L'épisode finit à l'un ou à l'autre des deux drapeaux.",
        _returns,
    ),
    Property(
        "part chaque fois d'ailleurs, et se refait avec la même graine",
        _play_case(5, (2, FALL), (3, CLOCK)),
        "Une graine au premier `reset`, ou une différente à chacun.",
        _origin,
    ),
    Property(
        "vaut pour toute suite d'épisodes",
        _any_evaluation,
        "Recommencer, jouer jusqu'à la fin, additionner : une fois par épisode.",
        _returns,
    ),
)


def _evaluator(
    seeding: Callable = lambda seed, episode: {} if episode else {"seed": seed},
    over: Callable = _either,
    add: Callable = lambda total, reward, ended: total + reward,
    choose: Callable = _choose,
    count: Callable = lambda episodes: episodes,
    give: Callable = np.array,
) -> Callable:
    """Rend la façon d'évaluer où l'un de ces gestes est changé."""

    def answer(politique, env, episodes, graine):
        returns = []
        for episode in range(count(episodes)):
            observation, _ = env.reset(**seeding(graine, episode))
            total, ended = 0.0, False
            while not ended:
                action = choose(politique, observation, env)
                observation, reward, terminated, truncated, _ = env.step(action)
                ended = over(terminated, truncated)
                total = add(total, reward, ended)
            returns.append(total)
        return give(returns)

    return answer


def _first_observation(politique, env, episodes, graine):
    returns = []
    for episode in range(episodes):
        observation, _ = env.reset(seed=None if episode else graine)
        total, ended = 0.0, False
        while not ended:
            _, reward, terminated, truncated, _ = env.step(politique(observation[None])[0])
            total, ended = total + reward, terminated or truncated
        returns.append(total)
    return returns


def _never_back_to_zero(politique, env, episodes, graine):
    return np.cumsum(evaluer(politique, env, episodes, graine))


def _one_reset(politique, env, episodes, graine):
    observation, _ = env.reset(seed=graine)
    returns = []
    for _ in range(episodes):
        total, ended = 0.0, False
        while not ended:
            action = politique(observation[None])[0]
            observation, reward, terminated, truncated, _ = env.step(action)
            total, ended = total + reward, terminated or truncated
        returns.append(total)
    return returns


def _silent_evaluation(politique, env, episodes, graine):
    evaluer(politique, env, episodes, graine)


def _evaluation_with_seeds(politique, env, episodes, graine):
    returns = []
    for seed in range(1_000 * graine, 1_000 * graine + episodes):
        observation, terminated, truncated = env.reset(seed=seed)[0], False, False
        returns.append(0.0)
        while not (terminated or truncated):
            [action] = politique(np.stack([observation]))
            observation, reward, terminated, truncated, _ = env.step(action)
            returns[-1] += reward
    return returns


def _evaluation_with_breaks(politique, env, episodes, graine):
    env.reset(seed=graine)
    returns = []
    while len(returns) < episodes:
        observation, rewards = env.reset()[0], []
        while True:
            step = env.step(int(politique(observation.reshape(1, -1))[0]))
            observation = step[0]
            rewards.append(step[1])
            if any(step[2:4]):
                break
        returns.append(sum(rewards))
    return np.array(returns, np.float32)


EVALUATION = Exercise(
    evaluer,
    EVALUATION_PROPERTIES,
    (
        Mistake(
            "parfois au hasard",
            _evaluator(choose=_sometimes(0.1)),
            "Vous jouez parfois au hasard : on évalue sans exploration, ε vaut 0.",
        ),
        Mistake(
            "toujours au hasard",
            _evaluator(choose=_sometimes(1.0)),
            "Vous jouez au hasard : demandez l'action à la politique.",
        ),
        Mistake(
            "l'autre action",
            _evaluator(choose=_opposite),
            "Vous jouez l'autre action que celle de la politique.",
        ),
        Mistake(
            "la première observation",
            _first_observation,
            "Vous interrogez la politique sur l'observation du départ : gardez celle que rend "
            "`step`.",
        ),
        Mistake(
            "la même graine à chaque départ",
            _evaluator(seeding=lambda seed, episode: {"seed": seed}),
            "Vous redonnez la graine à chaque `reset` : tous les épisodes partent du même état.",
        ),
        Mistake(
            "aucune graine",
            _evaluator(seeding=lambda seed, episode: {}),
            "La graine ne sert à rien : personne ne pourra refaire cette évaluation.",
        ),
        Mistake(
            "le numéro de l'épisode pour graine",
            _evaluator(seeding=lambda seed, episode: {"seed": episode}),
            "Vos départs ne dépendent pas de la graine reçue : chacun jouerait les mêmes.",
        ),
        Mistake(
            "un seul épisode",
            _evaluator(count=lambda episodes: 1),
            "Vous ne jouez qu'un épisode : où sert leur nombre ?",
        ),
        Mistake(
            "un épisode de moins",
            _evaluator(count=lambda episodes: episodes - 1),
            "Il manque un épisode : `range(episodes)` en fait déjà le bon nombre.",
        ),
        Mistake(
            "un épisode de trop",
            _evaluator(count=lambda episodes: episodes + 1),
            "Vous jouez un épisode de trop : `range(episodes)` suffit.",
        ),
        Mistake(
            "la chute seulement",
            _evaluator(over=lambda terminated, truncated: terminated),
            "Vous n'attendez que la chute : un bon agent ne tombe pas, et la boucle serait sans "
            "fin.",
        ),
        Mistake(
            "le chronomètre seulement",
            _evaluator(over=lambda terminated, truncated: truncated),
            "Vous n'attendez que le chronomètre : la chute aussi finit l'épisode.",
        ),
        Mistake(
            "les deux fins à la fois",
            _evaluator(over=lambda terminated, truncated: terminated and truncated),
            "Vous attendez les deux drapeaux, `and` : un seul suffit.",
        ),
        Mistake(
            "aucun nouveau départ",
            _one_reset,
            "Vous ne recommencez pas entre deux épisodes : `reset` va dans la boucle.",
        ),
        Mistake(
            "la dernière récompense oubliée",
            _evaluator(add=lambda total, reward, ended: total if ended else total + reward),
            "Vous oubliez la dernière récompense : le pas de la chute rapporte aussi.",
        ),
        Mistake(
            "la dernière récompense seule",
            _evaluator(add=lambda total, reward, ended: reward),
            "Vous ne gardez que la dernière récompense : additionnez-les, `+=`.",
        ),
        Mistake(
            "des durées",
            _evaluator(add=lambda total, reward, ended: total + 1),
            "Vous comptez les pas : le retour est la somme des récompenses, qui peuvent différer "
            "de 1.",
        ),
        Mistake(
            "des récompenses entières",
            _evaluator(add=lambda total, reward, ended: total + int(reward)),
            "Vos récompenses sont arrondies en entiers : 0,5 y devient 0.",
        ),
        Mistake(
            "un total qui ne repart pas de zéro",
            _never_back_to_zero,
            "Votre total ne repart pas de zéro d'un épisode à l'autre.",
        ),
        Mistake(
            "la moyenne",
            _evaluator(give=np.mean),
            "Vous rendez la moyenne : un intervalle demande tous les retours. Rendez-les.",
        ),
        Mistake(
            "le meilleur",
            _evaluator(give=max),
            "Vous rendez le meilleur épisode : c'est le plus chanceux. Rendez-les tous.",
        ),
        Mistake(
            "la somme",
            _evaluator(give=sum),
            "Vous rendez la somme des épisodes : rendez leurs retours, un par un.",
        ),
        Mistake(
            "triés",
            _evaluator(give=sorted),
            "Ne triez pas les retours : le premier est celui du premier épisode.",
        ),
        Mistake(
            "rien n'est rendu",
            _silent_evaluation,
            "Vous ne rendez rien : il manque `return retours`.",
        ),
        Mistake(
            "une observation sans son axe",
            _evaluator(choose=_alone),
            "La politique attend un tableau (N, 4) : donnez-lui `observation[None]`.",
        ),
        Mistake(
            "une action encore en tableau",
            _evaluator(choose=_still_an_array),
            "La politique rend un tableau (1,) : prenez-en le premier nombre, `[0]`.",
        ),
    ),
    (_evaluation_with_seeds, _evaluation_with_breaks),
)

EXERCISES = (SCHEDULE, PLAY, EVALUATION)
