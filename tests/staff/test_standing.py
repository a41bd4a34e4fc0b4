"""What a suspension or another role ended is over, whatever is undone later (SECURITY 62, 63)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from idp.access.endings import lock
from idp.accounts import staff_roster
from idp.accounts.audit import Origin
from idp.accounts.staff import StaffMember, StaffRole
from tests.pages import Page
from tests.staff.acting import GONE, a_code, at_second, is_in, live, trail
from tests.world import AStaffMember, Browser, World

_A_WAIT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def member(world: World) -> AStaffMember:
    return world.a_staff_member()


def suspended(world: World, db: Session, row: StaffMember) -> None:
    staff_roster.suspend_staff(db, row, now=world.now())


def locked(world: World, db: Session, row: StaffMember) -> None:
    here = world.platform
    lock(db, here.vault, here.trail, here.notifier, row.key, Origin(actor="cli:test"), now=world.now())


def another_role(world: World, db: Session, row: StaffMember) -> None:
    staff_roster.change_role(db, row, StaffRole.AUDITOR, now=world.now())


Change = Callable[[World, Session, StaffMember], None]


def open_again(world: World, member: AStaffMember) -> None:
    """Undo a suspension."""
    with world.write() as db:
        row = db.get_one(StaffMember, member.row.id)
        if row.suspended_at is not None:
            staff_roster.resume_staff(row)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("change", [suspended, locked, another_role])
def test_a_second_step_begun_before_leads_nowhere_after(
    world: World, member: AStaffMember, change: Change
) -> None:
    browser = at_second(world, member)
    with world.write() as db:
        change(world, db, db.get_one(StaffMember, member.row.id))
    open_again(world, member)
    assert GONE in browser.submit({"code": a_code(member.totp_secret)}).text
    assert live(world, member.row) == []
    anew = at_second(world, member)
    assert is_in(anew.submit({"code": a_code(member.totp_secret)}, follow=False))


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
@pytest.mark.parametrize("change", [suspended, another_role])
def test_whoever_comes_in_while_it_is_being_done_is_out(
    world: World, member: AStaffMember, change: Change
) -> None:
    browser = at_second(world, member)
    pages: list[Page] = []

    def comes_in(here: Browser) -> None:
        pages.append(here.submit({"code": a_code(member.totp_secret)}, follow=False))

    coming = Thread(target=comes_in, args=(browser,))
    with world.write() as db:
        change(world, db, db.get_one(StaffMember, member.row.id))
        coming.start()
        is_met(world, coming)
    coming.join(20)
    open_again(world, member)
    assert live(world, member.row) == []
    [page] = pages
    assert (page.status, page.response.headers.getlist("Set-Cookie")) == (403, [])
    assert "登录没有完成" in page.text
    assert trail(world, member.row.key)[-1] == ("staff_sign_in_refused", "", {"why": "not allowed"})


def is_met(world: World, coming: Thread) -> None:
    """Return once `coming` waits for what is not committed yet, or is through without waiting."""
    until = datetime.now(UTC) + timedelta(seconds=10)
    while coming.is_alive() and datetime.now(UTC) < until:
        with world.reading() as db:
            if db.scalar(text(_A_WAIT)):
                return
