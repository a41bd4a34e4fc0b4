"""A trail that is shorter than it was, or another, is found: each check keeps how far the trail went."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, make_url, select, update
from sqlalchemy.orm import Session

from idp.accounts import audit_checks
from idp.accounts.audit import Action, AuditBatch, AuditEvent
from idp.accounts.audit_checks import AuditCheck
from idp.accounts.staff import StaffRole
from idp.cli.trail_checks import TrailChecks
from tests.staff.trail import PERSON, happened, verified
from tests.world import World

ONE_STORAGE = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)


def a_batch(world: World) -> None:
    """A row, sealed."""
    happened(world, Action.SIGNED_IN, target=PERSON)
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1))


def check(world: World, *, days: int) -> int:
    """The verification of a day; how many faults it finds."""
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now() + timedelta(days=days))
    return verified(world)


def cut_off(db: Session, *, from_batch: int) -> None:
    """What an intruder does to hide the latest: his rows go, and the batches they are in."""
    db.execute(delete(AuditEvent).where(AuditEvent.batch_number >= from_batch))
    db.execute(delete(AuditEvent).where(AuditEvent.batch_number.is_(None)))
    db.execute(delete(AuditBatch).where(AuditBatch.number >= from_batch))


def sentences(world: World) -> str:
    return world.at_the_console(StaffRole.AUDITOR).open("/staff/audit/checks").text


def test_a_trail_cut_off_at_its_end_is_found(world: World) -> None:
    """SECURITY 77: what is left of the chain is whole, and yet the auditor reads that its end is missing."""
    for _ in range(4):
        a_batch(world)
    assert check(world, days=0) == 0
    assert "4:" in sentences(world)
    with world.write() as db:
        cut_off(db, from_batch=3)
    assert check(world, days=1) == 2
    page = sentences(world)
    assert "末尾的记录缺失：现在到第 2 批为止" in page
    assert "的校验见过第 4 批" in page
    assert "记录少了：现在有 2 条" in page


@ONE_STORAGE
def test_an_emptied_trail_is_found(world: World) -> None:
    a_batch(world)
    assert check(world, days=0) == 0
    with world.write() as db:
        cut_off(db, from_batch=1)
    assert check(world, days=1) == 2


@ONE_STORAGE
def test_a_trail_that_was_cut_off_and_has_grown_again_is_found(world: World) -> None:
    for _ in range(2):
        a_batch(world)
    assert check(world, days=0) == 0
    with world.write() as db:
        cut_off(db, from_batch=2)
    for _ in range(3):
        a_batch(world)
    assert check(world, days=1) == 1
    assert "第 2 批不是" in sentences(world)


@ONE_STORAGE
def test_rows_that_vanish_before_they_are_sealed_are_found(world: World) -> None:
    happened(world, Action.SIGNED_IN, target=PERSON)
    assert check(world, days=0) == 0
    with world.write() as db:
        cut_off(db, from_batch=1)
    assert check(world, days=1) == 1


@ONE_STORAGE
def test_a_row_in_a_batch_that_is_not_there_is_found(world: World) -> None:
    """A row not yet sealed could be laid aside so, out of every batch that is looked at."""
    a_batch(world)
    happened(world, Action.SIGNED_IN, target=PERSON)
    with closing(sqlite3.connect(make_url(world.settings.database_url).database or "")) as away, away:
        away.execute("UPDATE audit_events SET batch_number = 99 WHERE batch_number IS NULL")
    assert check(world, days=0) == 1
    assert "有记录属于不存在的批次" in sentences(world)


def forget_the_fault(db: Session) -> None:
    db.execute(update(AuditCheck).values(faults=[]))


def forget_the_end(db: Session) -> None:
    db.execute(update(AuditCheck).values(head_number=0, head_digest=""))


def forget_when(db: Session) -> None:
    row = db.scalars(select(AuditCheck)).one()
    assert row.finished_at
    row.finished_at -= timedelta(days=1)


@ONE_STORAGE
@pytest.mark.parametrize("tamper", [forget_the_fault, forget_the_end, forget_when])
def test_a_check_that_was_changed_is_found(world: World, tamper: Callable[[Session], None]) -> None:
    """Its outcome is signed: nobody turns a fault into 没有问题, or pulls back what is known of the trail."""
    a_batch(world)
    with world.write() as db:
        db.execute(update(AuditEvent).values(actor="cli:nobody"))
    assert check(world, days=0) == 1
    with world.write() as db:
        tamper(db)
    assert "校验结果" in sentences(world)
    assert "的审计校验发现了问题" in world.at_the_console(StaffRole.AUDITOR).open("/staff").text
    assert check(world, days=1) == 2


@ONE_STORAGE
def test_the_anchor_stands_in_the_workers_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Which is outside the database, where its enemy does not reach."""
    caplog.set_level("INFO", logger="idp")
    a_batch(world)
    trail_checks = TrailChecks(world.backends, threading.Event())
    trail_checks.ask_for_today(now=world.now())
    trail_checks.tend(now=world.now())
    trail_checks.finish()
    with world.reading() as db:
        digest = db.scalars(select(AuditBatch.digest)).one()
    told: list[dict[str, Any]] = [
        vars(line)["facts"] for line in caplog.records if line.message == "trail verified"
    ]
    assert [(facts["anchor"], facts["events"]) for facts in told] == [(f"1:{digest}", 1)]
