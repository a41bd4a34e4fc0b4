"""法人注册 in a browser: the form, the code, the face on a phone or here, the account beside it (B01–B25)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.journeys.chrome import Person, read_json
from tests.journeys.phone import Phone
from tests.running_demo import RunningDemo, wait_for
from tests.world import a_credit_code, a_resident_number

PASSWORD = "Paper-lantern 77"
STEP = "[aria-current=step]"
# What docs/simulators.md says can be registered by hand.
ON_RECORD = {
    "name": "向海示例农业有限公司",
    "uscc": "91990100MA0TX00708",
    "representative_name": "田禾",
    "id_number": "990100198404170542",
    "valid_from": "2020-01-01",
    "phone": "13800000020",
}


@dataclass(frozen=True)
class Company:
    """A company nobody knows yet, and what its representative types."""

    demo: RunningDemo
    number: int = field(default_factory=lambda: 1_000_000 + secrets.randbelow(9_000_000))
    known: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, str]:
        """The fields that are typed, without code and captcha."""
        made = {
            "account": f"xianghai_{self.number}",
            "name": f"第{self.number}示例农业有限公司",
            "uscc": a_credit_code(self.number),
            "representative_name": "田小禾",
            "id_number": a_resident_number(self.number),
            "valid_from": "2021-03-04",
            "phone": f"1361{self.number}",
        }
        return {**made, **self.known}

    def fills(self, person: Person, **changed: str) -> None:
        """Fill the form, all but the code and the captcha."""
        person.page.check("[name=term][value='20']", force=True)
        person.fill(**{**self.told, **changed}, new_password=PASSWORD, confirm_password=PASSWORD)
        person.page.check("[name=agreed]", force=True)

    def proves_the_phone(self, person: Person, *, script: bool = True) -> None:
        """Ask for a code and type it; without a script the passwords are typed after it."""
        gets_a_code(person, script=script)
        person.fill(code=code_on(self.demo, self.told["phone"]))
        person.fill(new_password=PASSWORD, confirm_password=PASSWORD)

    def sends(self, person: Person, **changed: str) -> None:
        """The form, up to what stands behind its button."""
        person.open(f"{person.issuer}/register/enterprise")
        self.fills(person, **changed)
        self.proves_the_phone(person)
        person.press("注册")

    def signs_in(self, person: Person) -> None:
        """前往登录, and in."""
        person.press("前往登录")
        person.sign_in("法人登录", account=self.told["account"], password=PASSWORD)
        assert person.page.url.endswith("/center/enterprise")
        assert self.told["name"] in person.reads()


def code_on(demo: RunningDemo, phone: str) -> str:
    """The newest code on a phone."""

    def found() -> Any:
        outbox = read_json(f"{demo.issuer}/demo/outbox.json?phone={phone}")
        return next((each["code"] for each in outbox if each["code"]), None)

    return str(wait_for(found, 20))


def gets_a_code(person: Person, *, script: bool = True) -> None:
    """Solve the captcha where there is one, and press 获取验证码."""
    if person.page.locator("[name=captcha]").count():
        person.solve_captcha()
    if script:
        person.page.get_by_role("button", name="获取验证码").click()
        person.page.locator("text=秒后可重新获取").wait_for()
    else:
        person.press("获取验证码")


def agrees(person: Person) -> None:
    """The yes of its own, and on to the check."""
    person.page.check("[name=agreed]", force=True)
    person.press("去刷脸")


def shows_face_here(person: Person, outcome: str = "通过") -> None:
    """在本机刷脸, on the page of the face service, and back."""
    person.press("在本机刷脸")
    person.page.get_by_role("button", name=outcome, exact=True).click()
    person.page.wait_for_url(f"{person.issuer}/register/enterprise/face/finish**")


def test_the_company_on_record_registers_with_the_face_on_a_phone(
    somebody: Callable[..., Person], new_phone: Callable[..., Phone], running_demo: RunningDemo
) -> None:
    """B17, B18: nobody is signed in on the phone; it says who asks and for which company."""
    computer, phone = somebody(script=True), new_phone()
    company = Company(running_demo, known={**ON_RECORD, "account": "xianghai_farm"})
    company.sends(computer)
    assert computer.page.inner_text(STEP).endswith("实名核验")
    agrees(computer)
    computer.page.locator("[data-scan-image]").wait_for()
    computer.looks_over()
    phone.scans(computer.page.screenshot(full_page=True))
    phone.heading("人脸核验")
    shown = phone.reads()
    assert ON_RECORD["name"] in shown
    assert "田*" in shown
    phone.looks_over()
    phone.page.get_by_label("我同意用我的人脸完成本次核验").check()
    number = computer.page.locator("[data-scan-number]")
    number.wait_for()
    phone.page.get_by_label(number.inner_text().strip(), exact=True).check()
    phone.tap("去刷脸")
    phone.page.get_by_role("button", name="通过", exact=True).click()
    phone.heading("请回到电脑上继续")
    computer.page.wait_for_url(f"{computer.issuer}/register/enterprise/done**")
    assert computer.page.inner_text(STEP).endswith("注册完成")
    company.signs_in(computer)
    told = read_json(f"{running_demo.issuer}/demo/outbox.json?phone={ON_RECORD['phone']}")
    assert any("您的企业账号已注册" in each["text"] for each in told)
    phone.page.context.close()


@pytest.mark.parametrize("script", [True, False])
def test_a_company_registers_with_the_face_shown_here(
    somebody: Callable[..., Person], running_demo: RunningDemo, *, script: bool
) -> None:
    """B01 to B18, each page fit for everybody, with a script and without; a refused face first."""
    # Each page is looked over at both widths and worked with when narrow; without a script, when wide.
    person, company = somebody(at_every_width=script, script=script), Company(running_demo)
    looks = person.looks_over if script else lambda: None
    person.open(f"{person.issuer}/register/enterprise")
    looks()
    person.press("注册")
    assert "请填写统一社会信用代码" in person.reads()
    looks()
    company.fills(person)
    company.proves_the_phone(person, script=script)
    looks()
    person.press("注册")
    looks()
    agrees(person)
    looks()
    shows_face_here(person, "不是本人")
    assert "没有注册法人账号" in person.reads()
    looks()
    person.press("重新刷脸")
    agrees(person)
    shows_face_here(person)
    person.press("继续注册")
    assert person.page.inner_text(STEP).endswith("注册完成")
    looks()
    company.signs_in(person)
    assert person.faults == []


def test_who_cannot_be_registered_is_led_on(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """B19, B20: unlike the record, waiting to be activated, registered already; the phone is proved once."""
    person, company = somebody(script=True), Company(running_demo)
    company.sends(person, name="向海不符示例农业有限公司")
    assert "法人信息不匹配" in person.reads()
    assert "拨打服务热线" in person.reads()
    person.looks_over()
    for case, heading, way in (
        ("pending", "该企业账号待激活", "去激活"),
        ("live", "该企业已注册", "忘记密码"),
    ):
        person.press("返回核对" if case == "pending" else "返回修改")
        assert "手机号码已验证" in person.reads()
        company.fills(person, uscc=running_demo.account("legal", case)["uscc"])
        person.press("注册")
        assert heading in person.reads()
        person.looks_over()
        assert person.page.get_by_role("link", name=way, exact=True).count()
    person.page.go_back()
    assert person.page.input_value("[name=uscc]") == running_demo.account("legal", "live")["uscc"]


def test_going_back_and_a_second_tab_do_no_harm(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """The back button at each step, and another tab of the same browser."""
    person, company = somebody(script=True), Company(running_demo)
    company.sends(person)
    second = person.page.url
    person.press("返回修改")
    assert person.page.input_value("[name=uscc]") == company.told["uscc"]
    assert person.page.input_value("[name=new_password]") == ""
    tab = Person.at(person.page.context, person.issuer)
    tab.open(f"{person.issuer}/register/enterprise")
    assert tab.page.input_value("[name=uscc]") == ""
    person.open(second)
    agrees(person)
    person.page.go_back()
    assert "去刷脸" in person.reads()
    tab.open(second)
    agrees(tab)
    shows_face_here(tab)
    tab.press("继续注册")
    end = tab.page.url
    assert "/register/enterprise/done" in end
    person.open(second)
    assert person.page.url == end
    person.page.go_back()
    person.page.reload()
    assert person.page.url.startswith(f"{person.issuer}/register/enterprise/")
    tab.page.go_back()
    tab.page.reload()
    assert tab.page.url == end
