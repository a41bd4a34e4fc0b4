"""扫码登录 (A04, A11, A16): the page, its states without a script, and the sign-in that a phone opens."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from idp.proof import tickets
from idp.proof.ticket_record import Ended
from tests.login.acting import key_of, last_session, later, told, trail_of
from tests.oauth.asking import claims_of
from tests.portals import Authorization
from tests.scan.phones import PIN, legal_key, mandate_key
from tests.scan.waiting_pages import (
    a_page,
    a_phone,
    a_stranger,
    ask,
    confirmed,
    kept,
    shown_address,
    ticket_on,
    with_an_app,
)
from tests.world import World, error_sentences


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def test_the_code_is_the_first_thing_one_sees(offering: World) -> None:
    page = offering.browser().open("/login")
    assert page.url == "/login/qr"
    assert "用「吉事办」App 扫码" in page.text
    assert page.form()["action"] == "/login/qr/finish", "the page's own form is the first"
    assert f'src="/scan/qr/{ticket_on(page)}.svg"' in page.html
    for word in (
        "您正在登录",
        "换一张",
        "打开 App",
        "点「扫一扫」",
        "核对数字",
        "没有 App？",
        "用通行密钥登录",
    ):
        assert word in page.text


def test_code_and_password_lead_to_one_another(offering: World) -> None:
    browser = offering.browser()
    asked = Authorization(offering.a_client())
    page = browser.open(asked.address("openid"))
    transaction = page.url.partition("tx=")[2]
    assert f'href="/login/person?tx={transaction}"' in page.html, "the first password that can answer"
    assert "密码登录<wbr>在这里" in page.html
    page = browser.open(f"/login/person?tx={transaction}")
    assert "扫码登录<wbr>在这里" in page.html
    assert f'href="/login/qr?tx={transaction}"' in page.html


def test_where_there_is_no_app_nothing_speaks_of_it(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login")
    assert page.url == "/login/legal"
    assert "扫码" not in page.text
    assert browser.open("/login/qr").url == "/login/legal"


def test_on_a_phone_the_app_is_a_link_away(offering: World) -> None:
    page = offering.browser().open("/login/qr")
    address = shown_address(ticket_on(page)).replace(":", "%3A").replace("/", "%2F")
    assert f'href="http://localhost:8004/open?code={address}" target="_blank" rel="noopener"' in page.html


def test_the_page_may_ask_this_provider_and_nobody_else(offering: World) -> None:
    policy = offering.browser().open("/login/qr").response.headers["Content-Security-Policy"]
    assert "script-src 'self'; connect-src 'self';" in policy
    policy = offering.browser().open("/login/passkey").response.headers["Content-Security-Policy"]
    assert "connect-src" not in policy


def test_every_page_has_a_ticket_of_its_own(offering: World) -> None:
    browser = offering.browser()
    assert ticket_on(browser.open("/login/qr")) != ticket_on(browser.open("/login/qr"))


@pytest.mark.parametrize("loaded_as", ["image", "iframe", "empty", "script", ""])
def test_a_page_of_another_site_that_loads_it_as_a_part_makes_no_ticket(world: World, loaded_as: str) -> None:
    with with_an_app(world, tickets_an_address=1) as offering:
        browser = offering.browser()
        for _ in range(3):
            page = browser.open("/login/qr", headers={"Sec-Fetch-Dest": loaded_as})
            assert (page.status, "/scan/qr/" in page.html) == (400, False)
            assert "请直接打开登录页面" in page.text
            assert browser.cookie("idp_wait") is None
        assert browser.open("/login/qr", headers={"Sec-Fetch-Dest": "document"}).status == 200


def test_without_a_script_one_is_told_how_far_it_is(offering: World) -> None:
    browser, ticket = a_page(offering)
    page = browser.submit()
    assert "还没有扫码" in page.text
    assert ticket_on(page) == ticket, "the code that was scanned meanwhile is still the one on the page"
    tickets.scan(offering.platform.store, ticket, a_stranger(), now=offering.now())
    page = browser.submit()
    number = kept(offering, ticket).number
    assert re.search(rf"data-scan-number>{number}<", page.html)
    assert '<div data-scan-step="waiting" hidden>' in page.html
    assert "不要把数字告诉任何人" in page.text
    assert "还没有确认" in browser.submit().text
    assert browser.cookie("idp_session") is None


def test_how_long_it_still_counts_stands_on_the_page(offering: World) -> None:
    browser, _ = a_page(offering)
    assert 'data-left="120"' in (browser.page.html if browser.page else "")
    with later(seconds=45):
        assert 'data-left="70"' in browser.submit().html


@pytest.mark.parametrize(
    ("why", "sentence"),
    [(Ended.BY_PHONE, "您在手机上拒绝了"), (Ended.WRONG_NUMBER, "数字不一致，没有登录")],
)
def test_what_the_phone_decided_is_said_with_a_fresh_code(offering: World, why: Ended, sentence: str) -> None:
    browser, ticket = a_page(offering)
    store, phone = offering.platform.store, a_stranger()
    tickets.scan(store, ticket, phone, now=offering.now())
    tickets.deny(store, ticket, phone, ended=why, now=offering.now())
    page = browser.submit()
    assert page.html.count(sentence) > 1
    assert "重新扫码" in error_sentences(page)[0]
    assert ticket_on(page) != ticket


def test_a_code_whose_time_is_up_is_said_to_be_with_a_fresh_one(offering: World) -> None:
    browser, ticket = a_page(offering)
    with later(seconds=131):
        page = browser.submit()
    assert "没有在规定的时间内扫码并确认" in error_sentences(page)[0]
    assert ticket_on(page) != ticket


def test_a_change_of_code_ends_the_one_before(offering: World) -> None:
    browser, ticket = a_page(offering)
    page = browser.submit({"again": "1"})
    assert page.url == "/login/qr"
    assert ticket_on(page) != ticket
    assert ask(browser, ticket).get_json()["ended"] == "by_browser"


def test_a_page_that_was_sent_is_opened_again_as_a_new_one(offering: World) -> None:
    assert offering.browser().open("/login/qr/finish").url == "/login/qr"


def test_a_person_is_signed_in_as_he_chose_on_the_phone(offering: World) -> None:
    company = offering.a_company()
    person = company.representative
    operator = offering.an_operator(person=person)
    phone = a_phone(offering, person)
    for identity, centre in (
        ("person", "/center/person"),
        (legal_key(company), "/center/enterprise"),
        (mandate_key(operator), "/center/operator"),
    ):
        browser, ticket = a_page(offering)
        confirmed(phone, ticket, identity=identity, pin=PIN)
        assert browser.submit().url == centre


def test_the_sign_in_is_as_old_as_the_confirmation_and_rests_on_the_persons_account(
    offering: World,
) -> None:
    company = offering.a_company()
    person = company.representative
    phone = a_phone(offering, person)
    browser, ticket = a_page(offering)
    confirmed(phone, ticket, identity=legal_key(company), pin=PIN)
    answer = kept(offering, ticket).answer
    assert answer
    with later(seconds=20):
        browser.submit()
    session = last_session(offering, key_of(offering, person))
    assert session.auth_time.timestamp() == pytest.approx(answer.at, rel=0, abs=0.01)
    assert (session.role, session.amr, session.acr) == (
        "legal_representative",
        "qr pin",
        "urn:idp:loa:2",
    )
    line = trail_of(offering, key_of(offering, person))[-1]
    assert line == ("signed_in", {"role": "legal_representative", "amr": ["qr", "pin"]})


def test_without_unlocking_the_app_it_is_worth_a_password(offering: World) -> None:
    person = offering.a_person()
    phone = a_phone(offering, person, pin=None)
    browser, ticket = a_page(offering)
    confirmed(phone, ticket)
    assert browser.submit().url == "/center/person"
    session = last_session(offering, key_of(offering, person))
    assert (session.amr, session.acr, session.app) == ("qr", "urn:idp:loa:1", None)


def test_its_owner_is_told_of_a_new_browser_and_this_one_is_known_then(offering: World) -> None:
    person = offering.a_person()
    phone = a_phone(offering, person)
    account = key_of(offering, person)
    before = len(told(offering, account))
    browser = offering.browser()
    for _ in range(2):
        ticket = ticket_on(browser.open("/login/qr"))
        confirmed(phone, ticket, pin=PIN)
        browser.submit()
    assert [kind for kind, _ in told(offering, account)[before:]] == ["new_browser"]


def test_a_portal_gets_the_company_that_was_chosen(offering: World) -> None:
    operator = offering.an_operator()
    phone = a_phone(offering, operator.person)
    asked, browser = Authorization(offering.a_client()), offering.browser()
    page = browser.open(asked.address(acr_values="urn:idp:loa:2"))
    confirmed(phone, ticket_on(page), identity=mandate_key(operator), pin=PIN)
    answer = asked.redeem(browser, browser.submit().query["code"]).get_json()
    claims = claims_of(offering, answer["id_token"])
    assert (claims["role"], claims["acr"], claims["amr"]) == ("operator", "urn:idp:loa:2", ["qr", "pin"])


def test_every_sign_in_has_a_new_id(offering: World) -> None:
    person = offering.a_person()
    phone = a_phone(offering, person)
    browser, seen = offering.browser(), set()
    for _ in range(2):
        ticket = ticket_on(browser.open("/login/qr"))
        confirmed(phone, ticket, pin=PIN)
        browser.submit()
        seen.add(browser.cookie("idp_session"))
    assert len(seen - {None}) == 2


@pytest.mark.parametrize("wanted", [{"prompt": "login"}, {"max_age": "60"}])
def test_asked_to_sign_in_again_a_new_confirmation_answers(offering: World, wanted: dict[str, str]) -> None:
    person = offering.a_person()
    phone = a_phone(offering, person)
    browser = offering.browser()
    confirmed(phone, ticket_on(browser.open("/login/qr")), pin=PIN)
    browser.submit()
    with later(minutes=5):
        phone.refresh()
        page = browser.open(Authorization(offering.a_client()).address("openid", **wanted))
        assert page.url.startswith("/login/qr?tx=")
        confirmed(phone, ticket_on(page), pin=PIN)
        assert "code" in browser.submit().query
