"""Finding rows of the audit trail: by day, action, actor, target, request; newest first, never by counting.

Pages follow one another by id, which is in the order of writing (UUIDv7), so the millionth page costs
what the first one does. A row whose id cannot be read has no place among them: verifications find it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from idp.accounts import audit_rows
from idp.accounts.audit import Action, AuditEvent, first_id_at
from idp.accounts.audit_rows import Line
from idp.accounts.calendar import day_begins

PAGE = 50
EXPORT_ROWS = 100_000
"""An export holds so many rows at most."""
_BATCH = 1000
_DAY = timedelta(days=1)
_NEWEST_FIRST = [AuditEvent.id.desc()]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; everything left empty is not asked for. Days are civil days, both included."""

    first_day: date | None = None
    last_day: date | None = None
    action: Action | None = None
    actor: str = ""
    target: str = ""
    request_id: str = ""
    without: frozenset[Action] = frozenset()
    """Actions that are left out."""
    among: frozenset[Action] = frozenset()
    """Actions that alone are looked for."""

    def recorded(self) -> dict[str, str]:
        """The same for the audit trail: what was given, as text."""
        return {name: str(value) for name, value in asdict(self).items() if value}


def page_of(
    db: Session, wanted: Wanted, *, before: UUID | None = None, limit: int = PAGE
) -> tuple[list[Line], bool]:
    """The newest rows older than the row `before`, and whether there are older ones still."""
    rows = _older(db, wanted, before, limit + 1)
    return rows[:limit], len(rows) > limit


def walk(session: Callable[[], Session], wanted: Wanted, *, limit: int = EXPORT_ROWS) -> Iterator[list[Line]]:
    """All rows, newest first, `limit` at most, in batches.

    Each batch has a session of its own, so whoever takes long to receive them holds no connection.
    """
    before, left = None, limit
    while left:
        size = min(_BATCH, left)
        with session() as db:
            rows = _older(db, wanted, before, size)
        if rows:
            yield rows
        if len(rows) < size:
            return
        before, left = rows[-1].id, left - size


def find_event(db: Session, event_id: UUID) -> Line | None:
    """One row, or None."""
    found = audit_rows.read(db, AuditEvent, AuditEvent.id == event_id, order=_NEWEST_FIRST, limit=1)
    return found[0] if found else None


def _older(db: Session, wanted: Wanted, before: UUID | None, limit: int) -> list[Line]:
    which = [audit_rows.has_an_id(db, AuditEvent.id), *_conditions(wanted)]
    if before is not None:
        which.append(AuditEvent.id < before)
    return audit_rows.read(db, AuditEvent, *which, order=_NEWEST_FIRST, limit=limit)


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.first_day:
        yield from _since(day_begins(wanted.first_day))
    if wanted.last_day:
        yield from _until(day_begins(wanted.last_day + _DAY))
    if wanted.request_id:
        # A request's id names its day (UTC), and there is an index for days alone.
        day = datetime.strptime(wanted.request_id[3:11], "%Y%m%d").replace(tzinfo=UTC)
        yield from (*_since(day), *_until(day + _DAY), AuditEvent.request_id == wanted.request_id)
    if wanted.action:
        yield AuditEvent.action == wanted.action.value
    if wanted.actor:
        yield AuditEvent.actor == wanted.actor
    if wanted.target:
        yield AuditEvent.target == wanted.target
    if wanted.among:
        yield AuditEvent.action.in_(sorted(wanted.among))
    if wanted.without:
        yield AuditEvent.action.not_in(sorted(wanted.without))


# A row's id is made within the request whose time it bears. A day more on either side costs little, and
# with both limits the rows of an old day are found without walking through all that came after.


def _since(instant: datetime) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.at >= instant, AuditEvent.id >= first_id_at(instant - _DAY)


def _until(instant: datetime) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.at < instant, AuditEvent.id < first_id_at(instant + _DAY)
