"""What the tests of the sign-in do again and again: typing, waiting, comparing what a stranger sees."""

from __future__ import annotations

import html
import json
import re
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import time_machine
from sqlalchemy import select, update

from idp.accounts import factors
from idp.accounts.audit import AuditEvent
from idp.accounts.models import Credential, LegalAccount, Mandate, Person
from idp.accounts.notices import Notice
from idp.accounts.sessions import SigninSession
from idp.proof import captcha
from idp.proof.passkeys import Ceremony
from tests.authenticator import AnAuthenticator
from tests.messages import last_code
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World

WRONG = "Not-this-one 7"
VAGUE = "账号或密码不正确，请核对后重新填写"
TOO_MANY = "尝试次数过多"
ONES_SIGN_INS = "登录记录"
CENTRES = {"/center/enterprise", "/center/operator", "/center/person"}

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
    return page.status == 303 and page.location in CENTRES


def change_password(world: World, person: APerson, password: str) -> None:
    """Set a person's password anew, as the reset will do."""
    with world.write() as db:
        db.execute(
            update(Credential)
            .where(Credential.person_id == person.row.id)
            .values(password_hash=world.hash(password), changed_at=world.now())
        )


def key_of(world: World, known: APerson | ACompany | AnOperator) -> str:
    """The key of somebody's account."""
    if isinstance(known, APerson):
        return f"person:{known.row.id}"
    if isinstance(known, AnOperator):
        return f"mandate:{known.mandate.id}"
    with world.reading() as db:
        account = select(LegalAccount.id).where(LegalAccount.enterprise_id == known.row.id)
        return f"legal:{db.scalars(account).one()}"


def a_passkey(world: World, account: str) -> AnAuthenticator:
    """An authenticator with a passkey of the account with this key."""
    settings, vault = world.settings, world.backends.vault
    ceremony, device = Ceremony(world.backends.store, settings, vault, "elsewhere"), AnAuthenticator()
    asked = ceremony.ask_to_add(account, label="林小满", present=())
    verified = ceremony.check_added(asked.id, device.create(asked.options), account)
    with world.write() as db:
        factors.add_passkey(db, account=account, name="安全密钥", now=world.now(), **verified)
    return device


def options_on(page: Page) -> str:
    """What the page's passkey form asks the browser for."""
    found = re.search(r'data-options="([^"]*)"', page.html)
    assert found, page.text
    return html.unescape(found.group(1))


def open_to_all(page: Page) -> str:
    """The same without the list of passkeys that will do."""
    return json.dumps({**json.loads(options_on(page)), "allowCredentials": []})


def touch(browser: Browser, device: AnAuthenticator, *, follow: bool = False, **bent: Any) -> Page:
    """Press the passkey button of the open page, and send what `device` answers."""
    assert browser.page, "no page is open"
    return send(browser, device.get(options_on(browser.page), **bent), follow=follow)


def send(browser: Browser, answer: str, *, follow: bool = False) -> Page:
    """Send the passkey form of the open page with this answer."""
    assert browser.page, "no page is open"
    forms = range(browser.page.form_count)
    number = next(one for one in forms if "answer" in browser.page.form(one)["fields"])
    return browser.submit({"answer": answer}, number=number, follow=follow)


def same_browser(world: World, browser: Browser) -> Browser:
    """Another window of a browser nobody is signed in in yet, for requests side by side."""
    twin, host = world.browser(), urlsplit(world.settings.issuer).hostname or ""
    twin.client.set_cookie("idp_browser", browser.cookie("idp_browser") or "", domain=host)
    return twin


def sign_in(browser: Browser, known: APerson | ACompany | AnOperator, *, tx: str = "") -> Page:
    """Give the right password; the page it leads to."""
    way, fields = names_of(known)
    browser.open(f"/login/{way}" + (f"?tx={tx}" if tx else ""))
    return browser.submit_with_captcha({**fields, "password": known.password})


def a_code(browser: Browser, phone: str) -> str:
    """Press 获取验证码 on the open page, with its captcha if there is one; the code sent to `phone`."""
    assert browser.page, "no page is open"
    page = browser.page
    number = next(one for one in range(page.form_count) if "sms_ref" in page.form(one)["fields"])
    captcha_id = page.form(number)["fields"].get("captcha_id", "")
    solved = captcha.answer(browser.world.backends.store, captcha_id) or ""
    browser.submit({"send": "1", "captcha": solved}, number=number)
    return last_code(browser.world, phone)


def choose_first_password(browser: Browser, phone: str, password: str, *, follow: bool = True) -> Page:
    """Prove `phone` on the open page of the first use, and set `password`."""
    code = a_code(browser, phone)
    new = {"code": code, "new_password": password, "confirm_password": password}
    return browser.submit(new, follow=follow)


def without_a_phone(world: World, known: APerson | ACompany | AnOperator) -> None:
    """Take every phone of record from somebody."""
    person = known if isinstance(known, APerson) else None
    with world.write() as db:
        rows: list[Person | Mandate] = []
        if isinstance(known, AnOperator):
            rows.append(db.get_one(Mandate, known.mandate.id))
            person = known.person
        if isinstance(known, ACompany):
            mine = update(LegalAccount).where(LegalAccount.enterprise_id == known.row.id)
            db.execute(mine.values(phone_sealed=None))
        if person:
            rows.append(db.get_one(Person, person.row.id))
        for row in rows:
            row.phone_sealed = row.phone_index = None


def switch_sms_on(world: World, account: str) -> None:
    """Ask for codes sent to the phone at every sign-in of the account with this key."""
    with world.write() as db:
        factors.add_sms(db, account=account, now=world.now())


def type_sms(browser: Browser, code: str, *, follow: bool = True) -> Page:
    """Send the code of the phone from the open page."""
    assert browser.page, "no page is open"
    return browser.submit({"sms_code": code}, number=phone_form(browser.page), follow=follow)


def phone_form(page: Page) -> int:
    """Which form of the page takes a code of the phone."""
    forms = range(page.form_count)
    return next(one for one in forms if "sms_code" in page.form(one)["fields"])


def told(world: World, account: str) -> list[tuple[str, str]]:
    """Kind and words of the notices to the account with this key, the oldest first."""
    with world.reading() as db:
        mine = select(Notice.kind, Notice.what).where(Notice.account == account).order_by(Notice.id)
        return [(kind, what) for kind, what in db.execute(mine)]


def trail_of(world: World, target: str) -> list[tuple[str, dict[str, Any]]]:
    """Action and detail of the audit lines about an account, the oldest first."""
    with world.reading() as db:
        lines = select(AuditEvent).where(AuditEvent.target == target).order_by(AuditEvent.id)
        return [(line.action, line.detail) for line in db.scalars(lines)]


def last_session(world: World, account: str) -> SigninSession:
    """The newest sign-in that this account's secrets opened."""
    with world.reading() as db:
        mine = select(SigninSession).where(SigninSession.account == account)
        return db.scalars(mine.order_by(SigninSession.id.desc()).limit(1)).one()
