"""An administrator looks for a person and a company in Chromium: each page fits, and is open to everybody."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest

from tests.journeys.chrome import Person
from tests.journeys.console import at_every_width
from tests.journeys.test_second_factors import signs_in_by_password
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.journey


def test_an_administrator_finds_a_person_and_a_company(
    staff: Callable[[str], Person], running_demo: RunningDemo
) -> None:
    """SECURITY 76: masked until a reason is given; MISSION section Y."""
    person, looked_for = staff("administrator"), running_demo.account("person")
    company = running_demo.account("legal")
    person.open(f"{person.issuer}/staff/nothing")
    assert "回到今日概览" in person.reads()
    at_every_width(person)
    person.open(f"{person.issuer}/staff/accounts")
    person.fill(typed="没有%")
    person.press("查找账号")
    at_every_width(person)
    person.fill(typed=f"+86 {looked_for['phone']}")
    person.press("查找账号")
    assert looked_for["phone"] not in person.reads()
    at_every_width(person)
    person.press("停用账号")
    person.press("停用账号")
    assert "请填写原因" in person.reads()
    at_every_width(person)
    person.press("返回账号")
    person.press("查看完整信息（将留下记录）")
    at_every_width(person)
    person.fill(reason="核对登记信息，工单 1")
    person.press("查看完整信息（将留下记录）")
    assert looked_for["phone"] in person.reads()
    at_every_width(person)
    person.open(f"{person.issuer}/staff/accounts")
    person.fill(typed=company["uscc"])
    person.press("查找账号")
    assert company["name"] in person.reads()
    at_every_width(person)
    with person.page.expect_navigation():
        person.page.locator("tbody .tx-ops a").first.click()
    assert "结束后不能恢复" in person.reads()
    at_every_width(person)


def test_an_administrator_takes_a_lost_phone_from_an_account(
    somebody: Callable[..., Person], staff: Callable[[str], Person], running_demo: RunningDemo
) -> None:
    """What was added lately is marked, the removal asks for a reason, and the page says that it is done."""
    owner = {"account": "lost_phone", "password": "Only-mine 2026", "phone": "13912348765"}
    made = ("--account", owner["account"], "--name", "方小舟", "--phone", owner["phone"])
    running_demo.idp("person", "add", *made, "--password", owner["password"])
    person = somebody()
    signs_in_by_password(person, owner)
    person.press("账号安全")
    person.press("添加验证器 App")
    secret = "".join(person.page.inner_text(".tx-secret").split())
    person.fill(code=pyotp.TOTP(secret).now())
    person.press("验证并添加")
    console = staff("administrator")
    console.open(f"{console.issuer}/staff/accounts")
    console.fill(typed=owner["phone"])
    console.press("查找账号")
    assert "最近 7 天添加" in console.reads()
    at_every_width(console)
    console.press("移除全部第二步验证")
    at_every_width(console)
    console.fill(reason="手机丢失，工单 2")
    console.press("移除全部第二步验证")
    assert "已全部移除" in console.reads()
