"""The people who run the platform: their accounts, their sign-ins, the links by which they begin.

A staff member is nobody's customer: he has an account, a password, a second factor and sign-ins of
his own, and none of them opens anything outside the console (MISSION section Y).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    bindparam,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.sessions import SEEN_STEP, Device, NotOpened
from idp.crypto import Vault, hash_token, keyed_digest, new_token
from idp.db import ALONE, Base, insert_while, uuid7


class StaffRole(StrEnum):
    """What a staff member may do (MISSION section Y)."""

    SERVICE = "customer_service"
    SUPERVISOR = "supervisor"
    ADMIN = "administrator"
    AUDITOR = "auditor"


class StaffMember(Base):
    """Somebody who works at the console; without a password until his first sign-in is done.

    `generation` rises with whatever closes the console to him as he was: a suspension, another role, a
    beginning anew. What was begun in an older one is never finished, whatever was undone since.
    """

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    account: Mapped[str] = mapped_column(String(64), unique=True)
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[str] = mapped_column(String(32))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    password_changed_at: Mapped[datetime | None]
    enrolled_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    generation: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]

    @property
    def key(self) -> str:
        """The name of this account in throttling, factors and the audit trail."""
        return f"staff:{self.id}"

    @property
    def browser_tag(self) -> str:
        """What a known browser remembers: the account and when its password was set."""
        changed = self.password_changed_at.isoformat() if self.password_changed_at else ""
        return keyed_digest(b"known-browser", self.key, changed)

    def begin_generation(self) -> None:
        """Let nothing that was begun before now be finished."""
        # Counted by the database: two changes at once are two.
        self.generation = StaffMember.generation + 1

    def name(self, vault: Vault) -> str:
        """The full name."""
        return vault.open("staff.name", self.id, self.name_sealed)

    def set_name(self, vault: Vault, name: str) -> None:
        """Seal `name` into this row, which must already have its id."""
        self.name_sealed = vault.seal("staff.name", self.id, name)


class StaffSession(Base):
    """A sign-in at the console; it exists only after the second factor."""

    __tablename__ = "staff_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    amr: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]
    proved_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(32))
    browser: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_staff_sessions_staff", "staff_id", "ended_at"),
        Index("ix_staff_sessions_expiry", "expires_at"),
    )


class StaffInvitation(Base):
    """A link for a first sign-in, or one begun anew; it belongs to the first browser that takes it up."""

    __tablename__ = "staff_invitations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    browser: Mapped[str | None] = mapped_column(String(64))
    claimed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class SignedInStaff:
    """A live sign-in at the console and whose it is."""

    session: StaffSession
    member: StaffMember

    @property
    def role(self) -> StaffRole:
        """What he may do."""
        return StaffRole(self.member.role)


def open_staff_session(
    db: Session, member: StaffMember, amr: tuple[str, ...], device: Device, *, life: timedelta, now: datetime
) -> tuple[UUID, str]:
    """Open a sign-in at the console and return its id with the token for the browser's cookie.

    It opens only while `member` is as he was read: the same generation and password, and not suspended.
    Whoever changes that writes the member's row first and ends his sign-ins then; this reads the row under a
    lock in the statement that opens one. So neither passes the other. Raises NotOpened.
    """
    opened, token = uuid7(), new_token()
    values: dict[str, Any] = {
        "id": opened,
        "token_hash": hash_token(token),
        "staff_id": member.id,
        "amr": " ".join(amr),
        "seen_at": now,
        "proved_at": now,
        "expires_at": now + life,
        "browser": device.browser[:200],
        "address": device.address[:64],
        "created_at": now,
        "generation": member.generation,
        "password_hash": member.password_hash,
    }
    # What the caller changed of the member may still wait in the session.
    db.flush()
    if not db.connection().execute(_OPENED_ON, values).rowcount:
        raise NotOpened
    return opened, token


_TABLE = StaffSession.metadata.tables[StaffSession.__tablename__]
_OPENED_ON = insert_while(
    _TABLE,
    StaffMember,
    StaffMember.id == bindparam("staff_id", type_=_TABLE.c.staff_id.type),
    StaffMember.generation == bindparam("generation"),
    StaffMember.password_hash.is_not_distinct_from(bindparam("password_hash", type_=String())),
    StaffMember.suspended_at.is_(None),
    left_out=("ended_at", "end_reason"),
)


def find_live_staff(db: Session, token: str, *, idle: timedelta, now: datetime) -> SignedInStaff | None:
    """The sign-in of the browser that sent `token`, if it counts and was used within `idle`."""
    found = db.execute(
        select(StaffSession, StaffMember)
        .join(StaffMember, StaffMember.id == StaffSession.staff_id)
        .where(
            StaffSession.token_hash == hash_token(token),
            _is_live(idle=idle, now=now),
            StaffMember.suspended_at.is_(None),
        )
    ).first()
    return SignedInStaff(*found) if found else None


def list_live_staff_sessions(
    db: Session, member_id: UUID, *, idle: timedelta, now: datetime
) -> Sequence[StaffSession]:
    """The live sign-ins of a staff member, newest first."""
    mine = select(StaffSession).where(StaffSession.staff_id == member_id, _is_live(idle=idle, now=now))
    return db.scalars(mine.order_by(StaffSession.created_at.desc()).limit(200)).all()


def raise_staff_session(
    db: Session, session: StaffSession, *, amr: tuple[str, ...], now: datetime
) -> str | None:
    """Note a further proof within a sign-in and return the token that takes the place of the browser's.

    None if the sign-in ended meanwhile.
    """
    token = new_token()
    ways = dict.fromkeys((*session.amr.split(), *amr))
    raised = db.execute(
        update(StaffSession)
        .where(StaffSession.id == session.id, StaffSession.ended_at.is_(None))
        .values(token_hash=hash_token(token), amr=" ".join(ways), proved_at=now),
        execution_options={"synchronize_session": False},
    )
    return token if raised.rowcount else None  # type: ignore[attr-defined]  # an UPDATE's result has it


def note_staff_seen(db: Session, session: StaffSession, *, now: datetime) -> None:
    """Remember that the browser used the session; written at most once a minute."""
    if now - session.seen_at < SEEN_STEP:
        return
    seen = update(StaffSession).where(StaffSession.id == session.id).values(seen_at=now)
    db.execute(seen, execution_options={**ALONE, "synchronize_session": False})


def end_staff_sessions(
    db: Session,
    member_id: UUID,
    *,
    reason: str,
    now: datetime,
    only: UUID | None = None,
    keep: UUID | None = None,
) -> list[UUID]:
    """End the sign-ins of a staff member: all, `only` one of them, or all but `keep`; which ended."""
    which = (StaffSession.staff_id == member_id) & StaffSession.ended_at.is_(None)
    if only:
        which &= StaffSession.id == only
    if keep:
        which &= StaffSession.id != keep
    ended = db.scalars(
        update(StaffSession).where(which).values(ended_at=now, end_reason=reason).returning(StaffSession.id),
        execution_options={"synchronize_session": False},
    )
    return list(ended)


def find_staff(db: Session, account: str) -> StaffMember | None:
    """The staff member with this account name."""
    return db.scalars(select(StaffMember).where(StaffMember.account == account.strip().lower()[:64])).first()


def list_named(db: Session, keys: Iterable[str]) -> dict[str, StaffMember]:
    """The staff members among `keys` as the audit trail writes them, by key; the others are left out."""
    ids = {found for key in keys if (found := _id_in(key)) is not None}
    if not ids:
        return {}
    return {member.key: member for member in db.scalars(select(StaffMember).where(StaffMember.id.in_(ids)))}


def _id_in(key: str) -> UUID | None:
    kind, _, member_id = key.partition(":")
    try:
        return UUID(member_id) if kind == "staff" else None
    except ValueError:
        return None


def _is_live(*, idle: timedelta, now: datetime) -> ColumnElement[bool]:
    return (
        StaffSession.ended_at.is_(None)
        & (StaffSession.expires_at > now)
        & (StaffSession.seen_at > now - idle)
    )
