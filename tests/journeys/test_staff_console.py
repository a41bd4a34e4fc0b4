"""The console in Chromium: coming in, every page of every role's menu, a passkey, a first sign-in."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest

from tests.journeys.chrome import Person
from tests.journeys.console import at_every_width, comes_in
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.journey
ROLES = ("administrator", "customer_service", "supervisor", "auditor")
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_comes_in_and_finds_its_pages(
    somebody: Callable[..., Person], running_demo: RunningDemo, role: str
) -> None:
    person = somebody(script=True)
    account = running_demo.account("staff", role=role)
    comes_in(person, account, lambda: at_every_width(person))
    menu = person.page.locator(".tx-staff__nav a")
    labels = [label.strip() for label in menu.all_inner_texts()]
    assert "我的账号" in labels
    assert ("应用接入" in labels) is (role == "administrator")
    assert ("审计" in labels) is (role == "auditor")
    for label in labels:
        with person.page.expect_navigation():
            person.page.locator(".tx-staff__nav").get_by_role("link", name=label, exact=True).click()
        assert "没有这项权限" not in person.reads()
        at_every_width(person)
    person.press("退出")
    assert "工作台登录" in person.reads()


def test_a_passkey_is_added_used_and_removed(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    person, account = somebody(script=True), running_demo.account("staff", role="supervisor")
    devtools = person.page.context.new_cdp_session(person.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    comes_in(person, account, lambda: None)
    person.open(f"{person.issuer}/staff/me/security/passkey")
    person.looks_over()
    person.fill(name="办公室电脑")
    person.press("添加通行密钥")
    assert "办公室电脑" in person.reads()
    person.looks_over()
    person.press("退出")
    person.fill(account=account["account"], password=account["password"])
    person.solve_captcha()
    with person.page.expect_navigation():
        person.page.press("main [name=captcha]", "Enter")
    person.looks_over()
    person.press("用通行密钥验证")
    assert "今日概览" in person.reads()
    person.open(f"{person.issuer}/staff/me/security")
    with person.page.expect_navigation():
        person.page.locator("tr", has_text="办公室电脑").get_by_role("link", name="移除").click()
    person.looks_over()
    person.press("移除")
    assert "办公室电脑" not in person.reads()


def test_a_newcomer_begins_by_his_link(somebody: Callable[..., Person], running_demo: RunningDemo) -> None:
    person = somebody(at_every_width=True, script=True)
    told = running_demo.idp(
        *("staff", "add", "--account", "newcomer", "--name", "方小舟", "--role", "customer_service")
    )
    person.open(told["link"])
    person.looks_over()
    person.press("开始设置")
    person.looks_over()
    person.fill(new_password="Only-mine 2026", confirm_password="Only-mine 2026")
    person.press("保存密码，去设置第二步验证")
    person.looks_over()
    secret = person.page.inner_text(".tx-scan__secret").replace(" ", "")
    person.page.fill("main [name=code]", pyotp.TOTP(secret).now())
    person.press("完成设置，进入工作台")
    assert person.page.locator(".tx-codes li").count() == 10
    person.looks_over()
    person.press("我已保存，进入工作台")
    assert "今日概览" in person.reads()
    for path in ("", "/app", "/password", "/recovery-codes"):
        person.open(f"{person.issuer}/staff/me/security{path}")
        person.looks_over()
    person.open(f"{person.issuer}/staff/confirm")
    person.looks_over()
