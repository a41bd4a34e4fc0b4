"""Working days in Asia/Shanghai: Monday to Friday, but for the holidays and the weekends worked instead.

Both are announced for each year anew, so an installation says them (`days_off`, `workdays`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from idp.accounts.calendar import civil_day, day_begins
from idp.config import Settings

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Which days are worked on beside the ordinary week."""

    days_off: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, days_off: str, workdays: str) -> WorkCalendar:
        """From two settings: ISO days separated by commas, already checked."""
        return cls(_days(days_off), _days(workdays))

    def is_worked(self, day: date) -> bool:
        """Whether people work on `day`; one that is named twice is worked on."""
        if day in self.workdays:
            return True
        return day.weekday() < _SATURDAY and day not in self.days_off


def calendar_of(settings: Settings) -> WorkCalendar:
    """The days that an installation has announced."""
    return WorkCalendar.of(settings.days_off, settings.workdays)


def due_after(now: datetime, days: int, calendar: WorkCalendar) -> datetime:
    """The last minute of the `days`-th working day after the civil day of `now`.

    A minute before midnight, so that a sentence which names the instant names that day.
    """
    day, left = civil_day(now), days
    while left:
        day += _DAY
        left -= calendar.is_worked(day)
    return day_begins(day + _DAY) - timedelta(minutes=1)


def _days(said: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(one.strip()) for one in said.split(",") if one.strip())
