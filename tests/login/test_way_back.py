"""Sent to sign in, one comes back to the page one had asked for; and back to a portal without going on."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pyotp
import pytest

from tests.login.acting import (
    a_passkey,
    choose_first_password,
    key_of,
    later,
    names_of,
    sign_in,
    touch,
    without_a_phone,
)
from tests.portals import Authorization
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World

HISTORY = "/center/person/security/sign-ins?page=1"
ENDED = "登录已结束，请重新登录"
OPERATORS_OWN = "/center/operator/sessions"


def sent_to_sign_in(world: World, address: str = HISTORY) -> Browser:
    """A browser that asked for a page of a centre, and stands where it was sent."""
    browser = world.browser()
    browser.open(address)
    return browser


def where(page: Page) -> str:
    return urlsplit(page.url).path


def types_in(browser: Browser, known: APerson | ACompany | AnOperator) -> Page:
    return browser.submit_with_captcha({**names_of(known)[1], "password": known.password})


def href(page: Page, label: str) -> str:
    """Where the link with this label leads."""
    found = re.search(rf'href="([^"]*)"[^<>]*>\s*{label}', re.sub(r"(?s)<svg.*?</svg>", "", page.html))
    assert found, page.text
    return found.group(1).replace("&amp;", "&")


def goes_back(browser: Browser) -> dict[str, str]:
    """Press 返回「…」 on the open page; what the portal is told."""
    assert browser.page
    forms = [browser.page.form(number) for number in range(browser.page.form_count)]
    number = next(at for at, form in enumerate(forms) if form["action"].startswith("/oauth/decline"))
    return browser.submit(number=number, follow=False).query


@pytest.mark.parametrize(
    ("centre", "entrance"), [("person", "person"), ("operator", "operator"), ("enterprise", "legal")]
)
def test_a_page_of_a_centre_sends_to_the_way_in_to_that_centre(
    world: World, centre: str, entrance: str
) -> None:
    page = sent_to_sign_in(world, f"/center/{centre}").page
    assert page
    assert where(page) == f"/login/{entrance}"
    assert ENDED not in page.text, "nobody was signed in here"


def test_an_ended_sign_in_is_called_so_and_a_new_one_leads_back(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    browser.sign_in_person(person)
    with later(hours=9):
        page = browser.open(HISTORY)
        assert where(page) == "/login/person"
        assert ENDED in page.text
        assert types_in(browser, person).url == HISTORY
        assert ENDED not in browser.open("/login/person").text


def test_the_way_back_outlasts_the_second_step_and_a_change_to_the_passkey(world: World) -> None:
    person = world.a_person()
    account = key_of(world, person)
    secret, device = world.a_totp(account), a_passkey(world, account)
    browser = sent_to_sign_in(world)
    page = types_in(browser, person)
    assert where(page) == "/login/second"
    assert browser.submit({"code": pyotp.TOTP(secret).now()}).url == HISTORY
    other = sent_to_sign_in(world)
    assert other.page
    other.open(href(other.page, "用通行密钥登录"))
    assert touch(other, device).location == HISTORY


def test_the_way_back_outlasts_another_tab_and_a_first_password(world: World) -> None:
    operator = world.an_operator(must_change=True)
    browser = sent_to_sign_in(world, "/center/person/sessions")
    assert browser.page
    page = browser.open(href(browser.page, "经办人登录"))
    page = types_in(browser, operator)
    assert where(page) == "/login/first-password"
    page = choose_first_password(browser, operator.phone, "Mine alone 77", follow=False)
    assert page.location == "/center/person/sessions"
    assert where(browser.open(page.location)) == "/center/operator", "the other centre is not his"


def test_what_was_sent_is_not_asked_for_again(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    browser.sign_in_person(person)
    token = browser.open("/center/person/sessions").form()["fields"]["csrf_token"]
    with later(hours=9):
        page = browser.post("/center/person/sessions", {"csrf_token": token, "others": "1"}, follow=False)
    assert page.location == "/login/person"


def test_the_proof_before_a_change_knows_where_it_leads(world: World) -> None:
    """Whoever signs in anew on the way goes on to the change, and proves himself once."""
    person, browser = world.a_person(), world.browser()
    page = browser.open("/login/confirm?" + urlencode({"next": HISTORY}))
    assert where(page) == "/login/person"
    assert types_in(browser, person).url == HISTORY


@pytest.mark.parametrize(
    "hostile", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_nobody_is_led_to_another_site(world: World, hostile: str) -> None:
    browser, person = world.browser(), world.a_person()
    page = browser.open("/login/person?" + urlencode({"next": hostile}))
    assert "evil" not in href(page, "法人登录")
    page = browser.submit_with_captcha({"account": person.account, "password": person.password}, follow=False)
    assert page.location == "/center/person"


def test_a_step_up_without_a_factor_leads_back_to_the_portal(world: World) -> None:
    """Nothing to prove oneself by, and no wish to set it up: the portal is told, and may go on without."""
    person, browser = world.a_person(), world.browser()
    without_a_phone(world, person)
    browser.sign_in_person(person)
    asking = Authorization(world.a_client())
    page = browser.open(asking.address("openid profile", acr_values="urn:idp:loa:2"))
    assert where(page) == "/login/second"
    assert "返回「" in page.text
    waiting = page.url
    told = goes_back(browser)
    assert (told["error"], told["state"]) == ("access_denied", asking.state)
    assert told["iss"] == world.settings.issuer
    assert browser.open(waiting).status == 400, "the request waits no longer"
    assert browser.open("/login", follow=False).location == "/center/person", "still signed in"


def test_every_step_of_a_portals_sign_in_leads_back_to_it(world: World) -> None:
    person, client = world.a_person(), world.a_client()
    world.a_totp(key_of(world, person))
    for steps in ("person", "passkey", "second"):
        browser = world.browser()
        page = browser.open(Authorization(client).address("openid profile"))
        transaction = page.url.partition("tx=")[2]
        if steps == "second":
            page = sign_in(browser, person, tx=transaction)
        else:
            page = browser.open(f"/login/{steps}?tx={transaction}")
        assert where(page) == f"/login/{steps}"
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(client.redirect_uri))
        assert f"form-action 'self' {origin}" in page.response.headers["Content-Security-Policy"]
        assert goes_back(browser)["error"] == "access_denied"


def test_another_browser_or_site_cannot_decline_for_somebody(world: World) -> None:
    browser, other = world.browser(), world.browser()
    page = browser.open(Authorization(world.a_client()).address())
    transaction = page.url.partition("tx=")[2]
    assert browser.post(f"/oauth/decline?tx={transaction}", follow=False).status == 400, "no CSRF token"
    token = other.open("/login/person").form()["fields"]["csrf_token"]
    refused = other.post(f"/oauth/decline?tx={transaction}", {"csrf_token": token}, follow=False)
    assert "登录没有完成" in refused.text
    assert browser.open(page.url).status == 200, "it still waits"


def test_without_a_portal_there_is_nowhere_to_go_back_to(world: World) -> None:
    assert "返回「" not in world.browser().open("/login/person").text
