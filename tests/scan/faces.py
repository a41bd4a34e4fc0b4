"""Face checks as people meet them: a browser that asks, phones that show a face, verdicts good and forged."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

from idp.accounts.identifiers import person_name
from idp.proof import face, tickets
from idp.proof.face_record import Check
from tests.inhabitants import APerson
from tests.neighbours import Neighbours
from tests.relying_parties.simulating import FACE_KEY, Simulators
from tests.world import Browser, Page, World

ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"


@dataclass(frozen=True)
class FaceWorld:
    """An installation with a face service, both on loopback."""

    world: World
    simulators: Simulators


def face_world(world: World, neighbours: Neighbours, **given: Any) -> FaceWorld:
    """The same storage behind a provider that the face service can reach."""
    return FaceWorld(neighbours.before_the_face_service(world, **given), neighbours.simulators)


@dataclass(frozen=True)
class APhoneOfNobody:
    """A phone nobody is signed in on; `name` is what it calls itself, `address` where a proxy saw it."""

    world: World
    name: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    address: str = ""

    def scan(self, ticket: str, **sent: Any) -> TestResponse:
        """Scan the code of a ticket."""
        return self.call(ticket, "scan", {"surface": "app", "phone": self.name, **sent})

    def agree(self, ticket: str, *, consent: Any = True, **sent: Any) -> TestResponse:
        """Let the face be looked at, or not; the number is the one that the browser shows."""
        given = {"consent": consent, "phone": self.name, "number": number_of(self.world, ticket), **sent}
        return self.call(ticket, "face", given)

    def call(self, ticket: str, what: str, body: Any) -> TestResponse:
        """Any call of the app's, without a token."""
        return self.world.app.test_client(use_cookies=False).post(
            f"/scan/tickets/{ticket}/{what}",
            base_url=self.world.settings.issuer,
            json=body,
            headers={"User-Agent": ANDROID} | ({"X-Forwarded-For": self.address} if self.address else {}),
        )

    def page_for(self, ticket: str) -> str:
        """Scan and agree: the face service's page."""
        assert self.scan(ticket).status_code == 200
        answer = self.agree(ticket)
        assert answer.status_code == 200, answer.get_json()
        url: str = answer.get_json()["url"]
        return url


def ask(browser: Browser, person: APerson, *, at: str = "/login/face", **typed: str) -> Page:
    """Type name and number, agree, and go on."""
    browser.open(at)
    values = {"name": person.name, "id_number": person.id_number, "agreed": "y", **typed}
    return browser.submit_with_captcha({name: value for name, value in values.items() if value})


def check_of(page: Page) -> str:
    """The id of the check that a page is about."""
    return parse_qs(urlsplit(page.url).query)["check"][0]


def ticket_of(page: Page) -> str:
    """The ticket whose code a page shows."""
    found: str = page.form()["fields"]["ticket"]
    return found


def number_of(world: World, ticket: str) -> str:
    """The number that the waiting browser shows; any two digits before there is one."""
    found = tickets.find(world.platform.store, ticket)
    return (found.number if found else "") or "10"


def begin_here(browser: Browser) -> str:
    """在本机刷脸: the address the browser is sent to."""
    assert browser.page is not None
    answer = browser.submit(number=1, follow=False)
    assert answer.status == 303, answer.text
    return answer.location


def finish(browser: Browser, check: str, *, tx: str = "", follow: bool = False) -> Page:
    """Press the button that goes on, on the page of the check."""
    browser.open(f"/login/face/finish?check={check}" + (f"&tx={tx}" if tx else ""))
    return browser.submit(follow=follow)


def face_shown(here: FaceWorld, browser: Browser, verdict: str = "passed") -> str:
    """在本机刷脸 with that verdict: the address to which the face service leads the browser back."""
    back: str = here.simulators.press(begin_here(browser), verdict).headers["Location"]
    return back


def come_back(browser: Browser, back: str, *, follow: bool = False) -> Page:
    """Be led back by the face service, and press the button that goes on."""
    browser.open(back)
    return browser.submit(follow=follow)


def stored(world: World, check: str) -> Check:
    """A check as it lies in the store."""
    found = face.find(world.platform.store, check)
    assert found is not None
    return found


def verdict(world: World, check: str, person: APerson, **changed: Any) -> bytes:
    """What the face service would say of a check: passed, unless something is changed."""
    service = world.platform.face
    assert service is not None
    told = {
        "check": check,
        "subject": service.subject(person_name(person.name), person.id_number),
        "passed": True,
        "score": 98,
        "at": world.now().isoformat(),
        **changed,
    }
    return json.dumps(told).encode()


def signed(body: bytes, *, at: datetime, key: str = FACE_KEY, word: str = "verdict") -> dict[str, str]:
    """The headers of a message that was signed with `key` at an instant."""
    stamp, nonce = str(int(at.timestamp())), secrets.token_urlsafe(18)
    framed = f"{word}\n{stamp}\n{nonce}\n".encode() + body
    return {
        "X-Face-Timestamp": stamp,
        "X-Face-Nonce": nonce,
        "X-Face-Signature": hmac.new(key.encode(), framed, "sha256").hexdigest(),
    }


def deliver(world: World, body: bytes, headers: dict[str, str] | None = None) -> TestResponse:
    """Post a callback, signed just now unless its headers are given."""
    headers = signed(body, at=world.now()) if headers is None else headers
    return world.app.test_client(use_cookies=False).post(
        "/face/callback",
        base_url=world.settings.issuer,
        data=body,
        headers={"Content-Type": "application/json", **headers},
    )
