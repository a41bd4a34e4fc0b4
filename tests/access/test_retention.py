"""What has been dead for long is forgotten, a bounded number of rows at a time (SECURITY 100)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.access.registration_tokens import Invitation, RegistrationToken, end_invitation, invite
from idp.access.retention import KEEP_CHECKS, forget
from idp.accounts.audit_checks import AuditCheck
from idp.accounts.notices import Kind, Notice, Told
from idp.accounts.sessions import Device
from idp.accounts.staff import StaffInvitation, StaffSession, end_staff_sessions, open_staff_session
from idp.crypto import hash_token, new_token
from idp.db import Base, uuid7
from tests.world import World

DAY = timedelta(days=1)


def kept(world: World, table: type[Base], *, at: datetime, limit: int = 500) -> int:
    """How many rows of a table are left after what is old at that moment was forgotten."""
    with world.write() as db:
        forget(db, now=at, limit=limit)
        return db.scalar(select(func.count()).select_from(table)) or 0


def told(world: World, db: Session, *, times: int = 1) -> None:
    """Somebody is told of something."""
    account = f"person:{world.a_person().row.id}"
    for kind in list(Kind)[:times]:
        assert world.platform.notifier.tell(db, account, Told(kind), now=world.now())


def a_link(world: World, db: Session, *, life: timedelta) -> StaffInvitation:
    row = StaffInvitation(
        id=uuid7(),
        token_hash=hash_token(new_token()),
        staff_id=world.a_staff_member().row.id,
        created_at=world.now(),
        expires_at=world.now() + life,
    )
    db.add(row)
    return row


def test_a_notice_can_be_seen_for_half_a_year(world: World) -> None:
    with world.write() as db:
        told(world, db)
    assert kept(world, Notice, at=world.now() + 179 * DAY) == 1
    assert kept(world, Notice, at=world.now() + 181 * DAY) == 0


def test_a_sign_in_at_the_console_can_be_seen_for_half_a_year_after_its_end(world: World) -> None:
    member = world.a_staff_member()
    with world.write() as db:
        row = db.merge(member.row)
        device, now = Device("", ""), world.now()
        open_staff_session(db, row, ("pwd", "otp"), device, life=10 * DAY, now=now)
        end_staff_sessions(db, row.id, reason="signed_out", now=now)
        open_staff_session(db, row, ("pwd", "otp"), device, life=20 * DAY, now=now)
    left = partial(kept, world, StaffSession)
    assert [left(at=world.now() + days * DAY) for days in (189, 191, 199, 201)] == [2, 1, 1, 0]


def test_a_staff_members_link_can_be_seen_for_a_month_once_it_is_dead(world: World) -> None:
    with world.write() as db:
        a_link(world, db, life=DAY)
        a_link(world, db, life=60 * DAY).ended_at = world.now()
        a_link(world, db, life=60 * DAY)
    left = partial(kept, world, StaffInvitation)
    assert [left(at=world.now() + days * DAY) for days in (29, 30.5, 32, 89, 91)] == [3, 2, 1, 1, 0]


def test_a_registration_token_can_be_seen_for_a_month_once_it_is_dead(world: World) -> None:
    with world.write() as db:
        invite(db, Invitation("expires", life=DAY), now=world.now())
        ended, _token = invite(db, Invitation("ended", life=60 * DAY), now=world.now())
        end_invitation(ended, now=world.now())
        invite(db, Invitation("lives", life=60 * DAY), now=world.now())
    left = partial(kept, world, RegistrationToken)
    assert [left(at=world.now() + days * DAY) for days in (29, 30.5, 32, 89, 91)] == [3, 2, 1, 1, 0]


def test_the_newest_verifications_of_the_trail_are_kept(world: World) -> None:
    with world.write() as db:
        for number in range(KEEP_CHECKS + 3):
            db.add(AuditCheck(id=uuid7(), asked_by=str(number), asked_at=world.now()))
    assert kept(world, AuditCheck, at=world.now()) == KEEP_CHECKS
    with world.reading() as db:
        first = db.scalars(select(AuditCheck.asked_by).order_by(AuditCheck.id)).first()
    assert first == "3"


def _notices(world: World, db: Session) -> None:
    told(world, db, times=5)


def _links(world: World, db: Session) -> None:
    for _ in range(5):
        a_link(world, db, life=DAY)


def _checks(world: World, db: Session) -> None:
    for _ in range(KEEP_CHECKS + 5):
        db.add(AuditCheck(id=uuid7(), asked_by="x", asked_at=world.now()))


@pytest.mark.parametrize("arrange", [_notices, _links, _checks])
def test_forgetting_is_bounded_and_goes_on(world: World, arrange: Callable[[World, Session], None]) -> None:
    with world.write() as db:
        arrange(world, db)
    later = world.now() + 400 * DAY
    with world.write() as db:
        # Messages that wait are nobody's to forget.
        assert [forget(db, now=later, limit=2) for _ in range(4)] == [2, 2, 1, 0]
