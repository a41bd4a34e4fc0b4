"""Messages that must leave: rows written in the transaction of what caused them.

`idp worker` delivers them with retries and back-off, so nothing is lost by a crash and nobody
waits for a slow gateway. Payloads are sealed, and wiped once delivered or given up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.crypto import Vault
from idp.db import Base, Database, begin_write, uuid7

RETRY_AFTER = (5, 15, 60, 300, 900, 3600)
"""Seconds between tries; after the last one the message is given up."""
# Longer than a whole round of gateways that all keep us waiting, so that nobody else begins it anew.
_CLAIM = timedelta(minutes=5)


class NotDelivered(Exception):
    """The other side did not take the message now; it is tried again."""


class Undeliverable(Exception):
    """The other side will never take the message, or it is too late for it; it is given up at once."""


class OutboxMessage(Base):
    """A message on its way out."""

    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(120), default="")
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]

    __table_args__ = (Index("ix_outbox_due", "next_try_at"),)

    def payload(self, vault: Vault) -> dict[str, Any]:
        """What it says while it waits, with `id`, the same at every try, and `at`, when it was made.

        Raises idp.crypto.SealBroken.
        """
        told: dict[str, Any] = json.loads(vault.open("outbox.payload", self.id, self.payload_sealed or b""))
        return {**told, "id": str(self.id), "at": self.created_at.astimezone(UTC).isoformat()}


# Through Core: one row needs no unit of work, which costs more than the statement.
_QUEUED = insert(OutboxMessage.metadata.tables[OutboxMessage.__tablename__])


def enqueue(
    db: Session, vault: Vault, *, kind: str, subject: str, payload: dict[str, Any], now: datetime
) -> None:
    """Add a message to the caller's transaction; `subject` groups messages and holds no personal data."""
    message_id = uuid7()
    values = {
        "id": message_id,
        "kind": kind,
        "subject": subject,
        "payload_sealed": vault.seal("outbox.payload", message_id, json.dumps(payload)),
        "tries": 0,
        "last_error": "",
        "next_try_at": now,
        "created_at": now,
    }
    db.connection().execute(_QUEUED, values)


def last_messages(db: Session, *, kind: str, subject: str, limit: int) -> list[OutboxMessage]:
    """The latest messages of a kind and a subject; ids begin with the time of their making."""
    of_subject = select(OutboxMessage).where(OutboxMessage.kind == kind, OutboxMessage.subject == subject)
    return list(db.scalars(of_subject.order_by(OutboxMessage.id.desc()).limit(limit)))


def deliver_due(
    database: Database,
    vault: Vault,
    deliverers: Mapping[str, Callable[[dict[str, Any]], None]],
    *,
    now: datetime,
    limit: int = 20,
) -> int:
    """Deliver what is due, each message claimed first so that several workers never send it twice at once.

    The deliverer runs outside any transaction. Returns how many messages were tried.
    """
    claimed = _claim(database, tuple(deliverers), now=now, limit=limit)
    for message in claimed:
        error, given_up = "", False
        try:
            deliverers[message.kind](message.payload(vault))
        except (NotDelivered, Undeliverable) as refused:
            error = str(refused)[:200] or "not delivered"
            given_up = isinstance(refused, Undeliverable)
        except Exception as fault:  # noqa: BLE001 - one message with a fault must not hold up the others
            # The kind only: an exception's text may hold what the message says.
            error = type(fault).__name__
        with database.begin() as db:
            _settle(db, message.id, error, given_up=given_up, now=now)
    return len(claimed)


def _claim(database: Database, kinds: tuple[str, ...], *, now: datetime, limit: int) -> list[OutboxMessage]:
    with database.begin() as db:
        begin_write(db)
        due = (
            select(OutboxMessage)
            .where(OutboxMessage.next_try_at <= now, OutboxMessage.kind.in_(kinds))
            .order_by(OutboxMessage.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = [row for row in db.scalars(due) if row.payload_sealed]
        for row in rows:
            # A worker that dies with the message in hand gives it back when the claim lapses.
            row.next_try_at = now + _CLAIM
        return rows


def _settle(db: Session, message_id: UUID, error: str, *, given_up: bool, now: datetime) -> None:
    message = db.get_one(OutboxMessage, message_id)
    message.tries += 1
    message.last_error = error
    if not error:
        message.delivered_at, message.next_try_at, message.payload_sealed = now, None, None
    elif given_up or message.tries > len(RETRY_AFTER):
        message.failed_at, message.next_try_at, message.payload_sealed = now, None, None
    else:
        message.next_try_at = now + timedelta(seconds=RETRY_AFTER[message.tries - 1])
