"""An installation where people register, for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.houses import House
from tests.neighbours import Neighbours
from tests.person.registering import RegistrationWorld
from tests.world import World


@pytest.fixture
def here(installation: House, neighbours: Neighbours) -> RegistrationWorld:
    """Where a person registers by his face."""
    return RegistrationWorld(neighbours.world(installation), neighbours.simulators)


@pytest.fixture
def unseen(installation: House, neighbours: Neighbours) -> RegistrationWorld:
    """Where nobody is asked for his face (X9)."""
    world = neighbours.world(installation, face_at_registration=False)
    return RegistrationWorld(world, neighbours.simulators)


@pytest.fixture
def there(unseen: RegistrationWorld) -> World:
    """An installation where somebody can take over an account of the older app; nobody else is asked."""
    return unseen.world
