"""The sign-in session in the browser: its id, its cookie, its end (SECURITY 31 to 36)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.access import endings
from idp.accounts.audit import Origin
from idp.accounts.models import Enterprise, EnterpriseStatus, Mandate, Person
from idp.accounts.sessions import SigninSession
from tests.login.acting import later, type_in
from tests.world import PASSWORD, Browser, Page, World

CENTRES = {"legal": "enterprise", "operator": "operator", "person": "person"}


def signed_in_as(world: World, way: str) -> tuple[Browser, Any]:
    """A browser and whoever signed in there."""
    browser = world.browser()
    if way == "legal":
        company = world.a_company()
        browser.sign_in_legal(company)
        return browser, company
    if way == "operator":
        operator = world.an_operator()
        browser.sign_in_operator(operator)
        return browser, operator
    person = world.a_person()
    browser.sign_in_person(person)
    return browser, person


def is_signed_in(browser: Browser) -> bool:
    """Whether the server still takes the browser's cookie."""
    return browser.open("/login", follow=False).location.startswith("/center/")


def replayed(world: World, cookie: str | None) -> bool:
    """Whether a copy of the cookie opens anything in another browser."""
    other = world.browser()
    other.client.set_cookie("idp_session", cookie or "")
    return is_signed_in(other)


def test_every_sign_in_has_an_id_of_its_own(world: World) -> None:
    browser, person = signed_in_as(world, "person")
    first = browser.cookie("idp_session")
    type_in(browser, "person", PASSWORD, account=person.account)
    second = browser.cookie("idp_session")
    assert first != second
    assert not replayed(world, first)
    assert replayed(world, second)


def test_a_cookie_from_before_is_never_taken_over(world: World) -> None:
    browser, person = world.browser(), world.a_person()
    planted = "A" * 43
    browser.client.set_cookie("idp_session", planted)
    browser.sign_in_person(person)
    assert browser.cookie("idp_session") != planted
    assert not replayed(world, planted)


def test_another_identity_ends_the_one_before(world: World) -> None:
    browser, _company = signed_in_as(world, "legal")
    before = browser.cookie("idp_session")
    browser.sign_in_person(world.a_person())
    assert not replayed(world, before)
    assert browser.open("/center/enterprise").url == "/center/person"
    with world.reading() as db:
        reasons = set(db.scalars(select(SigninSession.end_reason)))
    assert reasons == {"replaced", None}


def test_signing_out_ends_it_on_the_server(world: World) -> None:
    browser, _ = signed_in_as(world, "person")
    cookie = browser.cookie("idp_session")
    browser.open("/center/person")
    page = browser.submit(number=0)
    assert page.url == "/signed-out"
    assert browser.cookie("idp_session") is None
    assert not replayed(world, cookie)


def test_a_sign_in_unused_for_half_an_hour_asks_again(world: World) -> None:
    browser, _ = signed_in_as(world, "person")
    with later(minutes=29):
        assert is_signed_in(browser)
    with later(minutes=58):
        assert is_signed_in(browser)
    with later(minutes=89):
        assert not is_signed_in(browser)


def test_no_sign_in_lives_longer_than_eight_hours(world: World) -> None:
    browser, _ = signed_in_as(world, "person")
    for minutes in range(25, 480, 25):
        with later(minutes=minutes):
            assert is_signed_in(browser), minutes
    with later(minutes=481):
        assert not is_signed_in(browser)


def cookies_of(page: Page) -> dict[str, str]:
    """The cookies an answer sets, with their attributes."""
    return {line.split("=")[0]: line for line in page.response.headers.getlist("Set-Cookie")}


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    person = world.a_person()
    page = type_in(world.browser(), "person", PASSWORD, account=person.phone)
    cookies = cookies_of(page)
    assert {"idp_session", "idp_known"} <= set(cookies)
    for cookie in cookies.values():
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert "Max-Age" not in cookies["idp_session"]
    assert "Expires" not in cookies["idp_session"]


def test_on_https_cookies_are_secure_and_bound_to_the_host(world: World) -> None:
    person = world.a_person()
    with world.rewired(issuer="https://id.example.org") as safe:
        browser = safe.browser()
        opened = browser.open("/login/person")
        page = type_in(browser, "person", PASSWORD, account=person.phone)
        centre = browser.open(page.location)
        large = browser.submit({"large": "1"}, number=centre.form_count - 1, follow=False)
    cookies = {**cookies_of(opened), **cookies_of(page), **cookies_of(large)}
    assert set(cookies) == {f"__Host-idp_{name}" for name in ("browser", "session", "known", "large")}
    assert all(
        "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie for cookie in cookies.values()
    )
    assert page.response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert centre.status == 200


def test_the_database_does_not_hold_what_the_cookie_holds(world: World) -> None:
    browser, _ = signed_in_as(world, "person")
    with world.reading() as db:
        (row,) = db.scalars(select(SigninSession))
    cookie = browser.cookie("idp_session") or ""
    assert cookie not in repr(vars(row))
    for other in (row.sid, str(row.id), row.token_hash.hex(), browser.cookie("idp_browser"), "'", "x" * 3000):
        assert not replayed(world, other)


def suspend(world: World, row: Any) -> None:
    with world.write() as db:
        backends = world.backends
        endings.suspend(
            db, backends.vault, backends.trail, db.merge(row), Origin(), reason="a test", now=world.now()
        )


def end_mandate(world: World, row: Mandate) -> None:
    with world.write() as db:
        backends = world.backends
        endings.end_mandate(db, backends.vault, backends.trail, db.merge(row), Origin(), now=world.now())


def write(world: World, table: Any, row: Any, **values: Any) -> None:
    """Change a row behind the sign-in's back, as a registry's news or another process would."""
    with world.write() as db:
        db.execute(update(table).where(table.id == row.id).values(**values))


def dies(world: World, way: str, cause: str) -> bool:
    """Whether the sign-in of `way` is dead at the next request after `cause`."""
    browser, who = signed_in_as(world, way)
    assert is_signed_in(browser)
    company = {"legal": lambda: who.row, "operator": lambda: who.company.row}.get(way, lambda: None)()
    human = {"legal": lambda: who.representative.row, "operator": lambda: who.person.row}.get(
        way, lambda: who.row
    )()
    happen = {
        "person suspended": lambda: suspend(world, human),
        "person suspended elsewhere": lambda: write(world, Person, human, suspended_at=world.now()),
        "company suspended": lambda: suspend(world, company),
        "company 吊销": lambda: write(world, Enterprise, company, status=EnterpriseStatus.REVOKED.value),
        "company 注销": lambda: write(world, Enterprise, company, status=EnterpriseStatus.DEREGISTERED.value),
        "mandate ended": lambda: end_mandate(world, who.mandate),
        "mandate ended elsewhere": lambda: write(world, Mandate, who.mandate, ended_at=world.now()),
        "another representative": lambda: write(
            world, Enterprise, company, representative_id=world.a_person().row.id
        ),
    }
    happen[cause]()
    return not is_signed_in(browser) and not replayed(world, browser.cookie("idp_session"))


BOTH = ("person suspended", "person suspended elsewhere", "company suspended", "company 吊销", "company 注销")
CAUSES = [
    *(("legal", cause) for cause in (*BOTH, "another representative")),
    *(("operator", cause) for cause in (*BOTH, "mandate ended", "mandate ended elsewhere")),
    *(("person", cause) for cause in BOTH[:2]),
]


def test_a_sign_in_is_dead_at_the_next_request_once_what_it_rests_on_is_gone(world: World) -> None:
    assert [case for case in CAUSES if not dies(world, *case)] == []


def test_an_operator_stays_when_the_representative_changes(world: World) -> None:
    browser, operator = signed_in_as(world, "operator")
    write(world, Enterprise, operator.company.row, representative_id=world.a_person().row.id)
    assert is_signed_in(browser)


def test_a_mandates_sign_in_ends_with_its_last_day(world: World) -> None:
    browser, operator = signed_in_as(world, "operator")
    write(world, Mandate, operator.mandate, last_day=operator.mandate.first_day)
    assert not is_signed_in(browser)


@pytest.mark.parametrize("way", CENTRES)
def test_each_centre_is_for_its_own_role(world: World, way: str) -> None:
    browser, _ = signed_in_as(world, way)
    home = f"/center/{CENTRES[way]}"
    for centre in CENTRES.values():
        for page in ("", "/sessions"):
            opened = browser.open(f"/center/{centre}{page}")
            assert opened.url == (home + page if f"/center/{centre}" == home else home)
            assert opened.status == 200


@pytest.mark.parametrize("way", CENTRES)
def test_nobody_else_opens_a_centre(world: World, way: str) -> None:
    for page in ("", "/sessions"):
        opened = world.browser().open(f"/center/{CENTRES[way]}{page}", follow=False)
        assert opened.status == 302
        assert opened.location.startswith(f"/login/{way}?next=")


@pytest.mark.parametrize("way", CENTRES)
def test_a_centre_shows_masked_facts(world: World, way: str) -> None:
    browser, who = signed_in_as(world, way)
    human = {"legal": lambda: who.representative, "operator": lambda: who.person}.get(way, lambda: who)()
    for page in ("", "/sessions"):
        html = browser.open(f"/center/{CENTRES[way]}{page}").html
        for secret in (human.phone, human.id_number, human.name, human.phone[3:], human.id_number[4:]):
            assert secret not in html
    text = browser.open(f"/center/{CENTRES[way]}").text
    assert f"{human.phone[:3]}****{human.phone[-4:]}" in text
    assert re.search("林.满", text)
    assert (f"{human.id_number[:4]}**********{human.id_number[-4:]}" in text) == (way == "person")
