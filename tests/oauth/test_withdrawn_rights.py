"""What is taken from a client's registration counts no more, in what was given out before either."""

from __future__ import annotations

from typing import Any

import pytest

from idp.access.clients import Client, announce_change
from idp.access.profiles import DEVICE_GRANT
from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    call,
    code_for,
    introspect,
    later,
    payload_of,
    refresh,
    tokens_for,
)
from tests.oauth.devices import ADevice, a_device, a_device_client, allow, changed
from tests.oauth.keyholders import ADpopKey, with_nonce
from tests.portals import Authorization, get_with, post_as
from tests.world import CALLBACK, ISSUER, AClient, World

SEAL, HR = "https://seal.example/api", "https://hr.example/api"
ALL = "openid profile entity offline_access"
SCOPES = (*ALL.split(), "seal:verify")


def given(world: World, how: str, scope: str = ALL, *, take: dict[str, Any], resource: str = "") -> Any:
    """The client, and what the token endpoint answers to it once something was taken from it."""
    browser = a_signed_in_operator(world)
    if how == "device":
        device = ADevice(world, a_device_client(world, scopes=SCOPES, resources=(SEAL, HR)))
        device.asks(scope, **({"resource": resource} if resource else {}))
        allow(browser, device)
        changed(world, device.client, **take)
        return device.client, device.polls()
    client = world.a_client(scopes=SCOPES, resources=(SEAL, HR))
    asked = Authorization(client)
    if how == "code":
        code = code_for(browser, asked, scope, resource=resource)
        changed(world, client, **take)
        return client, asked.redeem(browser, code)
    token = tokens_for(browser, client, scope, resource=resource)["refresh_token"]
    changed(world, client, **take)
    return client, refresh(world, client, token)


WAYS = pytest.mark.parametrize("how", ["code", "refresh", "device"])


@WAYS
def test_a_withdrawn_scope_is_in_no_new_token(world: World, how: str) -> None:
    _client, answer = given(world, how, take={"scopes": ["openid", "profile", "offline_access"]})
    tokens = answer.get_json()
    assert set(tokens["scope"].split()) == {"openid", "profile", "offline_access"}
    assert payload_of(tokens["access_token"])["scope"] == tokens["scope"]
    assert "entity" not in payload_of(tokens["id_token"])


@WAYS
def test_without_openid_there_is_no_id_token_and_no_userinfo(world: World, how: str) -> None:
    _client, answer = given(world, how, take={"scopes": ["profile", "offline_access"]})
    tokens = answer.get_json()
    assert "id_token" not in tokens
    assert get_with(world, tokens["access_token"]).status_code == 403


@WAYS
def test_a_client_that_lost_every_scope_gets_nothing(world: World, how: str) -> None:
    _client, answer = given(world, how, take={"scopes": ["seal:verify"]})
    assert answer.get_json()["error"] in {"invalid_scope", "invalid_grant"}
    assert answer.status_code == 400


@pytest.mark.parametrize("how", ["code", "device"])
@pytest.mark.parametrize(
    "take", [{"scopes": ["openid", "profile"]}, {"grant_types": ["authorization_code", DEVICE_GRANT]}]
)
def test_no_refresh_token_is_given_that_could_not_be_used(
    world: World, how: str, take: dict[str, Any]
) -> None:
    _client, answer = given(world, how, take=take)
    tokens = answer.get_json()
    assert "refresh_token" not in tokens
    assert "offline_access" not in tokens["scope"].split()


def test_a_refresh_token_ends_with_the_right_to_refresh(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    token = tokens_for(browser, client, ALL)["refresh_token"]
    assert introspect(world, client, token)["active"] is True
    changed(world, client, grant_types=["authorization_code"])
    assert introspect(world, client, token) == {"active": False}
    changed(world, client, grant_types=["authorization_code", "refresh_token"], scopes=["openid"])
    assert introspect(world, client, token) == {"active": False}
    assert refresh(world, client, token).get_json()["error"] == "invalid_grant"
    changed(world, client, scopes=ALL.split())
    assert refresh(world, client, token).status_code == 200, "nothing was spent"


@WAYS
def test_a_withdrawn_resource_is_in_no_new_token(world: World, how: str) -> None:
    _client, answer = given(world, how, take={"resources": [HR]}, resource=SEAL)
    assert answer.get_json()["error"] == "invalid_target", "nor is the token for this provider instead"


def test_of_several_resources_the_others_stay(world: World) -> None:
    client = world.a_client(resources=(SEAL, HR))
    asked = Authorization(client)
    browser = a_signed_in_person(world)
    page = browser.open(asked.address("openid", resource=SEAL) + f"&resource={HR}")
    changed(world, client, resources=[HR])
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert payload_of(tokens["access_token"])["aud"] == HR


def test_introspection_tells_only_what_the_client_has_still(world: World) -> None:
    server = {
        name: world.a_client(serves=(name,), grant_types=("client_credentials",), redirect_uris=(), scopes=())
        for name in (SEAL, HR)
    }
    client, browser = world.a_client(resources=(SEAL, HR)), a_signed_in_operator(world)
    asked = Authorization(client)
    page = browser.open(asked.address("openid entity", resource=SEAL) + f"&resource={HR}")
    token = asked.redeem(browser, page.query["code"]).get_json()["access_token"]
    assert introspect(world, server[SEAL], token)["aud"] == [HR, SEAL]
    changed(world, client, resources=[HR], scopes=["openid"])
    assert introspect(world, server[SEAL], token) == {"active": False}
    told = introspect(world, server[HR], token)
    assert (told["aud"], told["scope"]) == (HR, "openid")
    assert not {"entity", "mandate"} & set(told)
    changed(world, client, resources=[])
    for asker in (server[HR], client):
        assert introspect(world, asker, token) == {"active": False}


@pytest.mark.parametrize("duty", [{"dpop": True}, {"profile": "fapi2"}])
def test_a_client_that_must_prove_a_key_has_no_bearer_tokens_left(world: World, duty: dict[str, Any]) -> None:
    server = world.a_client(serves=(SEAL,), grant_types=("client_credentials",), redirect_uris=(), scopes=())
    client, browser = world.a_client(resources=(SEAL,)), a_signed_in_person(world)
    for_us = tokens_for(browser, client, "openid")["access_token"]
    for_seal = tokens_for(browser, client, "openid", resource=SEAL)["access_token"]
    assert introspect(world, server, for_seal)["active"] is True
    changed(world, client, **duty)
    assert introspect(world, server, for_seal) == {"active": False}
    answer = get_with(world, for_us)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert "DPoP " in answer.headers["WWW-Authenticate"]
    posted = call(world, "/oauth/userinfo", {"access_token": for_us})
    assert posted.status_code == 401


def removed(world: World, client: AClient) -> None:
    """The registration goes; its tokens are left alone, as if they had not been made yet."""
    with world.write() as db:
        db.delete(db.get_one(Client, client.client_id))
    announce_change(world.backends.store)


def test_a_namesake_inherits_no_code(world: World) -> None:
    browser, name = a_signed_in_person(world), "portal-of-two-lives"
    client = world.a_client(client_id=name)
    asked = Authorization(client)
    code = code_for(browser, asked)
    removed(world, client)
    with later(seconds=5):
        namesake = Authorization(world.a_client(client_id=name), verifier=asked.verifier)
        assert namesake.redeem(browser, code).get_json()["error"] == "invalid_grant"
        assert namesake.redeem(browser, code_for(browser, namesake)).status_code == 200


def test_a_namesake_inherits_no_device_code(world: World) -> None:
    browser = a_signed_in_person(world)
    device = a_device(world, client_id="device-of-two-lives")
    allow(browser, device)
    removed(world, device.client)
    with later(seconds=5):
        device.client = a_device(world, client_id="device-of-two-lives").client
        assert device.polls().get_json()["error"] == "invalid_grant"


def test_a_namesake_inherits_no_token_of_its_own(world: World) -> None:
    service: dict[str, Any] = {
        "client_id": "service-of-two-lives",
        "grant_types": ("client_credentials",),
        "redirect_uris": (),
        "scopes": ("seal:verify",),
    }
    form = {"grant_type": "client_credentials"}
    client = world.a_client(**service)
    token = post_as(world, client, "/oauth/token", form).get_json()["access_token"]
    removed(world, client)
    with later(seconds=5):
        namesake = world.a_client(**service)
        assert introspect(world, namesake, token) == {"active": False}
        own = post_as(world, namesake, "/oauth/token", form).get_json()["access_token"]
        assert introspect(world, namesake, own)["active"] is True


def test_a_public_client_hears_of_bound_tokens_only_with_their_key(world: World) -> None:
    client, key, browser = world.a_client(auth_method="none"), ADpopKey(), a_signed_in_operator(world)
    asked = Authorization(client)
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "code_verifier": asked.verifier,
        "code": code_for(browser, asked, ALL),
    }
    tokens = with_nonce(world, "/oauth/token", key, form).get_json()
    for kind in ("access_token", "refresh_token"):
        question = {"token": tokens[kind], "client_id": client.client_id}
        assert call(world, "/oauth/introspect", question).get_json() == {"active": False}, kind
        thief = with_nonce(world, "/oauth/introspect", ADpopKey(), question).get_json()
        assert thief == {"active": False}, kind
        told = with_nonce(world, "/oauth/introspect", key, question).get_json()
        assert (told["active"], told["cnf"]) == (True, {"jkt": key.jkt}), kind
        assert not {"role", "entity", "mandate"} & set(told), "userinfo says it, to the same key"


def test_a_public_client_hears_nothing_of_the_person(world: World) -> None:
    client, browser = world.a_client(auth_method="none"), a_signed_in_operator(world)
    asked = Authorization(client)
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "redirect_uri": CALLBACK,
        "code_verifier": asked.verifier,
        "code": code_for(browser, asked, "openid entity"),
    }
    token = call(world, "/oauth/token", form).get_json()["access_token"]
    question = {"token": token, "client_id": client.client_id}
    told = call(world, "/oauth/introspect", question).get_json()
    assert (told["active"], told["iss"]) == (True, ISSUER)
    assert not {"role", "entity", "mandate", "acr", "auth_time"} & set(told)
