"""Les carnets que pytest exécute ont les exigences de ceux que l'on construit."""

import atexit
import os
from contextlib import ExitStack

from building.kernel import strict_environment


def pytest_configure() -> None:
    """Donne aux noyaux de nbval l'environnement exigeant, effacé tout à la fin.

    Après pytest, donc : IPython, s'il a servi à un test, y écrit son historique en s'arrêtant.
    """
    stack = ExitStack()
    os.environ |= stack.enter_context(strict_environment())
    atexit.register(stack.close)
