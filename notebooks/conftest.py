"""Les carnets que pytest exécute ont les exigences de ceux que l'on construit."""

import os
from contextlib import ExitStack

import pytest
from building.kernel import strict_environment


def pytest_configure(config: pytest.Config) -> None:
    """Donne aux noyaux de nbval l'environnement exigeant, effacé à la fin."""
    stack = ExitStack()
    os.environ |= stack.enter_context(strict_environment())
    config.add_cleanup(stack.close)
