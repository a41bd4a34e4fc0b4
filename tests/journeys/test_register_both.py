"""A person registers, signs in, registers his company by his own account, and signs in as the company."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from idp.app import open_backends
from idp.config import load_settings
from tests.journeys.chrome import Person
from tests.journeys.test_register_enterprise import STEP, Company, code_on, gets_a_code
from tests.journeys.test_register_person import (
    PASSWORD,
    Newcomer,
    asks_for_a_code,
    chooses,
    signs_in,
    types,
)
from tests.running_demo import RunningDemo


def registers_himself(person: Person, who: Newcomer) -> None:
    """From the choice to 前往登录, each page looked over; a form with faults first."""
    person.open(f"{person.issuer}/register")
    person.looks_over()
    person.page.locator("main a", has_text="第一次使用的法定代表人和经办人").click()
    person.page.wait_for_url("**/register/person?j=*")
    types(person, who)
    asks_for_a_code(person)
    person.fill(code=who.code("register_person"), new_password="short", confirm_password="short")
    person.press("提交，去实名核验")
    assert "手机号码已验证" in person.reads()
    person.looks_over()
    chooses(person)
    person.press("提交，去实名核验")
    person.looks_over()
    back_and_forth(person, who)
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.looks_over()
    person.press("在本机刷脸")
    person.press("通过")
    person.looks_over()
    person.press("继续注册")
    person.looks_over()


def back_and_forth(person: Person, who: Newcomer) -> None:
    """The page of a form that was refused can be come back to, and gone on from: nothing is sent again."""
    further = person.page.url
    person.page.go_back()
    assert "/register/person?" in person.page.url
    assert person.page.input_value("[name=id_number]") == who.id_number
    assert "手机号码已验证" in person.reads()
    person.looks_over()
    person.page.reload()
    assert person.page.input_value("[name=id_number]") == who.id_number
    person.page.go_forward()
    assert person.page.url == further
    assert "白*飞" in person.reads()


def a_minute_goes_by(who: Newcomer) -> None:
    """What his phone has to wait for its next code is over: people are slower than this."""
    backends = open_backends(load_settings(who.demo.environment()))
    try:
        number = backends.vault.index("sms_phone", who.phone).hex()
        backends.store.delete(f"sms-gap:{number}")
    finally:
        backends.close()


def proves_himself(person: Person, who: Newcomer) -> None:
    """不方便刷脸: his own password, a wrong one first, and a code to his own phone."""
    person.press("不方便刷脸？用法定代表人的个人账号验证")
    person.looks_over()
    person.fill(password="Not the right one 1")
    person.solve_captcha()
    person.press("下一步，验证手机")
    assert "密码不正确" in person.reads()
    person.looks_over()
    person.fill(password=PASSWORD)
    person.solve_captcha()
    person.press("下一步，验证手机")
    person.looks_over()
    a_minute_goes_by(who)
    gets_a_code(person)
    person.fill(code=who.code("representative"))
    person.press("完成注册")
    assert person.page.inner_text(STEP).endswith("注册完成")
    person.looks_over()


@pytest.mark.journey
def test_a_person_registers_and_then_his_company_in_one_sitting(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """B22, B25, Y: his name is filled in, his account stands beside the face; each page fit for everybody."""
    person, who = somebody(width=1280, script=True), Newcomer.of(running_demo)
    registers_himself(person, who)
    signs_in(person, who)
    person.looks_over()
    known = {"representative_name": who.name, "id_number": who.id_number, "valid_from": "2020-01-01"}
    company = Company(running_demo, known=known)
    person.press("去注册法人账号")
    assert person.page.input_value("[name=representative_name]") == who.name
    company.fills(person)
    gets_a_code(person)
    person.fill(code=code_on(running_demo, company.told["phone"]))
    person.press("注册")
    proves_himself(person, who)
    company.signs_in(person)
    assert person.faults == []
