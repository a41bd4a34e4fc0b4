"""The trail is verified when an auditor asks and once a day, by one worker at a time."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.accounts import audit_checks
from idp.accounts.audit import Action, AuditBatch, AuditEvent
from idp.accounts.audit_checks import AuditCheck, Interrupted, TakenOver
from idp.accounts.staff import StaffRole
from idp.adapters.relying_party import RelyingParties
from idp.cli.trail_checks import TrailChecks
from idp.cli.worker import Worker
from tests.oauth.asking import at_once
from tests.pages import Page
from tests.staff.trail import PERSON, events, form_to, happened, verified
from tests.world import Browser, World


def asked(auditor: Browser) -> Page:
    """Press the button."""
    page = auditor.open("/staff/audit/checks")
    return auditor.submit(number=form_to(page, "/staff/audit/checks"))


def checks(world: World) -> list[AuditCheck]:
    """All verifications, oldest first."""
    with world.reading() as db:
        return list(db.scalars(select(AuditCheck).order_by(AuditCheck.asked_at)))


def ask_for_today(world: World, *, days: int = 0) -> None:
    with world.write() as db:
        audit_checks.ask_once_a_day(db, now=world.now() + timedelta(days=days))


def take(world: World, *, later: timedelta = timedelta(0)) -> audit_checks.Taken | None:
    with world.write() as db:
        return audit_checks.take(db, now=world.now() + later)


def test_an_auditor_asks_and_reads_the_outcome(world: World) -> None:
    """SECURITY 77."""
    happened(world, Action.SIGNED_IN, target=PERSON)
    auditor = world.at_the_console(StaffRole.AUDITOR)
    assert "还没有校验过" in auditor.open("/staff/audit/checks").text
    assert "等待后台任务" in asked(auditor).text
    assert verified(world) == 0
    page = auditor.open("/staff/audit/checks")
    assert "没有问题" in page.text
    assert "2 条" in page.text
    asking, done = events(world, Action.AUDIT_VERIFIED)
    assert asking.actor.startswith("staff:")
    assert (done.actor, done.detail) == ("worker", {"events": 2, "faults": 0, "anchor": "0:"})
    assert asking.target == done.target == f"check:{checks(world)[0].id}"


def test_a_tampered_row_and_a_missing_one_show_up(world: World) -> None:
    """SECURITY 77: edit a row in the database and verification fails."""
    changed, gone = (happened(world, Action.SIGNED_IN, target=PERSON) for _ in range(2))
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1)) == 2
    with world.write() as db:
        db.execute(update(AuditEvent).where(AuditEvent.id == changed).values(actor="cli:nobody"))
        db.execute(delete(AuditEvent).where(AuditEvent.id == gone))
    auditor = world.at_the_console(StaffRole.AUDITOR)
    asked(auditor)
    assert verified(world) == 3
    page = auditor.open("/staff/audit/checks")
    assert f"记录 {changed} 被改动过" in page.text
    assert "第 1 批有 1 条记录，封存时是 2 条" in page.text
    assert "第 1 批的内容或顺序与封存时不一致" in page.text
    assert "发现 3 处问题" in page.text
    assert f"/staff/audit/events/{changed}" in page.html
    assert "的审计校验发现了问题" in auditor.open("/staff").text
    assert "审计校验" not in world.at_the_console(StaffRole.ADMIN).open("/staff").text


def test_faults_without_number_keep_the_first_hundred(world: World) -> None:
    with world.write() as db:
        for number in range(1, 121):
            db.add(AuditBatch(number=number, events=1, digest="x", sealed_at=world.now()))
    ask_for_today(world)
    assert verified(world) == 240
    assert len(checks(world)[0].faults) == 100
    assert "发现 100 处以上问题" in world.at_the_console(StaffRole.AUDITOR).open("/staff/audit/checks").text


def test_one_is_asked_for_at_a_time(world: World) -> None:
    first, second = (world.at_the_console(StaffRole.AUDITOR) for _ in range(2))
    page = second.open("/staff/audit/checks")
    asked(first)
    assert "有一次校验正在进行" in second.submit(number=form_to(page, "/staff/audit/checks")).text
    assert len(checks(world)) == 1
    assert len(events(world, Action.AUDIT_VERIFIED)) == 1


def test_the_worker_asks_once_a_civil_day(world: World) -> None:
    for days in (0, 0, 1):
        ask_for_today(world, days=days)
    assert [check.asked_by for check in checks(world)] == ["worker", "worker"]


def test_workers_that_ask_and_take_at_once_do_it_once(world: World) -> None:
    def one(_number: int) -> audit_checks.Taken | None:
        with suppress(IntegrityError):  # another worker asked a moment ago
            ask_for_today(world)
        return take(world)

    taken = [found for found in at_once(6, one) if found]
    assert (len(taken), len(checks(world))) == (1, 1)


def test_a_second_check_waits_for_the_first(world: World) -> None:
    asked(world.at_the_console(StaffRole.AUDITOR))
    ask_for_today(world)
    first = take(world)
    assert first
    assert take(world) is None
    audit_checks.perform(world.backends.database, world.backends.trail, first, clock=world.now)
    second = take(world)
    assert second
    assert second.id != first.id


def test_a_check_whose_worker_died_is_taken_up_after_an_hour(world: World) -> None:
    ask_for_today(world)
    dead = take(world)
    assert dead
    assert take(world, later=timedelta(minutes=59)) is None
    second = take(world, later=timedelta(minutes=61))
    assert second
    with pytest.raises(TakenOver):
        audit_checks.perform(world.backends.database, world.backends.trail, dead, clock=world.now)
    assert checks(world)[0].finished_at is None
    audit_checks.perform(world.backends.database, world.backends.trail, second, clock=world.now)
    assert checks(world)[0].finished_at


def test_a_check_taken_under_a_wrong_clock_is_taken_up_again(world: World) -> None:
    """Its sign of life lies ahead, and would count as one for as long; a few seconds are no wrong clock."""
    ask_for_today(world)
    assert take(world, later=timedelta(seconds=30))
    assert take(world) is None
    assert take(world, later=timedelta(days=400))
    assert take(world)


def test_a_long_check_says_that_it_is_still_going_on(world: World) -> None:
    for _ in range(3):
        happened(world, Action.SIGNED_IN, target=PERSON)
        with world.write() as db:
            world.backends.trail.seal(db, now=world.now() + timedelta(minutes=1))
    ask_for_today(world)
    taken, begin, seen = take(world), world.now(), list[int]()
    assert taken

    def clock() -> datetime:
        """Each batch takes forty minutes; meanwhile nobody else may take the check."""
        now = begin + timedelta(minutes=40) * (len(seen) + 1)
        with world.write() as db:
            if seen:
                assert audit_checks.take(db, now=now - timedelta(minutes=1)) is None
        seen.append(checks(world)[0].events)
        return now

    done = audit_checks.perform(world.backends.database, world.backends.trail, taken, clock=clock)
    assert done.faults == 0
    assert seen == [0, 1, 2, 3, 3]


def test_a_worker_that_stops_gives_its_check_back(world: World) -> None:
    happened(world, Action.SIGNED_IN, target=PERSON)
    ask_for_today(world)
    taken = take(world)
    assert taken

    def clock() -> datetime:
        raise Interrupted

    with pytest.raises(Interrupted):
        audit_checks.perform(world.backends.database, world.backends.trail, taken, clock=clock)
    assert take(world)


def test_the_workers_rounds_do_not_wait_for_it(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The worker asks for the day, verifies in a thread of its own, and tells the log what it found."""
    found = happened(world, Action.SIGNED_IN, target=PERSON)
    with world.write() as db:
        db.execute(update(AuditEvent).where(AuditEvent.id == found).values(target="person:x"))
    parties = RelyingParties(inside_allowed=True)
    Worker(world.settings, world.backends, parties).round(world.now())
    parties.close()
    assert [check.finished_at for check in checks(world)] == [None]
    trail_checks = TrailChecks(world.backends, threading.Event())
    trail_checks.ask_for_today(now=world.now())
    trail_checks.tend(now=world.now())
    trail_checks.finish()
    (check,) = checks(world)
    assert check.finished_at
    assert len(check.faults) == 1
    assert "trail has faults" in [record.message for record in caplog.records]


def test_a_check_cannot_be_asked_for_by_another_site(world: World) -> None:
    assert world.at_the_console(StaffRole.AUDITOR).post("/staff/audit/checks").status == 400
    assert checks(world) == []
