"""What somebody does on the pages of 账号安全, step by step."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp

from tests.authenticator import AnAuthenticator
from tests.entering import enter
from tests.world import APerson, Browser, Page, World

ROOM = "/center/person/security"
TOTP = f"{ROOM}/totp"
PASSKEY = f"{ROOM}/passkey"


def signed_in(world: World, person: APerson | None = None) -> tuple[APerson, Browser]:
    """Somebody who just signed in as himself."""
    person, browser = person or world.a_person(), world.browser()
    enter(browser, person)
    return person, browser


def came_in(world: World, person: APerson | None = None) -> tuple[APerson, Browser]:
    """The same by the pages of the sign-in: for whoever looks at what it leaves behind."""
    person, browser = person or world.a_person(), world.browser()
    browser.sign_in_person(person)
    return person, browser


def secret_on(page: Page) -> str:
    """The secret a page shows for somebody who types it."""
    shown = re.search(r'class="tx-secret">(.*?)</dd>', page.html, re.DOTALL)
    assert shown, page.text
    return "".join(re.findall(r"<span>(\w+)</span>", shown.group(1)))


def adds_totp(world: World, browser: Browser, *, at: str = TOTP, name: str = "我的手机") -> tuple[str, Page]:
    """Add an authenticator app; its secret, and the page that follows."""
    secret = secret_on(browser.open(at))
    return secret, browser.submit({"code": pyotp.TOTP(secret).at(world.now()), "name": name}, number=1)


def adds_passkey(browser: Browser, key: AnAuthenticator | None = None, *, name: str = "办公电脑") -> Page:
    """Add a passkey; the page that follows."""
    key = key or AnAuthenticator()
    options = options_on(browser.open(PASSKEY))
    return browser.submit({"answer": key.create(options), "name": name}, number=1)


def options_on(page: Page) -> str:
    """What the page asks the browser for."""
    found = re.search(r'data-options="([^"]+)"', page.html)
    assert found, page.text
    return html.unescape(found.group(1))


def codes_on(page: Page) -> list[str]:
    """The recovery codes a page shows."""
    return re.findall(r"<li>([0-9a-z]{5}-[0-9a-z]{5})</li>", page.html)


def links_on(page: Page, ending: str) -> list[str]:
    """The addresses of the page's links that end like this."""
    return [html.unescape(link) for link in re.findall(r'href="([^"]+)"', page.html) if link.endswith(ending)]


def asked_to_confirm(page: Page) -> str | None:
    """Where somebody goes on who is asked to prove himself again first; None if he is not asked."""
    parts = urlsplit(page.location)
    return parse_qs(parts.query)["next"][0] if parts.path == "/login/confirm" else None


LATER = timedelta(minutes=11)
"""Longer than a proof counts as fresh."""
