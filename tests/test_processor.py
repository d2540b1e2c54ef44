"""Le second jeu d'instructions, celui de `.ci/autre_processeur` : il change vraiment des bits."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / ".ci" / "autre_processeur"
OTHER = dict(line.split("=", 1) for line in FILE.read_text("utf-8").splitlines())
# Un calcul pour chaque variable, dans l'ordre, que fait la bibliothèque à laquelle elle parle.
BITS = """
import hashlib, numpy as np, torch
wide = np.random.default_rng(0).normal(size=(100, 100))
single = wide.astype(np.float32)
tensor = torch.from_numpy(single)
results = (tensor.lerp(tensor.T, 0.3), tensor @ tensor, wide @ wide, np.exp(single))
print(torch.backends.cpu.get_cpu_capability())
print(*(hashlib.sha256(np.asarray(result).tobytes()).hexdigest() for result in results))
"""


def computed(**variables):
    """Le jeu d'instructions de PyTorch, et l'empreinte de chaque résultat, sous ces variables."""
    usual = {name: value for name, value in os.environ.items() if name not in OTHER}
    command = [sys.executable, "-c", BITS]
    run = subprocess.run(
        command, env=usual | variables, capture_output=True, text=True, check=True, timeout=600
    )
    capability, digests = run.stdout.splitlines()
    return capability, digests.split()


def test_each_variable_changes_the_bits_of_its_library():
    capability, here = computed()
    if not capability.startswith("AVX"):
        pytest.skip(f"Ce processeur ({capability}) n'a pas d'instructions à lui ôter.")
    _, there = computed(**OTHER)
    same = [name for name, one, other in zip(OTHER, here, there, strict=True) if one == other]
    assert same == []
