"""Whatever a client sends, the answer is a registered error or a Chinese page: no 500, no trace, no SQL."""

from __future__ import annotations

import re
from itertools import cycle
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from idp.access.profiles import GRANT_TYPES
from tests.dealing import dealt
from tests.oauth.asking import a_signed_in_person, call, tokens_for
from tests.portals import Authorization
from tests.world import CALLBACK, ISSUER, AClient, Browser, World

JSON_ENDPOINTS = [
    "/oauth/token",
    "/oauth/introspect",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/oauth/register",
    "/oauth/device",
]
NAMES = [
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"),
    *("max_age", "login_hint", "id_token_hint", "entity", "acr_values", "claims", "request", "request_uri"),
    *("code_challenge", "code_challenge_method", "registration", "resource", "tx", "ticket", "next"),
    *("grant_type", "code", "code_verifier", "refresh_token", "token", "token_type_hint", "client_secret"),
    *("post_logout_redirect_uri", "confirm", "decision", "access_token", "csrf_token", "captcha_id"),
    *("captcha", "account", "password", "enterprise", "session", "large", "phone"),
    *("user_code", "device_code"),
]
NASTY = [
    "",
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%99%82",
    "%E2%80%AE",
    "x" * 1500,
    "-1",
    "99999999999999999999",
    quote("' OR 1=1 --"),
    quote('"><script>alert(1)</script>'),
    quote("{{7*7}}${7*7}%s%n"),
    quote("../../etc/passwd"),
    quote("[]=1&[a]={}"),
    "%0d%0aSet-Cookie:%20x=1",
    "%",
    "%zz",
    "+",
]
LEAKS = (
    *("traceback", "sqlalchemy", "psycopg", "sqlite3", "werkzeug", "select ", "insert ", 'file "', "jinja2"),
    *("authlib", "joserfc"),
)


def assert_decent(answer: TestResponse, case: object) -> None:
    """What must hold of every answer to anything."""
    body = answer.get_data(as_text=True)
    assert answer.status_code < 500, case
    # A choice in a form is no SQL.
    lowered = re.sub(r"<select [^>]*>", "", body.lower())
    assert not any(leak in lowered for leak in LEAKS), case
    assert "<script>alert(1)" not in body, case
    assert "49${" not in body, case
    location = answer.headers.get("Location", "")
    assert "\n" not in location
    assert not location.startswith(("//", "https://evil")), case
    if location.startswith(CALLBACK):
        assert "iss=" in location, case
        assert "code=" in location or "error=" in location, case
    if answer.status_code >= 400 and answer.mimetype == "text/html":
        assert re.search(r"TX-\d{8}-\w{4}-\w{4}", body), case


def assert_json_error(answer: TestResponse, path: str) -> None:
    """A refusal of a protocol endpoint is named; userinfo names none to one who brought no token."""
    silent = path == "/oauth/userinfo" and "error=" not in answer.headers.get("WWW-Authenticate", "")
    if answer.status_code >= 400 and not silent:
        assert answer.get_json()["error"], path


def routes(world: World) -> list[tuple[str, str]]:
    """Every method and address of the application, placeholders filled."""
    found = []
    for rule in world.app.url_map.iter_rules():
        address = re.sub(r"<[^>]+>", "x", str(rule))
        found += [(method, address) for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})]
    assert len(found) > 30
    return found


def sent(browser: Browser, method: str, path: str, query: str, form: str, **headers: str) -> TestResponse:
    """One request with a raw query and a raw form body."""
    return browser.client.open(
        f"{path}?{query}",
        method=method,
        base_url=ISSUER,
        data=form if method == "POST" else None,
        content_type="application/x-www-form-urlencoded" if method == "POST" else None,
        headers=headers,
    )


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_address_breaks_on_nasty_parameters(world: World, signed_in: bool) -> None:
    """Each value reaches each address somebody is signed in at, on one pair of storage or the other."""
    browser = a_signed_in_person(world) if signed_in else world.browser()
    client = world.a_client(grant_types=GRANT_TYPES)
    page = browser.open("/login/person" if not signed_in else "/center/person/sessions")
    token = page.form()["fields"].get("csrf_token", "")
    for number, (method, path) in enumerate(routes(world)):
        if path.endswith("sign-out"):
            continue
        # Where nobody is signed in, as at the console, most addresses lead to the sign-in in the same way.
        is_in = signed_in and not path.startswith("/staff")
        parts = 2 if is_in or path in JSON_ENDPOINTS else 4
        for value in dealt(world, NASTY, number, parts):
            everywhere = "&".join(f"{name}={value}" for name in NAMES if name != "csrf_token")
            form = f"csrf_token={token}&{everywhere}" if path not in JSON_ENDPOINTS else everywhere
            query = everywhere if method == "GET" and len(value) < 100 else f"tx={value}"
            assert_decent(sent(browser, method, path, query, form), (method, path, value))
            if path in JSON_ENDPOINTS and method == "POST" and not signed_in:
                answer = sent(browser, method, path, "", everywhere, **client.basic)
                assert_decent(answer, (path, value, "authenticated"))
                assert answer.mimetype == "application/json", (path, value)
                assert_json_error(answer, path)


def test_one_nasty_parameter_in_a_good_request_goes_back_or_stays(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    good = Authorization(client).address("openid")
    for number, name in enumerate(NAMES):
        rest = "&".join(part for part in good.partition("?")[2].split("&") if not part.startswith(name + "="))
        for value in dealt(world, NASTY, number):
            answer = browser.client.get(f"/oauth/authorize?{rest}&{name}={value}", base_url=ISSUER)
            assert_decent(answer, (name, value))
            if name in {"client_id", "redirect_uri"}:
                assert (answer.status_code, answer.headers.get("Location")) == (400, None), (name, value)


def test_the_token_endpoint_takes_a_form_and_nothing_else(world: World) -> None:
    client = world.a_client()
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x", "", "x/y;;;", "é"):
        for body in ("", "x", '{"grant_type": "refresh_token"}', "\x00", "--x\r\n\r\n--x--"):
            headers = {**client.basic, "Content-Type": kind}
            for path in JSON_ENDPOINTS[:3]:
                answer = call(world, path, body, headers=headers)
                assert answer.status_code == 400, (kind, body)
                assert answer.get_json()["error"] == "invalid_request", (kind, body)


def test_twenty_thousand_parameters_are_refused_in_json(world: World) -> None:
    client = world.a_client()
    form = {"Content-Type": "application/x-www-form-urlencoded", **client.basic}
    for many in ("a=1&" * 20_000, "".join(f"p{n}=1&" for n in range(12_000)), "&" * 20_000, "a" * 200_000):
        for path in JSON_ENDPOINTS[:3]:
            answer = call(world, path, many, headers=form)
            assert answer.status_code in {400, 413}, len(many)
            assert answer.get_json()["error"], len(many)
    browser = world.browser()
    assert browser.client.get("/oauth/authorize?" + "a=1&" * 20_000, base_url=ISSUER).status_code == 414
    assert_decent(browser.client.post("/oauth/authorize", data="a=1&" * 20_000, base_url=ISSUER), "many")


@pytest.mark.parametrize("missing", ["grant_type", "code", "refresh_token", "token"])
def test_what_is_missing_is_said_in_json(world: World, missing: str) -> None:
    client = world.a_client()
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        "grant_type": ("/oauth/token", {"code": "x"}),
        "code": ("/oauth/token", {"grant_type": "authorization_code"}),
        "refresh_token": ("/oauth/token", {"grant_type": "refresh_token"}),
        "token": ("/oauth/introspect", {}),
    }
    path, form = forms[missing]
    answer = call(world, path, form, headers=client.basic)
    expected = "unsupported_grant_type" if missing == "grant_type" else "invalid_request"
    assert (answer.status_code, answer.get_json()["error"]) == (400, expected)
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_the_four_grants_exist(world: World) -> None:
    client = world.a_client(grant_types=GRANT_TYPES)
    for grant in (
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:",
        "",
        "a\u0000",
        "é",
        "x" * 5000,
    ):
        answer = call(world, "/oauth/token", {"grant_type": grant}, headers=client.basic)
        assert answer.status_code == 400
        assert answer.get_json()["error"] in {"unsupported_grant_type", "invalid_request"}, grant


def test_a_foreign_host_gets_nothing_that_names_it(world: World) -> None:
    client = world.app.test_client()
    hosts = ["evil.example", "localhost", "localhost:8001", "127.0.0.1:8000", "localhost:8000.evil.example"]
    hosts = [*hosts, "", "é", "a b", "evil.example\\@localhost:8000", "[::1", "localhost:8000,evil"]
    paths = [*dict.fromkeys(path for _method, path in routes(world))]
    # The host is looked at before the address: each address gets one of them, and one address gets all.
    for host, path in [*zip(cycle(hosts), paths, strict=False), *((host, "/login/person") for host in hosts)]:
        answer = client.get(path, base_url=ISSUER, headers={"Host": host})
        assert_decent(answer, (host, path))
        assert "evil" not in answer.get_data(as_text=True) + answer.headers.get("Location", "")
    for host in hosts:
        answer = client.get("/oauth/authorize", base_url=ISSUER, headers={"Host": host})
        assert answer.status_code in {400, 421}, host


def test_junk_headers_change_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client, "openid")["access_token"]
    junk = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-For": "é, ::::, 1.2.3.4, %00",
        "X-Forwarded-Proto": "gopher",
        "X-Original-URL": "/staff",
        "X-Forwarded-Uri": "/staff",
        "Forwarded": "for=evil;host=evil.example",
        "Remote-User": "admin",
        "Range": "bytes=0-999999999999",
        "Cookie": "idp_session=" + "x" * 500 + "; idp_browser=\xff; idp_known=..; a",
    }
    plain = world.app.test_client(use_cookies=False)
    answer = plain.get(
        "/oauth/userinfo", base_url=ISSUER, headers={**junk, "Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    for path in ("/", "/login", "/oauth/authorize", "/center/person", "/oauth/logout"):
        assert_decent(plain.get(path, base_url=ISSUER, headers=junk), path)
    page = plain.get(Authorization(client).address("openid", prompt="none"), base_url=ISSUER, headers=junk)
    assert "error=login_required" in page.headers["Location"]


RELAXED = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
PAIRS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.one_of(st.text(max_size=60), st.binary(max_size=40))), max_size=8
)


def raw(pairs: list[tuple[str, str | bytes]]) -> str:
    """A query as bytes that need not be text."""
    return "&".join(
        f"{name}={quote_from_bytes(value if isinstance(value, bytes) else value.encode('utf-8', 'replace'))}"
        for name, value in pairs
    )


@RELAXED
@given(pairs=PAIRS)
def test_any_parameters_added_to_a_good_request_are_answered(world: World, pairs: Any) -> None:
    client = known_client(world)
    answer = world.app.test_client().get(
        Authorization(client).address("openid") + "&" + raw(pairs), base_url=ISSUER
    )
    assert_decent(answer, pairs)


@RELAXED
@given(path=st.sampled_from(JSON_ENDPOINTS), pairs=PAIRS, header=st.binary(max_size=60))
def test_any_form_is_answered_in_json(world: World, path: str, pairs: Any, header: bytes) -> None:
    # The bytes a server hands on, as WSGI spells them: Latin-1, without control characters.
    credentials = "".join(letter for letter in header.decode("latin-1") if letter.isprintable())
    for given_header in (known_client(world).basic["Authorization"], f"Basic {credentials}", credentials):
        answer = call(
            world,
            path,
            raw(pairs),
            headers={"Authorization": given_header, "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert_decent(answer, pairs)
        assert answer.mimetype == "application/json"


@RELAXED
@given(state=st.text(max_size=80), nonce=st.text(max_size=80))
def test_a_state_comes_back_whole_or_not_at_all(world: World, state: str, nonce: str) -> None:
    asked = Authorization(known_client(world))
    state, nonce = (text.encode("utf-8", "replace").decode() for text in (state, nonce))
    address = asked.address("openid", prompt="none", state="", nonce="")
    query = urlencode({"state": state, "nonce": nonce})
    answer = world.app.test_client().get(f"{address}&{query}", base_url=ISSUER)
    assert_decent(answer, state)
    location = answer.headers.get("Location", "")
    if "error=login_required" in location and state:
        assert urlencode({"state": state}) in location


def known_client(world: World) -> AClient:
    """One client for all examples of a test."""
    kept: list[AClient] = world.__dict__.setdefault("kept_clients", [])
    if not kept:
        kept.append(world.a_client())
    return kept[0]
