"""The figures of a civil day: sign-ins, refusals, live sign-ins, messages on their way.

What happened is counted by one grouped query over the trail's index on time; what is so now is counted
from sign-ins and the outbox. A process asks at most every twenty seconds, however many look.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session

from idp.accounts import audit_rows
from idp.accounts.audit import Action, AuditEvent, first_id_at
from idp.accounts.calendar import civil_day, day_begins
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import SigninSession

HOURS = 24
FRESH = timedelta(seconds=20)
"""Figures this old are shown again without asking the database."""
WAYS = ("密码", "密码+动态口令", "通行密钥", "扫码")
REASONS = ("密码不正确", "频率限制", "账号不可用", "第二步未通过")
OTHER_WAY, OTHER_REASON = "其他方式", "其他原因"
_WHY = {
    "password": "密码不正确",
    "not allowed": "账号不可用",
    "first use": "账号不可用",
    "code": "第二步未通过",
}
_COUNTED = (
    Action.SIGNED_IN,
    Action.SIGN_IN_REFUSED,
    Action.PROOF_REFUSED,
    Action.STAFF_SIGNED_IN,
    Action.STAFF_SIGN_IN_REFUSED,
)
# A message is given up within hours; one of a worker that was away may be older.
_GIVEN_UP_WITHIN = timedelta(days=7)

ByHour = dict[str, list[int]]


@dataclass(slots=True)
class Outgoing:
    """Messages that wait to leave: how many of a kind, and since when the oldest does."""

    waiting: dict[str, int] = field(default_factory=dict)
    oldest: datetime | None = None
    given_up: int = 0

    @property
    def total(self) -> int:
        """How many wait."""
        return sum(self.waiting.values())


@dataclass(slots=True)
class Figures:
    """A day in numbers, as they were at the instant `at`; each name has one number an hour."""

    day: date
    at: datetime
    ways: ByHour = field(default_factory=lambda: _by_hour(WAYS))
    reasons: ByHour = field(default_factory=lambda: _by_hour(REASONS))
    staff_sign_ins: int = 0
    staff_refused: int = 0
    live: int = 0
    outgoing: Outgoing = field(default_factory=Outgoing)

    @property
    def sign_ins(self) -> int:
        """Sign-ins of the day."""
        return _total(self.ways)

    @property
    def refused(self) -> int:
        """Sign-ins refused that day, for whatever reason."""
        return _total(self.reasons)

    @property
    def throttled(self) -> int:
        """Those refused because of too many tries."""
        return sum(self.reasons["频率限制"])


class DayFigures:
    """The figures of today as this process last read them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Figures | None = None

    def today(self, db: Session, *, idle: timedelta, now: datetime) -> Figures:
        """Not older than FRESH. One thread asks the database, the others wait for it."""
        with self._lock:
            last = self._last
            if last is None or last.day != civil_day(now) or not timedelta(0) <= now - last.at < FRESH:
                self._last = last = figures_of(db, idle=idle, now=now)
            return last


def figures_of(db: Session, *, idle: timedelta, now: datetime) -> Figures:
    """The figures of the civil day it is at `now`; a sign-in unused for `idle` is not live."""
    figures = Figures(civil_day(now), now)
    for row in db.execute(_happened(db, figures.day)):
        _add(figures, row)
    figures.live = _live(db, idle=idle, now=now)
    figures.outgoing = _outgoing(db, figures.day)
    return figures


def way_of(amr: str | None) -> str:
    """The way of a sign-in, from its `amr` as JSON."""
    used = _read(amr)
    if "qr" in used:
        return "扫码"
    if "hwk" in used:
        return "通行密钥"
    if "pwd" in used:
        return "密码+动态口令" if "otp" in used else "密码"
    return OTHER_WAY


def reason_of(action: str, why: str | None) -> str:
    """Why a sign-in or a proof after it was refused; a passkey counts as the second step it may stand for."""
    if why == "throttled":
        return "频率限制"
    if action == Action.PROOF_REFUSED or (why or "").startswith("passkey"):
        return "第二步未通过"
    return _WHY.get(why or "", OTHER_REASON)


def _happened(db: Session, day: date) -> Select[Any]:
    begin = day_begins(day)
    hours = [begin + timedelta(hours=number) for number in range(HOURS + 1)]
    # Compared with the hours' own beginnings: no database has to know in which zone the day lies.
    hour = case(
        *((AuditEvent.at < until, number) for number, until in enumerate(hours[1:-1])), else_=HOURS - 1
    )
    events = (
        select(
            hour.label("hour"),
            AuditEvent.action.label("action"),
            audit_rows.text_in(db, AuditEvent.detail, "why").label("why"),
            audit_rows.text_in(db, AuditEvent.detail, "amr").label("amr"),
            AuditEvent.target.startswith("staff:").label("of_staff"),
        )
        .where(AuditEvent.at >= hours[0], AuditEvent.at < hours[-1], AuditEvent.action.in_(_COUNTED))
        .subquery()
    )
    told = (events.c.hour, events.c.action, events.c.why, events.c.amr, events.c.of_staff)
    return select(*told, func.count().label("times")).group_by(*told)


def _add(figures: Figures, row: Row[Any]) -> None:
    if row.action == Action.STAFF_SIGNED_IN:
        figures.staff_sign_ins += row.times
    elif row.action == Action.STAFF_SIGN_IN_REFUSED or row.of_staff:
        figures.staff_refused += row.times
    elif row.action == Action.SIGNED_IN:
        _count(figures.ways, way_of(_text(row.amr)), row)
    else:
        _count(figures.reasons, reason_of(row.action, _text(row.why)), row)


def _text(told: str | bytes | None) -> str:
    return audit_rows.as_bytes(told).decode(errors="replace")


def _count(by_hour: ByHour, name: str, row: Row[Any]) -> None:
    by_hour.setdefault(name, [0] * HOURS)[row.hour] += row.times


def _live(db: Session, *, idle: timedelta, now: datetime) -> int:
    live = (
        SigninSession.expires_at > now,
        SigninSession.ended_at.is_(None),
        SigninSession.seen_at > now - idle,
    )
    return db.scalar(select(func.count()).select_from(SigninSession).where(*live)) or 0


def _outgoing(db: Session, day: date) -> Outgoing:
    found = Outgoing()
    waiting = (
        select(OutboxMessage.kind, func.count(), func.min(OutboxMessage.created_at))
        .where(OutboxMessage.next_try_at.is_not(None))
        .group_by(OutboxMessage.kind)
    )
    for kind, count, oldest in db.execute(waiting):
        found.waiting[kind] = count
        found.oldest = min(found.oldest or oldest, oldest)
    begin = day_begins(day)
    given_up = (OutboxMessage.id >= first_id_at(begin - _GIVEN_UP_WITHIN), OutboxMessage.failed_at >= begin)
    found.given_up = db.scalar(select(func.count()).select_from(OutboxMessage).where(*given_up)) or 0
    return found


def _by_hour(names: tuple[str, ...]) -> ByHour:
    return {name: [0] * HOURS for name in names}


def _total(by_hour: Mapping[str, list[int]]) -> int:
    return sum(map(sum, by_hour.values()))


def _read(amr: str | None) -> set[str]:
    try:
        told = json.loads(amr or "[]")
    except ValueError:
        return set()
    return {str(one) for one in told} if isinstance(told, list) else set()
