"""Les jeux : d'un nom, ou d'une fonction, à un environnement vectoriel vérifié."""

import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control import AcrobotEnv, CartPoleEnv, MountainCarEnv
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from cartpole_helpers.cartpole import EPISODE_LIMIT, SAME_STEP, CartPoleVector
from cartpole_helpers.checks import check_number
from cartpole_helpers.seeds import generator_state, restore_generator

CARTPOLE = "CartPole-v1"
NO_LIMIT = -1  # pour Gymnasium, un épisode sans limite de temps
READABLE = (AcrobotEnv, CartPoleEnv, MountainCarEnv)  # `state` et un générateur en disent tout
Env = str | Callable[[int], VectorEnv]


class Sizes(NamedTuple):
    """Ce qu'un réseau doit savoir d'un jeu."""

    observation: int = 4  # D, le nombre de composantes d'une observation
    actions: int = 2  # A


CARTPOLE_SIZES = Sizes()


def make_vector(env: Env, num_envs: int, limit: int | None = None) -> VectorEnv:
    """Rend `num_envs` copies de `env`, avancées ensemble, prêtes pour `reset(seed=[...])`.

    `env` : un identifiant de Gymnasium, ou une fonction num_envs → `VectorEnv` en mode SAME_STEP ;
    "CartPole-v1" est `CartPoleVector`. `limit` : le nombre de pas d'un épisode, celui du jeu si
    c'est None ; une fonction décide elle-même du sien. TypeError ou ValueError, en une phrase, si
    le jeu n'a pas une observation plate et des actions discrètes.
    """
    if env == CARTPOLE:
        return CartPoleVector(num_envs, max_episode_steps=limit or EPISODE_LIMIT)
    if isinstance(env, str):
        return Copies(env, num_envs, limit)
    is_single = isinstance(env, type) and issubclass(env, gymnasium.Env)
    if is_single or not callable(env):
        raise TypeError(
            "env doit être un identifiant de Gymnasium, ou une fonction num_envs → VectorEnv : "
            f"{env!r} reçu ; `gymnasium.register` donne un identifiant à la classe d'un jeu."
        )
    vector = env(num_envs)
    _check_vector(vector, num_envs)
    return vector


def make_one(env: str, limit: int | None = None, render_mode: str | None = None) -> gymnasium.Env:
    """Rend une copie du jeu d'identifiant `env`, vérifié ; `limit` : celle du jeu si c'est None."""
    made = _made(env, limit)
    sizes_of(made.observation_space, made.action_space)
    if render_mode is None:
        return made
    modes = made.metadata.get("render_modes") or []
    made.close()
    if render_mode not in modes:
        raise ValueError(f"env={env!r} ne se dessine pas en {render_mode!r} : il offre {modes}.")
    return _made(env, limit, render_mode=render_mode)


@contextmanager
def no_window() -> Iterator[None]:
    """Fait dessiner SDL en mémoire : sans écran, il se plaindrait sur la sortie d'erreur."""
    before = os.environ.pop("SDL_VIDEODRIVER", None)
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        yield
    finally:
        del os.environ["SDL_VIDEODRIVER"]
        if before is not None:
            os.environ["SDL_VIDEODRIVER"] = before


def _made(env: str, limit: int | None, **asked) -> gymnasium.Env:
    try:
        with warnings.catch_warnings():
            # Box2D, importé là où un avertissement est une erreur, arrêterait net Python.
            warnings.filterwarnings("ignore", "builtin type .* has no __module__ attribute")
            return gymnasium.make(_spec(env), limit, disable_env_checker=True, **asked)
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        raise ValueError(
            f"env={env!r} demande une bibliothèque qui manque : {_remedy(str(error))}"
        ) from error
    except TypeError as error:
        raise ValueError(
            f"env={env!r} ne se construit pas : {error} ; le `kwargs` de `gymnasium.register` "
            "donne à un jeu ses arguments."
        ) from error


def _remedy(told: str) -> str:
    """Rend la ligne qui installe ce que nomme Gymnasium, ou, s'il ne nomme rien, ce qu'il dit."""
    extra = re.search(r"gymnasium\[([\w-]+)\]", told)
    if extra is None:
        return told
    version = "" if extra[1] != "box2d" else ", faite pour Python 3.11 à 3.13"
    wanted = f"gymnasium[{extra[1]}]=={gymnasium.__version__}"
    python = r".venv\Scripts\python" if os.name == "nt" else ".venv/bin/python"
    return f'{extra[1]}{version}. Installez-la : {python} -m pip install "{wanted}"'


def sizes_of(observation_space: spaces.Space, action_space: spaces.Space) -> Sizes:
    """Rend D et A ; ValueError si l'observation n'est pas plate, ou les actions pas discrètes."""
    if not isinstance(observation_space, spaces.Box) or len(observation_space.shape) != 1:
        raise ValueError(
            "env doit avoir une observation plate, une Box de D nombres : "
            f"{observation_space} reçu ; gymnasium.wrappers.FlattenObservation en aplatit d'autres."
        )
    if not isinstance(action_space, spaces.Discrete) or action_space.start != 0:
        raise ValueError(
            "env doit avoir des actions discrètes, Discrete(A), comptées depuis 0 : "
            f"{action_space} reçu ; un DQN choisit parmi A valeurs."
        )
    return Sizes(observation_space.shape[0], int(action_space.n))


def vector_sizes(vector: VectorEnv) -> Sizes:
    """Rend D et A d'un environnement vectoriel."""
    return sizes_of(vector.single_observation_space, vector.single_action_space)


def solved_return(env: Env) -> float | None:
    """Rend le retour moyen à partir duquel le jeu se dit résolu, s'il en a un."""
    return _spec(env).reward_threshold if isinstance(env, str) else None


def true_successors(observation: np.ndarray, ended: np.ndarray, info: dict) -> np.ndarray:
    """Rend l'observation (N, D) d'avant tout redémarrage, d'après `info["final_obs"]`.

    `observation` (N, D) et `info` : ce que `step` a rendu ; `ended` (N,) : les copies relancées.
    """
    final = info.get("final_obs")
    successor = np.array(observation)
    if ended.any():
        if final is None:
            raise ValueError(
                "env doit rendre dans info, sous le nom final_obs, la dernière observation de "
                "chaque épisode : elle manque."
            )
        # Des autres copies, `final_obs` ne dit rien : Gymnasium y met None, ou des zéros.
        successor[ended] = [final[place] for place in np.flatnonzero(ended)]
    return successor


class Copies(VectorEnv):
    """N copies d'un jeu de Gymnasium, avancées tour à tour, chacune avec sa graine.

    Redémarrage dans le même pas (`AutoresetMode.SAME_STEP`) ; le vrai successeur de chaque pas est
    dans `info["final_obs"]` (N, D), comme chez `CartPoleVector`.
    """

    metadata = SAME_STEP
    render_mode = None

    def __init__(self, env: str, num_envs: int, limit: int | None = None):
        self.num_envs = check_number("num_envs", num_envs, int, low=1)
        self.limit = _limit(env, limit)  # comptée ici : le jeu n'a pas d'autre horloge
        self.awake = np.ones(num_envs, bool)  # les autres dorment : elles ne jouent plus
        self.envs = [make_one(env, NO_LIMIT) for _ in range(num_envs)]
        self.single_observation_space = self.envs[0].observation_space
        self.single_action_space = self.envs[0].action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(  # type: ignore[override]  # Gymnasium n'annonce qu'une graine, et en accepte N
        self, *, seed: list[int] | None = None, options: dict | None = None
    ):
        """Recommence tous les épisodes ; `seed` : une graine par copie. Rend (N, D) et {}."""
        seeds = [None] * self.num_envs if seed is None else seed
        pairs = zip(self.envs, seeds, strict=True)
        firsts = [env.reset(seed=one, options=options)[0] for env, one in pairs]
        self.elapsed = np.zeros(self.num_envs, int)
        self.observations = np.array(firsts, np.float32)  # (N, D)
        return self.observations, {}

    def step(self, actions):
        """Avance chaque copie d'un pas ; `actions` (N,) dans [0, A)."""
        final, reward = self.observations.copy(), np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), bool)
        for place in np.flatnonzero(self.awake):
            seen = self.envs[place].step(actions[place])
            final[place], reward[place], terminated[place], truncated[place], _ = seen
        self.elapsed += 1
        truncated |= self.awake & (self.elapsed >= self.limit)
        ended = terminated | truncated
        self.observations = final.copy()
        for place in np.flatnonzero(ended):
            self.observations[place], _ = self.envs[place].reset()
        self.elapsed[ended] = 0
        info = {"final_obs": final, "_final_obs": ended}
        return self.observations, reward, terminated, truncated, info

    def close_extras(self, **kwargs) -> None:
        """Ferme les copies."""
        for env in self.envs:
            env.close()

    def saved_state(self) -> dict[str, np.ndarray]:
        """Rend tout ce que le temps change ; ValueError si ce jeu ne se laisse pas relire."""
        saved = [_saved(env) for env in self.envs]
        stacked = {name: np.stack([one[name] for one in saved]) for name in saved[0]}
        return stacked | {"elapsed": self.elapsed}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Remet les copies dans l'état `saved`, rendu par `saved_state`."""
        self.elapsed = saved["elapsed"].copy()
        for place, env in enumerate(self.envs):
            _restore(env, {name: values[place] for name, values in saved.items()})


class Alone(gymnasium.Env):
    """L'unique copie d'un environnement vectoriel, vue comme un environnement ordinaire."""

    def __init__(self, vector: VectorEnv, limit: int | None = None):
        self.vector, self.limit = vector, np.inf if limit is None else limit
        self.observation_space = vector.single_observation_space
        self.action_space = vector.single_action_space

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Recommence l'épisode ; rend (observation (D,), {})."""
        self.elapsed = 0
        seeds = None if seed is None else [seed]
        observation, _ = self.vector.reset(seed=seeds)  # type: ignore[arg-type]
        return observation[0], {}

    def step(self, action: int):
        """Avance d'un pas ; l'observation rendue est le vrai successeur."""
        observation, reward, terminated, truncated, info = self.vector.step(np.array([action]))
        self.elapsed += 1
        [successor] = true_successors(observation, terminated | truncated, info)
        out_of_time = bool(truncated[0]) or self.elapsed >= self.limit
        return successor, float(reward[0]), bool(terminated[0]), out_of_time, {}

    def close(self):
        """Ferme l'environnement vectoriel."""
        self.vector.close()


def _saved(env: gymnasium.Env) -> dict[str, np.ndarray]:
    game = env.unwrapped
    if hasattr(game, "saved_state") and hasattr(game, "restore"):
        inside = {f"own.{name}": array for name, array in game.saved_state().items()}
    elif type(game) in READABLE and not (env.spec and env.spec.additional_wrappers):
        inside = {"state": np.array(game.get_wrapper_attr("state"), np.float64)}
    else:
        raise ValueError(
            f"{type(game).__name__} ne peut pas être repris au bit près : son état ne se lit pas "
            "en entier. Donnez-lui saved_state() et restore(saved), ou gardez l'agent par "
            "save(training.agent[0], chemin)."
        )
    return inside | {"generator": generator_state(game.np_random)}


def _restore(env: gymnasium.Env, saved: dict[str, np.ndarray]) -> None:
    game: Any = env.unwrapped
    restore_generator(game.np_random, saved["generator"])
    if hasattr(game, "saved_state"):
        own = {name: array for name, array in saved.items() if name.startswith("own.")}
        game.restore({name.removeprefix("own."): array for name, array in own.items()})
    else:
        game.set_wrapper_attr("state", saved["state"].copy())


def _limit(env: str, limit: int | None) -> float:
    own = _spec(env).max_episode_steps
    return next(one for one in (limit, own, np.inf) if one is not None)


def _spec(env: str) -> EnvSpec:
    """Rend la fiche du jeu ; ValueError, avec les noms voisins, si Gymnasium ne le connaît pas."""
    module, _, name = env.rpartition(":")
    try:
        if module:
            import_module(module)  # qui inscrit ce jeu, comme chez Gymnasium
        return gymnasium.spec(name)
    except (gymnasium.error.Error, ImportError) as error:
        near = get_close_matches(env, gymnasium.registry, n=3)
        advice = f" Vouliez-vous dire {' ou '.join(map(repr, near))} ?" if near else ""
        raise ValueError(
            f"env doit être le nom d'un jeu que Gymnasium connaît : {env!r} reçu.{advice}"
        ) from error


def _check_vector(vector: VectorEnv, num_envs: int) -> None:
    """Refuse ce qu'une fonction `env` a rendu, s'il ne se conduit pas comme la boucle l'attend."""
    if not isinstance(vector, VectorEnv):
        raise TypeError(
            f"env doit rendre un gymnasium.vector.VectorEnv : {type(vector).__name__} rendu."
        )
    if vector.num_envs != num_envs:
        raise ValueError(f"env doit rendre {num_envs} copies : {vector.num_envs} rendues.")
    mode = vector.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise ValueError(
            "env doit redémarrer dans le même pas, autoreset_mode=AutoresetMode.SAME_STEP : "
            f"{mode} reçu ; un autre mode glisse de faux pas entre deux épisodes."
        )
    vector_sizes(vector)
