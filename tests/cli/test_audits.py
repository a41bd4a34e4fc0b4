"""`idp audit verify` finds what was changed behind the program's back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.cli.conftest import Command
from tests.world import World


def some_events(idp: Command, world: World, *, sealed: bool) -> None:
    """Three events in the trail, in a sealed batch or still loose."""
    for number in range(3):
        idp.does("client", "add", "--name", f"网厅{number}", "--redirect-uri", "https://portal.example/")
    if sealed:
        with world.write() as db:
            assert world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1)) == 3


@pytest.mark.parametrize("sealed", [True, False])
def test_a_trail_nobody_touched_is_whole(idp: Command, world: World, sealed: bool) -> None:
    some_events(idp, world, sealed=sealed)
    assert idp.does("audit", "verify") == {"whole": True, "faults": []}


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit_events SET actor = 'somebody' WHERE target = :target",
        "UPDATE audit_events SET detail = '{}' WHERE target = :target",
    ],
)
def test_a_changed_row_is_found(idp: Command, world: World, sealed: bool, tampering: str) -> None:
    some_events(idp, world, sealed=sealed)
    client_id = idp.does("client", "list")[1]["client_id"]
    with world.write() as db:
        db.execute(text(tampering), {"target": f"client:{client_id}"})
    answer = idp("audit", "verify", "--json")
    assert answer.code == 1
    assert not answer.json["whole"]
    assert "was changed" in answer.json["faults"][0]


def test_a_removed_row_is_found(idp: Command, world: World) -> None:
    some_events(idp, world, sealed=True)
    with world.write() as db:
        db.execute(
            text(
                "DELETE FROM audit_events WHERE id = (SELECT min(id::text)::uuid FROM audit_events)"
                if idp.settings.database_url.startswith("postgresql")
                else "DELETE FROM audit_events WHERE id = (SELECT min(id) FROM audit_events)"
            )
        )
    answer = idp("audit", "verify")
    assert answer.code == 1
    assert "3 were sealed" in answer.out
