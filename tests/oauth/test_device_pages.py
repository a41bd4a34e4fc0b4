"""A person types what a device shows, signs in, and decides, knowing what he decides about."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from idp.access import user_codes
from idp.access.consents import Consent
from idp.accounts.audit import AuditEvent
from tests.entering import enter
from tests.oauth.asking import a_signed_in_operator, a_signed_in_person, at_once, later
from tests.oauth.devices import ALLOWED, ASKS, ADevice, a_device, a_device_client, changed, type_code
from tests.portals import Authorization
from tests.world import Page, World, error_sentences

DENIED = "没有允许设备登录"
GONE = "这个代码已经失效"
UNKNOWN = "没有设备在等待这个代码"


def is_asked(page: Page) -> bool:
    return page.status == 200 and page.url.startswith("/device/confirm") and ASKS in page.text


def an_unknown_code(device: ADevice) -> str:
    """A code that no device shows."""
    first = device.user_code[0]
    other = next(letter for letter in user_codes.ALPHABET if letter != first)
    return other + device.user_code[1:]


def test_a_code_leads_through_the_sign_in_to_the_question(world: World) -> None:
    operator, device = world.an_operator(), a_device(world, "openid phone entity", name="社保自助机")
    browser = world.browser()
    page = type_code(browser, device.user_code)
    assert page.url.startswith("/login/"), page.url
    assert "社保自助机" in page.text
    page = browser.sign_in_operator(operator, at=page.url.replace("/login/legal", "/login/operator"))
    assert is_asked(page)
    for shown in ("社保自助机", device.user_code, "您的手机号码", operator.company.name, "经办人"):
        assert shown in page.text, shown
    assert operator.person.name not in page.text, "the name is masked"
    assert "代码是别人给您的，请点「不允许」" in page.text
    page = browser.submit({"decision": "allow"})
    assert ALLOWED in page.text
    with world.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "consent_given")).one()
    assert event.detail == {"scope": ["entity", "openid", "phone"], "device": True}


def test_the_pages_own_form_is_the_first(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    assert "user_code" in browser.open("/device").form()["fields"]
    page = type_code(browser, device.user_code)
    assert page.html.index('name="decision"') < page.html.index("/login/identity")
    assert "decision" not in page.form(1)["fields"]


def test_a_company_is_chosen_on_the_way(world: World) -> None:
    person, device = world.a_person(), a_device(world, "openid entity")
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    browser = world.browser()
    enter(browser, person)
    page = type_code(browser, device.user_code)
    assert page.url.startswith("/login/company")
    page = browser.submit({"enterprise": str(second.mandate.id)})
    assert is_asked(page)
    assert second.company.name in page.text
    assert first.company.name not in page.text


def test_another_kind_of_identity_is_asked_for_first(world: World) -> None:
    browser, device = a_signed_in_operator(world), a_device(world, "openid profile")
    page = type_code(browser, device.user_code)
    assert page.url.startswith("/login/identity")
    page = browser.submit({})
    assert page.url.startswith("/login/person")
    assert is_asked(browser.sign_in_person(world.a_person(), at=page.url))


def test_another_account_may_answer_in_the_same_browser(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    type_code(browser, device.user_code)
    page = browser.submit(number=1)
    other = world.a_person(name="王一川")
    assert is_asked(browser.sign_in_person(other, at=page.url))
    assert ALLOWED in browser.submit({"decision": "allow"}).text
    assert device.polls().status_code == 200


def test_a_refusal_gives_the_device_nothing(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    type_code(browser, device.user_code)
    assert DENIED in browser.submit({"decision": "deny"}).text
    assert device.polls().get_json()["error"] == "access_denied"


def test_first_party_devices_are_asked_about_each_time(world: World) -> None:
    browser, client = a_signed_in_person(world), a_device_client(world, first_party=True)
    for _time in range(2):
        device = ADevice(world, client)
        device.asks()
        assert is_asked(type_code(browser, device.user_code))
        browser.submit({"decision": "allow"})
    with world.reading() as db:
        assert db.scalars(select(Consent)).all() == [], "nothing is remembered"


@pytest.mark.parametrize(
    "how", ["small", "no dash", "spaces", "full width", "long dash", "underscores", "dots"]
)
def test_however_it_is_typed_it_is_understood(world: World, how: str) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    code = device.user_code
    typed = {
        "small": code.lower(),
        "no dash": code.replace("-", ""),
        "spaces": "  " + " ".join(code.replace("-", "")) + "　",
        "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in code.lower()),
        "long dash": code.replace("-", "—"),
        "underscores": code.replace("-", "__"),
        "dots": code.replace("-", "·."),
    }[how]
    assert is_asked(type_code(browser, typed))


def test_what_cannot_be_a_code_is_said_and_costs_no_try(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    for typed in ("", "x", "AEIO-UAEI", "1234-5678", device.user_code + "B", "ＢＣ", "B" * 500, "\x00"):
        page = type_code(browser, typed)
        assert page.status in {200, 400}, typed
        assert page.status == 400 or error_sentences(page) == [
            "代码是 8 个字母，其中没有 A、E、I、O、U、Y，请照设备上显示的填写"
        ], typed
    assert is_asked(type_code(browser, device.user_code))


def test_a_code_in_the_address_is_filled_in_and_still_sent_by_hand(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = browser.open(device.told["verification_uri_complete"])
    assert page.url.startswith("/device?user_code=")
    assert page.form()["fields"]["user_code"] == device.user_code
    assert "核对设备上显示的代码" in page.text
    assert device.polls().get_json()["error"] == "authorization_pending"
    assert is_asked(browser.submit())


def test_a_strange_code_in_the_address_is_not_shown(world: World) -> None:
    page = world.browser().open('/device?user_code="><script>alert(1)</script>')
    assert page.form()["fields"]["user_code"] == ""
    assert "<script>alert(1)" not in page.html


def test_reload_back_and_typing_it_again_do_no_harm(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    first = type_code(browser, device.user_code)
    assert is_asked(browser.open(first.url))
    again = type_code(browser, device.user_code)
    assert is_asked(again)
    assert is_asked(browser.open(first.url)), "two tabs of one browser"
    assert ALLOWED in browser.submit({"decision": "allow"}).text
    assert GONE in browser.open(again.url).text
    assert GONE in browser.open(first.url).text
    assert error_sentences(type_code(browser, device.user_code))[0].startswith(UNKNOWN)


def test_a_second_browser_cannot_take_a_code_over(world: World) -> None:
    browser, thief, device = a_signed_in_person(world), a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    stolen = type_code(thief, device.user_code)
    assert "另一个浏览器" in error_sentences(stolen)[0]
    assert GONE in thief.open(page.url).text
    token = thief.open("/device").form()["fields"]["csrf_token"]
    assert GONE in thief.post(page.url, {"csrf_token": token, "decision": "allow"}).text
    assert device.polls().get_json()["error"] == "authorization_pending"
    browser.open(page.url)
    assert ALLOWED in browser.submit({"decision": "allow"}).text


def test_of_two_browsers_at_once_one_may_go_on(world: World) -> None:
    device = a_device(world)
    browsers = [a_signed_in_person(world) for _each in range(6)]
    for browser in browsers:
        browser.open("/device")
    pages = at_once(6, lambda number: browsers[number].submit({"user_code": device.user_code}))
    assert sorted(is_asked(page) for page in pages) == [False] * 5 + [True]


def test_of_yes_and_no_at_once_one_counts(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    fields, kept = page.form()["fields"], browser.client.get_cookie("idp_session", domain="localhost")
    known = browser.client.get_cookie("idp_browser", domain="localhost")
    assert kept is not None
    assert known is not None

    def decides(number: int) -> str:
        twin = world.browser()
        twin.client.set_cookie("idp_session", kept.value, domain="localhost")
        twin.client.set_cookie("idp_browser", known.value, domain="localhost")
        decision = "allow" if number % 2 else "deny"
        return twin.post(page.url, {**fields, "decision": decision}, follow=False).location

    outcomes = [where for where in at_once(8, decides) if where.startswith("/device/")]
    assert len(outcomes) == 1
    answer = device.polls()
    if outcomes == ["/device/allowed"]:
        assert answer.status_code == 200
    else:
        assert answer.get_json()["error"] == "access_denied"


def test_nobody_decides_by_a_forged_form(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    url, token = page.url, page.form()["fields"]["csrf_token"]
    assert browser.post(url, {"decision": "allow"}).status == 400
    crossing = {"Origin": "https://portal.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post(url, {"decision": "allow", "csrf_token": token}, headers=crossing).status == 403
    for decision in ("", "ALLOW", "yes", "allow "):
        assert is_asked(browser.post(url, {"decision": decision, "csrf_token": token}, follow=False)), (
            decision
        )
    assert device.polls().get_json()["error"] == "authorization_pending"


def test_nobody_decides_without_a_sign_in(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    fields = page.form()["fields"]
    browser.client.delete_cookie("idp_session", domain="localhost")
    assert "/login" in browser.post(page.url, {**fields, "decision": "allow"}, follow=False).location
    assert device.polls().get_json()["error"] == "authorization_pending"


def test_a_question_older_than_its_code_is_not_asked(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    with later(seconds=601):
        assert GONE in browser.open(page.url).text
        assert error_sentences(type_code(browser, device.user_code))[0].startswith(UNKNOWN)


def test_a_client_that_lost_the_grant_is_not_asked_about(world: World) -> None:
    browser, device, late = a_signed_in_person(world), a_device(world), a_device(world)
    page = type_code(browser, device.user_code)
    stranger, other = world.browser(), ADevice(world, device.client)
    other.asks()
    transaction = type_code(stranger, other.user_code).url.partition("tx=")[2]
    for client in (device.client, late.client):
        changed(world, client, grant_types=["refresh_token"])
    assert GONE in browser.open(page.url).text
    assert stranger.open(f"/oauth/authorize?tx={transaction}").status == 400, "nobody signs in for nothing"
    assert error_sentences(type_code(browser, late.user_code))[0].startswith(UNKNOWN)


def test_a_transaction_of_a_portal_is_no_device(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(first_party=False)
    page = browser.open(Authorization(client).address("openid"))
    transaction = page.url.partition("tx=")[2]
    assert GONE in browser.open(f"/device/confirm?tx={transaction}").text


def test_scopes_of_other_systems_are_named_too(world: World) -> None:
    browser = a_signed_in_person(world)
    device = a_device(world, "openid seal:verify", scopes=("openid", "seal:verify"))
    assert "seal:verify" in type_code(browser, device.user_code).text


def test_a_browser_that_guesses_must_wait(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    wrong = an_unknown_code(device)
    for _try in range(user_codes.A_BROWSER):
        assert error_sentences(type_code(browser, wrong))[0].startswith(UNKNOWN)
    page = type_code(browser, device.user_code)
    assert page.status == 429
    assert 0 < int(page.response.headers["Retry-After"]) <= user_codes.WINDOW
    assert re.match(r"填写次数过多，请过 \d+ 分钟，在设备上重新获取代码后再填写", error_sentences(page)[0])
    assert device.polls().get_json()["error"] == "authorization_pending", "the device is untouched"


def test_a_right_code_gives_a_browser_its_tries_back(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    for _round in range(3):
        for _try in range(user_codes.A_BROWSER - 1):
            type_code(browser, an_unknown_code(device))
        assert is_asked(type_code(browser, device.user_code))


def test_many_guesses_at_once_do_not_exceed_the_limit(world: World) -> None:
    wrong = an_unknown_code(a_device(world))
    browser = world.browser()
    token = type_code(browser, wrong).form()["fields"]["csrf_token"]
    known = browser.client.get_cookie("idp_browser", domain="localhost")
    assert known is not None

    def guesses(_number: int) -> int:
        twin = world.browser()
        twin.client.set_cookie("idp_browser", known.value, domain="localhost")
        return twin.post("/device", {"csrf_token": token, "user_code": wrong}).status

    tried = at_once(16, guesses)
    left = user_codes.A_BROWSER - 1
    assert sorted(tried) == [200] * left + [429] * (16 - left)


def test_an_address_that_guesses_with_many_browsers_must_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_codes, "AN_ADDRESS", 4)
    device = a_device(world)
    for _try in range(4):
        assert type_code(world.browser(address="2001:db8::1"), an_unknown_code(device)).status == 200
    assert type_code(world.browser(address="2001:db8::2"), device.user_code).status == 429, "its neighbour"
    assert type_code(world.browser(address="2001:db8:0:1::1"), device.user_code).status == 200


def test_many_strangers_who_guess_stop_strangers_and_nobody_who_signed_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_codes, "OVERALL", 3)
    device, honest = a_device(world), a_signed_in_person(world)
    for number in range(3):
        assert type_code(world.browser(address=f"192.0.2.{number}"), an_unknown_code(device)).status == 200
    page = type_code(world.browser(address="192.0.2.77"), device.user_code)
    assert page.status == 429
    assert "请先登录" in error_sentences(page)[0]
    assert is_asked(type_code(honest, device.user_code))


def test_one_who_is_signed_in_guesses_no_more_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_codes, "A_PERSON", 2)
    person, device = world.a_person(), a_device(world)
    for number in range(3):
        browser = world.browser(address=f"192.0.2.{number}")
        enter(browser, person)
        assert type_code(browser, an_unknown_code(device)).status == (200 if number < 2 else 429)
