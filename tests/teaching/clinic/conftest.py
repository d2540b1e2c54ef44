"""Ce que partagent les tests de la clinique."""

import pytest

from cartpole_helpers.display import style


@pytest.fixture
def unseen(monkeypatch):
    """Ne fait que disposer les figures, dont l'image prendrait le plus long."""
    monkeypatch.setattr(style, "_png", lambda figure: b"")
