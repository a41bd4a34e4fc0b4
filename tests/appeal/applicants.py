"""Somebody who files an appeal at a browser, and somebody who asks how it stands."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from sqlalchemy import select

from idp.accounts.audit import AuditEvent
from idp.appeal.models import Appeal
from tests.appeal.builders import ALL_PAPERS, AnAppeal, a_paper, a_picture
from tests.messages import last_code
from tests.person.registering import another_message_may_go
from tests.world import Browser, Page, World, a_credit_code, a_resident_number

REMARK = "注册时提示法定代表人信息不匹配，请协助注册"
_numbers = count(90_001)


@dataclass(frozen=True)
class Applicant:
    """Whoever files an appeal; what he types is right but for what is `changed`."""

    world: World
    number: int = field(default_factory=lambda: next(_numbers))
    known: Mapping[str, str] = field(default_factory=dict)

    @property
    def phone(self) -> str:
        """The company's phone."""
        return self.known.get("phone", f"135{self.number:08d}")

    @property
    def own_phone(self) -> str:
        """The operator's."""
        return f"134{self.number:08d}"

    def told(self, **changed: str) -> dict[str, str]:
        """The fields of the first page, without captcha and code."""
        right = {
            "type": "企业法人",
            "name": f"第{self.number}申诉示例有限公司",
            "uscc": a_credit_code(self.number),
            "representative_name": "田小禾",
            "id_type": "resident_id",
            "id_number": a_resident_number(self.number),
            "term": "20",
            "valid_from": "2021-03-04",
            "valid_until": "",
            "account": f"shensu_{self.number}",
            "phone": self.phone,
        }
        return {**right, **self.known, **changed}

    def asks_for_a_code(self, browser: Browser, *, kind: str = "unregistered", **changed: str) -> Page:
        """Open the first page, fill it, and press 获取验证码."""
        another_message_may_go(self.world, self.phone)
        browser.open(f"/appeal/identity?kind={kind}")
        return browser.submit_with_captcha({**self.told(**changed), "send": "1"})

    def tells(self, browser: Browser, *, kind: str = "unregistered", **changed: str) -> Page:
        """The same, and send it with the code that came."""
        self.asks_for_a_code(browser, kind=kind, **changed)
        code = last_code(self.world, changed.get("phone", self.phone))
        return browser.submit({**self.told(**changed), "code": code})

    def proves_own_phone(self, browser: Browser, phone: str = "") -> Page:
        """The second page: the operator's phone and its code."""
        phone = phone or self.own_phone
        another_message_may_go(self.world, phone)
        browser.submit({"phone": phone, "send": "1"})
        return browser.submit({"phone": phone, "code": last_code(self.world, phone)})

    def begins(self, browser: Browser, *, kind: str = "unregistered", **changed: str) -> AnAppeal:
        """Both pages; what is then open are the papers."""
        self.tells(browser, kind=kind, **changed)
        page = self.proves_own_phone(browser)
        assert page.url.startswith("/appeal/materials?j="), page.text
        return only(self.world, changed.get("uscc", self.told()["uscc"]))

    def brings_all_papers(self, browser: Browser, *, kind: str = "unregistered") -> AnAppeal:
        """The same, and every paper is there."""
        appeal = self.begins(browser, kind=kind)
        for slot in ALL_PAPERS:
            a_paper(self.world, appeal, slot)
        return appeal

    def submits(self, browser: Browser) -> AnAppeal:
        """All of it, to the last page."""
        appeal = self.brings_all_papers(browser)
        assert browser.submit({"remark": REMARK}).url.startswith("/appeal/done?j=")
        return appeal


def send(browser: Browser, values: Mapping[str, str], **files: tuple[str, bytes]) -> Page:
    """Send the page's form with files; each is (name, octets)."""
    assert browser.page
    form = browser.page.form()
    parts = {slot: (io.BytesIO(data), name) for slot, (name, data) in files.items()}
    return browser.post(form["action"] or browser.page.url, {**form["fields"], **values, **parts})


def photo(name: str = "照片.jpg") -> tuple[str, bytes]:
    """A small photograph as it is chosen."""
    return name, a_picture()


def rows(world: World) -> list[Appeal]:
    """Every appeal, the oldest first."""
    with world.reading() as db:
        return list(db.scalars(select(Appeal).order_by(Appeal.id)))


def only(world: World, uscc: str) -> AnAppeal:
    """The one appeal of this company."""
    [row] = [row for row in rows(world) if row.uscc == uscc]
    return AnAppeal(row.id, row.number, row.statement(world.backends.vault))


def acts(world: World, appeal: AnAppeal) -> list[str]:
    """What the trail says of an appeal, in order."""
    with world.reading() as db:
        of_it = select(AuditEvent.action).where(AuditEvent.target == appeal.key)
        return list(db.scalars(of_it.order_by(AuditEvent.id)))


def asks(browser: Browser, number: str, phone: str) -> Page:
    """The question how an appeal stands; what is then open is the page of the code."""
    browser.open("/appeal/result")
    return browser.submit_with_captcha({"number": number, "phone": phone})


def looks(world: World, appeal: AnAppeal, *, phone: str = "", browser: Browser | None = None) -> Browser:
    """The same with the code, in a browser nobody has used; what is then open is how it stands."""
    browser, phone = browser or world.browser(), phone or appeal.told.phone
    asks(browser, appeal.number, phone)
    another_message_may_go(world, phone)
    browser.submit({"send": "1"})
    page = browser.submit({"code": last_code(world, phone)})
    assert page.url.startswith("/appeal/result/standing"), page.text
    return browser
