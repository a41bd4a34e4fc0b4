"""Days of the calendar as the guides mean them: days in Asia/Shanghai, both ends included."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def civil_day(now: datetime) -> date:
    """The day it is in Asia/Shanghai at the instant `now`."""
    return now.astimezone(SHANGHAI).date()


def day_begins(day: date) -> datetime:
    """The first instant of `day` in Asia/Shanghai."""
    return datetime.combine(day, time.min, SHANGHAI)
