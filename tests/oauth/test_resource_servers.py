"""A resource server asks about tokens that are for it: who, by what right, at this instant."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from idp.access.endings import end_mandate
from idp.accounts.audit import Origin
from idp.accounts.models import Mandate
from tests.oauth.asking import a_signed_in_operator, a_signed_in_person, introspect, payload_of
from tests.oauth.devices import ADevice, a_device_client, allow, changed
from tests.oauth.keyholders import ADpopKey
from tests.portals import get_with, post_as
from tests.world import ISSUER, AClient, AnOperator, World

SEAL, HR = "https://seal.example/api", "https://hr.example/api"
UNIT = "openid entity offline_access"


def a_resource_server(world: World, *serves: str) -> AClient:
    """A client that signs nobody in: it only asks about tokens."""
    return world.a_client(
        name="签章服务",
        redirect_uris=(),
        grant_types=("client_credentials",),
        scopes=("seal:verify",),
        serves=serves,
    )


def tokens_for(
    world: World, operator: AnOperator | None, *resources: str, scope: str = UNIT, **given: Any
) -> tuple[AClient, dict[str, Any]]:
    """The client and the tokens that its device got, for these resources."""
    browser = a_signed_in_operator(world, operator) if operator else a_signed_in_person(world)
    client = a_device_client(world, resources=(SEAL, HR), **given)
    device = ADevice(world, client, ADpopKey() if given.get("dpop") else None)
    assert device.asks(scope, resource=list(resources)).status_code == 200
    allow(browser, device)
    tokens: dict[str, Any] = device.polls().get_json()
    return client, tokens


def test_it_is_told_who_acts_for_which_company_and_by_what_right(world: World) -> None:
    operator = world.an_operator(manage_seals=True)
    client, tokens = tokens_for(world, operator, SEAL)
    token, claims = tokens["access_token"], payload_of(tokens["access_token"])
    told = introspect(world, a_resource_server(world, SEAL), token)
    assert told["active"] is True
    for name in ("iss", "sub", "aud", "exp", "iat", "jti", "scope", "acr", "auth_time"):
        assert told[name] == claims[name], name
    assert (told["client_id"], told["token_type"], told["aud"]) == (client.client_id, "Bearer", SEAL)
    assert told["role"] == "operator"
    assert told["entity"]["uscc"] == operator.company.uscc
    assert told["mandate"]["id"] == str(operator.mandate.id)
    assert (told["mandate"]["manage_seals"], told["mandate"]["manage_operators"]) == (True, False)


def test_without_the_scope_it_hears_of_no_company(world: World) -> None:
    _client, tokens = tokens_for(world, None, SEAL, scope="openid")
    told = introspect(world, a_resource_server(world, SEAL), tokens["access_token"])
    assert told["active"] is True
    assert not set(told) & {"entity", "mandate"}


def test_the_key_a_token_is_bound_to_is_told(world: World) -> None:
    _client, tokens = tokens_for(world, world.an_operator(), SEAL, dpop=True)
    told = introspect(world, a_resource_server(world, SEAL), tokens["access_token"])
    assert told["token_type"] == "DPoP"
    assert told["cnf"] == payload_of(tokens["access_token"])["cnf"]


def test_it_hears_nothing_of_tokens_for_others(world: World) -> None:
    operator = world.an_operator()
    server = a_resource_server(world, SEAL)
    nobodys = a_resource_server(world)
    greedy = a_resource_server(world, ISSUER.replace("http:", "https:"), "https://seal.example/api/", HR)
    _client, for_hr = tokens_for(world, operator, HR)
    _client, for_us = tokens_for(world, operator, ISSUER)
    _client, for_seal = tokens_for(world, operator, SEAL)
    for token in (for_hr["access_token"], for_us["access_token"]):
        assert introspect(world, server, token) == {"active": False}
    for asker in (nobodys, greedy):
        assert introspect(world, asker, for_seal["access_token"]) == {"active": False}
        assert introspect(world, asker, for_us["access_token"]) == {"active": False}


def test_what_this_provider_serves_is_nobody_elses(world: World) -> None:
    server = a_resource_server(world, SEAL)
    changed(world, server, serves=[ISSUER])
    _client, tokens = tokens_for(world, world.an_operator(), ISSUER)
    assert introspect(world, server, tokens["access_token"]) == {"active": False}


def test_a_token_for_several_is_shown_to_each_of_them(world: World) -> None:
    _client, tokens = tokens_for(world, world.an_operator(), SEAL, HR)
    for resource in (SEAL, HR):
        told = introspect(world, a_resource_server(world, resource), tokens["access_token"])
        assert told["aud"] == [HR, SEAL]


def test_a_refresh_token_is_shown_to_its_own_client_alone(world: World) -> None:
    client, tokens = tokens_for(world, world.an_operator(), SEAL)
    assert introspect(world, a_resource_server(world, SEAL), tokens["refresh_token"]) == {"active": False}
    assert introspect(world, client, tokens["refresh_token"])["active"] is True


def test_asking_about_a_token_does_not_allow_to_end_it(world: World) -> None:
    server = a_resource_server(world, SEAL)
    _client, tokens = tokens_for(world, world.an_operator(), SEAL)
    assert post_as(world, server, "/oauth/revoke", {"token": tokens["access_token"]}).status_code == 200
    assert introspect(world, server, tokens["access_token"])["active"] is True


def test_a_token_for_a_resource_opens_no_userinfo(world: World) -> None:
    _client, tokens = tokens_for(world, world.an_operator(), SEAL)
    assert get_with(world, tokens["access_token"]).status_code == 401


def test_rights_are_those_of_the_instant(world: World) -> None:
    operator = world.an_operator(manage_seals=True)
    server = a_resource_server(world, SEAL)
    _client, tokens = tokens_for(world, operator, SEAL)
    assert introspect(world, server, tokens["access_token"])["mandate"]["manage_seals"] is True
    with world.write() as db:
        db.execute(update(Mandate).where(Mandate.id == operator.mandate.id).values(manage_seals=False))
    assert introspect(world, server, tokens["access_token"])["mandate"]["manage_seals"] is False
    with world.write() as db:
        mandate = db.get_one(Mandate, operator.mandate.id)
        end_mandate(
            db, world.backends.vault, world.backends.trail, mandate, Origin(actor="cli:test"), now=world.now()
        )
    assert introspect(world, server, tokens["access_token"]) == {"active": False}


@pytest.mark.parametrize("auth", ["none", "wrong"])
def test_a_resource_server_proves_itself(world: World, auth: str) -> None:
    server = a_resource_server(world, SEAL)
    _client, tokens = tokens_for(world, world.an_operator(), SEAL)
    asker = AClient(server.client_id, "wrong" if auth == "wrong" else "", "")
    answer = post_as(world, asker, "/oauth/introspect", {"token": tokens["access_token"]})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")
