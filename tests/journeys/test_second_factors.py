"""A person adds a passkey and an authenticator app, signs in with each, and removes both (MISSION Y)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pyotp

from tests.journeys.chrome import WIDTHS, Person
from tests.running_demo import RunningDemo, wait_for

ROOM = "/center/person/security"
STEP = 30
"""Seconds an authenticator app shows a code."""


def with_an_authenticator(person: Person) -> None:
    """Give the browser a phone that confirms whatever it is asked, as Chromium can pretend."""
    devices = person.page.context.new_cdp_session(person.page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


class AnApp:
    """An authenticator app that never shows the same code twice: it waits for the next one, as people do."""

    def __init__(self, secret: str) -> None:
        self.totp = pyotp.TOTP(secret)
        self.last_step = 0

    def code(self) -> str:
        """The next code that was not used; one step ahead of the clock is taken, too."""
        wait_for(lambda: int(time.time()) // STEP + 1 > self.last_step, STEP + 5)
        self.last_step = max(int(time.time()) // STEP, self.last_step + 1)
        return self.totp.at(self.last_step * STEP)


def signs_in_by_password(person: Person, account: dict[str, Any]) -> None:
    person.open(f"{person.issuer}/login/person")
    person.sign_in("个人登录", account=account["account"], password=account["password"])


def signs_out(person: Person) -> None:
    person.open(f"{person.issuer}{ROOM}")
    person.press("退出")
    assert "已退出登录" in person.reads()


def looks(person: Person) -> None:
    """The page is right at both widths, and in 大字版 on a phone."""
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 800})
        person.looks_over()
    person.page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    person.page.evaluate("document.documentElement.classList.add('tx-large')")
    person.looks_over()
    person.page.evaluate("document.documentElement.classList.remove('tx-large')")


def removes_the_first_factor(person: Person) -> None:
    person.open(f"{person.issuer}{ROOM}")
    person.page.locator("a[href$='/remove']").first.click()
    person.page.wait_for_url("**/remove")
    looks(person)
    person.press("移除")
    assert "已移除" in person.reads()


def test_a_passkey_and_an_app_are_added_used_and_removed(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    account, person = running_demo.account("person", "none"), somebody(script=True)
    with_an_authenticator(person)
    signs_in_by_password(person, account)
    person.open(f"{person.issuer}{ROOM}")
    assert "还没有添加" in person.reads()
    looks(person)

    person.press("添加通行密钥")
    looks(person)
    person.fill(name="示例手机")
    person.press("创建通行密钥")
    assert "请保存您的恢复码" in person.reads()
    assert len(re.findall(r"\b[0-9a-z]{5}-[0-9a-z]{5}\b", person.reads())) == 10
    looks(person)
    person.press("我已保存，继续")
    assert "示例手机" in person.reads()
    looks(person)

    signs_out(person)
    person.open(f"{person.issuer}/login/passkey")
    person.press("用通行密钥登录")
    person.open(f"{person.issuer}{ROOM}")
    assert "示例手机" in person.reads()

    person.press("添加验证器 App")
    looks(person)
    app = AnApp(person.page.inner_text(".tx-secret").replace(" ", "").replace("\n", ""))
    person.fill(name="验证器", code=app.code())
    person.press("验证并添加")
    assert "验证器 App 已添加" in person.reads()

    signs_out(person)
    signs_in_by_password(person, account)
    assert "第二步验证" in person.reads()
    person.fill(code=app.code())
    person.press("继续登录")
    person.open(f"{person.issuer}{ROOM}/sign-ins")
    assert "动态口令" in person.reads()
    assert "通行密钥" in person.reads()
    looks(person)

    removes_the_first_factor(person)
    removes_the_first_factor(person)
    assert "还没有添加" in person.reads()


def test_the_room_works_without_scripts(somebody: Callable[..., Person], running_demo: RunningDemo) -> None:
    account, person = running_demo.account("person", "future"), somebody(width=360)
    signs_in_by_password(person, account)
    person.press("账号安全")
    person.press("添加通行密钥")
    assert "需要浏览器允许运行脚本" in person.reads()
    person.press("不添加，返回账号安全")
    person.press("添加验证器 App")
    person.fill(code="000000")
    person.press("验证并添加")
    assert "动态口令不正确" in person.reads()
