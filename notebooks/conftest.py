"""Les carnets que pytest exécute ont les exigences de ceux que l'on construit."""

import os

import pytest
from building.kernel import strict_profile


def pytest_configure(config: pytest.Config) -> None:
    """Donne aux noyaux de nbval un profil d'IPython privé, effacé à la fin."""
    profile = strict_profile()
    os.environ["IPYTHONDIR"] = profile.name
    config.add_cleanup(profile.cleanup)
