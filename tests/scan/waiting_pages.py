"""A browser that waits for a phone, and what a phone does about it, told in short."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

from werkzeug.test import TestResponse

from idp.accounts import standing
from idp.proof import tickets
from idp.proof.ticket_record import Phone, Seen, Ticket
from tests.oauth.asking import later
from tests.scan.phones import ANDROID, PIN, APhone
from tests.world import ISSUER, APerson, Browser, Page, World

APP = "http://localhost:8004"


@contextmanager
def with_an_app(world: World, **changed: Any) -> Iterator[World]:
    """The same installation, with an app to scan with."""
    with world.rewired(**{"app_url": APP, **changed}) as offering:
        yield offering


def early_in_the_hour() -> AbstractContextManager[Any]:
    """Five minutes past: what is counted by the hour goes on being counted for a while."""
    return later(minutes=(65 - datetime.now(UTC).minute) % 60)


def a_page(world: World, *, at: str = "/login/qr") -> tuple[Browser, str]:
    """A browser at a page with a code, and the ticket the page shows."""
    browser = world.browser()
    return browser, ticket_on(browser.open(at))


def ticket_on(page: Page) -> str:
    """The ticket that the page's form carries."""
    return str(page.form()["fields"]["ticket"])


def kept(world: World, ticket_id: str) -> Ticket:
    """The ticket as it lies in the store."""
    found = tickets.find(world.platform.store, ticket_id)
    assert found
    return found


def call(browser: Browser, path: str, *, follow: bool = False, **fields: str) -> TestResponse:
    """What a script of the open page sends."""
    assert browser.page, "no page is open"
    token = browser.page.form()["fields"]["csrf_token"]
    page = browser.page
    answer = browser.post(path, {"csrf_token": token, **fields}, follow=follow).response
    browser.page = page
    return answer


def ask(browser: Browser, ticket_id: str) -> TestResponse:
    """How far the ticket is, as the page asks."""
    page, answer = browser.page, browser.open(f"/scan/wait/{ticket_id}?seconds=25").response
    browser.page = page
    return answer


def a_stranger() -> Phone:
    """A phone of which the waiting browser never hears more than that it scanned."""
    return Phone(Seen(ANDROID, "192.0.2.7"), "session", "person", "app", "key")


def confirmed(
    phone: APhone, ticket_id: str, *, identity: str = standing.HIMSELF, pin: str | None = None
) -> None:
    """Scan and confirm with the number the browser shows."""
    phone.scanned(ticket_id)
    answer = phone.confirm(ticket_id, identity=identity, pin=pin)
    assert answer.status_code == 200, answer.get_json()


def a_phone(world: World, person: APerson, *, pin: str | None = PIN) -> APhone:
    """A phone on which the person signed in, with a PIN."""
    phone = APhone.of(world, person)
    if pin:
        assert phone.set_pin(pin).status_code == 204
    return phone


def shown_address(ticket_id: str) -> str:
    """What the QR code of a ticket says."""
    return f"{ISSUER}/q/{ticket_id}"
