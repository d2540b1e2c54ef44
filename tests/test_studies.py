"""Les études archivées : elles sont entières, et les deux README en citent les mesures."""

import csv
import re
import runpy
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cartpole_helpers import VERSION_2
from cartpole_helpers.studies import Study, by_seed, described, launch, name_cells, opened
from cartpole_helpers.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
ARCHIVES = sorted((ROOT / "etudes").glob("*.csv"))
SCRIPTS = {path.stem: path.read_text("utf-8") for path in (ROOT / "etudes").glob("*.py")}
STUDIES = [one.stem for one in ARCHIVES if "\nSTUDY = " in SCRIPTS.get(one.stem, "")]
MEASURES = (ROOT / "etudes" / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def bilan():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "etudes")  # il lit les budgets de jeux.py
        return runpy.run_path(str(ROOT / "etudes" / "bilan.py"))


def test_the_pages_quote_the_measured_speeds_and_the_tables_of_the_studies(bilan):
    with (ROOT / "etudes" / "vitesse.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 6
    for row in rows:
        median, low, high = (row[n].replace(".", ",") for n in ("rapport", "minimum", "maximum"))
        assert f"| {row['mesure']} | {median} | {low} à {high} | {row['cible']} |" in MEASURES
    for table in ("solving", "holding", "elsewhere", "beside", "comparing"):
        lines = bilan[table]()
        assert len(lines) > 3
        assert "\n".join(lines) in MEASURES
    assert bilan["headline"]() in (ROOT / "README.md").read_text("utf-8")


def test_a_seed_that_never_succeeds_waits_forever_in_the_duel(bilan, monkeypatch):
    returns = np.array([[500, 500, 500, 400, 500], [500, 400, 500, 500, 400]])
    columns = {"recette": "a", "moteur": "b", "graine": [[0], [1]], "pas": [1, 2, 3, 4, 5]}
    columns |= {"secondes": [0.1, 0.2, 0.3, 0.4, 0.5], "moyenne": returns}
    for name, values in columns.items():
        monkeypatch.setitem(bilan["_COMPARISON"], name, np.broadcast_to(values, (2, 5)).ravel())
    seconds, steps, relapsed = bilan["arrivals"]("a", "b", "moyenne")
    assert (seconds.tolist(), steps.tolist()) == ([0.3, np.inf], [3, np.inf])
    assert relapsed.tolist() == [True]
    assert bilan["ratio"](seconds, seconds[:1]).startswith("× ∞ [1,0 à ∞]")


def test_every_archive_has_the_script_that_makes_it():
    assert {one.stem for one in ARCHIVES} <= SCRIPTS.keys()
    assert len(STUDIES) >= 14


@pytest.fixture
def imported(monkeypatch):
    """Importe une étude, et celles qu'elle importe ; les pairs, absents ici, y sont sans effet."""
    peers = re.findall(r"^from (stable_baselines3\S*)", "\n".join(SCRIPTS.values()), re.MULTILINE)

    def load(name):
        for peer in peers:
            module = ModuleType(peer)
            module.__getattr__ = lambda attribute: type(attribute, (), {})
            monkeypatch.setitem(sys.modules, peer, module)
        monkeypatch.syspath_prepend(ROOT / "etudes")
        return pytest.importorskip(name, reason="Une étude demande requirements-etudes.txt.")

    return load


@pytest.mark.parametrize("name", STUDIES)
def test_each_archive_is_whole_and_of_the_study_of_today(name, imported, capsys):
    study = imported(name).STUDY
    launch(study, ["--liste"])
    told = capsys.readouterr().out.splitlines()
    assert all(re.search(r": (\d+) sur \1$", line) for line in told[: len(study.settings)])
    assert all(line.startswith("origine ") for line in told[len(study.settings) :])
    asked = {(*name_cells(one), seed) for one in study.settings for seed in study.seeds_of(one)}
    assert opened(study).done().keys() == asked


def test_the_search_can_be_replayed_and_resumed(imported, monkeypatch, capsys):
    """Le hasard redemande ses essais ; de TPE, qui arrondit, ceux de l'archive sont gardés."""
    search = imported("recherche")
    assert search.config_of(search.rounded(search.KNOWN), 50_000) == VERSION_2
    trials, arms = search.archived(), search.ARMS
    drawn = search.optuna.create_study(sampler=arms["hasard"].sampler)
    for number in range(arms["hasard"].trials):
        assert search.rounded(drawn.ask(search.SPACE).params) == trials["hasard", number]
    monkeypatch.setattr(sys, "argv", ["recherche.py", "--liste"])
    search.main()
    told = [line for line in capsys.readouterr().out.splitlines() if " sur " in line]
    assert len(told) == len(trials) == sum(arm.trials for arm in arms.values())
    assert all(re.search(r": (\d+) sur \1$", line) for line in told)


def test_the_duration_of_a_study_is_predicted_as_if_counted_by_hand(imported):
    debit = imported("debit")
    costs = debit.fitted(5, 0.01, {1: 1.5, 20: 11})
    assert costs == (5, 1, 0.5, 0.01)
    assert debit.duration(1_000, 1, 20, costs) == 50 * 11  # sans grappe à démarrer
    assert debit.duration(1_000, 8, 20, costs) == 5 + 7 * 11  # cinquante tâches, en sept vagues
    assert debit.duration(1_000, 1_000, 1, costs) == 5 + 10  # l'ordonnanceur est le plus lent
    assert debit.best_group(60, 2, costs) == 30  # une vague, où chacun a la moitié
    assert debit.best_group(1_000, 500, costs) == 4  # deux occuperaient trop l'ordonnanceur


# Une archive d'avant qu'un nom ne change


def tiny(path, **settings):
    """L'étude qui ajoute à chaque graine le nombre de son réglage."""
    return Study(
        archive=path,
        measure=lambda setting, seeds: by_seed(seeds, [[setting + seed for seed in seeds]]),
        settings=settings,
        seeds=range(2),
        columns=["somme"],
    )


def test_an_archive_is_recognised_when_only_a_name_has_changed(tmp_path):
    path = tmp_path / "étude.csv"
    launch(tiny(path, a=1, b=2), ["--processus", "1"])
    table, origins = read_table(path), opened(tiny(path)).origins()
    changed = tiny(path, b=2.0)
    with pytest.raises(SystemExit, match=r"réglage « b » n'est plus celui .*--reconnaitre\.$"):
        launch(changed, [])
    launch(changed, ["--reconnaitre"])
    assert opened(changed).origins() == origins
    assert read_table(path) == table
    opened(tiny(path, a=1))  # ce que l'étude n'a pas nommé garde son empreinte


@pytest.mark.parametrize("content", ["reglage,graine,somme\na,0", "reglage,graine,pas\na,0,1\n"])
def test_an_archive_cut_or_of_another_study_is_not_recognised(content, tmp_path):
    path = tmp_path / "étude.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(SystemExit, match=r"étude\.csv.*(vide ou coupée|autre étude)"):
        launch(tiny(path, a=1), ["--reconnaitre"])
    assert path.read_text("utf-8") == content


def test_a_set_is_written_alike_by_all_processes():
    assert described({"c", "a", "b"}) == "{'a', 'b', 'c'}"


def test_a_seed_alone_needs_no_list():
    assert by_seed([3], [475.0, 12.5]) == by_seed([3], [[475.0], [12.5]]) == [(3, "475", "12.5")]
