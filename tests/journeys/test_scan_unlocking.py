"""Scanning where more is asked, where the network fails, and with other apps (MISSION A12, A13, X17)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import APIResponse, Route

from tests.journeys.app_owner import answer_provider, named
from tests.journeys.chrome import Person
from tests.journeys.phone import PIN, Phone
from tests.journeys.test_scan_login import (
    COMPANY,
    OF_REPRESENTATIVE,
    OF_SEVERAL,
    ONE_OF_SEVERAL,
    OPERATOR,
    REPRESENTATIVE,
    asks,
    number_on,
)
from tests.journeys.test_second_factors import with_an_authenticator
from tests.running_demo import RunningDemo


def asks_for_the_second_level(person: Person, portal: str) -> None:
    """A request of the portal that a scan alone does not answer (acr_values)."""
    asked = {
        "response_type": "code",
        "client_id": "social-insurance",
        "redirect_uri": f"{portal}/callback",
        "scope": "openid entity",
        "state": "journey",
        "nonce": "journey",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "acr_values": "urn:idp:loa:2",
    }
    person.open(f"{person.issuer}/oauth/authorize?{urlencode(asked)}")
    person.page.locator("[data-scan-image]").wait_for()


def test_a_request_for_more_takes_the_pin_and_a_wrong_one_may_be_put_right(
    somebody: Callable[..., Person], phone_of: Callable[[str], Phone], portal: str
) -> None:
    computer, phone = somebody(script=True), phone_of(OF_SEVERAL)
    asks_for_the_second_level(computer, portal)
    phone.scans(computer.page.screenshot())
    asks(phone)
    number = number_on(computer)
    phone.answers(identity=ONE_OF_SEVERAL, number=number, pin="")
    phone.page.get_by_text("请输入 6 位数字口令").wait_for()
    phone.answers(identity=ONE_OF_SEVERAL, number=number, pin="604812")
    phone.page.get_by_text("App 口令不正确").wait_for()
    phone.looks_over()
    with computer.page.expect_request(f"{portal}/callback?*code=*"):
        phone.answers(identity=ONE_OF_SEVERAL, number=number, pin=PIN)
        phone.heading("已确认登录")


def test_a_passkey_opens_what_the_pin_opens(
    somebody: Callable[..., Person], phone_of: Callable[[str], Phone], portal: str
) -> None:
    computer, phone = somebody(script=True), phone_of(REPRESENTATIVE)
    with_an_authenticator(phone)
    adds_a_passkey(phone)
    asks_for_the_second_level(computer, portal)
    phone.scans(computer.page.screenshot())
    asks(phone)
    phone.looks_over()
    phone.tap("用通行密钥解锁")
    phone.page.get_by_text("已用通行密钥解锁").wait_for()
    phone.looks_over()
    with computer.page.expect_request(f"{portal}/callback?*code=*"):
        phone.answers(identity=OF_REPRESENTATIVE, number=number_on(computer), pin="")
        phone.heading("已确认登录")


def adds_a_passkey(phone: Phone) -> None:
    """At the provider, where the phone's browser is signed in since the app was."""
    phone.open(f"{phone.issuer}/center/person/security")
    phone.press("添加通行密钥")
    phone.fill(name="这部手机")
    phone.press("创建通行密钥")
    phone.press("我已保存，继续")


def test_without_a_network_the_answers_stay_and_are_sent_again(
    computer: Person, phone_of: Callable[[str], Phone], portal: str
) -> None:
    phone = phone_of(OPERATOR)
    phone.scans(computer.page.screenshot())
    asks(phone)
    number = number_on(computer)
    phone.page.context.set_offline(True)
    phone.answers(identity=COMPANY, number=number)
    phone.page.get_by_text("手机没有连上网络").wait_for()
    phone.faults.clear()
    phone.looks_over()
    phone.page.context.set_offline(False)
    assert phone.page.get_by_label(number, exact=True).is_checked()
    phone.tap("重试")
    phone.heading("已确认登录")
    computer.page.wait_for_url(f"{portal}/**")


def test_a_confirmation_whose_answer_was_lost_is_none_the_less_one(
    computer: Person, phone_of: Callable[[str], Phone], portal: str
) -> None:
    phone = phone_of(OPERATOR)
    lost: list[APIResponse] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        if route.request.method == "POST" and answer.status == 200 and not lost:
            lost.append(answer)
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    phone.scans(computer.page.screenshot())
    asks(phone)
    phone.page.route("**/confirm", lose_the_first)
    phone.answers(identity=COMPANY, number=number_on(computer))
    phone.tap("重试")
    phone.heading("已确认登录")
    assert len(lost) == 1
    computer.page.wait_for_url(f"{portal}/**")


def signs_in_to_another_app(phone: Phone, running_demo: RunningDemo, account: str, path: str) -> None:
    """Though the provider knows the phone's browser already, it asks: each app has a sign-in of its own."""
    phone.open(f"{phone.app}{path}")
    phone.tap("登录")
    answer_provider(phone, named(running_demo, account))
    phone.page.wait_for_url(f"{phone.app}{path}")
    phone.page.locator(".tx-hello h1").wait_for()


def test_an_app_that_may_not_scan_says_why_and_the_code_waits_for_another(
    computer: Person, phone_of: Callable[[str], Phone], running_demo: RunningDemo
) -> None:
    phone = phone_of(OPERATOR)
    signs_in_to_another_app(phone, running_demo, OPERATOR, "/licence/")
    phone.scans(computer.page.screenshot(), path="/licence/scan")
    phone.heading("这个 App 不能扫码登录")
    assert "「吉事办」App 扫码" in phone.reads()
    phone.looks_over()
    assert computer.page.locator("[data-scan-step=waiting]").is_visible()


def test_the_social_security_card_scans_as_a_mini_program(
    computer: Person, phone_of: Callable[[str], Phone], running_demo: RunningDemo, portal: str
) -> None:
    phone = phone_of(OF_SEVERAL)
    phone.open(f"{phone.app}/social-card/")
    phone.page.get_by_label("支付宝或微信里的小程序").check()
    signs_in_to_another_app(phone, running_demo, OF_SEVERAL, "/social-card/")
    phone.scans(computer.page.screenshot(), path="/social-card/scan")
    asks(phone)
    phone.looks_over()
    phone.answers(identity=ONE_OF_SEVERAL, number=number_on(computer))
    phone.heading("已确认登录")
    computer.page.wait_for_url(f"{portal}/**")
