"""Une grappe sur un réseau : des machines séparées, un lien coupé, un processus tué, TLS."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from test_studies_engine import check_squares, script_in, wait_for

SCHEDULER, DRIVER, *WORKERS = MACHINES = [f"10.99.{os.getpid() % 250}.{n}" for n in range(1, 6)]
CERTIFY = (
    "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout cle.pem -out certificat.pem"
)
SECRET = {
    "DASK_CONFIG": str(Path(__file__).resolve().parents[1] / "etudes" / "dask.yaml"),
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s",  # le moins que dask accepte
}


def run(command, **options):
    subprocess.run(command.split(), check=True, capture_output=True, text=True, **options)


def network(stack):
    """Une machine par adresse, un espace de noms chacune, et le pont qui les relie."""
    bridge = f"pont{os.getpid()}"
    for name in (bridge, *MACHINES):
        run(f"ip netns add {name}")
        stack.callback(run, f"ip netns del {name}")
    run(f"ip -n {bridge} link add pont up type bridge")
    for rank, address in enumerate(MACHINES):
        run(f"ip -n {bridge} link add v{rank} type veth peer eth0 netns {address}")
        run(f"ip -n {bridge} link set v{rank} master pont up")
        run(f"ip -n {address} addr add {address}/24 dev eth0")
        run(f"ip -n {address} link set eth0 up")
        run(f"ip -n {address} link set lo up")
    return lambda address: run(f"ip -n {bridge} link set v{MACHINES.index(address)} down")


def test_a_cluster_that_loses_a_machine_and_a_process_makes_the_same_archive(start, tmp_path):
    pytest.importorskip("distributed")
    if not (shutil.which("ip") and shutil.which("openssl")):
        pytest.skip("Il y faut les commandes ip et openssl.")
    archive, address = script_in(tmp_path), f"tls://{SCHEDULER}:8786"
    (tmp_path / ".grappe").mkdir()
    run(CERTIFY, cwd=tmp_path / ".grappe")

    def on(machine, *command):
        within = ("ip", "netns", "exec", machine, sys.executable)
        return start(*within, *command, cwd=tmp_path, env=os.environ | SECRET)

    with ExitStack() as stack:
        try:
            cut = network(stack)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"Séparer des machines demande des droits : {error.stderr.strip()}")
        on(SCHEDULER, "-m", "dask", "scheduler", "--host", address, "--no-dashboard")
        options = (address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        workers = [on(one, "-m", "dask", "worker", *options) for one in WORKERS]
        driver = on(DRIVER, "etude.py", "--grappe", address)
        wait_for(6, archive, driver)
        cut(WORKERS[0])
        workers[1].kill()
        told, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, told
    check_squares(archive)
