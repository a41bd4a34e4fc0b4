"""The trail cannot be changed unseen: rows, seals, order and gaps are all checked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.accounts.audit import SETTLE, Action, AuditBatch, AuditEvent, Event, Origin, Trail
from idp.accounts.audit_verification import Verification
from idp.db import uuid7
from tests.oauth.asking import at_once
from tests.world import World

ORIGIN = Origin(actor="person:1", address="192.0.2.1", device="Firefox", request_id="TX-1")


def told(world: World, count: int = 1, *, trail: Trail | None = None) -> None:
    """So many events, written by one transaction each."""
    for number in range(count):
        event = Event(
            Action.DATA_VIEWED,
            on_behalf_of="person:2",
            entity="e",
            target=f"t{number}",
            detail={"n": number, "c": "中"},
        )
        with world.write() as db:
            (trail or world.backends.trail).record(db, event, ORIGIN, now=world.now())


def seal(world: World) -> int:
    """One round of the worker, after everything has settled."""
    with world.write() as db:
        return world.backends.trail.seal(db, now=world.now() + SETTLE + timedelta(seconds=1))


def faults(world: World) -> list[str]:
    with world.reading() as db:
        return list(Verification(db, world.backends.trail).faults())


def three_batches(world: World) -> None:
    for _batch in range(3):
        told(world, 3)
        assert seal(world) == 3


def test_a_whole_trail_has_no_faults(world: World) -> None:
    assert faults(world) == []
    three_batches(world)
    told(world, 2)
    assert faults(world) == []
    with world.reading() as db:
        assert [batch.events for batch in db.scalars(select(AuditBatch))] == [3, 3, 3]


def test_young_rows_wait_for_those_still_being_written(world: World) -> None:
    told(world, 2)
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now() + timedelta(seconds=2)) == 0
    assert seal(world) == 2
    assert seal(world) == 0


COLUMNS = ["at", "action", "actor", "on_behalf_of", "entity", "target", "detail", "address", "device"]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_changed_row_is_found(world: World, sealed: bool) -> None:
    for column in (*COLUMNS, "request_id", "mac"):
        with world.write() as db:
            db.execute(delete(AuditEvent))
            db.execute(delete(AuditBatch))
        told(world, 2)
        if sealed:
            seal(world)
        changed: dict[str, Any] = {"at": world.now() + timedelta(days=1), "detail": {"n": 99}}
        with world.write() as db:
            row = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).first()
            assert row is not None
            setattr(row, column, changed.get(column, "changed"))
        assert any(str(row.id) in fault for fault in faults(world)), column


def first_row() -> Any:
    return select(AuditEvent.id).order_by(AuditEvent.id).limit(1).scalar_subquery()


def slip_in(db: Any) -> None:
    """A copy of a real row under a new id, in a sealed batch."""
    real = db.scalars(select(AuditEvent).where(AuditEvent.batch_number == 2)).first()
    copy = {column.key: getattr(real, column.key) for column in AuditEvent.__table__.columns}
    db.add(AuditEvent(**{**copy, "id": uuid7()}))


def slip_in_unsealed(db: Any) -> None:
    """The same, as if it had not been sealed yet."""
    slip_in(db)
    db.flush()
    newest = select(AuditEvent.id).order_by(AuditEvent.id.desc()).limit(1).scalar_subquery()
    db.execute(update(AuditEvent).where(AuditEvent.id == newest).values(batch_number=None))


def remove_batch(db: Any) -> None:
    db.execute(delete(AuditEvent).where(AuditEvent.batch_number == 2))
    db.execute(delete(AuditBatch).where(AuditBatch.number == 2))


TAMPERINGS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a sealed row is removed": (
        lambda db: db.execute(delete(AuditEvent).where(AuditEvent.id == first_row())),
        "Batch 1 has 2 rows",
    ),
    "a row is slipped in": (slip_in, "Batch 2 has 4 rows"),
    "a copied row waits to be sealed": (slip_in_unsealed, "was changed"),
    "a row is moved to another batch": (
        lambda db: db.execute(update(AuditEvent).where(AuditEvent.id == first_row()).values(batch_number=3)),
        "Batch 3 does not match its seal",
    ),
    "a row is taken out of its batch": (
        lambda db: db.execute(
            update(AuditEvent).where(AuditEvent.id == first_row()).values(batch_number=None)
        ),
        "Batch 1 has 2 rows",
    ),
    "a batch is removed with its rows": (remove_batch, "Batches 2 to 2 are missing"),
    "a seal is rewritten": (
        lambda db: db.execute(update(AuditBatch).where(AuditBatch.number == 2).values(digest="x" * 43)),
        "Batch 2 does not match its seal",
    ),
    "the count is adjusted": (
        lambda db: db.execute(update(AuditBatch).where(AuditBatch.number == 1).values(events=2)),
        "Batch 1 has 3 rows, 2 were sealed",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_tampering_is_found(world: World, tampering: str) -> None:
    tamper, sentence = TAMPERINGS[tampering]
    three_batches(world)
    with world.write() as db:
        tamper(db)
    assert any(sentence in fault for fault in faults(world)), faults(world)


def test_without_the_key_no_row_can_be_made(world: World) -> None:
    told(world, 1)
    told(world, 1, trail=Trail(b"another key"))
    assert len(faults(world)) == 1
    seal(world)
    assert len(faults(world)) == 1


def test_two_workers_sealing_at_once_break_nothing(world: World) -> None:
    for _round in range(3):
        told(world, 4)
        assert sum(at_once(6, lambda _number: seal(world))) == 4
    assert faults(world) == []


def test_two_workers_sealing_a_long_backlog_break_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.accounts.audit._BATCH", 3)
    told(world, 24)

    def try_to_seal(_number: int) -> int:
        try:
            return seal(world)
        except IntegrityError:  # another took this batch's number: his rows wait for the next round
            return 0

    sealed = sum(at_once(6, try_to_seal))
    while more := seal(world):
        sealed += more
    assert sealed == 24
    assert faults(world) == []


def test_an_event_dies_with_the_transaction_it_belongs_to(world: World) -> None:
    with world.reading() as db:
        world.backends.trail.record(db, Event(Action.SIGNED_OUT), ORIGIN, now=world.now())
        db.flush()
        db.rollback()
    with world.reading() as db:
        assert db.scalars(select(AuditEvent)).all() == []


def test_what_a_journey_leaves_is_whole_and_names_nobody(world: World) -> None:
    operator = world.an_operator()
    browser = world.browser()
    browser.sign_in_operator(operator)
    browser.open("/center/operator")
    browser.submit()
    assert seal(world) >= 2
    assert faults(world) == []
    with world.reading() as db:
        events = db.scalars(select(AuditEvent)).all()
        assert {"signed_in", "signed_out"} <= {event.action for event in events}
        written = " ".join(f"{event.actor} {event.target} {event.detail} {event.entity}" for event in events)
    for secret in (operator.phone, operator.person.id_number, operator.person.name, operator.password):
        assert secret not in written
