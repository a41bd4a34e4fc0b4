"""Messages that wait to leave or were given up, newest first. What they say is not read.

Those of the last days alone: whoever looks wants to know what goes wrong now, and the ids of so many days
are a bounded walk in a table that also holds everything that was delivered.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from idp.accounts.audit import first_id_at
from idp.accounts.outbox import OutboxMessage

DAYS = 30
"""How far back one sees."""
PAGE = 50


class State(StrEnum):
    """What became of a message that has not arrived."""

    WAITING = "waiting"
    GIVEN_UP = "given_up"


_IN_STATE = {
    State.WAITING: OutboxMessage.next_try_at.is_not(None),
    # What was handed over and reported as lost has not arrived either.
    State.GIVEN_UP: or_(OutboxMessage.failed_at.is_not(None), OutboxMessage.report != ""),
}


def undelivered(
    db: Session, *, state: State | None = None, kind: str = "", before: UUID | None = None, now: datetime
) -> tuple[list[OutboxMessage], bool]:
    """A page of messages older than the row `before`, and whether there are older ones still."""
    which = [
        OutboxMessage.id >= first_id_at(now - timedelta(days=DAYS)),
        _IN_STATE[state] if state else or_(*_IN_STATE.values()),
    ]
    if kind:
        which.append(OutboxMessage.kind == kind)
    if before is not None:
        which.append(OutboxMessage.id < before)
    found = db.scalars(select(OutboxMessage).where(*which).order_by(OutboxMessage.id.desc()).limit(PAGE + 1))
    rows = list(found)
    return rows[:PAGE], len(rows) > PAGE
