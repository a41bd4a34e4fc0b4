"""Pushed authorization requests (RFC 9126): sent by the client itself, opened by a browser, answered once."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.test import TestResponse

from idp.access.clients import Client, announce_change
from tests.entering import enter
from tests.oauth.asking import (
    a_signed_in_person,
    at_once,
    basic,
    call,
    claims_of,
    later,
    refused_with,
)
from tests.oauth.keyholders import ADpopKey, AKeyholder, a_keyholder, with_nonce
from tests.portals import Authorization
from tests.world import CALLBACK, AClient, Browser, Page, World

PREFIX = "urn:ietf:params:oauth:request_uri:"


def asked_by(asked: Authorization, scope: str = "openid", **more: str) -> dict[str, Any]:
    """The parameters of an authorization request, as a form."""
    return dict(parse_qsl(asked.address(scope, **more).partition("?")[2]))


def push(world: World, asked: Authorization, scope: str = "openid", **more: str) -> TestResponse:
    """The request of a client with a secret, pushed."""
    return call(world, "/oauth/par", asked_by(asked, scope, **more), headers=asked.client.basic)


def pushed(world: World, asked: Authorization, scope: str = "openid", **more: str) -> str:
    """The request_uri of a pushed request."""
    answer = push(world, asked, scope, **more)
    assert answer.status_code == 201, answer.get_json()
    found: str = answer.get_json()["request_uri"]
    return found


def opened(client_id: str, request_uri: str, **more: str) -> str:
    """The address a portal sends its user to after a push."""
    return "/oauth/authorize?" + urlencode({"client_id": client_id, "request_uri": request_uri, **more})


def is_a_page(page: Page) -> bool:
    """Whether it stayed with us, as an error."""
    return page.status == 400 and not page.location


def test_a_pushed_request_becomes_a_code(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    answer = push(world, asked, "openid profile")
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.get_json()) == {"request_uri", "expires_in"}
    assert answer.get_json()["expires_in"] == 300
    request_uri = answer.get_json()["request_uri"]
    assert request_uri.startswith(PREFIX)
    assert len(request_uri) > len(PREFIX) + 40
    page = browser.open(opened(asked.client.client_id, request_uri))
    assert page.location.startswith(CALLBACK)
    assert page.query["state"] == asked.state
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    assert tokens["scope"] == "openid profile"
    assert claims_of(world, tokens["id_token"])["nonce"] == asked.nonce


def test_it_leads_through_a_sign_in_like_any_other(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(world.a_client())
    page = browser.open(opened(asked.client.client_id, pushed(world, asked)))
    assert page.url.startswith("/login/person?tx=")
    page = browser.sign_in_person(person, at=page.url)
    assert page.query["state"] == asked.state
    assert "code" in page.query


def test_every_way_of_client_authentication_works_and_its_failures_are_json(world: World) -> None:
    post, public = world.a_client(auth_method="client_secret_post"), world.a_client(auth_method="none")
    form = {**asked_by(Authorization(post)), "client_secret": post.secret}
    assert call(world, "/oauth/par", form).status_code == 201
    assert call(world, "/oauth/par", asked_by(Authorization(public))).status_code == 201
    holder = a_keyholder(world)
    values = asked_by(Authorization(AClient(holder.client_id, "")))
    assert holder.post(world, "/oauth/par", values).status_code == 201
    secret = world.a_client()
    values = asked_by(Authorization(secret))
    for headers in ({}, basic(f"{secret.client_id}:wrong"), basic("nobody:x")):
        answer = call(world, "/oauth/par", values, headers=headers)
        assert answer.status_code in {400, 401}
        assert answer.get_json()["error"] in {"invalid_client", "invalid_request"}
    answer = call(world, "/oauth/par", {**values, "client_id": public.client_id}, headers=secret.basic)
    assert "request_uri" not in answer.get_json()


REFUSED = {
    "no challenge": ({"code_challenge": ""}, "invalid_request"),
    "no response type": ({"response_type": ""}, "invalid_request"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "no openid": ({"scope": "profile"}, "invalid_scope"),
    "a long state": ({"state": "s" * 2049}, "invalid_request"),
    "another's redirect address": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "no redirect address": ({"redirect_uri": ""}, "invalid_request"),
    "a request_uri": ({"request_uri": PREFIX + "x"}, "invalid_request"),
    "an unknown resource": ({"resource": "https://other.example/"}, "invalid_target"),
    "a registration": ({"registration": "{}"}, "registration_not_supported"),
    "malformed claims": ({"claims": "["}, "invalid_request"),
    "no thumbprint": ({"dpop_jkt": "x"}, "invalid_request"),
    "no request object": ({"request": "x.y.z"}, "invalid_request_object"),
}


def test_every_rule_is_checked_at_once_and_answered_as_json_with_its_number(world: World) -> None:
    client = world.a_client()
    for case, (more, error) in REFUSED.items():
        answer = push(world, Authorization(client), **more)
        assert (answer.status_code, answer.get_json()["error"]) == (400, error), case
        assert answer.mimetype == "application/json", case
        assert answer.headers["Cache-Control"] == "no-store", case
        assert "/help/errors#1" in answer.get_json()["error_uri"], case
        assert "Location" not in answer.headers, case


def test_a_doubled_parameter_is_refused_and_so_is_json(world: World) -> None:
    client = world.a_client()
    values = asked_by(Authorization(client))
    for name in ("scope", "state", "redirect_uri", "client_id", "anything"):
        form = {**values, name: [values.get(name, "a"), "b"]}
        answer = call(world, "/oauth/par", form, headers=client.basic)
        assert answer.get_json()["error"] == "invalid_request", name
    answer = call(world, "/oauth/par", None, json=values, headers=client.basic)
    assert answer.get_json()["error"] == "invalid_request"


def test_other_methods_are_answered_as_json(world: World) -> None:
    answer = world.app.test_client().get("/oauth/par", base_url="http://localhost:8000")
    assert (answer.status_code, answer.mimetype) == (405, "application/json")


def test_only_what_was_pushed_counts(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    address = opened(
        asked.client.client_id,
        pushed(world, asked),
        scope="openid identity",
        state="x",
        redirect_uri="https://evil.example/",
        response_mode="form_post",
        prompt="login",
        request="x",
    )
    page = browser.open(address)
    assert page.location.startswith(CALLBACK + "?")
    assert page.query["state"] == asked.state
    assert asked.redeem(browser, page.query["code"]).get_json()["scope"] == "openid"


def test_it_may_be_opened_again_until_it_is_answered(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(world.a_client())
    address = opened(asked.client.client_id, pushed(world, asked))
    first = browser.open(address).url
    second = browser.open(address).url
    assert first != second
    page = browser.sign_in_person(person, at=second)
    assert "code" in page.query
    assert is_a_page(browser.open(address)), "spent"
    assert is_a_page(browser.open(first.replace("/login/person?", "/oauth/authorize?"))), "its other tab too"


def test_a_refusal_by_the_person_spends_it(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client(first_party=False))
    address = opened(asked.client.client_id, pushed(world, asked))
    browser.open(address)
    assert refused_with(browser.submit({"decision": "deny"})) == ("access_denied", True)
    assert is_a_page(browser.open(address))


def test_a_silent_request_that_cannot_be_answered_goes_back_as_pushed(world: World) -> None:
    asked = Authorization(world.a_client())
    request_uri = pushed(world, asked, prompt="none")
    page = world.browser().open(opened(asked.client.client_id, request_uri, state="x"))
    assert refused_with(page) == ("login_required", True)
    assert page.query["state"] == asked.state


def test_of_twelve_who_answer_at_once_one_gets_a_code(world: World) -> None:
    person, asked = world.a_person(), Authorization(world.a_client())
    address = opened(asked.client.client_id, pushed(world, asked))
    browsers = [world.browser() for _number in range(12)]
    for browser in browsers:
        enter(browser, person)
    pages = at_once(12, lambda number: browsers[number].open(address))
    assert sum("code" in page.query for page in pages) == 1
    assert all("code" in page.query or is_a_page(page) for page in pages)


def test_of_two_processes_that_answer_waiting_tabs_one_gets_a_code(world: World) -> None:
    person, asked = world.a_person(), Authorization(world.a_client(first_party=False))
    address = opened(asked.client.client_id, pushed(world, asked))
    with world.rewired() as second:
        browsers = [apart.browser() for apart in (world, second) * 4]
        for browser in browsers:
            enter(browser, person)
            browser.open(address)
        pages = at_once(8, lambda number: browsers[number].submit({"decision": "allow"}))
    assert sum("code" in page.query for page in pages) == 1


def test_it_can_be_opened_for_five_minutes(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    early, late = (opened(client.client_id, pushed(world, Authorization(client))) for _ in range(2))
    with later(seconds=295):
        assert "code" in browser.open(early).query
    with later(seconds=301):
        assert is_a_page(browser.open(late))
    with later(hours=-1):
        assert is_a_page(browser.open(late)), "a clock that steps back opens nothing"


def test_whoever_opened_it_in_time_may_take_longer_to_sign_in(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(world.a_client())
    page = browser.open(opened(asked.client.client_id, pushed(world, asked)))
    with later(minutes=20):
        page = browser.sign_in_person(person, at=page.url)
    assert "code" in page.query


def test_it_is_kept_no_longer_than_a_sign_in_may_wait(world: World) -> None:
    asked = Authorization(world.a_client())
    reference = pushed(world, asked).removeprefix(PREFIX)
    assert 2090 < world.backends.store.remaining(f"pushed:{reference}") <= 2100


def test_what_was_not_pushed_by_this_client_stays_on_our_page(world: World) -> None:
    browser, mine, other = a_signed_in_person(world), world.a_client(), world.a_client()
    request_uri = pushed(world, Authorization(mine))
    for client_id, given in (
        (other.client_id, request_uri),
        ("nobody", request_uri),
        ("", request_uri),
        (mine.client_id, PREFIX),
        (mine.client_id, PREFIX + "x" * 43),
        (mine.client_id, request_uri + "x"),
        (mine.client_id, request_uri.upper().replace(PREFIX.upper(), PREFIX)),
    ):
        page = browser.open(opened(client_id, given, redirect_uri=CALLBACK))
        assert is_a_page(page), (client_id, given)
    twice = opened(mine.client_id, request_uri)
    for doubled in (f"{twice}&client_id={other.client_id}", f"{twice}&request_uri={PREFIX}x"):
        assert is_a_page(browser.open(doubled))
    assert "code" in browser.open(twice).query, "nothing of this spent it"


def test_an_address_withdrawn_meanwhile_is_not_used(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    address = opened(asked.client.client_id, pushed(world, asked))
    with world.write() as db:
        db.get_one(Client, asked.client.client_id).redirect_uris = ["https://portal.example/new"]
    announce_change(world.backends.store)
    assert is_a_page(browser.open(address))


def test_a_client_that_must_push_gets_nothing_by_a_plain_request(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client(require_par=True))
    page = browser.open(asked.address("openid"))
    assert refused_with(page) == ("invalid_request", True)
    assert page.query["state"] == asked.state
    assert page.query["error_uri"].endswith("#1203")
    assert "code" in browser.open(opened(asked.client.client_id, pushed(world, asked))).query


def test_a_fapi2_client_must_push(world: World) -> None:
    holder = a_keyholder(world, profile="fapi2", id_token_alg="ES256")
    asked = Authorization(AClient(holder.client_id, ""))
    page = a_signed_in_person(world).open(asked.address("openid"))
    assert page.query["error_uri"].endswith("#1203")
    answer = holder.post(world, "/oauth/par", asked_by(asked))
    page = a_signed_in_person(world).open(opened(holder.client_id, answer.get_json()["request_uri"]))
    assert "code" in page.query


def test_a_fresh_sign_in_is_measured_from_when_the_browser_came(world: World) -> None:
    person, client = world.a_person(), world.a_client()
    asked = Authorization(client)
    for freshness in ({"prompt": "login"}, {"max_age": "60"}):
        browser = world.browser()
        address = opened(client.client_id, pushed(world, asked, **freshness))
        enter(browser, person)
        with later(seconds=100):
            page = browser.open(address)
            assert page.url.startswith("/login"), "the sign-in between push and visit is none for this visit"
            page = browser.sign_in_person(person, at=page.url)
            assert "code" in page.query


def with_proof(world: World, client: AClient, key: ADpopKey, **more: str) -> TestResponse:
    """A push with a DPoP header."""
    values = asked_by(Authorization(client), **more)
    return with_nonce(world, "/oauth/par", key, values, headers=client.basic)


def test_a_dpop_header_and_dpop_jkt_must_name_one_key(world: World) -> None:
    client, key = world.a_client(), ADpopKey()
    assert with_proof(world, client, key).status_code == 201
    assert with_proof(world, client, key, dpop_jkt=key.jkt).status_code == 201
    answer = with_proof(world, client, key, dpop_jkt=ADpopKey().jkt)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert answer.get_json()["error_uri"].endswith("#1215")


def test_a_pushed_key_binds_the_code(world: World) -> None:
    browser, client, key = a_signed_in_person(world), world.a_client(), ADpopKey()
    asked = Authorization(client)
    values = asked_by(asked)
    for more in ({}, {"dpop_jkt": key.jkt}):
        if more:
            answer = call(world, "/oauth/par", {**values, **more}, headers=client.basic)
        else:
            answer = with_nonce(world, "/oauth/par", key, values, headers=client.basic)
        for proved, status in ((None, 400), (ADpopKey(), 400)):
            page = browser.open(opened(client.client_id, pushed(world, asked, dpop_jkt=key.jkt)))
            assert redeemed(world, asked, page.query["code"], proved).status_code == status
        page = browser.open(opened(client.client_id, answer.get_json()["request_uri"]))
        assert redeemed(world, asked, page.query["code"], key).get_json()["token_type"] == "DPoP"


def redeemed(world: World, asked: Authorization, code: str, key: ADpopKey | None) -> TestResponse:
    """What the token endpoint says to a code with the proof of `key`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.client.redirect_uri,
        "code_verifier": asked.verifier,
    }
    if key is None:
        return call(world, "/oauth/token", form, headers=asked.client.basic)
    return with_nonce(world, "/oauth/token", key, form, headers=asked.client.basic)


def test_a_request_object_may_be_pushed(world: World) -> None:
    holder, browser = a_keyholder(world), a_signed_in_person(world)
    asked = Authorization(AClient(holder.client_id, ""))
    page = browser.open(opened(holder.client_id, pushed_object(world, holder, asked)))
    assert page.query["state"] == asked.state
    again = holder.signed_request(asked_by(asked), jti="once")
    assert holder.post(world, "/oauth/par", {"request": again}).status_code == 201
    answer = holder.post(world, "/oauth/par", {"request": again})
    assert answer.get_json()["error"] == "invalid_request_object"


def pushed_object(world: World, holder: AKeyholder, asked: Authorization) -> str:
    """The request_uri of a pushed request object, with other parameters beside it."""
    form = {"request": holder.signed_request(asked_by(asked)), "scope": "openid identity", "state": "x"}
    answer = holder.post(world, "/oauth/par", form)
    assert answer.status_code == 201, answer.get_json()
    found: str = answer.get_json()["request_uri"]
    return found


def test_the_answer_sets_no_cookie(world: World) -> None:
    answer = push(world, Authorization(world.a_client()))
    assert "Set-Cookie" not in answer.headers


def test_another_browser_may_finish_what_a_first_began(world: World) -> None:
    asked = Authorization(world.a_client())
    address = opened(asked.client.client_id, pushed(world, asked))
    waiting: Browser = world.browser()
    tab = waiting.open(address).url
    assert "code" in a_signed_in_person(world).open(address).query
    page = waiting.sign_in_person(world.a_person(), at=tab)
    assert is_a_page(page)
