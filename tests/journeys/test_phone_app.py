"""The phone app by itself: home, its rooms, and what it says when all is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.journeys.app_owner import OWNER, answer_provider, heading, named, press, signs_in
from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo

APPS = {"吉事办": "/", "电子社保卡": "/social-card/", "电子营业执照": "/licence/"}


@pytest.fixture
def app(running_demo: RunningDemo) -> str:
    return running_demo.url("phone")


@pytest.fixture
def phone(somebody: Callable[..., Person]) -> Person:
    return somebody(width=360, script=True)


def test_without_its_scripts_the_app_says_what_to_do(phone: Person, app: str) -> None:
    phone.page.route("**/static/**/*.js", lambda route: route.abort())
    phone.open(app + "/")
    expect(phone.page.locator("main")).to_contain_text("请更新浏览器")
    phone.faults.clear()
    phone.looks_over()


def test_large_letters_are_switched_on_once_and_stay(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    press(page, "我的")
    switch = page.get_by_role("switch", name="大字版")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    phone.looks_over()
    page.reload()
    expect(switch).to_have_attribute("aria-checked", "true")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    phone.open(app + "/")
    expect(heading(page)).to_contain_text("卫*")
    phone.looks_over()


def test_an_app_that_does_not_scan_yet_says_so_and_offers_no_scanning(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = phone.page
    phone.open(app + "/licence/")
    expect(page.locator("main")).to_contain_text("尚未开通")
    expect(page.locator("main")).not_to_contain_text("扫一扫")
    press(page, "登录")
    answer_provider(phone, named(running_demo, OWNER))
    expect(heading(page)).to_contain_text("卫*")
    expect(page.get_by_text("还没有扫码登录过")).to_be_visible()
    expect(page.locator("main")).to_contain_text("尚未开通")
    expect(page.locator("main")).not_to_contain_text("扫一扫")
    phone.looks_over()


def test_one_chooses_the_identity_that_the_home_page_shows(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, "zhaoxl"))
    expect(page.locator(".tx-idcard")).to_contain_text("松原示例科技有限公司")
    page.locator(".tx-idcard").click()
    expect(heading(page)).to_have_text("切换身份")
    phone.looks_over()
    page.get_by_label("赵*岚").check()
    press(page, "完成")
    expect(page.locator(".tx-idcard")).to_contain_text("当前身份：个人")
    page.reload()
    expect(page.locator(".tx-idcard")).to_contain_text("当前身份：个人")


def test_a_forgotten_pin_is_set_anew_after_signing_in_again(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    account = named(running_demo, "chuyun")
    page = signs_in(phone, app, account)
    page.goto(app + "/pin")
    page.fill("[name=current]", "918273")
    page.fill("[name=pin]", "604812")
    page.fill("[name=repeated]", "604812")
    assert page.get_by_label("我已阅读并同意").count() == 0, "he agreed to the present text before"
    press(page, "修改口令")
    expect(page.get_by_text("App 口令不正确")).to_be_visible()
    phone.looks_over()
    page.goto(app + "/me")
    press(page, "忘记口令")
    expect(heading(page)).to_have_text("忘记口令")
    phone.looks_over()
    press(page, "重新登录")
    answer_provider(phone, account)
    expect(heading(page)).to_have_text("重设口令")
    assert page.locator("[name=current]").count() == 0
    page.fill("[name=pin]", "604812")
    page.fill("[name=repeated]", "604812")
    press(page, "重设口令")
    expect(heading(page)).to_have_text("口令已修改")
    phone.looks_over()


def test_without_a_network_the_app_opens_and_says_so(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    page.reload()
    expect(heading(page)).to_have_text("手机没有连上网络")
    phone.faults.clear()
    phone.looks_over()
    page.context.set_offline(False)
    press(page, "重试")
    expect(heading(page)).to_contain_text("卫*")


def test_while_the_provider_is_away_the_app_says_so_and_stays_signed_in(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    page.route(f"{phone.issuer}/**", lambda route: route.abort("connectionrefused"))
    page.reload()
    expect(heading(page)).to_have_text("暂时连不上平台")
    page.unroute(f"{phone.issuer}/**")
    press(page, "重试")
    expect(heading(page)).to_contain_text("卫*")


def test_a_clock_that_is_wrong_is_said_to_be_and_costs_no_sign_in(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    page.clock.set_fixed_time(datetime.now(UTC) + timedelta(minutes=3))
    press(page, "我的")
    expect(page.get_by_text("打开「自动设置时间」后再试，不用重新登录")).to_be_visible()
    page.reload()
    expect(page.get_by_text("请在系统设置里打开「自动设置时间」后重试")).to_be_visible()
    phone.faults.clear()
    page.clock.set_fixed_time(datetime.now(UTC))
    press(page, "重试")
    expect(heading(page)).to_have_text("卫*")
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


@pytest.mark.parametrize(("name", "path"), APPS.items())
def test_each_app_bears_its_name_and_fits_a_small_phone_with_large_letters(
    somebody: Callable[..., Person], app: str, name: str, path: str
) -> None:
    person = somebody(width=320, script=True)
    person.open(app + path)
    expect(heading(person.page)).to_have_text(f"登录{name}")
    expect(person.page).to_have_title(f"{name}")
    person.looks_over()
    person.page.evaluate("document.documentElement.style.fontSize = '20px'")
    person.looks_over()


def test_the_social_card_runs_as_a_mini_program_and_has_a_sign_in_of_its_own(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    phone.open(app + "/social-card/")
    expect(heading(page)).to_have_text("登录电子社保卡")
    page.get_by_label("支付宝或微信里的小程序").check()
    expect(page.locator(".tx-capsule")).to_be_visible()
    phone.looks_over()
    expect(page.locator("main")).to_contain_text("您的经办人身份会一起出现")
    press(page, "登录")
    # Signed in at the provider already, he is asked all the same: each phone app has a sign-in of its own.
    answer_provider(phone, named(running_demo, OWNER))
    expect(heading(page)).to_contain_text("卫*")
    assert page.url == f"{app}/social-card/"
    expect(page.locator(".tx-capsule")).to_be_visible()
    names = page.evaluate("indexedDB.databases().then((all) => all.map((each) => each.name).sort())")
    assert names == ["tongxing-jishiban", "tongxing-social_card"]
    phone.open(app + "/")
    assert page.locator(".tx-capsule").count() == 0


def test_every_room_of_the_app_fits_and_can_be_read_in_large_letters(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    for path, title in {
        "/": "卫*",
        "/me": "卫*",
        "/identity": "切换身份",
        "/recent": "最近登录",
        "/pin": "修改口令",
        "/settings": "关于和打开方式",
    }.items():
        phone.open(app + path)
        expect(heading(page)).to_contain_text(title)
        phone.looks_over()
        page.evaluate("document.documentElement.style.fontSize = '20px'")
        phone.looks_over()


def test_the_way_back_of_the_phone_leads_through_the_app(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    press(page, "我的")
    expect(heading(page)).to_have_text("卫*")
    press(page, "修改口令")
    expect(heading(page)).to_have_text("修改口令")
    page.go_back()
    expect(heading(page)).to_have_text("卫*")
    page.go_back()
    expect(page.get_by_role("link", name="扫一扫")).to_be_visible()
