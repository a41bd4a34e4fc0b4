"""The audit trail: every change of a right and every sign-in, as typed rows that cannot be changed unseen.

A row is written in the transaction of what it tells, with a MAC of its own. `seal` puts finished
rows into batches, each chained to the one before; :mod:`idp.accounts.audit_verification` recomputes all
of it and finds changed, missing and slipped-in rows. A chain that every request extends would be one lock
for all, hence batches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts import audit_rows
from idp.accounts.audit_rows import Line
from idp.crypto import keyed_digest, same
from idp.db import Base, begin_write, uuid7

SETTLE = timedelta(seconds=5)
_BATCH = 1000
GENESIS = b"tongxing"
"""What the first batch is chained to."""
_TOLD_ABOUT_IT = "about the trail"


class Action(StrEnum):
    """What can happen that must be remembered."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SECOND_STEP_ASKED = "second_step_asked"
    SIGNED_OUT = "signed_out"
    IDENTITY_SWITCHED = "identity_switched"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an event's name
    CONSENT_GIVEN = "consent_given"
    TOKEN_REUSED = "token_reused"  # noqa: S105 - an event's name
    PERSON_ADDED = "person_added"
    PERSON_REGISTERED = "person_registered"
    PHONE_GIVEN_UP = "phone_given_up"
    COMPANIES_IMPORTED = "companies_imported"
    PEOPLE_IMPORTED = "people_imported"
    ACCOUNT_ACTIVATED = "account_activated"
    ENTERPRISE_REGISTERED = "enterprise_registered"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_RESUMED = "account_resumed"
    MANDATE_ENDED = "mandate_ended"
    CLIENT_ADDED = "client_added"
    CLIENT_CHANGED = "client_changed"
    CLIENT_REMOVED = "client_removed"
    CLIENT_SECRET_ROTATED = "client_secret_rotated"  # noqa: S105 - an event's name
    CLIENT_INVITED = "client_invited"
    INVITATION_ENDED = "invitation_ended"
    KEY_MADE = "key_made"
    KEY_ROTATED = "key_rotated"
    KEY_WITHDRAWN = "key_withdrawn"
    KEY_REMOVED = "key_removed"
    DATA_VIEWED = "data_viewed"
    ACCOUNT_SEARCHED = "account_searched"
    FACTOR_ADDED = "factor_added"
    FACTOR_RENAMED = "factor_renamed"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    PROVED_AGAIN = "proved_again"
    PROOF_REFUSED = "proof_refused"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    BROWSER_FORGOTTEN = "browser_forgotten"
    ACCOUNT_LOCKED = "account_locked"
    ACCOUNT_UNLOCKED = "account_unlocked"
    SESSIONS_ENDED = "sessions_ended"
    APP_SIGNED_IN = "app_signed_in"
    APP_PIN_SET = "app_pin_set"
    APP_PIN_REFUSED = "app_pin_refused"
    SCAN_SEEN = "scan_seen"
    SCAN_CONFIRMED = "scan_confirmed"
    SCAN_DENIED = "scan_denied"
    SCAN_REFUSED = "scan_refused"
    FACE_CONSENTED = "face_consented"
    FACE_CHECKED = "face_checked"
    APPEAL_BEGUN = "appeal_begun"
    APPEAL_SUBMITTED = "appeal_submitted"
    APPEAL_SUPPLEMENTED = "appeal_supplemented"
    APPEAL_WITHDRAWN = "appeal_withdrawn"
    APPEAL_CLAIMED = "appeal_claimed"
    APPEAL_RELEASED = "appeal_released"
    APPEAL_ASSIGNED = "appeal_assigned"
    APPEAL_VIEWED = "appeal_viewed"
    APPEAL_PAPER_VIEWED = "appeal_paper_viewed"
    APPEAL_COMPARED = "appeal_compared"
    APPEAL_MORE_WANTED = "appeal_more_wanted"
    APPEAL_PROPOSED = "appeal_proposed"
    APPEAL_RETURNED = "appeal_returned"
    APPEAL_APPROVED = "appeal_approved"
    APPEAL_REFUSED = "appeal_refused"
    APPEAL_LAPSED = "appeal_lapsed"
    APPEAL_LINK_SENT = "appeal_link_sent"
    APPEAL_EXPORTED = "appeal_exported"
    APPEAL_PAPERS_ERASED = "appeal_papers_erased"
    PHONE_CHANGED = "phone_changed"
    REPRESENTATIVE_CHANGED = "representative_changed"
    COMPANY_RENAMED = "company_renamed"
    NAME_CORRECTED = "name_corrected"
    FILE_STORED = "file_stored"
    FILE_REMOVED = "file_removed"
    FILE_REFUSED = "file_refused"
    STAFF_ADDED = "staff_added"
    STAFF_INVITED = "staff_invited"
    STAFF_LINK_TAKEN = "staff_link_taken"
    STAFF_ENROLLED = "staff_enrolled"
    STAFF_CHANGED = "staff_changed"
    STAFF_PASSWORD_PROVED = "staff_password_proved"  # noqa: S105 - an event's name
    STAFF_SIGNED_IN = "staff_signed_in"
    STAFF_SIGN_IN_REFUSED = "staff_sign_in_refused"
    STAFF_SIGNED_OUT = "staff_signed_out"
    ACCESS_DENIED = "access_denied"
    AUDIT_READ = "audit_read"
    AUDIT_EXPORTED = "audit_exported"
    AUDIT_VERIFIED = "audit_verified"


@dataclass(frozen=True, slots=True)
class Origin:
    """From where something was done: who, through which address, browser and request."""

    actor: str = ""
    address: str = ""
    device: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: the action, for whom, to what, before and after. Never holds personal data."""

    action: Action
    on_behalf_of: str = ""
    entity: str = ""
    target: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


class AuditBatch(Base):
    """A sealed run of events, chained to the batch before."""

    __tablename__ = "audit_batches"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    events: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]


class AuditEvent(Base):
    """One row of the trail."""

    __tablename__ = "audit_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(40))
    actor: Mapped[str] = mapped_column(String(80))
    on_behalf_of: Mapped[str] = mapped_column(String(80))
    entity: Mapped[str] = mapped_column(String(80))
    target: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str] = mapped_column(String(64))
    device: Mapped[str] = mapped_column(String(200))
    request_id: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
    batch_number: Mapped[int | None] = mapped_column(ForeignKey("audit_batches.number"))

    __table_args__ = (
        Index("ix_audit_events_batch", "batch_number", "id"),
        Index("ix_audit_events_at", "at"),
        Index("ix_audit_events_actor", "actor"),
        Index("ix_audit_events_target", "target"),
    )


# Through Core: one row needs no unit of work, which costs more than the statement.
_NEW_EVENT = insert(AuditEvent.metadata.tables[AuditEvent.__tablename__])
# What the MAC covers, in its order; part of the format of the trail.
_TOLD = (
    "id",
    "at",
    "action",
    "actor",
    "on_behalf_of",
    "entity",
    "target",
    "address",
    "device",
    "request_id",
    "detail",
)


class Trail:
    """Writes, seals and verifies the audit trail with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def record(self, db: Session, event: Event, origin: Origin, *, now: datetime) -> None:
        """Write one row in the caller's transaction."""
        db.connection().execute(_NEW_EVENT, self._row(event, origin, now))

    def record_all(self, db: Session, events: Iterable[Event], origin: Origin, *, now: datetime) -> None:
        """The same for many, in their order: one statement where a row each would take minutes."""
        rows = [self._row(event, origin, now) for event in events]
        if rows:
            db.connection().execute(_NEW_EVENT, rows)

    def _row(self, event: Event, origin: Origin, now: datetime) -> dict[str, Any]:
        values: dict[str, Any] = {
            "id": uuid7(),
            "at": now,
            "action": event.action.value,
            "actor": origin.actor,
            "on_behalf_of": event.on_behalf_of,
            "entity": event.entity,
            "target": event.target,
            "detail": event.detail,
            "address": origin.address[:64],
            "device": origin.device[:200],
            "request_id": origin.request_id,
        }
        return {**values, "mac": self._mac(values)}

    def seal(self, db: Session, *, now: datetime) -> int:
        """Chain settled rows into the next batch; the number of rows sealed.

        Rows younger than a few seconds wait, so that a transaction still open cannot slip in behind. Only
        the MACs are read: a row that holds something unreadable is sealed as it is, and found by a check.
        """
        begin_write(db)
        place, mac = audit_rows.place(db, AuditEvent), audit_rows.octets(db, AuditEvent.mac)
        loose = select(place.label("place"), mac.label("mac")).where(
            AuditEvent.batch_number.is_(None), AuditEvent.at < now - SETTLE
        )
        rows = db.execute(
            loose.order_by(AuditEvent.id).limit(_BATCH).with_for_update(skip_locked=True, of=AuditEvent)
        ).all()
        if not rows:
            return 0
        latest = select(AuditBatch.number, audit_rows.octets(db, AuditBatch.digest).label("digest"))
        last = db.execute(latest.order_by(AuditBatch.number.desc()).limit(1).with_for_update()).first()
        number, before = (last.number + 1, audit_rows.as_bytes(last.digest)) if last else (1, GENESIS)
        digest = self.digest_of(before, [audit_rows.as_bytes(row.mac) for row in rows])
        db.add(AuditBatch(number=number, events=len(rows), digest=digest, sealed_at=now))
        db.flush()
        sealed = update(AuditEvent).where(place.in_([row.place for row in rows])).values(batch_number=number)
        db.execute(sealed, execution_options={"synchronize_session": False})
        return len(rows)

    def digest_of(self, before: bytes, macs: Iterable[bytes]) -> str:
        """The seal of a batch whose rows have these MACs, chained to the seal before."""
        return keyed_digest(self._key, before, *macs)

    def signed(self, *told: str) -> str:
        """The MAC of something told about the trail, in the same key."""
        return keyed_digest(self._key, _TOLD_ABOUT_IT, *told)

    def is_as_written(self, line: Line) -> bool:
        """Whether the row's MAC is that of what it tells."""
        return not line.unreadable and same(self._mac(vars(line)), line.mac)

    def _mac(self, row: Mapping[str, Any]) -> str:
        row_id, at, *told, detail = (row[name] for name in _TOLD)
        written = json.dumps(detail, sort_keys=True)
        return keyed_digest(self._key, row_id.bytes, at.isoformat(), *told, written)


def first_id_at(instant: datetime) -> UUID:
    """The smallest id a row written at `instant` can have: ids begin with the time of their making."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)
