"""Somebody who registers a company at a browser, and the registries and the face service that know of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from sqlalchemy import func, select

from idp.accounts.models import Enterprise, LegalAccount, LoginName, Person
from idp.db import Base
from tests.messages import last_code
from tests.relying_parties.simulating import Simulators
from tests.scan.faces import APhoneOfNobody, ticket_of
from tests.world import Browser, Page, World, a_credit_code, a_resident_number

START = "/register/enterprise"
NEW_PASSWORD = "Paper-lantern 77"
FIRST_DAY = "2021-03-04"
_numbers = count(70_001)


@dataclass(frozen=True)
class Office:
    """An installation where companies register: its registries and its face service are simulated."""

    world: World
    simulators: Simulators

    def rows(self, table: type[Base]) -> int:
        """How many rows there are."""
        with self.world.reading() as db:
            return db.scalar(select(func.count()).select_from(table)) or 0

    def company(self, uscc: str) -> Enterprise | None:
        """The company with this credit code."""
        with self.world.reading() as db:
            return db.scalars(select(Enterprise).where(Enterprise.uscc == uscc)).first()

    def account_of(self, uscc: str) -> LegalAccount:
        """The account of the company with this credit code."""
        with self.world.reading() as db:
            mine = select(LegalAccount).join(Enterprise, Enterprise.id == LegalAccount.enterprise_id)
            return db.scalars(mine.where(Enterprise.uscc == uscc)).one()

    def names_of(self, account_id: UUID) -> list[str]:
        """The account names of a company."""
        with self.world.reading() as db:
            mine = select(LoginName.name).where(LoginName.legal_account_id == account_id)
            return list(db.scalars(mine))

    def representative_of(self, uscc: str) -> Person:
        """Who represents the company with this credit code."""
        with self.world.reading() as db:
            mine = select(Person).join(Enterprise, Enterprise.representative_id == Person.id)
            return db.scalars(mine.where(Enterprise.uscc == uscc)).one()

    def phone(self) -> APhoneOfNobody:
        """A phone with the app, on which nobody is signed in."""
        return APhoneOfNobody(self.world)


@dataclass(frozen=True)
class Applicant:
    """A legal representative who registers his company; what he types is right but for what is `changed`."""

    office: Office
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def uscc(self) -> str:
        """The credit code of his company."""
        return a_credit_code(self.number)

    @property
    def phone(self) -> str:
        """His phone."""
        return f"137{self.number:08d}"

    @property
    def id_number(self) -> str:
        """The number of his identity card."""
        return a_resident_number(self.number)

    def told(self, **changed: str) -> dict[str, str]:
        """The fields of the form, without captcha and code."""
        right = {
            "account": f"xianghai_{self.number}",
            "type": "企业法人",
            "name": f"向海{self.number}示例有限公司",
            "uscc": self.uscc,
            "representative_name": "田小禾",
            "id_type": "resident_id",
            "id_number": self.id_number,
            "term": "20",
            "valid_from": FIRST_DAY,
            "valid_until": "",
            "phone": self.phone,
            "new_password": NEW_PASSWORD,
            "confirm_password": NEW_PASSWORD,
            "agreed": "y",
        }
        return {**right, **changed}

    def asks_for_a_code(self, browser: Browser, *, at: str = START, **changed: str) -> Page:
        """Open the form, fill it, and press 获取验证码."""
        browser.open(at)
        return browser.submit_with_captcha({**self.told(**changed), "send": "1"})

    def sends(self, browser: Browser, *, at: str = START, **changed: str) -> Page:
        """The same, and send the form with the code that came."""
        self.asks_for_a_code(browser, at=at, **changed)
        phone = changed.get("phone", self.phone)
        return self.sends_again(browser, code=last_code(self.office.world, phone), **changed)

    def sends_again(self, browser: Browser, **changed: str) -> Page:
        """Send the form that is open in `browser`."""
        return browser.submit(self.told(**changed))

    def agrees(self, browser: Browser) -> Page:
        """Agree to the face check on the page that is open."""
        return browser.submit({"agreed": "y"})

    def shows_face(self, browser: Browser, verdict: str = "passed") -> Page:
        """Agree, scan the code with a phone, and show the face there; the page then open is the check's."""
        ticket = ticket_of(self.agrees(browser))
        self.office.simulators.press(self.office.phone().page_for(ticket), verdict)
        assert browser.page
        return browser.open(browser.page.url)

    def goes_on(self, browser: Browser) -> Page:
        """Press the button of a check that has passed."""
        return browser.submit()

    def registers(self, browser: Browser, **changed: str) -> Page:
        """All of it, to the last page."""
        self.sends(browser, **changed)
        self.shows_face(browser)
        return self.goes_on(browser)


def journey_of(browser: Browser) -> str:
    """The journey whose page is open in `browser`."""
    assert browser.page
    return browser.page.url.partition("j=")[2].partition("&")[0]
