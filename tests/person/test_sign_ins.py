"""登录记录: one's live sign-ins, and ending them (SECURITY 34, 61)."""

from __future__ import annotations

import re

from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.world import APerson, Browser, Page, World

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
LIST = "/center/person/sessions"


def sign_ins(world: World, person: APerson, times: int) -> list[Browser]:
    """Browsers in which somebody is signed in."""
    browsers = [world.browser(address=f"198.51.100.{number}") for number in range(1, times + 1)]
    for browser in browsers:
        enter(browser, person)
    return browsers


def listed(page: Page) -> list[str]:
    """The ids of the sign-ins that can be ended from here."""
    return re.findall(r'name="session" value="([^"]+)"', page.html)


def end(browser: Browser, **asked: str) -> Page:
    """Send one of the list's forms."""
    return browser.post(LIST, {**asking(browser, LIST), **asked})


def asking(browser: Browser, path: str) -> dict[str, str]:
    """The fields that every form of the list carries."""
    page = browser.open(path)
    shown_for = re.search(r'name="shown_for" value="([^"]+)"', page.html)
    token = page.form()["fields"]["csrf_token"]
    return {"csrf_token": token, "shown_for": shown_for.group(1) if shown_for else ""}


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
    browser, _ = sign_ins(world, world.a_person(), 2)
    others = listed(browser.open(LIST))
    with world.reading() as db:
        (mine,) = {str(found) for found in db.scalars(select(SigninSession.id))} - set(others)
    end(browser, session=mine)
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
    enter(as_company, company)
    enter(as_himself, company.representative)
    enter(as_operator, operator)
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
    enter(here, company)
    enter(there, company)
    here.post(path, {**asking(here, path), "others": "1"})
    assert here.open(path).url == path
    assert there.open(path, follow=False).location.startswith("/login/legal")


def test_a_sign_in_without_a_company_cannot_end_one_through_the_companys_address(world: World) -> None:
    company = world.a_company()
    owner, stranger = world.browser(), world.browser()
    enter(owner, company)
    enter(stranger, world.a_person())
    token = stranger.open(LIST).form()["fields"]["csrf_token"]
    page = stranger.post("/center/enterprise/sessions", {"csrf_token": token, "others": "1"}, follow=False)
    assert page.location == "/center/person"
    assert owner.open("/center/enterprise").url == "/center/enterprise"


def test_the_mandates_password_and_ones_own_see_and_end_their_own_sign_ins_alone(world: World) -> None:
    """Section Y: what a password opened is seen, and ended, by whoever holds that password."""
    operator, path = world.an_operator(), "/center/operator/sessions"
    himself, for_company, by_mandate = (world.browser(address=f"198.51.100.{at}") for at in (1, 2, 3))
    enter(himself, operator.person)
    enter(for_company, operator.person)
    for_company.open("/login/company")
    for_company.submit({"enterprise": str(operator.mandate.id)})
    enter(by_mandate, operator)
    page = by_mandate.open(path)
    assert listed(page) == []
    assert "198.51.100.2" not in page.text
    by_mandate.post(path, {**asking(by_mandate, path), "others": "1"})
    assert for_company.open(path).url == path
    page = himself.open(LIST)
    assert operator.company.name in page.text, "for whom he is signed in elsewhere"
    assert "198.51.100.3" not in page.text
    assert len(listed(for_company.open(path))) == 0, "his own business is none of the company's"
    end(himself, others="1")
    assert for_company.open(path).url.startswith("/login")
    assert by_mandate.open(path).url == path


def test_others_are_not_ended_for_another_who_signed_in_meanwhile(world: World) -> None:
    browser, elsewhere = world.browser(), world.browser()
    enter(browser, world.a_person())
    shown_to_one = asking(browser, LIST)
    other = world.a_person()
    enter(elsewhere, other)
    browser.sign_in_person(other)
    page = browser.post(LIST, {**shown_to_one, "others": "1"})
    assert is_in(elsewhere)
    assert page.status == 200
    assert "同一个浏览器里换过登录" in browser.post(LIST, {**shown_to_one, "others": "1"}, follow=False).text
