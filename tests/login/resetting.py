"""What the tests of the reset do again and again: telling who one is, reading the code, saving a password."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from idp.proof import sms_bounds
from tests.messages import last_code
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World, a_resident_number

NEW = "Brand-new 2026"
NOT_FOUND = {
    "legal": "未找到与所填信息一致的企业账号",
    "operator": "未找到与所填信息一致的经办人账号",
    "person": "未找到与所填信息一致的个人账号",
}
KINDS = tuple(NOT_FOUND)
Somebody = APerson | ACompany | AnOperator


def somebody(world: World, kind: str) -> Somebody:
    """Somebody with an account of this kind."""
    if kind == "legal":
        return world.a_company()
    return world.an_operator() if kind == "operator" else world.a_person()


def phone_of(known: Somebody) -> str:
    """The phone of record of somebody's account."""
    return known.representative.phone if isinstance(known, ACompany) else known.phone


def identity_of(known: Somebody) -> tuple[str, dict[str, str]]:
    """The page of somebody and what he types there to be recognised."""
    if isinstance(known, ACompany):
        holder = known.representative
        document = {"id_type": "resident_id", "id_number": holder.id_number}
        return "legal", {"account": known.uscc, "representative_name": holder.name, **document}
    if isinstance(known, AnOperator):
        document = {"id_type": "resident_id", "id_number": known.person.id_number}
        return "operator", {"enterprise": known.company.uscc, "name": known.person.name, **document}
    document = {"id_type": "resident_id", "id_number": known.id_number}
    return "person", {"account": known.account, "name": known.name, **document}


def tells(browser: Browser, kind: str, fields: dict[str, str], *, query: str = "") -> Page:
    """Fill 身份验证 and send it with the captcha; the page it leads to."""
    browser.open(f"/reset/{kind}{query}")
    return browser.submit_with_captcha(fields)


def asks_again_and_again(world: World, kind: str, fields: dict[str, str], *, times: int) -> None:
    """A bot with so many addresses as it needs, which never has a right document twice."""
    for number in range(times):
        browser = world.browser(address=f"203.0.{number // 20}.1")
        tells(browser, kind, {**fields, "id_number": a_resident_number(50_000 + number)})


def asks_for_a_code(browser: Browser) -> Page:
    """Press 获取验证码 on the page of 短信验证."""
    return browser.submit({"send": "1"})


def a_minute_goes_by(world: World, phone: str) -> None:
    """Forget that a code has just been sent to `phone`: a store's own clock does not travel with a test's."""
    world.backends.store.delete(sms_bounds.gap_of(world.backends.vault, phone))


def comes_to_the_password(world: World, browser: Browser, known: Somebody, *, query: str = "") -> Page:
    """From 身份验证 to 设置新密码."""
    kind, fields = identity_of(known)
    page = tells(browser, kind, fields, query=query)
    assert page.url.startswith("/reset/phone?"), page.text
    asks_for_a_code(browser)
    page = browser.submit({"code": last_code(world, phone_of(known))})
    assert page.url.startswith("/reset/password?"), page.text
    return page


def saves(browser: Browser, password: str = NEW, again: str | None = None) -> Page:
    """Send the new password."""
    repeated = password if again is None else again
    return browser.submit({"new_password": password, "confirm_password": repeated})


def resets(world: World, browser: Browser, known: Somebody, password: str = NEW) -> Page:
    """The whole journey; the page of 完成."""
    comes_to_the_password(world, browser, known)
    page = saves(browser, password)
    assert page.url.startswith("/reset/done?"), page.text
    return page


def journey_of(page: Page) -> str:
    """The id of the journey in the address."""
    return parse_qs(urlsplit(page.url).query)["j"][0]
