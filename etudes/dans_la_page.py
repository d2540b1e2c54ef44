"""Le DQN de la page, écrit en JavaScript : combien de graines apprennent en trois secondes.

    .venv/bin/python etudes/dans_la_page.py

Il faut Node.js. Chaque graine s'entraîne seule, par le moteur même de la page et sa recette
(`IN_THE_PAGE`). Tous les 1 000 pas, l'agent joue 20 départs de validation ; si leur moyenne atteint
480, 60 autres font son certificat : à 485, on s'arrête là. Il est alors jugé sur 100 départs
neufs, tirés d'une suite que ni l'entraînement ni ces choix n'ont lue.

Écrit avant la mesure : les graines 5000 à 5019, que rien n'avait utilisées ; la recette et la règle
d'arrêt ont été réglées sur les graines 5100 à 5199. Le critère principal est le nombre de graines,
sur 20, dont l'agent est jugé à 475 au moins **et** dont l'entraînement, évaluations et certificats
compris, a pris au plus 3 secondes de processeur, avec son intervalle exact de Clopper et Pearson.
On annonce aussi les médianes des secondes, des pas de jeu et des mises à jour. Une graine que le
budget ne suffit pas à certifier compte pour un échec, quel que soit son jugement.

Les secondes sont celles du processeur, tous fils compris : la compilation du code et le
ramasse-miettes y sont, le démarrage de Node.js et le jugement n'y sont pas. La machine de la mesure
était occupée par d'autres calculs, qui lui prenaient du cache et de la fréquence : elles en sont un
peu longues.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cartpole_helpers.display.learner import IN_THE_PAGE
from cartpole_helpers.display.numbers import number
from cartpole_helpers.statistics import exact_interval
from cartpole_helpers.studies import Study, archive_of, launch
from cartpole_helpers.tables import read_table

SECONDS, SOLVED = 3.0, 475.0
RULE = {"every": 1_000, "episodes": 20, "hopeful": 480, "certificate": 60, "sure": 485}
JUDGES = 100


def run(setting: Mapping, seeds: Sequence[int]) -> list[tuple]:
    """Entraîne et juge une graine ; rend sa ligne."""
    [seed] = seeds
    asked = setting | {"config": asdict(setting["config"]), "seed": seed}
    program = shutil.which("node")
    if program is None:
        raise FileNotFoundError("Il faut Node.js : la commande `node` est introuvable.")
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run(
        [program, str(script)],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    spent = (f"{seen[name]:.3f}" for name in ("seconds", "evaluating"))
    counts = (seen["steps"], seen["updates"], int(seen["ready"]))
    return [(seed, *counts, *spent, f"{seen['judged']:.2f}")]


def summary() -> Iterator[str]:
    """Rend ce que l'étude annonce, une ligne par nombre."""
    table = read_table(archive_of(__file__))
    columns = {name: np.array(values, float) for name, values in table.items()}
    good = (columns["retour"] >= SOLVED) & (columns["certifie"] == 1)
    quick = good & (columns["secondes"] <= SECONDS)
    for told, which in (("en trois secondes au plus", quick), ("quelle qu'en soit la durée", good)):
        low, high = (
            number(100 * bound, 1) for bound in exact_interval(int(which.sum()), len(which))
        )
        yield f"à 475 au moins, {told} : {which.sum()} sur {len(which)} [{low} à {high} %]"
    for name, digits in (("secondes", 2), ("pas", 0), ("mises_a_jour", 0)):
        lowest, middle, highest = np.quantile(columns[name], [0, 0.5, 1])
        written = (number(value, digits) for value in (middle, lowest, highest))
        yield "{} : {} en médiane, de {} à {}".format(name.replace("_a_", " à "), *written)


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={(): {"config": IN_THE_PAGE, "judges": JUDGES} | RULE},
    seeds=range(5_000, 5_020),
    columns=("pas", "mises_a_jour", "certifie", "secondes", "evaluations", "retour"),
    names=(),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
    print(*summary(), sep="\n")
