"""账号激活 in a browser: a company that was imported, and the phone that came with it (C01–C05)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.chrome import Person, read_json
from tests.running_demo import RunningDemo, wait_for
from tests.world import a_credit_code, a_resident_number

PASSWORD = "Paper-lantern 77"


@dataclass(frozen=True)
class Imported:
    """A company that an operator of the service imported a moment ago, and what its representative types."""

    demo: RunningDemo
    told: dict[str, str]
    account: str
    phone: str

    def code(self) -> str:
        """The newest code on its phone."""

        def found() -> Any:
            outbox = read_json(f"{self.demo.issuer}/demo/outbox.json?phone={self.phone}")
            return next((each["code"] for each in outbox if each["code"]), None)

        return str(wait_for(found, 20))


@pytest.fixture
def imported(running_demo: RunningDemo, tmp_path: Path) -> Imported:
    """A company 待激活 of its own for each test: the demo's is others' too."""
    number = 1_000_000 + secrets.randbelow(9_000_000)
    told = {
        "name": f"第{number}示例建筑有限公司",
        "uscc": a_credit_code(number),
        "representative_name": "冯远山",
        "id_number": a_resident_number(number),
        "valid_from": "2021-03-04",
    }
    phone = f"1371{number}"
    file = tmp_path / "companies.csv"
    heads = "统一社会信用代码,企业名称,法定代表人姓名,法定代表人证件号码,手机号码"
    cells = (told["uscc"], told["name"], told["representative_name"], told["id_number"], phone)
    file.write_text(f"{heads}\n{','.join(cells)}\n", encoding="utf-8")
    assert running_demo.idp("import", "companies", str(file))["added"] == 1
    return Imported(running_demo, told, f"jianzhu_{number}", phone)


def tells(person: Person, company: Imported) -> None:
    """Fill the first step and send it."""
    person.page.check("[name=term][value='20']", force=True)
    person.fill(**company.told)
    person.solve_captcha()
    person.press("下一步，验证手机")


@pytest.mark.parametrize("script", [True, False])
def test_a_company_is_activated_and_signs_in(
    somebody: Callable[..., Person], imported: Imported, *, script: bool
) -> None:
    """C02–C05, each page fit for everybody, with a script and without."""
    # Each page is looked over at both widths and worked with when narrow; without a script, when wide.
    person = somebody(at_every_width=script, script=script)
    looks = person.looks_over if script else lambda: None
    person.open(f"{person.issuer}/activate")
    looks()
    person.press("下一步，验证手机")
    assert "请填写法定代表人证件号码" in person.reads()
    looks()
    tells(person, imported)
    assert "手机短信验证" in person.page.inner_text("[aria-current=step]")
    assert f"{imported.phone[:3]}****{imported.phone[-4:]}" in person.reads()
    looks()
    if script:
        person.page.get_by_role("button", name="获取验证码").click()
        person.page.locator("text=秒后可重新获取").wait_for()
        looks()
    else:
        person.press("获取验证码")
    person.fill(code=imported.code())
    person.press("下一步，设置账号和密码")
    looks()
    person.press("激活账号")
    assert "请阅读并勾选同意《注册协议》与《隐私政策》" in person.reads()
    looks()
    person.fill(account=imported.account, new_password=PASSWORD, confirm_password=PASSWORD)
    person.page.check("[name=agreed]", force=True)
    person.press("激活账号")
    assert "激活成功" in person.page.inner_text("[aria-current=step]")
    looks()
    person.press("前往登录")
    person.sign_in("法人登录", account=imported.account, password=PASSWORD)
    assert person.page.url.endswith("/center/enterprise")
    assert imported.told["name"] in person.reads()


def test_the_last_day_and_the_words_follow_what_is_chosen(
    somebody: Callable[..., Person], imported: Imported
) -> None:
    """B10, X10: the script computes the last day and renames the name."""
    person = somebody(script=True)
    person.open(f"{person.issuer}/activate")
    assert person.page.inner_text("label[for=name]") == "企业名称"
    person.page.select_option("[name=type]", "事业单位法人")
    assert person.page.inner_text("label[for=name]") == "单位名称"
    person.fill(valid_from="2021-03-04")
    person.page.check("[name=term][value='10']", force=True)
    assert person.page.input_value("[name=valid_until]") == "2031-03-04"
    person.page.check("[name=term][value=long]", force=True)
    assert person.page.input_value("[name=valid_until]") == ""


def test_going_back_and_a_second_tab_do_no_harm(somebody: Callable[..., Person], imported: Imported) -> None:
    """The back button at each step, and another tab of the same browser."""
    person = somebody(script=True)
    person.open(f"{person.issuer}/activate")
    tells(person, imported)
    person.press("返回修改")
    assert person.page.input_value("[name=uscc]") == imported.told["uscc"]
    person.solve_captcha()
    person.press("下一步，验证手机")
    person.page.get_by_role("button", name="获取验证码").click()
    person.page.locator("text=秒后可重新获取").wait_for()
    person.fill(code=imported.code())
    person.press("下一步，设置账号和密码")
    third = person.page.url
    person.page.go_back()
    assert person.page.url.split("?")[0].endswith(("/activate/phone", "/activate/password"))
    person.open(third)
    tab = Person.at(person.page.context, person.issuer)
    tab.open(third)
    for each in (tab, person):
        each.fill(account=imported.account, new_password=PASSWORD, confirm_password=PASSWORD)
        each.page.check("[name=agreed]", force=True)
    tab.press("激活账号")
    person.press("激活账号")
    assert tab.page.url == person.page.url
    assert "激活成功" in person.reads()
    person.page.go_back()
    person.page.reload()
    assert "激活成功" in person.reads()


def test_a_company_without_a_phone_is_told_the_ways_out(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """Y, "activation": the demo's company that came without one."""
    person, company = somebody(width=360, script=True), running_demo.account("legal", "no_phone")
    person.open(f"{person.issuer}/activate")
    person.page.check("[name=term][value='20']", force=True)
    person.fill(
        name=company["name"],
        uscc=company["uscc"],
        representative_name=company["representative"],
        id_number=company["id_number"],
        valid_from=company["id_valid_from"],
    )
    person.solve_captcha()
    person.press("下一步，验证手机")
    assert "没有留存手机号码" in person.reads()
    person.looks_over()
