"""Codes by SMS at the sign-in in a real browser: a first use, 短信验证 switched on and used (MISSION Y)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from idp.proof import captcha
from tests.journeys.chrome import WIDTHS, Person, read_json
from tests.journeys.served import served
from tests.messages import last_code
from tests.proof.sending import wait_a_minute
from tests.running_demo import RunningDemo
from tests.world import PASSWORD, World

ROOM = "/center/person/security"
OWN = "Only-mine 2026"
only_sqlite = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
pytestmark = pytest.mark.journey


@pytest.fixture
def there(world: World) -> Iterator[World]:
    with served(world) as served_there:
        yield served_there


@pytest.fixture
def person(there: World, chrome: Browser) -> Iterator[Person]:
    context = chrome.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    yield Person.at(context, there.settings.issuer)
    context.close()


def looks(person: Person) -> None:
    """The page is right at both widths."""
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 800})
        person.looks_over()


def signs_in(person: Person, there: World, way: str, **fields: str) -> None:
    person.open(f"{person.issuer}/login/{way}")
    shown = person.page.input_value("[name=captcha_id]")
    solved = captcha.answer(there.backends.store, shown) or ""
    person.fill(**fields, password=PASSWORD, captcha=solved)
    with person.page.expect_navigation():
        person.page.press("main [name=captcha]", "Enter")


def asks_for_a_code(person: Person, there: World, phone: str) -> str:
    """Press the button; the page stays, and says that a code is on its way."""
    wait_a_minute(there, phone)
    person.page.click("[data-sms-send]")
    expect(person.page.locator("[data-sms-fate]")).to_contain_text("验证码正在发送到")
    return last_code(there, phone)


@only_sqlite
def test_codes_by_sms_are_switched_on_used_and_removed(there: World, person: Person) -> None:
    somebody = there.a_person()
    signs_in(person, there, "person", account=somebody.account)
    person.open(f"{person.issuer}{ROOM}")
    assert "短信验证：输入密码后" in person.reads()
    looks(person)
    person.press("开通短信验证")
    looks(person)
    person.fill(code=asks_for_a_code(person, there, somebody.phone))
    looks(person)
    person.press("验证并开通")
    assert "请保存您的恢复码" in person.reads()
    person.press("我已保存，继续")
    assert "发送到 139****" in person.reads()
    looks(person)

    person.press("退出")
    signs_in(person, there, "person", account=somebody.account)
    assert "第二步验证" in person.reads()
    looks(person)
    person.fill(sms_code=asks_for_a_code(person, there, somebody.phone))
    person.page.press("[name=sms_code]", "Enter")
    person.page.wait_for_url("**/center/person")
    person.open(f"{person.issuer}{ROOM}")
    with person.page.expect_navigation():
        person.page.click("a[href$='/remove']")
    looks(person)
    person.press("移除")
    assert "已移除" in person.reads()


@only_sqlite
def test_with_everything_there_is_one_page_asks_for_any_of_it(there: World, person: Person) -> None:
    somebody = there.a_person()
    signs_in(person, there, "person", account=somebody.account)
    person.open(f"{person.issuer}{ROOM}")
    person.press("开通短信验证")
    person.fill(code=asks_for_a_code(person, there, somebody.phone))
    person.press("验证并开通")
    there.a_totp(f"person:{somebody.row.id}")
    person.open(f"{person.issuer}{ROOM}")
    person.press("退出")
    signs_in(person, there, "person", account=somebody.account)
    looks(person)
    person.fill(sms_code="12")
    person.page.press("[name=sms_code]", "Enter")
    expect(person.page.locator(".govuk-error-summary")).to_contain_text("短信验证码是 6 位数字")
    looks(person)


@pytest.mark.parametrize("script", [True, False])
def test_the_first_use_of_a_mandates_password(
    somebody: Callable[..., Person], running_demo: RunningDemo, script: bool
) -> None:
    """卫东 of the demo: what he is sent stands in the demo's outbox. His password stays what it is."""
    account, person = running_demo.account("operator", "first_use"), somebody(script=script)
    person.open(f"{person.issuer}/login/operator")
    names = {"enterprise": account["uscc"], "account": account["account"]}
    person.sign_in("经办人登录", **names, password=account["password"])
    assert "设置新的经办人密码" in person.reads()
    if script:
        looks(person)
    person.fill(code="000000", new_password=OWN, confirm_password=OWN)
    person.press("保存新密码，继续登录")
    assert "短信验证码已过期或已使用" in person.reads()
    if not script:
        return
    person.page.click("[data-sms-send]")
    expect(person.page.locator("[data-sms-fate]")).to_contain_text("短信已发出")
    looks(person)
    sent = read_json(f"{person.issuer}/demo/outbox.json?phone={account['account']}")[0]
    person.fill(code=sent["code"], new_password="tongxing1", confirm_password="tongxing1")
    person.press("保存新密码，继续登录")
    assert "已确认，请设置新密码" in person.reads()
    assert "这个密码太常见" in person.reads()


@only_sqlite
def test_a_first_use_is_proved_on_the_page_that_stays(there: World, person: Person) -> None:
    operator = there.an_operator(must_change=True)
    signs_in(person, there, "operator", enterprise=operator.company.uscc, account=operator.phone)
    person.fill(new_password=OWN)
    code = asks_for_a_code(person, there, operator.phone)
    expect(person.page.locator("[name=new_password]")).to_have_value(OWN)
    person.fill(code=code, confirm_password="another 99")
    person.press("保存新密码，继续登录")
    assert "已确认，请设置新密码" in person.reads(), "the code is not lost with the passwords"
    person.fill(new_password="tongxing1", confirm_password="tongxing1")
    person.press("保存新密码，继续登录")
    assert "这个密码太常见" in person.reads()
    looks(person)
    person.fill(new_password=OWN, confirm_password=OWN)
    person.press("保存新密码，继续登录")
    assert "/center/operator" in person.page.url
