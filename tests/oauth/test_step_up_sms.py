"""Step-up by a code sent to the phone: for accounts that have no stronger factor (RFC 9470, section Y)."""

from __future__ import annotations

import pytest

from tests.entering import enter
from tests.login.acting import (
    a_code,
    a_passkey,
    key_of,
    last_session,
    phone_form,
    sign_in,
    switch_sms_on,
    trail_of,
    type_sms,
    without_a_phone,
)
from tests.messages import waiting
from tests.oauth.asking import claims_of, tokens_for
from tests.oauth.test_step_up import LOA_1, LOA_2, ask
from tests.portals import Authorization
from tests.world import ACompany, AnOperator, APerson, World, error_sentences


def test_whoever_has_a_phone_and_no_factor_is_asked_for_a_code_alone(world: World) -> None:
    company, operator, person = world.a_company(), world.an_operator(), world.a_person()
    everybody: list[tuple[APerson | ACompany | AnOperator, str, str]] = [
        (person, person.phone, "openid"),
        (company, company.representative.phone, "openid entity"),
        (operator, operator.phone, "openid entity"),
    ]
    for known, phone, scope in everybody:
        browser, client = world.browser(), world.a_client()
        sign_in(browser, known)
        held = claims_of(world, tokens_for(browser, client, scope)["id_token"])
        assert (held["acr"], held["amr"]) == (LOA_1, ["pwd"])
        asked = Authorization(client)
        page = browser.open(asked.address(scope, acr_values=LOA_2))
        assert page.url.startswith("/login/second?tx=")
        assert phone not in page.html
        assert "恢复码" not in page.text, "there are none"
        page = type_sms(browser, a_code(browser, phone))
        claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
        assert (claims["acr"], claims["amr"]) == (LOA_2, ["pwd", "sms"])
        assert claims["auth_time"] == held["auth_time"], "the sign-in is the same"
        assert trail_of(world, key_of(world, known))[-1] == ("proved_again", {"amr": ["sms"]})


def test_a_stronger_factor_is_not_gone_round(world: World) -> None:
    for kind in ("totp", "passkey"):
        person, browser = world.a_person(), world.browser()
        enter(browser, person)
        (world.a_totp if kind == "totp" else lambda account: a_passkey(world, account))(key_of(world, person))
        page = ask(browser, world.a_client(), acr_values=LOA_2)
        assert "sms_code" not in page.html
        browser.submit({"send": "1", "sms_code": "123456"})
        assert waiting(world, person.phone) == []


def test_a_factor_added_meanwhile_voids_the_code(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    ask(browser, world.a_client(), acr_values=LOA_2)
    code, page = a_code(browser, person.phone), browser.page
    world.a_totp(key_of(world, person))
    assert page
    browser.post(page.url, {**page.form(phone_form(page))["fields"], "sms_code": code})
    assert last_session(world, key_of(world, person)).acr == LOA_1


def test_where_it_was_switched_on_it_is_one_of_the_ways(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    world.a_totp(key_of(world, person))
    switch_sms_on(world, key_of(world, person))
    ask(browser, world.a_client(), acr_values=LOA_2)
    assert "code" in type_sms(browser, a_code(browser, person.phone)).query


def test_a_wrong_code_raises_nothing_and_is_written_down(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    ask(browser, world.a_client(), acr_values=LOA_2)
    code = a_code(browser, person.phone)
    page = type_sms(browser, f"{(int(code) + 1) % 1_000_000:06}")
    assert error_sentences(page) == ["短信验证码不正确，还可以再试 4 次"]
    assert last_session(world, key_of(world, person)).acr == LOA_1
    assert trail_of(world, key_of(world, person))[-1] == ("proof_refused", {"why": "sms_code"})


def test_who_acts_for_a_company_as_himself_is_asked_by_his_own_phone(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    sign_in(browser, operator.person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    ask(browser, world.a_client(), "openid entity", acr_values=LOA_2)
    page = type_sms(browser, a_code(browser, operator.person.phone))
    assert "code" in page.query


def test_he_may_add_a_factor_of_his_own_instead(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    page = ask(browser, world.a_client(), acr_values=LOA_2)
    assert "添加其他第二步验证方式" in page.text
    assert 'href="/center/person/security?next=' in page.html


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_without_a_phone_nothing_is_sent(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    without_a_phone(world, person)
    page = ask(browser, world.a_client(), acr_values=LOA_2)
    assert "还没有设置第二步验证" in page.text
