"""A face check that a computer asks for and a phone answers, signed in or not (MISSION A18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.chrome import Person
from tests.journeys.phone import Phone
from tests.running_demo import RunningDemo


def asks_for_a_face(computer: Person, person: dict[str, Any]) -> None:
    """刷脸登录 on a computer, up to the code that a phone is to scan (A18)."""
    computer.open(f"{computer.issuer}/login/face")
    computer.fill(name=person["name"], id_number=person["id_number"])
    computer.page.check("[name=agreed]")
    computer.solve_captcha()
    computer.press("去刷脸")
    computer.page.locator("[data-scan-image]").wait_for()


def number_on(computer: Person) -> str:
    """The number that the computer shows once its code was scanned."""
    shown = computer.page.locator("[data-scan-number]")
    shown.wait_for()
    return shown.inner_text().strip()


@pytest.mark.parametrize("outcome", ["通过", "不是本人"])
def test_a_phone_that_nobody_signed_in_on_shows_a_face_for_the_computer(
    somebody: Callable[..., Person],
    new_phone: Callable[..., Phone],
    running_demo: RunningDemo,
    outcome: str,
) -> None:
    computer, phone = somebody(script=True), new_phone()
    person = running_demo.account("person", account="wangrn", case="representative")
    asks_for_a_face(computer, person)
    phone.scans(computer.page.screenshot())
    phone.heading("人脸核验")
    shown = phone.reads()
    assert "王*楠" in shown
    assert person["name"] not in shown
    phone.looks_over()
    phone.tap("去刷脸")
    phone.page.get_by_text("请勾选同意后再去刷脸").wait_for()
    phone.page.get_by_text("请选择电脑上显示的数字").wait_for()
    phone.page.get_by_label("我同意用我的人脸完成本次核验").check()
    phone.page.get_by_label(number_on(computer), exact=True).check()
    phone.tap("去刷脸")
    phone.page.get_by_role("button", name=outcome, exact=True).click()
    phone.heading("请回到电脑上继续")
    phone.looks_over()
    if outcome == "通过":
        computer.page.wait_for_url(f"{computer.issuer}/center/**")
    else:
        computer.page.get_by_role("heading", name="人脸核验没有通过").wait_for()
    phone.page.context.close()


def test_whoever_refuses_the_face_check_ends_it(
    somebody: Callable[..., Person], new_phone: Callable[..., Phone], running_demo: RunningDemo
) -> None:
    computer, phone = somebody(script=True), new_phone()
    person = running_demo.account("person", account="wangrn", case="representative")
    asks_for_a_face(computer, person)
    phone.scans(computer.page.screenshot())
    phone.heading("人脸核验")
    phone.tap("拒绝")
    phone.heading("已拒绝")
    phone.looks_over()
    computer.page.locator("[data-scan-step=ended]").wait_for()
    phone.page.context.close()
