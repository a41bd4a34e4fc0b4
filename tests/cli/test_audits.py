"""`idp audit verify` finds what was changed behind the program's back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from idp.accounts import audit_checks
from tests.cli.conftest import Command
from tests.staff.trail import verified
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
    told = idp.does("audit", "verify")
    assert (told["whole"], told["faults"], told["events"]) == (True, [], 3)
    assert told["anchor"].startswith("1:" if sealed else "0:")


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


def test_a_trail_cut_off_at_its_end_is_found_with_an_anchor_kept_elsewhere(
    idp: Command, world: World
) -> None:
    """SECURITY 77: nothing in the database tells of it any more."""
    some_events(idp, world, sealed=True)
    anchor = idp.does("audit", "verify")["anchor"]
    assert idp("audit", "verify", "--expect", anchor).code == 0
    with world.write() as db:
        for table in ("audit_events", "audit_batches", "audit_checks"):
            db.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - the names stand above
    assert idp("audit", "verify").code == 0
    answer = idp("audit", "verify", "--expect", anchor)
    assert answer.code == 1
    assert "The trail ends with batch 0, the anchor given knows batch 1." in answer.out
    some_events(idp, world, sealed=True)
    answer = idp("audit", "verify", "--expect", anchor)
    assert answer.code == 1
    assert "Batch 1 is not the one the anchor given knows." in answer.out


def test_the_command_knows_what_the_checks_saw(idp: Command, world: World) -> None:
    some_events(idp, world, sealed=True)
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now())
    assert verified(world) == 0
    with world.write() as db:
        db.execute(text("DELETE FROM audit_events"))
        db.execute(text("DELETE FROM audit_batches"))
    answer = idp("audit", "verify", "--json")
    assert (answer.code, len(answer.json["faults"])) == (1, 2)


@pytest.mark.parametrize("typed", ["x", "1:", "1:short", ":" + "a" * 43, "0:" + "a" * 43, "-1:" + "a" * 43])
def test_an_anchor_that_is_none_is_refused(embedded: Command, typed: str) -> None:
    assert "NUMBER:DIGEST" in embedded.refuses("audit", "verify", "--expect", typed)
