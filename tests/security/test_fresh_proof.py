"""Every change of an account's security wants a fresh proof, and its form does too (MISSION Y)."""

from __future__ import annotations

import re

import pytest
import time_machine
from sqlalchemy import select

from idp.accounts.factors import TotpSecret, list_factors
from tests.entering import enter
from tests.login.acting import a_code, key_of, last_session, later, switch_sms_on, type_sms
from tests.portals import Authorization
from tests.security.acting import (
    LATER,
    PASSKEY,
    ROOM,
    TOTP,
    adds_passkey,
    adds_totp,
    asked_to_confirm,
    came_in,
    links_on,
    signed_in,
)
from tests.world import Browser, World


def pages_that_change(world: World, browser: Browser) -> list[str]:
    """The address of every page of the room that changes something, as its overview links them."""
    adds_totp(world, browser)
    client = world.a_client(first_party=False, name="外部网站")
    browser.open(Authorization(client).address("openid profile"))
    browser.submit({"decision": "allow"})
    page = browser.open(ROOM)
    found = [
        link for ending in ("/name", "/remove", "/forget", "/withdraw") for link in links_on(page, ending)
    ]
    assert len(found) == 4
    return [TOTP, PASSKEY, f"{ROOM}/recovery-codes", *found]


def test_an_old_proof_is_not_enough_for_any_change(world: World) -> None:
    person, browser = came_in(world)
    pages = pages_that_change(world, browser)
    token = browser.open(ROOM).form()["fields"]["csrf_token"]
    with time_machine.travel(world.now() + LATER):
        assert browser.open(ROOM, follow=False).status == 200, "looking costs no proof"
        for address in pages:
            assert asked_to_confirm(browser.open(address, follow=False)) == address
            answer = browser.post(address, {"csrf_token": token, "name": "x"}, follow=False)
            assert asked_to_confirm(answer) == address
    with world.reading() as db:
        assert [one.name for one in list_factors(db, f"person:{person.row.id}")] == ["我的手机"]


def test_a_fresh_password_is_not_enough_once_there_is_a_second_factor(world: World) -> None:
    person, browser = signed_in(world)
    assert asked_to_confirm(browser.open(TOTP, follow=False)) is None
    world.a_totp(f"person:{person.row.id}")
    assert asked_to_confirm(browser.open(PASSKEY, follow=False)) == PASSKEY
    assert asked_to_confirm(browser.open(f"{ROOM}/recovery-codes", follow=False)) is not None


def test_a_code_to_the_phone_that_a_portal_wanted_is_no_fresh_proof_of_an_account_without_codes(
    world: World,
) -> None:
    """Whoever sits at an open sign-in with the phone on the desk adds no factor of his own."""
    person, browser = signed_in(world)
    account = key_of(world, person)
    with later(minutes=14):
        browser.open(Authorization(world.a_client()).address("openid", acr_values="urn:idp:loa:2"))
        assert "code" in type_sms(browser, a_code(browser, person.phone)).query
        session = last_session(world, account)
        assert (session.amr, session.acr) == ("pwd sms", "urn:idp:loa:2")
        assert session.last_proof == session.auth_time
        for page in (TOTP, PASSKEY):
            assert asked_to_confirm(browser.open(page, follow=False)) == page
        browser.open(TOTP)
        browser.submit({"password": person.password})
        assert asked_to_confirm(browser.open(TOTP, follow=False)) is None


def test_where_codes_are_switched_on_it_is_one(world: World) -> None:
    person, browser = signed_in(world)
    switch_sms_on(world, key_of(world, person))
    with later(minutes=14):
        browser.open(Authorization(world.a_client()).address("openid", acr_values="urn:idp:loa:2"))
        assert "code" in type_sms(browser, a_code(browser, person.phone)).query
        assert asked_to_confirm(browser.open(TOTP, follow=False)) is None


def test_the_way_back_survives_the_proof(world: World) -> None:
    _, browser = signed_in(world)
    with time_machine.travel(world.now() + LATER):
        address = f"{TOTP}?next=/oauth/authorize?tx%3Dabc"
        assert asked_to_confirm(browser.open(address, follow=False)) == address


def test_nobody_signs_in_as_a_guest_here(world: World) -> None:
    for address in (ROOM, TOTP, PASSKEY, f"{ROOM}/sign-ins", f"{ROOM}/recovery-codes"):
        assert world.browser().open(address, follow=False).location.startswith("/login/person")


def test_a_form_of_another_page_changes_nothing(world: World) -> None:
    _, browser = signed_in(world)
    adds_passkey(browser)
    for link in links_on(browser.open(ROOM), "/remove"):
        assert browser.post(link, {}).status == 400
        token = browser.open(link).form(1)["fields"]["csrf_token"]
        foreign = {"Origin": "https://evil.example"}
        assert browser.post(link, {"csrf_token": token}, headers=foreign).status == 403
    assert "办公电脑" in browser.open(ROOM).text


@pytest.mark.parametrize("kind", ["legal", "operator"])
def test_each_account_has_factors_of_its_own_in_its_own_centre(world: World, kind: str) -> None:
    browser = world.browser()
    if kind == "legal":
        company = world.a_company()
        enter(browser, company)
        centre, account = "enterprise", "legal"
    else:
        browser.sign_in_operator(world.an_operator())
        centre, account = "operator", "mandate"
    at = f"/center/{centre}/security"
    assert browser.open("/center/person/security").url == f"/center/{centre}"
    adds_totp(world, browser, at=f"{at}/totp")
    assert "我的手机" in browser.open(at).text
    with world.reading() as db:
        assert db.scalars(select(TotpSecret.account)).one().startswith(account + ":")


def test_a_person_under_a_mandate_is_sent_to_his_own_centre_for_his_factors(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    enter(browser, operator.person)
    browser.open("/login/company")
    page = browser.page
    assert page is not None
    browser.submit({"enterprise": str(operator.mandate.id)})
    at = "/center/operator/security"
    page = browser.open(at)
    assert page.status == 200
    assert "请在个人中心管理" in page.text
    assert "已知浏览器" not in re.sub("和已知浏览器属于", "", page.text)
    assert not links_on(page, "/totp")
    for address in (f"{at}/totp", f"{at}/passkey", f"{at}/recovery-codes"):
        assert browser.open(address, follow=False).location == at
