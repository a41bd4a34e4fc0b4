"""The resource parameter (RFC 8707) of an authorization request: what access tokens will be for."""

from __future__ import annotations

from urllib.parse import urlencode

from tests.oauth.asking import a_signed_in_person, call, payload_of, refused_with
from tests.portals import Authorization
from tests.world import ISSUER, AClient, Browser, Page, World

FIRST, SECOND = "https://api.example/first", "https://api.example/second?tenant=7"


def a_client_of_two(world: World) -> AClient:
    """A client that may have tokens for two resources."""
    return world.a_client(resources=(FIRST, SECOND))


def ask(browser: Browser, asked: Authorization, *resources: str) -> Page:
    """A request that names these resources."""
    named = urlencode([("resource", resource) for resource in resources])
    return browser.open(f"{asked.address('openid')}&{named}", follow=False)


def audience_of(browser: Browser, asked: Authorization, *resources: str) -> object:
    """Whom the access token is for that such a request leads to."""
    tokens = asked.redeem(browser, ask(browser, asked, *resources).query["code"]).get_json()
    return payload_of(tokens["access_token"])["aud"]


def test_a_token_is_for_the_resources_that_were_asked_for(world: World) -> None:
    browser, client = a_signed_in_person(world), a_client_of_two(world)
    assert audience_of(browser, Authorization(client), FIRST) == FIRST
    assert audience_of(browser, Authorization(client), SECOND, FIRST) == [FIRST, SECOND]
    assert audience_of(browser, Authorization(client), FIRST, FIRST) == FIRST
    assert audience_of(browser, Authorization(client), ISSUER) == ISSUER
    assert audience_of(browser, Authorization(client)) == ISSUER
    assert audience_of(browser, Authorization(client), "") == ISSUER, "an empty one counts as absent"


def test_any_other_resource_is_an_invalid_target(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(a_client_of_two(world))
    for resource in (
        "https://api.example/",
        FIRST + "/",
        FIRST + "#part",
        FIRST + "?",
        "HTTPS://API.EXAMPLE/first",
        "/first",
        "first",
        f"{FIRST} {SECOND}",
        "https://evil.example",
    ):
        for resources in ((resource,), (FIRST, resource)):
            page = ask(browser, asked, *resources)
            assert refused_with(page) == ("invalid_target", True), resource
            assert page.query["state"] == asked.state
            assert page.query["error_uri"].endswith("#1118")


def test_another_clients_resource_is_none_of_mine(world: World) -> None:
    a_client_of_two(world)
    page = ask(a_signed_in_person(world), Authorization(world.a_client()), FIRST)
    assert refused_with(page) == ("invalid_target", True)


def test_it_may_be_repeated_in_a_pushed_request(world: World) -> None:
    browser, client = a_signed_in_person(world), a_client_of_two(world)
    asked = Authorization(client)
    form = f"{asked.address('openid').partition('?')[2]}&{urlencode({'resource': FIRST})}"
    form += "&" + urlencode({"resource": SECOND})
    answer = call(
        world,
        "/oauth/par",
        form,
        headers=client.basic,
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 201, answer.get_json()
    values = {"client_id": client.client_id, "request_uri": answer.get_json()["request_uri"]}
    page = browser.open("/oauth/authorize?" + urlencode(values))
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert payload_of(tokens["access_token"])["aud"] == [FIRST, SECOND]


def test_a_token_request_may_narrow_and_not_widen(world: World) -> None:
    browser, client = a_signed_in_person(world), a_client_of_two(world)
    asked = Authorization(client)
    code = ask(browser, asked, FIRST, SECOND).query["code"]
    tokens = asked.redeem(browser, code, resource=SECOND).get_json()
    assert payload_of(tokens["access_token"])["aud"] == SECOND
    code = ask(browser, asked, FIRST).query["code"]
    assert asked.redeem(browser, code, resource=SECOND).get_json()["error"] == "invalid_target"


def test_resources_wait_for_the_sign_in_with_the_rest(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(a_client_of_two(world))
    waiting = ask(browser, asked, FIRST).location
    page = browser.sign_in_person(person, at=waiting)
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert payload_of(tokens["access_token"])["aud"] == FIRST
