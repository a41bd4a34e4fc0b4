"""Introspection and revocation: a client asks about, and ends, its own tokens."""

from __future__ import annotations

import pytest

from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    at_once,
    call,
    introspect,
    later,
    payload_of,
    refresh,
    tokens_for,
)
from tests.portals import get_with, post_as
from tests.world import ISSUER, AClient, World

HINTS = ["", "access_token", "refresh_token", "id_token", "nonsense"]


def revoke(world: World, client: AClient, token: str, **more: str) -> int:
    """The status of a revocation."""
    return post_as(world, client, "/oauth/revoke", {"token": token, **more}).status_code


def test_it_tells_a_client_about_its_access_token(world: World) -> None:
    operator = world.an_operator()
    browser, client = a_signed_in_operator(world, operator), world.a_client()
    tokens = tokens_for(browser, client, "openid entity offline_access")
    told = introspect(world, client, tokens["access_token"])
    claims = payload_of(tokens["access_token"])
    assert told["active"] is True
    assert {name: told[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")} == {
        name: claims[name] for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id")
    }
    assert (told["token_type"], told["role"], told["iss"]) == ("Bearer", "operator", ISSUER)
    assert told["entity"]["uscc"] == operator.company.uscc


def test_it_tells_a_client_about_its_refresh_token(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    told = introspect(world, client, token)
    assert (told["active"], told["client_id"]) == (True, client.client_id)
    assert "token_type" not in told
    refresh(world, client, token)
    assert introspect(world, client, token) == {"active": False}, "it is spent"


def test_a_wrong_hint_changes_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    for hint in HINTS:
        tokens = tokens_for(browser, client)
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert introspect(world, client, token, token_type_hint=hint)["active"] is True, hint
        assert revoke(world, client, tokens["refresh_token"], token_type_hint=hint) == 200, hint
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert introspect(world, client, token, token_type_hint=hint) == {"active": False}, hint


def test_of_another_clients_token_nothing_is_said(world: World) -> None:
    browser, client, other = a_signed_in_person(world), world.a_client(), world.a_client()
    tokens = tokens_for(browser, client)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert introspect(world, other, token) == {"active": False}


def test_garbage_is_inactive_and_revoked_without_a_word(world: World) -> None:
    client = world.a_client()
    for token in ("", "x", "a.b.c", "é", "x" * 20000, "[]", "eyJhbGciOiJub25lIn0.e30."):
        assert introspect(world, client, token) == {"active": False}, token
        assert revoke(world, client, token) == 200, token


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_both_ask_who_is_there_and_what_is_meant(world: World, path: str) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["access_token"]
    assert call(world, path, {"token": token}).get_json()["error"] == "invalid_client"
    assert call(world, path, {"token": token, "client_id": client.client_id}).status_code == 401
    assert call(world, path, {}, headers=client.basic).get_json()["error"] == "invalid_request"
    doubled = call(world, path, {"token": [token, token]}, headers=client.basic)
    assert doubled.get_json()["error"] == "invalid_request"
    by_query = call(world, f"{path}?token={token}", {}, headers=client.basic)
    assert by_query.get_json()["error"] == "invalid_request"
    assert get_with(world, token).status_code == 200


def test_an_access_token_is_revoked_by_itself(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    first = tokens_for(browser, client)
    second = refresh(world, client, first["refresh_token"]).get_json()
    assert revoke(world, client, second["access_token"]) == 200
    assert revoke(world, client, second["access_token"]) == 200
    assert get_with(world, second["access_token"]).status_code == 401
    assert get_with(world, first["access_token"]).status_code == 200
    assert introspect(world, client, second["access_token"]) == {"active": False}
    assert refresh(world, client, second["refresh_token"]).status_code == 200


def test_many_who_revoke_one_token_at_once_all_succeed(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["access_token"]
    for tried in at_once(3, lambda _number: at_once(8, lambda _other: revoke(world, client, token))):
        assert tried == [200] * 8
    assert get_with(world, token).status_code == 401


@pytest.mark.parametrize("spent", [False, True])
def test_a_refresh_token_is_revoked_with_its_family(world: World, spent: bool) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    other_grant = tokens_for(browser, client)
    first = tokens_for(browser, client)
    second = refresh(world, client, first["refresh_token"]).get_json()
    assert revoke(world, client, (first if spent else second)["refresh_token"]) == 200
    for tokens in (first, second):
        assert get_with(world, tokens["access_token"]).status_code == 401
        assert refresh(world, client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert get_with(world, other_grant["access_token"]).status_code == 200


def test_another_client_revokes_nothing(world: World) -> None:
    browser, client, other = a_signed_in_person(world), world.a_client(), world.a_client()
    tokens = tokens_for(browser, client)
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert revoke(world, other, token) == 200
    assert get_with(world, tokens["access_token"]).status_code == 200
    assert refresh(world, client, tokens["refresh_token"]).status_code == 200


def test_revoking_an_expired_token_is_no_error(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["access_token"]
    with later(hours=1):
        assert revoke(world, client, token) == 200


def test_revocation_ends_no_sign_in(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    revoke(world, client, tokens_for(browser, client)["refresh_token"])
    assert tokens_for(browser, client)["access_token"]
