"""What the tests of the console's doors do again and again: typing, codes, passkeys, reading the trail."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pyotp
import time_machine
from sqlalchemy import select

from idp.accounts import factors
from idp.accounts.audit import AuditEvent
from idp.accounts.staff import StaffMember, StaffSession
from idp.proof.passkeys import Ceremony
from tests.authenticator import AnAuthenticator
from tests.world import AStaffMember, Browser, Page, World

VAGUE = "账号或密码不正确，请核对后重新填写"
TOO_MANY = "尝试次数过多"
GONE = "这一步已经失效"


def later(**after: float) -> AbstractContextManager[Any]:
    """The same world, `after` (as timedelta takes it) from now."""
    return time_machine.travel(datetime.now(UTC) + timedelta(**after), tick=True)


def a_code(secret: str, *, ahead: int = 0) -> str:
    """What the authenticator app shows now, or `ahead` seconds later."""
    return pyotp.TOTP(secret).at(int(datetime.now(UTC).timestamp()) + ahead)


def type_password(
    browser: Browser, account: str, password: str, *, at: str = "/staff/sign-in", follow: bool = True
) -> Page:
    """Open the sign-in of the console, type account and password, solve the captcha, send."""
    browser.open(at)
    return browser.submit_with_captcha({"account": account, "password": password}, follow=follow)


def at_second(world: World, member: AStaffMember, **given: Any) -> Browser:
    """A browser that stands before the second step."""
    browser = world.browser(**given)
    page = type_password(browser, member.account, member.password)
    assert page.url.startswith("/staff/sign-in/second?"), page.text
    return browser


def signed_in(world: World, member: AStaffMember) -> Browser:
    """A browser in which `member` came in by password and code."""
    browser = at_second(world, member)
    assert is_in(browser.submit({"code": a_code(member.totp_secret)}, follow=False))
    return browser


def is_in(page: Page) -> bool:
    """Whether this answer let somebody into the console."""
    return page.status == 303 and bool(console_cookie(page))


def console_cookie(page: Page) -> str:
    """The header by which this answer sets the console's cookie; empty if it sets none."""
    given = page.response.headers.getlist("Set-Cookie")
    return next((header for header in given if header.startswith("idp_staff=")), "")


def passkey_options(page: Page) -> tuple[str, str]:
    """The challenge of a page: its id, and the options for the browser."""
    form = re.search(r"<form[^>]*data-passkey.*?</form>", page.html, re.DOTALL)
    assert form, page.text
    options = re.search(r'data-options="([^"]*)"', form[0])
    challenge = re.search(r'name="challenge_id" value="([^"]*)"', form[0])
    assert options
    assert challenge
    return challenge[1], unescape(options[1])


def a_passkey(world: World, member: StaffMember) -> AnAuthenticator:
    """A passkey of `member`, on an authenticator of its own."""
    authenticator, platform = AnAuthenticator(), world.platform
    ceremony = Ceremony(platform.store, world.settings, platform.vault, "a browser")
    asked = ceremony.ask_to_add(member.key, label=member.account, present=())
    verified = ceremony.check_added(asked.id, authenticator.create(asked.options), member.key)
    with world.write() as db:
        factors.add_passkey(db, account=member.key, name="安全密钥", now=world.now(), **verified)
    return authenticator


def trail(world: World, target: str = "") -> list[tuple[str, str, dict[str, Any]]]:
    """Action, actor and detail of each line about `target`, or of all."""
    lines = select(AuditEvent).order_by(AuditEvent.id)
    if target:
        lines = lines.where(AuditEvent.target == target)
    with world.reading() as db:
        return [(line.action, line.actor, line.detail) for line in db.scalars(lines)]


def actions(world: World, target: str = "") -> list[str]:
    """The actions of the trail, in order."""
    return [action for action, _, _ in trail(world, target)]


def live(world: World, member: StaffMember) -> list[StaffSession]:
    """The sign-ins of `member` that did not end."""
    found = select(StaffSession).where(StaffSession.staff_id == member.id, StaffSession.ended_at.is_(None))
    with world.reading() as db:
        return list(db.scalars(found))
