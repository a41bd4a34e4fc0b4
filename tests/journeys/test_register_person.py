"""个人注册 and 迁移原有账号 in a browser, the code read on the phone, the face shown (B01, B22, B23)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.chrome import Person, read_json
from tests.journeys.phone import Phone
from tests.running_demo import RunningDemo, wait_for
from tests.world import a_resident_number

PASSWORD = "Paper-lantern 77"


@dataclass(frozen=True)
class Newcomer:
    """Somebody of this test alone."""

    demo: RunningDemo
    name: str
    id_number: str
    phone: str

    @classmethod
    def of(cls, demo: RunningDemo) -> Newcomer:
        """Somebody nobody has heard of."""
        number = 1_000_000 + secrets.randbelow(8_990_000)
        return cls(demo, "白云飞", a_resident_number(number), f"1373{number}")

    def code(self, purpose: str) -> str:
        """The newest code on his phone."""

        def found() -> Any:
            outbox = read_json(f"{self.demo.issuer}/demo/outbox.json?phone={self.phone}")
            return next((each["code"] for each in outbox if each["purpose"] == purpose), None)

        return str(wait_for(found, 20))


@pytest.fixture
def newcomer(running_demo: RunningDemo) -> Newcomer:
    return Newcomer.of(running_demo)


@pytest.fixture
def former(running_demo: RunningDemo, tmp_path: Path) -> Newcomer:
    """Somebody who was brought over from the older app a moment ago."""
    person = Newcomer.of(running_demo)
    file = tmp_path / "people.csv"
    file.write_text(f"姓名,证件号码,手机号码\n{person.name},{person.id_number},{person.phone}\n", "utf-8")
    assert running_demo.idp("import", "people", str(file))["added"] == 1
    return person


def types(person: Person, who: Newcomer, **changed: str) -> None:
    """Fill the form but for the code; passwords last, as they go when the page is loaded anew."""
    fields = {"name": who.name, "id_number": who.id_number, "valid_from": "2020-01-01", "phone": who.phone}
    person.page.check("[name=term][value='20']")
    person.fill(**{**fields, **changed})


def chooses(person: Person) -> None:
    """Set the password and agree."""
    person.fill(new_password=PASSWORD, confirm_password=PASSWORD)
    person.page.check("[name=agreed]")


def asks_for_a_code(person: Person) -> None:
    """获取验证码, with a script: the page stays."""
    person.solve_captcha()
    person.page.get_by_role("button", name="获取验证码").click()
    person.page.get_by_text("秒后可重新获取").wait_for()


def sends(person: Person, who: Newcomer) -> None:
    """From the empty form to the face."""
    person.open(f"{person.issuer}/register/person")
    types(person, who)
    asks_for_a_code(person)
    person.fill(code=who.code("register_person"))
    chooses(person)
    person.press("提交，去实名核验")


def signs_in(person: Person, who: Newcomer) -> None:
    """前往登录, by the phone."""
    person.press("前往登录")
    person.sign_in("个人登录", account=who.phone, password=PASSWORD)
    person.page.wait_for_url(f"{person.issuer}/center/person")


@pytest.mark.journey
def test_a_person_registers_and_every_page_fits_and_is_accessible(
    somebody: Callable[..., Person], newcomer: Newcomer
) -> None:
    """At 360 px; at 1280 px the same is in test_register_both."""
    person = somebody(width=360, script=True)
    person.open(f"{person.issuer}/login/person")
    person.press("没有账号？立即注册")
    person.looks_over()
    person.page.locator("main a", has_text="第一次使用的法定代表人和经办人").click()
    person.page.wait_for_url("**/register/person?j=*")
    person.looks_over()
    person.press("提交，去实名核验")
    assert "处需要修改" in person.reads()
    person.looks_over()
    types(person, newcomer)
    assert person.page.input_value("[name=valid_until]") == "2040-01-01"
    asks_for_a_code(person)
    person.fill(code=newcomer.code("register_person"), account=f"bai_{newcomer.phone[4:]}")
    chooses(person)
    person.press("提交，去实名核验")
    assert "白*飞" in person.reads()
    person.looks_over()
    person.press("去刷脸")
    assert "请阅读说明并勾选同意" in person.reads()
    person.looks_over()
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.looks_over()
    person.press("在本机刷脸")
    person.press("不是本人")
    assert "人脸核验没有通过" in person.reads()
    person.looks_over()
    person.press("重新刷脸")
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.press("在本机刷脸")
    person.press("通过")
    person.looks_over()
    person.press("继续注册")
    assert "个人账号已注册" in person.reads()
    person.looks_over()
    signs_in(person, newcomer)


@pytest.mark.journey
def test_a_face_is_shown_on_the_phone_that_scans(
    somebody: Callable[..., Person], new_phone: Callable[..., Phone], newcomer: Newcomer
) -> None:
    """B17 for a person: the QR code, the app, the number."""
    computer, phone = somebody(script=True), new_phone()
    sends(computer, newcomer)
    computer.page.check("[name=agreed]")
    computer.press("去刷脸")
    computer.page.locator("[data-scan-image]").wait_for()
    phone.scans(computer.page.screenshot())
    phone.heading("人脸核验")
    assert "用于个人注册" in phone.reads()
    phone.page.get_by_label("我同意用我的人脸完成本次核验").check()
    number = computer.page.locator("[data-scan-number]")
    number.wait_for()
    phone.page.get_by_label(number.inner_text().strip(), exact=True).check()
    phone.tap("去刷脸")
    phone.page.get_by_role("button", name="通过", exact=True).click()
    phone.heading("请回到电脑上继续")
    computer.page.wait_for_url(f"{computer.issuer}/register/person/done?*")
    signs_in(computer, newcomer)
    phone.page.context.close()


@pytest.mark.journey
def test_without_a_script_the_buttons_do_the_same(
    somebody: Callable[..., Person], newcomer: Newcomer
) -> None:
    person = somebody(width=360)
    person.open(f"{person.issuer}/register/person")
    types(person, newcomer)
    person.solve_captcha()
    person.press("获取验证码")
    assert "验证码正在发送到" in person.reads()
    assert person.page.input_value("[name=id_number]") == newcomer.id_number
    person.fill(code=newcomer.code("register_person"))
    chooses(person)
    person.press("提交，去实名核验")
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.press("在本机刷脸")
    person.press("通过")
    person.press("继续注册")
    signs_in(person, newcomer)


@pytest.mark.journey
def test_the_back_button_finds_what_was_typed_and_the_code_is_not_asked_again(
    somebody: Callable[..., Person], newcomer: Newcomer
) -> None:
    person = somebody(script=True)
    sends(person, newcomer)
    person.press("返回修改")
    assert person.page.input_value("[name=id_number]") == newcomer.id_number
    assert person.page.input_value("[name=new_password]") == ""
    assert "手机号码已验证" in person.reads()
    person.looks_over()
    person.fill(name="白云飞")
    chooses(person)
    person.press("提交，去实名核验")
    person.page.go_back()
    person.page.go_forward()
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.press("在本机刷脸")
    person.press("通过")
    person.page.go_back()
    person.page.go_forward()
    person.press("继续注册")
    assert "个人账号已注册" in person.reads()
    person.page.go_back()
    assert "个人账号已注册" in person.reads() or "人脸核验" in person.reads()


@pytest.mark.journey
def test_two_tabs_are_two_journeys_and_one_of_them_registers(
    somebody: Callable[..., Person], newcomer: Newcomer
) -> None:
    person = somebody(script=True)
    other = Person.at(person.page.context, person.issuer)
    other.open(f"{other.issuer}/register/person")
    types(other, newcomer)
    sends(person, newcomer)
    assert "j=" in person.page.url
    assert person.page.url.split("j=")[1] != other.page.url.split("j=")[1]
    other.fill(code="123456")
    chooses(other)
    other.press("提交，去实名核验")
    assert "短信验证码已过期或已使用" in other.reads()
    assert other.page.input_value("[name=name]") == newcomer.name
    person.page.check("[name=agreed]")
    person.press("去刷脸")
    person.press("在本机刷脸")
    person.press("通过")
    person.press("继续注册")
    assert "个人账号已注册" in person.reads()


@pytest.mark.journey
def test_an_account_of_the_older_app_is_taken_over_and_every_page_fits_and_is_accessible(
    somebody: Callable[..., Person], former: Newcomer
) -> None:
    """B23."""
    person = somebody(at_every_width=True, script=True)
    person.open(f"{person.issuer}/register")
    person.page.locator("main a", has_text="我用过 E章通 App").click()
    person.page.wait_for_url("**/register/moved?j=*")
    person.looks_over()
    person.fill(phone=former.phone)
    asks_for_a_code(person)
    person.fill(code=former.code("bring_over"))
    person.press("下一步，确认身份")
    assert "白*飞" in person.reads()
    person.looks_over()
    person.fill(id_number="990100")
    person.press("下一步，设置密码")
    person.looks_over()
    person.fill(id_number=former.id_number)
    person.press("下一步，设置密码")
    person.looks_over()
    person.press("保存密码，完成迁移")
    person.looks_over()
    chooses(person)
    person.press("保存密码，完成迁移")
    assert "原有账号已迁移" in person.reads()
    person.looks_over()
    signs_in(person, former)
