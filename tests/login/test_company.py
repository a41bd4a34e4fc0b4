"""A person signed in as himself chooses for which company he acts; nobody else ever changes so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp.accounts.calendar import civil_day
from idp.accounts.models import EnterpriseStatus
from tests.portals import Authorization
from tests.world import APerson, Browser, Page, World, error_sentences


def arrive(browser: Browser, person: APerson, request: Authorization, **more: str) -> Page:
    """Come from a portal that wants a company, and sign in as oneself."""
    page = browser.open(request.address(**more))
    return browser.sign_in_person(person, at=page.url.replace("/legal", "/person"))


def answered(page: Page, request: Authorization) -> bool:
    """Whether the portal got its code."""
    return page.location.startswith(request.client.redirect_uri) and "code" in page.query


@pytest.fixture
def request_(world: World) -> Authorization:
    return Authorization(world.a_client())


def test_of_several_companies_he_chooses_one(world: World, request_: Authorization) -> None:
    person = world.a_person()
    first, second = world.an_operator(person=person, manage_seals=True), world.an_operator(person=person)
    browser = world.browser()
    page = arrive(browser, person, request_)
    assert page.url.startswith("/login/company?")
    assert first.company.name in page.text
    assert second.company.name in page.text
    assert "可管理印章" in page.text
    assert first.company.uscc not in page.html
    choices = page.form()["choices"]["enterprise"]
    assert sorted(choices) == sorted([str(first.mandate.id), str(second.mandate.id)])
    assert answered(browser.submit({"enterprise": str(second.mandate.id)}), request_)
    assert second.company.name in browser.open("/center/operator").text


def test_a_single_company_needs_no_choice(world: World, request_: Authorization) -> None:
    operator = world.an_operator()
    assert answered(arrive(world.browser(), operator.person, request_), request_)


def test_nothing_is_chosen_for_him_and_nothing_else_is_taken(world: World, request_: Authorization) -> None:
    person, browser = world.a_person(), world.browser()
    world.an_operator(person=person)
    world.an_operator(person=person)
    foreign = world.an_operator()
    page = arrive(browser, person, request_)
    assert "enterprise" not in page.form()["fields"]
    for claimed in ({}, {"enterprise": str(foreign.mandate.id)}, {"enterprise": "x"}):
        assert error_sentences(browser.submit(claimed)) == ["请选择要代表的企业"]
        assert browser.open("/center/person").url == "/center/person"
        browser.open(page.url)


def dead_mandates(world: World) -> list[dict[str, Any]]:
    today = civil_day(world.now())
    return [
        {"first_day": today + timedelta(days=1)},
        {"first_day": today - timedelta(days=9), "last_day": today - timedelta(days=1)},
        {"company": world.a_company(status=EnterpriseStatus.REVOKED)},
    ]


def test_who_may_act_for_no_company_is_told_so(world: World, request_: Authorization) -> None:
    person, browser = world.a_person(), world.browser()
    for given in dead_mandates(world):
        world.an_operator(person=person, **given)
    page = arrive(browser, person, request_)
    assert page.status == 403
    assert "没有可以代表的企业" in page.text
    assert browser.open("/center/person").status == 200


def test_the_company_the_portal_named_is_the_only_one(world: World, request_: Authorization) -> None:
    person = world.a_person()
    world.an_operator(person=person)
    wanted = world.an_operator(person=person)
    browser = world.browser()
    assert answered(arrive(browser, person, request_, entity=wanted.company.uscc), request_)
    assert wanted.company.name in browser.open("/center/operator").text


def test_no_other_company_stands_in_for_the_one_named(world: World, request_: Authorization) -> None:
    operator, other = world.an_operator(), world.a_company()
    page = arrive(world.browser(), operator.person, request_, entity=other.uscc)
    assert page.status == 403
    assert "没有可以代表的企业" in page.text


def test_choosing_begins_a_new_session_and_ends_the_old_one(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    browser.sign_in_person(operator.person)
    before = browser.cookie("idp_session") or ""
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    assert browser.cookie("idp_session") != before
    assert browser.open("/center/operator").url == "/center/operator"
    old = world.browser()
    old.client.set_cookie("idp_session", before)
    assert old.open("/center/person", follow=False).location.startswith("/login/person")


@pytest.mark.parametrize("way", ["legal", "operator"])
def test_a_companys_or_a_mandates_sign_in_never_becomes_another(world: World, way: str) -> None:
    person = world.a_person()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    browser = world.browser()
    if way == "legal":
        world.an_operator(second.company, first.company.representative)
        browser.sign_in_legal(first.company)
    else:
        browser.sign_in_operator(first)
    before = browser.cookie("idp_session")
    page = browser.open("/login/company")
    assert page.status == 403
    assert "没有可以代表的企业" in page.text
    token = browser.open(f"/center/{'enterprise' if way == 'legal' else 'operator'}").form()["fields"][
        "csrf_token"
    ]
    forged = {"csrf_token": token, "enterprise": str(second.mandate.id)}
    assert browser.post("/login/company", forged).status == 403
    assert browser.cookie("idp_session") == before
    assert browser.open("/center/person", follow=False).status == 302


def test_who_is_not_signed_in_chooses_nothing(world: World) -> None:
    for step in ("/login/company", "/login/identity"):
        assert world.browser().open(step, follow=False).location == "/login"


def test_another_identity_is_told_so_and_changed_only_when_asked(world: World) -> None:
    company, browser = world.a_company(), world.browser()
    browser.sign_in_legal(company)
    request = Authorization(world.a_client())
    page = browser.open(request.address("openid profile"))
    assert page.url.startswith("/login/identity?")
    assert "这里需要以个人身份登录" in page.text
    assert browser.open("/center/enterprise").status == 200
    browser.open(page.url)
    page = browser.submit()
    assert page.url.startswith("/login/person?")
    assert answered(browser.sign_in_person(company.representative, at=page.url), request)


def test_a_journey_belongs_to_the_browser_that_began_it(world: World, request_: Authorization) -> None:
    page = world.browser().open(request_.address())
    stranger = world.browser().open(page.url)
    assert stranger.status == 400
    assert "登录没有完成" in stranger.text
