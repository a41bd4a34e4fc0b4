"""Ending a sign-in, a mandate or an account: dead everywhere at once, and every portal is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import select

from idp.access import endings, logout_delivery, logouts
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.outbox import OutboxMessage, deliver_due
from idp.adapters.relying_party import NotReached, RelyingParties
from tests.entering import enter
from tests.portals import Authorization, get_with, post_as
from tests.world import ISSUER, AClient, Browser, World

BACK_CHANNEL = "https://portal.example/backchannel-logout"


def signed_in_portal(world: World, browser: Browser, client: AClient, scope: str) -> dict[str, Any]:
    """Tokens of a client in the browser's sign-in."""
    asked = Authorization(client)
    code = browser.open(asked.address(scope)).query["code"]
    tokens: dict[str, Any] = asked.redeem(browser, code).get_json()
    return tokens


def answering(status: int, received: list[httpx2.Request]) -> Callable[[httpx2.Request], httpx2.Response]:
    """A portal that keeps what it receives and always answers like this."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        received.append(request)
        return httpx2.Response(status)

    return answer


def deliver(world: World, answer: Callable[[httpx2.Request], httpx2.Response], *, after: int = 0) -> int:
    """One round of the worker, `after` seconds from now, against portals that answer like this."""
    parties = RelyingParties(inside_allowed=True, transport=httpx2.MockTransport(answer))
    now = datetime.now(UTC) + timedelta(seconds=after)
    by = {
        logouts.KIND: logout_delivery.deliverer(
            lambda: world.platform.keys, parties, issuer=ISSUER, clock=lambda: now
        )
    }
    return deliver_due(world.backends.database, world.backends.vault, by, now=now)


def logout_claims(world: World, request: httpx2.Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a delivered logout token, verified with the published keys."""
    token = parse_qs(request.content.decode())["logout_token"][0]
    keys = KeySet.import_key_set(world.app.test_client().get("/oauth/jwks", base_url=ISSUER).get_json())
    decoded = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
    return dict(decoded.header), dict(decoded.claims)


def test_signing_out_tells_each_portal_of_the_session_once(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    told_client = world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    silent_client = world.a_client()
    enter(browser, person)
    tokens = signed_in_portal(world, browser, told_client, "openid")
    signed_in_portal(world, browser, told_client, "openid")
    signed_in_portal(world, browser, silent_client, "openid")
    received: list[httpx2.Request] = []
    browser.open("/center/person")
    browser.submit()
    assert deliver(world, answering(200, received)) == 1
    header, claims = logout_claims(world, received[0])
    id_claims = jwt.decode(tokens["id_token"], world.platform.keys.verifying, algorithms=["RS256"]).claims
    assert header["typ"] == "logout+jwt"
    assert (claims["iss"], claims["aud"]) == (ISSUER, told_client.client_id)
    assert (claims["sub"], claims["sid"]) == (id_claims["sub"], id_claims["sid"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in claims
    assert deliver(world, lambda _request: httpx2.Response(200)) == 0


def test_a_portal_that_is_down_is_told_later_with_a_fresh_token(world: World) -> None:
    browser, client = world.browser(), world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    enter(browser, world.a_person())
    signed_in_portal(world, browser, client, "openid")
    browser.open("/center/person")
    browser.submit()
    received: list[httpx2.Request] = []
    assert deliver(world, answering(503, received)) == 1
    assert deliver(world, answering(200, received)) == 0, "it waits first"
    assert deliver(world, answering(204, received), after=6) == 1
    first, second = (logout_claims(world, request)[1] for request in received)
    assert first["jti"] != second["jti"]
    assert first["sid"] == second["sid"]
    with world.reading() as db:
        message = db.scalars(select(OutboxMessage)).one()
        assert message.delivered_at is not None
        assert message.payload_sealed is None


def test_a_logout_token_is_no_id_token_hint(world: World) -> None:
    browser, client = world.browser(), world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    enter(browser, world.a_person())
    signed_in_portal(world, browser, client, "openid")
    browser.open("/center/person")
    browser.submit()
    received: list[httpx2.Request] = []
    deliver(world, answering(200, received))
    token = parse_qs(received[0].content.decode())["logout_token"][0]
    page = world.browser().open(Authorization(client).address("openid", id_token_hint=token))
    assert page.query["error"] == "invalid_request"


def ended_mandate(world: World, mandate: Mandate) -> None:
    with world.write() as db:
        endings.end_mandate(
            db,
            world.backends.vault,
            world.backends.trail,
            db.get_one(Mandate, mandate.id),
            Origin(),
            now=world.now(),
        )


def suspended(world: World, account: Person | Enterprise) -> None:
    with world.write() as db:
        row = db.get_one(type(account), account.id)
        endings.suspend(
            db, world.backends.vault, world.backends.trail, row, Origin(), reason="a test", now=world.now()
        )


@pytest.mark.parametrize("how", ["mandate", "person", "company"])
def test_what_an_operator_held_is_dead_on_the_next_request(world: World, how: str) -> None:
    operator, browser = world.an_operator(), world.browser()
    client = world.a_client(backchannel_logout_uri=BACK_CHANNEL)
    enter(browser, operator)
    tokens = signed_in_portal(world, browser, client, "openid entity offline_access")
    assert get_with(world, tokens["access_token"]).status_code == 200
    if how == "mandate":
        ended_mandate(world, operator.mandate)
    elif how == "person":
        suspended(world, operator.person.row)
    else:
        suspended(world, operator.company.row)
    assert get_with(world, tokens["access_token"]).status_code == 401
    answer = post_as(world, client, "/oauth/introspect", {"token": tokens["access_token"]})
    assert answer.get_json() == {"active": False}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert post_as(world, client, "/oauth/token", refresh).get_json()["error"] == "invalid_grant"
    assert "法人登录" in browser.open("/center/operator").text
    assert deliver(world, lambda _request: httpx2.Response(200)) == 1


def test_the_same_person_keeps_what_rests_on_another_mandate(world: World) -> None:
    person = world.a_person()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    client = world.a_client()
    here, there = world.browser(), world.browser()
    enter(here, first)
    enter(there, second)
    dying = signed_in_portal(world, here, client, "openid entity")
    living = signed_in_portal(world, there, client, "openid entity")
    ended_mandate(world, first.mandate)
    assert get_with(world, dying["access_token"]).status_code == 401
    assert get_with(world, living["access_token"]).status_code == 200


def test_ending_leaves_a_trace_once(world: World) -> None:
    operator = world.an_operator()
    ended_mandate(world, operator.mandate)
    ended_mandate(world, operator.mandate)
    with world.reading() as db:
        events = db.scalars(select(AuditEvent).where(AuditEvent.action == "mandate_ended")).all()
    assert [event.target for event in events] == [f"mandate:{operator.mandate.id}"]


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x", "https://10.0.0.7/x"]
)
def test_an_address_inside_the_network_is_never_called_in_production(address: str) -> None:
    parties = RelyingParties(inside_allowed=False)
    with pytest.raises(NotReached, match="inside this network"):
        parties.post_logout_token(address, "token")


def test_a_redirect_is_not_followed() -> None:
    called: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        called.append(str(request.url))
        return httpx2.Response(302, headers={"Location": "https://elsewhere.example/"})

    parties = RelyingParties(inside_allowed=True, transport=httpx2.MockTransport(answer))
    with pytest.raises(NotReached):
        parties.post_logout_token(BACK_CHANNEL, "token")
    assert called == [BACK_CHANNEL]


def test_signing_in_anew_ends_what_an_idle_browser_left_behind(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    enter(browser, world.a_person())
    tokens = signed_in_portal(world, browser, client, "openid offline_access")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=False):
        browser.sign_in_person(world.a_person())
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert post_as(world, client, "/oauth/token", refresh).get_json()["error"] == "invalid_grant"
