"""The main job, as people live it: from the portal to the provider and back, and out of both.

MISSION A01, A02, A05, A06, A08, A09, A13, A15, I02, I07, J14.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo, wait_for


def goes_to_the_provider(person: Person, portal: str) -> None:
    """单位登录, then 去登录 (A01, A02)."""
    person.open(portal)
    person.press("单位登录")
    person.press("去登录")
    assert person.page.url.startswith(f"{person.issuer}/login")
    assert "您正在登录" in person.reads()


def signs_in_as(operator: dict[str, Any], person: Person) -> None:
    """Fill and send the operator's tab (A08)."""
    person.sign_in(
        "经办人登录",
        enterprise=operator["uscc"],
        account=operator["phone"],
        password=operator["password"],
    )


def signs_out_of_both(person: Person, portal: str) -> None:
    """退出登录 at the portal ends the sign-in at the provider too (I07)."""
    person.open(portal)
    with person.page.expect_navigation(url="**/signed-out*"):
        person.page.get_by_role("button", name="退出登录").locator("visible=true").first.click()
    person.open(f"{person.issuer}/center/person")
    assert person.page.url.startswith(f"{person.issuer}/login")
    person.open(portal)
    assert "单位登录" in person.reads()


@pytest.fixture(params=["localhost", "127.0.0.1"])
def portal(request: pytest.FixtureRequest, running_demo: RunningDemo) -> str:
    """The portal beside the provider, and once more on another site, where SameSite faults would show."""
    if request.param == "localhost":
        return running_demo.url("social_insurance")
    address: str = request.getfixturevalue("portal_on_another_site")
    return address


def test_a_legal_representative_signs_in_and_out(
    somebody: Callable[..., Person], running_demo: RunningDemo, portal: str
) -> None:
    company, person = running_demo.account("legal"), somebody()
    goes_to_the_provider(person, portal)
    person.sign_in("法人登录", account=company["uscc"], password=company["password"])
    assert person.page.url.startswith(portal)
    shown = person.reads()
    for expected in (company["name"], company["uscc"], company["representative"], "法定代表人"):
        assert expected in shown
    signs_out_of_both(person, portal)


def test_an_operator_signs_in_and_his_rights_are_shown(
    somebody: Callable[..., Person], running_demo: RunningDemo, portal: str
) -> None:
    operator, person = running_demo.account("operator"), somebody()
    goes_to_the_provider(person, portal)
    signs_in_as(operator, person)
    shown = person.reads()
    for expected in (operator["enterprise_name"], operator["uscc"], operator["name"], "经办人"):
        assert expected in shown
    signs_out_of_both(person, portal)


def test_a_person_signs_in_for_himself(
    somebody: Callable[..., Person], running_demo: RunningDemo, portal: str
) -> None:
    himself, person = running_demo.account("person"), somebody()
    person.open(portal)
    person.press("个人登录")
    assert "法人登录" not in person.reads()
    person.sign_in("个人登录", account=himself["account"], password=himself["password"])
    shown = person.reads()
    assert himself["name"] in shown
    assert himself["phone"] not in shown
    signs_out_of_both(person, portal)


def test_a_person_chooses_one_of_his_companies(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal = running_demo.url("social_insurance")
    several, person = running_demo.account("person", "several"), somebody()
    goes_to_the_provider(person, portal)
    person.sign_in("个人登录", account=several["account"], password=several["password"])
    assert person.page.url.startswith(f"{person.issuer}/login/company")
    person.page.get_by_label("江畔示例餐饮店").check()
    person.press("以该企业身份继续")
    shown = person.reads()
    assert "江畔示例餐饮店" in shown
    assert "经办人" in shown


def test_ending_a_mandate_ends_the_portals_session_within_seconds(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal = running_demo.url("social_insurance")
    operator, person = running_demo.account("operator", name="孙雨桐"), somebody()
    goes_to_the_provider(person, portal)
    signs_in_as(operator, person)
    assert operator["enterprise_name"] in person.reads()
    mandates = running_demo.idp("mandate", "list", operator["uscc"])
    ended = next(each for each in mandates if each["phone"].endswith("0003") and each["state"] == "live")
    running_demo.idp("mandate", "end", ended["id"])

    def is_out() -> bool:
        person.open(portal)
        return "单位登录" in person.reads()

    wait_for(is_out, 15)


def test_a_portal_refuses_whom_its_own_records_do_not_list(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal = running_demo.url("social_insurance")
    several, person = running_demo.account("person", "several"), somebody()
    goes_to_the_provider(person, portal)
    person.sign_in("个人登录", account=several["account"], password=several["password"])
    person.page.get_by_label("长白示例贸易有限公司").check()
    person.press("以该企业身份继续")
    shown = person.reads()
    assert "长白示例贸易有限公司" in shown
    assert "0431" in shown
    person.open(portal)
    assert "退出登录" not in person.reads() or "没有" in person.reads()


@pytest.mark.parametrize("case", ["pending", "revoked", "deregistered"])
def test_a_company_that_may_not_sign_in_is_told_why(
    somebody: Callable[..., Person], running_demo: RunningDemo, case: str
) -> None:
    company, person = running_demo.account("legal", case), somebody()
    person.open(f"{person.issuer}/login/legal")
    person.sign_in("法人登录", account=company["uscc"], password=company["password"] or "any password 1")
    expected = {"pending": "待激活", "revoked": "吊销", "deregistered": "注销"}[case]
    assert expected in person.reads()


@pytest.mark.parametrize("case", ["expired", "future"])
def test_a_mandate_that_is_not_live_is_told_its_day(
    somebody: Callable[..., Person], running_demo: RunningDemo, case: str
) -> None:
    operator, person = running_demo.account("operator", case), somebody()
    person.open(f"{person.issuer}/login/operator")
    signs_in_as(operator, person)
    assert {"expired": "到期", "future": "起生效"}[case] in person.reads()


def test_every_page_of_the_journey_fits_and_is_accessible(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal = running_demo.url("social_insurance")
    several, person = running_demo.account("person", "several"), somebody(at_every_width=True, script=True)
    for address in (portal, f"{portal}/login/unit"):
        person.open(address)
        person.looks_over()
    person.press("去登录")
    person.looks_over()
    person.prefers_a_password()
    for tab in ("法人登录", "经办人登录", "个人登录"):
        person.page.get_by_role("link", name=tab, exact=True).click()
        person.page.wait_for_url(f"**/login/{ {'法': 'legal', '经': 'operator', '个': 'person'}[tab[0]] }*")
        person.looks_over()
    person.fill(account="nobody", password="wrong password", captcha="0000")
    with person.page.expect_navigation():
        person.page.press("main [name=captcha]", "Enter")
    person.looks_over()
    person.sign_in("个人登录", account=several["account"], password=several["password"])
    person.looks_over()
    person.page.get_by_label("江畔示例餐饮店").check()
    person.press("以该企业身份继续")
    person.looks_over()
    for path in (
        "/center/operator",
        "/center/operator/sessions",
        "/oauth/logout",
        "/help",
        "/pages/privacy",
        "/",
    ):
        person.open(person.issuer + path)
        person.looks_over()
    for path in ("/oauth/authorize?client_id=nobody", "/nowhere"):
        person.open(person.issuer + path)
        person.looks_over()


def test_the_back_button_and_two_tabs_do_no_harm(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal = running_demo.url("social_insurance")
    company, person = running_demo.account("legal"), somebody()
    goes_to_the_provider(person, portal)
    other_tab = Person.at(person.page.context, person.issuer)
    goes_to_the_provider(other_tab, portal)
    person.sign_in("法人登录", account=company["account"], password=company["password"])
    assert company["name"] in person.reads()
    other_tab.sign_in("法人登录", account=company["account"], password=company["password"])
    assert company["name"] in other_tab.reads()
    person.page.go_back()
    person.open(portal)
    assert company["name"] in person.reads()


def test_large_text_stays_on_and_fits(somebody: Callable[..., Person]) -> None:
    person = somebody(width=360)
    person.open(f"{person.issuer}/login/legal")
    person.press("大字版")
    assert person.page.url.endswith("/login/legal")
    assert "tx-large" in (person.page.get_attribute("html", "class") or "")
    width = person.page.locator("main").bounding_box()
    assert width is not None
    assert width["width"] <= 360
