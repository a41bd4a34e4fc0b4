"""Messages that must leave: rows written in the transaction of what caused them.

`idp worker` delivers them with retries and back-off, so nothing is lost by a crash and nobody
waits for a slow gateway. Payloads are sealed, and wiped once delivered or given up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, false, insert, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.audit import first_id_at
from idp.crypto import Vault
from idp.db import Base, Database, begin_write, partial_index, uuid7

RETRY_AFTER = (5, 15, 60, 300, 900, 3600)
"""Seconds between tries; after the last one the message is given up."""
TOO_LATE = "too late: what it says has expired"
# Longer than a gateway that keeps us waiting and a slow note of it, so that nobody else begins it anew; short
# enough that a code whose worker died in between still leaves in time.
_CLAIM = timedelta(seconds=30)
_LONGEST_NAME = 120
_LONGEST_REPORT = 200
# However its digits are parted: 139-0000-0001 is a phone too.
_LONG_NUMBER = re.compile(r"\d(?:[\W_]{0,3}\d){4,}")


class NotDelivered(Exception):
    """The other side did not take the message now; it is tried again.

    `perhaps_taken`: it was asked, and has not clearly said that it did not.
    """

    def __init__(self, words: str = "", *, perhaps_taken: bool = False) -> None:
        super().__init__(words)
        self.perhaps_taken = perhaps_taken


class Undeliverable(Exception):
    """The other side will never take the message, or it is too late for it; it is given up at once."""


class TooLate(Undeliverable):
    """The message was of use only until now."""

    def __init__(self) -> None:
        super().__init__(TOO_LATE)


Deliverers = Mapping[str, Callable[[dict[str, Any]], str | None]]
"""Kind of message to what delivers it, and answers by what name the other side knows it, if it says one."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Why a message was given up; `perhaps_taken`: the other side may have it from a try all the same."""

    why: str
    perhaps_taken: bool = False


Mourner = Callable[[dict[str, Any], GivenUp], None]
"""Hears of a message that was given up: what it said, and how it ended."""


class OutboxMessage(Base):
    """A message on its way out.

    `expires_at`: it is of no use later, and then dropped. `reference` is what the other side calls it,
    `reported_at` and `report` what it said of it afterwards: an empty report is that it arrived.
    `perhaps_taken`: of some try nobody knows whether the other side took it, or one is under way.
    """

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(120), default="")
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(200), default="")
    perhaps_taken: Mapped[bool] = mapped_column(default=False, server_default=false())
    reference: Mapped[str | None] = mapped_column(String(120))
    reported_at: Mapped[datetime | None]
    report: Mapped[str] = mapped_column(String(200), default="", server_default="")
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_outbox_due", "next_try_at"),
        partial_index("ix_outbox_reference", "reference", where="reference IS NOT NULL"),
    )

    def payload(self, vault: Vault) -> dict[str, Any]:
        """What it says while it waits, with `id`, the same at every try, and `at`, when it was made.

        Raises idp.crypto.SealBroken.
        """
        told: dict[str, Any] = json.loads(vault.open("outbox.payload", self.id, self.payload_sealed or b""))
        return {**told, "id": str(self.id), "at": self.created_at.astimezone(UTC).isoformat()}

    def check_still_of_use(self, now: datetime) -> None:
        """Return if the message may still be delivered. Raises TooLate."""
        if self.expires_at and self.expires_at <= now:
            raise TooLate


# Through Core: one row needs no unit of work, which costs more than the statement.
_QUEUED = insert(OutboxMessage.metadata.tables[OutboxMessage.__tablename__])


def enqueue(
    db: Session,
    vault: Vault,
    *,
    kind: str,
    subject: str,
    payload: dict[str, Any],
    now: datetime,
    expires_at: datetime | None = None,
) -> UUID:
    """Add a message to the caller's transaction; its id.

    `subject` groups messages and holds no personal data; from `expires_at` on it is not delivered any more.
    """
    message_id = uuid7()
    values = {
        "id": message_id,
        "kind": kind,
        "subject": subject,
        "payload_sealed": vault.seal("outbox.payload", message_id, json.dumps(payload)),
        "tries": 0,
        "last_error": "",
        "perhaps_taken": False,
        "next_try_at": now,
        "expires_at": expires_at,
        "created_at": now,
    }
    db.connection().execute(_QUEUED, values)
    return message_id


def last_messages(db: Session, *, kind: str, subject: str, limit: int) -> list[OutboxMessage]:
    """The latest messages of a kind and a subject; ids begin with the time of their making."""
    of_subject = select(OutboxMessage).where(OutboxMessage.kind == kind, OutboxMessage.subject == subject)
    return list(db.scalars(of_subject.order_by(OutboxMessage.id.desc()).limit(limit)))


def deliver_due(
    database: Database,
    vault: Vault,
    deliverers: Deliverers,
    *,
    now: datetime,
    limit: int = 20,
    mourners: Mapping[str, Mourner] | None = None,
) -> int:
    """Deliver what is due, each message claimed first so that several workers never send it twice at once.

    The deliverer runs outside any transaction, and so does a kind's mourner, which hears of each message
    that was given up. What expires first leaves first: a code never waits behind notices. Returns how many
    messages were tried.
    """
    tried = 0
    while tried < limit:
        claimed = _claim(database, tuple(deliverers), now=now)
        if claimed is None:
            break
        _try(database, vault, deliverers, claimed, now=now, mourners=mourners or {})
        tried += 1
    return tried


def note_report(db: Session, name: str, why: str, *, kind: str, now: datetime) -> bool:
    """Note what became of the message of this kind that we, or the other side, call `name`.

    `why` it did not arrive; empty if it did, which stands for good. Of failures the first one stands, without
    numbers that might be a phone. False if there is no such message.
    """
    row = _named(db, name, kind=kind)
    if row is None:
        return False
    if row.reported_at is None or (row.report and not why):
        row.reported_at, row.report = now, _without_numbers(why)
        # A session may note several, and the next of them is to find this one.
        db.flush()
    return True


def awaits_report(db: Session, *, kind: str, since: datetime) -> bool:
    """Whether the other side has taken a message made after `since` and not said what became of it."""
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.id >= first_id_at(since),
        OutboxMessage.kind == kind,
        OutboxMessage.reference.is_not(None),
        OutboxMessage.reported_at.is_(None),
    )
    return db.scalars(waiting.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A message in hand, and whether an earlier try of it may have been taken."""

    message: OutboxMessage
    perhaps_taken: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a try: no `error` if it was delivered."""

    perhaps_taken: bool
    error: str = ""
    given_up: bool = False
    reference: str | None = None


def _try(
    database: Database,
    vault: Vault,
    deliverers: Deliverers,
    claimed: _Claimed,
    *,
    now: datetime,
    mourners: Mapping[str, Mourner],
) -> None:
    message, payload = claimed.message, dict[str, Any]()
    try:
        payload = message.payload(vault)
        message.check_still_of_use(now)
    except TooLate as late:
        outcome = _Outcome(claimed.perhaps_taken, str(late), given_up=True)
    except Exception as fault:  # noqa: BLE001 - one message with a fault must not hold up the others
        outcome = _Outcome(claimed.perhaps_taken, type(fault).__name__)
    else:
        outcome = _delivered(deliverers[message.kind], payload, before=claimed.perhaps_taken)
    with database.begin() as db:
        has_ended = _settle(db, message.id, outcome, now=now)
    if outcome.error and has_ended and message.kind in mourners:
        mourners[message.kind](payload, GivenUp(outcome.error, outcome.perhaps_taken))


def _delivered(
    deliver: Callable[[dict[str, Any]], str | None], payload: dict[str, Any], *, before: bool
) -> _Outcome:
    """What comes of handing it over; `before`: an earlier try may have been taken."""
    try:
        return _Outcome(before, reference=deliver(payload))
    except NotDelivered as missed:
        return _Outcome(before or missed.perhaps_taken, str(missed)[:200] or "not delivered")
    except Undeliverable as refused:
        return _Outcome(before, str(refused)[:200] or "not delivered", given_up=True)
    except Exception as fault:  # noqa: BLE001 - one message with a fault must not hold up the others
        # The kind only: an exception's text may hold what the message says. Nobody knows how far it came.
        return _Outcome(perhaps_taken=True, error=type(fault).__name__)


def _claim(database: Database, kinds: tuple[str, ...], *, now: datetime) -> _Claimed | None:
    due = (
        select(OutboxMessage)
        .where(
            OutboxMessage.next_try_at <= now,
            OutboxMessage.kind.in_(kinds),
            OutboxMessage.payload_sealed.is_not(None),
        )
        .order_by(OutboxMessage.expires_at.is_(None), OutboxMessage.expires_at, OutboxMessage.next_try_at)
        .limit(1)
    )
    with database.begin() as db:
        # Several threads look every second or so: looking takes no lock.
        if db.scalars(due.with_only_columns(OutboxMessage.id)).first() is None:
            return None
        begin_write(db)
        row = db.scalars(due.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        claimed = _Claimed(row, row.perhaps_taken)
        # A worker that dies with the message in hand gives it back when the claim lapses; how far it came,
        # nobody knows.
        row.next_try_at, row.perhaps_taken = now + _CLAIM, True
        return claimed


def _settle(db: Session, message_id: UUID, outcome: _Outcome, *, now: datetime) -> bool:
    """Note what became of a try; whether it was the last one."""
    message = db.get_one(OutboxMessage, message_id)
    message.tries += 1
    message.last_error, message.perhaps_taken = outcome.error, outcome.perhaps_taken
    if not outcome.error:
        message.delivered_at, message.next_try_at, message.payload_sealed = now, None, None
        message.reference = outcome.reference
        return True
    if outcome.given_up or message.tries > len(RETRY_AFTER):
        message.failed_at, message.next_try_at, message.payload_sealed = now, None, None
        return True
    again = now + timedelta(seconds=RETRY_AFTER[message.tries - 1])
    # What is too late at the next try is dropped when its time comes, not when the try would have.
    message.next_try_at = min(again, message.expires_at) if message.expires_at else again
    return False


def _named(db: Session, name: str, *, kind: str) -> OutboxMessage | None:
    """The newest message of this name, locked; a name that no message can have is not looked for."""
    if not (name and name.isascii() and name.isprintable() and len(name) <= _LONGEST_NAME):
        return None
    is_it = OutboxMessage.reference == name
    with suppress(ValueError):
        # The other side's names may be UUIDs too.
        is_it = or_(is_it, OutboxMessage.id == UUID(name))
    found = select(OutboxMessage).where(OutboxMessage.kind == kind, is_it)
    return db.scalars(found.order_by(OutboxMessage.id.desc()).limit(1).with_for_update()).first()


def _without_numbers(why: str) -> str:
    """One line of `why`: staff read it, and it may speak of a phone."""
    line = "".join(letter if letter.isprintable() else " " for letter in why[: 2 * _LONGEST_REPORT])
    return _LONG_NUMBER.sub("…", line)[:_LONGEST_REPORT]
