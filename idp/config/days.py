"""What a list of days in a setting may look like."""

from __future__ import annotations

from datetime import date


def check_days(variable: str, value: str) -> None:
    """Return if `value` is a list of days, `2026-10-01,2026-10-02`, or empty.

    Raises ValueError with a sentence that names `variable` and what is no day.
    """
    for said in filter(None, (part.strip() for part in value.split(","))):
        try:
            date.fromisoformat(said)
        except ValueError:
            msg = f"{variable} names days as 2026-10-01, separated by commas; {said!r} is none."
            raise ValueError(msg) from None
