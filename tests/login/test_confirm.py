"""Proving once more that it is oneself, before one's security is changed (section Y, S29, S31)."""

from __future__ import annotations

import time

import pyotp
import pytest
from sqlalchemy import update

from idp.accounts.models import Credential
from tests.login.acting import (
    WRONG,
    a_passkey,
    change_password,
    key_of,
    last_session,
    later,
    sign_in,
    touch,
    trail_of,
)
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World, error_sentences

TITLE = "请再次确认是您本人"
NEXT = "/login/confirm?next=/center/person/sessions"


def signed_in(world: World, person: APerson) -> Browser:
    browser = world.browser()
    sign_in(browser, person)
    assert browser.cookie("idp_session")
    return browser


def a_code(secret: str) -> dict[str, str]:
    return {"code": pyotp.TOTP(secret).at(int(time.time()))}


def confirm(browser: Browser, values: dict[str, str], *, at: str = NEXT) -> Page:
    browser.open(at)
    return browser.submit(values, follow=False)


def test_by_the_password_where_it_is_all_there_is(world: World) -> None:
    everybody: list[APerson | ACompany | AnOperator] = [
        world.a_person(),
        world.a_company(),
        world.an_operator(),
    ]
    for known in everybody:
        account, browser = key_of(world, known), world.browser()
        sign_in(browser, known)
        before, cookie = last_session(world, account), browser.cookie("idp_session")
        with later(minutes=5):
            assert TITLE in browser.open(NEXT).text
            page = browser.submit({"password": known.password}, follow=False)
        assert (page.status, page.location) == (303, "/center/person/sessions")
        after = last_session(world, account)
        assert after.id == before.id
        assert (after.sid, after.auth_time, after.acr, after.amr) == (
            before.sid,
            before.auth_time,
            before.acr,
            before.amr,
        )
        assert after.last_proof
        assert before.last_proof
        assert after.last_proof > before.last_proof
        assert browser.cookie("idp_session") != cookie, "a new id"
        assert trail_of(world, account)[-1] == ("proved_again", {"amr": ["pwd"]})


def test_the_cookie_from_before_opens_nothing_any_more(world: World) -> None:
    person = world.a_person()
    browser, thief = signed_in(world, person), world.browser()
    old = browser.cookie("idp_session") or ""
    assert confirm(browser, {"password": person.password}).status == 303
    thief.client.set_cookie("idp_session", old)
    assert thief.open("/center/person", follow=False).status == 302


def test_by_a_factor_where_there_is_one_and_not_by_the_password(world: World) -> None:
    person = world.a_person()
    browser, account = signed_in(world, person), key_of(world, person)
    secret = world.a_totp(account)
    page = browser.open(NEXT)
    assert page.form()["fields"].keys() >= {"code"}
    assert "password" not in page.form()["fields"]
    page = browser.submit({"password": person.password})
    assert error_sentences(page) == ["请填写动态口令或恢复码"]
    assert last_session(world, account).proved_at is None
    assert browser.submit(a_code(secret), follow=False).status == 303
    session = last_session(world, account)
    assert (session.amr, session.acr) == ("pwd otp", "urn:idp:loa:2")
    assert trail_of(world, account)[-1] == ("proved_again", {"amr": ["otp"]})


def test_by_a_passkey(world: World) -> None:
    person = world.a_person()
    browser, account = signed_in(world, person), key_of(world, person)
    device = a_passkey(world, account)
    browser.open(NEXT)
    assert touch(browser, device).location == "/center/person/sessions"
    assert last_session(world, account).acr == "urn:idp:loa:2"


def test_another_accounts_factor_proves_nothing(world: World) -> None:
    person, other = world.a_person(), world.a_person()
    browser, account = signed_in(world, person), key_of(world, person)
    world.a_totp(account)
    theirs = world.a_totp(key_of(world, other))
    page = confirm(browser, a_code(theirs))
    assert "动态口令不正确" in page.text
    assert trail_of(world, account)[-1] == ("proof_refused", {"why": "code"})
    assert last_session(world, account).proved_at is None


def test_who_chose_a_mandate_proves_himself_as_himself(world: World) -> None:
    operator = world.an_operator()
    person = operator.person
    browser = signed_in(world, person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    assert last_session(world, key_of(world, person)).role == "operator"
    secret = world.a_totp(key_of(world, person))
    world.a_totp(key_of(world, operator))
    assert confirm(browser, a_code(secret)).status == 303


def test_a_wrong_password_is_counted_with_those_of_the_sign_in(world: World) -> None:
    person, home = world.a_person(), world.browser()
    browser = signed_in(world, person)
    account = key_of(world, person)
    for _ in range(5):
        page = confirm(browser, {"password": WRONG})
        assert error_sentences(page) == ["密码不正确，请核对后重新填写"]
    assert trail_of(world, account)[-1] == ("proof_refused", {"why": "password"})
    page = confirm(browser, {"password": person.password})
    assert page.status == 429
    assert trail_of(world, account)[-1] == ("proof_refused", {"why": "throttled"})
    sign_in(home, person)
    assert home.cookie("idp_session"), "the browser's own tries, not everybody's"
    with later(minutes=2):
        assert confirm(browser, {"password": person.password}).status == 303


@pytest.mark.parametrize(
    "claimed",
    [
        "https://phisher.example/",
        "//phisher.example/",
        "/\\phisher.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x",
        "",
        "/" + "x" * 5000,
    ],
)
def test_it_leads_nowhere_but_to_our_own_pages(world: World, claimed: str) -> None:
    person = world.a_person()
    page = confirm(
        signed_in(world, person), {"password": person.password}, at=f"/login/confirm?next={claimed}"
    )
    assert page.status == 303
    assert page.location == "/center/person"


def test_nobody_confirms_without_a_sign_in(world: World) -> None:
    page = world.browser().open(NEXT, follow=False)
    assert page.status == 302
    assert page.location.startswith("/login/person?next=")


def test_the_question_is_answered_by_the_one_it_was_shown_to(world: World) -> None:
    first, second = world.a_person(name="林小满"), world.a_person(name="赵一然")
    browser = signed_in(world, first)
    page = browser.open(NEXT)
    assert "林*满" in page.text
    shown = page
    sign_in(browser, second)
    browser.page = shown
    page = browser.submit({"password": second.password})
    assert "同一个浏览器里换过登录" in page.text
    assert "赵*然" in page.text
    assert last_session(world, key_of(world, second)).proved_at is None


def test_a_password_changed_elsewhere_confirms_by_the_new_one_alone(world: World) -> None:
    person = world.a_person()
    browser = signed_in(world, person)
    change_password(world, person, "Another-kite 43")
    assert "密码不正确" in confirm(browser, {"password": person.password}).text
    assert confirm(browser, {"password": "Another-kite 43"}).status == 303


def test_a_locked_account_confirms_nothing(world: World) -> None:
    person = world.a_person()
    browser = signed_in(world, person)
    with world.write() as db:
        mine = update(Credential).where(Credential.person_id == person.row.id)
        db.execute(mine.values(locked_at=world.now()))
    assert "账号已暂停" in confirm(browser, {"password": person.password}).text
    assert last_session(world, key_of(world, person)).proved_at is None


def test_it_needs_the_pages_own_token(world: World) -> None:
    person = world.a_person()
    browser = signed_in(world, person)
    assert confirm(browser, {"password": person.password, "csrf_token": "x"}).status == 400
    assert last_session(world, key_of(world, person)).proved_at is None
