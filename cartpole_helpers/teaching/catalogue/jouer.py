"""Carnet 06 : jouer pas à pas, et garder les transitions."""

from collections.abc import Callable

import numpy as np

from cartpole_helpers.teaching.catalogue.scripted import any_case, case, choices, origin, watched
from cartpole_helpers.teaching.exercise import Exercise, Property


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


def fields(look: Callable) -> Callable:
    """Rend la vue qui donne `look(*champs)` de chaque transition ; elles en ont cinq."""

    @watched
    def all_of(transitions, game):
        wrong = {len(one) for one in transitions} - {5}
        if wrong:
            return f"des transitions de {min(wrong)} champs"
        return tuple(look(*one) for one in transitions)

    return all_of


def link(observation, action, reward, terminated, following) -> str:
    """Dit l'épisode et le pas d'une observation, puis de la suivante."""
    places = (np.asarray(one)[:2] for one in (observation, following))
    return " → ".join(f"{episode:.0f}·{step:.0f}" for episode, step in places)


PROPERTIES = (
    Property(
        "rend une transition par pas",
        [case("9 pas puis chute", 3)],
        "Une transition par pas, dans une liste que l'on rend à la fin.",
        watched(lambda transitions, game: {"transitions": len(transitions)}),
    ),
    Property(
        "relie chaque observation à la suivante",
        [case("9 pas puis chute", 3)],
        "L'observation d'un pas est la suivante du pas d'avant.",
        fields(link),
    ),
    Property(
        "après une chute, garde la vraie suivante, puis recommence",
        [case("2 pas puis chute, 5 pas puis chute", 4)],
        "Rangez la transition avant de recommencer : sa suivante est l'état de la chute.",
        fields(link),
    ),
    Property(
        "au chronomètre, recommence aussi",
        [case("2 pas puis chronomètre, 5 pas puis chute", 4)],
        "L'un ou l'autre drapeau oblige à recommencer.",
        fields(link),
    ),
    Property(
        "ne garde pour une fin que la chute",
        [
            case("2 pas puis chronomètre, 2 pas puis chute, 2 pas puis chute au chronomètre", 6),
            case("2 pas puis chute au chronomètre, 3 pas puis chute", 4),
        ],
        "Le quatrième champ est terminated seul : le chronomètre n'est pas une fin.",
        fields(lambda o, a, r, terminated, s: np.asarray(terminated).item()),
    ),
    Property(
        "joue ce que choisit la politique",
        [case("5 pas puis chronomètre", 300)],
        "L'action est celle de la politique, pour l'observation du moment.",
        choices,
    ),
    Property(
        "garde l'action jouée et la récompense reçue",
        [case("9 pas puis chute", 4)],
        "L'action et la récompense sont celles de ce pas, telles quelles.",
        fields(lambda o, action, reward, t, s: (int(action), float(reward))),
    ),
    Property(
        "part chaque fois d'ailleurs, et se refait avec la même graine",
        [case("2 pas puis chute, 3 pas puis chronomètre", 12)],
        "La graine ne sert qu'au premier `reset` : les suivants continuent le même hasard.",
        origin,
    ),
    Property(
        "vaut pour toute suite d'épisodes",
        any_case(12, 30),
        "Jouer, ranger, recommencer s'il le faut : dans cet ordre, à chaque pas.",
        fields(lambda o, a, r, t, s: (link(o, a, r, t, s), int(a), float(r), bool(t))),
    ),
)

CHANGES = """
aucun reset au départ : env.reset(seed=graine) → np.zeros(4), {}
    Vous jouez avant d'avoir commencé : il faut d'abord `env.reset`.
aucun nouveau départ (un épisode jamais relancé) : env.reset()[0] if → suivante if
    Vous ne recommencez jamais : après une fin, il faut `env.reset()`.
recommencer après la chute seulement (un épisode jamais relancé) : or truncated → ∅
    Vous ne recommencez qu'après une chute : le chronomètre y oblige aussi.
recommencer au chronomètre seulement (un épisode jamais relancé) : terminated or → ∅
    Vous ne recommencez qu'au chronomètre : la chute y oblige aussi.
recommencer si les deux sont vrais (un épisode jamais relancé) : terminated or → terminated and
    Vous ne recommencez que si les deux drapeaux sont vrais : un seul suffit.
recommencer à chaque pas : action = → observation, _ = env.reset(seed=graine); action =
    Vous recommencez à chaque pas : le premier `reset` est avant la boucle.
le nouveau départ pour suivante (des transitions fantômes) : else suivante → \
else suivante; transitions[-1] = *transitions[-1][:4], observation
    Vous recommencez avant de ranger : la suivante est alors le départ d'un autre épisode.
un lien d'un épisode à l'autre : reset()[0] → reset() and suivante
    Après `env.reset()`, vous gardez l'ancienne observation : prenez celle qu'il rend.
avancer avant de ranger : transitions.append → observation = suivante; transitions.append
    Vous avancez avant de ranger : l'observation est déjà la suivante.
ne jamais avancer : else suivante → else observation
    Vous n'avancez pas : la suivante doit devenir l'observation du pas d'après.
deux fois l'observation : suivante)) → observation))
    Vous rangez deux fois l'observation : la suivante est perdue.
les observations échangées : ((observation, → ((suivante,
+ suivante)) → observation))
    L'observation et la suivante sont échangées : le temps irait à l'envers.
les champs dans l'ordre de l'environnement : recompense, terminated, suivante → \
suivante, recompense, terminated
    Vos champs sont dans un autre ordre : la suivante vient en dernier.
done pour fin (le chronomètre pour une chute) : terminated, s → terminated or truncated, s
    Vous rangez « done » : le chronomètre passe alors pour une chute.
le chronomètre pour fin (le chronomètre pour une chute) : terminated, suivante → truncated, suivante
    Vous rangez truncated : c'est la chute, terminated, qui n'a pas de suite.
jamais de fin : terminated, suivante → False, suivante
    Votre drapeau de fin est toujours faux : rangez terminated.
la fin, mais pas au chronomètre (une chute pour le chronomètre) : terminated, suivante → \
terminated and not truncated, suivante
    Une chute au dernier pas reste une chute, même si le chronomètre coupe l'épisode.
la fin en nombre : terminated, suivante → int(terminated), suivante
    Votre drapeau de fin est un nombre : gardez le booléen.
la récompense oubliée : action, recompense → action
    Vos transitions n'ont que quatre champs : la récompense y manque, ou la fin.
les deux drapeaux : terminated, suivante → terminated, truncated, suivante
    Vos transitions ont six champs : truncated ne s'y range pas.
la récompense en entier (des récompenses entières) : action, recompense → action, int(recompense)
    Vos récompenses sont gardées en entiers : 0,5 y devient 0. Gardez-les telles quelles.
la récompense fixée à 1 : action, recompense → action, 1.0
    Vous rangez toujours 1 : gardez la récompense que rend l'environnement.
le total des récompenses : transitions.append → \
recompense += sum(one[2] for one in transitions[-1:] if not one[3]); transitions.append
    Vous rangez le total des récompenses : chaque transition n'a que la sienne.
la récompense du pas d'avant (un rang de décalage) : action, recompense, terminated → action, *avant
+ transitions = [] → transitions, avant = [], (0.0, False)
+ else suivante → else suivante; avant = recompense, terminated
    Vous rangez la récompense et la fin du pas d'avant : jouez d'abord, rangez ensuite.
l'action au contraire : (observation, action → (observation, 1 - action
    L'action rangée n'est pas celle que vous avez jouée.
le dernier pas perdu : transitions.append → if not (terminated or truncated): transitions.append
    Le dernier pas de chaque épisode manque : rangez-le avant de recommencer.
des épisodes au lieu de pas : for _ in range(pas): → while pas > 0:
+ else suivante → else suivante; pas -= terminated or truncated
    Vous jouez des épisodes entiers : `pas` compte des pas.
un seul épisode : for _ in range(pas): → while len(transitions) < pas:
+ env.reset()[0] if terminated or truncated else suivante → \
suivante; pas *= not (terminated or truncated)
    Vous vous arrêtez à la première fin : recommencez, jusqu'au nombre de pas demandé.
un pas de moins (un rang de décalage) : range(pas) → range(pas - 1)
    Il manque un pas : `range(pas)` en fait déjà le bon nombre.
un pas de trop (un rang de décalage) : range(pas) → range(pas + 1)
    Vous jouez un pas de trop : `range(pas)` suffit.
la dernière seule : return transitions → return transitions[-1:]
    Vous ne rendez que la dernière transition.
rien n'est rendu : return transitions → ∅
    Vous ne rendez rien : il manque `return transitions`.
parfois au hasard : = politique → \
= env.action_space.sample() if np.random.default_rng().random() < 0.1 else politique
    Vous jouez parfois au hasard : c'est à la politique de choisir, ici.
toujours au hasard : = politique(observation[None])[0] → = env.action_space.sample()
    Vous jouez au hasard : demandez l'action à la politique.
l'autre action : = politique → = 1 - politique
    Vous jouez l'autre action que celle de la politique.
une observation sans son axe : observation[None] → observation
une action encore en tableau : [None])[0] → [None])
la même graine à chaque départ : env.reset()[0] → env.reset(seed=graine)[0]
    Vous redonnez la graine à chaque `reset` : tous les épisodes partent du même état.
aucune graine : seed=graine → ∅
    La graine ne sert à rien : donnez-la au premier `reset`.
une graine fixe : seed=graine → seed=0
    Votre graine est toujours la même : donnez à `reset` celle que l'on vous donne.
"""


def with_while(politique, env, pas, graine):
    transitions, ended = [], True
    env.reset(seed=graine)
    while len(transitions) < pas:
        observation = env.reset()[0] if ended else transitions[-1][-1]
        action = int(politique(np.array([observation]))[0])
        following, reward, fallen, late, _ = env.step(action)
        transitions.append([observation, action, reward, fallen, following])
        ended = fallen or late
    return transitions


def with_seeds(politique, env, pas, graine):
    transitions, ended = (), True
    for seed in range(1_000 * graine, 1_000 * graine + pas):
        observation = env.reset(seed=seed)[0] if ended else transitions[-1][-1]
        action = politique(observation.reshape(1, 4)).item()
        following, reward, terminated, truncated, _ = env.step(action)
        transitions += ((observation.copy(), action, reward, int(terminated) == 1, following),)
        ended = any([terminated, truncated])
    return transitions


EXERCISE = Exercise(jouer, PROPERTIES, CHANGES, variants=(with_while, with_seeds))
