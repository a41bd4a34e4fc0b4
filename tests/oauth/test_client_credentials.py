"""A client's own token: only for resources, and only as long as its registration gives it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select

from idp.access.clients import Client, announce_change
from idp.access.grants import Grant
from tests.oauth.asking import call, claims_of, header_of, introspect, later, payload_of
from tests.oauth.devices import changed
from tests.oauth.keyholders import ADpopKey, a_keyholder, with_nonce
from tests.portals import get_with, post_as
from tests.world import ISSUER, AClient, World

RESOURCE, OTHER = "https://seal.example/api", "https://hr.example/api"
GRANT = {"grant_type": "client_credentials"}


def a_service(world: World, **given: Any) -> AClient:
    """A relying party that calls other systems in its own name."""
    fields: dict[str, Any] = {
        "name": "后台服务",
        "redirect_uris": (),
        "grant_types": ("client_credentials",),
        "scopes": ("seal:verify", "seal:list"),
        "resources": (RESOURCE,),
    }
    return world.a_client(**{**fields, **given})


def token_of(world: World, client: AClient, **more: Any) -> str:
    """The access token of one request."""
    answer = post_as(world, client, "/oauth/token", {**GRANT, **more})
    assert answer.status_code == 200, answer.get_json()
    token: str = answer.get_json()["access_token"]
    return token


def test_a_client_gets_a_token_whose_subject_is_the_client(world: World) -> None:
    client = a_service(world)
    answer = post_as(world, client, "/oauth/token", {**GRANT, "scope": "seal:verify", "resource": RESOURCE})
    told = answer.get_json()
    assert set(told) == {"access_token", "token_type", "expires_in", "scope"}, "no refresh token, no ID token"
    assert (told["token_type"], told["scope"], told["expires_in"]) == ("Bearer", "seal:verify", 600)
    assert answer.headers["Cache-Control"] == "no-store"
    claims = claims_of(world, told["access_token"])
    assert header_of(told["access_token"])["typ"] == "at+jwt"
    assert (claims["sub"], claims["client_id"]) == (client.client_id, client.client_id)
    assert (claims["iss"], claims["aud"]) == (ISSUER, RESOURCE)
    assert not set(claims) & {"auth_time", "acr", "gid", "role"}


def test_without_a_wish_it_is_for_all_that_is_registered(world: World) -> None:
    client = a_service(world, resources=(RESOURCE, OTHER))
    claims = payload_of(token_of(world, client))
    assert (claims["scope"], claims["aud"]) == ("seal:list seal:verify", [OTHER, RESOURCE])


@pytest.mark.parametrize("scope", ["openid", "seal:verify openid", "profile", "entity", "seal:other", "é"])
def test_it_gets_no_scope_of_a_person_and_none_of_others(world: World, scope: str) -> None:
    client = a_service(
        world,
        grant_types=("client_credentials", "authorization_code"),
        redirect_uris=("https://portal.example/callback",),
        scopes=("openid", "profile", "entity", "seal:verify"),
    )
    answer = post_as(world, client, "/oauth/token", {**GRANT, "scope": scope})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_scope")
    assert payload_of(token_of(world, client))["scope"] == "seal:verify"


@pytest.mark.parametrize("resource", [OTHER, "https://seal.example/api/", "https://seal.example", "x"])
def test_it_names_only_resources_it_is_registered_for(world: World, resource: str) -> None:
    client = a_service(world)
    answer = post_as(world, client, "/oauth/token", {**GRANT, "resource": resource})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_target")


def test_several_resources_may_be_named_and_nothing_else_twice(world: World) -> None:
    client = a_service(world, resources=(RESOURCE, OTHER))
    several = call(world, "/oauth/token", {**GRANT, "resource": [RESOURCE, OTHER]}, headers=client.basic)
    assert payload_of(several.get_json()["access_token"])["aud"] == [OTHER, RESOURCE]
    doubled = call(
        world, "/oauth/token", {**GRANT, "scope": ["seal:list", "seal:list"]}, headers=client.basic
    )
    assert doubled.get_json()["error"] == "invalid_request"


def test_only_a_client_that_proves_itself_and_registered_for_it(world: World) -> None:
    portal = world.a_client()
    assert post_as(world, portal, "/oauth/token", GRANT).get_json()["error"] == "unauthorized_client"
    public = a_service(world)
    changed(world, public, auth_method="none", secret_hash=None)
    answer = call(world, "/oauth/token", {**GRANT, "client_id": public.client_id})
    assert (answer.status_code, answer.get_json()["error"]) == (400, "unauthorized_client")
    wrong = call(world, "/oauth/token", {**GRANT, "client_id": a_service(world).client_id})
    assert wrong.get_json()["error"] == "invalid_client"


def test_it_is_bound_to_a_key_where_one_is_proved(world: World) -> None:
    client, key = a_service(world), ADpopKey()
    told = with_nonce(world, "/oauth/token", key, GRANT, headers=client.basic).get_json()
    assert told["token_type"] == "DPoP"
    assert payload_of(told["access_token"])["cnf"] == {"jkt": key.jkt}
    shown = introspect(world, client, told["access_token"])
    assert (shown["token_type"], shown["cnf"]) == ("DPoP", {"jkt": key.jkt})
    must = a_service(world, dpop=True)
    assert post_as(world, must, "/oauth/token", GRANT).get_json()["error"] == "invalid_dpop_proof"


def test_a_key_proves_the_client_as_well_as_a_secret(world: World) -> None:
    client = a_keyholder(
        world,
        redirect_uris=("https://portal.example/callback",),
        grant_types=("client_credentials",),
        scopes=("seal:verify",),
        resources=(RESOURCE,),
    )
    assert payload_of(client.post(world, "/oauth/token", GRANT).get_json()["access_token"])["aud"] == RESOURCE


def test_it_opens_nothing_that_is_said_of_a_person(world: World) -> None:
    client = a_service(world, resources=())
    token = token_of(world, client)
    assert payload_of(token)["aud"] == ISSUER
    answer = get_with(world, token)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")


def test_introspection_knows_it(world: World) -> None:
    client, stranger = a_service(world), world.a_client()
    token = token_of(world, client)
    told, claims = introspect(world, client, token), payload_of(token)
    assert told["active"] is True
    for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"):
        assert told[name] == claims[name], name
    assert not set(told) & {"role", "acr", "auth_time", "entity", "mandate"}
    assert introspect(world, stranger, token) == {"active": False}
    with later(seconds=601):
        assert introspect(world, client, token) == {"active": False}


def test_it_is_revoked_by_its_client_alone(world: World) -> None:
    client, other = a_service(world), a_service(world)
    first, second = token_of(world, client), token_of(world, client)
    assert post_as(world, other, "/oauth/revoke", {"token": first}).status_code == 200
    assert introspect(world, client, first)["active"] is True
    for _again in range(2):
        assert post_as(world, client, "/oauth/revoke", {"token": first}).status_code == 200
    assert introspect(world, client, first) == {"active": False}
    assert introspect(world, client, second)["active"] is True


@pytest.mark.parametrize(
    "taken",
    [{"scopes": ["seal:list"]}, {"resources": []}, {"resources": [OTHER]}, {"grant_types": []}],
)
def test_it_dies_with_what_the_registration_gave(world: World, taken: dict[str, Any]) -> None:
    client = a_service(world)
    token = token_of(world, client, scope="seal:verify")
    assert introspect(world, client, token)["active"] is True
    changed(world, client, **taken)
    assert introspect(world, client, token) == {"active": False}


def test_it_dies_with_its_client(world: World) -> None:
    client, resource = a_service(world), a_service(world, serves=(RESOURCE,))
    token = token_of(world, client)
    assert introspect(world, resource, token)["active"] is True
    with world.write() as db:
        db.delete(db.get_one(Client, client.client_id))
    announce_change(world.backends.store)
    assert introspect(world, resource, token) == {"active": False}


def test_making_one_asks_the_database_nothing(world: World) -> None:
    client = a_service(world)
    token_of(world, client)
    asked: list[str] = []
    engine = world.platform.database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    token_of(world, client)
    assert asked == []
    with world.reading() as db:
        assert db.scalars(select(Grant)).all() == []
