"""Verifications of the whole trail: asked for at the console, done by the worker, kept with their outcome.

One runs at a time. A worker says every few minutes that it is still at it; one that has said nothing for
an hour is dead, and its check is taken up by another. A finished check bears a MAC and an anchor: how far the
trail went, for the checks after it to compare with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, String, literal, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts import audit_rows
from idp.accounts.audit import Action, Event, Origin, Trail, first_id_at
from idp.accounts.audit_rows import Line
from idp.accounts.audit_verification import Anchor, Verification
from idp.accounts.calendar import civil_day, day_begins
from idp.crypto import same
from idp.db import Base, Database, begin_write, is_outage, uuid7

MOST_FAULTS = 100
BY_ITSELF = "worker"
"""Who asks for the check of each day."""
SILENCE = timedelta(hours=1)
"""A worker that has said nothing for so long is dead."""
_SIGN_OF_LIFE = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(minutes=5)
"""By so much the clocks of two machines may differ."""


class AuditCheck(Base):
    """One verification. `faults` are the sentences of what was found, the first hundred.

    `started_at` is when a worker last said that it is at it, `events` how many rows it has looked at. The
    last three say, once it is finished, with which batch the trail ended, and that all this is ours.
    """

    __tablename__ = "audit_checks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    events: Mapped[int] = mapped_column(default=0)
    faults: Mapped[list[str]] = mapped_column(JSON, default=list)
    head_number: Mapped[int | None]
    head_digest: Mapped[str | None] = mapped_column(String(64))
    mac: Mapped[str | None] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Taken:
    """A check that a worker has taken, and when it last said so."""

    id: UUID
    begun: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check came to: how many faults there are, and how far the trail goes."""

    faults: int
    anchor: Anchor


class AlreadyAsked(Exception):
    """A verification waits or runs already."""


class Interrupted(Exception):
    """The worker has to stop; `clock` raises it, and the check waits for the next one at once."""


class TakenOver(Exception):
    """Another worker has this check now: this one had been silent for too long."""


def ask(db: Session, trail: Trail, origin: Origin, *, now: datetime) -> UUID:
    """Ask for a verification; its id. Raises AlreadyAsked."""
    begin_write(db)
    if _is_there(db, AuditCheck.finished_at.is_(None)):
        raise AlreadyAsked
    check = AuditCheck(id=uuid7(), asked_by=origin.actor, asked_at=now, events=0, faults=[])
    db.add(check)
    trail.record(db, Event(Action.AUDIT_VERIFIED, target=_key(check.id)), origin, now=now)
    return check.id


def ask_once_a_day(db: Session, *, now: datetime) -> None:
    """Ask for the check of the civil day, if nobody did; two at once: one gets an IntegrityError."""
    today = _of_day(civil_day(now))
    if not _is_there(db, AuditCheck.id == today):
        db.add(AuditCheck(id=today, asked_by=BY_ITSELF, asked_at=now, events=0, faults=[]))
        db.flush()


def last_checks(db: Session, *, limit: int = 10) -> list[Line]:
    """The latest checks, newest first."""
    named = audit_rows.has_an_id(db, AuditCheck.id)
    return audit_rows.read(
        db, AuditCheck, named, order=[AuditCheck.asked_at.desc(), AuditCheck.id.desc()], limit=limit
    )


def last_finished(checks: Iterable[Line], *, now: datetime) -> Line | None:
    """The one of `checks`, newest first, whose outcome counts: not that of a wrong clock, days ahead."""
    ahead = now + _CLOCKS_DIFFER
    return next((check for check in checks if check.finished_at and check.finished_at <= ahead), None)


def anchor_of(trail: Trail, check: Line) -> Anchor | None:
    """What a finished check knows of the trail; None if it tells something else than the worker wrote."""
    if check.finished_at is None or check.unreadable or not same(check.mac or "", _mac(trail, check)):
        return None
    by = f"the check of {check.finished_at:%Y-%m-%dT%H:%M:%SZ}"
    return Anchor(check.head_number, check.head_digest, check.events, by)


def changed(check: Line) -> str:
    """The sentence for a check that is not as the worker wrote it."""
    return f"Check {check.id or 'without a readable id'} was changed."


def known(db: Session, trail: Trail) -> tuple[list[Anchor], list[str]]:
    """What the finished checks know of the trail, and a sentence for each of them that was changed."""
    anchors, faults = [], []
    finished = AuditCheck.finished_at.is_not(None)
    for check in audit_rows.read(db, AuditCheck, finished, order=[AuditCheck.asked_at.asc()]):
        anchor = anchor_of(trail, check)
        if anchor:
            anchors.append(anchor)
        else:
            faults.append(changed(check))
    return anchors, faults


def take(db: Session, *, now: datetime) -> Taken | None:
    """The check this worker is to do now, marked as begun; None if there is none or another is at it.

    All workers look at the oldest open check only, and one of them marks it: so one runs at a time.
    """
    named = audit_rows.has_an_id(db, AuditCheck.id)
    open_ones = (AuditCheck.finished_at.is_(None), named)
    oldest = audit_rows.read(
        db, AuditCheck, *open_ones, order=[AuditCheck.asked_at.asc(), AuditCheck.id.asc()], limit=1
    )
    # A sign of life from later than now was given under a wrong clock, and would count until then.
    silent, ahead = now - SILENCE, now + _CLOCKS_DIFFER
    if not oldest or (oldest[0].started_at and silent < oldest[0].started_at <= ahead):
        return None
    free = or_(
        AuditCheck.started_at.is_(None), AuditCheck.started_at <= silent, AuditCheck.started_at > ahead
    )
    marked = _write(db, (AuditCheck.id == oldest[0].id) & free, started_at=now, events=0)
    return Taken(oldest[0].id, now) if marked else None


def perform(database: Database, trail: Trail, taken: Taken, *, clock: Callable[[], datetime]) -> Outcome:
    """Verify the whole trail for a check this worker has taken, and keep what was found.

    Runs outside any transaction. `clock` gives the time, or raises Interrupted. A trail that cannot be read
    to its end has that for a fault.

    Raises TakenOver, Interrupted, and whatever a database raises that does not answer.
    """
    alive, faults, count = _Alive(database, taken, clock), list[str](), 0
    try:
        with database.session() as reading:
            anchors, of_checks = known(reading, trail)
            verification = Verification(reading, trail, anchors, progress=alive.looked_at)
            for fault in _to_the_end(chain(of_checks, verification.faults())):
                count += 1
                if len(faults) < MOST_FAULTS:
                    faults.append(fault)
        now = clock()
    except Interrupted:
        with database.begin() as db:
            _write(db, _held(taken.id, alive.begun), started_at=None, events=0)
        raise
    head = verification.head
    outcome = {
        "finished_at": now,
        "events": alive.rows,
        "faults": faults,
        "head_number": head.number,
        "head_digest": head.digest,
    }
    mac = _mac(trail, Line(id=taken.id, **outcome))
    with database.begin() as db:
        begin_write(db)
        if not _write(db, _held(taken.id, alive.begun), **outcome, mac=mac):
            raise TakenOver
        detail = {"events": alive.rows, "faults": count, "anchor": str(head)}
        told = Event(Action.AUDIT_VERIFIED, target=_key(taken.id), detail=detail)
        trail.record(db, told, Origin(BY_ITSELF), now=now)
    return Outcome(count, head)


def _to_the_end(faults: Iterator[str]) -> Iterator[str]:
    try:
        yield from faults
    except (Interrupted, TakenOver):
        raise
    except Exception as error:
        if is_outage(error):
            raise
        # The name alone: the text may hold what a row says.
        yield f"The trail could not be read to its end: {type(error).__name__}."


class _Alive:
    """Says now and then that the worker is still at it, and how far it is."""

    def __init__(self, database: Database, taken: Taken, clock: Callable[[], datetime]) -> None:
        self._database, self._check_id, self._clock = database, taken.id, clock
        self.begun, self.rows = taken.begun, 0

    def looked_at(self, rows: int) -> None:
        """So many rows more were looked at. Raises TakenOver."""
        self.rows += rows
        now = self._clock()
        if abs(now - self.begun) < _SIGN_OF_LIFE:
            return
        with self._database.begin() as db:
            if not _write(db, _held(self._check_id, self.begun), started_at=now, events=self.rows):
                raise TakenOver
        self.begun = now


def _held(check_id: UUID, begun: datetime) -> ColumnElement[bool]:
    return (AuditCheck.id == check_id) & AuditCheck.finished_at.is_(None) & (AuditCheck.started_at == begun)


def _is_there(db: Session, which: ColumnElement[bool]) -> bool:
    return db.execute(select(literal(1)).select_from(AuditCheck).where(which).limit(1)).first() is not None


def _mac(trail: Trail, check: Line) -> str:
    told = (check.finished_at.astimezone(UTC).isoformat(), str(check.events), json.dumps(check.faults))
    return trail.signed(str(check.id), *told, str(check.head_number), check.head_digest or "")


def _write(db: Session, which: ColumnElement[bool], **values: object) -> bool:
    change = update(AuditCheck).where(which).values(**values)
    written = db.execute(change, execution_options={"synchronize_session": False})
    return bool(written.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _of_day(day: date) -> UUID:
    # The same for every worker, so the primary key lets one of them ask.
    return UUID(int=first_id_at(day_begins(day)).int | 7 << 76 | 2 << 62)


def _key(check_id: UUID) -> str:
    return f"check:{check_id}"
