"""Renouvelle constraints.txt : les versions de tout ce qui s'installe, sur tous les systèmes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
HEAD = """\
# La version de tout ce qui s'installe, dépendances indirectes comprises, sous Linux, macOS et
# Windows, de Python 3.11 à 3.14. « python .ci/versions.py » renouvelle ce fichier.
# Sans empreintes : pip exigerait alors, sous Linux, les bibliothèques CUDA que nomme ce fichier et
# dont le cours se passe, et refuserait la version de PyTorch pour processeur, qui a la sienne.
"""


def main() -> int:
    """Fait résoudre par uv tous les requirements*.txt ensemble ; rend son code."""
    files = sorted(path.name for path in ROOT.glob("requirements*.txt"))
    options = ["--universal", "--python-version=3.11", "--upgrade", "--no-annotate", "--no-header"]
    options += ["--no-emit-package=cartpole-helpers", "--quiet"]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, *files]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode == 0:
        CONSTRAINTS.write_text(HEAD + done.stdout, encoding="utf-8", newline="\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
