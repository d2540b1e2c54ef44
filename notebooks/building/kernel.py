"""L'exécution d'un carnet dans un noyau neuf et exigeant."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from building.errors import BuildError

CELL_TIMEOUT = 300  # secondes


def strict_profile() -> tempfile.TemporaryDirectory:
    """Un dossier d'IPython où tout noyau démarre par `strict.py` ; les noyaux y écrivent."""
    folder = tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True)
    startup = Path(folder.name, "profile_default", "startup")
    startup.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("strict.py"), startup)
    return folder


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Exécute toutes les cellules dans un noyau neuf et exigeant, depuis `folder`."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with strict_profile() as profile, client.setup_kernel(env=os.environ | {"IPYTHONDIR": profile}):
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
