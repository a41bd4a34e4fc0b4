"""How a portal steers the sign-in: prompt, max_age, hints; and whose sign-in answers which request."""

from __future__ import annotations

import pytest

from tests.entering import enter
from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    claims_of,
    code_for,
    later,
    refused_with,
    tokens_for,
)
from tests.portals import Authorization, get_with
from tests.world import ISSUER, ACompany, AnOperator, Browser, Page, World


def ask(browser: Browser, world: World, scope: str = "openid", **more: str) -> Page:
    """A new request of some portal, followed to where the browser stops."""
    return browser.open(Authorization(world.a_client()).address(scope, **more))


def test_prompt_none_without_a_sign_in_shows_no_page(world: World) -> None:
    page = ask(world.browser(), world, prompt="none", state="kept")
    assert refused_with(page) == ("login_required", True)
    assert page.query["state"] == "kept"


def test_prompt_none_with_one_gives_a_code(world: World) -> None:
    assert "code" in ask(a_signed_in_person(world), world, prompt="none").query


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_the_password_is_asked_for_again_and_once_is_enough(world: World, prompt: str) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    asked = Authorization(world.a_client())
    with later(seconds=30):
        page = browser.open(asked.address("openid", prompt=prompt))
        assert "个人登录" in page.text
        page = browser.sign_in_person(person, at=page.url)
        tokens = asked.redeem(browser, page.query["code"]).get_json()
        claims = claims_of(world, tokens["id_token"])
        assert claims["iat"] - claims["auth_time"] < 10


def test_max_age_is_measured_from_the_sign_in(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    with later(seconds=100):
        assert "code" in ask(browser, world, max_age="200", prompt="none").query
        assert "code" in ask(browser, world, max_age="101").query
        for too_young in ("90", "0"):
            page = ask(browser, world, max_age=too_young, prompt="none")
            assert refused_with(page) == ("login_required", True)
        asked = Authorization(world.a_client())
        page = browser.open(asked.address("openid", max_age="0"))
        page = browser.sign_in_person(person, at=page.url)
        claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
        assert claims["iat"] - claims["auth_time"] < 10


def test_a_login_hint_is_typed_already(world: World) -> None:
    page = ask(world.browser(), world, login_hint="person_x<b>")
    assert page.form()["fields"]["account"] == "person_x<b>"
    assert "<b>" not in page.html


def test_the_hint_of_the_same_person_is_answered(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    hint = tokens_for(browser, client)["id_token"]
    with later(hours=1 / 3):
        page = browser.open(Authorization(client).address("openid", id_token_hint=hint, prompt="none"))
        assert "code" in page.query


def test_the_hint_of_another_person_is_not(world: World) -> None:
    first, second, client = world.a_person(), world.a_person(), world.a_client()
    there = world.browser()
    enter(there, first)
    hint = tokens_for(there, client)["id_token"]
    browser = world.browser()
    enter(browser, second)
    page = browser.open(Authorization(client).address("openid", id_token_hint=hint, prompt="none"))
    assert refused_with(page) == ("login_required", True)
    page = browser.open(Authorization(client).address("openid", id_token_hint=hint))
    assert "个人登录" in page.text
    page = browser.sign_in_person(second, at=page.url)
    assert "code" not in page.query, "the wrong person again"
    page = browser.submit()
    page = browser.sign_in_person(first, at=page.url)
    assert "code" in page.query


WAYS = ["legal", "operator", "person"]


def signed_in_as(world: World, way: str) -> tuple[Browser, AnOperator]:
    browser, operator = world.browser(), world.an_operator()
    if way == "legal":
        enter(browser, operator.company)
    elif way == "operator":
        enter(browser, operator)
    else:
        enter(browser, operator.person)
    return browser, operator


def question(kind: str, own: ACompany, other: ACompany) -> tuple[str, dict[str, str]]:
    """Scope and parameters of a request for the person, any company, this company or another."""
    entity = {"this": {"entity": own.uscc}, "other": {"entity": other.uscc}}.get(kind, {})
    return ("openid" if kind == "person" else "openid entity"), entity


SILENT = {
    ("legal", "person"): "interaction_required",
    ("legal", "any"): "code",
    ("legal", "this"): "code",
    ("legal", "other"): "interaction_required",
    ("operator", "person"): "interaction_required",
    ("operator", "any"): "code",
    ("operator", "this"): "code",
    ("operator", "other"): "interaction_required",
    ("person", "person"): "code",
    ("person", "any"): "interaction_required",
    ("person", "this"): "interaction_required",
    ("person", "other"): "interaction_required",
}


@pytest.mark.parametrize("way", WAYS)
def test_whose_sign_in_answers_which_request_silently(world: World, way: str) -> None:
    (browser, operator), other = signed_in_as(world, way), world.a_company()
    for kind in ("person", "any", "this", "other"):
        scope, more = question(kind, operator.company, other)
        page = ask(browser, world, scope, prompt="none", **more)
        expected = SILENT[way, kind]
        assert page.query.get("error", "code") == expected, kind
        assert page.query["iss"] == ISSUER


@pytest.mark.parametrize("way", ["legal", "operator"])
def test_a_companys_password_proves_nothing_to_a_persons_services(world: World, way: str) -> None:
    (browser, operator), client = signed_in_as(world, way), world.a_client()
    asked = Authorization(client)
    page = browser.open(asked.address("openid"))
    assert page.status == 200
    assert "个人" in page.text
    assert not page.location
    page = browser.submit()
    page = browser.sign_in_person(operator.person, at=page.url)
    claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
    assert claims["role"] == "natural_person"


@pytest.mark.parametrize("way", ["legal", "operator"])
def test_no_other_company_is_put_in_the_place_of_the_one_asked_for(world: World, way: str) -> None:
    browser, _operator = signed_in_as(world, way)
    other = world.a_company()
    asked = Authorization(world.a_client())
    page = browser.open(asked.address("openid entity", entity=other.uscc))
    assert (page.status, page.location) == (200, "")
    page = browser.submit()
    page = browser.sign_in_legal(other, at=page.url)
    claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
    assert claims["entity"]["uscc"] == other.uscc


def test_the_wrong_company_signing_in_for_a_fixed_one_gets_no_code(world: World) -> None:
    wanted, wrong, browser = world.a_company(), world.a_company(), world.browser()
    page = browser.open(Authorization(world.a_client()).address("openid entity", entity=wanted.uscc))
    page = browser.sign_in_legal(wrong, at=page.url)
    assert "code" not in page.query
    assert not page.location


def test_a_person_goes_on_with_the_mandate_asked_for_and_no_other(world: World) -> None:
    person, client = world.a_person(), world.a_client()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    stranger = world.a_company()
    browser = world.browser()
    enter(browser, person)
    page = browser.open(Authorization(client).address("openid entity", entity=stranger.uscc))
    assert (page.status, page.location) == (403, "")
    asked = Authorization(client)
    code = code_for(browser, asked, "openid entity", entity=second.company.uscc)
    claims = claims_of(world, asked.redeem(browser, code).get_json()["id_token"])
    assert (claims["role"], claims["entity"]["uscc"]) == ("operator", second.company.uscc)
    assert first.company.uscc not in str(claims)


def test_a_person_with_several_mandates_chooses_one(world: World) -> None:
    person, client, browser = world.a_person(), world.a_client(), world.browser()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    enter(browser, person)
    asked = Authorization(client)
    page = browser.open(asked.address("openid entity"))
    assert first.company.name in page.text
    assert second.company.name in page.text
    page = browser.submit({"enterprise": str(first.mandate.id)})
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    told = get_with(world, tokens["access_token"]).get_json()
    assert told["entity"]["uscc"] == first.company.uscc
    assert told["mandate"]["id"] == str(first.mandate.id)


def test_nobody_chooses_a_mandate_that_is_not_his(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    world.an_operator(person=person)
    world.an_operator(person=person)
    foreign = world.an_operator()
    enter(browser, person)
    browser.open(Authorization(world.a_client()).address("openid entity"))
    page = browser.submit({"enterprise": str(foreign.mandate.id)})
    assert "code" not in page.query
    assert page.status < 500


def test_one_who_signs_in_as_himself_inherits_no_company(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    held = tokens_for(browser, client, "openid entity")
    old_cookie = browser.cookie("idp_session")
    person = world.a_person()
    browser.sign_in_person(person)
    assert browser.cookie("idp_session") != old_cookie
    page = ask(browser, world, "openid entity", prompt="none")
    assert page.query["error"] == "interaction_required"
    claims = claims_of(world, tokens_for(browser, client, "openid")["id_token"])
    assert claims["role"] == "natural_person"
    assert claims["sub"] != claims_of(world, held["id_token"])["sub"]
    assert get_with(world, held["access_token"]).status_code == 401
