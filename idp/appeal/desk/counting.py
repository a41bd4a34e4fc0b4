"""How the work at the desk stands: figures, days and agents of 30 days, and the rows of an export."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.accounts.calendar import civil_day, day_begins
from idp.appeal.models import OPEN, Appeal, State

DAYS: Final = 30
"""Days that the figures look back, today included."""
EXPORT_ROWS: Final = 100_000
_BATCH: Final = 1000
_WEEK: Final = 7
_DECIDED: Final = (State.APPROVED.value, State.REFUSED.value)
_RUNNING: Final = (State.WAITING.value, State.IN_HAND.value, State.SECOND.value)


@dataclass(slots=True)
class Agent:
    """What one staff member did in these days, and has in hand now."""

    in_hand: int = 0
    approved: int = 0
    refused: int = 0
    proposed: int = 0


@dataclass(slots=True)
class Figures:
    """The figures at an instant; hours are from the submission (or what was sent in last) to the decision.

    What ended because nobody answered was not decided by the desk, and has no hours.
    """

    open_by_state: dict[State, int]
    overdue: int
    decided_today: int = 0
    decided_week: int = 0
    median_hours: float | None = None
    slow_hours: float | None = None
    """Nine in ten were decided sooner."""
    days: tuple[date, ...] = ()
    submitted: list[int] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    agents: dict[UUID, Agent] = field(default_factory=dict)


def figures_of(db: Session, *, now: datetime) -> Figures:
    """The figures of the desk."""
    today = civil_day(now)
    days = tuple(today - timedelta(days=before) for before in range(DAYS - 1, -1, -1))
    found = Figures(_open(db), _overdue(db, now=now), days=days)
    begin = day_begins(days[0])
    found.submitted = _by_day(days, _instants(db, Appeal.first_submitted_at, begin))
    decided = _decided(db, begin)
    found.decided = _by_day(days, [row.decided_at for row in decided])
    found.decided_today, found.decided_week = found.decided[-1], sum(found.decided[-_WEEK:])
    hours = [_hours(row) for row in decided if row.submitted_at and row.decided_by]
    if hours:
        found.median_hours = statistics.median(hours)
        found.slow_hours = statistics.quantiles(hours, n=10)[-1] if len(hours) > 1 else hours[0]
    found.agents = _agents(db, decided, begin)
    return found


def rows_since(session: Callable[[], Session], since: datetime) -> Iterator[Sequence[Any]]:
    """What an export holds of the appeals sent in since then, the oldest first, batch by batch.

    Each batch has a session of its own, so whoever takes long to receive them holds no connection.
    """
    after, left = UUID(int=0), EXPORT_ROWS
    while left:
        with session() as db:
            batch = db.execute(
                select(
                    Appeal.id,
                    Appeal.number,
                    Appeal.kind,
                    Appeal.state,
                    Appeal.differences,
                    Appeal.first_submitted_at,
                    Appeal.submitted_at,
                    Appeal.due_at,
                    Appeal.claimed_at,
                    Appeal.proposed_at,
                    Appeal.decided_at,
                    Appeal.decided_by,
                )
                .where(Appeal.id > after, Appeal.first_submitted_at >= since)
                .order_by(Appeal.id)
                .limit(min(_BATCH, left))
            ).all()
        if not batch:
            return
        yield batch
        after, left = batch[-1].id, left - len(batch)


def _open(db: Session) -> dict[State, int]:
    counted = select(Appeal.state, func.count()).where(Appeal.state.in_(sorted(OPEN))).group_by(Appeal.state)
    numbers = {state: number for state, number in db.execute(counted)}  # noqa: C416 - dict() knows no rows
    return {state: numbers.get(state.value, 0) for state in State if state in OPEN}


def _overdue(db: Session, *, now: datetime) -> int:
    late = (Appeal.state.in_(_RUNNING), Appeal.due_at < now)
    return db.scalar(select(func.count()).select_from(Appeal).where(*late)) or 0


def _instants(db: Session, column: Any, begin: datetime) -> list[datetime]:
    return list(db.scalars(select(column).where(column >= begin)))


def _decided(db: Session, begin: datetime) -> Sequence[Any]:
    which = (Appeal.decided_at >= begin, Appeal.state.in_(_DECIDED))
    columns = (Appeal.submitted_at, Appeal.decided_at, Appeal.state, Appeal.decided_by)
    return db.execute(select(*columns).where(*which)).all()


def _hours(row: Any) -> float:
    spent: timedelta = row.decided_at - row.submitted_at
    return spent.total_seconds() / 3600


def _by_day(days: Sequence[date], instants: Sequence[datetime]) -> list[int]:
    counted = Counter(civil_day(instant) for instant in instants)
    return [counted[day] for day in days]


def _agents(db: Session, decided: Sequence[Any], begin: datetime) -> dict[UUID, Agent]:
    found: dict[UUID, Agent] = {}
    for row in decided:
        if row.decided_by is None:
            continue
        agent = found.setdefault(row.decided_by, Agent())
        if row.state == State.APPROVED.value:
            agent.approved += 1
        else:
            agent.refused += 1
    held = select(Appeal.claimed_by, func.count()).where(Appeal.state == State.IN_HAND.value)
    for member_id, number in db.execute(held.group_by(Appeal.claimed_by)):
        if member_id:
            found.setdefault(member_id, Agent()).in_hand = number
    first = select(Appeal.proposed_by, func.count()).where(Appeal.proposed_at >= begin)
    for member_id, number in db.execute(first.group_by(Appeal.proposed_by)):
        if member_id:
            found.setdefault(member_id, Agent()).proposed = number
    return found
