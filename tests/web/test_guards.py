"""What holds for every address: CSRF, origin, host, headers (SECURITY 37, 38, 103, 104).

The addresses are those of the running application, so a new room is guarded or it is red here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter

from tests.dealing import dealt
from tests.entering import enter
from tests.world import ISSUER, Browser, Page, World

BY_CLIENTS = {
    "programs.device",
    "programs.introspect",
    "programs.push",
    "programs.register",
    "programs.revoke",
    "programs.token",
    "programs.userinfo",
}
BY_PHONES = {"phones.begin", "phones.confirm", "phones.deny", "phones.pin", "phones.scan"}
"""Proved by a token bound to a key, or by nothing where nobody must be signed in; no cookie counts there."""
BY_SERVICES = {"gateways.receipt", "services.callback"}
FROM_OTHER_SITES = {"oauth.authorize", "oauth.logout"}  # OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2
OPEN_TO_ANY_HOST = {"web.healthz", "web.readyz", "web.metrics"}
NOBODYS = "00000000-0000-7000-8000-000000000000"
FILLED = {"captcha_id": "x" * 22, "page": "about", "filename": "tokens.css"}


def addresses(world: World, method: str) -> Iterator[tuple[str, str]]:
    """Endpoint and address of every rule that takes `method`."""
    for rule in world.app.url_map.iter_rules():
        if method in (rule.methods or ()):
            yield rule.endpoint, filled(rule)


def filled(rule: Rule) -> str:
    """An address of the rule; what has no example is one of its words, or an id that nobody has."""
    values = {
        name: FILLED.get(name) or (min(one.items) if isinstance(one, AnyConverter) else NOBODYS)
        for name, one in rule._converters.items()
    }
    built = rule.build(values)
    assert built is not None
    return built[1]


def guarded_forms(world: World) -> list[str]:
    """Every address that takes a form of our own pages."""
    others = BY_CLIENTS | BY_PHONES | BY_SERVICES | FROM_OTHER_SITES
    found = [address for endpoint, address in addresses(world, "POST") if endpoint not in others]
    assert len(found) >= 11
    return found


@pytest.fixture
def browser(world: World) -> Browser:
    """A browser with somebody signed in."""
    browser = world.browser()
    enter(browser, world.a_person())
    return browser


def still_in(browser: Browser) -> bool:
    return browser.open("/center/person", follow=False).status == 200


def taken(world: World, browser: Browser, **data: str) -> list[str]:
    """The addresses whose answer to such a form is not that its token is wrong."""
    return [
        address for address in guarded_forms(world) if browser.post(address, data, follow=False).status != 400
    ]


def a_token(browser: Browser) -> str:
    token: str = browser.open("/login/person").form()["fields"]["csrf_token"]
    return token


def test_no_form_is_taken_without_its_token(world: World, browser: Browser) -> None:
    assert taken(world, browser) == []
    assert taken(world, browser, csrf_token="x") == []
    assert still_in(browser)


def test_no_form_is_taken_with_another_browsers_token(world: World, browser: Browser) -> None:
    foreign = a_token(world.browser())
    assert taken(world, browser, csrf_token=foreign, others="1") == []
    assert still_in(browser)


OTHER_BODIES = {
    "application/json": '{"csrf_token": "x"}',
    "text/plain": "csrf_token=x",
    "multipart/form-data; boundary=x": (
        '--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nx\r\n--x--'
    ),
}


def test_no_other_kind_of_body_slips_past(world: World, browser: Browser) -> None:
    for number, address in enumerate(guarded_forms(world)):
        for content_type, body in dealt(world, [*OTHER_BODIES.items()], number):
            headers = {"Content-Type": content_type}
            answer = browser.client.post(address, base_url=ISSUER, data=body, headers=headers)
            assert answer.status_code == 400, (address, content_type)
    assert still_in(browser)


FROM_ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "http://localhost.evil.example:8000"},
    {"Origin": "https://localhost:8000"},
    {"Sec-Fetch-Site": "cross-site"},
)


def test_no_form_is_taken_from_another_sites_page(world: World, browser: Browser) -> None:
    data = {"csrf_token": a_token(browser)}
    for number, address in enumerate(guarded_forms(world)):
        for headers in dealt(world, FROM_ELSEWHERE, number):
            page = browser.post(address, data, follow=False, headers=headers)
            assert page.status == 403, (address, headers)
    assert still_in(browser)


def test_no_cookie_counts_where_phones_and_services_call(world: World, browser: Browser) -> None:
    token, called = a_token(browser), 0
    for endpoint, address in addresses(world, "POST"):
        if endpoint in BY_PHONES | BY_SERVICES:
            called += 1
            answer = browser.post(address, {"csrf_token": token}, follow=False)
            assert answer.status in {400, 401, 404}, address
            assert not answer.response.headers.getlist("Set-Cookie"), address
    assert called == len(BY_PHONES | BY_SERVICES)
    assert still_in(browser)


def test_a_form_of_our_own_page_is_taken(browser: Browser) -> None:
    data, headers = {"csrf_token": a_token(browser)}, {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/sign-out", data, follow=False, headers=headers).location == "/signed-out"
    assert not still_in(browser)


def test_an_outdated_page_offers_to_be_opened_again_where_it_can_be(browser: Browser) -> None:
    page = browser.post("/login/person?tx=abc", {})
    assert (page.status, "页面已过期" in page.text) == (400, True)
    assert 'href="/login/person?tx=abc"' in page.html
    assert 'href="/sign-out"' not in browser.post("/sign-out", {}).html


FOREIGN_HOSTS = (
    "evil.example",
    "localhost",
    "localhost:8001",
    "localhost:8000.evil.example",
    "127.0.0.1:8000",
)


def test_no_address_answers_under_a_foreign_name(world: World) -> None:
    client = world.app.test_client()
    for number, (endpoint, address) in enumerate(addresses(world, "GET")):
        for host in dealt(world, FOREIGN_HOSTS, number):
            answer = client.get(address, base_url=ISSUER, headers={"Host": host}, buffered=True)
            assert (answer.status_code == 421) != (endpoint in OPEN_TO_ANY_HOST), (host, address)
    page = Page(client.get("/login", base_url=ISSUER, headers={"Host": "evil.example"}), "/login")
    assert "请使用正式地址访问" in page.text
    assert "evil.example" not in page.html


def test_a_forwarded_host_moves_nothing(world: World) -> None:
    with world.rewired(trusted_proxies="127.0.0.1") as behind:
        evil = dict.fromkeys(("X-Forwarded-Host", "X-Original-Host", "X-Host"), "evil.example")
        for _endpoint, address in addresses(behind, "GET"):
            page = behind.browser().open(address, follow=False, headers=evil)
            assert "evil.example" not in page.location + page.html, address


def test_every_answer_is_hardened(world: World, browser: Browser) -> None:
    for _endpoint, address in [*addresses(world, "GET"), ("", "/nothing-here")]:
        headers = browser.open(address, follow=False).response.headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; "), address
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        # The address of a one-time link is a secret: not even this site is told where one came from.
        is_secret = address.startswith("/a/")
        assert headers["Referrer-Policy"] == ("strict-origin" if is_secret else "same-origin"), address
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert re.fullmatch(r"TX-\d{8}-\w{4}-\w{4}", headers["X-Request-Id"])
        assert "Strict-Transport-Security" not in headers, "http has none"


def test_what_only_its_owner_may_see_is_not_stored_on_the_way(world: World, browser: Browser) -> None:
    for _endpoint, address in addresses(world, "GET"):
        headers = browser.open(address, follow=False).response.headers
        public = address.startswith(("/theme/", "/.well-known/", "/oauth/jwks"))
        assert public or headers["Cache-Control"] == "no-store", address


OUR_SCRIPTS = (
    r'<script type="module" src="/theme/'
    r"(?:passkey|sms|documents|company|form_answer|uploads|counted)"
    r'\.js[?\w=&;]*"></script>'
)


def test_pages_run_no_script_of_their_own_and_carry_no_inline_style(world: World, browser: Browser) -> None:
    """Only a page that asks for a passkey or fills in a form loads a script, ours, and its policy says so."""
    for _endpoint, address in addresses(world, "GET"):
        page = browser.open(address)
        if page.response.mimetype == "text/html":
            html = re.sub(OUR_SCRIPTS, "", page.html)
            assert not re.search(r"<script|\sstyle=|\son[a-z]+=|javascript:", html), address
            policy = page.response.headers["Content-Security-Policy"]
            assert ("script-src 'self'" in policy) == (html != page.html), address
