"""Step-up by a second factor (RFC 9470): asked for is what is missing, and of the one who is signed in."""

from __future__ import annotations

import time
from urllib.parse import unquote

import pyotp

from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.login.acting import (
    a_passkey,
    key_of,
    last_session,
    names_of,
    sign_in,
    touch,
    trail_of,
    without_a_phone,
)
from tests.oauth.asking import a_signed_in_person, claims_of, later, refused_with, tokens_for
from tests.oauth.devices import ADevice, a_device_client
from tests.oauth.test_step_up import AGAIN, LOA_1, LOA_2, ask
from tests.portals import Authorization, get_with
from tests.world import ACompany, AnOperator, APerson, World


def a_code(secret: str) -> str:
    """What the authenticator app shows now."""
    return pyotp.TOTP(secret).at(int(time.time()))


def the_session(world: World, person: APerson) -> SigninSession:
    return last_session(world, key_of(world, person))


def test_a_level_asked_for_of_a_signed_in_person_asks_for_the_factor_alone(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    enter(browser, person)
    held = tokens_for(browser, client)
    before, cookie = the_session(world, person), browser.cookie("idp_session")
    secret = world.a_totp(key_of(world, person))
    asked = Authorization(client)
    with later(minutes=5):
        page = browser.open(asked.address("openid", acr_values=LOA_2))
        assert page.url.startswith("/login/second?tx=")
        assert "为了办理这项业务，需要更高等级的验证" in page.text
        assert page.form()["fields"].keys() >= {"code", "shown_for"}
        page = browser.submit({"code": a_code(secret)})
        claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
        after = the_session(world, person)
    assert (claims["acr"], claims["amr"]) == (LOA_2, ["pwd", "otp"])
    assert claims["auth_time"] == claims_of(world, held["id_token"])["auth_time"], "the sign-in is the same"
    assert (after.id, after.sid, after.auth_time) == (before.id, before.sid, before.auth_time)
    assert browser.cookie("idp_session") != cookie, "under a new id (S31)"
    assert get_with(world, held["access_token"]).status_code == 200, "what was given stays"
    assert trail_of(world, key_of(world, person))[-1][0] == "proved_again"


def test_a_passkey_raises_a_sign_in_too(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    device = a_passkey(world, key_of(world, person))
    ask(browser, world.a_client(), acr_values=LOA_2)
    assert "code" in touch(browser, device, follow=True).query
    assert the_session(world, person).amr == "pwd hwk"


def test_who_was_raised_is_not_asked_again(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    secret = world.a_totp(key_of(world, person))
    sign_in(browser, person)
    browser.submit({"code": a_code(secret)})
    for level in (LOA_1, LOA_2):
        assert "code" in ask(browser, client, acr_values=level, prompt="none").query


def own_names(known: APerson | ACompany | AnOperator) -> dict[str, str]:
    """What somebody types who signs in without a phone number."""
    names = names_of(known)[1]
    return {**names, "account": known.person.id_number} if isinstance(known, AnOperator) else names


def test_who_has_no_factor_is_led_to_setting_one_up_and_back(world: World) -> None:
    """Nor a phone, which a code could be sent to."""
    everybody: dict[str, APerson | ACompany | AnOperator] = {
        "person": world.a_person(),
        "enterprise": world.a_company(),
        "operator": world.an_operator(),
    }
    for centre, known in everybody.items():
        without_a_phone(world, known)
        browser = world.browser()
        browser.open(f"/login/{names_of(known)[0]}")
        browser.submit_with_captcha({**own_names(known), "password": known.password})
        scope = "openid" if centre == "person" else "openid entity"
        page = ask(browser, world.a_client(), scope, acr_values=LOA_2)
        assert "还没有设置第二步验证" in page.text
        back = page.url.replace("/login/second?tx=", "%2Foauth%2Fauthorize%3Ftx%3D")
        assert f'href="/center/{centre}/security?next={back}"' in page.html
        secret = world.a_totp(key_of(world, known))
        page = browser.open(unquote(back))
        assert "code" in browser.submit({"code": a_code(secret)}).query


def test_silence_asks_for_no_factor(world: World) -> None:
    page = ask(a_signed_in_person(world), world.a_client(), acr_values=LOA_2, prompt="none")
    assert refused_with(page) == ("interaction_required", True)


def test_a_wrong_code_raises_nothing(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    account = key_of(world, person)
    world.a_totp(account)
    theirs = world.a_totp(key_of(world, world.a_person()))
    ask(browser, world.a_client(), acr_values=LOA_2)
    page = browser.submit({"code": a_code(theirs)})
    assert "动态口令不正确" in page.text
    assert the_session(world, person).acr == LOA_1
    assert trail_of(world, account)[-1] == ("proof_refused", {"why": "code"})


def test_a_sign_in_too_old_and_too_weak_begins_anew(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    sign_in(browser, person)
    secret = world.a_totp(key_of(world, person))
    with later(minutes=5):
        page = ask(browser, client, acr_values=LOA_2, max_age="60")
        assert AGAIN in page.text
        assert "用通行密钥登录" in page.text
        page = browser.sign_in_person(person, at=page.url)
        assert "/login/second?ticket=" in page.url
        assert "code" in browser.submit({"code": a_code(secret)}).query
        session = the_session(world, person)
        assert (session.acr, session.amr) == (LOA_2, "pwd otp")


def test_a_second_step_finishes_nothing_for_another_identity(world: World) -> None:
    first, second, browser = world.a_person(), world.a_person(), world.browser()
    secret = world.a_totp(key_of(world, second))
    enter(browser, first)
    cookie = browser.cookie("idp_session")
    sign_in(browser, second)  # for himself: a ticket that waits
    assert browser.page
    ticket = browser.page.url.partition("?")[2]
    with later(minutes=2):
        page = ask(browser, world.a_client(), max_age="60")
        transaction = page.url.partition("?")[2]
        page = browser.open(f"/login/second?{ticket}&{transaction}")
        assert "要换一个账号登录吗" in page.text
    assert browser.cookie("idp_session") == cookie
    assert secret


def test_a_device_may_ask_for_a_level(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    secret = world.a_totp(key_of(world, person))
    device = ADevice(world, a_device_client(world))
    asked = device.asks(acr_values=LOA_2).get_json()
    browser.open("/device")
    page = browser.submit({"user_code": asked["user_code"]})
    assert page.url.startswith("/login/second?tx=")
    page = browser.submit({"code": a_code(secret)})
    assert page.url.startswith("/device/confirm")


def test_the_step_up_is_answered_by_the_one_it_was_shown_to(world: World) -> None:
    first, second, browser = world.a_person(), world.a_person(), world.browser()
    enter(browser, first)
    other = world.browser()
    other.sign_in_person(second)
    for person in (first, second):
        world.a_totp(key_of(world, person))
    shown = ask(browser, world.a_client(), acr_values=LOA_2)
    browser.client.set_cookie("idp_session", other.cookie("idp_session") or "", domain="localhost")
    browser.page = shown
    assert "同一个浏览器里换过登录" in browser.submit({"code": "123456"}).text
    assert trail_of(world, key_of(world, second))[-1][0] == "signed_in", "no try was made for him"


def test_without_a_sign_in_or_a_request_there_is_nothing_to_raise(world: World) -> None:
    assert world.browser().open("/login/second", follow=False).location == "/login"
    page = a_signed_in_person(world).open("/login/second", follow=False)
    assert page.location == "/center/person"
