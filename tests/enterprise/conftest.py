"""An installation where companies register, for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.enterprise.applying import Office
from tests.houses import House
from tests.neighbours import Neighbours


@pytest.fixture
def here(installation: House, neighbours: Neighbours) -> Office:
    """Where a representative registers his company by his face."""
    return Office(neighbours.world(installation), neighbours.simulators)


@pytest.fixture
def unseen(installation: House, neighbours: Neighbours) -> Office:
    """Where nobody is asked for his face (X9)."""
    return Office(neighbours.world(installation, face_at_registration=False), neighbours.simulators)
