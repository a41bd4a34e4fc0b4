"""Userinfo tells what the scope allows, to the clients that may know it; and whom `sub` names."""

from __future__ import annotations

from datetime import datetime

from idp.access.clients import Client, announce_change
from tests.entering import enter
from tests.oauth.asking import (
    UNIT,
    a_signed_in_operator,
    a_signed_in_person,
    call,
    claims_of,
    introspect,
    refresh,
    tokens_for,
)
from tests.portals import get_with
from tests.world import ISSUER, AClient, World


def told(world: World, token: str) -> dict[str, object]:
    found: dict[str, object] = get_with(world, token).get_json()
    return found


def test_each_scope_opens_its_own_claims(world: World) -> None:
    operator = world.an_operator(manage_seals=True)
    browser, client = a_signed_in_operator(world, operator), world.a_client()
    expected = {
        "openid entity": {"sub", "role", "entity", "mandate"},
        "openid entity profile": {"sub", "role", "entity", "mandate", "name", "preferred_username"},
        "openid entity phone": {"sub", "role", "entity", "mandate", "phone_number_masked"},
        "openid entity identity": {"sub", "role", "entity", "mandate", "id_type", "id_number"},
    }
    for scope, names in expected.items():
        assert set(told(world, tokens_for(browser, client, scope)["access_token"])) == names, scope
    mandate = told(world, tokens_for(browser, client, "openid entity")["access_token"])["mandate"]
    assert isinstance(mandate, dict)
    first, last = (datetime.fromisoformat(mandate[name]) for name in ("valid_from", "valid_until"))
    assert first.tzinfo is not None
    assert first < world.now() < last
    assert (mandate["manage_seals"], mandate["manage_operators"]) == (True, False)


def test_a_natural_person_has_neither_company_nor_mandate(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    claims = told(world, tokens_for(browser, world.a_client(), "openid profile")["access_token"])
    assert set(claims) == {"sub", "name", "preferred_username"}
    assert (claims["name"], claims["preferred_username"]) == (person.name, person.account)


def test_only_a_client_so_allowed_sees_the_whole_phone(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    whole, masked = world.a_client(full_phone=True), world.a_client()
    claims = told(world, tokens_for(browser, whole, "openid phone")["access_token"])
    assert claims["phone_number"] == f"+86{person.phone}"
    assert "phone_number_masked" not in claims
    claims = told(world, tokens_for(browser, masked, "openid phone")["access_token"])
    assert claims["phone_number_masked"] == f"{person.phone[:3]}****{person.phone[-4:]}"
    assert person.phone not in str(claims)


def test_a_scope_taken_from_a_client_is_gone_on_the_next_request(world: World) -> None:
    operator = world.an_operator()
    browser, client = a_signed_in_operator(world, operator), world.a_client(full_phone=True)
    token = tokens_for(browser, client, UNIT)["access_token"]
    assert {"id_number", "phone_number"} <= set(told(world, token))
    with world.write() as db:
        row = db.get_one(Client, client.client_id)
        row.scopes, row.full_phone = ["openid", "entity", "phone"], False
    announce_change(world.backends.store)
    claims = told(world, token)
    assert not {"id_number", "id_type", "name", "phone_number"} & set(claims)
    assert "phone_number_masked" in claims


def test_a_removed_client_has_nothing_left(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client, "openid")["access_token"]
    with world.write() as db:
        db.delete(db.get_one(Client, client.client_id))
    announce_change(world.backends.store)
    assert get_with(world, token).status_code == 401


def test_a_token_may_come_in_a_header_or_a_form_and_nowhere_else(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client, "openid")["access_token"]
    plain = world.app.test_client(use_cookies=False)
    assert call(world, "/oauth/userinfo", {"access_token": token}).status_code == 200
    assert plain.get(f"/oauth/userinfo?access_token={token}", base_url=ISSUER).status_code == 401
    assert browser.open("/oauth/userinfo").status == 401, "a browser's session is no token"


def test_a_token_is_sent_in_one_way(world: World) -> None:
    token = tokens_for(a_signed_in_person(world), world.a_client(), "openid")["access_token"]
    for scheme in ("Bearer", "DPoP"):
        headers = {"Authorization": f"{scheme} {token}"}
        answer = call(world, "/oauth/userinfo", {"access_token": token}, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request"), scheme
        assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


def test_a_token_without_openid_opens_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client, "openid profile offline_access")
    narrow = refresh(world, client, tokens["refresh_token"], scope="profile").get_json()
    answer = get_with(world, narrow["access_token"])
    assert (answer.status_code, answer.get_json()["error"]) == (403, "insufficient_scope")
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="openid"' in challenge


def test_without_a_token_the_answer_says_how_to_bring_one(world: World) -> None:
    broken = ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer é", "Bearer x y", "bearer null")
    for header in broken:
        headers = {"Authorization": header} if header else {}
        answer = world.app.test_client().get("/oauth/userinfo", base_url=ISSUER, headers=headers)
        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer "), header
        assert answer.mimetype == "application/json", header


def subjects(world: World, *clients: AClient) -> list[object]:
    """The `sub` of one person towards each of these clients."""
    browser = a_signed_in_person(world)
    found: list[object] = []
    for client in clients:
        tokens = tokens_for(browser, client, "openid")
        seen = {
            told(world, tokens["access_token"])["sub"],
            claims_of(world, tokens["id_token"])["sub"],
            claims_of(world, tokens["access_token"])["sub"],
            introspect(world, client, tokens["access_token"])["sub"],
        }
        assert len(seen) == 1
        found += seen
    return found


def test_the_subject_differs_by_sector_and_is_one_within(world: World) -> None:
    here = world.a_client()
    same_host = world.a_client(redirect_uris=("https://portal.example/other",))
    elsewhere = world.a_client(redirect_uris=("https://other.example/callback",))
    joined = world.a_client(redirect_uris=("https://third.example/callback",), sector="portal.example")
    first, second, third, fourth = subjects(world, here, same_host, elsewhere, joined)
    assert first == second == fourth
    assert first != third


def test_a_public_subject_is_the_same_for_all_who_ask_for_it(world: World) -> None:
    pairwise = world.a_client()
    one = world.a_client(subject_type="public")
    two = world.a_client(subject_type="public", redirect_uris=("https://other.example/callback",))
    first, second, third = subjects(world, one, two, pairwise)
    assert first == second
    assert first != third


def test_two_people_never_share_a_subject(world: World) -> None:
    client = world.a_client()
    assert subjects(world, client) != subjects(world, client)


def test_the_subject_is_the_human_in_every_capacity(world: World) -> None:
    person, client = world.a_person(), world.a_client()
    operators = [world.an_operator(person=person), world.an_operator(person=person)]
    seen = set()
    for operator in operators:
        token = tokens_for(a_signed_in_operator(world, operator), client, "openid entity")["access_token"]
        seen.add(told(world, token)["sub"])
    browser = world.browser()
    enter(browser, person)
    seen.add(told(world, tokens_for(browser, client, "openid")["access_token"])["sub"])
    assert len(seen) == 1
