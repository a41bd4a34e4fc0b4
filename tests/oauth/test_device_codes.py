"""The device's side of RFC 8628: asking, polling, one answer, and what it is worth."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from idp.access.grants import Grant
from idp.access.profiles import DEVICE_GRANT
from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    at_once,
    call,
    introspect,
    later,
    payload_of,
    refresh,
)
from tests.oauth.devices import ADevice, a_device, a_device_client, allow, changed, type_code
from tests.oauth.keyholders import ADpopKey
from tests.portals import get_with
from tests.world import ISSUER, AClient, World

FOR_LATER = "openid entity offline_access"


def refusal(device: ADevice, **more: str) -> str:
    """The error of a poll."""
    answer = device.polls(**more)
    assert answer.status_code == 400, answer.get_json()
    assert answer.get_json()["error_uri"].startswith(f"{ISSUER}/help/errors#")
    error: str = answer.get_json()["error"]
    return error


def test_a_device_is_told_two_codes(world: World) -> None:
    told = a_device(world).told
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", told["user_code"])
    assert len(told["device_code"]) >= 43
    assert told["verification_uri"] == f"{ISSUER}/device"
    assert told["verification_uri_complete"] == f"{ISSUER}/device?user_code={told['user_code']}"
    assert (told["expires_in"], told["interval"]) == (600, 5)


def test_a_device_gets_tokens_once_somebody_allowed_it(world: World) -> None:
    operator = world.an_operator(manage_seals=True)
    browser, device = a_signed_in_operator(world, operator), a_device(world, FOR_LATER)
    assert refusal(device) == "authorization_pending"
    allow(browser, device)
    with later(seconds=6):
        answer = device.polls()
        tokens = answer.get_json()
        assert answer.status_code == 200, tokens
        assert answer.headers["Cache-Control"] == "no-store"
        claims = payload_of(tokens["id_token"])
        assert (claims["role"], claims["entity"]["uscc"]) == ("operator", operator.company.uscc)
        assert "nonce" not in claims
        assert get_with(world, tokens["access_token"]).get_json()["mandate"]["manage_seals"] is True
        assert refresh(world, device.client, tokens["refresh_token"]).status_code == 200


def test_who_polls_too_fast_is_slowed_down_for_good(world: World) -> None:
    device = a_device(world)
    assert refusal(device) == "authorization_pending"
    assert refusal(device) == "slow_down"
    with later(seconds=6):
        assert refusal(device) == "slow_down", "ten seconds now"
    with later(seconds=6 + 16):
        assert refusal(device) == "authorization_pending"
    with later(seconds=6 + 16 + 12):
        assert refusal(device) == "slow_down", "the interval is kept"


def test_of_sixteen_polls_of_two_processes_at_once_one_gets_the_tokens_and_they_live(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    allow(browser, device)
    with world.rewired() as other:
        processes = (device, ADevice(other, device.client, told=device.told))
        answers = at_once(16, lambda number: processes[number % 2].polls())
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15
    assert {answer.get_json()["error"] for answer in answers if answer.status_code == 400} == {"slow_down"}
    won = next(answer.get_json() for answer in answers if answer.status_code == 200)
    assert get_with(world, won["access_token"]).status_code == 200, "asking twice costs a device nothing"
    with world.reading() as db:
        assert len(db.scalars(select(Grant)).all()) == 1


def test_a_device_code_that_comes_back_ends_what_it_gave(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world, "openid offline_access")
    allow(browser, device)
    tokens = device.polls().get_json()
    with later(seconds=20):
        assert get_with(world, tokens["access_token"]).status_code == 200
        assert refusal(device) == "invalid_grant"
        assert get_with(world, tokens["access_token"]).status_code == 401
        assert refresh(world, device.client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_code_that_comes_back_at_once_ends_what_it_gave_with_the_next_poll_in_time(world: World) -> None:
    """Two polls on the way together are one device's; whoever holds a code and nothing else gains nothing."""
    browser, device = a_signed_in_person(world), a_device(world)
    allow(browser, device)
    tokens = device.polls().get_json()
    assert refusal(device) == "slow_down"
    assert get_with(world, tokens["access_token"]).status_code == 200
    with later(seconds=11):
        assert refusal(device) == "invalid_grant"
        assert get_with(world, tokens["access_token"]).status_code == 401


def test_it_is_remembered_as_spent_for_as_long_as_its_tokens_live(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world, "openid offline_access")
    allow(browser, device)
    tokens = device.polls().get_json()
    with later(hours=1):
        assert refusal(device) == "invalid_grant"
        assert introspect(world, device.client, tokens["refresh_token"]) == {"active": False}


def test_a_refusal_is_heard_and_stays(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    type_code(browser, device.user_code)
    browser.submit({"decision": "deny"})
    assert refusal(device) == "access_denied"
    with later(seconds=20):
        assert refusal(device) == "access_denied"


def test_a_code_ends_after_ten_minutes_whatever_was_decided(world: World) -> None:
    browser, waiting, decided = a_signed_in_person(world), a_device(world), a_device(world)
    allow(browser, decided)
    with later(seconds=601):
        assert refusal(waiting) == "expired_token"
        assert refusal(decided) == "expired_token"


def test_a_clock_set_back_revives_nothing(world: World) -> None:
    with later(seconds=300):
        device = a_device(world)
    assert refusal(device) == "expired_token"


def test_a_sign_in_that_ended_before_gives_nothing(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    allow(browser, device)
    page = browser.open("/center/person/sessions")
    browser.post("/sign-out", {"csrf_token": page.form()["fields"]["csrf_token"]})
    assert refusal(device) == "invalid_grant"


def test_signing_out_afterwards_ends_the_device_too(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    allow(browser, device)
    tokens = device.polls().get_json()
    page = browser.open("/center/person/sessions")
    browser.post("/sign-out", {"csrf_token": page.form()["fields"]["csrf_token"]})
    assert get_with(world, tokens["access_token"]).status_code == 401


def test_another_client_gets_nothing_and_spends_nothing(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    thief = ADevice(world, a_device_client(world), told=device.told)
    allow(browser, device)
    assert refusal(thief) == "invalid_grant"
    assert device.polls().status_code == 200


def test_a_code_is_bound_to_the_key_that_was_proved_first(world: World) -> None:
    browser, key = a_signed_in_person(world), ADpopKey()
    client = a_device_client(world, auth_method="none")
    at_the_start, at_the_poll = ADevice(world, client, key), ADevice(world, client)
    for device in (at_the_start, at_the_poll):
        device.asks("openid offline_access")
        device.dpop = key
        assert refusal(device) == "authorization_pending"
        allow(browser, device)
    with later(seconds=10):
        for device in (at_the_start, at_the_poll):
            for other in (None, ADpopKey()):
                device.dpop = other
                assert refusal(device) == "invalid_grant"
            device.dpop = key
            tokens = device.polls().get_json()
            assert tokens["token_type"] == "DPoP"
            assert payload_of(tokens["access_token"])["cnf"] == {"jkt": key.jkt}


def test_a_device_may_name_resources(world: World) -> None:
    resource, other = "https://seal.example/api", "https://hr.example/api"
    browser = a_signed_in_person(world)
    client = a_device_client(world, resources=(resource, other))
    device = ADevice(world, client)
    assert device.asks(resource="https://evil.example/").get_json()["error"] == "invalid_target"
    assert device.asks(resource=["", resource]).status_code == 200
    allow(browser, device)
    assert refusal(device, resource=other) == "invalid_target"
    with later(seconds=6):
        answer = device.polls(resource="")
        assert payload_of(answer.get_json()["access_token"])["aud"] == resource


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": "openid identity"}, "invalid_scope"),
        ({"scope": "openid", "entity": "91990100MA0000001X"}, "invalid_request"),
        ({"scope": "openid entity", "entity": "x"}, "invalid_request"),
        ({"scope": "openid", "max_age": "-1"}, "invalid_request"),
        ({"scope": "openid", "acr_values": "urn:idp:loa:3"}, "unmet_authentication_requirements"),
        ({"scope": "openid " + "x" * 1000}, "invalid_request"),
    ],
)
def test_what_would_be_refused_is_refused_before_anybody_types(
    world: World, asked: dict[str, str], error: str
) -> None:
    device = ADevice(world, a_device_client(world, scopes=("openid", "profile", "entity")))
    answer = device.asks(**asked)
    assert (answer.status_code, answer.get_json()["error"]) == (400, error)


def test_only_clients_registered_for_it_begin(world: World) -> None:
    client = world.a_client()
    assert ADevice(world, client).asks().get_json()["error"] == "unauthorized_client"
    nobody = AClient("nobody", "x", "")
    assert ADevice(world, nobody).asks().get_json()["error"] == "invalid_client"
    polled = ADevice(world, client, told={"device_code": "x"})
    assert refusal(polled) == "unauthorized_client"


def test_a_client_that_must_sign_its_requests_cannot_begin_with_an_unsigned_one(world: World) -> None:
    client = a_device_client(world)
    changed(world, client, require_signed_requests=True)
    assert ADevice(world, client).asks().get_json()["error"] == "unauthorized_client"


def test_a_device_code_is_no_other_kind_of_secret(world: World) -> None:
    device = a_device(world)
    for code in ("", "x", "é", device.user_code, "x" * 5000):
        polled = ADevice(world, device.client, told={"device_code": code})
        assert refusal(polled) in {"invalid_grant", "invalid_request"}, code
    missing = call(world, "/oauth/token", {"grant_type": DEVICE_GRANT}, headers=device.client.basic)
    assert missing.get_json()["error"] == "invalid_request"
    code = device.told["device_code"]
    for form in (
        {"grant_type": "authorization_code", "code": code, "redirect_uri": "", "code_verifier": "x" * 43},
        {"grant_type": "refresh_token", "refresh_token": code},
    ):
        assert call(world, "/oauth/token", form, headers=device.client.basic).status_code == 400
    assert refusal(device) == "authorization_pending"
