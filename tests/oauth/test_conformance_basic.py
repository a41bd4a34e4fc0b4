"""What the plans Basic OP and Config OP ask beyond the other tests of this room (docs/conformance.md)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from werkzeug.test import TestResponse

from tests.entering import enter
from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_person,
    call,
    claims_of,
    code_for,
    header_of,
    later,
    refresh,
    refused_with,
    tokens_for,
)
from tests.portals import Authorization, get_with, post_as
from tests.world import ISSUER, AClient, Browser, World

USERINFO = "/oauth/userinfo"
WISHES = {
    "display": ("page", "popup", "touch", "wap", "hologram"),
    "ui_locales": ("se", "zh-CN en", "x" * 40),
    "claims_locales": ("se", "zh-Hans-CN en-GB"),
    "login_hint": ("buffy@idp.example", "+8613900000000"),
    "extra": ("foobar",),
}


def id_claims(browser: Browser, client: AClient, **more: str) -> dict[str, Any]:
    """The ID token of one more sign-on."""
    return claims_of(browser.world, tokens_for(browser, client, "openid", **more)["id_token"])


def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (
        world.app.test_client().get("/.well-known/openid-configuration", base_url=ISSUER).get_json()
    )
    return found


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_nobody_can_grant_is_no_error(world: World, name: str) -> None:
    client, stranger, browser = world.a_client(), world.browser(), a_signed_in_person(world)
    for value in WISHES[name]:
        page = stranger.open(Authorization(client).address("openid", **{name: value}))
        assert (page.status, "个人登录" in page.text) == (200, True), value
        assert id_claims(browser, client, **{name: value})["aud"] == client.client_id, value


def test_neither_scopes_nor_parameters_have_an_order(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    for scope in ("openid profile offline_access", "offline_access profile openid"):
        pairs = parse_qsl(asked.address(scope).partition("?")[2])
        page = browser.open("/oauth/authorize?" + urlencode(pairs[::-1]))
        tokens = asked.redeem(browser, page.query["code"]).get_json()
        assert tokens["scope"] == "offline_access openid profile"
        assert {"id_token", "refresh_token"} <= set(tokens)


def test_a_posted_request_is_answered_like_any_other(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    page = browser.post("/oauth/authorize", dict(parse_qsl(asked.address("openid").partition("?")[2])))
    assert page.query["state"] == asked.state
    assert asked.redeem(browser, page.query["code"]).status_code == 200


def test_nobody_has_to_send_a_nonce(world: World) -> None:
    assert "nonce" not in id_claims(a_signed_in_person(world), world.a_client(), nonce="")


def test_userinfo_says_the_same_however_the_token_comes(world: World) -> None:
    token = tokens_for(a_signed_in_person(world), world.a_client(), "openid profile")["access_token"]
    by_get = get_with(world, token)
    in_header = call(world, USERINFO, headers={"Authorization": f"Bearer {token}"})
    in_body = call(world, USERINFO, {"access_token": token})
    told: list[TestResponse] = [by_get, in_header, in_body]
    assert [answer.status_code for answer in told] == [200, 200, 200]
    assert by_get.get_json() == in_header.get_json() == in_body.get_json()
    assert {"sub", "name"} <= set(by_get.get_json())


def test_an_essential_name_comes_from_userinfo_and_not_in_the_id_token(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    essential = json.dumps({"userinfo": {"name": {"essential": True}}})
    tokens = tokens_for(browser, world.a_client(), "openid", claims=essential)
    assert get_with(world, tokens["access_token"]).get_json()["name"] == person.name
    assert "name" not in claims_of(world, tokens["id_token"])


def test_a_silent_answer_speaks_of_the_same_person_and_the_same_sign_in(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client, "openid", max_age="15000")
    first = claims_of(world, tokens["id_token"])
    with later(seconds=5):
        for silent in ({"prompt": "none"}, {"max_age": "10000"}):
            again = id_claims(browser, client, id_token_hint=tokens["id_token"], **silent)
            assert (again["sub"], again["auth_time"]) == (first["sub"], first["auth_time"])
            assert again["iat"] > first["iat"]


@pytest.mark.parametrize("anew", [{"prompt": "login"}, {"max_age": "1"}], ids=["prompt", "max_age"])
def test_a_second_sign_in_is_later_than_the_first(world: World, anew: dict[str, str]) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    enter(browser, person)
    first = id_claims(browser, client)
    asked = Authorization(client)
    with later(seconds=2):
        page = browser.open(asked.address("openid", **anew))
        page = browser.sign_in_person(person, at=page.url)
        tokens = asked.redeem(browser, page.query["code"]).get_json()
    second = claims_of(world, tokens["id_token"])
    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_code_that_comes_back_is_refused_and_ends_its_access_token(world: World, seconds: int) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    code = code_for(browser, asked)
    token = asked.redeem(browser, code).get_json()["access_token"]
    assert get_with(world, token).status_code == 200
    with later(seconds=seconds):
        answer = asked.redeem(browser, code)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_grant")
        assert get_with(world, token).status_code == 401


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_both_ways_to_send_a_secret_work_and_the_id_token_names_its_key(world: World, method: str) -> None:
    browser, client = a_signed_in_person(world), world.a_client(auth_method=method)
    asked = Authorization(client)
    form = {
        "grant_type": "authorization_code",
        "code": code_for(browser, asked),
        "redirect_uri": client.redirect_uri,
        "code_verifier": asked.verifier,
    }
    if method == "client_secret_post":
        secret = {"client_id": client.client_id, "client_secret": client.secret}
        answer = call(world, "/oauth/token", {**form, **secret})
    else:
        answer = post_as(world, client, "/oauth/token", form)
    header = header_of(answer.get_json()["id_token"])
    assert header["alg"] == "RS256", "what a client gets that registered nothing else"
    assert header["kid"]
    claims = claims_of(world, answer.get_json()["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, client.client_id, asked.nonce)


def test_an_advertised_level_is_reached_and_said(world: World) -> None:
    levels = document(world)["acr_values_supported"]
    claims = id_claims(a_signed_in_person(world), world.a_client(), acr_values=" ".join(levels))
    assert claims["acr"] in levels


def test_unsigned_tokens_and_requests_are_neither_advertised_nor_taken(world: World) -> None:
    for name, values in document(world).items():
        if name.endswith("_alg_values_supported"):
            assert values == ["RS256", "PS256", "ES256", "EdDSA"], name
    browser = a_signed_in_person(world)
    page = browser.open(Authorization(world.a_client()).address("openid", request="eyJhbGciOiJub25lIn0.e30."))
    assert refused_with(page) == ("invalid_request_object", True)


def test_a_refresh_with_its_whole_scope_keeps_subject_and_sign_in(world: World) -> None:
    client = world.a_client()
    before = tokens_for(a_signed_in_person(world), client, FOR_LATER)
    with later(seconds=1):
        after = refresh(world, client, before["refresh_token"], scope=FOR_LATER).get_json()
    first, second = (claims_of(world, tokens["id_token"]) for tokens in (before, after))
    for name in ("iss", "sub", "aud", "azp", "auth_time"):
        assert second[name] == first[name], name
    assert second["iat"] > first["iat"]
    assert after["access_token"] != before["access_token"]


def test_discovery_has_what_the_specifications_require(world: World) -> None:
    found = document(world)
    required = {
        *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"),
        *("response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"),
        *("scopes_supported", "claims_supported", "end_session_endpoint"),
        "pushed_authorization_request_endpoint",
    }
    assert required <= set(found)
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert "RS256" in found["request_object_signing_alg_values_supported"]
    assert {"openid", "offline_access"} <= set(found["scopes_supported"])
    assert {"authorization_code", "refresh_token"} <= set(found["grant_types_supported"])
    assert set(found["subject_types_supported"]) <= {"pairwise", "public"}
    for flag in (
        "claims_parameter_supported",
        "request_parameter_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "authorization_response_iss_parameter_supported",
    ):
        assert found[flag] is True, flag
    assert found["request_uri_parameter_supported"] is False
    assert found["require_pushed_authorization_requests"] is False
