"""Une grappe sur un réseau : des machines séparées, un lien coupé, un processus tué, TLS."""

import csv
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import time
from cartpole_helpers.studies import Study, launch
import numpy as np

def run(setting, seeds):
    time.sleep(0.2)
    numbers = np.random.default_rng(setting).random(100)
    return [(seed, numbers[seed]) for seed in seeds]

launch(Study(archive="étude.csv", measure=run, settings={"un": 1, "deux": 2}, seeds=range(100),
             columns=("nombre",), group=2))
"""
SCHEDULER, DRIVER, *WORKERS = [f"10.99.{os.getpid() % 250}.{host}" for host in range(1, 6)]
CERTIFY = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout cle.pem -out certificat.pem"
)
SECRET = {
    "DASK_CONFIG": str(Path(__file__).resolve().parents[1] / "etudes" / "dask.yaml"),
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",  # le moins que dask accepte
}


def run(command, **options):
    subprocess.run(command.split(), check=True, capture_output=True, text=True, **options)


@contextmanager
def network(*addresses):
    """Une machine par adresse, un espace de noms chacune, et le pont qui les relie ; rend de quoi
    couper l'une des autres."""
    bridge = f"pont{os.getpid()}"
    with ExitStack() as stack:
        for name in (bridge, *addresses):
            run(f"ip netns add {name}")
            stack.callback(run, f"ip netns del {name}")
        run(f"ip -n {bridge} link add pont up type bridge")
        for rank, address in enumerate(addresses):
            run(f"ip -n {bridge} link add v{rank} type veth peer eth0 netns {address}")
            run(f"ip -n {bridge} link set v{rank} master pont up")
            run(f"ip -n {address} addr add {address}/24 dev eth0")
            run(f"ip -n {address} link set eth0 up")
            run(f"ip -n {address} link set lo up")
        yield lambda address: run(f"ip -n {bridge} link set v{addresses.index(address)} down")


@pytest.fixture
def machines():
    """Cinq machines, ou la raison pour laquelle on ne les a pas."""
    pytest.importorskip("distributed")
    if not (shutil.which("ip") and shutil.which("openssl")):
        pytest.skip("Il y faut les commandes ip et openssl.")
    with ExitStack() as stack:
        try:
            cut = stack.enter_context(network(SCHEDULER, DRIVER, *WORKERS))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"Séparer des machines demande des droits : {error.stderr.strip()}")
        yield cut


def test_a_cluster_that_loses_a_machine_and_a_process_makes_the_same_archive(machines, tmp_path):
    (tmp_path / "etude.py").write_text(SCRIPT, "utf-8")
    (tmp_path / ".grappe").mkdir()
    run(CERTIFY, cwd=tmp_path / ".grappe")
    scheduler, archive = f"tls://{SCHEDULER}:8786", tmp_path / "étude.csv"

    with ExitStack() as stack:

        def start(address, *command, **options):
            """Lance un programme sur une machine ; ce test l'y arrêtera."""
            command = ["ip", "netns", "exec", address, sys.executable, *command]
            environment = os.environ | SECRET
            process = subprocess.Popen(command, cwd=tmp_path, env=environment, **options)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        def dask(address, name, *options):
            program = ["-m", f"distributed.cli.dask_{name}", *options, "--no-dashboard"]
            return start(address, *program, stderr=subprocess.DEVNULL)

        dask(SCHEDULER, "scheduler", "--host", scheduler)
        workers = [
            dask(one, "worker", scheduler, "--nthreads", "1", "--no-nanny") for one in WORKERS
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
        driver = start(DRIVER, "etude.py", "--grappe", scheduler, **pipes)
        while not archive.exists() or archive.read_text("utf-8").count("# groupe") < 12:
            assert driver.poll() is None, driver.stdout.read()
            time.sleep(0.05)
        machines(WORKERS[0])
        workers[1].kill()
        told, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, told
    with archive.open(encoding="utf-8", newline="") as file:
        _, *rows = [row for row in csv.reader(file) if not row[0].startswith("#")]
    numbers = {"un": np.random.default_rng(1), "deux": np.random.default_rng(2)}
    expected = [
        [name, str(seed), str(number)]
        for name, rng in numbers.items()
        for seed, number in enumerate(rng.random(100))
    ]
    assert sorted(rows) == sorted(expected)
