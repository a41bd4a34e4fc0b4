"""Whatever a browser or something else sends: a page with a sentence, never a trace, never a change."""

from pathlib import Path

import httpx2
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relying_parties.kit.next_page import safe_next
from relying_parties.social_insurance.app import create_app
from tests.relying_parties.browser import BASE_URL, Browser, an_operator, settings_for
from tests.relying_parties.stand_in import StandIn

ROUTES = [
    "/",
    "/login/unit",
    "/login",
    "/login/person",
    "/switch/unit",
    "/switch/%00",
    "/callback",
    "/refused",
    "/record",
    "/logout",
    "/signed-out",
    "/backchannel-logout",
    "/theme/../../etc/passwd",
    "/theme/tokens.css",
    "/kit/portal.css",
    "/kit/%2e%2e/base.html",
    "/no-such-page",
    "/\u0000",
]
QUERIES = [
    "",
    "next=%00&state=%00&code=%00&iss=%00&error=%00",
    "next=%ff%fe&state=%ff&code=%ff&iss=%ff&error=%ff",
    "next=/a&next=/b&state=a&state=b&code=a&code=b",
    "state=" + "s" * 60_000,
    "next=" + "/n" * 30_000,
    "&".join(f"a{n}=1" for n in range(3000)),
    "state[]=1&code[x]=2&=&&&==",
    "next=%0d%0aSet-Cookie:%20a=b",
]


HEADERS: list[dict[str, str]] = [
    {"Cookie": "si_session=" + "a" * 43 + "; si_browser=" + "b" * 43},
    {"Cookie": "si_session=\xff\xfe; si_browser="},
    {"Cookie": "si_session=" + "s" * 8000},
    {"Cookie": "si_session='; DROP TABLE sessions; --"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary=\xff"},
    {"Content-Type": "application/x-www-form-urlencoded; charset=none"},
    {"Accept-Language": "\xff" * 100},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "host=evil"},
    {"Origin": "null"},
    {"Origin": "\xff"},
    {"Range": "bytes=5-1"},
    {"If-Modified-Since": "yesterday"},
    {"If-None-Match": '"'},
]


def test_there_is_no_route_this_file_does_not_attack(app: Flask) -> None:
    addresses = app.url_map.bind("localhost")
    attacked = {
        addresses.match(path, method)[0]
        for path in ROUTES
        for method in ("GET", "POST")
        if addresses.test(path, method)
    }
    assert attacked == {rule.endpoint for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("path", ROUTES)
def test_no_address_breaks_the_portal(browser: Browser, path: str) -> None:
    for query in QUERIES:
        answer = browser.client.get(path, query_string=query, base_url=BASE_URL, buffered=True)
        assert answer.status_code < 500, query[:80]
        assert "Traceback" not in answer.text
        assert "a=b" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("path", ROUTES)
def test_no_method_breaks_the_portal(browser: Browser, path: str) -> None:
    for method in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
        answer = browser.client.open(path, method=method, base_url=BASE_URL, buffered=True)
        assert answer.status_code < 500, method


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ROUTES)
def test_no_header_breaks_the_portal(browser: Browser, path: str, method: str) -> None:
    body = b"\xff=\x00&csrf_token=\xff"
    for headers in HEADERS:
        answer = browser.client.open(
            path, method=method, headers=headers, base_url=BASE_URL, data=body, buffered=True
        )
        assert answer.status_code < 500, headers
        assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost:9999", "localhost", "localhost:8001.evil.example", "["]
)
def test_another_host_name_is_refused(browser: Browser, host: str) -> None:
    answer = browser.get("/login", Host=host)
    assert answer.status_code == 400
    assert host not in answer.text or host == "["


@given(st.text(max_size=60))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_next_is_a_path_of_this_portal_or_the_home_page(supplied: str) -> None:
    for candidate in (supplied, "/" + supplied, "//" + supplied, "/\\" + supplied):
        path = safe_next(candidate)
        assert path.startswith("/")
        assert path[1:2] not in {"/", "\\"}
        assert path.isprintable()
        assert path.isascii()


@pytest.mark.parametrize("form", [{}, {"csrf_token": ""}, {"csrf_token": "0" * 64}, {"csrf_token": "假"}])
def test_a_form_without_this_browsers_token_changes_nothing(browser: Browser, form: dict[str, str]) -> None:
    browser.sign_in(an_operator())
    assert browser.post("/logout", form).status_code in {400, 403}
    assert browser.is_signed_in()


def test_a_token_of_another_browser_changes_nothing(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in(an_operator())
    other_browser.sign_in(an_operator())
    token = _token(other_browser)
    assert browser.post("/logout", {"csrf_token": token}).status_code == 403
    assert browser.is_signed_in()


def test_without_a_session_too_a_token_is_its_browsers_own(browser: Browser, other_browser: Browser) -> None:
    refused = an_operator(sub="somebody-else", id_number="990100200001010000")
    browser.sign_in(refused)
    other_browser.sign_in(refused)
    answer = browser.post("/logout", {"csrf_token": _token(other_browser, "/refused")})
    assert answer.status_code == 403
    assert browser.get("/refused").status_code == 403


def test_a_token_of_an_earlier_session_changes_nothing(browser: Browser) -> None:
    browser.sign_in(an_operator())
    token = _token(browser)
    browser.sign_in(an_operator())
    assert browser.post("/logout", {"csrf_token": token}).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), (BASE_URL, 303)]
)
def test_a_form_must_come_from_this_portal(browser: Browser, origin: str, status: int) -> None:
    browser.sign_in(an_operator())
    answer = browser.post("/logout", {"csrf_token": _token(browser)}, Origin=origin)
    assert answer.status_code == status


def test_every_page_bears_its_headers(browser: Browser, provider: StandIn) -> None:
    for path in ("/", "/login", "/no-such-page", "/callback", "/theme/idp.css"):
        headers = browser.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert f"form-action 'self' {provider.issuer}" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
    assert browser.get("/").headers["Cache-Control"] == "no-store"
    assert "max-age" in browser.get("/theme/idp.css").headers["Cache-Control"]


def test_over_https_cookies_are_secure_and_stay_so(
    provider: StandIn, http: httpx2.Client, tmp_path: Path
) -> None:
    base_url = "https://portal.example"
    app = create_app(settings_for(provider.issuer, tmp_path, base_url=base_url))
    browser = Browser(app, provider, http, base_url)
    begun = browser.get("/login")
    assert begun.headers["Set-Cookie"].startswith("__Host-si_browser=")
    assert "Secure" in begun.headers["Set-Cookie"]
    assert "max-age=" in begun.headers["Strict-Transport-Security"]
    cookie = browser.sign_in(an_operator()).headers["Set-Cookie"]
    assert cookie.startswith("si_session=")
    assert "Secure" in cookie
    app.extensions["portal"].close()


def test_a_failure_of_our_own_is_a_page_with_a_request_id(app: Flask, browser: Browser) -> None:
    def broken() -> str:
        raise RuntimeError("internal words")

    app.view_functions["pages.home"] = broken
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "请求编号" in answer.text
    assert "internal words" not in answer.text


def test_a_database_that_cannot_answer_is_a_page_to_try_again(
    app: Flask, browser: Browser, tmp_path: Path
) -> None:
    browser.sign_in(an_operator())
    with app.extensions["portal"].database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE sessions")
    answer = browser.get("/")
    assert answer.status_code == 503
    assert "sessions" not in answer.text


def _token(browser: Browser, page: str = "/") -> str:
    return browser.text(page).split('name="csrf_token" value="')[1].split('"')[0]
