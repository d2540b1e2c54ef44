"""L'exécution d'un carnet dans un noyau neuf et exigeant."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from building.errors import BuildError

CELL_TIMEOUT = 600  # s ; large, car la machine peut être occupée ailleurs
START_TIMEOUT = 300


@contextmanager
def strict_environment() -> Iterator[dict[str, str]]:
    """Les variables d'un noyau exigeant, dont le profil, éphémère, exécute `strict.py`."""
    with tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True) as folder:
        startup = Path(folder, "profile_default", "startup")
        startup.mkdir(parents=True)
        shutil.copy(Path(__file__).with_name("strict.py"), startup)
        # L'historique s'écrirait dans ce dossier après sa disparition.
        configuration = Path(folder, "profile_default", "ipython_kernel_config.py")
        configuration.write_text("c.HistoryManager.enabled = False\n", "utf-8")
        # Sur un seul fil, un calcul se refait au bit près, et deux noyaux ne se gênent pas.
        yield {"IPYTHONDIR": folder, "OMP_NUM_THREADS": "1"}


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Exécute toutes les cellules dans un noyau neuf et exigeant, depuis `folder`."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=START_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with strict_environment() as strict, client.setup_kernel(env=os.environ | strict):
        for index, cell in enumerate(notebook.cells):
            try:
                # Sans historique, comme nbval : « ; » en fin de cellule ne cache donc rien.
                client.execute_cell(cell, index, store_history=False)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                rank = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
                raise BuildError(f"cellule [{rank}] : {_failure(error)}") from error
        client.set_widgets_metadata()


def _failure(error: Exception) -> str:
    if isinstance(error, CellExecutionError):
        traceback = re.sub(r"\x1b\[[\d;]*m", "", error.traceback)
        return f"{error.ename} : {error.evalue}\n\n{traceback}"
    if isinstance(error, CellTimeoutError):
        return f"elle dure plus de {CELL_TIMEOUT} s."
    return "elle a tué le noyau."
