"""Signed request objects (RFC 9101): only what the client signed counts, and nothing is ever fetched."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from idp.crypto import b64url
from tests.entering import enter
from tests.oauth.asking import a_signed_in_person, at_once, later, refused_with
from tests.oauth.keyholders import ADpopKey, AKeyholder, a_key, a_keyholder, public_jwk, signed
from tests.portals import Authorization
from tests.world import CALLBACK, ISSUER, AClient, Browser, Page, World

EVIL = "https://evil.example/callback"


def authorization_of(holder: AKeyholder) -> Authorization:
    """A request of a client with a key."""
    return Authorization(AClient(holder.client_id, ""))


def params_of(asked: Authorization, scope: str = "openid", **more: str) -> dict[str, Any]:
    """The parameters of a request."""
    return dict(parse_qsl(asked.address(scope, **more).partition("?")[2]))


def address_of(holder: AKeyholder, request: str, **beside: str) -> str:
    """Where the browser is sent: `client_id`, the object, and what stands beside it."""
    return "/oauth/authorize?" + urlencode({"client_id": holder.client_id, "request": request, **beside})


def bring(browser: Browser, holder: AKeyholder, request: str, **beside: str) -> Page:
    """What a request object is answered with at once; a registered address stands beside it."""
    return browser.open(address_of(holder, request, **{"redirect_uri": CALLBACK, **beside}), follow=False)


def test_a_signed_request_becomes_a_code_and_only_the_object_counts(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    asked = authorization_of(holder)
    beside = {
        "redirect_uri": EVIL,
        "state": "x",
        "nonce": "x",
        "scope": "openid identity",
        "response_type": "token",
        "prompt": "login",
        "response_mode": "form_post",
    }
    page = bring(browser, holder, holder.signed_request(params_of(asked, "openid profile")), **beside)
    assert page.location.startswith(CALLBACK + "?")
    assert page.query["state"] == asked.state
    form = {
        "grant_type": "authorization_code",
        "code": page.query["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": asked.verifier,
    }
    tokens = holder.post(world, "/oauth/token", form).get_json()
    assert tokens["scope"] == "openid profile"


def test_a_state_outside_does_not_stand_in_for_one_inside(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    request = holder.signed_request(params_of(authorization_of(holder), state=""))
    assert set(bring(browser, holder, request, state="outside").query) == {"code", "iss"}


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_each_algorithm_of_the_profile_is_taken(world: World, alg: str) -> None:
    holder = a_keyholder(world, alg=alg)
    request = holder.signed_request(params_of(authorization_of(holder)))
    assert "code" in bring(a_signed_in_person(world), holder, request).query


@pytest.mark.parametrize(
    "typ", [None, "JWT", "jwt", "oauth-authz-req+jwt", "application/oauth-authz-req+jwt"]
)
def test_the_types_of_a_request_object_are_taken(world: World, typ: str | None) -> None:
    holder = a_keyholder(world)
    claims = payload(holder, params_of(authorization_of(holder)))
    header = {"alg": "ES256", "kid": "first", **({"typ": typ} if typ else {})}
    assert "code" in bring(a_signed_in_person(world), holder, signed(holder.key, header, claims)).query


def payload(holder: AKeyholder, params: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The claims of a right request object, changed; what is None is left out."""
    moment = int(time.time())
    claims = {
        "iss": holder.client_id,
        "aud": ISSUER,
        "exp": moment + 60,
        "client_id": holder.client_id,
        **params,
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def wrong_claims() -> dict[str, dict[str, Any]]:
    """What may be wrong inside, measured from now."""
    return {
        "no issuer": {"iss": None},
        "another issuer": {"iss": "other"},
        "another client inside": {"client_id": "other"},
        "no audience": {"aud": None},
        "another audience": {"aud": "https://other.example"},
        "an audience nearby": {"aud": [ISSUER + "/", "http://localhost"]},
        "no end": {"exp": None},
        "an end in words": {"exp": "soon"},
        "an end that is true": {"exp": True},
        "an end without end": {"exp": 1e999},
        "expired": {"exp": int(time.time()) - 60},
        "too long": {"exp": int(time.time()) + 900},
        "not yet": {"nbf": int(time.time()) + 120},
        "made tomorrow": {"iat": int(time.time()) + 86_400},
        "made in words": {"iat": "now"},
        "an object inside": {"request": "x.y.z"},
        "an address inside": {"request_uri": "https://portal.example/request"},
        "a number for text": {"state": 7},
        "a list for text": {"scope": ["openid"]},
        "an object for text": {"nonce": {}},
        "null for text": {"unknown": [None]},
        "half a character": {"state": "\ud800"},
        "a NUL": {"state": "a\0b"},
        "true for max_age": {"max_age": True},
        "a fraction for max_age": {"max_age": 1.5},
        "numbers for resource": {"resource": [1]},
        "a subject": {"sub": "somebody"},
        "a logout token": {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        "a jti in numbers": {"jti": 7},
        "a long jti": {"jti": "j" * 129},
        "an empty jti": {"jti": ""},
    }


def test_what_is_wrong_inside_is_refused_with_its_registered_error(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    for case, changed in wrong_claims().items():
        claims = payload(holder, params_of(authorization_of(holder)), **changed)
        request = signed(holder.key, {"alg": "ES256", "kid": "first"}, claims)
        page = bring(browser, holder, request)
        assert refused_with(page) == ("invalid_request_object", True), case
        assert "/help/errors#12" in page.query["error_uri"], case


WRONG_HEADERS: dict[str, dict[str, Any]] = {
    "none": {"alg": "none"},
    "None": {"alg": "None"},
    "HMAC": {"alg": "HS256"},
    "a number": {"alg": 7},
    "another family": {"alg": "RS256"},
    "crit": {"crit": ["exp"], "exp": 1},
    "b64": {"crit": ["b64"], "b64": False},
    "an assertion": {"typ": "client-authentication+jwt"},
    "a proof": {"typ": "dpop+jwt"},
    "a logout token": {"typ": "logout+jwt"},
    "an access token": {"typ": "at+jwt"},
    "no text for typ": {"typ": 7},
    "an unknown key": {"kid": "second"},
    "a path for a key": {"kid": "../../../../etc/passwd"},
}


def test_a_header_that_is_not_of_a_request_object_is_refused(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    claims = payload(holder, params_of(authorization_of(holder)))
    for case, changed in WRONG_HEADERS.items():
        request = signed(holder.key, {"alg": "ES256", "kid": "first", **changed}, claims, alg="ES256")
        assert refused_with(bring(browser, holder, request)) == ("invalid_request_object", True), case


def test_a_signature_by_any_other_key_is_refused(world: World) -> None:
    browser, holder, other = a_signed_in_person(world), a_keyholder(world), a_keyholder(world)
    claims = payload(holder, params_of(authorization_of(holder)))
    mine = a_key()
    header = {"alg": "ES256", "kid": "first"}
    right = signed(holder.key, header, claims)
    head, body, signature = right.split(".")
    unsigned = b64url(b'{"alg":"none"}')
    widened = b64url(json.dumps({**claims, "scope": "openid identity"}).encode())
    for case, request in {
        "another client's key": signed(other.key, header, claims),
        "a key of its own in the header": signed(mine, {**header, "jwk": public_jwk(mine)}, claims),
        "a blank signature": f"{head}.{body}.",
        "none with a blank signature": f"{unsigned}.{body}.",
        "a changed payload": f"{head}.{widened}.{signature}",
    }.items():
        assert refused_with(bring(browser, holder, request)) == ("invalid_request_object", True), case


def test_what_is_no_jws_is_refused_cheaply(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    deep = b64url(b'{"alg":"ES256","x":' + b"[" * 5000)
    doubled = b64url(b'{"alg":"none","alg":"ES256"}')
    claims = b64url(json.dumps(payload(holder, {})).encode())
    for request in ("x", "a.b", "a.b.c.d", "é.é.é", "..", f"{deep}.{claims}.AA", f"{doubled}.{claims}.AA"):
        assert refused_with(bring(browser, holder, request)) == ("invalid_request_object", True), request[:20]
    endless = holder.signed_request(params_of(authorization_of(holder)), padding="p" * 16_000)
    answer = holder.post(world, "/oauth/par", {"request": endless})
    assert answer.get_json()["error"] == "invalid_request_object"
    assert browser.open(address_of(holder, endless)).status == 414


def test_a_client_without_keys_signs_nothing(world: World) -> None:
    client, other = world.a_client(), a_keyholder(world)
    posing = AKeyholder(client.client_id, other.key)
    request = posing.signed_request(params_of(Authorization(client)))
    page = bring(a_signed_in_person(world), posing, request)
    assert refused_with(page) == ("invalid_request_object", True)


def test_the_algorithm_is_the_registered_one_where_one_is(world: World) -> None:
    browser = a_signed_in_person(world)
    holder = a_keyholder(world, alg="RS256", request_object_alg="PS256")
    params = params_of(authorization_of(holder))
    assert refused_with(bring(browser, holder, holder.signed_request(params)))[0] == "invalid_request_object"
    right = AKeyholder(holder.client_id, holder.key, "PS256", holder.kid)
    assert "code" in bring(browser, holder, right.signed_request(params)).query


def test_a_fapi2_client_does_not_sign_with_rs256(world: World) -> None:
    holder = a_keyholder(world, alg="PS256", profile="fapi2", id_token_alg="PS256")
    asked = params_of(authorization_of(holder))
    weak = AKeyholder(holder.client_id, holder.key, "RS256", holder.kid).signed_request(asked)
    answer = holder.post(world, "/oauth/par", {"request": weak})
    assert answer.get_json()["error"] == "invalid_request_object"
    assert holder.post(world, "/oauth/par", {"request": holder.signed_request(asked)}).status_code == 201


def test_clocks_may_differ_by_a_few_seconds(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    for ahead in (-6, 6):
        claims = payload(holder, params_of(authorization_of(holder)))
        moment = int(time.time()) + ahead
        claims |= {"nbf": moment, "iat": moment, "exp": moment + (1 if ahead < 0 else 600)}
        page = bring(browser, holder, signed(holder.key, {"alg": "ES256"}, claims))
        assert "code" in page.query, ahead


def test_a_jti_is_used_once_and_without_one_the_end_bounds_it(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    params = params_of(authorization_of(holder))
    once = holder.signed_request(params)
    assert "code" in bring(browser, holder, once).query
    assert bring(browser, holder, once).query["error_uri"].endswith("#1212")
    often = holder.signed_request(params, jti=None)
    assert "code" in bring(browser, holder, often).query
    assert "code" in bring(browser, holder, often).query
    with later(seconds=120):
        late = bring(world.browser(), holder, often)
        assert late.query["error_uri"].endswith("#1211")


def test_the_same_jti_of_two_clients_is_two(world: World) -> None:
    browser = a_signed_in_person(world)
    for holder in (a_keyholder(world), a_keyholder(world)):
        request = holder.signed_request(params_of(authorization_of(holder)), jti="the same")
        assert "code" in bring(browser, holder, request).query


def test_of_eight_who_bring_one_jti_at_once_one_is_let_in(world: World) -> None:
    person, holder = world.a_person(), a_keyholder(world)
    request = holder.signed_request(params_of(authorization_of(holder)))
    browsers = [world.browser() for _number in range(8)]
    for browser in browsers:
        enter(browser, person)
    pages = at_once(8, lambda number: bring(browsers[number], holder, request))
    assert sum("code" in page.query for page in pages) == 1


def test_an_object_that_was_refused_spends_no_jti(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    params, forger = params_of(authorization_of(holder)), AKeyholder(holder.client_id, a_key())
    bring(browser, holder, forger.signed_request(params, jti="taken"))
    assert "code" in bring(browser, holder, holder.signed_request(params, jti="taken")).query


def test_no_error_leaves_for_an_address_that_is_not_registered(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    params = params_of(authorization_of(holder))
    right = holder.signed_request(params)
    for case, address in {
        "wrong, and none beside": address_of(holder, "x.y.z"),
        "wrong, and another's beside": address_of(holder, "x.y.z", redirect_uri=EVIL),
        "another's inside": address_of(
            holder, holder.signed_request({**params, "redirect_uri": EVIL}), redirect_uri=CALLBACK
        ),
        "none inside": address_of(
            holder, holder.signed_request({**params, "redirect_uri": None}), redirect_uri=CALLBACK
        ),
        "nobody's": address_of(AKeyholder("nobody", holder.key), right, redirect_uri=CALLBACK),
        "two clients": address_of(holder, right, redirect_uri=CALLBACK) + "&client_id=other",
    }.items():
        page = browser.open(address, follow=False)
        assert (page.status, page.location) == (400, ""), case


def test_a_rule_that_is_broken_inside_goes_back_with_what_stands_inside(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    params = {**params_of(authorization_of(holder), state="inside"), "scope": "profile"}
    page = bring(browser, holder, holder.signed_request(params), state="outside", redirect_uri=EVIL)
    assert page.location.startswith(CALLBACK)
    assert refused_with(page) == ("invalid_scope", True)
    assert page.query["state"] == "inside"


def test_a_doubled_object_and_an_address_beside_it_are_refused(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    request = holder.signed_request(params_of(authorization_of(holder)))
    address = address_of(holder, request, redirect_uri=CALLBACK)
    assert refused_with(browser.open(f"{address}&request={request}")) == ("invalid_request", True)
    page = browser.open(f"{address}&request_uri=https%3A%2F%2Fportal.example%2Frequest")
    assert refused_with(page) == ("request_uri_not_supported", True)


def test_a_client_that_must_sign_gets_nothing_by_a_plain_request(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world, require_signed_requests=True)
    asked = authorization_of(holder)
    page = browser.open(asked.address("openid"))
    assert refused_with(page) == ("invalid_request", True)
    assert page.query["error_uri"].endswith("#1204")
    answer = holder.post(world, "/oauth/par", params_of(asked))
    assert answer.get_json()["error_uri"].endswith("#1204")
    assert "code" in bring(browser, holder, holder.signed_request(params_of(asked))).query
    pushed = holder.post(world, "/oauth/par", {"request": holder.signed_request(params_of(asked))})
    assert pushed.status_code == 201


def test_numbers_objects_and_lists_are_read_where_they_are_allowed(world: World) -> None:
    holder = a_keyholder(world, resources=("https://api.example/a", "https://api.example/b"))
    params = {
        **params_of(authorization_of(holder)),
        "max_age": 600,
        "claims": {"userinfo": {"name": None}},
        "resource": ["https://api.example/a", "https://api.example/b"],
    }
    browser = a_signed_in_person(world)
    assert "code" in bring(browser, holder, holder.signed_request(params)).query
    assert "code" in bring(browser, holder, holder.signed_request({**params, "max_age": 0})).query or (
        browser.page is not None and browser.page.location.startswith("/login")
    )


def test_a_client_assertion_is_no_request_and_a_request_no_assertion(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    params = params_of(authorization_of(holder))
    assertion = holder.assertion(**params)
    assert refused_with(bring(browser, holder, assertion)) == ("invalid_request_object", True)
    proof = ADpopKey(holder.key).proof("GET", ISSUER + "/oauth/authorize", **payload(holder, params))
    assert refused_with(bring(browser, holder, proof)) == ("invalid_request_object", True)


@contextmanager
def a_canary() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and the paths that somebody asked it for."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Nothing on the console."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()
        thread.join()


def test_nothing_a_request_names_is_fetched(world: World) -> None:
    browser, holder = a_signed_in_person(world), a_keyholder(world)
    asked = authorization_of(holder)
    with a_canary() as (canary, heard):
        page = browser.open(asked.address("openid", request_uri=f"{canary}/request"))
        assert refused_with(page) == ("request_uri_not_supported", True)
        answer = holder.post(world, "/oauth/par", params_of(asked, request_uri=f"{canary}/pushed"))
        assert answer.status_code == 400
        for header in ({"jku": f"{canary}/jku"}, {"x5u": f"{canary}/x5u"}, {"kid": f"{canary}/kid"}):
            request = holder.signed_request(params_of(asked), header={"kid": None, **header})
            bring(browser, holder, request)
        inside = {**params_of(asked), "request_uri": f"{canary}/inside", "jwks_uri": f"{canary}/jwks"}
        bring(browser, holder, holder.signed_request(inside))
    assert heard == []
