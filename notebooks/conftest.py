"""Les carnets que pytest exécute ont les exigences de ceux que l'on construit."""

import atexit
import os
from contextlib import ExitStack

import pytest
from building.kernel import strict_environment


def pytest_configure() -> None:
    """Donne aux noyaux de nbval l'environnement exigeant, effacé tout à la fin.

    Après pytest, donc : IPython, s'il a servi à un test, y écrit son historique en s'arrêtant.
    """
    stack = ExitStack()
    os.environ |= stack.enter_context(strict_environment())
    atexit.register(stack.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marque les cellules : elles montrent des nombres."""
    for item in items:
        if item.path.suffix == ".ipynb":
            item.add_marker("nombres")
