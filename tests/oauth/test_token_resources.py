"""For whom a token is: `resource` at the token endpoint (RFC 8707), and what userinfo takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_person,
    call,
    claims_of,
    code_for,
    introspect,
    later,
    tokens_for,
)
from tests.oauth.keyholders import a_keyholder
from tests.portals import Authorization, get_with
from tests.world import ISSUER, AClient, Browser, World

SEALS, STAFF = "https://seals.example/api", "https://staff.example/api"


def a_client(world: World) -> AClient:
    return world.a_client(resources=(SEALS, STAFF))


def granted(browser: Browser, client: AClient, resources: Sequence[str]) -> dict[str, Any]:
    """The tokens of a sign-on that asked for these resources."""
    asked = Authorization(client)
    address = asked.address(FOR_LATER) + "".join(f"&resource={each}" for each in resources)
    tokens: dict[str, Any] = asked.redeem(browser, browser.open(address).query["code"]).get_json()
    return tokens


def refreshed(world: World, client: AClient, token: str, resources: Sequence[str]) -> TestResponse:
    named = [("resource", each) for each in resources]
    form = MultiDict([("grant_type", "refresh_token"), ("refresh_token", token), *named])
    return call(world, "/oauth/token", form, headers=client.basic)


def test_a_token_is_for_this_provider_when_nothing_else_was_asked_for(world: World) -> None:
    tokens = tokens_for(a_signed_in_person(world), a_client(world))
    assert claims_of(world, tokens["access_token"])["aud"] == ISSUER
    assert get_with(world, tokens["access_token"]).status_code == 200


def test_a_refresh_narrows_the_audience_and_the_next_one_has_all_of_it_again(world: World) -> None:
    client = a_client(world)
    tokens = granted(a_signed_in_person(world), client, [SEALS, STAFF])
    assert claims_of(world, tokens["access_token"])["aud"] == [SEALS, STAFF]
    one = refreshed(world, client, tokens["refresh_token"], [STAFF]).get_json()
    assert claims_of(world, one["access_token"])["aud"] == STAFF
    both = refreshed(world, client, one["refresh_token"], [STAFF, SEALS]).get_json()
    assert claims_of(world, both["access_token"])["aud"] == [SEALS, STAFF]
    for nothing in ([], [""], ["", ""]):
        both = refreshed(world, client, both["refresh_token"], nothing).get_json()
        assert claims_of(world, both["access_token"])["aud"] == [SEALS, STAFF], "an empty one was not sent"


def test_a_refresh_never_widens_and_a_refusal_spends_nothing(world: World) -> None:
    client = a_client(world)
    tokens = granted(a_signed_in_person(world), client, [SEALS])
    for wrong in ([STAFF], [SEALS, STAFF], ["https://evil.example"], ["", STAFF]):
        answer = refreshed(world, client, tokens["refresh_token"], wrong)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_target"), wrong
    # Long after the grace in which a spent token may be repeated.
    with later(minutes=2):
        answer = refreshed(world, client, tokens["refresh_token"], [SEALS])
    assert answer.status_code == 200
    assert answer.get_json()["refresh_token"] != tokens["refresh_token"]


def test_userinfo_takes_only_tokens_that_name_the_issuer(world: World) -> None:
    client = a_client(world)
    tokens = granted(a_signed_in_person(world), client, [SEALS])
    answer = get_with(world, tokens["access_token"])
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_token")
    assert "/help/errors#4003" in answer.get_json()["error_uri"]
    for resources in ([ISSUER], [SEALS, ISSUER]):
        fresh = refreshed(world, client, tokens["refresh_token"], resources).get_json()
        assert get_with(world, fresh["access_token"]).status_code == 200
        tokens["refresh_token"] = fresh["refresh_token"]
    assert introspect(world, client, tokens["access_token"])["aud"] == SEALS


def test_nothing_but_resource_is_ever_doubled(world: World) -> None:
    client = a_client(world)
    form = MultiDict([("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")])
    answer = call(world, "/oauth/token", form, headers=client.basic)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


class Counted:
    """The ephemeral store, and what it was asked."""

    def __init__(self, store: Any) -> None:
        self.store, self.asked = store, list[str]()

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.store, name)

        def counted(*given: Any, **more: Any) -> Any:
            self.asked += [f"{name} {key.partition(':')[0]}" for key in given[:1]]
            return operation(*given, **more)

        return counted


@pytest.fixture
def counted(world: World) -> Counted:
    platform = world.platform
    store = Counted(platform.store)
    world.app.extensions["idp-platform"] = replace(platform, store=store)
    return store


def test_a_plain_client_pays_no_trip_for_what_others_use(world: World, counted: Counted) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    asked = Authorization(client)
    code = code_for(browser, asked, FOR_LATER)
    counted.asked.clear()
    tokens = asked.redeem(browser, code).get_json()
    assert counted.asked == ["take code", "get code-replayed"]
    counted.asked.clear()
    refreshed(world, client, tokens["refresh_token"], [])
    assert get_with(world, tokens["access_token"]).status_code == 200
    assert counted.asked == []


def test_an_assertion_costs_one_trip(world: World, counted: Counted) -> None:
    client = a_keyholder(world)
    counted.asked.clear()
    client.post(world, "/oauth/token", {"grant_type": "refresh_token", "refresh_token": "x"})
    assert counted.asked == ["put_if_absent assertion"]
