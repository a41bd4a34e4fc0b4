"""The staff at their console: signing in by password and code, looking a page over in every window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyotp

from tests.journeys.chrome import WIDTHS, Person
from tests.running_demo import wait_for

_spent: dict[str, int] = {}


def an_unused_code(account: dict[str, Any]) -> str:
    """A code of the account's app that nobody sent yet: each counts once, and so does its step."""

    def next_step() -> int | None:
        step = int(datetime.now(UTC).timestamp()) // 30
        # One step of drift is allowed, so the next code is taken before its time.
        free = max(step, _spent.get(account["account"], 0) + 1)
        return free if free <= step + 1 else None

    step: int = wait_for(next_step, 60)
    _spent[account["account"]] = step
    return pyotp.TOTP(account["totp_secret"]).generate_otp(step)


def comes_in(person: Person, account: dict[str, Any], look: Callable[[], None]) -> None:
    """Sign in at the console by password and code; `look` is called on each page."""
    person.open(f"{person.issuer}/staff")
    look()
    person.fill(account=account["account"], password=account["password"])
    person.solve_captcha()
    with person.page.expect_navigation():
        person.page.press("main [name=captcha]", "Enter")
    look()
    for _ in range(3):
        person.fill(code=an_unused_code(account))
        person.press("验证并进入工作台")
        # Another worker's test may have sent the same code.
        if "已经用过" not in person.reads():
            break
    assert "今日概览" in person.reads()


def at_every_width(person: Person) -> None:
    """Look the page over in every window."""
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 800})
        person.looks_over()
