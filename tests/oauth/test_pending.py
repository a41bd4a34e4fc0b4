"""A request that waits for a sign-in belongs to its browser, and nothing said later changes it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from idp.access.clients import Client, announce_change
from tests.oauth.asking import a_signed_in_person
from tests.portals import Authorization
from tests.world import Browser, World


def transaction_of(browser: Browser) -> str:
    """The id of the request the browser's page belongs to."""
    assert browser.page is not None
    return parse_qs(urlsplit(browser.page.url).query)["tx"][0]


def test_another_browser_gets_nothing_from_it(world: World) -> None:
    attacker, client = world.browser(), world.a_client()
    attacker.open(Authorization(client).address("openid"))
    transaction = transaction_of(attacker)
    victim = a_signed_in_person(world)
    for path in ("/oauth/authorize", "/oauth/consent", "/login", "/login/person", "/login/company"):
        page = victim.open(f"{path}?tx={transaction}")
        assert "code" not in page.query
        assert page.status in {200, 400, 403}, path
        assert not page.location, path
    assert "个人登录" in attacker.open(f"/oauth/authorize?tx={transaction}").text, "nor did it help him"


def test_it_is_answered_once(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    browser.open(Authorization(client).address("openid"))
    transaction = transaction_of(browser)
    assert "code" in browser.sign_in_person(person, at=f"/login/person?tx={transaction}").query
    page = browser.open(f"/oauth/authorize?tx={transaction}")
    assert (page.status, page.location) == (400, "")


def test_it_does_not_wait_for_ever(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    browser.open(Authorization(client).address("openid"))
    transaction = transaction_of(browser)
    # Redis keeps its own time, so the store is asked rather than the clock moved.
    assert 1790 < world.backends.store.remaining(f"pending:{transaction}") <= 1800


def test_tampering_with_later_steps_changes_nothing(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    asked = Authorization(client)
    browser.open(asked.address("openid", state="kept"))
    transaction = transaction_of(browser)
    more = (
        "&response_type=token&scope=openid+identity&redirect_uri=https%3A%2F%2Fevil.example%2F"
        "&client_id=other&state=x&code_challenge=x&prompt=none&entity=x&expected_sub=x"
    )
    page = browser.sign_in_person(person, at=f"/login/person?tx={transaction}{more}")
    assert page.location.startswith(client.redirect_uri + "?")
    assert page.query["state"] == "kept"
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert tokens["scope"] == "openid"


def test_the_first_answer_of_authorize_with_a_transaction_ignores_everything_else(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    browser.open(Authorization(client).address("openid"))
    transaction = transaction_of(browser)
    evil = Authorization(client).address("openid identity").replace("portal.example", "evil.example")
    page = browser.open(f"{evil}&tx={transaction}")
    assert "个人登录" in page.text
    assert "evil" not in page.html


def test_an_address_withdrawn_meanwhile_is_not_used(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    waiting = browser.open(Authorization(client).address("openid")).url
    with world.write() as db:
        db.get_one(Client, client.client_id).redirect_uris = ["https://portal.example/new"]
    announce_change(world.backends.store)
    page = browser.sign_in_person(person, at=waiting)
    assert (page.status, page.location) == (400, "")


def test_guessed_transactions_are_nobodys(world: World) -> None:
    browser = a_signed_in_person(world)
    for guess in ("", "x", "x" * 500, "é", "%00", "../x"):
        page = browser.open(f"/oauth/authorize?tx={guess}")
        assert (page.status, page.location) == (400, ""), guess


def test_two_tabs_wait_side_by_side(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    first, second = Authorization(world.a_client()), Authorization(world.a_client())
    browser.open(first.address("openid"))
    one = transaction_of(browser)
    browser.open(second.address("openid"))
    two = transaction_of(browser)
    page = browser.sign_in_person(person, at=f"/login/person?tx={one}")
    assert page.query["state"] == first.state
    assert browser.open(f"/oauth/authorize?tx={two}").query["state"] == second.state
