"""L'échelle et les retraits du carnet 08, à Acrobot et à MountainCar : quels verdicts survivent ?

    .venv/bin/python etudes/ailleurs.py

Les mêmes barreaux, de la Version 1 à la Version 2, et les mêmes retraits qu'à CartPole
(echelle.py) ; seule l'échelle des entrées, propre à CartPole, y devient « auto ». Vingt graines,
4200 à 4219, que rien n'avait utilisées ; Acrobot-v1, 50 000 pas, et MountainCar-v0, 100 000. Dix
évaluations également espacées, de 20 épisodes depuis des départs neufs.

Écrit avant qu'elle ne tourne. La mesure principale est celle du carnet 08, le retour moyen de toute
la courbe : chaque barreau contre le précédent, chaque retrait contre la Version 2 complète, graine
à graine (Student) ; Holm sur les vingt-deux écarts d'un jeu. Un verdict *survit* s'il est prononcé
au même sens qu'à CartPole ; il *s'inverse* s'il l'est au sens contraire ; sinon, on ne sait pas, et
l'on dit le plus petit écart que ces graines auraient montré.
"""

from collections.abc import Sequence
from dataclasses import replace

from jeux import evaluated

from cartpole_helpers import VERSION_2, Config
from cartpole_helpers.repairs import ladder, without
from cartpole_helpers.studies import Study, archive_of, launch

BUDGETS = {"Acrobot-v1": 50_000, "MountainCar-v0": 100_000}
LOOKS, EPISODES = 10, 20


def transposed(config: Config, steps: int) -> Config:
    """Rend `config` pour un autre jeu : son nombre de pas, et une échelle que l'on mesure."""
    scaled = config.input_scale == VERSION_2.input_scale
    return replace(config, total_steps=steps, input_scale="auto" if scaled else None)


def run(asked: tuple[str, Config], seeds: Sequence[int]) -> list[tuple]:
    """Entraîne ensemble les graines `seeds` à un jeu et rend une ligne par graine."""
    return evaluated(*asked, seeds, looks=LOOKS, episodes=EPISODES)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={
        (name, env): (env, transposed(config, steps))
        for name, config in (ladder() | without()).items()
        for env, steps in BUDGETS.items()
    },
    seeds=range(4_200, 4_220),
    columns=[f"{look}/{LOOKS}" for look in range(1, LOOKS + 1)],
    names=("reglage", "jeu"),
)

if __name__ == "__main__":
    launch(STUDY)
