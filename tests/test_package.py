"""Le paquet seul : bâti sans réseau, il porte ses données et marche loin du dépôt."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch
import yaml

import cartpole_helpers
from cartpole_helpers import __main__ as checkup
from cartpole_helpers.display.numbers import number
from cartpole_helpers.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
BUILD = "import sys; from setuptools import build_meta as b; getattr(b, sys.argv[1])(sys.argv[2])"
OUTSIDE = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
from cartpole_helpers.teaching.clinic import ACROBOT_PATIENTS, Ward
print(len(Ward().numbers), len(Ward(ACROBOT_PATIENTS).numbers))
print(Ward().sheet(3).alt[:9])
runpy.run_module("cartpole_helpers", run_name="__main__", alter_sys=True)
"""


def build(kind, source, target):
    """Bâtit `source`, comme le fait pip, sans rien demander au réseau ; rend le fichier."""
    command = [sys.executable, "-I", "-c", BUILD, kind, target]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=600)
    [made] = target.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """La roue bâtie du sdist, lui-même bâti d'une copie du dépôt."""
    folder = tmp_path_factory.mktemp("paquet")
    source = folder / "source"
    shutil.copytree(ROOT / "cartpole_helpers", source / "cartpole_helpers")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("sdist", "roue"):
        (folder / name).mkdir()
    with tarfile.open(build("build_sdist", source, folder / "sdist")) as archive:
        archive.extractall(folder / "extrait", filter="data")
    [extracted] = (folder / "extrait").iterdir()
    return build("build_wheel", extracted, folder / "roue")


def test_the_wheel_holds_every_module_and_every_datum(wheel):
    package = ROOT / "cartpole_helpers"
    ours = [file for file in package.rglob("*.*") if "__pycache__" not in file.parts]
    expected = {file.relative_to(ROOT).as_posix() for file in ours if file.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected
    assert wheel.stat().st_size < 1_000_000


def test_installed_alone_it_works_from_anywhere(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    command = [sys.executable, "-I", "-c", OUTSIDE, tmp_path / "site"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    told = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, ""), done
    assert told[:2] == ["18 4", "Patient 3"]
    assert told[2].endswith(f"dans {tmp_path / 'site' / 'cartpole_helpers'}")
    assert [line[0] for line in told[-4:-1]] == ["✔"] * 3
    assert told[-1] == "Tout va bien."


def test_what_fails_is_told_with_its_cure(monkeypatch, capsys):
    def evaluation():
        raise RuntimeError("gare")

    monkeypatch.setattr(checkup, "training", lambda: "un entraînement")
    monkeypatch.setattr(checkup, "evaluation", evaluation)
    monkeypatch.setattr(checkup, "pictures", lambda: "une figure")
    monkeypatch.setitem(checkup.OPTIONAL, "aucun-paquet-de-ce-nom", "rien")
    assert checkup.main() == 1
    told = capsys.readouterr().out
    assert "✔ un entraînement (0,0 s)\n✘ evaluation : RuntimeError('gare')\n✔ une" in told
    assert "Facultatif : rien : absent\n" in told
    assert told.endswith("« python3 lancer.py preparer » remet en place ce qui manque.\n")


def test_one_version_is_told_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    [latest, *_] = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert cartpole_helpers.__version__ == citation["version"] == latest


# Ce que le paquet règle en se chargeant


def said(program, **environment):
    """Ce que dit un programme dans un Python neuf, où rien n'est réglé que `environment`."""
    ours = ("OMP_NUM_THREADS", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")
    usual = {name: value for name, value in os.environ.items() if name not in ours}
    command = [sys.executable, "-c", program]
    return subprocess.check_output(command, env=usual | environment, text=True).split()


@pytest.mark.skipif(not torch.backends.openmp.is_available(), reason="PyTorch n'a pas OpenMP ici.")
def test_one_thread_computes_unless_told():
    program = "import torch, cartpole_helpers; print(torch.get_num_threads())"
    assert said(program) == ["1"]
    assert said(program, OMP_NUM_THREADS="2") == ["2"]


@pytest.mark.skipif(sys.platform != "linux", reason="Seule la glibc se règle ainsi.")
def test_freed_memory_is_kept_unless_told():
    """Sans cela, les tableaux de soixante-quatre agents seraient redemandés à chaque tour."""
    program = (
        "import resource, numpy as np, cartpole_helpers\n"
        "def faults():\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(40):\n"
        "    np.ones(1 << 20)\n"
        "    before = before if _ else faults()\n"
        "print(faults() - before)"
    )
    kept, given_back = (
        int(said(program, **environment)[0])
        for environment in ({}, {"MALLOC_MMAP_THRESHOLD_": "131072"})
    )
    assert kept * 4 < given_back


# Les portes sans installation, et l'intégration continue


def test_the_doors_name_our_versions_and_files_that_exist():
    [pin] = re.findall(r"^torch==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    binder = (ROOT / "binder" / "requirements.txt").read_text("utf-8")
    assert f"torch=={pin}+cpu\n" in binder
    for named in re.findall(r"^-[rc] (\S+)", binder, re.M):
        assert (ROOT / "binder" / named).is_file()
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["postCreateCommand"] == "python3 lancer.py preparer"


def test_the_memory_of_a_class_is_what_was_measured():
    rows = read_table(ROOT / "etudes" / "noyaux.csv")
    shares = [int(one) for one in rows["pss_mio"]]
    told = (ROOT / "PORTES.md").read_text("utf-8")
    assert len(shares) == 40
    assert f"{number(sum(shares) / 1024, 1)} Gio, soit {max(shares)} Mio" in told


def test_the_forges_can_read_what_they_run():
    for path in [*ROOT.glob(".github/**/*.yml"), ROOT / ".gitlab-ci.yml"]:
        assert isinstance(yaml.safe_load(path.read_text("utf-8")), dict), path
    assert json.loads((ROOT / "renovate.json").read_text("utf-8"))["extends"]
