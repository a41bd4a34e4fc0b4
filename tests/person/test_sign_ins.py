"""登录记录: one's live sign-ins, and ending them (SECURITY 34, 61)."""

from __future__ import annotations

import re

from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.sessions import SigninSession
from tests.world import APerson, Browser, Page, World

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
LIST = "/center/person/sessions"


def sign_ins(world: World, person: APerson, times: int) -> list[Browser]:
    """Browsers in which somebody is signed in."""
    browsers = [world.browser(address=f"198.51.100.{number}") for number in range(1, times + 1)]
    for browser in browsers:
        browser.sign_in_person(person)
    return browsers


def listed(page: Page) -> list[str]:
    """The ids of the sign-ins that can be ended from here."""
    return re.findall(r'name="session" value="([^"]+)"', page.html)


def end(browser: Browser, **asked: str) -> Page:
    """Send one of the list's forms."""
    token = browser.open(LIST).form()["fields"]["csrf_token"]
    return browser.post(LIST, {"csrf_token": token, **asked})


def is_in(browser: Browser) -> bool:
    return browser.open(LIST).url == LIST


def test_the_list_shows_where_and_with_what(world: World) -> None:
    person = world.a_person()
    first, second = sign_ins(world, person, 2)
    world.browser(address="203.0.113.5", user_agent=CHROME).sign_in_person(person)
    page = first.open(LIST)
    assert all(words in page.text for words in ("Firefox 130", "Chrome 130，Windows", "203.0.113.5", "密码"))
    assert page.text.count("本次") == 1
    assert len(listed(page)) == 2
    assert is_in(second)


def test_one_of_them_is_ended(world: World) -> None:
    first, second, third = sign_ins(world, world.a_person(), 3)
    newest, _older = listed(first.open(LIST))
    page = end(first, session=newest)
    assert len(listed(page)) == 1
    assert (is_in(first), is_in(second), is_in(third)) == (True, True, False)


def test_all_others_are_ended(world: World) -> None:
    first, second, third = sign_ins(world, world.a_person(), 3)
    page = end(second, others="1")
    assert listed(page) == []
    assert (is_in(first), is_in(second), is_in(third)) == (False, True, False)
    with world.reading() as db:
        reasons = sorted(reason or "" for reason in db.scalars(select(SigninSession.end_reason)))
        ended = [event for event in db.scalars(select(AuditEvent)) if event.action == Action.SIGNED_OUT]
    assert reasons == ["", "signed_out_remotely", "signed_out_remotely"]
    assert [event.detail for event in ended] == [{"remotely": True}]


def test_ending_this_one_signs_out_here(world: World) -> None:
    (browser,) = sign_ins(world, world.a_person(), 1)
    with world.reading() as db:
        (mine,) = db.scalars(select(SigninSession.id))
    end(browser, session=str(mine))
    assert browser.cookie("idp_session") is None
    assert not is_in(browser)


def test_somebody_elses_sign_in_cannot_be_ended(world: World) -> None:
    (browser,), (other,) = sign_ins(world, world.a_person(), 1), sign_ins(world, world.a_person(), 1)
    with world.reading() as db:
        ids = [str(found) for found in db.scalars(select(SigninSession.id))]
    for claimed in (*ids[1:], "x", "", "0" * 32, "' OR 1=1 --"):
        end(browser, session=claimed)
    end(browser, others="1")
    assert is_in(other)
    assert is_in(browser)


def test_a_company_and_a_person_list_their_own_sign_ins_alone(world: World) -> None:
    company = world.a_company()
    operator = world.an_operator(company, world.a_person())
    as_company, as_himself, as_operator = world.browser(), world.browser(), world.browser()
    as_company.sign_in_legal(company)
    as_himself.sign_in_person(company.representative)
    as_operator.sign_in_operator(operator)
    for browser, path in (
        (as_company, "/center/enterprise/sessions"),
        (as_himself, LIST),
        (as_operator, "/center/operator/sessions"),
    ):
        assert listed(browser.open(path)) == []
    end(as_himself, others="1")
    assert as_company.open("/center/enterprise").status == 200
    assert as_company.open("/center/enterprise").url == "/center/enterprise"
    assert as_operator.open("/center/operator").url == "/center/operator"


def test_a_companys_other_sign_ins_are_ended_from_its_list(world: World) -> None:
    company, path = world.a_company(), "/center/enterprise/sessions"
    here, there = world.browser(), world.browser()
    here.sign_in_legal(company)
    there.sign_in_legal(company)
    token = here.open(path).form()["fields"]["csrf_token"]
    here.post(path, {"csrf_token": token, "others": "1"})
    assert here.open(path).url == path
    assert there.open(path, follow=False).location == "/login"


def test_a_sign_in_without_a_company_cannot_end_one_through_the_companys_address(world: World) -> None:
    company = world.a_company()
    owner, stranger = world.browser(), world.browser()
    owner.sign_in_legal(company)
    stranger.sign_in_person(world.a_person())
    token = stranger.open(LIST).form()["fields"]["csrf_token"]
    page = stranger.post("/center/enterprise/sessions", {"csrf_token": token, "others": "1"}, follow=False)
    assert page.location == "/center/person"
    assert owner.open("/center/enterprise").url == "/center/enterprise"
