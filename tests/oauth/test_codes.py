"""An authorization code: once, soon, by the one who asked, to the address it was sent to."""

from __future__ import annotations

from sqlalchemy import select

from idp.access.grants import Grant, find_grant, open_grant, redeem_code
from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_operator,
    a_signed_in_person,
    at_once,
    call,
    code_for,
    introspect,
    later,
    payload_of,
    refresh,
    tokens_for,
)
from tests.portals import Authorization, get_with, post_as
from tests.world import AClient, World


def test_a_code_is_redeemed_once(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    code = code_for(browser, asked)
    assert asked.redeem(browser, code).status_code == 200
    assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant"


def test_a_replay_ends_what_the_code_gave(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    asked = Authorization(client)
    code = code_for(browser, asked, FOR_LATER)
    tokens = asked.redeem(browser, code).get_json()
    assert get_with(world, tokens["access_token"]).status_code == 200
    assert asked.redeem(browser, code).status_code == 400
    assert get_with(world, tokens["access_token"]).status_code == 401
    assert introspect(world, client, tokens["access_token"]) == {"active": False}
    assert refresh(world, client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_replay_ends_nothing_else_of_the_same_sign_in(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    kept = tokens_for(browser, client)
    asked = Authorization(client)
    code = code_for(browser, asked)
    asked.redeem(browser, code)
    asked.redeem(browser, code)
    assert get_with(world, kept["access_token"]).status_code == 200


def test_of_sixteen_who_redeem_at_once_one_wins(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    code = code_for(browser, asked, FOR_LATER)
    answers = at_once(16, lambda _number: asked.redeem(browser, code))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 15
    assert {answer.get_json()["error"] for answer in answers if answer.status_code == 400} == {
        "invalid_grant"
    }
    with world.reading() as db:
        assert len(db.scalars(select(Grant)).all()) == 1


def test_a_replay_that_overtakes_the_winner_ends_what_he_is_about_to_get(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    code, store = code_for(browser, Authorization(client)), world.backends.store
    with world.write() as db:
        won = redeem_code(db, store, code, client_id=client.client_id, now=world.now())
        assert won is not None
        assert redeem_code(db, store, code, client_id=client.client_id, now=world.now()) is None
        grant = open_grant(db, store, won, now=world.now()).grant
    with world.reading() as db:
        assert find_grant(db, grant.id, now=world.now()) is None


def test_two_processes_have_one_winner(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    asked = Authorization(client)
    code = code_for(browser, asked)
    with world.rewired() as second:
        apps = (world, second)
        answers = at_once(8, lambda number: asked.redeem(apps[number % 2].browser(), code))
    assert [answer.status_code for answer in answers].count(200) == 1


def test_a_code_lives_for_a_minute(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    early, late = code_for(browser, asked), code_for(browser, asked)
    with later(seconds=55):
        assert asked.redeem(browser, early).status_code == 200
    with later(seconds=61):
        assert asked.redeem(browser, late).get_json()["error"] == "invalid_grant"


def test_a_clock_that_steps_back_revives_no_code(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    code = code_for(browser, asked)
    with later(hours=-1):
        assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant"


def test_another_machines_clock_may_be_a_little_behind(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    code = code_for(browser, asked)
    with later(seconds=-8):
        assert asked.redeem(browser, code).status_code == 200


def test_another_client_gets_nothing_and_spends_the_code(world: World) -> None:
    browser, mine, other = a_signed_in_person(world), world.a_client(), world.a_client()
    asked = Authorization(mine)
    code = code_for(browser, asked)
    values = {"grant_type": "authorization_code", "code": code, "redirect_uri": mine.redirect_uri}
    answer = post_as(world, other, "/oauth/token", {**values, "code_verifier": asked.verifier})
    assert answer.get_json()["error"] == "invalid_grant"
    assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant"


def test_the_redirect_address_must_be_the_one_of_the_request(world: World) -> None:
    registered = ("https://portal.example/callback", "https://portal.example/other")
    client = world.a_client(redirect_uris=registered)
    browser, asked = a_signed_in_person(world), Authorization(client)
    for given in ("", registered[1], registered[0] + "/", "https://evil.example/"):
        code = code_for(browser, asked)
        assert asked.redeem(browser, code, redirect_uri=given).get_json()["error"] == "invalid_grant"
        assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant", "it was spent"


def test_a_code_without_its_verifier_is_spent_for_nothing(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    challenge = asked.address().partition("code_challenge=")[2].partition("&")[0]
    for verifier in ("", "w" * 43, "short", "v" * 129, "é" * 43, " ", "A" * 42, challenge):
        code = code_for(browser, asked)
        answer = asked.redeem(browser, code, code_verifier=verifier)
        assert answer.status_code == 400, verifier
        assert answer.get_json()["error"] in {"invalid_grant", "invalid_request"}, verifier
        assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant", verifier


def test_a_missing_verifier_and_a_doubled_one_are_refused(world: World) -> None:
    client = world.a_client()
    browser, asked = a_signed_in_person(world), Authorization(client)
    values = {
        "grant_type": "authorization_code",
        "code": code_for(browser, asked),
        "redirect_uri": client.redirect_uri,
    }
    assert post_as(world, client, "/oauth/token", values).status_code == 400
    doubled = {**values, "code": code_for(browser, asked), "code_verifier": [asked.verifier, "x" * 43]}
    answer = call(world, "/oauth/token", doubled, headers=client.basic)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_doubled_code_reaches_nobody(world: World) -> None:
    client = world.a_client()
    browser, asked = a_signed_in_person(world), Authorization(client)
    codes = [code_for(browser, asked), code_for(browser, asked)]
    values = {
        "grant_type": "authorization_code",
        "code": codes,
        "redirect_uri": client.redirect_uri,
        "code_verifier": asked.verifier,
    }
    assert call(world, "/oauth/token", values, headers=client.basic).get_json()["error"] == "invalid_request"
    assert asked.redeem(browser, codes[0]).status_code == 200


def test_a_public_client_redeems_by_its_verifier_alone(world: World) -> None:
    client = world.a_client(auth_method="none")
    browser, asked = a_signed_in_person(world), Authorization(client)
    values = {
        "grant_type": "authorization_code",
        "redirect_uri": client.redirect_uri,
        "client_id": client.client_id,
    }
    first = {**values, "code": code_for(browser, asked), "code_verifier": "x" * 43}
    assert call(world, "/oauth/token", first).get_json()["error"] == "invalid_grant"
    second = {**values, "code": code_for(browser, asked), "code_verifier": asked.verifier}
    assert call(world, "/oauth/token", second).status_code == 200


def test_the_code_of_an_ended_sign_in_gives_nothing(world: World) -> None:
    browser, asked = a_signed_in_operator(world), Authorization(world.a_client())
    code = code_for(browser, asked, "openid entity")
    browser.open("/center/operator")
    browser.submit()
    answer = asked.redeem(world.browser(), code)
    assert answer.get_json()["error"] == "invalid_grant"


def test_nothing_else_passes_for_a_code(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    asked = Authorization(client)
    tokens = tokens_for(browser, client)
    session = browser.cookie("idp_session") or ""
    sid = payload_of(tokens["id_token"])["sid"]
    for thing in (session, sid, asked.state, tokens["access_token"], tokens["refresh_token"]):
        assert asked.redeem(browser, thing).get_json()["error"] == "invalid_grant"
    assert refresh(world, client, session).get_json()["error"] == "invalid_grant"


def test_no_token_or_code_opens_a_session(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    code = code_for(browser, Authorization(client))
    for thing in (code, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
        stranger = world.browser()
        stranger.client.set_cookie("idp_session", thing, domain="localhost")
        assert "个人登录" in stranger.open("/center/person").text


def test_unknown_codes_end_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    for code in ("", "x", "x" * 5000, "é", "\ufffd"):
        answer = Authorization(AClient(client.client_id, client.secret)).redeem(browser, code)
        assert answer.get_json()["error"] in {"invalid_grant", "invalid_request"}
    assert get_with(world, tokens["access_token"]).status_code == 200
