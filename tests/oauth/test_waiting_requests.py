"""A request that waits is answered by the registration of its client as it is then, not as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.oauth.asking import a_signed_in_operator, a_signed_in_person, payload_of, refused_with
from tests.oauth.devices import ALLOWED, a_device, changed, type_code
from tests.oauth.keyholders import a_keyholder
from tests.oauth.test_par import opened, pushed
from tests.oauth.test_request_objects import address_of, authorization_of, params_of
from tests.portals import Authorization, get_with
from tests.world import ISSUER, AClient, Page, World

SEALS, STAMPS = "https://seal.example/api", "https://stamps.example/api"
GONE = "这个代码已经失效"


def test_scopes_and_claims_taken_meanwhile_are_not_given(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client(first_party=False)
    asked, both = Authorization(client), {"phone_number": None, "name": None}
    waiting = browser.open(
        asked.address("openid profile phone identity", claims=json.dumps({"id_token": both}))
    ).url
    changed(world, client, scopes=["openid", "profile"])
    page = browser.sign_in_person(person, at=waiting)
    assert page.url.startswith("/oauth/consent")
    assert "手机号码" not in page.text
    assert "证件" not in page.text
    page = browser.submit({"decision": "allow"})
    # What comes back to the client later was not agreed to.
    changed(world, client, scopes=["openid", "profile", "phone", "identity"])
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert tokens["scope"] == "openid profile"
    claims = {**get_with(world, tokens["access_token"]).get_json(), **payload_of(tokens["id_token"])}
    assert "name" in claims
    assert not {"phone_number", "id_number"} & set(claims)


def test_resources_taken_meanwhile_are_not_given(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(first_party=False, resources=(SEALS, STAMPS))
    asked = Authorization(client)
    browser.open(asked.address("openid", resource=SEALS) + "&resource=" + STAMPS)
    changed(world, client, resources=[STAMPS])
    page = browser.submit({"decision": "allow"})
    changed(world, client, resources=[SEALS, STAMPS])
    token = asked.redeem(browser, page.query["code"]).get_json()["access_token"]
    assert payload_of(token)["aud"] in (STAMPS, [STAMPS])
    browser.open(asked.address("openid", resource=SEALS, prompt="consent"))
    changed(world, client, resources=[STAMPS])
    assert refused_with(browser.submit({"decision": "allow"})) == ("invalid_target", True)


NEEDED: dict[str, tuple[dict[str, Any], str, int]] = {
    "openid": ({"scopes": ["profile", "entity"]}, "invalid_scope", 1109),
    "entity": ({"scopes": ["openid", "profile"]}, "invalid_scope", 1109),
    "codes": ({"grant_types": ["client_credentials"]}, "unauthorized_client", 1105),
    "not pushed": ({"require_par": True}, "invalid_request", 1203),
    "fapi2": ({"profile": "fapi2"}, "invalid_request", 1203),
    "not signed": ({"require_signed_requests": True}, "invalid_request", 1204),
}


@pytest.mark.parametrize("case", list(NEEDED))
def test_what_a_request_cannot_do_without_refuses_it_at_the_client(world: World, case: str) -> None:
    taken, error, number = NEEDED[case]
    operator, client = world.an_operator(), world.a_client(first_party=False)
    question = a_signed_in_operator(world, operator)
    question.open(Authorization(client).address("openid entity", state="kept"))
    signing_in, silent = world.browser(), a_signed_in_operator(world, operator)
    waiting = signing_in.open(Authorization(client).address("openid entity", state="kept")).url
    reopened = silent.open(Authorization(client).address("openid entity", state="kept")).url
    changed(world, client, **taken)
    for page in (
        question.submit({"decision": "allow"}),
        signing_in.sign_in_operator(operator, at=waiting.replace("/login/legal", "/login/operator")),
        silent.open(reopened),
    ):
        assert_refused(page, client, error, number)
    assert not silent.open(reopened).location, "it waits no longer"


def assert_refused(page: Page, client: AClient, error: str, number: int) -> None:
    assert page.location.startswith(client.redirect_uri + "?"), page.text
    assert refused_with(page) == (error, True)
    assert page.query["state"] == "kept"
    assert page.query["error_uri"] == f"{ISSUER}/help/errors#{number}"


def test_a_pushed_request_is_answered_by_the_registration_of_its_answer(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_operator(world)
    asked = Authorization(client, state="kept")
    lost, unsigned = pushed(world, asked, "openid entity"), pushed(world, asked, "openid entity")
    changed(world, client, require_par=True)
    assert "code" in browser.open(opened(client.client_id, pushed(world, asked, "openid entity"))).query
    changed(world, client, scopes=["openid"])
    assert_refused(browser.open(opened(client.client_id, lost)), client, "invalid_scope", 1109)
    changed(world, client, scopes=["openid", "entity"], require_signed_requests=True)
    assert_refused(browser.open(opened(client.client_id, unsigned)), client, "invalid_request", 1204)


def test_what_was_pushed_or_signed_goes_on_when_all_must_be(world: World) -> None:
    holder, person, browser = a_keyholder(world), world.a_person(), world.browser()
    asked = authorization_of(holder)
    waiting = browser.open(address_of(holder, holder.signed_request(params_of(asked)))).url
    changed(world, asked.client, require_signed_requests=True)
    assert "code" in browser.sign_in_person(person, at=waiting).query
    client, other = world.a_client(), world.browser()
    waiting = other.open(opened(client.client_id, pushed(world, Authorization(client)))).url
    changed(world, client, require_par=True)
    assert "code" in other.sign_in_person(person, at=waiting).query


def test_a_device_is_not_offered_what_its_client_lost(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world, "openid profile phone")
    page = type_code(browser, device.user_code)
    assert "手机号码" in page.text
    changed(world, device.client, scopes=["openid", "profile"])
    assert "手机号码" not in browser.open(page.url).text
    assert ALLOWED in browser.submit({"decision": "allow"}).text
    assert device.polls().get_json()["scope"] == "openid profile"


def test_a_device_whose_client_lost_what_it_needs_is_not_asked_about(world: World) -> None:
    browser, device = a_signed_in_person(world), a_device(world)
    page = type_code(browser, device.user_code)
    changed(world, device.client, scopes=["profile"])
    assert GONE in browser.submit({"decision": "allow"}).text
    assert GONE in browser.open(page.url).text
    assert device.polls().get_json()["error"] == "authorization_pending"
