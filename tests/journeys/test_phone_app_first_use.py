"""The first use of the phone app (MISSION B24): it asks for consent and a PIN, and nobody gets round it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.app_owner import PIN, answer_provider, heading, named, press, set_pin
from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo


@pytest.fixture
def app(running_demo: RunningDemo) -> str:
    return running_demo.url("phone")


@pytest.fixture
def phone(somebody: Callable[..., Person]) -> Person:
    return somebody(width=360, script=True)


def test_the_first_use_asks_for_consent_and_a_pin_and_ends_at_home(
    somebody: Callable[..., Person], running_demo: RunningDemo, app: str
) -> None:
    account = named(running_demo, "fengli")
    person = somebody(at_every_width=True, script=True)
    page = person.page
    person.open(app + "/")
    expect(heading(page)).to_have_text("登录吉事办")
    person.looks_over()
    press(page, "登录")
    answer_provider(person, account)
    expect(heading(page)).to_have_text("首次使用")
    assert not page.get_by_label("我已阅读并同意").is_checked()
    person.looks_over()
    press(page, "下一步，设置口令")
    expect(page.get_by_role("alert")).to_contain_text("同意后才能设置口令")
    person.looks_over()
    page.get_by_label("我已阅读并同意").check()
    press(page, "下一步，设置口令")
    expect(heading(page)).to_have_text("设置口令")
    page.fill("[name=pin]", PIN)
    page.fill("[name=repeated]", "730519")
    press(page, "完成，进入首页")
    expect(page.get_by_text("两次输入的口令不一样")).to_be_visible()
    person.looks_over()
    page.fill("[name=pin]", "123456")
    page.fill("[name=repeated]", "123456")
    press(page, "完成，进入首页")
    expect(page.get_by_text("太容易猜到")).to_be_visible()
    page.fill("[name=pin]", PIN)
    page.fill("[name=repeated]", PIN)
    press(page, "完成，进入首页")
    expect(heading(page)).to_contain_text("好")
    expect(page.get_by_role("link", name="扫一扫")).to_be_visible()
    expect(page.get_by_text("还没有扫码登录过")).to_be_visible()
    person.looks_over()


def test_whoever_skips_the_first_use_is_led_back_to_it(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = phone.page
    phone.open(app + "/")
    press(page, "登录")
    answer_provider(phone, named(running_demo, "wujing"))
    expect(heading(page)).to_have_text("首次使用")
    phone.open(app + "/me")
    expect(heading(page)).to_have_text("首次使用")
    assert page.url == f"{app}/welcome"


def test_the_first_use_can_be_gone_back_in_and_left(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = phone.page
    phone.open(app + "/")
    press(page, "登录")
    answer_provider(phone, named(running_demo, "wujing"))
    expect(heading(page)).to_have_text("首次使用")
    page.get_by_label("我已阅读并同意").check()
    press(page, "下一步，设置口令")
    expect(heading(page)).to_have_text("设置口令")
    phone.looks_over()
    page.go_back()
    expect(heading(page)).to_have_text("首次使用")
    page.go_forward()
    expect(heading(page)).to_have_text("设置口令")
    press(page, "返回")
    expect(heading(page)).to_have_text("首次使用")
    press(page, "退出登录")
    expect(heading(page)).to_have_text("已退出登录")
    page.reload()
    expect(heading(page)).to_have_text("登录吉事办")


def test_nobody_scans_or_opens_a_link_round_the_first_use(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = phone.page
    request = f"{app}/open?code={phone.issuer}/q/AAAAAAAAAAAAAAAAAAAAAA"
    phone.open(request)
    press(page, "打开")
    expect(heading(page)).to_have_text("登录吉事办")
    press(page, "登录")
    answer_provider(phone, named(running_demo, "zhouqm"))
    expect(heading(page)).to_have_text("首次使用")
    phone.open(app + "/scan")
    expect(heading(page)).to_have_text("首次使用")
    phone.open(request)
    expect(heading(page)).to_have_text("首次使用")
    set_pin(page, "完成，继续")
    expect(heading(page)).to_have_text("是否打开登录请求")
    assert page.url.startswith(f"{app}/open?code=")
