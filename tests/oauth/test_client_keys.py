"""Keys behind a `jwks_uri`: fetched seldom, kept through an outage; and nothing else is ever fetched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from idp.access.clients import Client, announce_change
from tests.adapters.loopback import Answer, Served, a_server
from tests.oauth.asking import at_once, later
from tests.oauth.keyholders import AKeyholder, a_key, a_keyholder, public_jwk
from tests.world import World

FORM = {"grant_type": "refresh_token", "refresh_token": "x"}


def key_set(*holders: AKeyholder) -> Answer:
    return Answer(json.dumps({"keys": [public_jwk(each.key, kid=each.kid) for each in holders]}).encode())


class Hesitant(Answer):
    """An answer that takes its time."""

    def __init__(self, body: bytes, arrived: threading.Barrier, go_on: threading.Event) -> None:
        super().__init__(body)
        self.arrived, self.go_on = arrived, go_on

    def wait(self) -> None:
        self.arrived.wait(10)
        self.go_on.wait(10)


class Partner:
    """A client with a key set at an address of its own, in an installation that may call this machine."""

    def __init__(self, world: World, stack: ExitStack) -> None:
        self.client = a_keyholder(world)
        self.world = stack.enter_context(world.rewired(mode="demo"))
        self.served: Served = stack.enter_context(a_server(key_set(self.client)))
        self.register(world, self.served.address)

    def register(self, world: World, address: str) -> None:
        """Put the address into the registration, which takes none on loopback."""
        with world.write() as db:
            row = db.get_one(Client, self.client.client_id)
            row.jwks, row.jwks_uri = None, address
        announce_change(world.backends.store)

    def is_known(self, holder: AKeyholder | None = None) -> bool:
        answer = (holder or self.client).post(self.world, "/oauth/token", FORM)
        return bool(answer.get_json()["error"] != "invalid_client")

    def another_key(self, kid: str) -> AKeyholder:
        return AKeyholder(self.client.client_id, a_key(), kid=kid)


@pytest.fixture
def partner(world: World) -> Iterator[Partner]:
    with ExitStack() as stack:
        yield Partner(world, stack)


def test_a_key_set_is_fetched_once_and_kept_for_five_minutes(partner: Partner) -> None:
    assert partner.is_known()
    assert partner.is_known()
    with later(minutes=4):
        assert partner.is_known()
    assert len(partner.served.asked) == 1
    with later(minutes=6):
        assert partner.is_known()
        assert partner.is_known()
    assert len(partner.served.asked) == 2


def test_a_new_name_of_a_key_fetches_again_once_a_minute_at_most(partner: Partner) -> None:
    second = partner.another_key("second")
    assert partner.is_known()
    partner.served.answer = key_set(partner.client, second)
    assert not partner.is_known(second), "the minute is not over"
    with later(seconds=61):
        assert partner.is_known(second)
        for number in range(20):
            assert not partner.is_known(partner.another_key(f"made up {number}"))
        assert partner.is_known()
    assert len(partner.served.asked) == 2


def test_a_key_taken_away_is_gone_after_five_minutes(partner: Partner) -> None:
    assert partner.is_known()
    partner.served.answer = key_set(partner.another_key("second"))
    with later(minutes=6):
        assert not partner.is_known()


def test_an_outage_is_bridged_for_an_hour(partner: Partner) -> None:
    assert partner.is_known()
    right = partner.served.answer
    for broken in (Answer(b"", status=503), Answer(b"no JSON"), Answer(b"[]"), Answer(b'{"keys": 1}')):
        partner.served.answer = broken
        with later(minutes=30):
            assert partner.is_known(), broken
    with later(minutes=61):
        assert not partner.is_known()
    partner.served.answer = right
    with later(minutes=63):
        assert partner.is_known()


def test_a_server_that_fails_is_asked_once_a_minute(partner: Partner) -> None:
    partner.served.answer = Answer(b"", status=503)
    for _ in range(5):
        assert not partner.is_known()
    assert len(partner.served.asked) == 1


def test_callers_at_once_wait_for_one_fetch(partner: Partner) -> None:
    assert all(at_once(2, lambda _: partner.is_known()))
    assert len(partner.served.asked) == 1


def test_a_slow_server_holds_up_two_callers_at_most(world: World, partner: Partner) -> None:
    assert partner.is_known()
    arrived, go_on = threading.Barrier(3), threading.Event()
    with ExitStack() as stack:
        others = [Partner(world, stack) for _ in range(3)]
        for other in others:
            other.world = partner.world
        for other in others[:2]:
            other.served.answer = Hesitant(other.served.answer.body, arrived, go_on)
        waiting = [threading.Thread(target=other.is_known) for other in others[:2]]
        for thread in waiting:
            thread.start()
        arrived.wait(10)
        assert partner.is_known(), "his keys are here"
        assert not others[2].is_known(), "refused at once, not kept waiting"
        assert others[2].served.asked == []
        go_on.set()
        for thread in waiting:
            thread.join(10)
        assert others[2].is_known()


def test_a_set_of_unusable_keys_is_a_set_of_none(partner: Partner) -> None:
    unusable: list[Any] = [1, {}, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, {"kty": []}]
    partner.served.answer = Answer(json.dumps({"keys": unusable}).encode())
    assert not partner.is_known()
    with later(seconds=61):
        partner.served.answer = Answer(
            json.dumps({"keys": [*unusable, *partner.client.jwks["keys"]]}).encode()
        )
        assert partner.is_known(), "and does not spoil the others"


def test_in_production_nothing_inside_is_called(world: World, partner: Partner) -> None:
    answer = partner.client.post(world, "/oauth/token", FORM)
    assert answer.get_json()["error"] == "invalid_client"
    assert partner.served.asked == []


def test_nothing_that_a_token_or_request_names_is_fetched(partner: Partner) -> None:
    """Not `jku` nor `x5u` of an assertion, a proof or a request object, nor a request_uri."""
    with a_server(key_set(partner.client)) as canary:
        named = {"jku": canary.address, "x5u": canary.address, "kid": canary.address}
        world, client = partner.world, partner.client
        for header in (named, {**named, "kid": "first"}):
            client.post(world, "/oauth/token", {**FORM, **client.proved(header=header)})
        browser = world.browser()
        params = {"response_type": "code", "scope": "openid", "redirect_uri": client.redirect_uri}
        for more in (
            {"request_uri": canary.address},
            {"request": client.signed_request(params, header=named)},
        ):
            pushed = {**params, "client_id": client.client_id, **more}
            browser.open("/oauth/authorize", query_string=pushed, follow=False)
            client.post(world, "/oauth/par", pushed)
        assert canary.asked == []
