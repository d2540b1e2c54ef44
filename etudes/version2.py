r"""Ce que coûte `solve`, sur cent graines, sans aide puis avec la symétrie.

    OMP_NUM_THREADS=1 MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=268435456 \
        .venv/bin/python etudes/version2.py

Chaque graine est résolue seule, sur un cœur et un fil, les recettes à tour de rôle, chronométrée en
secondes de processeur ; la machine était chargée, elles en sont un peu longues. L'agent rendu est
jugé, hors du chronomètre, sur 1 000 départs qui n'ont servi à aucun choix. Une graine que le budget
ne suffit pas à résoudre compte pour un échec : son certificat est « nan », ses pas ceux du budget.

Écrit avant la mesure : les graines 1000 à 1099, que rien n'avait utilisées (celles de 0 à 519 ont
servi à chercher la recette, ou ont été montrées). On annonce le nombre de graines certifiées, avec
son intervalle exact, puis la durée, ses centiles et le plus bas des retours sur 1 000 départs ;
`essais` est le nombre de certificats joués, celui qui passe compris.
"""

from collections.abc import Sequence
from time import process_time

from cartpole_helpers import Config, Unsolved, evaluate, solve
from cartpole_helpers.repairs import RECIPES
from cartpole_helpers.seeds import Purpose, fresh_seed
from cartpole_helpers.studies import Study, archive_of, launch

EPISODES = 1_000


def run(config: Config, seeds: Sequence[int]) -> list[tuple]:
    """Résout et juge une graine ; rend sa ligne."""
    [seed], start = seeds, process_time()
    try:
        solution = solve(config, seed)
        agent, steps, attempts = solution.agent, solution.env_steps, solution.attempts
        certificate = solution.certificate.mean()
    except Unsolved as failure:
        agent, steps, attempts = failure.agent, config.total_steps, float("nan")
        certificate = float("nan")
    seconds = process_time() - start
    judged = evaluate(agent, EPISODES, fresh_seed(Purpose.JUDGE, seed)).mean()
    return [(seed, steps, f"{seconds:.3f}", attempts, f"{certificate:.2f}", f"{judged:.2f}")]


STUDY = Study(
    archive=archive_of(__file__),
    measure=run,
    settings={name: RECIPES[name] for name in ("version 2", "avec la symétrie")},
    seeds=range(1_000, 1_100),
    columns=("pas", "secondes", "essais", "certificat", "retour"),
    names=("recette",),
    group=1,
    alone=True,
)

if __name__ == "__main__":
    launch(STUDY)
