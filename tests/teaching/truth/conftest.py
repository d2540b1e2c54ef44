"""Ce que partagent les tests des bornes et de leurs preuves."""

import pytest
from boxes import box


@pytest.fixture(scope="module")
def states():
    return box(360)
