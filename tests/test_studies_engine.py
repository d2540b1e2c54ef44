"""Le moteur d'études : qui que ce soit qui calcule, et quoi qu'il arrive, la même archive."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from pathlib import Path

import numpy as np
import pytest
import torch

import cartpole_helpers
from cartpole_helpers import studies, workers
from cartpole_helpers.archives import ArchiveError
from cartpole_helpers.studies import Incomplete, Study, complete, launch

PACKAGE = Path(cartpole_helpers.__file__).parent
QUIET = {"bar": lambda outcomes, **_: outcomes}


def measure(setting, seeds):
    """Des nombres tirés de chaque graine ; dans un processus de calcul, ce que dit le réglage."""
    what, folder = setting
    if parent_process():
        from distributed import get_worker

        assert torch.get_num_threads() == get_worker().state.nthreads == 1
        assert workers.ENVIRONMENT.items() <= os.environ.items()
        if what == "meurt" and not (mark := Path(folder, "mort")).exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "dévore":
            hoard = np.ones(200_000_000)
            time.sleep(60 + 0 * hoard.sum())
    return [(seed, np.random.default_rng(seed).random(), what) for seed in seeds]


@pytest.fixture
def study(tmp_path):
    return Study(
        archive=tmp_path / "étude.csv",
        measure=measure,
        settings={name: (name, str(tmp_path)) for name in ("calme", "meurt", "dévore")},
        seeds={"calme": range(6), "meurt": range(4), "dévore": [3]},
        columns=("nombre", "quoi"),
        group=2,
    )


def rows_of(study):
    """Les lignes archivées, dans un ordre qui ne dépend pas de qui a fini le premier."""
    with Path(study.archive).open(encoding="utf-8", newline="") as file:
        return sorted(row for row in csv.reader(file) if not row[0].startswith("#"))


def expected(study):
    """Ce qu'une boucle trouverait."""
    rows = [["reglage", "graine", *study.columns]]
    for name, setting in study.settings.items():
        rows += [[name, *map(str, row)] for row in study.measure(setting, study.seeds_of(name))]
    return sorted(rows)


def stopping(after):
    """Une barre d'avancement où l'on tape Ctrl-C après quelques groupes."""

    def bar(outcomes, **_):
        for count, outcome in enumerate(outcomes):
            if count == after:
                raise KeyboardInterrupt
            yield outcome

    return {"bar": bar}


def test_processes_that_die_cost_nothing_but_their_group(study, monkeypatch):
    system = pytest.importorskip("distributed.system")
    psutil = pytest.importorskip("psutil")
    listened = set()

    def bar(outcomes, **_):
        for outcome in outcomes:
            me = psutil.Process()
            for process in [me, *me.children(recursive=True)]:
                with suppress(psutil.Error):
                    found = process.net_connections("inet")
                    listened.update(one.laddr.ip for one in found if one.status == "LISTEN")
            yield outcome

    for name in workers.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    share = 1e9 / (system.MEMORY_LIMIT / 2)  # deux processus se partagent la mémoire
    monkeypatch.setitem(workers.LOCAL, "distributed.worker.memory.terminate", share)
    with pytest.raises(Incomplete) as stop:
        complete(study, processes=2, bar=bar)
    assert str(stop.value).splitlines()[1:] == [
        "  dévore, graine 3 : ClusterError, 2 processus sont morts en calculant ce groupe ; le "
        "plus souvent, la mémoire a manqué : prenez moins de graines par groupe",
        "Groupes qui restent à faire : 1. Relancez : ce qui est fait est gardé.",
    ]
    assert listened == {"127.0.0.1"}
    assert rows_of(study) == [row for row in expected(study) if row[0] != "dévore"]
    complete(study, processes=1, **QUIET)
    assert rows_of(study) == expected(study)


def test_an_interrupted_study_goes_on_where_it_was(study):
    with pytest.raises(Incomplete, match="interrompue\nGroupes qui restent à faire : 4"):
        complete(study, processes=1, **stopping(after=2))
    assert len(rows_of(study)) == 1 + 2 + 2
    before = Path(study.archive).read_bytes()
    with pytest.raises(Incomplete, match="restent à faire : 3"):
        complete(study, processes=1, **stopping(after=1))
    complete(study, processes=1, **QUIET)
    assert Path(study.archive).read_bytes().startswith(before)
    assert rows_of(study) == expected(study)
    complete(study, processes=1, bar=None)  # il n'y a plus rien à montrer


BAD_ROWS = {
    "il manque une graine": lambda setting, seeds: [(seed, 1, 2) for seed in seeds[1:]],
    "une graine de trop": lambda setting, seeds: [(seed, 1, 2) for seed in (*seeds, 99)],
    "une colonne de moins": lambda setting, seeds: [(seed, 1) for seed in seeds],
    "pas de lignes": lambda setting, seeds: [*seeds],
    "rien": lambda setting, seeds: None,
}


@pytest.mark.parametrize("bad", BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_group_with_bad_rows_is_not_archived(bad, study):
    faulty = partial(lambda wrong, s, seeds: (wrong if 0 in seeds else measure)(s, seeds), bad)
    study = studies.replace(study, measure=faulty)
    with pytest.raises(Incomplete, match=r"calme, graines 0 à 1 : .*measure doit rendre.* reçu\n"):
        complete(study, processes=1, **QUIET)
    assert len(rows_of(study)) == 1 + 4 + 2 + 1


def test_a_measure_that_fails_is_told_with_its_place(study):
    def fail(setting, seeds):
        raise KeyError("gamma")

    many = studies.replace(study, measure=fail, group=1)
    with pytest.raises(Incomplete) as stop:
        complete(many, processes=1, **QUIET)
    told = str(stop.value).splitlines()
    assert told[1].startswith("  calme, graine 0 : KeyError, 'gamma' (fail, ligne ")
    assert told[-2:-1] == ["  et 6 autres groupes"]


def test_an_archive_of_other_settings_is_refused(study):
    complete(study, processes=1, **QUIET)
    before = Path(study.archive).read_bytes()
    other = studies.replace(study, settings=study.settings | {"calme": ("calme", "ailleurs")})
    with pytest.raises(ArchiveError, match=r"« calme » n'est plus celui dont elle a la graine 0"):
        complete(other, processes=1, **QUIET)
    with pytest.raises(ArchiveError, match="c'est une autre étude"):
        complete(studies.replace(study, columns=("a", "b")), processes=1, **QUIET)
    unwritable = r"`settings` : <object object at 0x\w+> n'a pas d'écriture"
    with pytest.raises(TypeError, match=unwritable):
        complete(studies.replace(study, settings={"calme": object()}), processes=1, **QUIET)
    assert Path(study.archive).read_bytes() == before


ASKED = {
    "--graines 3-1": "^--graines doit être « 2000-2199 » ou « 3,5,8 » : '3-1' reçu",
    "--graines a": "^--graines doit être .* : 'a' reçu",
    "--graines=": "^--graines doit être .* : '' reçu",
    "--graines 1,3,0-1": "^--graines doit donner des graines toutes différentes",
    "--graines 4": "^--graines : 4 n'est pas de l'étude ; donnez --archive FICHIER",
    "--seulement calmes": "^--seulement doit être l'un de .*Vouliez-vous dire 'calme' ?",
    "--processus 0": "^processes doit être un entier supérieur ou égal à 1 : 0 reçu",
    "--processus deux": "^Commande non comprise : .*--help dit tout",
    "--grappe 10.0.0.1:8786": r"'10\.0\.0\.1:8786' n'est ni l'adresse d'un ordonnanceur",
    "--grappe absent.json": "'absent.json' n'est ni l'adresse d'un ordonnanceur",
    "--grappe tcp://127.0.0.1:9": "aucun ordonnanceur ne répond à tcp://127.0.0.1:9 : vérifiez",
    "--grappe tls://127.0.0.1:9": "ne répond à tls://127.0.0.1:9 : .* les certificats\n",
}


@pytest.mark.parametrize(("asked", "told"), ASKED.items(), ids=ASKED)
def test_a_command_that_cannot_be_done_is_told_in_a_sentence(asked, told, study, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    with pytest.raises(SystemExit) as stop:
        launch(study, asked.split(" "))
    assert re.search(told, stop.value.code)


def test_a_cluster_without_a_key_is_refused_where_one_is_required(study):
    dask = pytest.importorskip("dask")
    required = {"distributed.comm.require-encryption": True}
    with dask.config.set(required), pytest.raises(Incomplete, match="aucun ordonnanceur ne répond"):
        complete(study, "tcp://127.0.0.1:9", **QUIET)


def test_the_command_line_does_a_part_of_the_study(study, capsys):
    launch(study, ["--liste"])
    assert not Path(study.archive).exists()
    part = ["--processus", "1", "--seulement", "calme"]
    launch(study, [*part, "--graines", "0-2,5"])
    assert [row[1] for row in rows_of(study)[:-1]] == ["0", "1", "2", "5"]
    launch(study, ["--liste"])
    listed = capsys.readouterr().out.splitlines()
    assert listed[:3] == [
        f"{what} : 0 sur {count}"
        for what, count in [
            ("calme, graines 0 à 5", 6),
            ("meurt, graines 0 à 3", 4),
            ("dévore, graine 3", 1),
        ]
    ]
    assert listed[3] == "calme, graines 0 à 5 : 4 sur 6"
    assert listed[6].startswith("origine ")
    other = Path(study.archive).with_name("autre.csv")
    launch(study, [*part, "--graines", "70", "--archive", str(other)])
    assert rows_of(studies.replace(study, archive=other))[0][1] == "70"
    launch(study, [*part, "--graines", "70", "--archive", str(other)])
    assert "autre.csv est complète" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        launch(study, ["--help"])
    assert "montre cette aide" in capsys.readouterr().out


def test_without_dask_the_study_is_done_in_one_process(study, monkeypatch, capsys):
    monkeypatch.setattr(studies, "find_spec", lambda name: None)
    complete(study, processes=2, **QUIET)
    assert rows_of(study) == expected(study)
    assert "un à un, dans ce processus. La bibliothèque dask n'est pas" in capsys.readouterr().out
    Path(study.archive).unlink()
    with pytest.raises(SystemExit, match=r"-m pip install -r requirements-etudes\.txt"):
        launch(study, ["--grappe", "tcp://127.0.0.1:9"])


NEIGHBOUR = "def value(seed):\n    return seed * seed\n"
SCRIPT = """
import os, signal, time
from pathlib import Path
from cartpole_helpers.studies import Study, launch
from voisin import value

HERE = Path(__file__).parent
signal.signal(signal.SIGINT, signal.default_int_handler)  # que l'arrière-plan avait ôté

def run(setting, seeds):
    (HERE / f"{os.getpid()}.ici").touch()
    while len([*HERE.glob("*.ici")]) < 2:
        time.sleep(0.01)
    time.sleep(setting)
    return [(seed, value(seed)) for seed in seeds]

launch(Study(archive=HERE / "étude.csv", measure=run, settings={"lent": 0.3}, seeds=range(12),
             columns=("carré",), group=1))
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Un groupe de processus est d'Unix.")
def test_ctrl_c_leaves_a_sentence_and_two_drivers_finish_the_archive_together(tmp_path):
    pytest.importorskip("distributed")
    (tmp_path / "voisin.py").write_text(NEIGHBOUR, "utf-8")
    (tmp_path / "etude.py").write_text(SCRIPT, "utf-8")
    archive = tmp_path / "étude.csv"

    def started(count):
        command = [sys.executable, "etude.py", "--processus", str(count)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(
            command, cwd=tmp_path, start_new_session=True, encoding="utf-8", **pipes
        )

    driver = started(2)
    while not (archive.exists() and "lent" in archive.read_text("utf-8")):
        assert driver.poll() is None
        time.sleep(0.05)
    for _ in range(2):  # on s'impatiente
        os.killpg(driver.pid, signal.SIGINT)
    told, _ = driver.communicate(timeout=300)  # la fin du tuyau : plus aucun processus ne vit
    assert driver.returncode == 1
    assert re.search(r"étude\.csv n'est pas finie\.\n  interrompue\nGroupes", told)
    assert "Traceback" not in told
    for mark in tmp_path.glob("*.ici"):
        mark.unlink()
    both = [started(1), started(1)]
    assert [driver.communicate(timeout=300) and driver.returncode for driver in both] == [0, 0]
    rows = [line.split(",") for line in archive.read_text("utf-8").splitlines() if "#" not in line]
    assert sorted(rows[1:]) == sorted(["lent", str(n), str(n * n)] for n in range(12))


@contextmanager
def running(*command, cwd, path=PACKAGE.parent):
    """Un programme de dask, qui lit nos modules dans `path`."""
    options = ["--no-dashboard", "--dashboard-address", "127.0.0.1:0", "--host", "127.0.0.1"]
    command = [sys.executable, "-m", f"distributed.cli.dask_{command[0]}", *command[1:], *options]
    environment = os.environ | {"PYTHONPATH": str(path)}
    with subprocess.Popen(command, cwd=cwd, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_cluster_computes_the_same_or_says_why_it_cannot(study, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    study = studies.replace(study, settings={"calme": study.settings["calme"]})
    file, absent, changed, there = (tmp_path / name for name in ("o.json", "abs", "chg", "là"))
    there.mkdir()
    (absent / PACKAGE.name).mkdir(parents=True)
    (absent / PACKAGE.name / "__init__.py").write_text("raise ImportError('introuvable')\n")
    shutil.copytree(PACKAGE, changed / PACKAGE.name)
    with (changed / PACKAGE.name / "version1.py").open("a") as module:
        module.write("# autre\n")
    monkeypatch.setattr(workers, "PULSE", 0.2)
    worker = ("worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny")
    with running("scheduler", "--scheduler-file", str(file), "--port", "0", cwd=there) as scheduler:
        while not file.exists():
            time.sleep(0.05)

        def done_by(path, **options):
            """L'étude, par un processus que l'on ne lance qu'une fois dit qu'il n'y en a pas."""
            with ExitStack() as stack:

                def late(told):
                    waited.append(told)
                    stack.enter_context(running(*worker, cwd=there, path=path))

                monkeypatch.setattr(workers, "print", late, raising=False)
                complete(study, str(file), **options)

        waited = []
        with pytest.raises(Incomplete, match=r"il manque un module .*introuvable"):
            done_by(absent, **QUIET)
        with pytest.raises(Incomplete, match=r"code \w{8} au lieu de \w{8} ; installez-y le même"):
            done_by(changed, **QUIET)
        assert len(rows_of(study)) == 1

        def bar(outcomes, **_):
            yield next(outcomes)
            scheduler.kill()
            yield from outcomes

        with pytest.raises(Incomplete, match="l'ordonnanceur ne répond plus"):
            done_by(PACKAGE.parent, bar=bar)
    assert len(waited) == 3
    assert "Aucun processus de calcul" in waited[0]
    assert len(rows_of(study)) in (3, 5)
    complete(study, processes=1, **QUIET)
    assert rows_of(study) == expected(study)
