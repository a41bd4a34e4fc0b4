"""An administrator looks for a person and a company in Chromium: each page fits, and is open to everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys.chrome import Person
from tests.journeys.test_staff_console import at_every_width, comes_in
from tests.running_demo import RunningDemo

pytestmark = pytest.mark.journey


def test_an_administrator_finds_a_person_and_a_company(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """SECURITY 76: masked until a reason is given; MISSION section Y."""
    person, looked_for = somebody(script=True), running_demo.account("person")
    company = running_demo.account("legal")
    comes_in(person, running_demo.account("staff", role="administrator"), lambda: None)
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
