"""Refresh tokens: each once, its successor with it, and a family that dies when one is stolen."""

from __future__ import annotations

from sqlalchemy import func, select

from idp.access.clients import Client, announce_change
from idp.access.refresh_tokens import RefreshToken
from idp.accounts.audit import AuditEvent
from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_operator,
    a_signed_in_person,
    at_once,
    call,
    claims_of,
    code_for,
    introspect,
    later,
    payload_of,
    refresh,
    tokens_for,
)
from tests.portals import Authorization, get_with
from tests.world import AClient, World


def is_dead(world: World, client: AClient, token: str) -> bool:
    """Whether a refresh with this token is refused."""
    answer = refresh(world, client, token)
    return answer.status_code == 400 and answer.get_json()["error"] == "invalid_grant"


def test_it_is_given_only_when_asked_for_and_registered(world: World) -> None:
    browser = a_signed_in_person(world)
    client, without = world.a_client(), world.a_client(grant_types=("authorization_code",))
    assert "refresh_token" not in tokens_for(browser, client, "openid")
    assert "refresh_token" in tokens_for(browser, client, FOR_LATER)
    refused = tokens_for(browser, without, FOR_LATER)
    assert "refresh_token" not in refused
    assert refused["scope"] == "openid"
    assert refresh(world, without, "x").get_json()["error"] == "unauthorized_client"


def test_each_refresh_gives_new_tokens_for_the_same_sign_in(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    first = tokens_for(browser, client, "openid entity offline_access")
    before = claims_of(world, first["id_token"])
    with later(seconds=90):
        second = refresh(world, client, first["refresh_token"]).get_json()
        after = claims_of(world, second["id_token"])
        assert len({first["refresh_token"], second["refresh_token"]}) == 2
        assert payload_of(first["access_token"])["jti"] != payload_of(second["access_token"])["jti"]
        assert get_with(world, second["access_token"]).status_code == 200
    for claim in ("iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid", "role", "entity"):
        assert before[claim] == after[claim], claim
    assert after["iat"] > before["iat"]
    assert "nonce" not in after


def test_a_lost_answer_is_given_again_for_half_a_minute(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    successor = refresh(world, client, token).get_json()["refresh_token"]
    with later(seconds=25):
        assert refresh(world, client, token).get_json()["refresh_token"] == successor
    with later(seconds=28):
        assert refresh(world, client, successor).status_code == 200


def test_a_token_that_comes_back_later_kills_the_family(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    first = tokens_for(browser, client)
    second = refresh(world, client, first["refresh_token"]).get_json()
    with later(seconds=31):
        assert is_dead(world, client, first["refresh_token"])
        assert is_dead(world, client, second["refresh_token"])
        for token in (first["access_token"], second["access_token"]):
            assert get_with(world, token).status_code == 401
            assert introspect(world, client, token) == {"active": False}
    with world.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "token_reused")).one()
    assert event.target == f"client:{client.client_id}"


def test_a_token_whose_successor_was_used_kills_the_family_at_once(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    first = tokens_for(browser, client)
    second = refresh(world, client, first["refresh_token"]).get_json()
    third = refresh(world, client, second["refresh_token"]).get_json()
    assert is_dead(world, client, first["refresh_token"])
    assert is_dead(world, client, third["refresh_token"])
    assert get_with(world, third["access_token"]).status_code == 401


def test_the_death_of_one_family_leaves_another_alone(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    kept, lost = tokens_for(browser, client), tokens_for(browser, client)
    refresh(world, client, lost["refresh_token"])
    with later(seconds=31):
        assert is_dead(world, client, lost["refresh_token"])
        assert refresh(world, client, kept["refresh_token"]).status_code == 200


def test_another_client_can_neither_use_nor_end_it(world: World) -> None:
    browser, client, other = a_signed_in_person(world), world.a_client(), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    assert is_dead(world, other, token)
    successor = refresh(world, client, token).get_json()["refresh_token"]
    with later(seconds=31):
        assert is_dead(world, other, token)
        assert refresh(world, client, successor).status_code == 200


def test_sixteen_at_once_get_the_same_successor_and_the_family_lives(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    answers = at_once(16, lambda _number: refresh(world, client, token))
    assert [answer.status_code for answer in answers] == [200] * 16
    successors = {answer.get_json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    with world.reading() as db:
        assert db.scalar(select(func.count()).select_from(RefreshToken)) == 2
    assert refresh(world, client, successors.pop()).status_code == 200


def test_two_processes_give_the_same_successor(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    with world.rewired() as second:
        apps = (world, second)
        answers = at_once(8, lambda number: refresh(apps[number % 2], client, token))
    assert len({answer.get_json()["refresh_token"] for answer in answers}) == 1


def test_a_scope_may_be_narrowed_and_never_widened(world: World) -> None:
    browser, client = a_signed_in_operator(world), world.a_client()
    first = tokens_for(browser, client, "openid entity profile offline_access")
    narrow = refresh(world, client, first["refresh_token"], scope="openid profile").get_json()
    assert narrow["scope"] == "openid profile"
    assert "entity" not in claims_of(world, narrow["id_token"])
    told = get_with(world, narrow["access_token"]).get_json()
    assert {"name", "sub"} <= set(told)
    assert not {"entity", "mandate", "role"} & set(told)
    asked = introspect(world, client, narrow["access_token"])
    assert asked["scope"] == "openid profile"
    assert "entity" not in asked
    for wider in ("openid phone", "openid entity identity", "admin", " "):
        answer = refresh(world, client, narrow["refresh_token"], scope=wider)
        assert answer.get_json()["error"] == "invalid_scope", wider
    whole = refresh(world, client, narrow["refresh_token"]).get_json()
    assert set(whole["scope"].split()) == {"openid", "entity", "profile", "offline_access"}


def test_a_refused_scope_spends_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    assert refresh(world, client, token, scope="openid phone").get_json()["error"] == "invalid_scope"
    with later(seconds=60):
        assert refresh(world, client, token).status_code == 200


def test_without_openid_there_is_no_id_token(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    narrow = refresh(world, client, token, scope="offline_access").get_json()
    assert "id_token" not in narrow
    assert "refresh_token" in narrow


def test_signing_out_ends_every_token_of_the_sign_in(world: World) -> None:
    browser, client, other = a_signed_in_person(world), world.a_client(), world.a_client()
    held = [(client, tokens_for(browser, client)), (other, tokens_for(browser, other))]
    browser.open("/center/person")
    browser.submit()
    for holder, tokens in held:
        assert is_dead(world, holder, tokens["refresh_token"])
        assert get_with(world, tokens["access_token"]).status_code == 401
        assert introspect(world, holder, tokens["access_token"]) == {"active": False}
        assert introspect(world, holder, tokens["refresh_token"]) == {"active": False}


def test_an_idle_browser_does_not_end_what_a_portal_may_refresh(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    with later(minutes=31):
        assert "个人登录" in browser.open("/center/person").text
        assert refresh(world, client, token).status_code == 200


def test_a_client_that_lost_the_grant_cannot_refresh(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["refresh_token"]
    with world.write() as db:
        db.get_one(Client, client.client_id).grant_types = ["authorization_code"]
    announce_change(world.backends.store)
    assert refresh(world, client, token).get_json()["error"] == "unauthorized_client"


def test_a_public_client_refreshes_with_its_name_alone(world: World) -> None:
    client, other = world.a_client(auth_method="none"), world.a_client(auth_method="none")
    token = public_tokens(world, client)["refresh_token"]
    values = {"grant_type": "refresh_token", "refresh_token": token}
    stolen = call(world, "/oauth/token", {**values, "client_id": other.client_id})
    assert stolen.get_json()["error"] == "invalid_grant"
    assert call(world, "/oauth/token", {**values, "client_id": client.client_id}).status_code == 200


def public_tokens(world: World, client: AClient) -> dict[str, str]:
    """The tokens of a public client's sign-on."""
    asked = Authorization(client)
    values = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "code": code_for(a_signed_in_person(world), asked, FOR_LATER),
        "code_verifier": asked.verifier,
    }
    tokens: dict[str, str] = call(world, "/oauth/token", values).get_json()
    return tokens


def test_what_is_no_refresh_token_is_refused(world: World) -> None:
    client = world.a_client()
    for token in ("", "x", "é", "x" * 9000, "\ufffd"):
        assert is_dead(world, client, token)
