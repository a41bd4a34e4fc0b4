"""What the tests of uploads share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.web.uploading import Rooms


@pytest.fixture(scope="module")
def rooms() -> Iterator[Rooms]:
    """Applications with a room for uploads, for one module of tests."""
    with closing(Rooms()) as made:
        yield made
