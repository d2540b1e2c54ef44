"""Carnet 07 : évaluer une politique."""

import numpy as np

from cartpole_helpers.teaching.catalogue.scripted import any_case, case, choices, origin, watched
from cartpole_helpers.teaching.exercise import Exercise, Property


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


returns = watched(lambda values, game: tuple(np.asarray(one).item() for one in values))

PROPERTIES = (
    Property(
        "rend un retour par épisode",
        [case("1 pas puis chute", 3)],
        "Il faut un nombre par épisode, dans une liste ou un tableau.",
        watched(lambda values, game: {"retours": len(values)}),
    ),
    Property(
        "joue ce que choisit la politique, sans hasard",
        [case("100 pas puis chute", 3)],
        "Évaluer, c'est jouer ce que choisit la politique pour l'observation du moment.",
        choices,
    ),
    Property(
        "additionne les récompenses, celle de la chute comprise",
        [case("3 pas puis chute, 1 pas puis chute", 2)],
        "Le retour est la somme de toutes les récompenses de l'épisode.",
        returns,
    ),
    Property(
        "s'arrête aussi au chronomètre",
        [
            case("4 pas puis chronomètre, 2 pas puis chronomètre", 2),
            case("3 pas puis chute au chronomètre, 2 pas puis chute au chronomètre", 2),
        ],
        "L'épisode finit à l'un ou à l'autre des deux drapeaux.",
        returns,
    ),
    Property(
        "part chaque fois d'ailleurs, et se refait avec la même graine",
        [case("2 pas puis chute, 3 pas puis chronomètre", 5)],
        "Une graine au premier `reset`, ou une différente à chacun.",
        origin,
    ),
    Property(
        "vaut pour toute suite d'épisodes",
        any_case(3, 7),
        "Recommencer, jouer jusqu'à la fin, additionner : une fois par épisode.",
        returns,
    ),
)

CHANGES = """
parfois au hasard (du hasard en évaluation) : = politique → \
= env.action_space.sample() if np.random.default_rng().random() < 0.1 else politique
toujours au hasard : = politique(observation[None])[0] → = env.action_space.sample()
    Vous jouez au hasard : demandez l'action à la politique.
l'autre action : = politique → = 1 - politique
    Vous jouez l'autre action que celle de la politique.
la première observation : observation, recompense → _, recompense
    Vous interrogez la politique sur l'observation du départ : gardez celle que rend `step`.
la même graine à chaque départ : graine if episode == 0 else None → graine
    Vous redonnez la graine à chaque `reset` : tous les épisodes partent du même état.
aucune graine : seed=graine if episode == 0 else None → ∅
    La graine ne sert à rien : personne ne pourra refaire cette évaluation.
le numéro de l'épisode pour graine : graine if episode == 0 else None → episode
    Vos départs ne dépendent pas de la graine reçue : chacun jouerait les mêmes.
un seul épisode : retours = → episodes = 1; retours =
un épisode de moins (un rang de décalage) : retours = → episodes -= 1; retours =
    Il manque un épisode : `range(episodes)` en fait déjà le bon nombre.
un épisode de trop (un rang de décalage) : retours = → episodes += 1; retours =
    Vous jouez un épisode de trop : `range(episodes)` suffit.
la chute seulement : or truncated → ∅
    Vous n'attendez que la chute : un bon agent ne tombe pas, et la boucle serait sans fin.
le chronomètre seulement : terminated or → ∅
    Vous n'attendez que le chronomètre : la chute aussi finit l'épisode.
les deux fins à la fois : terminated or → terminated and
    Vous attendez les deux drapeaux, `and` : un seul suffit.
aucun nouveau départ (un épisode jamais relancé) : observation, _ → if episode == 0: observation, _
    Vous ne recommencez pas entre deux épisodes : `reset` va dans la boucle.
la dernière récompense oubliée : += recompense → += 0.0 if terminated or truncated else recompense
    Vous oubliez la dernière récompense : le pas de la chute rapporte aussi.
la dernière récompense seule : += → =
    Vous ne gardez que la dernière récompense : additionnez-les, `+=`.
des durées : += recompense → += 1
    Vous comptez les pas : le retour est la somme des récompenses, qui peuvent différer de 1.
des récompenses entières : += recompense → += int(recompense)
    Vos récompenses sont arrondies en entiers : 0,5 y devient 0.
un total qui ne repart pas de zéro : return retours → return np.cumsum(retours)
    Votre total ne repart pas de zéro d'un épisode à l'autre.
la moyenne : return retours → return np.mean(retours)
    Vous rendez la moyenne : un intervalle demande tous les retours. Rendez-les.
le meilleur : return retours → return max(retours)
    Vous rendez le meilleur épisode : c'est le plus chanceux. Rendez-les tous.
la somme : return retours → return sum(retours)
    Vous rendez la somme des épisodes : rendez leurs retours, un par un.
triés : return retours → return sorted(retours)
    Ne triez pas les retours : le premier est celui du premier épisode.
rien n'est rendu : return retours → ∅
    Vous ne rendez rien : il manque `return retours`.
une observation sans son axe : observation[None] → observation
une action encore en tableau : [None])[0] → [None])
"""


def with_seeds(politique, env, episodes, graine):
    returns = []
    for seed in range(1_000 * graine, 1_000 * graine + episodes):
        observation, terminated, truncated = env.reset(seed=seed)[0], False, False
        returns.append(0.0)
        while not (terminated or truncated):
            [action] = politique(np.stack([observation]))
            observation, reward, terminated, truncated, _ = env.step(action)
            returns[-1] += reward
    return returns


def with_slices(politique, env, episodes, graine):
    env.reset(seed=graine)
    returns = []
    while len(returns) < episodes:
        step, rewards = env.reset(), []
        while not any(step[2:4]):
            step = env.step(int(politique(step[0].reshape(1, -1))[0]))
            rewards.append(step[1])
        returns.append(sum(rewards))
    return np.array(returns, np.float32)


EXERCISE = Exercise(evaluer, PROPERTIES, CHANGES, variants=(with_seeds, with_slices))
