"""Working days in Asia/Shanghai, with the holidays and the weekends worked that an installation names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.accounts.calendar import SHANGHAI
from idp.accounts.working_days import WorkCalendar, due_after

PLAIN = WorkCalendar()
AROUND = WorkCalendar.of("2026-10-01, 2026-10-02,2026-10-05,,2026-10-06,2026-10-07", "2026-10-10")


@pytest.mark.parametrize(
    ("now", "days", "calendar", "due"),
    [
        # A Friday, a Saturday and a Sunday count from the Monday after.
        ("2026-11-20 10:00", 3, PLAIN, "2026-11-25 23:59"),
        ("2026-11-21 10:00", 3, PLAIN, "2026-11-25 23:59"),
        ("2026-11-22 23:59", 1, PLAIN, "2026-11-23 23:59"),
        ("2026-11-23 00:00", 1, PLAIN, "2026-11-24 23:59"),
        # Over the holiday, with the Saturday that is worked instead.
        ("2026-09-30 09:00", 3, AROUND, "2026-10-10 23:59"),
        ("2026-09-30 09:00", 3, PLAIN, "2026-10-05 23:59"),
    ],
)
def test_a_due_day_is_the_last_minute_of_that_working_day(
    now: str, days: int, calendar: WorkCalendar, due: str
) -> None:
    instant = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI).astimezone(UTC)
    found = due_after(instant, days, calendar)
    assert found.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") == due
