"""Verifications of the whole trail: asked for at the console, done by the worker, kept with their outcome.

One runs at a time. A worker says every few minutes that it is still at it; one that has said nothing for
an hour is dead, and its check is taken up by another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, String, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.audit import Action, Event, Origin, Trail, first_id_at
from idp.accounts.calendar import civil_day, day_begins
from idp.db import Base, Database, begin_write, uuid7

MOST_FAULTS = 100
BY_ITSELF = "worker"
"""Who asks for the check of each day."""
SILENCE = timedelta(hours=1)
"""A worker that has said nothing for so long is dead."""
_SIGN_OF_LIFE = timedelta(minutes=5)


class AuditCheck(Base):
    """One verification. `faults` are the sentences of what was found, the first hundred.

    `started_at` is when a worker last said that it is at it, `events` how many rows it has looked at.
    """

    __tablename__ = "audit_checks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    events: Mapped[int] = mapped_column(default=0)
    faults: Mapped[list[str]] = mapped_column(JSON, default=list)


@dataclass(frozen=True, slots=True)
class Taken:
    """A check that a worker has taken, and when it last said so."""

    id: UUID
    begun: datetime


class AlreadyAsked(Exception):
    """A verification waits or runs already."""


class Interrupted(Exception):
    """The worker has to stop; `clock` raises it, and the check waits for the next one at once."""


class TakenOver(Exception):
    """Another worker has this check now: this one had been silent for too long."""


def ask(db: Session, trail: Trail, origin: Origin, *, now: datetime) -> AuditCheck:
    """Ask for a verification. Raises AlreadyAsked."""
    begin_write(db)
    if db.scalars(select(AuditCheck.id).where(AuditCheck.finished_at.is_(None)).limit(1)).first():
        raise AlreadyAsked
    check = AuditCheck(id=uuid7(), asked_by=origin.actor, asked_at=now, events=0, faults=[])
    db.add(check)
    trail.record(db, Event(Action.AUDIT_VERIFIED, target=_key(check.id)), origin, now=now)
    return check


def ask_once_a_day(db: Session, *, now: datetime) -> None:
    """Ask for the check of the civil day, if nobody did; two at once: one gets an IntegrityError."""
    today = civil_day(now)
    if db.get(AuditCheck, _of_day(today)) is None:
        db.add(AuditCheck(id=_of_day(today), asked_by=BY_ITSELF, asked_at=now, events=0, faults=[]))
        db.flush()


def last_checks(db: Session, *, limit: int = 10) -> list[AuditCheck]:
    """The latest checks, newest first."""
    newest = select(AuditCheck).order_by(AuditCheck.asked_at.desc(), AuditCheck.id.desc())
    return list(db.scalars(newest.limit(limit)))


def take(db: Session, *, now: datetime) -> Taken | None:
    """The check this worker is to do now, marked as begun; None if there is none or another is at it.

    All workers look at the oldest open check only, and one of them marks it: so one runs at a time.
    """
    open_ones = select(AuditCheck.id, AuditCheck.started_at).where(AuditCheck.finished_at.is_(None))
    oldest = db.execute(open_ones.order_by(AuditCheck.asked_at, AuditCheck.id).limit(1)).first()
    if oldest is None or (oldest.started_at and oldest.started_at > now - SILENCE):
        return None
    free = or_(AuditCheck.started_at.is_(None), AuditCheck.started_at <= now - SILENCE)
    marked = _write(db, (AuditCheck.id == oldest.id) & free, started_at=now, events=0)
    return Taken(oldest.id, now) if marked else None


def perform(database: Database, trail: Trail, taken: Taken, *, clock: Callable[[], datetime]) -> int:
    """Verify the whole trail for a check this worker has taken; how many faults there are.

    Runs outside any transaction. `clock` gives the time, or raises Interrupted.

    Raises TakenOver, Interrupted.
    """
    alive, faults, count = _Alive(database, taken, clock), list[str](), 0
    try:
        with database.session() as reading:
            for fault in trail.verify(reading, progress=alive.looked_at):
                count += 1
                if len(faults) < MOST_FAULTS:
                    faults.append(fault)
        now = clock()
    except Interrupted:
        with database.begin() as db:
            _write(db, _held(taken.id, alive.begun), started_at=None, events=0)
        raise
    with database.begin() as db:
        begin_write(db)
        mine = _held(taken.id, alive.begun)
        if not _write(db, mine, finished_at=now, events=alive.rows, faults=faults):
            raise TakenOver
        detail = {"events": alive.rows, "faults": count}
        told = Event(Action.AUDIT_VERIFIED, target=_key(taken.id), detail=detail)
        trail.record(db, told, Origin(BY_ITSELF), now=now)
    return count


class _Alive:
    """Says now and then that the worker is still at it, and how far it is."""

    def __init__(self, database: Database, taken: Taken, clock: Callable[[], datetime]) -> None:
        self._database, self._check_id, self._clock = database, taken.id, clock
        self.begun, self.rows = taken.begun, 0

    def looked_at(self, rows: int) -> None:
        """So many rows more were looked at. Raises TakenOver."""
        self.rows += rows
        now = self._clock()
        if now - self.begun < _SIGN_OF_LIFE:
            return
        with self._database.begin() as db:
            if not _write(db, _held(self._check_id, self.begun), started_at=now, events=self.rows):
                raise TakenOver
        self.begun = now


def _held(check_id: UUID, begun: datetime) -> ColumnElement[bool]:
    return (AuditCheck.id == check_id) & AuditCheck.finished_at.is_(None) & (AuditCheck.started_at == begun)


def _write(db: Session, which: ColumnElement[bool], **values: object) -> bool:
    change = update(AuditCheck).where(which).values(**values)
    written = db.execute(change, execution_options={"synchronize_session": False})
    return bool(written.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _of_day(day: date) -> UUID:
    # The same for every worker, so the primary key lets one of them ask.
    return UUID(int=first_id_at(day_begins(day)).int | 7 << 76 | 2 << 62)


def _key(check_id: UUID) -> str:
    return f"check:{check_id}"
