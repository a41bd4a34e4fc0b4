"""Somebody who registers at a browser of his own, before a people registry and a face service on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from idp.accounts.models import Credential, Person
from tests.inhabitants import a_resident_number
from tests.messages import last_code
from tests.relying_parties.simulating import Simulators
from tests.world import Browser, Page, World

NEW_PASSWORD = "Paper-lantern 77"
_numbers = count(500)


@dataclass(frozen=True)
class RegistrationWorld:
    """An installation where a person can register."""

    world: World
    simulators: Simulators


@dataclass
class Newcomer:
    """Somebody at a browser who wants an account."""

    here: RegistrationWorld
    browser: Browser
    name: str
    id_number: str
    phone: str

    @property
    def world(self) -> World:
        """The installation."""
        return self.here.world

    def told(self, **changed: str) -> dict[str, str]:
        """The fields of the form without the code, all right but for `changed`."""
        right = {
            "name": self.name,
            "id_type": "resident_id",
            "id_number": self.id_number,
            "term": "20",
            "valid_from": "2020-01-01",
            "valid_until": "",
            "phone": self.phone,
            "account": "",
            "new_password": NEW_PASSWORD,
            "confirm_password": NEW_PASSWORD,
            "agreed": "y",
        }
        return {**right, **changed}

    def asks_for_a_code(self, at: str = "/register/person", **changed: str) -> Page:
        """Open the form, and press 获取验证码."""
        self.browser.open(at)
        return self.browser.submit_with_captcha({**self.told(**changed), "send": "1"})

    def sends(self, at: str = "/register/person", **changed: str) -> Page:
        """The same, and send the form with the code that came."""
        self.asks_for_a_code(at, **changed)
        code = last_code(self.world, changed.get("phone", self.phone))
        return self.browser.submit({**self.told(**changed), "code": code})

    def agrees(self) -> Page:
        """Say yes to the face check, on its page."""
        return self.browser.submit({"agreed": "y"})

    def shows_his_face(self, verdict: str = "passed") -> Page:
        """在本机刷脸 on the page of the check, and be led back."""
        answer = self.browser.submit(number=1, follow=False)
        assert answer.status == 303, answer.text
        led_to = self.here.simulators.press(answer.location, verdict)
        return self.browser.open(led_to.headers["Location"])

    def registers(self, at: str = "/register/person", **changed: str) -> Page:
        """All of it: the last page."""
        page = self.sends(at, **changed)
        assert page.url.startswith("/register/person/face?"), page.text
        self.agrees()
        self.shows_his_face()
        return self.browser.submit()

    def row(self, id_number: str = "") -> Person | None:
        """His row, by his document."""
        vault = self.world.backends.vault
        with self.world.reading() as db:
            indexes = vault.indexes("id_number", id_number or self.id_number)
            return db.scalars(select(Person).where(Person.id_number_index.in_(indexes))).first()

    @property
    def has_account(self) -> bool:
        """Whether he has a password of his own."""
        row = self.row()
        if row is None:
            return False
        with self.world.reading() as db:
            return db.scalars(select(Credential).where(Credential.person_id == row.id)).first() is not None


def a_newcomer(here: RegistrationWorld, *, name: str = "白云飞", **given: str) -> Newcomer:
    """Somebody nobody has heard of."""
    number = next(_numbers)
    return Newcomer(
        here,
        here.world.browser(),
        name,
        given.get("id_number", a_resident_number(number)),
        given.get("phone", f"137{number:08d}"),
    )


def journey_of(page: Page) -> str:
    """The journey of a page."""
    return parse_qs(urlsplit(page.url).query)["j"][0]


def another_message_may_go(world: World, phone: str) -> None:
    """What this phone has to wait for its next code is over."""
    number = world.backends.vault.index("sms_phone", phone).hex()
    world.backends.store.delete(f"sms-gap:{number}")
