"""What an authorization request must satisfy, before anybody is asked for a password."""

from __future__ import annotations

from tests.oauth.asking import a_signed_in_person, refused_with, tokens_for
from tests.portals import Authorization
from tests.world import CALLBACK, ISSUER, AClient, Browser, Page, World

GOOD_CODE = "91990100MA0TX00115"


def ask(browser: Browser, client: AClient, scope: str = "openid", **more: str) -> Page:
    """What a portal's request is answered with at once."""
    return browser.open(Authorization(client).address(scope, **more), follow=False)


REFUSED = {
    "no response type": ("openid", {"response_type": ""}, "invalid_request"),
    "implicit": ("openid", {"response_type": "id_token token"}, "unsupported_response_type"),
    "hybrid": ("openid", {"response_type": "code id_token"}, "unsupported_response_type"),
    "none": ("openid", {"response_type": "none"}, "unsupported_response_type"),
    "fragment": ("openid", {"response_mode": "fragment"}, "invalid_request"),
    "a mode of another day": ("openid", {"response_mode": "form_post.jwt"}, "invalid_request"),
    "no request object": ("openid", {"request": "eyJ.e30.x"}, "invalid_request_object"),
    "a request uri": ("openid", {"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
    "a registration": ("openid", {"registration": "{}"}, "registration_not_supported"),
    "no scope": ("", {}, "invalid_scope"),
    "no openid": ("profile", {}, "invalid_scope"),
    "no challenge": ("openid", {"code_challenge": ""}, "invalid_request"),
    "plain": ("openid", {"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ("openid", {"code_challenge_method": ""}, "invalid_request"),
    "s256": ("openid", {"code_challenge_method": "s256"}, "invalid_request"),
    "a short challenge": ("openid", {"code_challenge": "A" * 42}, "invalid_request"),
    "a long challenge": ("openid", {"code_challenge": "A" * 44}, "invalid_request"),
    "a padded challenge": ("openid", {"code_challenge": "A" * 42 + "="}, "invalid_request"),
    "a challenge with a newline": ("openid", {"code_challenge": "A" * 43 + "\n"}, "invalid_request"),
    "an unknown prompt": ("openid", {"prompt": "create"}, "invalid_request"),
    "none and login": ("openid", {"prompt": "none login"}, "invalid_request"),
    "a negative max_age": ("openid", {"max_age": "-1"}, "invalid_request"),
    "a fraction of max_age": ("openid", {"max_age": "1.5"}, "invalid_request"),
    "max_age in other digits": ("openid", {"max_age": "１２"}, "invalid_request"),
    "an endless max_age": ("openid", {"max_age": "9" * 10}, "invalid_request"),
    "entity without its scope": ("openid", {"entity": GOOD_CODE}, "invalid_request"),
    "no credit code": ("openid entity", {"entity": "91990100MA0TX00116"}, "invalid_request"),
    "a credit code in lower case": ("openid entity", {"entity": GOOD_CODE.lower()}, "invalid_request"),
    "a hint that is no token": ("openid", {"id_token_hint": "abc"}, "invalid_request"),
    "a long state": ("openid", {"state": "s" * 2049}, "invalid_request"),
    "a long nonce": ("openid", {"nonce": "n" * 513}, "invalid_request"),
    "a long login_hint": ("openid", {"login_hint": "l" * 257}, "invalid_request"),
    "a long scope": ("openid " + "s" * 1000, {}, "invalid_request"),
    "a long hint": ("openid", {"id_token_hint": "h" * 8001}, "invalid_request"),
    "a state with a newline": ("openid", {"state": "a\r\nb"}, "invalid_request"),
}


def test_each_broken_rule_goes_back_with_its_registered_error_state_and_issuer(world: World) -> None:
    client, browser = world.a_client(), world.browser()
    for case, (scope, more, error) in REFUSED.items():
        page = ask(browser, client, scope, **{"state": "kept", **more})
        assert page.location.startswith(CALLBACK + "?"), case
        assert refused_with(page) == (error, True), case
        assert page.query["error_description"], case
        assert "code" not in page.query, case
        if "state" not in more:
            assert page.query["state"] == "kept", case


def test_a_signed_in_browser_gets_no_code_by_a_broken_request(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    for case, (scope, more, error) in REFUSED.items():
        page = ask(browser, client, scope, **more)
        assert (page.query["error"], "code" in page.query) == (error, False), case


DOUBLED = ["response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt"]


def test_a_doubled_parameter_goes_back_as_an_error(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    address = Authorization(client).address()
    for name in (*DOUBLED, "entity", "anything_else"):
        for doubled in (f"{address}&{name}=1&{name}=2", f"{address}&{name}=&{name}="):
            page = browser.open(doubled, follow=False)
            assert refused_with(page) == ("invalid_request", True), name
            # Two readers would see two states, so neither is sent back.
            assert ("state" in page.query) == (name != "state")


def test_an_unknown_scope_is_passed_over(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    assert tokens_for(browser, client, "openid email address nonsense")["scope"] == "openid"


def test_a_client_may_not_ask_for_more_than_was_registered(world: World) -> None:
    client, browser = world.a_client(scopes=("openid", "profile")), a_signed_in_person(world)
    for scope in ("identity", "entity"):
        assert refused_with(ask(browser, client, f"openid {scope}")) == ("invalid_scope", True)


def test_a_client_without_the_code_grant_is_refused(world: World) -> None:
    client = world.a_client(grant_types=("client_credentials",))
    assert refused_with(ask(world.browser(), client)) == ("unauthorized_client", True)


def test_a_parameter_nobody_knows_is_ignored_and_empty_ones_count_as_absent(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    address = Authorization(client).address("openid", display="touch", vtr="x")
    empty = "&prompt=&max_age=&login_hint=&entity=&request=&claims=&resource="
    assert "code" in browser.open(address + empty).query


def test_a_client_cannot_say_by_a_parameter_whom_it_expects(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    page = browser.open(Authorization(client).address("openid", expected_sub="somebody", prompt="none"))
    assert "code" in page.query


def test_a_state_comes_back_byte_for_byte(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    for state in ("a b", "a+b", "100%", "é中文🙂", "&iss=https://evil.example&x=", "#frag", "'\"<script>"):
        page = ask(browser, client, state=state)
        assert page.query["state"] == state
        assert page.query["iss"] == ISSUER
        assert page.location.count("iss=http") == 1


def test_without_a_state_none_comes_back(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    assert set(ask(browser, client, state="").query) == {"code", "iss"}


def test_a_post_from_another_site_becomes_a_get_that_carries_cookies(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    asked = Authorization(client)
    values = dict(pair.split("=", 1) for pair in asked.address("openid").partition("?")[2].split("&"))
    values = {name: value.replace("%3A", ":").replace("%2F", "/") for name, value in values.items()}
    page = browser.post(
        "/oauth/authorize",
        values,
        follow=False,
        headers={"Origin": "https://portal.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert page.status == 303
    assert page.location.startswith("/oauth/authorize?")
    assert "code" in browser.open(page.location).query


def test_a_redirect_address_with_a_query_keeps_it(world: World) -> None:
    client = world.a_client(redirect_uris=("https://portal.example/cb?tenant=7",))
    browser = a_signed_in_person(world)
    page = ask(browser, client)
    assert page.location.startswith("https://portal.example/cb?tenant=7&")
    assert page.query["tenant"] == "7"
    assert "code" in page.query
