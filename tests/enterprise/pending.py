"""A company 待激活 as an import leaves it, and its representative at a browser who activates it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from idp.accounts import documents
from idp.accounts.documents import Term
from idp.accounts.models import Enterprise, LegalAccount, Person
from tests.messages import last_code
from tests.world import ACompany, Browser, Page, World

PHONE = "13700000001"
FIRST_DAY = date(2021, 3, 4)
NEW_PASSWORD = "Paper-lantern 77"
NOBODY = "未找到与所填信息一致的待激活企业账号，请对照营业执照和证件逐项核对"


@dataclass(frozen=True)
class Waiting:
    """A company 待激活, and what its representative types to activate it."""

    world: World
    company: ACompany

    @property
    def account_id(self) -> UUID:
        """Its account."""
        account = self.company.row.account
        assert account
        return account.id

    @property
    def key(self) -> str:
        """The same, as codes and the trail name it."""
        return f"legal:{self.account_id}"

    def told(self, **changed: str) -> dict[str, str]:
        """The fields of the first step, all right but for `changed`."""
        right = {
            "type": self.company.row.type,
            "name": self.company.name,
            "uscc": self.company.uscc,
            "representative_name": self.company.representative.name,
            "id_type": "resident_id",
            "id_number": self.company.representative.id_number,
            "term": "20",
            "valid_from": FIRST_DAY.isoformat(),
            "valid_until": "",
        }
        return {**right, **changed}

    def tells(self, browser: Browser, *, at: str = "/activate", **changed: str) -> Page:
        """Send the first step."""
        browser.open(at)
        return browser.submit_with_captcha(self.told(**changed))

    def asks_for_a_code(self, browser: Browser, **changed: str) -> Page:
        """The same, and press 获取验证码 on the second one."""
        self.tells(browser, **changed)
        return browser.submit({"send": "1"})

    def proves_the_phone(self, browser: Browser) -> Page:
        """The same, and type the code that came."""
        self.asks_for_a_code(browser)
        return browser.submit({"code": last_code(self.world, PHONE)})

    def chooses(self, browser: Browser, **changed: str) -> Page:
        """Send the third step, which is open in `browser`."""
        chosen = {
            "account": "yunshan_build",
            "new_password": NEW_PASSWORD,
            "confirm_password": NEW_PASSWORD,
            "agreed": "y",
        }
        return browser.submit({**chosen, **changed})

    def changes(self, **company: Any) -> None:
        """Change columns of the company, as an import or the registry would."""
        with self.world.write() as db:
            row = db.get_one(Enterprise, self.company.row.id)
            for column, value in company.items():
                setattr(row, column, value)

    def has_phone(self, phone: str | None) -> None:
        """Put another phone on record, or none."""
        with self.world.write() as db:
            account = db.get_one(LegalAccount, self.account_id)
            if phone:
                account.set_phone(self.world.backends.vault, phone)
            else:
                account.phone_sealed = None

    def knows_days(self, first: date | None, term: Term = Term.TWENTY) -> None:
        """Put the days of the representative's document on record, or take them away."""
        with self.world.write() as db:
            person = db.get_one(Person, self.company.representative.row.id)
            person.id_valid_from = first
            person.id_valid_until = documents.end_of(first, term) if first else None

    @property
    def is_active(self) -> bool:
        """Whether it was activated."""
        with self.world.reading() as db:
            return db.get_one(LegalAccount, self.account_id).activated_at is not None


def a_waiting_company(world: World) -> Waiting:
    """A company 待激活 with a phone on record, and none of the days of a document."""
    waiting = Waiting(world, world.a_company(active=False))
    waiting.has_phone(PHONE)
    return waiting


def rewired(waiting: Waiting, world: World) -> Waiting:
    """The same company as another application on the same storage knows it."""
    return Waiting(world, waiting.company)


def another_message_may_go(world: World) -> None:
    """Whatever a phone has to wait for its next code is over."""
    world.backends.store.delete(f"sms-gap:{world.backends.vault.index('sms_phone', PHONE).hex()}")
