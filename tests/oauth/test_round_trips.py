"""How often a sign-on asks the database: counted on the wire, transaction commands included."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from tests.oauth.asking import a_signed_in_operator, code_for
from tests.portals import Authorization, get_with
from tests.world import World


class Wire:
    """What a PostgreSQL connection sent, as libpq itself writes it down."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace
        self._read = 0

    def round_trips(self) -> int:
        """How often the client waited for the server since the last call."""
        lines = self._trace.read_text(errors="replace").splitlines()
        fresh, self._read = lines[self._read :], len(lines)
        sent = [line.split("\t") for line in fresh]
        return sum(1 for parts in sent if "F" in parts and parts[-1].split(" ")[0] in {"Sync", "Query"})


@contextmanager
def watched(world: World) -> Iterator[Wire]:
    """The connections of the application, traced from now on."""
    engine = world.platform.database.engine
    with tempfile.NamedTemporaryFile() as file:

        def trace(connection: Any, _record: Any) -> None:
            connection.pgconn.trace(file.fileno())

        engine.dispose()
        event.listen(engine, "connect", trace)
        yield Wire(Path(file.name))
        event.remove(engine, "connect", trace)
        engine.dispose()


# A round trip is a matter of PostgreSQL; SQLite has none.
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_sign_on_takes_at_most_six_round_trips(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_operator(world)

    def sign_on() -> None:
        asked = Authorization(client)
        code = code_for(browser, asked, "openid profile phone entity")
        tokens = asked.redeem(browser, code).get_json()
        assert "name" in get_with(world, tokens["access_token"]).get_json()

    with watched(world) as wire:
        for _warm in range(8):
            sign_on()
        wire.round_trips()
        counted = []
        for _round in range(3):
            sign_on()
            counted.append(wire.round_trips())
    assert 1 <= max(counted) <= 6, counted
