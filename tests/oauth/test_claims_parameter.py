"""The claims parameter (OpenID Connect Core §5.5): single claims beside the scope, never more than it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp.access.clients import Client, announce_change
from idp.access.pending import PendingRequest, find
from idp.oauth.claims_request import ClaimsMalformed, parse
from tests.entering import enter
from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    claims_of,
    payload_of,
    refresh,
    refused_with,
    tokens_for,
)
from tests.portals import Authorization, get_with
from tests.world import AClient, Browser, Page, World

PERSONAL = ("name", "preferred_username", "phone_number", "phone_number_masked", "id_type", "id_number")


def ask(browser: Browser, client: AClient, claims: Any, scope: str = "openid", **more: str) -> Page:
    """What a request with these claims is answered with."""
    return browser.open(Authorization(client).address(scope, claims=json.dumps(claims), **more))


def got(
    world: World, browser: Browser, client: AClient, claims: Any, scope: str = "openid"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What userinfo and the ID token say after it."""
    tokens = tokens_for(browser, client, scope, claims=json.dumps(claims))
    userinfo: dict[str, Any] = get_with(world, tokens["access_token"]).get_json()
    return userinfo, claims_of(world, tokens["id_token"])


def test_claims_are_answered_where_they_were_asked_for(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    client = world.a_client(full_phone=True)
    userinfo, token = got(world, browser, client, {"userinfo": {"name": None}, "id_token": {}})
    assert (set(userinfo), userinfo["name"]) == ({"sub", "name"}, person.name)
    assert "name" not in token
    asked = {"id_token": {"phone_number": {"essential": True}, "preferred_username": None}}
    userinfo, token = got(world, browser, client, asked)
    assert set(userinfo) == {"sub"}
    assert token["phone_number"] == f"+86{person.phone}"
    assert token["preferred_username"] == person.account
    assert not {"name", "id_number"} & set(token)


def test_every_personal_claim_can_be_asked_for_by_itself(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(full_phone=True)
    for name in PERSONAL:
        userinfo, token = got(world, browser, client, {"userinfo": {name: None}, "id_token": {name: None}})
        expected = set() if name == "phone_number_masked" else {name}
        assert set(userinfo) == {"sub"} | expected, name
        assert set(token) & set(PERSONAL) == expected, name


def test_a_client_without_the_full_phone_gets_it_masked_or_not_at_all(world: World) -> None:
    asked = {"userinfo": {"phone_number": None, "phone_number_masked": None}}
    userinfo, _token = got(world, a_signed_in_person(world), world.a_client(full_phone=False), asked)
    assert set(userinfo) == {"sub", "phone_number_masked"}


def test_a_claim_of_a_scope_the_client_may_not_have_is_passed_over(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(scopes=("openid", "profile"))
    every = {name: {"essential": True} for name in PERSONAL}
    userinfo, token = got(world, browser, client, {"userinfo": every, "id_token": every})
    assert set(userinfo) == {"sub", "name", "preferred_username"}
    assert set(token) & set(PERSONAL) == {"name", "preferred_username"}


def test_unknown_claims_and_members_are_passed_over(world: World) -> None:
    asked = {
        "userinfo": {"email": None, "name#zh": None, "iss": {"value": "https://evil.example"}, "": None},
        "id_token": {"aud": {"value": "x"}, "exp": None, "gender": {"essential": True}, "auth_time": None},
        "verified_claims": {"any": "thing"},
    }
    userinfo, token = got(world, a_signed_in_person(world), world.a_client(), asked)
    assert set(userinfo) == {"sub"}
    assert "auth_time" in token
    assert token["aud"] != "x"


def test_the_company_cannot_be_reached_around_its_scope(world: World) -> None:
    company = {"entity": None, "mandate": {"essential": True}, "role": None}
    asked = {"userinfo": company, "id_token": company}
    client = world.a_client()
    userinfo, token = got(world, a_signed_in_person(world), client, asked)
    assert set(userinfo) == {"sub"}
    assert not {"entity", "mandate"} & set(token)
    third = ask(a_signed_in_person(world), world.a_client(first_party=False), asked)
    assert asks(third)
    assert "您代表的企业" not in third.text, "nor is it told that the company is asked for"
    page = ask(a_signed_in_operator(world), client, asked, prompt="none")
    assert refused_with(page) == ("interaction_required", True), "a company's password answers no person"


def test_with_its_scope_the_mandate_can_stand_in_the_id_token(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    _userinfo, token = got(world, browser, client, {"id_token": {"mandate": None}}, "openid entity")
    assert {"entity", "mandate", "role"} <= set(token)
    _userinfo, token = got(world, browser, client, {}, "openid entity")
    assert "mandate" not in token


def test_a_refresh_of_the_whole_grant_keeps_them_and_a_narrowed_one_none(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    asked = json.dumps({"userinfo": {"name": None}, "id_token": {"name": None, "mandate": None}})
    tokens = tokens_for(browser, client, "openid entity offline_access", claims=asked)
    again = refresh(world, client, tokens["refresh_token"]).get_json()
    assert {"name", "mandate"} <= set(payload_of(again["id_token"]))
    assert "name" in get_with(world, again["access_token"]).get_json()
    same = refresh(world, client, again["refresh_token"], scope="openid entity").get_json()
    assert {"name", "mandate"} <= set(payload_of(same["id_token"]))
    narrow = refresh(world, client, same["refresh_token"], scope="openid").get_json()
    assert not {"name", "mandate"} & set(payload_of(narrow["id_token"]))
    assert set(get_with(world, narrow["access_token"]).get_json()) == {"sub"}
    whole = refresh(world, client, narrow["refresh_token"]).get_json()
    assert "name" in get_with(world, whole["access_token"]).get_json()


def test_what_is_taken_from_the_client_is_no_longer_said(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client, "openid", claims='{"userinfo":{"name":null}}')
    assert "name" in get_with(world, tokens["access_token"]).get_json()
    with world.write() as db:
        db.get_one(Client, client.client_id).scopes = ["openid"]
    announce_change(world.backends.store)
    assert set(get_with(world, tokens["access_token"]).get_json()) == {"sub"}


def asks(page: Page) -> bool:
    """Whether a person is asked for consent."""
    return page.status == 200 and page.url.startswith("/oauth/consent")


def test_consent_says_what_is_asked_beyond_the_scope_and_covers_no_more(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(first_party=False)
    assert asks(ask(browser, client, {}))
    assert "您的姓名和登录名" not in ask(browser, client, {}).text
    browser.submit({"decision": "allow"})
    assert "code" in ask(browser, client, {"userinfo": {"email": None}}).query
    for member in ("userinfo", "id_token"):
        page = ask(browser, client, {member: {"id_number": None}})
        assert asks(page), member
        assert "您的证件类型和证件号码" in page.text
    silently = ask(browser, client, {"id_token": {"name": None}}, prompt="none")
    assert refused_with(silently) == ("consent_required", True)
    ask(browser, client, {"userinfo": {"name": None}})
    assert "您的姓名和登录名" in browser.page.text if browser.page else False
    browser.submit({"decision": "allow"})
    assert "code" in ask(browser, client, {"id_token": {"name": None}}).query, "agreed to: the name"
    assert asks(ask(browser, client, {"userinfo": {"id_number": None}})), "not agreed to: the number"


MALFORMED = {
    "no JSON": "x",
    "no object": "[]",
    "text": '"userinfo"',
    "a member that is text": '{"userinfo":"name"}',
    "a member that is a list": '{"id_token":["name"]}',
    "a claim that is true": '{"userinfo":{"name":true}}',
    "a claim that is text": '{"id_token":{"acr":"urn:idp:loa:1"}}',
    "a doubled member": '{"userinfo":{},"userinfo":{}}',
    "a doubled claim": '{"userinfo":{"name":null,"name":{}}}',
    "too long": '{"userinfo":{"' + "n" * 4000 + '":null}}',
    "too deep": '{"userinfo":{"name":{"value":{"a":{"b":{}}}}}}',
    "endless depth": "[" * 3900,
    "acr in numbers": '{"id_token":{"acr":{"values":[1]}}}',
    "acr with spaces": '{"id_token":{"acr":{"value":"a b"}}}',
    "acr values as text": '{"id_token":{"acr":{"values":"a"}}}',
    "many acr values": json.dumps({"id_token": {"acr": {"values": ["a"] * 11}}}),
    "a subject in numbers": '{"id_token":{"sub":{"value":7}}}',
    "two subjects": '{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}',
    "an empty subject": '{"id_token":{"sub":{"value":""}}}',
}


def test_what_cannot_be_read_goes_back_as_an_error(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    for case, text in MALFORMED.items():
        page = browser.open(Authorization(client).address("openid", claims=text), follow=False)
        assert refused_with(page) == ("invalid_request", True), case
        assert page.query["error_uri"].endswith("#1119"), case
        with pytest.raises(ClaimsMalformed):
            parse(text)


def waiting(world: World, page: Page, browser: Browser) -> PendingRequest:
    """The request that waits behind a sign-in page."""
    with browser.client.session_transaction(base_url=world.settings.issuer) as session:
        owner = session["browser"]
    found = find(world.backends.store, page.url.partition("tx=")[2], browser=owner)
    assert found is not None
    return found


def test_an_acr_asked_for_counts_before_acr_values(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    level = "urn:idp:loa:1"
    for acr in (
        {"essential": True, "value": level},
        {"essential": True, "values": [level, "x"]},
        {"values": [level]},
        {"essential": False, "value": level},
    ):
        page = ask(browser, client, {"id_token": {"acr": acr}}, acr_values="y")
        asked_for = waiting(world, page, browser).params["acr_values"].split()
        assert level in asked_for, acr
        assert "y" not in asked_for, acr
    page = ask(browser, client, {"id_token": {"acr": {"essential": True}}}, acr_values=level)
    assert waiting(world, page, browser).params["acr_values"] == level, "no level is named beside it"


def test_the_time_and_level_of_the_sign_in_are_always_said(world: World) -> None:
    asked = {"id_token": {"auth_time": {"essential": True}, "acr": {"essential": True}}}
    _userinfo, token = got(world, a_signed_in_person(world), world.a_client(), asked)
    assert isinstance(token["auth_time"], int)
    assert token["acr"] == "urn:idp:loa:1"


def test_a_named_subject_is_the_only_one_who_may_answer(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    mine = payload_of(tokens_for(browser, client, "openid")["id_token"])["sub"]
    for member in ("id_token", "userinfo"):
        assert "code" in ask(browser, client, {member: {"sub": {"value": mine}}}, prompt="none").query
        page = ask(browser, client, {member: {"sub": {"value": "another"}}}, prompt="none")
        assert refused_with(page) == ("login_required", True)
    page = ask(browser, client, {"id_token": {"sub": {"value": "another"}}})
    assert page.url.startswith("/login")


def test_a_hint_and_a_subject_that_differ_are_refused(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    hint = tokens_for(browser, client, "openid")["id_token"]
    page = ask(browser, client, {"id_token": {"sub": {"value": "another"}}}, id_token_hint=hint)
    assert page.query["error_uri"].endswith("#1120")
    same = {"id_token": {"sub": {"value": payload_of(hint)["sub"]}}}
    assert "code" in ask(browser, client, same, id_token_hint=hint).query
