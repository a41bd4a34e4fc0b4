"""How much time is left, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from idp.accounts.calendar import SHANGHAI
from idp.appeal.models import Appeal, State
from idp.web.words import span_words

_RUNNING = frozenset({State.WAITING.value, State.IN_HAND.value, State.SECOND.value})


@dataclass(frozen=True, slots=True)
class Left:
    """The words, and whether they are to be seen first: it is due, or was."""

    words: str
    is_hot: bool = False


def is_overdue(appeal: Appeal, *, now: datetime) -> bool:
    """Whether staff should have decided by now."""
    return appeal.state in _RUNNING and appeal.due_at is not None and appeal.due_at < now


def left_of(appeal: Appeal, *, now: datetime) -> Left:
    """What the list says: time left or overdue, until when the applicant may answer, or when it was over."""
    if appeal.state == State.MORE.value and appeal.answer_until:
        until = appeal.answer_until.astimezone(SHANGHAI)
        return Left(f"等待申请人，{until.month} 月 {until.day} 日截止")
    if appeal.state in _RUNNING and appeal.due_at:
        seconds = int((appeal.due_at - now).total_seconds())
        if seconds < 0:
            return Left(f"已逾期 {span_words(-seconds)}", is_hot=True)
        return Left(f"剩余 {span_words(seconds)}", is_hot=seconds < 4 * 3600)
    return Left(f"办结于 {day(appeal.decided_at)}" if appeal.decided_at else "—")


def day(instant: datetime) -> str:
    """The civil day of an instant: 2026-11-20."""
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d")
