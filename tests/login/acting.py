"""What the tests of the sign-in do again and again: typing, waiting, comparing what a stranger sees."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from sqlalchemy import update

from idp.accounts.models import Credential
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World

WRONG = "Not-this-one 7"
VAGUE = "账号或密码不正确，请核对后重新填写"
TOO_MANY = "尝试次数过多"
ONES_SIGN_INS = "登录记录"

_MADE_ANEW = (
    (r'name="csrf_token" value="[^"]+"', "csrf"),
    (r'value="[^"]+"(?=[^>]*name="captcha_id")|name="captcha_id"[^>]*value="[^"]+"', "captcha"),
    (r"/captcha/[A-Za-z0-9_-]+\.", "captcha"),
    (r"TX-\d{8}-\w{4}-\w{4}", "request"),
    (r"\d\d:\d\d:\d\d", "time"),
)


def later(**after: float) -> AbstractContextManager[Any]:
    """The same world, `after` (as timedelta takes it) from now."""
    return time_machine.travel(datetime.now(UTC) + timedelta(**after), tick=True)


def type_in(browser: Browser, way: str, password: str = WRONG, **fields: str) -> Page:
    """Open one of the three password pages, type `fields` and `password`, solve the captcha, send."""
    browser.open(f"/login/{way}")
    return browser.submit_with_captcha({**fields, "password": password}, follow=False)


def names_of(known: APerson | ACompany | AnOperator) -> tuple[str, dict[str, str]]:
    """The way of somebody and the names he types there."""
    if isinstance(known, APerson):
        return "person", {"account": known.account}
    if isinstance(known, ACompany):
        return "legal", {"account": known.uscc}
    return "operator", {"enterprise": known.company.uscc, "account": known.phone}


def what_a_stranger_sees(page: Page, *typed: str) -> tuple[int, str, str]:
    """Status, Location and body; what differs in every answer and what was typed is masked."""
    body = page.html
    for pattern, word in _MADE_ANEW:
        body = re.sub(pattern, word, body)
    for word in typed:
        body = body.replace(word, "typed")
    return page.status, page.location, body


def is_in(page: Page) -> bool:
    """Whether this answer let somebody in."""
    return page.status == 303 and page.location.endswith("/sessions")


def change_password(world: World, person: APerson, password: str) -> None:
    """Set a person's password anew, as the reset will do."""
    with world.write() as db:
        db.execute(
            update(Credential)
            .where(Credential.person_id == person.row.id)
            .values(password_hash=world.hash(password), changed_at=world.now())
        )
