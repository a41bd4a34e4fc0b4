"""Who works at the console: added, given another role, suspended, begun anew. Commands do this, no page.

What takes something away ends the sign-ins of whom it was taken from at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import factors
from idp.accounts.staff import StaffMember, StaffRole, end_staff_sessions, find_staff
from idp.accounts.staff_invitations import end_invitations
from idp.crypto import Vault
from idp.db import begin_write, uuid7


class RosterRefused(Exception):
    """The change cannot be made; the message is a sentence (English) for whoever asked for it."""


@dataclass(frozen=True, slots=True)
class NewStaff:
    """Somebody to be added: the account name in canonical form, the full name, what he may do."""

    account: str
    name: str
    role: StaffRole


def list_staff(db: Session) -> Sequence[StaffMember]:
    """Everybody who works at the console, by account name."""
    return db.scalars(select(StaffMember).order_by(StaffMember.account)).all()


def add_staff(db: Session, vault: Vault, new: NewStaff, *, now: datetime) -> StaffMember:
    """Add a staff member who has not begun yet. Raises RosterRefused."""
    begin_write(db)
    if find_staff(db, new.account) is not None:
        raise RosterRefused("A staff member has this account name already.")
    row = StaffMember(id=uuid7(), account=new.account, role=new.role.value, created_at=now)
    row.set_name(vault, new.name)
    db.add(row)
    db.flush()
    return row


def change_role(db: Session, member: StaffMember, role: StaffRole, *, now: datetime) -> StaffRole:
    """Give `member` another role and end his sign-ins; the role before. Raises RosterRefused."""
    before = StaffRole(member.role)
    if before is role:
        raise RosterRefused(f"The role is {role.value} already.")
    member.role = role.value
    member.begin_generation()
    db.flush()
    end_staff_sessions(db, member.id, reason="role_changed", now=now)
    return before


def suspend_staff(db: Session, member: StaffMember, *, now: datetime) -> None:
    """Close the console to `member`: his sign-ins and links end. Raises RosterRefused."""
    if member.suspended_at is not None:
        raise RosterRefused("The staff member is suspended already.")
    member.suspended_at = now
    member.begin_generation()
    db.flush()
    end_staff_sessions(db, member.id, reason="suspended", now=now)
    end_invitations(db, member, now=now)


def resume_staff(member: StaffMember) -> None:
    """Open the console to `member` again; what ended stays ended. Raises RosterRefused."""
    if member.suspended_at is None:
        raise RosterRefused("The staff member is not suspended.")
    member.suspended_at = None


def begin_anew(db: Session, member: StaffMember, *, now: datetime) -> None:
    """Take password, factors, recovery codes and sign-ins from `member`; a new link lets him begin anew."""
    # The factors before the member's row, as whoever comes in takes them.
    factors.remove_all(db, member.key)
    member.password_hash = member.password_changed_at = member.enrolled_at = None
    member.begin_generation()
    db.flush()
    end_staff_sessions(db, member.id, reason="begun_anew", now=now)
