"""A row that nobody can read is a fault of its own: it stops neither worker nor auditor and hides nothing."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from idp.accounts import audit_checks
from idp.accounts.audit import Action
from idp.accounts.staff import StaffRole
from tests.staff.trail import PERSON, events, form_to, happened, verified
from tests.world import World

_DEEP = "'" + "[" * 900 + "]" * 900 + "'"
OF_SQLITE = (
    "detail = 'x'",
    "detail = '[]'",
    "detail = '5'",
    "detail = 'null'",
    f"detail = {_DEEP}",
    "detail = x'ff'",
    "detail = CAST(x'7b22776879223a2022ff227d' AS TEXT)",  # {"why": "…"}, no UTF-8
    "at = '9999'",
    "at = x'00'",
    "actor = CAST(x'ff' AS TEXT)",
    "target = CAST(target AS BLOB)",  # reads the same, and no search would find it
    "mac = x'ff'",
)
OF_POSTGRESQL = (
    "at = 'infinity'",
    "at = '-infinity'",
    "at = '20000-01-01'",
    "detail = '[]'",
    "detail = '5'",
    "detail = 'null'",
    f"detail = {_DEEP}",
)
CHANGED_ONLY = (  # can be read, and are not what was written
    """detail = '{"why": "\\u0000"}'""",
    """detail = '{"why": "\\ud800", "\\ud800": ["\\udfff"]}'""",
)


def spoil(world: World) -> list[UUID]:
    """A row for each way to spoil one, each of them spoilt so."""
    embedded = world.settings.database_url.startswith("sqlite")
    spoilt = []
    for change in (*(OF_SQLITE if embedded else OF_POSTGRESQL), *CHANGED_ONLY):
        found = happened(world, Action.SIGN_IN_REFUSED, target=PERSON, detail={"why": "password"})
        with world.write() as db:
            statement = f"UPDATE audit_events SET {change} WHERE id = :id"  # noqa: S608 - the changes stand above
            db.execute(text(statement.replace(": ", "\\: ")), {"id": found.hex if embedded else found})
        spoilt.append(found)
    return spoilt


def test_unreadable_rows_are_sealed_counted_and_named(world: World) -> None:
    """SECURITY 77."""
    spoilt = spoil(world)
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1))
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now())
    assert verified(world) >= len(spoilt)
    page = world.at_the_console(StaffRole.AUDITOR).open("/staff/audit/checks")
    for event_id in spoilt[: -len(CHANGED_ONLY)]:
        assert f"记录 {event_id} 无法读取" in page.text
    for event_id in spoilt[-len(CHANGED_ONLY) :]:
        assert f"记录 {event_id} 被改动过" in page.text


def test_the_pages_show_what_can_be_read(world: World) -> None:
    spoilt = spoil(world)
    whole = happened(world, Action.SIGNED_IN, target=PERSON, detail={"amr": ["pwd"]})
    auditor = world.at_the_console(StaffRole.AUDITOR)
    assert auditor.open("/staff").status == 200
    page = auditor.open("/staff/audit?from=")
    assert all(f"/staff/audit/events/{event_id}" in page.html for event_id in (*spoilt, whole))
    for event_id in spoilt:
        page = auditor.open(f"/staff/audit/events/{event_id}")
        assert page.status == 200
        assert "被改动过" in page.text
    for name in ("csv", "jsonl"):
        page = auditor.open("/staff/audit?from=")
        file = auditor.submit({"format": name}, number=form_to(page, "/staff/audit/export")).html
        ids = (
            [row["记录编号"] for row in csv.DictReader(io.StringIO(file.removeprefix("\ufeff"), newline=""))]
            if name == "csv"
            else [json.loads(line)["id"] for line in file.splitlines()]
        )
        assert {*map(str, spoilt), str(whole)} <= set(ids)
        assert name == "jsonl" or "无法读取" in file


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_row_whose_id_is_none_is_found_and_hides_nobody(world: World) -> None:
    """SQLite keeps anything in any column."""
    spoilt, whole = (happened(world, Action.SIGNED_IN, target=PERSON) for _ in range(2))
    with world.write() as db:
        db.execute(text("UPDATE audit_events SET id = 'zz' WHERE id = :id"), {"id": spoilt.hex})
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1)) == 2
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now())
    assert verified(world) == 1
    auditor = world.at_the_console(StaffRole.AUDITOR)
    assert "有一条记录的编号无法读取" in auditor.open("/staff/audit/checks").text
    assert f"/staff/audit/events/{whole}" in auditor.open("/staff/audit?from=").html


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_an_unreadable_check_blinds_nobody(world: World) -> None:
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now())
    assert verified(world) == 0
    with world.write() as db:
        db.execute(text("UPDATE audit_checks SET faults = 'x', events = 'x', asked_at = 'x'"))
    auditor = world.at_the_console(StaffRole.AUDITOR)
    assert auditor.open("/staff").status == 200
    assert "被改动过" in auditor.open("/staff/audit/checks").text


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_check_that_cannot_go_on_ends_with_that_fault(world: World) -> None:
    """Nobody waits for it under 正在校验."""
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now())
        db.execute(text("ALTER TABLE audit_batches RENAME TO audit_batches_away"))
    try:
        assert verified(world) == 1
    finally:
        with world.write() as db:
            db.execute(text("ALTER TABLE audit_batches_away RENAME TO audit_batches"))
    page = world.at_the_console(StaffRole.AUDITOR).open("/staff/audit/checks")
    assert "无法读取：没有读完全部记录" in page.text
    assert "正在校验" not in page.text
    assert [event.detail["faults"] for event in events(world, Action.AUDIT_VERIFIED)] == [1]
