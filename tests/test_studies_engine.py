"""Le moteur d'études : qui que ce soit qui calcule, et quoi qu'il arrive, la même archive."""

import csv
import gc
import os
import re
import shutil
import signal
import sys
import time
from contextlib import suppress
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
finish = partial(complete, processes=1, bar=lambda outcomes, **_: outcomes)


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
    finish(study)
    assert rows_of(study) == expected(study)


def test_an_interrupted_study_goes_on_where_it_was(study):
    def bar(outcomes, **_):
        yield next(outcomes)
        raise KeyboardInterrupt

    for left in (5, 4):
        with pytest.raises(Incomplete, match=rf"interrompue\nGroupes qui restent à faire : {left}"):
            finish(study, bar=bar)
        before = Path(study.archive).read_bytes()
        assert len(rows_of(study)) == 1 + 2 * (6 - left)
    finish(study)
    assert Path(study.archive).read_bytes().startswith(before)
    assert rows_of(study) == expected(study)
    finish(study, bar=None)  # il n'y a plus rien à montrer


FAULTY = {
    "une graine de moins": lambda seeds: [(seed, 1, 2) for seed in seeds[1:]],
    "une graine de trop": lambda seeds: [(seed, 1, 2) for seed in (*seeds, 99)],
    "une colonne de moins": lambda seeds: [(seed, 1) for seed in seeds],
    "pas de lignes": lambda seeds: [*seeds],
    "rien": lambda seeds: None,
    "une erreur": lambda seeds: seeds["gamma"],
}


@pytest.mark.parametrize("what", FAULTY)
def test_a_group_whose_measure_is_faulty_is_told_and_not_archived(what, study):
    def partly(one, seeds):
        return FAULTY[what](seeds) if one[0] == "calme" else measure(one, seeds)

    settings = {name: study.settings[name] for name in ("meurt", "calme")}
    with pytest.raises(Incomplete) as stop:
        finish(studies.replace(study, settings=settings, measure=partly, group=1))
    told = str(stop.value).splitlines()
    why = r"tuple indices .* \(<lambda>, ligne \d+\)|measure doit rendre.* reçu"
    assert re.fullmatch(f"  calme, graine 0 : TypeError, ({why})", told[1])
    assert told[6] == "  et 1 autres groupes"
    assert len(rows_of(study)) == 1 + 4


def test_an_archive_of_other_settings_is_refused(study):
    finish(study)
    before = Path(study.archive).read_bytes()
    other = studies.replace(study, settings=study.settings | {"calme": ("calme", "ailleurs")})
    with pytest.raises(ArchiveError, match=r"« calme » n'est plus celui dont elle a la graine 0"):
        finish(other)
    with pytest.raises(ArchiveError, match="c'est une autre étude"):
        finish(studies.replace(study, columns=("a", "b")))
    with pytest.raises(TypeError, match=r"<object object at 0x\w+> n'a pas d'écriture"):
        finish(studies.replace(study, settings={"calme": object()}))
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
    dask, distributed = map(pytest.importorskip, ("dask", "distributed"))
    required = {"distributed.comm.require-encryption": True}
    with dask.config.set(required), pytest.raises(Incomplete, match="aucun ordonnanceur ne répond"):
        finish(study, "tcp://127.0.0.1:9")
    # Un client resté entrouvert se fermerait plus tard, où cela bloque tout.
    known = (one for one in gc.get_objects() if issubclass(type(one), distributed.Client))
    assert {client.status for client in known} <= {"closed"}


def test_the_command_line_does_a_part_of_the_study(study, capsys):
    launch(study, ["--liste"])
    assert not Path(study.archive).exists()
    part = ["--processus", "1", "--seulement", "calme"]
    launch(study, [*part, "--graines", "0-2,5"])
    assert [row[1] for row in rows_of(study)[:-1]] == ["0", "1", "2", "5"]
    launch(study, ["--liste"])
    listed = capsys.readouterr().out
    assert listed.startswith("calme, graines 0 à 5 : 0 sur 6\nmeurt, graines 0 à 3 : 0 sur 4\n")
    assert re.search(
        r"dévore, graine 3 : 0 sur 1\ncalme, .* : 4 sur 6\n(.*\n)+origine \w+ :", listed
    )
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
    finish(study, processes=2)
    assert rows_of(study) == expected(study)
    assert "un à un, dans ce processus. La bibliothèque dask n'est pas" in capsys.readouterr().out
    Path(study.archive).unlink()
    with pytest.raises(SystemExit, match=r"-m pip install -r requirements-etudes\.txt"):
        launch(study, ["--grappe", "tcp://127.0.0.1:9"])


NEIGHBOUR = "def square(seed):\n    return seed * seed\n"
SCRIPT = """
import os, signal, time
from pathlib import Path
from cartpole_helpers.studies import Study, launch
from voisin import square

HERE = Path(__file__).parent
signal.signal(signal.SIGINT, signal.default_int_handler)  # que l'arrière-plan avait ôté

def run(setting, seeds):
    (HERE / f"{os.getpid()}.ici").touch()
    while len([*HERE.glob("*.ici")]) < 2:
        time.sleep(0.01)
    time.sleep(setting)
    return [(seed, square(seed)) for seed in seeds]

launch(Study(archive=HERE / "étude.csv", measure=run, settings={"lent": 0.2}, seeds=range(24),
             columns=("carré",), group=1))
"""


def script_in(folder):
    """Un script qui importe son voisin, et l'archive qu'il fera à deux processus au moins."""
    (folder / "voisin.py").write_text(NEIGHBOUR, "utf-8")
    (folder / "etude.py").write_text(SCRIPT, "utf-8")
    return folder / "étude.csv"


def wait_for(count, archive, driver):
    """Attend que l'archive ait quelques groupes."""
    while not archive.exists() or archive.read_text("utf-8").count("# groupe") < count:
        assert driver.poll() is None, driver.stdout.read()
        time.sleep(0.05)


def check_squares(archive):
    """Chaque graine y est une fois, et son carré."""
    rows = [line.split(",") for line in archive.read_text("utf-8").splitlines() if "#" not in line]
    assert sorted(rows[1:]) == sorted(["lent", str(n), str(n * n)] for n in range(24))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Un groupe de processus est d'Unix.")
def test_ctrl_c_leaves_a_sentence_and_two_drivers_finish_the_archive_together(start, tmp_path):
    pytest.importorskip("distributed")
    archive, command = script_in(tmp_path), (sys.executable, "etude.py", "--processus")
    driver = start(*command, "2", cwd=tmp_path, start_new_session=True)
    wait_for(1, archive, driver)
    for _ in range(2):  # on s'impatiente
        os.killpg(driver.pid, signal.SIGINT)
    told, _ = driver.communicate(timeout=300)  # la fin du tuyau : plus aucun processus ne vit
    assert driver.returncode == 1
    assert re.search(r"étude\.csv n'est pas finie\.\n  interrompue\nGroupes", told)
    assert "Traceback" not in told
    for mark in tmp_path.glob("*.ici"):
        mark.unlink()
    both = [start(*command, "1", cwd=tmp_path) for _ in range(2)]
    assert [driver.communicate(timeout=300) and driver.returncode for driver in both] == [0, 0]
    check_squares(archive)


def test_a_cluster_computes_the_same_or_says_why_it_cannot(study, start, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    study = studies.replace(study, settings={"calme": study.settings["calme"]})
    file, absent, changed = (tmp_path / name for name in ("ordonnanceur.json", "absent", "changé"))
    absent.mkdir()
    (absent / f"{PACKAGE.name}.py").write_text("raise ImportError('introuvable')")
    shutil.copytree(PACKAGE, changed / PACKAGE.name)
    (changed / PACKAGE.name / "ajout.py").touch()

    def dask(*command, path=""):
        options = ("--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1")
        environment = os.environ | {"PYTHONPATH": str(path)}
        return start(sys.executable, "-m", "dask", *command, *options, cwd="/", env=environment)

    def done_by(path, **options):
        """Fait l'étude, par un processus qui ne naît qu'une fois dit qu'il n'y en a pas."""
        born = []

        def told(waiting):
            assert "Aucun processus de calcul" in waiting
            born.append(dask("worker", "--nthreads", "1", "--no-nanny", path=path))

        monkeypatch.setattr(workers, "print", told, raising=False)
        with pytest.raises(Incomplete) as stop:
            finish(study, str(file), **options)
        born.pop().kill()
        return str(stop.value)

    def bar(outcomes, **_):
        yield next(outcomes)
        scheduler.kill()
        yield from outcomes

    scheduler = dask("scheduler", "--port", "0", path=absent)
    while not file.exists():
        time.sleep(0.05)
    monkeypatch.setattr(workers, "PULSE", 0.2)
    assert "il manque un module à un processus de calcul (introuvable)" in done_by(absent)
    assert re.search(r"code \w{8} au lieu de \w{8} ; installez-y le même", done_by(changed))
    assert len(rows_of(study)) == 1
    assert "l'ordonnanceur ne répond plus" in done_by(PACKAGE.parent, bar=bar)
    assert len(rows_of(study)) in (3, 5)
    finish(study)
    assert rows_of(study) == expected(study)
