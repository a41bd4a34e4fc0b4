"""RP-initiated logout: at once when the portal proves of which sign-in it speaks, else when confirmed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.oauth.asking import a_signed_in_person, introspect, later, refresh, tokens_for
from tests.portals import Authorization, get_with
from tests.world import AClient, Browser, Page, World

BACK = "https://portal.example/signed-out"
CROSS_SITE = {"Origin": "https://portal.example", "Sec-Fetch-Site": "cross-site"}


def logout(browser: Browser, **values: str) -> Page:
    return browser.open("/oauth/logout?" + urlencode(values), follow=False)


def is_signed_in(browser: Browser) -> bool:
    return "个人登录" not in browser.open("/center/person").text


def all_dead(world: World, client: AClient, tokens: dict[str, Any]) -> bool:
    return (
        get_with(world, tokens["access_token"]).status_code == 401
        and introspect(world, client, tokens["refresh_token"]) == {"active": False}
        and refresh(world, client, tokens["refresh_token"]).status_code == 400
    )


def test_with_a_hint_of_this_sign_in_it_ends_at_once(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    page = logout(browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK, state="a b&c=中")
    assert page.status == 303
    assert page.location.startswith(BACK + "?")
    assert page.query == {"state": "a b&c=中"}
    assert not is_signed_in(browser)
    assert all_dead(world, client, tokens)


def test_an_expired_hint_still_names_the_sign_in(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    with later(minutes=20):
        assert logout(browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK).location == (
            BACK
        )
        assert all_dead(world, client, tokens)


def test_a_browser_that_was_idle_still_ends_what_its_portal_holds(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    with later(minutes=40):
        page = logout(browser, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK)
        assert page.location == BACK
        assert all_dead(world, client, tokens)


def test_an_id_token_alone_ends_nothing_from_another_browser(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    logout(world.browser(), id_token_hint=tokens["id_token"], post_logout_redirect_uri=BACK)
    assert is_signed_in(browser)
    assert get_with(world, tokens["access_token"]).status_code == 200


def test_another_sites_post_becomes_a_get_that_carries_cookies(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    values = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BACK, "state": "s"}
    # SameSite=Lax: the browser keeps its cookies from such a POST.
    stranger = world.browser().post("/oauth/logout", values, follow=False, headers=CROSS_SITE)
    assert stranger.status == 303
    assert stranger.location.startswith("/oauth/logout?")
    page = browser.open(stranger.location, follow=False)
    assert page.location == f"{BACK}?state=s"
    assert all_dead(world, client, tokens)


@pytest.mark.parametrize("hint", [False, True])
def test_without_proof_it_asks_first(world: World, hint: bool) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    values = {"client_id": client.client_id, "post_logout_redirect_uri": BACK, "state": "s"}
    if hint:
        other = world.browser()
        enter(other, world.a_person())
        values["id_token_hint"] = tokens_for(other, client)["id_token"]
    page = logout(browser, **values)
    assert page.status == 200
    assert is_signed_in(browser)
    logout(browser, **values)
    page = browser.submit(follow=False)
    assert page.location == f"{BACK}?state=s"
    assert not is_signed_in(browser)


def test_another_site_cannot_confirm_for_the_person(world: World) -> None:
    browser = a_signed_in_person(world)
    browser.post("/oauth/logout", {"confirm": "1"}, headers=CROSS_SITE)
    assert is_signed_in(browser)
    form = browser.open("/oauth/logout").form()["fields"]
    browser.post("/oauth/logout", {**form, "csrf_token": "x"})
    assert is_signed_in(browser)
    browser.post("/oauth/logout", form, headers=CROSS_SITE)
    assert is_signed_in(browser)


UNREGISTERED = [
    "https://evil.example/",
    "https://portal.example/signed-out/",
    "https://portal.example/signed-out?x=1",
    "https://portal.example/signed-out#x",
    "https://portal.example/callback",
    "https://portal.example@evil.example/signed-out",
    "http://portal.example/signed-out",
    "https://PORTAL.example/signed-out",
    "//portal.example/signed-out",
    "javascript:alert(1)",
    "https://portal.example/signed-out\n",
]


def test_nobody_is_sent_to_an_unregistered_address(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    hint = tokens_for(browser, client)["id_token"]
    for visitor in (browser, world.browser()):
        for address in UNREGISTERED:
            for proof in ({"id_token_hint": hint}, {"client_id": client.client_id}, {}):
                page = logout(visitor, post_logout_redirect_uri=address, **proof)
                assert (page.status, page.location) == (400, ""), (address, proof)
    assert is_signed_in(browser)


def test_an_address_needs_a_client_and_its_own_one(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    other = world.a_client(post_logout_redirect_uris=("https://other.example/out",))
    hint = tokens_for(browser, client)["id_token"]
    assert logout(browser, post_logout_redirect_uri=BACK).status == 400
    assert logout(browser, client_id=other.client_id, post_logout_redirect_uri=BACK).status == 400
    assert logout(browser, id_token_hint=hint, client_id=other.client_id).status == 400
    page = logout(browser, id_token_hint=hint, post_logout_redirect_uri="https://other.example/out")
    assert page.status == 400
    assert is_signed_in(browser)


def test_a_doubled_parameter_ends_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    hint = tokens_for(browser, client)["id_token"]
    values = {"id_token_hint": hint, "client_id": client.client_id, "post_logout_redirect_uri": BACK}
    query = urlencode({**values, "state": "s"})
    for name in ("id_token_hint", "client_id", "post_logout_redirect_uri", "state"):
        page = browser.open(f"/oauth/logout?{query}&{name}=other", follow=False)
        assert (page.status, page.location) == (400, ""), name
    assert is_signed_in(browser)


def test_the_page_that_asks_may_lead_to_the_portals_origin_only(world: World) -> None:
    address = "https://portal.example/out;x,y?a=1"
    browser = a_signed_in_person(world)
    client = world.a_client(post_logout_redirect_uris=(address,))
    page = logout(browser, client_id=client.client_id, post_logout_redirect_uri=address)
    policy = page.response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy


def test_whoever_is_not_signed_in_is_simply_sent_back(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    page = logout(browser, client_id=client.client_id, post_logout_redirect_uri=BACK)
    assert page.location == BACK
    assert logout(browser).location == "/signed-out"


def test_after_it_a_new_sign_in_is_another_one(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    enter(browser, person)
    tokens = tokens_for(browser, client)
    logout(browser, id_token_hint=tokens["id_token"])
    browser.sign_in_person(person)
    again = tokens_for(browser, client)
    assert all_dead(world, client, tokens)
    assert get_with(world, again["access_token"]).status_code == 200
    # The old hint speaks of the old sign-in: it asks.
    assert logout(browser, id_token_hint=tokens["id_token"]).status == 200
    with world.reading() as db:
        assert db.query(SigninSession).count() == 2
    assert "code" in browser.open(Authorization(client).address("openid")).query
